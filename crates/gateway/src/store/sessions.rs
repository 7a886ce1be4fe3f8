//! People's sessions in the dashboard. Kept by the digest of what the browser's cookie holds.

use storage::{Row, Tx};

use super::users::{self, User};
use crate::domain::user;
use crate::fault::Fault;

/// How far somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the second factor is still to come. Good for nothing else.
    Half,
    /// Signed in.
    Full,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Full => "full",
        }
    }
}

/// Somebody's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id: what a page may show.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The store that it sees.
    pub store_id: String,
    /// What each form must carry.
    pub csrf_token: String,
    /// The kind of browser.
    pub browser: String,
    /// When it was opened.
    pub created_at_ms: i64,
    /// When it was last used, to within a minute.
    pub seen_at_ms: i64,
}

/// Opens a session, and forgets those that are over.
pub fn open(
    tx: &mut Tx<'_>,
    digest: &str,
    session: &Session,
    stage: Stage,
    expires_at_ms: i64,
) -> Result<(), Fault> {
    let now_ms = session.created_at_ms;
    tx.execute("DELETE FROM user_sessions WHERE expires_at_ms <= $1", &[&now_ms])?;
    tx.execute(
        "INSERT INTO user_sessions (digest, id, user_id, store_id, csrf_token, stage, failures,
                                    browser, created_at_ms, seen_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $8, $9)",
        &[
            &digest,
            &session.id,
            &session.user_id,
            &session.store_id,
            &session.csrf_token,
            &stage.name(),
            &session.browser,
            &now_ms,
            &expires_at_ms,
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "id, user_id, store_id, csrf_token, browser, created_at_ms, seen_at_ms";

fn from_row(row: &Row) -> Result<Session, Fault> {
    Ok(Session {
        id: row.get(0)?,
        user_id: row.get(1)?,
        store_id: row.get(2)?,
        csrf_token: row.get(3)?,
        browser: row.get(4)?,
        created_at_ms: row.get(5)?,
        seen_at_ms: row.get(6)?,
    })
}

/// The session of that digest at that stage, and whose it is, unless it is over or they may not
/// sign in any more.
pub fn find(
    tx: &mut Tx<'_>,
    digest: &str,
    stage: Stage,
    now_ms: i64,
) -> Result<Option<(Session, User)>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM user_sessions
         WHERE digest = $1 AND stage = $2 AND expires_at_ms > $3"
    );
    let rows = tx.query_dynamic(&sql, &[&digest, &stage.name(), &now_ms])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let session = from_row(row)?;
    if stage == Stage::Full && user::is_over(session.created_at_ms, session.seen_at_ms, now_ms) {
        return Ok(None);
    }
    let user = users::get(tx, &session.user_id)?.filter(|user| user.disabled_at_ms.is_none());
    Ok(user.map(|user| (session, user)))
}

/// Keeps that a session is used.
pub fn note_use(tx: &mut Tx<'_>, digest: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE user_sessions SET seen_at_ms = $2 WHERE digest = $1 AND seen_at_ms < $2",
        &[&digest, &now_ms],
    )?;
    Ok(())
}

/// Has a session look at another store. Whether its person may is the caller's to know.
pub fn look_at(tx: &mut Tx<'_>, digest: &str, store_id: &str) -> Result<(), Fault> {
    tx.execute("UPDATE user_sessions SET store_id = $2 WHERE digest = $1", &[&digest, &store_id])?;
    Ok(())
}

/// Counts a wrong code; answers how many there were. A session that waits for its second factor
/// does not take them for ever.
pub fn count_failure(tx: &mut Tx<'_>, digest: &str) -> Result<i64, Fault> {
    tx.execute("UPDATE user_sessions SET failures = failures + 1 WHERE digest = $1", &[&digest])?;
    let row = tx.query_opt("SELECT failures FROM user_sessions WHERE digest = $1", &[&digest])?;
    Ok(match row {
        Some(row) => row.get(0)?,
        None => 0,
    })
}

/// Ends a session.
pub fn close(tx: &mut Tx<'_>, digest: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM user_sessions WHERE digest = $1", &[&digest])?;
    Ok(())
}

/// Ends a session of somebody's, by its id; says whether there was one.
pub fn close_of(tx: &mut Tx<'_>, user_id: &str, id: &str) -> Result<bool, Fault> {
    let closed =
        tx.execute("DELETE FROM user_sessions WHERE user_id = $1 AND id = $2", &[&user_id, &id])?;
    Ok(closed > 0)
}

/// Ends all sessions of somebody's but one, or all; answers how many.
pub fn close_others(tx: &mut Tx<'_>, user_id: &str, but: Option<&str>) -> Result<u64, Fault> {
    let but = but.unwrap_or_default();
    Ok(tx.execute(
        "DELETE FROM user_sessions WHERE user_id = $1 AND digest <> $2",
        &[&user_id, &but],
    )?)
}

/// Somebody's sessions, newest first.
pub fn of_user(tx: &mut Tx<'_>, user_id: &str, now_ms: i64) -> Result<Vec<Session>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM user_sessions
         WHERE user_id = $1 AND stage = 'full' AND expires_at_ms > $2
         ORDER BY created_at_ms DESC, id"
    );
    let rows = tx.query_dynamic(&sql, &[&user_id, &now_ms])?;
    let sessions: Vec<Session> = rows.iter().map(from_row).collect::<Result<_, _>>()?;
    Ok(sessions
        .into_iter()
        .filter(|each| !user::is_over(each.created_at_ms, each.seen_at_ms, now_ms))
        .collect())
}
