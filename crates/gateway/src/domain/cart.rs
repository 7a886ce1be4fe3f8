//! From the shop's prices to lines that Klarna takes.
//!
//! The arithmetic is `klarna_types::cart`; here the shop's own words for lines are turned into it.
//! Rules kept here: a cart cannot be built unbalanced; a discount over the whole cart is spread over
//! the goods' tax rates; gift cards and store credit carry no tax; the sales tax line of the United
//! States is the gateway's to compute.

use klarna_types::cart::{self, Item};
use klarna_types::{Country, Currency, Locale, MinorUnits, OrderLineType, TaxRate};
use serde::{Deserialize, Serialize};

use super::checkout::Cart;

/// Whether the shop's prices contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PricesMode {
    /// They do.
    IncludingTax,
    /// Tax comes on top.
    ExcludingTax,
}

/// What a line of the shop's cart is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Goods that are shipped.
    #[default]
    Physical,
    /// Goods that are not.
    Digital,
    /// Shipping.
    ShippingFee,
    /// An extra charge.
    Surcharge,
    /// Off the whole cart: `unit_price` is the amount. Spread over the goods' tax rates; a
    /// `tax_rate` on such a line is not used.
    Discount,
    /// A gift card that is redeemed: `unit_price` is the amount.
    GiftCard,
    /// Store credit that is redeemed: `unit_price` is the amount.
    StoreCredit,
}

/// A line of the shop's cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInput {
    /// What it is; `physical` if it is not said.
    #[serde(rename = "type", default)]
    pub kind: LineKind,
    /// The shop's article number: by it, lines are captured and refunded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the shopper reads.
    pub name: String,
    /// How many.
    #[serde(default = "one")]
    pub quantity: i64,
    /// The price of one, in minor units. Of a discount, gift card or store credit: what is taken
    /// off, with either sign.
    #[schema(value_type = i64)]
    pub unit_price: MinorUnits,
    /// In hundredths of a percent: 2500 is 25 %.
    #[serde(default)]
    #[schema(value_type = i64)]
    pub tax_rate: TaxRate,
    /// Off this line, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub discount: Option<MinorUnits>,
    /// A picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_url: Option<String>,
}

fn one() -> i64 {
    1
}

/// What the shop asks a cart to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The shop's order number.
    pub merchant_reference: String,
    /// Where the shopper buys.
    pub country: String,
    /// The shopper's language; the country's first if it is not said.
    pub locale: Option<String>,
    /// Derived from the country; if it is said, it must be that one.
    pub currency: Option<String>,
    /// Whether prices contain tax.
    pub prices: PricesMode,
    /// What is bought.
    pub lines: Vec<LineInput>,
}

/// What is wrong with a cart: where, and what would have worked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {detail}")]
pub struct Problem {
    /// The member of the request.
    pub member: String,
    /// What is wrong with it.
    pub detail: String,
}

fn problem(member: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem { member: member.into(), detail: detail.into() }
}

/// Builds the cart that Klarna is told of.
pub fn build(wish: Wish) -> Result<Cart, Problem> {
    let country = Country::from(wish.country.as_str());
    let market = country.market().ok_or_else(|| {
        problem(
            "country",
            format!("\"{}\" is not a country in which Klarna is offered", told(&wish.country)),
        )
    })?;
    let currency = market.currency.clone();
    if let Some(asked) = wish.currency
        && Currency::from(asked.as_str()) != currency
    {
        return Err(problem(
            "currency",
            format!(
                "\"{}\" is not the currency of {}; leave it out or send {}",
                told(&asked),
                wish.country,
                currency.as_str()
            ),
        ));
    }
    let locale = wish.locale.map_or_else(|| market.default_locale(), Locale::new);
    if !market.accepts_locale(&locale) {
        return Err(problem(
            "locale",
            format!(
                "\"{}\" is not offered in {}; use one of {}",
                told(locale.as_str()),
                wish.country,
                market.locales.join(", ")
            ),
        ));
    }
    let reference_length = wish.merchant_reference.chars().count();
    if !(1..=255).contains(&reference_length) {
        return Err(problem(
            "merchant_reference",
            format!("has {reference_length} characters; 1 to 255 are allowed"),
        ));
    }
    let built = lay_out(&country, wish.prices, &wish.lines)?;
    Ok(Cart {
        merchant_reference: wish.merchant_reference,
        country,
        currency,
        locale,
        prices: wish.prices,
        lines: wish.lines,
        order_amount: built.order_amount,
        order_tax_amount: built.order_tax_amount,
        order_lines: built.order_lines,
        extras: Box::default(),
    })
}

