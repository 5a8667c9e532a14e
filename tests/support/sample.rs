//! A project of any size with everything in it that a clone copies: multivariate features, segments, overrides.

use offshoot::commands::{
    CommandContext, ImportPlan, ImportedFeature, ImportedOverride, ImportedState, NewCondition, NewFeature, NewOption,
    NewRule, NewSegment,
};
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{EnvironmentRef, EnvironmentSettings, FeatureValue};
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::project::{ProjectSettings, SegmentOperator, SegmentRuleType};
use uuid::Uuid;

use super::builders::TestProject;
use super::server::TestServer;

/// Every how many features one is multivariate, and one has an override.
const EVERY: usize = 10;

/// A project with one environment; a tenth more states than features.
pub fn sample(features: usize) -> ImportPlan {
    ImportPlan {
        document: "test".to_owned(),
        project: ProjectSettings::named("sample"),
        environment: EnvironmentSettings::named("source"),
        api_key: None,
        segments: vec![segment("gold"), segment("beta")],
        features: (0..features).map(feature).collect(),
        identities: vec![],
    }
}

/// How many states [`sample`] has.
pub fn sample_states(features: usize) -> u64 {
    (features + features.div_ceil(EVERY)) as u64
}

impl TestServer {
    /// Brings in [`sample`]. Returns the project and the environment.
    pub async fn sample(&self, features: usize) -> (TestProject, EnvironmentRef) {
        let (organisation, _) = self.organisation().await;
        let context = CommandContext::repeatable(Actor::operator("test"), Uuid::new_v4());
        let imported = self.commands().import(&context, organisation, sample(features)).await.unwrap();
        self.settle(imported.position).await;
        let environment = self.commands().load_environment(imported.created.uuid).await.unwrap().aggregate;
        let (uuid, id): (Uuid, ProjectId) = environment.project().unwrap();
        (TestProject { uuid, id }, imported.created)
    }
}

fn segment(name: &str) -> NewSegment {
    let condition = NewCondition {
        id: None,
        operator: SegmentOperator::Equal,
        property: Some("plan".to_owned()),
        value: Some(name.to_owned()),
        description: None,
    };
    let rule = NewRule { id: None, rule_type: SegmentRuleType::All, rules: vec![], conditions: vec![condition] };
    NewSegment { name: name.to_owned(), description: None, feature: None, rules: vec![rule] }
}

fn feature(number: usize) -> ImportedFeature {
    let option = |value: &str, percentage| NewOption {
        value: FeatureValue::text(Some(value)),
        default_percentage_allocation: percentage,
        key: None,
    };
    let options = if number % EVERY == 1 { vec![option("a", 30.0), option("b", 20.0)] } else { vec![] };
    let shares = options.iter().map(|option| option.default_percentage_allocation + 1.0).enumerate().collect();
    let state = ImportedState {
        enabled: number.is_multiple_of(2),
        value: FeatureValue::from_initial(Some(&format!("value-{number}"))),
        shares,
        seed: None,
    };
    let overridden = ImportedState { shares: vec![], ..state.clone() };
    let overrides = if number.is_multiple_of(EVERY) {
        vec![ImportedOverride { segment: number / EVERY % 2, priority: 0, state: overridden }]
    } else {
        vec![]
    };
    let feature = NewFeature { name: format!("flag_{number:06}"), options, ..NewFeature::default() };
    ImportedFeature { feature, state, overrides }
}
