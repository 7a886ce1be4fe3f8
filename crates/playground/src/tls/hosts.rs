//! Klarna's own host names, as the reference and the browser libraries name them.
//!
//! Names only: which routes exist is the router's business, and the SFTP hosts have a server of their
//! own.

/// The API hosts: three regions and the global one, live and playground.
pub(super) const API: [&str; 8] = [
    "api.klarna.com",
    "api.playground.klarna.com",
    "api-na.klarna.com",
    "api-na.playground.klarna.com",
    "api-oc.klarna.com",
    "api-oc.playground.klarna.com",
    "api-global.klarna.com",
    "api-global.test.klarna.com",
];

/// Where browsers go: libraries and badges, purchase flow, sign-in, messaging.
pub(super) const BROWSER: [&str; 7] = [
    "x.klarnacdn.net",
    "js.klarna.com",
    "pay.klarna.com",
    "payments.klarna.com",
    "login.klarna.com",
    "login.playground.klarna.com",
    "osm.klarnaservices.com",
];

/// The domains that those names are under: a certificate of ours for anything else is worthless.
pub(super) const DOMAINS: [&str; 4] =
    ["klarna.com", "klarna.net", "klarnacdn.net", "klarnaservices.com"];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    API.into_iter().chain(BROWSER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_is_under_one_of_the_domains() {
        for host in all() {
            let is_below =
                |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.ends_with('.'));
            assert!(DOMAINS.iter().any(is_below), "{host}");
        }
    }
}
