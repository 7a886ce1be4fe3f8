//! An operation: one intended change at Klarna, written down before it is asked for.
//!
//! Rules kept here: the states an operation goes through; what an answer of Klarna (or the lack of
//! one) means for each kind of operation; what Klarna's state says of an operation whose answer
//! was lost. An operation ends as done, refused, or handed to a person; it is never dropped.
//!
//! Opening a session is not an operation: a session nobody uses is harmless and Klarna forgets it
//! after 48 hours, so a lost answer there is repeated without a journal. Updating one is not
//! either: the update carries the whole cart, the checkout keeps the cart that it wants until
//! Klarna has it, and no money moves by it.

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::retry;

/// What an operation asks Klarna for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// Make the order of an authorisation.
    PlaceOrder,
    /// Capture an amount of an order.
    Capture,
    /// Give captured money back.
    Refund,
    /// Cancel an order of which nothing is captured.
    Cancel,
    /// Give back what will not be captured.
    Release,
    /// Make the customer token of an authorisation.
    CreateToken,
    /// Charge a customer token.
    Charge,
    /// Cancel a customer token.
    CancelToken,
    /// Change something by which no money moves.
    Change(Change),
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.name().to_owned()
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::from_name(&name).ok_or_else(|| format!("there is no kind of operation \"{name}\""))
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::PlaceOrder,
        Self::Capture,
        Self::Refund,
        Self::Cancel,
        Self::Release,
        Self::CreateToken,
        Self::Charge,
        Self::CancelToken,
        Self::Change(Change::UpdateAuthorization),
        Self::Change(Change::ExtendAuthorization),
        Self::Change(Change::UpdateCustomer),
        Self::Change(Change::UpdateReferences),
        Self::Change(Change::AddShippingInfo),
        Self::Change(Change::ResendCommunication),
        Self::Change(Change::ExtendDueDate),
        Self::Change(Change::Acknowledge),
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlaceOrder => "place_order",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Cancel => "cancel",
            Self::Release => "release",
            Self::CreateToken => "create_token",
            Self::Charge => "charge",
            Self::CancelToken => "cancel_token",
            Self::Change(change) => change.name(),
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Wanted, and known not to have taken effect.
    Queued,
    /// Being asked for.
    Running,
    /// Asked for; whether it took effect is not known yet.
    InDoubt,
    /// Took effect.
    Done,
    /// Did not take effect and will not.
    Refused,
    /// Only a person can tell what to do.
    NeedsAttention,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::InDoubt,
        Self::Done,
        Self::Refused,
        Self::NeedsAttention,
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NeedsAttention => "needs_attention",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the gateway itself will do nothing more about it.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Done | Self::Refused | Self::NeedsAttention => true,
            Self::Queued | Self::Running | Self::InDoubt => false,
        }
    }

    /// Whether it may still have an effect, so that its amount must be kept free for it. What
    /// waits for a person counts: it may have taken effect.
    pub fn holds_amount(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::InDoubt | Self::NeedsAttention => true,
            Self::Done | Self::Refused => false,
        }
    }
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A worker takes it (again, when an earlier worker's lease ran out).
    Start,
    /// It took effect.
    Succeed,
    /// It did not and will not.
    Refuse,
    /// It surely did not take effect yet and will be tried later.
    Postpone,
    /// Its answer was lost.
    Doubt,
    /// This time it surely did not take effect; an earlier try still may.
    Wait,
    /// It is handed to a person.
    HandOver,
    /// A person wants it tried again.
    Resume,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Succeed,
        Self::Refuse,
        Self::Postpone,
        Self::Doubt,
        Self::Wait,
        Self::HandOver,
        Self::Resume,
    ];
}

