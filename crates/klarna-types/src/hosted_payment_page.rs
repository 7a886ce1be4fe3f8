//! The Hosted Payment Page API (HPP, `/hpp/v1`): Klarna hosts the page on which the shopper pays in a Payments
//! session.
//!
//! Klarna's documentation: *Create session with Hosted Payment Page*, *Read Session*, *Disable Session*, *Distribute
//! Session* and *Status Callbacks*; the fields are those of the OpenAPI document "Klarna HPP", version 1.1.
//!
//! Use the URLs that an answer gives; Klarna says that their form may change.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{HostedSessionId, KlarnaReference, OrderId};
use crate::market::Country;
use crate::secret::AuthorizationToken;

open_enum! {
    /// What the page does once the shopper has approved. Absent means [`PlaceOrderMode::None`].
    ///
    /// Read in any case, as Klarna's samples write it in lower case and its OpenAPI document in upper case.
    pub enum PlaceOrderMode: any_case {
        /// The merchant gets the authorization token and places the order within 60 minutes.
        None = "NONE",
        /// The page places the order.
        PlaceOrder = "PLACE_ORDER",
        /// The page places the order and captures all of it.
        CaptureOrder = "CAPTURE_ORDER",
    }
}

open_enum! {
    /// A group of payment methods that the page may show: the names of the Payments API in upper case.
    pub enum PaymentMethodCategory: any_case {
        /// Direct debit.
        DirectDebit = "DIRECT_DEBIT",
        /// Bank transfer.
        DirectBankTransfer = "DIRECT_BANK_TRANSFER",
        /// Pay now.
        PayNow = "PAY_NOW",
        /// Pay later.
        PayLater = "PAY_LATER",
        /// Pay over time.
        PayOverTime = "PAY_OVER_TIME",
        /// All of them.
        Klarna = "KLARNA",
    }
}

open_enum! {
    /// What the page's last button says, in the shopper's language. Absent means [`PurchaseType::Buy`].
    pub enum PurchaseType: any_case {
        /// Buy.
        Buy = "BUY",
        /// Rent.
        Rent = "RENT",
        /// Book.
        Book = "BOOK",
        /// Subscribe.
        Subscribe = "SUBSCRIBE",
        /// Download.
        Download = "DOWNLOAD",
        /// Order.
        Order = "ORDER",
        /// Continue.
        Continue = "CONTINUE",
        /// Pay; in Klarna's guides only.
        Pay = "PAY",
    }
}

open_enum! {
    /// Whether the page shows what the total is made of.
    pub enum SubtotalDetail: any_case {
        /// Only the total.
        Hide = "HIDE",
    }
}

open_enum! {
    /// How a link to the page reaches the shopper.
    pub enum DistributionMethod: any_case {
        /// By text message.
        Sms = "sms",
        /// By e-mail.
        Email = "email",
        /// To the device whose code was scanned in the store.
        Token = "token",
    }
}

open_enum! {
    /// The form of a distributed message. Klarna does not use it today.
    pub enum DistributionTemplate: any_case {
        /// A purchase in a store.
        InstorePurchase = "INSTORE_PURCHASE",
    }
}

open_enum! {
    /// Where a hosted session is.
    #[non_exhaustive]
    pub enum SessionStatus: any_case {
        /// The shopper has not opened the page yet.
        Waiting = "WAITING",
        /// The shopper is on the page.
        InProgress = "IN_PROGRESS",
        /// Authorised, and placed or captured as asked. Final.
        Completed = "COMPLETED",
        /// Declined; the shopper may try again.
        Failed = "FAILED",
        /// The shopper went back to the shop, and may return.
        Back = "BACK",
        /// A technical error; the shopper may try again.
        Error = "ERROR",
        /// The shopper cancelled. Final.
        Cancelled = "CANCELLED",
        /// The merchant disabled the session. Final.
        Disabled = "DISABLED",
        /// The staff of a store must look at an identity document.
        ManualIdCheck = "MANUAL_ID_CHECK",
        /// The shopper left without a word. Seen in callbacks only.
        Timeout = "TIMEOUT",
    }
}

impl SessionStatus {
    /// Whether nothing can follow. A value that this version does not know is not final.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Disabled)
    }
}

