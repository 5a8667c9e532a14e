//! The double's log: a file to which appends are added, each a whole or nothing, and what is in it, in memory.
//!
//! The rules of an append are KurrentDB's: the stream must be at the expected revision; if it is further, and the very events
//! with these ids follow that revision, the append is answered as if it were the first one.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use prost::bytes::{Buf, Bytes};
use uuid::Uuid;

/// Where the first record is: in front of it the database has something of its own.
const FIRST_POSITION: u64 = 512;

/// One append, as it stands in the file.
#[derive(Clone, PartialEq, Message)]
struct Frame {
    #[prost(string, tag = "1")]
    stream: String,
    #[prost(uint64, tag = "2")]
    first_revision: u64,
    /// Steps of 100 ns since 1970.
    #[prost(int64, tag = "3")]
    created: i64,
    #[prost(message, repeated, tag = "4")]
    events: Vec<NewRecord>,
}

/// An event that a client wants recorded.
#[derive(Clone, PartialEq, Message)]
pub struct NewRecord {
    #[prost(bytes = "bytes", tag = "1")]
    pub id: Bytes,
    #[prost(string, tag = "2")]
    pub event_type: String,
    #[prost(string, tag = "3")]
    pub content_type: String,
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub metadata: Bytes,
}

/// An event that is recorded.
pub struct Record {
    pub stream: Arc<str>,
    pub revision: u64,
    pub position: u64,
    pub created: i64,
    pub content: NewRecord,
}

/// The revision that a stream must be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedRevision {
    Any,
    StreamExists,
    NoStream,
    At(u64),
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Its last event is here.
    Recorded { revision: u64, position: u64 },
    /// The stream is at another revision, or there is none.
    WrongRevision { current: Option<u64> },
}

/// What is in the log.
pub struct Log {
    file: File,
    file_bytes: u64,
    records: Vec<Arc<Record>>,
    streams: HashMap<Arc<str>, Vec<Arc<Record>>>,
    unwritten: Vec<u8>,
    last_created: i64,
}

impl Log {
    /// Opens a file. What was written of an append that was not finished is cut off.
    pub fn open(path: &Path) -> Self {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let mut log = Self {
            file,
            file_bytes: 0,
            records: Vec::new(),
            streams: HashMap::new(),
            unwritten: Vec::new(),
            last_created: 0,
        };
        let mut rest = Bytes::from(bytes);
        while let Ok(frame) = Frame::decode_length_delimited(&mut rest.clone()) {
            rest.advance(frame.encoded_len() + prost::length_delimiter_len(frame.encoded_len()));
            log.add(frame);
        }
        log.file.set_len(log.file_bytes).unwrap();
        if log.records.is_empty() {
            // A database is never without something of its own.
            let event_type = "$ServerStarted".to_owned();
            let content_type = "application/json".to_owned();
            let own = NewRecord {
                id: Bytes::copy_from_slice(Uuid::new_v4().as_bytes()),
                event_type,
                content_type,
                ..NewRecord::default()
            };
            log.append("$server", ExpectedRevision::Any, vec![own]);
            log.write();
        }
        log
    }

    /// Records events, but not on disk yet; see [`Log::write`].
    pub fn append(&mut self, stream: &str, expected: ExpectedRevision, events: Vec<NewRecord>) -> Appended {
        let recorded = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let current = recorded.last().map(|last| last.revision);
        let next = recorded.len() as u64;
        let wanted = match expected {
            ExpectedRevision::Any => next,
            ExpectedRevision::StreamExists if current.is_none() => return Appended::WrongRevision { current },
            ExpectedRevision::StreamExists => next,
            ExpectedRevision::NoStream => 0,
            ExpectedRevision::At(revision) => revision + 1,
        };
        if wanted > next {
            return Appended::WrongRevision { current };
        }
        let is_any = matches!(expected, ExpectedRevision::Any | ExpectedRevision::StreamExists);
        let there = if is_any {
            recorded.iter().position(|record| events.first().is_some_and(|first| first.id == record.content.id))
        } else {
            usize::try_from(wanted).ok().filter(|wanted| *wanted < recorded.len())
        };
        if let Some(first) = there {
            let same =
                recorded[first..].iter().zip(&events).take_while(|(record, event)| record.content.id == event.id);
            return match same.count() {
                count if count == events.len() && count > 0 => {
                    let last = &recorded[first + count - 1];
                    Appended::Recorded { revision: last.revision, position: last.position }
                }
                _ => Appended::WrongRevision { current },
            };
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() / 100;
        self.last_created = self.last_created.max(i64::try_from(now).unwrap());
        let frame = Frame { stream: stream.to_owned(), first_revision: next, created: self.last_created, events };
        self.unwritten.extend(frame.encode_length_delimited_to_vec());
        self.add(frame);
        let last = self.records.last().unwrap();
        Appended::Recorded { revision: last.revision, position: last.position }
    }

    /// Puts on disk what was recorded.
    pub fn write(&mut self) {
        if !self.unwritten.is_empty() {
            self.file.write_all(&self.unwritten).unwrap();
            self.file.sync_data().unwrap();
            self.unwritten.clear();
        }
    }

    fn add(&mut self, frame: Frame) {
        let length = frame.encoded_len();
        let stream: Arc<str> = Arc::from(frame.stream);
        let mut position = FIRST_POSITION + self.file_bytes;
        self.file_bytes += (length + prost::length_delimiter_len(length)) as u64;
        for (content, revision) in frame.events.into_iter().zip(frame.first_revision..) {
            let bytes = content.data.len() + content.metadata.len() + 1;
            let created = frame.created;
            let record = Arc::new(Record { stream: stream.clone(), revision, position, created, content });
            position += bytes as u64;
            self.last_created = self.last_created.max(created);
            self.streams.entry(stream.clone()).or_default().push(record.clone());
            self.records.push(record);
        }
    }

    /// All records.
    pub fn all(&self) -> &[Arc<Record>] {
        &self.records
    }

    /// The records of a stream; `None` if there is no such stream.
    pub fn stream(&self, name: &str) -> Option<&[Arc<Record>]> {
        self.streams.get(name).map(Vec::as_slice)
    }
}
