//! The page as a browser's requests meet it: markup, policies, and what its script calls.

use serde_json::{Value, json};

use super::{hosted, hosted_for, path_of, read, shopper, statuses, text};
use crate::common::{Reply, World};
use crate::receiver::Receiver;

fn page_path(hosted: &Value) -> String {
    let url = text(hosted, "qr_code_url");
    let at = url.find("/hpp-page/").unwrap();
    url[at..].strip_suffix("/qr").unwrap().to_owned()
}

async fn get(world: &World, path: &str) -> Reply {
    world.send("GET", path, &[("accept-language", "de-DE,de;q=0.9")], "").await
}

async fn post(world: &World, path: &str, action: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    world.send("POST", &format!("{path}/{action}"), &headers, body.to_string()).await
}

#[tokio::test]
async fn the_page_is_styled_by_the_options() {
    let world = World::start().await;
    let options = json!({ "page_title": "Nästan <klart>", "purchase_type": "book",
        "logo_url": "https://cdn.example/logo.png",
        "background_images": [{ "url": "https://img.example/wide.jpg", "width": 1920 },
            { "url": "https://img.example/narrow.jpg", "width": 640 }],
        "payment_method_categories": ["PAY_LATER", "PAY_NOW"] });
    let created = hosted(&world, &json!({ "options": options })).await;
    let page = get(&world, &page_path(&created)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<h1>Nästan &lt;klart&gt;</h1>"), "{}", page.text);
    assert!(page.text.contains("<title>Nästan &lt;klart&gt; (TEST)</title>"));
    assert!(page.text.contains("Boka · "));
    assert!(page.text.contains(r#"<html lang="sv">"#));
    assert!(page.text.contains("Shirt") && page.text.contains("100,00\u{a0}SEK"));
    assert!(page.text.contains("Få först. Betala sen.") || page.text.contains("Betala senare"));
    assert!(page.text.contains(
        r#"<source media="(max-width: 640px)" srcset="https://img.example/narrow.jpg">"#
    ));
    assert!(
        !page.text.contains("style=")
            && !page.text.contains("<style")
            && !page.text.contains(" onclick")
    );
    let policy = page.header("content-security-policy");
    assert!(policy.contains("img-src 'self' https://cdn.example https://img.example"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    // To look is not to open: programs follow links, too.
    assert_eq!(read(&world, &created).await["status"], "WAITING");

    let hidden = hosted(&world, &json!({ "options": { "show_subtotal_detail": "HIDE" } })).await;
    let page = get(&world, &page_path(&hidden)).await;
    assert!(!page.text.contains("Shirt") && page.text.contains("100,00\u{a0}SEK"), "{}", page.text);
    world.stop().await;
}

#[tokio::test]
async fn the_labels_are_localised() {
    let world = World::start().await;
    for (kind, swedish, german, english) in [
        ("BUY", "Köp", "Kaufen", "Buy"),
        ("RENT", "Hyr", "Mieten", "Rent"),
        ("BOOK", "Boka", "Buchen", "Book"),
        ("SUBSCRIBE", "Prenumerera", "Abonnieren", "Subscribe"),
        ("DOWNLOAD", "Ladda ner", "Herunterladen", "Download"),
        ("ORDER", "Beställ", "Bestellen", "Order"),
        ("CONTINUE", "Fortsätt", "Weiter", "Continue"),
        ("PAY", "Betala", "Bezahlen", "Pay"),
    ] {
        for (country, currency, locale, label) in [
            ("SE", "SEK", "sv-SE", swedish),
            ("DE", "EUR", "de-DE", german),
            ("GB", "GBP", "en-GB", english),
        ] {
            let payment = json!({ "purchase_country": country, "purchase_currency": currency,
                "locale": locale, "billing_address": null });
            let options = json!({ "options": { "purchase_type": kind } });
            let created = hosted_for(&world, &payment, &options).await;
            let page = get(&world, &page_path(&created)).await;
            let expected = format!("data-label=\"{label}\"");
            assert!(page.text.contains(&expected), "{kind} {locale}: {}", page.text);
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn the_button_follows_the_urls_and_the_channel() {
    let world = World::start().await;
    let shows = async |payment: Value, urls: Value, button: &str, asks: bool| {
        let created = hosted_for(&world, &payment, &json!({ "merchant_urls": urls })).await;
        let page = get(&world, &page_path(&created)).await.text;
        assert!(page.contains(&format!("data-button=\"{button}\"")), "{page}");
        assert_eq!(page.contains("<dialog"), asks, "{page}");
    };
    let back = json!({ "back": "https://shop.example/b", "cancel": "https://shop.example/c" });
    let cancel = json!({ "cancel": "https://shop.example/c" });
    let store = json!({ "acquiring_channel": "IN_STORE" });
    shows(json!({}), back.clone(), "back", false).await;
    shows(json!({}), cancel.clone(), "cancel", false).await;
    shows(json!({}), json!({}), "cancel", false).await;
    shows(store.clone(), back, "back", false).await;
    shows(store.clone(), cancel, "cancel", true).await;
    shows(store, json!({}), "cancel", true).await;
    world.stop().await;
}

#[tokio::test]
async fn unknown_expired_and_withdrawn_pages_say_so() {
    let world = World::start().await;
    let unknown = get(&world, "/hpp-page/0000000").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("Hier gibt es nichts zu bezahlen"), "{}", unknown.text);
    let created = hosted(&world, &json!({})).await;
    let path = page_path(&created);
    world.call("DELETE", &path_of(&created), &Value::Null).await;
    let page = get(&world, &path).await;
    assert_eq!((page.status, page.header("location")), (303, format!("{path}/result").as_str()));
    let page = get(&world, &format!("{path}/result")).await;
    assert_eq!(page.status, 410);
    assert!(page.text.contains("Länken har dragits tillbaka"));
    for (action, body) in
        [("open", json!({})), ("pay", json!({})), ("leave", json!({ "button": "back" }))]
    {
        let reply = post(&world, &path, action, &body).await;
        assert_eq!((reply.status, &reply.json["code"]), (404, &json!("no_page")), "{action}");
    }
    let created = hosted(&world, &json!({})).await;
    world.advance("PT47H").await;
    for end in ["", "/result", "/qr"] {
        let page = get(&world, &format!("{}{end}", page_path(&created))).await;
        assert_eq!(page.status, 404, "{end}");
    }
    world.stop().await;
}

#[tokio::test]
async fn every_ending_has_a_page() {
    let world = World::start().await;
    let store = json!({ "acquiring_channel": "IN_STORE" });
    for (action, heading, onward) in [
        ("deny", "Ditt köp kan inte godkännas", true),
        ("fail", "Något gick fel", true),
        ("cancel", "Köpet är avbrutet", false),
        ("approve", "Tack", false),
    ] {
        let created = hosted_for(
            &world,
            &store,
            &json!({ "options": { "place_order_mode": "PLACE_ORDER" } }),
        )
        .await;
        let answer = shopper(&world, &created, action).await;
        assert_eq!(answer["url"], Value::Null);
        let path = page_path(&created);
        let page = get(&world, &format!("{path}/result")).await;
        assert_eq!(page.status, 200, "{action}");
        assert!(page.text.contains(heading), "{action}: {}", page.text);
        assert_eq!(page.text.contains("id=\"again\""), onward, "{action}");
        if action == "approve" {
            let reference = read(&world, &created).await["klarna_reference"].clone();
            assert!(page.text.contains(reference.as_str().unwrap()));
        }
    }
    let created =
        hosted(&world, &json!({ "merchant_urls": { "success": "https://shop.example/ok" } })).await;
    shopper(&world, &created, "back").await;
    let page = get(&world, &format!("{}/result", page_path(&created))).await;
    assert!(page.text.contains("Inte betalt än") && page.text.contains("id=\"again\""));
    shopper(&world, &created, "approve").await;
    let page = get(&world, &format!("{}/result", page_path(&created))).await;
    assert!(page.text.contains(r#"href="https://shop.example/ok""#), "{}", page.text);
    world.stop().await;
}

#[tokio::test]
async fn the_code_leads_to_the_page() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let path = format!("{}/qr", page_path(&created));
    let picture = get(&world, &path).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    let drawing = get(&world, &format!("{path}?format=svg")).await;
    assert_eq!((drawing.status, drawing.header("content-type")), (200, "image/svg+xml"));
    assert_eq!(get(&world, &format!("{path}?size=7")).await.status, 400);
    world.stop().await;
}

/// What the flow's page does: one command after the other.
async fn through_the_flow(world: &World, begun: &Value, commands: &[(&str, Value)]) -> Value {
    let bearer = format!("Bearer {}", text(begun, "client_token"));
    let mut last = Value::Null;
    for (action, body) in commands {
        let mut body = body.clone();
        body["page_origin"] = json!(world.public_url());
        let path = format!("/kp/v1/flow/{}/{action}", text(begun, "flow_id"));
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let reply = world.send("POST", &path, &headers, body.to_string()).await;
        last = reply.json;
        last["http"] = json!(reply.status);
    }
    last
}

fn pays(email: &str) -> [(&'static str, Value); 4] {
    [
        ("identify", json!({ "contact": email })),
        ("code", json!({ "code": "123456" })),
        ("choose", json!({ "offer": "pay_later" })),
        ("confirm", json!({})),
    ]
}

#[tokio::test]
async fn the_purchase_flow_and_the_page_are_one_unit_of_work() {
    let world = World::start().await;
    let shop = Receiver::start(&[]).await;
    let request = json!({ "options": { "place_order_mode": "PLACE_ORDER" },
        "merchant_urls": { "status_update": shop.url, "success": "https://shop.example/ok?o={{order_id}}" } });
    let created = hosted(&world, &request).await;
    let path = page_path(&created);
    let opened = post(&world, &path, "open", &json!({})).await;
    assert_eq!(opened.json, json!({ "status": "IN_PROGRESS" }));
    // Declined first, by another window that stays open.
    let begun = post(&world, &path, "pay", &json!({})).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let commands = [
        ("identify", json!({ "contact": "customer+denied@email.se" })),
        ("code", json!({ "code": "123456" })),
    ];
    let declined = through_the_flow(&world, &begun.json, &commands).await;
    assert_eq!(declined["view"]["step"], "declined", "{declined}");
    assert_eq!(read(&world, &created).await["status"], "FAILED");

    // Two windows: the second one to confirm is told that it is over.
    let first = post(&world, &path, "pay", &json!({})).await.json;
    let second = post(&world, &path, "pay", &json!({})).await.json;
    let paying = pays("customer@email.se");
    through_the_flow(&world, &second, &paying[..3]).await;
    let approved = through_the_flow(&world, &first, &paying).await;
    assert_eq!(approved["view"]["step"], "approved", "{approved}");
    let session = read(&world, &created).await;
    assert_eq!(session["status"], "COMPLETED");
    let late = through_the_flow(&world, &second, &paying[3..]).await;
    assert_eq!((&late["http"], &late["code"]), (&json!(410), &json!("session_ended")));
    through_the_flow(&world, &second, &[("abort", json!({}))]).await;
    assert_eq!(read(&world, &created).await, session);
    let ended = post(&world, &path, "end", &json!({})).await;
    assert_eq!(
        ended.json["url"],
        format!("https://shop.example/ok?o={}", text(&session, "order_id"))
    );
    world.advance("PT1M").await;
    let mut told = statuses(&shop);
    told.sort();
    assert_eq!(told, ["COMPLETED", "FAILED", "IN_PROGRESS", "IN_PROGRESS"]);
    shop.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_withdrawn_page_stops_the_flow_on_it() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let path = page_path(&created);
    let begun = post(&world, &path, "pay", &json!({})).await.json;
    let paying = pays("customer@email.se");
    through_the_flow(&world, &begun, &paying[..3]).await;
    assert_eq!(world.call("DELETE", &path_of(&created), &Value::Null).await.status, 204);
    let stopped = through_the_flow(&world, &begun, &paying[3..]).await;
    assert_eq!((&stopped["http"], &stopped["code"]), (&json!(410), &json!("session_ended")));
    assert_eq!(read(&world, &created).await["status"], "DISABLED");
    world.stop().await;
}

#[tokio::test]
async fn leaving_the_flow_is_not_leaving_the_page() {
    let world = World::start().await;
    let created =
        hosted(&world, &json!({ "merchant_urls": { "back": "https://shop.example/b" } })).await;
    let path = page_path(&created);
    let begun = post(&world, &path, "pay", &json!({})).await.json;
    through_the_flow(&world, &begun, &[("abort", json!({}))]).await;
    assert_eq!(
        post(&world, &path, "end", &json!({})).await.json,
        json!({ "status": "IN_PROGRESS" })
    );
    for _ in 0..2 {
        let left = post(&world, &path, "leave", &json!({ "button": "back" })).await;
        assert_eq!(left.json, json!({ "status": "BACK", "url": "https://shop.example/b" }));
    }
    assert_eq!(post(&world, &path, "leave", &json!({ "button": "out" })).await.status, 400);
    assert_eq!(post(&world, &path, "leave", &json!([])).await.status, 400);
    world.stop().await;
}

#[tokio::test]
async fn only_the_page_itself_may_call() {
    let world = World::start().await;
    let created = hosted(&world, &json!({})).await;
    let path = page_path(&created);
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "https://shop.example")]] {
        let reply = world.send("POST", &format!("{path}/open"), &headers, "").await;
        assert_eq!(reply.status, 403);
    }
    assert_eq!(read(&world, &created).await["status"], "WAITING");
    world.stop().await;
}

#[tokio::test]
async fn nothing_to_offer_is_a_refusal() {
    let world = World::start().await;
    let merchant =
        crate::hosted_page::merchant_with(&world, json!({ "categories": "nothing" })).await;
    let purchase = crate::common::Purchase::default().session();
    let session = world.call_as(&merchant, "POST", "/payments/v1/sessions", &purchase, &[]).await;
    let body = json!({
        "payment_session_url": crate::hosted_page::session_url(&world, text(&session.json, "session_id")),
    });
    let created = world.call_as(&merchant, "POST", "/hpp/v1/sessions", &body, &[]).await.json;
    let begun = post(&world, &page_path(&created), "pay", &json!({})).await;
    assert_eq!(begun.status, 201);
    let ended = post(&world, &page_path(&created), "end", &json!({})).await;
    assert_eq!(ended.json, json!({ "status": "FAILED" }));
    let wrong = json!({ "billing_address": { "email": "nobody", "country": "SE" } });
    let created = hosted_for(&world, &wrong, &json!({})).await;
    post(&world, &page_path(&created), "pay", &json!({})).await;
    assert_eq!(read(&world, &created).await["status"], "ERROR");
    world.stop().await;
}
