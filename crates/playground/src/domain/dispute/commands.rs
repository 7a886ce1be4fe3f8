//! What can be done to a dispute: by the merchant, by Klarna, by the shopper, and by time.

use jiff::{SignedDuration, Timestamp};
use klarna_types::disputes::v2::{
    MAX_REQUESTS, PaymentReceived, RequestedFields, ReturnInfo, Shipped,
};
use klarna_types::disputes::{
    DisputeOutcome, DisputeOutcomeDetailed, ProcessExceptionReason, ProcessExceptionType,
    RepresentmentState,
};
use klarna_types::money::MinorUnits;

use super::money::Target;
use super::{
    APPEAL_TIME, Account, Appeal, BEAT, Changed, ClosedBy, Closing, Dispute, Event, Exception,
    FOLLOW_UP_TIME, File, Framework, Happened, Hold, MAX_EXCEPTIONS, Move, NewDispute,
    PROMISE_TIME, Refusal, Request, Response, SUPPLEMENT_TIME, Script, Stage, Start, Terms, after,
    table, whole_milliseconds,
};
use crate::domain::dispute::settings::DisputeSettings;

/// The merchant's evidence, in version 4.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RepresentCommand {
    /// In words.
    pub(crate) text: Option<String>,
    /// In files.
    pub(crate) files: Vec<File>,
    /// How much the merchant would give back.
    pub(crate) proposed_refund: Option<MinorUnits>,
}

/// The merchant's answer to a request, in version 2.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResponseCommand {
    /// Which request, counted from 1.
    pub(crate) request: i64,
    /// In words.
    pub(crate) comment: Option<String>,
    /// The fields that were asked for.
    pub(crate) fields: RequestedFields,
    /// In files.
    pub(crate) files: Vec<File>,
}

/// The merchant's appeal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppealCommand {
    /// In words.
    pub(crate) text: String,
    /// In files.
    pub(crate) files: Vec<File>,
}

/// Which answer a merchant has given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The dispute after it.
    pub(crate) changed: Changed,
    /// The place of the answer within its request, counted from 1.
    pub(crate) response: i64,
}

/// What Klarna or the shopper decides, as the control API asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// For the merchant.
    Won(Option<DisputeOutcomeDetailed>),
    /// Against the merchant: preliminarily, where there is an appeal.
    Lost(Option<DisputeOutcomeDetailed>),
    /// Klarna asks once more.
    FollowUp(Option<String>),
    /// Klarna takes it up before the time to settle is over.
    Escalate,
    /// More time to answer.
    Extend {
        /// How much.
        by: SignedDuration,
        /// Why; then it is shown as an exception.
        reason: Option<ProcessExceptionReason>,
    },
    /// The shopper withdraws.
    Withdraw,
    /// Against the merchant, at once.
    Resolve(ProcessExceptionReason),
    /// The deadline has passed.
    Expire,
}

impl Dispute {
    /// Raises a dispute.
    pub(crate) fn raise(new: NewDispute, settings: &DisputeSettings, now: Timestamp) -> Changed {
        let now = whole_milliseconds(now);
        let hold = settings.hold(new.framework, new.reason);
        let dispute = Self {
            terms: Terms {
                hold,
                fee: settings.fee(&new.subject.currency),
                fee_refundable: settings.fee_refundable,
                borne_by_klarna: settings.fraud_protection && new.reason.is_fraud(),
                review: settings.review_time(),
                arbitration: settings.arbitration_time(),
            },
            number: new.number,
            subject: new.subject,
            reason: new.reason,
            framework: new.framework,
            script: new.script,
            amount: new.amount,
            created_at: now,
            updated_at: now,
            stage: Stage::Initiated,
            previous: None,
            until: None,
            deadline: None,
            evidence: RepresentmentState::EvidenceRequested,
            evidence_before: None,
            requests: Vec::new(),
            escalated: false,
            promised: false,
            preliminary: None,
            appeal: None,
            exceptions: Vec::new(),
            closing: None,
            account: Account::default(),
        };
        let mut changed = Changed { dispute, events: Vec::new(), bookings: Vec::new() };
        let amount = new.amount;
        changed.record(now, Happened::Raised { amount });
        let settling = match (new.framework, new.start) {
            (Framework::F2020, Start::Opened) => new.reason.resolution_time(),
            (Framework::F2026, _) | (_, Start::Requested) => None,
        };
        if let Some(time) = settling {
            changed.dispute.stage = Stage::Opened;
            changed.dispute.until = Some(after(now, time));
        } else {
            changed.ask(now, new.reason.question().to_owned());
        }
        changed.hold(now);
        if let Some(reason) = new.at_once {
            changed.except(ProcessExceptionType::ImmediateDisputeResolution, reason);
            let detailed = new.reason.lost();
            changed.close(now, DisputeOutcome::Lost, detailed, ClosedBy::Decision);
        } else if amount.get() < settings.auto_reject_below
            && table::next(new.framework, changed.dispute.stage, Move::AutoReject).is_some()
        {
            changed.evidence(RepresentmentState::RepresentmentAutomaticallyRejected);
            let detailed = DisputeOutcomeDetailed::PartnerAcceptedTheLoss;
            changed.close(now, DisputeOutcome::Lost, detailed, ClosedBy::AcceptedLoss);
        }
        changed.assert();
        changed
    }

