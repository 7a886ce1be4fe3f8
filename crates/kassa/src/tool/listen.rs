//! `kassa listen`: callbacks as they arrive, each once and in order, and on to the program that is being
//! written.
//!
//! Two sources, one order: a small receiver whose URL can be given to Klarna, and the playground's log, which
//! knows of the callbacks that went elsewhere. Before a callback of the receiver is told, what the log has by
//! then is told; what the log has of the receiver itself is passed over.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use clap::Args;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use service::http::{HttpClient, Limits};
use service::{Listener, Shutdown};
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::cli::{address, web_url};
use crate::file::File;
use crate::report::{Output, try_out};
use crate::run::StopSignals;
use crate::settings::loopback;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::logs;
use crate::tool::requests::{Follower, text};
use crate::tool::show::plain;
use crate::tool::target::PlaygroundArgs;

pub(crate) const EXAMPLES: &str = "\
It prints a URL: give it to Klarna as merchant_urls.authorization, notification, push or status_update, with a \
path of your own if you like. Callbacks that the playground sends elsewhere are shown and sent on, too, unless it \
has called the same program itself. A forward URL without a path keeps each callback's own.

Examples:
  kassa listen
  kassa listen --forward http://localhost:3000/klarna
  kassa listen --kind authorization --kind notification --json
  kassa trigger payment.authorized --callback-url http://localhost:7073/klarna";

/// The usual port.
const PORT: u16 = 7073;

/// More than any callback has.
const GREATEST_BODY: usize = 1024 * 1024;

/// The headers that are not passed on: they are about the connection on which they came.
const NOT_PASSED_ON: [header::HeaderName; 9] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What callbacks there are.
const KINDS: [&str; 7] = [
    "authorization",
    "notification",
    "push",
    "hosted_status",
    "in_store_status",
    "dispute_webhook",
    "payment_request_webhook",
];

/// What is listened for.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Where to send each callback on to; what it answers, the caller gets
    #[arg(long, short, value_name = "URL", value_parser = web_url)]
    forward: Option<Url>,
    /// Only this kind; repeatable. Others are answered and not shown
    #[arg(long = "kind", value_name = "KIND", value_parser = KINDS)]
    kinds: Vec<String>,
    /// Only this merchant's, of those that the playground sends elsewhere
    #[arg(long, value_name = "MID")]
    merchant: Option<String>,
    /// Where to listen [default: 127.0.0.1:7073, or any free port when that one is taken]
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    playground: PlaygroundArgs,
}

/// A call that came to the receiver.
struct Arrival {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    answer: oneshot::Sender<StatusCode>,
}

