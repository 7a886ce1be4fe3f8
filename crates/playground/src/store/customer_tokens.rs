//! Customer tokens, their history, the call that made each of them, and the refused charges that may be
//! recovered.

use klarna_types::{AuthorizationToken, CustomerTokenId, MerchantId, OrderId, SessionId};
use serde::Serialize;
use storage::{Migration, Row, Tx};

use crate::domain::authorization::Tokenized;
use crate::domain::customer_token::CustomerToken;
use crate::domain::customer_token::state::KEPT_AFTER_CANCELLING_MS;
use crate::domain::customer_token::step_up::{KEPT_MS, StepUp, Use};
use crate::store::{StoreError, from_document, to_document};

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

/// What charging needs: a history that says what was done, recoveries, an end for what is cancelled, and
/// the requests that idempotent answers were given to.
pub(crate) const CHARGES: Migration = Migration {
    version: 71,
    name: "charges of customer tokens",
    sql: "ALTER TABLE customer_tokens ADD COLUMN cancelled_at_ms BIGINT;
          CREATE INDEX customer_tokens_cancelled ON customer_tokens (cancelled_at_ms)
            WHERE cancelled_at_ms IS NOT NULL;
          ALTER TABLE customer_token_events ADD COLUMN order_id TEXT;
          ALTER TABLE customer_token_events ADD COLUMN detail TEXT;
          CREATE INDEX customer_token_events_by_order ON customer_token_events (order_id)
            WHERE order_id IS NOT NULL;
          CREATE TABLE customer_token_step_ups (
            step_up_id TEXT PRIMARY KEY,
            token_id TEXT NOT NULL,
            merchant_id TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            used_at_ms BIGINT
          );
          CREATE INDEX customer_token_step_ups_by_time ON customer_token_step_ups (created_at_ms);
          ALTER TABLE idempotent_answers ADD COLUMN request TEXT",
};

/// What happened to a token; kept in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Klarna stopped it.
    Suspended,
    /// Klarna let it be charged again.
    Activated,
    /// The merchant cancelled it.
    CancelledByMerchant,
    /// Klarna cancelled it.
    CancelledByKlarna,
    /// A test planned that charges fail, or took that back.
    FailuresPlanned,
    /// It was charged.
    Charged {
        /// The order that was made.
        order_id: OrderId,
        /// Where the browser goes on, if the charge said so.
        confirmation: Option<String>,
    },
    /// A charge was refused.
    Refused {
        /// With this code.
        code: &'static str,
    },
    /// The method behind it was replaced.
    Recovered {
        /// By this order.
        order_id: OrderId,
    },
}

impl Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Activated => "activated",
            Self::CancelledByMerchant => "cancelled_by_merchant",
            Self::CancelledByKlarna => "cancelled_by_klarna",
            Self::FailuresPlanned => "failures_planned",
            Self::Charged { .. } => "charged",
            Self::Refused { .. } => "refused",
            Self::Recovered { .. } => "recovered",
        }
    }

    fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Charged { order_id, .. } => Some(order_id),
            _ => None,
        }
    }

    fn detail(&self) -> Option<&str> {
        match self {
            Self::Charged { confirmation, .. } => confirmation.as_deref(),
            Self::Refused { code } => Some(code),
            Self::Recovered { order_id } => Some(order_id.as_str()),
            _ => None,
        }
    }
}

/// A token with how often it has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// The token.
    pub(crate) token: CustomerToken,
    version: i64,
}

fn loaded(row: &Row) -> Result<Loaded, StoreError> {
    let token = from_document("customer token", row.get(1)?)?;
    Ok(Loaded { token, version: row.get(0)? })
}

/// A token, whoever's it is.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    token_id: &CustomerTokenId,
) -> Result<Option<CustomerToken>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document FROM customer_tokens WHERE token_id = $1",
        &[&token_id.as_str()],
    )?;
    row.map(|row| Ok(loaded(&row)?.token)).transpose()
}

/// A token of this merchant.
pub(crate) fn find_of(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    token_id: &CustomerTokenId,
) -> Result<Option<CustomerToken>, StoreError> {
    Ok(find(tx, token_id)?.filter(|token| token.merchant_id == *merchant_id))
}

/// A token, whoever's it is, to be changed. Its row is locked until the unit of work ends.
pub(crate) fn load(
    tx: &mut Tx<'_>,
    token_id: &CustomerTokenId,
) -> Result<Option<Loaded>, StoreError> {
    let row = tx.query_opt(
        "SELECT version, document FROM customer_tokens WHERE token_id = $1 {for_update}",
        &[&token_id.as_str()],
    )?;
    row.as_ref().map(loaded).transpose()
}

/// Writes what has become of a token, and its history. Every charge writes: of two at the same time, the
/// later one thereby sees the earlier.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    loaded: &Loaded,
    event: &Event,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Loaded { token, version } = loaded;
    let version = version + 1;
    let document = to_document("customer token", token)?;
    tx.execute(
        "UPDATE customer_tokens SET status = $2, version = $3, document = $4, cancelled_at_ms = $5
         WHERE token_id = $1",
        &[
            &token.token_id.as_str(),
            &token.status.as_str(),
            &version,
            &document,
            &token.cancelled_at_ms,
        ],
    )?;
    tx.execute(
        "INSERT INTO customer_token_events (token_id, version, at_ms, event, order_id, detail)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &token.token_id.as_str(),
            &version,
            &now_ms,
            &event.kind(),
            &event.order_id().map(OrderId::as_str),
            &event.detail(),
        ],
    )?;
    Ok(())
}

