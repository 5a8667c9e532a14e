//! How a feature state stands in a row of its table.

use std::borrow::Cow;

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{Allocation, FeatureStateContent, FeatureValue, SegmentLink, ValueType};
use offshoot_aggregates::ids::{
    FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, MultivariateOptionId, SegmentId,
};
use offshoot_aggregates::project::Feature;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Error, Result, Row};

use super::bulk::{BulkRow, Values};
use super::known::KnownEnvironment;
use crate::columns::to_json;

/// Whom a state is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Everybody.
    Default,
    /// A segment.
    Segment(SegmentLink),
    /// An identity.
    Identity(IdentityId),
}

impl Target {
    /// The link to a segment, if it is for one.
    pub(super) fn link(self) -> Option<SegmentLink> {
        if let Self::Segment(link) = self { Some(link) } else { None }
    }

    pub(super) fn identity(self) -> i64 {
        if let Self::Identity(identity) = self { identity.0 } else { 0 }
    }

    pub(super) fn segment(self) -> i64 {
        self.link().map_or(0, |link| link.segment.0)
    }

    pub(super) fn is_default(self) -> bool {
        self == Self::Default
    }
}

impl From<Option<SegmentLink>> for Target {
    fn from(link: Option<SegmentLink>) -> Self {
        link.map_or(Self::Default, Self::Segment)
    }
}

/// A state that is to be written.
pub(super) struct StateRow<'a> {
    pub(super) environment: i64,
    pub(super) feature: FeatureId,
    pub(super) target: Target,
    pub(super) id: Option<FeatureStateId>,
    is_outside_block: bool,
    pub(super) content: Cow<'a, FeatureStateContent>,
    /// The options whose shares are not set but follow from their defaults.
    unset: Vec<MultivariateOptionId>,
    at: i64,
}

/// What a state says, and the options whose shares in it are not set but follow from their defaults.
pub(super) struct ResolvedContent<'a> {
    pub(super) content: Cow<'a, FeatureStateContent>,
    pub(super) unset: Vec<MultivariateOptionId>,
}

impl<'a> From<Cow<'a, FeatureStateContent>> for ResolvedContent<'a> {
    /// All its shares are set.
    fn from(content: Cow<'a, FeatureStateContent>) -> Self {
        Self { content, unset: Vec::new() }
    }
}

impl<'a> StateRow<'a> {
    /// The state of a feature for everybody, a segment or an identity; a segment override may have a place and no state yet.
    pub(super) fn new(
        environment: &KnownEnvironment,
        (feature, target): (FeatureId, Target),
        id: Option<FeatureStateId>,
        content: impl Into<ResolvedContent<'a>>,
        recorded: &RecordedEvent,
    ) -> Self {
        let ResolvedContent { content, unset } = content.into();
        Self {
            environment: environment.id(),
            feature,
            target,
            id,
            is_outside_block: id.is_some_and(|id| environment.is_outside_block(id)),
            content,
            unset,
            at: recorded.recorded_at.as_microsecond(),
        }
    }

    /// The state of a feature that the environment never set.
    pub(super) fn implicit(environment: &KnownEnvironment, feature: &Feature, recorded: &RecordedEvent) -> Self {
        let implicit = environment.reservation.implicit_state(feature);
        let key = (feature.definition.id, Target::Default);
        let unset = unset_options(&[], &implicit.content.multivariate);
        let content = ResolvedContent { content: Cow::Owned(implicit.content), unset };
        Self::new(environment, key, Some(implicit.id), content, recorded)
    }
}

