//! Repeated and simultaneous calls: what an idempotency key makes of them.

use serde_json::{Value, json};

use crate::common::{Purchase, World};
use crate::orders::desk::{Desk, long};

#[tokio::test]
async fn a_key_makes_a_repeated_call_the_same_call() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        let capture = json!({ "captured_amount": 1_000 });
        let first = desk.keyed("k1", "POST", "/captures", &capture).await;
        assert_eq!(desk.line(&first), "201");
        // Only the key counts: another body is not looked at.
        let again =
            desk.keyed("k1", "POST", "/captures", &json!({ "captured_amount": 2_000 })).await;
        assert_eq!(desk.line(&again), "201");
        for name in ["capture-id", "location"] {
            assert_eq!(first.header(name), again.header(name));
        }
        assert_ne!(first.header("klarna-correlation-id"), again.header("klarna-correlation-id"));
        assert_eq!(desk.read().await["captured_amount"], 1_000);
        // Another key, another path and no key are other calls.
        assert_eq!(desk.keyed("k2", "POST", "/captures", &capture).await.status, 201);
        assert_eq!(desk.send("POST", "/captures", &capture).await.status, 201);
        assert_eq!(desk.send("POST", "/captures", &capture).await.status, 201);
        assert_eq!(desk.read().await["captured_amount"], 4_000);
        let refund = json!({ "refunded_amount": 100 });
        let one = desk.keyed("k1", "POST", "/refunds", &refund).await;
        let two = desk.keyed("k1", "POST", "/refunds", &refund).await;
        assert_eq!(one.header("refund-id"), two.header("refund-id"));
        assert_eq!(desk.read().await["refunded_amount"], 100);
        // The same key on another order is another call, too.
        let other = Desk::open(&world, &Purchase::of(10_000)).await;
        let elsewhere = other.keyed("k1", "POST", "/captures", &capture).await;
        assert_ne!(elsewhere.header("capture-id"), first.header("capture-id"));

        // A refusal is final, and stays what it was when the reason is gone.
        let too_much = json!({ "captured_amount": 9_000 });
        let refused = desk.keyed("k3", "POST", "/captures", &too_much).await;
        let expected = "403 CAPTURE_NOT_ALLOWED Captured amount is higher than the remaining authorized amount. Capture not possible.";
        assert_eq!(desk.line(&refused), expected);
        desk.check("PATCH", "/authorization", json!({ "order_amount": 20_000 }), "204").await;
        let refused = desk.keyed("k3", "POST", "/captures", &too_much).await;
        assert_eq!(desk.line(&refused), expected);
        let unprocessable = desk.keyed("k4", "POST", "/captures", &json!({})).await;
        let repeated = desk.keyed("k4", "POST", "/captures", &capture).await;
        assert_eq!(desk.line(&unprocessable), desk.line(&repeated));
        // What could not be read was never looked up.
        assert_eq!(desk.keyed("k5", "POST", "/captures", &json!([])).await.status, 400);
        assert_eq!(desk.keyed("k5", "POST", "/captures", &capture).await.status, 201);

        // The window is 24 hours of the playground's clock.
        desk.capture(1).await;
        let captured = desk.read().await["captured_amount"].as_i64().unwrap();
        world.advance("PT23H59M").await;
        let late = desk.keyed("k1", "POST", "/captures", &capture).await;
        assert_eq!(late.header("capture-id"), first.header("capture-id"));
        world.advance("PT1M").await;
        let too_late = desk.keyed("k1", "POST", "/captures", &capture).await;
        assert_ne!(too_late.header("capture-id"), first.header("capture-id"));
        assert_eq!(desk.read().await["captured_amount"], captured + 1_000);
        world.stop().await;
    }
}

