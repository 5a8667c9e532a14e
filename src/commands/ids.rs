//! Gives out integer ids from blocks reserved on the id allocator's stream (the HiLo method): most ids cost no append.

use std::collections::HashMap;
use std::sync::Arc;

use offshoot_aggregates::Actor;
use offshoot_aggregates::id_allocator::{IdAllocator, IdAllocatorCommand, IdKind};
use tokio::sync::Mutex;

use super::aggregate_store::AggregateStore;
use super::context::CommandContext;
use super::dispatch::execute;
use super::error::{CommandError, Rejection};
use crate::event_log::EventLog;

/// Ids reserved at a time. What is left of a block is lost when the process ends, so that ids have holes.
const BLOCK_SIZE: u64 = 100;

/// The ids that this process has reserved and not given out.
pub struct IdBlocks {
    log: Arc<dyn EventLog>,
    allocator: Arc<AggregateStore<IdAllocator>>,
    blocks: Mutex<HashMap<IdKind, Block>>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    next: i64,
    left: u64,
}

impl IdBlocks {
    /// No ids yet.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, allocator: Arc<AggregateStore<IdAllocator>>) -> Self {
        Self { log, allocator, blocks: Mutex::default() }
    }

    /// The first of `count` consecutive ids that nobody else gets.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub async fn take(&self, kind: IdKind, count: u64) -> Result<i64, CommandError> {
        let [first] = self.take_each([(kind, count)]).await?;
        Ok(first)
    }

    /// The same of several kinds: what is too much for a block is reserved with one append for all of them.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub async fn take_each<const N: usize>(&self, wanted: [(IdKind, u64); N]) -> Result<[i64; N], CommandError> {
        let is_large = |&(_, count): &(IdKind, u64)| count >= BLOCK_SIZE;
        let mut reserved = self.reserve(wanted.iter().copied().filter(is_large).collect()).await?.into_iter();
        let mut firsts = [0; N];
        for (first, wanted) in firsts.iter_mut().zip(wanted) {
            let of_its_own = if is_large(&wanted) { reserved.next() } else { None };
            *first = match of_its_own {
                Some(first) => first,
                None => self.take_of_block(wanted).await?,
            };
        }
        Ok(firsts)
    }

    async fn take_of_block(&self, (kind, count): (IdKind, u64)) -> Result<i64, CommandError> {
        if count == 0 {
            return Ok(0);
        }
        let mut blocks = self.blocks.lock().await;
        let block = blocks.entry(kind).or_default();
        if block.left < count {
            let next = self.reserve(vec![(kind, BLOCK_SIZE)]).await?[0];
            // A block that follows the last one directly is a continuation of it.
            *block = if block.left > 0 && block.next.saturating_add_unsigned(block.left) == next {
                Block { left: block.left + BLOCK_SIZE, ..*block }
            } else {
                Block { next, left: BLOCK_SIZE }
            };
        }
        let first = block.next;
        *block = Block { next: first.saturating_add_unsigned(count), left: block.left - count };
        Ok(first)
    }

    /// One id that nobody else gets.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub async fn next(&self, kind: IdKind) -> Result<i64, CommandError> {
        self.take(kind, 1).await
    }

    /// The firsts of blocks, in order.
    async fn reserve(&self, blocks: Vec<(IdKind, u64)>) -> Result<Vec<i64>, CommandError> {
        if blocks.is_empty() {
            return Ok(Vec::new());
        }
        let mut context = CommandContext::new(Actor::system("id_allocator"));
        let command = IdAllocatorCommand::ReserveIds { blocks: blocks.clone() };
        // The blocks begin where the allocator's next ids were before the command: read under the version that it expects, or
        // another reservation has come between.
        loop {
            let before = self.allocator.snapshot("1").await?;
            let firsts = before.aggregate.firsts(&blocks)?;
            context.expected_version = Some(before.version);
            match execute(&self.log, &self.allocator, &context, "1", command.clone()).await {
                Ok(_) => return Ok(firsts),
                Err(CommandError::Rejected(Rejection::OtherVersion { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
