//! Who looks at a page: a session, or nobody, who is sent to sign in.

use askama::Template;
use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::{Section, Shell, Theme, page};
use super::texts;
use crate::clock;
use crate::http::AppState;
use crate::http::cookie_session::CookieSession;
use crate::http::problem::Problem;
use crate::http::request_context::RequestContext;
use crate::http::session::{Credentials, Session, admit};

/// Who looks at a page. Handlers of pages take it as an argument.
#[derive(Clone)]
pub struct Viewer {
    /// The one who acts, as in the API.
    pub session: Session,
    /// The browser's session.
    pub cookie: CookieSession,
    /// The colours that were chosen.
    pub theme: Theme,
    /// Whether it administers an organisation.
    pub is_admin: bool,
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let session = Session::from_request_parts(parts, state).await?;
        let cookie = parts.extensions.get::<CookieSession>().cloned().ok_or_else(Problem::credentials_missing)?;
        let is_admin = session.memberships().await?.iter().any(|membership| membership.is_admin);
        Ok(Self { session, cookie, theme: Theme::chosen(&parts.headers), is_admin })
    }
}

impl Viewer {
    /// Asks again whether the session and its key are still valid: a page can be looked at for hours.
    ///
    /// # Errors
    /// 401 if they are not.
    pub async fn is_still_here(&self) -> Result<(), Problem> {
        if !self.session.state.sessions.is_valid(&self.cookie, clock::now()) {
            return Err(Problem::invalid_token());
        }
        admit(&self.session.state, &Credentials::Session(self.cookie.clone()), None).await.map(|_| ())
    }

    /// What surrounds a page with this title.
    #[must_use]
    pub fn shell(&self, section: Section, title: impl Into<String>) -> Shell {
        Shell {
            title: title.into(),
            section,
            key_name: self.session.key.name.clone(),
            csrf_token: self.cookie.csrf_token.clone(),
            theme: self.theme,
            is_admin: self.is_admin,
        }
    }
}

/// Lets a request in if it belongs to a session whose API key is still valid. All others are sent to sign in.
pub async fn require_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(session) = state.sessions.find(request.headers(), clock::now()) else { return sign_in_first(&request) };
    let credentials = Credentials::Session(session.clone());
    match admit(&state, &credentials, request.extensions().get::<RequestContext>()).await {
        Ok(key) => {
            request.extensions_mut().insert(key);
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(Problem::NotAuthenticated(_)) => sign_in_first(&request),
        Err(problem) => problem.into_response(),
    }
}

/// Sent once more by the page itself: a browser that follows a link from elsewhere keeps the session's cookie back.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "once_more.html")]
struct OnceMore {
    path: String,
}

fn sign_in_first(request: &Request) -> Response {
    let path = path_and_query(request);
    if comes_from_elsewhere(request.headers()) {
        return page(&OnceMore { path }).into_response();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    if path != "/" {
        query.append_pair("next", &path);
    }
    let query = query.finish();
    let target = if query.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?{query}") };
    Redirect::to(&target).into_response()
}

fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"cross-site")
}

fn path_and_query(request: &Request) -> String {
    let original = request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri);
    original.path_and_query().map_or("/", |path| path.as_str()).to_owned()
}

/// A path on this server, as it may be asked for in a query; `/` if it is none, or leads elsewhere.
#[must_use]
pub fn safe_path(asked: &str) -> &str {
    let is_safe = asked.starts_with('/')
        && !asked[1..].starts_with(['/', '\\'])
        && asked.bytes().all(|byte| byte.is_ascii_graphic());
    if is_safe { asked } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::safe_path;

    #[test]
    fn nobody_is_led_to_another_host() {
        assert_eq!(safe_path("/projects/1?page=2"), "/projects/1?page=2");
        for elsewhere in ["", "//example.org", "/\\example.org", "https://example.org", "/a\nb", "/\t/example.org", "a"]
        {
            assert_eq!(safe_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
