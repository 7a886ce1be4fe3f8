//! Be Klarna towards a customer token: look at it, suspend it, let it be charged again, cancel it, or make
//! its next charges fail.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use klarna_types::CustomerTokenId;
use serde::{Deserialize, Serialize};
use service::Clock as _;
use storage::Tx;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::customer_token::charge::Failure;
use crate::domain::customer_token::state::{Command, Moved};
use crate::store::StoreError;
use crate::store::customer_tokens::{self, Event};

/// How much of the history is shown.
const HISTORY: i64 = 100;

/// The most charges that can be made to fail at once.
const MOST_FAILURES: u32 = 1_000_000;

/// A customer token as the playground keeps it. No personal data are shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct TokenView {
    token_id: String,
    merchant_id: String,
    /// `ACTIVE`, `SUSPENDED` or `CANCELLED`.
    status: String,
    /// How it is charged, such as `INVOICE`.
    payment_method_type: String,
    /// Names the method towards the merchant; another one after a recovery.
    payment_method_reference: String,
    country: String,
    currency: String,
    created_at: String,
    /// The charges that are going to fail, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_next: Option<FailNext>,
    /// What happened to it, newest first, at most the last 100 entries.
    history: Vec<HistoryEntry>,
}

/// Charges that are going to fail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FailNext {
    /// How many are left.
    times: u32,
    /// With what.
    error_code: String,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct HistoryEntry {
    at: String,
    /// `created`, `charged`, `refused`, `suspended`, `activated`, `cancelled_by_merchant`,
    /// `cancelled_by_klarna`, `failures_planned`, `recovered`.
    event: String,
    /// The order that a charge made.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The error code of a refusal, or the order that recovered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What to do to it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenChange {
    /// `suspend`, `activate`, `cancel` or `fail_next`.
    action: String,
    /// With `fail_next`: how many charges fail; 1 when absent, 0 takes back what was planned.
    times: Option<u32>,
    /// With `fail_next`: `PAYMENT_METHOD_FAILED` (when absent), `UNAVAILABLE_PAYMENT_METHOD` or
    /// `SERVICE_UNAVAILABLE`.
    error_code: Option<String>,
}

/// `GET /playground/v1/customer-tokens/{token_id}`.
#[utoipa::path(
    get,
    path = "/playground/v1/customer-tokens/{token_id}",
    params(("token_id" = String, Path, description = "The customer token")),
    responses(
        (status = 200, description = "The token and what happened to it", body = TokenView),
        (status = 404, description = "There is no such token"),
    )
)]
pub(super) async fn read(
    State(app): State<App>,
    _: Operator,
    Path(token_id): Path<String>,
) -> Result<Answer, ApiError> {
    let token_id = CustomerTokenId::new(token_id);
    let view = app.db().read(move |tx| view(tx, &token_id)).await?;
    Answer::ok(&view.ok_or_else(unknown)?)
}

/// `POST /playground/v1/customer-tokens/{token_id}`.
#[utoipa::path(
    post,
    path = "/playground/v1/customer-tokens/{token_id}",
    params(("token_id" = String, Path, description = "The customer token")),
    request_body = TokenChange,
    responses(
        (status = 200, description = "Done; the token as it is now", body = TokenView),
        (status = 400, description = "Not an action, or not one of its values"),
        (status = 404, description = "There is no such token"),
        (status = 409, description = "The token is cancelled, and that is for ever"),
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    _: Operator,
    Path(token_id): Path<String>,
    JsonBody { value, .. }: JsonBody<TokenChange>,
) -> Result<Answer, ApiError> {
    let action = Action::of(&value)
        .map_err(|reason| ApiError::new(StatusCode::BAD_REQUEST, "BAD_VALUE").message(reason))?;
    let token_id = CustomerTokenId::new(token_id);
    let now_ms = app.clock().now_ms();
    let view = app
        .db()
        .write(move |tx| -> Result<_, ApiError> {
            let mut loaded = customer_tokens::load(tx, &token_id)?.ok_or_else(unknown)?;
            let event = match action {
                Action::Obey(command) => {
                    let moved = loaded.token.obey(command, now_ms).map_err(|refusal| {
                        ApiError::new(StatusCode::CONFLICT, "CONFLICT").message(refusal.to_string())
                    })?;
                    (moved != Moved::Stays).then_some(match command {
                        Command::Suspend => Event::Suspended,
                        Command::Activate => Event::Activated,
                        Command::Cancel => Event::CancelledByKlarna,
                    })
                }
                Action::Plan { times, with } => {
                    loaded.token.plan(times, with);
                    Some(Event::FailuresPlanned)
                }
            };
            if let Some(event) = event {
                customer_tokens::save(tx, &loaded, &event, now_ms)?;
            }
            Ok(view(tx, &token_id)?)
        })
        .await?;
    Answer::ok(&view.ok_or_else(unknown)?)
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Obey(Command),
    Plan { times: u32, with: Failure },
}

impl Action {
    /// Reads it; the error is for the caller.
    fn of(change: &TokenChange) -> Result<Self, String> {
        let command = match change.action.as_str() {
            "suspend" => Command::Suspend,
            "activate" => Command::Activate,
            "cancel" => Command::Cancel,
            "fail_next" => {
                let times = change.times.unwrap_or(1);
                if times > MOST_FAILURES {
                    return Err(format!("times: at most {MOST_FAILURES}"));
                }
                let wanted = change.error_code.as_deref();
                let with = match wanted {
                    None => Failure::PaymentMethodFailed,
                    Some(code) => Failure::ALL
                        .into_iter()
                        .find(|failure| failure.code() == code)
                        .ok_or_else(|| {
                        let known = Failure::ALL.map(Failure::code).join(", ");
                        format!("error_code: is none of {known}")
                    })?,
                };
                return Ok(Self::Plan { times, with });
            }
            _ => return Err("action: is none of suspend, activate, cancel, fail_next".to_owned()),
        };
        if change.times.is_some() || change.error_code.is_some() {
            return Err("times and error_code belong to the action fail_next".to_owned());
        }
        Ok(Self::Obey(command))
    }
}

fn view(tx: &mut Tx<'_>, token_id: &CustomerTokenId) -> Result<Option<TokenView>, StoreError> {
    let Some(token) = customer_tokens::find(tx, token_id)? else { return Ok(None) };
    let history = customer_tokens::history(tx, token_id, HISTORY)?;
    Ok(Some(TokenView {
        token_id: token.token_id.to_string(),
        merchant_id: token.merchant_id.to_string(),
        status: token.status.as_str().to_owned(),
        payment_method_type: token.payment_method.kind.as_str().to_ascii_uppercase(),
        payment_method_reference: token.payment_method_reference,
        country: token.country.to_string(),
        currency: token.currency.to_string(),
        created_at: instant(token.created_at_ms),
        fail_next: token.planned.map(|planned| FailNext {
            times: planned.times,
            error_code: planned.with.code().to_owned(),
        }),
        history: history
            .into_iter()
            .map(|entry| HistoryEntry {
                at: instant(entry.at_ms),
                event: entry.event,
                // Where the browser went on is the shop's business.
                detail: entry.detail.filter(|_| entry.order_id.is_none()),
                order_id: entry.order_id,
            })
            .collect(),
    }))
}

fn instant(at_ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX))
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no such customer token")
}
