//! The cart and what it costs: plain data, pure functions, integers.
//!
//! The same [`Bill`] is what the cart page shows and what the gateway is sent, so the two cannot
//! differ. The gateway answers with Klarna's own order lines; the checkout shows those amounts,
//! never a second calculation. No HTTP, no cookies, no clock in here.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::catalogue::{self, Product, Rhythm};
use crate::market::{Shipping, ShippingId, TaxLayout, View};

/// The most of one product that can be bought at once.
pub const MAX_QUANTITY: i64 = 99;
/// The rate of `WELCOME10`, in hundredths of a percent.
const WELCOME_RATE: i64 = 1000;

/// A visitor's cart, as the cookie keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Product and quantity, in the order in which they were put in.
    #[serde(default, rename = "i")]
    items: Vec<(String, i64)>,
    /// Codes that were entered.
    #[serde(default, rename = "c", skip_serializing_if = "Vec::is_empty")]
    codes: Vec<Code>,
    /// The chosen delivery; the market's default if none.
    #[serde(default, rename = "s", skip_serializing_if = "Option::is_none")]
    shipping: Option<String>,
}

/// A code that changes the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// 10 % off all goods.
    #[serde(rename = "WELCOME10")]
    Welcome10,
    /// A gift card worth 50 (500 kronor).
    #[serde(rename = "GIFT50")]
    Gift50,
}

impl Code {
    /// Reads what a visitor typed: case and spaces do not count.
    pub fn parse(typed: &str) -> Option<Self> {
        match typed.trim().to_ascii_uppercase().as_str() {
            "WELCOME10" => Some(Self::Welcome10),
            "GIFT50" => Some(Self::Gift50),
            _ => None,
        }
    }

    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Welcome10 => "WELCOME10",
            Self::Gift50 => "GIFT50",
        }
    }
}

/// Why a quantity is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadQuantity;

/// Reads a quantity that a visitor typed. Zero is allowed only where it means "take it out".
pub fn parse_quantity(typed: &str, smallest: i64) -> Result<i64, BadQuantity> {
    typed
        .trim()
        .parse::<i64>()
        .ok()
        .filter(|quantity| (smallest..=MAX_QUANTITY).contains(quantity))
        .ok_or(BadQuantity)
}

impl Cart {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many pieces are in it.
    pub fn pieces(&self) -> i64 {
        self.items.iter().map(|(_, quantity)| *quantity).sum()
    }

    /// What is in it.
    pub fn items(&self) -> impl Iterator<Item = (&'static Product, i64)> {
        self.items.iter().filter_map(|(slug, quantity)| Some((catalogue::find(slug)?, *quantity)))
    }

    /// What is to be sent every month, and how many of it.
    pub fn monthly(&self) -> Option<(&'static Product, i64)> {
        self.items().find(|(product, _)| product.rhythm == Rhythm::Monthly)
    }

    /// The codes that were entered.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// The name of the chosen delivery, if one was chosen.
    pub fn shipping(&self) -> Option<&str> {
        self.shipping.as_deref()
    }

    /// Puts more of a product in; the most there can be of one stays [`MAX_QUANTITY`].
    pub fn add(&mut self, product: &Product, quantity: i64) {
        let quantity = quantity.clamp(0, MAX_QUANTITY);
        match self.items.iter_mut().find(|(slug, _)| slug == product.slug) {
            Some((_, present)) => *present = (*present + quantity).min(MAX_QUANTITY),
            None if quantity > 0 => self.items.push((product.slug.to_owned(), quantity)),
            None => {}
        }
    }

    /// Sets how many there are of a product that is in the cart; zero takes it out.
    pub fn set(&mut self, slug: &str, quantity: i64) {
        let quantity = quantity.clamp(0, MAX_QUANTITY);
        for (present, count) in &mut self.items {
            if present == slug {
                *count = quantity;
            }
        }
        self.items.retain(|(_, count)| *count > 0);
    }

    /// Enters a code; entering it again changes nothing.
    pub fn enter(&mut self, code: Code) {
        if !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }

    /// Takes a code off.
    pub fn forget(&mut self, code: Code) {
        self.codes.retain(|present| *present != code);
    }

