//! Authorisations about to lapse: when that is announced, and what the store wants done about it.
//!
//! Rules kept here: each notice is given once for each date of expiry, and of notices that fell due
//! together only the most urgent; what the store wants is done once for each date; a payment whose
//! date moves starts anew. Payments of one day lapse at the same midnight, so what is done about
//! them is spread over some hours, by their ids.

use serde::{Deserialize, Serialize};

use super::payment::Payment;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Over how long what is done about the payments of one day is spread.
const SPREAD_MS: i64 = 6 * 60 * 60 * 1000;
/// The most notices that a store may want.
const MOST_NOTICES: usize = 5;
/// The earliest notice. Klarna's longest authorisation is 180 days.
const EARLIEST_DAYS: i64 = 180;

/// What a store wants done about a payment that is about to lapse.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// Nothing: it is announced, and people decide.
    #[default]
    None,
    /// The authorisation is extended, where Klarna allows it.
    Extend,
    /// What remains is captured.
    CaptureRemaining,
    /// What remains is given back: released, or cancelled where nothing was captured.
    Release,
}

impl OnExpiry {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Extend, Self::CaptureRemaining, Self::Release];

    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Extend => "extend",
            Self::CaptureRemaining => "capture_remaining",
            Self::Release => "release",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// A store's wishes about authorisations that are about to lapse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What is done.
    pub on_expiry: OnExpiry,
    /// How many days before the expiry it is done.
    pub act_days: i64,
    /// How many days before the expiry it is announced; the earliest first.
    pub notice_days: Vec<i64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { on_expiry: OnExpiry::None, act_days: 3, notice_days: vec![7, 2] }
    }
}

/// What is wrong with a policy: the member, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {detail}")]
pub struct Wrong {
    /// The member.
    pub member: &'static str,
    /// What is wrong with it.
    pub detail: String,
}

impl Policy {
    /// The policy with its notices in order, if it can be followed.
    pub fn checked(mut self) -> Result<Self, Wrong> {
        let days = 1..=EARLIEST_DAYS;
        if !days.contains(&self.act_days) {
            let detail = format!("{} is not between 1 and {EARLIEST_DAYS}", self.act_days);
            return Err(Wrong { member: "act_days", detail });
        }
        if let Some(wrong) = self.notice_days.iter().find(|each| !days.contains(each)) {
            let detail = format!("{wrong} is not between 1 and {EARLIEST_DAYS}");
            return Err(Wrong { member: "notice_days", detail });
        }
        self.notice_days.sort_unstable_by(|one, other| other.cmp(one));
        self.notice_days.dedup();
        if self.notice_days.len() > MOST_NOTICES {
            let detail = format!("at most {MOST_NOTICES} notices can be had");
            return Err(Wrong { member: "notice_days", detail });
        }
        Ok(self)
    }
}

impl Policy {
    /// What lapses until then lapses soon: its earliest notice was given, or is due.
    pub fn soon_ms(&self, now_ms: i64) -> i64 {
        let earliest = self.notice_days.first().copied().unwrap_or(self.act_days);
        now_ms.saturating_add(earliest.saturating_mul(DAY_MS))
    }
}

/// What was announced and done about the coming expiry of a payment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The most urgent notice that was given: so many days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed_days: Option<i64>,
    /// When what the store wants was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_at_ms: Option<i64>,
    /// When the next notice or act is due; none when nothing is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at_ms: Option<i64>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Announce it.
    Notice {
        /// The notice for so many days before.
        days: i64,
    },
    /// Do what the store wants.
    Act(OnExpiry),
}

/// A number of a payment's own, the same at each look.
fn spread_ms(id: &str) -> i64 {
    let hash = id.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    i64::try_from(hash % SPREAD_MS.unsigned_abs()).unwrap_or(0)
}

impl Payment {
    /// When the coming expiry is acted upon; none when the store wants nothing, or it was done.
    pub fn acts_at_ms(&self, policy: &Policy) -> Option<i64> {
        let wanted = policy.on_expiry != OnExpiry::None && self.expiry.acted_at_ms.is_none();
        let expires_at_ms = self.expires_at_ms.filter(|_| self.status.is_open() && wanted)?;
        Some(expires_at_ms - policy.act_days * DAY_MS - spread_ms(&self.id))
    }

