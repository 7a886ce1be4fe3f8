//! A dispute: one state machine behind all versions of the API.
//!
//! The states are those of version 4, with one more before them: the time in which the merchant and the
//! shopper may settle it among themselves, which the older process has. [`table::next`] says what leads
//! where; [`commands`](self) ask it, then their own rules, and only then change anything. What must be
//! entered into the merchant's balance follows from the state ([`money`]), what is told to the merchant
//! from the events ([`event`]).
//!
//! This module knows neither files nor deliveries: attachments are numbers here.

mod commands;
mod event;
pub(crate) mod money;
mod reason;
mod script;
pub(crate) mod settings;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod view;
mod view_v2;
mod view_v3;

use jiff::{SignedDuration, Timestamp};
use klarna_types::disputes::v2::{RequestedField, RequestedFields};
use klarna_types::disputes::{
    DisputeOutcome, DisputeOutcomeDetailed, FileType, PaymentDisputeId, ProcessExceptionReason,
    ProcessExceptionType, RepresentmentState,
};
use klarna_types::ids::{CaptureId, MerchantId, OrderId};
use klarna_types::market::{Country, Currency};
use klarna_types::money::MinorUnits;
use serde::{Deserialize, Serialize};

pub(crate) use commands::{AppealCommand, Decision, RepresentCommand, ResponseCommand};
pub(crate) use event::signature;
pub(crate) use money::{Account, Booking, BookingKind, net_of_fees};
pub(crate) use reason::Reason;
pub(crate) use script::{Script, Trigger};
pub(crate) use settings::{DisputeSettings, Hold, Webhook};
pub(crate) use table::{Framework, Move, Stage};
pub(crate) use view::status_of;

/// How soon a scripted lifecycle takes its next step.
const BEAT: SignedDuration = SignedDuration::from_mins(5);
/// For how long a merchant may appeal.
const APPEAL_TIME: SignedDuration = SignedDuration::from_hours(10 * 24);
/// For how long a follow-up request can be answered.
const FOLLOW_UP_TIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// For how long an answer can still be extended.
const SUPPLEMENT_TIME: SignedDuration = SignedDuration::from_mins(60);
/// Within which a merchant that has promised to give the money back has to do so.
const PROMISE_TIME: SignedDuration = SignedDuration::from_hours(96);
/// The most exceptions that a dispute shows.
const MAX_EXCEPTIONS: usize = 3;

/// What is disputed, as it was when the dispute was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    /// Whose order.
    pub(crate) merchant_id: MerchantId,
    /// Which order.
    pub(crate) order_id: OrderId,
    /// When it was placed.
    pub(crate) order_created_at: Timestamp,
    /// For how much.
    pub(crate) order_amount: MinorUnits,
    /// Which capture of it; none when the order as such is disputed.
    pub(crate) capture_id: Option<CaptureId>,
    /// The merchant's reference of that capture.
    pub(crate) capture_reference: Option<String>,
    /// The currency of all amounts.
    pub(crate) currency: Currency,
    /// Where it was bought.
    pub(crate) country: Country,
    /// The merchant's first reference.
    pub(crate) merchant_reference1: Option<String>,
    /// The merchant's second reference.
    pub(crate) merchant_reference2: Option<String>,
    /// The merchant's own data.
    pub(crate) merchant_data: Option<String>,
    /// Carrier and number of each parcel.
    pub(crate) parcels: Vec<(Option<String>, Option<String>)>,
    /// Reference and quantity of each line.
    pub(crate) lines: Vec<(Option<String>, i64)>,
    /// What of it had been given back already.
    pub(crate) refunded_before: MinorUnits,
    /// What of the disputed amount has been captured: no more can be taken back.
    pub(crate) captured: MinorUnits,
}

/// A dispute that is to be raised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewDispute {
    /// Its number: the last part of its names.
    pub(crate) number: String,
    /// What is disputed.
    pub(crate) subject: Subject,
    /// How much of it.
    pub(crate) amount: MinorUnits,
    /// Why.
    pub(crate) reason: Reason,
    /// In which process.
    pub(crate) framework: Framework,
    /// How it will go, if that is settled.
    pub(crate) script: Option<Script>,
    /// Whether Klarna asks at once, although there would be time to settle it first.
    pub(crate) start: Start,
    /// Why it is decided without a defence, if it is.
    pub(crate) at_once: Option<ProcessExceptionReason>,
}

/// Where a dispute begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// With the time to settle it, where the process and the reason have one.
    #[default]
    Opened,
    /// With a request.
    Requested,
}

/// A request of Klarna's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// When it was made.
    pub(crate) at: Timestamp,
    /// In words.
    pub(crate) comment: String,
    /// What must be answered.
    pub(crate) required: Vec<RequestedField>,
    /// What may be answered.
    pub(crate) optional: Vec<RequestedField>,
    /// The answers, oldest first.
    pub(crate) responses: Vec<Response>,
}

