//! `POST /v1/checkouts`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use klarna_types::payments::Options as WidgetOptions;
use klarna_types::{Address, Customer, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::customers;
use super::super::extract::{Body, Caller, idempotency_key};
use super::super::plans;
use super::super::problem::Problem;
use super::super::repeat::{OWNED_FOR_MS, different, in_progress};
use super::super::sign_ins;
use super::channel::{self, PageInput, Said, TillInput};
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::cart::{self, LineInput, PricesMode, Wish};
use crate::domain::checkout::{
    CaptureMode, Cart, Checkout, Finalize, Intent, LIFE_MS, Session, Status, Tokenizing,
};
use crate::domain::checkout_secret;
use crate::domain::hosted::{Channel, Hosted};
use crate::domain::idempotency;
use crate::domain::plan::mark_recurring;
use crate::engine::{pages, sessions};
use crate::fault::Fault;
use crate::observe::trace;
use crate::store::answers::{self, Found};
use crate::store::{checkouts, events, stores};

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
    /// How the purchase reaches the shopper: `inline` (Klarna's widget in your page), `hosted` (a page
    /// of Klarna's: send the browser to `redirect_url`), `in_store` (a page of Klarna's on the
    /// shopper's phone) or `native` (Klarna's SDK in your app).
    #[serde(default)]
    pub channel: Channel,
    /// `automatic`, or `later` for a checkout of several steps: the browser authorises with
    /// `auto_finalize: false`, and confirms with the token of `finalize`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub finalize: FinalizeInput,
    /// Of the channels `hosted` and `in_store`: how the page looks and where it leads.
    #[serde(default)]
    pub page: Option<PageInput>,
    /// Of the channel `in_store`: the till that sells.
    #[serde(default)]
    pub in_store: Option<TillInput>,
    /// Of the channels `native` and `hosted`: where your app takes over again, such as
    /// `myapp://klarna`.
    #[serde(default)]
    pub app_return_url: Option<String>,
    /// Another number of yours; stands in settlement files.
    #[serde(default)]
    pub merchant_reference2: Option<String>,
    /// Your own data, passed through; 6000 characters at most.
    #[serde(default)]
    pub merchant_data: Option<String>,
    /// The buyer, as Klarna takes it; of an organisation `{"type": "organization", …}` with its
    /// registration and VAT numbers. Forgotten here once the checkout is over.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub customer: Option<Customer>,
    /// Where the bill goes, as Klarna takes it; with `organization_name` for an organisation.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub billing_address: Option<Address>,
    /// Where the goods go; as the bill, if it is left out.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub shipping_address: Option<Address>,
    /// Klarna's extra merchant data: packages by name, each a list of objects.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub extra_merchant_data: Option<Value>,
    /// Promotion codes agreed with Klarna.
    #[serde(default)]
    pub custom_payment_method_ids: Option<Vec<String>>,
    /// A design package agreed with Klarna.
    #[serde(default)]
    pub design: Option<String>,
    /// Colours of the widget, as Klarna takes them.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub options: Option<WidgetOptions>,
    /// `buy`, `tokenize` (a customer token and no purchase; the amount may be 0) or
    /// `buy_and_tokenize`.
    #[serde(default)]
    pub intent: Intent,
    /// The customer token to be, where the intent makes one.
    #[serde(default)]
    pub customer_token: Option<TokenToBe>,
    /// Who signed in with Klarna, from `/v1/sign_ins` or `/v1/identities`: the shopper is then signed in when they
    /// pay. Where that cannot be had any more, the checkout is opened all the same.
    #[serde(default)]
    pub identity_id: Option<String>,
}

/// A customer token that a checkout is to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenToBe {
    /// What the shopper is told it is for: 1 to 255 characters.
    pub description: String,
    /// Whose it will be.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// The plan of the subscription that it is for: Klarna is told of its name and rhythm with each line
    /// of goods and services. Left out for charges on demand.
    #[serde(default)]
    pub plan_id: Option<String>,
}

