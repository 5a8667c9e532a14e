//! Processes that a benchmark starts, on one core each where they are compared.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::Command;

use super::CliError;
use super::setup::WAIT;

/// Puts this thread, and what it starts from now on, on one core. False where the system cannot do that.
pub fn pin_to(core: usize) -> bool {
    use nix::sched::{CpuSet, sched_setaffinity};
    let mut cores = CpuSet::new();
    cores.set(core).and_then(|()| sched_setaffinity(nix::unistd::Pid::from_raw(0), &cores)).is_ok()
}

/// A process that serves.
pub struct Child {
    process: tokio::process::Child,
    address: SocketAddr,
    is_pinned: bool,
    _body: Option<NamedTempFile>,
}

impl Child {
    /// The real server on the data in a directory, on one core if one is given.
    pub async fn server_on(directory: &Path, key: &str, core: Option<usize>) -> Result<Self, CliError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory);
        // The log line with the address is the only one that is wanted.
        command.env("OFFSHOOT_ADMIN_KEY", key).env("OFFSHOOT_LOG", "warn,offshoot::cli=info").stderr(Stdio::piped());
        let (mut process, is_pinned) = start(command, core)?;
        let lines = BufReader::new(process.stderr.take().ok_or("the server has no standard error")?).lines();
        let address = address_in(lines, |line| line.split_once("address=")?.1.split(' ').next().map(str::to_owned));
        let address = tokio::time::timeout(WAIT, address).await??;
        Ok(Self { process, address, is_pinned, _body: None })
    }

    /// A bare handler that answers these bytes.
    pub async fn bare(body: &[u8], core: usize) -> Result<Self, CliError> {
        let file = NamedTempFile::new()?;
        std::fs::write(file.path(), body)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "bare-handler"]).arg(file.path()).stdout(Stdio::piped());
        let (mut process, is_pinned) = start(command, Some(core))?;
        let lines = BufReader::new(process.stdout.take().ok_or("the handler has no standard output")?).lines();
        let address = address_in(lines, |line| Some(line.trim().to_owned())).await?;
        Ok(Self { process, address, is_pinned, _body: Some(file) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has a core of its own.
    pub fn is_pinned(&self) -> bool {
        self.is_pinned
    }

    /// The time that its threads have run so far.
    pub fn processor_time(&self) -> Result<Duration, CliError> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()?))?;
        // The name is in brackets and may hold anything; the 12th and 13th field after it are ticks (see proc(5)).
        let (_, rest) = stat.rsplit_once(')').ok_or("no brackets in stat")?;
        let mut fields = rest.split_whitespace().skip(11);
        let mut ticks = || -> Result<u64, CliError> { Ok(fields.next().ok_or("too few fields in stat")?.parse()?) };
        let ticks = ticks()? + ticks()?;
        // A tick is a hundredth of a second on every Linux that there is.
        Ok(Duration::from_millis(10 * ticks))
    }

    /// The memory that it holds, in MiB.
    pub fn memory_mib(&self) -> Result<f64, CliError> {
        self.status_mib("VmRSS:")
    }

    /// The most memory that it has held, in MiB.
    pub fn peak_memory_mib(&self) -> Result<f64, CliError> {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, field: &str) -> Result<f64, CliError> {
        Ok(super::process::status_mib(&self.id()?.to_string(), field).ok_or("the system does not tell the memory")?)
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<(), CliError> {
        self.process.kill().await?;
        Ok(())
    }

    fn id(&self) -> Result<u32, CliError> {
        Ok(self.process.id().ok_or("the process has ended")?)
    }
}

/// Starts a process, on one core if one is given: it inherits that from the thread which starts it.
fn start(mut command: Command, core: Option<usize>) -> Result<(tokio::process::Child, bool), CliError> {
    command.kill_on_drop(true).stdin(Stdio::null());
    let Some(core) = core else { return Ok((command.spawn()?, false)) };
    let before = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0));
    let is_pinned = pin_to(core);
    let process = command.spawn();
    if let Ok(before) = before {
        nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &before)?;
    }
    Ok((process?, is_pinned))
}

/// The address that a process prints; whatever else it prints is read and thrown away.
async fn address_in<R: AsyncRead + Unpin + Send + 'static>(
    mut lines: Lines<BufReader<R>>,
    find: impl Fn(&str) -> Option<String>,
) -> Result<SocketAddr, CliError> {
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = find(&line).and_then(|address| address.parse().ok()) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
    }
    Err("the process ended without naming its address".into())
}
