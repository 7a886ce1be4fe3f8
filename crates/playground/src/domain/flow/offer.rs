//! Ways to pay: which exist in a market, and what they cost, to the minor unit.
//!
//! Which ways a market has follows the names that Klarna publishes for its categories there; the
//! number of parts, the days between them and the interest rate are this playground's examples.
//! Everything is integer arithmetic: parts add up to the whole, and the remainder of a division
//! goes to the first part of an instalment plan and comes off the last payment of a financing.

use jiff::ToSpan as _;
use jiff::civil::Date;
use klarna_types::Country;
use klarna_types::payments::{AuthorizedPaymentMethod, PaymentMethodType};
use serde::{Deserialize, Serialize};

use crate::domain::customer_token::{self, Reuse};

/// Yearly interest of a financing, in hundredths of a percent. An example, the same everywhere.
const EXAMPLE_RATE: i64 = 1490;
/// Days until an invoice is due.
const INVOICE_DAYS: i64 = 30;
/// Twelve months of interest in hundredths of a percent, as a divisor of an amount.
const RATE_DIVISOR: i128 = 12 * 10_000;
/// Fixed-point scale of the growth factor: 15 decimals.
const SCALE: i128 = 1_000_000_000_000_000;

/// What kind of way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OfferKind {
    /// All of it now, by card.
    PayNow,
    /// All of it now, from a bank account. The only one that needs a second step to finalize.
    Bank,
    /// All of it later.
    PayLater,
    /// Equal parts without interest.
    Instalments,
    /// Monthly payments with interest.
    Financing,
}

impl OfferKind {
    /// Klarna's category identifier.
    pub(crate) fn category(self) -> &'static str {
        match self {
            Self::PayNow | Self::Bank => "pay_now",
            Self::PayLater => "pay_later",
            Self::Instalments | Self::Financing => "pay_over_time",
        }
    }

    /// The payment method that an order made from it has.
    fn method(self) -> PaymentMethodType {
        match self {
            Self::PayNow => PaymentMethodType::PayByCard,
            Self::Bank => PaymentMethodType::DirectBankTransfer,
            Self::PayLater => PaymentMethodType::Invoice,
            Self::Instalments => PaymentMethodType::FixedAmount,
            Self::Financing => PaymentMethodType::FixedSumCredit,
        }
    }

    /// Whether a widget of `category` offers it.
    fn is_in(self, category: &str) -> bool {
        match category {
            "klarna" => true,
            "direct_bank_transfer" => self == Self::Bank,
            "direct_debit" => self.category() == "pay_now",
            other => self.category() == other,
        }
    }
}

/// One payment of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The day it is due.
    pub(crate) due: Date,
    /// Whether that is the day of the purchase.
    pub(crate) today: bool,
    /// How much, in minor units.
    pub(crate) amount: i64,
}

/// One way to pay one amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// Names it within a flow: `pay_later`, `instalments_3`.
    pub(crate) id: String,
    /// What it is.
    pub(crate) kind: OfferKind,
    /// What is due when.
    pub(crate) parts: Vec<Part>,
    /// All parts together.
    pub(crate) total: i64,
    /// What the credit costs on top of the purchase.
    pub(crate) cost: i64,
    /// Days until it is due, of an invoice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) days: Option<i64>,
    /// Yearly interest in hundredths of a percent, of a financing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) rate: Option<i64>,
}

impl Offer {
    /// The payment method that an order made from it has.
    pub(crate) fn payment_method(&self) -> AuthorizedPaymentMethod {
        AuthorizedPaymentMethod {
            kind: self.kind.method(),
            number_of_days: self.days.and_then(|days| i32::try_from(days).ok()),
            number_of_installments: match self.kind {
                OfferKind::Instalments | OfferKind::Financing => {
                    i32::try_from(self.parts.len()).ok()
                }
                OfferKind::PayNow | OfferKind::Bank | OfferKind::PayLater => None,
            },
        }
    }
}

/// What a market has besides an invoice.
struct Market {
    card: bool,
    bank: bool,
    /// How many parts, and how many days between them.
    instalments: Option<(u16, i64)>,
    financing_months: Option<u16>,
}

