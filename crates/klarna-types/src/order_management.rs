//! The Order Management API (`/ordermanagement/v1/orders`): 18 operations on placed orders.
//!
//! | operation | request | answer |
//! |---|---|---|
//! | read order | - | [`Order`] |
//! | acknowledge, cancel, extend authorization time, release remaining authorization, trigger send-out | no body | nothing |
//! | update authorization | [`UpdateAuthorization`] | nothing |
//! | update merchant references | [`UpdateMerchantReferences`] | nothing |
//! | update customer details | [`UpdateConsumer`] | nothing |
//! | append shipping info to an order or a capture | [`UpdateShippingInfo`] | nothing |
//! | capture | [`CreateCapture`] | headers `Capture-Id`, `Location` |
//! | read captures, one capture | - | list of [`Capture`], [`Capture`] |
//! | due-date options | - | [`ExtendDueDateOptions`] |
//! | extend due date | [`ExtendDueDate`] | nothing |
//! | refund | [`CreateRefund`] | headers `Refund-Id`, `Location` |
//! | read refund | - | [`Refund`] |
//!
//! A server reads the requests as the types whose names end in `Body`, where nothing is required.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::customer::Customer;
use crate::ids::{CaptureId, KlarnaReference, OrderId, RefundId};
use crate::market::{Country, Currency, Locale};
use crate::money::{MinorUnits, TaxRate};
use crate::order_line::{OrderLine, OrderLineBody};
use crate::payments::FraudStatus;
use crate::secret::Stars;
use crate::wire::null_as_default;

open_enum! {
    /// Where an order is in its life.
    pub enum OrderStatus: exact {
        /// Placed, nothing captured.
        Authorized = "AUTHORIZED",
        /// Something captured, something left.
        PartCaptured = "PART_CAPTURED",
        /// Nothing left to capture.
        Captured = "CAPTURED",
        /// Cancelled before any capture.
        Cancelled = "CANCELLED",
        /// The authorisation ran out.
        Expired = "EXPIRED",
        /// Over.
        Closed = "CLOSED",
    }
}

open_enum! {
    /// How the shopper chose to pay, in Order Management's own words. Klarna grows this list.
    #[non_exhaustive]
    pub enum InitialPaymentMethodType: exact {
        /// Revolving account.
        Account = "ACCOUNT",
        /// Another method.
        AlternativePaymentMethod = "ALTERNATIVE_PAYMENT_METHOD",
        /// Bank transfer.
        BankTransfer = "BANK_TRANSFER",
        /// Card.
        Card = "CARD",
        /// Deferred interest.
        DeferredInterest = "DEFERRED_INTEREST",
        /// Direct debit.
        DirectDebit = "DIRECT_DEBIT",
        /// Fixed instalments charged to a card.
        FixedAmountByCard = "FIXED_AMOUNT_BY_CARD",
        /// Fixed instalments.
        FixedAmount = "FIXED_AMOUNT",
        /// Financing with a fixed sum.
        FixedSumCredit = "FIXED_SUM_CREDIT",
        /// Invoice to a business.
        InvoiceBusiness = "INVOICE_BUSINESS",
        /// Pay later by invoice.
        Invoice = "INVOICE",
        /// MobilePay.
        MobilePay = "MOBILEPAY",
        /// Pay now, charged to a card.
        PayByCard = "PAY_BY_CARD",
        /// Pay in a number of parts.
        PayInX = "PAY_IN_X",
        /// Pay later, charged to a card.
        PayLaterByCard = "PAY_LATER_BY_CARD",
        /// Pay later in parts.
        PayLaterInParts = "PAY_LATER_IN_PARTS",
        /// Swish.
        Swish = "SWISH",
        /// Any other.
        Other = "OTHER",
    }
}