/// The table of transitions. `None`: the step is illegal in that state.
#[allow(clippy::match_same_arms, reason = "a table: one row for each rule")]
pub fn next(state: State, step: Step) -> Option<State> {
    match (state, step) {
        (State::Queued | State::Running | State::InDoubt, Step::Start) => Some(State::Running),
        // What was never started can be refused: superseded by a newer authorisation, or held for
        // a fraud decision that then was negative.
        (State::Queued | State::Running | State::NeedsAttention, Step::Refuse) => {
            Some(State::Refused)
        }
        // A person, or a later look at Klarna's books, may find that it did take effect.
        (State::Running | State::NeedsAttention, Step::Succeed) => Some(State::Done),
        (State::Running, Step::Postpone) => Some(State::Queued),
        (State::Running, Step::Doubt | Step::Wait) => Some(State::InDoubt),
        (State::Running, Step::HandOver) => Some(State::NeedsAttention),
        (State::NeedsAttention, Step::Resume) => Some(State::InDoubt),
        (
            State::Queued,
            Step::Succeed
            | Step::Postpone
            | Step::Doubt
            | Step::Wait
            | Step::HandOver
            | Step::Resume,
        )
        | (State::Running, Step::Resume)
        | (
            State::InDoubt,
            Step::Succeed
            | Step::Refuse
            | Step::Postpone
            | Step::Doubt
            | Step::Wait
            | Step::HandOver
            | Step::Resume,
        )
        | (
            State::NeedsAttention,
            Step::Start | Step::Postpone | Step::Doubt | Step::Wait | Step::HandOver,
        )
        | (State::Done | State::Refused, _) => None,
    }
}

/// A step that the operation's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {} cannot {step:?}", state.name())]
pub struct Rejected {
    /// What it is.
    pub state: State,
    /// What was wanted.
    pub step: Step,
}

/// What is known of the effect of a call that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The call surely had none, and the same call may succeed later (no connection; rate limit).
    NoneYet,
    /// Klarna said no.
    Refused,
    /// Nobody knows (time-out, broken connection, 5xx).
    Unknown,
}

/// A call that did not succeed, in the terms that decisions need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What is known of its effect.
    pub effect: Effect,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Klarna's code, if the answer had one.
    pub error_code: Option<Box<str>>,
    /// Klarna's messages: English, for people who debug.
    #[serde(default)]
    pub error_messages: Vec<String>,
    /// Klarna's id of the exchange.
    pub correlation_id: Option<String>,
    /// How long the answer asked to wait.
    pub retry_after_ms: Option<i64>,
    /// One line for people: what happened on the way.
    pub summary: String,
    /// With what the shopper can recover a refused charge of a customer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up_id: Option<Box<StepUpId>>,
}

/// With what the shopper can recover a refused charge of a customer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepUpId(pub String);

impl Failure {
    fn code(&self) -> &str {
        self.error_code.as_deref().unwrap_or_default()
    }
}

/// Why an operation ended without effect (or with a person), and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable, for programs.
    pub reason: Reason,
    /// One sentence for people.
    pub detail: String,
    /// What would help.
    pub remedy: String,
    /// What Klarna answered, where that is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna: Option<Failure>,
}

impl Refusal {
    /// With what the shopper can recover a refused charge of a customer token.
    pub fn step_up_id(&self) -> Option<&str> {
        let id = self.klarna.as_ref()?.step_up_id.as_ref()?;
        Some(&id.0)
    }
}

/// The stable reasons of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Klarna declined the purchase.
    Declined,
    /// The authorization token is unknown, expired, cancelled or replaced.
    AuthorizationInvalid,
    /// The order differs from what the shopper authorised.
    CartMismatch,
    /// Klarna found a value in the request wrong.
    InvalidRequest,
    /// Klarna refused the gateway's credentials.
    CredentialsRefused,
    /// Klarna does not let this merchant do that.
    NotAllowed,
    /// The state of the order forbids it.
    StateForbids,
    /// Klarna does not know the order.
    UnknownOrder,
    /// A newer authorisation of the same checkout took its place.
    Superseded,
    /// It was held for a fraud decision, which was negative.
    FraudRejected,
    /// Klarna could not be reached for as long as it was sensible to try.
    Unreachable,
    /// The outcome could not be found out.
    OutcomeUnknown,
    /// A person has said that it did not take effect.
    SettledByPerson,
    /// Klarna has stopped the customer token for now.
    TokenSuspended,
    /// The customer token cannot be charged any more.
    TokenCancelled,
    /// Anything else that Klarna answered.
    Other,
}

