//! Gives out integer ids from blocks reserved on the id allocator's stream (the HiLo method): most ids cost no append.

use std::collections::HashMap;
use std::sync::Arc;

use offshoot_aggregates::Actor;
use offshoot_aggregates::id_allocator::{IdAllocator, IdAllocatorCommand, IdKind};
use tokio::sync::Mutex;

use super::aggregate_store::AggregateStore;
use super::context::CommandContext;
use super::dispatch::execute;
use super::error::CommandError;
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
        if count == 0 {
            return Ok(0);
        }
        if count >= BLOCK_SIZE {
            return self.reserve(kind, count).await;
        }
        let mut blocks = self.blocks.lock().await;
        let block = blocks.entry(kind).or_default();
        if block.left < count {
            let next = self.reserve(kind, BLOCK_SIZE).await?;
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

    async fn reserve(&self, kind: IdKind, count: u64) -> Result<i64, CommandError> {
        let context = CommandContext::new(Actor::system("id_allocator"));
        let command = IdAllocatorCommand::ReserveIds { kind, count };
        // The block is the one that ends where the allocator's next begins once the command is done: read under the
        // same version, or another reservation has come between.
        loop {
            let before = self.allocator.snapshot("1").await?;
            let mut attempt = context.clone();
            attempt.expected_version = Some(before.version);
            match execute(&self.log, &self.allocator, &attempt, "1", command.clone()).await {
                Ok(_) => return Ok(before.aggregate.next(kind)),
                Err(CommandError::Rejected(super::error::Rejection::OtherVersion { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
