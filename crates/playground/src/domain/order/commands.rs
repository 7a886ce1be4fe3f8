//! What a merchant can do to an order. Each command first lets the time pass, then asks the table of
//! operations and statuses, then its own rules, and only then changes anything.

use jiff::{Timestamp, ToSpan as _};
use klarna_types::address::Address;
use klarna_types::ids::{CaptureId, RefundId};
use klarna_types::market::Country;
use klarna_types::money::MinorUnits;
use klarna_types::order_line::{OrderLine, OrderLineType};
use klarna_types::order_management::ShippingInfo;
use serde::{Deserialize, Serialize};

use super::gate::{Gate, Operation, Status, gate};
use super::rejection::{Rejection, ReturnFeeCondition};
use super::{
    CancelledBy, Capture, Changed, End, Happened, Order, Refund, less, midnight_after_days, rules,
    total, whole_milliseconds,
};
use crate::domain::content;
use crate::domain::due_date::{self, FreeExtension, Offer};
use crate::domain::fraud::Fraud;
use crate::domain::refund_allocation;

/// What Klarna's risk check of a change will say. A real one depends on the shopper; here the
/// merchant's test settings decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RiskCheck {
    /// The change is fine.
    #[default]
    Passes,
    /// The change is refused.
    Fails,
}

/// A new amount and new lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UpdateCommand {
    /// The total that is authorised from now on.
    pub(crate) amount: MinorUnits,
    /// The merchant's words for it.
    pub(crate) description: Option<String>,
    /// The lines from now on; empty deletes them.
    pub(crate) lines: Vec<OrderLine>,
}

/// New references of the merchant; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NewReferences {
    /// The shop's order number; an empty one clears it.
    pub(crate) merchant_reference1: Option<String>,
    /// The shop's internal number; an empty one clears it.
    pub(crate) merchant_reference2: Option<String>,
}

/// Parts of the customer's details that shall change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewShippingAddress {
    /// Members that are present replace; empty ones clear.
    pub(crate) shipping_address: Option<Address>,
    /// Whether a billing address was sent too, which cannot change.
    pub(crate) billing_address: BillingAddress,
}

/// Whether a change of the customer's details speaks of the billing address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BillingAddress {
    /// It does not.
    Untouched,
    /// It does.
    Sent,
}

/// A capture to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaptureCommand {
    /// Its id.
    pub(crate) id: CaptureId,
    /// How much.
    pub(crate) amount: MinorUnits,
    /// Words for the shopper.
    pub(crate) description: Option<String>,
    /// The merchant's reference, which settlements show.
    pub(crate) reference: Option<String>,
    /// What is captured.
    pub(crate) lines: Vec<OrderLine>,
    /// How it is sent.
    pub(crate) shipping_info: Vec<ShippingInfo>,
    /// How many days later it will be sent.
    pub(crate) shipping_delay: i64,
}

impl CaptureCommand {
    /// A capture of an amount and nothing more.
    pub(crate) fn of(id: CaptureId, amount: MinorUnits) -> Self {
        Self {
            id,
            amount,
            description: None,
            reference: None,
            lines: Vec::new(),
            shipping_info: Vec::new(),
            shipping_delay: 0,
        }
    }
}

/// A refund to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefundCommand {
    /// Its id.
    pub(crate) id: RefundId,
    /// How much.
    pub(crate) amount: MinorUnits,
    /// Words for the shopper.
    pub(crate) description: Option<String>,
    /// The merchant's reference, which settlements show.
    pub(crate) reference: Option<String>,
    /// What comes back.
    pub(crate) lines: Vec<OrderLine>,
    /// What the shopper has back already in other ways than by refunds.
    pub(crate) given_back: MinorUnits,
}

/// A due date that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DueDateExtension {
    /// By how many days.
    pub(crate) number_of_days: i32,
    /// What the merchant pays for it.
    pub(crate) fee: MinorUnits,
    /// When it was asked for.
    pub(crate) at: Timestamp,
}

