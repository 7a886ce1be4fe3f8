//! `GET /v1/payments.csv`: everything that fits, as one file, however much it is.
//!
//! Written as it is read, some hundred payments at a time: no more is ever held. Should the database
//! fail on the way, the connection breaks: a file that was cut off must not look like a whole one.

use std::collections::VecDeque;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde_json::json;

use super::super::checkouts::view::time;
use super::super::extract::{Caller, wrong_query};
use super::super::problem::Problem;
use super::list::FileQuery;
use crate::app::App;
use crate::domain::csv::Lines;
use crate::domain::payment::Payment;
use crate::domain::search::{Place, Search};
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::{policies, search as rows};

/// So many payments are read at a time.
const AT_A_TIME: i64 = 500;

/// The columns. Amounts stand twice: for people, and in minor units.
const COLUMNS: [&str; 23] = [
    "payment_id",
    "created_at",
    "status",
    "fraud_status",
    "merchant_reference",
    "merchant_reference2",
    "klarna_order_id",
    "klarna_reference",
    "checkout_id",
    "channel",
    "country",
    "payment_method",
    "currency",
    "authorized",
    "captured",
    "refunded",
    "remaining",
    "authorized_minor",
    "captured_minor",
    "refunded_minor",
    "remaining_minor",
    "expires_at",
    "updated_at",
];

/// Writes every payment that fits into a CSV file (RFC 4180, UTF-8).
///
/// Columns may be added at the end. Cells that a spreadsheet would take for a formula begin with an
/// apostrophe.
#[utoipa::path(get, path = "/v1/payments.csv", tag = "payments",
    params(FileQuery),
    responses(
        (status = 200, content_type = "text/csv", body = String),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn file(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<FileQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let search = query.search()?;
    let actor = Actor::api_key(&caller.key_id, &caller.key_name);
    Ok(write(&app, caller.store_id, &actor, search).await?)
}

/// Begins the file, after it was kept in the audit log that somebody takes it.
pub(crate) async fn write(
    app: &App,
    store_id: String,
    actor: &Actor,
    search: Search,
) -> Result<Response, Fault> {
    let (id, now_ms) = (app.engine().fresh_id("aud"), app.engine().now_ms());
    let (actor, in_store) = (actor.clone(), store_id.clone());
    let soon_ms = app
        .database()
        .write(move |tx| {
            let deed = Deed {
                id: &id,
                store_id: &in_store,
                actor: &actor,
                action: "payments.exported",
                subject: "/v1/payments.csv",
            };
            audit::append(tx, deed, &json!({}), now_ms)?;
            Ok::<_, Fault>(policies::expiry(tx, &in_store)?.soon_ms(now_ms))
        })
        .await?;
    let file = File {
        app: app.clone(),
        store_id,
        search,
        soon_ms,
        ready: VecDeque::from([heading()]),
        at: At::Begin,
    };
    let pieces = stream::try_unfold(file, |mut file| async move {
        let piece = file.next().await?;
        Ok::<_, Fault>(piece.map(|piece| (Bytes::from(piece), file)))
    });
    let day = Timestamp::from_millisecond(now_ms).unwrap_or_default().strftime("%Y-%m-%d");
    let name = format!("attachment; filename=\"payments-{day}.csv\"");
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Where a file stands.
enum At {
    Begin,
    After(Place),
    End,
}

/// A file that is being written.
struct File {
    app: App,
    store_id: String,
    search: Search,
    soon_ms: i64,
    ready: VecDeque<String>,
    at: At,
}

impl File {
    /// The next piece of it; none at its end.
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let after = match &self.at {
                At::Begin => None,
                At::After(place) => Some(place.clone()),
                At::End => return Ok(None),
            };
            let (store_id, search) = (self.store_id.clone(), self.search.clone());
            let soon_ms = self.soon_ms;
            let found = self
                .app
                .database()
                .read_long(move |tx| {
                    rows::page(tx, &store_id, &search, soon_ms, after.as_ref(), AT_A_TIME)
                })
                .await
                .inspect_err(|fault| tracing::error!(error = %fault, "a file was cut off"))?;
            self.at = found.next.map_or(At::End, At::After);
            if !found.payments.is_empty() {
                self.ready.push_back(lines(&found.payments));
            }
        }
    }
}

fn heading() -> String {
    let mut lines = Lines::default();
    for column in COLUMNS {
        lines.plain(column);
    }
    lines.end();
    lines.into_text()
}

fn lines(payments: &[Payment]) -> String {
    let mut lines = Lines::default();
    for payment in payments {
        let amounts = &payment.amounts;
        let exponent = payment.currency.exponent();
        let sums = [amounts.authorized, amounts.captured, amounts.refunded, amounts.remaining];
        let method = payment.method.as_ref();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        lines.plain(&payment.id);
        lines.plain(&time(payment.created_at_ms));
        lines.plain(payment.status.name());
        lines.text(payment.fraud.name());
        lines.text(&payment.merchant_reference);
        lines.text(&text(&payment.merchant_reference2));
        lines.text(&payment.klarna_order_id);
        lines.text(&text(&payment.klarna_reference));
        lines.plain(&payment.checkout_id);
        lines.plain(payment.channel_name());
        lines.text(&payment.country);
        lines.text(method.map_or("", |method| method.kind.as_str()));
        lines.text(payment.currency.as_str());
        for sum in sums {
            lines.plain(&sum.to_decimal(exponent));
        }
        for sum in sums {
            lines.plain(&sum.get().to_string());
        }
        lines.plain(&payment.expires_at_ms.map(time).unwrap_or_default());
        lines.plain(&time(payment.updated_at_ms));
        lines.end();
    }
    lines.into_text()
}