wire_struct! {
    /// Where the shopper's browser goes from the page, and where Klarna reports what happens.
    ///
    /// `{{session_id}}` is replaced in all of them, `{{authorization_token}}` in `success` when the merchant places the
    /// order, and `{{order_id}}` in `success` when the page does. `Debug` shows none of them whole: merchants put
    /// secrets into `status_update`.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct MerchantUrls {
        optional {
            /// Approved. Without it Klarna shows a page of its own, as for the next three.
            success: String,
            /// Cancelled.
            cancel: String,
            /// Back to the shop. With it the page has a back button in the place of the cancel button.
            back: String,
            /// Declined.
            failure: String,
            /// A technical error; without it the browser goes to `failure`.
            error: String,
            /// Called with each change of the status ([`StatusCallback`]). Put a one-time secret into it.
            status_update: String,
        }
    }
}

redacted_debug!(MerchantUrls {
    shown: [success, cancel, back, failure, error],
    hidden: [status_update]
});

wire_struct! {
    /// A picture behind the page.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct BackgroundImage {
        optional {
            /// Where it is, `https`.
            url: String,
            /// How wide it is, in pixels. The one that fits the shopper's screen best is shown.
            width: i64,
        }
    }
}

wire_struct! {
    /// How the page looks and what it does.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Options {
        optional {
            /// What happens once the shopper has approved.
            place_order_mode: PlaceOrderMode,
            /// The one category to show. Not together with `payment_method_categories`.
            payment_method_category: PaymentMethodCategory,
            /// The categories to show.
            payment_method_categories: Vec<PaymentMethodCategory>,
            /// Whether the session's other categories are offered before a refusal. In older documents only.
            payment_fallback: bool,
            /// What the last button says.
            purchase_type: PurchaseType,
            /// The page's heading, in the shopper's language. `Complete your purchase` when absent.
            page_title: String,
            /// Pictures to show behind the page.
            background_images: Vec<BackgroundImage>,
            /// The shop's logo.
            logo_url: String,
            /// Whether the page shows what the total is made of.
            show_subtotal_detail: SubtotalDetail,
        }
    }
}

wire_struct! {
    /// Opens a hosted session for a Payments session. It cannot be changed afterwards: open another one.
    ///
    /// ```
    /// use klarna_types::hosted_payment_page::{CreateSession, MerchantUrls, Options, PlaceOrderMode};
    ///
    /// let request = CreateSession::new("https://api.playground.klarna.com/payments/v1/sessions/92d97f60")
    ///     .merchant_urls(MerchantUrls::new().success("https://shop.example/thanks?order={{order_id}}"))
    ///     .options(Options::new().place_order_mode(PlaceOrderMode::PlaceOrder));
    /// assert_eq!(serde_json::to_value(&request)?["options"]["place_order_mode"], "PLACE_ORDER");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreateSession {
        required {
            /// The API URL of the Payments session, `{base}/payments/v1/sessions/{session_id}`.
            payment_session_url: String,
        }
        optional {
            /// Where the browser goes, and where Klarna reports.
            merchant_urls: MerchantUrls,
            /// How the page looks and what it does.
            options: Options,
            /// A stored set of default options.
            profile_id: String,
        }
    }
}

wire_struct! {
    /// [`CreateSession`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CreateSessionBody {
        optional {
            /// The API URL of the Payments session.
            payment_session_url: String,
            /// Where the browser goes, and where Klarna reports.
            merchant_urls: MerchantUrls,
            /// How the page looks and what it does.
            options: Options,
            /// A stored set of default options.
            profile_id: String,
        }
    }
}

impl From<CreateSession> for CreateSessionBody {
    fn from(request: CreateSession) -> Self {
        Self {
            payment_session_url: Some(request.payment_session_url),
            merchant_urls: request.merchant_urls,
            options: request.options,
            profile_id: request.profile_id,
        }
    }
}

wire_struct! {
    /// The way into the distribution module, a page for a store's staff.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributionModule {
        optional {
            /// A token for the module.
            token: String,
            /// Where the module is; `{{profile_id}}` and `{{view_id}}` are for the integrator to fill in.
            standalone_url: String,
            /// Where to get another token.
            generation_url: String,
        }
    }
}

redacted_debug!(DistributionModule { shown: [standalone_url, generation_url], hidden: [token] });

