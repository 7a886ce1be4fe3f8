//! API keys: made, rotated and revoked by keys that may manage keys; and the audit log.

pub mod act;
pub mod audit;
pub mod create;
pub mod read;
pub mod view;

use super::extract::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::domain::access_key::{Grant, Kind, Rejection};
use crate::domain::idempotency;
use crate::store::audit::Actor;
use axum::http::StatusCode;

/// A key that was just drawn: its secret, and what is kept of it.
#[derive(Clone)]
pub(crate) struct Drawn {
    /// The key itself; shown once.
    pub(crate) secret: String,
    /// What is kept.
    pub(crate) digest: String,
    /// Its last characters.
    pub(crate) hint: String,
    /// Its id.
    pub(crate) id: String,
}

/// So many characters of a key are kept to tell keys apart: of 256 random bits, 16.
const HINT: usize = 4;

/// Draws a new key of a kind.
pub(crate) fn draw(app: &App, kind: Kind) -> Drawn {
    draw_from(kind, &app.engine().fresh_secret(), app.engine().fresh_id("key"))
}

/// A new key of a kind from fresh random text, under a fresh id.
pub(crate) fn draw_from(kind: Kind, random: &str, id: String) -> Drawn {
    let secret = format!("{}{random}", kind.prefix());
    let hint = secret.len().checked_sub(HINT).and_then(|at| secret.get(at..)).unwrap_or_default();
    Drawn { digest: idempotency::digest(&secret), hint: hint.to_owned(), id, secret }
}

/// What the audit log says of a grant.
pub(crate) fn told(grant: &Grant) -> serde_json::Value {
    serde_json::json!({
        "name": grant.name, "kind": grant.kind.name(), "scopes": grant.scopes.to_text(),
        "origins": grant.origins, "expires_at_ms": grant.expires_at_ms,
    })
}

impl Caller {
    /// This caller, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor::api_key(&self.key_id, &self.key_name)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let detail = format!("{rejection}.");
        match rejection {
            Rejection::Member { member, .. } => Self::invalid(member, detail),
            Rejection::TooPowerful { .. } => Self::new(
                StatusCode::FORBIDDEN,
                "scope_missing",
                detail,
                "Ask with a key that has these scopes itself, or in the dashboard as an admin.",
            ),
            Rejection::Over(_) => Self::conflict(detail, "Make a new key instead."),
            Rejection::Replaced(_) => {
                Self::conflict(detail, "Rotate the key that took its place, or make a new one.")
            }
        }
    }
}
