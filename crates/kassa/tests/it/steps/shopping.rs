//! The moves of a shopper, in a browser: choosing, checking out, and the purchase flow at Klarna.

use serde_json::{Value, json};
use testing::browser::{Browser, Screen};
use testing::kassa::Kassa;

use super::{KASSA, Market};

/// The way to pay that stands for Klarna.
pub const KLARNA: &str = "input[name=method][value='klarna:klarna']";
/// The other way to pay.
pub const TRANSFER: &str = "input[name=method][value=transfer]";
/// The frame in which Klarna's widget is.
const WIDGET: &str = ".widget iframe";

/// A person with a browser in front of a shop of their own.
pub struct Shopper {
    pub browser: Browser,
    pub kassa: Kassa,
    pub market: Market,
    /// The number of the next picture, when pictures are taken.
    album: Option<u32>,
}

impl Shopper {
    /// Starts everything and chooses the country.
    pub async fn enter(test: &str, screen: Screen, market: Market) -> Self {
        Self::enter_with(test, screen, market, &[]).await
    }

    /// Likewise, everything started with more flags.
    pub async fn enter_with(test: &str, screen: Screen, market: Market, flags: &[&str]) -> Self {
        let kassa = Kassa::start_with(KASSA, flags);
        let browser = Browser::start(test, screen).await;
        browser.goto(&kassa.ready().shop_url).await;
        let mut shopper = Self { browser, kassa, market, album: None };
        shopper.choose_country().await;
        shopper
    }

    /// From now on each page is photographed, and looked at: no errors on the console, nothing
    /// wider than the screen, nothing to stumble over.
    pub async fn take_pictures(&mut self) {
        self.album = Some(1);
        self.picture("home").await;
    }

    /// A picture of the page that is shown, if pictures are taken.
    pub async fn picture(&mut self, name: &str) {
        let Some(number) = self.album else { return };
        self.album = Some(number + 1);
        self.browser.picture(&format!("{number:02}-{name}")).await;
        assert!(!self.browser.overflows().await, "{name} is wider than the screen");
        let blocks = self.browser.stumbling_blocks().await;
        assert!(blocks.is_empty(), "{name}: {blocks:#?}");
        self.is_quiet(name).await;
    }

    /// Nothing was complained of on the console.
    pub async fn is_quiet(&self, name: &str) {
        let errors = self.browser.console_errors().await;
        assert!(errors.is_empty(), "on the console at {name}: {errors:#?}");
    }

    async fn choose_country(&mut self) {
        let browser = &self.browser;
        browser.click("details.market > summary").await;
        browser.click(&format!("button[name=view][value='{}']", self.market.locale)).await;
        browser.find(&format!("html[lang='{}']", self.market.locale)).await;
    }

    pub async fn put_in_cart(&mut self, slug: &str, quantity: u32) {
        self.browser.goto(&format!("{}/products/{slug}", self.kassa.ready().shop_url)).await;
        self.browser.fill("#quantity", &quantity.to_string()).await;
        self.picture("product").await;
        self.browser.click("form[action='/cart/items'] button").await;
        self.browser.see(".added").await;
    }

    /// Over the cart to the checkout, until Klarna's widget is there.
    pub async fn go_to_checkout(&mut self) {
        self.browser.click("a[href='/cart']").await;
        self.browser.see("a[href='/checkout']").await;
        self.picture("cart").await;
        self.browser.click("a[href='/checkout']").await;
        self.widget_is_there().await;
        self.picture("checkout").await;
    }

    /// Waits until the widget has loaded and can be used.
    pub async fn widget_is_there(&self) {
        let browser = &self.browser;
        browser.enter_frame(WIDGET).await;
        browser.see("section.card .offers li").await;
        browser.leave_frames().await;
        browser.see("#buy").await;
    }

