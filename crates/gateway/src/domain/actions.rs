//! What can be done with a payment now, up to which amount and until when; and if not, why not.
//!
//! Rules kept here: an action is offered exactly when it would be accepted; what operations on their
//! way have asked for is not given away twice; amounts come from what is recorded; a payment whose
//! risk Klarna refused is captured only by who says so, within Klarna's four hours. What Klarna's
//! documentation says about methods and countries is in [`super::limits`].

use klarna_types::{MinorUnits, OrderLine, OrderLineType, TaxRate};
use serde::Serialize;

use super::change::Change;
use super::lines::{self, Wanted};
use super::operation::{Kind, State};
use super::payment::{Capture, Fraud, Payment, Status, minus};
use super::{cart, limits};

/// An operation on the payment that may still take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What it asks for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Whether it waits for Klarna's decision about fraud, so that nothing was asked for yet.
    pub held: bool,
    /// The amount of a capture or refund, or the new total of the authorisation.
    pub amount: MinorUnits,
    /// Its lines.
    pub order_lines: Vec<OrderLine>,
    /// The capture it is about, where it is about one.
    pub capture_id: Option<String>,
}

/// Something that can be done with the payment now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What.
    pub action: Kind,
    /// At least how much, for the new total of an authorisation.
    pub min_amount: Option<MinorUnits>,
    /// At most how much, for a capture, a refund or the new total of an authorisation.
    pub max_amount: Option<MinorUnits>,
    /// Until when, as far as that is known.
    pub until_ms: Option<i64>,
    /// Set when it is accepted now but carried out only once Klarna has decided about fraud.
    pub waits_for_fraud_decision: bool,
    /// Set when the refund may keep back a return fee.
    pub return_fee: bool,
    /// The captures that it can be done to, where it is done to one.
    pub capture_ids: Vec<String>,
}

/// Something that cannot be done with the payment now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// What.
    pub action: Kind,
    /// Why not: what asking for it would be answered.
    pub because: Rejection,
}

/// What a capture or refund is asked to be. Neither amount nor lines: everything that is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// So much.
    pub amount: Option<MinorUnits>,
    /// These lines.
    pub lines: Option<Vec<Wanted>>,
}

/// Who bears the risk of a capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Risk {
    /// Klarna, having accepted it.
    #[default]
    Klarna,
    /// The merchant, who overrules Klarna's refusal.
    Merchant,
}

/// What a refund takes off for the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnFee {
    /// How much, more than 0.
    pub amount: MinorUnits,
    /// What the shopper reads.
    pub name: String,
    /// The tax in it.
    pub tax_rate: TaxRate,
}

/// What a refund is asked to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundShare {
    /// What of the goods is given back.
    pub share: Share,
    /// Of this capture alone.
    pub capture_id: Option<String>,
    /// What is kept back.
    pub return_fee: Option<ReturnFee>,
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

