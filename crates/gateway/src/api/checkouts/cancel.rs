//! `POST /v1/checkouts/{id}/cancel`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::super::extract::Caller;
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::{Checkout, Status, Step};
use crate::domain::hosted::PageStatus;
use crate::engine::pages::{self, Disabled};
use crate::engine::recurring;
use crate::engine::sessions::Trouble;
use crate::engine::tasks;
use crate::fault::Fault;
use crate::store::{checkouts, events};

/// Calls a checkout off: no authorisation is taken for it any more.
#[utoipa::path(post, path = "/v1/checkouts/{id}/cancel", tag = "checkouts",
    params(("id" = String, Path)),
    responses((status = 200, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CheckoutView>, Problem> {
    let checkout = super::find(&app, &caller.store_id, &id).await?;
    Ok(Json(CheckoutView::new(&call_off(&app, checkout).await?, &app)))
}

/// Calls a checkout off: its page first, so that nobody pays on what is called off.
pub(crate) async fn call_off(app: &App, checkout: Checkout) -> Result<Checkout, Problem> {
    let id = checkout.id.clone();
    let page_id = checkout.page().map(|page| page.id.clone());
    let disabled = if checkout.status.takes_authorizations() {
        pages::disable(app.engine(), &checkout).await?
    } else {
        Disabled::Yes
    };
    let now_ms = app.engine().now_ms();
    let checkout = app
        .database()
        .write(move |tx| {
            let Some(mut checkout) = checkouts::lock(tx, &id)? else {
                return Ok(Err(Trouble::Unknown));
            };
            if checkout.status == Status::Cancelled {
                return Ok(Ok(checkout));
            }
            if let Err(rejection) = checkout.step(Step::Cancel) {
                return Ok(Err(Trouble::Rejected(rejection)));
            }
            if let Some(page) = checkout.hosted.as_mut().and_then(|hosted| hosted.page.as_mut())
                && !page.status.is_over()
            {
                page.take(PageStatus::Disabled, now_ms);
            }
            checkouts::update(tx, &mut checkout, None, now_ms)?;
            if let (Disabled::Later, Some(page_id)) = (disabled, &page_id) {
                tasks::enqueue_disable(tx, &id, page_id, now_ms)?;
            }
            let subject = (checkout.id.as_str(), checkout.version);
            events::append(
                tx,
                &checkout.store_id,
                subject,
                "checkout.cancelled",
                &json!({}),
                now_ms,
            )?;
            recurring::checkout_over(tx, &checkout, now_ms)?;
            Ok::<_, Fault>(Ok(checkout))
        })
        .await??;
    app.engine().metrics().checkout("cancelled");
    app.engine().wake();
    Ok(checkout)
}
