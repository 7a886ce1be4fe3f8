//! `POST /v1/checkouts/{id}/confirm`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use klarna_types::AuthorizationToken;
use serde::Deserialize;

use super::super::extract::{Body, Caller, Patience};
use super::super::payments::view::PaymentView;
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::Checkout;
use crate::domain::journal::{Operation, Outcome};
use crate::domain::operation::{Reason, State as Stands};
use crate::engine::commands::{self, NotTaken};
use crate::engine::sessions::{self, Trouble};
use crate::fault::Fault;
use crate::store::{checkouts, operations, payments};

/// The shopper's approval.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// What the browser's `authorize` callback got.
    #[schema(value_type = String)]
    pub authorization_token: AuthorizationToken,
}

/// Places the order. The same token again is the same order, whoever brings it: this call, a repeat
/// of it, Klarna's callback.
#[utoipa::path(post, path = "/v1/checkouts/{id}/confirm", tag = "checkouts",
    params(("id" = String, Path)), request_body = Confirm,
    responses(
        (status = 200, body = CheckoutView, description = "The order exists."),
        (status = 202, body = CheckoutView, description = "Not known yet: read the checkout."),
        (status = 402, body = Problem, description = "Klarna declined."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, .. }: Body<Confirm>,
) -> Result<Response, Problem> {
    let checkout = super::find(&app, &caller.store_id, &id).await?;
    let patience = Patience::of(&headers).0;
    let status = place(&app, checkout, value.authorization_token, patience).await?;
    answer(&app, &id, status).await
}

/// Places a checkout's order and waits for what comes of it: 200, it exists; 202, not known yet.
pub(crate) async fn place(
    app: &App,
    checkout: Checkout,
    token: AuthorizationToken,
    patience: Duration,
) -> Result<StatusCode, Problem> {
    if token.expose().is_empty() || token.expose().len() > 1024 {
        return Err(Problem::invalid(
            "authorization_token",
            "authorization_token: 1 to 1024 characters are allowed.",
        ));
    }
    let deadline = tokio::time::Instant::now() + patience;
    let checkout = sessions::settle_doubt(app.engine(), checkout).await?;
    let taken = take(app, &checkout.id, token).await?;
    let mut operation = match taken {
        Ok(operation) => operation,
        Err(NotTaken::Unknown) => return Err(Problem::not_found("checkout")),
        Err(NotTaken::Completed(_)) => return Ok(StatusCode::OK),
        Err(NotTaken::Closed(rejection)) => return Err(Trouble::Rejected(rejection).into()),
    };
    app.engine().wake();
    loop {
        let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
        if let Some(settled) = app.engine().outcome(&operation.id, patience).await? {
            operation = settled;
        }
        let superseded =
            operation.refusal().is_some_and(|refusal| refusal.reason == Reason::Superseded);
        match newest(app, &checkout.id).await? {
            // A newer authorisation took over: its outcome is the checkout's.
            Some(newer) if superseded && newer.id != operation.id => operation = newer,
            Some(_) | None => break,
        }
    }
    match (operation.state, &operation.outcome) {
        (Stands::Done, _) => Ok(StatusCode::OK),
        (Stands::Refused, Some(Outcome::Refused(refusal))) => {
            Err(Problem::refused(refusal, &operation.id))
        }
        (
            Stands::Queued
            | Stands::Running
            | Stands::InDoubt
            | Stands::NeedsAttention
            | Stands::Refused,
            _,
        ) => Ok(StatusCode::ACCEPTED),
    }
}

async fn take(
    app: &App,
    checkout_id: &str,
    token: AuthorizationToken,
) -> Result<Result<Operation, NotTaken>, Fault> {
    let engine = app.engine();
    let id = checkout_id.to_owned();
    let new_id = engine.fresh_id("op");
    let public_url = engine.public_url().to_owned();
    let now_ms = engine.now_ms();
    app.database()
        .write(move |tx| {
            commands::take_authorization(tx, &id, token.expose(), &public_url, &new_id, now_ms)
        })
        .await
}

/// The newest placement of a checkout that was not superseded.
async fn newest(app: &App, checkout_id: &str) -> Result<Option<Operation>, Fault> {
    let id = checkout_id.to_owned();
    app.database()
        .read(move |tx| {
            Ok(operations::of_checkout(tx, &id)?.into_iter().rfind(|operation| {
                operation.refusal().is_none_or(|refusal| refusal.reason != Reason::Superseded)
            }))
        })
        .await
}

/// The checkout as it now is, with its payment.
async fn answer(app: &App, id: &str, status: StatusCode) -> Result<Response, Problem> {
    let id = id.to_owned();
    let (checkout, payment) = app
        .database()
        .read(move |tx| {
            let checkout = checkouts::get(tx, &id)?
                .ok_or_else(|| Fault::inconsistent(format!("checkout {id} is gone")))?;
            let payment = match &checkout.payment_id {
                Some(payment_id) => match payments::get(tx, payment_id)? {
                    Some(payment) => {
                        let operations = operations::of_payment(tx, payment_id)?;
                        Some((payment, operations))
                    }
                    None => None,
                },
                None => None,
            };
            Ok::<_, Fault>((checkout, payment))
        })
        .await?;
    let mut view = CheckoutView::new(&checkout, app);
    if let Some((payment, operations)) = payment {
        view.redirect_url.clone_from(&payment.redirect_url);
        view.payment = Some(PaymentView::new(&payment, &operations, app.engine().now_ms()));
    }
    Ok((status, Json(view)).into_response())
}
