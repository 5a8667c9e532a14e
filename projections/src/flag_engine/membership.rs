//! Whether a context belongs to a segment.

use std::borrow::Cow;

use offshoot_aggregates::ids::SegmentId;

use super::condition::CompiledCondition;
use super::context::ContextValue;
use super::evaluation::FlagValue;
use super::evaluator::Evaluator;
use super::numbers::Integer;
use super::property::{FeatureMember, FlagMember, Member, Property};
use super::segment::{CompiledRule, join};

impl<'e, A> Evaluator<'e, A> {
    /// Checks the segment at this place; nobody belongs to one without rules.
    pub(super) fn check_segment(&mut self, index: usize) -> bool {
        let segment = &self.environment.segments[index];
        !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.rule_holds(rule, segment.id))
    }

    fn rule_holds(&mut self, rule: &'e CompiledRule, segment: SegmentId) -> bool {
        let conditions = join(rule.rule_type, &rule.conditions, |condition| self.condition_holds(condition, segment));
        // Where segments ask for flags, Flagsmith asks both parts: which flags were read has consequences.
        if !conditions && self.dependencies.is_none() {
            return false;
        }
        join(rule.rule_type, &rule.rules, |rule| self.rule_holds(rule, segment)) && conditions
    }

    fn condition_holds(&mut self, condition: &'e CompiledCondition, segment: SegmentId) -> bool {
        let property = &condition.property;
        if let Some(Member::Flag(name, _)) = &property.member
            && self.own_value(property).is_none()
        {
            self.resolve_flag(name);
        }
        condition.holds(self.value(property).as_ref(), segment)
    }

    /// The value of a property; `None` where the context does not have it.
    fn value<'s>(&'s self, property: &'s Property) -> Option<ContextValue<'s>> {
        self.own_value(property).or_else(|| self.member_value(property.member.as_ref()?))
    }

    /// The value of the trait that has the property's name.
    fn own_value(&self, property: &Property) -> Option<ContextValue<'e>> {
        self.trait_value(property.trait_name.as_deref()?)
    }

    fn member_value<'s>(&'s self, member: &'s Member) -> Option<ContextValue<'s>> {
        Some(match member {
            Member::EnvironmentKey => ContextValue::from_text(&self.environment.identity.api_key),
            Member::EnvironmentName => ContextValue::from_text(&self.environment.identity.name),
            Member::IdentityIdentifier => ContextValue::from_text(self.context.identity?.identifier),
            Member::IdentityKey => {
                let key = self.identity_key()?;
                ContextValue::from_text(self.key_text.get_or_init(|| key.to_string()))
            }
            Member::Trait(name) => return self.trait_value(name),
            Member::Feature(name, member) => return self.feature_member(name, *member),
            Member::Flag(name, member) => return self.flag_member(name, *member),
        })
    }

    fn feature_member(&self, name: &str, member: FeatureMember) -> Option<ContextValue<'e>> {
        let feature = self.environment.feature_named(name)?;
        let content = &feature.default_state().content;
        match member {
            FeatureMember::Key => Some(ContextValue::Integer(Integer::Small(content.seed.0))),
            FeatureMember::Name => Some(ContextValue::from_text(feature.name())),
            FeatureMember::Enabled => Some(ContextValue::Boolean(content.enabled)),
            FeatureMember::Value => from_flag_value((&content.value).into()),
        }
    }

    /// A member of a flag that was resolved.
    fn flag_member(&self, name: &str, member: FlagMember) -> Option<ContextValue<'e>> {
        let feature = self.environment.feature_named(name)?;
        let choice = self.dependencies.as_ref()?.resolved(feature.id())?;
        let flag = self.evaluation(feature, choice);
        match member {
            FlagMember::Name => Some(ContextValue::from_text(flag.feature.name())),
            FlagMember::Enabled => Some(ContextValue::Boolean(flag.enabled())),
            FlagMember::Value => from_flag_value(flag.value()),
            FlagMember::Variant => flag.variant_key().map(ContextValue::from_text),
            FlagMember::Reason => Some(ContextValue::Text(Cow::Owned(flag.reason.to_string()))),
            FlagMember::Other => None,
        }
    }
}

fn from_flag_value(value: FlagValue<'_>) -> Option<ContextValue<'_>> {
    match value {
        FlagValue::Null => None,
        FlagValue::Text(text) => Some(ContextValue::from_text(text)),
        FlagValue::Integer(integer) => Some(ContextValue::Integer(Integer::Small(integer.into()))),
        FlagValue::Boolean(boolean) => Some(ContextValue::Boolean(boolean)),
    }
}
