//! Payment sessions and the authorizations of shoppers.

use klarna_types::{AuthorizationToken, MerchantId, OrderId, SessionId};
use storage::{Migration, Row, Tx};

use crate::domain::authorization::{Authorization, Placed, TokenState};
use crate::domain::session::{Session, Status};
use crate::store::{StoreError, from_document, to_document};

/// Their tables.
pub(crate) const MIGRATION: Migration = Migration {
    version: 11,
    name: "sessions",
    sql: "CREATE TABLE sessions (
            session_id TEXT PRIMARY KEY,
            merchant_id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            expires_at_ms BIGINT NOT NULL,
            version BIGINT NOT NULL,
            authorization_token TEXT,
            to_finalize TEXT,
            body TEXT NOT NULL
          );
          CREATE TABLE session_events (
            session_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            at_ms BIGINT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (session_id, version)
          );
          CREATE TABLE authorizations (
            authorization_token TEXT PRIMARY KEY,
            session_id TEXT NOT NULL,
            merchant_id TEXT NOT NULL,
            state TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            ended_at_ms BIGINT,
            approval TEXT NOT NULL,
            order_id TEXT,
            request TEXT,
            answer TEXT,
            version BIGINT NOT NULL
          );
          CREATE INDEX authorizations_by_session ON authorizations (session_id, state)",
};

/// What happened to a session; kept in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The merchant updated it.
    Updated,
    /// The browser sent data.
    Loaded,
    /// The shopper was approved.
    Authorized,
    /// The shopper was approved, up to `finalize`.
    AwaitsFinalize,
    /// The merchant cancelled the authorization.
    AuthorizationCancelled,
    /// A customer token was made.
    Tokenized,
    /// An order was made.
    Completed,
    /// The merchant or the shopper called it off.
    Cancelled,
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Loaded => "loaded",
            Self::Authorized => "authorized",
            Self::AwaitsFinalize => "awaits_finalize",
            Self::AuthorizationCancelled => "authorization_cancelled",
            Self::Tokenized => "tokenized",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

const SESSION: &str = "session";

/// Adds a new session; `body` is its data as a document. Its row is the first entry of its history.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    session_id: &str,
    merchant_id: &str,
    created_at_ms: i64,
    expires_at_ms: i64,
    body: &str,
) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO sessions
           (session_id, merchant_id, status, created_at_ms, expires_at_ms, version, body)
         VALUES ($1, $2, 'incomplete', $3, $4, 1, $5)",
        &[&session_id, &merchant_id, &created_at_ms, &expires_at_ms, &body],
    )?;
    Ok(())
}

/// A session by its id, whoever's it is.
pub(crate) fn find(tx: &mut Tx<'_>, session_id: &SessionId) -> Result<Option<Session>, StoreError> {
    let row = tx.query_opt(
        "SELECT session_id, merchant_id, status, created_at_ms, expires_at_ms, version,
                authorization_token, to_finalize, body
         FROM sessions WHERE session_id = $1",
        &[&session_id.as_str()],
    )?;
    row.as_ref().map(session).transpose()
}

/// A session of this merchant.
pub(crate) fn find_of(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    session_id: &SessionId,
) -> Result<Option<Session>, StoreError> {
    Ok(find(tx, session_id)?.filter(|session| session.merchant_id == *merchant_id))
}

/// Writes a changed session, whose version has grown by one, and its history.
pub(crate) fn update(
    tx: &mut Tx<'_>,
    session: &Session,
    event: Event,
    now_ms: i64,
) -> Result<(), StoreError> {
    let body = to_document(SESSION, &session.body)?;
    let to_finalize =
        session.to_finalize.as_ref().map(|approval| to_document(SESSION, approval)).transpose()?;
    tx.execute(
        "UPDATE sessions SET status = $2, expires_at_ms = $3, version = $4,
                authorization_token = $5, to_finalize = $6, body = $7
         WHERE session_id = $1",
        &[
            &session.session_id.as_str(),
            &session.status.as_str(),
            &session.expires_at_ms,
            &session.version,
            &session.authorization_token.as_ref().map(AuthorizationToken::expose),
            &to_finalize,
            &body,
        ],
    )?;
    tx.execute(
        "INSERT INTO session_events (session_id, version, at_ms, event) VALUES ($1, $2, $3, $4)",
        &[&session.session_id.as_str(), &session.version, &now_ms, &event.as_str()],
    )?;
    Ok(())
}

