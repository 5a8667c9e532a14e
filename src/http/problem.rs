//! What went wrong, and the one place that maps it to an answer: Flagsmith's shapes for whoever asked, and for the log
//! what nobody outside should read.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::Version;
use serde_json::json;

use super::field_errors::{FieldErrors, Messages, Text};
use crate::limits::RETRY_AFTER;

/// Why a request was not answered as its sender hoped.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// 401: nobody known is asking.
    NotAuthenticated(&'static str),
    /// 403: someone known may not do this.
    Forbidden(Text),
    /// 404: there is no such thing, or the one who asks may not know of it.
    NotFound(Text),
    /// 400: the fields of the body, or of the query, are wrong; as a map, a bare list or a list of maps.
    Invalid(Messages),
    /// 400 with one text about the whole request.
    BadRequest(Text),
    /// 405.
    MethodNotAllowed(Method),
    /// 409: not in the state that the thing is in.
    Conflict {
        /// For people.
        detail: Text,
        /// For programs; lower case with underscores, never changed.
        code: &'static str,
    },
    /// 412: the environment has changed since whoever asks saw it.
    VersionMismatch {
        /// The version it is at.
        actual: Version,
    },
    /// 413.
    BodyTooLarge {
        /// The most bytes a body may have.
        max: usize,
    },
    /// 415, with the media type that was sent.
    UnsupportedMediaType(String),
    /// 422: the `Idempotency-Key` was used with another body.
    KeyReused,
    /// 503 with `Retry-After`: not now, but soon.
    Unavailable {
        /// For whoever asked.
        detail: Text,
        /// For programs, where they may want to know why; lower case with underscores, never changed.
        code: Option<&'static str>,
        /// For the log, if it is worth a line there.
        inside: Option<String>,
        /// When to try again.
        retry_after: Duration,
    },
    /// 500: a fault of ours. Outside only the request's id is told, by which the line in the log is found.
    Internal(String),
}

/// What the log is told about an answer; carried in the answer's extensions to the one place that writes it, because
/// only there the request's id is known.
#[derive(Clone, Debug)]
pub(super) struct Inside(pub(super) String);

impl Problem {
    /// 401: no credentials came with the request.
    #[must_use]
    pub const fn credentials_missing() -> Self {
        Self::NotAuthenticated("Authentication credentials were not provided.")
    }

    /// 401: credentials came, but nobody has them.
    #[must_use]
    pub const fn invalid_token() -> Self {
        Self::NotAuthenticated("Invalid token.")
    }

    /// 403: a browser's session wants to change something without its CSRF token.
    #[must_use]
    pub const fn csrf_token_missing() -> Self {
        Self::Forbidden(Cow::Borrowed("CSRF Failed: X-CSRF-Token is missing or not this session's."))
    }

    /// 403 in the usual words.
    #[must_use]
    pub const fn forbidden() -> Self {
        Self::Forbidden(Cow::Borrowed("You do not have permission to perform this action."))
    }

    /// 404: `model` is Flagsmith's name of the kind of thing: `Environment`, `Project`, `Feature`, `FeatureState`, ….
    #[must_use]
    pub fn not_found(model: &str) -> Self {
        Self::NotFound(format!("No {model} matches the given query.").into())
    }

    /// 404: no such path.
    #[must_use]
    pub const fn no_such_path() -> Self {
        Self::NotFound(Cow::Borrowed("Not found."))
    }

    /// 404: no such page of a list.
    #[must_use]
    pub const fn invalid_page() -> Self {
        Self::NotFound(Cow::Borrowed("Invalid page."))
    }

    /// 400: `{"field": ["text"]}`.
    pub fn field(field: impl Into<Text>, text: impl Into<Text>) -> Self {
        FieldErrors::one(field, Messages::text(text)).into()
    }

    /// 400: `{"field": "text"}`, the form of a few errors that Flagsmith raises by hand.
    pub fn field_bare(field: impl Into<Text>, text: impl Into<Text>) -> Self {
        FieldErrors::one(field, Messages::Bare(text.into())).into()
    }

    /// 400: `{"non_field_errors": ["text"]}`.
    pub fn non_field(text: impl Into<Text>) -> Self {
        Self::Invalid(Messages::non_field(text))
    }

