//! Drives OpenFeature's Rust SDK with the OFREP provider.

mod driver;

use driver::{Driver, Evaluation, Open, serve};
use open_feature::{
    Client, EvaluationContext, EvaluationContextFieldValue, EvaluationDetails, EvaluationError, EvaluationReason,
    OpenFeature, StructValue,
};
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

struct OpenFeatureDriver {
    server: String,
    runtime: Runtime,
    api: OpenFeature,
}

impl Driver for OpenFeatureDriver {
    fn open(&mut self, open: Open) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert("X-Environment-Key", HeaderValue::from_str(&open.key).map_err(|error| error.to_string())?);
        let options = OfrepOptions { base_url: self.server.clone(), headers, ..OfrepOptions::default() };
        let Self { runtime, api, .. } = self;
        runtime.block_on(async {
            let provider = OfrepProvider::new(options).await.map_err(|error| error.to_string())?;
            api.set_named_provider(&open.client, provider).await;
            Ok(())
        })
    }

    fn evaluate(&self, evaluation: Evaluation) -> Result<Value, String> {
        let client = self.api.create_named_client(&evaluation.client);
        let mut context = EvaluationContext::default();
        if let Some(identity) = evaluation.identity {
            context = context.with_targeting_key(identity);
        }
        for (name, value) in evaluation.traits.unwrap_or_default() {
            context = context.with_custom_field(name, field(&value));
        }
        self.runtime.block_on(resolve(&client, &evaluation.kind, &evaluation.flag, &context))
    }

    fn close(&mut self, _: &str) {}
}

async fn resolve(client: &Client, kind: &str, flag: &str, context: &EvaluationContext) -> Result<Value, String> {
    let context = Some(context);
    match kind {
        "boolean" => told(client.get_bool_details(flag, context, None).await, Value::from),
        "string" => told(client.get_string_details(flag, context, None).await, Value::from),
        "integer" => told(client.get_int_details(flag, context, None).await, Value::from),
        "float" => told(client.get_float_details(flag, context, None).await, Value::from),
        _ => told(client.get_struct_details::<StructValue>(flag, context, None).await, object),
    }
}

fn told<T>(result: Result<EvaluationDetails<T>, EvaluationError>, value: impl Fn(T) -> Value) -> Result<Value, String> {
    let details = result.map_err(|error| format!("{:?}", error.code))?;
    let reason = details.reason.as_ref().map(EvaluationReason::to_string);
    Ok(json!({ "value": value(details.value), "variant": details.variant, "reason": reason }))
}

fn field(value: &Value) -> EvaluationContextFieldValue {
    match value {
        Value::Bool(value) => EvaluationContextFieldValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => EvaluationContextFieldValue::Int(integer),
            None => EvaluationContextFieldValue::Float(number.as_f64().expect("a number")),
        },
        Value::String(text) => EvaluationContextFieldValue::String(text.clone()),
        other => panic!("no value of a trait: {other}"),
    }
}

fn object(value: StructValue) -> Value {
    Value::Object(value.fields.into_iter().map(|(name, value)| (name, plain(value))).collect::<Map<_, _>>())
}

fn plain(value: open_feature::Value) -> Value {
    match value {
        open_feature::Value::Bool(value) => value.into(),
        open_feature::Value::Int(value) => value.into(),
        open_feature::Value::Float(value) => value.into(),
        open_feature::Value::String(value) => value.into(),
        open_feature::Value::Array(values) => values.into_iter().map(plain).collect(),
        open_feature::Value::Struct(value) => object(value),
    }
}

fn main() {
    let server = std::env::var("OFFSHOOT_URL").expect("the address of the server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    serve(OpenFeatureDriver { server, runtime, api: OpenFeature::default() });
}
