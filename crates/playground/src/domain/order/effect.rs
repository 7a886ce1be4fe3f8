//! What the rest of Klarna does when something happens to an order: the calls to the merchant's
//! server that it causes, or makes needless.

use jiff::Timestamp;
use klarna_types::payments::{FraudEventType, FraudNotification};

use super::{CancelledBy, Event, Happened, Order};
use crate::domain::callback::{Callback, CallbackKind, fill_placeholders};
use crate::domain::fraud::Verdict;

/// Something to be done in the same unit of work as the change that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Tell the merchant.
    Call {
        /// What.
        callback: Callback,
        /// When the occasion was.
        at: Timestamp,
    },
    /// The merchant has the order: no more pushes.
    StopPush,
}

impl Order {
    /// What follows from `events`, which happened to this order.
    pub(crate) fn effects(&self, events: &[Event]) -> Vec<Effect> {
        events.iter().filter_map(|event| self.effect(event)).collect()
    }

    fn effect(&self, event: &Event) -> Option<Effect> {
        match &event.what {
            Happened::Placed { .. } => {
                let url = self.merchant_urls.push.as_deref()?;
                let callback = self.callback(CallbackKind::Push, url, String::new());
                Some(Effect::Call { callback, at: event.at })
            }
            Happened::FraudDecided { verdict } => {
                let url = self.merchant_urls.notification.as_deref()?;
                let notification = FraudNotification {
                    order_id: self.id.clone(),
                    event_type: match verdict {
                        Verdict::Accepted => FraudEventType::Accepted,
                        Verdict::Rejected => FraudEventType::Rejected,
                    },
                    event_timestamp: Some(event.at),
                };
                // Two strings and a time always serialize.
                let body = serde_json::to_string(&notification).unwrap_or_default();
                let callback = self.callback(CallbackKind::Notification, url, body);
                Some(Effect::Call { callback, at: event.at })
            }
            Happened::Acknowledged
            | Happened::Captured { .. }
            | Happened::Cancelled { by: CancelledBy::Merchant }
                if self.is_acknowledged() =>
            {
                Some(Effect::StopPush)
            }
            Happened::Acknowledged
            | Happened::AuthorizationUpdated { .. }
            | Happened::Cancelled { .. }
            | Happened::CustomerDetailsUpdated
            | Happened::AuthorizationExtended { .. }
            | Happened::MerchantReferencesUpdated
            | Happened::RemainingReleased { .. }
            | Happened::ShippingInfoAppended { .. }
            | Happened::Captured { .. }
            | Happened::SendOutTriggered { .. }
            | Happened::DueDateExtended { .. }
            | Happened::Refunded { .. }
            | Happened::Expired { .. } => None,
        }
    }

    fn callback(&self, kind: CallbackKind, url: &str, body: String) -> Callback {
        // Whoever places the order knows its session and has filled that placeholder in.
        let url = fill_placeholders(url, "{session.id}", self.id.as_str());
        Callback {
            id: format!("{kind}:{}", self.id),
            merchant_id: self.merchant_id.clone(),
            kind,
            subject_id: self.id.as_str().to_owned(),
            url,
            body,
            headers: Vec::new(),
        }
    }
}
