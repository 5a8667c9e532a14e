//! Nodes of two versions side by side: while they are replaced one by one, somebody always answers, and what was changed at one
//! shows at the other.

use offshoot_aggregates::Position;
use offshoot_aggregates::environment::EnvironmentRef;
use serde_json::{Value, json};

use super::clients;
use super::machines::Machines;
use super::shared_store::{PostgresServer, SharedStore};
use crate::support::prepared::Prepared;

/// Changes between two steps.
const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_replaced_by_ones_of_the_next_version_without_a_gap() {
    let store = PostgresServer::start();
    let prepared = Prepared::on(3_000, Some(&store.url())).await;
    let own = clients::environments(&prepared, 1).await.remove(0);
    // At first one that reads files of the version before, then one that has to build its own before it can serve.
    for raised in ["feature_states", "feature_states:unreadable"] {
        let machines = Machines::start(&store, 2).await;
        let flag = Flag::of(&machines, &own).await;
        let before = versions(&machines, 0).await;
        let mut rounds = flag.rounds(&machines, raised);
        for node in 0..2 {
            rounds.run(ROUNDS).await;
            machines.upgrade(node, raised);
            // Until it serves, and then until its read model is the new one, the other node is there.
            while !rounds.is_upgraded(node, before).await {
                rounds.run(1).await;
            }
            rounds.run(ROUNDS).await;
        }
        let after = [versions(&machines, 0).await, versions(&machines, 1).await];
        assert_eq!(after, [before + 1; 2]);
        let head = store.read_log().last().expect("there are events").position;
        let digests = machines.digests(Position(head)).await;
        assert_eq!(digests[0], digests[1]);
        assert_eq!(machines.stop_and_digest().len(), digests[0].len());
    }
}

/// The version of `feature_states` that serves, as a node says it; 0 while it is being built.
async fn versions(machines: &Machines, node: usize) -> u64 {
    let Ok(answer) = machines.api(node).get("/api/v1/projections/").await else { return 0 };
    let find = |list: &Value| {
        let list = list["results"].as_array()?;
        let found = list.iter().find(|one| one["name"] == "feature_states" && one["state"] == "live")?;
        found["version"].as_u64()
    };
    find(&answer.body).unwrap_or(0)
}

/// The flag that is changed.
struct Flag {
    path: String,
}

impl Flag {
    async fn of(machines: &Machines, environment: &EnvironmentRef) -> Self {
        let states = format!("/api/v1/environments/{}/featurestates/", environment.api_key);
        let listed = machines.api(0).get(&format!("{states}?page_size=1")).await.unwrap();
        assert_eq!(listed.status, 200, "{listed:?}");
        Self { path: format!("{states}{}/", listed.body["results"][0]["id"]) }
    }

    fn rounds<'r>(&'r self, machines: &'r Machines, name: &'r str) -> Rounds<'r> {
        Rounds { flag: self, machines, name, number: 0 }
    }
}

/// Changes the flag at one node and reads it at another.
struct Rounds<'r> {
    flag: &'r Flag,
    machines: &'r Machines,
    name: &'r str,
    number: usize,
}

impl Rounds<'_> {
    async fn run(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.number += 1;
            let value = format!("{} {}", self.name, self.number);
            let (mut answers, mut position) = (0, None);
            // As a load balancer does: whoever does not answer is passed over.
            for node in self.nodes() {
                let body = json!({ "feature_state_value": value });
                let changed = self.machines.api(node).put(&self.flag.path, &body, Some(&value)).await;
                if let Ok(changed) = changed.as_ref().map(|changed| (changed.status, changed.position)) {
                    assert!([200, 503].contains(&changed.0), "{changed:?}");
                    if changed.0 == 200 {
                        position = changed.1;
                        break;
                    }
                }
            }
            let position = position.unwrap_or_else(|| panic!("nobody takes change {value}"));
            for node in self.nodes() {
                if let Ok(read) = self.machines.api(node).get_at(&self.flag.path, position).await {
                    assert!([200, 503].contains(&read.status), "{read:?}");
                    if read.status == 200 {
                        assert_eq!(read.body["feature_state_value"], json!(value), "node {node}");
                        assert!(read.position >= Some(position), "{read:?}");
                        answers += 1;
                    }
                }
            }
            assert!(answers > 0, "nobody shows change {value}");
        }
    }

    fn nodes(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.number, self.machines.len());
        (0..count).map(move |next| (first + next) % count)
    }

    async fn is_upgraded(&self, node: usize, before: u64) -> bool {
        versions(self.machines, node).await == before + 1
    }
}
