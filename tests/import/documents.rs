//! What a document says, read as a plan; and documents that are refused.

use offshoot::import::flagsmith_document::{DocumentError, read};
use offshoot_aggregates::limits::{IDENTIFIER_CHARACTERS_MAX, IDENTITY_OVERRIDES_MAX};
use serde_json::{Value, json};

use super::{colour, document, identity, state};

fn refusal(document: &Value) -> DocumentError {
    read(&document.to_string(), "p".to_owned(), None).unwrap_err()
}

#[test]
fn shares_belong_to_the_options_that_they_name() {
    let mine = colour(44_418, &[(32, 100.0)]);
    let plan = read(&document(vec![identity("user_1", vec![mine])]).to_string(), "p".to_owned(), None).unwrap();
    let colour = &plan.features[1];
    assert_eq!(colour.state.shares, [(0, 30.0), (1, 20.0), (2, 10.0)]);
    assert_eq!(colour.overrides[0].state.shares, [(2, 90.0)]);
    let (feature, of_identity) = &plan.identities[0].overrides[0];
    assert_eq!((*feature, &of_identity.shares), (1, &vec![(1, 100.0)]));
    assert_eq!(of_identity.seed.map(|seed| seed.0), Some(44_418));
}

#[test]
fn a_document_without_identities_is_read() {
    let mut without = document(vec![]);
    without.as_object_mut().unwrap().remove("identity_overrides");
    for document in [without, document(vec![identity("user_1", vec![])])] {
        let plan = read(&document.to_string(), "p".to_owned(), None).unwrap();
        assert_eq!(plan.identities, []);
    }
}

#[test]
fn an_override_of_what_is_not_there_is_refused() {
    let unknown = document(vec![identity("user_1", vec![state(99, "nope", 1, json!(1))])]);
    assert!(matches!(refusal(&unknown), DocumentError::OverrideWithoutState(name) if name == "nope"));
    let unknown = document(vec![identity("user_1", vec![colour(1, &[(39, 1.0)])])]);
    assert!(matches!(refusal(&unknown), DocumentError::UnknownOption { option: Some(39), .. }));
}

#[test]
fn an_identity_that_comes_twice_is_refused() {
    let mine = || state(11, "banner", 1, json!("mine"));
    let twice = document(vec![identity("user_1", vec![mine()]), identity("user_1", vec![mine()])]);
    assert!(matches!(refusal(&twice), DocumentError::TwoIdentityOverrides { .. }));
    let twice = document(vec![identity("user_1", vec![mine(), mine()])]);
    assert!(matches!(refusal(&twice), DocumentError::TwoIdentityOverrides { feature, .. } if feature == "banner"));
}

#[test]
fn an_identifier_that_breaks_a_rule_is_refused() {
    for identifier in [" ", "nul\0", &"x".repeat(IDENTIFIER_CHARACTERS_MAX + 1)] {
        let document = document(vec![identity(identifier, vec![state(11, "banner", 1, json!("mine"))])]);
        assert!(matches!(refusal(&document), DocumentError::Identifier(_)), "{identifier:?}");
    }
}

#[test]
fn more_overrides_than_an_environment_may_have_are_refused() {
    let mine = state(11, "banner", 1, json!("mine"));
    let identities = (0..=IDENTITY_OVERRIDES_MAX).map(|number| identity(&number.to_string(), vec![mine.clone()]));
    let refusal = refusal(&document(identities.collect()));
    assert!(matches!(refusal, DocumentError::TooMany { actual, .. } if actual == IDENTITY_OVERRIDES_MAX + 1));
}
