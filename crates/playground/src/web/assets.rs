//! The embedded files, served with an entity tag: a browser asks again each time and mostly gets 304,
//! so that a new build of the playground is never mixed with an old page.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::api::error;

/// What the pages may do: run and style themselves from here, talk to here, and nothing else. Any
/// page may frame them, since any merchant's page shows the widget; they act only for the origin
/// that introduced itself.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors http: https:";
/// What the pages may do that Klarna shows by themselves: the same, with the purchase flow in a frame. No
/// page may frame them.
const OWN_PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; frame-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// Of everything that is not a page.
const FILE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

pub(super) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const STYLES: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The library: one script, which leaves nothing but `Klarna` behind in the page.
const LIBRARY_PARTS: &str = concat!(
    "(function (window, document) {\n'use strict';\n",
    include_str!("../../assets/klarna_button.js"),
    include_str!("../../assets/express.js"),
    include_str!("../../assets/api.js"),
    "})(window, document);\n",
);

/// The library of the older Express button.
const EXPRESS_BUTTON_PARTS: &str = concat!(
    "(function (window, document) {\n'use strict';\n",
    include_str!("../../assets/klarna_button.js"),
    include_str!("../../assets/express_button.js"),
    "})(window, document);\n",
);

/// A file with its tag.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: Cow<'static, str>,
    tag: String,
}

impl Asset {
    pub(super) fn new(
        name: &'static str,
        content_type: &'static str,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = body.into();
        let mut tag = String::from("\"");
        for byte in Sha256::digest(body.as_bytes()).iter().take(12) {
            // Writing into a string cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        Self { name, content_type, body, tag }
    }

    /// What is in it.
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.body
    }
}

