//! The lines of an environment's events.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{BatchOutline, CloneMode, CloneModeReason, EnvironmentEvent, Origin};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant};
use rusqlite::{Result, Transaction};
use serde_json::Value;
use uuid::Uuid;

use super::changes::{grant_changes, granted, object_changes};
use super::line::{ChangeDetail, ChangeType, Line, Place, RelatedObjectType, counted};
use super::names::{self, KnownEnvironment};
use super::{identity_lines, server_key_lines, state_lines};

/// Where the event happened, and what there is to say about it.
pub(super) fn lines(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    event: &EnvironmentEvent,
) -> Result<(Place, Vec<Line>)> {
    use EnvironmentEvent as E;
    let uuid = recorded.stream.uuid();
    match event {
        E::EnvironmentCreated { id, project_id, settings, origin, .. } => {
            names::add_environment(tx, (uuid, *id), *project_id, &settings.name, origin)?;
        }
        E::EnvironmentSettingsChanged { after, .. } => names::rename_environment(tx, uuid, &after.name)?,
        E::EnvironmentDeleted { .. } => names::end_environment(tx, uuid)?,
        _ => {}
    }
    let environment = names::environment(tx, uuid)?;
    let lines = match event {
        E::EnvironmentCreated { origin, .. } => {
            let reason = recorded.metadata().and_then(|metadata| metadata.clone_mode_reason);
            created(&environment, origin, reason)
        }
        E::EnvironmentPermissionGranted { before, after } => {
            vec![permissions_changed(&environment, before.as_ref(), Some(after))]
        }
        E::EnvironmentPermissionRevoked { before } => vec![permissions_changed(&environment, Some(before), None)],
        E::PermissionsInherited { source, grants } => vec![permissions_inherited(tx, &environment, *source, grants)?],
        E::EnvironmentSettingsChanged { before, after } => {
            let log = format!("Environment updated: {}", environment.name);
            vec![line(ChangeType::Update, &environment, log).with(object_changes(before, after))]
        }
        E::EnvironmentDeleted { name } => {
            vec![line(ChangeType::Delete, &environment, format!("Environment deleted: {name}"))]
        }
        E::FeatureStateChanged { .. }
        | E::SegmentOverrideAdded { .. }
        | E::SegmentOverrideSet { .. }
        | E::SegmentOverridesReordered { .. }
        | E::SegmentOverrideRemoved { .. } => state_lines::lines(event),
        E::IdentityAdded { .. }
        | E::IdentityRemoved { .. }
        | E::IdentityOverrideSet { .. }
        | E::IdentityOverrideRemoved { .. } => identity_lines::lines(event),
        E::ServerKeyIssued { .. } | E::ServerKeyChanged { .. } | E::ServerKeyRevoked { .. } => {
            server_key_lines::lines(event)
        }
        E::FeatureStatesBatchCopied { .. }
        | E::CloneCompleted { .. }
        | E::CloneFailed { .. }
        | E::CloneRetried { .. }
        | E::CloneCancelled { .. }
        | E::FeatureStatesImported { .. }
        | E::IdentityOverridesImported { .. }
        | E::ImportCompleted { .. } => progress(&environment, event).into_iter().collect(),
    };
    Ok((environment.place, lines))
}

/// Flagsmith says only that there is a new environment; here a copy says what it is a copy of.
fn created(environment: &KnownEnvironment, origin: &Origin, reason: Option<CloneModeReason>) -> Vec<Line> {
    let name = &environment.name;
    let new = line(ChangeType::Create, environment, format!("New Environment created: {name}"));
    let came_from = match origin {
        Origin::New => return vec![new],
        Origin::Clone(origin) => format!(
            "Environment {name} cloned from {} as of position {}: {}{}",
            origin.source.name,
            origin.position,
            states_in_batches(origin.feature_states_total, origin.batches_total),
            reason.map(|reason| mode_decided(origin.mode, reason)).unwrap_or_default()
        ),
        Origin::Import { document, feature_states_total, batches_total } => format!(
            "Environment {name} imported from {document}: {}",
            states_in_batches(*feature_states_total, *batches_total)
        ),
    };
    vec![new, line(ChangeType::Unknown, environment, came_from)]
}

/// Where a batch of states came, and what there is to say about it. Batches are counted, not looked into: they may be large,
/// and there may be many.
pub(super) fn batch(tx: &Transaction<'_>, uuid: Uuid, batch: &BatchOutline) -> Result<(Place, Line)> {
    let environment = names::environment(tx, uuid)?;
    let what = if batch.is_copied { "Feature states copied" } else { "Feature states imported" };
    let line = batch_line(&environment, what, batch.batch, &counted(batch.states, "feature state"));
    Ok((environment.place, line))
}

