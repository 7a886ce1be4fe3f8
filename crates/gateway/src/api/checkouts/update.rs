//! `POST /v1/checkouts/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use klarna_types::{Address, Customer};
use serde::Deserialize;
use serde_json::Value;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::channel::check_cart;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::cart::{self, LineInput, PricesMode, Wish};
use crate::domain::extras::{self, Extras};
use crate::domain::plan::mark_recurring;
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
    /// Another number of yours.
    #[serde(default)]
    pub merchant_reference2: Option<String>,
    /// Your own data, passed through.
    #[serde(default)]
    pub merchant_data: Option<String>,
    /// The buyer, as Klarna takes it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub customer: Option<Customer>,
    /// Where the bill goes; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<Address>,
    /// Where the goods go; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<Address>,
    /// Klarna's extra merchant data; replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub extra_merchant_data: Option<Value>,
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
    let channel = checkout.channel;
    let tokenizing = checkout.tokenizing;
    if tokenizing.as_ref().is_some_and(|made| made.recovers.is_some()) {
        return Err(Problem::conflict(
            "This checkout pays a refused charge: its cart is that of the charge.",
            "Open a new checkout for another purchase.",
        ));
    }
    let current = checkout.wanted.unwrap_or(checkout.cart);
    let mut extras = *current.extras;
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
    let mut cart = cart::build(wish)
        .map_err(|problem| Problem::invalid(problem.member.clone(), problem.to_string()))?;
    if value.extra_merchant_data.is_some() {
        extras.attachment = extras::attachment(value.extra_merchant_data, None)
            .map_err(|problem| Problem::invalid("extra_merchant_data", format!("{problem}.")))?;
    }
    cart.extras = Box::new(Extras {
        merchant_reference2: value.merchant_reference2.or(extras.merchant_reference2),
        merchant_data: value.merchant_data.or(extras.merchant_data),
        customer: value.customer.or(extras.customer),
        billing_address: value.billing_address.or(extras.billing_address),
        shipping_address: value.shipping_address.or(extras.shipping_address),
        ..extras
    });
    check_cart(&cart, channel)?;
    if let Some(marker) = tokenizing.and_then(|made| made.recurring) {
        mark_recurring(&mut cart.order_lines, &marker);
    }
    let checkout = sessions::update(app.engine(), &id, cart).await?;
    Ok(Json(CheckoutView::new(&checkout, &app)))
}
