//! Keys that nobody can guess, and what is kept of them.

use std::fmt::Write as _;

use rand::RngExt as _;
use sha2::{Digest, Sha256};

/// Letters and digits that are not mistaken for each other: 57 of them, as Flagsmith's short UUIDs have.
const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Characters of an environment's client key, as Flagsmith's: 57^22 is more than 2^128.
const CLIENT_KEY_CHARACTERS: usize = 22;

/// Characters of an API key before the dot.
pub const API_KEY_PREFIX_CHARACTERS: usize = 8;

/// Characters of an API key after the dot.
const API_KEY_SECRET_CHARACTERS: usize = 32;

fn random_text(characters: usize) -> String {
    let mut random = rand::rng();
    (0..characters).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// A new client key of an environment: 22 characters.
#[must_use]
pub fn new_client_key() -> String {
    random_text(CLIENT_KEY_CHARACTERS)
}

/// A new API key, `{prefix}.{secret}`: 8 and 32 characters.
#[must_use]
pub fn new_api_key() -> String {
    format!("{}.{}", random_text(API_KEY_PREFIX_CHARACTERS), random_text(API_KEY_SECRET_CHARACTERS))
}

/// What is kept of an API key: its SHA-256 in hexadecimal digits. One round is enough, because keys are random and long.
#[must_use]
pub fn hash_api_key(key: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(key.as_bytes()) {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The characters by which an API key is recognised: those before the dot, or the first few.
#[must_use]
pub fn api_key_prefix(key: &str) -> String {
    let prefix = key.split_once('.').map_or(key, |(prefix, _)| prefix);
    prefix.chars().take(API_KEY_PREFIX_CHARACTERS).collect()
}
