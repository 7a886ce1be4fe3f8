//! The Klarna Payments API (`/payments/v1`): sessions, authorizations, orders and customer tokens made from them, and
//! the calls that Klarna makes to the merchant.
//!
//! | call | request | answer |
//! |---|---|---|
//! | `POST sessions` | [`CreateSession`] | [`CreatedSession`] |
//! | `GET sessions/{id}` | - | [`Session`] |
//! | `POST sessions/{id}` | [`UpdateSession`] | nothing |
//! | `DELETE authorizations/{token}` | - | nothing |
//! | `POST authorizations/{token}/order` | [`CreateOrder`] | [`CreatedOrder`] |
//! | `POST authorizations/{token}/customer-token` | [`CreateCustomerToken`] | [`CreatedCustomerToken`] |
//!
//! A server reads all three session-shaped requests as [`SessionBody`] and the last one as [`CustomerTokenBody`], where
//! nothing is required, so that a missing member can be answered by name.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::address::Address;
use crate::customer::Customer;
use crate::ids::{CustomerTokenId, OrderId, SessionId};
use crate::in_store::{CreatedDistribution, Distribution, DistributionBody};
use crate::market::{Country, Currency, Locale};
use crate::money::MinorUnits;
use crate::order_line::{OrderLine, OrderLineBody};
use crate::secret::{AuthorizationToken, ClientToken, Stars};
use crate::wire::null_as_default;

open_enum! {
    /// What the session is for. Absent means a purchase.
    pub enum Intent: exact {
        /// A purchase.
        Buy = "buy",
        /// A customer token only.
        Tokenize = "tokenize",
        /// A customer token and a first purchase.
        BuyAndTokenize = "buy_and_tokenize",
        /// Mixed payments; in Klarna's guides only.
        BuyAndDefaultTokenize = "buy_and_default_tokenize",
        /// Account linking; in Klarna's guides only.
        BuyAndLink = "buy_and_link",
    }
}

open_enum! {
    /// Whether a session has led to an order.
    pub enum SessionStatus: exact {
        /// It has.
        Complete = "complete",
        /// Not yet.
        Incomplete = "incomplete",
    }
}

open_enum! {
    /// Through which channel the shopper buys.
    pub enum AcquiringChannel: any_case {
        /// The web, the default.
        Ecommerce = "ECOMMERCE",
        /// A physical store.
        InStore = "IN_STORE",
        /// The telephone.
        Telesales = "TELESALES",
    }
}

open_enum! {
    /// Klarna's risk decision on an order.
    pub enum FraudStatus: exact {
        /// The order stands.
        Accepted = "ACCEPTED",
        /// Under review: do not ship yet.
        Pending = "PENDING",
        /// Refused.
        Rejected = "REJECTED",
        /// Treat like a refusal; seen in the field, not documented.
        Stopped = "STOPPED",
    }
}

open_enum! {
    /// What the fraud notification says. Whatever it says, read the order before acting.
    pub enum FraudEventType: exact {
        /// The review accepted the order.
        Accepted = "FRAUD_RISK_ACCEPTED",
        /// The review refused the order.
        Rejected = "FRAUD_RISK_REJECTED",
        /// Seen in the field, not documented.
        Stopped = "FRAUD_RISK_STOPPED",
    }
}

open_enum! {
    /// How the shopper chose to pay.
    #[non_exhaustive]
    pub enum PaymentMethodType: exact {
        /// Pay later by invoice.
        Invoice = "invoice",
        /// Fixed instalments.
        FixedAmount = "fixed_amount",
        /// Revolving account.
        BaseAccount = "base_account",
        /// Direct debit.
        DirectDebit = "direct_debit",
        /// Bank transfer.
        DirectBankTransfer = "direct_bank_transfer",
        /// Invoice to a business.
        B2bInvoice = "b2b_invoice",
        /// Card.
        Card = "card",
        /// Instalments charged to a card.
        SliceItByCard = "slice_it_by_card",
        /// Pay later, charged to a card.
        PayLaterByCard = "pay_later_by_card",
        /// Pay now, charged to a card.
        PayByCard = "pay_by_card",
        /// Financing with a fixed sum.
        FixedSumCredit = "fixed_sum_credit",
        /// Another method.
        AlternativePaymentMethod = "alternative_payment_method",
        /// Pix.
        Pix = "pix",
        /// Deferred interest.
        DeferredInterest = "deferred_interest",
    }
}

