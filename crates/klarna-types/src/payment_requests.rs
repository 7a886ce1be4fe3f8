//! Payment requests (`/v2/payment/requests`): a server asks for a payment, and the shopper pays it on a page of Klarna's
//! or by the button of a page of the merchant's, which goes on with the id.
//!
//! | call | request | answer |
//! |---|---|---|
//! | `POST /v2/payment/requests` | [`CreatePaymentRequest`] | [`PaymentRequest`] |
//! | `GET /v2/payment/requests/{payment_request_id}` | - | [`PaymentRequest`] |
//! | `DELETE /v2/payment/requests/{payment_request_id}` | - | [`PaymentRequest`] |
//! | to the merchant: webhook `payment.request.state-change.*` | [`PaymentRequestEvent`] | any 2xx |
//!
//! Klarna publishes the browser's side of them (the Web SDK's `Payment`); the names here are the same in the API's case.
//! What is not published is marked as such in the playground's table of what it knows.

use jiff::Timestamp;
use serde::Serialize;

use crate::address::Address;
use crate::ids::PaymentRequestId;
use crate::market::{Country, Currency};
use crate::money::MinorUnits;
use crate::secret::AuthorizationToken;
use crate::wire::millis;

open_enum! {
    /// Where a payment request stands.
    pub enum PaymentRequestState: code {
        /// It waits for the shopper.
        Submitted = "SUBMITTED",
        /// The shopper is in the purchase flow.
        InProgress = "IN_PROGRESS",
        /// Approved: place the order.
        Completed = "COMPLETED",
        /// Nobody approved it within three hours.
        Expired = "EXPIRED",
        /// Called off.
        Canceled = "CANCELED" | "CANCELLED",
    }
}

impl PaymentRequestState {
    /// Whether nothing can change any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Expired | Self::Canceled)
    }
}

open_enum! {
    /// Why a payment request stands where it stands.
    pub enum StateReason: code {
        /// The merchant called it off.
        PartnerCanceled = "PARTNER_CANCELED" | "PARTNER_CANCELLED",
        /// The shopper left the purchase flow, and may come back.
        PurchaseFlowAborted = "PURCHASE_FLOW_ABORTED",
        /// Something failed at Klarna's; the shopper may try again.
        TechnicalError = "TECHNICAL_ERROR",
    }
}

open_enum! {
    /// How the shopper comes to a purchase.
    pub enum InteractionMethod: code {
        /// The browser is handed over to a page of Klarna's.
        Handover = "HANDOVER",
    }
}

open_enum! {
    /// Who says where the goods go.
    pub enum ShippingMode: code {
        /// The shopper may change it.
        Editable = "EDITABLE",
        /// The merchant has said it.
        ReadOnly = "READ_ONLY",
    }
}

open_enum! {
    /// What the merchant wants to be told of the shopper.
    pub enum ProfileScope: exact {
        /// Given and family name.
        Name = "profile:name",
        /// E-mail address.
        Email = "profile:email",
        /// Phone number.
        Phone = "profile:phone",
        /// Language and country.
        Locale = "profile:locale",
        /// Billing address.
        BillingAddress = "profile:billing_address",
        /// Country.
        Country = "profile:country",
        /// National identification number.
        NationalIdentification = "profile:national_identification",
        /// Day of birth.
        DateOfBirth = "profile:date_of_birth",
    }
}

wire_struct! {
    /// Where the shopper's browser goes.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerInteractionConfig {
        optional {
            /// How the shopper comes to the purchase.
            method: InteractionMethod,
            /// Where the browser goes at the end. May name the request in braces, such as
            /// `{klarna.payment_request.id}` and `{klarna.payment_request.state}`.
            return_url: String,
        }
    }
}

wire_struct! {
    /// Whether, and where, goods are sent.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ShippingConfig {
        optional {
            /// Who says where the goods go.
            mode: ShippingMode,
            /// Where goods are sent at all; everywhere if none is named.
            supported_countries: Vec<Country>,
        }
    }
}

