//! Order lines, the same type in all APIs; their limits differ and are in [`crate::validate`].

use serde::Serialize;

use crate::arithmetic::{Figures, LineFigures};
use crate::money::{MinorUnits, TaxRate};

open_enum! {
    /// What an order line stands for. Absent means goods.
    pub enum OrderLineType: exact {
        /// Goods that are sent.
        Physical = "physical",
        /// A reduction; negative.
        Discount = "discount",
        /// Shipping.
        ShippingFee = "shipping_fee",
        /// United States sales tax, a line of its own.
        SalesTax = "sales_tax",
        /// Goods that are delivered electronically.
        Digital = "digital",
        /// A gift card that is used up; negative.
        GiftCard = "gift_card",
        /// Credit at the store that is used up; negative.
        StoreCredit = "store_credit",
        /// A surcharge; positive.
        Surcharge = "surcharge",
        /// A fee kept back from a refund; negative, Order Management only.
        ReturnFee = "return_fee",
    }
}

open_enum! {
    /// How long one interval of a subscription is.
    pub enum SubscriptionInterval: exact {
        /// A day.
        Day = "DAY",
        /// A week.
        Week = "WEEK",
        /// A month.
        Month = "MONTH",
        /// A year.
        Year = "YEAR",
    }
}

wire_struct! {
    /// Marks a line as recurring.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Subscription {
        required {
            /// Name of the subscription.
            name: String,
            /// Unit of the interval.
            interval: SubscriptionInterval,
            /// How many units make one interval.
            interval_count: i64,
        }
    }
}

wire_struct! {
    /// What identifies a product outside of the shop.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ProductIdentifiers {
        optional {
            /// Brand.
            brand: String,
            /// Categories from the widest to the narrowest, joined by ` > `.
            category_path: String,
            /// EAN, ISBN, UPC …
            global_trade_item_number: String,
            /// The maker's number.
            manufacturer_part_number: String,
            /// Colour.
            color: String,
            /// Size.
            size: String,
        }
    }
}

wire_struct! {
    /// One line of an order. Build correct ones from prices with [`crate::cart`].
    ///
    /// Amounts include tax, except in the United States (see [`crate::market::TaxLayout`]).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct OrderLine {
        required {
            /// What the shopper reads.
            name: String,
            /// How many.
            quantity: i64,
            /// Price of one, discount not deducted.
            unit_price: MinorUnits,
            /// `quantity × unit_price − total_discount_amount`.
            total_amount: MinorUnits,
        }
        optional {
            /// What the line stands for.
            #[serde(rename = "type")]
            kind: OrderLineType,
            /// Article number; ties captures and refunds to each other.
            reference: String,
            /// Unit of the quantity, such as `pcs` or `kg`.
            quantity_unit: String,
            /// Reduction of the whole line, positive.
            total_discount_amount: MinorUnits,
            /// Tax rate.
            tax_rate: TaxRate,
            /// Tax that is contained in `total_amount`.
            total_tax_amount: MinorUnits,
            /// A picture of the product.
            image_url: String,
            /// The product's page.
            product_url: String,
            /// The merchant's own data, passed through.
            merchant_data: String,
            /// What identifies the product outside of the shop.
            product_identifiers: ProductIdentifiers,
            /// Set on recurring lines.
            subscription: Subscription,
        }
    }
}

impl Figures for OrderLine {
    fn figures(&self) -> LineFigures {
        LineFigures {
            is_sales_tax: self.kind == Some(OrderLineType::SalesTax),
            quantity: Some(self.quantity),
            unit_price: Some(self.unit_price),
            total_amount: Some(self.total_amount),
            total_discount_amount: self.total_discount_amount,
            tax_rate: self.tax_rate,
            total_tax_amount: self.total_tax_amount,
        }
    }
}

wire_struct! {
    /// [`Subscription`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct SubscriptionBody {
        optional {
            /// Name of the subscription.
            name: String,
            /// Unit of the interval.
            interval: SubscriptionInterval,
            /// How many units make one interval.
            interval_count: i64,
        }
    }
}

