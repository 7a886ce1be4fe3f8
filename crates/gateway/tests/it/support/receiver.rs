//! A shop's receiver of webhooks: keeps what it gets, and answers as it is told.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use service::{Listener, Server, Shutdown};
use tokio::sync::Notify;

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub text: String,
    pub body: Value,
    pub answered: u16,
}

type Answer = Box<dyn FnMut(&Got) -> u16 + Send>;

#[derive(Clone)]
struct Shared {
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<Answer>>,
    came: Arc<Notify>,
    hold: Arc<Mutex<Option<Arc<Notify>>>>,
}

pub struct Receiver {
    pub url: String,
    shared: Shared,
    server: Server,
}

async fn receive(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut got = Got {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: serde_json::from_str(&text).unwrap(),
        text,
        answered: 0,
    };
    assert_eq!(headers["content-type"], "application/json");
    got.answered = (shared.answer.lock())(&got);
    let (status, echo) = (got.answered, format!("heard {}", got.signature));
    shared.got.lock().push(got);
    shared.came.notify_waiters();
    let hold = shared.hold.lock().clone();
    if let Some(hold) = hold {
        hold.notified().await;
    }
    (StatusCode::from_u16(status).unwrap(), echo)
}

impl Receiver {
    pub async fn start() -> Self {
        let shared = Shared {
            got: Arc::default(),
            answer: Arc::new(Mutex::new(Box::new(|_| 204))),
            came: Arc::default(),
            hold: Arc::default(),
        };
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}/hooks", listener.address());
        let router = Router::new().fallback(receive).with_state(shared.clone());
        Self { url, shared, server: listener.serve(router, Shutdown::new()) }
    }

    /// From now on it answers so.
    pub fn answers(&self, answer: impl FnMut(&Got) -> u16 + Send + 'static) {
        *self.shared.answer.lock() = Box::new(answer);
    }

    /// From now on it takes messages and does not answer them until it is told to.
    pub fn holds(&self) -> Arc<Notify> {
        let hold = Arc::new(Notify::new());
        *self.shared.hold.lock() = Some(Arc::clone(&hold));
        hold
    }

    /// From now on it answers at once again.
    pub fn holds_no_more(&self) {
        *self.shared.hold.lock() = None;
    }

    pub fn got(&self) -> Vec<Got> {
        self.shared.got.lock().clone()
    }

    /// What it took.
    pub fn taken(&self) -> Vec<Got> {
        self.got().into_iter().filter(|got| (200..300).contains(&got.answered)).collect()
    }

    /// Waits until it has got so many messages.
    pub async fn wait_for(&self, count: usize) -> Vec<Got> {
        let waiting = async {
            loop {
                let came = self.shared.came.notified();
                tokio::pin!(came);
                came.as_mut().enable();
                let got = self.got();
                if got.len() >= count {
                    return got;
                }
                came.await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.unwrap_or_else(
            |_| panic!("{count} messages do not come; these did: {:#?}", self.got()),
        )
    }

    pub async fn stop(self) {
        self.holds_no_more();
        self.server.stop().await;
    }
}
