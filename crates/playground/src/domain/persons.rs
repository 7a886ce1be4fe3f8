//! Klarna's published sample persons: who is approved and who is refused, in each of the 26 markets.
//!
//! Published test data, given literally because programs must match them. The e-mail address
//! decides; phone numbers repeat and are not all valid by their countries' numbering plans.

use klarna_types::payments::SessionBody;
use klarna_types::{Address, Country, Customer};

/// What becomes of a person's purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Approved.
    Approved,
    /// Refused.
    Denied,
}

/// A sample person. Empty text: not published.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The market.
    pub(crate) country: Country,
    /// What becomes of the purchase.
    pub(crate) kind: Kind,
    /// Given name.
    pub(crate) given_name: &'static str,
    /// Family name.
    pub(crate) family_name: &'static str,
    /// The address that steers the decision.
    pub(crate) email: &'static str,
    /// Phone number.
    pub(crate) phone: &'static str,
    /// Street and number.
    pub(crate) street_address: &'static str,
    /// Postal code.
    pub(crate) postal_code: &'static str,
    /// City.
    pub(crate) city: &'static str,
    /// State, province, county or sector.
    pub(crate) region: &'static str,
    /// `YYYY-MM-DD`.
    pub(crate) date_of_birth: &'static str,
    /// National number, where the market has one.
    pub(crate) national_identification_number: &'static str,
}

impl Person {
    /// The person's address.
    pub(crate) fn address(&self) -> Address {
        let address = Address::new()
            .given_name(self.given_name)
            .family_name(self.family_name)
            .email(self.email)
            .phone(self.phone)
            .street_address(self.street_address)
            .postal_code(self.postal_code)
            .city(self.city)
            .country(self.country.clone());
        if self.region.is_empty() { address } else { address.region(self.region) }
    }

    /// The person as a customer.
    pub(crate) fn customer(&self) -> Customer {
        let customer = Customer::new().date_of_birth(self.date_of_birth);
        if self.national_identification_number.is_empty() {
            customer
        } else {
            customer.national_identification_number(self.national_identification_number)
        }
    }
}

/// The sample person of a market.
pub(crate) fn find(country: &Country, kind: Kind) -> Option<&'static Person> {
    PERSONS.iter().find(|person| person.country == *country && person.kind == kind)
}

/// What Klarna collects in the purchase flow because the merchant has not sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collected {
    /// The whole billing address, if something of it had to be collected.
    pub(crate) billing_address: Option<Address>,
    /// The customer, if nothing of it was sent.
    pub(crate) customer: Option<Customer>,
}

/// Completes the data of a session with what the shopper entered and with the market's sample
/// person.
pub(crate) fn collected(
    country: &Country,
    body: &SessionBody,
    email: Option<&str>,
    phone: Option<&str>,
) -> Collected {
    let Some(person) = find(country, Kind::Approved) else {
        return Collected { billing_address: None, customer: None };
    };
    let given = body.billing_address.clone().unwrap_or_default();
    let sample = person.address();
    let some = |text: Option<&str>| text.map(str::to_owned);
    // A company's address is not completed with a person's home.
    let has_street = given.street_address.is_some() || given.organization_name.is_some();
    let home = |given: Option<String>, sample: Option<String>| {
        if has_street { given } else { given.or(sample) }
    };
    let complete = Address {
        given_name: given.given_name.clone().or(sample.given_name),
        family_name: given.family_name.clone().or(sample.family_name),
        email: given.email.clone().or_else(|| some(email)).or(sample.email),
        phone: given.phone.clone().or_else(|| some(phone)).or(sample.phone),
        street_address: home(given.street_address.clone(), sample.street_address),
        postal_code: home(given.postal_code.clone(), sample.postal_code),
        city: home(given.city.clone(), sample.city),
        region: home(given.region.clone(), sample.region),
        country: given.country.clone().or(sample.country),
        ..given.clone()
    };
    let billing_address = (body.billing_address.is_none() || complete != given).then_some(complete);
    let customer = body.customer.is_none().then(|| person.customer());
    Collected { billing_address, customer }
}

