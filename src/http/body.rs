//! What comes with a request: the body as [`Fields`] or a list of them, the query, and the parts of the path.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::field_errors::Messages;
use super::fields::{Fields, read_objects};
use super::problem::Problem;
use crate::limits::BODY_BYTES_MAX;

enum Body {
    Json(Value),
    Form(Fields),
}

/// Reads a body as its media type says. An empty one is an empty object, whatever it says.
async fn parse(content_type: Option<&str>, bytes: Bytes) -> Result<Body, Problem> {
    if bytes.is_empty() {
        return Ok(Body::Json(Value::Object(Map::new())));
    }
    let sent = content_type.unwrap_or_default();
    let media_type = sent.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Body::Json).map_err(|error| Problem::bad_request(format!("JSON parse error - {error}")))
    } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(Body::Form(Fields::from_form(&bytes)))
    } else if media_type.eq_ignore_ascii_case("multipart/form-data") {
        Ok(Body::Form(Fields::from_texts(parts(sent, bytes).await?)))
    } else {
        Err(Problem::UnsupportedMediaType(sent.to_owned()))
    }
}

/// The parts of a form that comes in parts, each a text; files are read as if they were typed in.
async fn parts(content_type: &str, bytes: Bytes) -> Result<Vec<(String, String)>, Problem> {
    let malformed = |detail: String| Problem::bad_request(format!("Multipart form parse error - {detail}"));
    let request = Request::builder().header(header::CONTENT_TYPE, content_type).body(axum::body::Body::from(bytes));
    let request = request.map_err(|error| malformed(error.to_string()))?;
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|rejection| malformed(rejection.body_text()))?;
    let mut texts = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|error| malformed(error.body_text()))? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let text = part.bytes().await.map_err(|error| malformed(error.body_text()))?;
        let text = String::from_utf8(text.into()).map_err(|error| malformed(error.to_string()))?;
        texts.push((name, text));
    }
    Ok(texts)
}

impl Fields {
    /// The fields of a body.
    ///
    /// # Errors
    /// 400 if it is malformed or no object, 415 if its media type is none that is read.
    pub async fn from_bytes(content_type: Option<&str>, bytes: Bytes) -> Result<Self, Problem> {
        match parse(content_type, bytes).await? {
            Body::Form(fields) => Ok(fields),
            Body::Json(Value::Null) => Err(Problem::non_field("No data provided")),
            Body::Json(value) => Self::from_value(value).map_err(Problem::Invalid),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (content_type, bytes) = read(request, state).await?;
        Self::from_bytes(content_type.as_deref(), bytes).await
    }
}

/// A body as the JSON that it is, whatever that is.
///
/// # Errors
/// 400 if it is malformed, 415 if its media type is not JSON.
pub(super) async fn json_value(content_type: Option<&str>, bytes: Bytes) -> Result<Value, Problem> {
    match parse(content_type, bytes).await? {
        Body::Json(value) => Ok(value),
        Body::Form(_) => Err(Problem::UnsupportedMediaType(content_type.unwrap_or_default().to_owned())),
    }
}

/// A body that is a list of objects.
#[derive(Clone, Debug)]
pub struct Items(Value);

impl Items {
    /// The list that a body is.
    ///
    /// # Errors
    /// 400 if it is malformed, 415 if its media type is not JSON.
    pub async fn from_bytes(content_type: Option<&str>, bytes: Bytes) -> Result<Self, Problem> {
        match parse(content_type, bytes).await? {
            Body::Json(value) => Ok(Self(value)),
            Body::Form(_) => {
                Err(Problem::Invalid(Messages::non_field("Expected a list of items but got type \"QueryDict\".")))
            }
        }
    }

    /// Reads each object.
    ///
    /// # Errors
    /// 400: it is no list, or something is wrong with one of the objects; then each has its errors at its place.
    pub fn read<T>(self, read: impl FnMut(&mut Fields) -> T) -> Result<Vec<T>, Problem> {
        read_objects(self.0, read).map_err(Problem::Invalid)
    }
}

impl<S: Send + Sync> FromRequest<S> for Items {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (content_type, bytes) = read(request, state).await?;
        Self::from_bytes(content_type.as_deref(), bytes).await
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<(Option<String>, Bytes), Problem> {
    let content_type = content_type(request.headers());
    Ok((content_type, read_bytes(request, state).await?))
}

/// The bytes of a body.
///
/// # Errors
/// 413 if they are too many, 400 if they do not come.
pub(super) async fn read_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge { max: BODY_BYTES_MAX },
        _ => Problem::bad_request("The request's body could not be read."),
    })
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The fields of the query.
#[derive(Clone, Debug)]
pub struct Query(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Fields::from_form(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// The parts of the path. Where an id is no number, nothing has that path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(parts)) => Ok(Self(parts)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => Err(Problem::no_such_path()),
            Err(rejection) => Err(Problem::internal(rejection)),
        }
    }
}
