//! The shop's ways to sell besides the widget in its page, and what it lets of Klarna into its pages; over
//! HTTP, against a small gateway.

use crate::support;
use crate::support::World;
use http::Method;
use shop::CheckoutWay;

fn location(answer: &service::http::Answer) -> &str {
    answer.header("location").unwrap_or_default()
}

/// The address form of the Swedish person, as a browser sends it.
const ALICE: [(&str, &str); 8] = [
    ("email", "customer@email.se"),
    ("phone", "+46701740615"),
    ("given_name", "Alice"),
    ("family_name", "Test"),
    ("street_address", "Södra Blasieholmshamnen 2"),
    ("postal_code", "11 148"),
    ("city", "Stockholm"),
    ("method", "klarna"),
];

#[tokio::test]
async fn the_hosted_way_sends_the_browser_to_klarnas_page() {
    let world = World::start_with(CheckoutWay::Hosted).await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let answer = visitor.get("/checkout").await;
    let policy = answer.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("img-src 'self' https://x.klarnacdn.net;"), "{policy}");
    let page = answer.text();
    assert!(page.contains("Fortsätt med Klarna") && page.contains("Flexibla betalningar"));
    assert!(
        page.contains("src=\"https://x.klarnacdn.net/badge.svg\""),
        "Klarna's own name and logo"
    );
    assert!(!page.contains("data-token="), "no widget");
    let wrong = visitor.post("/checkout/pay", &[("method", "klarna"), ("email", "x")]).await;
    assert_eq!(wrong.status, 422);
    {
        let books = world.books.lock();
        let [(_, _, request)] = books.requests.as_slice() else { panic!("{:?}", books.requests) };
        assert_eq!(request.get("billing_address"), None, "nobody is named before they chose");
        assert_eq!(request["channel"], "hosted");
        assert_eq!(request["page"]["page_title"], "Tallvik · Kassa");
        assert!(request["page"]["back_url"].as_str().unwrap().ends_with("/checkout"));
        assert!(request["confirmation_url"].as_str().unwrap().contains("{checkout_id}"));
    }

    let leaving = visitor.post("/checkout/pay", &ALICE).await;
    assert_eq!(leaving.status, 200);
    let address = "http://localhost:7072/page/chk_00000001/1";
    assert_eq!(leaving.header("refresh"), Some(format!("0; url={address}").as_str()));
    assert!(leaving.text().contains(address), "a link, for who is not taken there");
    {
        let books = world.books.lock();
        let request = &books.requests[1].2;
        assert_eq!(request["billing_address"]["given_name"], "Alice");
        assert_eq!(request["billing_address"], request["shipping_address"]);
    }

    // Back, and once more: the same checkout and page, with what changed.
    assert_eq!(visitor.get("/checkout").await.status, 200);
    let mut bob = ALICE;
    bob[2] = ("given_name", "Bob");
    let leaving = visitor.post("/checkout/pay", &bob).await;
    assert!(leaving.text().contains(address));
    assert_eq!(world.books.lock().checkouts.len(), 1);
    assert_eq!(world.books.lock().requests[2].2["billing_address"]["given_name"], "Bob");

    // Called off on the page: the next press gets a fresh one.
    {
        let mut books = world.books.lock();
        let checkout = books.checkouts.get_mut("chk_00000001").unwrap();
        checkout["page"]["status"] = "cancelled".into();
        checkout.as_object_mut().unwrap().remove("redirect_url");
    }
    let leaving = visitor.post("/checkout/pay", &ALICE).await;
    assert!(leaving.text().contains("http://localhost:7072/page/chk_00000001/2"));

    // Paid there; the gateway has not drawn its conclusion yet, then it has.
    {
        let mut books = world.books.lock();
        books.checkouts.get_mut("chk_00000001").unwrap()["page"]["status"] = "completed".into();
    }
    let back = visitor.get("/confirmation?checkout=chk_00000001").await;
    assert_eq!(location(&back), "/checkout/waiting?checkout=chk_00000001");
    let waiting = visitor.get("/checkout/waiting?checkout=chk_00000001").await;
    assert_eq!(waiting.status, 200);
    let asked = visitor.get("/checkout/status?checkout=chk_00000001").await;
    assert!(asked.text().contains("waiting"));
    {
        let mut books = world.books.lock();
        let checkout = books.checkouts.get_mut("chk_00000001").unwrap();
        checkout["status"] = "completed".into();
        checkout["payment_id"] = "pay_00000001".into();
    }
    assert_eq!(
        location(&visitor.get("/checkout").await),
        "/confirmation?checkout=chk_00000001",
        "who comes back another way is led to the order"
    );
    assert_eq!(visitor.get("/confirmation?checkout=chk_00000001").await.status, 200);
    assert!(visitor.get("/cart").await.text().contains("Här är tomt"));

    // Refused there: said above the ways to pay.
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let page = visitor.get("/checkout?denied=1").await.text();
    assert!(page.contains("Klarna kan inte användas för det här köpet"));
    world.stop().await;
}