/// An answer of the merchant's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    /// When.
    pub(crate) at: Timestamp,
    /// In words.
    pub(crate) comment: Option<String>,
    /// The fields that were asked for.
    pub(crate) fields: RequestedFields,
    /// In files.
    pub(crate) files: Vec<File>,
    /// How much the merchant would give back.
    pub(crate) proposed_refund: Option<MinorUnits>,
}

/// A file that was uploaded and is named in an answer or appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Its number within the dispute, counted from 1.
    pub(crate) number: i64,
    /// What the merchant says that it shows.
    pub(crate) description: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) mime_type: String,
}

/// The merchant's appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appeal {
    /// When.
    pub(crate) at: Timestamp,
    /// In words.
    pub(crate) text: String,
    /// In files.
    pub(crate) files: Vec<File>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Closing {
    /// When.
    pub(crate) at: Timestamp,
    /// For whom, from the merchant's side.
    pub(crate) outcome: DisputeOutcome,
    /// Why.
    pub(crate) detailed: DisputeOutcomeDetailed,
    /// By what.
    pub(crate) by: ClosedBy,
}

/// What ended a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClosedBy {
    /// Klarna's decision.
    Decision,
    /// The merchant gave in.
    AcceptedLoss,
    /// A deadline passed.
    Expiry,
    /// The merchant gave the money back, or called the order off.
    Settlement,
    /// The shopper withdrew.
    Withdrawal,
}

/// How a dispute left the usual process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exception {
    /// How.
    pub(crate) kind: ProcessExceptionType,
    /// Why.
    pub(crate) reason: ProcessExceptionReason,
}

/// What was agreed with the merchant when the dispute was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Terms {
    hold: Hold,
    fee: MinorUnits,
    fee_refundable: bool,
    borne_by_klarna: bool,
    review: SignedDuration,
    arbitration: SignedDuration,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dispute {
    number: String,
    subject: Subject,
    reason: Reason,
    framework: Framework,
    script: Option<Script>,
    terms: Terms,
    amount: MinorUnits,
    created_at: Timestamp,
    updated_at: Timestamp,
    stage: Stage,
    previous: Option<Stage>,
    /// Until when the present stage lasts, if time ends it.
    until: Option<Timestamp>,
    /// Until when the last request could be answered.
    deadline: Option<Timestamp>,
    evidence: RepresentmentState,
    evidence_before: Option<RepresentmentState>,
    requests: Vec<Request>,
    /// Whether Klarna has taken it up: from then on it costs a fee in the older process.
    escalated: bool,
    /// Whether the merchant has promised to give the money back.
    promised: bool,
    preliminary: Option<DisputeOutcomeDetailed>,
    appeal: Option<Appeal>,
    exceptions: Vec<Exception>,
    closing: Option<Closing>,
    account: Account,
}

/// A dispute after something has happened to it.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub(crate) struct Changed {
    /// As it is now.
    pub(crate) dispute: Dispute,
    /// What happened, in order.
    pub(crate) events: Vec<Event>,
    /// What is to be entered into the merchant's balance, in order.
    pub(crate) bookings: Vec<(Timestamp, Booking)>,
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) what: Happened,
}

/// What can happen. Neither words nor files of anyone are kept in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Happened {
    /// Raised.
    Raised {
        /// Over how much.
        amount: MinorUnits,
    },
    /// Klarna asks.
    Requested {
        /// For the how manieth time.
        number: usize,
    },
    /// The merchant answered.
    Answered,
    /// The merchant added to its answer.
    Supplemented,
    /// More time to answer.
    Extended {
        /// Until when it was.
        from: Timestamp,
        /// Until when it is.
        to: Timestamp,
    },
    /// Preliminarily lost.
    Preliminary,
    /// The merchant appealed.
    Appealed,
    /// Over.
    Closed {
        /// For whom.
        outcome: DisputeOutcome,
        /// Why.
        detailed: DisputeOutcomeDetailed,
    },
}

impl Happened {
    /// Its name in the history.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Raised { .. } => "raised",
            Self::Requested { .. } => "requested",
            Self::Answered => "answered",
            Self::Supplemented => "supplemented",
            Self::Extended { .. } => "extended",
            Self::Preliminary => "preliminary",
            Self::Appealed => "appealed",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The state does not allow it.
    #[error("the dispute is in state {state} and cannot be {wanted}")]
    State {
        /// Where it is.
        state: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// A value does not.
    #[error("{parameter}: {reason}")]
    Value {
        /// Which one.
        parameter: &'static str,
        /// Why.
        reason: String,
    },
    /// No such request.
    #[error("there is no request {0}")]
    NoSuchRequest(i64),
    /// That request takes no answer any more.
    #[error("the request takes no answer any more")]
    RequestClosed,
}

impl Dispute {
    /// The names of a dispute with this number.
    pub(crate) fn id_of(number: &str, country: &Country) -> PaymentDisputeId {
        PaymentDisputeId::new(format!(
            "krn:network:{}:test:payment:dispute:{number}",
            region_code(country)
        ))
    }

