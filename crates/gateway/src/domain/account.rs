//! A store's Klarna accounts: one for each merchant id and region, and which of them serves a
//! purchase.
//!
//! Rules kept here: which hosts an account may call; what a person must say of it; that an account
//! which names a country comes before one that serves a whole region. Passwords are not here.

use klarna_types::market::{Country, Environment, MARKETS, Region};
use serde::{Deserialize, Serialize};

use super::cart::Problem;

/// A Klarna account, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Our id.
    pub id: String,
    /// The store that it is of.
    pub store_id: String,
    /// What people call it.
    pub label: String,
    /// The host that is called.
    pub base_url: String,
    /// The countries it serves; all of its region when there are none.
    pub countries: Vec<Country>,
    /// The user name of the credential.
    pub username: String,
    /// Klarna's name of the merchant, where it is said.
    pub merchant_id: Option<String>,
    /// Whether it takes new purchases. Those that were opened with it go on with it either way.
    pub active: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

/// The name of the account that the gateway was started with.
pub const CONFIGURED: &str = "configured";

const REGIONS: [(Region, &str); 3] = [
    (Region::Europe, "europe"),
    (Region::NorthAmerica, "north_america"),
    (Region::Oceania, "oceania"),
];
const ENVIRONMENTS: [(Environment, &str); 2] =
    [(Environment::Live, "live"), (Environment::Playground, "playground")];

/// The host of a region and environment, by their names in the API.
pub fn host(region: &str, environment: &str) -> Result<&'static str, Problem> {
    let named = |member: &str, given: &str, known: String| Problem {
        member: member.to_owned(),
        detail: format!("\"{given:.40}\" is not one of {known}"),
    };
    let names = |names: &[&str]| names.join(", ");
    let (region, _) = REGIONS
        .iter()
        .find(|(_, name)| *name == region)
        .ok_or_else(|| named("region", region, names(&REGIONS.map(|(_, name)| name))))?;
    let (environment, _) =
        ENVIRONMENTS.iter().find(|(_, name)| *name == environment).ok_or_else(|| {
            named("environment", environment, names(&ENVIRONMENTS.map(|(_, name)| name)))
        })?;
    Ok(region.base_url(*environment))
}

/// Region and environment of a host of Klarna's; `None` for any other host.
pub fn klarna_host(base_url: &str) -> Option<(Region, Environment)> {
    let plain = base_url.trim_end_matches('/');
    REGIONS.iter().find_map(|(region, _)| {
        ENVIRONMENTS.iter().find_map(|(environment, _)| {
            let host = region.base_url(*environment).trim_end_matches('/');
            (host == plain).then_some((*region, *environment))
        })
    })
}

/// Their names in the API.
pub fn place_of(base_url: &str) -> Option<(&'static str, &'static str)> {
    let (region, environment) = klarna_host(base_url)?;
    let region = REGIONS.iter().find(|(known, _)| *known == region)?.1;
    let environment = ENVIRONMENTS.iter().find(|(known, _)| *known == environment)?.1;
    Some((region, environment))
}

fn region_of(base_url: &str) -> Option<Region> {
    klarna_host(base_url).map(|(region, _)| region)
}

/// Reads the countries that an account is to serve.
pub fn countries(given: &[String], base_url: &str) -> Result<Vec<Country>, Problem> {
    let region = region_of(base_url);
    let mut countries: Vec<Country> = Vec::new();
    for (index, name) in given.iter().enumerate() {
        let wrong = |detail: String| Problem { member: format!("countries[{index}]"), detail };
        let country = Country::from(name.as_str());
        let market = country.market().ok_or_else(|| {
            wrong(format!("\"{name:.20}\" is not a country in which Klarna is offered"))
        })?;
        if region.is_some_and(|region| region != market.region) {
            return Err(wrong(format!("{name} is served by another region of Klarna's")));
        }
        if !countries.contains(&country) {
            countries.push(country);
        }
    }
    Ok(countries)
}

/// A label, user name or password that can be used.
pub fn check_text(member: &str, text: &str, longest: usize) -> Result<(), Problem> {
    let length = text.chars().count();
    let problem = |detail: String| Err(Problem { member: member.to_owned(), detail });
    if length == 0 || length > longest {
        return problem(format!("has {length} characters; 1 to {longest} are allowed"));
    }
    if text.chars().any(char::is_control) {
        return problem("holds a control character".to_owned());
    }
    if member == "username" && text.contains(':') {
        return problem(
            "holds a colon; give the user name alone, and the password by itself".to_owned(),
        );
    }
    Ok(())
}

impl Account {
    /// How well it serves a country: 0 by name, 1 with the whole region, `None` not at all.
    fn fit(&self, country: &Country) -> Option<u8> {
        if !self.active {
            return None;
        }
        if self.countries.contains(country) {
            return Some(0);
        }
        let market = MARKETS.iter().find(|market| market.country == *country)?;
        let in_region = region_of(&self.base_url).is_none_or(|region| region == market.region);
        (self.countries.is_empty() && in_region).then_some(1)
    }
}

