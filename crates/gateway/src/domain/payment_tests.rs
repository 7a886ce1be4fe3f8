//! Tests of the payment: what is possible, what is reserved, and histories of commands at random.

use klarna_types::OrderLineType;
use proptest::prelude::*;

use super::super::lines::Wanted;
use super::super::operation::{Kind, State};
use super::*;

pub(in crate::domain) fn line(reference: &str, quantity: i64, unit_price: i64) -> OrderLine {
    let unit_price = MinorUnits::new(unit_price);
    OrderLine::new(reference, quantity, unit_price, unit_price.checked_mul(quantity).unwrap())
        .reference(reference)
        .kind(OrderLineType::Physical)
}

pub(in crate::domain) fn amount(minor: i64) -> MinorUnits {
    MinorUnits::new(minor)
}

pub(crate) fn payment() -> Payment {
    Payment {
        id: "pay_1".to_owned(),
        store_id: "default".to_owned(),
        version: 1,
        checkout_id: "chk_1".to_owned(),
        merchant_reference: "WEB-1".to_owned(),
        merchant_reference2: None,
        klarna_order_id: "order-1".to_owned(),
        klarna_reference: None,
        status: Status::Authorized,
        fraud: Fraud::Accepted,
        fraud_decided_at_ms: None,
        currency: Currency::SEK,
        country: "SE".to_owned(),
        locale: None,
        amounts: Amounts {
            authorized: amount(1000),
            original: amount(1000),
            captured: amount(0),
            refunded: amount(0),
            remaining: amount(1000),
        },
        order_lines: vec![line("cup", 3, 200), line("pot", 1, 400)],
        captures: Vec::new(),
        refunds: Vec::new(),
        shipping_info: Vec::new(),
        method: None,
        redirect_url: None,
        created_at_ms: 0,
        updated_at_ms: 0,
        expires_at_ms: Some(28 * 24 * 3_600_000),
        expiry: Calendar::default(),
        account_id: None,
        channel: Some(Channel::Inline),
    }
}

pub(in crate::domain) fn captured(payment: &mut Payment, id: &str, minor: i64) -> Option<Happened> {
    payment.record_capture(Capture {
        id: id.to_owned(),
        amount: amount(minor),
        refunded: amount(0),
        description: None,
        reference: None,
        klarna_reference: None,
        order_lines: Vec::new(),
        captured_at_ms: 0,
        shipping_info: Vec::new(),
        due_date_extensions: Vec::new(),
        operation_id: None,
    })
}

pub(in crate::domain) fn refunded(payment: &mut Payment, id: &str, minor: i64) -> Option<Happened> {
    payment.record_refund(Refund {
        id: id.to_owned(),
        amount: amount(minor),
        description: None,
        reference: None,
        order_lines: Vec::new(),
        refunded_at_ms: 0,
        capture_id: None,
        operation_id: None,
    })
}

pub(in crate::domain) fn pending_of(kind: Kind, minor: i64) -> Pending {
    Pending {
        kind,
        state: State::InDoubt,
        held: false,
        amount: amount(minor),
        order_lines: Vec::new(),
        capture_id: None,
    }
}

pub(in crate::domain) fn share(minor: i64) -> Share {
    Share { amount: Some(amount(minor)), lines: None }
}

fn books(payment: &Payment) -> Books {
    Books {
        status: Some(payment.status),
        fraud: Some(payment.fraud.clone()),
        amounts: payment.amounts,
        order_lines: payment.order_lines.clone(),
        captures: payment.captures.clone(),
        refunds: payment.refunds.clone(),
        klarna_reference: None,
        shipping_info: payment.shipping_info.clone(),
        merchant_reference1: Some(payment.merchant_reference.clone()),
        merchant_reference2: payment.merchant_reference2.clone(),
        method: None,
        expires_at_ms: payment.expires_at_ms,
    }
}

