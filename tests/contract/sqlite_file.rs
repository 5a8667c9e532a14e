//! What is particular to the log in a SQLite file: which files it takes, and how it shares commits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use offshoot::event_log::{Append, AppendError, OpenError, ReadError, SqliteEventLog};
use offshoot_aggregates::{Position, Version};
use rusqlite::Connection;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{SqliteStore, Store, append_of, new_stream};

fn refusal(path: &Path) -> OpenError {
    let Err(error) = SqliteEventLog::open(path) else { panic!("{} was opened", path.display()) };
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

#[test]
fn another_programs_file_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to have a header if it were one. ".repeat(20)).unwrap();
    let tables = directory.path().join("tables.db");
    Connection::open(&tables).unwrap().execute_batch("CREATE TABLE event (position INTEGER PRIMARY KEY)").unwrap();
    let marked = directory.path().join("marked.db");
    Connection::open(&marked).unwrap().execute_batch("PRAGMA application_id = 7; PRAGMA user_version = 1").unwrap();
    for path in [text, tables, marked] {
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn a_log_of_a_later_version_is_refused_and_left_as_it_is() {
    let store = SqliteStore::new();
    store.open().await.close().await;
    Connection::open(store.path()).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let before = std::fs::read(store.path()).unwrap();
    assert!(matches!(refusal(&store.path()), OpenError::Newer { found: 2, .. }));
    assert_eq!(std::fs::read(store.path()).unwrap(), before);
}

#[test]
fn a_path_that_cannot_be_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::NotAFile { .. }));
    assert!(matches!(refusal(&directory.path().join("none/log.db")), OpenError::NoDirectory { .. }));
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = refusal(&unwritable(directory.path()).join("log.db"));
    assert!(matches!(error, OpenError::ReadOnly { .. } | OpenError::Unavailable { .. }), "{error}");
}

/// A directory in which nobody can create a file: this one, or, for root, whom permissions do not stop, that of the kernel.
fn unwritable(directory: &Path) -> PathBuf {
    let mut permissions = std::fs::metadata(directory).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(directory, permissions).unwrap();
    let is_root = std::fs::write(directory.join("probe"), "").is_ok();
    if is_root { PathBuf::from("/proc") } else { directory.to_owned() }
}

#[tokio::test]
async fn an_empty_file_becomes_a_log() {
    let store = SqliteStore::new();
    std::fs::write(store.path(), "").unwrap();
    store.open().await.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
}

#[tokio::test]
async fn a_damaged_event_is_named_after_the_good_ones_before_it() {
    let store = SqliteStore::new();
    let log = store.open().await;
    log.append(append_of(&new_stream(), 0, &["a", "b", "c", "d"])).await.unwrap();
    Connection::open(store.path()).unwrap().execute("UPDATE event SET stream = 'x' WHERE position = 3", []).unwrap();
    let page = log.read_all(Position::START, 10).await.unwrap();
    assert!(page.iter().map(|event| event.position.0).eq([1, 2]));
    let error = log.read_all(Position(2), 10).await.unwrap_err();
    assert!(matches!(error, ReadError::Damaged { position: Position(3), .. }), "{error}");
    assert_eq!(log.read_all(Position(3), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_take_the_log_with_it() {
    let store = SqliteStore::new();
    let log = store.open().await;
    log.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
    log.close().await;
    let a_day_ahead = "UPDATE event SET recorded_at = recorded_at + 24 * 3600 * 1000000";
    Connection::open(store.path()).unwrap().execute(a_day_ahead, []).unwrap();
    let log = store.open().await;
    log.append(append_of(&new_stream(), 0, &["b"])).await.unwrap();
    let all = log.read_all(Position::START, 10).await.unwrap();
    assert_eq!(all[0].recorded_at, all[1].recorded_at);
    assert_eq!(log.position_at(all[0].recorded_at).await.unwrap(), Position(2));
}

#[tokio::test]
async fn holes_between_positions_mislead_nobody() {
    let store = SqliteStore::new();
    let stream = new_stream();
    for (version, hole) in [7, 1, 300, 2].into_iter().enumerate() {
        let log = store.open().await;
        log.append(append_of(&stream, version as u64, &["a"])).await.unwrap();
        log.close().await;
        let skip = "UPDATE sqlite_sequence SET seq = seq + ?1";
        Connection::open(store.path()).unwrap().execute(skip, [hole]).unwrap();
    }
    let log = store.open().await;
    let all = log.read_all(Position::START, 10).await.unwrap();
    assert!(all.iter().map(|event| event.position.0).eq([1, 9, 11, 312]));
    for event in &all {
        assert_eq!(log.position_at(event.recorded_at).await.unwrap(), event.position);
        let in_the_hole = Position(event.position.0 + 1);
        assert_eq!(log.time_at(in_the_hole).await.unwrap(), Some(event.recorded_at));
        assert_eq!(log.version_at(&stream, in_the_hole).await.unwrap(), event.version);
    }
    assert_eq!(log.head().await.unwrap(), Position(312));
}

#[tokio::test]
async fn a_transaction_that_fails_half_way_stops_nobody_after_it() {
    let store = SqliteStore::new();
    let log = store.open().await;
    let stream = new_stream();
    let with_command = Append { command: Some(Uuid::new_v4()), ..append_of(&stream, 0, &["a", "b"]) };
    let other = Connection::open(store.path()).unwrap();
    other.execute("ALTER TABLE command RENAME TO gone", []).unwrap();
    let failed = log.append(with_command.clone()).await;
    assert!(matches!(&failed, Err(AppendError::Unavailable(detail)) if detail.contains("command")), "{failed:?}");
    log.append(append_of(&new_stream(), 0, &["c"])).await.unwrap();
    other.execute("ALTER TABLE gone RENAME TO command", []).unwrap();
    assert_eq!(log.append(with_command).await.unwrap().version, Version(2));
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn appends_that_come_together_share_a_commit() {
    let store = SqliteStore::new();
    let log = store.open().await;
    let mut writers = JoinSet::new();
    for _ in 0..64 {
        let (log, stream) = (Arc::clone(&log), new_stream());
        writers.spawn(async move {
            for expected in 0..10 {
                log.append(append_of(&stream, expected, &["a"])).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let written = log.written();
    assert_eq!(written.appends, 640);
    assert!(written.syncs < 320, "{written:?}");
}

#[tokio::test]
async fn the_write_ahead_log_does_not_grow_without_end() {
    let store = SqliteStore::new();
    let log = store.open().await;
    let (stream, megabyte) = (new_stream(), "x".repeat(1 << 20));
    log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    let size = |extension| std::fs::metadata(store.path().with_extension(extension)).map_or(0, |file| file.len() >> 20);

    // Someone who reads for a long time holds it up, but no append.
    let slow_reader = Connection::open(store.path()).unwrap();
    slow_reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
    for expected in 1..40 {
        log.append(append_of(&stream, expected, &[&megabyte])).await.unwrap();
    }
    assert!((39..50).contains(&size("db-wal")), "{} MiB", size("db-wal"));
    slow_reader.execute_batch("COMMIT").unwrap();
    drop(slow_reader);

    for expected in 40..120 {
        log.append(append_of(&stream, expected, &[&megabyte])).await.unwrap();
    }
    assert!(size("db-wal") < 64, "{} MiB", size("db-wal"));
    log.close().await;
    assert_eq!((size("db-wal"), size("db")), (0, 119));
    assert_eq!(log.version_at(&stream, Position(40)).await.unwrap(), Version(40));
}
