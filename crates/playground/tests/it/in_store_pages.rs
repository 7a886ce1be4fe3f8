//! The pages of in-store purchases in a real browser, on a desk and on a phone: the link, the printed code
//! of a counter, and the outbox. Pictures are kept for people to look at.

use crate::common::World;
use serde_json::{Value, json};
use testing::browser::{Browser, Screen};

struct Stage {
    world: World,
    browser: Browser,
}

/// A market, its language, and its shopper.
#[derive(Clone, Copy)]
struct Market {
    country: &'static str,
    currency: &'static str,
    locale: &'static str,
    email: &'static str,
}

const SWEDEN: Market =
    Market { country: "SE", currency: "SEK", locale: "sv-SE", email: "customer@email.se" };
const GERMANY: Market =
    Market { country: "DE", currency: "EUR", locale: "de-DE", email: "customer@email.de" };
const BRITAIN: Market =
    Market { country: "GB", currency: "GBP", locale: "en-GB", email: "customer@email.uk" };

impl Market {
    fn session(self) -> Value {
        let store = json!({ "in_store_payment": [{ "store_info": {
            "merchant_store_id": "STO-7", "store_terminal_id": "POS1232",
            "store_address": {
                "street_address": "Marktplatz", "street_number": "46", "postal_code": "11134",
                "city": "Northtown", "country": self.country,
            },
        } }] });
        json!({
            "purchase_country": self.country, "purchase_currency": self.currency,
            "locale": self.locale, "order_amount": 129_900, "order_tax_amount": 0,
            "merchant_reference1": "POS-1001", "acquiring_channel": "IN_STORE",
            "order_lines": [
                { "name": "A kettle with a long name, in a colour of your choice, for the whole family", "quantity": 2, "unit_price": 69_900, "total_amount": 139_800 },
                { "type": "discount", "name": "Voucher", "quantity": 1, "unit_price": -9_900, "total_amount": -9_900 },
            ],
            "attachment": {
                "content_type": "application/vnd.klarna.internal.emd-v2+json", "body": store.to_string(),
            },
            "distribution": { "method": "one_qr" },
        })
    }
}

impl Stage {
    async fn start(test: &str, screen: Screen) -> Self {
        Self { world: World::start().await, browser: Browser::start(test, screen).await }
    }

    async fn stop(self) {
        let errors = self.browser.console_errors().await;
        // Two of the pages are links that lead nowhere, and images have no icon.
        let unexpected = errors.iter().filter(|error| !error.contains("404 (Not Found)"));
        assert_eq!(unexpected.collect::<Vec<_>>(), [""; 0]);
        drop(self.browser);
        self.world.stop().await;
    }

    async fn sell(&self, session: &Value) -> String {
        let reply = self.world.call("POST", "/payments/v1/sessions", session).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json["session_id"].as_str().unwrap().to_owned()
    }

    async fn result(&self, id: &str) -> Value {
        let path = format!("/iss/v1/distributions/{id}");
        self.world.call("GET", &path, &Value::Null).await.json
    }

    async fn open(&self, id: &str) {
        let link = self.result(id).await["payment_link"].as_str().unwrap().to_owned();
        self.browser.goto(&link).await;
    }

    /// Waits for a step, takes its picture, and checks what a picture does not say.
    async fn look(&self, step: &str, name: &str) {
        self.browser.see(&format!("main[data-step=\"{step}\"]")).await;
        self.look_at(name).await;
    }

    async fn look_at(&self, name: &str) {
        assert!(!self.browser.overflows().await, "{name} is wider than the screen");
        let blocks = self.browser.stumbling_blocks().await;
        assert!(blocks.is_empty(), "{name}: {blocks:?}");
        let small = self
            .browser
            .script(
                "return Array.from(document.querySelectorAll('main button, dialog button, form button, form input'))
                    .filter((element) => element.offsetParent !== null && element.getBoundingClientRect().height < 43.5)
                    .map((element) => element.outerHTML)",
                vec![],
            )
            .await;
        assert_eq!(small, json!([]), "{name}: targets that are too small");
        self.browser.picture(name).await;
    }

    /// Enters the purchase flow, which lies in a frame over the page.
    async fn enter_flow(&self) {
        self.browser.click("#pay").await;
        self.browser.see("iframe.flow").await;
        self.browser.enter_frame("iframe.flow").await;
    }

