//! The channels besides the shop's own page, in real browsers: a hosted page that the shopper is sent
//! to and comes back from; and a counter, with the clerk's screen and the shopper's phone as two
//! browsers. Each page is photographed and looked at.

use crate::steps::shopping::pay_on_page;
use crate::steps::{KASSA, SWEDEN, books_agree, checkout_becomes};
use serde_json::{Value, json};
use testing::browser::{Browser, Screen};
use testing::http::{As, Http};
use testing::kassa::Kassa;

/// Takes a picture, and checks what a picture does not say.
async fn look(browser: &Browser, name: &str) {
    browser.picture(name).await;
    assert!(!browser.overflows().await, "{name} is wider than the screen");
    let blocks = browser.stumbling_blocks().await;
    assert!(blocks.is_empty(), "{name}: {blocks:#?}");
    let errors = browser.console_errors().await;
    assert!(errors.is_empty(), "on the console at {name}: {errors:#?}");
}

fn cart(more: &Value) -> Value {
    let mut cart = json!({
        "merchant_reference": "WEB-1001", "country": "SE", "prices": "including_tax",
        "lines": [{ "name": "Mugg", "reference": "MUG", "quantity": 2, "unit_price": 14_900, "tax_rate": 2500 }],
    });
    for (name, value) in more.as_object().unwrap() {
        cart[name] = value.clone();
    }
    cart
}

#[tokio::test]
async fn a_shopper_is_sent_to_klarnas_page_pays_and_comes_back() {
    for (screen, test) in
        [(Screen::Wide, "channels/hosted-wide"), (Screen::Phone, "channels/hosted-phone")]
    {
        let kassa = Kassa::start(KASSA);
        let http = Http::new();
        let ready = kassa.ready().clone();
        let wish = cart(&json!({
            "channel": "hosted",
            "confirmation_url": format!("{}/?paid={{checkout_id}}", ready.shop_url),
            "page": { "back_url": format!("{}/?back=1", ready.shop_url) },
        }));
        let url = format!("{}/v1/checkouts", ready.gateway_url);
        let checkout = http.post(&url, kassa.key(), &wish).await;
        let browser = Browser::start(test, screen).await;
        browser.goto(checkout["redirect_url"].as_str().unwrap()).await;
        browser.see("#pay").await;
        look(&browser, "1-page").await;
        pay_on_page(&browser, SWEDEN.email).await;
        let id = checkout["id"].as_str().unwrap();
        browser.at(&format!("?paid={id}")).await;
        let done = checkout_becomes(&kassa, &http, &checkout, "completed").await;
        books_agree(&kassa, &http, done["payment_id"].as_str().unwrap()).await;
        assert_eq!(kassa.order_ids().len(), 1);
    }
}

struct Counter {
    kassa: Kassa,
    clerk: Browser,
}

impl Counter {
    async fn open(test: &str, screen: Screen) -> Self {
        let kassa = Kassa::start(KASSA);
        let clerk = Browser::start(test, screen).await;
        let ready = kassa.ready().clone();
        clerk.goto(&ready.dashboard_url).await;
        clerk.fill("input[type=password]", &ready.dashboard_password).await;
        clerk.click("button[type=submit]").await;
        clerk.click("nav a[href='/dashboard/counter']").await;
        clerk.see("form.counter").await;
        Self { kassa, clerk }
    }

    /// By keyboard alone: the amount has the focus, and Enter asks for the payment.
    async fn ask(&self, amount: &str, reference: &str) {
        self.clerk.keys(amount).await;
        self.clerk.fill("#reference", reference).await;
        look(&self.clerk, &format!("counter-{reference}")).await;
        self.clerk.keys("\u{e007}").await;
        self.stage("waiting").await;
    }

    async fn stage(&self, name: &str) {
        self.clerk.see(&format!("section.live[data-stage='{name}']")).await;
    }

    async fn agree(&self) {
        self.clerk
            .wait("to be asked whether it is meant", async |client| {
                client.accept_alert().await.map(Some)
            })
            .await;
    }

