//! Where the shop sells: country, currency, languages, number style, tax layout, delivery.
//!
//! One row for each market; opening another is one more row (and a price list, where its currency
//! is new). The rows are facts about the merchant's business, so they hold no Klarna rule beyond
//! the locales that Klarna accepts for the country.

mod regions;

use crate::language::Language;
use crate::money::{Currency, Grouped, NumberStyle, SymbolPlace};

/// One country that the shop sells to.
#[derive(Debug, PartialEq, Eq)]
pub struct Market {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// The country's name in each of its languages is in [`Locale::country_name`].
    pub locales: &'static [Locale],
    /// The country's own currency, the only one that Klarna accepts there.
    pub currency: Currency,
    /// Whether prices are shown and sent with or without tax.
    pub tax: TaxLayout,
    /// Rate on ordinary goods, in hundredths of a percent (25 % is 2500).
    pub standard_rate: i64,
    /// Rate on books.
    pub book_rate: i64,
    /// Rate on food.
    pub food_rate: i64,
    /// How goods can be delivered, the default first.
    pub shipping: &'static [Shipping],
    /// What the gift card `GIFT50` is worth, in minor units.
    pub gift_card_value: i64,
    /// What the address form asks for.
    pub address: AddressForm,
}

/// A language of a market, as Klarna and browsers name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// For example `sv-SE`.
    pub tag: &'static str,
    /// The language that the shop's texts are in.
    pub language: Language,
    /// The country in that language.
    pub country_name: &'static str,
    /// How amounts are written.
    pub numbers: NumberStyle,
}

/// How tax is laid out in prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxLayout {
    /// Europe and most of the world: every price includes the tax.
    Including,
    /// United States: prices exclude sales tax, which is added as a line of its own.
    Excluding,
}

impl TaxLayout {
    /// The name in the gateway's API.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Including => "including_tax",
            Self::Excluding => "excluding_tax",
        }
    }
}

/// A way to get the goods.
#[derive(Debug, PartialEq, Eq)]
pub struct Shipping {
    /// The name in forms and order lines.
    pub id: ShippingId,
    /// In minor units; with or without tax as the market lays it out. Zero sends no line.
    pub price: i64,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShippingId {
    /// Some days, home.
    Standard,
    /// Tomorrow, home.
    Express,
    /// Fetched from our workshop, without charge.
    Collect,
}

impl ShippingId {
    /// The name in forms, cookies and order lines.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Express => "express",
            Self::Collect => "collect",
        }
    }
}

/// What differs between the address forms of countries.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressForm {
    /// Whether a region (state) must be chosen, and from what.
    pub regions: &'static [(&'static str, &'static str)],
    /// What a post code looks like; digits are `9`, letters `A`, either of them
    /// `X`, anything else is itself. Several forms are allowed; none means any text.
    pub postal_codes: &'static [&'static str],
    /// A post code as an example.
    pub postal_code_example: &'static str,
    /// A phone number as an example.
    pub phone_example: &'static str,
}

const fn style(decimal: char, group: char, symbol: SymbolPlace, grouped: Grouped) -> NumberStyle {
    NumberStyle { decimal, group, symbol, grouped }
}

const SPACE: char = '\u{a0}';
const NARROW_SPACE: char = '\u{202f}';
use Grouped::{FromFive, FromFour};
use SymbolPlace::{AfterSpace, Before, BeforeSpace};
/// `1 299,00 kr`
const SPACE_COMMA: NumberStyle = style(',', SPACE, AfterSpace, FromFour);
/// `1299,00 zł`
const SPACE_COMMA_FIVE: NumberStyle = style(',', SPACE, AfterSpace, FromFive);
/// `1 299,00 €`, with a narrow space
const NARROW_COMMA: NumberStyle = style(',', NARROW_SPACE, AfterSpace, FromFour);
/// `1.299,00 €`
const POINT_COMMA: NumberStyle = style(',', '.', AfterSpace, FromFour);
/// `1299,00 €`
const POINT_COMMA_FIVE: NumberStyle = style(',', '.', AfterSpace, FromFive);
/// `€ 1.299,00`
const BEFORE_POINT_COMMA: NumberStyle = style(',', '.', BeforeSpace, FromFour);
/// `$1,299.00`
const COMMA_POINT: NumberStyle = style('.', ',', Before, FromFour);
/// `CHF 1'299.00`
const SWISS: NumberStyle = style('.', '\'', BeforeSpace, FromFour);
/// `CHF 1299.00`
const SWISS_FIVE: NumberStyle = style('.', '\'', BeforeSpace, FromFive);
/// `1 299.00 CHF`
const SWISS_FRENCH: NumberStyle = style('.', NARROW_SPACE, AfterSpace, FromFour);

