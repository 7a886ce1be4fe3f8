//! From prices to order lines that Klarna accepts: a cart that cannot be unbalanced.
//!
//! Give prices as the shop has them, including or excluding tax; the cart lays them out as the country wants them.
//! Whatever it builds passes [`crate::arithmetic::check`] and the limits of [`crate::validate`]; whatever cannot be
//! built so is a [`CartError`].
//!
//! # Rules
//!
//! - **Rounding** is half away from zero, always.
//! - **Tax on each line** (everywhere but in the United States). Klarna wants `unit_price` including tax and
//!   `total_amount = quantity × unit_price − discount` exactly, so a price excluding tax is converted *per unit*, and a
//!   discount excluding tax as a whole. The line's tax is then the tax contained in its total.
//! - **Sales tax line** (United States). Lines carry prices excluding tax and no rate; one last line of type
//!   `sales_tax` carries the tax. From prices excluding tax, each line's tax is computed on its total; from prices
//!   including tax, it is taken out per unit, so that the shopper pays exactly the prices given.
//! - **A cart discount** is split over the tax rates of the goods (not shipping, not surcharges), in proportion to
//!   their totals, by largest remainder: each share is rounded down, and what is left over goes one minor unit at a
//!   time to the shares that lost most, the earlier rate first. The shares add up to the discount exactly. Each share
//!   becomes a negative `discount` line at its rate.
//! - **Gift cards and store credit** are negative lines without tax, in what the shopper pays.
//! - **`order_tax_amount`** is the sum of the lines' tax, but never below zero: when discounts eat up everything,
//!   rounding may leave a few minor units of negative tax, which are within Klarna's tolerance.

use crate::arithmetic::{line_total, tax_included, tax_on_top};
use crate::market::{Country, TaxLayout};
use crate::money::{MinorUnits, TaxRate};
use crate::order_line::{
    OrderLine, OrderLineBody, OrderLineType, ProductIdentifiers, Subscription,
};
use crate::payments::SessionBody;
use crate::problem::{Problem, Rule};
use crate::validate::{self, UrlRule};

/// How the shop's prices are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prices {
    /// Tax is in the prices.
    IncludingTax,
    /// Tax comes on top of the prices.
    ExcludingTax,
}

/// One article in a cart. Prices and discounts are meant as the cart's [`Prices`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    quantity: i64,
    unit_price: MinorUnits,
    tax_rate: TaxRate,
    discount: MinorUnits,
    /// Everything else, as it will stand on the line.
    line: OrderLine,
}

impl Item {
    /// Physical goods.
    pub fn new(
        name: impl Into<String>,
        quantity: i64,
        unit_price: MinorUnits,
        tax_rate: TaxRate,
    ) -> Self {
        Self {
            quantity,
            unit_price,
            tax_rate,
            discount: MinorUnits::ZERO,
            line: OrderLine::new(name, quantity, unit_price, MinorUnits::ZERO)
                .kind(OrderLineType::Physical),
        }
    }

    /// What the line stands for, if not physical goods.
    pub fn kind(mut self, kind: OrderLineType) -> Self {
        self.line.kind = Some(kind);
        self
    }

    /// Takes an amount off the whole line. Positive.
    pub fn discount(mut self, amount: MinorUnits) -> Self {
        self.discount = amount;
        self
    }

    /// Article number.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.line.reference = Some(reference.into());
        self
    }

    /// Unit of the quantity, such as `pcs`.
    pub fn quantity_unit(mut self, unit: impl Into<String>) -> Self {
        self.line.quantity_unit = Some(unit.into());
        self
    }

    /// A picture of the product.
    pub fn image_url(mut self, url: impl Into<String>) -> Self {
        self.line.image_url = Some(url.into());
        self
    }

    /// The product's page.
    pub fn product_url(mut self, url: impl Into<String>) -> Self {
        self.line.product_url = Some(url.into());
        self
    }

    /// The merchant's own data.
    pub fn merchant_data(mut self, data: impl Into<String>) -> Self {
        self.line.merchant_data = Some(data.into());
        self
    }

    /// What identifies the product outside of the shop.
    pub fn product_identifiers(mut self, identifiers: ProductIdentifiers) -> Self {
        self.line.product_identifiers = Some(identifiers);
        self
    }

    /// Marks the line as recurring.
    pub fn subscription(mut self, subscription: Subscription) -> Self {
        self.line.subscription = Some(subscription);
        self
    }
}

