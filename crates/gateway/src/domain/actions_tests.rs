//! Tests of what can be done: an action is offered exactly when it would be accepted.

use klarna_types::Currency;
use proptest::prelude::*;

use super::super::change::Change;
use super::super::payment::tests::{amount, captured, line, payment, pending_of, refunded, share};
use super::super::payment::{Method, Status};
use super::*;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn update(minor: i64) -> NewAuthorization {
    NewAuthorization { amount: Some(amount(minor)), lines: None }
}

fn goods(share: Share) -> RefundShare {
    RefundShare { share, ..RefundShare::default() }
}

fn paid_by(kind: &str, country: &str) -> Payment {
    let method = Method { kind: kind.to_owned(), description: None, number_of_installments: None };
    Payment { method: Some(method), country: country.to_owned(), ..payment() }
}

fn find(payment: &Payment, kind: Kind, now_ms: i64) -> Result<Action, Rejection> {
    payment.action(kind, &[], now_ms).unwrap()
}

fn offers(payment: &Payment) -> String {
    Kind::ALL
        .into_iter()
        .filter_map(|kind| payment.action(kind, &[], 0))
        .map(|found| if found.is_ok() { '+' } else { '-' })
        .collect()
}

/// The columns: capture, refund, cancel, release; update, extend, customer, references, parcels,
/// mail, due date, acknowledge.
#[test]
fn what_is_offered_follows_the_status() {
    let mut payment = payment();
    assert_eq!(offers(&payment), "+-+-+++++--+");
    captured(&mut payment, "c1", 600);
    assert_eq!(offers(&payment), "++-+++++++++");
    captured(&mut payment, "c2", 400);
    assert_eq!(offers(&payment), "-+-----+++++");
    refunded(&mut payment, "r1", 1000);
    assert_eq!(offers(&payment), "-------+++-+");
    for (status, expected) in [
        (Status::Cancelled, "--------+---"),
        (Status::Expired, "-------++---"),
        (Status::Closed, "-------+++--"),
    ] {
        payment.status = status;
        assert_eq!(offers(&payment), expected, "{status:?}");
    }
}

#[test]
fn limits_come_with_the_offer() {
    let mut payment = paid_by("INVOICE", "SE");
    captured(&mut payment, "c1", 600);
    let expires_at_ms = payment.expires_at_ms;
    let capture = find(&payment, Kind::Capture, 0).unwrap();
    assert_eq!((capture.max_amount, capture.until_ms), (Some(amount(400)), expires_at_ms));
    let refund = find(&payment, Kind::Refund, 0).unwrap();
    assert_eq!((refund.max_amount, refund.until_ms), (Some(amount(600)), None));
    assert_eq!((refund.capture_ids, refund.return_fee), (vec!["c1".to_owned()], false));
    let update = find(&payment, Kind::Change(Change::UpdateAuthorization), 0).unwrap();
    assert_eq!(update.min_amount, Some(amount(600)));
    assert_eq!(update.max_amount, Some(amount(limits::LARGEST_ORDER_MINOR)));
    let due = find(&payment, Kind::Change(Change::ExtendDueDate), 0).unwrap();
    assert_eq!(due.capture_ids, ["c1"]);
    let card = paid_by("PAY_BY_CARD", "SE");
    let update = find(&card, Kind::Change(Change::UpdateAuthorization), 0).unwrap();
    assert_eq!(update.max_amount, Some(amount(1000)));
    let extend = find(&card, Kind::Change(Change::ExtendAuthorization), 0);
    assert!(matches!(extend, Err(Rejection::NotOffered { .. })));
}