impl Reason {
    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::AuthorizationInvalid => "authorization_invalid",
            Self::CartMismatch => "cart_mismatch",
            Self::InvalidRequest => "invalid_request",
            Self::CredentialsRefused => "credentials_refused",
            Self::NotAllowed => "not_allowed",
            Self::StateForbids => "state_forbids",
            Self::UnknownOrder => "unknown_order",
            Self::Superseded => "superseded",
            Self::FraudRejected => "fraud_rejected",
            Self::Unreachable => "klarna_unreachable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::SettledByPerson => "settled_by_person",
            Self::TokenSuspended => "token_suspended",
            Self::TokenCancelled => "token_cancelled",
            Self::Other => "klarna_refused",
        }
    }
}

/// What a decision needs to know of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it asks for.
    pub kind: Kind,
    /// Whether any earlier attempt may have taken effect.
    pub doubted: bool,
    /// Attempts made in the present schedule, this one included.
    pub attempts: i64,
}

/// What to do after a call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It ends here, without effect.
    Refuse(Refusal),
    /// Surely no effect yet: try again then.
    Postpone {
        /// How long to wait.
        wait_ms: i64,
    },
    /// In doubt: ask again then, with the same key and body.
    Doubt {
        /// How long to wait.
        wait_ms: i64,
    },
    /// Read Klarna's state to learn whether an earlier attempt took effect. Where it did not, the
    /// refusal stands.
    Verify(Refusal),
    /// A person must look.
    HandOver(Refusal),
}

/// Where a doubt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// From the call that was just made: it may be on its way still.
    Fresh,
    /// From an earlier one; the call that was just made surely had no effect.
    Old,
}

/// Whether a call that did not succeed may still take effect.
pub fn doubt_of(failure: &Failure) -> Doubt {
    match failure.effect {
        Effect::Unknown => Doubt::Fresh,
        // The same call is being carried out this very moment.
        Effect::Refused if failure.status == Some(409) && failure.code() == "CONFLICT" => {
            Doubt::Fresh
        }
        Effect::Refused | Effect::NoneYet => Doubt::Old,
    }
}

/// What a failed call means. Pure: the same facts and failure, the same decision.
pub fn decide(facts: Facts, failure: &Failure) -> Decision {
    match failure.effect {
        Effect::NoneYet => {
            match retry::wait_ms(facts.kind, facts.attempts, failure.retry_after_ms) {
                Some(wait_ms) if facts.doubted => Decision::Doubt { wait_ms },
                Some(wait_ms) => Decision::Postpone { wait_ms },
                None if facts.doubted => Decision::Verify(unreachable(failure)),
                None => Decision::Refuse(unreachable(failure)),
            }
        }
        Effect::Unknown => {
            match retry::wait_ms(facts.kind, facts.attempts, failure.retry_after_ms) {
                Some(wait_ms) => Decision::Doubt { wait_ms },
                None => Decision::Verify(unreachable(failure)),
            }
        }
        Effect::Refused => {
            let refusal = refusal(facts.kind, failure);
            // Somebody else's call clashed with ours: the published advice is to ask once more.
            if failure.status == Some(409) && failure.code() == "CONFLICT" {
                return if facts.attempts <= 1 {
                    Decision::Doubt { wait_ms: 1000 }
                } else {
                    Decision::Verify(refusal)
                };
            }
            if facts.kind == Kind::PlaceOrder && failure.code() == "SESSION_COMPLETED" {
                // An order exists that this operation did not hear of. It must not be lost.
                return Decision::Verify(refusal);
            }
            if facts.doubted { Decision::Verify(refusal) } else { Decision::Refuse(refusal) }
        }
    }
}

