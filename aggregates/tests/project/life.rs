//! How a project comes to be, changes its settings and ends.

use offshoot_aggregates::ids::{FeatureId, FeatureStateId, MultivariateOptionId, OrganisationId, ProjectId, SegmentId};
use offshoot_aggregates::limits::{FEATURE_NAME_REGEX_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::permissions::{Principal, ProjectPermission};
use offshoot_aggregates::project::{
    FeatureChange, OptionChange, Project, ProjectCommand as Command, ProjectError as Error, ProjectEvent as Event,
    ProjectSettings,
};

use crate::support::project::{
    environment_reserved, feature, feature_created, option, project, project_created, segment, segment_created,
};
use crate::support::scenario::{fold, given, given_nothing};
use crate::support::{admin, bad_names, bad_texts, grant, holder, problem, text, uuid};

fn create(settings: ProjectSettings, admin: Option<Principal>) -> Command {
    Command::CreateProject {
        id: ProjectId(1),
        organisation: uuid(1),
        organisation_id: OrganisationId(1),
        settings,
        admin,
    }
}

fn deleted() -> Event {
    Event::ProjectDeleted { name: "shop".to_owned() }
}

/// Every command but that for coming to be.
fn commands() -> Vec<Command> {
    let (environment, name) = (uuid(5), "production".to_owned());
    vec![
        Command::ChangeProjectSettings { settings: ProjectSettings::named("other"), settings_changes: 0 },
        Command::DeleteProject,
        Command::CreateFeature {
            feature: feature(9, "new"),
            first_feature_state_id: FeatureStateId(1),
            feature_state_ids: 9,
        },
        Command::ImportFeatures { batch: 1, features: vec![feature(9, "new")].into() },
        Command::DescribeFeature { feature: FeatureId(1), change: FeatureChange::default() },
        Command::DeleteFeature { feature: FeatureId(1) },
        Command::AddMultivariateOption { feature: FeatureId(1), option: option(1, 10.0) },
        Command::ChangeMultivariateOption {
            feature: FeatureId(1),
            option: MultivariateOptionId(1),
            change: OptionChange::default(),
        },
        Command::RemoveMultivariateOption { feature: FeatureId(1), option: MultivariateOptionId(1) },
        Command::ReplaceMultivariateOptions { feature: FeatureId(1), options: vec![] },
        Command::CreateSegment { segment: segment(9, "new") },
        Command::ChangeSegment { segment: segment(1, "gold") },
        Command::DeleteSegment { segment: SegmentId(1) },
        Command::ReserveEnvironmentName {
            environment,
            environment_id: Default::default(),
            name: name.clone(),
            first_feature_state_id: FeatureStateId(1),
            feature_state_ids: 9,
            in_batches: false,
        },
        Command::ReserveEnvironmentRename { environment, name: name.clone() },
        Command::ReleaseEnvironmentName { environment, name, reservation: 1 },
        Command::GrantProjectPermission { grant: grant(holder(1), [ProjectPermission::ViewProject]) },
        Command::RevokeProjectPermission { principal: holder(1) },
    ]
}

#[test]
fn a_project_comes_to_be() {
    let settings = ProjectSettings::named("shop");
    let project = given_nothing::<Project>().when(create(settings.clone(), None)).then([project_created()]);
    assert!(project.exists());
    assert_eq!(project.id(), Some(ProjectId(1)));
    assert_eq!(project.organisation(), Some((uuid(1), OrganisationId(1))));
    assert_eq!(project.settings(), Some(&settings));
}

#[test]
fn who_creates_a_project_administers_it() {
    let granted = Event::ProjectPermissionGranted { before: None, after: admin(holder(1)) };
    let project = given_nothing::<Project>()
        .when(create(ProjectSettings::named("shop"), Some(holder(1))))
        .then([project_created(), granted]);
    assert_eq!(project.grants()[&holder(1)], admin(holder(1)));
}

#[test]
fn a_project_is_created_once() {
    let create = || create(ProjectSettings::named("shop"), None);
    given::<Project>(project([])).when(create()).then_rejected(Error::AlreadyExists);
    given::<Project>(project([deleted()])).when(create()).then_rejected(Error::AlreadyExists);
}

#[test]
fn a_project_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        let settings = ProjectSettings::named(name);
        given_nothing::<Project>().when(create(settings.clone(), None)).then_rejected(problem("name", wrong));
        given::<Project>(project([]))
            .when(Command::ChangeProjectSettings { settings, settings_changes: 0 })
            .then_rejected(problem("name", wrong));
    }
}