    /// Makes everything happen that was due by `now`, in the order in which it was due.
    pub(crate) fn advance(self, now: Timestamp) -> Changed {
        let mut changed = Changed::nothing(self);
        while let Some(at) = changed.dispute.until.filter(|until| *until <= now) {
            changed.dispute.until = None;
            changed.let_happen(at);
        }
        changed.assert();
        changed
    }

    /// The merchant gives evidence.
    pub(crate) fn represent(
        self,
        command: RepresentCommand,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let (mut changed, now, _) = self.ready_for(Move::Represent, now)?;
        let amount = changed.dispute.amount;
        if let Some(proposed) = command.proposed_refund
            && (proposed.is_negative() || proposed >= amount)
        {
            return Err(Refusal::Value {
                parameter: "partner_proposed_refund_amount",
                reason: format!("{proposed} is not between 0 and {amount}, the disputed amount"),
            });
        }
        let response = Response {
            at: now,
            comment: command.text,
            fields: RequestedFields::default(),
            files: command.files,
            // Nothing offered is no offer.
            proposed_refund: command.proposed_refund.filter(|amount| amount.is_positive()),
        };
        changed.answer(now, response);
        Ok(changed.checked())
    }

    /// The merchant answers a request. Within an hour of its first answer it may add to it.
    pub(crate) fn respond(
        self,
        command: ResponseCommand,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let Changed { dispute, events, bookings } = self.advance(whole_milliseconds(now));
        let number = command.request;
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let request = place
            .and_then(|place| dispute.requests.get(place))
            .ok_or(Refusal::NoSuchRequest(number))?;
        let is_last = place.is_some_and(|place| place + 1 == dispute.requests.len());
        let now = whole_milliseconds(now);
        let since = request.responses.first().map(|first| first.at);
        let supplements = since.is_some_and(|first| now <= after(first, SUPPLEMENT_TIME));
        let wanted = match dispute.stage {
            Stage::Initiated if is_last => Move::Represent,
            Stage::Representment if is_last && supplements => Move::Supplement,
            _ => return Err(Refusal::RequestClosed),
        };
        if wanted == Move::Represent {
            let answered = command.fields.answered();
            if let Some(missing) =
                request.required.iter().find(|required| !answered.contains(required))
            {
                return Err(Refusal::Value {
                    parameter: "requested_fields",
                    reason: format!("{missing} is asked for and was not answered"),
                });
            }
        }
        let response = i64::try_from(request.responses.len()).unwrap_or(i64::MAX) + 1;
        let mut changed = Changed { dispute, events, bookings };
        let answer = Response {
            at: now,
            comment: command.comment,
            fields: command.fields,
            files: command.files,
            proposed_refund: None,
        };
        if wanted == Move::Represent {
            changed.answer(now, answer);
        } else {
            changed.supplement(now, answer);
        }
        Ok(Answer { changed: changed.checked(), response })
    }

    /// The merchant gives in.
    pub(crate) fn accept_loss(self, now: Timestamp) -> Result<Changed, Refusal> {
        let (mut changed, now, _) = self.ready_for(Move::AcceptLoss, now)?;
        changed.accept_loss(now);
        Ok(changed.checked())
    }

