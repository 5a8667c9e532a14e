//! Which variant an identity gets: always the same one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::application::{Application, Shop};

async fn variants(application: &Application, identities: u32) -> Vec<Value> {
    let mut variants = Vec::new();
    for number in 0..identities {
        let flags = application.identity(&format!("user_{number}"), &json!({})).await;
        variants.push(flags["checkout"]["feature_state_value"].clone());
    }
    variants
}

#[tokio::test]
async fn an_identity_gets_one_variant_with_its_key_and_the_shares_are_kept() {
    let shop = Shop::open().await;
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    for number in 0..400 {
        let flags = shop.client.identity(&format!("user_{number}"), &json!({})).await;
        let checkout = &flags["checkout"];
        let value = checkout["feature_state_value"].as_str().unwrap().to_owned();
        let expected = match value.as_str() {
            "a" => Value::Null,
            "b" => json!("blue"),
            _ => json!("control"),
        };
        assert_eq!(checkout["variant"], expected, "{value}");
        *counted.entry(value).or_default() += 1;
    }
    assert_eq!(counted.keys().collect::<Vec<_>>(), ["a", "b", "control"], "nobody gets what has no share");
    let share = |value: &str| f64::from(counted[value]) / 400.0;
    assert!((share("a") - 0.6).abs() < 0.1 && (share("b") - 0.1).abs() < 0.06, "{counted:?}");
    assert_eq!(variants(&shop.client, 20).await, variants(&shop.server_side, 20).await);
}

#[tokio::test]
async fn a_clone_hashes_identities_with_the_seeds_of_its_source() {
    let shop = Shop::open().await;
    shop.override_for(shop.gold, shop.checkout, true, "for gold").await;
    let path = format!("environments/{}/clone/", shop.environment.api_key);
    let clone = shop.server.post(&path, json!({ "name": "clone" })).await.expect(200);
    let clone = clone["api_key"].as_str().unwrap();
    let document = async |key: &str| shop.server.get(&format!("environments/{key}/document/")).await.expect(200);
    let (source, copy) = (document(&shop.environment.api_key).await, document(clone).await);
    let states = |document: &Value| {
        let mut states = document["feature_states"].as_array().unwrap().clone();
        states.extend(document["project"]["segments"][0]["feature_states"].as_array().unwrap().clone());
        states
    };
    assert_eq!(states(&source).len(), 5);
    for (mut one, mut other) in states(&source).into_iter().zip(states(&copy)) {
        assert_eq!(one["django_id"], other["django_id"], "the seed is what identities are hashed with");
        assert_ne!(one["featurestate_uuid"], other["featurestate_uuid"]);
        for state in [&mut one, &mut other] {
            state.as_object_mut().unwrap().remove("featurestate_uuid");
            for share in state["multivariate_feature_state_values"].as_array_mut().unwrap() {
                share.as_object_mut().unwrap().remove("mv_fs_value_uuid");
            }
        }
        assert_eq!(one, other, "values and shares are the same");
    }
}
