//! A payment: the merchant's mirror of one Klarna order, and what can still be done with it.
//!
//! Rules kept here: captured ≤ authorised and refunded ≤ captured at every instant; a status that is
//! final is never left again, whatever arrives late; a decision about fraud that comes after the end
//! of a payment is told as nothing more than a change. What can be done with it is in
//! [`super::actions`].
//!
//! Klarna's order is the truth. The mirror is moved by the outcome of our own operations, and
//! replaced by what a read of the order says.

use klarna_types::order_management::ShippingInfo;
use klarna_types::{Currency, MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

pub use super::actions::{
    Action, NewAuthorization, Pending, Planned, RefundShare, Rejection, ReturnFee, Risk, Share,
    Unavailable,
};
use super::change::contains_all;
use super::expiry::Calendar;
use super::hosted::Channel;
use super::limits;

/// Where a payment stands: Klarna's order status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed, nothing captured.
    Authorized,
    /// Something captured, something left.
    PartCaptured,
    /// Nothing left to capture.
    Captured,
    /// Cancelled before any capture.
    Cancelled,
    /// The authorisation lapsed.
    Expired,
    /// Closed by Klarna.
    Closed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Authorized,
        Self::PartCaptured,
        Self::Captured,
        Self::Cancelled,
        Self::Expired,
        Self::Closed,
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::PartCaptured => "part_captured",
            Self::Captured => "captured",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether money may still be captured.
    pub fn is_open(self) -> bool {
        match self {
            Self::Authorized | Self::PartCaptured => true,
            Self::Captured | Self::Cancelled | Self::Expired | Self::Closed => false,
        }
    }
}

/// Whether Klarna's books may move a payment from one status to another. What is cancelled or
/// expired does not come back to life: a late message that says so is an alarm, not a fact.
pub fn may_move(from: Status, to: Status) -> bool {
    use Status::{Authorized, Cancelled, Captured, Closed, Expired, PartCaptured};
    match (from, to) {
        // An authorisation that was raised again opens a captured order for the rest.
        (Authorized, _)
        | (PartCaptured, PartCaptured | Captured | Expired | Closed)
        | (Captured, Captured | PartCaptured | Closed)
        | (Cancelled, Cancelled | Closed)
        | (Expired, Expired | Closed)
        | (Closed, Closed) => true,
        (PartCaptured | Captured | Cancelled | Expired | Closed, Authorized)
        | (PartCaptured | Captured | Expired | Closed, Cancelled)
        | (Captured | Cancelled | Closed, Expired)
        | (Cancelled | Expired | Closed, Captured | PartCaptured) => false,
    }
}

/// What Klarna thinks of the risk of fraud.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Fraud {
    /// Ship.
    Accepted,
    /// Being reviewed: do not ship yet.
    Pending,
    /// Do not ship.
    Rejected,
    /// A value that this version does not know, such as `STOPPED`: treated as "do not ship".
    Other(String),
}

impl From<String> for Fraud {
    fn from(value: String) -> Self {
        match value.to_ascii_uppercase().as_str() {
            "ACCEPTED" => Self::Accepted,
            "PENDING" => Self::Pending,
            "REJECTED" => Self::Rejected,
            _ => Self::Other(value),
        }
    }
}

impl From<Fraud> for String {
    fn from(value: Fraud) -> Self {
        value.name().to_owned()
    }
}

impl Fraud {
    /// Klarna's word for it.
    pub fn name(&self) -> &str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Pending => "PENDING",
            Self::Rejected => "REJECTED",
            Self::Other(value) => value,
        }
    }
}

/// The sums of a payment, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// What the authorisation is for now.
    pub authorized: MinorUnits,
    /// What it was for at first.
    pub original: MinorUnits,
    /// What was captured.
    pub captured: MinorUnits,
    /// What was given back.
    pub refunded: MinorUnits,
    /// What can still be captured.
    pub remaining: MinorUnits,
}

impl Amounts {
    /// Captured and not given back.
    pub fn refundable(&self) -> MinorUnits {
        minus(self.captured, self.refunded)
    }

    /// What must be true of the sums at every instant.
    pub fn are_sound(&self) -> bool {
        let zero = MinorUnits::ZERO;
        zero <= self.refunded
            && self.refunded <= self.captured
            && self.captured <= self.authorized
            && zero <= self.remaining
            && self.captured.checked_add(self.remaining).is_some_and(|sum| sum <= self.authorized)
    }
}