/// A row of the table. The rates are those of ordinary goods, books and food.
const fn market(
    country: &'static str,
    currency: Currency,
    [standard_rate, book_rate, food_rate]: [i64; 3],
    locales: &'static [Locale],
    address: AddressForm,
) -> Market {
    let (shipping, gift_card_value) = tariff(currency);
    let tax =
        if matches!(currency, Currency::Usd) { TaxLayout::Excluding } else { TaxLayout::Including };
    Market {
        country,
        locales,
        currency,
        tax,
        standard_rate,
        book_rate,
        food_rate,
        shipping,
        gift_card_value,
        address,
    }
}

const fn locale(
    tag: &'static str,
    language: Language,
    country_name: &'static str,
    numbers: NumberStyle,
) -> Locale {
    Locale { tag, language, country_name, numbers }
}

const fn address(
    postal_codes: &'static [&'static str],
    postal_code_example: &'static str,
    phone_example: &'static str,
) -> AddressForm {
    AddressForm { regions: &[], postal_codes, postal_code_example, phone_example }
}

const fn with_regions(
    form: &AddressForm,
    regions: &'static [(&'static str, &'static str)],
) -> AddressForm {
    AddressForm { regions, ..*form }
}

macro_rules! deliveries {
    ($standard:literal, $express:literal) => {
        &[
            Shipping { id: ShippingId::Standard, price: $standard },
            Shipping { id: ShippingId::Express, price: $express },
            Shipping { id: ShippingId::Collect, price: 0 },
        ]
    };
}

/// What delivery costs, and what the gift card is worth, in each currency.
const fn tariff(currency: Currency) -> (&'static [Shipping], i64) {
    match currency {
        Currency::Aud => (deliveries!(950, 1_950), 5_000),
        Currency::Cad => (deliveries!(895, 1_795), 5_000),
        Currency::Chf => (deliveries!(600, 1_200), 5_000),
        Currency::Czk | Currency::Mxn => (deliveries!(9_900, 19_900), 50_000),
        Currency::Dkk | Currency::Sek => (deliveries!(4_900, 9_900), 50_000),
        Currency::Eur => (deliveries!(490, 990), 5_000),
        Currency::Gbp => (deliveries!(395, 795), 5_000),
        Currency::Huf => (deliveries!(149_000, 299_000), 2_000_000),
        Currency::Nok => (deliveries!(6_900, 12_900), 50_000),
        Currency::Nzd => (deliveries!(990, 1_990), 5_000),
        Currency::Pln => (deliveries!(1_490, 2_990), 20_000),
        Currency::Ron => (deliveries!(1_990, 3_990), 20_000),
        Currency::Usd => (deliveries!(595, 1_295), 5_000),
    }
}

