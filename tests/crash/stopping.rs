//! A server that is told to stop, one that finds its data in use, and what was acknowledged before either ended.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use nix::sys::signal::Signal;
use offshoot_aggregates::Event;
use offshoot_aggregates::environment::EnvironmentEvent;

use crate::crash::api::{Api, Followed};
use crate::crash::killed_at_random::complete;
use crate::crash::verdict;
use crate::support::prepared::{Prepared, request_clones};
use crate::support::process::{Ended, ServerProcess, offshoot};

#[tokio::test]
async fn a_server_that_is_told_to_stop_does_so_in_good_order_and_goes_on_when_it_is_started_again() {
    let prepared = Prepared::new(5_000).await;
    let directory = prepared.copy();
    let names = ["One", "Two", "Three", "Four"];
    let clones = request_clones(directory.path(), &prepared.source, &names).await;
    let mut done = 0;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let server = ServerProcess::spawn(directory.path());
        let api = Api::at(server.address().expect("it serves"));
        // All clones take turns, so one more batch of any is one more of this.
        let look = |status: &serde_json::Value| match status["batches_copied"].as_u64() {
            Some(copied) if copied > done => {
                done = copied;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        let followed = api.follow(&clones[0].environment.api_key, clones[0].position, look).await;
        assert_eq!(followed, Followed::Enough);
        server.signal(signal);
        let ended = server.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(ended.stderr.lines().last().unwrap().contains("stopped"), "{ended:?}");
        // The log is in one piece: nothing is left to be recovered.
        let wal = std::fs::metadata(directory.path().join("events.sqlite-wal"));
        assert!(wal.map_or(true, |wal| wal.len() == 0));
    }
    let is_completed = |event: &Event| matches!(event, Event::Environment(EnvironmentEvent::CloneCompleted { .. }));
    let events = verdict::events_in(directory.path()).await;
    // The undisturbed one is complete.
    let completed = events.iter().filter(|recorded| is_completed(recorded.event().unwrap())).count() - 1;
    assert!(completed < clones.len(), "all clones were complete before the server was stopped");
    complete(directory.path(), &clones).await;
    verdict::check(directory.path(), &prepared, &clones).await;
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused_while_the_first_works_on() {
    let prepared = Prepared::new(5_000).await;
    let directory = prepared.copy();
    let clones = request_clones(directory.path(), &prepared.source, &["One"]).await;
    let first = ServerProcess::spawn(directory.path());
    let address = first.address().expect("it serves");
    let holder = format!("in use by another process (pid {})", first.id());
    let mut list = offshoot();
    list.args(["projections", "list", "--data-dir"]).arg(directory.path());
    for second in [ServerProcess::spawn(directory.path()).wait(), Ended::of(list)] {
        assert_eq!(second.status.code(), Some(1), "{second:?}");
        assert_eq!(second.stderr.lines().count(), 1, "{second:?}");
        assert!(second.stderr.contains(&holder), "{second:?}");
    }
    let clone = &clones[0];
    let api = Api::at(address);
    let followed = api.follow(&clone.environment.api_key, clone.position, |_| ControlFlow::Continue(())).await;
    assert_eq!(followed, Followed::Completed);
    assert!(first.terminate().status.success());
    verdict::check(directory.path(), &prepared, &clones).await;
}

/// Clients that ask for clones at the same time.
const CLIENTS: usize = 4;

/// Answers after which the server is stopped.
const ANSWERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_is_there_however_the_server_ended() {
    let prepared = Prepared::new(5).await;
    let directory = prepared.copy();
    let mut acknowledged = HashSet::new();
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGKILL] {
        acknowledged.extend(ask_until_stopped(directory.path(), &prepared, signal).await);
    }
    assert!(acknowledged.len() >= 3 * ANSWERS);
    let clones = verdict::clones_in(directory.path()).await;
    complete(directory.path(), &clones).await;
    verdict::check(directory.path(), &prepared, &clones).await;
    let recorded: HashSet<_> = clones.into_iter().map(|clone| clone.environment.name).collect();
    assert!(acknowledged.is_subset(&recorded), "{:?}", acknowledged.difference(&recorded));
}

/// Starts the server, lets clients ask for clones without end, and stops it in their midst. The names of the clones that
/// were acknowledged.
async fn ask_until_stopped(directory: &Path, prepared: &Prepared, signal: Signal) -> Vec<String> {
    let server = ServerProcess::spawn(directory);
    let address = server.address().expect("it serves");
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    for client in 0..CLIENTS {
        let (answers, source, id) = (answers.clone(), prepared.source.api_key.clone(), server.id());
        tokio::spawn(async move {
            let api = Api::at(address);
            for number in 0.. {
                let name = format!("{id}-{client}-{number}");
                let Ok(answer) = api.clone_async(&source, &name, &name).await else { return };
                // A server that stops says so.
                assert!([200, 503].contains(&answer.status), "{answer:?}");
                if answer.status == 200 {
                    answers.send(name).unwrap();
                }
            }
        });
    }
    drop(answers);
    let mut names = Vec::new();
    while let Some(name) = answered.recv().await {
        names.push(name);
        if names.len() == ANSWERS {
            server.signal(signal);
        }
    }
    let ended = server.wait();
    assert!(ended.was_killed() || (signal == Signal::SIGTERM && ended.status.success()), "{ended:?}");
    names
}
