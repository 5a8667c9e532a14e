//! The double as a process: this test binary starts itself again, as the double.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, RwLock};

use tempfile::TempDir;
use tokio::sync::watch;
use tonic::transport::Server;

use super::client::{append, client, everything};
use super::faults::Faults;
use super::log::{Log, Record};
use super::service::{Gossip, Node, ServerFeatures, Shared, Streams, write};
use crate::contract::child;

/// The ports to listen on; 0 for any.
const PORTS: &str = "OFFSHOOT_TEST_DOUBLE_PORTS";

/// In front of what the double says, as the test binary says things too.
const SAYS: &str = "double: ";

/// Bytes that the double takes in one append: as many as KurrentDB can be told to take.
pub const APPEND_BYTES: usize = 16 << 20;

/// The file of its log.
const LOG: &str = "double.log";

const NAME: &str = "a_double_that_is_killed_has_what_it_acknowledged_when_it_starts_again";

/// A double that runs. It ends with this.
pub struct Double {
    directory: PathBuf,
    ports: [u16; 2],
    child: Child,
    ask: ChildStdin,
    says: BufReader<ChildStdout>,
    /// Deleted at the end, if it was made for this one.
    temporary: Option<TempDir>,
}

impl Double {
    /// An empty one.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut double = Self::at(directory.path(), [0, 0]);
        double.temporary = Some(directory);
        double
    }

    fn at(directory: &Path, ports: [u16; 2]) -> Self {
        let mut command = child::command(module_path!(), NAME, directory);
        command.env(PORTS, format!("{} {}", ports[0], ports[1])).env_remove("OFFSHOOT_FAULT_POINT");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, says) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let directory = directory.to_owned();
        let mut double = Self { directory, ports, child, ask, says, temporary: None };
        let ports: Vec<u16> = double.hear().split(' ').map(|port| port.parse().unwrap()).collect();
        double.ports = [ports[0], ports[1]];
        double
    }

    /// The URL of its first node.
    pub fn url(&self) -> String {
        format!("esdb://127.0.0.1:{}?tls=false&maxAppendSize={APPEND_BYTES}", self.ports[0])
    }

    /// The URL of both of its nodes, as those of a cluster.
    pub fn cluster_url(&self) -> String {
        let [first, second] = self.ports;
        let soon = "discoveryInterval=50&maxDiscoverAttempts=3&gossipTimeout=1000";
        format!("esdb://127.0.0.1:{first},127.0.0.1:{second}?tls=false&maxAppendSize={APPEND_BYTES}&{soon}")
    }

    /// Makes it do something wrong, from now on (`faults.rs` says what there is). What it says to that.
    pub fn tell(&mut self, what: &str) -> String {
        writeln!(self.ask, "{what}").unwrap();
        self.hear()
    }

    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the double has ended");
            // The test binary's own words may stand in front on the same line.
            if let Some((_, said)) = line.trim_end().split_once(SAYS) {
                return said.to_owned();
            }
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after it was killed, where it was.
    pub fn start_again(&mut self) {
        let mut again = Self::at(&self.directory, self.ports);
        again.temporary = self.temporary.take();
        *self = again;
    }

    /// Another one, with all that is in the log of this one now.
    pub fn copy(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::copy(self.directory.join(LOG), directory.path().join(LOG)).unwrap();
        let mut copy = Self::at(directory.path(), [0, 0]);
        copy.temporary = Some(directory);
        copy
    }

    /// What is in its log now, read from its file.
    pub fn records(&self) -> Vec<Arc<Record>> {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(self.directory.join(LOG), copy.path().join(LOG)).unwrap();
        Log::open(&copy.path().join(LOG)).all().to_vec()
    }

    /// Lets it clean up by itself when it ends, as nobody will be there who could.
    pub fn is_to_clean_up(&mut self) {
        if let Some(directory) = self.temporary.take() {
            self.tell("clean-up");
            let _ = directory.keep();
        }
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_that_is_killed_has_what_it_acknowledged_when_it_starts_again() {
    if let Some(directory) = child::directory() {
        return run(&directory).await;
    }
    let mut double = Double::new();
    let (writer, streams) = (client(&double.url()), ["one", "two"]);
    for (revision, stream) in (0..40).map(|number| (number / 2, streams[number % 2])) {
        append(&writer, stream, revision, &["a", "b"]).await;
    }
    let before = everything(&writer).await;
    double.kill();
    double.start_again();
    assert_eq!(everything(&client(&double.url())).await, before);
    assert_eq!(before.len(), 81);
}

/// The double: until whoever started it has gone.
async fn run(directory: &Path) {
    let ports = std::env::var(PORTS).unwrap();
    let listeners: Vec<TcpListener> =
        ports.split(' ').map(|port| TcpListener::bind(format!("127.0.0.1:{port}")).unwrap()).collect();
    let ports = [0, 1].map(|index: usize| listeners[index].local_addr().unwrap().port());
    let (writer, requests) = channel();
    let shared = Arc::new(Shared {
        log: RwLock::new(Log::open(&directory.join(LOG))),
        grown: watch::Sender::new(()),
        faults: Faults::none(APPEND_BYTES),
        ports,
        writer,
    });
    let writes_to = shared.clone();
    std::thread::spawn(move || write(&writes_to, &requests));
    for (index, listener) in listeners.into_iter().enumerate() {
        tokio::spawn(serve(Node { shared: shared.clone(), index }, listener));
    }
    println!("{SAYS}{} {}", ports[0], ports[1]);
    let mut cleans_up = false;
    let obey = move || {
        for request in std::io::stdin().lines().map_while(Result::ok) {
            if request == "clean-up" {
                cleans_up = true;
                println!("{SAYS}done");
                continue;
            }
            println!("{SAYS}{}", shared.faults.set(&request).expect("a fault that the double knows"));
        }
        cleans_up
    };
    if tokio::task::spawn_blocking(obey).await.unwrap() {
        std::fs::remove_dir_all(directory).unwrap();
    }
    std::process::exit(0);
}

async fn serve(node: Node, listener: TcpListener) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let shared = node.shared.clone();
    let incoming = futures_util::stream::unfold((listener, shared), |(listener, shared)| async {
        let accepted = listener.accept().await.and_then(|(connection, _)| {
            connection.set_nodelay(true)?;
            let connection = connection.into_std()?;
            shared.faults.connected(connection.try_clone()?);
            tokio::net::TcpStream::from_std(connection)
        });
        Some((accepted, (listener, shared)))
    });
    Server::builder()
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .add_service(Streams(node.clone()))
        .add_service(ServerFeatures(node.clone()))
        .add_service(Gossip(node))
        .serve_with_incoming(incoming)
        .await
        .unwrap();
}
