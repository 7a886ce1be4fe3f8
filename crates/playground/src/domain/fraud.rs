//! The fraud review of an order: how it starts, when it is decided, what the merchant may still do.
//!
//! A review is planned when the order is placed, because in a playground the test person says
//! what the decision will be and when. Until then the order reads `PENDING`. A rejection can be
//! overruled by a capture within four hours of the decision; the order module enforces that, this
//! one only says when the time is up.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::authorization::Review;

/// How long after a rejection the merchant may still capture, at the merchant's own risk.
pub(crate) const OVERRULE_WINDOW: SignedDuration = SignedDuration::from_hours(4);

/// What will become of a new order's review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FraudPlan {
    /// No review: the order is accepted at once.
    Accepted,
    /// The order is pending, then decided.
    PendingThen {
        /// The decision: `true` accepts, `false` rejects.
        accept: bool,
        /// When the decision is made known.
        decide_at: Timestamp,
    },
}

impl FraudPlan {
    /// What a decision asks for, of an order that is placed `now`. A decision "after 0 minutes" still
    /// comes after the answer.
    pub(crate) fn of(review: Review, now: Timestamp) -> Self {
        let (accept, minutes) = match review {
            Review::None => return Self::Accepted,
            Review::AcceptAfterMinutes(minutes) => (true, minutes),
            Review::RejectAfterMinutes(minutes) => (false, minutes),
        };
        let wait = SignedDuration::from_mins(i64::from(minutes)).max(SignedDuration::from_secs(1));
        let decide_at = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        Self::PendingThen { accept, decide_at }
    }
}

/// How far the review has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Fraud {
    /// Accepted, at once or after a review.
    Accepted,
    /// Under review.
    Pending {
        /// What the decision will be.
        verdict: Verdict,
        /// When it will be made known.
        decide_at: Timestamp,
    },
    /// Rejected.
    Rejected {
        /// When that was made known.
        decided_at: Timestamp,
    },
}

/// The outcome of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Klarna takes the risk.
    Accepted,
    /// Klarna does not.
    Rejected,
}

impl Fraud {
    /// The state in which an order with this plan starts.
    pub(crate) fn starting(plan: FraudPlan) -> Self {
        match plan {
            FraudPlan::Accepted => Self::Accepted,
            FraudPlan::PendingThen { accept, decide_at } => Self::Pending {
                verdict: if accept { Verdict::Accepted } else { Verdict::Rejected },
                decide_at,
            },
        }
    }

    /// When the review will be decided, while it is open.
    pub(crate) fn decision_due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { decide_at, .. } => Some(*decide_at),
            Self::Accepted | Self::Rejected { .. } => None,
        }
    }

    /// The moment from which a rejected order without captures is cancelled.
    pub(crate) fn overrule_ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::Rejected { decided_at } => {
                Some(decided_at.checked_add(OVERRULE_WINDOW).unwrap_or(Timestamp::MAX))
            }
            Self::Accepted | Self::Pending { .. } => None,
        }
    }

    /// The state after the planned decision, and what it was. `None` if nothing is pending.
    pub(crate) fn decided(&self) -> Option<(Self, Verdict)> {
        match *self {
            Self::Pending { verdict: Verdict::Accepted, .. } => {
                Some((Self::Accepted, Verdict::Accepted))
            }
            Self::Pending { verdict: Verdict::Rejected, decide_at } => {
                Some((Self::Rejected { decided_at: decide_at }, Verdict::Rejected))
            }
            Self::Accepted | Self::Rejected { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_decided_once() {
        let at = Timestamp::UNIX_EPOCH;
        for (accept, verdict) in [(true, Verdict::Accepted), (false, Verdict::Rejected)] {
            let pending = Fraud::starting(FraudPlan::PendingThen { accept, decide_at: at });
            assert_eq!(pending.decision_due_at(), Some(at));
            assert_eq!(pending.overrule_ends_at(), None);
            let (decided, said) = pending.decided().unwrap();
            assert_eq!(said, verdict);
            assert_eq!(decided.decided(), None);
            assert_eq!(decided.decision_due_at(), None);
        }
        assert_eq!(Fraud::starting(FraudPlan::Accepted).decided(), None);
    }

    #[test]
    fn a_rejection_can_be_overruled_for_four_hours() {
        let decided_at: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        assert_eq!(
            Fraud::Rejected { decided_at }.overrule_ends_at(),
            Some("2026-03-01T14:00:00Z".parse().unwrap())
        );
    }
}
