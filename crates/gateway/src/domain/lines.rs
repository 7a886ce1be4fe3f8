//! Captures and refunds line by line.
//!
//! Rules kept here: parts are cut from the *recorded* lines, never computed anew from prices; the
//! parts of a line add up to the line, whatever the order and size of the cuts; each part obeys
//! `total = quantity × unit price − discount` by itself.
//!
//! The remainder rule: what the first `n` units of a line carry of its discount and tax is the
//! whole's share, rounded down; a cut takes the difference between two such sums. So the last units
//! take what rounding left, to the minor unit.
//!
//! A `sales_tax` line (United States) has no units of its own: it follows the goods by amount,
//! under the same rule.

use klarna_types::{MinorUnits, OrderLine, OrderLineType};

/// So many units of the line with this reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The `reference` of the line; the name, where a line has no reference.
    pub reference: String,
    /// How many units.
    pub quantity: i64,
}

/// Why lines cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The list is empty.
    #[error("lines: name at least one line, or leave lines out")]
    Empty,
    /// No such line.
    #[error("lines[{index}].reference: the payment has no line \"{reference}\"")]
    Unknown {
        /// Where in the list.
        index: usize,
        /// What was asked for.
        reference: String,
    },
    /// Sales tax cannot be asked for by itself.
    #[error("lines[{index}].reference: \"{reference}\" is sales tax, which follows the goods")]
    FollowsGoods {
        /// Where in the list.
        index: usize,
        /// What was asked for.
        reference: String,
    },
    /// Zero or less.
    #[error("lines[{index}].quantity: {quantity} is not more than 0")]
    NotPositive {
        /// Where in the list.
        index: usize,
        /// What was asked for.
        quantity: i64,
    },
    /// More than there is.
    #[error("lines[{index}].quantity: {quantity} is more than the {left} left of \"{reference}\"")]
    TooMany {
        /// Where in the list.
        index: usize,
        /// What was asked for.
        quantity: i64,
        /// What there is.
        left: i64,
        /// Of which line.
        reference: String,
    },
    /// Amounts too large to compute with.
    #[error("lines[{index}]: the amounts are too large")]
    Overflow {
        /// Where in the list.
        index: usize,
    },
}

/// The sum of the lines' totals; `None` when it cannot be represented.
pub fn sum(order_lines: &[OrderLine]) -> Option<MinorUnits> {
    MinorUnits::checked_sum(order_lines.iter().map(|line| line.total_amount))
}

/// What identifies a line to Klarna and to the shop.
pub fn key(line: &OrderLine) -> &str {
    line.reference.as_deref().unwrap_or(&line.name)
}

fn is_sales_tax(line: &OrderLine) -> bool {
    line.kind == Some(OrderLineType::SalesTax)
}

/// The share that `part` of `whole` has of `amount`, rounded towards zero.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let wide = i128::from(amount) * i128::from(part) / i128::from(whole);
    // |part| ≤ |whole| for every caller, so the share is never larger than the amount.
    i64::try_from(wide).unwrap_or(amount)
}

/// How much of each line is gone.
struct Ledger<'a> {
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    line: &'a OrderLine,
    units_gone: i64,
    amount_gone: i64,
}

