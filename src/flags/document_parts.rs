//! The parts of the environment document, as clients that evaluate by themselves read it.

use std::sync::Arc;

use offshoot_aggregates::environment::{Allocation, FeatureState};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};
use offshoot_aggregates::project::{FeatureDefinition, MultivariateOption, Segment, SegmentRule};
use offshoot_projections::feature_states::{feature_state_uuid, identity_uuid};
use uuid::Uuid;

use super::fragments::{RenderedFor, StateFragments, StateOf, boxed, type_name};
use super::json;
use super::source::IdentitySource;

/// A state as the environment document has it. Its `django_id` is the seed: what clients that evaluate by themselves hash
/// identities with.
pub(super) fn state(environment: Uuid, feature: &FeatureDefinition, of: StateOf, state: &FeatureState) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"feature\":{\"id\":");
    json::plain(&mut out, feature.id);
    out.extend_from_slice(b",\"name\":");
    json::text(&mut out, &feature.name);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(type_name(feature.feature_type).as_bytes());
    out.extend_from_slice(b"\"},\"enabled\":");
    json::plain(&mut out, state.content.enabled);
    out.extend_from_slice(b",\"django_id\":");
    json::plain(&mut out, state.content.seed);
    out.extend_from_slice(b",\"feature_segment\":");
    match of {
        StateOf::Segment(link) => {
            out.extend_from_slice(b"{\"priority\":");
            json::plain(&mut out, link.priority);
            out.push(b'}');
        }
        StateOf::Environment | StateOf::Identity(_) => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"featurestate_uuid\":\"");
    json::plain(&mut out, feature_state_uuid(environment, state.id));
    out.extend_from_slice(b"\",\"feature_state_value\":");
    json::value(&mut out, &state.content.value);
    out.extend_from_slice(b",\"multivariate_feature_state_values\":[");
    for option in &feature.options {
        let share = state.content.multivariate.iter().find(|share| share.option == option.id);
        if let Some(share) = share {
            if !out.ends_with(b"[") {
                out.push(b',');
            }
            share_of(&mut out, (environment, state.id), option, share);
        }
    }
    out.extend_from_slice(b"]}");
    out
}

/// A share in a state of the environment document. Clients that evaluate by themselves walk through the shares in the order
/// of their ids, so these are the options' ids, as everywhere.
fn share_of(
    out: &mut Vec<u8>,
    (environment, state): (Uuid, FeatureStateId),
    option: &MultivariateOption,
    share: &Allocation,
) {
    out.extend_from_slice(b"{\"multivariate_feature_option\":{\"value\":");
    json::value(out, &option.value);
    out.extend_from_slice(b",\"id\":");
    json::plain(out, option.id);
    out.extend_from_slice(b",\"key\":");
    json::optional_text(out, option.key.as_deref());
    out.extend_from_slice(b"},\"percentage_allocation\":");
    json::float(out, share.percentage);
    out.extend_from_slice(b",\"id\":");
    json::plain(out, option.id);
    out.extend_from_slice(b",\"mv_fs_value_uuid\":\"");
    let uuid = Uuid::new_v5(&feature_state_uuid(environment, state), format!("share of {}", option.id).as_bytes());
    json::plain(out, uuid);
    out.extend_from_slice(b"\"}");
}

/// A segment as the environment document has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SegmentFragments {
    /// The feature that it is for alone.
    pub(super) feature: Option<FeatureId>,
    /// The segment up to its feature states.
    pub(super) document: Box<str>,
}

impl SegmentFragments {
    pub(super) fn render(segment: &Segment) -> Self {
        let mut out = Vec::new();
        out.extend_from_slice(b"{\"id\":");
        json::plain(&mut out, segment.id);
        out.extend_from_slice(b",\"name\":");
        json::text(&mut out, &segment.name);
        out.extend_from_slice(b",\"rules\":");
        rules(&mut out, &segment.rules);
        out.extend_from_slice(b",\"feature_states\":[");
        Self { feature: segment.feature, document: boxed(out) }
    }

