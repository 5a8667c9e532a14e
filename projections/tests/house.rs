//! A house for the tests of feature states: a project whose features and environments have ids that are easy to tell.
//!
//! Environment `e` has ordinal `e - 1`, and its block of ids begins at `e * 1_000`. Feature `f` has ordinal `f - 1`; its states
//! in environments that were there before it have the ids from `100_000 + f * 100` on.

use std::sync::Arc;

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    Allocation, BatchedState, CloneMode, CloneOrigin, EnvironmentEvent, EnvironmentRef, EnvironmentSettings,
    FeatureStateContent, FeatureValue, Origin, SegmentLink,
};
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, ProjectId, SegmentId,
};
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent, ReservationPurpose,
};
use offshoot_aggregates::{Position, Version};
use offshoot_projections::feature_states::{
    FeatureStateView, FeatureStates, StateFilter, StateScope, count_states, environment_states, list_states,
};
use offshoot_projections::{Page, Projection, apply, open};
use rusqlite::Connection;

use crate::history::{History, definition, option, second, uuid};

/// The project of every house.
pub const PROJECT: u64 = 11;

/// A history with one project, and what is needed to write on.
pub struct House {
    pub history: History,
    features: u64,
    environments: u64,
}

impl House {
    /// A project with so many features: 1, 2, 3, …
    pub fn with_features(count: i64) -> Self {
        let mut house = Self { history: History::with_project(), features: 0, environments: 0 };
        (1..=count).for_each(|feature| house.create_feature(feature_of(feature, &[])));
        house
    }

    pub fn project(&mut self, event: ProjectEvent) {
        self.history.project(PROJECT, event);
    }

    pub fn environment(&mut self, environment: u64, event: EnvironmentEvent) {
        self.history.environment(environment, event);
    }

    pub fn create_feature(&mut self, feature: FeatureDefinition) {
        let first_feature_state_id = FeatureStateId(100_000 + feature.id.0 * 100);
        self.project(ProjectEvent::FeatureCreated { feature, ordinal: self.features, first_feature_state_id });
        self.features += 1;
    }

    /// Features that come in one batch, before there are environments.
    pub fn import_features(&mut self, features: Vec<FeatureDefinition>) {
        let (first_ordinal, count) = (self.features, features.len() as u64);
        self.project(ProjectEvent::FeaturesImported { batch: 1, first_ordinal, features: Arc::new(features) });
        self.features += count;
    }

    pub fn delete_feature(&mut self, feature: i64) {
        let feature_name = format!("f{feature}");
        self.project(ProjectEvent::FeatureDeleted { feature: FeatureId(feature), feature_name });
    }

    /// Reserves the name of environment `environments + 1`.
    pub fn reserve(&mut self, environment: u64, in_batches: bool) {
        let reservation = self.next_reservation();
        self.project(ProjectEvent::EnvironmentNameReserved {
            environment: uuid(environment),
            environment_id: id_of(environment),
            name: format!("env{environment}"),
            reservation,
            purpose: ReservationPurpose::NewEnvironment {
                ordinal: self.environments,
                known_features: self.features,
                first_feature_state_id: FeatureStateId(environment.cast_signed() * 1_000),
                in_batches,
            },
        });
        self.environments += 1;
    }

    pub fn create(&mut self, environment: u64, origin: Origin) {
        self.environment(environment, created(environment, origin));
    }

    /// A new environment, every feature in its default state.
    pub fn new_environment(&mut self, environment: u64) {
        self.reserve(environment, false);
        self.create(environment, Origin::New);
    }

    /// A clone of environment 1 as of now, whose states are still to come.
    pub fn begin_clone(&mut self, environment: u64) {
        let cut = self.history.events.len() as u64;
        self.reserve(environment, true);
        self.create(environment, clone_origin(environment, cut, 4, 2));
    }

    pub fn copy(&mut self, environment: u64, batch: u32, states: Vec<BatchedState>) {
        self.environment(environment, EnvironmentEvent::FeatureStatesBatchCopied { batch, states: Arc::new(states) });
    }

    pub fn complete_clone(&mut self, environment: u64) {
        self.environment(environment, EnvironmentEvent::CloneCompleted { feature_states: 4, batches: 2 });
    }

    pub fn fail_clone(&mut self, environment: u64, batch: u32) {
        let (code, detail) = ("unavailable".to_owned(), "the store is away".to_owned());
        self.environment(environment, EnvironmentEvent::CloneFailed { batch, code, detail });
    }

    /// Reserves a new name for an environment: the first step of a rename.
    pub fn reserve_rename(&mut self, environment: u64, name: &str) {
        let reservation = self.next_reservation();
        self.project(ProjectEvent::EnvironmentNameReserved {
            environment: uuid(environment),
            environment_id: id_of(environment),
            name: name.to_owned(),
            reservation,
            purpose: ReservationPurpose::Rename,
        });
    }

