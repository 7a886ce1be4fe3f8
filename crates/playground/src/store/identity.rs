//! Sign in with Klarna: signing keys, who is signed in, sign-ins under way, what was agreed to, grants, and the
//! digests of the codes and tokens that stand for them. No code or token is kept itself.

use storage::{Migration, Row, Tx};

use crate::domain::identity::account::Account;
use crate::domain::identity::grant::{Code, Grant, Token, TokenKind};
use crate::domain::identity::interaction::Interaction;
use crate::domain::identity::rsa::RsaKey;
use crate::domain::identity::scope::{Scopes, Share};
use crate::store::{StoreError, from_document, to_document};

/// Its tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 120,
    name: "identity",
    sql: "CREATE TABLE identity_keys (
            kid TEXT PRIMARY KEY,
            created_at_ms BIGINT NOT NULL,
            signs_from_ms BIGINT,
            retired_at_ms BIGINT,
            document TEXT NOT NULL
          );
          CREATE TABLE identity_sessions (
            session_hash TEXT PRIMARY KEY,
            session_id TEXT NOT NULL,
            signed_in_ms BIGINT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            account TEXT NOT NULL
          );
          CREATE INDEX identity_sessions_by_age ON identity_sessions (expires_at_ms);
          CREATE INDEX identity_sessions_by_id ON identity_sessions (session_id);
          CREATE TABLE identity_interactions (
            interaction_id TEXT PRIMARY KEY,
            browser_hash TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE INDEX identity_interactions_by_age ON identity_interactions (expires_at_ms);
          CREATE TABLE identity_consents (
            subject TEXT NOT NULL,
            client_id TEXT NOT NULL,
            agreed TEXT NOT NULL,
            kept TEXT NOT NULL,
            PRIMARY KEY (subject, client_id)
          );
          CREATE TABLE identity_grants (
            grant_id TEXT PRIMARY KEY,
            subject TEXT NOT NULL,
            client_id TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE INDEX identity_grants_by_age ON identity_grants (expires_at_ms);
          CREATE INDEX identity_grants_by_subject ON identity_grants (subject, client_id);
          CREATE TABLE identity_codes (
            code_hash TEXT PRIMARY KEY,
            grant_id TEXT NOT NULL,
            document TEXT NOT NULL
          );
          CREATE INDEX identity_codes_by_grant ON identity_codes (grant_id);
          CREATE TABLE identity_tokens (
            token_hash TEXT PRIMARY KEY,
            grant_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            scopes TEXT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            used BIGINT NOT NULL
          );
          CREATE INDEX identity_tokens_by_grant ON identity_tokens (grant_id);
          CREATE INDEX identity_tokens_by_age ON identity_tokens (expires_at_ms)",
};

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    /// Names it in tokens.
    pub(crate) kid: String,
    /// Since when it signs; it is the next one before.
    pub(crate) signs_from_ms: Option<i64>,
    /// Since when it does not sign any more.
    pub(crate) retired_at_ms: Option<i64>,
    /// The key itself.
    pub(crate) key: RsaKey,
}

/// All keys, the oldest first.
pub(crate) fn keys(tx: &mut Tx<'_>) -> Result<Vec<StoredKey>, StoreError> {
    let rows = tx.query(
        "SELECT kid, signs_from_ms, retired_at_ms, document FROM identity_keys
         ORDER BY created_at_ms, kid",
        &[],
    )?;
    let key = |row: &Row| {
        Ok(StoredKey {
            kid: row.get(0)?,
            signs_from_ms: row.get(1)?,
            retired_at_ms: row.get(2)?,
            key: from_document("signing key", row.get(3)?)?,
        })
    };
    rows.iter().map(key).collect()
}

/// Adds a key.
pub(crate) fn insert_key(tx: &mut Tx<'_>, key: &StoredKey, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_keys (kid, created_at_ms, signs_from_ms, retired_at_ms, document)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &key.kid,
            &now_ms,
            &key.signs_from_ms,
            &key.retired_at_ms,
            &to_document("signing key", &key.key)?,
        ],
    )?;
    Ok(())
}

/// The key that waited signs from now on; whichever signed does not any more.
pub(crate) fn put_in_charge(tx: &mut Tx<'_>, kid: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE identity_keys SET retired_at_ms = $1
         WHERE signs_from_ms IS NOT NULL AND retired_at_ms IS NULL",
        &[&now_ms],
    )?;
    tx.execute("UPDATE identity_keys SET signs_from_ms = $2 WHERE kid = $1", &[&kid, &now_ms])?;
    Ok(())
}

/// Forgets keys that retired before an instant.
pub(crate) fn forget_keys(tx: &mut Tx<'_>, until_ms: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity_keys WHERE retired_at_ms <= $1", &[&until_ms])?;
    Ok(())
}

