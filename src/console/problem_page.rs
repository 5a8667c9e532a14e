//! Pages that say why a page cannot be shown.

use askama::Template;
use axum::Extension;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::assets;
use super::layout::{Section, Shell, page_with};
use super::texts;
use super::viewer::Viewer;
use crate::http::AppState;
use crate::http::problem::Problem;
use crate::http::request_context::RequestContext;

/// Why a page cannot be shown: what handlers of pages fail with.
#[derive(Clone, Debug)]
pub struct PageProblem(Problem);

impl<T: Into<Problem>> From<T> for PageProblem {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        // Rendered by the layer, which knows who looks.
        let mut response = self.0.status().into_response();
        response.extensions_mut().insert(Extension(self));
        response
    }
}

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "problem.html")]
struct ProblemPage {
    shell: Shell,
    heading: &'static str,
    text: &'static str,
    request_id: Option<String>,
}

/// Shows what handlers fail with as a page; a fault is written to the log, and the page says how to find it there.
pub async fn show_problems(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let viewer = Viewer::from_request_parts(&mut parts, &state).await;
    let request_id = parts.extensions.get::<RequestContext>().map(|context| context.request_id.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let Some(Extension(PageProblem(problem))) = response.extensions_mut().remove::<Extension<PageProblem>>() else {
        return response;
    };
    let status = problem.status();
    match &problem {
        Problem::Internal(inside) => tracing::error!("{inside}"),
        Problem::Unavailable { inside: Some(inside), .. } => tracing::warn!("{inside}"),
        _ => {}
    }
    let (heading, text) = texts::problem::of(status);
    let shown = viewer.and_then(|viewer| {
        let shell = viewer.shell(Section::None, heading);
        let request_id = request_id.filter(|_| status.is_server_error());
        page_with(status, &ProblemPage { shell, heading, text, request_id })
    });
    shown.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The page of a path that leads nowhere.
pub async fn no_such_page() -> PageProblem {
    Problem::no_such_path().into()
}
