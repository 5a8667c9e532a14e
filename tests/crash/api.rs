//! A client of the API of a server process, which may die at any moment.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use offshoot_aggregates::Position;
use serde_json::{Value, json};

use crate::support::prepared::{ADMIN_KEY, PATIENCE};

/// A client of the API.
pub struct Api {
    base: String,
    client: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body, if it is JSON.
    pub body: Value,
    /// What `Offshoot-Position` says.
    pub position: Option<Position>,
}

/// Why nobody follows a clone any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The clone is complete.
    Completed,
    /// The server has gone away.
    BrokenOff,
    /// The follower has seen enough.
    Enough,
}

impl Api {
    /// A client of the server at this address.
    pub fn at(address: SocketAddr) -> Self {
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { base: format!("http://{address}"), client }
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).header("authorization", format!("Api-Key {ADMIN_KEY}"))
    }

    /// Gets an answer.
    pub async fn get(&self, path: &str) -> reqwest::Result<Answer> {
        read(self.request(reqwest::Method::GET, path).send().await?).await
    }

    /// Gets a text.
    pub async fn get_text(&self, path: &str) -> reqwest::Result<String> {
        self.request(reqwest::Method::GET, path).send().await?.text().await
    }

    /// Gets an answer that shows the log up to a position.
    pub async fn get_at(&self, path: &str, position: Position) -> reqwest::Result<Answer> {
        let request = self.request(reqwest::Method::GET, path).header("offshoot-min-position", position.0);
        read(request.send().await?).await
    }

    /// Replaces something, with an `Idempotency-Key` if there is one.
    pub async fn put(&self, path: &str, body: &Value, key: Option<&str>) -> reqwest::Result<Answer> {
        let mut request = self.request(reqwest::Method::PUT, path).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key.replace(' ', "-"));
        }
        read(request.send().await?).await
    }

    /// Posts nothing.
    pub async fn post(&self, path: &str) -> reqwest::Result<Answer> {
        read(self.request(reqwest::Method::POST, path).send().await?).await
    }

    /// Posts something.
    pub async fn post_json(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        read(self.request(reqwest::Method::POST, path).json(body).send().await?).await
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        read(self.request(reqwest::Method::PATCH, path).json(body).send().await?).await
    }

    /// Where a clone stands, once the server has come to `position`.
    pub async fn clone_status(&self, clone: &str, position: Position) -> reqwest::Result<Answer> {
        let request = self.request(reqwest::Method::GET, &format!("/api/v1/environments/{clone}/clone/"));
        read(request.header("offshoot-min-position", position.0).send().await?).await
    }

    /// Asks for an asynchronous clone.
    pub async fn clone_async(&self, source: &str, name: &str, idempotency_key: &str) -> reqwest::Result<Answer> {
        let request = self.request(reqwest::Method::POST, &format!("/api/v1/environments/{source}/clone/"));
        let body = json!({ "name": name, "clone_feature_states_async": true });
        read(request.header("idempotency-key", idempotency_key).json(&body).send().await?).await
    }

    /// Follows a clone, which was requested at `position`, to its end, or until `look` at where it stands is enough.
    pub async fn follow(
        &self,
        clone: &str,
        position: Position,
        mut look: impl FnMut(&Value) -> ControlFlow<()>,
    ) -> Followed {
        let path = format!("/api/v1/environments/{clone}/clone/events/");
        let (mut buffer, mut response) = (Vec::new(), None);
        loop {
            let Some(open) = &mut response else {
                let request = self.request(reqwest::Method::GET, &path).header("offshoot-min-position", position.0);
                match request.send().await {
                    Ok(answer) if answer.status() == 503 => {}
                    Ok(answer) => response = Some(answer.error_for_status().expect("the clone is there")),
                    Err(_) => return Followed::BrokenOff,
                }
                continue;
            };
            let Ok(Some(chunk)) = reqwest::Response::chunk(open).await else { return Followed::BrokenOff };
            buffer.extend_from_slice(&chunk);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                let Some(status) = line.strip_prefix(b"data: ") else { continue };
                let status: Value = serde_json::from_slice(status).expect("where the clone stands");
                if look(&status).is_break() {
                    return Followed::Enough;
                }
                match status["status"].as_str() {
                    Some("completed") => return Followed::Completed,
                    Some("creating") => {}
                    other => panic!("the clone is {other:?}: {status}"),
                }
            }
        }
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Answer> {
    let status = response.status().as_u16();
    let header = response.headers().get("offshoot-position");
    let position = header.and_then(|value| value.to_str().ok()?.parse().ok()).map(Position);
    let body = serde_json::from_str(&response.text().await?).unwrap_or_default();
    Ok(Answer { status, body, position })
}
