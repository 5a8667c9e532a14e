//! Which share of all identities one belongs to: Flagsmith's hash, so that everybody stays where they are.

use std::fmt::{Display, Write};

use md5::{Digest, Md5};

/// The hash is taken modulo this, a prime.
const MODULUS: u128 = 9_999;

/// A number from 0 to below 100 that is always the same for the same ids, and spread evenly over different ones.
///
/// It is the MD5 of the ids' texts, joined by commas, as a number modulo 9,999, on a scale to 100. Where that gives exactly
/// 100, the list of ids is repeated once more and hashed again (Flagsmith's rule).
#[must_use]
pub fn hashed_percentage(ids: &[&dyn Display]) -> f64 {
    let mut repetitions = 1;
    loop {
        let share = hashed_modulo(ids, repetitions);
        if share != MODULUS - 1 {
            return share as f64 / (MODULUS - 1) as f64 * 100.0;
        }
        repetitions += 1;
    }
}

fn hashed_modulo(ids: &[&dyn Display], repetitions: usize) -> u128 {
    let mut hash = HashedText(Md5::new());
    for index in 0..repetitions * ids.len() {
        if index > 0 {
            hash.0.update(b",");
        }
        // Hashing does not fail, and an id's text neither.
        let _ = write!(hash, "{}", ids[index % ids.len()]);
    }
    u128::from_be_bytes(hash.0.finalize().into()) % MODULUS
}

/// Hashes text as it is written, so that it need not be put together first.
struct HashedText(Md5);

impl Write for HashedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}
