//! A full disk: clear errors, nothing lost, and work goes on as soon as there is room.
//!
//! The disk is made full by a limit on the size of the files that a process may write (RLIMIT_FSIZE), which needs no rights
//! and no file system of its own: the kernel refuses the write to the write-ahead log in the middle of a transaction.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use offshoot::event_log::{Append, AppendError, EventLog, SqliteEventLog};
use offshoot_aggregates::Position;
use uuid::Uuid;

use super::{append_of, child, new_stream};

const NAME: &str = "a_full_disk_refuses_appends_and_loses_nothing";
const ROOM: u64 = 256 << 10;

#[test]
fn a_full_disk_refuses_appends_and_loses_nothing() {
    if let Some(directory) = child::directory() {
        // Otherwise the signal, and not the refused write, would end the process.
        SigSet::from(Signal::SIGXFSZ).thread_block().unwrap();
        return child::block_on(fill(&directory.join("log.db")));
    }
    let directory = tempfile::tempdir().unwrap();
    let child = child::command(module_path!(), NAME, directory.path()).output().unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(
        child.status.success() && output.contains("1 passed"),
        "{output} {}",
        String::from_utf8_lossy(&child.stderr)
    );
}

async fn fill(path: &std::path::Path) {
    let log = SqliteEventLog::open(path).unwrap();
    let mut acknowledged = vec![log.append(large_append()).await.unwrap().position];
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let used = std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
    setrlimit(Resource::RLIMIT_FSIZE, used + ROOM, hard).unwrap();

    let refused = loop {
        let append = large_append();
        match log.append(append.clone()).await {
            Ok(appended) => acknowledged.push(appended.position),
            Err(AppendError::Unavailable(detail)) => {
                assert!(detail.contains("disk"), "{detail}");
                break append;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(acknowledged.len() < 1_000, "the disk was not full");
    };
    // Full is full, for everyone in the queue, and readers still read all that was acknowledged.
    let refusals = tokio::join!(log.append(large_append()), log.append(large_append()), log.append(large_append()));
    for refusal in <[_; 3]>::from(refusals) {
        assert!(matches!(refusal, Err(AppendError::Unavailable(_))), "{refusal:?}");
    }
    assert_eq!(positions(&log).await, acknowledged);
    assert_eq!(log.head().await.unwrap(), acknowledged[acknowledged.len() - 1]);
    assert_eq!(log.find_command(refused.command.unwrap()).await.unwrap(), None);

    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
    // The very same append, at once: it was not recorded the first time.
    acknowledged.push(log.append(refused).await.unwrap().position);
    acknowledged.push(log.append(large_append()).await.unwrap().position);
    log.close().await;
    drop(log);
    assert_eq!(positions(&SqliteEventLog::open(path).unwrap()).await, acknowledged);
}

fn large_append() -> Append {
    let payload = "x".repeat(20_000);
    Append { command: Some(Uuid::new_v4()), ..append_of(&new_stream(), 0, &[&payload]) }
}

async fn positions(log: &SqliteEventLog) -> Vec<Position> {
    log.read_all(Position::START, 10_000).await.unwrap().iter().map(|event| event.position).collect()
}
