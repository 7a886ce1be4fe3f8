//! The least that an HTTP server can do: an axum handler that reads the request and answers bytes known beforehand.

use std::net::SocketAddr;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::any;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Outcome;
use crate::http1::Answer;

/// A server of one answer.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Bare {
    /// Serves what `recorded` holds: the same status, headers and body, to any request.
    pub(crate) async fn start(recorded: &Answer) -> Outcome<Self> {
        let status = StatusCode::from_u16(recorded.status)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &recorded.headers {
            // The server writes these itself.
            if !matches!(
                name.as_str(),
                "content-length" | "date" | "connection" | "transfer-encoding"
            ) {
                headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            }
        }
        let body = Bytes::from(recorded.body.clone().into_bytes());
        let answer = move |_request: Bytes| {
            let answer = (status, headers.clone(), body.clone()).into_response();
            std::future::ready(answer)
        };
        let router = Router::new().fallback(any(answer));
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

impl Drop for Bare {
    fn drop(&mut self) {
        self.task.abort();
    }
}
