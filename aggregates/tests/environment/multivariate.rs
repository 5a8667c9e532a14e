//! The shares of a multivariate feature's options in an environment.

use offshoot_aggregates::environment::{
    Allocation, Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event,
    FeatureStateContent, StateChange,
};
use offshoot_aggregates::project::{Project, ProjectEvent};

use crate::support::environment::{content, environment, feature_ref, share, state_changed};
use crate::support::project::{
    environment_reserved, feature_created, multivariate, option, option_added, option_removed, project,
};
use crate::support::scenario::{fold, given};

/// The feature `flag` with the options 1 (30 %) and 2 (20 %), environment 2, and what happened to the project then.
fn set_after(events: impl IntoIterator<Item = ProjectEvent>, change: StateChange) -> Command {
    let flag = multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]);
    let first = [feature_created(flag, 0), environment_reserved(2, "staging", 0, 1)];
    let project: Project = fold(project(first.into_iter().chain(events)));
    Command::SetFeatureState { feature: feature_ref(&project, 2, 1), change }
}

fn set(shares: &[Allocation]) -> Command {
    set_after([], to(shares))
}

fn to(shares: &[Allocation]) -> StateChange {
    StateChange { multivariate: Some(shares.to_vec()), ..StateChange::default() }
}

fn on() -> StateChange {
    StateChange { enabled: Some(true), ..StateChange::default() }
}

fn with(shares: &[Allocation]) -> FeatureStateContent {
    FeatureStateContent { multivariate: shares.to_vec(), ..content("value", 20_000) }
}

fn enabled(content: FeatureStateContent) -> FeatureStateContent {
    FeatureStateContent { enabled: true, ..content }
}

fn implicit() -> FeatureStateContent {
    with(&[share(1, 30.0), share(2, 20.0)])
}

fn changed(before: FeatureStateContent, after: FeatureStateContent) -> Event {
    state_changed(20_000, before, after)
}

#[test]
fn options_that_are_not_named_keep_their_shares() {
    given::<Environment>(environment([]))
        .when(set(&[share(2, 70.0)]))
        .then([changed(implicit(), with(&[share(1, 30.0), share(2, 70.0)]))]);
}

#[test]
fn shares_are_kept_in_order_of_the_options_ids() {
    given::<Environment>(environment([]))
        .when(set(&[share(2, 0.0), share(1, 100.0)]))
        .then([changed(implicit(), with(&[share(1, 100.0), share(2, 0.0)]))]);
}

#[test]
fn an_option_that_is_named_twice_gets_the_later_share() {
    given::<Environment>(environment([]))
        .when(set(&[share(1, 100.0), share(1, 10.0)]))
        .then([changed(implicit(), with(&[share(1, 10.0), share(2, 20.0)]))]);
}

#[test]
fn shares_that_are_there_change_nothing() {
    given::<Environment>(environment([])).when(set(&[share(1, 30.0)])).then_nothing();
    given::<Environment>(environment([])).when(set(&[])).then_nothing();
}

#[test]
fn a_share_is_a_number_from_0_to_100() {
    for percentage in [-0.1, 100.1, f64::NAN, f64::NEG_INFINITY] {
        given::<Environment>(environment([]))
            .when(set(&[share(1, percentage)]))
            .then_rejected(Error::InvalidPercentage);
    }
}

#[test]
fn shares_sum_to_at_most_100_with_those_that_are_not_named() {
    given::<Environment>(environment([])).when(set(&[share(1, 80.1)])).then_rejected(Error::PercentagesExceed);
    given::<Environment>(environment([])).when(set(&[share(1, 80.0)])).then_accepted();
    given::<Environment>(environment([])).when(set(&[share(1, 80.1), share(2, 19.9)])).then_accepted();
}

#[test]
fn a_share_is_for_an_option_of_the_feature() {
    given::<Environment>(environment([]))
        .when(set(&[share(3, 10.0)]))
        .then_rejected(Error::UnknownOption { option: 3 });
    given::<Environment>(environment([]))
        .when(set_after([option_removed(1, option(2, 20.0))], to(&[share(2, 10.0)])))
        .then_rejected(Error::UnknownOption { option: 2 });
}

#[test]
fn an_option_that_came_after_the_state_was_set_has_its_default_share_in_it() {
    let set_before = with(&[share(1, 10.0), share(2, 20.0)]);
    let before = with(&[share(1, 10.0), share(2, 20.0), share(3, 5.0)]);
    let events = environment([changed(implicit(), set_before)]);
    given::<Environment>(events.clone())
        .when(set_after([option_added(1, option(3, 5.0))], on()))
        .then([changed(before.clone(), enabled(before))]);
    given::<Environment>(events)
        .when(set_after([option_added(1, option(3, 5.0))], StateChange::default()))
        .then_nothing();
}

#[test]
fn an_option_that_was_removed_after_the_state_was_set_has_no_share_in_it() {
    let events = environment([changed(implicit(), with(&[share(1, 10.0), share(2, 20.0)]))]);
    let before = with(&[share(2, 20.0)]);
    given::<Environment>(events.clone())
        .when(set_after([option_removed(1, option(1, 30.0))], to(&[share(2, 100.0)])))
        .then([changed(before, with(&[share(2, 100.0)]))]);
    given::<Environment>(events)
        .when(set_after([option_removed(1, option(1, 30.0))], StateChange::default()))
        .then_nothing();
}

#[test]
fn an_option_that_came_after_the_state_was_set_has_no_more_than_what_was_left() {
    let events = environment([changed(implicit(), with(&[share(1, 80.0), share(2, 15.0)]))]);
    let before = with(&[share(1, 80.0), share(2, 15.0), share(3, 5.0)]);
    let option_came = || [option_added(1, option(3, 50.0))];
    given::<Environment>(events.clone())
        .when(set_after(option_came(), on()))
        .then([changed(before.clone(), enabled(before.clone()))]);
    given::<Environment>(events.clone())
        .when(set_after(option_came(), to(&[share(1, 81.0)])))
        .then_rejected(Error::PercentagesExceed);
    given::<Environment>(events)
        .when(set_after(option_came(), to(&[share(3, 0.0)])))
        .then([changed(before, with(&[share(1, 80.0), share(2, 15.0), share(3, 0.0)]))]);
}
