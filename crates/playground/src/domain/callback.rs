//! What Klarna tells a merchant's server, when it tries, and when it gives up.
//!
//! Schedules only: how a delivery is kept is the store's business, how it is sent the worker's.

use std::fmt;

use klarna_types::MerchantId;
use serde::{Deserialize, Serialize};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The occasions on which Klarna calls a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallbackKind {
    /// `merchant_urls.authorization`: a shopper was approved.
    Authorization,
    /// `merchant_urls.notification`: a pending order was decided.
    Notification,
    /// `merchant_urls.push`: an order was placed and not acknowledged yet.
    Push,
    /// `merchant_urls.status_update` of a hosted payment page: its status changed.
    HostedStatus,
    /// `distribution.callback_urls.status_update` of an in-store session: its status changed.
    InStoreStatus,
    /// A registered webhook: a dispute changed its state.
    DisputeWebhook,
    /// A registered webhook: a payment request changed its state.
    PaymentRequestWebhook,
}

/// How long an attempt may take, in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TimeOuts {
    /// Until there is a connection.
    pub(crate) connect_ms: u64,
    /// From there until the answer is complete.
    pub(crate) answer_ms: u64,
}

/// A call to be made, once or several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    /// Unique; enqueueing the same id twice makes one delivery.
    pub(crate) id: String,
    /// Whose server is called.
    pub(crate) merchant_id: MerchantId,
    /// The occasion.
    pub(crate) kind: CallbackKind,
    /// The session or order it is about.
    pub(crate) subject_id: String,
    /// Where to, placeholders already replaced.
    pub(crate) url: String,
    /// JSON, or empty for a call without a body.
    pub(crate) body: String,
    /// Headers beyond the content type (a webhook's signature), in order.
    pub(crate) headers: Vec<(String, String)>,
}

impl CallbackKind {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Authorization,
        Self::Notification,
        Self::Push,
        Self::HostedStatus,
        Self::InStoreStatus,
        Self::DisputeWebhook,
        Self::PaymentRequestWebhook,
    ];

    /// Its name, as stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Notification => "notification",
            Self::Push => "push",
            Self::HostedStatus => "hosted_status",
            Self::InStoreStatus => "in_store_status",
            Self::DisputeWebhook => "dispute_webhook",
            Self::PaymentRequestWebhook => "payment_request_webhook",
        }
    }

    /// The kind with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How long after its occasion the first attempt is made.
    pub(crate) fn first_delay_ms(self) -> i64 {
        match self {
            Self::Authorization
            | Self::Notification
            | Self::HostedStatus
            | Self::InStoreStatus
            | Self::DisputeWebhook
            | Self::PaymentRequestWebhook => 0,
            // "About two minutes after the purchase".
            Self::Push => 2 * MINUTE_MS,
        }
    }

    /// How long an attempt may take. Documented for authorizations (two seconds each) and hosted pages
    /// (three seconds); the others have what is nearest to them.
    pub(crate) fn time_outs(self) -> TimeOuts {
        match self {
            Self::Authorization | Self::Notification | Self::Push => {
                TimeOuts { connect_ms: 2_000, answer_ms: 2_000 }
            }
            Self::HostedStatus | Self::InStoreStatus => {
                TimeOuts { connect_ms: 3_000, answer_ms: 3_000 }
            }
            Self::DisputeWebhook | Self::PaymentRequestWebhook => {
                TimeOuts { connect_ms: 3_000, answer_ms: 10_000 }
            }
        }
    }

    /// Whether an answer with this status ends the delivery. A push ends by acknowledging the
    /// order, never by its answer.
    pub(crate) fn is_satisfied_by(self, status: u16) -> bool {
        match self {
            Self::Authorization
            | Self::HostedStatus
            | Self::InStoreStatus
            | Self::DisputeWebhook
            | Self::PaymentRequestWebhook => (200..300).contains(&status),
            Self::Notification => status == 200,
            Self::Push => false,
        }
    }

    /// When to try again after `attempts` attempts, the first of which was due at `first_due_ms`
    /// and the last of which was due at `last_due_ms`. `None`: given up.
    pub(crate) fn next_due_ms(
        self,
        attempts: u32,
        first_due_ms: i64,
        last_due_ms: i64,
    ) -> Option<i64> {
        match self {
            // Three attempts in all, one and two seconds apart.
            Self::Authorization => match attempts {
                1 => Some(last_due_ms.saturating_add(SECOND_MS)),
                2 => Some(last_due_ms.saturating_add(2 * SECOND_MS)),
                _ => None,
            },
            // Three more, "a few seconds" apart.
            Self::HostedStatus | Self::InStoreStatus => match attempts {
                1 => Some(last_due_ms.saturating_add(SECOND_MS)),
                2 => Some(last_due_ms.saturating_add(2 * SECOND_MS)),
                3 => Some(last_due_ms.saturating_add(4 * SECOND_MS)),
                _ => None,
            },
            // Nothing is documented: quick at first, for a restart on the merchant's side; then over
            // the better part of two days, for an outage that somebody has to mend.
            Self::DisputeWebhook | Self::PaymentRequestWebhook => {
                let delay = match attempts {
                    1 => MINUTE_MS,
                    2 => 5 * MINUTE_MS,
                    3 => 30 * MINUTE_MS,
                    4 => 2 * HOUR_MS,
                    5 => 6 * HOUR_MS,
                    6 => 12 * HOUR_MS,
                    7 => 24 * HOUR_MS,
                    _ => return None,
                };
                Some(last_due_ms.saturating_add(delay))
            }
            Self::Notification => {
                let next = last_due_ms.saturating_add(10 * MINUTE_MS);
                (next < first_due_ms.saturating_add(24 * HOUR_MS)).then_some(next)
            }
            Self::Push => {
                let delay = match attempts {
                    1 => 5 * MINUTE_MS,
                    2 => 15 * MINUTE_MS,
                    3 => 30 * MINUTE_MS,
                    4 => HOUR_MS,
                    _ => 4 * HOUR_MS,
                };
                let next = last_due_ms.saturating_add(delay);
                (next <= first_due_ms.saturating_add(48 * HOUR_MS)).then_some(next)
            }
        }
    }
}