    /// The merchant appeals.
    pub(crate) fn appeal(self, command: AppealCommand, now: Timestamp) -> Result<Changed, Refusal> {
        let (mut changed, now, stage) = self.ready_for(Move::Appeal, now)?;
        let appeal = Appeal { at: now, text: command.text, files: command.files };
        changed.dispute.appeal = Some(appeal);
        changed.enter(stage);
        let time = match changed.dispute.script {
            Some(Script::Manual) => None,
            Some(_) => Some(BEAT),
            None => Some(changed.dispute.terms.arbitration),
        };
        changed.dispute.until = time.map(|time| after(now, time));
        changed.record(now, Happened::Appealed);
        Ok(changed.checked())
    }

    /// Klarna or the shopper decides.
    pub(crate) fn decide(self, decision: Decision, now: Timestamp) -> Result<Changed, Refusal> {
        let wanted = match &decision {
            Decision::Won(_) => Move::Win,
            Decision::Lost(_) => Move::Lose,
            Decision::FollowUp(_) => Move::FollowUp,
            Decision::Escalate => Move::Escalate,
            Decision::Extend { .. } => Move::Extend,
            Decision::Withdraw => Move::Withdraw,
            Decision::Resolve(_) => Move::Resolve,
            Decision::Expire => Move::Expire,
        };
        let (mut changed, now, stage) = self.ready_for(wanted, now)?;
        let reason = changed.dispute.reason;
        match decision {
            Decision::Won(detailed) => {
                let detailed = detailed.unwrap_or_else(|| reason.won());
                changed.close(now, DisputeOutcome::Won, detailed, ClosedBy::Decision);
            }
            Decision::Lost(detailed) => {
                let detailed = detailed.unwrap_or_else(|| reason.lost());
                changed.lose(now, detailed);
            }
            Decision::FollowUp(comment) => {
                if changed.dispute.requests.len() >= MAX_REQUESTS {
                    return Err(changed.dispute.refuse("asked about a sixth time"));
                }
                changed.enter(stage);
                let comment = comment.unwrap_or_else(|| reason.question().to_owned());
                changed.ask(now, comment);
            }
            Decision::Escalate => changed.escalate(now),
            Decision::Extend { by, reason } => {
                let Some(from) = changed.dispute.deadline else {
                    return Err(changed.dispute.refuse("extended"));
                };
                let to = after(from, by);
                if to <= from {
                    return Err(Refusal::Value {
                        parameter: "by",
                        reason: "an extension has to be later".to_owned(),
                    });
                }
                changed.dispute.deadline = Some(to);
                changed.dispute.until = Some(to);
                if let Some(reason) = reason {
                    changed.except(ProcessExceptionType::DisputeWindowExtension, reason);
                }
                changed.record(now, Happened::Extended { from, to });
            }
            Decision::Withdraw => {
                let detailed = DisputeOutcomeDetailed::CustomerCancelled;
                changed.close(now, DisputeOutcome::Won, detailed, ClosedBy::Withdrawal);
            }
            Decision::Resolve(why) => {
                changed.except(ProcessExceptionType::ImmediateDisputeResolution, why);
                changed.close(now, DisputeOutcome::Lost, reason.lost(), ClosedBy::Decision);
            }
            Decision::Expire => changed.expire(now),
        }
        Ok(changed.checked())
    }

    /// The merchant has given money back by itself; `refunded` is what was given back of the disputed
    /// capture or order in all. Giving back the whole disputed amount ends the dispute.
    pub(crate) fn refunded(self, refunded: MinorUnits, now: Timestamp) -> Option<Changed> {
        let back = refunded.checked_sub(self.subject.refunded_before)?;
        if back < self.amount {
            return None;
        }
        let (mut changed, now, _) = self.ready_for(Move::Settle, now).ok()?;
        let detailed = if changed.dispute.is_within_resolution_time() {
            DisputeOutcomeDetailed::PartnerRefunded
        } else {
            DisputeOutcomeDetailed::RefundedAfterEscalation
        };
        changed.close(now, DisputeOutcome::Won, detailed, ClosedBy::Settlement);
        Some(changed.checked())
    }