/// A code as an error may repeat it. What is longer than any code was meant for another place, and
/// may say who somebody is.
pub fn told(code: &str) -> &str {
    if code.len() <= 8 { code } else { "…" }
}

fn lay_out(
    country: &Country,
    prices: PricesMode,
    lines: &[LineInput],
) -> Result<cart::Cart, Problem> {
    let prices = match prices {
        PricesMode::IncludingTax => cart::Prices::IncludingTax,
        PricesMode::ExcludingTax => cart::Prices::ExcludingTax,
    };
    let mut builder = cart::Cart::builder(country.clone(), prices);
    // Where each item of the builder stands in the shop's list, to name the right line in errors.
    let mut items = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let taken_off = || {
            line.unit_price
                .checked_mul(line.quantity)
                .and_then(
                    |amount| if amount.is_negative() { amount.checked_neg() } else { Some(amount) },
                )
                .filter(|amount| amount.is_positive())
                .ok_or_else(|| {
                    problem(
                        format!("lines[{index}].unit_price"),
                        "takes nothing off; it must not be 0",
                    )
                })
        };
        let kind = match line.kind {
            LineKind::Discount => {
                builder = builder.discount(&line.name, taken_off()?);
                continue;
            }
            LineKind::GiftCard => {
                builder = builder.gift_card(&line.name, taken_off()?);
                continue;
            }
            LineKind::StoreCredit => {
                builder = builder.store_credit(&line.name, taken_off()?);
                continue;
            }
            LineKind::Physical => OrderLineType::Physical,
            LineKind::Digital => OrderLineType::Digital,
            LineKind::ShippingFee => OrderLineType::ShippingFee,
            LineKind::Surcharge => OrderLineType::Surcharge,
        };
        for (member, is_negative) in [
            ("quantity", line.quantity < 0),
            ("unit_price", line.unit_price.is_negative()),
            ("discount", line.discount.is_some_and(MinorUnits::is_negative)),
        ] {
            if is_negative {
                let place = format!("lines[{index}].{member}");
                return Err(problem(
                    place,
                    "must not be negative; to reduce the cart, add a discount line",
                ));
            }
        }
        let mut item = Item::new(&line.name, line.quantity, line.unit_price, line.tax_rate)
            .kind(kind)
            .discount(line.discount.unwrap_or(MinorUnits::ZERO));
        if let Some(reference) = &line.reference {
            item = item.reference(reference);
        }
        if let Some(url) = &line.image_url {
            item = item.image_url(url);
        }
        if let Some(url) = &line.product_url {
            item = item.product_url(url);
        }
        builder = builder.item(item);
        items.push(index);
    }
    let mut built = builder.build().map_err(|error| named(&error, &items))?;
    for line in &mut built.order_lines {
        if line.reference.is_none() {
            line.reference = lines
                .iter()
                .find(|input| input.name == line.name)
                .and_then(|input| input.reference.clone());
        }
    }
    Ok(built)
}

/// Names the line of the shop's list that the builder complains about.
fn named(error: &cart::CartError, items: &[usize]) -> Problem {
    use cart::CartError;
    let place = match error {
        CartError::TaxRate { item, .. } => Some((*item, "tax_rate")),
        CartError::Negative { item } => Some((*item, "unit_price")),
        CartError::DiscountExceedsLine { item, .. } => Some((*item, "discount")),
        CartError::Limits(problems) => problems.first().and_then(|found| place_of(&found.path)),
        _ => None,
    };
    // The builder keeps the items in order and in front, so its item or line n is items[n].
    let place = place.and_then(|(item, member)| Some((items.get(item)?, member)));
    let member = match place {
        Some((index, member)) => format!("lines[{index}].{member}"),
        None => "lines".to_owned(),
    };
    problem(member, error.to_string())
}

