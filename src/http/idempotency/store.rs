//! The SQLite file with the answers that were given to requests with an `Idempotency-Key`.
//!
//! It is no truth: if it is lost, the log still recognises a repeated command by its id, only the first answer's exact
//! bytes are gone. So it needs no wait for the disk.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::limits::{STORED_ANSWER_LIFE, STORED_ANSWERS_BYTES_MAX, STORED_ANSWERS_MAX};

/// Which request an answer belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    /// Who sent it.
    pub actor: String,
    /// Its method and path.
    pub operation: String,
    /// Its `Idempotency-Key`.
    pub key: String,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Of the request; see [`fingerprint`](super::fingerprint).
    pub fingerprint: [u8; 32],
    /// The status.
    pub status: u16,
    /// The headers that are given again.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was given.
    pub stored_at: Timestamp,
}

impl StoredAnswer {
    /// Whether it is too old to be given again.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.stored_at < oldest_valid(now)
    }
}

fn oldest_valid(now: Timestamp) -> Timestamp {
    now.saturating_sub(STORED_ANSWER_LIFE).unwrap_or(Timestamp::MIN)
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS answers (
        id INTEGER PRIMARY KEY,
        actor TEXT NOT NULL,
        operation TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        status INTEGER NOT NULL,
        headers TEXT NOT NULL,
        body BLOB NOT NULL,
        stored_at INTEGER NOT NULL,
        UNIQUE (actor, operation, key)
    ) STRICT;";

/// How many answers that are too old a new one throws out: more than one, so that they become fewer, and few enough that
/// nobody waits for it.
const EXPIRED_AT_ONCE_MAX: usize = 16;

/// The answers on disk. Calls block.
#[derive(Debug)]
pub struct AnswerStore {
    file: Mutex<File>,
    answers_max: u64,
    bytes_max: u64,
}

#[derive(Debug)]
struct File {
    connection: Connection,
    answers: u64,
    bytes: u64,
}

impl AnswerStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::open_bounded(path, STORED_ANSWERS_MAX, STORED_ANSWERS_BYTES_MAX)
    }

    fn open_bounded(path: &Path, answers_max: u64, bytes_max: u64) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        let (answers, bytes) =
            connection.query_row("SELECT count(*), coalesce(sum(length(body)), 0) FROM answers", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(Self { file: Mutex::new(File { connection, answers, bytes }), answers_max, bytes_max })
    }

    /// The answer that was given to a request, unless it is too old.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn find(&self, key: &AnswerKey, now: Timestamp) -> rusqlite::Result<Option<StoredAnswer>> {
        let file = self.file();
        let mut statement = file.connection.prepare_cached(
            "SELECT fingerprint, status, headers, body, stored_at FROM answers
             WHERE actor = ?1 AND operation = ?2 AND key = ?3",
        )?;
        let found = statement.query_row((&key.actor, &key.operation, &key.key), read).optional()?;
        Ok(found.filter(|answer| !answer.is_expired(now)))
    }

    /// Keeps an answer, in the place of an older one to the same request. The oldest of all make room.
    ///
    /// # Errors
    /// The file cannot be written; then everything is as before.
    pub fn insert(&self, key: &AnswerKey, answer: &StoredAnswer) -> rusqlite::Result<()> {
        let mut file = self.file();
        let (mut answers, mut bytes) = (file.answers, file.bytes);
        let tx = file.connection.transaction()?;
        let replaced: Option<u64> = tx
            .prepare_cached(
                "DELETE FROM answers WHERE actor = ?1 AND operation = ?2 AND key = ?3 RETURNING length(body)",
            )?
            .query_row((&key.actor, &key.operation, &key.key), |row| row.get(0))
            .optional()?;
        if let Some(size) = replaced {
            (answers, bytes) = (answers - 1, bytes - size);
        }
        let headers = serde_json::to_string(&answer.headers)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        tx.prepare_cached(
            "INSERT INTO answers (actor, operation, key, fingerprint, status, headers, body, stored_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            &key.actor,
            &key.operation,
            &key.key,
            answer.fingerprint,
            answer.status,
            headers,
            &answer.body,
            answer.stored_at.as_microsecond(),
        ))?;
        (answers, bytes) = (answers + 1, bytes + answer.body.len() as u64);
        let oldest_valid = oldest_valid(answer.stored_at).as_microsecond();
        let mut expired = 0;
        while answers > 1 {
            let is_full = answers > self.answers_max || bytes > self.bytes_max;
            if !is_full && expired == EXPIRED_AT_ONCE_MAX {
                break;
            }
            let Some(size) = drop_oldest(&tx, if is_full { i64::MAX } else { oldest_valid })? else { break };
            expired += 1;
            (answers, bytes) = (answers - 1, bytes - size);
        }
        tx.commit()?;
        (file.answers, file.bytes) = (answers, bytes);
        Ok(())
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Throws out the oldest answer if it was stored before the time; its size.
fn drop_oldest(connection: &Connection, before: i64) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached(
            "DELETE FROM answers WHERE id = (SELECT min(id) FROM answers) AND stored_at < ?1 RETURNING length(body)",
        )?
        .query_row([before], |row| row.get(0))
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredAnswer> {
    let headers: String = row.get(2)?;
    let stored_at: i64 = row.get(4)?;
    Ok(StoredAnswer {
        fingerprint: row.get(0)?,
        status: row.get(1)?,
        headers: serde_json::from_str(&headers).unwrap_or_default(),
        body: row.get(3)?,
        stored_at: Timestamp::from_microsecond(stored_at).unwrap_or(Timestamp::MIN),
    })
}

