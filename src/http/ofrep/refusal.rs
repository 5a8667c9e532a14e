//! Why a request was not answered as its sender hoped, in OFREP's form.

use std::borrow::Cow;
use std::fmt::Display;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::flags::NotServed;
use crate::http::answer::Answer;
use crate::http::problem::{Inside, Problem};
use crate::limits::RETRY_AFTER;

/// Why a request was not answered as its sender hoped.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// OpenFeature's code, where it has one.
    pub(super) code: Option<&'static str>,
    details: Cow<'static, str>,
    inside: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, details: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: Some(code), details: details.into(), inside: None }
    }

    /// 401: there is no key.
    pub(super) fn key_missing() -> Self {
        let details = "The key of an environment is missing: as bearer token, X-API-Key or X-Environment-Key.";
        Self::new(StatusCode::UNAUTHORIZED, "GENERAL", details)
    }

    /// 400: the body is not JSON.
    pub(super) fn parse_error(error: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "PARSE_ERROR", format!("The request's body is not JSON: {error}."))
    }

    /// 400: the context is none.
    pub(super) fn invalid_context(error: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_CONTEXT", format!("The evaluation context is none: {error}."))
    }

    /// 404: there is no such flag for whoever asks.
    pub(super) fn flag_not_found(key: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "FLAG_NOT_FOUND", format!("There is no flag \"{key}\"."))
    }

    /// The answer, about one flag if it has a key.
    pub(super) fn into_response(self, key: Option<&str>) -> Response {
        let mut body = json!({ "errorDetails": self.details });
        if let Some(code) = self.code {
            body["errorCode"] = code.into();
        }
        if let Some(key) = key {
            body["key"] = key.into();
        }
        let mut response = Answer::json(self.status, &body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = RETRY_AFTER.as_secs().max(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(inside) = self.inside {
            response.extensions_mut().insert(Inside(inside));
        }
        response
    }
}

impl From<NotServed> for Refusal {
    fn from(reason: NotServed) -> Self {
        let not_ready = |details| Self::new(StatusCode::SERVICE_UNAVAILABLE, "PROVIDER_NOT_READY", details);
        match reason {
            NotServed::UnknownKey => {
                Self::new(StatusCode::UNAUTHORIZED, "GENERAL", "The key is that of no environment, or is refused.")
            }
            NotServed::Creating => {
                not_ready("The environment's feature states are still being copied. Try again soon.")
            }
            NotServed::NotReady(inside) => {
                let details = "Flags are being prepared from the event log. Try again soon.";
                Self { inside: Some(inside), ..not_ready(details) }
            }
            NotServed::Failed(inside) => Self {
                inside: Some(inside),
                ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "GENERAL", "Internal server error.")
            },
        }
    }
}

impl From<Problem> for Refusal {
    /// What can go wrong while a body is read.
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let details = match problem {
            Problem::BodyTooLarge { max } => format!("The request's body has more than {max} bytes."),
            _ => "The request's body could not be read.".to_owned(),
        };
        Self::new(status, "GENERAL", details)
    }
}