/// One entry of a token's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When.
    pub(crate) at_ms: i64,
    /// What.
    pub(crate) event: String,
    /// The order that a charge made.
    pub(crate) order_id: Option<String>,
    /// The code of a refusal.
    pub(crate) detail: Option<String>,
}

/// The newest entries of a token's history, newest first.
pub(crate) fn history(
    tx: &mut Tx<'_>,
    token_id: &CustomerTokenId,
    limit: i64,
) -> Result<Vec<Entry>, storage::Error> {
    let rows = tx.query(
        "SELECT at_ms, event, order_id, detail FROM customer_token_events WHERE token_id = $1
         ORDER BY version DESC LIMIT $2",
        &[&token_id.as_str(), &limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                at_ms: row.get(0)?,
                event: row.get(1)?,
                order_id: row.get(2)?,
                detail: row.get(3)?,
            })
        })
        .collect()
}

/// Where the browser goes on after the charge that made this order.
pub(crate) fn confirmation_of(
    tx: &mut Tx<'_>,
    order_id: &str,
) -> Result<Option<String>, storage::Error> {
    let row = tx.query_opt(
        "SELECT detail FROM customer_token_events WHERE order_id = $1 LIMIT 1",
        &[&order_id],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?.flatten())
}

/// Adds a refused charge that may be recovered.
pub(crate) fn insert_step_up(tx: &mut Tx<'_>, step_up: &StepUp) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO customer_token_step_ups (step_up_id, token_id, merchant_id, created_at_ms)
         VALUES ($1, $2, $3, $4)",
        &[
            &step_up.id,
            &step_up.token_id.as_str(),
            &step_up.merchant_id.as_str(),
            &step_up.created_at_ms,
        ],
    )?;
    Ok(())
}

/// A refused charge of this merchant.
pub(crate) fn find_step_up(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    step_up_id: &str,
) -> Result<Option<StepUp>, storage::Error> {
    let row = tx.query_opt(
        "SELECT step_up_id, token_id, merchant_id, created_at_ms, used_at_ms
         FROM customer_token_step_ups WHERE step_up_id = $1 AND merchant_id = $2",
        &[&step_up_id, &merchant_id.as_str()],
    )?;
    row.map(|row| {
        let used_at_ms: Option<i64> = row.get(4)?;
        Ok(StepUp {
            id: row.get(0)?,
            token_id: CustomerTokenId::new(row.get::<String>(1)?),
            merchant_id: MerchantId::new(row.get::<String>(2)?),
            created_at_ms: row.get(3)?,
            use_: if used_at_ms.is_some() { Use::Used } else { Use::Unused },
        })
    })
    .transpose()
}

/// Marks a refused charge as recovered; answers whether it was not yet.
pub(crate) fn use_step_up(
    tx: &mut Tx<'_>,
    step_up_id: &str,
    now_ms: i64,
) -> Result<Use, storage::Error> {
    let written = tx.execute(
        "UPDATE customer_token_step_ups SET used_at_ms = $2
         WHERE step_up_id = $1 AND used_at_ms IS NULL",
        &[&step_up_id, &now_ms],
    )?;
    Ok(if written == 1 { Use::Unused } else { Use::Used })
}

/// Some of the tokens that were cancelled so long ago that nobody can read them any more.
pub(crate) fn cancelled_long_ago(
    tx: &mut Tx<'_>,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<String>, storage::Error> {
    let until_ms = now_ms.saturating_sub(KEPT_AFTER_CANCELLING_MS);
    let rows = tx.query(
        "SELECT token_id FROM customer_tokens WHERE cancelled_at_ms <= $1 LIMIT $2",
        &[&until_ms, &limit],
    )?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Forgets a token and its history.
pub(crate) fn forget(tx: &mut Tx<'_>, token_id: &str) -> Result<(), storage::Error> {
    for statement in [
        "DELETE FROM customer_token_step_ups WHERE token_id = $1",
        "DELETE FROM customer_token_events WHERE token_id = $1",
        "DELETE FROM customer_tokens WHERE token_id = $1",
    ] {
        tx.execute(statement, &[&token_id])?;
    }
    Ok(())
}

/// Some of the refused charges that can no longer be recovered.
pub(crate) fn old_step_ups(
    tx: &mut Tx<'_>,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<String>, storage::Error> {
    let rows = tx.query(
        "SELECT step_up_id FROM customer_token_step_ups WHERE created_at_ms <= $1 LIMIT $2",
        &[&now_ms.saturating_sub(KEPT_MS), &limit],
    )?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Forgets a refused charge.
pub(crate) fn forget_step_up(tx: &mut Tx<'_>, step_up_id: &str) -> Result<(), storage::Error> {
    tx.execute("DELETE FROM customer_token_step_ups WHERE step_up_id = $1", &[&step_up_id])?;
    Ok(())
}

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
