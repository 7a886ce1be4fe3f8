//! The merchant's payment service: it never loses a payment and never makes one twice.

pub mod domain;
mod fault;
pub mod store;
