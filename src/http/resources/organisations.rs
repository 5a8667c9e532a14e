//! Organisations: listed, shown and created. Whoever creates one administers it.

use std::collections::BTreeMap;

use offshoot_aggregates::ids::OrganisationId;
use offshoot_aggregates::limits::NAME_CHARACTERS_MAX;
use offshoot_projections::access::Membership;
use offshoot_projections::features::{self, StoredOrganisation};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::shapes::NO_LIMIT;
use super::shapes::timestamp::iso;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(retrieve))
}

/// An organisation, as one of its members sees it.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "Flagsmith's switches, one by one")]
struct Organisation {
    /// Its integer id.
    id: i64,
    /// Its UUID.
    uuid: Uuid,
    /// Its name.
    name: String,
    /// When it came to be.
    created_date: String,
    /// Always null.
    webhook_notification_email: Option<String>,
    /// Always 0: there are no users.
    num_seats: u32,
    /// What stands where Flagsmith's customers have a subscription.
    subscription: Subscription,
    /// The caller's: `ADMIN` or `USER`.
    role: &'static str,
    /// Always true.
    persist_trait_data: bool,
    /// Always false.
    block_access_to_admin: bool,
    /// Always true.
    restrict_project_create_to_admin: bool,
    /// Always false.
    force_2fa: bool,
}

/// What stands where Flagsmith's customers have a subscription: the free plan without its limits.
#[derive(Debug, Serialize, ToSchema)]
struct Subscription {
    /// The integer id of the organisation.
    id: i64,
    /// Always false.
    has_active_billing_periods: bool,
    /// Always null.
    deleted_at: Option<String>,
    /// The same for ever.
    uuid: Uuid,
    /// Always null.
    subscription_id: Option<String>,
    /// Always null.
    subscription_date: Option<String>,
    /// Always `free`.
    plan: &'static str,
    /// As good as no limit.
    max_seats: i32,
    /// As good as no limit.
    max_api_calls: i32,
    /// Always null.
    cancellation_date: Option<String>,
    /// Always null.
    customer_id: Option<String>,
    /// Always null.
    billing_status: Option<String>,
    /// Always null.
    payment_method: Option<String>,
    /// Always null.
    notes: Option<String>,
}

impl Subscription {
    fn of(organisation: &StoredOrganisation) -> Self {
        Self {
            id: organisation.id.0,
            has_active_billing_periods: false,
            deleted_at: None,
            uuid: Uuid::new_v5(&organisation.uuid, b"subscription"),
            subscription_id: None,
            subscription_date: None,
            plan: "free",
            max_seats: NO_LIMIT,
            max_api_calls: NO_LIMIT,
            cancellation_date: None,
            customer_id: None,
            billing_status: None,
            payment_method: None,
            notes: None,
        }
    }
}

impl Organisation {
    fn new(stored: StoredOrganisation, roles: &BTreeMap<OrganisationId, bool>) -> Self {
        let is_admin = roles.get(&stored.id).is_some_and(|is_admin| *is_admin);
        Self {
            id: stored.id.0,
            uuid: stored.uuid,
            subscription: Subscription::of(&stored),
            name: stored.name,
            created_date: iso(stored.created_at),
            webhook_notification_email: None,
            num_seats: 0,
            role: if is_admin { "ADMIN" } else { "USER" },
            persist_trait_data: true,
            block_access_to_admin: false,
            restrict_project_create_to_admin: true,
            force_2fa: false,
        }
    }
}

/// The organisations, in order of their ids.
async fn find(session: &Session, memberships: &[Membership]) -> Result<Vec<Organisation>, Problem> {
    let roles: BTreeMap<_, _> = memberships.iter().map(|member| (member.organisation, member.is_admin)).collect();
    let ids: Vec<_> = roles.keys().copied().collect();
    let query = move |file: &_| features::organisations_by_ids(file, &ids);
    let stored = session.state.read_models.features.query(query).await?;
    Ok(stored.into_iter().map(|stored| Organisation::new(stored, &roles)).collect())
}

async fn find_one(session: &Session, id: OrganisationId) -> Result<Organisation, Problem> {
    let membership = session.membership(id).await?;
    let found = find(session, &[membership]).await?.pop();
    found.ok_or_else(|| Problem::not_found("Organisation"))
}

/// The organisations that the caller belongs to
#[utoipa::path(
    get, path = "/organisations/", tag = "organisations",
    params(("page" = Option<u32>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = Page<Organisation>), CommonProblems)
)]
async fn list(session: Session, pages: Pagination) -> Result<Answer, Problem> {
    let memberships = session.memberships().await?;
    let count = memberships.len() as u64;
    let shown: Vec<_> = pages.part_of(memberships).collect();
    Ok(Answer::ok(&pages.page(count, find(&session, &shown).await?)?))
}

/// Creates an organisation that the caller administers
///
/// Only who administers an organisation already can create another one.
#[utoipa::path(
    post, path = "/organisations/", tag = "organisations", request_body = NewOrganisation,
    responses((status = 201, body = Organisation), CommonProblems)
)]
async fn create(session: Session, mut fields: Fields) -> Result<Answer, Problem> {
    session.require_organisation_admin().await?;
    let name = fields.required("name", kinds::text(NAME_CHARACTERS_MAX));
    fields.finish()?;
    let commands = &session.state.commands;
    let created = commands.create_organisation(&session.command(), name, Some(session.principal())).await?;
    session.state.settle(created.position).await;
    let (_, id) = created.created;
    Ok(Answer::created(&find_one(&session, id).await?).position(created.position))
}

/// One organisation
#[utoipa::path(
    get, path = "/organisations/{id}/", tag = "organisations", params(("id" = i64, Path)),
    responses((status = 200, body = Organisation), CommonProblems)
)]
async fn retrieve(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    Ok(Answer::ok(&find_one(&session, OrganisationId(id)).await?))
}

/// A new organisation.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct NewOrganisation {
    /// Its name, at most 2,000 characters.
    name: String,
}
