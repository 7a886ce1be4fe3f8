//! Amounts as people read them.
//!
//! Money is an integer in minor units everywhere in the shop; this module turns it into text for
//! a market, in integer arithmetic. It does not convert between currencies, and it knows no prices.

/// A currency that the shop has price lists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Swedish krona.
    Sek,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sek, Self::Eur, Self::Gbp, Self::Usd];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sek => "SEK",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Usd => "USD",
        }
    }

    /// The symbol that is printed beside an amount in the currency's own countries.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Sek => "kr",
            Self::Eur => "€",
            Self::Gbp => "£",
            Self::Usd => "$",
        }
    }

    /// How many decimal digits the currency has.
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Sek | Self::Eur | Self::Gbp | Self::Usd => 2,
        }
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
}

/// Where a currency symbol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolPlace {
    /// Directly before the digits: `$1.00`.
    Before,
    /// After the digits and a no-break space: `1,00 kr`.
    AfterSpace,
}

/// A space that never breaks, so that an amount stays on one line.
const NO_BREAK_SPACE: char = '\u{a0}';
/// The minus sign, which has the width of the digits; a hyphen has not.
const MINUS: char = '\u{2212}';

/// Writes `minor` minor units of `currency` with all decimals.
pub fn format(minor: i64, currency: Currency, style: NumberStyle) -> String {
    write(minor, currency, style, Decimals::Always)
}

/// Writes `minor` minor units of `currency`, without decimals when they are all zero: for price
/// tags.
pub fn format_short(minor: i64, currency: Currency, style: NumberStyle) -> String {
    write(minor, currency, style, Decimals::WhenNeeded)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decimals {
    Always,
    WhenNeeded,
}

fn write(minor: i64, currency: Currency, style: NumberStyle, decimals: Decimals) -> String {
    let scale = 10_u64.pow(currency.exponent());
    let size = minor.unsigned_abs();
    let (whole, rest) = (size / scale, size % scale);
    let mut text = String::with_capacity(24);
    if minor < 0 {
        text.push(MINUS);
    }
    if style.symbol == SymbolPlace::Before {
        text.push_str(currency.symbol());
    }
    push_grouped(&mut text, whole, style.group);
    if currency.exponent() > 0 && (decimals == Decimals::Always || rest != 0) {
        text.push(style.decimal);
        let digits = rest.to_string();
        let width = currency.exponent() as usize;
        text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
        text.push_str(&digits);
    }
    if style.symbol == SymbolPlace::AfterSpace {
        text.push(NO_BREAK_SPACE);
        text.push_str(currency.symbol());
    }
    text
}

fn push_grouped(text: &mut String, whole: u64, group: char) {
    let digits = whole.to_string();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWEDEN: NumberStyle =
        NumberStyle { decimal: ',', group: NO_BREAK_SPACE, symbol: SymbolPlace::AfterSpace };
    const GERMANY: NumberStyle =
        NumberStyle { decimal: ',', group: '.', symbol: SymbolPlace::AfterSpace };
    const ENGLISH: NumberStyle =
        NumberStyle { decimal: '.', group: ',', symbol: SymbolPlace::Before };

    #[test]
    fn amounts_read_as_each_market_writes_them() {
        let cases = [
            (129_900, Currency::Sek, SWEDEN, "1\u{a0}299,00\u{a0}kr"),
            (0, Currency::Sek, SWEDEN, "0,00\u{a0}kr"),
            (5, Currency::Sek, SWEDEN, "0,05\u{a0}kr"),
            (-5_000, Currency::Sek, SWEDEN, "\u{2212}50,00\u{a0}kr"),
            (123_456_789, Currency::Eur, GERMANY, "1.234.567,89\u{a0}€"),
            (99_999, Currency::Eur, GERMANY, "999,99\u{a0}€"),
            (100_000, Currency::Gbp, ENGLISH, "£1,000.00"),
            (-1, Currency::Usd, ENGLISH, "\u{2212}$0.01"),
            (i64::MIN, Currency::Usd, ENGLISH, "\u{2212}$92,233,720,368,547,758.08"),
            (i64::MAX, Currency::Usd, ENGLISH, "$92,233,720,368,547,758.07"),
        ];
        for (minor, currency, style, expected) in cases {
            assert_eq!(format(minor, currency, style), expected, "{minor} {currency:?}");
        }
    }

    #[test]
    fn price_tags_drop_only_zero_decimals() {
        assert_eq!(format_short(24_900, Currency::Sek, SWEDEN), "249\u{a0}kr");
        assert_eq!(format_short(24_950, Currency::Sek, SWEDEN), "249,50\u{a0}kr");
        assert_eq!(format_short(24_905, Currency::Usd, ENGLISH), "$249.05");
    }

    #[test]
    fn codes_lead_back_to_currencies() {
        for currency in Currency::ALL {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
        }
        assert_eq!(Currency::from_code("XXX"), None);
    }
}
