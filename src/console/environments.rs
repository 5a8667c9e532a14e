//! Environments as pages show them: what is on, where they come from, and how far their creation is.

use std::collections::HashMap;

use offshoot_aggregates::StreamId;
use offshoot_aggregates::environment::CreationStatus;
use offshoot_aggregates::ids::EnvironmentId;
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_projections::environment_status::{self, CloneStatus, StoredEnvironment};
use offshoot_projections::features::StoredProject;
use offshoot_projections::{Page, access, feature_states};

use super::shown::{Moment, grouped};
use super::texts;
use super::viewer::Viewer;
use crate::http::problem::Problem;

/// An environment as its viewer sees it, in a list and on its page.
#[derive(Clone, Debug)]
pub struct ShownEnvironment {
    /// Its client key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its stream.
    pub stream: StreamId,
    /// When anything in it last changed.
    pub changed_at: Moment,
    /// When it came to be.
    pub created_at: Moment,
    /// Where its states come from, if it is a clone.
    pub origin: Option<ShownOrigin>,
    /// How many features are on; none while it is being created.
    pub flags: Option<Flags>,
    /// How far its creation is, if it is not at its end.
    pub creation: Option<Creation>,
    /// Whether the viewer may change its settings and delete it.
    pub can_administer: bool,
    /// Whether the viewer may clone it, or decide about its creation.
    pub can_clone: bool,
}

/// What a clone was made from.
#[derive(Clone, Debug)]
pub struct ShownOrigin {
    /// The name that the source had.
    pub name: String,
    /// The moment as of which it was copied.
    pub as_of: Moment,
    /// The log position of that moment.
    pub position: String,
    /// When the copying came to its end.
    pub completed_at: Option<Moment>,
    /// How long it took, from the request on.
    pub took: Option<String>,
    /// How many feature states are copied.
    pub states: String,
}

/// How many features are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Those that are on.
    pub on: u64,
    /// All of them.
    pub total: u64,
}

/// How far a creation is.
#[derive(Clone, Debug)]
pub struct Creation {
    /// Feature states that are there.
    pub copied: u64,
    /// Feature states that there will be.
    pub total: u64,
    /// Batches that are there.
    pub batches: u32,
    /// Batches that there will be.
    pub batches_total: u32,
    /// How many states come in a second; none while nobody knows.
    pub rate: Option<String>,
    /// How long it will take; none while nobody knows.
    pub left: Option<String>,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why a creation failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For programs.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The batch that could not be copied.
    pub batch: u32,
}

impl Creation {
    fn of(status: &CloneStatus) -> Option<Self> {
        let is_there = matches!(status.status, CreationStatus::Completed | CreationStatus::Cancelled);
        let failure = status.error.clone().filter(|_| status.status == CreationStatus::Failed);
        (!is_there).then(|| Self {
            copied: status.feature_states_copied,
            total: status.origin.feature_states_total,
            batches: status.batches_copied,
            batches_total: status.origin.batches_total,
            rate: status.states_per_second().filter(|_| status.status == CreationStatus::Creating).map(grouped),
            left: status.estimated_remaining_ms().map(texts::environments::left),
            attempts: status.attempts,
            failure: failure.map(|error| Failure { code: error.code, detail: error.detail, batch: error.batch }),
        })
    }

    /// How much of it is done, in whole percent.
    #[must_use]
    pub fn percent(&self) -> u64 {
        (self.copied * 100).checked_div(self.total).unwrap_or(0)
    }

    /// The counts, in words.
    #[must_use]
    pub fn counts(&self) -> String {
        texts::environments::copied(&grouped(self.copied), &grouped(self.total))
    }

    /// What those who listen are told: at every quarter, and when it fails.
    #[must_use]
    pub fn announcement(&self, name: &str) -> String {
        match &self.failure {
            Some(failure) => texts::environments::announce_failure(name, failure.batch),
            None => texts::environments::announce_progress(name, self.percent() / 25 * 25),
        }
    }
}

impl Flags {
    /// How many of a thousand are on.
    #[must_use]
    pub fn per_mille(&self) -> u64 {
        (self.on * 1_000).checked_div(self.total).unwrap_or(0)
    }

