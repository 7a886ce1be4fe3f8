//! What follows a purchase flow: the payment request that it is for, and the page of Klarna's own that it runs on.
//!
//! The shopper on a page of Klarna's own, once for all ways in: the page itself, the purchase flow that runs on
//! it, and the control API.
//!
//! Loads the page, lets its machine decide, and writes the outcome with everything it causes (the order that
//! the page was asked to place, and what the merchant's server is told) in the caller's unit of work. The
//! worker is woken by the caller afterwards.

use std::sync::Arc;

use jiff::Timestamp;
use klarna_types::hosted_payment_page::{PlaceOrderMode, SessionStatus};
use klarna_types::{AuthorizationToken, HostedSessionId, KlarnaReference, OrderId};
use service::Clock as _;
use storage::Tx;

use crate::api::auth::Directory;
use crate::api::error::Chain;
use crate::app::App;
use crate::domain::flow::{Flow, Host, Step};
use crate::domain::hosted_page::{Event, HostedPage, LeaveButton, Refusal, Status, ends_at_ms};
use crate::domain::merchant::Merchant;
use crate::domain::payment_request::{self, PaymentRequest};
use crate::domain::session::{self, Session};
use crate::in_store::Making;
use crate::placing::{self, Authorized, Capture, Names, PlacingError};
use crate::shopper::Outcome;
use crate::store::{StoreError, callbacks, hosted_pages, orders, payment_requests, sessions};

/// What a unit of work about a page needs from outside. Drawn before it: it may be run again, and must then do
/// the same.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    directory: Arc<Directory>,
    base_url: String,
    names: Names,
    now: Timestamp,
}

impl Scene {
    /// At this instant.
    pub(crate) fn new(app: &App) -> Self {
        Self {
            directory: app.directory(),
            base_url: app.base_url().to_owned(),
            names: Names::draw(),
            now: app.clock().now(),
        }
    }

    /// The playground's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The merchants.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What an order is made with.
    pub(crate) fn making(&self) -> Making<'_> {
        Making { base_url: &self.base_url, names: &self.names, now: self.now }
    }

    /// The playground's time in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}

/// A page with the payment session that is paid on it.
#[derive(Debug, Clone)]
pub(crate) struct Hosted {
    /// The page.
    pub(crate) page: HostedPage,
    /// The payment session.
    pub(crate) session: Session,
}

impl Hosted {
    /// When the page ends.
    pub(crate) fn expires_at_ms(&self) -> i64 {
        ends_at_ms(self.session.expires_at_ms)
    }
}

/// Why nothing can be done on a page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostingError {
    /// Unknown, or past its end.
    #[error("the hosted session does not exist or has expired")]
    Gone,
    /// Its machine does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The page has another button.
    #[error("the page does not show a {} button", match .0 {
        LeaveButton::Back => "back",
        LeaveButton::Cancel => "cancel",
    })]
    NoSuchButton(LeaveButton),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<storage::Error> for HostingError {
    fn from(error: storage::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What came of the shopper's purchase on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Approved by this token.
    Approved(AuthorizationToken),
    /// Declined.
    Declined,
    /// The data that the merchant gave cannot be paid with, and the shopper cannot mend them here.
    Broke,
    /// Broken off; the shopper is still on the page.
    Open,
}

impl End {
    /// What an attempt came to.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match (&outcome.authorization_token, outcome.show_form) {
            (Some(token), _) if outcome.approved => Self::Approved(token.clone()),
            _ if outcome.error.is_some() => Self::Broke,
            (_, true) => Self::Open,
            (_, false) => Self::Declined,
        }
    }
}

/// A page with its session, if it still stands. It is locked until the unit of work ends.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    session_id: &HostedSessionId,
    now: Timestamp,
) -> Result<Hosted, HostingError> {
    let page = hosted_pages::find(tx, session_id)?.ok_or(HostingError::Gone)?;
    complete(tx, page, now)
}

