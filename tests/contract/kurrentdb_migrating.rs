//! What is particular to the log in KurrentDB: it moves away as it is, and does not come back.

use crate::crash::killed_at_random::complete;
use crate::crash::verdict;
use crate::double::process::Double;
use crate::nodes::migrating::{migrate, sqlite, texts_of};
use crate::support::prepared::{Prepared, request_clones};
use crate::support::store::keep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_a_file_where_its_clones_go_on_and_not_back() {
    let url = keep(Double::new());
    let prepared = Prepared::on(600, Some(&url)).await;
    let clones = request_clones(prepared.directory(), &prepared.source, &["Waiting"]).await;
    let before = texts_of(prepared.directory()).await;

    let file = tempfile::tempdir().unwrap();
    let moved = migrate(&url, &sqlite(file.path()));
    assert!(moved.status.success(), "{moved:?}");
    assert_eq!(texts_of(file.path()).await, before);

    let refused = migrate(&sqlite(file.path()), &keep(Double::new()));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("only from it"), "{refused:?}");

    // What was requested as of a position there is done as of that position here.
    complete(file.path(), &clones).await;
    verdict::check(file.path(), &prepared, &clones).await;
    assert_eq!(texts_of(file.path()).await[..before.len()], before);
}
