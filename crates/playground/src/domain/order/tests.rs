//! The order's rules, case by case, and over random histories.

use jiff::SignedDuration;
use klarna_types::order_line::OrderLineType;
use klarna_types::order_management::InitialPaymentMethodType;
use proptest::prelude::*;

use super::gate::{Gate, gate};
use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn start() -> Timestamp {
    at("2026-07-08T09:48:16.680Z")
}

fn money(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn line(reference: &str, total: i64) -> OrderLine {
    OrderLine::new(reference, 1, money(total), money(total)).reference(reference)
}

fn return_fee(total: i64) -> OrderLine {
    line("fee", total).kind(OrderLineType::ReturnFee)
}

fn address() -> Address {
    Address::new()
        .given_name("Alva")
        .family_name("Berg")
        .street_address("Sveavägen 1")
        .postal_code("11157")
        .city("Stockholm")
        .country(Country::SE)
}

pub(crate) fn new_order(amount: i64) -> NewOrder {
    NewOrder {
        merchant_id: MerchantId::new("K123456"),
        lines: vec![line("shirt", amount)],
        amount: money(amount),
        currency: Currency::SEK,
        country: Country::SE,
        locale: Locale::new("sv-SE"),
        billing_address: Some(address()),
        shipping_address: None,
        customer: None,
        merchant_reference1: None,
        merchant_reference2: None,
        merchant_data: None,
        initial_payment_method: method(InitialPaymentMethodType::Invoice),
        fraud: FraudPlan::Accepted,
        dispute: None,
        auto_capture: false,
        authorization_days: 28,
        merchant_urls: MerchantUrls::new()
            .push("https://shop.example/push?o={checkout.order.id}")
            .notification("https://shop.example/fraud/{order.id}"),
        klarna_reference: KlarnaReference::new("K4MADNY"),
    }
}

fn method(kind: InitialPaymentMethodType) -> InitialPaymentMethod {
    InitialPaymentMethod { kind, description: None, number_of_installments: None }
}

fn place(new: NewOrder) -> Order {
    Order::place(OrderId::new("0b1d9815-165e-42e2-8867-35bc03789e00"), new, start())
}

fn order(amount: i64) -> Order {
    place(new_order(amount))
}

fn under_review(accept: bool, auto_capture: bool) -> Order {
    let decide_at = start() + SignedDuration::from_mins(5);
    let fraud = FraudPlan::PendingThen { accept, decide_at };
    place(NewOrder { fraud, auto_capture, ..new_order(1_000) })
}

pub(crate) fn capture_command(id: &str, amount: i64) -> CaptureCommand {
    CaptureCommand::of(CaptureId::new(id), money(amount))
}

pub(crate) fn refund_command(id: &str, amount: i64) -> RefundCommand {
    RefundCommand {
        given_back: MinorUnits::ZERO,
        id: RefundId::new(id),
        amount: money(amount),
        description: None,
        reference: None,
        lines: Vec::new(),
    }
}

fn update_command(amount: i64) -> UpdateCommand {
    UpdateCommand { amount: money(amount), description: None, lines: Vec::new() }
}

fn captured(order: Order, id: &str, amount: i64) -> Order {
    order.capture(capture_command(id, amount), start()).unwrap().order
}

/// An order in each status, the way it gets there.
fn in_status(status: Status) -> Order {
    let long_after = start() + DAY * 40;
    let order = match status {
        Status::Authorized => order(1_000),
        Status::PartCaptured => captured(order(1_000), "c1", 400),
        Status::Captured => captured(order(1_000), "c1", 1_000),
        Status::Cancelled => order(1_000).cancel(start()).unwrap().order,
        Status::Expired => order(1_000).advance(long_after).order,
        Status::Closed => captured(order(1_000), "c1", 400).advance(long_after).order,
    };
    assert_eq!(order.status(), status);
    order
}

fn run(order: Order, operation: Operation, now: Timestamp) -> Result<Changed, Rejection> {
    let capture_id = CaptureId::new("c1");
    match operation {
        Operation::Acknowledge => order.acknowledge(now),
        Operation::UpdateAuthorization => {
            let amount = order.authorized().get();
            order.update_authorization(update_command(amount), RiskCheck::Passes, now)
        }
        Operation::Cancel => order.cancel(now),
        Operation::UpdateCustomerDetails => {
            let shipping_address = Some(Address::new().city("Uppsala"));
            let billing_address = BillingAddress::Untouched;
            let command = NewShippingAddress { shipping_address, billing_address };
            order.update_customer_details(command, RiskCheck::Passes, now)
        }
        Operation::ExtendAuthorizationTime => order.extend_authorization_time(now),
        Operation::UpdateMerchantReferences => {
            let merchant_reference1 = Some("A-1".to_owned());
            let command = NewReferences { merchant_reference1, merchant_reference2: None };
            order.update_merchant_references(command, now)
        }
        Operation::ReleaseRemainingAuthorization => order.release_remaining_authorization(now),
        Operation::AppendOrderShippingInfo => {
            order.append_order_shipping_info(vec![ShippingInfo::new()], now)
        }
        Operation::Capture => order.capture(capture_command("c9", 1), now),
        Operation::AppendCaptureShippingInfo => {
            order.append_capture_shipping_info(&capture_id, vec![ShippingInfo::new()], now)
        }
        Operation::TriggerSendOut => order.trigger_send_out(&capture_id, now),
        Operation::ExtendDueDate => order.extend_due_date(&capture_id, 10, now),
        Operation::Refund => order.refund(refund_command("r9", 1), now),
    }
}

#[test]
fn every_operation_obeys_the_table_in_every_status() {
    for operation in Operation::ALL {
        for status in Status::ALL {
            let order = in_status(status);
            let now = match status {
                Status::Expired | Status::Closed => start() + DAY * 40,
                _ => start() + SignedDuration::from_secs(1),
            };
            let outcome = run(order, operation, now);
            match gate(operation, status) {
                Gate::Open => assert!(outcome.is_ok(), "{operation:?} {status:?}: {outcome:?}"),
                Gate::Shut => {
                    let rejection = outcome.unwrap_err();
                    assert!(
                        matches!(rejection, Rejection::Status { .. }),
                        "{operation:?} {status:?}: {rejection:?}"
                    );
                }
                Gate::NoCapture => {
                    assert_eq!(outcome.unwrap_err().code(), Code::NoSuchCapture);
                }
            }
        }
    }
}

#[test]
fn refusals_say_what_klarna_says() {
    use Operation::{
        Cancel, Capture, ExtendAuthorizationTime, Refund, ReleaseRemainingAuthorization,
        UpdateAuthorization,
    };
    let id = "0b1d9815-165e-42e2-8867-35bc03789e00";
    for (operation, status, expected) in [
        (Cancel, Status::PartCaptured, "Order has previous captures. Cancel not possible."),
        (Cancel, Status::Captured, "Order has previous captures. Cancel not possible."),
        (Refund, Status::Authorized, "Order has no captures. Refund not possible"),
        (
            ReleaseRemainingAuthorization,
            Status::Captured,
            "Order is fully captured. Remaining authorization cannot be released.",
        ),
        (
            ExtendAuthorizationTime,
            Status::Expired,
            "Order is expired. Authorization time cannot be extended.",
        ),
        (UpdateAuthorization, Status::Captured, "Update not allowed."),
        (
            Capture,
            Status::Captured,
            "Captured amount is higher than the remaining authorized amount. Capture not possible.",
        ),
        (Capture, Status::Expired, &format!("Order {id} is expired. Capture not possible.")),
        (Capture, Status::Cancelled, &format!("Order {id} is cancelled. Capture not possible.")),
        (Capture, Status::Closed, &format!("Order {id} is closed. Capture not possible.")),
    ] {
        let now = start() + DAY;
        let said = run(in_status(status), operation, now).unwrap_err().to_string();
        assert_eq!(said, expected, "{operation:?} {status:?}");
    }
}

/// A, O, C, R, M and the status.
fn ledger(order: &Order) -> (i64, i64, i64, i64, i64, Status) {
    (
        order.authorized().get(),
        order.original().get(),
        order.captured().get(),
        order.refunded().get(),
        order.remaining().get(),
        order.status(),
    )
}

#[test]
fn the_worked_ledger_is_reproduced() {
    let now = start();
    let order = order(10_000);
    assert_eq!(ledger(&order), (10_000, 10_000, 0, 0, 10_000, Status::Authorized));
    let order = captured(order, "c1", 4_000);
    assert_eq!(ledger(&order), (10_000, 10_000, 4_000, 0, 6_000, Status::PartCaptured));
    let order =
        order.update_authorization(update_command(9_000), RiskCheck::Passes, now).unwrap().order;
    assert_eq!(ledger(&order), (9_000, 10_000, 4_000, 0, 5_000, Status::PartCaptured));
    let refusal = order
        .clone()
        .update_authorization(update_command(3_000), RiskCheck::Passes, now)
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Resulting authorization amount 3000 cannot be less than the captured amount 4000 for \
         order. Order authorization cannot be updated"
    );
    assert_eq!(refusal.code(), Code::NotAllowed);
    let order = order.refund(refund_command("r1", 1_500), now).unwrap().order;
    assert_eq!(ledger(&order), (9_000, 10_000, 4_000, 1_500, 5_000, Status::PartCaptured));
    let refusal = order.clone().capture(capture_command("c2", 6_000), now).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Captured amount is higher than the remaining authorized amount. Capture not possible."
    );
    assert_eq!(refusal.code(), Code::CaptureNotAllowed);
    let order = order.release_remaining_authorization(now).unwrap().order;
    assert_eq!(ledger(&order), (9_000, 10_000, 4_000, 1_500, 0, Status::Captured));
    let refusal = order.clone().refund(refund_command("r2", 3_000), now).unwrap_err();
    assert_eq!(refusal.to_string(), "Over refund is not allowed. Refund not possible.");
    assert_eq!(refusal.code(), Code::RefundNotAllowed);
    let order = order.refund(refund_command("r2", 2_500), now).unwrap().order;
    assert_eq!(ledger(&order), (9_000, 10_000, 4_000, 4_000, 0, Status::Captured));
    assert_eq!(
        order.refund(refund_command("r3", 1), now).unwrap_err().code(),
        Code::RefundNotAllowed
    );
}