#[test]
fn nothing_can_be_asked_of_a_project_that_was_never_created() {
    for command in commands() {
        given_nothing::<Project>().when(command).then_rejected(Error::NotFound);
    }
}

#[test]
fn nothing_can_be_asked_of_a_project_that_was_deleted() {
    for command in commands() {
        given::<Project>(project([deleted()])).when(command).then_rejected(Error::NotFound);
    }
}

#[test]
fn settings_are_changed_all_at_once() {
    let after = ProjectSettings {
        hide_disabled_flags: true,
        feature_name_regex: Some("[a-z_]+".to_owned()),
        ..ProjectSettings::named("store")
    };
    let changed = Event::ProjectSettingsChanged { before: ProjectSettings::named("shop"), after: after.clone() };
    let project = given::<Project>(project([]))
        .when(Command::ChangeProjectSettings { settings: after.clone(), settings_changes: 0 })
        .then([changed]);
    assert_eq!(project.settings(), Some(&after));
}

#[test]
fn settings_that_are_as_they_were_change_nothing() {
    given::<Project>(project([]))
        .when(Command::ChangeProjectSettings { settings: ProjectSettings::named("shop"), settings_changes: 0 })
        .then_nothing();
}

#[test]
fn the_rule_for_feature_names_is_a_regular_expression_of_bounded_length() {
    let settings =
        |pattern: String| ProjectSettings { feature_name_regex: Some(pattern), ..ProjectSettings::named("shop") };
    let create = |pattern: &str| create(settings(pattern.to_owned()), None);
    let rejected = given_nothing::<Project>().when(create("[a-z")).rejection();
    assert!(matches!(rejected, Error::InvalidFeatureNameRegex { .. }), "{rejected}");
    let too_big = given_nothing::<Project>().when(create(r"((\pL{99}){99}){99}")).rejection();
    assert!(matches!(too_big, Error::InvalidFeatureNameRegex { .. }), "{too_big}");
    for (pattern, wrong) in bad_texts(FEATURE_NAME_REGEX_CHARACTERS_MAX) {
        given_nothing::<Project>().when(create(&pattern)).then_rejected(problem("feature_name_regex", wrong));
    }
    given::<Project>(project([]))
        .when(Command::ChangeProjectSettings {
            settings: settings(text(FEATURE_NAME_REGEX_CHARACTERS_MAX)),
            settings_changes: 0,
        })
        .then_accepted();
}

#[test]
fn a_project_is_deleted_and_lets_go_of_everything_in_it() {
    let events = project([
        feature_created(feature(1, "flag"), 0),
        segment_created(1, "gold"),
        environment_reserved(5, "production", 0, 1),
        Event::ProjectPermissionGranted { before: None, after: admin(holder(1)) },
    ]);
    let project = given::<Project>(events).when(Command::DeleteProject).then([deleted()]);
    assert!(!project.exists());
    assert_eq!(project.id(), Some(ProjectId(1)));
    assert!(project.features().is_empty());
    assert!(project.segments().is_empty());
    assert!(project.grants().is_empty());
    assert_eq!(project.environment(uuid(5)), None);
}

#[test]
fn the_name_in_the_event_of_deletion_is_the_last_one() {
    let renamed = Event::ProjectSettingsChanged {
        before: ProjectSettings::named("shop"),
        after: ProjectSettings::named("store"),
    };
    given::<Project>(project([renamed]))
        .when(Command::DeleteProject)
        .then([Event::ProjectDeleted { name: "store".to_owned() }]);
}

#[test]
fn a_project_that_was_never_created_has_nothing() {
    let project = fold::<Project>([]);
    assert!(!project.exists());
    assert_eq!((project.id(), project.organisation(), project.settings()), (None, None, None));
}
