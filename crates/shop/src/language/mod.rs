//! The shop's words, in every language it speaks.
//!
//! One file for each language, all with the same names: the compiler refuses a language that is not
//! complete. A further language is one more file and one more arm in each `match` here. How a country
//! writes amounts is in `market`; how it writes days is here, because it follows the language.

mod cs;
mod da;
mod de;
mod el;
mod en;
mod es;
mod fi;
mod fr;
mod hu;
mod it;
mod nb;
mod nl;
mod pl;
mod pt;
mod ro;
mod sk;
mod sv;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::market::ShippingId;

/// A language that the shop speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Swedish.
    Swedish,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Dutch.
    Dutch,
    /// Norwegian, in Bokmål.
    Norwegian,
    /// Danish.
    Danish,
    /// Finnish.
    Finnish,
    /// Italian.
    Italian,
    /// Polish.
    Polish,
    /// Portuguese, of Portugal.
    Portuguese,
    /// Czech.
    Czech,
    /// Slovak.
    Slovak,
    /// Hungarian.
    Hungarian,
    /// Romanian.
    Romanian,
    /// Greek.
    Greek,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::English,
        Self::Swedish,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Dutch,
        Self::Norwegian,
        Self::Danish,
        Self::Finnish,
        Self::Italian,
        Self::Polish,
        Self::Portuguese,
        Self::Czech,
        Self::Slovak,
        Self::Hungarian,
        Self::Romanian,
        Self::Greek,
    ];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swedish => "sv",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Dutch => "nl",
            Self::Norwegian => "nb",
            Self::Danish => "da",
            Self::Finnish => "fi",
            Self::Italian => "it",
            Self::Polish => "pl",
            Self::Portuguese => "pt",
            Self::Czech => "cs",
            Self::Slovak => "sk",
            Self::Hungarian => "hu",
            Self::Romanian => "ro",
            Self::Greek => "el",
        }
    }

    /// What its speakers call it.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Swedish => "Svenska",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Dutch => "Nederlands",
            Self::Norwegian => "Norsk",
            Self::Danish => "Dansk",
            Self::Finnish => "Suomi",
            Self::Italian => "Italiano",
            Self::Polish => "Polski",
            Self::Portuguese => "Português",
            Self::Czech => "Čeština",
            Self::Slovak => "Slovenčina",
            Self::Hungarian => "Magyar",
            Self::Romanian => "Română",
            Self::Greek => "Ελληνικά",
        }
    }

    /// The texts.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::TEXTS,
            Self::Swedish => &sv::TEXTS,
            Self::German => &de::TEXTS,
            Self::French => &fr::TEXTS,
            Self::Spanish => &es::TEXTS,
            Self::Dutch => &nl::TEXTS,
            Self::Norwegian => &nb::TEXTS,
            Self::Danish => &da::TEXTS,
            Self::Finnish => &fi::TEXTS,
            Self::Italian => &it::TEXTS,
            Self::Polish => &pl::TEXTS,
            Self::Portuguese => &pt::TEXTS,
            Self::Czech => &cs::TEXTS,
            Self::Slovak => &sk::TEXTS,
            Self::Hungarian => &hu::TEXTS,
            Self::Romanian => &ro::TEXTS,
            Self::Greek => &el::TEXTS,
        }
    }

    /// The words for what is sold.
    pub fn goods(self) -> &'static Goods {
        match self {
            Self::English => &en::GOODS,
            Self::Swedish => &sv::GOODS,
            Self::German => &de::GOODS,
            Self::French => &fr::GOODS,
            Self::Spanish => &es::GOODS,
            Self::Dutch => &nl::GOODS,
            Self::Norwegian => &nb::GOODS,
            Self::Danish => &da::GOODS,
            Self::Finnish => &fi::GOODS,
            Self::Italian => &it::GOODS,
            Self::Polish => &pl::GOODS,
            Self::Portuguese => &pt::GOODS,
            Self::Czech => &cs::GOODS,
            Self::Slovak => &sk::GOODS,
            Self::Hungarian => &hu::GOODS,
            Self::Romanian => &ro::GOODS,
            Self::Greek => &el::GOODS,
        }
    }

    /// The months, as they stand in a date.
    fn months(self) -> &'static [&'static str; 12] {
        match self {
            Self::English => &en::MONTHS,
            Self::Swedish => &sv::MONTHS,
            Self::German => &de::MONTHS,
            Self::French => &fr::MONTHS,
            Self::Spanish => &es::MONTHS,
            Self::Dutch => &nl::MONTHS,
            Self::Norwegian => &nb::MONTHS,
            Self::Danish => &da::MONTHS,
            Self::Finnish => &fi::MONTHS,
            Self::Italian => &it::MONTHS,
            Self::Polish => &pl::MONTHS,
            Self::Portuguese => &pt::MONTHS,
            Self::Czech => &cs::MONTHS,
            Self::Slovak => &sk::MONTHS,
            Self::Hungarian => &hu::MONTHS,
            Self::Romanian => &ro::MONTHS,
            Self::Greek => &el::MONTHS,
        }
    }

    /// A day as people of a country write it.
    pub fn date(self, country: &str, at: Timestamp) -> String {
        let day = at.to_zoned(TimeZone::UTC).date();
        let month = usize::try_from(day.month()).unwrap_or(1).saturating_sub(1);
        let mut name = self.months().get(month).copied().unwrap_or_default();
        let (number, year) = (day.day(), day.year());
        match self {
            Self::English if matches!(country, "US" | "CA" | "MX") => {
                format!("{name} {number}, {year}")
            }
            Self::English
            | Self::Swedish
            | Self::French
            | Self::Dutch
            | Self::Italian
            | Self::Polish
            | Self::Romanian
            | Self::Greek => format!("{number} {name} {year}"),
            Self::German
            | Self::Norwegian
            | Self::Danish
            | Self::Finnish
            | Self::Czech
            | Self::Slovak => {
                if self == Self::German && country == "AT" && month == 0 {
                    name = "Jänner";
                }
                format!("{number}. {name} {year}")
            }
            Self::Spanish | Self::Portuguese => format!("{number} de {name} de {year}"),
            Self::Hungarian => format!("{year}. {name} {number}."),
        }
    }
}