wire_struct! {
    /// Answer to [`CreateSession`].
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct CreatedSession {
        required {
            /// The hosted session; not the id of the Payments session.
            session_id: HostedSessionId,
        }
        optional {
            /// Where to read and to disable it. Needs credentials.
            session_url: String,
            /// The page. Send the shopper's browser here.
            redirect_url: String,
            /// A picture of a code that leads to the page; public.
            qr_code_url: String,
            /// Where to have a link sent. Needs credentials.
            distribution_url: String,
            /// Not described by Klarna.
            manual_identification_check_url: String,
            /// When the session ends.
            #[serde(with = "crate::wire::millis::option")]
            expires_at: Timestamp,
            /// The way into the distribution module.
            distribution_module: DistributionModule,
        }
    }
}

wire_struct! {
    /// The shopper as a hosted session shows them. `Debug` shows which members are set, never their contents.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Customer {
        optional {
            /// `YYYY-MM-DD`.
            date_of_birth: String,
            /// Family name.
            family_name: String,
            /// Given name.
            given_name: String,
            /// National identification number.
            national_identification_number: String,
            /// Title.
            title: String,
        }
    }
}

redacted_debug!(Customer {
    shown: [],
    hidden: [date_of_birth, family_name, given_name, national_identification_number, title]
});

wire_struct! {
    /// What the staff of a store is to compare, with [`SessionStatus::ManualIdCheck`].
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ManualIdentification {
        optional {
            /// A short code.
            challenge: String,
            /// The shopper.
            customer: Customer,
            /// The shopper, in part.
            customer_obfuscated: Customer,
            /// Until when.
            #[serde(with = "crate::wire::millis::option")]
            expires_at: Timestamp,
        }
    }
}

wire_struct! {
    /// A hosted session as Klarna shows it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Session {
        required {
            /// The hosted session.
            session_id: HostedSessionId,
            /// Where it is.
            status: SessionStatus,
        }
        optional {
            /// When the status changed last.
            #[serde(with = "crate::wire::millis::option")]
            updated_at: Timestamp,
            /// When the session ends.
            #[serde(with = "crate::wire::millis::option")]
            expires_at: Timestamp,
            /// The shopper's approval, when the merchant is to place the order.
            authorization_token: AuthorizationToken,
            /// The order, when the page placed it.
            order_id: OrderId,
            /// The order's short reference, likewise.
            klarna_reference: KlarnaReference,
            /// The shopper.
            customer: Customer,
            /// What the staff of a store is to compare.
            manual_identification: ManualIdentification,
        }
    }
}

wire_struct! {
    /// How the shopper is reached. `Debug` shows which members are set, never their contents.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct ContactInformation {
        optional {
            /// For [`DistributionMethod::Email`].
            email: String,
            /// For [`DistributionMethod::Sms`].
            phone: String,
            /// The phone's country, for [`DistributionMethod::Sms`].
            phone_country: Country,
            /// What the shopper's device shows as a code, passed on unchanged; for [`DistributionMethod::Token`].
            access_id: String,
        }
    }
}

redacted_debug!(ContactInformation { shown: [phone_country], hidden: [email, phone, access_id] });

wire_struct! {
    /// Has a link to the page sent to the shopper.
    ///
    /// ```
    /// use klarna_types::hosted_payment_page::{ContactInformation, DistributeSession, DistributionMethod};
    ///
    /// let request = DistributeSession::new(
    ///     DistributionMethod::Email,
    ///     ContactInformation::new().email("shopper@example.com"),
    /// );
    /// assert_eq!(serde_json::to_value(&request)?["method"], "email");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct DistributeSession {
        required {
            /// In which way.
            method: DistributionMethod,
            /// To whom.
            contact_information: ContactInformation,
        }
        optional {
            /// The form of the message; not used today.
            template: DistributionTemplate,
        }
    }
}

wire_struct! {
    /// [`DistributeSession`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributeSessionBody {
        optional {
            /// In which way.
            method: DistributionMethod,
            /// To whom.
            contact_information: ContactInformation,
            /// The form of the message.
            template: DistributionTemplate,
        }
    }
}

impl From<DistributeSession> for DistributeSessionBody {
    fn from(request: DistributeSession) -> Self {
        Self {
            method: Some(request.method),
            contact_information: Some(request.contact_information),
            template: request.template,
        }
    }
}

wire_struct! {
    /// What Klarna posts to `merchant_urls.status_update`. It is not signed and may come late, twice or out of order:
    /// read the session before acting, and act once.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct StatusCallback {
        required {
            /// The same for each attempt to deliver the same change.
            event_id: String,
            /// The session as it was after the change.
            session: Session,
        }
    }
}