/// A balanced cart: what goes into a session or an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// The lines.
    pub order_lines: Vec<OrderLine>,
    /// Sum of the lines.
    pub order_amount: MinorUnits,
    /// Tax of the lines.
    pub order_tax_amount: MinorUnits,
}

impl Cart {
    /// Starts an empty cart for a country, with prices as the shop has them.
    pub fn builder(country: impl std::borrow::Borrow<Country>, prices: Prices) -> CartBuilder {
        CartBuilder {
            layout: country.borrow().tax_layout(),
            prices,
            items: Vec::new(),
            discounts: Vec::new(),
            credits: Vec::new(),
            sales_tax_name: "Sales Tax".to_owned(),
        }
    }
}

/// Collects what is in a cart. See the module for the rules.
#[derive(Debug, Clone)]
pub struct CartBuilder {
    layout: TaxLayout,
    prices: Prices,
    items: Vec<Item>,
    discounts: Vec<(String, MinorUnits)>,
    credits: Vec<(OrderLineType, String, MinorUnits)>,
    sales_tax_name: String,
}

impl CartBuilder {
    /// Adds an article.
    pub fn item(mut self, item: Item) -> Self {
        self.items.push(item);
        self
    }

    /// Adds articles.
    pub fn items(mut self, items: impl IntoIterator<Item = Item>) -> Self {
        self.items.extend(items);
        self
    }

    /// Adds a shipping fee.
    pub fn shipping(self, name: impl Into<String>, price: MinorUnits, tax_rate: TaxRate) -> Self {
        self.item(Item::new(name, 1, price, tax_rate).kind(OrderLineType::ShippingFee))
    }

    /// Adds a surcharge.
    pub fn surcharge(self, name: impl Into<String>, price: MinorUnits, tax_rate: TaxRate) -> Self {
        self.item(Item::new(name, 1, price, tax_rate).kind(OrderLineType::Surcharge))
    }

    /// Takes an amount off all goods together. Positive; meant as the cart's prices are.
    pub fn discount(mut self, name: impl Into<String>, amount: MinorUnits) -> Self {
        self.discounts.push((name.into(), amount));
        self
    }

    /// Pays a part with a gift card. Positive; what the shopper no longer pays.
    pub fn gift_card(mut self, name: impl Into<String>, amount: MinorUnits) -> Self {
        self.credits.push((OrderLineType::GiftCard, name.into(), amount));
        self
    }

    /// Pays a part with credit at the store. Positive; what the shopper no longer pays.
    pub fn store_credit(mut self, name: impl Into<String>, amount: MinorUnits) -> Self {
        self.credits.push((OrderLineType::StoreCredit, name.into(), amount));
        self
    }

    /// Names the tax line of the United States. `Sales Tax` if not called.
    pub fn sales_tax_name(mut self, name: impl Into<String>) -> Self {
        self.sales_tax_name = name.into();
        self
    }

    /// Lays the cart out as order lines.
    pub fn build(self) -> Result<Cart, CartError> {
        let mut lines = Vec::with_capacity(self.items.len() + 2);
        // What is collected for the tax line of the United States.
        let mut sales_tax = 0_i128;
        let mut goods = GoodsByRate::default();

        for (index, item) in self.items.iter().enumerate() {
            check_item(index, item)?;
            goods.add(item)?;
            let (line, tax) = self.lay_out(item.clone()).ok_or(CartError::TooLarge)?;
            sales_tax += tax;
            lines.push(line);
        }
        for (name, amount) in &self.discounts {
            for (rate, share) in goods.split(name, *amount)? {
                let item = Item::new(name.as_str(), 1, share, rate).kind(OrderLineType::Discount);
                let (line, tax) = self.lay_out(item).ok_or(CartError::TooLarge)?;
                lines.push(negated(line).ok_or(CartError::TooLarge)?);
                sales_tax -= tax;
            }
        }
        if self.layout == TaxLayout::SalesTaxLine {
            // Rounding may leave a few minor units below zero when discounts eat up everything.
            let tax = MinorUnits::from_wide(sales_tax.max(0)).ok_or(CartError::TooLarge)?;
            lines.push(
                OrderLine::new(self.sales_tax_name.as_str(), 1, tax, tax)
                    .kind(OrderLineType::SalesTax),
            );
        }
        for (kind, name, amount) in &self.credits {
            if !amount.is_positive() {
                return Err(CartError::NotPositive { what: name.clone(), amount: *amount });
            }
            let negative = amount.checked_neg().ok_or(CartError::TooLarge)?;
            let mut line = OrderLine::new(name.as_str(), 1, negative, negative).kind(kind.clone());
            if self.layout == TaxLayout::OnEachLine {
                line = line.tax_rate(TaxRate::ZERO).total_tax_amount(MinorUnits::ZERO);
            }
            lines.push(line);
        }
        finish(lines)
    }

