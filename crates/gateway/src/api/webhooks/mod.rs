//! Webhook endpoints and what is on its way to them.

pub mod deliveries;
pub mod endpoints;
pub mod standing;
pub mod view;

use axum::http::StatusCode;

use super::problem::Problem;
use crate::domain::webhook::MOST_ENDPOINTS;
use crate::engine::webhooks::command::NotDone;

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::NoEndpoint => Self::not_found("webhook endpoint"),
            NotDone::NoDelivery => Self::not_found("webhook delivery"),
            NotDone::TooMany => Self::new(
                StatusCode::CONFLICT,
                "too_many_endpoints",
                format!("A store may have {MOST_ENDPOINTS} webhook endpoints, and this one has."),
                "Delete one that is not needed, or let one receiver hand messages on.",
            ),
            NotDone::Disabled => Self::conflict(
                "This webhook endpoint is disabled: nothing can be sent to it.",
                "Enable it first.",
            ),
            NotDone::Invalid { member, detail } => {
                Self::invalid(member, format!("{member}: {detail}."))
            }
        }
    }
}
