//! A payout: the mirror of one of Klarna's, the entries that it is made of, and whether they add up.
//!
//! A payout is read entry by entry and counts once all of them are there. It is never changed after.

use std::collections::BTreeMap;

use klarna_types::settlements::{
    DetailedType, Direction, Payout as KlarnaPayout, SettlementType, Totals, Transaction,
    TransactionType,
};
use klarna_types::{Currency, MinorUnits};
use serde::{Deserialize, Serialize};

use super::figures::{Figure, Move, Sum, day_of};

/// The type of the event that says that Klarna pays out.
pub const PAID: &str = "payout.paid";

/// A payout as the gateway keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// Our id.
    pub id: String,
    /// The store that it is of.
    pub store_id: String,
    /// The account that it was read with.
    pub account_id: String,
    /// Klarna's name of the merchant who is paid.
    pub merchant_id: String,
    /// Klarna's name for it; it stands on the bank statement.
    pub reference: String,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Whether fees are deducted, invoiced, or whether this is the invoice.
    pub settlement_type: SettlementType,
    /// What Klarna says it is made of.
    pub totals: Totals,
    /// When Klarna starts the transfer.
    pub paid_at_ms: i64,
    /// How many entries are read.
    pub entries: i64,
    /// Whether all of them are.
    pub complete: bool,
    /// Sales less returns of this store's payments in it, in minor units; once it is complete.
    #[serde(default)]
    pub of_store_minor: i64,
    /// What does not add up; once it is complete.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// When the gateway learned of it.
    pub seen_at_ms: i64,
}

/// Two amounts that should be the same and are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What is compared, such as `sale_amount`.
    pub of: String,
    /// What Klarna's total says, in minor units.
    pub total: i64,
    /// What its parts come to.
    pub parts: i64,
}

/// One entry of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Klarna's type in lower case, such as `sale`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Klarna's closer type in lower case, such as `purchase_fee_fixed`.
    #[serde(default)]
    pub detail: Option<String>,
    /// What it does to the payout, in minor units: below zero it takes. Without VAT.
    pub amount: MinorUnits,
    /// The VAT of a fee, without a sign.
    #[serde(default)]
    pub vat: Option<MinorUnits>,
    /// Klarna's order.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The payment, if the order is one of this store's.
    #[serde(default)]
    pub payment_id: Option<String>,
    /// The capture.
    #[serde(default)]
    pub capture_id: Option<String>,
    /// The refund.
    #[serde(default)]
    pub refund_id: Option<String>,
    /// The shop's order number.
    #[serde(default)]
    pub merchant_reference: Option<String>,
    /// Klarna's dispute, of a reversal.
    #[serde(default)]
    pub dispute: Option<String>,
    /// When it was registered.
    #[serde(default)]
    pub at_ms: Option<i64>,
}

impl Entry {
    /// What a transaction of Klarna's says.
    pub fn of(transaction: &Transaction) -> Self {
        let own = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        // Klarna's amounts are without a sign, but should one have it, the type knows better.
        let amount = match transaction.kind.direction() {
            Direction::OwnSign => transaction.amount.get(),
            Direction::Plus => transaction.amount.get().saturating_abs(),
            Direction::Minus => -transaction.amount.get().saturating_abs(),
        };
        Self {
            kind: transaction.kind.as_str().to_ascii_lowercase(),
            detail: transaction
                .detailed_type
                .as_ref()
                .map(|detail| detail.as_str().to_ascii_lowercase()),
            amount: MinorUnits::new(amount),
            vat: transaction.vat_amount,
            order_id: transaction.order_id.as_ref().map(|id| id.as_str().to_owned()),
            payment_id: None,
            capture_id: transaction.capture_id.as_ref().map(|id| id.as_str().to_owned()),
            refund_id: transaction.refund_id.as_ref().map(|id| id.as_str().to_owned()),
            merchant_reference: own(&transaction.merchant_reference1),
            dispute: own(&transaction.reversal_reference),
            at_ms: transaction.capture_date.map(jiff::Timestamp::as_millisecond),
        }
    }

