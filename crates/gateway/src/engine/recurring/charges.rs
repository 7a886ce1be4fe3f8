//! Charges of customer tokens: asked for in the unit of work that finds them due, and settled in the
//! one that commits their outcome.

use klarna_types::customer_token::{CreateTokenOrder, StepUp};
use klarna_types::payments::CreatedOrder;
use serde_json::json;
use storage::Tx;

use super::super::settle::{self, RECHECK_MS};
use super::super::{mirror, tasks};
use super::tokens;
use crate::domain::checkout::{CaptureMode, Cart, Checkout, Intent};
use crate::domain::customer::{CustomerToken, TokenStatus};
use crate::domain::dunning;
use crate::domain::expiry::Calendar;
use crate::domain::idempotency;
use crate::domain::journal::{Charge, Operation, Outcome, Request};
use crate::domain::operation::{Reason, Refusal};
use crate::domain::payment::{Fraud, Happened, Method, Payment, Status};
use crate::domain::subscription::{Attempt, Failed, First, Subscription};
use crate::fault::Fault;
use crate::store::subscriptions::{Charge as ChargeRow, ChargeStatus};
use crate::store::{customers, events, operations, payments, reread, subscriptions};

/// What is charged and how.
pub(crate) struct Wanted<'a> {
    /// The token.
    pub(crate) token: &'a CustomerToken,
    /// What is bought.
    pub(crate) cart: &'a Cart,
    /// Whether the money is captured at once.
    pub(crate) capture: CaptureMode,
    /// Whether a refusal may be recovered by the shopper.
    pub(crate) step_up: dunning::StepUp,
    /// The subscription that is charged, and the number of its charge.
    pub(crate) subscription: Option<(String, i64)>,
}

/// The journal's entry of a charge.
pub(crate) fn operation(
    id: String,
    dedupe: String,
    wanted: &Wanted<'_>,
    now_ms: i64,
) -> Result<Operation, Fault> {
    let Wanted { token, cart, .. } = wanted;
    let mut body = CreateTokenOrder::new(
        cart.currency.clone(),
        cart.order_amount,
        cart.order_tax_amount,
        cart.order_lines.clone(),
    )
    .merchant_reference1(cart.merchant_reference.clone());
    if wanted.capture == CaptureMode::Automatic {
        body = body.auto_capture(true);
    }
    if wanted.step_up == dunning::StepUp::Offered {
        body = body.step_up(StepUp::Supported);
    }
    let subject =
        wanted.subscription.as_ref().map_or_else(|| token.id.clone(), |(id, _)| id.clone());
    let request = Request::Charge(Charge {
        customer_token_id: token.id.clone(),
        subscription: wanted.subscription.clone(),
        merchant_reference: cart.merchant_reference.clone(),
        account_id: token.account_id.clone(),
        country: token.country.as_str().to_owned(),
        locale: token.locale.as_str().to_owned(),
        amount: cart.order_amount,
        body: serde_json::to_string(&body).map_err(Fault::document("charge body"))?,
    });
    let mut operation = Operation::new(id, &token.store_id, "", dedupe, request, now_ms);
    operation.subject = Some(subject);
    Ok(operation)
}

/// Writes an attempt at a charge of a subscription into the journal. The same attempt again is the same
/// operation, under the same key.
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    attempt: Attempt,
    now_ms: i64,
) -> Result<(), Fault> {
    let Attempt { number, attempt, due_at_ms, period_end_ms } = attempt;
    let id = &subscription.id;
    let token_id = subscription.customer_token_id.as_deref().unwrap_or_default();
    let token = customers::token_of(tx, token_id)?
        .ok_or_else(|| Fault::inconsistent(format!("customer token {token_id} is gone")))?;
    let cart = subscription
        .terms
        .cart(&token.country, Some(&token.locale), &subscription.reference_of(number))
        .map_err(Fault::inconsistent)?;
    let wanted = Wanted {
        token: &token,
        cart: &cart,
        capture: subscription.terms.capture,
        step_up: subscription.terms.dunning.step_up,
        subscription: Some((id.clone(), number)),
    };
    let dedupe = format!("charge/{id}/{number}/{attempt}");
    let operation_id = idempotency::charge_id(id, number, attempt);
    let mut operation = operation(operation_id, dedupe, &wanted, now_ms)?;
    // Within a day Klarna says again what it said under this key. After that nobody can tell but a person.
    if reread::may_be_lost(tx, due_at_ms)? {
        operation.doubt_since(due_at_ms);
    }
    if operations::insert(tx, &operation, Some(&token.klarna_token_id))? {
        operations::INTERACTIVE.enqueue(tx, &operation.id, now_ms, "")?;
    }
    let mut row = subscriptions::charge(tx, id, number)?.unwrap_or_else(|| ChargeRow {
        subscription_id: id.clone(),
        number,
        store_id: subscription.store_id.clone(),
        status: ChargeStatus::Pending,
        due_at_ms,
        period_end_ms,
        amount: cart.order_amount,
        currency: cart.currency.clone(),
        plan_id: subscription.plan_id.clone(),
        operations: Vec::new(),
        payment_id: None,
        refusal: None,
        updated_at_ms: now_ms,
    });
    row.status = ChargeStatus::Pending;
    if !row.operations.contains(&operation.id) {
        row.operations.push(operation.id);
    }
    subscriptions::put_charge(tx, &mut row, now_ms)
}

