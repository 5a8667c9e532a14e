//! Who sends a command and why: what goes into the metadata of its events, and how it may be repeated.

use std::collections::HashMap;

use offshoot_aggregates::{Actor, Metadata, Version};
use uuid::Uuid;

/// Who sends a command, and on whose behalf.
#[derive(Clone, Debug)]
pub struct CommandContext {
    /// What stands beside the events.
    pub metadata: Metadata,
    /// Whether the log shall remember the command, because its sender may repeat it.
    pub is_repeatable: bool,
    /// The version that the aggregate must be at, if the sender said so.
    pub expected_version: Option<Version>,
}

impl CommandContext {
    /// A command that nobody repeats, from an actor.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let command_id = Uuid::now_v7();
        let metadata = Metadata {
            actor,
            command_id,
            correlation_id: command_id,
            causation_id: None,
            request_id: None,
            remote_address: None,
            clone_mode_reason: None,
        };
        Self { metadata, is_repeatable: false, expected_version: None }
    }

    /// A command that its sender may repeat: `command_id` says which command it is.
    #[must_use]
    pub fn repeatable(actor: Actor, command_id: Uuid) -> Self {
        let mut context = Self::new(actor);
        context.metadata.command_id = command_id;
        context.metadata.correlation_id = command_id;
        context.is_repeatable = true;
        context
    }

    /// The context of one step of a command that takes several appends: repeating the command repeats the same step.
    #[must_use]
    pub fn step(&self, name: &str) -> Self {
        let mut step = self.clone();
        step.metadata.command_id = self.derived_uuid(name);
        step.metadata.causation_id = Some(self.metadata.command_id.to_string());
        step.expected_version = None;
        step
    }

    /// A UUID that the command always gives to the thing it creates under this name, however often it is repeated.
    #[must_use]
    pub fn derived_uuid(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.metadata.command_id, name.as_bytes())
    }

    /// The metadata as it goes into the log.
    #[must_use]
    pub fn to_map(&self) -> HashMap<String, String> {
        self.metadata.to_map()
    }
}
