//! The typed calls, by area. Each says what it sends, whether repeating it is safe, and how its answer is read; how a
//! call is made is the engine's business.

mod customer_tokens;
mod disputes;
mod hosted_payment_page;
mod in_store;
mod orders;
mod payment_requests;
mod payments;
mod settlements;

pub use customer_tokens::CustomerTokens;
pub use disputes::{Disputes, DisputesV2};
pub use hosted_payment_page::HostedPaymentPage;
pub use in_store::InStore;
pub use orders::{CreatedCapture, CreatedRefund, Orders};
pub use payment_requests::PaymentRequests;
pub use payments::Payments;
pub use settlements::{PayoutFilter, Period, Settlements, TransactionFilter};

use bytes::Bytes;
use http::Method;
use klarna_types::IdempotencyKey;
use serde::Serialize;

use crate::engine::Operation;
use crate::error::Error;
use crate::multipart::Upload;
use crate::path;
use crate::retry::Repeat;

/// A call to a route, with the values of its path.
fn operation(method: Method, route: &'static str, values: &[&str]) -> Result<Operation, Error> {
    Ok(Operation::new(method, route, path::fill(route, values)?))
}

/// The same with a JSON body.
fn with_body<B: Serialize>(
    method: Method,
    route: &'static str,
    values: &[&str],
    body: &B,
) -> Result<Operation, Error> {
    let mut operation = operation(method, route, values)?;
    match serde_json::to_vec(body) {
        Ok(body) => operation.body = Some(Bytes::from(body)),
        Err(error) => return Err(Error::invalid(operation.name(), error.to_string())),
    }
    Ok(operation)
}

/// A file as a form.
fn with_upload(route: &'static str, values: &[&str], file: &Upload) -> Result<Operation, Error> {
    let mut operation = operation(Method::POST, route, values)?;
    let (body, content_type) = file.form();
    operation.body = Some(body);
    operation.content_type = content_type.into();
    Ok(operation)
}

/// Gives a write its idempotency key, once for all of its tries.
fn keyed(mut operation: Operation) -> Operation {
    // A UUID is 36 printable characters, so it is always a key.
    operation.key = IdempotencyKey::parse(uuid::Uuid::new_v4().to_string()).ok();
    operation.repeat = Repeat::Keyed;
    operation
}
