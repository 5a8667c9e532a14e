//! The description of the API, generated from the code, and a page that shows it without the internet.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder, RefOr, SecurityRequirement};
use utoipa::{IntoResponses, ToSchema};
use utoipa_swagger_ui::Config;

use super::body::Path;
use super::problem::Problem;
use super::router::BASE_PATH;

/// Where the description is.
pub const DOCUMENT_PATH: &str = "/api/v1/openapi.json";

/// Where the page is.
pub const PAGE_PATH: &str = "/api/v1/docs/";

/// Keeps the page from loading anything from elsewhere, whatever is in it.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static("default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"),
);

const SECURITY: &str = "\
    `Api-Key <key>`: a key of an organisation. `Token <key>` and `Bearer <key>` are taken for the same.";

const HEADERS: &str = "\
    Answers to changes say in `Offshoot-Position` where the change is in the log. Answers to reads say there up to which position \
    they show everything, and in `Offshoot-Age` for at most how many seconds, with a fraction, the log may have had more: some \
    thousandths as a rule, more and more while the store of the log is away. `Offshoot-Min-Position` on a read makes the node wait \
    until it shows that position; if that takes too long, the answer is 503 with `Retry-After`.";

/// How those who ask for flags name the environment.
const ENVIRONMENT_KEYS: [(&str, &str, &str); 2] = [
    ("environment_key", "X-Environment-Key", "The client key or a server key of an environment."),
    ("ofrep_api_key", "X-API-Key", "The client key or a server key of an environment."),
];

/// What a problem's body says, where it does not name fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    /// For people.
    pub detail: String,
}

/// What any request of a resource may be answered: named beside a handler's own answers, in `responses(…)`.
#[derive(Debug, IntoResponses)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub enum CommonProblems {
    /// A field of the body or the query is wrong: `{"field": ["text"]}`
    #[response(status = 400)]
    Invalid,
    /// Nobody known is asking
    #[response(status = 401)]
    NotAuthenticated(#[to_schema] Detail),
    /// Whoever asks may not do this
    #[response(status = 403)]
    Forbidden(#[to_schema] Detail),
    /// There is no such thing
    #[response(status = 404)]
    NotFound(#[to_schema] Detail),
    /// Not now: try again after `Retry-After` seconds
    #[response(status = 503)]
    Unavailable(#[to_schema] Detail),
}

/// The description before the resources add themselves.
#[must_use]
pub(super) fn description() -> OpenApi {
    let mut info = Info::new("Offshoot", env!("CARGO_PKG_VERSION"));
    info.description = option_env!("CARGO_PKG_DESCRIPTION").map(|what| format!("{what}.\n\n{HEADERS}"));
    let mut components = Components::new();
    let authorization = ApiKey::Header(ApiKeyValue::with_description("Authorization", SECURITY));
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(authorization));
    for (name, header, description) in ENVIRONMENT_KEYS {
        let key = ApiKey::Header(ApiKeyValue::with_description(header, description));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    components.add_security_scheme("ofrep_bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let required = SecurityRequirement::new("api_key", Vec::<String>::new());
    OpenApiBuilder::new().info(info).components(Some(components)).security(Some([required])).build()
}

/// Gives every operation an id of its own, by which generated clients call it: its method and its path, as in
/// `get_projects_id`. The names of handlers are unique only in their files.
pub(super) fn name_operations(description: &mut OpenApi) {
    let mut known = BTreeSet::new();
    for (path, item) in &mut description.paths.paths {
        let words = path.strip_prefix(BASE_PATH).unwrap_or(path).split(|character: char| !character.is_alphanumeric());
        let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                let mut id = format!("{method}_{name}");
                while !known.insert(id.clone()) {
                    // Two paths that differ in a slash.
                    id.push_str("_alias");
                }
                operation.operation_id = Some(id);
                describe_answers(operation);
            }
        }
    }
}

/// Gives every answer a description, as OpenAPI asks for: where a handler has none, what its status code means.
fn describe_answers(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        if answer.description.is_empty() {
            let code = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
            let meaning = code.and_then(|code| code.canonical_reason()).unwrap_or("An answer");
            answer.description = meaning.to_owned();
        }
    }
}

/// The routes of the finished description and of the page.
///
/// # Errors
/// The description cannot be written as JSON.
pub(super) fn routes(description: &OpenApi) -> Result<Router, serde_json::Error> {
    let json = Bytes::from(description.to_json()?);
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], json) };
    let config = Config::from(DOCUMENT_PATH).validator_url("none").use_base_layout().doc_expansion("none").filter(true);
    let config = Arc::new(config);
    let page = Arc::clone(&config);
    Ok(Router::new()
        .route(DOCUMENT_PATH, get(document))
        .route(PAGE_PATH, get(move || async move { asset("", page) }))
        .route(
            &format!("{PAGE_PATH}{{asset}}"),
            get(move |Path(name): Path<String>| async move { asset(&name, config) }),
        ))
}

fn asset(name: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            let content_type = HeaderValue::try_from(file.content_type);
            let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            ([(header::CONTENT_TYPE, content_type), POLICY], file.bytes).into_response()
        }
        Ok(None) => Problem::no_such_path().into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}
