//! `offshoot bench clone`: how long the call takes, and how long it is until every read model shows the whole clone.

use std::time::Instant;

use clap::{Args, ValueEnum};
use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::{Event, Position};
use serde_json::json;

use super::CliError;
use super::clone_over_http::measure_memory;
use super::figures::Figures;
use super::insert_select::InsertSelect;
use super::process::{machine, memory_mib, peak_memory_mib, processor_seconds, reset_peak_memory};
use super::setup::{Place, Setup, WAIT};
use crate::cli::sample_project::sample_states;

/// What to clone, and how often.
#[derive(Debug, Args)]
pub struct CloneBench {
    /// How many features the source has; it has 5 % more states.
    #[arg(long, default_value_t = 10_000)]
    features: usize,

    /// Whether the call waits for the copy.
    #[arg(long, value_enum, default_value_t = Mode::Async)]
    mode: Mode,

    /// How often to clone.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    #[command(flatten)]
    place: Place,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Async,
    Sync,
}

/// Measures it.
pub async fn run(config: CloneBench) -> Result<(), CliError> {
    let setup = Setup::start(&config.place).await?;
    let source = setup.import(config.features).await?;
    let import_peak = peak_memory_mib();
    // The import is no part of a server that clones: the one that is measured has found the source in its log.
    let setup = setup.stop().await.start().await?;
    let states = sample_states(config.features);
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("mode", if config.mode == Mode::Async { "async" } else { "sync" });
    figures.fact("feature_states", states);
    // Once without counting, so that nothing is measured that happens only once.
    clone_once(&setup, &source.api_key, "warm-up", config.mode, states, &mut Figures::default()).await?;
    if let Some(memory) = memory_mib() {
        figures.add("memory with the source and one clone, at rest", "MiB", memory);
    }
    reset_peak_memory();
    let mut plain = InsertSelect::prepare(&setup, config.place.store(), source.id).await?;
    for run in 1..=config.repeat {
        let visible =
            clone_once(&setup, &source.api_key, &format!("clone {run}"), config.mode, states, &mut figures).await?;
        if let Some(plain) = &mut plain {
            let took = plain.run().await?;
            figures.add("a plain INSERT ... SELECT of the same rows", "ms", took * 1e3);
            figures.add("the clone, as many times as long as that", "1", visible / took);
        }
    }
    if let Some(plain) = plain {
        plain.finish().await?;
    }
    if let Some(peak) = peak_memory_mib() {
        figures.add("peak memory while it clones", "MiB", peak);
    }
    if let Some(peak) = import_peak {
        figures.add("peak memory of the import before", "MiB", peak);
    }
    let data = setup.stop().await;
    if config.place.store().is_none() {
        measure_memory(&data, &source.api_key, &mut figures).await?;
    }
    figures.print(config.json);
    Ok(())
}

/// Answers after how many seconds it was complete and visible.
async fn clone_once(
    setup: &Setup,
    source: &str,
    name: &str,
    mode: Mode,
    states: usize,
    figures: &mut Figures,
) -> Result<f64, CliError> {
    let node = setup.server.node();
    let before = node.commands.log().written();
    let head = node.commands.log().head().await?;
    let body = json!({ "name": name, "clone_feature_states_async": mode == Mode::Async });
    let processor = processor_seconds();
    let started = Instant::now();
    let clone = setup.api.post(&format!("environments/{source}/clone/"), &body).await?;
    let answered = started.elapsed().as_secs_f64();
    let completed = completion(setup, head).await?;
    if !node.read_models.wait_for(completed, WAIT).await {
        return Err("the read models do not follow".into());
    }
    let visible = started.elapsed().as_secs_f64();
    check(setup, &clone, states).await?;
    let written = node.commands.log().written();
    let states = f64::from(u32::try_from(states)?);
    figures.add("answer of the call", "ms", answered * 1e3);
    figures.add("complete and visible", "ms", visible * 1e3);
    figures.add("feature states", "1/s", states / visible);
    if let (Some(before), Some(after)) = (processor, processor_seconds()) {
        figures.add("processor time of a state", "us", (after - before) / states * 1e6);
    }
    figures.add("bytes appended", "MiB", to_f64(written.bytes - before.bytes) / f64::from(1 << 20));
    figures.add("commits of the log, each a disk sync", "1", to_f64(written.syncs - before.syncs));
    Ok(visible)
}

/// The position of the first `CloneCompleted` after a position.
async fn completion(setup: &Setup, after: Position) -> Result<Position, CliError> {
    let feed = &setup.server.node().feed;
    let (mut position, mut hint) = (after, feed.hint());
    loop {
        for event in feed.wait_after(position, &mut hint).await? {
            position = event.position;
            let is_end = matches!(event.event_type.as_str(), "CloneCompleted" | "CloneFailed");
            if is_end && let Ok(Event::Environment(end)) = event.event() {
                return match end {
                    EnvironmentEvent::CloneCompleted { .. } => Ok(position),
                    end => Err(format!("the clone did not complete: {end:?}").into()),
                };
            }
        }
    }
}

/// The clone must be there as a whole, or the time means nothing.
async fn check(setup: &Setup, clone: &serde_json::Value, states: usize) -> Result<(), CliError> {
    let key = clone["api_key"].as_str().ok_or("the answer has no key")?;
    let environment = setup.api.get(&format!("environments/{key}/")).await?;
    if environment["is_creating"] != false {
        return Err("the clone is still being created".into());
    }
    let path = format!("features/featurestates/?environment={}&page_size=1", clone["id"]);
    let count = setup.api.get(&path).await?["count"].as_u64();
    if count != Some(states as u64) {
        return Err(format!("the clone has {count:?} feature states, not {states}").into());
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "figures are for people")]
fn to_f64(number: u64) -> f64 {
    number as f64
}
