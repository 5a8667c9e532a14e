//! Contract: what becomes of appends whose connection breaks.

use std::collections::HashSet;
use std::sync::Arc;

use offshoot::event_log::{AppendError, EventLog};
use offshoot_aggregates::{Position, Version};
use tokio::task::{JoinSet, spawn_blocking};
use uuid::Uuid;

use super::{append_of, everything, new_stream};

/// Appends while `breaks` breaks connections: what was acknowledged is there once, what was refused is not there, and of what is
/// not known all is there or nothing.
pub(super) async fn append_while(nodes: &[Arc<dyn EventLog>], breaks: impl FnOnce() + Send + 'static) {
    const WRITERS: usize = 6;
    const APPENDS: usize = 60;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let log = nodes[writer % nodes.len()].clone();
        writers.spawn(async move {
            let (stream, mut told) = (new_stream(), Vec::new());
            for _ in 0..APPENDS {
                let payload = Uuid::new_v4().to_string();
                let mut append = append_of(&stream, 0, &[&payload, &payload]);
                append.expected = log.version_at(&stream, Position(u64::MAX)).await.unwrap_or(Version::NONE);
                append.command = (writer % 2 == 0).then(Uuid::new_v4);
                let outcome = log.append(append).await;
                told.push((format!("{{\"payload\":\"{payload}\"}}"), outcome));
            }
            told
        });
    }
    let breaks = spawn_blocking(breaks);
    let told: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    breaks.await.unwrap();

    let all = everything(&nodes[0]).await;
    let count = |payload: &str| all.iter().filter(|event| *event.payload == *payload).count();
    for (payload, outcome) in &told {
        let recorded = count(payload);
        match outcome {
            Ok(appended) => {
                assert_eq!(recorded, 2, "{outcome:?}");
                let last = all.iter().rfind(|event| *event.payload == **payload).unwrap();
                assert_eq!((last.position, last.version), (appended.position, appended.version));
            }
            Err(AppendError::Unknown(_)) => assert!([0, 2].contains(&recorded), "{recorded}"),
            // Its version was read while the log could not be reached.
            Err(AppendError::Unavailable(_) | AppendError::Conflict { .. }) => assert_eq!(recorded, 0, "{outcome:?}"),
            Err(AppendError::AlreadyDone(_) | AppendError::TooLarge { .. }) => panic!("{outcome:?}"),
        }
    }
    let acknowledged = told.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    assert!(acknowledged > told.len() / 2, "{acknowledged} of {}", told.len());
    let distinct: HashSet<_> = all.iter().map(|event| (&event.stream, event.version)).collect();
    assert_eq!(distinct.len(), all.len());
}
