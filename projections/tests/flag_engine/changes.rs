//! Environments that change: what was cloned before stays as it was.

use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_projections::flag_engine::{CompiledEnvironment, FlagValue, TraitValue};

use super::scenario::{context, environment, feature, insert, overridden, plan_segment, state};

fn names(environment: &CompiledEnvironment) -> Vec<String> {
    environment.features().map(|feature| feature.name().to_string()).collect()
}

fn value(environment: &CompiledEnvironment, name: &str) -> Option<String> {
    match environment.evaluator(context("somebody", &[("plan", TraitValue::Text("gold"))])).flag_named(name)?.value() {
        FlagValue::Text(text) => Some(text.to_owned()),
        _ => None,
    }
}

#[test]
fn features_stand_in_order_of_their_ids_however_they_came() {
    let mut environment = environment();
    for id in [3, 1, 2] {
        insert(&mut environment, feature(id, &format!("f{id}"), state(id, "default")));
    }
    assert_eq!(names(&environment), ["f1", "f2", "f3"]);
    let flags: Vec<_> =
        environment.evaluator(context("somebody", &[])).flags().map(|flag| flag.feature.id().0).collect();
    assert_eq!(flags, [1, 2, 3]);
}

#[test]
fn a_changed_clone_leaves_the_original_as_it_was() {
    let mut original = environment();
    original.insert_segment(&plan_segment(7, "gold"));
    insert(&mut original, overridden(feature(1, "banner", state(10, "hello")), 7, 0, state(11, "golden")));
    insert(&mut original, feature(2, "other", state(20, "other")));

    let mut changed = original.clone();
    insert(&mut changed, feature(1, "banner", state(10, "bye")));
    changed.remove_feature(FeatureId(2));
    changed.remove_segment(SegmentId(7));

    assert_eq!(
        (value(&original, "banner").as_deref(), value(&original, "other").as_deref()),
        (Some("golden"), Some("other"))
    );
    assert_eq!((value(&changed, "banner").as_deref(), value(&changed, "other").as_deref()), (Some("bye"), None));
}

#[test]
fn a_feature_with_a_new_name_is_no_longer_found_by_the_old_one() {
    let mut environment = environment();
    insert(&mut environment, feature(1, "old", state(10, "value")));
    insert(&mut environment, feature(1, "new", state(10, "value")));
    assert!(environment.feature_named("old").is_none());
    assert_eq!(environment.feature_named("new").unwrap().id(), FeatureId(1));

    // Two features change names with each other.
    insert(&mut environment, feature(2, "second", state(20, "value")));
    insert(&mut environment, feature(1, "second", state(10, "value")));
    insert(&mut environment, feature(2, "new", state(20, "value")));
    assert_eq!(environment.feature_named("second").unwrap().id(), FeatureId(1));
    assert_eq!(environment.feature_named("new").unwrap().id(), FeatureId(2));
}

#[test]
fn a_removed_feature_takes_its_identity_overrides_along() {
    let mut environment = environment();
    for id in [1, 2] {
        insert(&mut environment, feature(id, &format!("f{id}"), state(id, "default")));
        environment.insert_identity_override("somebody", FeatureId(id), state(id + 10, "mine"));
    }
    environment.insert_identity_override("other", FeatureId(1), state(13, "theirs"));
    environment.remove_feature(FeatureId(1));

    let left: Vec<_> = environment.identity_overrides("somebody").map(|(feature, _)| feature.0).collect();
    assert_eq!(left, [2]);
    assert_eq!(environment.identity_overrides("other").count(), 0);
    insert(&mut environment, feature(1, "f1", state(1, "default")));
    let flag_reason = environment.evaluator(context("somebody", &[])).flag_named("f1").unwrap().reason.to_string();
    assert_eq!(flag_reason, "STATIC");
}

#[test]
fn traits_are_found_however_many_there_are() {
    let mut environment = environment();
    environment.insert_segment(&plan_segment(7, "gold"));
    for count in [1, 16, 17, 500] {
        let keys: Vec<String> = (0..count).map(|number| format!("t{}", number * 7919 % 1000)).collect();
        let mut traits: Vec<_> = keys.iter().map(|key| (key.as_str(), TraitValue::Integer(1))).collect();
        assert!(!environment.evaluator(context("somebody", &traits)).is_in_segment(SegmentId(7)));
        traits.insert(count / 2, ("plan", TraitValue::Text("silver")));
        assert!(!environment.evaluator(context("somebody", &traits)).is_in_segment(SegmentId(7)));
        traits.push(("plan", TraitValue::Text("gold")));
        assert!(
            environment.evaluator(context("somebody", &traits)).is_in_segment(SegmentId(7)),
            "the last of two counts"
        );
    }
}

#[test]
fn a_hundred_thousand_features_are_evaluated_and_one_is_changed_cheaply() {
    let mut environment = environment();
    for id in 0..100_000 {
        insert(&mut environment, feature(id, &format!("f{id}"), state(id, "default")));
    }
    assert_eq!(environment.evaluator(context("somebody", &[])).flags().count(), 100_000);

    let changed_allocations = allocation_counter::measure(|| {
        let mut changed = environment.clone();
        insert(&mut changed, feature(50_000, "f50000", state(50_000, "changed")));
        assert_eq!(value(&changed, "f50000").as_deref(), Some("changed"));
    });
    assert!(changed_allocations.bytes_total < 100_000, "{changed_allocations:?}");
}
