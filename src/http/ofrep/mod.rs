//! OFREP, the OpenFeature Remote Evaluation Protocol, version 0.3: flags for any client that speaks it.

mod context;
mod evaluation;
mod evaluations;
mod refusal;
mod shapes;
mod stream;
mod stream_tokens;

use std::sync::Arc;

use axum::http::header;
use offshoot_projections::flag_engine::{Context, Identity};
use utoipa_axum::router::OpenApiRouter;

use self::context::EvaluationRequest;
use self::refusal::Refusal;
use super::lean::{Asked, Lean};
use super::sdk::ENVIRONMENT_KEY;
use crate::flags::{Access, Audience};

pub use stream_tokens::{InvalidToken, StreamTokens};

/// The routes, with their whole paths.
pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().merge(evaluation::routes()).merge(evaluations::routes()).merge(stream::routes())
}

/// What the request's key opens: the key of an environment as bearer token, `X-API-Key` or `X-Environment-Key`.
async fn access(lean: &Lean, asked: &Asked) -> Result<Access, Refusal> {
    let bearer = asked.header(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    let key = bearer.or_else(|| asked.header("x-api-key")).or_else(|| asked.header(ENVIRONMENT_KEY));
    let key = key.map(str::trim).filter(|key| !key.is_empty()).ok_or_else(Refusal::key_missing)?;
    Ok(lean.flags.access(key).await?)
}

/// Whom flags are evaluated for, with the traits that whoever asks may tell.
fn with_context<T>(access: &Access, request: &EvaluationRequest<'_>, evaluate: impl FnOnce(Context<'_>) -> T) -> T {
    let may_tell = access.environment.head.environment.settings.allow_client_traits;
    let is_told = access.audience == Audience::Server || may_tell;
    let traits = request.attributes.iter().filter(|_| is_told);
    let traits: Vec<_> = traits.map(|(name, value)| (name.as_ref(), value.for_engine())).collect();
    evaluate(Context { identity: request.targeting_key.as_deref().map(Identity::new), traits: &traits })
}
