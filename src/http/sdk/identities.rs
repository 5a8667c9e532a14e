//! `/identities/`: all flags of an environment as they are for one identity. Nothing of it is kept.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use offshoot_projections::flag_engine::{Context, Identity, TraitValue};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::flags::feature_not_found;
use super::identity_request::{IdentityRequest, TraitRequest};
use super::shapes::{IdentityFlagsBody, IdentityRequestBody, SdkProblems};
use super::{access, add_updated_at, answered};
use crate::flags::{Access, Audience};
use crate::http::answer::Answer;
use crate::http::lean::{Asked, Endpoint, Lean, Unread, json_bytes};
use crate::http::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(by_identifier, with_traits))
}

/// See the flags of an identity by its identifier
///
/// Without `identifier` the answer is 200 all the same, and says so. With `feature` only the flag of that feature.
#[utoipa::path(
    get, path = "/api/v1/identities/", tag = "flags", security(("environment_key" = [])),
    params(
        ("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment"),
        ("identifier" = Option<String>, Query, description = "What the application calls the identity"),
        ("feature" = Option<String>, Query, description = "A feature's name, in whatever case"),
        ("transient" = Option<bool>, Query, description = "Makes no difference: no identity is kept"),
    ),
    responses((status = 200, description = "The identity's flags", body = IdentityFlagsBody), SdkProblems)
)]
async fn by_identifier(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Identities, request, async |asked, _| answered(show(&lean, &asked).await)).await
}

/// See the flags of an identity with traits
///
/// Traits are what the application knows of the identity. They are not kept: they come with each request, and are answered
/// back as transient. An identity without an identifier is named by a hash of its traits.
#[utoipa::path(
    post, path = "/api/v1/identities/", tag = "flags", security(("environment_key" = [])),
    params(("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment")),
    request_body = IdentityRequestBody,
    responses((status = 200, description = "The identity's flags", body = IdentityFlagsBody), SdkProblems)
)]
async fn with_traits(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Identities, request, async |asked, unread| answered(evaluate(&lean, asked, unread).await))
        .await
}

async fn show(lean: &Lean, asked: &Asked) -> Result<Response, Problem> {
    let access = access(lean, asked).await?;
    let Some(identifier) = asked.parameter("identifier").filter(|identifier| !identifier.is_empty()) else {
        // Flagsmith's status, on which clients may rely.
        let body = json!({ "detail": "Missing identifier" });
        return Ok(axum::response::IntoResponse::into_response(Answer::ok(&body)));
    };
    let request = IdentityRequest { identifier: Some(Cow::Owned(identifier)), traits: Vec::new() };
    flags_of(&access, &request, asked.parameter("feature").as_deref())
}

async fn evaluate(lean: &Lean, asked: Asked, unread: Unread) -> Result<Response, Problem> {
    let access = access(lean, &asked).await?;
    let body = unread.read().await?;
    let mut request = IdentityRequest::read(&asked, &body).await?;
    if access.audience == Audience::Client && !access.environment.head.environment.settings.allow_client_traits {
        request.traits.clear();
    }
    flags_of(&access, &request, None)
}

fn flags_of(access: &Access, request: &IdentityRequest<'_>, feature: Option<&str>) -> Result<Response, Problem> {
    let environment = &access.environment;
    let identifier = request.identifier();
    let traits: Vec<(&str, TraitValue<'_>)> =
        request.traits.iter().map(|item| (item.key.as_ref(), item.value.for_engine())).collect();
    let context = Context { identity: Some(Identity::new(&identifier)), traits: &traits };
    let body = match feature {
        Some(name) => environment.flag_of_identity(access.audience, context, name).ok_or_else(feature_not_found)?,
        None => {
            let mut out = Vec::new();
            let shown = if environment.head.environment.settings.hide_sensitive_data { &[] } else { &*request.traits };
            write_identity(&mut out, &identifier, shown);
            environment.write_flags_of_identity(&mut out, access.audience, context);
            out.push(b'}');
            out.into()
        }
    };
    let mut response = json_bytes(StatusCode::OK, body);
    add_updated_at(&mut response, environment);
    Ok(response)
}

/// Writes the answer up to its flags. Traits that are null are none.
fn write_identity(out: &mut Vec<u8>, identifier: &str, traits: &[TraitRequest<'_>]) {
    out.extend_from_slice(b"{\"identifier\":");
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, identifier);
    out.extend_from_slice(b",\"traits\":[");
    for item in traits.iter().filter(|item| item.value.for_engine() != TraitValue::Null) {
        out.extend_from_slice(if out.ends_with(b"[") {
            b"{\"id\":null,\"trait_key\":"
        } else {
            b",{\"id\":null,\"trait_key\":"
        });
        let _ = serde_json::to_writer(&mut *out, item.key.as_ref());
        out.extend_from_slice(b",\"trait_value\":");
        item.value.write(out);
        out.extend_from_slice(b",\"transient\":true}");
    }
    out.extend_from_slice(b"],\"flags\":");
}
