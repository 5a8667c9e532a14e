//! The history checker: what each client sent and was told, against what is in the log.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::shared_store::LoggedEvent;

/// What a client was told of a change that it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was made, and is there.
    Acknowledged(Option<u64>),
    /// It was not made.
    Refused,
    /// Nothing, or that it is not known.
    Unknown,
}

/// A change that a client sent: a value that no other one has, for the one flag of its own environment.
#[derive(Debug)]
struct Sent {
    stream: String,
    value: String,
    told: Told,
}

/// What all clients did, in the order in which each was told.
#[derive(Default)]
pub struct History {
    sent: Mutex<Vec<Sent>>,
    has_ended: AtomicBool,
    is_stopped: AtomicBool,
}

impl History {
    /// Notes what became of a change. Of one that was repeated with its key, only the last answer counts.
    pub fn note(&self, stream: &str, value: &str, told: Told) {
        self.sent.lock().unwrap().push(Sent { stream: stream.to_owned(), value: value.to_owned(), told });
    }

    /// Notes that all that had to come about has.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Tells the clients to stop.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// What was acknowledged is in the log once, where the client was told and in the order in which it sent it; what was refused is
    /// not; what nobody knows is there at most once; and nothing else is.
    pub fn check(&self, log: &[LoggedEvent]) {
        let mut found: HashMap<(&str, &str), Vec<u64>> = HashMap::new();
        for event in log.iter().filter(|event| event.event_type == "FeatureStateChanged") {
            let value = event.content["after"]["value"]["string_value"].as_str().unwrap_or_default();
            found.entry((&event.stream, value)).or_default().push(event.position);
        }
        let sent = self.sent.lock().unwrap();
        let mut counts = [0; 3];
        let mut last: HashMap<&str, u64> = HashMap::new();
        for one in sent.iter() {
            let positions = found.remove(&(one.stream.as_str(), one.value.as_str())).unwrap_or_default();
            match one.told {
                Told::Acknowledged(position) => {
                    counts[0] += 1;
                    assert_eq!(positions.len(), 1, "{one:?} is at {positions:?}");
                    assert!(position.is_none_or(|position| position == positions[0]), "{one:?} is at {positions:?}");
                }
                Told::Refused => {
                    counts[1] += 1;
                    assert!(positions.is_empty(), "{one:?} is at {positions:?}");
                }
                Told::Unknown => {
                    counts[2] += 1;
                    assert!(positions.len() <= 1, "{one:?} is at {positions:?}");
                }
            }
            // Whoever waits for an answer before it sends the next has its changes in that order; one that nobody told of may be
            // recorded later than the next.
            if let (Told::Acknowledged(_), Some(position)) = (one.told, positions.first()) {
                let before = last.insert(&one.stream, *position);
                assert!(before < Some(*position), "{one:?} is at {position}, the one before at {before:?}");
            }
        }
        assert!(found.is_empty(), "nobody has sent {found:?}");
        println!("{} changes acknowledged, {} refused, {} unknown", counts[0], counts[1], counts[2]);
        assert!(counts[0] > 100, "so little was done that nothing is shown");
    }
}

/// Positions rise, and the versions of each stream have no holes and no doubles.
pub fn check_order(log: &[LoggedEvent]) {
    assert!(log.is_sorted_by(|one, next| one.position < next.position));
    let mut versions: HashMap<&str, u64> = HashMap::new();
    for event in log {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "{event:?}");
    }
}
