//! The journal's entries: an operation with everything that is needed to ask for it again.
//!
//! What is sent to Klarna is built once, when the operation is accepted, and kept as text: every
//! repeat is byte for byte the first. The authorization token, a secret, is kept beside the entry
//! and wiped as soon as the operation is settled.

use klarna_types::{MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

use super::change::ChangeRequest;
use super::idempotency;
use super::operation::{Kind, Refusal, Rejected, State, Step, next};
use super::payment::Pending;
use super::retry::KEY_WINDOW_MS;

/// How long before the end of its window a key is no longer relied on: clocks differ.
const KEY_MARGIN_MS: i64 = 60 * 60 * 1000;

/// What an operation asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Make the order of an authorisation.
    PlaceOrder {
        /// The session that was authorised.
        session_id: String,
        /// The request body, as it is sent.
        body: String,
    },
    /// Capture.
    Capture(Transfer),
    /// Refund.
    Refund(Transfer),
    /// Cancel.
    Cancel {
        /// Klarna's id of the order.
        order_id: String,
    },
    /// Release what remains.
    Release {
        /// Klarna's id of the order.
        order_id: String,
        /// What remained when it was accepted.
        remaining_before: MinorUnits,
    },
    /// A change by which no money moves.
    Change(ChangeRequest),
}

