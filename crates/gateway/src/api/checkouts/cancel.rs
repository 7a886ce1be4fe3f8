//! `POST /v1/checkouts/{id}/cancel`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::super::extract::Caller;
use super::super::problem::Problem;
use super::view::CheckoutView;
use crate::app::App;
use crate::domain::checkout::{Status, Step};
use crate::engine::sessions::Trouble;
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
    super::find(&app, &caller.store_id, &id).await?;
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
            checkouts::update(tx, &mut checkout, None, now_ms)?;
            let subject = (checkout.id.as_str(), checkout.version);
            events::append(
                tx,
                &checkout.store_id,
                subject,
                "checkout.cancelled",
                &json!({}),
                now_ms,
            )?;
            Ok::<_, Fault>(Ok(checkout))
        })
        .await??;
    Ok(Json(CheckoutView::new(&checkout, &app)))
}
