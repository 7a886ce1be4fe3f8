//! What a merchant's webhook is told of a dispute.

use hmac::{Hmac, KeyInit as _, Mac as _};
use klarna_types::disputes as wire;
use klarna_types::disputes::webhook::{
    ChangedFields, DisputeEvent, DisputeEventType, EventMetadata, EventPayload, SIGNATURE_HEADER,
    SIGNING_KEY_ID_HEADER,
};
use sha2::Sha256;
use uuid::Uuid;

use super::settings::Webhook;
use super::{Dispute, Event, Happened, Stage};
use crate::domain::callback::{Callback, CallbackKind};

/// The signature of a body: HMAC-SHA256 under the webhook's key, in hexadecimal. Klarna has not
/// published its own algorithm.
pub(crate) fn signature(key: &str, body: &[u8]) -> String {
    use std::fmt::Write as _;
    // A key of any length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(body);
    let mut text = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Dispute {
    /// The call that tells of an event; none for what is not told. `sequence` tells the events of one
    /// dispute apart.
    pub(crate) fn callback(
        &self,
        event: &Event,
        sequence: i64,
        webhook: &Webhook,
        base: &str,
    ) -> Option<Callback> {
        let kind = Self::event_type(event).filter(|kind| webhook.wants(kind.as_str()))?;
        let id = Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("dispute/{}/events/{sequence}", self.number).as_bytes(),
        );
        let message = self.message(event, kind, id, webhook, base);
        // Strings, numbers and times always serialize.
        let body = serde_json::to_string(&message).unwrap_or_default();
        let headers = vec![
            (SIGNATURE_HEADER.to_owned(), signature(&webhook.signing_key, body.as_bytes())),
            (SIGNING_KEY_ID_HEADER.to_owned(), webhook.signing_key_id.clone()),
        ];
        Some(Callback {
            id: format!("{}:{id}", CallbackKind::DisputeWebhook),
            merchant_id: self.subject.merchant_id.clone(),
            kind: CallbackKind::DisputeWebhook,
            subject_id: self.number.clone(),
            url: webhook.url.clone(),
            body,
            headers,
        })
    }

    /// What a webhook calls this; nothing for what it is not told.
    fn event_type(event: &Event) -> Option<DisputeEventType> {
        match &event.what {
            Happened::Raised { .. } => Some(DisputeEventType::Initiated),
            // The first request comes with the dispute, or changes nothing that version 4 shows; a
            // later one takes the dispute back from REPRESENTMENT.
            Happened::Requested { number } if *number > 1 => Some(DisputeEventType::Initiated),
            Happened::Answered => Some(DisputeEventType::Representment),
            Happened::Extended { .. } => Some(DisputeEventType::RepresentmentDeadlineExtended),
            Happened::Preliminary => Some(DisputeEventType::PreArbitration),
            Happened::Appealed => Some(DisputeEventType::Arbitration),
            Happened::Closed { .. } => Some(DisputeEventType::Closed),
            Happened::Requested { .. } | Happened::Supplemented => None,
        }
    }

    fn message(
        &self,
        event: &Event,
        kind: DisputeEventType,
        id: Uuid,
        webhook: &Webhook,
        base: &str,
    ) -> DisputeEvent {
        let account = self.payment_account_id();
        let correlation_id = Uuid::new_v5(&id, b"correlation");
        let metadata = EventMetadata {
            event_type: kind.clone(),
            event_id: id.to_string(),
            event_version: Some("v1".to_owned()),
            correlation_id: Some(correlation_id.to_string()),
            occurred_at: Some(event.at),
            webhook_id: Some(webhook.webhook_id.clone()),
            merchant_id: Some(self.subject.merchant_id.clone()),
            live: Some(false),
            subject_account_id: Some(account.clone()),
            recipient_account_id: Some(account),
            product_instance_id: Some(self.product_id()),
        };
        DisputeEvent {
            event_type: Some(kind),
            event_id: Some(id.to_string()),
            occurred_at: Some(event.at),
            metadata,
            payload: self.payload(event, base),
        }
    }

    fn payload(&self, event: &Event, base: &str) -> EventPayload {
        // Several things can happen in one unit of work: what is told is the state of that event.
        let (stage, previous) = match &event.what {
            Happened::Raised { .. } => (Stage::Initiated, None),
            Happened::Requested { .. } => (Stage::Initiated, Some(Stage::Representment)),
            Happened::Answered | Happened::Supplemented => {
                (Stage::Representment, Some(Stage::Initiated))
            }
            Happened::Preliminary => (Stage::PreArbitration, Some(Stage::Representment)),
            Happened::Appealed => (Stage::Arbitration, Some(Stage::PreArbitration)),
            Happened::Extended { .. } => (self.stage, None),
            Happened::Closed { .. } => (Stage::Closed, self.previous),
        };
        let mut payload = EventPayload {
            previous_state: previous.map(Stage::state),
            order_id: Some(self.subject.order_id.clone()),
            payment_transaction_id: Some(self.payment_transaction_id()),
            payment_transaction_reference: self.subject.merchant_reference1.clone(),
            purchase_reference: self.subject.merchant_reference1.clone(),
            merchant_reference2: self.subject.merchant_reference2.clone(),
            capture_id: self.subject.capture_id.clone(),
            capture_krn: self.capture_krn(),
            payment_capture_id: self.payment_capture_id(),
            payment_capture_reference: self.subject.capture_reference.clone(),
            payment_account_id: Some(self.payment_account_id()),
            updated_at: Some(event.at),
            ..EventPayload::new(self.id(), stage.state())
        };
        match &event.what {
            Happened::Raised { .. } | Happened::Requested { .. } => {
                payload.dispute_reason = Some(self.reason.v4());
                payload.dispute_details = Some(self.details());
                payload.representment =
                    (!self.requests.is_empty()).then(|| self.representment(base));
                payload.created_at = Some(self.created_at);
            }
            Happened::Answered | Happened::Supplemented => {
                payload.partner_evidence = self.partner_evidence(base);
            }
            Happened::Preliminary => {
                payload.arbitration_expires_at = self.until;
                payload.arbitration = self.arbitration(base).map(|arbitration| wire::Arbitration {
                    arbitration_request: None,
                    ..arbitration
                });
            }
            Happened::Appealed => {
                payload.arbitration_request =
                    self.appeal.as_ref().map(|appeal| self.appeal_view(appeal, base));
            }
            Happened::Extended { from, to } => {
                payload.updated_fields =
                    Some(ChangedFields::new().evidence_response_deadline_at(*to));
                payload.previous_fields =
                    Some(ChangedFields::new().evidence_response_deadline_at(*from));
            }
            Happened::Closed { outcome, detailed } => {
                payload.dispute_outcome = Some(outcome.clone());
                payload.dispute_outcome_detailed = Some(detailed.clone());
                payload.closed_at = Some(event.at);
            }
        }
        payload
    }
}