fn market(country: &Country) -> Market {
    let thirds = Some((3, 30));
    let fourths = Some((4, 14));
    let (card, bank, instalments, financing_months) = match country {
        Country::SE | Country::DE | Country::AT => (true, true, thirds, Some(12)),
        Country::FI => (true, true, None, Some(12)),
        Country::NO => (true, false, None, Some(12)),
        Country::NL | Country::BE | Country::CH => (true, true, thirds, None),
        Country::GB => (true, false, thirds, Some(12)),
        Country::US => (true, false, fourths, Some(12)),
        Country::CA | Country::AU => (true, false, fourths, None),
        Country::MX | Country::NZ => (false, false, fourths, None),
        Country::CZ
        | Country::DK
        | Country::ES
        | Country::FR
        | Country::GR
        | Country::HU
        | Country::IE
        | Country::IT
        | Country::PL
        | Country::PT
        | Country::RO
        | Country::SK => (true, false, thirds, None),
        Country::Unknown(_) => (true, false, None, None),
    };
    Market { card, bank, instalments, financing_months }
}

/// The ways to pay `amount` in `country` from `today` on, within `categories`; all if none is named.
pub(crate) fn offers(
    country: &Country,
    amount: i64,
    categories: &[String],
    today: Date,
) -> Vec<Offer> {
    let market = market(country);
    let mut all = Vec::new();
    if market.card {
        all.push(at_once(OfferKind::PayNow, amount, today));
    }
    if market.bank {
        all.push(at_once(OfferKind::Bank, amount, today));
    }
    all.extend(invoice(amount, today));
    all.extend(
        market.instalments.and_then(|(count, days)| instalments(amount, count, days, today)),
    );
    all.extend(
        market.financing_months.and_then(|months| financing(amount, months, EXAMPLE_RATE, today)),
    );
    all.retain(|offer| {
        categories.is_empty() || categories.iter().any(|category| offer.kind.is_in(category))
    });
    all
}

/// Those of them that can be charged again without the shopper, where that is needed.
pub(crate) fn fit_for(reuse: Reuse, country: &Country, mut offers: Vec<Offer>) -> Vec<Offer> {
    match reuse {
        Reuse::Once => {}
        Reuse::Again => {
            offers.retain(|offer| customer_token::is_valid(&offer.kind.method(), country));
        }
    }
    offers
}

fn at_once(kind: OfferKind, amount: i64, today: Date) -> Offer {
    let id = if kind == OfferKind::Bank { "bank" } else { "pay_now" };
    let parts = vec![Part { due: today, today: true, amount }];
    Offer { id: id.to_owned(), kind, parts, total: amount, cost: 0, days: None, rate: None }
}

fn invoice(amount: i64, today: Date) -> Option<Offer> {
    let due = today.checked_add(INVOICE_DAYS.days()).ok()?;
    Some(Offer {
        id: "pay_later".to_owned(),
        kind: OfferKind::PayLater,
        parts: vec![Part { due, today: false, amount }],
        total: amount,
        cost: 0,
        days: Some(INVOICE_DAYS),
        rate: None,
    })
}

/// `count` parts without interest, the first of them today. `None` when a part would be nothing.
fn instalments(amount: i64, count: u16, days_between: i64, today: Date) -> Option<Offer> {
    let parts = split(amount, count)?
        .into_iter()
        .zip(0_i64..)
        .map(|(amount, index)| {
            let due = today.checked_add((index * days_between).days()).ok()?;
            Some(Part { due, today: index == 0, amount })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Offer {
        id: format!("instalments_{count}"),
        kind: OfferKind::Instalments,
        parts,
        total: amount,
        cost: 0,
        days: None,
        rate: None,
    })
}

/// Splits an amount into equal parts; the remainder of the division goes to the first.
/// `None` when there is not at least one minor unit for each part.
pub(crate) fn split(amount: i64, count: u16) -> Option<Vec<i64>> {
    let divisor = i64::from(count);
    if divisor == 0 || amount < divisor {
        return None;
    }
    let mut parts = vec![amount / divisor; usize::from(count)];
    *parts.first_mut()? += amount % divisor;
    Some(parts)
}

/// Equal monthly payments with interest on what is still owed, the first in a month. The payment is
/// rounded up to a whole minor unit, so the last one is smaller; interest is rounded half up each
/// month. `None` when the amount is too small to be spread.
fn financing(amount: i64, months: u16, rate: i64, today: Date) -> Option<Offer> {
    let amounts = annuity(amount, months, rate)?;
    let total = amounts.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part))?;
    let parts = amounts
        .into_iter()
        .zip(1_i64..)
        .map(|(amount, month)| {
            let due = today.checked_add(month.months()).ok()?;
            Some(Part { due, today: false, amount })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Offer {
        id: format!("financing_{months}"),
        kind: OfferKind::Financing,
        parts,
        total,
        cost: total.checked_sub(amount)?,
        days: None,
        rate: Some(rate),
    })
}

