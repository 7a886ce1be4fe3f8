//! Accepting what is wanted: the journal entry is written in the same unit of work as the state
//! change that wants it. Nothing here talks to Klarna.

use klarna_types::order_management::{CreateCapture, CreateRefund, ShippingInfo};
use klarna_types::payments::{
    AcquiringChannel, CreateOrder, CreateSession, MerchantUrls, UpdateSession,
};
use klarna_types::{Address, MinorUnits, validate};
use serde_json::json;
use storage::Tx;

use super::changes::{self, ChangeWish};
use crate::domain::checkout::{self, CaptureMode, Cart, Checkout, Status};
use crate::domain::hosted::Channel;
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome, Request, Transfer};
use crate::domain::operation::{Kind, Reason, Refusal, State, Step};
use crate::domain::payment::{
    Held, Payment, Pending, Planned, RefundShare, Rejection, Risk, Share, Status as PaymentStatus,
};
use crate::fault::Fault;
use crate::store::{checkouts, erasures, events, operations, payments, reread};

/// The URLs at which Klarna finds a checkout.
pub fn merchant_urls(checkout: &Checkout, public_url: &str) -> MerchantUrls {
    let base = public_url.trim_end_matches('/');
    let key = checkout.callback_key();
    MerchantUrls {
        confirmation: checkout.confirmation_url(),
        notification: Some(format!("{base}/klarna/callbacks/notification/{key}")),
        authorization: Some(format!("{base}/klarna/callbacks/authorization/{key}")),
        ..MerchantUrls::default()
    }
}

/// The body that opens a session for a cart.
pub fn session_body(cart: &Cart, channel: Channel, urls: MerchantUrls) -> CreateSession {
    let session = CreateSession::new(
        cart.country.clone(),
        cart.currency.clone(),
        cart.order_amount,
        cart.order_lines.clone(),
    )
    .order_tax_amount(cart.order_tax_amount)
    .locale(cart.locale.clone())
    .merchant_reference1(cart.merchant_reference.clone())
    .merchant_urls(urls);
    let session = match channel {
        Channel::InStore => session.acquiring_channel(AcquiringChannel::InStore),
        Channel::Inline | Channel::Hosted | Channel::Native => session,
    };
    cart.extras.on_session(session)
}

/// The body that makes a session say what the cart says. It carries the whole cart, so that
/// sending it twice is the same as once.
pub fn session_update(cart: &Cart) -> UpdateSession {
    let update = UpdateSession::default()
        .purchase_country(cart.country.clone())
        .purchase_currency(cart.currency.clone())
        .order_amount(cart.order_amount)
        .order_tax_amount(cart.order_tax_amount)
        .order_lines(cart.order_lines.clone())
        .locale(cart.locale.clone())
        .merchant_reference1(cart.merchant_reference.clone());
    cart.extras.on_update(update)
}

/// What a shop says when it confirms, besides the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Where the bill goes, if Klarna does not know it from the shopper.
    pub billing_address: Option<Address>,
    /// Where the goods go, likewise.
    pub shipping_address: Option<Address>,
}

/// The body that makes the order. Addresses only if the shop gives them now: else Klarna has what
/// the shopper authorised, and the gateway need not know it.
fn order_body(checkout: &Checkout, given: &Given, public_url: &str) -> CreateOrder {
    let cart = &checkout.cart;
    let urls = MerchantUrls { authorization: None, ..merchant_urls(checkout, public_url) };
    let mut order = CreateOrder::new(
        cart.country.clone(),
        cart.currency.clone(),
        cart.order_amount,
        cart.order_lines.clone(),
    )
    .order_tax_amount(cart.order_tax_amount)
    .locale(cart.locale.clone())
    .merchant_reference1(cart.merchant_reference.clone())
    .merchant_urls(urls);
    order.merchant_reference2.clone_from(&cart.extras.merchant_reference2);
    order.merchant_data.clone_from(&cart.extras.merchant_data);
    order.custom_payment_method_ids.clone_from(&cart.extras.custom_payment_method_ids);
    order.billing_address.clone_from(&given.billing_address);
    order.shipping_address.clone_from(&given.shipping_address);
    match checkout.capture {
        CaptureMode::Manual => order,
        CaptureMode::Automatic => order.auto_capture(true),
    }
}

