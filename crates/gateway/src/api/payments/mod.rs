//! Payments: what became of a checkout, and everything that can still be done with it.

pub mod cancel;
pub mod capture;
pub mod command;
pub mod events;
pub mod list;
pub mod read;
pub mod refund;
pub mod release;
pub mod view;

use serde::Deserialize;

use crate::domain::lines::Wanted;

/// So many units of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineShare {
    /// The line's reference.
    pub reference: String,
    /// How many units.
    pub quantity: i64,
}

impl From<LineShare> for Wanted {
    fn from(line: LineShare) -> Self {
        Self { reference: line.reference, quantity: line.quantity }
    }
}
