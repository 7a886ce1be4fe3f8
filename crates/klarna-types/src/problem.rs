//! What is wrong with a request: where, by which rule, and what would have passed.
//!
//! A [`Problem`] prints as our own sentence. Klarna's API answers keep Klarna's own wording: [`bad_value`] for the
//! Payments API, [`Problem::order_management_message`] for Order Management.

use std::fmt;

use crate::money::TaxRate;

/// One thing that is wrong, at one place.
///
/// ```
/// use klarna_types::{arithmetic, MinorUnits, OrderLine, TaxRate};
/// let line = OrderLine::new("Sokid", 1, MinorUnits::new(495), MinorUnits::new(495))
///     .tax_rate(TaxRate::percent(7))
///     .total_tax_amount(MinorUnits::new(41));
/// let problems = arithmetic::check_lines(&[line]);
/// assert_eq!(
///     problems[0].to_string(),
///     "order_lines[0].total_tax_amount: 41 differs from 32 by more than 1 (7 % of 495)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as Klarna writes it: `order_lines[3].total_tax_amount`.
    pub path: String,
    /// Which rule is broken.
    pub rule: Rule,
}

/// A broken rule, with what was found and what would pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A required member is missing.
    Missing,
    /// A text has the wrong number of characters.
    Length {
        /// How many it has.
        found: usize,
        /// At least this many.
        min: usize,
        /// At most this many.
        max: usize,
    },
    /// A list has the wrong number of items.
    Items {
        /// How many it has.
        found: usize,
        /// At least this many.
        min: usize,
        /// At most this many.
        max: usize,
    },
    /// A number is out of its range.
    Range {
        /// The number.
        found: i64,
        /// At least this.
        min: Option<i64>,
        /// At most this.
        max: Option<i64>,
    },
    /// A text has the wrong form.
    Form {
        /// What it has to be.
        expected: &'static str,
    },
    /// A value is not one of the documented ones.
    UnknownValue {
        /// The documented ones.
        expected: Vec<&'static str>,
    },
    /// A text contains a control character or line break.
    ControlCharacter,
    /// A URL that Klarna calls is not `https`.
    NotHttps,
    /// Klarna cannot be used in this country.
    NotAMarket,
    /// A customer token is made for another country than that of the billing address.
    BillingCountry {
        /// The country of the billing address.
        billing: String,
    },
    /// Not the country's currency.
    CurrencyOfCountry {
        /// The country.
        country: String,
        /// Its currency.
        expected: String,
    },
    /// Not one of the country's locales.
    LocaleOfCountry {
        /// The country.
        country: String,
        /// Its locales.
        expected: &'static [&'static str],
    },
    /// `total_amount` is not `quantity × unit_price − total_discount_amount`.
    LineTotal {
        /// What was sent.
        found: i64,
        /// What would pass.
        expected: i128,
        /// The quantity.
        quantity: i64,
        /// The price of one.
        unit_price: i64,
        /// The reduction.
        discount: i64,
    },
    /// `total_tax_amount` is not the tax contained in `total_amount`.
    LineTax {
        /// What was sent.
        found: i64,
        /// The tax, rounded half away from zero.
        expected: i128,
        /// The least amount that passes.
        min: i128,
        /// The greatest amount that passes.
        max: i128,
        /// The rate.
        rate: TaxRate,
        /// The line's total.
        total: i64,
    },
    /// `order_amount` is not the sum of the lines.
    OrderAmount {
        /// What was sent.
        found: i64,
        /// What would pass.
        expected: i128,
    },
    /// `order_tax_amount` is not the sum of the lines' tax.
    OrderTax {
        /// What was sent.
        found: i64,
        /// The sum.
        expected: i128,
        /// How far off it may be: the number of lines.
        tolerance: i128,
    },
}

impl Problem {
    /// A problem at a place.
    pub fn new(path: impl Into<String>, rule: Rule) -> Self {
        Self { path: path.into(), rule }
    }

