//! Which variant an identity gets.

use offshoot_projections::flag_engine::hashed_percentage;

/// Computed with Flagsmith's Python engine 11.1.1, `get_hashed_percentage_for_object_ids`.
const KNOWN: &[(&[&str], f64)] = &[
    (&["1", "2"], 26.59531906381276),
    (&["201", "VzcVdfJR4Nsfzq7vzZvv5t_user_1"], 34.136827365473096),
    (&["44412", "Ad5bVwtVYqkKJXssevz3UT_user_1"], 16.96339267853571),
    (&["7", "env-key_sömebody 😀"], 61.57231446289258),
    (&["", ""], 51.200240048009604),
    (&["5"], 76.57531506301261),
    (&["7", "env-key_3748"], 25.495099019803963),
    (&["7", "env-key_18591"], 0.4500900180036007),
];

#[test]
fn the_hash_gives_the_same_shares_as_flagsmiths() {
    for (ids, expected) in KNOWN {
        let ids: Vec<&dyn std::fmt::Display> = ids.iter().map(|id| id as &dyn std::fmt::Display).collect();
        assert_eq!(hashed_percentage(&ids), *expected);
    }
}