static LIBRARY: LazyLock<Asset> = LazyLock::new(|| Asset::new("api.js", JAVASCRIPT, LIBRARY_PARTS));
static EXPRESS_BUTTON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("lib.js", JAVASCRIPT, EXPRESS_BUTTON_PARTS));
static EXPRESS_BUTTON_PAGE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("express-button", HTML, include_str!("../../assets/express_button_page.html"))
});
static WIDGET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("widget", HTML, include_str!("../../assets/widget.html")));
static FLOW: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("flow", HTML, include_str!("../../assets/flow.html")));
static IN_STORE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("in-store", HTML, include_str!("../../assets/in_store.html")));
static REQUEST: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("request", HTML, include_str!("../../assets/request.html")));
static COUNTER: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("counter", HTML, include_str!("../../assets/counter.html")));
static LEARN_MORE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("learn-more", HTML, include_str!("../../assets/learn_more.html")));
static MOBILE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mobile", HTML, include_str!("../../assets/mobile.html")));
static FILES: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        Asset::new("kit.js", JAVASCRIPT, include_str!("../../assets/kit.js")),
        Asset::new("texts.js", JAVASCRIPT, include_str!("../../assets/texts.js")),
        Asset::new("texts_cs.js", JAVASCRIPT, include_str!("../../assets/texts_cs.js")),
        Asset::new("texts_da.js", JAVASCRIPT, include_str!("../../assets/texts_da.js")),
        Asset::new("texts_el.js", JAVASCRIPT, include_str!("../../assets/texts_el.js")),
        Asset::new("texts_es.js", JAVASCRIPT, include_str!("../../assets/texts_es.js")),
        Asset::new("texts_fi.js", JAVASCRIPT, include_str!("../../assets/texts_fi.js")),
        Asset::new("texts_fr.js", JAVASCRIPT, include_str!("../../assets/texts_fr.js")),
        Asset::new("texts_hu.js", JAVASCRIPT, include_str!("../../assets/texts_hu.js")),
        Asset::new("texts_it.js", JAVASCRIPT, include_str!("../../assets/texts_it.js")),
        Asset::new("texts_nb.js", JAVASCRIPT, include_str!("../../assets/texts_nb.js")),
        Asset::new("texts_nl.js", JAVASCRIPT, include_str!("../../assets/texts_nl.js")),
        Asset::new("texts_pl.js", JAVASCRIPT, include_str!("../../assets/texts_pl.js")),
        Asset::new("texts_pt.js", JAVASCRIPT, include_str!("../../assets/texts_pt.js")),
        Asset::new("texts_ro.js", JAVASCRIPT, include_str!("../../assets/texts_ro.js")),
        Asset::new("texts_sk.js", JAVASCRIPT, include_str!("../../assets/texts_sk.js")),
        Asset::new("delivery.js", JAVASCRIPT, include_str!("../../assets/delivery.js")),
        Asset::new("offers.js", JAVASCRIPT, include_str!("../../assets/offers.js")),
        Asset::new("widget.js", JAVASCRIPT, include_str!("../../assets/widget.js")),
        Asset::new("flow.js", JAVASCRIPT, include_str!("../../assets/flow.js")),
        Asset::new("in_store.js", JAVASCRIPT, include_str!("../../assets/in_store.js")),
        Asset::new("in_store_page.js", JAVASCRIPT, include_str!("../../assets/in_store_page.js")),
        Asset::new("in_store_texts.js", JAVASCRIPT, include_str!("../../assets/in_store_texts.js")),
        Asset::new(
            "express_button_page.js",
            JAVASCRIPT,
            include_str!("../../assets/express_button_page.js"),
        ),
        Asset::new("request.js", JAVASCRIPT, include_str!("../../assets/request.js")),
        Asset::new("request.css", STYLES, include_str!("../../assets/request.css")),
        Asset::new("counter.js", JAVASCRIPT, include_str!("../../assets/counter.js")),
        Asset::new("in_store.css", STYLES, include_str!("../../assets/in_store.css")),
        Asset::new("learn_more.js", JAVASCRIPT, include_str!("../../assets/learn_more.js")),
        Asset::new("learn_more.css", STYLES, include_str!("../../assets/learn_more.css")),
        Asset::new("mobile.js", JAVASCRIPT, include_str!("../../assets/mobile.js")),
        Asset::new("mobile_express.js", JAVASCRIPT, include_str!("../../assets/mobile_express.js")),
        Asset::new(
            "mobile_messaging.js",
            JAVASCRIPT,
            include_str!("../../assets/mobile_messaging.js"),
        ),
        Asset::new("mobile_payment.js", JAVASCRIPT, include_str!("../../assets/mobile_payment.js")),
        Asset::new("kit.css", STYLES, include_str!("../../assets/kit.css")),
        Asset::new("widget.css", STYLES, include_str!("../../assets/widget.css")),
        Asset::new("flow.css", STYLES, include_str!("../../assets/flow.css")),
        Asset::new("identity_done.js", JAVASCRIPT, include_str!("../../assets/identity_done.js")),
        Asset::new("identity.css", STYLES, include_str!("../../assets/identity.css")),
        Asset::new("hosted.js", JAVASCRIPT, include_str!("../../assets/hosted.js")),
        Asset::new("hosted.css", STYLES, include_str!("../../assets/hosted.css")),
        Asset::new("badge.svg", PICTURE, include_str!("../../assets/badge.svg")),
    ]
});

/// `GET /kp/lib/v1/api.js`: loaded by pages of any origin.
pub(super) async fn library(headers: HeaderMap) -> Response {
    script_for_any_page(&LIBRARY, &headers)
}

/// `GET /express-button/v1/lib.js`: loaded by pages of any origin.
pub(super) async fn express_button(headers: HeaderMap) -> Response {
    script_for_any_page(&EXPRESS_BUTTON, &headers)
}

/// `GET /kp/express-button`: the popup or overlay of the older Express button.
pub(super) async fn express_button_page(headers: HeaderMap) -> Response {
    page(&EXPRESS_BUTTON_PAGE, &headers)
}

/// A script that merchants' pages load.
pub(super) fn script_for_any_page(script: &Asset, headers: &HeaderMap) -> Response {
    let mut response = serve(script, headers, FILE_POLICY);
    set(&mut response, "cross-origin-resource-policy", "cross-origin");
    set(&mut response, "access-control-allow-origin", "*");
    response
}

/// `GET /kp/widget`: the frame inside the merchant's page.
pub(super) async fn widget(headers: HeaderMap) -> Response {
    page(&WIDGET, &headers)
}

/// `GET /kp/flow`: the popup or overlay.
pub(super) async fn flow(headers: HeaderMap) -> Response {
    page(&FLOW, &headers)
}

/// `GET /osm/learn-more`: what explains a promotion, in a dialog over any page.
pub(super) async fn learn_more(headers: HeaderMap) -> Response {
    page(&LEARN_MORE, &headers)
}

