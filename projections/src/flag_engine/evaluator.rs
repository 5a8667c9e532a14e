//! Evaluates the features of an environment for one context, and remembers which segments matched.

use std::cell::OnceCell;
use std::fmt;

use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::SegmentId;
use smallvec::SmallVec;

use super::bucketing::hashed_percentage;
use super::context::{Context, ContextValue, Traits};
use super::environment::{CompiledEnvironment, IdentityOverrides};
use super::evaluation::{Evaluation, Reason, StateSource, Variant};
use super::feature::CompiledFeature;
use super::flag_dependencies::FlagDependencies;

/// Segments whose membership is remembered without an allocation.
const INLINE_SEGMENTS: usize = 64;

/// Evaluates the features of an environment for one context. A segment is checked at most once, when a feature has an
/// override for it; only where segments ask for flags, all are checked before anything is answered.
#[derive(Debug)]
pub struct Evaluator<'e, A = ()> {
    pub(super) environment: &'e CompiledEnvironment<A>,
    pub(super) context: Context<'e>,
    traits: Traits<'e>,
    overrides: Option<&'e IdentityOverrides>,
    /// Of each segment of the environment, as far as it was checked.
    pub(super) memberships: SmallVec<[Option<bool>; INLINE_SEGMENTS]>,
    /// Put together only if a condition asks for it as a text.
    pub(super) key_text: OnceCell<String>,
    /// Only where segments ask for flags.
    pub(super) dependencies: Option<Box<FlagDependencies<'e>>>,
}

/// A state of a feature: which, the state, and why.
pub(super) type Choice<'e> = (StateSource<'e>, &'e FeatureState, Reason<'e>);

impl<'e, A> Evaluator<'e, A> {
    pub(super) fn new(environment: &'e CompiledEnvironment<A>, context: Context<'e>) -> Self {
        let overrides = context.identity.and_then(|identity| environment.identity_overrides.get(identity.identifier));
        let segments = environment.segments.len();
        let memberships = SmallVec::from_elem(None, segments);
        let dependencies = environment.segments_ask_for_flags.then(|| Box::new(FlagDependencies::new(segments)));
        let mut evaluator = Self {
            environment,
            context,
            traits: Traits::new(context.traits),
            overrides,
            memberships,
            key_text: OnceCell::new(),
            dependencies,
        };
        if evaluator.dependencies.is_some() {
            evaluator.check_segments_with_dependencies();
        }
        evaluator
    }