/// What makes a checkout more than a purchase, checked.
async fn tokenizing(
    app: &App,
    store_id: &str,
    intent: Intent,
    token: Option<TokenToBe>,
) -> Result<Option<Tokenizing>, Problem> {
    let token = match (intent.makes_token(), token) {
        (false, None) => return Ok(None),
        (true, Some(token)) => token,
        (false, Some(_)) => {
            return Err(Problem::invalid(
                "customer_token",
                "customer_token: a checkout of the intent buy makes none; leave it out, or give \
                 another intent.",
            ));
        }
        (true, None) => {
            return Err(Problem::invalid(
                "customer_token",
                "customer_token: is missing; say what the token is for.",
            ));
        }
    };
    let length = token.description.chars().count();
    if !(1..=255).contains(&length) {
        let detail =
            format!("customer_token.description: has {length} characters; 1 to 255 are allowed.");
        return Err(Problem::invalid("customer_token.description", detail));
    }
    customers::check(app, store_id, token.customer_id.as_deref()).await?;
    let recurring = match &token.plan_id {
        Some(plan_id) => {
            let plan = plans::find(app, store_id, plan_id).await.map_err(|_| {
                let detail = "customer_token.plan_id: there is no such plan in this store.";
                Problem::invalid("customer_token.plan_id", detail)
            })?;
            Some(plan.terms.marker())
        }
        None => None,
    };
    Ok(Some(Tokenizing {
        intent,
        description: token.description,
        customer_id: token.customer_id,
        recurring,
        customer_token_id: None,
        recovers: None,
    }))
}

/// When an approval becomes an authorisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalizeInput {
    /// At once.
    #[default]
    Automatic,
    /// In a later step.
    Later,
}

/// A checkout as it is asked for.
pub(crate) struct Opening {
    pub(crate) cart: Cart,
    pub(crate) confirmation_url: Option<String>,
    pub(crate) capture: CaptureMode,
    pub(crate) channel: Channel,
    pub(crate) hosted: Option<Box<Hosted>>,
    pub(crate) finalize: Finalize,
    /// The customer token that it makes, where it makes one.
    pub(crate) tokenizing: Option<Tokenizing>,
    /// How long it is kept if nobody comes back.
    pub(crate) life_ms: i64,
    /// Makes Klarna's session the shopper's. Good for minutes, and kept nowhere.
    pub(crate) access_token: Option<Secret>,
}

/// Reads what is asked for.
pub(crate) async fn read(
    app: &App,
    store_id: &str,
    value: CreateCheckout,
) -> Result<Opening, Problem> {
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
    let mut cart = cart::build(wish)
        .map_err(|problem| Problem::invalid(problem.member.clone(), problem.to_string()))?;
    let finalize = match (value.finalize, value.channel) {
        (FinalizeInput::Automatic, _) => Finalize::Automatic,
        (FinalizeInput::Later, Channel::Inline | Channel::Native) => Finalize::Later,
        (FinalizeInput::Later, Channel::Hosted | Channel::InStore) => {
            return Err(Problem::invalid(
                "finalize",
                "finalize: a page of Klarna's knows one step only; leave it out.",
            ));
        }
    };
    let said = Said {
        channel: value.channel,
        page: value.page,
        till: value.in_store,
        app_return_url: value.app_return_url,
        merchant_reference2: value.merchant_reference2,
        merchant_data: value.merchant_data,
        customer: value.customer,
        billing_address: value.billing_address,
        shipping_address: value.shipping_address,
        extra_merchant_data: value.extra_merchant_data,
        custom_payment_method_ids: value.custom_payment_method_ids,
        design: value.design,
        options: value.options,
    };
    let wanted = store_id.to_owned();
    let store = app
        .database()
        .read(move |tx| stores::get(tx, &wanted))
        .await?
        .ok_or_else(|| Problem::not_found("store"))?;
    let (extras, hosted) = channel::read(said, &store, app.engine().public_url())?;
    cart.extras = Box::new(extras);
    channel::check_cart(&cart, value.channel)?;
    let tokenizing = tokenizing(app, store_id, value.intent, value.customer_token).await?;
    if let Some(marker) = tokenizing.as_ref().and_then(|made| made.recurring.as_ref()) {
        mark_recurring(&mut cart.order_lines, marker);
    }
    let access_token = sign_ins::access_token(app, store_id, value.identity_id.as_deref()).await?;
    Ok(Opening {
        cart,
        confirmation_url: value.confirmation_url,
        capture: value.capture,
        channel: value.channel,
        hosted: hosted.map(Box::new),
        finalize,
        tokenizing,
        life_ms: LIFE_MS,
        access_token,
    })
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
    let opening = read(&app, &caller.store_id, value).await?;
    let Some(key) = idempotency_key(&headers)? else {
        return answer(&app, open(&app, &caller.store_id, opening, None).await);
    };
    let owner = app.engine().fresh_id("own");
    let fingerprint = idempotency::fingerprint("POST", "/v1/checkouts", &bytes);
    match begin(&app, &caller.store_id, &key, &fingerprint, &owner).await? {
        Found::Mine => {}
        // The checkout as it now is: that is what a caller who lost the first answer can use.
        Found::Made(id) => {
            let checkout = super::find(&app, &caller.store_id, &id).await?;
            return answer(&app, Ok(checkout));
        }
        Found::Different => return Err(different()),
        Found::InProgress => return Err(in_progress()),
    }
    let mine = (key.as_str(), owner.as_str());
    let opened = open(&app, &caller.store_id, opening, Some(mine)).await;
    if opened.is_err() {
        // Nothing was changed: the same request may be sent again under the same key.
        let store_id = caller.store_id.clone();
        let given_back =
            app.database().write(move |tx| answers::release(tx, &store_id, &key, &owner)).await;
        if let Err(error) = given_back {
            tracing::warn!(%error, "an Idempotency-Key could not be given back; it frees itself");
        }
    }
    answer(&app, opened)
}

