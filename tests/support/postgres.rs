//! A PostgreSQL server of the tests' own: one for all that run at the same time, with a database for each.
//!
//! Tests run in many processes, any of which may be killed. The first one that needs the server starts it; each holds a lock as
//! long as it lives; a watchman stops the server and deletes its data once nobody has held the lock for a while.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use offshoot::event_log::PostgresUrl;
use uuid::Uuid;

use super::postgres_server::{ADMIN, free_port, init, sql_at, start, try_sql_at, unprivileged};

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

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
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
        let port = running_server(&directory).unwrap_or_else(|| start_server(&directory));
        Self { port, _in_use: in_use }
    }

    fn sql(&self, database: &str, sql: &str) -> String {
        sql_at(self.port, database, sql)
    }
}

/// The port of the directory's server, if it runs: one that was killed with its watchman has left its port behind, on which
/// somebody else's may listen by now.
fn running_server(directory: &Path) -> Option<u16> {
    let port = std::fs::read_to_string(directory.join("port")).ok()?.parse().ok()?;
    let data = try_sql_at(port, "postgres", "SHOW data_directory").ok()?;
    (Path::new(&data) == directory.join("data")).then_some(port)
}

/// The server's port.
fn start_server(directory: &Path) -> u16 {
    let data = directory.join("data");
    let _ = std::fs::remove_dir_all(&data);
    let hba = format!("host all {SECURED_USER} 127.0.0.1/32 scram-sha-256");
    init(&data, &hba);
    let port = free_port();
    start(&data, port, &[]);
    watch(directory, &data);
    let cluster = Cluster { port, _in_use: File::open(directory.join("users.lock")).unwrap() };
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