pub(crate) async fn run(args: ListenArgs, file: &File, output: Output) -> Result<(), Failure> {
    let mut stop = StopSignals::listen().map_err(|error| Failure::failed(error.to_string()))?;
    let listener = match args.listen {
        Some(address) => Listener::bind(address).await,
        None => match Listener::bind(loopback(PORT)).await {
            Ok(listener) => Ok(listener),
            Err(_) => Listener::bind(loopback(0)).await,
        },
    };
    let listener = listener.map_err(|error| Failure::failed(error.to_string()))?;
    let port = listener.address().port();
    let own = [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")];
    let (sender, mut arrivals) = mpsc::channel(64);
    let router = Router::new()
        .fallback(receive)
        .layer(DefaultBodyLimit::max(GREATEST_BODY))
        .with_state(sender);
    let shutdown = Shutdown::new();
    let server = listener.serve(router, shutdown);

    let control = Control::of(&args.playground, file)?;
    let mut filter = vec![];
    if let Some(merchant) = &args.merchant {
        filter.push(("merchant_id", merchant.clone()));
    }
    let followed = Follower::from_the_end(control.clone(), filter, 0).await;
    let [url, _] = &own;
    ready(output, url, followed.as_ref().ok().map(|_| control.base()));
    if let Err(failure) = &followed {
        let words = format!("{failure}; only what comes to {url} is shown");
        logs::notice(output, "warning", &words, &json!({ "message": words }));
    }
    let mut ear = Ear {
        follower: followed.ok().map(|(follower, _)| follower),
        control,
        own,
        kinds: args.kinds,
        forward: args.forward,
        http: HttpClient::new(Limits { answer: Duration::from_secs(10), ..Limits::default() }),
        forwarded: HashSet::new(),
        output,
        heard: true,
    };
    while ear.heard {
        tokio::select! {
            () = stop.next() => break,
            arrival = arrivals.recv() => match arrival {
                Some(arrival) => {
                    ear.drain().await?;
                    ear.arrived(arrival).await;
                }
                None => break,
            },
            () = Follower::pause() => ear.drain().await?,
        }
    }
    server.stop().await;
    Ok(())
}

fn ready(output: Output, url: &str, playground: Option<&str>) {
    let words = match output {
        Output::Human => {
            let playground = playground
                .map(|base| format!("Callbacks of the playground at {base} are shown, too.\n"));
            format!("Listening at {url}\n{}\n", playground.unwrap_or_default())
        }
        Output::Json => {
            format!("{}\n", json!({ "event": "ready", "url": url, "playground": playground }))
        }
    };
    // If nobody listens, the first callback will show it.
    let _ = try_out(&words);
}

async fn receive(
    State(sender): State<mpsc::Sender<Arrival>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (answer, answered) = oneshot::channel();
    let arrival = Arrival { method, uri, headers, body, answer };
    if sender.send(arrival).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    answered.await.unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// Whoever tells callbacks in their order.
struct Ear {
    follower: Option<Follower>,
    control: Control,
    /// The receiver's own URLs.
    own: [String; 2],
    kinds: Vec<String>,
    forward: Option<Url>,
    http: HttpClient,
    /// The deliveries that were sent on.
    forwarded: HashSet<String>,
    output: Output,
    /// Whether anybody still reads what is told.
    heard: bool,
}

impl Ear {
    fn wants(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }

    /// Tells what the playground has sent elsewhere since the last time.
    async fn drain(&mut self) -> Result<(), Failure> {
        loop {
            let Some(follower) = &mut self.follower else { return Ok(()) };
            let Some(stretch) = follower.next().await? else { return Ok(()) };
            if stretch.missed > 0 {
                let words =
                    format!("{} entries of the log came too fast and are lost", stretch.missed);
                logs::notice(self.output, "missed", &words, &json!({ "count": stretch.missed }));
            }
            if stretch.entries.is_empty() {
                return Ok(());
            }
            for entry in stretch.entries {
                self.sent_elsewhere(&entry).await;
            }
        }
    }

    async fn sent_elsewhere(&mut self, entry: &Value) {
        let url = text(entry, "path");
        // It came here, and was told then; unless a fault took it away.
        let is_ours = self.own.iter().any(|own| is_below(url, own));
        if text(entry, "direction") != "callback"
            || (is_ours && (entry.get("status").is_some() || entry.get("faults").is_none()))
        {
            return;
        }
        let id = text(entry, "delivery_id");
        let story = self.control.get(&format!("/callbacks/{id}"), &[]).await.unwrap_or_default();
        let body = story.get("body").cloned().unwrap_or_default();
        let kind = match text(&story, "kind") {
            "" => kind_of(&body).to_owned(),
            kind => kind.to_owned(),
        };
        if !self.wants(&kind) {
            return;
        }
        let mut event = Map::new();
        event.insert("event".to_owned(), "callback".into());
        event.insert("kind".to_owned(), kind.into());
        event.insert("from".to_owned(), "playground".into());
        for name in ["at", "merchant_id", "method"] {
            if let Some(value) = entry.get(name) {
                event.insert(name.to_owned(), value.clone());
            }
        }
        event.insert("url".to_owned(), url.into());
        for name in ["delivery_id", "attempt", "status", "faults"] {
            if let Some(value) = entry.get(name) {
                event.insert(name.to_owned(), value.clone());
            }
        }
        if !body.is_null() {
            event.insert("body".to_owned(), body.clone());
        }
        // A retry of what was sent on is not sent on again.
        if self.forwarded.insert(id.to_owned()) && !self.leads_there(url) {
            let mut headers = HeaderMap::new();
            for (name, value) in
                story.get("headers").and_then(Value::as_object).into_iter().flatten()
            {
                let name = http::HeaderName::from_bytes(name.as_bytes());
                let value = http::HeaderValue::from_str(value.as_str().unwrap_or_default());
                if let (Ok(name), Ok(value)) = (name, value) {
                    headers.insert(name, value);
                }
            }
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let called = Url::parse(url).ok();
            let (path, query) =
                called.as_ref().map_or(("/", None), |called| (called.path(), called.query()));
            let sent = self.send_on(Method::POST, path, query, headers, body.into()).await;
            if let Some((_, forwarded)) = sent {
                event.insert("forwarded".to_owned(), forwarded);
            }
        }
        self.tell(event);
    }

    /// Whether the playground has called the program itself.
    fn leads_there(&self, url: &str) -> bool {
        let called = Url::parse(url).ok();
        self.forward
            .as_ref()
            .zip(called)
            .is_some_and(|(forward, called)| forward.origin() == called.origin())
    }

    async fn arrived(&mut self, arrival: Arrival) {
        let Arrival { method, uri, headers, body, answer } = arrival;
        let value = match serde_json::from_slice(&body) {
            Ok(value) => value,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&body).into_owned()),
        };
        let kind = kind_of(&value);
        if !self.wants(kind) {
            let _ = answer.send(StatusCode::OK);
            return;
        }
        let mut event = Map::new();
        event.insert("event".to_owned(), "callback".into());
        event.insert("kind".to_owned(), kind.into());
        event.insert("from".to_owned(), "receiver".into());
        event.insert("method".to_owned(), method.as_str().into());
        let [own, _] = &self.own;
        event.insert("url".to_owned(), format!("{own}{uri}").into());
        if !value.is_null() {
            event.insert("body".to_owned(), value);
        }
        let mut passed_on = headers;
        for name in NOT_PASSED_ON {
            passed_on.remove(name);
        }
        let mut status = StatusCode::OK;
        if let Some((answered, forwarded)) =
            self.send_on(method, uri.path(), uri.query(), passed_on, body).await
        {
            status = answered;
            event.insert("forwarded".to_owned(), forwarded);
        }
        event.insert("status".to_owned(), status.as_u16().into());
        // The caller first: it has little patience.
        let _ = answer.send(status);
        self.tell(event);
    }

    /// Sends a callback on, and says what became of it.
    async fn send_on(
        &self,
        method: Method,
        path: &str,
        query: Option<&str>,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Option<(StatusCode, Value)> {
        let url = led_on(self.forward.as_ref()?, path, query);
        if !body.is_empty() {
            headers
                .entry(header::CONTENT_TYPE)
                .or_insert(http::HeaderValue::from_static("application/json"));
        }
        Some(match self.http.send(method, url.as_str(), headers, body).await {
            Ok(answer) => {
                (answer.status, json!({ "url": url.as_str(), "status": answer.status.as_u16() }))
            }
            Err(error) => {
                let value = json!({ "url": url.as_str(), "error": error.to_string() });
                (StatusCode::BAD_GATEWAY, value)
            }
        })
    }

    fn tell(&mut self, event: Map<String, Value>) {
        let event = Value::Object(event);
        let words = match self.output {
            Output::Json => format!("{event}\n"),
            Output::Human => page(&event),
        };
        self.heard = try_out(&words).is_ok();
    }
}

/// Where a callback for this path and query is sent on to.
fn led_on(forward: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = forward.clone();
    if url.path() == "/" {
        url.set_path(path);
    }
    let queries: Vec<&str> = [forward.query(), query].into_iter().flatten().collect();
    if !queries.is_empty() {
        url.set_query(Some(&queries.join("&")));
    }
    url
}

/// Whether a URL is this one, or below it.
fn is_below(url: &str, base: &str) -> bool {
    url.strip_prefix(base.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// What a callback is about, by what stands in it.
fn kind_of(body: &Value) -> &'static str {
    let has = |name: &str| body.get(name).is_some();
    if body.is_null() {
        "push"
    } else if has("authorization_token") {
        "authorization"
    } else if has("order_id") && has("event_type") {
        "notification"
    } else if has("session") {
        "hosted_status"
    } else if has("status") && (has("qr") || has("payment_link") || has("session_id")) {
        "in_store_status"
    } else if is_of_a_request(body) {
        "payment_request_webhook"
    } else {
        "dispute_webhook"
    }
}

/// Whether a webhook's message is about a payment request.
fn is_of_a_request(body: &Value) -> bool {
    let event_type = body.pointer("/metadata/event_type").and_then(Value::as_str);
    event_type.is_some_and(|event_type| event_type.starts_with("payment.request."))
}

/// A callback as people read it.
fn page(event: &Value) -> String {
    let status = event
        .get("status")
        .and_then(Value::as_u64)
        .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let attempt = event.get("attempt").and_then(Value::as_u64).filter(|n| *n > 1);
    let attempt = attempt.map(|n| format!("  (attempt {n})")).unwrap_or_default();
    let mut words = format!(
        "{}  {} {}  {status}{attempt}\n",
        plain(text(event, "kind")),
        plain(text(event, "method")),
        plain(text(event, "url")),
    );
    if let Some(body) = event.get("body") {
        words = format!("{words}  {}\n", plain(&body.to_string()));
    }
    if let Some(forwarded) = event.get("forwarded") {
        let outcome = match forwarded.get("status").and_then(Value::as_u64) {
            Some(status) => status.to_string(),
            None => text(forwarded, "error").to_owned(),
        };
        words = format!("{words}  forwarded: {}\n", plain(&outcome));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_keeps_what_the_forward_url_leaves_open() {
        for (forward, path, query, expected) in [
            ("http://a:1", "/my/path", Some("o=1"), "http://a:1/my/path?o=1"),
            ("http://a:1/base?k=1", "/my/path", Some("o=1"), "http://a:1/base?k=1&o=1"),
            ("http://a:1/base", "/", None, "http://a:1/base"),
        ] {
            let forward = Url::parse(forward).unwrap();
            assert_eq!(led_on(&forward, path, query).as_str(), expected);
        }
    }

    #[test]
    fn callbacks_are_known_by_what_stands_in_them() {
        for (body, kind) in [
            (Value::Null, "push"),
            (json!({ "authorization_token": "t", "session_id": "s" }), "authorization"),
            (json!({ "order_id": "o", "event_type": "FRAUD_RISK_ACCEPTED" }), "notification"),
            (json!({ "event_id": "e", "session": { "status": "BACK" } }), "hosted_status"),
            (json!({ "session_id": "s", "status": "ACCESSED" }), "in_store_status"),
            (json!({ "metadata": {}, "payload": {} }), "dispute_webhook"),
            (
                json!({ "metadata": { "event_type": "payment.request.state-change.expired" } }),
                "payment_request_webhook",
            ),
        ] {
            assert_eq!(kind_of(&body), kind, "{body}");
        }
    }

    #[test]
    fn urls_that_only_begin_alike_are_others() {
        assert!(is_below("http://localhost:70/x?y", "http://localhost:70"));
        assert!(is_below("http://localhost:70", "http://localhost:70/"));
        assert!(is_below("http://localhost:70?y", "http://localhost:70"));
        assert!(!is_below("http://localhost:7073/x", "http://localhost:70"));
    }

    #[test]
    fn a_callback_is_shown_with_what_became_of_it() {
        let event = json!({
            "kind": "notification", "method": "POST", "url": "http://localhost:7073/x",
            "status": 502, "attempt": 2, "body": { "order_id": "o" },
            "forwarded": { "url": "http://localhost:1/", "error": "no connection could be made" },
        });
        assert_eq!(
            page(&event),
            "notification  POST http://localhost:7073/x  502  (attempt 2)\n  {\"order_id\":\"o\"}\n  \
             forwarded: no connection could be made\n"
        );
    }
}
