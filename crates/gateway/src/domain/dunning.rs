//! What happens when a charge of a subscription is refused: try again on which day, ask the shopper
//! for help, or give up.
//!
//! Rules kept here: a refusal that another day can heal is retried by policy; one that no day heals
//! is not; a token that is gone ends the subscription; where Klarna offers that the shopper puts
//! another method behind the token, that is offered until the next try. This module decides and does
//! nothing; it does not know what a subscription is.

use serde::{Deserialize, Serialize};

use super::calendar;
use super::operation::{Reason, Refusal};

/// What to do when every try was in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiveUp {
    /// No further charge until the merchant resumes the subscription.
    #[default]
    Suspend,
    /// The subscription ends.
    Cancel,
}

/// Whether the shopper may be asked to help with a refused charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepUp {
    /// A refused charge may be recovered by the shopper until it is tried again.
    Offered,
    /// Nobody is asked: the shopper is not there, as Klarna has it of renewals.
    #[default]
    Never,
}

/// How failed charges are retried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How many days after the first failure it is tried again: rising, 1 to 60, at most 10 of them.
    pub retry_days: Vec<i64>,
    /// What happens when the last of them failed.
    #[serde(default)]
    pub give_up: GiveUp,
    /// Whether the shopper may help.
    #[serde(default)]
    pub step_up: StepUp,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry_days: vec![1, 3, 5, 7],
            give_up: GiveUp::default(),
            step_up: StepUp::default(),
        }
    }
}

/// The most retries of one charge.
pub const MOST_RETRIES: usize = 10;
/// The last day of a retry.
pub const LAST_RETRY_DAY: i64 = 60;
/// How long the shopper may help after the last retry has failed.
const LAST_HELP_DAYS: i64 = 2;
/// How long the shopper may help with a refused charge: an hour less than the 48 that Klarna accepts its
/// `step_up_id`, as a refusal is recorded later than Klarna says it.
const HELP_LIFE_MS: i64 = 47 * 60 * 60 * 1000;
/// When it is too late for a planned day, because the gateway was away: so soon instead.
const SOON_MS: i64 = 60 * 1000;

impl Policy {
    /// What is wrong with it, if anything: the member and why.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        if self.retry_days.len() > MOST_RETRIES {
            return Some(("retry_days", format!("at most {MOST_RETRIES} days are allowed")));
        }
        let mut before = 0;
        for day in &self.retry_days {
            if !(before + 1..=LAST_RETRY_DAY).contains(day) {
                return Some((
                    "retry_days",
                    format!("{day} does not rise from {before}, or is beyond {LAST_RETRY_DAY}"),
                ));
            }
            before = *day;
        }
        None
    }
}

/// What kind of refusal it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Another day may bring another answer.
    Passing,
    /// The request itself is wrong, or not allowed: no day heals it.
    Hard,
    /// The token cannot be charged any more.
    TokenGone,
}

/// Sorts a refusal.
pub fn kind(refusal: &Refusal) -> Kind {
    match refusal.reason {
        Reason::Declined
        | Reason::Unreachable
        | Reason::CredentialsRefused
        | Reason::TokenSuspended
        // A person has said that it did not happen: it is still wanted.
        | Reason::SettledByPerson
        | Reason::FraudRejected => Kind::Passing,
        Reason::TokenCancelled => Kind::TokenGone,
        Reason::AuthorizationInvalid
        | Reason::CartMismatch
        | Reason::InvalidRequest
        | Reason::NotAllowed
        | Reason::StateForbids
        | Reason::UnknownOrder
        | Reason::Superseded
        | Reason::OutcomeUnknown
        | Reason::Other => Kind::Hard,
    }
}

/// What comes when the wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "then")]
pub enum Then {
    /// It is tried again.
    Retry,
    /// It is given up.
    GiveUp {
        /// How.
        how: GiveUp,
    },
}

/// What follows from a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Wait, and then do this.
    Wait {
        /// Until when.
        until_ms: i64,
        /// What then.
        then: Then,
    },
    /// Give up at once.
    GiveUp(GiveUp),
    /// The token is gone, and with it the subscription.
    TokenGone,
}

/// What a decision needs to know of the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// How often it was tried, the refused attempt included.
    pub attempts: i64,
    /// When its first attempt was refused.
    pub first_failed_at_ms: i64,
    /// The time zone in which days are counted.
    pub zone: &'a str,
    /// The present.
    pub now_ms: i64,
}

/// What to do about a refused charge.
pub fn decide(policy: &Policy, refusal: &Refusal, facts: Facts<'_>) -> Verdict {
    match kind(refusal) {
        Kind::TokenGone => return Verdict::TokenGone,
        // Never cancelled for what may be the merchant's own mistake.
        Kind::Hard => return Verdict::GiveUp(GiveUp::Suspend),
        Kind::Passing => {}
    }
    let retry = usize::try_from(facts.attempts.max(1) - 1)
        .ok()
        .and_then(|index| policy.retry_days.get(index));
    let day = |since_ms: i64, days: i64| {
        calendar::days_later(since_ms, days, facts.zone)
            .unwrap_or(facts.now_ms)
            .max(facts.now_ms + SOON_MS)
    };
    match retry {
        Some(days) => {
            Verdict::Wait { until_ms: day(facts.first_failed_at_ms, *days), then: Then::Retry }
        }
        None if can_help(policy, refusal) => Verdict::Wait {
            until_ms: day(facts.now_ms, LAST_HELP_DAYS),
            then: Then::GiveUp { how: policy.give_up },
        },
        None => Verdict::GiveUp(policy.give_up),
    }
}

