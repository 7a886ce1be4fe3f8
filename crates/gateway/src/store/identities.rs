//! Shoppers who signed in with Klarna, and sign-ins that are under way.
//!
//! Of a shopper there is the name that Klarna gives the account, whose customer it is, and tokens, sealed. What
//! Klarna tells about the person goes to the shop and is not kept.

use klarna_types::Secret;
use storage::{Migration, Row, Tx};

use super::expect_one;
use crate::fault::Fault;
use crate::vault::{Column, Place, Vault};

/// The tables.
pub const MIGRATION: Migration = Migration {
    version: 90,
    name: "sign in with klarna",
    sql: "
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    status TEXT NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    state_digest TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_age ON sign_ins (expires_at_ms);

CREATE TABLE identities (
    id TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    scope TEXT NOT NULL,
    customer_id TEXT,
    refresh_token TEXT,
    access_token TEXT,
    access_until_ms BIGINT NOT NULL,
    refreshing_until_ms BIGINT NOT NULL,
    signed_in_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (store_id, client_id, subject)
);
CREATE INDEX identities_by_customer ON identities (customer_id);
",
};

/// The verifiers of sign-ins.
pub const VERIFIERS: Column = Column { table: "sign_ins", key: "id", column: "verifier" };
/// The refresh tokens of shoppers.
pub const REFRESH: Column = Column { table: "identities", key: "id", column: "refresh_token" };
/// Their access tokens.
pub const ACCESS: Column = Column { table: "identities", key: "id", column: "access_token" };

fn place(column: Column, row: &str) -> Place<'_> {
    Place { table: column.table, column: column.column, row }
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Its id.
    pub id: String,
    /// The store.
    pub store_id: String,
    /// For which client of Klarna's.
    pub client_id: String,
    /// Where Klarna answers.
    pub redirect_uri: String,
    /// Of what Klarna gives back.
    pub state_digest: String,
    /// What the ID token has to say.
    pub nonce: String,
    /// Redeems the code.
    pub verifier: Secret,
    /// Since when.
    pub created_at_ms: i64,
    /// Until when.
    pub expires_at_ms: i64,
}

/// Keeps a sign-in, and forgets those that are over.
pub fn insert_sign_in(tx: &mut Tx<'_>, vault: &Vault, sign_in: &SignIn) -> Result<(), Fault> {
    tx.execute("DELETE FROM sign_ins WHERE expires_at_ms <= $1", &[&sign_in.created_at_ms])?;
    let verifier = vault.seal(place(VERIFIERS, &sign_in.id), &sign_in.verifier)?;
    tx.execute(
        "INSERT INTO sign_ins (id, store_id, status, client_id, redirect_uri, state_digest, nonce,
                               verifier, created_at_ms, expires_at_ms)
         VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9)",
        &[
            &sign_in.id,
            &sign_in.store_id,
            &sign_in.client_id,
            &sign_in.redirect_uri,
            &sign_in.state_digest,
            &sign_in.nonce,
            &verifier,
            &sign_in.created_at_ms,
            &sign_in.expires_at_ms,
        ],
    )?;
    Ok(())
}

/// An open sign-in of a store. Whoever asks holds it until the unit of work ends.
pub fn open_sign_in(
    tx: &mut Tx<'_>,
    vault: &Vault,
    store_id: &str,
    id: &str,
    now_ms: i64,
) -> Result<Option<SignIn>, Fault> {
    let row = tx.query_opt(
        "SELECT client_id, redirect_uri, state_digest, nonce, verifier, created_at_ms, expires_at_ms
         FROM sign_ins
         WHERE id = $1 AND store_id = $2 AND status = 'open' AND expires_at_ms > $3 {for_update}",
        &[&id, &store_id, &now_ms],
    )?;
    let Some(row) = row else { return Ok(None) };
    let verifier: String = row.get(4)?;
    Ok(Some(SignIn {
        id: id.to_owned(),
        store_id: store_id.to_owned(),
        client_id: row.get(0)?,
        redirect_uri: row.get(1)?,
        state_digest: row.get(2)?,
        nonce: row.get(3)?,
        verifier: vault.open(place(VERIFIERS, id), &verifier)?,
        created_at_ms: row.get(5)?,
        expires_at_ms: row.get(6)?,
    }))
}

