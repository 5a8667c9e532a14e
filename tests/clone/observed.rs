//! What tests see of a clone: its status, its states, and what the read models make of them.

use offshoot_aggregates::environment::EnvironmentRef;
use offshoot_aggregates::ids::EnvironmentId;
use offshoot_projections::feature_states::{self, StateFilter, StateScope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::server::TestServer;

/// A clone that was requested.
pub struct Requested {
    pub id: EnvironmentId,
    pub key: String,
}

impl TestServer {
    /// Requests an asynchronous clone.
    pub async fn clone_async(&self, source: &EnvironmentRef, name: &str) -> Requested {
        self.clone_like(source, json!({ "name": name, "clone_feature_states_async": true })).await
    }

    /// Requests a clone.
    pub async fn clone_like(&self, source: &EnvironmentRef, body: Value) -> Requested {
        let answer = self.post(&format!("environments/{}/clone/", source.api_key), body).await.expect(200);
        let id = EnvironmentId(answer["id"].as_i64().unwrap());
        Requested { id, key: answer["api_key"].as_str().unwrap().to_owned() }
    }

    /// Where a clone stands.
    pub async fn clone_status(&self, clone: &Requested) -> Value {
        self.get(&format!("environments/{}/clone/", clone.key)).await.expect(200)
    }

    /// Waits until a clone stands as asked. Woken by the read model, not by the clock.
    pub async fn wait_for_clone(&self, clone: &Requested, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut moved = self.server().node().read_models.environment_status.watch();
        let waiting = async {
            loop {
                moved.borrow_and_update();
                let status = self.clone_status(clone).await;
                if is_so(&status) {
                    return status;
                }
                moved.changed().await.unwrap();
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.expect("the clone never gets there")
    }

    /// Waits until a clone is complete and every read model shows it.
    pub async fn wait_until_complete(&self, clone: &Requested) -> Value {
        let status = self.wait_for_clone(clone, |status| status["status"] != "creating").await;
        assert_eq!(status["status"], "completed", "{status}");
        self.settle(self.commands().log().head().await.unwrap()).await;
        status
    }

    /// A digest of what the states of an environment say, without their ids.
    pub async fn digest(&self, environment: EnvironmentId) -> Uuid {
        let query = move |file: &_| feature_states::environment_digest(file, environment);
        self.server().node().read_models.feature_states.query(query).await.unwrap()
    }

    /// How many states an environment shows.
    pub async fn count(&self, environment: EnvironmentId) -> u64 {
        let filter = StateFilter { scope: StateScope::All, ..StateFilter::default() };
        let query = move |file: &_| feature_states::count_states(file, environment, filter);
        self.server().node().read_models.feature_states.query(query).await.unwrap()
    }
}
