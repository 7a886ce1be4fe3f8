//! Whether an order is what the shopper approved.
//!
//! Lines are an ordered list whose length is compared first; amounts, country and currency are
//! compared; an address or customer counts only if both sides have one. URLs, references and the
//! merchant's own data may differ: the order's win.

use klarna_types::order_line::OrderLineBody;
use klarna_types::payments::{CustomerTokenBody, SessionBody};
use klarna_types::{Address, Customer, MinorUnits, OrderLineType, TaxRate};

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The carts have different numbers of lines.
    LineCount {
        /// Authorized.
        expected: usize,
        /// Sent.
        actual: usize,
    },
    /// These members differ, by path.
    Fields(Vec<String>),
}

impl Mismatch {
    /// Klarna's message.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::LineCount { expected, actual } => format!(
                "Not matching fields: [Incorrect number of items in the cart. Expected: \
                 {expected}, Actual: {actual}]"
            ),
            Self::Fields(paths) => format!("Not matching fields: [{}]", paths.join(", ")),
        }
    }

    /// Whether only the cart differs: lines and amounts, as merchants with that permission may
    /// change them.
    pub(crate) fn is_cart_only(&self) -> bool {
        match self {
            Self::LineCount { .. } => true,
            Self::Fields(paths) => paths.iter().all(|path| path.starts_with("order_")),
        }
    }
}

/// Compares the data that the shopper authorized with those of an order.
pub(crate) fn compare(authorized: &SessionBody, order: &SessionBody) -> Result<(), Mismatch> {
    if let (Some(expected), Some(actual)) = (&authorized.order_lines, &order.order_lines)
        && expected.len() != actual.len()
    {
        return Err(Mismatch::LineCount { expected: expected.len(), actual: actual.len() });
    }
    let mut paths = Vec::new();
    let mut differ = |path: &str, different: bool| {
        if different {
            paths.push(path.to_owned());
        }
    };
    differ("purchase_country", authorized.purchase_country != order.purchase_country);
    differ("purchase_currency", authorized.purchase_currency != order.purchase_currency);
    differ("order_amount", authorized.order_amount != order.order_amount);
    // Not sent with the order: nothing to compare.
    differ(
        "order_tax_amount",
        order.order_tax_amount.is_some() && authorized.order_tax_amount != order.order_tax_amount,
    );
    if let (Some(expected), Some(actual)) = (&authorized.order_lines, &order.order_lines) {
        for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            compare_lines(index, expected, actual, &mut paths);
        }
    }
    // A missing shipping address was copied from the billing address.
    let shipping = authorized.shipping_address.as_ref().or(authorized.billing_address.as_ref());
    compare_addresses(
        "billing_address",
        authorized.billing_address.as_ref(),
        order.billing_address.as_ref(),
        &mut paths,
    );
    compare_addresses("shipping_address", shipping, order.shipping_address.as_ref(), &mut paths);
    if let (Some(expected), Some(actual)) = (&authorized.customer, &order.customer) {
        compare_customers(expected, actual, &mut paths);
    }
    if paths.is_empty() { Ok(()) } else { Err(Mismatch::Fields(paths)) }
}

/// Compares the data that the shopper authorized with those of a customer token. There is no cart in
/// it.
pub(crate) fn compare_customer_token(
    authorized: &SessionBody,
    token: &CustomerTokenBody,
) -> Result<(), Mismatch> {
    let mut paths = Vec::new();
    if authorized.purchase_country != token.purchase_country {
        paths.push("purchase_country".to_owned());
    }
    if authorized.purchase_currency != token.purchase_currency {
        paths.push("purchase_currency".to_owned());
    }
    compare_addresses(
        "billing_address",
        authorized.billing_address.as_ref(),
        token.billing_address.as_ref(),
        &mut paths,
    );
    if let (Some(expected), Some(actual)) = (&authorized.customer, &token.customer) {
        compare_customers(expected, actual, &mut paths);
    }
    if paths.is_empty() { Ok(()) } else { Err(Mismatch::Fields(paths)) }
}

