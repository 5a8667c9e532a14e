//! Bringing in a project and an environment from elsewhere, in numbered batches: an event a batch, not an event a feature.
//!
//! Every step can be repeated: an import that was interrupted goes on where it stopped when it is run again.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Allocation, BatchedIdentityOverride, BatchedState, EnvironmentCommand, EnvironmentError, EnvironmentRef,
    EnvironmentSettings, FeatureStateContent, SegmentLink,
};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureStateId, IdentityId, SegmentId};
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectCommand, ProjectError, ProjectSettings};
use offshoot_aggregates::text::check_slug;
use uuid::Uuid;

use super::environments::environment_uuid;
use super::{CommandContext, CommandError, Commands, Created, NewEnvironmentOptions, NewFeature, NewSegment};

/// Features or states in one batch of an import.
const IMPORT_BATCH_SIZE: usize = 500;

/// A feature of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedFeature {
    /// The feature.
    pub feature: NewFeature,
    /// Its state in the environment.
    pub state: ImportedState,
    /// Its segment overrides in the environment.
    pub overrides: Vec<ImportedOverride>,
}

/// A state of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedState {
    /// Whether the feature is on.
    pub enabled: bool,
    /// Its value.
    pub value: offshoot_aggregates::environment::FeatureValue,
    /// The shares that are set: which option, by its place among the feature's, and percent.
    pub shares: Vec<(usize, f64)>,
    /// What identities are hashed with; the state's own id if none is given.
    pub seed: Option<FeatureStateId>,
}

/// A segment override of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedOverride {
    /// The segment, by its place in [`ImportPlan::segments`].
    pub segment: usize,
    /// 0 is the highest.
    pub priority: u32,
    /// The state.
    pub state: ImportedState,
}

/// An identity of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedIdentity {
    /// What applications call it.
    pub identifier: String,
    /// What features are for it, each by its place in [`ImportPlan::features`].
    pub overrides: Vec<(usize, ImportedState)>,
}

/// What is to be brought in.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// What the document calls itself.
    pub document: String,
    /// The new project's settings, name among them.
    pub project: ProjectSettings,
    /// The new environment's settings, name among them.
    pub environment: EnvironmentSettings,
    /// The new environment's client key; a random one if none is given.
    pub api_key: Option<String>,
    /// The segments of the project.
    pub segments: Vec<NewSegment>,
    /// The features of the project.
    pub features: Vec<ImportedFeature>,
    /// The identities of the environment that have overrides.
    pub identities: Vec<ImportedIdentity>,
}

impl ImportPlan {
    /// How many default states and segment overrides there are.
    fn states(&self) -> usize {
        self.features.iter().map(|feature| 1 + feature.overrides.len()).sum()
    }

    /// How many identity overrides there are.
    fn identity_overrides(&self) -> usize {
        self.identities.iter().map(|identity| identity.overrides.len()).sum()
    }
}

