//! Client keys that are chosen for new environments: each is given once and for ever, and a refusal disturbs nobody.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::TestProject;
use crate::support::client::Reply;
use crate::support::server::TestServer;

const TAKEN: &str = "Another environment has or had this key.";

async fn create(server: &TestServer, project: TestProject, name: &str, key: &str) -> Reply {
    server.post("environments/", json!({ "name": name, "project": project.id.0, "api_key": key })).await
}

fn taken() -> (u16, Value) {
    (400, json!({ "api_key": [TAKEN] }))
}

#[tokio::test]
async fn an_environment_can_have_a_chosen_key() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let created = create(&server, project, "e", "my-own_Key1").await.expect(201);
    assert_eq!(created["api_key"], "my-own_Key1");
    assert_eq!(server.get("environments/my-own_Key1/").await.expect(200)["id"], created["id"]);
    let random = json!({ "name": "f", "project": project.id.0, "api_key": null });
    assert_eq!(server.post("environments/", random).await.expect(201)["api_key"].as_str().unwrap().len(), 22);
}

#[tokio::test]
async fn a_key_that_an_environment_has_or_had_is_refused() {
    let server = TestServer::start().await;
    let [project, other] = [server.project("p").await, server.project("q").await];
    let made = server.environment(project, "made").await.api_key;
    create(&server, project, "chosen", "chosen").await.expect(201);
    create(&server, project, "gone", "gone").await.expect(201);
    server.delete("environments/gone/").await.expect(204);
    for key in [&made, "chosen", "gone", "get-by-uuid"] {
        for (project, name) in [(project, "new"), (project, "chosen"), (other, "new"), (other, "chosen")] {
            assert_eq!(create(&server, project, name, key).await.told(), taken(), "{key} {name}");
        }
    }
    assert_eq!(create(&server, project, "new", "new").await.status, 201, "the name stayed free");
    let unnamed = create(&server, project, "chosen", "other").await;
    assert_eq!(unnamed.expect(400)["non_field_errors"][0], "An environment with this name already exists.");
}

#[tokio::test]
async fn a_key_that_cannot_stand_in_a_path_is_refused() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let head = server.head().await;
    let cases = [
        ("a/b".to_owned(), "This field must match ^[-a-zA-Z0-9_]+$."),
        ("ser.abc".to_owned(), "This field must match ^[-a-zA-Z0-9_]+$."),
        ("ä".to_owned(), "This field must match ^[-a-zA-Z0-9_]+$."),
        (" ".to_owned(), "This field may not be blank."),
        ("k".repeat(101), "Ensure this field has no more than 100 characters."),
    ];
    for (key, text) in cases {
        assert_eq!(create(&server, project, "e", &key).await.told(), (400, json!({ "api_key": [text] })), "{key}");
    }
    assert_eq!(server.head().await, head);
}

#[tokio::test]
async fn of_two_that_choose_the_same_key_and_name_one_gets_both_and_keeps_them() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    for round in 0..10 {
        let name = format!("e{round}");
        let (one, other) = tokio::join!(create(&server, project, &name, &name), create(&server, project, &name, &name));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400], "{one:?} {other:?}");
        let again = create(&server, project, &name, "another").await.expect(400);
        assert_eq!(again["non_field_errors"][0], "An environment with this name already exists.");
    }
}

#[tokio::test]
async fn a_creation_that_is_repeated_after_its_answer_was_lost_gives_the_same_environment() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let body = json!({ "name": "e", "project": project.id.0, "api_key": "once" });
    let send = async |server: &TestServer| {
        let request = server.request(Method::POST, "environments/").header("idempotency-key", "key-1");
        server.send(request.json(&body)).await
    };
    let first = send(&server).await.expect(201);
    let head = server.head().await;
    let server = server.restart_without_answers().await;
    assert_eq!(send(&server).await.told(), (201, first));
    let other = server.request(Method::POST, "environments/").header("idempotency-key", "key-2").json(&body);
    assert_eq!(server.send(other).await.told(), taken());
    let events = server.commands().log().read_all(head, 10).await.unwrap();
    assert!(events.iter().all(|event| event.event_type == "IdsReserved"), "{events:?}");
}
