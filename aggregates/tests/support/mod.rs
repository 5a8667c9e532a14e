//! What the tests share: given / when / then, and builders of things that are valid until a test breaks them.

pub mod environment;
pub mod project;
pub mod scenario;
pub mod world;

use offshoot_aggregates::ids::ApiKeyId;
use offshoot_aggregates::permissions::{Grant, Principal};
use offshoot_aggregates::text::{TextError, TextProblem};
use uuid::Uuid;

/// A UUID that says which one it is.
pub fn uuid(number: u64) -> Uuid {
    Uuid::from_u128(number.into())
}

/// Someone with an API key.
pub fn holder(number: i64) -> Principal {
    Principal::ApiKey { uuid: uuid(900 + number.unsigned_abs()), id: ApiKeyId(number), name: format!("key {number}") }
}

/// A grant of a few permissions.
pub fn grant<P: Ord>(principal: Principal, permissions: impl IntoIterator<Item = P>) -> Grant<P> {
    Grant { principal, admin: false, permissions: permissions.into_iter().collect() }
}

/// A grant of everything.
pub fn admin<P: Ord>(principal: Principal) -> Grant<P> {
    Grant { principal, admin: true, permissions: [].into() }
}

/// A text of so many characters, each of which has two bytes.
pub fn text(characters: usize) -> String {
    "ü".repeat(characters)
}

/// Texts that no field takes whose limit is `max`, and what is wrong with each.
pub fn bad_texts(max: usize) -> [(String, TextProblem); 2] {
    [(text(max + 1), TextProblem::TooLong { max }), ("nul\0".to_owned(), TextProblem::Nul)]
}

/// Texts that no name may be, and what is wrong with each.
pub fn bad_names(max: usize) -> Vec<(String, TextProblem)> {
    let blank = ["", " ", "\t\u{3000}"].map(|blank| (blank.to_owned(), TextProblem::Blank));
    blank.into_iter().chain(bad_texts(max)).collect()
}

/// What is wrong with a field.
pub fn problem(field: &'static str, problem: TextProblem) -> TextError {
    TextError { field, problem }
}
