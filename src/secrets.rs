//! Keys that nobody can guess, and what is kept of them.

use std::fmt::Write as _;

use rand::RngExt as _;
use sha2::{Digest, Sha256};

/// Letters and digits that are not mistaken for each other: 57 of them, as Flagsmith's short UUIDs have.
const ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Characters of an environment's client key, and of a server-side key behind its mark, as Flagsmith's: 57^22 is more than
/// 2^128.
const CLIENT_KEY_CHARACTERS: usize = 22;

/// What a server-side key of an environment begins with, as Flagsmith's. No client key has a dot.
pub const SERVER_KEY_MARK: &str = "ser.";

/// Characters by which a server-side key is recognised, the mark among them.
const SERVER_KEY_PREFIX_CHARACTERS: usize = 8;

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

/// The SHA-256 of a key: what keys are found by, because nobody keeps the keys themselves.
pub type KeyDigest = [u8; 32];

/// The SHA-256 of a key. One round is enough, because keys are random and long.
#[must_use]
pub fn digest_key(key: &str) -> KeyDigest {
    Sha256::digest(key.as_bytes()).into()
}

/// A digest in hexadecimal digits, as events and read models keep it.
#[must_use]
pub fn hex_digits(digest: &[u8]) -> String {
    let mut digits = String::with_capacity(digest.len() * 2);
    for byte in digest {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The digest that [`hex_digits`] wrote; `None` if it is none.
#[must_use]
pub fn digest_from_hex(digits: &str) -> Option<KeyDigest> {
    let mut digest = KeyDigest::default();
    if digits.len() != 2 * digest.len() || !digits.is_ascii() {
        return None;
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// What is kept of an API key: its SHA-256 in hexadecimal digits.
#[must_use]
pub fn hash_api_key(key: &str) -> String {
    hex_digits(&digest_key(key))
}

/// The characters by which an API key is recognised: those before the dot, or the first few.
#[must_use]
pub fn api_key_prefix(key: &str) -> String {
    let prefix = key.split_once('.').map_or(key, |(prefix, _)| prefix);
    prefix.chars().take(API_KEY_PREFIX_CHARACTERS).collect()
}

/// A new server-side key of an environment: `ser.` and 22 characters.
#[must_use]
pub fn new_server_key() -> String {
    format!("{SERVER_KEY_MARK}{}", random_text(CLIENT_KEY_CHARACTERS))
}

/// The characters by which a server-side key is recognised: `ser.` and 4 more, which leaves 57^18 keys to guess from.
#[must_use]
pub fn server_key_prefix(key: &str) -> String {
    key.chars().take(SERVER_KEY_PREFIX_CHARACTERS).collect()
}

/// A server-side key of which only the prefix is known, in the length that it has.
#[must_use]
pub fn masked_server_key(prefix: &str) -> String {
    let length = SERVER_KEY_MARK.len() + CLIENT_KEY_CHARACTERS;
    format!("{prefix:*<length$}")
}