    /// The number that the next reservation of a name gets.
    pub fn next_reservation(&self) -> u64 {
        let events = self.history.events.iter();
        events.filter(|event| event.event_type == "EnvironmentNameReserved").count() as u64 + 1
    }

    /// Gives an environment a name and a description: the second step of a rename.
    pub fn rename(&mut self, environment: u64, name: &str) {
        let before = EnvironmentSettings::named(format!("env{environment}"));
        let after = EnvironmentSettings { description: Some("new".to_owned()), ..EnvironmentSettings::named(name) };
        self.environment(environment, EnvironmentEvent::EnvironmentSettingsChanged { before, after });
    }

    pub fn release_name(&mut self, environment: u64, name: &str) {
        let (environment, name) = (uuid(environment), name.to_owned());
        self.project(ProjectEvent::EnvironmentNameReleased { environment, name });
    }

    pub fn delete_environment(&mut self, environment: u64) {
        let name = format!("env{environment}");
        self.environment(environment, EnvironmentEvent::EnvironmentDeleted { name });
    }

    /// When the last event was recorded.
    pub fn now(&self) -> Timestamp {
        second(self.history.events.len() as u64)
    }

    pub fn add_option(&mut self, feature: i64, option: MultivariateOption) {
        let (feature, feature_name) = (FeatureId(feature), format!("f{feature}"));
        self.project(ProjectEvent::MultivariateOptionAdded { feature, feature_name, option });
    }

    pub fn remove_option(&mut self, feature: i64, option: MultivariateOption) {
        let (feature, feature_name) = (FeatureId(feature), format!("f{feature}"));
        self.project(ProjectEvent::MultivariateOptionRemoved { feature, feature_name, option });
    }

    pub fn change_default_share(&mut self, feature: i64, before: MultivariateOption, share: f64) {
        let after = MultivariateOption { default_percentage_allocation: share, ..before.clone() };
        let (feature, feature_name) = (FeatureId(feature), format!("f{feature}"));
        self.project(ProjectEvent::MultivariateOptionChanged { feature, feature_name, before, after });
    }

    pub fn delete_segment(&mut self, segment: i64) {
        let (segment, segment_name) = (SegmentId(segment), format!("s{segment}"));
        self.project(ProjectEvent::SegmentDeleted { segment, segment_name });
    }

    /// Sets the default state of a feature.
    pub fn set(&mut self, environment: u64, feature: i64, id: i64, after: FeatureStateContent) {
        let (before, after) = (Arc::new(content(id, FeatureValue::default())), Arc::new(after));
        let (feature, feature_name, feature_state) = (FeatureId(feature), format!("f{feature}"), FeatureStateId(id));
        let changed = EnvironmentEvent::FeatureStateChanged { feature, feature_name, feature_state, before, after };
        self.environment(environment, changed);
    }

    /// Sets the override of a feature for a segment.
    pub fn set_override(
        &mut self,
        environment: u64,
        feature: i64,
        link: SegmentLink,
        id: i64,
        after: FeatureStateContent,
    ) {
        self.environment(
            environment,
            EnvironmentEvent::SegmentOverrideSet {
                feature: FeatureId(feature),
                feature_name: format!("f{feature}"),
                segment_name: format!("s{}", link.segment),
                link,
                feature_state: FeatureStateId(id),
                before: None,
                after: Arc::new(after),
            },
        );
    }

    /// Gives a segment a place among the overrides of a feature.
    pub fn add_override(&mut self, environment: u64, feature: i64, link: SegmentLink) {
        let (feature, feature_name) = (FeatureId(feature), format!("f{feature}"));
        let segment_name = format!("s{}", link.segment);
        self.environment(
            environment,
            EnvironmentEvent::SegmentOverrideAdded { feature, feature_name, segment_name, link },
        );
    }

    /// The read model that the events make; what it counts is what is there.
    pub fn states(&self) -> Connection {
        let connection = self.history.read_model(&FeatureStates);
        assert_counted(&connection);
        connection
    }
}

/// Asserts that every environment counts the rows it has.
pub fn assert_counted(connection: &Connection) {
    for environment in 1..5 {
        let id = EnvironmentId(environment);
        let Some(states) = environment_states(connection, id).unwrap() else { continue };
        let with_overrides = StateFilter { scope: StateScope::All, ..StateFilter::default() };
        for (filter, counted) in [(StateFilter::default(), states.default_states), (with_overrides, states.states())] {
            assert_eq!(list_states(connection, id, filter, Page::ALL).unwrap().len() as u64, counted);
            assert_eq!(count_states(connection, id, filter).unwrap(), counted);
        }
        let defaults = list_states(connection, id, StateFilter::default(), Page::ALL).unwrap();
        assert_eq!(states.enabled_states, defaults.iter().filter(|state| state.content.enabled).count() as u64);
        let sql = "SELECT count(*) FROM feature_state WHERE environment = ?1 AND segment > 0";
        let overrides: u64 = connection.query_row(sql, [environment], |row| row.get(0)).unwrap();
        assert_eq!(states.overrides, overrides);
    }
}

