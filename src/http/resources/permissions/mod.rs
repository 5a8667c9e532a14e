//! Permissions granted in projects and environments: what both have in common, and a file for each.

mod environment;
mod project;

use std::collections::BTreeSet;

use offshoot_aggregates::Position;
use offshoot_aggregates::ids::{ApiKeyId, OrganisationId};
use offshoot_aggregates::permissions::{Grant, Principal};
use offshoot_projections::access::{self, Permissions, StoredKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::shapes::author::Author;
use crate::commands::CommandError;
use crate::event_log::Appended;
use crate::http::answer::Answer;
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::problem::Problem;
use crate::http::rejections::unknown_id;
use crate::http::session::Session;
use crate::http::state::AppState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    project::routes().merge(environment::routes())
}

/// What an API key was granted, in a list.
#[derive(Debug, Serialize, ToSchema)]
struct HeldPermissions {
    /// The integer id of the API key.
    id: i64,
    /// What it may do.
    permissions: Vec<String>,
    /// Whether it may do everything.
    admin: bool,
    /// The API key.
    user: Author,
}

/// What an API key was granted, as it is after it was changed.
#[derive(Debug, Serialize, ToSchema)]
struct GrantedPermissions {
    /// The integer id of the API key.
    id: i64,
    /// What it may do.
    permissions: Vec<String>,
    /// Whether it may do everything.
    admin: bool,
    /// The integer id of the API key.
    user: i64,
}

/// What the caller may do.
#[derive(Debug, Serialize, ToSchema)]
struct OwnPermissions {
    /// What was granted by name.
    permissions: Vec<String>,
    /// Whether it is everything: granted here, or because the caller administers what this lies in.
    admin: bool,
    /// Always empty.
    tag_based_permissions: Vec<Value>,
}

/// What an API key shall be granted.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct GrantBody {
    /// The integer id of an API key that belongs to the organisation; not needed where the path names it.
    user: Option<i64>,
    /// What it may do, as in `VIEW_PROJECT` or `VIEW_ENVIRONMENT`; nothing if not given.
    permissions: Option<Vec<String>>,
    /// Whether it may do everything; false if not given.
    admin: Option<bool>,
}

impl HeldPermissions {
    fn new<P: Ord + Serialize>(grant: Grant<P>) -> Self {
        let Grant { principal: Principal::ApiKey { uuid, id, name }, admin, permissions } = grant;
        let user = Author::api_key(id.0, uuid, name);
        Self { id: id.0, permissions: names(&permissions), admin, user }
    }
}

impl GrantedPermissions {
    fn new<P: Ord + Serialize>(grant: &Grant<P>) -> Self {
        let Principal::ApiKey { id, .. } = grant.principal;
        Self { id: id.0, permissions: names(&grant.permissions), admin: grant.admin, user: id.0 }
    }
}

impl OwnPermissions {
    fn new<P: Ord + Serialize>(permissions: &Permissions<P>) -> Self {
        let Permissions { admin, permissions } = permissions;
        Self { permissions: names(permissions), admin: *admin, tag_based_permissions: Vec::new() }
    }
}

/// The names of permissions in the API, which are those in the log.
fn names<P: Serialize>(permissions: &BTreeSet<P>) -> Vec<String> {
    let name = |permission| match serde_json::to_value(permission) {
        Ok(Value::String(name)) => Some(name),
        _ => None,
    };
    permissions.iter().filter_map(name).collect()
}

/// What shall be granted, but not to whom.
struct Asked<P> {
    admin: bool,
    permissions: BTreeSet<P>,
}

impl<P: Ord + DeserializeOwned> Asked<P> {
    fn read(fields: &mut Fields) -> Self {
        let permissions = fields.optional("permissions", kinds::list(kinds::choice()));
        let admin = fields.optional("admin", kinds::boolean()).unwrap_or(false);
        Self { admin, permissions: permissions.into_iter().flatten().collect() }
    }

    fn to(self, principal: Principal) -> Grant<P> {
        Grant { principal, admin: self.admin, permissions: self.permissions }
    }
}

