//! The lock that keeps a second process off a data directory: two would overtake each other's read models.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "offshoot.lock";

/// The exclusive use of a directory, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    // Only held: the operating system frees the lock with the file.
    _file: File,
}

/// Why a directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("the data directory {} is in use by another process ({holder}); stop it first, or use another directory", .path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who has it: `pid 4711`, or that it is not known.
        holder: String,
    },
    /// It cannot be created, or no file can be written in it.
    #[error("the data directory {} cannot be used: {source}", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes `directory` for this process, and creates it if there is none.
    ///
    /// # Errors
    /// [`LockError::InUse`] if it is taken, also by this process; [`LockError::Unusable`] if it cannot be written.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { path: directory.to_owned(), source };
        create_durably(directory).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            // Not before the lock is ours: the file says who holds it.
            .truncate(false)
            .open(directory.join(FILE_NAME))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::InUse { path: directory.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        sign(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Creates the directory so that it is still there after a power loss: what will be in it may have been acknowledged.
fn create_durably(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(directory)?;
    match directory.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text).map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(pid)) => format!("pid {pid}"),
        _ => "its pid is not known".to_owned(),
    }
}
