//! What the aggregates say of an environment, which is what clones copy, and what its read model shows are the same,
//! whatever happened to options and shares before.

use offshoot::commands::{CommandContext, NewFeature, NewOption};
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{Allocation, EnvironmentRef, FeatureValue, StateChange};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{OptionChange, ProjectCommand};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::builders::TestProject;
use crate::support::server::TestServer;

/// Something that happens to the one feature of a project with two environments.
#[derive(Clone, Debug)]
enum Step {
    /// An option comes, with this default share.
    AddOption(u8),
    /// An option gets another default share.
    ChangeDefault(usize, u8),
    /// An option goes.
    RemoveOption(usize),
    /// One of the environments gives this share to an option.
    SetShare(bool, usize, u8),
    /// One of the environments turns the feature on or off, and so takes all its shares as they are.
    Turn(bool, bool),
    /// A third, a fourth, … environment comes, with the defaults of its time.
    NewEnvironment,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..=100u8).prop_map(Step::AddOption),
        3 => (0..4usize, 0..=100u8).prop_map(|(option, share)| Step::ChangeDefault(option, share)),
        2 => (0..4usize).prop_map(Step::RemoveOption),
        4 => (any::<bool>(), 0..4usize, 0..=100u8).prop_map(|(first, option, share)| Step::SetShare(first, option, share)),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(first, on)| Step::Turn(first, on)),
        1 => Just(Step::NewEnvironment),
    ]
}

struct World {
    server: TestServer,
    project: TestProject,
    feature: FeatureId,
    environments: Vec<EnvironmentRef>,
}

impl World {
    /// A project of its own on the server that all cases share.
    async fn new(server: TestServer, case: usize) -> Self {
        let project = server.project(&format!("project {case}")).await;
        let environments = vec![server.environment(project, "one").await, server.environment(project, "two").await];
        let feature = NewFeature { name: "flag".to_owned(), ..NewFeature::default() };
        let feature = server.feature_like(project, feature).await;
        Self { server, project, feature, environments }
    }

    /// Does what the step says; a step that is rejected changes nothing.
    async fn take(&mut self, step: Step) {
        let (commands, context) = (self.server.commands(), CommandContext::new(Actor::operator("test")));
        let loaded = commands.load_project(self.project.uuid).await.unwrap().aggregate;
        let options = &loaded.features()[&self.feature].definition.options;
        let pick = |option: usize| options.get(option % options.len().max(1)).map(|option| option.id);
        let (feature, project) = (self.feature, self.project.uuid);
        let environment = |first: bool| self.environments[usize::from(!first)].uuid;
        match step {
            Step::AddOption(share) => {
                let new = NewOption {
                    value: FeatureValue::text(Some("variant")),
                    default_percentage_allocation: share.into(),
                    key: None,
                };
                drop(commands.add_option(&context, project, feature, new).await);
            }
            Step::ChangeDefault(option, share) => {
                let Some(option) = pick(option) else { return };
                let change = OptionChange { default_percentage_allocation: Some(share.into()), ..Default::default() };
                let command = ProjectCommand::ChangeMultivariateOption { feature, option, change };
                drop(commands.project(&context, project, command).await);
            }
            Step::RemoveOption(option) => {
                let Some(option) = pick(option) else { return };
                let command = ProjectCommand::RemoveMultivariateOption { feature, option };
                drop(commands.project(&context, project, command).await);
            }
            Step::SetShare(first, option, share) => {
                let Some(option) = pick(option) else { return };
                let shares = vec![Allocation { option, percentage: share.into() }];
                let change = StateChange { multivariate: Some(shares), ..StateChange::default() };
                drop(commands.set_feature_state(&context, environment(first), feature, change).await);
            }
            Step::Turn(first, on) => {
                let change = StateChange { enabled: Some(on), ..StateChange::default() };
                drop(commands.set_feature_state(&context, environment(first), feature, change).await);
            }
            Step::NewEnvironment => {
                let name = format!("environment {}", self.environments.len());
                self.environments.push(self.server.environment(self.project, &name).await);
            }
        }
    }

    /// Every environment's shares sum to at most 100, and its clone says what it says.
    async fn check(&self) {
        for source in &self.environments {
            self.server.settle(self.server.head().await).await;
            let shown = self.server.get(&format!("environments/{}/featurestates/", source.api_key)).await.expect(200);
            let shares = shown["results"][0]["multivariate_feature_state_values"].as_array().unwrap();
            let sum: f64 = shares.iter().map(|share| share["percentage_allocation"].as_f64().unwrap()).sum();
            assert!(sum < 100.000_001, "{shown}");
            let name = format!("clone of {}", source.name);
            let clone = self.server.clone_like(source, json!({ "name": name })).await;
            assert_eq!(self.server.digest(clone.id).await, self.server.digest(source.id).await, "{shown}");
        }
    }
}

#[test]
fn a_clone_says_what_its_source_shows_whatever_happened_to_options_and_shares() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut server = Some(runtime.block_on(TestServer::start()));
    let mut cases = 0..;
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let shared = std::cell::RefCell::new((&mut server, &mut cases));
    let case = |steps: Vec<Step>| {
        let mut shared = shared.borrow_mut();
        let case = shared.1.next().unwrap_or_default();
        let server = shared.0.take().unwrap();
        let server = runtime.block_on(async {
            let mut world = World::new(server, case).await;
            for step in steps {
                world.take(step).await;
            }
            world.check().await;
            world.server
        });
        *shared.0 = Some(server);
        Ok(())
    };
    runner.run(&prop::collection::vec(step(), 1..14), case).unwrap();
}
