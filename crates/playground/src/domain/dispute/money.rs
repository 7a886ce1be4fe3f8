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