/// The words for one thing that is sold.
#[derive(Debug)]
pub struct Words {
    /// Its name.
    pub name: &'static str,
    /// One line under the name.
    pub line: &'static str,
    /// The paragraph on its page.
    pub story: &'static str,
    /// Short facts: material, size, care.
    pub facts: [&'static str; 3],
}

/// The words for everything on the shelf.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are those of the products")]
pub struct Goods {
    pub mist_mug: Words,
    pub harbour_throw: Words,
    pub beeswax_candles: Words,
    pub oak_board: Words,
    pub shore_birds: Words,
    pub smoke_tea: Words,
    pub dusk_lamp: Words,
    pub market_bag: Words,
}

/// Every text of the shop in one language. The names say what a text is for.
#[derive(Debug)]
#[expect(missing_docs, reason = "the English file shows each text")]
pub struct Texts {
    pub tagline: &'static str,
    pub demo_note: &'static str,
    pub skip: &'static str,
    pub navigation: &'static str,
    pub footer_navigation: &'static str,
    pub shop: &'static str,
    pub orders: &'static str,
    pub help: &'static str,
    pub cart: &'static str,
    pub choose_market: &'static str,
    pub terms: &'static str,
    pub privacy: &'static str,
    pub back_to_shop: &'static str,
    pub back_to_checkout: &'static str,
    pub try_again: &'static str,

    pub hero_eyebrow: &'static str,
    pub hero_title: &'static str,
    pub hero_text: &'static str,
    pub hero_button: &'static str,
    pub shelf_title: &'static str,
    pub prices_include_tax: &'static str,
    pub prices_exclude_tax: &'static str,
    pub promises: &'static str,
    pub promise_made: &'static str,
    pub promise_made_text: &'static str,
    pub promise_pay: &'static str,
    pub promise_pay_text: &'static str,
    pub promise_return: &'static str,
    pub promise_return_text: &'static str,

    pub quantity: &'static str,
    pub add_to_cart: &'static str,
    pub added: &'static str,
    pub go_to_cart: &'static str,
    pub cart_empty: &'static str,
    pub cart_changed: &'static str,
    pub update_cart: &'static str,
    pub remove: &'static str,
    pub summary: &'static str,
    pub to_checkout: &'static str,
    pub keep_looking: &'static str,
    pub code_label: &'static str,
    pub code_help: &'static str,
    pub apply: &'static str,
    pub discount: &'static str,
    pub discount_meaning: &'static str,
    pub gift_card: &'static str,
    pub goods: &'static str,
    pub free: &'static str,
    pub sales_tax: &'static str,
    pub of_which_tax: &'static str,
    pub total: &'static str,

    pub checkout: &'static str,
    pub change_cart: &'static str,
    pub contact: &'static str,
    pub address: &'static str,
    pub country: &'static str,
    pub elsewhere: &'static str,
    pub elsewhere_title: &'static str,
    pub delivery: &'static str,
    pub update_delivery: &'static str,
    pub shipping_standard: &'static str,
    pub shipping_express: &'static str,
    pub shipping_collect: &'static str,
    pub promise_standard: &'static str,
    pub promise_express: &'static str,
    pub promise_collect: &'static str,
    pub field_email: &'static str,
    pub field_phone: &'static str,
    pub field_given_name: &'static str,
    pub field_family_name: &'static str,
    pub field_street_address: &'static str,
    pub field_street_address2: &'static str,
    pub field_postal_code: &'static str,
    pub field_city: &'static str,
    pub field_region: &'static str,
    pub optional: &'static str,
    pub choose: &'static str,
    pub try_it: &'static str,
    pub person_approved: &'static str,
    pub person_denied: &'static str,