/// Every market, the shop's home first; then so that the first with a language is where it is at home.
pub static MARKETS: &[Market] = &[
    market(
        "SE",
        Currency::Sek,
        [2500, 600, 1200],
        &[
            locale("sv-SE", Language::Swedish, "Sverige", SPACE_COMMA),
            locale("en-SE", Language::English, "Sweden", SPACE_COMMA),
        ],
        address(&["999 99", "99999", "99 999"], "111 48", "+46 70 174 06 15"),
    ),
    market(
        "DE",
        Currency::Eur,
        [1900, 700, 700],
        &[
            locale("de-DE", Language::German, "Deutschland", POINT_COMMA),
            locale("en-DE", Language::English, "Germany", COMMA_POINT),
        ],
        address(&["99999"], "10178", "+49 176 14284340"),
    ),
    market(
        "GB",
        Currency::Gbp,
        [2000, 0, 0],
        &[locale("en-GB", Language::English, "United Kingdom", COMMA_POINT)],
        address(
            &["A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA"],
            "W1S 3BE",
            "+44 7755 564318",
        ),
    ),
    market(
        "US",
        Currency::Usd,
        [800, 800, 0],
        &[
            locale("en-US", Language::English, "United States", COMMA_POINT),
            locale("es-US", Language::Spanish, "Estados Unidos", COMMA_POINT),
        ],
        with_regions(
            &address(&["99999", "99999-9999"], "10024", "+1 310 668 3312"),
            regions::US_STATES,
        ),
    ),
    market(
        "FR",
        Currency::Eur,
        [2000, 550, 550],
        &[
            locale("fr-FR", Language::French, "France", NARROW_COMMA),
            locale("en-FR", Language::English, "France", COMMA_POINT),
        ],
        address(&["99999"], "75009", "+33 6 89 85 43 21"),
    ),
    market(
        "ES",
        Currency::Eur,
        [2100, 400, 1000],
        &[
            locale("es-ES", Language::Spanish, "España", POINT_COMMA_FIVE),
            locale("en-ES", Language::English, "Spain", COMMA_POINT),
        ],
        address(&["99999"], "28012", "+34 672 56 30 09"),
    ),
    market(
        "NL",
        Currency::Eur,
        [2100, 900, 900],
        &[
            locale("nl-NL", Language::Dutch, "Nederland", BEFORE_POINT_COMMA),
            locale("en-NL", Language::English, "Netherlands", COMMA_POINT),
        ],
        address(&["9999 AA", "9999AA"], "1068 SR", "+31 6 89124321"),
    ),
    market(
        "NO",
        Currency::Nok,
        [2500, 0, 1500],
        &[
            locale("nb-NO", Language::Norwegian, "Norge", SPACE_COMMA),
            locale("en-NO", Language::English, "Norway", SPACE_COMMA),
        ],
        address(&["9999"], "0194", "+47 401 23 456"),
    ),
    market(
        "DK",
        Currency::Dkk,
        [2500, 2500, 2500],
        &[
            locale("da-DK", Language::Danish, "Danmark", POINT_COMMA),
            locale("en-DK", Language::English, "Denmark", POINT_COMMA),
        ],
        address(&["9999"], "1556", "+45 42 55 56 28"),
    ),
    market(
        "FI",
        Currency::Eur,
        [2550, 1350, 1350],
        &[
            locale("fi-FI", Language::Finnish, "Suomi", SPACE_COMMA),
            locale("sv-FI", Language::Swedish, "Finland", SPACE_COMMA),
            locale("en-FI", Language::English, "Finland", COMMA_POINT),
        ],
        address(&["99999"], "00100", "+358 40 1234567"),
    ),
    market(
        "IT",
        Currency::Eur,
        [2200, 400, 1000],
        &[
            locale("it-IT", Language::Italian, "Italia", POINT_COMMA_FIVE),
            locale("en-IT", Language::English, "Italy", COMMA_POINT),
        ],
        address(&["99999"], "00146", "+39 333 974 1231"),
    ),
    market(
        "PL",
        Currency::Pln,
        [2300, 500, 800],
        &[
            locale("pl-PL", Language::Polish, "Polska", SPACE_COMMA_FIVE),
            locale("en-PL", Language::English, "Poland", POINT_COMMA),
        ],
        address(&["99-999"], "01-460", "+48 795 222 223"),
    ),
    market(
        "PT",
        Currency::Eur,
        [2300, 600, 600],
        &[
            locale("pt-PT", Language::Portuguese, "Portugal", SPACE_COMMA_FIVE),
            locale("en-PT", Language::English, "Portugal", COMMA_POINT),
        ],
        address(&["9999-999"], "1990-094", "+351 935 556 731"),
    ),
    market(
        "AT",
        Currency::Eur,
        [2000, 1000, 1000],
        &[
            locale("de-AT", Language::German, "Österreich", BEFORE_POINT_COMMA),
            locale("en-AT", Language::English, "Austria", BEFORE_POINT_COMMA),
        ],
        address(&["9999"], "1060", "+43 676 2600456"),
    ),
    market(
        "BE",
        Currency::Eur,
        [2100, 600, 600],
        &[
            locale("nl-BE", Language::Dutch, "België", BEFORE_POINT_COMMA),
            locale("fr-BE", Language::French, "Belgique", NARROW_COMMA),
            locale("en-BE", Language::English, "Belgium", COMMA_POINT),
        ],
        address(&["9999"], "1000", "+32 485 12 12 91"),
    ),
    market(
        "CH",
        Currency::Chf,
        [810, 260, 260],
        &[
            locale("de-CH", Language::German, "Schweiz", SWISS),
            locale("fr-CH", Language::French, "Suisse", SWISS_FRENCH),
            locale("it-CH", Language::Italian, "Svizzera", SWISS_FIVE),
            locale("en-CH", Language::English, "Switzerland", SWISS),
        ],
        address(&["9999"], "4051", "+41 75 868 00 00"),
    ),
    market(
        "IE",
        Currency::Eur,
        [2300, 0, 0],
        &[locale("en-IE", Language::English, "Ireland", COMMA_POINT)],
        address(&["A99 XXXX", "A9A XXXX"], "D02 C838", "+353 85 535 1400"),
    ),
    market(
        "CZ",
        Currency::Czk,
        [2100, 0, 1200],
        &[
            locale("cs-CZ", Language::Czech, "Česko", SPACE_COMMA),
            locale("en-CZ", Language::English, "Czechia", SPACE_COMMA),
        ],
        address(&["999 99", "99999"], "155 00", "+420 771 613 715"),
    ),
    market(
        "SK",
        Currency::Eur,
        [2300, 500, 1900],
        &[
            locale("sk-SK", Language::Slovak, "Slovensko", SPACE_COMMA),
            locale("en-SK", Language::English, "Slovakia", COMMA_POINT),
        ],
        address(&["999 99", "99999"], "810 06", "+421 905 123 456"),
    ),
    market(
        "HU",
        Currency::Huf,
        [2700, 500, 2700],
        &[
            locale("hu-HU", Language::Hungarian, "Magyarország", SPACE_COMMA_FIVE),
            locale("en-HU", Language::English, "Hungary", SPACE_COMMA),
        ],
        address(&["9999"], "1083", "+36 30 010 2692"),
    ),
    market(
        "RO",
        Currency::Ron,
        [2100, 1100, 1100],
        &[
            locale("ro-RO", Language::Romanian, "România", POINT_COMMA),
            locale("en-RO", Language::English, "Romania", POINT_COMMA),
        ],
        address(&["999999"], "061357", "+40 741 209 876"),
    ),
    market(
        "GR",
        Currency::Eur,
        [2400, 600, 1300],
        &[
            locale("el-GR", Language::Greek, "Ελλάδα", POINT_COMMA),
            locale("en-GR", Language::English, "Greece", COMMA_POINT),
        ],
        address(&["999 99", "99999"], "151 23", "+30 694 555 3624"),
    ),
    market(
        "AU",
        Currency::Aud,
        [1000, 1000, 0],
        &[locale("en-AU", Language::English, "Australia", COMMA_POINT)],
        with_regions(&address(&["9999"], "4877", "+61 473 752 244"), regions::AU_STATES),
    ),
    market(
        "NZ",
        Currency::Nzd,
        [1500, 1500, 1500],
        &[locale("en-NZ", Language::English, "New Zealand", COMMA_POINT)],
        address(&["9999"], "6011", "+64 27 555 290"),
    ),
    market(
        "CA",
        Currency::Cad,
        [500, 500, 0],
        &[
            locale("en-CA", Language::English, "Canada", COMMA_POINT),
            locale("fr-CA", Language::French, "Canada", SPACE_COMMA),
        ],
        with_regions(
            &address(&["A9A 9A9", "A9A9A9"], "V7H 1L9", "+1 519 743 8620"),
            regions::CA_PROVINCES,
        ),
    ),
    market(
        "MX",
        Currency::Mxn,
        [1600, 0, 0],
        &[
            locale("es-MX", Language::Spanish, "México", COMMA_POINT),
            locale("en-MX", Language::English, "Mexico", COMMA_POINT),
        ],
        with_regions(&address(&["99999"], "03000", "+52 55 9374 7739"), regions::MX_STATES),
    ),
];

