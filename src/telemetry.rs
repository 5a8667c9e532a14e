//! What operators see: log lines on standard error, and metrics for Prometheus.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use clap::ValueEnum;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// The environment variable that says what is logged, in the syntax of `tracing_subscriber`'s filters.
pub const LOG_VARIABLE: &str = "OFFSHOOT_LOG";

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// Why logging or metrics did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `OFFSHOOT_LOG` is not a filter.
    #[error("{LOG_VARIABLE} is not a log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The process logs somewhere else already.
    #[error("logging was started before: {0}")]
    Logs(#[from] TryInitError),
    /// The process has other metrics already.
    #[error("metrics cannot be recorded: {0}")]
    Metrics(String),
}

/// Starts logging to standard error. `OFFSHOOT_LOG` says what is logged; without it, `default` does (`info` for a server).
///
/// # Errors
/// The filter cannot be read, or logging was started before.
pub fn start_logging(format: LogFormat, default: &str) -> Result<(), TelemetryError> {
    let directives = std::env::var(LOG_VARIABLE).unwrap_or_default();
    let filter = EnvFilter::builder().parse(if directives.is_empty() { default } else { &directives })?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => registry.with(lines).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(())
}

/// Seconds that one answer or one append takes.
const SHORT_SECONDS: [f64; 15] =
    [0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Seconds that a clone takes, from a handful of states to millions of them.
const LONG_SECONDS: [f64; 14] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Appends in one commit, events in one page: powers of two.
const SIZES: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 4_096.0];

/// Which histogram has which buckets. The full name goes before the end of one.
fn buckets() -> [(Matcher, &'static [f64]); 3] {
    [
        (Matcher::Full("offshoot_clone_duration_seconds".to_owned()), &LONG_SECONDS),
        (Matcher::Suffix("_seconds".to_owned()), &SHORT_SECONDS),
        (Matcher::Suffix("_size".to_owned()), &SIZES),
    ]
}

static METRICS: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Starts recording metrics, once a process; every call gives the same handle. Names that end in `_seconds` or `_size` are
/// histograms with buckets for that.
///
/// # Errors
/// Something else in the process records metrics.
pub fn metrics_handle() -> Result<PrometheusHandle, TelemetryError> {
    let started = METRICS.get_or_init(|| {
        let recorder = buckets()
            .into_iter()
            .try_fold(PrometheusBuilder::new(), |builder, (names, buckets)| {
                builder.set_buckets_for_metric(names, buckets)
            })
            .map_err(|error| error.to_string())?
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| error.to_string())?;
        metrics::describe_histogram!(
            "offshoot_http_request_seconds",
            metrics::Unit::Seconds,
            "Time until an answer began, by method, path and status"
        );
        Ok(handle)
    });
    started.clone().map_err(TelemetryError::Metrics)
}

/// How often what was recorded is put into buckets: until then it takes memory, and nobody may be asking for it.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the memory that metrics take bounded, for ever: to be run beside the server.
pub async fn keep_metrics(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}
