//! What a subscription does, case by case and under whatever people do to it.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::calendar::{Interval, Rhythm};
use super::super::dunning::{Policy, StepUp};
use super::super::operation::{Effect, Failure, Reason, StepUpId};
use super::super::plan;
use super::*;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn shown(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap().to_string()
}

fn monthly() -> Terms {
    plan::tests::terms()
}

fn incomplete(terms: Terms, trial_days: i64) -> Subscription {
    Subscription {
        id: "sub_1".to_owned(),
        store_id: "default".to_owned(),
        version: 1,
        status: Status::Incomplete,
        merchant_reference: "SUB-1".to_owned(),
        customer_id: None,
        customer_token_id: None,
        checkout_id: None,
        plan_id: "plan_1".to_owned(),
        terms,
        next_plan: None,
        start: Start { at_ms: None, zone: "Europe/Stockholm".to_owned(), trial_days },
        calendar: None,
        next_index: 0,
        next_number: 1,
        open: None,
        cancel_at_period_end: false,
        paused_at_ms: None,
        ended: None,
        created_at_ms: 0,
        updated_at_ms: 0,
    }
}

fn begun(trial_days: i64, now: &str) -> Subscription {
    let mut subscription = incomplete(monthly(), trial_days);
    subscription.begin("ctk_1", First::Charge, at(now)).unwrap();
    subscription
}

fn refusal(reason: Reason, step_up_id: Option<&str>) -> Refusal {
    Refusal {
        reason,
        detail: String::new(),
        remedy: String::new(),
        klarna: Some(Failure {
            effect: Effect::Refused,
            status: Some(403),
            error_code: None,
            error_messages: Vec::new(),
            correlation_id: None,
            retry_after_ms: None,
            summary: String::new(),
            step_up_id: step_up_id.map(|id| Box::new(StepUpId(id.to_owned()))),
        }),
    }
}

fn declined() -> Refusal {
    refusal(Reason::Declined, None)
}

/// Charges that are paid at once, until nothing is due.
fn charge_all(subscription: &mut Subscription, now_ms: i64) -> Vec<(i64, String)> {
    let mut charged = Vec::new();
    while let Due::Charge(attempt) = subscription.run(now_ms) {
        charged.push((attempt.number, shown(attempt.due_at_ms)));
        assert!(subscription.paid(attempt.number));
    }
    charged
}

#[test]
fn subscription_transitions_are_exactly_these() {
    use Status::{Active, Cancelled, Incomplete, PastDue, Paused, Suspended, Trialing};
    let legal = [
        (Incomplete, Step::Begin, Trialing),
        (Incomplete, Step::BeginPaid, Active),
        (Incomplete, Step::Cancel, Cancelled),
        (Trialing, Step::Paid, Active),
        (Trialing, Step::Fail, PastDue),
        (Trialing, Step::Suspend, Suspended),
        (Trialing, Step::Pause, Paused),
        (Trialing, Step::Cancel, Cancelled),
        (Active, Step::Paid, Active),
        (Active, Step::Fail, PastDue),
        (Active, Step::Suspend, Suspended),
        (Active, Step::Pause, Paused),
        (Active, Step::Cancel, Cancelled),
        (PastDue, Step::Paid, Active),
        (PastDue, Step::Fail, PastDue),
        (PastDue, Step::Suspend, Suspended),
        (PastDue, Step::Cancel, Cancelled),
        (Paused, Step::Resume, Active),
        (Paused, Step::Cancel, Cancelled),
        (Suspended, Step::Resume, Active),
        (Suspended, Step::Cancel, Cancelled),
    ];
    for status in Status::ALL {
        for step in Step::ALL {
            let expected = legal
                .iter()
                .find(|(from, by, _)| (*from, *by) == (status, step))
                .map(|(_, _, to)| *to);
            assert_eq!(next(status, step), expected, "{status:?} {step:?}");
        }
    }
}

#[test]
fn the_first_charge_is_due_at_once_and_then_each_month() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    let now_ms = at("2028-01-31T08:00:00Z");
    assert_eq!(charge_all(&mut subscription, now_ms), [(1, "2028-01-31T08:00:00Z".to_owned())]);
    assert_eq!(subscription.status, Status::Active);
    assert_eq!(subscription.next_charge_at_ms().map(shown).unwrap(), "2028-02-29T08:00:00Z");
    assert_eq!(subscription.run(now_ms), Due::Nothing);
    // Clocks in Sweden have moved: nine o'clock is nine o'clock.
    assert_eq!(
        charge_all(&mut subscription, at("2028-04-30T12:00:00Z")),
        [
            (2, "2028-02-29T08:00:00Z".to_owned()),
            (3, "2028-03-31T07:00:00Z".to_owned()),
            (4, "2028-04-30T07:00:00Z".to_owned()),
        ]
    );
}