open_enum! {
    /// How goods reach the shopper. Case matters.
    pub enum ShippingMethod: exact {
        /// Picked up in the store.
        PickUpStore = "PickUpStore",
        /// Brought home.
        Home = "Home",
        /// Into the letter box, registered.
        BoxReg = "BoxReg",
        /// Into the letter box, not registered.
        BoxUnreg = "BoxUnreg",
        /// Picked up at a service point.
        PickUpPoint = "PickUpPoint",
        /// The merchant's own transport.
        Own = "Own",
        /// By mail.
        Postal = "Postal",
        /// At a Packstation of DHL.
        DhlPackstation = "DHLPackstation",
        /// Electronically.
        Digital = "Digital",
        /// Not said.
        Undefined = "Undefined",
        /// Picked up at the warehouse.
        PickUpWarehouse = "PickUpWarehouse",
        /// Ordered online, picked up in the store.
        ClickCollect = "ClickCollect",
        /// On a pallet.
        PalletDelivery = "PalletDelivery",
    }
}

wire_struct! {
    /// One parcel, and the one that may come back.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ShippingInfo {
        optional {
            /// The carrier; be specific ("DHL US", not "DHL").
            shipping_company: String,
            /// How it reaches the shopper.
            shipping_method: ShippingMethod,
            /// The carrier's number.
            tracking_number: String,
            /// Where the shopper can follow it.
            tracking_uri: String,
            /// The carrier of a return.
            return_shipping_company: String,
            /// The carrier's number of a return.
            return_tracking_number: String,
            /// Where a return can be followed.
            return_tracking_uri: String,
        }
    }
}

wire_struct! {
    /// Appends parcels; never replaces any. 1 to 500 at a time.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct UpdateShippingInfo {
        required {
            /// The parcels.
            shipping_info: Vec<ShippingInfo>,
        }
    }
}

wire_struct! {
    /// [`UpdateShippingInfo`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateShippingInfoBody {
        optional {
            /// The parcels; required.
            shipping_info: Vec<ShippingInfo>,
        }
    }
}

wire_struct! {
    /// Sets a new amount and new lines. The lines replace the stored ones entirely: without `order_lines` the stored
    /// lines are deleted.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct UpdateAuthorization {
        required {
            /// The new total, not below what is captured.
            order_amount: MinorUnits,
        }
        optional {
            /// Why; not shown on reading.
            description: String,
            /// The new lines.
            order_lines: Vec<OrderLine>,
        }
    }
}

wire_struct! {
    /// [`UpdateAuthorization`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateAuthorizationBody {
        optional {
            /// The new total; required.
            order_amount: MinorUnits,
            /// Why.
            description: String,
            /// The new lines.
            order_lines: Vec<OrderLineBody>,
        }
    }
}

wire_struct! {
    /// Overwrites one or both of the shop's references. An empty text clears, an absent member stays.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateMerchantReferences {
        optional {
            /// The shop's order number, shown to the shopper.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
        }
    }
}

wire_struct! {
    /// Changes the shipping address member by member: absent stays, an empty text clears.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateConsumer {
        optional {
            /// What changes.
            shipping_address: Address,
        }
    }
}

wire_struct! {
    /// [`UpdateConsumer`] as a server reads it: with the billing address that can no longer be changed.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateConsumerBody {
        optional {
            /// What changes.
            shipping_address: Address,
            /// Refused.
            billing_address: Address,
        }
    }
}

wire_struct! {
    /// Captures a part of the order or all of it.
    ///
    /// ```
    /// use klarna_types::{order_management::CreateCapture, MinorUnits};
    /// let capture = CreateCapture::new(MinorUnits::new(3990)).reference("SHIPMENT-1");
    /// assert_eq!(serde_json::to_string(&capture)?, r#"{"captured_amount":3990,"reference":"SHIPMENT-1"}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateCapture {
        required {
            /// How much.
            captured_amount: MinorUnits,
        }
        optional {
            /// What for, as the shopper reads it.
            description: String,
            /// The merchant's reference, also in settlements.
            reference: String,
            /// What is sent; refunds find their capture by the lines' references.
            order_lines: Vec<OrderLine>,
            /// The parcels.
            shipping_info: Vec<ShippingInfo>,
            /// Days until the goods leave; needs Klarna's permission.
            shipping_delay: i64,
        }
    }
}

