//! Reading JSON bodies and writing answers, the same way for every Klarna API.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::error::ApiError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A finished answer. Its body is at hand, so that the request log can keep it without a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// Headers beyond the ones every answer has.
    pub(crate) headers: HeaderMap,
    /// The body, JSON or empty.
    pub(crate) body: Bytes,
}

impl Answer {
    /// A status with JSON.
    pub(crate) fn json<T: Serialize + ?Sized>(
        status: StatusCode,
        value: &T,
    ) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
        Ok(Self { status, headers: HeaderMap::new(), body: body.into() })
    }

    /// 200 with JSON.
    pub(crate) fn ok<T: Serialize + ?Sized>(value: &T) -> Result<Self, ApiError> {
        Self::json(StatusCode::OK, value)
    }

    /// 200 with JSON that is already text.
    pub(crate) fn ok_text(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into() }
    }

    /// A status without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// The body of an answer, for the request log.
#[derive(Debug, Clone)]
pub(crate) struct AnswerBody(pub(crate) Bytes);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if !self.body.is_empty() {
            response.headers_mut().entry(header::CONTENT_TYPE).or_insert(JSON);
        }
        response.extensions_mut().insert(AnswerBody(self.body));
        response
    }
}

/// A JSON body, read tolerantly: unknown members are ignored, but what is not JSON, not UTF-8 or
/// of the wrong JSON type is 400 `BAD_REQUEST`, and what does not claim to be JSON is 415.
#[derive(Debug, Clone)]
pub(crate) struct JsonBody<T> {
    /// The body as a type.
    pub(crate) value: T,
    /// The body as it came.
    pub(crate) raw: Bytes,
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        require_json(&parts.headers)?;
        let raw = body
            .collect()
            .await
            .map_err(|error| ApiError::bad_request().because(error))?
            .to_bytes();
        Ok(Self { value: parse(&raw)?, raw })
    }
}

/// 415 unless the content type is JSON or absent.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let content_type = content_type.as_bytes();
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json")
        || (essence.len() > 5 && essence[essence.len() - 5..].eq_ignore_ascii_case(b"+json"))
    {
        Ok(())
    } else {
        Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
            .because("the content type must be application/json"))
    }
}

/// Reads a JSON object; the reason of a failure, with its path, goes into the explanation.
pub(crate) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, ApiError> {
    // The wire types refuse anything else by themselves; this also holds for the control API's.
    if !is_object(raw) {
        return Err(ApiError::bad_request().because("the body has to be a JSON object"));
    }
    serde_json::from_slice(raw).map_err(|error| {
        // Only the failing body is read again, to find where it fails.
        let reason = match serde_path_to_error::deserialize::<_, T>(
            &mut serde_json::Deserializer::from_slice(raw),
        ) {
            Err(located) => located.to_string(),
            Ok(_) => error.to_string(),
        };
        ApiError::bad_request().because(reason)
    })
}

/// Whether JSON begins like an object.
pub(crate) fn is_object(raw: &[u8]) -> bool {
    raw.trim_ascii_start().first() == Some(&b'{')
}
