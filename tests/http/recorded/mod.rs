//! Flagsmith's answers, recorded once, compared with ours: the same requests in the same order, over HTTP; the same status
//! codes, keys and types, and where something is refused, the same words. What differs on purpose is listed.
//!
//! `exchanges.json` has a request a line: what is asked, as whom, what is sent, and what came back, values as their types.
//! Ids and keys are named, in braces, by the answer that they were first seen in (`keep`).

mod differences;
mod replay;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What is recorded, but not to be asked for yet, by resource.
const NOT_THERE: [(&str, &str); 1] = [("webhooks", "there are no webhooks")];

/// A request and what came back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// Which one, as recorded; those of the audit log from 200 on.
    step: u32,
    resource: String,
    /// Method and path.
    ask: String,
    /// What the recording calls it.
    #[serde(default)]
    note: String,
    /// Who asks, if it is not the administrator.
    #[serde(rename = "as")]
    who: Option<String>,
    accept: Option<String>,
    send: Option<Value>,
    status: u16,
    /// The types of what came back.
    answer: Option<Value>,
    /// What came back, word by word.
    says: Option<Value>,
    /// Whether the recording breaks off before the end of the answer.
    #[serde(default)]
    cut_off: bool,
    /// What is named, and where in the answer it is.
    #[serde(default)]
    keep: Map<String, Value>,
    /// The key of a clone that is to be complete before.
    wait: Option<String>,
    /// Which line of the audit log `{line}` is.
    line: Option<AuditLine>,
}

#[derive(Debug, Deserialize)]
struct AuditLine {
    log: String,
    #[serde(rename = "type")]
    related_object_type: String,
}

fn exchanges() -> Vec<Exchange> {
    serde_json::from_str(include_str!("exchanges.json")).unwrap()
}

/// Something in an answer that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    step: u32,
    /// Where: a JSON pointer without the places in lists, or `status`.
    at: String,
    recorded: String,
    here: String,
}

/// What differs between the types that were recorded and an answer.
fn compare(exchange: &Exchange, answer: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let difference = |at: &str, recorded: String, here: String| Difference {
        step: exchange.step,
        at: at.to_owned(),
        recorded,
        here,
    };
    match (&exchange.answer, &exchange.says) {
        (Some(types), _) => {
            let mut add = |at: &str, recorded: String, here: String| found.push(difference(at, recorded, here));
            compare_types(types, answer, exchange.cut_off, "", &mut add);
        }
        (None, Some(says)) if says != answer => found.push(difference("", says.to_string(), answer.to_string())),
        (None, None) if !exchange.cut_off && !answer.is_null() => {
            found.push(difference("", "nothing".to_owned(), type_of(answer)));
        }
        _ => {}
    }
    found.dedup();
    found
}

fn compare_types(types: &Value, value: &Value, cut_off: bool, at: &str, add: &mut impl FnMut(&str, String, String)) {
    match (types, value) {
        (Value::Object(all), Value::Array(values)) if all.contains_key("*") => {
            let count = all["of"].as_u64().unwrap_or_default();
            compare_lists(&vec![all["*"].clone(); usize::try_from(count).unwrap()], values, cut_off, at, add);
        }
        (Value::Array(types), Value::Array(values)) => compare_lists(types, values, cut_off, at, add),
        (Value::Object(members), Value::Object(values)) if !members.contains_key("*") => {
            for (key, types) in members {
                match values.get(key) {
                    Some(value) => compare_types(types, value, cut_off, &format!("{at}/{key}"), add),
                    None => add(&format!("{at}/{key}"), type_of_types(types), "missing".to_owned()),
                }
            }
            for (key, value) in values.iter().filter(|(key, _)| !members.contains_key(*key)) {
                // Of an object at which the recording breaks off, the rest is not known.
                if !cut_off {
                    add(&format!("{at}/{key}"), "missing".to_owned(), type_of(value));
                }
            }
        }
        _ if type_of_types(types) == type_of(value) => {}
        _ => add(at, type_of_types(types), type_of(value)),
    }
}

fn compare_lists(
    types: &[Value],
    values: &[Value],
    cut_off: bool,
    at: &str,
    add: &mut impl FnMut(&str, String, String),
) {
    if types.len() != values.len() && !cut_off {
        add(at, format!("list of {}", types.len()), format!("list of {}", values.len()));
    }
    for (types, value) in types.iter().zip(values) {
        compare_types(types, value, cut_off, at, add);
    }
}

fn type_of(value: &Value) -> String {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    name.to_owned()
}

fn type_of_types(types: &Value) -> String {
    match types {
        Value::String(name) => name.clone(),
        Value::Object(members) if !members.contains_key("*") => "object".to_owned(),
        _ => "list".to_owned(),
    }
}

#[tokio::test]
async fn answers_are_flagsmiths_but_for_what_differs_on_purpose() {
    let exchanges = exchanges();
    let is_there = |exchange: &&Exchange| NOT_THERE.iter().all(|(resource, _)| *resource != exchange.resource);
    let mut replay = replay::Replay::start().await;
    let mut unlisted = Vec::new();
    let mut listed: Vec<_> = differences::DIFFERENCES.iter().map(|_| false).collect();
    for exchange in exchanges.iter().filter(is_there) {
        for found in replay.ask(exchange).await {
            if differences::BY_CHANCE.iter().any(|chance| chance.is(&found)) {
                continue;
            }
            let place = differences::DIFFERENCES.iter().position(|listed| listed.is(&found));
            match place {
                Some(place) => listed[place] = true,
                None => unlisted.push(format!("{found:?} ({} {})", exchange.ask, exchange.note)),
            }
        }
    }
    assert!(unlisted.is_empty(), "{} answers differ:\n{}", unlisted.len(), unlisted.join("\n"));
    let gone: Vec<_> = differences::DIFFERENCES.iter().zip(listed).filter(|(_, occurs)| !occurs).collect();
    assert!(gone.is_empty(), "does not differ any more: {gone:#?}");
}

#[test]
fn everything_that_is_not_there_yet_was_recorded() {
    let exchanges = exchanges();
    for (resource, why) in NOT_THERE {
        assert!(exchanges.iter().any(|exchange| exchange.resource == resource), "{resource}: {why}");
    }
}
