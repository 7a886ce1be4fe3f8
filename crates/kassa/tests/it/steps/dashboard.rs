//! The moves of the merchant's clerk, in the dashboard.

use serde_json::Value;
use testing::eventually;
use testing::http::Http;

use super::books_agree;
use super::shopping::{Shopper, minor};

/// Somebody of the merchant's, at the same machine as the shopper (one browser is enough), looking
/// at one payment.
pub struct Clerk<'a> {
    shopper: &'a mut Shopper,
    payment_id: String,
}

impl<'a> Clerk<'a> {
    /// Signs in.
    pub async fn sign_in(shopper: &'a mut Shopper) -> Self {
        let ready = shopper.kassa.ready().clone();
        shopper.browser.goto(&ready.dashboard_url).await;
        shopper.browser.see("input[type=password]").await;
        shopper.picture("dashboard-sign-in").await;
        shopper.browser.fill("input[type=password]", &ready.dashboard_password).await;
        shopper.browser.click("button[type=submit]").await;
        Self { shopper, payment_id: String::new() }
    }

    /// Finds the payment in the list and opens it.
    pub async fn open_payment(&mut self, payment: &Value) {
        payment["id"].as_str().unwrap().clone_into(&mut self.payment_id);
        let link = format!("a[href$='/payments/{}']", self.payment_id);
        self.shopper.browser.see(&link).await;
        self.shopper.picture("dashboard-list").await;
        self.shopper.browser.click(&link).await;
        let reference = payment["merchant_reference"].as_str().unwrap();
        self.shopper.browser.shows("main", reference).await;
        self.shopper.picture("dashboard-payment").await;
    }

    /// Captures an amount, or what remains.
    pub async fn capture(&mut self, amount: Option<i64>) {
        self.act("capture", amount).await;
    }

    /// Refunds an amount, or all that can be.
    pub async fn refund(&mut self, amount: Option<i64>) {
        self.act("refund", amount).await;
    }

    /// Cancels the payment.
    pub async fn cancel(&mut self) {
        self.act("cancel", None).await;
    }

    /// Unfolds the action, says how much if not all of it, presses the button, and says yes when
    /// asked again.
    async fn act(&mut self, action: &str, amount: Option<i64>) {
        let browser = &self.shopper.browser;
        let form = format!("form[action$='/{}/{action}']", self.payment_id);
        let button = format!("{form} > button[type=submit]");
        if !browser.sees(&button).await {
            browser.click(&format!("details:has(> {form}) > summary")).await;
        }
        if let Some(amount) = amount {
            let text = format!("{}.{:02}", amount / 100, amount % 100);
            browser.fill(&format!("{form} input[name=amount]"), &text).await;
        }
        browser.click(&button).await;
        browser
            .wait("to be asked whether it is meant", async |client| {
                client.accept_alert().await.map(Some)
            })
            .await;
        browser.at(&format!("/dashboard/payments/{}?done={action}", self.payment_id)).await;
    }

    /// Waits until both books say so, and looks at what the page says. The amounts: authorized,
    /// captured, refunded, still to be captured.
    pub async fn agrees(&mut self, status: &str, amounts: [i64; 4]) {
        let kassa = &self.shopper.kassa;
        let http = Http::new();
        let id = self.payment_id.clone();
        let names = ["authorized", "captured", "refunded", "remaining"];
        eventually(&format!("the payment to be {status} with {amounts:?}"), async || {
            let now = kassa.payment(&http, &id).await;
            let same = now["status"] == status
                && names.iter().zip(amounts).all(|(name, amount)| now["amounts"][*name] == amount);
            if same { Ok(()) } else { Err(now) }
        })
        .await;
        books_agree(kassa, &http, &id).await;
        // Captured, refunded, remaining, as the page shows them.
        let script =
            "return [...document.querySelectorAll('dl.amounts dd')].map((dd) => dd.textContent)";
        let shown = self.shopper.browser.script(script, vec![]).await;
        let shown: Vec<i64> =
            shown.as_array().unwrap().iter().map(|text| minor(text.as_str().unwrap())).collect();
        assert_eq!(shown[..3], amounts[1..], "what the page shows");
        self.shopper.picture(&format!("dashboard-{status}")).await;
    }
}
