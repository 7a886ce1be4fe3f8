//! An order at Klarna: one authorisation, its captures and refunds, and everything that may
//! happen to it.
//!
//! * An [`Order`] is placed once ([`Order::place`]) and then only changes by its commands. Each takes
//!   the order and `now`, and gives a new order with what happened, or a [`Rejection`] and nothing
//!   changed.
//! * Time is a command too: [`Order::advance`] makes everything happen that was due. Every command
//!   starts with it, so that no caller can forget that an authorisation has run out.
//! * Amounts are kept once. What is captured is the sum of the captures, what remains is what is
//!   authorised and not captured while the order is open, and the [`Status`] follows from both.
//! * At every instant: 0 ≤ refunded ≤ captured ≤ authorised.
//!
//! It does not know HTTP, SQL, randomness or the clock, and never asks who is calling.

mod commands;
mod disputed;
mod effect;
mod event;
mod gate;
mod postings;
mod rejection;
pub(crate) mod rules;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use klarna_types::address::Address;
use klarna_types::customer::Customer;
use klarna_types::ids::{CaptureId, KlarnaReference, MerchantId, OrderId, RefundId};
use klarna_types::market::{Country, Currency, Locale};
use klarna_types::money::MinorUnits;
use klarna_types::order_line::OrderLine;
use klarna_types::order_management::{InitialPaymentMethod, ShippingInfo};
use klarna_types::payments::MerchantUrls;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::commands::{
    BillingAddress, CaptureCommand, DueDateExtension, NewReferences, NewShippingAddress,
    RefundCommand, RiskCheck, UpdateCommand,
};
pub(crate) use self::effect::Effect;
pub(crate) use self::event::{CancelledBy, Event, Happened};
#[cfg(test)]
use self::gate::Operation;
pub(crate) use self::gate::Status;
pub(crate) use self::rejection::{Code, Rejection};
use crate::domain::fraud::{Fraud, FraudPlan, Verdict};

/// What an order is placed with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewOrder {
    /// Whose order it is.
    pub(crate) merchant_id: MerchantId,
    /// What is bought.
    pub(crate) lines: Vec<OrderLine>,
    /// The total.
    pub(crate) amount: MinorUnits,
    /// Its currency.
    pub(crate) currency: Currency,
    /// Where it is bought.
    pub(crate) country: Country,
    /// The shopper's language.
    pub(crate) locale: Locale,
    /// Who pays.
    pub(crate) billing_address: Option<Address>,
    /// Where it goes, if elsewhere.
    pub(crate) shipping_address: Option<Address>,
    /// More about who pays.
    pub(crate) customer: Option<Customer>,
    /// The shop's order number.
    pub(crate) merchant_reference1: Option<String>,
    /// The shop's internal number.
    pub(crate) merchant_reference2: Option<String>,
    /// Free text of the shop.
    pub(crate) merchant_data: Option<String>,
    /// How the shopper chose to pay.
    pub(crate) initial_payment_method: InitialPaymentMethod,
    /// What will become of the fraud review.
    pub(crate) fraud: FraudPlan,
    /// The dispute that is raised once it is captured (`return`, `goods_not_received`, …), if any.
    pub(crate) dispute: Option<String>,
    /// Whether it is captured in full as soon as it is accepted.
    pub(crate) auto_capture: bool,
    /// For how many days an authorisation of this account lasts.
    pub(crate) authorization_days: u16,
    /// Where the shop wants to be called.
    pub(crate) merchant_urls: MerchantUrls,
    /// The short reference that the shopper sees; see [`klarna_reference`].
    pub(crate) klarna_reference: KlarnaReference,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    id: OrderId,
    merchant_id: MerchantId,
    klarna_reference: KlarnaReference,
    created_at: Timestamp,
    expires_at: Timestamp,
    authorization_days: u16,
    authorized: MinorUnits,
    original: MinorUnits,
    end: Option<End>,
    fraud: Fraud,
    /// The dispute that the shopper will raise, as the e-mail address asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dispute: Option<String>,
    auto_capture: AutoCapture,
    acknowledged_at: Option<Timestamp>,
    currency: Currency,
    country: Country,
    locale: Locale,
    lines: Vec<OrderLine>,
    billing_address: Option<Address>,
    shipping_address: Option<Address>,
    customer: Option<Customer>,
    merchant_reference1: Option<String>,
    merchant_reference2: Option<String>,
    merchant_data: Option<String>,
    initial_payment_method: InitialPaymentMethod,
    merchant_urls: MerchantUrls,
    captures: Vec<Capture>,
    refunds: Vec<Refund>,
    shipping_info: Vec<ShippingInfo>,
}