/// Subtraction that stops at zero: the sums of a payment are never below it.
pub(super) fn minus(from: MinorUnits, what: MinorUnits) -> MinorUnits {
    from.checked_sub(what).unwrap_or(MinorUnits::ZERO).max(MinorUnits::ZERO)
}

/// Addition that stops at the greatest amount; limits are checked before anything is added.
fn plus(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    one.checked_add(other).unwrap_or(MinorUnits::MAX)
}

/// One capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Klarna's id.
    pub id: String,
    /// Its amount.
    pub amount: MinorUnits,
    /// How much of it was given back, as far as Klarna says.
    pub refunded: MinorUnits,
    /// Shown to the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stands in settlement files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Klarna's short reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_reference: Option<String>,
    /// What was captured, line by line, where it was said.
    #[serde(default)]
    pub order_lines: Vec<OrderLine>,
    /// When.
    pub captured_at_ms: i64,
    /// Its parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping_info: Vec<ShippingInfo>,
    /// By how many days its due date was moved through this gateway, each time. Klarna's books do
    /// not show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due_date_extensions: Vec<i32>,
    /// The operation of ours that made it; none when it was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

/// One refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Klarna's id.
    pub id: String,
    /// Its amount.
    pub amount: MinorUnits,
    /// Shown to the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Stands in settlement files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What was given back, line by line, where it was said.
    #[serde(default)]
    pub order_lines: Vec<OrderLine>,
    /// When.
    pub refunded_at_ms: i64,
    /// The capture it was asked for of, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// The operation of ours that made it; none when it was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

/// How the shopper pays Klarna.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Klarna's type, such as `INVOICE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Klarna's words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// In how many parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_installments: Option<i64>,
}

/// The mirror of one Klarna order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Our id.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// The checkout it came from; the operation that made it, where a customer token was charged
    /// ([`Payment::checkout`]).
    pub checkout_id: String,
    /// The shop's order number.
    pub merchant_reference: String,
    /// Another number of the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference2: Option<String>,
    /// Klarna's id of the order.
    pub klarna_order_id: String,
    /// Klarna's short reference.
    pub klarna_reference: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// What Klarna thinks of the risk.
    pub fraud: Fraud,
    /// When the end of a review became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraud_decided_at_ms: Option<i64>,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// The country of the purchase.
    pub country: String,
    /// The shopper's language.
    pub locale: Option<String>,
    /// The sums.
    pub amounts: Amounts,
    /// What was bought.
    pub order_lines: Vec<OrderLine>,
    /// What was captured.
    pub captures: Vec<Capture>,
    /// What was given back.
    pub refunds: Vec<Refund>,
    /// Parcels of the order as such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping_info: Vec<ShippingInfo>,
    /// How the shopper pays.
    pub method: Option<Method>,
    /// Where the shopper's browser should go after the purchase.
    pub redirect_url: Option<String>,
    /// When the order was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
    /// The last moment for a capture, as far as Klarna has said.
    pub expires_at_ms: Option<i64>,
    /// What was announced and done about its coming expiry.
    #[serde(default)]
    pub expiry: Calendar,
    /// The Klarna account that it was opened with; the configured one, if it does not say.
    #[serde(default)]
    pub account_id: Option<String>,
    /// How the purchase reached the shopper; none if a customer token was charged, and of what was
    /// bought before this was kept, until it is read anew from its checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// What a change of the mirror means to whoever follows the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happened {
    /// The order was made.
    Authorized,
    /// Captured, wholly or in part.
    Captured,
    /// Refunded, wholly or in part.
    Refunded,
    /// Cancelled.
    Cancelled,
    /// What remained was released.
    Released,
    /// The authorisation lapsed.
    Expired,
    /// It can be captured for longer.
    Extended,
    /// Its amount or lines were changed before they were captured.
    Reauthorized,
    /// Closed by Klarna.
    Closed,
    /// Klarna accepted the risk after review.
    FraudAccepted,
    /// Klarna refused the risk after review.
    FraudRejected,
    /// The review takes longer than Klarna says it may.
    FraudOverdue,
    /// Something else changed at Klarna.
    Updated,
    /// Klarna shows a change that cannot be: a person must look.
    Alarm,
}

