//! Identity overrides: set, changed, removed.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event, ExpectedOverride,
    FeatureRef, FeatureStateContent, FeatureValue, StateChange,
};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};
use offshoot_aggregates::limits::{IDENTITY_OVERRIDES_MAX, STRING_VALUE_CHARACTERS_MAX};
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectEvent};

use crate::support::environment::{
    clone_of, content, environment, feature_ref, identity_added, identity_override_set, share,
};
use crate::support::project::{
    environment_reserved, feature, feature_created, multivariate, option, option_removed, project,
};
use crate::support::scenario::{fold, given};
use crate::support::{bad_texts, problem};

fn flag_of(definition: FeatureDefinition, events: impl IntoIterator<Item = ProjectEvent>) -> FeatureRef {
    let first = [feature_created(definition, 0), environment_reserved(2, "staging", 0, 1)];
    let project: Project = fold(project(first.into_iter().chain(events)));
    feature_ref(&project, 2, 1)
}

fn flag() -> FeatureRef {
    flag_of(feature(1, "flag"), [])
}

/// Sets the override for identity 7, whose state has the id 500 if it is new.
fn set_expecting(feature: FeatureRef, change: StateChange, expected: ExpectedOverride) -> Command {
    let (identity, feature_state) = (IdentityId(7), FeatureStateId(500));
    Command::SetIdentityOverride { feature, identity, feature_state, change, expected }
}

fn set_of(feature: FeatureRef, change: StateChange) -> Command {
    set_expecting(feature, change, ExpectedOverride::Any)
}

fn set(change: StateChange) -> Command {
    set_of(flag(), change)
}

fn on() -> StateChange {
    StateChange { enabled: Some(true), ..StateChange::default() }
}

fn enabled(content: FeatureStateContent) -> FeatureStateContent {
    FeatureStateContent { enabled: true, ..content }
}

fn unset(seed: i64) -> FeatureStateContent {
    FeatureStateContent::unset(FeatureStateId(seed))
}

/// An environment that knows identity 7, and what happened to it then.
fn known(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    environment([identity_added(7, "user_1")].into_iter().chain(events))
}

fn made(after: FeatureStateContent) -> Event {
    identity_override_set(7, "user_1", 500, after)
}

/// The override was set before, and now again.
fn set_again(said: FeatureStateContent, after: FeatureStateContent) -> Event {
    match made(after) {
        Event::IdentityOverrideSet { feature, feature_name, identity, identifier, feature_state, after, .. } => {
            let before = Some(Arc::new(said));
            Event::IdentityOverrideSet { feature, feature_name, identity, identifier, feature_state, before, after }
        }
        other => other,
    }
}

fn remove(feature: i64, identity: i64) -> Command {
    let (feature, feature_name) = (FeatureId(feature), "flag".to_owned());
    Command::RemoveIdentityOverride { feature, feature_name, identity: IdentityId(identity) }
}

fn removed(before: FeatureStateContent) -> Event {
    Event::IdentityOverrideRemoved {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        identity: IdentityId(7),
        identifier: "user_1".to_owned(),
        feature_state: FeatureStateId(500),
        before: Arc::new(before),
    }
}

#[test]
fn an_override_that_is_set_for_the_first_time_starts_off_and_without_a_value() {
    let environment = given::<Environment>(known([])).when(set(on())).then([made(enabled(unset(500)))]);
    let state = environment.identities().override_of(IdentityId(7), FeatureId(1)).unwrap();
    assert_eq!((state.id.0, state.content.seed.0), (500, 500));
    given::<Environment>(known([])).when(set(StateChange::default())).then([made(unset(500))]);
}

#[test]
fn an_override_is_for_an_identity_that_is_known() {
    given::<Environment>(environment([])).when(set(on())).then_rejected(Error::IdentityNotFound);
    given::<Environment>(environment([identity_added(8, "user_2")]))
        .when(set(on()))
        .then_rejected(Error::IdentityNotFound);
    given::<Environment>(environment([])).when(remove(1, 7)).then_rejected(Error::IdentityNotFound);
}

#[test]
fn a_later_change_starts_from_what_was_set() {
    given::<Environment>(known([made(content("a", 7))]))
        .when(set(on()))
        .then([set_again(content("a", 7), enabled(content("a", 7)))]);
}

#[test]
fn an_override_that_is_set_to_what_it_is_stays() {
    let same = StateChange { value: Some(FeatureValue::text(Some("a"))), ..StateChange::default() };
    for change in [same, StateChange::default()] {
        given::<Environment>(known([made(content("a", 500))])).when(set(change)).then_nothing();
    }
}

