//! The rules that hold across all of Klarna's APIs, as they stand on the wire: sizes, rates, the answers
//! of the edge, HTTP/1.1 and HTTP/2.

use crate::common::{Merchant, Purchase, Reply, START, World};
use crate::wire;
use crate::wire::{exchange, read_answer};
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use klarna_types::secret::Secret;
use playground::{RateLimits, SeedMerchant, UnauthorizedForm};
use serde_json::{Value, json};
use service::ManualClock;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const SESSIONS: &str = "/payments/v1/sessions";
const ORDER: &str = "/ordermanagement/v1/orders/01234567-89ab-4cde-8f01-23456789abcd";

/// An operation of each class; none of these calls succeeds, all of them count.
const CLASSES: [(&str, &str, u32, u32); 4] = [
    ("POST", SESSIONS, 5, 40),
    ("POST", "/payments/v1/authorizations/a/customer-token", 5, 40),
    ("POST", "/hpp/v1/sessions", 5, 40),
    ("GET", ORDER, 50, 200),
];

/// Every answer of an API says how many calls are left and which call it was.
#[track_caller]
fn check_edge(reply: &Reply) {
    let limit = reply.header("x-ratelimit-limit");
    assert!(limit == "5, 5;w=1" || limit == "50, 50;w=1", "{limit}");
    assert!(reply.header("x-ratelimit-remaining").parse::<u32>().is_ok());
    assert_eq!(reply.header("x-ratelimit-reset"), "1");
    let id = reply.header("klarna-correlation-id");
    assert!(uuid_like(id), "{id}");
    if reply.json.get("error_code").is_some() {
        assert_eq!(reply.json["correlation_id"], id, "{reply:?}");
    }
}

