//! A subscription: a shopper's standing agreement to be charged by a plan.
//!
//! Rules kept here: which states a subscription goes through; what is to be done when it is due; that
//! at most one charge of it is open at a time, and that each period is charged once at the most.
//! Charges are numbered for good: the number names the charge, and with the attempt it names the
//! request to Klarna, so that no crash, no second node and no moved clock can make another one.
//!
//! Time that was free stays free: a trial, a pause and a suspension are stepped over. Time in which the
//! gateway was away is not: what fell due meanwhile is charged, one period after the other. Nothing is
//! prorated: a change of plan takes effect with the next period, or begins a new one now.

use serde::{Deserialize, Serialize};

use super::calendar::{self, Calendar};
use super::dunning::{self, GiveUp, Then, Verdict};
use super::operation::Refusal;
use super::plan::Terms;

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its checkout has not made the token yet.
    Incomplete,
    /// Nothing was charged yet: its first charge lies ahead.
    Trialing,
    /// It is charged on time.
    Active,
    /// A charge failed and is retried.
    PastDue,
    /// The merchant holds it.
    Paused,
    /// Charging was given up; the merchant may resume it.
    Suspended,
    /// Over.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Incomplete,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Paused,
        Self::Suspended,
        Self::Cancelled,
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What happens to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Its token exists, and its first charge lies ahead.
    Begin,
    /// Its token exists, and its first period is paid.
    BeginPaid,
    /// A charge was paid.
    Paid,
    /// A charge failed, and something follows.
    Fail,
    /// Charging is given up for now.
    Suspend,
    /// The merchant holds it.
    Pause,
    /// The merchant lets it go on.
    Resume,
    /// It ends.
    Cancel,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Begin,
        Self::BeginPaid,
        Self::Paid,
        Self::Fail,
        Self::Suspend,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
    ];
}

/// The table of transitions. `None`: the step is illegal in that state.
#[allow(clippy::match_same_arms, reason = "a table: one row for each rule")]
pub fn next(status: Status, step: Step) -> Option<Status> {
    use Status::{Active, Cancelled, Incomplete, PastDue, Paused, Suspended, Trialing};
    match (status, step) {
        (Incomplete, Step::Begin) => Some(Trialing),
        (Incomplete, Step::BeginPaid) => Some(Active),
        (Trialing | Active | PastDue, Step::Paid) => Some(Active),
        (Trialing | Active | PastDue, Step::Fail) => Some(PastDue),
        (Trialing | Active | PastDue, Step::Suspend) => Some(Suspended),
        (Trialing | Active, Step::Pause) => Some(Paused),
        (Paused | Suspended, Step::Resume) => Some(Active),
        (
            Incomplete | Trialing | Active | PastDue | Paused | Suspended | Cancelled,
            Step::Cancel,
        ) => (status != Cancelled).then_some(Cancelled),
        (Incomplete, Step::Paid | Step::Fail | Step::Suspend | Step::Pause | Step::Resume)
        | (Trialing | Active, Step::Begin | Step::BeginPaid | Step::Resume)
        | (PastDue, Step::Begin | Step::BeginPaid | Step::Pause | Step::Resume)
        | (
            Paused | Suspended,
            Step::Begin | Step::BeginPaid | Step::Paid | Step::Fail | Step::Suspend | Step::Pause,
        )
        | (
            Cancelled,
            Step::Begin
            | Step::BeginPaid
            | Step::Paid
            | Step::Fail
            | Step::Suspend
            | Step::Pause
            | Step::Resume,
        ) => None,
    }
}

/// When it begins, as the shop said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// When; as soon as the token exists, if it was not said.
    pub at_ms: Option<i64>,
    /// The time zone on whose clocks days are counted.
    pub zone: String,
    /// How many days are free at the beginning.
    pub trial_days: i64,
}

/// What comes first when the token exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The first charge.
    Charge,
    /// Nothing: the checkout that made the token was the first payment.
    PaidByCheckout,
}