fn unreachable(failure: &Failure) -> Refusal {
    Refusal {
        reason: Reason::Unreachable,
        detail: format!("Klarna could not be reached: {}.", failure.summary),
        remedy: "Check the connection to Klarna and Klarna's status page, then ask again."
            .to_owned(),
        klarna: failure.status.map(|_| failure.clone()),
    }
}

fn refusal(kind: Kind, failure: &Failure) -> Refusal {
    let status = failure.status.unwrap_or_default();
    let code = failure.code();
    let of_change = match kind {
        Kind::Change(change) => change.refused(status, code),
        Kind::PlaceOrder
        | Kind::Capture
        | Kind::Refund
        | Kind::Cancel
        | Kind::Release
        | Kind::CreateToken
        | Kind::Charge
        | Kind::CancelToken => None,
    };
    let (reason, remedy) = of_change.unwrap_or_else(|| meaning(kind, status, code));
    Refusal {
        reason,
        detail: refusal_detail(kind, failure),
        remedy: remedy.to_owned(),
        klarna: Some(failure.clone()),
    }
}

/// What a status and code mean, and what would help.
fn meaning(kind: Kind, status: u16, code: &str) -> (Reason, &'static str) {
    match (status, code) {
        (401, _) => (
            Reason::CredentialsRefused,
            "Check the API username and password, and that they belong to this region and \
             environment of Klarna.",
        ),
        (403, "MERCHANT_INACTIVE") => {
            (Reason::NotAllowed, "Klarna has not activated this merchant id. Ask Klarna.")
        }
        (403, "REJECTED") => {
            (Reason::Declined, "Offer the shopper another way to pay, or let them authorise again.")
        }
        (404, "SESSION_COMPLETED") => (
            Reason::StateForbids,
            "An order already exists for this session. Look it up in Klarna's merchant portal by \
             the merchant reference.",
        ),
        (404, _) if matches!(kind, Kind::PlaceOrder | Kind::CreateToken) => (
            Reason::AuthorizationInvalid,
            "Let the shopper authorise again and confirm with the new token. A token lives for 60 \
             minutes and is replaced by each newer authorisation.",
        ),
        (404, _) if matches!(kind, Kind::Charge | Kind::CancelToken) => (
            Reason::TokenCancelled,
            "Klarna does not know this customer token, or not of this merchant id. Let the shopper \
             agree again in a new tokenizing checkout.",
        ),
        (403, "TOKEN_CANCELED" | "TOKEN_CANCELLED") => {
            (Reason::TokenCancelled, "Let the shopper agree again in a new tokenizing checkout.")
        }
        (403, "TOKEN_SUSPENDED") => (
            Reason::TokenSuspended,
            "Klarna stopped this customer token for now. Try later; if it stays so, let the shopper \
             agree again in a new tokenizing checkout.",
        ),
        (403, "UNAVAILABLE_PAYMENT_METHOD") => (
            Reason::Declined,
            "Let the shopper choose another method of payment, or agree again in a new tokenizing \
             checkout.",
        ),
        (404, _) => (
            Reason::UnknownOrder,
            "Check that the credentials belong to the merchant id that placed the order.",
        ),
        (409, "BAD_VALUE") if matches!(kind, Kind::PlaceOrder | Kind::CreateToken) => (
            Reason::CartMismatch,
            "Update the checkout to the cart that is to be paid, then let the shopper authorise \
             again.",
        ),
        (409, _) if kind == Kind::Charge => (
            Reason::InvalidRequest,
            "The charge differs from what the shopper signed up for, or its key was used for \
             something else.",
        ),
        (403, "INVALID_OPERATION") if matches!(kind, Kind::PlaceOrder | Kind::CreateToken) => (
            Reason::NotAllowed,
            "The token was used already, or Klarna has not enabled this for the merchant id. Let \
             the shopper authorise again; if that fails too, ask Klarna.",
        ),
        (400 | 413 | 422, _) => {
            (Reason::InvalidRequest, "Correct the value that Klarna names, then ask again.")
        }
        (
            403,
            "CAPTURE_NOT_ALLOWED" | "REFUND_NOT_ALLOWED" | "CANCEL_NOT_ALLOWED" | "NOT_ALLOWED",
        ) => (
            Reason::StateForbids,
            "The payment was read anew from Klarna. See its available_actions for what is possible \
             now.",
        ),
        (403, "PAYMENT_METHOD_FAILED") => {
            (Reason::Declined, "Charging the shopper failed. Try later, then ask the shopper.")
        }
        (403, _) => (Reason::NotAllowed, "Ask Klarna to enable this for the merchant id."),
        _ => (Reason::Other, "Ask Klarna's merchant support, with the correlation id."),
    }
}

