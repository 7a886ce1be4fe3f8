//! Whatever is written is read back the same; whatever is read does not panic.

use klarna_types::market::MARKETS;
use klarna_types::order_management::CreateCapture;
use klarna_types::payments::{CreateSession, SessionBody};
use klarna_types::validate::{self, UrlRule};
use klarna_types::{
    Address, Country, Currency, ErrorBody, Locale, MinorUnits, OrderLine, OrderLineType, TaxRate,
};
use proptest::prelude::*;

prop_compose! {
    fn any_line()(
        name in ".{0,20}", quantity in any::<i64>(), price in any::<i64>(), total in any::<i64>(),
        kind in prop::option::of("[a-z_]{0,12}"), rate in prop::option::of(any::<i64>()),
        tax in prop::option::of(any::<i64>()), reference in prop::option::of(".{0,10}"),
    ) -> OrderLine {
        let mut line = OrderLine::new(name, quantity, MinorUnits::new(price), MinorUnits::new(total));
        line.kind = kind.map(OrderLineType::from);
        line.tax_rate = rate.map(TaxRate::new);
        line.total_tax_amount = tax.map(MinorUnits::new);
        line.reference = reference;
        line
    }
}

prop_compose! {
    fn any_session()(
        country in "[A-Za-z]{0,3}", currency in "[A-Za-z]{0,4}", locale in prop::option::of(".{0,8}"),
        amount in any::<i64>(), lines in prop::collection::vec(any_line(), 0..4),
        email in prop::option::of(".{0,10}"),
    ) -> CreateSession {
        let mut session = CreateSession::new(
            Country::from(country), Currency::from(currency), MinorUnits::new(amount), lines,
        );
        session.locale = locale.map(Locale::new);
        session.billing_address = email.map(|email| Address::new().email(email));
        session
    }
}

proptest! {
    #[test]
    fn sessions_round_trip(session in any_session()) {
        let text = serde_json::to_string(&session).unwrap();
        prop_assert!(!text.contains("null"), "{}", text);
        prop_assert_eq!(&serde_json::from_str::<CreateSession>(&text).unwrap(), &session);
        let body: SessionBody = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&body, &SessionBody::from(session));
        // Whatever it holds, it is checked without a panic.
        validate::create_session(&body, UrlRule::HttpsOrLoopback);
        validate::create_order(&body, UrlRule::Any);
    }

    #[test]
    fn captures_round_trip(amount in any::<i64>(), lines in prop::collection::vec(any_line(), 0..3)) {
        let capture = CreateCapture::new(MinorUnits::new(amount)).order_lines(lines);
        let text = serde_json::to_string(&capture).unwrap();
        prop_assert_eq!(serde_json::from_str::<CreateCapture>(&text).unwrap(), capture);
    }

    #[test]
    fn any_bytes_are_an_error_body(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        ErrorBody::read(&bytes);
    }

    #[test]
    fn decimals_keep_their_digits(amount in any::<i64>(), exponent in 0_u8..5) {
        let text = MinorUnits::new(amount).to_decimal(exponent);
        let digits: String = text.chars().filter(|c| *c != '.').collect();
        prop_assert_eq!(digits.parse::<i128>().unwrap(), i128::from(amount));
    }
}

#[test]
fn the_market_table_is_whole() {
    assert_eq!(MARKETS.len(), 26);
    assert_eq!(Country::KNOWN.len(), 26);
    for country in Country::KNOWN {
        let market = country.market().unwrap();
        assert_eq!(market.currency.exponent(), 2);
        for locale in market.locales {
            let locale = Locale::new(*locale);
            assert!(locale.is_well_formed());
            assert_eq!(locale.country().as_ref(), Some(country));
        }
    }
}
