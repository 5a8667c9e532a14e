//! The id allocator: the next free id of each kind.

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

use super::{IdAllocatorCommand, IdAllocatorError, IdAllocatorEvent, IdKind};
use crate::stream::Category;

/// The next free id of each kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdAllocator {
    next: BTreeMap<IdKind, i64>,
}

impl IdAllocator {
    /// The first id that the next block of `kind` will have.
    #[must_use]
    pub fn next(&self, kind: IdKind) -> i64 {
        self.next.get(&kind).copied().unwrap_or(1)
    }

    fn decide(&self, command: &IdAllocatorCommand) -> Result<IdAllocatorEvent, IdAllocatorError> {
        let IdAllocatorCommand::ReserveIds { kind, count } = *command;
        if count == 0 {
            return Err(IdAllocatorError::EmptyBlock);
        }
        let first = self.next(kind);
        first.checked_add_unsigned(count).ok_or(IdAllocatorError::Exhausted)?;
        Ok(IdAllocatorEvent::IdsReserved { kind, first, count })
    }
}

impl Aggregate for IdAllocator {
    const TYPE: &'static str = Category::IdAllocator.as_str();
    type Command = IdAllocatorCommand;
    type Event = IdAllocatorEvent;
    type Error = IdAllocatorError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let event = self.decide(&command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        let IdAllocatorEvent::IdsReserved { kind, first, count } = event;
        self.next.insert(kind, first.saturating_add_unsigned(count));
    }
}