wire_struct! {
    /// [`CreateCapture`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CreateCaptureBody {
        optional {
            /// How much; required.
            captured_amount: MinorUnits,
            /// What for.
            description: String,
            /// The merchant's reference.
            reference: String,
            /// What is sent.
            order_lines: Vec<OrderLineBody>,
            /// The parcels.
            shipping_info: Vec<ShippingInfo>,
            /// Days until the goods leave.
            shipping_delay: i64,
        }
    }
}

wire_struct! {
    /// Gives back a part of what was captured, or all of it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateRefund {
        required {
            /// How much.
            refunded_amount: MinorUnits,
        }
        optional {
            /// What for, as the shopper reads it.
            description: String,
            /// The merchant's reference, also in settlements.
            reference: String,
            /// What is given back.
            order_lines: Vec<OrderLine>,
        }
    }
}

wire_struct! {
    /// [`CreateRefund`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CreateRefundBody {
        optional {
            /// How much; required.
            refunded_amount: MinorUnits,
            /// What for.
            description: String,
            /// The merchant's reference.
            reference: String,
            /// What is given back.
            order_lines: Vec<OrderLineBody>,
        }
    }
}

wire_struct! {
    /// Moves the due date of a capture by one of the offered numbers of days.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ExtendDueDate {
        required {
            /// One of the offered numbers of days.
            number_of_days: i32,
        }
    }
}

wire_struct! {
    /// [`ExtendDueDate`] as a server reads it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ExtendDueDateBody {
        optional {
            /// Number of days; required.
            number_of_days: i32,
        }
    }
}

/// By how much a due date can be moved, and what that costs the merchant. No options: not available now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendDueDateOptions {
    /// Currency of the fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What is offered.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: Vec<ExtendDueDateOption>,
}

/// One offer to move a due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendDueDateOption {
    /// By how many days.
    pub number_of_days: i32,
    /// The merchant's fee.
    pub amount: MinorUnits,
}

/// How the shopper chose to pay when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialPaymentMethod {
    /// Kind of payment.
    #[serde(rename = "type")]
    pub kind: InitialPaymentMethodType,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many instalments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_installments: Option<i32>,
}

/// An order as Klarna shows it.
///
/// The id and the amounts that money decisions rest on are required when reading: a missing amount must not look
/// like zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order.
    pub order_id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// The risk decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraud_status: Option<FraudStatus>,
    /// Current total.
    pub order_amount: MinorUnits,
    /// Total when it was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_order_amount: Option<MinorUnits>,
    /// Sum of the captures.
    pub captured_amount: MinorUnits,
    /// Sum of the refunds.
    pub refunded_amount: MinorUnits,
    /// What can still be captured.
    pub remaining_authorized_amount: MinorUnits,
    /// Currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_currency: Option<Currency>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_country: Option<Country>,
    /// The shopper's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// Current lines.
    #[serde(default, deserialize_with = "null_as_default")]
    pub order_lines: Vec<OrderLine>,
    /// The shop's order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference1: Option<String>,
    /// Another number of the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference2: Option<String>,
    /// Short reference that shoppers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_reference: Option<KlarnaReference>,
    /// The shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Billing address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Shipping address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// When it was placed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::wire::millis::option"
    )]
    pub created_at: Option<Timestamp>,
    /// Until when it can be captured.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::wire::millis::option"
    )]
    pub expires_at: Option<Timestamp>,
    /// Captures, oldest first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub captures: Vec<Capture>,
    /// Refunds, oldest first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub refunds: Vec<Refund>,
    /// Parcels of the order as such.
    #[serde(default, deserialize_with = "null_as_default")]
    pub shipping_info: Vec<ShippingInfo>,
    /// The merchant's own data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_data: Option<String>,
    /// How the shopper chose to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_payment_method: Option<InitialPaymentMethod>,
    /// Set when the checkout used a shipping service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_shipping_option: Option<SelectedShippingOption>,
}