#[test]
fn what_lapses_is_not_offered_any_more() {
    let payment = payment();
    let end = payment.expires_at_ms.unwrap();
    for kind in [
        Kind::Capture,
        Kind::Cancel,
        Kind::Change(Change::UpdateAuthorization),
        Kind::Change(Change::ExtendAuthorization),
    ] {
        assert!(find(&payment, kind, end - 1).is_ok(), "{kind:?}");
        assert_eq!(find(&payment, kind, end).unwrap_err(), Rejection::Lapsed, "{kind:?}");
    }
    let old = Payment { expires_at_ms: Some(200 * DAY_MS), ..payment };
    let extend = |at_ms| find(&old, Kind::Change(Change::ExtendAuthorization), at_ms);
    assert_eq!(extend(180 * DAY_MS - 1).unwrap().until_ms, Some(180 * DAY_MS));
    assert_eq!(extend(180 * DAY_MS).unwrap_err(), Rejection::TooOld);
}

#[test]
fn a_refused_risk_is_captured_only_by_who_takes_it() {
    let mut payment = payment();
    for fraud in [Fraud::Rejected, Fraud::Other("STOPPED".to_owned())] {
        payment.fraud = fraud;
        payment.fraud_decided_at_ms = Some(DAY_MS);
        let until_ms = DAY_MS + 4 * HOUR_MS;
        let capture = |risk, at_ms| payment.plan_capture(&[], &share(1000), risk, at_ms);
        let refused = capture(Risk::Klarna, DAY_MS).unwrap_err();
        let overrule_until_ms = Some(until_ms);
        assert_eq!(refused, Rejection::FraudRejected { overrule_until_ms });
        assert!(!capture(Risk::Merchant, until_ms - 1).unwrap().held);
        let late = capture(Risk::Merchant, until_ms).unwrap_err();
        assert_eq!(late, Rejection::FraudRejected { overrule_until_ms: None });
        assert!(find(&payment, Kind::Capture, DAY_MS).is_err());
        assert!(find(&payment, Kind::Cancel, DAY_MS).is_ok());
    }
}

#[test]
fn a_payment_under_review_can_be_cancelled_though_a_capture_waits() {
    let mut payment = payment();
    payment.fraud = Fraud::Pending;
    let waiting = Pending { held: true, state: State::Queued, ..pending_of(Kind::Capture, 1000) };
    assert!(payment.check_cancel(std::slice::from_ref(&waiting), 0).is_ok());
    let asked = Pending { held: false, ..waiting };
    assert!(payment.check_cancel(&[asked], 0).is_err());
}

#[test]
fn a_new_total_stays_between_what_is_captured_and_what_klarna_offers() {
    let mut payment = paid_by("PAY_BY_CARD", "SE");
    captured(&mut payment, "c1", 300);
    let on_its_way = [pending_of(Kind::Capture, 200)];
    let plan = |minor| payment.plan_update(&on_its_way, &update(minor), 0);
    assert_eq!(plan(500).unwrap().0, amount(500));
    assert_eq!(
        plan(499).unwrap_err(),
        Rejection::TooLittle { wanted: amount(499), limit: amount(500) }
    );
    assert!(matches!(plan(1001).unwrap_err(), Rejection::NotOffered { .. }));
    assert_eq!(plan(0).unwrap_err(), Rejection::NotPositive(amount(0)));
    let invoice = paid_by("INVOICE", "SE");
    assert_eq!(invoice.plan_update(&[], &update(5000), 0).unwrap().0, amount(5000));
    let too_much = invoice.plan_update(&[], &update(200_000_001), 0).unwrap_err();
    assert!(matches!(too_much, Rejection::TooMuch { .. }));
    let nothing = invoice.plan_update(&[], &NewAuthorization::default(), 0).unwrap_err();
    assert!(matches!(nothing, Rejection::Missing { member: "amount", .. }));
}

#[test]
fn a_total_alone_keeps_the_lines_and_adjusts_once() {
    let mut payment = payment();
    let (total, lines) = payment.plan_update(&[], &update(900), 0).unwrap();
    assert_eq!((total, lines.len()), (amount(900), 3));
    assert_eq!(
        (lines[2].total_amount, lines[2].kind.clone()),
        (amount(-100), Some(OrderLineType::Discount))
    );
    payment.record_update(total, lines);
    let (total, lines) = payment.plan_update(&[], &update(1100), 0).unwrap();
    assert_eq!((lines.len(), lines[2].total_amount), (3, amount(100)));
    payment.record_update(total, lines);
    let (_, lines) = payment.plan_update(&[], &update(1000), 0).unwrap();
    assert_eq!(lines.len(), 2, "the sum of the goods needs no adjustment");
}

