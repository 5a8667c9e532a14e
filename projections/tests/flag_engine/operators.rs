//! What each operator says, by the type of the trait.

use offshoot_aggregates::project::SegmentOperator as O;
use offshoot_projections::flag_engine::TraitValue as T;

use super::scenario::answer;

/// Asserts what an operator says of a trait, for several values of the condition.
fn assert_answers(operator: O, given: T<'_>, yes: &[&str], no: &[&str]) {
    for value in yes {
        assert!(answer(operator, value, Some(given)), "{given:?} {operator:?} {value:?}");
    }
    for value in no {
        assert!(!answer(operator, value, Some(given)), "not {given:?} {operator:?} {value:?}");
    }
}

#[test]
fn a_trait_that_is_missing_or_null_answers_only_is_not_set() {
    for operator in [
        O::Equal,
        O::NotEqual,
        O::GreaterThan,
        O::GreaterThanInclusive,
        O::LessThan,
        O::LessThanInclusive,
        O::Contains,
        O::NotContains,
        O::Regex,
        O::PercentageSplit,
        O::Modulo,
        O::IsSet,
        O::In,
    ] {
        assert!(!answer(operator, "100", None), "{operator:?}");
        assert!(!answer(operator, "100", Some(T::Null)), "{operator:?}");
    }
    assert!(answer(O::IsNotSet, "", None));
    assert!(answer(O::IsNotSet, "", Some(T::Null)));
    assert!(!answer(O::IsNotSet, "", Some(T::Text(""))));
    assert!(answer(O::IsSet, "", Some(T::Text(""))));
}

#[test]
fn texts_are_compared_as_they_are() {
    assert_answers(O::Equal, T::Text("gold"), &["gold"], &["Gold", "gold ", "golden", ""]);
    assert_answers(O::NotEqual, T::Text("gold"), &["Gold", ""], &["gold"]);
    assert_answers(O::GreaterThan, T::Text("gold"), &["gol", "Gold", ""], &["gold", "golden", "ü"]);
    assert_answers(O::LessThanInclusive, T::Text("gold"), &["gold", "golden", "ü", "😀"], &["gol"]);
    assert_answers(O::Equal, T::Text("true"), &["true"], &["True"]);
}

#[test]
fn integers_are_compared_with_what_reads_as_an_integer() {
    assert_answers(O::Equal, T::Integer(7), &["7", " 7 ", "+7", "007", "7\n"], &["7.0", "7e0", "0x7", "seven", ""]);
    assert_answers(O::Equal, T::Integer(1_000), &["1_000", "1000"], &["1__000", "_1000", "1000_", "1,000"]);
    assert_answers(O::NotEqual, T::Integer(7), &["8"], &["7", "7.5", "x"]);
    assert_answers(O::GreaterThan, T::Integer(7), &["6", "-8"], &["7", "8", "6.5"]);
    assert_answers(O::LessThanInclusive, T::Integer(-7), &["-7", "0"], &["-8"]);
}

#[test]
fn integers_can_be_of_any_size() {
    let huge = T::Text("123456789012345678901234567890");
    assert_answers(O::Equal, huge, &["123456789012345678901234567890", "0123456789012345678901234567890"], &["1.2e29"]);
    assert_answers(O::GreaterThan, huge, &["123456789012345678901234567889", "9223372036854775807", "-1"], &[]);
    assert_answers(O::LessThan, T::Integer(i64::MAX), &["9223372036854775808"], &["9223372036854775807"]);
    assert_answers(O::LessThan, T::Integer(i64::MIN), &[], &["-9223372036854775809", "-9223372036854775808"]);
    assert_answers(O::LessThan, T::Text("-123456789012345678901234567890"), &["-123456789012345678901234567889"], &[]);
    assert_answers(O::In, huge, &["[123456789012345678901234567890]", "1,123456789012345678901234567890"], &["1"]);
}

#[test]
fn floats_are_compared_with_what_reads_as_a_float() {
    assert_answers(O::Equal, T::Float(1.5), &["1.5", "1.50", "15e-1", " +1.5", "1_5e-1"], &["1,5", "", "1.5x"]);
    assert_answers(O::Equal, T::Float(0.1 + 0.2), &["0.30000000000000004"], &["0.3"]);
    assert_answers(O::GreaterThan, T::Float(1.5), &["1", "-inf"], &["2", "inf", "nan"]);
    assert_answers(O::NotEqual, T::Float(1.5), &["nan", "1"], &["1.5", "x"]);
}

#[test]
fn a_text_that_is_a_number_counts_as_that_number() {
    assert_answers(O::Equal, T::Text("007"), &["7"], &["007x"]);
    assert_answers(O::Equal, T::Text("1.50"), &["1.5"], &["1.5.0"]);
    assert_answers(O::GreaterThan, T::Text("10"), &["9"], &["11"]);
    assert_answers(O::Regex, T::Text("007"), &["7$"], &["007"]);
    // Only whole numbers and such with a fraction are; not what else a float can look like.
    assert_answers(O::Equal, T::Text("1e3"), &["1e3"], &["1000"]);
    assert_answers(O::Equal, T::Text("+7"), &["+7"], &["7"]);
    assert_answers(O::Equal, T::Text("٧"), &["٧"], &["7"]);
}

