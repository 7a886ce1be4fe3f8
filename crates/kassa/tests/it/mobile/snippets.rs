//! What `docs/mobile.md` says: its endpoints are there, and its app for React Native pays as it stands.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testing::http::{As, Http};
use testing::kassa::Kassa;

use super::{checkout, phone::Phone};
use crate::steps::{KASSA, SWEDEN, books_agree, read_checkout};

const PAGE: &str = include_str!("../../../../../docs/mobile.md");
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// A part of the page, from its heading to the next.
fn part(heading: &str) -> &'static str {
    let start = PAGE.find(&format!("\n## {heading}\n")).expect(heading) + 1;
    let rest = &PAGE[start..];
    rest[1..].find("\n## ").map_or(rest, |end| &rest[..=end])
}

/// The first piece of code of a part.
fn code(heading: &str, language: &str) -> &'static str {
    let part = part(heading);
    let start = part.find(&format!("```{language}\n")).expect(language) + language.len() + 4;
    &part[start..start + part[start..].find("\n```").expect("its end")]
}

/// The endpoints of the gateway that a text names: `POST /v1/…`.
fn endpoints(text: &str) -> BTreeSet<(String, String)> {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(['`', ',', '.', ':', ';', '|']))
        .collect();
    let pairs =
        words.windows(2).filter(|pair| METHODS.contains(&pair[0]) && pair[1].starts_with("/v1/"));
    pairs.map(|pair| (pair[0].to_lowercase(), pair[1].to_owned())).collect()
}

#[tokio::test]
async fn every_endpoint_that_the_page_about_apps_names_is_there() {
    let kassa = Kassa::start(KASSA);
    let url = format!("{}/v1/openapi.json", kassa.ready().gateway_url);
    let description = Http::new().get(&url, As::Anyone).await;
    let named = endpoints(PAGE);
    assert!(named.len() >= 7, "{named:?}");
    for (method, path) in named {
        let operation = &description["paths"][&path][&method];
        assert!(operation.is_object(), "{method} {path} is not in the gateway's description");
    }
    for (heading, language) in [("iOS", "swift"), ("Android", "kotlin"), ("React Native", "jsx")] {
        let named = endpoints(code(heading, language));
        for endpoint in [
            ("post", "/v1/checkouts"),
            ("post", "/v1/public/checkouts/{id}/confirm"),
            ("get", "/v1/public/checkouts/{id}"),
        ] {
            let endpoint = (endpoint.0.to_owned(), endpoint.1.to_owned());
            assert!(named.contains(&endpoint), "{heading} does not name {endpoint:?}: {named:?}");
        }
        assert!(part(heading).contains("shopapp://klarna"), "{heading} does not say the way back");
    }
}

#[tokio::test]
async fn the_app_that_is_written_down_takes_a_payment() {
    let kassa = Kassa::start(KASSA);
    let http = Http::new();
    let Some(mut phone) = Phone::start("snippet", "android", &kassa).await else { return };
    let gateway = &kassa.ready().gateway_url;
    let key = json!({ "name": "App", "kind": "publishable", "origins": ["https://shop.example"] });
    let key = http.post(&format!("{gateway}/v1/api_keys"), kassa.key(), &key).await;
    let shop = json!({ "gateway": gateway, "publishableKey": key["key"] });
    let opened = checkout(&kassa, &http, json!({ "billing_address": SWEDEN.address() })).await;
    let source = code("React Native", "jsx");
    phone.open_view().await;
    phone.has(&json!({ "deed": "run", "source": source, "opened": opened, "shop": shop }));
    // The first time the shopper thinks better of it.
    for approves in [false, true] {
        phone.has(&json!({ "deed": "press", "title": "Buy" }));
        if approves {
            phone.approve("pay_later").await;
        } else {
            phone.enter_flow("klarna").await;
            phone.browser.click("#close").await;
            phone.leave_flow().await;
        }
    }
    assert_eq!(phone.hears("done").await, json!([200, "completed"]));
    let now: Value = read_checkout(&kassa, &http, &opened).await;
    books_agree(&kassa, &http, now["payment_id"].as_str().unwrap()).await;

    // Whoever is declined is offered something else.
    let opened = checkout(&kassa, &http, json!({ "merchant_reference": "APP-2" })).await;
    phone.open_view().await;
    phone.has(&json!({ "deed": "run", "source": source, "opened": opened, "shop": shop }));
    phone.has(&json!({ "deed": "press", "title": "Buy" }));
    phone.identify(super::DENIED).await;
    phone.browser.click("#done").await;
    phone.leave_flow().await;
    phone.until_it_shows("Klarna is not available.").await;
}
