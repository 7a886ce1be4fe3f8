//! Customer tokens: made by a checkout's authorisation, read back from Klarna, cancelled.

use klarna_types::customer_token::{CustomerToken as KlarnaToken, CustomerTokenStatus};
use klarna_types::payments::{
    CreateCustomerToken, CreatedCustomerToken, IntendedUse, SessionStatus,
};
use serde_json::json;
use storage::Tx;

use super::super::Engine;
use super::super::commands::next_placement;
use super::super::klarna::Klarna;
use super::super::settle::{Verdict, locked_checkout};
use super::super::worker::{Made, order_unknown, read, unclear, verify_later};
use super::charges;
use crate::domain::checkout::{self, Checkout};
use crate::domain::customer::{CustomerToken, TokenStatus};
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome, Request};
use crate::domain::operation::{Doubt, Effect, Failure, Refusal, State};
use crate::domain::subscription::{Because, First};
use crate::fault::Fault;
use crate::store::{checkouts, customers, events, operations, subscriptions};

/// The body that makes a checkout's token. Neither address nor customer: Klarna has what the shopper
/// authorised.
pub(crate) fn token_body(checkout: &Checkout) -> CreateCustomerToken {
    let description =
        checkout.tokenizing.as_ref().map(|made| made.description.clone()).unwrap_or_default();
    let cart = &checkout.cart;
    CreateCustomerToken::new(
        cart.country.clone(),
        cart.currency.clone(),
        cart.locale.clone(),
        description,
        IntendedUse::Subscription,
    )
}

