//! The shop over HTTP, against a small gateway.

use crate::support;
use crate::support::{Verdict, World, between};
use http::Method;

fn location(answer: &service::http::Answer) -> &str {
    answer.header("location").unwrap_or_default()
}

#[tokio::test]
async fn every_page_is_served_in_every_market() {
    let world = World::start().await;
    for (tag, words, price) in [
        ("sv-SE", "Köpvillkor", "249\u{a0}kr"),
        ("en-SE", "Terms of sale", "249\u{a0}kr"),
        ("de-DE", "AGB", "24,90\u{a0}€"),
        ("en-DE", "Terms of sale", "€24.90"),
        ("en-GB", "Terms of sale", "£22"),
        ("en-US", "Terms of sale", "$26"),
        ("fr-CA", "Conditions de vente", "35\u{a0}$"),
        ("it-CH", "Condizioni di vendita", "CHF\u{a0}27"),
        ("hu-HU", "Vásárlási feltételek", "9900\u{a0}Ft"),
        ("el-GR", "Όροι πώλησης", "24,90\u{a0}€"),
        ("es-US", "Condiciones de venta", "$26"),
    ] {
        let mut visitor = world.visitor("xx");
        let answer = visitor.post("/market", &[("view", tag), ("return_to", "/cart")]).await;
        assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/cart"));
        let home = visitor.get("/").await;
        let page = home.text();
        assert_eq!(home.status, 200);
        assert!(page.contains(&format!("<html lang=\"{tag}\"")));
        assert!(page.contains(words) && page.contains(price), "{tag}");
        assert_eq!(page.matches("class=\"card\"").count(), 8);
        for path in ["/products/mist-mug", "/cart", "/orders", "/help", "/terms", "/privacy"] {
            let answer = visitor.get(path).await;
            assert_eq!(answer.status, 200, "{tag} {path}");
            let page = answer.text();
            assert!(page.contains("<main id=\"main\""), "{tag} {path}");
            assert_eq!(page.matches("<h1").count(), 1, "{tag} {path}");
        }
        assert!(visitor.get("/privacy").await.text().contains("Klarna"));
        assert!(visitor.get("/terms").await.text().contains("Klarna"));
    }
    world.stop().await;
}

#[tokio::test]
async fn answers_carry_strict_headers_and_no_inline_script() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    let home = visitor.get("/").await;
    let policy = home.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"));
    assert_eq!(home.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(home.header("referrer-policy"), Some("strict-origin"));
    assert_eq!(home.header("cache-control"), Some("no-store"));
    for script in home.text().split("<script").skip(1) {
        assert!(script.contains("src=\"/assets/"), "{script}");
    }
    assert!(!home.text().contains(" style=") && !home.text().contains(" onclick="));
    let picture = visitor.get("/pictures/oak-board.svg").await;
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert_eq!(picture.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    for asset in ["shop.css", "shop.js", "checkout.js", "waiting.js", "mark.svg"] {
        assert_eq!(visitor.get(&format!("/assets/{asset}")).await.status, 200);
    }
    for path in ["/healthz", "/readyz", "/favicon.ico"] {
        assert_eq!(visitor.get(path).await.status, 200);
    }
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_kindly() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv");
    for path in [
        "/products/unknown",
        "/products/..%2f..%2fetc",
        "/nothing",
        "/pictures/unknown.svg",
        "/assets/../lib.rs",
        "/confirmation",
        "/confirmation?checkout=chk_99999999",
        "/confirmation?checkout=..%2F..%2Fpayments",
        "/confirmation?order=TV-ZZZZZ-ZZZZZ",
        "/orders/chk_99999999",
        "/checkout/waiting?checkout=%22%3E",
        "/checkout/status?checkout=chk_99999999",
    ] {
        assert_eq!(visitor.get(path).await.status, 404, "{path}");
    }
    assert!(visitor.get("/nothing").await.text().contains("Inte på den här hyllan"));
    let answer = visitor.post("/cart/items", &[("product", "unknown"), ("quantity", "1")]).await;
    assert_eq!(answer.status, 404);
    for view in ["FR", "fr-SE", "", "sv-SE\r\nx: y"] {
        let answer = visitor.post("/market", &[("view", view), ("return_to", "/")]).await;
        assert_eq!(answer.status, 422, "{view:?}");
    }
    let answer =
        visitor.post("/market", &[("view", "de-DE"), ("return_to", "//evil.example/")]).await;
    assert_eq!(location(&answer), "/");
    world.stop().await;
}

#[tokio::test]
async fn the_cart_takes_sensible_quantities_only() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    for bad in ["0", "-1", "100", "99999999999999999999", "1.5", "", "one", "1e3"] {
        let answer =
            visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", bad)]).await;
        assert_eq!(answer.status, 422, "{bad:?}");
        assert!(answer.text().contains("id=\"quantity-error\""), "{bad:?}");
    }
    assert!(visitor.get("/cart").await.text().contains("Nothing here yet"));
    let answer = visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "2")]).await;
    assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/products/mist-mug?added=1"));
    visitor.post("/cart/items", &[("product", "smoke-tea"), ("quantity", "99")]).await;
    visitor.post("/cart/items", &[("product", "smoke-tea"), ("quantity", "99")]).await;
    let page = visitor.get("/cart").await.text();
    assert!(page.contains("£44.00") && page.contains("£1,138.50"), "2 mugs and 99 tins");

    let answer = visitor
        .post("/cart/update", &[("quantity_mist-mug", "-3"), ("quantity_smoke-tea", "1")])
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("error-mist-mug"));
    let answer = visitor
        .post("/cart/update", &[("quantity_mist-mug", "3"), ("quantity_smoke-tea", "0")])
        .await;
    assert_eq!(location(&answer), "/cart");
    let page = visitor.get("/cart").await.text();
    assert!(page.contains("£66.00") && !page.contains("Smoke"));
    visitor.post("/cart/update", &[("quantity_mist-mug", "3"), ("remove", "mist-mug")]).await;
    assert!(visitor.get("/cart").await.text().contains("Nothing here yet"));
    assert_eq!(location(&visitor.get("/checkout").await), "/cart");
    world.stop().await;
}

