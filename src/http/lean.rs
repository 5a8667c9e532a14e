//! The short way to flags: what surrounds a request for them. Nothing on it asks a database, writes a log line for an
//! answer that was granted, or looks up a metric.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::{Counter, Histogram};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::envelope::FLAGSMITH_VERSION;
use super::ofrep::StreamTokens;
use super::problem::{Inside, Problem, internal_error_body};
use super::request_context::{REQUEST_ID, request_id};
use super::router::discard;
use crate::flags::Flags;
use crate::limits::{BODY_BYTES_MAX, FLAG_STREAMS_MAX};

/// What the handlers of requests for flags work with.
pub struct Lean {
    /// What is served.
    pub flags: Arc<Flags>,
    /// Signs the tokens in the URLs of streams.
    pub tokens: StreamTokens,
    /// Ends open streams when the server stops.
    pub shutdown: CancellationToken,
    /// One for each stream of changes.
    pub streams: Arc<Semaphore>,
    endpoints: Vec<Metrics>,
}

/// The kinds of requests, as metrics name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/api/v1/flags/`
    Flags,
    /// `/api/v1/identities/`
    Identities,
    /// `/api/v1/traits/` and `/api/v1/traits/bulk/`
    Traits,
    /// `/api/v1/environment-document/`
    Document,
    /// `/api/v1/analytics/flags/` and `/api/v2/analytics/flags/`
    Analytics,
    /// `/ofrep/v1/evaluate/flags/{key}`
    Evaluation,
    /// `/ofrep/v1/evaluate/flags`
    Evaluations,
    /// Streams of changes.
    Stream,
}

const ENDPOINTS: [(Endpoint, &str); 8] = [
    (Endpoint::Flags, "flags"),
    (Endpoint::Identities, "identities"),
    (Endpoint::Traits, "traits"),
    (Endpoint::Document, "environment_document"),
    (Endpoint::Analytics, "analytics"),
    (Endpoint::Evaluation, "ofrep_flag"),
    (Endpoint::Evaluations, "ofrep_flags"),
    (Endpoint::Stream, "stream"),
];

/// The statuses that have a counter of their own, and the name that all others share.
const STATUSES: [&str; 12] = ["200", "204", "304", "400", "401", "403", "404", "413", "415", "500", "503", "other"];

/// The metrics of an endpoint, looked up once.
struct Metrics {
    seconds: Histogram,
    answers: [Counter; STATUSES.len()],
}

impl Metrics {
    fn register(endpoint: &'static str) -> Self {
        let answers = STATUSES.map(
            |status| metrics::counter!("offshoot_flag_requests_total", "endpoint" => endpoint, "status" => status),
        );
        Self { seconds: metrics::histogram!("offshoot_flag_request_seconds", "endpoint" => endpoint), answers }
    }

    fn record(&self, status: StatusCode, started: Instant) {
        let known = STATUSES.iter().position(|known| *known == status.as_str()).unwrap_or(STATUSES.len() - 1);
        self.answers[known].increment(1);
        self.seconds.record(started.elapsed());
    }
}

impl Lean {
    /// The way to these flags. Metrics are recorded by whatever recorder the process has by now.
    #[must_use]
    pub fn new(flags: Arc<Flags>, tokens: StreamTokens, shutdown: CancellationToken) -> Arc<Self> {
        let endpoints = ENDPOINTS.iter().map(|(_, name)| Metrics::register(name)).collect();
        Arc::new(Self { flags, tokens, shutdown, streams: Arc::new(Semaphore::new(FLAG_STREAMS_MAX)), endpoints })
    }

    /// Answers a request: what `handle` makes of its head and its body, with the headers that every such answer has.
    pub async fn answer<H, A>(&self, endpoint: Endpoint, request: Request, handle: H) -> Response
    where
        H: FnOnce(Asked, Unread) -> A,
        A: Future<Output = Response>,
    {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let sent_id = head.headers.get(REQUEST_ID).cloned();
        let response = handle(Asked(head), Unread(body)).await;
        let mut response = if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            response
        } else {
            tell_of(endpoint, sent_id, response)
        };
        if let Some(metrics) = self.endpoints.get(endpoint as usize) {
            metrics.record(response.status(), started);
        }
        add_headers(response.headers_mut());
        response
    }
}