#[test]
fn nothing_and_too_much_are_refused() {
    for amount in [0, -1, 1_001, i64::MAX] {
        let refusal = order(1_000).capture(capture_command("c", amount), start()).unwrap_err();
        assert_eq!(refusal.code(), Code::CaptureNotAllowed, "{amount}");
        let order = captured(order(1_000), "c1", 1_000);
        let refusal = order.refund(refund_command("r", amount), start()).unwrap_err();
        assert_eq!(refusal.code(), Code::RefundNotAllowed, "{amount}");
    }
}

#[test]
fn an_order_of_nothing_is_authorised_for_nothing() {
    let order = order(0);
    assert_eq!(ledger(&order), (0, 0, 0, 0, 0, Status::Authorized));
    assert_eq!(order.advance(start() + DAY * 28).order.status(), Status::Expired);
}

#[test]
fn captures_are_numbered_and_counted() {
    let mut order = order(1_000);
    for number in 1..=200 {
        order = captured(order, &format!("c{number}"), 1);
    }
    let view = order.view();
    let references: Vec<_> =
        view.captures.iter().filter_map(|capture| capture.klarna_reference.clone()).collect();
    assert_eq!(references[0].as_str(), "K4MADNY-1");
    assert_eq!(references[199].as_str(), "K4MADNY-200");
    assert_eq!(
        order.clone().capture(capture_command("c201", 1), start()).unwrap_err(),
        Rejection::TooManyCaptures
    );
    for number in 1..=200 {
        order = order.refund(refund_command(&format!("r{number}"), 1), start()).unwrap().order;
    }
    // Fully refunded as well, so the amount is refused first.
    assert_eq!(
        order.refund(refund_command("r201", 1), start()).unwrap_err(),
        Rejection::OverRefund
    );
}

