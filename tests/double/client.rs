//! A client of the double for its own tests.

use eventstore::{AppendToStreamOptions, Client, EventData, ExpectedRevision, ReadAllOptions, StreamPosition};

/// What is at a place in the double's log: position, stream, revision, type, data.
pub type Seen = (u64, String, u64, String, Vec<u8>);

/// A client of the double at a URL.
pub fn client(url: &str) -> Client {
    Client::new(format!("{url}&tlsCaFile=/dev/null").parse().unwrap()).unwrap()
}

/// Appends one event for each payload to a stream that has so many appends of as many events.
pub async fn append(client: &Client, stream: &str, appends_before: usize, payloads: &[&str]) {
    let events: Vec<_> = payloads.iter().map(|payload| EventData::json("Tested", payload).unwrap()).collect();
    let expected = match appends_before * payloads.len() {
        0 => ExpectedRevision::NoStream,
        events => ExpectedRevision::Exact(events as u64 - 1),
    };
    let options = AppendToStreamOptions::default().expected_revision(expected);
    client.append_to_stream(stream, &options, events).await.unwrap();
}

/// Everything in the double's log.
pub async fn everything(client: &Client) -> Vec<Seen> {
    let options = ReadAllOptions::default().position(StreamPosition::Start).max_count(10_000);
    let mut events = client.read_all(&options).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        let event = event.event.unwrap();
        seen.push((event.position.commit, event.stream_id, event.revision, event.event_type, event.data.to_vec()));
    }
    seen
}
