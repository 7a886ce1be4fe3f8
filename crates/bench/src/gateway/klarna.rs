//! The least that Klarna can be for a gateway: sessions, orders, captures and refunds that are always granted, kept in
//! memory. What is measured over it is the gateway's own work and nothing of the playground's.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::Outcome;
use crate::world::purchase;

/// What every purchase comes to, in minor units.
pub(crate) const AMOUNT: i64 = 10_000;

/// What was done with an order, in minor units and in the order in which it was done.
#[derive(Debug, Default, Clone)]
struct Order {
    captures: Vec<(String, i64)>,
    refunds: Vec<(String, i64)>,
}

#[derive(Debug, Default)]
struct Books {
    orders: Mutex<HashMap<String, Order>>,
    made: AtomicU64,
}

type Shared = Arc<Books>;

/// A running one.
pub(crate) struct Klarna {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Klarna {
    pub(crate) async fn start() -> Outcome<Self> {
        let router = Router::new()
            .route("/payments/v1/sessions", post(open))
            .route("/payments/v1/authorizations/{token}/order", post(place))
            .route("/ordermanagement/v1/orders/{id}", get(read))
            .route("/ordermanagement/v1/orders/{id}/captures", post(capture))
            .route("/ordermanagement/v1/orders/{id}/refunds", post(refund))
            .with_state(Shared::default());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // A platform that cannot do it is only slower.
            let _ = stream.set_nodelay(true);
        });
        let task = tokio::spawn(async move {
            // `axum::serve` goes on for ever: it retries what fails.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Klarna {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next number, as the ids of this Klarna go.
fn next(books: &Books) -> u64 {
    books.made.fetch_add(1, Ordering::Relaxed)
}

async fn open(State(books): State<Shared>, _body: String) -> Json<Value> {
    let number = next(&books);
    Json(json!({
        "session_id": format!("0b1d9815-165e-42e2-8867-{number:012}"),
        "client_token": format!("client-token-{number}"),
        "payment_method_categories": [{
            "identifier": "pay_later", "name": "Pay later.",
            "asset_urls": { "descriptive": "https://x.test/a.svg", "standard": "https://x.test/b.svg" },
        }],
    }))
}

/// One order for each token; the same token again is the same order.
async fn place(
    State(books): State<Shared>,
    Path(token): Path<String>,
    _body: String,
) -> Json<Value> {
    books.orders.lock().await.entry(token.clone()).or_default();
    Json(json!({ "order_id": token, "fraud_status": "ACCEPTED" }))
}

async fn read(State(books): State<Shared>, Path(id): Path<String>) -> Response {
    let Some(order) = books.orders.lock().await.get(&id).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let sum = |entries: &[(String, i64)]| -> i64 { entries.iter().map(|(_, amount)| amount).sum() };
    let (captured, refunded) = (sum(&order.captures), sum(&order.refunds));
    let lines = purchase("buy")["order_lines"].take();
    let captures: Vec<Value> = order
        .captures
        .iter()
        .map(|(capture_id, amount)| {
            json!({
                "capture_id": capture_id, "captured_amount": amount, "refunded_amount": refunded,
                "captured_at": "2026-06-01T12:00:00.000Z", "order_lines": lines,
            })
        })
        .collect();
    let refunds: Vec<Value> = order
        .refunds
        .iter()
        .map(|(refund_id, amount)| {
            json!({
                "refund_id": refund_id, "refunded_amount": amount,
                "refunded_at": "2026-06-01T12:00:00.000Z",
            })
        })
        .collect();
    let status = if captured == AMOUNT { "CAPTURED" } else { "AUTHORIZED" };
    Json(json!({
        "order_id": id, "status": status, "fraud_status": "ACCEPTED",
        "order_amount": AMOUNT, "original_order_amount": AMOUNT, "captured_amount": captured,
        "refunded_amount": refunded, "remaining_authorized_amount": AMOUNT - captured,
        "purchase_currency": "SEK", "purchase_country": "SE", "locale": "sv-SE",
        "klarna_reference": "AB12CD34", "order_lines": lines, "captures": captures,
        "refunds": refunds,
    }))
    .into_response()
}

async fn capture(State(books): State<Shared>, Path(id): Path<String>, _body: String) -> Response {
    let capture_id = format!("4ba29b50-be7b-44f5-a492-{:012}", next(&books));
    if let Some(order) = books.orders.lock().await.get_mut(&id) {
        order.captures.push((capture_id.clone(), AMOUNT));
    }
    let location = format!("/ordermanagement/v1/orders/{id}/captures/{capture_id}");
    (StatusCode::CREATED, [("capture-id", capture_id), ("location", location)]).into_response()
}

async fn refund(State(books): State<Shared>, Path(id): Path<String>, _body: String) -> Response {
    let refund_id = format!("9ba29b50-be7b-44f5-a492-{:012}", next(&books));
    if let Some(order) = books.orders.lock().await.get_mut(&id) {
        order.refunds.push((refund_id.clone(), AMOUNT / 4));
    }
    let location = format!("/ordermanagement/v1/orders/{id}/refunds/{refund_id}");
    (StatusCode::CREATED, [("refund-id", refund_id), ("location", location)]).into_response()
}