    /// Fills the address form by hand.
    pub async fn fill_in(&mut self) {
        let Market { email, phone, given_name, family_name, .. } = self.market;
        let Market { street_address, postal_code, city, region, .. } = self.market;
        for (field, value) in [
            ("email", email),
            ("phone", phone),
            ("given_name", given_name),
            ("family_name", family_name),
            ("street_address", street_address),
            ("postal_code", postal_code),
            ("city", city),
        ] {
            self.browser.fill(&format!("#{field}"), value).await;
        }
        if !region.is_empty() {
            self.browser.choose("#region", region).await;
        }
        self.picture("checkout-filled").await;
    }

    /// Presses the buy button.
    pub async fn press_buy(&self) {
        self.browser.click("#buy").await;
    }

    /// Buys: the button, then Klarna's whole flow in its popup, to the approval.
    pub async fn buy_with_klarna(&mut self) {
        self.press_buy().await;
        self.browser.enter_popup().await;
        self.walk_to("approved").await;
        self.browser.popup_closes().await;
    }

    /// Walks through the purchase flow in the popup until `end`; beyond `review` that means to
    /// the closing of the window.
    pub async fn walk_to(&mut self, end: &str) {
        let mut done: Vec<String> = Vec::new();
        loop {
            let Some(step) = self.next_step(&done).await else { return };
            self.picture(&format!("flow-{step}")).await;
            if step == end {
                return;
            }
            let browser = &self.browser;
            match step.as_str() {
                "identify" => {
                    browser.fill("#email_or_phone", self.market.email).await;
                    browser.click("#onContinue").await;
                }
                // Six digits are enough; no button needs to be pressed.
                "code" => browser.fill("#otp_field", "123456").await,
                // Klarna knows the address; it only has to be said that it is the right one.
                "address" | "choose" => browser.click("main [data-testid='kaf-button']").await,
                "review" => {
                    browser.click("[data-testid='confirm-and-pay']").await;
                    // The window shows its "approved" for a moment and closes by itself.
                    return;
                }
                other => browser.fail(&format!("an unexpected step: {other}")).await,
            }
            done.push(step);
        }
    }

    /// The step that is shown, once it is another than those that are done; none when the window
    /// has closed.
    pub async fn next_step(&self, done: &[String]) -> Option<String> {
        self.browser
            .wait(&format!("a step after {done:?}"), async |client| {
                let main = fantoccini::Locator::Css("main[data-step]");
                let step = match client.find(main).await {
                    Ok(main) => main.attr("data-step").await?.unwrap_or_default(),
                    Err(error) if error.is_no_such_window() => return Ok(Some(None)),
                    Err(error) => return Err(error),
                };
                Ok((step != "wait" && !done.contains(&step)).then_some(Some(step)))
            })
            .await
    }

    /// From now on the page's message to the shop, that Klarna has approved, never leaves it.
    pub async fn hold_confirmation(&self) {
        let script = "const send = window.fetch; \
            window.fetch = (where, options) => { \
                if (!String(where).includes('/checkout/confirm')) return send(where, options); \
                window.held = true; \
                return new Promise(() => {}); \
            };";
        self.browser.script(script, vec![]).await;
    }

    /// Waits until that message was about to leave.
    pub async fn confirmation_is_held(&self) {
        self.browser
            .wait("the page to confirm", async |client| {
                let held = client.execute("return window.held === true", vec![]).await?;
                Ok((held == json!(true)).then_some(()))
            })
            .await;
    }

    /// Presses Klarna's express button, once it is drawn.
    pub async fn press_express(&self) {
        self.browser
            .wait("the express button", async |client| {
                let drawn = "const host = document.getElementById('kec'); \
                             return Boolean(host?.shadowRoot?.querySelector('button:enabled'));";
                Ok((client.execute(drawn, vec![]).await? == json!(true)).then_some(()))
            })
            .await;
        self.browser.click("#kec").await;
    }

    /// Signs in on Klarna's pages, in whichever window they are.
    pub async fn sign_in_at_klarna(&mut self) {
        self.browser.fill("#contact", self.market.email).await;
        self.picture("klarna-who").await;
        self.browser.click("button[value=identify]").await;
        self.browser.fill("#code", "123456").await;
        self.browser.click("button[value=code]").await;
        self.browser.see("button[value=agree]").await;
        self.picture("klarna-consent").await;
        self.browser.click("button[value=agree]").await;
    }

