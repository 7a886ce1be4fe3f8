//! Version 2, and what can be read in version 3.

use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::disputes::case::{
    Case, PDF, call_v2, capture, captured, enroll, line, line_v2, send_form,
};

/// A dispute of the older process with an open request.
async fn requested(world: &World, reason: &str) -> (String, String) {
    let body = json!({ "framework": "framework_2020", "start": "requested", "reason": reason });
    let case = Case::raise(world, body).await;
    (case.id, case.krn)
}

fn hidden(case: &Case<'_>, value: &Value) -> Value {
    let number = case.id.rsplit(':').next().unwrap();
    let text = value
        .to_string()
        .replace(&case.order_id, "{order}")
        .replace(&case.capture_id, "{capture}")
        .replace(number, "{number}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_life_of_an_older_dispute_reads_as_documented() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let body = json!({
            "framework": "framework_2020", "reason": "goods_not_received", "script": "manual",
        });
        let case = Case::raise(&world, body).await;
        let mut lives = vec![hidden(&case, &case.read_v2().await)];
        assert_eq!(lives[0]["investigation_status"], "opened");
        world.advance("P21D").await;
        lives.push(hidden(&case, &case.read_v2().await));
        let reply = case.upload_v2(&[("file", Some("proof.pdf"), PDF)]).await;
        assert_eq!((reply.status, &reply.json["attachment_id"]), (201, &json!(1)));
        let body = json!({
            "attachments": [1], "comment": "Delivered",
            "requested_fields": {
                "order_type": "physical_goods", "is_order_shipped": "yes_in_full",
                "shipping_carrier": "dhl", "tracking_id": "634564", "proof_of_delivery": [1],
                "shipping_date": "2026-03-03T10:00:00.000Z",
            },
        });
        let reply = case.v2("POST", "/requests/1/responses", &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        lives.push(hidden(&case, &reply.json));
        case.decide(json!({ "decision": "follow_up", "comment": "Who signed?" })).await;
        lives.push(hidden(&case, &case.read_v2().await));
        let body = json!({
            "comment": "Alva",
            "requested_fields": { "order_type": "physical_goods", "is_order_shipped": "yes_in_full" },
        });
        let reply = case.v2("POST", "/requests/2/responses", &body).await;
        assert_eq!((reply.status, &reply.json["response_id"]), (201, &json!(1)));
        case.decide(json!({ "decision": "lost" })).await;
        lives.push(hidden(&case, &case.read_v2().await));
        let path = format!("/disputes/v3/disputes/{}", case.id);
        lives.push(hidden(&case, &world.call("GET", &path, &Value::Null).await.json));
        insta::assert_json_snapshot!("the_life_of_an_older_dispute_reads_as_documented", lives);
        world.stop().await;
    }
}

#[tokio::test]
async fn every_end_has_its_status() {
    let world = World::start().await;
    let open = || json!({ "framework": "framework_2020", "reason": "return" });
    let case = Case::raise(&world, open()).await;
    assert_eq!(case.v2("POST", "/accept-loss", &Value::Null).await.status, 204);
    assert_eq!(case.summary().await, "CLOSED LOST partner_accepted_the_loss | loss_accepted");
    let view = case.read_v2().await;
    // Accepted before Klarna took it up: no fee.
    assert_eq!(
        (view.get("charged_disputes_fee"), &view["closing_reason"]),
        (None, &json!("chargeback"))
    );
    let case = Case::raise(&world, open()).await;
    world.advance("P36D").await;
    let expired = "CLOSED LOST partner_did_not_reply_to_dispute_request | deadline_expired";
    assert_eq!(case.summary().await, expired);
    let view = case.read_v2().await;
    assert_eq!(view["closing_reason_detailed"], "merchant_did_not_reply_to_dispute_request");
    assert_eq!(view["charged_disputes_fee"], json!({ "amount": 7_500, "currency": "SEK" }));
    assert_eq!(view["chargeback_amount"]["amount"], 10_000);
    let case = Case::raise(&world, open()).await;
    case.decide(json!({ "decision": "withdraw" })).await;
    assert_eq!(case.summary().await, "CLOSED WON customer_cancelled_dispute | closed");
    assert_eq!(case.read_v2().await["closing_reason"], "resolved");
    let case = Case::raise(&world, open()).await;
    case.decide(json!({ "decision": "escalate" })).await;
    assert_eq!(case.summary().await, "INITIATED | unresolved");
    // A promise to adjust the order that is not kept.
    let body = json!({ "requested_fields": { "return_info": "yes_will_make_changes_to_order" } });
    assert_eq!(case.v2("POST", "/requests/1/responses", &body).await.status, 201);
    world.advance("PT96H").await;
    assert_eq!(
        case.summary().await,
        "CLOSED LOST partner_did_not_perform_promised_refund | closed"
    );
    world.stop().await;
}

