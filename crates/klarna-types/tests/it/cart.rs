//! Carts: worked examples, and that nothing a cart builds is ever refused for its arithmetic.

use klarna_types::cart::{Cart, CartError, Item, Prices};
use klarna_types::payments::CreateSession;
use klarna_types::validate::{self, UrlRule};
use klarna_types::{Country, Currency, MinorUnits, OrderLineType, TaxRate, arithmetic};
use proptest::prelude::*;

const fn minor(amount: i64) -> MinorUnits {
    MinorUnits::new(amount)
}

/// Panics if Klarna would refuse the cart.
fn assert_accepted(cart: &Cart, country: &Country) {
    let problems =
        arithmetic::check(&cart.order_lines, Some(cart.order_amount), Some(cart.order_tax_amount));
    assert!(problems.is_empty(), "{problems:?}");
    let currency = country.market().map_or(Currency::EUR, |market| market.currency.clone());
    let session =
        CreateSession::new(country.clone(), currency, cart.order_amount, cart.order_lines.clone())
            .order_tax_amount(cart.order_tax_amount);
    let problems = validate::create_session(&session.into(), UrlRule::Https);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn german_example_of_the_sheet() {
    let cart = Cart::builder(Country::DE, Prices::IncludingTax)
        .item(
            Item::new("Wollschal", 2, minor(2490), TaxRate::percent(19))
                .reference("SCARF-7")
                .quantity_unit("pcs")
                .discount(minor(480)),
        )
        .shipping("Versand", minor(490), TaxRate::percent(19))
        .gift_card("Gutschein", minor(1000))
        .build()
        .unwrap();
    assert_accepted(&cart, &Country::DE);
    insta::assert_json_snapshot!(cart.order_lines);
    assert_eq!((cart.order_amount, cart.order_tax_amount), (minor(3990), minor(796)));
}

#[test]
fn american_example_of_the_sheet() {
    let cart = Cart::builder(Country::US, Prices::ExcludingTax)
        .item(Item::new("Trail cap", 2, minor(1500), TaxRate::new(825)))
        .build()
        .unwrap();
    assert_accepted(&cart, &Country::US);
    insta::assert_json_snapshot!(cart.order_lines);
    assert_eq!((cart.order_amount, cart.order_tax_amount), (minor(3248), minor(248)));
}

#[test]
fn american_prices_including_tax_are_paid_as_given() {
    let cart = Cart::builder(Country::US, Prices::IncludingTax)
        .item(Item::new("Cap", 3, minor(999), TaxRate::new(825)).discount(minor(100)))
        .build()
        .unwrap();
    assert_accepted(&cart, &Country::US);
    assert_eq!(cart.order_amount, minor(3 * 999 - 100));
}

#[test]
fn prices_excluding_tax_are_converted_per_unit() {
    let cart = Cart::builder(Country::SE, Prices::ExcludingTax)
        .item(Item::new("Mugg", 3, minor(101), TaxRate::percent(25)))
        .build()
        .unwrap();
    // 101 + 25.25 = 126.25, rounded to 126 for each.
    assert_eq!(cart.order_lines[0].unit_price, minor(126));
    assert_eq!(cart.order_amount, minor(378));
    assert_accepted(&cart, &Country::SE);
}

#[test]
fn cart_discount_is_split_over_rates_and_adds_up() {
    let cart = Cart::builder(Country::DE, Prices::IncludingTax)
        .item(Item::new("Buch", 1, minor(1000), TaxRate::percent(7)))
        .item(Item::new("Lampe", 1, minor(2000), TaxRate::percent(19)))
        .shipping("Versand", minor(490), TaxRate::percent(19))
        .discount("Rabatt", minor(100))
        .build()
        .unwrap();
    assert_accepted(&cart, &Country::DE);
    let discounts: Vec<_> = cart
        .order_lines
        .iter()
        .filter(|line| line.kind == Some(OrderLineType::Discount))
        .map(|line| (line.tax_rate, line.total_amount))
        .collect();
    assert_eq!(
        discounts,
        [(Some(TaxRate::percent(7)), minor(-33)), (Some(TaxRate::percent(19)), minor(-67))]
    );
    assert_eq!(cart.order_amount, minor(3390));
}

#[test]
fn tax_never_falls_below_zero() {
    // Two lines of 2 at 25 % have no tax after rounding, their discount of 4 has 1.
    let cart = Cart::builder(Country::SE, Prices::IncludingTax)
        .item(Item::new("a", 1, minor(2), TaxRate::percent(25)))
        .item(Item::new("b", 1, minor(2), TaxRate::percent(25)))
        .discount("all", minor(4))
        .build()
        .unwrap();
    assert_eq!((cart.order_amount, cart.order_tax_amount), (minor(0), minor(0)));
    assert_accepted(&cart, &Country::SE);
}

#[test]
fn refusals_are_typed() {
    let cart = || Cart::builder(Country::SE, Prices::IncludingTax);
    let item = || Item::new("Mugg", 1, minor(100), TaxRate::percent(25));
    assert_eq!(cart().build(), Err(CartError::Empty));
    assert!(matches!(
        cart().item(item().discount(minor(101))).build(),
        Err(CartError::DiscountExceedsLine { item: 0, .. })
    ));
    assert!(matches!(
        cart().item(item()).discount("x", minor(101)).build(),
        Err(CartError::DiscountExceedsGoods { .. })
    ));
    assert!(matches!(
        cart().item(item()).gift_card("x", minor(101)).build(),
        Err(CartError::BelowZero { .. })
    ));
    assert!(matches!(
        cart().item(item()).gift_card("x", minor(0)).build(),
        Err(CartError::NotPositive { .. })
    ));
    assert!(matches!(
        cart().item(Item::new("x", -1, minor(1), TaxRate::ZERO)).build(),
        Err(CartError::Negative { item: 0 })
    ));
    assert!(matches!(
        cart().item(Item::new("x", 1, minor(1), TaxRate::new(10_001))).build(),
        Err(CartError::TaxRate { item: 0, .. })
    ));
    assert!(matches!(
        cart().item(Item::new("x", i64::MAX, MinorUnits::MAX, TaxRate::ZERO)).build(),
        Err(CartError::TooLarge)
    ));
    let too_dear = cart().item(Item::new("x", 1, minor(200_000_001), TaxRate::ZERO)).build();
    assert_eq!(
        too_dear.unwrap_err().to_string(),
        "the cart breaks Klarna's limits: order_lines[0].unit_price: 200000001 is more than 200000000; \
         order_lines[0].total_amount: 200000001 is more than 200000000"
    );
    let nameless = cart().item(Item::new("", 1, minor(1), TaxRate::ZERO)).build();
    assert!(matches!(nameless, Err(CartError::Limits(_))));
    let crowded = cart().items(std::iter::repeat_n(item(), 1001)).build();
    assert!(matches!(crowded, Err(CartError::Limits(_))));
}

fn any_item() -> impl Strategy<Value = Item> {
    let rate = prop_oneof![Just(0), Just(700), Just(825), Just(1900), Just(2500), 0_i64..=10_000];
    let kind = prop_oneof![
        Just(OrderLineType::Physical),
        Just(OrderLineType::Digital),
        Just(OrderLineType::ShippingFee),
        Just(OrderLineType::Surcharge)
    ];
    (0_i64..100, 0_i64..50_000, rate, 0_i64..=100, kind).prop_map(
        |(quantity, price, rate, percent, kind)| {
            Item::new("article", quantity, minor(price), TaxRate::new(rate))
                .discount(minor(quantity * price * percent / 100))
                .kind(kind)
        },
    )
}

fn any_prices() -> impl Strategy<Value = Prices> {
    prop_oneof![Just(Prices::IncludingTax), Just(Prices::ExcludingTax)]
}

fn any_country() -> impl Strategy<Value = Country> {
    prop_oneof![Just(Country::SE), Just(Country::DE), Just(Country::US), Just(Country::CA)]
}

proptest! {
    /// The invariant: an order line that Kassa built is never refused for its arithmetic.
    #[test]
    fn order_line_that_kassa_built_is_never_refused_for_its_arithmetic(
        country in any_country(),
        prices in any_prices(),
        items in prop::collection::vec(any_item(), 1..12),
        discount in prop::option::of(1_i64..1_000_000),
        gift_card in prop::option::of(1_i64..100_000),
    ) {
        let mut builder = Cart::builder(country.clone(), prices).items(items);
        if let Some(amount) = discount {
            builder = builder.discount("discount", minor(amount));
        }
        if let Some(amount) = gift_card {
            builder = builder.gift_card("gift card", minor(amount));
        }
        match builder.build() {
            Ok(cart) => assert_accepted(&cart, &country),
            Err(
                CartError::DiscountExceedsGoods { .. }
                | CartError::BelowZero { .. }
                | CartError::Limits(_),
            ) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// Whatever the numbers: a balanced cart or a typed refusal, never a panic.
    #[test]
    fn extreme_numbers_are_answered(
        country in any_country(),
        prices in any_prices(),
        items in prop::collection::vec(
            (any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>()),
            0..4,
        ),
        discount in any::<i64>(),
        credit in any::<i64>(),
    ) {
        let items = items.into_iter().map(|(quantity, price, rate, discount)| {
            Item::new("x", quantity, minor(price), TaxRate::new(rate.rem_euclid(10_100)))
                .discount(minor(discount))
        });
        let cart = Cart::builder(country.clone(), prices)
            .items(items)
            .discount("discount", minor(discount))
            .store_credit("credit", minor(credit))
            .build();
        if let Ok(cart) = cart {
            assert_accepted(&cart, &country);
        }
    }

    /// What the shopper pays with prices including tax is exactly what the prices say.
    #[test]
    fn prices_including_tax_are_what_is_paid(
        country in any_country(),
        quantities in prop::collection::vec((0_i64..50, 0_i64..10_000), 1..8),
    ) {
        let expected: i64 = quantities.iter().map(|(quantity, price)| quantity * price).sum();
        let cart = Cart::builder(country, Prices::IncludingTax)
            .items(quantities.iter().map(|(quantity, price)| {
                Item::new("x", *quantity, minor(*price), TaxRate::percent(19))
            }))
            .build()
            .unwrap();
        prop_assert_eq!(cart.order_amount, minor(expected));
    }

    /// The shares of a cart discount add up to it, whatever the rates.
    #[test]
    fn discount_shares_add_up(
        items in prop::collection::vec((1_i64..10_000, 0_i64..5), 1..10),
        part in 1_i64..=100,
    ) {
        let whole: i64 = items.iter().map(|(price, _)| price).sum();
        let discount = (whole * part / 100).max(1);
        let cart = Cart::builder(Country::DE, Prices::IncludingTax)
            .items(items.iter().map(|(price, rate)| {
                Item::new("x", 1, minor(*price), TaxRate::new(rate * 500))
            }))
            .discount("discount", minor(discount))
            .build()
            .unwrap();
        let taken = MinorUnits::checked_sum(
            cart.order_lines
                .iter()
                .filter(|line| line.kind == Some(OrderLineType::Discount))
                .map(|line| line.total_amount),
        );
        prop_assert_eq!(taken, Some(minor(-discount)));
        prop_assert_eq!(cart.order_amount, minor(whole - discount));
    }
}