#[test]
fn new_lines_are_a_cart_that_adds_up() {
    let payment = Payment { currency: Currency::SEK, ..payment() };
    let input = cart::LineInput {
        kind: cart::LineKind::Physical,
        reference: Some("cup".to_owned()),
        name: "cup".to_owned(),
        quantity: 2,
        unit_price: amount(450),
        tax_rate: TaxRate::new(2500),
        discount: None,
        image_url: None,
        product_url: None,
    };
    let plan = |amount: Option<MinorUnits>, lines| {
        let lines = Some((cart::PricesMode::IncludingTax, lines));
        payment.plan_update(&[], &NewAuthorization { amount, lines }, 0)
    };
    assert_eq!(plan(None, vec![input.clone()]).unwrap().0, amount(900));
    let differs = plan(Some(amount(901)), vec![input.clone()]).unwrap_err();
    assert!(matches!(differs, Rejection::LinesDiffer { .. }));
    let negative = cart::LineInput { quantity: -1, ..input };
    let wrong = plan(None, vec![negative]).unwrap_err();
    assert!(wrong.to_string().starts_with("lines[0].quantity"), "{wrong}");
}

#[test]
fn a_lower_total_that_is_on_its_way_limits_captures() {
    let mut payment = payment();
    captured(&mut payment, "c1", 100);
    let lower = [pending_of(Kind::Change(Change::UpdateAuthorization), 400)];
    assert_eq!(payment.capturable(&lower), amount(300));
    let higher = [pending_of(Kind::Change(Change::UpdateAuthorization), 4000)];
    assert_eq!(payment.capturable(&higher), amount(900));
    assert!(payment.plan_update(&lower, &update(900), 0).is_err(), "one at a time");
    assert!(payment.check_release(&lower, 0).is_err());
}

fn fee(minor: i64) -> ReturnFee {
    ReturnFee { amount: amount(minor), name: "Return fee".to_owned(), tax_rate: TaxRate::new(2500) }
}

#[test]
fn a_return_fee_is_taken_off_where_it_may_be() {
    let with_fee = |payment: &Payment, minor, fee| {
        let wanted = RefundShare { return_fee: Some(fee), ..goods(share(minor)) };
        payment.plan_refund(&[], &wanted)
    };
    let mut once = payment();
    captured(&mut once, "c1", 1000);
    let planned = with_fee(&once, 600, fee(50)).unwrap();
    assert_eq!(planned.amount, amount(550));
    assert_eq!(lines::sum(&planned.order_lines), Some(amount(550)));
    let line = planned.order_lines.last().unwrap();
    assert_eq!(line.kind, Some(OrderLineType::ReturnFee));
    assert_eq!(
        (line.quantity, line.unit_price, line.total_tax_amount),
        (1, amount(-50), Some(amount(-10)))
    );
    assert!(find(&once, Kind::Refund, 0).unwrap().return_fee);
    // The fee itself may be given back later, as money.
    once.record_refund(super::super::payment::Refund {
        id: "r".to_owned(),
        amount: planned.amount,
        description: None,
        reference: None,
        order_lines: planned.order_lines,
        refunded_at_ms: 0,
        capture_id: None,
        operation_id: None,
    });
    assert_eq!(once.plan_refund(&[], &goods(share(50))).unwrap().amount, amount(50));
    for (wrong, minor) in [(fee(0), 600), (fee(600), 600), (fee(-5), 600)] {
        assert!(matches!(with_fee(&once, minor.min(400), wrong), Err(Rejection::ReturnFee(_))));
    }
    let mut twice = payment();
    captured(&mut twice, "c1", 400);
    captured(&mut twice, "c2", 600);
    assert!(matches!(with_fee(&twice, 100, fee(5)), Err(Rejection::ReturnFee(_))));
    let mut briton = Payment { country: "GB".to_owned(), ..payment() };
    captured(&mut briton, "c1", 1000);
    assert!(matches!(with_fee(&briton, 100, fee(5)), Err(Rejection::ReturnFee(_))));
}