#[tokio::test]
async fn an_app_on_the_home_screen_goes_to_the_page_and_one_cart_stays_one_order() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    assert!(visitor.get("/checkout").await.text().contains("chk_00000001"));
    let mut fields = ALICE.to_vec();
    fields.push(("hosted", "yes"));
    let leaving = visitor.post("/checkout/pay", &fields).await;
    assert!(leaving.text().contains("http://localhost:7072/page/chk_00000002/1"));
    {
        let books = world.books.lock();
        assert_eq!(books.checkouts["chk_00000001"]["status"], "cancelled");
        assert_eq!(books.checkouts["chk_00000002"]["status"], "open");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_phone_pays_what_the_workshops_screen_shows() {
    let world = World::start().await;
    let mut visitor = world.visitor("de-DE");
    assert_eq!(location(&visitor.get("/counter").await), "/cart", "nothing to pay");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "2")]).await;
    assert!(visitor.get("/counter").await.text().contains("Becher Dunst"));
    assert_eq!(location(&visitor.get("/counter/code").await), "/counter");
    assert_eq!(visitor.get("/counter/status").await.status, 404);
    assert_eq!(location(&visitor.post("/counter", &[]).await), "/counter/code");
    let code = visitor.get("/counter/code").await;
    let policy = code.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("img-src 'self' http://localhost:7072;"), "{policy}");
    let page = code.text();
    assert!(page.contains("http://localhost:7072/page/chk_00000001/1/qr"));
    assert!(page.contains("49,80\u{a0}€"), "taken along, so nothing is delivered");
    assert_eq!(world.books.lock().requests[0].2["channel"], "in_store");
    assert!(visitor.get("/counter/status").await.text().contains("null"));
    // Another visitor is not shown it.
    let mut other = world.visitor("de-DE");
    assert_eq!(location(&other.get("/counter/code").await), "/counter");

    // Called off on the phone, asked for again, called off on the screen, asked for again, paid.
    world.books.lock().checkouts.get_mut("chk_00000001").unwrap()["page"]["status"] =
        "cancelled".into();
    assert!(visitor.get("/counter/status").await.text().contains("\"/counter\""));
    visitor.post("/counter", &[]).await;
    assert!(visitor.get("/counter/code").await.text().contains("/page/chk_00000001/2/qr"));
    assert_eq!(location(&visitor.post("/counter/cancel", &[]).await), "/cart");
    assert_eq!(world.books.lock().checkouts["chk_00000001"]["status"], "cancelled");
    visitor.post("/counter", &[]).await;
    {
        let mut books = world.books.lock();
        let checkout = books.checkouts.get_mut("chk_00000002").unwrap();
        checkout["status"] = "completed".into();
        checkout["payment_id"] = "pay_00000001".into();
    }
    let asked = visitor.get("/counter/status").await.text();
    assert!(asked.contains("/confirmation?checkout=chk_00000002"), "{asked}");
    assert_eq!(visitor.get("/confirmation?checkout=chk_00000002").await.status, 200);
    assert!(visitor.get("/cart").await.text().contains("Hier ist noch nichts"));
    world.stop().await;
}

