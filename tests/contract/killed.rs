//! A process that is killed around a commit: what it acknowledged is there, and nothing is there by half.

use std::os::unix::process::ExitStatusExt;

use offshoot::event_log::{EventLog, SqliteEventLog};
use offshoot_aggregates::{Position, Version};

use super::{append_of, child, new_stream};

const NAME: &str = "a_killed_writer_leaves_whole_appends_and_all_that_it_acknowledged";

#[test]
fn a_killed_writer_leaves_whole_appends_and_all_that_it_acknowledged() {
    if let Some(directory) = child::directory() {
        return child::block_on(write_until_killed(&directory.join("log.db")));
    }
    // Killed before the fourth commit three are there; after it, the fourth is there too, though nobody was told.
    for (point, recorded) in [("before-commit:4", 3), ("after-commit:4", 4)] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = child::command(module_path!(), NAME, directory.path());
        let child = command.env("OFFSHOOT_FAULT_POINT", point).output().unwrap();
        assert_eq!(child.status.signal(), Some(9), "{child:?}");
        let acknowledged = String::from_utf8(child.stdout).unwrap().matches("acknowledged").count();
        assert_eq!(acknowledged, 3);
        child::block_on(async {
            let log = SqliteEventLog::open(&directory.path().join("log.db")).unwrap();
            let all = log.read_all(Position::START, 100).await.unwrap();
            assert_eq!(all.len(), recorded * 2, "{point}");
            let stream = all[0].stream.clone();
            let next = log.append(append_of(&stream, all.len() as u64, &["next"])).await.unwrap();
            assert_eq!(next.version, Version(all.len() as u64 + 1));
        });
    }
}

async fn write_until_killed(path: &std::path::Path) {
    let log = SqliteEventLog::open(path).unwrap();
    let stream = new_stream();
    for expected in (0..100).step_by(2) {
        log.append(append_of(&stream, expected, &["a", "b"])).await.unwrap();
        println!("acknowledged");
    }
}
