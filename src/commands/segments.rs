//! Segments: their rules and conditions are given ids, then the project decides.

use std::pin::Pin;

use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureId, SegmentConditionId, SegmentId, SegmentRuleId};
use offshoot_aggregates::project::{
    ProjectCommand, ProjectError, Segment, SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType,
};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created};
use crate::event_log::Appended;

/// A condition that a rule is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCondition {
    /// Its id, if it is there already.
    pub id: Option<SegmentConditionId>,
    /// What it asks.
    pub operator: SegmentOperator,
    /// Of which trait.
    pub property: Option<String>,
    /// What it compares with.
    pub value: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// A rule that a segment is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// Its id, if it is there already.
    pub id: Option<SegmentRuleId>,
    /// How its parts are joined.
    pub rule_type: SegmentRuleType,
    /// The rules in it.
    pub rules: Vec<NewRule>,
    /// The conditions in it.
    pub conditions: Vec<NewCondition>,
}

/// A segment that a project is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSegment {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The feature that it is for alone.
    pub feature: Option<FeatureId>,
    /// Its rules.
    pub rules: Vec<NewRule>,
}

impl Commands {
    /// Creates a segment. Returns its id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create_segment(
        &self,
        context: &CommandContext,
        project: Uuid,
        new: NewSegment,
    ) -> Result<Created<SegmentId>, CommandError> {
        let uuid = context.derived_uuid("segment");
        let id = SegmentId(self.ids.next(IdKind::Segment).await?);
        let segment = self.define_segment(new, id, uuid).await?;
        let command = ProjectCommand::CreateSegment { segment };
        let appended = self.project(&context.step("create_segment"), project, command).await?;
        let project = self.load_project(project).await?.aggregate;
        let recorded = project.segments().values().find(|segment| segment.uuid == uuid);
        Ok(Created { created: recorded.map_or(id, |segment| segment.id), position: appended.position })
    }

    /// Replaces a segment's name, description, feature and rules.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_segment(
        &self,
        context: &CommandContext,
        project: Uuid,
        segment: SegmentId,
        new: NewSegment,
    ) -> Result<Appended, CommandError> {
        let before = self.load_project(project).await?.aggregate;
        let uuid = before.segments().get(&segment).ok_or(ProjectError::SegmentNotFound)?.uuid;
        let segment = self.define_segment(new, segment, uuid).await?;
        self.project(context, project, ProjectCommand::ChangeSegment { segment }).await
    }

    async fn define_segment(&self, new: NewSegment, id: SegmentId, uuid: Uuid) -> Result<Segment, CommandError> {
        let NewSegment { name, description, feature, rules } = new;
        let rules = self.define_rules(rules).await?;
        Ok(Segment { id, uuid, name, description, feature, rules })
    }

    /// Boxed, because rules hold rules.
    fn define_rules(
        &self,
        rules: Vec<NewRule>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<SegmentRule>, CommandError>> + Send + '_>> {
        Box::pin(async move {
            let mut defined = Vec::with_capacity(rules.len());
            for rule in rules {
                let id = match rule.id {
                    Some(id) => id,
                    None => SegmentRuleId(self.ids.next(IdKind::SegmentRule).await?),
                };
                let mut conditions = Vec::with_capacity(rule.conditions.len());
                for condition in rule.conditions {
                    conditions.push(self.define_condition(condition).await?);
                }
                let rules = self.define_rules(rule.rules).await?;
                defined.push(SegmentRule { id, rule_type: rule.rule_type, rules, conditions });
            }
            Ok(defined)
        })
    }

    async fn define_condition(&self, new: NewCondition) -> Result<SegmentCondition, CommandError> {
        let id = match new.id {
            Some(id) => id,
            None => SegmentConditionId(self.ids.next(IdKind::SegmentCondition).await?),
        };
        let NewCondition { operator, property, value, description, .. } = new;
        Ok(SegmentCondition { id, operator, property, value, description })
    }
}
