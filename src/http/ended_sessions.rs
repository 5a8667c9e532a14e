//! Sessions of browsers that were ended before their time: whoever signs out leaves a cookie behind that opens nothing.
//!
//! They are kept until they would have expired, in memory and in a file of the data directory, so that they stay ended
//! after a restart. Other nodes do not know of them: there a copy of the cookie is a session until it expires.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use jiff::Timestamp;

use crate::limits::CONSOLE_ENDED_SESSIONS_MAX;

/// Its name in the data directory. A line has the second at which a session would expire, and its id in hexadecimal
/// digits; `all` in its place stands for all that expire no later.
const FILE: &str = "ended-sessions";

/// The sessions that were ended and would not have expired yet.
#[derive(Debug)]
pub struct EndedSessions {
    directory: PathBuf,
    known: RwLock<Known>,
    /// Held by the one who writes the file, which takes a while.
    writing: Mutex<()>,
    max: usize,
}

#[derive(Debug, Default)]
struct Known {
    /// When each expires, in seconds, and its id.
    sessions: BTreeSet<(i64, u64)>,
    /// All that expire no later are ended: there was no room to remember which of them.
    all_until: i64,
}

impl EndedSessions {
    /// Those that a data directory remembers.
    ///
    /// # Errors
    /// The file cannot be read, or is none of these.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let known = match std::fs::read_to_string(data_dir.join(FILE)) {
            Ok(text) => {
                Known::read(&text).ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("{FILE} is damaged")))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Known::default(),
            Err(error) => return Err(error),
        };
        let (known, directory) = (RwLock::new(known), data_dir.to_owned());
        Ok(Self { directory, known, writing: Mutex::default(), max: CONSOLE_ENDED_SESSIONS_MAX })
    }

    /// Whether the session with this id was ended.
    #[must_use]
    pub fn has(&self, id: u64, expires_at: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        expires_at.as_second() <= known.all_until || known.sessions.contains(&(expires_at.as_second(), id))
    }

    /// Ends a session, at once and for good. Blocks until that is on disk.
    ///
    /// # Errors
    /// The file cannot be written; then the session is ended for as long as this process lives.
    pub fn add(&self, id: u64, expires_at: Timestamp, now: Timestamp) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.add((expires_at.as_second(), id), now.as_second(), self.max);
            known.written()
        };
        let next = self.directory.join(format!("{FILE}.next"));
        let mut file = File::create(&next)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&next, self.directory.join(FILE))?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Known {
    fn add(&mut self, session: (i64, u64), now: i64, max: usize) {
        self.sessions.insert(session);
        self.sessions = self.sessions.split_off(&(now, 0));
        while self.sessions.len() > max {
            let Some((expires_at, _)) = self.sessions.pop_first() else { break };
            self.all_until = expires_at;
        }
    }

    fn written(&self) -> String {
        let sessions = self.sessions.iter().map(|(expires_at, id)| format!("{expires_at} {id:016x}\n"));
        sessions.chain([format!("{} all\n", self.all_until)]).collect()
    }

    fn read(text: &str) -> Option<Self> {
        let mut known = Self::default();
        for line in text.lines() {
            let (expires_at, id) = line.split_once(' ')?;
            let expires_at = expires_at.parse().ok()?;
            if id == "all" {
                known.all_until = expires_at;
            } else {
                known.sessions.insert((expires_at, u64::from_str_radix(id, 16).ok()?));
            }
        }
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_stays_ended_until_it_would_have_expired_also_in_another_process() {
        let directory = tempfile::tempdir().unwrap();
        let ended = EndedSessions::open(directory.path()).unwrap();
        ended.add(7, second(100), second(50)).unwrap();
        ended.add(8, second(200), second(60)).unwrap();
        let again = EndedSessions::open(directory.path()).unwrap();
        for ended in [&ended, &again] {
            assert!(ended.has(7, second(100)) && ended.has(8, second(200)));
            assert!(!ended.has(9, second(100)) && !ended.has(7, second(200)));
        }
        again.add(9, second(300), second(101)).unwrap();
        assert!(!again.has(7, second(100)), "nobody needs to know any more: it has expired");
        assert!(again.has(8, second(200)));
        std::fs::write(directory.path().join(FILE), "something else").unwrap();
        assert!(EndedSessions::open(directory.path()).is_err());
    }

    #[test]
    fn where_there_is_no_room_for_more_those_that_expire_first_are_all_ended() {
        let directory = tempfile::tempdir().unwrap();
        let ended = EndedSessions { max: 2, ..EndedSessions::open(directory.path()).unwrap() };
        for id in 1..=3 {
            ended.add(id, second(100 + id.cast_signed()), second(50)).unwrap();
        }
        let again = EndedSessions::open(directory.path()).unwrap();
        for ended in [&ended, &again] {
            assert!([1, 2, 3].iter().all(|id| ended.has(*id, second(100 + id.cast_signed()))));
            assert!(ended.has(9, second(101)), "which of those it was is not known any more");
            assert!(!ended.has(9, second(102)));
        }
    }
}
