//! The lines of an organisation's events.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::organisation::{ApiKey, ApiKeyRole, OrganisationEvent};
use rusqlite::{Result, Transaction};

use super::changes::changed;
use super::line::{ChangeType, Line, Place, RelatedObjectType};
use super::names;

/// Where the event happened, and what there is to say about it.
pub(super) fn lines(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    event: &OrganisationEvent,
) -> Result<(Place, Vec<Line>)> {
    use OrganisationEvent as E;
    let uuid = recorded.stream.uuid();
    if let E::OrganisationCreated { id, name, .. } = event {
        names::add_organisation(tx, uuid, *id, name)?;
    }
    let place = names::organisation(tx, uuid)?.place;
    let in_project = |project: ProjectId| Place { project: Some(project), ..place };
    Ok(match event {
        E::OrganisationCreated { id, name, .. } => {
            let about = (RelatedObjectType::Organisation, Some(id.0));
            let log = format!("New Organisation created: {name}");
            (place, vec![Line::new(ChangeType::Create, about, log).with_uuid(uuid)])
        }
        E::ApiKeyIssued { key } => {
            names::add_key(tx, key.uuid, key.id, &key.name)?;
            (place, vec![key_issued(key)])
        }
        E::ApiKeyRevoked { uuid, name } => {
            let about = (RelatedObjectType::ApiKey, names::key_id(tx, *uuid)?);
            let line = Line::new(ChangeType::Update, about, format!("API key revoked: {name}"));
            (place, vec![line.with_uuid(*uuid).with(changed("revoked", false, true))])
        }
        E::ProjectNameReserved { project, project_id, name, .. } => {
            let about = (RelatedObjectType::Project, Some(project_id.0));
            let line = Line::new(ChangeType::Unknown, about, format!("Project name reserved: {name}"));
            (in_project(*project_id), vec![line.with_uuid(*project)])
        }
        E::ProjectNameReleased { project, name } => {
            let known = names::project(tx, *project)?.place;
            let about = (RelatedObjectType::Project, known.project.map(|id| id.0));
            let line = Line::new(ChangeType::Unknown, about, format!("Project name released: {name}"));
            (Place { project: known.project, ..place }, vec![line.with_uuid(*project)])
        }
    })
}

/// Neither the key nor its hash is anybody's business; the prefix is there to recognise it by.
fn key_issued(key: &ApiKey) -> Line {
    let (role, may) = match key.role {
        ApiKeyRole::OrganisationAdmin => ("organisation_admin", "organisation admin"),
        ApiKeyRole::Member => ("member", "member"),
    };
    let log = format!("API key issued: {} (prefix {}, {may})", key.name, key.prefix);
    let details = [
        changed("role", None::<String>, role),
        changed("expires_at", None::<String>, key.expires_at.map(|time| time.to_string())),
    ];
    Line::new(ChangeType::Create, (RelatedObjectType::ApiKey, Some(key.id.0)), log)
        .with_uuid(key.uuid)
        .with(details.into_iter().flatten())
}
