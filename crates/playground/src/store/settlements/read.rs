//! Reading payouts and their transactions, a page at a time.

use klarna_types::ids::{CaptureId, OrderId};
use klarna_types::market::Currency;
use klarna_types::settlements::{
    DetailedType, PaymentReference, Payout, SettlementType, Totals, TransactionType,
};
use klarna_types::{MerchantId, MinorUnits};
use storage::{Row, Tx};

use crate::domain::settlement::{Lane, Posting};
use crate::store::{StoreError, from_document};

/// How long a report can be fetched by SFTP.
const DELIVERABLE_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPayout {
    /// Its name.
    pub(crate) payment_reference: PaymentReference,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// Its currency.
    pub(crate) currency: Currency,
    /// Payout or invoice.
    pub(crate) settlement_type: SettlementType,
    /// The currency of the merchant's own country, if it is known.
    pub(crate) registration_currency: Option<Currency>,
    /// When it starts, in milliseconds.
    pub(crate) payout_at_ms: i64,
    /// How many payouts the merchant had in this currency before.
    pub(crate) number: i64,
    /// How many transactions it has.
    pub(crate) transactions: i64,
    /// What it is made of.
    pub(crate) totals: Totals,
}

/// A posting and the payout that took it, if one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTransaction {
    /// The posting.
    pub(crate) posting: Posting,
    /// Its payout.
    pub(crate) payment_reference: Option<PaymentReference>,
}

/// A report that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deliverable {
    /// Of which payout.
    pub(crate) payment_reference: PaymentReference,
    /// When it was made, in milliseconds.
    pub(crate) generated_at_ms: i64,
    /// How many transactions it lists.
    pub(crate) transactions: i64,
}

/// Which payouts are wanted; both ends belong to the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// From when, in milliseconds.
    pub(crate) from_ms: i64,
    /// Until when, in milliseconds.
    pub(crate) until_ms: i64,
    /// In which currency.
    pub(crate) currency: Option<Currency>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// So many items at most.
    pub(crate) size: i64,
    /// After so many.
    pub(crate) offset: i64,
}

impl StoredPayout {
    /// As reports and the API show it.
    pub(crate) fn payout(&self) -> Payout {
        let payout_date = super::timestamp(self.payout_at_ms);
        let mut payout = Payout::new(
            self.totals,
            self.payment_reference.clone(),
            payout_date,
            self.currency.clone(),
            self.settlement_type.clone(),
            self.merchant_id.clone(),
        );
        payout.currency_code_of_registration_country.clone_from(&self.registration_currency);
        payout
    }

    fn of(row: &Row) -> Result<Self, StoreError> {
        let registration_currency: &str = row.get(4)?;
        Ok(Self {
            payment_reference: PaymentReference::new(row.get::<String>(0)?),
            merchant_id: MerchantId::new(row.get::<String>(1)?),
            currency: Currency::from(row.get::<&str>(2)?),
            settlement_type: SettlementType::from(row.get::<&str>(3)?),
            registration_currency: (!registration_currency.is_empty())
                .then(|| Currency::from(registration_currency)),
            payout_at_ms: row.get(5)?,
            number: row.get(6)?,
            transactions: row.get(7)?,
            totals: from_document("payout", row.get(8)?)?,
        })
    }
}

fn transaction_of(row: &Row) -> Result<StoredTransaction, StoreError> {
    let payment_reference: &str = row.get(0)?;
    Ok(StoredTransaction {
        posting: from_document("posting", row.get(1)?)?,
        payment_reference: (!payment_reference.is_empty())
            .then(|| PaymentReference::new(payment_reference)),
    })
}

/// A payout of a merchant.
pub(crate) fn payout(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    payment_reference: &PaymentReference,
) -> Result<Option<StoredPayout>, StoreError> {
    tx.query_opt(
        "SELECT payment_reference, merchant_id, currency, settlement_type, registration_currency,
                payout_at_ms, number, transactions, totals
         FROM settlement_payouts WHERE payment_reference = $1 AND merchant_id = $2",
        &[&payment_reference.as_str(), &merchant_id.as_str()],
    )?
    .as_ref()
    .map(StoredPayout::of)
    .transpose()
}

