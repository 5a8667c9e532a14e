//! Where an event stands: the name of its stream, its version there, and its position in the whole log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event's place in the whole log. Positions grow; there may be holes. 0 is before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// An event's place in its stream: 1, 2, 3, … without holes. 0 is the version of a stream without events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

impl Version {
    /// The version of a stream that has no events.
    pub const NONE: Self = Self(0);

    /// The version after `events` more events.
    #[must_use]
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0 + events)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of streams, one for each kind of aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// `organisation-{uuid}`
    Organisation,
    /// `project-{uuid}`
    Project,
    /// `environment-{uuid}`
    Environment,
    /// `id_allocator-1`
    IdAllocator,
}

impl Category {
    /// The part of a stream's name before the dash; also the aggregate's `TYPE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Environment => "environment",
            Self::IdAllocator => "id_allocator",
        }
    }
}

/// The name of a stream: `{category}-{key}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The kind of aggregate whose events the stream holds.
    pub category: Category,
    /// The aggregate's key: a UUID, or `1` for the id allocator.
    pub key: String,
}

impl StreamId {
    /// The stream of the aggregate `key` of `category`.
    pub fn new(category: Category, key: impl ToString) -> Self {
        Self { category, key: key.to_string() }
    }

    /// The stream of an organisation.
    #[must_use]
    pub fn organisation(id: Uuid) -> Self {
        Self::new(Category::Organisation, id)
    }

    /// The stream of a project.
    #[must_use]
    pub fn project(id: Uuid) -> Self {
        Self::new(Category::Project, id)
    }

    /// The stream of an environment.
    #[must_use]
    pub fn environment(id: Uuid) -> Self {
        Self::new(Category::Environment, id)
    }

    /// The one stream of the id allocator.
    #[must_use]
    pub fn id_allocator() -> Self {
        Self::new(Category::IdAllocator, "1")
    }

    /// The aggregate's UUID; nil for the id allocator, which has none.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::parse_str(&self.key).unwrap_or_default()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category.as_str(), self.key)
    }
}

/// A text that is not the name of one of Offshoot's streams.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a stream")]
pub struct NotAStream(pub String);

impl FromStr for StreamId {
    type Err = NotAStream;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        const CATEGORIES: [Category; 4] =
            [Category::Organisation, Category::Project, Category::Environment, Category::IdAllocator];
        let (category, key) = name.split_once('-').ok_or_else(|| NotAStream(name.to_owned()))?;
        CATEGORIES
            .into_iter()
            .find(|known| known.as_str() == category && !key.is_empty())
            .map(|category| Self::new(category, key))
            .ok_or_else(|| NotAStream(name.to_owned()))
    }
}
