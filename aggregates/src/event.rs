//! An event as it stands in the log, and what it says once it is read.

use std::sync::OnceLock;

use cqrs_es::DomainEvent;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::environment::EnvironmentEvent;
use crate::id_allocator::IdAllocatorEvent;
use crate::metadata::Metadata;
use crate::organisation::OrganisationEvent;
use crate::project::ProjectEvent;
use crate::stream::{Category, Position, StreamId, Version};

/// The version of every event type so far. A new shape gets a new version, and an upcaster from each older one.
pub const EVENT_VERSION: &str = "1";

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something happened to an organisation.
    Organisation(OrganisationEvent),
    /// Something happened to a project.
    Project(ProjectEvent),
    /// Something happened to an environment.
    Environment(EnvironmentEvent),
    /// Ids were given out.
    IdAllocator(IdAllocatorEvent),
}

/// An event that is ours but cannot be read: to be parked and reported, never skipped in silence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event_type} version {event_version} cannot be read: {detail}")]
pub struct DecodeError {
    /// The event's type as the log names it.
    pub event_type: String,
    /// The event's version as the log names it.
    pub event_version: String,
    /// What the reader said.
    pub detail: String,
}

/// An event as the log holds it. What it says is read at most once, however many readers share it.
#[derive(Debug)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Its type, such as `FeatureStatesBatchCopied`.
    pub event_type: String,
    /// The version of the type's shape.
    pub event_version: String,
    /// When the log took it; never earlier than that of the event before.
    pub recorded_at: Timestamp,
    /// What it says, as JSON.
    pub payload: Box<str>,
    /// Who and what caused it, as JSON.
    pub metadata: Box<str>,
    /// What `payload` says, once someone has asked.
    pub decoded: OnceLock<Result<Event, DecodeError>>,
}

impl RecordedEvent {
    /// What the event says.
    ///
    /// # Errors
    /// [`DecodeError`] if this program does not know the type or version, or the payload is not of its shape.
    pub fn event(&self) -> Result<&Event, &DecodeError> {
        self.decoded.get_or_init(|| self.decode()).as_ref()
    }

    /// Who and what caused the event; `None` if it is unreadable.
    #[must_use]
    pub fn metadata(&self) -> Option<Metadata> {
        Metadata::from_map(&serde_json::from_str(&self.metadata).ok()?)
    }

    fn decode(&self) -> Result<Event, DecodeError> {
        match self.stream.category {
            Category::Organisation => self.decode_as().map(Event::Organisation),
            Category::Project => self.decode_as().map(Event::Project),
            Category::Environment => self.decode_as().map(Event::Environment),
            Category::IdAllocator => self.decode_as().map(Event::IdAllocator),
        }
    }

    /// What the event says, as an event of one kind of aggregate.
    ///
    /// # Errors
    /// As [`RecordedEvent::event`].
    pub fn decode_as<E: DomainEvent + DeserializeOwned>(&self) -> Result<E, DecodeError> {
        let event: E = self.read()?;
        if event.event_type() == self.event_type {
            Ok(event)
        } else {
            Err(self.decode_error(format!("the payload is that of {}", event.event_type())))
        }
    }

    /// Reads the payload, if this program knows the event's version.
    pub(crate) fn read<E: DeserializeOwned>(&self) -> Result<E, DecodeError> {
        if self.event_version != EVENT_VERSION {
            let detail = "this version of the program does not know that version of the event";
            return Err(self.decode_error(detail.to_owned()));
        }
        serde_json::from_str(&self.payload).map_err(|cause| self.decode_error(cause.to_string()))
    }

    pub(crate) fn decode_error(&self, detail: String) -> DecodeError {
        DecodeError { event_type: self.event_type.clone(), event_version: self.event_version.clone(), detail }
    }
}

/// Implements `DomainEvent` for an enum whose variants are its event types.
macro_rules! domain_event {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        impl $name {
            /// Every type that such an event can have.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($variant)),+];

            /// The event's type: the name of its variant.
            #[must_use]
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => stringify!($variant)),+ }
            }
        }

        impl cqrs_es::DomainEvent for $name {
            fn event_type(&self) -> String {
                self.type_name().to_owned()
            }

            fn event_version(&self) -> String {
                $crate::event::EVENT_VERSION.to_owned()
            }
        }
    };
}
pub(crate) use domain_event;

/// The settings `after`, which were made from `base`, made from `current` instead, setting by setting.
macro_rules! rebased {
    ($after:expr, $base:expr, $current:expr, $($setting:ident),+ $(,)?) => {
        Self {
            $($setting: if $after.$setting == $base.$setting { $current.$setting.clone() } else { $after.$setting }),+
        }
    };
}
pub(crate) use rebased;
