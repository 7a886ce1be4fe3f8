//! A typed async client for Klarna's Payments and Order Management APIs.
//!
//! ```
//! use klarna::types::cart::{Cart, Item, Prices};
//! use klarna::types::order_management::CreateCapture;
//! use klarna::types::payments::{CreateOrder, CreateSession};
//! use klarna::{AuthorizationToken, Client, Country, Credentials, Currency, MinorUnits, TaxRate};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let running = playground::Playground::start(playground::Config {
//! #     listen: "127.0.0.1:0".parse()?,
//! #     public_url: None,
//! #     location: storage::Location::Memory,
//! #     merchants: vec![playground::SeedMerchant {
//! #         merchant_id: "K123456".into(), username: "K123456_abcd".into(), password: "password".into(),
//! #     }],
//! #     rate_limits: playground::RateLimits::Off,
//! #     unauthorized: playground::UnauthorizedForm::Html,
//! #     callback_targets: None,
//! #     control_token: None,
//! #     clock: service::ManualClock::starting_at("2026-03-02T09:00:00Z".parse()?),
//! # }).await?;
//! # let playground_url = format!("http://{}", running.address());
//! let client = Client::builder(Credentials::new("K123456_abcd", "password"))
//!     .base_url(&playground_url)?
//!     .build()?;
//!
//! let cart = Cart::builder(Country::SE, Prices::IncludingTax)
//!     .item(Item::new("Mugg", 1, MinorUnits::new(14900), TaxRate::percent(25)))
//!     .build()?;
//! let (amount, tax, lines) = (cart.order_amount, cart.order_tax_amount, cart.order_lines);
//!
//! // For the browser: it shows the widget and brings back an authorization token.
//! let request = CreateSession::new(Country::SE, Currency::SEK, amount, lines.clone())
//!     .order_tax_amount(tax)
//!     .locale("sv-SE");
//! let session = client.payments().create_session(&request).await?;
//! println!("{} {:?}", session.session_id, session.meta().correlation_id);
//! # let shopper = serde_json::json!({"session_id": session.session_id, "email": "customer@email.se"});
//! # let approval: serde_json::Value = client
//! #     .raw(http::Method::POST, "/playground/v1/shopper/authorize").json(&shopper)
//! #     .send::<serde_json::Value>().await?.into_inner();
//! # let from_browser = approval["authorization_token"].as_str().ok_or("not approved")?;
//!
//! let token = AuthorizationToken::new(from_browser);
//! let request = CreateOrder::new(Country::SE, Currency::SEK, amount, lines).order_tax_amount(tax);
//! let order = client.payments().create_order(&token, &request).await?;
//!
//! // When the goods leave:
//! let capture = CreateCapture::new(amount).reference("SHIPMENT-1");
//! let captured = client.orders().capture(&order.order_id, &capture).await?;
//! println!("captured as {}", captured.capture_id);
//! # running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Three levels
//!
//! 1. **Typed calls**, by area: [`Client::payments`], [`Client::orders`]. Each gives a [`Call`] that can be awaited as it
//!    is, or be given options first.
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
    InStore, Orders, Payments, PayoutFilter, Period, Settlements, TransactionFilter,
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
    KlarnaReference, Locale, MerchantId, MinorUnits, OrderId, OrderLine, OrderLineType, Problem,
    RefundId, Region, Secret, SessionId, TaxRate,
};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