/// What can be done that moves money.
fn names(payment: &Payment, pending: &[Pending]) -> Vec<&'static str> {
    let (offered, _) = payment.actions(pending, 0);
    offered
        .iter()
        .map(|action| action.action)
        .filter(|kind| !matches!(kind, Kind::Change(_)))
        .map(Kind::name)
        .collect()
}

#[test]
fn every_pair_of_statuses_is_decided() {
    use Status::{Authorized, Cancelled, Captured, Closed, Expired, PartCaptured};
    let legal = [
        (Authorized, vec![Authorized, PartCaptured, Captured, Cancelled, Expired, Closed]),
        (PartCaptured, vec![PartCaptured, Captured, Expired, Closed]),
        (Captured, vec![Captured, PartCaptured, Closed]),
        (Cancelled, vec![Cancelled, Closed]),
        (Expired, vec![Expired, Closed]),
        (Closed, vec![Closed]),
    ];
    for (from, reachable) in legal {
        for to in Status::ALL {
            assert_eq!(may_move(from, to), reachable.contains(&to), "{from:?} to {to:?}");
        }
    }
}

#[test]
fn what_can_be_done_follows_the_status() {
    let mut payment = payment();
    assert_eq!(names(&payment, &[]), ["capture", "cancel"]);
    captured(&mut payment, "c1", 600);
    assert_eq!(payment.status, Status::PartCaptured);
    assert_eq!(names(&payment, &[]), ["capture", "refund", "release"]);
    captured(&mut payment, "c2", 400);
    assert_eq!(payment.status, Status::Captured);
    assert_eq!(names(&payment, &[]), ["refund"]);
    refunded(&mut payment, "r1", 1000);
    assert_eq!(names(&payment, &[]), Vec::<&str>::new());
}

#[test]
fn what_is_on_its_way_is_not_given_away_twice() {
    let mut payment = payment();
    let on_its_way = [pending_of(Kind::Capture, 700)];
    assert_eq!(payment.capturable(&on_its_way), amount(300));
    assert_eq!(names(&payment, &on_its_way), ["capture"]);
    let too_much = payment.plan_capture(&on_its_way, &share(301), Risk::Klarna, 0).unwrap_err();
    assert_eq!(too_much.to_string(), "amount: 301 is more than the 300 that can be captured");
    assert_eq!(names(&payment, &[pending_of(Kind::Cancel, 0)]), Vec::<&str>::new());
    captured(&mut payment, "c1", 500);
    assert_eq!(payment.refundable(&[pending_of(Kind::Refund, 200)]), amount(300));
}

#[test]
fn the_same_capture_is_recorded_once() {
    let mut payment = payment();
    assert_eq!(captured(&mut payment, "c1", 600), Some(Happened::Captured));
    assert_eq!(captured(&mut payment, "c1", 600), None);
    assert_eq!(payment.amounts.captured, amount(600));
}

#[test]
fn everything_means_what_is_recorded_as_left() {
    let mut payment = payment();
    let all = payment.plan_capture(&[], &Share::default(), Risk::Klarna, 0).unwrap();
    assert_eq!((all.amount, all.order_lines.len()), (amount(1000), 2));
    captured(&mut payment, "c1", 250);
    let rest = payment.plan_capture(&[], &Share::default(), Risk::Klarna, 0).unwrap();
    // The first capture did not say its lines, so the rest's lines cannot be told.
    assert_eq!((rest.amount, rest.order_lines.len()), (amount(750), 0));
}

#[test]
fn lines_and_amount_must_agree() {
    let payment = payment();
    let wanted = Wanted { reference: "cup".to_owned(), quantity: 2 };
    let both = |minor| Share { amount: Some(amount(minor)), lines: Some(vec![wanted.clone()]) };
    assert_eq!(payment.plan_capture(&[], &both(400), Risk::Klarna, 0).unwrap().amount, amount(400));
    let error = payment.plan_capture(&[], &both(401), Risk::Klarna, 0).unwrap_err();
    assert_eq!(error.to_string(), "amount: 401 differs from 400, the sum of the lines");
}

