//! Every pair of state and command, and random histories.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use klarna_types::disputes::v2::{InvestigationStatus, RequestedFields, ReturnInfo};
use klarna_types::disputes::{
    DisputeOutcome, DisputeOutcomeDetailed, DisputeState, ProcessExceptionReason,
};
use klarna_types::ids::{CaptureId, MerchantId, OrderId};
use klarna_types::market::{Country, Currency};
use klarna_types::money::MinorUnits;
use proptest::prelude::*;

use super::event::signature;
use super::*;

pub(crate) fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

pub(crate) fn subject(amount: i64) -> Subject {
    Subject {
        merchant_id: MerchantId::new("K1"),
        order_id: OrderId::new("order"),
        order_created_at: start(),
        order_amount: MinorUnits::new(amount),
        capture_id: Some(CaptureId::new("capture")),
        capture_reference: None,
        currency: Currency::SEK,
        country: Country::SE,
        merchant_reference1: Some("WEB-1".into()),
        merchant_reference2: None,
        merchant_data: None,
        parcels: Vec::new(),
        lines: Vec::new(),
        refunded_before: MinorUnits::ZERO,
        captured: MinorUnits::new(amount),
    }
}

fn new(framework: Framework, script: Option<Script>) -> NewDispute {
    NewDispute {
        number: "1".into(),
        subject: subject(10_000),
        amount: MinorUnits::new(10_000),
        reason: Reason::Return,
        framework,
        script,
        start: Start::Opened,
        at_once: None,
    }
}

fn raise(framework: Framework, script: Option<Script>) -> Dispute {
    Dispute::raise(new(framework, script), &DisputeSettings::default(), start()).dispute
}

fn evidence() -> RepresentCommand {
    RepresentCommand {
        text: Some("Delivered".into()),
        files: vec![File {
            number: 1,
            description: None,
            name: "proof.pdf".into(),
            mime_type: "application/pdf".into(),
        }],
        proposed_refund: None,
    }
}

