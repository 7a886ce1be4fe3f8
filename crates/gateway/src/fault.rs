//! What can go wrong inside the gateway that is nobody's answer: the database, a stored document
//! that cannot be read, a lease that was lost.

use crate::vault::VaultError;

/// A failure of the gateway itself.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database failed.
    #[error("the database failed: {0}")]
    Storage(#[from] storage::Error),
    /// A stored document could not be read or written.
    #[error("the stored {what} cannot be read: {source}")]
    Document {
        /// What it is.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A row that must exist does not, or a step that must be legal is not.
    #[error("the books do not fit together: {0}")]
    Inconsistent(String),
    /// A stored secret could not be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Another worker took over: this unit of work must not be recorded.
    #[error("another worker took over")]
    LeaseLost,
}

impl Fault {
    /// A document that could not be read or written.
    pub(crate) fn document(what: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Document { what, source }
    }

    /// Rows that do not fit together.
    pub(crate) fn inconsistent(why: impl std::fmt::Display) -> Self {
        Self::Inconsistent(why.to_string())
    }
}
