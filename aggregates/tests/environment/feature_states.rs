//! Default states of features: on or off, and a value.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, FeatureStateContent, FeatureValue,
    StateChange, ValueType,
};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::limits::STRING_VALUE_CHARACTERS_MAX;
use offshoot_aggregates::project::Project;

use crate::support::environment::{content, environment, feature_ref, state_changed};
use crate::support::project::{environment_reserved, feature, feature_created, project};
use crate::support::scenario::{fold, given};
use crate::support::{bad_texts, problem, text};

/// Environment 2 of a project whose feature `flag` came first: its implicit state has the id 20,000.
fn set(change: StateChange) -> Command {
    let project: Project =
        fold(project([feature_created(feature(1, "flag"), 0), environment_reserved(2, "staging", 0, 1)]));
    Command::SetFeatureState { feature: feature_ref(&project, 2, 1), change }
}

fn on() -> StateChange {
    StateChange { enabled: Some(true), ..StateChange::default() }
}

fn value(value: FeatureValue) -> StateChange {
    StateChange { value: Some(value), ..StateChange::default() }
}

fn implicit() -> FeatureStateContent {
    content("value", 20_000)
}

fn enabled(content: FeatureStateContent) -> FeatureStateContent {
    FeatureStateContent { enabled: true, ..content }
}

#[test]
fn the_first_change_of_a_state_starts_from_what_the_feature_says() {
    let changed = state_changed(20_000, implicit(), enabled(implicit()));
    let environment = given::<Environment>(environment([])).when(set(on())).then([changed]);
    let state = &environment.states()[&FeatureId(1)];
    assert_eq!((state.id.0, &*state.content), (20_000, &enabled(implicit())));
}

#[test]
fn a_later_change_starts_from_what_was_set() {
    let before = enabled(content("set", 20_000));
    let set_before = state_changed(20_000, implicit(), before.clone());
    let off = StateChange { enabled: Some(false), ..StateChange::default() };
    given::<Environment>(environment([set_before])).when(set(off)).then([state_changed(
        20_000,
        before,
        content("set", 20_000),
    )]);
}

#[test]
fn a_state_keeps_its_id_and_its_seed_also_in_a_clone() {
    let copied = content("copied", 7);
    let events = environment([state_changed(33, copied.clone(), copied.clone())]);
    let environment =
        given::<Environment>(events).when(set(on())).then([state_changed(33, copied.clone(), enabled(copied))]);
    let state = &environment.states()[&FeatureId(1)];
    assert_eq!((state.id.0, state.content.seed.0), (33, 7));
}

#[test]
fn a_change_to_what_is_there_is_none() {
    let off = StateChange { enabled: Some(false), ..StateChange::default() };
    for change in [StateChange::default(), off, value(FeatureValue::text(Some("value")))] {
        given::<Environment>(environment([])).when(set(change)).then_nothing();
    }
    let set_before = state_changed(20_000, implicit(), enabled(implicit()));
    given::<Environment>(environment([set_before])).when(set(on())).then_nothing();
}

#[test]
fn a_value_of_another_type_leaves_the_other_columns_as_they_were() {
    let columns = |value_type, string: &str, integer_value, boolean_value| FeatureStateContent {
        value: FeatureValue { value_type, string_value: Some(string.into()), integer_value, boolean_value },
        ..implicit()
    };
    let steps = [
        (FeatureValue::integer(7), columns(ValueType::Int, "value", Some(7), None)),
        (FeatureValue::boolean(true), columns(ValueType::Bool, "value", Some(7), Some(true))),
        (FeatureValue::text(Some("new")), columns(ValueType::Unicode, "new", Some(7), Some(true))),
        (FeatureValue::integer(-7), columns(ValueType::Int, "new", Some(-7), Some(true))),
    ];
    let (mut events, mut before) = (environment([]), implicit());
    for (new, after) in steps {
        let changed = state_changed(20_000, before, after.clone());
        given::<Environment>(events.clone()).when(set(value(new))).then([changed.clone()]);
        events.push(changed);
        before = after;
    }
}

#[test]
fn a_value_is_taken_away() {
    let none = FeatureStateContent { value: FeatureValue::default(), ..implicit() };
    given::<Environment>(environment([])).when(set(value(FeatureValue::text(None)))).then([state_changed(
        20_000,
        implicit(),
        none,
    )]);
}

#[test]
fn a_text_value_has_a_limit_that_is_counted_in_characters() {
    for (bad, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        given::<Environment>(environment([]))
            .when(set(value(FeatureValue::text(Some(&bad)))))
            .then_rejected(problem("feature_state_value", wrong));
    }
    let longest = text(STRING_VALUE_CHARACTERS_MAX);
    given::<Environment>(environment([])).when(set(value(FeatureValue::text(Some(&longest))))).then_accepted();
}

#[test]
fn shares_of_a_feature_without_options_are_rejected() {
    let shares =
        StateChange { multivariate: Some(vec![crate::support::environment::share(1, 10.0)]), ..StateChange::default() };
    given::<Environment>(environment([])).when(set(shares)).then_rejected(Error::UnknownOption { option: 1 });
}

#[test]
fn a_state_that_was_changed_shares_its_content_with_the_event() {
    let changed = state_changed(20_000, implicit(), enabled(implicit()));
    let environment: Environment = fold(environment([changed.clone()]));
    let offshoot_aggregates::environment::EnvironmentEvent::FeatureStateChanged { after, .. } = changed else {
        panic!("another event");
    };
    assert!(Arc::ptr_eq(&environment.states()[&FeatureId(1)].content, &after));
}

#[test]
fn an_initial_value_is_read_by_flagsmiths_rule() {
    let read = |text: &str| FeatureValue::from_initial(Some(text));
    assert_eq!(FeatureValue::from_initial(None), FeatureValue::text(None));
    for text in ["true", "True"] {
        assert_eq!(read(text), FeatureValue::boolean(true));
    }
    for text in ["false", "False"] {
        assert_eq!(read(text), FeatureValue::boolean(false));
    }
    for text in ["TRUE", "", "1.5", "2147483648", "-2147483649", "blue"] {
        assert_eq!(read(text), FeatureValue::text(Some(text)));
    }
    assert_eq!(read("2147483647"), FeatureValue::integer(i32::MAX));
    assert_eq!(read("-2147483648"), FeatureValue::integer(i32::MIN));
}
