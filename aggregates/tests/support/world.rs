//! A project and an environment in it, to which anything may have happened that commands allow.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    CloneMode, CloneOrigin, CloneReader, CloneRequest, CloneTarget, Environment, EnvironmentCommand, ExpectedOverride,
    FeatureValue, NewEnvironment, StateChange, clone_size,
};
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentId,
};
use offshoot_aggregates::project::{OptionChange, Project, ProjectCommand, ProjectSettings};
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::environment::{clone_origin, new_environment, segment_ref, share};
use super::project::{feature, multivariate, option, segment};
use super::scenario::perform;
use super::uuid;

/// The number of the environment that is copied.
pub const SOURCE: u64 = 2;

/// Something that happens; the numbers pick a feature, an option or a segment.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    CreateFeature { options: u8 },
    DeleteFeature(usize),
    AddOption(usize),
    ChangeOption(usize, u8),
    RemoveOption(usize),
    CreateSegment,
    DeleteSegment(usize),
    OtherEnvironment,
    SetState(usize, bool),
    SetShare(usize, u8),
    AddOverride(usize, usize),
    SetOverride(usize, usize, u8),
    RemoveOverride(usize),
}

/// Any steps.
pub fn step() -> impl Strategy<Value = Step> {
    let pick = 0..100_usize;
    prop_oneof![
        4 => (0..4_u8).prop_map(|options| Step::CreateFeature { options }),
        1 => pick.clone().prop_map(Step::DeleteFeature),
        2 => pick.clone().prop_map(Step::AddOption),
        2 => (pick.clone(), 0..4_u8).prop_map(|(feature, share)| Step::ChangeOption(feature, share)),
        1 => pick.clone().prop_map(Step::RemoveOption),
        2 => Just(Step::CreateSegment),
        1 => pick.clone().prop_map(Step::DeleteSegment),
        1 => Just(Step::OtherEnvironment),
        4 => (pick.clone(), any::<bool>()).prop_map(|(feature, enabled)| Step::SetState(feature, enabled)),
        3 => (pick.clone(), 0..4_u8).prop_map(|(feature, share)| Step::SetShare(feature, share)),
        1 => (pick.clone(), pick.clone()).prop_map(|(feature, segment)| Step::AddOverride(feature, segment)),
        5 => (pick.clone(), pick.clone(), 0..4_u8).prop_map(|(f, s, share)| Step::SetOverride(f, s, share)),
        1 => pick.prop_map(Step::RemoveOverride),
    ]
}

/// A project, and environment [`SOURCE`] in it.
#[derive(Clone)]
pub struct World {
    pub project: Project,
    pub source: Environment,
    next_id: i64,
}

impl World {
    /// An empty project with an empty environment, and what happened then.
    pub fn after(steps: &[Step]) -> Self {
        let mut world = Self { project: Project::default(), source: Environment::default(), next_id: 1 };
        let created = ProjectCommand::CreateProject {
            id: Default::default(),
            organisation: uuid(1),
            organisation_id: Default::default(),
            settings: ProjectSettings::named("shop"),
            admin: None,
        };
        perform(&mut world.project, created).unwrap();
        world.reserve(SOURCE);
        perform(&mut world.source, EnvironmentCommand::CreateEnvironment(new_environment())).unwrap();
        steps.iter().for_each(|step| world.take(*step));
        world
    }

    /// The first of a block of ids that nobody else has.
    fn ids(&mut self, count: u64) -> i64 {
        self.next_id += count.cast_signed();
        self.next_id - count.cast_signed()
    }

    /// Makes an environment one of the project; answers the first of the ids of its states.
    fn reserve(&mut self, number: u64) -> FeatureStateId {
        let feature_state_ids = self.project.features_ever();
        let first_feature_state_id = FeatureStateId(self.ids(feature_state_ids));
        let reserve = ProjectCommand::ReserveEnvironmentName {
            environment: uuid(number),
            environment_id: EnvironmentId(number.cast_signed()),
            name: format!("environment {number}"),
            first_feature_state_id,
            feature_state_ids,
            in_batches: false,
        };
        perform(&mut self.project, reserve).unwrap();
        first_feature_state_id
    }

    fn feature(&self, pick: usize) -> Option<FeatureId> {
        self.project.features().keys().nth(pick % self.project.features().len().max(1)).copied()
    }

    fn segment(&self, pick: usize) -> Option<SegmentId> {
        self.project.segments().keys().nth(pick % self.project.segments().len().max(1)).copied()
    }

    /// An option of a feature.
    fn option(&self, pick: usize) -> Option<(FeatureId, MultivariateOptionId)> {
        let feature = self.feature(pick)?;
        let options = &self.project.features()[&feature].definition.options;
        options.get(pick % options.len().max(1)).map(|option| (feature, option.id))
    }

    /// Does what the step says; nothing if there is nothing to do it to.
    fn take(&mut self, step: Step) {
        match step {
            Step::SetState(..) | Step::SetShare(..) => drop(self.set_state(step)),
            Step::AddOverride(..) | Step::SetOverride(..) | Step::RemoveOverride(_) => drop(self.set_override(step)),
            Step::OtherEnvironment => drop(self.reserve(10 + self.project.environments_ever())),
            step => {
                if let Some(command) = self.project_command(step) {
                    perform(&mut self.project, command).unwrap();
                }
            }
        }
    }

