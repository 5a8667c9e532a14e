//! Who may do what in a project.

use offshoot_aggregates::permissions::ProjectPermission::{CreateFeature, ViewProject};
use offshoot_aggregates::project::{Project, ProjectCommand as Command, ProjectError as Error, ProjectEvent as Event};

use crate::support::project::project;
use crate::support::scenario::given;
use crate::support::{admin, grant, holder};

#[test]
fn permissions_are_set_all_at_once() {
    let (before, after) = (grant(holder(1), [ViewProject, CreateFeature]), grant(holder(1), [ViewProject]));
    let granted = Event::ProjectPermissionGranted { before: None, after: before.clone() };
    given::<Project>(project([]))
        .when(Command::GrantProjectPermission { grant: before.clone() })
        .then([granted.clone()]);
    let project = given::<Project>(project([granted]))
        .when(Command::GrantProjectPermission { grant: after.clone() })
        .then([Event::ProjectPermissionGranted { before: Some(before), after: after.clone() }]);
    assert_eq!(project.grants()[&holder(1)], after);
}

#[test]
fn permissions_that_someone_has_change_nothing() {
    let granted = Event::ProjectPermissionGranted { before: None, after: admin(holder(1)) };
    given::<Project>(project([granted]))
        .when(Command::GrantProjectPermission { grant: admin(holder(1)) })
        .then_nothing();
}

#[test]
fn permissions_are_taken_away() {
    let granted = |number| Event::ProjectPermissionGranted { before: None, after: admin(holder(number)) };
    let project = given::<Project>(project([granted(1), granted(2)]))
        .when(Command::RevokeProjectPermission { principal: holder(1) })
        .then([Event::ProjectPermissionRevoked { before: admin(holder(1)) }]);
    assert_eq!(project.grants().keys().collect::<Vec<_>>(), [&holder(2)]);
}

#[test]
fn permissions_that_nobody_has_cannot_be_taken_away() {
    given::<Project>(project([]))
        .when(Command::RevokeProjectPermission { principal: holder(1) })
        .then_rejected(Error::GrantNotFound);
}
