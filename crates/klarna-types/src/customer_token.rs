//! The Customer Token API (`/customer-token/v1`): read a token, charge it, cancel it. Tokens are made by the Payments
//! API ([`crate::payments::CreateCustomerToken`]).
//!
//! | call | request | answer |
//! |---|---|---|
//! | `GET tokens/{id}` | - | [`CustomerToken`] |
//! | `POST tokens/{id}/order` | [`CreateTokenOrder`], header `Klarna-Idempotency-Key` | [`CreatedTokenOrder`] |
//! | `PATCH tokens/{id}/status` | [`UpdateTokenStatus`] | nothing |
//!
//! A server reads the requests as [`TokenOrderBody`] and [`TokenStatusBody`], where nothing is required, so that a
//! missing member can be answered by name. A refused charge is an [`crate::ErrorBody`] with `fraud_status`, `reason`,
//! `authorized_payment_method` and, where the shopper may recover it, `step_up_id`.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::ids::OrderId;
use crate::market::{Currency, Locale};
use crate::money::MinorUnits;
use crate::order_line::{OrderLine, OrderLineBody};
use crate::payments::{
    Attachment, AttachmentBody, AuthorizedPaymentMethod, FraudStatus, MerchantUrls,
    PaymentMethodType,
};

open_enum! {
    /// Whether a token can be charged.
    pub enum CustomerTokenStatus: any_case {
        /// It can.
        Active = "ACTIVE",
        /// Klarna stopped it for now.
        Suspended = "SUSPENDED",
        /// Never again.
        Cancelled = "CANCELLED",
    }
}

open_enum! {
    /// How a token is charged, in the upper case of this API. The same methods as [`PaymentMethodType`], and as open.
    #[non_exhaustive]
    pub enum TokenPaymentMethodType: any_case {
        /// Pay later by invoice.
        Invoice = "INVOICE",
        /// Revolving account.
        BaseAccount = "BASE_ACCOUNT",
        /// Direct debit.
        DirectDebit = "DIRECT_DEBIT",
        /// Card.
        Card = "CARD",
        /// Instalments charged to a card.
        SliceItByCard = "SLICE_IT_BY_CARD",
        /// Pay later, charged to a card.
        PayLaterByCard = "PAY_LATER_BY_CARD",
        /// Pay now, charged to a card.
        PayByCard = "PAY_BY_CARD",
    }
}

impl From<&PaymentMethodType> for TokenPaymentMethodType {
    fn from(kind: &PaymentMethodType) -> Self {
        Self::from(kind.as_str().to_ascii_uppercase())
    }
}

open_enum! {
    /// Whether the shopper is there to recover a charge that fails.
    pub enum StepUp: any_case {
        /// The shopper is there: a refusal may carry a `step_up_id`.
        Supported = "SUPPORTED",
        /// Nobody is there; what absence means.
        NotSupported = "NOT_SUPPORTED",
    }
}

/// A card, as far as a merchant may see it. `Debug` shows only its brand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardInformation {
    /// Whose it is, such as `VISA`.
    pub brand: String,
    /// `MM/YYYY`.
    pub expiry_date: String,
    /// All but the last four digits as stars.
    pub masked_number: String,
}

impl std::fmt::Debug for CardInformation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CardInformation")
            .field("brand", &self.brand)
            .finish_non_exhaustive()
    }
}

/// A bank account, as far as a merchant may see it. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectDebitInformation {
    /// All but the last digits as stars.
    pub masked_number: String,
}

impl std::fmt::Debug for DirectDebitInformation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DirectDebitInformation").finish_non_exhaustive()
    }
}

wire_struct! {
    /// A token as Klarna shows it ("Check the details of a customer token").
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CustomerToken {
        required {
            /// Whether it can be charged.
            status: CustomerTokenStatus,
            /// How it is charged.
            payment_method_type: TokenPaymentMethodType,
        }
        optional {
            /// What is charged, if that is a card.
            card: CardInformation,
            /// What is charged, if that is a bank account.
            direct_debit: DirectDebitInformation,
        }
    }
}

