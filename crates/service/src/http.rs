//! Outgoing HTTP for the parts that are not the SDK: callbacks, webhooks, a shop's calls to its
//! gateway.
//!
//! One call is one attempt: no redirects are followed, nothing is repeated, bodies have a limit,
//! connecting and answering have time-outs of their own. Retrying is a rule of whoever calls. A client
//! for URLs that strangers choose is told how far it may [reach](crate::reach).

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connect::{Connector, Resolver};
use crate::reach::{Reach, Refused};

/// How long calls may take, and how much they may answer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time until there is a connection, TLS included.
    pub connect: Duration,
    /// Time from there to the end of the answer's body.
    pub answer: Duration,
    /// The largest body that is read; a larger one is [`ErrorKind::BodyTooLarge`].
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            body_bytes: 1024 * 1024,
        }
    }
}

/// An HTTP client with a connection pool. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct HttpClient {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    limits: Limits,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl HttpClient {
    /// A client that trusts the certificate authorities the web trusts, and calls anyone.
    pub fn new(limits: Limits) -> Self {
        Self::reaching(limits, Reach::Anywhere)
    }

    /// The same for one that may only reach so far.
    ///
    /// # Panics
    ///
    /// Never in practice: the only failure is a TLS library built without the protocol versions
    /// that this crate asks it to be built with.
    #[expect(clippy::expect_used, reason = "fixed at compile time by the features of rustls")]
    pub fn reaching(limits: Limits, reach: Reach) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("rustls is built with TLS 1.2 and 1.3")
            .with_webpki_roots()
            .with_no_client_auth();
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(reach));
        tcp.set_connect_timeout(Some(limits.connect));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(Connector::new(reach, tcp));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Self { client, limits }
    }

    /// A GET.
    pub async fn get(&self, uri: &str) -> Result<Answer, Error> {
        self.send(Method::GET, uri, HeaderMap::new(), Bytes::new()).await
    }

    /// A POST of a JSON body.
    pub async fn post_json(
        &self,
        uri: &str,
        headers: HeaderMap,
        body: &impl serde::Serialize,
    ) -> Result<Answer, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|source| Error::new(ErrorKind::Request, Some(Box::new(source))))?;
        let mut headers = headers;
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self.send(Method::POST, uri, headers, body.into()).await
    }

    /// One attempt at one request. `uri` is absolute, `http` or `https`.
    pub async fn send(
        &self,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let uri: Uri =
            uri.parse().map_err(|source| Error::new(ErrorKind::Request, Some(Box::new(source))))?;
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(body))
            .map_err(|source| Error::new(ErrorKind::Request, Some(Box::new(source))))?;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("kassa/", env!("CARGO_PKG_VERSION"))));
        let mut captured = capture_connection(&mut request);
        let connected = async move {
            let _ = captured.wait_for_connection_metadata().await;
        };
        let exchange = async {
            let response = self.client.request(request).await.map_err(|source| {
                let kind = if is_refused(&source) {
                    ErrorKind::Refused
                } else if source.is_connect() {
                    ErrorKind::Connect
                } else {
                    ErrorKind::Interrupted
                };
                Error::new(kind, Some(Box::new(source)))
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, self.limits.body_bytes)
                .collect()
                .await
                .map_err(|source| {
                    let kind = if source.is::<http_body_util::LengthLimitError>() {
                        ErrorKind::BodyTooLarge
                    } else {
                        ErrorKind::Interrupted
                    };
                    Error::new(kind, Some(source))
                })?
                .to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        let mut exchange = pin!(exchange);
        tokio::select! {
            biased;
            outcome = &mut exchange => return outcome,
            () = connected => {}
            () = tokio::time::sleep(self.limits.connect) => {
                return Err(Error::new(ErrorKind::Connect, Some("it took too long".into())));
            }
        }
        match tokio::time::timeout(self.limits.answer, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(ErrorKind::TimedOut, None)),
        }
    }
}

/// Whether an address was refused somewhere below.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|source| Error::new(ErrorKind::Decode, Some(Box::new(source))))
    }

    /// Reads the body as text, replacing what is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// How far an attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request could not be built: nothing was sent.
    Request,
    /// The address is out of reach by choice: nothing was sent.
    Refused,
    /// No connection was made: nothing was sent.
    Connect,
    /// The connection broke: the other side may or may not have acted.
    Interrupted,
    /// The time was up: the other side may or may not have acted.
    TimedOut,
    /// The answer is larger than the limit.
    BodyTooLarge,
    /// The answer is not what it should be.
    Decode,
}