pub(super) fn text<T: serde::Serialize>(body: &T) -> Result<String, Fault> {
    serde_json::to_string(body).map_err(Fault::document("request body"))
}

/// Why an authorisation is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no such checkout in that store.
    Unknown,
    /// It is completed already, with this payment.
    Completed(Option<String>),
    /// It takes no authorisations any more.
    Closed(checkout::Rejection),
}

/// Takes an authorisation, whoever brings it: the browser, Klarna's callback, the janitor. The same
/// token of the same checkout is the same operation.
pub fn take_authorization(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    token: &str,
    public_url: &str,
    new_id: &str,
    now_ms: i64,
) -> Result<Result<Operation, NotTaken>, Fault> {
    take_authorization_with(tx, checkout_id, token, &Given::default(), public_url, new_id, now_ms)
}

/// The same, with what the shop says besides. Where the token was taken already, that stands.
pub fn take_authorization_with(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    token: &str,
    given: &Given,
    public_url: &str,
    new_id: &str,
    now_ms: i64,
) -> Result<Result<Operation, NotTaken>, Fault> {
    let digest = idempotency::digest(token);
    let dedupe = format!("place/{checkout_id}/{digest}");
    let token_dedupe = format!("token/{checkout_id}/{digest}");
    let Some(mut checkout) = checkouts::lock(tx, checkout_id)? else {
        return Ok(Err(NotTaken::Unknown));
    };
    for known in [&dedupe, &token_dedupe] {
        if let Some(operation) = operations::by_dedupe(tx, known)? {
            return Ok(Ok(operation));
        }
    }
    if checkout.status == Status::Completed {
        return Ok(Err(NotTaken::Completed(checkout.payment_id)));
    }
    if let Err(rejection) = checkout.step(checkout::Step::Confirm) {
        return Ok(Err(NotTaken::Closed(rejection)));
    }
    let session_id = checkout.session.id.clone();
    let order = || text(&order_body(&checkout, given, public_url));
    // The token first, then the order: Klarna makes no token of an authorisation that was used up.
    let (request, dedupe) = if checkout.wants_token() {
        let body = text(&super::recurring::token_body(&checkout))?;
        let order_body = checkout.wants_order().then(order).transpose()?;
        (Request::CreateToken { session_id, body, order_body }, token_dedupe)
    } else {
        (Request::PlaceOrder { session_id, body: order()? }, dedupe)
    };
    let mut operation = Operation::new(
        new_id.to_owned(),
        &checkout.store_id,
        &checkout.id,
        dedupe,
        request,
        now_ms,
    );
    // At most one placement of a checkout is being tried. What was not begun gives way to the newer
    // authorisation, which has replaced its token at Klarna; what was begun is waited for.
    for mut older in operations::of_checkout(tx, checkout_id)? {
        match older.state {
            State::Queued if older.attempts == 0 => supersede(tx, &mut older, now_ms)?,
            State::Queued | State::Running | State::InDoubt | State::NeedsAttention => {
                operation.held = true;
            }
            State::Done | State::Refused => {}
        }
    }
    operations::insert(tx, &operation, Some(token))?;
    if !operation.held {
        operations::INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
    }
    checkout.refusal = None;
    checkout.finalize = checkout.finalize.begun_again();
    checkouts::update(tx, &mut checkout, None, now_ms)?;
    events::append(
        tx,
        &checkout.store_id,
        (&checkout.id, checkout.version),
        "checkout.confirming",
        &json!({ "operation_id": operation.id }),
        now_ms,
    )?;
    Ok(Ok(operation))
}