impl BulkRow for StateRow<'_> {
    const TABLE: &'static str = "feature_state";
    const COLUMNS: &'static [&'static str] = &[
        "environment",
        "feature",
        "identity",
        "segment",
        "id",
        "is_outside_block",
        "enabled",
        "value_type",
        "string_value",
        "integer_value",
        "boolean_value",
        "multivariate",
        "seed",
        "feature_segment",
        "priority",
        "created_at",
        "updated_at",
    ];

    fn bind(&self, values: &mut Values<'_, '_>) -> Result<()> {
        let FeatureStateContent { enabled, value, multivariate, seed } = &*self.content;
        values.put(self.environment)?;
        values.put(self.feature.0)?;
        values.put(self.target.identity())?;
        values.put(self.target.segment())?;
        values.put(self.id.map(|id| id.0))?;
        values.put(self.is_outside_block)?;
        values.put(enabled)?;
        values.put(value.value_type as u8)?;
        values.put(value.string_value.as_deref())?;
        values.put(value.integer_value)?;
        values.put(value.boolean_value)?;
        values.put(encode_shares(multivariate, &self.unset)?)?;
        values.put(seed.0)?;
        let link = self.target.link();
        values.put(link.map(|link| link.feature_segment.0))?;
        values.put(link.map(|link| link.priority))?;
        values.put(self.at)?;
        values.put(self.at)
    }
}

/// The options whose shares are not among those that were set.
pub(super) fn unset_options(set: &[Allocation], shares: &[Allocation]) -> Vec<MultivariateOptionId> {
    let is_unset = |share: &&Allocation| set.iter().all(|own| own.option != share.option);
    shares.iter().filter(is_unset).map(|share| share.option).collect()
}

/// The shares of a state, as its row has them.
#[derive(Default)]
pub(super) struct StoredShares {
    /// A share for each option.
    pub(super) shares: Vec<Allocation>,
    /// The options whose shares are not set but follow from their defaults.
    pub(super) unset: Vec<MultivariateOptionId>,
}

impl StoredShares {
    /// The shares that were set.
    pub(super) fn set(&self) -> Vec<Allocation> {
        self.shares.iter().filter(|share| !self.unset.contains(&share.option)).copied().collect()
    }
}

/// Shares as `[[[option, percentage], …], [option, …]]`, those that are not set once more at the end; nothing if there are
/// none.
pub(super) fn encode_shares(shares: &[Allocation], unset: &[MultivariateOptionId]) -> Result<Option<String>> {
    if shares.is_empty() {
        return Ok(None);
    }
    let pairs: Vec<_> = shares.iter().map(|share| (share.option, share.percentage)).collect();
    to_json(&(pairs, unset)).map(Some)
}

/// Reads what [`encode_shares`] wrote.
pub(super) fn read_shares(row: &Row<'_>, column: &str) -> Result<StoredShares> {
    let json = match row.get_ref(column)? {
        ValueRef::Null => return Ok(StoredShares::default()),
        value => value.as_str()?,
    };
    let (pairs, unset): (Vec<(MultivariateOptionId, f64)>, _) =
        serde_json::from_str(json).map_err(|error| wrong(Type::Text, error))?;
    let shares = pairs.into_iter().map(|(option, percentage)| Allocation { option, percentage }).collect();
    Ok(StoredShares { shares, unset })
}

/// Reads what a state says.
pub(super) fn read_content(row: &Row<'_>) -> Result<FeatureStateContent> {
    Ok(FeatureStateContent {
        enabled: row.get("enabled")?,
        value: read_value(row)?,
        multivariate: read_shares(row, "multivariate")?.shares,
        seed: FeatureStateId(row.get("seed")?),
    })
}

/// Reads a state's value.
pub(super) fn read_value(row: &Row<'_>) -> Result<FeatureValue> {
    let number: i64 = row.get("value_type")?;
    let types = [ValueType::Unicode, ValueType::Int, ValueType::Bool];
    let value_type = types.into_iter().find(|value_type| *value_type as i64 == number);
    Ok(FeatureValue {
        value_type: value_type.ok_or_else(|| wrong(Type::Integer, format!("{number} is not the number of a type")))?,
        string_value: row.get::<_, Option<String>>("string_value")?.map(Into::into),
        integer_value: row.get("integer_value")?,
        boolean_value: row.get("boolean_value")?,
    })
}

/// Reads the link of a segment override; none if the state is another one.
pub(super) fn read_link(row: &Row<'_>) -> Result<Option<SegmentLink>> {
    let Some(feature_segment) = row.get("feature_segment")? else { return Ok(None) };
    Ok(Some(SegmentLink {
        feature_segment: FeatureSegmentId(feature_segment),
        segment: SegmentId(row.get("segment")?),
        priority: row.get("priority")?,
    }))
}

fn wrong(column: Type, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(0, column, error.into())
}