#[test]
fn an_order_has_200_refunds_at_most() {
    let mut order = captured(order(1_000), "c1", 1_000);
    for number in 1..=200 {
        order = order.refund(refund_command(&format!("r{number}"), 1), start()).unwrap().order;
    }
    let refusal = order.refund(refund_command("r201", 1), start()).unwrap_err();
    assert_eq!(refusal, Rejection::TooManyRefunds);
}

#[test]
fn a_lower_authorisation_can_complete_the_order() {
    let order = captured(order(1_000), "c1", 400);
    let order =
        order.update_authorization(update_command(400), RiskCheck::Passes, start()).unwrap().order;
    assert_eq!(ledger(&order), (400, 1_000, 400, 0, 0, Status::Captured));
    assert!(order.view().order_lines.is_empty());
    assert_eq!(order.next_due_at(), None);
}

fn raise(
    kind: &InitialPaymentMethodType,
    country: &Country,
    risk: RiskCheck,
) -> Result<i64, String> {
    let (initial_payment_method, country) = (method(kind.clone()), country.clone());
    place(NewOrder { country, initial_payment_method, ..new_order(1_000) })
        .update_authorization(update_command(1_500), risk, start())
        .map(|changed| changed.order.remaining().get())
        .map_err(|rejection| rejection.to_string())
}