fn session(row: &Row) -> Result<Session, StoreError> {
    let session_id: String = row.get(0)?;
    let merchant_id: String = row.get(1)?;
    let status: &str = row.get(2)?;
    let token: Option<String> = row.get(6)?;
    let to_finalize: Option<&str> = row.get(7)?;
    let body: &str = row.get(8)?;
    Ok(Session {
        session_id: SessionId::new(session_id),
        merchant_id: MerchantId::new(merchant_id),
        status: Status::parse(status).unwrap_or(Status::Complete),
        created_at_ms: row.get(3)?,
        expires_at_ms: row.get(4)?,
        version: row.get(5)?,
        authorization_token: token.map(AuthorizationToken::from),
        to_finalize: to_finalize.map(|text| from_document(SESSION, text)).transpose()?,
        body: from_document(SESSION, body)?,
    })
}

/// Adds an authorization; the session's earlier ones stop being active.
pub(crate) fn insert_authorization(
    tx: &mut Tx<'_>,
    authorization: &Authorization,
) -> Result<(), StoreError> {
    supersede(tx, &authorization.session_id, authorization.created_at_ms)?;
    let approval = to_document("authorization", &authorization.approval)?;
    tx.execute(
        "INSERT INTO authorizations
           (authorization_token, session_id, merchant_id, state, created_at_ms, approval, version)
         VALUES ($1, $2, $3, $4, $5, $6, 1)",
        &[
            &authorization.token.expose(),
            &authorization.session_id.as_str(),
            &authorization.merchant_id.as_str(),
            &authorization.state.as_str(),
            &authorization.created_at_ms,
            &approval,
        ],
    )?;
    Ok(())
}

/// Makes the active authorization of a session, if any, a superseded one.
pub(crate) fn supersede(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
    now_ms: i64,
) -> Result<(), storage::Error> {
    tx.execute(
        "UPDATE authorizations SET state = 'superseded', ended_at_ms = $2, version = version + 1
         WHERE session_id = $1 AND state = 'active'",
        &[&session_id.as_str(), &now_ms],
    )?;
    Ok(())
}

/// An authorization of this merchant. Its row is locked until the unit of work ends.
pub(crate) fn find_authorization(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    token: &str,
) -> Result<Option<Authorization>, StoreError> {
    let row = tx.query_opt(
        "SELECT session_id, merchant_id, state, created_at_ms, ended_at_ms, approval, order_id,
                request, answer
         FROM authorizations WHERE authorization_token = $1 AND merchant_id = $2 {for_update}",
        &[&token, &merchant_id.as_str()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let session_id: String = row.get(0)?;
    let state: &str = row.get(2)?;
    let approval: &str = row.get(5)?;
    let order_id: Option<String> = row.get(6)?;
    let placed = match order_id {
        None => None,
        Some(order_id) => Some(Placed {
            order_id: OrderId::new(order_id),
            request: row.get(7)?,
            answer: row.get(8)?,
        }),
    };
    Ok(Some(Authorization {
        token: AuthorizationToken::from(token),
        session_id: SessionId::new(session_id),
        merchant_id: merchant_id.clone(),
        state: TokenState::parse(state).unwrap_or(TokenState::Consumed),
        created_at_ms: row.get(3)?,
        ended_at_ms: row.get(4)?,
        approval: from_document("authorization", approval)?,
        placed,
    }))
}

/// Ends an authorization: its state, and the order if one was made.
pub(crate) fn end_authorization(
    tx: &mut Tx<'_>,
    token: &AuthorizationToken,
    state: TokenState,
    placed: Option<&Placed>,
    now_ms: i64,
) -> Result<(), storage::Error> {
    tx.execute(
        "UPDATE authorizations SET state = $2, ended_at_ms = $3, order_id = $4, request = $5,
                answer = $6, version = version + 1
         WHERE authorization_token = $1",
        &[
            &token.expose(),
            &state.as_str(),
            &now_ms,
            &placed.map(|placed| placed.order_id.as_str()),
            &placed.map(|placed| placed.request.as_str()),
            &placed.map(|placed| placed.answer.as_str()),
        ],
    )?;
    Ok(())
}

/// The order that a session led to.
pub(crate) fn order_of(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
) -> Result<Option<OrderId>, storage::Error> {
    let row = tx.query_opt(
        "SELECT order_id FROM authorizations WHERE session_id = $1 AND state = 'ordered'",
        &[&session_id.as_str()],
    )?;
    let order_id: Option<String> = row.map(|row| row.get(0)).transpose()?.flatten();
    Ok(order_id.map(OrderId::new))
}