    pub payment: &'static str,
    pub klarna_subheader: &'static str,
    pub continue_with_klarna: &'static str,
    pub place_order: &'static str,
    pub transfer: &'static str,
    pub transfer_text: &'static str,
    pub nothing_to_pay: &'static str,
    pub agree_before: &'static str,
    pub agree_klarna: &'static str,
    pub klarna_needs_scripts: &'static str,
    pub klarna_later: &'static str,
    pub klarna_loading: &'static str,
    pub klarna_unreachable: &'static str,
    pub klarna_denied: &'static str,
    pub klarna_refused: &'static str,
    pub klarna_aborted: &'static str,
    pub klarna_fix: &'static str,
    pub error_klarna_field: &'static str,
    pub checkout_changed: &'static str,
    pub authorizing: &'static str,
    pub confirming: &'static str,
    pub retrying: &'static str,
    pub confirmation_lost: &'static str,
    pub confirmation_failed: &'static str,
    pub approve_again: &'static str,
    pub offline: &'static str,

    pub waiting_title: &'static str,
    pub waiting_text: &'static str,
    pub waiting_slow: &'static str,
    pub look_again: &'static str,
    pub thanks: &'static str,
    pub thanks_text: &'static str,
    pub order: &'static str,
    pub order_number: &'static str,
    pub date: &'static str,
    pub paid_with: &'static str,
    pub pending: &'static str,
    pub next_title: &'static str,
    pub next_klarna: &'static str,
    pub next_transfer: &'static str,
    pub next_nothing: &'static str,
    pub follow_order: &'static str,
    pub klarna_help: &'static str,
    pub status_received: &'static str,
    pub status_packing: &'static str,
    pub status_sent: &'static str,
    pub status_part_sent: &'static str,
    pub status_cancelled: &'static str,
    pub status_unknown: &'static str,
    pub refunded: &'static str,
    pub no_orders: &'static str,
    pub orders_text: &'static str,
    pub unpaid_title: &'static str,
    pub unpaid_text: &'static str,

    pub missing_title: &'static str,
    pub missing_text: &'static str,
    pub later_title: &'static str,
    pub later_text: &'static str,
    pub foreign_title: &'static str,
    pub foreign_text: &'static str,
    pub no_market_title: &'static str,
    pub no_market_text: &'static str,
    pub error_required: &'static str,
    pub error_too_long: &'static str,
    pub error_email: &'static str,
    pub error_phone: &'static str,
    pub error_postal_code: &'static str,
    pub error_name: &'static str,
    pub error_quantity: &'static str,
    pub error_code: &'static str,

    pub terms_1: &'static str,
    pub terms_2: &'static str,
    pub terms_3: &'static str,
    pub terms_klarna_link: &'static str,
    pub privacy_1: &'static str,
    pub privacy_2: &'static str,
    pub privacy_3: &'static str,
    pub privacy_4: &'static str,
    pub privacy_klarna_link: &'static str,
    pub help_q1: &'static str,
    pub help_a1: &'static str,
    pub help_q2: &'static str,
    pub help_a2: &'static str,
    pub help_q3: &'static str,
    pub help_a3: &'static str,
    pub help_q4: &'static str,
    pub help_a4: &'static str,

    pub field_province: &'static str,
    pub express_title: &'static str,
    pub hosted_text: &'static str,
    pub leaving: &'static str,
    pub how_often: &'static str,
    pub once: &'static str,
    pub monthly: &'static str,
    pub monthly_text: &'static str,
    pub monthly_agree: &'static str,
    pub subscription: &'static str,
    pub subscriptions: &'static str,
    pub next_charge: &'static str,
    pub end_subscription: &'static str,
    pub subscription_ended: &'static str,
    pub counter: &'static str,
    pub counter_text: &'static str,
    pub counter_button: &'static str,
    pub counter_scan: &'static str,
    pub counter_cancel: &'static str,
    pub counter_alt: &'static str,
    pub account: &'static str,
    pub account_text: &'static str,
    pub sign_in_text: &'static str,
    pub sign_in_elsewhere: &'static str,
    pub signed_in_as: &'static str,
    pub sign_out: &'static str,
    pub sign_in_failed: &'static str,
    pub offline_title: &'static str,
    pub offline_text: &'static str,
    one: &'static str,
    many: &'static str,
}

impl Texts {
    /// A number of pieces, in words.
    pub fn pieces(&self, count: i64) -> String {
        if count == 1 { self.one.to_owned() } else { format!("{count} {}", self.many) }
    }