#[test]
fn the_authorisation_is_raised_where_that_is_offered_and_not_refused() {
    use InitialPaymentMethodType::{Card, FixedAmount, Invoice};
    assert_eq!(raise(&Invoice, &Country::SE, RiskCheck::Passes), Ok(1_500));
    assert_eq!(raise(&FixedAmount, &Country::NO, RiskCheck::Passes), Ok(1_500));
    for (kind, country, risk) in [
        (Invoice, Country::SE, RiskCheck::Fails),
        (Invoice, Country::CH, RiskCheck::Passes),
        (FixedAmount, Country::GB, RiskCheck::Passes),
        (Card, Country::SE, RiskCheck::Passes),
    ] {
        assert_eq!(raise(&kind, &country, risk), Err("Update not allowed.".to_owned()));
    }
}

#[test]
fn an_authorisation_runs_out_at_midnight() {
    let order = order(1_000);
    assert_eq!(order.expires_at(), at("2026-08-05T00:00:00Z"));
    let before = order.clone().advance(at("2026-08-04T23:59:59.999Z"));
    assert!(before.events.is_empty());
    let after = order.advance(at("2026-08-05T00:00:00Z"));
    assert_eq!(ledger(&after.order), (1_000, 1_000, 0, 0, 0, Status::Expired));
    assert_eq!(
        after.events,
        [Event {
            at: at("2026-08-05T00:00:00Z"),
            what: Happened::Expired { amount: money(1_000) }
        }]
    );
    assert!(after.order.advance(start() + DAY * 900).events.is_empty());
}

#[test]
fn a_part_captured_order_closes_and_can_still_be_refunded() {
    let late = start() + DAY * 40;
    let order = captured(order(1_000), "c1", 400).advance(late).order;
    assert_eq!(ledger(&order), (1_000, 1_000, 400, 0, 0, Status::Closed));
    let order = order.refund(refund_command("r1", 400), late).unwrap().order;
    assert_eq!(order.refund(refund_command("r2", 1), late).unwrap_err(), Rejection::OverRefund);
}

#[test]
fn commands_notice_that_time_has_passed() {
    let refusal = order(1_000).capture(capture_command("c1", 1), start() + DAY * 28).unwrap_err();
    assert!(refusal.to_string().ends_with("is expired. Capture not possible."));
}