fn refusal_detail(kind: Kind, failure: &Failure) -> String {
    let wanted = match kind {
        Kind::PlaceOrder => "to place the order",
        Kind::Capture => "the capture",
        Kind::Refund => "the refund",
        Kind::Cancel => "to cancel the order",
        Kind::Release => "to release the remaining authorisation",
        Kind::CreateToken => "to make a customer token",
        Kind::Charge => "to charge the customer token",
        Kind::CancelToken => "to cancel the customer token",
        Kind::Change(change) => change.wanted(),
    };
    let said = if failure.error_messages.is_empty() {
        failure.error_code.as_deref().unwrap_or(&failure.summary).to_owned()
    } else {
        failure.error_messages.join("; ")
    };
    format!("Klarna refused {wanted}: {said}")
}

/// What Klarna's books say of an operation whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It took effect; for a capture or a refund, this is the id it got.
    TookEffect {
        /// Klarna's id of the capture or refund.
        id: Option<String>,
    },
    /// It did not.
    NoEffect,
    /// The books do not tell.
    Unclear,
}

/// What to look for in an order's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark<'a> {
    /// What the operation asked for.
    pub kind: Kind,
    /// The amount of a capture or refund.
    pub amount: i64,
    /// The reference that only this operation's request carried.
    pub reference: &'a str,
    /// What remained to be captured when the operation was accepted.
    pub remaining_before: i64,
}

/// What one capture or refund in Klarna's books shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Klarna's id.
    pub id: &'a str,
    /// Its amount.
    pub amount: i64,
    /// Its reference, if it has one.
    pub reference: Option<&'a str>,
    /// Whether the gateway already knows which of its operations made it.
    pub accounted_for: bool,
}

/// What an order shows to whoever looks for the effect of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books<'a> {
    /// The order's status.
    pub status: super::payment::Status,
    /// What can still be captured.
    pub remaining: i64,
    /// Its captures.
    pub captures: Vec<Entry<'a>>,
    /// Its refunds.
    pub refunds: Vec<Entry<'a>>,
}

