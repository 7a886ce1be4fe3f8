//! P5: make an order from an authorization.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::payments::SessionBody;
use klarna_types::validate;
use service::Clock as _;

use super::refusals::{bad_values, not_configured};
use super::sessions::account_problems;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, Chain};
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::sdk_token;
use crate::placing::{self, By, Names, Placing, PlacingError};

/// `POST /payments/v1/authorizations/{authorization_token}/order`.
pub(super) async fn place(
    State(app): State<App>,
    caller: Caller,
    Path(token): Path<String>,
    JsonBody { value: body, raw }: JsonBody<SessionBody>,
) -> Result<Answer, ApiError> {
    let mut problems = validate::create_order(&body, caller.merchant.url_rule());
    problems.extend(account_problems(&body, &caller.merchant));
    let base_url = app.base_url().to_owned();
    let names = Names::draw();
    let now = app.clock().now();
    let answer = app
        .db()
        .write(move |tx| {
            let placing = Placing {
                merchant: &caller.merchant,
                by: By::Merchant,
                token: sdk_token::authorization(&token),
                body: &body,
                raw: &raw,
                problems: &problems,
                base_url: &base_url,
                names: &names,
                now,
            };
            placing::place(tx, &placing)
        })
        .await?;
    app.wake();
    Ok(Answer::ok_text(answer))
}

impl From<PlacingError> for ApiError {
    fn from(error: PlacingError) -> Self {
        match error {
            PlacingError::Token(refusal) => refusal.into(),
            PlacingError::Session(refusal) => refusal.into(),
            PlacingError::TokenOnly | PlacingError::AutoCapture => {
                not_configured(&error.to_string())
            }
            PlacingError::BadValues(problems) => bad_values(&problems)
                .err()
                .unwrap_or_else(|| Self::internal("a refusal without a problem")),
            PlacingError::Mismatch(mismatch) => {
                Self::new(StatusCode::CONFLICT, "BAD_VALUE").message(mismatch.message())
            }
            PlacingError::Rejected => {
                Self::new(StatusCode::FORBIDDEN, "REJECTED").message("Rejected").because(error)
            }
            PlacingError::Unreadable(_) => Self::internal(error),
            PlacingError::Store(error) => Self::internal(Chain(&error)),
        }
    }
}