open_enum! {
    /// What a customer token is for.
    pub enum IntendedUse: any_case {
        /// Recurring and on-demand charges.
        Subscription = "SUBSCRIPTION",
    }
}

open_enum! {
    /// A group of payment methods that the widget can show.
    pub enum PaymentMethodCategoryIdentifier: exact {
        /// All of them in one widget; what current sessions get.
        Klarna = "klarna",
        /// Pay later.
        PayLater = "pay_later",
        /// Pay now.
        PayNow = "pay_now",
        /// Pay over time.
        PayOverTime = "pay_over_time",
        /// Bank transfer.
        DirectBankTransfer = "direct_bank_transfer",
        /// Direct debit.
        DirectDebit = "direct_debit",
    }
}

wire_struct! {
    /// Where Klarna finds the merchant. `{session.id}` and `{order.id}` are replaced in all but `authorization`.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct MerchantUrls {
        optional {
            /// Where the shopper's browser ends up.
            confirmation: String,
            /// Called with the outcome of a fraud review.
            notification: String,
            /// Called when an order is completed.
            push: String,
            /// Called with each authorization token. Put a one-time secret into it.
            authorization: String,
            /// Where a native app takes over again; not http(s).
            app_return_url: String,
        }
    }
}

wire_struct! {
    /// Colours and corners of the widget.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Options {
        optional {
            /// `#rrggbb`.
            color_border: String,
            /// `#rrggbb`.
            color_border_selected: String,
            /// `#rrggbb`.
            color_details: String,
            /// `#rrggbb`.
            color_text: String,
            /// Such as `5px`.
            radius_border: String,
        }
    }
}

/// Extra merchant data (EMD): a JSON document as a string. It holds personal data, so `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The serialized JSON document.
    pub body: String,
    /// [`Attachment::CONTENT_TYPE`].
    pub content_type: String,
}

impl Attachment {
    /// The only content type that is known.
    pub const CONTENT_TYPE: &'static str = "application/vnd.klarna.internal.emd-v2+json";

    /// Wraps a JSON document: an object whose members are lists of objects, one list for each package.
    pub fn new(document: &serde_json::Value) -> Self {
        Self { body: document.to_string(), content_type: Self::CONTENT_TYPE.to_owned() }
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Attachment")
            .field("content_type", &self.content_type)
            .field("body", &Stars)
            .finish()
    }
}

wire_struct! {
    /// [`Attachment`] as a server reads it. `body` may be anything: one of Klarna's samples shows an object.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct AttachmentBody {
        optional {
            /// Should be a string that holds a JSON document.
            body: serde_json::Value,
            /// Should be [`Attachment::CONTENT_TYPE`].
            content_type: String,
        }
    }
}

impl std::fmt::Debug for AttachmentBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AttachmentBody")
            .field("content_type", &self.content_type)
            .field("body", &self.body.as_ref().map(|_| Stars))
            .finish()
    }
}

impl From<Attachment> for AttachmentBody {
    fn from(attachment: Attachment) -> Self {
        Self {
            body: Some(serde_json::Value::String(attachment.body)),
            content_type: Some(attachment.content_type),
        }
    }
}

wire_struct! {
    /// Opens a session.
    ///
    /// Personal data (addresses, customer, attachment) belongs into the browser's `authorize` call, not here.
    ///
    /// ```
    /// use klarna_types::{cart::{Cart, Item, Prices}, payments::CreateSession, Country, Currency, MinorUnits, TaxRate};
    ///
    /// let cart = Cart::builder(Country::SE, Prices::IncludingTax)
    ///     .item(Item::new("Mugg", 1, MinorUnits::new(14900), TaxRate::percent(25)))
    ///     .build()?;
    /// let request = CreateSession::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines)
    ///     .order_tax_amount(cart.order_tax_amount)
    ///     .locale("sv-SE");
    /// assert_eq!(serde_json::to_value(&request)?["order_tax_amount"], 2980);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateSession {
        required {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// Total of the order.
            order_amount: MinorUnits,
            /// What is bought; 1 to 1000 lines.
            order_lines: Vec<OrderLine>,
        }
        optional {
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// The shopper's language.
            locale: Locale,
            /// What the session is for.
            intent: Intent,
            /// Billing address.
            billing_address: Address,
            /// Shipping address; a missing one is copied from the billing address.
            shipping_address: Address,
            /// The shopper.
            customer: Customer,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// The shop's order number, shown to the shopper.
            merchant_reference1: String,
            /// Another number of the shop, also in settlements.
            merchant_reference2: String,
            /// The merchant's own data, passed through.
            merchant_data: String,
            /// Extra merchant data.
            attachment: Attachment,
            /// Promotion codes agreed with Klarna.
            custom_payment_method_ids: Vec<String>,
            /// Through which channel the shopper buys.
            acquiring_channel: AcquiringChannel,
            /// An agreed design package.
            design: String,
            /// Colours of the widget.
            options: Options,
            /// Recovers a refused token charge.
            step_up_id: String,
            /// Brings the purchase to the shopper's phone in a store.
            distribution: Distribution,
        }
    }
}

