//! A plan: what a subscription charges, how often, and what happens when a charge fails.
//!
//! Rules kept here: a plan's terms never change, so that nobody pays other than what was agreed; a
//! new price is a new plan, to which subscriptions are moved. Amounts follow from the lines, laid out
//! as the shopper's country wants them; each line that recurs says so, as Klarna asks.

use klarna_types::market::MARKETS;
use klarna_types::order_line::{Subscription, SubscriptionInterval};
use klarna_types::{Country, Currency, Locale, MinorUnits, OrderLine, OrderLineType};
use serde::{Deserialize, Serialize};

use super::calendar::{Interval, Rhythm};
use super::cart::{self, LineInput, PricesMode, Problem, Wish};
use super::checkout::{CaptureMode, Cart};
use super::dunning::Policy;

/// The longest name: Klarna's limit of a subscription's name.
const LONGEST_NAME: usize = 255;
/// The longest trial.
pub const LONGEST_TRIAL_DAYS: i64 = 3650;

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What the shopper reads.
    pub name: String,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Whether prices contain tax.
    pub prices: PricesMode,
    /// What is charged each time.
    pub lines: Vec<LineInput>,
    /// How often.
    pub rhythm: Rhythm,
    /// How many days are free at the beginning.
    pub trial_days: i64,
    /// Whether the money is captured with the charge.
    pub capture: CaptureMode,
    /// What happens when a charge fails.
    pub dunning: Policy,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Our id.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Whether new subscriptions may have it.
    pub status: Status,
    /// What is agreed with it.
    pub terms: Terms,
    /// When it was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

/// Whether new subscriptions may have a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// They may.
    Active,
    /// They may not; those that have it keep it.
    Archived,
}

impl Status {
    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

fn problem(member: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem { member: member.into(), detail: detail.into() }
}

impl Terms {
    /// Checks them, as far as that is possible without a country.
    pub fn check(&self) -> Result<(), Problem> {
        let length = self.name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) {
            let detail = format!("has {length} characters; 1 to {LONGEST_NAME} are allowed");
            return Err(problem("name", detail));
        }
        check_rhythm(self.rhythm)?;
        if !(0..=LONGEST_TRIAL_DAYS).contains(&self.trial_days) {
            let detail = format!("{} is not between 0 and {LONGEST_TRIAL_DAYS}", self.trial_days);
            return Err(problem("trial_days", detail));
        }
        if let Some((member, detail)) = self.dunning.problem() {
            return Err(problem(format!("dunning.{member}"), detail));
        }
        // Any country of the currency will do: what is wrong is wrong in all of them.
        let market =
            MARKETS.iter().find(|market| market.currency == self.currency).ok_or_else(|| {
                let detail =
                    format!("\"{}\" is not a currency of Klarna's", self.currency.as_str());
                problem("currency", detail)
            })?;
        self.cart(&market.country, None, "reference").map(|_| ())
    }

    /// What one charge is in a country.
    pub fn cart(
        &self,
        country: &Country,
        locale: Option<&Locale>,
        merchant_reference: &str,
    ) -> Result<Cart, Problem> {
        let mut cart = cart::build(Wish {
            merchant_reference: merchant_reference.to_owned(),
            country: country.as_str().to_owned(),
            locale: locale.map(|locale| locale.as_str().to_owned()),
            currency: Some(self.currency.as_str().to_owned()),
            prices: self.prices,
            lines: self.lines.clone(),
        })?;
        if !cart.order_amount.is_positive() {
            return Err(problem("lines", "add up to nothing; a charge is at least 1 minor unit"));
        }
        mark_recurring(&mut cart.order_lines, &self.marker());
        Ok(cart)
    }

    /// What one charge comes to, laid out as in the first country of its currency.
    pub fn amount(&self) -> Option<MinorUnits> {
        let market = MARKETS.iter().find(|market| market.currency == self.currency)?;
        self.cart(&market.country, None, "reference").ok().map(|cart| cart.order_amount)
    }

    /// What Klarna is told of the rhythm.
    pub fn marker(&self) -> Subscription {
        marker(&self.name, self.rhythm.interval, self.rhythm.count)
    }
}

/// A rhythm in Klarna's words.
pub fn marker(name: &str, interval: Interval, count: i64) -> Subscription {
    let interval = match interval {
        Interval::Day => SubscriptionInterval::Day,
        Interval::Week => SubscriptionInterval::Week,
        Interval::Month => SubscriptionInterval::Month,
        Interval::Year => SubscriptionInterval::Year,
    };
    Subscription::new(name, interval, count)
}

