//! What the program says: to people as a short page, to programs as one JSON object per line.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::doors::port_of;
use crate::tool::Failure;

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// A person.
    Human,
    /// A program.
    Json,
}

/// Everything runs. The first line that `--json` prints.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Ready {
    pub(crate) version: &'static str,
    pub(crate) urls: Urls,
    pub(crate) credentials: ReadyCredentials,
    /// HTTPS as `localhost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<ReadyTls>,
    /// HTTPS as Klarna.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intercept: Option<ReadyIntercept>,
    /// Settlement reports by SFTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sftp: Option<ReadySftp>,
    /// Who may use the control API.
    #[serde(skip)]
    pub(crate) control: ControlAccess,
    /// Where state is kept; absent when it is kept in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<String>,
}

/// Who may use the playground's control API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ControlAccess {
    /// Whoever reaches it: that is this machine alone.
    #[default]
    Open,
    /// Who has the token.
    Token,
    /// Nobody: others can reach it, and there is no token.
    Closed,
}

/// Where each part is.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Urls {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dashboard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) playground: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<String>,
}

/// HTTPS as `localhost`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReadyTls {
    /// Where.
    pub(crate) url: String,
    /// The file with the authority's certificate.
    pub(crate) ca: String,
}

/// HTTPS under Klarna's own host names.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReadyIntercept {
    /// Where, as an address and a port.
    pub(crate) address: String,
    /// The file with the authority's certificate.
    pub(crate) ca: String,
    /// The names that are answered to.
    pub(crate) hosts: Vec<&'static str>,
}

/// SFTP. Each merchant signs in with its own user name and password.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReadySftp {
    /// Where.
    pub(crate) url: String,
    /// The server's public key, as a line of `known_hosts` has it.
    pub(crate) host_key: String,
    /// That key's fingerprint.
    pub(crate) fingerprint: String,
}

/// The credentials that this process accepts or uses: they exist to be shown, so they are plain
/// text here, and here alone.
#[derive(Clone, Default, Serialize)]
pub(crate) struct ReadyCredentials {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) merchants: Vec<ReadyMerchant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway_api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dashboard_password: Option<String>,
}

impl ReadyCredentials {
    fn is_empty(&self) -> bool {
        self.merchants.is_empty()
            && self.gateway_api_key.is_none()
            && self.dashboard_password.is_none()
    }
}

impl std::fmt::Debug for ReadyCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadyCredentials").finish_non_exhaustive()
    }
}

/// A merchant's credential for Klarna's APIs.
#[derive(Clone, Serialize)]
pub(crate) struct ReadyMerchant {
    pub(crate) merchant_id: String,
    pub(crate) username: String,
    pub(crate) password: String,
    /// By which its pages are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
}

impl Output {
    /// Everything runs.
    pub(crate) fn ready(self, ready: &Ready) {
        match self {
            Self::Human => out(&page(ready, std::io::stdout().is_terminal())),
            Self::Json => event("ready", ready),
        }
    }

    /// A stop was asked for.
    pub(crate) fn stopping(self) {
        match self {
            Self::Human => out("\nStopping; open requests are finished first.\n"),
            Self::Json => event("stopping", &serde_json::json!({})),
        }
    }

    /// Everything stopped as it should.
    pub(crate) fn stopped(self) {
        match self {
            Self::Human => out("Stopped.\n"),
            Self::Json => event("stopped", &serde_json::json!({})),
        }
    }

    /// Stored secrets were brought under the newest key.
    pub(crate) fn resealed(self, found: u64, renewed: u64) {
        match self {
            Self::Human => out(&format!(
                "{found} stored secrets are under the newest master key; {renewed} were under an \
                 older one.\n"
            )),
            Self::Json => {
                event("resealed", &serde_json::json!({ "found": found, "renewed": renewed }));
            }
        }
    }

    /// Something that will go wrong later.
    pub(crate) fn warning(self, message: &str) {
        if self == Self::Json {
            event("warning", &serde_json::json!({ "message": message }));
        }
        let _ = writeln!(std::io::stderr(), "warning: {message}");
    }

    /// A command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        if self == Self::Json {
            out(&format!("{}\n", failure.event()));
        }
        let _ = write!(std::io::stderr(), "{}", failure.page());
    }

    /// It failed: the error and what caused it.
    pub(crate) fn error(self, error: &dyn std::error::Error) {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            // Some errors repeat their source in their own words.
            let text = source.to_string();
            if !message.contains(&text) {
                let _ = write!(message, ": {text}");
            }
            cause = source.source();
        }
        if self == Self::Json {
            event("error", &serde_json::json!({ "message": message }));
        }
        let _ = writeln!(std::io::stderr(), "error: {message}");
    }
}

/// One object of the JSON that a program reads.
pub(crate) fn event(name: &str, body: &impl Serialize) {
    let mut object = serde_json::Map::new();
    object.insert("event".to_owned(), name.into());
    if let Ok(serde_json::Value::Object(members)) = serde_json::to_value(body) {
        object.extend(members);
    }
    out(&format!("{}\n", serde_json::Value::Object(object)));
}

