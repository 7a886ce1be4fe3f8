//! What Klarna takes. Shares are rounded half up to the minor unit, each row by itself.

use klarna_types::market::Currency;
use klarna_types::money::{MinorUnits, TaxRate};

use super::posting::Vat;
use super::terms::FeeTerms;

/// Shares are counted in hundredths of a percent.
const WHOLE: i128 = 10_000;

/// A share of an amount, half up. Nothing of nothing, and never more than can be represented.
pub(super) fn share(amount: MinorUnits, hundredths_of_percent: i64) -> MinorUnits {
    let product = i128::from(amount.get().max(0)) * i128::from(hundredths_of_percent.max(0));
    MinorUnits::from_wide((product + WHOLE / 2) / WHOLE).unwrap_or(MinorUnits::MAX)
}

impl FeeTerms {
    /// The share of a captured amount.
    pub(crate) fn percentage_of(&self, amount: MinorUnits) -> MinorUnits {
        share(amount, self.percentage)
    }

    /// The fixed part of a capture in this currency.
    pub(crate) fn fixed_in(&self, currency: &Currency) -> MinorUnits {
        MinorUnits::new(self.fixed.get(currency.as_str()).copied().unwrap_or(0))
    }

    /// VAT on a fee.
    pub(crate) fn vat_on(&self, fee: MinorUnits) -> Vat {
        Vat { rate: TaxRate::new(self.vat_rate), amount: share(fee, self.vat_rate) }
    }
}
