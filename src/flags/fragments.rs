//! The JSON of one feature in one environment, rendered once: from such fragments all answers are put together.

use std::sync::Arc;

use offshoot_aggregates::environment::{FeatureState, FeatureValue, SegmentLink};
use offshoot_aggregates::ids::IdentityId;
use offshoot_aggregates::project::{FeatureDefinition, FeatureType, MultivariateOption};
use offshoot_projections::features::StoredFeature;
use offshoot_projections::flag_engine::{SegmentState, Variant};
use uuid::Uuid;

use super::document_parts::state as document_state;
use super::json;
use super::typed_value;

/// What the fragments of all features of an environment have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RenderedFor {
    /// The environment's integer id.
    pub(super) environment: i64,
    /// The environment's UUID.
    pub(super) environment_uuid: Uuid,
    /// Whether ids and defaults are left out of answers.
    pub(super) hides_sensitive_data: bool,
}

/// What is kept beside a compiled feature.
#[derive(Debug)]
pub struct FeatureFragments {
    /// Whether only clients with a server key see it.
    pub is_server_key_only: bool,
    /// `"name"` as JSON.
    pub(super) key: Arc<str>,
    /// The object that describes the feature in each flag.
    feature: Arc<str>,
    pub(super) default: StateFragments,
    /// In the order of the compiled feature's overrides.
    pub(super) overrides: Box<[StateFragments]>,
}

/// The fragments of one state.
#[derive(Debug)]
pub(super) struct StateFragments {
    /// What it comes to without an option: the state's own value.
    plain: Outcome,
    /// What it comes to in the share that its options leave over; none if there are no options.
    control: Option<Outcome>,
    /// What it comes to with each of the feature's options, in their order.
    options: Box<[Outcome]>,
    /// The state as the environment document has it.
    pub(super) document: Box<str>,
}

/// What a state comes to.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The flag without the object that describes its feature, which belongs at `feature_at`.
    flag: Box<str>,
    feature_at: u32,
    /// Where the members begin that only flags of identities have.
    identity_only_at: u32,
    /// The members `variant` and `value` of an OFREP evaluation.
    pub(super) evaluation: Box<str>,
}

impl FeatureFragments {
    /// Renders a feature; `overrides` are in the order of the compiled feature's.
    pub(super) fn render(
        to: RenderedFor,
        stored: &StoredFeature,
        default: &FeatureState,
        overrides: &[SegmentState],
    ) -> Self {
        let definition = &stored.definition;
        let mut key = Vec::new();
        json::text(&mut key, &definition.name);
        let state = |of: StateOf, state: &FeatureState| StateFragments::render(to, definition, of, state);
        Self {
            is_server_key_only: definition.is_server_key_only,
            key: boxed(key).into(),
            feature: boxed(feature_object(to, stored)).into(),
            default: state(StateOf::Environment, default),
            overrides: overrides.iter().map(|over| state(StateOf::Segment(over.link), &over.state)).collect(),
        }
    }

    /// Keeps in common with the same feature of another environment what is the same there.
    pub(super) fn share(&mut self, other: &Self) {
        if self.key == other.key {
            self.key = other.key.clone();
        }
        if self.feature == other.feature {
            self.feature = other.feature.clone();
        }
    }

    /// Bytes that it takes in memory, about, when it shares nothing.
    pub(super) fn weight(&self) -> usize {
        let states = self.default.weight() + self.overrides.iter().map(StateFragments::weight).sum::<usize>();
        size_of::<Self>() + self.key.len() + self.feature.len() + states
    }
}

/// Whose state it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum StateOf {
    Environment,
    Segment(SegmentLink),
    Identity(IdentityId),
}

impl StateFragments {
    pub(super) fn render(to: RenderedFor, feature: &FeatureDefinition, of: StateOf, state: &FeatureState) -> Self {
        let outcome = |value: &FeatureValue, variant: Option<&str>, named: &str| {
            Outcome::render(to, of, state, (value, variant, named))
        };
        let own = &state.content.value;
        let plain = outcome(own, None, if state.content.enabled { "enabled" } else { "disabled" });
        let option = |option: &MultivariateOption| match &option.key {
            Some(key) => outcome(&option.value, Some(key), key),
            None => outcome(&option.value, None, &format!("option_{}", option.id)),
        };
        Self {
            plain,
            control: (!feature.options.is_empty()).then(|| outcome(own, Some("control"), "control")),
            options: feature.options.iter().map(option).collect(),
            document: boxed(document_state(to.environment_uuid, feature, of, state)),
        }
    }

    /// What it comes to with a variant.
    pub(super) fn outcome(&self, variant: Variant<'_>) -> &Outcome {
        match variant {
            Variant::None => &self.plain,
            Variant::Control => self.control.as_ref().unwrap_or(&self.plain),
            Variant::Option { index, .. } => self.options.get(index).unwrap_or(&self.plain),
        }
    }

