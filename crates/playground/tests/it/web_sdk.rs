//! Client identifiers, the calls of the Web SDK and the messaging API, without a browser.

use crate::common::{Reply, World, engines};
use serde_json::{Value, json};

const MERCHANT: &str = "/playground/v1/merchants/K123456/client-identifiers";

async fn control(world: &World, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.send(method, path, &headers, body).await
}

/// A call of the SDK in a page of this origin.
async fn from_page(world: &World, client: &str, origin: &str, path: &str, body: &Value) -> Reply {
    let headers =
        [("content-type", "application/json"), ("kassa-client-id", client), ("origin", origin)];
    world.send("POST", &format!("/web-sdk/internal/{path}"), &headers, body.to_string()).await
}

fn check_refused(reply: &Reply, status: u16, kind: &str, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.json["errorType"], kind);
    assert_eq!(reply.json["errorCode"], code);
    assert!(reply.json["errorId"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(reply.json["errorMessage"].is_string());
}

#[tokio::test]
async fn a_merchant_has_a_client_identifier_from_the_start_and_may_have_more() {
    for engine in engines().await {
        let world = engine.world().await;
        let seeded = world.client_id();
        assert!(seeded.starts_with("klarna_test_client_"), "{seeded}");
        let all = control(&world, "GET", MERCHANT, &Value::Null).await.json;
        let first = &all["client_identifiers"][0];
        assert_eq!(first["client_id"], seeded);
        assert_eq!(first["environment"], "test");
        assert_eq!(first["redirect_uris"], json!([]));
        assert!(
            first["allowed_origins"].as_array().unwrap().contains(&json!("http://localhost:*"))
        );

        let wanted = json!({
            "allowed_origins": ["https://shop.example", "https://*.shop.example"],
            "redirect_uris": ["https://shop.example/back"], "confidential": true,
        });
        let made = control(&world, "POST", MERCHANT, &wanted).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.json["client_secret"].as_str().unwrap().len() >= 32);
        let client = made.json["client_id"].as_str().unwrap().to_owned();
        let one = format!("{MERCHANT}/{client}");
        let change = json!({ "allowed_origins": ["http://localhost:*"] });
        let changed = control(&world, "PUT", &one, &change).await;
        assert_eq!(changed.json["allowed_origins"], json!(["http://localhost:*"]));
        assert_eq!(changed.json["redirect_uris"], json!(["https://shop.example/back"]));
        assert!(changed.json.get("client_secret").is_none());

        // Another merchant neither sees nor changes it.
        let other = "/playground/v1/merchants/K654321/client-identifiers";
        let theirs = control(&world, "GET", other, &Value::Null).await;
        assert!(!theirs.text.contains(&client));
        let stolen = control(&world, "PUT", &format!("{other}/{client}"), &change).await;
        assert_eq!(stolen.status, 404);
        let taken = json!({ "client_id": client });
        assert_eq!(control(&world, "POST", other, &taken).await.status, 409);
        let nobody = "/playground/v1/merchants/K0/client-identifiers";
        assert_eq!(control(&world, "GET", nobody, &Value::Null).await.status, 404);
        world.stop().await;

        // It is there after a start anew, and the seeded one after everything was forgotten.
        let world = engine.world().await;
        assert_eq!(world.client_id(), seeded);
        let all = control(&world, "GET", MERCHANT, &Value::Null).await;
        assert!(all.text.contains(&client));
        world.control("/reset", &json!({})).await;
        let all = control(&world, "GET", MERCHANT, &Value::Null).await.json;
        assert_eq!(all["client_identifiers"].as_array().unwrap().len(), 1);
        assert_eq!(all["client_identifiers"][0]["client_id"], seeded);
        world.stop().await;
    }
}