/// Records an order that a charge made: it becomes a payment like any other.
pub(crate) fn charged(
    tx: &mut Tx<'_>,
    operation: &mut Operation,
    charge: &Charge,
    order: &CreatedOrder,
    now_ms: i64,
) -> Result<bool, Fault> {
    let mut subscription = match &charge.subscription {
        Some((id, _)) => subscriptions::lock(tx, id)?,
        None => None,
    };
    let sent: CreateTokenOrder =
        serde_json::from_str(&charge.body).map_err(Fault::document("charge body"))?;
    let captured_at_once = sent.auto_capture == Some(true);
    let fraud = order.fraud_status.as_ref();
    let payment = Payment {
        id: idempotency::payment_id(&operation.id),
        store_id: operation.store_id.clone(),
        version: 1,
        // Each payment has one of its own; of a charge it is the operation.
        checkout_id: operation.id.clone(),
        merchant_reference: charge.merchant_reference.clone(),
        merchant_reference2: None,
        klarna_order_id: order.order_id.as_str().to_owned(),
        klarna_reference: None,
        status: if captured_at_once { Status::Captured } else { Status::Authorized },
        fraud: fraud.map_or(Fraud::Accepted, |fraud| Fraud::from(fraud.as_str().to_owned())),
        fraud_decided_at_ms: None,
        currency: sent.purchase_currency,
        account_id: charge.account_id.clone(),
        country: charge.country.clone(),
        locale: Some(charge.locale.clone()),
        amounts: mirror::fresh_amounts(sent.order_amount, captured_at_once),
        order_lines: sent.order_lines,
        captures: Vec::new(),
        refunds: Vec::new(),
        shipping_info: Vec::new(),
        method: order.authorized_payment_method.as_ref().map(|method| Method {
            kind: method.kind.as_str().to_owned(),
            description: None,
            number_of_installments: method.number_of_installments.map(i64::from),
        }),
        redirect_url: order.redirect_url.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        expires_at_ms: None,
        expiry: Calendar::default(),
        channel: None,
    };
    let check_at_ms = payment.next_check_at_ms(now_ms).or(Some(now_ms + RECHECK_MS));
    if !payments::insert(tx, &payment, check_at_ms)? {
        return Err(Fault::inconsistent(format!("charge {} has a payment already", operation.id)));
    }
    tasks::enqueue_sync(tx, &payment.id, &operation.id, now_ms)?;
    operation.payment_id = Some(payment.id.clone());
    operation.outcome = Some(Outcome::Done { id: Some(payment.klarna_order_id.clone()) });
    operations::update(tx, operation)?;
    let data = json!({
        "payment_id": payment.id,
        "order_id": payment.klarna_order_id,
        "amount": payment.amounts.authorized,
        "fraud_status": payment.fraud.name(),
        "customer_token_id": charge.customer_token_id,
        "subscription_id": charge.subscription.as_ref().map(|(id, _)| id),
        "charge_number": charge.subscription.as_ref().map(|(_, number)| number),
        "operation_id": operation.id,
    });
    let subject = (payment.id.as_str(), payment.version);
    let kind = Happened::Authorized.event_type();
    events::append(tx, &payment.store_id, subject, kind, &data, now_ms)?;
    if let (Some(subscription), Some((_, number))) = (&mut subscription, &charge.subscription) {
        paid(tx, subscription, *number, &payment, now_ms)?;
    }
    Ok(true)
}

