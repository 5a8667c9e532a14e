//! An environment, ready to be evaluated: features, segments and identity overrides in shared parts.

use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::project::Segment;

use super::context::Context;
use super::evaluator::Evaluator;
use super::feature::CompiledFeature;
use super::segment::CompiledSegment;

/// What conditions and hashes see of the environment itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentIdentity {
    /// The client key; identities are hashed as `<api_key>_<identifier>`.
    pub api_key: Arc<str>,
    /// The name.
    pub name: Arc<str>,
    /// Whether identities are hashed like that; if not, by their integer id where they have one.
    pub use_identity_composite_key_for_hashing: bool,
}

/// The states of the features that are overridden for one identity.
pub(super) type IdentityOverrides = OrdMap<FeatureId, Arc<FeatureState>>;

/// An environment, ready to be evaluated. A clone shares all its parts and costs next to nothing.
#[derive(Debug)]
pub struct CompiledEnvironment<A = ()> {
    pub(super) identity: EnvironmentIdentity,
    pub(super) features: OrdMap<FeatureId, Arc<CompiledFeature<A>>>,
    feature_names: HashMap<Box<str>, FeatureId>,
    /// In order of their ids.
    pub(super) segments: Arc<Vec<Arc<CompiledSegment>>>,
    pub(super) segments_ask_for_flags: bool,
    pub(super) identity_overrides: HashMap<Arc<str>, IdentityOverrides>,
    /// How many identity overrides each feature has; those without any are not in it.
    pub(super) overridden_identities: OrdMap<FeatureId, usize>,
}

impl<A> Clone for CompiledEnvironment<A> {
    fn clone(&self) -> Self {
        Self {
            identity: self.identity.clone(),
            features: self.features.clone(),
            feature_names: self.feature_names.clone(),
            segments: self.segments.clone(),
            segments_ask_for_flags: self.segments_ask_for_flags,
            identity_overrides: self.identity_overrides.clone(),
            overridden_identities: self.overridden_identities.clone(),
        }
    }
}

impl<A> CompiledEnvironment<A> {
    /// An environment without features and segments.
    #[must_use]
    pub fn new(identity: EnvironmentIdentity) -> Self {
        Self {
            identity,
            features: OrdMap::new(),
            feature_names: HashMap::new(),
            segments: Arc::default(),
            segments_ask_for_flags: false,
            identity_overrides: HashMap::new(),
            overridden_identities: OrdMap::new(),
        }
    }

    /// What conditions and hashes see of it.
    #[must_use]
    pub fn identity(&self) -> &EnvironmentIdentity {
        &self.identity
    }

    /// Takes another name or key, or hashes identities in the other way.
    pub fn set_identity(&mut self, identity: EnvironmentIdentity) {
        self.identity = identity;
    }

    /// Its features, in order of their ids.
    pub fn features(&self) -> impl ExactSizeIterator<Item = &Arc<CompiledFeature<A>>> {
        self.features.values()
    }

    /// The feature with this id.
    #[must_use]
    pub fn feature(&self, id: FeatureId) -> Option<&Arc<CompiledFeature<A>>> {
        self.features.get(&id)
    }

    /// The feature with exactly this name.
    #[must_use]
    pub fn feature_named(&self, name: &str) -> Option<&Arc<CompiledFeature<A>>> {
        self.feature_names.get(name).and_then(|id| self.features.get(id))
    }

    /// Takes a feature, in the place of the one with the same id if there is one.
    pub fn insert_feature(&mut self, feature: Arc<CompiledFeature<A>>) {
        let (id, name) = (feature.id(), feature.name().clone());
        let before = self.features.insert(id, feature);
        if before.as_ref().is_some_and(|before| *before.name() == name) {
            return;
        }
        if let Some(before) = before {
            self.forget_name(&before);
        }
        self.feature_names.insert(name.as_ref().into(), id);
    }

