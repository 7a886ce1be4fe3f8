//! What the older Express button tells a store of a shopper, with which the store fills in its checkout.

use klarna_types::Country;
use serde::Serialize;

use crate::domain::decision::{WRONG_CODE, is_code};
use crate::domain::flow::Contact;
use crate::domain::persons::{self, Kind, PERSONS};

/// The shopper, in the button's names. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shopper {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    date_of_birth: String,
    address: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Place {
    street_address: String,
    postal_code: String,
    city: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    region: String,
    country: String,
}

/// What is wrong with a code, as the page names it.
pub(crate) fn problem_with_code(code: &str) -> Option<&'static str> {
    match code.trim() {
        code if !is_code(code) => Some("code"),
        WRONG_CODE => Some("wrong_code"),
        _ => None,
    }
}

/// The shopper behind an address or a number: a sample person where it is theirs, otherwise the approved person of
/// the locale's country under it.
pub(crate) fn shopper(contact: &Contact, locale: &str) -> Option<Shopper> {
    let country = locale.split(['-', '_']).nth(1).unwrap_or("US").to_ascii_uppercase();
    let known = PERSONS.iter().find(|person| match contact {
        Contact::Email(email) => person.email == email,
        Contact::Phone(phone) => person.phone == phone,
    });
    let approved = |country: &Country| persons::find(country, Kind::Approved);
    let person = known
        .or_else(|| approved(&Country::from(country.as_str())))
        .or_else(|| approved(&Country::US))?;
    let (email, phone) = match contact {
        Contact::Email(email) => (email.as_str(), person.phone),
        Contact::Phone(phone) => (person.email, phone.as_str()),
    };
    Some(Shopper {
        first_name: person.given_name.to_owned(),
        last_name: person.family_name.to_owned(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        date_of_birth: person.date_of_birth.to_owned(),
        address: Place {
            street_address: person.street_address.to_owned(),
            postal_code: person.postal_code.to_owned(),
            city: person.city.to_owned(),
            region: person.region.to_owned(),
            country: person.country.as_str().to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_an_address_in_the_country_of_the_page() {
        for (contact, locale, country) in [
            ("somebody@example.com", "de-DE", "DE"),
            ("somebody@example.com", "en", "US"),
            ("somebody@example.com", "xx-YY", "US"),
            ("customer@email.de", "en-US", "DE"),
        ] {
            let contact = Contact::parse(contact).unwrap();
            let shopper = shopper(&contact, locale).unwrap();
            assert_eq!(shopper.address.country, country, "{locale}");
            assert_eq!(shopper.email, contact.as_str());
        }
    }

    #[test]
    fn codes_are_six_digits_and_one_of_them_fails() {
        assert_eq!(problem_with_code("12345"), Some("code"));
        assert_eq!(problem_with_code("999999"), Some("wrong_code"));
        assert_eq!(problem_with_code(" 123456 "), None);
    }
}