/// A capture as Klarna shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The capture.
    pub capture_id: CaptureId,
    /// The order's reference and a running number: `K4MADNY-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_reference: Option<KlarnaReference>,
    /// How much.
    pub captured_amount: MinorUnits,
    /// When.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::wire::millis::option"
    )]
    pub captured_at: Option<Timestamp>,
    /// What for; empty when not given.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// What was sent.
    #[serde(default, deserialize_with = "null_as_default")]
    pub order_lines: Vec<OrderLine>,
    /// The merchant's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The share of the order's refunds that fell on this capture.
    #[serde(default, deserialize_with = "null_as_default")]
    pub refunded_amount: MinorUnits,
    /// Billing address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Shipping address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Parcels.
    #[serde(default, deserialize_with = "null_as_default")]
    pub shipping_info: Vec<ShippingInfo>,
}

/// A refund as Klarna shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub refunded_amount: MinorUnits,
    /// When.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::wire::millis::option"
    )]
    pub refunded_at: Option<Timestamp>,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The merchant's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What was given back.
    #[serde(default, deserialize_with = "null_as_default")]
    pub order_lines: Vec<OrderLine>,
    /// Business invoices only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_invoice: Option<bool>,
}

wire_struct! {
    /// What the shopper chose in a shipping service.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct SelectedShippingOption {
        optional {
            /// Id of the option.
            id: String,
            /// Name.
            name: String,
            /// Type.
            #[serde(rename = "type")]
            kind: String,
            /// Carrier.
            carrier: String,
            /// Class.
            class: String,
            /// Method.
            method: String,
            /// Price.
            price: MinorUnits,
            /// Tax contained in the price.
            tax_amount: MinorUnits,
            /// Tax rate.
            tax_rate: TaxRate,
            /// Shipment id of the shipping system.
            tms_reference: String,
            /// The carrier's product.
            carrier_product: CarrierProduct,
            /// Pick-up location.
            location: PickupLocation,
            /// Delivery time.
            timeslot: Timeslot,
            /// What was added.
            selected_addons: Vec<Addon>,
        }
    }
}

wire_struct! {
    /// A carrier's product.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CarrierProduct {
        optional {
            /// Its id.
            identifier: String,
            /// Its name.
            name: String,
        }
    }
}

wire_struct! {
    /// Where goods are picked up.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct PickupLocation {
        optional {
            /// Its id.
            id: String,
            /// Its name.
            name: String,
            /// What it costs.
            price: MinorUnits,
            /// Where it is.
            address: PickupAddress,
        }
    }
}

wire_struct! {
    /// Where a pick-up location is.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct PickupAddress {
        optional {
            /// ISO 3166-1 alpha-2 code.
            country: Country,
            /// Street and house number.
            street_address: String,
            /// What else the street needs. The two underscores are Klarna's.
            #[serde(rename = "street_address__2", alias = "street_address2")]
            street_address2: String,
            /// Postal code.
            postal_code: String,
            /// City.
            city: String,
            /// State or province.
            region: String,
        }
    }
}

wire_struct! {
    /// When goods are brought.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Timeslot {
        optional {
            /// Its id.
            id: String,
            /// What it costs.
            price: MinorUnits,
            /// From.
            start: String,
            /// To.
            end: String,
            /// Latest order for it.
            cutoff: String,
        }
    }
}

/// Something added to a shipping option. What the shopper typed is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addon {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it costs.
    pub price: MinorUnits,
    /// Its id elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What the shopper typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_input: Option<String>,
}

impl std::fmt::Debug for Addon {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Addon")
            .field("kind", &self.kind)
            .field("price", &self.price)
            .field("external_id", &self.external_id)
            .field("user_input", &self.user_input.as_ref().map(|_| Stars))
            .finish()
    }
}
