//! Every page of the dashboard, looked at by axe-core in a real browser: light and dark, on a desk and
//! on a phone, with everything unfolded. Each is photographed, and fits a screen of 320 pixels.
//!
//! Which pages there are says `domain::role::PAGES`; one that this test has no address for fails it. The
//! rules are those of WCAG 2.2, levels A and AA. axe-core is not ours and not shipped: `cargo xtask test`
//! fetches it and names the folder by `KASSA_TEST_FOREIGN`. Without it everything but axe-core's own look
//! is done, and that is said.

use std::collections::BTreeSet;
use std::path::Path;

use crate::steps::{KASSA, approve, checkout_becomes, open_checkout};
use gateway::domain::role::PAGES;
use gateway::domain::totp;
use http::Method;
use serde_json::{Value, json};
use service::{Clock as _, SystemClock};
use testing::browser::{Browser, Screen};
use testing::eventually;
use testing::http::{As, Http};
use testing::kassa::Kassa;

/// Addresses that answer with no page.
const NO_PAGE: &[&str] = &[
    "/",
    "/dashboard/assets/style.css",
    "/dashboard/assets/dashboard.js",
    "/dashboard/assets/counter.js",
    "/dashboard/assets/overview.js",
    "/dashboard/stream",
    "/dashboard/payments.csv",
    "/dashboard/payments/{id}/stream",
    // A part of the counter's page.
    "/dashboard/counter/{id}/live",
];

/// The widths at which each page is looked at, and the picture's name.
const WIDTHS: [(u64, &str); 2] = [(1280, "wide"), (360, "narrow")];
const THEMES: [&str; 2] = ["light", "dark"];
/// The narrowest screen that a page must fit.
const NARROWEST: u64 = 320;

/// Somebody with a browser, and what they have looked at.
struct Visitor {
    browser: Browser,
    base: String,
    axe: Option<String>,
    looked_at: BTreeSet<String>,
    blocks: Vec<String>,
}

impl Visitor {
    async fn start(test: &str, base: &str) -> Self {
        Self {
            browser: Browser::start(test, Screen::Wide).await,
            base: base.to_owned(),
            axe: axe(),
            looked_at: BTreeSet::new(),
            blocks: Vec::new(),
        }
    }

