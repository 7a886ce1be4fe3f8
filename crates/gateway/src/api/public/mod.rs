//! What a browser may do by itself: read one checkout's public status and confirm it. It needs a
//! publishable key, which everybody may see, and the checkout's own secret, which only the shopper
//! it was opened for was given.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use klarna_types::MinorUnits;
use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::checkouts::confirm::{self, Confirm};
use super::checkouts::view::time;
use super::extract::{Body, Patience, PublicCaller};
use super::problem::Problem;
use crate::app::App;
use crate::domain::checkout::{Checkout, Status};
use crate::domain::checkout_secret;
use crate::fault::Fault;
use crate::store::{checkouts, payments};

/// The header that carries the checkout's secret.
pub const SECRET_HEADER: &str = "checkout-secret";

/// A checkout as its shopper's browser may see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PublicCheckout {
    /// Its id.
    pub id: String,
    /// Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`.
    #[schema(value_type = String)]
    pub status: Status,
    /// The shop's order number.
    pub merchant_reference: String,
    /// The currency of the total.
    pub currency: String,
    /// The total, in minor units.
    #[schema(value_type = i64)]
    pub order_amount: MinorUnits,
    /// Where to go after the purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// When the checkout ends if nobody comes back.
    pub expires_at: String,
}

/// The checkout, if the browser has its secret. One of another store, one that does not exist and a
/// secret that is wrong are answered alike.
async fn find(
    app: &App,
    caller: &PublicCaller,
    id: &str,
    headers: &HeaderMap,
) -> Result<Checkout, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such checkout in this store, or its secret is another one.",
            "Send the `checkout_secret` that the shop's server got, in the header Checkout-Secret.",
        )
    };
    let given = headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok());
    let given = given.ok_or_else(refused)?.to_owned();
    let (store_id, id) = (caller.store_id.clone(), id.to_owned());
    let checkout = app.database().read(move |tx| checkouts::get_in(tx, &store_id, &id)).await?;
    checkout
        .filter(|checkout| {
            let right = checkout_secret::of(checkout);
            bool::from(given.as_bytes().ct_eq(right.as_bytes()))
        })
        .ok_or_else(refused)
}

async fn view(app: &App, id: &str) -> Result<PublicCheckout, Fault> {
    let id = id.to_owned();
    app.database()
        .read(move |tx| {
            let checkout = checkouts::get(tx, &id)?
                .ok_or_else(|| Fault::inconsistent(format!("checkout {id} is gone")))?;
            let payment = match &checkout.payment_id {
                Some(payment_id) => payments::get(tx, payment_id)?,
                None => None,
            };
            Ok::<_, Fault>(PublicCheckout {
                status: checkout.status,
                merchant_reference: checkout.cart.merchant_reference.clone(),
                currency: checkout.cart.currency.as_str().to_owned(),
                order_amount: checkout.cart.order_amount,
                redirect_url: payment.and_then(|payment| payment.redirect_url),
                expires_at: time(checkout.expires_at_ms),
                id: checkout.id,
            })
        })
        .await
}

/// Reads a checkout's public status.
#[utoipa::path(get, path = "/v1/public/checkouts/{id}", tag = "browsers",
    params(("id" = String, Path),
        ("Checkout-Secret" = String, Header, description = "The checkout's `checkout_secret`.")),
    responses((status = 200, body = PublicCheckout), (status = "default", body = Problem)),
    security(("publishable_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: PublicCaller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<PublicCheckout>, Problem> {
    let checkout = find(&app, &caller, &id, &headers).await?;
    Ok(Json(view(&app, &checkout.id).await?))
}

/// Places the order, as the shop's server would. The same token again is the same order.
#[utoipa::path(post, path = "/v1/public/checkouts/{id}/confirm", tag = "browsers",
    params(("id" = String, Path),
        ("Checkout-Secret" = String, Header, description = "The checkout's `checkout_secret`.")),
    request_body = Confirm,
    responses(
        (status = 200, body = PublicCheckout, description = "The order exists."),
        (status = 202, body = PublicCheckout, description = "Not known yet: read the checkout."),
        (status = 402, body = Problem, description = "Klarna declined."),
        (status = "default", body = Problem)),
    security(("publishable_key" = [])))]
pub async fn confirm(
    State(app): State<App>,
    caller: PublicCaller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, .. }: Body<Confirm>,
) -> Result<Response, Problem> {
    let checkout = find(&app, &caller, &id, &headers).await?;
    let placing = confirm::place(&app, checkout, value, Patience::of(&headers).0);
    let status = Box::pin(placing).await?;
    Ok((status, Json(view(&app, &id).await?)).into_response())
}
