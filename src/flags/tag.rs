//! Which state of an environment an answer shows: its entity tag and its time, as headers and events carry them.

use axum::body::Bytes;
use jiff::Timestamp;
use offshoot_aggregates::Position;

/// Which state of an environment an answer shows. Whoever has the answer with this tag need not be sent it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// The position of the last event that could change an answer.
    pub position: Position,
    /// When that event was recorded. Never goes back.
    pub updated_at: Timestamp,
}

impl Tag {
    /// The time in seconds since 1970, with microseconds: `1795324898.142898`.
    #[must_use]
    pub fn seconds(&self) -> String {
        let micros = self.updated_at.as_microsecond();
        format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
    }

    /// The later of both.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self { position: self.position.max(other.position), updated_at: self.updated_at.max(other.updated_at) }
    }
}

/// A tag as headers carry it, rendered once.
#[derive(Clone, Debug)]
pub struct TagHeaders {
    /// The entity tag of answers to clients with a client key.
    pub client_etag: Bytes,
    /// The entity tag of answers to clients with a server key, who are shown more.
    pub server_etag: Bytes,
    /// [`Tag::seconds`].
    pub seconds: Bytes,
    /// The time as `Last-Modified` has it.
    pub last_modified: Bytes,
}

impl From<Tag> for TagHeaders {
    fn from(tag: Tag) -> Self {
        Self {
            client_etag: format!("\"{}\"", tag.position).into(),
            server_etag: format!("\"{}-server\"", tag.position).into(),
            seconds: tag.seconds().into(),
            last_modified: http_date(tag.updated_at).into(),
        }
    }
}

/// A time as HTTP has it: `Sun, 22 Nov 2026 05:21:38 GMT`.
#[must_use]
pub fn http_date(time: Timestamp) -> String {
    httpdate::fmt_http_date(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_written_as_flagsmith_writes_its_times() {
        let updated_at = Timestamp::from_microsecond(1_795_324_898_142_898).unwrap();
        let tag = Tag { position: Position(42), updated_at };
        let headers = TagHeaders::from(tag);
        assert_eq!(headers.seconds, "1795324898.142898");
        assert_eq!(headers.last_modified, "Sun, 22 Nov 2026 05:21:38 GMT");
        assert_eq!(headers.client_etag, "\"42\"");
        assert_ne!(headers.client_etag, headers.server_etag);
    }
}
