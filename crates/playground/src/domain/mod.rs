//! How Klarna behaves: plain data and pure functions.
//!
//! Nothing here is async, reads a clock, draws a random number, or knows SQL or HTTP. Commands take
//! `now` and return the new state and what happened, or a typed refusal.

pub(crate) mod authorization;
pub(crate) mod callback;
pub(crate) mod categories;
pub(crate) mod category_names;
pub(crate) mod client_id;
pub(crate) mod client_token;
pub(crate) mod content;
pub(crate) mod customer_token;
pub(crate) mod decision;
pub(crate) mod dispute;
pub(crate) mod due_date;
pub(crate) mod fault;
pub(crate) mod flow;
pub(crate) mod fraud;
pub(crate) mod hosted_page;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod in_store;
pub(crate) mod line_items;
pub(crate) mod matching;
pub(crate) mod merchant;
pub(crate) mod messaging;
pub(crate) mod order;
pub(crate) mod outbox;
pub(crate) mod page_answer;
pub(crate) mod payment_method;
pub(crate) mod payment_request;
pub(crate) mod persons;
pub(crate) mod prefill;
pub(crate) mod refund_allocation;
pub(crate) mod sdk_token;
pub(crate) mod session;
pub(crate) mod settlement;
pub(crate) mod sftp;
