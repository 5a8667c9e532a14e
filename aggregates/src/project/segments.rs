//! Segments: rules that say which identities belong together.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ProjectError;
use crate::ids::{FeatureId, SegmentConditionId, SegmentId, SegmentRuleId};
use crate::limits::{
    CONDITION_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX, SEGMENT_CONDITIONS_MAX,
    SEGMENT_DEPTH_MAX,
};
use crate::text::{check_name, check_text};

/// How the parts of a rule are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "Flagsmith's names say it")]
pub enum SegmentRuleType {
    All,
    Any,
    None,
}

/// What a condition asks of a trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "Flagsmith's names say it")]
pub enum SegmentOperator {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanInclusive,
    LessThan,
    LessThanInclusive,
    Contains,
    NotContains,
    Regex,
    PercentageSplit,
    Modulo,
    IsSet,
    IsNotSet,
    In,
}

/// A condition on one trait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCondition {
    /// Its integer id.
    pub id: SegmentConditionId,
    /// What it asks.
    pub operator: SegmentOperator,
    /// Of which trait; none for a percentage split.
    pub property: Option<String>,
    /// What it compares with.
    pub value: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A rule: conditions and further rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRule {
    /// Its integer id.
    pub id: SegmentRuleId,
    /// How its parts are joined.
    #[serde(rename = "type")]
    pub rule_type: SegmentRuleType,
    /// The rules in it.
    #[serde(default)]
    pub rules: Vec<SegmentRule>,
    /// The conditions in it.
    #[serde(default)]
    pub conditions: Vec<SegmentCondition>,
}

/// A segment of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its integer id.
    pub id: SegmentId,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The feature that it is for alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<FeatureId>,
    /// Its rules; all must hold.
    pub rules: Vec<SegmentRule>,
}

impl Segment {
    /// Checks its texts, and that it is neither empty nor too big nor too deep.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), ProjectError> {
        check_name("name", &self.name, NAME_CHARACTERS_MAX)?;
        check_text("description", self.description.as_deref().unwrap_or_default(), DESCRIPTION_CHARACTERS_MAX)?;
        if self.rules.is_empty() {
            return Err(ProjectError::SegmentWithoutRules);
        }
        if check_rules(&self.rules, 1)? > SEGMENT_CONDITIONS_MAX {
            return Err(ProjectError::SegmentTooBig { max: SEGMENT_CONDITIONS_MAX });
        }
        Ok(())
    }
}

/// Checks the rules at a depth and counts what is in them.
fn check_rules(rules: &[SegmentRule], depth: usize) -> Result<usize, ProjectError> {
    rules.iter().try_fold(0, |size, rule| Ok(size + check_rule(rule, depth)?))
}

/// Checks a rule at a depth and counts the rules and conditions in it.
fn check_rule(rule: &SegmentRule, depth: usize) -> Result<usize, ProjectError> {
    if depth > SEGMENT_DEPTH_MAX {
        return Err(ProjectError::SegmentTooDeep { max: SEGMENT_DEPTH_MAX });
    }
    for condition in &rule.conditions {
        check_text("property", condition.property.as_deref().unwrap_or_default(), CONDITION_CHARACTERS_MAX)?;
        check_text("value", condition.value.as_deref().unwrap_or_default(), CONDITION_CHARACTERS_MAX)?;
        let description = condition.description.as_deref().unwrap_or_default();
        check_text("description", description, DESCRIPTION_CHARACTERS_MAX)?;
    }
    Ok(1 + rule.conditions.len() + check_rules(&rule.rules, depth + 1)?)
}
