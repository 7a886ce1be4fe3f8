//! Klarna sessions of checkouts: opened, kept in step with the cart, renewed when they end.
//!
//! None of this moves money, so none of it is journalled. Opening may be repeated at will: a session
//! that nobody uses is forgotten by Klarna. An update carries the whole cart; the checkout writes
//! down what it wants before it asks, and keeps wanting it until Klarna has said yes or no.

use std::sync::Arc;

use klarna_types::Secret;
use klarna_types::payments::{CreatedSession, Session as KlarnaSession};
use klarna_types::secret::AccessToken;
use serde_json::json;

use super::klarna::Klarna;
use super::{Engine, commands, pages};
use crate::domain::checkout::{Cart, Checkout, Rejection, SESSION_LIFE_MS, Session, Step};
use crate::domain::operation::{Effect, Failure};
use crate::domain::pacing::{Class, Priority};
use crate::fault::Fault;
use crate::store::{checkouts, events};

/// Why a session could not be had.
#[derive(Debug)]
pub enum Trouble {
    /// The gateway itself failed.
    Fault(Fault),
    /// Klarna said no, or nothing.
    Klarna(Failure),
    /// The store has no Klarna account for the country.
    NoAccount {
        /// The country.
        country: String,
    },
    /// The checkout does not allow it.
    Rejected(Rejection),
    /// There is no such checkout.
    Unknown,
    /// Whether Klarna took the last update is not known yet.
    InDoubt,
    /// The shopper has approved already.
    Approved,
    /// The checkout is not one of several steps, or is past them.
    NothingToFinalize,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The checkout of that id.
pub async fn load(engine: &Engine, id: &str) -> Result<Option<Checkout>, Fault> {
    let id = id.to_owned();
    engine.database().read(move |tx| checkouts::get(tx, &id)).await
}

/// The account that a checkout was opened with.
pub(super) fn account_of(engine: &Engine, checkout: &Checkout) -> Option<Arc<dyn Klarna>> {
    account(engine, checkout, &checkout.cart).ok()
}

pub(super) fn account(
    engine: &Engine,
    checkout: &Checkout,
    cart: &Cart,
) -> Result<Arc<dyn Klarna>, Trouble> {
    let country = cart.country.as_str();
    engine
        .account(&checkout.store_id, checkout.account_id.as_deref(), country)
        .ok_or_else(|| Trouble::NoAccount { country: country.to_owned() })
}

/// The name of the account that a new purchase in a country is opened with, where accounts have
/// names. One that another node has just added is found.
pub async fn choose_account(
    engine: &Engine,
    store_id: &str,
    country: &str,
) -> Result<Option<String>, Trouble> {
    let accounts = engine.accounts();
    if accounts.account(store_id, country).is_none() {
        accounts.refresh_now().await?;
        if accounts.account(store_id, country).is_none() {
            return Err(Trouble::NoAccount { country: country.to_owned() });
        }
    }
    Ok(accounts.choose(store_id, country))
}

/// Opens a session for the checkout's cart. `checkout.session` is what it was, or empty.
pub async fn open(engine: &Engine, checkout: &Checkout, cart: &Cart) -> Result<Session, Trouble> {
    open_for(engine, checkout, cart, None).await
}

/// The same for a shopper who signed in with Klarna: with an access token of theirs, which is in no row.
pub async fn open_for(
    engine: &Engine,
    checkout: &Checkout,
    cart: &Cart,
    access_token: Option<&Secret>,
) -> Result<Session, Trouble> {
    let account = account(engine, checkout, cart)?;
    let mut urls = commands::merchant_urls(checkout, engine.public_url());
    urls.app_return_url.clone_from(&cart.extras.app_return_url);
    let body = commands::session_body(cart, checkout.channel, urls);
    let mut body = super::recurring::session_for(body, checkout);
    if let Some(token) = access_token {
        let customer = body.customer.take().unwrap_or_default();
        body.customer = Some(customer.klarna_access_token(AccessToken::new(token.expose())));
    }
    // Counted from before the call: never later than Klarna's own end.
    let opened_at_ms = engine.now_ms();
    let call = account.create_session(&body);
    let answer = engine
        .through(account.as_ref(), Class::CreateSession, Priority::Interactive, call)
        .await
        .map_err(Trouble::Klarna)?;
    Ok(from_created(answer.value, opened_at_ms))
}

fn from_created(created: CreatedSession, opened_at_ms: i64) -> Session {
    Session {
        id: created.session_id.as_str().to_owned(),
        client_token: created.client_token.expose().to_owned(),
        payment_method_categories: created.payment_method_categories,
        expires_at_ms: opened_at_ms + SESSION_LIFE_MS,
    }
}

/// Makes the checkout's session say what the shop now wants.
pub async fn update(engine: &Engine, id: &str, wanted: Cart) -> Result<Checkout, Trouble> {
    let now_ms = engine.now_ms();
    let wish = wanted.clone();
    let checkout_id = id.to_owned();
    // First what is wanted is written down, so that a crash after the call is not forgotten.
    let checkout = engine
        .database()
        .write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &checkout_id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            if let Err(rejection) = checkout.step(Step::Update) {
                return Ok(Err(Trouble::Rejected(rejection)));
            }
            checkout.wanted = Some(wish.clone());
            checkout.finalize = checkout.finalize.begun_again();
            let poll_at_ms = checkout.next_poll_at_ms(now_ms);
            checkouts::update(tx, &mut checkout, poll_at_ms, now_ms)?;
            Ok::<_, Fault>(Ok(checkout))
        })
        .await??;
    if checkout.needs_new_session(now_ms)
        || checkout.needs_new_page(now_ms)
        || checkout.cart.country != wanted.country
    {
        return renew(engine, checkout).await;
    }
    let account = account(engine, &checkout, &wanted)?;
    let body = commands::session_update(&wanted);
    let call = account.update_session(&checkout.session.id, &body);
    match engine.through(account.as_ref(), Class::Other, Priority::Interactive, call).await {
        Ok(_) => settle_wanted(engine, &checkout, &wanted, Wanted::Taken).await,
        Err(failure) if is_gone(&failure) => renew(engine, checkout).await,
        Err(failure) => {
            if failure.effect != Effect::Unknown {
                settle_wanted(engine, &checkout, &wanted, Wanted::Refused).await?;
            }
            Err(Trouble::Klarna(failure))
        }
    }
}

