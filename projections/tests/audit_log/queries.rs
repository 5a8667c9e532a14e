//! Lists of the audit log's lines.

use offshoot_aggregates::environment::Origin;
use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::metadata::Actor;
use offshoot_projections::Page;
use offshoot_projections::audit_log::{
    AuditFilter, AuditLog, count_entries, entries_of_group, entry, list_entries, list_groups,
};
use rusqlite::Connection;

use crate::history::{History, feature_created, organisation_created, project_created, second, uuid};

/// Organisation 1 with projects 11 (environments 21, 22) and 12; organisation 2 with project 13. The features "50%" and
/// "a_b" are the operator's and Offshoot's own.
fn world() -> History {
    let mut history = History::with_project();
    history.project(12, project_created(12, 1));
    history.organisation(2, organisation_created(2));
    history.project(13, project_created(13, 2));
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, Origin::New);
    history.actor = Actor::operator("import");
    history.project(11, feature_created(1, "50%", 0));
    history.actor = Actor::system("clone_worker");
    history.project(12, feature_created(2, "a_b", 0));
    history
}

fn found(connection: &Connection, filter: &AuditFilter) -> Vec<String> {
    let lines = list_entries(connection, filter, Page::ALL).unwrap();
    assert_eq!(count_entries(connection, filter).unwrap(), lines.len() as u64);
    lines.into_iter().map(|line| line.log).collect()
}

fn all() -> AuditFilter {
    AuditFilter::default()
}

#[test]
fn lines_are_listed_newest_first_a_page_at_a_time() {
    let connection = world().read_model(&AuditLog);
    let lines = found(&connection, &all());
    assert_eq!(lines.len(), 13);
    assert_eq!(lines[0], "New Flag / Remote Config created: a_b");
    assert_eq!(lines[12], "New Organisation created: org1");
    let page = list_entries(&connection, &all(), Page { limit: 2, offset: 11 }).unwrap();
    assert_eq!(page.iter().map(|line| line.log.as_str()).collect::<Vec<_>>(), lines[11..]);
    assert_eq!(list_entries(&connection, &all(), Page { limit: 2, offset: 13 }).unwrap(), []);
}

#[test]
fn a_line_says_who_did_it_when_and_in_which_request() {
    let history = world();
    let connection = history.read_model(&AuditLog);
    let lines = list_entries(&connection, &all(), Page::ALL).unwrap();
    let position = history.events.len() as u64;
    assert_eq!(lines[0].actor, Some(Actor::system("clone_worker")));
    assert_eq!(lines[12].actor, Some(History::new().actor));
    assert_eq!((lines[0].is_system_event, lines[1].is_system_event, lines[12].is_system_event), (true, false, false));
    assert_eq!((lines[0].position.0, lines[0].created_at), (position, second(position)));
    assert_eq!(
        (lines[0].command_id, lines[0].correlation_id),
        (Some(uuid(1_000_000 + position)), Some(uuid(2_000_000 + position)))
    );
    assert_eq!(lines[0].request_id, Some(format!("request-{position}")));
}

#[test]
fn a_line_keeps_its_id_when_the_read_model_is_built_anew() {
    let history = world();
    let connection = history.read_model(&AuditLog);
    let lines = list_entries(&connection, &all(), Page::ALL).unwrap();
    assert!(lines.is_sorted_by(|one, next| one.id > next.id));
    let rebuilt = history.read_model(&AuditLog);
    for line in lines {
        assert_eq!(entry(&rebuilt, line.id).unwrap(), Some(line));
    }
    assert_eq!(entry(&rebuilt, 7).unwrap(), None);
}

