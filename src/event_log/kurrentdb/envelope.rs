//! An event of the log as KurrentDB holds it, and back.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use bytes::Bytes;
use eventstore::EventData;
use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::naming::Names;
use crate::event_log::{Append, ReadError};

/// What stands beside an event, as its metadata in KurrentDB.
#[derive(Serialize, Deserialize)]
struct Envelope<'e> {
    /// By this name KurrentDB's own projections find what belongs together.
    #[serde(rename = "$correlationId", skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    event_version: String,
    /// The version of the last event that was recorded together with this one.
    last_version: u64,
    /// The command, if the log remembers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Uuid>,
    #[serde(borrow)]
    metadata: &'e RawValue,
}

/// An append as the server takes it.
pub(super) struct Parcel {
    pub(super) stream: String,
    pub(super) expected: Version,
    pub(super) events: Vec<EventData>,
    pub(super) ids: Vec<Uuid>,
    /// Bytes of payload and metadata, as the log counts them.
    pub(super) bytes: usize,
    /// Bytes as the server counts them against its limit.
    pub(super) size: usize,
}

/// An event of the log, and what only the store knows of it.
pub(super) struct Opened {
    pub(super) event: RecordedEvent,
    pub(super) id: Uuid,
    pub(super) command: Option<Uuid>,
    pub(super) last_version: Version,
}

impl Parcel {
    /// Packs an append. The same append of a command has the same event ids whoever sends it again: the server recognises them.
    /// Another append, and be it one of the same command that decided something else, has others.
    pub(super) fn new(names: &Names, append: &Append) -> serde_json::Result<Self> {
        let sorted: BTreeMap<_, _> = append.metadata.iter().collect();
        // In the order of the keys: the same metadata always gives the same text.
        let metadata = serde_json::value::to_raw_value(&sorted)?;
        let origin = append.command.unwrap_or_else(Uuid::now_v7);
        let last_version = append.expected.plus(append.events.len() as u64);
        let stream = names.stream(&append.stream);
        let mut parcel = Self {
            ids: Vec::with_capacity(append.events.len()),
            events: Vec::with_capacity(append.events.len()),
            expected: append.expected,
            stream,
            bytes: 0,
            size: 0,
        };
        for (event, index) in append.events.iter().zip(0_u64..) {
            let envelope = serde_json::to_vec(&Envelope {
                correlation_id: append.metadata.get("correlation_id").cloned(),
                event_version: event.event_version.to_owned(),
                last_version: last_version.0,
                command: append.command,
                metadata: &metadata,
            })?;
            let place = format!("{} {} {index} {}", parcel.stream, append.expected, event.event_type);
            let what = [place.as_bytes(), event.payload.as_bytes(), &envelope].join(&b'\n');
            let id = Uuid::new_v5(&origin, &what);
            parcel.bytes += event.payload.len() + metadata.get().len();
            parcel.size += event.payload.len() + envelope.len() + 2 * event.event_type.len();
            parcel.ids.push(id);
            let payload = serde_json::from_str::<&RawValue>(&event.payload)?;
            let data = EventData::json(event.event_type, &payload)?.id(id).metadata(Bytes::from(envelope));
            parcel.events.push(data);
        }
        Ok(parcel)
    }
}

/// Opens an event of the log.
pub(super) fn open(names: &Names, recorded: &eventstore::RecordedEvent) -> Result<Opened, ReadError> {
    check_position(recorded)?;
    let position = Position(recorded.position.commit);
    let damaged = |detail: String| ReadError::Damaged { position, detail };
    let envelope: Envelope<'_> =
        serde_json::from_slice(&recorded.custom_metadata).map_err(|error| damaged(error.to_string()))?;
    let payload = std::str::from_utf8(&recorded.data).map_err(|error| damaged(error.to_string()))?;
    let event = RecordedEvent {
        position,
        stream: names.parse_stream(&recorded.stream_id).map_err(damaged)?,
        version: Version(recorded.revision + 1),
        event_type: recorded.event_type.clone(),
        event_version: envelope.event_version,
        recorded_at: created(&recorded.metadata).ok_or_else(|| damaged("it has no time".to_owned()))?,
        payload: payload.into(),
        metadata: envelope.metadata.get().into(),
        decoded: OnceLock::new(),
    };
    let last_version = Version(envelope.last_version);
    Ok(Opened { event, id: recorded.id, command: envelope.command, last_version })
}

/// An event's place in the whole log is one number only if it is its own commit, as all that is recorded through this protocol.
fn check_position(recorded: &eventstore::RecordedEvent) -> Result<(), ReadError> {
    let position = recorded.position;
    if position.commit > i64::MAX as u64 {
        let detail =
            "this KurrentDB does not say where in the log the events of a stream are: use a later one".to_owned();
        return Err(ReadError::Unavailable(detail));
    }
    if position.commit != position.prepare {
        let detail = "it was not recorded by Offshoot".to_owned();
        return Err(ReadError::Damaged { position: Position(position.commit), detail });
    }
    Ok(())
}

/// When the server took an event: in steps of 100 ns since 1970.
pub(super) fn created(metadata: &HashMap<String, String>) -> Option<Timestamp> {
    let ticks: i64 = metadata.get("created")?.parse().ok()?;
    Timestamp::from_microsecond(ticks / 10).ok()
}