wire_struct! {
    /// Changes a session: what is set replaces what was there, member by member; lists and addresses as a whole.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct UpdateSession {
        optional {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// Total of the order.
            order_amount: MinorUnits,
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// What is bought.
            order_lines: Vec<OrderLine>,
            /// The shopper's language.
            locale: Locale,
            /// What the session is for.
            intent: Intent,
            /// Billing address.
            billing_address: Address,
            /// Shipping address.
            shipping_address: Address,
            /// The shopper.
            customer: Customer,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Extra merchant data.
            attachment: Attachment,
            /// Promotion codes agreed with Klarna.
            custom_payment_method_ids: Vec<String>,
            /// Through which channel the shopper buys.
            acquiring_channel: AcquiringChannel,
            /// An agreed design package.
            design: String,
            /// Colours of the widget.
            options: Options,
        }
    }
}

wire_struct! {
    /// Places the order for an authorization. Country, currency, amounts, lines and addresses must be those that the
    /// shopper authorised.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateOrder {
        required {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// Total of the order.
            order_amount: MinorUnits,
            /// What is bought.
            order_lines: Vec<OrderLine>,
        }
        optional {
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// The shopper's language.
            locale: Locale,
            /// Captures the whole order at once; needs Klarna's permission. Absent means no.
            auto_capture: bool,
            /// Billing address.
            billing_address: Address,
            /// Shipping address.
            shipping_address: Address,
            /// The shopper.
            customer: Customer,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Promotion codes agreed with Klarna.
            custom_payment_method_ids: Vec<String>,
        }
    }
}

wire_struct! {
    /// Makes a customer token from an authorization.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateCustomerToken {
        required {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// The shopper's language.
            locale: Locale,
            /// What the token is for, in words that the shopper reads.
            description: String,
            /// What the token is for.
            intended_use: IntendedUse,
        }
        optional {
            /// Billing address; must be the authorised one.
            billing_address: Address,
            /// The shopper; must be the authorised one.
            customer: Customer,
        }
    }
}

wire_struct! {
    /// [`CreateSession`], [`UpdateSession`] and [`CreateOrder`] as a server reads them: nothing is required yet.
    /// Members that only some of the three have are simply not looked at in the others.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct SessionBody {
        optional {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// The shopper's language.
            locale: Locale,
            /// Total of the order.
            order_amount: MinorUnits,
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// What is bought.
            order_lines: Vec<OrderLineBody>,
            /// What the session is for.
            intent: Intent,
            /// Billing address.
            billing_address: Address,
            /// Shipping address.
            shipping_address: Address,
            /// The shopper.
            customer: Customer,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Extra merchant data.
            attachment: AttachmentBody,
            /// Promotion codes.
            custom_payment_method_ids: Vec<String>,
            /// Through which channel the shopper buys.
            acquiring_channel: AcquiringChannel,
            /// An agreed design package.
            design: String,
            /// Colours of the widget.
            options: Options,
            /// Recovers a refused token charge.
            step_up_id: String,
            /// Brings the purchase to the shopper's phone in a store; new sessions only.
            distribution: DistributionBody,
            /// Captures the whole order at once; orders only.
            auto_capture: bool,
        }
    }
}

fn line_bodies(lines: Vec<OrderLine>) -> Vec<OrderLineBody> {
    lines.into_iter().map(OrderLineBody::from).collect()
}

