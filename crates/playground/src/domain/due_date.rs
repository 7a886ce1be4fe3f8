//! Later due dates: which extensions Klarna offers for a capture, and what the merchant pays for
//! each.
//!
//! The table of fees is by country and order value. Band limits belong to the lower band. This
//! module does not know which extensions a capture already had, except through what is passed in.

use klarna_types::money::MinorUnits;

/// One extension on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// By how many days the due date moves.
    pub(crate) number_of_days: i32,
    /// What the merchant pays for it, in minor units of the order's currency.
    pub(crate) fee: MinorUnits,
}

/// Whether the extension that costs nothing is still to be had; it is granted once per order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreeExtension {
    /// Not used yet.
    Unused,
    /// Used on this order before.
    Used,
}

/// The number of days of the extension that costs nothing.
pub(crate) const FREE_DAYS: i32 = 2;

/// The payment methods whose due date can move: the pay-later family.
const PAY_LATER: [&str; 5] =
    ["INVOICE", "INVOICE_BUSINESS", "PAY_IN_X", "PAY_LATER_IN_PARTS", "PAY_LATER_BY_CARD"];

/// Fees in minor units: what stands in one column of Klarna's price list.
struct Fees {
    currency: &'static str,
    /// Upper limits of the low and the middle band, in minor units, inclusive.
    bands: [i64; 2],
    ten_days: i64,
    thirty_days: [i64; 3],
    sixty_days: [i64; 3],
}

const EUR: Fees = Fees {
    currency: "EUR",
    bands: [30_000, 75_000],
    ten_days: 100,
    thirty_days: [199, 499, 799],
    sixty_days: [499, 999, 1_299],
};
const GBP: Fees = Fees { currency: "GBP", ..EUR };
const DKK: Fees = Fees {
    currency: "DKK",
    bands: [300_000, 750_000],
    ten_days: 1_000,
    thirty_days: [1_900, 4_900, 7_900],
    sixty_days: [4_900, 9_900, 12_900],
};
const NOK: Fees = Fees { currency: "NOK", ..DKK };
const SEK: Fees = Fees { currency: "SEK", ..DKK };

fn fees(country: &str, currency: &str) -> Option<&'static Fees> {
    let fees = match country {
        "AT" | "BE" | "DE" | "FI" | "NL" => &EUR,
        "GB" => &GBP,
        "DK" => &DKK,
        "NO" => &NOK,
        "SE" => &SEK,
        _ => return None,
    };
    (fees.currency == currency).then_some(fees)
}

/// Whether a payment method bills the shopper later, so that there is a due date to move.
pub(crate) fn has_due_date(payment_method: &str) -> bool {
    PAY_LATER.contains(&payment_method)
}

/// What is on offer for a capture of `value`, cheapest first. Empty: nothing at the moment.
pub(crate) fn offers(
    payment_method: &str,
    country: &str,
    currency: &str,
    value: MinorUnits,
    free: FreeExtension,
) -> Vec<Offer> {
    if !has_due_date(payment_method) {
        return Vec::new();
    }
    let Some(fees) = fees(country, currency) else {
        return Vec::new();
    };
    let of_band = |[low, middle, high]: [i64; 3]| {
        if value.get() <= fees.bands[0] {
            low
        } else if value.get() <= fees.bands[1] {
            middle
        } else {
            high
        }
    };
    let mut offers = Vec::with_capacity(4);
    if free == FreeExtension::Unused {
        offers.push((FREE_DAYS, 0));
    }
    offers.push((10, fees.ten_days));
    offers.push((30, of_band(fees.thirty_days)));
    offers.push((60, of_band(fees.sixty_days)));
    offers
        .into_iter()
        .map(|(number_of_days, fee)| Offer { number_of_days, fee: MinorUnits::new(fee) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, country: &str, currency: &str, value: i64, expected: &[(i32, i64)]) {
        let offers =
            offers(method, country, currency, MinorUnits::new(value), FreeExtension::Unused);
        let offers: Vec<_> =
            offers.iter().map(|offer| (offer.number_of_days, offer.fee.get())).collect();
        assert_eq!(offers, expected, "{method} {country} {currency} {value}");
    }

    #[test]
    fn the_price_list_is_reproduced() {
        let euro = [
            (30_000, [(2, 0), (10, 100), (30, 199), (60, 499)]),
            (30_001, [(2, 0), (10, 100), (30, 499), (60, 999)]),
            (75_000, [(2, 0), (10, 100), (30, 499), (60, 999)]),
            (75_001, [(2, 0), (10, 100), (30, 799), (60, 1_299)]),
        ];
        for (value, expected) in euro {
            for country in ["AT", "BE", "DE", "FI", "NL"] {
                check("INVOICE", country, "EUR", value, &expected);
            }
            check("PAY_IN_X", "GB", "GBP", value, &expected);
        }
        let crowns = [
            (300_000, [(2, 0), (10, 1_000), (30, 1_900), (60, 4_900)]),
            (300_001, [(2, 0), (10, 1_000), (30, 4_900), (60, 9_900)]),
            (750_000, [(2, 0), (10, 1_000), (30, 4_900), (60, 9_900)]),
            (750_001, [(2, 0), (10, 1_000), (30, 7_900), (60, 12_900)]),
        ];
        for (value, expected) in crowns {
            check("INVOICE", "DK", "DKK", value, &expected);
            check("INVOICE_BUSINESS", "NO", "NOK", value, &expected);
            check("PAY_LATER_IN_PARTS", "SE", "SEK", value, &expected);
        }
    }

    #[test]
    fn nothing_is_offered_elsewhere_or_for_money_already_paid() {
        check("INVOICE", "US", "USD", 1_000, &[]);
        check("INVOICE", "FR", "EUR", 1_000, &[]);
        check("INVOICE", "SE", "EUR", 1_000, &[]);
        check("DIRECT_DEBIT", "SE", "SEK", 1_000, &[]);
        check("CARD", "DE", "EUR", 1_000, &[]);
    }

    #[test]
    fn the_free_extension_is_offered_once() {
        let offers = offers("INVOICE", "SE", "SEK", MinorUnits::new(1), FreeExtension::Used);
        let days: Vec<_> = offers.iter().map(|offer| offer.number_of_days).collect();
        assert_eq!(days, [10, 30, 60]);
    }
}