    async fn go(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.base)).await;
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        match self.browser.devtools(command, parameters).await {
            Ok(answer) => answer,
            Err(error) => self.browser.fail(&format!("{command}: {error}")).await,
        }
    }

    async fn width(&self, width: u64) {
        let metrics =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn theme(&self, theme: &str) {
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            // Nothing is looked at on its way from one colour to another.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Opens a page and looks at it.
    async fn visit(&mut self, route: &str, path: &str, name: &str) {
        self.go(path).await;
        self.look(route, name).await;
    }

    /// Looks at the page that is open: as it is, and with everything unfolded.
    async fn look(&mut self, route: &str, name: &str) {
        self.looked_at.insert(route.to_owned());
        self.browser.see("main").await;
        for (width, size) in WIDTHS {
            for theme in THEMES {
                self.width(width).await;
                self.theme(theme).await;
                self.browser.picture(&format!("{name}-{size}-{theme}")).await;
            }
        }
        let unfold = "for (const each of document.querySelectorAll('details')) each.open = true;";
        self.browser.script(unfold, vec![]).await;
        for (width, size) in WIDTHS {
            for theme in THEMES {
                self.width(width).await;
                self.theme(theme).await;
                self.audit(&format!("{name} {size} {theme}")).await;
            }
        }
        self.width(360).await;
        self.theme("light").await;
        self.browser.picture(&format!("{name}-unfolded")).await;
        self.width(NARROWEST).await;
        let wide = "const page = document.documentElement; \
            if (page.scrollWidth <= page.clientWidth) return ''; \
            const out = [...document.querySelectorAll('main *, header *')].filter((each) => \
                each.getBoundingClientRect().right > page.clientWidth + 1); \
            return `scrolls sideways: ${out.slice(-3).map((each) => each.outerHTML.slice(0, 120)).join(' | ')}`;";
        let wide = self.browser.script(wide, vec![]).await;
        if let Some(says) = wide.as_str().filter(|says| !says.is_empty()) {
            self.blocks.push(format!("{name} at {NARROWEST} px {says}"));
        }
        for block in self.browser.stumbling_blocks().await {
            self.blocks.push(format!("{name}: {block}"));
        }
        self.width(1280).await;
    }

    async fn audit(&mut self, at: &str) {
        let Some(axe) = &self.axe else { return };
        // Once for each page: it stays there while the page is looked at.
        let there = self.browser.script("return typeof window.axe", vec![]).await;
        if there != json!("object") {
            let source = json!({ "expression": axe.as_str(), "returnByValue": false });
            self.devtools("Runtime.evaluate", source).await;
        }
        let run = "axe.run({ resultTypes: ['violations'], runOnly: { type: 'tag', values: [\
                'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] } })\
            .then((found) => found.violations.flatMap((rule) => rule.nodes.map((node) => \
                `${rule.id} (${rule.impact}): ${rule.help}: ${node.html.slice(0, 160)} \
                 ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`)))";
        let run = json!({ "expression": run, "awaitPromise": true, "returnByValue": true });
        let answer = self.devtools("Runtime.evaluate", run).await;
        let Some(found) = answer["result"]["value"].as_array() else {
            self.browser.fail(&format!("axe-core did not run at {at}: {answer}")).await;
        };
        for says in found {
            self.blocks.push(format!("{at}: {}", says.as_str().unwrap_or_default()));
        }
    }

    /// Sends the form that is sent there, after filling it in.
    async fn send(&self, action: &str, fields: &[(&str, &str)]) {
        let form = format!("form[action='{action}']");
        let unfold = "for (const each of document.querySelectorAll('details')) each.open = true;";
        self.browser.find(&form).await;
        self.browser.script(unfold, vec![]).await;
        for (name, value) in fields {
            self.browser.fill(&format!("{form} [name={name}]"), value).await;
        }
        self.browser.click(&format!("{form} button[type=submit]")).await;
    }

    async fn sign_in(&self, user: &str, password: &str) {
        self.go("/dashboard/sign-in").await;
        self.browser.fill("#user", user).await;
        self.browser.fill("#password", password).await;
        self.browser.click("form button[type=submit]").await;
    }

    /// By keyboard alone: the first stop leads to the content, and every stop can be seen.
    async fn keyboard(&mut self, path: &str) {
        self.go(path).await;
        self.width(360).await;
        let stop = "const at = document.activeElement; \
            if (!at || at === document.body) return null; \
            const box = at.getBoundingClientRect(); const style = getComputedStyle(at); \
            return { \
                is: at.outerHTML.slice(0, 100), text: at.textContent.trim(), \
                seen: box.width > 0 && box.right > 0 && at.checkVisibility() \
                    && (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2), \
                inside: document.querySelector('main').contains(at) };";
        let mut stops = 0;
        let mut inside = false;
        for number in 0..60 {
            self.browser
                .client()
                .active_element()
                .await
                .unwrap()
                .send_keys("\u{e004}")
                .await
                .unwrap();
            let at = self.browser.script(stop, vec![]).await;
            if at.is_null() {
                break;
            }
            if number == 0 {
                assert_eq!(at["text"], "Skip to content", "the first stop on {path}: {at}");
            }
            if at["seen"] != true {
                self.blocks.push(format!("{path}: a stop that cannot be seen: {}", at["is"]));
            }
            inside |= at["inside"] == true;
            stops += 1;
        }
        assert!(stops > 3 && inside, "{path}: {stops} stops");
        self.width(1280).await;
    }
}

/// axe-core's source, if it was fetched.
fn axe() -> Option<String> {
    let Some(folder) = std::env::var_os("KASSA_TEST_FOREIGN") else {
        #[expect(clippy::print_stderr, reason = "what is not run says so")]
        {
            eprintln!(
                "SKIPPED: axe-core, as KASSA_TEST_FOREIGN is not set (`cargo xtask test` sets it)"
            );
        }
        return None;
    };
    let path = Path::new(&folder).join("node/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(source)
}

/// What the pages are about: ids that stand in their addresses.
#[allow(clippy::struct_field_names, reason = "each is the id of something else")]
struct World {
    payment_id: String,
    doubtful_id: String,
    capture_id: String,
    endpoint_id: String,
    delivery_id: String,
    checkout_id: String,
    payout_id: String,
    customer_id: String,
    token_id: String,
    subscription_id: String,
}

/// A shop that has sold: captured, given back, waiting, in doubt; that is told by a webhook nobody takes;
/// and a counter where somebody is about to pay.
async fn world(kassa: &Kassa, http: &Http) -> World {
    let gateway = kassa.ready().gateway_url.clone();
    let post = async |path: &str, body: Value| {
        http.post(&format!("{gateway}{path}"), kassa.key(), &body).await
    };
    let hook = json!({ "url": "http://127.0.0.1:9/hooks", "description": "The shop" });
    let endpoint = post("/v1/webhook_endpoints", hook).await;
    // First, as it takes a month.
    let [customer_id, token_id, subscription_id] = recurring(kassa, http).await;
    let mut payments = Vec::new();
    for reference in ["WEB-1001", "WEB-1002", "WEB-1003-with-a-rather-long-number-of-the-shop"] {
        let checkout = open_checkout(kassa, http, reference).await;
        let token = approve(kassa, http, &checkout).await;
        let id = checkout["id"].as_str().unwrap();
        let token = json!({ "authorization_token": token });
        post(&format!("/v1/checkouts/{id}/confirm"), token).await;
        let done = checkout_becomes(kassa, http, &checkout, "completed").await;
        payments.push(done["payment_id"].as_str().unwrap().to_owned());
    }
    let [first, second, third] = payments.as_slice() else { panic!("{payments:?}") };
    let captured = post(
        &format!("/v1/payments/{first}/captures"),
        json!({ "amount": 30_000, "description": "First parcel" }),
    )
    .await;
    post(&format!("/v1/payments/{first}/refunds"), json!({ "amount": 5_000 })).await;
    post(&format!("/v1/payments/{third}/captures"), json!({})).await;
    for fault in [
        json!({
            "match": { "operation": "orders.capture" },
            "effect": { "type": "drop", "when": "after" },
        }),
        json!({
            "match": { "operation": "orders.read" },
            "effect": { "type": "error", "status": 404, "body": { "error_code": "NO_SUCH_ORDER" } },
        }),
    ] {
        let url = format!("{}/playground/v1/faults", kassa.ready().playground_url);
        http.post(&url, As::Anyone, &fault).await;
    }
    let url = format!("{gateway}/v1/payments/{second}/captures");
    http.send(Method::POST, &url, kassa.key(), Some(&json!({ "amount": 10_000 }))).await.unwrap();
    let clock = format!("{}/playground/v1/clock", kassa.ready().playground_url);
    eventually("the gateway to give up", async || {
        http.post(&clock, As::Anyone, &json!({ "advance": "PT1H" })).await;
        let url = format!("{gateway}/v1/operations?state=needs_attention");
        let waiting = http.get(&url, kassa.key()).await;
        let is_there = waiting["data"].as_array().is_some_and(|list| !list.is_empty());
        if is_there { Ok(()) } else { Err(waiting) }
    })
    .await;
    let faults = format!("{}/playground/v1/faults", kassa.ready().playground_url);
    http.send(Method::DELETE, &faults, As::Anyone, None).await.unwrap();
    let url = format!("{gateway}/v1/webhook_deliveries");
    let delivery = eventually("a delivery that failed", async || {
        let list = http.get(&url, kassa.key()).await;
        let found = list["data"].as_array().and_then(|all| all.first());
        found.map(|first| first["id"].clone()).ok_or(list)
    })
    .await;
    let store = post("/v1/stores", json!({ "name": "Götgatan" })).await;
    let account = json!({
        "label": "Sweden", "username": "K1_second", "password": "not-shown-anywhere",
        "countries": ["SE"],
    });
    let accounts = format!("{gateway}/v1/stores/{}/accounts", store["id"].as_str().unwrap());
    http.send(Method::POST, &accounts, kassa.key(), Some(&account)).await.unwrap();
    let counter = json!({
        "merchant_reference": "POS-1", "country": "SE", "prices": "including_tax",
        "channel": "in_store",
        "lines": [{ "name": "Mugg", "quantity": 1, "unit_price": 14_900, "tax_rate": 2500 }],
    });
    let counter = post("/v1/checkouts", counter).await;
    let payout_id = money(kassa, http, first).await;
    World {
        payment_id: first.clone(),
        doubtful_id: second.clone(),
        capture_id: id(&captured["captures"][0]["id"]),
        endpoint_id: id(&endpoint["id"]),
        delivery_id: id(&delivery),
        checkout_id: id(&counter["id"]),
        payout_id,
        customer_id,
        token_id,
        subscription_id,
    }
}

fn id(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// A customer with a token, whose subscription was charged, and whose last charge waits for help.
async fn recurring(kassa: &Kassa, http: &Http) -> [String; 3] {
    let gateway = kassa.ready().gateway_url.clone();
    let post = async |path: &str, body: Value| {
        http.post(&format!("{gateway}{path}"), kassa.key(), &body).await
    };
    let control = async |path: &str, body: Value| {
        let url = format!("{}/playground/v1{path}", kassa.ready().playground_url);
        http.post(&url, As::Anyone, &body).await
    };
    let plan = json!({
        "name": "Kaffe hem, varje månad", "currency": "SEK", "amount": 14_900, "tax_rate": 1200,
        "interval": "month", "capture": "automatic",
        "dunning": { "retry_days": [3, 5], "step_up": "offered" },
    });
    let plan_id = id(&post("/v1/plans", plan).await["id"]);
    let customer_id = id(&post("/v1/customers", json!({ "reference": "C-1001" })).await["id"]);
    let checkout = json!({
        "merchant_reference": "SIGN-UP-1", "country": "SE", "locale": "sv-SE",
        "prices": "including_tax", "intent": "tokenize",
        "lines": [{
            "type": "digital", "name": "Kaffe hem", "quantity": 1, "unit_price": 0, "tax_rate": 1200,
        }],
        "customer_token": {
            "description": "Kaffe hem", "plan_id": plan_id, "customer_id": customer_id,
        },
    });
    let checkout = post("/v1/checkouts", checkout).await;
    let token = json!({ "authorization_token": approve(kassa, http, &checkout).await });
    post(&format!("/v1/checkouts/{}/confirm", id(&checkout["id"])), token).await;
    let done = checkout_becomes(kassa, http, &checkout, "completed").await;
    let token_id = id(&done["customer_token_id"]);
    let subscription = json!({
        "plan_id": plan_id, "customer_token_id": token_id, "time_zone": "Europe/Stockholm",
        "merchant_reference": "COFFEE-1001",
    });
    let subscription_id = id(&post("/v1/subscriptions", subscription).await["id"]);
    let url = format!("{gateway}/v1/subscriptions/{subscription_id}");
    let charged = |found: &Value| found["charges"] == 1 && found["open_charge"].is_null();
    eventually("the first charge", async || {
        let found = http.get(&url, kassa.key()).await;
        if charged(&found) { Ok(()) } else { Err(found) }
    })
    .await;
    control(
        "/faults",
        json!({
            "match": { "operation": "customer_tokens.create_order" },
            "effect": {
                "type": "error", "status": 403,
                "body": {
                    "error_code": "PAYMENT_METHOD_FAILED", "error_messages": ["declined"],
                    "step_up_id": "0b1d9815-165e-42e2-8867-35bc03789e00",
                },
            },
        }),
    )
    .await;
    control("/clock", json!({ "advance": "P31D" })).await;
    eventually("a charge that waits", async || {
        let found = http.get(&url, kassa.key()).await;
        if found["open_charge"]["waits_until"].is_string() { Ok(()) } else { Err(found) }
    })
    .await;
    let faults = format!("{}/playground/v1/faults", kassa.ready().playground_url);
    http.send(Method::DELETE, &faults, As::Anyone, None).await.unwrap();
    [customer_id, token_id, subscription_id]
}

/// A dispute about a payment, and the payout that it was in.
async fn money(kassa: &Kassa, http: &Http, payment_id: &str) -> String {
    let ready = kassa.ready();
    let payment = kassa.payment(http, payment_id).await;
    let control = format!("{}/playground/v1", ready.playground_url);
    let dispute = json!({ "order_id": payment["klarna_order_id"], "reason": "GOODS_NOT_RECEIVED" });
    http.post(&format!("{control}/disputes"), As::Anyone, &dispute).await;
    let close = json!({ "merchant_id": ready.merchant_id });
    http.post(&format!("{control}/settlements/close"), As::Anyone, &close).await;
    eventually("a payout and a dispute", async || {
        http.post(&format!("{control}/clock"), As::Anyone, &json!({ "advance": "PT30M" })).await;
        let read =
            async |path: &str| http.get(&format!("{}{path}", ready.gateway_url), kassa.key()).await;
        let (payouts, disputes) = (read("/v1/payouts").await, read("/v1/disputes").await);
        match (payouts["data"][0]["id"].as_str(), disputes["data"][0]["id"].as_str()) {
            (Some(payout_id), Some(_)) => Ok(payout_id.to_owned()),
            _ => Err(json!([payouts, disputes])),
        }
    })
    .await
}

#[tokio::test]
async fn nobody_stumbles_over_any_page() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let world = world(&kassa, &http).await;
    let ready = kassa.ready().clone();
    let mut visitor = Visitor::start("accessible", &ready.gateway_url).await;

    // Before anybody has signed in.
    visitor.visit("/dashboard/sign-in", "/dashboard/sign-in", "sign-in").await;
    visitor.sign_in("admin", "not the password").await;
    visitor.browser.see("[role=alert]").await;
    visitor.look("/dashboard/sign-in", "sign-in-refused").await;
    visitor.visit("/docs", "/docs", "reference").await;
    visitor.sign_in("admin", &ready.dashboard_password).await;
    visitor.browser.see("a[href='/dashboard/account']").await;

    for (route, path, name) in [
        ("/dashboard", "/dashboard".to_owned(), "payments"),
        (
            "/dashboard",
            "/dashboard?from=2020-01-01&currency=SEK&status=captured&sort=amount_high".to_owned(),
            "payments-filtered",
        ),
        ("/dashboard", "/dashboard?q=nothing-like-it".to_owned(), "payments-none"),
        ("/dashboard", "/dashboard?amount_min=much".to_owned(), "payments-wrong"),
        (
            "/dashboard/payments/{id}",
            format!("/dashboard/payments/{}", world.payment_id),
            "payment",
        ),
        (
            "/dashboard/payments/{id}",
            format!("/dashboard/payments/{}", world.doubtful_id),
            "payment-in-doubt",
        ),
        ("/dashboard/payments/{id}", "/dashboard/payments/none".to_owned(), "no-such-payment"),
        (
            "/dashboard/payments/{id}/due-date/{capture_id}",
            format!("/dashboard/payments/{}/due-date/{}", world.payment_id, world.capture_id),
            "due-date",
        ),
        ("/dashboard/expiry", "/dashboard/expiry".to_owned(), "expiry"),
        ("/dashboard/webhooks", "/dashboard/webhooks".to_owned(), "webhooks"),
        (
            "/dashboard/webhooks/{id}",
            format!("/dashboard/webhooks/{}", world.endpoint_id),
            "webhook",
        ),
        (
            "/dashboard/deliveries/{id}",
            format!("/dashboard/deliveries/{}", world.delivery_id),
            "delivery",
        ),
        (
            "/dashboard/personal-data",
            format!("/dashboard/personal-data?of={}", world.customer_id),
            "personal-data",
        ),
        ("/dashboard/attention", "/dashboard/attention".to_owned(), "attention"),
        ("/dashboard/counter", "/dashboard/counter".to_owned(), "counter"),
        (
            "/dashboard/counter/{id}",
            format!("/dashboard/counter/{}", world.checkout_id),
            "counter-live",
        ),
        ("/dashboard/overview", "/dashboard/overview".to_owned(), "overview"),
        ("/dashboard/disputes", "/dashboard/disputes".to_owned(), "disputes"),
        ("/dashboard/payouts", "/dashboard/payouts".to_owned(), "payouts"),
        ("/dashboard/subscriptions", "/dashboard/subscriptions".to_owned(), "subscriptions"),
        ("/dashboard/payouts/{id}", "/dashboard/payouts/none".to_owned(), "no-such-payout"),
        (
            "/dashboard/subscriptions/{id}",
            "/dashboard/subscriptions/none".to_owned(),
            "no-such-subscription",
        ),
        ("/dashboard/payouts/{id}", format!("/dashboard/payouts/{}", world.payout_id), "payout"),
        (
            "/dashboard/subscriptions/{id}",
            format!("/dashboard/subscriptions/{}", world.subscription_id),
            "subscription",
        ),
        (
            "/dashboard/customers/{id}",
            format!("/dashboard/customers/{}", world.customer_id),
            "customer",
        ),
        (
            "/dashboard/customer-tokens/{id}",
            format!("/dashboard/customer-tokens/{}", world.token_id),
            "customer-token",
        ),
        ("/dashboard/plans", "/dashboard/plans".to_owned(), "plans"),
        ("/dashboard/customers", "/dashboard/customers".to_owned(), "customers"),
        ("/dashboard/customers/{id}", "/dashboard/customers/none".to_owned(), "no-such-customer"),
        (
            "/dashboard/customer-tokens/{id}",
            "/dashboard/customer-tokens/none".to_owned(),
            "no-such-token",
        ),
        ("/dashboard/stores", "/dashboard/stores".to_owned(), "stores"),
        ("/dashboard/account", "/dashboard/account".to_owned(), "account"),
        ("/dashboard/access", "/dashboard/access".to_owned(), "users-and-keys"),
    ] {
        visitor.visit(route, &path, name).await;
    }

    // What only a form leads to.
    visitor.go("/dashboard?status=captured").await;
    visitor.send("/dashboard/account/views", &[("name", "To be looked at on Mondays")]).await;
    visitor.browser.see("nav.views").await;
    visitor.look("/dashboard", "payments-view").await;
    visitor.visit("/dashboard/account/views", "/dashboard/account/views", "views").await;
    visitor.go("/dashboard/access").await;
    visitor.send("/dashboard/access/invitations", &[("name", "eva@shop.example")]).await;
    visitor.browser.shows("main", "Hand this link to").await;
    let link = visitor.browser.text("code.shown").await;
    visitor.look("/dashboard/access", "invited").await;
    visitor.go("/dashboard/account").await;
    let password = ready.dashboard_password.as_str();
    visitor.send("/dashboard/account/second-factor", &[("current", password)]).await;
    visitor.browser.see("svg.qr").await;
    visitor.look("/dashboard/account", "second-factor").await;
    let seed = totp::from_base32(&visitor.browser.text("code.shown").await).unwrap();
    let now = totp::code(&seed, totp::step(SystemClock.now_ms()));
    visitor.send("/dashboard/account/second-factor/confirm", &[("code", &now)]).await;
    let taken = visitor.browser.sees("ol.codes").await;
    visitor.look("/dashboard/account", "recovery-codes").await;
    visitor.visit("/dashboard/audit", "/dashboard/audit", "audit-log").await;

    visitor.keyboard("/dashboard").await;
    visitor.keyboard(&format!("/dashboard/payments/{}", world.payment_id)).await;
    visitor.go("/dashboard").await;
    visitor.browser.click("header form button").await;
    visitor.browser.see("input[type=password]").await;
    visitor.browser.goto(&link).await;
    visitor.browser.see("#invitation").await;
    visitor.look("/dashboard/invitation", "invitation").await;
    if taken {
        visitor.sign_in("admin", &ready.dashboard_password).await;
        visitor.browser.see("#code").await;
    }
    visitor.look("/dashboard/sign-in/code", "code").await;

    let pages: BTreeSet<&str> = PAGES
        .iter()
        .filter(|(method, route, ..)| *method == "GET" && !NO_PAGE.contains(route))
        .map(|(_, route, _, _)| *route)
        .collect();
    let missed: Vec<_> =
        pages.iter().filter(|route| !visitor.looked_at.contains(**route)).collect();
    assert!(missed.is_empty(), "pages that nobody looked at: {missed:?}: have them visited here");
    let blocks = &visitor.blocks;
    assert!(blocks.is_empty(), "{} things to stumble over:\n{}", blocks.len(), blocks.join("\n"));
}
