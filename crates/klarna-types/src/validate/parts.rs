//! Limits of the parts that several requests share: lines, addresses, customers.

use super::{Checker, MAX_AMOUNT, MAX_ORDER_LINES};
use crate::address::Address;
use crate::customer::{Customer, CustomerType, OrganizationEntityType};
use crate::order_line::{
    OrderLineBody, OrderLineType, ProductIdentifiers, SubscriptionBody, SubscriptionInterval,
};
use crate::problem::Rule;

/// Limits of an order line in one of the APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineLimits {
    /// Least number of characters of `name`.
    pub name_min: usize,
    /// Characters of `reference`.
    pub reference: usize,
    /// Least number of characters of `quantity_unit`.
    pub quantity_unit_min: usize,
    /// Characters of `quantity_unit`.
    pub quantity_unit: usize,
    /// Greatest `unit_price` and `total_amount`.
    pub amount: i64,
    /// Greatest `total_discount_amount`.
    pub discount: Option<i64>,
    /// Greatest `total_tax_amount`.
    pub tax: Option<i64>,
    /// Greatest `tax_rate`.
    pub tax_rate: Option<i64>,
    /// Characters of `merchant_data`.
    pub merchant_data: usize,
    /// Whether `return_fee` is a type of line here.
    pub return_fee: ReturnFee,
}

/// Whether an API knows lines of type `return_fee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnFee {
    /// It does.
    Known,
    /// It does not.
    Unknown,
}

impl LineLimits {
    /// In the Payments API.
    pub const PAYMENTS: Self = Self {
        name_min: 1,
        reference: 255,
        quantity_unit_min: 1,
        quantity_unit: 8,
        amount: MAX_AMOUNT,
        discount: None,
        tax: None,
        tax_rate: Some(10_000),
        merchant_data: 1024,
        return_fee: ReturnFee::Unknown,
    };

    /// In Order Management.
    pub const ORDER_MANAGEMENT: Self = Self {
        name_min: 0,
        reference: 255,
        quantity_unit_min: 0,
        quantity_unit: 10,
        amount: MAX_AMOUNT,
        discount: Some(MAX_AMOUNT),
        tax: Some(MAX_AMOUNT),
        tax_rate: Some(i32::MAX as i64),
        merchant_data: 1024,
        return_fee: ReturnFee::Known,
    };

    /// In charges of customer tokens.
    pub const CUSTOMER_TOKEN: Self = Self {
        name_min: 1,
        reference: 256,
        quantity_unit_min: 1,
        quantity_unit: 8,
        amount: 100_000_000,
        discount: None,
        tax: None,
        // The schema has no bound, but a rate above 100 % would escape the check of the tax.
        tax_rate: Some(10_000),
        merchant_data: 255,
        return_fee: ReturnFee::Unknown,
    };
}

/// Limits of an address in one of the APIs: characters of each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressLimits {
    /// Names, e-mail, phone, street.
    pub line: usize,
    /// Least number of characters of the phone.
    pub phone_min: usize,
    /// City and region.
    pub place: usize,
    /// Organisation and attention.
    pub organization: usize,
}

impl AddressLimits {
    /// In the Payments API.
    pub const PAYMENTS: Self = Self { line: 99, phone_min: 0, place: 99, organization: 99 };
    /// In charges of customer tokens.
    pub const CUSTOMER_TOKEN: Self = Self { phone_min: 5, ..Self::PAYMENTS };
    /// In Order Management.
    pub const ORDER_MANAGEMENT: Self =
        Self { line: 100, phone_min: 0, place: 200, organization: 255 };
    const TITLE: usize = 20;
    const POSTAL_CODE: usize = 10;
}

impl Checker {
    pub(super) fn lines(&mut self, lines: &[OrderLineBody], min: usize, limits: &LineLimits) {
        if lines.len() < min || lines.len() > MAX_ORDER_LINES {
            self.problem(
                "order_lines",
                Rule::Items { found: lines.len(), min, max: MAX_ORDER_LINES },
            );
            // Ten thousand bad lines must not make ten thousand problems.
            return;
        }
        for (index, line) in lines.iter().enumerate() {
            self.line(&format!("order_lines[{index}]"), line, limits);
        }
    }

    fn line(&mut self, path: &str, line: &OrderLineBody, limits: &LineLimits) {
        let at = |member: &str| format!("{path}.{member}");
        if let Some(kind) = &line.kind {
            let known = match kind {
                OrderLineType::ReturnFee => limits.return_fee == ReturnFee::Known,
                other => other.is_known(),
            };
            if !known {
                let expected = OrderLineType::KNOWN
                    .iter()
                    .filter(|kind| {
                        **kind != OrderLineType::ReturnFee || limits.return_fee == ReturnFee::Known
                    })
                    .map(OrderLineType::as_str);
                self.unknown(at("type"), expected);
            }
        }
        self.text(at("reference"), line.reference.as_deref(), 0, limits.reference);
        self.required(at("name"), line.name.as_ref());
        self.text(at("name"), line.name.as_deref(), limits.name_min, 255);
        self.required(at("quantity"), line.quantity.as_ref());
        self.range(at("quantity"), line.quantity, Some(0), None);
        self.text(
            at("quantity_unit"),
            line.quantity_unit.as_deref(),
            limits.quantity_unit_min,
            limits.quantity_unit,
        );
        self.required(at("unit_price"), line.unit_price.as_ref());
        self.range(
            at("unit_price"),
            line.unit_price.map(super::super::money::MinorUnits::get),
            None,
            Some(limits.amount),
        );
        self.range(
            at("tax_rate"),
            line.tax_rate.map(super::super::money::TaxRate::get),
            Some(0),
            limits.tax_rate,
        );
        self.required(at("total_amount"), line.total_amount.as_ref());
        self.range(
            at("total_amount"),
            line.total_amount.map(super::super::money::MinorUnits::get),
            None,
            Some(limits.amount),
        );
        self.range(
            at("total_discount_amount"),
            line.total_discount_amount.map(super::super::money::MinorUnits::get),
            Some(0),
            limits.discount,
        );
        if limits.tax.is_some() {
            let tax = line.total_tax_amount.map(super::super::money::MinorUnits::get);
            self.range(at("total_tax_amount"), tax, None, limits.tax);
        }
        self.text(at("merchant_data"), line.merchant_data.as_deref(), 0, limits.merchant_data);
        self.text(at("product_url"), line.product_url.as_deref(), 0, 1024);
        self.text(at("image_url"), line.image_url.as_deref(), 0, 1024);
        if let Some(identifiers) = &line.product_identifiers {
            self.product_identifiers(&at("product_identifiers"), identifiers);
        }
        if let Some(subscription) = &line.subscription {
            self.subscription(&at("subscription"), subscription, limits);
        }
    }