wire_struct! {
    /// Charges a token: an order without the shopper ("Create an order with a customer token").
    ///
    /// Recurring lines repeat the `subscription` object of the first purchase; on-demand charges have none, and may
    /// say `step_up` while the shopper is there.
    ///
    /// ```
    /// use klarna_types::customer_token::CreateTokenOrder;
    /// use klarna_types::order_line::{Subscription, SubscriptionInterval};
    /// use klarna_types::{Currency, MinorUnits, OrderLine, TaxRate};
    ///
    /// let line = OrderLine::new("Kaffe maj", 1, MinorUnits::new(14900), MinorUnits::new(14900))
    ///     .tax_rate(TaxRate::percent(12))
    ///     .total_tax_amount(MinorUnits::new(1596))
    ///     .subscription(Subscription::new("Kaffe", SubscriptionInterval::Month, 1));
    /// let charge = CreateTokenOrder::new(
    ///     Currency::SEK, MinorUnits::new(14900), MinorUnits::new(1596), vec![line],
    /// ).auto_capture(true);
    /// assert_eq!(serde_json::to_value(&charge)?["order_lines"][0]["subscription"]["interval"], "MONTH");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateTokenOrder {
        required {
            /// The currency of the token's country.
            purchase_currency: Currency,
            /// Total of the order; at least 1.
            order_amount: MinorUnits,
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// What is bought; 1 to 1000 lines.
            order_lines: Vec<OrderLine>,
        }
        optional {
            /// Captures the whole order at once; needs Klarna's permission. Absent means no.
            auto_capture: bool,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// Where things go; absent means where they went before.
            shipping_address: Address,
            /// Extra merchant data.
            attachment: Attachment,
            /// The shopper's language; in Klarna's samples only.
            locale: Locale,
            /// Whether the shopper is there to recover a charge that fails.
            step_up: StepUp,
        }
    }
}

wire_struct! {
    /// [`CreateTokenOrder`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct TokenOrderBody {
        optional {
            /// The currency of the token's country; required.
            purchase_currency: Currency,
            /// Total of the order; required.
            order_amount: MinorUnits,
            /// Tax contained in the total; required.
            order_tax_amount: MinorUnits,
            /// What is bought; required.
            order_lines: Vec<OrderLineBody>,
            /// Captures the whole order at once.
            auto_capture: bool,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// Where things go.
            shipping_address: Address,
            /// Extra merchant data.
            attachment: AttachmentBody,
            /// The shopper's language.
            locale: Locale,
            /// Whether the shopper is there to recover a charge that fails.
            step_up: StepUp,
        }
    }
}

impl From<CreateTokenOrder> for TokenOrderBody {
    fn from(request: CreateTokenOrder) -> Self {
        Self {
            purchase_currency: Some(request.purchase_currency),
            order_amount: Some(request.order_amount),
            order_tax_amount: Some(request.order_tax_amount),
            order_lines: Some(request.order_lines.into_iter().map(OrderLineBody::from).collect()),
            auto_capture: request.auto_capture,
            merchant_reference1: request.merchant_reference1,
            merchant_reference2: request.merchant_reference2,
            merchant_data: request.merchant_data,
            merchant_urls: request.merchant_urls,
            shipping_address: request.shipping_address,
            attachment: request.attachment.map(AttachmentBody::from),
            locale: request.locale,
            step_up: request.step_up,
        }
    }
}

/// Answer to [`CreateTokenOrder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedTokenOrder {
    /// The key to Order Management.
    pub order_id: OrderId,
    /// Accepted or pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraud_status: Option<FraudStatus>,
    /// How the shopper pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_payment_method: Option<AuthorizedPaymentMethod>,
    /// Where to send the browser, if one is there; absent if no confirmation URL was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
}

wire_struct! {
    /// Changes a token's status. [`CustomerTokenStatus::Cancelled`] is the only one that a merchant may set, and it
    /// is for ever ("Cancel a customer token").
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct UpdateTokenStatus {
        required {
            /// The new status.
            status: CustomerTokenStatus,
        }
    }
}

impl UpdateTokenStatus {
    /// Cancels the token.
    pub fn cancel() -> Self {
        Self::new(CustomerTokenStatus::Cancelled)
    }
}

wire_struct! {
    /// [`UpdateTokenStatus`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct TokenStatusBody {
        optional {
            /// The new status; required. A text as it came: the enum would forgive its case.
            status: String,
        }
    }
}
