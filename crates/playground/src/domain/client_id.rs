//! Client identifiers: by which a merchant's pages are known, and from which pages they may be used.
//!
//! An identifier is public, so what protects it is the list of origins: scheme, host and port, compared
//! exactly. Two widenings are this playground's own: `*.` as the first label stands for any subdomain,
//! and the port `*` of a loopback host for any port, since development servers choose theirs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use klarna_types::MerchantId;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use url::{Host, Url};
use utoipa::ToSchema;

/// How every identifier of a test environment begins.
pub(crate) const PREFIX: &str = "klarna_test_client_";

/// The most origins or redirect addresses of one identifier.
pub(crate) const MOST_ENTRIES: usize = 64;

/// The longest identifier.
const LONGEST: usize = 200;

/// Pages on this machine, on any port.
pub(crate) const LOOPBACK: [&str; 6] = [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://[::1]:*",
];

/// For what an identifier is good. The playground has no live ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientEnvironment {
    /// No money moves.
    Test,
}

/// A client identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientIdentifier {
    /// The identifier as pages carry it.
    pub(crate) client_id: String,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// For what it is good.
    pub(crate) environment: ClientEnvironment,
    /// Whose pages may use it.
    pub(crate) allowed_origins: Vec<String>,
    /// Where a sign-in may lead back to; compared as text, to the letter.
    pub(crate) redirect_uris: Vec<String>,
    /// The hash of its secret, for those who exchange a code on their server.
    pub(crate) client_secret_hash: Option<[u8; 32]>,
}

impl ClientIdentifier {
    /// Whether a page of this origin may use it. `origin` is what a browser sends: `https://shop.example`,
    /// with its port if that is not the usual one.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        let Some(origin) = Site::of_page(origin) else { return false };
        self.allowed_origins
            .iter()
            .filter_map(|pattern| Site::of_pattern(pattern))
            .any(|pattern| pattern.covers(&origin))
    }

    /// Adds origins and addresses that it does not have yet. Whether there was one.
    pub(crate) fn admit(&mut self, origins: &[String], redirect_uris: &[String]) -> bool {
        let before = (self.allowed_origins.len(), self.redirect_uris.len());
        let lists =
            [(&mut self.allowed_origins, origins), (&mut self.redirect_uris, redirect_uris)];
        for (kept, new) in lists {
            for entry in new {
                if !kept.contains(entry) && kept.len() < MOST_ENTRIES {
                    kept.push(entry.clone());
                }
            }
        }
        before != (self.allowed_origins.len(), self.redirect_uris.len())
    }

    /// Whether a sign-in may lead back to this address.
    #[allow(dead_code, reason = "asked by signing in")]
    pub(crate) fn allows_redirect(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|allowed| allowed == uri)
    }
}

/// The identifier that a merchant has from the start: always the same for one secret of a data directory.
pub(crate) fn seeded(merchant_id: &str, secret: &str) -> String {
    let hex = |purpose: &[u8]| {
        let mut text = String::with_capacity(64);
        for byte in mac(secret, purpose, merchant_id) {
            // Writing into a string cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        }
        text
    };
    format!("{PREFIX}{}", hex(b"client identifier").get(..48).unwrap_or_default())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &str, purpose: &[u8], merchant_id: &str) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.update(&[0]);
    mac.update(merchant_id.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Whether a text may be an identifier of this environment.
pub(crate) fn is_client_id(text: &str) -> bool {
    text.len() <= LONGEST
        && text.strip_prefix(PREFIX).is_some_and(|rest| {
            rest.len() >= 8
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
        })
}

/// Whether a text may stand among the allowed origins.
pub(crate) fn is_origin_pattern(text: &str) -> bool {
    Site::of_pattern(text).is_some()
}

/// Whether a sign-in may be told to lead back here: an absolute address of the web without a fragment, with
/// TLS unless it is this machine, or an app's own scheme.
pub(crate) fn is_redirect_uri(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    if text.len() > 2_048 || url.fragment().is_some() || text.chars().any(char::is_whitespace) {
        return false;
    }
    match url.scheme() {
        "https" => url.host().is_some() && url.username().is_empty(),
        "http" => url.host().as_ref().is_some_and(is_loopback) && url.username().is_empty(),
        "javascript" | "data" | "file" | "blob" | "about" | "ws" | "wss" | "ftp" => false,
        // An app's scheme, such as `shop.example.app`.
        _ => true,
    }
}

/// An origin, or a pattern of origins.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    scheme: String,
    host: String,
    /// Any subdomain of the host, and not the host itself.
    below: bool,
    /// `None`: any.
    port: Option<u16>,
}

impl Site {
    /// What a browser sends as `Origin`.
    fn of_page(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        // `Url` adds the slash of an empty path; anything more is no origin.
        let bare = url.origin().ascii_serialization();
        if bare != text || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.to_owned(),
            below: false,
            port: Some(url.port_or_known_default()?),
        })
    }

    fn of_pattern(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (below, rest) = rest.strip_prefix("*.").map_or((false, rest), |rest| (true, rest));
        let (any_port, rest) = rest.strip_suffix(":*").map_or((false, rest), |rest| (true, rest));
        let site = Self::of_page(&format!("{scheme}://{rest}"))?;
        let host = Url::parse(&format!("{scheme}://{rest}")).ok()?.host()?.to_owned();
        let is_name = matches!(host, Host::Domain(_));
        // A wildcard over a whole top-level domain would be everybody's.
        let everybodys = below && !(is_name && site.host.contains('.'));
        if everybodys || (any_port && !is_loopback(&host)) || site.host.contains('*') {
            return None;
        }
        Some(Self { below, port: site.port.filter(|_| !any_port), ..site })
    }

    fn covers(&self, origin: &Self) -> bool {
        let host = if self.below {
            origin
                .host
                .strip_suffix(&self.host)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            origin.host == self.host
        };
        host && self.scheme == origin.scheme && (self.port.is_none() || self.port == origin.port)
    }
}

fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(origins: &[&str]) -> ClientIdentifier {
        ClientIdentifier {
            client_id: format!("{PREFIX}abcdefgh"),
            merchant_id: MerchantId::new("K1"),
            environment: ClientEnvironment::Test,
            allowed_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            redirect_uris: vec!["https://shop.example/back".to_owned()],
            client_secret_hash: None,
        }
    }

    #[test]
    fn origins_are_compared_exactly() {
        let client = with(&["https://shop.example", "http://shop.example:8080"]);
        for (origin, allowed) in [
            ("https://shop.example", true),
            ("http://shop.example:8080", true),
            ("http://shop.example", false),
            ("https://shop.example:8443", false),
            ("https://www.shop.example", false),
            ("https://shop.example.evil.example", false),
            ("https://evilshop.example", false),
            ("https://shop.example/", false),
            ("https://user@shop.example", false),
            ("null", false),
            ("", false),
            ("file://", false),
        ] {
            assert_eq!(client.allows_origin(origin), allowed, "{origin}");
        }
    }

    #[test]
    fn a_leading_star_is_a_label_or_more_and_never_the_host_itself() {
        let client = with(&["https://*.shop.example"]);
        assert!(client.allows_origin("https://de.shop.example"));
        assert!(client.allows_origin("https://a.b.shop.example"));
        assert!(!client.allows_origin("https://shop.example"));
        assert!(!client.allows_origin("https://evilshop.example"));
        assert!(!client.allows_origin("http://de.shop.example"));
    }

    #[test]
    fn this_machine_is_allowed_on_any_port() {
        let client = with(&LOOPBACK);
        for origin in [
            "http://localhost:7070",
            "http://127.0.0.1:1",
            "https://[::1]:8443",
            "http://localhost",
        ] {
            assert!(client.allows_origin(origin), "{origin}");
        }
        assert!(!client.allows_origin("http://localhost.evil.example:7070"));
        assert!(!client.allows_origin("http://128.0.0.1:7070"));
    }

    #[test]
    fn patterns_that_would_be_everybodys_are_refused() {
        for bad in [
            "*",
            "https://*",
            "https://*.com",
            "https://shop.example:*",
            "https://*.127.0.0.1",
            "ftp://shop.example",
            "https://shop.example/path",
            "shop.example",
            "https://a.*.example",
            "https://",
        ] {
            assert!(!is_origin_pattern(bad), "{bad}");
        }
        for good in LOOPBACK.into_iter().chain([
            "https://shop.example",
            "https://*.shop.example",
            "http://a.localhost:*",
        ]) {
            assert!(is_origin_pattern(good), "{good}");
        }
    }

    #[test]
    fn a_redirect_is_compared_to_the_letter() {
        let client = with(&[]);
        assert!(client.allows_redirect("https://shop.example/back"));
        for other in [
            "https://shop.example/back/",
            "https://shop.example/back?a=b",
            "https://shop.example/Back",
        ] {
            assert!(!client.allows_redirect(other), "{other}");
        }
        for good in [
            "https://shop.example/back?a=b",
            "http://localhost:7070/back",
            "app.shop.example:/back",
            "shopapp://back",
        ] {
            assert!(is_redirect_uri(good), "{good}");
        }
        for bad in [
            "http://shop.example/back",
            "https://shop.example/#x",
            "/back",
            "javascript:alert(1)",
            "data:,x",
            "",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }

    #[test]
    fn a_seeded_identifier_is_stable_and_the_merchants_own() {
        let one = seeded("K1", "salt");
        assert_eq!(one, seeded("K1", "salt"));
        assert_ne!(one, seeded("K2", "salt"));
        assert_ne!(one, seeded("K1", "other"));
        assert!(is_client_id(&one), "{one}");
        for bad in [
            "",
            "klarna_test_client_",
            "klarna_live_client_abcdefgh",
            "klarna_test_client_a b c d e",
        ] {
            assert!(!is_client_id(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_comparison(origin in "\\PC{0,40}", pattern in "\\PC{0,40}") {
            let allowed = with(&[pattern.as_str()]).allows_origin(&origin);
            prop_assert!(!allowed || is_origin_pattern(&pattern));
            let _ = is_redirect_uri(&pattern);
        }

        #[test]
        fn an_origin_covers_itself_and_no_other_port(host in "[a-z]{1,8}\\.[a-z]{2,5}", one in 1024_u16..=u16::MAX, other in 1024_u16..=u16::MAX) {
            let origin = format!("https://{host}:{one}");
            let client = with(&[origin.as_str()]);
            prop_assert!(client.allows_origin(&origin));
            let allowed = client.allows_origin(&format!("https://{host}:{other}"));
            prop_assert_eq!(allowed, one == other);
        }
    }
}
