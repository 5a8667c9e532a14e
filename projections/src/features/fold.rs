//! What each event changes in the read model `features`.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::ids::{FeatureId, OrganisationId, ProjectId};
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent, ProjectSettings, Segment,
};
use rusqlite::{CachedStatement, OptionalExtension, Result, Transaction};
use uuid::Uuid;

use super::runs;
use crate::columns::{from_json_or_default, to_json};

/// Adds an organisation.
pub(super) fn add_organisation(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    id: OrganisationId,
    name: &str,
) -> Result<()> {
    tx.prepare_cached("INSERT INTO organisation (id, uuid, name, created_at) VALUES (?1, ?2, ?3, ?4)")?.execute((
        id.0,
        recorded.stream.uuid().as_bytes(),
        name,
        recorded.recorded_at.as_microsecond(),
    ))?;
    Ok(())
}

/// Applies an event of a project.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &ProjectEvent) -> Result<()> {
    use ProjectEvent as E;
    match event {
        E::ProjectCreated { id, organisation, organisation_id, settings } => {
            add_project(tx, recorded, *id, (*organisation, *organisation_id), settings)
        }
        E::ProjectSettingsChanged { after, .. } => {
            let uuid = recorded.stream.uuid();
            tx.prepare_cached("UPDATE project SET settings = ?2 WHERE uuid = ?1")?
                .execute((uuid.as_bytes(), to_json(after)?))?;
            Ok(())
        }
        E::ProjectDeleted { .. } => delete_project(tx, recorded),
        E::FeatureCreated { feature, ordinal, .. } => {
            add_features(tx, recorded, *ordinal, std::slice::from_ref(feature))
        }
        E::FeaturesImported { first_ordinal, features, .. } => add_features(tx, recorded, *first_ordinal, features),
        E::FeatureDescribed { feature, description_after, is_server_key_only_after, .. } => {
            tx.prepare_cached("UPDATE feature SET description = ?2, is_server_key_only = ?3 WHERE id = ?1")?
                .execute((feature.0, description_after, is_server_key_only_after))?;
            Ok(())
        }
        E::FeatureArchived { feature, .. } => set_archived(tx, *feature, true),
        E::FeatureUnarchived { feature, .. } => set_archived(tx, *feature, false),
        E::FeatureDeleted { feature, .. } => {
            let deleted = tx.prepare_cached("DELETE FROM feature WHERE id = ?1")?.execute([feature.0])?;
            change_total(tx, recorded, FEATURES_ADDED, -count(deleted))
        }
        E::MultivariateOptionAdded { feature, option, .. } => {
            change_options(tx, *feature, |options| options.push(option.clone()))
        }
        E::MultivariateOptionChanged { feature, after, .. } => change_options(tx, *feature, |options| {
            for option in options.iter_mut().filter(|option| option.id == after.id) {
                *option = after.clone();
            }
        }),
        E::MultivariateOptionRemoved { feature, option, .. } => {
            change_options(tx, *feature, |options| options.retain(|other| other.id != option.id))
        }
        E::SegmentCreated { segment } => add_segment(tx, recorded, segment),
        E::SegmentChanged { after, .. } => change_segment(tx, recorded, after),
        E::SegmentDeleted { segment, .. } => {
            let deleted = tx.prepare_cached("DELETE FROM segment WHERE id = ?1")?.execute([segment.0])?;
            change_total(tx, recorded, SEGMENTS_ADDED, -count(deleted))
        }
        E::EnvironmentNameReserved { .. }
        | E::EnvironmentNameReleased { .. }
        | E::ProjectPermissionGranted { .. }
        | E::ProjectPermissionRevoked { .. } => Ok(()),
    }
}

const FEATURES_ADDED: &str = "UPDATE project SET total_features = total_features + ?2 WHERE uuid = ?1";
const SEGMENTS_ADDED: &str = "UPDATE project SET total_segments = total_segments + ?2 WHERE uuid = ?1";

/// Notes how much of the project's stream is known here.
pub(super) fn note_version(tx: &Transaction<'_>, recorded: &RecordedEvent) -> Result<()> {
    tx.prepare_cached("UPDATE project SET version = ?2 WHERE uuid = ?1")?
        .execute((recorded.stream.uuid().as_bytes(), recorded.version.0))?;
    Ok(())
}

fn change_total(tx: &Transaction<'_>, recorded: &RecordedEvent, update: &str, added: i64) -> Result<()> {
    tx.prepare_cached(update)?.execute((recorded.stream.uuid().as_bytes(), added))?;
    Ok(())
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn add_project(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    id: ProjectId,
    (organisation, organisation_id): (Uuid, OrganisationId),
    settings: &ProjectSettings,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO project (id, uuid, organisation, organisation_uuid, settings, created_at, version)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        id.0,
        recorded.stream.uuid().as_bytes(),
        organisation_id.0,
        organisation.as_bytes(),
        to_json(settings)?,
        recorded.recorded_at.as_microsecond(),
        recorded.version.0,
    ))?;
    Ok(())
}