/// Nobody may be listening any more (a closed pipe); that is no reason to fail.
pub(crate) fn out(text: &str) {
    let _ = try_out(text);
}

/// For whoever goes on for as long as somebody listens.
pub(crate) fn try_out(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

fn page(ready: &Ready, colour: bool) -> String {
    let (bold, dim, reset) = if colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let mut text = format!("\n{bold}Kassa {}{reset}\n\n", ready.version);
    let mut row = |name: &str, value: &Option<String>, what: &str| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<12}{bold}{value:<34}{reset}{dim}{what}{reset}");
        }
    };
    row("Shop", &ready.urls.shop, "buy something with Klarna here");
    row("Dashboard", &ready.urls.dashboard, "the merchant's payments: capture, refund");
    row("Gateway", &ready.urls.gateway, "the merchant's payment API, see /v1/openapi.json");
    row("Playground", &ready.urls.playground, "Klarna's side, offline");
    row("Metrics", &ready.urls.metrics, "what Prometheus reads");
    row("", &ready.tls.as_ref().map(|tls| tls.url.clone()), "the same over HTTPS");
    row(
        "SFTP",
        &ready.sftp.as_ref().map(|sftp| sftp.url.clone()),
        "settlement reports, with a Klarna username and password",
    );
    row("", &ready.sftp.as_ref().map(|sftp| sftp.fingerprint.clone()), "  its host key");
    let credentials = &ready.credentials;
    if !credentials.is_empty() {
        let _ = writeln!(text, "\n  {bold}Test credentials{reset}");
    }
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<22}{value}");
    };
    for merchant in &credentials.merchants {
        row("Klarna merchant id", &merchant.merchant_id);
        row("Klarna username", &merchant.username);
        row("Klarna password", &merchant.password);
        if let Some(client_id) = &merchant.client_id {
            row("Klarna client id", client_id);
        }
    }
    if let Some(key) = &credentials.gateway_api_key {
        row("Gateway API key", key);
    }
    if let Some(password) = &credentials.dashboard_password {
        row("Dashboard password", password);
    }
    if let Some(tls) = &ready.tls {
        let _ = writeln!(text, "\n  {bold}HTTPS{reset}\n  CA certificate        {}", tls.ca);
    }
    if let Some(intercept) = &ready.intercept {
        let _ = writeln!(text, "\n  {bold}As Klarna{reset}");
        text.push_str(&how_to_intercept(intercept));
    }
    let _ = writeln!(text, "\n  {bold}What to try{reset}");
    let mut number = 0;
    let mut step = |words: String| {
        number += 1;
        let _ = writeln!(text, "  {number}. {words}");
    };
    if let Some(shop) = &ready.urls.shop {
        step(format!(
            "Open {shop}, put something in the cart and check out with Klarna.\n     \
             The checkout can fill in Klarna's published test persons; any six digits but 999999\n     \
             pass as the one-time code."
        ));
    }
    if let Some(dashboard) = &ready.urls.dashboard {
        step(format!("Open {dashboard}, sign in with the dashboard password, capture and refund."));
    }
    if ready.control == ControlAccess::Closed {
        step(
            "Others can reach this playground, so its control API is closed: the clock, faults and the log.\n     \
             Start it with --control-token (or KASSA_CONTROL_TOKEN) to use them."
                .to_owned(),
        );
    } else if let Some(playground) = &ready.urls.playground {
        let playground = playground.trim_end_matches('/');
        let token = match ready.control {
            ControlAccess::Token => " -H \"authorization: Bearer $KASSA_CONTROL_TOKEN\"",
            ControlAccess::Open | ControlAccess::Closed => "",
        };
        step(format!(
            "Open {playground}/playground/v1/requests to see each call that reached Klarna's side,\n     \
             and why it was refused, if it was."
        ));
        step(format!(
            "Move Klarna's clock:\n     curl -X POST {playground}/playground/v1/clock \
             -H 'content-type: application/json'{token} -d '{{\"advance\":\"P1D\"}}'"
        ));
    }
    let kept = ready.data_dir.as_deref().map_or_else(
        || "Everything is kept in memory and forgotten at the end.".to_owned(),
        |directory| format!("Everything is kept in {directory}."),
    );
    let _ = writeln!(text, "\n  {dim}{kept} Press Ctrl-C to stop.{reset}\n");
    text
}

