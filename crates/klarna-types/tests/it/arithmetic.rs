//! Order-line arithmetic: the published cases, and its properties.

use klarna_types::arithmetic::{self, LineFigures};
use klarna_types::problem::Rule;
use klarna_types::{MinorUnits, TaxRate};
use proptest::prelude::*;

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

fn line(total: i64, rate: i64, tax: i64) -> LineFigures {
    LineFigures {
        quantity: Some(1),
        unit_price: Some(minor(total)),
        total_amount: Some(minor(total)),
        tax_rate: Some(TaxRate::new(rate)),
        total_tax_amount: Some(minor(tax)),
        ..LineFigures::default()
    }
}

fn accepts(total: i64, rate: i64, tax: i64) -> bool {
    arithmetic::check_lines(&[line(total, rate, tax)]).is_empty()
}

#[test]
fn published_cases() {
    // Called rejected on one page, which computes on another total; valid by both published formulas.
    assert!(accepts(59_500, 2500, 11_900));
    // Reported from the field: exact tax 32.38.
    assert!(!accepts(495, 700, 41));
    assert!(accepts(495, 700, 32));
    // The tax page's own accepted shipping line.
    assert!(accepts(2900, 2000, 483));
    // The sample gift card: 27 on 300 at 10 %.
    assert!(accepts(-300, 1000, -27));
    assert!(accepts(4500, 1900, 718));
}

#[test]
fn tolerance_is_one_minor_unit_around_the_exact_tax() {
    // Exact tax of 1000 at 25 % is 200.
    assert_eq!(
        (198..=202).filter(|tax| accepts(1000, 2500, *tax)).collect::<Vec<_>>(),
        [199, 200, 201]
    );
    // Exact tax of 495 at 7 % is 32.38.
    assert_eq!((30..=35).filter(|tax| accepts(495, 700, *tax)).collect::<Vec<_>>(), [32, 33]);
}

#[test]
fn one_of_rate_and_tax_makes_the_other_zero() {
    let mut only_rate = line(1000, 2500, 0);
    only_rate.total_tax_amount = None;
    assert_eq!(arithmetic::check_lines(&[only_rate]).len(), 1);
    let mut only_tax = line(1000, 0, 2);
    only_tax.tax_rate = None;
    assert_eq!(arithmetic::check_lines(&[only_tax]).len(), 1);
    only_tax.total_tax_amount = None;
    assert!(arithmetic::check_lines(&[only_tax]).is_empty());
}

#[test]
fn order_tax_may_be_off_by_the_number_of_lines() {
    let lines = [line(1000, 2500, 200), line(1000, 2500, 200)];
    let off_by = |by: i64| arithmetic::check(&lines, Some(minor(2000)), Some(minor(400 + by)));
    assert!(off_by(2).is_empty() && off_by(-2).is_empty());
    let problems = off_by(3);
    assert_eq!(
        problems[0].to_string(),
        "order_tax_amount: 403 differs from 400, the sum of the lines' tax, by more than 2 (the number of lines)"
    );
}

#[test]
fn problems_say_what_would_pass() {
    let problems = arithmetic::check_lines(&[line(495, 700, 41)]);
    let Rule::LineTax { expected, min, max, .. } = problems[0].rule else { panic!("{problems:?}") };
    assert_eq!((expected, min, max), (32, 32, 33));
    let wrong = LineFigures { quantity: Some(3), ..line(100, 0, 0) };
    let problems = arithmetic::check_lines(&[wrong]);
    assert_eq!(
        problems[0].to_string(),
        "order_lines[0].total_amount: 100 is not 300 (3 × 100 − 0)"
    );
}

#[test]
fn sums_wider_than_the_type_do_not_wrap() {
    let lines = [line(i64::MAX, 0, 0), line(i64::MAX, 0, 0)];
    let problems = arithmetic::check(&lines, Some(minor(-2)), None);
    let Rule::OrderAmount { expected, .. } = problems[0].rule else { panic!("{problems:?}") };
    assert_eq!(expected, 2 * i128::from(i64::MAX));
}

proptest! {
    /// The tax that is computed always passes, and so do exactly the amounts that a refusal says would.
    #[test]
    fn computed_tax_passes_and_bounds_are_exact(
        total in -200_000_000_i64..=200_000_000,
        rate in 0_i64..=10_000,
        wrong in 2_i64..1000,
    ) {
        let tax = arithmetic::tax_included(minor(total), TaxRate::new(rate)).get();
        prop_assert!(accepts(total, rate, tax));
        let problems = arithmetic::check_lines(&[line(total, rate, tax + wrong)]);
        let Rule::LineTax { expected, min, max, .. } = problems[0].rule else { panic!() };
        prop_assert_eq!(expected, i128::from(tax));
        let (min, max) = (i64::try_from(min).unwrap(), i64::try_from(max).unwrap());
        prop_assert!(accepts(total, rate, min) && accepts(total, rate, max));
        prop_assert!(!accepts(total, rate, min - 1) && !accepts(total, rate, max + 1));
    }

    /// A negative line mirrors its positive twin.
    #[test]
    fn negative_lines_mirror(total in 0_i64..=200_000_000, rate in 0_i64..=10_000) {
        let positive = arithmetic::tax_included(minor(total), TaxRate::new(rate)).get();
        let negative = arithmetic::tax_included(minor(-total), TaxRate::new(rate)).get();
        prop_assert_eq!(positive, -negative);
    }

    /// Adding tax and taking it out again comes back to within the rounding.
    #[test]
    fn tax_on_top_and_tax_included_agree(net in 0_i64..=100_000_000, rate in 0_i64..=10_000) {
        let rate = TaxRate::new(rate);
        let tax = arithmetic::tax_on_top(minor(net), rate).unwrap();
        let gross = minor(net).checked_add(tax).unwrap();
        let contained = arithmetic::tax_included(gross, rate);
        prop_assert!((contained.get() - tax.get()).abs() <= 1);
    }

    /// Any numbers at all are answered.
    #[test]
    fn nothing_overflows(
        numbers in prop::collection::vec(any::<(i64, i64, i64, i64, i64, i64)>(), 0..5),
        amount in any::<i64>(),
        tax in any::<i64>(),
    ) {
        let lines: Vec<LineFigures> = numbers
            .into_iter()
            .map(|(quantity, price, total, discount, rate, tax)| LineFigures {
                is_sales_tax: quantity % 2 == 0,
                quantity: Some(quantity),
                unit_price: Some(minor(price)),
                total_amount: Some(minor(total)),
                total_discount_amount: Some(minor(discount)),
                tax_rate: Some(TaxRate::new(rate)),
                total_tax_amount: Some(minor(tax)),
            })
            .collect();
        let problems = arithmetic::check(&lines, Some(minor(amount)), Some(minor(tax)));
        for problem in problems {
            prop_assert!(!problem.to_string().is_empty());
        }
        for line in &lines {
            arithmetic::tax_included(line.total_amount.unwrap(), line.tax_rate.unwrap());
            arithmetic::tax_on_top(line.total_amount.unwrap(), line.tax_rate.unwrap());
        }
    }
}
