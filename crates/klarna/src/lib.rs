//! A typed async client for Klarna's Payments and Order Management APIs.
//!
//! ```
//! use klarna::types::cart::{Cart, Item, Prices};
//! use klarna::types::payments::CreateSession;
//! use klarna::{Client, Country, Credentials, Currency, MinorUnits, TaxRate};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(Credentials::new("K123456_abcd", "password"))
//!     .base_url("http://localhost:7072")?
//!     .build()?;
//!
//! let cart = Cart::builder(Country::SE, Prices::IncludingTax)
//!     .item(Item::new("Mugg", 1, MinorUnits::new(14900), TaxRate::percent(25)))
//!     .build()?;
//! let request = CreateSession::new(Country::SE, Currency::SEK, cart.order_amount, cart.order_lines)
//!     .order_tax_amount(cart.order_tax_amount)
//!     .locale("sv-SE");
//!
//! let session = client.payments().create_session(&request).await?;
//! println!("{} {:?}", session.session_id, session.meta().correlation_id);
//! # Ok(())
//! # }
//! ```
//!
//! # Three levels
//!
//! 1. **Typed calls**, by area: [`Client::payments`], [`Client::orders`]. Each gives a [`Call`] that can be awaited as it
//!    is, or be given options first.
//! 2. **Raw calls** with credentials, retries and errors: [`Client::request`], for what this crate has no type for.
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
mod call;
mod client;
mod credentials;
mod engine;
mod error;
mod path;
mod response;
pub mod retry;
mod transport;

pub use api::{CreatedCapture, CreatedRefund, Orders, Payments};
pub use call::{Call, Keyed, Plain};
pub use client::{BuildError, Client, ClientBuilder, Preflight, RawCall};
pub use credentials::Credentials;
pub use error::{Error, ErrorKind};
pub use response::{Meta, RateLimit, Response};
pub use transport::{BoxError, ResponseBody, Transport};

/// Every type that goes over the wire, the cart builder, order-line arithmetic, field limits and the market table.
pub use klarna_types as types;
pub use klarna_types::{
    Address, AuthorizationToken, CaptureId, ClientToken, CorrelationId, Country, Currency,
    Customer, Environment, ErrorCode, IdempotencyKey, KlarnaReference, Locale, MerchantId,
    MinorUnits, OrderId, OrderLine, OrderLineType, Problem, RefundId, Region, Secret, SessionId,
    TaxRate,
};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
