//! A program that drives one client: it is asked in lines of JSON, and answers what the client said.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::prepared::PATIENCE;

/// A client that can be driven.
#[derive(Clone, Copy, Debug)]
pub enum Driven {
    FlagsmithPython,
    FlagsmithNode,
    FlagsmithBrowser,
    FlagsmithRust,
    OpenFeaturePython,
    OpenFeatureNode,
    OpenFeatureWeb,
    OpenFeatureRust,
    KurrentDbNode,
}

impl Driven {
    fn command(self) -> Command {
        let python = || venv().join("bin/python");
        let (program, arguments): (PathBuf, &[&str]) = match self {
            Self::FlagsmithPython => (python(), &["python/flagsmith_driver.py"]),
            Self::FlagsmithNode => (node(), &["node/flagsmith_driver.mjs"]),
            Self::FlagsmithBrowser => (node(), &["node/browser_driver.mjs", "page_flagsmith.mjs"]),
            Self::FlagsmithRust => (built("flagsmith-driver"), &[]),
            Self::OpenFeaturePython => (python(), &["python/openfeature_driver.py"]),
            Self::OpenFeatureNode => (node(), &["node/openfeature_driver.mjs"]),
            Self::OpenFeatureWeb => (node(), &["node/browser_driver.mjs", "page_openfeature.mjs"]),
            Self::OpenFeatureRust => (built("openfeature-driver"), &[]),
            Self::KurrentDbNode => (node(), &["node/kurrentdb_driver.mjs"]),
        };
        let mut command = Command::new(installed(program));
        command.args(arguments).current_dir(folder());
        if matches!(self, Self::FlagsmithBrowser | Self::OpenFeatureWeb) {
            command.env("BROWSER", installed(installation().join("browser")));
        }
        command
    }
}

/// Runs a program in the folder of a language with the installed interpreter, and tells what it prints.
pub fn printed_by(interpreter: Interpreter, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (program, folder) = match interpreter {
        Interpreter::Python => (venv().join("bin/python"), folder().join("python")),
        Interpreter::Node => (node(), folder().join("node")),
        Interpreter::Built(name) => (built(name), folder()),
    };
    let mut command = Command::new(installed(program));
    command.args(arguments).current_dir(folder).envs(variables.iter().copied());
    let output = command.stderr(Stdio::inherit()).output().expect("what is installed runs");
    String::from_utf8(output.stdout).expect("a text")
}

/// What runs a program.
#[derive(Clone, Copy, Debug)]
pub enum Interpreter {
    Python,
    Node,
    /// Nothing but itself: it was built by `scripts/clients`.
    Built(&'static str),
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Where `scripts/clients` puts what it installs: beside the profiles of the binary under test.
fn installation() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_offshoot"));
    binary.ancestors().nth(2).expect("the binary is in a target directory").join("clients")
}

fn venv() -> PathBuf {
    installation().join("venv")
}

fn node() -> PathBuf {
    installed(folder().join("node/node_modules/flagsmith-nodejs"));
    installation().join("node")
}

fn built(name: &str) -> PathBuf {
    installation().join("rust").join(name)
}

/// The path, if there is something: a test whose client is not there fails.
fn installed(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is not there: scripts/clients installs the clients", path.display());
    path
}

/// A driver that runs. It ends when it is dropped.
pub struct Driver {
    driven: Driven,
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<Value>,
}

impl Driver {
    /// Starts the driver of a client of the server at `url`.
    pub fn start(driven: Driven, url: &str) -> Self {
        let mut command = driven.command();
        command.env("OFFSHOOT_URL", url).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("what is installed runs");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let (tell, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Some clients write their log here as well.
                let parsed = serde_json::from_str::<Value>(&line).ok();
                match parsed.and_then(|mut told| told.get_mut("answer").map(Value::take)) {
                    // Nobody may be waiting.
                    Some(answer) => drop(tell.send(answer)),
                    None => println!("{line}"),
                }
            }
        });
        let requests = child.stdin.take();
        Self { driven, child, requests, answers }
    }

    /// Asks for something, and returns the answer.
    #[track_caller]
    pub fn ask(&mut self, request: &Value) -> Value {
        let requests = self.requests.as_mut().expect("taken only when it is dropped");
        let sent = writeln!(requests, "{request}").and_then(|()| requests.flush());
        sent.unwrap_or_else(|error| panic!("{:?} is gone before {request}: {error}", self.driven));
        let answer = self.answers.recv_timeout(PATIENCE);
        answer.unwrap_or_else(|error| panic!("{:?} does not answer {request}: {error}", self.driven))
    }

    /// Makes a client, which must work.
    #[track_caller]
    pub fn open(&mut self, client: &str, key: &str, options: Value) {
        let answer = self.try_to_open(client, key, options);
        assert_eq!(answer, json!({}), "{:?} cannot open {client}", self.driven);
    }

    /// Makes a client. An answer without `error` means that it worked.
    #[track_caller]
    pub fn try_to_open(&mut self, client: &str, key: &str, mut options: Value) -> Value {
        options["do"] = "open".into();
        options["client"] = client.into();
        options["key"] = key.into();
        self.ask(&options)
    }

    /// Asks a client for a feature of the scene until it has this value.
    #[track_caller]
    pub fn wait_for(&mut self, client: &str, flag: &str, value: &str) {
        let request = json!({
            "do": "wait_for", "client": client, "flag": flag, "kind": "string", "default": "the default",
            "value": value, "seconds": 30,
        });
        let answer = self.ask(&request);
        assert_eq!(answer["value"], value, "{:?}: {client} never says {value:?} of {flag}: {answer}", self.driven);
    }

    /// Which client it drives.
    pub fn driven(&self) -> Driven {
        self.driven
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A driver ends when nobody can ask any more, and takes its browser with it.
        drop(self.requests.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
