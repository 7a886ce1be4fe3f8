//! `GET` and `PUT /v1/retention-policy`: how long the store keeps what it knows of shoppers.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Caller};
use super::problem::Problem;
use crate::app::App;
use crate::domain::erasure::{MOST_DAYS, Retention};
use crate::store::policies;

/// How long the store keeps what it knows of shoppers.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionPolicy {
    /// So many days after a payment or checkout came to its end and was last changed, what is personal
    /// in it is erased: 1 to 3650. For ever, if it is left out or null.
    #[serde(default)]
    pub personal_data_days: Option<i64>,
}

/// Reads how long the store keeps what it knows of shoppers.
#[utoipa::path(get, path = "/v1/retention-policy", tag = "stores",
    responses((status = 200, body = RetentionPolicy), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<RetentionPolicy>, Problem> {
    let found = app.database().read(move |tx| policies::retention(tx, &caller.store_id)).await?;
    Ok(Json(RetentionPolicy { personal_data_days: found.personal_data_days }))
}

/// Replaces it. What is over by then is erased within a minute, in batches.
#[utoipa::path(put, path = "/v1/retention-policy", tag = "stores", request_body = RetentionPolicy,
    responses((status = 200, body = RetentionPolicy), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Body { value, .. }: Body<RetentionPolicy>,
) -> Result<Json<RetentionPolicy>, Problem> {
    let policy = Retention { personal_data_days: value.personal_data_days };
    if !policy.is_sound() {
        let detail = format!("personal_data_days: 1 to {MOST_DAYS}, or null.");
        return Err(Problem::invalid("personal_data_days", detail));
    }
    let (store_id, now_ms) = (caller.store_id, app.engine().now_ms());
    app.database().write(move |tx| policies::set_retention(tx, &store_id, &policy, now_ms)).await?;
    Ok(Json(value))
}
