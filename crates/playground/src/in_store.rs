//! In-store purchases as units of work: each change is stored, told to the store's server, and, when the
//! shopper has paid, made an order, all or nothing.
//!
//! Wake the worker once a unit is committed: a callback may be due.

use jiff::Timestamp;
use klarna_types::in_store::DistributionBody;
use klarna_types::{AuthorizationToken, MerchantId, SessionId};
use service::Clock as _;
use storage::Tx;

use crate::api::auth::Directory;
use crate::app::App;
use crate::domain::callback::{Callback, CallbackKind};
use crate::domain::in_store::{
    Distribution, Event, Failure, Refusal, Status, Step, ends_at_ms, is_short_code, short_code,
    short_code_ends_at_ms,
};
use crate::domain::merchant::{InStore, Merchant};
use crate::domain::session::{Session, SessionRefusal};
use crate::placing::{self, Authorized, Capture, Names, PlacingError};
use crate::store::in_store::Scan;
use crate::store::{StoreError, callbacks, in_store, sessions, to_document};

/// How often a short code is drawn anew that another phone shows already.
const CODE_DRAWS: usize = 4;

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InStoreError {
    /// The purchase does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<storage::Error> for InStoreError {
    fn from(error: storage::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a new purchase is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    /// The session it is of.
    pub(crate) session_id: &'a SessionId,
    /// Whose it is.
    pub(crate) merchant: &'a Merchant,
    /// What the merchant asked for.
    pub(crate) wanted: &'a DistributionBody,
    /// In the link. Drawn outside the unit of work.
    pub(crate) short_id: &'a str,
}

/// Opens the purchase of a new session and brings it on its way: to the store's screen, or to the phone
/// that shows the short code.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    opening: &Opening<'_>,
    base_url: &str,
    now_ms: i64,
) -> Result<(), InStoreError> {
    let merchant_id = &opening.merchant.merchant_id;
    let mut purchase = Distribution {
        session_id: opening.session_id.clone(),
        merchant_id: merchant_id.clone(),
        short_id: opening.short_id.to_owned(),
        status: Status::Waiting,
        version: 1,
        expires_at_ms: ends_at_ms(now_ms),
        status_url: opening
            .wanted
            .callback_urls
            .as_ref()
            .and_then(|urls| urls.status_update.clone())
            .filter(|url| !url.is_empty()),
        order: None,
    };
    in_store::insert(tx, &purchase, now_ms)?;
    let event = match (opening.merchant.settings.in_store, opening.wanted.short_code.as_deref()) {
        (InStore::Disabled, _) => Event::Fail(Failure::NotPermitted),
        (InStore::Enabled, None) => Event::Distribute,
        (InStore::Enabled, Some(code)) if !is_short_code(code) => Event::Fail(Failure::ShortCode),
        (InStore::Enabled, Some(code)) => {
            match in_store::find_code(tx, merchant_id, code, now_ms)? {
                None => Event::Fail(Failure::ShortCode),
                Some(scan) => {
                    in_store::give(tx, &scan.scan_id, opening.session_id)?;
                    // It waits until the phone fetches it.
                    return Ok(());
                }
            }
        }
    };
    happens(tx, &mut purchase, event, base_url, now_ms)
}

/// Something happens to a purchase.
pub(crate) fn happens(
    tx: &mut Tx<'_>,
    purchase: &mut Distribution,
    event: Event,
    base_url: &str,
    now_ms: i64,
) -> Result<(), InStoreError> {
    match purchase.apply(event, now_ms)? {
        Step::Stay => Ok(()),
        Step::To(_) => changed(tx, purchase, base_url, now_ms),
    }
}

/// Stores a change and tells the store's server of it.
fn changed(
    tx: &mut Tx<'_>,
    purchase: &Distribution,
    base_url: &str,
    now_ms: i64,
) -> Result<(), InStoreError> {
    in_store::update(tx, purchase, now_ms)?;
    let Some(url) = &purchase.status_url else { return Ok(()) };
    let callback = Callback {
        id: format!("in_store:{}:{}", purchase.session_id, purchase.version),
        merchant_id: purchase.merchant_id.clone(),
        kind: CallbackKind::InStoreStatus,
        subject_id: purchase.session_id.to_string(),
        url: url.clone(),
        body: to_document("callback", &purchase.result(base_url))?,
        headers: Vec::new(),
    };
    Ok(callbacks::enqueue(tx, &callback, now_ms)?)
}

