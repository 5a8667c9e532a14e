//! A PostgreSQL server of the tests' own: one for all that run at the same time, with a database for each.
//!
//! Tests run in many processes, any of which may be killed. The first one that needs the server starts it; each holds a lock as
//! long as it lives; a watchman stops the server and deletes its data once nobody has held the lock for a while.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use offshoot::event_log::PostgresUrl;
use uuid::Uuid;

/// The superuser of the server, who needs no password.
const ADMIN: &str = "offshoot";

/// A user who needs a password, and owns nothing yet.
pub const SECURED_USER: &str = "secured";

/// The password of [`SECURED_USER`].
pub const PASSWORD: &str = "it's-a-%secret%-pässword";

/// Stops the server once nobody needs it. `$0` is the directory, the arguments are the command that stops the server.
const WATCHMAN: &str = r#"
while sleep 15; do
    exec 8>"$0/start.lock"; flock 8
    if flock --nonblock --exclusive "$0/users.lock" true; then rm "$0/port"; "$@"; rm -rf "$0/data"; exit; fi
    exec 8>&-
done"#;

/// The server.
struct Cluster {
    port: u16,
    /// As long as it is open, the server runs.
    _in_use: File,
}

/// A database of one test, dropped with this.
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// An empty database.
    pub fn new() -> Self {
        Self::from_template("template1")
    }

    /// A copy of the database at a URL. Whoever is still connected to it, as sessions of killed processes are for a moment, is
    /// so no longer.
    pub fn copy_of(url: &str) -> Self {
        let template = url.rsplit_once('/').unwrap().1;
        break_connections(template);
        Self::from_template(template)
    }

    fn from_template(template: &str) -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        // A session that was told to end takes a moment.
        for _ in 0..50 {
            let busy = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{template}'");
            if cluster().sql("postgres", &busy) == "0" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        cluster().sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { name }
    }

    /// Its URL; the database stays as long as the server.
    pub fn keep(self) -> String {
        let url = self.url();
        std::mem::forget(self);
        url
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.url_at(cluster().port)
    }

    /// Its URL, as if the server listened on another port.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{ADMIN}@127.0.0.1:{port}/{}", self.name)
    }

    /// Its URL for another user.
    pub fn url_for(&self, user: &str) -> String {
        self.url().replace(ADMIN, user)
    }

    /// The server's port.
    pub fn port() -> u16 {
        cluster().port
    }

    /// Where it is, for a log.
    pub fn place(&self) -> PostgresUrl {
        PostgresUrl::new(&self.url()).unwrap()
    }

    /// Runs a statement, past all that Offshoot does. What it prints.
    pub fn sql(&self, sql: &str) -> String {
        cluster().sql(&self.name, sql)
    }

    /// Breaks every connection to it, in the midst of whatever they do.
    pub fn break_connections(&self) {
        break_connections(&self.name);
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            cluster().sql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn break_connections(database: &str) {
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    cluster().sql("postgres", &sql);
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::join)
}

impl Cluster {
    /// Starts the server if it does not run.
    fn join() -> Self {
        // Whoever builds elsewhere has a server of their own.
        let builds_in = Uuid::new_v5(&Uuid::NAMESPACE_URL, env!("CARGO_TARGET_TMPDIR").as_bytes()).simple();
        let directory = std::env::temp_dir().join(format!("offshoot-test-postgres-{builds_in}"));
        std::fs::create_dir_all(&directory).unwrap();
        let start = File::create(directory.join("start.lock")).unwrap();
        start.lock().unwrap();
        let in_use = File::create(directory.join("users.lock")).unwrap();
        in_use.lock_shared().unwrap();
        let port = match std::fs::read_to_string(directory.join("port")) {
            Ok(port) => port.parse().unwrap(),
            Err(_) => start_server(&directory),
        };
        Self { port, _in_use: in_use }
    }

    fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--host=127.0.0.1", "--username", ADMIN, "--port", &self.port.to_string(), "--dbname", database]);
        let output = psql.args(["--command", sql]).stdin(Stdio::null()).output().expect("PostgreSQL is installed");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// The server's port.
fn start_server(directory: &Path) -> u16 {
    let data = directory.join("data");
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir(&data).unwrap();
    // The server does not start as root.
    if nix::unistd::Uid::effective().is_root() {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        run(Command::new("chown").arg("nobody").arg(&data), directory);
    }
    let initdb = ["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "--username", ADMIN, "--pgdata"];
    run(unprivileged("initdb").args(initdb).arg(&data), directory);
    let hba = data.join("pg_hba.conf");
    let trusted = std::fs::read_to_string(&hba).unwrap();
    std::fs::write(&hba, format!("host all {SECURED_USER} 127.0.0.1/32 scram-sha-256\n{trusted}")).unwrap();

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sockets = data.display();
    let options =
        format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={sockets} -c max_connections=300");
    let mut start = unprivileged("pg_ctl");
    start.args(["--wait", "--silent", "--options", &options, "--log"]).arg(data.join("server.log"));
    run(start.arg("--pgdata").arg(&data).arg("start"), directory);
    watch(directory, &data);
    let cluster = Cluster { port, _in_use: File::open(&hba).unwrap() };
    let password = PASSWORD.replace('\'', "''");
    cluster.sql("postgres", &format!("CREATE ROLE {SECURED_USER} LOGIN SUPERUSER PASSWORD '{password}'"));
    std::fs::write(directory.join("port"), port.to_string()).unwrap();
    port
}

/// Starts the watchman, who outlives this process.
fn watch(directory: &Path, data: &Path) {
    let stop = unprivileged("pg_ctl");
    let mut watchman = Command::new("setsid");
    watchman.args(["--fork", "sh", "-c", WATCHMAN]).arg(directory).arg(stop.get_program()).args(stop.get_args());
    watchman.args(["--mode=immediate", "--silent", "--pgdata"]).arg(data).arg("stop");
    let started = watchman.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").status();
    assert!(started.unwrap().success());
}

/// A program of the server, run by someone who is not root.
fn unprivileged(name: &str) -> Command {
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
