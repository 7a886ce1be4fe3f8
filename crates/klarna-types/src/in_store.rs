//! Klarna In-store (`/iss/v1`, with sessions of the Payments API): the shopper pays on their own phone, which a QR image,
//! a link or a short code has led to the purchase, and Klarna places the order.
//!
//! | call | request | answer |
//! |---|---|---|
//! | `POST /payments/v1/sessions` | [`CreateSession`](crate::payments::CreateSession) with a [`Distribution`] | [`CreatedSession`](crate::payments::CreatedSession) with a [`CreatedDistribution`] |
//! | `GET {result_url}` = `GET /iss/v1/distributions/{session_id}` | - | [`DistributionResult`] |
//! | `DELETE /payments/v1/sessions/{session_id}` | - | nothing |
//! | to the merchant: `POST` of `callback_urls.status_update` | [`DistributionResult`] | any 2xx |
//!
//! The extra merchant data of the session must name the store: [`StoreInfo`].

use serde::Serialize;
use serde_json::json;

use crate::ids::{KlarnaReference, OrderId, SessionId};
use crate::payments::Attachment;

open_enum! {
    /// How the purchase comes to the shopper's phone.
    pub enum DistributionMethod: any_case {
        /// A QR image, a link, or a short code: one method for all three.
        OneQr = "one_qr",
    }
}

open_enum! {
    /// How far an in-store purchase has come.
    pub enum DistributionStatus: any_case {
        /// Not with the shopper yet.
        Waiting = "WAITING",
        /// The QR image and the link can be shown.
        Distributed = "DISTRIBUTED",
        /// The shopper has opened it.
        Accessed = "ACCESSED",
        /// Paid; the order is placed.
        Completed = "COMPLETED",
        /// Called off by the shopper or the store. `CANCELLED`, which one of Klarna's pages has, is read too.
        Canceled = "CANCELED" | "CANCELLED",
        /// It did not come about; the error code says why.
        Failed = "FAILED",
    }
}

impl DistributionStatus {
    /// Whether nothing can change any more. After a failure the purchase can still come about: a short code that nobody
    /// shows leaves the QR image and the link.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

open_enum! {
    /// Why an in-store purchase failed.
    pub enum DistributionErrorCode: code {
        /// The short code is not a number of 2 to 20 digits, nobody shows it, or another member is wrong.
        BadRequest = "BAD_REQUEST",
        /// The account may not sell in stores. Do not try again.
        PermissionDenied = "PERMISSION_DENIED",
        /// Something failed at Klarna's, which says no more than `UNKNOWN`.
        SystemError = "UNKNOWN",
        /// The same, on an older page of Klarna's.
        InternalError = "INTERNAL_ERROR",
    }
}

wire_struct! {
    /// Where Klarna calls the store's server.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributionCallbackUrls {
        optional {
            /// Called with a [`DistributionResult`] when the status changes; https. Put a one-time secret into it.
            status_update: String,
        }
    }
}

wire_struct! {
    /// Asks for an in-store purchase when a session is opened.
    ///
    /// ```
    /// use klarna_types::in_store::{Distribution, DistributionCallbackUrls, DistributionMethod};
    /// let distribution = Distribution::new(DistributionMethod::OneQr)
    ///     .callback_urls(DistributionCallbackUrls::new().status_update("https://pos.example/klarna?key=3kJ9"));
    /// assert_eq!(serde_json::to_value(&distribution)?["method"], "one_qr");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Distribution {
        required {
            /// How the purchase comes to the shopper's phone.
            method: DistributionMethod,
        }
        optional {
            /// 2 to 20 digits that the shopper's phone shows after it scanned the printed QR code of a counter.
            short_code: String,
            /// Where Klarna calls the store's server.
            callback_urls: DistributionCallbackUrls,
        }
    }
}

wire_struct! {
    /// [`Distribution`] as a server reads it: nothing is required yet.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributionBody {
        optional {
            /// How the purchase comes to the shopper's phone; required.
            method: DistributionMethod,
            /// 2 to 20 digits.
            short_code: String,
            /// Where Klarna calls the store's server.
            callback_urls: DistributionCallbackUrls,
        }
    }
}

impl From<Distribution> for DistributionBody {
    fn from(distribution: Distribution) -> Self {
        Self {
            method: Some(distribution.method),
            short_code: distribution.short_code,
            callback_urls: distribution.callback_urls,
        }
    }
}

wire_struct! {
    /// What the answer to an opened session says of its distribution.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct CreatedDistribution {
        optional {
            /// Where to read the [`DistributionResult`], with the merchant's credentials.
            result_url: String,
        }
    }
}

wire_struct! {
    /// How far an in-store purchase has come. Read from [`CreatedDistribution::result_url`], and posted to
    /// [`DistributionCallbackUrls::status_update`]; a posted one is a hint: read the result before acting on it.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributionResult {
        optional {
            /// The session.
            session_id: SessionId,
            /// How far it has come.
            status: DistributionStatus,
            /// The address of a QR image of the link; anyone may load it.
            qr: String,
            /// The link for the shopper's phone.
            payment_link: String,
            /// Once completed: the key to Order Management.
            order_id: OrderId,
            /// Once completed: the short reference for the receipt.
            klarna_reference: KlarnaReference,
            /// Why it failed.
            error: DistributionError,
        }
    }
}

wire_struct! {
    /// Why an in-store purchase failed.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct DistributionError {
        optional {
            /// For programs.
            code: DistributionErrorCode,
            /// For people.
            message: String,
        }
    }
}

wire_struct! {
    /// Where a store is.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct StoreAddress {
        optional {
            /// Street without the number.
            street_address: String,
            /// House number.
            street_number: String,
            /// Postal code.
            postal_code: String,
            /// City.
            city: String,
            /// Country code of two letters.
            country: String,
        }
    }
}

wire_struct! {
    /// Which store and which till sells: what the extra merchant data of an in-store session must say.
    ///
    /// ```
    /// use klarna_types::in_store::{StoreAddress, StoreInfo};
    /// let address = StoreAddress::new().street_address("Sveavägen").street_number("46").postal_code("11134")
    ///     .city("Stockholm").country("SE");
    /// let attachment = StoreInfo::new("STO-7", "POS1232", address).attachment();
    /// assert!(attachment.body.contains(r#""merchant_store_id":"STO-7""#));
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct StoreInfo {
        required {
            /// The store.
            merchant_store_id: String,
            /// The till.
            store_terminal_id: String,
            /// Where the store is.
            store_address: StoreAddress,
        }
    }
}

impl StoreInfo {
    /// The extra merchant data that say this and nothing else.
    pub fn attachment(&self) -> Attachment {
        Attachment::new(&json!({ "in_store_payment": [{ "store_info": self }] }))
    }
}
