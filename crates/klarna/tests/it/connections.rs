//! One connection pool for many tasks and many merchants; HTTP/2 over TLS with an authority of one's own.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klarna::{BuildError, Client, Credentials, ErrorKind, OrderId};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

/// What a server saw.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    versions: Mutex<HashSet<String>>,
    callers: Mutex<HashSet<String>>,
}

/// A local authority, and a server's certificate by it.
struct Authority {
    pem: String,
    acceptor: TlsAcceptor,
}

impl Authority {
    fn new(protocols: &[&[u8]]) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Self { pem: issuer.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

/// Serves `[]`; for orders called `together` only once so many requests are there at the same time.
async fn serve(
    acceptor: Option<TlsAcceptor>,
    barrier: Option<Arc<Barrier>>,
) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let notes = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (notes, barrier, acceptor) = (notes.clone(), barrier.clone(), acceptor.clone());
            tokio::spawn(async move {
                let count = Arc::clone(&notes);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (notes, barrier) = (notes.clone(), barrier.clone());
                    async move {
                        let version = format!("{:?}", request.version());
                        notes.versions.lock().unwrap().insert(version);
                        let caller = request.headers()["authorization"].to_str().unwrap();
                        notes.callers.lock().unwrap().insert(caller.to_owned());
                        match barrier {
                            Some(barrier) if request.uri().path().contains("together") => {
                                barrier.wait().await;
                            }
                            _ => {}
                        }
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"[]"))))
                    }
                });
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                match acceptor {
                    None => {
                        count.connections.fetch_add(1, Ordering::SeqCst);
                        let _ = server.serve_connection(TokioIo::new(stream), service).await;
                    }
                    Some(acceptor) => {
                        // A handshake that the client breaks off is no connection.
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        count.connections.fetch_add(1, Ordering::SeqCst);
                        let _ = server.serve_connection(TokioIo::new(stream), service).await;
                    }
                }
            });
        }
    });
    (address, seen)
}

async fn call(client: &Client) {
    client.orders().captures(&OrderId::new("o")).await.unwrap();
}

fn builder() -> klarna::ClientBuilder {
    Client::builder(Credentials::new("K1_a", "b"))
}

#[tokio::test]
async fn one_connection_serves_one_call_after_the_other_for_all_merchants() {
    let (address, seen) = serve(None, None).await;
    let client = builder().base_url(&format!("http://{address}")).unwrap().build().unwrap();
    let partner: Vec<Client> = (0..20)
        .map(|merchant| client.for_merchant(&Credentials::new(format!("M{merchant}_x"), "y")))
        .collect();
    for client in partner.iter().chain([&client.clone(), &client]) {
        call(client).await;
    }
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
    // Each with its own credentials.
    assert_eq!(seen.callers.lock().unwrap().len(), 21);
}

#[tokio::test]
async fn many_calls_share_one_http2_connection() {
    const TASKS: usize = 50;
    let authority = Authority::new(&[b"h2", b"http/1.1"]);
    let barrier = Arc::new(Barrier::new(TASKS));
    let (address, seen) = serve(Some(authority.acceptor), Some(barrier)).await;
    let client = builder()
        .base_url(&format!("https://localhost:{}", address.port()))
        .unwrap()
        .root_certificates_pem(authority.pem.as_bytes())
        .unwrap()
        .build()
        .unwrap();
    // That the other side speaks HTTP/2 is known from the first connection on.
    call(&client).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.orders().captures(&OrderId::new("together")).await })
        })
        .collect();
    // They are answered only when all of them have arrived.
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(*seen.versions.lock().unwrap(), HashSet::from([format!("{:?}", Version::HTTP_2)]));
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_without_http2_is_spoken_to_in_http1() {
    let authority = Authority::new(&[b"http/1.1"]);
    let (address, seen) = serve(Some(authority.acceptor), None).await;
    let client = builder()
        .base_url(&format!("https://localhost:{}", address.port()))
        .unwrap()
        .root_certificates_pem(authority.pem.as_bytes())
        .unwrap()
        .build()
        .unwrap();
    call(&client).await;
    call(&client).await;
    assert_eq!(*seen.versions.lock().unwrap(), HashSet::from([format!("{:?}", Version::HTTP_11)]));
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let authority = Authority::new(&[b"h2"]);
    let (address, seen) = serve(Some(authority.acceptor), None).await;
    let url = format!("https://localhost:{}", address.port());
    let never = klarna::retry::RetryPolicy::never();
    let client = builder().base_url(&url).unwrap().retry(never).build().unwrap();
    let error = client.orders().captures(&OrderId::new("o")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(seen.callers.lock().unwrap().len(), 0, "no credentials are sent");
    // Nor is a certificate of its own, for another name.
    let other = Authority::new(&[b"h2"]);
    let builder = builder().base_url(&url).unwrap().retry(never);
    let client = builder.root_certificates_pem(other.pem.as_bytes()).unwrap().build().unwrap();
    client.orders().captures(&OrderId::new("o")).await.unwrap_err();
}

#[test]
fn what_is_no_certificate_is_refused() {
    for pem in ["", "text", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let refused = builder().root_certificates_pem(pem.as_bytes());
        assert!(matches!(refused, Err(BuildError::Tls { .. })), "{pem}");
    }
}
