//! HTTPS under `localhost` and under Klarna's own host names, with clients that know nothing of Kassa: a
//! TLS library of ours, and `curl` where it is at hand. Nothing here touches this machine's trust store
//! or its hosts file.

use crate::wire;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use crate::common::{Purchase, World};
use crate::wire::exchange;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use playground::{Authority, Names};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const ANY: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// A playground that answers over HTTPS.
struct Secure {
    world: World,
    address: SocketAddr,
    authority: Authority,
}

impl Secure {
    async fn start(names: Names) -> Self {
        let mut world = World::start().await;
        let authority = Authority::in_memory().unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = world.running().open_tls(listen, names, &authority).await.unwrap();
        Self { world, address, authority }
    }

    /// A client that trusts the authority and nobody else.
    fn client(&self, versions: &[&'static SupportedProtocolVersion], alpn: &str) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.certificate_pem().as_bytes();
        roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        config
    }

    async fn connect_as(
        &self,
        host: &str,
        config: ClientConfig,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn connect(&self, host: &str) -> TlsStream<TcpStream> {
        self.connect_as(host, self.client(&ANY, "http/1.1")).await.unwrap()
    }

    fn get(&self, host: &str, path: &str) -> String {
        let authorization = &self.world.merchant.authorization;
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\n\r\n")
    }
}

#[tokio::test]
async fn every_host_of_klarna_is_answered_in_both_versions_of_tls() {
    let secure = Secure::start(Names::Klarna).await;
    let path = "/payments/v1/sessions/x";
    for (number, host) in Names::Klarna.hosts().into_iter().enumerate() {
        let version = ANY[number % 2];
        let client = secure.client(&[version], "http/1.1");
        let mut stream = secure.connect_as(host, client).await.unwrap();
        let expected = match number % 2 {
            0 => ProtocolVersion::TLSv1_3,
            _ => ProtocolVersion::TLSv1_2,
        };
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected), "{host}");
        let answer = exchange(&mut stream, secure.get(host, path)).await;
        assert_eq!(answer.status(), 404, "{host}: {answer:?}");
        assert!(answer.header("klarna-correlation-id").is_some());
        let strict = answer.header("strict-transport-security");
        assert_eq!(strict, Some("max-age=31536000; includesubdomains"));
    }
    secure.world.stop().await;
}

#[tokio::test]
async fn answers_name_the_host_that_was_asked() {
    let secure = Secure::start(Names::Klarna).await;
    let order_id = secure.world.order(&Purchase::of(10_000)).await;
    let host = "api-na.playground.klarna.com";
    let send = async |path: &str, body: &Value| {
        let client = secure.client(&ANY, "h2");
        let stream = secure.connect_as(host, client).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let request = Request::post(format!("https://{host}{path}"))
            .header("authorization", &secure.world.merchant.authorization)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        wire::http2(stream, request).await.unwrap()
    };
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let captured = send(&path, &json!({ "captured_amount": 10_000 })).await;
    assert_eq!(captured.status(), 201);
    let location = captured.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("https://{host}{path}/")), "{location}");

    let session = send("/payments/v1/sessions", &Purchase::of(500).session()).await;
    let session: Value = serde_json::from_slice(session.body()).unwrap();
    let token = session["client_token"].as_str().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(payload.contains(&format!("https://{host}")), "{payload}");
    // What was begun under one name goes on under any other: it is the same playground.
    let session_id = session["session_id"].as_str().unwrap();
    let path = format!("/payments/v1/sessions/{session_id}");
    assert_eq!(secure.world.call("GET", &path, &Value::Null).await.status, 200);
    secure.world.stop().await;
}

