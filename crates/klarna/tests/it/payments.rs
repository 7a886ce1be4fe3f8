//! Every operation of the Payments API against a playground: success, and each documented error.

use crate::common::world::{World, address, order_request, session_request};
use http::Method;
use klarna::types::payments::{
    Attachment, CreateCustomerToken, FraudStatus, IntendedUse, Intent, SessionStatus, UpdateSession,
};
use klarna::{
    AuthorizationToken, Country, Currency, Error, ErrorCode, ErrorKind, MinorUnits, OrderId,
    SessionId,
};
use playground::RateLimits;
use serde_json::json;

/// Status, code and messages of an error, as one line.
fn line(error: &Error) -> String {
    let status = error.status().map_or(0, |status| status.as_u16());
    let code = error.code().map_or("-", ErrorCode::as_str);
    format!("{status} {code} {}", error.messages().join("; ")).trim_end().to_owned()
}

fn unknown_session() -> SessionId {
    SessionId::new("00000000-0000-4000-8000-000000000000")
}

fn unknown_token() -> AuthorizationToken {
    AuthorizationToken::new("00000000-0000-4000-8000-000000000000")
}

#[tokio::test]
async fn a_session_is_opened_changed_and_read() {
    let world = World::start().await;
    let payments = world.client.payments();
    let created = payments.create_session(&session_request()).await.unwrap();
    assert!(!created.payment_method_categories.is_empty());
    assert!(created.meta().correlation_id.is_some());
    assert!(created.meta().rate_limit.limit.is_some());
    let update = UpdateSession::new().merchant_reference1("WEB-2").merchant_reference2("internal");
    payments.update_session(&created.session_id, &update).await.unwrap();
    let session = payments.session(&created.session_id).await.unwrap();
    assert_eq!(session.status, Some(SessionStatus::Incomplete));
    assert_eq!(session.merchant_reference1.as_deref(), Some("WEB-2"));
    assert_eq!(session.order_amount, Some(MinorUnits::new(10_000)));
    assert_eq!(session.order_lines.as_ref().unwrap().len(), 2);
    assert!(session.expires_at.is_some());
    assert_eq!(session.billing_address, None);
    world.stop().await;
}

#[tokio::test]
async fn an_authorization_becomes_an_order_once() {
    let world = World::start().await;
    let payments = world.client.payments();
    let (session, token) = world.approved(&world.client).await;
    let read = payments.session(&session.session_id).await.unwrap();
    assert_eq!(read.authorization_token.as_ref(), Some(&token));
    assert!(read.billing_address.is_some());

    let order = payments.create_order(&token, &order_request()).await.unwrap();
    assert_eq!(order.fraud_status, Some(FraudStatus::Accepted));
    assert!(order.authorized_payment_method.is_some());
    // The same request again: the same order.
    let again = payments.create_order(&token, &order_request()).await.unwrap();
    assert_eq!(again.order_id, order.order_id);
    // Another request under the same token.
    let other = order_request().merchant_reference1("other");
    let error = payments.create_order(&token, &other).await.unwrap_err();
    assert_eq!(
        line(&error),
        "409 BAD_VALUE The order has been already completed with different request body"
    );
    // The session is over.
    let read = payments.session(&session.session_id).await.unwrap();
    assert_eq!(read.status, Some(SessionStatus::Complete));
    let update = UpdateSession::new().merchant_reference1("late");
    let error = payments.update_session(&session.session_id, &update).await.unwrap_err();
    assert_eq!(line(&error), "404 SESSION_COMPLETED Session has already been completed");
    let error = payments.delete_authorization(&token).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Authorization cannot be deleted");
    world.stop().await;
}

#[tokio::test]
async fn an_authorization_is_deleted() {
    let world = World::start().await;
    let payments = world.client.payments();
    let (_, token) = world.approved(&world.client).await;
    payments.delete_authorization(&token).await.unwrap();
    let error = payments.delete_authorization(&token).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    let error = payments.create_order(&token, &order_request()).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    world.stop().await;
}