#[test]
fn lines_are_filtered_by_where_it_happened() {
    let connection = world().read_model(&AuditLog);
    let count = |filter: AuditFilter| found(&connection, &filter).len();
    let organisations = |ids: &[i64]| Some(ids.iter().copied().map(OrganisationId).collect());
    let projects = |ids: &[i64]| Some(ids.iter().copied().map(ProjectId).collect());
    let environments = |ids: &[i64]| Some(ids.iter().copied().map(EnvironmentId).collect());
    assert_eq!(count(AuditFilter { organisations: organisations(&[2]), ..all() }), 2);
    assert_eq!(count(AuditFilter { organisations: organisations(&[1, 2]), ..all() }), 13);
    assert_eq!(count(AuditFilter { organisations: organisations(&[]), ..all() }), 0);
    assert_eq!(count(AuditFilter { project: Some(ProjectId(11)), ..all() }), 8);
    assert_eq!(count(AuditFilter { projects: projects(&[12]), ..all() }), 2);
    assert_eq!(count(AuditFilter { projects: projects(&[12, 13, 99]), ..all() }), 3);
    assert_eq!(count(AuditFilter { projects: projects(&[12]), project: Some(ProjectId(11)), ..all() }), 0);
    assert_eq!(count(AuditFilter { environments: environments(&[21]), ..all() }), 3);
    assert_eq!(count(AuditFilter { environments: environments(&[21, 22]), ..all() }), 6);
    let both = AuditFilter { project: Some(ProjectId(12)), environments: environments(&[21]), ..all() };
    assert_eq!(count(both), 0);
}

#[test]
fn lines_are_filtered_by_whether_offshoot_did_it_itself() {
    let connection = world().read_model(&AuditLog);
    let filter = |is_system_event| AuditFilter { is_system_event, ..all() };
    assert_eq!(found(&connection, &filter(Some(true))), ["New Flag / Remote Config created: a_b"]);
    assert_eq!(found(&connection, &filter(Some(false))).len(), 12);
    assert_eq!(found(&connection, &filter(None)).len(), 13);
}

#[test]
fn a_search_takes_every_character_for_itself_but_not_the_case() {
    let connection = world().read_model(&AuditLog);
    let search = |text: &str| found(&connection, &AuditFilter { search: Some(text.to_owned()), ..all() });
    assert_eq!(search("A_B"), ["New Flag / Remote Config created: a_b"]);
    assert_eq!(search("0%").len(), 3, "one for the project and one for each environment");
    assert_eq!(search("%"), search("50%"));
    assert_eq!(search("_"), search("a_b"));
    assert_eq!(search("new project").len(), 3);
    assert_eq!(search("' OR 1 = 1"), [""; 0]);
}

#[test]
fn lines_are_filtered_by_who_did_it() {
    let connection = world().read_model(&AuditLog);
    let actor = |name: &str| found(&connection, &AuditFilter { actor: Some(name.to_owned()), ..all() });
    assert_eq!(actor("CLONE_work"), ["New Flag / Remote Config created: a_b"]);
    assert_eq!(actor("import").len(), 3);
    assert_eq!(actor("nobody"), [""; 0]);
}

#[test]
fn what_followed_from_one_request_is_one_group_in_the_order_in_which_requests_began() {
    let mut history = world();
    // Two events that follow from one request, with another's between them.
    for (request, project, feature, ordinal) in
        [(1, 11, (3, "first"), 1), (2, 12, (4, "between"), 1), (1, 11, (5, "last"), 2)]
    {
        history.correlation = Some(uuid(request));
        history.project(project, feature_created(feature.0, feature.1, ordinal));
    }
    let connection = history.read_model(&AuditLog);
    let groups = |filter: &AuditFilter, page| list_groups(&connection, filter, page).unwrap();
    let newest = groups(&all(), Page { limit: 2, offset: 0 });
    let told: Vec<_> = newest.iter().map(|group| (group.line.log.as_str(), group.lines)).collect();
    let name = |feature: &str| format!("New Flag / Remote Config created: {feature}");
    assert_eq!(told, [(name("between").as_str(), 1), (name("first").as_str(), 6)]);
    assert_eq!(newest[1].last.log, name("last"));
    let correlation = newest[1].line.correlation_id.unwrap();
    let lines = entries_of_group(&connection, &all(), correlation, Page::ALL).unwrap();
    assert!(lines.len() == 6 && lines.is_sorted_by(|one, next| one.id < next.id));
    // A filter leaves of a group what passes it.
    let filter = AuditFilter { search: Some("last".to_owned()), ..all() };
    let filtered = groups(&filter, Page::ALL);
    assert_eq!(
        filtered.iter().map(|group| (group.line.log.clone(), group.lines)).collect::<Vec<_>>(),
        [(name("last"), 3)]
    );
    assert_eq!(entries_of_group(&connection, &filter, correlation, Page::ALL).unwrap().len(), 3);
}
