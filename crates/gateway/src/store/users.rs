//! People who use the dashboard, their invitations and their recovery codes. Passwords are kept as
//! hashes, what only has to be compared as digests, seeds of second factors sealed.

use storage::{Migration, Row, Tx};

use crate::domain::role::Role;
use crate::fault::Fault;

/// The tables of people and their sessions.
pub const MIGRATION: Migration = Migration {
    version: 62,
    name: "people",
    sql: "
CREATE TABLE dashboard_users (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT,
    totp_seed TEXT,
    totp_pending TEXT,
    totp_step BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    signed_in_at_ms BIGINT,
    disabled_at_ms BIGINT
);
CREATE INDEX dashboard_users_by_store ON dashboard_users (store_id, name);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    invited_by TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX invitations_by_store ON invitations (store_id, created_at_ms);

CREATE TABLE user_sessions (
    digest TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    store_id TEXT NOT NULL,
    csrf_token TEXT NOT NULL,
    stage TEXT NOT NULL,
    failures BIGINT NOT NULL,
    browser TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id, created_at_ms);
CREATE INDEX user_sessions_by_end ON user_sessions (expires_at_ms);
",
};

/// Somebody who uses the dashboard.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: String,
    /// The store they belong to.
    pub store_id: String,
    /// What they type to sign in.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of their password; none for the one whose password the configuration says.
    pub password_hash: Option<String>,
    /// The sealed seed of their second factor, if they have one.
    pub totp_seed: Option<String>,
    /// The sealed seed of one that they are setting up.
    pub totp_pending: Option<String>,
    /// The step of the last code that was taken.
    pub totp_step: i64,
    /// When they were made.
    pub created_at_ms: i64,
    /// When they last signed in.
    pub signed_in_at_ms: Option<i64>,
    /// Since when they may not sign in.
    pub disabled_at_ms: Option<i64>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

fn role(name: &str) -> Result<Role, Fault> {
    Role::from_name(name).ok_or_else(|| Fault::inconsistent(format!("there is no role \"{name}\"")))
}

const COLUMNS: &str = "id, store_id, name, role, password_hash, totp_seed, totp_pending, totp_step, \
     created_at_ms, signed_in_at_ms, disabled_at_ms";

fn from_row(row: &Row) -> Result<User, Fault> {
    Ok(User {
        id: row.get(0)?,
        store_id: row.get(1)?,
        name: row.get(2)?,
        role: role(&row.get::<String>(3)?)?,
        password_hash: row.get(4)?,
        totp_seed: row.get(5)?,
        totp_pending: row.get(6)?,
        totp_step: row.get(7)?,
        created_at_ms: row.get(8)?,
        signed_in_at_ms: row.get(9)?,
        disabled_at_ms: row.get(10)?,
    })
}

/// Makes a user, unless one of that name exists; says whether it was made.
pub fn insert(tx: &mut Tx<'_>, user: &User) -> Result<bool, Fault> {
    let added = tx.execute(
        "INSERT INTO dashboard_users (id, store_id, name, role, password_hash, totp_step,
                                      created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
        &[
            &user.id,
            &user.store_id,
            &user.name,
            &user.role.name(),
            &user.password_hash,
            &user.totp_step,
            &user.created_at_ms,
        ],
    )?;
    Ok(added == 1)
}

/// The user of that name.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<User>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM dashboard_users WHERE name = $1");
    tx.query_dynamic(&sql, &[&name])?.first().map(from_row).transpose()
}

/// The user of that id.
pub fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<User>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM dashboard_users WHERE id = $1");
    tx.query_dynamic(&sql, &[&id])?.first().map(from_row).transpose()
}

/// The user of that id in that store, to be changed in this unit of work.
pub fn lock_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<User>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM dashboard_users WHERE id = $1 AND store_id = $2 {{for_update}}"
    );
    tx.query_dynamic(&sql, &[&id, &store_id])?.first().map(from_row).transpose()
}

/// Everybody of a store, by name.
pub fn list(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<User>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM dashboard_users WHERE store_id = $1 ORDER BY name");
    tx.query_dynamic(&sql, &[&store_id])?.iter().map(from_row).collect()
}

/// Whether there is anybody but the one of the configuration.
pub fn is_anybody_invited(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    let others: i64 = tx
        .query_one("SELECT COUNT(*) FROM dashboard_users WHERE password_hash IS NOT NULL", &[])?
        .get(0)?;
    Ok(others > 0)
}

/// Gives somebody another role.
pub fn set_role(tx: &mut Tx<'_>, id: &str, role: Role) -> Result<(), Fault> {
    tx.execute("UPDATE dashboard_users SET role = $2 WHERE id = $1", &[&id, &role.name()])?;
    Ok(())
}

/// Lets somebody sign in, or no longer.
pub fn set_disabled(tx: &mut Tx<'_>, id: &str, since_ms: Option<i64>) -> Result<(), Fault> {
    tx.execute("UPDATE dashboard_users SET disabled_at_ms = $2 WHERE id = $1", &[&id, &since_ms])?;
    Ok(())
}

