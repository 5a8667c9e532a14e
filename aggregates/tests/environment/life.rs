//! How an environment comes to be, changes its settings and ends.

use offshoot_aggregates::environment::{
    CloneMode, CreationStatus, Environment, EnvironmentCommand as Command, EnvironmentError as Error,
    EnvironmentEvent as Event, EnvironmentRef, EnvironmentSettings, NewEnvironment, Origin,
};
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use offshoot_aggregates::limits::{
    API_KEY_CHARACTERS_MAX, BANNER_COLOUR_CHARACTERS_MAX, BANNER_TEXT_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
};

use super::while_creating::{permission_commands, state_commands};
use crate::support::environment::{clone_request, content, environment, environment_created, new_environment, states};
use crate::support::scenario::{fold, given, given_nothing};
use crate::support::{admin, bad_names, bad_texts, holder, problem, text, uuid};

fn deleted() -> Event {
    Event::EnvironmentDeleted { name: "staging".to_owned() }
}

fn change(settings: EnvironmentSettings) -> Command {
    Command::ChangeEnvironmentSettings { settings, settings_changes: 0 }
}

/// The commands with which an environment comes to be.
fn beginnings() -> [Command; 3] {
    [
        Command::CreateEnvironment(new_environment()),
        Command::RequestEnvironmentClone(Box::new(clone_request(2, 2, CloneMode::Async))),
        Command::RequestEnvironmentImport {
            environment: new_environment(),
            document: "production".to_owned(),
            feature_states_total: 2,
            batches_total: 1,
        },
    ]
}

/// Every other command.
fn commands() -> Vec<Command> {
    let of_creation = [
        Command::CopyFeatureStatesBatch { batch: 1, states: states([1]) },
        Command::CompleteClone,
        Command::FailClone { batch: 1, code: String::new(), detail: String::new() },
        Command::RetryClone,
        Command::CancelClone,
        Command::ImportFeatureStates { batch: 1, states: states([1]) },
        Command::CompleteImport,
        Command::DeleteEnvironment,
        change(EnvironmentSettings::named("other")),
    ];
    of_creation.into_iter().chain(state_commands()).chain(permission_commands()).collect()
}

#[test]
fn an_environment_comes_to_be_and_its_creator_administers_it() {
    let granted = Event::EnvironmentPermissionGranted { before: None, after: admin(holder(1)) };
    let environment = given_nothing::<Environment>()
        .when(Command::CreateEnvironment(new_environment()))
        .then([environment_created(Origin::New), granted]);
    assert!(environment.exists());
    assert!(!environment.is_creating());
    assert_eq!(environment.project(), Some((uuid(1), ProjectId(1))));
    assert_eq!(environment.settings(), Some(&EnvironmentSettings::named("staging")));
    assert_eq!(environment.grants()[&holder(1)], admin(holder(1)));
    let reference = EnvironmentRef {
        uuid: uuid(8),
        id: EnvironmentId(2),
        name: "staging".to_owned(),
        api_key: "client-key".to_owned(),
    };
    assert_eq!(environment.reference(uuid(8)), Some(reference));
}

#[test]
fn an_environment_may_have_no_administrator() {
    given_nothing::<Environment>()
        .when(Command::CreateEnvironment(NewEnvironment { admin: None, ..new_environment() }))
        .then([environment_created(Origin::New)]);
}

#[test]
fn an_environment_comes_to_be_once_in_whatever_way() {
    for command in beginnings() {
        given::<Environment>(environment([])).when(command.clone()).then_rejected(Error::AlreadyExists);
        given::<Environment>(environment([deleted()])).when(command).then_rejected(Error::AlreadyExists);
    }
}

#[test]
fn an_environment_needs_proper_settings_in_whatever_way_it_comes_to_be() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        for mut command in beginnings() {
            named(&mut command).settings.name.clone_from(&name);
            given_nothing::<Environment>().when(command).then_rejected(problem("name", wrong));
        }
    }
    for (api_key, wrong) in bad_names(API_KEY_CHARACTERS_MAX) {
        for mut command in beginnings() {
            named(&mut command).api_key.clone_from(&api_key);
            given_nothing::<Environment>().when(command).then_rejected(problem("api_key", wrong));
        }
    }
}