impl<'a> Ledger<'a> {
    /// Attributes what was taken to the lines it was taken from. Lines that share a reference are
    /// used up in order.
    fn new(order: impl IntoIterator<Item = &'a OrderLine>, taken: &[&OrderLine]) -> Self {
        let mut rows: Vec<Row<'a>> =
            order.into_iter().map(|line| Row { line, units_gone: 0, amount_gone: 0 }).collect();
        for taken in taken {
            let mut units = taken.quantity.max(0);
            let mut amount = taken.total_amount.get();
            let matching: Vec<usize> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| key(row.line) == key(taken))
                .map(|(index, _)| index)
                .collect();
            let last = matching.last().copied();
            for index in matching {
                let Some(row) = rows.get_mut(index) else { continue };
                // A part that was cut by amount has another unit price: it takes money, not units.
                if taken.unit_price == row.line.unit_price && !is_sales_tax(row.line) {
                    let taking = units.min((row.line.quantity - row.units_gone).max(0));
                    row.units_gone += taking;
                    units -= taking;
                }
                let total = row.line.total_amount.get();
                let left = total - row.amount_gone;
                let taking = if Some(index) == last { amount } else { clamp(amount, left) };
                row.amount_gone += taking;
                amount -= taking;
            }
        }
        Self { rows }
    }

    /// The money left on a row, never across zero.
    fn amount_left(row: &Row<'_>) -> i64 {
        let total = row.line.total_amount.get();
        clamp(total.saturating_sub(row.amount_gone), total)
    }
}

/// `amount`, kept between zero and `limit`, whichever sign the limit has.
fn clamp(amount: i64, limit: i64) -> i64 {
    if limit >= 0 { amount.clamp(0, limit) } else { amount.clamp(limit, 0) }
}

/// Cuts `quantity` units out of a line of which `before` units are gone.
fn cut_units(line: &OrderLine, before: i64, quantity: i64) -> Option<OrderLine> {
    let after = before.checked_add(quantity)?;
    let part_of = |amount: MinorUnits| {
        let amount = amount.get();
        MinorUnits::new(share(amount, after, line.quantity) - share(amount, before, line.quantity))
    };
    let discount = line.total_discount_amount.map(part_of);
    let total =
        line.unit_price.checked_mul(quantity)?.checked_sub(discount.unwrap_or(MinorUnits::ZERO))?;
    Some(OrderLine {
        quantity,
        total_amount: total,
        total_discount_amount: discount,
        total_tax_amount: line.total_tax_amount.map(part_of),
        ..line.clone()
    })
}

/// Cuts `amount` out of a line of which the amount `before` is gone: one unit of that price.
fn cut_amount(line: &OrderLine, before: i64, amount: i64) -> OrderLine {
    let total = line.total_amount.get();
    let amount_of = |tax: MinorUnits| {
        let tax = tax.get();
        MinorUnits::new(share(tax, before + amount, total) - share(tax, before, total))
    };
    if before == 0 && amount == total {
        return line.clone();
    }
    OrderLine {
        quantity: 1,
        unit_price: MinorUnits::new(amount),
        total_amount: MinorUnits::new(amount),
        total_discount_amount: None,
        total_tax_amount: line.total_tax_amount.map(amount_of),
        quantity_unit: None,
        ..line.clone()
    }
}

/// Takes units of the order's lines for a capture; `taken` was captured before, or is on its way.
pub fn take_units(
    order: &[OrderLine],
    taken: &[&OrderLine],
    wanted: &[Wanted],
) -> Result<Vec<OrderLine>, Problem> {
    cut(Ledger::new(order, taken), wanted)
}

/// Takes units of the captured lines for a refund; `taken` was refunded before, or is on its way.
pub fn give_back_units(
    order: &[OrderLine],
    captured: &[&OrderLine],
    taken: &[&OrderLine],
    wanted: &[Wanted],
) -> Result<Vec<OrderLine>, Problem> {
    // Cut from the order's lines, as the captures were: giving back all that was captured of a
    // line is then exactly what was captured of it.
    let captured = Ledger::new(order, captured);
    let mut refundable = Ledger::new(order, taken);
    let whole: Vec<OrderLine> = captured
        .rows
        .iter()
        .map(|row| OrderLine { quantity: row.units_gone, ..row.line.clone() })
        .collect();
    check(&refundable, &whole, wanted)?;
    let parts = cut_checked(&mut refundable, &whole, wanted)?;
    Ok(with_sales_tax(&refundable, parts))
}

