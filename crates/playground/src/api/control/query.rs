//! Reading the parameters of a call of the control API: what is wrong is said with the parameter's name.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;

use crate::api::error::ApiError;

/// The parameters; 400 `BAD_VALUE` saying which one is wrong, and how.
pub(super) fn wanted<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(wanted)| wanted).map_err(|rejection| {
        let text = rejection.body_text();
        let reason = text.split_once("query string: ").map_or(text.as_str(), |(_, reason)| reason);
        ApiError::new(StatusCode::BAD_REQUEST, "BAD_VALUE").message(format!("Bad value: {reason}"))
    })
}
