//! Who signs in: a sample person, or whoever an address or number may belong to, and what a shop is told of them.

use klarna_types::{Country, Locale};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::flow::Contact;
use crate::domain::identity::scope::Share;
use crate::domain::persons::{self, Kind, PERSONS, Person};

/// The beginning of every subject.
const SUBJECT: &str = "krn:kuid:";

/// A postal address, as claims have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PostalAddress {
    street: String,
    postal_code: String,
    city: String,
    region: String,
    country: String,
}

impl PostalAddress {
    /// Both spellings of the second line occur, so both are written.
    fn claim(&self) -> Value {
        let some = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        json!({
            "street_address": some(&self.street),
            "street_address2": null,
            "street_address_2": null,
            "postal_code": some(&self.postal_code),
            "city": some(&self.city),
            "region": some(&self.region),
            "country": some(&self.country),
        })
    }
}

/// A shopper's account at Klarna. Personal data, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Names the account to every shop.
    pub(crate) subject: String,
    given_name: String,
    family_name: String,
    /// The address that decides what becomes of purchases.
    pub(crate) email: String,
    phone: String,
    date_of_birth: String,
    national_id: String,
    address: PostalAddress,
    country: String,
    locale: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Account {
    /// The account behind an address or a number. Everyone has one: a sample person where it is theirs, and
    /// otherwise the market's approved person under this address or number. `key` makes the subject of it, always
    /// the same for the same account.
    pub(crate) fn of(
        contact: &Contact,
        locale: Option<&Locale>,
        key: impl FnOnce(&str) -> String,
    ) -> Option<Self> {
        let country = country_of(contact, locale);
        let known = PERSONS.iter().find(|person| match contact {
            Contact::Email(email) => person.email == email,
            Contact::Phone(phone) => person.phone == phone,
        });
        let person: &Person = known.or_else(|| persons::find(&country, Kind::Approved))?;
        let (email, phone) = match contact {
            Contact::Email(email) => (email.clone(), person.phone.to_owned()),
            Contact::Phone(phone) => (person.email.to_owned(), phone.clone()),
        };
        let country = person.country.as_str().to_owned();
        let language = locale.map_or("en", |locale| locale.as_str().get(..2).unwrap_or("en"));
        Some(Self {
            subject: format!("{SUBJECT}{}", key(contact.as_str())),
            given_name: person.given_name.to_owned(),
            family_name: person.family_name.to_owned(),
            date_of_birth: person.date_of_birth.to_owned(),
            national_id: person.national_identification_number.to_owned(),
            address: PostalAddress {
                street: person.street_address.to_owned(),
                postal_code: person.postal_code.to_owned(),
                city: person.city.to_owned(),
                region: person.region.to_owned(),
                country: country.clone(),
            },
            locale: format!("{}-{country}", language.to_ascii_lowercase()),
            country,
            email,
            phone,
        })
    }

    /// The name, as pages show it.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// What a piece is for this account, in words; none when there is nothing to share.
    pub(crate) fn shown(&self, share: Share) -> Option<String> {
        let text = match share {
            Share::Name => self.name(),
            Share::Email => self.email.clone(),
            Share::Phone => self.phone.clone(),
            Share::DateOfBirth => self.date_of_birth.clone(),
            Share::BillingAddress | Share::ShippingAddress => {
                let address = &self.address;
                format!("{}, {} {}", address.street, address.postal_code, address.city)
            }
            Share::NationalId => self.national_id.clone(),
            Share::Country => self.country.clone(),
            Share::Locale => self.locale.clone(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The claims of what is shared. What is not known is left out.
    pub(crate) fn claims(&self, shares: &[Share]) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                claims.insert(name.to_owned(), json!(value));
            }
        };
        for share in shares {
            match share {
                Share::Name => {
                    add("given_name", &self.given_name);
                    add("family_name", &self.family_name);
                }
                Share::Email => add("email", &self.email),
                Share::Phone => add("phone", &self.phone),
                Share::DateOfBirth => add("date_of_birth", &self.date_of_birth),
                Share::NationalId if self.national_id.is_empty() => {}
                Share::NationalId => {
                    // Klarna's pages disagree about the name.
                    add("national_identification_number", &self.national_id);
                    add("national_id", &self.national_id);
                    add("national_identification_number_country", &self.country);
                }
                Share::Country => add("country", &self.country),
                Share::Locale => add("locale", &self.locale),
                Share::BillingAddress | Share::ShippingAddress => {}
            }
        }
        for (share, name) in [(Share::Email, "email_verified"), (Share::Phone, "phone_verified")] {
            if shares.contains(&share) {
                claims.insert(name.to_owned(), json!(true));
            }
        }
        for (share, name) in [
            (Share::BillingAddress, "billing_address"),
            (Share::ShippingAddress, "shipping_address"),
        ] {
            if shares.contains(&share) {
                claims.insert(name.to_owned(), self.address.claim());
            }
        }
        claims
    }
}

