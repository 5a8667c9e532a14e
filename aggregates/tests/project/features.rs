//! Features: their names, what is said of them, and their end.

use offshoot_aggregates::ids::{FeatureId, FeatureStateId, MultivariateOptionId};
use offshoot_aggregates::limits::{
    DESCRIPTION_CHARACTERS_MAX, MULTIVARIATE_OPTIONS_MAX, NAME_CHARACTERS_MAX, OPTION_KEY_CHARACTERS_MAX,
    STRING_VALUE_CHARACTERS_MAX,
};
use offshoot_aggregates::project::{
    FeatureChange, FeatureDefinition, FeatureType, MultivariateOption, Project, ProjectCommand as Command,
    ProjectError as Error, ProjectEvent as Event, ProjectSettings,
};
use offshoot_aggregates::text::TextProblem;

use crate::support::project::{
    environment_reserved, feature, feature_created, feature_deleted, multivariate, option, project,
};
use crate::support::scenario::{fold, given};
use crate::support::{bad_names, bad_texts, problem, text};

fn create(feature: FeatureDefinition) -> Command {
    let first_feature_state_id = FeatureStateId(100 * feature.id.0);
    Command::CreateFeature { feature, first_feature_state_id, feature_state_ids: 10 }
}

fn describe(change: FeatureChange) -> Command {
    Command::DescribeFeature { feature: FeatureId(1), change }
}

fn described(before: (Option<&str>, bool), after: (Option<&str>, bool)) -> Event {
    Event::FeatureDescribed {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        description_before: before.0.map(str::to_owned),
        description_after: after.0.map(str::to_owned),
        is_server_key_only_before: before.1,
        is_server_key_only_after: after.1,
    }
}

fn archived() -> Event {
    Event::FeatureArchived { feature: FeatureId(1), feature_name: "flag".to_owned() }
}

fn with_rule(pattern: &str) -> Event {
    Event::ProjectSettingsChanged {
        before: ProjectSettings::named("shop"),
        after: ProjectSettings { feature_name_regex: Some(pattern.to_owned()), ..ProjectSettings::named("shop") },
    }
}

#[test]
fn a_feature_comes_to_be() {
    let project =
        given::<Project>(project([])).when(create(feature(1, "flag"))).then([feature_created(feature(1, "flag"), 0)]);
    assert_eq!(project.features()[&FeatureId(1)].definition, feature(1, "flag"));
    assert_eq!(project.features_ever(), 1);
}

#[test]
fn features_are_counted_also_when_they_are_gone() {
    given::<Project>(project([feature_created(feature(1, "flag"), 0), feature_deleted(1, "flag")]))
        .when(create(feature(2, "other")))
        .then([feature_created(feature(2, "other"), 1)]);
}

#[test]
fn the_name_of_a_feature_is_unique_in_whatever_case() {
    let project = || given::<Project>(project([feature_created(feature(1, "Größe"), 0)]));
    project().when(create(feature(2, "Größe"))).then_rejected(Error::FeatureNameTaken);
    project().when(create(feature(2, "GRÖße"))).then_rejected(Error::FeatureNameTaken);
    project().when(create(feature(2, "grösse"))).then([feature_created(feature(2, "grösse"), 1)]);
}

#[test]
fn a_feature_is_found_by_its_name_in_whatever_case() {
    let project = fold::<Project>(project([feature_created(feature(1, "Flag"), 0)]));
    assert_eq!(project.feature_named("fLAG").map(|feature| feature.definition.id), Some(FeatureId(1)));
    assert_eq!(project.feature_named("flags"), None);
}

#[test]
fn the_name_of_a_deleted_feature_can_be_taken() {
    given::<Project>(project([feature_created(feature(1, "Flag"), 0), feature_deleted(1, "Flag")]))
        .when(create(feature(2, "flag")))
        .then([feature_created(feature(2, "flag"), 1)]);
}

#[test]
fn a_deleted_feature_leaves_nothing_of_its_name() {
    let gone = |name| fold::<Project>(project([feature_created(feature(1, name), 0), feature_deleted(1, name)]));
    assert_eq!(gone("one"), gone("another"));
}

#[test]
fn a_feature_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        given::<Project>(project([])).when(create(feature(1, &name))).then_rejected(problem("name", wrong));
    }
    given::<Project>(project([])).when(create(feature(1, &text(NAME_CHARACTERS_MAX)))).then_accepted();
}

#[test]
fn the_name_of_a_feature_must_match_the_projects_rule_from_end_to_end() {
    let project = |pattern| given::<Project>(project([with_rule(pattern)]));
    let form = |pattern: &str| Error::FeatureNameForm { pattern: pattern.to_owned() };
    project("[a-z]+").when(create(feature(1, "new_flag"))).then_rejected(form("[a-z]+"));
    project("a|b").when(create(feature(1, "ab"))).then_rejected(form("a|b"));
    project("[a-z]+").when(create(feature(1, "flag\n"))).then_rejected(form("[a-z]+"));
    project("^[a-z]+$").when(create(feature(1, "flag"))).then_accepted();
}

