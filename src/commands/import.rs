//! Bringing in a project and an environment from elsewhere, in numbered batches: an event a batch, not an event a feature.
//!
//! Every step can be repeated: an import that was interrupted goes on where it stopped when it is run again.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, EnvironmentCommand, EnvironmentError, EnvironmentRef, EnvironmentSettings, FeatureStateContent,
    SegmentLink,
};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureSegmentId, FeatureStateId, SegmentId};
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectCommand, ProjectError, ProjectSettings};
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
    /// The shares of the feature's options, in the order of the options.
    pub percentages: Vec<f64>,
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
        let project = self.create_project(&context.step("project"), organisation, plan.project.clone(), None).await?;
        let (project, _) = project.created;
        self.import_features(context, project, &plan.features).await?;
        let mut segments = Vec::with_capacity(plan.segments.len());
        for (index, segment) in plan.segments.iter().enumerate() {
            let step = context.step(&format!("segment {index}"));
            segments.push(self.create_segment(&step, project, segment.clone()).await?.created);
        }
        let environment = self.begin_environment(context, project, &plan).await?;
        self.import_states(context, project, environment, &plan.features, &segments).await
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
        let overrides = plan.features.iter().map(|feature| feature.overrides.len() as u64).sum::<u64>();
        let feature_states_total = plan.features.len() as u64 + overrides;
        let batches = feature_states_total.div_ceil(IMPORT_BATCH_SIZE as u64);
        let step = context.step("environment");
        let uuid = environment_uuid(&step, plan.api_key.as_deref());
        let name = plan.environment.name.clone();
        let reserved = self.reserve_environment(&step, project, uuid, &name, 0, true).await?;
        let (settings, api_key) = (plan.environment.clone(), plan.api_key.clone());
        let options = NewEnvironmentOptions { settings, api_key, admin: None };
        let command = EnvironmentCommand::RequestEnvironmentImport {
            environment: self.new_environment(project, &reserved, options).await?,
            document: plan.document.clone(),
            feature_states_total,
            batches_total: u32::try_from(batches).map_err(|_| EnvironmentError::InvalidBatch { max: 0 })?,
        };
        self.finish_environment(&step, project, &reserved, name, command).await?;
        Ok(uuid)
    }

    async fn import_states(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        features: &[ImportedFeature],
        segments: &[SegmentId],
    ) -> Result<Created<EnvironmentRef>, CommandError> {
        let current = self.load_environment(environment).await?.aggregate;
        let done = current.creation().map_or(0, |creation| creation.batches);
        let project = self.load_project(project).await?.aggregate;
        let states = self.batched_states(&project, environment, features, segments).await?;
        for (batch, chunk) in (1u32..).zip(states.chunks(IMPORT_BATCH_SIZE)).skip(done as usize) {
            let command = EnvironmentCommand::ImportFeatureStates { batch, states: Arc::new(chunk.to_vec()) };
            self.environment(&context.step(&format!("states {batch}")), environment, command).await?;
        }
        let step = context.step("complete");
        let completed = self.environment(&step, environment, EnvironmentCommand::CompleteImport).await?;
        let reference = self.load_environment(environment).await?.aggregate.reference(environment);
        let created = reference.ok_or(EnvironmentError::NotFound)?;
        Ok(Created { created, position: completed.position })
    }

    async fn batched_states(
        &self,
        project: &Project,
        environment: Uuid,
        features: &[ImportedFeature],
        segments: &[SegmentId],
    ) -> Result<Vec<BatchedState>, CommandError> {
        let overrides = features.iter().map(|feature| feature.overrides.len() as u64).sum();
        let mut feature_state = FeatureStateId(self.ids.take(IdKind::FeatureState, overrides).await?);
        let mut feature_segment = FeatureSegmentId(self.ids.take(IdKind::FeatureSegment, overrides).await?);
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
    let allocations = feature.options.iter().zip(&state.percentages);
    let allocation = |(option, percentage): (&offshoot_aggregates::project::MultivariateOption, &f64)| {
        offshoot_aggregates::environment::Allocation { option: option.id, percentage: *percentage }
    };
    let content = FeatureStateContent {
        enabled: state.enabled,
        value: state.value.clone(),
        multivariate: allocations.map(allocation).collect(),
        seed: state.seed.unwrap_or(id),
    };
    BatchedState { feature: feature.id, segment, id, content: Arc::new(content) }
}