/// Ends an order placement that was not begun: a newer one takes its place.
pub fn supersede(tx: &mut Tx<'_>, operation: &mut Operation, now_ms: i64) -> Result<(), Fault> {
    operation.step(Step::Refuse, now_ms).map_err(Fault::inconsistent)?;
    operation.held = false;
    operation.forget_urls();
    operation.outcome = Some(Outcome::Refused(Refusal {
        reason: Reason::Superseded,
        detail: "A newer authorisation of the same checkout took its place.".to_owned(),
        remedy: "Nothing to do: see the checkout for what came of the newer one.".to_owned(),
        klarna: None,
    }));
    operations::INTERACTIVE.cancel(tx, &operation.id)?;
    operations::update(tx, operation)
}

/// What a capture is asked to be. As it is by default: everything that remains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureWish {
    /// How much.
    pub share: Share,
    /// Shown to the shopper.
    pub description: Option<String>,
    /// Stands in settlement files; the operation's id if it is not given.
    pub reference: Option<String>,
    /// Parcels.
    pub shipping_info: Vec<ShippingInfo>,
    /// Days until the goods leave, where Klarna has allowed that.
    pub shipping_delay_days: Option<i64>,
    /// Who bears the risk.
    pub risk: Risk,
}

/// What a refund is asked to be. As it is by default: everything that can be given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundWish {
    /// What is given back.
    pub what: RefundShare,
    /// Shown to the shopper.
    pub description: Option<String>,
    /// Stands in settlement files; the operation's id if it is not given.
    pub reference: Option<String>,
}

/// What is asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Capture.
    Capture(CaptureWish),
    /// Refund.
    Refund(RefundWish),
    /// Cancel.
    Cancel,
    /// Release what remains.
    Release,
    /// Change something by which no money moves.
    Change(ChangeWish),
}

impl Command {
    /// A capture of a share, and nothing else said.
    pub fn capture(share: Share) -> Self {
        Self::Capture(CaptureWish { share, ..CaptureWish::default() })
    }

    /// A refund of a share, and nothing else said.
    pub fn refund(share: Share) -> Self {
        let what = RefundShare { share, ..RefundShare::default() };
        Self::Refund(RefundWish { what, ..RefundWish::default() })
    }

    /// What it asks for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Capture(_) => Kind::Capture,
            Self::Refund(_) => Kind::Refund,
            Self::Cancel => Kind::Cancel,
            Self::Release => Kind::Release,
            Self::Change(wish) => Kind::Change(wish.change()),
        }
    }

    /// The capture it is done to, where it is done to one.
    pub fn capture_id(&self) -> Option<&str> {
        match self {
            Self::Change(wish) => wish.capture_id(),
            Self::Capture(_) | Self::Refund(_) | Self::Cancel | Self::Release => None,
        }
    }
}

/// Why a command is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPossible {
    /// There is no such payment in that store.
    Unknown,
    /// The payment does not allow it.
    Rejected(Rejection),
    /// A member breaks a limit of Klarna's.
    Limits(String),
    /// The gateway's database was put back, and Klarna was not asked yet what became of the payment.
    Unverified,
}

/// What a command is taken for.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    /// The store that asks.
    pub store_id: &'a str,
    /// The payment it is about.
    pub payment_id: &'a str,
    /// The same intent has the same key.
    pub dedupe: &'a str,
    /// The id of the operation, should this be the first time.
    pub new_id: &'a str,
}

