//! `POST /v1/checkouts/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::cart::{self, LineInput, PricesMode, Wish};
use crate::engine::sessions;

/// What is to be changed; what is left out stays. `lines` are replaced as a whole.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateCheckout {
    /// The shop's order number.
    #[serde(default)]
    pub merchant_reference: Option<String>,
    /// Where the shopper buys. A change gives the checkout a fresh Klarna session.
    #[serde(default)]
    pub country: Option<String>,
    /// The shopper's language. Left out with a new country: that country's first.
    #[serde(default)]
    pub locale: Option<String>,
    /// Must be the country's.
    #[serde(default)]
    pub currency: Option<String>,
    /// Whether prices contain tax.
    #[serde(default)]
    pub prices: Option<PricesMode>,
    /// What is bought.
    #[serde(default)]
    pub lines: Option<Vec<LineInput>>,
}

/// Changes a checkout. A shopper who has authorised already must authorise again.
#[utoipa::path(post, path = "/v1/checkouts/{id}", tag = "checkouts",
    params(("id" = String, Path)), request_body = UpdateCheckout,
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value, .. }: Body<UpdateCheckout>,
) -> Result<Json<CheckoutView>, Problem> {
    let checkout = super::find(&app, &caller.store_id, &id).await?;
    let current = checkout.wanted.unwrap_or(checkout.cart);
    let country = value.country.unwrap_or_else(|| current.country.as_str().to_owned());
    let stays = country.eq_ignore_ascii_case(current.country.as_str());
    let locale = value.locale.or_else(|| stays.then(|| current.locale.as_str().to_owned()));
    let wish = Wish {
        merchant_reference: value.merchant_reference.unwrap_or(current.merchant_reference),
        country,
        locale,
        currency: value.currency,
        prices: value.prices.unwrap_or(current.prices),
        lines: value.lines.unwrap_or(current.lines),
    };
    let cart = cart::build(wish)
        .map_err(|problem| Problem::invalid(problem.member.clone(), problem.to_string()))?;
    let checkout = sessions::update(app.engine(), &id, cart).await?;
    Ok(Json(CheckoutView::new(&checkout, &app)))
}