impl Order {
    /// Notes that the shop has the order. Doing it again changes nothing.
    pub(crate) fn acknowledge(self, now: Timestamp) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::Acknowledge, now)?;
        if changed.order.acknowledged_at.is_none() {
            changed.order.acknowledged_at = Some(now);
            changed.record(now, Happened::Acknowledged);
        }
        Ok(changed.checked())
    }

    /// Replaces the authorised amount and all lines.
    pub(crate) fn update_authorization(
        self,
        command: UpdateCommand,
        risk: RiskCheck,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::UpdateAuthorization, now)?;
        let order = &mut changed.order;
        let (from, to, captured) = (order.authorized, command.amount, order.captured());
        if to < captured {
            return Err(Rejection::BelowCaptured { wanted: to, captured });
        }
        if to > from {
            if !rules::may_raise(order.method(), order.country.as_str()) {
                return Err(Rejection::RaiseNotOffered);
            }
            if risk == RiskCheck::Fails {
                return Err(Rejection::RaiseRefused);
            }
        }
        order.authorized = to;
        order.lines = command.lines;
        changed.record(
            now,
            Happened::AuthorizationUpdated { from, to, description: command.description },
        );
        Ok(changed.checked())
    }

    /// Calls the order off.
    pub(crate) fn cancel(self, now: Timestamp) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::Cancel, now)?;
        changed.order.end = Some(End::Cancelled);
        // Who cancels has the order.
        changed.order.acknowledged_at.get_or_insert(now);
        changed.record(now, Happened::Cancelled { by: CancelledBy::Merchant });
        Ok(changed.checked())
    }

    /// Changes where the order is sent, member by member.
    pub(crate) fn update_customer_details(
        self,
        command: NewShippingAddress,
        risk: RiskCheck,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::UpdateCustomerDetails, now)?;
        if command.billing_address == BillingAddress::Sent {
            return Err(Rejection::BillingAddressFixed);
        }
        let Some(patch) = command.shipping_address else {
            return Ok(changed.checked());
        };
        let order = &mut changed.order;
        if !rules::may_change_customer(order.method()) {
            return Err(Rejection::CustomerDetailsFixed);
        }
        // Without a shipping address the goods went to the billing address: that is what changes.
        let before = order.shipping_address.as_ref().or(order.billing_address.as_ref());
        let after = merged(before.cloned().unwrap_or_default(), patch);
        if let Some(member) = missing_member(&after) {
            return Err(Rejection::InvalidAddress { member: format!("shipping_address.{member}") });
        }
        if let Some(member) = content::invalid_shipping_address(&after).into_iter().next() {
            return Err(Rejection::InvalidAddress { member });
        }
        if risk == RiskCheck::Fails {
            return Err(Rejection::CustomerDetailsRefused);
        }
        order.shipping_address = Some(after);
        changed.record(now, Happened::CustomerDetailsUpdated);
        Ok(changed.checked())
    }

    /// Lets the authorisation last its account's days from today, within 180 days of creation.
    pub(crate) fn extend_authorization_time(self, now: Timestamp) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::ExtendAuthorizationTime, now)?;
        let order = &mut changed.order;
        if !rules::may_extend(order.method(), order.country.as_str()) {
            return Err(Rejection::ExtensionNotOffered);
        }
        let hours = (rules::MAX_AUTHORIZATION_DAYS * 24).hours();
        let latest = order.created_at.checked_add(hours).unwrap_or(Timestamp::MAX);
        if now > latest {
            return Err(Rejection::ExtensionTooLate);
        }
        let wanted = midnight_after_days(now, i64::from(order.authorization_days));
        order.expires_at = wanted.min(latest).max(order.expires_at);
        let expires_at = order.expires_at;
        changed.record(now, Happened::AuthorizationExtended { expires_at });
        Ok(changed.checked())
    }

    /// Replaces the merchant's references that are given.
    pub(crate) fn update_merchant_references(
        self,
        command: NewReferences,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::UpdateMerchantReferences, now)?;
        let order = &mut changed.order;
        let mut touched = false;
        for (new, old) in [
            (command.merchant_reference1, &mut order.merchant_reference1),
            (command.merchant_reference2, &mut order.merchant_reference2),
        ] {
            if let Some(new) = new {
                *old = Some(new).filter(|reference| !reference.is_empty());
                touched = true;
            }
        }
        if touched {
            changed.record(now, Happened::MerchantReferencesUpdated);
        }
        Ok(changed.checked())
    }

    /// Gives back what will not be captured any more.
    pub(crate) fn release_remaining_authorization(
        self,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::ReleaseRemainingAuthorization, now)?;
        let amount = changed.order.remaining();
        changed.order.end = Some(End::Released);
        changed.record(now, Happened::RemainingReleased { amount });
        Ok(changed.checked())
    }

    /// Adds tracking data to the order.
    pub(crate) fn append_order_shipping_info(
        self,
        shipping_info: Vec<ShippingInfo>,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::AppendOrderShippingInfo, now)?;
        append(&mut changed.order.shipping_info, shipping_info)?;
        changed.record(now, Happened::ShippingInfoAppended { capture_id: None });
        Ok(changed.checked())
    }

    /// Adds tracking data to a capture.
    pub(crate) fn append_capture_shipping_info(
        self,
        capture_id: &CaptureId,
        shipping_info: Vec<ShippingInfo>,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::AppendCaptureShippingInfo, now)?;
        let capture = changed.order.capture_mut(capture_id).map_err(|_| {
            Rejection::NoCaptureToShip { capture_id: capture_id.as_str().to_owned() }
        })?;
        append(&mut capture.shipping_info, shipping_info)?;
        let capture_id = Some(capture.id.clone());
        changed.record(now, Happened::ShippingInfoAppended { capture_id });
        Ok(changed.checked())
    }

    /// Takes money.
    pub(crate) fn capture(
        self,
        command: CaptureCommand,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::Capture, now)?;
        let order = &changed.order;
        if matches!(order.fraud, Fraud::Pending { .. }) {
            return Err(Rejection::CaptureUnderReview);
        }
        if command.shipping_delay > 0 {
            return Err(Rejection::ShippingDelayNotEnabled);
        }
        if !command.amount.is_positive() {
            return Err(Rejection::CaptureOfNothing);
        }
        if command.amount > order.remaining() {
            return Err(Rejection::CaptureExceedsAuthorization);
        }
        if rules::MAX_CAPTURES.is_some_and(|most| order.captures.len() >= most) {
            return Err(Rejection::TooManyCaptures);
        }
        changed.add_capture(command, now);
        // Who captures has the order.
        changed.order.acknowledged_at.get_or_insert(now);
        Ok(changed.checked())
    }

    /// Has the shopper mailed once more about a capture.
    pub(crate) fn trigger_send_out(
        self,
        capture_id: &CaptureId,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::TriggerSendOut, now)?;
        let capture_id = changed.order.capture_mut(capture_id)?.id.clone();
        changed.record(now, Happened::SendOutTriggered { capture_id });
        Ok(changed.checked())
    }

    /// By how many days the due date of a capture can move, and what that costs the merchant.
    pub(crate) fn due_date_offers(&self, capture_id: &CaptureId) -> Result<Vec<Offer>, Rejection> {
        let capture = self.find_capture(capture_id)?;
        let open = less(capture.amount, capture.refunded);
        if gate(Operation::ExtendDueDate, self.status()) != Gate::Open || !open.is_positive() {
            return Ok(Vec::new());
        }
        let used = self
            .captures
            .iter()
            .flat_map(|capture| &capture.due_date_extensions)
            .any(|extension| extension.number_of_days == due_date::FREE_DAYS);
        let free = if used { FreeExtension::Used } else { FreeExtension::Unused };
        let (country, currency) = (self.country.as_str(), self.currency.as_str());
        Ok(due_date::offers(self.method(), country, currency, capture.amount, free))
    }

    /// Moves the due date of a capture by one of the offered numbers of days.
    pub(crate) fn extend_due_date(
        self,
        capture_id: &CaptureId,
        number_of_days: i32,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = match self.ready_for(Operation::ExtendDueDate, now) {
            Err(NotReady::NoCapture(order)) => return Err(order.no_such_capture(capture_id)),
            ready => ready?,
        };
        let offer = changed
            .order
            .due_date_offers(capture_id)?
            .into_iter()
            .find(|offer| offer.number_of_days == number_of_days)
            .ok_or(Rejection::DueDateNotOffered)?;
        let capture = changed.order.capture_mut(capture_id)?;
        capture.due_date_extensions.push(DueDateExtension {
            number_of_days,
            fee: offer.fee,
            at: now,
        });
        let capture_id = capture.id.clone();
        changed
            .record(now, Happened::DueDateExtended { capture_id, number_of_days, fee: offer.fee });
        Ok(changed.checked())
    }

    /// Gives money back.
    pub(crate) fn refund(
        self,
        command: RefundCommand,
        now: Timestamp,
    ) -> Result<Changed, Rejection> {
        let (mut changed, now) = self.ready_for(Operation::Refund, now)?;
        let order = &mut changed.order;
        if !command.amount.is_positive() {
            return Err(Rejection::RefundOfNothing);
        }
        if command.amount > less(order.refundable(), command.given_back) {
            return Err(Rejection::OverRefund);
        }
        if rules::MAX_REFUNDS.is_some_and(|most| order.refunds.len() >= most) {
            return Err(Rejection::TooManyRefunds);
        }
        order.check_return_fee(&command)?;

        let shares = order.allocate(&command)?;
        let mut kept = Vec::new();
        for (capture, share) in order.captures.iter_mut().zip(shares) {
            if share.is_positive() {
                capture.refunded = total([capture.refunded, share].into_iter());
                kept.push((capture.id.clone(), share));
            }
        }
        let what = Happened::Refunded { refund_id: command.id.clone(), amount: command.amount };
        order.refunds.push(Refund {
            id: command.id,
            refunded_at: now,
            amount: command.amount,
            description: command.description,
            reference: command.reference,
            lines: command.lines,
            shares: kept,
        });
        changed.record(now, what);
        Ok(changed.checked())
    }

    /// A capture by its id.
    pub(crate) fn find_capture(&self, capture_id: &CaptureId) -> Result<&Capture, Rejection> {
        self.captures
            .iter()
            .find(|capture| capture.id == *capture_id)
            .ok_or_else(|| self.no_such_capture(capture_id))
    }

    /// A refund by its id.
    pub(crate) fn find_refund(&self, refund_id: &RefundId) -> Result<&Refund, Rejection> {
        self.refunds.iter().find(|refund| refund.id == *refund_id).ok_or_else(|| {
            Rejection::NoSuchRefund {
                refund_id: refund_id.as_str().to_owned(),
                order_id: self.id.as_str().to_owned(),
            }
        })
    }

    fn capture_mut(&mut self, capture_id: &CaptureId) -> Result<&mut Capture, Rejection> {
        let missing = self.no_such_capture(capture_id);
        self.captures.iter_mut().find(|capture| capture.id == *capture_id).ok_or(missing)
    }

    fn no_such_capture(&self, capture_id: &CaptureId) -> Rejection {
        Rejection::NoSuchCapture {
            capture_id: capture_id.as_str().to_owned(),
            order_id: self.id.as_str().to_owned(),
        }
    }

    fn method(&self) -> &str {
        self.initial_payment_method.kind.as_str()
    }

    /// Lets the time pass and asks the table.
    fn ready_for(
        self,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(Changed, Timestamp), NotReady> {
        let now = whole_milliseconds(now);
        let changed = self.advance(now);
        let status = changed.order.status();
        match gate(operation, status) {
            Gate::Open => Ok((changed, now)),
            Gate::NoCapture => Err(NotReady::NoCapture(Box::new(changed.order))),
            Gate::Shut => Err(NotReady::Shut(Rejection::Status {
                operation,
                status,
                order_id: changed.order.id.into_string(),
            })),
        }
    }

    /// The conditions of a refund that keeps back a return fee; holds for every other refund.
    fn check_return_fee(&self, command: &RefundCommand) -> Result<(), Rejection> {
        let mut fees = command
            .lines
            .iter()
            .filter(|line| line.kind == Some(OrderLineType::ReturnFee))
            .peekable();
        if fees.peek().is_none() {
            return Ok(());
        }
        let condition = if self.status() != Status::Captured || self.captures.len() != 1 {
            ReturnFeeCondition::OneFullCapture
        } else if !rules::RETURN_FEE_COUNTRIES.contains(&self.country.as_str()) {
            ReturnFeeCondition::Country
        } else if !fees.all(|fee| {
            fee.quantity == 1 && fee.unit_price.is_negative() && fee.total_amount.is_negative()
        }) {
            ReturnFeeCondition::FeeLine
        } else if MinorUnits::checked_sum(command.lines.iter().map(|line| line.total_amount))
            != Some(command.amount)
        {
            ReturnFeeCondition::Sum
        } else {
            return Ok(());
        };
        Err(Rejection::ReturnFee(condition))
    }

    /// The share of each capture in a refund.
    fn allocate(&self, command: &RefundCommand) -> Result<Vec<MinorUnits>, Rejection> {
        let open: Vec<_> = self
            .captures
            .iter()
            .map(|capture| refund_allocation::Open {
                amount: less(capture.amount, capture.refunded),
                references: references(&capture.lines),
            })
            .collect();
        let lines: Vec<_> = command
            .lines
            .iter()
            .map(|line| refund_allocation::Line {
                reference: line.reference.as_deref().filter(|reference| !reference.is_empty()),
                total: line.total_amount,
            })
            .collect();
        refund_allocation::allocate(&open, &lines, command.amount).ok_or(Rejection::OverRefund)
    }
}

