//! `/v1/customer_tokens`: what shoppers have agreed to be charged by again. A token is made by a
//! checkout; here it is read, charged and cancelled. Klarna lets merchants cancel a token and nothing
//! else: it suspends and activates tokens itself.

pub mod cancel;
pub mod charge;
pub mod read;
pub mod view;

use super::problem::Problem;
use crate::app::App;
use crate::domain::customer::CustomerToken;
use crate::engine::recurring::commands::NotDone;
use crate::engine::recurring::recovery::NotOpened;
use crate::store::customers;

/// The caller's token of that id.
pub async fn find(app: &App, store_id: &str, id: &str) -> Result<CustomerToken, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| customers::token_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("customer token"))
}

/// Why nothing was done, in the caller's words for the thing.
pub fn not_done(what: &str, not_done: NotDone) -> Problem {
    match not_done {
        NotDone::Unknown => Problem::not_found(what),
        NotDone::Rejected(rejection) => {
            let mut detail = format!("{rejection}.");
            if let Some(first) = detail.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Problem::conflict(detail, "Read the subscription to see where it stands.")
        }
        NotDone::ShopperIsPaying => Problem::conflict(
            "The shopper is paying the refused charge just now.",
            "Send the request again in a moment.",
        ),
        NotDone::TokenCancelled => Problem::conflict(
            "This customer token is cancelled, and a cancelled token is never charged again.",
            "Let the shopper agree again in a new tokenizing checkout.",
        ),
    }
}

/// Why no checkout was opened for a refused charge.
pub fn not_opened(what: &str, not_opened: NotOpened) -> Problem {
    match not_opened {
        NotOpened::Unknown => Problem::not_found(what),
        NotOpened::NothingToRecover => Problem::conflict(
            "There is no refused charge that the shopper could help with.",
            "Only a charge that was refused in the last two days while `step_up` was offered, and that was \
             neither paid nor tried again since, can be recovered. Wait for its next try, or retry it.",
        ),
        NotOpened::Trouble(trouble) => trouble.into(),
    }
}
