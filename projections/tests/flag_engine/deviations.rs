//! Where our engine says something else than Flagsmith's Python engine, on purpose. Patterns, paths and cycles have theirs in
//! `patterns.rs`, `rules.rs` and `dependencies.rs`.

use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::project::SegmentOperator as O;
use offshoot_projections::flag_engine::{Context, StateSource, TraitValue as T};

use super::scenario::{answer, context, environment, feature, insert, plan_segment, state};

/// Flagsmith's engine fails with an error, and evaluates no flag at all.
#[test]
fn a_modulo_that_python_cannot_compute_matches_nobody() {
    for divisor in ["0|0", "-0|0", "0.0|1"] {
        assert!(!answer(O::Modulo, divisor, Some(T::Integer(7))), "{divisor}");
    }
    let digits = "9".repeat(400);
    assert!(!answer(O::Modulo, "2|1", Some(T::Text(&digits))), "greater than any float");
}

/// Python reads `٣` as 3.
#[test]
fn digits_of_other_scripts_are_no_numbers() {
    assert!(!answer(O::Equal, "٣", Some(T::Integer(3))));
    assert!(!answer(O::Equal, "٣.٥", Some(T::Float(3.5))));
    assert!(!answer(O::PercentageSplit, "١٠٠", Some(T::Text("somebody"))));
}

/// Python takes numbers of any size there.
#[test]
fn a_version_has_numbers_of_64_bits() {
    assert!(answer(O::Equal, "18446744073709551615.0.0:semver", Some(T::Text("18446744073709551615.0.0"))));
    assert!(!answer(O::Equal, "18446744073709551616.0.0:semver", Some(T::Text("18446744073709551616.0.0"))));
}

/// Python's JSON has `NaN`; a list with it is split at its commas here. And a list in a list has no text here.
#[test]
fn a_json_list_is_a_list_of_texts_and_proper_numbers() {
    assert!(!answer(O::In, "[NaN, \"gold\"]", Some(T::Text("gold"))));
    assert!(!answer(O::In, "[[1, 2]]", Some(T::Text("[1, 2]"))));
    assert!(answer(O::In, "[\"gold\", [1], \"\\ud83d\"]", Some(T::Text("gold"))));
}

/// Flagsmith's SDKs compare the identifier as they compare a trait: that of `007` is 7, and it has the overrides of `7`.
#[test]
fn an_identity_override_is_found_by_exactly_its_identifier() {
    let mut environment = environment();
    insert(&mut environment, feature(1, "banner", state(10, "hello")));
    environment.insert_identity_override("7", FeatureId(1), state(11, "seven"));
    environment.insert_identity_override("1.50", FeatureId(1), state(12, "one and a half"));
    let source = |identifier| environment.evaluator(context(identifier, &[])).flag_named("banner").unwrap().source;
    assert_eq!(source("007"), StateSource::Default);
    assert_eq!(source("7"), StateSource::IdentityOverride);
    assert_eq!(source("1.50"), StateSource::IdentityOverride);
}

/// To Flagsmith's engine traits are the identity's.
#[test]
fn traits_count_without_an_identity() {
    let mut environment = environment();
    environment.insert_segment(&plan_segment(1, "gold"));
    let traits = [("plan", T::Text("gold"))];
    assert!(environment.evaluator(Context { identity: None, traits: &traits }).is_in_segment(SegmentId(1)));
}