/// What an authorisation is asked to become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAuthorization {
    /// The new total; the sum of the lines, if they are given.
    pub amount: Option<MinorUnits>,
    /// The new lines; those there are, with an adjustment, if only the amount is given.
    pub lines: Option<(cart::PricesMode, Vec<cart::LineInput>)>,
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
    /// Its time is over, or will be found to be.
    #[error("the authorisation has lapsed")]
    Lapsed,
    /// Too old to be extended.
    #[error("an authorisation can be extended until 180 days after the purchase")]
    TooOld,
    /// Klarna refused the risk.
    #[error("Klarna refused the risk of this payment: do not ship")]
    FraudRejected {
        /// Until when a capture overrules that, as far as it is known.
        overrule_until_ms: Option<i64>,
    },
    /// The payment method or the country does not know it.
    #[error("Klarna does not offer that for {method} in {country}")]
    NotOffered {
        /// The payment method.
        method: String,
        /// Where the shopper bought.
        country: String,
    },
    /// There is no such capture.
    #[error("the payment has no capture {0:.80}")]
    NoCapture(String),
    /// A refund cannot keep back a fee.
    #[error("return_fee: {0}")]
    ReturnFee(&'static str),
    /// More than there is.
    #[error("amount: {wanted} is more than the {limit} that can be {what}")]
    TooMuch {
        /// What was asked for.
        wanted: MinorUnits,
        /// What there is.
        limit: MinorUnits,
        /// `captured`, `refunded` or `authorised`.
        what: &'static str,
    },
    /// Less than there must be.
    #[error("amount: {wanted} is less than {limit}, which is captured or on its way to be")]
    TooLittle {
        /// What was asked for.
        wanted: MinorUnits,
        /// What there must be.
        limit: MinorUnits,
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
    /// A line of a new cart is wrong.
    #[error(transparent)]
    Cart(#[from] cart::Problem),
    /// Something needed is missing.
    #[error("{member}: {detail}")]
    Missing {
        /// The member of the request.
        member: &'static str,
        /// What is missing.
        detail: &'static str,
    },
}

/// What the gateway calls the line that makes the lines add up to a new total.
const ADJUSTMENT: &str = "adjustment";
/// What it calls the line of a return fee.
const RETURN_FEE: &str = "return-fee";

impl Payment {
    /// What can be captured once everything pending is done.
    pub fn capturable(&self, pending: &[Pending]) -> MinorUnits {
        if is_closing(pending) || !self.status.is_open() {
            return MinorUnits::ZERO;
        }
        // A lower total that is on its way may come first.
        let lowest = pending
            .iter()
            .filter(|operation| is_update(operation) && operation.state.holds_amount())
            .map(|operation| minus(operation.amount, self.amounts.captured))
            .min();
        let remaining = lowest.map_or(self.amounts.remaining, |to| to.min(self.amounts.remaining));
        minus(remaining, pending_sum(pending, Kind::Capture))
    }

    /// What can be refunded once everything pending is done.
    pub fn refundable(&self, pending: &[Pending]) -> MinorUnits {
        if self.has_captures() {
            minus(self.amounts.refundable(), pending_sum(pending, Kind::Refund))
        } else {
            MinorUnits::ZERO
        }
    }

    /// Whether it has captures in a state in which something can be done with them.
    fn has_captures(&self) -> bool {
        match self.status {
            Status::PartCaptured | Status::Captured | Status::Closed => true,
            Status::Authorized | Status::Cancelled | Status::Expired => false,
        }
    }

    fn method_name(&self) -> Option<&str> {
        self.method.as_ref().map(|method| method.kind.as_str())
    }

    fn not_offered(&self) -> Rejection {
        Rejection::NotOffered {
            method: self.method_name().unwrap_or("this payment method").to_owned(),
            country: self.country.clone(),
        }
    }

    /// What can be done now, with limits, and what cannot, with the reason.
    pub fn actions(&self, pending: &[Pending], now_ms: i64) -> (Vec<Action>, Vec<Unavailable>) {
        let (mut offered, mut refused) = (Vec::new(), Vec::new());
        for action in Kind::ALL {
            match self.action(action, pending, now_ms) {
                Some(Ok(action)) => offered.push(action),
                Some(Err(because)) => refused.push(Unavailable { action, because }),
                None => {}
            }
        }
        (offered, refused)
    }

    /// Whether one thing can be done, and within which limits; `None` for what is not done to a
    /// payment.
    fn action(
        &self,
        action: Kind,
        pending: &[Pending],
        now_ms: i64,
    ) -> Option<Result<Action, Rejection>> {
        let plain = Action {
            action,
            min_amount: None,
            max_amount: None,
            until_ms: self.expires_at_ms,
            waits_for_fraud_decision: false,
            return_fee: false,
            capture_ids: Vec::new(),
        };
        Some(match action {
            Kind::PlaceOrder | Kind::CreateToken | Kind::Charge | Kind::CancelToken => return None,
            Kind::Capture => {
                self.check_capture(pending, Risk::Klarna, now_ms).map(|limit| Action {
                    max_amount: Some(limit),
                    waits_for_fraud_decision: self.fraud == Fraud::Pending,
                    ..plain
                })
            }
            Kind::Refund => self.check_refund(pending).map(|limit| Action {
                max_amount: Some(limit),
                until_ms: None,
                return_fee: self.check_return_fee().is_ok(),
                capture_ids: self.addressable(pending),
                ..plain
            }),
            Kind::Cancel => self.check_cancel(pending, now_ms).map(|()| plain),
            Kind::Release => self.check_release(pending, now_ms).map(|()| plain),
            Kind::Change(change) => self.change_action(change, pending, now_ms, plain),
        })
    }

    fn change_action(
        &self,
        change: Change,
        pending: &[Pending],
        now_ms: i64,
        plain: Action,
    ) -> Result<Action, Rejection> {
        match change {
            Change::UpdateAuthorization => {
                self.check_update(pending, now_ms).map(|(least, most)| Action {
                    min_amount: Some(least),
                    max_amount: Some(most),
                    ..plain
                })
            }
            Change::ExtendAuthorization => {
                self.check_extend(pending, now_ms).map(|until_ms| Action { until_ms, ..plain })
            }
            Change::UpdateCustomer => self.check_customer(pending, now_ms).map(|()| plain),
            Change::UpdateReferences => {
                self.check_references(pending).map(|()| Action { until_ms: None, ..plain })
            }
            Change::AddShippingInfo => {
                let capture_ids = if self.has_captures() { self.capture_ids() } else { Vec::new() };
                Ok(Action { until_ms: None, capture_ids, ..plain })
            }
            Change::ResendCommunication => self.check_captures("reminded of").map(|()| Action {
                until_ms: None,
                capture_ids: self.capture_ids(),
                ..plain
            }),
            Change::ExtendDueDate => self.check_due_dates().map(|capture_ids| Action {
                until_ms: None,
                capture_ids,
                ..plain
            }),
            Change::Acknowledge => {
                self.check_acknowledge().map(|()| Action { until_ms: None, ..plain })
            }
        }
    }

    fn capture_ids(&self) -> Vec<String> {
        self.captures.iter().map(|capture| capture.id.clone()).collect()
    }

    /// The capture of that id, if something can be done with it.
    pub fn capture(&self, id: &str) -> Result<&Capture, Rejection> {
        self.captures
            .iter()
            .find(|capture| capture.id == id)
            .ok_or_else(|| Rejection::NoCapture(id.to_owned()))
    }

    /// Whether it is open and nothing is about to close it.
    fn check_open(
        &self,
        wanted: &'static str,
        pending: &[Pending],
        now_ms: i64,
    ) -> Result<(), Rejection> {
        if !self.status.is_open() || is_closing(pending) {
            return Err(self.rejected(wanted, pending, "it is about to be closed"));
        }
        if self.expires_at_ms.is_some_and(|at_ms| now_ms >= at_ms) {
            return Err(Rejection::Lapsed);
        }
        Ok(())
    }

    /// Whether the same change is on its way: of what is set, only one at a time.
    fn check_alone(
        &self,
        change: Change,
        wanted: &'static str,
        pending: &[Pending],
    ) -> Result<(), Rejection> {
        let kind = Kind::Change(change);
        if pending.iter().any(|each| each.kind == kind && each.state.holds_amount()) {
            return Err(self.rejected(wanted, pending, "the same change is on its way"));
        }
        Ok(())
    }

    /// What can be captured.
    pub fn check_capture(
        &self,
        pending: &[Pending],
        risk: Risk,
        now_ms: i64,
    ) -> Result<MinorUnits, Rejection> {
        let limit = self.capturable(pending);
        if limit.is_zero() {
            return Err(self.rejected("captured", pending, "nothing remains to be captured"));
        }
        self.check_open("captured", pending, now_ms)?;
        match &self.fraud {
            Fraud::Accepted | Fraud::Pending => {}
            Fraud::Rejected | Fraud::Other(_) => {
                let until_ms =
                    self.fraud_decided_at_ms.map(|at_ms| at_ms + limits::OVERRULABLE_FOR_MS);
                let is_over = until_ms.is_some_and(|until_ms| now_ms >= until_ms);
                if risk == Risk::Klarna || is_over {
                    let overrule_until_ms = until_ms.filter(|_| !is_over);
                    return Err(Rejection::FraudRejected { overrule_until_ms });
                }
            }
        }
        Ok(limit)
    }

    /// Plans a capture.
    pub fn plan_capture(
        &self,
        pending: &[Pending],
        share: &Share,
        risk: Risk,
        now_ms: i64,
    ) -> Result<Planned, Rejection> {
        let limit = self.check_capture(pending, risk, now_ms)?;
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

    /// What can be refunded.
    pub fn check_refund(&self, pending: &[Pending]) -> Result<MinorUnits, Rejection> {
        let limit = self.refundable(pending);
        if limit.is_zero() {
            return Err(self.rejected("refunded", pending, "nothing captured is left to refund"));
        }
        Ok(limit)
    }

    /// The captures of which something can be given back by name.
    fn addressable(&self, pending: &[Pending]) -> Vec<String> {
        self.captures
            .iter()
            .filter(|capture| left_of(capture, pending).is_positive())
            .map(|capture| capture.id.clone())
            .collect()
    }

    /// Whether a refund may keep back a return fee.
    fn check_return_fee(&self) -> Result<(), Rejection> {
        if !limits::may_keep_return_fee(&self.country) {
            Err(Rejection::ReturnFee("is not offered in this country"))
        } else if self.status != Status::Captured || self.captures.len() != 1 {
            Err(Rejection::ReturnFee("is possible only after one capture of the whole order"))
        } else {
            Ok(())
        }
    }

    /// Plans a refund.
    pub fn plan_refund(
        &self,
        pending: &[Pending],
        wanted: &RefundShare,
    ) -> Result<Planned, Rejection> {
        let mut limit = self.check_refund(pending)?;
        let everything = self.captured_lines();
        let given_back = self.given_back(pending, None);
        let (mut captured, mut taken) = (everything.clone(), given_back.clone());
        if let Some(id) = &wanted.capture_id {
            let capture = self.capture(id)?;
            limit = limit.min(left_of(capture, pending));
            captured = capture.order_lines.iter().collect();
            taken = self.given_back(pending, Some(id));
        }
        let share = &wanted.share;
        let (goods, mut order_lines) = match (&share.lines, share.amount) {
            (Some(units), amount) => {
                // Of the one capture that was named, and of all there is.
                lines::give_back_units(&self.order_lines, &everything, &given_back, units)?;
                let order_lines =
                    lines::give_back_units(&self.order_lines, &captured, &taken, units)?;
                (agreed(amount, &order_lines)?, order_lines)
            }
            (None, amount) => {
                let goods = amount.unwrap_or(limit);
                within(goods, limit, "refunded")?;
                (goods, lines::give_back_amount(&captured, &taken, goods))
            }
        };
        within(goods, limit, "refunded")?;
        let mut amount = goods;
        if let Some(fee) = &wanted.return_fee {
            self.check_return_fee()?;
            amount = less_fee(goods, fee)?;
            if order_lines.is_empty() {
                let detail = "name the lines: Klarna wants lines that add up to the refund";
                return Err(Rejection::Missing { member: "lines", detail });
            }
            order_lines.push(fee_line(fee));
        }
        Ok(Planned { amount, order_lines, held: false })
    }

    /// What was given back, or is on its way to be, line by line; of all captures, or by name of one.
    fn given_back<'a>(
        &'a self,
        pending: &'a [Pending],
        capture_id: Option<&str>,
    ) -> Vec<&'a OrderLine> {
        let counts =
            |of: Option<&String>| capture_id.is_none_or(|id| of.is_some_and(|of| of == id));
        let refunds = self.refunds.iter().filter(|refund| counts(refund.capture_id.as_ref()));
        let mut taken: Vec<&OrderLine> = refunds.flat_map(|refund| &refund.order_lines).collect();
        let on_their_way = pending.iter().filter(|operation| {
            operation.kind == Kind::Refund
                && operation.state.holds_amount()
                && counts(operation.capture_id.as_ref())
        });
        taken.extend(on_their_way.flat_map(|operation| &operation.order_lines));
        taken
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

    /// Whether the order can be cancelled. Captures that wait for Klarna's decision about fraud do
    /// not stand in the way: nothing was asked for yet, and the cancellation ends them.
    pub fn check_cancel(&self, pending: &[Pending], now_ms: i64) -> Result<(), Rejection> {
        let busy = pending.iter().any(|operation| match operation.kind {
            Kind::Capture | Kind::Refund | Kind::Cancel | Kind::Release => {
                operation.state.holds_amount() && !operation.held
            }
            Kind::Change(Change::UpdateAuthorization) => operation.state.holds_amount(),
            Kind::PlaceOrder
            | Kind::Change(_)
            | Kind::CreateToken
            | Kind::Charge
            | Kind::CancelToken => false,
        });
        if self.status == Status::Authorized && self.amounts.captured.is_zero() && !busy {
            self.check_open("cancelled", pending, now_ms)
        } else {
            Err(self.rejected("cancelled", pending, "something was captured already"))
        }
    }

    /// Whether what remains can be released.
    pub fn check_release(&self, pending: &[Pending], now_ms: i64) -> Result<(), Rejection> {
        let busy = pending.iter().any(|operation| match operation.kind {
            Kind::Capture
            | Kind::Cancel
            | Kind::Release
            | Kind::Change(Change::UpdateAuthorization) => operation.state.holds_amount(),
            Kind::Refund
            | Kind::PlaceOrder
            | Kind::Change(_)
            | Kind::CreateToken
            | Kind::Charge
            | Kind::CancelToken => false,
        });
        let open = self.status == Status::PartCaptured && self.amounts.remaining.is_positive();
        if open && !busy {
            self.check_open("released", pending, now_ms)
        } else {
            Err(self.rejected("released", pending, "only a part-captured payment has a rest"))
        }
    }

    /// Between which totals the authorisation can be moved.
    pub fn check_update(
        &self,
        pending: &[Pending],
        now_ms: i64,
    ) -> Result<(MinorUnits, MinorUnits), Rejection> {
        self.check_open("changed", pending, now_ms)?;
        self.check_alone(Change::UpdateAuthorization, "changed", pending)?;
        let least = self
            .amounts
            .captured
            .checked_add(pending_sum(pending, Kind::Capture))
            .unwrap_or(MinorUnits::MAX)
            .max(MinorUnits::new(1));
        let most = if limits::may_raise(self.method_name(), &self.country) {
            MinorUnits::new(limits::LARGEST_ORDER_MINOR)
        } else {
            self.amounts.authorized
        };
        Ok((least, most))
    }

    /// Plans a new total with its lines.
    pub fn plan_update(
        &self,
        pending: &[Pending],
        wanted: &NewAuthorization,
        now_ms: i64,
    ) -> Result<(MinorUnits, Vec<OrderLine>), Rejection> {
        let (least, most) = self.check_update(pending, now_ms)?;
        let (amount, order_lines) = match (&wanted.lines, wanted.amount) {
            (None, None) => {
                let detail = "say the new total, or the new lines";
                return Err(Rejection::Missing { member: "amount", detail });
            }
            (None, Some(amount)) => (amount, adjusted(&self.order_lines, amount)?),
            (Some((prices, inputs)), amount) => {
                let cart = cart::build(cart::Wish {
                    merchant_reference: self.merchant_reference.clone(),
                    country: self.country.clone(),
                    locale: self.locale.clone(),
                    currency: None,
                    prices: *prices,
                    lines: inputs.clone(),
                })?;
                (agreed(amount, &cart.order_lines)?, cart.order_lines)
            }
        };
        if amount > most && most == self.amounts.authorized {
            return Err(self.not_offered());
        }
        if !amount.is_positive() {
            return Err(Rejection::NotPositive(amount));
        }
        if amount > most {
            return Err(Rejection::TooMuch { wanted: amount, limit: most, what: "authorised" });
        }
        if amount < least {
            return Err(Rejection::TooLittle { wanted: amount, limit: least });
        }
        Ok((amount, order_lines))
    }

    /// Whether the authorisation can be extended, and until when that can be asked for.
    pub fn check_extend(&self, pending: &[Pending], now_ms: i64) -> Result<Option<i64>, Rejection> {
        self.check_open("extended", pending, now_ms)?;
        self.check_alone(Change::ExtendAuthorization, "extended", pending)?;
        if !limits::may_extend(self.method_name(), &self.country) {
            return Err(self.not_offered());
        }
        let latest_ms = self.created_at_ms + limits::EXTENDABLE_FOR_MS;
        if now_ms >= latest_ms {
            return Err(Rejection::TooOld);
        }
        Ok(Some(self.expires_at_ms.map_or(latest_ms, |at_ms| at_ms.min(latest_ms))))
    }

    /// Whether the customer's details can be changed.
    pub fn check_customer(&self, pending: &[Pending], now_ms: i64) -> Result<(), Rejection> {
        self.check_open("sent elsewhere", pending, now_ms)?;
        self.check_alone(Change::UpdateCustomer, "sent elsewhere", pending)
    }

    /// Whether the references can be changed.
    pub fn check_references(&self, pending: &[Pending]) -> Result<(), Rejection> {
        if self.status == Status::Cancelled {
            return Err(self.rejected("renamed", pending, "it is cancelled"));
        }
        self.check_alone(Change::UpdateReferences, "renamed", pending)
    }

    /// Whether there are captures with which something can be done.
    pub fn check_captures(&self, wanted: &'static str) -> Result<(), Rejection> {
        if self.has_captures() && !self.captures.is_empty() {
            Ok(())
        } else {
            Err(self.rejected(wanted, &[], "nothing is captured"))
        }
    }

    /// The captures whose due date may be moved. Which days Klarna offers for them is asked of it.
    pub fn check_due_dates(&self) -> Result<Vec<String>, Rejection> {
        self.check_captures("paid later")?;
        if !limits::may_move_due_date(self.method_name(), &self.country) {
            return Err(self.not_offered());
        }
        let open: Vec<_> = self
            .captures
            .iter()
            .filter(|capture| capture.refunded < capture.amount)
            .map(|capture| capture.id.clone())
            .collect();
        if open.is_empty() || !self.amounts.refundable().is_positive() {
            return Err(self.rejected("paid later", &[], "everything captured was given back"));
        }
        Ok(open)
    }

    /// Whether Klarna can be told that the shop has the order.
    pub fn check_acknowledge(&self) -> Result<(), Rejection> {
        match self.status {
            Status::Authorized | Status::PartCaptured | Status::Captured => Ok(()),
            Status::Cancelled | Status::Expired | Status::Closed => {
                Err(self.rejected("acknowledged", &[], "it is over"))
            }
        }
    }

    fn rejected(&self, wanted: &'static str, pending: &[Pending], otherwise: &str) -> Rejection {
        let on_its_way = pending.iter().find(|operation| operation.state.holds_amount());
        let because = match on_its_way {
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
}

fn is_closing(pending: &[Pending]) -> bool {
    pending.iter().any(|operation| match operation.kind {
        Kind::Cancel | Kind::Release => operation.state.holds_amount(),
        Kind::PlaceOrder
        | Kind::Capture
        | Kind::Refund
        | Kind::Change(_)
        | Kind::CreateToken
        | Kind::Charge
        | Kind::CancelToken => false,
    })
}

fn is_update(operation: &Pending) -> bool {
    operation.kind == Kind::Change(Change::UpdateAuthorization)
}

fn pending_sum(pending: &[Pending], kind: Kind) -> MinorUnits {
    sum_of(pending.iter().filter(|operation| operation.kind == kind))
}

fn sum_of<'a>(pending: impl Iterator<Item = &'a Pending>) -> MinorUnits {
    let holding = pending.filter(|operation| operation.state.holds_amount());
    MinorUnits::checked_sum(holding.map(|operation| operation.amount)).unwrap_or(MinorUnits::MAX)
}

fn pending_lines(pending: &[Pending], kind: Kind) -> impl Iterator<Item = &OrderLine> {
    pending
        .iter()
        .filter(move |operation| operation.kind == kind && operation.state.holds_amount())
        .flat_map(|operation| &operation.order_lines)
}

/// What is left of a capture, refunds of it by name included.
fn left_of(capture: &Capture, pending: &[Pending]) -> MinorUnits {
    let of_it = pending.iter().filter(|operation| {
        operation.kind == Kind::Refund && operation.capture_id.as_deref() == Some(&capture.id)
    });
    minus(minus(capture.amount, capture.refunded), sum_of(of_it))
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

/// What is given back once the fee is taken off.
fn less_fee(goods: MinorUnits, fee: &ReturnFee) -> Result<MinorUnits, Rejection> {
    if !fee.amount.is_positive() {
        return Err(Rejection::ReturnFee("must be more than 0"));
    }
    goods
        .checked_sub(fee.amount)
        .filter(|amount| amount.is_positive())
        .ok_or(Rejection::ReturnFee("must be less than what is given back"))
}

/// The line that keeps back a fee: one unit with a negative price.
fn fee_line(fee: &ReturnFee) -> OrderLine {
    let off = MinorUnits::ZERO.checked_sub(fee.amount).unwrap_or(MinorUnits::ZERO);
    let tax = klarna_types::arithmetic::tax_included(off, fee.tax_rate);
    let mut line =
        OrderLine::new(&fee.name, 1, off, off).reference(RETURN_FEE).kind(OrderLineType::ReturnFee);
    line.tax_rate = Some(fee.tax_rate);
    line.total_tax_amount = Some(tax);
    line
}

/// The lines there are, and one that makes them add up to a new total. An adjustment of before
/// gives way to the new one.
fn adjusted(order_lines: &[OrderLine], amount: MinorUnits) -> Result<Vec<OrderLine>, Rejection> {
    let mut kept: Vec<OrderLine> = order_lines
        .iter()
        .filter(|line| line.reference.as_deref() != Some(ADJUSTMENT))
        .cloned()
        .collect();
    let sum = lines::sum(&kept).unwrap_or(MinorUnits::MAX);
    let by = amount.checked_sub(sum).ok_or(Rejection::NotPositive(amount))?;
    if !by.is_zero() {
        let kind =
            if by.is_negative() { OrderLineType::Discount } else { OrderLineType::Surcharge };
        let mut line = OrderLine::new("Adjustment", 1, by, by).reference(ADJUSTMENT).kind(kind);
        line.tax_rate = Some(TaxRate::ZERO);
        line.total_tax_amount = Some(MinorUnits::ZERO);
        kept.push(line);
    }
    Ok(kept)
}

#[cfg(test)]
#[path = "actions_tests.rs"]
mod tests;