/// Records that a payment pays a charge of a subscription.
fn paid(
    tx: &mut Tx<'_>,
    subscription: &mut Subscription,
    number: i64,
    payment: &Payment,
    now_ms: i64,
) -> Result<(), Fault> {
    let was_open = subscription.paid(number);
    if !was_open {
        tracing::error!(
            subscription.id = %subscription.id,
            payment.id = %payment.id,
            number,
            "a charge was paid that was not open any more"
        );
    }
    subscriptions::update(tx, subscription, now_ms)?;
    if let Some(mut row) = subscriptions::charge(tx, &subscription.id, number)? {
        if row.payment_id.is_none() {
            row.payment_id = Some(payment.id.clone());
        }
        row.status = ChargeStatus::Paid;
        row.refusal = None;
        subscriptions::put_charge(tx, &mut row, now_ms)?;
    }
    let kind = if was_open { "subscription.charged" } else { "subscription.alarm" };
    let data = json!({
        "subscription_id": subscription.id,
        "status": subscription.status,
        "charge_number": number,
        "payment_id": payment.id,
        "amount": payment.amounts.authorized,
        "next_charge_at_ms": subscription.next_charge_at_ms(),
    });
    let subject = (subscription.id.as_str(), subscription.version);
    events::append(tx, &subscription.store_id, subject, kind, &data, now_ms)
}

/// Records that Klarna refused a charge, and what follows.
pub(crate) fn charge_refused(
    tx: &mut Tx<'_>,
    operation: &Operation,
    refusal: &Refusal,
    now_ms: i64,
) -> Result<bool, Fault> {
    settle::tell(tx, operation, "operation.refused", refusal)?;
    let Request::Charge(charge) = &operation.request else {
        return Err(Fault::inconsistent("a charge that is none was refused"));
    };
    if let Some((id, number)) = &charge.subscription
        && let Some(mut subscription) = subscriptions::lock(tx, id)?
        && let was_over = subscription.ended.is_some()
        && let Some(failed) = subscription.failed(*number, refusal, now_ms)
    {
        subscriptions::update(tx, &mut subscription, now_ms)?;
        let status = match &failed {
            Failed::Waits(_) => ChargeStatus::Failed,
            Failed::GaveUp(_) => ChargeStatus::GivenUp,
            Failed::Ended => ChargeStatus::Void,
        };
        put_status(tx, &subscription.id, *number, status, Some(refusal), now_ms)?;
        tell_failed(tx, &subscription, *number, &failed, operation, refusal, now_ms)?;
        if !was_over && !matches!(failed, Failed::Waits(_)) {
            tell_stopped(tx, &subscription, now_ms)?;
        }
    }
    let told = match refusal.reason {
        Reason::TokenCancelled => Some(TokenStatus::Cancelled),
        Reason::TokenSuspended => Some(TokenStatus::Suspended),
        _ => None,
    };
    if told.is_some() {
        tokens::take_over(tx, &charge.customer_token_id, told, None, now_ms)?;
    }
    Ok(true)
}

fn tell_failed(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    number: i64,
    failed: &Failed,
    operation: &Operation,
    refusal: &Refusal,
    now_ms: i64,
) -> Result<(), Fault> {
    let wait = match failed {
        Failed::Waits(wait) => Some(wait),
        Failed::GaveUp(_) | Failed::Ended => None,
    };
    let can_help = wait.is_some_and(|wait| wait.step_up_id(now_ms).is_some());
    let data = json!({
        "subscription_id": subscription.id,
        "status": subscription.status,
        "charge_number": number,
        "amount": operation.amount(),
        "reason": refusal.reason.name(),
        "detail": refusal.detail,
        "remedy": refusal.remedy,
        "operation_id": operation.id,
        "correlation_id": operation.correlation_id,
        "step_up": can_help,
        "waits_until_ms": wait.map(|wait| wait.until_ms),
    });
    let subject = (subscription.id.as_str(), subscription.version);
    let store_id = &subscription.store_id;
    events::append(tx, store_id, subject, "subscription.charge_failed", &data, now_ms)?;
    if can_help {
        events::append(tx, store_id, subject, "subscription.step_up_required", &data, now_ms)?;
    }
    Ok(())
}

/// Tells that a subscription is suspended, or that it has ended.
pub(crate) fn tell_stopped(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    now_ms: i64,
) -> Result<(), Fault> {
    if subscription.ended.is_some() {
        return tell_ended(tx, subscription, now_ms);
    }
    let data = json!({ "subscription_id": subscription.id, "status": subscription.status });
    let subject = (subscription.id.as_str(), subscription.version);
    events::append(tx, &subscription.store_id, subject, "subscription.suspended", &data, now_ms)
}

/// Tells that a subscription has ended.
pub(crate) fn tell_ended(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    now_ms: i64,
) -> Result<(), Fault> {
    let data = json!({
        "subscription_id": subscription.id,
        "status": subscription.status,
        "because": subscription.ended.map(|ended| ended.because),
    });
    let subject = (subscription.id.as_str(), subscription.version);
    events::append(tx, &subscription.store_id, subject, "subscription.cancelled", &data, now_ms)
}

