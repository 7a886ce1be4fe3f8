//! From Klarna's order to the payment that mirrors it. Personal data stays behind: addresses and
//! the customer are never taken over.

use klarna_types::order_management::{Order, OrderStatus};
use klarna_types::{MinorUnits, OrderLine};

use crate::domain::operation;
use crate::domain::payment::{Amounts, Books, Capture, Fraud, Method, Payment, Refund, Status};

/// Our word for Klarna's status; `None` for one that this version does not know.
pub fn status(status: &OrderStatus) -> Option<Status> {
    match status {
        OrderStatus::Authorized => Some(Status::Authorized),
        OrderStatus::PartCaptured => Some(Status::PartCaptured),
        OrderStatus::Captured => Some(Status::Captured),
        OrderStatus::Cancelled => Some(Status::Cancelled),
        OrderStatus::Expired => Some(Status::Expired),
        OrderStatus::Closed => Some(Status::Closed),
        OrderStatus::Unknown(_) => None,
    }
}

/// What an order says, in our terms.
pub fn books(order: Order) -> Books {
    let captures = order.captures.into_iter().map(|capture| Capture {
        id: capture.capture_id.into_string(),
        amount: capture.captured_amount,
        refunded: capture.refunded_amount,
        description: Some(capture.description).filter(|text| !text.is_empty()),
        reference: capture.reference,
        klarna_reference: capture.klarna_reference.map(klarna_types::KlarnaReference::into_string),
        order_lines: slim(capture.order_lines),
        captured_at_ms: capture.captured_at.map_or(0, jiff::Timestamp::as_millisecond),
        shipping_info: capture.shipping_info,
        due_date_extensions: Vec::new(),
        operation_id: None,
    });
    let refunds = order.refunds.into_iter().map(|refund| Refund {
        id: refund.refund_id.into_string(),
        amount: refund.refunded_amount,
        description: refund.description.filter(|text| !text.is_empty()),
        reference: refund.reference,
        order_lines: slim(refund.order_lines),
        refunded_at_ms: refund.refunded_at.map_or(0, jiff::Timestamp::as_millisecond),
        capture_id: None,
        operation_id: None,
    });
    Books {
        status: status(&order.status),
        fraud: order.fraud_status.map(|fraud| Fraud::from(fraud.as_str().to_owned())),
        amounts: Amounts {
            authorized: order.order_amount,
            original: order.original_order_amount.unwrap_or(order.order_amount),
            captured: order.captured_amount,
            refunded: order.refunded_amount,
            remaining: order.remaining_authorized_amount,
        },
        captures: captures.collect(),
        refunds: refunds.collect(),
        order_lines: slim(order.order_lines),
        klarna_reference: order.klarna_reference.map(klarna_types::KlarnaReference::into_string),
        shipping_info: order.shipping_info,
        merchant_reference1: order.merchant_reference1,
        merchant_reference2: order.merchant_reference2,
        method: order.initial_payment_method.map(|method| Method {
            kind: method.kind.as_str().to_owned(),
            description: method.description,
            number_of_installments: method.number_of_installments.map(i64::from),
        }),
        expires_at_ms: order.expires_at.map(jiff::Timestamp::as_millisecond),
    }
}

/// Lines without what only the shop's own systems need.
fn slim(lines: Vec<OrderLine>) -> Vec<OrderLine> {
    lines.into_iter().map(|line| OrderLine { merchant_data: None, ..line }).collect()
}

/// What the books show to whoever looks for the effect of an operation. Captures and refunds that
/// the payment already attributes to an operation are accounted for.
pub fn evidence<'a>(books: &'a Books, payment: &Payment) -> Option<operation::Books<'a>> {
    let known_capture = |id: &str| {
        payment.captures.iter().any(|known| known.id == id && known.operation_id.is_some())
    };
    let known_refund = |id: &str| {
        payment.refunds.iter().any(|known| known.id == id && known.operation_id.is_some())
    };
    Some(operation::Books {
        status: books.status?,
        remaining: books.amounts.remaining.get(),
        captures: books
            .captures
            .iter()
            .map(|capture| operation::Entry {
                id: &capture.id,
                amount: capture.amount.get(),
                reference: capture.reference.as_deref(),
                accounted_for: known_capture(&capture.id),
            })
            .collect(),
        refunds: books
            .refunds
            .iter()
            .map(|refund| operation::Entry {
                id: &refund.id,
                amount: refund.amount.get(),
                reference: refund.reference.as_deref(),
                accounted_for: known_refund(&refund.id),
            })
            .collect(),
    })
}

/// The sums of an order that was just made.
pub fn fresh_amounts(total: MinorUnits, captured_at_once: bool) -> Amounts {
    let (captured, remaining) =
        if captured_at_once { (total, MinorUnits::ZERO) } else { (MinorUnits::ZERO, total) };
    Amounts { authorized: total, original: total, captured, refunded: MinorUnits::ZERO, remaining }
}