/// The shopper was approved in a session: an in-store one becomes an order. Any other is left alone.
pub(crate) fn approved(
    tx: &mut Tx<'_>,
    directory: &Directory,
    session_id: &SessionId,
    token: &AuthorizationToken,
    making: &Making<'_>,
) -> Result<(), PlacingError> {
    let Some(mut purchase) = in_store::find(tx, session_id)? else { return Ok(()) };
    let now_ms = making.now.as_millisecond();
    let session = sessions::find(tx, session_id)?.ok_or(SessionRefusal::Gone)?;
    let merchant = directory.merchant(session.merchant_id.as_str()).ok_or(SessionRefusal::Gone)?;
    let order = (making.names.order_id().clone(), making.names.klarna_reference().clone());
    match purchase.complete(order, now_ms) {
        Ok(()) => {}
        Err(Refusal::Completed) => return Err(SessionRefusal::Completed.into()),
        Err(Refusal::Gone | Refusal::Canceled | Refusal::NotPermitted) => {
            return Err(SessionRefusal::Gone.into());
        }
    }
    let authorized = Authorized {
        merchant: &merchant,
        session: &session,
        token,
        capture: Capture::OnRequest,
        base_url: making.base_url,
        names: making.names,
        now: making.now,
    };
    placing::place_authorized(tx, &authorized)?;
    changed(tx, &purchase, making.base_url, now_ms).map_err(|error| match error {
        InStoreError::Store(error) => PlacingError::Store(error),
        // A stored change is past its refusals.
        InStoreError::Refused(refusal) => PlacingError::Unreadable(refusal.to_string()),
    })
}

/// What an order is made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'a> {
    /// Where the playground is reached.
    pub(crate) base_url: &'a str,
    /// What the order is called.
    pub(crate) names: &'a Names,
    /// The playground's time.
    pub(crate) now: Timestamp,
}

/// The merchant calls a session off, in-store or not. Again is the same as once where that can be told:
/// an in-store session remembers that it was canceled.
pub(crate) fn cancel_session(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    session_id: &SessionId,
    base_url: &str,
    now_ms: i64,
) -> Result<(), InStoreError> {
    let session = sessions::find_of(tx, merchant_id, session_id)?.ok_or(Refusal::Gone)?;
    match in_store::find(tx, session_id)? {
        Some(purchase) => cancel(tx, purchase, session, base_url, now_ms),
        None => match session.check_open(now_ms) {
            Ok(()) => end(tx, session, now_ms),
            Err(SessionRefusal::Gone) => Err(Refusal::Gone.into()),
            Err(SessionRefusal::Completed) => Err(Refusal::Completed.into()),
        },
    }
}

/// The shopper or the store calls a purchase off: its session ends with it.
pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    mut purchase: Distribution,
    session: Session,
    base_url: &str,
    now_ms: i64,
) -> Result<(), InStoreError> {
    match purchase.apply(Event::Cancel, now_ms)? {
        Step::Stay => Ok(()),
        Step::To(_) => {
            changed(tx, &purchase, base_url, now_ms)?;
            end(tx, session, now_ms)
        }
    }
}

/// Ends a session now, with whatever the shopper approved in it.
fn end(tx: &mut Tx<'_>, mut session: Session, now_ms: i64) -> Result<(), InStoreError> {
    sessions::supersede(tx, &session.session_id, now_ms)?;
    session.cancel(now_ms);
    Ok(sessions::update(tx, &session, sessions::Event::Cancelled, now_ms)?)
}

/// A phone that shows a short code, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// The phone and its code.
    pub(crate) scan: Scan,
    /// The link of the purchase that a till has sent to it.
    pub(crate) payment_link: Option<String>,
}

/// A phone scans the printed code of a merchant's counter and is given a short code to show.
pub(crate) async fn scan(app: &App, merchant_id: &str) -> Result<Scanned, InStoreError> {
    let merchant = app.directory().merchant(merchant_id).ok_or(Refusal::Gone)?;
    let now_ms = app.clock().now_ms();
    let scan_id = service::random::key().to_string();
    // Drawn outside the unit of work. Two phones show the same code once in a million scans, so a few
    // are enough.
    let codes: [u64; CODE_DRAWS] =
        std::array::from_fn(|_| u64::from_le_bytes(service::random::bytes()));
    let scan = app
        .db()
        .write(move |tx| -> Result<_, InStoreError> {
            in_store::forget_scans(tx, now_ms)?;
            for code in codes {
                let scan = Scan {
                    scan_id: scan_id.clone(),
                    merchant_id: merchant.merchant_id.clone(),
                    code: short_code(code),
                    expires_at_ms: short_code_ends_at_ms(now_ms),
                    session_id: None,
                };
                if in_store::insert_scan(tx, &scan, now_ms)? {
                    return Ok(scan);
                }
            }
            Err(Refusal::Gone.into())
        })
        .await?;
    Ok(Scanned { scan, payment_link: None })
}

/// A phone asks whether a till has sent its code along. A purchase that waits for it is thereby
/// distributed.
pub(crate) async fn fetch(app: &App, scan_id: String) -> Result<Scanned, InStoreError> {
    let now_ms = app.clock().now_ms();
    let base_url = app.base_url().to_owned();
    let looked_up = scan_id.clone();
    let scan = app
        .db()
        .read(move |tx| in_store::find_scan(tx, &looked_up, now_ms))
        .await?
        .ok_or(Refusal::Gone)?;
    let Some(session_id) = scan.session_id.clone() else {
        return Ok(Scanned { scan, payment_link: None });
    };
    let link = app
        .db()
        .write(move |tx| -> Result<_, InStoreError> {
            let mut purchase = in_store::find(tx, &session_id)?.ok_or(Refusal::Gone)?;
            happens(tx, &mut purchase, Event::Distribute, &base_url, now_ms)?;
            Ok(purchase.payment_link(&base_url))
        })
        .await?;
    app.wake();
    Ok(Scanned { scan, payment_link: Some(link) })
}