#[test]
fn an_extension_counts_from_today_and_ends_after_180_days() {
    let extended = |order: Order, text: &str| {
        order.extend_authorization_time(at(text)).map(|changed| changed.order)
    };
    let order = extended(order(1_000), "2026-07-22T23:00:00Z").unwrap();
    assert_eq!(order.expires_at(), at("2026-08-19T00:00:00Z"));
    let order = extended(order, "2026-07-22T23:59:00Z").unwrap();
    assert_eq!(order.expires_at(), at("2026-08-19T00:00:00Z"));

    let mut order = order;
    let mut now = at("2026-08-18T12:00:00Z");
    loop {
        let before = order.expires_at();
        order = order.extend_authorization_time(now).unwrap().order;
        if order.expires_at() == before {
            break;
        }
        now = order.expires_at() - SignedDuration::from_secs(1);
    }
    assert_eq!(order.expires_at(), start() + DAY * 180);
    assert_eq!(order.advance(start() + DAY * 180).order.status(), Status::Expired);
}

#[test]
fn some_methods_cannot_be_extended() {
    for (kind, country, expected) in [
        (InitialPaymentMethodType::Card, Country::SE, false),
        (InitialPaymentMethodType::PayByCard, Country::GB, false),
        (InitialPaymentMethodType::FixedSumCredit, Country::US, false),
        (InitialPaymentMethodType::FixedSumCredit, Country::GB, true),
    ] {
        let new = NewOrder { initial_payment_method: method(kind), country, ..new_order(1_000) };
        let outcome = place(new).extend_authorization_time(start());
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}");
    }
}

#[test]
fn an_order_under_review_is_captured_only_after_its_acceptance() {
    let order = under_review(true, false);
    assert_eq!(
        order.clone().capture(capture_command("c1", 1), start()).unwrap_err(),
        Rejection::CaptureUnderReview
    );
    let later = start() + SignedDuration::from_mins(5);
    let accepted = order.advance(later);
    assert_eq!(accepted.events.len(), 1);
    assert_eq!(accepted.order.fraud, Fraud::Accepted);
    let changed = accepted.order.capture(capture_command("c1", 1), later).unwrap();
    assert_eq!(changed.order.status(), Status::PartCaptured);
}

#[test]
fn a_rejected_order_is_cancelled_unless_it_is_captured_in_time() {
    let decided = start() + SignedDuration::from_mins(5);
    let deadline = decided + SignedDuration::from_hours(4);
    let order = under_review(false, false);
    let cancelled = order.clone().advance(deadline);
    assert_eq!(cancelled.order.status(), Status::Cancelled);
    assert_eq!(
        cancelled.events.iter().map(|event| (event.at, event.what.kind())).collect::<Vec<_>>(),
        [(decided, "fraud_decided"), (deadline, "cancelled")]
    );

    let just_in_time = deadline - SignedDuration::from_millis(1);
    let overruled = order.capture(capture_command("c1", 400), just_in_time).unwrap().order;
    let overruled = overruled.advance(deadline + DAY).order;
    assert_eq!(overruled.status(), Status::PartCaptured);
    assert!(matches!(overruled.fraud, Fraud::Rejected { .. }));
}

#[test]
fn a_cancelled_order_still_learns_its_verdict() {
    let order = under_review(true, true).cancel(start()).unwrap().order;
    let decided = order.advance(start() + DAY);
    assert_eq!(decided.order.status(), Status::Cancelled);
    assert_eq!(decided.order.fraud, Fraud::Accepted);
    assert_eq!(decided.order.captured(), MinorUnits::ZERO);
    assert_eq!(decided.order.next_due_at(), None);
}

#[test]
fn automatic_capture_waits_for_the_review() {
    let order = place(NewOrder { auto_capture: true, ..new_order(1_000) });
    assert_eq!(ledger(&order), (1_000, 1_000, 1_000, 0, 0, Status::Captured));
    assert_eq!(order.first_events().len(), 2);
    assert_eq!(order.view().captures[0].order_lines.len(), 1);

    let waiting = under_review(true, true);
    assert_eq!(waiting.status(), Status::Authorized);
    let accepted = waiting.advance(start() + DAY);
    assert_eq!(accepted.order.status(), Status::Captured);
    assert_eq!(accepted.events.len(), 2);

    let rejected = under_review(false, true).advance(start() + SignedDuration::from_hours(1));
    assert_eq!(rejected.order.status(), Status::Authorized);
}

