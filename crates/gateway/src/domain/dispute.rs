//! A dispute: the mirror of one of Klarna's, with what a store must know of it and nothing personal.
//!
//! Klarna's dispute is the truth, and is only read. What is closed stays closed, and what was read
//! late never takes the place of what is newer.

use klarna_types::disputes::{Dispute as KlarnaDispute, DisputeOutcome, DisputeState};
use klarna_types::{Currency, MinorUnits};
use serde::{Deserialize, Serialize};

use super::figures::{Figure, Move, Sum, day_of};

/// The type of the event that says that a dispute was raised.
pub const OPENED: &str = "dispute.opened";
/// The type of the event that says that a dispute moved on.
pub const UPDATED: &str = "dispute.updated";
/// The type of the event that says that a dispute was decided.
pub const CLOSED: &str = "dispute.closed";

/// Where a dispute stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Standing {
    /// Raised: the store may answer with evidence.
    Initiated,
    /// Answered: Klarna looks at it.
    Representment,
    /// Preliminarily lost: the store may appeal.
    PreArbitration,
    /// Appealed: Klarna decides for good.
    Arbitration,
    /// Decided.
    Closed,
    /// A state that this version does not know: taken for open.
    Other(String),
}

impl Standing {
    /// Its name in the database and the API.
    pub fn name(&self) -> &str {
        match self {
            Self::Initiated => "initiated",
            Self::Representment => "representment",
            Self::PreArbitration => "pre_arbitration",
            Self::Arbitration => "arbitration",
            Self::Closed => "closed",
            Self::Other(name) => name,
        }
    }

    /// Whether nothing can change it any more.
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }

    /// What the store can do now, for people; nothing while it is Klarna's turn.
    pub fn asks_for(&self) -> Option<&'static str> {
        match self {
            Self::Initiated => Some("Answer with evidence"),
            Self::PreArbitration => Some("Appeal, or accept the loss"),
            Self::Representment | Self::Arbitration | Self::Closed | Self::Other(_) => None,
        }
    }
}

impl From<String> for Standing {
    fn from(name: String) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "initiated" => Self::Initiated,
            "representment" => Self::Representment,
            "pre_arbitration" => Self::PreArbitration,
            "arbitration" => Self::Arbitration,
            "closed" => Self::Closed,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<Standing> for String {
    fn from(standing: Standing) -> Self {
        standing.name().to_owned()
    }
}

/// How a dispute was decided, from the store's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The store keeps the money.
    Won,
    /// It does not.
    Lost,
}

impl Outcome {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// What Klarna says of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Where it stands.
    pub standing: Standing,
    /// Klarna's reason, in lower case, such as `products_or_services_not_received`.
    pub reason: String,
    /// How much is disputed; Klarna may not say.
    pub amount: Option<MinorUnits>,
    /// The currency of the amount.
    pub currency: Option<Currency>,
    /// Who raised it: `customer` or `klarna_agent`.
    #[serde(default)]
    pub raised_by: Option<String>,
    /// The capture that is disputed.
    #[serde(default)]
    pub capture_id: Option<String>,
    /// Until when the store can answer or appeal.
    #[serde(default)]
    pub deadline_ms: Option<i64>,
    /// The decision.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Why, in Klarna's words in lower case.
    #[serde(default)]
    pub outcome_detail: Option<String>,
    /// When it was raised.
    pub opened_at_ms: i64,
    /// When it last changed at Klarna.
    pub changed_at_ms: i64,
    /// When it was closed.
    #[serde(default)]
    pub closed_at_ms: Option<i64>,
}

/// A dispute as the gateway keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Our id.
    pub id: String,
    /// The store that it is of.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// The account that it was read with.
    pub account_id: String,
    /// Klarna's id.
    pub klarna_id: String,
    /// Klarna's order.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The payment, if the order is one of this store's.
    #[serde(default)]
    pub payment_id: Option<String>,
    /// What Klarna says.
    #[serde(flatten)]
    pub facts: Facts,
    /// When the gateway learned of it.
    pub seen_at_ms: i64,
}

fn ms(at: Option<jiff::Timestamp>) -> Option<i64> {
    at.map(jiff::Timestamp::as_millisecond)
}

