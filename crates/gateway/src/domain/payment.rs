//! A payment: the merchant's mirror of one Klarna order, and what can still be done with it.
//!
//! Rules kept here: captured ≤ authorised and refunded ≤ captured at every instant, operations that
//! are on their way included; amounts come from what is recorded, never from a recomputed cart; a
//! status that is final is never left again, whatever arrives late.
//!
//! Klarna's order is the truth. The mirror is moved by the outcome of our own operations, and
//! replaced by what a read of the order says.

use klarna_types::{Currency, MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

use super::lines::{self, Wanted};
use super::operation::{Kind, State};

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
fn minus(from: MinorUnits, what: MinorUnits) -> MinorUnits {
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
    /// The checkout it came from.
    pub checkout_id: String,
    /// The shop's order number.
    pub merchant_reference: String,
    /// Klarna's id of the order.
    pub klarna_order_id: String,
    /// Klarna's short reference.
    pub klarna_reference: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// What Klarna thinks of the risk.
    pub fraud: Fraud,
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
    /// Whether its coming expiry was announced.
    #[serde(default)]
    pub expiry_announced: bool,
}

/// An operation on the payment that may still take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What it asks for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The amount of a capture or refund.
    pub amount: MinorUnits,
    /// Its lines.
    pub order_lines: Vec<OrderLine>,
}

/// Something that can be done with the payment now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What.
    pub action: Kind,
    /// At most how much, for a capture or refund.
    pub max_amount: Option<MinorUnits>,
    /// Set when it is accepted now but carried out only once Klarna has decided about fraud.
    pub waits_for_fraud_decision: bool,
}

/// What a capture or refund is asked to be. Neither amount nor lines: everything that is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// So much.
    pub amount: Option<MinorUnits>,
    /// These lines.
    pub lines: Option<Vec<Wanted>>,
}

/// A capture or refund that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How much.
    pub amount: MinorUnits,
    /// Which lines; empty where they cannot be told.
    pub order_lines: Vec<OrderLine>,
    /// Whether it must be held until Klarna has decided about fraud.
    pub held: bool,
}

/// Why a command is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The payment is not in a state for it.
    #[error("a payment that is {status} cannot be {wanted}{because}")]
    State {
        /// What it is.
        status: &'static str,
        /// What was wanted.
        wanted: &'static str,
        /// Why not, where the status does not say it.
        because: String,
    },
    /// More than there is.
    #[error("amount: {wanted} is more than the {limit} that can be {what}")]
    TooMuch {
        /// What was asked for.
        wanted: MinorUnits,
        /// What there is.
        limit: MinorUnits,
        /// `captured` or `refunded`.
        what: &'static str,
    },
    /// Zero or less.
    #[error("amount: {0} is not more than 0")]
    NotPositive(MinorUnits),
    /// Amount and lines do not agree.
    #[error("amount: {amount} differs from {sum}, the sum of the lines")]
    LinesDiffer {
        /// The amount asked for.
        amount: MinorUnits,
        /// The sum of the lines asked for.
        sum: MinorUnits,
    },
    /// A line is wrong.
    #[error(transparent)]
    Lines(#[from] lines::Problem),
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
    /// It lapses soon.
    ExpiresSoon,
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
            Self::Expired => "payment.expired",
            Self::ExpiresSoon => "payment.expires_soon",
            Self::Closed => "payment.closed",
            Self::FraudAccepted => "payment.fraud_accepted",
            Self::FraudRejected => "payment.fraud_rejected",
            Self::FraudOverdue => "payment.fraud_overdue",
            Self::Updated => "payment.updated",
            Self::Alarm => "payment.alarm",
        }
    }
}

/// How long before an authorisation lapses this is announced.
pub const EXPIRY_WARNING_MS: i64 = 3 * 24 * 60 * 60 * 1000;
/// How often an order under fraud review is read, should its notification get lost.
pub const PENDING_CHECK_MS: i64 = 10 * 60 * 1000;
/// Klarna decides within 24 hours.
pub const PENDING_LIMIT_MS: i64 = 24 * 60 * 60 * 1000;
/// An order is read again this long after its authorisation lapsed.
const AFTER_EXPIRY_MS: i64 = 60 * 1000;

impl Payment {
    /// What can be captured once everything pending is done.
    pub fn capturable(&self, pending: &[Pending]) -> MinorUnits {
        let closing = pending.iter().any(|operation| match operation.kind {
            Kind::Cancel | Kind::Release => operation.state.holds_amount(),
            Kind::PlaceOrder | Kind::Capture | Kind::Refund => false,
        });
        if closing || !self.status.is_open() {
            return MinorUnits::ZERO;
        }
        minus(self.amounts.remaining, pending_sum(pending, Kind::Capture))
    }

