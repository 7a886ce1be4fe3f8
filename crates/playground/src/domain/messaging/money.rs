//! Amounts as text, where no browser writes them: for the messaging API. By the usage of each language and,
//! where that differs, of the country.

use klarna_types::{Country, Currency, Locale};

/// Where the currency stands.
#[derive(Clone, Copy)]
enum Place {
    /// Before the number.
    Before(&'static str),
    /// After the number.
    After(&'static str),
}

/// No line may break within an amount.
const GAP: &str = "\u{a0}";

struct Usage {
    point: char,
    group: &'static str,
    place: Place,
}

fn usage(locale: &Locale) -> Usage {
    use Country::{AT, CA, CH, MX, US};
    use Place::{After, Before};
    let country = locale.country();
    let (point, group, place) = match (locale.language(), country) {
        ("de" | "it", Some(CH)) => ('.', "’", Before(GAP)),
        ("fr", Some(CH)) => ('.', GAP, After(GAP)),
        ("de", Some(AT)) | ("nl", _) => (',', ".", Before(GAP)),
        ("es", Some(MX | US)) => ('.', ",", Before("")),
        ("fr", Some(CA)) => (',', GAP, After(GAP)),
        ("de" | "it" | "es" | "el" | "da" | "ro", _) => (',', ".", After(GAP)),
        ("fr" | "cs" | "sk" | "pl" | "pt" | "hu" | "fi" | "sv" | "nb" | "no", _) => {
            (',', GAP, After(GAP))
        }
        _ => ('.', ",", Before("")),
    };
    Usage { point, group, place }
}

/// The sign of a currency; in English, whose readers meet many, its code where the sign is not theirs alone.
fn sign<'c>(currency: &'c Currency, locale: &Locale) -> &'c str {
    let english = locale.language() == "en";
    match currency {
        Currency::EUR => "€",
        Currency::GBP => "£",
        Currency::USD | Currency::AUD | Currency::CAD | Currency::NZD | Currency::MXN => "$",
        Currency::SEK | Currency::NOK if !english => "kr",
        Currency::DKK if !english => "kr.",
        Currency::CZK if !english => "Kč",
        Currency::HUF if !english => "Ft",
        Currency::PLN if !english => "zł",
        other => other.as_str(),
    }
}

/// An amount in minor units. Digits are moved as text, so nothing is ever rounded.
pub(crate) fn text(amount: i64, currency: &Currency, locale: &Locale) -> String {
    let Usage { point, group, place } = usage(locale);
    let decimals = usize::from(currency.exponent());
    let digits = format!("{:0>width$}", amount.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let mut number = String::new();
    if amount < 0 {
        number.push('-');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            number.push_str(group);
        }
        number.push(digit);
    }
    if decimals > 0 {
        number.push(point);
        number.push_str(fraction);
    }
    let sign = sign(currency, locale);
    match place {
        // A code in letters needs a gap where a sign needs none.
        Place::Before(gap) => {
            let gap = if sign.len() == 3 && sign.is_ascii() { GAP } else { gap };
            format!("{sign}{gap}{number}")
        }
        Place::After(gap) => format!("{number}{gap}{sign}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_written_as_the_locale_has_them() {
        for (amount, currency, locale, expected) in [
            (2_500, Currency::USD, "en-US", "$25.00"),
            (123_456_789, Currency::GBP, "en-GB", "£1,234,567.89"),
            (123_456, Currency::EUR, "de-DE", "1.234,56 €"),
            (123_456, Currency::EUR, "de-AT", "€ 1.234,56"),
            (123_456, Currency::CHF, "de-CH", "CHF 1’234.56"),
            (123_456, Currency::SEK, "sv-SE", "1 234,56 kr"),
            (123_456, Currency::SEK, "en-SE", "SEK 1,234.56"),
            (123_456, Currency::DKK, "da-DK", "1.234,56 kr."),
            (123_456, Currency::MXN, "es-MX", "$1,234.56"),
            (123_456, Currency::CAD, "fr-CA", "1 234,56 $"),
            (5, Currency::EUR, "fi-FI", "0,05 €"),
        ] {
            let found = text(amount, &currency, &Locale::new(locale));
            assert_eq!(found.replace(GAP, " "), expected, "{locale}");
        }
    }

    proptest! {
        #[test]
        fn the_digits_are_those_of_the_amount(amount in any::<i64>(), language in "[a-z]{2}", country in "[A-Z]{2}") {
            let locale = Locale::new(format!("{language}-{country}"));
            let written = text(amount, &Currency::EUR, &locale);
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            let read: u64 = digits.parse().unwrap();
            prop_assert_eq!(read, amount.unsigned_abs());
            prop_assert_eq!(written.contains('-'), amount < 0);
        }
    }
}
