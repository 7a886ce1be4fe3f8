//! The arithmetic of order lines, once, for everyone: what a line's total and tax must be, and what the order's.
//!
//! All intermediate results are 128 bits wide, so nothing overflows whatever the input. Rounding, where there is any,
//! is half away from zero, so that a negative line mirrors its positive twin.
//!
//! It does not know about field limits ([`crate::validate`]) or about building lines from prices ([`crate::cart`]).

use crate::money::{MinorUnits, TaxRate};
use crate::problem::{Problem, Rule};

/// Tax rates count hundredths of a percent.
const ONE: i128 = 10_000;

/// The numbers of one order line, as far as they were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineFigures {
    /// Whether the line itself is the tax (United States).
    pub is_sales_tax: bool,
    /// How many.
    pub quantity: Option<i64>,
    /// Price of one.
    pub unit_price: Option<MinorUnits>,
    /// Total of the line.
    pub total_amount: Option<MinorUnits>,
    /// Reduction of the whole line.
    pub total_discount_amount: Option<MinorUnits>,
    /// Tax rate.
    pub tax_rate: Option<TaxRate>,
    /// Tax contained in the total.
    pub total_tax_amount: Option<MinorUnits>,
}

/// Anything that has the numbers of an order line.
pub trait Figures {
    /// The numbers.
    fn figures(&self) -> LineFigures;
}

impl Figures for LineFigures {
    fn figures(&self) -> LineFigures {
        *self
    }
}

fn wide(amount: MinorUnits) -> i128 {
    i128::from(amount.get())
}

/// Division rounded half away from zero. The divisor must be positive.
pub(crate) fn divide_rounding(numerator: i128, divisor: i128) -> i128 {
    let magnitude =
        (numerator.unsigned_abs() * 2 + divisor.unsigned_abs()) / (divisor.unsigned_abs() * 2);
    // Half of a 128-bit product of two 64-bit numbers and a rate is far inside the signed range.
    let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
    if numerator < 0 { -magnitude } else { magnitude }
}

/// `quantity × unit_price − total_discount_amount`, or nothing if it cannot be represented.
///
/// ```
/// use klarna_types::{arithmetic::line_total, MinorUnits};
/// let total = line_total(2, MinorUnits::new(2490), MinorUnits::new(480));
/// assert_eq!(total, Some(MinorUnits::new(4500)));
/// ```
pub fn line_total(
    quantity: i64,
    unit_price: MinorUnits,
    total_discount_amount: MinorUnits,
) -> Option<MinorUnits> {
    MinorUnits::from_wide(i128::from(quantity) * wide(unit_price) - wide(total_discount_amount))
}

/// The tax contained in an amount that includes it, rounded half away from zero. Negative amounts contain negative tax.
///
/// A rate of −100 % or less contains nothing.
///
/// ```
/// use klarna_types::{arithmetic::tax_included, MinorUnits, TaxRate};
/// assert_eq!(tax_included(MinorUnits::new(4500), TaxRate::percent(19)), MinorUnits::new(718));
/// assert_eq!(tax_included(MinorUnits::new(-4500), TaxRate::percent(19)), MinorUnits::new(-718));
/// ```
pub fn tax_included(amount: MinorUnits, rate: TaxRate) -> MinorUnits {
    let rate = i128::from(rate.get());
    if ONE + rate <= 0 {
        return MinorUnits::ZERO;
    }
    let tax = divide_rounding(wide(amount) * rate, ONE + rate);
    // With a rate of at least zero the tax is smaller than the amount; below zero it may exceed the range.
    MinorUnits::from_wide(tax).unwrap_or(MinorUnits::ZERO)
}

/// The tax that comes on top of an amount that excludes it, rounded half away from zero, or nothing if it cannot be
/// represented.
///
/// ```
/// use klarna_types::{arithmetic::tax_on_top, MinorUnits, TaxRate};
/// assert_eq!(tax_on_top(MinorUnits::new(3000), TaxRate::new(825)), Some(MinorUnits::new(248)));
/// ```
pub fn tax_on_top(amount: MinorUnits, rate: TaxRate) -> Option<MinorUnits> {
    MinorUnits::from_wide(divide_rounding(wide(amount) * i128::from(rate.get()), ONE))
}

/// Checks every line for itself: total and tax.
///
/// Numbers that were not sent are not checked, with one exception: if only one of rate and tax was sent, the other
/// counts as zero.
pub fn check_lines<L: Figures>(lines: &[L]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let line = line.figures();
        problems.extend(check_line_total(index, &line));
        problems.extend(check_line_tax(index, &line));
    }
    problems
}

