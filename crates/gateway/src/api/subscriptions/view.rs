//! A subscription and its charges as the shop sees them.

use klarna_types::MinorUnits;
use serde::Serialize;

use super::super::checkouts::view::{RefusalView, time};
use super::super::problem::KlarnaCause;
use crate::domain::calendar::Interval;
use crate::domain::dunning::Then;
use crate::domain::subscription::{Because, Status, Subscription};
use crate::store::subscriptions::{Charge, ChargeStatus};

/// A charge that failed and waits.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OpenChargeView {
    /// Its number.
    pub number: i64,
    /// When it fell due.
    pub due_at: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried again, or given up; absent while Klarna is being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// `retry` or `give_up`: what comes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<&'static str>,
    /// Whether the shopper can pay it until then: `POST /v1/subscriptions/{id}/step_up`.
    pub can_step_up: bool,
    /// The checkout that was opened for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<String>,
}

/// A subscription.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SubscriptionView {
    /// Its id.
    pub id: String,
    /// `incomplete` (its checkout has not made the token yet), `trialing` (nothing was charged yet),
    /// `active`, `past_due` (a charge failed and is retried), `paused`, `suspended` (charging was given
    /// up) or `cancelled`.
    #[schema(value_type = String)]
    pub status: Status,
    /// The shop's number of it. A charge's reference is this, a hyphen and the charge's number.
    pub merchant_reference: String,
    /// Whose it is, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// What is charged; absent while it is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_token_id: Option<String>,
    /// The checkout that makes the token, if it began with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<String>,
    /// The plan.
    pub plan_id: String,
    /// The plan from the next period on, if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_plan_id: Option<String>,
    /// `day`, `week`, `month` or `year`.
    pub interval: Interval,
    /// How many intervals lie between two charges.
    pub interval_count: i64,
    /// The time zone on whose clocks days are counted.
    pub time_zone: String,
    /// When the next period is charged; absent if none will be by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_charge_at: Option<String>,
    /// How many charges have fallen due, the first payment of a checkout included.
    pub charges: i64,
    /// The charge that is not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_charge: Option<OpenChargeView>,
    /// Set when it ends instead of being charged again.
    pub cancel_at_period_end: bool,
    /// When it was paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_because: Option<Because>,
    /// When it was made.
    pub created_at: String,
}

impl SubscriptionView {
    /// A subscription as it is at a time.
    pub fn new(subscription: &Subscription, now_ms: i64) -> Self {
        let rhythm = subscription.terms.rhythm;
        Self {
            id: subscription.id.clone(),
            status: subscription.status,
            merchant_reference: subscription.merchant_reference.clone(),
            customer_id: subscription.customer_id.clone(),
            customer_token_id: subscription.customer_token_id.clone(),
            checkout_id: subscription.checkout_id.clone(),
            plan_id: subscription.plan_id.clone(),
            next_plan_id: subscription.next_plan.as_ref().map(|next| next.plan_id.clone()),
            interval: rhythm.interval,
            interval_count: rhythm.count,
            time_zone: subscription.start.zone.clone(),
            next_charge_at: subscription.next_charge_at_ms().map(time),
            charges: subscription.next_number - 1,
            open_charge: subscription.open.as_ref().map(|open| {
                let wait = open.waits.as_ref();
                OpenChargeView {
                    number: open.number,
                    due_at: time(open.due_at_ms),
                    attempts: open.attempts,
                    waits_until: wait.map(|wait| time(wait.until_ms)),
                    then: wait.map(|wait| match wait.then {
                        Then::Retry => "retry",
                        Then::GiveUp { .. } => "give_up",
                    }),
                    can_step_up: wait.is_some_and(|wait| wait.step_up_id(now_ms).is_some()),
                    checkout_id: wait.and_then(|wait| wait.checkout_id.clone()),
                }
            }),
            cancel_at_period_end: subscription.cancel_at_period_end,
            paused_at: subscription.paused_at_ms.map(time),
            ended_at: subscription.ended.map(|ended| time(ended.at_ms)),
            ended_because: subscription.ended.map(|ended| ended.because),
            created_at: time(subscription.created_at_ms),
        }
    }
}

/// One charge of a subscription.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SubscriptionChargeView {
    /// Its number; the first is 1.
    pub number: i64,
    /// `pending` (Klarna, or a person, is being asked), `failed` (something follows), `paid`,
    /// `given_up` or `void` (the subscription ended before).
    pub status: ChargeStatus,
    /// When it fell due: the beginning of what it pays for.
    pub due_at: String,
    /// The end of what it pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_end: Option<String>,
    /// How much, in minor units.
    #[schema(value_type = i64)]
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: String,
    /// The plan it was charged by.
    pub plan_id: String,
    /// How often Klarna was asked, under a key of its own each time.
    pub attempts: usize,
    /// The operations that asked, oldest first.
    pub operation_ids: Vec<String>,
    /// The payment that paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
}

impl From<&Charge> for SubscriptionChargeView {
    fn from(charge: &Charge) -> Self {
        Self {
            number: charge.number,
            status: charge.status,
            due_at: time(charge.due_at_ms),
            period_end: charge.period_end_ms.map(time),
            amount: charge.amount,
            currency: charge.currency.as_str().to_owned(),
            plan_id: charge.plan_id.clone(),
            attempts: charge.operations.len(),
            operation_ids: charge.operations.clone(),
            payment_id: charge.payment_id.clone(),
            refusal: charge.refusal.as_ref().map(|refusal| RefusalView {
                code: refusal.reason.name(),
                detail: refusal.detail.clone(),
                remedy: refusal.remedy.clone(),
                klarna: refusal.klarna.as_ref().map(KlarnaCause::from),
            }),
        }
    }
}
