//! The names of streams, and the numbers of events.

use offshoot_aggregates::ids::FeatureStateId;
use offshoot_aggregates::stream::NotAStream;
use offshoot_aggregates::{Category, Position, StreamId, Version};
use uuid::Uuid;

use crate::support::uuid;

#[test]
fn a_stream_is_named_by_its_category_and_key_and_found_by_that_name() {
    let streams = [
        (StreamId::organisation(uuid(1)), "organisation-00000000-0000-0000-0000-000000000001"),
        (StreamId::project(uuid(2)), "project-00000000-0000-0000-0000-000000000002"),
        (StreamId::environment(uuid(3)), "environment-00000000-0000-0000-0000-000000000003"),
        (StreamId::id_allocator(), "id_allocator-1"),
    ];
    for (stream, name) in streams {
        assert_eq!(stream.to_string(), name);
        assert_eq!(name.parse(), Ok(stream));
    }
}

#[test]
fn a_stream_knows_its_aggregates_uuid() {
    assert_eq!(StreamId::environment(uuid(3)).uuid(), uuid(3));
    assert_eq!(StreamId::id_allocator().uuid(), Uuid::nil());
}

#[test]
fn what_is_not_named_by_category_and_key_is_no_stream() {
    for name in ["", "environment", "environment-", "-1", "Environment-1", "identity-1", "$ce-environment"] {
        assert_eq!(name.parse::<StreamId>(), Err(NotAStream(name.to_owned())));
    }
}

#[test]
fn the_categories_are_the_names_of_the_aggregates() {
    use cqrs_es::Aggregate;
    let types = [
        (offshoot_aggregates::organisation::Organisation::TYPE, Category::Organisation),
        (offshoot_aggregates::project::Project::TYPE, Category::Project),
        (offshoot_aggregates::environment::Environment::TYPE, Category::Environment),
        (offshoot_aggregates::id_allocator::IdAllocator::TYPE, Category::IdAllocator),
    ];
    for (name, category) in types {
        assert_eq!(name, category.as_str());
    }
}

#[test]
fn positions_and_versions_begin_before_the_first_event() {
    assert_eq!((Position::START, Version::NONE), (Position(0), Version(0)));
    assert_eq!(Version::NONE.plus(3), Version(3));
    assert_eq!((Position(7).to_string(), Version(8).to_string()), ("7".to_owned(), "8".to_owned()));
}

#[test]
fn ids_in_a_block_follow_one_another_and_never_wrap() {
    assert_eq!(FeatureStateId(7).plus(3), FeatureStateId(10));
    assert_eq!(FeatureStateId(i64::MAX).plus(1), FeatureStateId(i64::MAX));
}
