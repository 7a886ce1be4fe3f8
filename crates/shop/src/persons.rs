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

macro_rules! persons {
    ($($country:literal $outcome:ident $email:literal $phone:literal $given:literal $family:literal
        $street:literal $postal_code:literal $city:literal $region:literal;)+) => {
        static PERSONS: &[(&str, Person)] = &[$(($country, Person {
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
        })),+];
    };
}

/// The sample persons of a country; none where we have none.
pub fn of(country: &str) -> impl Iterator<Item = &'static Person> {
    PERSONS.iter().filter(move |(known, _)| *known == country).map(|(_, person)| person)
}

// Country, outcome, e-mail, phone, given and family name, street, postal code, city, region.
persons! {
    "AT" Approved "customer@email.at" "+4306762600456" "Test" "Person-at"
        "Mariahilfer Straße 47" "1060" "Wien" "";
    "AT" Denied "customer+denied@email.at" "+4306762600745" "Test" "Person-at"
        "Mariahilfer Straße 47" "1060" "Wien" "";
    "AU" Approved "customer@email.au" "+61473752244" "Test" "Person-au"
        "4 Wharf St" "4877" "Port Douglas" "QLD";
    "AU" Denied "customer+denied@email.au" "+61473763254" "John" "snow"
        "1-5 Silverwater Rd" "2128" "Silverwater" "NSW";
    "BE" Approved "customer@email.be" "+32485121291" "Test" "Person-be"
        "Grote Markt 1" "1000" "Brussel" "";
    "BE" Denied "customer+denied@email.be" "+32485212123" "Test" "Person-be"
        "Grote Markt 1" "1000" "Brussel" "";
    "CA" Approved "customer@email.ca" "+15197438620" "Test" "Person-ca"
        "2693 Byron Rd" "V7H 1L9" "North Vancouver" "BC";
    "CA" Denied "customer+denied@email.ca" "+15197308624" "Test" "Person-ca"
        "2693 Byron Rd" "V7H 1L9" "North Vancouver" "BC";
    "CH" Approved "customer@email.ch" "+41758680000" "Accepted" "Person-ch"
        "Augustinergasse 2" "4051" "Basel" "";
    "CH" Denied "customer+denied@email.ch" "+41758680001" "Customer" "Person-ch"
        "Bahnhofstrasse 77" "8001" "Zürich" "";
    "CZ" Approved "customer@email.cz" "+420771613715" "Test" "Person-cz"
        "Zazvorkova 1480/11" "155 00" "Praha" "";
    "CZ" Denied "customer+denied@email.cz" "+420771623691" "Test" "Person-cz"
        "Zázvorkova 1480/11" "155 00" "PRAHA 13" "";
    "DE" Approved "customer@email.de" "+49017614284340" "Mock" "Mock"
        "Neue Schönhauser Str. 2" "10178" "Berlin" "";
    "DE" Denied "customer+denied@email.de" "+49017610927312" "Test" "Person-de"
        "Neue Schönhauser Str. 2" "10178" "Berlin" "";
    "DK" Approved "customer@email.dk" "+4542555628" "Test" "Person-dk"
        "Dantes Plads 7" "1556" "København Ø" "";
    "DK" Denied "customer+denied@email.dk" "+4552555348" "Test" "Person-dk"
        "Nygårdsvej 65" "2100" "København Ø" "";
    "ES" Approved "customer@email.es" "+34672563009" "Test" "Person-es"
        "C. de Atocha, 27" "28012" "Madrid" "";
    "ES" Denied "customer+denied@email.es" "+34682425101" "Test" "Person-es"
        "C. de Atocha, 27" "28012" "Madrid" "";
    "FI" Approved "customer@email.fi" "+358401234567" "Test" "Person-fi"
        "Mannerheimintie 34" "00100" "Helsinki" "";
    "FI" Denied "customer+denied@email.fi" "+358401234568" "Person FI" "Test"
        "Mannerheimintie 34" "00100" "Helsinki" "";
    "FR" Approved "customer@email.fr" "+33689854321" "Test" "Person-fr"
        "33 rue la Fayette" "75009" "Paris" "";
    "FR" Denied "customer+denied@email.fr" "+33687984322" "Test" "Person-fr"
        "33 rue la Fayette" "75009" "Paris" "";
    "GB" Approved "customer@email.uk" "+447755564318" "Test" "Person-uk"
        "10 New Burlington Street Apt. 214" "W1S 3BE" "London" "";
    "GB" Denied "customer+denied@email.uk" "+447355505530" "Test" "Person-uk"
        "10 New Burlington Street Apt. 214" "W1S 3BE" "London" "";
    "GR" Approved "customer@email.gr" "+306945553624" "Test" "Person-gr"
        "Kephisias 37" "151 23" "Athina" "";
    "GR" Denied "customer+denied@email.gr" "+306945553625" "Test" "Test-gr"
        "Baralo 56" "123 67" "Athina" "";
    "HU" Approved "customer@email.hu" "+36300102692" "Test" "Person-hu"
        "Ludovika tér 2" "1083" "Budapest" "";
    "HU" Denied "customer+denied@email.hu" "+36705553575" "Person HU" "Test"
        "Ludovika tér 2" "1083" "Budapest" "";
    "IE" Approved "customer@email.ie" "+353855351400" "Test" "Person-ie"
        "30 King Street South" "D02 C838" "Dublin" "";
    "IE" Denied "customer+denied@email.ie" "+353855351401" "Test" "Person-ie"
        "30 King Street South" "D02 C838" "Dublin" "";
    "IT" Approved "customer@email.it" "+393339741231" "Test" "Person-it"
        "Via Enrico Fermi 150" "00146" "Roma" "";
    "IT" Denied "customer+denied@email.it" "+393312232389" "Test" "Person-it"
        "Via Enrico Fermi 150" "00146" "Roma" "";
    "MX" Approved "customer@email.mx" "+525593747739" "Test" "Person-mx"
        "Av Cuauhtémoc 462 Col Piedad Narvarte" "03000" "Benito Juárez" "CDMX";
    "MX" Denied "customer+denied@email.mx" "+525593747740" "Person-mx" "Test"
        "Av Cuauhtémoc 462 Col Piedad Narvarte" "03000" "Benito Juárez" "CDMX";
    "NL" Approved "customer@email.nl" "+31689124321" "Test" "Person-nl"
        "Osdorpplein 137" "1068 SR" "Amsterdam" "";
    "NL" Denied "customer+denied@email.nl" "+31632167678" "Test" "Person-nl"
        "Osdorpplein 137" "1068 SR" "Amsterdam" "";
    "NO" Approved "customer@email.no" "+4740123456" "Jane" "Test"
        "Edvard Munchs Plass 1" "0194" "Oslo" "";
    "NO" Denied "customer+denied@email.no" "+4740123457" "Test" "Person-no"
        "Sæffleberggate 56" "0563" "Oslo" "";
    "NZ" Approved "customer@email.nz" "+6427555290" "Test" "Person-nz"
        "286 Mount Wellington Highway" "6011" "Auckland" "";
    "NZ" Denied "customer+denied@email.nz" "+642993007712" "Test" "Person-nz"
        "286 Mount Wellington Highway" "6011" "Wellington" "";
    "PL" Approved "customer@email.pl" "+48795222223" "Test" "Person-pl"
        "Ul. Górczewska 124" "01-460" "Warszawa" "";
    "PL" Denied "customer+denied@email.pl" "+48795223325" "Test" "Person-pl"
        "Ul. Górczewska 124" "01-460" "Warszawa" "";
    "PT" Approved "customer@email.pt" "+351935556731" "Test" "Person-pt"
        "Avenida Dom João II 40" "1990-094" "Lisboa" "";
    "PT" Denied "customer+denied@email.pt" "+351915593837" "Test" "Person-pt"
        "Avenida Dom João II 40" "1990-094" "Lisboa" "";
    "RO" Approved "customer@email.ro" "+40741209876" "Test" "Person-ro"
        "Drumul Taberei 35" "061357" "București" "Sectorul 6";
    "RO" Denied "customer+denied@email.ro" "+40707127444" "Test" "Person-ro"
        "Drumul Taberei 35" "061357" "București" "Sectorul 6";
    "SE" Approved "customer@email.se" "+46701740615" "Alice" "Test"
        "Södra Blasieholmshamnen 2" "11 148" "Stockholm" "";
    "SE" Denied "customer+denied@email.se" "+46701740620" "Test" "Person-se"
        "Karlaplan 3" "11 460" "Stockholm" "";
    "SK" Approved "customer@email.sk" "+421905123456" "Test" "Person-sk"
        "Vajanského nábrežie 2" "810 06" "Bratislava" "";
    "SK" Denied "customer+denied@email.sk" "+421905123457" "Person Sk" "Test"
        "Vajanského nábrežie 2" "810 06" "Bratislava" "";
    "US" Approved "customer@email.us" "+13106683312" "Test" "Person-us"
        "509 Amsterdam Ave" "10024-3941" "New York" "NY";
    "US" Denied "customer+denied@email.us" "+13106354386" "Test" "Person-us"
        "509 Amsterdam Ave" "10024-3941" "New York" "NY";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::View;

    #[test]
    fn every_market_has_both_persons_and_its_form_takes_them() {
        for view in View::all() {
            let persons: Vec<_> = of(view.market.country).collect();
            assert_eq!(
                persons.iter().map(|person| person.outcome).collect::<Vec<_>>(),
                [Outcome::Approved, Outcome::Denied],
                "{}",
                view.market.country
            );
            for person in persons {
                let code = person.fields.iter().find(|(name, _)| *name == "postal_code").unwrap().1;
                assert!(view.market.accepts_postal_code(code), "{code}");
                let region = person.fields.iter().find(|(name, _)| *name == "region").unwrap().1;
                let regions = view.market.address.regions;
                assert!(
                    regions.is_empty() || regions.iter().any(|(known, _)| *known == region),
                    "{region}"
                );
            }
        }
    }
}
