//! Help with a refused charge: a checkout in which the shopper pays in another way, which then stands
//! behind the same token.
//!
//! The checkout and the next try of the charge exclude each other: before a try the checkout is closed,
//! and while the shopper is paying in it there is no try. Klarna's session is opened before anything is
//! recorded; one that nobody uses is forgotten.

use serde_json::json;
use storage::Tx;

use super::super::sessions::{self, Trouble};
use super::super::{Engine, pages, tasks};
use crate::domain::checkout::{
    self, CaptureMode, Cart, Checkout, Finalize, RENEW_BEFORE_MS, Recovers, SESSION_LIFE_MS,
    Session, Status, Tokenizing,
};
use crate::domain::customer::CustomerToken;
use crate::domain::dunning;
use crate::domain::hosted::{Channel, Hosted, PageStatus, PageWish};
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Request};
use crate::domain::operation::State;
use crate::domain::subscription::Subscription;
use crate::fault::Fault;
use crate::observe::trace;
use crate::store::{checkouts, customers, events, operations, subscriptions};

/// What became of the checkout of a refused charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// There is none that takes an authorisation any more.
    Yes,
    /// The shopper is paying in it just now.
    ShopperIsPaying,
}

/// Closes the checkout in which the shopper might help with the open charge, if there is one.
pub(crate) fn close(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    now_ms: i64,
) -> Result<Closed, Fault> {
    let id = subscription
        .open
        .as_ref()
        .and_then(|open| open.waits.as_ref())
        .and_then(|wait| wait.checkout_id.as_ref());
    let Some(id) = id else { return Ok(Closed::Yes) };
    let Some(mut checkout) = checkouts::lock(tx, id)? else { return Ok(Closed::Yes) };
    match checkout.status {
        Status::Confirming => return Ok(Closed::ShopperIsPaying),
        Status::Completed | Status::Expired | Status::Cancelled => return Ok(Closed::Yes),
        Status::Open | Status::Declined => {}
    }
    checkout.step(checkout::Step::Cancel).map_err(Fault::inconsistent)?;
    // What is still approved on the page is not taken any more; soon nobody can try.
    let page = checkout.hosted.as_mut().and_then(|hosted| hosted.page.as_mut());
    if let Some(page) = page.filter(|page| !page.status.is_over()) {
        page.take(PageStatus::Disabled, now_ms);
        tasks::enqueue_disable(tx, id, &page.id, now_ms)?;
    }
    checkouts::update(tx, &mut checkout, None, now_ms)?;
    let subject = (checkout.id.as_str(), checkout.version);
    let data = json!({ "subscription_id": subscription.id });
    events::append(tx, &checkout.store_id, subject, "checkout.cancelled", &data, now_ms)?;
    Ok(Closed::Yes)
}

/// Why no checkout was opened.
#[derive(Debug)]
pub enum NotOpened {
    /// There is no such subscription or charge in that store.
    Unknown,
    /// There is nothing that the shopper could help with.
    NothingToRecover,
    /// The session could not be had.
    Trouble(Trouble),
}

impl From<Fault> for NotOpened {
    fn from(fault: Fault) -> Self {
        Self::Trouble(Trouble::Fault(fault))
    }
}

/// What is to be recovered.
#[derive(Debug, Clone)]
pub enum Refused {
    /// The open charge of a subscription.
    Subscription(String),
    /// A charge that was asked for by hand: its operation.
    Operation {
        /// The token that was charged.
        token_id: String,
        /// The operation.
        operation_id: String,
    },
}

/// How the shopper is reached.
#[derive(Debug, Clone)]
pub struct Way {
    /// In the shop's own page, or on a page of Klarna's too.
    pub channel: Channel,
    /// Where the shopper's browser ends up.
    pub confirmation_url: Option<String>,
}

struct Found {
    token: CustomerToken,
    cart: Cart,
    capture: CaptureMode,
    recovers: Recovers,
    /// The checkout that was opened already.
    checkout: Option<Checkout>,
    /// Until when another can be opened.
    ends_at_ms: i64,
}