#[tokio::test]
async fn what_would_let_everybody_in_is_refused() {
    let world = World::start().await;
    for (body, wrong) in [
        (json!({ "client_id": "klarna_live_client_abcdefgh" }), "client_id"),
        (json!({ "allowed_origins": ["https://shop.example", "*"] }), "allowed_origins[1]"),
        (json!({ "allowed_origins": ["https://*.com"] }), "allowed_origins[0]"),
        (json!({ "allowed_origins": ["https://shop.example/path"] }), "allowed_origins[0]"),
        (json!({ "redirect_uris": ["http://shop.example/back"] }), "redirect_uris[0]"),
        (json!({ "redirect_uris": ["https://shop.example/#x"] }), "redirect_uris[0]"),
    ] {
        let reply = control(&world, "POST", MERCHANT, &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.text.contains(wrong), "{body}: {}", reply.text);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_configured_identifier_is_the_merchants_and_pages_can_be_admitted() {
    let chosen = "klarna_test_client_chosenbythemerchant";
    let mut world = World::start_with(|config| {
        config.merchants[0].client_id = Some(chosen.to_owned());
    })
    .await;
    assert_eq!(world.client_id(), chosen);
    let shop = "https://shop.example";
    let refused = from_page(&world, chosen, shop, "session", &json!({})).await;
    check_refused(&refused, 403, "ACCESS_ERROR", "ORIGIN_NOT_ALLOWED");
    let pages = playground::Pages {
        origins: vec![shop.to_owned()],
        redirect_uris: vec![format!("{shop}/back")],
    };
    world.running().admit_pages("K123456", pages).await.unwrap();
    assert_eq!(from_page(&world, chosen, shop, "session", &json!({})).await.status, 200);
    world.control("/reset", &json!({})).await;
    assert_eq!(from_page(&world, chosen, shop, "session", &json!({})).await.status, 200);
    let bad = playground::Pages { origins: vec!["*".to_owned()], ..Default::default() };
    assert!(world.running().admit_pages("K123456", bad).await.is_err());
    world.stop().await;
}

#[tokio::test]
async fn only_pages_of_allowed_origins_begin_a_session() {
    let world = World::start().await;
    let client = world.client_id();
    let here = "http://localhost:7070";
    let session = from_page(&world, &client, here, "session", &json!({})).await;
    assert_eq!(session.status, 200, "{}", session.text);
    assert_eq!(session.header("access-control-allow-origin"), here);
    assert_eq!(session.header("cache-control"), "no-store");
    assert_eq!(session.json["merchant"]["merchant_id"], "K123456");
    let id = session.json["shopping_session_id"].as_str().unwrap();
    let again = json!({ "shopping_session_id": id });
    let again = from_page(&world, &client, here, "session", &again).await;
    assert_eq!(again.json["shopping_session_id"], id);
    for odd in [json!({ "shopping_session_id": "nonsense" }), json!({ "shopping_session_id": 7 })] {
        let fresh = from_page(&world, &client, here, "session", &odd).await;
        assert_eq!(fresh.status, 200);
        assert_ne!(fresh.json["shopping_session_id"], id);
    }

    for origin in ["https://shop.example", "null", "http://localhost.evil.example:7070"] {
        let refused = from_page(&world, &client, origin, "session", &json!({})).await;
        check_refused(&refused, 403, "ACCESS_ERROR", "ORIGIN_NOT_ALLOWED");
        // The page may read why.
        assert_eq!(refused.header("access-control-allow-origin"), origin);
    }
    let headers = [("kassa-client-id", client.as_str())];
    let nowhere = world.send("POST", "/web-sdk/internal/session", &headers, "{}").await;
    check_refused(&nowhere, 403, "ACCESS_ERROR", "ORIGIN_NOT_ALLOWED");
    for unknown in ["", "klarna_test_client_unknown", "klarna_live_client_x"] {
        let refused = from_page(&world, unknown, here, "session", &json!({})).await;
        check_refused(&refused, 403, "ACCESS_ERROR", "INVALID_CLIENT_ID");
    }
    let broken = from_page(&world, &client, here, "session", &json!(7)).await;
    check_refused(&broken, 400, "INPUT_ERROR", "VALIDATION_ERROR");

    // Browsers ask first.
    let asked = [
        ("origin", here),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,kassa-client-id"),
    ];
    let allowed = world.send("OPTIONS", "/web-sdk/internal/session", &asked, "").await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), here);
    assert!(allowed.header("access-control-allow-headers").contains("kassa-client-id"));
    assert!(!allowed.headers.contains_key("access-control-allow-credentials"));

    let told = json!({ "shopping_session_id": id, "supplementary_data": { "content": [] } });
    assert_eq!(from_page(&world, &client, here, "shopping-session", &told).await.status, 204);
    let nothing = json!({ "shopping_session_id": id, "supplementary_data": {} });
    let nothing = from_page(&world, &client, here, "shopping-session", &nothing).await;
    check_refused(&nothing, 400, "INPUT_ERROR", "VALIDATION_ERROR");
    world.stop().await;
}

