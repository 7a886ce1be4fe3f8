//! Amounts as people read them.
//!
//! Money is an integer in minor units everywhere in the shop; this module turns it into text for
//! a market, in integer arithmetic. It does not convert between currencies, and it knows no prices.

/// A currency that the shop has price lists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Australian dollar.
    Aud,
    /// Canadian dollar.
    Cad,
    /// Swiss franc.
    Chf,
    /// Czech koruna.
    Czk,
    /// Danish krone.
    Dkk,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// Hungarian forint.
    Huf,
    /// Mexican peso.
    Mxn,
    /// Norwegian krone.
    Nok,
    /// New Zealand dollar.
    Nzd,
    /// Polish złoty.
    Pln,
    /// Romanian leu.
    Ron,
    /// Swedish krona.
    Sek,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// All of them, in the order of the price lists.
    pub const ALL: [Self; 15] = [
        Self::Aud,
        Self::Cad,
        Self::Chf,
        Self::Czk,
        Self::Dkk,
        Self::Eur,
        Self::Gbp,
        Self::Huf,
        Self::Mxn,
        Self::Nok,
        Self::Nzd,
        Self::Pln,
        Self::Ron,
        Self::Sek,
        Self::Usd,
    ];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Aud => "AUD",
            Self::Cad => "CAD",
            Self::Chf => "CHF",
            Self::Czk => "CZK",
            Self::Dkk => "DKK",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Huf => "HUF",
            Self::Mxn => "MXN",
            Self::Nok => "NOK",
            Self::Nzd => "NZD",
            Self::Pln => "PLN",
            Self::Ron => "RON",
            Self::Sek => "SEK",
            Self::Usd => "USD",
        }
    }

    /// The symbol that is printed beside an amount in the currency's own countries.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Czk => "Kč",
            Self::Dkk => "kr.",
            Self::Eur => "€",
            Self::Gbp => "£",
            Self::Huf => "Ft",
            Self::Nok | Self::Sek => "kr",
            Self::Pln => "zł",
            Self::Ron => "lei",
            Self::Aud | Self::Cad | Self::Mxn | Self::Nzd | Self::Usd => "$",
        }
    }

    /// How many decimal digits each of them has, the forint included.
    pub const EXPONENT: u32 = 2;

    /// Whether people write the decimals when they are all zero. There are no coins of less than a
    /// forint, so nobody expects to see any.
    const fn decimals(self) -> Decimals {
        if matches!(self, Self::Huf) { Decimals::WhenNeeded } else { Decimals::Always }
    }

    /// The currency with this ISO 4217 code, if the shop knows it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }
}

/// How a locale writes numbers and where it puts the currency's symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberStyle {
    /// Between whole units and decimals.
    pub decimal: char,
    /// Between groups of three digits.
    pub group: char,
    /// Where the symbol stands.
    pub symbol: SymbolPlace,
    /// From how many digits on they are grouped.
    pub grouped: Grouped,
}

/// From how many digits on a number is written in groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouped {
    /// `1 299`.
    FromFour,
    /// `1299`, but `12 990`.
    FromFive,
}

/// Where a currency symbol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolPlace {
    /// Directly before the digits: `$1.00`.
    Before,
    /// Before the digits, with a no-break space between: `€ 1,00`.
    BeforeSpace,
    /// After the digits and a no-break space: `1,00 kr`.
    AfterSpace,
}

/// A space that never breaks, so that an amount stays on one line.
const NO_BREAK_SPACE: char = '\u{a0}';
/// The minus sign, which has the width of the digits; a hyphen has not.
const MINUS: char = '\u{2212}';

/// Writes `minor` minor units of `currency` with all the decimals that people write.
pub fn format(minor: i64, currency: Currency, style: NumberStyle) -> String {
    write(minor, currency, style, currency.decimals())
}