/// A merchant's payouts, the newest first, and how many there are.
pub(crate) fn payouts(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<StoredPayout>, i64), StoreError> {
    let currency = filter.currency.as_ref().map_or("", |currency| currency.as_str());
    let total = tx.query_one(
        "SELECT COUNT(*) FROM settlement_payouts
         WHERE merchant_id = $1 AND payout_at_ms >= $2 AND payout_at_ms <= $3
           AND ($4 = '' OR currency = $4)",
        &[&merchant_id.as_str(), &filter.from_ms, &filter.until_ms, &currency],
    )?;
    let rows = tx.query(
        "SELECT payment_reference, merchant_id, currency, settlement_type, registration_currency,
                payout_at_ms, number, transactions, totals
         FROM settlement_payouts
         WHERE merchant_id = $1 AND payout_at_ms >= $2 AND payout_at_ms <= $3
           AND ($4 = '' OR currency = $4)
         ORDER BY payout_at_ms DESC, number DESC, payment_reference DESC LIMIT $5 OFFSET $6",
        &[
            &merchant_id.as_str(),
            &filter.from_ms,
            &filter.until_ms,
            &currency,
            &page.size,
            &page.offset,
        ],
    )?;
    let payouts = rows.iter().map(StoredPayout::of).collect::<Result<_, _>>()?;
    Ok((payouts, total.get(0)?))
}

/// Some of a merchant's payouts, the oldest first, after the one that is named.
pub(crate) fn payouts_after(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    filter: &Filter,
    after: Option<&StoredPayout>,
    limit: i64,
) -> Result<Vec<StoredPayout>, StoreError> {
    let currency = filter.currency.as_ref().map_or("", |currency| currency.as_str());
    let (after_ms, after_number, after_reference) = after.map_or((i64::MIN, 0, ""), |after| {
        (after.payout_at_ms, after.number, after.payment_reference.as_str())
    });
    tx.query(
        "SELECT payment_reference, merchant_id, currency, settlement_type, registration_currency,
                payout_at_ms, number, transactions, totals
         FROM settlement_payouts
         WHERE merchant_id = $1 AND payout_at_ms >= $2 AND payout_at_ms <= $3
           AND ($4 = '' OR currency = $4)
           AND payout_at_ms >= $5
           AND (payout_at_ms > $5 OR number > $6 OR (number = $6 AND payment_reference > $7))
         ORDER BY payout_at_ms, number, payment_reference LIMIT $8",
        &[
            &merchant_id.as_str(),
            &filter.from_ms,
            &filter.until_ms,
            &currency,
            &after_ms,
            &after_number,
            &after_reference,
            &limit,
        ],
    )?
    .iter()
    .map(StoredPayout::of)
    .collect()
}

/// Rows of a payout from a place on, in the order of time.
pub(crate) fn rows_of_payout(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    payment_reference: &PaymentReference,
    page: Page,
) -> Result<Vec<StoredTransaction>, StoreError> {
    tx.query(
        "SELECT payment_reference, document FROM settlement_postings
         WHERE merchant_id = $1 AND payment_reference = $2 AND position >= $3
         ORDER BY position LIMIT $4",
        &[&merchant_id.as_str(), &payment_reference.as_str(), &page.offset, &page.size],
    )?
    .iter()
    .map(transaction_of)
    .collect()
}

/// A merchant's transactions and how many there are: of a payout or an order the oldest first, without
/// either the newest first.
pub(crate) fn transactions(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    payment_reference: Option<&PaymentReference>,
    order_id: Option<&str>,
    page: Page,
) -> Result<(Vec<StoredTransaction>, i64), StoreError> {
    let merchant = merchant_id.as_str();
    let (rows, total) = match (payment_reference, order_id) {
        (Some(reference), None) => {
            let total = payout(tx, merchant_id, reference)?.map_or(0, |payout| payout.transactions);
            return Ok((rows_of_payout(tx, merchant_id, reference, page)?, total));
        }
        (reference, Some(order_id)) => {
            let reference = reference.map_or("", |reference| reference.as_str());
            let total = tx.query_one(
                "SELECT COUNT(*) FROM settlement_postings
                 WHERE merchant_id = $1 AND order_id = $2 AND ($3 = '' OR payment_reference = $3)",
                &[&merchant, &order_id, &reference],
            )?;
            let rows = tx.query(
                "SELECT payment_reference, document FROM settlement_postings
                 WHERE merchant_id = $1 AND order_id = $2 AND ($3 = '' OR payment_reference = $3)
                 ORDER BY posted_at_ms, posting_id LIMIT $4 OFFSET $5",
                &[&merchant, &order_id, &reference, &page.size, &page.offset],
            )?;
            (rows, total.get(0)?)
        }
        (None, None) => {
            // Payouts know how many rows they have, so that only what is open is counted.
            let total = tx.query_one(
                "SELECT CAST((SELECT COALESCE(SUM(transactions), 0) FROM settlement_payouts
                              WHERE merchant_id = $1)
                           + (SELECT COUNT(*) FROM settlement_postings
                              WHERE merchant_id = $1 AND payment_reference = '') AS BIGINT)",
                &[&merchant],
            )?;
            let rows = tx.query(
                "SELECT payment_reference, document FROM settlement_postings
                 WHERE merchant_id = $1 ORDER BY posted_at_ms DESC, posting_id DESC
                 LIMIT $2 OFFSET $3",
                &[&merchant, &page.size, &page.offset],
            )?;
            (rows, total.get(0)?)
        }
    };
    let transactions = rows.iter().map(transaction_of).collect::<Result<_, _>>()?;
    Ok((transactions, total))
}