fn appeal() -> AppealCommand {
    AppealCommand { text: "Look again".into(), files: Vec::new() }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// A dispute in this stage, where the framework has it.
fn in_stage(framework: Framework, stage: Stage) -> Option<Dispute> {
    let manual = |start| {
        let new = NewDispute { start, ..new(framework, Some(Script::Manual)) };
        Dispute::raise(new, &DisputeSettings::default(), self::start()).dispute
    };
    let requested = manual(Start::Requested);
    let answered = || requested.clone().represent(evidence(), start()).unwrap().dispute;
    let lost = || answered().decide(Decision::Lost(None), start()).unwrap().dispute;
    let dispute = match stage {
        Stage::Opened => manual(Start::Opened),
        Stage::Initiated => requested,
        Stage::Representment => answered(),
        Stage::PreArbitration => lost(),
        Stage::Arbitration => lost().appeal(appeal(), start()).ok()?.dispute,
        Stage::Closed => requested.accept_loss(start()).unwrap().dispute,
    };
    (dispute.stage == stage).then_some(dispute)
}

/// What a move comes to.
fn attempt(dispute: &Dispute, what: Move) -> Option<Stage> {
    let (dispute, now) = (dispute.clone(), start());
    let changed = match what {
        Move::Escalate => dispute.decide(Decision::Escalate, now).ok(),
        Move::Represent => dispute.represent(evidence(), now).ok(),
        Move::Supplement => {
            let command = ResponseCommand {
                request: 1,
                comment: Some("More".into()),
                fields: RequestedFields::default(),
                files: Vec::new(),
            };
            let is_answered = dispute.stage == Stage::Representment;
            dispute.respond(command, now).ok().filter(|_| is_answered).map(|a| a.changed)
        }
        Move::AcceptLoss => dispute.accept_loss(now).ok(),
        Move::Expire => dispute.decide(Decision::Expire, now).ok(),
        // Happens only when a dispute is raised; see the test of it.
        Move::AutoReject => return None,
        Move::Extend => dispute.decide(Decision::Extend { by: days(1), reason: None }, now).ok(),
        Move::FollowUp => dispute.decide(Decision::FollowUp(None), now).ok(),
        Move::Win => dispute.decide(Decision::Won(None), now).ok(),
        Move::Lose => dispute.decide(Decision::Lost(None), now).ok(),
        Move::Appeal => dispute.appeal(appeal(), now).ok(),
        Move::Settle => dispute.refunded(MinorUnits::new(10_000), now),
        Move::Withdraw => dispute.decide(Decision::Withdraw, now).ok(),
        Move::Resolve => {
            dispute.decide(Decision::Resolve(ProcessExceptionReason::DisputeMisHandled), now).ok()
        }
    };
    changed.map(|changed| changed.dispute.stage)
}

/// Written down a second time, as the fact sheet has it, to hold the table to it.
fn expected(framework: Framework, stage: Stage, what: Move) -> Option<Stage> {
    let older = framework == Framework::F2020;
    let leads_to = |stage| Some(stage);
    match stage {
        Stage::Closed => None,
        _ if matches!(what, Move::Settle | Move::Withdraw | Move::Resolve) => {
            leads_to(Stage::Closed)
        }
        Stage::Opened => match what {
            Move::Escalate => leads_to(Stage::Initiated),
            Move::AcceptLoss => leads_to(Stage::Closed),
            _ => None,
        },
        Stage::Initiated => match what {
            Move::Represent => leads_to(Stage::Representment),
            Move::AcceptLoss | Move::Expire | Move::AutoReject => leads_to(Stage::Closed),
            Move::Extend => leads_to(Stage::Initiated),
            _ => None,
        },
        Stage::Representment => match what {
            Move::Win => leads_to(Stage::Closed),
            Move::Lose if older => leads_to(Stage::Closed),
            Move::Lose => leads_to(Stage::PreArbitration),
            Move::FollowUp if older => leads_to(Stage::Initiated),
            Move::Supplement => leads_to(Stage::Representment),
            _ => None,
        },
        Stage::PreArbitration => match what {
            Move::Appeal => leads_to(Stage::Arbitration),
            Move::AcceptLoss | Move::Expire => leads_to(Stage::Closed),
            _ => None,
        },
        Stage::Arbitration => match what {
            Move::Win | Move::Lose => leads_to(Stage::Closed),
            _ => None,
        },
    }
}

#[test]
fn every_pair_of_state_and_command_does_what_the_table_says() {
    let mut tried = 0;
    for framework in [Framework::F2020, Framework::F2026] {
        for stage in Stage::ALL {
            let Some(dispute) = in_stage(framework, stage) else { continue };
            for what in Move::ALL {
                let wanted = expected(framework, stage, what);
                assert_eq!(
                    table::next(framework, stage, what),
                    wanted,
                    "{framework:?} {stage:?} {what:?}"
                );
                if what != Move::AutoReject {
                    assert_eq!(attempt(&dispute, what), wanted, "{framework:?} {stage:?} {what:?}");
                    tried += 1;
                }
            }
        }
    }
    // Four stages of the older process, five of the newer.
    assert_eq!(tried, 9 * 13);
}

#[test]
fn each_published_lifecycle_runs_as_published() {
    let minutes = |count| start() + SignedDuration::from_mins(count);
    let won = |dispute: &Dispute| dispute.closing().unwrap().outcome == DisputeOutcome::Won;

    let waits = raise(Framework::F2026, Some(Script::WinOnEvidence));
    assert_eq!(waits.next_due_at(), Some(start() + days(21)));
    let answered = waits.represent(evidence(), start()).unwrap().dispute;
    let closed = answered.advance(minutes(5)).dispute;
    assert!(won(&closed));

    let expires = raise(Framework::F2026, Some(Script::LoseOnExpiry)).advance(minutes(5)).dispute;
    assert_eq!(expires.closing().unwrap().detailed, DisputeOutcomeDetailed::PartnerDidNotReply);
    assert_eq!(status_of(&expires), InvestigationStatus::DeadlineExpired);

    let accepts =
        raise(Framework::F2026, Some(Script::PreArbAcceptLoss)).advance(minutes(5)).dispute;
    assert_eq!(accepts.closing().unwrap().detailed, DisputeOutcomeDetailed::PartnerAcceptedTheLoss);

    let window = raise(Framework::F2026, Some(Script::PreArbWindowExpired));
    let window = window.represent(evidence(), start()).unwrap().dispute;
    let window = window.advance(minutes(5)).dispute;
    assert_eq!(window.stage(), Stage::PreArbitration);
    let window = window.advance(minutes(10)).dispute;
    assert_eq!((window.stage(), won(&window)), (Stage::Closed, false));

    for (script, wins) in
        [(Script::PreArbLoseAfterArbitration, false), (Script::PreArbWinAfterArbitration, true)]
    {
        let dispute = raise(Framework::F2026, Some(script));
        let dispute = dispute.represent(evidence(), start()).unwrap().dispute;
        let dispute = dispute.advance(minutes(60)).dispute;
        assert_eq!(dispute.next_due_at(), Some(minutes(5) + days(10)));
        let dispute = dispute.appeal(appeal(), minutes(60)).unwrap().dispute;
        assert_eq!(dispute.stage(), Stage::Arbitration);
        let dispute = dispute.advance(minutes(65)).dispute;
        assert_eq!((dispute.stage(), won(&dispute)), (Stage::Closed, wins));
    }
}

#[test]
fn deadlines_follow_the_reason_and_the_process() {
    let check = |reason, framework, hours| {
        let new = NewDispute { reason, start: Start::Requested, ..new(framework, None) };
        let dispute = Dispute::raise(new, &DisputeSettings::default(), start()).dispute;
        assert_eq!(dispute.deadline(), Some(start() + SignedDuration::from_hours(hours)));
    };
    check(Reason::Return, Framework::F2026, 21 * 24);
    check(Reason::UnauthorizedPurchase, Framework::F2026, 7 * 24);
    check(Reason::HighRiskOrder, Framework::F2026, 96);
    check(Reason::Return, Framework::F2020, 14 * 24);
    check(Reason::UnauthorizedPurchase, Framework::F2020, 7 * 24);
    check(Reason::HighRiskOrder, Framework::F2020, 96);
}

#[test]
fn the_older_process_gives_time_to_settle_then_asks_at_most_five_times() {
    let dispute = raise(Framework::F2020, Some(Script::Manual));
    assert_eq!(status_of(&dispute), InvestigationStatus::Opened);
    let mut dispute = dispute.advance(start() + days(21)).dispute;
    assert_eq!(status_of(&dispute), InvestigationStatus::Unresolved);
    assert_eq!(dispute.deadline(), Some(start() + days(35)));
    let mut now = start() + days(21);
    for number in 1..=5 {
        let command = ResponseCommand {
            request: number,
            comment: None,
            fields: RequestedFields::new().return_info(ReturnInfo::ReturnNotReceived),
            files: Vec::new(),
        };
        let answer = dispute.respond(command, now).unwrap();
        assert_eq!(answer.response, 1);
        dispute = answer.changed.dispute;
        assert_eq!(status_of(&dispute), InvestigationStatus::Replied);
        let follow_up = dispute.clone().decide(Decision::FollowUp(None), now);
        if number == 5 {
            assert!(follow_up.is_err());
        } else {
            dispute = follow_up.unwrap().dispute;
            assert_eq!(dispute.deadline(), Some(now + days(7)));
            now += days(1);
        }
    }
}

#[test]
fn an_answer_can_be_added_to_for_an_hour() {
    let new = NewDispute { start: Start::Requested, ..new(Framework::F2020, None) };
    let dispute = Dispute::raise(new, &DisputeSettings::default(), start()).dispute;
    let command = |fields| ResponseCommand { request: 1, comment: None, fields, files: Vec::new() };
    let empty = RequestedFields::default();
    assert!(matches!(
        dispute.clone().respond(command(empty.clone()), start()),
        Err(Refusal::Value { parameter: "requested_fields", .. })
    ));
    let full = RequestedFields::new().return_info(ReturnInfo::ReturnNotReceived);
    let answered = dispute.respond(command(full), start()).unwrap().changed.dispute;
    let hour = start() + SignedDuration::from_mins(60);
    let more = answered.clone().respond(command(empty.clone()), hour).unwrap();
    assert_eq!(more.response, 2);
    let late = answered.respond(command(empty), hour + SignedDuration::from_millis(1));
    assert_eq!(late, Err(Refusal::RequestClosed));
}

#[test]
fn a_promise_obliges() {
    let promise = |dispute: Dispute| {
        let command = ResponseCommand {
            request: 1,
            comment: None,
            fields: RequestedFields::new().return_info(ReturnInfo::YesWillMakeChanges),
            files: Vec::new(),
        };
        dispute.respond(command, start()).unwrap().changed.dispute
    };
    let new = || NewDispute { start: Start::Requested, ..new(Framework::F2020, None) };
    let raised = || Dispute::raise(new(), &DisputeSettings::default(), start()).dispute;
    let broken = promise(raised()).advance(start() + SignedDuration::from_hours(96)).dispute;
    assert_eq!(broken.closing().unwrap().detailed, DisputeOutcomeDetailed::PromisedRefundMissing);
    let kept = promise(raised()).refunded(MinorUnits::new(10_000), start()).unwrap().dispute;
    assert_eq!(kept.closing().unwrap().detailed, DisputeOutcomeDetailed::RefundedAfterEscalation);
    assert_eq!(promise(raised()).refunded(MinorUnits::new(9_999), start()), None);
}

/// The entries of a whole dispute, signed from the merchant's side.
fn balance(bookings: &[(Timestamp, Booking)]) -> i64 {
    bookings
        .iter()
        .map(
            |(_, booking)| {
                if booking.kind.is_debit() { -booking.amount.get() } else { booking.amount.get() }
            },
        )
        .sum()
}

fn kinds(bookings: &[(Timestamp, Booking)]) -> Vec<&'static str> {
    bookings.iter().map(|(_, booking)| booking.kind.as_str()).collect()
}

