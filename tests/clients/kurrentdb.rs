//! The official Node client of KurrentDB, unmodified, against the protocol double: what the double says is what a client of
//! KurrentDB expects, whoever wrote it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::driver::{Driven, Driver};
use crate::double::process::Double;

fn event(data: &str) -> Value {
    json!({ "id": Uuid::new_v4(), "type": "Tested", "data": { "text": data }, "metadata": { "by": "the test" } })
}

fn texts(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap_or_else(|| panic!("{answer}"));
    events.iter().map(|event| event["data"]["text"].as_str().expect("a text")).collect()
}

#[test]
fn the_official_client_appends_reads_and_subscribes() {
    let double = Double::new();
    let url = double.url();
    let mut client = Driver::start(Driven::KurrentDbNode, url.split_once("&maxAppendSize").unwrap().0);
    let (first, second, third) = (event("eins"), event("zwei 🚩"), event("drei"));

    let append = json!({ "do": "append", "stream": "one-1", "expected": null, "events": [first, second] });
    let appended = client.ask(&append);
    assert_eq!((&appended["success"], &appended["revision"]), (&json!(true), &json!(1)), "{appended}");
    // Again the same, and the answer is the same; something else, and it is a conflict.
    assert_eq!(client.ask(&append), appended);
    let rival = json!({ "do": "append", "stream": "one-1", "expected": null, "events": [event("rival")] });
    assert_eq!(client.ask(&rival), json!({ "conflict": 1 }));
    let ahead = json!({ "do": "append", "stream": "two-1", "expected": 5, "events": [event("ahead")] });
    assert_eq!(client.ask(&ahead), json!({ "conflict": null }));
    let half = json!({ "do": "append", "stream": "one-1", "expected": null, "events": [first, second, third] });
    assert_eq!(client.ask(&half), json!({ "conflict": 1 }));
    let next = json!({ "do": "append", "stream": "one-1", "expected": 1, "events": [third] });
    assert_eq!(client.ask(&next)["revision"], 2);
    client.ask(&json!({ "do": "append", "stream": "two-1", "expected": null, "events": [event("other")] }));

    let read = client.ask(&json!({ "do": "read_stream", "stream": "one-1", "count": 10 }));
    assert_eq!(texts(&read), ["eins", "zwei 🚩", "drei"]);
    for (event, sent) in read["events"].as_array().unwrap().iter().zip([&first, &second, &third]) {
        for key in ["id", "type", "data", "metadata"] {
            assert_eq!(event[key], sent[key]);
        }
    }
    assert_eq!(read["events"][1]["position"], appended["position"]);
    let part = |from: Value, backwards| json!({ "do": "read_stream", "stream": "one-1", "from": from, "backwards": backwards, "count": 2 });
    assert_eq!(texts(&client.ask(&part(json!(1), false))), ["zwei 🚩", "drei"]);
    assert_eq!(texts(&client.ask(&part(Value::Null, true))), ["drei", "zwei 🚩"]);
    assert_eq!(texts(&client.ask(&part(json!(1), true))), ["zwei 🚩", "eins"]);
    let missing = client.ask(&json!({ "do": "read_stream", "stream": "none-1", "count": 2 }));
    assert!(missing["error"].as_str().unwrap().contains("not found"), "{missing}");

    let everything = client.ask(&json!({ "do": "read_all", "count": 10 }));
    let positions: Vec<u64> =
        everything["events"].as_array().unwrap().iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted_by(|one, next| one < next) && positions.len() == 5, "{everything}");
    let last = client.ask(&json!({ "do": "read_all", "backwards": true, "count": 2 }));
    assert_eq!(texts(&last), ["other", "drei"]);
}

#[test]
fn the_official_client_is_told_of_what_it_has_subscribed_to() {
    let double = Double::new();
    let url = double.url();
    let mut client = Driver::start(Driven::KurrentDbNode, url.split_once("&maxAppendSize").unwrap().0);
    let append = |stream: &str, text: &str| json!({ "do": "append", "stream": stream, "expected": null, "events": [event(text)] });
    let early = client.ask(&append("one-1", "early"));
    client.ask(&append("two-1", "somewhere else"));
    let late = client.ask(&append("one-2", "late"));
    client.ask(&json!({ "do": "subscribe", "name": "from the start", "prefix": "one-" }));
    client.ask(&json!({ "do": "subscribe", "name": "after", "prefix": "one-", "after": early["position"] }));
    let next = |name: &str, count: u64| json!({ "do": "next", "name": name, "count": count });
    let told = client.ask(&next("from the start", 2));
    assert_eq!(texts(&told), ["early", "late"]);
    assert_eq!(told["events"][1]["position"], late["position"]);
    assert_eq!(texts(&client.ask(&next("after", 1))), ["late"]);
    client.ask(&append("two-2", "somewhere else"));
    client.ask(&append("one-3", "live"));
    for name in ["from the start", "after"] {
        assert_eq!(texts(&client.ask(&next(name, 1))), ["live"]);
    }
}
