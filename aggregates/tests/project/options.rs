//! Multivariate options of a feature that is there.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId};
use offshoot_aggregates::limits::{MULTIVARIATE_OPTIONS_MAX, STRING_VALUE_CHARACTERS_MAX};
use offshoot_aggregates::project::{
    FeatureType, MultivariateOption, OptionChange, OptionEdit, Project, ProjectCommand as Command,
    ProjectError as Error, ProjectEvent as Event,
};

use crate::support::project::{
    feature, feature_created, multivariate, option, option_added, option_changed, option_removed, project,
};
use crate::support::scenario::{Scenario, given};
use crate::support::{bad_texts, problem};

/// A project with the feature `flag` of these options.
fn flag(options: impl IntoIterator<Item = MultivariateOption>) -> Scenario<Project> {
    let options: Vec<_> = options.into_iter().collect();
    let flag = if options.is_empty() { feature(1, "flag") } else { multivariate(1, "flag", options) };
    given(project([feature_created(flag, 0)]))
}

fn add(option: MultivariateOption) -> Command {
    Command::AddMultivariateOption { feature: FeatureId(1), option }
}

fn change(option: i64, change: OptionChange) -> Command {
    Command::ChangeMultivariateOption { feature: FeatureId(1), option: MultivariateOptionId(option), change }
}

fn change_share(option: i64, percentage: f64) -> Command {
    change(option, OptionChange { default_percentage_allocation: Some(percentage), ..OptionChange::default() })
}

fn remove(option: i64) -> Command {
    Command::RemoveMultivariateOption { feature: FeatureId(1), option: MultivariateOptionId(option) }
}

fn replace(options: impl IntoIterator<Item = OptionEdit<MultivariateOption>>) -> Command {
    Command::ReplaceMultivariateOptions { feature: FeatureId(1), options: options.into_iter().collect() }
}

fn with_share(option: i64, percentage: f64) -> OptionEdit<MultivariateOption> {
    let change = OptionChange { default_percentage_allocation: Some(percentage), ..OptionChange::default() };
    OptionEdit::Change(MultivariateOptionId(option), change)
}

fn keyed(id: i64, key: &str) -> MultivariateOption {
    MultivariateOption { key: Some(key.to_owned()), ..option(id, 10.0) }
}

#[test]
fn the_first_option_makes_a_feature_multivariate() {
    let project = flag([]).when(add(option(1, 30.0))).then([option_added(1, option(1, 30.0))]);
    let flag = &project.features()[&FeatureId(1)];
    assert_eq!(flag.definition, multivariate(1, "flag", [option(1, 30.0)]));
    assert_eq!(flag.option(MultivariateOptionId(1)), Some(&option(1, 30.0)));
}

#[test]
fn options_stay_in_order_of_their_ids_in_whatever_order_they_come() {
    let project = flag([option(2, 20.0)]).when(add(option(1, 30.0))).then([option_added(1, option(1, 30.0))]);
    let options = &project.features()[&FeatureId(1)].definition.options;
    assert_eq!(*options, [option(1, 30.0), option(2, 20.0)]);
}

#[test]
fn an_option_must_fit_beside_the_others() {
    flag([option(1, 80.0)]).when(add(option(2, 20.1))).then_rejected(Error::PercentagesExceed);
    flag([option(1, 80.0)]).when(add(option(2, -1.0))).then_rejected(Error::InvalidPercentage);
    flag([keyed(1, "a")]).when(add(keyed(2, "a"))).then_rejected(Error::OptionKeyTaken);
    flag([]).when(add(keyed(1, "control"))).then_rejected(Error::OptionKeyTaken);
    let max = MULTIVARIATE_OPTIONS_MAX;
    flag((1..).take(max).map(|id| option(id, 0.5)))
        .when(add(option(1_000, 0.5)))
        .then_rejected(Error::TooManyOptions { max });
    for (value, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let option = MultivariateOption { value: FeatureValue::text(Some(&value)), ..option(1, 1.0) };
        flag([]).when(add(option)).then_rejected(problem("string_value", wrong));
    }
}

#[test]
fn a_new_value_of_an_option_leaves_its_other_columns() {
    let after = MultivariateOption {
        value: FeatureValue { string_value: Some("variant 1".into()), ..FeatureValue::integer(7) },
        ..option(1, 30.0)
    };
    let changed = Event::MultivariateOptionChanged {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        before: option(1, 30.0),
        after: after.clone(),
    };
    let value = Some(FeatureValue::integer(7));
    let project =
        flag([option(1, 30.0)]).when(change(1, OptionChange { value, ..OptionChange::default() })).then([changed]);
    assert_eq!(project.features()[&FeatureId(1)].definition.options, [after]);
}