    fn product_identifiers(&mut self, path: &str, identifiers: &ProductIdentifiers) {
        let ProductIdentifiers {
            brand,
            category_path,
            global_trade_item_number,
            manufacturer_part_number,
            color,
            size,
        } = identifiers;
        for (member, value, max) in [
            ("brand", brand, 70),
            ("category_path", category_path, 750),
            ("global_trade_item_number", global_trade_item_number, 50),
            ("manufacturer_part_number", manufacturer_part_number, 70),
            ("color", color, 64),
            ("size", size, 64),
        ] {
            self.text(format!("{path}.{member}"), value.as_deref(), 0, max);
        }
    }

    fn subscription(&mut self, path: &str, subscription: &SubscriptionBody, limits: &LineLimits) {
        let at = |member: &str| format!("{path}.{member}");
        self.required(at("name"), subscription.name.as_ref());
        self.text(at("name"), subscription.name.as_deref(), limits.name_min, 255);
        self.required(at("interval"), subscription.interval.as_ref());
        if subscription.interval.as_ref().is_some_and(|interval| !interval.is_known()) {
            self.unknown(
                at("interval"),
                SubscriptionInterval::KNOWN.iter().map(SubscriptionInterval::as_str),
            );
        }
        self.required(at("interval_count"), subscription.interval_count.as_ref());
        let max = i64::from(i32::MAX);
        self.range(at("interval_count"), subscription.interval_count, Some(1), Some(max));
    }

    pub(super) fn address(&mut self, path: &str, address: &Address, limits: &AddressLimits) {
        let Address {
            given_name,
            family_name,
            organization_name,
            attention,
            title,
            email,
            phone,
            street_address,
            street_address2,
            care_of,
            postal_code,
            city,
            region,
            country,
        } = address;
        for (member, value, max) in [
            ("organization_name", organization_name, limits.organization),
            ("attention", attention, limits.organization),
            ("given_name", given_name, limits.line),
            ("family_name", family_name, limits.line),
            ("title", title, AddressLimits::TITLE),
            ("email", email, limits.line),
            ("phone", phone, limits.line),
            ("street_address", street_address, limits.line),
            ("street_address2", street_address2, limits.line),
            ("care_of", care_of, limits.line),
            ("postal_code", postal_code, AddressLimits::POSTAL_CODE),
            ("city", city, limits.place),
            ("region", region, limits.place),
        ] {
            let min = if member == "phone" { limits.phone_min } else { 0 };
            self.text(format!("{path}.{member}"), value.as_deref(), min, max);
        }
        if country.as_ref().is_some_and(|country| !country.is_well_formed()) {
            let expected = "a country code of two letters";
            self.problem(format!("{path}.country"), Rule::Form { expected });
        }
    }

    pub(super) fn customer(&mut self, path: &str, customer: &Customer) {
        let at = |member: &str| format!("{path}.{member}");
        self.form(
            at("date_of_birth"),
            customer.date_of_birth.as_deref(),
            "a date (YYYY-MM-DD)",
            is_date,
        );
        self.text(at("title"), customer.title.as_deref(), 0, 255);
        if customer.gender.as_deref().is_some_and(|gender| !matches!(gender, "male" | "female")) {
            self.unknown(at("gender"), ["male", "female"].into_iter());
        }
        self.form(
            at("last_four_ssn"),
            customer.last_four_ssn.as_deref(),
            "four or nine digits",
            |value| matches!(value.len(), 4 | 9) && value.bytes().all(|byte| byte.is_ascii_digit()),
        );
        self.text(
            at("national_identification_number"),
            customer.national_identification_number.as_deref(),
            0,
            255,
        );
        if customer.kind.as_ref().is_some_and(|kind| !kind.is_known()) {
            self.unknown(at("type"), CustomerType::KNOWN.iter().map(CustomerType::as_str));
        }
        if customer.organization_entity_type.as_ref().is_some_and(|kind| !kind.is_known()) {
            let expected = OrganizationEntityType::KNOWN.iter().map(OrganizationEntityType::as_str);
            self.unknown(at("organization_entity_type"), expected);
        }
        let registration = customer.organization_registration_id.as_deref();
        self.text(at("organization_registration_id"), registration, 0, 255);
        self.text(at("vat_id"), customer.vat_id.as_deref(), 0, 255);
    }
}

/// A date of the calendar, written `YYYY-MM-DD`.
fn is_date(value: &str) -> bool {
    value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok()
}
