//! An import into a log that takes little at once: KurrentDB's, played by its double.

use std::collections::HashMap;
use std::sync::Arc;

use offshoot::commands::{CommandContext, CommandError, ImportPlan, ImportedIdentity};
use offshoot::event_log::{EventLog, KurrentEventLog, KurrentUrl};
use offshoot_aggregates::{Actor, Position};
use serde_json::Value;
use uuid::Uuid;

use crate::double::process::{APPEND_BYTES, Double};
use crate::support::gated_log::Gate;
use crate::support::sample::{sample, sample_states};
use crate::support::server::TestServer;

/// Bytes that the log takes at once: much less than a batch of the usual size has.
const BYTES: usize = 20_000;

const FEATURES: usize = 700;

/// The events that an import comes in.
const KINDS: [&str; 3] = ["FeaturesImported", "FeatureStatesImported", "IdentityOverridesImported"];

/// More than fits into two batches of the usual size.
const IDENTITIES: usize = 600;

fn plan() -> ImportPlan {
    let mut plan = sample(FEATURES);
    let state = plan.features[0].state.clone();
    let identity = |number| ImportedIdentity {
        identifier: format!("user_{number}"),
        overrides: vec![(number % FEATURES, state.clone()), ((number + 1) % FEATURES, state.clone())],
    };
    plan.identities = (0..IDENTITIES).map(identity).collect();
    plan
}

async fn import(server: &TestServer) -> Result<(Uuid, Vec<(Value, Value)>), CommandError> {
    let (organisation, _) = server.organisation().await;
    let context = CommandContext::repeatable(Actor::operator("test"), Uuid::from_u128(11));
    let imported = server.commands().import(&context, organisation, plan()).await?;
    server.settle(imported.position).await;
    let environment = imported.created;
    let (_, project) = server.commands().load_environment(environment.uuid).await?.aggregate.project().unwrap();
    let path = format!("projects/{project}/features/?environment={}&page_size=999", environment.id);
    let features = server.get(&path).await.expect(200);
    let mut states = Vec::new();
    for feature in features["results"].as_array().unwrap() {
        let state = &feature["environment_feature_state"];
        let options = feature["multivariate_options"].as_array().unwrap().len();
        states.push((
            feature["name"].clone(),
            serde_json::json!([state["enabled"], state["feature_state_value"], options]),
        ));
    }
    assert_eq!(states.len(), FEATURES);
    assert_eq!(server.count(environment.id).await, sample_states(FEATURES) + 2 * IDENTITIES as u64);
    let identities = server.get(&format!("environments/{}/identities/", environment.api_key)).await.expect(200);
    assert_eq!(identities["count"], IDENTITIES);
    Ok((environment.uuid, states))
}

/// How many events of each type there are, but for ids, and the bytes of the biggest.
async fn counted(log: &Arc<dyn EventLog>) -> (HashMap<String, usize>, usize) {
    let (mut counts, mut biggest, mut position) = (HashMap::new(), 0, Position::START);
    loop {
        let page = log.read_all(position, 1_000).await.unwrap();
        let Some(last) = page.last() else { return (counts, biggest) };
        position = last.position;
        for event in page.into_iter().filter(|event| event.event_type != "IdsReserved") {
            biggest = biggest.max(event.payload.len());
            *counts.entry(event.event_type).or_default() += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_cut_into_what_the_log_takes_at_once_and_goes_on_in_the_same_way() {
    let (_, expected) = import(&TestServer::start().await).await.unwrap();
    let mut double = Double::new();
    double.tell(&format!("append-bytes {BYTES}"));
    for (round, kind) in KINDS.iter().enumerate() {
        let url = double.url().replace(&APPEND_BYTES.to_string(), &BYTES.to_string());
        let url = format!("{url}&installation=round{round}");
        let log: Arc<dyn EventLog> = Arc::new(KurrentEventLog::open(&KurrentUrl::new(&url).unwrap()).await.unwrap());
        let gate = Gate::closed_for(&KINDS[round..=round]);
        let server = TestServer::start_on(|_| gate.before(log.clone())).await;
        gate.let_through(2);
        let break_off = async {
            let mut head = log.watch();
            while counted(&log).await.0.get(*kind) != Some(&2) {
                head.changed().await.unwrap();
            }
            gate.refuse_one();
        };
        let (broken_off, ()) = tokio::join!(import(&server), break_off);
        assert!(matches!(broken_off, Err(CommandError::Unavailable(_))), "{broken_off:?}");
        assert_eq!(counted(&log).await.0[*kind], 2);
        gate.open();
        let (uuid, states) = import(&server).await.unwrap();
        assert_eq!(states, expected);
        let (counts, biggest) = counted(&log).await;
        assert!(KINDS.iter().all(|kind| (5..200).contains(&counts[*kind])), "{counts:?}");
        assert!((BYTES / 4..BYTES).contains(&biggest), "{biggest}");
        // Once more, and nothing happens, but that ids are taken and not used.
        assert_eq!(import(&server).await.unwrap(), (uuid, states));
        assert_eq!(counted(&log).await.0, counts);
    }
}