/// Everything that is left of the order's lines.
pub fn take_rest(order: &[OrderLine], taken: &[&OrderLine]) -> Vec<OrderLine> {
    let ledger = Ledger::new(order, taken);
    let rest = ledger.rows.iter().filter_map(|row| {
        let units = row.line.quantity - row.units_gone;
        let left = Ledger::amount_left(row);
        let by_units = cut_units(row.line, row.units_gone, units.max(0));
        match by_units {
            // Units that cost nothing any more may still carry the last bit of tax.
            Some(part) if units > 0 && part.total_amount.get() == left => Some(part),
            _ if left == 0 => None,
            _ => Some(cut_amount(row.line, row.amount_gone, left)),
        }
    });
    rest.collect()
}

/// Derives the lines of a refund of which only the amount is known: all that is left, where the
/// amount is all that is left; else from the captured lines in their order.
pub fn give_back_amount(
    captured: &[&OrderLine],
    taken: &[&OrderLine],
    amount: MinorUnits,
) -> Vec<OrderLine> {
    let owned: Vec<OrderLine> = captured.iter().map(|line| (*line).clone()).collect();
    let rest = take_rest(&owned, taken);
    if sum(&rest) == Some(amount) {
        return rest;
    }
    let ledger = Ledger::new(&owned, taken);
    let mut left = amount.get();
    let mut parts = Vec::new();
    for row in &ledger.rows {
        let part = Ledger::amount_left(row).min(left);
        if part > 0 {
            parts.push(cut_amount(row.line, row.amount_gone, part));
            left -= part;
        }
    }
    // Lines that do not explain the whole amount would mislead.
    if left == 0 { parts } else { Vec::new() }
}

fn cut(mut ledger: Ledger<'_>, wanted: &[Wanted]) -> Result<Vec<OrderLine>, Problem> {
    let whole: Vec<OrderLine> = ledger.rows.iter().map(|row| row.line.clone()).collect();
    check(&ledger, &whole, wanted)?;
    let parts = cut_checked(&mut ledger, &whole, wanted)?;
    Ok(with_sales_tax(&ledger, parts))
}

fn check(ledger: &Ledger<'_>, whole: &[OrderLine], wanted: &[Wanted]) -> Result<(), Problem> {
    if wanted.is_empty() {
        return Err(Problem::Empty);
    }
    for (index, Wanted { reference, quantity }) in wanted.iter().enumerate() {
        let mut matching =
            ledger.rows.iter().zip(whole).filter(|(row, _)| key(row.line) == reference).peekable();
        if matching.peek().is_none() {
            return Err(Problem::Unknown { index, reference: reference.clone() });
        }
        if *quantity <= 0 {
            return Err(Problem::NotPositive { index, quantity: *quantity });
        }
        if matching.all(|(row, _)| is_sales_tax(row.line)) {
            return Err(Problem::FollowsGoods { index, reference: reference.clone() });
        }
    }
    Ok(())
}

fn cut_checked(
    ledger: &mut Ledger<'_>,
    whole: &[OrderLine],
    wanted: &[Wanted],
) -> Result<Vec<OrderLine>, Problem> {
    let mut parts = Vec::new();
    for (index, Wanted { reference, quantity }) in wanted.iter().enumerate() {
        let mut missing = *quantity;
        let mut left_in_all: i64 = 0;
        for (row, whole) in ledger.rows.iter_mut().zip(whole) {
            if key(row.line) != reference || is_sales_tax(row.line) {
                continue;
            }
            let left = (whole.quantity - row.units_gone).max(0);
            left_in_all = left_in_all.saturating_add(left);
            let taking = left.min(missing);
            if taking == 0 {
                continue;
            }
            let part =
                cut_units(row.line, row.units_gone, taking).ok_or(Problem::Overflow { index })?;
            row.units_gone += taking;
            row.amount_gone = row.amount_gone.saturating_add(part.total_amount.get());
            missing -= taking;
            parts.push(part);
        }
        if missing > 0 {
            return Err(Problem::TooMany {
                index,
                quantity: *quantity,
                left: left_in_all,
                reference: reference.clone(),
            });
        }
    }
    Ok(parts)
}