/// Gives somebody another password.
pub fn set_password(tx: &mut Tx<'_>, id: &str, hash: &str) -> Result<(), Fault> {
    tx.execute("UPDATE dashboard_users SET password_hash = $2 WHERE id = $1", &[&id, &hash])?;
    Ok(())
}

/// Keeps when somebody signed in.
pub fn note_sign_in(tx: &mut Tx<'_>, id: &str, now_ms: i64) -> Result<(), Fault> {
    tx.execute("UPDATE dashboard_users SET signed_in_at_ms = $2 WHERE id = $1", &[&id, &now_ms])?;
    Ok(())
}

/// Keeps the sealed seed of a second factor that somebody is setting up.
pub fn set_pending_seed(tx: &mut Tx<'_>, id: &str, sealed: &str) -> Result<(), Fault> {
    tx.execute("UPDATE dashboard_users SET totp_pending = $2 WHERE id = $1", &[&id, &sealed])?;
    Ok(())
}

/// Gives somebody a second factor, or takes it away with its recovery codes.
pub fn set_seed(tx: &mut Tx<'_>, id: &str, sealed: Option<&str>, step: i64) -> Result<(), Fault> {
    tx.execute(
        "UPDATE dashboard_users SET totp_seed = $2, totp_step = $3, totp_pending = NULL
         WHERE id = $1",
        &[&id, &sealed, &step],
    )?;
    set_recovery_codes(tx, id, &[])
}

/// Takes the code of a step; says whether it was not taken before.
pub fn take_step(tx: &mut Tx<'_>, id: &str, step: i64) -> Result<bool, Fault> {
    let taken = tx.execute(
        "UPDATE dashboard_users SET totp_step = $2 WHERE id = $1 AND totp_step < $2",
        &[&id, &step],
    )?;
    Ok(taken == 1)
}

/// Replaces somebody's recovery codes.
pub fn set_recovery_codes(tx: &mut Tx<'_>, id: &str, digests: &[String]) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[&id])?;
    for digest in digests {
        tx.execute("INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)", &[&id, digest])?;
    }
    Ok(())
}

/// Takes a recovery code; says whether there was one.
pub fn take_recovery_code(tx: &mut Tx<'_>, id: &str, digest: &str) -> Result<bool, Fault> {
    let taken = tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2",
        &[&id, &digest],
    )?;
    Ok(taken == 1)
}

/// How many recovery codes somebody has left.
pub fn recovery_codes_left(tx: &mut Tx<'_>, id: &str) -> Result<i64, Fault> {
    Ok(tx.query_one("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1", &[&id])?.get(0)?)
}

/// Somebody who is asked to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// The store.
    pub store_id: String,
    /// The user name they will have.
    pub name: String,
    /// What they will be allowed.
    pub role: Role,
    /// Who asks them.
    pub invited_by: String,
    /// Until when.
    pub expires_at_ms: i64,
}

fn invitation(row: &Row) -> Result<Invitation, Fault> {
    Ok(Invitation {
        id: row.get(0)?,
        store_id: row.get(1)?,
        name: row.get(2)?,
        role: role(&row.get::<String>(3)?)?,
        invited_by: row.get(4)?,
        expires_at_ms: row.get(5)?,
    })
}

/// Keeps an invitation, in place of an earlier one for that name; forgets those that are over.
pub fn invite(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    digest: &str,
    now_ms: i64,
) -> Result<(), Fault> {
    tx.execute(
        "DELETE FROM invitations WHERE expires_at_ms <= $1 OR (store_id = $2 AND name = $3)",
        &[&now_ms, &invitation.store_id, &invitation.name],
    )?;
    tx.execute(
        "INSERT INTO invitations (id, store_id, digest, name, role, invited_by, created_at_ms,
                                  expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &invitation.id,
            &invitation.store_id,
            &digest,
            &invitation.name,
            &invitation.role.name(),
            &invitation.invited_by,
            &now_ms,
            &invitation.expires_at_ms,
        ],
    )?;
    Ok(())
}

/// Invitations of a store that can still be taken up.
pub fn invitations(tx: &mut Tx<'_>, store_id: &str, now_ms: i64) -> Result<Vec<Invitation>, Fault> {
    tx.query(
        "SELECT id, store_id, name, role, invited_by, expires_at_ms FROM invitations
         WHERE store_id = $1 AND expires_at_ms > $2 ORDER BY created_at_ms, id",
        &[&store_id, &now_ms],
    )?
    .iter()
    .map(invitation)
    .collect()
}

/// The invitation of that digest, if it can still be taken up.
pub fn invitation_of(
    tx: &mut Tx<'_>,
    digest: &str,
    now_ms: i64,
) -> Result<Option<Invitation>, Fault> {
    tx.query_opt(
        "SELECT id, store_id, name, role, invited_by, expires_at_ms FROM invitations
         WHERE digest = $1 AND expires_at_ms > $2",
        &[&digest, &now_ms],
    )?
    .as_ref()
    .map(invitation)
    .transpose()
}

/// Takes an invitation away: it was taken up, or called back. Says whether it was there.
pub fn end_invitation(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<bool, Fault> {
    let ended =
        tx.execute("DELETE FROM invitations WHERE id = $1 AND store_id = $2", &[&id, &store_id])?;
    Ok(ended == 1)
}
