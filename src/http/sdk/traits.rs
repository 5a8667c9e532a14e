//! `/traits/` and `/traits/bulk/`: what old SDKs tell of identities. It is checked, answered back, and not kept.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity_request::{TraitRequest, read_trait};
use super::shapes::{SdkProblems, TraitOfIdentityBody};
use super::{access, answered};
use crate::flags::Audience;
use crate::http::answer::Answer;
use crate::http::body::Items;
use crate::http::fields::Fields;
use crate::http::kinds::text;
use crate::http::lean::{Asked, Endpoint, Lean, Unread};
use crate::http::problem::Problem;
use crate::limits::{IDENTIFIER_CHARACTERS_MAX, TRAITS_MAX};

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(one)).routes(routes!(many))
}

/// Tell a trait of an identity
///
/// It is checked and answered back, but not kept: send traits with each request for flags.
#[utoipa::path(
    post, path = "/api/v1/traits/", tag = "flags", security(("environment_key" = [])),
    params(("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment")),
    request_body = TraitOfIdentityBody,
    responses((status = 200, description = "The trait as it was sent", body = TraitOfIdentityBody), SdkProblems)
)]
async fn one(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    let tell = async |asked: Asked, unread: Unread| {
        admit(&lean, &asked).await?;
        let body = unread.read().await?;
        let mut fields = Fields::from_bytes(asked.header(header::CONTENT_TYPE), body).await?;
        let told = read(&mut fields);
        fields.finish()?;
        Ok(Answer::ok(&told).into_response())
    };
    lean.answer(Endpoint::Traits, request, async |asked, unread| answered(tell(asked, unread).await)).await
}

/// Tell many traits
///
/// They are checked and answered back, but not kept: send traits with each request for flags.
#[utoipa::path(
    put, path = "/api/v1/traits/bulk/", tag = "flags", security(("environment_key" = [])),
    params(("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment")),
    request_body = Vec<TraitOfIdentityBody>,
    responses((status = 200, description = "The traits as they were sent", body = Vec<TraitOfIdentityBody>), SdkProblems)
)]
async fn many(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    let tell = async |asked: Asked, unread: Unread| {
        admit(&lean, &asked).await?;
        let body = unread.read().await?;
        let told = Items::from_bytes(asked.header(header::CONTENT_TYPE), body).await?.read(read)?;
        if told.len() > TRAITS_MAX {
            return Err(Problem::list(format!("At most {TRAITS_MAX} traits are read.")));
        }
        Ok(Answer::ok(&told).into_response())
    };
    lean.answer(Endpoint::Traits, request, async |asked, unread| answered(tell(asked, unread).await)).await
}

/// Lets in whoever may tell traits.
async fn admit(lean: &Lean, asked: &Asked) -> Result<(), Problem> {
    let access = access(lean, asked).await?;
    let may_tell = access.environment.head.environment.settings.allow_client_traits;
    if access.audience == Audience::Server || may_tell { Ok(()) } else { Err(Problem::forbidden()) }
}

fn read(fields: &mut Fields) -> Value {
    fields.require(&["identity"]);
    let identifier = text(IDENTIFIER_CHARACTERS_MAX).verbatim();
    let identifier = fields.object("identity", |identity| identity.required("identifier", identifier));
    let TraitRequest { key, value } = read_trait(fields);
    let mut written = Vec::new();
    value.write(&mut written);
    let value: Value = serde_json::from_slice(&written).unwrap_or_default();
    json!({ "identity": { "identifier": identifier }, "trait_value": value, "trait_key": key })
}