    /// What can be refunded once everything pending is done.
    pub fn refundable(&self, pending: &[Pending]) -> MinorUnits {
        match self.status {
            Status::PartCaptured | Status::Captured | Status::Closed => {
                minus(self.amounts.refundable(), pending_sum(pending, Kind::Refund))
            }
            Status::Authorized | Status::Cancelled | Status::Expired => MinorUnits::ZERO,
        }
    }

    /// What can be done now, with limits.
    pub fn available_actions(&self, pending: &[Pending]) -> Vec<Action> {
        let held = self.fraud == Fraud::Pending;
        let mut actions = Vec::new();
        let mut add = |action, max_amount, waits_for_fraud_decision| {
            actions.push(Action { action, max_amount, waits_for_fraud_decision });
        };
        let capturable = self.capturable(pending);
        if capturable.is_positive() {
            add(Kind::Capture, Some(capturable), held);
        }
        let refundable = self.refundable(pending);
        if refundable.is_positive() {
            add(Kind::Refund, Some(refundable), false);
        }
        if self.check_cancel(pending).is_ok() {
            add(Kind::Cancel, None, false);
        }
        if self.check_release(pending).is_ok() {
            add(Kind::Release, None, false);
        }
        actions
    }

    /// Plans a capture.
    pub fn plan_capture(&self, pending: &[Pending], share: &Share) -> Result<Planned, Rejection> {
        let limit = self.capturable(pending);
        if limit.is_zero() {
            return Err(self.rejected("captured", pending, "nothing remains to be captured"));
        }
        let mut taken: Vec<&OrderLine> =
            self.captures.iter().flat_map(|capture| &capture.order_lines).collect();
        taken.extend(pending_lines(pending, Kind::Capture));
        let (amount, order_lines) = match (&share.lines, share.amount) {
            (Some(wanted), amount) => {
                let order_lines = lines::take_units(&self.order_lines, &taken, wanted)?;
                (agreed(amount, &order_lines)?, order_lines)
            }
            (None, amount) => {
                let amount = amount.unwrap_or(limit);
                // Lines are told where they are certain: when the rest of the lines is the rest of
                // the money.
                let rest = lines::take_rest(&self.order_lines, &taken);
                let order_lines = if lines::sum(&rest) == Some(amount) { rest } else { Vec::new() };
                (amount, order_lines)
            }
        };
        within(amount, limit, "captured")?;
        Ok(Planned { amount, order_lines, held: self.fraud == Fraud::Pending })
    }

    /// Plans a refund.
    pub fn plan_refund(&self, pending: &[Pending], share: &Share) -> Result<Planned, Rejection> {
        let limit = self.refundable(pending);
        if limit.is_zero() {
            return Err(self.rejected("refunded", pending, "nothing captured is left to refund"));
        }
        let captured = self.captured_lines();
        let mut taken: Vec<&OrderLine> =
            self.refunds.iter().flat_map(|refund| &refund.order_lines).collect();
        taken.extend(pending_lines(pending, Kind::Refund));
        let (amount, order_lines) = match (&share.lines, share.amount) {
            (Some(wanted), amount) => {
                let order_lines =
                    lines::give_back_units(&self.order_lines, &captured, &taken, wanted)?;
                (agreed(amount, &order_lines)?, order_lines)
            }
            (None, amount) => {
                let amount = amount.unwrap_or(limit);
                within(amount, limit, "refunded")?;
                (amount, lines::give_back_amount(&captured, &taken, amount))
            }
        };
        within(amount, limit, "refunded")?;
        Ok(Planned { amount, order_lines, held: false })
    }

    /// What was captured, line by line. Where a capture did not say its lines, the order's own
    /// lines stand for all of it; the sum of money keeps the limit.
    fn captured_lines(&self) -> Vec<&OrderLine> {
        let untold = self.captures.iter().any(|capture| capture.order_lines.is_empty());
        if untold || self.captures.is_empty() {
            self.order_lines.iter().collect()
        } else {
            self.captures.iter().flat_map(|capture| &capture.order_lines).collect()
        }
    }

    /// Whether the order can be cancelled.
    pub fn check_cancel(&self, pending: &[Pending]) -> Result<(), Rejection> {
        let busy = pending.iter().any(|operation| operation.state.holds_amount());
        if self.status == Status::Authorized && self.amounts.captured.is_zero() && !busy {
            Ok(())
        } else {
            Err(self.rejected("cancelled", pending, "something was captured already"))
        }
    }

    /// Whether what remains can be released.
    pub fn check_release(&self, pending: &[Pending]) -> Result<(), Rejection> {
        let busy = pending.iter().any(|operation| match operation.kind {
            Kind::Refund | Kind::PlaceOrder => false,
            Kind::Capture | Kind::Cancel | Kind::Release => operation.state.holds_amount(),
        });
        let open = self.status == Status::PartCaptured && self.amounts.remaining.is_positive();
        if open && !busy {
            Ok(())
        } else {
            Err(self.rejected("released", pending, "only a part-captured payment has a rest"))
        }
    }