    /// The name of a delivery.
    pub const fn shipping_name(&self, shipping: ShippingId) -> &'static str {
        match shipping {
            ShippingId::Standard => self.shipping_standard,
            ShippingId::Express => self.shipping_express,
            ShippingId::Collect => self.shipping_collect,
        }
    }

    /// How long a delivery takes.
    pub const fn shipping_promise(&self, shipping: ShippingId) -> &'static str {
        match shipping {
            ShippingId::Standard => self.promise_standard,
            ShippingId::Express => self.promise_express,
            ShippingId::Collect => self.promise_collect,
        }
    }

    /// The label of a field of the address form of a country.
    pub fn field(&self, name: &str, country: &str) -> &'static str {
        match name {
            "email" => self.field_email,
            "phone" => self.field_phone,
            "given_name" => self.field_given_name,
            "family_name" => self.field_family_name,
            "street_address" => self.field_street_address,
            "street_address2" => self.field_street_address2,
            "postal_code" => self.field_postal_code,
            "city" => self.field_city,
            "region" if country == "CA" => self.field_province,
            "region" => self.field_region,
            _ => "",
        }
    }

    /// What to say when a field's text has the wrong form.
    pub fn wrong(&self, name: &str) -> &'static str {
        match name {
            "email" => self.error_email,
            "phone" => self.error_phone,
            "postal_code" => self.error_postal_code,
            "given_name" | "family_name" => self.error_name,
            _ => self.error_too_long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_each_country_writes_them() {
        let at: Timestamp = "2026-03-05T12:00:00Z".parse().unwrap();
        for (language, country, expected) in [
            (Language::Swedish, "SE", "5 mars 2026"),
            (Language::German, "DE", "5. März 2026"),
            (Language::English, "GB", "5 March 2026"),
            (Language::English, "US", "March 5, 2026"),
            (Language::English, "CA", "March 5, 2026"),
            (Language::French, "FR", "5 mars 2026"),
            (Language::Spanish, "ES", "5 de marzo de 2026"),
            (Language::Dutch, "NL", "5 maart 2026"),
            (Language::Norwegian, "NO", "5. mars 2026"),
            (Language::Danish, "DK", "5. marts 2026"),
            (Language::Finnish, "FI", "5. maaliskuuta 2026"),
            (Language::Italian, "IT", "5 marzo 2026"),
            (Language::Polish, "PL", "5 marca 2026"),
            (Language::Portuguese, "PT", "5 de março de 2026"),
            (Language::Czech, "CZ", "5. března 2026"),
            (Language::Slovak, "SK", "5. marca 2026"),
            (Language::Hungarian, "HU", "2026. március 5."),
            (Language::Romanian, "RO", "5 martie 2026"),
            (Language::Greek, "GR", "5 Μαρτίου 2026"),
        ] {
            assert_eq!(language.date(country, at), expected);
        }
        let january: Timestamp = "2027-01-31T23:59:59Z".parse().unwrap();
        assert_eq!(Language::German.date("AT", january), "31. Jänner 2027");
        assert_eq!(Language::German.date("CH", january), "31. Januar 2027");
    }

    #[test]
    fn klarnas_button_has_the_copy_of_the_market() {
        for (language, copy) in [
            (Language::English, "Continue with Klarna"),
            (Language::Swedish, "Fortsätt med Klarna"),
            (Language::German, "Weiter mit Klarna"),
            (Language::French, "Continuer avec Klarna"),
            (Language::Spanish, "Continuar con Klarna"),
            (Language::Dutch, "Verdergaan met Klarna"),
            (Language::Norwegian, "Fortsett med Klarna"),
            (Language::Danish, "Fortsæt med Klarna"),
            (Language::Finnish, "Jatka Klarnalla"),
            (Language::Italian, "Continua con Klarna"),
            (Language::Polish, "Kontynuuj z Klarna"),
            (Language::Portuguese, "Continuar com Klarna"),
            (Language::Czech, "Pokračuj s Klarnou"),
            (Language::Hungarian, "Tovább Klarnával"),
            (Language::Romanian, "Continuă cu Klarna"),
            (Language::Greek, "Συνέχεια με την Klarna"),
        ] {
            assert_eq!(language.texts().continue_with_klarna, copy);
        }
    }

    #[test]
    fn numbers_of_pieces_have_their_words() {
        assert_eq!(Language::Swedish.texts().pieces(1), "1 vara");
        assert_eq!(Language::English.texts().pieces(3), "3 items");
    }
}
