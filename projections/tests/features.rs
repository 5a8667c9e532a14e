//! The read model `features`: organisations, projects, features and their options.

use std::sync::Arc;

use jiff::Timestamp;
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId, OrganisationId, ProjectId};
use offshoot_aggregates::organisation::OrganisationEvent;
use offshoot_aggregates::project::{FeatureType, ProjectEvent, ProjectSettings};
use offshoot_projections::Page;
use offshoot_projections::features::{
    FeatureFilter, FeatureSort, Features, ForgottenProjectName, SortDirection, count_features, feature, feature_by_id,
    feature_named, forgotten_project_names, list_features, option as option_of, organisation, organisations_by_ids,
    project, project_by_uuid, projects_by_ids, projects_of_organisation,
};
use rusqlite::Connection;

use crate::history::{
    History, definition, feature_created, option, organisation_created, project_created, second, segment, uuid,
};

const PROJECT: ProjectId = ProjectId(11);

fn with_features(names: &[&str]) -> History {
    let mut history = History::with_project();
    for (ordinal, name) in (0u64..).zip(names) {
        history.project(11, feature_created(ordinal.cast_signed() + 1, name, ordinal));
    }
    history
}

fn names(connection: &Connection, filter: &FeatureFilter) -> Vec<String> {
    let features = list_features(connection, PROJECT, filter, Default::default(), Page::ALL).unwrap();
    assert_eq!(count_features(connection, PROJECT, filter).unwrap(), features.len() as u64);
    features.into_iter().map(|feature| feature.definition.name).collect()
}