    /// The disputed order has been called off.
    pub(crate) fn order_cancelled(self, now: Timestamp) -> Option<Changed> {
        if self.subject.capture_id.is_some() {
            return None;
        }
        let (mut changed, now, _) = self.ready_for(Move::Settle, now).ok()?;
        let detailed = DisputeOutcomeDetailed::CanceledFullOrder;
        changed.close(now, DisputeOutcome::Won, detailed, ClosedBy::Settlement);
        Some(changed.checked())
    }

    /// The disputed order has been captured: so much more can be taken back.
    pub(crate) fn order_captured(mut self, amount: MinorUnits, now: Timestamp) -> Option<Changed> {
        if self.subject.capture_id.is_some() || self.stage == Stage::Closed {
            return None;
        }
        let captured = self.subject.captured.checked_add(amount).unwrap_or(MinorUnits::MAX);
        self.subject.captured = captured.min(self.amount);
        let mut changed = self.advance(whole_milliseconds(now));
        changed.hold(whole_milliseconds(now));
        Some(changed.checked())
    }

    /// Lets the time pass and asks the table.
    fn ready_for(
        self,
        wanted: Move,
        now: Timestamp,
    ) -> Result<(Changed, Timestamp, Stage), Refusal> {
        let now = whole_milliseconds(now);
        let changed = self.advance(now);
        let dispute = &changed.dispute;
        let stage = table::next(dispute.framework, dispute.stage, wanted)
            .ok_or_else(|| dispute.refuse(wanted.as_str()))?;
        Ok((changed, now, stage))
    }

    /// Whether the merchant may still settle it with the shopper without cost.
    fn is_within_resolution_time(&self) -> bool {
        match self.framework {
            Framework::F2020 => self.stage == Stage::Opened,
            Framework::F2026 => self.stage == Stage::Initiated,
        }
    }

    /// What Klarna makes of the evidence.
    fn review(&self) -> (DisputeOutcome, DisputeOutcomeDetailed) {
        let lost = (DisputeOutcome::Lost, self.reason.lost());
        match self.script {
            Some(
                Script::LoseOnExpiry
                | Script::PreArbAcceptLoss
                | Script::PreArbWindowExpired
                | Script::PreArbLoseAfterArbitration
                | Script::PreArbWinAfterArbitration
                | Script::LoseOnEvidence
                | Script::Manual,
            ) => lost,
            None if self.promised => {
                (DisputeOutcome::Lost, DisputeOutcomeDetailed::PromisedRefundMissing)
            }
            Some(Script::WinOnEvidence) | None => (DisputeOutcome::Won, self.reason.won()),
        }
    }

    /// What Klarna makes of the appeal.
    fn arbitrate(&self) -> (DisputeOutcome, DisputeOutcomeDetailed) {
        match self.script {
            Some(Script::PreArbWinAfterArbitration | Script::WinOnEvidence) => {
                (DisputeOutcome::Won, self.reason.won())
            }
            Some(
                Script::LoseOnExpiry
                | Script::PreArbAcceptLoss
                | Script::PreArbWindowExpired
                | Script::PreArbLoseAfterArbitration
                | Script::LoseOnEvidence
                | Script::Manual,
            )
            | None => {
                let detailed = self.preliminary.clone().unwrap_or_else(|| self.reason.lost());
                (DisputeOutcome::Lost, detailed)
            }
        }
    }
}

impl Changed {
    fn nothing(dispute: Dispute) -> Self {
        Self { dispute, events: Vec::new(), bookings: Vec::new() }
    }

    fn record(&mut self, at: Timestamp, what: Happened) {
        self.dispute.updated_at = at;
        self.events.push(Event { at, what });
    }

    fn enter(&mut self, stage: Stage) {
        if self.dispute.stage.state() != stage.state() {
            self.dispute.previous = Some(self.dispute.stage);
        }
        self.dispute.stage = stage;
        self.dispute.until = None;
    }

    fn evidence(&mut self, state: RepresentmentState) {
        let before = std::mem::replace(&mut self.dispute.evidence, state);
        self.dispute.evidence_before = Some(before);
    }