#[test]
fn that_names_should_be_in_lower_case_is_a_hint_for_user_interfaces() {
    assert!(ProjectSettings::named("shop").only_allow_lower_case_feature_names);
    given::<Project>(project([])).when(create(feature(1, "Flag"))).then_accepted();
}

#[test]
fn the_texts_of_a_feature_have_limits_that_are_counted_in_characters() {
    for (description, wrong) in bad_texts(DESCRIPTION_CHARACTERS_MAX) {
        let feature = FeatureDefinition { description: Some(description), ..feature(1, "flag") };
        given::<Project>(project([])).when(create(feature)).then_rejected(problem("description", wrong));
    }
    for (value, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let feature = FeatureDefinition { initial_value: Some(value.into()), ..feature(1, "flag") };
        given::<Project>(project([])).when(create(feature)).then_rejected(problem("initial_value", wrong));
    }
    let longest = FeatureDefinition {
        description: Some(text(DESCRIPTION_CHARACTERS_MAX)),
        initial_value: Some(text(STRING_VALUE_CHARACTERS_MAX).into()),
        ..feature(1, "flag")
    };
    given::<Project>(project([])).when(create(longest)).then_accepted();
}

#[test]
fn a_feature_needs_an_id_for_its_state_in_each_environment_there_ever_was() {
    let events = project([
        environment_reserved(5, "production", 0, 0),
        Event::EnvironmentNameReleased { environment: crate::support::uuid(5), name: "production".to_owned() },
        environment_reserved(6, "staging", 1, 0),
    ]);
    let create = |feature_state_ids| Command::CreateFeature {
        feature: feature(1, "flag"),
        first_feature_state_id: FeatureStateId(100),
        feature_state_ids,
    };
    given::<Project>(events.clone()).when(create(1)).then_rejected(Error::TooFewIds { needed: 2 });
    given::<Project>(events).when(create(2)).then([feature_created(feature(1, "flag"), 0)]);
}

#[test]
fn the_options_of_a_new_feature_are_put_in_order_and_make_it_multivariate() {
    let unordered = FeatureDefinition {
        feature_type: FeatureType::Standard,
        ..multivariate(1, "flag", [option(2, 20.0), option(1, 30.0)])
    };
    let ordered = multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]);
    given::<Project>(project([])).when(create(unordered)).then([feature_created(ordered, 0)]);
}

#[test]
fn the_default_shares_of_options_sum_to_at_most_100() {
    let create =
        |shares: &[f64]| create(multivariate(1, "flag", (1..).zip(shares).map(|(id, share)| option(id, *share))));
    given::<Project>(project([])).when(create(&[80.0, 20.1])).then_rejected(Error::PercentagesExceed);
    given::<Project>(project([])).when(create(&[80.0, 20.0])).then_accepted();
    // In floating point these sum to a little more than 100.
    let shares = [9.0, 1.8, 8.7, 3.6, 28.3, 3.3, 38.1, 7.2];
    assert!(shares.iter().sum::<f64>() > 100.0);
    given::<Project>(project([])).when(create(&shares)).then_accepted();
}

#[test]
fn a_default_share_is_a_number_from_0_to_100() {
    for share in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        given::<Project>(project([]))
            .when(create(multivariate(1, "flag", [option(1, share)])))
            .then_rejected(Error::InvalidPercentage);
    }
}

#[test]
fn a_feature_has_a_limited_number_of_options() {
    let create = |count: usize| create(multivariate(1, "flag", (1..).take(count).map(|id| option(id, 1.0))));
    let max = MULTIVARIATE_OPTIONS_MAX;
    given::<Project>(project([])).when(create(max + 1)).then_rejected(Error::TooManyOptions { max });
    given::<Project>(project([])).when(create(max)).then_accepted();
}

#[test]
fn the_key_of_an_option_is_a_slug() {
    let create = |key: &str| {
        let keyed = MultivariateOption { key: Some(key.to_owned()), ..option(1, 10.0) };
        given::<Project>(project([])).when(create(multivariate(1, "flag", [keyed])))
    };
    for key in ["two words", "ü", "a.b"] {
        create(key).then_rejected(problem("key", TextProblem::Form("^[-a-zA-Z0-9_]+$")));
    }
    for (key, wrong) in bad_names(OPTION_KEY_CHARACTERS_MAX) {
        create(&key).then_rejected(problem("key", wrong));
    }
    create("Variant-2_b").then_accepted();
}

