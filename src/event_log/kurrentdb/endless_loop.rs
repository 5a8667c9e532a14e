//! Breaks a loop of the client that would never end.
//!
//! If the server ends a subscription in good order, `eventstore` 4.0.0 reads the end over and over, without ever giving way: the
//! task cannot be stopped and keeps a processor busy for ever. All it does meanwhile is to write a line to the log, each time. So
//! the task logs to [`Tripwire`], which takes the first such line as what it is, and ends the task.

use std::panic::resume_unwind;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Where the loop is.
const TARGET: &str = "eventstore::commands";

/// What it says.
const LINE: &str = "Received an unknown subscription message";

/// A log that nothing is written to, which ends a task that is in the loop.
#[derive(Debug)]
pub(super) struct Tripwire;

/// Why the task ended.
struct SubscriptionEnded;

impl Subscriber for Tripwire {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == TARGET && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut is_loop = false;
        event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            is_loop |= format!("{value:?}") == LINE;
        });
        if is_loop {
            // Not a panic, of which people would be told: the runtime takes it as the end of the task.
            resume_unwind(Box::new(SubscriptionEnded));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
