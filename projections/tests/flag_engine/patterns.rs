//! Patterns: Python's, and what is not supported of them.

use std::fmt::Write;

use offshoot_aggregates::project::SegmentOperator as O;
use offshoot_projections::flag_engine::TraitValue as T;

use super::scenario::answer;

fn assert_matches(text: &str, yes: &[&str], no: &[&str]) {
    for pattern in yes {
        assert!(answer(O::Regex, pattern, Some(T::Text(text))), "{pattern:?} matches {text:?}");
    }
    for pattern in no {
        assert!(!answer(O::Regex, pattern, Some(T::Text(text))), "{pattern:?} does not match {text:?}");
    }
}

#[test]
fn a_pattern_matches_from_the_beginning_but_not_to_the_end() {
    assert_matches("golden", &["gold", "gold.*", "golden$", "", "silver|gold"], &["old", "gold$", "Gold"]);
}

#[test]
fn the_end_is_also_before_a_last_line_feed() {
    assert_matches("gold\n", &["gold$", "gold\n$", "gold$\n", r"(gold$)+"], &[r"gold\Z", "gold$."]);
    assert_matches("a\nb", &["(?m)a$", "(?ms)a$.b", "(?m)a\n^b"], &["a$", "a.b"]);
}

#[test]
fn words_have_edges() {
    assert_matches("old gold", &[r"old\b", r".*\bgold", r"o\Bld", r"old\b.\b"], &[r"o\bld", r"old\B"]);
    assert_matches("", &[r"\B", r"\Z", r"\z", r"\A$"], &[r"\b"]);
}

#[test]
fn look_around_and_back_references_are_understood() {
    assert_matches("user@example.com", &[r"^(?!.*@test\.com).*$", r".+(?<=\.com)$"], &[r"(?=.*\.org)"]);
    assert_matches("abab", &[r"(ab)\1$", r"(?P<x>ab)(?P=x)", "(a)?(?(1)b|c)"], &[r"(ab)\1\1", "a++ab", "(?>ab|a)aba"]);
}

#[test]
fn signs_mean_what_they_mean_in_python() {
    assert_matches("a{x}", &["a{x}", "a{", r"a\{"], &["a{1}$"]);
    assert_matches("[a", &["[[a]+$", "[[]a"], &["[a]+"]);
    assert_matches("a&&b", &["[a&&b]+$"], &[]);
    assert_matches("x²_é", &[r"\w+$"], &[r"\w+\W"]);
    assert_matches("gold", &["(?x) g o l d # shiny", "(?#why)gold", "(?i)GOLD", "(?i:G)old"], &["(?i:g)OLD"]);
    assert_matches("\u{1c}", &[r"\s"], &[r"\S"]);
}

#[test]
fn numbers_and_booleans_match_as_python_writes_them() {
    for (given, pattern) in [
        (T::Integer(-7), "-7$"),
        (T::Float(30.0), r"30\.0$"),
        (T::Float(1e16), r"1e\+16$"),
        (T::Float(1e-5), "1e-05$"),
        (T::Float(0.0001), r"0\.0001$"),
        (T::Float(-0.0), r"-0\.0$"),
        (T::Float(123_456_789_012_345_680.0), r"1\.2345678901234568e\+17$"),
        (T::Boolean(true), "True$"),
        (T::Boolean(false), "False$"),
        (T::Text("000123456789012345678901234567890"), "123456789012345678901234567890$"),
    ] {
        assert!(answer(O::Regex, pattern, Some(given)), "{pattern} matches {given:?}");
    }
}

#[test]
fn what_is_no_pattern_matches_nobody() {
    for pattern in ["(", ")", "[", "*", "a**", r"\q", "a(?i)b", "(?<x>a)", "a{2,1}", r"\1", "^*", "(?P<1>a)", "[b-a]"] {
        assert_matches("a", &[], &[pattern]);
    }
}

/// Python's engine understands these; ours does not, and matches nobody.
#[test]
fn some_patterns_are_not_supported() {
    assert_matches("a", &[], &["(?a)a", r"\N{LATIN SMALL LETTER A}", "(?:a{0,1000000}){0,1000}"]);
    assert_matches("e\u{301}x", &[r"e\w*"], &[r"e\b"]);
}

/// Python's engine would take some 2^30 steps, with any of these.
#[test]
fn no_pattern_takes_for_ever() {
    let text = "a".repeat(30) + "!";
    assert_matches(&text, &[], &["(a+)+$", "(a|a)*$", "(a|aa)+$", r"(a+)+\1!!", "(?=(a+)+b)a", "(?:a*)*(?!a)b"]);
}

#[test]
fn a_pattern_that_is_deeply_nested_is_refused() {
    let mut pattern = String::new();
    for _ in 0..10_000 {
        pattern.write_char('(').unwrap();
    }
    pattern += "a";
    pattern += &")".repeat(10_000);
    assert_matches(
        "a",
        &[&"(".repeat(40).chars().chain("a".chars()).chain(")".repeat(40).chars()).collect::<String>()],
        &[&pattern],
    );
}
