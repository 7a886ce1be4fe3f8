//! Version 4.

use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::disputes::case::{Case, capture, captured, enroll, line, send_form};

/// The answer without what differs from run to run.
fn hidden(case: &Case<'_>, value: &Value) -> Value {
    let number = case.id.rsplit(':').next().unwrap();
    let text = value
        .to_string()
        .replace(&case.order_id, "{order}")
        .replace(&case.capture_id, "{capture}")
        .replace(&case.world.public_url(), "{base}")
        .replace(number, "{number}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_life_of_a_dispute_reads_as_documented() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let case = Case::raise(&world, json!({ "script": "pre_arb_lose_after_arbitration" })).await;
        let mut lives = vec![hidden(&case, &case.read().await)];
        world.advance("P1D").await;
        let file = case.file().await;
        let body = json!({
            "attachments": [
                { "payment_dispute_attachment_id": file, "description": "Proof of delivery" },
            ],
            "additional_information": "Delivered and signed for",
        });
        let reply = case.v4("POST", "/represent", &body).await;
        assert_eq!(reply.status, 201);
        lives.push(hidden(&case, &reply.json));
        lives.push(hidden(&case, &case.read().await));
        world.advance("PT5M").await;
        lives.push(hidden(&case, &case.read().await));
        let body = json!({ "additional_information": "Look again" });
        let reply = case.v4("POST", "/appeal", &body).await;
        assert_eq!(reply.status, 201);
        lives.push(hidden(&case, &reply.json));
        lives.push(hidden(&case, &case.read().await));
        world.advance("PT5M").await;
        lives.push(hidden(&case, &case.read().await));
        insta::assert_json_snapshot!("the_life_of_a_dispute_reads_as_documented", lives);
        world.stop().await;
    }
}

