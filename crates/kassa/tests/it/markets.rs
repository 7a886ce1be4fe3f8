//! The whole purchase in all 26 markets, as the approved and as the denied test person that Klarna
//! publishes, in the market's own language and currency, on a phone.
//!
//! What each page says is compared with what the shop's own tables say, and what was bought with the
//! books of Klarna and of the gateway. Every purchase leaves six pictures; all of them stand in one
//! sheet, `target/screenshots/markets/sheet/contact-sheet.html` and `.png`, to be looked at.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::steps::{KASSA, books_agree, checkout_becomes};
use serde_json::{Value, json};
use service::SystemClock;
use shop::cart::Cart;
use shop::catalogue;
use shop::market::{MARKETS, Market, View};
use shop::money;
use shop::persons::{self, Outcome, Person};
use testing::browser::{Browser, Screen};
use testing::http::Http;
use testing::kassa::Kassa;

/// One picture of the sheet.
struct Picture {
    country: &'static str,
    /// The column.
    what: usize,
    file: PathBuf,
}

/// The columns of the sheet.
const COLUMNS: [&str; 6] =
    ["shop", "checkout", "Klarna", "confirmation", "Klarna declines", "checkout after it"];

/// A browser that goes from market to market.
struct Traveller<'a> {
    browser: Browser,
    kassa: &'a Kassa,
    pictures: Vec<Picture>,
}