fn find(
    tx: &mut Tx<'_>,
    store_id: &str,
    refused: &Refused,
) -> Result<Result<Found, NotOpened>, Fault> {
    let opened = |tx: &mut Tx<'_>, id: Option<&String>| -> Result<Option<Checkout>, Fault> {
        let checkout = match id {
            Some(id) => checkouts::get(tx, id)?,
            None => None,
        };
        Ok(checkout.filter(|checkout| {
            checkout.status.takes_authorizations() || checkout.status == Status::Confirming
        }))
    };
    match refused {
        Refused::Subscription(id) => {
            let Some(subscription) = subscriptions::get_in(tx, store_id, id)? else {
                return Ok(Err(NotOpened::Unknown));
            };
            let token_id = subscription.customer_token_id.as_deref().unwrap_or_default();
            let (Some((number, wait, step_up_id)), Some(token)) =
                (subscription.step_up(), customers::token_of(tx, token_id)?)
            else {
                return Ok(Err(NotOpened::NothingToRecover));
            };
            let reference = subscription.reference_of(number);
            let cart = subscription
                .terms
                .cart(&token.country, Some(&token.locale), &reference)
                .map_err(Fault::inconsistent)?;
            Ok(Ok(Found {
                cart,
                capture: subscription.terms.capture,
                recovers: Recovers {
                    step_up_id: step_up_id.to_owned(),
                    customer_token_id: token.id.clone(),
                    klarna_token_id: token.klarna_token_id.clone(),
                    subscription: Some((subscription.id.clone(), number)),
                    operation_id: None,
                },
                checkout: opened(tx, wait.checkout_id.as_ref())?,
                ends_at_ms: dunning::help_ends_at_ms(wait.refused_at_ms),
                token,
            }))
        }
        Refused::Operation { token_id, operation_id } => {
            let (Some(token), Some(operation)) =
                (customers::token_in(tx, store_id, token_id)?, operations::get(tx, operation_id)?)
            else {
                return Ok(Err(NotOpened::Unknown));
            };
            found_charge(tx, token, &operation, opened)
        }
    }
}

fn found_charge(
    tx: &mut Tx<'_>,
    token: CustomerToken,
    operation: &Operation,
    opened: impl Fn(&mut Tx<'_>, Option<&String>) -> Result<Option<Checkout>, Fault>,
) -> Result<Result<Found, NotOpened>, Fault> {
    let Request::Charge(charge) = &operation.request else { return Ok(Err(NotOpened::Unknown)) };
    if charge.customer_token_id != token.id {
        return Ok(Err(NotOpened::Unknown));
    }
    let step_up_id = operation.refusal().and_then(|refusal| refusal.step_up_id());
    let (State::Refused, Some(step_up_id), None) =
        (operation.state, step_up_id, &charge.subscription)
    else {
        return Ok(Err(NotOpened::NothingToRecover));
    };
    // A charge that was recovered is not recovered again.
    if let Some(id) = &operation.recovery_checkout_id
        && checkouts::get(tx, id)?.is_some_and(|checkout| checkout.status == Status::Completed)
    {
        return Ok(Err(NotOpened::NothingToRecover));
    }
    let sent: klarna_types::customer_token::CreateTokenOrder =
        serde_json::from_str(&charge.body).map_err(Fault::document("charge body"))?;
    let capture =
        if sent.auto_capture == Some(true) { CaptureMode::Automatic } else { CaptureMode::Manual };
    let cart = Cart {
        merchant_reference: charge.merchant_reference.clone(),
        country: token.country.clone(),
        currency: sent.purchase_currency,
        locale: token.locale.clone(),
        prices: crate::domain::cart::PricesMode::IncludingTax,
        lines: Vec::new(),
        order_amount: sent.order_amount,
        order_tax_amount: sent.order_tax_amount,
        order_lines: sent.order_lines,
        extras: Box::default(),
    };
    Ok(Ok(Found {
        cart,
        capture,
        recovers: Recovers {
            step_up_id: step_up_id.to_owned(),
            customer_token_id: token.id.clone(),
            klarna_token_id: token.klarna_token_id.clone(),
            subscription: None,
            operation_id: Some(operation.id.clone()),
        },
        checkout: opened(tx, operation.recovery_checkout_id.as_ref())?,
        ends_at_ms: dunning::help_ends_at_ms(operation.updated_at_ms),
        token,
    }))
}

/// The checkout in which the shopper can help with a refused charge: the one that is open already, or a
/// fresh one.
pub async fn open(
    engine: &Engine,
    store_id: &str,
    refused: Refused,
    way: Way,
) -> Result<Checkout, NotOpened> {
    let (store, wanted) = (store_id.to_owned(), refused.clone());
    let found = engine.database().read(move |tx| find(tx, &store, &wanted)).await??;
    if let Some(checkout) = found.checkout {
        return again(engine, checkout, way).await;
    }
    let now_ms = engine.now_ms();
    if now_ms >= found.ends_at_ms {
        return Err(NotOpened::NothingToRecover);
    }
    let callback_secret = engine.fresh_secret();
    let mut checkout = Checkout {
        id: engine.fresh_id("chk"),
        store_id: store_id.to_owned(),
        version: 1,
        status: Status::Open,
        cart: found.cart,
        wanted: None,
        capture: found.capture,
        tokenizing: Some(Tokenizing {
            intent: found.token.intent,
            description: found.token.description,
            customer_id: found.token.customer_id,
            recurring: None,
            customer_token_id: None,
            recovers: Some(found.recovers),
        }),
        confirmation_url: way.confirmation_url,
        callback_digest: idempotency::digest(&callback_secret),
        callback_secret,
        session: Session {
            id: String::new(),
            client_token: String::new(),
            payment_method_categories: Vec::new(),
            expires_at_ms: 0,
        },
        account_id: found.token.account_id,
        channel: way.channel,
        hosted: hosted(way.channel),
        trace_parent: trace::current(),
        finalize: Finalize::Automatic,
        payment_id: None,
        refusal: None,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        // Klarna would not open a second session for it: it ends before the first one must be renewed.
        expires_at_ms: now_ms + SESSION_LIFE_MS - RENEW_BEFORE_MS,
    };
    checkout.session =
        sessions::open(engine, &checkout, &checkout.cart).await.map_err(NotOpened::Trouble)?;
    let page = pages::open(engine, &checkout, &checkout.cart, &checkout.session).await;
    let page = page.map_err(NotOpened::Trouble)?;
    if let Some(hosted) = &mut checkout.hosted {
        hosted.page = page;
    }
    let store_id = store_id.to_owned();
    engine.database().write(move |tx| record(tx, &store_id, &refused, &checkout, now_ms)).await?
}

fn hosted(channel: Channel) -> Option<Box<Hosted>> {
    channel.has_page().then(|| Box::new(Hosted { wish: PageWish::default(), page: None }))
}

/// The checkout that is open already, on a page of Klarna's too if that is wanted.
async fn again(engine: &Engine, checkout: Checkout, way: Way) -> Result<Checkout, NotOpened> {
    if !checkout.status.takes_authorizations() {
        return Ok(checkout);
    }
    let now_ms = engine.now_ms();
    let lacks_page = way.channel.has_page()
        && checkout.page().is_none_or(|page| {
            page.has_lapsed(now_ms)
                || matches!(page.status, PageStatus::Cancelled | PageStatus::Disabled)
        });
    if !lacks_page && !checkout.needs_new_session(now_ms) {
        return Ok(checkout);
    }
    let checkout = if lacks_page && checkout.hosted.is_none() {
        let id = checkout.id.clone();
        let widened = engine.database().write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &id)? else { return Ok(None) };
            if checkout.hosted.is_none() && checkout.status.takes_authorizations() {
                checkout.channel = way.channel;
                checkout.hosted = hosted(way.channel);
                let poll_at_ms = checkout.next_poll_at_ms(now_ms);
                checkouts::update(tx, &mut checkout, poll_at_ms, now_ms)?;
            }
            Ok::<_, Fault>(Some(checkout))
        });
        widened.await?.ok_or(NotOpened::Unknown)?
    } else {
        checkout
    };
    sessions::renew(engine, checkout).await.map_err(NotOpened::Trouble)
}

