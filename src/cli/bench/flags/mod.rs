//! `offshoot bench flags`: how fast flags are served, beside a bare handler that answers the same bytes from memory.

mod bare;
pub(super) mod load;
mod memory;
mod subject;
mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

pub use bare::{BareConfig, serve_bare};

use self::load::{Load, Request, run};
use self::subject::{FEATURES, SEGMENTS, Subject};
use super::CliError;
use super::child::{Child, pin_to};
use super::figures::Figures;
use super::process::machine;

/// The names for an endpoint, all of them beginning alike.
macro_rules! names {
    ($endpoint:literal) => {
        Names {
            rate: concat!($endpoint, ": requests"),
            bare_rate: concat!($endpoint, ": bare handler"),
            ratio: concat!($endpoint, ": by requests"),
            cost: concat!($endpoint, ": processor time each"),
            cost_ratio: concat!($endpoint, ": by processor time"),
            p99: concat!($endpoint, ": p99"),
            bytes: concat!("bytes of ", $endpoint),
        }
    };
}
use names;

/// The core of the server, and that of the load.
const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// How long to measure.
#[derive(Debug, Args)]
pub struct FlagsBench {
    /// Seconds of each run.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Runs of each kind; server and bare handler take turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Connections that ask at the same time, each for the next answer as soon as it has one.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: u32,

    /// Feature states of the environment that is cloned while flags are served.
    #[arg(long, default_value_t = 10_000)]
    cloned_states: usize,

    /// Environments, of 1,000 features each, that are held in memory at the same time; none if 0.
    #[arg(long, default_value_t = 100)]
    environments: usize,

    /// Where to put the data; the system's directory for temporary files if none is given.
    #[arg(long)]
    directory: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Measures it.
pub async fn run_flags(config: FlagsBench) -> Result<(), CliError> {
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("features", FEATURES);
    figures.fact("segments", SEGMENTS);
    figures.fact("connections", config.connections);
    let subject = Subject::prepare(config.directory.as_deref(), config.cloned_states).await?;
    let server = Child::server_on(subject.directory(), subject.key(), Some(SERVER_CORE)).await?;
    let is_pinned = pin_to(LOAD_CORE);
    figures.fact("server and load each have a core of their own", is_pinned && server.is_pinned());
    let load = Load { time: Duration::from_secs(config.seconds), connections: config.connections };
    for endpoint in subject.endpoints(&server).await? {
        compare(&server, &endpoint, &load, config.repeat, &mut figures).await?;
    }
    waiting::beside_a_clone(&server, &subject, &load, config.repeat, &mut figures).await?;
    waiting::until_served(&server, &subject, &mut figures).await?;
    server.stop().await?;
    if config.environments > 0 {
        memory::measure(config.directory.as_deref(), config.environments, &mut figures).await?;
    }
    figures.print(config.json);
    Ok(())
}

/// Runs an endpoint and a bare handler with the endpoint's answer in turn.
async fn compare(
    server: &Child,
    endpoint: &Endpoint,
    load: &Load,
    repeat: u32,
    figures: &mut Figures,
) -> Result<(), CliError> {
    let answer = endpoint.request.ask(server.address()).await?;
    let bare = Child::bare(&answer.body, SERVER_CORE).await?;
    let bare_request = Request { path: "/".to_owned(), ..endpoint.request.clone() };
    // Once without counting, so that nothing is measured that happens only once.
    let warm_up = Load { time: Duration::from_millis(300), ..*load };
    run(server.address(), &endpoint.request, &warm_up).await?;
    run(bare.address(), &bare_request, &warm_up).await?;
    for _ in 0..repeat {
        let (before, bare_before) = (server.processor_time()?, bare.processor_time()?);
        let ours = run(server.address(), &endpoint.request, load).await?;
        let limit = run(bare.address(), &bare_request, load).await?;
        let cost = (server.processor_time()? - before).as_secs_f64() / ours.answers() * 1e6;
        let limit_cost = (bare.processor_time()? - bare_before).as_secs_f64() / limit.answers() * 1e6;
        let names = &endpoint.names;
        figures.add(names.rate, "1/s", ours.per_second());
        figures.add(names.bare_rate, "1/s", limit.per_second());
        figures.add(names.ratio, "of bare", ours.per_second() / limit.per_second());
        figures.add(names.cost, "us", cost);
        figures.add(names.cost_ratio, "of bare", limit_cost / cost);
        figures.add(names.p99, "ms", ours.percentile(0.99).as_secs_f64() * 1e3);
    }
    figures.fact(endpoint.names.bytes, answer.body.len());
    bare.stop().await
}

/// An endpoint, and what its figures are called.
pub(super) struct Endpoint {
    request: Request,
    names: Names,
}

/// What the figures of an endpoint are called.
struct Names {
    rate: &'static str,
    bare_rate: &'static str,
    ratio: &'static str,
    cost: &'static str,
    cost_ratio: &'static str,
    p99: &'static str,
    bytes: &'static str,
}
