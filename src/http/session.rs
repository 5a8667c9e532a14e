//! Who is asking, and what they may do: authentication by API key or by a browser's session, and the permissions each
//! handler asks for.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::permissions::{EnvironmentPermission, Principal, ProjectPermission};
use offshoot_aggregates::{Actor, ActorKind, Version};
use offshoot_projections::access::{self, Membership, StoredKey};
use offshoot_projections::environment_status::{self, StoredEnvironment};
use offshoot_projections::features::{self, StoredProject};

use super::cookie_session::{CookieSession, is_from_here};
use super::problem::Problem;
use super::request_context::{IfMatch, RequestContext};
use super::state::AppState;
use crate::clock;
use crate::commands::CommandContext;
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::secrets::hash_api_key;

/// A request of someone known. Handlers of resources take it as an argument.
#[derive(Clone)]
pub struct Session {
    /// What the handlers work with.
    pub state: AppState,
    /// The key that opened the door.
    pub key: StoredKey,
    /// What the request brought along.
    pub context: RequestContext,
}

/// Lets a request in if its `Authorization` holds a valid API key, after `Api-Key`, `Token` or `Bearer`; or, without
/// `Authorization`, if it belongs to a browser's session. It then waits for the read models, if the request says how far
/// they must be.
pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let credentials = if request.headers().contains_key(header::AUTHORIZATION) {
        api_key(request.headers()).map(|key| Credentials::Key(hash_api_key(key)))
    } else {
        session_of(&state, request.method(), request.headers()).map(Credentials::Session)
    };
    let admitted = match credentials {
        Ok(credentials) => admit(&state, &credentials, request.extensions().get::<RequestContext>()).await,
        Err(problem) => Err(problem),
    };
    match admitted {
        Ok(key) => {
            let actor = Actor { kind: ActorKind::ApiKey, id: key.uuid.to_string(), name: key.name.clone() };
            request.extensions_mut().insert(actor);
            request.extensions_mut().insert(key);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What lets somebody in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The hash of an API key.
    Key(String),
    /// A browser's session.
    Session(CookieSession),
}

/// The API key that credentials stand for, once the read models are as far as the request says.
///
/// # Errors
/// 401 if it is unknown, revoked or expired, 503 if the read models are not that far.
pub async fn admit(
    state: &AppState,
    credentials: &Credentials,
    context: Option<&RequestContext>,
) -> Result<StoredKey, Problem> {
    if let Some(position) = context.and_then(|context| context.min_position)
        && !state.read_models.wait_for(position, READ_YOUR_WRITES_WAIT).await
    {
        let detail = format!("This node has not reached log position {position} yet. Try again soon.");
        return Err(Problem::unavailable(detail, "a reader asked for a later position"));
    }
    // Only now: the key itself may be among what is waited for.
    let credentials = credentials.clone();
    let query = move |file: &_| match credentials {
        Credentials::Key(hash) => access::key_by_hash(file, &hash),
        Credentials::Session(session) => access::key_by_id(file, session.key),
    };
    let stored = state.read_models.access.query(query).await?;
    stored.filter(|stored| stored.is_valid_at(clock::now())).ok_or_else(Problem::invalid_token)
}

/// The session of a request to the API.
fn session_of(state: &AppState, method: &Method, headers: &HeaderMap) -> Result<CookieSession, Problem> {
    let found = state.sessions.find(headers, clock::now()).filter(|_| is_from_here(headers));
    let session = found.ok_or_else(Problem::credentials_missing)?;
    let is_read = [Method::GET, Method::HEAD].contains(method);
    if is_read || session.has_csrf_header(headers) { Ok(session) } else { Err(Problem::csrf_token_missing()) }
}

fn api_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(header::AUTHORIZATION).ok_or_else(Problem::credentials_missing)?;
    let text = value.to_str().map_err(|_| Problem::invalid_token())?;
    let (scheme, key) = text.trim().split_once(' ').ok_or_else(Problem::credentials_missing)?;
    let is_known = ["api-key", "token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if is_known { Ok(key.trim()) } else { Err(Problem::credentials_missing()) }
}

impl FromRequestParts<AppState> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let key = parts.extensions.get::<StoredKey>().cloned().ok_or_else(Problem::credentials_missing)?;
        let context = RequestContext::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), key, context })
    }
}

