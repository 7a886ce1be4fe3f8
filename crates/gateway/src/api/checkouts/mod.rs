//! Checkouts: opened from a cart, kept in step with it, confirmed with an authorization token.

pub mod cancel;
pub mod channel;
pub mod confirm;
pub mod create;
pub mod page;
pub mod read;
pub mod update;
pub mod view;

use super::problem::Problem;
use crate::app::App;
use crate::domain::checkout::Checkout;
use crate::store::checkouts;

/// The caller's checkout of that id.
async fn find(app: &App, store_id: &str, id: &str) -> Result<Checkout, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| checkouts::get_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("checkout"))
}
