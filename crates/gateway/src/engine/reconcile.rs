//! After a database was put back from a copy: what happened at Klarna since the copy was taken is not in it.
//!
//! Klarna's books are the truth, so they are asked before anything is done again. Every operation that is
//! not settled is taken for one whose answer was lost. Every payment that may have changed is read, those
//! that somebody wants something of first; until then nothing is accepted for it. A request that a shop
//! repeats under its own key leads to the same operation as before, and so to the same key at Klarna; where
//! Klarna has forgotten the key, its books show the capture or refund by the operation's id.

use service::Clock;
use storage::Database;

use super::{Engine, tasks};
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::reread;

/// What a database that was put back has to ask Klarna.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun {
    /// Payments that are read again.
    pub payments: u64,
    /// Operations whose effect is looked for.
    pub operations: u64,
    /// Open checkouts that are looked at.
    pub checkouts: u64,
    /// People who have to sign in again.
    pub sessions: u64,
    /// When the last thing happened that is known, in unix milliseconds.
    pub known_until_ms: Option<i64>,
}

const BATCH: i64 = 200;

/// Has everything asked that Klarna may know better. May be repeated; the gateway that is started next
/// carries it out. No gateway may run on the database meanwhile.
pub async fn begin(database: &Database, clock: &dyn Clock) -> Result<Begun, Fault> {
    let now_ms = clock.now_ms();
    let mut begun = Begun::default();
    let mut after = String::new();
    loop {
        let from = after.clone();
        let (count, last) =
            database.write(move |tx| reread::doubt(tx, &from, BATCH, now_ms)).await?;
        begun.operations += count;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let rest = database
        .write(move |tx| {
            let begun = Begun {
                payments: reread::want_all(tx, now_ms)?,
                operations: 0,
                checkouts: reread::look_at_checkouts(tx, now_ms)?,
                sessions: reread::sign_everybody_out(tx)?,
                known_until_ms: reread::newest_event_at(tx)?,
            };
            reread::note(tx, now_ms)?;
            for store_id in reread::stores(tx)? {
                let id = crate::domain::idempotency::event_id(&store_id, now_ms, "restored");
                let id = id.replace("evt_", "aud_");
                let actor = Actor::system("command line");
                let action = "gateway.reconciled";
                let deed =
                    Deed { id: &id, store_id: &store_id, actor: &actor, action, subject: "" };
                let data = serde_json::json!({ "known_until_ms": begun.known_until_ms });
                audit::append(tx, deed, &data, now_ms)?;
            }
            Ok::<_, Fault>(begun)
        })
        .await?;
    Ok(Begun { operations: begun.operations, ..rest })
}

/// Asks Klarna about one payment now. Answers whether something may be asked of it again.
pub async fn look(engine: &Engine, payment_id: &str) -> Result<bool, Fault> {
    // Twice, should something be recorded while the answer is on its way.
    Ok(tasks::sync_now(engine, payment_id).await? || tasks::sync_now(engine, payment_id).await?)
}

/// How many payments Klarna is still to be asked about.
pub async fn left(database: &Database) -> Result<i64, Fault> {
    database.read(reread::count).await
}