/// How an order stopped to be open other than by being captured in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// Called off.
    Cancelled,
    /// Ran out, and is called expired.
    Expired,
    /// Ran out after a capture, and is called closed.
    Closed,
    /// The rest was given back, or ran out, and the order is called captured.
    Released,
}

/// Whether the order captures itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AutoCapture {
    /// No, or it has done so already.
    No,
    /// Yes, once the review accepts it.
    WhenAccepted,
}

/// One capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Capture {
    pub(crate) id: CaptureId,
    pub(crate) klarna_reference: String,
    pub(crate) captured_at: Timestamp,
    pub(crate) amount: MinorUnits,
    /// What of it was given back: the sum of the refunds' shares.
    pub(crate) refunded: MinorUnits,
    pub(crate) description: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) billing_address: Option<Address>,
    pub(crate) shipping_address: Option<Address>,
    pub(crate) shipping_info: Vec<ShippingInfo>,
    pub(crate) due_date_extensions: Vec<DueDateExtension>,
}

/// One refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) refunded_at: Timestamp,
    pub(crate) amount: MinorUnits,
    pub(crate) description: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) lines: Vec<OrderLine>,
    /// From which captures it was taken, and how much from each.
    pub(crate) shares: Vec<(CaptureId, MinorUnits)>,
}

/// An order after a command, and what happened.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub(crate) struct Changed {
    /// The order as it is now.
    pub(crate) order: Order,
    /// What happened, in order. Empty: nothing changed.
    pub(crate) events: Vec<Event>,
}

/// Something that time brings to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The fraud review ends.
    FraudDecision,
    /// A rejected order was not captured in time.
    Overruled,
    /// The authorisation runs out.
    Expiry,
}

impl Order {
    /// Places an order. With `auto_capture` and no review it is captured in full already.
    pub(crate) fn place(id: OrderId, new: NewOrder, now: Timestamp) -> Self {
        let created_at = whole_milliseconds(now);
        let fraud = Fraud::starting(new.fraud);
        let order = Self {
            id,
            merchant_id: new.merchant_id,
            klarna_reference: new.klarna_reference,
            created_at,
            expires_at: midnight_after_days(created_at, i64::from(new.authorization_days)),
            authorization_days: new.authorization_days,
            authorized: new.amount,
            original: new.amount,
            end: None,
            fraud,
            dispute: new.dispute,
            auto_capture: if new.auto_capture {
                AutoCapture::WhenAccepted
            } else {
                AutoCapture::No
            },
            acknowledged_at: None,
            currency: new.currency,
            country: new.country,
            locale: new.locale,
            lines: new.lines,
            billing_address: new.billing_address,
            shipping_address: new.shipping_address,
            customer: new.customer.map(what_is_shown),
            merchant_reference1: new.merchant_reference1,
            merchant_reference2: new.merchant_reference2,
            merchant_data: new.merchant_data,
            initial_payment_method: new.initial_payment_method,
            merchant_urls: new.merchant_urls,
            captures: Vec::new(),
            refunds: Vec::new(),
            shipping_info: Vec::new(),
        };
        let mut placed = Changed { order, events: Vec::new() };
        placed.capture_automatically(created_at);
        placed.order.assert_invariants();
        placed.order
    }

    /// Makes everything happen that was due by `now`, in the order in which it was due.
    pub(crate) fn advance(self, now: Timestamp) -> Changed {
        let mut changed = Changed { order: self, events: Vec::new() };
        // Each round takes away the thing it was due for, so the rounds are few.
        while let Some((at, due)) = changed.order.next_due().filter(|(at, _)| *at <= now) {
            changed.let_happen(due, at);
        }
        changed.order.assert_invariants();
        changed
    }