/// Somebody who is signed in, in one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "an id says of what it is")]
pub(crate) struct Session {
    /// Names it in ID tokens.
    pub(crate) session_id: String,
    /// Since when.
    pub(crate) signed_in_ms: i64,
    /// Until when.
    pub(crate) expires_at_ms: i64,
    /// Who.
    pub(crate) account: Account,
}

/// Signs somebody in.
pub(crate) fn insert_session(
    tx: &mut Tx<'_>,
    hash: &str,
    session: &Session,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_sessions (session_hash, session_id, signed_in_ms, expires_at_ms, account)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &hash,
            &session.session_id,
            &session.signed_in_ms,
            &session.expires_at_ms,
            &to_document("account", &session.account)?,
        ],
    )?;
    Ok(())
}

/// Who is signed in.
pub(crate) fn session(
    tx: &mut Tx<'_>,
    hash: &str,
    now_ms: i64,
) -> Result<Option<Session>, StoreError> {
    let row = tx.query_opt(
        "SELECT session_id, signed_in_ms, expires_at_ms, account FROM identity_sessions
         WHERE session_hash = $1 AND expires_at_ms > $2",
        &[&hash, &now_ms],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Session {
        session_id: row.get(0)?,
        signed_in_ms: row.get(1)?,
        expires_at_ms: row.get(2)?,
        account: from_document("account", row.get(3)?)?,
    }))
}

/// Signs out whoever holds this secret.
pub(crate) fn end_session(tx: &mut Tx<'_>, hash: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity_sessions WHERE session_hash = $1", &[&hash])?;
    Ok(())
}

/// Adds a sign-in, and forgets what is over.
pub(crate) fn insert_interaction(
    tx: &mut Tx<'_>,
    id: &str,
    browser_hash: &str,
    interaction: &Interaction,
    expires_at_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    forget(tx, now_ms)?;
    tx.execute(
        "INSERT INTO identity_interactions (interaction_id, browser_hash, expires_at_ms, document)
         VALUES ($1, $2, $3, $4)",
        &[&id, &browser_hash, &expires_at_ms, &to_document("sign-in", interaction)?],
    )?;
    Ok(())
}

/// A sign-in of this browser. What another browser began does not exist for it.
pub(crate) fn interaction(
    tx: &mut Tx<'_>,
    id: &str,
    browser_hash: &str,
    now_ms: i64,
) -> Result<Option<Interaction>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM identity_interactions
         WHERE interaction_id = $1 AND browser_hash = $2 AND expires_at_ms > $3",
        &[&id, &browser_hash, &now_ms],
    )?;
    row.map(|row| from_document("sign-in", row.get(0)?)).transpose()
}

/// Writes a sign-in that has gone on.
pub(crate) fn update_interaction(
    tx: &mut Tx<'_>,
    id: &str,
    interaction: &Interaction,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE identity_interactions SET document = $2 WHERE interaction_id = $1",
        &[&id, &to_document("sign-in", interaction)?],
    )?;
    Ok(())
}

/// What a shopper has agreed to before: the scopes that they were asked for, and what they keep.
pub(crate) fn consent(
    tx: &mut Tx<'_>,
    subject: &str,
    client_id: &str,
) -> Result<Option<(Scopes, Vec<Share>)>, StoreError> {
    let row = tx.query_opt(
        "SELECT agreed, kept FROM identity_consents WHERE subject = $1 AND client_id = $2",
        &[&subject, &client_id],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((from_document("consent", row.get(0)?)?, from_document("consent", row.get(1)?)?)))
}

/// Keeps what a shopper agreed to.
pub(crate) fn put_consent(
    tx: &mut Tx<'_>,
    subject: &str,
    client_id: &str,
    agreed: &Scopes,
    kept: &[Share],
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_consents (subject, client_id, agreed, kept) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject, client_id)
         DO UPDATE SET agreed = excluded.agreed, kept = excluded.kept",
        &[&subject, &client_id, &to_document("consent", agreed)?, &to_document("consent", &kept)?],
    )?;
    Ok(())
}

/// Takes back what a shopper agreed to, with everything that was granted.
pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    subject: &str,
    client_id: &str,
) -> Result<bool, StoreError> {
    let grants = tx.query(
        "SELECT grant_id FROM identity_grants WHERE subject = $1 AND client_id = $2",
        &[&subject, &client_id],
    )?;
    for row in &grants {
        end_grant(tx, row.get(0)?)?;
    }
    let gone = tx.execute(
        "DELETE FROM identity_consents WHERE subject = $1 AND client_id = $2",
        &[&subject, &client_id],
    )?;
    Ok(gone > 0)
}

/// Adds a grant.
pub(crate) fn insert_grant(
    tx: &mut Tx<'_>,
    grant: &Grant,
    expires_at_ms: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_grants (grant_id, subject, client_id, expires_at_ms, document)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &grant.grant_id,
            &grant.account.subject,
            &grant.client_id,
            &expires_at_ms,
            &to_document("grant", grant)?,
        ],
    )?;
    Ok(())
}