    /// Chooses a delivery.
    pub fn deliver(&mut self, shipping: ShippingId) {
        self.shipping = Some(shipping.id().to_owned());
    }

    /// Drops what can no longer be sold, and quantities that cannot be: for a cart that comes from
    /// an old cookie.
    pub fn tidy(mut self) -> Self {
        self.items.retain(|(slug, quantity)| {
            catalogue::find(slug).is_some() && (1..=MAX_QUANTITY).contains(quantity)
        });
        let mut seen = Vec::new();
        self.items.retain(|(slug, _)| {
            let fresh = !seen.contains(slug);
            seen.push(slug.clone());
            fresh
        });
        self
    }

    /// What the cart costs in a market.
    pub fn bill(&self, view: View) -> Bill {
        Bill::of(self, view)
    }

    /// A short name of everything that decides what is paid and in which words. Two carts with the
    /// same fingerprint lead to the same checkout.
    ///
    /// (A subscription stands on a line of its own, so it decides as well.)
    pub fn fingerprint(&self, view: View) -> String {
        let mut digest = Sha256::new();
        digest.update(view.locale.tag);
        for line in self.bill(view).lines {
            // The separators keep neighbouring fields apart.
            digest.update(format!(
                "\n{}\t{}\t{}\t{}\t{}",
                line.reference, line.quantity, line.unit_price, line.tax_rate, line.discount
            ));
        }
        digest.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A priced cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Goods, delivery and gift card, in this order, as the gateway is sent them.
    pub lines: Vec<BillLine>,
    /// Goods before any discount.
    pub goods: i64,
    /// What `WELCOME10` takes off, as a positive amount.
    pub discount: i64,
    /// The delivery that was chosen.
    pub shipping: &'static Shipping,
    /// Tax: contained in the other amounts, or to be added, as the market lays it out.
    pub tax: i64,
    /// What the gift card pays, as a positive amount.
    pub gift_card: i64,
    /// What is left to pay.
    pub total: i64,
}

/// One line of a [`Bill`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// What kind of line, in the gateway's words.
    pub kind: LineKind,
    /// Slug, delivery or code.
    pub reference: String,
    /// In the visitor's language.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// For one; negative for a gift card.
    pub unit_price: i64,
    /// In hundredths of a percent.
    pub tax_rate: i64,
    /// Off the whole line, as a positive amount.
    pub discount: i64,
}

/// The kinds of line that the shop uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Goods.
    Physical,
    /// Delivery.
    ShippingFee,
    /// A gift card that pays a part.
    GiftCard,
}

impl LineKind {
    /// The name in the gateway's API, which is Klarna's.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Physical => "physical",
            Self::ShippingFee => "shipping_fee",
            Self::GiftCard => "gift_card",
        }
    }
}

impl BillLine {
    /// What the line comes to.
    pub fn total(&self) -> i64 {
        self.quantity * self.unit_price - self.discount
    }
}

impl Bill {
    // Quantities are at most 99 and prices come from our own lists, so nothing here can come near
    // the end of an i64.
    fn of(cart: &Cart, view: View) -> Self {
        let market = view.market;
        let language = view.locale.language;
        let texts = language.texts();
        let welcome = cart.codes.contains(&Code::Welcome10);
        let mut lines: Vec<BillLine> = cart
            .items()
            .map(|(product, quantity)| {
                let unit_price = product.price(market.currency);
                let gross = quantity * unit_price;
                BillLine {
                    kind: LineKind::Physical,
                    reference: product.slug.to_owned(),
                    name: product.full_name(language),
                    quantity,
                    unit_price,
                    tax_rate: product.tax_rate(market),
                    discount: if welcome { share(gross, WELCOME_RATE, 10_000) } else { 0 },
                }
            })
            .collect();
        let goods = lines.iter().map(|line| line.quantity * line.unit_price).sum();
        let discount = lines.iter().map(|line| line.discount).sum();
        let shipping = market.shipping_or_default(cart.shipping());
        if shipping.price > 0 && !lines.is_empty() {
            lines.push(BillLine {
                kind: LineKind::ShippingFee,
                reference: format!("shipping-{}", shipping.id.id()),
                name: texts.shipping_name(shipping.id).to_owned(),
                quantity: 1,
                unit_price: shipping.price,
                tax_rate: market.standard_rate,
                discount: 0,
            });
        }
        let tax = lines.iter().map(|line| line_tax(line.total(), line.tax_rate, market.tax)).sum();
        let mut total: i64 = lines.iter().map(BillLine::total).sum();
        if market.tax == TaxLayout::Excluding {
            total += tax;
        }
        // What comes every month is paid by Klarna every month, the first time included.
        let takes_gift_card = cart.codes.contains(&Code::Gift50) && cart.monthly().is_none();
        let gift_card = if takes_gift_card { market.gift_card_value.min(total) } else { 0 };
        if gift_card > 0 {
            lines.push(BillLine {
                kind: LineKind::GiftCard,
                reference: Code::Gift50.as_str().to_owned(),
                name: texts.gift_card.to_owned(),
                quantity: 1,
                unit_price: -gift_card,
                tax_rate: 0,
                discount: 0,
            });
            total -= gift_card;
        }
        Self { lines, goods, discount, shipping, tax, gift_card, total }
    }
}