impl Market {
    /// On whose clocks the months of a subscription are counted. Where a country has several, those of
    /// its capital.
    pub fn time_zone(&self) -> &'static str {
        match self.country {
            "AT" => "Europe/Vienna",
            "AU" => "Australia/Sydney",
            "BE" => "Europe/Brussels",
            "CA" => "America/Toronto",
            "CH" => "Europe/Zurich",
            "CZ" => "Europe/Prague",
            "DE" => "Europe/Berlin",
            "DK" => "Europe/Copenhagen",
            "ES" => "Europe/Madrid",
            "FI" => "Europe/Helsinki",
            "FR" => "Europe/Paris",
            "GB" => "Europe/London",
            "GR" => "Europe/Athens",
            "HU" => "Europe/Budapest",
            "IE" => "Europe/Dublin",
            "IT" => "Europe/Rome",
            "MX" => "America/Mexico_City",
            "NL" => "Europe/Amsterdam",
            "NO" => "Europe/Oslo",
            "NZ" => "Pacific/Auckland",
            "PL" => "Europe/Warsaw",
            "PT" => "Europe/Lisbon",
            "RO" => "Europe/Bucharest",
            "SE" => "Europe/Stockholm",
            "SK" => "Europe/Bratislava",
            "US" => "America/New_York",
            _ => "UTC",
        }
    }

    /// The country's name in English; every market has English among its languages.
    pub fn english_name(&self) -> &'static str {
        let english = self.locales.iter().find(|locale| locale.language == Language::English);
        english.map_or(self.country, |english| english.country_name)
    }

    /// The shipping option with this name, or the market's default.
    pub fn shipping_or_default(&self, id: Option<&str>) -> &'static Shipping {
        let chosen = id.and_then(|id| self.shipping.iter().find(|option| option.id.id() == id));
        // Every market offers something; the fallback is there so that nothing can panic.
        chosen.or(self.shipping.first()).unwrap_or(&NO_SHIPPING)
    }

    /// Whether `code` can be a post code here. Letters are compared without case, and spaces at
    /// the ends do not count.
    pub fn accepts_postal_code(&self, code: &str) -> bool {
        let code = code.trim();
        self.address.postal_codes.is_empty()
            || self.address.postal_codes.iter().any(|form| matches_form(form, code))
    }
}

