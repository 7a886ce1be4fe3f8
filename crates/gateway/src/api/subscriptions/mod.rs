//! `/v1/subscriptions`: what is charged again and again, by a plan.

pub mod act;
pub mod create;
pub mod read;
pub mod view;

use super::problem::Problem;
use crate::app::App;
use crate::domain::subscription::Subscription;
use crate::store::subscriptions;

/// The caller's subscription of that id.
pub async fn find(app: &App, store_id: &str, id: &str) -> Result<Subscription, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| subscriptions::get_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("subscription"))
}
