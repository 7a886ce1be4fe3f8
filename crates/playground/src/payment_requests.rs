//! What every change of a payment request causes, whoever makes it: it is written down, and the merchant's webhook
//! is told. And what becomes of requests that nobody pays.
//!
//! What may happen to a request is decided in [`crate::domain::payment_request`].

use jiff::Timestamp;
use storage::Tx;

use crate::domain::payment_request::PaymentRequest;
use crate::store::{StoreError, callbacks, disputes, payment_requests};

/// A request was made.
pub(crate) fn made(tx: &mut Tx<'_>, request: &PaymentRequest) -> Result<(), StoreError> {
    payment_requests::insert(tx, request)?;
    tell(tx, request, request.created_at)
}

/// A request has changed; its version has grown.
pub(crate) fn changed(
    tx: &mut Tx<'_>,
    request: &PaymentRequest,
    now: Timestamp,
) -> Result<(), StoreError> {
    payment_requests::update(tx, request, now)?;
    tell(tx, request, now)
}

fn tell(tx: &mut Tx<'_>, request: &PaymentRequest, at: Timestamp) -> Result<(), StoreError> {
    let settings = disputes::account(tx, &request.merchant_id)?.settings;
    let callback = settings.webhook.and_then(|webhook| request.callback(at, &webhook));
    if let Some(callback) = callback {
        callbacks::enqueue(tx, &callback, at.as_millisecond())?;
    }
    Ok(())
}

/// Requests that were open for long enough end. Answers for how many were looked at.
pub(crate) fn run_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let mut seen = 0;
    for id in payment_requests::due(tx, now_ms)? {
        let Some(kept) = payment_requests::find(tx, &id)? else { continue };
        seen += 1;
        let at = Timestamp::from_millisecond(kept.expires_at_ms()).unwrap_or(kept.created_at);
        let request = kept.clone().at(at);
        if request.version == kept.version {
            // It was over before anybody kept when it would be.
            payment_requests::put_aside(tx, &id)?;
        } else {
            changed(tx, &request, at)?;
        }
    }
    Ok(seen)
}