fn compare_lines(
    index: usize,
    expected: &OrderLineBody,
    actual: &OrderLineBody,
    paths: &mut Vec<String>,
) {
    // A line without a type is goods, and what is not sent of the figures is nothing.
    let kind = |line: &OrderLineBody| line.kind.clone().unwrap_or(OrderLineType::Physical);
    let amount = |amount: Option<MinorUnits>| amount.unwrap_or(MinorUnits::ZERO);
    let rate = |rate: Option<TaxRate>| rate.unwrap_or(TaxRate::ZERO);
    let members = [
        ("type", kind(expected) != kind(actual)),
        ("reference", differs(expected.reference.as_ref(), actual.reference.as_ref())),
        ("name", expected.name != actual.name),
        ("quantity", expected.quantity != actual.quantity),
        ("quantity_unit", differs(expected.quantity_unit.as_ref(), actual.quantity_unit.as_ref())),
        ("unit_price", expected.unit_price != actual.unit_price),
        ("tax_rate", rate(expected.tax_rate) != rate(actual.tax_rate)),
        ("total_amount", expected.total_amount != actual.total_amount),
        (
            "total_discount_amount",
            amount(expected.total_discount_amount) != amount(actual.total_discount_amount),
        ),
        ("total_tax_amount", amount(expected.total_tax_amount) != amount(actual.total_tax_amount)),
        ("image_url", differs(expected.image_url.as_ref(), actual.image_url.as_ref())),
        ("product_url", differs(expected.product_url.as_ref(), actual.product_url.as_ref())),
        ("merchant_data", differs(expected.merchant_data.as_ref(), actual.merchant_data.as_ref())),
        ("product_identifiers", expected.product_identifiers != actual.product_identifiers),
        ("subscription", expected.subscription != actual.subscription),
    ];
    for (member, different) in members {
        if different {
            paths.push(format!("order_lines[{index}].{member}"));
        }
    }
}

/// If none was given at authorization, any address is accepted; if none is sent now, the authorized
/// one is used.
fn compare_addresses(
    name: &str,
    expected: Option<&Address>,
    actual: Option<&Address>,
    paths: &mut Vec<String>,
) {
    let (Some(expected), Some(actual)) = (expected, actual) else { return };
    let country = |address: &Address| address.country.as_ref().map(ToString::to_string);
    let members = [
        ("given_name", &expected.given_name, &actual.given_name),
        ("family_name", &expected.family_name, &actual.family_name),
        ("organization_name", &expected.organization_name, &actual.organization_name),
        ("attention", &expected.attention, &actual.attention),
        ("title", &expected.title, &actual.title),
        ("email", &expected.email, &actual.email),
        ("phone", &expected.phone, &actual.phone),
        ("street_address", &expected.street_address, &actual.street_address),
        ("street_address2", &expected.street_address2, &actual.street_address2),
        ("care_of", &expected.care_of, &actual.care_of),
        ("postal_code", &expected.postal_code, &actual.postal_code),
        ("city", &expected.city, &actual.city),
        ("region", &expected.region, &actual.region),
        ("country", &country(expected), &country(actual)),
    ];
    for (member, expected, actual) in members {
        if differs(expected.as_ref(), actual.as_ref()) {
            paths.push(format!("{name}.{member}"));
        }
    }
}

fn compare_customers(expected: &Customer, actual: &Customer, paths: &mut Vec<String>) {
    let members = [
        ("date_of_birth", &expected.date_of_birth, &actual.date_of_birth),
        ("gender", &expected.gender, &actual.gender),
        ("last_four_ssn", &expected.last_four_ssn, &actual.last_four_ssn),
        (
            "national_identification_number",
            &expected.national_identification_number,
            &actual.national_identification_number,
        ),
        (
            "organization_registration_id",
            &expected.organization_registration_id,
            &actual.organization_registration_id,
        ),
        ("vat_id", &expected.vat_id, &actual.vat_id),
    ];
    for (member, expected, actual) in members {
        // A member that was not sent again is not compared.
        if actual.is_some() && differs(expected.as_ref(), actual.as_ref()) {
            paths.push(format!("customer.{member}"));
        }
    }
}

/// An empty text is as good as none.
fn differs(expected: Option<&String>, actual: Option<&String>) -> bool {
    let text = |value: Option<&String>| value.map(String::as_str).unwrap_or_default().to_owned();
    text(expected) != text(actual)
}

#[cfg(test)]
mod tests {
    use klarna_types::{Country, Currency};
    use proptest::prelude::*;

    use super::*;

    fn line(name: &str, amount: i64) -> OrderLineBody {
        OrderLineBody::new()
            .name(name)
            .quantity(1)
            .unit_price(MinorUnits::new(amount))
            .total_amount(MinorUnits::new(amount))
    }

    fn body() -> SessionBody {
        SessionBody::new()
            .purchase_country(Country::DE)
            .purchase_currency(Currency::EUR)
            .order_amount(MinorUnits::new(300))
            .order_tax_amount(MinorUnits::new(0))
            .order_lines(vec![line("a", 100), line("b", 200)])
    }

    fn address(postal_code: &str) -> Address {
        Address::new().given_name("Mock").postal_code(postal_code).country(Country::DE)
    }

    fn check(authorized: &SessionBody, order: &SessionBody, expected: &str) {
        let message = compare(authorized, order).err().map(|mismatch| mismatch.message());
        assert_eq!(message.unwrap_or_default(), expected);
    }