#[test]
fn a_trial_is_free() {
    let mut subscription = begun(14, "2028-02-17T08:00:00Z");
    assert_eq!(subscription.status, Status::Trialing);
    assert!(charge_all(&mut subscription, at("2028-03-02T07:59:59Z")).is_empty());
    assert_eq!(charge_all(&mut subscription, at("2028-03-02T08:00:00Z")).len(), 1);
}

#[test]
fn a_first_payment_stands_for_the_first_period() {
    let mut subscription = incomplete(monthly(), 0);
    let now_ms = at("2028-01-31T08:00:00Z");
    subscription.begin("ctk_1", First::PaidByCheckout, now_ms).unwrap();
    assert_eq!((subscription.status, subscription.next_number), (Status::Active, 2));
    assert_eq!(subscription.next_charge_at_ms().map(shown).unwrap(), "2028-02-29T08:00:00Z");
    // With a trial it was a payment for something else.
    let mut trial = incomplete(monthly(), 7);
    trial.begin("ctk_1", First::PaidByCheckout, now_ms).unwrap();
    assert_eq!((trial.status, trial.next_number), (Status::Trialing, 1));
}

#[test]
fn a_failed_charge_is_retried_and_then_given_up() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    let start_ms = at("2028-01-31T08:00:00Z");
    assert!(matches!(subscription.run(start_ms), Due::Charge(Attempt { attempt: 1, .. })));
    // Klarna is being asked: nothing is due, whatever the time.
    assert_eq!(subscription.run(start_ms + 100 * DAY_MS), Due::Nothing);
    for (attempt, day) in [(2, 1), (3, 3), (4, 5), (5, 7)] {
        let failed = subscription.failed(1, &declined(), start_ms + (day - 1) * DAY_MS);
        assert!(matches!(failed, Some(Failed::Waits(_))), "{failed:?}");
        assert_eq!(subscription.status, Status::PastDue);
        assert_eq!(subscription.run(start_ms + day * DAY_MS - 1), Due::Nothing);
        let due = subscription.run(start_ms + day * DAY_MS);
        assert!(
            matches!(due, Due::Charge(Attempt { number: 1, attempt: tried, .. }) if tried == attempt),
            "{due:?}"
        );
    }
    let given_up = subscription.failed(1, &declined(), start_ms + 8 * DAY_MS);
    assert_eq!(given_up, Some(Failed::GaveUp(GiveUp::Suspend)));
    assert_eq!((subscription.status, subscription.open.clone()), (Status::Suspended, None));
    assert_eq!(subscription.due_at_ms(), None);
    // It goes on with what is due after that; what was given up is not charged.
    subscription.resume(at("2028-04-10T08:00:00Z")).unwrap();
    assert_eq!(
        charge_all(&mut subscription, at("2028-04-30T08:00:00Z")),
        [(2, "2028-04-30T07:00:00Z".to_owned())]
    );
}

#[test]
fn the_shopper_may_help_until_the_next_try() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    subscription.terms.dunning.step_up = StepUp::Offered;
    let start_ms = at("2028-01-31T08:00:00Z");
    subscription.run(start_ms);
    assert_eq!(subscription.step_up(), None);
    subscription.failed(1, &refusal(Reason::Declined, Some("step-1")), start_ms).unwrap();
    let (number, wait, step_up_id) = subscription.step_up().unwrap();
    assert_eq!((number, step_up_id, wait.then), (1, "step-1", Then::Retry));
    // Klarna hears of it for 48 hours, whenever the next try is.
    let hours = |count: i64| start_ms + count * 60 * 60 * 1000;
    assert_eq!(wait.step_up_id(hours(46)), Some("step-1"));
    assert_eq!(wait.step_up_id(hours(48)), None);
    assert!(subscription.paid(1));
    assert_eq!((subscription.status, subscription.step_up()), (Status::Active, None));
    // Paid once is paid: a second outcome finds nothing.
    assert!(!subscription.paid(1));
    assert_eq!(subscription.failed(1, &declined(), start_ms), None);
}

#[test]
fn a_token_that_is_gone_ends_it() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    let start_ms = at("2028-01-31T08:00:00Z");
    subscription.run(start_ms);
    let gone = refusal(Reason::TokenCancelled, None);
    assert_eq!(subscription.failed(1, &gone, start_ms), Some(Failed::Ended));
    assert_eq!(subscription.ended.unwrap().because, Because::TokenCancelled);
}