#[test]
fn money_follows_the_hold_policy() {
    let run = |settings: &DisputeSettings, reason, script| {
        let new = NewDispute { reason, ..new(Framework::F2026, Some(script)) };
        let raised = Dispute::raise(new, settings, start());
        let mut bookings = raised.bookings.clone();
        let answered = raised.dispute.represent(evidence(), start()).unwrap();
        bookings.extend(answered.bookings);
        bookings.extend(answered.dispute.advance(start() + days(30)).bookings);
        (kinds(&bookings).join(" "), balance(&bookings))
    };
    let held = DisputeSettings::default();
    let later = DisputeSettings { hold_policy: Hold::None, ..held.clone() };
    let kept = DisputeSettings { fee_refundable: false, ..held.clone() };
    let protected = DisputeSettings { fraud_protection: true, ..held.clone() };
    let (win, lose) = (Script::WinOnEvidence, Script::PreArbWindowExpired);
    assert_eq!(run(&held, Reason::Return, win), ("reversal fee correction fee_refund".into(), 0));
    assert_eq!(run(&held, Reason::Return, lose), ("reversal fee".into(), -17_500));
    assert_eq!(run(&later, Reason::Return, win), (String::new(), 0));
    assert_eq!(run(&later, Reason::Return, lose), ("reversal fee".into(), -17_500));
    assert_eq!(run(&kept, Reason::Return, win), ("reversal fee correction".into(), -7_500));
    assert_eq!(
        run(&held, Reason::NonGuaranteedPaymentProgram, lose),
        ("payment_default fee".into(), -17_500)
    );
    assert_eq!(
        run(&protected, Reason::UnauthorizedPurchase, lose),
        ("fraud_policy_charge fraud_policy_credit".into(), 0)
    );
}