/// A grant.
pub(crate) fn grant(tx: &mut Tx<'_>, grant_id: &str) -> Result<Option<Grant>, StoreError> {
    let row =
        tx.query_opt("SELECT document FROM identity_grants WHERE grant_id = $1", &[&grant_id])?;
    row.map(|row| from_document("grant", row.get(0)?)).transpose()
}

/// Ends a grant: none of its codes and tokens is known any more.
pub(crate) fn end_grant(tx: &mut Tx<'_>, grant_id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity_tokens WHERE grant_id = $1", &[&grant_id])?;
    tx.execute("DELETE FROM identity_codes WHERE grant_id = $1", &[&grant_id])?;
    tx.execute("DELETE FROM identity_grants WHERE grant_id = $1", &[&grant_id])?;
    Ok(())
}

/// Adds a code.
pub(crate) fn insert_code(tx: &mut Tx<'_>, hash: &str, code: &Code) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_codes (code_hash, grant_id, document) VALUES ($1, $2, $3)",
        &[&hash, &code.grant_id, &to_document("code", code)?],
    )?;
    Ok(())
}

/// A code. Whoever asks holds it until the unit of work ends.
pub(crate) fn code(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Code>, StoreError> {
    let row = tx.query_opt(
        "SELECT document FROM identity_codes WHERE code_hash = $1 {for_update}",
        &[&hash],
    )?;
    row.map(|row| from_document("code", row.get(0)?)).transpose()
}

/// Writes a code that was redeemed.
pub(crate) fn update_code(tx: &mut Tx<'_>, hash: &str, code: &Code) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE identity_codes SET document = $2 WHERE code_hash = $1",
        &[&hash, &to_document("code", code)?],
    )?;
    Ok(())
}

/// Adds a token; its grant lasts at least as long.
pub(crate) fn insert_token(tx: &mut Tx<'_>, hash: &str, token: &Token) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO identity_tokens (token_hash, grant_id, kind, scopes, expires_at_ms, used)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &hash,
            &token.grant_id,
            &token.kind.as_str(),
            &to_document("token", &token.scopes)?,
            &token.expires_at_ms,
            &token.used,
        ],
    )?;
    tx.execute(
        "UPDATE identity_grants SET expires_at_ms = $2
         WHERE grant_id = $1 AND expires_at_ms < $2",
        &[&token.grant_id, &token.expires_at_ms],
    )?;
    Ok(())
}

/// A token. Whoever asks holds it until the unit of work ends.
pub(crate) fn token(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Token>, StoreError> {
    let row = tx.query_opt(
        "SELECT kind, grant_id, scopes, expires_at_ms, used FROM identity_tokens
         WHERE token_hash = $1 {for_update}",
        &[&hash],
    )?;
    row.as_ref().map(read_token).transpose()
}

/// The same to be looked at only, with its grant.
pub(crate) fn peek_token(
    tx: &mut Tx<'_>,
    hash: &str,
) -> Result<Option<(Token, Grant)>, StoreError> {
    let row = tx.query_opt(
        "SELECT kind, grant_id, scopes, expires_at_ms, used FROM identity_tokens
         WHERE token_hash = $1",
        &[&hash],
    )?;
    let Some(token) = row.as_ref().map(read_token).transpose()? else { return Ok(None) };
    Ok(grant(tx, &token.grant_id)?.map(|grant| (token, grant)))
}

fn read_token(row: &Row) -> Result<Token, StoreError> {
    let kind: &str = row.get(0)?;
    let is_refresh = kind == TokenKind::Refresh.as_str();
    Ok(Token {
        kind: if is_refresh { TokenKind::Refresh } else { TokenKind::Access },
        grant_id: row.get(1)?,
        scopes: from_document("token", row.get(2)?)?,
        expires_at_ms: row.get(3)?,
        used: row.get(4)?,
    })
}

/// Marks a refresh token as used.
pub(crate) fn use_token(tx: &mut Tx<'_>, hash: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE identity_tokens SET used = 1 WHERE token_hash = $1", &[&hash])?;
    Ok(())
}

/// Ends one token.
pub(crate) fn end_token(tx: &mut Tx<'_>, hash: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity_tokens WHERE token_hash = $1", &[&hash])?;
    Ok(())
}

/// Forgets what is over. Codes go with their grants, so that one that is shown again is noticed.
fn forget(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM identity_interactions WHERE expires_at_ms <= $1",
        "DELETE FROM identity_sessions WHERE expires_at_ms <= $1",
        "DELETE FROM identity_tokens WHERE expires_at_ms <= $1",
        "DELETE FROM identity_codes WHERE grant_id IN
           (SELECT grant_id FROM identity_grants WHERE expires_at_ms <= $1)",
        "DELETE FROM identity_grants WHERE expires_at_ms <= $1",
    ] {
        tx.execute(statement, &[&now_ms])?;
    }
    Ok(())
}
