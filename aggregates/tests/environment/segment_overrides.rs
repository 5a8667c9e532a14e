//! Segment overrides: given a place, set, removed.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event, ExpectedOverride,
    FeatureRef, FeatureStateContent, FeatureValue, SegmentLink, StateChange,
};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, SegmentId};
use offshoot_aggregates::limits::STRING_VALUE_CHARACTERS_MAX;
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectEvent};

use crate::support::environment::{content, environment, feature_ref, link, override_set, segment_ref, share};
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

fn add(segment: i64, feature_segment: i64) -> Command {
    let feature_segment = FeatureSegmentId(feature_segment);
    Command::AddSegmentOverride { feature: flag(), segment: segment_ref(segment), feature_segment }
}

fn added(link: SegmentLink) -> Event {
    Event::SegmentOverrideAdded {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        segment_name: format!("segment {}", link.segment),
        link,
    }
}

/// Sets the override for segment 5, whose link has the id 50 and whose state has the id 500 if they are new.
fn set_of(feature: FeatureRef, change: StateChange) -> Command {
    Command::SetSegmentOverride {
        feature,
        segment: segment_ref(5),
        feature_segment: FeatureSegmentId(50),
        feature_state: FeatureStateId(500),
        change,
        priority: None,
        expected: ExpectedOverride::Any,
        segments: Default::default(),
    }
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

/// The override was set before, and now again.
fn set_again(before: FeatureStateContent, after: FeatureStateContent) -> Event {
    match override_set(link(50, 5, 0), 500, after) {
        Event::SegmentOverrideSet { feature, feature_name, segment_name, link, feature_state, after, .. } => {
            let before = Some(Arc::new(before));
            Event::SegmentOverrideSet { feature, feature_name, segment_name, link, feature_state, before, after }
        }
        other => other,
    }
}

fn remove(feature: i64, feature_segment: i64) -> Command {
    Command::RemoveSegmentOverride {
        feature: FeatureId(feature),
        feature_name: "flag".to_owned(),
        feature_segment: FeatureSegmentId(feature_segment),
        segment_name: "segment 5".to_owned(),
    }
}

#[test]
fn a_segment_gets_a_place_behind_all_others() {
    let environment_with = |links: &[SegmentLink]| given::<Environment>(environment(links.iter().copied().map(added)));
    let environment = environment_with(&[]).when(add(5, 50)).then([added(link(50, 5, 0))]);
    assert_eq!(environment.overrides()[&(FeatureId(1), SegmentId(5))].state, None);
    environment_with(&[link(50, 5, 0)]).when(add(6, 60)).then([added(link(60, 6, 1))]);
    environment_with(&[link(50, 5, 7), link(60, 6, 3)]).when(add(7, 70)).then([added(link(70, 7, 8))]);
    environment_with(&[link(50, 5, u32::MAX)]).when(add(6, 60)).then([added(link(60, 6, u32::MAX))]);
}

#[test]
fn a_segment_has_one_place_for_each_feature() {
    given::<Environment>(environment([added(link(50, 5, 0))]))
        .when(add(5, 51))
        .then_rejected(Error::SegmentOverrideExists);
    given::<Environment>(environment([override_set(link(50, 5, 0), 500, content("a", 500))]))
        .when(add(5, 51))
        .then_rejected(Error::SegmentOverrideExists);
}

#[test]
fn an_override_that_is_set_for_the_first_time_starts_off_and_without_a_value() {
    let after = given::<Environment>(environment([])).when(set(on())).then([override_set(
        link(50, 5, 0),
        500,
        enabled(unset(500)),
    )]);
    let state = after.overrides()[&(FeatureId(1), SegmentId(5))].state.clone().unwrap();
    assert_eq!((state.id.0, state.content.seed.0), (500, 500));
    given::<Environment>(environment([])).when(set(StateChange::default())).then([override_set(
        link(50, 5, 0),
        500,
        unset(500),
    )]);
}

#[test]
fn an_override_that_has_a_place_keeps_it_when_it_is_set() {
    given::<Environment>(environment([added(link(49, 5, 3))])).when(set(on())).then([override_set(
        link(49, 5, 3),
        500,
        enabled(unset(500)),
    )]);
}

#[test]
fn a_later_change_starts_from_what_was_set() {
    let events = environment([override_set(link(50, 5, 0), 499, content("a", 7))]);
    let Event::SegmentOverrideSet { feature, feature_name, segment_name, link, .. } =
        override_set(link(50, 5, 0), 499, content("a", 7))
    else {
        panic!("another event");
    };
    given::<Environment>(events).when(set(on())).then([Event::SegmentOverrideSet {
        feature,
        feature_name,
        segment_name,
        link,
        feature_state: FeatureStateId(499),
        before: Some(Arc::new(content("a", 7))),
        after: Arc::new(enabled(content("a", 7))),
    }]);
}

#[test]
fn an_override_is_made_only_once_if_it_is_to_be_made_and_changed_only_if_it_is_to_be_changed() {
    let set_expecting = |expected| match set(on()) {
        Command::SetSegmentOverride {
            feature,
            segment,
            feature_segment,
            feature_state,
            change,
            priority,
            segments,
            ..
        } => Command::SetSegmentOverride {
            feature,
            segment,
            feature_segment,
            feature_state,
            change,
            priority,
            expected,
            segments,
        },
        other => other,
    };
    let with_place = || environment([added(link(50, 5, 0))]);
    let with_state = || environment([override_set(link(50, 5, 0), 500, content("a", 500))]);
    let made = || override_set(link(50, 5, 0), 500, enabled(unset(500)));
    given::<Environment>(environment([])).when(set_expecting(ExpectedOverride::Unset)).then([made()]);
    given::<Environment>(with_place()).when(set_expecting(ExpectedOverride::Unset)).then([made()]);
    given::<Environment>(with_state())
        .when(set_expecting(ExpectedOverride::Unset))
        .then_rejected(Error::SegmentOverrideExists);
    for events in [environment([]), with_place()] {
        given::<Environment>(events)
            .when(set_expecting(ExpectedOverride::Set))
            .then_rejected(Error::SegmentOverrideNotFound);
    }
    given::<Environment>(with_state())
        .when(set_expecting(ExpectedOverride::Set))
        .then([set_again(content("a", 500), enabled(content("a", 500)))]);
}

#[test]
fn an_override_that_is_set_to_what_it_is_stays() {
    let events = || environment([override_set(link(50, 5, 0), 500, content("a", 500))]);
    let same = StateChange { value: Some(FeatureValue::text(Some("a"))), ..StateChange::default() };
    given::<Environment>(events()).when(set(same)).then_nothing();
    given::<Environment>(events()).when(set(StateChange::default())).then_nothing();
}

#[test]
fn a_text_value_has_a_limit() {
    for (bad, wrong) in bad_texts(STRING_VALUE_CHARACTERS_MAX) {
        let value = Some(FeatureValue::text(Some(&bad)));
        given::<Environment>(environment([]))
            .when(set(StateChange { value, ..StateChange::default() }))
            .then_rejected(problem("feature_state_value", wrong));
    }
}

#[test]
fn an_override_has_only_the_shares_that_are_set() {
    let mv = || flag_of(multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]), []);
    let shares = |shares: &[_]| StateChange { multivariate: Some(shares.to_vec()), ..StateChange::default() };
    let after = FeatureStateContent { multivariate: vec![share(2, 90.0)], ..unset(500) };
    given::<Environment>(environment([])).when(set_of(mv(), shares(&[share(2, 90.0)]))).then([override_set(
        link(50, 5, 0),
        500,
        after,
    )]);
    let unordered = shares(&[share(2, 90.0), share(1, 5.0)]);
    let after = FeatureStateContent { multivariate: vec![share(1, 5.0), share(2, 90.0)], ..unset(500) };
    given::<Environment>(environment([])).when(set_of(mv(), unordered)).then([override_set(
        link(50, 5, 0),
        500,
        after,
    )]);
    given::<Environment>(environment([]))
        .when(set_of(mv(), shares(&[share(1, 60.0), share(2, 40.1)])))
        .then_rejected(Error::PercentagesExceed);
    given::<Environment>(environment([]))
        .when(set_of(mv(), shares(&[share(1, 101.0)])))
        .then_rejected(Error::InvalidPercentage);
    given::<Environment>(environment([]))
        .when(set_of(mv(), shares(&[share(3, 1.0)])))
        .then_rejected(Error::UnknownOption { option: 3 });
}