#[test]
fn nothing_and_less_than_nothing_are_refused() {
    let payment = payment();
    for minor in [0, -1] {
        let error = payment.plan_capture(&[], &share(minor), Risk::Klarna, 0).unwrap_err();
        assert_eq!(error, Rejection::NotPositive(amount(minor)));
    }
}

#[test]
fn a_capture_under_review_is_held() {
    let mut payment = payment();
    payment.fraud = Fraud::Pending;
    assert!(payment.plan_capture(&[], &share(100), Risk::Klarna, 0).unwrap().held);
    assert!(payment.actions(&[], 0).0[0].waits_for_fraud_decision);
}

#[test]
fn a_late_acceptance_does_not_resurrect_a_cancelled_order() {
    let mut payment = payment();
    payment.record_cancel();
    let mut order = books(&payment);
    order.status = Some(Status::Authorized);
    let before = payment.clone();
    assert_eq!(payment.take_over(order, 0), [Happened::Alarm]);
    assert_eq!(payment, before);
}

#[test]
fn unsound_books_are_an_alarm_and_change_nothing() {
    let mut payment = payment();
    let mut order = books(&payment);
    order.amounts.captured = amount(1001);
    let before = payment.clone();
    assert_eq!(payment.take_over(order, 0), [Happened::Alarm]);
    assert_eq!(payment, before);
}

#[test]
fn a_read_tells_what_happened_elsewhere() {
    let mut payment = payment();
    payment.fraud = Fraud::Pending;
    let mut elsewhere = payment.clone();
    captured(&mut elsewhere, "c1", 1000);
    elsewhere.fraud = Fraud::Accepted;
    let happened = payment.take_over(books(&elsewhere), 0);
    assert_eq!(happened, [Happened::FraudAccepted, Happened::Captured]);
    assert_eq!(payment.take_over(books(&elsewhere), 0), []);
}

#[test]
fn a_lapse_is_looked_at_when_it_has_come() {
    let mut payment = payment();
    let expires_at_ms = payment.expires_at_ms.unwrap();
    assert_eq!(payment.next_check_at_ms(0), Some(expires_at_ms + AFTER_EXPIRY_MS));
    let late = expires_at_ms + AFTER_EXPIRY_MS;
    assert_eq!(payment.next_check_at_ms(late), Some(late + PENDING_LIMIT_MS));
    payment.expires_at_ms = None;
    assert_eq!(payment.next_check_at_ms(0), None);
}

#[test]
fn a_lapse_is_told_of_what_was_captured_in_part_too() {
    for (captured_before, status, expected) in [
        (0, Status::Expired, vec![Happened::Expired]),
        (400, Status::Closed, vec![Happened::Expired, Happened::Closed]),
    ] {
        let mut payment = payment();
        if captured_before > 0 {
            captured(&mut payment, "c1", captured_before);
        }
        let mut order = books(&payment);
        order.status = Some(status);
        order.amounts.remaining = amount(0);
        let now_ms = payment.expires_at_ms.unwrap() + 1;
        assert_eq!(payment.take_over(order, now_ms), expected);
    }
}

#[test]
fn a_later_expiry_starts_a_new_calendar() {
    let mut payment = payment();
    payment.expiry.noticed_days = Some(2);
    let mut order = books(&payment);
    order.expires_at_ms = payment.expires_at_ms.map(|at_ms| at_ms + 1);
    assert_eq!(payment.take_over(order, 7), [Happened::Extended]);
    assert_eq!(payment.expiry, Calendar { look_at_ms: Some(7), ..Calendar::default() });
}

