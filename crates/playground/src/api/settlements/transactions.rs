//! Transactions: of a payout, of an order, or all of them.

use axum::extract::State;
use klarna_types::settlements::{Transaction, TransactionCollection};

use super::query::Parameters;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::store::settlements::{self, StoredTransaction};

/// `GET /transactions`
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Answer, ApiError> {
    let page = parameters.page()?;
    let payment_reference = parameters.payment_reference()?;
    let order_id = parameters.order_id()?.map(str::to_owned);
    let merchant_id = caller.merchant.merchant_id.clone();
    let (rows, total) = app
        .db()
        .read_long(move |tx| {
            let order_id = order_id.as_deref();
            settlements::transactions(tx, &merchant_id, payment_reference.as_ref(), order_id, page)
        })
        .await?;
    let base_url = app.base_url();
    let pagination = parameters.pagination(base_url, "transactions", page, rows.len(), total);
    let transactions = rows.into_iter().map(|row| view(base_url, row)).collect();
    Answer::ok(&TransactionCollection { transactions, pagination })
}

fn view(base_url: &str, row: StoredTransaction) -> Transaction {
    let payout = row
        .payment_reference
        .as_ref()
        .map(|reference| format!("{base_url}/settlements/v1/payouts/{reference}"));
    Transaction { payout, ..row.posting.transaction(row.payment_reference) }
}
