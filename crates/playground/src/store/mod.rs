//! How the playground's state is kept: SQL that both engines accept, one file for each aggregate.
//!
//! Functions here take a unit of work and do one thing in it; they hold no rules. What is filtered
//! or sorted is a column; the rest of an aggregate is a JSON document.

pub(crate) mod callbacks;
pub(crate) mod client_ids;
pub(crate) mod customer_tokens;
pub(crate) mod disputes;
pub(crate) mod faults;
pub(crate) mod flows;
pub(crate) mod hosted_pages;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod in_store;
pub(crate) mod merchants;
pub(crate) mod migrations;
pub(crate) mod orders;
pub(crate) mod outbox;
pub(crate) mod payment_requests;
pub(crate) mod purge;
pub(crate) mod reset;
pub(crate) mod sessions;
pub(crate) mod settlements;
pub(crate) mod sftp;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A stored thing could not be read back, or the database failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A document in the database is not what this program writes.
    #[error("a stored {what} cannot be read or written")]
    Document {
        /// Which kind.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The configured merchants could not be added again.
    #[error("{0}")]
    Seed(String),
}

impl From<StoreError> for crate::api::error::ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(crate::api::error::Chain(&error))
    }
}

/// Writes a document.
pub(crate) fn to_document<T: Serialize>(
    what: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document { what, source })
}

/// Reads a document.
pub(crate) fn from_document<T: DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Document { what, source })
}
