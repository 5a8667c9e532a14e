//! The real binary as a process: started on a data directory, killed or told to terminate, asked how it ended.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::prepared::PATIENCE;
use super::store::store_option;

/// The binary under test, with nothing from this process's environment that could configure it.
pub fn offshoot() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_offshoot")))
}

/// A binary that was built otherwise, in the same way.
pub fn offshoot_at(path: &OsStr) -> Command {
    without_settings(Command::new(path))
}

/// The binary under test, run by a shell after `preparation`: for limits that only a process itself can set.
pub fn offshoot_after(preparation: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{preparation}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_offshoot")]);
    without_settings(command)
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OFFSHOOT_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A running `offshoot serve`. It is killed when it is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    serving: Receiver<SocketAddr>,
    said: Arc<Said>,
    lines: Option<JoinHandle<()>>,
}

/// What a process has written to standard error so far.
#[derive(Debug, Default)]
struct Said {
    lines: Mutex<String>,
    grown: Condvar,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        let output = command.output().expect("the binary starts");
        Self { status: output.status, stderr: String::from_utf8(output.stderr).expect("a text") }
    }

    /// The same, and what the command wrote to standard output.
    pub fn and_said(mut command: Command) -> (Self, String) {
        let output = command.stdout(Stdio::piped()).output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("a text");
        (Self { status: output.status, stderr: text(output.stderr) }, text(output.stdout))
    }

    /// Whether SIGKILL ended it.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::SIGKILL as i32)
    }
}

impl ServerProcess {
    /// Starts a server on the data in `directory`, on a port of its own.
    pub fn spawn(directory: &Path) -> Self {
        Self::spawn_with(offshoot(), directory, None)
    }

    /// Starts a server that kills itself at a fault point, as in `before-commit:3`.
    #[cfg(feature = "fault-points")]
    pub fn spawn_armed(directory: &Path, fault_point: &str) -> Self {
        Self::spawn_with(offshoot(), directory, Some(fault_point))
    }

    /// Starts a server by this command.
    pub fn spawn_with(command: Command, directory: &Path, fault_point: Option<&str>) -> Self {
        Self::spawn_at(SocketAddr::from(([127, 0, 0, 1], 0)), command, directory, fault_point)
    }

    /// Starts a server by this command, on this address.
    pub fn spawn_at(listen: SocketAddr, mut command: Command, directory: &Path, fault_point: Option<&str>) -> Self {
        command.args(["serve", "--log-format", "json", "--listen"]).arg(listen.to_string());
        command.arg("--data-dir").arg(directory);
        command.args(store_option(directory));
        command.envs(fault_point.map(|point| ("OFFSHOOT_FAULT_POINT", OsStr::new(point))));
        let mut child = command.spawn().expect("the binary starts");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let (serves, serving) = channel();
        let said = Arc::new(Said::default());
        let hears = said.clone();
        let lines = std::thread::spawn(move || read_lines(stderr, &serves, &hears));
        Self { child, serving, said, lines: Some(lines) }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_some()
    }

    /// Waits until it serves. The address that it serves on; `None` if it ended before.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.serving.recv_timeout(PATIENCE) {
            Ok(address) => Some(address),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server neither serves nor ends"),
        }
    }

    /// Waits until it has said something.
    pub fn has_said(&self, text: &str) {
        let lines = self.said.lines.lock().unwrap();
        let is_missing = |lines: &mut String| !lines.contains(text);
        let (lines, waited) = self.said.grown.wait_timeout_while(lines, PATIENCE, is_missing).unwrap();
        assert!(!waited.timed_out(), "it does not say {text}: {lines}");
    }

    /// Kills it, and waits for its end.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("a child can be killed");
        self.end()
    }

    /// Tells it to terminate, and waits for its end.
    pub fn terminate(self) -> Ended {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Sends it a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        // Not reaped before `end`, so that its id is not another's.
        kill(Pid::from_raw(self.id().try_into().expect("a process id")), signal).expect("a child can be told");
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        self.end()
    }

    fn end(&mut self) -> Ended {
        // Whoever reads its lines lets go when there are no more.
        while self.address().is_some() {}
        let status = self.child.wait().expect("a child can be waited for");
        if let Some(lines) = self.lines.take() {
            lines.join().expect("the lines were read");
        }
        Ended { status, stderr: std::mem::take(&mut *self.said.lines.lock().unwrap()) }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, so that the process never waits for a reader; tells the address when the log says that it serves.
fn read_lines(stderr: ChildStderr, serves: &Sender<SocketAddr>, said: &Said) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Ok(logged) = serde_json::from_str::<Value>(&line)
            && logged["message"] == "serving"
            && let Some(address) = logged["address"].as_str().and_then(|address| address.parse().ok())
        {
            // Nobody may be waiting.
            let _ = serves.send(address);
        }
        let mut lines = said.lines.lock().unwrap();
        lines.push_str(&line);
        lines.push('\n');
        said.grown.notify_all();
    }
}
