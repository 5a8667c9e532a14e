//! The id allocator: blocks that never overlap.

use offshoot_aggregates::id_allocator::{
    IdAllocator, IdAllocatorCommand as Command, IdAllocatorError as Error, IdAllocatorEvent as Event, IdKind,
};

use crate::support::scenario::{given, given_nothing};

fn reserve(kind: IdKind, count: u64) -> Command {
    Command::ReserveIds { blocks: vec![(kind, count)] }
}

fn reserved(kind: IdKind, first: i64, count: u64) -> Event {
    Event::IdsReserved { kind, first, count }
}

#[test]
fn ids_begin_at_one() {
    let allocator =
        given_nothing::<IdAllocator>().when(reserve(IdKind::Feature, 500)).then([reserved(IdKind::Feature, 1, 500)]);
    assert_eq!(allocator.next(IdKind::Feature), 501);
}

#[test]
fn a_block_begins_where_the_last_one_of_its_kind_ended() {
    given::<IdAllocator>([reserved(IdKind::Feature, 1, 500), reserved(IdKind::Feature, 501, 1)])
        .when(reserve(IdKind::Feature, 2))
        .then([reserved(IdKind::Feature, 502, 2)]);
}

#[test]
fn each_kind_counts_by_itself() {
    given::<IdAllocator>([reserved(IdKind::Feature, 1, 500)]).when(reserve(IdKind::Segment, 3)).then([reserved(
        IdKind::Segment,
        1,
        3,
    )]);
}

#[test]
fn several_blocks_are_reserved_together_or_not_at_all() {
    let (features, segments) = ((IdKind::Feature, 500), (IdKind::Segment, 3));
    let command = |blocks| Command::ReserveIds { blocks };
    given_nothing::<IdAllocator>().when(command(vec![features, segments, features])).then([
        reserved(IdKind::Feature, 1, 500),
        reserved(IdKind::Segment, 1, 3),
        reserved(IdKind::Feature, 501, 500),
    ]);
    given_nothing::<IdAllocator>().when(command(vec![features, (IdKind::Segment, 0)])).then_rejected(Error::EmptyBlock);
}

#[test]
fn whoever_reserves_blocks_knows_where_each_of_them_begins() {
    let allocator = given::<IdAllocator>([reserved(IdKind::Feature, 1, 7)])
        .when(reserve(IdKind::Segment, 2))
        .then([reserved(IdKind::Segment, 1, 2)]);
    let blocks = [(IdKind::Feature, 5), (IdKind::Segment, 1), (IdKind::Feature, 1)];
    assert_eq!(allocator.firsts(&blocks), Ok(vec![8, 3, 13]));
}

#[test]
fn a_block_has_at_least_one_id() {
    given_nothing::<IdAllocator>().when(reserve(IdKind::Feature, 0)).then_rejected(Error::EmptyBlock);
}

#[test]
fn ids_never_overflow() {
    let left = 10;
    let used = reserved(IdKind::Feature, 1, i64::MAX.unsigned_abs() - left - 1);
    given::<IdAllocator>([used.clone()]).when(reserve(IdKind::Feature, left + 1)).then_rejected(Error::Exhausted);
    given::<IdAllocator>([used.clone()]).when(reserve(IdKind::Feature, u64::MAX)).then_rejected(Error::Exhausted);
    let first = i64::MAX - left.cast_signed();
    given::<IdAllocator>([used]).when(reserve(IdKind::Feature, left)).then([reserved(IdKind::Feature, first, left)]);
}
