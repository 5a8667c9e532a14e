//! The nodes: real processes on fixed addresses, killed and started again.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use offshoot_aggregates::Position;
use serde_json::Value;
use tempfile::TempDir;

use super::shared_store::SharedStore;
use crate::crash::api::Api;
use crate::support::prepared::PATIENCE;
use crate::support::process::{Ended, ServerProcess, offshoot};
use crate::support::store::{share, store_option};

/// The read models, in the order in which a node lists them.
type Digests = Vec<(String, String)>;

/// Some nodes on one store.
pub struct Machines(Vec<Machine>);

/// A node that is there most of the time.
struct Machine {
    directory: TempDir,
    address: SocketAddr,
    process: Mutex<Option<ServerProcess>>,
    /// Whether the process has said that it serves.
    is_serving: AtomicBool,
}

impl Machine {
    fn process(&self) -> MutexGuard<'_, Option<ServerProcess>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, raised: Option<&str>) {
        self.is_serving.store(false, Ordering::Release);
        let mut command = offshoot();
        command.envs(raised.map(|raised| ("OFFSHOOT_RAISED_PROJECTION", raised)));
        *self.process() = Some(ServerProcess::spawn_at(self.address, command, self.directory.path(), None));
    }

    /// Waits until it serves. It does not end by itself, whatever becomes of its store.
    fn serves(&self) {
        let mut process = self.process();
        let process = process.as_mut().expect("it was started");
        let is_there =
            if self.is_serving.load(Ordering::Acquire) { !process.has_ended() } else { process.address().is_some() };
        assert!(is_there, "a node has ended by itself");
        self.is_serving.store(true, Ordering::Release);
    }
}

impl Machines {
    /// Nodes that serve, and show all that is in the log.
    pub async fn start(store: &impl SharedStore, count: usize) -> Self {
        let machine = |_| {
            let directory = tempfile::tempdir().unwrap();
            share(directory.path(), &store.url());
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            Machine { directory, address, process: Mutex::default(), is_serving: AtomicBool::default() }
        };
        let machines = Self((0..count).map(machine).collect());
        for machine in &machines.0 {
            machine.start(None);
        }
        machines.all_serve();
        let head = store.read_log().last().map_or(Position::START, |last| Position(last.position));
        for number in 0..count {
            tokio::time::timeout(PATIENCE, machines.list(number, head)).await.expect("it follows");
        }
        machines
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A client of a node, which may be gone.
    pub fn api(&self, number: usize) -> Api {
        Api::at(self.0[number].address)
    }

    /// Kills a node, and starts it again. No other one has ended.
    pub fn kill_and_start_again(&self, number: usize) {
        if let Some(process) = self.0[number].process().take() {
            process.kill();
        }
        self.0[number].start(None);
        let have_ended = |machine: &Machine| machine.process().as_mut().is_none_or(ServerProcess::has_ended);
        assert!(!self.0.iter().any(have_ended), "a node has ended by itself");
    }

    #[cfg(feature = "fault-points")]
    /// Tells a node to stop, and starts it as one whose projection is of the next version.
    pub fn upgrade(&self, number: usize, raised: &str) {
        let process = self.0[number].process().take().expect("it runs");
        let ended = process.terminate();
        assert!(ended.status.success(), "{ended:?}");
        self.0[number].start(Some(raised));
    }

    /// Waits until all of them serve.
    pub fn all_serve(&self) {
        for machine in &self.0 {
            machine.serves();
        }
    }

    /// What each node's read models say, once they show the log up to a position.
    pub async fn digests(&self, position: Position) -> Vec<Digests> {
        let mut digests = Vec::new();
        for number in 0..self.len() {
            digests.push(tokio::time::timeout(PATIENCE, self.digest(number, position)).await.expect("it follows"));
        }
        digests
    }

    /// A node's read models, once they show the log up to a position.
    async fn list(&self, number: usize, position: Position) -> Value {
        loop {
            let list = self.api(number).get_at("/api/v1/projections/", position).await.expect("it answers");
            if list.status == 200 {
                return list.body;
            }
            assert_eq!(list.status, 503, "{list:?}");
        }
    }

    async fn digest(&self, number: usize, position: Position) -> Digests {
        let (api, list) = (self.api(number), self.list(number, position).await);
        let mut digests = Vec::new();
        for read_model in list["results"].as_array().expect("a list") {
            let name = read_model["name"].as_str().expect("a name").to_owned();
            let answer = api.get(&format!("/api/v1/projections/{name}/digest/")).await.expect("it answers").body;
            assert_eq!(answer["position"], position.0, "{answer}");
            digests.push((name, answer["digest"].as_str().expect("a digest").to_owned()));
        }
        digests
    }

    /// Stops all nodes in good order. What the command line says of the last one's read models then.
    pub fn stop_and_digest(&self) -> Digests {
        for machine in &self.0 {
            let ended = machine.process().take().expect("it runs").terminate();
            assert!(ended.status.success(), "{ended:?}");
        }
        let directory = self.0.last().expect("there are some").directory.path();
        let mut command = offshoot();
        command.args(["projections", "digest", "--data-dir"]).arg(directory).args(store_option(directory));
        let (ended, said) = Ended::and_said(command);
        assert!(ended.status.success(), "{ended:?}");
        let words = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0].to_owned(), words[words.len() - 1].to_owned())
        };
        said.lines().map(words).collect()
    }
}
