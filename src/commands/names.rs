//! Reservations of names: each has a number, so that a name that was reserved anew is not released by someone who means an
//! older reservation of it.

use offshoot_aggregates::organisation::OrganisationEvent;
use offshoot_aggregates::project::{ProjectEvent, ReservationPurpose};
use offshoot_aggregates::{Event, StreamId, Version};

use super::{CommandError, Commands};

/// A reservation of a name that was just made.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameReservation {
    /// Its number.
    pub(super) number: u64,
    /// Whether the name was free before. If not, whoever had reserved it for the same holder may still need it.
    pub(super) is_new: bool,
}

impl Commands {
    /// The reservation that was recorded in a stream as this version.
    ///
    /// # Errors
    /// The log cannot be read, or has something else there.
    pub(super) async fn reservation_at(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<NameReservation, CommandError> {
        let before = Version(version.0.saturating_sub(1));
        let recorded = self.log.read_stream(stream, before, 1).await?.pop();
        match recorded.as_ref().map(|recorded| recorded.event()) {
            Some(Ok(Event::Project(ProjectEvent::EnvironmentNameReserved { reservation, purpose, .. }))) => {
                Ok(NameReservation { number: *reservation, is_new: *purpose != ReservationPurpose::Renewal })
            }
            Some(Ok(Event::Organisation(OrganisationEvent::ProjectNameReserved {
                reservation, is_renewal, ..
            }))) => Ok(NameReservation { number: *reservation, is_new: !is_renewal }),
            _ => Err(CommandError::Fault(format!("version {version} of {stream} is no reservation"))),
        }
    }
}