#[test]
fn references_overwrite_clear_or_stay() {
    let change = |order: Order, one: Option<&str>, two: Option<&str>| {
        let command = NewReferences {
            merchant_reference1: one.map(str::to_owned),
            merchant_reference2: two.map(str::to_owned),
        };
        order.update_merchant_references(command, start()).unwrap()
    };
    let changed = change(order(1), Some("A"), Some("B"));
    let changed = change(changed.order, None, Some(""));
    assert_eq!(changed.order.merchant_reference1.as_deref(), Some("A"));
    assert_eq!(changed.order.merchant_reference2, None);
    assert!(change(changed.order, None, None).events.is_empty());
}

fn change_address(order: Order, patch: Address) -> Result<Option<Address>, Rejection> {
    let shipping_address = Some(patch);
    let billing_address = BillingAddress::Untouched;
    let command = NewShippingAddress { shipping_address, billing_address };
    order
        .update_customer_details(command, RiskCheck::Passes, start())
        .map(|changed| changed.order.shipping_address)
}

#[test]
fn the_shipping_address_changes_member_by_member() {
    let changed =
        change_address(order(1), Address::new().city("Uppsala").care_of("")).unwrap().unwrap();
    assert_eq!(changed, address().city("Uppsala"));
    for patch in [
        Address::new().street_address(""),
        Address::new().postal_code(""),
        Address::new().city(""),
        Address::new().given_name(""),
        Address::new().family_name(""),
        Address::new().country(""),
        Address::new().country(Country::US),
        Address::new().postal_code("1115"),
    ] {
        let refusal = change_address(order(1), patch.clone()).unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidAddress, "{patch:?}");
    }
}

#[test]
fn customer_details_are_refused_for_billing_risk_and_businesses() {
    let command = |billing_address| NewShippingAddress {
        shipping_address: Some(Address::new().city("Uppsala")),
        billing_address,
    };
    assert_eq!(
        order(1)
            .update_customer_details(command(BillingAddress::Sent), RiskCheck::Passes, start())
            .unwrap_err(),
        Rejection::BillingAddressFixed
    );
    let untouched = command(BillingAddress::Untouched);
    assert_eq!(
        order(1).update_customer_details(untouched.clone(), RiskCheck::Fails, start()).unwrap_err(),
        Rejection::CustomerDetailsRefused
    );
    let initial_payment_method = method(InitialPaymentMethodType::InvoiceBusiness);
    assert_eq!(
        place(NewOrder { initial_payment_method, ..new_order(1) })
            .update_customer_details(untouched, RiskCheck::Passes, start())
            .unwrap_err(),
        Rejection::CustomerDetailsFixed
    );
}

#[test]
fn a_refund_finds_its_captures() {
    let capture = |order: Order, id: &str, amount: i64| {
        let lines = vec![line(id, amount)];
        let command = CaptureCommand { lines, ..capture_command(id, amount) };
        order.capture(command, start()).unwrap().order
    };
    let order = capture(capture(order(1_000), "shirt", 400), "shoe", 600);
    let lines = vec![line("shoe", 500)];
    let order =
        order.refund(RefundCommand { lines, ..refund_command("r1", 500) }, start()).unwrap().order;
    let shares: Vec<_> =
        order.view().captures.iter().map(|capture| capture.refunded_amount.get()).collect();
    assert_eq!(shares, [0, 500]);
    let order = order.refund(refund_command("r2", 450), start()).unwrap().order;
    let shares: Vec<_> =
        order.view().captures.iter().map(|capture| capture.refunded_amount.get()).collect();
    assert_eq!(shares, [400, 550]);
}

fn refund_with_fee(order: Order, amount: i64, lines: Vec<OrderLine>) -> Result<i64, Rejection> {
    order
        .refund(RefundCommand { lines, ..refund_command("r1", amount) }, start())
        .map(|changed| changed.order.refunded().get())
}