/// Takes a command. The same intent again is the same operation.
pub fn take_command(
    tx: &mut Tx<'_>,
    intent: Intent<'_>,
    command: &Command,
    now_ms: i64,
) -> Result<Result<Operation, NotPossible>, Fault> {
    let Some(payment) = payments::lock(tx, intent.payment_id)?
        .filter(|payment| payment.store_id == intent.store_id)
    else {
        return Ok(Err(NotPossible::Unknown));
    };
    if let Some(operation) = operations::by_dedupe(tx, intent.dedupe)? {
        return Ok(Ok(operation));
    }
    if reread::is_wanted(tx, &payment.id)? {
        return Ok(Err(NotPossible::Unverified));
    }
    let pending: Vec<_> = operations::pending_of_payment(tx, &payment.id)?
        .iter()
        .map(Operation::as_pending)
        .collect();
    let made = made_before(&payment, command, intent.new_id);
    let is_made = made.is_some();
    let planned = match made {
        Some(request) => Ok(open(request)),
        None => plan(&payment, &pending, command, intent.new_id, now_ms)?,
    };
    let wanted = match planned {
        Ok(wanted) => wanted,
        Err(not_possible) => return Ok(Err(not_possible)),
    };
    let held = wanted.held;
    let mut operation = Operation::new(
        intent.new_id.to_owned(),
        &payment.store_id,
        &payment.checkout_id,
        intent.dedupe.to_owned(),
        wanted.request,
        now_ms,
    );
    operation.payment_id = Some(payment.id.clone());
    operation.held = held;
    if is_made {
        operation.only_look_up();
    }
    if erasures::is_erased(tx, &payment.id)? {
        operation.forgets = true;
    }
    if *command == Command::Cancel {
        end_held(tx, &payment, &cancelled(), now_ms)?;
    }
    operations::insert(tx, &operation, wanted.secret.as_deref())?;
    if !held {
        operations::INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
    }
    events::append_about_operation(
        tx,
        &operation,
        (&payment.id, payment.version),
        "operation.accepted",
        &json!({
            "operation_id": operation.id,
            "kind": operation.kind,
            "amount": operation.amount_concerned(),
            "held": held,
        }),
    )?;
    Ok(Ok(operation))
}

/// A command as the journal will keep it.
pub(super) struct Wanted {
    /// What is asked for.
    pub(super) request: Request,
    /// Whether it waits for Klarna's decision about fraud.
    pub(super) held: bool,
    /// What is kept beside the entry, and wiped as soon as it is settled.
    pub(super) secret: Option<String>,
}

/// The capture or refund that Klarna's books already show for this very operation. A database that was
/// put back has forgotten it, and the shop asks again under the same key.
fn made_before(payment: &Payment, command: &Command, id: &str) -> Option<Request> {
    let order_id = payment.klarna_order_id.clone();
    let transfer = |amount, order_lines: &[klarna_types::OrderLine]| Transfer {
        order_id,
        amount,
        order_lines: order_lines.to_vec(),
        reference: id.to_owned(),
        description: None,
        capture_id: None,
        body: String::new(),
    };
    match command {
        Command::Capture(_) => {
            let made =
                payment.captures.iter().find(|made| made.reference.as_deref() == Some(id))?;
            Some(Request::Capture(transfer(made.amount, &made.order_lines)))
        }
        Command::Refund(_) => {
            let made = payment.refunds.iter().find(|made| made.reference.as_deref() == Some(id))?;
            Some(Request::Refund(transfer(made.amount, &made.order_lines)))
        }
        Command::Cancel | Command::Release | Command::Change(_) => None,
    }
}

fn open(request: Request) -> Wanted {
    Wanted { request, held: false, secret: None }
}

fn plan(
    payment: &Payment,
    pending: &[Pending],
    command: &Command,
    new_id: &str,
    now_ms: i64,
) -> Result<Result<Wanted, NotPossible>, Fault> {
    let order_id = payment.klarna_order_id.clone();
    let rejected = |rejection| Ok(Err(NotPossible::Rejected(rejection)));
    match command {
        Command::Capture(wish) => {
            match payment.plan_capture(pending, &wish.share, wish.risk, now_ms) {
                Ok(planned) => capture(order_id, planned, wish, new_id),
                Err(rejection) => rejected(rejection),
            }
        }
        Command::Refund(wish) => match payment.plan_refund(pending, &wish.what) {
            Ok(planned) => refund(order_id, planned, wish, new_id),
            Err(rejection) => rejected(rejection),
        },
        Command::Cancel => match payment.check_cancel(pending, now_ms) {
            Ok(()) => Ok(Ok(open(Request::Cancel { order_id }))),
            Err(rejection) => rejected(rejection),
        },
        Command::Release => match payment.check_release(pending, now_ms) {
            Ok(()) => {
                let remaining_before = payment.amounts.remaining;
                Ok(Ok(open(Request::Release { order_id, remaining_before })))
            }
            Err(rejection) => rejected(rejection),
        },
        Command::Change(wish) => changes::plan(payment, pending, wish, now_ms),
    }
}

