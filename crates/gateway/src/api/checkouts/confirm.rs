//! `POST /v1/checkouts/{id}/confirm`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use klarna_types::{Address, AuthorizationToken};
use serde::Deserialize;
use serde_json::json;
use storage::Tx;

use super::super::extract::{Body, Caller, Patience};
use super::super::payments::view::PaymentView;
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::{Checkout, Finalize};
use crate::domain::journal::{Operation, Outcome};
use crate::domain::operation::{Kind, Reason, State as Stands};
use crate::engine::commands::{self, Given, NotTaken};
use crate::engine::hub::Seat;
use crate::engine::sessions::{self, Trouble};
use crate::fault::Fault;
use crate::store::{checkouts, events, operations, payments};

/// The shopper's approval.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// What the browser's `authorize`, `finalize` or `reauthorize` callback got, or the app's.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub authorization_token: Option<AuthorizationToken>,
    /// Instead of a token: `authorize` was called with `auto_finalize: false` and answered with
    /// `finalize_required: true`. The checkout says so from now on, until the token of `finalize`
    /// comes.
    #[serde(default)]
    pub finalize_required: bool,
    /// Where the bill goes, if it was not given before. It must be what the shopper authorised.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<Address>,
    /// Where the goods go, likewise.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<Address>,
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
    let placing = place(&app, checkout, value, Patience::of(&headers).0);
    let status = Box::pin(placing).await?;
    answer(&app, &id, status).await
}

/// Places a checkout's order and waits for what comes of it: 200, it exists; 202, not known yet.
pub(crate) async fn place(
    app: &App,
    checkout: Checkout,
    value: Confirm,
    patience: Duration,
) -> Result<StatusCode, Problem> {
    let token = match (value.authorization_token, value.finalize_required) {
        (Some(token), false) => token,
        (None, true) => return await_finalize(app, &checkout).await,
        (None, false) => {
            return Err(Problem::invalid(
                "authorization_token",
                "authorization_token: is missing.",
            ));
        }
        (Some(_), true) => {
            return Err(Problem::invalid(
                "finalize_required",
                "finalize_required: there is a token, so nothing is left to be finalised.",
            ));
        }
    };
    let given =
        Given { billing_address: value.billing_address, shipping_address: value.shipping_address };
    if token.expose().is_empty() || token.expose().len() > 1024 {
        return Err(Problem::invalid(
            "authorization_token",
            "authorization_token: 1 to 1024 characters are allowed.",
        ));
    }
    let deadline = tokio::time::Instant::now() + patience;
    let checkout = sessions::settle_doubt(app.engine(), checkout).await?;
    let taken = take(app, &checkout.id, token, given).await?;
    let (taken, mut seat) = taken;
    let mut operation = match taken {
        Ok(operation) => operation,
        Err(NotTaken::Unknown) => return Err(Problem::not_found("checkout")),
        Err(NotTaken::Completed(_)) => return Ok(StatusCode::OK),
        Err(NotTaken::Closed(rejection)) => return Err(Trouble::Rejected(rejection).into()),
    };
    loop {
        let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
        if let Some(settled) = app.engine().outcome_of(&operation, seat.take(), patience).await? {
            operation = settled;
        }
        let superseded =
            operation.refusal().is_some_and(|refusal| refusal.reason == Reason::Superseded);
        // The token is made, and the order follows by the same authorisation.
        let followed = operation.kind == Kind::CreateToken && operation.state == Stands::Done;
        if !superseded && !followed {
            break;
        }
        match newest(app, &checkout.id).await? {
            // A newer authorisation took over: its outcome is the checkout's.
            Some(newer) if newer.id != operation.id => operation = newer,
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
    given: Given,
) -> Result<(Result<Operation, NotTaken>, Option<Seat>), Fault> {
    let engine = app.engine();
    let id = checkout_id.to_owned();
    let new_id = engine.fresh_id("op");
    let public_url = engine.public_url().to_owned();
    let now_ms = engine.now_ms();
    let unit = move |tx: &mut Tx<'_>| {
        let token = token.expose();
        commands::take_authorization_with(tx, &id, token, &given, &public_url, &new_id, now_ms)
    };
    engine.accept(unit, |taken| taken.as_ref().ok()).await
}

/// Keeps that the shopper has approved, and that the last step is still to come.
async fn await_finalize(app: &App, checkout: &Checkout) -> Result<StatusCode, Problem> {
    let now_ms = app.engine().now_ms();
    let checkout_id = checkout.id.clone();
    let kept = app
        .database()
        .write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &checkout_id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            let awaits = checkout.finalize != Finalize::Automatic;
            if !awaits || !checkout.status.takes_authorizations() {
                return Ok(Err(Trouble::NothingToFinalize));
            }
            if checkout.finalize == Finalize::Later {
                checkout.finalize = Finalize::Awaited;
                let poll_at_ms = checkout.next_poll_at_ms(now_ms);
                checkouts::update(tx, &mut checkout, poll_at_ms, now_ms)?;
                let subject = (checkout.id.as_str(), checkout.version);
                let kind = "checkout.finalize_required";
                events::append(tx, &checkout.store_id, subject, kind, &json!({}), now_ms)?;
            }
            Ok::<_, Fault>(Ok(()))
        })
        .await?;
    kept?;
    Ok(StatusCode::OK)
}

/// The newest placement of a checkout that was not superseded.
pub(super) async fn newest(app: &App, checkout_id: &str) -> Result<Option<Operation>, Fault> {
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
