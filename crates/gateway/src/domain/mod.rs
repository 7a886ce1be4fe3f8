//! What the gateway decides, as plain data and pure functions.
//!
//! Everything that can be wrong about money or about a state is decided here, from inputs that
//! are passed in. This module knows no database, HTTP, clock, randomness or async code.

pub mod access_key;
pub mod account;
pub mod actions;
pub mod calendar;
pub mod cart;
pub mod change;
pub mod checkout;
pub mod checkout_secret;
pub mod circuit;
pub mod csv;
pub mod customer;
pub mod dispute;
pub mod dunning;
pub mod erasure;
pub mod exchange;
pub mod expiry;
pub mod extras;
pub mod figures;
pub mod forwarded;
pub mod gate;
pub mod hosted;
pub mod id_token;
pub mod idempotency;
pub mod journal;
pub mod lease;
pub mod limits;
pub mod lines;
pub mod operation;
pub mod pacing;
pub mod payment;
pub mod payout;
pub mod plan;
pub mod reading;
pub mod retry;
pub mod role;
pub mod scope;
pub mod search;
pub mod subscription;
pub mod totp;
pub mod trace_parent;
pub mod user;
pub mod webhook;