#[tokio::test]
async fn codes_change_the_price_and_reach_the_gateway() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "3")]).await;
    let answer = visitor.post("/cart/codes", &[("code", "FREE100")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("value=\"FREE100\""));
    visitor.post("/cart/codes", &[("code", " welcome10 ")]).await;
    visitor.post("/cart/codes", &[("code", "GIFT50")]).await;
    visitor.post("/cart/codes", &[("code", "GIFT50")]).await;
    let page = visitor.get("/cart").await.text();
    assert!(page.contains("\u{2212}74,70\u{a0}kr"), "the discount");
    assert!(page.contains("\u{2212}500,00\u{a0}kr"), "the gift card");
    visitor.get("/checkout").await;
    {
        let books = world.books.lock();
        let lines = books.requests[0].2["lines"].clone();
        assert_eq!(lines[0]["discount"], 7_470);
        assert_eq!(lines[0]["type"], "physical");
        assert!(lines[0]["image_url"].as_str().unwrap().ends_with("/pictures/mist-mug.svg"));
        assert!(lines[0]["product_url"].as_str().unwrap().ends_with("/products/mist-mug"));
        assert_eq!(lines[1]["type"], "shipping_fee");
        assert_eq!(lines[2]["type"], "gift_card");
        assert_eq!(lines[2]["unit_price"], -50_000);
    }
    visitor.post("/cart/codes/remove", &[("code", "GIFT50")]).await;
    assert!(!visitor.get("/cart").await.text().contains("500,00"));
    world.stop().await;
}

#[tokio::test]
async fn forms_from_elsewhere_are_refused() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    let token = visitor.form_token().await;
    let fields = [("csrf", token.as_str()), ("product", "mist-mug"), ("quantity", "1")];

    let mut foreign = visitor.clone();
    foreign.origin = "https://evil.example".into();
    assert_eq!(foreign.post_raw("/cart/items", &fields).await.status, 403);
    foreign.origin = "null".into();
    assert_eq!(foreign.post_raw("/cart/items", &fields).await.status, 403);

    let mut without = visitor.clone();
    assert_eq!(without.post_raw("/cart/items", &fields[1..]).await.status, 403);
    let mut wrong = visitor.clone();
    let other = world.visitor("en").form_token().await;
    let stolen = [("csrf", other.as_str()), fields[1], fields[2]];
    assert_eq!(wrong.post_raw("/cart/items", &stolen).await.status, 403);
    let mut cookieless = visitor.clone();
    cookieless.cookies.clear();
    assert_eq!(cookieless.post_raw("/cart/items", &fields).await.status, 403);

    let body = "csrf=x&product=mist-mug&quantity=1";
    let cross =
        [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    assert_eq!(visitor.clone().send(Method::POST, "/cart/items", body, &cross).await.status, 403);
    let answer = visitor
        .clone()
        .send(Method::POST, "/checkout/confirm", "{}", &[("content-type", "application/json")])
        .await;
    assert_eq!(answer.status, 403);

    assert_eq!(visitor.post_raw("/cart/items", &fields).await.status, 303);
    let huge = "x".repeat(70_000);
    let answer = visitor.post("/cart/codes", &[("code", &huge)]).await;
    assert_eq!(answer.status, 413);
    world.stop().await;
}

