//! `GET` and `PUT /v1/expiry-policy`: what the store wants done about authorisations that are about
//! to lapse.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Caller};
use super::problem::Problem;
use crate::app::App;
use crate::domain::expiry::{OnExpiry, Policy};
use crate::fault::Fault;
use crate::store::policies;

/// What the store wants.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiryPolicy {
    /// What is done about a payment of which something can still be captured: `none`, `extend` the
    /// authorisation, `capture_remaining`, or `release` what remains.
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// How many days before the expiry it is done: 1 to 180.
    #[serde(default = "act_days")]
    pub act_days: i64,
    /// How many days before the expiry `payment.authorization_expiring` is sent: at most five
    /// numbers, 1 to 180.
    #[serde(default = "notice_days")]
    pub notice_days: Vec<i64>,
}

fn act_days() -> i64 {
    Policy::default().act_days
}

fn notice_days() -> Vec<i64> {
    Policy::default().notice_days
}

impl From<Policy> for ExpiryPolicy {
    fn from(policy: Policy) -> Self {
        Self {
            on_expiry: policy.on_expiry,
            act_days: policy.act_days,
            notice_days: policy.notice_days,
        }
    }
}

/// Reads what the store wants.
#[utoipa::path(get, path = "/v1/expiry-policy", tag = "stores",
    responses((status = 200, body = ExpiryPolicy), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(State(app): State<App>, caller: Caller) -> Result<Json<ExpiryPolicy>, Problem> {
    let found = app.database().read(move |tx| policies::expiry(tx, &caller.store_id)).await?;
    Ok(Json(found.into()))
}

/// Replaces what the store wants. What was left out is as it is by default.
#[utoipa::path(put, path = "/v1/expiry-policy", tag = "stores", request_body = ExpiryPolicy,
    responses((status = 200, body = ExpiryPolicy), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Body { value, .. }: Body<ExpiryPolicy>,
) -> Result<Json<ExpiryPolicy>, Problem> {
    let policy = Policy {
        on_expiry: value.on_expiry,
        act_days: value.act_days,
        notice_days: value.notice_days,
    };
    let policy =
        policy.checked().map_err(|wrong| Problem::invalid(wrong.member, format!("{wrong}.")))?;
    keep(&app, &caller.store_id, policy.clone()).await?;
    Ok(Json(policy.into()))
}

/// Keeps what a store wants.
pub(crate) async fn keep(app: &App, store_id: &str, policy: Policy) -> Result<(), Fault> {
    let (store_id, now_ms) = (store_id.to_owned(), app.engine().now_ms());
    app.database().write(move |tx| policies::set_expiry(tx, &store_id, &policy, now_ms)).await?;
    app.engine().wake();
    Ok(())
}
