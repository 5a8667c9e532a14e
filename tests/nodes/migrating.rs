//! A log that moves from one store to another and back is the same log, byte for byte.

use std::path::Path;

use crate::crash::killed_at_random::complete;
use crate::crash::verdict;
use crate::support::postgres::TestDatabase;
use crate::support::prepared::{Prepared, request_clones};
use crate::support::process::{Ended, offshoot};
use crate::support::store::share;

/// Runs `offshoot migrate-store`.
pub fn migrate(from: &str, to: &str) -> Ended {
    let mut command = offshoot();
    command.args(["migrate-store", "--from", from, "--to", to]);
    Ended::of(command)
}

/// The store in the file of a data directory.
pub fn sqlite(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("events.sqlite").display())
}

/// All events of a data directory.
pub async fn texts_of(directory: &Path) -> Vec<String> {
    verdict::events_in(directory).await.iter().map(|event| format!("{event:?}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_postgresql_and_back_and_clones_go_on_there() {
    let start = TestDatabase::new();
    let prepared = Prepared::on(2_000, Some(&start.url())).await;
    let clones = request_clones(prepared.directory(), &prepared.source, &["Waiting"]).await;
    let before = texts_of(prepared.directory()).await;

    let file = tempfile::tempdir().unwrap();
    let moved = migrate(&start.url(), &sqlite(file.path()));
    assert!(moved.status.success(), "{moved:?}");
    assert_eq!(texts_of(file.path()).await, before);

    let (database, back) = (TestDatabase::new(), tempfile::tempdir().unwrap());
    let moved = migrate(&sqlite(file.path()), &database.url());
    assert!(moved.status.success(), "{moved:?}");
    share(back.path(), &database.url());
    assert_eq!(texts_of(back.path()).await, before);

    // Neither direction writes over anything.
    for (from, to) in [(sqlite(file.path()), database.url()), (database.url(), sqlite(file.path()))] {
        let refused = migrate(&from, &to);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.stderr.contains("not empty"), "{refused:?}");
    }
    // What was requested before is done where it is now; positions and times go on.
    complete(back.path(), &clones).await;
    verdict::check(back.path(), &prepared, &clones).await;
    assert_eq!(texts_of(back.path()).await[..before.len()], before);
}
