//! The Web SDK's line items as lines of an order: what they add up to must be the amount, whatever a page gives.

use klarna_types::order_line::OrderLineBody;
use klarna_types::payments::SessionBody;
use klarna_types::{MinorUnits, TaxRate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line item. Members that cannot be read count as not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Klarna's")]
pub(crate) struct LineItem {
    /// What the shopper reads.
    pub(crate) name: String,
    /// How many.
    pub(crate) quantity: i64,
    /// The line's total, tax included.
    pub(crate) total_amount: i64,
    /// The tax in it.
    #[serde(default)]
    pub(crate) total_tax_amount: Option<i64>,
    /// The price of one.
    #[serde(default)]
    pub(crate) unit_price: Option<i64>,
    /// The merchant's own number.
    #[serde(default)]
    pub(crate) line_item_reference: Option<String>,
}

/// The line items in what a page gave; those that cannot be read are left out.
pub(crate) fn read(value: &Value) -> Vec<LineItem> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| LineItem::deserialize(item).ok()).collect()
}

/// Their sum, if it can be represented.
pub(crate) fn sum(items: &[LineItem]) -> Option<i64> {
    items.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.total_amount))
}

/// Puts an amount, and the items that it is for, into a session's data. Items that do not add up to the amount are
/// replaced by one line: a session must add up, and the page may send them later.
pub(crate) fn put(body: &mut SessionBody, items: &[LineItem], amount: i64) {
    let whole = LineItem {
        name: "Order".to_owned(),
        quantity: 1,
        total_amount: amount,
        total_tax_amount: None,
        unit_price: None,
        line_item_reference: None,
    };
    let fits = !items.is_empty() && sum(items) == Some(amount);
    let items = if fits { items } else { std::slice::from_ref(&whole) };
    let lines: Vec<OrderLineBody> = items.iter().map(line).collect();
    let tax = lines.iter().try_fold(0_i64, |sum, line| {
        sum.checked_add(line.total_tax_amount.map_or(0, MinorUnits::get))
    });
    body.order_amount = Some(MinorUnits::new(amount));
    body.order_tax_amount = Some(MinorUnits::new(tax.unwrap_or_default()));
    body.order_lines = Some(lines);
}

fn line(item: &LineItem) -> OrderLineBody {
    // A price of one that does not come to the total is not the one that was paid.
    let product = item.unit_price.and_then(|price| price.checked_mul(item.quantity));
    let (quantity, unit_price) = match item.unit_price {
        Some(price) if product == Some(item.total_amount) && item.quantity > 0 => {
            (item.quantity, price)
        }
        _ if item.quantity > 0 && item.total_amount % item.quantity == 0 => {
            (item.quantity, item.total_amount / item.quantity)
        }
        _ => (1, item.total_amount),
    };
    let tax = item.total_tax_amount.and_then(|tax| Some((tax, rate(item.total_amount, tax)?)));
    OrderLineBody {
        name: Some(item.name.clone()),
        reference: item.line_item_reference.clone(),
        quantity: Some(quantity),
        unit_price: Some(MinorUnits::new(unit_price)),
        total_amount: Some(MinorUnits::new(item.total_amount)),
        total_tax_amount: tax.map(|(tax, _)| MinorUnits::new(tax)),
        tax_rate: tax.map(|(_, rate)| TaxRate::new(rate)),
        ..OrderLineBody::default()
    }
}

/// The rate in hundredths of a percent by which this tax is in this total, if there is one that a session may have.
fn rate(total: i64, tax: i64) -> Option<i64> {
    let (total, tax) = (i128::from(total), i128::from(tax));
    let net = total - tax;
    if net <= 0 || tax < 0 {
        return None;
    }
    let rate = (tax * 20_000 + net) / (net * 2);
    let divisor = 10_000 + rate;
    let fits = rate <= 10_000 && (tax * divisor - total * rate).abs() <= divisor;
    i64::try_from(rate).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use klarna_types::validate::{UrlRule, create_session};
    use klarna_types::{Country, Currency};
    use proptest::prelude::*;

    use super::*;

    fn item(total: i64, tax: Option<i64>, quantity: i64, price: Option<i64>) -> LineItem {
        LineItem {
            name: "Mug".to_owned(),
            quantity,
            total_amount: total,
            total_tax_amount: tax,
            unit_price: price,
            line_item_reference: None,
        }
    }

    #[test]
    fn tax_is_kept_where_a_rate_explains_it() {
        let line = line(&item(12_500, Some(2_500), 2, Some(6_250)));
        assert_eq!(line.tax_rate, Some(TaxRate::percent(25)));
        assert_eq!((line.quantity, line.unit_price), (Some(2), Some(MinorUnits::new(6_250))));
        assert_eq!(super::line(&item(100, Some(99), 1, None)).total_tax_amount, None);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let given = serde_json::json!([
            { "name": "A", "quantity": 1, "totalAmount": 100 }, 7, null, { "name": "B" },
        ]);
        assert_eq!(read(&given).len(), 1);
        assert_eq!(read(&Value::Null), []);
    }

    proptest! {
        #[test]
        fn whatever_a_page_gives_the_session_adds_up(
            given in prop::collection::vec(
                (0_i64..5_000_000, prop::option::of(0_i64..5_000_000), -2_i64..9, prop::option::of(0_i64..9_999)),
                0..6,
            ),
            other in prop::option::of(0_i64..9_000_000),
        ) {
            let items: Vec<_> =
                given.into_iter().map(|(total, tax, count, price)| item(total, tax, count, price)).collect();
            let amount = other.or(sum(&items)).unwrap_or_default();
            let mut body =
                SessionBody::new().purchase_country(Country::SE).purchase_currency(Currency::SEK);
            put(&mut body, &items, amount);
            let problems = create_session(&body, UrlRule::Https);
            prop_assert!(problems.is_empty(), "{problems:?} {body:?}");
        }
    }
}
