//! The read model `features`: segments.

use offshoot_aggregates::ids::{FeatureId, ProjectId, SegmentId};
use offshoot_aggregates::project::{ProjectEvent, Segment};
use offshoot_projections::Page;
use offshoot_projections::features::{
    Features, SegmentFilter, count_segments, list_segments, segment as stored, segments_by_ids,
};
use rusqlite::Connection;

use crate::history::{History, project_created, second, segment};

const PROJECT: ProjectId = ProjectId(11);

fn with_segments() -> History {
    let mut history = History::with_project();
    let of_one_feature = Segment { feature: Some(FeatureId(1)), ..segment(2, "gold_of_one") };
    for segment in [segment(1, "gold"), of_one_feature, segment(3, "Goldfish"), segment(4, "beta")] {
        history.project(11, ProjectEvent::SegmentCreated { segment });
    }
    history.project(12, project_created(12, 1));
    history.project(12, ProjectEvent::SegmentCreated { segment: segment(5, "gold") });
    history
}

fn names(connection: &Connection, search: Option<&str>, include_feature_specific: bool) -> Vec<String> {
    let filter = SegmentFilter { search: search.map(str::to_owned), include_feature_specific };
    let segments = list_segments(connection, PROJECT, &filter, Page::ALL).unwrap();
    assert_eq!(count_segments(connection, PROJECT, &filter).unwrap(), segments.len() as u64);
    segments.into_iter().map(|segment| segment.segment.name).collect()
}

#[test]
fn segments_are_listed_without_those_of_one_feature_unless_asked_for() {
    let connection = with_segments().read_model(&Features);
    assert_eq!(names(&connection, None, false), ["gold", "Goldfish", "beta"]);
    assert_eq!(names(&connection, None, true), ["gold", "gold_of_one", "Goldfish", "beta"]);
    assert_eq!(names(&connection, Some("GOLD"), false), ["gold", "Goldfish"]);
    assert_eq!(names(&connection, Some("d_o"), true), ["gold_of_one"]);
    let all = SegmentFilter { search: None, include_feature_specific: true };
    let page = list_segments(&connection, PROJECT, &all, Page { limit: 2, offset: 1 }).unwrap();
    assert_eq!(page.iter().map(|segment| segment.segment.id.0).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_changed_segment_shows_what_it_is_now_and_when_it_changed() {
    let mut history = with_segments();
    let after = Segment { feature: Some(FeatureId(7)), description: Some("d".to_owned()), ..segment(1, "platinum") };
    history.project(11, ProjectEvent::SegmentChanged { before: segment(1, "gold"), after: after.clone() });
    let connection = history.read_model(&Features);
    let found = stored(&connection, PROJECT, SegmentId(1)).unwrap().unwrap();
    assert_eq!(found.segment, after);
    assert_eq!((found.created_at, found.updated_at), (second(3), second(history.events.len() as u64)));
    assert_eq!(names(&connection, None, false), ["Goldfish", "beta"]);
    assert_eq!(names(&connection, Some("plat"), true), ["platinum"]);
}

#[test]
fn a_segment_is_found_in_its_project_only_and_several_by_their_ids() {
    let connection = with_segments().read_model(&Features);
    assert!(stored(&connection, PROJECT, SegmentId(1)).unwrap().is_some());
    assert_eq!(stored(&connection, PROJECT, SegmentId(5)).unwrap(), None);
    let found = segments_by_ids(&connection, &[SegmentId(5), SegmentId(1), SegmentId(6)]).unwrap();
    assert_eq!(found.iter().map(|one| (one.segment.id.0, one.project.0)).collect::<Vec<_>>(), [(1, 11), (5, 12)]);
}

#[test]
fn a_deleted_segment_is_gone() {
    let mut history = with_segments();
    history.project(11, ProjectEvent::SegmentDeleted { segment: SegmentId(1), segment_name: "gold".to_owned() });
    let connection = history.read_model(&Features);
    assert_eq!(names(&connection, None, true), ["gold_of_one", "Goldfish", "beta"]);
    assert_eq!(stored(&connection, PROJECT, SegmentId(1)).unwrap(), None);
}
