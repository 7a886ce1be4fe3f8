//! How the gateway's state is kept: tables and queries, in SQL that both engines accept.
//!
//! One file for each kind of row. What is filtered, sorted or summed is a column; the rest is a
//! JSON document. Every change of an aggregate checks the version it was read at. No rules here.

pub mod access;
pub mod accounts;
pub mod answers;
pub mod audit;
pub mod checkouts;
pub mod customers;
pub mod disputes;
pub mod erasures;
pub mod events;
pub mod figures;
pub mod identities;
pub mod keys;
pub mod migrations;
pub mod nodes;
pub mod operations;
pub mod payments;
pub mod payouts;
pub mod policies;
pub mod readings;
pub mod receipts;
pub mod reread;
pub mod search;
pub mod sessions;
pub mod stores;
pub mod streams;
pub mod subscriptions;
pub mod users;
pub mod views;
pub mod webhooks;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::Fault;

fn read_document<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(Fault::document(what))
}

fn write_document<T: Serialize>(what: &'static str, value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::document(what))
}

fn expect_one(changed: u64, what: &str, id: &str) -> Result<(), Fault> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::Inconsistent(format!("{what} {id} was changed by someone else meanwhile")))
    }
}
