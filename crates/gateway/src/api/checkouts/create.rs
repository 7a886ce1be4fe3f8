//! `POST /v1/checkouts`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::super::extract::{Body, Caller, idempotency_key};
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::cart::{self, LineInput, PricesMode, Wish};
use crate::domain::checkout::{CaptureMode, Cart, Checkout, LIFE_MS, Session, Status};
use crate::domain::checkout_secret;
use crate::domain::idempotency;
use crate::engine::sessions;
use crate::fault::Fault;
use crate::store::answers::{self, Found};
use crate::store::{checkouts, events};

/// How long a request may take before its `Idempotency-Key` is free for a repeat.
const OWNED_FOR_MS: i64 = 60 * 1000;

/// A cart to be paid.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCheckout {
    /// The shop's order number, shown to the shopper.
    pub merchant_reference: String,
    /// Where the shopper buys: two letters.
    pub country: String,
    /// The shopper's language, such as `sv-SE`; the country's first if it is left out.
    #[serde(default)]
    pub locale: Option<String>,
    /// Derived from the country; if it is said, it must be that one.
    #[serde(default)]
    pub currency: Option<String>,
    /// Whether prices contain tax.
    pub prices: PricesMode,
    /// What is bought.
    pub lines: Vec<LineInput>,
    /// Where the shopper's browser ends up; `{checkout_id}` is filled in.
    #[serde(default)]
    pub confirmation_url: Option<String>,
    /// `manual` (capture when you ship) or `automatic` (Klarna must have allowed it).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub capture: CaptureMode,
}

/// Opens a checkout.
#[utoipa::path(post, path = "/v1/checkouts", tag = "checkouts", request_body = CreateCheckout,
    responses((status = 201, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateCheckout>,
) -> Result<Response, Problem> {
    if let Some(url) = &value.confirmation_url {
        check_confirmation_url(url)?;
    }
    let wish = Wish {
        merchant_reference: value.merchant_reference,
        country: value.country,
        locale: value.locale,
        currency: value.currency,
        prices: value.prices,
        lines: value.lines,
    };
    let cart = cart::build(wish)
        .map_err(|problem| Problem::invalid(problem.member.clone(), problem.to_string()))?;
    let Some(key) = idempotency_key(&headers)? else {
        return open(&app, &caller.store_id, cart, value.confirmation_url, value.capture, None)
            .await;
    };
    let owner = app.engine().fresh_id("own");
    let fingerprint = idempotency::fingerprint("POST", "/v1/checkouts", &bytes);
    match begin(&app, &caller.store_id, &key, &fingerprint, &owner).await? {
        Found::Mine => {}
        // The checkout as it now is: that is what a caller who lost the first answer can use.
        Found::Made(id) => {
            let checkout = super::find(&app, &caller.store_id, &id).await?;
            return Ok((StatusCode::CREATED, shown(&checkout, &app)).into_response());
        }
        Found::Different => return Err(different()),
        Found::InProgress => return Err(in_progress()),
    }
    let mine = (key.as_str(), owner.as_str());
    let opened =
        open(&app, &caller.store_id, cart, value.confirmation_url, value.capture, Some(mine)).await;
    if opened.is_err() {
        // Nothing was changed: the same request may be sent again under the same key.
        let store_id = caller.store_id.clone();
        let given_back =
            app.database().write(move |tx| answers::release(tx, &store_id, &key, &owner)).await;
        if let Err(error) = given_back {
            tracing::warn!(%error, "an Idempotency-Key could not be given back; it frees itself");
        }
    }
    opened
}

/// Klarna sends the shopper's browser there, so it has to be an address of the web; Klarna itself
/// would only say that a value is bad.
fn check_confirmation_url(text: &str) -> Result<(), Problem> {
    let is_of_the_web = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_of_the_web {
        return Ok(());
    }
    Err(Problem::invalid(
        "confirmation_url",
        "confirmation_url: not an http or https address; give the whole address, such as \
         https://shop.example/thanks?checkout={checkout_id}",
    ))
}

async fn begin(
    app: &App,
    store_id: &str,
    key: &str,
    fingerprint: &str,
    owner: &str,
) -> Result<Found, Fault> {
    let now_ms = app.engine().now_ms();
    let [store_id, key, fingerprint, owner] =
        [store_id, key, fingerprint, owner].map(ToOwned::to_owned);
    app.database()
        .write(move |tx| {
            let until_ms = now_ms + OWNED_FOR_MS;
            answers::begin(tx, &store_id, &key, &fingerprint, &owner, until_ms, now_ms)
        })
        .await
}

/// The key was used for another request.
pub fn different() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_mismatch",
        "This Idempotency-Key was used for a different request.",
        "Use a new key for a new request; repeat a request byte for byte under its key.",
    )
}

fn in_progress() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_in_progress",
        "The first request under this Idempotency-Key is still being carried out.",
        "Send the request again in a moment, under the same key.",
    )
}

async fn open(
    app: &App,
    store_id: &str,
    cart: Cart,
    confirmation_url: Option<String>,
    capture: CaptureMode,
    key: Option<(&str, &str)>,
) -> Result<Response, Problem> {
    let engine = app.engine();
    let now_ms = engine.now_ms();
    let callback_secret = engine.fresh_secret();
    let mut checkout = Checkout {
        id: engine.fresh_id("chk"),
        store_id: store_id.to_owned(),
        version: 1,
        status: Status::Open,
        cart,
        wanted: None,
        capture,
        confirmation_url,
        callback_digest: idempotency::digest(&callback_secret),
        callback_secret,
        session: Session {
            id: String::new(),
            client_token: String::new(),
            payment_method_categories: Vec::new(),
            expires_at_ms: 0,
        },
        payment_id: None,
        refusal: None,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        expires_at_ms: now_ms + LIFE_MS,
    };
    checkout.session = sessions::open(engine, &checkout, &checkout.cart).await?;
    let answer = (StatusCode::CREATED, shown(&checkout, app)).into_response();
    let key = key.map(|(key, owner)| (key.to_owned(), owner.to_owned()));
    let kept = app
        .database()
        .write(move |tx| {
            if let Some((key, owner)) = &key
                && !answers::attach(tx, &checkout.store_id, key, owner, &checkout.id)?
            {
                return Ok(false);
            }
            checkouts::insert(tx, &checkout, checkout.next_poll_at_ms(now_ms))?;
            events::append(
                tx,
                &checkout.store_id,
                (&checkout.id, checkout.version),
                "checkout.opened",
                &json!({
                    "order_amount": checkout.cart.order_amount,
                    "currency": checkout.cart.currency,
                    "country": checkout.cart.country,
                }),
                now_ms,
            )?;
            Ok::<_, Fault>(true)
        })
        .await?;
    if kept { Ok(answer) } else { Err(in_progress()) }
}

/// The answer with a checkout, and the secret that its shopper's browser may be given.
pub fn shown(checkout: &Checkout, app: &App) -> Json<CheckoutView> {
    let mut view = CheckoutView::new(checkout, app);
    view.checkout_secret = Some(checkout_secret::of(checkout));
    Json(view)
}