#[cfg(test)]
mod tests {
    use super::{AnswerKey, AnswerStore, STORED_ANSWER_LIFE, StoredAnswer, Timestamp};

    fn key(key: &str) -> AnswerKey {
        AnswerKey { actor: "someone".into(), operation: "POST /x/".into(), key: key.into() }
    }

    fn answer(body: &str, second: i64) -> StoredAnswer {
        let stored_at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        let headers = vec![("etag".to_owned(), "\"3\"".to_owned())];
        StoredAnswer { fingerprint: [7; 32], status: 201, headers, body: body.into(), stored_at }
    }

    fn size(store: &AnswerStore) -> (u64, u64) {
        let file = store.file();
        (file.answers, file.bytes)
    }

    #[test]
    fn an_answer_is_found_again_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answers.sqlite");
        let first = answer("first", 0);
        AnswerStore::open(&path).unwrap().insert(&key("a"), &first).unwrap();
        let store = AnswerStore::open(&path).unwrap();
        assert_eq!(store.find(&key("a"), first.stored_at).unwrap(), Some(first.clone()));
        assert_eq!(store.find(&key("b"), first.stored_at).unwrap(), None);
        let of_another = AnswerKey { actor: "another".into(), ..key("a") };
        assert_eq!(store.find(&of_another, first.stored_at).unwrap(), None);
    }

    #[test]
    fn an_answer_expires_and_its_place_can_be_taken() {
        let directory = tempfile::tempdir().unwrap();
        let store = AnswerStore::open(&directory.path().join("answers.sqlite")).unwrap();
        let life = i64::try_from(STORED_ANSWER_LIFE.as_secs()).unwrap();
        store.insert(&key("a"), &answer("first", 0)).unwrap();
        store.insert(&key("b"), &answer("other", 0)).unwrap();
        assert!(store.find(&key("a"), answer("", life).stored_at).unwrap().is_some());
        assert!(store.find(&key("a"), answer("", life + 1).stored_at).unwrap().is_none());
        store.insert(&key("a"), &answer("second", life + 1)).unwrap();
        assert_eq!(store.find(&key("a"), answer("", life + 1).stored_at).unwrap().unwrap().body, b"second");
        assert_eq!(size(&store), (1, 6));
    }

    #[test]
    fn the_oldest_answers_make_room() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answers.sqlite");
        let store = AnswerStore::open_bounded(&path, 3, 10).unwrap();
        for (second, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            store.insert(&key(name), &answer("xx", second as i64)).unwrap();
        }
        let found = |store: &AnswerStore, name| store.find(&key(name), answer("", 9).stored_at).unwrap().is_some();
        assert_eq!(["a", "b", "c", "d"].map(|name| found(&store, name)), [false, true, true, true]);
        store.insert(&key("e"), &answer("123456789", 5)).unwrap();
        assert_eq!(["b", "c", "d", "e"].map(|name| found(&store, name)), [false, false, false, true]);
        drop(store);
        let store = AnswerStore::open_bounded(&path, 3, 10).unwrap();
        assert_eq!(size(&store), (1, 9));
    }
}
