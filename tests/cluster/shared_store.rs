//! What a store must offer to be tested with several nodes; PostgreSQL, and the protocol double of KurrentDB.

use std::sync::Mutex;

use serde_json::Value;

use crate::double::process::Double;
use crate::support::postgres_server::OwnServer;

/// A store that several nodes share, which a test has to itself.
pub trait SharedStore {
    /// What `--store` is for it.
    fn url(&self) -> String;

    /// Takes it away in the midst of whatever it does, and brings it back.
    fn restart(&self);

    /// All events in order, read without anything of Offshoot.
    fn read_log(&self) -> Vec<LoggedEvent>;
}

/// An event as someone else reads it.
#[derive(Debug)]
pub struct LoggedEvent {
    pub position: u64,
    pub stream: String,
    pub version: u64,
    pub event_type: String,
    /// What stands in the payload below the event's name.
    pub content: Value,
}

/// A PostgreSQL server.
pub struct PostgresServer(OwnServer);

impl PostgresServer {
    pub fn start() -> Self {
        Self(OwnServer::start())
    }
}

impl SharedStore for PostgresServer {
    fn url(&self) -> String {
        self.0.url()
    }

    fn restart(&self) {
        self.0.stop();
        self.0.start_again();
    }

    fn read_log(&self) -> Vec<LoggedEvent> {
        let rows = self.0.sql(
            "SELECT json_build_array(position, category || '-' || key, version, event_type, payload::json)
            FROM offshoot.event ORDER BY position",
        );
        let event = |row: &str| {
            let row: Value = serde_json::from_str(row).expect("a row");
            let number = |column: usize| row[column].as_u64().expect("a number");
            let text = |column: usize| row[column].as_str().expect("a text").to_owned();
            let event_type = text(3);
            let content = row[4].get(&event_type).unwrap_or(&row[4]).clone();
            LoggedEvent { position: number(0), stream: text(1), version: number(2), event_type, content }
        };
        rows.lines().map(event).collect()
    }
}

/// A protocol double of KurrentDB.
pub struct KurrentDouble(Mutex<Double>);

impl KurrentDouble {
    pub fn start() -> Self {
        Self(Mutex::new(Double::new()))
    }
}

impl SharedStore for KurrentDouble {
    fn url(&self) -> String {
        self.0.lock().unwrap().url()
    }

    fn restart(&self) {
        let mut double = self.0.lock().unwrap();
        double.kill();
        double.start_again();
    }

    fn read_log(&self) -> Vec<LoggedEvent> {
        let records = self.0.lock().unwrap().records();
        let events = records.iter().filter_map(|record| Some((record, record.stream.strip_prefix("offshoot_")?)));
        let event = |(record, stream): (&std::sync::Arc<crate::double::log::Record>, &str)| {
            let payload: Value = serde_json::from_slice(&record.content.data).expect("JSON");
            let event_type = record.content.event_type.clone();
            LoggedEvent {
                position: record.position,
                stream: stream.to_owned(),
                version: record.revision + 1,
                content: payload.get(&event_type).unwrap_or(&payload).clone(),
                event_type,
            }
        };
        events.map(event).collect()
    }
}
