//! What every request brings along besides its body: who is to blame (ids and addresses), and what it is conditional on.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, OriginalUri, Request};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, Method, Uri, header};
use offshoot_aggregates::{Actor, Metadata, Position, Version};
use uuid::Uuid;

use super::idempotency;
use super::problem::Problem;
use crate::limits::{IDEMPOTENCY_KEY_CHARACTERS_MAX, REQUEST_ID_CHARACTERS_MAX};

/// The id of a request, as it came or as it was given here; on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes a command that is sent twice be done once.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Asks that a read shows at least what was in the log at a position.
pub const MIN_POSITION: HeaderName = HeaderName::from_static("offshoot-min-position");

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What a request brings along besides its body. Handlers take it as an argument.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Its id.
    pub request_id: String,
    /// Shared by everything that follows from it; the request's id where that is a UUID.
    pub correlation_id: Uuid,
    /// Where it came from.
    pub remote_address: Option<IpAddr>,
    /// Its method.
    pub method: Method,
    /// Its path and query as they came.
    pub uri: Uri,
    /// What absolute URLs in the answer begin with: scheme and host, without a slash at the end.
    pub base_url: String,
    /// `Idempotency-Key`, on methods that change something.
    pub idempotency_key: Option<String>,
    /// `If-Match`.
    pub if_match: Option<IfMatch>,
    /// `Offshoot-Min-Position`.
    pub min_position: Option<Position>,
}

impl RequestContext {
    /// Whether whoever asked did so over TLS, be it as a proxy says that ended it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https:")
    }

    /// Reads a request's head.
    ///
    /// # Errors
    /// 400: one of the headers is not what it should be.
    pub fn read(request_id: String, request: &Request) -> Result<Self, Problem> {
        let (headers, method) = (request.headers(), request.method().clone());
        // What is nested sees only the rest of the path; the original is kept beside it.
        let original = request.extensions().get::<OriginalUri>();
        let uri = original.map_or_else(|| request.uri().clone(), |OriginalUri(uri)| uri.clone());
        let is_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&method);
        Ok(Self {
            correlation_id: Uuid::try_parse(&request_id).unwrap_or_else(|_| Uuid::now_v7()),
            request_id,
            remote_address: remote_address(request.extensions()),
            base_url: base_url(headers, &uri),
            idempotency_key: if is_read { None } else { idempotency_key(headers)? },
            if_match: if_match(headers)?,
            min_position: min_position(headers)?,
            method,
            uri,
        })
    }

    /// The id of the command that the request asks for: the same one whenever the actor repeats the request with the same
    /// `Idempotency-Key`, a new one otherwise.
    #[must_use]
    pub fn command_id(&self, actor: &Actor) -> Uuid {
        self.idempotency_key
            .as_deref()
            .map_or_else(Uuid::now_v7, |key| idempotency::command_id(&actor.id, &self.method, self.uri.path(), key))
    }

    /// What stands beside the events of a command that the request asks for.
    #[must_use]
    pub fn metadata(&self, actor: &Actor, command_id: Uuid) -> Metadata {
        Metadata {
            actor: actor.clone(),
            command_id,
            correlation_id: self.correlation_id,
            causation_id: None,
            request_id: Some(self.request_id.clone()),
            remote_address: self.remote_address.map(|address| address.to_string()),
            clone_mode_reason: None,
        }
    }

    /// Checks `If-Match` against the version that an environment is at.
    ///
    /// # Errors
    /// 412, naming the version.
    pub fn check_version(&self, actual: Version) -> Result<(), Problem> {
        match &self.if_match {
            Some(IfMatch::Versions(versions)) if !versions.contains(&actual) => {
                Err(Problem::VersionMismatch { actual })
            }
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal("the request has no context"))
    }
}

/// What a request's `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: that the thing exists.
    Any,
    /// One of these versions. Entity tags that are none of ours match nothing, so there may be none at all.
    Versions(Vec<Version>),
}

fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Problem> {
    let mut versions = Vec::new();
    let mut is_there = false;
    for value in headers.get_all(header::IF_MATCH) {
        is_there = true;
        let text = value.to_str().map_err(|_| Problem::bad_request("If-Match is not a list of entity tags."))?;
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Some(IfMatch::Any));
            }
            // Weak tags never match: what is to be changed must be the very same.
            let version = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            versions.extend(version.and_then(|digits| digits.parse().ok()).map(Version));
        }
    }
    Ok(is_there.then_some(IfMatch::Versions(versions)))
}

/// The id that came with a request if it is harmless in logs and headers, or a new one.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> String {
    let is_sane = |id: &&str| {
        (1..=REQUEST_ID_CHARACTERS_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    let sent = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(is_sane);
    sent.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_valid = (1..=IDEMPOTENCY_KEY_CHARACTERS_MAX).contains(&key.len())
        && key.as_bytes().iter().all(u8::is_ascii_graphic)
        && keys.next().is_none();
    let key = key.to_str().ok().filter(|_| is_valid).map(str::to_owned);
    let detail = || {
        format!("Idempotency-Key is not one text of 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} visible ASCII characters.")
    };
    key.map(Some).ok_or_else(|| Problem::bad_request(detail()))
}

fn min_position(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get(MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|digits| digits.parse().ok()).map(Position);
    position.map(Some).ok_or_else(|| Problem::bad_request("Offshoot-Min-Position is not a log position."))
}

fn remote_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// What absolute URLs in an answer begin with: scheme and host, without a slash at the end.
pub(super) fn base_url(headers: &HeaderMap, uri: &Uri) -> String {
    let sent = headers.get(header::HOST).and_then(|value| Authority::try_from(value.as_bytes()).ok());
    let host = uri.authority().cloned().or(sent).unwrap_or(Authority::from_static("localhost"));
    // A proxy that ends TLS says so; who lies about it only gets wrong links.
    let is_https = headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
    format!("{}://{host}", if is_https { "https" } else { "http" })
}
