//! What every client meets: the real binary on a fresh directory, and a project with a feature of every kind in it.

use std::net::SocketAddr;
use std::ops::Deref;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::prepared::ADMIN_KEY;
use crate::support::process::{ServerProcess, offshoot};

/// Changes that are made at once.
pub const BURST: u32 = 20;

/// A running server with an environment that has something of everything.
pub struct Scene {
    directory: TempDir,
    server: Option<ServerProcess>,
    address: SocketAddr,
    admin: Client,
    /// The client key of the environment.
    pub key: String,
    /// A server-side key of the environment.
    pub server_key: String,
    /// The id of the state that [`Scene::change`] changes.
    changing: i64,
}

impl Deref for Scene {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.admin
    }
}

impl Scene {
    /// Starts a server, and prepares everything over HTTP. Its clones rest a minute before each batch: until
    /// [`Scene::restart`] what is being created stays so.
    pub async fn prepare() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (server, address) = start(any, &directory, Some("60s"));
        let admin = admin(address);
        let (key, server_key, changing) = prepare(&admin).await;
        Self { directory, server: Some(server), address, admin, key, server_key, changing }
    }

    /// Where the server is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives the feature `changing` another value in the environment.
    pub async fn change(&self, value: &str) {
        let path = format!("environments/{}/featurestates/{}/", self.key, self.changing);
        self.put(&path, json!({ "feature_state_value": value })).await.expect(200);
    }

    /// An environment that is being created, and goes on being created.
    pub async fn begin_clone(&self) -> Clone {
        let body = json!({ "name": "Being created", "clone_feature_states_async": true });
        let clone = self.post(&format!("environments/{}/clone/", self.key), body).await.expect(200);
        let key = text(&clone["api_key"]);
        let environment = self.get(&format!("environments/{key}/")).await.expect(200);
        assert_eq!(environment["is_creating"], true);
        Clone { server_key: issue_server_key(self, &key).await, key }
    }

    /// Stops the server and starts it again on the same address, with clones that do not rest.
    pub async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            let ended = server.terminate();
            assert!(ended.status.success(), "{}", ended.stderr);
        }
        self.server = Some(start(self.address, &self.directory, None).0);
        // One without connections from before.
        self.admin = admin(self.address);
    }

    /// Waits until a clone is complete.
    pub async fn wait_until_complete(&self, clone: &Clone) {
        let path = format!("environments/{}/clone/", clone.key);
        // Ends with the clone.
        let events = self.request(reqwest::Method::GET, &format!("{path}events/")).send().await.unwrap();
        events.text().await.unwrap();
        let status = self.get(&path).await.expect(200);
        assert_eq!(status["status"], "completed");
    }
}

/// A clone of the environment.
pub struct Clone {
    pub key: String,
    pub server_key: String,
}

fn start(listen: SocketAddr, directory: &TempDir, pause: Option<&str>) -> (ServerProcess, SocketAddr) {
    let mut command = offshoot();
    command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
    command.envs(pause.map(|pause| ("OFFSHOOT_CLONE_BATCH_PAUSE", pause)));
    let server = ServerProcess::spawn_at(listen, command, directory.path(), None);
    let address = server.address().expect("it serves");
    (server, address)
}

fn admin(address: SocketAddr) -> Client {
    Client::new(format!("http://{address}"), Some(ADMIN_KEY.to_owned()))
}

async fn prepare(admin: &Client) -> (String, String, i64) {
    let organisations = admin.get("organisations/").await.expect(200);
    let organisation = &organisations["results"][0]["id"];
    let project = admin.post("projects/", json!({ "name": "Clients", "organisation": organisation })).await;
    let project = project.expect(201)["id"].as_i64().unwrap();
    // Who gets which variant depends on this key: with a new one each time it would be left to chance.
    let body = json!({ "name": "Production", "project": project, "api_key": "production-key-of-the-scene" });
    let key = text(&admin.post("environments/", body).await.expect(201)["api_key"]);
    let maker = Maker { admin, project, key: &key };
    maker.plain_features().await;
    maker.variants().await;
    maker.segments().await;
    maker.identity().await;
    let changing = json!({ "name": "changing", "default_enabled": true, "initial_value": "at first" });
    let changing = maker.feature(changing).await;
    let states = admin.get(&format!("environments/{key}/featurestates/?feature={changing}")).await.expect(200);
    let state = states["results"][0]["id"].as_i64().unwrap();
    let server_key = issue_server_key(admin, &key).await;
    (key, server_key, state)
}

