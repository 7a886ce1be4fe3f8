//! `POST /v1/checkouts/{id}/page` and `/send`: a fresh page of Klarna's, and a link to it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;

use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::super::repeat;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::Checkout;
use crate::engine::pages::{self, SendTo};
use crate::engine::sessions::Trouble;

/// Nothing needs to be said.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenPage {}

/// Where the link goes. Klarna sends it, in the language of the checkout; it is not kept here.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum SendLink {
    /// By text message.
    Sms {
        /// The phone's number.
        phone: String,
        /// Its country, two letters.
        phone_country: String,
    },
    /// By e-mail.
    Email {
        /// The address.
        email: String,
    },
}

impl From<SendLink> for SendTo {
    fn from(link: SendLink) -> Self {
        match link {
            SendLink::Sms { phone, phone_country } => Self::Sms { phone, phone_country },
            SendLink::Email { email } => Self::Email { email },
        }
    }
}

/// A checkout that has pages and still takes an approval.
pub(crate) fn payable(checkout: Checkout) -> Result<Checkout, Problem> {
    if !checkout.channel.has_page() {
        return Err(Problem::conflict(
            format!("A checkout of the channel {} has no page.", checkout.channel.name()),
            "Open a checkout of the channel hosted or in_store.",
        ));
    }
    if !checkout.status.takes_authorizations() {
        return Err(Problem::conflict(
            format!("The checkout is {}: nobody can pay it any more.", checkout.status.name()),
            "Read the checkout to see what became of it; open a new one for another purchase.",
        ));
    }
    Ok(checkout)
}

/// Gives a checkout a fresh page: after the shopper has called the one before off, or when a link got
/// lost. Nobody can pay on the one before any more.
#[utoipa::path(post, path = "/v1/checkouts/{id}/page", tag = "checkouts",
    params(("id" = String, Path)), request_body = ReopenPage,
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<ReopenPage>,
) -> Result<Json<CheckoutView>, Problem> {
    let checkout = super::find(&app, &caller.store_id, &id).await?;
    let path = format!("/v1/checkouts/{id}/page");
    let ticket = match repeat::begin(&app, &caller.store_id, &headers, &path, &bytes).await? {
        repeat::Begun::Go(ticket) => ticket,
        repeat::Begun::Done(_) => return Ok(Json(CheckoutView::new(&checkout, &app))),
    };
    let done = match payable(checkout) {
        Ok(checkout) => pages::reopen(app.engine(), checkout).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let checkout = repeat::end(&app, ticket, done, |checkout| checkout.id.clone()).await?;
    Ok(Json(CheckoutView::new(&checkout, &app)))
}

/// Has Klarna send the shopper a link to the page.
#[utoipa::path(post, path = "/v1/checkouts/{id}/send", tag = "checkouts",
    params(("id" = String, Path)), request_body = SendLink,
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<SendLink>,
) -> Result<Json<CheckoutView>, Problem> {
    let checkout = super::find(&app, &caller.store_id, &id).await?;
    let path = format!("/v1/checkouts/{id}/send");
    let ticket = match repeat::begin(&app, &caller.store_id, &headers, &path, &bytes).await? {
        repeat::Begun::Go(ticket) => ticket,
        repeat::Begun::Done(_) => return Ok(Json(CheckoutView::new(&checkout, &app))),
    };
    let done = send_to(&app, checkout, &value.into()).await;
    let checkout = repeat::end(&app, ticket, done, |checkout| checkout.id.clone()).await?;
    Ok(Json(CheckoutView::new(&checkout, &app)))
}

/// Sends the link, and says what is known when it is not known whether it went out.
pub(crate) async fn send_to(
    app: &App,
    checkout: Checkout,
    to: &SendTo,
) -> Result<Checkout, Problem> {
    use crate::domain::operation::Effect;
    let checkout = payable(checkout)?;
    pages::send(app.engine(), checkout, to).await.map_err(|trouble| match trouble {
        Trouble::Klarna(failure) if failure.effect == Effect::Unknown => {
            let mut problem: Problem = Trouble::Klarna(failure).into();
            "Whether Klarna has sent the link is not known.".clone_into(&mut problem.detail);
            "Ask the shopper whether it came; if not, send the request again."
                .clone_into(&mut problem.remedy);
            problem
        }
        other => other.into(),
    })
}