wire_struct! {
    /// One line of what is bought. Amounts include tax.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct LineItem {
        required {
            /// What it is called.
            name: String,
            /// How many.
            quantity: u32,
            /// What all of them cost.
            total_amount: MinorUnits,
        }
        optional {
            /// The tax in it.
            total_tax_amount: MinorUnits,
            /// What one costs.
            unit_price: MinorUnits,
            /// The merchant's own name for the line.
            line_item_reference: String,
        }
    }
}

wire_struct! {
    /// What is bought.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct SupplementaryPurchaseData {
        optional {
            /// The merchant's own name for the purchase.
            purchase_reference: String,
            /// The lines. Their amounts add up to the request's.
            line_items: Vec<LineItem>,
        }
    }
}

wire_struct! {
    /// Asks for a payment.
    ///
    /// ```
    /// use klarna_types::payment_requests::{CreatePaymentRequest, LineItem, ProfileScope, SupplementaryPurchaseData};
    /// use klarna_types::{Currency, MinorUnits};
    /// let mugs = LineItem::new("Mug", 2_u32, MinorUnits::new(19_800));
    /// let request = CreatePaymentRequest::new(Currency::SEK)
    ///     .amount(MinorUnits::new(19_800))
    ///     .payment_request_reference("WEB-1001")
    ///     .collect_customer_profile([ProfileScope::Email])
    ///     .supplementary_purchase_data(SupplementaryPurchaseData::new().line_items([mugs]));
    /// assert_eq!(serde_json::to_value(&request)?["collect_customer_profile"][0], "profile:email");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreatePaymentRequest {
        required {
            /// The currency.
            currency: Currency,
        }
        optional {
            /// The amount with tax; what the line items add up to if it is left out.
            amount: MinorUnits,
            /// The merchant's own name for it.
            payment_request_reference: String,
            /// The shopper's language and country, such as `sv-SE`; it decides the market.
            locale: String,
            /// Where the shopper's browser goes.
            customer_interaction_config: CustomerInteractionConfig,
            /// What the merchant wants to be told of the shopper.
            collect_customer_profile: Vec<ProfileScope>,
            /// Whether, and where, goods are sent.
            shipping_config: ShippingConfig,
            /// What is bought.
            supplementary_purchase_data: SupplementaryPurchaseData,
        }
    }
}

wire_struct! {
    /// How the shopper comes to the purchase.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerInteraction {
        optional {
            /// How.
            method: InteractionMethod,
            /// The request.
            payment_request_id: PaymentRequestId,
            /// The page on which it is paid: send the shopper there, by a link, a message or a QR image.
            payment_request_url: String,
        }
    }
}

wire_struct! {
    /// The shopper, as far as [`CreatePaymentRequest::collect_customer_profile`] asked. `Debug` shows the country, the
    /// locale, and which other members are set.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CustomerProfile {
        optional {
            /// Given name.
            given_name: String,
            /// Family name.
            family_name: String,
            /// E-mail address.
            email: String,
            /// Phone number.
            phone: String,
            /// Day of birth, `YYYY-MM-DD`.
            date_of_birth: String,
            /// National identification number.
            national_identification_number: String,
            /// Billing address.
            address: Address,
            /// Country.
            country: Country,
            /// Language and country.
            locale: String,
        }
    }
}

redacted_debug!(CustomerProfile {
    shown: [country, locale],
    hidden: [
        given_name,
        family_name,
        email,
        phone,
        date_of_birth,
        national_identification_number,
        address
    ]
});

wire_struct! {
    /// Whom Klarna knows the shopper as.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct KlarnaCustomer {
        optional {
            /// What was asked for.
            customer_profile: CustomerProfile,
        }
    }
}

wire_struct! {
    /// Where the goods go.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Shipping {
        optional {
            /// To whom: name, e-mail address and phone number.
            recipient: Address,
            /// Where.
            address: Address,
            /// How: the shipping option that the shopper chose.
            shipping_option_reference: String,
        }
    }
}