/// `order_lines[3].name` as the item's number and the shop's word for the member.
fn place_of(path: &str) -> Option<(usize, &'static str)> {
    let (index, member) = path.strip_prefix("order_lines[")?.split_once("].")?;
    let member = match member {
        "name" => "name",
        "reference" => "reference",
        "quantity" => "quantity",
        "unit_price" | "total_amount" => "unit_price",
        "total_discount_amount" => "discount",
        "tax_rate" | "total_tax_amount" => "tax_rate",
        "image_url" => "image_url",
        "product_url" => "product_url",
        _ => return None,
    };
    Some((index.parse().ok()?, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, quantity: i64, unit_price: i64, tax_rate: i64) -> LineInput {
        LineInput {
            kind: LineKind::Physical,
            reference: Some(name.to_uppercase()),
            name: name.to_owned(),
            quantity,
            unit_price: MinorUnits::new(unit_price),
            tax_rate: TaxRate::new(tax_rate),
            discount: None,
            image_url: None,
            product_url: None,
        }
    }

    fn wish(country: &str, lines: Vec<LineInput>) -> Wish {
        Wish {
            merchant_reference: "WEB-1".to_owned(),
            country: country.to_owned(),
            locale: None,
            currency: None,
            prices: PricesMode::IncludingTax,
            lines,
        }
    }

    #[test]
    fn currency_and_locale_follow_the_country() {
        let cart = build(wish("SE", vec![line("cup", 2, 2500, 2500)])).unwrap();
        assert_eq!((cart.currency.as_str(), cart.locale.as_str()), ("SEK", "sv-SE"));
        assert_eq!((cart.order_amount.get(), cart.order_tax_amount.get()), (5000, 1000));
    }

    #[test]
    fn a_discount_is_spread_and_keeps_its_reference() {
        let mut coupon = line("coupon", 1, -1000, 0);
        coupon.kind = LineKind::Discount;
        let cart =
            build(wish("SE", vec![line("cup", 1, 3000, 2500), line("book", 1, 1000, 600), coupon]))
                .unwrap();
        assert_eq!(cart.order_amount.get(), 3000);
        let discounts: Vec<_> = cart
            .order_lines
            .iter()
            .filter(|line| line.reference.as_deref() == Some("COUPON"))
            .map(|line| line.total_amount.get())
            .collect();
        assert_eq!(discounts, [-750, -250]);
    }

    #[test]
    fn sales_tax_is_a_line_of_its_own_in_the_united_states() {
        let mut wish = wish("US", vec![line("cap", 2, 1500, 825)]);
        wish.prices = PricesMode::ExcludingTax;
        let cart = build(wish).unwrap();
        assert_eq!((cart.order_amount.get(), cart.order_tax_amount.get()), (3248, 248));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_work() {
        let cup = || vec![line("cup", 1, 100, 2500)];
        let mut nothing_off = line("coupon", 1, 0, 0);
        nothing_off.kind = LineKind::Discount;
        let with = |change: fn(&mut Wish)| {
            let mut wish = wish("SE", cup());
            change(&mut wish);
            wish
        };
        let cases = [
            (wish("LU", cup()), "country"),
            (with(|wish| wish.currency = Some("EUR".to_owned())), "currency"),
            (with(|wish| wish.locale = Some("de-DE".to_owned())), "locale"),
            (with(|wish| wish.merchant_reference = String::new()), "merchant_reference"),
            (wish("SE", Vec::new()), "lines"),
            (wish("SE", vec![line("cup", 1, 100, 10_001)]), "lines[0].tax_rate"),
            (
                wish("SE", vec![line("cup", 1, 100, 0), line("pot", -1, 100, 0)]),
                "lines[1].quantity",
            ),
            (wish("SE", vec![line("cup", 1, -100, 0)]), "lines[0].unit_price"),
            (wish("SE", vec![line("cup", 1, 100, 0), nothing_off]), "lines[1].unit_price"),
            (wish("SE", vec![line("", 1, 100, 0)]), "lines[0].name"),
            (wish("SE", vec![line("cup", 1, i64::MAX, 2500)]), "lines[0].unit_price"),
        ];
        for (wish, member) in cases {
            let problem = build(wish).unwrap_err();
            assert_eq!(problem.member, member, "{problem}");
        }
    }
}
