//! What personal data must look like when the shopper authorizes: the content rules that are cheap
//! and sure. Lengths and patterns are `klarna_types::validate`'s business.
//!
//! A field that is empty or missing is not invalid: Klarna collects it in the purchase flow.

use klarna_types::payments::SessionBody;
use klarna_types::{Address, Country};

use crate::domain::session::effective_country;

/// When the data are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The widget loads; the shopper may still be typing.
    Load,
    /// The shopper buys.
    Authorize,
}

/// Whether a path names personal data, which the shopper can mend.
pub(crate) fn is_personal(path: &str) -> bool {
    ["billing_address.", "shipping_address.", "customer."]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// The paths of what is wrong.
pub(crate) fn invalid_fields(body: &SessionBody, stage: Stage) -> Vec<String> {
    let mut fields = Vec::new();
    let country = effective_country(body);
    for (name, address) in
        [("billing_address", &body.billing_address), ("shipping_address", &body.shipping_address)]
    {
        if let Some(address) = address {
            check_address(name, address, country, stage, &mut fields);
        }
    }
    fields
}

/// The paths of what is wrong in the address of an order that is placed already.
pub(crate) fn invalid_shipping_address(address: &Address) -> Vec<String> {
    let mut fields = Vec::new();
    check_address("shipping_address", address, None, Stage::Authorize, &mut fields);
    fields
}

/// A member, its value, and whether the value is fine.
type Rule<'a> = (&'static str, &'a Option<String>, &'a dyn Fn(&str) -> bool);

fn check_address(
    name: &str,
    address: &Address,
    fallback: Option<&Country>,
    stage: Stage,
    fields: &mut Vec<String>,
) {
    let country = address.country.as_ref().or(fallback);
    let greek = country == Some(&Country::GR);
    let rules: [Rule<'_>; 9] = [
        ("given_name", &address.given_name, &|text| is_name(text, greek)),
        ("family_name", &address.family_name, &|text| is_name(text, greek)),
        ("email", &address.email, &is_email),
        ("phone", &address.phone, &is_phone),
        ("street_address", &address.street_address, &|text| is_street(text, greek)),
        ("street_address2", &address.street_address2, &|text| is_street(text, greek)),
        ("postal_code", &address.postal_code, &|text| is_postal_code(text, country)),
        ("city", &address.city, &|text| is_street(text, greek)),
        ("region", &address.region, &|text| is_region(text, country)),
    ];
    for (member, value, is_fine) in rules {
        let value = value.as_deref().unwrap_or_default().trim();
        if !value.is_empty() && !is_fine(value) {
            fields.push(format!("{name}.{member}"));
        }
    }
    let needs_region = matches!(country, Some(Country::US | Country::AU));
    if stage == Stage::Authorize
        && needs_region
        && lacks(address.region.as_ref())
        && is_complete(address)
    {
        fields.push(format!("{name}.region"));
    }
}

fn lacks(value: Option<&String>) -> bool {
    value.is_none_or(|text| text.trim().is_empty())
}

/// Whether everything but the region is there.
fn is_complete(address: &Address) -> bool {
    ![
        &address.given_name,
        &address.family_name,
        &address.street_address,
        &address.postal_code,
        &address.city,
    ]
    .into_iter()
    .any(|value| lacks(value.as_ref()))
}

/// Longer than one character, not digits only, of the allowed characters.
fn is_name(text: &str, greek: bool) -> bool {
    text.chars().count() > 1
        && !text.chars().all(|character| character.is_ascii_digit())
        && text.chars().all(|character| {
            is_letter_or_digit(character, greek) || " -'’.°ºᵃª".contains(character)
        })
}

fn is_street(text: &str, greek: bool) -> bool {
    text.chars().all(|character| {
        is_letter_or_digit(character, greek) || " -'´`\",.:;#&/()+@°ºᵃª_’".contains(character)
    })
}

/// The scripts that Klarna names; Latin Extended-B is let through as well, since Romanian is
/// written with it.
fn is_letter_or_digit(character: char, greek: bool) -> bool {
    character.is_alphanumeric()
        && match u32::from(character) {
            0x00..=0x02af | 0x1d00..=0x1d7f => true,
            0x0370..=0x03ff | 0x1f00..=0x1fff => greek,
            _ => false,
        }
}

/// Local part, `@`, a domain with a dot; the usual ASCII characters, no quoted forms.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !local.is_empty()
        && local.bytes().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && domain.rsplit('.').next().is_some_and(|top| top.len() >= 2)
}

/// Plausible: an optional `+`, and six to fifteen digits among the usual separators. Klarna's own
/// test numbers are not valid by the numbering plans of all their countries.
pub(crate) fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && text.char_indices().all(|(index, c)| {
            c.is_ascii_digit() || " -()./".contains(c) || (c == '+' && index == 0)
        })
}