/// The account that a new purchase in a country is opened with: one that names the country before
/// one that serves the whole region, and of equals the one that was made first.
pub fn choose<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    country: &Country,
) -> Option<&'a Account> {
    accounts
        .into_iter()
        .filter_map(|account| Some((account.fit(country)?, account)))
        .min_by_key(|(fit, account)| (*fit, account.created_at_ms, account.id.as_str()))
        .map(|(_, account)| account)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(number: i64, base_url: &str, countries: &[&str], active: bool) -> Account {
        Account {
            id: format!("acc_{number}"),
            store_id: "default".to_owned(),
            label: "Label".to_owned(),
            base_url: base_url.to_owned(),
            countries: countries.iter().map(|name| Country::from(*name)).collect(),
            username: "K1_abc".to_owned(),
            merchant_id: None,
            active,
            version: 1,
            created_at_ms: number,
            updated_at_ms: number,
        }
    }

    const EU: &str = "https://api.klarna.com/";
    const NA: &str = "https://api-na.klarna.com";
    const LOCAL: &str = "http://127.0.0.1:7072/";

    fn chosen(accounts: &[Account], country: &str) -> Option<String> {
        choose(accounts, &Country::from(country)).map(|account| account.id.clone())
    }

    #[test]
    fn a_country_by_name_comes_before_its_region() {
        let accounts = [
            account(1, EU, &[], true),
            account(2, EU, &["DE", "AT"], true),
            account(3, EU, &["DE"], true),
            account(4, NA, &[], true),
            account(5, LOCAL, &["AU"], false),
        ];
        let cases = [
            ("SE", Some("acc_1")),
            ("DE", Some("acc_2")),
            ("AT", Some("acc_2")),
            ("US", Some("acc_4")),
            ("AU", None),
            ("LU", None),
        ];
        for (country, expected) in cases {
            assert_eq!(chosen(&accounts, country).as_deref(), expected, "{country}");
        }
        assert_eq!(chosen(&[account(1, LOCAL, &[], true)], "AU").as_deref(), Some("acc_1"));
    }

    #[test]
    fn hosts_are_klarnas_by_name() {
        assert_eq!(host("europe", "live").unwrap(), EU);
        assert_eq!(
            place_of("https://api-oc.playground.klarna.com"),
            Some(("oceania", "playground"))
        );
        for (region, environment, member) in
            [("asia", "live", "region"), ("europe", "test", "environment")]
        {
            assert_eq!(host(region, environment).unwrap_err().member, member);
        }
        for other in [LOCAL, "https://api.klarna.com.example/", ""] {
            assert_eq!(place_of(other), None);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let read = |given: &[&str], base| {
            let given: Vec<String> = given.iter().map(|&name| name.to_owned()).collect();
            countries(&given, base)
        };
        assert_eq!(read(&["SE", "se", "DE"], EU).unwrap().len(), 2);
        assert_eq!(read(&["US"], LOCAL).unwrap(), [Country::US]);
        assert_eq!(read(&["SE", "US"], EU).unwrap_err().member, "countries[1]");
        assert_eq!(read(&["LU"], EU).unwrap_err().member, "countries[0]");
        assert!(check_text("username", "K1_abc", 100).is_ok());
        for bad in ["", "K1:secret", "K1\n", &"k".repeat(101)] {
            assert!(check_text("username", bad, 100).is_err(), "{bad:?}");
        }
        assert!(check_text("password", "a:b", 100).is_ok());
    }

    proptest! {
        #[test]
        fn whoever_is_chosen_serves_the_country_and_order_does_not_matter(
            accounts in prop::collection::vec(
                (0..6_i64, prop::sample::select(vec![EU, NA, LOCAL]),
                 prop::collection::vec(prop::sample::select(vec!["SE", "DE", "US", "AU"]), 0..3),
                 any::<bool>()),
                0..6,
            ),
            country in prop::sample::select(vec!["SE", "DE", "US", "AU", "LU"]),
        ) {
            let accounts: Vec<Account> = accounts
                .into_iter()
                .enumerate()
                .map(|(index, (at, base, countries, active))| Account {
                    id: format!("acc_{index}"),
                    ..account(at, base, &countries, active)
                })
                .collect();
            let wanted = Country::from(country);
            let one = choose(&accounts, &wanted);
            let reversed: Vec<Account> = accounts.iter().rev().cloned().collect();
            prop_assert_eq!(one, choose(&reversed, &wanted));
            match one {
                Some(account) => {
                    prop_assert!(account.active);
                    prop_assert!(account.countries.contains(&wanted) || account.countries.is_empty());
                }
                None => prop_assert!(accounts.iter().all(|account| account.fit(&wanted).is_none())),
            }
        }
    }
}
