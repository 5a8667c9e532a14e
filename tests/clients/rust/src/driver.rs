//! What both Rust drivers do: they read requests as lines of JSON and answer each of them with one.

#![allow(dead_code, reason = "each driver uses what its client has")]

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Make a client.
    Open(Open),
    /// Ask a client for a flag.
    Evaluate(Evaluation),
    /// Ask a client for a flag until it has a value.
    WaitFor(Wait),
    /// Let go of a client.
    Close {
        /// Its name.
        client: String,
    },
}

/// How a client is made.
#[derive(Debug, Deserialize)]
pub struct Open {
    /// Its name.
    pub client: String,
    /// The key of the environment.
    pub key: String,
    /// Where flags are evaluated: `remote` or `local`.
    #[serde(default)]
    pub mode: String,
    /// How it learns of changes: `polling`, or not at all.
    #[serde(default)]
    pub changes: String,
    /// Whether it has something to answer when the server gives nothing.
    #[serde(default)]
    pub with_defaults: bool,
}

/// What a client is asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Evaluation {
    /// The client.
    pub client: String,
    /// The feature.
    pub flag: String,
    /// Of what kind its value is.
    #[serde(default)]
    pub kind: String,
    /// What counts if there is no value.
    #[serde(default)]
    pub default: Value,
    /// For whom.
    #[serde(default)]
    pub identity: Option<String>,
    /// What that is like.
    #[serde(default)]
    pub traits: Option<Map<String, Value>>,
}

/// What is waited for.
#[derive(Debug, Deserialize)]
pub struct Wait {
    /// What is asked for again and again.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// The value that it will have.
    pub value: Value,
    /// How long.
    pub seconds: u64,
}

/// Something that answers.
pub trait Driver {
    /// Makes a client.
    fn open(&mut self, open: Open) -> Result<(), String>;
    /// Asks a client for a flag.
    fn evaluate(&self, evaluation: Evaluation) -> Result<Value, String>;
    /// Lets go of a client.
    fn close(&mut self, client: &str);
}

/// Answers until nobody asks any more.
pub fn serve(mut driver: impl Driver) {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let answer = match serde_json::from_str(&line).expect("a request") {
            Request::Open(open) => driver.open(open).map(|()| json!({})),
            Request::Evaluate(evaluation) => driver.evaluate(evaluation),
            Request::WaitFor(wait) => wait_for(&driver, &wait),
            Request::Close { client } => {
                driver.close(&client);
                Ok(json!({}))
            }
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        println!("{}", json!({ "answer": answer }));
        std::io::stdout().flush().expect("somebody reads");
    }
}

fn wait_for(driver: &impl Driver, wait: &Wait) -> Result<Value, String> {
    let deadline = Instant::now() + Duration::from_secs(wait.seconds);
    loop {
        let answer = driver.evaluate(wait.evaluation.clone());
        let is_there = answer.as_ref().is_ok_and(|answer| answer["value"] == wait.value);
        if is_there || Instant::now() > deadline {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
