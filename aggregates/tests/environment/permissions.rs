//! Who may do what in an environment.

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event,
};
use offshoot_aggregates::permissions::EnvironmentPermission::{UpdateFeatureState, ViewEnvironment};

use crate::support::environment::environment;
use crate::support::scenario::given;
use crate::support::{admin, grant, holder, uuid};

#[test]
fn permissions_are_set_all_at_once() {
    let before = grant(holder(1), [ViewEnvironment, UpdateFeatureState]);
    let after = grant(holder(1), [ViewEnvironment]);
    let granted = Event::EnvironmentPermissionGranted { before: None, after: before.clone() };
    given::<Environment>(environment([]))
        .when(Command::GrantEnvironmentPermission { grant: before.clone() })
        .then([granted.clone()]);
    let environment = given::<Environment>(environment([granted]))
        .when(Command::GrantEnvironmentPermission { grant: after.clone() })
        .then([Event::EnvironmentPermissionGranted { before: Some(before), after: after.clone() }]);
    assert_eq!(environment.grants()[&holder(1)], after);
}

#[test]
fn permissions_that_someone_has_change_nothing() {
    let granted = Event::EnvironmentPermissionGranted { before: None, after: admin(holder(1)) };
    given::<Environment>(environment([granted]))
        .when(Command::GrantEnvironmentPermission { grant: admin(holder(1)) })
        .then_nothing();
}

#[test]
fn permissions_are_taken_away_also_inherited_ones() {
    let inherited = Event::PermissionsInherited { source: uuid(7), grants: vec![admin(holder(1)), admin(holder(2))] };
    let environment = given::<Environment>(environment([inherited]))
        .when(Command::RevokeEnvironmentPermission { principal: holder(1) })
        .then([Event::EnvironmentPermissionRevoked { before: admin(holder(1)) }]);
    assert_eq!(environment.grants().keys().collect::<Vec<_>>(), [&holder(2)]);
}

#[test]
fn permissions_that_nobody_has_cannot_be_taken_away() {
    given::<Environment>(environment([]))
        .when(Command::RevokeEnvironmentPermission { principal: holder(1) })
        .then_rejected(Error::GrantNotFound);
}