    /// When time will next change this order, if ever.
    pub(crate) fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due().map(|(at, _)| at)
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let decision = self.fraud.decision_due_at().map(|at| (at, Due::FraudDecision));
        let overruled = self
            .fraud
            .overrule_ends_at()
            .filter(|_| self.status() == Status::Authorized)
            .map(|at| (at, Due::Overruled));
        let expiry = self.status().is_open().then_some((self.expires_at, Due::Expiry));
        [decision, overruled, expiry].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Where the order stands.
    pub(crate) fn status(&self) -> Status {
        match self.end {
            Some(End::Cancelled) => Status::Cancelled,
            Some(End::Expired) => Status::Expired,
            Some(End::Closed) => Status::Closed,
            None if self.captures.is_empty() => Status::Authorized,
            None if self.captured() < self.authorized => Status::PartCaptured,
            None | Some(End::Released) => Status::Captured,
        }
    }

    /// The order's id.
    pub(crate) fn id(&self) -> &OrderId {
        &self.id
    }

    /// Whose order it is.
    pub(crate) fn merchant_id(&self) -> &MerchantId {
        &self.merchant_id
    }

    /// When it was placed.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The last moment for a capture.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Until when the order can be read.
    pub(crate) fn readable_until(&self) -> Timestamp {
        self.created_at
            .to_zoned(TimeZone::UTC)
            .checked_add(rules::READABLE_YEARS.years())
            .map_or(Timestamp::MAX, |until| until.timestamp())
    }

    /// The currency of all its amounts.
    pub(crate) fn currency(&self) -> &Currency {
        &self.currency
    }

    /// What is authorised now.
    pub(crate) fn authorized(&self) -> MinorUnits {
        self.authorized
    }

    /// What was authorised when it was placed.
    pub(crate) fn original(&self) -> MinorUnits {
        self.original
    }

    /// What is captured: the sum of the captures.
    pub(crate) fn captured(&self) -> MinorUnits {
        total(self.captures.iter().map(|capture| capture.amount))
    }

    /// What is refunded: the sum of the refunds.
    pub(crate) fn refunded(&self) -> MinorUnits {
        total(self.refunds.iter().map(|refund| refund.amount))
    }

    /// What can still be captured.
    pub(crate) fn remaining(&self) -> MinorUnits {
        if self.status().is_open() {
            less(self.authorized, self.captured())
        } else {
            MinorUnits::ZERO
        }
    }

    /// What can still be refunded.
    pub(crate) fn refundable(&self) -> MinorUnits {
        less(self.captured(), self.refunded())
    }

    /// Whether the shop has said, or shown by a capture, that it has the order.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.acknowledged_at.is_some()
    }

    /// What has happened by placing it.
    pub(crate) fn first_events(&self) -> Vec<Event> {
        let placed = Happened::Placed { amount: self.original };
        let mut events = vec![Event { at: self.created_at, what: placed }];
        events.extend(self.captures.iter().map(|capture| Event {
            at: capture.captured_at,
            what: Happened::Captured { capture_id: capture.id.clone(), amount: capture.amount },
        }));
        events
    }

    /// Checks what must hold at every instant. The answer names what does not.
    pub(crate) fn broken_invariant(&self) -> Option<&'static str> {
        let (captured, refunded) = (self.captured(), self.refunded());
        let shares = total(self.captures.iter().map(|capture| capture.refunded));
        let status = self.status();
        let held = [
            (self.authorized >= MinorUnits::ZERO, "authorised is not negative"),
            (captured <= self.authorized, "captured ≤ authorised"),
            (refunded <= captured, "refunded ≤ captured"),
            (shares == refunded, "captures and refunds agree on what was refunded"),
            (
                self.captures.iter().all(|capture| {
                    capture.amount.is_positive()
                        && !capture.refunded.is_negative()
                        && capture.refunded <= capture.amount
                }),
                "no capture gives back more than it took",
            ),
            (
                self.refunds.iter().all(|refund| {
                    refund.amount.is_positive()
                        && total(refund.shares.iter().map(|(_, share)| *share)) == refund.amount
                }),
                "the shares of a refund add up to it",
            ),
            (
                match status {
                    Status::Authorized | Status::Cancelled => self.captures.is_empty(),
                    Status::PartCaptured | Status::Captured | Status::Closed => {
                        !self.captures.is_empty()
                    }
                    Status::Expired => true,
                },
                "the status agrees with the captures",
            ),
        ];
        held.into_iter().find(|(holds, _)| !holds).map(|(_, name)| name)
    }

    fn assert_invariants(&self) {
        debug_assert_eq!(self.broken_invariant(), None);
    }
}

impl Changed {
    fn record(&mut self, at: Timestamp, what: Happened) {
        self.events.push(Event { at, what });
    }