    /// The whole purchase in the frame.
    async fn go_through(&self, email: &str) {
        self.browser.fill("#email_or_phone", email).await;
        self.browser.click("#onContinue").await;
        self.browser.fill("#otp_field", "123456").await;
        self.browser.click("[data-testid=\"offer-pay_later\"]").await;
        self.browser.click("[data-testid=\"kaf-button\"]").await;
        self.browser.click("[data-testid=\"confirm-and-pay\"]").await;
        self.browser.leave_frames().await;
    }

    async fn purchase(&self, market: Market) {
        let id = self.sell(&market.session()).await;
        self.open(&id).await;
        self.look("open", &format!("{}-1-open", market.country)).await;
        assert_eq!(self.result(&id).await["status"], "ACCESSED");
        self.enter_flow().await;
        self.browser.see("#email_or_phone").await;
        self.browser.leave_frames().await;
        self.browser.picture(&format!("{}-2-flow", market.country)).await;
        self.browser.enter_frame("iframe.flow").await;
        self.go_through(market.email).await;
        self.look("completed", &format!("{}-3-completed", market.country)).await;
        let result = self.result(&id).await;
        assert_eq!(result["status"], "COMPLETED");
        self.browser.shows("main", result["klarna_reference"].as_str().unwrap()).await;
        self.browser.gone("iframe.flow").await;
    }

    async fn calling_off(&self, market: Market) {
        let id = self.sell(&market.session()).await;
        self.open(&id).await;
        self.browser.click("#call-off").await;
        self.browser.see("#keep").await;
        self.look_at(&format!("{}-4-call-off", market.country)).await;
        self.browser.click("#keep").await;
        self.browser.gone("dialog").await;
        assert_eq!(self.result(&id).await["status"], "ACCESSED");
        self.browser.click("#call-off").await;
        self.browser.click("#call-off-yes").await;
        self.look("canceled", &format!("{}-5-canceled", market.country)).await;
        assert_eq!(self.result(&id).await["status"], "CANCELED");
    }

    /// The store calls the purchase off while the shopper is about to pay.
    async fn called_off_meanwhile(&self) {
        let id = self.sell(&SWEDEN.session()).await;
        self.open(&id).await;
        self.enter_flow().await;
        self.browser.see("#email_or_phone").await;
        self.browser.leave_frames().await;
        let path = format!("/payments/v1/sessions/{id}");
        assert_eq!(self.world.call("DELETE", &path, &Value::Null).await.status, 204);
        self.browser.see("main[data-step=\"canceled\"]").await;
        self.browser.gone("iframe.flow").await;
    }

    /// A shopper who is refused, or leaves the flow, can try again.
    async fn another_try(&self) {
        let id = self.sell(&BRITAIN.session()).await;
        self.open(&id).await;
        self.enter_flow().await;
        self.browser.click("#close").await;
        self.browser.leave_frames().await;
        self.browser.see("#pay").await;
        self.enter_flow().await;
        self.browser.fill("#email_or_phone", "customer+denied@email.uk").await;
        self.browser.click("#onContinue").await;
        self.browser.fill("#otp_field", "123456").await;
        self.browser.click("#done").await;
        self.browser.leave_frames().await;
        self.browser.shows("#problem", "not approved").await;
        self.look("open", "GB-6-refused").await;
        self.enter_flow().await;
        self.go_through("customer@email.uk").await;
        self.browser.see("main[data-step=\"completed\"]").await;
    }

    async fn dead_links(&self) {
        self.browser.goto(&format!("{}/in-store/0000000", self.world.public_url())).await;
        self.look("gone", "7-gone").await;
        self.browser.goto(&format!("{}/counter/nobody", self.world.public_url())).await;
        self.look("gone", "8-counter-gone").await;
    }

    async fn printed_code(&self) {
        let merchant_id = &self.world.merchant.merchant_id;
        self.browser.goto(&format!("{}/counter/{merchant_id}", self.world.public_url())).await;
        self.look("code", "9-short-code").await;
        let shown = self.browser.text("#short-code").await;
        let code: String = shown.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(code.len(), 6, "{shown}");
        let mut session = BRITAIN.session();
        session["distribution"]["short_code"] = json!(code);
        let id = self.sell(&session).await;
        self.browser.see("main[data-step=\"open\"]").await;
        self.browser.at("/in-store/").await;
        assert_eq!(self.result(&id).await["status"], "ACCESSED");
        // The code of a phone that waits too long is over.
        self.browser.goto(&format!("{}/counter/{merchant_id}", self.world.public_url())).await;
        self.browser.see("#short-code").await;
        self.world.advance("PT10M").await;
        self.look("over", "10-short-code-over").await;
        self.browser.click("#again").await;
        self.browser.see("#short-code").await;
    }

