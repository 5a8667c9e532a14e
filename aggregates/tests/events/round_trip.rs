//! Whatever an event says, it says the same when it is read again.

use std::sync::Arc;

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    Allocation, BatchedIdentityOverride, BatchedState, EnvironmentEvent, EnvironmentSettings, FeatureStateContent,
    FeatureValue, SegmentLink, ValueType,
};
use offshoot_aggregates::id_allocator::{IdAllocatorEvent, IdKind};
use offshoot_aggregates::ids::{
    ApiKeyId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, MultivariateOptionId, SegmentId,
};
use offshoot_aggregates::organisation::{ApiKey, ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent, ProjectSettings, Segment, SegmentCondition,
};
use offshoot_aggregates::{Category, Event};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{prop_assert_eq, proptest};
use uuid::Uuid;

use super::{recorded, to_json};
use crate::support::project::{condition, rule, segment};

/// Any text, those that JSON must escape among them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\"\\\\/\u{1}-\u{1f}\u{7f}-\u{9f}\u{2028}😀ü ]{0,12}"]
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn percentage() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..=100.0_f64, (0..=1000_u32).prop_map(|tenths| f64::from(tenths) / 10.0)]
}

fn value() -> impl Strategy<Value = FeatureValue> {
    let value_type = prop_oneof![Just(ValueType::Unicode), Just(ValueType::Int), Just(ValueType::Bool)];
    (value_type, of(text()), of(any::<i32>()), of(any::<bool>())).prop_map(
        |(value_type, string_value, integer_value, boolean_value)| FeatureValue {
            value_type,
            string_value: string_value.map(Into::into),
            integer_value,
            boolean_value,
        },
    )
}

/// Boxed: strategies that hold it several times would not fit on a test's stack.
fn content() -> BoxedStrategy<Arc<FeatureStateContent>> {
    let share = (any::<i64>(), percentage())
        .prop_map(|(option, percentage)| Allocation { option: MultivariateOptionId(option), percentage });
    let content = (any::<bool>(), value(), vec(share, 0..3), any::<i64>());
    let content = content.prop_map(|(enabled, value, multivariate, seed)| {
        Arc::new(FeatureStateContent { enabled, value, multivariate, seed: FeatureStateId(seed) })
    });
    content.boxed()
}

fn link() -> impl Strategy<Value = SegmentLink> {
    (any::<i64>(), any::<i64>(), any::<u32>()).prop_map(|(feature_segment, segment, priority)| SegmentLink {
        feature_segment: FeatureSegmentId(feature_segment),
        segment: SegmentId(segment),
        priority,
    })
}

fn settings() -> impl Strategy<Value = EnvironmentSettings> {
    (text(), of(text()), of(any::<i32>()), of(any::<bool>()), any::<bool>()).prop_map(
        |(name, description, minimum_change_request_approvals, hide_disabled_flags, hide_sensitive_data)| {
            EnvironmentSettings {
                description,
                minimum_change_request_approvals,
                hide_disabled_flags,
                hide_sensitive_data,
                ..EnvironmentSettings::named(name)
            }
        },
    )
}

fn environment_event() -> impl Strategy<Value = EnvironmentEvent> {
    use EnvironmentEvent as E;
    let state = (any::<i64>(), of(link()), any::<i64>(), content()).prop_map(|(feature, segment, id, content)| {
        BatchedState { feature: FeatureId(feature), segment, id: FeatureStateId(id), content }
    });
    prop_oneof![
        (any::<u32>(), vec(state, 0..5))
            .prop_map(|(batch, states)| E::FeatureStatesBatchCopied { batch, states: Arc::new(states) }),
        (text(), any::<i64>(), content(), content()).prop_map(|(feature_name, id, before, after)| {
            let (feature, feature_state) = (FeatureId(id), FeatureStateId(id));
            E::FeatureStateChanged { feature, feature_name, feature_state, before, after }
        }),
        (text(), text(), link(), of(content()), content()).prop_map(
            |(feature_name, segment_name, link, before, after)| {
                let (feature, feature_state) = (FeatureId(1), FeatureStateId(2));
                E::SegmentOverrideSet { feature, feature_name, segment_name, link, feature_state, before, after }
            }
        ),
        (text(), text(), link(), of(content())).prop_map(|(feature_name, segment_name, link, before)| {
            let feature_state = before.as_ref().map(|content| content.seed);
            E::SegmentOverrideRemoved { feature: FeatureId(1), feature_name, segment_name, link, feature_state, before }
        }),
        (text(), text(), of(content()), content()).prop_map(|(feature_name, identifier, before, after)| {
            let (feature, identity, feature_state) = (FeatureId(1), IdentityId(2), FeatureStateId(3));
            E::IdentityOverrideSet { feature, feature_name, identity, identifier, feature_state, before, after }
        }),
        (any::<u32>(), vec((any::<i64>(), text(), content()), 0..5)).prop_map(|(batch, items)| {
            let item = |(id, identifier, content): (i64, String, _)| BatchedIdentityOverride {
                identity: IdentityId(id),
                identifier: identifier.into(),
                feature: FeatureId(id),
                id: FeatureStateId(id),
                content,
            };
            E::IdentityOverridesImported { batch, overrides: Arc::new(items.into_iter().map(item).collect()) }
        }),
        (settings(), settings()).prop_map(|(before, after)| E::EnvironmentSettingsChanged { before, after }),
        (any::<u32>(), text(), text()).prop_map(|(batch, code, detail)| E::CloneFailed { batch, code, detail }),
        (any::<u64>(), any::<u32>())
            .prop_map(|(feature_states, batches)| E::CloneCompleted { feature_states, batches }),
    ]
}