#[tokio::test]
async fn what_is_unknown_expired_or_someone_elses_is_not_found() {
    let world = World::start().await;
    let payments = world.client.payments();
    let update = UpdateSession::new().merchant_reference1("x");
    let stranger = world.stranger.payments();
    let (session, token) = world.approved(&world.client).await;

    for error in [
        payments.session(&unknown_session()).await.unwrap_err(),
        payments.update_session(&unknown_session(), &update).await.unwrap_err(),
        stranger.session(&session.session_id).await.unwrap_err(),
        stranger.update_session(&session.session_id, &update).await.unwrap_err(),
    ] {
        assert_eq!(line(&error), "404 NOT_FOUND Invalid session id");
        assert!(error.is_not_found() && !error.is_retryable() && !error.outcome_unknown());
        assert!(error.correlation_id().is_some());
    }
    for error in [
        payments.create_order(&unknown_token(), &order_request()).await.unwrap_err(),
        payments.delete_authorization(&unknown_token()).await.unwrap_err(),
        stranger.create_order(&token, &order_request()).await.unwrap_err(),
        stranger.delete_authorization(&token).await.unwrap_err(),
    ] {
        assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    }
    // A token lives for an hour, a session for two days.
    world.advance("PT61M").await;
    let error = payments.create_order(&token, &order_request()).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    world.advance("PT48H").await;
    let error = payments.session(&session.session_id).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid session id");
    world.stop().await;
}

#[tokio::test]
async fn bad_values_are_named_and_explained() {
    let world = World::start().await;
    let payments = world.client.payments();
    let mut request = session_request();
    request.order_lines[1].total_tax_amount = Some(MinorUnits::new(1));
    let error = payments.create_session(&request).await.unwrap_err();
    assert!(
        line(&error).starts_with("400 BAD_VALUE Bad value: order_lines[1].total_tax_amount"),
        "{error}"
    );
    assert!(error.problems()[0].to_string().contains("differs from"));

    let mut request = session_request();
    request.order_lines.clear();
    let error = payments.create_session(&request).await.unwrap_err();
    assert!(line(&error).starts_with("400 BAD_VALUE Bad value: order_lines"), "{error}");

    let mut request = session_request();
    let one = request.order_lines[0].clone();
    request.order_lines = vec![one; 1001];
    let error = payments.create_session(&request).await.unwrap_err();
    assert!(line(&error).starts_with("400 BAD_VALUE Bad value: order_lines"), "{error}");

    let error = payments.create_session(&session_request().locale("de-DE")).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: locale");
    let mut attachment = Attachment::new(&json!({"event": [{}]}));
    attachment.content_type = "text/plain".to_owned();
    let error =
        payments.create_session(&session_request().attachment(attachment)).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: attachment.attachment");

    let created = payments.create_session(&session_request()).await.unwrap();
    let update = UpdateSession::new().order_amount(MinorUnits::new(1));
    let error = payments.update_session(&created.session_id, &update).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: order_amount");

    let (_, token) = world.approved(&world.client).await;
    let mut order = order_request();
    order.order_amount = MinorUnits::new(9_999);
    let error = payments.create_order(&token, &order).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: order_amount");
    world.stop().await;
}

#[tokio::test]
async fn an_order_must_be_what_was_authorised() {
    let world = World::start().await;
    let payments = world.client.payments();
    let (_, token) = world.approved(&world.client).await;
    let moved = order_request().billing_address(address().postal_code("11149"));
    let error = payments.create_order(&token, &moved).await.unwrap_err();
    assert_eq!(line(&error), "409 BAD_VALUE Not matching fields: [billing_address.postal_code]");
    let mut shorter = order_request();
    let dropped = shorter.order_lines.pop().unwrap();
    shorter.order_amount = shorter.order_amount.checked_sub(dropped.total_amount).unwrap();
    shorter.order_tax_amount = shorter.order_lines[0].total_tax_amount;
    let error = payments.create_order(&token, &shorter).await.unwrap_err();
    assert!(
        line(&error).contains("Incorrect number of items in the cart. Expected: 2, Actual: 1"),
        "{error}"
    );
    assert_eq!(error.status().unwrap().as_u16(), 409);
    world.stop().await;
}