    #[test]
    fn the_same_data_match() {
        check(&body(), &body(), "");
        let spelled_out = body().order_lines(vec![
            line("a", 100).kind(OrderLineType::Physical).total_discount_amount(MinorUnits::ZERO),
            line("b", 200).tax_rate(TaxRate::ZERO).reference(""),
        ]);
        check(&body(), &spelled_out, "");
        check(&body(), &SessionBody { order_tax_amount: None, ..body() }, "");
    }

    #[test]
    fn the_number_of_lines_comes_first() {
        let longer = body().order_amount(MinorUnits::new(1)).order_lines(vec![
            line("a", 100),
            line("b", 200),
            line("c", 1),
        ]);
        check(
            &body(),
            &longer,
            "Not matching fields: [Incorrect number of items in the cart. Expected: 2, Actual: 3]",
        );
    }

    #[test]
    fn differences_are_listed_by_path() {
        let order = body()
            .order_amount(MinorUnits::new(301))
            .order_lines(vec![line("a", 101), line("b", 200)]);
        check(
            &body(),
            &order,
            "Not matching fields: [order_amount, order_lines[0].unit_price, \
             order_lines[0].total_amount]",
        );
        check(
            &body(),
            &body().order_lines(vec![line("b", 200), line("a", 100)]).purchase_country(Country::AT),
            "Not matching fields: [purchase_country, order_lines[0].name, \
             order_lines[0].unit_price, order_lines[0].total_amount, order_lines[1].name, \
             order_lines[1].unit_price, order_lines[1].total_amount]",
        );
    }

    #[test]
    fn addresses_count_only_if_the_shopper_authorized_one() {
        let with = |postal_code: &str| body().billing_address(address(postal_code));
        check(&with("10178"), &with("10178"), "");
        check(&with("10178"), &with("1"), "Not matching fields: [billing_address.postal_code]");
        check(&with("10178"), &body(), "");
        check(&body(), &with("10178"), "");
        check(&body(), &body().billing_address(Address::new()), "");
        check(
            &with("10178"),
            &body().shipping_address(address("2")),
            "Not matching fields: [shipping_address.postal_code]",
        );
        check(&with("10178"), &with("10178").shipping_address(address("10178")), "");
    }

    #[test]
    fn a_customer_token_is_of_the_shopper_who_authorized() {
        let token = |address: Option<Address>| CustomerTokenBody {
            purchase_country: Some(Country::DE),
            purchase_currency: Some(Currency::EUR),
            billing_address: address,
            ..CustomerTokenBody::default()
        };
        let check = |authorized: &SessionBody, token: &CustomerTokenBody, expected: &str| {
            let mismatch = compare_customer_token(authorized, token).err();
            let message = mismatch.map(|mismatch| mismatch.message()).unwrap_or_default();
            assert_eq!(message, expected);
        };
        let authorized = body().billing_address(address("10178"));
        check(&authorized, &token(None), "");
        check(&authorized, &token(Some(address("10178"))), "");
        check(
            &authorized,
            &token(Some(address("1"))),
            "Not matching fields: [billing_address.postal_code]",
        );
        check(&body(), &token(Some(address("1"))), "");
        let austrian = CustomerTokenBody { purchase_country: Some(Country::AT), ..token(None) };
        check(&authorized, &austrian, "Not matching fields: [purchase_country]");
        let born = |day: &str| Customer::new().date_of_birth(day);
        let other = token(None).customer(born("1980-01-01"));
        check(
            &authorized.customer(born("1970-07-10")),
            &other,
            "Not matching fields: [customer.date_of_birth]",
        );
    }

    #[test]
    fn references_and_urls_may_differ() {
        let order = body().merchant_reference1("B").merchant_data("x").auto_capture(true);
        check(&body().merchant_reference1("A"), &order, "");
    }

    #[test]
    fn only_the_cart_may_be_changed_by_permission() {
        let cart = Mismatch::Fields(vec!["order_amount".into(), "order_lines[0].name".into()]);
        assert!(cart.is_cart_only());
        assert!(!Mismatch::Fields(vec!["billing_address.city".into()]).is_cart_only());
    }

    proptest! {
        #[test]
        fn any_cart_matches_itself_and_no_other(
            amounts in prop::collection::vec(-1_000_i64..1_000_000, 1..8),
            at in 0_usize..8,
            by in 1_i64..100,
        ) {
            let lines = |amounts: &[i64]| -> Vec<_> {
                amounts.iter().map(|amount| line("x", *amount)).collect()
            };
            let authorized = body().order_lines(lines(&amounts));
            prop_assert!(compare(&authorized, &authorized).is_ok());
            let mut changed = amounts.clone();
            let at = at % changed.len();
            changed[at] += by;
            let mismatch = compare(&authorized, &body().order_lines(lines(&changed)));
            prop_assert!(mismatch.is_err());
        }
    }
}