/// All of them.
pub(crate) const PERSONS: &[Person] = &[
    Person {
        country: Country::AT,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-at",
        email: "customer@email.at",
        phone: "+4306762600456",
        street_address: "Mariahilfer Straße 47",
        postal_code: "1060",
        city: "Wien",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::AT,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-at",
        email: "customer+denied@email.at",
        phone: "+4306762600745",
        street_address: "Mariahilfer Straße 47",
        postal_code: "1060",
        city: "Wien",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::BE,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-be",
        email: "customer@email.be",
        phone: "+32485121291",
        street_address: "Grote Markt 1",
        postal_code: "1000",
        city: "Brussel",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::BE,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-be",
        email: "customer+denied@email.be",
        phone: "+32485212123",
        street_address: "Grote Markt 1",
        postal_code: "1000",
        city: "Brussel",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::CZ,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-cz",
        email: "customer@email.cz",
        phone: "+420771613715",
        street_address: "Zazvorkova 1480/11",
        postal_code: "155 00",
        city: "Praha",
        region: "",
        date_of_birth: "1970-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::CZ,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-cz",
        email: "customer+denied@email.cz",
        phone: "+420771623691",
        street_address: "Zázvorkova 1480/11",
        postal_code: "155 00",
        city: "PRAHA 13",
        region: "",
        date_of_birth: "1992-06-27",
        national_identification_number: "",
    },
    Person {
        country: Country::DK,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-dk",
        email: "customer@email.dk",
        phone: "+4542555628",
        street_address: "Dantes Plads 7",
        postal_code: "1556",
        city: "København Ø",
        region: "",
        date_of_birth: "1980-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::DK,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-dk",
        email: "customer+denied@email.dk",
        phone: "+4552555348",
        street_address: "Nygårdsvej 65",
        postal_code: "2100",
        city: "København Ø",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::FI,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-fi",
        email: "customer@email.fi",
        phone: "+358401234567",
        street_address: "Mannerheimintie 34",
        postal_code: "00100",
        city: "Helsinki",
        region: "",
        date_of_birth: "1999-01-01",
        national_identification_number: "190122-829F",
    },
    Person {
        country: Country::FI,
        kind: Kind::Denied,
        given_name: "Person FI",
        family_name: "Test",
        email: "customer+denied@email.fi",
        phone: "+358401234568",
        street_address: "Mannerheimintie 34",
        postal_code: "00100",
        city: "Helsinki",
        region: "",
        date_of_birth: "1999-01-01",
        national_identification_number: "190122-829F",
    },
    Person {
        country: Country::FR,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-fr",
        email: "customer@email.fr",
        phone: "+33689854321",
        street_address: "33 rue la Fayette",
        postal_code: "75009",
        city: "Paris",
        region: "",
        date_of_birth: "1990-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::FR,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-fr",
        email: "customer+denied@email.fr",
        phone: "+33687984322",
        street_address: "33 rue la Fayette",
        postal_code: "75009",
        city: "Paris",
        region: "",
        date_of_birth: "1990-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::DE,
        kind: Kind::Approved,
        given_name: "Mock",
        family_name: "Mock",
        email: "customer@email.de",
        phone: "+49017614284340",
        street_address: "Neue Schönhauser Str. 2",
        postal_code: "10178",
        city: "Berlin",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::DE,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-de",
        email: "customer+denied@email.de",
        phone: "+49017610927312",
        street_address: "Neue Schönhauser Str. 2",
        postal_code: "10178",
        city: "Berlin",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::GR,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-gr",
        email: "customer@email.gr",
        phone: "+306945553624",
        street_address: "Kephisias 37",
        postal_code: "151 23",
        city: "Athina",
        region: "",
        date_of_birth: "1960-01-01",
        national_identification_number: "090000045",
    },
    Person {
        country: Country::GR,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Test-gr",
        email: "customer+denied@email.gr",
        phone: "+306945553625",
        street_address: "Baralo 56",
        postal_code: "123 67",
        city: "Athina",
        region: "",
        date_of_birth: "1970-11-11",
        national_identification_number: "090000045",
    },
    Person {
        country: Country::HU,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-hu",
        email: "customer@email.hu",
        phone: "+36300102692",
        street_address: "Ludovika tér 2",
        postal_code: "1083",
        city: "Budapest",
        region: "",
        date_of_birth: "2000-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::HU,
        kind: Kind::Denied,
        given_name: "Person HU",
        family_name: "Test",
        email: "customer+denied@email.hu",
        phone: "+36705553575",
        street_address: "Ludovika tér 2",
        postal_code: "1083",
        city: "Budapest",
        region: "",
        date_of_birth: "2000-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::IE,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-ie",
        email: "customer@email.ie",
        phone: "+353855351400",
        street_address: "30 King Street South",
        postal_code: "D02 C838",
        city: "Dublin",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::IE,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-ie",
        email: "customer+denied@email.ie",
        phone: "+353855351401",
        street_address: "30 King Street South",
        postal_code: "D02 C838",
        city: "Dublin",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::IT,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-it",
        email: "customer@email.it",
        phone: "+393339741231",
        street_address: "Via Enrico Fermi 150",
        postal_code: "00146",
        city: "Roma",
        region: "",
        date_of_birth: "1980-01-01",
        national_identification_number: "RSS BNC 80A41 H501B",
    },
    Person {
        country: Country::IT,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-it",
        email: "customer+denied@email.it",
        phone: "+393312232389",
        street_address: "Via Enrico Fermi 150",
        postal_code: "00146",
        city: "Roma",
        region: "",
        date_of_birth: "1980-01-01",
        national_identification_number: "RSS BNC 80A41 H501B",
    },
    Person {
        country: Country::NL,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-nl",
        email: "customer@email.nl",
        phone: "+31689124321",
        street_address: "Osdorpplein 137",
        postal_code: "1068 SR",
        city: "Amsterdam",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::NL,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-nl",
        email: "customer+denied@email.nl",
        phone: "+31632167678",
        street_address: "Osdorpplein 137",
        postal_code: "1068 SR",
        city: "Amsterdam",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::NO,
        kind: Kind::Approved,
        given_name: "Jane",
        family_name: "Test",
        email: "customer@email.no",
        phone: "+4740123456",
        street_address: "Edvard Munchs Plass 1",
        postal_code: "0194",
        city: "Oslo",
        region: "",
        date_of_birth: "1970-08-01",
        national_identification_number: "NO01087000571",
    },
    Person {
        country: Country::NO,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-no",
        email: "customer+denied@email.no",
        phone: "+4740123457",
        street_address: "Sæffleberggate 56",
        postal_code: "0563",
        city: "Oslo",
        region: "",
        date_of_birth: "1970-08-01",
        national_identification_number: "NO01087000148",
    },
    Person {
        country: Country::PL,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-pl",
        email: "customer@email.pl",
        phone: "+48795222223",
        street_address: "Ul. Górczewska 124",
        postal_code: "01-460",
        city: "Warszawa",
        region: "",
        date_of_birth: "1967-05-05",
        national_identification_number: "",
    },
    Person {
        country: Country::PL,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-pl",
        email: "customer+denied@email.pl",
        phone: "+48795223325",
        street_address: "Ul. Górczewska 124",
        postal_code: "01-460",
        city: "Warszawa",
        region: "",
        date_of_birth: "1967-05-05",
        national_identification_number: "",
    },
    Person {
        country: Country::PT,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-pt",
        email: "customer@email.pt",
        phone: "+351935556731",
        street_address: "Avenida Dom João II 40",
        postal_code: "1990-094",
        city: "Lisboa",
        region: "",
        date_of_birth: "1990-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::PT,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-pt",
        email: "customer+denied@email.pt",
        phone: "+351915593837",
        street_address: "Avenida Dom João II 40",
        postal_code: "1990-094",
        city: "Lisboa",
        region: "",
        date_of_birth: "1990-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::RO,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-ro",
        email: "customer@email.ro",
        phone: "+40741209876",
        street_address: "Drumul Taberei 35",
        postal_code: "061357",
        city: "București",
        region: "Sectorul 6",
        date_of_birth: "1970-12-25",
        national_identification_number: "1701225193558",
    },
    Person {
        country: Country::RO,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-ro",
        email: "customer+denied@email.ro",
        phone: "+40707127444",
        street_address: "Drumul Taberei 35",
        postal_code: "061357",
        city: "București",
        region: "Sectorul 6",
        date_of_birth: "1970-12-25",
        national_identification_number: "",
    },
    Person {
        country: Country::SK,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-sk",
        email: "customer@email.sk",
        phone: "+421905123456",
        street_address: "Vajanského nábrežie 2",
        postal_code: "810 06",
        city: "Bratislava",
        region: "",
        date_of_birth: "2000-01-01",
        national_identification_number: "000101/0009",
    },
    Person {
        country: Country::SK,
        kind: Kind::Denied,
        given_name: "Person Sk",
        family_name: "Test",
        email: "customer+denied@email.sk",
        phone: "+421905123457",
        street_address: "Vajanského nábrežie 2",
        postal_code: "810 06",
        city: "Bratislava",
        region: "",
        date_of_birth: "2000-01-01",
        national_identification_number: "000101/0020",
    },
    Person {
        country: Country::ES,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-es",
        email: "customer@email.es",
        phone: "+34672563009",
        street_address: "C. de Atocha, 27",
        postal_code: "28012",
        city: "Madrid",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "99999999R",
    },
    Person {
        country: Country::ES,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-es",
        email: "customer+denied@email.es",
        phone: "+34682425101",
        street_address: "C. de Atocha, 27",
        postal_code: "28012",
        city: "Madrid",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "99999999R",
    },
    Person {
        country: Country::SE,
        kind: Kind::Approved,
        given_name: "Alice",
        family_name: "Test",
        email: "customer@email.se",
        phone: "+46701740615",
        street_address: "Södra Blasieholmshamnen 2",
        postal_code: "11 148",
        city: "Stockholm",
        region: "",
        date_of_birth: "1941-03-21",
        national_identification_number: "SE194103219202",
    },
    Person {
        country: Country::SE,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-se",
        email: "customer+denied@email.se",
        phone: "+46701740620",
        street_address: "Karlaplan 3",
        postal_code: "11 460",
        city: "Stockholm",
        region: "",
        date_of_birth: "1941-10-28",
        national_identification_number: "SE194110288083",
    },
    Person {
        country: Country::CH,
        kind: Kind::Approved,
        given_name: "Accepted",
        family_name: "Person-ch",
        email: "customer@email.ch",
        phone: "+41758680000",
        street_address: "Augustinergasse 2",
        postal_code: "4051",
        city: "Basel",
        region: "",
        date_of_birth: "1990-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::CH,
        kind: Kind::Denied,
        given_name: "Customer",
        family_name: "Person-ch",
        email: "customer+denied@email.ch",
        phone: "+41758680001",
        street_address: "Bahnhofstrasse 77",
        postal_code: "8001",
        city: "Zürich",
        region: "",
        date_of_birth: "2000-01-01",
        national_identification_number: "",
    },
    Person {
        country: Country::GB,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-uk",
        email: "customer@email.uk",
        phone: "+447755564318",
        street_address: "10 New Burlington Street Apt. 214",
        postal_code: "W1S 3BE",
        city: "London",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::GB,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-uk",
        email: "customer+denied@email.uk",
        phone: "+447355505530",
        street_address: "10 New Burlington Street Apt. 214",
        postal_code: "W1S 3BE",
        city: "London",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::CA,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-ca",
        email: "customer@email.ca",
        phone: "+15197438620",
        street_address: "2693 Byron Rd",
        postal_code: "V7H 1L9",
        city: "North Vancouver",
        region: "BC",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::CA,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-ca",
        email: "customer+denied@email.ca",
        phone: "+15197308624",
        street_address: "2693 Byron Rd",
        postal_code: "V7H 1L9",
        city: "North Vancouver",
        region: "BC",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::MX,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-mx",
        email: "customer@email.mx",
        phone: "+525593747739",
        street_address: "Av Cuauhtémoc 462 Col Piedad Narvarte",
        postal_code: "03000",
        city: "Benito Juárez",
        region: "CDMX",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::MX,
        kind: Kind::Denied,
        given_name: "Person-mx",
        family_name: "Test",
        email: "customer+denied@email.mx",
        phone: "+525593747740",
        street_address: "Av Cuauhtémoc 462 Col Piedad Narvarte",
        postal_code: "03000",
        city: "Benito Juárez",
        region: "CDMX",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::US,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-us",
        email: "customer@email.us",
        phone: "+13106683312",
        street_address: "509 Amsterdam Ave",
        postal_code: "10024-3941",
        city: "New York",
        region: "NY",
        date_of_birth: "1970-07-10",
        national_identification_number: "123456789",
    },
    Person {
        country: Country::US,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-us",
        email: "customer+denied@email.us",
        phone: "+13106354386",
        street_address: "509 Amsterdam Ave",
        postal_code: "10024-3941",
        city: "New York",
        region: "NY",
        date_of_birth: "1970-07-10",
        national_identification_number: "123456789",
    },
    Person {
        country: Country::AU,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-au",
        email: "customer@email.au",
        phone: "+61473752244",
        street_address: "4 Wharf St",
        postal_code: "4877",
        city: "Port Douglas",
        region: "QLD",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::AU,
        kind: Kind::Denied,
        given_name: "John",
        family_name: "snow",
        email: "customer+denied@email.au",
        phone: "+61473763254",
        street_address: "1-5 Silverwater Rd",
        postal_code: "2128",
        city: "Silverwater",
        region: "NSW",
        date_of_birth: "1994-05-03",
        national_identification_number: "",
    },
    Person {
        country: Country::NZ,
        kind: Kind::Approved,
        given_name: "Test",
        family_name: "Person-nz",
        email: "customer@email.nz",
        phone: "+6427555290",
        street_address: "286 Mount Wellington Highway",
        postal_code: "6011",
        city: "Auckland",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
    Person {
        country: Country::NZ,
        kind: Kind::Denied,
        given_name: "Test",
        family_name: "Person-nz",
        email: "customer+denied@email.nz",
        phone: "+642993007712",
        street_address: "286 Mount Wellington Highway",
        postal_code: "6011",
        city: "Wellington",
        region: "",
        date_of_birth: "1970-07-10",
        national_identification_number: "",
    },
];

#[cfg(test)]
mod tests {
    use klarna_types::market::MARKETS;

    use super::*;
    use crate::domain::decision;

    #[test]
    fn every_market_has_an_approved_and_a_refused_person() {
        assert_eq!(PERSONS.len(), 2 * MARKETS.len());
        for market in MARKETS {
            for kind in [Kind::Approved, Kind::Denied] {
                let person = find(&market.country, kind).unwrap();
                assert_eq!(decision::refuses(Some(person.email)), kind == Kind::Denied);
                person.date_of_birth.parse::<jiff::civil::Date>().unwrap();
            }
        }
    }

    #[test]
    fn what_the_merchant_sent_is_not_replaced() {
        let body = SessionBody::new().billing_address(Address::new().email("a@b.se").city("Lund"));
        let collected = collected(&Country::SE, &body, Some("other@b.se"), Some("+46700000000"));
        let address = collected.billing_address.unwrap();
        assert_eq!(address.email.as_deref(), Some("a@b.se"));
        assert_eq!(address.city.as_deref(), Some("Lund"));
        assert_eq!(address.phone.as_deref(), Some("+46700000000"));
        assert_eq!(address.family_name.as_deref(), Some("Test"));
        assert_eq!(address.country, Some(Country::SE));
        assert!(collected.customer.is_some());
    }
}