/// A charge that is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its number.
    pub number: i64,
    /// When it fell due: the beginning of what it pays for.
    pub due_at_ms: i64,
    /// How often it was tried, the attempt under way included.
    pub attempts: i64,
    /// When its first attempt was refused.
    pub first_failed_at_ms: Option<i64>,
    /// What it waits for; nothing while Klarna is being asked.
    pub waits: Option<Wait>,
}

/// What an open charge waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Until when.
    pub until_ms: i64,
    /// What comes then.
    #[serde(flatten)]
    pub then: Then,
    /// With what the shopper may help until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up_id: Option<String>,
    /// When it was refused: Klarna accepts that help for a while only.
    #[serde(default)]
    pub refused_at_ms: i64,
    /// The checkout that was opened for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<String>,
}

impl Wait {
    /// With what the shopper may help now.
    pub fn step_up_id(&self, now_ms: i64) -> Option<&str> {
        self.step_up_id.as_deref().filter(|_| now_ms < dunning::help_ends_at_ms(self.refused_at_ms))
    }
}

/// Another plan, from the next period on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPlan {
    /// The plan.
    pub plan_id: String,
    /// What is agreed with it.
    pub terms: Terms,
}

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The merchant wanted it.
    Requested,
    /// The merchant wanted it at the end of the period.
    PeriodEnded,
    /// Its token was cancelled.
    TokenCancelled,
    /// Its charges failed.
    ChargesFailed,
    /// Its checkout ended without a token.
    CheckoutOver,
    /// The calendar has no further day.
    NoFurtherDay,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at_ms: i64,
    /// Why.
    pub because: Because,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Our id.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// The shop's number of it. A charge's reference is this, a hyphen and the charge's number.
    pub merchant_reference: String,
    /// Whose it is, if the store said so.
    pub customer_id: Option<String>,
    /// What is charged; none while it is incomplete.
    pub customer_token_id: Option<String>,
    /// The checkout that makes the token, if it began with one.
    pub checkout_id: Option<String>,
    /// The plan.
    pub plan_id: String,
    /// What was agreed.
    pub terms: Terms,
    /// Another plan, from the next period on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_plan: Option<NextPlan>,
    /// When it begins.
    pub start: Start,
    /// When its charges are due; none while it is incomplete.
    pub calendar: Option<Calendar>,
    /// The place of the next charge in the calendar.
    pub next_index: i64,
    /// The number of the next charge; the first is 1.
    pub next_number: i64,
    /// The charge that is not settled.
    pub open: Option<Open>,
    /// Set when it ends instead of being charged again.
    #[serde(default)]
    pub cancel_at_period_end: bool,
    /// When it was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at_ms: Option<i64>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// When it was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

/// A step that the subscription does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a subscription that is {status} cannot be {step}{because}")]
pub struct Rejection {
    /// What it is.
    pub status: &'static str,
    /// What was wanted.
    pub step: &'static str,
    /// Why not, where the status does not say it.
    pub because: &'static str,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Klarna is to be asked for this charge.
    Charge(Attempt),
    /// It has ended.
    Ended,
    /// The open charge was given up.
    GaveUp {
        /// Its number.
        number: i64,
        /// How.
        how: GiveUp,
    },
}

/// One attempt at one charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The charge.
    pub number: i64,
    /// Which attempt; the first is 1.
    pub attempt: i64,
    /// When the charge fell due.
    pub due_at_ms: i64,
    /// The end of what it pays for.
    pub period_end_ms: Option<i64>,
}

/// What followed from a refused charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It waits.
    Waits(Wait),
    /// It was given up.
    GaveUp(GiveUp),
    /// The subscription has ended.
    Ended,
}

/// When something takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Now.
    Now,
    /// With the next period.
    PeriodEnd,
}

impl Subscription {
    fn step(&mut self, step: Step) -> Result<(), Rejection> {
        self.status = next(self.status, step).ok_or_else(|| self.rejected(step, ""))?;
        Ok(())
    }

    fn rejected(&self, step: Step, because: &'static str) -> Rejection {
        let step = match step {
            Step::Begin | Step::BeginPaid => "begun",
            Step::Paid => "paid",
            Step::Fail => "failed",
            Step::Suspend => "suspended",
            Step::Pause => "paused",
            Step::Resume => "resumed",
            Step::Cancel => "cancelled",
        };
        Rejection { status: self.status.name(), step, because }
    }

