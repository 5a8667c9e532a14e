//! Tokens in the addresses of streams: browsers cannot send headers with them, so the address itself says who may read.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rand::RngExt as _;
use sha2::Sha256;
use uuid::Uuid;

use crate::limits::STREAM_TOKEN_LIFE;
use crate::secrets::{digest_from_hex, hex_digits};

/// What a token is for: a signature for anything else is none for this.
const PURPOSE: &[u8] = b"offshoot: a stream of changes of an environment";

/// Signs tokens, and knows them again. A token says which environment may be followed, and until when.
pub struct StreamTokens {
    key: Hmac<Sha256>,
}

/// A token that has expired, or that was not signed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidToken;

impl StreamTokens {
    /// Signs with a secret that several nodes may share.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        // A key of any length is one.
        let key = Hmac::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self { key }
    }

    /// Signs with a secret of its own: after a restart, tokens from before are refused, and clients fetch new ones.
    #[must_use]
    pub fn random() -> Self {
        let secret: [u8; 32] = rand::rng().random();
        Self::new(&secret)
    }

    /// A token for an environment, valid from now on for [`STREAM_TOKEN_LIFE`] to twice as long. For some time it is the same
    /// for all who ask, so that an address changes seldom.
    #[must_use]
    pub fn issue(&self, environment: Uuid, now: Timestamp) -> String {
        let life = i64::try_from(STREAM_TOKEN_LIFE.as_secs()).unwrap_or(i64::MAX);
        let expires_at = (now.as_second().div_euclid(life) + 2).saturating_mul(life);
        let signature = self.signature(environment, expires_at).finalize().into_bytes();
        format!("{}.{expires_at}.{}", environment.simple(), hex_digits(&signature))
    }

    /// The environment that a token is for.
    ///
    /// # Errors
    /// It has expired, or was not signed here.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Uuid, InvalidToken> {
        let mut parts = token.splitn(3, '.');
        let mut part = || parts.next().ok_or(InvalidToken);
        let environment = Uuid::try_parse(part()?).map_err(|_| InvalidToken)?;
        let expires_at: i64 = part()?.parse().map_err(|_| InvalidToken)?;
        let signature = digest_from_hex(part()?).ok_or(InvalidToken)?;
        // Compared in constant time.
        self.signature(environment, expires_at).verify_slice(&signature).map_err(|_| InvalidToken)?;
        if now.as_second() < expires_at { Ok(environment) } else { Err(InvalidToken) }
    }

    fn signature(&self, environment: Uuid, expires_at: i64) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        mac.update(PURPOSE);
        mac.update(environment.as_bytes());
        mac.update(&expires_at.to_be_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: Uuid = Uuid::from_u128(7);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_opens_its_environment_until_it_expires() {
        let tokens = StreamTokens::new(b"secret");
        let life = i64::try_from(STREAM_TOKEN_LIFE.as_secs()).unwrap();
        let token = tokens.issue(ENVIRONMENT, at(life + 1));
        assert_eq!(token, tokens.issue(ENVIRONMENT, at(2 * life - 1)), "it is the same for some time");
        assert_eq!(tokens.verify(&token, at(2 * life)), Ok(ENVIRONMENT));
        assert_eq!(tokens.verify(&token, at(3 * life - 1)), Ok(ENVIRONMENT));
        assert_eq!(tokens.verify(&token, at(3 * life)), Err(InvalidToken));
    }

    #[test]
    fn a_token_that_was_changed_or_signed_elsewhere_opens_nothing() {
        let tokens = StreamTokens::new(b"secret");
        let now = at(1_800_000_000);
        let token = tokens.issue(ENVIRONMENT, now);
        let of_another = tokens.issue(Uuid::from_u128(8), now);
        let (_, rest) = token.split_once('.').unwrap();
        let (environment, _) = of_another.split_once('.').unwrap();
        for wrong in [format!("{environment}.{rest}"), format!("{token}0"), token[1..].to_owned(), String::new()] {
            assert_eq!(tokens.verify(&wrong, now), Err(InvalidToken), "{wrong}");
        }
        assert_eq!(StreamTokens::random().verify(&token, now), Err(InvalidToken));
    }
}
