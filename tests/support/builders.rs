//! Things that tests need to be there, made by commands: so a test of one resource does not depend on the others.

use std::collections::BTreeSet;

use offshoot::commands::{
    CommandContext, NewApiKey, NewCondition, NewEnvironmentOptions, NewFeature, NewRule, NewSegment,
};
use offshoot_aggregates::environment::{EnvironmentRef, EnvironmentSettings};
use offshoot_aggregates::ids::{FeatureId, OrganisationId, ProjectId, SegmentId};
use offshoot_aggregates::organisation::ApiKeyRole;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_aggregates::project::{ProjectSettings, SegmentOperator, SegmentRuleType};
use offshoot_aggregates::{Actor, Version};
use uuid::Uuid;

use super::client::Client;
use super::server::TestServer;

/// A project that a test works in.
#[derive(Clone, Copy, Debug)]
pub struct TestProject {
    pub uuid: Uuid,
    pub id: ProjectId,
}

/// What a limited key may do.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    pub projects: Vec<(Uuid, bool, BTreeSet<ProjectPermission>)>,
    pub environments: Vec<(Uuid, bool, BTreeSet<EnvironmentPermission>)>,
}

impl Permissions {
    /// The same and these in a project.
    pub fn in_project(
        mut self,
        project: TestProject,
        permissions: impl IntoIterator<Item = ProjectPermission>,
    ) -> Self {
        self.projects.push((project.uuid, false, permissions.into_iter().collect()));
        self
    }

    /// The same and these in an environment.
    pub fn in_environment(
        mut self,
        environment: &EnvironmentRef,
        permissions: impl IntoIterator<Item = EnvironmentPermission>,
    ) -> Self {
        self.environments.push((environment.uuid, false, permissions.into_iter().collect()));
        self
    }

    /// The same and everything in a project.
    pub fn admin_of_project(mut self, project: TestProject) -> Self {
        self.projects.push((project.uuid, true, BTreeSet::new()));
        self
    }

    /// The same and everything in an environment.
    pub fn admin_of_environment(mut self, environment: &EnvironmentRef) -> Self {
        self.environments.push((environment.uuid, true, BTreeSet::new()));
        self
    }
}

fn context() -> CommandContext {
    CommandContext::new(Actor::operator("test"))
}

impl TestServer {
    /// The organisation that the server started with.
    pub async fn organisation(&self) -> (Uuid, OrganisationId) {
        self.commands().first_organisation().await.unwrap().unwrap()
    }

    /// A project of the first organisation, with nothing in it.
    pub async fn project(&self, name: &str) -> TestProject {
        let (organisation, _) = self.organisation().await;
        self.project_of(organisation, name).await
    }

    /// The version of a project: to show that a rejected request changed nothing, whatever ids it used up.
    pub async fn version_of(&self, project: TestProject) -> Version {
        self.commands().load_project(project.uuid).await.unwrap().version
    }

    /// A project of an organisation.
    pub async fn project_of(&self, organisation: Uuid, name: &str) -> TestProject {
        let settings = ProjectSettings::named(name);
        let created = self.commands().create_project(&context(), organisation, settings, None).await.unwrap();
        self.settle(created.position).await;
        let (uuid, id) = created.created;
        TestProject { uuid, id }
    }

    /// An environment of a project.
    pub async fn environment(&self, project: TestProject, name: &str) -> EnvironmentRef {
        let options = NewEnvironmentOptions { settings: EnvironmentSettings::named(name), api_key: None, admin: None };
        let created = self.commands().create_environment(&context(), project.uuid, options).await.unwrap();
        self.settle(created.position).await;
        created.created
    }

    /// A feature of a project, off and without a value.
    pub async fn feature(&self, project: TestProject, name: &str) -> FeatureId {
        self.feature_like(project, NewFeature { name: name.to_owned(), ..NewFeature::default() }).await
    }

    /// A feature of a project.
    pub async fn feature_like(&self, project: TestProject, new: NewFeature) -> FeatureId {
        let created = self.commands().create_feature(&context(), project.uuid, new).await.unwrap();
        self.settle(created.position).await;
        created.created
    }

    /// A segment of a project: whose trait `plan` is the segment's name.
    pub async fn segment(&self, project: TestProject, name: &str) -> SegmentId {
        let condition = NewCondition {
            id: None,
            operator: SegmentOperator::Equal,
            property: Some("plan".to_owned()),
            value: Some(name.to_owned()),
            description: None,
        };
        let inner = NewRule { id: None, rule_type: SegmentRuleType::Any, rules: vec![], conditions: vec![condition] };
        let rules = vec![NewRule { id: None, rule_type: SegmentRuleType::All, rules: vec![inner], conditions: vec![] }];
        let new = NewSegment { name: name.to_owned(), description: None, feature: None, rules };
        let created = self.commands().create_segment(&context(), project.uuid, new).await.unwrap();
        self.settle(created.position).await;
        created.created
    }

    /// A client whose key belongs to the first organisation and may do nothing but this.
    pub async fn limited(&self, name: &str, permissions: Permissions) -> Client {
        let (organisation, _) = self.organisation().await;
        let Permissions { projects, environments } = permissions;
        let key = NewApiKey {
            name: name.to_owned(),
            role: ApiKeyRole::Member,
            expires_at: None,
            key: None,
            projects,
            environments,
        };
        let issued = self.commands().issue_api_key(&context(), organisation, key).await.unwrap();
        self.settle(issued.position).await;
        self.with_key(issued.created.key)
    }
}
