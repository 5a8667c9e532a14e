//! An answer to a request that was granted: its body, and the headers that tell what came of a command.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::{Position, Version};
use serde::Serialize;

use super::problem::{Problem, etag};

/// The log position that an answer's command reached, or that a read shows at least.
pub const OFFSHOOT_POSITION: HeaderName = HeaderName::from_static("offshoot-position");

/// Marks, in an answer's extensions, one that holds a secret: it is never written to disk.
#[derive(Clone, Copy, Debug)]
pub struct Sensitive;

/// An answer to a request that was granted.
#[derive(Debug)]
pub struct Answer(Response);

impl Answer {
    /// 200 with a JSON body.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    #[must_use]
    pub fn created(body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 202 with a JSON body.
    #[must_use]
    pub fn accepted(body: &impl Serialize) -> Self {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self(StatusCode::NO_CONTENT.into_response())
    }

    /// Any status with a JSON body.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => {
                let mut response = Response::new(Body::from(bytes));
                *response.status_mut() = status;
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Self(response)
            }
            Err(error) => Self(Problem::internal(error).into_response()),
        }
    }

    /// With `Offshoot-Position`: where the command's events are.
    #[must_use]
    pub fn position(self, position: Position) -> Self {
        self.header(OFFSHOOT_POSITION, HeaderValue::from(position.0))
    }

    /// With the `ETag` of an environment at a version.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        self.header(header::ETAG, etag(version))
    }

    /// With `Location`: where the thing that came to be is found. A path that is no valid header is left out.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        match HeaderValue::from_str(path) {
            Ok(path) => self.header(header::LOCATION, path),
            Err(_) => self,
        }
    }

    /// Says that the body holds a secret.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.0.extensions_mut().insert(Sensitive);
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        self.0
    }
}