/// Adds the session to a page that was read, and what has become of it without the page.
pub(crate) fn complete(
    tx: &mut Tx<'_>,
    mut page: HostedPage,
    now: Timestamp,
) -> Result<Hosted, HostingError> {
    let session = sessions::find(tx, &page.payment_session_id)?.ok_or(HostingError::Gone)?;
    if now.as_millisecond() >= ends_at_ms(session.expires_at_ms) {
        return Err(HostingError::Gone);
    }
    if !page.status.is_final()
        && let Some((order_id, reference)) = order_of(tx, &session, now)?
    {
        page.paid_elsewhere(order_id, reference);
    }
    Ok(Hosted { page, session })
}

/// The order that a session has led to, if it has.
fn order_of(
    tx: &mut Tx<'_>,
    session: &Session,
    now: Timestamp,
) -> Result<Option<(OrderId, KlarnaReference)>, StoreError> {
    if session.status != session::Status::Complete {
        return Ok(None);
    }
    let Some(order_id) = sessions::order_of(tx, &session.session_id)? else { return Ok(None) };
    let order = orders::read(tx, &session.merchant_id, &order_id, now)?;
    let reference = order.and_then(|order| order.view().klarna_reference);
    Ok(reference.map(|reference| (order_id, reference)))
}

/// Lets something happen to a page, and tells the merchant's server.
pub(crate) fn happen(
    tx: &mut Tx<'_>,
    hosted: &mut Hosted,
    event: Event,
    scene: &Scene,
) -> Result<(), HostingError> {
    let merchant = scene.directory.merchant(hosted.page.merchant_id.as_str());
    let idle_minutes = merchant.and_then(|merchant| merchant.settings.hosted_page_idle_minutes);
    let before = hosted.page.clone();
    let told = hosted.page.happen(event, idle_minutes, scene.now_ms())?;
    if hosted.page.version != before.version {
        hosted_pages::update(tx, &hosted.page, event, scene.now_ms())?;
    } else if hosted.page != before {
        hosted_pages::save(tx, &hosted.page)?;
    }
    if let Some(told) = told {
        tell(tx, &hosted.page, told, hosted.expires_at_ms(), scene.now_ms())?;
    }
    Ok(())
}

/// The shopper presses one of the buttons that lead away.
pub(crate) fn leave(
    tx: &mut Tx<'_>,
    hosted: &mut Hosted,
    button: LeaveButton,
    scene: &Scene,
) -> Result<(), HostingError> {
    let event = hosted.page.pressed(button).ok_or(HostingError::NoSuchButton(button))?;
    // The same button twice, or one on a page that was loaded long ago.
    if !(event == Event::WentBack && hosted.page.status == Status::Back) {
        happen(tx, hosted, Event::Opened, scene)?;
        happen(tx, hosted, event, scene)?;
    }
    Ok(())
}

/// The shopper's purchase on a page has come to an end.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    hosted: &mut Hosted,
    end: End,
    scene: &Scene,
) -> Result<(), HostingError> {
    // Whoever acts is on the page, whatever other windows have said since.
    happen(tx, hosted, Event::Opened, scene)?;
    let event = match end {
        End::Open => return Ok(()),
        End::Declined => Event::Declined,
        End::Broke => Event::Broke,
        End::Approved(token) => match place(tx, hosted, &token, scene) {
            Ok(()) => {
                hosted.page.authorization_token = Some(token);
                Event::Approved
            }
            Err(PlacingError::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(
                    hosted_session.id = %hosted.page.session_id,
                    error = %Chain(&error),
                    "a hosted page could not place the order that it was asked for"
                );
                Event::Broke
            }
        },
    };
    happen(tx, hosted, event, scene)
}