fn option() -> impl Strategy<Value = MultivariateOption> {
    (any::<i64>(), uuid(), value(), percentage(), of(text())).prop_map(|(id, uuid, value, share, key)| {
        MultivariateOption { id: MultivariateOptionId(id), uuid, value, default_percentage_allocation: share, key }
    })
}

fn feature() -> impl Strategy<Value = FeatureDefinition> {
    let feature_type = prop_oneof![Just(FeatureType::Standard), Just(FeatureType::Multivariate)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (any::<i64>(), uuid(), text(), feature_type, flags, of(text()), of(text()), vec(option(), 0..3)).prop_map(
        |(id, uuid, name, feature_type, flags, initial_value, description, options)| FeatureDefinition {
            id: FeatureId(id),
            uuid,
            name,
            feature_type,
            default_enabled: flags.0,
            initial_value: initial_value.map(Into::into),
            description,
            is_archived: flags.1,
            is_server_key_only: flags.2,
            options,
        },
    )
}

fn any_segment() -> impl Strategy<Value = Segment> {
    let any_condition = (of(text()), of(text()), of(text()))
        .prop_map(|(property, value, description)| SegmentCondition { property, value, description, ..condition() });
    (text(), of(text()), of(any::<i64>()), vec(any_condition, 0..4)).prop_map(
        |(name, description, feature, conditions)| Segment {
            description,
            feature: feature.map(FeatureId),
            rules: vec![rule(conditions)],
            ..segment(5, &name)
        },
    )
}

fn project_event() -> impl Strategy<Value = ProjectEvent> {
    use ProjectEvent as P;
    prop_oneof![
        (feature(), any::<u64>(), any::<i64>()).prop_map(|(feature, ordinal, id)| P::FeatureCreated {
            feature,
            ordinal,
            first_feature_state_id: FeatureStateId(id)
        }),
        (any::<u32>(), any::<u64>(), vec(feature(), 0..3)).prop_map(|(batch, first_ordinal, features)| {
            P::FeaturesImported { batch, first_ordinal, features: Arc::new(features) }
        }),
        (any_segment(), any_segment()).prop_map(|(before, after)| P::SegmentChanged { before, after }),
        (text(), option(), option()).prop_map(|(feature_name, before, after)| P::MultivariateOptionChanged {
            feature: FeatureId(1),
            feature_name,
            before,
            after
        }),
        (text(), of(text()), any::<i32>()).prop_map(|(name, feature_name_regex, stale_flags_limit_days)| {
            let before = ProjectSettings::named("shop");
            let after = ProjectSettings { feature_name_regex, stale_flags_limit_days, ..ProjectSettings::named(name) };
            P::ProjectSettingsChanged { before, after }
        }),
    ]
}

fn organisation_event() -> impl Strategy<Value = OrganisationEvent> {
    let moment = (any::<i32>(), 0..1_000_000_i32)
        .prop_map(|(second, micros)| Timestamp::new(second.into(), micros * 1_000).unwrap());
    (uuid(), any::<i64>(), text(), text(), of(moment)).prop_map(|(uuid, id, name, prefix, expires_at)| {
        let (hash, role) = ("0".repeat(64), ApiKeyRole::Member);
        let key = ApiKey { uuid, id: ApiKeyId(id), name, prefix, hash, role, expires_at };
        OrganisationEvent::ApiKeyIssued { key }
    })
}

fn event() -> impl Strategy<Value = (Category, Event)> {
    prop_oneof![
        6 => environment_event().prop_map(|event| (Category::Environment, Event::Environment(event))),
        4 => project_event().prop_map(|event| (Category::Project, Event::Project(event))),
        1 => organisation_event().prop_map(|event| (Category::Organisation, Event::Organisation(event))),
        1 => (any::<i64>(), any::<u64>()).prop_map(|(first, count)| {
            let event = IdAllocatorEvent::IdsReserved { kind: IdKind::Feature, first, count };
            (Category::IdAllocator, Event::IdAllocator(event))
        }),
    ]
}

fn event_type(event: &Event) -> &'static str {
    match event {
        Event::Organisation(event) => event.type_name(),
        Event::Project(event) => event.type_name(),
        Event::Environment(event) => event.type_name(),
        Event::IdAllocator(event) => event.type_name(),
    }
}

proptest! {
    #[test]
    fn an_event_that_is_read_again_says_the_same((category, event) in event()) {
        let recorded = recorded(category, event_type(&event), &to_json(&event).to_string());
        prop_assert_eq!(recorded.event(), Ok(&event));
    }

    /// A share that changed by a hair when it is read would make replay another story than what happened.
    #[test]
    fn a_share_is_read_to_the_last_bit(share in 0.0..=100.0_f64) {
        let written = serde_json::to_string(&share).unwrap();
        prop_assert_eq!(serde_json::from_str::<f64>(&written).unwrap().to_bits(), share.to_bits());
    }
}
