//! What recurs: customer tokens, the subscriptions that are charged by them, and the way from a due
//! date to a payment.
//!
//! * [`tokens`]: a token is made by a checkout, read back, cancelled.
//! * [`charges`]: a charge is asked for, and what comes of it is committed.
//! * [`schedule`]: what is due is written down, once.
//! * [`recovery`]: the shopper helps with a refused charge.
//! * [`commands`]: what merchants do with subscriptions.
//!
//! What is due, and what follows from an outcome, is decided in [`crate::domain::subscription`]; here it
//! is put into the journal and taken out of it. Locks are taken in one order: subscription, checkout,
//! payment, operation; a token is locked last. Only the order of a checkout that pays a subscription comes
//! the other way; where two of them meet, PostgreSQL has one of them repeated.

pub mod charges;
pub mod commands;
pub mod recovery;
pub mod schedule;
pub mod tokens;

use klarna_types::Customer;
use klarna_types::payments::{CreateSession, Intent as KlarnaIntent};
use storage::Tx;

use crate::domain::checkout::{Checkout, Intent};
use crate::fault::Fault;
use crate::store::{customers, subscriptions};

pub(crate) use charges::{charge_refused, charged, order_placed};
pub(crate) use schedule::run_due;
pub(in crate::engine) use tokens::verify;
pub(crate) use tokens::{checkout_over, token_body, token_cancelled, token_made};

/// The session of a checkout that is more than a purchase says so.
pub(crate) fn session_for(mut body: CreateSession, checkout: &Checkout) -> CreateSession {
    let Some(tokenizing) = &checkout.tokenizing else { return body };
    body = body.intent(match tokenizing.intent {
        Intent::Buy => KlarnaIntent::Buy,
        Intent::Tokenize => KlarnaIntent::Tokenize,
        Intent::BuyAndTokenize => KlarnaIntent::BuyAndTokenize,
    });
    match &tokenizing.recovers {
        Some(recovers) => body
            .step_up_id(recovers.step_up_id.clone())
            .customer(Customer::default().customer_token(recovers.klarna_token_id.as_str())),
        None => body,
    }
}

/// The version of a subscription or customer token, for its history.
pub(crate) fn version_of(tx: &mut Tx<'_>, subject: &str) -> Result<i64, Fault> {
    if let Some(subscription) = subscriptions::get(tx, subject)? {
        return Ok(subscription.version);
    }
    Ok(customers::token_of(tx, subject)?.map_or(0, |token| token.version))
}
