//! `GET /v1/payments/{id}`.

use axum::Json;
use axum::extract::{Path, State};

use super::super::extract::Caller;
use super::super::problem::Problem;
use super::view::PaymentView;
use crate::app::App;
use crate::store::{disputes, operations, payments, payouts};

/// Reads a payment.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = PaymentView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PaymentView>, Problem> {
    let now_ms = app.engine().now_ms();
    let found = app
        .database()
        .read(move |tx| {
            let Some(payment) = payments::get_in(tx, &caller.store_id, &id)? else {
                return Ok(None);
            };
            let operations = operations::of_payment(tx, &id)?;
            let disputes = disputes::of_payment(tx, &caller.store_id, &id)?;
            let payouts = payouts::of_payment(tx, &caller.store_id, &id)?;
            let view = PaymentView::new(&payment, &operations, now_ms);
            Ok::<_, crate::fault::Fault>(Some(view.with_money(&disputes, &payouts)))
        })
        .await?;
    found.map(Json).ok_or_else(|| Problem::not_found("payment"))
}
