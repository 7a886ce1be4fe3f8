//! A merchant's server: takes callbacks, answers what the test wants, and remembers what came.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::Value;
use service::{Listener, Server, Shutdown};
use tokio::sync::watch;

/// One call that came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path with query.
    pub path: String,
    /// The body as JSON; `null` when it is empty.
    pub json: Value,
    /// The body as it came.
    pub body: Bytes,
    /// The headers.
    pub headers: HeaderMap,
}

#[derive(Debug, Clone)]
struct Shared {
    received: watch::Sender<Vec<Received>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

/// The server.
#[derive(Debug)]
pub struct Receiver {
    /// Its base URL.
    pub url: String,
    shared: Shared,
    server: Server,
}

impl Receiver {
    /// Starts one that answers with these statuses in turn, and 200 from then on.
    pub async fn start(answers: &[u16]) -> Self {
        let shared = Shared {
            received: watch::Sender::new(Vec::new()),
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
        };
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let url = format!("http://{}", listener.address());
        Self { url, shared, server: listener.serve(router, Shutdown::new()) }
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until `count` calls have come in.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        let waited = received.wait_for(|received| received.len() >= count);
        tokio::time::timeout(Duration::from_secs(20), waited)
            .await
            .unwrap_or_else(|_| panic!("only {} of {count} calls came", self.received().len()))
            .unwrap()
            .clone()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn receive(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let status = shared.answers.lock().pop_front().unwrap_or(200);
    let call = Received { path: uri.to_string(), json, body, headers };
    shared.received.send_modify(|received| received.push(call));
    StatusCode::from_u16(status).unwrap()
}
