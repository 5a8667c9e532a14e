//! The bodies of these endpoints, for the description of the API: they are read and written without them.

#![allow(dead_code, reason = "only the description of the API is made from them")]

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};

/// What any request of OFREP may be answered.
#[derive(Debug, IntoResponses)]
pub enum OfrepProblems {
    /// The body is no JSON, or its context is none
    #[response(status = 400)]
    Invalid(#[to_schema] EvaluationFailureBody),
    /// The key is missing, or leads nowhere
    #[response(status = 401)]
    NotAuthenticated(#[to_schema] EvaluationFailureBody),
    /// There is no such flag
    #[response(status = 404)]
    NotFound(#[to_schema] EvaluationFailureBody),
    /// The environment is being created, or the node is: try again after `Retry-After` seconds
    #[response(status = 503)]
    Unavailable(#[to_schema] EvaluationFailureBody),
}

/// Why there is no evaluation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationFailureBody {
    /// The flag, if one was asked for.
    key: Option<String>,
    /// OpenFeature's code.
    error_code: String,
    /// For people.
    error_details: String,
}

/// A request for evaluations; all of it may be missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationRequestBody {
    /// `targetingKey` is the identity, all other members are its traits.
    context: Option<Map<String, Value>>,
}

/// One evaluation.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationBody {
    /// The feature's name.
    key: String,
    /// `STATIC`, `TARGETING_MATCH`, `SPLIT`, `DISABLED` or `UNKNOWN`.
    reason: String,
    /// The variant's key, `control`, or `enabled` or `disabled` for a feature without variants.
    variant: String,
    /// A boolean, a text, a number, an object or a list; missing where the client's default counts.
    value: Option<Value>,
}

/// Where changes are told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventStreamBody {
    /// Always `sse`: server-sent events.
    #[serde(rename = "type")]
    stream_type: String,
    /// The address, with its token.
    url: String,
    /// After how many seconds a client that nobody looks at may close it.
    inactivity_delay_sec: u32,
}

/// All evaluations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationsAnswerBody {
    /// The evaluations.
    flags: Vec<EvaluationBody>,
    /// Where changes are told.
    event_streams: Vec<EventStreamBody>,
    /// `position`: the environment's position in the event log.
    metadata: Map<String, Value>,
}