/// The tax of a line of this total, to the nearest minor unit.
fn line_tax(total: i64, rate: i64, layout: TaxLayout) -> i64 {
    match layout {
        TaxLayout::Including => share(total, rate, 10_000 + rate),
        TaxLayout::Excluding => share(total, rate, 10_000),
    }
}

/// `amount × part ÷ whole`, to the nearest minor unit, halves away from zero.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    let product = i128::from(amount) * i128::from(part);
    let whole = i128::from(whole.max(1));
    let half = if product < 0 { -(whole / 2) } else { whole / 2 };
    i64::try_from((product + half) / whole).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(tag: &str) -> View {
        View::from_tag(tag).unwrap()
    }

    fn cart(items: &[(&str, i64)], codes: &[Code]) -> Cart {
        let mut cart = Cart::default();
        for (slug, quantity) in items {
            cart.add(catalogue::find(slug).unwrap(), *quantity);
        }
        for code in codes {
            cart.enter(*code);
        }
        cart
    }

    /// goods, discount, delivery, tax, gift card, total
    fn check(tag: &str, items: &[(&str, i64)], codes: &[Code], expected: [i64; 6]) {
        let bill = cart(items, codes).bill(view(tag));
        assert_eq!(
            [bill.goods, bill.discount, bill.shipping.price, bill.tax, bill.gift_card, bill.total],
            expected,
            "{tag} {items:?} {codes:?}"
        );
    }

    #[test]
    fn european_prices_contain_the_tax() {
        check("sv-SE", &[("mist-mug", 1)], &[], [24_900, 0, 4_900, 5_960, 0, 29_800]);
        check("de-DE", &[("mist-mug", 2)], &[], [4_980, 0, 490, 873, 0, 5_470]);
        // A book bears no tax in Britain; its delivery does.
        check("en-GB", &[("shore-birds", 1)], &[], [1_800, 0, 395, 66, 0, 2_195]);
    }

    #[test]
    fn american_prices_have_the_tax_added_once() {
        // (2600 + 595) × 8 % is 208 + 47.6.
        check("en-US", &[("mist-mug", 1)], &[], [2_600, 0, 595, 256, 0, 3_451]);
        // Food is not taxed, its delivery is.
        check("en-US", &[("smoke-tea", 1)], &[], [1_400, 0, 595, 48, 0, 2_043]);
    }

    #[test]
    fn the_discount_stays_on_the_lines_it_belongs_to() {
        check(
            "sv-SE",
            &[("mist-mug", 1), ("shore-birds", 1)],
            &[Code::Welcome10],
            [47_800, 4_780, 4_900, 4_482 + 1_167 + 980, 0, 47_920],
        );
        let bill =
            cart(&[("mist-mug", 1), ("shore-birds", 1)], &[Code::Welcome10]).bill(view("sv-SE"));
        let discounts: Vec<_> =
            bill.lines.iter().map(|line| (line.tax_rate, line.discount)).collect();
        assert_eq!(discounts, [(2500, 2_490), (600, 2_290), (2500, 0)]);
    }

    #[test]
    fn a_gift_card_pays_at_most_what_there_is_to_pay() {
        check(
            "sv-SE",
            &[("mist-mug", 3)],
            &[Code::Gift50],
            [74_700, 0, 4_900, 15_920, 50_000, 29_600],
        );
        check("sv-SE", &[("mist-mug", 1)], &[Code::Gift50], [24_900, 0, 4_900, 5_960, 29_800, 0]);
    }

    #[test]
    fn the_lines_always_add_up_to_the_total() {
        for view in View::all() {
            for quantity in [1, 2, 3, 7, MAX_QUANTITY] {
                for codes in [&[][..], &[Code::Welcome10], &[Code::Gift50, Code::Welcome10]] {
                    let items: Vec<_> =
                        catalogue::PRODUCTS.iter().map(|p| (p.slug, quantity)).collect();
                    let bill = cart(&items, codes).bill(view);
                    let sum: i64 = bill.lines.iter().map(BillLine::total).sum();
                    let added = if view.market.tax == TaxLayout::Excluding { bill.tax } else { 0 };
                    assert_eq!(sum + added, bill.total);
                    assert!(bill.total >= 0 && bill.tax >= 0);
                }
            }
        }
    }

    #[test]
    fn quantities_have_bounds() {
        for (typed, smallest, expected) in [
            ("1", 1, Ok(1)),
            (" 99 ", 1, Ok(99)),
            ("0", 0, Ok(0)),
            ("0", 1, Err(BadQuantity)),
            ("-1", 0, Err(BadQuantity)),
            ("100", 1, Err(BadQuantity)),
            ("99999999999999999999", 1, Err(BadQuantity)),
            ("1.5", 1, Err(BadQuantity)),
            ("", 1, Err(BadQuantity)),
            ("one", 1, Err(BadQuantity)),
        ] {
            assert_eq!(parse_quantity(typed, smallest), expected, "{typed:?}");
        }
        let mut many = cart(&[("mist-mug", 60), ("mist-mug", 60)], &[]);
        assert_eq!(many.pieces(), MAX_QUANTITY);
        many.set("mist-mug", 0);
        assert!(many.is_empty());
        many.set("unknown", 4);
        assert!(many.is_empty());
    }

    #[test]
    fn what_comes_every_month_says_so_and_costs_the_same() {
        let once = cart(&[("smoke-tea", 2)], &[]);
        let monthly = cart(&[("smoke-tea-monthly", 2)], &[]);
        assert!(once.monthly().is_none());
        assert_eq!(
            monthly.monthly().map(|(product, count)| (product.slug, count)),
            Some(("smoke-tea-monthly", 2))
        );
        let view = view("en-GB");
        assert_eq!(once.bill(view).total, monthly.bill(view).total);
        assert_eq!(monthly.bill(view).lines[0].name, "Smoke & pine tea · Every month");
        assert_ne!(once.fingerprint(view), monthly.fingerprint(view));
    }

    #[test]
    fn an_old_cookie_is_tidied() {
        let old: Cart = serde_json::from_str(
            r#"{"i":[["gone",2],["mist-mug",-4],["oak-board",2],["oak-board",3],["smoke-tea",100000]],"x":1}"#,
        )
        .unwrap();
        let tidy = old.tidy();
        assert_eq!(tidy.items().map(|(p, q)| (p.slug, q)).collect::<Vec<_>>(), [("oak-board", 2)]);
    }

    #[test]
    fn the_fingerprint_follows_what_is_paid() {
        let base = cart(&[("mist-mug", 1)], &[]);
        let print = base.fingerprint(view("sv-SE"));
        assert_eq!(print, base.clone().fingerprint(view("sv-SE")));
        let mut more = base.clone();
        more.add(catalogue::find("oak-board").unwrap(), 1);
        let mut faster = base.clone();
        faster.deliver(ShippingId::Express);
        let mut cheaper = base.clone();
        cheaper.enter(Code::Welcome10);
        for other in [
            more.fingerprint(view("sv-SE")),
            faster.fingerprint(view("sv-SE")),
            cheaper.fingerprint(view("sv-SE")),
            base.fingerprint(view("en-SE")),
            base.fingerprint(view("de-DE")),
        ] {
            assert_ne!(print, other);
        }
    }
}
