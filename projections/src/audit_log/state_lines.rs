//! The lines of changed feature states, a line for each kind of change, as Flagsmith has them.

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureStateContent, FeatureValue};
use offshoot_aggregates::ids::FeatureStateId;

use super::changes::{changed, object_changes, percentage_changes};
use super::line::{ChangeType, Line, RelatedObjectType};

/// What there is to say about an event that changes feature states one by one; nothing about others.
pub(super) fn lines(event: &EnvironmentEvent) -> Vec<Line> {
    use EnvironmentEvent as E;
    match event {
        E::FeatureStateChanged { feature_name, feature_state, before, after, .. } => {
            state_changed(*feature_state, &Texts::of_feature(feature_name), before, after)
        }
        E::SegmentOverrideSet { feature_name, segment_name, feature_state, before, after, .. } => {
            let texts = Texts::of_override(feature_name, segment_name);
            match before {
                Some(before) => state_changed(*feature_state, &texts, before, after),
                None => vec![override_created(*feature_state, &texts, after)],
            }
        }
        E::SegmentOverrideAdded { feature, feature_name, segment_name, link } => {
            let about = (RelatedObjectType::Feature, Some(feature.0));
            let log = format!("Segment override added for feature '{feature_name}' and segment '{segment_name}'.");
            vec![Line::new(ChangeType::Create, about, log).with(changed("priority", None::<u32>, link.priority))]
        }
        E::SegmentOverridesReordered { feature, feature_name, priorities } => {
            let about = (RelatedObjectType::Feature, Some(feature.0));
            let log = format!("Segment overrides re-ordered for feature '{feature_name}'.");
            let details = priorities.iter().filter_map(|change| {
                let segment = change.segment_name.as_ref();
                let segment = segment.map_or_else(|| change.segment.to_string(), |name| format!("'{name}'"));
                changed(&format!("priority of segment {segment}"), change.before, change.after)
            });
            vec![Line::new(ChangeType::Unknown, about, log).with(details)]
        }
        E::SegmentOverrideRemoved { feature, feature_name, segment_name, feature_state, .. } => {
            // An override that was never set has no state to speak of.
            let about = feature_state.map_or((RelatedObjectType::Feature, Some(feature.0)), about_state);
            let log = format!(
                "Flag state / Remote config value deleted for feature '{feature_name}' and segment '{segment_name}'"
            );
            vec![Line::new(ChangeType::Delete, about, log)]
        }
        _ => Vec::new(),
    }
}

/// What is said of each kind of change.
pub(super) struct Texts {
    pub(super) enabled: String,
    pub(super) value: String,
    pub(super) share: String,
}

impl Texts {
    fn of_feature(feature: &str) -> Self {
        Self {
            enabled: format!("Flag state updated for feature: {feature}"),
            value: format!("Remote config value updated for feature: {feature}"),
            share: format!("Multivariate value changed for feature '{feature}'."),
        }
    }

    fn of_override(feature: &str, segment: &str) -> Self {
        Self {
            enabled: format!(
                "Flag state / Remote config value updated for feature '{feature}' and segment '{segment}'"
            ),
            value: format!(
                "Remote config updated for segment override on feature '{feature}' and segment '{segment}'."
            ),
            share: format!("Multivariate value changed for feature '{feature}' and segment '{segment}'."),
        }
    }
}

pub(super) fn about_state(state: FeatureStateId) -> (RelatedObjectType, Option<i64>) {
    (RelatedObjectType::FeatureState, Some(state.0))
}

/// A line if it went on or off, one if its value changed, and one for each share that changed. If none of it did, it was
/// set to what it was, and the first line says that with nothing changed.
pub(super) fn state_changed(
    state: FeatureStateId,
    texts: &Texts,
    before: &FeatureStateContent,
    after: &FeatureStateContent,
) -> Vec<Line> {
    let line = |log: &String| Line::new(ChangeType::Update, about_state(state), log.clone());
    let enabled = changed("enabled", before.enabled, after.enabled).map(|detail| line(&texts.enabled).with([detail]));
    let value = object_changes(&before.value, &after.value);
    let value = (!value.is_empty()).then(|| line(&texts.value).with(value));
    let shares = percentage_changes(&before.multivariate, &after.multivariate);
    let shares = shares.into_iter().map(|detail| line(&texts.share).with([detail]));
    let mut lines: Vec<_> = enabled.into_iter().chain(value).chain(shares).collect();
    if lines.is_empty() {
        lines.push(line(&texts.enabled));
    }
    lines
}

/// One line, with all that a new override says among the details.
pub(super) fn override_created(state: FeatureStateId, texts: &Texts, after: &FeatureStateContent) -> Line {
    let enabled = changed("enabled", None::<bool>, after.enabled);
    let value = object_changes(&FeatureValue::default(), &after.value);
    let details = enabled.into_iter().chain(value).chain(percentage_changes(&[], &after.multivariate));
    Line::new(ChangeType::Create, about_state(state), texts.enabled.clone()).with(details)
}
