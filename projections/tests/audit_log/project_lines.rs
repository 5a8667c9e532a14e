//! Lines about organisations, projects, features and segments.

use std::sync::Arc;

use offshoot_aggregates::environment::{EnvironmentEvent, Origin};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, OrganisationId, ProjectId, SegmentId};
use offshoot_aggregates::organisation::{ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::permissions::{Grant, ProjectPermission};
use offshoot_aggregates::project::{MultivariateOption, ProjectEvent, ProjectSettings, ReservationPurpose, Segment};
use serde_json::{Value, json};

use super::{about, changes, last_line, last_lines};
use crate::history::{
    History, definition, feature_created, key, option, organisation_created, principal, project_created, segment, uuid,
};

#[test]
fn an_organisation_and_its_projects_names_have_lines() {
    let mut history = History::new();
    history.organisation(1, organisation_created(1));
    let line = last_line(&history);
    assert_eq!(line.log, "New Organisation created: org1");
    assert_eq!(about(&line), ("ORGANISATION", Some(1), "CREATE"));
    assert_eq!(
        (line.organisation, line.project, line.related_object_uuid),
        (Some(OrganisationId(1)), None, Some(uuid(1)))
    );

    let (project, project_id, name) = (uuid(11), ProjectId(11), "p".to_owned());
    history.organisation(
        1,
        OrganisationEvent::ProjectNameReserved {
            project,
            project_id,
            name: name.clone(),
            reservation: 1,
            is_renewal: false,
        },
    );
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), line.project), ("Project name reserved: p", Some(project_id)));
    history.project(11, project_created(11, 1));
    history.organisation(1, OrganisationEvent::ProjectNameReleased { project, name });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), line.project), ("Project name released: p", Some(project_id)));
}

#[test]
fn an_issued_key_shows_its_prefix_and_role_and_never_its_hash() {
    let mut history = History::with_project();
    history.organisation(1, OrganisationEvent::ApiKeyIssued { key: key(5, ApiKeyRole::OrganisationAdmin) });
    let line = last_line(&history);
    assert_eq!(line.log, "API key issued: key5 (prefix prefix5, organisation admin)");
    assert_eq!((about(&line), line.related_object_uuid), (("API_KEY", Some(5), "CREATE"), Some(uuid(5))));
    assert_eq!(changes(&line), [("role", Value::Null, json!("organisation_admin"))]);
    assert!(!format!("{line:?}").contains("hash5"));

    history.organisation(1, OrganisationEvent::ApiKeyRevoked { uuid: uuid(5), name: "key5".to_owned() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("API key revoked: key5", ("API_KEY", Some(5), "UPDATE")));
}

#[test]
fn a_project_has_a_line_for_its_creation_change_and_end() {
    let mut history = History::with_project();
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("New Project created: project11", ("PROJECT", Some(11), "CREATE")));
    let before = ProjectSettings::named("project11");
    let after = ProjectSettings { stale_flags_limit_days: 5, ..ProjectSettings::named("renamed") };
    history.project(11, ProjectEvent::ProjectSettingsChanged { before, after });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Project updated: renamed", ("PROJECT", Some(11), "UPDATE")));
    let expected = [("name", json!("project11"), json!("renamed")), ("stale_flags_limit_days", json!(30), json!(5))];
    assert_eq!(changes(&line), expected);
    history.project(11, ProjectEvent::ProjectDeleted { name: "renamed".to_owned() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Project deleted: renamed", ("PROJECT", Some(11), "DELETE")));
}

#[test]
fn a_new_feature_has_a_line_for_the_project_and_one_for_each_of_its_environments() {
    let mut history = History::with_project();
    history.project(12, project_created(12, 1));
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, Origin::New);
    history.new_environment(23, 11, 2, Origin::New);
    history.new_environment(24, 12, 0, Origin::New);
    history.environment(22, EnvironmentEvent::EnvironmentDeleted { name: "env22".to_owned() });
    history.project(11, feature_created(5, "banner", 0));
    let lines = last_lines(&history);
    assert!(lines.iter().all(|line| line.log == "New Flag / Remote Config created: banner"));
    assert!(
        lines.iter().all(|line| (line.organisation, line.project) == (Some(OrganisationId(1)), Some(ProjectId(11))))
    );
    let where_and_what: Vec<_> = lines.iter().map(|line| (line.environment.map(|id| id.0), about(line))).collect();
    let expected = [
        (None, ("FEATURE", Some(5), "CREATE")),
        (Some(21), ("FEATURE_STATE", Some(500), "CREATE")),
        (Some(23), ("FEATURE_STATE", Some(502), "CREATE")),
    ];
    assert_eq!(where_and_what, expected);
    assert_eq!(changes(&lines[0]), []);
    assert_eq!(changes(&lines[1]), [("enabled", Value::Null, json!(true))]);
}

#[test]
fn a_name_that_is_reserved_again_for_an_environment_that_never_came_is_no_trouble() {
    let mut history = History::with_project();
    let reserved = |id| ProjectEvent::EnvironmentNameReserved {
        environment: uuid(21),
        environment_id: EnvironmentId(id),
        name: "env21".to_owned(),
        reservation: 1,
        purpose: ReservationPurpose::NewEnvironment {
            ordinal: 0,
            known_features: 0,
            first_feature_state_id: Default::default(),
            in_batches: false,
        },
    };
    history.project(11, reserved(20));
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), line.environment), ("Environment name reserved: env21", Some(EnvironmentId(20))));
    let name = "env21".to_owned();
    history.project(11, ProjectEvent::EnvironmentNameReleased { environment: uuid(21), name });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), line.environment), ("Environment name released: env21", Some(EnvironmentId(20))));
    history.new_environment(21, 11, 1, Origin::New);
    history.project(11, feature_created(5, "banner", 0));
    let environments: Vec<_> =
        last_lines(&history).iter().map(|line| (line.environment, line.related_object_id)).collect();
    assert_eq!(environments, [(None, Some(5)), (Some(EnvironmentId(21)), Some(501))]);
}