/// Adds the share of each `sales_tax` line that belongs to the goods gone so far.
fn with_sales_tax(ledger: &Ledger<'_>, mut parts: Vec<OrderLine>) -> Vec<OrderLine> {
    let goods = || ledger.rows.iter().filter(|row| !is_sales_tax(row.line));
    let total: i128 = goods().map(|row| i128::from(row.line.total_amount.get())).sum();
    let gone: i128 = goods().map(|row| i128::from(row.amount_gone)).sum();
    let (Ok(total), Ok(gone)) = (i64::try_from(total), i64::try_from(gone)) else {
        return parts;
    };
    for row in ledger.rows.iter().filter(|row| is_sales_tax(row.line)) {
        let due = share(row.line.total_amount.get(), gone.clamp(0, total.max(0)), total);
        let part = clamp(due - row.amount_gone, Ledger::amount_left(row));
        if part != 0 {
            parts.push(cut_amount(row.line, row.amount_gone, part));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use klarna_types::TaxRate;
    use proptest::prelude::*;

    use super::*;

    fn line(reference: &str, quantity: i64, unit_price: i64, discount: i64, tax: i64) -> OrderLine {
        OrderLine::new(
            reference,
            quantity,
            MinorUnits::new(unit_price),
            MinorUnits::new(quantity * unit_price - discount),
        )
        .reference(reference)
        .kind(OrderLineType::Physical)
        .tax_rate(TaxRate::new(2500))
        .total_discount_amount(MinorUnits::new(discount))
        .total_tax_amount(MinorUnits::new(tax))
    }

    fn want(reference: &str, quantity: i64) -> Wanted {
        Wanted { reference: reference.to_owned(), quantity }
    }

    fn totals(lines: &[OrderLine]) -> Vec<i64> {
        lines.iter().map(|line| line.total_amount.get()).collect()
    }

    #[test]
    fn three_for_a_hundred_are_33_33_34() {
        // 3 × 40 − 20 = 100: the discount of 20 is cut 6 + 7 + 7.
        let order = [line("cup", 3, 40, 20, 20)];
        let mut taken: Vec<OrderLine> = Vec::new();
        for expected in [34, 33, 33] {
            let refs: Vec<_> = taken.iter().collect();
            let part = take_units(&order, &refs, &[want("cup", 1)]).unwrap();
            assert_eq!(totals(&part), [expected]);
            taken.extend(part);
        }
        assert_eq!(sum(&taken), Some(MinorUnits::new(100)));
        let tax: i64 =
            taken.iter().filter_map(|line| line.total_tax_amount).map(MinorUnits::get).sum();
        assert_eq!(tax, 20);
    }

    #[test]
    fn what_is_wrong_with_lines_is_named() {
        let order = [line("cup", 3, 40, 0, 24)];
        let cases = [
            (vec![], "lines: name at least one line, or leave lines out"),
            (vec![want("mug", 1)], "lines[0].reference: the payment has no line \"mug\""),
            (vec![want("cup", 1), want("cup", 0)], "lines[1].quantity: 0 is not more than 0"),
            (vec![want("cup", 4)], "lines[0].quantity: 4 is more than the 3 left of \"cup\""),
            (
                vec![want("cup", 2), want("cup", 2)],
                "lines[1].quantity: 2 is more than the 1 left of \"cup\"",
            ),
        ];
        for (wanted, message) in cases {
            let problem = take_units(&order, &[], &wanted).unwrap_err();
            assert_eq!(problem.to_string(), message);
        }
    }

    #[test]
    fn lines_with_the_same_reference_are_used_up_in_order() {
        let order = [line("cup", 1, 40, 0, 8), line("cup", 2, 50, 0, 20)];
        let parts = take_units(&order, &[], &[want("cup", 2)]).unwrap();
        assert_eq!(totals(&parts), [40, 50]);
    }

    #[test]
    fn sales_tax_follows_the_goods() {
        let tax = OrderLine::new("Sales Tax", 1, MinorUnits::new(25), MinorUnits::new(25))
            .kind(OrderLineType::SalesTax);
        let order = [line("cap", 3, 100, 0, 0), tax];
        let mut taken: Vec<OrderLine> = Vec::new();
        for expected in [[100, 8], [100, 8], [100, 9]] {
            let refs: Vec<_> = taken.iter().collect();
            let parts = take_units(&order, &refs, &[want("cap", 1)]).unwrap();
            assert_eq!(totals(&parts), expected);
            taken.extend(parts);
        }
        let problem = take_units(&order, &[], &[want("Sales Tax", 1)]).unwrap_err();
        assert!(matches!(problem, Problem::FollowsGoods { index: 0, .. }));
    }

    #[test]
    fn an_amount_alone_is_given_back_from_the_captured_lines() {
        let order = [line("cup", 2, 400, 0, 160), line("pot", 1, 500, 0, 100)];
        let captured: Vec<_> = order.iter().collect();
        let part = give_back_amount(&captured, &[], MinorUnits::new(1000));
        assert_eq!(totals(&part), [800, 200]);
        let refs: Vec<_> = part.iter().collect();
        let rest = give_back_amount(&captured, &refs, MinorUnits::new(300));
        assert_eq!(totals(&rest), [300]);
        let tax: Vec<_> =
            part.iter().chain(&rest).filter_map(|line| line.total_tax_amount).collect();
        assert_eq!(MinorUnits::checked_sum(tax), Some(MinorUnits::new(260)));
        // More than the lines hold: no lines rather than wrong ones.
        assert_eq!(give_back_amount(&captured, &[], MinorUnits::new(1301)), []);
    }

    fn any_line(index: usize) -> impl Strategy<Value = OrderLine> {
        (1_i64..60, 0_i64..5_000, 0_i64..100, 0_i64..30).prop_map(
            move |(quantity, unit_price, discount_percent, tax_percent)| {
                let discount = quantity * unit_price * discount_percent / 100;
                let total = quantity * unit_price - discount;
                let tax = total * tax_percent / (100 + tax_percent);
                line(&format!("item-{index}"), quantity, unit_price, discount, tax)
            },
        )
    }

    fn any_order() -> impl Strategy<Value = Vec<OrderLine>> {
        (1_usize..5).prop_flat_map(|count| (0..count).map(any_line).collect::<Vec<_>>())
    }

    proptest! {
        /// Cut a random order into random captures until nothing is left: every part obeys the
        /// line rule, and the parts add up to the whole, in total, discount and tax.
        #[test]
        fn parts_of_a_line_add_up_to_the_line(
            order in any_order(),
            cuts in proptest::collection::vec((0_usize..5, 1_i64..20), 0..40),
        ) {
            let mut taken: Vec<OrderLine> = Vec::new();
            for (index, quantity) in cuts {
                let Some(line) = order.get(index % order.len()) else { continue };
                let refs: Vec<_> = taken.iter().collect();
                if let Ok(parts) = take_units(&order, &refs, &[want(key(line), quantity)]) {
                    taken.extend(parts);
                }
            }
            let refs: Vec<_> = taken.iter().collect();
            let rest = take_rest(&order, &refs);
            taken.extend(rest);
            for part in &taken {
                let discount = part.total_discount_amount.map_or(0, MinorUnits::get);
                prop_assert_eq!(
                    part.total_amount.get(),
                    part.quantity * part.unit_price.get() - discount
                );
            }
            for line in &order {
                let of_line = || taken.iter().filter(|part| key(part) == key(line));
                let sum_of = |member: fn(&OrderLine) -> i64| of_line().map(member).sum::<i64>();
                prop_assert_eq!(sum_of(|part| part.total_amount.get()), line.total_amount.get());
                let tax = |part: &OrderLine| part.total_tax_amount.map_or(0, MinorUnits::get);
                prop_assert_eq!(sum_of(tax), tax(line));
            }
        }

        /// What is given back of a line never exceeds what was captured of it, and giving back
        /// everything that was captured is exactly that.
        #[test]
        fn refunds_of_lines_mirror_captures_of_lines(
            order in any_order(),
            captured in proptest::collection::vec((0_usize..5, 1_i64..20), 1..10),
            refunded in proptest::collection::vec((0_usize..5, 1_i64..20), 0..20),
        ) {
            let mut captures: Vec<OrderLine> = Vec::new();
            for (index, quantity) in captured {
                let Some(line) = order.get(index % order.len()) else { continue };
                let refs: Vec<_> = captures.iter().collect();
                if let Ok(parts) = take_units(&order, &refs, &[want(key(line), quantity)]) {
                    captures.extend(parts);
                }
            }
            let captures: Vec<&OrderLine> = captures.iter().collect();
            let mut refunds: Vec<OrderLine> = Vec::new();
            for (index, quantity) in refunded {
                let Some(line) = order.get(index % order.len()) else { continue };
                let refs: Vec<_> = refunds.iter().collect();
                let wanted = [want(key(line), quantity)];
                if let Ok(parts) = give_back_units(&order, &captures, &refs, &wanted) {
                    refunds.extend(parts);
                }
            }
            for line in &order {
                let units = |lines: &[&OrderLine]| -> i64 {
                    lines.iter().filter(|part| key(part) == key(line)).map(|part| part.quantity).sum()
                };
                let refs: Vec<&OrderLine> = refunds.iter().collect();
                let left = units(&captures) - units(&refs);
                prop_assert!(left >= 0);
                if left > 0 {
                    let wanted = [want(key(line), left)];
                    let parts = give_back_units(&order, &captures, &refs, &wanted).unwrap();
                    refunds.extend(parts);
                }
            }
            let captured: i64 = captures.iter().map(|line| line.total_amount.get()).sum();
            let refunded: i64 = refunds.iter().map(|line| line.total_amount.get()).sum();
            prop_assert_eq!(captured, refunded);
        }

        /// Refunds by amount, whatever the amounts: each tells lines that add up to it, or none; no
        /// line is given back beyond what it cost; and when all is given back, the lines' tax is
        /// the tax that was captured, to the minor unit.
        #[test]
        fn refunds_by_amount_add_up_to_what_was_captured(
            order in any_order(),
            amounts in proptest::collection::vec(1_i64..5_000, 0..12),
        ) {
            let captured: Vec<&OrderLine> = order.iter().collect();
            let total: i64 = order.iter().map(|line| line.total_amount.get()).sum();
            let mut left = total;
            let mut refunds: Vec<OrderLine> = Vec::new();
            for amount in amounts.into_iter().chain([total]) {
                let amount = amount.min(left);
                if amount == 0 {
                    continue;
                }
                let refs: Vec<&OrderLine> = refunds.iter().collect();
                let parts = give_back_amount(&captured, &refs, MinorUnits::new(amount));
                prop_assert!(!parts.is_empty(), "{amount} of {left}");
                prop_assert_eq!(totals(&parts).iter().sum::<i64>(), amount);
                refunds.extend(parts);
                left -= amount;
            }
            let tax = |lines: &[OrderLine]| -> i64 {
                lines.iter().filter_map(|line| line.total_tax_amount).map(MinorUnits::get).sum()
            };
            for line in &order {
                let of_line = refunds.iter().filter(|part| key(part) == key(line));
                let given_back: i64 = of_line.map(|part| part.total_amount.get()).sum();
                prop_assert!(given_back <= line.total_amount.get());
            }
            if left == 0 {
                // A line that cost nothing is nowhere given back; its tax is nothing, too.
                prop_assert_eq!(tax(&refunds), tax(&order));
            }
        }
    }
}