fn named(command: &mut Command) -> &mut NewEnvironment {
    match command {
        Command::CreateEnvironment(environment) | Command::RequestEnvironmentImport { environment, .. } => environment,
        Command::RequestEnvironmentClone(request) => &mut request.environment,
        other => panic!("nothing comes to be with {other:?}"),
    }
}

#[test]
fn nothing_can_be_asked_of_an_environment_that_was_never_created() {
    for command in commands() {
        given_nothing::<Environment>().when(command).then_rejected(Error::NotFound);
    }
}

#[test]
fn nothing_can_be_asked_of_an_environment_that_was_deleted() {
    for command in commands() {
        given::<Environment>(environment([deleted()])).when(command).then_rejected(Error::NotFound);
    }
}

#[test]
fn settings_are_changed_all_at_once() {
    let after = EnvironmentSettings {
        description: Some("where we try".to_owned()),
        hide_disabled_flags: Some(true),
        ..EnvironmentSettings::named("test")
    };
    let changed =
        Event::EnvironmentSettingsChanged { before: EnvironmentSettings::named("staging"), after: after.clone() };
    let environment = given::<Environment>(environment([])).when(change(after.clone())).then([changed]);
    assert_eq!(environment.settings(), Some(&after));
}

#[test]
fn settings_that_are_as_they_were_change_nothing() {
    given::<Environment>(environment([])).when(change(EnvironmentSettings::named("staging"))).then_nothing();
}

#[test]
fn the_texts_in_the_settings_have_limits_that_are_counted_in_characters() {
    let settings = || EnvironmentSettings::named("staging");
    let rejected = |settings: EnvironmentSettings, error| {
        given::<Environment>(environment([])).when(change(settings)).then_rejected(error);
    };
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        rejected(EnvironmentSettings::named(name), problem("name", wrong));
    }
    for (bad, wrong) in bad_texts(DESCRIPTION_CHARACTERS_MAX) {
        rejected(EnvironmentSettings { description: Some(bad), ..settings() }, problem("description", wrong));
    }
    for (bad, wrong) in bad_texts(BANNER_TEXT_CHARACTERS_MAX) {
        rejected(EnvironmentSettings { banner_text: Some(bad), ..settings() }, problem("banner_text", wrong));
    }
    for (bad, wrong) in bad_texts(BANNER_COLOUR_CHARACTERS_MAX) {
        rejected(EnvironmentSettings { banner_colour: Some(bad), ..settings() }, problem("banner_colour", wrong));
    }
    let longest = EnvironmentSettings {
        description: Some(text(DESCRIPTION_CHARACTERS_MAX)),
        banner_text: Some(text(BANNER_TEXT_CHARACTERS_MAX)),
        banner_colour: Some(text(BANNER_COLOUR_CHARACTERS_MAX)),
        ..EnvironmentSettings::named(text(NAME_CHARACTERS_MAX))
    };
    given::<Environment>(environment([])).when(change(longest)).then_accepted();
}

#[test]
fn an_environment_is_deleted_and_lets_go_of_everything_in_it() {
    let events = environment([
        crate::support::environment::state_changed(100, content("a", 100), content("b", 100)),
        Event::EnvironmentPermissionGranted { before: None, after: admin(holder(1)) },
    ]);
    let environment = given::<Environment>(events).when(Command::DeleteEnvironment).then([deleted()]);
    assert!(!environment.exists());
    assert!(environment.was_created());
    assert!(environment.states().is_empty());
    assert!(environment.grants().is_empty());
}

#[test]
fn the_name_in_the_event_of_deletion_is_the_last_one() {
    let renamed = Event::EnvironmentSettingsChanged {
        before: EnvironmentSettings::named("staging"),
        after: EnvironmentSettings::named("test"),
    };
    given::<Environment>(environment([renamed]))
        .when(Command::DeleteEnvironment)
        .then([Event::EnvironmentDeleted { name: "test".to_owned() }]);
}

#[test]
fn an_environment_that_was_never_created_has_nothing() {
    let environment = fold::<Environment>([]);
    assert!(!environment.exists() && !environment.was_created() && !environment.is_creating());
    assert_eq!(environment.reference(uuid(8)), None);
    assert_eq!((environment.project(), environment.settings()), (None, None));
    assert_eq!(environment.creation().map(|creation| creation.status), None::<CreationStatus>);
}