/// The read model that a history makes, its events applied in batches of these sizes.
pub fn read_in_batches(history: &History, projection: &dyn Projection, sizes: &[usize]) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    open(&mut connection, projection).unwrap();
    let mut rest = &history.events[..];
    for size in sizes.iter().copied().chain(std::iter::repeat(usize::MAX)) {
        if rest.is_empty() {
            break;
        }
        let (batch, after) = rest.split_at(size.clamp(1, rest.len()));
        apply(&mut connection, projection, batch).unwrap();
        rest = after;
    }
    connection
}

pub fn id_of(environment: u64) -> EnvironmentId {
    EnvironmentId(environment.cast_signed())
}

pub fn created(environment: u64, origin: Origin) -> EnvironmentEvent {
    EnvironmentEvent::EnvironmentCreated {
        id: id_of(environment),
        api_key: format!("key-of-{environment}"),
        project: uuid(PROJECT),
        project_id: ProjectId(PROJECT.cast_signed()),
        settings: EnvironmentSettings::named(format!("env{environment}")),
        origin,
    }
}

/// A clone of environment 1 as of a position.
pub fn clone_origin(environment: u64, cut: u64, feature_states_total: u64, batches_total: u32) -> Origin {
    let first = environment.cast_signed() * 1_000;
    Origin::Clone(Box::new(CloneOrigin {
        source: EnvironmentRef {
            uuid: uuid(1),
            id: EnvironmentId(1),
            name: "env1".to_owned(),
            api_key: "key-of-1".to_owned(),
        },
        position: Position(cut),
        as_of: second(cut),
        source_version: Version(1),
        project_version: Version(1),
        mode: CloneMode::Async,
        feature_states_total,
        batch_size: 2,
        batches_total,
        first_feature_state_id: FeatureStateId(first),
        first_override_state_id: FeatureStateId(first + 500),
        first_feature_segment_id: FeatureSegmentId(first),
    }))
}

/// A feature with options, each of which has a default share of 25 %.
pub fn feature_of(id: i64, options: &[i64]) -> FeatureDefinition {
    let options: Vec<_> = options.iter().map(|id| option(*id, "variant")).collect();
    let feature_type = if options.is_empty() { FeatureType::Standard } else { FeatureType::Multivariate };
    FeatureDefinition { feature_type, options, ..definition(id, &format!("f{id}")) }
}

pub fn content(seed: i64, value: FeatureValue) -> FeatureStateContent {
    FeatureStateContent { enabled: true, value, multivariate: Vec::new(), seed: FeatureStateId(seed) }
}

pub fn with_shares(content: FeatureStateContent, shares: &[(i64, f64)]) -> FeatureStateContent {
    let share = |(option, percentage): &(i64, f64)| Allocation {
        option: MultivariateOptionId(*option),
        percentage: *percentage,
    };
    FeatureStateContent { multivariate: shares.iter().map(share).collect(), ..content }
}

pub fn shares(state: &FeatureStateView) -> Vec<(i64, f64)> {
    state.content.multivariate.iter().map(|share| (share.option.0, share.percentage)).collect()
}

pub fn link(feature_segment: i64, segment: i64, priority: u32) -> SegmentLink {
    SegmentLink { feature_segment: FeatureSegmentId(feature_segment), segment: SegmentId(segment), priority }
}

/// A state in a batch.
pub fn batched(feature: i64, segment: Option<SegmentLink>, id: i64, content: FeatureStateContent) -> BatchedState {
    BatchedState { feature: FeatureId(feature), segment, id: FeatureStateId(id), content: Arc::new(content) }
}

/// All states of an environment, overrides among them.
pub fn all_states(connection: &Connection, environment: u64) -> Vec<FeatureStateView> {
    let filter = StateFilter { scope: StateScope::All, ..StateFilter::default() };
    list_states(connection, id_of(environment), filter, Page::ALL).unwrap()
}

/// The features of the default states of an environment.
pub fn features_in(connection: &Connection, environment: u64) -> Vec<i64> {
    let states = list_states(connection, id_of(environment), StateFilter::default(), Page::ALL).unwrap();
    states.iter().map(|state| state.feature.0).collect()
}

/// The state of a feature by default, or for a segment.
pub fn state_in(
    connection: &Connection,
    environment: u64,
    feature: i64,
    segment: Option<i64>,
) -> Option<FeatureStateView> {
    let segment = segment.map(SegmentId);
    let is_it = |state: &FeatureStateView| {
        state.feature == FeatureId(feature) && state.segment.map(|link| link.segment) == segment
    };
    all_states(connection, environment).into_iter().find(is_it)
}
