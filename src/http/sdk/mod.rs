//! The endpoints that Flagsmith's SDKs ask: who asks has a key of an environment, and no account.

mod analytics;
mod environment_document;
mod flags;
mod identities;
mod identity_request;
mod shapes;
mod stream;
mod traits;

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;

use super::lean::{Asked, Lean, add_rendered};
use super::problem::Problem;
use super::rejections::feature_states_not_ready;
use crate::flags::{Access, Audience, NotServed, ServedEnvironment};

/// Names the environment.
pub(super) const ENVIRONMENT_KEY: &str = "x-environment-key";

/// The state of the environment that an answer shows, in seconds since 1970.
const DOCUMENT_UPDATED_AT: header::HeaderName = header::HeaderName::from_static("x-flagsmith-document-updated-at");

/// The routes, with their whole paths.
pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new()
        .merge(analytics::routes())
        .merge(environment_document::routes())
        .merge(flags::routes())
        .merge(identities::routes())
        .merge(stream::routes())
        .merge(traits::routes())
}

/// 403: there is no key, or none of the kind that is needed.
pub(super) fn key_missing() -> Problem {
    Problem::Forbidden("Invalid or missing Environment key".into())
}

impl From<NotServed> for Problem {
    fn from(reason: NotServed) -> Self {
        match reason {
            // Flagsmith writes it with a capital here, and only here.
            NotServed::UnknownKey => Self::Forbidden("Invalid or missing Environment Key".into()),
            NotServed::Creating => feature_states_not_ready(),
            NotServed::NotReady(inside) => {
                Self::unavailable("Flags are being prepared from the event log. Try again soon.", inside)
            }
            NotServed::Failed(inside) => Self::internal(inside),
        }
    }
}

/// What the request's key opens.
async fn access(lean: &Lean, asked: &Asked) -> Result<Access, Problem> {
    let key = asked.header(ENVIRONMENT_KEY).map(str::trim).filter(|key| !key.is_empty()).ok_or_else(key_missing)?;
    Ok(lean.flags.access(key).await?)
}

fn answered(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(IntoResponse::into_response)
}

/// Says as of when an answer is.
fn add_updated_at(response: &mut Response, environment: &ServedEnvironment) {
    add_rendered(response.headers_mut(), DOCUMENT_UPDATED_AT, &environment.headers.seconds);
}

/// The entity tag of what an environment shows.
pub(super) fn etag(access: &Access) -> &axum::body::Bytes {
    match access.audience {
        Audience::Client => &access.environment.headers.client_etag,
        Audience::Server => &access.environment.headers.server_etag,
    }
}
