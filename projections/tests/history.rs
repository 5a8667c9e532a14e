//! Recorded events for tests: written as the event log would hand them out, payload and metadata as JSON.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    BatchedIdentityOverride, BatchedState, CloneMode, CloneOrigin, EnvironmentEvent, EnvironmentRef,
    EnvironmentSettings, FeatureStateContent, FeatureValue, Origin, ServerKey, ServerKeySettings,
};
use offshoot_aggregates::event::EVENT_VERSION;
use offshoot_aggregates::id_allocator::IdAllocatorEvent;
use offshoot_aggregates::ids::{
    ApiKeyId, EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, MultivariateOptionId,
    OrganisationId, ProjectId, SegmentId, SegmentRuleId, ServerKeyId,
};
use offshoot_aggregates::metadata::{Actor, ActorKind, Metadata};
use offshoot_aggregates::organisation::{ApiKey, ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{
    FeatureDefinition, FeatureType, MultivariateOption, ProjectEvent, ProjectSettings, ReservationPurpose, Segment,
    SegmentRule, SegmentRuleType,
};
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use offshoot_projections::{Projection, apply, open};
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

/// The UUID that stands for a small number in a test.
pub fn uuid(number: u64) -> Uuid {
    Uuid::from_u64_pair(7, number)
}

/// Events in the order of the log, one a second from the epoch on.
pub struct History {
    pub events: Vec<RecordedEvent>,
    versions: HashMap<StreamId, u64>,
    pub actor: Actor,
    /// What the next events follow from; none if from nothing but themselves.
    pub correlation: Option<Uuid>,
}

impl History {
    pub fn new() -> Self {
        let actor = Actor { kind: ActorKind::ApiKey, id: uuid(1).to_string(), name: "Ada".to_owned() };
        Self { events: Vec::new(), versions: HashMap::new(), actor, correlation: None }
    }

    /// A history in which organisation 1 and its project 11 exist.
    pub fn with_project() -> Self {
        let mut history = Self::new();
        history.organisation(1, organisation_created(1));
        history.project(11, project_created(11, 1));
        history
    }

    pub fn organisation(&mut self, id: u64, event: OrganisationEvent) {
        self.record(StreamId::organisation(uuid(id)), &event);
    }

    pub fn project(&mut self, id: u64, event: ProjectEvent) {
        self.record(StreamId::project(uuid(id)), &event);
    }

    pub fn environment(&mut self, id: u64, event: EnvironmentEvent) {
        self.record(StreamId::environment(uuid(id)), &event);
    }

    pub fn allocator(&mut self, event: IdAllocatorEvent) {
        self.record(StreamId::id_allocator(), &event);
    }

    /// An environment that is the `ordinal`th of its project.
    pub fn new_environment(&mut self, id: u64, project: u64, ordinal: u64, origin: Origin) {
        let name = format!("env{id}");
        self.project(
            project,
            ProjectEvent::EnvironmentNameReserved {
                environment: uuid(id),
                environment_id: EnvironmentId(id.cast_signed()),
                name: name.clone(),
                reservation: ordinal + 1,
                purpose: ReservationPurpose::NewEnvironment {
                    ordinal,
                    known_features: 0,
                    first_feature_state_id: FeatureStateId(1),
                    in_batches: origin != Origin::New,
                },
            },
        );
        self.environment(
            id,
            EnvironmentEvent::EnvironmentCreated {
                id: EnvironmentId(id.cast_signed()),
                api_key: format!("key-of-{id}"),
                project: uuid(project),
                project_id: ProjectId(project.cast_signed()),
                settings: EnvironmentSettings::named(name),
                origin,
            },
        );
    }

    fn record(&mut self, stream: StreamId, event: &impl Serialize) {
        let payload = serde_json::to_value(event).unwrap();
        // The JSON of an event is an object of one member, named after its type.
        let event_type = payload.as_object().unwrap().keys().next().unwrap().clone();
        let version = self.versions.entry(stream.clone()).or_default();
        *version += 1;
        let position = self.events.len() as u64 + 1;
        let metadata = Metadata {
            actor: self.actor.clone(),
            command_id: uuid(1_000_000 + position),
            correlation_id: self.correlation.unwrap_or_else(|| uuid(2_000_000 + position)),
            causation_id: None,
            request_id: Some(format!("request-{position}")),
            remote_address: None,
            clone_mode_reason: None,
        };
        self.events.push(RecordedEvent {
            position: Position(position),
            stream,
            version: Version(*version),
            event_type,
            event_version: EVENT_VERSION.to_owned(),
            recorded_at: second(position),
            payload: payload.to_string().into(),
            metadata: serde_json::to_string(&metadata.to_map()).unwrap().into(),
            decoded: OnceLock::new(),
        });
    }

    /// The read model that these events make, in a file that is gone once it is closed.
    pub fn read_model(&self, projection: &dyn Projection) -> Connection {
        let mut connection = Connection::open("").unwrap();
        open(&mut connection, projection).unwrap();
        apply(&mut connection, projection, &self.events).unwrap();
        assert_eq!(offshoot_projections::parked(&connection).unwrap(), []);
        connection
    }
}

/// When the event at this position was recorded.
pub fn second(position: u64) -> Timestamp {
    Timestamp::from_second(position.cast_signed()).unwrap()
}

pub fn organisation_created(id: i64) -> OrganisationEvent {
    OrganisationEvent::OrganisationCreated { id: OrganisationId(id), name: format!("org{id}"), admin: None }
}

pub fn principal(id: i64) -> Principal {
    Principal::ApiKey { uuid: uuid(id.cast_unsigned()), id: ApiKeyId(id), name: format!("key{id}") }
}

/// What a principal is called.
pub fn name_of(principal: &Principal) -> &str {
    let Principal::ApiKey { name, .. } = principal;
    name
}

pub fn key(id: i64, role: ApiKeyRole) -> ApiKey {
    ApiKey {
        uuid: uuid(id.cast_unsigned()),
        id: ApiKeyId(id),
        name: format!("key{id}"),
        prefix: format!("prefix{id}"),
        hash: format!("hash{id}"),
        role,
        expires_at: None,
    }
}

pub fn project_created(id: i64, organisation: u64) -> ProjectEvent {
    ProjectEvent::ProjectCreated {
        id: ProjectId(id),
        organisation: uuid(organisation),
        organisation_id: OrganisationId(organisation.cast_signed()),
        settings: ProjectSettings::named(format!("project{id}")),
    }
}

pub fn definition(id: i64, name: &str) -> FeatureDefinition {
    FeatureDefinition {
        id: FeatureId(id),
        uuid: uuid(id.cast_unsigned()),
        name: name.to_owned(),
        feature_type: FeatureType::Standard,
        default_enabled: true,
        initial_value: Some("hello".into()),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        options: Vec::new(),
    }
}

pub fn feature_created(id: i64, name: &str, ordinal: u64) -> ProjectEvent {
    ProjectEvent::FeatureCreated {
        feature: definition(id, name),
        ordinal,
        first_feature_state_id: FeatureStateId(id * 100),
    }
}

pub fn option(id: i64, text: &str) -> MultivariateOption {
    MultivariateOption {
        id: MultivariateOptionId(id),
        uuid: uuid(id.cast_unsigned()),
        value: FeatureValue::text(Some(text)),
        default_percentage_allocation: 25.0,
        key: None,
    }
}

pub fn segment(id: i64, name: &str) -> Segment {
    let rule = SegmentRule { id: SegmentRuleId(1), rule_type: SegmentRuleType::All, rules: vec![], conditions: vec![] };
    Segment {
        id: SegmentId(id),
        uuid: uuid(id.cast_unsigned()),
        name: name.to_owned(),
        description: None,
        feature: None,
        rules: vec![rule],
    }
}

pub fn content(enabled: bool, value: FeatureValue) -> Arc<FeatureStateContent> {
    Arc::new(FeatureStateContent { enabled, value, multivariate: Vec::new(), seed: FeatureStateId(1) })
}

/// A batch of as many states.
pub fn states(count: i64) -> Arc<Vec<BatchedState>> {
    let content = content(true, FeatureValue::integer(1));
    let state =
        |id| BatchedState { feature: FeatureId(id), segment: None, id: FeatureStateId(id), content: content.clone() };
    Arc::new((1..=count).map(state).collect())
}

/// A clone of an environment as of position 3: 1,200 states in batches of 500.
pub fn clone_of(source: u64) -> Origin {
    Origin::Clone(Box::new(CloneOrigin {
        source: EnvironmentRef {
            uuid: uuid(source),
            id: EnvironmentId(source.cast_signed()),
            name: format!("env{source}"),
            api_key: format!("key-of-{source}"),
        },
        position: Position(3),
        as_of: second(3),
        source_version: Version(1),
        project_version: Version(1),
        mode: CloneMode::Async,
        feature_states_total: 1_200,
        batch_size: 500,
        batches_total: 3,
        first_feature_state_id: FeatureStateId(1),
        first_override_state_id: FeatureStateId(1),
        first_feature_segment_id: FeatureSegmentId(1),
    }))
}

/// A server-side key.
pub fn server_key(id: i64) -> ServerKey {
    ServerKey {
        id: ServerKeyId(id),
        prefix: format!("ser.{id:04}"),
        hash: format!("{id:064}"),
        settings: ServerKeySettings { name: "backend".to_owned(), is_active: true, expires_at: None },
    }
}

/// The override of a feature for an identity, in a batch.
pub fn batched_override(identity: i64, identifier: &str, feature: i64) -> BatchedIdentityOverride {
    BatchedIdentityOverride {
        identity: IdentityId(identity),
        identifier: identifier.into(),
        feature: FeatureId(feature),
        id: FeatureStateId(identity * 10_000 + feature),
        content: content(true, FeatureValue::integer(1)),
    }
}