/// The country's form; spaces and hyphens do not count. `9` stands for a digit, `A` for a letter,
/// `*` for either.
fn is_postal_code(text: &str, country: Option<&Country>) -> bool {
    use Country::{
        AT, AU, BE, CA, CH, CZ, DE, DK, ES, FI, FR, GB, GR, HU, IE, IT, MX, NL, NO, NZ, PL, PT, RO,
        SE, SK, US,
    };
    let forms: &[&str] = match country {
        Some(AT | AU | BE | CH | DK | HU | NO | NZ) => &["9999"],
        Some(CZ | DE | ES | FI | FR | GR | IT | MX | PL | SE | SK) => &["99999"],
        Some(RO) => &["999999"],
        Some(PT) => &["9999999", "9999"],
        Some(US) => &["99999", "999999999"],
        Some(NL) => &["9999AA"],
        Some(CA) => &["A9A9A9"],
        Some(IE) => &["A9*****"],
        Some(GB) => &["A99AA", "A999AA", "AA99AA", "AA999AA", "A9A9AA", "AA9A9AA"],
        Some(_) | None => return true,
    };
    let code: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b' ' | b'-'))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    forms.iter().any(|form| {
        form.len() == code.len()
            && form.bytes().zip(&code).all(|(wanted, found)| match wanted {
                b'9' => found.is_ascii_digit(),
                b'A' => found.is_ascii_uppercase(),
                _ => found.is_ascii_alphanumeric(),
            })
    })
}

const US_STATES: &str = " AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS \
MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI \
AA AE AP ";

const AU_STATES: &str = " ACT NSW NT QLD SA TAS VIC WA ";

/// `OH` or `US-OH`; other countries' regions are not checked.
fn is_region(text: &str, country: Option<&Country>) -> bool {
    let (states, prefix) = match country {
        Some(Country::US) => (US_STATES, "US-"),
        Some(Country::AU) => (AU_STATES, "AU-"),
        Some(_) | None => return true,
    };
    let code = text.to_ascii_uppercase();
    let code = code.strip_prefix(prefix).unwrap_or(&code);
    code.bytes().all(|byte| byte.is_ascii_uppercase()) && states.contains(&format!(" {code} "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::persons::PERSONS;

    fn check(country: Country, address: Address, expected: &[&str]) {
        let body = SessionBody::new().purchase_country(country).billing_address(address);
        assert_eq!(invalid_fields(&body, Stage::Authorize), expected);
    }

    #[test]
    fn every_published_person_is_valid() {
        for person in PERSONS {
            let body = SessionBody::new()
                .purchase_country(person.country.clone())
                .billing_address(person.address());
            let invalid = invalid_fields(&body, Stage::Authorize);
            assert!(invalid.is_empty(), "{} {:?}: {invalid:?}", person.country, person.kind);
        }
    }

    #[test]
    fn postal_codes_have_their_countrys_form() {
        let postal_code = |code: &str| Address::new().postal_code(code);
        check(Country::SE, postal_code("114 80"), &[]);
        check(Country::SE, postal_code("1148"), &["billing_address.postal_code"]);
        check(Country::DE, postal_code("ABCDE"), &["billing_address.postal_code"]);
        check(Country::GB, postal_code("w1s 3be"), &[]);
        check(Country::GB, postal_code("12345"), &["billing_address.postal_code"]);
        check(Country::US, postal_code("10024-3941"), &[]);
        check(Country::PT, postal_code("1990-094"), &[]);
    }

    #[test]
    fn names_phones_and_mail_must_be_plausible() {
        let wrong = Address::new()
            .given_name("A")
            .family_name("123")
            .email("nobody@nowhere")
            .phone("call me")
            .street_address("Main <b>street</b>");
        check(
            Country::DE,
            wrong,
            &[
                "billing_address.given_name",
                "billing_address.family_name",
                "billing_address.email",
                "billing_address.phone",
                "billing_address.street_address",
            ],
        );
        check(Country::GR, Address::new().given_name("Ελένη"), &[]);
        check(Country::DE, Address::new().given_name("Ελένη"), &["billing_address.given_name"]);
    }

    #[test]
    fn the_united_states_and_australia_need_a_region() {
        let complete = Address::new()
            .given_name("Test")
            .family_name("Person-us")
            .street_address("509 Amsterdam Ave")
            .postal_code("10024-3941")
            .city("New York");
        check(Country::US, complete.clone(), &["billing_address.region"]);
        check(Country::US, complete.clone().region("NY"), &[]);
        check(Country::US, complete.clone().region("us-ny"), &[]);
        check(Country::US, complete.clone().region("XX"), &["billing_address.region"]);
        check(Country::US, Address::new().given_name("Test"), &[]);
        let body = SessionBody::new().purchase_country(Country::US).billing_address(complete);
        assert!(invalid_fields(&body, Stage::Load).is_empty());
    }
}