    /// One line for an item, and its tax if that goes to a line of its own.
    fn lay_out(&self, item: Item) -> Option<(OrderLine, i128)> {
        let rate = item.tax_rate;
        let (unit_price, discount, tax_line) = match (self.layout, self.prices) {
            (TaxLayout::OnEachLine, Prices::IncludingTax) => (item.unit_price, item.discount, 0),
            (TaxLayout::OnEachLine, Prices::ExcludingTax) => {
                (with_tax(item.unit_price, rate)?, with_tax(item.discount, rate)?, 0)
            }
            (TaxLayout::SalesTaxLine, Prices::ExcludingTax) => {
                let total = line_total(item.quantity, item.unit_price, item.discount)?;
                let tax = tax_on_top(total, rate)?;
                (item.unit_price, item.discount, i128::from(tax.get()))
            }
            (TaxLayout::SalesTaxLine, Prices::IncludingTax) => {
                let (unit_tax, discount_tax) =
                    (tax_included(item.unit_price, rate), tax_included(item.discount, rate));
                let tax = i128::from(unit_tax.get()) * i128::from(item.quantity)
                    - i128::from(discount_tax.get());
                (
                    item.unit_price.checked_sub(unit_tax)?,
                    item.discount.checked_sub(discount_tax)?,
                    tax,
                )
            }
        };
        let total = line_total(item.quantity, unit_price, discount)?;
        let mut line = item.line;
        line.unit_price = unit_price;
        line.total_amount = total;
        line.total_discount_amount = (!discount.is_zero()).then_some(discount);
        if self.layout == TaxLayout::OnEachLine {
            line.tax_rate = Some(rate);
            line.total_tax_amount = Some(tax_included(total, rate));
        }
        Some((line, tax_line))
    }
}

fn with_tax(amount: MinorUnits, rate: TaxRate) -> Option<MinorUnits> {
    amount.checked_add(tax_on_top(amount, rate)?)
}

fn negated(mut line: OrderLine) -> Option<OrderLine> {
    line.unit_price = line.unit_price.checked_neg()?;
    line.total_amount = line.total_amount.checked_neg()?;
    line.total_tax_amount = match line.total_tax_amount {
        Some(tax) => Some(tax.checked_neg()?),
        None => None,
    };
    Some(line)
}

fn check_item(index: usize, item: &Item) -> Result<(), CartError> {
    if !item.tax_rate.is_valid() {
        return Err(CartError::TaxRate { item: index, rate: item.tax_rate });
    }
    if item.quantity < 0 || item.unit_price.is_negative() || item.discount.is_negative() {
        return Err(CartError::Negative { item: index });
    }
    let full =
        line_total(item.quantity, item.unit_price, MinorUnits::ZERO).ok_or(CartError::TooLarge)?;
    if item.discount > full {
        return Err(CartError::DiscountExceedsLine { item: index, discount: item.discount, full });
    }
    Ok(())
}

/// The totals of the goods, by tax rate in order of appearance, less what cart discounts have already taken.
#[derive(Default)]
struct GoodsByRate(Vec<(TaxRate, i128)>);

impl GoodsByRate {
    fn add(&mut self, item: &Item) -> Result<(), CartError> {
        let is_goods = matches!(
            item.line.kind,
            Some(OrderLineType::Physical | OrderLineType::Digital | OrderLineType::Unknown(_))
                | None
        );
        if !is_goods {
            return Ok(());
        }
        let total =
            line_total(item.quantity, item.unit_price, item.discount).ok_or(CartError::TooLarge)?;
        let total = i128::from(total.get());
        match self.0.iter_mut().find(|(rate, _)| *rate == item.tax_rate) {
            Some((_, sum)) => *sum += total,
            None => self.0.push((item.tax_rate, total)),
        }
        Ok(())
    }

