//! Requests that want an answer only if it is not the one they have.

use std::time::SystemTime;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::lean::add_rendered;

/// What answers with an entity tag say: whoever keeps them asks each time whether they are still right.
const REVALIDATE: HeaderValue = HeaderValue::from_static("max-age=0, no-cache, must-revalidate, private");

/// Whether `If-None-Match` names this entity tag.
#[must_use]
pub fn has_etag(headers: &HeaderMap, etag: &[u8]) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let tags = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        // The comparison is the weak one, which does not care whether a tag is.
        tags.map(|tag| tag.strip_prefix(b"W/").unwrap_or(tag)).any(|tag| tag == b"*" || tag == etag)
    })
}

/// Whether `If-Modified-Since` names a time at or after this one, in whole seconds. It does not count beside `If-None-Match`.
#[must_use]
pub fn has_version_of(headers: &HeaderMap, updated_at: Timestamp) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
    let since = since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.is_some_and(|since| i64::try_from(since.as_secs()).is_ok_and(|since| since >= updated_at.as_second()))
}

/// What `Last-Modified` says at `now` of something that changed at `updated_at`. Its second must be over: a further change
/// in it could not be told from the first. Until then it says the second before, which no answer is still right after.
#[must_use]
pub fn last_modified(updated_at: Timestamp, now: Timestamp) -> Timestamp {
    if updated_at.as_second() < now.as_second() {
        return updated_at;
    }
    updated_at.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(updated_at)
}

/// 304: whoever asks has it.
#[must_use]
pub fn not_modified(etag: &Bytes) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    tag(response.headers_mut(), etag);
    response
}

/// Adds the entity tag, and what it means to caches.
pub fn tag(headers: &mut HeaderMap, etag: &Bytes) {
    add_rendered(headers, header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list_strong_or_weak() {
        let has = |value: &str| has_etag(&asked("if-none-match", value), b"\"7\"");
        assert!(has("\"7\"") && has("W/\"7\"") && has("\"1\", \"7\"") && has("*"));
        assert!(!has("\"77\"") && !has("7") && !has(""));
        assert!(!has_etag(&HeaderMap::new(), b"\"7\""));
    }

    #[test]
    fn a_second_counts_as_the_time_of_a_version_only_once_it_is_over() {
        let at = |micros| Timestamp::from_microsecond(micros).unwrap();
        let updated_at = at(5_300_000);
        let told = |now| asked("if-modified-since", &httpdate::fmt_http_date(last_modified(updated_at, now).into()));
        // Read in the same second, in which a further change follows.
        assert!(!has_version_of(&told(at(5_400_000)), at(5_900_000)));
        // Read later: nothing can follow in that second.
        assert!(has_version_of(&told(at(6_000_000)), updated_at));
        assert!(!has_version_of(&told(at(6_000_000)), at(6_000_001)));
        assert!(!has_version_of(&asked("if-modified-since", "yesterday"), updated_at));
    }
}