#[test]
fn an_option_that_was_removed_after_the_override_was_set_has_no_share_in_it() {
    let mv = multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]);
    let flag = || flag_of(mv.clone(), [option_removed(1, option(1, 30.0))]);
    let with = |shares: &[_]| FeatureStateContent { multivariate: shares.to_vec(), ..unset(500) };
    let events = || environment([override_set(link(50, 5, 0), 500, with(&[share(1, 30.0), share(2, 20.0)]))]);
    given::<Environment>(events())
        .when(set_of(flag(), on()))
        .then([set_again(with(&[share(2, 20.0)]), enabled(with(&[share(2, 20.0)])))]);
    given::<Environment>(events()).when(set_of(flag(), StateChange::default())).then_nothing();
}

#[test]
fn an_override_is_removed_with_its_state() {
    let events = environment([override_set(link(50, 5, 0), 500, content("a", 500))]);
    let environment = given::<Environment>(events).when(remove(1, 50)).then([Event::SegmentOverrideRemoved {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        segment_name: "segment 5".to_owned(),
        link: link(50, 5, 0),
        feature_state: Some(FeatureStateId(500)),
        before: Some(Arc::new(content("a", 500))),
    }]);
    assert!(environment.overrides().is_empty());
}

#[test]
fn an_override_that_was_never_set_is_removed() {
    given::<Environment>(environment([added(link(50, 5, 0))])).when(remove(1, 50)).then([
        Event::SegmentOverrideRemoved {
            feature: FeatureId(1),
            feature_name: "flag".to_owned(),
            segment_name: "segment 5".to_owned(),
            link: link(50, 5, 0),
            feature_state: None,
            before: None,
        },
    ]);
}

#[test]
fn an_override_that_is_not_there_cannot_be_removed() {
    let events = || environment([added(link(50, 5, 0))]);
    given::<Environment>(events()).when(remove(1, 51)).then_rejected(Error::SegmentOverrideNotFound);
    given::<Environment>(events()).when(remove(2, 50)).then_rejected(Error::SegmentOverrideNotFound);
}