impl Session {
    /// The one who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { kind: ActorKind::ApiKey, id: self.key.uuid.to_string(), name: self.key.name.clone() }
    }

    /// The one to whom permissions are granted.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.key.principal()
    }

    /// The context of the command that the request asks for: repeatable if it has an `Idempotency-Key`.
    #[must_use]
    pub fn command(&self) -> CommandContext {
        let actor = self.actor();
        let command_id = self.context.command_id(&actor);
        CommandContext {
            metadata: self.context.metadata(&actor, command_id),
            is_repeatable: self.context.idempotency_key.is_some(),
            expected_version: None,
        }
    }

    /// The same, for a command to one environment: it is rejected unless the environment is at the version that
    /// `If-Match` names.
    ///
    /// A version other than `current` is left to the environment to reject, because a command that is repeated was done
    /// at that version and is not rejected.
    ///
    /// # Errors
    /// 412 if `If-Match` names no version that can be.
    pub fn conditional_command(&self, current: Version) -> Result<CommandContext, Problem> {
        let mut command = self.command();
        if let Some(IfMatch::Versions(versions)) = &self.context.if_match {
            let expected = versions.iter().find(|version| **version == current).or(versions.first());
            let expected = expected.ok_or(Problem::VersionMismatch { actual: current })?;
            command.expected_version = Some(*expected);
        }
        Ok(command)
    }

    /// The organisations that the caller belongs to.
    ///
    /// # Errors
    /// The read model cannot be asked.
    pub async fn memberships(&self) -> Result<Vec<Membership>, Problem> {
        let principal = self.principal();
        let query = self.state.read_models.access.query(move |file| access::organisations_of(file, &principal));
        Ok(query.await?)
    }

    /// The caller's place in an organisation.
    ///
    /// # Errors
    /// 404 if the caller has none there.
    pub async fn membership(&self, organisation: OrganisationId) -> Result<Membership, Problem> {
        let mut memberships = self.memberships().await?.into_iter();
        let found = memberships.find(|membership| membership.organisation == organisation);
        found.ok_or_else(|| Problem::not_found("Organisation"))
    }

    /// An organisation that the caller administers.
    ///
    /// # Errors
    /// 404 if the caller does not belong to it, 403 if the caller does not administer it.
    pub async fn administered(&self, organisation: OrganisationId) -> Result<Membership, Problem> {
        let membership = self.membership(organisation).await?;
        if membership.is_admin { Ok(membership) } else { Err(Problem::forbidden()) }
    }

    /// Asks that the caller administers an organisation, whichever: for what concerns the whole installation.
    ///
    /// # Errors
    /// 403 if the caller administers none.
    pub async fn require_organisation_admin(&self) -> Result<(), Problem> {
        let is_admin = self.memberships().await?.iter().any(|membership| membership.is_admin);
        if is_admin { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// A project in which the caller may do something; `None` asks for its administrator.
    ///
    /// # Errors
    /// 404 if there is no such project, 403 if the caller may not.
    pub async fn project(
        &self,
        project: ProjectId,
        permission: Option<ProjectPermission>,
    ) -> Result<StoredProject, Problem> {
        let found = self.find_project(project).await?;
        self.require_in_project(project, permission).await?;
        Ok(found)
    }

    /// A project, before it is known what the caller needs to be allowed in it.
    ///
    /// # Errors
    /// 404 if there is no such project.
    pub async fn find_project(&self, project: ProjectId) -> Result<StoredProject, Problem> {
        let found = self.state.read_models.features.query(move |file| features::project(file, project)).await?;
        found.ok_or_else(|| Problem::not_found("Project"))
    }

    /// Asks for a permission in a project; `None` for its administrator.
    ///
    /// # Errors
    /// 403.
    pub async fn require_in_project(
        &self,
        project: ProjectId,
        permission: Option<ProjectPermission>,
    ) -> Result<(), Problem> {
        let principal = self.principal();
        let query = move |file: &_| access::project_permissions(file, &principal, project);
        let permissions = self.state.read_models.access.query(query).await?;
        let is_allowed = permission.map_or(permissions.admin, |permission| permissions.allow(&permission));
        if is_allowed { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// An environment, by its client key, in which the caller may do something; `None` asks for its administrator.
    ///
    /// # Errors
    /// 404 if there is no such environment, 403 if the caller may not.
    pub async fn environment(
        &self,
        api_key: &str,
        permission: Option<EnvironmentPermission>,
    ) -> Result<StoredEnvironment, Problem> {
        let found = self.find_environment(api_key).await?;
        self.require_in_environment(&found, permission).await?;
        Ok(found)
    }

    /// An environment, by its client key, before it is known what the caller needs to be allowed in it.
    ///
    /// # Errors
    /// 404 if there is no such environment.
    pub async fn find_environment(&self, api_key: &str) -> Result<StoredEnvironment, Problem> {
        let api_key = api_key.to_owned();
        let query = move |file: &_| environment_status::environment_by_key(file, &api_key);
        let found = self.state.read_models.environment_status.query(query).await?;
        found.ok_or_else(|| Problem::not_found("Environment"))
    }

    /// The same, by its integer id; `None` if there is no such environment.
    ///
    /// # Errors
    /// The read model cannot be asked.
    pub async fn find_environment_by_id(&self, id: EnvironmentId) -> Result<Option<StoredEnvironment>, Problem> {
        let query = move |file: &_| environment_status::environment(file, id);
        Ok(self.state.read_models.environment_status.query(query).await?)
    }

    /// Asks for a permission in an environment; `None` for its administrator.
    ///
    /// # Errors
    /// 403.
    pub async fn require_in_environment(
        &self,
        environment: &StoredEnvironment,
        permission: Option<EnvironmentPermission>,
    ) -> Result<(), Problem> {
        let (principal, id) = (self.principal(), environment.id);
        let query = move |file: &_| access::environment_permissions(file, &principal, id);
        let permissions = self.state.read_models.access.query(query).await?;
        let is_allowed = permission.map_or(permissions.admin, |permission| permissions.allow(&permission));
        if is_allowed { Ok(()) } else { Err(Problem::forbidden()) }
    }
}
