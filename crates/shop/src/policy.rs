//! The Content-Security-Policy of each page.
//!
//! Everything is closed; the checkout page opens exactly what Klarna's library needs, and that
//! follows from the address of the library itself. So a playground on this machine and Klarna's
//! own servers are both allowed by the same rule, and never more than the one in use.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use url::{Origin, Url};

use crate::gateway::KlarnaSession;

/// The policy of every page but the checkout.
pub const CLOSED: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The policy of a picture, which needs nothing at all.
pub const PICTURE: &str = "default-src 'none'; sandbox";

/// Hosts that Klarna's live library is known to use, beside the one that it comes from.
const KLARNA_FRAMES: &str = "https://*.klarna.com https://*.klarnacdn.net";
const KLARNA_CALLS: &str =
    "https://*.klarna.com https://*.klarnacdn.net https://*.klarnaservices.com";
const KLARNA_IMAGES: &str = "https://*.klarnacdn.net https://*.klarnaservices.com";

/// The address of Klarna's library, if it is one that a page may load.
pub fn script_url(session: &KlarnaSession) -> Option<Url> {
    let url = Url::parse(&session.script_url).ok()?;
    is_web(&url).then_some(url)
}

/// Whether a text is an address of the web.
pub fn is_web_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| is_web(&url))
}

/// Whether an address is one of the web.
pub fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http") && url.host_str().is_some()
}

/// The policy of a page that shows one picture from elsewhere.
pub fn with_picture(picture: Option<&str>) -> String {
    let origin = picture
        .and_then(|picture| Url::parse(picture).ok())
        .filter(is_web)
        .map(|url| url.origin().ascii_serialization());
    match origin {
        Some(origin) => CLOSED.replace("img-src 'self'", &format!("img-src 'self' {origin}")),
        None => CLOSED.to_owned(),
    }
}

/// The policy of a page with parts of Klarna's in it: messages about paying, the express button, the
/// button to sign in.
pub fn with_klarna<'a>(libraries: impl IntoIterator<Item = &'a Url>) -> String {
    let mut origins = BTreeSet::new();
    let mut live = false;
    for library in libraries {
        origins.insert(library.origin().ascii_serialization());
        live |= is_klarnas(library);
    }
    let own = origins.into_iter().collect::<Vec<_>>().join(" ");
    if own.is_empty() {
        return CLOSED.to_owned();
    }
    let (frames, calls, images) =
        if live { (KLARNA_FRAMES, KLARNA_CALLS, KLARNA_IMAGES) } else { ("", "", "") };
    format!(
        "default-src 'none'; script-src 'self' {own}; style-src 'self' 'unsafe-inline'; \
         img-src 'self' {own} {images}; connect-src 'self' {own} {calls}; \
         frame-src {own} {frames}; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The policy of the checkout page.
pub fn checkout(session: Option<&KlarnaSession>) -> String {
    let Some((session, script)) = session.and_then(|s| Some((s, script_url(s)?))) else {
        return CLOSED.to_owned();
    };
    let origin = script.origin();
    let klarna_live = is_klarnas(&script);
    let own = origin.ascii_serialization();
    let mut frames = own.clone();
    let mut calls = own.clone();
    let mut images: BTreeSet<String> = badge_origins(session);
    images.insert(own.clone());
    let mut images = images.into_iter().collect::<Vec<_>>().join(" ");
    if klarna_live {
        let _ = write!(frames, " {KLARNA_FRAMES}");
        let _ = write!(calls, " {KLARNA_CALLS}");
        let _ = write!(images, " {KLARNA_IMAGES}");
    }
    // Klarna's library sizes its frame with style attributes; styles cannot run.
    format!(
        "default-src 'none'; script-src 'self' {own}; style-src 'self' 'unsafe-inline'; \
         img-src 'self' {images}; connect-src 'self' {calls}; frame-src {frames}; \
         manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn is_klarnas(script: &Url) -> bool {
    script.host_str().is_some_and(|host| {
        ["klarna.com", "klarnacdn.net", "klarnaservices.com"].iter().any(|domain| {
            host == *domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        })
    })
}

fn badge_origins(session: &KlarnaSession) -> BTreeSet<String> {
    session
        .payment_method_categories
        .iter()
        .filter_map(|category| Url::parse(category.badge()?).ok())
        .filter(is_web)
        .map(|url| url.origin())
        .filter(Origin::is_tuple)
        .map(|origin| origin.ascii_serialization())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(script: &str, badge: &str) -> KlarnaSession {
        serde_json::from_value(serde_json::json!({
            "client_token": "a.b.c",
            "script_url": script,
            "payment_method_categories": [
                {"identifier": "klarna", "name": "Klarna", "asset_urls": {"standard": badge}}
            ]
        }))
        .unwrap()
    }

    #[test]
    fn a_local_playground_opens_only_itself() {
        let policy = checkout(Some(&session(
            "http://localhost:7072/kp/lib/v1/api.js",
            "https://x.klarnacdn.net/payment-method/assets/badges/generic/klarna.svg",
        )));
        assert!(policy.contains("script-src 'self' http://localhost:7072;"), "{policy}");
        assert!(policy.contains("frame-src http://localhost:7072;"), "{policy}");
        assert!(policy.contains("connect-src 'self' http://localhost:7072;"), "{policy}");
        assert!(
            policy.contains("img-src 'self' http://localhost:7072 https://x.klarnacdn.net;"),
            "{policy}"
        );
        assert!(!policy.contains("klarna.com"), "{policy}");
        assert!(!policy.split("style-src").next().unwrap().contains("unsafe"), "{policy}");
    }

    #[test]
    fn klarnas_own_library_opens_klarnas_hosts() {
        let policy = checkout(Some(&session("https://x.klarnacdn.net/kp/lib/v1/api.js", "")));
        assert!(policy.contains("script-src 'self' https://x.klarnacdn.net;"), "{policy}");
        assert!(
            policy.contains("frame-src https://x.klarnacdn.net https://*.klarna.com"),
            "{policy}"
        );
        assert!(!is_klarnas(&Url::parse("https://notklarna.com/x.js").unwrap()));
    }

    #[test]
    fn an_address_that_is_not_of_the_web_opens_nothing() {
        for bad in ["javascript:alert(1)", "data:text/javascript,1", "", "/x.js", "file:///x"] {
            assert_eq!(checkout(Some(&session(bad, ""))), CLOSED, "{bad}");
        }
        assert_eq!(checkout(None), CLOSED);
        assert_eq!(with_picture(Some("javascript:alert(1)")), CLOSED);
        assert_eq!(with_klarna([]), CLOSED);
        let sdk = Url::parse("http://localhost:7072/web-sdk/v1/klarna.js").unwrap();
        let policy = with_klarna([&sdk, &sdk]);
        assert!(policy.contains("script-src 'self' http://localhost:7072;"), "{policy}");
        assert!(!policy.contains("klarna.com"), "{policy}");
        let opened = with_picture(Some("https://pay.example/code.svg?x=1"));
        assert!(opened.contains("img-src 'self' https://pay.example;"), "{opened}");
    }
}
