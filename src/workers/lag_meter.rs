//! Measures how far each read model is behind the log, also when it does not move at all.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::event_log::EventLog;
use crate::read_models::{ReadModels, lag};

/// How often to measure.
const INTERVAL: Duration = Duration::from_secs(1);

/// Measures until shutdown.
pub async fn measure_lag(log: std::sync::Arc<dyn EventLog>, read_models: ReadModels, shutdown: CancellationToken) {
    loop {
        // Noted here, so that the age of what is shown is known also when nobody has asked for a while.
        let _ = read_models.shown(log.as_ref());
        for read_model in read_models.all() {
            let name = read_model.name();
            metrics::gauge!("offshoot_projection_position", "projection" => name).set(to_f64(read_model.position().0));
            match lag(log.as_ref(), read_model).await {
                Ok(lag) => {
                    metrics::gauge!("offshoot_projection_lag_events", "projection" => name).set(to_f64(lag.events));
                    metrics::gauge!("offshoot_projection_lag_seconds", "projection" => name).set(lag.seconds);
                }
                Err(error) => tracing::debug!(%error, "the lag of a read model cannot be measured"),
            }
        }
        if tokio::time::timeout(INTERVAL, shutdown.cancelled()).await.is_ok() {
            return;
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
fn to_f64(number: u64) -> f64 {
    number as f64
}
