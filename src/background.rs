//! A runtime of its own for work that goes on behind the answers: keeping read models up to date, copying clones.

use std::cell::Cell;
use std::time::Instant;
use std::{io, thread};

use rusqlite::Connection;
use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::limits::{BACKGROUND_NICENESS, BACKGROUND_STRETCH_MAX, SQLITE_STEPS_PER_STRETCH};

/// Runs what nobody waits for in threads that give way to those that answer.
///
/// On Linux its threads are nicer than the others: whoever asks for flags while a big environment is being cloned on the same
/// core is answered at once, and the clone goes on with the time that is left. Elsewhere niceness is a matter of the whole
/// process, and they are threads like the others.
pub struct Background(Option<Runtime>);

impl Background {
    /// A runtime with a thread for each core.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start() -> io::Result<Self> {
        let niceness = Niceness::above_this_thread(BACKGROUND_NICENESS);
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("background")
            .on_thread_start(move || niceness.take())
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// What is spawned while the guard lives runs in the background, and so does whatever that spawns in turn.
    pub fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }
}

impl Drop for Background {
    /// Does not wait: a runtime may be dropped inside another only in this way.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// How nice a thread is to be (see sched(7)): from -20 to 19, which gives way to all.
#[derive(Clone, Copy, Debug)]
pub struct Niceness(i32);

impl Niceness {
    /// Nicer than this thread by so much. On Linux a thread has a niceness of its own, which threads that it starts inherit
    /// (see setpriority(2)).
    #[must_use]
    pub fn above_this_thread(by: i32) -> Self {
        #[cfg(target_os = "linux")]
        let this = rustix::process::getpriority_process(None).unwrap_or_default();
        #[cfg(not(target_os = "linux"))]
        let this = 0;
        Self((this + by).min(19))
    }

    /// Makes this thread so nice. Nothing happens where niceness is a matter of the whole process.
    pub fn take(self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, self.0) {
            tracing::warn!(%error, "work in the background cannot be given a lower priority");
        }
    }
}

/// Lets whoever waits for this core go first, if this thread has worked for [`BACKGROUND_STRETCH_MAX`] without doing so.
///
/// A nicer thread gets less time, but whatever it gets it gets in one piece: a scheduler does not take the core from it the
/// moment that somebody else wants it, but lets it work for a millisecond or more.
pub fn give_way() {
    thread_local! {
        static SINCE: Cell<Instant> = Cell::new(Instant::now());
    }
    if SINCE.get().elapsed() >= BACKGROUND_STRETCH_MAX {
        thread::yield_now();
        SINCE.set(Instant::now());
    }
}

/// Makes a connection give way in the midst of its statements.
///
/// # Errors
/// The connection is closed.
pub fn give_way_within(connection: &mut Connection) -> rusqlite::Result<()> {
    let go_on = || {
        give_way();
        false
    };
    connection.progress_handler(SQLITE_STEPS_PER_STRETCH, Some(go_on))
}
