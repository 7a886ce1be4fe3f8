//! The merchant's side of a payment in the dashboard: everything that can be done with it, in a real
//! browser, at a desk and on a phone, with pictures; and once by keyboard alone.

use crate::steps::dashboard::Clerk;
use crate::steps::shopping::Shopper;
use crate::steps::{SWEDEN, approve, books_agree, checkout_becomes, checkout_url, open_checkout};
use serde_json::{Value, json};
use testing::browser::Screen;
use testing::eventually;
use testing::http::{As, Http};

/// Enter, as WebDriver writes it.
const ENTER: &str = "\u{E007}";

struct Desk {
    shopper: Shopper,
    http: Http,
    id: String,
}

impl Desk {
    /// A payment, and somebody of the merchant's who looks at it.
    async fn open(test: &str, screen: Screen) -> Self {
        let http = Http::new();
        let mut shopper = Shopper::enter(test, screen, SWEDEN).await;
        let kassa = &shopper.kassa;
        let checkout = open_checkout(kassa, &http, "WEB-2001").await;
        let token = approve(kassa, &http, &checkout).await;
        let confirm = format!("{}/confirm", checkout_url(kassa, &checkout));
        http.post(&confirm, kassa.key(), &json!({ "authorization_token": token })).await;
        let done = checkout_becomes(kassa, &http, &checkout, "completed").await;
        let id = done["payment_id"].as_str().unwrap().to_owned();
        eventually("the order to be read", async || {
            let payment = kassa.payment(&http, &id).await;
            if payment["klarna_reference"].is_string() { Ok(()) } else { Err(payment) }
        })
        .await;
        drop(Clerk::sign_in(&mut shopper).await);
        shopper.browser.see("ul.payments").await;
        shopper.take_pictures().await;
        shopper.browser.click(&format!("a[href$='/payments/{id}']")).await;
        shopper.browser.shows("main", "WEB-2001").await;
        Self { shopper, http, id }
    }

    fn form(&self, action: &str) -> String {
        format!("form[action$='/{}/{action}']", self.id)
    }

    /// Unfolds the form of an action.
    async fn unfold(&self, action: &str) -> String {
        let form = self.form(action);
        let browser = &self.shopper.browser;
        if !browser.sees(&form).await {
            browser.click(&format!("details:has(> {form}) > summary")).await;
        }
        browser.see(&form).await;
        form
    }

    /// Presses the button of an action's form, and says yes if asked.
    async fn press(&self, form: &str, asks: bool) {
        self.shopper.browser.click(&format!("{form} > button[type=submit]")).await;
        if asks {
            self.agree().await;
        }
    }

    async fn agree(&self) {
        self.shopper
            .browser
            .wait("to be asked whether it is meant", async |client| {
                client.accept_alert().await.map(Some)
            })
            .await;
    }

    /// Waits until the page says that it is done.
    async fn is_done(&self, action: &str, says: &str) {
        self.shopper.browser.at(&format!("/dashboard/payments/{}?done={action}", self.id)).await;
        self.shopper.browser.shows(".notice.good", says).await;
    }

    async fn payment(&self) -> Value {
        self.shopper.kassa.payment(&self.http, &self.id).await
    }
}

