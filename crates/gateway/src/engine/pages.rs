//! Pages of Klarna's on which checkouts are paid: opened with their session, watched, sent to the
//! shopper, switched off.
//!
//! What a page says of itself comes from Klarna by reading, whatever caused the read: the shopper's
//! browser coming back, a callback, a clerk who looks at a counter, or the clock. An approval found
//! there is taken like any other; the journal places the order. None of this moves money, so none of
//! it is journalled.

use klarna_types::hosted_payment_page::{
    ContactInformation, CreateSession as CreatePage, CreatedSession as CreatedPage,
    DistributeSession, DistributionMethod, MerchantUrls, PlaceOrderMode,
};
use serde_json::json;
use storage::Tx;

use super::sessions::{self, Trouble};
use super::{Engine, commands};
use crate::domain::checkout::{Cart, Checkout, Session};
use crate::domain::hosted::{ENDS_BEFORE_SESSION_MS, Hosted, Page, PageStatus, PageWish, SentBy};
use crate::domain::operation::Effect;
use crate::domain::pacing::{Class, Priority};
use crate::fault::Fault;
use crate::store::{checkouts, events};

/// What is asked of Klarna to open a page.
fn request(checkout: &Checkout, wish: &PageWish, public_url: &str) -> CreatePage {
    let base = public_url.trim_end_matches('/');
    let filled = |url: &Option<String>| -> Option<String> {
        url.as_ref().map(|url| url.replace("{checkout_id}", &checkout.id))
    };
    let urls = MerchantUrls {
        success: filled(&wish.urls.success).or_else(|| checkout.confirmation_url()),
        cancel: filled(&wish.urls.cancel),
        back: filled(&wish.urls.back),
        failure: filled(&wish.urls.failure),
        error: filled(&wish.urls.error),
        status_update: Some(format!("{base}/klarna/callbacks/page/{}", checkout.callback_key())),
    };
    // The session's own URL is filled in where the session is known by it.
    CreatePage::new("")
        .merchant_urls(urls)
        .options(wish.options.clone().place_order_mode(PlaceOrderMode::None))
}

/// Opens the page of a checkout's session, if the channel has one.
pub async fn open(
    engine: &Engine,
    checkout: &Checkout,
    cart: &Cart,
    session: &Session,
) -> Result<Option<Page>, Trouble> {
    let Some(Hosted { wish, .. }) = checkout.hosted.as_deref() else { return Ok(None) };
    let account = sessions::account(engine, checkout, cart)?;
    let request = request(checkout, wish, engine.public_url());
    let call = account.open_page(&session.id, &request);
    let answer = engine
        .through(account.as_ref(), Class::CreateHosted, Priority::Interactive, call)
        .await
        .map_err(Trouble::Klarna)?;
    Ok(Some(from_created(answer.value, session, engine.now_ms())))
}

fn from_created(created: CreatedPage, session: &Session, now_ms: i64) -> Page {
    let ours_ms = session.expires_at_ms - ENDS_BEFORE_SESSION_MS;
    Page {
        id: created.session_id.into_string(),
        session_id: session.id.clone(),
        redirect_url: created.redirect_url,
        qr_code_url: created.qr_code_url,
        status: PageStatus::Waiting,
        changed_at_ms: now_ms,
        expires_at_ms: created.expires_at.map_or(ours_ms, |at| at.as_millisecond().min(ours_ms)),
        sent: None,
    }
}

/// Asks Klarna where a checkout's page stands, and takes what the shopper has approved on it.
pub async fn look(
    engine: &Engine,
    checkout: Checkout,
    priority: Priority,
) -> Result<Checkout, Trouble> {
    let Some(page) = checkout.page().filter(|page| !page.status.is_over()) else {
        return Ok(checkout);
    };
    let page_id = page.id.clone();
    let account = sessions::account(engine, &checkout, &checkout.cart)?;
    let call = account.read_page(&page_id);
    let answer = engine.through(account.as_ref(), Class::Other, priority, call).await;
    let (status, token) = match answer {
        Ok(answer) => (PageStatus::of(&answer.value.status), answer.value.authorization_token),
        Err(failure) if failure.effect == Effect::Refused && failure.status == Some(404) => {
            (PageStatus::Expired, None)
        }
        Err(failure) => return Err(Trouble::Klarna(failure)),
    };
    let (id, new_id, now_ms) = (checkout.id, engine.fresh_id("op"), engine.now_ms());
    let public_url = engine.public_url().to_owned();
    let current = engine
        .database()
        .write(move |tx| {
            let Some(current) = record(tx, &id, &page_id, status, now_ms)? else {
                return Ok(Err(Trouble::Unknown));
            };
            let belongs = current
                .page()
                .is_some_and(|page| page.id == page_id && page.session_id == current.session.id);
            if let Some(token) = token.as_ref().filter(|_| belongs) {
                // What is not taken any more shows in the checkout itself.
                let _ = commands::take_authorization(
                    tx,
                    &id,
                    token.expose(),
                    &public_url,
                    &new_id,
                    now_ms,
                )?;
            }
            let current = checkouts::get(tx, &id)?.unwrap_or(current);
            Ok::<_, Fault>(Ok(current))
        })
        .await??;
    engine.wake();
    Ok(current)
}

