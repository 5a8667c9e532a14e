//! A PostgreSQL server: made in a directory, started, restarted, stopped. One that a test has to itself, which it can take away.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The superuser of every server, who needs no password.
pub const ADMIN: &str = "offshoot";

/// A server that one test has to itself. It is stopped when it is dropped.
pub struct OwnServer {
    directory: TempDir,
    port: u16,
    settings: Vec<String>,
}

impl OwnServer {
    /// A server that runs.
    pub fn start() -> Self {
        Self::start_with("", |_| Vec::new())
    }

    /// The same, with these first lines of `pg_hba.conf`, and the settings that come of preparing its data directory.
    pub fn start_with(hba: &str, prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        init(&data, hba);
        let settings = prepare(&data);
        give_to_server(&data);
        let server = Self { directory, port: free_port(), settings };
        server.start_again();
        server
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its only database.
    pub fn url(&self) -> String {
        format!("postgres://{ADMIN}@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs a statement. What it prints.
    pub fn sql(&self, sql: &str) -> String {
        sql_at(self.port, "postgres", sql)
    }

    /// Takes it away, in the midst of whatever it does: it recovers as after a crash when it is started again.
    pub fn stop(&self) {
        let mut stop = unprivileged("pg_ctl");
        stop.args(["--mode=immediate", "--silent", "--pgdata"]).arg(self.data()).arg("stop");
        run(&mut stop, self.directory.path());
    }

    /// Starts it after it was stopped.
    pub fn start_again(&self) {
        start(&self.data(), self.port, &self.settings);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop();
        }
    }
}

/// A port on which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Makes the data directory of a server, with these first lines of `pg_hba.conf`.
pub fn init(data: &Path, hba: &str) {
    let directory = data.parent().unwrap();
    std::fs::create_dir(data).unwrap();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    give_to_server(data);
    let initdb = ["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "--username", ADMIN, "--pgdata"];
    run(unprivileged("initdb").args(initdb).arg(data), directory);
    let file = data.join("pg_hba.conf");
    let trusted = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{hba}\n{trusted}")).unwrap();
}

/// The server does not start as root, so that whatever is in its directory must be another's.
fn give_to_server(data: &Path) {
    if nix::unistd::Uid::effective().is_root() {
        run(Command::new("chown").args(["-R", "nobody"]).arg(data), data.parent().unwrap());
    }
}

/// Starts the server of a data directory on a port, with further settings, and waits until it takes connections.
pub fn start(data: &Path, port: u16, settings: &[String]) {
    let sockets = data.display();
    let further: String = settings.iter().map(|setting| format!(" -c {setting}")).collect();
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={sockets} -c max_connections=300{further}"
    );
    let mut start = unprivileged("pg_ctl");
    start.args(["--wait", "--silent", "--options", &options, "--log"]).arg(data.join("server.log"));
    run(start.arg("--pgdata").arg(data).arg("start"), data.parent().unwrap());
}

/// Runs a statement at the server on a port. What it prints.
pub fn sql_at(port: u16, database: &str, sql: &str) -> String {
    try_sql_at(port, database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The same, or what the client complains of.
pub fn try_sql_at(port: u16, database: &str, sql: &str) -> Result<String, String> {
    let mut psql = client("psql", port);
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname", database]);
    let output = psql.args(["--command", sql]).output().expect("PostgreSQL is installed");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// A client program of PostgreSQL, told where the server is.
pub fn client(name: &str, port: u16) -> Command {
    let mut command = Command::new(program(name));
    command.args(["--host=127.0.0.1", "--username", ADMIN, "--port", &port.to_string()]).stdin(Stdio::null());
    command
}

/// A program of the server, run by someone who is not root.
pub fn unprivileged(name: &str) -> Command {
    if !nix::unistd::Uid::effective().is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "nobody", "--"]).arg(program(name));
    command
}

/// A program of PostgreSQL: of the newest version of Debian's packages, or wherever it is found.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    versions.retain(|path| path.exists());
    versions.sort();
    versions.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// Runs a command that may leave children behind, in a directory that everyone may be in.
#[track_caller]
fn run(command: &mut Command, directory: &Path) {
    let log = directory.join("start.log");
    let said = File::create(&log).unwrap();
    let command = command.current_dir("/").stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}: is PostgreSQL installed?"));
    assert!(status.success(), "{command:?}: {}", std::fs::read_to_string(&log).unwrap_or_default());
}