    /// What of it settles what the store's own books say is to come: captures and the store's refunds.
    /// What Klarna takes or gives otherwise was never to come.
    pub fn settles(&self) -> i64 {
        let is = |kind: &TransactionType| kind.as_str().eq_ignore_ascii_case(&self.kind);
        let default = DetailedType::PaymentDefault;
        let is_default = self
            .detail
            .as_deref()
            .is_some_and(|detail| default.as_str().eq_ignore_ascii_case(detail));
        if is(&TransactionType::Sale) || (is(&TransactionType::Return) && !is_default) {
            self.amount.get()
        } else {
            0
        }
    }
}

/// A total by its name, where it stands, and the types of the entries that it is the sum of.
type Part = (&'static str, fn(&Totals) -> MinorUnits, &'static [TransactionType]);

/// Which totals are the sum of which entries.
const PARTS: [Part; 9] = [
    ("sale_amount", |totals| totals.sale_amount, &[TransactionType::Sale]),
    ("return_amount", |totals| totals.return_amount, &[TransactionType::Return]),
    (
        "reversal_amount",
        |totals| totals.reversal_amount,
        &[TransactionType::Reversal, TransactionType::ReversalMerchantProtection],
    ),
    ("fee_amount", |totals| totals.fee_amount, &[TransactionType::Fee]),
    ("fee_refund_amount", |totals| totals.fee_refund_amount, &[TransactionType::FeeRefund]),
    ("charge_amount", |totals| totals.charge_amount, &[TransactionType::Charge]),
    ("credit_amount", |totals| totals.credit_amount, &[TransactionType::Credit]),
    ("holdback_amount", |totals| totals.holdback_amount, &[TransactionType::Holdback]),
    ("release_amount", |totals| totals.release_amount, &[TransactionType::Release]),
];

/// Compares what Klarna's totals say with the entries, whose sums are given by type, and with Klarna's
/// formula.
pub fn differences(
    totals: &Totals,
    settlement_type: &SettlementType,
    sums: &BTreeMap<String, i64>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (of, total, kinds) in PARTS {
        let parts = kinds
            .iter()
            .filter_map(|kind| sums.get(&kind.as_str().to_ascii_lowercase()))
            .fold(0_i64, |sum, amount| sum.saturating_add(*amount));
        // The totals have no sign where their entries take.
        let takes = kinds.first().is_some_and(|kind| kind.direction() == Direction::Minus);
        let parts = if takes { parts.saturating_neg() } else { parts };
        let total = total(totals).get();
        if total != parts {
            differences.push(Difference { of: of.to_owned(), total, parts });
        }
    }
    // The invoice of fees pays nothing out.
    let by_formula = totals.settlement_by_formula(settlement_type).map(MinorUnits::get);
    let total = totals.settlement_amount.get();
    if *settlement_type != SettlementType::GrossFee && by_formula != Some(total) {
        let parts = by_formula.unwrap_or_default();
        differences.push(Difference { of: "settlement_amount".to_owned(), total, parts });
    }
    differences
}

impl Payout {
    /// A payout of which nothing but its totals is read.
    pub fn found(
        payout: KlarnaPayout,
        store_id: &str,
        account_id: &str,
        id: String,
        now_ms: i64,
    ) -> Self {
        Self {
            id,
            store_id: store_id.to_owned(),
            account_id: account_id.to_owned(),
            merchant_id: payout.merchant_id.as_str().to_owned(),
            reference: payout.payment_reference.as_str().to_owned(),
            currency: payout.currency_code,
            settlement_type: payout.merchant_settlement_type,
            totals: payout.totals,
            paid_at_ms: payout.payout_date.as_millisecond(),
            entries: 0,
            complete: false,
            of_store_minor: 0,
            differences: Vec::new(),
            seen_at_ms: now_ms,
        }
    }

    /// All entries are read: their sums by type, and what of them settles the store's own payments.
    pub fn complete(&mut self, sums: &BTreeMap<String, i64>, of_store_minor: i64) {
        self.complete = true;
        self.of_store_minor = of_store_minor;
        self.differences = differences(&self.totals, &self.settlement_type, sums);
    }

    /// What Klarna took for its services in it, with tax, less what it gave back.
    pub fn fees(&self) -> MinorUnits {
        let wide = |amount: MinorUnits| i128::from(amount.get());
        let totals = &self.totals;
        let fees = wide(totals.fee_amount) + wide(totals.tax_amount)
            - wide(totals.fee_refund_amount)
            - wide(totals.tax_refund_amount);
        MinorUnits::from_wide(fees).unwrap_or(MinorUnits::MAX)
    }

