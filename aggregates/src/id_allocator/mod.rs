//! Gives out blocks of integer ids (the HiLo method), so that every store can give them and no two nodes give the same.

mod aggregate;

use serde::{Deserialize, Serialize};

pub use aggregate::IdAllocator;

use crate::event::domain_event;

/// What an id is for; each kind counts from 1 by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it; see `ids`")]
pub enum IdKind {
    Organisation,
    Project,
    Environment,
    Feature,
    FeatureState,
    FeatureSegment,
    Segment,
    SegmentRule,
    SegmentCondition,
    MultivariateOption,
    ApiKey,
    ServerKey,
    Identity,
}

/// What the id allocator is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum IdAllocatorCommand {
    /// Set ids apart for the caller.
    ReserveIds {
        /// How many of which kind, one block after the other; at least 1 in each.
        blocks: Vec<(IdKind, u64)>,
    },
}

/// What happened to the id allocator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum IdAllocatorEvent {
    /// The ids `first .. first + count` of a kind belong to whoever sent the command.
    IdsReserved {
        /// Which ids.
        kind: IdKind,
        /// The first of them.
        first: i64,
        /// How many.
        count: u64,
    },
}

domain_event!(IdAllocatorEvent { IdsReserved });

/// Why ids were not given out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdAllocatorError {
    /// A block of nothing.
    #[error("a block has at least one id")]
    EmptyBlock,
    /// The ids of this kind are used up.
    #[error("there are no ids of this kind left")]
    Exhausted,
}