fn capture(
    order_id: String,
    planned: Planned,
    wish: &CaptureWish,
    new_id: &str,
) -> Result<Result<Wanted, NotPossible>, Fault> {
    let reference = wish.reference.clone().unwrap_or_else(|| new_id.to_owned());
    let mut body = CreateCapture::new(planned.amount).reference(reference.clone());
    body.description.clone_from(&wish.description);
    body.order_lines = some_lines(&planned.order_lines);
    body.shipping_info = (!wish.shipping_info.is_empty()).then(|| wish.shipping_info.clone());
    body.shipping_delay = wish.shipping_delay_days;
    if let Some(problem) = first_problem(&body, validate::capture)? {
        return Ok(Err(NotPossible::Limits(problem)));
    }
    let transfer = Transfer {
        order_id,
        amount: planned.amount,
        order_lines: planned.order_lines,
        reference,
        description: wish.description.clone(),
        capture_id: None,
        body: text(&body)?,
    };
    Ok(Ok(Wanted { held: planned.held, ..open(Request::Capture(transfer)) }))
}

fn refund(
    order_id: String,
    planned: Planned,
    wish: &RefundWish,
    new_id: &str,
) -> Result<Result<Wanted, NotPossible>, Fault> {
    let reference = wish.reference.clone().unwrap_or_else(|| new_id.to_owned());
    let mut body = CreateRefund::new(planned.amount).reference(reference.clone());
    body.description.clone_from(&wish.description);
    body.order_lines = some_lines(&planned.order_lines);
    if let Some(problem) = first_problem(&body, validate::refund)? {
        return Ok(Err(NotPossible::Limits(problem)));
    }
    let transfer = Transfer {
        order_id,
        amount: planned.amount,
        order_lines: planned.order_lines,
        reference,
        description: wish.description.clone(),
        capture_id: wish.what.capture_id.clone(),
        body: text(&body)?,
    };
    Ok(Ok(open(Request::Refund(transfer))))
}

fn some_lines(lines: &[klarna_types::OrderLine]) -> Option<Vec<klarna_types::OrderLine>> {
    (!lines.is_empty()).then(|| lines.to_vec())
}

/// Checks a request with the rules of the wire types, which read it as a server would.
pub(super) fn first_problem<T, B>(
    body: &T,
    check: fn(&B) -> Vec<klarna_types::Problem>,
) -> Result<Option<String>, Fault>
where
    T: serde::Serialize,
    B: serde::de::DeserializeOwned,
{
    let read = serde_json::to_value(body)
        .and_then(serde_json::from_value::<B>)
        .map_err(Fault::document("request body"))?;
    Ok(check(&read).first().map(ToString::to_string))
}

/// Klarna's books were read: captures that wait for its decision about fraud go on, are refused, or
/// wait on.
pub fn release_held(tx: &mut Tx<'_>, payment: &Payment, now_ms: i64) -> Result<(), Fault> {
    match payment.fate_of_held() {
        Held::Waits => Ok(()),
        Held::GoesOn => {
            for mut operation in held(tx, payment)? {
                operation.held = false;
                operation.updated_at_ms = now_ms;
                operations::update(tx, &mut operation)?;
                operations::INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
            }
            Ok(())
        }
        Held::Rejected => end_held(tx, payment, &fraud_rejected(), now_ms),
        Held::Over(status) => end_held(tx, payment, &over(status), now_ms),
    }
}

fn held(tx: &mut Tx<'_>, payment: &Payment) -> Result<Vec<Operation>, Fault> {
    let mut held = operations::pending_of_payment(tx, &payment.id)?;
    held.retain(|operation| operation.held);
    Ok(held)
}