#[test]
fn an_acceptance_that_comes_too_late_is_not_told() {
    for status in [Status::Cancelled, Status::Expired] {
        let mut payment = payment();
        payment.fraud = Fraud::Pending;
        payment.status = status;
        payment.amounts.remaining = amount(0);
        let mut order = books(&payment);
        order.fraud = Some(Fraud::Accepted);
        assert_eq!(payment.take_over(order, 0), [Happened::Updated], "{status:?}");
        assert_eq!(payment.fate_of_held(), Held::Over(status));
    }
}

#[test]
fn a_refused_risk_is_looked_at_again_when_klarna_has_cancelled() {
    let mut payment = payment();
    payment.fraud = Fraud::Pending;
    let mut order = books(&payment);
    order.fraud = Some(Fraud::Other("STOPPED".to_owned()));
    assert_eq!(payment.take_over(order, 9), [Happened::FraudRejected]);
    assert_eq!(payment.fate_of_held(), Held::Rejected);
    let until_ms = 9 + limits::OVERRULABLE_FOR_MS;
    assert_eq!(payment.next_check_at_ms(10), Some(until_ms + AFTER_EXPIRY_MS));
}

#[test]
fn what_was_changed_for_us_is_recorded() {
    let mut payment = payment();
    captured(&mut payment, "c1", 400);
    let lines = vec![line("cup", 2, 200)];
    assert_eq!(payment.record_update(amount(700), lines.clone()), Some(Happened::Reauthorized));
    assert_eq!(payment.record_update(amount(700), lines.clone()), None);
    assert_eq!((payment.amounts.authorized, payment.amounts.remaining), (amount(700), amount(300)));
    payment.record_update(amount(400), lines);
    assert_eq!(payment.status, Status::Captured);
    assert!(payment.amounts.are_sound());
    payment.record_references(None, Some(&"B-2".to_owned()));
    payment.record_references(Some(&"WEB-2".to_owned()), None);
    assert_eq!(payment.merchant_reference, "WEB-2");
    assert_eq!(payment.merchant_reference2.as_deref(), Some("B-2"));
    payment.record_references(None, Some(&String::new()));
    assert_eq!(payment.merchant_reference2, None);
    payment.record_due_date("c1", 30);
    payment.record_parcels(Some(&"c1".to_owned()), &[ShippingInfo::default()], 0);
    payment.record_parcels(Some(&"c1".to_owned()), &[ShippingInfo::default()], 0);
    payment.record_parcels(None, &[ShippingInfo::default()], 0);
    let order = books(&payment);
    payment.take_over(order, 0);
    // Klarna's books do not show due dates: what we know stays.
    assert_eq!(payment.captures[0].due_date_extensions, [30]);
    assert_eq!((payment.captures[0].shipping_info.len(), payment.shipping_info.len()), (1, 1));
}

#[test]
fn a_payment_under_review_is_read_until_it_is_decided() {
    let mut payment = payment();
    payment.fraud = Fraud::Pending;
    assert_eq!(payment.next_check_at_ms(5), Some(5 + PENDING_CHECK_MS));
    let order = books(&payment);
    assert_eq!(payment.take_over(order, PENDING_LIMIT_MS + 1), [Happened::FraudOverdue]);
    payment.status = Status::Cancelled;
    assert_eq!(payment.next_check_at_ms(5), None);
}

#[derive(Debug, Clone)]
enum Command {
    Capture(i64),
    CaptureUnits(bool, i64),
    Refund(i64),
    RefundUnits(bool, i64),
    Cancel,
    Release,
    Finish(usize),
    Fail(usize),
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (-5_i64..1200).prop_map(Command::Capture),
        (any::<bool>(), 0_i64..5).prop_map(|(first, units)| Command::CaptureUnits(first, units)),
        (-5_i64..1200).prop_map(Command::Refund),
        (any::<bool>(), 0_i64..5).prop_map(|(first, units)| Command::RefundUnits(first, units)),
        Just(Command::Cancel),
        Just(Command::Release),
        (0_usize..4).prop_map(Command::Finish),
        (0_usize..4).prop_map(Command::Fail),
    ]
}

