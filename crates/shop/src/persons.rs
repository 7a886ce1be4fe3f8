//! Klarna's published sample persons, so that a visitor of the demo can fill in the address form
//! with one click and see a purchase approved or denied.
//!
//! A real shop has nothing of this kind. The data are public test data; Klarna's playground
//! decides by the e-mail address.

/// A person to try a purchase as.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// What Klarna's playground will decide.
    pub outcome: Outcome,
    /// The address form's fields by name.
    pub fields: &'static [(&'static str, &'static str)],
}

/// What the playground decides for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The purchase goes through.
    Approved,
    /// The purchase is denied.
    Denied,
}

macro_rules! person {
    ($outcome:ident, $email:literal, $phone:literal, $given:literal, $family:literal,
     $street:literal, $postal_code:literal, $city:literal, $region:literal) => {
        Person {
            outcome: Outcome::$outcome,
            fields: &[
                ("email", $email),
                ("phone", $phone),
                ("given_name", $given),
                ("family_name", $family),
                ("street_address", $street),
                ("street_address2", ""),
                ("postal_code", $postal_code),
                ("city", $city),
                ("region", $region),
            ],
        }
    };
}

/// The sample persons of a country; empty where we have none.
pub fn of(country: &str) -> &'static [Person] {
    match country {
        "SE" => &[
            person!(
                Approved,
                "customer@email.se",
                "+46701740615",
                "Alice",
                "Test",
                "Södra Blasieholmshamnen 2",
                "11 148",
                "Stockholm",
                ""
            ),
            person!(
                Denied,
                "customer+denied@email.se",
                "+46701740620",
                "Test",
                "Person-se",
                "Karlaplan 3",
                "11 460",
                "Stockholm",
                ""
            ),
        ],
        "DE" => &[
            person!(
                Approved,
                "customer@email.de",
                "+49017614284340",
                "Mock",
                "Mock",
                "Neue Schönhauser Str. 2",
                "10178",
                "Berlin",
                ""
            ),
            person!(
                Denied,
                "customer+denied@email.de",
                "+49017610927312",
                "Test",
                "Person-de",
                "Neue Schönhauser Str. 2",
                "10178",
                "Berlin",
                ""
            ),
        ],
        "GB" => &[
            person!(
                Approved,
                "customer@email.uk",
                "+447755564318",
                "Test",
                "Person-uk",
                "10 New Burlington Street Apt. 214",
                "W1S 3BE",
                "London",
                ""
            ),
            person!(
                Denied,
                "customer+denied@email.uk",
                "+447355505530",
                "Test",
                "Person-uk",
                "10 New Burlington Street Apt. 214",
                "W1S 3BE",
                "London",
                ""
            ),
        ],
        "US" => &[
            person!(
                Approved,
                "customer@email.us",
                "+13106683312",
                "Test",
                "Person-us",
                "509 Amsterdam Ave",
                "10024-3941",
                "New York",
                "NY"
            ),
            person!(
                Denied,
                "customer+denied@email.us",
                "+13106354386",
                "Test",
                "Person-us",
                "509 Amsterdam Ave",
                "10024-3941",
                "New York",
                "NY"
            ),
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::View;

    #[test]
    fn every_market_has_both_persons_and_its_form_takes_them() {
        for view in View::all() {
            let persons = of(view.market.country);
            assert_eq!(
                persons.iter().map(|person| person.outcome).collect::<Vec<_>>(),
                [Outcome::Approved, Outcome::Denied],
                "{}",
                view.market.country
            );
            for person in persons {
                let code = person.fields.iter().find(|(name, _)| *name == "postal_code").unwrap().1;
                assert!(view.market.accepts_postal_code(code), "{code}");
            }
        }
    }
}