#[tokio::test]
async fn accounts_decide_what_is_allowed() {
    let world = World::start().await;
    let inactive = world.merchant(json!({"status": "inactive"})).await;
    let error = inactive.payments().create_session(&session_request()).await.unwrap_err();
    assert_eq!(line(&error), "403 MERCHANT_INACTIVE");
    let error = inactive.payments().session(&unknown_session()).await.unwrap_err();
    assert_eq!(line(&error), "403 MERCHANT_INACTIVE");

    let plain = world.merchant(json!({"permissions": []})).await;
    let (_, token) = world.approved(&plain).await;
    let error = plain
        .payments()
        .create_order(&token, &order_request().auto_capture(true))
        .await
        .unwrap_err();
    assert_eq!(line(&error), "403 INVALID_OPERATION");

    // A merchant that may change the cart has the shopper assessed again.
    let changing = world.merchant(json!({"permissions": ["cart_update"]})).await;
    let request = session_request().billing_address(address().email("customer@email.se"));
    let session = changing.payments().create_session(&request).await.unwrap().into_inner();
    let token = world.authorize(&session, json!({})).await;
    let mut other = order_request();
    other.order_lines[0].name = "Other shirt".to_owned();
    changing.payments().create_order(&token, &other).await.unwrap();
    let denied = address().email("customer+denied@email.se");
    let request = session_request().billing_address(denied.clone());
    let session = changing.payments().create_session(&request).await.unwrap();
    let shopper = json!({"session_id": session.session_id, "email": "customer@email.se"});
    let approval = world.control("/shopper/authorize", &shopper).await;
    let token = AuthorizationToken::new(approval["authorization_token"].as_str().unwrap());
    let error =
        changing.payments().create_order(&token, &other.billing_address(denied)).await.unwrap_err();
    assert_eq!(line(&error), "403 REJECTED Rejected");
    world.stop().await;
}

fn token_request() -> CreateCustomerToken {
    CreateCustomerToken::new(
        Country::SE,
        Currency::SEK,
        "sv-SE",
        "Kaffe",
        IntendedUse::Subscription,
    )
}

