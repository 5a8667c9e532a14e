//! What the copied states say: what the source's states say, resolved and shared.

use std::sync::Arc;

use offshoot_aggregates::environment::{BatchedState, EnvironmentEvent, FeatureStateContent, FeatureValue, clone_size};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{FeatureDefinition, ProjectEvent};

use super::source;
use crate::support::environment::{
    content, identity_added, identity_override_set, link, override_set, share, state_changed,
};
use crate::support::project::{
    environment_reserved, feature, feature_created, feature_deleted, multivariate, option, option_added,
    option_changed, option_removed, segment_created, segment_deleted,
};

fn reserved() -> ProjectEvent {
    environment_reserved(2, "staging", 0, 1)
}

/// The default state of feature 1 was set to this.
fn set(after: FeatureStateContent) -> EnvironmentEvent {
    state_changed(20_000, content("value", 20_000), after)
}

fn shares(state: &BatchedState) -> Vec<(i64, f64)> {
    state.content.multivariate.iter().map(|share| (share.option.0, share.percentage)).collect()
}

/// The shares in the only state that is copied.
fn only_shares(
    project: impl IntoIterator<Item = ProjectEvent>,
    environment: impl IntoIterator<Item = EnvironmentEvent>,
) -> Vec<(i64, f64)> {
    let states = source(project, environment).states();
    assert_eq!(states.len(), 1);
    shares(&states[0])
}

fn with(multivariate: Vec<offshoot_aggregates::environment::Allocation>) -> FeatureStateContent {
    FeatureStateContent { multivariate, ..content("set", 20_000) }
}

#[test]
fn what_was_set_is_copied_and_shared_with_the_source() {
    let flag = multivariate(1, "flag", [option(1, 30.0)]);
    let source = source(
        [feature_created(flag, 0), segment_created(5, "gold"), reserved()],
        [
            set(with(vec![share(1, 40.0)])),
            override_set(link(15, 5, 3), 105, FeatureStateContent { enabled: true, ..with(vec![share(1, 60.0)]) }),
        ],
    );
    let states = source.states();
    let (default, of_segment) = (&states[0], &states[1]);
    assert!(Arc::ptr_eq(&default.content, &source.environment.states()[&FeatureId(1)].content));
    let original = source.environment.overrides_of(FeatureId(1)).next().unwrap();
    assert!(Arc::ptr_eq(&of_segment.content, &original.state.as_ref().unwrap().content));
    assert_eq!(of_segment.segment.map(|link| (link.segment, link.priority)), Some((original.link.segment, 3)));
}

#[test]
fn a_state_that_the_source_never_set_is_copied_as_the_feature_says_it() {
    let flag = FeatureDefinition {
        default_enabled: true,
        initial_value: Some("7".into()),
        ..multivariate(1, "flag", [option(1, 30.0)])
    };
    let states = source([feature_created(flag, 0), reserved()], []).states();
    let content = FeatureStateContent {
        enabled: true,
        value: FeatureValue::integer(7),
        multivariate: vec![share(1, 30.0)],
        seed: offshoot_aggregates::ids::FeatureStateId(20_000),
    };
    assert_eq!(*states[0].content, content);
}

#[test]
fn the_seed_is_that_of_the_source() {
    let states = source([feature_created(feature(1, "flag"), 0), reserved()], [set(content("set", 4_711))]).states();
    assert_eq!(states[0].content.seed.0, 4_711);
}

#[test]
fn an_archived_feature_is_copied_like_any_other() {
    let archived = ProjectEvent::FeatureArchived { feature: FeatureId(1), feature_name: "flag".to_owned() };
    assert_eq!(source([feature_created(feature(1, "flag"), 0), reserved(), archived], []).states().len(), 1);
}

#[test]
fn an_option_that_came_after_the_state_was_set_has_its_default_share() {
    let flag = feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0);
    let project = [flag, reserved(), option_added(1, option(2, 5.0))];
    assert_eq!(only_shares(project, [set(with(vec![share(1, 40.0)]))]), [(1, 40.0), (2, 5.0)]);
}

#[test]
fn an_option_that_was_removed_has_no_share() {
    let flag = feature_created(multivariate(1, "flag", [option(1, 30.0), option(2, 5.0)]), 0);
    let project = || [flag.clone(), reserved(), option_removed(1, option(1, 30.0))];
    assert_eq!(only_shares(project(), [set(with(vec![share(1, 40.0), share(2, 6.0)]))]), [(2, 6.0)]);
    assert_eq!(only_shares(project(), []), [(2, 5.0)]);
}

#[test]
fn a_feature_that_lost_all_its_options_has_no_shares() {
    let flag = feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0);
    let project = [flag, reserved(), option_removed(1, option(1, 30.0))];
    assert_eq!(only_shares(project, [set(with(vec![share(1, 40.0)]))]), []);
}

#[test]
fn a_changed_default_share_is_not_that_of_a_source_that_was_there_before() {
    let flag = feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0);
    let changed = option_changed(1, option(1, 30.0), 50.0);
    let before = [flag.clone(), reserved(), changed.clone()];
    assert_eq!(only_shares(before, []), [(1, 30.0)]);
    let after = [flag, environment_reserved(9, "other", 0, 1), changed, environment_reserved(2, "staging", 1, 1)];
    assert_eq!(only_shares(after, []), [(1, 50.0)]);
}