    /// The shares of a discount, by largest remainder; they add up to it. Shares of nothing are left out.
    fn split(
        &mut self,
        name: &str,
        amount: MinorUnits,
    ) -> Result<Vec<(TaxRate, MinorUnits)>, CartError> {
        if !amount.is_positive() {
            return Err(CartError::NotPositive { what: name.to_owned(), amount });
        }
        let whole: i128 = self.0.iter().map(|(_, total)| *total).sum();
        let discount = i128::from(amount.get());
        if discount > whole {
            return Err(CartError::DiscountExceedsGoods { discount: amount, goods: whole });
        }
        let mut shares: Vec<(usize, i128, i128)> = Vec::with_capacity(self.0.len());
        for (index, (_, total)) in self.0.iter().enumerate() {
            let product = discount.checked_mul(*total).ok_or(CartError::TooLarge)?;
            shares.push((index, product / whole, product % whole));
        }
        let mut left = discount - shares.iter().map(|(_, share, _)| share).sum::<i128>();
        // A stable sort: of equal remainders the earlier rate comes first.
        shares.sort_by_key(|(_, _, remainder)| std::cmp::Reverse(*remainder));
        for (_, share, _) in &mut shares {
            if left == 0 {
                break;
            }
            *share += 1;
            left -= 1;
        }
        shares.sort_by_key(|(index, _, _)| *index);
        let mut lines = Vec::new();
        for ((rate, total), (_, share, _)) in self.0.iter_mut().zip(shares) {
            *total -= share;
            if share > 0 {
                lines.push((*rate, MinorUnits::from_wide(share).ok_or(CartError::TooLarge)?));
            }
        }
        Ok(lines)
    }
}

/// Adds up the lines and makes sure that they are what was promised.
fn finish(order_lines: Vec<OrderLine>) -> Result<Cart, CartError> {
    let order_amount = MinorUnits::checked_sum(order_lines.iter().map(|line| line.total_amount))
        .ok_or(CartError::TooLarge)?;
    if order_amount.is_negative() {
        return Err(CartError::BelowZero { order_amount });
    }
    let tax = crate::arithmetic::expected_order_tax(&order_lines).max(0);
    let order_tax_amount = MinorUnits::from_wide(tax).ok_or(CartError::TooLarge)?;
    let body = SessionBody {
        order_amount: Some(order_amount),
        order_tax_amount: Some(order_tax_amount),
        order_lines: Some(order_lines.iter().cloned().map(OrderLineBody::from).collect()),
        ..SessionBody::default()
    };
    let problems = validate::update_session(&body, UrlRule::Any);
    if problems.is_empty() {
        Ok(Cart { order_lines, order_amount, order_tax_amount })
    } else {
        Err(CartError::from_problems(problems))
    }
}

/// Why a cart cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CartError {
    /// The cart has no lines.
    #[error("the cart is empty")]
    Empty,
    /// An item's tax rate is out of range.
    #[error("item {item}: a tax rate of {rate} is not between 0 % and 100 %")]
    TaxRate {
        /// Which item, from zero.
        item: usize,
        /// Its rate.
        rate: TaxRate,
    },
    /// An item's quantity, price or discount is negative. Take amounts off with a discount.
    #[error("item {item}: quantity, price and discount must not be negative")]
    Negative {
        /// Which item, from zero.
        item: usize,
    },
    /// A discount, gift card or store credit is not positive.
    #[error("{what}: {amount} is not a positive amount")]
    NotPositive {
        /// Its name.
        what: String,
        /// The amount.
        amount: MinorUnits,
    },
    /// An item's discount is more than the item costs.
    #[error("item {item}: a discount of {discount} is more than the line's {full}")]
    DiscountExceedsLine {
        /// Which item, from zero.
        item: usize,
        /// The discount.
        discount: MinorUnits,
        /// The line without it.
        full: MinorUnits,
    },
    /// A cart discount is more than the goods cost.
    #[error("a discount of {discount} is more than the goods' {goods}")]
    DiscountExceedsGoods {
        /// The discount.
        discount: MinorUnits,
        /// The goods.
        goods: i128,
    },
    /// Gift cards and store credit are more than there is to pay.
    #[error(
        "the order's amount would be {order_amount}: gift cards and store credit exceed what is to be paid"
    )]
    BelowZero {
        /// What the order's amount would be.
        order_amount: MinorUnits,
    },
    /// An amount is too large to be represented.
    #[error("an amount of the cart is too large")]
    TooLarge,
    /// The lines break Klarna's limits.
    #[error("the cart breaks Klarna's limits: {}", list(.0))]
    Limits(Vec<Problem>),
}

impl CartError {
    fn from_problems(problems: Vec<Problem>) -> Self {
        let is_empty = problems.iter().any(|problem| {
            problem.path == "order_lines" && matches!(problem.rule, Rule::Items { found: 0, .. })
        });
        if is_empty { Self::Empty } else { Self::Limits(problems) }
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