#[tokio::test]
async fn an_answer_is_checked() {
    let world = World::start().await;
    let (id, krn) = requested(&world, "goods_not_received").await;
    let case = Case { world: &world, order_id: String::new(), capture_id: String::new(), id, krn };
    let fields = |members: Value| {
        let mut all = json!({ "order_type": "physical_goods", "is_order_shipped": "yes_in_full" });
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        json!({ "requested_fields": all })
    };
    let cases = [
        (json!({}), "400 INVALID_FIELD"),
        (json!({ "requested_fields": { "order_type": "physical_goods" } }), "400 INVALID_FIELD"),
        (fields(json!({ "order_type": "weather" })), "400 INVALID_FIELD"),
        (fields(json!({ "shipping_carrier": "pigeon" })), "400 INVALID_FIELD"),
        (fields(json!({ "shipment_country": "xx" })), "400 INVALID_FIELD"),
        (fields(json!({ "tracking_id": "x".repeat(1_001) })), "400 INVALID_FIELD"),
        (fields(json!({ "shipping_date": "x".repeat(101) })), "400 INVALID_FIELD"),
        (fields(json!({ "shipping_date": "someday" })), "400 INVALID_FIELD"),
        (
            fields(json!({ "last_digits_of_phone_for_delivery_notification": "12" })),
            "400 INVALID_FIELD",
        ),
        (
            fields(json!({ "list_of_shipments": [{ "is_shipping_company_contacted": "maybe" }] })),
            "400 INVALID_FIELD",
        ),
        (fields(json!({ "proof_of_delivery": [9] })), "404 ATTACHMENT_NOT_FOUND"),
        (fields(json!({ "tracking_id": 1 })), "400 BAD_REQUEST"),
        (json!([]), "400 BAD_REQUEST"),
        (json!({ "attachments": [1], "requested_fields": {} }), "404 ATTACHMENT_NOT_FOUND"),
        (json!({ "attachments": vec![1; 11] }), "400 INVALID_FIELD"),
        (json!({ "comment": "x".repeat(5_001) }), "400 INVALID_FIELD"),
    ];
    for (body, expected) in cases {
        case.check_v2("POST", "/requests/1/responses", body, expected).await;
    }
    let good = fields(json!({}));
    for request in ["2", "0", "-1", "x"] {
        let rest = format!("/requests/{request}/responses");
        case.check_v2("POST", &rest, good.clone(), "404 NOT_FOUND").await;
    }
    case.check_v2("POST", "/requests/1/responses", good.clone(), "201").await;
    world.advance("PT60M").await;
    case.check_v2("POST", "/requests/1/responses", json!({ "comment": "More" }), "201").await;
    world.advance("PT1S").await;
    let closed = "400 REQUEST_ALREADY_CLOSED";
    case.check_v2("POST", "/requests/1/responses", good, closed).await;
    case.check_v2("POST", "/accept-loss", Value::Null, closed).await;
    world.stop().await;
}