#[test]
fn a_refund_in_time_costs_nothing_and_a_late_one_the_fee() {
    let ten_thousand = MinorUnits::new(10_000);
    for (framework, hold) in
        [(Framework::F2020, Hold::None), (Framework::F2026, Hold::OnDisputeInitiated)]
    {
        let settings = DisputeSettings { hold_policy: hold, ..DisputeSettings::default() };
        let raised = Dispute::raise(new(framework, None), &settings, start());
        let settled = raised.dispute.clone().refunded(ten_thousand, start()).unwrap();
        assert_eq!(balance(&raised.bookings) + balance(&settled.bookings), 0);
        let closing = settled.dispute.closing().unwrap().clone();
        assert_eq!(closing.detailed, DisputeOutcomeDetailed::PartnerRefunded);
    }
    let raised = raise(Framework::F2020, None).advance(start() + days(21)).dispute;
    let settled = raised.refunded(ten_thousand, start() + days(21)).unwrap();
    assert_eq!(kinds(&settled.bookings), ["fee"]);
}

#[test]
fn an_offer_to_refund_a_part_is_what_a_won_dispute_costs() {
    let offer = RepresentCommand { proposed_refund: Some(MinorUnits::new(4_000)), ..evidence() };
    let raised = Dispute::raise(
        new(Framework::F2026, Some(Script::WinOnEvidence)),
        &DisputeSettings::default(),
        start(),
    );
    let answered = raised.dispute.represent(offer.clone(), start()).unwrap().dispute;
    let closed = answered.advance(start() + days(1));
    assert_eq!(balance(&raised.bookings) + balance(&closed.bookings), -4_000);
    for wrong in [10_000, -1] {
        let offer =
            RepresentCommand { proposed_refund: Some(MinorUnits::new(wrong)), ..offer.clone() };
        assert!(raise(Framework::F2026, None).represent(offer, start()).is_err());
    }
}

