//! Links by e-mail, text message and scanned code: they go to the outbox.

use serde_json::{Value, json};

use super::{hosted, hosted_for, path_of, refused, text, try_shopper};
use crate::common::World;

async fn distribute(world: &World, hosted: &Value, body: &Value) -> crate::common::Reply {
    world.call("POST", &format!("{}/distribution", path_of(hosted)), body).await
}

async fn outbox(world: &World, to: &str) -> Value {
    let path = format!("/playground/v1/outbox?to={}", to.replace('+', "%2B").replace('@', "%40"));
    let reply = world.send("GET", &path, &[], "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json["messages"].clone()
}

#[tokio::test]
async fn a_link_is_sent_in_the_language_of_the_session() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    for (body, to, channel) in [
        (
            json!({ "method": "email", "contact_information": { "email": "alva@example.com" } }),
            "alva@example.com",
            "email",
        ),
        (
            json!({ "method": "SMS", "template": "INSTORE_PURCHASE",
                "contact_information": { "phone": "07000212345", "phone_country": "SE" } }),
            "07000212345",
            "sms",
        ),
        (
            json!({ "method": "token", "contact_information": { "access_id": "467521087419" } }),
            "467521087419",
            "token",
        ),
    ] {
        let reply = distribute(&world, &created, &body).await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{body}");
        let messages = outbox(&world, to).await;
        assert_eq!(messages.as_array().unwrap().len(), 1, "{messages}");
        let message = &messages[0];
        assert_eq!(message["channel"], channel, "{message}");
        assert!(text(message, "subject").starts_with("Betala 100,00"), "{message}");
        assert!(message.to_string().contains(text(&created, "redirect_url")), "{message}");
        // The link works.
        let call = json!({ "url": message["link"], "action": "open" });
        assert_eq!(try_shopper(&world, &call).await.json["hpp_session_id"], created["session_id"]);
    }
    world.stop().await;
}

#[tokio::test]
async fn messages_are_forgotten_after_a_month() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let body = json!({ "method": "email", "contact_information": { "email": "alva@example.com" } });
    assert_eq!(distribute(&world, &created, &body).await.status, 204);
    world.advance("P29D").await;
    assert_eq!(outbox(&world, "alva@example.com").await.as_array().unwrap().len(), 1);
    world.advance("P1DT1H").await;
    assert_eq!(outbox(&world, "alva@example.com").await, json!([]));
    world.stop().await;
}

#[tokio::test]
async fn bad_contacts_are_refused() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let check = async |body: Value, code: &str, message: &str| {
        refused(&distribute(&world, &created, &body).await, 400, code, message);
    };
    let contact =
        |method: &str, contact: Value| json!({ "method": method, "contact_information": contact });
    for (method, given) in [
        ("email", json!({})),
        ("email", json!({ "email": " " })),
        ("sms", json!({ "phone_country": "SE" })),
        ("sms", json!({ "phone": "07000212345" })),
        ("token", json!({ "email": "a@example.com" })),
    ] {
        check(contact(method, given), "MISSING_CONTACT_DATA", "Missing contact data").await;
    }
    let violation = "CONSTRAINT_VIOLATION";
    check(json!({}), violation, "Bad value: method, contact_information").await;
    check(
        contact("two_way_sms", json!({ "phone": "07000212345" })),
        violation,
        "Bad value: method",
    )
    .await;
    check(
        contact("email", json!({ "email": "nobody" })),
        violation,
        "Bad value: contact_information.email",
    )
    .await;
    check(
        contact("sms", json!({ "phone": "call me", "phone_country": "SE" })),
        violation,
        "Bad value: contact_information.phone",
    )
    .await;
    for country in ["US", "XX"] {
        check(
            contact("sms", json!({ "phone": "07000212345", "phone_country": country })),
            "UNSUPPORTED_COUNTRY",
            "Unsupported phone country",
        )
        .await;
    }
    world.stop().await;
}

#[tokio::test]
async fn nothing_is_sent_of_a_page_that_is_over() {
    let world = World::start().await;
    let body = json!({ "method": "email", "contact_information": { "email": "alva@example.com" } });
    let created = hosted(&world, &json!({})).await;
    world.call("DELETE", &path_of(&created), &Value::Null).await;
    let reply = distribute(&world, &created, &body).await;
    refused(&reply, 400, "BAD_REQUEST", "Session has been disabled");
    let created = hosted_for(&world, &json!({ "acquiring_channel": "IN_STORE" }), &json!({})).await;
    crate::hosted_page::shopper(&world, &created, "cancel").await;
    let reply = distribute(&world, &created, &body).await;
    refused(&reply, 400, "BAD_REQUEST", "Session has been cancelled");
    let unknown = json!({ "session_id": "unknown" });
    refused(&distribute(&world, &unknown, &body).await, 404, "NOT_FOUND", "Invalid session id");
    assert_eq!(outbox(&world, "alva@example.com").await, json!([]));
    world.stop().await;
}

#[tokio::test]
async fn text_messages_can_be_switched_off() {
    let world = World::start().await;
    let settings = json!({ "strictness": ["no_text_messages"] });
    let merchant = crate::hosted_page::merchant_with(&world, settings).await;
    let purchase = crate::common::Purchase::default().session();
    let session = world.call_as(&merchant, "POST", "/payments/v1/sessions", &purchase, &[]).await;
    let url = crate::hosted_page::session_url(&world, text(&session.json, "session_id"));
    let body = json!({ "payment_session_url": url });
    let created = world.call_as(&merchant, "POST", "/hpp/v1/sessions", &body, &[]).await.json;
    let path = format!("{}/distribution", path_of(&created));
    let contact = json!({ "phone": "07000212345", "phone_country": "SE" });
    let body = json!({ "method": "sms", "contact_information": contact });
    let reply = world.call_as(&merchant, "POST", &path, &body, &[]).await;
    refused(&reply, 400, "CONSTRAINT_VIOLATION", "Bad value: method");
    world.stop().await;
}