impl Traveller<'_> {
    async fn visits(mut self, markets: impl Iterator<Item = &'static Market>) -> Vec<Picture> {
        for market in markets {
            let locale = market.locales.first().unwrap();
            let view = View { market, locale };
            self.buys(view).await;
            self.is_denied(view).await;
        }
        self.pictures
    }

    /// Takes a picture, and checks what a picture does not say.
    async fn picture(&mut self, view: View, what: usize) {
        let name = format!("{}-{}", view.locale.tag, COLUMNS[what].replace(' ', "-"));
        let file = self.browser.picture(&name).await;
        assert!(!self.browser.overflows().await, "{name} is wider than the screen");
        let blocks = self.browser.stumbling_blocks().await;
        assert!(blocks.is_empty(), "{name}: {blocks:#?}");
        let errors = self.browser.console_errors().await;
        assert!(errors.is_empty(), "on the console at {name}: {errors:#?}");
        self.pictures.push(Picture { country: view.market.country, what, file });
    }

    /// Enters the shop as somebody whom neither the shop nor Klarna knows.
    async fn enters(&mut self, view: View) {
        let shop = &self.kassa.ready().shop_url;
        self.browser.goto(shop).await;
        self.browser.client().delete_all_cookies().await.unwrap();
        self.browser.goto(shop).await;
        self.browser.click("details.market > summary").await;
        let tag = view.locale.tag;
        self.browser.click(&format!("button[name=view][value='{tag}']")).await;
        self.browser.find(&format!("html[lang='{tag}']")).await;
    }

    async fn puts_in_cart(&self, slug: &str) {
        self.browser.goto(&format!("{}/products/{slug}", self.kassa.ready().shop_url)).await;
        self.browser.click("form[action='/cart/items'] button").await;
        self.browser.see(".added").await;
    }

    /// To the checkout with these goods, filled in as this person by the page's own button.
    async fn checks_out(&self, view: View, goods: &[&str], person: &Person) {
        for slug in goods {
            self.puts_in_cart(slug).await;
        }
        let browser = &self.browser;
        browser.goto(&format!("{}/checkout", self.kassa.ready().shop_url)).await;
        browser.enter_frame(".widget iframe").await;
        browser.see("section.card .offers li").await;
        browser.leave_frames().await;
        let place = match person.outcome {
            Outcome::Approved => 1,
            Outcome::Denied => 2,
        };
        browser.click(&format!(".try-it button:nth-of-type({place})")).await;
        for (field, value) in person.fields {
            if !value.is_empty() && (*field != "region" || !view.market.address.regions.is_empty())
            {
                assert_eq!(browser.value(&format!("#{field}")).await, *value, "{field}");
            }
        }
        assert_eq!(
            browser.text("#buy-label").await,
            view.locale.language.texts().continue_with_klarna,
            "{}",
            view.locale.tag
        );
    }

    async fn buys(&mut self, view: View) {
        let goods = ["mist-mug", "shore-birds"];
        let person = person(view, Outcome::Approved);
        self.enters(view).await;
        self.picture(view, 0).await;
        self.checks_out(view, &goods, person).await;
        let expected = bill(view, &goods);
        assert_eq!(self.shown_total().await, expected.1);
        self.picture(view, 1).await;
        self.browser.click("#buy").await;
        self.walks(view, person, "review").await;
        self.picture(view, 2).await;
        self.browser.click("[data-testid='confirm-and-pay']").await;
        self.browser.popup_closes().await;
        self.browser.at("/confirmation?checkout=").await;
        self.browser.see("#order-number").await;
        let texts = view.locale.language.texts();
        assert_eq!(self.browser.text("h1").await, texts.thanks);
        let facts = self.browser.text(".order-facts").await;
        let today = view.locale.language.date(view.market.country, SystemClock::shared().now());
        assert!(facts.contains(&today), "{today} in {facts}");
        let sum = self.content(".receipt tfoot tr:first-child td").await;
        assert_eq!(sum, expected.1, "{}", view.locale.tag);
        self.picture(view, 3).await;
        self.is_in_the_books(view, person, expected.0).await;
    }

    async fn is_denied(&mut self, view: View) {
        let person = person(view, Outcome::Denied);
        self.enters(view).await;
        self.checks_out(view, &["oak-board"], person).await;
        self.browser.click("#buy").await;
        self.walks(view, person, "declined").await;
        self.picture(view, 4).await;
        self.browser.click("#done").await;
        self.browser.popup_closes().await;
        let texts = view.locale.language.texts();
        self.browser.shows("#pay-message[data-kind=error]", texts.klarna_denied).await;
        self.browser.see(".choice-block.unavailable").await;
        assert_eq!(self.browser.text("#buy-label").await, texts.place_order);
        self.picture(view, 5).await;
    }

    /// Through Klarna's window, until this step is shown.
    async fn walks(&self, view: View, person: &Person, end: &str) {
        let browser = &self.browser;
        browser.enter_popup().await;
        let mut done = String::new();
        loop {
            let step = browser
                .wait(&format!("a step after {done:?}"), async |client| {
                    let main = fantoccini::Locator::Css("main[data-step]");
                    let step = client.find(main).await?.attr("data-step").await?;
                    Ok(step.filter(|step| step != "wait" && *step != done))
                })
                .await;
            if step == end {
                let language = browser.attribute("html", "lang").await.unwrap_or_default();
                let own = view.locale.language.code();
                assert_eq!(language, own, "Klarna's window in {}", view.locale.tag);
                return;
            }
            match step.as_str() {
                "identify" => {
                    browser.fill("#email_or_phone", field(person, "email")).await;
                    browser.click("#onContinue").await;
                }
                "code" => browser.fill("#otp_field", "123456").await,
                "choose" => browser.click("main [data-testid='kaf-button']").await,
                other => browser.fail(&format!("an unexpected step: {other}")).await,
            }
            done = step;
        }
    }

    async fn content(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let text = self.browser.script(script, vec![json!(css)]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    async fn shown_total(&self) -> String {
        self.content("#total").await
    }

    /// The order is in Klarna's books and in the gateway's, as it was shown.
    async fn is_in_the_books(&self, view: View, person: &Person, total: i64) {
        let address = self.browser.url().await;
        let id = address.split_once("checkout=").unwrap().1;
        let http = Http::new();
        let checkout = json!({ "id": id });
        let done = checkout_becomes(self.kassa, &http, &checkout, "completed").await;
        let payment = done["payment_id"].as_str().unwrap();
        let (_, order) = books_agree(self.kassa, &http, payment).await;
        assert_eq!(order["purchase_country"], view.market.country);
        assert_eq!(order["purchase_currency"], view.market.currency.code());
        assert_eq!(order["locale"], view.locale.tag);
        assert_eq!(order["order_amount"], total, "{order}");
        assert_eq!(order["fraud_status"], "ACCEPTED");
        let billing: &Value = &order["billing_address"];
        for (name, value) in person.fields {
            let asked = *name != "region" || !view.market.address.regions.is_empty();
            if !value.is_empty() && asked {
                assert_eq!(billing[*name], *value, "{name} of {order}");
            }
        }
    }
}

fn person(view: View, outcome: Outcome) -> &'static Person {
    persons::of(view.market.country).find(|person| person.outcome == outcome).unwrap()
}

