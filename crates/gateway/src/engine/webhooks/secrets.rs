//! The secrets of webhook endpoints, at rest and in use. Nobody else opens them.

use klarna_types::Secret;

use super::super::Engine;
use crate::domain::webhook::{self, Endpoint};
use crate::fault::Fault;
use crate::store::webhooks;

/// What is stored for a secret.
pub(super) fn seal(engine: &Engine, secret: &Secret) -> Result<String, Fault> {
    Ok(engine.vault().seal(webhooks::SECRETS, secret)?)
}

/// The secret that was stored.
pub(super) fn open(engine: &Engine, sealed: &str) -> Result<Secret, Fault> {
    Ok(engine.vault().open(webhooks::SECRETS, sealed)?)
}

/// The keys that sign now, the newest first.
pub(super) fn keys(
    engine: &Engine,
    endpoint: &Endpoint,
    now_ms: i64,
) -> Result<Vec<Vec<u8>>, Fault> {
    endpoint
        .signing(now_ms)
        .map(|sealed| {
            let secret = open(engine, sealed)?;
            webhook::key_of(secret.expose())
                .ok_or_else(|| Fault::inconsistent("a webhook secret has not the form of one"))
        })
        .collect()
}