#[test]
fn changes_of_a_feature_are_told_as_flagsmith_tells_them() {
    let mut history = History::with_project();
    let (feature, name) = (FeatureId(5), "banner".to_owned());
    history.project(
        11,
        ProjectEvent::FeatureDescribed {
            feature,
            feature_name: name.clone(),
            description_before: Some("d".to_owned()),
            description_after: Some("new".to_owned()),
            is_server_key_only_before: false,
            is_server_key_only_after: false,
        },
    );
    let line = last_line(&history);
    assert_eq!(
        (line.log.as_str(), about(&line)),
        ("Flag / Remote Config updated: banner", ("FEATURE", Some(5), "UPDATE"))
    );
    assert_eq!(changes(&line), [("description", json!("d"), json!("new"))]);

    history.project(11, ProjectEvent::FeatureArchived { feature, feature_name: name.clone() });
    let line = last_line(&history);
    assert_eq!(line.log, "Flag / Remote Config updated: banner");
    assert_eq!(changes(&line), [("is_archived", json!(false), json!(true))]);
    history.project(11, ProjectEvent::FeatureUnarchived { feature, feature_name: name.clone() });
    assert_eq!(changes(&last_line(&history)), [("is_archived", json!(true), json!(false))]);

    history.project(11, ProjectEvent::FeatureDeleted { feature, feature_name: name });
    let line = last_line(&history);
    assert_eq!(
        (line.log.as_str(), about(&line)),
        ("Flag / Remote Config Deleted: banner", ("FEATURE", Some(5), "DELETE"))
    );
}

#[test]
fn imported_features_have_a_line_a_batch() {
    let mut history = History::with_project();
    let features = Arc::new((0..500).map(|id| definition(id, &format!("f{id}"))).collect());
    history.project(11, ProjectEvent::FeaturesImported { batch: 2, first_ordinal: 500, features });
    assert_eq!(last_line(&history).log, "Features imported: batch 2 (500 features)");
}