    /// Its number.
    pub(crate) fn number(&self) -> &str {
        &self.number
    }

    /// Its name in versions 3 and 4.
    pub(crate) fn id(&self) -> PaymentDisputeId {
        Self::id_of(&self.number, &self.subject.country)
    }

    /// Its name in version 2, which settlements use, too.
    pub(crate) fn krn(&self) -> String {
        let region = region_code(&self.subject.country);
        format!("krn:klarna:{region}:dispute:{}:{}", self.reason.as_str(), self.number)
    }

    /// Whose order is disputed.
    pub(crate) fn merchant_id(&self) -> &MerchantId {
        &self.subject.merchant_id
    }

    /// What is disputed.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Why.
    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    /// How much.
    pub(crate) fn amount(&self) -> MinorUnits {
        self.amount
    }

    /// Where it is.
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// When it was raised.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it last changed.
    pub(crate) fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// When it was closed.
    pub(crate) fn closed_at(&self) -> Option<Timestamp> {
        self.closing.as_ref().map(|closing| closing.at)
    }

    /// How it ended.
    pub(crate) fn closing(&self) -> Option<&Closing> {
        self.closing.as_ref()
    }

    /// Until when the last request can, or could, be answered.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// When time will next change it.
    pub(crate) fn next_due_at(&self) -> Option<Timestamp> {
        self.until
    }

    /// What it has ended with the shopper having back, or never having to pay: nothing of it can be
    /// refunded again, whoever bore it.
    pub(crate) fn given_back(&self) -> MinorUnits {
        match &self.closing {
            None => MinorUnits::ZERO,
            Some(closing) if closing.outcome == DisputeOutcome::Lost => {
                self.amount.min(self.subject.captured)
            }
            // Won with an offer.
            Some(_) => self.account.debited,
        }
    }

    /// What stands in the merchant's balance for it.
    #[cfg(test)]
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// Whether files can be added: before the evidence is given, and before the appeal is.
    pub(crate) fn takes_files(&self) -> Result<(), Refusal> {
        match self.stage {
            Stage::Opened | Stage::Initiated | Stage::PreArbitration => Ok(()),
            Stage::Representment | Stage::Arbitration | Stage::Closed => {
                Err(self.refuse("given another attachment"))
            }
        }
    }

    /// Whether version 2 takes files: also for what is added to an answer.
    pub(crate) fn takes_files_v2(&self) -> Result<(), Refusal> {
        if self.stage == Stage::Representment { Ok(()) } else { self.takes_files() }
    }

    /// The file that the shopper shows, if there is one.
    pub(crate) fn customer_file(&self) -> Option<FileType> {
        self.reason.has_customer_evidence().then_some(FileType::Pdf)
    }

    fn refuse(&self, wanted: &'static str) -> Refusal {
        Refusal::State { state: self.stage.state().to_string(), wanted }
    }

    /// Checks what must hold at every instant. The answer names what does not.
    pub(crate) fn broken_invariant(&self) -> Option<&'static str> {
        let closed = self.stage == Stage::Closed;
        let outcome = self.closing.as_ref().map(|closing| &closing.outcome);
        let won_in_full = outcome == Some(&DisputeOutcome::Won) && self.proposed_refund().is_none();
        let held = [
            (self.amount.is_positive(), "something is disputed"),
            (closed == self.closing.is_some(), "closed means decided"),
            (!closed || self.until.is_none(), "nothing is due after the end"),
            (self.account.debited <= self.amount, "no more is taken than is disputed"),
            (self.account.debited <= self.subject.captured, "no more is taken than was captured"),
            (!self.account.debited.is_negative(), "no more is given than was taken"),
            (!won_in_full || self.account.debited.is_zero(), "what is won is given back"),
            (
                self.requests.len() <= klarna_types::disputes::v2::MAX_REQUESTS,
                "at most five requests",
            ),
            (
                self.framework == Framework::F2020 || self.stage != Stage::Opened,
                "only the older process has time to settle",
            ),
            (
                self.framework == Framework::F2026
                    || !matches!(self.stage, Stage::PreArbitration | Stage::Arbitration),
                "only the newer process has an appeal",
            ),
            (self.exceptions.len() <= MAX_EXCEPTIONS, "at most three exceptions"),
        ];
        held.into_iter().find(|(holds, _)| !holds).map(|(_, name)| name)
    }

    /// What the merchant has offered to give back, in its last answer that says so.
    fn proposed_refund(&self) -> Option<MinorUnits> {
        self.requests
            .iter()
            .flat_map(|request| &request.responses)
            .filter_map(|response| response.proposed_refund)
            .next_back()
    }
}

/// The part of a name that says where a dispute is handled.
fn region_code(country: &Country) -> &'static str {
    match country.as_str() {
        "US" | "CA" | "MX" => "us1",
        "AU" | "NZ" => "ap1",
        _ => "eu1",
    }
}

/// Klarna's times have milliseconds; what is finer would be lost on the way through the database.
fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// So much later, or as late as can be.
fn after(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
