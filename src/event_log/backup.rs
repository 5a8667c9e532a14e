//! Backups: the log as it is at one moment, in one file, whichever store it is in and whoever works with it meanwhile.
//!
//! The file is a log like that of the embedded store. It gets its name once it is whole and on disk.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::copying::copy_as_of_now;
use super::sqlite::vacuum_into;
use super::{Copied, CopyError, CopySide, OpenError, copy_log};

/// Copies the log in a file of the embedded store, by SQLite's own means.
///
/// # Errors
/// [`CopyError`].
pub async fn back_up_file(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    check_is_file(from)?;
    let partial = begin(to)?;
    let (source, target) = (from.to_owned(), partial.clone());
    let copied = tokio::task::spawn_blocking(move || vacuum_into(&source, &target)).await;
    let copied = copied.map_err(std::io::Error::other)??;
    finish(&partial, to)?;
    Ok(copied)
}

/// Copies the log of another store, and compares the two.
///
/// # Errors
/// [`CopyError`].
pub async fn back_up(from: &mut CopySide, to: &Path) -> Result<Copied, CopyError> {
    let partial = begin(to)?;
    let mut target = CopySide::file(&partial)?;
    let copied = copy_as_of_now(from, &mut target).await;
    target.close().await;
    let copied = copied?;
    finish(&partial, to)?;
    Ok(copied)
}

/// Copies a backup into an empty store, and compares the two.
///
/// # Errors
/// [`CopyError`].
pub async fn restore(from: &Path, to: &mut CopySide) -> Result<Copied, CopyError> {
    check_is_file(from)?;
    let mut backup = CopySide::file(from)?;
    let copied = copy_log(&mut backup, to).await;
    backup.close().await;
    copied
}

/// An empty log is made of a file that is not there: nobody means that.
fn check_is_file(path: &Path) -> Result<(), CopyError> {
    if path.is_file() { Ok(()) } else { Err(OpenError::NotAFile { path: path.to_owned() }.into()) }
}

/// Where the file is written before it has its name.
fn begin(to: &Path) -> Result<PathBuf, CopyError> {
    if to.exists() {
        return Err(CopyError::NotEmpty);
    }
    let mut partial = to.to_owned().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // Of a backup that broke off.
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(partial),
    }
}

fn finish(partial: &Path, to: &Path) -> Result<(), CopyError> {
    File::open(partial)?.sync_all()?;
    std::fs::rename(partial, to)?;
    let directory = to.parent().filter(|directory| !directory.as_os_str().is_empty());
    Ok(File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?)
}
