//! What is served in this benchmark: an environment of usual size, and a big one to be cloned meanwhile.

use std::path::Path;

use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::FeatureValue;
use serde_json::json;
use uuid::Uuid;

use super::super::CliError;
use super::super::child::Child;
use super::super::setup::{Place, Setup, Stopped, WAIT};
use super::load::Request;
use super::{Endpoint, Names, names};
use crate::cli::api_client::Api;
use crate::cli::sample_project::{sample_project, segment};
use crate::commands::{CommandContext, ImportedOverride, ImportedState};

/// Features of the environment.
pub const FEATURES: usize = 50;

/// Segments of the project, each of which overrides a feature.
pub const SEGMENTS: usize = 10;

/// The environment, in data that no server works with.
pub struct Subject {
    data: Stopped,
    client_key: String,
    server_key: String,
    /// The client key of the big environment.
    pub big: String,
}

impl Subject {
    /// Makes the data.
    pub async fn prepare(base: Option<&Path>, big: usize) -> Result<Self, CliError> {
        let setup = Setup::start(&Place::below(base)).await?;
        let mut plan = sample_project(FEATURES);
        // 5 are there already.
        for number in plan.segments.len()..SEGMENTS {
            plan.segments.push(segment(&format!("group {number}"), "group", &number.to_string()));
        }
        for (number, feature) in plan.features.iter_mut().take(SEGMENTS).enumerate() {
            let value = FeatureValue::text(Some(&format!("for segment {number}")));
            let state = ImportedState { enabled: true, value, shares: Vec::new(), seed: None };
            feature.overrides = vec![ImportedOverride { segment: number, priority: 0, state }];
        }
        let commands = &setup.server.node().commands;
        let (organisation, _) = commands.first_organisation().await?.ok_or("there is no organisation")?;
        let context = CommandContext::repeatable(Actor::operator("bench"), Uuid::new_v4());
        plan.project.name = "Served".to_owned();
        let served = commands.import(&context, organisation, plan).await?;
        if !setup.server.node().read_models.wait_for(served.position, WAIT).await {
            return Err("the read models do not follow".into());
        }
        let client_key = served.created.api_key;
        let path = format!("environments/{client_key}/api-keys/");
        let issued = setup.api.post(&path, &json!({ "name": "bench" })).await?;
        let server_key = issued["key"].as_str().ok_or("the answer has no key")?.to_owned();
        let big = setup.import(big * 100 / 105).await?.api_key;
        Ok(Self { data: setup.stop().await, client_key, server_key, big })
    }

    /// Where the data is.
    pub fn directory(&self) -> &Path {
        self.data.directory()
    }

    /// The API key of the organisation's admin.
    pub fn key(&self) -> &str {
        self.data.key()
    }

    /// A client of the API.
    pub fn api(&self, server: &Child) -> Result<Api, CliError> {
        Api::at(format!("http://{}", server.address()), self.key())
    }

    /// The client key of the environment.
    pub fn client_key(&self) -> &str {
        &self.client_key
    }

    /// A request with a key of the environment.
    fn request(key: &str, method: &'static str, path: &str, body: String) -> Request {
        let headers = format!("X-Environment-Key: {key}\r\nContent-Type: application/json\r\n");
        Request { method, path: path.to_owned(), headers, body }
    }

    /// The request for the environment's flags.
    pub fn flags(&self) -> Request {
        Self::request(&self.client_key, "GET", "/api/v1/flags/", String::new())
    }

    /// All endpoints. Each is asked once, and must answer.
    pub async fn endpoints(&self, server: &Child) -> Result<Vec<Endpoint>, CliError> {
        let traits = json!([
            { "trait_key": "plan", "trait_value": "gold" },
            { "trait_key": "beta", "trait_value": "false" },
            { "trait_key": "country", "trait_value": "fr" },
            { "trait_key": "age_in_days", "trait_value": 30 },
            { "trait_key": "group", "trait_value": "7" },
        ]);
        let identity = json!({ "identifier": "somebody@example.org", "traits": traits }).to_string();
        let context = json!({
            "targetingKey": "somebody@example.org", "plan": "gold", "beta": "false", "country": "fr",
            "age_in_days": 30, "group": "7",
        });
        let context = json!({ "context": context }).to_string();
        let with = |method, path: &str, body: &str| Self::request(&self.client_key, method, path, body.to_owned());
        let document = Self::request(&self.server_key, "GET", "/api/v1/environment-document/", String::new());
        let one = with("POST", "/ofrep/v1/evaluate/flags/flag_0000000", &context);
        let endpoints = vec![
            Endpoint { request: self.flags(), names: names!("flags") },
            Endpoint { request: with("POST", "/api/v1/identities/", &identity), names: names!("identities") },
            Endpoint { request: document, names: names!("document") },
            Endpoint { request: one, names: names!("OFREP one") },
            Endpoint { request: with("POST", "/ofrep/v1/evaluate/flags", &context), names: names!("OFREP all") },
        ];
        for endpoint in &endpoints {
            let answer = endpoint.request.ask(server.address()).await?;
            if answer.status != 200 {
                return Err(format!("{} was answered {}", endpoint.request.path, answer.status).into());
            }
        }
        Ok(endpoints)
    }
}
