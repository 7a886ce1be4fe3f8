//! What a period's postings add up to, and what becomes of it.

use klarna_types::money::MinorUnits;
use klarna_types::settlements::{DetailedType, SettlementType, Totals, TransactionType};

use super::fees::share;
use super::posting::Lane;
use super::terms::{Reserve, Stop};

/// The postings of one type in a period, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KindSum {
    /// The type.
    pub(crate) kind: TransactionType,
    /// The sum of the amounts.
    pub(crate) amount: MinorUnits,
    /// The sum of the VAT on them.
    pub(crate) vat_amount: MinorUnits,
}

/// A period that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    /// What happened in it.
    pub(crate) sums: Vec<KindSum>,
    /// The merchant's debt before.
    pub(crate) opening_debt: MinorUnits,
    /// Payout or invoice.
    pub(crate) lane: Lane,
    /// What is withheld for a time.
    pub(crate) reserve: Option<Reserve>,
    /// Why payouts are stopped, if they are.
    pub(crate) stop: Option<Stop>,
}

/// What becomes of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The payout's totals, what is withheld included.
    pub(crate) totals: Totals,
    /// What is withheld of it: postings of the payout itself.
    pub(crate) holdbacks: Vec<(DetailedType, MinorUnits)>,
}

impl Stop {
    /// What the rows of a stop are called.
    pub(crate) fn detailed_type(self) -> DetailedType {
        match self {
            Self::UnderReview => DetailedType::UnderReview,
            Self::InsufficientBankAccountDetails => DetailedType::InsufficientBankAccountDetails,
        }
    }
}

/// Makes a payout of a period, or nothing when its sums cannot be represented.
///
/// A shortfall becomes debt. Otherwise the debt is paid back first, then the reserve is taken, and what
/// is left is paid, or withheld when payouts are stopped. An invoice has no debt: it says what the
/// merchant owes as a negative settlement.
pub(crate) fn settle(period: &Period) -> Option<Settled> {
    let mut totals = add_up(&period.sums)?;
    totals.opening_debt_balance_amount = period.opening_debt;
    let net = totals.settlement_by_formula(&SettlementType::Net)?;
    let mut holdbacks = Vec::new();
    if period.lane == Lane::Invoice {
        totals.settlement_amount = net;
    } else if net.is_negative() {
        totals.deposit_amount = net.checked_neg()?;
    } else {
        totals.repay_amount = net.min(period.opening_debt);
        let mut rest = net.checked_sub(totals.repay_amount)?;
        let reserved = period
            .reserve
            .map_or(MinorUnits::ZERO, |reserve| share(totals.sale_amount, reserve.percentage))
            .min(rest);
        if reserved.is_positive() {
            holdbacks.push((DetailedType::RollingReserve, reserved));
            rest = rest.checked_sub(reserved)?;
        }
        if let Some(stop) = period.stop.filter(|_| rest.is_positive()) {
            holdbacks.push((stop.detailed_type(), rest));
            rest = MinorUnits::ZERO;
        }
        totals.settlement_amount = rest;
    }
    let withheld = MinorUnits::checked_sum(holdbacks.iter().map(|(_, amount)| *amount))?;
    totals.holdback_amount = totals.holdback_amount.checked_add(withheld)?;
    totals.closing_debt_balance_amount = totals.closing_debt_by_formula()?;
    Some(Settled { totals, holdbacks })
}

/// Which total each type counts towards.
fn add_up(sums: &[KindSum]) -> Option<Totals> {
    let mut totals = Totals::default();
    for KindSum { kind, amount, vat_amount } in sums {
        let total = match kind {
            TransactionType::Sale => &mut totals.sale_amount,
            TransactionType::Return => &mut totals.return_amount,
            TransactionType::Reversal | TransactionType::ReversalMerchantProtection => {
                &mut totals.reversal_amount
            }
            TransactionType::Fee => &mut totals.fee_amount,
            TransactionType::FeeRefund => &mut totals.fee_refund_amount,
            TransactionType::Tax => &mut totals.tax_amount,
            TransactionType::Commission => &mut totals.commission_amount,
            TransactionType::Charge => &mut totals.charge_amount,
            TransactionType::Credit => &mut totals.credit_amount,
            TransactionType::Holdback => &mut totals.holdback_amount,
            TransactionType::Release => &mut totals.release_amount,
            // Nobody posts a type that is not known; were it so, its amount would have a sign.
            TransactionType::Correction | TransactionType::Unknown(_) => {
                &mut totals.fee_correction_amount
            }
        };
        *total = match kind {
            // What merchant protection gives back makes the reversals less.
            TransactionType::ReversalMerchantProtection => total.checked_sub(*amount)?,
            _ => total.checked_add(*amount)?,
        };
        let tax = match kind {
            TransactionType::FeeRefund => &mut totals.tax_refund_amount,
            _ => &mut totals.tax_amount,
        };
        *tax = tax.checked_add(*vat_amount)?;
    }
    Some(totals)
}