#[tokio::test]
async fn what_comes_every_month_begins_with_its_first_payment() {
    let world = World::start().await;
    let mut visitor = world.visitor("en-GB");
    assert!(visitor.get("/products/smoke-tea").await.text().contains("Every month"));
    assert!(!visitor.get("/products/mist-mug").await.text().contains("Every month"));
    assert_eq!(visitor.get("/products/smoke-tea-monthly").await.status, 404);
    let monthly = [("product", "smoke-tea-monthly"), ("quantity", "2")];
    let answer = visitor.post("/cart/items", &monthly).await;
    assert_eq!(location(&answer), "/products/smoke-tea?added=1");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.post("/cart/codes", &[("code", "GIFT50")]).await;
    let page = visitor.get("/checkout").await.text();
    assert!(page.contains("Smoke &amp; pine tea · Every month"));
    assert!(page.contains("You order this every month"), "what is agreed to");
    assert!(!page.contains("value=\"transfer\""), "cannot be paid by hand");
    {
        let books = world.books.lock();
        let request = &books.requests[0].2;
        assert_eq!(request["intent"], "buy_and_tokenize");
        assert_eq!(request["customer_token"]["plan_id"], "plan_1");
        let kinds: Vec<_> =
            request["lines"].as_array().unwrap().iter().map(|line| line["type"].clone()).collect();
        assert_eq!(kinds, ["physical", "physical", "shipping_fee"], "no gift card pays a month");
        let plan = &books.plans[0];
        assert_eq!(
            (plan["interval"].as_str(), plan["currency"].as_str()),
            (Some("month"), Some("GBP"))
        );
        let references: Vec<_> = plan["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["reference"].clone())
            .collect();
        assert_eq!(
            references,
            ["smoke-tea-monthly", "shipping-standard"],
            "the mug is bought once"
        );
        let subscription = &books.subscriptions["sub_00000001"];
        assert_eq!(subscription["checkout_id"], "chk_00000001");
        assert_eq!(subscription["time_zone"], "Europe/London");
    }
    // Another cart is another subscription; the plan of the same tea is the same.
    visitor.post("/cart/update", &[("remove", "mist-mug")]).await;
    visitor.get("/checkout").await;
    {
        let books = world.books.lock();
        assert_eq!(books.checkouts["chk_00000001"]["status"], "cancelled");
        assert_eq!((books.plans.len(), books.subscriptions.len()), (1, 2));
    }
    visitor.confirm("chk_00000002", "token").await;
    let order = visitor.get("/orders/chk_00000002").await.text();
    assert!(order.contains("Next charge") && order.contains("31 January 2027"), "{order}");
    assert!(order.contains("End the subscription"));
    // Whoever has only the link sees the order, not the subscription, and cannot end it.
    let mut other = world.visitor("en-GB");
    let seen = other.get("/orders/chk_00000002").await.text();
    assert!(!seen.contains("End the subscription"));
    let id = [("subscription", "sub_00000002")];
    assert_eq!(other.post("/subscriptions/end", &id).await.status, 404);
    for _ in 0..2 {
        let ended = visitor.post("/subscriptions/end", &id).await;
        assert_eq!(location(&ended), "/orders/chk_00000002");
    }
    let order = visitor.get("/orders/chk_00000002").await.text();
    assert!(order.contains("This subscription has ended"));
    world.stop().await;
}

#[tokio::test]
async fn the_shop_can_be_put_on_a_home_screen() {
    let world = World::start().await;
    let mut visitor = world.visitor("fi-FI");
    assert!(visitor.get("/").await.text().contains("/manifest.webmanifest?view=fi-FI"));
    let manifest = visitor.get("/manifest.webmanifest?view=fi-FI").await;
    assert_eq!(manifest.header("content-type"), Some("application/manifest+json"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest.text()).unwrap();
    assert_eq!(
        (manifest["display"].as_str(), manifest["scope"].as_str()),
        (Some("standalone"), Some("/"))
    );
    for icon in manifest["icons"].as_array().unwrap() {
        assert_eq!(visitor.get(icon["src"].as_str().unwrap()).await.status, 200);
    }
    world.stop().await;
}

#[tokio::test]
async fn klarna_is_let_into_pages_only_where_the_gateway_names_a_client() {
    let settings = serde_json::json!({
        "client_id": "klarna_test_client_x", "environment": "playground",
        "web_sdk_url": "http://localhost:7072/web-sdk/v1/klarna.js",
        "payments_sdk_url": "http://localhost:7072/kp/lib/v1/api.js",
    });
    let mut without = settings.clone();
    without.as_object_mut().unwrap().remove("client_id");
    let mut odd = settings.clone();
    odd["web_sdk_url"] = "javascript:alert(1)".into();
    for (told, let_in) in
        [(None, false), (Some(without), false), (Some(odd), false), (Some(settings), true)]
    {
        let world = World::start().await;
        world.books.lock().browser = told;
        let mut visitor = world.visitor("sv-SE");
        visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "2")]).await;
        for path in ["/", "/products/mist-mug", "/cart", "/help", "/account"] {
            let answer = visitor.get(path).await;
            let policy = answer.header("content-security-policy").unwrap().to_owned();
            let page = answer.text();
            let script = "src=\"http://localhost:7072/web-sdk/v1/klarna.js\" \
                          data-client-id=\"klarna_test_client_x\"";
            assert_eq!(page.contains(script), let_in, "{path}");
            assert_eq!(page.contains("<klarna-placement"), let_in, "{path}");
            assert_eq!(policy.contains("http://localhost:7072"), let_in, "{path}: {policy}");
            assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
        }
        let cart = visitor.get("/cart").await.text();
        // Two mugs and their delivery, in minor units.
        assert_eq!(cart.contains("data-purchase-amount=\"54700\""), let_in);
        assert_eq!(cart.contains("id=\"kec\""), let_in);
        let account = visitor.get("/account").await.text();
        assert_eq!(account.contains("<klarna-identity-button"), let_in);
        world.stop().await;
    }
}

