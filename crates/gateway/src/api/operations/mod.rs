//! Operations: what was asked of Klarna, what came of it, and what a person can do where the
//! gateway cannot tell.

pub mod act;
pub mod read;
pub mod view;

use axum::http::StatusCode;

use super::problem::Problem;
use crate::engine::attention::NotDone;
use crate::engine::sessions::Trouble;

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Unknown => Self::not_found("operation"),
            NotDone::NotWaiting(operation) => Self::conflict(
                format!(
                    "This operation is {} and waits for nobody: someone was faster, or it never \
                     needed a person.",
                    operation.state.name()
                ),
                "Read the operation to see what became of it and who settled it.",
            ),
            NotDone::Moved(_) => Self::conflict(
                "This operation has changed since you looked at it.",
                "Read it again, then decide anew.",
            ),
            NotDone::Evidence { detail, remedy } => {
                Self::new(StatusCode::CONFLICT, "evidence_against", detail, remedy)
            }
            NotDone::Missing { member, detail } => Self::invalid(member, detail),
            NotDone::Klarna(failure) => Trouble::Klarna(failure).into(),
            NotDone::NoAccount { country } => Trouble::NoAccount { country }.into(),
        }
    }
}