    /// Bytes that it takes in memory, about, and so many again in the engine.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.document.len()
    }
}

fn rules(out: &mut Vec<u8>, rules: &[SegmentRule]) {
    out.push(b'[');
    for (index, rule) in rules.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"type\":");
        named(out, &rule.rule_type);
        out.extend_from_slice(b",\"rules\":");
        self::rules(out, &rule.rules);
        out.extend_from_slice(b",\"conditions\":[");
        for (index, condition) in rule.conditions.iter().enumerate() {
            out.extend_from_slice(if index > 0 { b",{\"operator\":" } else { b"{\"operator\":" });
            named(out, &condition.operator);
            out.extend_from_slice(b",\"value\":");
            json::optional_text(out, condition.value.as_deref());
            // Flagsmith's name for it, with the underscore.
            out.extend_from_slice(b",\"property_\":");
            json::optional_text(out, condition.property.as_deref());
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
}

/// Writes what has a name in JSON.
fn named(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    // Writing into memory cannot fail, nor can an enum without contents.
    let _ = serde_json::to_writer(out, value);
}

/// An identity that has overrides, as a whole.
#[derive(Debug)]
pub(super) struct IdentityFragments {
    /// What applications call it.
    pub(super) identifier: Arc<str>,
    /// Its integer id.
    pub(super) id: IdentityId,
    /// In order of the features' ids.
    pub(super) states: Vec<(FeatureId, StateFragments)>,
    /// The identity as the environment document has it.
    pub(super) document: Box<str>,
}

impl IdentityFragments {
    pub(super) fn render(to: RenderedFor, api_key: &str, source: IdentitySource) -> Self {
        let render = |over: &super::source::IdentityOverride| {
            let definition = &over.stored.definition;
            (definition.id, StateFragments::render(to, definition, StateOf::Identity(source.id), &over.state))
        };
        let mut states: Vec<_> = source.overrides.iter().map(render).collect();
        states.sort_by_key(|(feature, _)| *feature);
        let document = identity(to.environment_uuid, api_key, &source, &states);
        Self { identifier: source.identifier.into(), id: source.id, states, document }
    }

    /// The fragments of a feature's state for it.
    pub(super) fn state(&self, feature: FeatureId) -> Option<&StateFragments> {
        let index = self.states.binary_search_by_key(&feature, |(feature, _)| *feature).ok()?;
        self.states.get(index).map(|(_, state)| state)
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn weight(&self) -> usize {
        let states: usize = self.states.iter().map(|(_, state)| state.weight()).sum();
        size_of::<Self>() + 3 * self.identifier.len() + self.document.len() + states
    }
}

/// Traits are never kept, so there are none.
fn identity(
    environment: Uuid,
    api_key: &str,
    source: &IdentitySource,
    states: &[(FeatureId, StateFragments)],
) -> Box<str> {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"identifier\":");
    json::text(&mut out, &source.identifier);
    out.extend_from_slice(b",\"environment_api_key\":");
    json::text(&mut out, api_key);
    out.extend_from_slice(b",\"created_date\":");
    json::time_with_offset(&mut out, source.created_at);
    out.extend_from_slice(b",\"identity_features\":[");
    for (index, (_, state)) in states.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(state.document.as_bytes());
    }
    out.extend_from_slice(b"],\"identity_traits\":[],\"identity_uuid\":\"");
    json::plain(&mut out, identity_uuid(environment, source.id));
    out.extend_from_slice(b"\",\"django_id\":");
    json::plain(&mut out, source.id);
    out.extend_from_slice(b",\"dashboard_alias\":null,\"composite_key\":");
    json::text(&mut out, &format!("{api_key}_{}", source.identifier));
    out.push(b'}');
    boxed(out)
}