/// Each published lifecycle, from the shopper's e-mail address to its end.
#[tokio::test]
async fn each_lifecycle_runs_from_its_trigger() {
    for engine in common::engines().await {
        let world = engine.world().await;
        enroll(&world).await;
        let lifecycles = [
            (
                "customer+se+dispute_win_on_evidence@klarna.com",
                "INITIATED | unresolved > represent > REPRESENTMENT | replied > PT5M > \
                 CLOSED WON partner_provided_valid_shipping_details | closed",
            ),
            (
                "customer+se+dispute_lose_on_expiry@klarna.com",
                "INITIATED | unresolved > PT5M > \
                 CLOSED LOST partner_did_not_reply_to_dispute_request | deadline_expired",
            ),
            (
                "customer+se+dispute_pre_arb_accept_loss@klarna.com",
                "INITIATED | unresolved > PT5M > \
                 CLOSED LOST partner_accepted_the_loss | loss_accepted",
            ),
            (
                "customer+se+dispute_pre_arb_window_expired@klarna.com",
                "INITIATED | unresolved > represent > REPRESENTMENT | replied > PT5M > \
                 PRE_ARBITRATION | replied > PT5M > \
                 CLOSED LOST insufficient_proof_of_delivery | deadline_expired",
            ),
            (
                "customer+se+dispute_pre_arb_lose_after_arbitration@klarna.com",
                "INITIATED | unresolved > represent > REPRESENTMENT | replied > PT5M > \
                 PRE_ARBITRATION | replied > appeal > ARBITRATION | replied > PT5M > \
                 CLOSED LOST insufficient_proof_of_delivery | closed",
            ),
            (
                "customer+se+dispute_pre_arb_win_after_arbitration@klarna.com",
                "INITIATED | unresolved > represent > REPRESENTMENT | replied > PT5M > \
                 PRE_ARBITRATION | replied > appeal > ARBITRATION | replied > PT5M > \
                 CLOSED WON partner_provided_valid_shipping_details | closed",
            ),
        ];
        for (email, lifecycle) in lifecycles {
            let (order_id, _) = captured(&world, &Purchase { email, ..Purchase::of(5_000) }).await;
            let path = format!("/v4/payment/disputes?order_ids={order_id}");
            let view = world.call("GET", &path, &Value::Null).await.json["disputes"][0].clone();
            let number = view["payment_dispute_id"].as_str().unwrap().rsplit(':').next().unwrap();
            let krn = format!("krn:klarna:eu1:dispute:goods_not_received:{number}");
            let case = Case { krn, ..Case::of(&world, &view) };
            let mut steps = lifecycle.split(" > ");
            let mut passed = case.summary().await;
            assert_eq!(Some(passed.as_str()), steps.next(), "{email}");
            while let (Some(step), Some(expected)) = (steps.next(), steps.next()) {
                match step {
                    "represent" => case.represent().await,
                    "appeal" => case.appeal().await,
                    wait => world.advance(wait).await,
                }
                passed = case.summary().await;
                assert_eq!(passed, expected, "{email} after {step}");
            }
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn each_reason_is_raised_by_its_trigger_with_an_open_request() {
    let world = World::start().await;
    enroll(&world).await;
    let triggers = [
        ("customer+disputed-return@email.se", "REFUND_NOT_PROCESSED", 14 * 24),
        (
            "customer+disputed-goods_not_received@email.se",
            "PRODUCTS_OR_SERVICES_NOT_RECEIVED",
            14 * 24,
        ),
        ("customer+disputed-already_paid@email.se", "INCORRECT_AMOUNT", 14 * 24),
        (
            "customer+disputed-faulty_goods@email.se",
            "PRODUCTS_DEFECTIVE_OR_NOT_AS_DESCRIBED",
            14 * 24,
        ),
        ("customer+disputed-incorrect_invoice@email.se", "INCORRECT_AMOUNT", 14 * 24),
        ("customer+disputed-unauthorized_purchase@email.se", "PURCHASE_UNAUTHORIZED", 7 * 24),
        ("customer+disputed-high_risk_order@email.se", "PURCHASE_HIGH_RISK", 96),
        ("customer+disputed-non_compliance@email.se", "NON_COMPLIANCE", 14 * 24),
        (
            "customer+disputed-non_guaranteed_payment_program@email.se",
            "NON_GUARANTEED_PAYMENT_PROGRAM",
            14 * 24,
        ),
        ("customer+disputed-return_not_possible@email.se", "REFUND_NOT_PROCESSED", 14 * 24),
    ];
    for (email, reason, hours) in triggers {
        let order_id = world.order(&Purchase { email, ..Purchase::of(5_000) }).await;
        let path = format!("/v4/payment/disputes?order_ids={order_id}");
        let count =
            world.call("GET", &path, &Value::Null).await.json["pagination"]["total"].clone();
        // A high-risk order is disputed before it is captured, everything else once for each capture.
        assert_eq!(count, i64::from(reason == "PURCHASE_HIGH_RISK"), "{email}");
        capture(&world, &order_id, 2_000).await;
        capture(&world, &order_id, 3_000).await;
        let list = world.call("GET", &path, &Value::Null).await.json;
        let count = if reason == "PURCHASE_HIGH_RISK" { 1 } else { 2 };
        assert_eq!(list["pagination"]["total"], count, "{email}");
        let dispute = &list["disputes"][0];
        assert_eq!(dispute["dispute_reason"], reason, "{email}");
        assert_eq!(dispute["configuration"]["base_framework"], "FRAMEWORK_2020");
        let representment = &dispute["state_context"]["representment"];
        assert_eq!(representment["state"], "EVIDENCE_REQUESTED");
        let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let window =
            time(&representment["expires_at"]).duration_since(time(&dispute["created_at"]));
        assert_eq!(window.as_hours(), hours, "{email}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_wrong_state_is_a_conflict() {
    let world = World::start().await;
    let conflict = "409 RESOURCE_CONFLICT RESOURCE_ERROR";
    let appeal = json!({ "additional_information": "Look again" });
    let case = Case::raise(&world, json!({ "script": "manual" })).await;
    let file = case.file().await;
    let represent = json!({ "attachments": [{ "payment_dispute_attachment_id": file }] });
    case.check("POST", "/appeal", appeal.clone(), conflict).await;
    case.represent().await;
    case.check("POST", "/represent", represent.clone(), conflict).await;
    case.check("POST", "/accept-loss", Value::Null, conflict).await;
    case.check("POST", "/appeal", appeal.clone(), conflict).await;
    let reply = case.upload(&[("file", Some("late.pdf"), crate::disputes::case::PDF)]).await;
    assert_eq!(line(&reply), conflict);
    case.decide(json!({ "decision": "lost" })).await;
    case.check("POST", "/represent", represent.clone(), conflict).await;
    case.appeal().await;
    case.check("POST", "/accept-loss", Value::Null, conflict).await;
    case.check("POST", "/appeal", appeal.clone(), conflict).await;
    case.decide(json!({ "decision": "won" })).await;
    for (rest, body) in [
        ("/accept-loss", Value::Null),
        ("/represent", represent.clone()),
        ("/appeal", appeal.clone()),
    ] {
        case.check("POST", rest, body, conflict).await;
    }
    let case = Case::raise(&world, json!({})).await;
    let reply = case.v4("POST", "/accept-loss", &Value::Null).await;
    assert_eq!((reply.status, reply.json), (202, json!({ "state": "CLOSED" })));
    assert_eq!(case.summary().await, "CLOSED LOST partner_accepted_the_loss | loss_accepted");
    assert_eq!(case.read().await["representment"]["state"], "EVIDENCE_WAIVED");
    world.stop().await;
}

#[tokio::test]
async fn bad_input_is_named() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({})).await;
    let file = case.file().await;
    let reference = json!({ "payment_dispute_attachment_id": file });
    let with = |members: Value| {
        let mut body = json!({ "attachments": [reference.clone()] });
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let invalid = "400 VALIDATION_ERROR INPUT_ERROR";
    let many: Vec<_> = (0..11).map(|_| reference.clone()).collect();
    let represent = [
        (json!({}), "attachments"),
        (json!({ "attachments": [] }), "attachments"),
        (json!({ "attachments": many }), "attachments"),
        (json!({ "attachments": [{}] }), "attachments[0].payment_dispute_attachment_id"),
        (
            json!({ "attachments": [{ "payment_dispute_attachment_id": "nothing" }] }),
            "attachments[0].payment_dispute_attachment_id",
        ),
        (
            json!({ "attachments": [{ "payment_dispute_attachment_id": file, "description": "x".repeat(1_001) }] }),
            "attachments[0].description",
        ),
        (with(json!({ "additional_information": "x".repeat(5_001) })), "additional_information"),
        (
            with(json!({ "partner_proposed_refund_amount": 10_000 })),
            "partner_proposed_refund_amount",
        ),
        (with(json!({ "partner_proposed_refund_amount": -1 })), "partner_proposed_refund_amount"),
        (with(json!({ "partner_proposed_refund_amount": "1" })), "body"),
        (json!([]), "body"),
    ];
    for (body, parameter) in represent {
        case.check("POST", "/represent", body, &format!("{invalid} {parameter}")).await;
    }
    let appeal = [
        (json!({}), "additional_information"),
        (json!({ "additional_information": "x".repeat(10_001) }), "additional_information"),
        (json!({ "additional_information": "x", "attachments": [] }), "attachments"),
    ];
    for (body, parameter) in appeal {
        case.check("POST", "/appeal", body, &format!("{invalid} {parameter}")).await;
    }
    let path = format!("/v4/payment/disputes/{}/represent", case.id);
    for (content_type, body, expected) in [
        ("text/plain", "{}", "400 INVALID_CONTENT_TYPE INPUT_ERROR"),
        ("application/json", "{", "400 VALIDATION_ERROR INPUT_ERROR body"),
        ("application/json", "\u{0}", "400 VALIDATION_ERROR INPUT_ERROR body"),
    ] {
        let headers = [
            ("authorization", world.merchant.authorization.as_str()),
            ("content-type", content_type),
        ];
        let reply = world.send("POST", &path, &headers, body).await;
        assert_eq!(line(&reply), expected, "{content_type} {body}");
    }
    for (name, value, ok) in [
        ("partner-correlation-id", "x".repeat(255), true),
        ("partner-correlation-id", "x".repeat(256), false),
        ("klarna-integration-metadata", r#"{"integrator":{"name":"PSP"}}"#.to_owned(), true),
        ("klarna-integration-metadata", "PSP".to_owned(), false),
    ] {
        let path = format!("/v4/payment/disputes/{}", case.id);
        let headers = [(name, value.as_str())];
        let reply = world.call_as(&world.merchant, "GET", &path, &Value::Null, &headers).await;
        assert_eq!(reply.status == 200, ok, "{name}: {reply:?}");
    }
    world.stop().await;
}

/// An unknown dispute, someone else's, and no credentials, on every route.
#[tokio::test]
async fn nobody_elses_dispute_is_found() {
    for engine in common::engines().await {
        let world = engine.world().await;
        enroll(&world).await;
        let case = Case::raise(&world, json!({})).await;
        let file = case.file().await;
        let represent = json!({ "attachments": [{ "payment_dispute_attachment_id": file }] });
        let appeal = json!({ "additional_information": "Look again" });
        let routes = [
            ("GET", String::new(), Value::Null),
            ("POST", "/accept-loss".to_owned(), Value::Null),
            ("POST", "/represent".to_owned(), represent),
            ("POST", "/appeal".to_owned(), appeal),
            ("GET", format!("/attachments/{file}/download"), Value::Null),
        ];
        let missing = "404 RESOURCE_NOT_FOUND RESOURCE_ERROR";
        let unknown = "krn:network:eu1:test:payment:dispute:1";
        // The right number under another region's name is another name.
        let renamed = case.id.replace("eu1", "us1");
        for (method, rest, body) in routes {
            for (merchant, id) in [
                (&world.stranger, case.id.as_str()),
                (&world.merchant, unknown),
                (&world.merchant, renamed.as_str()),
            ] {
                let path = format!("/v4/payment/disputes/{id}{rest}");
                let reply = world.call_as(merchant, method, &path, &body, &[]).await;
                assert_eq!(line(&reply), missing, "{method} {path}");
            }
            let path = format!("/v4/payment/disputes/{}{rest}", case.id);
            assert_eq!(world.send(method, &path, &[], body.to_string()).await.status, 401);
        }
        let path = format!("/v4/payment/disputes/{}/attachments", case.id);
        let parts: [(&str, Option<&str>, &[u8]); 1] =
            [("file", Some("a.pdf"), crate::disputes::case::PDF)];
        let reply = send_form(&world, &world.stranger, &path, &parts).await;
        assert_eq!(line(&reply), missing);
        let path = "/v4/payment/disputes/merchants/K654321/enroll";
        let reply = world.call_as(&world.stranger, "POST", path, &Value::Null, &[]).await;
        assert_eq!(reply.status, 204);
        let path = "/v4/payment/disputes";
        let list = world.call_as(&world.stranger, "GET", path, &Value::Null, &[]).await.json;
        assert_eq!((&list["disputes"], &list["pagination"]["total"]), (&json!([]), &json!(0)));
        let long = "x".repeat(101);
        let reply = world.call("GET", &format!("/v4/payment/disputes/{long}"), &Value::Null).await;
        assert_eq!(line(&reply), "400 VALIDATION_ERROR INPUT_ERROR payment_dispute_id");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_path_is_forbidden_rather_than_not_found() {
    let world = World::start().await;
    let reply = world.call("GET", "/v4/payment/disputes/a/b/c", &Value::Null).await;
    assert_eq!(line(&reply), "403 OPERATION_FORBIDDEN RESOURCE_ERROR");
    let reply = world.call("GET", "/disputes/v1/disputes", &Value::Null).await;
    assert_eq!((reply.status, &reply.json["error_code"]), (403, &json!("FORBIDDEN")));
    world.stop().await;
}

#[tokio::test]
async fn enrolment_is_for_oneself_and_a_partner_sees_its_merchants() {
    let world = World::start().await;
    let enroll = |path: &'static str| world.call("POST", path, &Value::Null);
    let forbidden = "403 OPERATION_FORBIDDEN RESOURCE_ERROR";
    let reply = enroll("/v4/payment/disputes/merchants/K654321/enroll").await;
    assert_eq!(line(&reply), forbidden);
    let case = Case::raise(&world, json!({})).await;
    // Not enrolled: no error, and nothing to see.
    let list = world.call("GET", "/v4/payment/disputes", &Value::Null).await;
    assert_eq!((list.status, &list.json["disputes"]), (200, &json!([])));
    for _ in 0..2 {
        assert_eq!(enroll("/v4/payment/disputes/merchants/K123456/enroll").await.status, 204);
    }
    let partner = json!({ "client_id": "abc123" });
    let path = "/v4/payment/disputes/partners/K123456/enroll";
    assert_eq!(line(&world.call("POST", path, &partner).await), forbidden);

    // The stranger becomes the merchant's partner.
    world.control("/merchants/K654321/disputes", &json!({ "account": "partner" })).await;
    world.control("/merchants/K123456/disputes", &json!({ "partner_id": "K654321" })).await;
    let path = "/v4/payment/disputes/merchants/K654321/enroll";
    let reply = world.call_as(&world.stranger, "POST", path, &Value::Null, &[]).await;
    assert_eq!(line(&reply), forbidden);
    let path = "/v4/payment/disputes/partners/K654321/enroll";
    for (body, expected) in [
        (json!({}), "400 VALIDATION_ERROR INPUT_ERROR client_id"),
        (json!({ "client_id": "with-hyphen" }), "400 VALIDATION_ERROR INPUT_ERROR client_id"),
        (json!({ "client_id": "x".repeat(65) }), "400 VALIDATION_ERROR INPUT_ERROR client_id"),
        (partner, "204"),
    ] {
        let reply = world.call_as(&world.stranger, "POST", path, &body, &[]).await;
        assert_eq!(line(&reply), expected, "{body}");
    }
    let path = "/v4/payment/disputes";
    let list = world.call_as(&world.stranger, "GET", path, &Value::Null, &[]).await.json;
    assert_eq!(list["disputes"][0]["payment_dispute_id"], case.id);
    world.stop().await;
}

#[tokio::test]
async fn more_time_and_immediate_decisions_are_shown_as_exceptions() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({})).await;
    let before = case.read().await["state_context"]["representment"]["expires_at"].clone();
    let extend = json!({ "decision": "extend", "by": "P5D", "reason": "regulatory_requirement" });
    case.decide(extend).await;
    let view = case.read().await;
    assert_ne!(view["state_context"]["representment"]["expires_at"], before);
    assert_eq!(view["process_exceptions"][0]["exception_type"], "dispute_window_extension");
    world.advance("P22D").await;
    assert_eq!(case.read().await["state"], "INITIATED");
    world.advance("P5D").await;
    let expired = "CLOSED LOST partner_did_not_reply_to_dispute_request | deadline_expired";
    assert_eq!(case.summary().await, expired);
    let case = Case::raise(&world, json!({ "resolved_at_once": "fraudulent_partner" })).await;
    let view = case.read().await;
    assert_eq!(view["state"], "CLOSED");
    assert_eq!(view["process_exceptions"][0]["reason"], "fraudulent_partner");
    world.stop().await;
}

#[tokio::test]
async fn the_control_api_says_what_it_cannot_do() {
    let world = World::start().await;
    let post = |path: &str, body: Value| {
        let path = format!("/playground/v1{path}");
        let world = &world;
        async move {
            let headers = [("content-type", "application/json")];
            world.send("POST", &path, &headers, body.to_string()).await.status
        }
    };
    let order_id = world.order(&Purchase::of(1_000)).await;
    let order = |members: Value| {
        let mut body = json!({ "order_id": order_id });
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    assert_eq!(post("/disputes", json!({ "order_id": "nothing" })).await, 404);
    assert_eq!(post("/disputes", order(json!({ "reason": "weather" }))).await, 400);
    assert_eq!(post("/disputes", order(json!({ "script": "unheard_of" }))).await, 400);
    assert_eq!(post("/disputes", order(json!({}))).await, 409);
    capture(&world, &order_id, 1_000).await;
    assert_eq!(post("/disputes", order(json!({ "amount": 1_001 }))).await, 409);
    assert_eq!(post("/disputes", order(json!({ "amount": 0 }))).await, 409);
    let case = Case::over(&world, order_id.clone(), json!({ "amount": 400 })).await;
    assert_eq!(case.read().await["dispute_details"]["dispute_amount"], 400);
    let decide = format!("/disputes/{}/decide", case.id);
    assert_eq!(post(&decide, json!({ "decision": "won" })).await, 409);
    assert_eq!(post(&decide, json!({ "decision": "extend", "by": "-P1D" })).await, 400);
    assert_eq!(post(&decide, json!({ "decision": "lost", "detailed": "moods" })).await, 400);
    assert_eq!(post("/disputes/1/decide", json!({ "decision": "won" })).await, 404);
    for settings in [
        json!({ "webhook": { "url": "http://metadata.example/" } }),
        json!({ "rate_per_mille": 1_001 }),
        json!({ "fees": { "SEK": -1 } }),
        json!({ "unheard_of": 1 }),
    ] {
        assert_eq!(post("/merchants/K123456/disputes", settings.clone()).await, 400, "{settings}");
    }
    assert_eq!(post("/merchants/nobody/disputes", json!({})).await, 404);
    world.stop().await;
}
