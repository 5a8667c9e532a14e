//! The names and ids that lines need and events do not carry, kept as events bring them.

use offshoot_aggregates::environment::Origin;
use offshoot_aggregates::ids::{ApiKeyId, EnvironmentId, FeatureStateId, OrganisationId, ProjectId};
use offshoot_aggregates::permissions::Principal;
use rusqlite::{OptionalExtension, Result, Transaction};
use uuid::Uuid;

use super::line::Place;

/// An organisation, project or environment: where it is and what it is called now.
pub(super) struct Known {
    pub(super) place: Place,
    pub(super) name: String,
}

/// An environment that states come into.
pub(super) struct KnownEnvironment {
    pub(super) place: Place,
    pub(super) name: String,
    /// How many batches of states make it up.
    pub(super) batches_total: Option<u32>,
}

impl Known {
    /// What was never heard of: its creation could not be read.
    fn unheard_of(uuid: Uuid) -> Self {
        Self { place: Place::default(), name: uuid.to_string() }
    }
}

pub(super) fn add_organisation(tx: &Transaction<'_>, uuid: Uuid, id: OrganisationId, name: &str) -> Result<()> {
    tx.prepare_cached("INSERT INTO known_organisation (id, uuid, name) VALUES (?1, ?2, ?3)")?.execute((
        id.0,
        uuid.as_bytes(),
        name,
    ))?;
    Ok(())
}

pub(super) fn organisation(tx: &Transaction<'_>, uuid: Uuid) -> Result<Known> {
    let found = tx
        .prepare_cached("SELECT id, name FROM known_organisation WHERE uuid = ?1")?
        .query_row([uuid.as_bytes()], |row| {
            let place = Place { organisation: Some(OrganisationId(row.get(0)?)), ..Place::default() };
            Ok(Known { place, name: row.get(1)? })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| Known::unheard_of(uuid)))
}

pub(super) fn add_key(tx: &Transaction<'_>, uuid: Uuid, id: ApiKeyId, name: &str) -> Result<()> {
    tx.prepare_cached("INSERT INTO known_key (uuid, id, name) VALUES (?1, ?2, ?3)")?.execute((
        uuid.as_bytes(),
        id.0,
        name,
    ))?;
    Ok(())
}

pub(super) fn key_id(tx: &Transaction<'_>, uuid: Uuid) -> Result<Option<i64>> {
    tx.prepare_cached("SELECT id FROM known_key WHERE uuid = ?1")?
        .query_row([uuid.as_bytes()], |row| row.get(0))
        .optional()
}

/// What a line calls a principal.
pub(super) fn principal(principal: &Principal) -> String {
    let Principal::ApiKey { name, .. } = principal;
    format!("API key '{name}'")
}

pub(super) fn add_project(
    tx: &Transaction<'_>,
    uuid: Uuid,
    (id, organisation): (ProjectId, OrganisationId),
    name: &str,
) -> Result<()> {
    tx.prepare_cached("INSERT INTO known_project (id, uuid, organisation, name) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id.0, uuid.as_bytes(), organisation.0, name))?;
    Ok(())
}

pub(super) fn rename_project(tx: &Transaction<'_>, uuid: Uuid, name: &str) -> Result<()> {
    tx.prepare_cached("UPDATE known_project SET name = ?2 WHERE uuid = ?1")?.execute((uuid.as_bytes(), name))?;
    Ok(())
}

pub(super) fn project(tx: &Transaction<'_>, uuid: Uuid) -> Result<Known> {
    let found = tx
        .prepare_cached("SELECT id, organisation, name FROM known_project WHERE uuid = ?1")?
        .query_row([uuid.as_bytes()], |row| {
            let (project, organisation) = (Some(ProjectId(row.get(0)?)), Some(OrganisationId(row.get(1)?)));
            Ok(Known { place: Place { organisation, project, environment: None }, name: row.get(2)? })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| Known::unheard_of(uuid)))
}

/// An environment that the project set a name apart for; it does not exist yet. If the name was released before it came
/// to be, this may be the second time.
pub(super) fn expect_environment(
    tx: &Transaction<'_>,
    (uuid, id): (Uuid, EnvironmentId),
    project: Option<ProjectId>,
    ordinal: u64,
    name: &str,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO known_environment (id, uuid, project, ordinal, name, exists_now) VALUES (?1, ?2, ?3, ?4, ?5, 0)
            ON CONFLICT (uuid) DO UPDATE SET id = ?1, project = ?3, ordinal = ?4, name = ?5",
    )?
    .execute((id.0, uuid.as_bytes(), project.map(|id| id.0), ordinal, name))?;
    Ok(())
}

