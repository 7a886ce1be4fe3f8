//! Listening, serving and stopping.
//!
//! A part binds first (so that the address is known, and a port in use is an error that can be
//! read), builds its router with that address, then serves until its [`Shutdown`] fires. Open
//! requests are finished; connections that linger past the grace period are closed.
//!
//! Behind TLS, each host name is a site with a router of its own ([`Sites`]); whose certificates are
//! shown is the business of whoever listens.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::server::ResolvesServerCert;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cut::{Cut, Wire};

/// How long open requests may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take to agree on TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

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
        self.open(Door::Plain(router), shutdown)
    }

    /// Serves `sites` in the background (TLS 1.2 and 1.3; HTTP/1.1 and HTTP/2 by agreement) until
    /// `shutdown`.
    pub fn serve_sites(self, sites: Sites, shutdown: Shutdown) -> Server {
        self.open(Door::Tls(Arc::new(sites)), shutdown)
    }

    fn open(self, door: Door, shutdown: Shutdown) -> Server {
        let address = self.address;
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { accept(self.listener, door, stop).await });
        Server { address, shutdown, task }
    }
}

/// What is served behind TLS: a router for each host name. A client has to name the host (SNI), and
/// to mean the same host in its requests.
pub struct Sites {
    acceptor: tokio_rustls::TlsAcceptor,
    routers: HashMap<Arc<str>, Router>,
}

impl fmt::Debug for Sites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sites").field("names", &self.routers.keys()).finish_non_exhaustive()
    }
}

impl Sites {
    /// Sites by lower-case host name, with the certificates that `resolver` has for them.
    ///
    /// # Panics
    ///
    /// Never in practice: the only failure is a TLS library built without the protocol versions
    /// that this crate asks it to be built with.
    #[expect(clippy::expect_used, reason = "fixed at compile time by the features of rustls")]
    pub fn new(
        resolver: Arc<dyn ResolvesServerCert>,
        routers: impl IntoIterator<Item = (String, Router)>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("rustls is built with TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let routers = routers.into_iter().map(|(name, router)| (name.into(), router)).collect();
        Self { acceptor: Arc::new(tls).into(), routers }
    }

    /// The site with this name.
    fn find(&self, name: &str) -> Option<Site> {
        let name = name.to_ascii_lowercase();
        let (name, router) = self.routers.get_key_value(name.as_str())?;
        Some(Site { router: router.clone(), name: Some(Arc::clone(name)) })
    }
}

/// How connections come in.
#[derive(Clone)]
enum Door {
    Plain(Router),
    Tls(Arc<Sites>),
}

/// What one connection gets to see.
#[derive(Clone)]
struct Site {
    router: Router,
    /// The name that the client asked for, when it had to.
    name: Option<Arc<str>>,
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

async fn accept(listener: TcpListener, door: Door, shutdown: Shutdown) {
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
        let cut = Cut::default();
        let stream = Wire::new(stream, cut.clone());
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        match &door {
            Door::Plain(router) => {
                let site = Site { router: router.clone(), name: None };
                tokio::spawn(converse(stream, Peer { address: peer, cut }, site, builder, watcher));
            }
            Door::Tls(sites) => {
                let sites = Arc::clone(sites);
                tokio::spawn(async move {
                    match handshake(&sites, stream).await {
                        Ok((stream, site)) => {
                            let peer = Peer { address: peer, cut };
                            converse(stream, peer, site, builder, watcher).await;
                        }
                        Err(error) => tracing::debug!(%error, "no TLS connection came about"),
                    }
                });
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within the grace period and were cut");
    }
}

/// Agrees on TLS, and finds the site that the client names.
async fn handshake(
    sites: &Sites,
    stream: Wire,
) -> std::io::Result<(tokio_rustls::server::TlsStream<Wire>, Site)> {
    let accepted = tokio::time::timeout(HANDSHAKE_TIMEOUT, sites.acceptor.accept(stream));
    let stream = accepted.await.map_err(std::io::Error::from)??;
    let site = stream.get_ref().1.server_name().and_then(|name| sites.find(name));
    let site = site.ok_or_else(|| std::io::Error::other("the client named no host of ours"))?;
    Ok((stream, site))
}

/// One connection, to its end.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    site: Site,
    builder: auto::Builder<TokioExecutor>,
    watcher: Watcher,
) {
    let Site { router, name } = site;
    let router = TowerToHyperService::new(router);
    let cut = peer.cut.clone();
    // Who calls, for whoever asks with axum's `ConnectInfo`, and the means to hang up.
    let service = service_fn(move |mut request: Request<Incoming>| {
        let misdirected = name.as_ref().is_some_and(|name| !means(&request, name));
        request.extensions_mut().insert(ConnectInfo(peer.address));
        request.extensions_mut().insert(peer.cut.clone());
        let answer = (!misdirected).then(|| router.call(request));
        async move {
            match answer {
                Some(answer) => answer.await,
                None => Ok::<Response, _>(StatusCode::MISDIRECTED_REQUEST.into_response()),
            }
        }
    });
    let connection =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    tokio::select! {
        ended = watcher.watch(connection) => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        },
        () = cut.wanted() => tracing::debug!("a connection was ended on purpose"),
    }
}

/// The other end of a connection.
struct Peer {
    address: SocketAddr,
    cut: Cut,
}

/// Whether a request is for the host of this name, whatever the port.
fn means<B>(request: &Request<B>, name: &str) -> bool {
    let host = request.uri().host().or_else(|| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        host.split(':').next()
    });
    host.is_some_and(|host| host.eq_ignore_ascii_case(name))
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

    #[test]
    fn a_request_means_the_host_it_names() {
        let request = |uri: &str, host: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header(header::HOST, host);
            }
            means(&request.body(()).unwrap(), "api.example")
        };
        assert!(request("/", Some("API.example")));
        assert!(request("/", Some("api.example:8443")));
        assert!(request("https://api.example/", None));
        assert!(!request("/", Some("other.example")));
        assert!(!request("/", None));
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
