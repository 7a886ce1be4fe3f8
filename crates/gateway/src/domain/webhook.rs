//! Webhooks: what is told to a shop, how it is signed, when it is told again, and when the gateway
//! stops trying.
//!
//! The form is that of Standard Webhooks (<https://www.standardwebhooks.com>): the headers
//! `webhook-id`, `webhook-timestamp` and `webhook-signature`, secrets written `whsec_…`. An event is
//! one message: however often it is sent, its `webhook-id` is the event's id.
//!
//! Events of one subject (a payment, a checkout) are told in their order: a later one waits until the
//! earlier one was taken, or was given up. Subjects do not wait for each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How long a message is tried, from its first attempt.
pub const PATIENCE_MS: i64 = 72 * HOUR_MS;
/// The longest that an old secret may go on signing beside the new one.
pub const LONGEST_OVERLAP_MS: i64 = 7 * 24 * HOUR_MS;
/// How long it does unless something else is said.
pub const OVERLAP_MS: i64 = 24 * HOUR_MS;
/// So many endpoints a store may have.
pub const MOST_ENDPOINTS: usize = 20;
/// So many patterns an endpoint may name.
pub const MOST_PATTERNS: usize = 50;
/// So many secrets sign at once, the newest among them.
const MOST_SECRETS: usize = 5;
const LONGEST_URL: usize = 2048;
/// The longest description of an endpoint, in characters.
pub const LONGEST_DESCRIPTION: usize = 200;

/// The waits between attempts: close together at first, since most failures are hiccups; then so far
/// apart that three days are covered. Their sum is just under [`PATIENCE_MS`].
const WAITS_MS: [i64; 13] = [
    5 * SECOND_MS,
    30 * SECOND_MS,
    2 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
    8 * HOUR_MS,
    12 * HOUR_MS,
    12 * HOUR_MS,
    24 * HOUR_MS,
];

/// The longest wait that a receiver's `Retry-After` may ask for.
const LONGEST_ASKED_MS: i64 = HOUR_MS;

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// What its `Retry-After` asked for.
        retry_after_ms: Option<i64>,
    },
    /// None that could be used.
    Nothing,
}

/// What is to become of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The shop has it.
    Delivered,
    /// Again, after this long.
    Again {
        /// The wait.
        wait_ms: i64,
    },
    /// No more: three days were not enough. It is a dead letter.
    GiveUp,
    /// The receiver says that nobody lives there any more (410).
    Gone,
}

/// Judges the attempt number `tries` (the first is 1) of a delivery.
pub fn decide(delivery_id: &str, tries: i64, heard: Heard) -> Verdict {
    match heard {
        Heard::Answer { status: 200..=299, .. } => Verdict::Delivered,
        Heard::Answer { status: 410, .. } => Verdict::Gone,
        Heard::Answer { retry_after_ms, .. } => again(delivery_id, tries, retry_after_ms),
        Heard::Nothing => again(delivery_id, tries, None),
    }
}

fn again(delivery_id: &str, tries: i64, asked_ms: Option<i64>) -> Verdict {
    wait_ms(delivery_id, tries, asked_ms)
        .map_or(Verdict::GiveUp, |wait_ms| Verdict::Again { wait_ms })
}

/// The wait after the attempt number `tries` has failed, or `None` when there is no further one.
///
/// Up to a tenth is taken off, differently for each delivery, so that what failed together does not
/// come back together. `Retry-After` lengthens a wait, by an hour at most.
pub fn wait_ms(delivery_id: &str, tries: i64, asked_ms: Option<i64>) -> Option<i64> {
    let index = usize::try_from(tries.max(1) - 1).ok()?;
    let whole = *WAITS_MS.get(index)?;
    let hash = Sha256::digest(format!("{delivery_id}/{tries}").as_bytes());
    let spread = i64::from(hash.first().copied().unwrap_or_default());
    let own = whole - whole / 10 * spread / 256;
    Some(own.max(asked_ms.unwrap_or(0).clamp(0, LONGEST_ASKED_MS)))
}

/// Whether an endpoint is to be switched off when a delivery was given up: nothing at all arrived
/// there since that delivery was first tried.
pub fn is_dead_end(first_attempt_at_ms: i64, last_success_at_ms: Option<i64>) -> bool {
    last_success_at_ms.is_none_or(|at_ms| at_ms < first_attempt_at_ms)
}

/// A fresh secret in the form that receivers are given, made from an unguessable value.
pub fn secret_of(fresh: &str) -> String {
    let key = Sha256::digest(format!("webhook-secret:{fresh}").as_bytes());
    format!("whsec_{}", STANDARD.encode(key))
}