#[test]
fn a_refund_of_one_capture_takes_no_more_than_it_took() {
    let mut payment = payment();
    let cups = vec![line("cup", 2, 200)];
    let rest = vec![line("cup", 1, 200), line("pot", 1, 400)];
    for (id, minor, order_lines) in [("c1", 400, cups), ("c2", 600, rest)] {
        payment.record_capture(Capture {
            id: id.to_owned(),
            amount: amount(minor),
            refunded: amount(0),
            description: None,
            reference: None,
            klarna_reference: None,
            order_lines,
            captured_at_ms: 0,
            shipping_info: Vec::new(),
            due_date_extensions: Vec::new(),
            operation_id: None,
        });
    }
    let of = |id: &str, share| RefundShare { capture_id: Some(id.to_owned()), ..goods(share) };
    let all = payment.plan_refund(&[], &of("c2", Share::default())).unwrap();
    assert_eq!((all.amount, all.order_lines.len()), (amount(600), 2));
    assert!(matches!(
        payment.plan_refund(&[], &of("c1", share(401))),
        Err(Rejection::TooMuch { .. })
    ));
    assert!(matches!(payment.plan_refund(&[], &of("c9", share(1))), Err(Rejection::NoCapture(_))));
    let cups = |quantity| Share {
        amount: None,
        lines: Some(vec![Wanted { reference: "cup".to_owned(), quantity }]),
    };
    assert_eq!(payment.plan_refund(&[], &of("c2", cups(1))).unwrap().amount, amount(200));
    assert!(matches!(payment.plan_refund(&[], &of("c2", cups(2))), Err(Rejection::Lines(_))));
    let on_its_way =
        [Pending { capture_id: Some("c1".to_owned()), ..pending_of(Kind::Refund, 300) }];
    let limit = payment.plan_refund(&on_its_way, &of("c1", share(101))).unwrap_err();
    assert_eq!(
        limit,
        Rejection::TooMuch { wanted: amount(101), limit: amount(100), what: "refunded" }
    );
    assert_eq!(payment.addressable(&on_its_way), ["c1", "c2"]);
}

fn any_payment() -> impl Strategy<Value = Payment> {
    ((0_i64..4, 0_i64..5, 0_usize..6, 0_usize..4), (0_usize..5, 0_usize..5, 0_i64..200)).prop_map(
        |((captures, refunds, status, fraud), (method, country, age_days))| {
            let mut payment = payment();
            for index in 0..captures {
                captured(
                    &mut payment,
                    &format!("c{index}"),
                    [300, 300, 400][usize::try_from(index).unwrap()],
                );
            }
            for index in 0..refunds {
                if payment.amounts.refundable() >= amount(200) {
                    refunded(&mut payment, &format!("r{index}"), 200);
                }
            }
            // Half of the time the status is what the captures say.
            if let Some(status) = [Status::Cancelled, Status::Expired, Status::Closed].get(status) {
                payment.status = *status;
                payment.amounts.remaining = amount(0);
            }
            payment.fraud = [
                Fraud::Accepted,
                Fraud::Pending,
                Fraud::Rejected,
                Fraud::Other("STOPPED".to_owned()),
            ][fraud]
                .clone();
            payment.country = ["SE", "DE", "US", "CH", "GB"][country].to_owned();
            payment.expires_at_ms = (age_days < 190).then_some((age_days + 10) * DAY_MS);
            let kinds = ["INVOICE", "PAY_BY_CARD", "FIXED_SUM_CREDIT", "PAY_IN_X"];
            payment.method = kinds.get(method).map(|kind| Method {
                kind: (*kind).to_owned(),
                description: None,
                number_of_installments: None,
            });
            payment
        },
    )
}

