//! The lines of identities, and of what features are for them, the latter in Flagsmith's words. That an identity came or
//! went, Flagsmith does not say.

use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::ids::IdentityId;

use super::line::{ChangeType, Line, RelatedObjectType};
use super::state_lines::{Texts, about_state, override_created, state_changed};

/// What there is to say about an event of an identity; nothing about others.
pub(super) fn lines(event: &EnvironmentEvent) -> Vec<Line> {
    use EnvironmentEvent as E;
    match event {
        E::IdentityAdded { identity, identifier } => {
            vec![line(ChangeType::Create, *identity, format!("Identity created: {identifier}"))]
        }
        E::IdentityRemoved { identity, identifier } => {
            vec![line(ChangeType::Delete, *identity, format!("Identity deleted: {identifier}"))]
        }
        E::IdentityOverrideSet { feature_name, identifier, feature_state, before, after, .. } => {
            let texts = texts(feature_name, identifier);
            match before {
                Some(before) => state_changed(*feature_state, &texts, before, after),
                None => vec![override_created(*feature_state, &texts, after)],
            }
        }
        E::IdentityOverrideRemoved { feature_name, identifier, feature_state, .. } => {
            let log = format!(
                "Flag state / Remote config value deleted for feature '{feature_name}' and identity '{identifier}'"
            );
            vec![Line::new(ChangeType::Delete, about_state(*feature_state), log)]
        }
        _ => Vec::new(),
    }
}

fn texts(feature: &str, identity: &str) -> Texts {
    Texts {
        enabled: format!("Flag state / Remote config value updated for feature '{feature}' and identity '{identity}'"),
        value: format!("Remote config value updated for feature '{feature}' and identity '{identity}'"),
        share: format!("Multivariate value changed for feature '{feature}' and identity '{identity}'."),
    }
}

fn line(change: ChangeType, identity: IdentityId, log: String) -> Line {
    Line::new(change, (RelatedObjectType::Identity, Some(identity.0)), log)
}
