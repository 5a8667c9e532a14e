//! The bodies of these endpoints, for the description of the API: they are read and written without them.

#![allow(dead_code, reason = "only the description of the API is made from them")]

use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};

use crate::http::openapi::Detail;

/// What any request for flags may be answered.
#[derive(Debug, IntoResponses)]
pub enum SdkProblems {
    /// A field of the body is wrong: `{"field": ["text"]}`
    #[response(status = 400)]
    Invalid,
    /// The key is missing, leads nowhere, or is not of the kind that is needed
    #[response(status = 403)]
    Forbidden(#[to_schema] Detail),
    /// There is no such feature
    #[response(status = 404)]
    NotFound(#[to_schema] Detail),
    /// The environment is being created, or the node is: try again after `Retry-After` seconds
    #[response(status = 503)]
    Unavailable(#[to_schema] Detail),
}

/// The feature of a flag.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagFeatureBody {
    /// Its integer id.
    id: i64,
    /// Its name.
    name: String,
    /// When it came to be; null if the environment hides it.
    created_date: Option<String>,
    /// What it is for; null if the environment hides it.
    description: Option<String>,
    /// The value that it had at first; null if the environment hides it.
    initial_value: Option<String>,
    /// Whether it was on at first; null if the environment hides it.
    default_enabled: Option<bool>,
    /// `STANDARD` or `MULTIVARIATE`.
    #[serde(rename = "type")]
    feature_type: String,
}

/// A flag.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagBody {
    /// The integer id of the feature state; null if the environment hides it.
    id: Option<i64>,
    /// The feature.
    feature: FlagFeatureBody,
    /// A text, an integer, a boolean or null.
    feature_state_value: Value,
    /// The integer id of the environment; null if the environment hides it.
    environment: Option<i64>,
    /// The integer id of the identity, if it is an override for one.
    identity: Option<i64>,
    /// The integer id of the feature segment, if it is a segment override.
    feature_segment: Option<i64>,
    /// Whether it is on.
    enabled: bool,
}

/// A trait in an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraitBody {
    /// Always null: traits are not kept.
    id: Option<i64>,
    /// Its name.
    trait_key: String,
    /// A text, a number or a boolean.
    trait_value: Value,
    /// Always true: traits are not kept.
    transient: bool,
}

/// The flags of an identity. Each also has `variant`: the key of the variant, `control`, or null.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityFlagsBody {
    /// What the identity is called.
    identifier: String,
    /// Its traits, as they were sent; none if the environment hides them.
    traits: Vec<TraitBody>,
    /// The flags.
    flags: Vec<FlagBody>,
}

/// A trait in a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestedTraitBody {
    /// Its name.
    trait_key: String,
    /// A text of at most 2,000 characters, a number or a boolean; null if there is none.
    trait_value: Value,
    /// Makes no difference: no trait is kept.
    transient: Option<bool>,
}

/// An identity in a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityRequestBody {
    /// What the application calls it; a name is made up for one that has none.
    identifier: Option<String>,
    /// Its traits.
    traits: Option<Vec<RequestedTraitBody>>,
    /// Makes no difference: no identity is kept.
    transient: Option<bool>,
}

/// An identity, named.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedIdentityBody {
    /// What the application calls it.
    identifier: String,
}

/// A trait of an identity.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraitOfIdentityBody {
    /// The identity.
    identity: NamedIdentityBody,
    /// A text of at most 2,000 characters, a number or a boolean; null if there is none.
    trait_value: Value,
    /// Its name.
    trait_key: String,
}

/// Evaluations of one flag.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedEvaluationBody {
    /// The feature's name.
    feature_name: String,
    /// What the application calls the identity.
    identity_identifier: Option<String>,
    /// Whether the flag was on.
    enabled_when_evaluated: bool,
    /// How often.
    count: u64,
}

/// A report of evaluations.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationsBody {
    /// The evaluations.
    evaluations: Vec<ReportedEvaluationBody>,
}
