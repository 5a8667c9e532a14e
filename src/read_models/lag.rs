//! How far a read model is behind the log.

use super::ReadModel;
use crate::clock;
use crate::event_log::{EventLog, ReadError};

/// How far a read model is behind the log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lag {
    /// Events that it does not show yet, as far as positions tell.
    pub events: u64,
    /// How old the oldest of them is.
    pub seconds: f64,
}

/// How far a read model is behind the log.
///
/// # Errors
/// The log cannot be read.
pub async fn lag(log: &dyn EventLog, read_model: &ReadModel) -> Result<Lag, ReadError> {
    let (head, position) = (log.head().await?, read_model.position());
    if position >= head {
        return Ok(Lag::default());
    }
    let next = log.read_all(position, 1).await?;
    let waiting = next.first().map(|event| clock::now().duration_since(event.recorded_at).as_secs_f64());
    Ok(Lag { events: head.0 - position.0, seconds: waiting.unwrap_or_default().max(0.0) })
}