#[tokio::test]
async fn the_scripts_are_served_with_any_query() {
    let world = World::start().await;
    for path in [
        "/web-sdk/v1/klarna.js",
        "/web-sdk/v2/klarna.js?1700000000000",
        "/web-sdk/v1/klarna.mjs",
        "/web-sdk/v2/klarna.mjs?x=y",
        "/lib.js?1",
    ] {
        let script = world.send("GET", path, &[], "").await;
        assert_eq!(script.status, 200, "{path}");
        assert!(script.header("content-type").starts_with("text/javascript"), "{path}");
        assert_eq!(script.header("access-control-allow-origin"), "*");
        assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(script.header("x-content-type-options"), "nosniff");
        assert!(script.headers.contains_key("etag"));
    }
    world.stop().await;
}

fn messaging(client: &str, rest: &str) -> String {
    format!("/messaging/v3?client_id={client}&{rest}")
}

#[tokio::test]
async fn the_messaging_api_answers_in_nodes_and_counts_what_is_shown() {
    let world = World::start().await;
    let client = world.client_id();
    let promotion = "placement_key=credit-promotion-badge&locale=en-US&purchase_amount=10000";
    let reply = world.send("GET", &messaging(&client, promotion), &[], "").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("cache-control"), "private, max-age=300");
    let nodes = &reply.json["content"]["nodes"];
    assert_eq!(
        nodes[0],
        json!({ "type": "TEXT", "name": "TEXT_MAIN", "value": "Pay in 4 interest-free payments of $25.00." })
    );
    assert_eq!(nodes[1]["type"], "ACTION");
    assert_eq!(nodes[1]["name"], "ACTION_LEARN_MORE");
    assert_eq!(nodes[1]["label"], "Learn more");
    assert_eq!(nodes[2]["type"], "IMAGE");
    assert_eq!(nodes[2]["name"], "KLARNA_BADGE");
    let here = world.public_url();
    for url in [&nodes[1]["url"], &nodes[2]["url"], &reply.json["impression_url"]] {
        let path = url.as_str().unwrap().strip_prefix(&here).unwrap().to_owned();
        let fetched = world.send("GET", &path, &[], "").await;
        assert_eq!(fetched.status, 200, "{path}");
    }
    let log = world.send("GET", "/playground/v1/requests?limit=10", &[], "").await;
    assert!(log.text.contains("shown: credit-promotion-badge en-US 10000"), "{}", log.text);
    let impression = reply.json["impression_url"].as_str().unwrap().strip_prefix(&here).unwrap();
    let forged = format!("{}x", &impression[..impression.len() - 2]);
    assert_eq!(world.send("GET", &forged, &[], "").await.status, 404);
    world.advance("P2D").await;
    assert_eq!(world.send("GET", impression, &[], "").await.status, 404);

    let strip = "placement_key=top-strip-promotion-badge&locale=sv-SE";
    let reply = world.send("GET", &messaging(&client, strip), &[], "").await;
    assert_eq!(reply.json["content"]["nodes"][0]["value"], "Handla nu och betala senare.");
    world.stop().await;
}