/// The head of a request.
pub struct Asked(pub Parts);

/// The body of a request, not read yet.
pub struct Unread(Body);

impl Asked {
    /// A header as text; `None` if it is missing or no text.
    #[must_use]
    pub fn header(&self, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
        self.0.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's value of a name; the last one if there are several.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let parameters = form_urlencoded::parse(self.0.uri.query()?.as_bytes());
        parameters.filter(|(known, _)| known == name).last().map(|(_, value)| value.into_owned())
    }
}

impl Unread {
    /// Reads the body.
    ///
    /// # Errors
    /// 413 if it is too big, 400 if it does not come.
    pub async fn read(self) -> Result<Bytes, Problem> {
        let told = usize::try_from(self.0.size_hint().lower()).unwrap_or(usize::MAX);
        if told > BODY_BYTES_MAX {
            discard(self.0.into_data_stream()).await;
            return Err(Problem::BodyTooLarge { max: BODY_BYTES_MAX });
        }
        axum::body::to_bytes(self.0, BODY_BYTES_MAX).await.map_err(|error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            if cause.to_string().contains("length limit") {
                return Problem::BodyTooLarge { max: BODY_BYTES_MAX };
            }
            Problem::bad_request("The request's body could not be read.")
        })
    }
}

/// Gives the answer to a request that was not granted its id, and writes to the log what the outside is not told.
fn tell_of(endpoint: Endpoint, sent_id: Option<HeaderValue>, response: Response) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(sent_id) = sent_id {
        headers.insert(REQUEST_ID, sent_id);
    }
    let request_id = request_id(&headers);
    let span = tracing::info_span!("flag_request", ?endpoint, request_id);
    let mut response = span.in_scope(|| tell_inside(endpoint, response, &request_id));
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}

/// Writes to the log, once, why an answer is none; a fault is told outside by its request's id. OFREP has a form of its own
/// for that, which is in the answer already.
fn tell_inside(endpoint: Endpoint, mut response: Response, request_id: &str) -> Response {
    let Some(Inside(inside)) = response.extensions_mut().remove::<Inside>() else { return response };
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(status = response.status().as_u16(), "{inside}");
        return response;
    }
    tracing::error!("{inside}");
    if matches!(endpoint, Endpoint::Evaluation | Endpoint::Evaluations) {
        return response;
    }
    let mut told = internal_error_body(request_id);
    *told.status_mut() = response.status();
    told
}

/// What answers without an entity tag say: nobody keeps them.
const NO_STORE: HeaderValue = HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");

const ANYONE: HeaderValue = HeaderValue::from_static("*");

/// Which headers a web page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag,last-modified,retry-after,x-flagsmith-document-updated-at,x-request-id,flagsmith-version",
);

const VARY: HeaderValue = HeaderValue::from_static("X-Environment-Key, Authorization, X-API-Key, Origin");

fn add_headers(headers: &mut HeaderMap) {
    let (name, version) = FLAGSMITH_VERSION;
    headers.insert(name, version);
    headers.insert(header::VARY, VARY);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
}

/// The answer to a browser that asks whether a page may ask: any page may.
pub async fn preflight(request: Request) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let asked_for = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, OPTIONS"));
    if let Some(asked_for) = asked_for {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked_for);
    }
    // A day: nothing about it changes.
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    add_headers(headers);
    response
}

/// The answer to a method that the path does not know.
pub async fn wrong_method(method: Method) -> Response {
    let mut response = Problem::MethodNotAllowed(method).into_response();
    add_headers(response.headers_mut());
    response
}

/// An answer with a JSON body that is there already.
#[must_use]
pub fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Adds a header whose value was rendered before; one that is no header's is left out.
pub fn add_rendered(headers: &mut HeaderMap, name: HeaderName, value: &Bytes) {
    if let Ok(value) = HeaderValue::from_maybe_shared(value.clone()) {
        headers.insert(name, value);
    }
}
