//! Connections that end and bodies that are spoiled, on raw sockets and over HTTP/2.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{arm, captured, newest};
use crate::common::{Purchase, World};

fn address(world: &World) -> SocketAddr {
    world.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Writes one call and reads until the connection ends.
async fn raw(
    world: &World,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Vec<u8>, std::io::Error> {
    let mut stream = TcpStream::connect(address(world)).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: playground\r\nauthorization: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        world.merchant.authorization,
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The body of an answer, and how long its head says that it is.
fn body(answer: &[u8]) -> (&[u8], usize) {
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap().to_lowercase();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    (&answer[end + 4..], announced.parse().unwrap())
}

#[tokio::test]
async fn a_connection_ends_before_or_after_the_work() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    let mut moved = 0;
    for (when, how, amount) in [
        ("before", "close", 0),
        ("after", "close", 100),
        ("before", "reset", 0),
        ("after", "reset", 100),
    ] {
        let fault = json!({
            "match": {"operation": "orders.capture"}, "times": 1,
            "effect": {"type": "drop", "when": when, "how": how},
        });
        arm(&world, &fault).await;
        match raw(&world, "POST", &path, r#"{"captured_amount": 100}"#).await {
            Ok(answer) => assert!(answer.is_empty() && how == "close", "{when} {how}: {answer:?}"),
            Err(error) => {
                assert!(how == "reset" && error.kind() == ErrorKind::ConnectionReset, "{error}");
            }
        }
        let entry = newest(&world).await;
        assert!(entry.get("status").is_none(), "{entry}");
        assert_eq!(entry["merchant_id"], world.merchant.merchant_id);
        let ended = if how == "close" { "closed" } else { "reset" };
        assert_eq!(entry["faults"][0]["effect"], format!("connection {ended} {when} the work"));
        moved += amount;
        assert_eq!(captured(&world, &order_id).await, moved, "{when} {how}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_http2_connection_ends_with_all_its_streams() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    for (when, how, moved) in [("before", "close", 0), ("after", "reset", 100)] {
        arm(
            &world,
            &json!({
                "match": {"operation": "orders.capture"}, "times": 1,
                "effect": {"type": "drop", "when": when, "how": how},
            }),
        )
        .await;
        let stream = TcpStream::connect(address(&world)).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let request = |method: &str, path: &str, body: &'static str| {
            Request::builder()
                .method(method)
                .uri(format!("{}{path}", world.url))
                .header("authorization", &world.merchant.authorization)
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from_static(body.as_bytes())))
                .unwrap()
        };
        let order = format!("/ordermanagement/v1/orders/{order_id}");
        let read = sender.send_request(request("GET", &order, "")).await.unwrap();
        assert_eq!(read.status(), 200);
        let captures = format!("{order}/captures");
        let capture = request("POST", &captures, r#"{"captured_amount": 100}"#);
        assert!(sender.send_request(capture).await.is_err());
        // The connection itself is gone, in whichever way it notices.
        let _ = connection.await.unwrap();
        assert!(sender.is_closed());
        assert_eq!(captured(&world, &order_id).await, moved, "{when} {how}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_body_breaks_off() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let path = format!("/ordermanagement/v1/orders/{order_id}");
    let whole = world.call("GET", &path, &Value::Null).await.text;
    for (keep, expected) in [(None, whole.len() / 2), (Some(10), 10), (Some(0), 0)] {
        let mut effect = json!({"type": "truncate"});
        if let Some(keep) = keep {
            effect["keep_bytes"] = json!(keep);
        }
        arm(&world, &json!({"times": 1, "effect": effect})).await;
        let answer = raw(&world, "GET", &path, "").await.unwrap();
        let (sent, announced) = body(&answer);
        assert_eq!(announced, whole.len());
        assert_eq!(sent.len(), expected);
        assert_eq!(sent, &whole.as_bytes()[..expected]);
        let entry = newest(&world).await;
        assert_eq!(
            (&entry["status"], &entry["faults"][0]["effect"]),
            (&json!(200), &json!("body truncated"))
        );
    }
    // An answer without a body ends as a whole.
    arm(&world, &json!({"times": 1, "effect": {"type": "truncate"}})).await;
    let acknowledged = raw(&world, "POST", &format!("{path}/acknowledge"), "").await.unwrap();
    assert!(acknowledged.is_empty());
    world.stop().await;
}

#[tokio::test]
async fn a_body_trickles() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let path = format!("/ordermanagement/v1/orders/{order_id}");
    let whole = world.call("GET", &path, &Value::Null).await.text;
    let speed = whole.len() * 4;
    let effect = json!({"type": "slow_body", "bytes_per_second": speed});
    arm(&world, &json!({"times": 1, "effect": effect})).await;
    let started = Instant::now();
    let answer = raw(&world, "GET", &path, "").await.unwrap();
    // A quarter of a second, in steps of a tenth.
    assert!(started.elapsed() >= Duration::from_millis(240), "{:?}", started.elapsed());
    let (sent, announced) = body(&answer);
    assert_eq!((sent, announced), (whole.as_bytes(), whole.len()));
    world.stop().await;
}

#[tokio::test]
async fn a_trickling_body_is_whole_over_http2() {
    let world = World::start().await;
    let order_id = world.order(&Purchase::of(10_000)).await;
    let path = format!("/ordermanagement/v1/orders/{order_id}");
    let whole = world.call("GET", &path, &Value::Null).await.text;
    let stream = TcpStream::connect(address(&world)).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    for (effect, is_whole) in [
        (json!({"type": "slow_body", "bytes_per_second": whole.len() * 20}), true),
        (json!({"type": "truncate", "keep_bytes": 10}), false),
    ] {
        arm(&world, &json!({"times": 1, "effect": effect})).await;
        let request = Request::builder()
            .uri(format!("{}{path}", world.url))
            .header("authorization", &world.merchant.authorization)
            .body(Full::new(Bytes::new()))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        match answer.into_body().collect().await {
            Ok(body) => assert!(is_whole && body.to_bytes() == whole.as_bytes(), "{effect}"),
            Err(_) => assert!(!is_whole, "{effect}"),
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_call_takes_longer() {
    let world = World::start().await;
    for (distribution, when, least_ms) in [
        (json!({"kind": "fixed", "ms": 120}), "before", 120),
        (json!({"kind": "uniform", "min_ms": 60, "max_ms": 80}), "after", 60),
        (json!({"kind": "normal", "mean_ms": 90, "deviation_ms": 5}), "before", 60),
        (json!({"kind": "p99", "ms": 300}), "after", 30),
        (json!({"kind": "service_level"}), "before", 15),
    ] {
        let effect = json!({"type": "latency", "distribution": distribution, "when": when});
        arm(&world, &json!({"times": 1, "effect": effect})).await;
        let started = Instant::now();
        let reply = world.call("GET", "/payments/v1/sessions/none", &Value::Null).await;
        assert_eq!(reply.status, 404);
        let waited = started.elapsed();
        assert!(waited >= Duration::from_millis(least_ms), "{distribution}: {waited:?}");
        let entry = newest(&world).await;
        assert!(entry["duration_us"].as_u64().unwrap() >= least_ms * 1_000, "{entry}");
        let effect = entry["faults"][0]["effect"].as_str().unwrap();
        assert!(effect.starts_with("latency "), "{effect}");
    }
    world.stop().await;
}
