//! Drives Flagsmith's Rust crate, in remote and in local evaluation.

mod driver;

use std::collections::HashMap;

use driver::{Driver, Evaluation, Open, serve};
use flagsmith::flagsmith::models::{Flag, SDKTrait};
use flagsmith::{Flagsmith, FlagsmithOptions};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};
use serde_json::{Value, json};

const NEVER_MILLIS: u64 = 1_000_000_000;

struct FlagsmithDriver {
    server: String,
    clients: HashMap<String, Flagsmith>,
}

impl Driver for FlagsmithDriver {
    fn open(&mut self, open: Open) -> Result<(), String> {
        let options = FlagsmithOptions {
            api_url: format!("{}/api/v1/", self.server),
            enable_local_evaluation: open.mode == "local",
            environment_refresh_interval_mills: if open.changes == "polling" { 100 } else { NEVER_MILLIS },
            default_flag_handler: open.with_defaults.then_some(the_default as fn(&str) -> Flag),
            ..FlagsmithOptions::default()
        };
        self.clients.insert(open.client, Flagsmith::new(open.key, options));
        Ok(())
    }

    fn evaluate(&self, evaluation: Evaluation) -> Result<Value, String> {
        let client = &self.clients[&evaluation.client];
        let flags = match &evaluation.identity {
            None => client.get_environment_flags(),
            Some(identity) => {
                let traits = evaluation.traits.unwrap_or_default().into_iter().map(read_trait).collect();
                client.get_identity_flags(identity, Some(traits), None)
            }
        };
        let flag = flags.and_then(|flags| flags.get_flag(&evaluation.flag)).map_err(|error| error.to_string())?;
        let mut answer = json!({ "enabled": flag.enabled, "value": flag.value });
        if flag.is_default {
            answer["is_default"] = json!(true);
        }
        Ok(answer)
    }

    fn close(&mut self, client: &str) {
        self.clients.remove(client);
    }
}

fn the_default(name: &str) -> Flag {
    let value = FlagsmithValue { value: "the default".to_owned(), value_type: FlagsmithValueType::String };
    Flag { enabled: false, value, is_default: true, feature_name: name.to_owned(), ..Flag::default() }
}

fn read_trait((key, value): (String, Value)) -> SDKTrait {
    SDKTrait::new(key, serde_json::from_value(value).expect("a value that a trait may have"))
}

fn main() {
    let server = std::env::var("OFFSHOOT_URL").expect("the address of the server");
    serve(FlagsmithDriver { server, clients: HashMap::new() });
}
