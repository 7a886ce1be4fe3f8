//! Request bodies of this API: JSON, or 400 with the name of the member that cannot be read.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::api::error::ApiError;
use crate::api::respond::{is_object, require_json};

/// A body as a type in which nothing is required yet.
#[derive(Debug)]
pub(super) struct OrderBody<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for OrderBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        require_json(&parts.headers)?;
        parse(&collected(body).await?).map(Self)
    }
}

async fn collected(body: Body) -> Result<axum::body::Bytes, ApiError> {
    let collected = body.collect().await.map_err(|error| ApiError::bad_request().because(error))?;
    Ok(collected.to_bytes())
}

fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, ApiError> {
    // serde reads an array into a struct, member by member; no body of this API is an array.
    if !is_object(raw) {
        return Err(ApiError::bad_request().because("the body has to be a JSON object"));
    }
    serde_json::from_slice(raw).map_err(|error| {
        if !error.is_data() {
            return ApiError::bad_request().because(error);
        }
        // Only a body that cannot be read is read again, to find where it fails.
        let mut json = serde_json::Deserializer::from_slice(raw);
        match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Err(located) if located.path().iter().next().is_some() => ApiError::bad_request()
                .message(format!("The {} value cannot be read", located.path()))
                .because(located),
            _ => ApiError::bad_request().because(error),
        }
    })
}
