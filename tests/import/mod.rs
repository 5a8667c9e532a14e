//! Bringing in a Flagsmith environment document.

mod documents;
mod identities;
mod limited;

use serde_json::{Value, json};

/// The state of a feature in a document.
fn state(feature: i64, name: &str, django_id: i64, value: Value) -> Value {
    json!({
        "feature": { "id": feature, "name": name, "type": "STANDARD" }, "enabled": true, "django_id": django_id,
        "feature_segment": null, "feature_state_value": value, "multivariate_feature_state_values": [],
    })
}

/// The state of the multivariate feature 12 in a document, with shares of the options 31, 32 and 33.
fn colour(django_id: i64, shares: &[(i64, f64)]) -> Value {
    let share = |(option, share): &(i64, f64)| {
        json!({
            "multivariate_feature_option": { "id": option, "value": format!("v{option}"), "key": null },
            "percentage_allocation": share, "id": option, "mv_fs_value_uuid": "05ae79bc-e07e-4fde-949c-25796c5ec161",
        })
    };
    let mut state = state(12, "colour", django_id, json!("control"));
    state["feature"]["type"] = json!("MULTIVARIATE");
    state["multivariate_feature_state_values"] = shares.iter().map(share).collect();
    state
}

/// An identity of a document.
fn identity(identifier: &str, features: Vec<Value>) -> Value {
    json!({
        "identifier": identifier, "environment_api_key": "source", "created_date": "2026-11-22T05:21:38.586007+00:00",
        "identity_features": features, "identity_traits": [{ "trait_key": "plan", "trait_value": "gold" }],
        "identity_uuid": "47215ed6-3455-4694-8c51-df21da669b3f", "django_id": 1, "dashboard_alias": null,
        "composite_key": format!("source_{identifier}"),
    })
}

/// A document with the features `banner` and `colour`, a segment that overrides `colour`, and these identities.
fn document(identities: Vec<Value>) -> Value {
    let condition = json!({ "operator": "EQUAL", "value": "gold", "property_": "plan" });
    let mut overridden = colour(44_415, &[(33, 90.0)]);
    overridden["feature_segment"] = json!({ "priority": 0 });
    json!({
        "id": 28, "api_key": "source", "name": "Production",
        "project": {
            "id": 11, "name": "p", "hide_disabled_flags": false,
            "segments": [{
                "id": 5, "name": "gold", "feature_states": [overridden],
                "rules": [{ "type": "ALL", "rules": [], "conditions": [condition] }],
            }],
        },
        "feature_states": [
            state(11, "banner", 44_411, json!("hello")),
            colour(44_412, &[(33, 10.0), (31, 30.0), (32, 20.0)]),
        ],
        "identity_overrides": identities,
    })
}