/// Ends a sign-in: it is answered once, whatever comes of it.
pub fn end_sign_in(tx: &mut Tx<'_>, id: &str) -> Result<(), Fault> {
    tx.execute("UPDATE sign_ins SET status = 'over', verifier = NULL WHERE id = $1", &[&id])?;
    Ok(())
}

/// A shopper who signed in with Klarna.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Our id.
    pub id: String,
    /// The store.
    pub store_id: String,
    /// Grows with each change.
    pub version: i64,
    /// For which client of Klarna's.
    pub client_id: String,
    /// The name that Klarna gives the account.
    pub subject: String,
    /// What the shopper granted.
    pub scope: String,
    /// Whose customer it is.
    pub customer_id: Option<String>,
    /// When they signed in the last time.
    pub signed_in_at_ms: i64,
    /// When they did for the first time.
    pub created_at_ms: i64,
}

/// What Klarna gave for a shopper.
#[derive(Clone)]
pub struct Tokens {
    /// Becomes new tokens, once.
    pub refresh: Option<Secret>,
    /// Makes a payment session the shopper's.
    pub access: Secret,
    /// Until when.
    pub access_until_ms: i64,
}

fn identity(row: &Row) -> Result<Identity, Fault> {
    Ok(Identity {
        id: row.get(0)?,
        store_id: row.get(1)?,
        version: row.get(2)?,
        client_id: row.get(3)?,
        subject: row.get(4)?,
        scope: row.get(5)?,
        customer_id: row.get(6)?,
        signed_in_at_ms: row.get(7)?,
        created_at_ms: row.get(8)?,
    })
}

/// The shopper of that id in that store.
pub fn get_in(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Identity>, Fault> {
    tx.query_opt(
        "SELECT id, store_id, version, client_id, subject, scope, customer_id, signed_in_at_ms,
                created_at_ms
         FROM identities WHERE id = $1 AND store_id = $2",
        &[&id, &store_id],
    )?
    .as_ref()
    .map(identity)
    .transpose()
}

/// Keeps a shopper who signed in: anew under `fresh.id`, or as who they were before.
pub fn signed_in(
    tx: &mut Tx<'_>,
    vault: &Vault,
    fresh: &Identity,
    tokens: &Tokens,
) -> Result<Identity, Fault> {
    tx.execute(
        "INSERT INTO identities (id, store_id, version, client_id, subject, scope, access_until_ms,
                                 refreshing_until_ms, signed_in_at_ms, created_at_ms)
         VALUES ($1, $2, 0, $3, $4, $5, 0, 0, $6, $6)
         ON CONFLICT (store_id, client_id, subject) DO NOTHING",
        &[
            &fresh.id,
            &fresh.store_id,
            &fresh.client_id,
            &fresh.subject,
            &fresh.scope,
            &fresh.signed_in_at_ms,
        ],
    )?;
    let row = tx.query_one(
        "SELECT id, store_id, version, client_id, subject, scope, customer_id, signed_in_at_ms,
                created_at_ms
         FROM identities WHERE store_id = $1 AND client_id = $2 AND subject = $3 {for_update}",
        &[&fresh.store_id, &fresh.client_id, &fresh.subject],
    )?;
    let mut known = identity(&row)?;
    known.version += 1;
    known.scope.clone_from(&fresh.scope);
    known.signed_in_at_ms = fresh.signed_in_at_ms;
    let changed = tx.execute(
        "UPDATE identities SET version = $2, scope = $3, signed_in_at_ms = $4 WHERE id = $1",
        &[&known.id, &known.version, &known.scope, &known.signed_in_at_ms],
    )?;
    expect_one(changed, "identity", &known.id)?;
    keep_tokens(tx, vault, &known.id, tokens)?;
    Ok(known)
}