#[tokio::test]
async fn a_changed_cookie_is_worth_nothing() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.get("/checkout").await;
    let honest = visitor.cookies.clone();
    for name in ["tallvik_cart", "tallvik_checkout", "tallvik_orders", "tallvik_market"] {
        for value in ["", "x", "bm9wZQ.bm9wZQ", "{}", "é", "sv-SE; x", &"A".repeat(5_000)] {
            visitor.cookies = honest.clone();
            visitor.cookies.insert(name.into(), value.into());
            let answer = visitor.get("/cart").await;
            assert_eq!(answer.status, 200, "{name} {value:?}");
            let empty = answer.text().contains("Nothing here yet");
            assert_eq!(empty, name == "tallvik_cart", "{name} {value:?}");
        }
    }
    // One visitor's signed cookie under another name is not taken for what it is not.
    visitor.cookies = honest.clone();
    let cart = honest["tallvik_cart"].clone();
    visitor.cookies.insert("tallvik_orders".into(), cart);
    assert!(visitor.get("/orders").await.text().contains("No orders from this browser yet"));
    world.stop().await;
}

#[tokio::test]
async fn a_purchase_from_cart_to_order_page() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let checkout = visitor.get("/checkout").await;
    let policy = checkout.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("script-src 'self' http://localhost:7072;"), "{policy}");
    assert!(policy.contains("frame-src http://localhost:7072;"), "{policy}");
    let page = checkout.text();
    assert!(page.contains("Betala med Klarna"), "the category's name");
    assert!(page.contains("badges/generic/klarna.svg"), "the category's badge");
    assert!(page.contains("data-token=\"header.chk_00000001.signature\""));
    assert!(page.contains("Fortsätt med Klarna"));
    assert!(page.contains("autocomplete=\"billing postal-code\""));
    assert!(page.contains("customer@email.se"), "the sample person");
    assert!(page.contains("298,00\u{a0}kr"));
    assert!(!page.contains(support::KEY), "the API key stays with the server");

    let reference = {
        let books = world.books.lock();
        let (_, _, request) = &books.requests[0];
        assert_eq!(request["country"], "SE");
        assert_eq!(request["locale"], "sv-SE");
        assert_eq!(request["prices"], "including_tax");
        assert_eq!(request["capture"], "manual");
        assert!(
            request["confirmation_url"]
                .as_str()
                .unwrap()
                .ends_with("/confirmation?checkout={checkout_id}")
        );
        request["merchant_reference"].as_str().unwrap().to_owned()
    };
    // Reload and back find the same checkout under the same order number.
    visitor.get("/checkout").await;
    visitor.get("/checkout").await;
    assert_eq!(world.books.lock().requests.len(), 1);

    let answer = visitor.confirm("chk_00000001", "token-1").await;
    let next: serde_json::Value = answer.json().unwrap();
    assert_eq!(next["outcome"], "done");
    assert_eq!(next["location"], "https://payments.klarna.com/eu/redirects/1");
    assert_eq!(world.books.lock().requests.last().unwrap().2["authorization_token"], "token-1");
    assert!(visitor.get("/cart").await.text().contains("Här är tomt"));

    let page = visitor.get("/confirmation?checkout=chk_00000001").await.text();
    assert_eq!(between(&page, "id=\"order-number\">", "<"), reference);
    assert!(page.contains("23 november 2026") && page.contains("298,00\u{a0}kr"));
    let page = visitor.get("/orders").await.text();
    assert!(page.contains(&reference) && page.contains("/orders/chk_00000001"));
    let page = visitor.get("/orders/chk_00000001").await.text();
    assert!(page.contains("Packas"));
    world.books.lock().payment =
        serde_json::json!({"status": "captured", "amounts": {"captured": 29800, "refunded": 1000}});
    let page = visitor.get("/orders/chk_00000001").await.text();
    assert!(page.contains("10,00\u{a0}kr"), "the refund");
    world.books.lock().payment = serde_json::json!({"status": "cancelled"});
    assert!(visitor.get("/orders/chk_00000001").await.text().contains("avbrutits"));
    world.stop().await;
}