    fn rejected(&self, wanted: &'static str, pending: &[Pending], otherwise: &str) -> Rejection {
        let because = match pending.iter().find(|operation| operation.state.holds_amount()) {
            Some(operation) => format!(
                ": a {} is {}",
                operation.kind.name().replace('_', " "),
                operation.state.name().replace('_', " ")
            ),
            None if self.status.is_open() => format!(": {otherwise}"),
            None => String::new(),
        };
        Rejection::State { status: self.status.name(), wanted, because }
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
            self.fraud = fraud;
        }
        self.order_lines = order.order_lines;
        self.captures = order.captures;
        for capture in &mut self.captures {
            let known = before.captures.iter().find(|known| known.id == capture.id);
            capture.operation_id = known.and_then(|known| known.operation_id.clone());
        }
        self.refunds = order.refunds;
        for refund in &mut self.refunds {
            let known = before.refunds.iter().find(|known| known.id == refund.id);
            refund.operation_id = known.and_then(|known| known.operation_id.clone());
        }
        self.klarna_reference = order.klarna_reference.or(self.klarna_reference.take());
        self.method = order.method.or(self.method.take());
        self.expires_at_ms = order.expires_at_ms.or(self.expires_at_ms);
        if self.expires_at_ms != before.expires_at_ms {
            self.expiry_announced = false;
        }
        happened.extend(self.told_apart(&before));
        happened.extend(self.due_notices(now_ms));
        if happened.is_empty() && *self != before {
            happened.push(Happened::Updated);
        }
        happened
    }

    /// What an observer would say happened between two states of the mirror.
    fn told_apart(&self, before: &Self) -> Vec<Happened> {
        let mut happened = Vec::new();
        if before.fraud == Fraud::Pending {
            match self.fraud {
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
        if self.status != before.status {
            match self.status {
                Status::Cancelled => happened.push(Happened::Cancelled),
                Status::Expired => happened.push(Happened::Expired),
                Status::Closed => happened.push(Happened::Closed),
                Status::Authorized | Status::PartCaptured | Status::Captured => {}
            }
        }
        happened
    }

    /// Warnings that are due now: an expiry to come, a review that takes too long.
    fn due_notices(&mut self, now_ms: i64) -> Vec<Happened> {
        let mut happened = Vec::new();
        let soon = self.expires_at_ms.is_some_and(|at| now_ms >= at - EXPIRY_WARNING_MS);
        if self.status.is_open() && soon && !self.expiry_announced {
            self.expiry_announced = true;
            happened.push(Happened::ExpiresSoon);
        }
        let reviewed_since_ms = now_ms - self.created_at_ms;
        if self.fraud == Fraud::Pending
            && self.status.is_open()
            && (PENDING_LIMIT_MS..PENDING_LIMIT_MS + PENDING_CHECK_MS).contains(&reviewed_since_ms)
        {
            happened.push(Happened::FraudOverdue);
        }
        happened
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
        let expires_at_ms = self.expires_at_ms?;
        let warn_at_ms = expires_at_ms - EXPIRY_WARNING_MS;
        if !self.expiry_announced && now_ms < warn_at_ms {
            Some(warn_at_ms)
        } else if now_ms < expires_at_ms + AFTER_EXPIRY_MS {
            Some(expires_at_ms + AFTER_EXPIRY_MS)
        } else {
            // Klarna has not let it lapse yet: look again in a day.
            Some(now_ms + PENDING_LIMIT_MS)
        }
    }
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
    /// How the shopper pays.
    pub method: Option<Method>,
    /// The last moment for a capture.
    pub expires_at_ms: Option<i64>,
}

fn pending_sum(pending: &[Pending], kind: Kind) -> MinorUnits {
    MinorUnits::checked_sum(
        pending
            .iter()
            .filter(|operation| operation.kind == kind && operation.state.holds_amount())
            .map(|operation| operation.amount),
    )
    .unwrap_or(MinorUnits::MAX)
}

fn pending_lines(pending: &[Pending], kind: Kind) -> impl Iterator<Item = &OrderLine> {
    pending
        .iter()
        .filter(move |operation| operation.kind == kind && operation.state.holds_amount())
        .flat_map(|operation| &operation.order_lines)
}

fn agreed(amount: Option<MinorUnits>, order_lines: &[OrderLine]) -> Result<MinorUnits, Rejection> {
    let sum = lines::sum(order_lines).unwrap_or(MinorUnits::MAX);
    match amount {
        Some(amount) if amount != sum => Err(Rejection::LinesDiffer { amount, sum }),
        Some(_) | None => Ok(sum),
    }
}

fn within(amount: MinorUnits, limit: MinorUnits, what: &'static str) -> Result<(), Rejection> {
    if !amount.is_positive() {
        Err(Rejection::NotPositive(amount))
    } else if amount > limit {
        Err(Rejection::TooMuch { wanted: amount, limit, what })
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