static NO_SHIPPING: Shipping = Shipping { id: ShippingId::Collect, price: 0 };

fn matches_form(form: &str, code: &str) -> bool {
    let mut expected = form.chars();
    let mut given = code.chars();
    loop {
        return match (expected.next(), given.next()) {
            (None, None) => true,
            (Some('9'), Some(c)) if c.is_ascii_digit() => continue,
            (Some('A'), Some(c)) if c.is_ascii_alphabetic() => continue,
            (Some('X'), Some(c)) if c.is_ascii_alphanumeric() => continue,
            (Some(e), Some(c)) if e == c => continue,
            _ => false,
        };
    }
}

/// A market in one of its languages: what a visitor sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The market.
    pub market: &'static Market,
    /// The language.
    pub locale: &'static Locale,
}

impl View {
    /// The view that this tag (`sv-SE`) names.
    pub fn from_tag(tag: &str) -> Option<Self> {
        MARKETS.iter().find_map(|market| {
            let locale =
                market.locales.iter().find(|locale| locale.tag.eq_ignore_ascii_case(tag))?;
            Some(Self { market, locale })
        })
    }

    /// The best view for a browser's `Accept-Language`, in its own order of preference: a tag that
    /// is ours; else the first market with that language as its first; else the shop's home in
    /// English.
    pub fn from_accept_language(header: &str) -> Self {
        let tags = header.split(',').filter_map(|part| part.split(';').next()).map(str::trim);
        for tag in tags {
            if let Some(view) = Self::from_tag(tag) {
                return view;
            }
            let language = match tag.split('-').next().unwrap_or(tag) {
                // The old name of Norwegian.
                "no" | "nn" => "nb",
                language => language,
            };
            for market in MARKETS {
                for locale in market.locales.iter().take(1) {
                    if locale.language.code() == language {
                        return Self { market, locale };
                    }
                }
            }
        }
        Self::default()
    }

