//! Listening, serving and stopping.
//!
//! A part binds first (so that the address is known, and a port in use is an error that can be
//! read), builds its router with that address, then serves until its [`Shutdown`] fires. Open
//! requests are finished; connections that linger past the grace period are closed.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long open requests may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest head of a request that is read at all; parts may refuse smaller ones in their own
/// words.
const HEAD_BUFFER_BYTES: usize = 64 * 1024;

/// A request to stop, that any number of tasks can wait for. Clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    fire: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Not yet asked for.
    pub fn new() -> Self {
        Self { fire: watch::Sender::new(false) }
    }

    /// Asks everyone who waits to stop. Asking twice is harmless.
    pub fn request(&self) {
        self.fire.send_replace(true);
    }

    /// Whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        *self.fire.borrow()
    }

    /// Returns once a stop was asked for.
    pub async fn requested(&self) {
        let mut fired = self.fire.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = fired.wait_for(|fired| *fired).await;
    }
}

/// A port that could not be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {source}; choose another address with --listen, or stop the \
     program that uses it"
)]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: std::io::Error,
}

/// A bound address that does not answer yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 asks for any free port.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        };
        bound.await.map_err(|source| BindError { address, source })
    }

    /// The address as bound, with the port that was given out.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` in the background (HTTP/1.1 and HTTP/2 without TLS) until `shutdown`.
    pub fn serve(self, router: Router, shutdown: Shutdown) -> Server {
        let address = self.address;
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { accept(self.listener, router, stop).await });
        Server { address, shutdown, task }
    }
}

/// A router that is being served.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Server {
    /// The address it answers on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle that stops it.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Asks it to stop and returns when open requests have ended, or were cut after the grace
    /// period.
    pub async fn stop(self) {
        self.shutdown.request();
        self.stopped().await;
    }

    /// Returns when it has stopped.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await
            && error.is_panic()
        {
            tracing::error!(%error, "the server's accept loop panicked");
        }
    }
}

async fn accept(listener: TcpListener, router: Router, shutdown: Shutdown) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_buf_size(HEAD_BUFFER_BYTES)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEAD_BUFFER_BYTES).unwrap_or(u32::MAX));
    let graceful = GracefulShutdown::new();
    let stop = shutdown.requested();
    tokio::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a connection that died before we took it: the
                    // first heals when others close, so leave them a moment to do so.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let router = TowerToHyperService::new(router.clone());
        // Who calls, for whoever asks with axum's `ConnectInfo`.
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.call(request)
        });
        let connection =
            builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within the grace period and were cut");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let first = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let error = Listener::bind(first.address()).await.unwrap_err();
        assert!(error.to_string().contains(&first.address().to_string()), "{error}");
    }

    #[tokio::test]
    async fn a_handler_can_know_who_calls() {
        async fn caller(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
            peer.ip().to_string()
        }
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}/", listener.address());
        let router = Router::new().route("/", axum::routing::get(caller));
        let server = listener.serve(router, Shutdown::new());
        let client = crate::http::HttpClient::default();
        let answer = client
            .send(http::Method::GET, &url, http::HeaderMap::new(), bytes::Bytes::new())
            .await
            .unwrap();
        assert_eq!(answer.text(), "127.0.0.1");
        server.stop().await;
    }

    #[tokio::test]
    async fn it_stops_when_asked_and_frees_the_port() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.address();
        let server = listener.serve(Router::new(), Shutdown::new());
        server.stop().await;
        Listener::bind(address).await.unwrap();
    }
}
