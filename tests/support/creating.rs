//! An environment that stays in creation: its import broke off.

use offshoot::commands::{CommandContext, ImportPlan, ImportedFeature, ImportedOverride, ImportedState, NewFeature};
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{EnvironmentSettings, FeatureValue};
use offshoot_aggregates::project::ProjectSettings;
use offshoot_projections::environment_status::{self, StoredEnvironment};

use super::server::TestServer;

impl TestServer {
    /// An environment with one feature, `flag`, that is being created for ever.
    pub async fn creating_environment(&self) -> StoredEnvironment {
        let (organisation, _) = self.organisation().await;
        let state = ImportedState { enabled: true, value: FeatureValue::default(), shares: vec![], seed: None };
        // The document does not hold the segment of its override.
        let overrides = vec![ImportedOverride { segment: 0, priority: 0, state: state.clone() }];
        let feature = NewFeature { name: "flag".to_owned(), ..NewFeature::default() };
        let plan = ImportPlan {
            document: "broken".to_owned(),
            project: ProjectSettings::named("creating"),
            environment: EnvironmentSettings::named("creating"),
            api_key: Some("creating".to_owned()),
            segments: vec![],
            features: vec![ImportedFeature { feature, state, overrides }],
            identities: vec![],
        };
        let context = CommandContext::new(Actor::operator("test"));
        self.commands().import(&context, organisation, plan).await.unwrap_err();
        self.settle(self.head().await).await;
        let query = |file: &_| environment_status::environment_by_key(file, "creating");
        let found = self.server().node().read_models.environment_status.query(query).await.unwrap().unwrap();
        assert!(found.is_creating);
        found
    }
}
