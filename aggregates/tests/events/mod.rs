//! Events as the log holds them: written once, readable for ever.

mod decoding;
mod names;
mod outline;
mod round_trip;
mod samples;

use std::sync::OnceLock;

use jiff::Timestamp;
use offshoot_aggregates::event::EVENT_VERSION;
use offshoot_aggregates::{Category, Event, Position, RecordedEvent, StreamId, Version};
use serde_json::Value;

use crate::support::uuid;

/// An event as the log would hold it.
fn recorded(category: Category, event_type: &str, payload: &str) -> RecordedEvent {
    RecordedEvent {
        position: Position(1),
        stream: StreamId::new(category, uuid(1)),
        version: Version(1),
        event_type: event_type.to_owned(),
        event_version: EVENT_VERSION.to_owned(),
        recorded_at: Timestamp::UNIX_EPOCH,
        payload: payload.into(),
        metadata: "{}".into(),
        decoded: OnceLock::new(),
    }
}

/// An event as JSON.
fn to_json(event: &Event) -> Value {
    match event {
        Event::Organisation(event) => serde_json::to_value(event),
        Event::Project(event) => serde_json::to_value(event),
        Event::Environment(event) => serde_json::to_value(event),
        Event::IdAllocator(event) => serde_json::to_value(event),
    }
    .unwrap()
}