/// The market that an address or a number is of: by its ending or beginning where a sample person has the same, by
/// the shopper's language otherwise, and Sweden when nothing is known.
fn country_of(contact: &Contact, locale: Option<&Locale>) -> Country {
    let by_contact = match contact {
        Contact::Email(email) => {
            let ending = email.rsplit('.').next().unwrap_or_default();
            let same = |person: &&Person| person.email.rsplit('.').next() == Some(ending);
            PERSONS.iter().find(same).map(|person| person.country.clone())
        }
        Contact::Phone(phone) => {
            let same = |person: &&Person| {
                person.phone.get(..3).is_some_and(|prefix| phone.starts_with(prefix))
            };
            PERSONS.iter().find(same).map(|person| person.country.clone())
        }
    };
    by_contact
        .or_else(|| {
            let region = locale?.as_str().get(3..5)?.to_ascii_uppercase();
            let country = Country::from(region.as_str());
            country.market().is_some().then_some(country)
        })
        .unwrap_or(Country::SE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(contact: &str, locale: Option<&str>) -> Account {
        let contact = Contact::parse(contact).unwrap();
        let locale = locale.map(Locale::new);
        Account::of(&contact, locale.as_ref(), str::to_owned).unwrap()
    }

    #[test]
    fn a_sample_person_has_an_account_in_their_market() {
        for person in PERSONS {
            let found = account(person.email, None);
            assert_eq!(found.country, person.country.as_str(), "{}", person.email);
            assert_eq!(found.email, person.email);
        }
    }

    #[test]
    fn everyone_else_has_one_in_the_market_that_the_address_or_the_language_says() {
        for (contact, locale, country) in [
            ("alva@example.de", None, "DE"),
            ("alva@example.com", Some("fi-FI"), "FI"),
            ("alva@example.com", Some("en-ZZ"), "SE"),
            ("alva@example.com", None, "SE"),
            ("+4915112345678", None, "DE"),
        ] {
            assert_eq!(account(contact, locale).country, country, "{contact} {locale:?}");
        }
    }

    #[test]
    fn a_shop_is_told_what_is_shared_and_nothing_else() {
        let finn = account("customer@email.fi", Some("sv-FI"));
        assert!(finn.claims(&[]).is_empty());
        let claims = finn.claims(&[Share::Email, Share::NationalId, Share::Locale]);
        let names: Vec<_> = claims.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "email",
                "national_identification_number",
                "national_id",
                "national_identification_number_country",
                "locale",
                "email_verified",
            ]
        );
        assert_eq!(claims["locale"], "sv-FI");
        // There is none to share in Germany.
        assert!(account("customer@email.de", None).claims(&[Share::NationalId]).is_empty());
    }

    #[test]
    fn an_account_does_not_print() {
        let printed = format!("{:?}", account("customer@email.se", None));
        assert!(!printed.contains("Person") && !printed.contains("4670"), "{printed}");
    }
}
