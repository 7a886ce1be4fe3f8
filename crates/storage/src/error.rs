//! The one error of this crate: opaque, cheap to clone, with predicates for what a caller can act on.
//!
//! A message never carries a parameter or a stored value: those are people's names and addresses. PostgreSQL's
//! `detail` line ("Key (email)=(…) already exists") is therefore dropped where the error is made, and only the
//! SQLSTATE, table and constraint are kept.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A unique or primary key already holds such a row.
    UniqueViolation,
    /// Another constraint (foreign key, check, not null) refused the row.
    ConstraintViolation,
    /// Two transactions could not be put in an order, and repeating did not help within the limit.
    Conflict,
    /// The database is alive but has more work than it takes on now.
    Busy,
    /// The database cannot be reached, or went away before the unit was committed.
    Unavailable,
    /// The connection broke during COMMIT: the unit may or may not have been committed.
    OutcomeUnknown,
    /// This handle was closed.
    Closed,
    /// Another process has the database open.
    InUse,
    /// `query_one` found no row.
    NoRow,
    /// A value could not be read as, or written from, the type asked for.
    Value,
    /// The migrations in the program and in the database do not fit together.
    Migration,
    /// The closure panicked; its unit was rolled back.
    Panicked,
    /// The caller broke a rule of this crate (a write inside `read`, a wrong number of parameters, …).
    Misuse,
    /// Everything else: a syntax error in SQL, a full disk, a corrupt file.
    Engine,
}

/// Why a storage call failed.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: Some(source.into()) }))
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// A unique or primary key already holds such a row.
    pub fn is_unique_violation(&self) -> bool {
        self.kind() == ErrorKind::UniqueViolation
    }

    /// The database has too much to do or lost a race for it; the same unit may succeed in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind(), ErrorKind::Busy | ErrorKind::Conflict)
    }

    /// The database cannot be reached or is closed; nothing of this unit was committed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Closed)
    }

    /// The unit may or may not have been committed. Read before repeating it.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind() == ErrorKind::OutcomeUnknown
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            out.field("source", &source.to_string());
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the database was closed")
}

pub(crate) fn panicked() -> Error {
    Error::new(ErrorKind::Panicked, "the unit of work panicked and was rolled back")
}

/// A statement failed earlier in this unit, so the unit can only fail.
pub(crate) fn doomed() -> Error {
    Error::new(
        ErrorKind::Misuse,
        "an earlier statement of this unit of work failed, so the unit must return that error; \
         use ON CONFLICT where a conflict is expected",
    )
}

pub(crate) fn write_in_read() -> Error {
    Error::new(ErrorKind::Misuse, "a statement that writes was used inside `read`; use `write`")
}
