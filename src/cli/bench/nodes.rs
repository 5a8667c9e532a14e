//! `offshoot bench nodes`: several nodes on one store. How many commands and reads there are per second with one node, with two
//! and so on, and how far the others are behind the one that writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use offshoot_aggregates::Position;
use offshoot_aggregates::ids::FeatureId;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::CliError;
use super::append::{change, commands_per_second, environments};
use super::figures::{Figures, percentile};
use super::flags::load::{Load, Request, run as run_load};
use super::process::machine;
use super::setup::{Place, Setup};
use crate::read_models::ReadModel;

/// Clients of each node that send commands, and connections that read.
const CLIENTS: usize = 16;

/// How many nodes, and for how long.
#[derive(Debug, Args)]
pub struct NodesBench {
    /// So many nodes at most; each has read models of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,

    /// Seconds of each run.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// Commands per second of one node while others follow and are read.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,

    #[command(flatten)]
    place: Place,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What the commands change.
struct Subject {
    /// One for each client of each node.
    environments: Vec<Uuid>,
    feature: FeatureId,
    /// The key of the first environment.
    key: String,
}

/// Measures it.
pub async fn run(config: NodesBench) -> Result<(), CliError> {
    let mut nodes = vec![Setup::start(&config.place).await?];
    if config.nodes > 1 && !nodes[0].server.node().commands.log().is_shared() {
        return Err("only one node can work with this store: give another one with --store, or --nodes 1".into());
    }
    let subject = subject(&nodes[0], usize::from(config.nodes)).await?;
    let mut figures = Figures::default();
    figures.fact("machine", machine());
    figures.fact("clients of each node", CLIENTS);
    figures.fact("commands per second while others follow", config.rate);
    for count in 1..=usize::from(config.nodes) {
        if count > 1 {
            nodes.push(nodes[0].start_another().await?);
        }
        for node in &nodes {
            node.settle().await?;
        }
        let rate = commands(&nodes, &subject, Duration::from_secs(config.seconds)).await?;
        figures.add(format!("{count} nodes: commands"), "1/s", rate);
        for node in &nodes {
            node.settle().await?;
        }
        measure_following(&nodes, &subject, &config, &mut figures).await?;
    }
    figures.print(config.json);
    for node in nodes {
        node.finish().await;
    }
    Ok(())
}

async fn subject(node: &Setup, nodes: usize) -> Result<Subject, CliError> {
    let source = node.import(100).await?;
    let commands = &node.server.node().commands;
    let (project, _) = commands.load_environment(source.uuid).await?.aggregate.project().ok_or("no project")?;
    let feature = commands.load_project(project).await?.aggregate.features().keys().next().copied();
    let environments = environments(commands, project, nodes * CLIENTS).await?;
    Ok(Subject { environments, feature: feature.ok_or("the project has no features")?, key: source.api_key })
}

/// Commands of all nodes together, per second, as fast as they are taken.
async fn commands(nodes: &[Setup], subject: &Subject, time: Duration) -> Result<f64, CliError> {
    let of_node = |(node, environments): (&Setup, &[Uuid])| {
        let (commands, environments, feature) =
            (node.server.node().commands.clone(), environments.to_vec(), subject.feature);
        tokio::spawn(async move { commands_per_second(&commands, &environments, feature, time).await })
    };
    let running: Vec<_> = nodes.iter().zip(subject.environments.chunks(CLIENTS)).map(of_node).collect();
    let mut rate = 0.0;
    for node in running {
        rate += node.await??;
    }
    Ok(rate)
}

/// While the first node takes commands at a rate: how long until the last one shows each, and how many reads it answers.
async fn measure_following(
    nodes: &[Setup],
    subject: &Subject,
    config: &NodesBench,
    figures: &mut Figures,
) -> Result<(), CliError> {
    let count = nodes.len();
    let (first, Some(last)) = (&nodes[0], nodes.last()) else { return Ok(()) };
    let time = Duration::from_secs(config.seconds);
    if count > 1 {
        let lags = lags(first, last, subject, config.rate, time).await?;
        for (name, part) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
            let name = format!("{count} nodes: from the answer until the last node shows it, {name}");
            figures.add(name, "ms", percentile(&lags, part).as_secs_f64() * 1e3);
        }
    }
    let request = Request {
        method: "GET",
        path: format!("/api/v1/environments/{}/featurestates/?page_size=10", subject.key),
        headers: format!("Authorization: Api-Key {}\r\n", last.key()),
        body: String::new(),
    };
    let load = Load { time, connections: 8 };
    let (written, read) =
        tokio::join!(send(first, subject, config.rate, time), run_load(last.server.address(), &request, &load));
    written?;
    let read = read?;
    figures.add(format!("{count} nodes: reads of the last one meanwhile"), "1/s", read.per_second());
    let p99 = read.percentile(0.99).as_secs_f64() * 1e3;
    figures.add(format!("{count} nodes: reads of the last one meanwhile, p99"), "ms", p99);
    Ok(())
}

/// Sends commands at a rate, whether those before were answered or not. Answers at which moment each was, and where it is.
async fn send(
    node: &Setup,
    subject: &Subject,
    rate: u32,
    time: Duration,
) -> Result<Vec<(Instant, Position)>, CliError> {
    let (sent, mut answered) = mpsc::unbounded_channel();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    let mut number = 0;
    while started.elapsed() < time {
        ticks.tick().await;
        let environment = subject.environments[number % CLIENTS];
        let (commands, feature, sent) = (node.server.node().commands.clone(), subject.feature, sent.clone());
        let value = format!("{started:?} {number}");
        tokio::spawn(async move {
            let position = change(&commands, environment, feature, &value).await;
            let _ = sent.send(position.map(|position| (Instant::now(), position)));
        });
        number += 1;
    }
    drop(sent);
    let mut all = Vec::with_capacity(number);
    while let Some(one) = answered.recv().await {
        all.push(one?);
    }
    Ok(all)
}

/// How long after its answer each command of the one node was shown by the other, where nobody asks that one to hurry.
async fn lags(
    writer: &Setup,
    reader: &Setup,
    subject: &Subject,
    rate: u32,
    time: Duration,
) -> Result<Vec<Duration>, CliError> {
    let end = CancellationToken::new();
    let watching = tokio::spawn(watch(reader.server.node().read_models.feature_states.clone(), end.clone()));
    let answered = send(writer, subject, rate, time).await?;
    reader.settle().await?;
    end.cancel();
    let shown = watching.await?;
    let lag = |(answered, position): (Instant, Position)| {
        let first = shown.partition_point(|(_, shown)| *shown < position);
        shown.get(first).map(|(seen, _)| seen.saturating_duration_since(answered))
    };
    answered.into_iter().map(|one| lag(one).ok_or_else(|| "a command was never shown".into())).collect()
}

/// Notes at which moments a read model moves, and to where, until told to stop.
async fn watch(read_model: Arc<ReadModel>, end: CancellationToken) -> Vec<(Instant, Position)> {
    let mut shown = Vec::new();
    let mut moved = read_model.watch();
    loop {
        let position = *moved.borrow_and_update();
        shown.push((Instant::now(), position));
        tokio::select! {
            () = end.cancelled() => return shown,
            _ = moved.changed() => {}
        }
    }
}