#[test]
fn booleans_take_everything_but_false_for_true() {
    assert_answers(O::Equal, T::Boolean(true), &["true", "True", "1", "", "FALSE", "anything"], &["false", "False"]);
    assert_answers(O::Equal, T::Boolean(false), &["false", "False"], &["true", "0", "FALSE"]);
    assert_answers(O::NotEqual, T::Boolean(true), &["false"], &["true"]);
    assert_answers(O::GreaterThan, T::Boolean(true), &["false"], &["true"]);
    assert_answers(O::LessThanInclusive, T::Boolean(false), &["false", "true"], &[]);
}

#[test]
fn versions_are_compared_by_precedence() {
    let version = T::Text("1.10.0-rc1+build");
    assert_answers(O::GreaterThan, version, &["1.9.0:semver", "1.10.0-alpha:semver"], &["1.10.0:semver", "1.9.0"]);
    assert_answers(O::Equal, version, &["1.10.0-rc1:semver", "1.10.0-rc1+other:semver"], &["1.10.0:semver"]);
    assert_answers(O::NotEqual, version, &["1.10.0:semver"], &["1.10.0-rc1:semver", "1.10:semver", "x:semver"]);
    assert_answers(O::LessThan, T::Text("1.2.3-rc.2"), &["1.2.3-rc.10:semver"], &["1.2.3-rc.1:semver"]);
    // What is no version of three parts is compared with nothing.
    assert_answers(O::NotEqual, T::Text("v1.2.3"), &[], &["1.2.3:semver"]);
    assert_answers(O::Equal, T::Text("1.2"), &[], &["1.2.0:semver", "1.2:semver"]);
    assert_answers(O::Contains, version, &["rc1:semver", "build:semver"], &["rc:semver", "1.10.0:semver", ":semver"]);
}

#[test]
fn only_texts_contain_something() {
    assert_answers(O::Contains, T::Text("golden"), &["old", "", "golden"], &["Gold", "goldens"]);
    assert_answers(O::NotContains, T::Text("golden"), &["Gold"], &["old", ""]);
    for given in [T::Integer(77), T::Float(7.5), T::Boolean(true), T::Text("77")] {
        assert_answers(O::Contains, given, &[], &["7", "", "T"]);
        assert_answers(O::NotContains, given, &[], &["7", "x"]);
    }
}

#[test]
fn a_modulo_has_the_sign_of_its_divisor() {
    assert_answers(O::Modulo, T::Integer(7), &["2|1", "3|1", " 2 | 1 ", "2.5|2", "-3|-2"], &["2|0", "-3|1"]);
    assert_answers(O::Modulo, T::Integer(-7), &["3|2", "-3|-1"], &["3|-1"]);
    assert_answers(O::Modulo, T::Float(7.5), &["2|1.5"], &["2|1"]);
    assert_answers(O::Modulo, T::Boolean(true), &["2|1"], &["2|0"]);
    assert_answers(O::Modulo, T::Text("7"), &["2|1"], &[]);
    assert_answers(O::Modulo, T::Text("seven"), &[], &["2|1"]);
    assert_answers(O::Modulo, T::Integer(7), &[], &["", "2", "|", "2|1|0", "x|1", "2|x", "nan|0", "2|nan"]);
}

#[test]
fn a_list_is_json_or_separated_by_commas() {
    assert_answers(
        O::In,
        T::Text("gold"),
        &["gold", "silver,gold", "[\"gold\"]", "[\"gold\"] "],
        &["silver, gold", " [\"gold\"]"],
    );
    assert_answers(O::In, T::Text("a,b"), &["[\"a,b\"]"], &["a,b"]);
    assert_answers(O::In, T::Text(""), &["", "a,", "[\"\"]"], &["[]"]);
    assert_answers(O::In, T::Integer(7), &["7", "1,7", "[7]", "[\"7\"]"], &["07", "[7.0]"]);
    assert_answers(O::In, T::Text("[\"a\""), &["[\"a\",b"], &[]);
    assert_answers(O::In, T::Float(1.5), &[], &["1.5", "[1.5]", "[\"1.5\"]"]);
    assert_answers(O::In, T::Boolean(true), &[], &["true", "True", "[true]"]);
    assert_answers(O::In, T::Text("True"), &["[true]", "True"], &["[1]"]);
    assert_answers(O::In, T::Text("None"), &["[null]"], &["[]"]);
}

#[test]
fn a_percentage_splits_the_values_of_its_property() {
    for share in ["100", "1e2", " 100 ", "inf", "150"] {
        assert!(answer(O::PercentageSplit, share, Some(T::Text("somebody"))), "{share}");
    }
    for share in ["0", "-1", "nan", "", "half", "50%"] {
        assert!(!answer(O::PercentageSplit, share, Some(T::Text("somebody"))), "{share}");
    }
    let included = |share: &str| {
        let is_in = |number: i64| answer(O::PercentageSplit, share, Some(T::Integer(number)));
        (0..1_000).filter(|number| is_in(*number)).count()
    };
    assert!((250..350).contains(&included("30")), "{}", included("30"));
}