/// A capture or a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Klarna's id of the order.
    pub order_id: String,
    /// How much.
    pub amount: MinorUnits,
    /// Which lines.
    pub order_lines: Vec<OrderLine>,
    /// The reference by which it is found in Klarna's books.
    pub reference: String,
    /// Shown to the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The capture that a refund is of, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// The request body, as it is sent.
    pub body: String,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Outcome {
    /// It took effect; Klarna's id of what it made, where it made something.
    Done {
        /// The id of the order, capture or refund.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// It did not.
    Refused(Refusal),
    /// A person must look.
    NeedsAttention(Refusal),
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Our id. The idempotency key towards Klarna follows from it.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// What it asks for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Grows with every change.
    pub version: i64,
    /// The checkout it belongs to.
    pub checkout_id: String,
    /// The payment it is about, or led to.
    pub payment_id: Option<String>,
    /// The same intent has the same key: the second one joins the first.
    pub dedupe: String,
    /// What is sent.
    pub request: Request,
    /// Whether an earlier attempt may have taken effect.
    pub doubted: bool,
    /// How often Klarna was asked.
    pub attempts: i64,
    /// Set while it waits for something other than time: a fraud decision, an older operation.
    pub held: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Klarna's id of the last exchange.
    pub correlation_id: Option<String>,
    /// When Klarna was first asked.
    pub first_sent_at_ms: Option<i64>,
    /// When it was accepted.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

impl Operation {
    /// A new entry.
    pub fn new(
        id: String,
        store_id: &str,
        checkout_id: &str,
        dedupe: String,
        request: Request,
        now_ms: i64,
    ) -> Self {
        let kind = match request {
            Request::PlaceOrder { .. } => Kind::PlaceOrder,
            Request::Capture(_) => Kind::Capture,
            Request::Refund(_) => Kind::Refund,
            Request::Cancel { .. } => Kind::Cancel,
            Request::Release { .. } => Kind::Release,
            Request::Change(ref change) => Kind::Change(change.change()),
        };
        Self {
            id,
            store_id: store_id.to_owned(),
            kind,
            state: State::Queued,
            version: 1,
            checkout_id: checkout_id.to_owned(),
            payment_id: None,
            dedupe,
            request,
            doubted: false,
            attempts: 0,
            held: false,
            outcome: None,
            correlation_id: None,
            first_sent_at_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        }
    }

    /// Moves it by a step of the table.
    pub fn step(&mut self, step: Step, now_ms: i64) -> Result<(), Rejected> {
        let from = self.state;
        self.state = next(from, step).ok_or(Rejected { state: from, step })?;
        if step == Step::Start {
            // Running already: an earlier worker died with it, nobody knows how far it got.
            self.doubted |= from == State::Running;
            self.attempts += 1;
            self.first_sent_at_ms.get_or_insert(now_ms);
        }
        // What a person had to look at may have taken effect, whatever led there.
        self.doubted |= matches!(step, Step::Doubt | Step::Resume);
        if step == Step::Resume {
            self.outcome = None;
        }
        self.updated_at_ms = now_ms;
        Ok(())
    }

    /// Whether Klarna may be asked (again). A capture or refund in doubt must not be repeated once
    /// its key may be forgotten: it could happen twice.
    pub fn may_be_sent(&self, now_ms: i64) -> bool {
        let keyed = match self.kind {
            // An authorisation makes one order, however often it is tried.
            Kind::PlaceOrder => false,
            Kind::Capture | Kind::Refund | Kind::Cancel | Kind::Release | Kind::Change(_) => true,
        };
        let since_ms = now_ms - self.first_sent_at_ms.unwrap_or(now_ms);
        !(keyed && self.doubted && since_ms >= KEY_WINDOW_MS - KEY_MARGIN_MS)
    }

    /// The key under which Klarna is asked.
    pub fn klarna_key(&self) -> String {
        idempotency::klarna_key(&self.id)
    }

    /// Forgets the callback URLs of a request that will not be sent again: they hold a secret.
    pub fn forget_urls(&mut self) {
        if let Request::PlaceOrder { body, .. } = &mut self.request
            && let Ok(mut sent) = serde_json::from_str::<serde_json::Value>(body)
            && let Some(members) = sent.as_object_mut()
            && members.shift_remove("merchant_urls").is_some()
        {
            *body = sent.to_string();
        }
    }

    /// The amount of a capture or refund.
    pub fn amount(&self) -> Option<MinorUnits> {
        match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => Some(transfer.amount),
            Request::PlaceOrder { .. }
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::Change(_) => None,
        }
    }

    /// The amount it is about: of a capture or refund, or the new total of the authorisation.
    pub fn amount_concerned(&self) -> Option<MinorUnits> {
        match &self.request {
            Request::Change(change) => change.new_amount(),
            Request::PlaceOrder { .. }
            | Request::Capture(_)
            | Request::Refund(_)
            | Request::Cancel { .. }
            | Request::Release { .. } => self.amount(),
        }
    }

    /// Klarna's id of the order it is about, if there is one yet.
    pub fn order_id(&self) -> Option<&str> {
        match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => Some(&transfer.order_id),
            Request::Cancel { order_id } | Request::Release { order_id, .. } => Some(order_id),
            Request::Change(change) => Some(&change.order_id),
            Request::PlaceOrder { .. } => None,
        }
    }

    /// The body that is sent, if there is one.
    pub fn body(&self) -> Option<&str> {
        match &self.request {
            Request::PlaceOrder { body, .. } => Some(body),
            Request::Capture(transfer) | Request::Refund(transfer) => Some(&transfer.body),
            Request::Change(change) => Some(change.body.as_str()).filter(|body| !body.is_empty()),
            Request::Cancel { .. } | Request::Release { .. } => None,
        }
    }

    /// What a payment must know of it while it is on its way.
    pub fn as_pending(&self) -> Pending {
        let order_lines = match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => transfer.order_lines.clone(),
            Request::PlaceOrder { .. }
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::Change(_) => Vec::new(),
        };
        let capture_id = match &self.request {
            Request::Refund(transfer) => transfer.capture_id.clone(),
            Request::Change(change) => change.capture_id.clone(),
            Request::PlaceOrder { .. }
            | Request::Capture(_)
            | Request::Cancel { .. }
            | Request::Release { .. } => None,
        };
        Pending {
            kind: self.kind,
            state: self.state,
            held: self.held,
            amount: self.amount_concerned().unwrap_or(MinorUnits::ZERO),
            order_lines,
            capture_id,
        }
    }

    /// Why it ended without effect, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.outcome {
            Some(Outcome::Refused(refusal) | Outcome::NeedsAttention(refusal)) => Some(refusal),
            Some(Outcome::Done { .. }) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        let request = Request::Cancel { order_id: "o".to_owned() };
        Operation::new("op_1".to_owned(), "s", "c", "d".to_owned(), request, 0)
    }

    #[test]
    fn a_worker_that_died_leaves_doubt() {
        let mut operation = operation();
        operation.step(Step::Start, 1).unwrap();
        assert!(!operation.doubted);
        operation.step(Step::Start, 2).unwrap();
        assert!(operation.doubted);
        assert_eq!(operation.attempts, 2);
    }

    #[test]
    fn a_postponed_operation_is_not_in_doubt() {
        let mut operation = operation();
        operation.step(Step::Start, 1).unwrap();
        operation.step(Step::Postpone, 1).unwrap();
        assert_eq!((operation.state, operation.doubted), (State::Queued, false));
    }

    #[test]
    fn a_key_is_not_relied_on_for_longer_than_klarna_keeps_it() {
        let mut operation = operation();
        operation.step(Step::Start, 0).unwrap();
        operation.step(Step::Doubt, 0).unwrap();
        assert!(operation.may_be_sent(22 * 3_600_000));
        assert!(!operation.may_be_sent(23 * 3_600_000));
        operation.doubted = false;
        assert!(operation.may_be_sent(100 * 3_600_000));
    }

    #[test]
    fn an_illegal_step_is_refused_and_changes_nothing() {
        let mut operation = operation();
        let before = operation.clone();
        let error = operation.step(Step::Succeed, 9).unwrap_err();
        assert_eq!(error.to_string(), "an operation that is queued cannot Succeed");
        assert_eq!(operation, before);
    }
}