#[test]
fn a_return_fee_has_its_conditions() {
    let full = || captured(order(10_000), "c1", 10_000);
    let good = || vec![line("shirt", 10_000), return_fee(-500)];
    assert_eq!(refund_with_fee(full(), 9_500, good()), Ok(9_500));

    let twice = captured(captured(order(10_000), "c1", 5_000), "c2", 5_000);
    let abroad = NewOrder { country: Country::GB, ..new_order(10_000) };
    let abroad = captured(place(abroad), "c1", 10_000);
    let mut two_fees = return_fee(-250);
    two_fees.quantity = 2;
    for (order, amount, lines) in [
        (captured(order(10_000), "c1", 9_999), 9_500, good()),
        (twice, 9_500, good()),
        (abroad, 9_500, good()),
        (full(), 9_499, good()),
        (full(), 10_000, vec![line("shirt", 9_500), return_fee(500)]),
        (full(), 9_750, vec![line("shirt", 10_000), two_fees]),
    ] {
        let refusal = refund_with_fee(order, amount, lines).unwrap_err();
        assert_eq!(refusal.to_string(), "Return fee is not allowed. Refund not possible.");
        assert_eq!(refusal.code(), Code::RefundNotAllowed);
    }
}

#[test]
fn the_free_extension_of_a_due_date_is_had_once_per_order() {
    let order = captured(captured(order(1_000), "c1", 500), "c2", 500);
    let (one, two) = (CaptureId::new("c1"), CaptureId::new("c2"));
    let days = |order: &Order, id: &CaptureId| -> Vec<i32> {
        order.due_date_offers(id).unwrap().iter().map(|offer| offer.number_of_days).collect()
    };
    assert_eq!(days(&order, &one), [2, 10, 30, 60]);
    let order = order.extend_due_date(&one, 2, start()).unwrap().order;
    assert_eq!(days(&order, &two), [10, 30, 60]);
    for offered in [2, 11, 0, -10] {
        let refusal = order.clone().extend_due_date(&two, offered, start()).unwrap_err();
        assert_eq!(refusal.to_string(), "Extension of due date is not possible.");
        assert_eq!(refusal.code(), Code::NotAllowed);
    }
    let changed = order.extend_due_date(&two, 30, start()).unwrap();
    assert!(matches!(
        &changed.events[0].what,
        Happened::DueDateExtended { number_of_days: 30, fee, .. } if fee.get() == 1_900
    ));
    let unknown = CaptureId::new("c3");
    let refusal = changed.order.due_date_offers(&unknown).unwrap_err();
    assert_eq!(refusal.code(), Code::NoSuchCapture);
    let refunded = changed.order.refund(refund_command("r1", 500), start()).unwrap().order;
    assert_eq!(days(&refunded, &one), [0_i32; 0]);
}

#[test]
fn pushes_stop_when_the_merchant_shows_that_it_has_the_order() {
    let order = order(1_000);
    let first = order.effects(&order.first_events());
    let [Effect::Call { callback, .. }] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(callback.url, format!("https://shop.example/push?o={}", order.id()));
    assert_eq!(callback.body, "");
    for operation in [Operation::Acknowledge, Operation::Capture, Operation::Cancel] {
        let changed = run(order.clone(), operation, start()).unwrap();
        assert_eq!(changed.order.effects(&changed.events), [Effect::StopPush], "{operation:?}");
    }
    let twice = order.acknowledge(start()).unwrap().order.acknowledge(start()).unwrap();
    assert!(twice.events.is_empty());
    // An automatic capture is Klarna's doing and tells nothing of the merchant.
    let automatic = place(NewOrder { auto_capture: true, ..new_order(1) });
    assert_eq!(automatic.effects(&automatic.first_events()).len(), 1);
}

#[test]
fn a_decision_is_told_to_the_merchant() {
    let changed = under_review(false, false).advance(start() + SignedDuration::from_hours(1));
    let effects = changed.order.effects(&changed.events);
    let [Effect::Call { callback, at }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*at, start() + SignedDuration::from_mins(5));
    assert_eq!(callback.url, format!("https://shop.example/fraud/{}", changed.order.id()));
    assert_eq!(
        callback.body,
        "{\"order_id\":\"0b1d9815-165e-42e2-8867-35bc03789e00\",\"event_type\":\
         \"FRAUD_RISK_REJECTED\",\"event_timestamp\":\"2026-07-08T09:53:16.680Z\"}"
    );
}