fn field(person: &Person, name: &str) -> &'static str {
    person.fields.iter().find(|(field, _)| *field == name).unwrap().1
}

/// What one of each costs with delivery: the amount, and how it is written.
fn bill(view: View, goods: &[&str]) -> (i64, String) {
    let mut cart = Cart::default();
    for slug in goods {
        cart.add(catalogue::find(slug).unwrap(), 1);
    }
    let total = cart.bill(view).total;
    (total, money::format(total, view.market.currency, view.locale.numbers))
}

#[tokio::test]
async fn both_persons_of_every_market_go_shopping() {
    let kassa = Kassa::start(KASSA);
    let traveller = async |name: &str| Traveller {
        browser: Browser::start(&format!("markets/{name}"), Screen::Phone).await,
        kassa: &kassa,
        pictures: Vec::new(),
    };
    // Two at a time; each takes every other market.
    let (even, odd) = tokio::join!(
        async { traveller("even").await.visits(MARKETS.iter().step_by(2)).await },
        async { traveller("odd").await.visits(MARKETS.iter().skip(1).step_by(2)).await },
    );
    assert_eq!(kassa.order_ids().len(), MARKETS.len());
    let pictures: Vec<Picture> = even.into_iter().chain(odd).collect();
    assert_eq!(pictures.len(), MARKETS.len() * COLUMNS.len());
    sheet(&pictures).await;
}

/// All pictures in one.
async fn sheet(pictures: &[Picture]) {
    let browser = Browser::start("markets/sheet", Screen::Wide).await;
    let folder = pictures[0].file.ancestors().nth(2).unwrap().join("sheet");
    std::fs::create_dir_all(&folder).unwrap();
    let mut page = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>All markets</title><style>\
         body{font:14px sans-serif;margin:12px}table{border-collapse:collapse}\
         td,th{border:1px solid #ccc;padding:3px;vertical-align:top}\
         img{width:190px;height:280px;object-fit:cover;object-position:top;display:block}\
         td:nth-child(3) img,td:nth-child(7) img{object-position:50% 83%}\
         </style><h1>All markets</h1><table><tr><th>",
    );
    for column in COLUMNS {
        write!(page, "<th>{column}").unwrap();
    }
    for market in MARKETS {
        let locale = market.locales.first().unwrap();
        write!(page, "<tr><th>{}<br>{}", locale.tag, market.currency.code()).unwrap();
        for what in 0..COLUMNS.len() {
            let picture = pictures
                .iter()
                .find(|picture| picture.country == market.country && picture.what == what)
                .unwrap();
            let file = picture.file.strip_prefix(folder.parent().unwrap()).unwrap().display();
            write!(page, "<td><a href='../{file}'><img src='../{file}' alt=''></a>").unwrap();
        }
    }
    let path = folder.join("contact-sheet.html");
    std::fs::write(&path, page).unwrap();
    browser.goto(&format!("file://{}", path.display())).await;
    browser.picture("contact-sheet").await;
}