fn check_line_total(index: usize, line: &LineFigures) -> Option<Problem> {
    let (quantity, unit_price, total) = (line.quantity?, line.unit_price?, line.total_amount?);
    let discount = line.total_discount_amount.unwrap_or_default();
    let expected = i128::from(quantity) * wide(unit_price) - wide(discount);
    (wide(total) != expected).then(|| {
        Problem::new(
            format!("order_lines[{index}].total_amount"),
            Rule::LineTotal {
                found: total.get(),
                expected,
                quantity,
                unit_price: unit_price.get(),
                discount: discount.get(),
            },
        )
    })
}

fn check_line_tax(index: usize, line: &LineFigures) -> Option<Problem> {
    let total = line.total_amount?;
    if line.tax_rate.is_none() && line.total_tax_amount.is_none() {
        return None;
    }
    let rate = line.tax_rate.unwrap_or_default();
    let found = line.total_tax_amount.unwrap_or_default();
    // A rate that is out of its range is a problem of its own; there is no tax to compare with.
    if !rate.is_valid() {
        return None;
    }
    let divisor = ONE + i128::from(rate.get());
    let product = wide(total) * i128::from(rate.get());
    if (wide(found) * divisor - product).abs() <= divisor {
        return None;
    }
    Some(Problem::new(
        format!("order_lines[{index}].total_tax_amount"),
        Rule::LineTax {
            found: found.get(),
            expected: divide_rounding(product, divisor),
            // The integers x with |x × divisor − product| ≤ divisor.
            min: -((divisor - product).div_euclid(divisor)),
            max: (product + divisor).div_euclid(divisor),
            rate,
            total: total.get(),
        },
    ))
}

/// What `order_amount` must be: the sum of the lines' totals.
pub fn expected_order_amount<L: Figures>(lines: &[L]) -> i128 {
    lines.iter().map(|line| line.figures().total_amount.map_or(0, wide)).sum()
}

/// What `order_tax_amount` should be: the tax of the lines, and the totals of `sales_tax` lines, which are tax.
pub fn expected_order_tax<L: Figures>(lines: &[L]) -> i128 {
    lines
        .iter()
        .map(|line| {
            let line = line.figures();
            let tax = if line.is_sales_tax { line.total_amount } else { line.total_tax_amount };
            tax.map_or(0, wide)
        })
        .sum()
}

/// Checks the lines and the order's amount and tax. An amount or tax that was not sent is not checked.
///
/// The order's tax may be off by the number of lines.
///
/// ```
/// use klarna_types::{arithmetic::check, MinorUnits, OrderLine, OrderLineType};
/// let lines = [
///     OrderLine::new("Trail cap", 2, MinorUnits::new(1500), MinorUnits::new(3000)),
///     OrderLine::new("Sales Tax", 1, MinorUnits::new(248), MinorUnits::new(248)).kind(OrderLineType::SalesTax),
/// ];
/// assert!(check(&lines, Some(MinorUnits::new(3248)), Some(MinorUnits::new(248))).is_empty());
/// let problems = check(&lines, Some(MinorUnits::new(3000)), None);
/// assert_eq!(problems[0].path, "order_amount");
/// ```
pub fn check<L: Figures>(
    lines: &[L],
    order_amount: Option<MinorUnits>,
    order_tax_amount: Option<MinorUnits>,
) -> Vec<Problem> {
    let mut problems = check_lines(lines);
    problems.extend(check_sums(lines, order_amount, order_tax_amount));
    problems
}

/// Checks only the order's amount and tax against the lines.
pub(crate) fn check_sums<L: Figures>(
    lines: &[L],
    order_amount: Option<MinorUnits>,
    order_tax_amount: Option<MinorUnits>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(found) = order_amount {
        let expected = expected_order_amount(lines);
        if wide(found) != expected {
            problems.push(Problem::new(
                "order_amount",
                Rule::OrderAmount { found: found.get(), expected },
            ));
        }
    }
    if let Some(found) = order_tax_amount {
        let expected = expected_order_tax(lines);
        let tolerance = i128::try_from(lines.len()).unwrap_or(i128::MAX);
        if (wide(found) - expected).abs() > tolerance {
            problems.push(Problem::new(
                "order_tax_amount",
                Rule::OrderTax { found: found.get(), expected, tolerance },
            ));
        }
    }
    problems
}