fn goods(share: Share) -> RefundShare {
    RefundShare { share, ..RefundShare::default() }
}

fn units(first: bool, quantity: i64) -> Share {
    let reference = if first { "cup" } else { "pot" }.to_owned();
    Share { amount: None, lines: Some(vec![Wanted { reference, quantity }]) }
}

proptest! {
    /// Whatever is asked for, in whatever order, with any number of operations on their way:
    /// captured ≤ authorised and refunded ≤ captured at every instant.
    #[test]
    fn captured_within_authorised_and_refunded_within_captured(
        commands in proptest::collection::vec(any_command(), 1..60),
    ) {
        let mut payment = payment();
        let mut on_its_way: Vec<Pending> = Vec::new();
        for (index, command) in commands.into_iter().enumerate() {
            let planned = |kind, plan: Result<Planned, Rejection>| {
                plan.ok().map(|planned| Pending {
                    kind,
                    state: State::Running,
                    held: false,
                    amount: planned.amount,
                    order_lines: planned.order_lines,
                    capture_id: None,
                })
            };
            let pending = &on_its_way;
            let new = match command {
                Command::Capture(minor) => {
                    planned(Kind::Capture, payment.plan_capture(pending, &share(minor), Risk::Klarna, 0))
                }
                Command::CaptureUnits(first, quantity) => {
                    planned(Kind::Capture, payment.plan_capture(pending, &units(first, quantity), Risk::Klarna, 0))
                }
                Command::Refund(minor) => {
                    planned(Kind::Refund, payment.plan_refund(pending, &goods(share(minor))))
                }
                Command::RefundUnits(first, quantity) => {
                    planned(Kind::Refund, payment.plan_refund(pending, &goods(units(first, quantity))))
                }
                Command::Cancel => {
                    payment.check_cancel(pending, 0).ok().map(|()| pending_of(Kind::Cancel, 0))
                }
                Command::Release => {
                    payment.check_release(pending, 0).ok().map(|()| pending_of(Kind::Release, 0))
                }
                Command::Finish(at) => {
                    if at < on_its_way.len() {
                        let done = on_its_way.remove(at);
                        let id = format!("k{index}");
                        match done.kind {
                            Kind::Capture => {
                                payment.record_capture(Capture {
                                    id,
                                    amount: done.amount,
                                    refunded: amount(0),
                                    description: None,
                                    reference: None,
                                    klarna_reference: None,
                                    order_lines: done.order_lines,
                                    captured_at_ms: 0,
                                    shipping_info: Vec::new(),
                                    due_date_extensions: Vec::new(),
                                    operation_id: None,
                                });
                            }
                            Kind::Refund => {
                                payment.record_refund(Refund {
                                    id,
                                    amount: done.amount,
                                    description: None,
                                    reference: None,
                                    order_lines: done.order_lines,
                                    refunded_at_ms: 0,
                                    capture_id: None,
                                    operation_id: None,
                                });
                            }
                            Kind::Cancel => {
                                payment.record_cancel();
                            }
                            Kind::Release => {
                                payment.record_release();
                            }
                            Kind::PlaceOrder
                            | Kind::Change(_)
                            | Kind::CreateToken
                            | Kind::Charge
                            | Kind::CancelToken => {}
                        }
                    }
                    None
                }
                Command::Fail(at) => {
                    if at < on_its_way.len() {
                        on_its_way.remove(at);
                    }
                    None
                }
            };
            on_its_way.extend(new);
            prop_assert!(payment.amounts.are_sound(), "{:?}", payment.amounts);
            let captures: i64 = payment.captures.iter().map(|capture| capture.amount.get()).sum();
            prop_assert_eq!(captures, payment.amounts.captured.get());
            let on_its_way_sum: i64 = on_its_way
                .iter()
                .filter(|operation| operation.kind == Kind::Capture)
                .map(|operation| operation.amount.get())
                .sum();
            prop_assert!(captures + on_its_way_sum <= 1000);
        }
    }
}
