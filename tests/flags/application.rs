//! An application that asks for flags, and an environment for it to ask.

use offshoot::commands::{NewFeature, NewOption};
use offshoot_aggregates::environment::{EnvironmentRef, FeatureValue};
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::builders::TestProject;
use crate::support::client::{Client, Reply};
use crate::support::server::TestServer;

/// An application with a key of an environment.
pub struct Application {
    client: Client,
    pub key: String,
}

impl Application {
    pub fn new(server: &TestServer, key: impl Into<String>) -> Self {
        Self { client: server.without_key(), key: key.into() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, path).header("x-environment-key", &self.key)
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.client.send(request).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// The flags of an identity with traits, by the features' names.
    pub async fn identity(&self, identifier: &str, traits: &Value) -> Value {
        let traits: Vec<Value> = traits
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| json!({ "trait_key": key, "trait_value": value }))
            .collect();
        let reply = self.post("identities/", &json!({ "identifier": identifier, "traits": traits })).await;
        by_name(&reply.expect(200)["flags"])
    }

    /// The flags of the environment, by the features' names.
    pub async fn flags(&self) -> Value {
        by_name(&self.get("flags/").await.expect(200))
    }
}

/// A list of flags as an object, by the features' names.
pub fn by_name(flags: &Value) -> Value {
    let flags = flags.as_array().unwrap().iter();
    flags.map(|flag| (flag["feature"]["name"].as_str().unwrap().to_owned(), flag.clone())).collect()
}

/// An environment with a bit of everything.
pub struct Shop {
    pub server: TestServer,
    pub project: TestProject,
    pub environment: EnvironmentRef,
    /// A text.
    pub banner: FeatureId,
    /// Three variants, the last of them without a share.
    pub checkout: FeatureId,
    /// An integer, off.
    pub limit: FeatureId,
    /// Only servers see it.
    pub secret: FeatureId,
    /// Whose plan is gold.
    pub gold: SegmentId,
    /// The priority of gold's override of the banner is 0.
    pub client: Application,
    pub server_side: Application,
}

impl Shop {
    pub async fn open() -> Self {
        let server = TestServer::start().await;
        let project = server.project("shop").await;
        let environment = server.environment(project, "Production").await;
        let of = |name: &str, value: &str| NewFeature {
            name: name.to_owned(),
            initial_value: Some(value.to_owned()),
            default_enabled: true,
            ..NewFeature::default()
        };
        let described = NewFeature { description: Some("says hello".to_owned()), ..of("banner", "hello") };
        let banner = server.feature_like(project, described).await;
        let option = |value: &str, percentage, key: Option<&str>| NewOption {
            value: FeatureValue::text(Some(value)),
            default_percentage_allocation: percentage,
            key: key.map(str::to_owned),
        };
        let options =
            vec![option("a", 60.0, None), option("b", 10.0, Some("blue")), option("c", 0.0, Some("variant_c"))];
        let checkout = server.feature_like(project, NewFeature { options, ..of("checkout", "control") }).await;
        let limit = NewFeature { default_enabled: false, ..of("limit", "42") };
        let limit = server.feature_like(project, limit).await;
        let secret = NewFeature { is_server_key_only: true, ..of("secret", "true") };
        let secret = server.feature_like(project, secret).await;
        let gold = server.segment(project, "gold").await;
        let created = server
            .post(&format!("environments/{}/api-keys/", environment.api_key), json!({ "name": "backend" }))
            .await
            .expect(201);
        let client = Application::new(&server, &environment.api_key);
        let server_side = Application::new(&server, created["key"].as_str().unwrap());
        Self { server, project, environment, banner, checkout, limit, secret, gold, client, server_side }
    }

    /// Overrides a feature for a segment.
    pub async fn override_for(&self, segment: SegmentId, feature: FeatureId, enabled: bool, value: &str) -> Value {
        let path = format!("environments/{}/features/{feature}/create-segment-override/", self.environment.api_key);
        let value = json!({ "type": "unicode", "string_value": value });
        let body =
            json!({ "feature_segment": { "segment": segment }, "enabled": enabled, "feature_state_value": value });
        self.server.post(&path, body).await.expect(201)
    }

    /// Overrides a feature for an identity, who becomes known.
    pub async fn override_for_identity(&self, identifier: &str, feature: FeatureId, value: Value) -> (i64, Value) {
        let path = format!("environments/{}/identities/", self.environment.api_key);
        let identity = self.server.post(&path, json!({ "identifier": identifier })).await.expect(201);
        let id = identity["id"].as_i64().unwrap();
        let body = json!({ "feature": feature, "enabled": true, "feature_state_value": value });
        (id, self.server.post(&format!("{path}{id}/featurestates/"), body).await.expect(201))
    }

    /// Changes the default state of a feature.
    pub async fn change(&self, feature: FeatureId, change: Value) -> Reply {
        let path = format!("environments/{}/featurestates/", self.environment.api_key);
        let found = self.server.get(&format!("{path}?feature={feature}")).await.expect(200);
        let reply = self.server.put(&format!("{path}{}/", found["results"][0]["id"]), change).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply
    }

    /// Changes settings of the environment.
    pub async fn set(&self, settings: Value) {
        self.server.patch(&format!("environments/{}/", self.environment.api_key), settings).await.expect(200);
    }
}