wire_struct! {
    /// [`OrderLine`] as a server reads it: nothing is required yet, so that a missing member can be answered by name.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct OrderLineBody {
        optional {
            /// What the shopper reads; required.
            name: String,
            /// How many; required.
            quantity: i64,
            /// Price of one; required.
            unit_price: MinorUnits,
            /// Total of the line; required.
            total_amount: MinorUnits,
            /// What the line stands for.
            #[serde(rename = "type")]
            kind: OrderLineType,
            /// Article number.
            reference: String,
            /// Unit of the quantity.
            quantity_unit: String,
            /// Reduction of the whole line.
            total_discount_amount: MinorUnits,
            /// Tax rate.
            tax_rate: TaxRate,
            /// Tax that is contained in the total.
            total_tax_amount: MinorUnits,
            /// A picture of the product.
            image_url: String,
            /// The product's page.
            product_url: String,
            /// The merchant's own data.
            merchant_data: String,
            /// What identifies the product outside of the shop.
            product_identifiers: ProductIdentifiers,
            /// Set on recurring lines.
            subscription: SubscriptionBody,
        }
    }
}

impl Figures for OrderLineBody {
    fn figures(&self) -> LineFigures {
        LineFigures {
            is_sales_tax: self.kind == Some(OrderLineType::SalesTax),
            quantity: self.quantity,
            unit_price: self.unit_price,
            total_amount: self.total_amount,
            total_discount_amount: self.total_discount_amount,
            tax_rate: self.tax_rate,
            total_tax_amount: self.total_tax_amount,
        }
    }
}

impl From<OrderLine> for OrderLineBody {
    fn from(line: OrderLine) -> Self {
        Self {
            name: Some(line.name),
            quantity: Some(line.quantity),
            unit_price: Some(line.unit_price),
            total_amount: Some(line.total_amount),
            kind: line.kind,
            reference: line.reference,
            quantity_unit: line.quantity_unit,
            total_discount_amount: line.total_discount_amount,
            tax_rate: line.tax_rate,
            total_tax_amount: line.total_tax_amount,
            image_url: line.image_url,
            product_url: line.product_url,
            merchant_data: line.merchant_data,
            product_identifiers: line.product_identifiers,
            subscription: line.subscription.map(|subscription| SubscriptionBody {
                name: Some(subscription.name),
                interval: Some(subscription.interval),
                interval_count: Some(subscription.interval_count),
            }),
        }
    }
}

/// A member that the type requires was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is required and was not sent")]
pub struct MissingMember(pub &'static str);

impl TryFrom<OrderLineBody> for OrderLine {
    type Error = MissingMember;

    fn try_from(body: OrderLineBody) -> Result<Self, Self::Error> {
        Ok(Self {
            name: body.name.ok_or(MissingMember("name"))?,
            quantity: body.quantity.ok_or(MissingMember("quantity"))?,
            unit_price: body.unit_price.ok_or(MissingMember("unit_price"))?,
            total_amount: body.total_amount.ok_or(MissingMember("total_amount"))?,
            kind: body.kind,
            reference: body.reference,
            quantity_unit: body.quantity_unit,
            total_discount_amount: body.total_discount_amount,
            tax_rate: body.tax_rate,
            total_tax_amount: body.total_tax_amount,
            image_url: body.image_url,
            product_url: body.product_url,
            merchant_data: body.merchant_data,
            product_identifiers: body.product_identifiers,
            subscription: body.subscription.map(Subscription::try_from).transpose()?,
        })
    }
}

impl TryFrom<SubscriptionBody> for Subscription {
    type Error = MissingMember;

    fn try_from(body: SubscriptionBody) -> Result<Self, Self::Error> {
        Ok(Self {
            name: body.name.ok_or(MissingMember("subscription.name"))?,
            interval: body.interval.ok_or(MissingMember("subscription.interval"))?,
            interval_count: body
                .interval_count
                .ok_or(MissingMember("subscription.interval_count"))?,
        })
    }
}
