//! What the payment method categories are called, market by market.
//!
//! The names are those of Klarna's page on localised messaging for checkout. Shops show them as
//! they are. Where a market's language has no published name, English stands in.

use klarna_types::Country;
use klarna_types::payments::PaymentMethodCategoryIdentifier;

/// The name of a category in a market (`None`: not known) and a language (`sv`, `de` …).
pub(crate) fn name(
    identifier: &PaymentMethodCategoryIdentifier,
    country: Option<&Country>,
    language: &str,
) -> &'static str {
    use PaymentMethodCategoryIdentifier::{PayLater, PayNow, PayOverTime};
    match identifier {
        PayNow => local_pay_now(language).unwrap_or_else(|| english_pay_now(country)),
        PayLater => local_pay_later(language).unwrap_or("Pay later"),
        PayOverTime => {
            local_pay_over_time(language).unwrap_or_else(|| english_pay_over_time(country))
        }
        // The unified category; the other identifiers have no published name.
        _ => local_klarna(country, language).unwrap_or_else(|| english_klarna(country)),
    }
}

fn english_klarna(country: Option<&Country>) -> &'static str {
    use Country::{AT, BE, CH, DE, DK, FI, GB, MX, NL, NO, NZ, SE, US};
    match country {
        Some(AT | DE) => "Pay flexibly",
        Some(BE | CH | DK | FI | GB | MX | NL | NO | NZ | SE | US) => "Pay with Klarna",
        _ => "Flexible payments with Klarna",
    }
}

fn local_klarna(country: Option<&Country>, language: &str) -> Option<&'static str> {
    use Country::{BE, CH, MX, US};
    Some(match (country, language) {
        (_, "de") => "Flexibel bezahlen",
        (_, "nl") => "Betaal met Klarna",
        (Some(BE), "fr") => "Payez avec Klarna",
        (_, "fr") => "Paiements flexibles avec Klarna",
        (Some(CH), "it") | (Some(MX | US), "es") => "Paga con Klarna",
        (_, "it") => "Pagamenti flessibili con Klarna",
        (_, "es") => "Pagos flexibles con Klarna",
        (_, "cs") => "Flexibilní platby s Klarna",
        (_, "da" | "nb" | "no") => "Betal med Klarna",
        (_, "fi") => "Maksa Klarnalla",
        (_, "sv") => "Betala med Klarna",
        (_, "el") => "Ευέλικτες πληρωμές με Klarna",
        (_, "hu") => "Rugalmas fizetési lehetőségek a Klarnával",
        (_, "pl") => "Elastyczne płatności z Klarną",
        (_, "pt") => "Pagamentos flexíveis com Klarna",
        (_, "ro") => "Plăți flexibile cu Klarna",
        (_, "sk") => "Flexibilné platby s Klarnou",
        _ => return None,
    })
}

fn english_pay_now(country: Option<&Country>) -> &'static str {
    match country {
        Some(Country::FI) => "Online banking and card-payment",
        _ => "Pay in full today",
    }
}

fn local_pay_now(language: &str) -> Option<&'static str> {
    Some(match language {
        "sv" => "Betala direkt",
        "de" => "Sofort bezahlen",
        "nl" => "Betaal nu",
        "fr" => "Payez maintenant",
        "it" => "Paga ora",
        "es" => "Paga el total hoy",
        "nb" | "no" => "Betal nå",
        "da" => "Betal nu",
        "pl" => "Zapłać teraz",
        "pt" => "Paga agora",
        _ => return None,
    })
}

fn local_pay_later(language: &str) -> Option<&'static str> {
    Some(match language {
        "sv" => "Betala senare",
        "de" => "Später bezahlen",
        "nl" => "Betaal later",
        "fr" => "Payez plus tard",
        "it" => "Paga dopo",
        "es" => "Paga más tarde",
        "nb" | "no" | "da" => "Betal senere",
        "pl" => "Zapłać później",
        "pt" => "Paga mais tarde",
        _ => return None,
    })
}

fn english_pay_over_time(country: Option<&Country>) -> &'static str {
    use Country::{AT, AU, CA, CH, DE, FI, GB, IT, MX, NO, NZ, SE, US};
    match country {
        Some(AT | DE) => "Spread the cost",
        Some(AU) => "Pay in 4",
        Some(CA | GB | US) => "Pay over time",
        Some(CH) => "3 interest-free installments",
        Some(FI | NO | SE) => "Financing",
        Some(IT) => "Pay in 3 or Pay over time",
        Some(MX | NZ) => "Pay with Klarna",
        _ => "Pay in 3",
    }
}

fn local_pay_over_time(language: &str) -> Option<&'static str> {
    Some(match language {
        "sv" => "Dela upp",
        "de" => "Teile die Kosten auf",
        "nl" => "Betaal in 3 delen",
        "fr" => "Payez en 3 fois",
        "it" => "Paga in 3 rate",
        "es" => "Divide el coste",
        "nb" | "no" => "Delbetaling",
        "da" => "Betal i 3 dele",
        "pl" => "Zapłać w 3 ratach",
        "pt" => "Paga em 3 prestações",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use PaymentMethodCategoryIdentifier::{Klarna, PayLater, PayNow, PayOverTime};

    use super::*;

    #[track_caller]
    fn check(id: &PaymentMethodCategoryIdentifier, country: &Country, language: &str, is: &str) {
        assert_eq!(name(id, Some(country), language), is);
    }

    #[test]
    fn published_names() {
        check(&Klarna, &Country::SE, "sv", "Betala med Klarna");
        check(&Klarna, &Country::SE, "en", "Pay with Klarna");
        check(&Klarna, &Country::DE, "de", "Flexibel bezahlen");
        check(&Klarna, &Country::DE, "en", "Pay flexibly");
        check(&Klarna, &Country::US, "en", "Pay with Klarna");
        check(&Klarna, &Country::IE, "en", "Flexible payments with Klarna");
        check(&Klarna, &Country::BE, "fr", "Payez avec Klarna");
        check(&Klarna, &Country::FR, "fr", "Paiements flexibles avec Klarna");
        check(&PayNow, &Country::FI, "en", "Online banking and card-payment");
        check(&PayLater, &Country::RO, "ro", "Pay later");
        check(&PayOverTime, &Country::SE, "sv", "Dela upp");
        check(&PayOverTime, &Country::CH, "en", "3 interest-free installments");
    }
}