/// Keeps new tokens in place of the old ones.
pub fn keep_tokens(tx: &mut Tx<'_>, vault: &Vault, id: &str, tokens: &Tokens) -> Result<(), Fault> {
    let refresh =
        tokens.refresh.as_ref().map(|token| vault.seal(place(REFRESH, id), token)).transpose()?;
    let access = vault.seal(place(ACCESS, id), &tokens.access)?;
    tx.execute(
        "UPDATE identities SET refresh_token = $2, access_token = $3, access_until_ms = $4,
                               refreshing_until_ms = 0
         WHERE id = $1",
        &[&id, &refresh, &access, &tokens.access_until_ms],
    )?;
    Ok(())
}

/// What a shopper's token is good for at this moment.
#[derive(Clone)]
pub enum Held {
    /// The access token still is.
    Access(Secret),
    /// A new one is to be had for this refresh token, which nobody else shows meanwhile.
    Refresh(Secret),
    /// Somebody else is asking for a new one, or there is nothing to ask with.
    Nothing,
}

/// Looks for a shopper's tokens, and keeps others from asking at the same time: a refresh token that is shown twice
/// ends all of them.
pub fn hold(
    tx: &mut Tx<'_>,
    vault: &Vault,
    id: &str,
    now_ms: i64,
    until_ms: i64,
) -> Result<Held, Fault> {
    let row = tx.query_opt(
        "SELECT refresh_token, access_token, access_until_ms, refreshing_until_ms FROM identities
         WHERE id = $1 {for_update}",
        &[&id],
    )?;
    let Some(row) = row else { return Ok(Held::Nothing) };
    let (refresh, access): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
    let (access_until_ms, refreshing_until_ms): (i64, i64) = (row.get(2)?, row.get(3)?);
    if let Some(access) = access
        && access_until_ms > now_ms
    {
        return Ok(Held::Access(vault.open(place(ACCESS, id), &access)?));
    }
    let Some(refresh) = refresh.filter(|_| refreshing_until_ms <= now_ms) else {
        return Ok(Held::Nothing);
    };
    tx.execute("UPDATE identities SET refreshing_until_ms = $2 WHERE id = $1", &[&id, &until_ms])?;
    Ok(Held::Refresh(vault.open(place(REFRESH, id), &refresh)?))
}

/// Lets others ask again; without tokens when Klarna said that they are over.
pub fn release(tx: &mut Tx<'_>, id: &str, over: bool) -> Result<(), Fault> {
    let statement = if over {
        "UPDATE identities SET refreshing_until_ms = 0, refresh_token = NULL, access_token = NULL
         WHERE id = $1"
    } else {
        "UPDATE identities SET refreshing_until_ms = 0 WHERE id = $1"
    };
    tx.execute(statement, &[&id])?;
    Ok(())
}

/// The refresh token of a shopper who is to be forgotten.
pub fn refresh_token(tx: &mut Tx<'_>, vault: &Vault, id: &str) -> Result<Option<Secret>, Fault> {
    let row = tx.query_opt("SELECT refresh_token FROM identities WHERE id = $1", &[&id])?;
    let Some(row) = row else { return Ok(None) };
    let sealed: Option<String> = row.get(0)?;
    Ok(sealed.map(|sealed| vault.open(place(REFRESH, id), &sealed)).transpose()?)
}

/// Makes a shopper a customer's. `false` when they are another's.
pub fn link(tx: &mut Tx<'_>, id: &str, customer_id: &str) -> Result<bool, Fault> {
    let changed = tx.execute(
        "UPDATE identities SET customer_id = $2, version = version + 1
         WHERE id = $1 AND (customer_id IS NULL OR customer_id = $2)",
        &[&id, &customer_id],
    )?;
    Ok(changed == 1)
}

/// Forgets a shopper.
pub fn delete(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<bool, Fault> {
    let gone =
        tx.execute("DELETE FROM identities WHERE id = $1 AND store_id = $2", &[&id, &store_id])?;
    Ok(gone == 1)
}

/// Forgets the shoppers that are a customer's. Whether there were any.
pub fn forget_customer(tx: &mut Tx<'_>, customer_id: &str) -> Result<bool, Fault> {
    let gone = tx.execute("DELETE FROM identities WHERE customer_id = $1", &[&customer_id])?;
    Ok(gone > 0)
}
