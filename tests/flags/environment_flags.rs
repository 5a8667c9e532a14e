//! `/flags/`: the flags of an environment as they are for nobody in particular.

use serde_json::json;

use super::application::{Shop, by_name};
use crate::support::client::keys;

#[tokio::test]
async fn flags_have_the_members_that_flagsmith_gives_them_in_its_order() {
    let shop = Shop::open().await;
    let reply = shop.client.get("flags/").await;
    assert_eq!(reply.header("content-type"), "application/json");
    let flags = reply.expect(200);
    let banner = &flags[0];
    assert_eq!(
        keys(banner),
        ["id", "feature", "feature_state_value", "environment", "identity", "feature_segment", "enabled"]
    );
    assert_eq!(
        keys(&banner["feature"]),
        ["id", "name", "created_date", "description", "initial_value", "default_enabled", "type"]
    );
    assert_eq!(banner["feature"]["id"], shop.banner.0);
    assert_eq!(banner["feature"]["description"], "says hello");
    assert_eq!(banner["feature"]["initial_value"], "hello");
    assert_eq!(banner["feature"]["type"], "STANDARD");
    assert_eq!(banner["feature_state_value"], "hello");
    assert_eq!(banner["environment"], shop.environment.id.0);
    assert_eq!((&banner["identity"], &banner["feature_segment"]), (&json!(null), &json!(null)));
    assert_eq!(banner["enabled"], true);
    let created = banner["feature"]["created_date"].as_str().unwrap();
    assert!(created.len() == 27 && created.ends_with('Z'), "{created}");
}

#[tokio::test]
async fn values_keep_their_types_and_a_multivariate_flag_shows_its_control_value() {
    let shop = Shop::open().await;
    let flags = shop.server_side.flags().await;
    assert_eq!(flags["limit"]["feature_state_value"], json!(42));
    assert_eq!(flags["secret"]["feature_state_value"], json!(true));
    assert_eq!(flags["checkout"]["feature_state_value"], "control");
    assert_eq!(flags["checkout"]["feature"]["type"], "MULTIVARIATE");
    let value = json!({ "feature_state_value": null });
    shop.change(shop.banner, value).await;
    assert_eq!(shop.client.flags().await["banner"]["feature_state_value"], json!(null));
    let odd = "\"quoted\" \\ \u{1F980} \u{2028} é";
    shop.change(shop.banner, json!({ "feature_state_value": odd })).await;
    assert_eq!(shop.client.flags().await["banner"]["feature_state_value"], odd);
}

#[tokio::test]
async fn only_a_server_key_shows_flags_that_are_for_servers_also_where_disabled_flags_are_hidden() {
    let shop = Shop::open().await;
    let names = async |application: &super::application::Application| keys(&application.flags().await).join(" ");
    assert_eq!(names(&shop.client).await, "banner checkout limit");
    assert_eq!(names(&shop.server_side).await, "banner checkout limit secret");
    // Flagsmith shows the flag for servers to everybody here.
    shop.set(json!({ "hide_disabled_flags": true })).await;
    assert_eq!(names(&shop.client).await, "banner checkout");
    assert_eq!(names(&shop.server_side).await, "banner checkout secret");
    shop.set(json!({ "hide_disabled_flags": null })).await;
    let path = format!("projects/{}/", shop.project.id);
    shop.server.patch(&path, json!({ "hide_disabled_flags": true })).await.expect(200);
    assert_eq!(names(&shop.client).await, "banner checkout", "the project's setting counts where there is no other");
}

#[tokio::test]
async fn one_flag_is_found_by_its_name_in_whatever_case() {
    let shop = Shop::open().await;
    let reply = shop.client.get("flags/?feature=BANNER").await;
    assert!(!reply.headers.contains_key("x-flagsmith-document-updated-at"));
    assert_eq!(reply.expect(200)["feature"]["name"], "banner");
    let expected = (404, json!({ "detail": "Given feature not found" }));
    assert_eq!(shop.client.get("flags/?feature=nope").await.told(), expected);
    assert_eq!(shop.client.get("flags/?feature=secret").await.told(), expected, "it is for servers only");
    shop.server_side.get("flags/?feature=secret").await.expect(200);
}

#[tokio::test]
async fn sensitive_data_is_hidden_where_the_environment_says_so() {
    let shop = Shop::open().await;
    shop.override_for(shop.gold, shop.banner, true, "for gold").await;
    shop.set(json!({ "hide_sensitive_data": true })).await;
    let flags = shop.client.get("flags/").await.expect(200);
    let banner = &by_name(&flags)["banner"];
    for hidden in ["id", "environment", "identity", "feature_segment"] {
        assert!(banner[hidden].is_null(), "{hidden}");
    }
    for hidden in ["created_date", "description", "initial_value", "default_enabled"] {
        assert!(banner["feature"][hidden].is_null(), "{hidden}");
    }
    assert_eq!(banner["feature"]["id"], shop.banner.0);
    let body = json!({ "identifier": "x", "traits": [{ "trait_key": "plan", "trait_value": "gold" }] });
    let identity = shop.client.post("identities/", &body).await.expect(200);
    assert_eq!(identity["traits"], json!([]));
    let banner = &by_name(&identity["flags"])["banner"];
    assert_eq!(banner["feature_state_value"], "for gold", "the traits count all the same");
    assert!(banner["feature_segment"].is_null());
}

#[tokio::test]
async fn a_hundred_thousand_flags_are_answered_and_one_of_them_is_changed() {
    let server = crate::support::server::TestServer::start().await;
    let (project, environment) = server.sample(100_000).await;
    let client = super::application::Application::new(&server, &environment.api_key);
    // Counted as text: to parse a hundred thousand flags takes a test longer than to serve them.
    let count = async |request: reqwest::RequestBuilder| {
        let text = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        text.matches("\"feature_state_value\":").count()
    };
    let flags = || client.request(reqwest::Method::GET, "flags/");
    assert_eq!(count(flags()).await, 100_000);
    let identity = client.request(reqwest::Method::POST, "identities/").json(&json!({ "identifier": "somebody" }));
    assert_eq!(count(identity).await, 100_000);
    let flag = client.get("flags/?feature=flag_077777").await.expect(200);
    let path = format!("environments/{}/featurestates/{}/", environment.api_key, flag["id"]);
    server.put(&path, json!({ "feature_state_value": "changed" })).await.expect(200);
    let changed = client.get("flags/?feature=flag_077777").await.expect(200);
    assert_eq!(changed["feature_state_value"], "changed");
    server.delete(&format!("projects/{}/features/{}/", project.id, flag["feature"]["id"])).await.expect(204);
    assert_eq!(count(flags()).await, 99_999);
}