/// The id of the project that the event's stream belongs to; none if it was deleted.
fn project_id(tx: &Transaction<'_>, recorded: &RecordedEvent) -> Result<Option<i64>> {
    tx.prepare_cached("SELECT id FROM project WHERE uuid = ?1 AND NOT is_deleted")?
        .query_row([recorded.stream.uuid().as_bytes()], |row| row.get(0))
        .optional()
}

fn delete_project(tx: &Transaction<'_>, recorded: &RecordedEvent) -> Result<()> {
    let Some(project) = project_id(tx, recorded)? else { return Ok(()) };
    runs::delete_features(tx, project)?;
    tx.prepare_cached("DELETE FROM segment WHERE project = ?1")?.execute([project])?;
    tx.prepare_cached("UPDATE project SET is_deleted = 1, total_features = 0, total_segments = 0 WHERE id = ?1")?
        .execute([project])?;
    Ok(())
}

fn add_features(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    first_ordinal: u64,
    features: &[FeatureDefinition],
) -> Result<()> {
    let Some(project) = project_id(tx, recorded)? else { return Ok(()) };
    let creator = creator(tx, recorded)?;
    let created_at = recorded.recorded_at.as_microsecond();
    let mut insert = tx.prepare_cached(
        "INSERT INTO feature (id, project, ordinal, created_at, creator, uuid, name, is_multivariate, default_enabled,
                initial_value, description, is_archived, is_server_key_only, options)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for (ordinal, feature) in (first_ordinal..).zip(features) {
        insert_feature(&mut insert, feature, (project, ordinal, created_at, creator))?;
    }
    runs::extend(tx, project, first_ordinal, features.iter().map(|feature| feature.id.0))?;
    change_total(tx, recorded, FEATURES_ADDED, count(features.len()))
}

fn insert_feature(
    insert: &mut CachedStatement<'_>,
    feature: &FeatureDefinition,
    (project, ordinal, created_at, creator): (i64, u64, i64, Option<i64>),
) -> Result<()> {
    insert.execute((
        feature.id.0,
        project,
        ordinal,
        created_at,
        creator,
        feature.uuid.as_bytes(),
        &feature.name,
        feature.feature_type == FeatureType::Multivariate,
        feature.default_enabled,
        feature.initial_value.as_deref(),
        &feature.description,
        feature.is_archived,
        feature.is_server_key_only,
        options_column(&feature.options)?,
    ))?;
    Ok(())
}

/// Most features have no options: they cost a null.
fn options_column(options: &[MultivariateOption]) -> Result<Option<String>> {
    if options.is_empty() { Ok(None) } else { to_json(options).map(Some) }
}

/// The row of whoever caused the event. A few people create all features: each stands there once.
fn creator(tx: &Transaction<'_>, recorded: &RecordedEvent) -> Result<Option<i64>> {
    let Some(metadata) = recorded.metadata() else { return Ok(None) };
    let actor = (metadata.actor.kind.as_str(), &metadata.actor.id, &metadata.actor.name);
    let known = tx
        .prepare_cached("SELECT id FROM creator WHERE kind = ?1 AND actor = ?2 AND name = ?3")?
        .query_row(actor, |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(Some(id)),
        None => {
            tx.prepare_cached("INSERT INTO creator (kind, actor, name) VALUES (?1, ?2, ?3)")?.insert(actor).map(Some)
        }
    }
}

fn set_archived(tx: &Transaction<'_>, feature: FeatureId, archived: bool) -> Result<()> {
    tx.prepare_cached("UPDATE feature SET is_archived = ?2 WHERE id = ?1")?.execute((feature.0, archived))?;
    Ok(())
}

/// A feature with options is multivariate, one without is standard.
fn change_options(
    tx: &Transaction<'_>,
    feature: FeatureId,
    change: impl FnOnce(&mut Vec<MultivariateOption>),
) -> Result<()> {
    let mut select = tx.prepare_cached("SELECT options FROM feature WHERE id = ?1")?;
    let options = select.query_row([feature.0], |row| from_json_or_default(row, "options")).optional()?;
    let Some(mut options) = options else { return Ok(()) };
    change(&mut options);
    tx.prepare_cached("UPDATE feature SET options = ?2, is_multivariate = ?3 WHERE id = ?1")?.execute((
        feature.0,
        options_column(&options)?,
        !options.is_empty(),
    ))?;
    Ok(())
}

fn add_segment(tx: &Transaction<'_>, recorded: &RecordedEvent, segment: &Segment) -> Result<()> {
    let Some(project) = project_id(tx, recorded)? else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO segment (id, project, definition, name, feature, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    )?
    .execute((
        segment.id.0,
        project,
        to_json(segment)?,
        &segment.name,
        segment.feature.map(|feature| feature.0),
        recorded.recorded_at.as_microsecond(),
    ))?;
    change_total(tx, recorded, SEGMENTS_ADDED, 1)
}

fn change_segment(tx: &Transaction<'_>, recorded: &RecordedEvent, segment: &Segment) -> Result<()> {
    tx.prepare_cached("UPDATE segment SET definition = ?2, name = ?3, feature = ?4, updated_at = ?5 WHERE id = ?1")?
        .execute((
            segment.id.0,
            to_json(segment)?,
            &segment.name,
            segment.feature.map(|feature| feature.0),
            recorded.recorded_at.as_microsecond(),
        ))?;
    Ok(())
}
