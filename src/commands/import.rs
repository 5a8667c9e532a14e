//! Bringing in a project and an environment from elsewhere, in numbered batches: an event a batch, not an event a feature.
//!
//! Every step can be repeated: an import that was interrupted goes on where it stopped when it is run again.

use std::sync::Arc;

use offshoot_aggregates::environment::{EnvironmentCommand, EnvironmentError, EnvironmentRef, EnvironmentSettings};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureSegmentId, FeatureStateId, IdentityId, SegmentId};
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::project::{ProjectCommand, ProjectSettings};
use offshoot_aggregates::text::check_slug;
use uuid::Uuid;

use super::environments::environment_uuid;
use super::import_batches::{NewIds, batch_size_of, batches_total, identity_overrides, pieces, states};
use super::{CommandContext, CommandError, Commands, Created, NewEnvironmentOptions, NewFeature, NewSegment};

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
    pub(super) fn states(&self) -> usize {
        self.features.iter().map(|feature| 1 + feature.overrides.len()).sum()
    }

    /// How many identity overrides there are.
    pub(super) fn identity_overrides(&self) -> usize {
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
        let states = self.import_states(context, project, environment, &plan, &segments).await?;
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
        let current = self.load_project(project).await?.aggregate;
        let uuid = |imported: &ImportedFeature| Uuid::new_v5(&project, imported.feature.name.as_bytes());
        // Those that came before the import was interrupted stay as they are.
        let is_there = |imported: &ImportedFeature| {
            let known = current.feature_named(&imported.feature.name);
            known.is_some_and(|known| known.definition.uuid == uuid(imported))
        };
        let missing: Vec<_> = features.iter().filter(|imported| !is_there(imported)).collect();
        let options = missing.iter().map(|imported| imported.feature.options.len() as u64).sum();
        let mut ids = self.take_feature_ids(missing.len() as u64, options).await?;
        let define = |imported: &ImportedFeature| ids.define_feature(imported.feature.clone(), uuid(imported));
        let definitions: Vec<_> = missing.into_iter().map(define).collect();
        let pieces = pieces(&definitions, self.log.append_bytes_max());
        for (batch, piece) in (current.imported_batches() + 1..).zip(pieces) {
            let command = ProjectCommand::ImportFeatures { batch, features: Arc::new(piece.to_vec()) };
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
        let current = self.load_project(project).await?.aggregate;
        let batches = batches_total(plan, &current, self.log.append_bytes_max())?;
        let step = context.step("environment");
        let uuid = environment_uuid(&step, plan.api_key.as_deref());
        let name = plan.environment.name.clone();
        let reserved = self.reserve_environment(&step, project, uuid, &name, 0, true).await?;
        let (settings, api_key) = (plan.environment.clone(), plan.api_key.clone());
        let options = NewEnvironmentOptions { settings, api_key, admin: None };
        let command = EnvironmentCommand::RequestEnvironmentImport {
            environment: self.new_environment(project, &reserved, options).await?,
            document: plan.document.clone(),
            feature_states_total: (plan.states() + plan.identity_overrides()) as u64,
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
        plan: &ImportPlan,
        segments: &[SegmentId],
    ) -> Result<u32, CommandError> {
        let (done, size) = self.imported_batches(environment, plan).await?;
        let project = self.load_project(project).await?.aggregate;
        let overrides = plan.features.iter().map(|feature| feature.overrides.len() as u64).sum();
        let new = self.take_ids(0, 0, overrides).await?;
        let implicit = |feature| project.implicit_state(environment, feature).map(|state| state.id);
        let states = states(plan, &project, |place| segments.get(place).copied(), implicit, &new)?;
        for (batch, chunk) in (1u32..).zip(states.chunks(size)).skip(done as usize) {
            let command = EnvironmentCommand::ImportFeatureStates { batch, states: Arc::new(chunk.to_vec()) };
            self.environment(&context.step(&format!("states {batch}")), environment, command).await?;
        }
        Ok((1u32..).zip(states.chunks(size)).last().map_or(0, |(batch, _)| batch))
    }

    /// How many batches there are already, and the size of all.
    async fn imported_batches(&self, environment: Uuid, plan: &ImportPlan) -> Result<(u32, usize), CommandError> {
        let current = self.load_environment(environment).await?.aggregate;
        let creation = current.creation().ok_or(EnvironmentError::NotFound)?;
        Ok((creation.batches, batch_size_of(plan, creation.batches_total as usize)))
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
        let (done, size) = self.imported_batches(environment, plan).await?;
        let project = self.load_project(project).await?.aggregate;
        let known = self.load_environment(environment).await?.aggregate;
        let new = self.take_ids(plan.identities.len() as u64, plan.identity_overrides() as u64, 0).await?;
        let overrides = identity_overrides(plan, &project, |name| known.identities().named(name), &new)?;
        let batches = (batches_before + 1..).zip(overrides.chunks(size));
        for (batch, chunk) in batches.skip(done.saturating_sub(batches_before) as usize) {
            let command = EnvironmentCommand::ImportIdentityOverrides { batch, overrides: Arc::new(chunk.to_vec()) };
            self.environment(&context.step(&format!("identities {batch}")), environment, command).await?;
        }
        Ok(())
    }

    /// For identities, for states of theirs, and for segment overrides with their links.
    async fn take_ids(&self, identities: u64, states: u64, segment_overrides: u64) -> Result<NewIds, CommandError> {
        let [identity, state, segment_link] = self
            .ids
            .take_each([
                (IdKind::Identity, identities),
                (IdKind::FeatureState, states + segment_overrides),
                (IdKind::FeatureSegment, segment_overrides),
            ])
            .await?;
        Ok(NewIds {
            identity: IdentityId(identity),
            state: FeatureStateId(state),
            segment_link: FeatureSegmentId(segment_link),
        })
    }
}