impl From<CreateSession> for SessionBody {
    fn from(request: CreateSession) -> Self {
        Self {
            purchase_country: Some(request.purchase_country),
            purchase_currency: Some(request.purchase_currency),
            locale: request.locale,
            order_amount: Some(request.order_amount),
            order_tax_amount: request.order_tax_amount,
            order_lines: Some(line_bodies(request.order_lines)),
            intent: request.intent,
            billing_address: request.billing_address,
            shipping_address: request.shipping_address,
            customer: request.customer,
            merchant_urls: request.merchant_urls,
            merchant_reference1: request.merchant_reference1,
            merchant_reference2: request.merchant_reference2,
            merchant_data: request.merchant_data,
            attachment: request.attachment.map(AttachmentBody::from),
            custom_payment_method_ids: request.custom_payment_method_ids,
            acquiring_channel: request.acquiring_channel,
            design: request.design,
            options: request.options,
            step_up_id: request.step_up_id,
            distribution: request.distribution.map(DistributionBody::from),
            auto_capture: None,
        }
    }
}

impl From<UpdateSession> for SessionBody {
    fn from(request: UpdateSession) -> Self {
        Self {
            purchase_country: request.purchase_country,
            purchase_currency: request.purchase_currency,
            locale: request.locale,
            order_amount: request.order_amount,
            order_tax_amount: request.order_tax_amount,
            order_lines: request.order_lines.map(line_bodies),
            intent: request.intent,
            billing_address: request.billing_address,
            shipping_address: request.shipping_address,
            customer: request.customer,
            merchant_urls: request.merchant_urls,
            merchant_reference1: request.merchant_reference1,
            merchant_reference2: request.merchant_reference2,
            merchant_data: request.merchant_data,
            attachment: request.attachment.map(AttachmentBody::from),
            custom_payment_method_ids: request.custom_payment_method_ids,
            acquiring_channel: request.acquiring_channel,
            design: request.design,
            options: request.options,
            step_up_id: None,
            distribution: None,
            auto_capture: None,
        }
    }
}

impl From<CreateOrder> for SessionBody {
    fn from(request: CreateOrder) -> Self {
        Self {
            purchase_country: Some(request.purchase_country),
            purchase_currency: Some(request.purchase_currency),
            locale: request.locale,
            order_amount: Some(request.order_amount),
            order_tax_amount: request.order_tax_amount,
            order_lines: Some(line_bodies(request.order_lines)),
            billing_address: request.billing_address,
            shipping_address: request.shipping_address,
            customer: request.customer,
            merchant_urls: request.merchant_urls,
            merchant_reference1: request.merchant_reference1,
            merchant_reference2: request.merchant_reference2,
            merchant_data: request.merchant_data,
            custom_payment_method_ids: request.custom_payment_method_ids,
            auto_capture: request.auto_capture,
            ..Self::default()
        }
    }
}

wire_struct! {
    /// [`CreateCustomerToken`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerTokenBody {
        optional {
            /// Where the shopper buys; required.
            purchase_country: Country,
            /// The country's currency; required.
            purchase_currency: Currency,
            /// The shopper's language; required.
            locale: Locale,
            /// What the token is for; required.
            description: String,
            /// What the token is for; required.
            intended_use: IntendedUse,
            /// Billing address.
            billing_address: Address,
            /// The shopper.
            customer: Customer,
        }
    }
}

impl From<CreateCustomerToken> for CustomerTokenBody {
    fn from(request: CreateCustomerToken) -> Self {
        Self {
            purchase_country: Some(request.purchase_country),
            purchase_currency: Some(request.purchase_currency),
            locale: Some(request.locale),
            description: Some(request.description),
            intended_use: Some(request.intended_use),
            billing_address: request.billing_address,
            customer: request.customer,
        }
    }
}

/// A group of payment methods that the widget can show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethodCategory {
    /// What `load` and `authorize` take.
    pub identifier: PaymentMethodCategoryIdentifier,
    /// What the shopper reads, in the session's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pictures; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_urls: Option<AssetUrls>,
}

wire_struct! {
    /// Pictures of a payment method category.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct AssetUrls {
        optional {
            /// With words.
            descriptive: String,
            /// Without words.
            standard: String,
        }
    }
}

/// Answer to [`CreateSession`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedSession {
    /// The session.
    pub session_id: SessionId,
    /// For the browser library.
    pub client_token: ClientToken,
    /// What the widget can show; empty if nothing can be offered.
    #[serde(default, deserialize_with = "null_as_default")]
    pub payment_method_categories: Vec<PaymentMethodCategory>,
    /// In-store sessions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<CreatedDistribution>,
}