    /// When something is to be done by itself; `None` while it waits for someone.
    pub fn due_at_ms(&self) -> Option<i64> {
        match self.status {
            Status::Trialing | Status::Active | Status::PastDue => {}
            Status::Incomplete | Status::Paused | Status::Suspended | Status::Cancelled => {
                return None;
            }
        }
        match &self.open {
            Some(Open { waits: Some(wait), .. }) => Some(wait.until_ms),
            Some(Open { waits: None, .. }) => None,
            None => self.calendar.as_ref()?.due_at_ms(self.next_index),
        }
    }

    /// When the next period is charged, as far as it is known.
    pub fn next_charge_at_ms(&self) -> Option<i64> {
        match self.status {
            Status::Trialing | Status::Active | Status::PastDue if !self.cancel_at_period_end => {
                self.calendar.as_ref()?.due_at_ms(self.next_index)
            }
            Status::Incomplete
            | Status::Trialing
            | Status::Active
            | Status::PastDue
            | Status::Paused
            | Status::Suspended
            | Status::Cancelled => None,
        }
    }

    /// The reference of a charge.
    pub fn reference_of(&self, number: i64) -> String {
        format!("{}-{number}", self.merchant_reference)
    }

    /// Its token exists: it begins.
    pub fn begin(
        &mut self,
        customer_token_id: &str,
        first: First,
        now_ms: i64,
    ) -> Result<(), Rejection> {
        let rhythm = self.terms.rhythm;
        let start_ms = self.start.at_ms.unwrap_or(now_ms).max(now_ms);
        let zone = self.start.zone.clone();
        let calendar = calendar::local(start_ms, &zone)
            .and_then(|local| {
                let days = jiff::Span::new().try_days(self.start.trial_days).ok()?;
                calendar::aligned(local.checked_add(days).ok()?, rhythm)
            })
            .map(|first| Calendar { rhythm, first, zone })
            .ok_or_else(|| self.rejected(Step::Begin, ": the calendar has no such day"))?;
        // A first payment stands for the first period only where that begins with it.
        let is_paid = first == First::PaidByCheckout
            && self.start.trial_days == 0
            && self.start.at_ms.is_none();
        self.step(if is_paid { Step::BeginPaid } else { Step::Begin })?;
        self.customer_token_id = Some(customer_token_id.to_owned());
        if is_paid {
            // The period that was paid is the one before the first day that is not before now.
            let is_now = calendar.due_at_ms(0).is_some_and(|due_ms| due_ms <= now_ms);
            self.next_index = i64::from(is_now);
            self.next_number = 2;
        }
        self.calendar = Some(calendar);
        Ok(())
    }

    /// Does what is due. The caller carries out what it answers, in the same unit of work.
    pub fn run(&mut self, now_ms: i64) -> Due {
        if self.due_at_ms().is_none_or(|due_ms| due_ms > now_ms) {
            return Due::Nothing;
        }
        if let Some(open) = &mut self.open {
            let Some(wait) = open.waits.take() else { return Due::Nothing };
            return match wait.then {
                Then::Retry => {
                    open.attempts += 1;
                    let (number, attempt, due_at_ms) = (open.number, open.attempts, open.due_at_ms);
                    let period_end_ms = self.period_end_ms();
                    Due::Charge(Attempt { number, attempt, due_at_ms, period_end_ms })
                }
                Then::GiveUp { how } => {
                    let number = open.number;
                    self.give_up(how, now_ms);
                    Due::GaveUp { number, how }
                }
            };
        }
        if self.cancel_at_period_end {
            self.end(Because::PeriodEnded, now_ms);
            return Due::Ended;
        }
        if let Some(next) = self.next_plan.take() {
            let changed = self
                .calendar
                .as_ref()
                .and_then(|calendar| calendar.changed(self.next_index, next.terms.rhythm));
            let Some(changed) = changed else {
                self.end(Because::NoFurtherDay, now_ms);
                return Due::Ended;
            };
            self.plan_id = next.plan_id;
            self.terms = next.terms;
            self.calendar = Some(changed);
            self.next_index = 0;
            // An anchor of the new plan may lie ahead: until then nothing is charged.
            if self.due_at_ms().is_none_or(|due_ms| due_ms > now_ms) {
                return Due::Nothing;
            }
        }
        let Some(due_at_ms) = self.due_at_ms() else { return Due::Nothing };
        let number = self.next_number;
        self.next_number += 1;
        self.next_index += 1;
        self.open =
            Some(Open { number, due_at_ms, attempts: 1, first_failed_at_ms: None, waits: None });
        Due::Charge(Attempt { number, attempt: 1, due_at_ms, period_end_ms: self.period_end_ms() })
    }