/// The payments of a financing.
pub(crate) fn annuity(amount: i64, months: u16, rate: i64) -> Option<Vec<i64>> {
    if months == 0 || rate <= 0 || amount < i64::from(months) {
        return None;
    }
    let rate = i128::from(rate);
    let owed = i128::from(amount);
    // growth = (1 + rate) ^ months, in fixed point.
    let growth = (0..months).try_fold(SCALE, |growth, _| {
        growth.checked_mul(RATE_DIVISOR + rate).map(|grown| grown / RATE_DIVISOR)
    })?;
    // payment = owed * rate * growth / (growth - 1), rounded up.
    let above = owed.checked_mul(rate)?.checked_mul(growth)?;
    let below = (growth - SCALE).checked_mul(RATE_DIVISOR)?;
    let payment = (above + below - 1).checked_div(below)?;
    let mut balance = owed;
    let mut payments = Vec::with_capacity(usize::from(months));
    for month in 1..=months {
        let interest = (balance * rate + RATE_DIVISOR / 2) / RATE_DIVISOR;
        // Rounding up can pay off a tiny amount early; the months after it are then left out.
        let due =
            if month == months { balance + interest } else { payment.min(balance + interest) };
        balance = balance + interest - due;
        payments.push(i64::try_from(due).ok()?);
        if balance == 0 {
            break;
        }
    }
    Some(payments)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_remainder_goes_to_the_first_part() {
        assert_eq!(split(100, 3), Some(vec![34, 33, 33]));
        assert_eq!(split(10_003, 4), Some(vec![2503, 2500, 2500, 2500]));
        assert_eq!(split(9_000, 3), Some(vec![3000, 3000, 3000]));
        assert_eq!(split(3, 4), None);
        assert_eq!(split(0, 3), None);
        assert_eq!(split(-900, 3), None);
        assert_eq!(split(900, 0), None);
    }

    #[test]
    fn a_financing_as_a_calculator_gives_it() {
        // 12 000.00 over 12 months at 12 %: 1 066.19 by the annuity formula, rounded up; the last is less.
        let payments = annuity(1_200_000, 12, 1200).unwrap();
        assert_eq!(payments.len(), 12);
        assert!(payments[..11].iter().all(|payment| *payment == 106_619));
        assert_eq!(payments[11], 106_614);
    }

    #[test]
    fn every_market_offers_something_and_ids_are_unique() {
        for code in [
            "AT", "AU", "BE", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU",
            "IE", "IT", "MX", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "SK", "US", "XX",
        ] {
            let country = Country::from(code);
            let all = offers(&country, 159_800, &[], date(2026, 11, 23));
            assert!(!all.is_empty(), "{code}");
            let mut ids: Vec<_> = all.iter().map(|offer| offer.id.as_str()).collect();
            ids.dedup();
            assert_eq!(ids.len(), all.len(), "{code}");
            assert_eq!(offers(&country, 159_800, &["klarna".into()], date(2026, 11, 23)), all);
        }
    }

    #[test]
    fn what_is_charged_again_is_neither_a_transfer_nor_a_credit() {
        let ids = |reuse: Reuse, amount: i64| {
            let all = offers(&Country::SE, amount, &[], date(2026, 1, 31));
            let fit = fit_for(reuse, &Country::SE, all);
            fit.into_iter().map(|offer| offer.id).collect::<Vec<_>>().join(" ")
        };
        let everything = "pay_now bank pay_later instalments_3 financing_12";
        assert_eq!(ids(Reuse::Once, 9_999), everything);
        assert_eq!(ids(Reuse::Again, 9_999), "pay_now pay_later");
        // A sign-up in which nothing is bought.
        assert_eq!(ids(Reuse::Again, 0), "pay_now pay_later");
    }

    #[test]
    fn a_category_narrows_the_offers() {
        let ids = |category: &str| {
            offers(&Country::SE, 9_999, &[category.to_owned()], date(2026, 1, 31))
                .into_iter()
                .map(|offer| offer.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids("pay_now"), ["pay_now", "bank"]);
        assert_eq!(ids("pay_later"), ["pay_later"]);
        assert_eq!(ids("pay_over_time"), ["instalments_3", "financing_12"]);
        assert_eq!(ids("direct_bank_transfer"), ["bank"]);
    }

    #[test]
    fn days_are_calendar_days() {
        let all = offers(&Country::SE, 9_999, &[], date(2027, 1, 31));
        let plan = all.iter().find(|offer| offer.kind == OfferKind::Instalments).unwrap();
        let days: Vec<_> = plan.parts.iter().map(|part| part.due.to_string()).collect();
        assert_eq!(days, ["2027-01-31", "2027-03-02", "2027-04-01"]);
        let plan = all.iter().find(|offer| offer.kind == OfferKind::Financing).unwrap();
        assert_eq!(plan.parts[0].due, date(2027, 2, 28));
        assert_eq!(plan.parts[1].due, date(2027, 3, 31));
    }

    proptest! {
        #[test]
        fn parts_add_up_and_differ_only_in_the_first(amount in 1_i64..=i64::MAX / 2, count in 1_u16..48) {
            if let Some(parts) = split(amount, count) {
                prop_assert_eq!(parts.len(), usize::from(count));
                prop_assert_eq!(parts.iter().sum::<i64>(), amount);
                prop_assert!(parts[1..].windows(2).all(|pair| pair[0] == pair[1]));
                prop_assert!(parts[0] - parts.last().unwrap() < i64::from(count));
                prop_assert!(parts.iter().all(|part| *part > 0));
            } else {
                prop_assert!(amount < i64::from(count));
            }
        }

        #[test]
        fn a_financing_repays_exactly_what_is_owed(amount in 1_i64..=200_000_000, months in 1_u16..=36, rate in 1_i64..=4000) {
            let Some(payments) = annuity(amount, months, rate) else {
                prop_assert!(amount < i64::from(months));
                return Ok(());
            };
            let rate = i128::from(rate);
            let mut balance = i128::from(amount);
            for payment in &payments {
                balance += (balance * rate + RATE_DIVISOR / 2) / RATE_DIVISOR - i128::from(*payment);
                prop_assert!(balance >= 0);
            }
            prop_assert_eq!(balance, 0);
            let (last, others) = payments.split_last().unwrap();
            prop_assert!(*last > 0);
            prop_assert!(others.windows(2).all(|pair| pair[0] == pair[1]));
            // The last payment may differ by the rounding of each month, never by more.
            prop_assert!(others.first().is_none_or(|other| *last <= other + i64::from(months)));
        }

        #[test]
        fn no_amount_breaks_an_offer(amount in any::<i64>(), index in 0_usize..27) {
            let codes = ["SE", "DE", "GB", "US", "FI", "NO", "NL", "MX", "XX"];
            for offer in offers(&Country::from(codes[index % codes.len()]), amount, &[], date(2026, 2, 28)) {
                prop_assert_eq!(offer.parts.iter().map(|part| i128::from(part.amount)).sum::<i128>(), i128::from(offer.total));
                prop_assert_eq!(i128::from(offer.total) - i128::from(offer.cost), i128::from(amount));
                prop_assert!(offer.parts.windows(2).all(|pair| pair[0].due < pair[1].due));
            }
        }
    }
}