/// How an unmodified program comes to trust and reach us. Nothing of it is done by Kassa.
fn how_to_intercept(intercept: &ReadyIntercept) -> String {
    let ReadyIntercept { address, ca, hosts } = intercept;
    let port = port_of(address);
    let mut text = format!(
        "  Klarna's host names are answered at {address}, with certificates of a local authority:\n  \
         {ca}\n  \
         It is good for Klarna's names and localhost only, and this machine does not know of it. To\n  \
         have one program trust it and reach us:\n\n    \
         curl      curl --cacert {ca} --connect-to ::{address} \\\n              \
         https://api.playground.klarna.com/…\n    \
         Node      NODE_EXTRA_CA_CERTS={ca} node …\n    \
         PHP, Ruby, Go, OpenSSL\n              SSL_CERT_FILE={ca} …\n    \
         Python    REQUESTS_CA_BUNDLE={ca} python …\n    \
         Java      keytool -importcert -noprompt -alias kassa -file {ca} \\\n                \
         -keystore kassa.p12 -storepass changeit\n              \
         java -Djavax.net.ssl.trustStore=kassa.p12 -Djavax.net.ssl.trustStorePassword=changeit …\n\n"
    );
    let host = hosts.first().copied().unwrap_or_default();
    if port == 443 {
        let _ = writeln!(
            text,
            "  All but curl look the names up: give a container --add-host {host}:ADDRESS for each name,\n  \
             or a hosts file with these lines:\n\n    127.0.0.1 {}",
            hosts.join(" ")
        );
    } else {
        let _ = writeln!(
            text,
            "  All but curl expect port 443. Start with --intercept-listen 127.0.0.1:443 in a container,\n  \
             or where ports below 1024 may be had (sudo setcap cap_net_bind_service=+ep $(which kassa)),\n  \
             and let the names lead there: --add-host {host}:ADDRESS for a container, or a hosts file."
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Ready {
        Ready {
            version: "1.2.3",
            urls: Urls {
                shop: Some("http://localhost:7070/".to_owned()),
                gateway: Some("http://localhost:7071/".to_owned()),
                dashboard: Some("http://localhost:7071/dashboard".to_owned()),
                playground: Some("http://localhost:7072/".to_owned()),
                metrics: None,
            },
            credentials: ReadyCredentials {
                merchants: vec![ReadyMerchant {
                    merchant_id: "K1".to_owned(),
                    username: "K1_user".to_owned(),
                    password: "pass".to_owned(),
                    client_id: Some("klarna_test_client_1".to_owned()),
                }],
                gateway_api_key: Some("kassa_sk_1".to_owned()),
                dashboard_password: Some("letmein".to_owned()),
            },
            control: ControlAccess::Open,
            data_dir: None,
            tls: None,
            intercept: Some(ReadyIntercept {
                address: "127.0.0.1:7443".to_owned(),
                ca: "/data/intercept/ca.pem".to_owned(),
                hosts: vec!["api.klarna.com"],
            }),
            sftp: Some(ReadySftp {
                url: "sftp://127.0.0.1:4001".to_owned(),
                host_key: "ssh-ed25519 AAAA".to_owned(),
                fingerprint: "SHA256:x".to_owned(),
            }),
        }
    }

    #[test]
    fn whoever_intercepts_is_told_how_to_be_trusted_and_reached() {
        let mut ready = ready();
        let text = page(&ready, false);
        for needed in ["--cacert /data/intercept/ca.pem", "::127.0.0.1:7443", "sftp://", "443"] {
            assert!(text.contains(needed), "{needed} is missing:\n{text}");
        }
        ready.intercept.as_mut().unwrap().address = "127.0.0.1:443".to_owned();
        let text = page(&ready, false);
        assert!(text.contains("127.0.0.1 api.klarna.com"), "{text}");
        assert!(!text.contains("setcap"), "{text}");
    }

    #[test]
    fn nobody_is_led_to_a_control_api_that_is_closed() {
        let mut ready = ready();
        ready.control = ControlAccess::Closed;
        let text = page(&ready, false);
        assert!(
            text.contains("--control-token") && !text.contains("/playground/v1/clock"),
            "{text}"
        );
        ready.control = ControlAccess::Token;
        let text = page(&ready, false);
        assert!(text.contains("authorization: Bearer $KASSA_CONTROL_TOKEN"), "{text}");
    }

    #[test]
    fn a_person_sees_every_url_and_credential() {
        let text = page(&ready(), false);
        for needed in [
            "http://localhost:7070/",
            "http://localhost:7071/dashboard",
            "http://localhost:7072/",
            "K1_user",
            "pass",
            "kassa_sk_1",
            "letmein",
            "in memory",
        ] {
            assert!(text.contains(needed), "{needed} is missing:\n{text}");
        }
        assert!(!text.contains('\x1b'), "no colour where there is no terminal");
    }

    #[test]
    fn steps_are_numbered_without_gaps_and_no_heading_stands_alone() {
        let mut ready = ready();
        ready.urls.dashboard = None;
        ready.credentials = ReadyCredentials::default();
        let text = page(&ready, false);
        for number in 1..=3 {
            assert!(text.contains(&format!("\n  {number}. ")), "{number} is missing:\n{text}");
        }
        assert!(!text.contains("Test credentials"), "{text}");
    }

    #[test]
    fn debug_output_shows_no_credential() {
        let text = format!("{:?}", ready());
        assert!(!text.contains("letmein") && !text.contains("kassa_sk_1"), "{text}");
    }
}