#[tokio::test]
async fn attachments_are_found_where_they_belong() {
    let world = World::start().await;
    let (id, krn) = requested(&world, "return").await;
    let case = Case { world: &world, order_id: String::new(), capture_id: String::new(), id, krn };
    for name in ["a.pdf", "b.pdf"] {
        assert_eq!(case.upload_v2(&[("file", Some(name), PDF)]).await.status, 201);
    }
    let body = json!({ "attachments": [2], "requested_fields": { "return_info": "yes_but_not_accepted" } });
    case.check_v2("POST", "/requests/1/responses", body, "201").await;
    let missing = "404 ATTACHMENT_NOT_FOUND";
    for (rest, expected) in [
        ("/requests/1/responses/1/attachments/2", "200"),
        ("/requests/1/responses/1/attachments/1", missing),
        ("/requests/1/responses/2/attachments/2", missing),
        ("/requests/2/responses/1/attachments/2", missing),
        ("/requests/x/responses/y/attachments/z", missing),
        ("/requests/1/attachments/1000", "200"),
        ("/requests/1/attachments/2", missing),
        ("/requests/2/attachments/1000", missing),
    ] {
        case.check_v2("GET", rest, Value::Null, expected).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_call_names_its_merchant() {
    let world = World::start().await;
    enroll(&world).await;
    let case = Case::raise(&world, json!({})).await;
    let get = |headers: Vec<(&'static str, &'static str)>| {
        let (world, path) = (&world, format!("/disputes/v2/disputes/{}", case.krn));
        async move { world.call_as(&world.merchant, "GET", &path, &Value::Null, &headers).await }
    };
    assert_eq!(line_v2(&get(vec![]).await), "400 BAD_REQUEST");
    let other = get(vec![("x-klarna-basic-mid", "K654321")]).await;
    assert_eq!(line_v2(&other), "403 FORBIDDEN");
    assert_eq!(get(vec![("x-klarna-basic-mid", "K123456")]).await.status, 200);
    // The stranger, as itself, finds nothing on any route.
    let headers = [("x-klarna-basic-mid", "K654321")];
    for (method, rest, body) in [
        ("GET", "", Value::Null),
        ("POST", "/accept-loss", Value::Null),
        ("POST", "/requests/1/responses", json!({})),
        ("GET", "/requests/1/attachments/1000", Value::Null),
        ("GET", "/requests/1/responses/1/attachments/1", Value::Null),
    ] {
        let path = format!("/disputes/v2/disputes/{}{rest}", case.krn);
        let reply = world.call_as(&world.stranger, method, &path, &body, &headers).await;
        assert_eq!(line_v2(&reply), "404 NOT_FOUND", "{method} {rest}");
        assert_eq!(world.send(method, &path, &headers, body.to_string()).await.status, 401);
    }
    let path = format!("/disputes/v2/disputes/{}/attachments", case.krn);
    let parts: [(&str, Option<&str>, &[u8]); 1] = [("file", Some("a.pdf"), PDF)];
    let reply = send_form(&world, &world.stranger, &path, &parts).await;
    assert_eq!(line_v2(&reply), "404 NOT_FOUND");
    // Both spellings of a reason lead to it; another reason does not.
    let hyphens = case.krn.replace("goods_not_received", "goods-not-received");
    let reply = call_v2(&world, "GET", &format!("/disputes/{hyphens}"), &Value::Null).await;
    assert_eq!(reply.status, 200);
    let renamed = case.krn.replace("goods_not_received", "return");
    let reply = call_v2(&world, "GET", &format!("/disputes/{renamed}"), &Value::Null).await;
    assert_eq!(reply.status, 404);
    // Enrolment, and its refusal for a merchant for which a partner acts.
    assert_eq!(call_v2(&world, "POST", "/enroll", &Value::Null).await.status, 204);
    world.control("/merchants/K123456/disputes", &json!({ "partner_id": "K654321" })).await;
    let reply = call_v2(&world, "POST", "/enroll", &Value::Null).await;
    assert_eq!(line_v2(&reply), "403 FORBIDDEN");
    // A partner names one of its merchants, or none.
    world.control("/merchants/K654321/disputes", &json!({ "account": "partner" })).await;
    for headers in [vec![], vec![("x-klarna-basic-mid", "K123456")]] {
        let path = format!("/disputes/v2/disputes/{}", case.krn);
        let reply = world.call_as(&world.stranger, "GET", &path, &Value::Null, &headers).await;
        assert_eq!(reply.status, 200, "{headers:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn version_3_can_be_read() {
    let world = World::start().await;
    enroll(&world).await;
    let (id, _) = requested(&world, "faulty_goods").await;
    let (order_id, _) = captured(&world, &Purchase::of(1_000)).await;
    Case::over(&world, order_id, json!({ "framework": "framework_2020" })).await;
    let list = |query: &str| {
        let (world, path) = (&world, format!("/disputes/v3/disputes?{query}"));
        async move { world.call("GET", &path, &Value::Null).await }
    };
    for (query, count) in [
        ("", 2),
        ("state=MERCHANT_EVIDENCE_PENDING", 1),
        ("state=PRE_ARBITRATION", 1),
        ("state=ARBITRATION_PENDING", 0),
        ("reason=PRODUCTS_FAULTY", 1),
        ("sort_by=-opened_at&size=1", 1),
        ("opened_at_start=2026-03-02T09:00:00.250Z", 2),
    ] {
        let reply = list(query).await;
        assert_eq!(
            (reply.status, &reply.json["pagination"]["count"]),
            (200, &json!(count)),
            "{query}"
        );
    }
    for (query, parameter) in [
        ("state=INITIATED", "state"),
        ("reason=weather", "reason"),
        ("opened_at_start=2026-03-02T09:00:00Z", "opened_at_start"),
        ("sort_by=amount", "sort_by"),
    ] {
        let expected = format!("400 VALIDATION_ERROR INPUT_ERROR {parameter}");
        assert_eq!(line(&list(query).await), expected, "{query}");
    }
    let path = format!("/disputes/v3/disputes/{id}");
    let view = world.call("GET", &path, &Value::Null).await.json;
    assert_eq!(view["dispute_reason"], "PRODUCTS_FAULTY");
    let reply = world.call_as(&world.stranger, "GET", &path, &Value::Null, &[]).await;
    assert_eq!(line(&reply), "404 RESOURCE_NOT_FOUND RESOURCE_ERROR");
    world.stop().await;
}

/// A share of all captures is disputed, the same ones under the same seed.
#[tokio::test]
async fn shoppers_dispute_by_themselves_at_the_rate_that_is_set() {
    let mut runs = Vec::new();
    for seed in [3, 3, 2] {
        let world = World::start().await;
        enroll(&world).await;
        let settings = json!({ "rate_per_mille": 500, "seed": seed });
        world.control("/merchants/K123456/disputes", &settings).await;
        let order_id = world.order(&Purchase::of(10_000)).await;
        for amount in 1..=20 {
            capture(&world, &order_id, amount).await;
        }
        let list = world.call("GET", "/v4/payment/disputes?size=100", &Value::Null).await.json;
        let mut disputed: Vec<_> = list["disputes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dispute| dispute["dispute_details"]["dispute_amount"].as_i64().unwrap())
            .collect();
        disputed.sort_unstable();
        runs.push(disputed);
        world.stop().await;
    }
    assert_eq!(runs[0], [1, 6, 8, 9, 10, 11, 14, 15, 17, 19, 20]);
    assert_eq!(runs[1], runs[0]);
    assert_eq!(runs[2], [2, 4, 6, 8, 12, 14, 15, 16, 18, 20]);
}