struct Maker<'a> {
    admin: &'a Client,
    project: i64,
    key: &'a str,
}

impl Maker<'_> {
    async fn feature(&self, body: Value) -> i64 {
        let made = self.admin.post(&format!("projects/{}/features/", self.project), body).await.expect(201);
        made["id"].as_i64().unwrap()
    }

    async fn plain_features(&self) {
        for (name, enabled, value) in [
            ("switch_on", true, Value::Null),
            ("switch_off", false, Value::Null),
            ("boolean", true, json!("true")),
            ("text", true, json!("hällo, wörld")),
            ("integer", true, json!("42")),
            ("float", true, json!("1.5")),
            ("object", true, json!(r#"{"colour":"blue","sizes":[1,2.5]}"#)),
            ("text_off", false, json!("not to be seen")),
        ] {
            self.feature(json!({ "name": name, "default_enabled": enabled, "initial_value": value })).await;
        }
    }

    async fn variants(&self) {
        let body = json!({ "name": "variants", "default_enabled": true, "initial_value": "neither" });
        let feature = self.feature(body).await;
        for colour in ["red", "green"] {
            let option = json!({
                "feature": feature, "type": "unicode", "string_value": format!("the {colour} one"), "key": colour,
                "default_percentage_allocation": 40,
            });
            let path = format!("projects/{}/features/{feature}/mv-options/", self.project);
            self.admin.post(&path, option).await.expect(201);
        }
    }

    async fn segment(&self, name: &str, operator: &str, property: &str, value: &str) -> i64 {
        let condition = json!({ "operator": operator, "property": property, "value": value });
        let rules = json!([{ "type": "ALL", "rules": [{ "type": "ANY", "conditions": [condition] }] }]);
        let body = json!({ "name": name, "project": self.project, "rules": rules });
        let made = self.admin.post(&format!("projects/{}/segments/", self.project), body).await.expect(201);
        made["id"].as_i64().unwrap()
    }

    async fn override_for_segment(&self, feature: i64, segment: i64, value: &str) {
        let path = format!("environments/{}/features/{feature}/create-segment-override/", self.key);
        let body = json!({
            "enabled": true,
            "feature_segment": { "segment": segment },
            "feature_state_value": { "type": "unicode", "string_value": value },
        });
        self.admin.post(&path, body).await.expect(201);
    }

    /// The first segment has the highest priority.
    async fn segments(&self) {
        let feature = self.feature(json!({ "name": "banner", "default_enabled": false, "initial_value": "all" }));
        let feature = feature.await;
        for (name, operator, property, value) in [
            ("gold", "EQUAL", "plan", "gold"),
            ("grown up", "GREATER_THAN_INCLUSIVE", "age", "18"),
            ("staff", "EQUAL", "staff", "true"),
            ("tall", "GREATER_THAN", "height", "1.9"),
        ] {
            let segment = self.segment(name, operator, property, value).await;
            self.override_for_segment(feature, segment, &format!("the {name}")).await;
        }
        let half = self.segment("half", "PERCENTAGE_SPLIT", "", "50").await;
        let rolled_out = self.feature(json!({ "name": "rolled_out", "initial_value": "not yet" })).await;
        self.override_for_segment(rolled_out, half, "there").await;
    }

    /// `vip`, for whom two features are overridden.
    async fn identity(&self) {
        let features = self.admin.get(&format!("projects/{}/features/", self.project)).await.expect(200);
        let path = format!("environments/{}/identities/", self.key);
        let made = self.admin.post(&path, json!({ "identifier": "vip" })).await.expect(201);
        let identity = made["id"].as_i64().unwrap();
        for (name, value) in [("banner", "the vip"), ("integer", "only for the vip")] {
            let feature = features["results"].as_array().unwrap().iter().find(|feature| feature["name"] == name);
            let path = format!("environments/{}/identities/{identity}/featurestates/", self.key);
            let body = json!({ "feature": feature.unwrap()["id"], "enabled": true, "feature_state_value": value });
            self.admin.post(&path, body).await.expect(201);
        }
    }
}

async fn issue_server_key(admin: &Client, environment: &str) -> String {
    let path = format!("environments/{environment}/api-keys/");
    let key = text(&admin.post(&path, json!({ "name": "for local evaluation" })).await.expect(201)["key"]);
    assert!(key.starts_with("ser."), "{key}");
    key
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