    fn project_command(&mut self, step: Step) -> Option<ProjectCommand> {
        let command = match step {
            Step::CreateFeature { options } => {
                let id = self.ids(1);
                let options: Vec<_> = (0..options).map(|share| option(self.ids(1), f64::from(share))).collect();
                let name = format!("flag_{id}");
                let feature = if options.is_empty() { feature(id, &name) } else { multivariate(id, &name, options) };
                let feature_state_ids = self.project.environments_ever();
                let first_feature_state_id = FeatureStateId(self.ids(feature_state_ids));
                ProjectCommand::CreateFeature { feature, first_feature_state_id, feature_state_ids }
            }
            Step::DeleteFeature(feature) => ProjectCommand::DeleteFeature { feature: self.feature(feature)? },
            Step::AddOption(feature) => {
                let feature = self.feature(feature)?;
                ProjectCommand::AddMultivariateOption { feature, option: option(self.ids(1), 1.0) }
            }
            Step::ChangeOption(pick, share) => {
                let (feature, option) = self.option(pick)?;
                let default_percentage_allocation = Some(f64::from(share));
                let change = OptionChange { default_percentage_allocation, ..OptionChange::default() };
                ProjectCommand::ChangeMultivariateOption { feature, option, change }
            }
            Step::RemoveOption(pick) => {
                let (feature, option) = self.option(pick)?;
                ProjectCommand::RemoveMultivariateOption { feature, option }
            }
            Step::CreateSegment => {
                let id = self.ids(1);
                ProjectCommand::CreateSegment { segment: segment(id, &format!("segment {id}")) }
            }
            Step::DeleteSegment(segment) => ProjectCommand::DeleteSegment { segment: self.segment(segment)? },
            _ => return None,
        };
        Some(command)
    }

    fn set_state(&mut self, step: Step) -> Option<()> {
        let (feature, change) = match step {
            Step::SetState(feature, enabled) => {
                (self.feature(feature)?, StateChange { enabled: Some(enabled), ..StateChange::default() })
            }
            Step::SetShare(pick, percentage) => {
                let (feature, option) = self.option(pick)?;
                let shares = vec![share(option.0, f64::from(percentage))];
                (feature, StateChange { multivariate: Some(shares), ..StateChange::default() })
            }
            _ => return None,
        };
        let feature = super::environment::feature_ref(&self.project, SOURCE, feature.0);
        perform(&mut self.source, EnvironmentCommand::SetFeatureState { feature, change }).unwrap();
        Some(())
    }

    fn set_override(&mut self, step: Step) -> Option<()> {
        if let Step::RemoveOverride(pick) = step {
            let count = self.source.overrides().len().max(1);
            let ((feature, _), item) = self.source.overrides().iter().nth(pick % count)?;
            let remove = EnvironmentCommand::RemoveSegmentOverride {
                feature: *feature,
                feature_name: String::new(),
                feature_segment: item.link.feature_segment,
                segment_name: String::new(),
            };
            perform(&mut self.source, remove).unwrap();
            return Some(());
        }
        let (Step::AddOverride(feature, segment) | Step::SetOverride(feature, segment, _)) = step else { return None };
        let (feature, segment) = (self.feature(feature)?, segment_ref(self.segment(segment)?.0));
        let feature = super::environment::feature_ref(&self.project, SOURCE, feature.0);
        let feature_segment = FeatureSegmentId(self.ids(1));
        let Step::SetOverride(_, _, number) = step else {
            // Rejected if it is there already.
            drop(perform(
                &mut self.source,
                EnvironmentCommand::AddSegmentOverride { feature, segment, feature_segment },
            ));
            return Some(());
        };
        let shares = feature.feature.definition.options.first().map(|option| share(option.id.0, f64::from(number)));
        let change = StateChange {
            value: Some(FeatureValue::integer(number.into())),
            multivariate: Some(shares.into_iter().collect()),
            ..StateChange::default()
        };
        let feature_state = FeatureStateId(self.ids(1));
        let priority = Some(u32::from(number));
        let set = EnvironmentCommand::SetSegmentOverride {
            feature,
            segment,
            feature_segment,
            feature_state,
            change,
            priority,
            expected: ExpectedOverride::Any,
            segments: self.project.segments().clone(),
        };
        perform(&mut self.source, set).unwrap();
        Some(())
    }

    /// Plans a clone of an environment as environment `number`.
    pub fn plan(&mut self, source: &Environment, source_number: u64, number: u64, batch_size: u32) -> CloneOrigin {
        let (defaults, overrides) = clone_size(source, &self.project);
        let first_feature_state_id = self.reserve(number);
        CloneOrigin {
            source: source.reference(uuid(source_number)).unwrap(),
            first_feature_state_id,
            first_override_state_id: FeatureStateId(self.ids(overrides)),
            first_feature_segment_id: FeatureSegmentId(self.ids(overrides)),
            ..clone_origin(defaults + overrides, batch_size, CloneMode::Async)
        }
    }

    /// A complete clone of an environment as environment `number`, made by commands, and its plan.
    pub fn clone_of(&mut self, source: &Environment, source_number: u64, number: u64) -> (Environment, CloneOrigin) {
        let origin = self.plan(source, source_number, number, 3);
        let mut reader = CloneReader::new(
            uuid(source_number),
            Arc::new(source.clone()),
            Arc::new(self.project.clone()),
            CloneTarget::from(&origin),
        )
        .unwrap();
        let environment = NewEnvironment { id: EnvironmentId(number.cast_signed()), ..new_environment() };
        let request = CloneRequest { environment, origin: origin.clone(), grants: vec![], batches: vec![] };
        let mut clone = Environment::default();
        perform(&mut clone, EnvironmentCommand::RequestEnvironmentClone(Box::new(request))).unwrap();
        while let Some(batch) = clone.creation().and_then(|creation| creation.next_batch()) {
            let states = Arc::new(reader.next_batch(3).unwrap());
            perform(&mut clone, EnvironmentCommand::CopyFeatureStatesBatch { batch, states }).unwrap();
        }
        perform(&mut clone, EnvironmentCommand::CompleteClone).unwrap();
        (clone, origin)
    }
}
