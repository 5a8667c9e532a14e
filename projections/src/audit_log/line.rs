//! A line of the audit log: what happened, to what, and what changed.

use offshoot_aggregates::ids::{EnvironmentId, MultivariateOptionId, OrganisationId, ProjectId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Declares an enum whose variants have names in the API.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// The name in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// What the API calls by this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What happened to the object that a line is about.
    ChangeType {
        /// It came to be.
        Create = "CREATE",
        /// It changed.
        Update = "UPDATE",
        /// It is gone.
        Delete = "DELETE",
        /// Something else.
        Unknown = "UNKNOWN",
    }
}

named! {
    /// What kind of object a line is about. The first four are Flagsmith's, which has none for the others.
    RelatedObjectType {
        /// A feature.
        Feature = "FEATURE",
        /// A feature's state in an environment.
        FeatureState = "FEATURE_STATE",
        /// A segment.
        Segment = "SEGMENT",
        /// An environment.
        Environment = "ENVIRONMENT",
        /// A project.
        Project = "PROJECT",
        /// An organisation.
        Organisation = "ORGANISATION",
        /// An API key.
        ApiKey = "API_KEY",
        /// An identity.
        Identity = "IDENTITY",
        /// A server-side key of an environment.
        ServerKey = "SERVER_KEY",
    }
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeDetail {
    /// The thing, as the API names it.
    pub field: String,
    /// What it was; null if it was not there.
    pub old: Value,
    /// What it is; null if it is there no longer.
    pub new: Value,
    /// The multivariate option that it is the share of. Flagsmith does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<MultivariateOptionId>,
}

/// Where something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) organisation: Option<OrganisationId>,
    pub(super) project: Option<ProjectId>,
    pub(super) environment: Option<EnvironmentId>,
}

/// A line about to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) log: String,
    pub(super) change: ChangeType,
    pub(super) related: RelatedObjectType,
    pub(super) related_id: Option<i64>,
    pub(super) related_uuid: Option<Uuid>,
    pub(super) details: Vec<ChangeDetail>,
    /// The environment, where it is another than that of the event.
    pub(super) environment: Option<EnvironmentId>,
}

impl Line {
    /// A line about one object.
    pub(super) fn new(
        change: ChangeType,
        (related, related_id): (RelatedObjectType, Option<i64>),
        log: impl Into<String>,
    ) -> Self {
        Self {
            log: log.into(),
            change,
            related,
            related_id,
            related_uuid: None,
            details: Vec::new(),
            environment: None,
        }
    }

    /// What changed.
    pub(super) fn with(self, details: impl IntoIterator<Item = ChangeDetail>) -> Self {
        Self { details: details.into_iter().collect(), ..self }
    }

    /// The object's UUID. Flagsmith's own lines have none.
    pub(super) fn with_uuid(self, uuid: Uuid) -> Self {
        Self { related_uuid: Some(uuid), ..self }
    }

    /// The environment that it happened in.
    pub(super) fn in_environment(self, environment: EnvironmentId) -> Self {
        Self { environment: Some(environment), ..self }
    }
}

/// A count and what is counted: `1 feature state`, `2 feature states`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { plural(what) })
}

fn plural(what: &str) -> &'static str {
    if what.ends_with("ch") { "es" } else { "s" }
}