impl Happened {
    /// The type of the event that says so.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Authorized => "payment.authorized",
            Self::Captured => "payment.captured",
            Self::Refunded => "payment.refunded",
            Self::Cancelled => "payment.cancelled",
            Self::Released => "payment.released",
            Self::Expired => "payment.authorization_expired",
            Self::Extended => "payment.authorization_extended",
            Self::Reauthorized => "payment.authorization_updated",
            Self::Closed => "payment.closed",
            Self::FraudAccepted => "payment.fraud_accepted",
            Self::FraudRejected => "payment.fraud_rejected",
            Self::FraudOverdue => "payment.fraud_overdue",
            Self::Updated => "payment.updated",
            Self::Alarm => "payment.alarm",
        }
    }
}

/// The type of the event that says that an authorisation lapses soon.
pub const AUTHORIZATION_EXPIRING: &str = "payment.authorization_expiring";
/// The type of the event that says that what the store wants then could not be done.
pub const EXPIRY_POLICY_FAILED: &str = "payment.expiry_policy_failed";
/// How often an order under fraud review is read, should its notification get lost.
pub const PENDING_CHECK_MS: i64 = 10 * 60 * 1000;
/// Klarna decides within 24 hours.
pub const PENDING_LIMIT_MS: i64 = 24 * 60 * 60 * 1000;
/// An order is read again this long after its authorisation lapsed.
const AFTER_EXPIRY_MS: i64 = 60 * 1000;

/// What stands for a channel where no shopper was there: a customer token was charged.
pub const CHARGE: &str = "charge";

