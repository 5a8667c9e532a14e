//! Organisations: API keys and the names of projects.

use offshoot_aggregates::ids::{ApiKeyId, OrganisationId, ProjectId};
use offshoot_aggregates::limits::NAME_CHARACTERS_MAX;
use offshoot_aggregates::organisation::{
    ApiKey, ApiKeyRole, Organisation, OrganisationCommand as Command, OrganisationError as Error,
    OrganisationEvent as Event,
};

use crate::support::scenario::{Scenario, given, given_nothing};
use crate::support::{bad_names, holder, problem, text, uuid};

fn created() -> Event {
    Event::OrganisationCreated { id: OrganisationId(1), name: "Default".to_owned(), admin: Some(holder(1)) }
}

fn organisation(events: impl IntoIterator<Item = Event>) -> Scenario<Organisation> {
    given(std::iter::once(created()).chain(events))
}

fn create(name: &str) -> Command {
    Command::CreateOrganisation { id: OrganisationId(1), name: name.to_owned(), admin: Some(holder(1)) }
}

fn key(number: i64) -> ApiKey {
    ApiKey {
        uuid: uuid(900 + number.unsigned_abs()),
        id: ApiKeyId(number),
        name: "ci".to_owned(),
        prefix: "abcd1234".to_owned(),
        hash: "0".repeat(64),
        role: ApiKeyRole::Member,
        expires_at: None,
    }
}

fn issued(number: i64) -> Event {
    Event::ApiKeyIssued { key: key(number) }
}

fn revoked(number: i64) -> Event {
    Event::ApiKeyRevoked { uuid: key(number).uuid, name: "ci".to_owned() }
}

fn reserve(project: u64, name: &str) -> Command {
    let project_id = ProjectId(project.cast_signed());
    Command::ReserveProjectName { project: uuid(project), project_id, name: name.to_owned() }
}

fn reserved(project: u64, name: &str, reservation: u64) -> Event {
    let project_id = ProjectId(project.cast_signed());
    let (project, name) = (uuid(project), name.to_owned());
    Event::ProjectNameReserved { project, project_id, name, reservation, is_renewal: false }
}

fn renewed(project: u64, name: &str, reservation: u64) -> Event {
    let project_id = ProjectId(project.cast_signed());
    let (project, name) = (uuid(project), name.to_owned());
    Event::ProjectNameReserved { project, project_id, name, reservation, is_renewal: true }
}

fn release(project: u64, name: &str, reservation: u64) -> Command {
    Command::ReleaseProjectName { project: uuid(project), name: name.to_owned(), reservation }
}

fn released(project: u64, name: &str) -> Event {
    Event::ProjectNameReleased { project: uuid(project), name: name.to_owned() }
}

#[test]
fn an_organisation_comes_to_be() {
    let organisation = given_nothing::<Organisation>().when(create("Default")).then([created()]);
    assert_eq!(organisation.id(), Some(OrganisationId(1)));
}

#[test]
fn an_organisation_is_created_once() {
    organisation([]).when(create("Other")).then_rejected(Error::AlreadyExists);
}

#[test]
fn an_organisation_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        given_nothing::<Organisation>().when(create(&name)).then_rejected(problem("name", wrong));
    }
}

#[test]
fn nothing_can_be_asked_of_an_organisation_that_was_never_created() {
    let commands = [
        Command::IssueApiKey { key: key(1) },
        Command::RevokeApiKey { uuid: key(1).uuid },
        reserve(1, "shop"),
        release(1, "shop", 1),
    ];
    for command in commands {
        given_nothing::<Organisation>().when(command).then_rejected(Error::NotFound);
    }
}

#[test]
fn an_api_key_is_issued() {
    organisation([]).when(Command::IssueApiKey { key: key(1) }).then([issued(1)]);
}

#[test]
fn an_api_key_is_issued_once_even_if_it_was_revoked() {
    organisation([issued(1)]).when(Command::IssueApiKey { key: key(1) }).then_rejected(Error::ApiKeyAlreadyIssued);
    organisation([issued(1), revoked(1)])
        .when(Command::IssueApiKey { key: key(1) })
        .then_rejected(Error::ApiKeyAlreadyIssued);
}

#[test]
fn an_api_key_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        let key = ApiKey { name, ..key(1) };
        organisation([]).when(Command::IssueApiKey { key }).then_rejected(problem("name", wrong));
    }
}

#[test]
fn an_api_key_is_revoked_by_its_uuid() {
    organisation([issued(1), issued(2)]).when(Command::RevokeApiKey { uuid: key(2).uuid }).then([revoked(2)]);
}

#[test]
fn an_api_key_that_is_not_valid_cannot_be_revoked() {
    organisation([]).when(Command::RevokeApiKey { uuid: key(1).uuid }).then_rejected(Error::ApiKeyNotFound);
    organisation([issued(1), revoked(1)])
        .when(Command::RevokeApiKey { uuid: key(1).uuid })
        .then_rejected(Error::ApiKeyNotFound);
}

#[test]
fn a_project_gets_its_name() {
    let organisation = organisation([]).when(reserve(1, "shop")).then([reserved(1, "shop", 1)]);
    assert_eq!(organisation.projects().holder("shop"), Some(uuid(1)));
    assert_eq!(organisation.projects().iter().collect::<Vec<_>>(), [("shop", uuid(1))]);
}

#[test]
fn a_project_that_reserves_its_name_again_has_a_new_reservation_of_it() {
    let organisation = organisation([reserved(1, "shop", 1)]).when(reserve(1, "shop")).then([renewed(1, "shop", 2)]);
    assert_eq!(organisation.projects().reservation("shop", uuid(1)), Some(2));
}

#[test]
fn a_reservation_that_was_renewed_meanwhile_does_not_release_the_name() {
    let events = || [reserved(1, "shop", 1), renewed(1, "shop", 2)];
    organisation(events()).when(release(1, "shop", 1)).then_nothing();
    organisation(events()).when(release(1, "shop", 2)).then([released(1, "shop")]);
}

#[test]
fn a_projects_name_is_unique_in_its_case() {
    organisation([reserved(1, "shop", 1)]).when(reserve(2, "shop")).then_rejected(Error::ProjectNameTaken);
    organisation([reserved(1, "shop", 1)]).when(reserve(2, "Shop")).then([reserved(2, "Shop", 2)]);
}

#[test]
fn a_project_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        organisation([]).when(reserve(1, &name)).then_rejected(problem("name", wrong));
    }
}

#[test]
fn the_longest_name_is_counted_in_characters() {
    let name = text(NAME_CHARACTERS_MAX);
    organisation([]).when(reserve(1, &name)).then([reserved(1, &name, 1)]);
}

#[test]
fn a_name_that_was_released_can_be_taken() {
    organisation([reserved(1, "shop", 1)]).when(release(1, "shop", 1)).then([released(1, "shop")]);
    organisation([reserved(1, "shop", 1), released(1, "shop")]).when(reserve(2, "shop")).then([reserved(2, "shop", 2)]);
}

#[test]
fn only_the_holder_of_a_name_releases_it() {
    organisation([]).when(release(1, "shop", 1)).then_nothing();
    organisation([reserved(1, "shop", 1)]).when(release(2, "shop", 1)).then_nothing();
}
