//! What the client does when the other side misbehaves.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::script::{Script, Step, quick};
use http::Method;
use klarna::retry::{Repeat, RetryPolicy};
use klarna::types::order_management::{CreateCapture, UpdateMerchantReferences};
use klarna::types::payments::{
    CreateCustomerToken, CreateOrder, CreateSession, IntendedUse, UpdateSession,
};
use klarna::{
    AuthorizationToken, Client, Country, Credentials, Currency, ErrorCode, ErrorKind,
    IdempotencyKey, MinorUnits, OrderId, OrderLine, Preflight, SessionId,
};

const CREATED: Step = Step::Answer(
    201,
    "Capture-ID: c-1\r\nLocation: https://api.klarna.com/x/captures/c-1\r\nKlarna-Correlation-Id: corr-1\r\n\
     X-Ratelimit-Limit: 50, 50;w=1\r\nX-Ratelimit-Remaining: 49\r\nX-Ratelimit-Reset: 1\r\n",
    "",
);
const ORDER: Step = Step::Answer(200, "", r#"{"order_id":"o-1","fraud_status":"ACCEPTED"}"#);
const SESSION: Step =
    Step::Answer(200, "", r#"{"session_id":"s-1","client_token":"secret-token"}"#);
const NOTHING: Step = Step::Answer(204, "", "");

fn fails(status: u16) -> Step {
    Step::Answer(
        status,
        "",
        r#"{"error_code":"INTERNAL_SERVER_ERROR","error_messages":["Internal error"]}"#,
    )
}

fn order_id() -> OrderId {
    OrderId::new("o-1")
}

fn capture() -> CreateCapture {
    CreateCapture::new(MinorUnits::new(100))
}

fn lines() -> Vec<OrderLine> {
    vec![OrderLine::new("Mugg", 1, MinorUnits::new(100), MinorUnits::new(100))]
}

fn session() -> CreateSession {
    CreateSession::new(Country::SE, Currency::SEK, MinorUnits::new(100), lines())
}

fn create_order() -> CreateOrder {
    CreateOrder::new(Country::SE, Currency::SEK, MinorUnits::new(100), lines())
}

fn token() -> AuthorizationToken {
    AuthorizationToken::new("auth-token-1")
}

#[tokio::test]
async fn a_request_carries_what_klarna_wants() {
    let script = Script::play([CREATED]).await;
    let client = script.builder().user_agent("shop/1.0").build().unwrap();
    let captured = client.orders().capture(&order_id(), &capture()).await.unwrap();
    assert_eq!(captured.capture_id.as_str(), "c-1");
    assert_eq!(captured.location.as_deref(), Some("https://api.klarna.com/x/captures/c-1"));
    let meta = captured.meta();
    assert_eq!(meta.correlation_id.as_ref().unwrap().as_str(), "corr-1");
    assert_eq!((meta.rate_limit.limit, meta.rate_limit.remaining), (Some(50), Some(49)));
    assert_eq!((meta.status.as_u16(), meta.tries), (201, 1));

    let request = &script.seen()[0];
    assert_eq!(request.line, "POST /ordermanagement/v1/orders/o-1/captures");
    assert_eq!(request.header("authorization"), Some("Basic SzFfdXNlcjpodXNo"));
    assert!(request.header("user-agent").unwrap().starts_with("shop/1.0 klarna-rust/"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(
        request.header("klarna-idempotency-key"),
        meta.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    );
    assert_eq!(request.body, r#"{"captured_amount":100}"#);
}

#[tokio::test]
async fn the_idempotency_key_is_the_same_on_every_try() {
    let script = Script::play([Step::Close, fails(503), Step::Truncate(201), CREATED]).await;
    let captured = script.client().orders().capture(&order_id(), &capture()).await.unwrap();
    assert_eq!(captured.meta().tries, 4);
    let keys: Vec<_> = script
        .seen()
        .iter()
        .map(|request| request.header("klarna-idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn two_calls_have_two_keys_and_a_given_key_is_used() {
    let script = Script::play([NOTHING, NOTHING, NOTHING]).await;
    let client = script.client();
    client.orders().cancel(&order_id()).await.unwrap();
    client.orders().cancel(&order_id()).await.unwrap();
    let key = IdempotencyKey::parse("mine").unwrap();
    client.orders().cancel(&order_id()).idempotency_key(key).send().await.unwrap();
    let keys: Vec<_> = script
        .seen()
        .iter()
        .map(|request| request.header("klarna-idempotency-key").unwrap().to_owned())
        .collect();
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "mine");
    // No body, so no content type.
    assert_eq!(script.seen()[0].header("content-type"), None);
}

#[tokio::test]
async fn payments_calls_carry_no_key() {
    let script = Script::play([SESSION]).await;
    script.client().payments().create_session(&session()).await.unwrap();
    assert_eq!(script.seen()[0].header("klarna-idempotency-key"), None);
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error_and_nothing_is_in_doubt() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder(Credentials::api_key("k"))
        .base_url(&url)
        .unwrap()
        .retry(quick())
        .build()
        .unwrap();
    let error = client.orders().capture(&order_id(), &capture()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.tries(), 4);
    assert!(error.is_retryable() && !error.outcome_unknown());
    assert!(error.source().is_some() && error.idempotency_key().is_some());
    // Nothing was sent, so even a write that must not be repeated may be.
    let request = CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Kaffe",
        IntendedUse::Subscription,
    );
    let error = client.payments().create_customer_token(&token(), &request).await.unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Connect, 4));
    assert!(error.is_retryable() && !error.outcome_unknown());
}

#[tokio::test]
async fn a_keyed_write_without_an_answer_is_in_doubt_and_may_be_repeated() {
    let script = Script::play([Step::Close, Step::Close, Step::Close, Step::Close]).await;
    let error = script.client().orders().capture(&order_id(), &capture()).await.unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Interrupted, 4));
    assert!(error.outcome_unknown() && error.is_retryable());
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn a_final_refusal_under_the_key_settles_the_doubt() {
    let refusal =
        Step::Answer(403, "", r#"{"error_code":"CAPTURE_NOT_ALLOWED","error_messages":["no"]}"#);
    let script = Script::play([Step::Close, refusal]).await;
    let error = script.client().orders().capture(&order_id(), &capture()).await.unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Refused, 2));
    assert_eq!(error.code(), Some(&ErrorCode::CaptureNotAllowed));
    assert!(!error.outcome_unknown() && !error.is_retryable());
    // These say nothing about the earlier try.
    for status in [401, 429] {
        let last = Step::Answer(status, "Retry-After: 60\r\n", "");
        let script = Script::play([Step::Close, last]).await;
        let error = script.client().orders().capture(&order_id(), &capture()).await.unwrap_err();
        assert!(error.outcome_unknown(), "{status}");
    }
}

#[tokio::test]
async fn an_unsafe_write_is_not_sent_twice() {
    let request = CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Kaffe",
        IntendedUse::Subscription,
    );
    for step in [Step::Close, fails(500), Step::Truncate(200)] {
        let script = Script::play([step]).await;
        let error =
            script.client().payments().create_customer_token(&token(), &request).await.unwrap_err();
        assert_eq!((error.tries(), script.seen().len()), (1, 1));
        assert!(error.outcome_unknown() && !error.is_retryable());
    }
    // A rate limit says that it was not executed.
    let created = Step::Answer(200, "", r#"{"token_id":"t-1"}"#);
    let script = Script::play([Step::Answer(429, "Retry-After: 0\r\n", ""), created]).await;
    let token = script.client().payments().create_customer_token(&token(), &request).await.unwrap();
    assert_eq!(token.token_id.as_str(), "t-1");
}

#[tokio::test]
async fn payments_calls_that_are_safe_are_repeated() {
    let script = Script::play([Step::Close, SESSION]).await;
    let created = script.client().payments().create_session(&session()).await.unwrap();
    assert_eq!((created.session_id.as_str(), created.meta().tries), ("s-1", 2));

    let script = Script::play([fails(502), NOTHING]).await;
    let update = UpdateSession::new().merchant_reference1("A");
    script.client().payments().update_session(&SessionId::new("s-1"), &update).await.unwrap();

    let script = Script::play([Step::Truncate(200), ORDER]).await;
    let order = script.client().payments().create_order(&token(), &create_order()).await.unwrap();
    assert_eq!(order.order_id.as_str(), "o-1");
    // The very same request: Klarna answers it with the same order.
    let seen = script.seen();
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(seen[0].line, "POST /payments/v1/authorizations/auth-token-1/order");
}

#[tokio::test]
async fn a_deleted_authorization_that_is_gone_after_a_retry_is_done() {
    let gone = Step::Answer(404, "", r#"{"error_code":"NOT_FOUND","error_messages":[]}"#);
    let script = Script::play([Step::Close, gone.clone()]).await;
    script.client().payments().delete_authorization(&token()).await.unwrap();
    // Not found at the first try is what it says.
    let script = Script::play([gone.clone()]).await;
    let error = script.client().payments().delete_authorization(&token()).await.unwrap_err();
    assert!(error.is_not_found());
    // After a try that was certainly not executed, too.
    let script = Script::play([Step::Answer(429, "Retry-After: 0\r\n", ""), gone]).await;
    let error = script.client().payments().delete_authorization(&token()).await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn rate_limits_are_waited_for_and_told() {
    let limited = || {
        Step::Answer(
            429,
            "X-Ratelimit-Limit: 5, 5;w=1\r\nX-Ratelimit-Remaining: 0\r\nX-Ratelimit-Reset: 0\r\n",
            r#"{"error_code":"TOO_MANY_REQUESTS","error_messages":["Too many requests"]}"#,
        )
    };
    let script = Script::play([limited(), limited(), SESSION]).await;
    let created = script.client().payments().create_session(&session()).await.unwrap();
    assert_eq!(created.meta().tries, 3);
    let script = Script::play([limited(), limited(), limited(), limited()]).await;
    let error = script.client().payments().create_session(&session()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::TooManyRequests));
    assert_eq!(error.rate_limit().unwrap().remaining, Some(0));
    assert!(error.is_retryable() && !error.outcome_unknown());
    // A wait that is longer than the window is left to the caller.
    let script = Script::play([Step::Answer(429, "Retry-After: 3600\r\n", "")]).await;
    let error = script.client().payments().create_session(&session()).await.unwrap_err();
    assert_eq!(error.tries(), 1);
    assert_eq!(error.rate_limit().unwrap().retry_after, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_conflict_under_a_key_is_tried_once_more() {
    let conflict = || Step::Answer(409, "", r#"{"error_code":"CONFLICT","error_messages":[]}"#);
    let script = Script::play([conflict(), CREATED]).await;
    script.client().orders().capture(&order_id(), &capture()).await.unwrap();
    let script = Script::play([conflict(), conflict()]).await;
    let error = script.client().orders().capture(&order_id(), &capture()).await.unwrap_err();
    assert_eq!(error.tries(), 2);
    assert!(error.outcome_unknown() && error.is_retryable());
}

#[tokio::test]
async fn an_html_401_is_survived() {
    let page = "<html><head><title>401 Authorization Required</title></head></html>";
    let script = Script::play([Step::Answer(401, "Content-Type: text/html\r\n", page)]).await;
    let error = script.client().orders().get(&order_id()).await.unwrap_err();
    assert!(error.is_unauthorized() && !error.is_retryable() && !error.outcome_unknown());
    assert_eq!((error.code(), error.correlation_id(), error.messages().len()), (None, None, 0));
    assert_eq!(error.raw_body(), page.as_bytes());
    assert_eq!(error.to_string(), "GET /ordermanagement/v1/orders/{order_id}: 401");
}

#[tokio::test]
async fn error_bodies_of_all_shapes_are_read() {
    let singular = r#"{"error_code":"BAD_VALUE","error_message":"Bad value: locale"}"#;
    let script =
        Script::play([Step::Answer(400, "Klarna-Correlation-Id: from-header\r\n", singular)]).await;
    let error = script.client().orders().get(&order_id()).await.unwrap_err();
    assert_eq!(error.messages(), ["Bad value: locale"]);
    assert_eq!(error.correlation_id().unwrap().as_str(), "from-header");
    let script = Script::play([Step::Truncate(400)]).await;
    let error = script.client().orders().get(&order_id()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 400);
    let script = Script::play([Step::Answer(302, "Location: /elsewhere\r\n", "")]).await;
    let error = script.client().orders().get(&order_id()).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), script.seen().len()), (302, 1));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_names_the_place() {
    let odd =
        r#"{"capture_id":"c","captured_amount":1,"order_lines":[{"name":"a","quantity":"two"}]}"#;
    let script = Script::play([Step::Answer(200, "", odd)]).await;
    let error = script
        .client()
        .orders()
        .get_capture(&order_id(), &klarna::CaptureId::new("c"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("order_lines[0].quantity"), "{error}");
    assert!(!error.outcome_unknown() && error.source().is_some());
    // A write was executed, whatever its answer says.
    let script = Script::play([Step::Answer(200, "", "welcome")]).await;
    let error =
        script.client().payments().create_order(&token(), &create_order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.outcome_unknown());
    let script = Script::play([Step::Answer(201, "", "")]).await;
    let error = script.client().orders().capture(&order_id(), &capture()).await.unwrap_err();
    assert!(error.to_string().contains("capture-id"), "{error}");
    // The id can be taken from the location.
    let script = Script::play([Step::Answer(201, "Location: /a/captures/c-9\r\n", "")]).await;
    let captured = script.client().orders().capture(&order_id(), &capture()).await.unwrap();
    assert_eq!(captured.capture_id.as_str(), "c-9");
}

#[tokio::test]
async fn an_answer_may_not_be_larger_than_allowed() {
    let script = Script::play([SESSION]).await;
    let client = script.builder().max_response_bytes(10).build().unwrap();
    let error = client.payments().session(&SessionId::new("s")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("larger than 10 bytes"));
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_hangs() {
    for step in [Step::Stall, Step::StallInBody] {
        let script = Script::play([step.clone()]).await;
        let client = script.client();
        let error = client
            .orders()
            .get(&order_id())
            .deadline(Duration::from_millis(50))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.is_retryable() && !error.outcome_unknown());
        let script = Script::play([step]).await;
        let client = script.builder().write_deadline(Duration::from_millis(50)).build().unwrap();
        let error = client.orders().cancel(&order_id()).await.unwrap_err();
        assert!(error.outcome_unknown() && error.is_retryable());
    }
}

#[tokio::test]
async fn retries_can_be_switched_off() {
    let script = Script::play([fails(500)]).await;
    let error = script
        .client()
        .orders()
        .get(&order_id())
        .retry(RetryPolicy::never())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.tries(), 1);
    let script = Script::play([fails(500)]).await;
    let client = script.builder().retry(RetryPolicy::never()).build().unwrap();
    client.orders().get(&order_id()).await.unwrap_err();
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn ids_cannot_leave_their_place_in_the_path() {
    let script = Script::play([fails(404)]).await;
    let client = script.client();
    client.orders().get(&OrderId::new("../x?y")).await.unwrap_err();
    assert_eq!(script.seen()[0].line, "GET /ordermanagement/v1/orders/..%2Fx%3Fy");
    let error = client.orders().get(&OrderId::new("")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!((error.tries(), script.seen().len()), (0, 1));
}

#[tokio::test]
async fn a_bad_value_is_explained() {
    let answer =
        r#"{"error_code":"BAD_VALUE","error_messages":["Bad value: order_lines[0].total_amount"]}"#;
    let script = Script::play([Step::Answer(400, "", answer)]).await;
    let mut request = session();
    request.order_lines[0].quantity = 2;
    let error = script.client().payments().create_session(&request).await.unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(error.to_string().contains("100 is not 200 (2 × 100 − 0)"), "{error}");
    // With the check before sending, the same without a round trip.
    let script = Script::play([]).await;
    let client = script.builder().preflight(Preflight::On).build().unwrap();
    let error = client.payments().create_session(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!((error.problems().len(), script.seen().len()), (1, 0));
    let long = UpdateMerchantReferences::new().merchant_reference1("x".repeat(256));
    let error = client.orders().update_merchant_references(&order_id(), &long).await.unwrap_err();
    assert_eq!(error.problems()[0].path, "merchant_reference1");
}

#[tokio::test]
async fn raw_calls_and_bare_requests() {
    let script = Script::play([fails(500), Step::Answer(200, "", r#"{"status":"ACTIVE"}"#)]).await;
    let client = script.client();
    let token = client
        .raw(Method::GET, "/customer-token/v1/tokens/t-1")
        .send::<std::collections::HashMap<String, String>>()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(token["status"], "ACTIVE");

    let script = Script::play([Step::Close, Step::Answer(202, "", "")]).await;
    let client = script.client();
    let error = client
        .raw(Method::PATCH, "/customer-token/v1/tokens/t-1/status")
        .json(&[("status", "CANCELLED")])
        .send_raw()
        .await
        .unwrap_err();
    assert!(error.outcome_unknown() && !error.is_retryable());
    let answer = client
        .raw(Method::PATCH, "/customer-token/v1/tokens/t-1/status")
        .repeat(Repeat::Safe)
        .send_raw()
        .await
        .unwrap();
    assert_eq!(answer.meta().status.as_u16(), 202);
    assert_eq!(
        client.raw(Method::GET, "no-slash").send_raw().await.unwrap_err().kind(),
        ErrorKind::InvalidRequest
    );

    let script = Script::play([Step::Answer(500, "", "as it came")]).await;
    let request =
        http::Request::get("https://elsewhere.example/x?y=1").body(bytes::Bytes::new()).unwrap();
    let answer = script.client().execute(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (500, b"as it came".as_slice()));
    assert_eq!(script.seen()[0].line, "GET /x?y=1");
    assert!(script.seen()[0].header("authorization").is_some());
}

#[tokio::test]
async fn layers_see_every_try() {
    let script = Script::play([fails(500), SESSION]).await;
    let count = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&count);
    let client = script
        .builder()
        .layer(tower::layer::layer_fn(move |inner| {
            let counter = Arc::clone(&counter);
            tower::ServiceBuilder::new()
                .map_request(move |request| {
                    *counter.lock().unwrap() += 1;
                    request
                })
                .service::<klarna::Transport>(inner)
        }))
        .build()
        .unwrap();
    client.payments().create_session(&session()).await.unwrap();
    assert_eq!(*count.lock().unwrap(), 2);
}

#[tokio::test]
async fn many_tasks_share_one_client() {
    let script = Script::play(std::iter::repeat_n(SESSION, 32)).await;
    let client = script.client();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(
                async move { client.payments().create_session(&session()).await.map(|_| ()) },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(script.seen().len(), 32);
}

#[test]
fn base_urls_that_make_no_sense_are_refused() {
    for url in ["", "localhost:7072", "ftp://x/", "http://user:pw@host/", "http://host/?a=b"] {
        let builder = Client::builder(Credentials::api_key("k"));
        assert!(builder.base_url(url).is_err(), "{url}");
    }
    assert!(Client::builder(Credentials::api_key("k")).user_agent("a\nb").build().is_err());
}