/// Writes what came of a charge.
pub(crate) fn put_status(
    tx: &mut Tx<'_>,
    subscription_id: &str,
    number: i64,
    status: ChargeStatus,
    refusal: Option<&Refusal>,
    now_ms: i64,
) -> Result<(), Fault> {
    let Some(mut row) = subscriptions::charge(tx, subscription_id, number)? else { return Ok(()) };
    row.status = status;
    if let Some(refusal) = refusal {
        row.refusal = Some(refusal.clone());
    }
    subscriptions::put_charge(tx, &mut row, now_ms)
}

/// A subscription is about to end: a charge that only waits will never be paid.
pub(crate) fn void_open(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    now_ms: i64,
) -> Result<(), Fault> {
    match &subscription.open {
        Some(open) if open.waits.is_some() => {
            put_status(tx, &subscription.id, open.number, ChargeStatus::Void, None, now_ms)
        }
        Some(_) | None => Ok(()),
    }
}

/// After a checkout's order was placed: it may have recovered a refused charge, or be the first payment
/// of a subscription.
pub(crate) fn order_placed(
    tx: &mut Tx<'_>,
    checkout: &Checkout,
    payment: &Payment,
    now_ms: i64,
) -> Result<(), Fault> {
    let Some(tokenizing) = &checkout.tokenizing else { return Ok(()) };
    if let Some(recovers) = &tokenizing.recovers {
        let token_id = &recovers.customer_token_id;
        if let Some(token) = customers::token_of(tx, token_id)? {
            let data = json!({
                "customer_token_id": token.id,
                "payment_id": payment.id,
                "checkout_id": checkout.id,
            });
            // The checkout's own version tells one recovery from another.
            let subject = (checkout.id.as_str(), checkout.version);
            events::append(
                tx,
                &token.store_id,
                subject,
                "customer_token.recovered",
                &data,
                now_ms,
            )?;
        }
        if let Some((id, number)) = &recovers.subscription
            && let Some(mut subscription) = subscriptions::lock(tx, id)?
        {
            paid(tx, &mut subscription, *number, payment, now_ms)?;
        }
        return Ok(());
    }
    match (&tokenizing.customer_token_id, tokenizing.intent) {
        (Some(token_id), Intent::BuyAndTokenize) => {
            begin_waiting(tx, &checkout.id, token_id, First::PaidByCheckout, Some(payment), now_ms)
        }
        (_, Intent::Buy | Intent::Tokenize | Intent::BuyAndTokenize) => Ok(()),
    }
}

/// Begins the subscriptions that waited for a checkout's token.
pub(crate) fn begin_waiting(
    tx: &mut Tx<'_>,
    checkout_id: &str,
    token_id: &str,
    first: First,
    payment: Option<&Payment>,
    now_ms: i64,
) -> Result<(), Fault> {
    for mut subscription in subscriptions::waiting_for_checkout(tx, checkout_id)? {
        begin(tx, &mut subscription, token_id, first, payment, now_ms)?;
    }
    Ok(())
}

/// Begins a subscription: its token exists.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    subscription: &mut Subscription,
    token_id: &str,
    first: First,
    payment: Option<&Payment>,
    now_ms: i64,
) -> Result<(), Fault> {
    subscription.begin(token_id, first, now_ms).map_err(Fault::inconsistent)?;
    subscriptions::update(tx, subscription, now_ms)?;
    if let Some(payment) = payment.filter(|_| subscription.next_number > 1) {
        let mut row = ChargeRow {
            subscription_id: subscription.id.clone(),
            number: 1,
            store_id: subscription.store_id.clone(),
            status: ChargeStatus::Paid,
            due_at_ms: now_ms,
            period_end_ms: subscription.next_charge_at_ms(),
            amount: payment.amounts.authorized,
            currency: payment.currency.clone(),
            plan_id: subscription.plan_id.clone(),
            operations: Vec::new(),
            payment_id: Some(payment.id.clone()),
            refusal: None,
            updated_at_ms: now_ms,
        };
        subscriptions::put_charge(tx, &mut row, now_ms)?;
    }
    let data = json!({
        "subscription_id": subscription.id,
        "status": subscription.status,
        "customer_token_id": token_id,
        "plan_id": subscription.plan_id,
        "payment_id": payment.map(|payment| &payment.id),
        "next_charge_at_ms": subscription.next_charge_at_ms(),
    });
    let subject = (subscription.id.as_str(), subscription.version);
    events::append(tx, &subscription.store_id, subject, "subscription.activated", &data, now_ms)
}