wire_struct! {
    /// What belongs to the state: how to pay while the request is open, what came of it once it is completed.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct StateContext {
        optional {
            /// While it is open: how the shopper comes to the purchase.
            customer_interaction: CustomerInteraction,
            /// Once completed: an authorization token by its older name. Places the order.
            payment_token: AuthorizationToken,
            /// Once completed: the newer token under its name of between.
            interoperability_token: AuthorizationToken,
            /// Once completed: the newer token. Places the order.
            klarna_network_session_token: AuthorizationToken,
            /// Once completed: the shopper, as far as it was asked.
            klarna_customer: KlarnaCustomer,
            /// Once completed: where the goods go, if it was asked.
            shipping: Shipping,
        }
    }
}

wire_struct! {
    /// A payment request.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct PaymentRequest {
        required {
            /// Its id.
            payment_request_id: PaymentRequestId,
            /// Where it stands.
            state: PaymentRequestState,
        }
        optional {
            /// Where it stood before.
            previous_state: PaymentRequestState,
            /// Why it stands there.
            state_reason: StateReason,
            /// What belongs to the state.
            state_context: StateContext,
            /// The merchant's own name for it.
            payment_request_reference: String,
            /// When it was made.
            #[serde(with = "millis::option")]
            created_at: Timestamp,
            /// When it ends unless it is completed.
            #[serde(with = "millis::option")]
            expires_at: Timestamp,
        }
    }
}

impl PaymentRequest {
    /// The page on which it is paid, while it is open.
    pub fn url(&self) -> Option<&str> {
        let interaction = self.state_context.as_ref()?.customer_interaction.as_ref()?;
        interaction.payment_request_url.as_deref()
    }

    /// Once it is completed: what places the order.
    pub fn order_token(&self) -> Option<&AuthorizationToken> {
        let context = self.state_context.as_ref()?;
        context.klarna_network_session_token.as_ref().or(context.payment_token.as_ref())
    }
}

open_enum! {
    /// What happened to a payment request.
    pub enum PaymentRequestEventType: exact {
        /// Made.
        Submitted = "payment.request.state-change.submitted",
        /// The shopper is in the purchase flow.
        InProgress = "payment.request.state-change.in-progress",
        /// Approved.
        Completed = "payment.request.state-change.completed",
        /// Nobody approved it in time.
        Expired = "payment.request.state-change.expired",
        /// Called off.
        Canceled = "payment.request.state-change.canceled",
    }
}

wire_struct! {
    /// About the message itself.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct EventMetadata {
        required {
            /// What happened.
            event_type: PaymentRequestEventType,
            /// Unique; a repeated delivery has the same.
            event_id: String,
        }
        optional {
            /// `v2`.
            event_version: String,
            /// Names the message in Klarna's logs.
            correlation_id: String,
            /// When it happened.
            #[serde(with = "millis::option")]
            occurred_at: Timestamp,
            /// The webhook that it is delivered to.
            webhook_id: String,
            /// Whether it is about real money.
            live: bool,
            /// The account that it is about.
            subject_account_id: String,
            /// The account that it is delivered to.
            recipient_account_id: String,
        }
    }
}

wire_struct! {
    /// The request, as far as the message shows it. What a reader of a completed request finds in its `state_context`
    /// stands beside the others here.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct EventPayload {
        required {
            /// The request.
            payment_request_id: PaymentRequestId,
            /// Where it stands.
            state: PaymentRequestState,
        }
        optional {
            /// Where it stood before.
            previous_state: PaymentRequestState,
            /// Why it stands there.
            state_reason: StateReason,
            /// The merchant's own name for it.
            payment_request_reference: String,
            /// Once completed: an authorization token by its older name.
            payment_token: AuthorizationToken,
            /// Once completed: the newer token under its name of between.
            interoperability_token: AuthorizationToken,
            /// Once completed: the newer token.
            klarna_network_session_token: AuthorizationToken,
            /// Once completed: the shopper, as far as it was asked.
            klarna_customer: KlarnaCustomer,
            /// Once completed: where the goods go, if it was asked.
            shipping: Shipping,
        }
    }
}

wire_struct! {
    /// What Klarna posts to a merchant's webhook when a payment request changes, signed as the messages about disputes
    /// are ([`crate::disputes::webhook`]). A hint: read the request before acting on it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct PaymentRequestEvent {
        required {
            /// About the message.
            metadata: EventMetadata,
            /// The request.
            payload: EventPayload,
        }
    }
}
