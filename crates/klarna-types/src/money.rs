//! Amounts and tax rates. Integers only: an amount counts minor units, a tax rate counts hundredths of a percent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in the minor units of its currency: 2500 is 25.00 EUR. The currency stands beside it, as on the wire.
///
/// There are no unchecked operators: adding two amounts is [`MinorUnits::checked_add`].
///
/// ```
/// use klarna_types::MinorUnits;
/// let price = MinorUnits::new(2490);
/// assert_eq!(price.checked_mul(2), Some(MinorUnits::new(4980)));
/// assert_eq!(MinorUnits::MAX.checked_add(price), None);
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MinorUnits(i64);

impl MinorUnits {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The greatest amount that can be represented.
    pub const MAX: Self = Self(i64::MAX);
    /// The least amount that can be represented.
    pub const MIN: Self = Self(i64::MIN);

    /// An amount of so many minor units.
    pub const fn new(minor_units: i64) -> Self {
        Self(minor_units)
    }

    /// How many minor units.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or nothing if it cannot be represented.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or nothing if it cannot be represented.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The amount so many times, or nothing if it cannot be represented.
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(product) => Some(Self(product)),
            None => None,
        }
    }

    /// The amount with its sign turned, or nothing if it cannot be represented.
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(negated) => Some(Self(negated)),
            None => None,
        }
    }

    /// The sum of amounts, or nothing if it cannot be represented.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        // Added up wide, so that the order of the parts never decides whether the whole can be represented.
        let sum: i128 = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        Self::from_wide(sum)
    }

    /// An amount from a wide intermediate result, or nothing if it cannot be represented.
    pub fn from_wide(value: i128) -> Option<Self> {
        i64::try_from(value).ok().map(Self)
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount for people, with as many decimals as the currency has: `-1234.50` for -123450 at exponent 2.
    ///
    /// ```
    /// use klarna_types::{Currency, MinorUnits};
    /// assert_eq!(MinorUnits::new(-5).to_decimal(Currency::EUR.exponent()), "-0.05");
    /// assert_eq!(MinorUnits::new(1500).to_decimal(0), "1500");
    /// ```
    pub fn to_decimal(self, exponent: u8) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits =
            format!("{:0>width$}", self.0.unsigned_abs(), width = usize::from(exponent) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(exponent));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

impl fmt::Display for MinorUnits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// A tax rate in hundredths of a percent: 2500 is 25 %.
///
/// Any integer can be read, so that a rate outside of 0 to 10000 can be answered by name; [`TaxRate::is_valid`] tells.
///
/// ```
/// use klarna_types::TaxRate;
/// assert_eq!(TaxRate::percent(25), TaxRate::new(2500));
/// assert_eq!(TaxRate::new(550).to_string(), "5.5 %");
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TaxRate(i64);

impl TaxRate {
    /// No tax.
    pub const ZERO: Self = Self(0);
    /// The highest rate that Klarna Payments takes: 100 %.
    pub const MAX: Self = Self(10_000);

    /// A rate of so many hundredths of a percent.
    pub const fn new(hundredths_of_percent: i64) -> Self {
        Self(hundredths_of_percent)
    }

    /// A rate of whole percents.
    pub const fn percent(percent: u16) -> Self {
        // A u16 times 100 always fits, and `From` is not const.
        Self(percent as i64 * 100)
    }

    /// How many hundredths of a percent.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether Klarna Payments takes it: 0 to 10000.
    pub const fn is_valid(self) -> bool {
        0 <= self.0 && self.0 <= Self::MAX.0
    }
}

impl fmt::Display for TaxRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match (rest, rest % 10) {
            (0, _) => write!(formatter, "{sign}{whole} %"),
            (_, 0) => write!(formatter, "{sign}{whole}.{} %", rest / 10),
            _ => write!(formatter, "{sign}{whole}.{rest:02} %"),
        }
    }
}