impl Facts {
    /// What a dispute of Klarna's says. Times that it leaves out are taken to be now.
    pub fn of(dispute: &KlarnaDispute, now_ms: i64) -> Self {
        let context = dispute.state_context.as_ref();
        let details = dispute.dispute_details.as_ref();
        let deadline = match &dispute.state {
            DisputeState::Initiated => context
                .and_then(|context| context.representment.as_ref())
                .and_then(|representment| representment.expires_at),
            DisputeState::PreArbitration => {
                context.and_then(|context| context.arbitration_expires_at)
            }
            _ => None,
        };
        let outcome = context.and_then(|context| context.dispute_outcome.as_ref());
        let opened_at_ms = ms(dispute.created_at).unwrap_or(now_ms);
        let changed_at_ms = ms(dispute.updated_at).unwrap_or(opened_at_ms);
        let standing = Standing::from(dispute.state.as_str().to_owned());
        let closed_at_ms = standing
            .is_closed()
            .then(|| ms(context.and_then(|context| context.closed_at)).unwrap_or(changed_at_ms));
        Self {
            standing,
            reason: dispute.dispute_reason.as_str().to_ascii_lowercase(),
            amount: details.map(|details| details.dispute_amount),
            currency: details.map(|details| details.currency.clone()),
            raised_by: details
                .and_then(|details| details.created_by.as_ref())
                .map(|by| by.as_str().to_ascii_lowercase()),
            capture_id: dispute.capture_id.as_ref().map(|id| id.as_str().to_owned()),
            deadline_ms: ms(deadline),
            outcome: match outcome {
                Some(DisputeOutcome::Won) => Some(Outcome::Won),
                Some(DisputeOutcome::Lost) => Some(Outcome::Lost),
                _ => None,
            },
            outcome_detail: context
                .and_then(|context| context.dispute_outcome_detailed.as_ref())
                .map(|detail| detail.as_str().to_ascii_lowercase()),
            opened_at_ms,
            changed_at_ms,
            closed_at_ms,
        }
    }
}