#[test]
fn the_key_of_an_option_is_given_and_taken() {
    let changed = |before: MultivariateOption, after: MultivariateOption| Event::MultivariateOptionChanged {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        before,
        after,
    };
    let give = OptionChange { key: Some(Some("a".to_owned())), ..OptionChange::default() };
    flag([option(1, 10.0)]).when(change(1, give)).then([changed(option(1, 10.0), keyed(1, "a"))]);
    let take = OptionChange { key: Some(None), ..OptionChange::default() };
    flag([keyed(1, "a")]).when(change(1, take)).then([changed(keyed(1, "a"), option(1, 10.0))]);
}

#[test]
fn the_default_share_of_an_option_is_changed() {
    flag([option(1, 30.0), option(2, 20.0)]).when(change_share(1, 80.0)).then([option_changed(
        1,
        option(1, 30.0),
        80.0,
    )]);
}

#[test]
fn a_changed_option_must_fit_beside_the_others() {
    let flag = || flag([keyed(1, "a"), keyed(2, "b")]);
    flag().when(change_share(1, 90.1)).then_rejected(Error::PercentagesExceed);
    flag().when(change_share(1, f64::NAN)).then_rejected(Error::InvalidPercentage);
    let key = |key: &str| OptionChange { key: Some(Some(key.to_owned())), ..OptionChange::default() };
    flag().when(change(1, key("b"))).then_rejected(Error::OptionKeyTaken);
    flag().when(change(1, key("a"))).then_nothing();
    for (value, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let value = Some(FeatureValue::text(Some(&value)));
        flag()
            .when(change(1, OptionChange { value, ..OptionChange::default() }))
            .then_rejected(problem("string_value", wrong));
    }
}

#[test]
fn an_option_that_is_changed_to_what_it_is_stays() {
    flag([option(1, 30.0)]).when(change(1, OptionChange::default())).then_nothing();
    flag([option(1, 30.0)]).when(change_share(1, 30.0)).then_nothing();
}

#[test]
fn an_option_that_is_not_there_can_be_neither_changed_nor_removed() {
    let flag = || flag([option(1, 30.0)]);
    flag().when(change(2, OptionChange::default())).then_rejected(Error::OptionNotFound);
    flag().when(remove(2)).then_rejected(Error::OptionNotFound);
}

#[test]
fn an_option_is_removed_and_leaves_room() {
    let project = flag([option(1, 80.0), option(2, 20.0)]).when(remove(1)).then([option_removed(1, option(1, 80.0))]);
    let flag = &project.features()[&FeatureId(1)];
    assert_eq!(flag.definition.options, [option(2, 20.0)]);
    assert_eq!(flag.definition.feature_type, FeatureType::Multivariate);
    assert!(flag.is_removed_option(MultivariateOptionId(1)));
    assert!(!flag.is_removed_option(MultivariateOptionId(2)));
}

#[test]
fn a_feature_that_loses_its_last_option_is_a_standard_one() {
    let project = flag([option(1, 80.0)]).when(remove(1)).then([option_removed(1, option(1, 80.0))]);
    assert_eq!(project.features()[&FeatureId(1)].definition, feature(1, "flag"));
}

#[test]
fn options_are_replaced_at_once_so_that_their_shares_can_be_exchanged() {
    let edits = [with_share(2, 70.0), with_share(3, 20.0), OptionEdit::Add(option(4, 10.0))];
    let project = flag([option(1, 10.0), option(2, 20.0), option(3, 70.0)]).when(replace(edits)).then([
        option_removed(1, option(1, 10.0)),
        option_changed(1, option(2, 20.0), 70.0),
        option_changed(1, option(3, 70.0), 20.0),
        option_added(1, option(4, 10.0)),
    ]);
    let options = &project.features()[&FeatureId(1)].definition.options;
    assert_eq!(*options, [option(2, 70.0), option(3, 20.0), option(4, 10.0)]);
}

#[test]
fn options_that_take_the_place_of_others_must_fit_together() {
    let flag = || flag([keyed(1, "a"), keyed(2, "b")]);
    flag().when(replace([with_share(1, 60.0), with_share(2, 41.0)])).then_rejected(Error::PercentagesExceed);
    flag().when(replace([with_share(1, 60.0), with_share(3, 1.0)])).then_rejected(Error::OptionNotFound);
    flag().when(replace([with_share(2, 10.0), with_share(1, 10.0)])).then_nothing();
    flag().when(replace([with_share(1, 10.0), OptionEdit::Add(keyed(3, "a"))])).then_rejected(Error::OptionKeyTaken);
    flag()
        .when(replace([with_share(1, 100.0)]))
        .then([option_removed(1, keyed(2, "b")), option_changed(1, keyed(1, "a"), 100.0)]);
}
