//! What happens to the identities of a [`House`]. Identity `i` has the identifier `user_i` where a test names no other.

use std::sync::Arc;

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureStateContent, FeatureValue};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};

use crate::house::{House, content};

impl House {
    pub fn add_identity(&mut self, environment: u64, identity: i64, identifier: &str) {
        let (identity, identifier) = (IdentityId(identity), identifier.to_owned());
        self.environment(environment, EnvironmentEvent::IdentityAdded { identity, identifier });
    }

    pub fn remove_identity(&mut self, environment: u64, identity: i64) {
        let (identity, identifier) = (IdentityId(identity), format!("user_{identity}"));
        self.environment(environment, EnvironmentEvent::IdentityRemoved { identity, identifier });
    }

    /// Sets the override of a feature for an identity.
    pub fn set_identity_override(
        &mut self,
        environment: u64,
        feature: i64,
        identity: i64,
        id: i64,
        after: FeatureStateContent,
    ) {
        self.environment(
            environment,
            EnvironmentEvent::IdentityOverrideSet {
                feature: FeatureId(feature),
                feature_name: format!("f{feature}"),
                identity: IdentityId(identity),
                identifier: format!("user_{identity}"),
                feature_state: FeatureStateId(id),
                before: None,
                after: Arc::new(after),
            },
        );
    }

    pub fn remove_identity_override(&mut self, environment: u64, feature: i64, identity: i64, id: i64) {
        self.environment(
            environment,
            EnvironmentEvent::IdentityOverrideRemoved {
                feature: FeatureId(feature),
                feature_name: format!("f{feature}"),
                identity: IdentityId(identity),
                identifier: format!("user_{identity}"),
                feature_state: FeatureStateId(id),
                before: Arc::new(content(id, FeatureValue::default())),
            },
        );
    }
}
