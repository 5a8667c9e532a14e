//! Frozen samples: one for each event type and version, and more where a type has several forms. They are never changed:
//! a new form is a new version with samples of its own, and these stay readable.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use offshoot_aggregates::environment::{
    Allocation, BatchedIdentityOverride, BatchedState, CloneModeReason, EnvironmentEvent, EnvironmentRef,
    FeatureStateContent, FeatureValue, Origin, ServerKey, ServerKeySettings, ValueType,
};
use offshoot_aggregates::id_allocator::IdAllocatorEvent;
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureStateId, IdentityId, MultivariateOptionId, ServerKeyId,
};
use offshoot_aggregates::organisation::OrganisationEvent;
use offshoot_aggregates::project::{FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent};
use offshoot_aggregates::{Actor, ActorKind, Category, Event, Metadata, Position, Version};
use serde_json::Value;
use uuid::Uuid;

use super::{recorded, to_json};
use crate::support::environment::link;

/// Every sample of an event, by the name of its file without `.json`.
fn samples() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/samples");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.file_name().is_some_and(|name| name != "metadata.json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Every event type, and the kind of stream that it is in.
fn types() -> BTreeMap<&'static str, Category> {
    let all = [
        (Category::Organisation, OrganisationEvent::TYPES),
        (Category::Project, ProjectEvent::TYPES),
        (Category::Environment, EnvironmentEvent::TYPES),
        (Category::IdAllocator, IdAllocatorEvent::TYPES),
    ];
    all.into_iter().flat_map(|(category, types)| types.iter().map(move |name| (*name, category))).collect()
}

/// What a sample says.
fn read(name: &str) -> Event {
    let samples = samples();
    let (event_type, _) = name.split_once(".v1").unwrap();
    recorded(types()[event_type], event_type, &samples[name]).event().unwrap().clone()
}

/// The UUIDs in the samples.
fn uuid(number: u32) -> Uuid {
    Uuid::parse_str(&format!("0190a6e2-0000-7000-8000-{number:012}")).unwrap()
}

#[test]
fn event_types_have_different_names() {
    let names = [OrganisationEvent::TYPES, ProjectEvent::TYPES, EnvironmentEvent::TYPES, IdAllocatorEvent::TYPES];
    assert_eq!(types().len(), names.iter().map(|names| names.len()).sum::<usize>());
}

#[test]
fn every_event_type_has_a_sample() {
    let samples = samples();
    for name in types().keys() {
        assert!(samples.contains_key(&format!("{name}.v1")), "no sample of {name}");
    }
}

#[test]
fn every_sample_is_read_and_written_as_it_stands() {
    for (file, payload) in samples() {
        let (event_type, _) = file.split_once(".v1").unwrap();
        let recorded = recorded(types()[event_type], event_type, &payload);
        let event = recorded.event().unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(to_json(event), serde_json::from_str::<Value>(&payload).unwrap(), "{file}");
    }
}

#[test]
fn a_sample_is_not_read_as_an_event_of_another_kind_of_stream() {
    const ALL: [Category; 4] =
        [Category::Organisation, Category::Project, Category::Environment, Category::IdAllocator];
    for (file, payload) in samples() {
        let (event_type, _) = file.split_once(".v1").unwrap();
        for other in ALL.into_iter().filter(|category| *category != types()[event_type]) {
            assert!(recorded(other, event_type, &payload).event().is_err(), "{file} as {other:?}");
        }
    }
}

fn text_content() -> Arc<FeatureStateContent> {
    Arc::new(FeatureStateContent {
        enabled: true,
        value: FeatureValue::default(),
        multivariate: vec![],
        seed: FeatureStateId(44_411),
    })
}

fn integer_content() -> Arc<FeatureStateContent> {
    Arc::new(FeatureStateContent {
        enabled: false,
        value: FeatureValue {
            value_type: ValueType::Int,
            string_value: Some("hello".into()),
            integer_value: Some(42),
            boolean_value: None,
        },
        multivariate: vec![],
        seed: FeatureStateId(44_412),
    })
}

fn multivariate_content() -> Arc<FeatureStateContent> {
    Arc::new(FeatureStateContent {
        enabled: true,
        value: FeatureValue {
            value_type: ValueType::Bool,
            string_value: Some("true".into()),
            integer_value: Some(1),
            boolean_value: Some(true),
        },
        multivariate: vec![
            Allocation { option: MultivariateOptionId(1), percentage: 33.3 },
            Allocation { option: MultivariateOptionId(2), percentage: 0.0 },
        ],
        seed: FeatureStateId(44_413),
    })
}

#[test]
fn the_sample_of_a_batch_says_what_it_always_said() {
    let state = |feature, segment, id, content| BatchedState {
        feature: FeatureId(feature),
        segment,
        id: FeatureStateId(id),
        content,
    };
    let states = vec![
        state(11, None, 20_001, text_content()),
        state(12, None, 20_002, multivariate_content()),
        state(12, Some(link(301, 5, 3)), 21_001, integer_content()),
    ];
    let expected = EnvironmentEvent::FeatureStatesBatchCopied { batch: 1, states: Arc::new(states) };
    assert_eq!(read("FeatureStatesBatchCopied.v1"), Event::Environment(expected));
}