impl Payment {
    /// The name of its channel.
    pub fn channel_name(&self) -> &'static str {
        self.channel.map_or(CHARGE, Channel::name)
    }

    /// The checkout it came from; none where a customer token was charged.
    pub fn checkout(&self) -> Option<&str> {
        Some(self.checkout_id.as_str()).filter(|id| !id.starts_with("op_"))
    }

    /// Records a capture that Klarna made for us. A capture that is known already changes nothing.
    pub fn record_capture(&mut self, capture: Capture) -> Option<Happened> {
        if let Some(known) = self.captures.iter_mut().find(|known| known.id == capture.id) {
            known.operation_id = known.operation_id.take().or(capture.operation_id);
            return None;
        }
        self.amounts.captured = plus(self.amounts.captured, capture.amount);
        self.amounts.remaining = minus(self.amounts.remaining, capture.amount);
        self.status =
            if self.amounts.remaining.is_zero() { Status::Captured } else { Status::PartCaptured };
        self.captures.push(capture);
        Some(Happened::Captured)
    }

    /// Records a refund that Klarna made for us. A refund that is known already changes nothing.
    pub fn record_refund(&mut self, refund: Refund) -> Option<Happened> {
        if let Some(known) = self.refunds.iter_mut().find(|known| known.id == refund.id) {
            known.operation_id = known.operation_id.take().or(refund.operation_id);
            return None;
        }
        self.amounts.refunded = plus(self.amounts.refunded, refund.amount);
        self.refunds.push(refund);
        Some(Happened::Refunded)
    }

    /// Records that Klarna cancelled the order for us.
    pub fn record_cancel(&mut self) -> Option<Happened> {
        if self.status == Status::Cancelled {
            return None;
        }
        self.status = Status::Cancelled;
        self.amounts.remaining = MinorUnits::ZERO;
        Some(Happened::Cancelled)
    }

    /// Records that Klarna released what remained. Which status an order has then is not
    /// published; a read of the order follows and says it.
    pub fn record_release(&mut self) -> Option<Happened> {
        if self.amounts.remaining.is_zero() {
            return None;
        }
        self.status = Status::Captured;
        self.amounts.remaining = MinorUnits::ZERO;
        Some(Happened::Released)
    }

    /// Records that Klarna took a new total and new lines for us.
    pub fn record_update(&mut self, amount: MinorUnits, lines: Vec<OrderLine>) -> Option<Happened> {
        if self.amounts.authorized == amount && self.order_lines == lines {
            return None;
        }
        self.amounts.authorized = amount.max(self.amounts.captured);
        if self.status.is_open() {
            self.amounts.remaining = minus(amount, self.amounts.captured);
        }
        self.order_lines = lines;
        if self.status == Status::PartCaptured && self.amounts.remaining.is_zero() {
            self.status = Status::Captured;
        }
        Some(Happened::Reauthorized)
    }

    /// Records that Klarna took new references for us.
    pub fn record_references(&mut self, one: Option<&String>, two: Option<&String>) {
        if let Some(one) = one {
            self.merchant_reference.clone_from(one);
        }
        if let Some(two) = two {
            self.merchant_reference2 = Some(two.clone()).filter(|text| !text.is_empty());
        }
    }

    /// Records parcels that Klarna took for us, of which there were so many before. A read of the
    /// order may have shown them already.
    pub fn record_parcels(
        &mut self,
        capture_id: Option<&String>,
        parcels: &[ShippingInfo],
        count_before: usize,
    ) {
        let place = match capture_id {
            None => Some(&mut self.shipping_info),
            Some(id) => self.capture_mut(id).map(|capture| &mut capture.shipping_info),
        };
        if let Some(place) = place
            && !contains_all(place.get(count_before..).unwrap_or_default(), parcels)
        {
            place.extend_from_slice(parcels);
        }
    }

    /// Records that the due date of a capture was moved for us.
    pub fn record_due_date(&mut self, capture_id: &str, number_of_days: i32) {
        if let Some(capture) = self.capture_mut(capture_id) {
            capture.due_date_extensions.push(number_of_days);
        }
    }

    fn capture_mut(&mut self, id: &str) -> Option<&mut Capture> {
        self.captures.iter_mut().find(|capture| capture.id == id)
    }

    /// Takes over what a read of the order says; answers what changed by it.
    pub fn take_over(&mut self, order: Books, now_ms: i64) -> Vec<Happened> {
        let mut happened = Vec::new();
        let before = self.clone();
        if let Some(status) = order.status {
            if may_move(self.status, status) {
                self.status = status;
            } else {
                happened.push(Happened::Alarm);
                return happened;
            }
        }
        if order.amounts.are_sound() {
            self.amounts = order.amounts;
        } else {
            happened.push(Happened::Alarm);
            return happened;
        }
        if let Some(fraud) = order.fraud {
            if self.fraud == Fraud::Pending && fraud != Fraud::Pending {
                self.fraud_decided_at_ms = Some(now_ms);
            }
            self.fraud = fraud;
        }
        self.order_lines = order.order_lines;
        self.captures = order.captures;
        for capture in &mut self.captures {
            if let Some(known) = before.captures.iter().find(|known| known.id == capture.id) {
                capture.operation_id.clone_from(&known.operation_id);
                capture.due_date_extensions.clone_from(&known.due_date_extensions);
            }
        }
        self.refunds = order.refunds;
        for refund in &mut self.refunds {
            if let Some(known) = before.refunds.iter().find(|known| known.id == refund.id) {
                refund.operation_id.clone_from(&known.operation_id);
                refund.capture_id.clone_from(&known.capture_id);
            }
        }
        self.klarna_reference = order.klarna_reference.or(self.klarna_reference.take());
        self.method = order.method.or(self.method.take());
        self.shipping_info = order.shipping_info;
        let reference = order.merchant_reference1.filter(|text| !text.is_empty());
        self.merchant_reference = reference.unwrap_or_else(|| before.merchant_reference.clone());
        self.merchant_reference2 = order.merchant_reference2.filter(|text| !text.is_empty());
        self.set_expiry(order.expires_at_ms, now_ms);
        happened.extend(self.told_apart(&before, now_ms));
        happened.extend(self.overdue_review(now_ms));
        if happened.is_empty() && *self != before {
            happened.push(Happened::Updated);
        }
        happened
    }

    /// What an observer would say happened between two states of the mirror.
    fn told_apart(&self, before: &Self, now_ms: i64) -> Vec<Happened> {
        let mut happened = Vec::new();
        if before.fraud == Fraud::Pending {
            match self.fraud {
                // Whoever hears of an acceptance ships; so nobody hears of one that came too late.
                Fraud::Accepted if self.is_over() => {}
                Fraud::Pending => {}
                Fraud::Accepted => happened.push(Happened::FraudAccepted),
                Fraud::Rejected | Fraud::Other(_) => happened.push(Happened::FraudRejected),
            }
        }
        if self.amounts.captured > before.amounts.captured {
            happened.push(Happened::Captured);
        }
        if self.amounts.refunded > before.amounts.refunded {
            happened.push(Happened::Refunded);
        }
        let is_new = before.expires_at_ms.is_none();
        if self.expires_at_ms > before.expires_at_ms && !is_new && self.status.is_open() {
            happened.push(Happened::Extended);
        }
        let captured = self.amounts.captured > before.amounts.captured;
        if self.amounts.authorized != before.amounts.authorized && !captured {
            happened.push(Happened::Reauthorized);
        }
        if self.status != before.status {
            let lapsed = before.status.is_open()
                && before.amounts.remaining > self.amounts.remaining
                && !captured
                && self.expires_at_ms.is_some_and(|at_ms| now_ms >= at_ms);
            match self.status {
                Status::Cancelled => happened.push(Happened::Cancelled),
                Status::Expired => happened.push(Happened::Expired),
                Status::Closed if lapsed => {
                    happened.extend([Happened::Expired, Happened::Closed]);
                }
                Status::Closed => happened.push(Happened::Closed),
                Status::Authorized | Status::PartCaptured | Status::Captured => {}
            }
        }
        happened
    }

    /// Whether nothing of it will ever be captured again.
    pub fn is_over(&self) -> bool {
        match self.status {
            Status::Cancelled | Status::Expired => true,
            Status::Authorized | Status::PartCaptured | Status::Captured | Status::Closed => false,
        }
    }

    /// A warning that is due now: a review that takes too long.
    fn overdue_review(&self, now_ms: i64) -> Option<Happened> {
        let reviewed_since_ms = now_ms - self.created_at_ms;
        let overdue = self.fraud == Fraud::Pending
            && self.status.is_open()
            && (PENDING_LIMIT_MS..PENDING_LIMIT_MS + PENDING_CHECK_MS).contains(&reviewed_since_ms);
        overdue.then_some(Happened::FraudOverdue)
    }

    /// When the order should be read again although nothing asks for it; `None` once nothing can
    /// change by itself any more.
    pub fn next_check_at_ms(&self, now_ms: i64) -> Option<i64> {
        if !self.status.is_open() {
            return None;
        }
        if self.fraud == Fraud::Pending {
            return Some(now_ms + PENDING_CHECK_MS);
        }
        // Klarna cancels an order whose risk it refused, unless somebody captures it in time.
        let cancelled_at_ms = self
            .fraud_decided_at_ms
            .filter(|_| self.fraud != Fraud::Accepted)
            .map(|at_ms| at_ms + limits::OVERRULABLE_FOR_MS + AFTER_EXPIRY_MS);
        let lapsed_at_ms = self.expires_at_ms.map(|at_ms| at_ms + AFTER_EXPIRY_MS);
        let ahead = [cancelled_at_ms, lapsed_at_ms];
        if ahead.iter().all(Option::is_none) {
            return None;
        }
        let next = ahead.into_iter().flatten().filter(|at_ms| *at_ms > now_ms).min();
        // Klarna has not let it lapse yet: look again in a day.
        Some(next.unwrap_or(now_ms + PENDING_LIMIT_MS))
    }

    /// What becomes of a capture that waits for Klarna's decision about fraud.
    pub fn fate_of_held(&self) -> Held {
        if !self.status.is_open() {
            return Held::Over(self.status);
        }
        match self.fraud {
            Fraud::Pending => Held::Waits,
            Fraud::Accepted => Held::GoesOn,
            Fraud::Rejected | Fraud::Other(_) => Held::Rejected,
        }
    }
}