#[tokio::test]
async fn the_messaging_api_refuses_what_it_does_not_know() {
    let world = World::start().await;
    let client = world.client_id();
    let status =
        async |query: &str| world.send("GET", &messaging(&client, query), &[], "").await.status;
    let amount = "purchase_amount=10000";
    for (query, expected) in [
        (format!("placement_key=credit-promotion-badge&locale=en-US&{amount}"), 200),
        (format!("placement_key=credit-promotion-auto-size&locale=en-US&{amount}"), 400),
        (format!("placement_key=info-page&locale=en-US&{amount}"), 400),
        (format!("locale=en-US&{amount}"), 400),
        (format!("placement_key=credit-promotion-badge&locale=en&{amount}"), 400),
        ("placement_key=credit-promotion-badge&locale=en-US".to_owned(), 400),
        ("placement_key=credit-promotion-badge&locale=en-US&purchase_amount=10.00".to_owned(), 400),
        ("placement_key=credit-promotion-badge&locale=en-US&purchase_amount=1".to_owned(), 204),
        ("placement_key=credit-promotion-badge&locale=en-US&purchase_amount=-5".to_owned(), 204),
    ] {
        assert_eq!(status(&query).await, expected, "{query}");
    }
    let unknown = messaging(
        "klarna_test_client_unknown",
        "placement_key=top-strip-promotion-badge&locale=sv-SE",
    );
    assert_eq!(world.send("GET", &unknown, &[], "").await.status, 403);

    // An account for which it is not switched on, and one that sells elsewhere.
    let strip = "placement_key=top-strip-promotion-badge&locale=sv-SE";
    for (settings, expected, placement) in [
        (json!({ "messaging": "without_api" }), 403, 200),
        (json!({ "messaging": "disabled" }), 403, 204),
        (json!({ "countries": ["DE"] }), 204, 204),
        (json!({ "categories": "nothing" }), 204, 204),
    ] {
        let made = world.control("/merchants", &json!({ "settings": settings })).await;
        let id = made["merchant_id"].as_str().unwrap();
        let own = json!({ "allowed_origins": ["http://localhost:*"] });
        let own = world.control(&format!("/merchants/{id}/client-identifiers"), &own).await;
        let own = own["client_id"].as_str().unwrap();
        let reply = world.send("GET", &messaging(own, strip), &[], "").await;
        assert_eq!(reply.status, expected, "{settings}");
        let wish = json!({ "key": "top-strip-promotion-badge", "locale": "sv-SE" });
        let reply = from_page(&world, own, "http://localhost:7070", "placement", &wish).await;
        assert_eq!(reply.status, placement, "{settings}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_page_of_explanations_may_be_framed_and_asked_by_itself_alone() {
    let world = World::start().await;
    let page =
        world.send("GET", "/osm/learn-more?locale=sv-SE&purchase_amount=100000", &[], "").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors http: https:") && policy.contains("script-src 'self'")
    );
    let ask = async |headers: &[(&'static str, &str)], body: Value| {
        world.send("POST", "/osm/v1/learn-more", headers, body.to_string()).await
    };
    let question = json!({ "locale": "sv-SE", "purchase_amount": 100_000 });
    let reply = ask(&[("sec-fetch-site", "same-origin")], question.clone()).await;
    assert_eq!((reply.status, &reply.json["currency"]), (200, &json!("SEK")));
    let thirds =
        reply.json["offers"].as_array().unwrap().iter().find(|it| it["id"] == "instalments_3");
    let parts = &thirds.unwrap()["parts"];
    let amounts: Vec<i64> =
        parts.as_array().unwrap().iter().map(|part| part["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [33_334, 33_333, 33_333]);
    let foreign = ask(&[("sec-fetch-site", "cross-site")], question).await;
    assert_eq!(foreign.status, 403);
    let bare = ask(&[], json!({ "locale": "xx" })).await;
    assert_eq!((bare.status, &bare.json["offers"]), (200, &json!([])));
    assert_eq!(ask(&[], json!([])).await.status, 400);
    world.stop().await;
}