    /// The sentence that Order Management answers with status 422. There, paths have slashes and no indexes.
    ///
    /// ```
    /// use klarna_types::problem::{Problem, Rule};
    /// let problem = Problem::new("shipping_info[0].shipping_company", Rule::Length { found: 120, min: 0, max: 100 });
    /// assert_eq!(
    ///     problem.order_management_message(),
    ///     "The size of the shipping_info/shipping_company value must be between 0 and 100"
    /// );
    /// ```
    pub fn order_management_message(&self) -> String {
        let path = slashed(&self.path);
        match &self.rule {
            Rule::Missing => format!("The {path} value may not be null"),
            Rule::Length { min, max, .. } | Rule::Items { min, max, .. } => {
                format!("The size of the {path} value must be between {min} and {max}")
            }
            Rule::Range { min: Some(min), max: Some(max), .. } => {
                format!("The {path} value must be between {min} and {max}")
            }
            Rule::Range { min: Some(min), max: None, .. } => {
                format!("The {path} value must be greater than or equal to {min}")
            }
            Rule::Range { max: Some(max), .. } => {
                format!("The {path} value must be less than or equal to {max}")
            }
            Rule::UnknownValue { expected } => {
                format!("The {path} value must match ({})", expected.join("|"))
            }
            Rule::Range { .. }
            | Rule::Form { .. }
            | Rule::ControlCharacter
            | Rule::NotHttps
            | Rule::NotAMarket
            | Rule::BillingCountry { .. }
            | Rule::CurrencyOfCountry { .. }
            | Rule::LocaleOfCountry { .. }
            | Rule::LineTotal { .. }
            | Rule::LineTax { .. }
            | Rule::OrderAmount { .. }
            | Rule::OrderTax { .. } => format!("The {path} value is not valid"),
        }
    }
}

/// `shipping_info[0].shipping_company` as `shipping_info/shipping_company`.
fn slashed(path: &str) -> String {
    let mut slashed = String::with_capacity(path.len());
    let mut inside_index = false;
    for character in path.chars() {
        match character {
            '[' => inside_index = true,
            ']' => inside_index = false,
            _ if inside_index => {}
            '.' => slashed.push('/'),
            other => slashed.push(other),
        }
    }
    slashed
}

/// The message that the Payments API answers with status 400: all paths in the order of the checks, each once. Nothing
/// if there is no problem.
///
/// ```
/// use klarna_types::problem::{bad_value, Problem, Rule};
/// let problems = [Problem::new("locale", Rule::Missing), Problem::new("order_lines", Rule::Missing)];
/// assert_eq!(bad_value(&problems).as_deref(), Some("Bad value: locale, order_lines"));
/// ```
pub fn bad_value(problems: &[Problem]) -> Option<String> {
    let mut paths: Vec<&str> = Vec::new();
    for problem in problems {
        if !paths.contains(&problem.path.as_str()) {
            paths.push(&problem.path);
        }
    }
    (!paths.is_empty()).then(|| format!("Bad value: {}", paths.join(", ")))
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.path)?;
        match &self.rule {
            Rule::Missing => formatter.write_str("is required and was not sent"),
            Rule::Length { found, min, max } => {
                write!(formatter, "has {found} characters, {min} to {max} are allowed")
            }
            Rule::Items { found, min, max } => {
                write!(formatter, "has {found} items, {min} to {max} are allowed")
            }
            Rule::Range { found, min, max } => match (min, max) {
                (Some(min), Some(max)) => {
                    write!(formatter, "{found} is not between {min} and {max}")
                }
                (Some(min), None) => write!(formatter, "{found} is less than {min}"),
                (None, Some(max)) => write!(formatter, "{found} is more than {max}"),
                (None, None) => write!(formatter, "{found} is not allowed"),
            },
            Rule::Form { expected } => write!(formatter, "is not {expected}"),
            Rule::UnknownValue { expected } => {
                write!(formatter, "is none of {}", expected.join(", "))
            }
            Rule::ControlCharacter => {
                formatter.write_str("contains a control character or a line break")
            }
            Rule::NotHttps => formatter.write_str("is not an https URL"),
            Rule::NotAMarket => formatter.write_str("is not a country in which Klarna can be used"),
            Rule::BillingCountry { billing } => {
                write!(formatter, "is not {billing}, the country of the billing address")
            }
            Rule::CurrencyOfCountry { country, expected } => {
                write!(formatter, "is not the currency of {country}, which is {expected}")
            }
            Rule::LocaleOfCountry { country, expected } => {
                write!(formatter, "is not a locale of {country}, which are {}", expected.join(", "))
            }
            Rule::LineTotal { found, expected, quantity, unit_price, discount } => {
                write!(
                    formatter,
                    "{found} is not {expected} ({quantity} × {unit_price} − {discount})"
                )
            }
            Rule::LineTax { found, expected, rate, total, .. } => {
                write!(
                    formatter,
                    "{found} differs from {expected} by more than 1 ({rate} of {total})"
                )
            }
            Rule::OrderAmount { found, expected } => {
                write!(formatter, "{found} is not {expected}, the sum of the lines' total_amount")
            }
            Rule::OrderTax { found, expected, tolerance } => write!(
                formatter,
                "{found} differs from {expected}, the sum of the lines' tax, by more than {tolerance} (the number of lines)"
            ),
        }
    }
}