#[test]
fn the_sample_of_a_change_says_what_it_always_said() {
    let expected = EnvironmentEvent::FeatureStateChanged {
        feature: FeatureId(12),
        feature_name: "colour".to_owned(),
        feature_state: FeatureStateId(20_002),
        before: integer_content(),
        after: multivariate_content(),
    };
    assert_eq!(read("FeatureStateChanged.v1"), Event::Environment(expected));
}

#[test]
fn the_samples_of_identities_say_what_they_always_said() {
    let expected = EnvironmentEvent::IdentityOverrideSet {
        feature: FeatureId(12),
        feature_name: "colour".to_owned(),
        identity: IdentityId(7),
        identifier: "user_1".to_owned(),
        feature_state: FeatureStateId(22_002),
        before: None,
        after: multivariate_content(),
    };
    assert_eq!(read("IdentityOverrideSet.v1.new"), Event::Environment(expected));
    let item = |feature, id, content| BatchedIdentityOverride {
        identity: IdentityId(7),
        identifier: "user_1".into(),
        feature: FeatureId(feature),
        id: FeatureStateId(id),
        content,
    };
    let overrides = Arc::new(vec![item(11, 22_001, text_content()), item(12, 22_002, multivariate_content())]);
    let expected = EnvironmentEvent::IdentityOverridesImported { batch: 3, overrides };
    assert_eq!(read("IdentityOverridesImported.v1"), Event::Environment(expected));
}

#[test]
fn the_sample_of_a_server_key_says_what_it_always_said() {
    let key = ServerKey {
        id: ServerKeyId(3),
        prefix: "ser.Ym9K".to_owned(),
        hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        settings: ServerKeySettings {
            name: "backend".to_owned(),
            is_active: true,
            expires_at: Some("2027-01-02T03:04:05.678901Z".parse().unwrap()),
        },
    };
    assert_eq!(read("ServerKeyIssued.v1"), Event::Environment(EnvironmentEvent::ServerKeyIssued { key }));
}

#[test]
fn the_sample_of_a_clone_says_what_it_always_said() {
    let Event::Environment(EnvironmentEvent::EnvironmentCreated { id, api_key, project, project_id, settings, origin }) =
        read("EnvironmentCreated.v1.clone")
    else {
        panic!("another event");
    };
    assert_eq!((id, api_key.as_str()), (EnvironmentId(2), "Ad5bVwtVYqkKJXssevz3UT"));
    assert_eq!((project, project_id.0), (uuid(101), 11));
    assert_eq!((settings.name.as_str(), settings.banner_colour.as_deref()), ("Staging", Some("#ff0000")));
    let Origin::Clone(origin) = origin else { panic!("another origin") };
    let source = EnvironmentRef {
        uuid: uuid(401),
        id: EnvironmentId(1),
        name: "Production".to_owned(),
        api_key: "Q4PsourceKey".to_owned(),
    };
    assert_eq!(origin.source, source);
    assert_eq!(
        (origin.position, origin.source_version, origin.project_version),
        (Position(4_711), Version(17), Version(23))
    );
    assert_eq!(origin.as_of, "2026-11-23T04:05:06.789012Z".parse().unwrap());
    assert_eq!((origin.feature_states_total, origin.batch_size, origin.batches_total), (1_001, 500, 3));
    let first = (origin.first_feature_state_id.0, origin.first_override_state_id.0, origin.first_feature_segment_id.0);
    assert_eq!(first, (20_001, 21_001, 301));
}

#[test]
fn the_sample_of_a_feature_says_what_it_always_said() {
    let option = |id: u32, key: Option<&str>, value, percentage| MultivariateOption {
        id: MultivariateOptionId(i64::from(id)),
        uuid: uuid(200 + id),
        value,
        default_percentage_allocation: percentage,
        key: key.map(str::to_owned),
    };
    let feature = FeatureDefinition {
        id: FeatureId(12),
        uuid: uuid(112),
        name: "colour".to_owned(),
        feature_type: FeatureType::Multivariate,
        default_enabled: true,
        initial_value: Some("red".into()),
        description: Some("for the tests".to_owned()),
        is_archived: true,
        is_server_key_only: true,
        options: vec![
            option(1, Some("blue"), FeatureValue::text(Some("blue")), 33.3),
            option(2, None, FeatureValue::integer(-7), 0.0),
        ],
    };
    let first_feature_state_id = FeatureStateId(501);
    let expected = ProjectEvent::FeatureCreated { feature, ordinal: 1, first_feature_state_id };
    assert_eq!(read("FeatureCreated.v1"), Event::Project(expected));
}

#[test]
fn the_sample_of_metadata_says_what_it_always_said() {
    let metadata = include_str!("samples/metadata.json");
    let expected = Metadata {
        actor: Actor { kind: ActorKind::ApiKey, id: uuid(900).to_string(), name: "ci".to_owned() },
        command_id: uuid(601),
        correlation_id: uuid(602),
        causation_id: Some("position 4711".to_owned()),
        request_id: Some("01J0REQ".to_owned()),
        remote_address: Some("192.0.2.7".to_owned()),
        clone_mode_reason: Some(CloneModeReason::ControlFlagEnabled),
    };
    let mut event = recorded(Category::Environment, "CloneCompleted", "{}");
    event.metadata = metadata.into();
    assert_eq!(event.metadata(), Some(expected.clone()));
    assert_eq!(serde_json::to_value(expected.to_map()).unwrap(), serde_json::from_str::<Value>(metadata).unwrap());
}
