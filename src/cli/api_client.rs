//! A client of the HTTP API, for the commands that talk to a server.

use serde_json::Value;

use super::CliError;
use crate::server::Server;

/// A client of the server's API.
pub struct Api {
    base: String,
    key: String,
    client: reqwest::Client,
}

impl Api {
    /// A client of a server that runs in this process.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(server: &Server, key: &str) -> Result<Self, CliError> {
        Self::at(format!("http://{}", server.address()), key)
    }

    /// A client of a server anywhere.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn at(base: String, key: &str) -> Result<Self, CliError> {
        Ok(Self { base, key: key.to_owned(), client: reqwest::Client::builder().build()? })
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.base.trim_end_matches('/'));
        self.client.request(method, url).header("Authorization", format!("Api-Key {}", self.key))
    }

    /// Gets a JSON answer.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub async fn get(&self, path: &str) -> Result<Value, CliError> {
        read(self.request(reqwest::Method::GET, path).send().await?).await
    }

    /// Posts JSON and gets a JSON answer.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        read(self.request(reqwest::Method::POST, path).json(body).send().await?).await
    }

    /// Puts JSON and gets a JSON answer.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        read(self.request(reqwest::Method::PUT, path).json(body).send().await?).await
    }

    /// Gets an answer that goes on.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub async fn stream(&self, path: &str) -> Result<reqwest::Response, CliError> {
        Ok(self.request(reqwest::Method::GET, path).send().await?.error_for_status()?)
    }
}

async fn read(answer: reqwest::Response) -> Result<Value, CliError> {
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        return Err(format!("the server answered {status}: {text}").into());
    }
    if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
}