#[test]
fn a_pause_is_free_and_the_days_stay() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    charge_all(&mut subscription, at("2028-01-31T08:00:00Z"));
    subscription.pause(at("2028-02-10T08:00:00Z")).unwrap();
    assert_eq!(subscription.due_at_ms(), None);
    subscription.resume(at("2028-04-02T08:00:00Z")).unwrap();
    assert_eq!(
        charge_all(&mut subscription, at("2028-05-31T08:00:00Z")),
        [(2, "2028-04-30T07:00:00Z".to_owned()), (3, "2028-05-31T07:00:00Z".to_owned())]
    );
}

#[test]
fn what_is_under_way_is_waited_for() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    let now_ms = at("2028-01-31T08:00:00Z");
    subscription.run(now_ms);
    let refused = subscription.pause(now_ms).unwrap_err().to_string();
    assert_eq!(refused, "a subscription that is trialing cannot be paused: a charge is open");
    // It may end all the same; what Klarna is being asked for is paid then.
    subscription.cancel(When::Now, now_ms).unwrap();
    assert!(subscription.open.is_some());
    assert!(subscription.paid(1));
    assert_eq!((subscription.status, subscription.due_at_ms()), (Status::Cancelled, None));
}

#[test]
fn it_can_end_with_its_period() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    charge_all(&mut subscription, at("2028-01-31T08:00:00Z"));
    subscription.cancel(When::PeriodEnd, at("2028-02-01T08:00:00Z")).unwrap();
    assert_eq!((subscription.status, subscription.next_charge_at_ms()), (Status::Active, None));
    // Taken back, and said again.
    subscription.resume(at("2028-02-02T08:00:00Z")).unwrap();
    assert!(subscription.next_charge_at_ms().is_some());
    subscription.cancel(When::PeriodEnd, at("2028-02-03T08:00:00Z")).unwrap();
    assert_eq!(subscription.run(at("2028-02-29T07:59:00Z")), Due::Nothing);
    assert_eq!(subscription.run(at("2028-02-29T08:00:00Z")), Due::Ended);
    assert_eq!(subscription.ended.unwrap().because, Because::PeriodEnded);
    assert!(subscription.cancel(When::Now, 0).is_err());
}

fn quarterly() -> NextPlan {
    let rhythm = Rhythm { interval: Interval::Month, count: 3, anchor_day: None };
    let terms = Terms { name: "Kvartal".to_owned(), rhythm, ..monthly() };
    NextPlan { plan_id: "plan_2".to_owned(), terms }
}

#[test]
fn another_plan_comes_with_the_next_period_or_now() {
    let mut later = begun(0, "2028-01-31T08:00:00Z");
    charge_all(&mut later, at("2028-01-31T08:00:00Z"));
    let mut at_once = later.clone();
    later.change_plan(quarterly(), When::PeriodEnd, at("2028-02-10T08:00:00Z")).unwrap();
    assert_eq!(later.plan_id, "plan_1");
    assert_eq!(
        charge_all(&mut later, at("2028-05-31T08:00:00Z")),
        [(2, "2028-02-29T08:00:00Z".to_owned()), (3, "2028-05-31T07:00:00Z".to_owned())]
    );
    assert_eq!(later.plan_id, "plan_2");
    at_once.change_plan(quarterly(), When::Now, at("2028-02-10T09:30:00Z")).unwrap();
    assert_eq!(
        charge_all(&mut at_once, at("2028-05-10T12:00:00Z")),
        [(2, "2028-02-10T09:30:00Z".to_owned()), (3, "2028-05-10T08:30:00Z".to_owned())]
    );
    // In a trial the free days stay free.
    let mut trial = begun(14, "2028-02-17T08:00:00Z");
    trial.change_plan(quarterly(), When::Now, at("2028-02-20T08:00:00Z")).unwrap();
    assert_eq!(trial.next_charge_at_ms().map(shown).unwrap(), "2028-03-02T08:00:00Z");
}

#[test]
fn a_failed_charge_can_be_tried_again_by_hand() {
    let mut subscription = begun(0, "2028-01-31T08:00:00Z");
    let start_ms = at("2028-01-31T08:00:00Z");
    assert!(subscription.retry_now(start_ms).is_err());
    subscription.run(start_ms);
    subscription.failed(1, &declined(), start_ms).unwrap();
    subscription.retry_now(start_ms + HOUR_MS).unwrap();
    assert!(matches!(
        subscription.run(start_ms + HOUR_MS),
        Due::Charge(Attempt { number: 1, attempt: 2, .. })
    ));
}

