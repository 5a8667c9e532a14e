//! The names that stand in events for kinds, permissions, operators and the like. They are as frozen as the samples.

use std::fmt::Debug;

use offshoot_aggregates::ActorKind;
use offshoot_aggregates::environment::{CloneMode, CloneModeReason, CreationStatus, ValueType};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::organisation::ApiKeyRole;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_aggregates::project::{FeatureType, SegmentOperator, SegmentRuleType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, to_value};

/// The values are written and read by these names, and by no other.
#[track_caller]
fn named<T: Serialize + DeserializeOwned + PartialEq + Debug + Copy, const N: usize>(values: [(T, &str); N]) {
    for (value, name) in values {
        assert_eq!(to_value(value).unwrap(), Value::from(name));
        assert_eq!(from_value::<T>(Value::from(name)).unwrap(), value);
    }
    assert!(from_value::<T>(Value::from("something else")).is_err());
}

#[test]
fn the_kinds_of_ids_have_these_names() {
    use IdKind as K;
    named([
        (K::Organisation, "organisation"),
        (K::Project, "project"),
        (K::Environment, "environment"),
        (K::Feature, "feature"),
        (K::FeatureState, "feature_state"),
        (K::FeatureSegment, "feature_segment"),
        (K::Segment, "segment"),
        (K::SegmentRule, "segment_rule"),
        (K::SegmentCondition, "segment_condition"),
        (K::MultivariateOption, "multivariate_option"),
        (K::ApiKey, "api_key"),
        (K::ServerKey, "server_key"),
        (K::Identity, "identity"),
    ]);
}

#[test]
fn permissions_have_flagsmiths_names() {
    use ProjectPermission as P;
    named([
        (P::ViewProject, "VIEW_PROJECT"),
        (P::CreateEnvironment, "CREATE_ENVIRONMENT"),
        (P::CreateFeature, "CREATE_FEATURE"),
        (P::EditFeature, "EDIT_FEATURE"),
        (P::DeleteFeature, "DELETE_FEATURE"),
        (P::ManageSegments, "MANAGE_SEGMENTS"),
        (P::ViewAuditLog, "VIEW_AUDIT_LOG"),
        (P::ManageTags, "MANAGE_TAGS"),
    ]);
    use EnvironmentPermission as E;
    named([
        (E::ViewEnvironment, "VIEW_ENVIRONMENT"),
        (E::UpdateFeatureState, "UPDATE_FEATURE_STATE"),
        (E::ManageSegmentOverrides, "MANAGE_SEGMENT_OVERRIDES"),
        (E::ManageIdentities, "MANAGE_IDENTITIES"),
        (E::ViewIdentities, "VIEW_IDENTITIES"),
        (E::CreateChangeRequest, "CREATE_CHANGE_REQUEST"),
        (E::ApproveChangeRequest, "APPROVE_CHANGE_REQUEST"),
    ]);
}

#[test]
fn the_parts_of_segments_have_flagsmiths_names() {
    use SegmentOperator as O;
    named([
        (O::Equal, "EQUAL"),
        (O::NotEqual, "NOT_EQUAL"),
        (O::GreaterThan, "GREATER_THAN"),
        (O::GreaterThanInclusive, "GREATER_THAN_INCLUSIVE"),
        (O::LessThan, "LESS_THAN"),
        (O::LessThanInclusive, "LESS_THAN_INCLUSIVE"),
        (O::Contains, "CONTAINS"),
        (O::NotContains, "NOT_CONTAINS"),
        (O::Regex, "REGEX"),
        (O::PercentageSplit, "PERCENTAGE_SPLIT"),
        (O::Modulo, "MODULO"),
        (O::IsSet, "IS_SET"),
        (O::IsNotSet, "IS_NOT_SET"),
        (O::In, "IN"),
    ]);
    use SegmentRuleType as R;
    named([(R::All, "ALL"), (R::Any, "ANY"), (R::None, "NONE")]);
}

#[test]
fn the_types_of_features_and_values_have_flagsmiths_names() {
    named([(FeatureType::Standard, "STANDARD"), (FeatureType::Multivariate, "MULTIVARIATE")]);
    named([(ValueType::Unicode, "unicode"), (ValueType::Int, "int"), (ValueType::Bool, "bool")]);
}

#[test]
fn modes_states_and_roles_have_these_names() {
    named([(CloneMode::Async, "async"), (CloneMode::Sync, "sync")]);
    let reasons = [
        (CloneModeReason::ControlFlagEnabled, "control_flag_enabled"),
        (CloneModeReason::ControlFlagDisabled, "control_flag_disabled"),
        (CloneModeReason::ControlFlagMissing, "control_flag_missing"),
        (CloneModeReason::ControlEnvironmentUnavailable, "control_environment_unavailable"),
        (CloneModeReason::Configured, "configured"),
        (CloneModeReason::TooManyStates, "too_many_states"),
    ];
    named(reasons);
    for (reason, name) in reasons {
        assert_eq!((reason.as_str(), CloneModeReason::named(name)), (name, Some(reason)));
    }
    named([
        (CreationStatus::Creating, "creating"),
        (CreationStatus::Completed, "completed"),
        (CreationStatus::Failed, "failed"),
        (CreationStatus::Cancelled, "cancelled"),
    ]);
    named([(ApiKeyRole::OrganisationAdmin, "organisation_admin"), (ApiKeyRole::Member, "member")]);
    named([(ActorKind::ApiKey, "api_key"), (ActorKind::Operator, "operator"), (ActorKind::System, "system")]);
}