/// `GET /mobile/view`: what an app's web view shows in place of Klarna's native views.
pub(super) async fn mobile(headers: HeaderMap) -> Response {
    own_page(&MOBILE, &headers)
}

/// `GET /in-store/{short_id}`: the link of an in-store purchase.
pub(super) async fn in_store(headers: HeaderMap) -> Response {
    own_page(&IN_STORE, &headers)
}

/// `GET /eu/requests/{key}/start`: where a payment request is paid when the browser was sent away for it.
pub(super) async fn payment_request(headers: HeaderMap) -> Response {
    own_page(&REQUEST, &headers)
}

/// `GET /counter/{merchant_id}`: what the printed code of a counter leads to.
pub(super) async fn counter(headers: HeaderMap) -> Response {
    own_page(&COUNTER, &headers)
}

/// `GET /kp/assets/{name}`: what the pages are made of.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        None => error::unknown_route().into_response(),
        Some(file) => {
            let mut response = serve(file, &headers, FILE_POLICY);
            // The badge stands in merchants' pages, the rest in our own only.
            let readers = if file.content_type == PICTURE { "cross-origin" } else { "same-origin" };
            set(&mut response, "cross-origin-resource-policy", readers);
            response
        }
    }
}

/// Klarna's badge, under the name that its pages know.
pub(super) async fn badge(headers: HeaderMap) -> Response {
    asset(Path("badge.svg".to_owned()), headers).await
}

pub(super) fn page(page: &Asset, headers: &HeaderMap) -> Response {
    let mut response = serve(page, headers, PAGE_POLICY);
    // The page must be allowed into a frame even of a page that asks for isolation.
    set(&mut response, "cross-origin-resource-policy", "cross-origin");
    set(
        &mut response,
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=()",
    );
    response
}

fn own_page(page: &Asset, headers: &HeaderMap) -> Response {
    let mut response = serve(page, headers, OWN_PAGE_POLICY);
    set(&mut response, "cross-origin-resource-policy", "same-origin");
    set(
        &mut response,
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=()",
    );
    response
}

fn serve(asset: &Asset, headers: &HeaderMap, policy: &'static str) -> Response {
    let known =
        headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(
            |tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.tag),
        );
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(asset.body.clone()))
    };
    set(&mut response, "content-type", asset.content_type);
    set(&mut response, "cache-control", "no-cache");
    set(&mut response, "content-security-policy", policy);
    set(&mut response, "referrer-policy", "no-referrer");
    set(&mut response, "x-content-type-options", "nosniff");
    // A tag is hexadecimal digits in quotes, which is always a header value.
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn set(response: &mut Response, name: &'static str, value: &'static str) {
    response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_known_file_is_not_sent_again() {
        let first = library(HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = library(headers).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(second.headers()[header::ETAG], first.headers()[header::ETAG]);
    }

    #[tokio::test]
    async fn an_unknown_file_is_not_found() {
        let response = asset(Path("../api.js".to_owned()), HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_pages_hold_no_script_or_style_of_their_own() {
        for page in [
            &WIDGET,
            &FLOW,
            &IN_STORE,
            &COUNTER,
            &LEARN_MORE,
            &MOBILE,
            &REQUEST,
            &EXPRESS_BUTTON_PAGE,
        ] {
            assert!(
                !page.body.contains("<style") && !page.body.contains("style="),
                "{}",
                page.name
            );
            assert!(!page.body.contains(" on"), "{}", page.name);
            for script in page.body.split("<script").skip(1) {
                let is_served = ["/kp/assets/", "/kp/lib/v1/api.js\""]
                    .iter()
                    .any(|path| script.contains(&format!("src=\"{path}")));
                assert!(is_served && script.contains("></script>"), "{}", page.name);
            }
        }
    }

    #[test]
    fn every_import_of_the_pages_is_served() {
        for file in FILES.iter().filter(|file| file.content_type == JAVASCRIPT) {
            let imports = file.body.split(" from './").skip(1);
            for import in imports.chain(file.body.split("import('./").skip(1)) {
                let name = import.split('\'').next().unwrap();
                assert!(FILES.iter().any(|other| other.name == name), "{name} in {}", file.name);
            }
        }
    }
}
