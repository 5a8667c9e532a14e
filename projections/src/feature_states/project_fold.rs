//! What the events of a project change: features, options and segments come and go in all its environments at once.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId, SegmentId};
use offshoot_aggregates::project::{Feature, FeatureDefinition, ProjectEvent, ReservationPurpose};
use rusqlite::{Result, Transaction};
use uuid::Uuid;

use super::bulk::BulkInsert;
use super::known::{self, FeatureRow, KnownEnvironment, KnownProject, option_share, slim};
use super::row::StateRow;
use super::served;
use super::write::{self, Counts, Which};

/// Applies an event of a project.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &ProjectEvent) -> Result<()> {
    use ProjectEvent as E;
    if let E::ProjectCreated { id, .. } = event {
        let sql = "INSERT OR IGNORE INTO project (id, uuid, version, served_at, served_since)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let (position, since) = (recorded.position.0, recorded.recorded_at.as_microsecond());
        let uuid = recorded.stream.uuid();
        let row = (id.0, uuid.as_bytes(), recorded.version.0, position, since);
        return tx.prepare_cached(sql)?.execute(row).map(drop);
    }
    let Some(project) = KnownProject::find(tx, recorded.stream.uuid())? else { return Ok(()) };
    let fold = ProjectFold { tx, recorded, project };
    served::note_project(tx, fold.project.id, recorded, event)?;
    match event {
        E::ProjectDeleted { .. } => fold.delete_project(),
        E::FeatureCreated { feature, ordinal, first_feature_state_id } => {
            fold.create_feature(feature, *ordinal, *first_feature_state_id)
        }
        E::FeaturesImported { first_ordinal, features, .. } => fold.import_features(*first_ordinal, features),
        E::FeatureDeleted { feature, .. } => fold.delete_feature(*feature),
        E::MultivariateOptionAdded { feature, option, .. } => fold.change_options(*feature, |feature| {
            feature.add_option(option_share(option.id, option.default_percentage_allocation));
        }),
        E::MultivariateOptionChanged { feature, after, .. } => {
            let environments = fold.project.environments_ever;
            fold.change_options(*feature, |feature| {
                feature.change_option(option_share(after.id, after.default_percentage_allocation), environments);
            })
        }
        E::MultivariateOptionRemoved { feature, option, .. } => {
            fold.change_options(*feature, |feature| feature.remove_option(option.id))
        }
        E::SegmentDeleted { segment, .. } => fold.delete_segment(*segment),
        E::EnvironmentNameReserved { environment, environment_id, purpose, .. } => {
            fold.reserve_name(*environment, *environment_id, purpose)
        }
        E::EnvironmentNameReleased { environment, .. } => fold.release_name(*environment),
        _ => Ok(()),
    }
}

struct ProjectFold<'t> {
    tx: &'t Transaction<'t>,
    recorded: &'t RecordedEvent,
    project: KnownProject,
}

