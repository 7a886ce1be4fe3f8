//! Seeds of second factors. They have to be read again, so a digest will not do; how they are kept
//! is decided here and nowhere else.

use crate::app::App;
use crate::domain::totp;
use crate::fault::Fault;

/// Where a seed stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column;

/// The seeds that are in use.
pub(crate) const SEED: Column = Column;
/// The seeds that somebody is setting up.
pub(crate) const PENDING: Column = Column;

/// A seed as it is kept in somebody's row.
#[expect(clippy::unnecessary_wraps, reason = "keeping a secret may fail")]
pub(crate) fn seal(_: &App, _: Column, _: &str, seed: &[u8]) -> Result<String, Fault> {
    Ok(totp::base32(seed))
}

/// A seed as it was.
pub(crate) fn open(_: &App, _: Column, _: &str, sealed: &str) -> Result<Vec<u8>, Fault> {
    totp::from_base32(sealed)
        .ok_or_else(|| Fault::inconsistent("a second factor's seed is no base 32"))
}
