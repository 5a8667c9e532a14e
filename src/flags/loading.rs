//! Reads all that an environment serves from the read models.

use std::collections::HashMap;
use std::sync::Arc;

use offshoot_aggregates::Position;
use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, IdentityId, ProjectId};
use offshoot_projections::Page;
use offshoot_projections::environment_status;
use offshoot_projections::feature_states::{
    self, FeatureStateView, ServedVersion, StateFilter, StateScope, StoredIdentity,
};
use offshoot_projections::features::{self, StoredFeature, StoredOrganisation, StoredProject};
use offshoot_projections::flag_engine::SegmentState;
use rusqlite::Connection;

use super::served::{Head, ServedEnvironment};
use super::slot::Contents;
use super::source::{FeatureSource, IdentityOverride, IdentitySource};
use super::tag::Tag;
use crate::read_models::{QueryError, ReadModels};

/// What became of an environment.
pub(super) enum Loaded {
    /// It is there.
    Contents(Contents),
    /// It is gone.
    Gone,
}

/// States and identities as they are at one moment.
pub(super) struct States {
    pub(super) version: ServedVersion,
    pub(super) states: Vec<FeatureStateView>,
    pub(super) identities: Vec<StoredIdentity>,
}

impl States {
    pub(super) fn tag(&self) -> Tag {
        Tag { position: self.version.position, updated_at: self.version.updated_at }
    }
}

/// Reads all of an environment. The read models have reached the position from which on the caller is told of changes.
///
/// The states are read first, and say as of which event. What is read after them is at least as new, and whatever is newer
/// is read again when the caller is told of its event: so an answer may be newer than its tag, but never older.
///
/// Parts that a sibling has in just the same way are shared with it.
pub(super) async fn whole(
    read_models: &ReadModels,
    id: EnvironmentId,
    sibling: Option<Arc<ServedEnvironment>>,
) -> Result<Loaded, QueryError> {
    let Some(states) = read_models.feature_states.query(move |file| all_states(file, id)).await? else {
        return Ok(Loaded::Gone);
    };
    if states.version.is_creating {
        return Ok(Loaded::Contents(Contents::Creating));
    }
    reach(read_models, states.version.position).await;
    let Some(head) = head(read_models, id).await? else { return Ok(Loaded::Gone) };
    if head.environment.is_creating {
        return Ok(Loaded::Contents(Contents::Creating));
    }
    let project = head.project.id;
    let query =
        move |file: &Connection| Ok((features::all_features(file, project)?, features::all_segments(file, project)?));
    let (stored, segments) = read_models.features.query(query).await?;
    let compile = move || {
        let mut environment = ServedEnvironment::new(head, states.tag(), sibling);
        segments.iter().for_each(|segment| environment.insert_segment(&segment.segment));
        let stored: HashMap<_, _> = stored.into_iter().map(|feature| (feature.definition.id, feature)).collect();
        fill(&mut environment, states, &stored);
        Contents::Served(environment.finished())
    };
    let compiled = tokio::task::spawn_blocking(compile).await;
    compiled.map(Loaded::Contents).map_err(|error| QueryError::Failed { name: "flags", detail: error.to_string() })
}

/// Waits until what is read beside the states is at least as new as they are.
pub(super) async fn reach(read_models: &ReadModels, position: Position) {
    read_models.environment_status.reached(position).await;
    read_models.features.reached(position).await;
}

fn all_states(file: &Connection, id: EnvironmentId) -> rusqlite::Result<Option<States>> {
    let Some(version) = feature_states::served_version(file, id)? else { return Ok(None) };
    let none = States { version, states: Vec::new(), identities: Vec::new() };
    if none.version.is_creating {
        return Ok(Some(none));
    }
    let all = StateFilter { scope: StateScope::All, ..StateFilter::default() };
    let states = feature_states::list_states(file, id, all, Page::ALL)?;
    let identities = feature_states::list_identities(file, id, None, Page::ALL)?;
    Ok(Some(States { states, identities, ..none }))
}

pub(super) async fn head(read_models: &ReadModels, id: EnvironmentId) -> Result<Option<Head>, QueryError> {
    let query = move |file: &Connection| environment_status::environment(file, id);
    let Some(environment) = read_models.environment_status.query(query).await? else { return Ok(None) };
    let project = environment.project;
    let found = read_models.features.query(move |file| project_and_organisation(file, project)).await?;
    Ok(found.map(|(project, organisation)| Head { environment, project, organisation }))
}

type ProjectAndOrganisation = (StoredProject, StoredOrganisation);

fn project_and_organisation(file: &Connection, id: ProjectId) -> rusqlite::Result<Option<ProjectAndOrganisation>> {
    let Some(project) = features::project(file, id)? else { return Ok(None) };
    let organisation = features::organisation(file, project.organisation)?;
    Ok(organisation.map(|organisation| (project, organisation)))
}

/// Puts features and identities with their states into an environment. Of features that are not there nothing is taken.
pub(super) fn fill(environment: &mut ServedEnvironment, states: States, stored: &HashMap<FeatureId, StoredFeature>) {
    let mut of_feature: HashMap<FeatureId, FeatureStates> = HashMap::new();
    let mut of_identity: HashMap<IdentityId, Vec<IdentityOverride>> = HashMap::new();
    for view in states.states {
        let Some(feature) = stored.get(&view.feature) else { continue };
        let state = FeatureState::new(view.id, Arc::new(view.content));
        match (view.identity, view.segment) {
            (Some(identity), _) => {
                let stored = feature.clone();
                of_identity.entry(identity.id).or_default().push(IdentityOverride { stored, state });
            }
            (None, Some(link)) => {
                of_feature.entry(view.feature).or_default().overrides.push(SegmentState { link, state });
            }
            (None, None) => of_feature.entry(view.feature).or_default().default = Some(state),
        }
    }
    for (feature, states) in of_feature {
        let (Some(stored), Some(default)) = (stored.get(&feature), states.default) else { continue };
        let source = FeatureSource { stored: stored.clone(), default, overrides: states.overrides };
        environment.insert_feature(source);
    }
    for identity in states.identities {
        let StoredIdentity { id, identifier, created_at, .. } = identity;
        let overrides = of_identity.remove(&id).unwrap_or_default();
        environment.insert_identity(IdentitySource { id, identifier, created_at, overrides });
    }
}

#[derive(Default)]
struct FeatureStates {
    default: Option<FeatureState>,
    overrides: Vec<SegmentState>,
}