/// As in a clone as of a moment before the option came, which came to be after its default share changed.
#[test]
fn a_share_that_is_not_set_is_the_default_of_the_sources_own_time() {
    let project = [
        feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0),
        environment_reserved(9, "other", 0, 1),
        option_added(1, option(2, 5.0)),
        option_changed(1, option(2, 5.0), 9.0),
        environment_reserved(2, "staging", 1, 1),
    ];
    assert_eq!(only_shares(project, [set(with(vec![share(1, 40.0)]))]), [(1, 40.0), (2, 9.0)]);
}

#[test]
fn an_override_has_the_shares_that_were_set_in_it_and_still_have_an_option() {
    let flag = feature_created(multivariate(1, "flag", [option(1, 30.0), option(2, 5.0)]), 0);
    let project = [
        flag,
        segment_created(5, "gold"),
        reserved(),
        option_removed(1, option(1, 30.0)),
        option_added(1, option(3, 1.0)),
    ];
    let overridden = override_set(link(15, 5, 0), 105, with(vec![share(1, 60.0), share(2, 7.0)]));
    let states = source(project, [overridden]).states();
    assert_eq!(shares(&states[1]), [(2, 7.0)]);
}

#[test]
fn deleted_features_are_left_out_with_their_states_and_overrides() {
    let project =
        [feature_created(feature(1, "flag"), 0), segment_created(5, "gold"), reserved(), feature_deleted(1, "flag")];
    let environment = [set(content("set", 1)), override_set(link(15, 5, 0), 105, content("a", 105))];
    assert_eq!(source(project, environment).states(), []);
}

#[test]
fn overrides_for_deleted_segments_are_left_out() {
    let project =
        [feature_created(feature(1, "flag"), 0), segment_created(5, "gold"), reserved(), segment_deleted(5, "gold")];
    let states = source(project, [override_set(link(15, 5, 0), 105, content("a", 105))]).states();
    assert_eq!(states.iter().filter(|state| state.segment.is_some()).count(), 0);
}

#[test]
fn overrides_that_were_never_set_are_left_out_and_leave_their_priority_free() {
    let added = EnvironmentEvent::SegmentOverrideAdded {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        segment_name: "gold".to_owned(),
        link: link(15, 5, 0),
    };
    let project =
        [feature_created(feature(1, "flag"), 0), segment_created(5, "gold"), segment_created(6, "silver"), reserved()];
    let states = source(project, [added, override_set(link(16, 6, 1), 106, content("a", 106))]).states();
    let links: Vec<_> = states.iter().filter_map(|state| state.segment).collect();
    assert_eq!(links, [link(90_000, 6, 1)]);
}

#[test]
fn identities_and_their_overrides_are_not_copied() {
    let source = source(
        [feature_created(feature(1, "flag"), 0), reserved()],
        [set(with(vec![])), identity_added(7, "user_1"), identity_override_set(7, "user_1", 500, content("mine", 500))],
    );
    let states = source.states();
    assert_eq!(states.iter().map(|state| state.id.0).collect::<Vec<_>>(), [70_000]);
    assert_eq!(clone_size(&source.environment, &source.project), (1, 0));
}

#[test]
fn the_size_counts_the_overrides_that_are_copied_however_they_came_and_went() {
    let project = || {
        let features = [feature_created(feature(1, "flag"), 0), feature_created(feature(2, "gone"), 1)];
        let segments =
            [segment_created(5, "gold"), segment_created(6, "beta"), segment_created(7, "silver"), reserved()];
        features.into_iter().chain(segments)
    };
    let of_gone = |event| match event {
        EnvironmentEvent::SegmentOverrideSet { segment_name, link, feature_state, before, after, .. } => {
            let (feature, feature_name) = (FeatureId(2), "gone".to_owned());
            EnvironmentEvent::SegmentOverrideSet {
                feature,
                feature_name,
                segment_name,
                link,
                feature_state,
                before,
                after,
            }
        }
        other => other,
    };
    let overrides = || {
        [
            override_set(link(15, 5, 0), 105, content("first", 105)),
            override_set(link(15, 5, 0), 105, content("again", 105)),
            override_set(link(16, 6, 1), 106, content("removed", 106)),
            EnvironmentEvent::SegmentOverrideRemoved {
                feature: FeatureId(1),
                feature_name: "flag".to_owned(),
                segment_name: "beta".to_owned(),
                link: link(16, 6, 1),
                feature_state: None,
                before: None,
            },
            EnvironmentEvent::SegmentOverrideAdded {
                feature: FeatureId(1),
                feature_name: "flag".to_owned(),
                segment_name: "silver".to_owned(),
                link: link(17, 7, 1),
            },
            of_gone(override_set(link(18, 5, 0), 108, content("of the other", 108))),
        ]
    };
    let size = |deleted: &[ProjectEvent]| {
        let source = source(project().chain(deleted.iter().cloned()), overrides());
        let (defaults, overrides) = clone_size(&source.environment, &source.project);
        assert_eq!(source.states().len() as u64, defaults + overrides);
        (defaults, overrides)
    };
    assert_eq!(size(&[]), (2, 2));
    assert_eq!(size(&[feature_deleted(2, "gone")]), (1, 1));
    assert_eq!(size(&[segment_deleted(7, "silver")]), (2, 2));
    assert_eq!(size(&[segment_deleted(5, "gold"), feature_deleted(2, "gone")]), (1, 0));
}