    /// Loses a feature with all its states, those for identities among them.
    pub fn remove_feature(&mut self, id: FeatureId) {
        if let Some(before) = self.features.remove(&id) {
            self.forget_name(&before);
        }
        if self.overridden_identities.remove(&id).is_some() {
            let overrides = std::mem::take(&mut self.identity_overrides);
            let others = overrides.into_iter().map(|(identifier, overrides)| (identifier, overrides.without(&id)));
            self.identity_overrides = others.filter(|(_, overrides)| !overrides.is_empty()).collect();
        }
    }

    fn forget_name(&mut self, feature: &CompiledFeature<A>) {
        if self.feature_names.get(feature.name().as_ref()) == Some(&feature.id()) {
            self.feature_names.remove(feature.name().as_ref());
        }
    }

    /// Compiles a segment and takes it, in the place of the one with the same id if there is one.
    pub fn insert_segment(&mut self, segment: &Segment) {
        self.insert_compiled_segment(Arc::new(CompiledSegment::new(segment)));
    }

    /// Takes a segment that may be shared with other environments.
    pub fn insert_compiled_segment(&mut self, compiled: Arc<CompiledSegment>) {
        let segments = Arc::make_mut(&mut self.segments);
        match segments.binary_search_by_key(&compiled.id(), |other| other.id()) {
            Ok(index) => segments[index] = compiled,
            Err(index) => segments.insert(index, compiled),
        }
        self.segments_ask_for_flags = segments.iter().any(|segment| segment.asks_for_flags());
    }

    /// Loses a segment. Overrides for it that features still have do not apply to anybody.
    pub fn remove_segment(&mut self, id: SegmentId) {
        let segments = Arc::make_mut(&mut self.segments);
        segments.retain(|segment| segment.id != id);
        self.segments_ask_for_flags = segments.iter().any(|segment| segment.asks_for_flags());
    }

    /// The segment with this id.
    #[must_use]
    pub fn segment(&self, id: SegmentId) -> Option<&Arc<CompiledSegment>> {
        self.segment_index(id).map(|index| &self.segments[index])
    }

    pub(super) fn segment_index(&self, id: SegmentId) -> Option<usize> {
        self.segments.binary_search_by_key(&id, |segment| segment.id).ok()
    }

    /// Takes the state that a feature has for an identity, in the place of the one before.
    pub fn insert_identity_override(&mut self, identifier: &str, feature: FeatureId, state: FeatureState) {
        let overrides = match self.identity_overrides.get_mut(identifier) {
            Some(overrides) => overrides,
            None => self.identity_overrides.entry(identifier.into()).or_default(),
        };
        if overrides.insert(feature, Arc::new(state)).is_none() {
            *self.overridden_identities.entry(feature).or_default() += 1;
        }
    }

    /// Loses the state that a feature has for an identity.
    pub fn remove_identity_override(&mut self, identifier: &str, feature: FeatureId) {
        let Some(overrides) = self.identity_overrides.get_mut(identifier) else { return };
        if overrides.remove(&feature).is_none() {
            return;
        }
        if overrides.is_empty() {
            self.identity_overrides.remove(identifier);
        }
        let count = self.overridden_identities.get(&feature).copied().unwrap_or_default();
        match count.saturating_sub(1) {
            0 => self.overridden_identities.remove(&feature),
            rest => self.overridden_identities.insert(feature, rest),
        };
    }

    /// The states that features have for an identity, in order of the features' ids.
    pub fn identity_overrides(&self, identifier: &str) -> impl Iterator<Item = (FeatureId, &Arc<FeatureState>)> {
        self.identity_overrides.get(identifier).into_iter().flatten().map(|(feature, state)| (*feature, state))
    }

    /// Evaluates the features for somebody, one after the other as they are asked for.
    #[must_use]
    pub fn evaluator<'e>(&'e self, context: Context<'e>) -> Evaluator<'e, A> {
        Evaluator::new(self, context)
    }
}
