//! `Idempotency-Key`: a request that is repeated gets the first answer again, and changes nothing.
//!
//! Two things make that true. Here the first answer is kept, byte for byte. And the id of the command is derived from the
//! key, so that the log recognises the command even when its answer was never stored.

mod locks;
mod store;

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response as HttpResponse, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::Actor;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use self::locks::KeyedLocks;
use self::store::{AnswerKey, AnswerStore, StoredAnswer};
use super::answer::{OFFSHOOT_POSITION, Sensitive};
use super::body::read_bytes;
use super::problem::Problem;
use super::request_context::RequestContext;
use crate::clock;
use crate::limits::{SENSITIVE_ANSWERS_MAX, STORED_ANSWER_BYTES_MAX};

/// Says that an answer was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The headers of an answer that are given again; the rest is the same on every answer or belongs to the request.
const REPLAYED_HEADERS: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, OFFSHOOT_POSITION];

/// Of the ids of commands with a key; never changed, or the log would not know commands that it has.
const COMMAND_NAMESPACE: Uuid = Uuid::from_u128(0x9d0c_5e0b_7c2f_4b36_a1d5_3f64_e8a0_27b9);

/// The id of the command that an actor's request with an `Idempotency-Key` asks for: the same for the same four, for ever.
#[must_use]
pub fn command_id(actor_id: &str, method: &Method, path: &str, key: &str) -> Uuid {
    // None of them can hold a NUL, so no two quadruples make the same text.
    let name = format!("{actor_id}\0{method}\0{path}\0{key}");
    Uuid::new_v5(&COMMAND_NAMESPACE, name.as_bytes())
}

/// What tells one request with a key from another: its query and its body.
#[must_use]
pub fn fingerprint(query: Option<&str>, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let query = query.unwrap_or_default();
    hash.update((query.len() as u64).to_be_bytes());
    hash.update(query);
    hash.update(body);
    hash.finalize().into()
}

/// The answers that were given to requests with an `Idempotency-Key`.
#[derive(Debug)]
pub struct StoredAnswers {
    on_disk: Arc<AnswerStore>,
    /// Those that hold a secret.
    in_memory: Cache<AnswerKey, Arc<StoredAnswer>>,
    in_progress: Arc<KeyedLocks<AnswerKey>>,
}

impl StoredAnswers {
    /// Opens the file with the answers, or makes it. One process at a time may have it open.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(path: &Path) -> rusqlite::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            on_disk: Arc::new(AnswerStore::open(path)?),
            in_memory: Cache::new(SENSITIVE_ANSWERS_MAX),
            in_progress: Arc::default(),
        }))
    }

    async fn find(&self, key: &AnswerKey) -> Result<Option<Arc<StoredAnswer>>, Problem> {
        let now = clock::now();
        if let Some(answer) = self.in_memory.get(key).filter(|answer| !answer.is_expired(now)) {
            return Ok(Some(answer));
        }
        let (store, key) = (Arc::clone(&self.on_disk), key.clone());
        let found = spawn_blocking(move || store.find(&key, now)).await.map_err(Problem::internal)?;
        // Not knowing whether the command was done, the only safe answer is none.
        found.map(|found| found.map(Arc::new)).map_err(|error| {
            Problem::unavailable("Stored answers cannot be read.", format!("answers.sqlite cannot be read: {error}"))
        })
    }

    /// Keeps an answer if it is one to keep, and hands it on.
    async fn keep(&self, key: AnswerKey, fingerprint: [u8; 32], response: Response) -> Response {
        let size = response.body().size_hint().exact();
        let is_kept = !response.status().is_server_error()
            && size.is_some_and(|size| usize::try_from(size).is_ok_and(|size| size <= STORED_ANSWER_BYTES_MAX));
        if !is_kept {
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = match axum::body::to_bytes(body, STORED_ANSWER_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) => return Problem::internal(error).into_response(),
        };
        let replayed = |name: HeaderName| {
            let value = parts.headers.get(&name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        };
        let answer = StoredAnswer {
            fingerprint,
            status: parts.status.as_u16(),
            headers: REPLAYED_HEADERS.into_iter().filter_map(replayed).collect(),
            body: body.to_vec(),
            stored_at: clock::now(),
        };
        if parts.extensions.get::<Sensitive>().is_some() {
            self.in_memory.insert(key, Arc::new(answer));
        } else {
            self.write(key, answer).await;
        }
        Response::from_parts(parts, Body::from(body))
    }

    /// What was done is done: an answer that cannot be kept is given all the same.
    async fn write(&self, key: AnswerKey, answer: StoredAnswer) {
        let store = Arc::clone(&self.on_disk);
        match spawn_blocking(move || store.insert(&key, &answer)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("an answer cannot be stored: {error}"),
            Err(error) => tracing::warn!("an answer cannot be stored: {error}"),
        }
    }
}

/// The middleware around everything that changes something. It runs after authentication, which leaves an [`Actor`] in the
/// request's extensions; requests without one, or without a key, pass. And it runs inside
/// [`detached`](super::detached), so that an answer is stored also when nobody waits for it any more.
///
/// # Errors
/// 422 if the key was used with another request; 503 if the answers cannot be read; and what reading a body may bring.
pub async fn replay(
    State(answers): State<Arc<StoredAnswers>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some((key, query)) = answer_key(&request) else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let body = read_bytes(Request::from_parts(parts.clone(), body), &()).await?;
    let fingerprint = fingerprint(query.as_deref(), &body);
    let in_progress = answers.in_progress.lock(key.clone()).await;
    if let Some(first) = answers.find(&key).await? {
        return again(&first, &fingerprint);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let response = answers.keep(key, fingerprint, response).await;
    drop(in_progress);
    Ok(response)
}

fn answer_key(request: &Request) -> Option<(AnswerKey, Option<String>)> {
    let context = request.extensions().get::<RequestContext>()?;
    let actor = request.extensions().get::<Actor>()?;
    let key = AnswerKey {
        actor: actor.id.clone(),
        operation: format!("{} {}", context.method, context.uri.path()),
        key: context.idempotency_key.clone()?,
    };
    Some((key, context.uri.query().map(str::to_owned)))
}

fn again(first: &StoredAnswer, fingerprint: &[u8; 32]) -> Result<Response, Problem> {
    if first.fingerprint != *fingerprint {
        return Err(Problem::KeyReused);
    }
    let mut response = HttpResponse::builder().status(first.status);
    for (name, value) in &first.headers {
        response = response.header(name, value);
    }
    let response = response.header(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response.body(Body::from(first.body.clone())).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::{Method, command_id, fingerprint};

    #[test]
    fn the_id_of_a_command_never_changes_and_depends_on_all_four() {
        let id = command_id("actor", &Method::POST, "/api/v1/projects/", "key");
        assert_eq!(id.to_string(), "1043185e-b0da-50df-b1b6-c3b2c125c3cb");
        assert_ne!(id, command_id("actor2", &Method::POST, "/api/v1/projects/", "key"));
        assert_ne!(id, command_id("actor", &Method::PUT, "/api/v1/projects/", "key"));
        assert_ne!(id, command_id("actor", &Method::POST, "/api/v1/projects/1/", "key"));
        assert_ne!(id, command_id("actor", &Method::POST, "/api/v1/projects/", "key2"));
    }

    #[test]
    fn a_fingerprint_tells_the_query_from_the_body() {
        assert_ne!(fingerprint(Some("a"), b"b"), fingerprint(None, b"ab"));
        assert_eq!(fingerprint(None, b"ab"), fingerprint(Some(""), b"ab"));
    }
}
