//! What a dispute does to the merchant's balance: how much is to be taken or given at each point, so that
//! in the end exactly what was decided is gone.

use klarna_types::money::MinorUnits;
use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// Something to be entered into the merchant's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Booking {
    /// What.
    pub(crate) kind: BookingKind,
    /// How much; never negative.
    pub(crate) amount: MinorUnits,
}

/// The kinds of entries, each with its own name in a settlement report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BookingKind {
    /// The amount leaves: `REVERSAL` / `REVERSAL`.
    Reversal,
    /// The amount leaves, as the shopper did not pay: `RETURN` / `PAYMENT_DEFAULT`.
    PaymentDefault,
    /// The amount leaves, and Klarna bears it: `REVERSAL` / `FRAUD_POLICY_CHARGE`.
    FraudPolicyCharge,
    /// What Klarna bears comes back: `REVERSAL_MERCHANT_PROTECTION` / `FRAUD_POLICY_CREDIT_NET`.
    FraudPolicyCredit,
    /// The amount, or a part, comes back: `CREDIT` / `CORRECTION_DISPUTE`.
    Correction,
    /// The fee: `FEE` / `DISPUTE_FEE`.
    Fee,
    /// The fee comes back: `FEE_REFUND` / `DISPUTE_FEE_REFUND`.
    FeeRefund,
}

impl BookingKind {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reversal => "reversal",
            Self::PaymentDefault => "payment_default",
            Self::FraudPolicyCharge => "fraud_policy_charge",
            Self::FraudPolicyCredit => "fraud_policy_credit",
            Self::Correction => "correction",
            Self::Fee => "fee",
            Self::FeeRefund => "fee_refund",
        }
    }

    /// Whether it takes from the merchant.
    #[cfg(test)]
    pub(crate) fn is_debit(self) -> bool {
        matches!(self, Self::Reversal | Self::PaymentDefault | Self::FraudPolicyCharge | Self::Fee)
    }
}

/// What stands in the merchant's balance for a dispute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Of the amount.
    pub(crate) debited: MinorUnits,
    /// Of the fee.
    pub(crate) fee: MinorUnits,
}

/// How the balance shall stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Of the amount.
    pub(crate) debited: MinorUnits,
    /// Of the fee.
    pub(crate) fee: MinorUnits,
    /// Whether Klarna bears the amount.
    pub(crate) borne_by_klarna: bool,
}

/// What Klarna gives back of a sale that it bears: as much of what the merchant was paid for it as is
/// disputed, so the amount less the same share of the sale's fees (their VAT counted). The share is
/// rounded half up, in Klarna's favour where it is exactly between two.
pub(crate) fn net_of_fees(amount: MinorUnits, sale: MinorUnits, fees: MinorUnits) -> MinorUnits {
    let [amount, sale, fees] =
        [amount, sale, fees].map(|it| u128::from(u64::try_from(it.get()).unwrap_or(0)));
    let share = (2 * amount * fees + sale).checked_div(2 * sale).unwrap_or(0);
    // Fees can be greater than a small sale; Klarna does not take more for bearing it.
    MinorUnits::new(i64::try_from(amount.saturating_sub(share)).unwrap_or(i64::MAX))
}

impl Account {
    /// What has to be entered so that the balance stands as it shall.
    pub(crate) fn settle(&mut self, reason: Reason, target: Target) -> Vec<Booking> {
        let mut bookings = Vec::new();
        let mut book = |kind, amount: Option<MinorUnits>| {
            bookings.extend(
                amount.filter(|amount| amount.is_positive()).map(|amount| Booking { kind, amount }),
            );
        };
        let debit = if target.borne_by_klarna {
            BookingKind::FraudPolicyCharge
        } else if reason == Reason::NonGuaranteedPaymentProgram {
            BookingKind::PaymentDefault
        } else {
            BookingKind::Reversal
        };
        book(debit, target.debited.checked_sub(self.debited));
        book(BookingKind::Correction, self.debited.checked_sub(target.debited));
        if target.borne_by_klarna {
            book(BookingKind::FraudPolicyCredit, Some(target.debited));
        }
        book(BookingKind::Fee, target.fee.checked_sub(self.fee));
        book(BookingKind::FeeRefund, self.fee.checked_sub(target.fee));
        self.debited = if target.borne_by_klarna { MinorUnits::ZERO } else { target.debited };
        self.fee = target.fee;
        bookings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(amount: i64, sale: i64, fees: i64, expected: i64) {
        let found =
            net_of_fees(MinorUnits::new(amount), MinorUnits::new(sale), MinorUnits::new(fees));
        assert_eq!(found.get(), expected, "{amount} of {sale}, fees {fees}");
    }

    #[test]
    fn the_net_value_is_the_share_of_what_was_paid() {
        check(10_000, 10_000, 359, 9_641);
        check(5_000, 10_000, 359, 4_820);
        check(1, 10_000, 359, 1);
        check(10_000, 10_000, 0, 10_000);
        check(100, 100, 250, 0);
        check(100, 0, 0, 100);
    }

    proptest! {
        #[test]
        fn nothing_is_given_that_was_not_paid(
            sale in 1..=i64::MAX, part in 0..=i64::MAX, fees in 0..=i64::MAX,
        ) {
            let amount = part.min(sale);
            let fees = fees.min(sale);
            let net = net_of_fees(MinorUnits::new(amount), MinorUnits::new(sale), MinorUnits::new(fees));
            prop_assert!((0..=amount).contains(&net.get()));
            let whole = net_of_fees(MinorUnits::new(sale), MinorUnits::new(sale), MinorUnits::new(fees));
            prop_assert_eq!(whole.get(), sale - fees);
        }
    }
}
