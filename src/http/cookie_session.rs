//! Sessions of browsers: a signed cookie that names the API key which its owner signed in with, and never holds it.
//!
//! Nothing is kept of a session until it is ended: whoever has the secret knows a cookie again, after a restart and on every
//! node that shares it. Whoever signs out ends the session on the node that was asked, for good; see [`ended_sessions`]
//! for the others. A key that was revoked or has expired opens nothing any more, in a session as anywhere. Requests that change
//! something need the session's CSRF token in [`CSRF_TOKEN`] as well, which no other site can know.
//!
//! [`ended_sessions`]: super::ended_sessions

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use offshoot_aggregates::ids::ApiKeyId;
use rand::RngExt as _;
use sha2::Sha256;

use super::ended_sessions::EndedSessions;
use crate::limits::CONSOLE_SESSION_LIFE;
use crate::secrets::{KeyDigest, digest_from_hex, hex_digits};

/// The header that a session's requests need to change something.
pub const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

const COOKIE: &str = "offshoot_session";

/// Says where a browser got the idea of a request from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a signature is for: one for anything else is none for this.
const SESSION: &[u8] = b"offshoot: a session of the console";
const CSRF: &[u8] = b"offshoot: a CSRF token of a session of the console";

/// Where the secret is kept if none is configured.
const SECRET_FILE: &str = "session-secret";

/// Signs sessions, and knows them again.
pub struct CookieSessions {
    key: Hmac<Sha256>,
    ended: EndedSessions,
}

/// A session that was signed here, has not expired and was not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieSession {
    /// The API key that its owner signed in with.
    pub key: ApiKeyId,
    /// What tells it apart from all others.
    pub id: u64,
    /// From when on it is none any more.
    pub expires_at: Timestamp,
    /// What the session's requests have to send to change something.
    pub csrf_token: String,
}

impl CookieSessions {
    /// Signs with a secret that several nodes may share, or else with one that the data directory keeps; it is made if there
    /// is none. The directory also remembers which sessions were ended.
    ///
    /// # Errors
    /// A file can neither be read nor made.
    pub fn open(data_dir: &Path, secret: Option<&[u8]>) -> std::io::Result<Self> {
        let ended = EndedSessions::open(data_dir)?;
        let secret = secret.map_or_else(|| secret_of(data_dir), |secret| Ok(secret.to_owned()))?;
        // A key of any length is one.
        let key = Hmac::new_from_slice(&secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Ok(Self { key, ended })
    }

    /// The cookie of a new session, valid for [`CONSOLE_SESSION_LIFE`]; only over TLS if the request came so.
    #[must_use]
    pub fn begin(&self, ApiKeyId(key): ApiKeyId, now: Timestamp, is_https: bool) -> String {
        let life = CONSOLE_SESSION_LIFE.as_secs();
        let expires_at = now.as_second().saturating_add_unsigned(life);
        let nonce: u64 = rand::rng().random();
        let claims = format!("{key}.{expires_at}.{nonce:016x}");
        let signature = hex_digits(&self.mac(SESSION, &claims).finalize().into_bytes());
        cookie(&format!("{claims}.{signature}"), life, is_https)
    }

    /// The session of a request.
    #[must_use]
    pub fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<CookieSession> {
        let (claims, signature) = session_cookie(headers)?.rsplit_once('.')?;
        // Compared in constant time.
        self.mac(SESSION, claims).verify_slice(&digest_from_hex(signature)?).ok()?;
        let mut parts = claims.split('.');
        let key = parts.next()?.parse().map(ApiKeyId).ok()?;
        let expires_at = Timestamp::from_second(parts.next()?.parse().ok()?).ok()?;
        let id = u64::from_str_radix(parts.next()?, 16).ok()?;
        let csrf_token = hex_digits(&self.mac(CSRF, claims).finalize().into_bytes());
        Some(CookieSession { key, id, expires_at, csrf_token }).filter(|session| self.is_valid(session, now))
    }

    /// Whether a session has neither expired nor been ended.
    #[must_use]
    pub fn is_valid(&self, session: &CookieSession, now: Timestamp) -> bool {
        now < session.expires_at && !self.ended.has(session.id, session.expires_at)
    }

    /// Ends a session before its time. Blocks until that is on disk.
    ///
    /// # Errors
    /// It could not be written; then the session is ended for as long as this process lives.
    pub fn end(&self, session: &CookieSession, now: Timestamp) -> std::io::Result<()> {
        self.ended.add(session.id, session.expires_at, now)
    }

    fn mac(&self, purpose: &[u8], claims: &str) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        mac.update(purpose);
        mac.update(claims.as_bytes());
        mac
    }
}

impl CookieSession {
    /// Whether a text is the session's CSRF token. Compared in constant time.
    #[must_use]
    pub fn has_csrf_token(&self, sent: &[u8]) -> bool {
        let expected = self.csrf_token.as_bytes();
        let difference = expected.iter().zip(sent).fold(0, |difference, (a, b)| difference | (a ^ b));
        expected.len() == sent.len() && difference == 0
    }

