//! A door with a few resources that need no commands and no read models, served on a real port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use offshoot::http::answer::Answer;
use offshoot::http::body::{Items, Path};
use offshoot::http::detached::detached;
use offshoot::http::fields::Fields;
use offshoot::http::idempotency::{StoredAnswers, replay};
use offshoot::http::kinds;
use offshoot::http::openapi::CommonProblems;
use offshoot::http::operational::{HealthCheck, Operational, PartHealth};
use offshoot::http::pagination::Pagination;
use offshoot::http::problem::Problem;
use offshoot::http::request_context::RequestContext;
use offshoot::http::router::assemble;
use offshoot::telemetry::metrics_handle;
use offshoot_aggregates::{Actor, Position, Version};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the small door's resources share.
#[derive(Clone)]
pub struct Things {
    /// How often something was made.
    pub made: Arc<AtomicU64>,
    /// One permit lets one slow making end.
    pub may_end: Arc<Semaphore>,
}

/// A served door; it ends with the test's runtime.
pub struct SmallDoor {
    pub client: reqwest::Client,
    pub address: SocketAddr,
    pub things: Things,
    _directory: TempDir,
}

impl SmallDoor {
    pub async fn serve() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let answers = StoredAnswers::open(&directory.path().join("answers.sqlite")).unwrap();
        let things = Things { made: Arc::default(), may_end: Arc::new(Semaphore::new(0)) };
        let resources = OpenApiRouter::new()
            .routes(routes!(list, make))
            .routes(routes!(show, change))
            .routes(routes!(make_slowly))
            .routes(routes!(order))
            .routes(routes!(fail))
            .layer(from_fn_with_state(answers, replay))
            .layer(from_fn(detached))
            .layer(from_fn(authenticate))
            .with_state(things.clone());
        let operational = Operational { health: Arc::new(Health), metrics: metrics_handle().unwrap() };
        let router = assemble(resources, operational, OpenApiRouter::new(), Router::new()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, address, things, _directory: directory }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).header("authorization", "someone").send().await.unwrap()
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).header("authorization", "someone")
    }

    pub fn made(&self) -> u64 {
        self.things.made.load(Ordering::SeqCst)
    }
}

/// The status and body of an answer.
pub async fn told(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

struct Health;

#[async_trait]
impl HealthCheck for Health {
    async fn check(&self) -> Vec<PartHealth> {
        vec![
            PartHealth { name: "DatabaseBackend", state: Ok(()) },
            PartHealth { name: "MigrationsHealthCheck", state: Err("<lost>".to_owned()) },
        ]
    }
}

async fn authenticate(mut request: Request, next: Next) -> Response {
    let Some(name) = request.headers().get("authorization").and_then(|value| value.to_str().ok()) else {
        return Problem::credentials_missing().into_response();
    };
    let actor = Actor { id: name.to_owned(), ..Actor::operator("test") };
    request.extensions_mut().insert(actor);
    next.run(request).await
}

#[utoipa::path(get, path = "/things/", responses((status = 200)))]
async fn list(pages: Pagination) -> Result<Answer, Problem> {
    let count = 7;
    let results = (pages.offset()..count.min(pages.offset() + pages.limit())).collect();
    Ok(Answer::ok(&pages.page(count, results)?))
}

#[utoipa::path(post, path = "/things/", responses((status = 201)))]
async fn make(
    State(things): State<Things>,
    context: RequestContext,
    Extension(actor): Extension<Actor>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    let name = fields.required("name", kinds::text(5));
    let is_secret = fields.optional("secret", kinds::boolean()).unwrap_or(false);
    fields.finish()?;
    let number = things.made.fetch_add(1, Ordering::SeqCst) + 1;
    let command = context.command_id(&actor);
    let metadata = context.metadata(&actor, command);
    let body = json!({ "name": name, "number": number, "command": command, "remote_address": metadata.remote_address });
    let answer = Answer::created(&body).position(Position(number)).version(Version(3)).location("/api/v1/things/1/");
    Ok(if is_secret { answer.sensitive() } else { answer })
}

#[utoipa::path(post, path = "/slow/", responses((status = 200)))]
async fn make_slowly(State(things): State<Things>) -> Result<Answer, Problem> {
    let number = things.made.fetch_add(1, Ordering::SeqCst) + 1;
    things.may_end.acquire().await.map_err(Problem::internal)?.forget();
    Ok(Answer::ok(&number))
}

#[utoipa::path(get, path = "/things/{id}/", responses((status = 200), CommonProblems))]
async fn show(Path(id): Path<i64>) -> Result<Answer, Problem> {
    if id == 1 { Ok(Answer::ok(&id).version(Version(3))) } else { Err(Problem::not_found("Thing")) }
}

#[utoipa::path(put, path = "/things/{id}/", responses((status = 200)))]
async fn change(Path(id): Path<i64>, context: RequestContext) -> Result<Answer, Problem> {
    context.check_version(Version(3))?;
    Ok(Answer::ok(&id))
}

#[utoipa::path(post, path = "/order/", responses((status = 200)))]
async fn order(items: Items) -> Result<Answer, Problem> {
    Ok(Answer::ok(&items.read(|item| item.required("id", kinds::id()))?))
}

#[utoipa::path(post, path = "/fail/", responses((status = 500)))]
async fn fail(State(things): State<Things>, fields: Fields) -> Result<Answer, Problem> {
    things.made.fetch_add(1, Ordering::SeqCst);
    match fields.raw("how").and_then(Value::as_str) {
        Some("panic") => panic!("the secret of the panic"),
        Some("away") => Err(Problem::unavailable("Try again.", "the secret of the absence")),
        _ => Err(Problem::internal("the secret of the fault")),
    }
}
