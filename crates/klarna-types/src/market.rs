//! Where Klarna trades: countries with their currency, locales, region and tax layout, and the hosts of the regions.
//!
//! Only a country's own currency is accepted there. Country and currency codes are compared without regard to case
//! and written in upper case.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

open_enum! {
    /// A country by its ISO 3166-1 alpha-2 code: the 26 markets by name, any other as `Unknown`.
    pub enum Country: code {
        /// Austria.
        AT = "AT",
        /// Australia.
        AU = "AU",
        /// Belgium.
        BE = "BE",
        /// Canada.
        CA = "CA",
        /// Switzerland.
        CH = "CH",
        /// Czechia.
        CZ = "CZ",
        /// Germany.
        DE = "DE",
        /// Denmark.
        DK = "DK",
        /// Spain.
        ES = "ES",
        /// Finland.
        FI = "FI",
        /// France.
        FR = "FR",
        /// The United Kingdom.
        GB = "GB",
        /// Greece.
        GR = "GR",
        /// Hungary.
        HU = "HU",
        /// Ireland.
        IE = "IE",
        /// Italy.
        IT = "IT",
        /// Mexico.
        MX = "MX",
        /// The Netherlands.
        NL = "NL",
        /// Norway.
        NO = "NO",
        /// New Zealand.
        NZ = "NZ",
        /// Poland.
        PL = "PL",
        /// Portugal.
        PT = "PT",
        /// Romania.
        RO = "RO",
        /// Sweden.
        SE = "SE",
        /// Slovakia.
        SK = "SK",
        /// The United States.
        US = "US",
    }
}

open_enum! {
    /// A currency by its ISO 4217 code: the currencies of the markets by name, any other as `Unknown`.
    pub enum Currency: code {
        /// Australian dollar.
        AUD = "AUD",
        /// Canadian dollar.
        CAD = "CAD",
        /// Swiss franc.
        CHF = "CHF",
        /// Czech koruna.
        CZK = "CZK",
        /// Danish krone.
        DKK = "DKK",
        /// Euro.
        EUR = "EUR",
        /// Pound sterling.
        GBP = "GBP",
        /// Hungarian forint.
        HUF = "HUF",
        /// Mexican peso.
        MXN = "MXN",
        /// Norwegian krone.
        NOK = "NOK",
        /// New Zealand dollar.
        NZD = "NZD",
        /// Polish złoty.
        PLN = "PLN",
        /// Romanian leu.
        RON = "RON",
        /// Swedish krona.
        SEK = "SEK",
        /// United States dollar.
        USD = "USD",
    }
}

impl Currency {
    /// How many decimals the currency has, by ISO 4217. All of Klarna's market currencies have two, the forint
    /// included; not all currencies of the world do.
    pub fn exponent(&self) -> u8 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// Whether the code has the form that the API takes: three ASCII letters.
    pub fn is_well_formed(&self) -> bool {
        let code = self.as_str();
        code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic())
    }
}

/// A language and, mostly, a country: `sv-SE`. Anything can be read; [`Locale::is_well_formed`] tells whether the API
/// takes it.
///
/// ```
/// use klarna_types::Locale;
/// let locale = Locale::new("nl-be");
/// assert_eq!(locale.as_str(), "nl-BE");
/// assert_eq!(locale.language(), "nl");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale(String);

impl Locale {
    /// Wraps a locale; a well-formed one gets its usual case (`sv-SE`).
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        if !is_locale(&value) {
            return Self(value);
        }
        let mut parts = value.split('-');
        let mut locale = parts.next().unwrap_or_default().to_ascii_lowercase();
        for part in parts {
            locale.push('-');
            locale.push_str(&part.to_ascii_uppercase());
        }
        Self(locale)
    }

    /// The locale as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language: `sv` of `sv-SE`.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The country, if the locale names one: `SE` of `sv-SE`.
    pub fn country(&self) -> Option<Country> {
        self.0.split('-').nth(1).map(Country::from)
    }

    /// Whether it has the form `language` or `language-COUNTRY`.
    pub fn is_well_formed(&self) -> bool {
        is_locale(&self.0)
    }
}

/// `^[A-Za-z]{2,2}(?:-[A-Za-z]{2,2})*$`
fn is_locale(value: &str) -> bool {
    value
        .split('-')
        .all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

impl From<&str> for Locale {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Locale {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// One of Klarna's regions. Credentials, orders and hosts belong to exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// Europe, the default.
    Europe,
    /// Canada, Mexico, the United States.
    NorthAmerica,
    /// Australia and New Zealand.
    Oceania,
}

/// Real money, or Klarna's test system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money.
    Live,
    /// Klarna's own test system on the internet.
    Playground,
}

impl Region {
    /// The base URL of the region's API, with a slash at its end.
    pub const fn base_url(self, environment: Environment) -> &'static str {
        match (self, environment) {
            (Self::Europe, Environment::Live) => "https://api.klarna.com/",
            (Self::Europe, Environment::Playground) => "https://api.playground.klarna.com/",
            (Self::NorthAmerica, Environment::Live) => "https://api-na.klarna.com/",
            (Self::NorthAmerica, Environment::Playground) => {
                "https://api-na.playground.klarna.com/"
            }
            (Self::Oceania, Environment::Live) => "https://api-oc.klarna.com/",
            (Self::Oceania, Environment::Playground) => "https://api-oc.playground.klarna.com/",
        }
    }
}

