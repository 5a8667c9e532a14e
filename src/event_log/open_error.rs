//! Why an event log cannot be opened, whichever store it is in.

use std::path::PathBuf;

use super::PostgresUrl;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is a directory, or something else that holds no data, at the path.
    #[error("{} is not a file", .path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
    },
    /// The directory that the file would be in does not exist.
    #[error("the directory of {} does not exist", .path.display())]
    NoDirectory {
        /// Where the file would be.
        path: PathBuf,
    },
    /// The file is another program's. It was not changed.
    #[error("{} is not an event log of Offshoot; it was left as it is", .path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The file was written by a later version of Offshoot. It was not changed.
    #[error("the event log {} has schema version {found}, this Offshoot knows {known}: use a later Offshoot", .path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// The version of its tables.
        found: i32,
        /// The version that this program knows.
        known: i32,
    },
    /// The file may be read but not written.
    #[error("the event log {} cannot be written: the file or its directory is read-only", .path.display())]
    ReadOnly {
        /// Where.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the event log {} cannot be opened: {detail}", .path.display())]
    Unavailable {
        /// Where.
        path: PathBuf,
        /// What SQLite or the operating system said.
        detail: String,
    },
    /// The server is not there, or takes nobody just now: it may later.
    #[error("the event log {url} cannot be reached: {detail}")]
    Away {
        /// Where, without user and password.
        url: String,
        /// What is in the way.
        detail: String,
    },
    /// The server refuses, or is not to be trusted, or something is wrong on this side: waiting does not help.
    #[error("the event log {url} cannot be opened: {detail}")]
    Server {
        /// Where, without user and password.
        url: String,
        /// What is in the way.
        detail: String,
    },
    /// The tables were changed by a later version of Offshoot, in a way that this one cannot work with.
    #[error("the event log {url} needs schema version {needed}, this Offshoot knows {known}: use a later Offshoot")]
    NewerServer {
        /// Where.
        url: PostgresUrl,
        /// The version that one must know.
        needed: i64,
        /// The version that this program knows.
        known: i64,
    },
}
