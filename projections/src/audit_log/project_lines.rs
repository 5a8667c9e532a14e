//! The lines of a project's events.

use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId};
use offshoot_aggregates::permissions::{Grant, ProjectPermission};
use offshoot_aggregates::project::{FeatureDefinition, ProjectEvent, ReservationPurpose, Segment};
use rusqlite::{Result, Transaction};
use uuid::Uuid;

use super::changes::{changed, grant_changes, granted, object_changes, option_changes};
use super::line::{ChangeDetail, ChangeType, Line, Place, RelatedObjectType, counted};
use super::names::{self, Known};

/// Where the event happened, and what there is to say about it.
pub(super) fn lines(tx: &Transaction<'_>, uuid: Uuid, event: &ProjectEvent) -> Result<(Place, Vec<Line>)> {
    use ProjectEvent as E;
    match event {
        E::ProjectCreated { id, organisation_id, settings, .. } => {
            names::add_project(tx, uuid, (*id, *organisation_id), &settings.name)?;
        }
        E::ProjectSettingsChanged { after, .. } => names::rename_project(tx, uuid, &after.name)?,
        _ => {}
    }
    let project = names::project(tx, uuid)?;
    let place = project.place;
    Ok(match event {
        E::FeatureCreated { feature, first_feature_state_id, .. } => {
            (place, feature_created(tx, place, feature, *first_feature_state_id)?)
        }
        E::EnvironmentNameReserved { environment, environment_id, name, purpose, .. } => {
            if let ReservationPurpose::NewEnvironment { ordinal, .. } = purpose {
                names::expect_environment(tx, (*environment, *environment_id), place.project, *ordinal, name)?;
            }
            let environment = Some(*environment_id);
            let line = name_line(environment, format!("Environment name reserved: {name}"));
            (Place { environment, ..place }, vec![line])
        }
        E::EnvironmentNameReleased { environment, name } => {
            let environment = names::environment(tx, *environment)?.place.environment;
            let line = name_line(environment, format!("Environment name released: {name}"));
            (Place { environment, ..place }, vec![line])
        }
        E::ProjectPermissionGranted { before, after } => {
            let line = permissions_changed(&project, before.as_ref(), Some(after));
            (place, vec![line])
        }
        E::ProjectPermissionRevoked { before } => {
            let line = permissions_changed(&project, Some(before), None);
            (place, vec![line])
        }
        event => (place, plain_line(&project, event).into_iter().collect()),
    })
}

/// The one line of an event that says everything itself.
fn plain_line(project: &Known, event: &ProjectEvent) -> Option<Line> {
    use ChangeType::{Create, Delete, Update};
    use ProjectEvent as E;
    let name = &project.name;
    Some(match event {
        E::ProjectCreated { .. } => project_line(Create, project, format!("New Project created: {name}")),
        E::ProjectSettingsChanged { before, after } => {
            project_line(Update, project, format!("Project updated: {name}")).with(object_changes(before, after))
        }
        E::ProjectDeleted { name } => project_line(Delete, project, format!("Project deleted: {name}")),
        E::FeaturesImported { batch, features, .. } => {
            let features = counted(features.len() as u64, "feature");
            project_line(Create, project, format!("Features imported: batch {batch} ({features})"))
        }
        E::FeatureDescribed {
            feature,
            feature_name,
            description_before,
            description_after,
            is_server_key_only_before,
            is_server_key_only_after,
        } => {
            let details = [
                changed("description", description_before.clone(), description_after.clone()),
                changed("is_server_key_only", *is_server_key_only_before, *is_server_key_only_after),
            ];
            feature_updated(*feature, feature_name, details.into_iter().flatten())
        }
        E::FeatureArchived { feature, feature_name } => {
            feature_updated(*feature, feature_name, changed("is_archived", false, true))
        }
        E::FeatureUnarchived { feature, feature_name } => {
            feature_updated(*feature, feature_name, changed("is_archived", true, false))
        }
        E::FeatureDeleted { feature, feature_name } => {
            feature_line(Delete, *feature, format!("Flag / Remote Config Deleted: {feature_name}"))
        }
        E::MultivariateOptionAdded { feature, feature_name, .. } => {
            feature_line(Create, *feature, format!("Multivariate option added to feature '{feature_name}'."))
        }
        E::MultivariateOptionChanged { feature, feature_name, before, after } => {
            feature_line(Update, *feature, format!("Multivariate option changed for feature '{feature_name}'."))
                .with(option_changes(before, after).into_iter().map(|d| ChangeDetail { option: Some(after.id), ..d }))
        }
        E::MultivariateOptionRemoved { feature, feature_name, .. } => {
            feature_line(Delete, *feature, format!("Multivariate option removed from feature '{feature_name}'."))
        }
        E::SegmentCreated { segment } => segment_line(Create, segment, "New Segment created"),
        E::SegmentChanged { before, after } => {
            segment_line(Update, after, "Segment updated").with(object_changes(before, after))
        }
        E::SegmentDeleted { segment, segment_name } => {
            let about = (RelatedObjectType::Segment, Some(segment.0));
            Line::new(Delete, about, format!("Segment deleted: {segment_name}"))
        }
        E::FeatureCreated { .. }
        | E::EnvironmentNameReserved { .. }
        | E::EnvironmentNameReleased { .. }
        | E::ProjectPermissionGranted { .. }
        | E::ProjectPermissionRevoked { .. } => return None,
    })
}