impl ProjectFold<'_> {
    fn delete_project(&self) -> Result<()> {
        for environment in KnownEnvironment::of_project(self.tx, self.project.id)? {
            environment.delete(self.tx)?;
        }
        for table in ["feature", "deleted_segment"] {
            self.tx.execute(&format!("DELETE FROM {table} WHERE project = ?1"), [self.project.id])?;
        }
        self.tx.execute("DELETE FROM project WHERE id = ?1", [self.project.id]).map(drop)
    }

    fn row(&self, feature: Feature) -> FeatureRow {
        FeatureRow { project: self.project.id, feature, at: self.recorded.position }
    }

    fn create_feature(&self, definition: &FeatureDefinition, ordinal: u64, first: FeatureStateId) -> Result<()> {
        let feature = Feature::new(slim(definition), ordinal, first);
        for environment in KnownEnvironment::of_project(self.tx, self.project.id)? {
            let mut states = BulkInsert::new(self.tx);
            let row = StateRow::implicit(&environment, &feature, self.recorded);
            let mut counts = Counts::default();
            counts.add(&row);
            states.push(row)?;
            write::finish(self.tx, &environment, states, counts, self.recorded)?;
        }
        let mut features = BulkInsert::new(self.tx);
        features.push(self.row(feature))?;
        features.finish()?;
        self.project.count_features(self.tx, 1)
    }

    /// The project has no environments yet that would need states.
    fn import_features(&self, first_ordinal: u64, definitions: &[FeatureDefinition]) -> Result<()> {
        let mut features = BulkInsert::new(self.tx);
        for (ordinal, definition) in (first_ordinal..).zip(definitions) {
            features.push(self.row(Feature::new(slim(definition), ordinal, FeatureStateId::default())))?;
        }
        features.finish()?;
        self.project.count_features(self.tx, definitions.len().cast_signed() as i64)
    }

    /// The row stays, without what it held, so that a batch that comes later does not bring the feature back.
    fn delete_feature(&self, feature: FeatureId) -> Result<()> {
        let sql = "UPDATE feature SET is_deleted = 1, changed_at = ?3, initial_value = NULL, multivariate = NULL
            WHERE project = ?1 AND id = ?2 AND is_deleted = 0";
        let key = (self.project.id, feature.0, self.recorded.position.0);
        if self.tx.prepare_cached(sql)?.execute(key)? == 0 {
            return Ok(());
        }
        self.project.count_features(self.tx, -1)?;
        self.remove_states(Which::OfFeature(feature))
    }

    fn delete_segment(&self, segment: SegmentId) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO deleted_segment (project, id) VALUES (?1, ?2)";
        self.tx.prepare_cached(sql)?.execute((self.project.id, segment.0))?;
        self.remove_states(Which::OfSegment(segment))
    }

    fn remove_states(&self, which: Which) -> Result<()> {
        for environment in KnownEnvironment::of_project(self.tx, self.project.id)? {
            let counts = write::remove(self.tx, &environment, which)?;
            counts.add_to(self.tx, &environment, self.recorded)?;
        }
        Ok(())
    }

    /// Changes a feature's options, and the shares that states give to them.
    fn change_options(&self, id: FeatureId, change: impl FnOnce(&mut Feature)) -> Result<()> {
        let Some(mut feature) = known::feature(self.tx, self.project.id, id)? else { return Ok(()) };
        change(&mut feature);
        known::store_options(self.tx, self.project.id, &feature, self.recorded)?;
        for environment in KnownEnvironment::of_project(self.tx, self.project.id)? {
            write::resolve_shares(self.tx, &environment, &feature, self.recorded)?;
        }
        Ok(())
    }

    fn reserve_name(&self, uuid: Uuid, id: EnvironmentId, purpose: &ReservationPurpose) -> Result<()> {
        if *purpose == ReservationPurpose::Renewal {
            return Ok(());
        }
        let ReservationPurpose::NewEnvironment { ordinal, known_features, first_feature_state_id, .. } = purpose else {
            let sql = "UPDATE environment SET names = names + 1 WHERE uuid = ?1 AND project = ?2";
            return self.tx.prepare_cached(sql)?.execute((uuid.as_bytes(), self.project.id)).map(drop);
        };
        let sql = "UPDATE project SET environments_ever = ?2 WHERE id = ?1";
        self.tx.prepare_cached(sql)?.execute((self.project.id, ordinal + 1))?;
        // An environment of another project may have the UUID, if its client key was asked for again: it stays.
        let sql = "INSERT OR IGNORE INTO environment
            (id, uuid, project, ordinal, known_features, first_feature_state_id, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let at = self.recorded.recorded_at.as_microsecond();
        let (uuid, first) = (uuid.as_bytes(), first_feature_state_id.0);
        let row = (id.0, uuid, self.project.id, ordinal, known_features, first, at);
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    /// An environment without a name is none of the project's any more.
    fn release_name(&self, uuid: Uuid) -> Result<()> {
        let sql = "UPDATE environment SET names = names - 1 WHERE uuid = ?1 AND project = ?2 RETURNING names";
        let mut statement = self.tx.prepare_cached(sql)?;
        let names: Vec<i64> =
            statement.query_map((uuid.as_bytes(), self.project.id), |row| row.get(0))?.collect::<Result<_>>()?;
        match KnownEnvironment::find(self.tx, uuid)? {
            Some(environment) if names.first().is_some_and(|names| *names <= 0) => environment.delete(self.tx),
            _ => Ok(()),
        }
    }
}