impl fmt::Display for CallbackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Replaces Klarna's placeholders in a merchant's URL.
pub(crate) fn fill_placeholders(url: &str, session_id: &str, order_id: &str) -> String {
    // Most URLs have none.
    if !url.contains('{') {
        return url.to_owned();
    }
    url.replace("{session.id}", session_id)
        .replace("{order.id}", order_id)
        .replace("{checkout.order.id}", order_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: CallbackKind) -> Vec<i64> {
        let first = kind.first_delay_ms();
        let mut due = vec![first];
        while let Some(next) =
            kind.next_due_ms(u32::try_from(due.len()).unwrap(), first, due.last().copied().unwrap())
        {
            due.push(next);
        }
        due
    }

    #[test]
    fn an_authorization_is_tried_three_times() {
        assert_eq!(schedule(CallbackKind::Authorization), [0, 1_000, 3_000]);
    }

    #[test]
    fn a_notification_is_tried_every_ten_minutes_for_a_day() {
        let due = schedule(CallbackKind::Notification);
        assert_eq!(due.len(), 144);
        assert_eq!(due.last(), Some(&(143 * 10 * MINUTE_MS)));
    }

    #[test]
    fn a_push_slows_down_and_ends_after_two_days() {
        let due = schedule(CallbackKind::Push);
        let minutes: Vec<i64> = due.iter().take(6).map(|at| at / MINUTE_MS).collect();
        assert_eq!(minutes, [2, 7, 22, 52, 112, 352]);
        assert!(due.last().unwrap() - due[0] <= 48 * HOUR_MS);
        assert!(due.last().unwrap() - due[0] > 43 * HOUR_MS);
    }

    #[test]
    fn a_status_of_a_page_is_told_four_times() {
        for kind in [CallbackKind::HostedStatus, CallbackKind::InStoreStatus] {
            assert_eq!(schedule(kind), [0, 1_000, 3_000, 7_000]);
        }
    }

    #[test]
    fn a_dispute_is_told_eight_times_within_two_days() {
        let minutes: Vec<i64> =
            schedule(CallbackKind::DisputeWebhook).iter().map(|at| at / MINUTE_MS).collect();
        assert_eq!(minutes, [0, 1, 6, 36, 156, 516, 1_236, 2_676]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for kind in CallbackKind::ALL {
            assert_eq!(CallbackKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(CallbackKind::parse("Push"), None);
    }

    #[test]
    fn only_the_documented_answers_satisfy() {
        assert!(CallbackKind::Authorization.is_satisfied_by(204));
        assert!(!CallbackKind::Authorization.is_satisfied_by(302));
        assert!(CallbackKind::Notification.is_satisfied_by(200));
        assert!(!CallbackKind::Notification.is_satisfied_by(204));
        assert!(!CallbackKind::Push.is_satisfied_by(200));
    }

    #[test]
    fn placeholders_are_replaced() {
        assert_eq!(
            fill_placeholders("https://a/{session.id}?o={order.id}", "s", "o"),
            "https://a/s?o=o"
        );
    }
}