/// What can be asked of a place that permissions are granted in.
enum Change<P: Ord> {
    /// Set what someone may do there.
    Grant(Grant<P>),
    /// Take away what someone may do there.
    Revoke(Principal),
}

/// A project or an environment.
trait Place {
    type Permission: Ord + Serialize + DeserializeOwned;

    /// Flagsmith's name of what is granted there.
    const GRANT: &'static str;

    /// The organisation that it belongs to.
    async fn organisation(&self, session: &Session) -> Result<OrganisationId, Problem>;

    /// Who was granted what there.
    async fn holders(&self, session: &Session) -> Result<Vec<Grant<Self::Permission>>, Problem>;

    /// What the caller may do there.
    async fn own(&self, session: &Session) -> Result<Permissions<Self::Permission>, Problem>;

    /// Sends the command.
    async fn send(&self, session: &Session, change: Change<Self::Permission>) -> Result<Appended, CommandError>;
}

async fn answer_held<P: Place>(session: &Session, place: &P) -> Result<Answer, Problem> {
    let held = place.holders(session).await?;
    Ok(Answer::ok(&held.into_iter().map(HeldPermissions::new).collect::<Vec<_>>()))
}

/// Any member may ask, also one who may do nothing there.
async fn answer_own<P: Place>(session: &Session, place: &P) -> Result<Answer, Problem> {
    let organisation = place.organisation(session).await?;
    session.membership(organisation).await.map_err(Problem::or_forbidden)?;
    Ok(Answer::ok(&OwnPermissions::new(&place.own(session).await?)))
}

async fn grant<P: Place>(session: &Session, place: &P, mut fields: Fields) -> Result<Answer, Problem> {
    let user = fields.required("user", kinds::id());
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let key = find_key(session, place.organisation(session).await?, user).await?;
    let (granted, position) = set(session, place, asked.to(key.principal())).await?;
    Ok(Answer::created(&granted).position(position))
}

async fn replace<P: Place>(session: &Session, place: &P, user: i64, mut fields: Fields) -> Result<Answer, Problem> {
    let principal = holder(session, place, user).await?;
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let (granted, position) = set(session, place, asked.to(principal)).await?;
    Ok(Answer::ok(&granted).position(position))
}

async fn set<P: Place>(
    session: &Session,
    place: &P,
    grant: Grant<P::Permission>,
) -> Result<(GrantedPermissions, Position), Problem> {
    let granted = GrantedPermissions::new(&grant);
    let position = place.send(session, Change::Grant(grant)).await?.position;
    session.state.settle(position).await;
    Ok((granted, position))
}

async fn revoke<P: Place>(session: &Session, place: &P, user: i64) -> Result<Answer, Problem> {
    let principal = holder(session, place, user).await?;
    let position = place.send(session, Change::Revoke(principal)).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

/// An API key that something can be granted to: one that is not revoked and belongs to the organisation.
async fn find_key(session: &Session, organisation: OrganisationId, id: i64) -> Result<StoredKey, Problem> {
    let query = move |file: &_| {
        let Some(key) = access::key_by_id(file, ApiKeyId(id))?.filter(|key| !key.is_revoked) else { return Ok(None) };
        let memberships = access::organisations_of(file, &key.principal())?;
        let is_member = memberships.iter().any(|membership| membership.organisation == organisation);
        Ok(is_member.then_some(key))
    };
    let found = session.state.read_models.access.query(query).await?;
    found.ok_or_else(|| Problem::field("user", unknown_id(id)))
}

/// The API key with this id, if something was granted to it.
async fn holder<P: Place>(session: &Session, place: &P, id: i64) -> Result<Principal, Problem> {
    let is_it = |principal: &Principal| {
        let Principal::ApiKey { id: own, .. } = principal;
        own.0 == id
    };
    let holders = place.holders(session).await?;
    let found = holders.into_iter().map(|holder| holder.principal).find(is_it);
    found.ok_or_else(|| Problem::not_found(P::GRANT))
}