/// Places the order, if the page is to do that.
fn place(
    tx: &mut Tx<'_>,
    hosted: &mut Hosted,
    token: &AuthorizationToken,
    scene: &Scene,
) -> Result<(), PlacingError> {
    let capture = match hosted.page.mode() {
        PlaceOrderMode::PlaceOrder => Capture::OnRequest,
        PlaceOrderMode::CaptureOrder => Capture::AtOnce,
        PlaceOrderMode::None | PlaceOrderMode::Unknown(_) => return Ok(()),
    };
    // As it is after the approval.
    if let Some(session) = sessions::find(tx, &hosted.session.session_id)? {
        hosted.session = session;
    }
    // A till's link on the same session has placed it.
    if let Some((order_id, reference)) = order_of(tx, &hosted.session, scene.now)? {
        hosted.page.order_id = Some(order_id);
        hosted.page.klarna_reference = Some(reference);
        return Ok(());
    }
    let merchant = scene
        .directory
        .merchant(hosted.page.merchant_id.as_str())
        .unwrap_or_else(|| Arc::new(Merchant::new(hosted.page.merchant_id.clone())));
    let authorized = Authorized {
        merchant: &merchant,
        session: &hosted.session,
        token,
        capture,
        base_url: &scene.base_url,
        names: &scene.names,
        now: scene.now,
    };
    placing::place_authorized(tx, &authorized)?;
    hosted.page.order_id = Some(scene.names.order_id().clone());
    hosted.page.klarna_reference = Some(scene.names.klarna_reference().clone());
    Ok(())
}

/// Whether a flow may go on: its page still stands.
pub(crate) fn check(tx: &mut Tx<'_>, host: &Host, now: Timestamp) -> Result<(), HostingError> {
    match host {
        Host::HostedPage(session_id) => {
            let status = find(tx, session_id, now)?.page.status;
            if status.is_final() { Err(Refusal::Over(status).into()) } else { Ok(()) }
        }
        Host::PaymentRequest(id) => {
            let request = payment_requests::find(tx, id)?.ok_or(HostingError::Gone)?.at(now);
            if request.state.is_final() { Err(HostingError::Gone) } else { Ok(()) }
        }
    }
}

/// Lets the page of a flow, if it has one, follow what the flow came to.
pub(crate) fn follow(tx: &mut Tx<'_>, flow: &Flow, scene: &Scene) -> Result<(), HostingError> {
    let Some(host) = &flow.host else { return Ok(()) };
    let end = match (&flow.answer, flow.step) {
        (Some(answer), Step::Approved) => match &answer.authorization_token {
            Some(token) => End::Approved(AuthorizationToken::new(token.as_str())),
            None => End::Open,
        },
        (Some(_), Step::Declined) => End::Declined,
        (Some(answer), _) if answer.error.is_some() => End::Broke,
        _ => End::Open,
    };
    match host {
        Host::HostedPage(session_id) => {
            let mut hosted = match find(tx, session_id, scene.now) {
                // A window that is closed after the end of its page leaves nothing.
                Err(HostingError::Gone) if end == End::Open => return Ok(()),
                found => found?,
            };
            if hosted.page.status.is_final() && end == End::Open {
                return Ok(());
            }
            settle(tx, &mut hosted, end, scene)
        }
        Host::PaymentRequest(id) => {
            // A flow that goes on changes nothing.
            if !flow.step.is_end() {
                return Ok(());
            }
            let Some(mut request) = payment_requests::find(tx, id)? else { return Ok(()) };
            conclude(tx, &mut request, flow, end, scene)
        }
    }
}

/// Lets a payment request follow the end of its flow.
fn conclude(
    tx: &mut Tx<'_>,
    request: &mut PaymentRequest,
    flow: &Flow,
    end: End,
    scene: &Scene,
) -> Result<(), HostingError> {
    let version = request.version;
    let (event, token) = match end {
        End::Approved(token) => (payment_request::Event::Approved, Some(token)),
        End::Declined | End::Open => (payment_request::Event::Aborted, None),
        End::Broke => (payment_request::Event::Broke, None),
    };
    if let Some(token) = &token {
        request.outcome = Some(outcome_of(tx, request, flow, token)?);
    }
    // What is over stays as it is: the page that called it off has heard so.
    let taken = request.happen(event);
    if taken.is_ok() && request.version != version {
        crate::payment_requests::changed(tx, request, scene.now)?;
    }
    Ok(())
}

