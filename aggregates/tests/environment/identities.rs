//! Identities: known and forgotten.

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event,
};
use offshoot_aggregates::ids::{FeatureId, IdentityId};
use offshoot_aggregates::limits::{IDENTIFIER_CHARACTERS_MAX, IDENTITIES_MAX};

use crate::support::environment::{clone_of, content, environment, identity_added, identity_override_set};
use crate::support::scenario::{given, given_nothing};
use crate::support::{bad_names, problem, text};

fn add(identity: i64, identifier: &str) -> Command {
    Command::AddIdentity { identity: IdentityId(identity), identifier: identifier.to_owned() }
}

fn remove(identity: i64) -> Command {
    Command::RemoveIdentity { identity: IdentityId(identity) }
}

fn removed(identity: i64, identifier: &str) -> Event {
    Event::IdentityRemoved { identity: IdentityId(identity), identifier: identifier.to_owned() }
}

#[test]
fn an_identity_is_known_by_its_id_and_by_its_identifier() {
    let environment = given::<Environment>(environment([])).when(add(7, "user_1")).then([identity_added(7, "user_1")]);
    let identities = environment.identities();
    assert_eq!((identities.named("user_1"), identities.len()), (Some(IdentityId(7)), 1));
    assert_eq!(identities.identifier(IdentityId(7)).map(AsRef::as_ref), Some("user_1"));
}

#[test]
fn an_identifier_is_given_once_to_the_letter() {
    given::<Environment>(environment([identity_added(7, "user_1")]))
        .when(add(8, "user_1"))
        .then_rejected(Error::IdentityExists { identifier: "user_1".to_owned() });
    given::<Environment>(environment([identity_added(7, "user_1")]))
        .when(add(7, "user_2"))
        .then_rejected(Error::IdentityExists { identifier: "user_2".to_owned() });
    given::<Environment>(environment([identity_added(7, "user_1")]))
        .when(add(8, "User_1"))
        .then([identity_added(8, "User_1")]);
}

#[test]
fn an_identifier_has_a_limit_and_is_not_blank() {
    for (identifier, wrong) in bad_names(IDENTIFIER_CHARACTERS_MAX) {
        given::<Environment>(environment([])).when(add(7, &identifier)).then_rejected(problem("identifier", wrong));
    }
    given::<Environment>(environment([])).when(add(7, &text(IDENTIFIER_CHARACTERS_MAX))).then_accepted();
}

#[test]
fn there_are_only_so_many_identities() {
    let most = i64::try_from(IDENTITIES_MAX).unwrap();
    let full = || environment((1..=most).map(|id| identity_added(id, &id.to_string())));
    given::<Environment>(full())
        .when(add(most + 1, "one more"))
        .then_rejected(Error::TooManyIdentities { max: IDENTITIES_MAX });
    given::<Environment>(full().into_iter().chain([removed(1, "1")])).when(add(most + 1, "one more")).then_accepted();
}

#[test]
fn an_identity_is_forgotten_with_its_overrides_and_its_identifier_is_free() {
    let events = || {
        environment([
            identity_added(7, "user_1"),
            identity_added(8, "user_2"),
            identity_override_set(7, "user_1", 500, content("a", 500)),
            identity_override_set(8, "user_2", 501, content("b", 501)),
        ])
    };
    let environment = given::<Environment>(events()).when(remove(7)).then([removed(7, "user_1")]);
    let identities = environment.identities();
    assert_eq!((identities.named("user_1"), identities.override_of(IdentityId(7), FeatureId(1))), (None, None));
    assert_eq!((identities.len(), identities.overrides_len()), (1, 1));
    assert!(identities.override_of(IdentityId(8), FeatureId(1)).is_some());
    let after = events().into_iter().chain([removed(7, "user_1")]);
    given::<Environment>(after).when(add(9, "user_1")).then([identity_added(9, "user_1")]);
}

#[test]
fn an_identity_that_is_not_known_cannot_be_forgotten() {
    given::<Environment>(environment([identity_added(7, "user_1")]))
        .when(remove(8))
        .then_rejected(Error::IdentityNotFound);
    given::<Environment>(environment([identity_added(7, "user_1"), removed(7, "user_1")]))
        .when(remove(7))
        .then_rejected(Error::IdentityNotFound);
}

/// The dashboard makes an identity in a clone right after it asked for the clone.
#[test]
fn identities_come_and_go_while_the_environment_is_being_created() {
    given::<Environment>(clone_of(3, 2, [])).when(add(7, "user_1")).then([identity_added(7, "user_1")]);
    let copied = clone_of(3, 2, [identity_added(7, "user_1")]);
    given::<Environment>(copied).when(remove(7)).then([removed(7, "user_1")]);
}

#[test]
fn an_environment_that_is_not_there_knows_no_identities() {
    for command in [add(7, "user_1"), remove(7)] {
        given_nothing::<Environment>().when(command.clone()).then_rejected(Error::NotFound);
        let gone = environment([identity_added(7, "user_1"), Event::EnvironmentDeleted { name: "staging".to_owned() }]);
        given::<Environment>(gone).when(command).then_rejected(Error::NotFound);
    }
}