    fn except(&mut self, kind: ProcessExceptionType, reason: ProcessExceptionReason) {
        // No more are shown; the latest ones say most.
        if self.dispute.exceptions.len() >= MAX_EXCEPTIONS {
            self.dispute.exceptions.remove(0);
        }
        self.dispute.exceptions.push(Exception { kind, reason });
    }

    /// Something that time brings.
    fn let_happen(&mut self, at: Timestamp) {
        match self.dispute.stage {
            Stage::Opened => self.escalate(at),
            Stage::Initiated | Stage::PreArbitration => {
                if self.dispute.script == Some(Script::PreArbAcceptLoss) {
                    self.accept_loss(at);
                } else {
                    self.expire(at);
                }
            }
            Stage::Representment => match self.dispute.review() {
                (DisputeOutcome::Won, detailed) => {
                    self.close(at, DisputeOutcome::Won, detailed, ClosedBy::Decision);
                }
                (_, detailed) => self.lose(at, detailed),
            },
            Stage::Arbitration => {
                let (outcome, detailed) = self.dispute.arbitrate();
                self.close(at, outcome, detailed, ClosedBy::Decision);
            }
            Stage::Closed => {}
        }
    }

    fn escalate(&mut self, at: Timestamp) {
        self.enter(Stage::Initiated);
        let question = self.dispute.reason.question().to_owned();
        self.ask(at, question);
    }

    /// Klarna asks, and the merchant has some time to answer.
    fn ask(&mut self, at: Timestamp, comment: String) {
        let dispute = &mut self.dispute;
        let time = match dispute.script {
            Some(Script::LoseOnExpiry | Script::PreArbAcceptLoss) => BEAT,
            _ if !dispute.requests.is_empty() => FOLLOW_UP_TIME,
            _ => dispute.reason.answer_time(dispute.framework),
        };
        let deadline = after(at, time);
        dispute.until = Some(deadline);
        dispute.deadline = Some(deadline);
        dispute.escalated = true;
        if dispute.evidence != RepresentmentState::EvidenceRequested {
            dispute.evidence_before = Some(dispute.evidence.clone());
            dispute.evidence = RepresentmentState::EvidenceRequested;
        }
        let (required, optional) = dispute.reason.requested_fields();
        dispute.requests.push(Request { at, comment, required, optional, responses: Vec::new() });
        let number = dispute.requests.len();
        self.record(at, Happened::Requested { number });
    }

    /// The merchant answers the open request.
    fn answer(&mut self, at: Timestamp, response: Response) {
        self.enter(Stage::Representment);
        self.evidence(RepresentmentState::EvidenceReceived);
        self.keep(at, response);
        let dispute = &mut self.dispute;
        let time = match dispute.script {
            Some(Script::Manual) => None,
            Some(_) => Some(BEAT),
            None if dispute.promised => Some(PROMISE_TIME),
            None => Some(dispute.terms.review),
        };
        dispute.until = time.map(|time| after(at, time));
        self.record(at, Happened::Answered);
    }

    fn supplement(&mut self, at: Timestamp, response: Response) {
        let promised_before = self.dispute.promised;
        self.keep(at, response);
        let dispute = &mut self.dispute;
        if dispute.promised && !promised_before && dispute.script.is_none() {
            dispute.until = Some(after(at, PROMISE_TIME));
        }
        self.record(at, Happened::Supplemented);
    }

    fn keep(&mut self, _: Timestamp, response: Response) {
        let fields = &response.fields;
        self.dispute.promised |= fields.return_info == Some(ReturnInfo::YesWillMakeChanges)
            || fields.received_payment == Some(PaymentReceived::YesWillMakeChanges)
            || fields.is_order_shipped == Some(Shipped::WillCancel);
        if let Some(request) = self.dispute.requests.last_mut() {
            request.responses.push(response);
        }
    }

    fn accept_loss(&mut self, at: Timestamp) {
        if matches!(self.dispute.stage, Stage::Opened | Stage::Initiated) {
            self.evidence(RepresentmentState::EvidenceWaived);
        }
        let detailed = DisputeOutcomeDetailed::PartnerAcceptedTheLoss;
        self.close(at, DisputeOutcome::Lost, detailed, ClosedBy::AcceptedLoss);
    }

