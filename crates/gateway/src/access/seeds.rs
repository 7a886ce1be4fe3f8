//! Seeds of second factors. They have to be read again, so a digest will not do: the vault seals them, each for its
//! own column and person.

use klarna_types::Secret;
use service::{Clock as _, SystemClock};

use crate::app::App;
use crate::domain::totp;
use crate::fault::Fault;
use crate::vault::{Column, Place};

/// The seeds that are in use.
pub(crate) const SEED: Column = Column { table: "dashboard_users", key: "id", column: "totp_seed" };
/// The seeds that somebody is setting up.
pub(crate) const PENDING: Column =
    Column { table: "dashboard_users", key: "id", column: "totp_pending" };

/// The time that an authenticator app goes by: the world's, whatever clock the gateway was given. Moving
/// the playground's clock must lock nobody out.
pub(crate) fn phones_now_ms() -> i64 {
    SystemClock.now_ms()
}

fn place(of: Column, user_id: &str) -> Place<'_> {
    Place { table: of.table, column: of.column, row: user_id }
}

/// A seed as it is kept in somebody's row.
pub(crate) fn seal(app: &App, of: Column, user_id: &str, seed: &[u8]) -> Result<String, Fault> {
    let text = Secret::from(totp::base32(seed));
    Ok(app.engine().vault().seal(place(of, user_id), &text)?)
}

/// A seed as it was.
pub(crate) fn open(app: &App, of: Column, user_id: &str, sealed: &str) -> Result<Vec<u8>, Fault> {
    let text = app.engine().vault().open(place(of, user_id), sealed)?;
    totp::from_base32(text.expose())
        .ok_or_else(|| Fault::inconsistent("a second factor's seed is no base 32"))
}