impl Changed {
    fn checked(self) -> Self {
        self.order.assert_invariants();
        self
    }
}

/// Why a command cannot start.
enum NotReady {
    Shut(Rejection),
    NoCapture(Box<Order>),
}

impl From<NotReady> for Rejection {
    fn from(not_ready: NotReady) -> Self {
        match not_ready {
            NotReady::Shut(rejection) => rejection,
            // Only the due-date commands have this answer in their row, and they look at it first.
            NotReady::NoCapture(_) => Self::DueDateNotOffered,
        }
    }
}

fn append(present: &mut Vec<ShippingInfo>, new: Vec<ShippingInfo>) -> Result<(), Rejection> {
    if present.len() + new.len() > rules::MAX_SHIPPING_INFO {
        return Err(Rejection::TooMuchShippingInfo);
    }
    present.extend(new);
    Ok(())
}

fn references(lines: &[OrderLine]) -> Vec<&str> {
    lines
        .iter()
        .filter_map(|line| line.reference.as_deref())
        .filter(|reference| !reference.is_empty())
        .collect()
}

/// `before` with every member of `patch` that is present; an empty text clears a member.
fn merged(before: Address, patch: Address) -> Address {
    fn member(before: Option<String>, patch: Option<String>) -> Option<String> {
        match patch {
            None => before,
            Some(text) if text.is_empty() => None,
            replacement => replacement,
        }
    }
    Address {
        given_name: member(before.given_name, patch.given_name),
        family_name: member(before.family_name, patch.family_name),
        organization_name: member(before.organization_name, patch.organization_name),
        attention: member(before.attention, patch.attention),
        title: member(before.title, patch.title),
        email: member(before.email, patch.email),
        phone: member(before.phone, patch.phone),
        street_address: member(before.street_address, patch.street_address),
        street_address2: member(before.street_address2, patch.street_address2),
        care_of: member(before.care_of, patch.care_of),
        postal_code: member(before.postal_code, patch.postal_code),
        city: member(before.city, patch.city),
        region: member(before.region, patch.region),
        country: match patch.country {
            None => before.country,
            Some(country) if country.as_str().is_empty() => None,
            replacement => replacement,
        },
    }
}

/// The first member that an address needs and does not have.
fn missing_member(address: &Address) -> Option<&'static str> {
    let region_needed = address.country == Some(Country::US);
    [
        (address.given_name.is_some(), "given_name"),
        (address.family_name.is_some(), "family_name"),
        (address.street_address.is_some(), "street_address"),
        (address.postal_code.is_some(), "postal_code"),
        (address.city.is_some(), "city"),
        (address.country.is_some(), "country"),
        (address.region.is_some() || !region_needed, "region"),
    ]
    .into_iter()
    .find(|(present, _)| !present)
    .map(|(_, name)| name)
}