/// How prices and tax are laid out on order lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaxLayout {
    /// Lines carry prices including tax, with rate and tax on each line.
    OnEachLine,
    /// Lines carry prices excluding tax and no rate; the tax is a line of its own, of type `sales_tax`.
    SalesTaxLine,
}

/// A country in which Klarna can be used, with what is fixed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// The country.
    pub country: Country,
    /// Its currency; no other is accepted.
    pub currency: Currency,
    /// The locales that are accepted, the country's own language first.
    pub locales: &'static [&'static str],
    /// The region whose API serves it.
    pub region: Region,
}

impl Market {
    /// Whether the locale is one of the market's, without regard to case.
    pub fn accepts_locale(&self, locale: &Locale) -> bool {
        self.locales.iter().any(|known| known.eq_ignore_ascii_case(locale.as_str()))
    }

    /// The market's first locale.
    pub fn default_locale(&self) -> Locale {
        Locale::new(self.locales.first().copied().unwrap_or("en-US"))
    }

    /// How order lines carry tax there.
    pub fn tax_layout(&self) -> TaxLayout {
        self.country.tax_layout()
    }
}

/// All 26 markets, by country code.
pub const MARKETS: &[Market] = {
    use Currency::{AUD, CAD, CHF, CZK, DKK, EUR, GBP, HUF, MXN, NOK, NZD, PLN, RON, SEK, USD};
    use Region::{Europe, NorthAmerica, Oceania};
    const fn market(
        country: Country,
        currency: Currency,
        region: Region,
        locales: &'static [&'static str],
    ) -> Market {
        Market { country, currency, locales, region }
    }
    &[
        market(Country::AT, EUR, Europe, &["de-AT", "en-AT"]),
        market(Country::AU, AUD, Oceania, &["en-AU"]),
        market(Country::BE, EUR, Europe, &["nl-BE", "fr-BE", "en-BE"]),
        market(Country::CA, CAD, NorthAmerica, &["en-CA", "fr-CA"]),
        market(Country::CH, CHF, Europe, &["de-CH", "fr-CH", "it-CH", "en-CH"]),
        market(Country::CZ, CZK, Europe, &["cs-CZ", "en-CZ"]),
        market(Country::DE, EUR, Europe, &["de-DE", "en-DE"]),
        market(Country::DK, DKK, Europe, &["da-DK", "en-DK"]),
        market(Country::ES, EUR, Europe, &["es-ES", "en-ES"]),
        market(Country::FI, EUR, Europe, &["fi-FI", "sv-FI", "en-FI"]),
        market(Country::FR, EUR, Europe, &["fr-FR", "en-FR"]),
        market(Country::GB, GBP, Europe, &["en-GB"]),
        market(Country::GR, EUR, Europe, &["el-GR", "en-GR"]),
        market(Country::HU, HUF, Europe, &["hu-HU", "en-HU"]),
        market(Country::IE, EUR, Europe, &["en-IE"]),
        market(Country::IT, EUR, Europe, &["it-IT", "en-IT"]),
        market(Country::MX, MXN, NorthAmerica, &["es-MX", "en-MX"]),
        market(Country::NL, EUR, Europe, &["nl-NL", "en-NL"]),
        market(Country::NO, NOK, Europe, &["nb-NO", "en-NO"]),
        market(Country::NZ, NZD, Oceania, &["en-NZ"]),
        market(Country::PL, PLN, Europe, &["pl-PL", "en-PL"]),
        market(Country::PT, EUR, Europe, &["pt-PT", "en-PT"]),
        market(Country::RO, RON, Europe, &["ro-RO", "en-RO"]),
        market(Country::SE, SEK, Europe, &["sv-SE", "en-SE"]),
        market(Country::SK, EUR, Europe, &["sk-SK", "en-SK"]),
        market(Country::US, USD, NorthAmerica, &["en-US", "es-US"]),
    ]
};

impl Country {
    /// The market of this country, if it is one.
    ///
    /// ```
    /// use klarna_types::market::{Country, Currency};
    /// assert_eq!(Country::SE.market().map(|market| &market.currency), Some(&Currency::SEK));
    /// assert!(Country::from("LU").market().is_none());
    /// ```
    pub fn market(&self) -> Option<&'static Market> {
        MARKETS.iter().find(|market| market.country == *self)
    }

    /// How order lines carry tax in this country.
    pub fn tax_layout(&self) -> TaxLayout {
        if *self == Self::US { TaxLayout::SalesTaxLine } else { TaxLayout::OnEachLine }
    }

    /// Whether the code has the form that the API takes: two ASCII letters.
    pub fn is_well_formed(&self) -> bool {
        let code = self.as_str();
        code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic())
    }
}