fn uuid_like(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[tokio::test]
async fn each_class_has_a_quota_of_its_own_for_each_merchant() {
    for (limits, live) in [(RateLimits::Playground, false), (RateLimits::Live, true)] {
        let clock = ManualClock::starting_at(START.parse::<Timestamp>().unwrap());
        let hand = clock.clone();
        let world = World::start_with(|config| {
            config.rate_limits = limits;
            config.clock = clock;
            // A second credential of the same merchant.
            config.merchants.push(SeedMerchant {
                merchant_id: "K123456".to_owned(),
                username: "K123456_second".to_owned(),
                password: Secret::new("three"),
                client_id: None,
            });
        })
        .await;
        let second = Merchant::new("K123456", "K123456_second", "three");
        for (method, path, in_playground, when_live) in CLASSES {
            let quota = if live { when_live } else { in_playground };
            for number in 0..quota {
                // Counted per merchant id, not per credential.
                let caller = if number % 2 == 0 { &world.merchant } else { &second };
                let reply = world.call_as(caller, method, path, &Value::Null, &[]).await;
                assert_ne!(reply.status, 429, "{path} {number}");
                let left = (quota - number - 1).to_string();
                assert_eq!(reply.header("x-ratelimit-remaining"), left, "{path}");
                assert_eq!(reply.header("x-ratelimit-limit"), format!("{quota}, {quota};w=1"));
            }
            for caller in [&world.merchant, &second] {
                let reply = world.call_as(caller, method, path, &Value::Null, &[]).await;
                assert_eq!(reply.status, 429, "{path}");
                assert_eq!(reply.json["error_code"], "TOO_MANY_REQUESTS");
                assert_eq!(reply.json["error_messages"], json!(["Too many requests"]));
                assert_eq!(reply.header("x-ratelimit-remaining"), "0");
                assert!(!reply.headers.contains_key("retry-after"));
            }
            let other = world.call_as(&world.stranger, method, path, &Value::Null, &[]).await;
            assert_ne!(other.status, 429, "{path}");
        }
        hand.advance(SignedDuration::from_secs(1));
        for (method, path, ..) in CLASSES {
            let reply = world.call(method, path, &Value::Null).await;
            assert_ne!(reply.status, 429, "{path} in the next second");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn without_limits_nothing_is_counted_and_the_headers_are_sent_all_the_same() {
    let world = World::start().await;
    for _ in 0..60 {
        let reply = world.call("GET", ORDER, &Value::Null).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (404, "50"));
    }
    world.stop().await;
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let world = World::start().await;
    let long = "x".repeat(7_000);
    let huge = "x".repeat(1_048_577);
    let own = world.merchant.authorization.as_str();
    let json = ("content-type", "application/json");
    let body = Purchase::of(1_000).session().to_string();
    for (method, path, headers, body, expected) in [
        ("POST", SESSIONS, vec![("authorization", own), json], body.as_str(), 200),
        ("POST", SESSIONS, vec![("authorization", own), json], "{", 400),
        ("POST", SESSIONS, vec![json], "{}", 401),
        ("GET", ORDER, vec![("authorization", own)], "", 404),
        ("GET", "/payments/v1/nothing", vec![("authorization", own)], "", 404),
        ("GET", "/settlements/v9/nothing", vec![("authorization", own)], "", 404),
        ("PUT", SESSIONS, vec![("authorization", own), json], "{}", 405),
        ("POST", SESSIONS, vec![("authorization", own), json], huge.as_str(), 413),
        ("POST", SESSIONS, vec![("authorization", own), ("content-type", "text/xml")], "<a/>", 415),
        ("GET", ORDER, vec![("authorization", own), ("x-long", long.as_str())], "", 431),
    ] {
        let reply = world.send(method, path, &headers, body.to_owned()).await;
        assert_eq!(reply.status, expected, "{method} {path}: {reply:?}");
        check_edge(&reply);
    }
    world.stop().await;
}

#[tokio::test]
async fn wrong_credentials_meet_the_edge() {
    let world = World::start().await;
    for authorization in
        ["", "Basic", "Basic !", "Basic eDp5", "Bearer x", "Basic klarna_test_api_x"]
    {
        // Also where no route is: whoever is not let in learns nothing.
        for path in [ORDER, SESSIONS, "/payments/v1/nothing"] {
            let reply = world.send("GET", path, &[("authorization", authorization)], "").await;
            assert_eq!(reply.status, 401, "{authorization} {path}");
            assert_eq!(reply.header("content-type"), "text/html");
            assert_eq!(reply.header("www-authenticate"), "Basic realm=\"very closed site\"");
            assert!(reply.text.contains("<title>401 Authorization Required</title>"));
            check_edge(&reply);
        }
    }
    world.stop().await;
    let world = World::start_with(|config| config.unauthorized = UnauthorizedForm::Json).await;
    let reply = world.send("GET", ORDER, &[], "").await;
    assert_eq!((reply.status, reply.header("content-type")), (401, "application/json"));
    assert_eq!(reply.json["error_code"], "UNAUTHORIZED");
    assert_eq!(reply.json["error_messages"], json!([]));
    world.stop().await;
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap()
}

/// The head of a call of the seeded merchant, with more headers.
fn head(world: &World, method: &str, path: &str, headers: &str) -> String {
    let authorization = &world.merchant.authorization;
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n{headers}\r\n"
    )
}

#[tokio::test]
async fn a_body_has_a_megabyte_and_evidence_eight() {
    const MIB: usize = 1_048_576;
    let world = World::start().await;
    for (path, max) in [
        (SESSIONS, MIB),
        ("/hpp/v1/sessions", MIB),
        ("/v4/payment/disputes/d/attachments", 8 * MIB),
        ("/disputes/v2/disputes/krn:d/attachments", 8 * MIB),
        ("/v4/payment/disputes/d/accept-loss", MIB),
    ] {
        for (length, too_large) in [(max, false), (max + 1, true)] {
            let mut stream = connect(&world).await;
            let fields = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
            stream.write_all(head(&world, "POST", path, &fields).as_bytes()).await.unwrap();
            stream.write_all(&vec![b' '; length]).await.unwrap();
            let announced = read_answer(&mut stream).await;
            assert_eq!(announced.status() == 413, too_large, "{path} {length}: {announced:?}");

            let mut stream = connect(&world).await;
            let fields = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
            stream.write_all(head(&world, "POST", path, fields).as_bytes()).await.unwrap();
            let mut chunk = format!("{length:x}\r\n").into_bytes();
            chunk.resize(chunk.len() + length, b' ');
            chunk.extend_from_slice(b"\r\n0\r\n\r\n");
            stream.write_all(&chunk).await.unwrap();
            let chunked = read_answer(&mut stream).await;
            assert_eq!(chunked.status() == 413, too_large, "{path} {length}: {chunked:?}");
            // Disputes have an error form of their own.
            if too_large && !path.contains("/disputes/") {
                let body: Value = serde_json::from_slice(&chunked.body).unwrap();
                assert_eq!(body["error_code"], "REQUEST_TOO_LARGE");
                assert_eq!(body["error_messages"], json!(["Request is too large"]));
            }
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_gigabyte_is_refused_without_being_taken_in() {
    let world = World::start().await;
    let fields = "content-type: application/json\r\ncontent-length: 1073741824\r\n";
    let mut stream = connect(&world).await;
    stream.write_all(head(&world, "POST", SESSIONS, fields).as_bytes()).await.unwrap();
    let (mut receiving, mut sending) = stream.into_split();
    let answer = tokio::spawn(async move { read_answer(&mut receiving).await });
    let chunk = vec![b' '; 65_536];
    let mut sent = 0_usize;
    // Goes on until the other side has had enough.
    while sent < 1_073_741_824 && sending.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
        if answer.is_finished() {
            break;
        }
    }
    assert_eq!(answer.await.unwrap().status(), 413);
    assert!(sent < 128 * 1_048_576, "{sent} bytes were taken in");

    // Whoever asks first need not send anything.
    let mut stream = connect(&world).await;
    let fields = format!("{fields}expect: 100-continue\r\n");
    let answer = exchange(&mut stream, head(&world, "POST", SESSIONS, &fields)).await;
    assert_eq!(answer.status(), 413);
    world.stop().await;
}

#[tokio::test]
async fn a_header_has_six_kilobytes_and_all_of_them_twenty() {
    let world = World::start().await;
    let base = "host".len() + 1 + "authorization".len() + world.merchant.authorization.len();
    let filler =
        |name: &str, bytes: usize| format!("{name}: {}\r\n", "v".repeat(bytes - name.len()));
    let all = |bytes: usize| {
        let rest = bytes - base - 3 * 6_000;
        let names = ["x-a", "x-b", "x-c"].map(|name| filler(name, 6_000)).concat();
        names + &filler("x-d", rest)
    };
    for (fields, expected) in [
        (filler("x-one", 6_144), 404),
        (filler("x-one", 6_145), 431),
        (all(20_480), 404),
        (all(20_481), 431),
    ] {
        let mut stream = connect(&world).await;
        let answer = exchange(&mut stream, head(&world, "GET", ORDER, &fields)).await;
        assert_eq!(answer.status(), expected, "{} bytes more", fields.len());
        if expected == 431 {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["error_code"], "REQUEST_HEADER_FIELDS_TOO_LARGE");
            assert!(answer.header("klarna-correlation-id").is_some_and(uuid_like));
        }
    }
    // More than is read at all still gets an answer, and nobody else suffers.
    let mut stream = connect(&world).await;
    let answer = exchange(&mut stream, head(&world, "GET", ORDER, &filler("x-one", 100_000))).await;
    assert_eq!(answer.status(), 431);
    assert_eq!(world.call("GET", ORDER, &Value::Null).await.status, 404);
    world.stop().await;
}

#[tokio::test]
async fn http2_is_spoken_without_being_asked_whether() {
    let world = World::start().await;
    let request = |header: usize, body: String| {
        Request::post(format!("{}{SESSIONS}", world.url))
            .version(Version::HTTP_2)
            .header("authorization", &world.merchant.authorization)
            .header("content-type", "application/json")
            .header("x-filler", "v".repeat(header))
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    let session = Purchase::of(1_000).session().to_string();
    let answer = wire::http2(connect(&world).await, request(0, session.clone())).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    let id = answer.headers()["klarna-correlation-id"].to_str().unwrap();
    assert!(uuid_like(id), "{id}");
    // Larger than Klarna allows, smaller than what HTTP/2 itself refuses: Klarna's words.
    let answer = wire::http2(connect(&world).await, request(30_000, session)).await.unwrap();
    assert_eq!(answer.status(), 431);
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["error_code"], "REQUEST_HEADER_FIELDS_TOO_LARGE");
    let large = "x".repeat(1_048_577);
    let answer = wire::http2(connect(&world).await, request(0, large)).await.unwrap();
    assert_eq!(answer.status(), 413);
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_http_harms_nobody() {
    let world = World::start().await;
    for noise in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let mut stream = connect(&world).await;
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    let mut stream = connect(&world).await;
    let smuggled = head(&world, "POST", SESSIONS, "content-length: 2\r\ncontent-length: 3\r\n");
    assert_eq!(exchange(&mut stream, smuggled + "{}").await.status(), 400);
    assert_eq!(world.call("GET", ORDER, &Value::Null).await.status, 404);
    world.stop().await;
}