    /// The counts, in words.
    #[must_use]
    pub fn counts(&self) -> String {
        texts::environments::on(&grouped(self.on), &grouped(self.total))
    }
}

impl ShownOrigin {
    fn of(status: &CloneStatus) -> Self {
        let took = status.completed_at.map(|end| end.duration_since(status.requested_at).as_millis());
        Self {
            name: status.origin.source.name.clone(),
            as_of: status.origin.as_of.into(),
            position: grouped(status.origin.position.0),
            completed_at: status.completed_at.map(Moment::from),
            took: took.map(|millis| texts::environments::duration(u64::try_from(millis).unwrap_or(0))),
            states: grouped(status.origin.feature_states_total),
        }
    }
}

impl ShownEnvironment {
    /// What those who listen are told when it changes.
    #[must_use]
    pub fn announcement(&self) -> String {
        match &self.creation {
            Some(creation) => creation.announcement(&self.name),
            None => texts::environments::announce_ready(&self.name),
        }
    }
}

/// The environments of a project that its viewer may see, in order of their ids.
///
/// # Errors
/// A read model cannot be asked.
pub async fn of_project(viewer: &Viewer, project: &StoredProject) -> Result<Vec<ShownEnvironment>, Problem> {
    let (principal, id) = (viewer.session.principal(), project.id);
    let query = move |file: &_| access::visible_environments(file, &principal, id);
    let visible = viewer.session.state.read_models.access.query(query).await?;
    let query = move |file: &_| environment_status::list_environments(file, id, &visible, Page::ALL);
    let stored = viewer.session.state.read_models.environment_status.query(query).await?;
    show(viewer, stored).await
}

/// Environments with everything that pages show of them.
///
/// # Errors
/// A read model cannot be asked.
pub async fn show(viewer: &Viewer, stored: Vec<StoredEnvironment>) -> Result<Vec<ShownEnvironment>, Problem> {
    let read_models = &viewer.session.state.read_models;
    let uuids: Vec<_> = stored.iter().map(|environment| environment.uuid).collect();
    let query = move |file: &_| uuids.iter().map(|uuid| environment_status::clone_status(file, *uuid)).collect();
    let clones: Vec<Option<CloneStatus>> = read_models.environment_status.query(query).await?;
    let ids: Vec<EnvironmentId> = stored.iter().filter(|one| !one.is_creating).map(|one| one.id).collect();
    let query = move |file: &_| {
        let counted = ids.iter().map(|id| {
            let Some(states) = feature_states::environment_states(file, *id)? else { return Ok(None) };
            let changed_at = feature_states::served_version(file, *id)?.map(|version| version.updated_at);
            let flags = Flags { on: states.enabled_states, total: states.default_states };
            Ok(Some((*id, (flags, changed_at))))
        });
        counted.filter_map(Result::transpose).collect::<Result<HashMap<_, _>, _>>()
    };
    let flags = read_models.feature_states.query(query).await?;
    let mut shown = Vec::with_capacity(stored.len());
    for (environment, clone) in stored.into_iter().zip(clones) {
        let (flags, changed_at) = match flags.get(&environment.id) {
            Some((flags, changed_at)) => (Some(*flags), *changed_at),
            None => (None, None),
        };
        let can_administer = viewer.session.require_in_environment(&environment, None).await.is_ok();
        let permission = Some(ProjectPermission::CreateEnvironment);
        let can_clone = viewer.session.require_in_project(environment.project, permission).await.is_ok();
        let changed_at = changed_at.map_or(environment.updated_at, |served| served.max(environment.updated_at));
        shown.push(ShownEnvironment {
            stream: StreamId::environment(environment.uuid),
            key: environment.api_key,
            name: environment.settings.name,
            description: environment.settings.description.filter(|text| !text.is_empty()),
            changed_at: changed_at.into(),
            created_at: environment.created_at.into(),
            origin: clone.as_ref().map(ShownOrigin::of),
            flags,
            creation: clone.as_ref().and_then(Creation::of),
            can_administer,
            can_clone,
        });
    }
    Ok(shown)
}