#[test]
fn a_high_risk_order_is_settled_by_calling_it_off() {
    let order = || NewDispute {
        subject: Subject { capture_id: None, captured: MinorUnits::ZERO, ..subject(10_000) },
        reason: Reason::HighRiskOrder,
        ..new(Framework::F2026, None)
    };
    let raised = Dispute::raise(order(), &DisputeSettings::default(), start());
    assert_eq!(raised.bookings, []);
    let cancelled = raised.dispute.clone().order_cancelled(start()).unwrap();
    assert_eq!(
        cancelled.dispute.closing().unwrap().detailed,
        DisputeOutcomeDetailed::CanceledFullOrder
    );
    // Whoever captures it all the same risks what was captured.
    let captured = raised.dispute.order_captured(MinorUnits::new(6_000), start()).unwrap();
    assert_eq!(balance(&captured.bookings), -13_500);
}

#[test]
fn small_disputes_and_exceptions_are_over_at_once() {
    let settings = DisputeSettings { auto_reject_below: 10_001, ..DisputeSettings::default() };
    let small = Dispute::raise(new(Framework::F2026, None), &settings, start()).dispute;
    assert_eq!(small.stage(), Stage::Closed);
    assert_eq!(small.evidence, RepresentmentState::RepresentmentAutomaticallyRejected);
    let at_once = NewDispute {
        at_once: Some(ProcessExceptionReason::FraudulentPartner),
        ..new(Framework::F2026, None)
    };
    let dispute = Dispute::raise(at_once, &DisputeSettings::default(), start()).dispute;
    let view = dispute.view("https://klarna.example");
    assert_eq!(view.state, DisputeState::Closed);
    assert_eq!(view.process_exceptions.unwrap().len(), 1);
}

#[test]
fn triggers_and_reasons_are_known_by_all_their_names() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        assert_eq!(Trigger::parse(reason.as_str()).unwrap().framework, Framework::F2020);
        assert_eq!(Reason::parse(reason.v4().as_str()).unwrap().v4(), reason.v4());
    }
    for script in Script::ALL {
        let trigger = Trigger::parse(script.as_str()).unwrap();
        assert_eq!((trigger.script, trigger.framework), (Some(script), Framework::F2026));
    }
    assert_eq!(Reason::parse("high_risk"), Some(Reason::HighRiskOrder));
    assert_eq!(Trigger::parse("nobody_knows"), None);
}

#[test]
fn the_fees_are_the_published_ones_unless_agreed_otherwise() {
    let agreed = DisputeSettings {
        fees: BTreeMap::from([("SEK".to_owned(), 20_000)]),
        ..DisputeSettings::default()
    };
    assert_eq!(agreed.fee(&Currency::SEK), MinorUnits::new(20_000));
    assert_eq!(agreed.fee(&Currency::EUR), MinorUnits::new(750));
    assert_eq!(agreed.fee(&Currency::from("CHF")), MinorUnits::ZERO);
}

