//! Recovery of a refused token charge, where it touches sessions: a session that asks for it is looked at
//! when it is created, and the order that it leads to replaces the method behind the token.
//!
//! What may be recovered is decided in [`crate::domain::customer_token::step_up`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use klarna_types::payments::SessionBody;
use klarna_types::problem::Problem;
use klarna_types::{MerchantId, OrderId};
use storage::Tx;
use uuid::Uuid;

use crate::domain::authorization::Approval;
use crate::domain::customer_token::step_up::{Asked, Use};
use crate::domain::customer_token::{TokenStatus, instrument, recovered_method};
use crate::domain::session::Session;
use crate::store::StoreError;
use crate::store::customer_tokens::{self, Event};

/// Whether a session's data ask for a recovery. Such a session leads to an order whatever its intent, and to
/// no second token.
pub(crate) fn is_asked_for(body: &SessionBody) -> bool {
    body.step_up_id.is_some()
}

/// What is wrong with what a new session asks for.
pub(crate) fn problems(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    asked: &Asked,
    now_ms: i64,
) -> Result<Vec<Problem>, StoreError> {
    let step_up = customer_tokens::find_step_up(tx, merchant_id, &asked.step_up_id)?;
    let token = match &asked.token_id {
        Some(token_id) => customer_tokens::find_of(tx, merchant_id, token_id)?,
        None => None,
    };
    Ok(asked.problems(step_up.as_ref(), token.as_ref(), now_ms))
}

/// Puts the method by which the shopper has just bought behind the token of the refused charge, if the
/// session was opened for that and nothing has happened to the token since.
pub(crate) fn complete(
    tx: &mut Tx<'_>,
    session: &Session,
    approval: &Approval,
    order_id: &OrderId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(step_up_id) = &session.body.step_up_id else { return Ok(()) };
    let now_ms = now.as_millisecond();
    let Some(step_up) = customer_tokens::find_step_up(tx, &session.merchant_id, step_up_id)? else {
        return Ok(());
    };
    let Some(mut loaded) = customer_tokens::load(tx, &step_up.token_id)? else { return Ok(()) };
    let token = &mut loaded.token;
    if token.status == TokenStatus::Cancelled {
        return Ok(());
    }
    let Ok(method) = recovered_method(&approval.payment_method, &token.country) else {
        return Ok(());
    };
    if customer_tokens::use_step_up(tx, step_up_id, now_ms)? == Use::Used {
        return Ok(());
    }
    // The unit of work may be run again, and must then do the same.
    let reference = Uuid::new_v5(&Uuid::NAMESPACE_OID, order_id.as_str().as_bytes());
    let (random, _) = reference.as_u64_pair();
    let instrument = instrument(&method.kind, random, now.to_zoned(TimeZone::UTC).year());
    token.replace_method(method, instrument, reference.to_string(), approval.email.clone());
    let event = Event::Recovered { order_id: order_id.clone() };
    customer_tokens::save(tx, &loaded, &event, now_ms)
}