    /// The image as a till's screen shows it.
    async fn image(&self) {
        let id = self.sell(&SWEDEN.session()).await;
        let image = self.result(&id).await["qr"].as_str().unwrap().to_owned();
        self.browser.goto(&image).await;
        self.browser.picture("11-qr").await;
        let size = self
            .browser
            .script(
                "return [document.images[0].naturalWidth, document.images[0].naturalHeight]",
                vec![],
            )
            .await;
        assert_eq!(size, json!([400, 400]));
        self.browser.goto(&format!("{image}?format=svg")).await;
        self.browser.see("svg").await;
    }

    /// A hosted page whose link is sent to a shopper.
    async fn send(&self, market: Market, contact: Value) {
        let mut session = market.session();
        for member in ["distribution", "attachment"] {
            session.as_object_mut().unwrap().remove(member);
        }
        let id = self.sell(&session).await;
        let url = format!("{}/payments/v1/sessions/{id}", self.world.public_url());
        let page = json!({ "payment_session_url": url });
        let page = self.world.call("POST", "/hpp/v1/sessions", &page).await;
        assert_eq!(page.status, 201, "{page:?}");
        let path =
            format!("/hpp/v1/sessions/{}/distribution", page.json["session_id"].as_str().unwrap());
        let method = if contact.get("email").is_some() { "email" } else { "sms" };
        let sent = json!({ "method": method, "contact_information": contact });
        let sent = self.world.call("POST", &path, &sent).await;
        assert!((200..300).contains(&sent.status), "{sent:?}");
    }

    async fn outbox(&self) {
        let outbox = format!("{}/playground/outbox", self.world.public_url());
        self.browser.goto(&outbox).await;
        self.browser.see("#empty").await;
        self.look_at("12-outbox-empty").await;
        self.send(BRITAIN, json!({ "email": "alex@example.com" })).await;
        self.send(SWEDEN, json!({ "phone": "0700021234", "phone_country": "SE" })).await;
        self.send(GERMANY, json!({ "email": "max@example.com" })).await;
        self.browser.goto(&outbox).await;
        self.browser.see("article").await;
        self.look_at("13-outbox").await;
        // Newest first, each with its link and its image.
        let read = "return Array.from(document.querySelectorAll('article'))
            .map((one) => [one.querySelector('.to').textContent, one.querySelector('[lang]').lang,
                one.querySelector('a.link').href, one.querySelector('svg path') !== null])";
        let shown = self.browser.script(read, vec![]).await;
        let shown = shown.as_array().unwrap();
        let languages: Vec<&Value> = shown.iter().map(|one| &one[1]).collect();
        assert_eq!(languages, ["de", "sv", "en"]);
        assert!(shown.iter().all(|one| one[3] == true), "{shown:?}");
        self.browser.fill("input[name=to]", "alex@example.com").await;
        self.browser.click("form button").await;
        self.browser.gone("article:nth-of-type(2)").await;
        assert_eq!(self.browser.text("article .to").await, "alex@example.com");
        self.browser.click("article a.link").await;
        self.browser.at("/hpp-page/").await;
        let messages = self.world.send("GET", "/playground/v1/outbox?limit=2", &[], "").await;
        assert_eq!(messages.json["messages"].as_array().unwrap().len(), 2);
        assert_eq!(messages.json["messages"][0]["to"], "max@example.com");
        assert_eq!(messages.json["messages"][0]["link"], shown[0][2]);
        let to = "/playground/v1/outbox?to=alex%40example.com";
        let messages = self.world.send("GET", to, &[], "").await;
        assert_eq!(messages.json["messages"][0]["channel"], "email");
        let wrong = self.world.send("GET", "/playground/v1/outbox?limit=many", &[], "").await;
        assert_eq!(wrong.status, 400);
    }
}

async fn all(test: &str, screen: Screen) {
    let stage = Stage::start(test, screen).await;
    for market in [SWEDEN, GERMANY, BRITAIN] {
        stage.purchase(market).await;
        stage.calling_off(market).await;
    }
    stage.called_off_meanwhile().await;
    stage.another_try().await;
    stage.dead_links().await;
    stage.printed_code().await;
    stage.image().await;
    stage.outbox().await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_store_pages_on_a_desk() {
    all("playground/in-store-desktop", Screen::Wide).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_store_pages_on_a_phone() {
    all("playground/in-store-phone", Screen::Phone).await;
}
