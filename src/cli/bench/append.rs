//! `offshoot bench append`: commands of one event each, acknowledged on disk, per second; and one flag changed in a big
//! environment.

use std::time::{Duration, Instant};

use clap::Args;
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{EnvironmentSettings, FeatureValue, StateChange};
use offshoot_aggregates::ids::FeatureId;
use uuid::Uuid;

use super::CliError;
use super::figures::Figures;
use super::process::{machine, processor_seconds};
use super::setup::{Place, Setup};
use super::stock_persist::StockPersist;
use crate::commands::{CommandContext, Commands, NewEnvironmentOptions};

/// How long to measure.
#[derive(Debug, Args)]
pub struct AppendBench {
    /// Seconds of each run.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Runs of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Features of the environment in which one flag is changed at a time.
    #[arg(long, default_value_t = 100_000)]
    features: usize,

    #[command(flatten)]
    place: Place,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Measures it.
pub async fn run(config: AppendBench) -> Result<(), CliError> {
    let setup = Setup::start(&config.place).await?;
    let source = setup.import(config.features).await?;
    let commands = setup.server.node().commands.clone();
    let (project, _) = commands.load_environment(source.uuid).await?.aggregate.project().ok_or("no project")?;
    let feature = commands.load_project(project).await?.aggregate.features().keys().next().copied();
    let feature = feature.ok_or("the project has no features")?;
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("features of the big environment", config.features);
    let environments = environments(&commands, project, 16).await?;
    let time = Duration::from_secs(config.seconds);
    let stock = StockPersist::prepare(config.place.store(), 16).await?;
    for _ in 0..config.repeat {
        let same = vec![environments[0]; 16];
        let kinds: [(_, _, &[Uuid]); 3] = [
            ("1 client", "1 client, processor time of a command", &environments[..1]),
            ("16 clients", "16 clients, processor time of a command", &environments),
            ("16 clients, one environment", "16 clients, one environment, processor time of a command", &same),
        ];
        for (name, processor, clients) in kinds {
            let before = processor_seconds();
            let rate = commands_per_second(&commands, clients, feature, time).await?;
            let head = commands.log().head().await?;
            setup.server.node().read_models.wait_for(head, super::setup::WAIT).await;
            figures.add(name, "commands/s", rate);
            if let (Some(before), Some(after)) = (before, processor_seconds()) {
                figures.add(processor, "us", (after - before) / (rate * time.as_secs_f64()) * 1e6);
            }
        }
        if let Some(stock) = &stock {
            let rate = stock.run(16, time).await?;
            figures.add("16 clients, stock postgres-es, which decides nothing", "events/s", rate);
        }
        for number in 0..20 {
            let changed = one_change(&setup, source.uuid, feature, number).await?;
            figures.add("one flag of the big environment, until visible", "ms", changed.as_secs_f64() * 1e3);
        }
    }
    if let Some(stock) = stock {
        stock.finish().await?;
    }
    figures.print(config.json);
    setup.finish().await;
    Ok(())
}

/// An environment for each client, so that they do not wait for each other.
pub(super) async fn environments(commands: &Commands, project: Uuid, clients: usize) -> Result<Vec<Uuid>, CliError> {
    let mut environments = Vec::new();
    for number in 0..clients {
        let context = CommandContext::new(Actor::operator("bench"));
        let settings = EnvironmentSettings::named(format!("client {number}"));
        let options = NewEnvironmentOptions { settings, api_key: None, admin: None };
        environments.push(commands.create_environment(&context, project, options).await?.created.uuid);
    }
    Ok(environments)
}

pub(super) async fn commands_per_second(
    commands: &Commands,
    clients: &[Uuid],
    feature: FeatureId,
    time: Duration,
) -> Result<f64, CliError> {
    let started = Instant::now();
    let client = |(client, environment): (usize, &Uuid)| {
        let (commands, environment) = (commands.clone(), *environment);
        tokio::spawn(async move {
            let mut done = 0u32;
            while started.elapsed() < time {
                change(&commands, environment, feature, &format!("{client} {done}")).await?;
                done += 1;
            }
            Ok::<_, crate::commands::CommandError>(done)
        })
    };
    let running: Vec<_> = clients.iter().enumerate().map(client).collect();
    let mut done = 0.0;
    for client in running {
        done += f64::from(client.await??);
    }
    Ok(done / started.elapsed().as_secs_f64())
}

pub(super) async fn change(
    commands: &Commands,
    environment: Uuid,
    feature: FeatureId,
    value: &str,
) -> Result<offshoot_aggregates::Position, crate::commands::CommandError> {
    let context = CommandContext::new(Actor::operator("bench"));
    let change = StateChange { value: Some(FeatureValue::text(Some(value))), ..StateChange::default() };
    Ok(commands.set_feature_state(&context, environment, feature, change).await?.position)
}

/// Changes one flag and waits until the read model of the states shows it.
async fn one_change(setup: &Setup, environment: Uuid, feature: FeatureId, number: u32) -> Result<Duration, CliError> {
    let node = setup.server.node();
    // What the run before left to do is not measured.
    let head = node.commands.log().head().await?;
    node.read_models.wait_for(head, super::setup::WAIT).await;
    let started = Instant::now();
    let position = change(&node.commands, environment, feature, &format!("{:?} {number}", Instant::now())).await?;
    node.read_models.feature_states.reached(position).await;
    Ok(started.elapsed())
}
