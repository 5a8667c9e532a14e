//! Identity overrides of a document, from the file to what the dashboard shows.

use std::sync::Arc;

use offshoot::commands::{CommandContext, CommandError, uuid_of_chosen_key};
use offshoot::import::flagsmith_document;
use offshoot_aggregates::environment::EnvironmentRef;
use offshoot_aggregates::{Actor, StreamId, Version};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{colour, document, identity, state};
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// A document with so many identities: each overrides `banner`, and every second also `colour`.
fn with_identities(count: i64) -> Value {
    let overrides = |number: i64| {
        let banner = state(11, "banner", 50_000 + number, json!(number));
        let colour = colour(60_000 + number, &[(32, 100.0)]);
        if number % 2 == 0 { vec![colour, banner] } else { vec![banner] }
    };
    document((0..count).map(|number| identity(&format!("user_{number}"), overrides(number))).collect())
}

async fn import(server: &TestServer, document: &Value) -> Result<EnvironmentRef, CommandError> {
    let plan = flagsmith_document::read(&document.to_string(), "imported".to_owned(), None).unwrap();
    let (organisation, _) = server.organisation().await;
    let context = CommandContext::repeatable(Actor::operator("test"), Uuid::from_u128(7));
    let imported = server.commands().import(&context, organisation, plan).await?;
    server.settle(imported.position).await;
    Ok(imported.created)
}

/// How many batches of each kind the environment's stream has.
async fn batches(server: &TestServer, environment: &EnvironmentRef) -> (usize, usize) {
    let stream = StreamId::environment(environment.uuid);
    let events = server.commands().log().read_stream(&stream, Version::NONE, 100).await.unwrap();
    let count = |name: &str| events.iter().filter(|event| event.event_type == name).count();
    (count("FeatureStatesImported"), count("IdentityOverridesImported"))
}

/// Waits until the first batch of overrides is in the log.
async fn wait_for_overrides(server: &TestServer) {
    let stream = StreamId::environment(uuid_of_chosen_key("source"));
    let mut head = server.commands().log().watch();
    loop {
        let events = server.commands().log().read_stream(&stream, Version::NONE, 100).await.unwrap();
        if events.iter().any(|event| event.event_type == "IdentityOverridesImported") {
            return;
        }
        head.changed().await.unwrap();
    }
}

/// The overrides of an identity: feature id and value.
async fn overrides(server: &TestServer, identifier: &str) -> Vec<Value> {
    let list = server.get(&format!("environments/source/identities/?q=%22{identifier}%22")).await.expect(200);
    let id = &list["results"][0]["id"];
    let path = format!("environments/source/identities/{id}/featurestates/");
    let states = server.get(&path).await.expect(200)["results"].as_array().unwrap().clone();
    states.into_iter().map(|state| state["feature_state_value"].clone()).collect()
}

#[tokio::test]
async fn overrides_are_there_with_their_shares_when_the_import_is_complete() {
    let server = TestServer::start().await;
    let environment = import(&server, &with_identities(3)).await.unwrap();
    assert_eq!(batches(&server, &environment).await, (1, 1));
    assert_eq!(server.get("environments/source/").await.expect(200)["is_creating"], false);
    assert_eq!(server.get("environments/source/identities/").await.expect(200)["count"], 3);
    assert_eq!(overrides(&server, "user_1").await, [json!(1)]);
    assert_eq!(overrides(&server, "user_2").await, [json!(2), json!("control")]);
    let all = server.get(&format!("features/featurestates/?environment={}", environment.id)).await.expect(200);
    let shares_of = |is_override: bool, options: usize| {
        let states = all["results"].as_array().unwrap().iter();
        let mut found = states.filter(|state| state["identity"].is_null() != is_override);
        let shares = |state: &Value| state["multivariate_feature_state_values"].clone();
        found.find(|state| shares(state).as_array().unwrap().len() == options).map(shares).unwrap()
    };
    let (shares, default) = (shares_of(true, 1), shares_of(false, 3));
    assert_eq!(shares[0]["percentage_allocation"], 100.0);
    assert_eq!(shares[0]["multivariate_feature_option"], default[1]["multivariate_feature_option"]);
}

#[tokio::test]
async fn an_import_that_broke_off_between_two_batches_of_overrides_goes_on_there() {
    let gate = Gate::closed_for(&["IdentityOverridesImported"]);
    let server = Arc::new(TestServer::start_on(|log| gate.before(log)).await);
    let document = with_identities(1_000);
    let importing = {
        let (server, document) = (server.clone(), document.clone());
        tokio::spawn(async move { import(&server, &document).await })
    };
    gate.let_through(1);
    wait_for_overrides(&server).await;
    gate.refuse_one();
    assert!(matches!(importing.await.unwrap(), Err(CommandError::Unavailable(_))));
    gate.open();
    // Ids that others take meanwhile change nothing.
    let project = server.project("other").await;
    server.environment(project, "other").await;
    let environment = import(&server, &document).await.unwrap();
    assert_eq!(batches(&server, &environment).await, (1, 3));
    assert_eq!(server.get("environments/source/identities/").await.expect(200)["count"], 1_000);
    for number in [0, 332, 333, 334, 666, 998] {
        let expected = if number % 2 == 0 { vec![json!(number), json!("control")] } else { vec![json!(number)] };
        assert_eq!(overrides(&server, &format!("user_{number}")).await, expected);
    }
    let again = import(&server, &document).await.unwrap();
    assert_eq!((again.uuid, batches(&server, &again).await), (environment.uuid, (1, 3)));
}