    /// Waits for the confirmation page.
    pub async fn is_confirmed(&mut self) {
        self.browser.at("/confirmation?checkout=").await;
        self.browser.see("#order-number").await;
        self.picture("confirmation").await;
    }

    /// Comes back to the checkout again and again, as somebody does who has lost the thread,
    /// until it turns out that the order was made.
    pub async fn reload_checkout_until_confirmed(&mut self) {
        let checkout = format!("{}/checkout", self.kassa.ready().shop_url);
        self.browser.goto(&checkout).await;
        self.browser
            .wait("the order to be known", async |client| {
                let now = client.current_url().await?;
                if now.path() == "/confirmation" {
                    return Ok(Some(()));
                }
                // A page that works on it goes on by itself; only one that waits for the shopper is
                // loaded again.
                let idle = "const form = document.getElementById('checkout'); \
                            return form !== null && !form.hasAttribute('aria-busy');";
                if now.path() != "/checkout/waiting"
                    && client.execute(idle, vec![]).await? == json!(true)
                {
                    client.goto(&checkout).await?;
                }
                Ok(None)
            })
            .await;
        self.is_confirmed().await;
    }

    /// The confirmation page tells of this payment: its number, its lines, its sum.
    pub async fn confirmation_shows(&self, payment: &Value) {
        let browser = &self.browser;
        assert_eq!(browser.text("#order-number").await, payment["merchant_reference"]);
        let script = "return [...document.querySelectorAll('.receipt tbody tr, .receipt tfoot tr:first-child')]\
             .map((row) => [row.cells[0].textContent, row.cells[1].textContent]);";
        let shown = browser.script(script, vec![]).await;
        let shown: Vec<(String, i64)> = shown
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let name = row[0].as_str().unwrap().replace('\u{a0}', " ");
                (name, minor(row[1].as_str().unwrap()))
            })
            .collect();
        let lines = payment["order_lines"].as_array().unwrap();
        assert_eq!(shown.len(), lines.len() + 1, "{shown:?} {payment}");
        for (line, (name, amount)) in lines.iter().zip(&shown) {
            let quantity = line["quantity"].as_i64().unwrap();
            let expected = match quantity {
                1 => line["name"].as_str().unwrap().to_owned(),
                _ => format!("{} × {quantity}", line["name"].as_str().unwrap()),
            };
            assert_eq!(
                (name.as_str(), *amount),
                (expected.as_str(), number(&line["total_amount"]))
            );
        }
        assert_eq!(shown.last().unwrap().1, number(&payment["amounts"]["authorized"]));
    }

    /// The sum that the page shows at the moment, in minor units.
    pub async fn total(&self) -> i64 {
        // The summary may be folded on a phone; its text is there all the same.
        let text =
            self.browser.script("return document.querySelector('#total').textContent", vec![]);
        minor(text.await.as_str().unwrap_or_default())
    }

    /// The browser dies; what it was looking at lives on.
    pub fn kill_browser(self) -> Kassa {
        self.browser.kill();
        self.kassa
    }
}

/// Klarna's purchase flow, which lies in a frame over Klarna's own page.
pub async fn pay_on_page(browser: &Browser, email: &str) {
    browser.click("#pay").await;
    let frame = "iframe.flow, iframe.frame";
    browser.see(frame).await;
    browser.enter_frame(frame).await;
    browser.fill("#email_or_phone", email).await;
    browser.click("#onContinue").await;
    browser.fill("#otp_field", "123456").await;
    browser.click("main [data-testid='kaf-button']").await;
    browser.click("[data-testid='confirm-and-pay']").await;
    browser.leave_frames().await;
}

/// An amount that a page shows, in minor units. All our currencies have two decimals.
pub fn minor(text: &str) -> i64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let amount: i64 = digits.parse().unwrap_or_else(|_| panic!("no amount: {text:?}"));
    if text.contains(['-', '\u{2212}']) { -amount } else { amount }
}

/// An amount in JSON.
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("not an amount: {value}"))
}
