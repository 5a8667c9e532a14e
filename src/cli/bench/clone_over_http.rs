//! Clones of a server that is another process: nothing but what a server does counts as its memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::CliError;
use super::child::Child;
use super::figures::Figures;
use super::setup::{Stopped, WAIT};
use crate::cli::api_client::Api;

/// Requests an asynchronous clone and waits until it is complete.
pub async fn clone_over_http(api: &Api, source: &str, name: &str) -> Result<(), CliError> {
    let body = json!({ "name": name, "clone_feature_states_async": true });
    let clone = api.post(&format!("environments/{source}/clone/"), &body).await?;
    let key = clone["api_key"].as_str().ok_or("the answer has no key")?;
    let started = Instant::now();
    while started.elapsed() < WAIT {
        let status = api.get(&format!("environments/{key}/clone/")).await?;
        if status["status"] == "completed" {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err("the clone does not complete".into())
}

/// Starts a server on data with an environment, and measures the memory that it takes as it clones it.
pub async fn measure_memory(data: &Stopped, source: &str, figures: &mut Figures) -> Result<(), CliError> {
    let server = Child::server_on(data.directory(), data.key(), None).await?;
    let api = Api::at(format!("http://{}", server.address()), data.key())?;
    figures.add("memory of a server that has started", "MiB", server.memory_mib()?);
    clone_over_http(&api, source, "cloned by another process").await?;
    figures.add("memory of a server that has cloned", "MiB", server.memory_mib()?);
    figures.add("peak memory of a server that clones", "MiB", server.peak_memory_mib()?);
    server.stop().await
}
