//! Builders for projects.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureStateId, MultivariateOptionId, OrganisationId, ProjectId, SegmentConditionId,
    SegmentId, SegmentRuleId,
};
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent, ProjectSettings, ReservationPurpose, Segment,
    SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType,
};

use super::uuid;

/// The project itself, with Flagsmith's default settings.
pub fn project_created() -> ProjectEvent {
    ProjectEvent::ProjectCreated {
        id: ProjectId(1),
        organisation: uuid(1),
        organisation_id: OrganisationId(1),
        settings: ProjectSettings::named("shop"),
    }
}

/// A project, and what happened to it then.
pub fn project(events: impl IntoIterator<Item = ProjectEvent>) -> Vec<ProjectEvent> {
    std::iter::once(project_created()).chain(events).collect()
}

/// A feature without variants: off, with the text `value`.
pub fn feature(id: i64, name: &str) -> FeatureDefinition {
    FeatureDefinition {
        id: FeatureId(id),
        uuid: uuid(1_000_000 + id.unsigned_abs()),
        name: name.to_owned(),
        feature_type: FeatureType::Standard,
        default_enabled: false,
        initial_value: Some("value".into()),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        options: vec![],
    }
}

/// A feature with variants.
pub fn multivariate(id: i64, name: &str, options: impl IntoIterator<Item = MultivariateOption>) -> FeatureDefinition {
    FeatureDefinition {
        feature_type: FeatureType::Multivariate,
        options: options.into_iter().collect(),
        ..feature(id, name)
    }
}

/// A variant with a default share.
pub fn option(id: i64, percentage: f64) -> MultivariateOption {
    MultivariateOption {
        id: MultivariateOptionId(id),
        uuid: uuid(2_000_000 + id.unsigned_abs()),
        value: FeatureValue::text(Some(&format!("variant {id}"))),
        default_percentage_allocation: percentage,
        key: None,
    }
}

/// The feature that has `ordinal` before it. Its states in older environments have the ids from `100 × its id` on.
pub fn feature_created(feature: FeatureDefinition, ordinal: u64) -> ProjectEvent {
    let first_feature_state_id = FeatureStateId(100 * feature.id.0);
    ProjectEvent::FeatureCreated { feature, ordinal, first_feature_state_id }
}

/// A feature is gone.
pub fn feature_deleted(id: i64, name: &str) -> ProjectEvent {
    ProjectEvent::FeatureDeleted { feature: FeatureId(id), feature_name: name.to_owned() }
}

/// A feature got an option.
pub fn option_added(feature: i64, option: MultivariateOption) -> ProjectEvent {
    ProjectEvent::MultivariateOptionAdded { feature: FeatureId(feature), feature_name: "flag".to_owned(), option }
}

/// An option got another default share.
pub fn option_changed(feature: i64, before: MultivariateOption, percentage: f64) -> ProjectEvent {
    ProjectEvent::MultivariateOptionChanged {
        feature: FeatureId(feature),
        feature_name: "flag".to_owned(),
        after: MultivariateOption { default_percentage_allocation: percentage, ..before.clone() },
        before,
    }
}

/// A feature lost an option.
pub fn option_removed(feature: i64, option: MultivariateOption) -> ProjectEvent {
    ProjectEvent::MultivariateOptionRemoved { feature: FeatureId(feature), feature_name: "flag".to_owned(), option }
}

/// Environment `number`, which has `ordinal` environments and `known_features` features before it. Its states of those
/// features have the ids from `10,000 × its number` on. No environment was renamed before.
pub fn environment_reserved(number: u64, name: &str, ordinal: u64, known_features: u64) -> ProjectEvent {
    ProjectEvent::EnvironmentNameReserved {
        environment: uuid(number),
        environment_id: EnvironmentId(number.cast_signed()),
        name: name.to_owned(),
        reservation: ordinal + 1,
        purpose: ReservationPurpose::NewEnvironment {
            ordinal,
            known_features,
            first_feature_state_id: FeatureStateId(10_000 * number.cast_signed()),
            in_batches: false,
        },
    }
}

/// A segment with one rule of one condition.
pub fn segment(id: i64, name: &str) -> Segment {
    Segment {
        id: SegmentId(id),
        uuid: uuid(3_000_000 + id.unsigned_abs()),
        name: name.to_owned(),
        description: None,
        feature: None,
        rules: vec![rule(vec![condition()])],
    }
}

/// A rule with these conditions.
pub fn rule(conditions: Vec<SegmentCondition>) -> SegmentRule {
    SegmentRule { id: SegmentRuleId(1), rule_type: SegmentRuleType::All, rules: vec![], conditions }
}

/// That the trait `plan` is `gold`.
pub fn condition() -> SegmentCondition {
    SegmentCondition {
        id: SegmentConditionId(1),
        operator: SegmentOperator::Equal,
        property: Some("plan".to_owned()),
        value: Some("gold".to_owned()),
        description: None,
    }
}

/// A segment came to be.
pub fn segment_created(id: i64, name: &str) -> ProjectEvent {
    ProjectEvent::SegmentCreated { segment: segment(id, name) }
}

/// A segment is gone.
pub fn segment_deleted(id: i64, name: &str) -> ProjectEvent {
    ProjectEvent::SegmentDeleted { segment: SegmentId(id), segment_name: name.to_owned() }
}
