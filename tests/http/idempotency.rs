//! A request that is repeated with its `Idempotency-Key` gets the first answer again.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::http::small_door::{SmallDoor, told};

fn make(door: &SmallDoor, key: &str, body: &Value) -> RequestBuilder {
    door.post("/api/v1/things/").header("idempotency-key", key).json(body)
}

/// Everything of an answer that is given again.
async fn seen(response: Response) -> (u16, Vec<Option<String>>, Vec<u8>) {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let headers = ["content-type", "location", "etag", "offshoot-position"].map(header).to_vec();
    (response.status().as_u16(), headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_same_key_and_body_get_the_first_answer_byte_for_byte() {
    let door = SmallDoor::serve().await;
    for body in [json!({ "name": "a" }), json!({ "name": "a", "secret": true }), json!({ "name": "" })] {
        let key = format!("key-{}", body["secret"]) + body["name"].as_str().unwrap();
        let first = make(&door, &key, &body).send().await.unwrap();
        assert!(!first.headers().contains_key("idempotency-replayed"));
        let made = door.made();
        let second = make(&door, &key, &body).send().await.unwrap();
        assert_eq!(second.headers()["idempotency-replayed"], "true");
        assert_ne!(first.headers()["x-request-id"], second.headers()["x-request-id"]);
        assert_eq!(seen(first).await, seen(second).await);
        assert_eq!(door.made(), made);
    }
    assert_eq!(door.made(), 2);
}

#[tokio::test]
async fn the_same_key_with_another_body_or_query_is_refused() {
    let door = SmallDoor::serve().await;
    make(&door, "k", &json!({ "name": "a" })).send().await.unwrap();
    let refused = (422, json!({ "detail": "The Idempotency-Key was used before with another request." }));
    assert_eq!(told(make(&door, "k", &json!({ "name": "b" })).send().await.unwrap()).await, refused);
    let with_query = door.post("/api/v1/things/?x=1").header("idempotency-key", "k").json(&json!({ "name": "a" }));
    assert_eq!(told(with_query.send().await.unwrap()).await, refused);
    assert_eq!(door.made(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_an_actor_and_a_path() {
    let door = SmallDoor::serve().await;
    let body = json!({ "name": "a" });
    let (_, first) = told(make(&door, "k", &body).send().await.unwrap()).await;
    let another = door.client.post(door.url("/api/v1/things/")).header("authorization", "another");
    let (_, of_another) = told(another.header("idempotency-key", "k").json(&body).send().await.unwrap()).await;
    assert_eq!((&first["number"], &of_another["number"]), (&json!(1), &json!(2)));
    assert_ne!(first["command"], of_another["command"]);
    let (status, _) =
        told(door.post("/api/v1/order/").header("idempotency-key", "k").json(&json!([])).send().await.unwrap()).await;
    assert_eq!(status, 200);
    let (_, one) = told(door.post("/api/v1/things/").json(&body).send().await.unwrap()).await;
    let (_, two) = told(door.post("/api/v1/things/").json(&body).send().await.unwrap()).await;
    assert_ne!(one["command"], two["command"]);
    assert_eq!(one["remote_address"], "127.0.0.1");
}

#[tokio::test]
async fn a_fault_of_ours_is_tried_again() {
    let door = SmallDoor::serve().await;
    for times in 1..=3 {
        let request = door.post("/api/v1/fail/").header("idempotency-key", "k").json(&json!({ "how": "panic" }));
        assert_eq!(request.send().await.unwrap().status(), 500);
        assert_eq!(door.made(), times);
    }
}

#[tokio::test]
async fn of_two_at_the_same_time_one_is_done_and_the_other_waits_for_its_answer() {
    let door = SmallDoor::serve().await;
    let slow = || door.post("/api/v1/slow/").header("idempotency-key", "k").json(&json!({})).send();
    let mut first = Box::pin(slow());
    let mut second = Box::pin(slow());
    let end = async {
        // The first to come is in the handler now; more would have counted too.
        while door.made() == 0 {
            tokio::task::yield_now().await;
        }
        door.things.may_end.add_permits(2);
    };
    let (first, second, ()) = tokio::join!(&mut first, &mut second, end);
    let (first, second) = (first.unwrap(), second.unwrap());
    let replayed = [&first, &second].map(|answer| answer.headers().contains_key("idempotency-replayed"));
    assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 1);
    assert_eq!((told(first).await, told(second).await), ((200, json!(1)), (200, json!(1))));
    assert_eq!((door.made(), door.things.may_end.available_permits()), (1, 1));
}

#[tokio::test]
async fn who_hangs_up_finds_the_answer_when_they_come_back() {
    let door = SmallDoor::serve().await;
    let slow = || door.post("/api/v1/slow/").header("idempotency-key", "k").json(&json!({})).send();
    {
        let mut hangs_up = Box::pin(slow());
        while door.made() == 0 {
            tokio::select! {
                _ = &mut hangs_up => panic!("nobody let it end"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    door.things.may_end.add_permits(2);
    let answer = slow().await.unwrap();
    assert_eq!(answer.headers()["idempotency-replayed"], "true");
    assert_eq!(told(answer).await, (200, json!(1)));
    assert_eq!(door.made(), 1);
}