#[tokio::test]
async fn a_client_has_to_name_a_host_of_ours_and_to_mean_it() {
    let secure = Secure::start(Names::Klarna).await;
    for host in ["portal.klarna.com", "localhost", "evil.example"] {
        let refused = secure.connect_as(host, secure.client(&ANY, "http/1.1")).await;
        assert!(refused.is_err(), "{host}");
    }
    let mut silent = secure.client(&ANY, "http/1.1");
    silent.enable_sni = false;
    assert!(secure.connect_as("api.klarna.com", silent).await.is_err());

    let mut stream = secure.connect("api.klarna.com").await;
    let answer = exchange(&mut stream, secure.get("api-na.klarna.com", "/kp/lib/v1/api.js")).await;
    assert_eq!(answer.status(), 421);
    let mut stream = secure.connect("api.klarna.com").await;
    let answer = exchange(&mut stream, secure.get("api.klarna.com:8443", "/healthz")).await;
    assert_eq!(answer.status(), 200);

    // Plain HTTP gets no answer here, and whoever does speak TLS still does.
    let mut plain = TcpStream::connect(secure.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut stream = secure.connect("api.klarna.com").await;
    let answer = exchange(&mut stream, secure.get("api.klarna.com", "/healthz")).await;
    assert_eq!(answer.status(), 200);
    secure.world.stop().await;
}

#[tokio::test]
async fn nobody_else_is_fooled() {
    let secure = Secure::start(Names::Klarna).await;
    // A client that trusts another authority, as every other program on this machine does.
    let other = Secure { authority: Authority::in_memory().unwrap(), ..secure };
    let refused = other.connect_as("api.klarna.com", other.client(&ANY, "http/1.1")).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"));
    other.world.stop().await;
}

#[tokio::test]
async fn the_control_api_is_not_klarnas() {
    let secure = Secure::start(Names::Klarna).await;
    for path in ["/playground/v1/clock", "/playground/v1/requests", "/playground/v1/merchants"] {
        let mut stream = secure.connect("api.klarna.com").await;
        let answer = exchange(&mut stream, secure.get("api.klarna.com", path)).await;
        assert_eq!(answer.status(), 403, "{path}: {answer:?}");
    }
    secure.world.stop().await;

    let secure = Secure::start(Names::Localhost).await;
    let host = format!("localhost:{}", secure.address.port());
    let mut stream = secure.connect("localhost").await;
    let answer = exchange(&mut stream, secure.get(&host, "/playground/v1/clock")).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    // A browser would keep to HTTPS on `localhost`, for every other program too.
    assert_eq!(answer.header("strict-transport-security"), None);
    secure.world.stop().await;
}

#[tokio::test]
async fn browsers_find_the_library_and_the_badge_where_klarna_has_them() {
    let secure = Secure::start(Names::Klarna).await;
    for (path, content_type) in [
        ("/kp/lib/v1/api.js", "text/javascript; charset=utf-8"),
        ("/payment-method/assets/badges/generic/klarna.svg", "image/svg+xml"),
    ] {
        let host = "x.klarnacdn.net";
        let mut stream = secure.connect(host).await;
        let answer = exchange(&mut stream, secure.get(host, path)).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
    }
    secure.world.stop().await;
}

#[tokio::test]
async fn curl_is_made_to_reach_us_by_its_own_flags() {
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let secure = Secure::start(Names::Klarna).await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("ca.pem");
    std::fs::write(&certificate, secure.authority.certificate_pem()).unwrap();
    let certificate = certificate.display().to_string();
    let address = secure.address;
    let curl = move |flags: Vec<String>| {
        let certificate = certificate.clone();
        tokio::task::spawn_blocking(move || {
            let mut command = Command::new("curl");
            command.args(["--noproxy", "*", "--silent", "--show-error"]);
            command.args(["--max-time", "30", "--cacert"]);
            command.arg(certificate).args(["--connect-to", &format!("::{address}")]);
            let output = command.args(flags).output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), error)
        })
    };
    let pair = secure.world.merchant.authorization.trim_start_matches("Basic ").to_owned();
    let pair = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
    let body = Purchase::of(1_000).session().to_string();
    for (version, shown) in [("--http1.1", "1.1"), ("--http2", "2")] {
        for tls in ["1.2", "1.3"] {
            let flags = [
                version,
                "--tls-max",
                tls,
                "--user",
                &pair,
                "--json",
                &body,
                "--write-out",
                "\n%{http_code} %{http_version}",
                "https://api.playground.klarna.com/payments/v1/sessions",
            ];
            let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
            let (code, told, error) = curl(flags).await.unwrap();
            assert_eq!(code, Some(0), "{error}");
            let (answer, status) = told.rsplit_once('\n').unwrap();
            assert_eq!(status, format!("200 {shown}"), "TLS {tls}");
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert!(answer["session_id"].is_string(), "{answer}");
        }
    }
    // A name that is not Klarna's gets no certificate.
    let flags = vec!["https://example.com/".to_owned()];
    let (code, told, _) = curl(flags).await.unwrap();
    assert_eq!((code, told.as_str()), (Some(35), ""));
    secure.world.stop().await;
}
