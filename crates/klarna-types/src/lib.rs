//! Every wire type of Klarna's merchant APIs, and the pure rules about them.
//!
//! This crate is the one place where a fact about Klarna's API is written down: field names, which members are
//! required, limits, error bodies, order-line arithmetic, the market table. Both sides of the wire use it: the client
//! (`klarna`) and a simulator of Klarna.
//!
//! Rules that hold everywhere in it:
//!
//! - **Pure.** No I/O, no clock, no randomness, no environment. Time and ids are passed in.
//! - **Reading is tolerant.** Unknown members are ignored, enums keep values they do not know in an `Unknown` arm,
//!   and where Klarna's sources disagree both spellings are read.
//! - **Writing is exact.** A member that is not set is left out; `null` is never written.
//! - **Money is an integer** in minor units ([`MinorUnits`]), tax rates are Klarna's integers ([`TaxRate`]: 25 % is
//!   2500). No floating point number ever touches an amount.
//! - **Secrets and personal data do not print.** `Debug` of a token, an address or a customer shows stars.
//!
//! It deliberately does not know how Klarna *behaves* (sessions that expire, orders that are captured): that is a
//! simulator's or a server's business.
//!
//! ```
//! use klarna_types::{cart::{Cart, Item, Prices}, market::Country, MinorUnits, TaxRate};
//!
//! let cart = Cart::builder(Country::DE, Prices::IncludingTax)
//!     .item(Item::new("Wollschal", 2, MinorUnits::new(2490), TaxRate::percent(19)).discount(MinorUnits::new(480)))
//!     .shipping("Versand", MinorUnits::new(490), TaxRate::percent(19))
//!     .gift_card("Gutschein", MinorUnits::new(1000))
//!     .build()?;
//! assert_eq!(cart.order_amount, MinorUnits::new(3990));
//! assert_eq!(cart.order_tax_amount, MinorUnits::new(796));
//! # Ok::<(), klarna_types::cart::CartError>(())
//! ```

#[macro_use]
mod macros;
mod wire;

pub mod address;
pub mod arithmetic;
pub mod cart;
pub mod customer;
pub mod customer_token;
pub mod disputes;
pub mod error;
pub mod hosted_payment_page;
pub mod ids;
pub mod in_store;
pub mod market;
pub mod money;
pub mod order_line;
pub mod order_management;
pub mod payment_requests;
pub mod payments;
pub mod problem;
pub mod secret;
pub mod settlements;
pub mod validate;

pub use address::Address;
pub use customer::Customer;
pub use error::{ErrorBody, ErrorCode};
pub use ids::{
    CaptureId, CorrelationId, CustomerTokenId, HostedSessionId, IdempotencyKey, KlarnaReference,
    MerchantId, OrderId, PaymentRequestId, RefundId, SessionId,
};
pub use market::{Country, Currency, Environment, Locale, Region};
pub use money::{MinorUnits, TaxRate};
pub use order_line::{OrderLine, OrderLineType};
pub use problem::Problem;
pub use secret::{AuthorizationToken, ClientToken, Secret};

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