#[test]
fn the_key_of_an_option_is_unique_in_its_feature_and_not_that_of_the_control_value() {
    let keyed = |id, key: &str| MultivariateOption { key: Some(key.to_owned()), ..option(id, 10.0) };
    for options in [[keyed(1, "a"), keyed(2, "a")], [keyed(1, "a"), keyed(2, "control")]] {
        given::<Project>(project([]))
            .when(create(multivariate(1, "flag", options)))
            .then_rejected(Error::OptionKeyTaken);
    }
    given::<Project>(project([feature_created(multivariate(1, "flag", [keyed(1, "a")]), 0)]))
        .when(create(multivariate(2, "other", [keyed(2, "a")])))
        .then_accepted();
}

#[test]
fn the_value_of_an_option_has_a_limit() {
    for (value, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let value = offshoot_aggregates::environment::FeatureValue::text(Some(&value));
        let option = MultivariateOption { value, ..option(1, 10.0) };
        given::<Project>(project([]))
            .when(create(multivariate(1, "flag", [option])))
            .then_rejected(problem("string_value", wrong));
    }
}

#[test]
fn what_is_said_of_a_feature_is_changed_piece_by_piece() {
    let events = || project([feature_created(feature(1, "flag"), 0)]);
    let description = Some(Some("for tests".to_owned()));
    let project = given::<Project>(events())
        .when(describe(FeatureChange { description, ..FeatureChange::default() }))
        .then([described((None, false), (Some("for tests"), false))]);
    assert_eq!(project.features()[&FeatureId(1)].definition.description.as_deref(), Some("for tests"));

    let project = given::<Project>(events())
        .when(describe(FeatureChange { is_server_key_only: Some(true), ..FeatureChange::default() }))
        .then([described((None, false), (None, true))]);
    assert!(project.features()[&FeatureId(1)].definition.is_server_key_only);

    let project = given::<Project>(events())
        .when(describe(FeatureChange { is_archived: Some(true), ..FeatureChange::default() }))
        .then([archived()]);
    assert!(project.features()[&FeatureId(1)].definition.is_archived);
}

#[test]
fn a_feature_comes_back_into_use_and_loses_its_description_at_once() {
    let said = FeatureDefinition { description: Some("old".to_owned()), ..feature(1, "flag") };
    let unarchived = Event::FeatureUnarchived { feature: FeatureId(1), feature_name: "flag".to_owned() };
    let project = given::<Project>(project([feature_created(said, 0), archived()]))
        .when(describe(FeatureChange { description: Some(None), is_archived: Some(false), ..FeatureChange::default() }))
        .then([described((Some("old"), false), (None, false)), unarchived]);
    assert_eq!(project.features()[&FeatureId(1)].definition, feature(1, "flag"));
}

#[test]
fn to_say_of_a_feature_what_was_said_before_changes_nothing() {
    let same = FeatureChange { description: Some(None), is_archived: Some(false), is_server_key_only: Some(false) };
    for change in [FeatureChange::default(), same] {
        given::<Project>(project([feature_created(feature(1, "flag"), 0)])).when(describe(change)).then_nothing();
    }
}

#[test]
fn a_description_has_a_limit() {
    for (description, wrong) in bad_texts(DESCRIPTION_CHARACTERS_MAX) {
        let change = FeatureChange { description: Some(Some(description)), ..FeatureChange::default() };
        given::<Project>(project([feature_created(feature(1, "flag"), 0)]))
            .when(describe(change))
            .then_rejected(problem("description", wrong));
    }
}

#[test]
fn a_feature_is_deleted() {
    let project = given::<Project>(project([feature_created(feature(1, "flag"), 0)]))
        .when(Command::DeleteFeature { feature: FeatureId(1) })
        .then([feature_deleted(1, "flag")]);
    assert!(project.features().is_empty());
    assert!(project.is_deleted_feature(FeatureId(1)));
    assert!(!project.is_deleted_feature(FeatureId(2)));
}

#[test]
fn a_feature_that_is_not_there_cannot_be_changed() {
    let commands = [
        describe(FeatureChange::default()),
        Command::DeleteFeature { feature: FeatureId(1) },
        Command::AddMultivariateOption { feature: FeatureId(1), option: option(1, 10.0) },
        Command::ChangeMultivariateOption {
            feature: FeatureId(1),
            option: MultivariateOptionId(1),
            change: Default::default(),
        },
        Command::RemoveMultivariateOption { feature: FeatureId(1), option: MultivariateOptionId(1) },
    ];
    for command in commands {
        given::<Project>(project([])).when(command.clone()).then_rejected(Error::FeatureNotFound);
        let events = project([feature_created(feature(1, "flag"), 0), feature_deleted(1, "flag")]);
        given::<Project>(events).when(command).then_rejected(Error::FeatureNotFound);
    }
}