/// Says of each line of goods and services that it recurs.
pub fn mark_recurring(lines: &mut [OrderLine], marker: &Subscription) {
    for line in lines {
        if matches!(line.kind, Some(OrderLineType::Physical | OrderLineType::Digital) | None) {
            line.subscription = Some(marker.clone());
        }
    }
}

/// Checks how often.
pub fn check_rhythm(rhythm: Rhythm) -> Result<(), Problem> {
    let most = rhythm.interval.most();
    if !(1..=most).contains(&rhythm.count) {
        let detail = format!(
            "{} is not between 1 and {most}, the most of the interval {}",
            rhythm.count,
            rhythm.interval.name()
        );
        return Err(problem("interval_count", detail));
    }
    match (rhythm.anchor_day, rhythm.interval.anchor_days()) {
        (None, _) => Ok(()),
        (Some(day), Some(last)) if (1..=last).contains(&day) => Ok(()),
        (Some(day), Some(last)) => {
            Err(problem("anchor_day", format!("{day} is not between 1 and {last}")))
        }
        (Some(_), None) => Err(problem("anchor_day", "days have no anchor; leave it out")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use klarna_types::TaxRate;

    use super::super::cart::LineKind;
    use super::*;

    /// Coffee, monthly, in Sweden.
    pub(crate) fn terms() -> Terms {
        Terms {
            name: "Kaffe".to_owned(),
            currency: Currency::SEK,
            prices: PricesMode::IncludingTax,
            lines: vec![line(LineKind::Digital, 14_900), line(LineKind::ShippingFee, 2_900)],
            rhythm: Rhythm { interval: Interval::Month, count: 1, anchor_day: None },
            trial_days: 0,
            capture: CaptureMode::Automatic,
            dunning: Policy::default(),
        }
    }

    fn line(kind: LineKind, minor: i64) -> LineInput {
        LineInput {
            kind,
            reference: None,
            name: "Kaffe".to_owned(),
            quantity: 1,
            unit_price: MinorUnits::new(minor),
            tax_rate: TaxRate::new(1200),
            discount: None,
            image_url: None,
            product_url: None,
        }
    }

    #[test]
    fn goods_recur_and_shipping_does_not() {
        let cart = terms().cart(&Country::SE, None, "SUB-1-1").unwrap();
        assert_eq!(cart.order_amount.get(), 17_800);
        let marked: Vec<bool> =
            cart.order_lines.iter().map(|line| line.subscription.is_some()).collect();
        assert_eq!(marked, [true, false]);
        let marker = cart.order_lines[0].subscription.as_ref().unwrap();
        assert_eq!(
            (marker.name.as_str(), marker.interval.as_str(), marker.interval_count),
            ("Kaffe", "MONTH", 1)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Change = fn(&mut Terms);
        let with = |change: Change| {
            let mut terms = terms();
            change(&mut terms);
            terms.check().map_err(|problem| problem.member)
        };
        assert_eq!(terms().check(), Ok(()));
        let cases: [(Change, &str); 9] = [
            (|terms| terms.name = String::new(), "name"),
            (|terms| terms.name = "k".repeat(256), "name"),
            (|terms| terms.currency = Currency::from("XXX"), "currency"),
            (|terms| terms.rhythm.count = 0, "interval_count"),
            (|terms| terms.rhythm.count = 121, "interval_count"),
            (|terms| terms.rhythm.anchor_day = Some(32), "anchor_day"),
            (|terms| terms.trial_days = -1, "trial_days"),
            (|terms| terms.dunning.retry_days = vec![3, 2], "dunning.retry_days"),
            (
                |terms| terms.lines.iter_mut().for_each(|line| line.unit_price = MinorUnits::ZERO),
                "lines",
            ),
        ];
        for (change, member) in cases {
            assert_eq!(with(change), Err(member.to_owned()));
        }
        let daily =
            |anchor_day| check_rhythm(Rhythm { interval: Interval::Day, count: 1, anchor_day });
        assert!(daily(None).is_ok() && daily(Some(1)).is_err());
    }

    #[test]
    fn a_charge_is_in_the_currency_of_its_country() {
        let problem = terms().cart(&Country::NO, None, "SUB-1-1").unwrap_err();
        assert_eq!(problem.member, "currency");
    }
}