/// Whether the shopper may put another method behind the token.
pub fn can_help(policy: &Policy, refusal: &Refusal) -> bool {
    policy.step_up == StepUp::Offered && refusal.step_up_id().is_some()
}

/// Until when a checkout may be opened in which the shopper helps with a charge refused at that time.
pub fn help_ends_at_ms(refused_at_ms: i64) -> i64 {
    refused_at_ms + HELP_LIFE_MS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::operation::{Effect, Failure, StepUpId};
    use super::*;

    const DAY_MS: i64 = 24 * 60 * 60 * 1000;

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

    fn after(attempts: i64) -> Facts<'static> {
        Facts { attempts, first_failed_at_ms: 0, zone: "UTC", now_ms: 0 }
    }

    #[test]
    fn retries_follow_the_days_and_then_it_is_given_up() {
        let policy = Policy { step_up: StepUp::Never, ..Policy::default() };
        let declined = refusal(Reason::Declined, Some("s"));
        for (attempts, day) in [(1, 1), (2, 3), (3, 5), (4, 7)] {
            assert_eq!(
                decide(&policy, &declined, after(attempts)),
                Verdict::Wait { until_ms: day * DAY_MS, then: Then::Retry }
            );
        }
        assert_eq!(decide(&policy, &declined, after(5)), Verdict::GiveUp(GiveUp::Suspend));
        let none = Policy { retry_days: Vec::new(), give_up: GiveUp::Cancel, ..policy };
        assert_eq!(decide(&none, &declined, after(1)), Verdict::GiveUp(GiveUp::Cancel));
    }

    #[test]
    fn the_shopper_has_a_last_chance_where_klarna_offers_one() {
        let policy =
            Policy { retry_days: Vec::new(), give_up: GiveUp::Cancel, step_up: StepUp::Offered };
        let then = Then::GiveUp { how: GiveUp::Cancel };
        assert_eq!(
            decide(&policy, &refusal(Reason::Declined, Some("s")), after(1)),
            Verdict::Wait { until_ms: 2 * DAY_MS, then }
        );
        assert_eq!(
            decide(&policy, &refusal(Reason::Declined, None), after(1)),
            Verdict::GiveUp(GiveUp::Cancel)
        );
    }

    #[test]
    fn hard_refusals_are_not_retried_and_never_cancel() {
        let policy = Policy { give_up: GiveUp::Cancel, ..Policy::default() };
        for reason in [Reason::InvalidRequest, Reason::NotAllowed, Reason::CartMismatch] {
            assert_eq!(
                decide(&policy, &refusal(reason, None), after(1)),
                Verdict::GiveUp(GiveUp::Suspend),
                "{reason:?}"
            );
        }
        assert_eq!(
            decide(&policy, &refusal(Reason::TokenCancelled, None), after(1)),
            Verdict::TokenGone
        );
    }

    #[test]
    fn what_is_too_late_is_tried_soon() {
        let facts = Facts { now_ms: 20 * DAY_MS, ..after(1) };
        assert_eq!(
            decide(&Policy::default(), &refusal(Reason::Unreachable, None), facts),
            Verdict::Wait { until_ms: 20 * DAY_MS + SOON_MS, then: Then::Retry }
        );
    }

    #[test]
    fn a_policy_that_goes_back_in_time_is_refused() {
        let problem = |days: &[i64]| {
            Policy { retry_days: days.to_vec(), ..Policy::default() }.problem().is_some()
        };
        for good in [&[][..], &[1], &[1, 3, 5, 7], &[60]] {
            assert!(!problem(good), "{good:?}");
        }
        for bad in [&[0][..], &[1, 1], &[3, 2], &[61], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]] {
            assert!(problem(bad), "{bad:?}");
        }
    }

    proptest! {
        /// Whatever the policy: it ends, each wait lies ahead, and no step is taken twice.
        #[test]
        fn dunning_ends(steps in prop::collection::vec(1_i64..10, 0..=MOST_RETRIES), late in 0_i64..30) {
            let mut day = 0;
            let mut retry_days = Vec::new();
            for step in steps {
                day += step;
                if day <= LAST_RETRY_DAY {
                    retry_days.push(day);
                }
            }
            let policy = Policy { retry_days, step_up: StepUp::Never, ..Policy::default() };
            prop_assert_eq!(policy.problem(), None);
            let declined = refusal(Reason::Declined, None);
            let mut now_ms = 0;
            let mut attempts = 0;
            loop {
                attempts += 1;
                let facts = Facts { attempts, first_failed_at_ms: 0, zone: "Europe/Stockholm", now_ms };
                match decide(&policy, &declined, facts) {
                    Verdict::Wait { until_ms, then: Then::Retry } => {
                        prop_assert!(until_ms > now_ms);
                        now_ms = until_ms + late * DAY_MS;
                    }
                    other => {
                        prop_assert_eq!(other, Verdict::GiveUp(GiveUp::Suspend));
                        break;
                    }
                }
            }
            prop_assert_eq!(usize::try_from(attempts).unwrap(), policy.retry_days.len() + 1);
        }
    }
}
