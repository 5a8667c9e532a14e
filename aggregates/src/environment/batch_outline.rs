//! A batch of states as those read it who only count them: a tenth of the work, because no state is made of it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::events::EnvironmentEvent;
use crate::event::{DecodeError, Event, RecordedEvent};

/// What a batch of states says without its states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOutline {
    /// Whether the states were copied for a clone, or else imported.
    pub is_copied: bool,
    /// Which batch: 1, 2, 3, …
    pub batch: u32,
    /// How many states it has.
    pub states: u64,
}

/// The events that carry batches of states, as in [`EnvironmentEvent`].
#[derive(Deserialize)]
enum BatchEvent {
    FeatureStatesBatchCopied { batch: u32, states: Count },
    FeatureStatesImported { batch: u32, states: Count },
}

/// How many elements an array has.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;

        impl<'de> Visitor<'de> for Counting {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while elements.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }

        deserializer.deserialize_seq(Counting)
    }
}

impl BatchOutline {
    /// The outline of an event; `None` if it is no batch of states.
    ///
    /// # Errors
    /// As [`RecordedEvent::event`], but nothing is known of the single states.
    #[must_use]
    pub fn of(recorded: &RecordedEvent) -> Option<Result<Self, DecodeError>> {
        let is_copied = match recorded.event_type.as_str() {
            "FeatureStatesBatchCopied" => true,
            "FeatureStatesImported" => false,
            _ => return None,
        };
        let (batch, states) = match recorded.decoded.get() {
            Some(Err(error)) => return Some(Err(error.clone())),
            // Someone has read it all already.
            Some(Ok(Event::Environment(
                EnvironmentEvent::FeatureStatesBatchCopied { batch, states }
                | EnvironmentEvent::FeatureStatesImported { batch, states },
            ))) => (*batch, states.len() as u64),
            _ => match recorded.read::<BatchEvent>() {
                Ok(BatchEvent::FeatureStatesBatchCopied { batch, states }) if is_copied => (batch, states.0),
                Ok(BatchEvent::FeatureStatesImported { batch, states }) if !is_copied => (batch, states.0),
                Ok(_) => return Some(Err(recorded.decode_error("the payload is that of another type".to_owned()))),
                Err(error) => return Some(Err(error)),
            },
        };
        Some(Ok(Self { is_copied, batch, states }))
    }
}
