//! The contact and address form: its fields, and what is wrong with them.
//!
//! The rules are few on purpose: what every parcel needs, and nothing that a real address could
//! break. The page checks the same in the browser; this is for browsers without scripts, and for
//! anyone who does not ask the page.

use crate::language::Texts;
use crate::market::Market;

/// The longest text that a field takes.
pub(crate) const MAX_LENGTH: usize = 100;

/// One field of the form.
pub(crate) struct Field {
    /// Klarna's name for it, which is also its name in the form.
    pub(crate) name: &'static str,
    /// What browsers fill it in by.
    pub(crate) autocomplete: &'static str,
    /// The kind of keyboard.
    pub(crate) kind: &'static str,
    /// Whether it must be filled in.
    pub(crate) need: Need,
    /// How wide it stands in the form.
    pub(crate) width: Width,
}

/// Whether a field must be filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// How wide a field stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Whole,
    Half,
}

const EMAIL: Field = field("email", "email", "email", Need::Required, Width::Half);
const PHONE: Field = field("phone", "tel", "tel", Need::Required, Width::Half);
const GIVEN: Field = field("given_name", "given-name", "text", Need::Required, Width::Half);
const FAMILY: Field = field("family_name", "family-name", "text", Need::Required, Width::Half);
const STREET: Field =
    field("street_address", "address-line1", "text", Need::Required, Width::Whole);
const STREET2: Field =
    field("street_address2", "address-line2", "text", Need::Optional, Width::Whole);
const CITY: Field = field("city", "address-level2", "text", Need::Required, Width::Half);
const WIDE_CITY: Field = field("city", "address-level2", "text", Need::Required, Width::Whole);
const CODE: Field = field("postal_code", "postal-code", "text", Need::Required, Width::Half);
const REGION: Field = field("region", "address-level1", "select", Need::Required, Width::Half);

const fn field(
    name: &'static str,
    autocomplete: &'static str,
    kind: &'static str,
    need: Need,
    width: Width,
) -> Field {
    Field { name, autocomplete, kind, need, width }
}

/// How the shopper is reached.
pub(crate) static CONTACT: &[Field] = &[EMAIL, PHONE];

static PLACE: &[Field] = &[GIVEN, FAMILY, STREET, STREET2, CODE, CITY];
static PLACE_WITH_REGION: &[Field] = &[GIVEN, FAMILY, STREET, STREET2, WIDE_CITY, REGION, CODE];

/// Where the goods or the bill go.
pub(crate) fn place(market: &Market) -> &'static [Field] {
    if market.address.regions.is_empty() { PLACE } else { PLACE_WITH_REGION }
}

/// What is wrong with a field's value, in the visitor's language.
pub(crate) fn problem(
    field: &Field,
    value: &str,
    market: &Market,
    texts: &'static Texts,
) -> Option<&'static str> {
    let value = value.trim();
    if value.is_empty() {
        return (field.need == Need::Required).then_some(texts.error_required);
    }
    if value.chars().count() > MAX_LENGTH || value.chars().any(char::is_control) {
        return Some(texts.error_too_long);
    }
    match field.name {
        "email" if !looks_like_email(value) => Some(texts.error_email),
        "phone" if !looks_like_phone(value) => Some(texts.error_phone),
        "postal_code" if !market.accepts_postal_code(value) => Some(texts.error_postal_code),
        "region" if !market.address.regions.iter().any(|(code, _)| *code == value) => {
            Some(texts.error_required)
        }
        "given_name" | "family_name"
            if value.chars().count() < 2 || value.chars().all(|c| c.is_ascii_digit()) =>
        {
            Some(texts.error_name)
        }
        _ => None,
    }
}

fn looks_like_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && !value.contains(char::is_whitespace)
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    })
}

fn looks_like_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    (6..=17).contains(&digits) && value.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::market::View;

    #[test]
    fn fields_say_what_is_wrong_with_them() {
        let texts = Language::English.texts();
        let cases = [
            ("en-SE", &EMAIL, "customer+denied@email.se", None),
            ("en-SE", &EMAIL, "", Some(texts.error_required)),
            ("en-SE", &EMAIL, "a@b", Some(texts.error_email)),
            ("en-SE", &EMAIL, "a@b..se", Some(texts.error_email)),
            ("en-SE", &EMAIL, "a b@c.se", Some(texts.error_email)),
            ("en-DE", &PHONE, "+49017614284340", None),
            ("en-DE", &PHONE, "call me", Some(texts.error_phone)),
            ("en-GB", &CODE, "w1s 3be", None),
            ("en-GB", &CODE, "10178", Some(texts.error_postal_code)),
            ("en-US", &REGION, "NY", None),
            ("en-US", &REGION, "XX", Some(texts.error_required)),
            ("en-US", &STREET2, "", None),
            ("en-US", &GIVEN, "A", Some(texts.error_name)),
            ("en-US", &GIVEN, "Bo", None),
            ("en-US", &CITY, "a\u{0}b", Some(texts.error_too_long)),
        ];
        for (tag, field, value, expected) in cases {
            let market = View::from_tag(tag).unwrap().market;
            assert_eq!(problem(field, value, market, texts), expected, "{tag} {value:?}");
        }
        let long = "x".repeat(MAX_LENGTH + 1);
        let market = View::from_tag("en-US").unwrap().market;
        assert_eq!(problem(&CITY, &long, market, texts), Some(texts.error_too_long));
    }
}