    /// The deadline of an answer or of an appeal passes.
    fn expire(&mut self, at: Timestamp) {
        let detailed = if self.dispute.stage == Stage::PreArbitration {
            self.dispute.preliminary.clone().unwrap_or_else(|| self.dispute.reason.lost())
        } else {
            self.evidence(RepresentmentState::EvidenceRequestExpired);
            self.dispute.reason.unanswered()
        };
        self.close(at, DisputeOutcome::Lost, detailed, ClosedBy::Expiry);
    }

    /// Klarna decides against the merchant, where there is an appeal only preliminarily.
    fn lose(&mut self, at: Timestamp, detailed: DisputeOutcomeDetailed) {
        let dispute = &self.dispute;
        if table::next(dispute.framework, dispute.stage, Move::Lose) != Some(Stage::PreArbitration)
        {
            self.close(at, DisputeOutcome::Lost, detailed, ClosedBy::Decision);
            return;
        }
        self.enter(Stage::PreArbitration);
        let dispute = &mut self.dispute;
        let time = match dispute.script {
            Some(Script::PreArbWindowExpired | Script::PreArbAcceptLoss) => BEAT,
            _ => APPEAL_TIME,
        };
        dispute.until = Some(after(at, time));
        dispute.preliminary = Some(detailed);
        self.record(at, Happened::Preliminary);
    }

    fn close(
        &mut self,
        at: Timestamp,
        outcome: DisputeOutcome,
        detailed: DisputeOutcomeDetailed,
        by: ClosedBy,
    ) {
        let within_resolution_time = self.dispute.is_within_resolution_time();
        let target = self.target(&outcome, by, within_resolution_time);
        self.enter(Stage::Closed);
        let closing = Closing { at, outcome: outcome.clone(), detailed: detailed.clone(), by };
        self.dispute.closing = Some(closing);
        self.settle(at, target);
        self.record(at, Happened::Closed { outcome, detailed });
    }

    /// How the merchant's balance shall stand in the end.
    fn target(
        &self,
        outcome: &DisputeOutcome,
        by: ClosedBy,
        within_resolution_time: bool,
    ) -> Target {
        let dispute = &self.dispute;
        let terms = dispute.terms;
        let lost = *outcome == DisputeOutcome::Lost;
        let debited = if lost {
            dispute.amount
        } else if by == ClosedBy::Decision {
            dispute.proposed_refund().unwrap_or_default()
        } else {
            MinorUnits::ZERO
        };
        // A merchant that gives the money back late, or is found liable, bears the cost.
        let liable =
            lost && !terms.borne_by_klarna || by == ClosedBy::Settlement && !within_resolution_time;
        let fee = match dispute.framework {
            Framework::F2020 if liable && dispute.escalated => terms.fee,
            Framework::F2026 if liable => terms.fee,
            _ if terms.fee_refundable || by == ClosedBy::Settlement => MinorUnits::ZERO,
            _ => dispute.account.fee,
        };
        Target {
            debited: debited.min(dispute.subject.captured),
            fee,
            borne_by_klarna: lost && terms.borne_by_klarna,
        }
    }

    /// Takes the amount and the fee at the beginning, where that is agreed.
    fn hold(&mut self, at: Timestamp) {
        let dispute = &self.dispute;
        if dispute.terms.hold != Hold::OnDisputeInitiated
            || dispute.stage == Stage::Closed
            || !dispute.subject.captured.is_positive()
        {
            return;
        }
        let target = Target {
            debited: dispute.amount.min(dispute.subject.captured),
            fee: match dispute.framework {
                Framework::F2020 => dispute.account.fee,
                Framework::F2026 => dispute.terms.fee,
            },
            borne_by_klarna: false,
        };
        self.settle(at, target);
    }

    fn settle(&mut self, at: Timestamp, target: Target) {
        let reason = self.dispute.reason;
        let bookings = self.dispute.account.settle(reason, target);
        self.bookings.extend(bookings.into_iter().map(|booking| (at, booking)));
    }

    fn checked(self) -> Self {
        self.assert();
        self
    }

    fn assert(&self) {
        debug_assert_eq!(self.dispute.broken_invariant(), None);
    }
}
