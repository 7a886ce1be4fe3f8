//! Whatever cannot be answered is refused by name, and nobody is shown what is another's.

use serde_json::{Value, json};

use crate::common::{self, Purchase, World};
use crate::settlements::desk::Desk;

/// All eight operations, as they are asked for a payout.
fn all_eight(reference: &str) -> [(String, &'static str); 8] {
    let range = "start_date=2026-01-01&end_date=2027-01-01";
    [
        ("/payouts".to_owned(), "application/json"),
        (format!("/payouts/{reference}"), "application/json"),
        (format!("/payouts/summary?{range}"), "application/json"),
        (format!("/transactions?payment_reference={reference}"), "application/json"),
        (format!("/reports/payout-with-transactions?payment_reference={reference}"), "text/csv"),
        (format!("/reports/payout?payment_reference={reference}"), "application/pdf"),
        (format!("/reports/payouts-summary-with-transactions?{range}"), "text/csv"),
        (format!("/reports/payouts-summary?{range}"), "application/pdf"),
    ]
}

#[tokio::test]
async fn each_wrong_parameter_is_named() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        let csv = "/reports/payout-with-transactions";
        let long = "A".repeat(65);
        for (path, media_type, expected) in [
            ("/payouts?size=0", "json", "size must be between 1 and 500"),
            ("/payouts?size=501", "json", "size must be between 1 and 500"),
            ("/payouts?size=many", "json", "size must be an integer"),
            ("/payouts?size=99999999999999999999", "json", "size must be an integer"),
            ("/payouts?offset=-1", "json", "offset must not be negative"),
            ("/payouts?offset=1.5", "json", "offset must be an integer"),
            ("/payouts?currency_code=EURO", "json", "currency_code must be an ISO 4217 code"),
            ("/payouts?currency_code=E%00R", "json", "currency_code must be an ISO 4217 code"),
            (
                "/payouts?start_date=yesterday",
                "json",
                "start_date must be an ISO 8601 date and time such as 2020-01-23T00:00:00Z",
            ),
            (
                "/payouts?end_date=2026-02-30",
                "json",
                "end_date must be an ISO 8601 date and time such as 2020-01-23T00:00:00Z",
            ),
            (
                "/payouts?end_date=99999-01-01",
                "json",
                "end_date must be an ISO 8601 date and time such as 2020-01-23T00:00:00Z",
            ),
            ("/payouts/X-1", "json", "payment_reference is not a payment reference"),
            ("/payouts/%00", "json", "payment_reference is not a payment reference"),
            ("/payouts/..%2Fsummary", "json", "payment_reference is not a payment reference"),
            ("/payouts/summary", "json", "start_date is required"),
            ("/payouts/summary?start_date=2026-01-01", "json", "end_date is required"),
            ("/payouts/summary?start_date=&end_date=2026-01-01", "json", "start_date is required"),
            ("/transactions?size=501", "json", "size must be between 1 and 500"),
            (
                "/transactions?payment_reference=%27",
                "json",
                "payment_reference is not a payment reference",
            ),
            ("/transactions?order_id=%00", "json", "order_id is not an order id"),
            (csv, "csv", "payment_reference is required"),
            (
                &format!("{csv}?payment_reference={long}"),
                "csv",
                "payment_reference is not a payment reference",
            ),
            ("/reports/payout", "pdf", "payment_reference is required"),
            ("/reports/payouts-summary-with-transactions", "csv", "start_date is required"),
            ("/reports/payouts-summary?start_date=2026-01-01", "pdf", "end_date is required"),
        ] {
            let reply = desk.ask(path).await;
            assert_eq!(reply.status, 400, "{path}: {reply:?}");
            let media_type = match media_type {
                "csv" => "text/csv",
                "pdf" => "application/pdf",
                _ => "application/json",
            };
            assert_eq!(reply.header("content-type"), media_type, "{path}");
            assert_eq!(
                reply.json,
                json!({
                    "error_code": "BAD_REQUEST", "error_messages": [expected],
                    "correlation_id": reply.header("klarna-correlation-id"),
                }),
                "{path}"
            );
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::start().await;
    let desk = Desk::new(&world);
    for (path, media_type) in [
        ("/payouts/NONE1234", "application/json"),
        ("/reports/payout-with-transactions?payment_reference=NONE1234", "text/csv"),
        ("/reports/payout?payment_reference=NONE1234", "application/pdf"),
    ] {
        let reply = desk.ask(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("content-type"), media_type, "{path}");
        assert_eq!(reply.json["error_code"], "NOT_FOUND");
        assert_eq!(
            reply.json["error_messages"],
            json!(["No payout with payment reference NONE1234"])
        );
    }
    for path in ["/transactions?payment_reference=NONE1234", "/transactions?order_id=none"] {
        assert_eq!(desk.get(path).await["pagination"]["total"], 0);
    }
    for (method, path, status) in [
        ("GET", "/payout", 404),
        ("GET", "/reports", 404),
        ("POST", "/payouts", 405),
        ("DELETE", "/payouts/NONE1234", 405),
    ] {
        let path = format!("/settlements/v1{path}");
        let reply = world.call(method, &path, &Value::Null).await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn nobody_sees_anothers_payouts() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let desk = Desk::new(&world);
        let order_id = world.order(&Purchase::of(100_000)).await;
        desk.capture(&order_id, 100_000).await;
        let reference = desk.close().await.remove(0);
        let stranger = Desk::of(&world, &world.stranger);
        for (path, media_type) in all_eight(&reference) {
            let own = desk.ask(&path).await;
            assert_eq!(own.status, 200, "{path}");
            assert_eq!(own.header("content-type"), media_type, "{path}");
            let foreign = stranger.ask(&path).await;
            assert!(!foreign.text.contains("\"sale_amount\":100000"), "{path}");
            assert!(!foreign.text.contains(&order_id), "{path}");
            assert!(!foreign.text.contains("1000.00"), "{path}");
            assert!(matches!(foreign.status, 200 | 404), "{path}");
            // Exactly as if it were nobody's.
            let nobody = stranger.ask(&path.replace(&reference, "NONE1234")).await;
            let cut = |text: &str| {
                let text = text.replace(&reference, "NONE1234");
                text.split("correlation_id").next().unwrap().to_owned()
            };
            assert_eq!((foreign.status, cut(&foreign.text)), (nobody.status, cut(&nobody.text)));
            let headers = [("authorization", "Basic bm9ib2R5OnJlYWxseQ==")];
            let unknown = world.send("GET", &format!("/settlements/v1{path}"), &headers, "").await;
            assert_eq!(unknown.status, 401, "{path}");
        }
        let own = stranger.ask(&format!("/transactions?order_id={order_id}")).await;
        assert_eq!(own.json["pagination"]["total"], 0);
        world.stop().await;
    }
}
