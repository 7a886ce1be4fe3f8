//! What a placement says for each key, locale and amount, and where it says nothing.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::merchant::MerchantSettings;

const TODAY: Date = date(2026, 11, 23);

fn merchant() -> Merchant {
    Merchant::new("K1")
}

fn ask(key: &str, locale: &str, amount: Option<i64>) -> Ask {
    Ask {
        key: PlacementKey::named(key).unwrap(),
        locale: Locale::new(locale),
        amount,
        prefix: None,
        preference: Preference::Klarna,
        methods: Vec::new(),
    }
}

fn text(ask: &Ask) -> Option<String> {
    placement(&merchant(), ask, TODAY).map(|placement| placement.text().replace('\u{a0}', " "))
}

#[test]
fn a_promotion_says_what_the_purchase_flow_will_ask_for() {
    for (locale, amount, expected) in [
        ("en-US", 10_000, "Pay in 4 interest-free payments of $25.00."),
        ("en-GB", 10_000, "Pay in 3 interest-free payments of £33.34."),
        ("sv-SE", 100_000, "Betala i 3 räntefria delar om 333,34 kr."),
        ("de-DE", 500, "Zahle 5,00 € in 30 Tagen, ohne Zinsen."),
        ("fi-FI", 10_000, "Maksa 100,00 € 30 päivän päästä, ilman korkoa."),
    ] {
        assert_eq!(
            text(&ask("credit-promotion-badge", locale, Some(amount))).as_deref(),
            Some(expected)
        );
    }
    let inline = ask("credit-promotion-auto-size", "nb-NO", Some(2_000_000));
    let inline = placement(&merchant(), &inline, TODAY).unwrap();
    assert!(inline.text().starts_with("Betal fra "), "{}", inline.text());
    assert!(inline.text().ends_with(" i måneden med Klarna."), "{}", inline.text());
    assert_eq!(inline.badge, None);
}

#[test]
fn a_prefix_moves_the_badge_and_only_promotions_have_one() {
    let mut asked = ask("credit-promotion-badge", "de-DE", Some(9_000));
    asked.prefix = Prefix::named("or");
    let shown = placement(&merchant(), &asked, TODAY).unwrap();
    assert_eq!(shown.badge, Some(Badge::Right));
    assert!(shown.text().starts_with("oder zahle in 3 "), "{}", shown.text());
    asked.prefix = Prefix::named("Or");
    assert!(text(&asked).unwrap().starts_with("Oder zahle "));
    let mut strip = ask("top-strip-promotion-badge", "de-DE", None);
    strip.prefix = Prefix::named("Or");
    assert_eq!(text(&strip).as_deref(), Some("Jetzt kaufen und später bezahlen."));
    assert_eq!(Prefix::named("Oder"), None);
}

#[test]
fn a_preference_counts_where_there_is_something_to_say() {
    let mut asked = ask("credit-promotion-auto-size", "en-US", Some(10_000));
    asked.preference = Preference::named("prequalification");
    assert_eq!(text(&asked).as_deref(), Some("See how much you can spend with Klarna."));
    asked.locale = Locale::new("en-GB");
    assert!(text(&asked).unwrap().starts_with("Pay in 3 "));
    asked.preference = Preference::named("in-store");
    assert_eq!(text(&asked).as_deref(), Some("Pay at your own pace in the store with Klarna."));
    assert_eq!(Preference::named("something"), Preference::Klarna);
}

#[test]
fn agreed_methods_narrow_the_promotion() {
    let mut asked = ask("credit-promotion-badge", "sv-SE", Some(200_000));
    asked.methods = vec!["financing_12".to_owned()];
    assert!(text(&asked).unwrap().starts_with("Betala från "));
    asked.methods = vec!["pay_later".to_owned(), "unheard-of".to_owned()];
    assert!(text(&asked).unwrap().contains("30 dagar"));
    asked.methods = vec!["unheard-of".to_owned()];
    assert_eq!(text(&asked), None);
}

#[test]
fn nothing_is_shown_where_market_amount_or_account_does_not_allow_it() {
    let shown = |asked: &Ask| text(asked).is_some();
    assert!(shown(&ask("top-strip-promotion-badge", "sv-SE", None)));
    assert!(!shown(&ask("credit-promotion-badge", "sv-SE", None)));
    for amount in [i64::MIN, -1, 0, 1, 999, 10_000_001, i64::MAX] {
        assert!(!shown(&ask("credit-promotion-badge", "sv-SE", Some(amount))), "{amount}");
    }
    for locale in ["sv", "sv-NO", "en-LU", "", "xx-XX", "de-SE"] {
        assert!(!shown(&ask("top-strip-promotion-badge", locale, None)), "{locale}");
    }
    let asked = ask("info-page", "sv-SE", None);
    let of = |change: fn(&mut MerchantSettings)| {
        let mut merchant = merchant();
        change(&mut merchant.settings);
        placement(&merchant, &asked, TODAY)
    };
    assert!(of(|_| {}).is_some());
    assert!(of(|it| it.messaging = Messaging::WithoutApi).is_some());
    assert!(of(|it| it.messaging = Messaging::Disabled).is_none());
    assert!(of(|it| it.categories = Categories::Nothing).is_none());
    assert!(of(|it| it.countries = Some(vec!["DE".to_owned()])).is_none());
}

