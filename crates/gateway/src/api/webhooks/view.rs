//! Webhook endpoints and deliveries as the shop sees them.

use serde::Serialize;
use storage::Tx;

use super::super::checkouts::view::time;
use crate::domain::webhook::{Delivery, Endpoint, SealedSecret, Stage};
use crate::engine::webhooks::message;
use crate::fault::Fault;
use crate::store::webhooks::{Attempt, Health};
use crate::store::{events, webhooks};

/// A secret, without itself.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SecretView {
    /// Since when it signs.
    pub created_at: String,
    /// Until when, once there is a newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

impl From<&SealedSecret> for SecretView {
    fn from(secret: &SealedSecret) -> Self {
        Self { created_at: time(secret.created_at_ms), expires_at: secret.expires_at_ms.map(time) }
    }
}

/// Where a store is told of events.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookEndpointView {
    /// Its id.
    pub id: String,
    /// Where messages are posted.
    pub url: String,
    /// For people.
    pub description: String,
    /// Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty.
    pub events: Vec<String>,
    /// `enabled` or `disabled`.
    pub status: String,
    /// Why it is disabled: `asked`, `failing` (nothing arrived for three days) or `gone` (it answered
    /// 410).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// What signs now, the newest first; more than one while secrets are exchanged.
    pub signing_secrets: Vec<SecretView>,
    /// The newest secret itself, `whsec_…`: only in the answer that made it. Keep it safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When a message last arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<String>,
    /// Since when none did, although some were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<String>,
    /// What the last attempt came to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_outcome: String,
    /// When it was made.
    pub created_at: String,
    /// The last change.
    pub updated_at: String,
}

impl WebhookEndpointView {
    /// The view of an endpoint.
    pub fn new(endpoint: &Endpoint, health: &Health, now_ms: i64) -> Self {
        let valid = |secret: &&SealedSecret| secret.expires_at_ms.is_none_or(|at| at > now_ms);
        Self {
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.events.clone(),
            status: endpoint.standing.name().to_owned(),
            disabled_reason: endpoint.why.map(|why| why.name().to_owned()),
            signing_secrets: endpoint.secrets.iter().filter(valid).map(SecretView::from).collect(),
            secret: None,
            last_success_at: health.last_success_at_ms.map(time),
            failing_since: health.failing_since_ms.map(time),
            last_outcome: health.last_outcome.clone(),
            created_at: time(endpoint.created_at_ms),
            updated_at: time(endpoint.updated_at_ms),
        }
    }

    /// The view of a stored endpoint.
    pub fn load(tx: &mut Tx<'_>, endpoint: &Endpoint, now_ms: i64) -> Result<Self, Fault> {
        let health = webhooks::health(tx, &endpoint.id)?;
        Ok(Self::new(endpoint, &health, now_ms))
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookDeliveryView {
    /// Its id.
    pub id: String,
    /// Where to.
    pub endpoint_id: String,
    /// What is told: the `webhook-id` of each attempt.
    pub event_id: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the event happened to. Events of one subject are delivered in their order.
    pub subject_id: String,
    /// `pending` (waits for its turn or the next attempt), `delivered`, or `dead` (given up).
    pub status: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, if an earlier event of the subject does not hold it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// The HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<i64>,
    /// What the last attempt came to.
    pub last_outcome: String,
    /// When the event happened.
    pub created_at: String,
    /// The last change.
    pub updated_at: String,
}

impl From<&Delivery> for WebhookDeliveryView {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            event_id: delivery.event_id.clone(),
            kind: delivery.kind.clone(),
            subject_id: delivery.subject_id.clone(),
            status: delivery.stage.name().to_owned(),
            attempts: delivery.attempts,
            next_attempt_at: (delivery.stage == Stage::Pending).then(|| time(delivery.next_at_ms)),
            last_status: delivery.status,
            last_outcome: delivery.outcome.clone(),
            created_at: time(delivery.created_at_ms),
            updated_at: time(delivery.updated_at_ms),
        }
    }
}

/// One attempt at a delivery.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookAttemptView {
    /// Counts from 1.
    pub number: i64,
    /// When it began.
    pub at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What it came to.
    pub outcome: String,
    /// The beginning of the answer's body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

impl From<&Attempt> for WebhookAttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            at: time(attempt.at_ms),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            outcome: attempt.outcome.clone(),
            answer: attempt.answer.clone(),
        }
    }
}

/// A delivery with what is sent and each attempt.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookDeliveryDetail {
    /// What it is and where it stands.
    #[serde(flatten)]
    pub delivery: WebhookDeliveryView,
    /// The body of each attempt, byte for byte; absent once the event was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Every attempt, oldest first.
    pub log: Vec<WebhookAttemptView>,
}

impl WebhookDeliveryDetail {
    /// Gathers what is known of a delivery.
    pub fn load(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<Self, Fault> {
        let event = events::get_in(tx, &delivery.store_id, &delivery.event_id)?;
        let log = webhooks::attempts(tx, &delivery.id)?;
        Ok(Self {
            delivery: WebhookDeliveryView::from(delivery),
            body: event.as_ref().map(|event| message(event).body()),
            log: log.iter().map(WebhookAttemptView::from).collect(),
        })
    }
}
