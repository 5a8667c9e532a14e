//! Segments over HTTP: making, listing, changing, copying and deleting them, and all that is refused.

use offshoot_aggregates::permissions::ProjectPermission as May;
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::client::keys;
use crate::support::server::TestServer;

async fn start() -> (TestServer, TestProject, String) {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    (server, project, format!("projects/{}/segments/", project.id))
}

fn with_rules(name: &str, conditions: Value) -> Value {
    let inner = json!({ "type": "ANY", "rules": [], "conditions": conditions });
    json!({ "name": name, "project": 0, "rules": [{ "type": "ALL", "rules": [inner], "conditions": [] }] })
}

fn segment(name: &str) -> Value {
    with_rules(name, json!([{ "property": "plan", "operator": "EQUAL", "value": "gold" }]))
}

async fn names(server: &TestServer, path: &str) -> Vec<String> {
    let body = server.get(path).await.expect(200);
    body["results"].as_array().unwrap().iter().map(|segment| segment["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_segment_is_made_shown_and_listed_as_in_flagsmith() {
    let (server, project, path) = start().await;
    let reply = server.post(&path, segment("gold")).await;
    assert_eq!(reply.status, 201);
    assert!(reply.headers.contains_key("offshoot-position"));
    let created = reply.body;
    let outer = &created["rules"][0];
    let inner = &outer["rules"][0];
    let condition = &inner["conditions"][0];
    let (id, made_at) = (&created["id"], &created["created_at"]);
    assert_eq!(keys(outer), ["id", "type", "rules", "conditions"]);
    assert_eq!(keys(inner), ["id", "type", "conditions"]);
    assert_eq!(keys(condition), ["id", "operator", "property", "value", "description"]);
    let expected = json!({ "id": id, "uuid": created["uuid"], "created_at": made_at, "updated_at": made_at,
        "name": "gold", "description": null, "project": project.id.0, "feature": null, "version_of": id,
        "rules": [{ "id": outer["id"], "type": "ALL", "rules": [{ "id": inner["id"], "type": "ANY", "conditions": [
            { "id": condition["id"], "operator": "EQUAL", "property": "plan", "value": "gold", "description": null },
        ] }], "conditions": [] }],
        "metadata": [], "membership_counts": [], "managed_by": "" });
    assert_eq!((keys(&created), &created), (keys(&expected), &expected));
    assert!([&created["id"], &outer["id"], &inner["id"], &condition["id"]].iter().all(|id| id.is_i64()));
    assert_eq!(server.get(&format!("{path}{}/", created["id"])).await.told(), (200, created.clone()));
    let list = json!({ "count": 1, "next": null, "previous": null, "results": [created] });
    assert_eq!(server.get(&path).await.told(), (200, list));
}

#[tokio::test]
async fn segments_are_searched_and_those_of_one_feature_are_listed_on_request() {
    let (server, project, path) = start().await;
    let feature = server.feature(project, "banner").await;
    for name in ["gold", "beta"] {
        server.post(&path, segment(name)).await.expect(201);
    }
    let mut special = segment("golden banner");
    special["feature"] = json!(feature.0);
    assert_eq!(server.post(&path, special).await.expect(201)["feature"], feature.0);
    assert_eq!(names(&server, &path).await, ["gold", "beta"]);
    assert_eq!(names(&server, &format!("{path}?q=GOL")).await, ["gold"]);
    assert_eq!(names(&server, &format!("{path}?q=gol&include_feature_specific=true")).await, ["gold", "golden banner"]);
    assert_eq!(
        names(&server, &format!("{path}?q=&include_feature_specific=1&page_size=2&page=2&x=y")).await,
        ["golden banner"]
    );
    let wrong = json!({ "include_feature_specific": ["Must be a valid boolean."] });
    assert_eq!(server.get(&format!("{path}?include_feature_specific=maybe")).await.told(), (400, wrong));
    assert_eq!(server.get(&format!("{path}?page=0")).await.told(), (404, json!({ "detail": "Invalid page." })));
}

#[tokio::test]
async fn values_of_conditions_are_kept_as_texts() {
    let (server, _, path) = start().await;
    let conditions = json!([
        { "operator": "GREATER_THAN", "property": "age", "value": 18 },
        { "operator": "EQUAL", "property": "vip", "value": true },
        { "operator": "PERCENTAGE_SPLIT", "property": null, "value": 12.5 },
        { "operator": "IS_SET", "property": "email", "value": null, "description": "with an address" },
        { "operator": "CONTAINS", "property": "name", "value": " x " },
    ]);
    let created = server.post(&path, with_rules("all", conditions)).await.expect(201);
    let conditions = created["rules"][0]["rules"][0]["conditions"].as_array().unwrap().clone();
    let values: Vec<_> = conditions.iter().map(|condition| condition["value"].clone()).collect();
    assert_eq!(values, [json!("18"), json!("True"), json!("12.5"), json!(null), json!(" x ")]);
    assert_eq!((&conditions[2]["property"], &conditions[3]["description"]), (&json!(null), &json!("with an address")));
}

#[tokio::test]
async fn a_changed_segment_keeps_the_ids_of_the_rules_that_stay() {
    let (server, _, path) = start().await;
    let created = server.post(&path, segment("gold")).await.expect(201);
    let path = format!("{path}{}/", created["id"]);
    let renamed = server.patch(&path, json!({ "name": "silver", "description": "d" })).await;
    assert!(renamed.headers.contains_key("offshoot-position"));
    let renamed = renamed.expect(200);
    let mut expected = created.clone();
    expected["name"] = json!("silver");
    expected["description"] = json!("d");
    expected["updated_at"] = renamed["updated_at"].clone();
    assert_eq!(renamed, expected);
    assert!(renamed["updated_at"].as_str() > created["updated_at"].as_str());

    let mut rules = created["rules"].clone();
    rules[0]["rules"][0]["conditions"][0]["value"] = json!("silver");
    let more = json!([rules[0], rules[0], { "type": "NONE", "conditions": [{ "operator": "IN", "property": "p", "value": "1,2" }] }]);
    let changed = server.put(&path, json!({ "name": "silver", "rules": more })).await.expect(200);
    let got = changed["rules"].as_array().unwrap();
    assert_eq!((got.len(), &got[0], &changed["description"]), (3, &rules[0], &json!("d")));
    let ids: std::collections::BTreeSet<_> = got.iter().map(|rule| rule["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 3);

    let mut deleted = changed["rules"].clone();
    deleted[0]["delete"] = json!(true);
    deleted[1]["rules"][0]["conditions"][0]["delete"] = json!(true);
    let changed = server.patch(&path, json!({ "rules": deleted })).await.expect(200);
    assert_eq!((&changed["rules"][0]["id"], changed["rules"].as_array().unwrap().len()), (&deleted[1]["id"], 2));
    assert_eq!(changed["rules"][0]["rules"][0]["conditions"], json!([]));
    assert_eq!(server.get(&path).await.told(), (200, changed));
}

#[tokio::test]
async fn ids_of_rules_that_are_another_segments_are_not_taken_over() {
    let (server, _, path) = start().await;
    let first = server.post(&path, segment("gold")).await.expect(201);
    let again = json!({ "name": "copy", "rules": first["rules"] });
    let second = server.post(&path, again).await.expect(201);
    let ids = |segment: &Value| {
        let rule = &segment["rules"][0];
        [&rule["id"], &rule["rules"][0]["id"], &rule["rules"][0]["conditions"][0]["id"]].map(Value::clone)
    };
    for (own, other) in ids(&second).iter().zip(ids(&first)) {
        assert_ne!(*own, other);
    }
}

#[tokio::test]
async fn a_segment_is_copied_under_another_name() {
    let (server, _, path) = start().await;
    let mut body = segment("gold");
    body["description"] = json!("the rich");
    let created = server.post(&path, body).await.expect(201);
    let path_of_clone = format!("{path}{}/clone/", created["id"]);
    let copy = server.post(&path_of_clone, json!({ "name": "gold 2" })).await;
    assert_eq!(copy.status, 201);
    let copy = copy.body;
    assert_ne!((&copy["id"], &copy["uuid"]), (&created["id"], &created["uuid"]));
    assert_eq!((&copy["name"], &copy["description"]), (&json!("gold 2"), &json!("the rich")));
    let [own, other] = [&copy, &created].map(|segment| segment["rules"][0]["rules"][0]["conditions"][0].clone());
    assert_ne!(own["id"], other["id"]);
    assert_eq!(own["value"], other["value"]);
    let required = json!({ "name": ["This field is required."] });
    assert_eq!(server.post(&path_of_clone, json!({})).await.told(), (400, required));
    let missing = json!({ "detail": "No Segment matches the given query." });
    assert_eq!(server.post(&format!("{path}999999/clone/"), json!({ "name": "x" })).await.told(), (404, missing));
    assert_eq!(names(&server, &path).await, ["gold", "gold 2"]);
}

#[tokio::test]
async fn a_segment_that_may_not_be_is_refused_and_nothing_is_written() {
    let (server, project, path) = start().await;
    let id = server.segment(project, "gold").await;
    let other = server.project("other").await;
    let foreign = server.feature(other, "banner").await;
    let version = server.version_of(project).await;
    let path_of_one = format!("{path}{id}/");
    let rule = json!({ "type": "ALL", "conditions": [{ "operator": "EQUAL", "property": "a", "value": "b" }] });
    let empty = json!({ "rules": { "non_field_errors": ["This list may not be empty."] } });
    let cases = [
        (json!({ "name": "x", "rules": [] }), empty.clone()),
        (json!({ "name": "x", "rules": [{ "type": "ALL", "delete": true }] }), empty),
        (json!({}), json!({ "name": ["This field is required."], "rules": ["This field is required."] })),
        (
            json!({ "name": " ", "rules": null }),
            json!({ "name": ["This field may not be blank."], "rules": ["This field may not be null."] }),
        ),
        (
            json!({ "name": "x".repeat(2_001), "rules": {} }),
            json!({ "name": ["Ensure this field has no more than 2000 characters."],
                "rules": { "non_field_errors": ["Expected a list of items but got type \"dict\"."] } }),
        ),
        (json!({ "name": "x\0", "rules": [rule] }), json!({ "name": ["Null characters are not allowed."] })),
        (
            json!({ "name": "x", "rules": [rule], "feature": foreign.0 }),
            json!({ "feature": [format!("Invalid pk \"{foreign}\" - object does not exist.")] }),
        ),
        (
            json!({ "name": "x", "rules": [rule], "feature": "y" }),
            json!({ "feature": ["Incorrect type. Expected pk value, received str."] }),
        ),
        (
            json!({ "name": "x", "rules": [rule, {}] }),
            json!({ "rules": [{}, { "type": ["This field is required."] }] }),
        ),
        (
            json!({ "name": "x", "rules": [{ "type": "SOME", "conditions": [{ "property": [] }] }] }),
            json!({ "rules": [{ "type": ["\"SOME\" is not a valid choice."], "conditions": [
                { "operator": ["This field is required."], "property": ["Not a valid string."] },
            ] }] }),
        ),
        (
            json!({ "name": "x", "rules": [{ "type": "ALL", "conditions": [
            { "operator": "LIKE", "value": ["a"] }, { "operator": "EQUAL", "value": "v".repeat(1_001) }] }] }),
            json!({ "rules": [{ "conditions": [
                { "operator": ["\"LIKE\" is not a valid choice."], "value": ["Not a valid string."] },
                { "value": ["Ensure this field has no more than 1000 characters."] },
            ] }] }),
        ),
        (
            json!({ "name": "x", "rules": [{ "type": "ALL", "rules": [{ "type": "ALL", "rules": [rule] }] }] }),
            json!({ "rules": ["Rules may not be nested more than 2 deep."] }),
        ),
        (
            json!({ "name": "x", "rules": vec![rule.clone(); 51] }),
            json!({ "segment": "A segment may not have more than 100 rules and conditions." }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post(&path, body.clone()).await.told(), (400, expected.clone()), "{body}");
        assert_eq!(server.put(&path_of_one, body.clone()).await.told(), (400, expected), "{body}");
    }
    assert_eq!(server.version_of(project).await, version);
    assert_eq!(server.post(&path, json!({ "name": "x".repeat(1 << 20) })).await.status, 413);
}

#[tokio::test]
async fn a_deleted_segment_is_gone() {
    let (server, project, path) = start().await;
    let id = server.segment(project, "gold").await;
    let path_of_one = format!("{path}{id}/");
    let reply = server.delete(&path_of_one).await;
    assert!(reply.headers.contains_key("offshoot-position"));
    assert_eq!(reply.told(), (204, Value::Null));
    let missing = (404, json!({ "detail": "No Segment matches the given query." }));
    assert_eq!(server.get(&path_of_one).await.told(), missing);
    assert_eq!(server.patch(&path_of_one, json!({})).await.told(), missing);
    assert_eq!(server.delete(&path_of_one).await.told(), missing);
    assert_eq!(names(&server, &path).await, [""; 0]);
}

#[tokio::test]
async fn a_segment_is_found_in_its_own_project_only() {
    let (server, project, _) = start().await;
    let id = server.segment(project, "gold").await;
    let other = server.project("other").await;
    let missing = (404, json!({ "detail": "No Segment matches the given query." }));
    let path = format!("projects/{}/segments/{id}/", other.id);
    assert_eq!(server.get(&path).await.told(), missing);
    assert_eq!(server.put(&path, segment("x")).await.told(), missing);
    assert_eq!(server.delete(&path).await.told(), missing);
    let no_project = (404, json!({ "detail": "No Project matches the given query." }));
    assert_eq!(server.get(&format!("projects/999999/segments/{id}/")).await.told(), no_project);
    assert_eq!(server.post("projects/999999/segments/", segment("x")).await.told(), no_project);
}

#[tokio::test]
async fn segments_are_seen_with_view_project_and_changed_with_manage_segments() {
    let (server, project, path) = start().await;
    let id = server.segment(project, "gold").await;
    let path_of_one = format!("{path}{id}/");
    for allowed in [May::ViewProject, May::ManageSegments] {
        let client = server.limited("limited", Permissions::default().in_project(project, [allowed])).await;
        let may_manage = allowed == May::ManageSegments;
        for (reply, is_allowed) in [
            (client.get(&path).await, !may_manage),
            (client.get(&path_of_one).await, !may_manage),
            (client.post(&path, segment("new")).await, may_manage),
            (client.post(&format!("{path_of_one}clone/"), json!({ "name": "copy" })).await, may_manage),
            (client.put(&path_of_one, segment("gold")).await, may_manage),
            (client.patch(&path_of_one, json!({})).await, may_manage),
            (client.delete(&path_of_one).await, may_manage),
        ] {
            assert_eq!(reply.status == 403, !is_allowed, "{allowed:?}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_makes_one_segment() {
    let (server, _, path) = start().await;
    let send = async || {
        let request = server.request(reqwest::Method::POST, &path).header("idempotency-key", "once");
        server.send(request.json(&segment("gold"))).await.expect(201)
    };
    assert_eq!(send().await, send().await);
    assert_eq!(names(&server, &path).await, ["gold"]);
}