async fn everything_that_can_be_done(test: &str, screen: Screen) {
    let mut desk = Desk::open(test, screen).await;
    desk.shopper.picture("authorized").await;
    // Only what is possible has a form.
    for absent in ["refund", "release", "resend_communication", "extend_due_date"] {
        let count = format!("return document.querySelectorAll(\"{}\").length", desk.form(absent));
        assert_eq!(desk.shopper.browser.script(&count, vec![]).await, 0, "{absent}");
    }

    let form = desk.unfold("update_authorization").await;
    desk.shopper.browser.fill(&format!("{form} input[name=amount]"), "500,00").await;
    desk.shopper.picture("change-the-amount").await;
    desk.press(&form, true).await;
    desk.is_done("update_authorization", "amount is changed").await;
    assert_eq!(desk.payment().await["amounts"]["authorized"], 50_000);

    let form = desk.unfold("extend_authorization").await;
    desk.press(&form, true).await;
    desk.is_done("extend_authorization", "more time").await;

    let form = desk.unfold("update_customer_details").await;
    for (name, value) in
        [("street_address", "Storgatan 1"), ("postal_code", "22222"), ("city", "Lund")]
    {
        desk.shopper.browser.fill(&format!("{form} input[name={name}]"), value).await;
    }
    desk.shopper.picture("change-the-address").await;
    desk.press(&form, true).await;
    desk.is_done("update_customer_details", "address is changed").await;

    let form = desk.unfold("update_merchant_references").await;
    desk.shopper.browser.fill(&format!("{form} input[name=merchant_reference2]"), "B-7").await;
    desk.press(&form, false).await;
    desk.is_done("update_merchant_references", "references are changed").await;

    let form = desk.unfold("add_shipping_info").await;
    desk.shopper.browser.fill(&format!("{form} input[name=shipping_company]"), "PostNord SE").await;
    desk.shopper.browser.choose("#parcel-shipping_method", "Home").await;
    desk.shopper.browser.fill(&format!("{form} input[name=tracking_number]"), "T-1").await;
    desk.press(&form, false).await;
    desk.is_done("add_shipping_info", "parcel is added").await;

    let form = desk.unfold("capture").await;
    desk.shopper.browser.fill(&format!("{form} input[name=amount]"), "200").await;
    desk.shopper.browser.click(&format!("{form} details:last-of-type > summary")).await;
    let tracking = format!("{form} input[name=tracking_uri]");
    desk.shopper.browser.fill(&tracking, "https://example.com/T-2").await;
    desk.press(&form, true).await;
    desk.is_done("capture", "Captured").await;
    desk.shopper.picture("part-captured").await;

    let form = desk.unfold("resend_communication").await;
    desk.press(&form, true).await;
    desk.is_done("resend_communication", "writes to the shopper again").await;

    let browser = &desk.shopper.browser;
    let offers = "a[href*='/due-date/']";
    browser.click(&format!("details:has({offers}) > summary")).await;
    browser.click(offers).await;
    browser.shows("main", "By how many days").await;
    desk.shopper.picture("pay-later").await;
    desk.shopper.browser.click("input[value='10']").await;
    desk.shopper.browser.click("form[action$='/extend_due_date'] button").await;
    desk.agree().await;
    desk.is_done("extend_due_date", "pays later").await;

    let form = desk.unfold("refund").await;
    desk.shopper.browser.fill(&format!("{form} input[name=amount]"), "50").await;
    desk.press(&form, true).await;
    desk.is_done("refund", "Refunded").await;

    // What Klarna refuses is told where it was asked for.
    let form = desk.unfold("update_authorization").await;
    desk.shopper.browser.fill(&format!("{form} input[name=amount]"), "100").await;
    desk.press(&form, true).await;
    desk.shopper.browser.shows(".notice.bad", "less than").await;
    // The browser says on its console that the answer was a refusal; that is meant.
    assert!(desk.shopper.browser.console_errors().await.iter().all(|said| said.contains("422")));
    desk.shopper.picture("refused").await;

    let form = desk.unfold("release").await;
    desk.press(&form, true).await;
    desk.is_done("release", "released").await;
    let summary = "details.impossible > summary";
    desk.shopper.browser.click(summary).await;
    desk.shopper.picture("timeline").await;
    let shown = desk.shopper.browser.text("ol.timeline").await;
    for entry in [
        "authorization updated",
        "authorization extended",
        "customer details updated",
        "merchant references updated",
        "shipping info added",
        "communication resent",
        "due date extended",
        "Payment released",
    ] {
        assert!(shown.contains(entry), "{entry} in {shown}");
    }
    eventually("both books to agree", async || {
        let payment = desk.payment().await;
        if payment["operations"] == json!([]) { Ok(()) } else { Err(payment) }
    })
    .await;
    books_agree(&desk.shopper.kassa, &desk.http, &desk.id).await;
}

#[tokio::test]
async fn everything_that_can_be_done_at_a_desk() {
    everything_that_can_be_done("after-purchase/wide", Screen::Wide).await;
}

#[tokio::test]
async fn everything_that_can_be_done_on_a_phone() {
    everything_that_can_be_done("after-purchase/phone", Screen::Phone).await;
}

/// No mouse: a summary is opened, a field is filled and a form is sent by keys alone.
#[tokio::test]
async fn a_form_is_used_by_keyboard_and_a_lapse_to_come_is_seen() {
    let mut desk = Desk::open("after-purchase/keyboard", Screen::Wide).await;
    let form = desk.form("update_merchant_references");
    let browser = &desk.shopper.browser;
    let focus = |css: &str| {
        format!(
            "const found = document.querySelector(\"{css}\"); found.focus(); return document.activeElement === found"
        )
    };
    let summary = format!("details:has(> {form}) > summary");
    assert_eq!(browser.script(&focus(&summary), vec![]).await, true, "a summary takes the focus");
    browser.keys(ENTER).await;
    let field = format!("{form} input[name=merchant_reference2]");
    browser.see(&field).await;
    assert_eq!(browser.script(&focus(&field), vec![]).await, true);
    browser.keys("B-9").await;
    browser.keys(ENTER).await;
    desk.is_done("update_merchant_references", "references are changed").await;
    assert_eq!(desk.payment().await["merchant_reference2"], "B-9");

    // What the store wants done, and the mark of a payment that lapses soon.
    desk.shopper.browser.click("a[href='/dashboard/expiry']").await;
    desk.shopper.browser.shows("main", "about to lapse").await;
    desk.shopper.picture("expiry").await;
    desk.shopper.browser.click("input[value=extend]").await;
    desk.shopper.browser.fill("#act_days", "1").await;
    desk.shopper.browser.click("form[action='/dashboard/expiry'] button").await;
    desk.shopper.browser.shows(".notice.good", "Kept").await;
    let clock = format!("{}/playground/v1/clock", desk.shopper.kassa.ready().playground_url);
    desk.http.post(&clock, As::Anyone, &json!({ "advance": "P22DT1H" })).await;
    let dashboard = desk.shopper.kassa.ready().dashboard_url.clone();
    // The session of before has ended with the days.
    drop(Clerk::sign_in(&mut desk.shopper).await);
    desk.shopper.browser.goto(&dashboard).await;
    desk.shopper.browser.shows("ul.payments", "Lapses in").await;
    desk.shopper.picture("lapses-soon").await;
    let events =
        format!("{}/v1/payments/{}/events", desk.shopper.kassa.ready().gateway_url, desk.id);
    eventually("the lapse to be announced", async || {
        let events = desk.http.get(&events, desk.shopper.kassa.key()).await;
        let announced = events["data"].as_array().is_some_and(|events| {
            events.iter().any(|event| event["type"] == "payment.authorization_expiring")
        });
        if announced { Ok(()) } else { Err(events) }
    })
    .await;
}