/// Records the checkout, unless someone was faster, or there is nothing to recover any more.
fn record(
    tx: &mut Tx<'_>,
    store_id: &str,
    refused: &Refused,
    checkout: &Checkout,
    now_ms: i64,
) -> Result<Result<Checkout, NotOpened>, Fault> {
    if let Refused::Subscription(id) = refused {
        subscriptions::lock(tx, id)?;
    }
    let found = match find(tx, store_id, refused)? {
        Ok(found) => found,
        Err(not_opened) => return Ok(Err(not_opened)),
    };
    if let Some(faster) = found.checkout {
        return Ok(Ok(faster));
    }
    let mine = checkout.tokenizing.as_ref().and_then(|made| made.recovers.as_ref());
    if mine != Some(&found.recovers) {
        return Ok(Err(NotOpened::NothingToRecover));
    }
    match refused {
        Refused::Subscription(id) => {
            let Some(mut subscription) = subscriptions::lock(tx, id)? else {
                return Ok(Err(NotOpened::Unknown));
            };
            if let Some(wait) = subscription.open.as_mut().and_then(|open| open.waits.as_mut()) {
                wait.checkout_id = Some(checkout.id.clone());
            }
            subscriptions::update(tx, &mut subscription, now_ms)?;
        }
        Refused::Operation { operation_id, .. } => {
            let Some(mut operation) = operations::get(tx, operation_id)? else {
                return Ok(Err(NotOpened::Unknown));
            };
            operation.recovery_checkout_id = Some(checkout.id.clone());
            operations::update(tx, &mut operation)?;
        }
    }
    checkouts::insert(tx, checkout, checkout.next_poll_at_ms(now_ms))?;
    let data = json!({
        "order_amount": checkout.cart.order_amount,
        "currency": checkout.cart.currency,
        "country": checkout.cart.country,
        "customer_token_id": found.recovers.customer_token_id,
        "subscription_id": found.recovers.subscription.map(|(id, _)| id),
    });
    let subject = (checkout.id.as_str(), checkout.version);
    events::append(tx, &checkout.store_id, subject, "checkout.opened", &data, now_ms)?;
    Ok(Ok(checkout.clone()))
}