/// What becomes of a capture that waits for Klarna's decision about fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It waits on.
    Waits,
    /// It is carried out.
    GoesOn,
    /// It is refused: Klarna refused the risk.
    Rejected,
    /// It is refused: the payment ended otherwise, however the review ends.
    Over(Status),
}

/// What a read of Klarna's order says, in our terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// The status; `None` when Klarna uses one that this version does not know.
    pub status: Option<Status>,
    /// What Klarna thinks of the risk.
    pub fraud: Option<Fraud>,
    /// The sums.
    pub amounts: Amounts,
    /// What was bought.
    pub order_lines: Vec<OrderLine>,
    /// What was captured.
    pub captures: Vec<Capture>,
    /// What was given back.
    pub refunds: Vec<Refund>,
    /// Klarna's short reference.
    pub klarna_reference: Option<String>,
    /// Parcels of the order as such.
    pub shipping_info: Vec<ShippingInfo>,
    /// The shop's order number.
    pub merchant_reference1: Option<String>,
    /// Another number of the shop.
    pub merchant_reference2: Option<String>,
    /// How the shopper pays.
    pub method: Option<Method>,
    /// The last moment for a capture.
    pub expires_at_ms: Option<i64>,
}

#[cfg(test)]
#[path = "payment_tests.rs"]
pub(crate) mod tests;
