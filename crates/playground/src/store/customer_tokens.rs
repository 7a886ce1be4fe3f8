//! Customer tokens, their history, and the call that made each of them.

use klarna_types::{AuthorizationToken, SessionId};
use storage::{Migration, Tx};

use crate::domain::authorization::Tokenized;
use crate::domain::customer_token::CustomerToken;
use crate::store::{StoreError, to_document};

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 40,
    name: "customer tokens",
    sql: "CREATE TABLE customer_tokens (
            token_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            authorization_token TEXT NOT NULL,
            session_id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL,
            document TEXT NOT NULL,
            request TEXT NOT NULL,
            answer TEXT NOT NULL
          );
          CREATE UNIQUE INDEX customer_tokens_by_authorization
            ON customer_tokens (authorization_token);
          CREATE INDEX customer_tokens_by_session ON customer_tokens (session_id);
          CREATE INDEX customer_tokens_by_merchant ON customer_tokens (merchant_id, created_at_ms);
          CREATE TABLE customer_token_events (
            token_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (token_id, version)
          )",
};

/// Adds a token with the call that made it, and begins its history.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    token: &CustomerToken,
    authorization: &AuthorizationToken,
    made: &Tokenized,
) -> Result<(), StoreError> {
    let document = to_document("customer token", token)?;
    tx.execute(
        "INSERT INTO customer_tokens
           (token_id, merchant_id, authorization_token, session_id, status, created_at_ms, version,
            document, request, answer)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9)",
        &[
            &token.token_id.as_str(),
            &token.merchant_id.as_str(),
            &authorization.expose(),
            &token.session_id.as_str(),
            &token.status.as_str(),
            &token.created_at_ms,
            &document,
            &made.request,
            &made.answer,
        ],
    )?;
    tx.execute(
        "INSERT INTO customer_token_events (token_id, version, at_ms, event)
         VALUES ($1, 1, $2, 'created')",
        &[&token.token_id.as_str(), &token.created_at_ms],
    )?;
    Ok(())
}

/// The call that made a token from this authorization, if one did.
pub(crate) fn made_from(
    tx: &mut Tx<'_>,
    authorization: &AuthorizationToken,
) -> Result<Option<Tokenized>, storage::Error> {
    let row = tx.query_opt(
        "SELECT created_at_ms, request, answer FROM customer_tokens
         WHERE authorization_token = $1",
        &[&authorization.expose()],
    )?;
    row.map(|row| Ok(Tokenized { at_ms: row.get(0)?, request: row.get(1)?, answer: row.get(2)? }))
        .transpose()
}

/// Whether a token was made in a session.
pub(crate) fn any_in(tx: &mut Tx<'_>, session_id: &SessionId) -> Result<bool, storage::Error> {
    let row = tx.query_opt(
        "SELECT 1 FROM customer_tokens WHERE session_id = $1 LIMIT 1",
        &[&session_id.as_str()],
    )?;
    Ok(row.is_some())
}