#[tokio::test]
async fn american_tax_stands_on_its_own_line() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-US");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let page = visitor.get("/cart").await.text();
    assert!(page.contains("Sales tax") && page.contains("$2.56") && page.contains("$34.51"));
    assert!(!page.contains("Of which VAT"));
    let page = visitor.get("/checkout").await.text();
    assert!(page.contains("$34.51") && page.contains("<option value=\"NY\">New York</option>"));
    assert_eq!(world.books.lock().requests[0].2["prices"], "excluding_tax");
    visitor.confirm("chk_00000001", "token").await;
    let page = visitor.get("/confirmation?checkout=chk_00000001").await.text();
    assert!(page.contains("Sales Tax") && page.contains("$2.56"));
    assert!(page.contains("November 23, 2026"));
    world.stop().await;
}

#[tokio::test]
async fn a_changed_cart_changes_the_checkout_and_keeps_its_number() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let before = visitor.get("/checkout").await.text();
    let seen = visitor.cookies["tallvik_seen"].clone();
    assert_eq!(between(&before, "data-cart=\"", "\""), seen);

    visitor.post("/cart/items", &[("product", "oak-board"), ("quantity", "1")]).await;
    assert_ne!(visitor.cookies["tallvik_seen"], seen, "the open page can see the change");
    let after = visitor.get("/checkout").await.text();
    assert!(after.contains("£62.95"));
    visitor.post("/checkout/shipping", &[("shipping", "express")]).await;
    visitor.post("/checkout/shipping", &[("shipping", "teleport")]).await;
    let after = visitor.get("/checkout").await.text();
    assert!(after.contains("£66.95"));
    // Another country: the same checkout, other currency and layout.
    visitor.post("/market", &[("view", "de-DE"), ("return_to", "/checkout")]).await;
    let after = visitor.get("/checkout").await.text();
    assert!(after.contains("Weiter mit Klarna") && after.contains("77,70\u{a0}€"));
    let paths: Vec<_> =
        world.books.lock().requests.iter().map(|(_, path, _)| path.clone()).collect();
    assert_eq!(
        paths,
        [
            "/v1/checkouts",
            "/v1/checkouts/chk_00000001",
            "/v1/checkouts/chk_00000001",
            "/v1/checkouts/chk_00000001"
        ]
    );
    assert_eq!(world.books.lock().checkouts.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_checkout_that_is_over_is_replaced_unseen() {
    let world = World::start().await;
    for (status, lost) in
        [("expired", false), ("cancelled", false), ("declined", false), ("", true)]
    {
        world.books.lock().checkouts.clear();
        world.books.lock().requests.clear();
        world.books.lock().keys.clear();
        let mut visitor = world.visitor("en-GB");
        visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
        visitor.get("/checkout").await;
        {
            let mut books = world.books.lock();
            if lost {
                books.checkouts.clear();
            } else {
                books.checkouts.get_mut("chk_00000001").unwrap()["status"] = status.into();
            }
        }
        let answer = visitor.get("/checkout").await;
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains("data-token"), "{status}");
        let books = world.books.lock();
        assert_eq!(books.requests.len(), 2, "{status}");
        let number = |i: usize| books.requests[i].2["merchant_reference"].clone();
        assert_ne!(number(0), number(1), "another checkout has another order number");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_order_made_while_the_browser_was_away_is_found() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.get("/checkout").await;
    let set = |status: &str| {
        world.books.lock().checkouts.get_mut("chk_00000001").unwrap()["status"] = status.into();
    };
    set("confirming");
    let answer = visitor.get("/checkout").await;
    assert_eq!(location(&answer), "/checkout/waiting?checkout=chk_00000001");
    let waiting = visitor.get("/checkout/waiting?checkout=chk_00000001").await;
    assert!(waiting.text().contains("id=\"waiting\""));
    let status: serde_json::Value =
        visitor.get("/checkout/status?checkout=chk_00000001").await.json().unwrap();
    assert_eq!(status["status"], "waiting");
    set("completed");
    let status: serde_json::Value =
        visitor.get("/checkout/status?checkout=chk_00000001").await.json().unwrap();
    assert_eq!(status["location"], "/confirmation?checkout=chk_00000001");
    let answer = visitor.get("/checkout").await;
    assert_eq!(location(&answer), "/confirmation?checkout=chk_00000001");
    visitor.get("/confirmation?checkout=chk_00000001").await;
    assert!(visitor.get("/cart").await.text().contains("Nothing here yet"));
    assert!(visitor.get("/orders").await.text().contains("chk_00000001"));
    world.stop().await;
}

#[tokio::test]
async fn a_restart_between_approval_and_confirmation_loses_nothing() {
    let mut world = World::start().await;
    let mut before = world.visitor("en-GB");
    before.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    before.get("/checkout").await;
    let number = world.books.lock().checkouts["chk_00000001"]["merchant_reference"].clone();
    world.restart_shop().await;
    // The same browser: other shop process, same cookies.
    let mut after = world.visitor("en-GB");
    after.cookies = before.cookies;
    assert!(after.get("/cart").await.text().contains("Mist mug"));
    let next: serde_json::Value = after.confirm("chk_00000001", "token").await.json().unwrap();
    assert_eq!(next["outcome"], "done");
    // The answer is lost and the page sends it again: still the one order.
    let next: serde_json::Value = after.confirm("chk_00000001", "token").await.json().unwrap();
    assert_eq!(next["outcome"], "done");
    world.restart_shop().await;
    let mut later = world.visitor("en-GB");
    later.cookies = after.cookies;
    let page = later.get("/confirmation?checkout=chk_00000001").await.text();
    assert_eq!(between(&page, "id=\"order-number\">", "<"), number.as_str().unwrap());
    assert!(later.get("/orders").await.text().contains("chk_00000001"));
    assert_eq!(world.books.lock().checkouts.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn what_was_added_after_the_approval_stays_in_the_cart() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.get("/checkout").await;
    visitor.post("/cart/items", &[("product", "oak-board"), ("quantity", "1")]).await;
    visitor.confirm("chk_00000001", "token").await;
    assert!(visitor.get("/cart").await.text().contains("Oak board"));
    // Somebody else's link to the order leaves one's own cart alone.
    let mut other = world.visitor("en-GB");
    other.post("/cart/items", &[("product", "smoke-tea"), ("quantity", "1")]).await;
    assert_eq!(other.get("/confirmation?checkout=chk_00000001").await.status, 200);
    assert!(other.get("/cart").await.text().contains("Smoke"));
    assert!(!other.get("/orders").await.text().contains("chk_00000001"));
    world.stop().await;
}

#[tokio::test]
async fn each_outcome_of_a_confirmation_has_its_answer() {
    let world = World::start().await;
    for (verdict, status, outcome) in [
        (Verdict::InDoubt, 202, "waiting"),
        (Verdict::Decline, 200, "declined"),
        (Verdict::Fail, 503, "retry"),
        (Verdict::Unauthorized, 502, "failed"),
        (Verdict::Refuse, 200, "again"),
        (Verdict::Complete, 200, "done"),
    ] {
        let mut visitor = world.visitor("en-GB");
        visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
        let page = visitor.get("/checkout").await.text();
        let id = between(&page, "data-checkout=\"", "\"").to_owned();
        world.books.lock().verdict = verdict;
        let answer = visitor.confirm(&id, "token").await;
        let next: serde_json::Value = answer.json().unwrap();
        assert_eq!(answer.status, status, "{verdict:?}");
        assert_eq!(next["outcome"], outcome, "{verdict:?}");
        let kept = !visitor.get("/cart").await.text().contains("Nothing here yet");
        assert_eq!(kept, verdict != Verdict::Complete, "{verdict:?}");
    }
    let mut visitor = world.visitor("en-GB");
    for (id, token) in [("../payments", "t"), ("", "t"), ("chk_00000001", "")] {
        assert_eq!(visitor.confirm(id, token).await.status, 422, "{id:?} {token:?}");
    }
    assert_eq!(
        visitor.confirm("chk_77777777", "t").await.json::<serde_json::Value>().unwrap()["outcome"],
        "again"
    );
    world.stop().await;
}

#[tokio::test]
async fn without_the_gateway_the_shop_stays_open() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    world.books.lock().down = true;
    let answer = visitor.get("/checkout").await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert!(page.contains("Not available right now") && page.contains("£25.95"));
    assert!(!page.contains("data-token"));
    let answer = visitor.get("/confirmation?checkout=chk_00000001").await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    world.books.lock().down = false;
    assert!(visitor.get("/checkout").await.text().contains("data-token"));
    world.stop().await;
}

#[tokio::test]
async fn the_other_method_checks_the_address_and_places_the_order() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let mut fields = vec![
        ("method", "transfer"),
        ("email", "not an address"),
        ("phone", "+46701740615"),
        ("given_name", "Alice"),
        ("family_name", "Test"),
        ("street_address", "<script>alert(1)</script>"),
        ("postal_code", "1"),
        ("city", ""),
    ];
    let answer = visitor.post("/checkout/pay", &fields).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("Skriv en adress som"), "the e-mail");
    assert!(page.contains("inget postnummer"), "the post code");
    assert!(page.contains("value=\"&lt;script&gt;"), "typed text comes back as text");
    fields[1].1 = "customer@email.se";
    fields[6].1 = "111 48";
    fields[7].1 = "Stockholm";
    fields.push(("elsewhere", "yes"));
    let answer = visitor.post("/checkout/pay", &fields).await;
    assert_eq!(answer.status, 422);
    assert!(between(&answer.text(), "id=\"shipping_city-error\">", "<").contains("Fyll i"));
    fields.pop();
    let mut by_klarna = fields.clone();
    by_klarna[0].1 = "klarna:klarna";
    let answer = visitor.post("/checkout/pay", &by_klarna).await;
    assert_eq!(answer.status, 422, "Klarna without scripts");
    let answer = visitor.post("/checkout/pay", &fields).await;
    assert_eq!(answer.status, 303);
    let path = location(&answer).to_owned();
    let number = path.strip_prefix("/confirmation?order=").unwrap().to_owned();
    let page = visitor.get(&path).await.text();
    assert_eq!(between(&page, "id=\"order-number\">", "<"), number);
    assert!(visitor.get("/cart").await.text().contains("Här är tomt"));
    assert_eq!(visitor.get(&format!("/orders/{number}")).await.status, 200);
    // Sending the form again, after Back, finds an empty cart and orders nothing.
    assert_eq!(location(&visitor.post("/checkout/pay", &fields).await), "/cart");
    world.stop().await;
}