/// Writes `minor` minor units of `currency`, without decimals when they are all zero: for price
/// tags.
pub fn format_short(minor: i64, currency: Currency, style: NumberStyle) -> String {
    write(minor, currency, style, Decimals::WhenNeeded)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decimals {
    Always,
    WhenNeeded,
}

fn write(minor: i64, currency: Currency, style: NumberStyle, decimals: Decimals) -> String {
    let scale = 10_u64.pow(Currency::EXPONENT);
    let size = minor.unsigned_abs();
    let (whole, rest) = (size / scale, size % scale);
    let mut text = String::with_capacity(24);
    if minor < 0 {
        text.push(MINUS);
    }
    match style.symbol {
        SymbolPlace::Before => text.push_str(currency.symbol()),
        SymbolPlace::BeforeSpace => {
            text.push_str(currency.symbol());
            text.push(NO_BREAK_SPACE);
        }
        SymbolPlace::AfterSpace => {}
    }
    push_grouped(&mut text, whole, style);
    if decimals == Decimals::Always || rest != 0 {
        text.push(style.decimal);
        let digits = rest.to_string();
        let width = Currency::EXPONENT as usize;
        text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
        text.push_str(&digits);
    }
    if style.symbol == SymbolPlace::AfterSpace {
        text.push(NO_BREAK_SPACE);
        text.push_str(currency.symbol());
    }
    text
}

fn push_grouped(text: &mut String, whole: u64, style: NumberStyle) {
    let digits = whole.to_string();
    if style.grouped == Grouped::FromFive && digits.len() < 5 {
        text.push_str(&digits);
        return;
    }
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(style.group);
        }
        text.push(digit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::View;

    fn style(tag: &str) -> (Currency, NumberStyle) {
        let view = View::from_tag(tag).unwrap();
        (view.market.currency, view.locale.numbers)
    }

    /// What browsers write for 1,299 and for 1,234,567.50 of the market's currency. Two things differ
    /// on purpose: the minus sign, and the symbol of the country where English would use the code.
    #[test]
    fn amounts_read_as_each_market_writes_them() {
        for (tag, small, large) in [
            ("de-AT", "€_1.299,00", "€_1.234.567,50"),
            ("en-AT", "€_1.299,00", "€_1.234.567,50"),
            ("en-AU", "$1,299.00", "$1,234,567.50"),
            ("nl-BE", "€_1.299,00", "€_1.234.567,50"),
            ("fr-BE", "1^299,00_€", "1^234^567,50_€"),
            ("en-BE", "€1,299.00", "€1,234,567.50"),
            ("en-CA", "$1,299.00", "$1,234,567.50"),
            ("fr-CA", "1_299,00_$", "1_234_567,50_$"),
            ("de-CH", "CHF_1'299.00", "CHF_1'234'567.50"),
            ("fr-CH", "1^299.00_CHF", "1^234^567.50_CHF"),
            ("it-CH", "CHF_1299.00", "CHF_1'234'567.50"),
            ("en-CH", "CHF_1'299.00", "CHF_1'234'567.50"),
            ("cs-CZ", "1_299,00_Kč", "1_234_567,50_Kč"),
            ("de-DE", "1.299,00_€", "1.234.567,50_€"),
            ("en-DE", "€1,299.00", "€1,234,567.50"),
            ("da-DK", "1.299,00_kr.", "1.234.567,50_kr."),
            ("es-ES", "1299,00_€", "1.234.567,50_€"),
            ("fi-FI", "1_299,00_€", "1_234_567,50_€"),
            ("sv-FI", "1_299,00_€", "1_234_567,50_€"),
            ("fr-FR", "1^299,00_€", "1^234^567,50_€"),
            ("en-GB", "£1,299.00", "£1,234,567.50"),
            ("el-GR", "1.299,00_€", "1.234.567,50_€"),
            ("hu-HU", "1299_Ft", "1_234_567,50_Ft"),
            ("en-IE", "€1,299.00", "€1,234,567.50"),
            ("it-IT", "1299,00_€", "1.234.567,50_€"),
            ("es-MX", "$1,299.00", "$1,234,567.50"),
            ("nl-NL", "€_1.299,00", "€_1.234.567,50"),
            ("nb-NO", "1_299,00_kr", "1_234_567,50_kr"),
            ("en-NZ", "$1,299.00", "$1,234,567.50"),
            ("pl-PL", "1299,00_zł", "1_234_567,50_zł"),
            ("pt-PT", "1299,00_€", "1_234_567,50_€"),
            ("ro-RO", "1.299,00_lei", "1.234.567,50_lei"),
            ("sv-SE", "1_299,00_kr", "1_234_567,50_kr"),
            ("en-SE", "1_299,00_kr", "1_234_567,50_kr"),
            ("sk-SK", "1_299,00_€", "1_234_567,50_€"),
            ("en-US", "$1,299.00", "$1,234,567.50"),
            ("es-US", "$1,299.00", "$1,234,567.50"),
        ] {
            let (currency, style) = style(tag);
            for (minor, expected) in [(129_900, small), (123_456_750, large)] {
                let expected = expected.replace('_', "\u{a0}").replace('^', "\u{202f}");
                assert_eq!(format(minor, currency, style), expected, "{tag}");
                assert_eq!(format(-minor, currency, style), format!("\u{2212}{expected}"), "{tag}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_can_be_written() {
        let (currency, style) = style("en-US");
        assert_eq!(format(0, currency, style), "$0.00");
        assert_eq!(format(5, currency, style), "$0.05");
        assert_eq!(format(-1, currency, style), "\u{2212}$0.01");
        assert_eq!(format(i64::MIN, currency, style), "\u{2212}$92,233,720,368,547,758.08");
        assert_eq!(format(i64::MAX, currency, style), "$92,233,720,368,547,758.07");
    }

    #[test]
    fn price_tags_drop_only_zero_decimals() {
        let (krona, sweden) = style("sv-SE");
        assert_eq!(format_short(24_900, krona, sweden), "249\u{a0}kr");
        assert_eq!(format_short(24_950, krona, sweden), "249,50\u{a0}kr");
        let (dollar, america) = style("en-US");
        assert_eq!(format_short(24_905, dollar, america), "$249.05");
    }

    #[test]
    fn codes_lead_back_to_currencies() {
        for currency in Currency::ALL {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
        }
        assert_eq!(Currency::from_code("XXX"), None);
    }
}
