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

    /// Blocks one after the other, all of them or none.
    fn decide(&self, blocks: &[(IdKind, u64)]) -> Result<Vec<IdAllocatorEvent>, IdAllocatorError> {
        let mut then = self.clone();
        let reserve = |&(kind, count): &(IdKind, u64)| {
            if count == 0 {
                return Err(IdAllocatorError::EmptyBlock);
            }
            let first = then.next(kind);
            first.checked_add_unsigned(count).ok_or(IdAllocatorError::Exhausted)?;
            let event = IdAllocatorEvent::IdsReserved { kind, first, count };
            then.apply(event.clone());
            Ok(event)
        };
        blocks.iter().map(reserve).collect()
    }

    /// The first ids of blocks, were they reserved now.
    ///
    /// # Errors
    /// They cannot be reserved.
    pub fn firsts(&self, blocks: &[(IdKind, u64)]) -> Result<Vec<i64>, IdAllocatorError> {
        let first = |event| {
            let IdAllocatorEvent::IdsReserved { first, .. } = event;
            first
        };
        Ok(self.decide(blocks)?.into_iter().map(first).collect())
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
        let IdAllocatorCommand::ReserveIds { blocks } = command;
        for event in self.decide(&blocks)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        let IdAllocatorEvent::IdsReserved { kind, first, count } = event;
        self.next.insert(kind, first.saturating_add_unsigned(count));
    }
}