    /// The notices that are still to be given, by when they are due.
    fn notices<'a>(&self, policy: &'a Policy) -> impl Iterator<Item = (i64, i64)> + use<'a> {
        let expires_at_ms = self.expires_at_ms.filter(|_| self.status.is_open());
        let given = self.expiry.noticed_days.unwrap_or(i64::MAX);
        policy
            .notice_days
            .iter()
            .filter(move |days| **days < given)
            .filter_map(move |days| Some((expires_at_ms? - days * DAY_MS, *days)))
    }

    /// Takes what is due now off the calendar, and sets when to look again.
    pub fn take_due(&mut self, policy: &Policy, now_ms: i64) -> Vec<Due> {
        let mut due = Vec::new();
        let over = self.expires_at_ms.is_none_or(|at_ms| now_ms >= at_ms);
        if !over {
            let most_urgent = self
                .notices(policy)
                .filter(|(at_ms, _)| now_ms >= *at_ms)
                .map(|(_, days)| days)
                .min();
            if let Some(days) = most_urgent {
                self.expiry.noticed_days = Some(days);
                due.push(Due::Notice { days });
            }
            if self.acts_at_ms(policy).is_some_and(|at_ms| now_ms >= at_ms) {
                self.expiry.acted_at_ms = Some(now_ms);
                due.push(Due::Act(policy.on_expiry));
            }
        }
        self.expiry.look_at_ms = if over { None } else { self.next_look_ms(policy) };
        due
    }

    /// Sets when to look, of a calendar that was just begun.
    pub fn draw_up(&mut self, policy: &Policy, now_ms: i64) {
        self.expiry.look_at_ms = self.next_look_ms(policy).map(|at_ms| at_ms.max(now_ms));
    }

    fn next_look_ms(&self, policy: &Policy) -> Option<i64> {
        let notices = self.notices(policy).map(|(at_ms, _)| at_ms);
        notices.chain(self.acts_at_ms(policy)).min()
    }

    /// Takes over when the authorisation lapses. Another date starts a new calendar, which is drawn
    /// up at the next look.
    pub fn set_expiry(&mut self, expires_at_ms: Option<i64>, now_ms: i64) {
        if expires_at_ms.is_some() && expires_at_ms != self.expires_at_ms {
            self.expires_at_ms = expires_at_ms;
            self.expiry = Calendar { look_at_ms: Some(now_ms), ..Calendar::default() };
        }
    }

    /// When what can still be captured lapses, if anything can.
    pub fn lapses_at_ms(&self) -> Option<i64> {
        self.expires_at_ms.filter(|_| self.status.is_open())
    }

    /// How many whole days are left, where that is worth a warning.
    pub fn days_left(&self, policy: &Policy, now_ms: i64) -> Option<i64> {
        let lapses_at_ms = self.lapses_at_ms()?;
        let soon = lapses_at_ms <= policy.soon_ms(now_ms);
        soon.then(|| (lapses_at_ms - now_ms).max(0) / DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::payment::Status;
    use super::super::payment::tests::payment;
    use super::*;

    fn policy(on_expiry: OnExpiry) -> Policy {
        Policy { on_expiry, ..Policy::default() }
    }

    #[test]
    fn policies_are_checked_and_put_in_order() {
        let with = |notice_days: &[i64], act_days| {
            let notice_days = notice_days.to_vec();
            Policy { act_days, notice_days, ..Policy::default() }.checked()
        };
        assert_eq!(with(&[2, 7, 2], 1).unwrap().notice_days, [7, 2]);
        assert_eq!(with(&[], 1).unwrap().notice_days, [0_i64; 0]);
        for (notices, act, member) in [
            (&[0][..], 1, "notice_days"),
            (&[181], 1, "notice_days"),
            (&[1, 2, 3, 4, 5, 6], 1, "notice_days"),
            (&[1], 0, "act_days"),
        ] {
            assert_eq!(with(notices, act).unwrap_err().member, member);
        }
        for each in OnExpiry::ALL {
            assert_eq!(OnExpiry::from_name(each.name()), Some(each));
        }
    }

    #[test]
    fn notices_come_in_order_and_once() {
        let mut payment = payment();
        let end = payment.expires_at_ms.unwrap();
        let policy = Policy::default();
        assert_eq!(payment.take_due(&policy, 0), []);
        assert_eq!(payment.expiry.look_at_ms, Some(end - 7 * DAY_MS));
        assert_eq!(payment.take_due(&policy, end - 7 * DAY_MS), [Due::Notice { days: 7 }]);
        assert_eq!(payment.take_due(&policy, end - 7 * DAY_MS + 1), []);
        assert_eq!(payment.expiry.look_at_ms, Some(end - 2 * DAY_MS));
        assert_eq!(payment.take_due(&policy, end - DAY_MS), [Due::Notice { days: 2 }]);
        assert_eq!((payment.take_due(&policy, end - 1), payment.expiry.look_at_ms), (vec![], None));
    }

    #[test]
    fn of_notices_that_were_missed_only_the_most_urgent_is_given() {
        let mut payment = payment();
        let end = payment.expires_at_ms.unwrap();
        let policy = Policy::default();
        assert_eq!(payment.take_due(&policy, end - DAY_MS), [Due::Notice { days: 2 }]);
        let mut late = super::super::payment::tests::payment();
        assert_eq!(late.take_due(&policy, end), [], "it has lapsed");
    }

    #[test]
    fn what_the_store_wants_is_done_once_for_each_date() {
        let mut payment = payment();
        let end = payment.expires_at_ms.unwrap();
        let policy = policy(OnExpiry::Extend);
        let acts = payment.acts_at_ms(&policy).unwrap();
        assert!((end - 3 * DAY_MS - SPREAD_MS..=end - 3 * DAY_MS).contains(&acts));
        assert_eq!(payment.take_due(&policy, acts - 1), [Due::Notice { days: 7 }]);
        assert_eq!(payment.take_due(&policy, acts), [Due::Act(OnExpiry::Extend)]);
        assert_eq!(payment.take_due(&policy, acts + 1), []);
        payment.set_expiry(Some(end + 28 * DAY_MS), acts + 2);
        assert_eq!(payment.expiry.look_at_ms, Some(acts + 2));
        assert_eq!(payment.take_due(&policy, acts + 2), []);
        let again = payment.acts_at_ms(&policy).unwrap();
        assert_eq!(again, acts + 28 * DAY_MS);
        let due = payment.take_due(&policy, again);
        assert_eq!(due, [Due::Notice { days: 7 }, Due::Act(OnExpiry::Extend)]);
    }

    #[test]
    fn a_calendar_is_drawn_up_without_giving_a_notice() {
        let mut payment = payment();
        let end = payment.expires_at_ms.unwrap();
        payment.draw_up(&Policy::default(), 0);
        let fresh = Calendar { look_at_ms: Some(end - 7 * DAY_MS), ..Calendar::default() };
        assert_eq!(payment.expiry, fresh);
        payment.draw_up(&Policy::default(), end - DAY_MS);
        assert_eq!(payment.expiry.look_at_ms, Some(end - DAY_MS), "what is late is due now");
    }

    #[test]
    fn what_is_not_open_needs_nothing() {
        let mut payment = payment();
        let end = payment.expires_at_ms.unwrap();
        payment.status = Status::Captured;
        assert_eq!(payment.take_due(&policy(OnExpiry::Release), end - 1), []);
        assert_eq!(
            (payment.expiry.look_at_ms, payment.days_left(&Policy::default(), end)),
            (None, None)
        );
    }

    proptest! {
        /// However often and whenever somebody looks, nothing is announced or done twice, and
        /// nothing is missed by whoever looks when it is due.
        #[test]
        fn nothing_is_announced_or_done_twice(
            mut looks in proptest::collection::vec(0_i64..29 * 24, 0..60),
            follows in any::<bool>(),
        ) {
            looks.sort_unstable();
            let mut payment = payment();
            let policy = policy(OnExpiry::Extend);
            let (mut notices, mut acts) = (Vec::new(), 0);
            let mut look = |payment: &mut Payment, at_ms| {
                for due in payment.take_due(&policy, at_ms) {
                    match due {
                        Due::Notice { days } => notices.push(days),
                        Due::Act(_) => acts += 1,
                    }
                }
            };
            look(&mut payment, 0);
            if follows {
                while let Some(at_ms) = payment.expiry.look_at_ms {
                    look(&mut payment, at_ms);
                }
            } else {
                for hours in looks {
                    look(&mut payment, hours * 60 * 60 * 1000);
                }
            }
            prop_assert!(notices.windows(2).all(|two| two[0] > two[1]), "{notices:?}");
            prop_assert!(acts <= 1);
            if follows {
                prop_assert_eq!((notices, acts), (vec![7, 2], 1));
            }
        }
    }
}