    /// Every view there is, as somebody looks for a country: by its English name, its own languages first.
    pub fn all_by_name() -> Vec<Self> {
        let mut markets: Vec<&'static Market> = MARKETS.iter().collect();
        markets.sort_by_key(|market| market.english_name());
        markets
            .into_iter()
            .flat_map(|market| market.locales.iter().map(move |locale| Self { market, locale }))
            .collect()
    }

    /// Every view there is, in the order of [`MARKETS`].
    pub fn all() -> impl Iterator<Item = Self> {
        MARKETS
            .iter()
            .flat_map(|market| market.locales.iter().map(move |locale| Self { market, locale }))
    }
}

impl Default for View {
    fn default() -> Self {
        static HOME: &str = "en-SE";
        match Self::from_tag(HOME) {
            Some(view) => view,
            // The table above has it; a test says so.
            None => unreachable!("the home market is in the table"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        let mut tags = std::collections::HashSet::new();
        for market in MARKETS {
            assert_eq!(market.country.len(), 2);
            assert!(!market.locales.is_empty() && !market.shipping.is_empty());
            assert!(market.shipping.iter().all(|option| option.price >= 0));
            for locale in market.locales {
                assert!(tags.insert(locale.tag), "{} twice", locale.tag);
                assert!(locale.tag.ends_with(market.country));
                assert!(locale.tag.starts_with(locale.language.code()));
            }
            for rate in [market.standard_rate, market.book_rate, market.food_rate] {
                assert!((0..=10_000).contains(&rate));
            }
        }
        assert_eq!(View::default().market.country, "SE");
        assert_eq!(MARKETS.len(), 26);
        assert!(MARKETS.iter().all(|market| market.time_zone() != "UTC"));
        for language in Language::ALL {
            assert!(View::all().any(|view| view.locale.language == language), "{language:?}");
        }
    }

    #[test]
    fn a_browser_is_led_to_its_market() {
        let cases = [
            ("sv-SE,sv;q=0.9,en;q=0.8", "sv-SE"),
            ("de", "de-DE"),
            ("de-AT,de;q=0.9", "de-AT"),
            ("de-LI", "de-DE"),
            ("fr", "fr-FR"),
            ("es-AR", "es-ES"),
            ("no", "nb-NO"),
            ("nn-NO", "nb-NO"),
            ("pt-BR,pt", "pt-PT"),
            ("sv-FI", "sv-FI"),
            ("en-US,en;q=0.9", "en-US"),
            ("en-GB", "en-GB"),
            ("en", "en-GB"),
            ("fr-FR,fr;q=0.9,sv;q=0.5", "fr-FR"),
            ("ja-JP,ja;q=0.9,sv;q=0.5", "sv-SE"),
            ("xx", "en-SE"),
            ("", "en-SE"),
            (";;;,,,", "en-SE"),
        ];
        for (header, expected) in cases {
            assert_eq!(View::from_accept_language(header).locale.tag, expected, "{header:?}");
        }
    }

    #[test]
    fn post_codes_follow_the_country() {
        let cases = [
            ("sv-SE", "111 48", true),
            ("sv-SE", "11 148", true),
            ("sv-SE", " 11148 ", true),
            ("sv-SE", "1114", false),
            ("de-DE", "10178", true),
            ("de-DE", "1017A", false),
            ("en-GB", "W1S 3BE", true),
            ("en-GB", "w1s 3be", true),
            ("en-GB", "12345", false),
            ("en-US", "10024-3941", true),
            ("en-US", "10024", true),
            ("en-US", "", false),
            ("en-IE", "D02 C838", true),
            ("en-IE", "D6W X1X2", true),
            ("en-IE", "D02C", false),
            ("fr-CA", "v7h 1l9", true),
            ("nl-NL", "1068 SR", true),
            ("pl-PL", "01460", false),
        ];
        for (tag, code, expected) in cases {
            let view = View::from_tag(tag).unwrap();
            assert_eq!(view.market.accepts_postal_code(code), expected, "{tag} {code:?}");
        }
    }
}