/// A new feature is news for its project and for each environment, in which it has a state from now on.
fn feature_created(
    tx: &Transaction<'_>,
    place: Place,
    feature: &FeatureDefinition,
    first_feature_state_id: FeatureStateId,
) -> Result<Vec<Line>> {
    let log = format!("New Flag / Remote Config created: {}", feature.name);
    let mut lines = vec![feature_line(ChangeType::Create, feature.id, log.clone())];
    let Some(project) = place.project else { return Ok(lines) };
    for (environment, state) in names::new_feature_states(tx, project, first_feature_state_id)? {
        let about = (RelatedObjectType::FeatureState, state.map(|id| id.0));
        let line = Line::new(ChangeType::Create, about, log.clone()).in_environment(environment);
        lines.push(line.with(changed("enabled", None::<bool>, feature.default_enabled)));
    }
    Ok(lines)
}

fn permissions_changed(
    project: &Known,
    before: Option<&Grant<ProjectPermission>>,
    after: Option<&Grant<ProjectPermission>>,
) -> Line {
    let name = &project.name;
    let whose = after.or(before).map(|grant| names::principal(&grant.principal)).unwrap_or_default();
    let log = after.map_or_else(
        || format!("Permissions revoked in project {name} from {whose}"),
        |after| format!("Permissions granted in project {name} to {whose}: {}", granted(after)),
    );
    project_line(ChangeType::Update, project, log).with(grant_changes(before, after))
}

fn project_line(change: ChangeType, project: &Known, log: String) -> Line {
    Line::new(change, (RelatedObjectType::Project, project.place.project.map(|id| id.0)), log)
}

fn feature_line(change: ChangeType, feature: FeatureId, log: String) -> Line {
    Line::new(change, (RelatedObjectType::Feature, Some(feature.0)), log)
}

fn feature_updated(feature: FeatureId, name: &str, details: impl IntoIterator<Item = ChangeDetail>) -> Line {
    feature_line(ChangeType::Update, feature, format!("Flag / Remote Config updated: {name}")).with(details)
}

fn segment_line(change: ChangeType, segment: &Segment, what: &str) -> Line {
    Line::new(change, (RelatedObjectType::Segment, Some(segment.id.0)), format!("{what}: {}", segment.name))
}

fn name_line(environment: Option<EnvironmentId>, log: String) -> Line {
    Line::new(ChangeType::Unknown, (RelatedObjectType::Environment, environment.map(|id| id.0)), log)
}