#[tokio::test]
async fn a_customer_token_is_made() {
    let world = World::start().await;
    let payments = world.client.payments();
    let request = session_request().intent(Intent::BuyAndTokenize);
    let session = payments.create_session(&request).await.unwrap().into_inner();
    let token = world.authorize(&session, json!({})).await;
    let created = payments.create_customer_token(&token, &token_request()).await.unwrap();
    assert!(!created.token_id.as_str().is_empty());
    let again = payments.create_customer_token(&token, &token_request()).await.unwrap();
    assert_eq!(again.token_id, created.token_id);
    // The first purchase follows under the same authorization.
    payments.create_order(&token, &order_request()).await.unwrap();
    // The other way round the authorization is used up.
    let session = payments.create_session(&request).await.unwrap().into_inner();
    let token = world.authorize(&session, json!({})).await;
    payments.create_order(&token, &order_request()).await.unwrap();
    let error = payments.create_customer_token(&token, &token_request()).await.unwrap_err();
    assert_eq!(line(&error), "403 INVALID_OPERATION Authorization token already consumed");

    let error =
        payments.create_customer_token(&unknown_token(), &token_request()).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    let (_, buy) = world.approved(&world.client).await;
    let error = payments.create_customer_token(&buy, &token_request()).await.unwrap_err();
    assert_eq!(
        line(&error),
        "403 INVALID_OPERATION Not allowed to create customer token for intent buy"
    );
    let session = payments.create_session(&request).await.unwrap().into_inner();
    let token = world.authorize(&session, json!({})).await;
    let mismatch = token_request().billing_address(address().city("Elsewhere"));
    let error = payments.create_customer_token(&token, &mismatch).await.unwrap_err();
    assert_eq!(line(&error), "409 BAD_VALUE Not matching fields: [billing_address.city]");
    let elsewhere = token_request().billing_address(address().country(Country::NO));
    let error = payments.create_customer_token(&token, &elsewhere).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: purchase_country");
    assert_eq!(
        error.problems()[0].to_string(),
        "purchase_country: is not NO, the country of the billing address"
    );
    let session = payments.create_session(&request).await.unwrap().into_inner();
    let by_transfer = world.authorize_by(&session, "direct_bank_transfer", json!({})).await;
    let error = payments.create_customer_token(&by_transfer, &token_request()).await.unwrap_err();
    assert_eq!(
        line(&error),
        "400 BAD_REQUEST DIRECT_BANK_TRANSFER is not valid for creating customer tokens in SE"
    );
    let stranger = world.stranger.payments();
    let error = stranger.create_customer_token(&token, &token_request()).await.unwrap_err();
    assert_eq!(line(&error), "404 NOT_FOUND Invalid authorization token");
    let mut bad = token_request();
    bad.description = String::new();
    let error = payments.create_customer_token(&token, &bad).await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_VALUE Bad value: description");
    assert_eq!(error.problems()[0].path, "description");
    world.stop().await;
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_from_everything_else() {
    let world = World::start().await;
    for (username, password) in [("K123456_test", "wrong"), ("nobody", "hush"), ("", "")] {
        let client = world.client_of(username, password);
        let error = client.payments().create_session(&session_request()).await.unwrap_err();
        assert!(error.is_unauthorized() && !error.is_retryable());
        assert_eq!((error.kind(), error.tries()), (ErrorKind::Refused, 1));
        let error = client.orders().get(&OrderId::new("x")).await.unwrap_err();
        assert!(error.is_unauthorized());
    }
    world.stop().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let world = World::start().await;
    let client = &world.client;
    let wrong =
        client.raw(Method::POST, "/payments/v1/sessions").json(&json!({"order_amount": "ten"}));
    let error = wrong.send_raw().await.unwrap_err();
    assert_eq!(line(&error), "400 BAD_REQUEST");
    let overflow =
        client.raw(Method::POST, "/payments/v1/sessions").json(&json!({"order_amount": 1e30}));
    assert_eq!(overflow.send_raw().await.unwrap_err().status().unwrap().as_u16(), 400);
    let request = http::Request::post("/payments/v1/sessions")
        .header("content-type", "application/json")
        .body(bytes::Bytes::from_static(b"{not json"))
        .unwrap();
    assert_eq!(client.execute(request).await.unwrap().status().as_u16(), 400);
    let large = json!({"merchant_data": "x".repeat(2_000_000)});
    let error = client
        .raw(Method::POST, "/payments/v1/sessions")
        .json(&large)
        .send_raw()
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 413);
    assert_eq!(error.code(), Some(&ErrorCode::RequestTooLarge));
    world.stop().await;
}

#[tokio::test]
async fn the_rate_limit_is_told() {
    let world = World::start_with(RateLimits::Playground).await;
    let payments = world.client.payments();
    let mut limited = None;
    for _ in 0..20 {
        let call =
            payments.create_session(&session_request()).retry(klarna::retry::RetryPolicy::never());
        if let Err(error) = call.send().await {
            limited = Some(error);
            break;
        }
    }
    let error = limited.expect("5 sessions a second are allowed");
    assert_eq!(line(&error), "429 TOO_MANY_REQUESTS Too many requests");
    assert!(error.is_retryable() && !error.outcome_unknown());
    assert_eq!(error.rate_limit().unwrap().limit, Some(5));
    world.stop().await;
}
