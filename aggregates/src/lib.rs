//! What Offshoot allows: commands become events. No I/O, no clock, no chance: ids and times come in with the command.
//!
//! One folder a concept (`organisation`, `project`, `environment`, `id_allocator`), each with its commands, its events,
//! its aggregate and its rejections. What the concepts share lies beside them.

pub mod command_names;
pub mod environment;
pub mod event;
pub mod id_allocator;
pub mod ids;
pub mod limits;
pub mod metadata;
pub mod names;
pub mod organisation;
pub mod percentages;
pub mod permissions;
pub mod project;
pub mod stream;
pub mod text;

pub use event::{DecodeError, Event, RecordedEvent};
pub use metadata::{Actor, ActorKind, Metadata};
pub use stream::{Category, Position, StreamId, Version};