#[test]
fn an_organisation_is_found_by_its_id() {
    let mut history = History::new();
    history.organisation(1, organisation_created(1));
    history.organisation(2, organisation_created(2));
    let connection = history.read_model(&Features);
    let found = organisation(&connection, OrganisationId(2)).unwrap().unwrap();
    assert_eq!((found.uuid, found.name.as_str(), found.created_at), (uuid(2), "org2", second(2)));
    assert_eq!(organisation(&connection, OrganisationId(3)).unwrap(), None);
    let listed = organisations_by_ids(&connection, &[OrganisationId(9), OrganisationId(2), OrganisationId(1)]).unwrap();
    assert_eq!(listed.iter().map(|found| found.id.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_project_shows_its_settings_and_totals() {
    let mut history = with_features(&["a", "b", "c"]);
    history.project(11, ProjectEvent::SegmentCreated { segment: segment(1, "s") });
    history.project(11, ProjectEvent::FeatureDeleted { feature: FeatureId(2), feature_name: "b".to_owned() });
    let (before, after) = (ProjectSettings::named("project11"), ProjectSettings::named("renamed"));
    history.project(11, ProjectEvent::ProjectSettingsChanged { before, after: after.clone() });
    let connection = history.read_model(&Features);
    let found = project(&connection, PROJECT).unwrap().unwrap();
    assert_eq!((found.total_features, found.total_segments, &found.settings), (2, 1, &after));
    assert_eq!((found.organisation, found.organisation_uuid), (OrganisationId(1), uuid(1)));
    assert_eq!(project_by_uuid(&connection, uuid(11)).unwrap().as_ref(), Some(&found));
    assert_eq!(projects_of_organisation(&connection, OrganisationId(1)).unwrap(), [found]);
    assert_eq!(projects_of_organisation(&connection, OrganisationId(2)).unwrap(), []);
}

#[test]
fn a_deleted_project_is_only_found_among_those_asked_for_by_id() {
    let mut history = with_features(&["a"]);
    history.project(12, project_created(12, 1));
    history.project(12, feature_created(99, "a", 0));
    history.project(11, ProjectEvent::SegmentCreated { segment: segment(1, "s") });
    history.project(11, ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    let connection = history.read_model(&Features);
    assert_eq!(project(&connection, PROJECT).unwrap(), None);
    assert_eq!(project_by_uuid(&connection, uuid(11)).unwrap(), None);
    let ids = |projects: Vec<offshoot_projections::features::StoredProject>| {
        projects.into_iter().map(|project| (project.id.0, project.is_deleted)).collect::<Vec<_>>()
    };
    assert_eq!(ids(projects_of_organisation(&connection, OrganisationId(1)).unwrap()), [(12, false)]);
    assert_eq!(ids(projects_by_ids(&connection, &[PROJECT, ProjectId(12)]).unwrap()), [(11, true), (12, false)]);
    assert_eq!(names(&connection, &FeatureFilter::default()), [""; 0]);
    assert_eq!(feature_by_id(&connection, FeatureId(1)).unwrap(), None);
    assert!(feature_by_id(&connection, FeatureId(99)).unwrap().is_some());
}

#[test]
fn a_feature_shows_everything_that_was_defined_and_who_made_it() {
    let mut history = History::with_project();
    let mut defined = definition(5, "banner");
    defined.description = Some("what for".to_owned());
    defined.is_server_key_only = true;
    defined.feature_type = FeatureType::Multivariate;
    defined.options = vec![option(1, "a"), option(2, "b")];
    let batch = Arc::new(vec![definition(4, "other"), defined.clone()]);
    history.project(11, ProjectEvent::FeaturesImported { batch: 1, first_ordinal: 0, features: batch });
    let connection = history.read_model(&Features);
    let found = feature(&connection, PROJECT, FeatureId(5)).unwrap().unwrap();
    assert_eq!(found.definition, defined);
    assert_eq!((found.project, found.created_at, found.creator), (PROJECT, second(3), Some(history.actor)));
    assert_eq!(option_of(&connection, FeatureId(5), MultivariateOptionId(2)).unwrap(), Some(option(2, "b")));
    assert_eq!(option_of(&connection, FeatureId(5), MultivariateOptionId(3)).unwrap(), None);
    assert_eq!(option_of(&connection, FeatureId(4), MultivariateOptionId(2)).unwrap(), None);
}

#[test]
fn a_feature_is_found_by_id_in_its_project_only_and_by_its_exact_name() {
    let mut history = with_features(&["banner"]);
    history.project(12, project_created(12, 1));
    let connection = history.read_model(&Features);
    assert_eq!(feature(&connection, ProjectId(12), FeatureId(1)).unwrap(), None);
    assert_eq!(feature_by_id(&connection, FeatureId(1)).unwrap().unwrap().project, PROJECT);
    assert!(feature_named(&connection, PROJECT, "banner").unwrap().is_some());
    assert_eq!(feature_named(&connection, PROJECT, "Banner").unwrap(), None);
    assert_eq!(feature_named(&connection, ProjectId(12), "banner").unwrap(), None);
}

#[test]
fn changes_to_a_feature_show() {
    let mut history = with_features(&["banner", "other"]);
    let (feature_id, feature_name) = (FeatureId(1), "banner".to_owned());
    history.project(
        11,
        ProjectEvent::FeatureDescribed {
            feature: feature_id,
            feature_name: feature_name.clone(),
            description_before: None,
            description_after: Some("new".to_owned()),
            is_server_key_only_before: false,
            is_server_key_only_after: true,
        },
    );
    history.project(11, ProjectEvent::FeatureArchived { feature: feature_id, feature_name: feature_name.clone() });
    let connection = history.read_model(&Features);
    let changed = feature_by_id(&connection, feature_id).unwrap().unwrap().definition;
    assert_eq!((changed.description.as_deref(), changed.is_server_key_only), (Some("new"), true));
    assert!(changed.is_archived);
    assert_eq!(feature_by_id(&connection, FeatureId(2)).unwrap().unwrap().definition, definition(2, "other"));

    history.project(11, ProjectEvent::FeatureUnarchived { feature: feature_id, feature_name });
    let connection = history.read_model(&Features);
    assert!(!feature_by_id(&connection, feature_id).unwrap().unwrap().definition.is_archived);
}

#[test]
fn the_first_option_makes_a_feature_multivariate_and_the_last_to_go_makes_it_standard() {
    let mut history = with_features(&["banner"]);
    let (feature, feature_name) = (FeatureId(1), "banner".to_owned());
    let shown = |history: &History| {
        let found = feature_by_id(&history.read_model(&Features), feature).unwrap().unwrap().definition;
        (found.feature_type, found.options)
    };
    for number in [1, 2] {
        let (option, feature_name) = (option(number, "x"), feature_name.clone());
        history.project(11, ProjectEvent::MultivariateOptionAdded { feature, feature_name, option });
    }
    assert_eq!(shown(&history), (FeatureType::Multivariate, vec![option(1, "x"), option(2, "x")]));

    let (before, after) = (option(2, "x"), option(2, "y"));
    let name = feature_name.clone();
    history.project(11, ProjectEvent::MultivariateOptionChanged { feature, feature_name: name, before, after });
    assert_eq!(shown(&history), (FeatureType::Multivariate, vec![option(1, "x"), option(2, "y")]));

    for option in [option(1, "x"), option(2, "y")] {
        let feature_name = feature_name.clone();
        history.project(11, ProjectEvent::MultivariateOptionRemoved { feature, feature_name, option });
    }
    assert_eq!(shown(&history), (FeatureType::Standard, vec![]));
}

#[test]
fn features_are_listed_in_the_order_asked_for() {
    let connection = with_features(&["b", "c", "a"]).read_model(&Features);
    let listed = |sort, direction, page| {
        let features = list_features(&connection, PROJECT, &FeatureFilter::default(), (sort, direction), page).unwrap();
        features.into_iter().map(|feature| feature.definition.name).collect::<Vec<_>>()
    };
    let all = Page::ALL;
    assert_eq!(listed(FeatureSort::CreatedDate, SortDirection::Ascending, all), ["b", "c", "a"]);
    assert_eq!(listed(FeatureSort::CreatedDate, SortDirection::Descending, all), ["a", "c", "b"]);
    assert_eq!(listed(FeatureSort::Name, SortDirection::Ascending, all), ["a", "b", "c"]);
    assert_eq!(listed(FeatureSort::Name, SortDirection::Descending, all), ["c", "b", "a"]);
    let second = Page { limit: 1, offset: 1 };
    assert_eq!(listed(FeatureSort::Name, SortDirection::Ascending, second), ["b"]);
    assert_eq!(listed(FeatureSort::Name, SortDirection::Ascending, Page { limit: 5, offset: 3 }), [""; 0]);
}

#[test]
fn a_search_takes_every_character_for_itself() {
    let connection = with_features(&["a%b", "a_b", "a\\b", "axb", "x100%"]).read_model(&Features);
    let found = |search: &str| {
        names(&connection, &FeatureFilter { search: Some(search.to_owned()), ..FeatureFilter::default() })
    };
    assert_eq!(found("a%b"), ["a%b"]);
    assert_eq!(found("_"), ["a_b"]);
    assert_eq!(found("\\"), ["a\\b"]);
    assert_eq!(found("0%"), ["x100%"]);
    assert_eq!(found("'"), [""; 0]);
    assert_eq!(found("X"), ["axb", "x100%"]);
    assert_eq!(found(""), ["a%b", "a_b", "a\\b", "axb", "x100%"]);
}

#[test]
fn features_are_filtered_by_archive_type_and_ids_together() {
    let mut history = with_features(&["one", "two", "three"]);
    let (feature, feature_name) = (FeatureId(2), "two".to_owned());
    history.project(11, ProjectEvent::FeatureArchived { feature, feature_name: feature_name.clone() });
    history.project(11, ProjectEvent::MultivariateOptionAdded { feature, feature_name, option: option(1, "x") });
    history.project(12, project_created(12, 1));
    history.project(12, feature_created(4, "one", 0));
    let connection = history.read_model(&Features);
    let everything = FeatureFilter::default();
    let archived = |is_archived| FeatureFilter { is_archived: Some(is_archived), ..FeatureFilter::default() };
    let of_type = |feature_type| FeatureFilter { feature_type: Some(feature_type), ..FeatureFilter::default() };
    assert_eq!(names(&connection, &everything), ["one", "two", "three"]);
    assert_eq!(names(&connection, &archived(true)), ["two"]);
    assert_eq!(names(&connection, &archived(false)), ["one", "three"]);
    assert_eq!(names(&connection, &of_type(FeatureType::Multivariate)), ["two"]);
    assert_eq!(names(&connection, &of_type(FeatureType::Standard)), ["one", "three"]);
    let ids = Some(vec![FeatureId(4), FeatureId(3), FeatureId(2)]);
    let among = FeatureFilter { ids: ids.clone(), ..FeatureFilter::default() };
    assert_eq!(names(&connection, &among), ["two", "three"]);
    let all_of_it = FeatureFilter { ids, search: Some("t".to_owned()), ..archived(false) };
    assert_eq!(names(&connection, &all_of_it), ["three"]);
    assert_eq!(names(&connection, &FeatureFilter { ids: Some(vec![]), ..FeatureFilter::default() }), [""; 0]);
}

#[test]
fn features_are_listed_in_the_order_in_which_they_came_whatever_their_ids() {
    let mut history = History::with_project();
    history.project(12, project_created(12, 1));
    let mut ordinals = [0u64; 13];
    for (project, id) in [(11, 5), (11, 6), (12, 7), (11, 8), (12, 3), (12, 4), (11, 1), (11, 2), (11, 9)] {
        let ordinal = &mut ordinals[usize::try_from(project).unwrap()];
        history.project(project, feature_created(id, &format!("f{id}"), *ordinal));
        *ordinal += 1;
    }
    let batch = Arc::new([10, 11, 20, 21].map(|id| definition(id, &format!("f{id}"))).to_vec());
    history.project(11, ProjectEvent::FeaturesImported { batch: 1, first_ordinal: ordinals[11], features: batch });
    history.project(11, ProjectEvent::FeatureDeleted { feature: FeatureId(10), feature_name: "f10".to_owned() });
    let ids = |connection: &Connection, project, filter: &FeatureFilter, direction| {
        let order = (FeatureSort::CreatedDate, direction);
        let listed = list_features(connection, ProjectId(project), filter, order, Page::ALL).unwrap();
        listed.into_iter().map(|feature| feature.definition.id.0).collect::<Vec<_>>()
    };
    let connection = history.read_model(&Features);
    let all = FeatureFilter::default();
    let among = FeatureFilter { ids: Some((1..=20).map(FeatureId).collect()), ..FeatureFilter::default() };
    assert_eq!(ids(&connection, 11, &all, SortDirection::Ascending), [5, 6, 8, 1, 2, 9, 11, 20, 21]);
    assert_eq!(ids(&connection, 11, &all, SortDirection::Descending), [21, 20, 11, 9, 2, 1, 8, 6, 5]);
    assert_eq!(ids(&connection, 12, &all, SortDirection::Ascending), [7, 3, 4]);
    assert_eq!(ids(&connection, 11, &among, SortDirection::Ascending), [5, 6, 8, 1, 2, 9, 11, 20]);
    assert_eq!(ids(&connection, 11, &among, SortDirection::Descending), [20, 11, 9, 2, 1, 8, 6, 5]);

    history.project(11, ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    let connection = history.read_model(&Features);
    assert_eq!(ids(&connection, 11, &all, SortDirection::Ascending), [0i64; 0]);
    assert_eq!(ids(&connection, 12, &all, SortDirection::Ascending), [7, 3, 4]);
    assert_eq!(feature_by_id(&connection, FeatureId(21)).unwrap(), None);
}

#[test]
fn the_name_of_a_project_that_never_came_to_be_or_has_another_name_is_forgotten() {
    let mut history = History::with_project();
    let reserve = |project: u64, name: &str, reservation: u64| OrganisationEvent::ProjectNameReserved {
        project: uuid(project),
        project_id: PROJECT,
        name: name.to_owned(),
        reservation,
        is_renewal: false,
    };
    history.organisation(1, reserve(11, "project11", 1));
    history.organisation(1, reserve(11, "renamed", 2));
    history.organisation(1, reserve(12, "broken off", 3));
    history.organisation(1, reserve(13, "given up", 4));
    let released = OrganisationEvent::ProjectNameReleased { project: uuid(13), name: "given up".to_owned() };
    history.organisation(1, released);
    let connection = history.read_model(&Features);
    let forgotten = |project: u64, name: &str, reservation| ForgottenProjectName {
        organisation: uuid(1),
        project: uuid(project),
        name: name.to_owned(),
        reservation,
    };
    let all = forgotten_project_names(&connection, Timestamp::MAX).unwrap();
    assert_eq!(all, [forgotten(12, "broken off", 3), forgotten(11, "renamed", 2)]);
    assert_eq!(forgotten_project_names(&connection, Timestamp::UNIX_EPOCH).unwrap(), []);
}
