//! One data directory, one process.

use std::path::Path;

use offshoot::event_log::{DirectoryLock, LockError};

use super::child;

#[test]
fn a_second_process_is_refused_and_told_who_has_the_directory() {
    const NAME: &str = "a_second_process_is_refused_and_told_who_has_the_directory";
    if let Some(directory) = child::directory() {
        println!("refused: {}", DirectoryLock::acquire(&directory).unwrap_err());
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let lock = DirectoryLock::acquire(&path).unwrap();
    let child = child::command(module_path!(), NAME, &path).output().unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{output}");
    let refusal = output.lines().find(|line| line.contains("refused: ")).expect("the child says how it was refused");
    assert!(refusal.contains(path.to_str().unwrap()), "{refusal}");
    assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
    drop(lock);
}

#[test]
fn a_directory_is_free_again_once_its_lock_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let lock = DirectoryLock::acquire(directory.path()).unwrap();
    assert!(matches!(DirectoryLock::acquire(directory.path()), Err(LockError::InUse { .. })));
    drop(lock);
    DirectoryLock::acquire(directory.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    for path in [file.as_path(), Path::new("/proc/offshoot-data")] {
        let error = DirectoryLock::acquire(path).unwrap_err();
        assert!(matches!(error, LockError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
