//! Asks what was recorded, of a server of our own.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{AuditLine, Difference, Exchange, compare};
use crate::support::client::Reply;
use crate::support::server::TestServer;

/// A server that is asked what was recorded, and what its answers have named so far.
pub(super) struct Replay {
    server: TestServer,
    named: HashMap<String, Value>,
}

impl Replay {
    pub(super) async fn start() -> Self {
        Self { server: TestServer::start().await, named: HashMap::new() }
    }

    /// Asks once, and tells what is not as it was recorded.
    pub(super) async fn ask(&mut self, exchange: &Exchange) -> Vec<Difference> {
        if let Some(clone) = &exchange.wait {
            self.wait_until_complete(clone).await;
        }
        if let Some(line) = &exchange.line {
            let id = self.find_line(line).await;
            self.named.insert("line".to_owned(), id);
        }
        let reply = self.send(exchange).await;
        if reply.status != exchange.status {
            let (recorded, here) = (exchange.status.to_string(), format!("{}: {}", reply.status, reply.body));
            return vec![Difference { step: exchange.step, at: "status".to_owned(), recorded, here }];
        }
        for (name, pointer) in &exchange.keep {
            let found = reply.body.pointer(pointer.as_str().unwrap());
            let found = found.unwrap_or_else(|| panic!("{name} of step {}: {}", exchange.step, reply.body));
            self.named.insert(name.clone(), found.clone());
        }
        compare(exchange, &reply.body)
    }

    async fn send(&self, exchange: &Exchange) -> Reply {
        let (method, path) = exchange.ask.split_once(' ').unwrap();
        let path = self.filled_in(path);
        let method: Method = method.parse().unwrap();
        let anonymous = self.server.without_key();
        let mut request = match exchange.who.as_deref() {
            None => self.server.request(method, &path),
            Some("nobody") => anonymous.request(method, &path),
            Some("a stranger") => {
                anonymous.request(method, &path).header("authorization", format!("Token {}", "0".repeat(40)))
            }
            Some(client) => {
                let key = self.filled_in(client.strip_prefix("a client of ").unwrap());
                anonymous.request(method, &path).header("x-environment-key", key)
            }
        };
        if let Some(accept) = &exchange.accept {
            request = request.header("accept", accept);
        }
        if let Some(body) = &exchange.send {
            request = request.json(&self.with_names(body));
        }
        self.server.send(request).await
    }

    /// The text with what the braces name.
    fn filled_in(&self, text: &str) -> String {
        self.named.iter().fold(text.to_owned(), |text, (name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.replace(&format!("{{{name}}}"), &value)
        })
    }

    /// The value with what the braces name in the place of whole texts.
    fn with_names(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                let named = name.map(|name| self.named.get(name).unwrap_or_else(|| panic!("nothing is called {name}")));
                named.unwrap_or(value).clone()
            }
            Value::Array(values) => values.iter().map(|value| self.with_names(value)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (key.clone(), self.with_names(value))).collect()
            }
            other => other.clone(),
        }
    }

    async fn wait_until_complete(&self, clone: &str) {
        let path = format!("environments/{}/clone/", self.named[clone].as_str().unwrap());
        let mut moved = self.server.server().node().read_models.environment_status.watch();
        let waiting = async {
            loop {
                moved.borrow_and_update();
                if self.server.get(&path).await.expect(200)["status"] == "completed" {
                    return;
                }
                moved.changed().await.unwrap();
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("the clone completes");
        self.server.settle(self.server.head().await).await;
    }

    /// The newest line of the audit log with this text about a thing of this type.
    async fn find_line(&self, line: &AuditLine) -> Value {
        let path = format!("projects/{}/audit/?page_size=999", self.named["project"]);
        let lines = self.server.get(&path).await.expect(200);
        let mut lines = lines["results"].as_array().unwrap().iter();
        let is_it = |found: &&Value| {
            found["log"] == json!(line.log) && found["related_object_type"] == json!(line.related_object_type)
        };
        lines.find(is_it).unwrap_or_else(|| panic!("no line {line:?}"))["id"].clone()
    }
}
