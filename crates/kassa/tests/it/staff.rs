//! People of the merchant's in a real browser: the admin turns a second factor on and invites
//! somebody, who chooses a password, signs in and may do less. Each page is photographed and looked
//! at, on a wide screen and on a phone.

use crate::steps::KASSA;
use gateway::domain::totp;
use service::{Clock as _, SystemClock};
use testing::browser::{Browser, Screen};
use testing::eventually;
use testing::kassa::Kassa;

/// A person in front of the dashboard.
struct Desk {
    browser: Browser,
    dashboard: String,
    number: u32,
}

impl Desk {
    /// A picture of the page; it is as wide as the screen, quiet, and nothing to stumble over.
    async fn picture(&mut self, name: &str) {
        self.look(name).await;
        let errors = self.browser.console_errors().await;
        assert!(errors.is_empty(), "on the console at {name}: {errors:#?}");
    }

    /// Likewise of a page that refuses something: the browser says so on the console, and only that.
    async fn picture_of_refusal(&mut self, name: &str) {
        self.look(name).await;
        let errors = self.browser.console_errors().await;
        let only =
            errors.iter().all(|error| error.contains("the server responded with a status of 4"));
        assert!(only, "on the console at {name}: {errors:#?}");
    }

    async fn look(&mut self, name: &str) {
        self.number += 1;
        self.browser.picture(&format!("{:02}-{name}", self.number)).await;
        assert!(!self.browser.overflows().await, "{name} is wider than the screen");
        let blocks = self.browser.stumbling_blocks().await;
        assert!(blocks.is_empty(), "{name}: {blocks:#?}");
    }

    async fn open(&self, page: &str) {
        self.browser.goto(&format!("{}{page}", self.dashboard)).await;
    }

    async fn sign_in(&self, user: &str, password: &str) {
        self.open("/sign-in").await;
        self.browser.fill("#user", user).await;
        self.browser.fill("#password", password).await;
        self.browser.click("form button[type=submit]").await;
    }

    /// Unfolds what holds a form, fills it in, and sends it.
    async fn form(&self, action: &str, fields: &[(&str, &str)]) {
        let form = format!("form[action='/dashboard/{action}']");
        let button = format!("{form} button[type=submit]");
        if !self.browser.sees(&button).await {
            self.browser.click(&format!("details:has({form}) > summary")).await;
        }
        for (name, value) in fields {
            self.browser.fill(&format!("{form} input[name={name}]"), value).await;
        }
        self.browser.click(&button).await;
    }
}

/// The next code: it is good already, and was not used to turn the second factor on.
fn code(seed: &[u8]) -> String {
    totp::code(seed, totp::step(SystemClock.now_ms()) + 1)
}

async fn at_work(test: &str, screen: Screen) {
    let kassa = Kassa::start(KASSA);
    let ready = kassa.ready().clone();
    let browser = Browser::start(test, screen).await;
    let mut desk = Desk { browser, dashboard: ready.dashboard_url.clone(), number: 0 };

    // The configuration's password, with the name that is there already.
    desk.open("/sign-in").await;
    desk.picture("sign-in").await;
    assert_eq!(desk.browser.value("#user").await, "admin");
    desk.browser.fill("#password", &ready.dashboard_password).await;
    desk.browser.click("form button[type=submit]").await;
    desk.browser.see("a[href='/dashboard/account']").await;

    // A second factor.
    desk.open("/account").await;
    desk.picture("account").await;
    desk.form("account/second-factor", &[("current", &ready.dashboard_password)]).await;
    desk.browser.see("svg.qr").await;
    desk.picture("second-factor").await;
    let seed = totp::from_base32(&desk.browser.text("code.shown").await).unwrap();
    let now = totp::code(&seed, totp::step(SystemClock.now_ms()));
    desk.form("account/second-factor/confirm", &[("code", &now)]).await;
    desk.browser.see("ol.codes").await;
    desk.picture("recovery-codes").await;

    // Somebody is invited, and a key is made.
    desk.open("/access").await;
    desk.form("access/invitations", &[("name", "eva@shop.example")]).await;
    desk.browser.shows("main", "Hand this link to eva@shop.example").await;
    desk.picture("invited").await;
    let link = desk.browser.text("code.shown").await;
    desk.browser.click("details:has(#secret-name) > summary").await;
    desk.browser.fill("#secret-name", "The shop's server").await;
    desk.browser.click("input[value='payments:read']").await;
    desk.browser.click("input[value='checkouts:write']").await;
    desk.picture("new-key").await;
    desk.browser.click("details:has(#secret-name) button").await;
    desk.browser.shows("main", "This is the key").await;
    desk.picture("key-made").await;
    desk.browser.click("header form button").await;
    desk.browser.see("input[type=password]").await;

    // The invited one chooses a password. The link's secret does not stay in the address.
    desk.browser.goto(&link).await;
    desk.browser.see("#invitation").await;
    eventually("the invitation to be filled in", async || {
        let value = desk.browser.value("#invitation").await;
        if value.len() == 64 { Ok(()) } else { Err(value) }
    })
    .await;
    assert!(!desk.browser.url().await.contains('#'), "{}", desk.browser.url().await);
    desk.browser.fill("#password", "seven green bottles").await;
    desk.browser.fill("#repeated", "seven green bottles").await;
    desk.picture("invitation").await;
    desk.browser.click("form button[type=submit]").await;
    desk.browser.shows("main", "Your password is set").await;
    desk.sign_in("eva@shop.example", "seven green bottles").await;
    desk.browser.see("a[href='/dashboard/account']").await;
    assert!(!desk.browser.sees("a[href='/dashboard/access']").await);
    desk.open("/access").await;
    desk.browser.shows("main", "This is not yours to do").await;
    desk.picture_of_refusal("not-hers").await;
    desk.browser.click("header form button").await;
    desk.browser.see("input[type=password]").await;

    // The admin signs in with both factors; a wrong code first.
    desk.sign_in("admin", &ready.dashboard_password).await;
    desk.browser.see("#code").await;
    desk.browser.fill("#code", "000000").await;
    desk.browser.click("form button[type=submit]").await;
    desk.browser.shows("main", "That is not the code").await;
    desk.picture_of_refusal("wrong-code").await;
    desk.browser.fill("#code", &code(&seed)).await;
    desk.browser.click("form button[type=submit]").await;
    desk.browser.see("a[href='/dashboard/access']").await;
    desk.open("/access").await;
    desk.picture("users-and-keys").await;
    desk.open("/audit").await;
    desk.browser.shows("main", "user.joined").await;
    desk.picture("audit-log").await;
}

#[tokio::test]
async fn staff_at_a_desk() {
    at_work("staff/wide", Screen::Wide).await;
}

#[tokio::test]
async fn staff_on_a_phone() {
    at_work("staff/phone", Screen::Phone).await;
}