/// The key that a secret stands for.
pub fn key_of(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()
}

/// The value of `webhook-signature`: one `v1,…` for each key, the newest first.
pub fn signature(keys: &[Vec<u8>], id: &str, timestamp_s: i64, body: &str) -> String {
    let signed: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            // HMAC takes keys of any length.
            let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
            mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        })
        .collect();
    signed.join(" ")
}

/// An event as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The event's id, which is the `webhook-id`.
    pub id: &'a str,
    /// Such as `payment.captured`.
    pub kind: &'a str,
    /// What it happened to.
    pub subject_id: &'a str,
    /// The version of the subject that it led to.
    pub version: i64,
    /// More about it.
    pub data: &'a Value,
    /// When it happened.
    pub created_at_ms: i64,
}

impl Message<'_> {
    /// The body. The same event has the same body, however often it is sent.
    pub fn body(&self) -> String {
        let timestamp = Timestamp::from_millisecond(self.created_at_ms)
            .map_or_else(|_| String::new(), |at| format!("{at:.3}"));
        json!({
            "id": self.id,
            "type": self.kind,
            "timestamp": timestamp,
            "subject_id": self.subject_id,
            "version": self.version,
            "data": told(self.data),
        })
        .to_string()
    }
}

/// Who at the merchant did it and what they noted down stays inside; all else of an event may be told.
pub fn told(data: &Value) -> Value {
    let mut data = data.clone();
    if let Some(members) = data.as_object_mut() {
        for inside in ["by", "note"] {
            members.remove(inside);
        }
    }
    data
}

/// Whether an endpoint that named these patterns hears of events of this type. No pattern means all.
pub fn is_wanted(patterns: &[String], kind: &str) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => pattern == kind,
        })
}

/// Whether this is a pattern: a type such as `payment.captured`, `payment.*`, or `*`.
pub fn is_pattern(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    text.len() <= 100
        && (text == "*"
            || text
                .split_once('.')
                .is_some_and(|(noun, verb)| is_name(noun) && (verb == "*" || is_name(verb))))
}

/// Whether messages may travel without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Only with TLS.
    TlsOnly,
    /// Without as well: to this machine and private networks.
    Any,
}

/// Reads the URL of an endpoint; the error says what would have worked.
pub fn endpoint_url(text: &str, transport: Transport) -> Result<Url, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("at most 2048 characters are allowed");
    }
    let url = Url::parse(text)
        .map_err(|_| "not a URL; give the whole address, such as https://shop.example/webhooks")?;
    match (url.scheme(), transport) {
        ("https", _) | ("http", Transport::Any) => {}
        ("http", Transport::TlsOnly) => return Err("must begin with https://"),
        _ => return Err("must begin with https:// or http://"),
    }
    if !url.has_host() {
        return Err("names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must hold no user name and no password: each message is signed, check that instead",
        );
    }
    if url.fragment().is_some() {
        return Err("must not hold a fragment (`#…`): it would never be sent");
    }
    Ok(url)
}

/// Whether an endpoint is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is.
    Enabled,
    /// It is not: what happens meanwhile is not kept for it, but can be replayed.
    Disabled,
}

impl Standing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// Why an endpoint is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Someone wanted it so.
    Asked,
    /// Nothing arrived for three days.
    Failing,
    /// It answered 410 Gone.
    Gone,
}

impl Why {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// Whether a person has to look after it.
    pub fn needs_attention(self) -> bool {
        match self {
            Self::Failing | Self::Gone => true,
            Self::Asked => false,
        }
    }
}

/// A secret of an endpoint, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Opaque here.
    pub sealed: String,
    /// Since when it signs.
    pub created_at_ms: i64,
    /// Until when, once there is a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

/// Where a store wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Where messages are posted.
    pub url: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Which events; all if there is none.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether it is called.
    pub standing: Standing,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// Its secrets, the newest first.
    pub secrets: Vec<SealedSecret>,
    /// When it was made.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

impl Endpoint {
    /// A newer secret signs from now on, and the others for a while beside it.
    pub fn rotate(&mut self, sealed: String, overlap_ms: i64, now_ms: i64) {
        let until_ms = now_ms.saturating_add(overlap_ms.clamp(0, LONGEST_OVERLAP_MS));
        for old in &mut self.secrets {
            old.expires_at_ms = Some(old.expires_at_ms.map_or(until_ms, |at| at.min(until_ms)));
        }
        self.secrets.insert(0, SealedSecret { sealed, created_at_ms: now_ms, expires_at_ms: None });
        self.secrets.retain(|secret| secret.expires_at_ms.is_none_or(|at_ms| at_ms > now_ms));
        self.secrets.truncate(MOST_SECRETS);
    }