impl Commands {
    /// Brings in a project with one environment. `context` says which import it is: the same one is never done twice.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn import(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        plan: ImportPlan,
    ) -> Result<Created<EnvironmentRef>, CommandError> {
        plan.environment.check()?;
        if let Some(key) = &plan.api_key {
            check_slug("api_key", key, API_KEY_CHARACTERS_MAX)?;
        }
        let project = self.create_project(&context.step("project"), organisation, plan.project.clone(), None).await?;
        let (project, _) = project.created;
        self.import_features(context, project, &plan.features).await?;
        let mut segments = Vec::with_capacity(plan.segments.len());
        for (index, segment) in plan.segments.iter().enumerate() {
            let step = context.step(&format!("segment {index}"));
            segments.push(self.create_segment(&step, project, segment.clone()).await?.created);
        }
        let environment = self.begin_environment(context, project, &plan).await?;
        let states = self.import_states(context, project, environment, &plan.features, &segments).await?;
        self.import_identities(context, project, environment, &plan, states).await?;
        let completed =
            self.environment(&context.step("complete"), environment, EnvironmentCommand::CompleteImport).await?;
        let reference = self.load_environment(environment).await?.aggregate.reference(environment);
        let created = reference.ok_or(EnvironmentError::NotFound)?;
        Ok(Created { created, position: completed.position })
    }

    async fn import_features(
        &self,
        context: &CommandContext,
        project: Uuid,
        features: &[ImportedFeature],
    ) -> Result<(), CommandError> {
        let done = self.load_project(project).await?.aggregate.imported_batches();
        for (batch, chunk) in (1u32..).zip(features.chunks(IMPORT_BATCH_SIZE)).skip(done as usize) {
            let options = chunk.iter().map(|imported| imported.feature.options.len() as u64).sum();
            let mut ids = self.take_feature_ids(chunk.len() as u64, options).await?;
            let define = |imported: &ImportedFeature| {
                let uuid = Uuid::new_v5(&project, imported.feature.name.as_bytes());
                ids.define_feature(imported.feature.clone(), uuid)
            };
            let definitions = chunk.iter().map(define).collect();
            let command = ProjectCommand::ImportFeatures { batch, features: Arc::new(definitions) };
            self.project(&context.step(&format!("features {batch}")), project, command).await?;
        }
        Ok(())
    }

    async fn begin_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        plan: &ImportPlan,
    ) -> Result<Uuid, CommandError> {
        let (states, identity_overrides) = (plan.states(), plan.identity_overrides());
        let batches = states.div_ceil(IMPORT_BATCH_SIZE) + identity_overrides.div_ceil(IMPORT_BATCH_SIZE);
        let step = context.step("environment");
        let uuid = environment_uuid(&step, plan.api_key.as_deref());
        let name = plan.environment.name.clone();
        let reserved = self.reserve_environment(&step, project, uuid, &name, 0, true).await?;
        let (settings, api_key) = (plan.environment.clone(), plan.api_key.clone());
        let options = NewEnvironmentOptions { settings, api_key, admin: None };
        let command = EnvironmentCommand::RequestEnvironmentImport {
            environment: self.new_environment(project, &reserved, options).await?,
            document: plan.document.clone(),
            feature_states_total: (states + identity_overrides) as u64,
            batches_total: u32::try_from(batches).map_err(|_| EnvironmentError::InvalidBatch { max: 0 })?,
        };
        self.finish_environment(&step, project, &reserved, name, command).await?;
        Ok(uuid)
    }

    /// Returns how many batches there are.
    async fn import_states(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        features: &[ImportedFeature],
        segments: &[SegmentId],
    ) -> Result<u32, CommandError> {
        let done = self.imported_batches(environment).await?;
        let project = self.load_project(project).await?.aggregate;
        let states = self.batched_states(&project, environment, features, segments).await?;
        for (batch, chunk) in (1u32..).zip(states.chunks(IMPORT_BATCH_SIZE)).skip(done as usize) {
            let command = EnvironmentCommand::ImportFeatureStates { batch, states: Arc::new(chunk.to_vec()) };
            self.environment(&context.step(&format!("states {batch}")), environment, command).await?;
        }
        Ok((1u32..).zip(states.chunks(IMPORT_BATCH_SIZE)).last().map_or(0, |(batch, _)| batch))
    }

    async fn imported_batches(&self, environment: Uuid) -> Result<u32, CommandError> {
        let current = self.load_environment(environment).await?.aggregate;
        Ok(current.creation().map_or(0, |creation| creation.batches))
    }

    /// Brings in the identity overrides, in batches that follow those of the states.
    async fn import_identities(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        plan: &ImportPlan,
        batches_before: u32,
    ) -> Result<(), CommandError> {
        let done = self.imported_batches(environment).await?.saturating_sub(batches_before);
        let project = self.load_project(project).await?.aggregate;
        let overrides = self.batched_identity_overrides(&project, environment, plan).await?;
        let batches = (batches_before + 1..).zip(overrides.chunks(IMPORT_BATCH_SIZE));
        for (batch, chunk) in batches.skip(done as usize) {
            let command = EnvironmentCommand::ImportIdentityOverrides { batch, overrides: Arc::new(chunk.to_vec()) };
            self.environment(&context.step(&format!("identities {batch}")), environment, command).await?;
        }
        Ok(())
    }

    /// All identity overrides in order. Identities that came before the import was interrupted keep their ids, which are
    /// lower than any new one.
    async fn batched_identity_overrides(
        &self,
        project: &Project,
        environment: Uuid,
        plan: &ImportPlan,
    ) -> Result<Vec<BatchedIdentityOverride>, CommandError> {
        let known = self.load_environment(environment).await?.aggregate;
        let mut new_id = IdentityId(self.ids.take(IdKind::Identity, plan.identities.len() as u64).await?);
        let overrides = plan.identity_overrides();
        let mut id = FeatureStateId(self.ids.take(IdKind::FeatureState, overrides as u64).await?);
        let mut batched = Vec::with_capacity(overrides);
        for imported in &plan.identities {
            let identity = known.identities().named(&imported.identifier).unwrap_or(new_id);
            let identifier = Arc::from(imported.identifier.as_str());
            new_id = new_id.plus(1);
            for (feature, state) in &imported.overrides {
                let feature = plan.features.get(*feature).ok_or(ProjectError::FeatureNotFound)?;
                let feature = project.feature_named(&feature.feature.name).ok_or(ProjectError::FeatureNotFound)?;
                let definition = &feature.definition;
                let (identifier, content) = (Arc::clone(&identifier), content(definition, id, state));
                batched.push(BatchedIdentityOverride { identity, identifier, feature: definition.id, id, content });
                id = id.plus(1);
            }
        }
        batched.sort_by_key(BatchedIdentityOverride::key);
        Ok(batched)
    }

    async fn batched_states(
        &self,
        project: &Project,
        environment: Uuid,
        features: &[ImportedFeature],
        segments: &[SegmentId],
    ) -> Result<Vec<BatchedState>, CommandError> {
        let overrides = features.iter().map(|feature| feature.overrides.len() as u64).sum();
        let (mut feature_state, mut feature_segment) = self.take_state_ids(0, overrides).await?;
        let mut states = Vec::with_capacity(features.len());
        for imported in features {
            let feature = project.feature_named(&imported.feature.name).ok_or(ProjectError::FeatureNotFound)?;
            let feature = &feature.definition;
            let implicit = project.implicit_state(environment, feature.id).ok_or(ProjectError::EnvironmentNotFound)?;
            states.push(batched(feature, None, implicit.id, &imported.state));
            for item in &imported.overrides {
                let segment = *segments.get(item.segment).ok_or(ProjectError::SegmentNotFound)?;
                let link = SegmentLink { feature_segment, segment, priority: item.priority };
                states.push(batched(feature, Some(link), feature_state, &item.state));
                feature_state = feature_state.plus(1);
                feature_segment = feature_segment.plus(1);
            }
        }
        states.sort_by_key(BatchedState::key);
        Ok(states)
    }
}

fn batched(
    feature: &FeatureDefinition,
    segment: Option<SegmentLink>,
    id: FeatureStateId,
    state: &ImportedState,
) -> BatchedState {
    BatchedState { feature: feature.id, segment, id, content: content(feature, id, state) }
}

/// What a state says that gets this id.
fn content(feature: &FeatureDefinition, id: FeatureStateId, state: &ImportedState) -> Arc<FeatureStateContent> {
    let allocation = |(place, percentage): &(usize, f64)| {
        feature.options.get(*place).map(|option| Allocation { option: option.id, percentage: *percentage })
    };
    let mut multivariate: Vec<_> = state.shares.iter().filter_map(allocation).collect();
    multivariate.sort_by_key(|allocation| allocation.option);
    let (enabled, value) = (state.enabled, state.value.clone());
    Arc::new(FeatureStateContent { enabled, value, multivariate, seed: state.seed.unwrap_or(id) })
}