/// Records a token that Klarna made; the order of the same authorisation is next, if there is to be
/// one.
pub(crate) fn token_made(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    made: &CreatedCustomerToken,
    now_ms: i64,
) -> Result<bool, Fault> {
    let mut checkout = locked_checkout(tx, operation)?;
    let Some(tokenizing) = checkout.tokenizing.as_mut() else {
        return Err(Fault::inconsistent("a checkout that makes no token made one"));
    };
    let token = CustomerToken {
        id: idempotency::customer_token_id(&operation.id),
        store_id: operation.store_id.clone(),
        version: 1,
        klarna_token_id: made.token_id.as_str().to_owned(),
        status: TokenStatus::Active,
        customer_id: tokenizing.customer_id.clone(),
        checkout_id: checkout.id.clone(),
        intent: tokenizing.intent,
        account_id: checkout.account_id.clone(),
        description: tokenizing.description.clone(),
        country: checkout.cart.country.clone(),
        currency: checkout.cart.currency.clone(),
        locale: checkout.cart.locale.clone(),
        payment_method_type: None,
        checked_at_ms: None,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    tokenizing.customer_token_id = Some(token.id.clone());
    customers::insert_token(tx, &token)?;
    // Read before it is wiped: the order is placed by the same authorisation.
    let authorization = operations::token(tx, &operation.id)?;
    let order_body = match &mut operation.request {
        Request::CreateToken { session_id, order_body, .. } => {
            order_body.take().map(|body| (session_id.clone(), body))
        }
        Request::PlaceOrder { .. }
        | Request::Capture(_)
        | Request::Refund(_)
        | Request::Cancel { .. }
        | Request::Release { .. }
        | Request::Change(_)
        | Request::Charge(_)
        | Request::CancelToken { .. } => None,
    };
    operation.outcome = Some(Outcome::Done { id: Some(token.id.clone()) });
    operations::update(tx, operation)?;
    let data = json!({
        "customer_token_id": token.id,
        "checkout_id": checkout.id,
        "customer_id": token.customer_id,
        "operation_id": operation.id,
    });
    let subject = (token.id.as_str(), token.version);
    events::append(tx, &token.store_id, subject, "customer_token.created", &data, now_ms)?;
    if let Some((session_id, body)) = order_body {
        checkouts::update(tx, &mut checkout, None, now_ms)?;
        // Later than this one, whatever the clock says: the newest of a checkout is the one that counts.
        let created_at_ms = now_ms.max(operation.created_at_ms + 1);
        let id = idempotency::order_after_token_id(&operation.id);
        let dedupe = operation.dedupe.replacen("token/", "place/", 1);
        let request = Request::PlaceOrder { session_id, body };
        let placing = Operation::new(
            id,
            &operation.store_id,
            &operation.checkout_id,
            dedupe,
            request,
            created_at_ms,
        );
        operations::insert(tx, &placing, authorization.as_deref())?;
        operations::INTERACTIVE.enqueue(tx, &placing.id, now_ms, "")?;
        return Ok(true);
    }
    next_placement(tx, &checkout.id, State::Done, now_ms)?;
    checkout.step(checkout::Step::Complete).map_err(Fault::inconsistent)?;
    checkout.refusal = None;
    checkouts::update(tx, &mut checkout, None, now_ms)?;
    let subject = (checkout.id.as_str(), checkout.version);
    events::append(tx, &checkout.store_id, subject, "checkout.completed", &data, now_ms)?;
    charges::begin_waiting(tx, &checkout.id, &token.id, First::Charge, None, now_ms)?;
    Ok(true)
}

/// A checkout is over without a token: the subscriptions that waited for it are, too.
pub(crate) fn checkout_over(
    tx: &mut Tx<'_>,
    checkout: &Checkout,
    now_ms: i64,
) -> Result<(), Fault> {
    if checkout.tokenizing.is_none() {
        return Ok(());
    }
    for mut subscription in subscriptions::waiting_for_checkout(tx, &checkout.id)? {
        if subscription.end(Because::CheckoutOver, now_ms) {
            subscriptions::update(tx, &mut subscription, now_ms)?;
            charges::tell_ended(tx, &subscription, now_ms)?;
        }
    }
    Ok(())
}

/// Records that a token was cancelled at the merchant's wish.
pub(crate) fn token_cancelled(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    token_id: &str,
    now_ms: i64,
) -> Result<bool, Fault> {
    operation.outcome = Some(Outcome::Done { id: None });
    operations::update(tx, operation)?;
    take_over(tx, token_id, Some(TokenStatus::Cancelled), None, now_ms)?;
    Ok(true)
}

/// Takes over what Klarna says of a token. One that is cancelled takes its subscriptions with it.
pub(crate) fn take_over(
    tx: &mut Tx<'_>,
    token_id: &str,
    status: Option<TokenStatus>,
    payment_method_type: Option<String>,
    now_ms: i64,
) -> Result<(), Fault> {
    // Subscriptions are locked before the token: that is the order for everyone.
    let living = if status == Some(TokenStatus::Cancelled) {
        subscriptions::living_of_token(tx, token_id)?
    } else {
        Vec::new()
    };
    let Some(mut token) = customers::lock_token(tx, token_id)? else { return Ok(()) };
    let changed = token.take_over(status, payment_method_type, now_ms);
    customers::update_token(tx, &mut token, now_ms)?;
    if !changed {
        return Ok(());
    }
    let kind = match token.status {
        TokenStatus::Active => "customer_token.activated",
        TokenStatus::Suspended => "customer_token.suspended",
        TokenStatus::Cancelled => "customer_token.cancelled",
    };
    let data = json!({ "customer_token_id": token.id, "customer_id": token.customer_id });
    events::append(tx, &token.store_id, (&token.id, token.version), kind, &data, now_ms)?;
    for mut subscription in living {
        charges::void_open(tx, &subscription, now_ms)?;
        if subscription.end(Because::TokenCancelled, now_ms) {
            subscriptions::update(tx, &mut subscription, now_ms)?;
            charges::tell_ended(tx, &subscription, now_ms)?;
        }
    }
    Ok(())
}

/// Our word for Klarna's status; `None` for one that this version does not know.
fn status(status: &CustomerTokenStatus) -> Option<TokenStatus> {
    match status {
        CustomerTokenStatus::Active => Some(TokenStatus::Active),
        CustomerTokenStatus::Suspended => Some(TokenStatus::Suspended),
        CustomerTokenStatus::Cancelled => Some(TokenStatus::Cancelled),
        CustomerTokenStatus::Unknown(_) => None,
    }
}

/// Reads a token from Klarna and takes over what it says.
pub async fn refresh(
    engine: &Engine,
    token: &CustomerToken,
) -> Result<Result<KlarnaToken, Failure>, Fault> {
    let account =
        engine.account(&token.store_id, token.account_id.as_deref(), token.country.as_str());
    let Some(account) = account else {
        return Ok(Err(Failure {
            effect: Effect::Refused,
            status: None,
            error_code: None,
            error_messages: Vec::new(),
            correlation_id: None,
            retry_after_ms: None,
            summary: "this store has no Klarna account for the token's country".to_owned(),
            step_up_id: None,
        }));
    };
    let call = account.read_customer_token(&token.klarna_token_id);
    let read = match read(engine, account.as_ref(), call).await {
        Ok(answer) => answer.value,
        Err(failure) => return Ok(Err(failure)),
    };
    let now_ms = engine.now_ms();
    let id = token.id.clone();
    let (status, method) =
        (status(&read.status), Some(read.payment_method_type.as_str().to_owned()));
    engine.database().write(move |tx| take_over(tx, &id, status, method.clone(), now_ms)).await?;
    Ok(Ok(read))
}

/// Whether Klarna has said no.
fn was_refused(refusal: &Refusal) -> bool {
    refusal.klarna.as_ref().is_some_and(|failure| failure.effect == Effect::Refused)
}

/// Looks at Klarna for what became of an operation on a token.
pub(in crate::engine) async fn verify(
    engine: &Engine,
    account: &dyn Klarna,
    operation: &Operation,
    doubt: Doubt,
    otherwise: Refusal,
) -> Result<Verdict, Fault> {
    let unknown = |failure: &Failure, otherwise: Refusal| {
        if failure.effect == Effect::Refused {
            Verdict::HandOver(unclear(otherwise))
        } else {
            verify_later(engine, operation, doubt, failure, otherwise)
        }
    };
    Ok(match &operation.request {
        Request::CancelToken { customer_token_id, .. } => {
            let id = customer_token_id.clone();
            let token = engine.database().read(move |tx| customers::token_of(tx, &id)).await?;
            let Some(token) = token else { return Ok(Verdict::Refused(otherwise)) };
            let call = account.read_customer_token(&token.klarna_token_id);
            match read(engine, account, call).await {
                Ok(answer) => match status(&answer.value.status) {
                    Some(TokenStatus::Cancelled) => Verdict::Done(Made::Nothing),
                    Some(TokenStatus::Active | TokenStatus::Suspended) => {
                        Verdict::Refused(otherwise)
                    }
                    None => Verdict::HandOver(unclear(otherwise)),
                },
                Err(failure) => unknown(&failure, otherwise),
            }
        }
        // A token that nobody knows is never charged: where the session goes on, nothing is lost. A
        // session that is complete has made it, or cannot be used any more: a person must know.
        Request::CreateToken { session_id, .. } => {
            match read(engine, account, account.read_session(session_id)).await {
                Ok(answer) if answer.value.status == Some(SessionStatus::Incomplete) => {
                    Verdict::Refused(otherwise)
                }
                Ok(_) => Verdict::HandOver(unclear(otherwise)),
                Err(failure) => unknown(&failure, otherwise),
            }
        }
        // Klarna does not tell which orders a token has made. But whatever came of a key it says again
        // under the same key: what it refuses there was never carried out.
        Request::Charge(_) if was_refused(&otherwise) => Verdict::Refused(otherwise),
        Request::Charge(_)
        | Request::PlaceOrder { .. }
        | Request::Capture(_)
        | Request::Refund(_)
        | Request::Cancel { .. }
        | Request::Release { .. }
        | Request::Change(_) => Verdict::HandOver(order_unknown(otherwise)),
    })
}
