//! Segments that ask for flags (`$.flags.NAME.enabled`), which may depend on segments that ask for flags.
//!
//! Such a flag is resolved when a condition first reads it. One that depends on itself stays unresolved: it has no value for
//! conditions, and a segment that came upon it matches nobody. All this is Flagsmith's, in its order: segments by id. What
//! Flagsmith does not have is an end to the work: see [`CYCLIC_CHECKS_MAX`] and [`DEPENDENCY_DEPTH_MAX`].

use std::collections::{HashMap, HashSet};

use offshoot_aggregates::ids::FeatureId;

use super::evaluation::{Reason, StateSource};
use super::evaluator::{Choice, Evaluator};
use super::feature::CompiledFeature;

/// How often one evaluation checks each segment where flags depend on each other: once by itself, once for a flag.
const CHECKS_PER_SEGMENT: usize = 2;

/// Checks of segments in one evaluation beyond those. Flags that depend on each other in many cycles would be followed along
/// every path there is, which are as many as the factorial of their number.
const CYCLIC_CHECKS_MAX: usize = 1_000;

/// Flags that depend one on the next. Each takes some stack.
const DEPENDENCY_DEPTH_MAX: usize = 100;

/// What is known of flags that conditions asked for.
#[derive(Debug)]
pub(super) struct FlagDependencies<'e> {
    resolved: HashMap<FeatureId, Choice<'e>>,
    /// Flags that depend on themselves.
    cyclic: HashSet<FeatureId>,
    /// The flags that are being resolved, each for the one before.
    resolving: Vec<FeatureId>,
    /// By the segment's index. Only verdicts that met no cycle are kept.
    memberships: HashMap<usize, bool>,
    /// How often a cycle was cut. A segment whose check raised it rests on a flag without a value.
    cuts: usize,
    checks_left: usize,
}

impl<'e> FlagDependencies<'e> {
    pub(super) fn new(segments: usize) -> Self {
        Self {
            resolved: HashMap::new(),
            cyclic: HashSet::new(),
            resolving: Vec::new(),
            memberships: HashMap::new(),
            cuts: 0,
            checks_left: CHECKS_PER_SEGMENT * segments + CYCLIC_CHECKS_MAX,
        }
    }

    pub(super) fn resolved(&self, feature: FeatureId) -> Option<Choice<'e>> {
        self.resolved.get(&feature).copied()
    }

    pub(super) fn is_cyclic(&self, feature: FeatureId) -> bool {
        self.cyclic.contains(&feature)
    }

    /// Gives up the flag: all that are being resolved since it was first asked for are a cycle.
    fn cut(&mut self, start: usize) {
        self.cyclic.extend(&self.resolving[start..]);
        self.cuts += 1;
    }
}

impl<'e, A> Evaluator<'e, A> {
    /// Checks all segments, in order of their ids.
    pub(super) fn check_segments_with_dependencies(&mut self) {
        for index in 0..self.environment.segments.len() {
            let is_in = self.is_in_segment_without_cycle(index);
            self.memberships[index] = Some(is_in);
        }
    }

    /// Finds out what the flag is, if that is not known; it may turn out to depend on itself.
    pub(super) fn resolve_flag(&mut self, name: &str) {
        let Some(feature) = self.environment.feature_named(name) else { return };
        let id = feature.id();
        let Some(dependencies) = self.dependencies.as_deref_mut() else { return };
        if dependencies.resolved.contains_key(&id) {
            return;
        }
        if let Some(start) = dependencies.resolving.iter().position(|other| *other == id) {
            return dependencies.cut(start);
        }
        if dependencies.resolving.len() == DEPENDENCY_DEPTH_MAX || dependencies.checks_left == 0 {
            return dependencies.cut(0);
        }
        dependencies.resolving.push(id);
        let choice = self.choose_state_with_dependencies(feature);
        let Some(dependencies) = self.dependencies.as_deref_mut() else { return };
        dependencies.resolving.pop();
        if !dependencies.is_cyclic(id) {
            dependencies.resolved.insert(id, choice);
        }
    }

    /// Asks for all segments for which the feature has overrides, also where the first one would decide: each may show
    /// that the feature depends on itself.
    fn choose_state_with_dependencies(&mut self, feature: &'e CompiledFeature<A>) -> Choice<'e> {
        let mut overrides: Vec<_> = feature
            .overrides()
            .iter()
            .enumerate()
            .filter_map(|(index, over)| Some((self.environment.segment_index(over.link.segment)?, index)))
            .collect();
        overrides.sort_unstable();
        // Overrides stand in the order of precedence, so that with the lowest index wins.
        let mut best: Option<(usize, usize)> = None;
        for (segment, index) in overrides {
            if self.is_in_segment_resolved(segment) && best.is_none_or(|(_, other)| index < other) {
                best = Some((segment, index));
            }
        }
        if let Some(state) = self.identity_override(feature) {
            return (StateSource::IdentityOverride, state, Reason::IdentityOverride);
        }
        best.map_or_else(
            || self.default_choice(feature),
            |(segment, index)| self.override_choice(feature, segment, index),
        )
    }

    fn is_in_segment_resolved(&mut self, index: usize) -> bool {
        let known = self.dependencies.as_ref().and_then(|dependencies| dependencies.memberships.get(&index));
        if let Some(known) = known {
            return *known;
        }
        let cuts = self.cuts();
        let is_in = self.is_in_segment_without_cycle(index);
        if let Some(dependencies) = self.dependencies.as_deref_mut()
            && dependencies.cuts == cuts
        {
            dependencies.memberships.insert(index, is_in);
        }
        is_in
    }

    /// A verdict that rests on a flag without a value is no.
    fn is_in_segment_without_cycle(&mut self, index: usize) -> bool {
        if let Some(dependencies) = self.dependencies.as_deref_mut() {
            dependencies.checks_left = dependencies.checks_left.saturating_sub(1);
        }
        let cuts = self.cuts();
        let is_in = self.check_segment(index);
        is_in && self.cuts() == cuts
    }

    fn cuts(&self) -> usize {
        self.dependencies.as_ref().map_or(0, |dependencies| dependencies.cuts)
    }
}