/// What an approval means for a payment request.
fn outcome_of(
    tx: &mut Tx<'_>,
    request: &PaymentRequest,
    flow: &Flow,
    token: &AuthorizationToken,
) -> Result<payment_request::Outcome, StoreError> {
    let body =
        sessions::find(tx, &request.session_id)?.map(|session| session.body).unwrap_or_default();
    let approval = sessions::find_authorization(tx, &request.merchant_id, token.expose())?
        .map(|authorization| authorization.approval);
    let (billing, customer) =
        approval.map_or((None, None), |approval| (approval.billing_address, approval.customer));
    let customer = customer.or(body.customer);
    let delivery = flow.delivery.as_ref();
    Ok(payment_request::Outcome {
        payment_token: token.expose().to_owned(),
        billing: billing.or(body.billing_address),
        date_of_birth: customer.and_then(|customer| customer.date_of_birth),
        locale: body.locale.map(|locale| locale.as_str().to_owned()),
        shipping_address: delivery.and_then(|delivery| delivery.address.clone()),
        shipping_option: delivery.and_then(|delivery| delivery.chosen_option().cloned()),
    })
}

/// A purchase flow begins for a payment request of this session.
pub(crate) fn begin_request(
    tx: &mut Tx<'_>,
    id: &str,
    session: &Session,
    now: Timestamp,
) -> Result<PaymentRequest, HostingError> {
    let kept = payment_requests::find(tx, id)?
        .filter(|request| request.session_id == session.session_id)
        .ok_or(HostingError::Gone)?;
    let mut request = kept.clone().at(now);
    request.happen(payment_request::Event::Begun).map_err(|_| HostingError::Gone)?;
    if request.version != kept.version {
        crate::payment_requests::changed(tx, &request, now)?;
    }
    Ok(request)
}

/// Shoppers who did nothing for long enough have left. Answers for how many pages were looked at.
pub(crate) fn run_idle(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let mut seen = 0;
    for session_id in hosted_pages::idle(tx, now_ms)? {
        let Some(mut page) = hosted_pages::find(tx, &session_id)? else { continue };
        seen += 1;
        let due_at_ms = page.idle_due_at_ms.map_or(now_ms, |due_at_ms| due_at_ms.min(now_ms));
        page.idle_due_at_ms = None;
        // A page that has ended meanwhile, or was paid elsewhere, has nothing to tell.
        let expires_at_ms = sessions::find(tx, &page.payment_session_id)?
            .filter(|session| session.status == session::Status::Incomplete)
            .map(|session| ends_at_ms(session.expires_at_ms))
            .filter(|expires_at_ms| due_at_ms < *expires_at_ms);
        let Some(expires_at_ms) = expires_at_ms else {
            hosted_pages::save(tx, &page)?;
            continue;
        };
        let Ok(Some(told)) = page.happen(Event::TimedOut, None, due_at_ms) else {
            hosted_pages::save(tx, &page)?;
            continue;
        };
        hosted_pages::update(tx, &page, Event::TimedOut, due_at_ms)?;
        tell(tx, &page, told, expires_at_ms, due_at_ms)?;
    }
    Ok(seen)
}

/// Enqueues what the merchant's server is to be told.
fn tell(
    tx: &mut Tx<'_>,
    page: &HostedPage,
    told: SessionStatus,
    expires_at_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let callback = page
        .status_callback(told, expires_at_ms)
        .map_err(|source| StoreError::Document { what: "callback", source })?;
    if let Some(callback) = callback {
        callbacks::enqueue(tx, &callback, now_ms)?;
    }
    Ok(())
}