/// Looks for the effect of an operation in Klarna's books.
pub fn find_effect(mark: &Mark<'_>, books: &Books<'_>) -> Finding {
    use super::payment::Status;
    let entries = match mark.kind {
        Kind::Capture => &books.captures,
        Kind::Refund => &books.refunds,
        Kind::Cancel => {
            return if books.status == Status::Cancelled {
                Finding::TookEffect { id: None }
            } else {
                Finding::NoEffect
            };
        }
        Kind::Release => {
            return match (books.remaining, mark.remaining_before) {
                (0, 1..) if books.status != Status::Expired => Finding::TookEffect { id: None },
                (0, _) => Finding::Unclear,
                _ => Finding::NoEffect,
            };
        }
        // An order is found through its session, a change through the order itself, and what became of
        // a token through the token; a charge cannot be looked for at all.
        Kind::PlaceOrder
        | Kind::Change(_)
        | Kind::CreateToken
        | Kind::Charge
        | Kind::CancelToken => return Finding::Unclear,
    };
    let mut ours = entries
        .iter()
        .filter(|entry| entry.reference == Some(mark.reference) && entry.amount == mark.amount)
        .filter(|entry| !entry.accounted_for);
    match (ours.next(), ours.next()) {
        (Some(entry), None) => Finding::TookEffect { id: Some(entry.id.to_owned()) },
        (None, _) => Finding::NoEffect,
        // A merchant may use one reference for several captures of the same amount.
        (Some(_), Some(_)) => Finding::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::super::payment::Status;
    use super::*;

    fn failed(effect: Effect, status: u16, code: &str) -> Failure {
        Failure {
            effect,
            status: (status > 0).then_some(status),
            error_code: (!code.is_empty()).then(|| code.into()),
            error_messages: Vec::new(),
            correlation_id: None,
            retry_after_ms: None,
            summary: "said no".to_owned(),
            step_up_id: None,
        }
    }

    fn first(kind: Kind) -> Facts {
        Facts { kind, doubted: false, attempts: 1 }
    }

    fn doubted(kind: Kind) -> Facts {
        Facts { kind, doubted: true, attempts: 2 }
    }

    fn reason_of(decision: &Decision) -> Option<(Reason, &'static str)> {
        match decision {
            Decision::Refuse(refusal) => Some((refusal.reason, "refuse")),
            Decision::Verify(refusal) => Some((refusal.reason, "verify")),
            Decision::HandOver(refusal) => Some((refusal.reason, "hand over")),
            Decision::Postpone { .. } | Decision::Doubt { .. } => None,
        }
    }

    /// The whole table, pair by pair.
    #[test]
    fn operation_transitions_are_exactly_these() {
        use State::{Done, InDoubt, NeedsAttention, Queued, Refused, Running};
        let legal = [
            (Queued, Step::Start, Running),
            (Queued, Step::Refuse, Refused),
            (Running, Step::Start, Running),
            (Running, Step::Succeed, Done),
            (Running, Step::Refuse, Refused),
            (Running, Step::Postpone, Queued),
            (Running, Step::Doubt, InDoubt),
            (Running, Step::Wait, InDoubt),
            (Running, Step::HandOver, NeedsAttention),
            (InDoubt, Step::Start, Running),
            (NeedsAttention, Step::Resume, InDoubt),
            (NeedsAttention, Step::Succeed, Done),
            (NeedsAttention, Step::Refuse, Refused),
        ];
        for state in State::ALL {
            for step in Step::ALL {
                let expected = legal
                    .iter()
                    .find(|(from, by, _)| (*from, *by) == (state, step))
                    .map(|(_, _, to)| *to);
                assert_eq!(next(state, step), expected, "{state:?} {step:?}");
            }
        }
    }

    /// From every state an end can be reached, and ends are ends.
    #[test]
    fn every_journalled_operation_can_end() {
        for state in State::ALL {
            let mut reached = vec![state];
            let mut index = 0;
            while let Some(from) = reached.get(index).copied() {
                for to in Step::ALL.into_iter().filter_map(|step| next(from, step)) {
                    if !reached.contains(&to) {
                        reached.push(to);
                    }
                }
                index += 1;
            }
            assert!(reached.iter().any(|state| state.is_settled()), "{state:?} never ends");
        }
    }

    #[test]
    fn a_lost_answer_is_doubt_and_never_failure() {
        for kind in Kind::ALL {
            for attempts in 1..12 {
                for doubted in [false, true] {
                    let facts = Facts { kind, doubted, attempts };
                    let decision = decide(facts, &failed(Effect::Unknown, 0, ""));
                    assert!(
                        matches!(decision, Decision::Doubt { .. } | Decision::Verify(_)),
                        "{facts:?}: {decision:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn once_in_doubt_no_answer_but_klarnas_books_ends_it_as_refused() {
        for kind in Kind::ALL {
            for (status, code) in [
                (400, "BAD_VALUE"),
                (401, ""),
                (403, "CAPTURE_NOT_ALLOWED"),
                (403, "REJECTED"),
                (404, "NOT_FOUND"),
                (409, "BAD_VALUE"),
                (409, "CONFLICT"),
            ] {
                let decision = decide(doubted(kind), &failed(Effect::Refused, status, code));
                assert!(matches!(decision, Decision::Verify(_)), "{kind:?} {status} {code}");
            }
        }
    }

    #[test]
    fn each_refusal_of_an_order_has_its_reason() {
        let cases = [
            (403, "REJECTED", Reason::Declined, "refuse"),
            (404, "NOT_FOUND", Reason::AuthorizationInvalid, "refuse"),
            (404, "SESSION_COMPLETED", Reason::StateForbids, "verify"),
            (409, "BAD_VALUE", Reason::CartMismatch, "refuse"),
            (403, "INVALID_OPERATION", Reason::NotAllowed, "refuse"),
            (403, "MERCHANT_INACTIVE", Reason::NotAllowed, "refuse"),
            (400, "BAD_VALUE", Reason::InvalidRequest, "refuse"),
            (400, "BAD_REQUEST", Reason::InvalidRequest, "refuse"),
            (401, "", Reason::CredentialsRefused, "refuse"),
            (418, "TEAPOT", Reason::Other, "refuse"),
        ];
        for (status, code, reason, how) in cases {
            let decision = decide(first(Kind::PlaceOrder), &failed(Effect::Refused, status, code));
            assert_eq!(reason_of(&decision), Some((reason, how)), "{status} {code}");
        }
    }

    #[test]
    fn each_refusal_of_order_management_has_its_reason() {
        let cases = [
            (Kind::Capture, 403, "CAPTURE_NOT_ALLOWED", Reason::StateForbids),
            (Kind::Refund, 403, "REFUND_NOT_ALLOWED", Reason::StateForbids),
            (Kind::Cancel, 403, "CANCEL_NOT_ALLOWED", Reason::StateForbids),
            (Kind::Release, 403, "NOT_ALLOWED", Reason::StateForbids),
            (Kind::Capture, 403, "PAYMENT_METHOD_FAILED", Reason::Declined),
            (Kind::Capture, 404, "NO_SUCH_ORDER", Reason::UnknownOrder),
            (Kind::Refund, 404, "NOT_FOUND", Reason::UnknownOrder),
            (Kind::Refund, 422, "UNPROCESSABLE_ENTITY", Reason::InvalidRequest),
        ];
        for (kind, status, code, reason) in cases {
            let decision = decide(first(kind), &failed(Effect::Refused, status, code));
            assert_eq!(reason_of(&decision), Some((reason, "refuse")), "{kind:?} {status} {code}");
        }
    }

    #[test]
    fn each_refusal_of_a_token_has_its_reason() {
        let cases = [
            (Kind::Charge, 403, "PAYMENT_METHOD_FAILED", Reason::Declined),
            (Kind::Charge, 403, "UNAVAILABLE_PAYMENT_METHOD", Reason::Declined),
            (Kind::Charge, 403, "TOKEN_SUSPENDED", Reason::TokenSuspended),
            (Kind::Charge, 403, "TOKEN_CANCELED", Reason::TokenCancelled),
            (Kind::Charge, 404, "TOKEN_NOT_FOUND", Reason::TokenCancelled),
            (Kind::Charge, 400, "BAD_VALUE", Reason::InvalidRequest),
            (Kind::Charge, 409, "BAD_VALUE", Reason::InvalidRequest),
            (Kind::Charge, 403, "INVALID_OPERATION", Reason::NotAllowed),
            (Kind::Charge, 401, "", Reason::CredentialsRefused),
            (Kind::CancelToken, 404, "NOT_FOUND", Reason::TokenCancelled),
            (Kind::CreateToken, 404, "NOT_FOUND", Reason::AuthorizationInvalid),
            (Kind::CreateToken, 403, "INVALID_OPERATION", Reason::NotAllowed),
            (Kind::CreateToken, 409, "BAD_VALUE", Reason::CartMismatch),
            (Kind::CreateToken, 400, "BAD_REQUEST", Reason::InvalidRequest),
        ];
        for (kind, status, code, reason) in cases {
            let decision = decide(first(kind), &failed(Effect::Refused, status, code));
            assert_eq!(reason_of(&decision), Some((reason, "refuse")), "{kind:?} {status} {code}");
        }
        // "Temporary": asked for again under the same key, and never taken for a refusal.
        let outage = failed(Effect::Unknown, 503, "SERVICE_UNAVAILABLE");
        assert!(matches!(decide(first(Kind::Charge), &outage), Decision::Doubt { .. }));
    }

    #[test]
    fn a_conflict_is_asked_about_once_more_and_then_looked_up() {
        let conflict = failed(Effect::Refused, 409, "CONFLICT");
        assert_eq!(decide(first(Kind::Capture), &conflict), Decision::Doubt { wait_ms: 1000 });
        let second = Facts { attempts: 2, ..first(Kind::Capture) };
        assert!(matches!(decide(second, &conflict), Decision::Verify(_)));
    }

    #[test]
    fn what_was_never_sent_is_postponed_and_at_last_refused() {
        let unsent = failed(Effect::NoneYet, 0, "");
        assert_eq!(decide(first(Kind::Refund), &unsent), Decision::Postpone { wait_ms: 300 });
        let last = Facts { attempts: 5, ..first(Kind::Refund) };
        assert_eq!(reason_of(&decide(last, &unsent)), Some((Reason::Unreachable, "refuse")));
        assert_eq!(decide(doubted(Kind::Refund), &unsent), Decision::Doubt { wait_ms: 5_000 });
    }

    fn entry<'a>(id: &'a str, amount: i64, reference: &'a str) -> Entry<'a> {
        Entry { id, amount, reference: Some(reference), accounted_for: false }
    }

    fn books(status: Status, remaining: i64, captures: Vec<Entry<'_>>) -> Books<'_> {
        Books { status, remaining, captures, refunds: Vec::new() }
    }

    #[test]
    fn a_lost_capture_is_found_by_its_reference() {
        let mark =
            Mark { kind: Kind::Capture, amount: 500, reference: "op_1", remaining_before: 1000 };
        let found = |entries| find_effect(&mark, &books(Status::PartCaptured, 500, entries));
        assert_eq!(
            found(vec![entry("c1", 500, "op_0"), entry("c2", 500, "op_1")]),
            Finding::TookEffect { id: Some("c2".to_owned()) }
        );
        assert_eq!(found(vec![entry("c1", 500, "op_0")]), Finding::NoEffect);
        assert_eq!(found(vec![entry("c1", 499, "op_1")]), Finding::NoEffect);
        assert_eq!(
            found(vec![entry("c1", 500, "op_1"), entry("c2", 500, "op_1")]),
            Finding::Unclear
        );
        let known = Entry { accounted_for: true, ..entry("c1", 500, "op_1") };
        assert_eq!(found(vec![known]), Finding::NoEffect);
    }

    #[test]
    fn a_lost_cancel_or_release_shows_in_the_order() {
        let mark = |kind| Mark { kind, amount: 0, reference: "", remaining_before: 300 };
        let cancel = mark(Kind::Cancel);
        let yes = Finding::TookEffect { id: None };
        assert_eq!(find_effect(&cancel, &books(Status::Cancelled, 0, vec![])), yes);
        assert_eq!(
            find_effect(&cancel, &books(Status::Authorized, 300, vec![])),
            Finding::NoEffect
        );
        let release = mark(Kind::Release);
        assert_eq!(find_effect(&release, &books(Status::Captured, 0, vec![])), yes);
        assert_eq!(
            find_effect(&release, &books(Status::PartCaptured, 300, vec![])),
            Finding::NoEffect
        );
        assert_eq!(find_effect(&release, &books(Status::Expired, 0, vec![])), Finding::Unclear);
    }
}