    /// The end of the period whose charge is open: where the next one begins.
    fn period_end_ms(&self) -> Option<i64> {
        self.calendar.as_ref()?.due_at_ms(self.next_index)
    }

    /// The open charge was paid, by the token or by the shopper. What is over stays over.
    pub fn paid(&mut self, number: i64) -> bool {
        if self.open.as_ref().is_none_or(|open| open.number != number) {
            return false;
        }
        self.open = None;
        if let Some(status) = next(self.status, Step::Paid) {
            self.status = status;
        }
        true
    }

    /// The open charge was refused. `None`: it is not open any more.
    pub fn failed(&mut self, number: i64, refusal: &Refusal, now_ms: i64) -> Option<Failed> {
        let open = self.open.as_mut().filter(|open| open.number == number)?;
        if self.status == Status::Cancelled {
            self.open = None;
            return Some(Failed::Ended);
        }
        let first_failed_at_ms = *open.first_failed_at_ms.get_or_insert(now_ms);
        let facts = dunning::Facts {
            attempts: open.attempts,
            first_failed_at_ms,
            zone: &self.start.zone,
            now_ms,
        };
        match dunning::decide(&self.terms.dunning, refusal, facts) {
            Verdict::Wait { until_ms, then } => {
                let step_up_id = refusal
                    .step_up_id()
                    .filter(|_| dunning::can_help(&self.terms.dunning, refusal))
                    .map(ToOwned::to_owned);
                let wait =
                    Wait { until_ms, then, step_up_id, refused_at_ms: now_ms, checkout_id: None };
                open.waits = Some(wait.clone());
                if let Some(status) = next(self.status, Step::Fail) {
                    self.status = status;
                }
                Some(Failed::Waits(wait))
            }
            Verdict::GiveUp(how) => {
                self.give_up(how, now_ms);
                Some(Failed::GaveUp(how))
            }
            Verdict::TokenGone => {
                self.open = None;
                self.end(Because::TokenCancelled, now_ms);
                Some(Failed::Ended)
            }
        }
    }

    fn give_up(&mut self, how: GiveUp, now_ms: i64) {
        self.open = None;
        match how {
            // Nothing more was to be charged anyway.
            GiveUp::Suspend if self.cancel_at_period_end => {
                self.end(Because::ChargesFailed, now_ms);
            }
            GiveUp::Suspend => {
                if let Some(status) = next(self.status, Step::Suspend) {
                    self.status = status;
                }
            }
            GiveUp::Cancel => {
                self.end(Because::ChargesFailed, now_ms);
            }
        }
    }

    /// Ends it, whatever it is, unless it is over.
    pub fn end(&mut self, because: Because, now_ms: i64) -> bool {
        let Some(status) = next(self.status, Step::Cancel) else { return false };
        self.status = status;
        self.next_plan = None;
        self.ended = Some(Ended { at_ms: now_ms, because });
        // What Klarna is being asked for is waited for: it may be paid. The rest is off.
        if self.open.as_ref().is_some_and(|open| open.waits.is_some()) {
            self.open = None;
        }
        true
    }

    /// The merchant holds it: nothing is charged until it is resumed.
    pub fn pause(&mut self, now_ms: i64) -> Result<(), Rejection> {
        if self.open.is_some() {
            return Err(self.rejected(Step::Pause, ": a charge is open"));
        }
        self.step(Step::Pause)?;
        self.paused_at_ms = Some(now_ms);
        Ok(())
    }