    fn let_happen(&mut self, due: Due, at: Timestamp) {
        match due {
            Due::FraudDecision => {
                let Some((fraud, verdict)) = self.order.fraud.decided() else {
                    return;
                };
                self.order.fraud = fraud;
                self.record(at, Happened::FraudDecided { verdict });
                match verdict {
                    Verdict::Accepted => self.capture_automatically(at),
                    Verdict::Rejected => self.order.auto_capture = AutoCapture::No,
                }
            }
            Due::Overruled => {
                self.order.end = Some(End::Cancelled);
                self.record(at, Happened::Cancelled { by: CancelledBy::Klarna });
            }
            Due::Expiry => {
                let amount = self.order.remaining();
                self.order.end =
                    Some(match (self.order.status(), rules::PART_CAPTURED_ON_EXPIRY) {
                        (Status::PartCaptured, rules::PartCapturedOnExpiry::Closed) => End::Closed,
                        (Status::PartCaptured, rules::PartCapturedOnExpiry::Captured) => {
                            End::Released
                        }
                        _ => End::Expired,
                    });
                self.record(at, Happened::Expired { amount });
            }
        }
    }

    /// Captures everything if that was agreed and nothing stands against it.
    fn capture_automatically(&mut self, at: Timestamp) {
        let order = &mut self.order;
        if order.auto_capture != AutoCapture::WhenAccepted || order.fraud != Fraud::Accepted {
            return;
        }
        order.auto_capture = AutoCapture::No;
        let amount = order.remaining();
        if !amount.is_positive() {
            return;
        }
        // The id has to come from somewhere, and there is one automatic capture in an order.
        let name = format!("{}/captures/automatic", order.id);
        let id = CaptureId::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string());
        let lines = order.lines.clone();
        self.add_capture(CaptureCommand { lines, ..CaptureCommand::of(id, amount) }, at);
    }

    /// Adds a capture that has been found to be allowed.
    fn add_capture(&mut self, command: CaptureCommand, at: Timestamp) {
        let order = &mut self.order;
        let number = order.captures.len() + 1;
        let capture = Capture {
            id: command.id,
            klarna_reference: format!("{}-{number}", order.klarna_reference),
            captured_at: at,
            amount: command.amount,
            refunded: MinorUnits::ZERO,
            description: command.description,
            reference: command.reference,
            lines: command.lines,
            billing_address: order.billing_address.clone(),
            shipping_address: order.shipping_address.clone(),
            shipping_info: command.shipping_info,
            due_date_extensions: Vec::new(),
        };
        let what = Happened::Captured { capture_id: capture.id.clone(), amount: capture.amount };
        order.captures.push(capture);
        self.record(at, what);
    }
}

/// A short reference as Klarna's look, from any random number.
pub(crate) fn klarna_reference(random: u64) -> KlarnaReference {
    // RFC 4648's base 32 without the letters and digits that people mix up.
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let reference: String = (0..8_u32)
        .filter_map(|place| {
            let digit = usize::try_from((random >> (5 * place)) & 31).ok()?;
            ALPHABET.get(digit).copied().map(char::from)
        })
        .collect();
    KlarnaReference::new(reference)
}

/// What an order shows of its customer. It keeps no more: neither tokens nor other numbers.
fn what_is_shown(customer: Customer) -> Customer {
    Customer {
        date_of_birth: customer.date_of_birth,
        national_identification_number: customer.national_identification_number,
        ..Customer::default()
    }
}

/// The sum of amounts of one order. They are bounded by its authorisation, so that an overflow
/// cannot be; should it, the sum is too large for every check that follows.
fn total(amounts: impl Iterator<Item = MinorUnits>) -> MinorUnits {
    MinorUnits::checked_sum(amounts).unwrap_or(MinorUnits::MAX)
}

/// The difference, or nothing at all.
fn less(amount: MinorUnits, other: MinorUnits) -> MinorUnits {
    amount.checked_sub(other).filter(|rest| !rest.is_negative()).unwrap_or(MinorUnits::ZERO)
}

/// Klarna's times have milliseconds; what is finer would be lost on the way through the database.
fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// Midnight, UTC, so many days after the day of `time`.
fn midnight_after_days(time: Timestamp, days: i64) -> Timestamp {
    let date = time.to_zoned(TimeZone::UTC).date();
    date.checked_add(days.days())
        .ok()
        .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}