#[test]
fn it_comes_back_from_its_document_as_it_was() {
    let mut subscription = begun(0, "2028-01-31T08:00:00.123Z");
    subscription.run(at("2028-02-01T00:00:00Z"));
    subscription.failed(1, &refusal(Reason::Declined, Some("s")), at("2028-02-01T00:00:00Z"));
    subscription.next_plan = Some(quarterly());
    let text = serde_json::to_string(&subscription).unwrap();
    assert_eq!(serde_json::from_str::<Subscription>(&text).unwrap(), subscription);
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Wait(i64),
    Fail,
    FailForGood,
    Pause,
    Resume,
    ChangeNow,
    ChangeLater,
    CancelLater,
    Retry,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(
        prop_oneof![
            8 => (1_i64..60 * 24).prop_map(Deed::Wait),
            3 => Just(Deed::Fail),
            1 => Just(Deed::FailForGood),
            1 => Just(Deed::Pause),
            2 => Just(Deed::Resume),
            1 => Just(Deed::ChangeNow),
            1 => Just(Deed::ChangeLater),
            1 => Just(Deed::CancelLater),
            1 => Just(Deed::Retry),
        ],
        1..80,
    )
}

proptest! {
    /// Whatever happens: charges are numbered one by one, each attempt is made once, nothing is
    /// charged before it is due, in a trial or in a pause, and no number is paid twice.
    #[test]
    fn each_due_charge_is_made_once(deeds in deeds(), trial_days in 0_i64..20) {
        let mut now_ms = at("2027-12-30T08:00:00Z");
        let mut subscription = incomplete(
            Terms { dunning: Policy { step_up: StepUp::Never, ..Policy::default() }, ..monthly() },
            trial_days,
        );
        subscription.begin("ctk_1", First::Charge, now_ms).unwrap();
        let trial_end_ms = now_ms + trial_days * DAY_MS;
        let mut attempts = std::collections::BTreeSet::new();
        let mut paid = std::collections::BTreeSet::new();
        let mut last_due_ms = i64::MIN;
        let mut free_until_ms = trial_end_ms;
        let mut fate = None;
        for deed in deeds {
            match deed {
                Deed::Wait(hours) => now_ms += hours * HOUR_MS,
                Deed::Fail | Deed::FailForGood => fate = Some(deed),
                Deed::Pause => { let _ = subscription.pause(now_ms); }
                Deed::Resume => {
                    let was_held = matches!(subscription.status, Status::Paused | Status::Suspended);
                    if subscription.resume(now_ms).is_ok() && was_held {
                        free_until_ms = free_until_ms.max(now_ms);
                    }
                }
                Deed::ChangeNow => { let _ = subscription.change_plan(quarterly(), When::Now, now_ms); }
                Deed::ChangeLater => { let _ = subscription.change_plan(quarterly(), When::PeriodEnd, now_ms); }
                Deed::CancelLater => { let _ = subscription.cancel(When::PeriodEnd, now_ms); }
                Deed::Retry => { let _ = subscription.retry_now(now_ms); }
            }
            // The scheduler looks; more than one look changes nothing.
            for _ in 0..200 {
                let held = matches!(
                    subscription.status,
                    Status::Paused | Status::Suspended | Status::Cancelled | Status::Incomplete
                );
                match subscription.run(now_ms) {
                    Due::Nothing => break,
                    Due::Charge(attempt) => {
                        prop_assert!(!held);
                        prop_assert!(attempts.insert((attempt.number, attempt.attempt)));
                        prop_assert!(attempt.due_at_ms <= now_ms);
                        prop_assert!(attempt.due_at_ms >= trial_end_ms);
                        if attempt.attempt == 1 {
                            prop_assert_eq!(attempt.number, i64::try_from(
                                attempts.iter().filter(|(_, tried)| *tried == 1).count()).unwrap());
                            prop_assert!(attempt.due_at_ms >= last_due_ms);
                            prop_assert!(attempt.due_at_ms >= free_until_ms);
                            last_due_ms = attempt.due_at_ms;
                        }
                        match fate.take() {
                            Some(Deed::Fail) => { subscription.failed(attempt.number, &declined(), now_ms); }
                            Some(Deed::FailForGood) => {
                                let hard = refusal(Reason::InvalidRequest, None);
                                subscription.failed(attempt.number, &hard, now_ms);
                            }
                            _ => {
                                prop_assert!(subscription.paid(attempt.number));
                                prop_assert!(paid.insert(attempt.number));
                            }
                        }
                    }
                    Due::Ended | Due::GaveUp { .. } => {}
                }
            }
            prop_assert_eq!(subscription.run(now_ms), Due::Nothing);
        }
    }
}
