//! A segment, ready to be asked who belongs to it.

use std::sync::Arc;

use offshoot_aggregates::ids::SegmentId;
use offshoot_aggregates::project::{Segment, SegmentRule, SegmentRuleType};

use super::condition::CompiledCondition;

/// A segment with its conditions compiled. All environments of a project can share it.
#[derive(Debug)]
pub struct CompiledSegment {
    pub(super) id: SegmentId,
    pub(super) name: Arc<str>,
    /// All must hold; without any nobody belongs to it.
    pub(super) rules: Box<[CompiledRule]>,
}

/// A rule: its conditions are joined by its type, and so are its rules; both must hold, and what is empty holds.
#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) rule_type: SegmentRuleType,
    pub(super) conditions: Box<[CompiledCondition]>,
    pub(super) rules: Box<[CompiledRule]>,
}

impl CompiledSegment {
    /// Compiles a segment; its patterns are what costs.
    #[must_use]
    pub fn new(segment: &Segment) -> Self {
        Self {
            id: segment.id,
            name: segment.name.as_str().into(),
            rules: segment.rules.iter().map(CompiledRule::new).collect(),
        }
    }

    /// The segment's id.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Whether one of its conditions asks for a flag.
    pub(super) fn asks_for_flags(&self) -> bool {
        self.rules.iter().any(CompiledRule::asks_for_flags)
    }
}

impl CompiledRule {
    fn new(rule: &SegmentRule) -> Self {
        Self {
            rule_type: rule.rule_type,
            conditions: rule.conditions.iter().map(CompiledCondition::new).collect(),
            rules: rule.rules.iter().map(Self::new).collect(),
        }
    }

    fn asks_for_flags(&self) -> bool {
        self.conditions.iter().any(CompiledCondition::asks_for_flag) || self.rules.iter().any(Self::asks_for_flags)
    }
}

/// Joins parts by a rule's type; no parts hold.
pub(super) fn join<'p, T>(rule_type: SegmentRuleType, parts: &'p [T], mut holds: impl FnMut(&'p T) -> bool) -> bool {
    parts.is_empty()
        || match rule_type {
            SegmentRuleType::All => parts.iter().all(&mut holds),
            SegmentRuleType::Any => parts.iter().any(&mut holds),
            SegmentRuleType::None => !parts.iter().any(&mut holds),
        }
}
