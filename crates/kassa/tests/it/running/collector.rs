//! A small collector of traces: takes OTLP as JSON over HTTP and keeps the spans.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use service::{Listener, Server, Shutdown};

/// What one export brought.
type Batch = (String, String);
type Batches = Arc<Mutex<Vec<Batch>>>;

pub struct Collector {
    pub url: String,
    batches: Batches,
    server: Server,
}

/// A span as it came.
#[derive(Debug)]
pub struct Span {
    pub trace_id: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// 2 is a server's, 3 a client's, 4 a producer's, 5 a consumer's.
    pub kind: u64,
    pub attributes: BTreeMap<String, String>,
    pub service: String,
}

async fn take(
    State(batches): State<Batches>,
    headers: HeaderMap,
    body: Bytes,
) -> axum::Json<Value> {
    let key = headers["x-collector-key"].to_str().unwrap().to_owned();
    batches.lock().unwrap().push((key, String::from_utf8(body.to_vec()).unwrap()));
    axum::Json(json!({}))
}

impl Collector {
    pub async fn start() -> Self {
        let batches = Batches::default();
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.address());
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&batches));
        Self { url, batches, server: listener.serve(router, Shutdown::new()) }
    }

    /// Everything that came, as it came.
    pub fn text(&self) -> String {
        self.batches.lock().unwrap().iter().map(|(_, body)| body.as_str()).collect()
    }

    /// The keys that were shown.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> =
            self.batches.lock().unwrap().iter().map(|(key, _)| key.clone()).collect();
        keys.dedup();
        keys
    }

    /// Every span that came.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for (_, body) in self.batches.lock().unwrap().iter() {
            let batch: Value = serde_json::from_str(body).unwrap();
            for resource in list(&batch, "resourceSpans") {
                let service = attributes(&resource["resource"])["service.name"].clone();
                for scope in list(resource, "scopeSpans") {
                    spans.extend(list(scope, "spans").iter().map(|span| read(span, &service)));
                }
            }
        }
        spans
    }

    pub async fn end(self) {
        self.server.stop().await;
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn read(span: &Value, service: &str) -> Span {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    Span {
        trace_id: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        name: text("name"),
        kind: span["kind"].as_u64().unwrap_or_default(),
        attributes: attributes(span),
        service: service.to_owned(),
    }
}

/// The attributes of a span or of what it came from, as text.
fn attributes(of: &Value) -> BTreeMap<String, String> {
    list(of, "attributes")
        .iter()
        .map(|attribute| {
            let value = attribute["value"].as_object().and_then(|value| value.values().next());
            let value = match value {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            (attribute["key"].as_str().unwrap().to_owned(), value)
        })
        .collect()
}
