//! What every long-running part of Kassa shares: the clock, listening and stopping, health,
//! outgoing HTTP, and fresh random values.
//!
//! This crate is plumbing. It must not know what a payment is, who Klarna is, or what any part
//! keeps in its database; a rule about any of those is in the wrong room here.

pub mod clock;
mod connect;
pub mod cut;
pub mod health;
pub mod http;
pub mod random;
pub mod reach;
pub mod server;

pub use clock::{Clock, ManualClock, SystemClock};
pub use health::Readiness;
pub use server::{Listener, Server, Shutdown};
