//! Payouts: list them, read one, add them up.

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use klarna_types::market::Currency;
use klarna_types::money::MinorUnits;
use klarna_types::settlements::{Payout, PayoutCollection, PayoutSummary};

use super::query::{Parameters, no_payout, payment_reference};
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::store::StoreError;
use crate::store::settlements::{self, StoredPayout};

/// How many payouts are added up at once.
const AT_ONCE: i64 = 500;

/// `GET /payouts`
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Answer, ApiError> {
    let page = parameters.page()?;
    let filter = parameters.filter()?;
    let merchant_id = caller.merchant.merchant_id.clone();
    let (payouts, total) =
        app.db().read(move |tx| settlements::payouts(tx, &merchant_id, &filter, page)).await?;
    let base_url = app.base_url();
    let pagination = parameters.pagination(base_url, "payouts", page, payouts.len(), total);
    let payouts = payouts.iter().map(|payout| view(base_url, payout)).collect();
    Answer::ok(&PayoutCollection { payouts, pagination })
}

/// `GET /payouts/{payment_reference}`
pub(super) async fn read(
    State(app): State<App>,
    caller: Caller,
    reference: Result<Path<String>, PathRejection>,
) -> Result<Answer, ApiError> {
    let Path(reference) =
        reference.map_err(|error| ApiError::bad_request().because(error.body_text()))?;
    let reference = payment_reference(&reference)?;
    let (merchant_id, wanted) = (caller.merchant.merchant_id.clone(), reference.clone());
    let payout = app.db().read(move |tx| settlements::payout(tx, &merchant_id, &wanted)).await?;
    let payout = payout.ok_or_else(|| no_payout(&reference))?;
    Answer::ok(&view(app.base_url(), &payout))
}

/// `GET /payouts/summary`
pub(super) async fn summary(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Answer, ApiError> {
    let (from, until, filter) = parameters.range()?;
    let mut by_currency: BTreeMap<Currency, PayoutSummary> = BTreeMap::new();
    let mut after = None;
    loop {
        let merchant_id = caller.merchant.merchant_id.clone();
        let (wanted, start) = (filter.clone(), after);
        let payouts = app
            .db()
            .read(move |tx| -> Result<_, StoreError> {
                settlements::payouts_after(tx, &merchant_id, &wanted, start.as_ref(), AT_ONCE)
            })
            .await?;
        for payout in &payouts {
            let sum = by_currency.entry(payout.currency.clone()).or_insert_with(|| PayoutSummary {
                summary_payout_date_start: from,
                summary_payout_date_end: until,
                summary_settlement_currency: payout.currency.clone(),
                summary_total_sale_amount: MinorUnits::ZERO,
                summary_total_return_amount: MinorUnits::ZERO,
                summary_total_reversal_amount: MinorUnits::ZERO,
                summary_total_fee_amount: MinorUnits::ZERO,
                summary_total_fee_correction_amount: MinorUnits::ZERO,
                summary_total_commission_amount: MinorUnits::ZERO,
                summary_total_commission_reversal_amount: Some(MinorUnits::ZERO),
                summary_total_tax_amount: MinorUnits::ZERO,
                summary_total_holdback_amount: MinorUnits::ZERO,
                summary_total_release_amount: MinorUnits::ZERO,
                summary_total_repay_amount: MinorUnits::ZERO,
                summary_total_settlement_amount: MinorUnits::ZERO,
            });
            add(sum, payout)
                .ok_or_else(|| ApiError::internal("a summary cannot be represented"))?;
        }
        let Some(last) = payouts.into_iter().next_back() else { break };
        after = Some(last);
    }
    Answer::ok(&by_currency.into_values().collect::<Vec<_>>())
}

/// Adds a payout; nothing when the sum cannot be represented.
fn add(sum: &mut PayoutSummary, payout: &StoredPayout) -> Option<()> {
    let totals = &payout.totals;
    let reversed = sum.summary_total_commission_reversal_amount.get_or_insert_default();
    for (total, amount) in [
        (&mut sum.summary_total_sale_amount, totals.sale_amount),
        (&mut sum.summary_total_return_amount, totals.return_amount),
        (&mut sum.summary_total_reversal_amount, totals.reversal_amount),
        (&mut sum.summary_total_fee_amount, totals.fee_amount),
        (&mut sum.summary_total_fee_correction_amount, totals.fee_correction_amount),
        (&mut sum.summary_total_commission_amount, totals.commission_amount),
        (reversed, totals.commission_reversal_amount),
        (&mut sum.summary_total_tax_amount, totals.tax_amount),
        (&mut sum.summary_total_holdback_amount, totals.holdback_amount),
        (&mut sum.summary_total_release_amount, totals.release_amount),
        (&mut sum.summary_total_repay_amount, totals.repay_amount),
        (&mut sum.summary_total_settlement_amount, totals.settlement_amount),
    ] {
        *total = total.checked_add(amount)?;
    }
    Some(())
}

fn view(base_url: &str, payout: &StoredPayout) -> Payout {
    let reference = &payout.payment_reference;
    payout.payout().transactions(format!(
        "{base_url}/settlements/v1/transactions?payment_reference={reference}"
    ))
}