async fn ask_for(visitor: &mut support::Visitor, body: &str) -> String {
    let token = visitor.form_token().await;
    let more = [("content-type", "application/json"), ("x-csrf-token", token.as_str())];
    visitor.send(Method::POST, "/express", body, &more).await.text()
}

#[tokio::test]
async fn the_express_button_of_a_product_buys_it_once_however_often_it_is_pressed() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    for wrong in [
        r#"{"product":"no-such-thing","quantity":"1"}"#,
        r#"{"product":"mist-mug","quantity":"0"}"#,
        r#"{"product":"mist-mug"}"#,
        r#"{"product":"smoke-tea-monthly","quantity":"1"}"#,
    ] {
        assert!(ask_for(&mut visitor, wrong).await.contains("unavailable"), "{wrong}");
    }
    assert!(visitor.get("/cart").await.text().contains("Här är tomt"));
    let two = r#"{"product":"mist-mug","quantity":"2"}"#;
    for _ in 0..3 {
        let answer = ask_for(&mut visitor, two).await;
        assert!(answer.contains("chk_00000001") && answer.contains("\"ready\""), "{answer}");
    }
    assert_eq!(world.books.lock().checkouts.len(), 1);
    assert_eq!(world.books.lock().requests[0].2["lines"][0]["quantity"], 2);
    world.stop().await;
}

#[tokio::test]
async fn the_express_button_stands_for_the_checkout_that_the_cart_leads_to() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    let ask = async |visitor: &mut support::Visitor| ask_for(visitor, "{}").await;
    assert!(ask(&mut visitor).await.contains("unavailable"), "an empty cart");
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    let answer = ask(&mut visitor).await;
    assert!(answer.contains("chk_00000001") && answer.contains("\"ready\""), "{answer}");
    assert!(visitor.get("/checkout").await.text().contains("data-checkout=\"chk_00000001\""));
    visitor.confirm("chk_00000001", "token").await;
    visitor.post("/cart/items", &[("product", "oak-board"), ("quantity", "1")]).await;
    assert!(ask(&mut visitor).await.contains("chk_00000002"), "another cart, another order");
    // What is being paid on a phone is not called off by a look at the cart.
    visitor.post("/counter", &[]).await;
    assert!(ask(&mut visitor).await.contains("unavailable"));
    assert_eq!(world.books.lock().checkouts["chk_00000003"]["status"], "open");
    // A form of somebody else's page opens nothing.
    let answer =
        visitor.send(Method::POST, "/express", "{}", &[("content-type", "application/json")]).await;
    assert_eq!(answer.status, 403);
    world.stop().await;
}