#[test]
fn the_signature_is_that_of_the_published_example() {
    // RFC 4231, test case 2.
    assert_eq!(
        signature("Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(i64),
    Represent(Option<i64>),
    Respond(i64, bool),
    Accept,
    Appeal,
    Decide(u8),
    Refund(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_i64..30 * 24).prop_map(Step::Wait),
        proptest::option::of(-5_i64..12_000).prop_map(Step::Represent),
        ((-1_i64..7), any::<bool>()).prop_map(|(n, promise)| Step::Respond(n, promise)),
        Just(Step::Accept),
        Just(Step::Appeal),
        (0_u8..8).prop_map(Step::Decide),
        (0_i64..12_000).prop_map(Step::Refund),
    ]
}

fn take(dispute: Dispute, step: Step, now: Timestamp) -> Option<Changed> {
    match step {
        Step::Wait(_) => Some(dispute.advance(now)),
        Step::Represent(offer) => {
            let proposed_refund = offer.map(MinorUnits::new);
            dispute.represent(RepresentCommand { proposed_refund, ..evidence() }, now).ok()
        }
        Step::Respond(request, promise) => {
            let info = if promise {
                ReturnInfo::YesWillMakeChanges
            } else {
                ReturnInfo::YesButNotAccepted
            };
            let fields = RequestedFields::new().return_info(info);
            let command = ResponseCommand { request, comment: None, fields, files: Vec::new() };
            dispute.respond(command, now).ok().map(|answer| answer.changed)
        }
        Step::Accept => dispute.accept_loss(now).ok(),
        Step::Appeal => dispute.appeal(appeal(), now).ok(),
        Step::Decide(which) => {
            let decision = match which {
                0 => Decision::Won(None),
                1 => Decision::Lost(None),
                2 => Decision::FollowUp(None),
                3 => Decision::Escalate,
                4 => Decision::Extend {
                    by: days(3),
                    reason: Some(ProcessExceptionReason::RegulatoryRequirement),
                },
                5 => Decision::Withdraw,
                6 => Decision::Resolve(ProcessExceptionReason::FraudulentPartner),
                _ => Decision::Expire,
            };
            dispute.decide(decision, now).ok()
        }
        Step::Refund(amount) => dispute.refunded(MinorUnits::new(amount), now),
    }
}

proptest! {
    /// Whatever happens, in whatever order: the invariants hold, a closed dispute stays as it is, and
    /// the entries come to what was decided.
    #[test]
    fn random_histories_end_as_decided(
        older in any::<bool>(),
        script in proptest::option::of(0_usize..8),
        reason in 0_usize..10,
        hold in any::<bool>(),
        protected in any::<bool>(),
        steps in proptest::collection::vec(step(), 0..14),
    ) {
        let framework = if older { Framework::F2020 } else { Framework::F2026 };
        let policy = if hold { Hold::OnDisputeInitiated } else { Hold::None };
        let settings = DisputeSettings {
            hold_policy: policy,
            hold_policy_2020: policy,
            fraud_protection: protected,
            ..DisputeSettings::default()
        };
        let new = NewDispute {
            reason: Reason::ALL[reason],
            ..new(framework, script.map(|index| Script::ALL[index]))
        };
        let mut changed = Dispute::raise(new, &settings, start());
        let mut bookings = changed.bookings.clone();
        let mut now = start();
        for step in steps {
            if let Step::Wait(hours) = step {
                now += SignedDuration::from_hours(hours);
            }
            let before = changed.dispute.clone();
            if let Some(after) = take(before.clone(), step, now) {
                prop_assert_eq!(after.dispute.broken_invariant(), None);
                if before.stage == Stage::Closed {
                    prop_assert_eq!(&after.dispute, &before);
                    prop_assert!(after.events.is_empty() && after.bookings.is_empty());
                }
                bookings.extend(after.bookings.clone());
                changed = after;
            }
            // Whatever is shown can be written and read back.
            let dispute = &changed.dispute;
            let text = serde_json::to_string(&dispute.view("http://x")).unwrap();
            let _: klarna_types::disputes::Dispute = serde_json::from_str(&text).unwrap();
            let text = serde_json::to_string(&dispute.view_v2()).unwrap();
            let _: klarna_types::disputes::v2::DisputeDetails = serde_json::from_str(&text).unwrap();
            let text = serde_json::to_string(dispute).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Dispute>(&text).unwrap(), dispute);
        }
        let dispute = &changed.dispute;
        let account = dispute.account();
        let standing = account.debited.get() + account.fee.get();
        prop_assert_eq!(balance(&bookings), -standing);
        if let Some(closing) = dispute.closing() {
            let lost = closing.outcome == DisputeOutcome::Lost;
            let borne = protected && dispute.reason.is_fraud();
            let expected = if lost && !borne {
                10_000
            } else if closing.by == ClosedBy::Decision && !lost {
                dispute.proposed_refund().map_or(0, MinorUnits::get)
            } else {
                0
            };
            prop_assert_eq!(account.debited.get(), expected);
        }
    }
}