    /// What it comes to for nobody in particular.
    pub(super) fn plain(&self) -> &Outcome {
        &self.plain
    }

    /// The same for a flag that has variants: OFREP names the control value even where nobody is asked for.
    pub(super) fn control(&self) -> &Outcome {
        self.control.as_ref().unwrap_or(&self.plain)
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn weight(&self) -> usize {
        let outcomes = [Some(&self.plain), self.control.as_ref()].into_iter().flatten().chain(&self.options);
        let texts: usize = outcomes.map(|outcome| outcome.flag.len() + outcome.evaluation.len()).sum();
        size_of::<Self>() + self.options.len() * size_of::<Outcome>() + texts + self.document.len()
    }
}

impl Outcome {
    fn render(
        to: RenderedFor,
        of: StateOf,
        state: &FeatureState,
        (value, variant, named): (&FeatureValue, Option<&str>, &str),
    ) -> Self {
        let shown = |id: i64| (!to.hides_sensitive_data).then_some(id);
        let (identity, link) = match of {
            StateOf::Environment => (None, None),
            StateOf::Segment(link) => (None, shown(link.feature_segment.0)),
            StateOf::Identity(identity) => (shown(identity.0), None),
        };
        let mut flag = Vec::new();
        flag.extend_from_slice(b"{\"id\":");
        json::optional_number(&mut flag, shown(state.id.0));
        flag.extend_from_slice(b",\"feature\":");
        let feature_at = position(&flag);
        flag.extend_from_slice(b",\"feature_state_value\":");
        json::value(&mut flag, value);
        flag.extend_from_slice(b",\"environment\":");
        json::optional_number(&mut flag, shown(to.environment));
        flag.extend_from_slice(b",\"identity\":");
        json::optional_number(&mut flag, identity);
        flag.extend_from_slice(b",\"feature_segment\":");
        json::optional_number(&mut flag, link);
        flag.extend_from_slice(b",\"enabled\":");
        json::plain(&mut flag, state.content.enabled);
        let identity_only_at = position(&flag);
        flag.extend_from_slice(b",\"variant\":");
        json::optional_text(&mut flag, variant);
        flag.push(b'}');
        let evaluation = boxed(typed_value::evaluation(state.content.enabled, value, named));
        Self { flag: boxed(flag), feature_at, identity_only_at, evaluation }
    }

    /// Writes the flag as answers for an environment have it.
    pub(super) fn write_flag(&self, out: &mut Vec<u8>, feature: &FeatureFragments) {
        let flag = self.flag.as_bytes();
        out.extend_from_slice(&flag[..self.feature_at as usize]);
        out.extend_from_slice(feature.feature.as_bytes());
        out.extend_from_slice(&flag[self.feature_at as usize..self.identity_only_at as usize]);
        out.push(b'}');
    }

    /// Writes the flag as answers for an identity have it.
    pub(super) fn write_flag_of_identity(&self, out: &mut Vec<u8>, feature: &FeatureFragments) {
        let flag = self.flag.as_bytes();
        out.extend_from_slice(&flag[..self.feature_at as usize]);
        out.extend_from_slice(feature.feature.as_bytes());
        out.extend_from_slice(&flag[self.feature_at as usize..]);
    }
}

fn feature_object(to: RenderedFor, stored: &StoredFeature) -> Vec<u8> {
    let (feature, shown) = (&stored.definition, !to.hides_sensitive_data);
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"id\":");
    json::plain(&mut out, feature.id);
    out.extend_from_slice(b",\"name\":");
    json::text(&mut out, &feature.name);
    out.extend_from_slice(b",\"created_date\":");
    if shown {
        json::time(&mut out, stored.created_at)
    } else {
        out.extend_from_slice(b"null")
    }
    out.extend_from_slice(b",\"description\":");
    json::optional_text(&mut out, feature.description.as_deref().filter(|_| shown));
    out.extend_from_slice(b",\"initial_value\":");
    json::optional_text(&mut out, feature.initial_value.as_deref().filter(|_| shown));
    out.extend_from_slice(b",\"default_enabled\":");
    if shown {
        json::plain(&mut out, feature.default_enabled)
    } else {
        out.extend_from_slice(b"null")
    }
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(type_name(feature.feature_type).as_bytes());
    out.extend_from_slice(b"\"}");
    out
}

pub(super) const fn type_name(feature_type: FeatureType) -> &'static str {
    match feature_type {
        FeatureType::Standard => "STANDARD",
        FeatureType::Multivariate => "MULTIVARIATE",
    }
}

/// A place in a fragment: far below the limit, because texts in it have limits of their own.
fn position(out: &[u8]) -> u32 {
    u32::try_from(out.len()).unwrap_or(u32::MAX)
}

/// What was written, which is always text.
pub(super) fn boxed(out: Vec<u8>) -> Box<str> {
    String::from_utf8(out).unwrap_or_default().into_boxed_str()
}