/// An attempt that brought no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", match kind {
    ErrorKind::Request => "the request could not be built",
    ErrorKind::Refused => "the address may not be called",
    ErrorKind::Connect => "no connection could be made",
    ErrorKind::Interrupted => "the connection broke before the answer was complete",
    ErrorKind::TimedOut => "no answer came in time",
    ErrorKind::BodyTooLarge => "the answer is larger than the limit",
    ErrorKind::Decode => "the answer could not be read",
})]
pub struct Error {
    kind: ErrorKind,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    fn new(kind: ErrorKind, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, source }
    }

    /// How far the attempt came.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the other side may have acted although no answer came.
    pub fn outcome_unknown(&self) -> bool {
        match self.kind {
            ErrorKind::Request | ErrorKind::Refused | ErrorKind::Connect => false,
            ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::BodyTooLarge
            | ErrorKind::Decode => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::{get, post};

    use super::*;
    use crate::server::{Listener, Shutdown};

    async fn serve(router: Router) -> (String, crate::Server) {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.address());
        (url, listener.serve(router, Shutdown::new()))
    }

    #[tokio::test]
    async fn it_posts_json_and_reads_the_answer() {
        let echo = Router::new().route("/echo", post(|body: String| async move { body }));
        let (url, server) = serve(echo).await;
        let answer = HttpClient::default()
            .post_json(&format!("{url}/echo"), HeaderMap::new(), &serde_json::json!({"a": 1}))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json::<serde_json::Value>().unwrap()["a"], 1);
        server.stop().await;
    }

    #[tokio::test]
    async fn it_follows_no_redirect_and_reads_no_endless_body() {
        let router = Router::new()
            .route("/away", get(|| async { axum::response::Redirect::to("/elsewhere") }))
            .route("/large", get(|| async { "x".repeat(100) }));
        let (url, server) = serve(router).await;
        let client = HttpClient::new(Limits { body_bytes: 99, ..Limits::default() });
        assert_eq!(client.get(&format!("{url}/away")).await.unwrap().status, 303);
        let error = client.get(&format!("{url}/large")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
        server.stop().await;
    }

    #[tokio::test]
    async fn nobody_there_means_nothing_was_sent() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.address());
        drop(listener);
        let error = HttpClient::default().get(&url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(!error.outcome_unknown());
    }

    #[tokio::test]
    async fn whatever_leads_inside_is_refused_before_anything_is_sent() {
        let router = Router::new().fallback(|| async { "inside" });
        let (url, server) = serve(router).await;
        let port = server.address().port();
        let strict = HttpClient::reaching(Limits::default(), Reach::Internet);
        let near = HttpClient::reaching(Limits::default(), Reach::Networks);
        // By name, by address, mapped, and in the spellings that only a resolver understands.
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001"] {
            let uri = format!("http://{host}:{port}/");
            let error = strict.get(&uri).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{uri}: {error:?}");
            assert!(!error.outcome_unknown());
        }
        assert_eq!(near.get(&url).await.unwrap().text(), "inside");
        assert_eq!(near.get(&format!("http://localhost:{port}/")).await.unwrap().text(), "inside");
        for uri in [
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "https://[::ffff:a9fe:a9fe]/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(near.get(uri).await.unwrap_err().kind(), ErrorKind::Refused, "{uri}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn a_handler_can_hang_up_in_both_protocols() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        async fn hang_up(cut: axum::Extension<crate::cut::Cut>, uri: Uri) {
            if uri.path() == "/reset" {
                cut.reset();
            } else {
                cut.close();
            }
            std::future::pending::<()>().await;
        }
        let (_, server) = serve(Router::new().fallback(hang_up)).await;
        // Without an answer in HTTP/1.1: an end of file, or a reset.
        for (path, reset) in [("/close", false), ("/reset", true)] {
            let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            match stream.read_to_end(&mut answer).await {
                Ok(_) => assert!(!reset && answer.is_empty(), "{path}"),
                Err(error) => assert!(
                    reset && error.kind() == std::io::ErrorKind::ConnectionReset,
                    "{path}: {error}"
                ),
            }
        }
        // And in HTTP/2, where the whole connection goes.
        let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(
            TokioExecutor::new(),
            hyper_util::rt::TokioIo::new(stream),
        )
        .await
        .unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .uri(format!("http://{}/close", server.address()))
            .body(Full::new(Bytes::new()))
            .unwrap();
        assert!(sender.send_request(request).await.is_err());
        let _ = connection.await.unwrap();
        server.stop().await;
    }
}