    /// 400: `["text"]`.
    pub fn list(text: impl Into<Text>) -> Self {
        Self::Invalid(Messages::text(text))
    }

    /// 400: `{"detail": "text"}`.
    pub fn bad_request(text: impl Into<Text>) -> Self {
        Self::BadRequest(text.into())
    }

    /// 409: `{"detail": "text", "code": "code"}`.
    pub fn conflict(code: &'static str, detail: impl Into<Text>) -> Self {
        Self::Conflict { detail: detail.into(), code }
    }

    /// 503 after [`RETRY_AFTER`]; `inside` goes to the log as a warning.
    pub fn unavailable(detail: impl Into<Text>, inside: impl Display) -> Self {
        let inside = Some(inside.to_string());
        Self::Unavailable { detail: detail.into(), code: None, inside, retry_after: RETRY_AFTER }
    }

    /// 503 after [`RETRY_AFTER`]: `{"detail": "text", "code": "code"}`. Nothing is amiss, so the log is not told.
    pub fn not_ready(code: &'static str, detail: impl Into<Text>) -> Self {
        Self::Unavailable { detail: detail.into(), code: Some(code), inside: None, retry_after: RETRY_AFTER }
    }

    /// 500; `inside` goes to the log as an error, and nowhere else.
    pub fn internal(inside: impl Display) -> Self {
        Self::Internal(inside.to_string())
    }

    /// The same, but for 404, which becomes 403: for things that a body names, whether they are there or not.
    #[must_use]
    pub fn or_forbidden(self) -> Self {
        if matches!(self, Self::NotFound(_)) { Self::forbidden() } else { self }
    }

    /// The answer's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotAuthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::VersionMismatch { .. } => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn into_body(self) -> Response {
        let detail = match self {
            Self::Invalid(messages) => return Json(messages).into_response(),
            Self::Conflict { detail, code } => {
                return Json(json!({ "detail": detail, "code": code })).into_response();
            }
            Self::VersionMismatch { actual } => {
                let detail = format!("The environment is at version {actual}.");
                let mut response = Json(json!({ "detail": detail, "version": actual })).into_response();
                response.headers_mut().insert(header::ETAG, etag(actual));
                return response;
            }
            Self::Internal(inside) => return internal_error(inside),
            Self::Unavailable { detail, code, inside, retry_after } => {
                return unavailable(&detail, code, inside, retry_after);
            }
            Self::NotAuthenticated(detail) => Cow::Borrowed(detail),
            Self::Forbidden(detail) | Self::NotFound(detail) | Self::BadRequest(detail) => detail,
            Self::MethodNotAllowed(method) => format!("Method \"{method}\" not allowed.").into(),
            Self::BodyTooLarge { max } => format!("The request's body has more than {max} bytes.").into(),
            Self::UnsupportedMediaType(sent) => format!("Unsupported media type \"{sent}\" in request.").into(),
            Self::KeyReused => "The Idempotency-Key was used before with another request.".into(),
        };
        Json(json!({ "detail": detail })).into_response()
    }
}

fn internal_error(inside: String) -> Response {
    let mut response = internal_error_body("unknown");
    response.extensions_mut().insert(Inside(inside));
    response
}

/// The body of a 500, which tells no more than how to find the line in the log.
pub(super) fn internal_error_body(request_id: &str) -> Response {
    Json(json!({ "detail": "Internal server error.", "request_id": request_id })).into_response()
}

fn unavailable(detail: &str, code: Option<&str>, inside: Option<String>, retry_after: Duration) -> Response {
    let body = code.map_or_else(|| json!({ "detail": detail }), |code| json!({ "detail": detail, "code": code }));
    let mut response = Json(body).into_response();
    let seconds = retry_after.as_secs().max(1);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    if let Some(inside) = inside {
        response.extensions_mut().insert(Inside(inside));
    }
    response
}

/// The `ETag` of an environment at a version.
#[must_use]
pub fn etag(version: Version) -> HeaderValue {
    // Digits between quotes are always a valid header; the fallback is never reached.
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = self.into_body();
        *response.status_mut() = status;
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Cookie realm=\"api\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(Messages::Fields(errors))
    }
}
