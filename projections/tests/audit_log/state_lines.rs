//! Lines about feature states.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Allocation, EnvironmentEvent, FeatureStateContent, FeatureValue, Origin, PriorityChange, SegmentLink, ValueType,
};
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentId,
};
use serde_json::{Value, json};

use super::{about, changes, last_line, last_lines};
use crate::history::{History, content};

const FEATURE: FeatureId = FeatureId(5);
const STATE: FeatureStateId = FeatureStateId(500);
const LINK: SegmentLink = SegmentLink { feature_segment: FeatureSegmentId(7), segment: SegmentId(3), priority: 1 };

fn with_environment() -> History {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    history
}

fn state_changed(before: Arc<FeatureStateContent>, after: Arc<FeatureStateContent>) -> EnvironmentEvent {
    let feature_name = "banner".to_owned();
    EnvironmentEvent::FeatureStateChanged { feature: FEATURE, feature_name, feature_state: STATE, before, after }
}

fn override_set(before: Option<Arc<FeatureStateContent>>, after: Arc<FeatureStateContent>) -> EnvironmentEvent {
    EnvironmentEvent::SegmentOverrideSet {
        feature: FEATURE,
        feature_name: "banner".to_owned(),
        segment_name: "gold".to_owned(),
        link: LINK,
        feature_state: STATE,
        before,
        after,
    }
}

fn shares(shares: &[(i64, f64)]) -> Arc<FeatureStateContent> {
    let allocation = |(option, percentage)| Allocation { option: MultivariateOptionId(option), percentage };
    let multivariate = shares.iter().copied().map(allocation).collect();
    Arc::new(FeatureStateContent { multivariate, ..(*content(true, FeatureValue::default())).clone() })
}

#[test]
fn a_flag_that_went_on_has_the_line_that_flagsmith_has() {
    let mut history = with_environment();
    let value = FeatureValue::text(Some("hello"));
    history.environment(21, state_changed(content(false, value.clone()), content(true, value)));
    let line = last_line(&history);
    assert_eq!(line.log, "Flag state updated for feature: banner");
    assert_eq!((about(&line), line.environment), (("FEATURE_STATE", Some(500), "UPDATE"), Some(EnvironmentId(21))));
    assert_eq!(changes(&line), [("enabled", json!(false), json!(true))]);
}

#[test]
fn a_value_that_changed_shows_only_the_columns_that_did() {
    let mut history = with_environment();
    let text = Some("changed".into());
    let before =
        FeatureValue { value_type: ValueType::Int, string_value: text, integer_value: Some(7), boolean_value: None };
    let after = before.overwritten_by(&FeatureValue::text(Some("viaSimple")));
    history.environment(21, state_changed(content(true, before), content(true, after)));
    let line = last_line(&history);
    assert_eq!(line.log, "Remote config value updated for feature: banner");
    let expected = [("string_value", json!("changed"), json!("viaSimple")), ("type", json!("int"), json!("unicode"))];
    assert_eq!(changes(&line), expected);
}

#[test]
fn each_share_that_changed_has_a_line_that_names_the_option() {
    let mut history = with_environment();
    let after = shares(&[(1, 60.0), (2, 20.0), (3, 0.0)]);
    history.environment(21, state_changed(shares(&[(1, 30.0), (2, 20.0), (4, 10.0)]), after));
    let lines = last_lines(&history);
    assert!(lines.iter().all(|line| line.log == "Multivariate value changed for feature 'banner'."));
    assert!(lines.iter().all(|line| about(line) == ("FEATURE_STATE", Some(500), "UPDATE")));
    let details: Vec<_> = lines.iter().flat_map(|line| &line.change_details).collect();
    assert!(details.iter().all(|detail| detail.field == "percentage_allocation"));
    let shown: Vec<_> = details.iter().map(|detail| (detail.option, detail.old.clone(), detail.new.clone())).collect();
    let option = |id| Some(MultivariateOptionId(id));
    let expected = [
        (option(1), json!(30.0), json!(60.0)),
        (option(3), Value::Null, json!(0.0)),
        (option(4), json!(10.0), Value::Null),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_flag_whose_state_and_value_changed_has_a_line_for_each() {
    let mut history = with_environment();
    let before = content(false, FeatureValue::default());
    history.environment(21, state_changed(before, content(true, FeatureValue::boolean(true))));
    let lines: Vec<_> = last_lines(&history).into_iter().map(|line| line.log).collect();
    assert_eq!(lines, ["Flag state updated for feature: banner", "Remote config value updated for feature: banner"]);
}

#[test]
fn a_state_that_was_set_to_what_it_was_still_has_a_line() {
    let mut history = with_environment();
    let same = content(true, FeatureValue::default());
    history.environment(21, state_changed(same.clone(), same));
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), changes(&line)), ("Flag state updated for feature: banner", vec![]));
}

