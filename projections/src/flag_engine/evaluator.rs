//! Evaluates the features of an environment for one context, and remembers which segments matched.

use std::cell::OnceCell;
use std::fmt;

use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::SegmentId;
use smallvec::SmallVec;

use super::bucketing::hashed_percentage;
use super::context::{Context, ContextValue, TraitValue};
use super::environment::{CompiledEnvironment, IdentityOverrides};
use super::evaluation::{Evaluation, Reason, StateSource, Variant};
use super::feature::CompiledFeature;
use super::property::{Member, Property};
use super::segment::{CompiledRule, join};

/// Segments whose membership is remembered without an allocation.
const INLINE_SEGMENTS: usize = 64;

/// Evaluates the features of an environment for one context. A segment is asked for at most once, when a feature has an
/// override for it.
#[derive(Debug)]
pub struct Evaluator<'e, A = ()> {
    environment: &'e CompiledEnvironment<A>,
    context: Context<'e>,
    overrides: Option<&'e IdentityOverrides>,
    /// Of each segment of the environment, as far as it was asked for.
    memberships: SmallVec<[Option<bool>; INLINE_SEGMENTS]>,
    /// Put together only if a condition asks for it as a text.
    key_text: OnceCell<String>,
}

impl<'e, A> Evaluator<'e, A> {
    pub(super) fn new(environment: &'e CompiledEnvironment<A>, context: Context<'e>) -> Self {
        let overrides = context.identity.and_then(|identity| environment.identity_overrides.get(identity.identifier));
        let memberships = SmallVec::from_elem(None, environment.segments.len());
        Self { environment, context, overrides, memberships, key_text: OnceCell::new() }
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
        let (source, state, reason) = self.choose_state(feature);
        let (variant, split) = self.choose_variant(feature, state);
        Evaluation { feature, source, state, variant, reason: split.unwrap_or(reason) }
    }

    /// Whether the context belongs to the segment; nobody belongs to one that the environment does not have.
    pub fn is_in_segment(&mut self, segment: SegmentId) -> bool {
        self.environment.segment_index(segment).is_some_and(|index| self.is_in_segment_at(index))
    }

    fn choose_state(&mut self, feature: &'e CompiledFeature<A>) -> (StateSource<'e>, &'e FeatureState, Reason<'e>) {
        if let Some(state) = self.overrides.and_then(|overrides| overrides.get(&feature.id())) {
            return (StateSource::IdentityOverride, state, Reason::IdentityOverride);
        }
        for (index, over) in feature.overrides().iter().enumerate() {
            let Some(segment) = self.environment.segment_index(over.link.segment) else { continue };
            if self.is_in_segment_at(segment) {
                let source = StateSource::SegmentOverride { link: &over.link, index };
                return (source, &over.state, Reason::Segment { name: &self.environment.segments[segment].name });
            }
        }
        (StateSource::Default, feature.default_state(), self.fallback_reason(feature))
    }

    /// Why a feature has its default state.
    fn fallback_reason(&self, feature: &CompiledFeature<A>) -> Reason<'e> {
        let has_overrides =
            !feature.overrides().is_empty() || self.environment.overridden_identities.contains_key(&feature.id());
        if has_overrides { Reason::Default } else { Reason::Static }
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

    fn is_in_segment_at(&mut self, index: usize) -> bool {
        if let Some(known) = self.memberships[index] {
            return known;
        }
        let segment = &self.environment.segments[index];
        let is_in = !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.holds(rule, segment.id));
        self.memberships[index] = Some(is_in);
        is_in
    }

    fn holds(&self, rule: &CompiledRule, segment: SegmentId) -> bool {
        join(rule.rule_type, &rule.conditions, |condition| {
            condition.holds(self.value_of(&condition.property).as_ref(), segment)
        }) && join(rule.rule_type, &rule.rules, |rule| self.holds(rule, segment))
    }

    fn value_of<'s>(&'s self, property: &'s Property) -> Option<ContextValue<'s>> {
        let own = property.trait_name.as_deref().and_then(|name| self.trait_value(name));
        own.or_else(|| match property.member.as_ref()? {
            Member::EnvironmentKey => Some(ContextValue::from_text(&self.environment.identity.api_key)),
            Member::EnvironmentName => Some(ContextValue::from_text(&self.environment.identity.name)),
            Member::IdentityIdentifier => Some(ContextValue::from_text(self.context.identity?.identifier)),
            Member::IdentityKey => {
                let key = self.identity_key()?;
                Some(ContextValue::from_text(self.key_text.get_or_init(|| key.to_string())))
            }
            Member::Trait(name) => self.trait_value(name),
        })
    }

    fn trait_value(&self, name: &str) -> Option<ContextValue<'e>> {
        let value: TraitValue<'e> = self.context.traits.iter().rev().find(|(key, _)| *key == name)?.1;
        ContextValue::from_trait(value)
    }

    fn identity_key(&self) -> Option<IdentityKey<'e>> {
        let environment = &self.environment.identity;
        self.context.identity.map(|identity| match identity.id {
            Some(id) if !environment.use_identity_composite_key_for_hashing => IdentityKey::Id(id),
            _ => IdentityKey::Composite { api_key: &environment.api_key, identifier: identity.identifier },
        })
    }
}

/// What an identity is hashed as.
#[derive(Clone, Copy)]
enum IdentityKey<'a> {
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