    /// Where the code on the screen leads.
    async fn scanned(&self) -> String {
        let image = self.clerk.attribute("img.code", "src").await.unwrap();
        // The picture is there, and not only its place.
        self.clerk
            .wait("the picture of the code", async |client| {
                let there = "const code = document.querySelector('img.code'); \
                             return code.complete && code.naturalWidth > 100";
                Ok((client.execute(there, vec![]).await? == json!(true)).then_some(()))
            })
            .await;
        image.strip_suffix("/qr").unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_clerk_at_a_wide_screen_sells_to_a_phone() {
    sells("channels/counter-wide", Screen::Wide).await;
}

#[tokio::test]
async fn a_clerk_with_a_phone_sells_to_another_phone() {
    sells("channels/counter-phone", Screen::Phone).await;
}

/// Held by whoever needs two browsers: so many run at once and no more, and two that have one each and wait for
/// another would wait for ever.
static TWO_BROWSERS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn sells(test: &str, screen: Screen) {
    let _alone = TWO_BROWSERS.lock().await;
    let counter = Counter::open(test, screen).await;
    let phone = Browser::start(&format!("{test}-shopper"), Screen::Phone).await;
    counter.ask("129,50", "POS-1").await;
    look(&counter.clerk, "waiting").await;
    phone.goto(&counter.scanned().await).await;
    phone.see("#pay").await;
    counter.stage("paying").await;
    look(&counter.clerk, "paying").await;
    pay_on_page(&phone, SWEDEN.email).await;
    counter.stage("paid").await;
    counter.clerk.shows("section.live", "POS-1").await;
    look(&counter.clerk, "paid").await;
    // The clerk may hear of it first: a picture of a page that is going away is never answered.
    phone.see(".end.yes").await;
    look(&phone, "paid").await;
    let http = Http::new();
    let payments = counter.kassa.payments(&http).await;
    assert_eq!(payments.len(), 1, "{payments:?}");
    let (payment, _) =
        books_agree(&counter.kassa, &http, payments[0]["id"].as_str().unwrap()).await;
    assert_eq!(payment["amounts"]["authorized"], 12_950);
    assert_eq!(counter.kassa.order_ids().len(), 1);

    // The next shopper changes their mind, and then once more; in the end the clerk calls it off.
    counter.clerk.click("a[href='/dashboard/counter'].primary").await;
    counter.ask("10", "POS-2").await;
    let first = counter.scanned().await;
    let call = json!({ "url": first, "action": "cancel" });
    let control = format!("{}/playground/v1/shopper/hosted", counter.kassa.ready().playground_url);
    let open = json!({ "url": first, "action": "open" });
    http.post(&control, As::Anyone, &open).await;
    http.post(&control, As::Anyone, &call).await;
    counter.stage("declined").await;
    look(&counter.clerk, "called-off-by-the-shopper").await;
    counter.clerk.click("form[action$='/again'] button").await;
    counter.stage("waiting").await;
    assert_ne!(counter.scanned().await, first, "a fresh code");
    counter.clerk.click("form[action$='/cancel'] button").await;
    counter.agree().await;
    counter.stage("called-off").await;
    look(&counter.clerk, "called-off").await;
    assert_eq!(counter.kassa.order_ids().len(), 1);

    // A link by e-mail, to whom it may concern.
    counter.clerk.click("a[href='/dashboard/counter'].primary").await;
    counter.clerk.fill("#price-0", "25").await;
    counter.clerk.fill("#reference", "POS-3").await;
    counter.clerk.click("input[name=way][value=email]").await;
    counter.clerk.fill("#email", SWEDEN.email).await;
    counter.clerk.click("form.counter > button").await;
    counter.stage("waiting").await;
    counter.clerk.shows("section.live", "e-mail").await;
    look(&counter.clerk, "sent").await;
    let outbox = format!("{}/playground/v1/outbox", counter.kassa.ready().playground_url);
    let messages = http.get(&outbox, As::Anyone).await;
    phone.goto(messages["messages"][0]["link"].as_str().unwrap()).await;
    phone.see("#pay").await;
    pay_on_page(&phone, SWEDEN.email).await;
    counter.stage("paid").await;
    assert_eq!(counter.kassa.order_ids().len(), 2);

    // Stores, while a clerk is here.
    counter.clerk.click("nav a[href='/dashboard/stores']").await;
    counter.clerk.see("form[action$='/accounts/configured/test']").await;
    look(&counter.clerk, "stores").await;
    counter.clerk.click("form[action$='/accounts/configured/test'] button").await;
    counter.clerk.shows(".notice.good", "Klarna takes this credential").await;
}