fn any_pending() -> impl Strategy<Value = Vec<Pending>> {
    let one = (0..Kind::ALL.len(), 0..State::ALL.len(), 1_i64..200, any::<bool>());
    proptest::collection::vec(one, 0..3).prop_map(|all| {
        all.into_iter()
            .map(|(kind, state, minor, held)| Pending {
                state: State::ALL[state],
                held,
                ..pending_of(Kind::ALL[kind], minor)
            })
            .collect()
    })
}

/// Whether the plainest request for an action, for as much as `minor` where it has an amount, would
/// be accepted.
fn accepts(
    payment: &Payment,
    kind: Kind,
    pending: &[Pending],
    minor: MinorUnits,
    now_ms: i64,
) -> bool {
    let some = Share { amount: Some(minor), lines: None };
    match kind {
        Kind::PlaceOrder | Kind::CreateToken | Kind::Charge | Kind::CancelToken => false,
        Kind::Capture => payment.plan_capture(pending, &some, Risk::Klarna, now_ms).is_ok(),
        Kind::Refund => payment.plan_refund(pending, &goods(some)).is_ok(),
        Kind::Cancel => payment.check_cancel(pending, now_ms).is_ok(),
        Kind::Release => payment.check_release(pending, now_ms).is_ok(),
        Kind::Change(Change::UpdateAuthorization) => {
            let wanted = NewAuthorization { amount: Some(minor), lines: None };
            payment.plan_update(pending, &wanted, now_ms).is_ok()
        }
        Kind::Change(Change::ExtendAuthorization) => payment.check_extend(pending, now_ms).is_ok(),
        Kind::Change(Change::UpdateCustomer) => payment.check_customer(pending, now_ms).is_ok(),
        Kind::Change(Change::UpdateReferences) => payment.check_references(pending).is_ok(),
        Kind::Change(Change::AddShippingInfo) => true,
        Kind::Change(Change::ResendCommunication) => payment.check_captures("x").is_ok(),
        Kind::Change(Change::ExtendDueDate) => payment.check_due_dates().is_ok(),
        Kind::Change(Change::Acknowledge) => payment.check_acknowledge().is_ok(),
    }
}

proptest! {
    /// Whatever became of a payment and whatever is on its way: each action is either offered or
    /// refused with a reason; it is offered exactly when it is accepted; up to its limits it is
    /// accepted, and beyond them it is not.
    #[test]
    fn an_action_is_offered_exactly_when_it_is_accepted(
        payment in any_payment(),
        pending in any_pending(),
        now_days in 0_i64..220,
    ) {
        let now_ms = now_days * DAY_MS;
        let (offered, refused) = payment.actions(&pending, now_ms);
        // Neither making an order nor what is done to a customer token is an action on a payment.
        prop_assert_eq!(offered.len() + refused.len(), Kind::ALL.len() - 4);
        for action in &offered {
            let kind = action.action;
            let takes = |minor| accepts(&payment, kind, &pending, minor, now_ms);
            let one = amount(1);
            for limit in [action.max_amount, action.min_amount].into_iter().flatten() {
                prop_assert!(takes(limit), "{kind:?} at its limit {limit}");
            }
            match (action.max_amount, action.min_amount) {
                (Some(most), least) => {
                    let more = most.checked_add(one).unwrap();
                    prop_assert!(!takes(more), "{kind:?} beyond {most}");
                    if let Some(least) = least {
                        let less = least.checked_sub(one).unwrap();
                        prop_assert!(!takes(less), "{kind:?} below {least}");
                    }
                }
                (None, _) => prop_assert!(takes(one), "{kind:?}"),
            }
            if let Some(until_ms) = action.until_ms {
                prop_assert!(now_ms < until_ms, "{kind:?} is offered until {until_ms}");
            }
            for id in &action.capture_ids {
                prop_assert!(payment.capture(id).is_ok());
            }
        }
        for unavailable in &refused {
            let kind = unavailable.action;
            for minor in [1, 100, 400, 1000] {
                prop_assert!(!accepts(&payment, kind, &pending, amount(minor), now_ms), "{kind:?}");
            }
        }
    }
}
