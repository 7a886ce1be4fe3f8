//! The answers that are documented for all operations of an API, given by each of them: wrong credentials,
//! an account that is not active, too much, too often, and Klarna's own failures.

use catalogue::{Api, Operation, Takes, operations};
use playground::{RateLimits, UnauthorizedForm};
use serde_json::{Value, json};

use crate::common::{Merchant, Reply, World};
use crate::every_operation::belongings::Belongings;

/// What an answer comes to.
fn told(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.json["error_code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn each_operation_refuses_wrong_credentials_and_inactive_accounts() {
    for form in [UnauthorizedForm::Html, UnauthorizedForm::Json] {
        let world = World::start_with(|config| config.unauthorized = form).await;
        let own = Belongings::of(&world, &world.merchant, "Zebrafink").await;
        let made =
            world.control("/merchants", &json!({ "settings": { "status": "inactive" } })).await;
        let name = |member: &str| made[member].as_str().unwrap();
        let inactive = Merchant::new(name("merchant_id"), name("username"), name("password"));
        let nobody = Merchant::new("K123456", "K123456_kassatest", "two");
        for operation in operations() {
            let request = own.request(operation);
            let reply = request.send(&world, &nobody).await;
            let code = if form == UnauthorizedForm::Json { "UNAUTHORIZED" } else { "" };
            assert_eq!(told(&reply), (401, code), "{}: {reply:?}", operation.name);
            let reply = request.send(&world, &inactive).await;
            let code = match operation.api {
                Api::DisputesV4 | Api::DisputesV3 | Api::PaymentRequests => "OPERATION_FORBIDDEN",
                _ => "MERCHANT_INACTIVE",
            };
            assert_eq!(told(&reply), (403, code), "{}: {reply:?}", operation.name);
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn each_operation_refuses_what_is_too_large() {
    let world = World::start().await;
    let own = Belongings::of(&world, &world.merchant, "Zebrafink").await;
    let before = own.read(&world).await;
    for operation in operations().filter(|operation| operation.takes != Takes::Nothing) {
        let mut body = own.request(operation).body;
        let bytes = if operation.takes == Takes::File { 9 } else { 2 } * 1_048_576;
        // White space: nothing but the size is wrong.
        body.resize(bytes, b' ');
        let reply =
            own.request(operation).with_body(body).send(&world, own.caller(operation)).await;
        let code = match operation.api {
            Api::DisputesV4 | Api::DisputesV3 | Api::PaymentRequests => "VALIDATION_ERROR",
            _ => "REQUEST_TOO_LARGE",
        };
        assert_eq!(told(&reply), (413, code), "{}: {reply:?}", operation.name);
    }
    assert_eq!(own.read(&world).await, before);
    world.stop().await;
}

#[tokio::test]
async fn each_operation_is_limited_in_its_rate() {
    let world = World::start_with(|config| config.rate_limits = RateLimits::Playground).await;
    for operation in operations() {
        let path = Belongings::path(operation, |_| "1".to_owned());
        let mut left = 200;
        let reply = loop {
            let reply = world.call(operation.method, &path, &Value::Null).await;
            left -= 1;
            if reply.status == 429 || left == 0 {
                break reply;
            }
        };
        let code = match operation.api {
            Api::DisputesV4 | Api::DisputesV3 | Api::PaymentRequests => "RATE_LIMITED",
            _ => "TOO_MANY_REQUESTS",
        };
        assert_eq!(told(&reply), (429, code), "{}: {reply:?}", operation.name);
    }
    world.stop().await;
}

/// Failures are asked for, with faults on demand. Where there is more than one code for a status, or where
/// the code says nothing of when it comes, it is asked for by name.
#[tokio::test]
async fn each_operation_fails_as_documented_when_that_is_asked_for() {
    let by_name = ["UNEXPECTED_ERROR", "SERVER_CONFIGURATION_ERROR", "UNKNOWN"];
    let world = World::start().await;
    let own = Belongings::of(&world, &world.merchant, "Zebrafink").await;
    for operation in operations() {
        let fails =
            |status: u16, code: &str| status >= 500 || code == "CONFLICT" || code == "UNKNOWN";
        for answer in operation.documented().filter(|answer| fails(answer.status, answer.code)) {
            let mut effect = json!({ "type": "error", "status": answer.status });
            if by_name.contains(&answer.code) {
                effect["body"] = json!({ "error_code": answer.code });
            }
            let matching = json!({ "method": operation.method, "path": operation.path });
            let fault = json!({ "match": matching, "times": 1, "effect": effect });
            world.control("/faults", &fault).await;
            let reply = own.request(operation).send(&world, own.caller(operation)).await;
            let Operation { name, .. } = operation;
            assert!(answer.is(reply.status, told(&reply).1), "{name}: {answer:?} {reply:?}");
        }
        world.send("DELETE", "/playground/v1/faults", &[], "").await;
    }
    world.stop().await;
}