#[test]
fn every_key_says_something_in_every_locale_of_every_market() {
    let mut seen = 0;
    for locale in hints().locales.keys() {
        let (least, most) = hints().locales[locale];
        for (name, key) in PlacementKey::names() {
            for amount in [least, i64::midpoint(least, most), most] {
                let shown = placement(&merchant(), &ask(name, locale, Some(amount)), TODAY);
                let shown = shown.unwrap_or_else(|| panic!("{name} {locale} {amount}"));
                let text = shown.text();
                assert!(!text.contains('{') && !text.contains("  "), "{text}");
                assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
                assert_eq!(
                    shown.message.iter().any(|piece| matches!(piece, Piece::Name(_))),
                    key.names_klarna()
                );
                assert_eq!(
                    text.to_lowercase().contains("klarn"),
                    key.names_klarna() || key.layout() == Layout::Info,
                    "{text}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 2_000, "{seen}");
}

#[test]
fn placements_speak_the_locales_of_the_sheet() {
    let sheet = "en-AT de-AT nl-BE en-BE fr-BE en-CH de-CH it-CH fr-CH en-CZ cs-CZ de-DE en-DE da-DK \
        en-DK es-ES en-ES fi-FI sv-FI en-FI fr-FR en-FR en-GB en-GR el-GR en-HU hu-HU en-IE en-IT \
        it-IT nl-NL en-NL no-NO nb-NO en-NO en-PL pl-PL en-PT pt-PT en-RO ro-RO sv-SE en-SE sk-SK \
        en-SK en-CA fr-CA es-MX en-MX en-US es-US en-AU en-NZ";
    let mut sheet: Vec<&str> = sheet.split_whitespace().collect();
    sheet.sort_unstable();
    let known: Vec<String> = hints().locales.into_keys().collect();
    assert_eq!(known, sheet);
    assert_eq!(read_locale("sv_SE").unwrap().as_str(), "sv-SE");
    assert_eq!(read_locale(" SV-se ").unwrap().as_str(), "sv-SE");
    assert_eq!(read_locale("no-NO").unwrap().as_str(), "no-NO");
    assert_eq!(read_locale("sv"), None);
}

#[test]
fn older_names_are_understood() {
    for (old, new) in [
        ("credit-promotion-small", "credit-promotion-auto-size"),
        ("info-page-standard", "info-page"),
        ("footer", "footer-promotion-auto-size"),
        ("homepage-promotion-wide", "homepage-banner"),
    ] {
        assert_eq!(PlacementKey::named(old).unwrap().as_str(), new);
    }
    assert_eq!(PlacementKey::named("nonsense"), None);
}

proptest! {
    /// The hints that the library keeps room by and the decision agree on every amount.
    #[test]
    fn hints_and_decision_agree(amount in prop_oneof![any::<i64>(), 0_i64..5_000_000], index in 0_usize..55) {
        let hints = hints();
        let (locale, (least, most)) = hints.locales.iter().nth(index % hints.locales.len()).unwrap();
        let shown = placement(&merchant(), &ask("checkout", locale, Some(amount)), TODAY);
        prop_assert_eq!(shown.is_some(), (*least..=*most).contains(&amount), "{} {}", locale, amount);
    }

    /// No part of what is promised is less than what has to be paid.
    #[test]
    fn nobody_pays_more_than_was_said(amount in 100_i64..1_000_000, index in 0_usize..26) {
        let country = &MARKETS[index % MARKETS.len()].country;
        let Some(offer) = promotion(country, amount, &[], TODAY) else { return Ok(()) };
        let pieces = told(texts::of("en"), &offer);
        let Some(Piece::Amount(said)) = pieces.iter().find(|piece| matches!(piece, Piece::Amount(_))) else {
            return Err(TestCaseError::fail("no amount"));
        };
        prop_assert!(offer.parts.iter().all(|part| part.amount <= *said));
        prop_assert!(i128::from(*said) * offer.parts.len() as i128 >= i128::from(offer.total));
    }
}
