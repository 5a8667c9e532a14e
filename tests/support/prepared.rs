//! Prepared data: a project with one big environment, made through the library and copied for each test.

use std::path::Path;
use std::time::Duration;

use offshoot::commands::{AsOf, CloneOptions, CommandContext, Commands, NewFeature};
use offshoot::config::WorkerConfig;
use offshoot::node::Node;
use offshoot_aggregates::environment::{CloneMode, EnvironmentRef, FeatureValue, StateChange};
use offshoot_aggregates::ids::EnvironmentId;
use offshoot_aggregates::{Actor, Position};
use offshoot_projections::feature_states::environment_digest;
use tempfile::TempDir;
use uuid::Uuid;

use super::sample::{sample, sample_states};
use super::store::{copy_log, data_in, open_log, share};

/// The API key of the organisation admin in all prepared data.
pub const ADMIN_KEY: &str = "a-key-for-tests-and-nothing-else";

/// Longer than anything may take on a busy machine: a test that waits longer fails.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Prepared data that nobody works with.
pub struct Prepared {
    directory: TempDir,
    /// The environment that clones are made of.
    pub source: EnvironmentRef,
    /// How many states it has.
    pub states: u64,
    /// The digest of its states, as long as nothing is changed.
    pub digest: Uuid,
}

/// A clone that was requested and not begun.
#[derive(Clone, Debug)]
pub struct RequestedClone {
    /// The clone.
    pub environment: EnvironmentRef,
    /// The position of the request.
    pub position: Position,
}

impl Prepared {
    /// An environment of so many features, and a clone of it, called `Undisturbed`, that nobody disturbed.
    pub async fn new(features: usize) -> Self {
        Self::on(features, None).await
    }

    /// The same, with its log in the database at a URL, if there is one.
    pub async fn on(features: usize, url: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if let Some(url) = url {
            share(directory.path(), url);
        }
        let node = Node::start(&data_in(directory.path()), &WorkerConfig::default()).await.unwrap();
        node.commands.bootstrap(Some(ADMIN_KEY.to_owned())).await.unwrap();
        let (organisation, _) = node.commands.first_organisation().await.unwrap().unwrap();
        let context = CommandContext::repeatable(Actor::operator("test"), Uuid::new_v4());
        let source = node.commands.import(&context, organisation, sample(features)).await.unwrap().created;
        let project = project_of(&node.commands, &source).await;
        // Of this one the source has no state of its own.
        let implicit = NewFeature { name: "implicit".to_owned(), ..NewFeature::default() };
        node.commands.create_feature(&context.step("implicit"), project, implicit).await.unwrap();
        let undisturbed = request(&node.commands, &source, "Undisturbed", CloneMode::Sync).await;
        let head = node.commands.log().head().await.unwrap();
        assert!(node.read_models.wait_for(head, PATIENCE).await);
        let digest = digest_of(&node, source.id).await;
        assert_eq!(digest_of(&node, undisturbed.environment.id).await, digest);
        node.stop().await;
        Self { directory, source, states: sample_states(features) + 1, digest }
    }

    /// Where the data is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A copy of the data, to be worked with.
    pub fn copy(&self) -> TempDir {
        copy_of(self.directory.path())
    }
}

/// Requests clones of the source in data that nobody works with, and then changes the source.
pub async fn request_clones(directory: &Path, source: &EnvironmentRef, names: &[&str]) -> Vec<RequestedClone> {
    let commands = Commands::new(open_log(directory).await);
    let mut requested = Vec::new();
    for name in names {
        requested.push(request(&commands, source, name, CloneMode::Async).await);
    }
    let project = project_of(&commands, source).await;
    let features: Vec<_> = commands.load_project(project).await.unwrap().aggregate.features().keys().copied().collect();
    let value = FeatureValue::text(Some("changed after the cut"));
    for feature in features.iter().step_by(features.len() / 5) {
        let context = CommandContext::new(Actor::operator("test"));
        let change = StateChange { enabled: Some(true), value: Some(value.clone()), multivariate: None };
        commands.set_feature_state(&context, source.uuid, *feature, change).await.unwrap();
    }
    commands.log().close().await;
    requested
}

/// A copy of a data directory.
pub fn copy_of(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_files(directory, copy.path());
    copy_log(directory, copy.path());
    copy
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_files(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// The digest of an environment's states.
pub async fn digest_of(node: &Node, environment: EnvironmentId) -> Uuid {
    node.read_models.feature_states.query(move |file| environment_digest(file, environment)).await.unwrap()
}

async fn project_of(commands: &Commands, environment: &EnvironmentRef) -> Uuid {
    commands.load_environment(environment.uuid).await.unwrap().aggregate.project().unwrap().0
}

/// Requests a clone of an environment as it is now.
pub async fn request(commands: &Commands, source: &EnvironmentRef, name: &str, mode: CloneMode) -> RequestedClone {
    let options = CloneOptions {
        name: name.to_owned(),
        description: None,
        mode,
        mode_reason: None,
        as_of: AsOf::Now,
        clone_permissions: true,
        admin: None,
    };
    let context = CommandContext::new(Actor::operator("test"));
    let created = commands.request_clone(&context, source.uuid, options).await.unwrap();
    RequestedClone { environment: created.created, position: created.position }
}
