//! Segments, as the API shows and takes them: a list of rules, each with rules in it, each of these with conditions.

use std::collections::BTreeSet;

use offshoot_aggregates::ids::{SegmentConditionId, SegmentRuleId};
use offshoot_aggregates::limits::{CONDITION_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX};
use offshoot_aggregates::project::{SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType};
use offshoot_projections::features::StoredSegment;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::timestamp::iso;
use crate::commands::{NewCondition, NewRule};
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, choice, id, text};

/// A segment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SegmentBody {
    /// Its integer id.
    pub id: i64,
    /// Its UUID.
    pub uuid: Uuid,
    /// When it came to be.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The integer id of its project.
    pub project: i64,
    /// The feature that it is for alone.
    pub feature: Option<i64>,
    /// Its own id.
    pub version_of: i64,
    /// Its rules; all must hold.
    pub rules: Vec<RuleBody>,
    /// Always empty.
    pub metadata: Vec<Value>,
    /// Always empty.
    pub membership_counts: Vec<Value>,
    /// Always empty.
    pub managed_by: &'static str,
}

/// A rule of a segment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleBody {
    /// Its integer id.
    pub id: i64,
    /// How its parts are joined: `ALL`, `ANY` or `NONE`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub rule_type: SegmentRuleType,
    /// The rules in it.
    pub rules: Vec<InnerRuleBody>,
    /// The conditions in it.
    pub conditions: Vec<ConditionBody>,
}

/// A rule in a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InnerRuleBody {
    /// Its integer id.
    pub id: i64,
    /// How its conditions are joined: `ALL`, `ANY` or `NONE`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub rule_type: SegmentRuleType,
    /// The conditions in it.
    pub conditions: Vec<ConditionBody>,
}

/// A condition on one trait.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConditionBody {
    /// Its integer id.
    pub id: i64,
    /// What it asks.
    #[schema(value_type = String)]
    pub operator: SegmentOperator,
    /// Of which trait.
    pub property: Option<String>,
    /// What it compares with.
    pub value: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl From<StoredSegment> for SegmentBody {
    fn from(stored: StoredSegment) -> Self {
        let segment = stored.segment;
        Self {
            id: segment.id.0,
            uuid: segment.uuid,
            created_at: iso(stored.created_at),
            updated_at: iso(stored.updated_at),
            name: segment.name,
            description: segment.description,
            project: stored.project.0,
            feature: segment.feature.map(|feature| feature.0),
            version_of: segment.id.0,
            rules: segment.rules.into_iter().map(RuleBody::from).collect(),
            metadata: Vec::new(),
            membership_counts: Vec::new(),
            managed_by: "",
        }
    }
}

impl From<SegmentRule> for RuleBody {
    fn from(rule: SegmentRule) -> Self {
        let inner = |rule: SegmentRule| InnerRuleBody {
            id: rule.id.0,
            rule_type: rule.rule_type,
            conditions: conditions(rule.conditions),
        };
        Self {
            id: rule.id.0,
            rule_type: rule.rule_type,
            rules: rule.rules.into_iter().map(inner).collect(),
            conditions: conditions(rule.conditions),
        }
    }
}

fn conditions(conditions: Vec<SegmentCondition>) -> Vec<ConditionBody> {
    let body = |condition: SegmentCondition| ConditionBody {
        id: condition.id.0,
        operator: condition.operator,
        property: condition.property,
        value: condition.value,
        description: condition.description,
    };
    conditions.into_iter().map(body).collect()
}

/// The ids of the rules and conditions that a segment has: those in a request that are none of them, or name the same
/// one again, are as if they were not there.
#[derive(Clone, Debug, Default)]
pub struct KnownIds {
    rules: BTreeSet<i64>,
    conditions: BTreeSet<i64>,
}

impl KnownIds {
    /// Those in these rules.
    #[must_use]
    pub fn of(rules: &[SegmentRule]) -> Self {
        let mut known = Self::default();
        known.add(rules);
        known
    }

    fn add(&mut self, rules: &[SegmentRule]) {
        for rule in rules {
            self.rules.insert(rule.id.0);
            self.conditions.extend(rule.conditions.iter().map(|condition| condition.id.0));
            self.add(&rule.rules);
        }
    }

