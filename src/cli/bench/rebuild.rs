//! `offshoot bench rebuild` and `offshoot bench start`: read models built anew, and a start on data that is there.

use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::CliError;
use super::figures::Figures;
use super::process::{machine, peak_memory_mib, processor_seconds, reset_peak_memory};
use super::setup::{Place, Setup, WAIT};
use crate::cli::sample_project::sample_states;

/// What to build anew, and how often.
#[derive(Debug, Args)]
pub struct RebuildBench {
    /// How many features the project has; its two environments have 5 % more states each.
    #[arg(long, default_value_t = 100_000)]
    features: usize,

    /// How often.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    #[command(flatten)]
    place: Place,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What to start on, and how often.
#[derive(Debug, Args)]
pub struct StartBench {
    #[command(flatten)]
    data: RebuildBench,
}

/// A project whose environment was cloned once.
async fn prepare(config: &RebuildBench) -> Result<Setup, CliError> {
    let setup = Setup::start(&config.place).await?;
    let source = setup.import(config.features).await?;
    let body = json!({ "name": "clone", "clone_feature_states_async": true });
    let clone = setup.api.post(&format!("environments/{}/clone/", source.api_key), &body).await?;
    let key = clone["api_key"].as_str().ok_or("the answer has no key")?.to_owned();
    // The stream of events ends when the clone is complete.
    setup.api.stream(&format!("environments/{key}/clone/events/")).await?.bytes().await?;
    Ok(setup)
}

/// Measures rebuilding.
pub async fn run(config: RebuildBench) -> Result<(), CliError> {
    let setup = prepare(&config).await?;
    let node = setup.server.node();
    let head = node.commands.log().head().await?;
    let states = 2.0 * f64::from(u32::try_from(sample_states(config.features))?);
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("feature_states", states);
    figures.fact("events", head.0);
    node.read_models.wait_for(head, WAIT).await;
    reset_peak_memory();
    for _ in 0..config.repeat {
        let (started, processor) = (Instant::now(), processor_seconds());
        let rebuilt = node.read_models.all().map(|read_model| read_model.request_rebuild());
        for mut rebuilt in rebuilt {
            rebuilt.changed().await?;
        }
        let took = started.elapsed().as_secs_f64();
        figures.add("rebuild of all read models", "s", took);
        figures.add("feature states", "1/s", states / took);
        if let (Some(before), Some(after)) = (processor, processor_seconds()) {
            figures.add("processor time of a state", "us", (after - before) / states * 1e6);
        }
        figures.add("events", "1/s", f64::from(u32::try_from(head.0)?) / took);
    }
    if let Some(peak) = peak_memory_mib() {
        figures.add("peak memory", "MiB", peak);
    }
    figures.print(config.json);
    setup.finish().await;
    Ok(())
}

/// Measures starting.
pub async fn run_start(config: StartBench) -> Result<(), CliError> {
    let config = config.data;
    let mut setup = prepare(&config).await?;
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("feature_states", 2 * sample_states(config.features));
    for _ in 0..config.repeat {
        let stopped = setup.stop().await;
        let ready = stopped.start_process().await?;
        figures.add("a new process, until it answers /health", "ms", ready.as_secs_f64() * 1e3);
        let started = Instant::now();
        setup = stopped.start().await?;
        setup.api.get("projects/").await?;
        figures.add("in this process, until the list of projects", "ms", started.elapsed().as_secs_f64() * 1e3);
    }
    figures.print(config.json);
    setup.finish().await;
    Ok(())
}
