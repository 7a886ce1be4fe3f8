//! Who is let in, over HTTP, where it depends on how the gateway is run: behind a proxy, over TLS, after its
//! configuration was changed, after a while.

use std::sync::Arc;

use crate::town::{API_KEY, PASSWORD, Reply, Town, fresh_postgres};
use gateway::{Config, EarlierKeys, TrustedProxies};
use jiff::{SignedDuration, Timestamp};
use klarna_types::Secret;
use service::{Clock, ManualClock, SystemClock};
use storage::Location;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn clock() -> Arc<ManualClock> {
    let start: Timestamp = "2031-05-04T09:00:00Z".parse().unwrap();
    ManualClock::starting_at(start)
}

fn behind(networks: &[&str]) -> TrustedProxies {
    networks.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>().into()
}

async fn sign_in(town: &Town, password: &str, more: &[(&str, &str)]) -> Reply {
    let mut headers = vec![FORM];
    headers.extend_from_slice(more);
    let body = format!("password={}", password.replace(' ', "+"));
    town.send("POST", town.at("/dashboard/sign-in"), &headers, body).await
}

#[tokio::test]
async fn guesses_are_counted_for_whom_a_trusted_proxy_names() {
    let clock = clock();
    let at = Arc::clone(&clock) as Arc<dyn Clock>;
    let proxied = |config| Config { trusted_proxies: behind(&["127.0.0.0/8"]), ..config };
    let town = Town::build_with(Location::Memory, at, proxied).await;
    let one = [("x-forwarded-for", "203.0.113.9")];
    for _ in 0..10 {
        assert_eq!(sign_in(&town, "wrong", &one).await.status, 401);
    }
    assert_eq!(sign_in(&town, PASSWORD, &one).await.status, 429, "they have guessed enough");
    // What a caller puts in front of what the proxy writes changes nothing.
    let forged = [("x-forwarded-for", "198.51.100.77, 203.0.113.9")];
    assert_eq!(sign_in(&town, PASSWORD, &forged).await.status, 429);
    let other = [("x-forwarded-for", "203.0.113.10")];
    assert_eq!(sign_in(&town, PASSWORD, &other).await.status, 303, "nobody else is locked out");
    let log = town.call_with("GET", "/v1/audit_log", &serde_json::Value::Null, &other).await;
    let entry = &log.body["data"][0];
    assert_eq!(
        (entry["action"].as_str(), entry["data"]["address"].as_str()),
        (Some("user.signed_in"), Some("203.0.113.10")),
        "{entry}"
    );
    town.end().await;
}

#[tokio::test]
async fn whoever_is_no_trusted_proxy_cannot_say_who_calls() {
    for trusted in [&[][..], &["10.0.0.0/8"]] {
        let trusting = |config| Config { trusted_proxies: behind(trusted), ..config };
        let town = Town::build_with(Location::Memory, clock(), trusting).await;
        for number in 0..10 {
            let address = format!("203.0.113.{number}");
            let said = [("x-forwarded-for", address.as_str())];
            assert_eq!(sign_in(&town, "wrong", &said).await.status, 401);
        }
        let fresh = [("x-forwarded-for", "198.51.100.1")];
        assert_eq!(sign_in(&town, PASSWORD, &fresh).await.status, 429, "one caller all the time");
        town.end().await;
    }
}

fn over_tls(config: Config) -> Config {
    Config { public_url: Some("https://pay.example".parse().unwrap()), ..config }
}

