//! The journal's entries: an operation with everything that is needed to ask for it again.
//!
//! What is sent to Klarna is built once, when the operation is accepted, and kept as text: every
//! repeat is byte for byte the first. The authorization token, a secret, is kept beside the entry
//! and wiped as soon as the operation is settled.

use klarna_types::{MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

use super::change::ChangeRequest;
use super::idempotency;
use super::lease;
use super::operation::{Failure, Kind, Refusal, Rejected, State, Step, next};
use super::payment::Pending;
use super::retry::{self, KEY_WINDOW_MS};

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
    /// Make the customer token of an authorisation.
    CreateToken {
        /// The session that was authorised.
        session_id: String,
        /// The request body, as it is sent.
        body: String,
        /// The body of the order that is to be placed by the same authorisation once the token
        /// exists, if there is to be one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_body: Option<String>,
    },
    /// Charge a customer token. Klarna's id of it is kept beside the entry.
    Charge(Charge),
    /// Cancel a customer token. Klarna's id of it is kept beside the entry.
    CancelToken {
        /// Our id of the token.
        customer_token_id: String,
        /// The Klarna account that made it, where it has a name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_id: Option<String>,
        /// Where the shopper buys.
        country: String,
    },
}

/// A charge of a customer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Our id of the token.
    pub customer_token_id: String,
    /// The subscription that is charged, and the number of its charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<(String, i64)>,
    /// The shop's number of the order to be.
    pub merchant_reference: String,
    /// The Klarna account that made the token, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Where the shopper buys.
    pub country: String,
    /// The shopper's language.
    pub locale: String,
    /// How much.
    pub amount: MinorUnits,
    /// The request body, as it is sent.
    pub body: String,
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
    /// What it is about where that is neither a checkout nor a payment: a customer token or a
    /// subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The checkout in which the shopper may recover a refused charge, once it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_checkout_id: Option<String>,
    /// The same intent has the same key: the second one joins the first.
    pub dedupe: String,
    /// What is sent.
    pub request: Request,
    /// Whether an earlier attempt may have taken effect.
    pub doubted: bool,
    /// When the last answer was lost: until a while after that, Klarna's books do not tell.
    #[serde(default)]
    pub doubted_at_ms: Option<i64>,
    /// How often Klarna was asked.
    pub attempts: i64,
    /// How often it was asked in the present schedule: a person's wish begins a new one, and being
    /// told to come later does not count.
    #[serde(default)]
    pub tries: i64,
    /// Set while it waits for something other than time: a fraud decision, an older operation.
    pub held: bool,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The call that wanted it, in a trace: what is done about it belongs to the same trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// Klarna's id of the last exchange.
    pub correlation_id: Option<String>,
    /// When Klarna was first asked.
    pub first_sent_at_ms: Option<i64>,
    /// Whether it is about a shopper who was forgotten: what it says of them is forgotten with its end.
    #[serde(default)]
    pub forgets: bool,
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
            Request::CreateToken { .. } => Kind::CreateToken,
            Request::Charge(_) => Kind::Charge,
            Request::CancelToken { .. } => Kind::CancelToken,
        };
        Self {
            id,
            store_id: store_id.to_owned(),
            kind,
            state: State::Queued,
            version: 1,
            checkout_id: checkout_id.to_owned(),
            payment_id: None,
            subject: None,
            recovery_checkout_id: None,
            dedupe,
            request,
            doubted: false,
            doubted_at_ms: None,
            attempts: 0,
            tries: 0,
            held: false,
            outcome: None,
            trace_parent: None,
            correlation_id: None,
            first_sent_at_ms: None,
            forgets: false,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        }
    }

    /// Moves it by a step of the table.
    pub fn step(&mut self, step: Step, now_ms: i64) -> Result<(), Rejected> {
        let from = self.state;
        self.state = next(from, step).ok_or(Rejected { state: from, step })?;
        if step == Step::Start {
            self.attempts += 1;
            self.tries += 1;
            self.first_sent_at_ms.get_or_insert(now_ms);
        }
        // Running already: an earlier worker died with it, nobody knows how far it got.
        let died = step == Step::Start && from == State::Running;
        if died || step == Step::Doubt {
            self.doubted = true;
            self.doubted_at_ms = Some(now_ms);
        }
        if step == Step::Resume {
            // What a person had to look at may have taken effect, whatever led there.
            self.doubted = true;
            self.outcome = None;
            self.tries = 0;
        }
        self.updated_at_ms = now_ms;
        Ok(())
    }

    /// Klarna may have been asked for it by a gateway whose journal is lost, at any time since it was
    /// accepted: its key counts from then, and its effect is looked for before anything else.
    pub fn doubt_everything(&mut self, now_ms: i64) {
        self.doubted = true;
        self.doubted_at_ms = Some(now_ms);
        self.attempts = self.attempts.max(1);
        self.first_sent_at_ms = Some(self.first_sent_at_ms.unwrap_or(self.created_at_ms));
        self.updated_at_ms = now_ms;
    }

    /// Klarna may have been asked for it when it was due, by a gateway whose journal is lost: its key counts
    /// from then.
    pub fn doubt_since(&mut self, due_at_ms: i64) {
        self.doubted = true;
        self.attempts = self.attempts.max(1);
        self.first_sent_at_ms = Some(due_at_ms);
    }

    /// Klarna has carried it out already, as its books show: it is looked up and never asked for.
    pub fn only_look_up(&mut self) {
        self.doubted = true;
        self.attempts = self.attempts.max(1);
        self.first_sent_at_ms = Some(0);
    }

    /// Klarna was asked and said: not so fast. That costs no try.
    pub fn give_back_try(&mut self) {
        self.tries = (self.tries - 1).max(0);
    }

    /// Whether a failed call is simply made later, as if it had not been made: Klarna has said that
    /// there were too many, and there is time.
    pub fn may_be_put_off(&self, failure: &Failure, now_ms: i64) -> bool {
        failure.status == Some(429) && now_ms - self.created_at_ms < KEY_WINDOW_MS
    }

    /// Until when Klarna's books are not believed when they do not show it: a call may be on its way.
    pub fn unclear_until_ms(&self) -> i64 {
        self.doubted_at_ms.map_or(0, lease::settled_at_ms)
    }

    /// Whether Klarna may be asked (again). What is in doubt is only looked up once its schedule is
    /// used up. And a capture or refund in doubt must not be repeated once its key may be forgotten:
    /// it could happen twice.
    pub fn may_be_sent(&self, now_ms: i64) -> bool {
        if self.doubted && self.tries > retry::tries(self.kind) {
            return false;
        }
        let keyed = match self.kind {
            // An authorisation makes one order and one token, however often it is tried; and what
            // is cancelled twice is cancelled.
            Kind::PlaceOrder | Kind::CreateToken | Kind::CancelToken => false,
            Kind::Capture
            | Kind::Refund
            | Kind::Cancel
            | Kind::Release
            | Kind::Change(_)
            | Kind::Charge => true,
        };
        let since_ms = now_ms - self.first_sent_at_ms.unwrap_or(now_ms);
        !(keyed && self.doubted && since_ms >= KEY_WINDOW_MS - KEY_MARGIN_MS)
    }

    /// The key under which Klarna is asked.
    pub fn klarna_key(&self) -> String {
        idempotency::klarna_key(&self.id)
    }

    /// Forgets the callback URLs of a request that will not be sent again, which hold a secret, and
    /// the people in it.
    pub fn forget_urls(&mut self) {
        if let Request::CreateToken { order_body, .. } = &mut self.request {
            *order_body = None;
        }
        if let Request::PlaceOrder { body, .. } = &mut self.request
            && let Ok(mut sent) = serde_json::from_str::<serde_json::Value>(body)
            && let Some(members) = sent.as_object_mut()
        {
            for member in ["merchant_urls", "billing_address", "shipping_address", "customer"] {
                members.shift_remove(member);
            }
            *body = sent.to_string();
        }
    }

    /// The amount of a capture or refund.
    pub fn amount(&self) -> Option<MinorUnits> {
        match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => Some(transfer.amount),
            Request::Charge(charge) => Some(charge.amount),
            Request::PlaceOrder { .. }
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::Change(_)
            | Request::CreateToken { .. }
            | Request::CancelToken { .. } => None,
        }
    }

    /// The amount it is about: of a capture, refund or charge, or the new total of the authorisation.
    pub fn amount_concerned(&self) -> Option<MinorUnits> {
        match &self.request {
            Request::Change(change) => change.new_amount(),
            Request::PlaceOrder { .. }
            | Request::Capture(_)
            | Request::Refund(_)
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::CreateToken { .. }
            | Request::Charge(_)
            | Request::CancelToken { .. } => self.amount(),
        }
    }

    /// Klarna's id of the order it is about, if there is one yet.
    pub fn order_id(&self) -> Option<&str> {
        match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => Some(&transfer.order_id),
            Request::Cancel { order_id } | Request::Release { order_id, .. } => Some(order_id),
            Request::Change(change) => Some(&change.order_id),
            Request::PlaceOrder { .. }
            | Request::CreateToken { .. }
            | Request::Charge(_)
            | Request::CancelToken { .. } => None,
        }
    }

    /// The body that is sent, if there is one.
    pub fn body(&self) -> Option<&str> {
        match &self.request {
            Request::PlaceOrder { body, .. } | Request::CreateToken { body, .. } => Some(body),
            Request::Capture(transfer) | Request::Refund(transfer) => Some(&transfer.body),
            Request::Change(change) => Some(change.body.as_str()).filter(|body| !body.is_empty()),
            Request::Charge(charge) => Some(&charge.body),
            Request::Cancel { .. } | Request::Release { .. } | Request::CancelToken { .. } => None,
        }
    }

    /// What a payment must know of it while it is on its way.
    pub fn as_pending(&self) -> Pending {
        let order_lines = match &self.request {
            Request::Capture(transfer) | Request::Refund(transfer) => transfer.order_lines.clone(),
            Request::PlaceOrder { .. }
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::Change(_)
            | Request::CreateToken { .. }
            | Request::Charge(_)
            | Request::CancelToken { .. } => Vec::new(),
        };
        let capture_id = match &self.request {
            Request::Refund(transfer) => transfer.capture_id.clone(),
            Request::Change(change) => change.capture_id.clone(),
            Request::PlaceOrder { .. }
            | Request::Capture(_)
            | Request::Cancel { .. }
            | Request::Release { .. }
            | Request::CreateToken { .. }
            | Request::Charge(_)
            | Request::CancelToken { .. } => None,
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
    fn what_a_lost_journal_may_have_asked_for_is_not_asked_for_under_a_forgotten_key() {
        let hour_ms = 3_600_000;
        let mut queued = operation();
        queued.doubt_everything(5 * hour_ms);
        assert_eq!((queued.state, queued.attempts), (State::Queued, 1));
        queued.step(Step::Start, 5 * hour_ms).unwrap();
        assert!(queued.may_be_sent(6 * hour_ms), "Klarna still knows the key");
        assert!(!queued.may_be_sent(23 * hour_ms), "counted from when it was accepted");
        let mut known = operation();
        known.only_look_up();
        known.step(Step::Start, 100 * hour_ms).unwrap();
        assert!(!known.may_be_sent(100 * hour_ms));
    }

    #[test]
    fn only_a_lost_answer_makes_the_books_wait() {
        let mut operation = operation();
        operation.step(Step::Start, 1).unwrap();
        operation.step(Step::Doubt, 5).unwrap();
        assert_eq!(operation.unclear_until_ms(), 120_005);
        operation.step(Step::Start, 9).unwrap();
        operation.step(Step::Wait, 10).unwrap();
        assert_eq!((operation.state, operation.unclear_until_ms()), (State::InDoubt, 120_005));
        operation.step(Step::Start, 11).unwrap();
        operation.step(Step::Start, 12).unwrap();
        assert_eq!(operation.unclear_until_ms(), 120_012, "a worker died with it");
    }

    #[test]
    fn what_was_told_to_come_later_has_lost_no_try() {
        let mut operation = operation();
        operation.step(Step::Start, 1).unwrap();
        operation.give_back_try();
        operation.step(Step::Postpone, 1).unwrap();
        assert_eq!((operation.attempts, operation.tries), (1, 0));
    }

    #[test]
    fn a_schedule_that_is_used_up_is_begun_anew_by_a_person() {
        let mut operation = operation();
        for _ in 0..retry::tries(Kind::Cancel) {
            operation.step(Step::Start, 1).unwrap();
            assert!(operation.may_be_sent(1));
            operation.step(Step::Doubt, 1).unwrap();
        }
        operation.step(Step::Start, 1).unwrap();
        assert!(!operation.may_be_sent(1), "only looked up");
        operation.step(Step::HandOver, 1).unwrap();
        operation.step(Step::Resume, 1).unwrap();
        operation.step(Step::Start, 1).unwrap();
        assert!(operation.may_be_sent(1));
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
