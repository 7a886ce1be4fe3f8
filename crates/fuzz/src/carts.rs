//! Carts and order lines: whatever the numbers, what a cart builds is not refused.

use klarna_types::arithmetic::{self, LineFigures};
use klarna_types::cart::{Cart, CartError, Item, Prices};
use klarna_types::payments::CreateSession;
use klarna_types::validate::{self, UrlRule};
use klarna_types::{Country, Currency, MinorUnits, OrderLineType, TaxRate};

use crate::Input;

/// A cart is balanced and within the limits, or refused with a reason that is true.
pub(crate) fn build(data: &[u8]) {
    let mut input = Input::new(data);
    let country = input.choice(&[
        Country::SE,
        Country::DE,
        Country::US,
        Country::CA,
        Country::from("JP"),
        Country::from("XX"),
    ]);
    let prices = input.choice(&[Prices::IncludingTax, Prices::ExcludingTax]);
    let mut builder = Cart::builder(country.clone(), prices);
    while !input.is_empty() {
        builder = match input.below(8) {
            0 => builder.discount("discount", MinorUnits::new(input.number())),
            1 => builder.gift_card("gift card", MinorUnits::new(input.number())),
            2 => builder.store_credit("credit", MinorUnits::new(input.number())),
            3 => builder.shipping("shipping", money(&mut input), rate(&mut input)),
            4 => builder.surcharge("surcharge", money(&mut input), rate(&mut input)),
            5 => {
                let kind = input.choice(OrderLineType::KNOWN);
                builder.item(item(&mut input).kind(kind))
            }
            6 => builder.item(item(&mut input).discount(money(&mut input))),
            _ => builder.item(item(&mut input)),
        };
    }
    let cart = match builder.build() {
        Ok(cart) => cart,
        Err(CartError::Limits(problems)) => {
            assert!(!problems.is_empty());
            return;
        }
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            return;
        }
    };
    let (amount, tax) = (cart.order_amount, cart.order_tax_amount);
    let problems = arithmetic::check(&cart.order_lines, Some(amount), Some(tax));
    assert!(problems.is_empty(), "{problems:?}");
    let Some(market) = country.market() else { return };
    let session =
        CreateSession::new(country.clone(), market.currency.clone(), amount, cart.order_lines)
            .order_tax_amount(tax);
    let problems = validate::create_session(&session.into(), UrlRule::Https);
    assert!(problems.is_empty(), "{problems:?}");
}

fn money(input: &mut Input<'_>) -> MinorUnits {
    MinorUnits::new(input.number())
}

fn rate(input: &mut Input<'_>) -> TaxRate {
    let any = input.number();
    TaxRate::new(input.choice(&[0, 600, 700, 825, 1_900, 2_500, 10_000, any]))
}

fn item(input: &mut Input<'_>) -> Item {
    Item::new("article", input.number(), money(input), rate(input))
}

/// Lines of a request, with and without each figure: nothing overflows, and a line that is as the
/// arithmetic says is not refused.
pub(crate) fn lines(data: &[u8]) {
    let mut input = Input::new(data);
    let (amount, tax) = (optional(&mut input), optional(&mut input));
    let mut lines = Vec::new();
    while !input.is_empty() {
        lines.push(LineFigures {
            is_sales_tax: input.byte() == 1,
            quantity: optional(&mut input).map(MinorUnits::get),
            unit_price: optional(&mut input),
            total_amount: optional(&mut input),
            total_discount_amount: optional(&mut input),
            tax_rate: optional(&mut input).map(|rate| TaxRate::new(rate.get())),
            total_tax_amount: optional(&mut input),
        });
    }
    for problem in arithmetic::check(&lines, amount, tax) {
        assert!(!problem.to_string().is_empty());
    }
    for line in &mut lines {
        let (Some(quantity), Some(price)) = (line.quantity, line.unit_price) else { continue };
        let discount = line.total_discount_amount.unwrap_or_default();
        let Some(total) = arithmetic::line_total(quantity, price, discount) else { continue };
        line.total_amount = Some(total);
        let rate = line.tax_rate.unwrap_or_default();
        line.total_tax_amount = (!line.is_sales_tax && (0..=10_000).contains(&rate.get()))
            .then(|| arithmetic::tax_included(total, rate));
        if line.total_tax_amount.is_some() && line.tax_rate.is_some() {
            let problems = arithmetic::check_lines(std::slice::from_ref(line));
            assert!(problems.is_empty(), "{line:?}: {problems:?}");
        }
    }
    drop(Currency::from("SEK"));
}

fn optional(input: &mut Input<'_>) -> Option<MinorUnits> {
    (!input.byte().is_multiple_of(5)).then(|| MinorUnits::new(input.number()))
}