/// Ends captures that wait for Klarna's decision about fraud: they were never asked for.
fn end_held(
    tx: &mut Tx<'_>,
    payment: &Payment,
    refusal: &Refusal,
    now_ms: i64,
) -> Result<(), Fault> {
    for mut operation in held(tx, payment)? {
        operation.held = false;
        operation.step(Step::Refuse, now_ms).map_err(Fault::inconsistent)?;
        operation.outcome = Some(Outcome::Refused(refusal.clone()));
        operations::update(tx, &mut operation)?;
        let data = json!({
            "operation_id": operation.id,
            "kind": operation.kind,
            "amount": operation.amount(),
            "reason": refusal.reason.name(),
            "detail": refusal.detail,
            "remedy": refusal.remedy,
        });
        let subject = (payment.id.as_str(), payment.version);
        events::append_about_operation(tx, &operation, subject, "operation.refused", &data)?;
    }
    Ok(())
}

fn fraud_rejected() -> Refusal {
    Refusal {
        reason: Reason::FraudRejected,
        detail: "Klarna's review of this order ended with a refusal.".to_owned(),
        remedy:
            "Do not ship. A capture at your own risk within four hours of the refusal overrules \
                 it; after that Klarna cancels the order."
                .to_owned(),
        klarna: None,
    }
}

fn cancelled() -> Refusal {
    Refusal {
        reason: Reason::Superseded,
        detail: "The payment was cancelled while it waited for Klarna's review.".to_owned(),
        remedy: "Do not ship.".to_owned(),
        klarna: None,
    }
}

fn over(status: PaymentStatus) -> Refusal {
    let status = status.name().replace('_', " ");
    Refusal {
        reason: Reason::StateForbids,
        detail: format!("The payment is {status}: the end of Klarna's review changes nothing."),
        remedy: "Do not ship. See the payment for what became of it.".to_owned(),
        klarna: None,
    }
}

/// After an order placement was settled: the newest authorisation that waited for it is tried, or,
/// when the order exists, none is needed any more.
pub fn next_placement(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    settled: State,
    now_ms: i64,
) -> Result<bool, Fault> {
    let mut waiting: Vec<_> = operations::of_checkout(tx, checkout_id)?
        .into_iter()
        .filter(|operation| operation.held && operation.state == State::Queued)
        .collect();
    let next = match settled {
        State::Refused => waiting.pop(),
        State::Done => None,
        // Nothing may be tried while the outcome is open.
        State::Queued | State::Running | State::InDoubt | State::NeedsAttention => {
            return Ok(false);
        }
    };
    for mut older in waiting {
        supersede(tx, &mut older, now_ms)?;
    }
    let Some(mut operation) = next else { return Ok(false) };
    operation.held = false;
    operation.updated_at_ms = now_ms;
    operations::update(tx, &mut operation)?;
    operations::INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
    Ok(true)
}

/// The key of an intent that a shop's `Idempotency-Key` names, or that is made once and for all.
pub fn dedupe(kind: Kind, payment_id: &str, key: Option<&str>, new_id: &str) -> String {
    match key {
        Some(key) => format!("{}/{payment_id}/{}", kind.name(), idempotency::digest(key)),
        None => format!("{}/{payment_id}/{new_id}", kind.name()),
    }
}

/// The amount of an order body, as it was journalled.
pub fn order_amount(body: &str) -> Result<(MinorUnits, CreateOrder), Fault> {
    let order: CreateOrder = serde_json::from_str(body).map_err(Fault::document("order body"))?;
    Ok((order.order_amount, order))
}

/// What a request asked an order to be: by this it is known again.
pub struct SentOrder {
    /// The shop's number.
    pub merchant_reference: Option<String>,
    /// The total.
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: klarna_types::Currency,
}

/// What was sent to make an order, by an authorisation or by a customer token.
pub fn sent_order(request: &Request, body: &str) -> Result<SentOrder, Fault> {
    if matches!(request, Request::Charge(_)) {
        let sent: klarna_types::customer_token::CreateTokenOrder =
            serde_json::from_str(body).map_err(Fault::document("charge body"))?;
        return Ok(SentOrder {
            merchant_reference: sent.merchant_reference1,
            amount: sent.order_amount,
            currency: sent.purchase_currency,
        });
    }
    let (amount, sent) = order_amount(body)?;
    Ok(SentOrder {
        merchant_reference: sent.merchant_reference1,
        amount,
        currency: sent.purchase_currency,
    })
}