    /// What signs now, the newest first.
    pub fn signing(&self, now_ms: i64) -> impl Iterator<Item = &str> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at_ms.is_none_or(|at_ms| at_ms > now_ms))
            .map(|secret| secret.sealed.as_str())
    }

    /// It is called again.
    pub fn enable(&mut self) {
        self.standing = Standing::Enabled;
        self.why = None;
    }

    /// It is called no more.
    pub fn disable(&mut self, why: Why) {
        self.standing = Standing::Disabled;
        self.why = Some(why);
    }

    /// Whether a person has to look after it.
    pub fn needs_attention(&self) -> bool {
        self.why.is_some_and(Why::needs_attention)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits for its turn, or for the next attempt.
    Pending,
    /// The shop has it.
    Delivered,
    /// A dead letter: it was given up, and can be replayed.
    Dead,
}

impl Stage {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The stage of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Derived from endpoint and event.
    pub id: String,
    /// Whose it is.
    pub store_id: String,
    /// Where to.
    pub endpoint_id: String,
    /// What is told: the `webhook-id`.
    pub event_id: String,
    /// The event's type.
    pub kind: String,
    /// What the event happened to.
    pub subject_id: String,
    /// The event's place among those of its subject.
    pub position: i64,
    /// Where it stands.
    pub stage: Stage,
    /// How often it was tried altogether: attempts are numbered by it.
    pub attempts: i64,
    /// How often since it was last begun anew.
    pub tries: i64,
    /// When it may be tried next.
    pub next_at_ms: i64,
    /// When it was first tried since it was last begun anew.
    pub first_attempt_at_ms: Option<i64>,
    /// The HTTP status of the last answer, if there was one.
    pub status: Option<i64>,
    /// What the last attempt came to, in a few words.
    pub outcome: String,
    /// When the event happened.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
}

