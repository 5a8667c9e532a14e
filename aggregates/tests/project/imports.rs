//! Features that come in the batches of a document.

use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::limits::{BATCH_SIZE_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, Project, ProjectCommand as Command, ProjectError as Error, ProjectEvent as Event,
    ProjectSettings,
};

use crate::support::project::{environment_reserved, feature, feature_created, multivariate, option, project};
use crate::support::scenario::given;
use crate::support::{bad_names, problem, uuid};

fn import(batch: u32, features: impl IntoIterator<Item = FeatureDefinition>) -> Command {
    Command::ImportFeatures { batch, features: features.into_iter().collect::<Vec<_>>().into() }
}

fn imported(batch: u32, first_ordinal: u64, features: impl IntoIterator<Item = FeatureDefinition>) -> Event {
    Event::FeaturesImported { batch, first_ordinal, features: features.into_iter().collect::<Vec<_>>().into() }
}

#[test]
fn the_features_of_a_batch_come_to_be() {
    let features = || [feature(1, "a"), feature(2, "b")];
    let project = given::<Project>(project([])).when(import(1, features())).then([imported(1, 0, features())]);
    assert_eq!(project.imported_batches(), 1);
    assert_eq!(project.features().values().map(|feature| feature.ordinal).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(project.feature_named("B").map(|feature| feature.definition.id), Some(FeatureId(2)));
}

#[test]
fn batches_come_in_turn_and_count_on() {
    given::<Project>(project([imported(1, 0, [feature(1, "a"), feature(2, "b")])]))
        .when(import(2, [feature(3, "c")]))
        .then([imported(2, 2, [feature(3, "c")])]);
}

#[test]
fn a_batch_out_of_turn_is_rejected() {
    for batch in [0, 1, 3] {
        given::<Project>(project([imported(1, 0, [feature(1, "a")])]))
            .when(import(batch, [feature(2, "b")]))
            .then_rejected(Error::UnexpectedBatch { expected: 2 });
    }
}

#[test]
fn a_batch_is_neither_empty_nor_too_big() {
    let features = |count: i64| (1..=count).map(|id| feature(id, &format!("flag_{id}")));
    let max = BATCH_SIZE_MAX;
    let most = i64::try_from(max).unwrap();
    given::<Project>(project([])).when(import(1, [])).then_rejected(Error::BatchSize { max });
    given::<Project>(project([])).when(import(1, features(most + 1))).then_rejected(Error::BatchSize { max });
    given::<Project>(project([])).when(import(1, features(most))).then_accepted();
}

#[test]
fn features_come_in_batches_only_before_the_first_environment() {
    let batch = || import(1, [feature(1, "a")]);
    given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
        .when(batch())
        .then_rejected(Error::HasEnvironments);
    let gone = Event::EnvironmentNameReleased { environment: uuid(5), name: "production".to_owned() };
    given::<Project>(project([environment_reserved(5, "production", 0, 0), gone]))
        .when(batch())
        .then_rejected(Error::HasEnvironments);
}

#[test]
fn features_may_be_there_before_a_document_comes() {
    given::<Project>(project([feature_created(feature(1, "a"), 0)]))
        .when(import(1, [feature(2, "b")]))
        .then([imported(1, 1, [feature(2, "b")])]);
}

#[test]
fn names_are_unique_within_a_batch_and_over_all_of_them() {
    given::<Project>(project([]))
        .when(import(1, [feature(1, "flag"), feature(2, "FLAG")]))
        .then_rejected(Error::FeatureNameTaken);
    given::<Project>(project([imported(1, 0, [feature(1, "flag")])]))
        .when(import(2, [feature(2, "Flag")]))
        .then_rejected(Error::FeatureNameTaken);
}

#[test]
fn one_bad_feature_spoils_the_batch() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        given::<Project>(project([]))
            .when(import(1, [feature(1, "fine"), feature(2, &name)]))
            .then_rejected(problem("name", wrong));
    }
    given::<Project>(project([]))
        .when(import(1, [multivariate(1, "flag", [option(1, 60.0), option(2, 60.0)])]))
        .then_rejected(Error::PercentagesExceed);
}

#[test]
fn the_projects_rule_for_new_names_does_not_apply_to_a_document() {
    let rule = Event::ProjectSettingsChanged {
        before: ProjectSettings::named("shop"),
        after: ProjectSettings { feature_name_regex: Some("[a-z]+".to_owned()), ..ProjectSettings::named("shop") },
    };
    given::<Project>(project([rule])).when(import(1, [feature(1, "Flag 1")])).then([imported(
        1,
        0,
        [feature(1, "Flag 1")],
    )]);
}

#[test]
fn the_options_in_a_batch_are_put_in_order() {
    let unordered = FeatureDefinition {
        feature_type: FeatureType::Standard,
        ..multivariate(2, "b", [option(2, 20.0), option(1, 30.0)])
    };
    let ordered = multivariate(2, "b", [option(1, 30.0), option(2, 20.0)]);
    given::<Project>(project([])).when(import(1, [feature(1, "a"), unordered])).then([imported(
        1,
        0,
        [feature(1, "a"), ordered],
    )]);
}
