//! The layer below: one HTTP request, one answer. Any tower service with these types can stand in for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, SizeHint};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

/// Any error of a layer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One HTTP request, one answer.
pub type Transport = BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody>, BoxError>;

/// The body of an answer while it arrives.
#[derive(Debug)]
pub struct ResponseBody(UnsyncBoxBody<Bytes, BoxError>);

impl ResponseBody {
    /// Wraps any body.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }

    /// Nothing.
    pub(crate) fn empty() -> Self {
        Self::new(Full::default())
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Whom TLS connections trust besides the public authorities.
pub(crate) type Roots = Vec<CertificateDer<'static>>;

/// Reads certificates in PEM form; there has to be one at least.
pub(crate) fn read_pem(pem: &[u8]) -> Result<Roots, BoxError> {
    let roots: Roots = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if roots.is_empty() {
        return Err("there is no certificate in it".into());
    }
    Ok(roots)
}

fn tls(roots: Roots) -> Result<ClientConfig, rustls::Error> {
    let mut store = RootCertStore::empty();
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in roots {
        store.add(root)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth())
}

/// Connections over TCP and TLS, HTTP/1.1 or HTTP/2 as the server offers. The TLS roots and the crypto provider are
/// this transport's own: nothing global is read or set.
pub(crate) fn tcp(connect_timeout: Duration, roots: Roots) -> Result<Transport, rustls::Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect_timeout));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls(roots)?)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(http);
    let client = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        // A connection over which nothing comes back any more is given up, not used for the next call.
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build::<_, Full<Bytes>>(connector);
    Ok(BoxCloneSyncService::new(
        client.map_response(|response| response.map(ResponseBody::new)).map_err(BoxError::from),
    ))
}

/// Whether an error says that there was no connection, so that nothing was sent.
pub(crate) fn is_connect(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        next = error.source();
    }
    false
}