#[tokio::test]
async fn every_write_takes_a_key() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        let mut desk = Desk::open(&world, &Purchase::of(10_000)).await;
        desk.capture(4_000).await;
        let extend = json!({ "number_of_days": 2 });
        let parcel = json!({ "shipping_info": [{ "tracking_number": "1" }] });
        for (method, rest, body, expected) in [
            ("POST", "/acknowledge", Value::Null, "204"),
            ("PATCH", "/authorization", json!({ "order_amount": 9_000 }), "204"),
            ("PATCH", "/merchant-references", json!({ "merchant_reference1": "B" }), "204"),
            (
                "PATCH",
                "/customer-details",
                json!({ "shipping_address": { "city": "Lund" } }),
                "204",
            ),
            ("POST", "/shipping-info", parcel.clone(), "204"),
            ("POST", "/captures/{c}/shipping-info", parcel, "204"),
            ("POST", "/captures/{c}/trigger-send-out", Value::Null, "204"),
            ("PATCH", "/captures/{c}/extend-due-date", extend, "204"),
            ("POST", "/extend-authorization-time", Value::Null, "204"),
            (
                "POST",
                "/cancel",
                Value::Null,
                "403 CANCEL_NOT_ALLOWED Order has previous captures. Cancel not possible.",
            ),
            ("POST", "/refunds", json!({ "refunded_amount": 1 }), "201"),
            ("POST", "/release-remaining-authorization", Value::Null, "204"),
        ] {
            let key = format!("key of {rest}");
            let first = desk.keyed(&key, method, rest, &body).await;
            let after_first = desk.read().await;
            let second = desk.keyed(&key, method, rest, &body).await;
            assert_eq!(desk.line(&first), expected, "{rest}");
            assert_eq!(desk.line(&second), expected, "{rest}");
            assert_eq!(desk.read().await, after_first, "{rest} was executed twice");
        }
        assert_eq!(desk.read().await["shipping_info"].as_array().unwrap().len(), 1);
        // Without the key, the free extension and the release cannot be had again.
        desk.check(
            "PATCH",
            "/captures/{c}/extend-due-date",
            json!({ "number_of_days": 2 }),
            "403 NOT_ALLOWED Extension of due date is not possible.",
        )
        .await;
        desk.check(
            "POST",
            "/release-remaining-authorization",
            Value::Null,
            "403 NOT_ALLOWED Order is fully captured. Remaining authorization cannot be released.",
        )
        .await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_key_has_1_to_255_printable_characters() {
    let world = World::start().await;
    let desk = Desk::open(&world, &Purchase::of(10_000)).await;
    for (key, expected) in [
        (long(255), 422),
        ("caf\u{e9}".to_owned(), 422),
        (long(254), 204),
        ("any text, not only a UUID".to_owned(), 204),
    ] {
        let reply = desk.keyed(&key, "POST", "/acknowledge", &Value::Null).await;
        assert_eq!(reply.status, expected, "{key}: {reply:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn concurrent_captures_never_exceed_the_authorisation() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        let desk = Desk::open(&world, &Purchase::of(10_000)).await;
        let calls: Vec<_> = (0..32)
            .map(|_| {
                let (path, body) = (desk.path("/captures"), json!({ "captured_amount": 700 }));
                let world = &world;
                async move { world.call("POST", &path, &body).await.status }
            })
            .collect();
        let statuses = at_once(calls).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 14);
        assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 18);
        assert_eq!(desk.ledger().await, "10000 10000 9800 0 200 PART_CAPTURED");
        let order = desk.read().await;
        let mut references: Vec<_> = order["captures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|capture| capture["klarna_reference"].as_str().unwrap().to_owned())
            .collect();
        references.dedup();
        assert_eq!(references.len(), 14);
        world.stop().await;
    }
}

#[tokio::test]
async fn concurrent_calls_with_one_key_are_one_call() {
    for engine in crate::common::engines().await {
        let world = engine.world().await;
        let desk = Desk::open(&world, &Purchase::of(10_000)).await;
        let calls: Vec<_> = (0..32)
            .map(|_| {
                let desk = &desk;
                async move {
                    let reply = desk
                        .keyed("one", "POST", "/captures", &json!({ "captured_amount": 700 }))
                        .await;
                    assert_eq!(reply.status, 201);
                    reply.header("capture-id").to_owned()
                }
            })
            .collect();
        let mut ids = at_once(calls).await;
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(desk.ledger().await, "10000 10000 700 0 9300 PART_CAPTURED");
        world.stop().await;
    }
}

/// Drives all futures together and answers in their order.
async fn at_once<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => all_done = false,
                }
            }
        }
        if all_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
