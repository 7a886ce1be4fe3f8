//! Where the shop sells: country, currency, languages, number style, tax layout, delivery.
//!
//! One row for each market; opening another is one more row (and a price list, where its currency
//! is new). The rows are facts about the merchant's business, so they hold no Klarna rule beyond
//! the locales that Klarna accepts for the country.

use crate::language::Language;
use crate::money::{Currency, NumberStyle, SymbolPlace};

/// One country that the shop sells to.
#[derive(Debug, PartialEq, Eq)]
pub struct Market {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// The country's name in each of its languages is in [`Locale::country_name`].
    pub locales: &'static [Locale],
    /// The country's own currency, the only one that Klarna accepts there.
    pub currency: Currency,
    /// How amounts are written.
    pub numbers: NumberStyle,
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
    /// What a post code looks like; digits are `9`, letters `A`, anything else is itself. Several
    /// forms are allowed; none means any text.
    pub postal_codes: &'static [&'static str],
    /// A post code as an example.
    pub postal_code_example: &'static str,
    /// A phone number as an example.
    pub phone_example: &'static str,
}

const SPACE_COMMA_AFTER: NumberStyle =
    NumberStyle { decimal: ',', group: '\u{a0}', symbol: SymbolPlace::AfterSpace };
const POINT_COMMA_AFTER: NumberStyle =
    NumberStyle { decimal: ',', group: '.', symbol: SymbolPlace::AfterSpace };
const COMMA_POINT_BEFORE: NumberStyle =
    NumberStyle { decimal: '.', group: ',', symbol: SymbolPlace::Before };

/// Every market, the shop's home first.
pub static MARKETS: &[Market] = &[
    Market {
        country: "SE",
        locales: &[
            Locale { tag: "sv-SE", language: Language::Swedish, country_name: "Sverige" },
            Locale { tag: "en-SE", language: Language::English, country_name: "Sweden" },
        ],
        currency: Currency::Sek,
        numbers: SPACE_COMMA_AFTER,
        tax: TaxLayout::Including,
        standard_rate: 2500,
        book_rate: 600,
        food_rate: 1200,
        shipping: &[
            Shipping { id: ShippingId::Standard, price: 4_900 },
            Shipping { id: ShippingId::Express, price: 9_900 },
            Shipping { id: ShippingId::Collect, price: 0 },
        ],
        gift_card_value: 50_000,
        address: AddressForm {
            regions: &[],
            postal_codes: &["999 99", "99999", "99 999"],
            postal_code_example: "111 48",
            phone_example: "+46 70 174 06 15",
        },
    },
    Market {
        country: "DE",
        locales: &[
            Locale { tag: "de-DE", language: Language::German, country_name: "Deutschland" },
            Locale { tag: "en-DE", language: Language::English, country_name: "Germany" },
        ],
        currency: Currency::Eur,
        numbers: POINT_COMMA_AFTER,
        tax: TaxLayout::Including,
        standard_rate: 1900,
        book_rate: 700,
        food_rate: 700,
        shipping: &[
            Shipping { id: ShippingId::Standard, price: 490 },
            Shipping { id: ShippingId::Express, price: 990 },
            Shipping { id: ShippingId::Collect, price: 0 },
        ],
        gift_card_value: 5_000,
        address: AddressForm {
            regions: &[],
            postal_codes: &["99999"],
            postal_code_example: "10178",
            phone_example: "+49 176 14284340",
        },
    },
    Market {
        country: "GB",
        locales: &[Locale {
            tag: "en-GB",
            language: Language::English,
            country_name: "United Kingdom",
        }],
        currency: Currency::Gbp,
        numbers: COMMA_POINT_BEFORE,
        tax: TaxLayout::Including,
        standard_rate: 2000,
        book_rate: 0,
        food_rate: 0,
        shipping: &[
            Shipping { id: ShippingId::Standard, price: 395 },
            Shipping { id: ShippingId::Express, price: 795 },
            Shipping { id: ShippingId::Collect, price: 0 },
        ],
        gift_card_value: 5_000,
        address: AddressForm {
            regions: &[],
            postal_codes: &["A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA"],
            postal_code_example: "W1S 3BE",
            phone_example: "+44 7755 564318",
        },
    },
    Market {
        country: "US",
        locales: &[Locale {
            tag: "en-US",
            language: Language::English,
            country_name: "United States",
        }],
        currency: Currency::Usd,
        numbers: COMMA_POINT_BEFORE,
        tax: TaxLayout::Excluding,
        standard_rate: 800,
        book_rate: 800,
        food_rate: 0,
        shipping: &[
            Shipping { id: ShippingId::Standard, price: 595 },
            Shipping { id: ShippingId::Express, price: 1_295 },
            Shipping { id: ShippingId::Collect, price: 0 },
        ],
        gift_card_value: 5_000,
        address: AddressForm {
            regions: US_STATES,
            postal_codes: &["99999", "99999-9999"],
            postal_code_example: "10024",
            phone_example: "+1 310 668 3312",
        },
    },
];

const US_STATES: &[(&str, &str)] = &[
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "District of Columbia"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];

impl Market {
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
            let locale = market.locales.iter().find(|locale| locale.tag == tag)?;
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
            let language = tag.split('-').next().unwrap_or(tag);
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
    }

    #[test]
    fn a_browser_is_led_to_its_market() {
        let cases = [
            ("sv-SE,sv;q=0.9,en;q=0.8", "sv-SE"),
            ("de", "de-DE"),
            ("de-AT,de;q=0.9", "de-DE"),
            ("en-US,en;q=0.9", "en-US"),
            ("en-GB", "en-GB"),
            ("en", "en-GB"),
            ("fr-FR,fr;q=0.9,sv;q=0.5", "sv-SE"),
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
        ];
        for (tag, code, expected) in cases {
            let view = View::from_tag(tag).unwrap();
            assert_eq!(view.market.accepts_postal_code(code), expected, "{tag} {code:?}");
        }
    }
}
