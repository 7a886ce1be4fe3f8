//! Money, times and words for people.

use jiff::Timestamp;
use klarna_types::{Currency, MinorUnits, TaxRate};

use crate::domain::payment::Status;

/// `1 234.50 SEK`: digits in threes, the currency behind.
pub(super) fn money(amount: MinorUnits, currency: &Currency) -> String {
    let plain = amount.to_decimal(currency.exponent());
    let (sign, plain) =
        plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("\u{2212}", rest));
    let (whole, fraction) =
        plain.split_once('.').map_or((plain, ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}\u{a0}{}", currency.as_str())
}

/// What a person types as an amount, in minor units: `1234.5`, `1 234,50`.
pub(super) fn read_money(text: &str, currency: &Currency) -> Option<MinorUnits> {
    let exponent = usize::from(currency.exponent());
    let cleaned: String = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| if character == ',' { '.' } else { character })
        .collect();
    let (whole, fraction) = cleaned.split_once('.').unwrap_or((&cleaned, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || !digits_only(whole)
        || !digits_only(fraction)
        || fraction.len() > exponent
    {
        return None;
    }
    format!("{whole}{fraction:0<exponent$}").parse().ok().map(MinorUnits::new)
}

/// What a person types as a percentage: `25`, `7,5`.
pub(super) fn read_percent(text: &str) -> Option<TaxRate> {
    // A rate has two decimals, as most money has.
    read_money(text, &Currency::EUR).map(|hundredths| TaxRate::new(hundredths.get()))
}

/// `2031-05-04 09:30 UTC`.
pub(super) fn moment(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// A status for people.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Authorized => "Authorized",
        Status::PartCaptured => "Part captured",
        Status::Captured => "Captured",
        Status::Cancelled => "Cancelled",
        Status::Expired => "Expired",
        Status::Closed => "Closed",
    }
}

/// `payment.fraud_accepted` as "Fraud accepted".
pub(super) fn words(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut words = last.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_well() {
        let shown = |minor| money(MinorUnits::new(minor), &Currency::SEK);
        assert_eq!(shown(123_450), "1\u{202f}234.50\u{a0}SEK");
        assert_eq!(shown(5), "0.05\u{a0}SEK");
        assert_eq!(shown(-100_000_000), "\u{2212}1\u{202f}000\u{202f}000.00\u{a0}SEK");
        assert_eq!(money(MinorUnits::new(1500), &Currency::from("JPY")), "1\u{202f}500\u{a0}JPY");
    }

    #[test]
    fn typed_money_is_understood_or_refused_but_never_guessed() {
        let read = |text| read_money(text, &Currency::EUR).map(MinorUnits::get);
        assert_eq!(read("12"), Some(1200));
        assert_eq!(read("12.5"), Some(1250));
        assert_eq!(read("1 234,50"), Some(123_450));
        for bad in ["", "-1", "1.234", "1.2.3", "1,234.50", "abc", "9999999999999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