#[test]
fn a_new_override_has_one_line_with_all_that_it_says() {
    let mut history = with_environment();
    history.environment(21, override_set(None, content(false, FeatureValue::integer(9))));
    let line = last_line(&history);
    assert_eq!(line.log, "Flag state / Remote config value updated for feature 'banner' and segment 'gold'");
    assert_eq!(about(&line), ("FEATURE_STATE", Some(500), "CREATE"));
    let expected = [
        ("enabled", Value::Null, json!(false)),
        ("integer_value", Value::Null, json!(9)),
        ("type", json!("unicode"), json!("int")),
    ];
    assert_eq!(changes(&line), expected);
}

#[test]
fn a_changed_override_has_a_line_for_each_kind_of_change() {
    let mut history = with_environment();
    let after =
        FeatureStateContent { value: FeatureValue::integer(1), enabled: false, ..(*shares(&[(1, 10.0)])).clone() };
    history.environment(21, override_set(Some(shares(&[(1, 5.0)])), Arc::new(after)));
    let lines: Vec<_> = last_lines(&history).into_iter().map(|line| line.log).collect();
    let expected = [
        "Flag state / Remote config value updated for feature 'banner' and segment 'gold'",
        "Remote config updated for segment override on feature 'banner' and segment 'gold'.",
        "Multivariate value changed for feature 'banner' and segment 'gold'.",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn overrides_that_are_added_re_ordered_and_removed_have_lines() {
    let mut history = with_environment();
    let (feature_name, segment_name) = (|| "banner".to_owned(), || "gold".to_owned());
    let added = EnvironmentEvent::SegmentOverrideAdded {
        feature: FEATURE,
        feature_name: feature_name(),
        segment_name: segment_name(),
        link: LINK,
    };
    history.environment(21, added);
    let line = last_line(&history);
    assert_eq!(line.log, "Segment override added for feature 'banner' and segment 'gold'.");
    assert_eq!(changes(&line), [("priority", Value::Null, json!(1))]);

    let moved = |segment, segment_name: Option<&str>, before, after| PriorityChange {
        feature_segment: FeatureSegmentId(7),
        segment: SegmentId(segment),
        segment_name: segment_name.map(str::to_owned),
        before,
        after,
    };
    let priorities = vec![moved(3, Some("gold"), 1, 0), moved(4, None, 0, 1)];
    let reordered =
        EnvironmentEvent::SegmentOverridesReordered { feature: FEATURE, feature_name: feature_name(), priorities };
    history.environment(21, reordered);
    let line = last_line(&history);
    assert_eq!(line.log, "Segment overrides re-ordered for feature 'banner'.");
    assert_eq!(about(&line), ("FEATURE", Some(5), "UNKNOWN"));
    assert_eq!(
        changes(&line),
        [("priority of segment 'gold'", json!(1), json!(0)), ("priority of segment 4", json!(0), json!(1))]
    );

    let removed = |feature_state| EnvironmentEvent::SegmentOverrideRemoved {
        feature: FEATURE,
        feature_name: feature_name(),
        segment_name: segment_name(),
        link: LINK,
        feature_state,
        before: None,
    };
    history.environment(21, removed(Some(STATE)));
    let line = last_line(&history);
    assert_eq!(line.log, "Flag state / Remote config value deleted for feature 'banner' and segment 'gold'");
    assert_eq!(about(&line), ("FEATURE_STATE", Some(500), "DELETE"));
    history.environment(21, removed(None));
    assert_eq!(about(&last_line(&history)), ("FEATURE", Some(5), "DELETE"));
}
