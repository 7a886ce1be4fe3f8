//! The payment requests that a merchant's server makes, reads and calls off (`/v2/payment/requests`).
//!
//! The shopper pays them on the page whose address the answer names, or by the button of a page of the merchant's,
//! which goes on with the id (`web::payment_requests`).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use klarna_types::validate::UrlRule;
use serde_json::Value;
use service::Clock as _;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::payments::session_problems;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::merchant::Merchant;
use crate::domain::payment_request::merchant_side::{self, Wrong};
use crate::domain::payment_request::{self, Event, PaymentRequest, State as RequestState};
use crate::domain::session::ends_at_ms;
use crate::shopper::bad_paths;
use crate::store::{payment_requests, sessions, to_document};

/// Its routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v2/payment/requests", post(create))
        .route("/v2/payment/requests/{payment_request_id}", get(read).delete(cancel))
}

fn refused(wrong: Vec<Wrong>) -> ApiError {
    let mut error = ApiError::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR")
        .message("The payment request cannot be made");
    error.invalid = wrong;
    error
}

/// Whether the browser may be sent to an address at the end.
fn may_return(merchant: &Merchant, address: &str) -> bool {
    match merchant.url_rule() {
        UrlRule::Https => address.starts_with("https://"),
        UrlRule::HttpsOrLoopback => {
            address.starts_with("https://")
                || ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|start| {
                    let rest = address.strip_prefix(start);
                    rest.is_some_and(|rest| {
                        rest.is_empty() || rest.starts_with([':', '/', '?', '#'])
                    })
                })
        }
        UrlRule::Any => address.starts_with("https://") || address.starts_with("http://"),
    }
}

/// `POST /v2/payment/requests`.
async fn create(
    State(app): State<App>,
    caller: Caller,
    JsonBody { value: body, .. }: JsonBody<Value>,
) -> Result<Answer, ApiError> {
    let merchant = &caller.merchant;
    let wanted =
        merchant_side::read(&body, |address| may_return(merchant, address)).map_err(refused)?;
    let problems = session_problems(&wanted.body, merchant);
    if !problems.is_empty() {
        let named = bad_paths(&problems).into_iter();
        return Err(refused(named.map(|path| (path, "cannot be paid".to_owned())).collect()));
    }
    let now = app.clock().now();
    let session_id = service::random::key().to_string();
    let request = PaymentRequest {
        payment_request_id: payment_request::id_of(&service::random::uuid().to_string()),
        client_id: String::new(),
        merchant_id: merchant.merchant_id.clone(),
        session_id: session_id.as_str().into(),
        created_at: now,
        state: RequestState::Submitted,
        previous_state: None,
        state_reason: None,
        version: 1,
        profile: wanted.profile,
        shipping: wanted.shipping,
        return_url: wanted.return_url,
        reference: wanted.reference,
        outcome: None,
    };
    let answer = Answer::json(StatusCode::CREATED, &request.api_view(app.base_url()))?;
    let document = to_document("session", &wanted.body)?;
    let now_ms = now.as_millisecond();
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let merchant_id = request.merchant_id.as_str();
            sessions::insert(tx, &session_id, merchant_id, now_ms, ends_at_ms(now_ms), &document)?;
            crate::payment_requests::made(tx, &request)?;
            Ok(())
        })
        .await?;
    app.wake();
    Ok(answer)
}

fn unknown() -> ApiError {
    ApiError::not_found("There is no such payment request")
}

/// `GET /v2/payment/requests/{payment_request_id}`.
async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer, ApiError> {
    let now = app.clock().now();
    let request = app
        .db()
        .read(move |tx| -> Result<_, ApiError> {
            payment_requests::peek(tx, &id)?
                .filter(|request| request.merchant_id == caller.merchant.merchant_id)
                .ok_or_else(unknown)
        })
        .await?;
    Answer::ok(&request.at(now).api_view(app.base_url()))
}

/// `DELETE /v2/payment/requests/{payment_request_id}`.
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer, ApiError> {
    let now = app.clock().now();
    let request = app
        .db()
        .write(move |tx| -> Result<_, ApiError> {
            let kept = payment_requests::find(tx, &id)?
                .filter(|request| request.merchant_id == caller.merchant.merchant_id)
                .ok_or_else(unknown)?;
            let mut request = kept.at(now);
            request.happen(Event::Canceled).map_err(|refusal| {
                ApiError::new(StatusCode::CONFLICT, "RESOURCE_CONFLICT")
                    .message(refusal.to_string())
            })?;
            crate::payment_requests::changed(tx, &request, now)?;
            Ok(request)
        })
        .await?;
    app.wake();
    Answer::ok(&request.api_view(app.base_url()))
}