impl Dispute {
    /// Takes over what Klarna says now; answers the type of the event that tells of it, if it is news.
    pub fn take_over(&mut self, facts: Facts) -> Option<&'static str> {
        let is_late = facts.changed_at_ms < self.facts.changed_at_ms;
        let reopens = self.facts.standing.is_closed() && !facts.standing.is_closed();
        if is_late || reopens || facts == self.facts {
            return None;
        }
        let closes = facts.standing.is_closed() && !self.facts.standing.is_closed();
        self.facts = facts;
        self.version += 1;
        Some(if closes { CLOSED } else { UPDATED })
    }

    /// The type of the event that tells of a dispute that was just found. What ended before the gateway
    /// began to look is history, and is not told.
    pub fn first_event(&self, looking_since_ms: i64) -> Option<&'static str> {
        match self.facts.closed_at_ms {
            None => Some(OPENED),
            Some(at_ms) => (at_ms >= looking_since_ms).then_some(CLOSED),
        }
    }

    /// What it stands for in the figures. Without an amount and a currency, in none.
    pub fn figures(&self) -> Vec<Move> {
        let facts = &self.facts;
        let (Some(amount), Some(currency)) = (facts.amount, &facts.currency) else {
            return Vec::new();
        };
        let moved = |figure, at_ms| Move {
            figure,
            day: day_of(at_ms),
            currency: currency.as_str().to_owned(),
            by: Sum::once(amount.get()),
        };
        let mut moves = vec![moved(Figure::Disputed, facts.opened_at_ms)];
        if let Some((outcome, at_ms)) = facts.outcome.zip(facts.closed_at_ms) {
            let figure = match outcome {
                Outcome::Won => Figure::DisputeWon,
                Outcome::Lost => Figure::DisputeLost,
            };
            moves.push(moved(figure, at_ms));
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::figures::between;
    use super::*;

    fn facts(state: &str, changed_at_ms: i64, amount: i64, outcome: Option<Outcome>) -> Facts {
        let standing = Standing::from(state.to_owned());
        Facts {
            closed_at_ms: standing.is_closed().then_some(changed_at_ms),
            standing,
            reason: "incorrect_amount".to_owned(),
            amount: Some(MinorUnits::new(amount)),
            currency: Some(Currency::SEK),
            raised_by: None,
            capture_id: None,
            deadline_ms: None,
            outcome: outcome.filter(|_| state == "closed"),
            outcome_detail: None,
            opened_at_ms: 0,
            changed_at_ms,
        }
    }

    fn dispute(facts: Facts) -> Dispute {
        Dispute {
            id: "dsp_1".to_owned(),
            store_id: "default".to_owned(),
            version: 1,
            account_id: "configured".to_owned(),
            klarna_id: "krn:1".to_owned(),
            order_id: None,
            payment_id: None,
            facts,
            seen_at_ms: 0,
        }
    }

    fn any_facts() -> impl Strategy<Value = Facts> {
        (
            prop::sample::select(vec![
                "initiated",
                "representment",
                "pre_arbitration",
                "arbitration",
                "closed",
                "new_one",
            ]),
            0..6_i64,
            1..3_i64,
            prop::sample::select(vec![None, Some(Outcome::Won), Some(Outcome::Lost)]),
        )
            .prop_map(|(state, at, amount, outcome)| facts(state, at * 86_400_000, amount, outcome))
    }

    proptest! {
        /// In whatever order and however often reads arrive: what is closed stays closed, time does not
        /// run backwards, the same twice is once, and the figures are those of what is kept.
        #[test]
        fn late_and_repeated_reads_do_no_harm(reads in prop::collection::vec(any_facts(), 1..12)) {
            let mut kept = dispute(reads[0].clone());
            let mut moves = between(&[], &kept.figures());
            for read in &reads {
                let before = kept.clone();
                let event = kept.take_over(read.clone());
                prop_assert!(kept.facts.changed_at_ms >= before.facts.changed_at_ms);
                prop_assert!(!before.facts.standing.is_closed() || kept.facts.standing.is_closed());
                prop_assert_eq!(event.is_some(), kept.version == before.version + 1);
                prop_assert_eq!(event.is_none(), kept == before);
                let was_closed = before.facts.standing.is_closed();
                let closes = kept.facts.standing.is_closed() && !was_closed;
                prop_assert_eq!(event == Some(CLOSED), closes);
                moves.extend(between(&before.figures(), &kept.figures()));
                prop_assert_eq!(kept.take_over(read.clone()), None);
            }
            prop_assert_eq!(between(&[], &moves), between(&[], &kept.figures()));
        }
    }

    #[test]
    fn what_klarna_says_is_read() {
        let read = |value| Facts::of(&serde_json::from_value::<KlarnaDispute>(value).unwrap(), 7);
        let open = read(json!({
            "payment_dispute_id": "krn:1", "dispute_reason": "INCORRECT_AMOUNT",
            "state": "INITIATED", "order_id": "o", "capture_id": "c",
            "created_at": "2026-03-01T00:00:00.000Z", "updated_at": "2026-03-02T00:00:00.000Z",
            "dispute_details": { "dispute_amount": 500, "currency": "SEK", "created_by": "CUSTOMER" },
            "state_context": { "representment": { "expires_at": "2026-03-22T00:00:00.000Z" } },
        }));
        assert_eq!(open.standing, Standing::Initiated);
        assert_eq!(open.reason, "incorrect_amount");
        assert_eq!(open.amount.map(MinorUnits::get), Some(500));
        assert_eq!(open.raised_by.as_deref(), Some("customer"));
        assert_eq!(open.deadline_ms.map(|ms| ms - open.opened_at_ms), Some(21 * 86_400_000));
        assert_eq!((open.outcome, open.closed_at_ms), (None, None));
        let closed = read(json!({
            "payment_dispute_id": "krn:1", "dispute_reason": "NEW_REASON", "state": "CLOSED",
            "updated_at": "2026-03-02T00:00:00.000Z",
            "state_context": { "dispute_outcome": "LOST", "dispute_outcome_detailed": "NO_PROOF_OF_DELIVERY" },
        }));
        assert_eq!((closed.outcome, closed.opened_at_ms), (Some(Outcome::Lost), 7));
        assert_eq!(closed.outcome_detail.as_deref(), Some("no_proof_of_delivery"));
        assert_eq!(closed.closed_at_ms, Some(closed.changed_at_ms));
        assert_eq!(closed.deadline_ms, None);
        assert_eq!(dispute(closed).figures(), []);
    }

    #[test]
    fn history_is_not_told() {
        let ended = dispute(facts("closed", 1_000, 1, Some(Outcome::Lost)));
        assert_eq!(ended.first_event(2_000), None);
        assert_eq!(ended.first_event(500), Some(CLOSED));
        assert_eq!(dispute(facts("initiated", 1_000, 1, None)).first_event(2_000), Some(OPENED));
    }
}