#[test]
fn an_override_is_made_only_once_if_it_is_to_be_made_and_changed_only_if_it_is_to_be_changed() {
    let with_state = || known([made(content("a", 500))]);
    given::<Environment>(known([]))
        .when(set_expecting(flag(), on(), ExpectedOverride::Unset))
        .then([made(enabled(unset(500)))]);
    given::<Environment>(with_state())
        .when(set_expecting(flag(), on(), ExpectedOverride::Unset))
        .then_rejected(Error::IdentityOverrideExists);
    given::<Environment>(known([]))
        .when(set_expecting(flag(), on(), ExpectedOverride::Set))
        .then_rejected(Error::IdentityOverrideNotFound);
    given::<Environment>(with_state())
        .when(set_expecting(flag(), on(), ExpectedOverride::Set))
        .then([set_again(content("a", 500), enabled(content("a", 500)))]);
}

#[test]
fn a_text_value_has_a_limit() {
    for (bad, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let value = Some(FeatureValue::text(Some(&bad)));
        given::<Environment>(known([]))
            .when(set(StateChange { value, ..StateChange::default() }))
            .then_rejected(problem("feature_state_value", wrong));
    }
}

#[test]
fn an_override_has_only_the_shares_that_are_set() {
    let mv = || flag_of(multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]), []);
    let shares = |shares: &[_]| StateChange { multivariate: Some(shares.to_vec()), ..StateChange::default() };
    let with = |shares: &[_]| FeatureStateContent { multivariate: shares.to_vec(), ..unset(500) };
    given::<Environment>(known([]))
        .when(set_of(mv(), shares(&[share(2, 100.0)])))
        .then([made(with(&[share(2, 100.0)]))]);
    given::<Environment>(known([]))
        .when(set_of(mv(), shares(&[share(1, 60.0), share(2, 40.1)])))
        .then_rejected(Error::PercentagesExceed);
    given::<Environment>(known([]))
        .when(set_of(mv(), shares(&[share(1, -1.0)])))
        .then_rejected(Error::InvalidPercentage);
    given::<Environment>(known([]))
        .when(set_of(mv(), shares(&[share(3, 1.0)])))
        .then_rejected(Error::UnknownOption { option: 3 });
    let flag =
        flag_of(multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]), [option_removed(1, option(1, 30.0))]);
    given::<Environment>(known([made(with(&[share(1, 30.0), share(2, 20.0)]))]))
        .when(set_of(flag, on()))
        .then([set_again(with(&[share(2, 20.0)]), enabled(with(&[share(2, 20.0)])))]);
}

#[test]
fn there_are_only_so_many_overrides() {
    let most = i64::try_from(IDENTITY_OVERRIDES_MAX).unwrap();
    let overrides = (1..=most).map(|feature| match identity_override_set(8, "user_2", feature, unset(1)) {
        Event::IdentityOverrideSet { feature_name, identity, identifier, feature_state, before, after, .. } => {
            let feature = FeatureId(feature);
            Event::IdentityOverrideSet { feature, feature_name, identity, identifier, feature_state, before, after }
        }
        other => other,
    });
    let full = || known([identity_added(8, "user_2")].into_iter().chain(overrides.clone()));
    given::<Environment>(full())
        .when(set(on()))
        .then_rejected(Error::TooManyIdentityOverrides { max: IDENTITY_OVERRIDES_MAX });
    let Command::SetIdentityOverride { feature, feature_state, change, expected, .. } = set(on()) else {
        panic!("another command");
    };
    let identity = IdentityId(8);
    let changed = Command::SetIdentityOverride { feature, identity, feature_state, change, expected };
    given::<Environment>(full()).when(changed).then_accepted();
}

#[test]
fn an_override_is_removed_with_its_state() {
    let environment =
        given::<Environment>(known([made(content("a", 500))])).when(remove(1, 7)).then([removed(content("a", 500))]);
    assert_eq!((environment.identities().overrides_len(), environment.identities().len()), (0, 1));
}

#[test]
fn an_override_that_is_not_there_cannot_be_removed() {
    for events in [known([]), known([made(unset(500)), removed(unset(500))])] {
        given::<Environment>(events).when(remove(1, 7)).then_rejected(Error::IdentityOverrideNotFound);
    }
    given::<Environment>(known([made(unset(500))])).when(remove(2, 7)).then_rejected(Error::IdentityOverrideNotFound);
}

#[test]
fn overrides_are_not_edited_while_the_environment_is_being_created() {
    let events = || clone_of(3, 2, [identity_added(7, "user_1")]);
    for command in [set(on()), remove(1, 7)] {
        given::<Environment>(events()).when(command).then_rejected(Error::IsCreating);
    }
}

#[test]
fn a_deleted_environment_keeps_nothing_of_them() {
    let gone = known([made(unset(500)), Event::EnvironmentDeleted { name: "staging".to_owned() }]);
    let environment: Environment = fold(gone);
    assert!(environment.identities().is_empty() && environment.identities().overrides().next().is_none());
}
