//! Identity overrides that come from a document, in batches behind those of its states.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedIdentityOverride, Environment, EnvironmentCommand as Command, EnvironmentError as Error,
    EnvironmentEvent as Event, Origin,
};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};
use offshoot_aggregates::limits::{BATCH_SIZE_MAX, IDENTIFIER_CHARACTERS_MAX, IDENTITY_OVERRIDES_MAX};

use crate::support::environment::{clone_of, content, environment_created, states};
use crate::support::scenario::given;
use crate::support::{bad_names, problem};

const INVALID_BATCH: Error = Error::InvalidBatch { max: BATCH_SIZE_MAX };

type Batch = Arc<Vec<BatchedIdentityOverride>>;

/// Overrides: identity, identifier, feature.
fn batch<'a>(items: impl IntoIterator<Item = (i64, &'a str, i64)>) -> Batch {
    let item = |(identity, identifier, feature): (i64, &str, i64)| BatchedIdentityOverride {
        identity: IdentityId(identity),
        identifier: identifier.into(),
        feature: FeatureId(feature),
        id: FeatureStateId(identity * 100 + feature),
        content: Arc::new(content("mine", 7)),
    };
    Arc::new(items.into_iter().map(item).collect())
}

fn import(batch: u32, overrides: Batch) -> Command {
    Command::ImportIdentityOverrides { batch, overrides }
}

fn imported(batch: u32, overrides: Batch) -> Event {
    Event::IdentityOverridesImported { batch, overrides }
}

/// An environment of four states in three batches, of which the first has come, and what happened to it then.
fn running(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let document = "production".to_owned();
    let created = environment_created(Origin::Import { document, feature_states_total: 4, batches_total: 3 });
    let first = Event::FeatureStatesImported { batch: 1, states: states([1]) };
    [created, first].into_iter().chain(events).collect()
}

#[test]
fn identities_come_with_their_overrides() {
    let items = [(7, "user_1", 1), (7, "user_1", 2), (8, "user_2", 1)];
    let environment = given::<Environment>(running([])).when(import(2, batch(items))).then([imported(2, batch(items))]);
    let identities = environment.identities();
    assert_eq!((identities.len(), identities.overrides_len()), (2, 3));
    assert_eq!(identities.named("user_2"), Some(IdentityId(8)));
    let state = identities.override_of(IdentityId(7), FeatureId(2)).unwrap();
    assert_eq!((state.id.0, state.content.seed.0), (702, 7));
    assert_eq!(environment.creation().unwrap().feature_states, 4);
}

#[test]
fn an_identity_may_go_on_in_the_next_batch() {
    given::<Environment>(running([imported(2, batch([(7, "user_1", 1)]))]))
        .when(import(3, batch([(7, "user_1", 2), (8, "user_2", 1)])))
        .then_accepted();
}

#[test]
fn batches_are_in_turn_in_order_and_not_too_big() {
    let before = || running([imported(2, batch([(7, "user_1", 2)]))]);
    for number in [1, 2, 4] {
        given::<Environment>(before())
            .when(import(number, batch([(8, "user_2", 1)])))
            .then_rejected(Error::UnexpectedBatch { expected: 3 });
    }
    let three = [(8, "b", 1), (8, "b", 2), (8, "b", 3)];
    let wrong =
        [batch([]), batch([(7, "user_1", 1)]), batch([(7, "user_1", 2)]), batch([three[1], three[0]]), batch(three)];
    for overrides in wrong {
        given::<Environment>(before()).when(import(3, overrides)).then_rejected(INVALID_BATCH);
    }
}

#[test]
fn an_identity_has_one_identifier_and_an_identifier_one_identity() {
    let before = || running([imported(2, batch([(7, "user_1", 1)]))]);
    for (item, identifier) in [((7, "user_2", 2), "user_2"), ((8, "user_1", 1), "user_1")] {
        given::<Environment>(before())
            .when(import(3, batch([item])))
            .then_rejected(Error::IdentityExists { identifier: identifier.to_owned() });
    }
    for (identifier, wrong) in bad_names(IDENTIFIER_CHARACTERS_MAX) {
        given::<Environment>(before())
            .when(import(3, batch([(9, identifier.as_str(), 1)])))
            .then_rejected(problem("identifier", wrong));
    }
}

#[test]
fn a_document_has_only_so_many_overrides() {
    let most = i64::try_from(IDENTITY_OVERRIDES_MAX).unwrap();
    let size = i64::try_from(BATCH_SIZE_MAX).unwrap();
    let full = most / size;
    let document = "production".to_owned();
    let total = u64::try_from(most + 1).unwrap();
    let origin =
        Origin::Import { document, feature_states_total: total, batches_total: u32::try_from(full + 1).unwrap() };
    let of_batch = |number: i64| batch(((number - 1) * size + 1..=number * size).map(|feature| (7, "user_1", feature)));
    let events = std::iter::once(environment_created(origin))
        .chain((1..=full).map(|number| imported(u32::try_from(number).unwrap(), of_batch(number))));
    given::<Environment>(events)
        .when(import(u32::try_from(full + 1).unwrap(), batch([(7, "user_1", most + 1)])))
        .then_rejected(Error::TooManyIdentityOverrides { max: IDENTITY_OVERRIDES_MAX });
}

#[test]
fn the_import_is_complete_when_the_overrides_are_there_too() {
    let (two, last) = (batch([(7, "user_1", 1), (7, "user_1", 2)]), batch([(8, "user_2", 1)]));
    given::<Environment>(running([imported(2, two.clone())]))
        .when(Command::CompleteImport)
        .then_rejected(Error::Incomplete { expected: 4, actual: 3 });
    given::<Environment>(running([imported(2, two), imported(3, last)]))
        .when(Command::CompleteImport)
        .then([Event::ImportCompleted { feature_states: 4 }]);
}

#[test]
fn a_clone_takes_none() {
    given::<Environment>(clone_of(3, 2, [])).when(import(1, batch([(7, "a", 1)]))).then_rejected(Error::OtherOrigin);
}