#[tokio::test]
async fn behind_tls_browsers_are_told_never_to_come_without() {
    let proxied = |config| Config { trusted_proxies: behind(&["127.0.0.1"]), ..over_tls(config) };
    let town = Town::build_with(Location::Memory, SystemClock::shared(), proxied).await;
    let https = [("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")];
    for path in ["/dashboard/sign-in", "/v1/openapi.json", "/v1/payments", "/nowhere"] {
        let reply = town.send("GET", town.at(path), &https, String::new()).await;
        let hsts = reply.headers["strict-transport-security"].to_str().unwrap();
        assert_eq!(hsts, "max-age=31536000", "{path}");
    }
    let reply = sign_in(&town, PASSWORD, &https).await;
    assert_eq!(reply.status, 303, "{}", reply.text);
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-kassa_session="), "{cookie}");
    for attribute in ["; Path=/;", "; Secure;", "; HttpOnly", "; SameSite=Strict", "Max-Age=43200"]
    {
        assert!(cookie.contains(attribute), "{attribute} is missing: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "browsers refuse the prefix then: {cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let mut headers = https.to_vec();
    headers.push(("cookie", cookie));
    let page = town.send("GET", town.at("/dashboard"), &headers, String::new()).await;
    assert_eq!(page.status, 200, "{}", page.text);
    // Under the name that it has without TLS it is no cookie of ours.
    let plain = cookie.replace("__Host-", "");
    let headers = [("cookie", plain.as_str())];
    let page = town.send("GET", town.at("/dashboard"), &headers, String::new()).await;
    assert_eq!(page.status, 303);

    // The proxy was called without TLS: pages are called again, and what carries a key is refused.
    let http = [("x-forwarded-proto", "http"), ("x-forwarded-for", "203.0.113.9")];
    let page = town.send("GET", town.at("/dashboard/sign-in"), &http, String::new()).await;
    let place = page.headers["location"].to_str().unwrap();
    assert_eq!((page.status, place), (308, "https://pay.example/dashboard/sign-in"));
    let reply = sign_in(&town, PASSWORD, &http).await;
    assert_eq!((reply.status, reply.headers.get("set-cookie")), (403, None));
    let reply = town.send("GET", town.at("/v1/payments"), &http, String::new()).await;
    assert_eq!((reply.status, reply.body["code"].as_str()), (403, Some("tls_required")));
    town.end().await;
}

#[tokio::test]
async fn without_tls_nothing_of_it_is_said() {
    let town = Town::build(Location::Memory).await;
    let reply = sign_in(&town, PASSWORD, &[("x-forwarded-proto", "https")]).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("kassa_session=") && !cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/dashboard;"), "{cookie}");
    assert!(!reply.headers.contains_key("strict-transport-security"));
    town.end().await;
}

/// The status of a page for whoever has that cookie.
async fn page(town: &Town, cookie: &str) -> u16 {
    let headers = [("cookie", cookie)];
    town.send("GET", town.at("/dashboard"), &headers, String::new()).await.status
}

async fn cookie_of(town: &Town) -> String {
    let reply = sign_in(town, PASSWORD, &[]).await;
    assert_eq!(reply.status, 303, "{}", reply.text);
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_does_nothing_for_two_hours_is_signed_out_and_everybody_after_twelve() {
    let clock = clock();
    let at = Arc::clone(&clock) as Arc<dyn Clock>;
    let town = Town::build_at(Location::Memory, at).await;
    let minutes = |count| clock.advance(SignedDuration::from_mins(count));

    let idle = cookie_of(&town).await;
    minutes(119);
    assert_eq!(page(&town, &idle).await, 200);
    // That it was used is kept a moment later.
    let noted = clock.now_ms();
    while seen(&town).await < noted {
        tokio::task::yield_now().await;
    }
    minutes(119);
    assert_eq!(page(&town, &idle).await, 200, "used in between");
    let noted = clock.now_ms();
    while seen(&town).await < noted {
        tokio::task::yield_now().await;
    }
    minutes(121);
    assert_eq!(page(&town, &idle).await, 303, "nothing for two hours");
    minutes(-60);
    let busy = cookie_of(&town).await;
    for _ in 0..11 {
        minutes(60);
        assert_eq!(page(&town, &busy).await, 200);
        let noted = clock.now_ms();
        while seen(&town).await < noted {
            tokio::task::yield_now().await;
        }
    }
    minutes(61);
    assert_eq!(page(&town, &busy).await, 303, "twelve hours are over, however busy");
    town.end().await;
}

/// When any session was last used.
async fn seen(town: &Town) -> i64 {
    town.gateway
        .database()
        .read(|tx| {
            let row = tx.query_one("SELECT MAX(seen_at_ms) FROM user_sessions", &[])?;
            Ok::<_, storage::Error>(row.get::<Option<i64>>(0)?.unwrap_or_default())
        })
        .await
        .unwrap()
}

const OTHER_KEY: &str = "kassa_sk_anotherkey89abcdef0123456789abcdef";

async fn with_keys(location: &Location, keys: &[&str], earlier_keys: EarlierKeys) -> [u16; 2] {
    let api_keys = keys.iter().map(|key| Secret::new(*key)).collect();
    let keyed = |config| Config { api_keys, earlier_keys, ..config };
    let town = Town::build_with(location.clone(), SystemClock::shared(), keyed).await;
    let mut statuses = [0; 2];
    for (status, key) in statuses.iter_mut().zip([API_KEY, OTHER_KEY]) {
        let authorization = format!("Bearer {key}");
        let headers = [("authorization", authorization.as_str())];
        *status = town.send("GET", town.at("/v1/payments"), &headers, String::new()).await.status;
    }
    town.end().await;
    statuses
}

#[tokio::test]
async fn a_key_that_the_configuration_no_longer_says_works_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut locations = vec![Location::File(folder.path().join("gateway.db"))];
    if let Ok(url) = std::env::var("KASSA_TEST_POSTGRES") {
        locations.push(fresh_postgres(&url).await);
    }
    for location in &locations {
        let end = EarlierKeys::End;
        assert_eq!(with_keys(location, &[API_KEY, OTHER_KEY], end).await, [200, 200]);
        assert_eq!(with_keys(location, &[OTHER_KEY], end).await, [401, 200]);
        assert_eq!(with_keys(location, &[], end).await, [401, 401]);
        assert_eq!(with_keys(location, &[API_KEY], end).await, [200, 401], "it may come back");
        // A node that made its key up says nothing about the others'.
        let expected =
            if matches!(location, Location::Postgres(_)) { [200, 200] } else { [401, 200] };
        assert_eq!(with_keys(location, &[OTHER_KEY], EarlierKeys::Stay).await, expected);
    }
}