    /// Reads the field `rules`. What is marked with `delete` is left out.
    pub fn read_rules(&mut self, fields: &mut Fields) -> Option<Vec<NewRule>> {
        let rules = fields.objects("rules", |rule| self.read_rule(rule))?;
        Some(rules.into_iter().flatten().collect())
    }

    fn read_rule(&mut self, fields: &mut Fields) -> Option<NewRule> {
        if is_deleted(fields) {
            return None;
        }
        fields.require(&["type"]);
        let rule_type = fields.optional("type", choice()).unwrap_or(SegmentRuleType::All);
        let id = fields.nullable("id", id()).flatten().filter(|id| self.rules.remove(id));
        let rules = self.read_rules(fields).unwrap_or_default();
        let conditions = fields.objects("conditions", |condition| self.read_condition(condition));
        let conditions = conditions.unwrap_or_default().into_iter().flatten().collect();
        Some(NewRule { id: id.map(SegmentRuleId), rule_type, rules, conditions })
    }

    fn read_condition(&mut self, fields: &mut Fields) -> Option<NewCondition> {
        if is_deleted(fields) {
            return None;
        }
        fields.require(&["operator"]);
        let operator = fields.optional("operator", choice()).unwrap_or(SegmentOperator::Equal);
        let id = fields.nullable("id", id()).flatten().filter(|id| self.conditions.remove(id));
        let value = fields.nullable("value", text(CONDITION_CHARACTERS_MAX).verbatim().or_boolean());
        Some(NewCondition {
            id: id.map(SegmentConditionId),
            operator,
            property: fields.nullable("property", text(CONDITION_CHARACTERS_MAX).or_blank()).flatten(),
            value: value.flatten(),
            description: fields.nullable("description", text(DESCRIPTION_CHARACTERS_MAX).or_blank()).flatten(),
        })
    }
}

fn is_deleted(fields: &mut Fields) -> bool {
    fields.nullable("delete", boolean()).flatten().unwrap_or(false)
}

/// Rules like these: the very same ones, or new ones that say the same.
#[must_use]
pub fn like(rules: Vec<SegmentRule>, are_the_same: bool) -> Vec<NewRule> {
    let condition = |condition: SegmentCondition| NewCondition {
        id: are_the_same.then_some(condition.id),
        operator: condition.operator,
        property: condition.property,
        value: condition.value,
        description: condition.description,
    };
    let rule = |rule: SegmentRule| NewRule {
        id: are_the_same.then_some(rule.id),
        rule_type: rule.rule_type,
        rules: like(rule.rules, are_the_same),
        conditions: rule.conditions.into_iter().map(condition).collect(),
    };
    rules.into_iter().map(rule).collect()
}

/// What a request may say of a segment.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct SegmentInput {
    /// Its name, at most 2,000 characters. A PATCH may leave it out.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// The feature that it is for alone.
    feature: Option<i64>,
    /// Its rules, at least one, at most 100 rules and conditions in all. A PATCH may leave them out.
    rules: Vec<RuleInput>,
}

/// What a request may say of a rule.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct RuleInput {
    /// Its id, if it is there already.
    id: Option<i64>,
    /// How its parts are joined: `ALL`, `ANY` or `NONE`.
    r#type: String,
    /// The rules in it. They hold no rules.
    #[schema(no_recursion)]
    rules: Option<Vec<RuleInput>>,
    /// The conditions in it.
    conditions: Option<Vec<ConditionInput>>,
    /// Whether to leave it out.
    delete: Option<bool>,
}

/// What a request may say of a condition.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct ConditionInput {
    /// Its id, if it is there already.
    id: Option<i64>,
    /// What it asks: `EQUAL`, `NOT_EQUAL`, `GREATER_THAN`, `GREATER_THAN_INCLUSIVE`, `LESS_THAN`, `LESS_THAN_INCLUSIVE`,
    /// `CONTAINS`, `NOT_CONTAINS`, `REGEX`, `PERCENTAGE_SPLIT`, `MODULO`, `IS_SET`, `IS_NOT_SET` or `IN`.
    operator: String,
    /// Of which trait, at most 1,000 characters.
    property: Option<String>,
    /// What it compares with, at most 1,000 characters.
    value: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether to leave it out.
    delete: Option<bool>,
}