/// The environment exists from now on.
pub(super) fn add_environment(
    tx: &Transaction<'_>,
    (uuid, id): (Uuid, EnvironmentId),
    project: ProjectId,
    name: &str,
    origin: &Origin,
) -> Result<()> {
    let batches_total = match origin {
        Origin::New => None,
        Origin::Clone(origin) => Some(origin.batches_total),
        Origin::Import { batches_total, .. } => Some(*batches_total),
    };
    tx.prepare_cached(
        "INSERT INTO known_environment (id, uuid, project, name, batches_total, exists_now)
            VALUES (?1, ?2, ?3, ?4, ?5, 1)
            ON CONFLICT DO UPDATE SET name = ?4, batches_total = ?5, exists_now = 1",
    )?
    .execute((id.0, uuid.as_bytes(), project.0, name, batches_total))?;
    Ok(())
}

pub(super) fn rename_environment(tx: &Transaction<'_>, uuid: Uuid, name: &str) -> Result<()> {
    tx.prepare_cached("UPDATE known_environment SET name = ?2 WHERE uuid = ?1")?.execute((uuid.as_bytes(), name))?;
    Ok(())
}

/// The environment exists no longer; its name is still known.
pub(super) fn end_environment(tx: &Transaction<'_>, uuid: Uuid) -> Result<()> {
    tx.prepare_cached("UPDATE known_environment SET exists_now = 0 WHERE uuid = ?1")?.execute([uuid.as_bytes()])?;
    Ok(())
}

pub(super) fn environment(tx: &Transaction<'_>, uuid: Uuid) -> Result<KnownEnvironment> {
    let found = tx
        .prepare_cached(
            "SELECT environment.id, environment.project, project.organisation, environment.name,
                    environment.batches_total
                FROM known_environment AS environment
                LEFT JOIN known_project AS project ON project.id = environment.project
                WHERE environment.uuid = ?1",
        )?
        .query_row([uuid.as_bytes()], |row| {
            let place = Place {
                environment: Some(EnvironmentId(row.get(0)?)),
                project: row.get::<_, Option<i64>>(1)?.map(ProjectId),
                organisation: row.get::<_, Option<i64>>(2)?.map(OrganisationId),
            };
            Ok(KnownEnvironment { place, name: row.get(3)?, batches_total: row.get(4)? })
        })
        .optional()?;
    Ok(found.unwrap_or_else(|| {
        let Known { place, name } = Known::unheard_of(uuid);
        KnownEnvironment { place, name, batches_total: None }
    }))
}

/// The environments that the project has, oldest first, and the id that a new feature's state has in each: the first of
/// the ids set apart for it, and so on by the environments' ordinals.
pub(super) fn new_feature_states(
    tx: &Transaction<'_>,
    project: ProjectId,
    first: FeatureStateId,
) -> Result<Vec<(EnvironmentId, Option<FeatureStateId>)>> {
    tx.prepare_cached(
        "SELECT id, ordinal FROM known_environment WHERE project = ?1 AND exists_now ORDER BY ordinal, id",
    )?
    .query_map([project.0], |row| {
        let ordinal: Option<u64> = row.get(1)?;
        Ok((EnvironmentId(row.get(0)?), ordinal.map(|ordinal| first.plus(ordinal))))
    })?
    .collect()
}