#[test]
fn options_of_a_feature_have_lines() {
    let mut history = History::with_project();
    let (feature, name) = (FeatureId(5), "banner");
    let feature_name = || name.to_owned();
    history.project(
        11,
        ProjectEvent::MultivariateOptionAdded { feature, feature_name: feature_name(), option: option(1, "a") },
    );
    assert_eq!(last_line(&history).log, "Multivariate option added to feature 'banner'.");
    let after = MultivariateOption { default_percentage_allocation: 50.0, ..option(1, "b") };
    let before = option(1, "a");
    history.project(
        11,
        ProjectEvent::MultivariateOptionChanged { feature, feature_name: feature_name(), before, after: after.clone() },
    );
    let line = last_line(&history);
    assert_eq!(line.log, "Multivariate option changed for feature 'banner'.");
    let expected =
        [("default_percentage_allocation", json!(25.0), json!(50.0)), ("string_value", json!("a"), json!("b"))];
    assert_eq!(changes(&line), expected);
    assert!(line.change_details.iter().all(|detail| detail.option == Some(after.id)));
    history
        .project(11, ProjectEvent::MultivariateOptionRemoved { feature, feature_name: feature_name(), option: after });
    let line = last_line(&history);
    assert_eq!(line.log, "Multivariate option removed from feature 'banner'.");
    assert_eq!(about(&line), ("FEATURE", Some(5), "DELETE"));
}

#[test]
fn segments_have_lines() {
    let mut history = History::with_project();
    history.project(11, ProjectEvent::SegmentCreated { segment: segment(3, "gold") });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("New Segment created: gold", ("SEGMENT", Some(3), "CREATE")));
    let after = Segment { description: Some("d".to_owned()), ..segment(3, "golden") };
    history.project(11, ProjectEvent::SegmentChanged { before: segment(3, "gold"), after });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Segment updated: golden", ("SEGMENT", Some(3), "UPDATE")));
    assert_eq!(changes(&line), [("description", Value::Null, json!("d")), ("name", json!("gold"), json!("golden"))]);
    history.project(11, ProjectEvent::SegmentDeleted { segment: SegmentId(3), segment_name: "golden".to_owned() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Segment deleted: golden", ("SEGMENT", Some(3), "DELETE")));
}

#[test]
fn permissions_in_a_project_name_the_key_and_what_it_may_do() {
    let mut history = History::with_project();
    history.organisation(1, OrganisationEvent::ApiKeyIssued { key: key(5, ApiKeyRole::Member) });
    let permissions = [ProjectPermission::ViewProject, ProjectPermission::EditFeature].into();
    let some = Grant { principal: principal(5), admin: false, permissions };
    history.project(11, ProjectEvent::ProjectPermissionGranted { before: None, after: some.clone() });
    let line = last_line(&history);
    assert_eq!(line.log, "Permissions granted in project project11 to API key 'key5': VIEW_PROJECT, EDIT_FEATURE");
    let all = Grant { principal: principal(5), admin: true, permissions: [].into() };
    history.project(11, ProjectEvent::ProjectPermissionGranted { before: Some(some), after: all.clone() });
    let line = last_line(&history);
    assert_eq!(line.log, "Permissions granted in project project11 to API key 'key5': admin");
    let expected =
        [("admin", json!(false), json!(true)), ("permissions", json!(["VIEW_PROJECT", "EDIT_FEATURE"]), json!([]))];
    assert_eq!(changes(&line), expected);
    history.project(11, ProjectEvent::ProjectPermissionRevoked { before: all });
    let line = last_line(&history);
    assert_eq!(line.log, "Permissions revoked in project project11 from API key 'key5'");
    assert_eq!(changes(&line), [("admin", json!(true), Value::Null), ("permissions", json!([]), Value::Null)]);
}
