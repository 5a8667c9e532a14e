//! The read model `features`: organisations, projects, features, segments, as people define and list them.

mod definitions;
mod fold;
mod projects;
mod reservations;
mod runs;
mod segments;

use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::organisation::OrganisationEvent;
use offshoot_aggregates::{Event, RecordedEvent};
use rusqlite::Transaction;

pub use definitions::{
    FeatureFilter, FeatureSort, SortDirection, StoredFeature, all_features, count_features, feature, feature_by_id,
    feature_named, list_features, option,
};
pub use projects::{
    StoredOrganisation, StoredProject, organisation, organisations_by_ids, project, project_by_uuid, projects_by_ids,
    projects_of_organisation,
};
pub use reservations::{ForgottenProjectName, forgotten_project_names};
pub use segments::{
    SegmentFilter, StoredSegment, all_segments, count_segments, list_segments, segment, segments_by_ids,
};

use crate::Projection;

/// The read model `features`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features;

/// The ids are those of the API, each given out once in the whole installation. A feature's ordinal is its place in the
/// order in which its project got its features. Features have no index, which would take longer than the features
/// themselves: ids come in blocks, so a project's features are a few runs of ids without foreign ones between them, and
/// to list them is to walk through these runs. Deleted projects keep their row, because the audit log still names them.
const SCHEMA: &str = "
    CREATE TABLE organisation (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE project (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        organisation INTEGER NOT NULL,
        organisation_uuid BLOB NOT NULL,
        settings TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL DEFAULT 0,
        total_features INTEGER NOT NULL DEFAULT 0,
        total_segments INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX project_by_organisation ON project (organisation);
    CREATE TABLE project_name (
        organisation_uuid BLOB NOT NULL,
        name TEXT NOT NULL,
        project BLOB NOT NULL,
        reservation INTEGER NOT NULL,
        reserved_at INTEGER NOT NULL,
        PRIMARY KEY (organisation_uuid, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE creator (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (kind, actor, name)
    ) STRICT;
    CREATE TABLE feature (
        id INTEGER PRIMARY KEY,
        project INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        uuid BLOB NOT NULL,
        name TEXT NOT NULL,
        is_multivariate INTEGER NOT NULL,
        default_enabled INTEGER NOT NULL,
        initial_value TEXT,
        description TEXT,
        is_archived INTEGER NOT NULL,
        is_server_key_only INTEGER NOT NULL,
        options TEXT,
        created_at INTEGER NOT NULL,
        creator INTEGER
    ) STRICT;
    CREATE TABLE feature_run (
        project INTEGER NOT NULL,
        first_ordinal INTEGER NOT NULL,
        first_id INTEGER NOT NULL,
        last_id INTEGER NOT NULL,
        PRIMARY KEY (project, first_ordinal)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY,
        project INTEGER NOT NULL,
        definition TEXT NOT NULL,
        name TEXT NOT NULL,
        feature INTEGER,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX segment_by_project ON segment (project);";

impl Projection for Features {
    fn name(&self) -> &'static str {
        "features"
    }

    fn version(&self) -> u32 {
        3
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn concerns(&self, event_type: &str) -> bool {
        !EnvironmentEvent::TYPES.contains(&event_type)
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Organisation(OrganisationEvent::OrganisationCreated { id, name, .. }) => {
                fold::add_organisation(tx, recorded, *id, name)
            }
            Event::Organisation(event) => reservations::apply(tx, recorded, event),
            Event::Project(event) => {
                fold::apply(tx, recorded, event)?;
                fold::note_version(tx, recorded)
            }
            // Nothing else changes what is listed here; batches of states pass by at no cost.
            Event::Environment(_) | Event::IdAllocator(_) => Ok(()),
        }
    }
}