    /// The merchant lets it go on: with the first charge that is not due before now. One that was
    /// to end with its period goes on as if nothing had been said.
    pub fn resume(&mut self, now_ms: i64) -> Result<(), Rejection> {
        if self.cancel_at_period_end && self.due_at_ms().is_some() {
            self.cancel_at_period_end = false;
            return Ok(());
        }
        let ahead = self
            .calendar
            .as_ref()
            .and_then(|calendar| calendar.first_not_before(self.next_index, now_ms))
            .ok_or_else(|| self.rejected(Step::Resume, ": the calendar has no further day"))?;
        self.step(Step::Resume)?;
        if self.next_number == 1 {
            self.status = Status::Trialing;
        }
        self.next_index = ahead;
        self.paused_at_ms = None;
        Ok(())
    }

    /// The merchant ends it.
    pub fn cancel(&mut self, when: When, now_ms: i64) -> Result<(), Rejection> {
        match (when, self.status) {
            (_, Status::Cancelled) => Err(self.rejected(Step::Cancel, "")),
            // Nothing was paid for that it could wait for the end of.
            (When::PeriodEnd, Status::Trialing | Status::Active | Status::PastDue) => {
                self.cancel_at_period_end = true;
                Ok(())
            }
            (When::Now, _)
            | (When::PeriodEnd, Status::Incomplete | Status::Paused | Status::Suspended) => {
                self.end(Because::Requested, now_ms);
                Ok(())
            }
        }
    }

    /// The merchant moves it to another plan.
    pub fn change_plan(
        &mut self,
        next: NextPlan,
        when: When,
        now_ms: i64,
    ) -> Result<(), Rejection> {
        let refused = |because| Rejection {
            status: self.status.name(),
            step: "moved to another plan",
            because,
        };
        match self.status {
            Status::Cancelled => return Err(refused("")),
            // Nothing has begun that the change could wait for the end of.
            Status::Incomplete => {
                self.plan_id = next.plan_id;
                self.terms = next.terms;
                return Ok(());
            }
            Status::Trialing
            | Status::Active
            | Status::PastDue
            | Status::Paused
            | Status::Suspended => {}
        }
        if when == When::PeriodEnd {
            self.next_plan = Some(next);
            return Ok(());
        }
        if self.open.is_some() {
            return Err(refused(": a charge is open"));
        }
        let Some(calendar) = &self.calendar else { return Err(refused("")) };
        let rhythm = next.terms.rhythm;
        let changed = if self.next_number == 1 {
            // What is free stays free: the new plan begins where the old one would have.
            calendar.changed(self.next_index, rhythm)
        } else {
            calendar::local(now_ms, &calendar.zone)
                .and_then(|local| calendar::aligned(local, rhythm))
                .map(|first| Calendar { rhythm, first, zone: calendar.zone.clone() })
        };
        let Some(changed) = changed else {
            return Err(refused(": the calendar has no further day"));
        };
        self.plan_id = next.plan_id;
        self.terms = next.terms;
        self.next_plan = None;
        self.calendar = Some(changed);
        self.next_index = 0;
        Ok(())
    }

    /// The merchant wants the failed charge tried again now.
    pub fn retry_now(&mut self, now_ms: i64) -> Result<(), Rejection> {
        let refused = Rejection {
            status: self.status.name(),
            step: "charged again",
            because: ": no failed charge waits",
        };
        let wait = self.open.as_mut().and_then(|open| open.waits.as_mut()).ok_or(refused)?;
        wait.until_ms = now_ms;
        wait.then = Then::Retry;
        Ok(())
    }

    /// What the shopper may help with: the charge, and Klarna's id of its refusal. Whether help may still
    /// begin is [`Wait::step_up_id`]'s to say.
    pub fn step_up(&self) -> Option<(i64, &Wait, &str)> {
        let open = self.open.as_ref()?;
        let wait = open.waits.as_ref()?;
        Some((open.number, wait, wait.step_up_id.as_deref()?))
    }
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