#[tokio::test]
async fn one_cart_becomes_one_order() {
    let world = World::start().await;
    let fields = [
        ("method", "transfer"),
        ("email", "customer@email.uk"),
        ("phone", "+447755564318"),
        ("given_name", "Test"),
        ("family_name", "Person-uk"),
        ("street_address", "10 New Burlington Street"),
        ("postal_code", "W1S 3BE"),
        ("city", "London"),
    ];
    // Paying otherwise calls the Klarna checkout off, which another tab may still show.
    let mut visitor = world.visitor("en-GB");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.get("/checkout").await;
    let answer = visitor.post("/checkout/pay", &fields).await;
    assert!(location(&answer).starts_with("/confirmation?order="));
    assert_eq!(world.books.lock().checkouts["chk_00000001"]["status"], "cancelled");
    // If Klarna's order was made in the meantime, that is the order.
    for (id, status, expected) in [
        ("chk_00000002", "completed", "/confirmation?checkout=chk_00000002"),
        ("chk_00000003", "confirming", "/checkout/waiting?checkout=chk_00000003"),
    ] {
        visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
        visitor.get("/checkout").await;
        world.books.lock().checkouts.get_mut(id).unwrap()["status"] = status.into();
        let answer = visitor.post("/checkout/pay", &fields).await;
        assert_eq!(location(&answer), expected);
        visitor.get(expected).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_gift_card_can_pay_everything() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.post("/cart/codes", &[("code", "GIFT50")]).await;
    let page = visitor.get("/checkout").await.text();
    assert!(page.contains("Ditt presentkort täcker allt") && !page.contains("data-token"));
    assert!(world.books.lock().requests.is_empty());
    world.stop().await;
}