#[test]
fn an_order_survives_its_way_through_the_store() {
    let order = captured(order(1_000), "c1", 400).refund(refund_command("r1", 1), start()).unwrap();
    let text = serde_json::to_string(&order.order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order.order);
    assert_eq!(order.order.readable_until(), at("2029-07-08T09:48:16.680Z"));
}

#[test]
fn references_look_like_klarnas() {
    let reference = klarna_reference(0x0123_4567_89ab_cdef);
    assert_eq!(reference.as_str().len(), 8);
    assert!(reference.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(reference, klarna_reference(1));
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Run(Operation),
    Capture(i64),
    Refund(i64, Option<u8>),
    Update(i64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop::sample::select(Operation::ALL.to_vec()).prop_map(Step::Run),
        4 => (-10_i64..700).prop_map(Step::Capture),
        4 => ((-10_i64..500), prop::option::of(0_u8..4)).prop_map(|(a, r)| Step::Refund(a, r)),
        2 => (0_i64..2_000).prop_map(Step::Update),
        1 => (0_i64..12).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn captured_within_authorised_and_refunded_within_captured(
        amount in 0_i64..1_500,
        review in prop::option::of((any::<bool>(), 0_i64..600)),
        auto_capture in any::<bool>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let fraud = review.map_or(FraudPlan::Accepted, |(accept, minutes)| FraudPlan::PendingThen {
            accept,
            decide_at: start() + SignedDuration::from_mins(minutes),
        });
        let mut order = place(NewOrder { fraud, auto_capture, ..new_order(amount) });
        let mut now = start();
        for (number, step) in steps.into_iter().enumerate() {
            let before = order.clone();
            let outcome = match step {
                Step::Run(operation) => run(order.clone(), operation, now),
                Step::Capture(amount) => {
                    let mut command = capture_command(&format!("c{number}"), amount);
                    command.lines = vec![line(NAMES[number % 4], amount)];
                    order.clone().capture(command, now)
                }
                Step::Refund(amount, name) => {
                    let mut command = refund_command(&format!("r{number}"), amount);
                    command.lines =
                        name.map(|name| line(NAMES[usize::from(name)], amount)).into_iter().collect();
                    order.clone().refund(command, now)
                }
                Step::Update(amount) => order
                    .clone()
                    .update_authorization(update_command(amount), RiskCheck::Passes, now),
                Step::Wait(days) => {
                    now += DAY * i32::try_from(days).unwrap();
                    Ok(order.clone().advance(now))
                }
            };
            let Ok(changed) = outcome else { continue };
            order = changed.order;
            prop_assert_eq!(order.broken_invariant(), None);
            prop_assert!(order.next_due_at().is_none_or(|due| due > now));
            prop_assert_eq!(order.original(), before.original());
            prop_assert!(order.captured() >= before.captured());
            prop_assert!(order.refunded() >= before.refunded());
            let open = order.authorized().get() - order.captured().get();
            let expected = if order.status().is_open() { open } else { 0 };
            prop_assert_eq!(order.remaining().get(), expected);
            // What moved is what the events say, and no event speaks of more.
            let (mut taken, mut given) = (0, 0);
            for event in &changed.events {
                match &event.what {
                    Happened::Captured { amount, .. } => taken += amount.get(),
                    Happened::Refunded { amount, .. } => given += amount.get(),
                    _ => {}
                }
            }
            prop_assert_eq!(order.captured().get() - before.captured().get(), taken);
            prop_assert_eq!(order.refunded().get() - before.refunded().get(), given);
            let view = order.view();
            let shares: i64 = view.captures.iter().map(|capture| capture.refunded_amount.get()).sum();
            prop_assert_eq!(shares, order.refunded().get());
        }
    }
}
