//! The environment document: everything that clients need who evaluate by themselves.

use std::collections::HashMap;

use axum::body::Bytes;
use offshoot_aggregates::ids::{FeatureId, SegmentId};

use super::json;
use super::served::{Head, ServedEnvironment};

/// Renders the document of an environment. It is one page: no client but one follows links to further ones.
pub(super) fn render(environment: &ServedEnvironment) -> Bytes {
    let head = &*environment.head;
    let mut out = Vec::with_capacity(environment.weight() / 2);
    out.extend_from_slice(b"{\"id\":");
    json::plain(&mut out, head.environment.id);
    out.extend_from_slice(b",\"api_key\":");
    json::text(&mut out, &head.environment.api_key);
    out.extend_from_slice(b",\"project\":");
    project(&mut out, environment);
    out.extend_from_slice(b",\"feature_states\":");
    let states = environment.compiled.features().map(|feature| &*feature.attachment.default.document);
    list(&mut out, states);
    out.extend_from_slice(b",\"identity_overrides\":");
    let is_told = head.environment.settings.use_identity_overrides_in_local_eval;
    let identities = environment.identities.values().filter(|_| is_told).map(|identity| &*identity.document);
    list(&mut out, identities);
    settings(&mut out, head);
    out.extend_from_slice(b",\"updated_at\":");
    json::time_with_offset(&mut out, environment.tag.updated_at);
    out.push(b'}');
    out.shrink_to_fit();
    out.into()
}

fn list<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a str>) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item.as_bytes());
    }
    out.push(b']');
}

fn project(out: &mut Vec<u8>, environment: &ServedEnvironment) {
    let Head { project, organisation, .. } = &*environment.head;
    out.extend_from_slice(b"{\"id\":");
    json::plain(out, project.id);
    out.extend_from_slice(b",\"name\":");
    json::text(out, &project.settings.name);
    out.extend_from_slice(b",\"organisation\":{\"id\":");
    json::plain(out, organisation.id);
    out.extend_from_slice(b",\"name\":");
    json::text(out, &organisation.name);
    // Traits come with each request and are never kept.
    out.extend_from_slice(
        b",\"feature_analytics\":false,\"stop_serving_flags\":false,\"persist_trait_data\":false},\"hide_disabled_flags\":",
    );
    json::plain(out, project.settings.hide_disabled_flags);
    out.extend_from_slice(b",\"segments\":");
    segments(out, environment);
    out.extend_from_slice(b",\"enable_realtime_updates\":");
    json::plain(out, project.settings.enable_realtime_updates);
    out.extend_from_slice(b",\"server_key_only_feature_ids\":[");
    let hidden = environment.compiled.features().filter(|feature| feature.attachment.is_server_key_only);
    for (index, feature) in hidden.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::plain(out, feature.id());
    }
    out.extend_from_slice(b"]}");
}

/// All segments of the project; those for one feature alone only if they override it here.
fn segments(out: &mut Vec<u8>, environment: &ServedEnvironment) {
    let mut overrides: HashMap<SegmentId, Vec<(FeatureId, &str)>> = HashMap::new();
    for feature in environment.compiled.features() {
        for (over, fragments) in feature.overrides().iter().zip(&feature.attachment.overrides) {
            overrides.entry(over.link.segment).or_default().push((feature.id(), &fragments.document));
        }
    }
    out.push(b'[');
    for (id, segment) in &environment.segments {
        let states = overrides.get(id).map(Vec::as_slice).unwrap_or_default();
        if segment.feature.is_some() && states.is_empty() {
            continue;
        }
        if !out.ends_with(b"[") {
            out.push(b',');
        }
        out.extend_from_slice(segment.document.as_bytes());
        for (index, (_, state)) in states.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(state.as_bytes());
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
}

fn settings(out: &mut Vec<u8>, head: &Head) {
    let settings = &head.environment.settings;
    out.extend_from_slice(b",\"name\":");
    json::text(out, &settings.name);
    let hide_disabled_flags = settings.hide_disabled_flags.map_or("null".to_owned(), |hides| hides.to_string());
    let members = [
        ("allow_client_traits", settings.allow_client_traits.to_string()),
        ("hide_sensitive_data", settings.hide_sensitive_data.to_string()),
        ("hide_disabled_flags", hide_disabled_flags),
        ("use_identity_composite_key_for_hashing", settings.use_identity_composite_key_for_hashing.to_string()),
        ("use_identity_overrides_in_local_eval", settings.use_identity_overrides_in_local_eval.to_string()),
    ];
    for (name, value) in members {
        json::plain(out, format_args!(",\"{name}\":{value}"));
    }
}
