//! The secrets of webhook endpoints, at rest and in use. Nobody else opens them.

use klarna_types::Secret;

use super::super::Engine;
use crate::domain::webhook::{self, Endpoint};
use crate::fault::Fault;

const PLAIN: &str = "plain:";

/// What is stored for a secret.
#[expect(clippy::unnecessary_wraps, reason = "encrypting can fail, and is done here alone")]
pub(super) fn seal(_engine: &Engine, secret: &Secret) -> Result<String, Fault> {
    Ok(format!("{PLAIN}{}", secret.expose()))
}

/// The secret that was stored.
pub(super) fn open(_engine: &Engine, sealed: &str) -> Result<Secret, Fault> {
    sealed
        .strip_prefix(PLAIN)
        .map(Secret::new)
        .ok_or_else(|| Fault::inconsistent("a webhook secret was stored by a newer gateway"))
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
