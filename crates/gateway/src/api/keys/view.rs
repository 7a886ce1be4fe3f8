//! A key as the API shows it.

use serde::Serialize;

use super::super::checkouts::view::time;
use crate::domain::access_key::Key;
use crate::domain::scope::Scope;

/// An API key. The key itself is shown once, when it is made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// `secret` (for servers) or `publishable` (for browsers).
    pub kind: &'static str,
    /// What people call it.
    pub name: String,
    /// The last characters of the key; empty for a key of the configuration.
    pub hint: String,
    /// `active`, `expired` or `revoked`.
    pub status: &'static str,
    /// What it may do.
    pub scopes: Vec<&'static str>,
    /// From which pages a publishable key may be used.
    pub origins: Vec<String>,
    /// Who made it: a key, a user, or `configuration`.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// When it was last used, to within ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The key that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The key itself: in the answer that made it, and never again. A repeat of the request under
    /// the same `Idempotency-Key` is answered without it; rotate the key if it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl KeyView {
    /// The view of a key.
    pub fn new(key: &Key, now_ms: i64) -> Self {
        Self {
            id: key.id.clone(),
            kind: key.kind.name(),
            name: key.name.clone(),
            hint: key.hint.clone(),
            status: key.standing(now_ms).name(),
            scopes: key.scopes.iter().map(Scope::name).collect(),
            origins: key.origins.clone(),
            created_by: key.created_by.clone(),
            created_at: time(key.created_at_ms),
            expires_at: key.expires_at_ms.map(time),
            revoked_at: key.revoked_at_ms.map(time),
            last_used_at: key.last_used_at_ms.map(time),
            replaced_by: key.replaced_by.clone(),
            key: None,
        }
    }
}