#[tokio::test]
async fn signing_in_with_klarna_leaves_nothing_of_the_person_in_the_shop() {
    let world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    let tokens = r#"{"id_token":"a.b.c","refresh_token":"r"}"#;
    let sign_in = async |visitor: &mut support::Visitor| {
        let token = visitor.form_token().await;
        let more = [("content-type", "application/json"), ("x-csrf-token", token.as_str())];
        visitor.send(Method::POST, "/account/klarna", tokens, &more).await
    };
    assert_eq!(sign_in(&mut visitor).await.status, 422, "the gateway does not believe it");
    world.books.lock().signed_in = Some(serde_json::json!({
        "identity": { "id": "idn_1", "subject": "s" },
        "profile": { "given_name": "Alice", "billing_address": { "city": "Stockholm", "country": "SE" } },
    }));
    let answer = sign_in(&mut visitor).await.text();
    assert!(answer.contains("\"given_name\":\"Alice\"") && answer.contains("\"country\":\"SE\""));
    let jar = format!("{:?}", visitor.cookies);
    assert!(visitor.cookies.contains_key("tallvik_identity") && !jar.contains("Alice"), "{jar}");
    // Who is signed in is told of when a checkout is opened.
    visitor.post("/cart/items", &[("product", "mist-mug"), ("quantity", "1")]).await;
    visitor.get("/checkout").await;
    let opened = world.books.lock().requests.last().unwrap().2.clone();
    assert_eq!(opened["identity_id"], "idn_1");
    // Whoever comes after them does not pay as them.
    assert_eq!(location(&visitor.post("/account/sign-out", &[]).await), "/account");
    assert!(!visitor.cookies.contains_key("tallvik_identity"));
    visitor.get("/checkout").await;
    {
        let books = world.books.lock();
        assert_eq!(books.checkouts["chk_00000001"]["status"], "cancelled");
        assert_eq!(books.checkouts["chk_00000002"]["status"], "open");
        assert_eq!(books.requests.last().unwrap().2.get("identity_id"), None);
    }
    // Signed in with a checkout open: it becomes theirs by being opened anew.
    sign_in(&mut visitor).await;
    visitor.get("/checkout").await;
    visitor.get("/checkout").await;
    {
        let books = world.books.lock();
        assert_eq!(books.checkouts.len(), 3);
        assert_eq!(books.requests.last().unwrap().2["identity_id"], "idn_1");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_browser_that_went_to_sign_in_comes_back_with_its_own_answer_only() {
    let mut world = World::start().await;
    let mut visitor = world.visitor("sv-SE");
    assert_eq!(location(&visitor.post("/account/begin", &[]).await), "/account", "no client id");
    world.books.lock().browser = Some(serde_json::json!({
        "client_id": "klarna_test_client_x", "environment": "playground",
        "web_sdk_url": "http://localhost:7072/web-sdk/v1/klarna.js",
    }));
    // That it said nothing of Klarna is believed for a while.
    world.restart_shop().await;
    let mut visitor = world.visitor("sv-SE");
    assert!(visitor.get("/account").await.text().contains("Logga in på Klarnas sida"));
    let leaving = visitor.post("/account/begin", &[]).await;
    let address = "http://localhost:7072/eu/lp/idp/oauth2/auth?state=state-1";
    assert_eq!(leaving.header("refresh"), Some(format!("0; url={address}").as_str()));
    {
        let books = world.books.lock();
        let asked = &books.requests[0].2;
        let back = format!("{}/account/signed-in", visitor.origin);
        assert_eq!(asked["redirect_uri"], back);
        assert!(asked["scope"].as_str().unwrap().contains("payment:request:create"));
        assert_eq!(asked["locale"], "sv-SE");
    }
    let asked = || world.books.lock().requests.len();
    // Somebody else's answer, and one that nobody asked for, reach nobody.
    let foreign = visitor.get("/account/signed-in?state=state-9&code=theirs").await;
    assert_eq!(foreign.status, 422);
    assert!(foreign.text().contains("Inloggningen fungerade inte"));
    let mut other = world.visitor("sv-SE");
    assert_eq!(other.get("/account/signed-in?state=state-1&code=c").await.status, 422);
    assert_eq!(asked(), 1);

    world.books.lock().signed_in = Some(serde_json::json!({
        "identity": { "id": "idn_1", "subject": "s" },
        "profile": { "given_name": "Alice", "email": "customer@email.se" },
    }));
    let back = visitor.get("/account/signed-in?state=state-1&code=c&iss=i&novel=1").await;
    assert_eq!(back.status, 200);
    let policy = back.header("content-security-policy").unwrap().to_owned();
    assert_eq!(policy, shop::policy::CLOSED, "nobody else's script where the person is");
    assert!(back.text().contains("Inloggad med Klarna som") && back.text().contains("Alice"));
    {
        let books = world.books.lock();
        let (_, path, answer) = books.requests.last().unwrap();
        assert_eq!(path, "/v1/sign_ins/sgn_1/finish");
        assert_eq!(*answer, serde_json::json!({ "state": "state-1", "code": "c", "iss": "i" }));
    }
    assert!(!format!("{:?}", visitor.cookies).contains("Alice"));
    assert!(!visitor.cookies.contains_key("tallvik_sign_in"));
    // A reload finds nothing to do.
    assert_eq!(location(&visitor.get("/account/signed-in?state=state-1&code=c").await), "/account");
    assert_eq!(asked(), 2);

    // Called off at Klarna: nothing to say.
    visitor.post("/account/sign-out", &[]).await;
    visitor.post("/account/begin", &[]).await;
    let answer = visitor.get("/account/signed-in?state=state-3&error=access_denied").await;
    assert_eq!(location(&answer), "/account");
    // Refused by the gateway: said, and nobody is signed in.
    world.books.lock().signed_in = None;
    visitor.post("/account/begin", &[]).await;
    assert_eq!(visitor.get("/account/signed-in?state=state-4&code=c").await.status, 422);
    assert!(!visitor.cookies.contains_key("tallvik_identity"));
    world.stop().await;
}