    /// Whether a request has the session's CSRF token in its header.
    #[must_use]
    pub fn has_csrf_header(&self, headers: &HeaderMap) -> bool {
        headers.get(CSRF_TOKEN).is_some_and(|sent| self.has_csrf_token(sent.as_bytes()))
    }
}

/// The secret that a data directory keeps.
fn secret_of(data_dir: &Path) -> std::io::Result<Vec<u8>> {
    let path = data_dir.join(SECRET_FILE);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let secret: [u8; 32] = rand::rng().random();
            file.write_all(hex_digits(&secret).as_bytes())?;
            file.sync_all()?;
            Ok(hex_digits(&secret).into_bytes())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut secret = Vec::new();
            File::open(&path)?.read_to_end(&mut secret)?;
            if secret.len() < 2 * KeyDigest::default().len() {
                // Made by a process that died before it wrote: nobody has a session yet.
                std::fs::remove_file(&path)?;
                return secret_of(data_dir);
            }
            Ok(secret)
        }
        Err(error) => Err(error),
    }
}

/// The cookie that ends a session.
#[must_use]
pub fn ended(is_https: bool) -> String {
    cookie("", 0, is_https)
}

fn cookie(value: &str, life: u64, is_https: bool) -> String {
    let mut cookie = format!("{COOKIE}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict");
    if is_https {
        // Writing to a text cannot fail.
        let _ = write!(cookie, "; Secure");
    }
    cookie
}

/// Whether a request has a cookie of a session, be it valid or not.
#[must_use]
pub fn has_cookie(headers: &HeaderMap) -> bool {
    session_cookie(headers).is_some()
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The value of the first cookie with this name.
#[must_use]
pub fn cookie_named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether nothing says that another site made the browser send a request.
#[must_use]
pub fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn later(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + i64::try_from(seconds).unwrap()).unwrap()
    }

    fn signed(secret: &[u8]) -> CookieSessions {
        CookieSessions::open(tempfile::tempdir().unwrap().path(), Some(secret)).unwrap()
    }

    fn sent(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(format!("a=b; {pair}")).unwrap())])
    }

    #[test]
    fn a_session_names_its_key_until_it_expires() {
        let sessions = signed(b"secret");
        let headers = sent(&sessions.begin(ApiKeyId(7), now(), false));
        let life = CONSOLE_SESSION_LIFE.as_secs();
        assert_eq!(sessions.find(&headers, later(life - 1)).unwrap().key, ApiKeyId(7));
        assert_eq!(sessions.find(&headers, later(life)), None);
    }

    #[test]
    fn a_cookie_that_was_changed_or_signed_elsewhere_is_no_session() {
        let sessions = signed(b"secret");
        let cookie = sessions.begin(ApiKeyId(7), now(), false);
        for wrong in [cookie.replace("=7.", "=8."), cookie.replace(';', "0;"), "offshoot_session=;".to_owned()] {
            assert_ne!(wrong, cookie);
            assert_eq!(sessions.find(&sent(&wrong), now()), None, "{wrong}");
        }
        assert_eq!(signed(b"another").find(&sent(&cookie), now()), None);
    }

    #[test]
    fn each_session_has_a_csrf_token_of_its_own() {
        let sessions = signed(b"secret");
        let find = || sessions.find(&sent(&sessions.begin(ApiKeyId(7), now(), false)), now()).unwrap();
        let (one, other) = (find(), find());
        assert!(one.has_csrf_token(one.csrf_token.as_bytes()));
        assert!(!one.has_csrf_token(other.csrf_token.as_bytes()));
        assert!(!one.has_csrf_token(b"") && !one.has_csrf_token(&one.csrf_token.as_bytes()[1..]));
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_the_cookie_and_behind_tls_nobody_else() {
        let sessions = signed(b"secret");
        let plain = sessions.begin(ApiKeyId(7), now(), false);
        assert!(plain.contains("; HttpOnly; SameSite=Strict") && !plain.contains("Secure"), "{plain}");
        assert!(sessions.begin(ApiKeyId(7), now(), true).ends_with("; Secure"));
    }

    #[test]
    fn the_secret_of_a_directory_outlives_the_process_and_is_nobody_elses_business() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let cookie = CookieSessions::open(directory.path(), None).unwrap().begin(ApiKeyId(7), now(), false);
        let again = CookieSessions::open(directory.path(), None).unwrap();
        assert!(again.find(&sent(&cookie), now()).is_some());
        let file = directory.path().join(SECRET_FILE);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // As a process leaves it that dies in between.
        std::fs::write(&file, "").unwrap();
        assert!(CookieSessions::open(directory.path(), None).unwrap().find(&sent(&cookie), now()).is_none());
    }
}
