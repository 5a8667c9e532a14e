//! Tests that need a process of their own, to be killed or starved: the test starts itself again, as a child.

use std::path::{Path, PathBuf};
use std::process::Command;

const DIRECTORY: &str = "OFFSHOOT_TEST_CHILD_DIRECTORY";

/// The command that runs the test `name` of the module `module` (its `module_path!()`) as a child that works in `directory`.
pub(crate) fn command(module: &str, name: &str, directory: &Path) -> Command {
    let (_, module) = module.split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("{module}::{name}"), "--exact", "--nocapture"]).env(DIRECTORY, directory);
    command
}

/// In the child: the directory to work in.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// In the child: a runtime whose threads, like the log's, are as the test's own thread is now.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}