fn batch_line(environment: &KnownEnvironment, what: &str, batch: u32, count: &str) -> Line {
    let name = &environment.name;
    let of_all = environment.batches_total.map(|total| format!(" of {total}")).unwrap_or_default();
    line(ChangeType::Unknown, environment, format!("{what} to {name}: batch {batch}{of_all} ({count})"))
}

/// How a clone is copied that was asked for asynchronously, and why.
fn mode_decided(mode: CloneMode, reason: CloneModeReason) -> String {
    let mode = match mode {
        CloneMode::Async => "asynchronously",
        CloneMode::Sync => "synchronously",
    };
    let reason = match reason {
        CloneModeReason::ControlFlagEnabled => "the control flag is enabled",
        CloneModeReason::ControlFlagDisabled => "the control flag is disabled",
        CloneModeReason::ControlFlagMissing => "as configured, the control flag is missing",
        CloneModeReason::ControlEnvironmentUnavailable => "as configured, the control environment is unavailable",
        CloneModeReason::Configured => "as configured",
        CloneModeReason::TooManyStates => "too many feature states to wait for",
    };
    format!(", {mode} ({reason})")
}

/// How far a clone or an import is.
fn progress(environment: &KnownEnvironment, event: &EnvironmentEvent) -> Option<Line> {
    use EnvironmentEvent as E;
    let name = &environment.name;
    let log = match event {
        E::FeatureStatesBatchCopied { batch, states } => {
            let count = counted(states.len() as u64, "feature state");
            return Some(batch_line(environment, "Feature states copied", *batch, &count));
        }
        E::FeatureStatesImported { batch, states } => {
            let count = counted(states.len() as u64, "feature state");
            return Some(batch_line(environment, "Feature states imported", *batch, &count));
        }
        E::IdentityOverridesImported { batch, overrides } => {
            let count = counted(overrides.len() as u64, "identity override");
            return Some(batch_line(environment, "Identity overrides imported", *batch, &count));
        }
        E::CloneCompleted { feature_states, batches } => {
            format!("Clone completed: {name} ({})", states_in_batches(*feature_states, *batches))
        }
        E::CloneFailed { batch, code, detail } => format!("Clone failed: {name} at batch {batch}: {code}: {detail}"),
        E::CloneRetried { attempt, from_batch } => {
            format!("Clone retried: {name} from batch {from_batch} (attempt {attempt})")
        }
        E::CloneCancelled { batches_copied } => {
            format!("Clone cancelled: {name} after {}", counted(u64::from(*batches_copied), "batch"))
        }
        E::ImportCompleted { feature_states } => {
            format!("Import completed: {name} ({})", counted(*feature_states, "feature state"))
        }
        _ => return None,
    };
    Some(line(ChangeType::Unknown, environment, log))
}

fn states_in_batches(states: u64, batches: u32) -> String {
    format!("{} in {}", counted(states, "feature state"), counted(u64::from(batches), "batch"))
}

fn permissions_changed(
    environment: &KnownEnvironment,
    before: Option<&Grant<EnvironmentPermission>>,
    after: Option<&Grant<EnvironmentPermission>>,
) -> Line {
    let name = &environment.name;
    let whose = after.or(before).map(|grant| names::principal(&grant.principal)).unwrap_or_default();
    let log = after.map_or_else(
        || format!("Permissions revoked in environment {name} from {whose}"),
        |after| format!("Permissions granted in environment {name} to {whose}: {}", granted(after)),
    );
    line(ChangeType::Update, environment, log).with(grant_changes(before, after))
}

/// One line, with what each principal may do among the details.
fn permissions_inherited(
    tx: &Transaction<'_>,
    environment: &KnownEnvironment,
    source: Uuid,
    grants: &[Grant<EnvironmentPermission>],
) -> Result<Line> {
    let source = names::environment(tx, source)?.name;
    let detail = |grant: &Grant<EnvironmentPermission>| {
        let field = names::principal(&grant.principal);
        ChangeDetail { field, old: Value::Null, new: granted(grant).into(), option: None }
    };
    let principals = counted(grants.len() as u64, "API key");
    let log = format!("Permissions of {principals} inherited by environment {} from {source}", environment.name);
    Ok(line(ChangeType::Update, environment, log).with(grants.iter().map(detail)))
}

fn line(change: ChangeType, environment: &KnownEnvironment, log: String) -> Line {
    Line::new(change, (RelatedObjectType::Environment, environment.place.environment.map(|id| id.0)), log)
}