    /// What it stands for in the figures.
    pub fn figures(&self) -> Vec<Move> {
        if !self.complete {
            return Vec::new();
        }
        let moved = |figure, minor| Move {
            figure,
            day: day_of(self.paid_at_ms),
            currency: self.currency.as_str().to_owned(),
            by: Sum::once(minor),
        };
        let mut moves = vec![moved(Figure::Fees, self.fees().get())];
        if self.settlement_type != SettlementType::GrossFee {
            moves.push(moved(Figure::PaidOut, self.totals.settlement_amount.get()));
            moves.push(moved(Figure::Settled, self.of_store_minor));
        }
        moves
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(kind: TransactionType, amount: i64) -> Entry {
        Entry::of(&Transaction::new(kind, MinorUnits::new(amount), Currency::SEK))
    }

    fn sums(entries: &[Entry]) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for entry in entries {
            *sums.entry(entry.kind.clone()).or_default() += entry.amount.get();
        }
        sums
    }

    fn totals(sale: i64, back: i64, fee: i64) -> Totals {
        let mut totals = Totals {
            sale_amount: MinorUnits::new(sale),
            return_amount: MinorUnits::new(back),
            fee_amount: MinorUnits::new(fee),
            ..Totals::default()
        };
        totals.settlement_amount = totals.settlement_by_formula(&SettlementType::Net).unwrap();
        totals
    }

    proptest! {
        /// Totals that are made of the entries differ in nothing; one minor unit more is found.
        #[test]
        fn what_adds_up_is_believed_and_what_does_not_is_found(
            sales in prop::collection::vec(0..100_000_i64, 0..5),
            returns in prop::collection::vec(0..100_000_i64, 0..5),
            fees in prop::collection::vec(0..1_000_i64, 0..5),
        ) {
            let mut entries: Vec<Entry> = Vec::new();
            entries.extend(sales.iter().map(|amount| entry(TransactionType::Sale, *amount)));
            entries.extend(returns.iter().map(|amount| entry(TransactionType::Return, *amount)));
            entries.extend(fees.iter().map(|amount| entry(TransactionType::Fee, *amount)));
            let sum = |of: &[i64]| of.iter().sum::<i64>();
            let totals = totals(sum(&sales), sum(&returns), sum(&fees));
            let net = SettlementType::Net;
            prop_assert_eq!(differences(&totals, &net, &sums(&entries)), []);
            entries.push(entry(TransactionType::Sale, 1));
            let found = differences(&totals, &net, &sums(&entries));
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].parts - found[0].total, 1);
            let settles: i64 = entries.iter().map(Entry::settles).sum();
            prop_assert_eq!(settles, sum(&sales) + 1 - sum(&returns));
        }
    }

    #[test]
    fn only_what_was_to_come_settles() {
        assert_eq!(entry(TransactionType::Sale, 100).settles(), 100);
        assert_eq!(entry(TransactionType::Return, 100).settles(), -100);
        for kind in [TransactionType::Reversal, TransactionType::Fee, TransactionType::Holdback] {
            assert_eq!(entry(kind, 100).settles(), 0);
        }
        let mut default = entry(TransactionType::Return, 100);
        default.detail = Some("payment_default".to_owned());
        assert_eq!(default.settles(), 0, "the shopper did not pay; nobody gave anything back");
    }

    #[test]
    fn the_invoice_of_fees_pays_nothing_out() {
        let mut payout: Payout = serde_json::from_value(serde_json::json!({
            "id": "pyt_1", "store_id": "default", "account_id": "configured", "merchant_id": "K1",
            "reference": "X", "currency": "SEK", "settlement_type": "GROSS_FEE",
            "totals": { "fee_amount": 80, "tax_amount": 20 }, "paid_at_ms": 0, "entries": 0,
            "complete": false, "seen_at_ms": 0,
        }))
        .unwrap();
        assert_eq!(payout.figures(), []);
        payout.complete(&BTreeMap::from([("fee".to_owned(), -80)]), 0);
        assert_eq!(payout.differences, []);
        let figures: Vec<_> =
            payout.figures().into_iter().map(|each| (each.figure, each.by.minor)).collect();
        assert_eq!(figures, [(Figure::Fees, 100)]);
    }
}