/// What is on its way to a merchant, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Balance {
    /// The open postings, VAT counted: negative when they take from the merchant.
    pub(crate) open: i64,
    /// What is withheld.
    pub(crate) withheld: i64,
}

/// What is on its way to a merchant by one of its accounts.
pub(crate) fn balance(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    currency: &Currency,
    lane: Lane,
) -> Result<Balance, StoreError> {
    let open = tx.query_one(
        "SELECT CAST(COALESCE(SUM(CASE
             WHEN kind IN ('SALE', 'REVERSAL_MERCHANT_PROTECTION', 'FEE_REFUND', 'COMMISSION',
                           'CREDIT', 'RELEASE') THEN amount + vat_amount
             WHEN kind = 'CORRECTION' THEN amount
             ELSE -amount - vat_amount END), 0) AS BIGINT)
         FROM settlement_postings
         WHERE merchant_id = $1 AND currency = $2 AND lane = $3 AND payment_reference = ''",
        &[&merchant_id.as_str(), &currency.as_str(), &lane.as_str()],
    )?;
    let withheld = if lane == Lane::Payout {
        tx.query_one(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM settlement_holds
             WHERE merchant_id = $1 AND currency = $2",
            &[&merchant_id.as_str(), &currency.as_str()],
        )?
        .get(0)?
    } else {
        0
    };
    Ok(Balance { open: open.get(0)?, withheld })
}

/// The reports that a merchant can fetch by SFTP: of the payouts of the last 90 days, the oldest first.
pub(crate) fn deliverable_reports(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    now_ms: i64,
) -> Result<Vec<Deliverable>, StoreError> {
    tx.query(
        "SELECT payment_reference, payout_at_ms, transactions FROM settlement_payouts
         WHERE merchant_id = $1 AND payout_at_ms > $2 ORDER BY payout_at_ms, payment_reference",
        &[&merchant_id.as_str(), &now_ms.saturating_sub(DELIVERABLE_MS)],
    )?
    .iter()
    .map(|row| {
        Ok(Deliverable {
            payment_reference: PaymentReference::new(row.get::<String>(0)?),
            generated_at_ms: row.get(1)?,
            transactions: row.get(2)?,
        })
    })
    .collect()
}

/// What a capture, or all captures of an order, came to, and what fees were taken for it, VAT counted.
pub(crate) fn sale(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    order_id: &OrderId,
    capture_id: Option<&CaptureId>,
) -> Result<(MinorUnits, MinorUnits), StoreError> {
    let rows = tx.query(
        "SELECT document FROM settlement_postings
         WHERE merchant_id = $1 AND order_id = $2 AND kind IN ($3, $4)",
        &[
            &merchant_id.as_str(),
            &order_id.as_str(),
            &TransactionType::Sale.as_str(),
            &TransactionType::Fee.as_str(),
        ],
    )?;
    let (mut sale, mut fees) = (0_i64, 0_i64);
    for row in &rows {
        let posting: Posting = from_document("posting", row.get(0)?)?;
        if capture_id.is_some_and(|wanted| posting.capture_id.as_ref() != Some(wanted)) {
            continue;
        }
        let amount = posting.amount.get();
        match posting.detailed_type {
            DetailedType::Purchase => sale = sale.saturating_add(amount),
            DetailedType::PurchaseFeePercentage | DetailedType::PurchaseFeeFixed => {
                let vat = posting.vat.map_or(0, |vat| vat.amount.get());
                fees = fees.saturating_add(amount).saturating_add(vat);
            }
            _ => {}
        }
    }
    Ok((MinorUnits::new(sale), MinorUnits::new(fees)))
}