fn answer(app: &App, opened: Result<Checkout, Problem>) -> Result<Response, Problem> {
    Ok((StatusCode::CREATED, shown(&opened?, app)).into_response())
}

/// Klarna sends the shopper's browser there, so it has to be an address of the web; Klarna itself
/// would only say that a value is bad.
pub fn check_confirmation_url(text: &str) -> Result<(), Problem> {
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

pub(crate) async fn begin(
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

/// Opens a checkout: its session at Klarna, its page where the channel has one, then the row.
pub(crate) async fn open(
    app: &App,
    store_id: &str,
    opening: Opening,
    key: Option<(&str, &str)>,
) -> Result<Checkout, Problem> {
    let engine = app.engine();
    let now_ms = engine.now_ms();
    let callback_secret = engine.fresh_secret();
    let country = opening.cart.country.as_str();
    let account_id = sessions::choose_account(engine, store_id, country).await?;
    let mut checkout = Checkout {
        id: engine.fresh_id("chk"),
        store_id: store_id.to_owned(),
        version: 1,
        status: Status::Open,
        cart: opening.cart,
        wanted: None,
        capture: opening.capture,
        tokenizing: opening.tokenizing,
        confirmation_url: opening.confirmation_url,
        callback_digest: idempotency::digest(&callback_secret),
        callback_secret,
        session: Session {
            id: String::new(),
            client_token: String::new(),
            payment_method_categories: Vec::new(),
            expires_at_ms: 0,
        },
        account_id,
        trace_parent: trace::current(),
        channel: opening.channel,
        hosted: opening.hosted,
        finalize: opening.finalize,
        payment_id: None,
        refusal: None,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        expires_at_ms: now_ms + opening.life_ms,
    };
    let access_token = opening.access_token.as_ref();
    checkout.session = sessions::open_for(engine, &checkout, &checkout.cart, access_token).await?;
    let page = pages::open(engine, &checkout, &checkout.cart, &checkout.session).await?;
    if let Some(hosted) = &mut checkout.hosted {
        hosted.page = page;
    }
    let opened = checkout.clone();
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
                    "channel": checkout.channel,
                }),
                now_ms,
            )?;
            Ok::<_, Fault>(true)
        })
        .await?;
    if !kept {
        return Err(in_progress());
    }
    engine.metrics().checkout("opened");
    Ok(opened)
}

/// The answer with a checkout, and the secret that its shopper's browser may be given.
pub fn shown(checkout: &Checkout, app: &App) -> Json<CheckoutView> {
    let mut view = CheckoutView::new(checkout, app);
    view.checkout_secret = Some(checkout_secret::of(checkout));
    Json(view)
}