/// Whether a session is gone. One that has led to an order is not: a fresh one beside it would let
/// the shopper pay twice.
fn is_gone(failure: &Failure) -> bool {
    failure.status == Some(404) && failure.error_code.as_deref() != Some("SESSION_COMPLETED")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Taken,
    Refused,
}

/// Records what Klarna said to a wanted cart, unless the shop has wanted another one since.
async fn settle_wanted(
    engine: &Engine,
    checkout: &Checkout,
    wanted: &Cart,
    verdict: Wanted,
) -> Result<Checkout, Trouble> {
    let now_ms = engine.now_ms();
    let (id, session_id, wanted) =
        (checkout.id.clone(), checkout.session.id.clone(), wanted.clone());
    engine
        .database()
        .write(move |tx| {
            let Some(mut current) = checkouts::lock(tx, &id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            if current.wanted.as_ref() != Some(&wanted) || current.session.id != session_id {
                return Ok(Ok(current));
            }
            current.wanted = None;
            let kind = match verdict {
                Wanted::Taken => {
                    current.cart = wanted.clone();
                    "checkout.updated"
                }
                Wanted::Refused => "checkout.update_refused",
            };
            let poll_at_ms = current.next_poll_at_ms(now_ms);
            checkouts::update(tx, &mut current, poll_at_ms, now_ms)?;
            let subject = (current.id.as_str(), current.version);
            let data = json!({ "order_amount": wanted.order_amount });
            events::append(tx, &current.store_id, subject, kind, &data, now_ms)?;
            Ok::<_, Fault>(Ok(current))
        })
        .await?
}

/// Where the answer to an update was lost, decides by what the session says.
pub async fn adopt(
    engine: &Engine,
    checkout: Checkout,
    session: &KlarnaSession,
) -> Result<Checkout, Fault> {
    let Some(wanted) = checkout.wanted.clone() else { return Ok(checkout) };
    let matches = session.order_amount == Some(wanted.order_amount)
        && session.order_lines.as_ref().is_some_and(|lines| {
            lines.len() == wanted.order_lines.len()
                && lines.iter().zip(&wanted.order_lines).all(|(one, other)| {
                    (&one.name, one.quantity, one.total_amount)
                        == (&other.name, other.quantity, other.total_amount)
                })
        });
    let verdict = if matches { Wanted::Taken } else { Wanted::Refused };
    match settle_wanted(engine, &checkout, &wanted, verdict).await {
        Ok(checkout) => Ok(checkout),
        Err(Trouble::Fault(fault)) => Err(fault),
        Err(_) => Ok(checkout),
    }
}

/// Resolves a doubt about the last update, if there is one, by reading the session.
pub async fn settle_doubt(engine: &Engine, checkout: Checkout) -> Result<Checkout, Trouble> {
    if checkout.wanted.is_none() || !checkout.status.takes_authorizations() {
        return Ok(checkout);
    }
    let account = account(engine, &checkout, &checkout.cart)?;
    let call = account.read_session(&checkout.session.id);
    match engine.through(account.as_ref(), Class::Other, Priority::Interactive, call).await {
        Ok(answer) => Ok(adopt(engine, checkout, &answer.value).await?),
        Err(failure) if is_gone(&failure) => renew(engine, checkout).await,
        Err(_) => Err(Trouble::InDoubt),
    }
}

/// Gives a checkout a fresh session, with what it wants if it wants something else by now, and a
/// fresh page where its channel has one. In another country another account may serve it.
pub async fn renew(engine: &Engine, mut checkout: Checkout) -> Result<Checkout, Trouble> {
    let cart = checkout.wanted.clone().unwrap_or_else(|| checkout.cart.clone());
    if cart.country != checkout.cart.country {
        checkout.account_id =
            choose_account(engine, &checkout.store_id, cart.country.as_str()).await?;
    }
    let session = open(engine, &checkout, &cart).await?;
    let page = pages::open(engine, &checkout, &cart, &session).await?;
    let account_id = checkout.account_id.clone();
    let now_ms = engine.now_ms();
    let (id, left) = (checkout.id.clone(), checkout.session.id.clone());
    let renewed = engine
        .database()
        .write(move |tx| {
            let Some(mut current) = checkouts::lock(tx, &id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            // Renewed by someone else meanwhile, or an order is on its way: theirs stands, and the
            // session just opened is one that nobody uses.
            if current.session.id != left || !current.status.takes_authorizations() {
                return Ok(Ok(current));
            }
            current.session = session.clone();
            current.cart = cart.clone();
            current.account_id.clone_from(&account_id);
            current.finalize = current.finalize.begun_again();
            if let Some(hosted) = &mut current.hosted {
                hosted.page.clone_from(&page);
            }
            if current.wanted.as_ref() == Some(&cart) {
                current.wanted = None;
            }
            let poll_at_ms = current.next_poll_at_ms(now_ms);
            checkouts::update(tx, &mut current, poll_at_ms, now_ms)?;
            let subject = (current.id.as_str(), current.version);
            events::append(
                tx,
                &current.store_id,
                subject,
                "checkout.session_renewed",
                &json!({}),
                now_ms,
            )?;
            Ok::<_, Fault>(Ok(current))
        })
        .await??;
    tracing::info!(checkout.id = %renewed.id, "a checkout has a fresh session");
    Ok(renewed)
}