    /// All features, in order of their ids.
    pub fn flags(&mut self) -> impl Iterator<Item = Evaluation<'e, A>> {
        self.environment.features.values().map(|feature| self.flag(feature))
    }

    /// The feature with exactly this name; `None` if the environment does not have it.
    pub fn flag_named(&mut self, name: &str) -> Option<Evaluation<'e, A>> {
        let feature = self.environment.feature_named(name)?;
        Some(self.flag(feature))
    }

    /// A feature of the environment.
    pub fn flag(&mut self, feature: &'e CompiledFeature<A>) -> Evaluation<'e, A> {
        let known = self.dependencies.as_ref().and_then(|dependencies| dependencies.resolved(feature.id()));
        let choice = known.unwrap_or_else(|| self.choose_state(feature));
        let is_cyclic = self.dependencies.as_ref().is_some_and(|dependencies| dependencies.is_cyclic(feature.id()));
        let mut evaluation = self.evaluation(feature, choice);
        if is_cyclic {
            evaluation.reason = Reason::CircularDependency;
        }
        evaluation
    }

    /// Whether the context belongs to the segment; nobody belongs to one that the environment does not have.
    pub fn is_in_segment(&mut self, segment: SegmentId) -> bool {
        self.environment.segment_index(segment).is_some_and(|index| self.is_in_segment_at(index))
    }

    fn is_in_segment_at(&mut self, index: usize) -> bool {
        if let Some(known) = self.memberships[index] {
            return known;
        }
        let is_in = self.check_segment(index);
        self.memberships[index] = Some(is_in);
        is_in
    }

    fn choose_state(&mut self, feature: &'e CompiledFeature<A>) -> Choice<'e> {
        if let Some(state) = self.identity_override(feature) {
            return (StateSource::IdentityOverride, state, Reason::IdentityOverride);
        }
        for (index, over) in feature.overrides().iter().enumerate() {
            let Some(segment) = self.environment.segment_index(over.link.segment) else { continue };
            if self.is_in_segment_at(segment) {
                return self.override_choice(feature, segment, index);
            }
        }
        self.default_choice(feature)
    }

    pub(super) fn identity_override(&self, feature: &CompiledFeature<A>) -> Option<&'e FeatureState> {
        self.overrides.and_then(|overrides| overrides.get(&feature.id())).map(|state| &**state)
    }

    pub(super) fn override_choice(&self, feature: &'e CompiledFeature<A>, segment: usize, index: usize) -> Choice<'e> {
        let over = &feature.overrides()[index];
        let reason = Reason::Segment { name: &self.environment.segments[segment].name };
        (StateSource::SegmentOverride { link: &over.link, index }, &over.state, reason)
    }

    /// The environment's default, which is one of several where there are overrides.
    pub(super) fn default_choice(&self, feature: &'e CompiledFeature<A>) -> Choice<'e> {
        let has_overrides =
            !feature.overrides().is_empty() || self.environment.overridden_identities.contains_key(&feature.id());
        let reason = if has_overrides { Reason::Default } else { Reason::Static };
        (StateSource::Default, feature.default_state(), reason)
    }

    /// Gives the identity its variant of a state.
    pub(super) fn evaluation(&self, feature: &'e CompiledFeature<A>, choice: Choice<'e>) -> Evaluation<'e, A> {
        let (source, state, reason) = choice;
        let (variant, split) = self.choose_variant(feature, state);
        Evaluation { feature, source, state, variant, reason: split.unwrap_or(reason) }
    }

    /// Walks over the state's shares, in order of the options' ids, to the one that the identity's hash falls into.
    fn choose_variant(
        &self,
        feature: &'e CompiledFeature<A>,
        state: &'e FeatureState,
    ) -> (Variant<'e>, Option<Reason<'e>>) {
        let options = feature.options();
        let shares = || {
            let allocations = state.content.multivariate.iter();
            allocations.filter_map(|share| {
                let index = options.binary_search_by_key(&share.option, |option| option.id).ok()?;
                Some((index, share.percentage))
            })
        };
        let Some(key) = self.identity_key() else { return (Variant::None, None) };
        if shares().next().is_none() {
            return (Variant::None, None);
        }
        let bucket = hashed_percentage(&[&state.content.seed, &key]);
        let mut start = 0.0;
        for (index, weight) in shares() {
            let end = start + weight;
            if (start..end).contains(&bucket) {
                let variant = Variant::Option { option: &options[index], index };
                return (variant, Some(Reason::Split { weight }));
            }
            start = end;
        }
        (Variant::Control, None)
    }

    pub(super) fn identity_key(&self) -> Option<IdentityKey<'e>> {
        let environment = &self.environment.identity;
        self.context.identity.map(|identity| match identity.id {
            Some(id) if !environment.use_identity_composite_key_for_hashing => IdentityKey::Id(id),
            _ => IdentityKey::Composite { api_key: &environment.api_key, identifier: identity.identifier },
        })
    }

    pub(super) fn trait_value(&self, name: &str) -> Option<ContextValue<'e>> {
        self.traits.get(name).and_then(ContextValue::from_trait)
    }
}

/// What an identity is hashed as.
#[derive(Clone, Copy)]
pub(super) enum IdentityKey<'a> {
    Composite { api_key: &'a str, identifier: &'a str },
    Id(i64),
}

impl fmt::Display for IdentityKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Composite { api_key, identifier } => write!(f, "{api_key}_{identifier}"),
            Self::Id(id) => id.fmt(f),
        }
    }
}