wire_struct! {
    /// A session as Klarna shows it. Addresses and the customer appear only once the shopper has authorised.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Session {
        optional {
            /// Where the shopper buys.
            purchase_country: Country,
            /// The country's currency.
            purchase_currency: Currency,
            /// The shopper's language.
            locale: Locale,
            /// Total of the order.
            order_amount: MinorUnits,
            /// Tax contained in the total.
            order_tax_amount: MinorUnits,
            /// What is bought.
            order_lines: Vec<OrderLine>,
            /// What the session is for.
            intent: Intent,
            /// Whether it has led to an order.
            status: SessionStatus,
            /// When the session ends.
            #[serde(with = "crate::wire::millis::option")]
            expires_at: Timestamp,
            /// For the browser library.
            client_token: ClientToken,
            /// The shopper's approval, if there is one.
            authorization_token: AuthorizationToken,
            /// Billing address.
            billing_address: Address,
            /// Shipping address.
            shipping_address: Address,
            /// The shopper, in its reduced form.
            customer: Customer,
            /// Where Klarna finds the merchant.
            merchant_urls: MerchantUrls,
            /// The shop's order number.
            merchant_reference1: String,
            /// Another number of the shop.
            merchant_reference2: String,
            /// The merchant's own data.
            merchant_data: String,
            /// Extra merchant data.
            attachment: Attachment,
            /// Promotion codes.
            custom_payment_method_ids: Vec<String>,
            /// Through which channel the shopper buys.
            acquiring_channel: AcquiringChannel,
            /// An agreed design package.
            design: String,
            /// Colours of the widget.
            options: Options,
            /// What the widget can show.
            payment_method_categories: Vec<PaymentMethodCategory>,
        }
    }
}

/// How the shopper pays. Read from an object or, as some of Klarna's samples show it, from a bare string.
///
/// ```
/// use klarna_types::payments::{AuthorizedPaymentMethod, PaymentMethodType};
/// let method: AuthorizedPaymentMethod = serde_json::from_str(r#""invoice""#)?;
/// assert_eq!(method, AuthorizedPaymentMethod::new(PaymentMethodType::Invoice));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizedPaymentMethod {
    /// Kind of payment.
    #[serde(rename = "type")]
    pub kind: PaymentMethodType,
    /// Days until payment is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_days: Option<i32>,
    /// How many instalments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_installments: Option<i32>,
}

impl AuthorizedPaymentMethod {
    /// A method of this kind, without days or instalments.
    pub fn new(kind: PaymentMethodType) -> Self {
        Self { kind, number_of_days: None, number_of_installments: None }
    }
}

impl<'de> Deserialize<'de> for AuthorizedPaymentMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Bare(PaymentMethodType),
            Object {
                #[serde(rename = "type")]
                kind: PaymentMethodType,
                #[serde(default)]
                number_of_days: Option<i32>,
                #[serde(default)]
                number_of_installments: Option<i32>,
            },
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Bare(kind) => Self::new(kind),
            Either::Object { kind, number_of_days, number_of_installments } => {
                Self { kind, number_of_days, number_of_installments }
            }
        })
    }
}

/// Answer to [`CreateOrder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedOrder {
    /// The key to Order Management.
    pub order_id: OrderId,
    /// Where to send the browser; absent if no confirmation URL was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// Accepted or pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraud_status: Option<FraudStatus>,
    /// How the shopper pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_payment_method: Option<AuthorizedPaymentMethod>,
}

/// Answer to [`CreateCustomerToken`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedCustomerToken {
    /// The token.
    pub token_id: CustomerTokenId,
    /// Where to send the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// Names the payment method behind the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method_reference: Option<String>,
    /// The authorised address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// The authorised shopper, in its reduced form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
}

/// What Klarna posts to `merchant_urls.authorization`. Store it, answer 2xx fast, place the order afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCallback {
    /// The shopper's approval.
    pub authorization_token: AuthorizationToken,
    /// Its session.
    pub session_id: SessionId,
    /// Seen with payment providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference1: Option<String>,
    /// Seen with payment providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_reference2: Option<String>,
}

/// What Klarna posts to `merchant_urls.notification`. It is a hint: read the order before acting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudNotification {
    /// The order.
    pub order_id: OrderId,
    /// What the review decided.
    pub event_type: FraudEventType,
    /// When; in Klarna's prose but not in its sample.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::wire::millis::option"
    )]
    pub event_timestamp: Option<Timestamp>,
}