/// Writes down where a page stands, and tells if that is news.
fn record(
    tx: &mut Tx<'_>,
    id: &str,
    page_id: &str,
    status: PageStatus,
    now_ms: i64,
) -> Result<Option<Checkout>, Fault> {
    let Some(mut checkout) = checkouts::lock(tx, id)? else { return Ok(None) };
    let hosted = checkout.hosted.as_mut().and_then(|hosted| hosted.page.as_mut());
    // A fresh page has taken its place: nobody is sent to this one any more.
    let Some(page) = hosted.filter(|page| page.id == page_id) else { return Ok(Some(checkout)) };
    if page.take(status, now_ms) {
        changed(tx, &mut checkout, "checkout.page_changed", now_ms)?;
    } else {
        let poll_at_ms = checkout.next_poll_at_ms(now_ms);
        checkouts::set_poll_at(tx, id, poll_at_ms)?;
    }
    Ok(Some(checkout))
}

fn changed(tx: &mut Tx<'_>, checkout: &mut Checkout, kind: &str, now_ms: i64) -> Result<(), Fault> {
    let poll_at_ms = checkout.next_poll_at_ms(now_ms);
    checkouts::update(tx, checkout, poll_at_ms, now_ms)?;
    let data = checkout.page().map_or_else(
        || json!({}),
        |page| json!({ "page_status": page.status, "sent_by": page.sent.map(|(by, _)| by) }),
    );
    let subject = (checkout.id.as_str(), checkout.version);
    events::append(tx, &checkout.store_id, subject, kind, &data, now_ms)
}

/// Where a link is sent.
#[derive(Clone)]
pub enum SendTo {
    /// A phone, by text message.
    Sms {
        /// Its number.
        phone: String,
        /// Its country, two letters.
        phone_country: String,
    },
    /// A mailbox.
    Email {
        /// Its address.
        email: String,
    },
}

/// Whom a message goes to is nobody's business.
impl std::fmt::Debug for SendTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SendTo").field(&self.by()).finish()
    }
}

impl SendTo {
    /// In which way.
    pub fn by(&self) -> SentBy {
        match self {
            Self::Sms { .. } => SentBy::Sms,
            Self::Email { .. } => SentBy::Email,
        }
    }

    fn request(&self) -> DistributeSession {
        match self {
            Self::Sms { phone, phone_country } => DistributeSession::new(
                DistributionMethod::Sms,
                ContactInformation::new()
                    .phone(phone.as_str())
                    .phone_country(phone_country.as_str()),
            ),
            Self::Email { email } => DistributeSession::new(
                DistributionMethod::Email,
                ContactInformation::new().email(email.as_str()),
            ),
        }
    }
}

/// Has Klarna send the shopper a link to the page; to a fresh one, if there is none that can be paid
/// on. To whom is not kept.
pub async fn send(engine: &Engine, checkout: Checkout, to: &SendTo) -> Result<Checkout, Trouble> {
    let checkout = usable(engine, checkout).await?;
    let page_id = checkout.page().map(|page| page.id.clone()).ok_or(Trouble::Unknown)?;
    let account = sessions::account(engine, &checkout, &checkout.cart)?;
    let request = to.request();
    let call = account.send_page(&page_id, &request);
    engine
        .through(account.as_ref(), Class::Other, Priority::Interactive, call)
        .await
        .map_err(Trouble::Klarna)?;
    let (id, by, now_ms) = (checkout.id, to.by(), engine.now_ms());
    engine
        .database()
        .write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            let hosted = checkout.hosted.as_mut().and_then(|hosted| hosted.page.as_mut());
            if let Some(page) = hosted.filter(|page| page.id == page_id) {
                page.sent = Some((by, now_ms));
                changed(tx, &mut checkout, "checkout.link_sent", now_ms)?;
            }
            Ok::<_, Fault>(Ok(checkout))
        })
        .await?
}

/// The checkout with a page that can be paid on.
async fn usable(engine: &Engine, checkout: Checkout) -> Result<Checkout, Trouble> {
    let now_ms = engine.now_ms();
    let is_usable = checkout.page().is_some_and(|page| !page.status.is_over());
    if is_usable && !checkout.needs_new_session(now_ms) && !checkout.needs_new_page(now_ms) {
        Ok(checkout)
    } else {
        sessions::renew(engine, checkout).await
    }
}

/// What came of switching a page off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    /// Nobody can pay on it any more, or there is none.
    Yes,
    /// Klarna could not be asked: to be done later.
    Later,
}

/// Switches the page of a checkout off. Where the shopper was faster, their approval is taken.
pub async fn disable(engine: &Engine, checkout: &Checkout) -> Result<Disabled, Trouble> {
    let Some(page) = checkout.page().filter(|page| !page.status.is_over()) else {
        return Ok(Disabled::Yes);
    };
    let account = sessions::account(engine, checkout, &checkout.cart)?;
    let call = account.disable_page(&page.id);
    match engine.through(account.as_ref(), Class::Other, Priority::Interactive, call).await {
        Ok(_) => Ok(Disabled::Yes),
        Err(failure) if failure.status == Some(404) => Ok(Disabled::Yes),
        Err(failure) if failure.effect == Effect::Refused && failure.status == Some(400) => {
            look(engine, checkout.clone(), Priority::Interactive).await?;
            Err(Trouble::Approved)
        }
        Err(failure) if failure.effect == Effect::Refused => Err(Trouble::Klarna(failure)),
        Err(_) => Ok(Disabled::Later),
    }
}

/// Gives a checkout a fresh page, whatever became of the one that it has.
pub async fn reopen(engine: &Engine, checkout: Checkout) -> Result<Checkout, Trouble> {
    match disable(engine, &checkout).await? {
        // Should the old page be paid on meanwhile, its approval is of a session that the checkout
        // has left, and comes to nothing.
        Disabled::Yes | Disabled::Later => sessions::renew(engine, checkout).await,
    }
}