impl Delivery {
    /// Takes over what an attempt led to; a verdict of [`Verdict::Gone`] ends it too.
    pub fn take(&mut self, verdict: Verdict, began_at_ms: i64, now_ms: i64) {
        self.attempts += 1;
        self.tries += 1;
        self.first_attempt_at_ms.get_or_insert(began_at_ms);
        self.updated_at_ms = now_ms;
        match verdict {
            Verdict::Delivered => self.stage = Stage::Delivered,
            Verdict::Again { wait_ms } => self.next_at_ms = now_ms.saturating_add(wait_ms),
            Verdict::GiveUp | Verdict::Gone => self.stage = Stage::Dead,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_signature_is_that_of_the_scheme() {
        // The example that the scheme's own libraries are tested with.
        let key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(
            &[key],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_of_the_form_that_receivers_expect() {
        let secret = secret_of("fresh");
        assert!(secret.starts_with("whsec_"));
        assert_eq!(key_of(&secret).unwrap().len(), 32);
        assert_ne!(secret, secret_of("another"));
        assert_eq!(key_of("whsec_?"), None);
    }

    #[test]
    fn an_answer_is_judged() {
        let judged = |status| decide("dlv_1", 1, Heard::Answer { status, retry_after_ms: None });
        for good in [200, 201, 202, 204, 299] {
            assert_eq!(judged(good), Verdict::Delivered, "{good}");
        }
        assert_eq!(judged(410), Verdict::Gone);
        // A redirect is not followed: it would lead the signed message elsewhere.
        for bad in [100, 301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert!(matches!(judged(bad), Verdict::Again { .. }), "{bad}");
        }
        assert!(matches!(decide("dlv_1", 14, Heard::Nothing), Verdict::GiveUp));
        let asked = Heard::Answer { status: 429, retry_after_ms: Some(90_000) };
        assert_eq!(decide("dlv_1", 1, asked), Verdict::Again { wait_ms: 90_000 });
    }

    #[test]
    fn patterns_choose_events() {
        let wanted = |patterns: &[&str], kind: &str| {
            let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
            is_wanted(&patterns, kind)
        };
        assert!(wanted(&[], "payment.captured"));
        assert!(wanted(&["*"], "payment.captured"));
        assert!(wanted(&["payment.*"], "payment.captured"));
        assert!(wanted(&["checkout.*", "payment.captured"], "payment.captured"));
        assert!(!wanted(&["payment.refunded", "checkout.*"], "payment.captured"));
        assert!(!wanted(&["payment.*"], "payments.captured"));
        for good in ["*", "payment.*", "payment.captured", "customer_token.revoked"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in
            ["", "payment", "*.captured", "Payment.captured", "payment.", ".x", "a.b.c", "**"]
        {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn urls_are_addresses_that_can_be_called() {
        let read = |text: &str, transport| endpoint_url(text, transport).map(|url| url.to_string());
        assert!(read("https://shop.example/hooks?shop=1", Transport::TlsOnly).is_ok());
        assert!(read("http://localhost:8000/", Transport::Any).is_ok());
        for bad in [
            "",
            "shop.example/hooks",
            "ftp://shop.example/",
            "http://shop.example/",
            "https://user:secret@shop.example/",
            "https://shop.example/#part",
            "https://",
        ] {
            assert!(read(bad, Transport::TlsOnly).is_err(), "{bad}");
        }
        assert!(
            read(&format!("https://shop.example/{}", "x".repeat(3000)), Transport::Any).is_err()
        );
    }

    #[test]
    fn what_stays_inside_is_not_told() {
        let data = json!({ "by": "Eva (dashboard)", "note": "she called", "outcome": "done" });
        assert_eq!(told(&data), json!({ "outcome": "done" }));
        assert_eq!(told(&json!(null)), json!(null));
    }

    #[test]
    fn an_endpoint_is_switched_off_only_when_nothing_at_all_arrives() {
        assert!(is_dead_end(1000, None));
        assert!(is_dead_end(1000, Some(999)));
        assert!(!is_dead_end(1000, Some(1000)));
    }

    fn endpoint() -> Endpoint {
        Endpoint {
            id: "whe_1".to_owned(),
            store_id: "default".to_owned(),
            version: 1,
            url: "https://shop.example/".to_owned(),
            description: String::new(),
            events: Vec::new(),
            standing: Standing::Enabled,
            why: None,
            secrets: vec![SealedSecret {
                sealed: "first".to_owned(),
                created_at_ms: 0,
                expires_at_ms: None,
            }],
            created_at_ms: 0,
            updated_at_ms: 0,
        }
    }

    proptest! {
        #[test]
        fn retries_cover_three_days_and_no_more(id in "dlv_[a-f0-9]{8}") {
            let mut total = 0;
            let mut before = 0;
            let mut tries = 1;
            while let Some(wait) = wait_ms(&id, tries, None) {
                prop_assert!(wait > before, "waits grow: {wait} after {before}, or are close");
                before = wait - wait / 5;
                total += wait;
                tries += 1;
            }
            prop_assert!(total <= PATIENCE_MS);
            prop_assert!(total >= PATIENCE_MS - 8 * HOUR_MS, "{total}");
            prop_assert_eq!(tries, 14);
        }

        #[test]
        fn a_receiver_may_ask_for_patience_but_never_for_less_or_for_ever(
            tries in -3_i64..20, asked in any::<i64>(),
        ) {
            let own = wait_ms("dlv_1", tries, None);
            let lengthened = wait_ms("dlv_1", tries, Some(asked));
            prop_assert_eq!(own.is_some(), lengthened.is_some());
            if let (Some(own), Some(lengthened)) = (own, lengthened) {
                prop_assert!(lengthened >= own && lengthened <= own.max(LONGEST_ASKED_MS));
            }
        }

        #[test]
        fn the_newest_secret_always_signs_and_old_ones_end_in_time(
            steps in prop::collection::vec((0_i64..200_000, -5_i64..100_000), 1..12),
        ) {
            let mut endpoint = endpoint();
            let mut now_ms = 0;
            let mut promised: Vec<(String, i64)> = Vec::new();
            for (number, (later, overlap)) in steps.into_iter().enumerate() {
                now_ms += later;
                let old = endpoint.secrets[0].sealed.clone();
                endpoint.rotate(format!("secret-{number}"), overlap, now_ms);
                promised.push((old, now_ms + overlap.max(0)));
                let signing: Vec<&str> = endpoint.signing(now_ms).collect();
                prop_assert_eq!(signing[0], format!("secret-{number}"));
                prop_assert!(signing.len() <= MOST_SECRETS);
                for (old, until_ms) in &promised {
                    prop_assert!(*until_ms > now_ms || !signing.contains(&old.as_str()));
                }
            }
        }

        #[test]
        fn every_delivery_ends(id in "dlv_[a-f0-9]{8}", statuses in prop::collection::vec(0_u16..600, 20)) {
            let mut tries = 0;
            for status in statuses {
                tries += 1;
                let heard = match status {
                    0..100 => Heard::Nothing,
                    _ => Heard::Answer { status, retry_after_ms: None },
                };
                match decide(&id, tries, heard) {
                    Verdict::Again { wait_ms } => prop_assert!(wait_ms > 0),
                    Verdict::Delivered | Verdict::Gone | Verdict::GiveUp => return Ok(()),
                }
            }
            prop_assert!(false, "it never ended");
        }
    }
}
