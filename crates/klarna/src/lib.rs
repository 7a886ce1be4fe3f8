//! A typed async client for Klarna's merchant APIs: Payments, Order Management, Customer Token, Hosted Payment Page,
//! In-store, Settlements and Disputes.
//!
//! ```no_run
//! use klarna::types::order_management::CreateCapture;
//! use klarna::{Client, Credentials, Environment, OrderId, Region};
//!
//! # async fn ship(order_id: &OrderId) -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::api_key(std::env::var("KLARNA_API_KEY")?);
//! let client = Client::new(Region::Europe, Environment::Playground, credentials)?;
//!
//! let order = client.orders().get(order_id).await?;
//! let capture = CreateCapture::new(order.remaining_authorized_amount).reference("SHIPMENT-1");
//! let captured = client.orders().capture(order_id, &capture).await?;
//! println!("captured as {}", captured.capture_id);
//! # Ok(())
//! # }
//! ```
//!
//! **The [`guide`] has a whole program for each thing that one does with Klarna**, from the first payment to the
//! settlement report; each of them runs against an offline playground.
//!
//! # Three levels
//!
//! 1. **Typed calls**, by area: [`Client::payments`], [`Client::orders`], [`Client::customer_tokens`],
//!    [`Client::hosted_payment_page`], [`Client::in_store`], [`Client::payment_requests`], [`Client::settlements`],
//!    [`Client::disputes`]. Each gives a [`Call`] that can be awaited as it is, or be given options first; a [`List`],
//!    which is also a stream of its items; or a [`DownloadCall`], whose answer is read as it arrives.
//! 2. **Raw calls** with credentials, retries and errors: [`Client::raw`], for what this crate has no type for.
//! 3. **Bare requests**: [`Client::execute`], one try, the answer as it came.
//!
//! # What happens when something goes wrong
//!
//! A call is repeated by itself only where repeating is safe ([`retry`]): reads, writes under an idempotency key, and the
//! few writes that Klarna documents as repeatable. A write to Order Management always carries an idempotency key: made
//! once for each call and kept across its tries, or given by you with [`Call::idempotency_key`]. To survive a restart of
//! your program, store the key before you call.
//!
//! There is one [`Error`]. Ask it: [`Error::is_retryable`], [`Error::outcome_unknown`], [`Error::code`],
//! [`Error::correlation_id`]. When Klarna answers `Bad value: …`, [`Error::problems`] says what is wrong with the request
//! and what would have passed.
//!
//! # Many tasks, many merchants
//!
//! A [`Client`] is cheap to clone, and all clones share one connection pool: HTTP/2 where the other side offers it. A
//! partner makes one client and, from it, one for each merchant ([`Client::for_merchant`]).
//!
//! Klarna counts calls for each merchant and tells how many are left; a client keeps under that by itself, and never waits
//! longer than the call's deadline ([`Pacing`]). [`Meta::rate_limit`] and [`Error::rate_limit`] tell you, too.
//!
//! # Middleware
//!
//! Any tower layer can be put around the transport, and any tower service in its place:
//! [`ClientBuilder::layer`], [`ClientBuilder::transport`].
//!
//! # Without async
//!
#![cfg_attr(feature = "blocking", doc = "See [`blocking`].")]
#![cfg_attr(
    not(feature = "blocking"),
    doc = "The feature `blocking` has a runtime of its own that waits for calls."
)]
//!
//! # What is not printed
//!
//! Secrets and personal data print as stars. Tracing spans name the route (`/payments/v1/authorizations/{token}/order`),
//! never the path that was called, since authorization tokens stand in paths.

mod api;
#[cfg(feature = "blocking")]
pub mod blocking;
mod call;
mod client;
mod credentials;
mod download;
mod engine;
mod env;
mod error;
pub mod guide;
mod list;
mod multipart;
mod pacing;
mod path;
mod query;
pub mod report;
mod response;
pub mod retry;
mod transport;
mod watch;

pub use api::{
    CreatedCapture, CreatedRefund, CustomerTokens, Disputes, DisputesV2, HostedPaymentPage,
    InStore, Orders, PaymentRequests, Payments, PayoutFilter, Period, Settlements,
    TransactionFilter,
};
pub use call::{Call, Keyed, Plain, RawCall};
pub use client::{BuildError, Client, ClientBuilder, Preflight};
pub use credentials::Credentials;
pub use download::{Download, DownloadCall, DownloadReader};
pub use error::{Error, ErrorKind};
pub use list::{Items, List, Page};
pub use multipart::Upload;
pub use pacing::Pacing;
pub use response::{Meta, RateLimit, Response};
pub use transport::{BoxError, ResponseBody, Transport};
pub use watch::{Patience, Watch};

/// Every type that goes over the wire, the cart builder, order-line arithmetic, field limits and the market table.
pub use klarna_types as types;
pub use klarna_types::disputes::PaymentDisputeId;
pub use klarna_types::settlements::PaymentReference;
pub use klarna_types::{
    Address, AuthorizationToken, CaptureId, ClientToken, CorrelationId, Country, Currency,
    Customer, CustomerTokenId, Environment, ErrorCode, HostedSessionId, IdempotencyKey,
    KlarnaReference, Locale, MerchantId, MinorUnits, OrderId, OrderLine, OrderLineType,
    PaymentRequestId, Problem, RefundId, Region, Secret, SessionId, TaxRate,
};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
