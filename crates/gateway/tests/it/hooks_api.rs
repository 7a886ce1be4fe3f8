//! Webhooks, events and streams over HTTP, and their pages in the dashboard.

use std::time::Duration;

use crate::receiver::Receiver;
use crate::town::{API_KEY, Town, cart};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[tokio::test]
async fn a_shop_sets_up_webhooks_and_is_told() {
    for town in Town::on_each_engine().await {
        let receiver = Receiver::start().await;
        let body = json!({ "url": receiver.url, "events": ["payment.authorized"], "description": "the shop" });
        let key = [("idempotency-key", "hook-1")];
        let made = town.call_with("POST", "/v1/webhook_endpoints", &body, &key).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = text(&made.body["secret"]).to_owned();
        assert!(secret.starts_with("whsec_"));
        // A repeat after a lost answer is the same endpoint, with the same secret.
        let again = town.call_with("POST", "/v1/webhook_endpoints", &body, &key).await;
        assert_eq!((again.status, &again.body), (201, &made.body));
        let path = format!("/v1/webhook_endpoints/{}", text(&made.body["id"]));
        let read = town.call("GET", &path, &Value::Null).await;
        assert_eq!(read.status, 200);
        assert!(read.body.get("secret").is_none(), "{}", read.text);
        let list = town.call("GET", "/v1/webhook_endpoints", &Value::Null).await;
        assert_eq!(list.body["data"].as_array().unwrap().len(), 1);
        assert!(!list.text.contains("whsec_"));

        let payment = town.paid().await;
        let got = receiver.wait_for(1).await;
        assert_eq!(got[0].body["type"], "payment.authorized");
        assert_eq!(got[0].body["subject_id"], payment["id"]);
        assert!(got[0].signature.starts_with("v1,"));

        let tested = town.call("POST", &format!("{path}/test"), &Value::Null).await;
        assert_eq!(tested.status, 202, "{}", tested.text);
        let got = receiver.wait_for(2).await;
        assert_eq!(got[1].body["type"], "webhook.test");

        let delivery = format!("/v1/webhook_deliveries/{}", text(&tested.body["id"]));
        settled(&town, &delivery, 1).await;
        let replayed = town.call("POST", &format!("{delivery}/replay"), &Value::Null).await;
        assert_eq!(replayed.status, 202, "{}", replayed.text);
        let got = receiver.wait_for(3).await;
        assert_eq!(got[2].id, got[1].id);
        let detail = settled(&town, &delivery, 2).await;
        assert_eq!(detail["body"], got[1].text.as_str());
        assert_eq!(detail["log"][0]["status"], 204);

        let page = town.call("GET", "/v1/webhook_deliveries?limit=1", &Value::Null).await;
        let cursor = text(&page.body["next_cursor"]).to_owned();
        let next = town
            .call("GET", &format!("/v1/webhook_deliveries?cursor={cursor}"), &Value::Null)
            .await;
        assert_ne!(page.body["data"][0]["id"], next.body["data"][0]["id"]);

        let rotated =
            town.call("POST", &format!("{path}/rotate"), &json!({ "overlap_hours": 1 })).await;
        assert_ne!(rotated.body["secret"], secret.as_str(), "{}", rotated.text);
        assert_eq!(rotated.body["signing_secrets"].as_array().unwrap().len(), 2);
        let disabled = town.call("POST", &format!("{path}/disable"), &Value::Null).await;
        assert_eq!(disabled.body["status"], "disabled");
        let off = town.call("POST", &format!("{path}/test"), &Value::Null).await;
        assert_eq!((off.status, &off.body["code"]), (409, &json!("state_conflict")));
        let enabled = town.call("POST", &format!("{path}/enable"), &Value::Null).await;
        assert_eq!(enabled.body["status"], "enabled");
        let range = json!({ "what": "range", "from": "2020-01-01T00:00:00Z" });
        let replayed = town.call("POST", &format!("{path}/replay"), &range).await;
        assert_eq!(
            (replayed.status, &replayed.body["count"]),
            (202, &json!(1)),
            "{}",
            replayed.text
        );
        let gone = town.call("DELETE", &path, &Value::Null).await;
        assert_eq!(gone.status, 204);
        assert_eq!(town.call("GET", &path, &Value::Null).await.status, 404);
        receiver.stop().await;
        town.end().await;
    }
}

/// A delivery once it was tried so often.
async fn settled(town: &Town, path: &str, attempts: i64) -> Value {
    loop {
        let found = town.call("GET", path, &Value::Null).await;
        assert_eq!(found.status, 200, "{}", found.text);
        if found.body["attempts"].as_i64().unwrap() >= attempts {
            return found.body;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_cannot_be_an_endpoint_is_refused() {
    for town in Town::on_each_engine().await {
        for (body, member) in [
            (json!({}), "url"),
            (json!({ "url": "" }), "url"),
            (json!({ "url": "ftp://shop.example/" }), "url"),
            (json!({ "url": "https://u:p@shop.example/" }), "url"),
            (json!({ "url": "http://169.254.169.254/latest/meta-data" }), "url"),
            (json!({ "url": "http://[fd00:ec2::254]/" }), "url"),
            (json!({ "url": "http://0.0.0.0/" }), "url"),
            (json!({ "url": "https://shop.example/", "events": ["payment"] }), "events"),
            (json!({ "url": "https://shop.example/", "events": "payment.*" }), "events"),
            (
                json!({ "url": "https://shop.example/", "description": "x".repeat(201) }),
                "description",
            ),
            (json!({ "url": "https://shop.example/", "secret": "mine" }), "secret"),
        ] {
            let refused = town.call("POST", "/v1/webhook_endpoints", &body).await;
            assert_eq!(
                (refused.status, &refused.body["member"]),
                (400, &json!(member)),
                "{body}: {}",
                refused.text
            );
        }
        for n in 0..20 {
            let body = json!({ "url": format!("https://shop.example/{n}") });
            assert_eq!(town.call("POST", "/v1/webhook_endpoints", &body).await.status, 201);
        }
        let body = json!({ "url": "https://shop.example/more" });
        let refused = town.call("POST", "/v1/webhook_endpoints", &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("too_many_endpoints")));
        for (method, path, body, status) in [
            ("GET", "/v1/webhook_endpoints/whe_nobody", json!(null), 404),
            (
                "POST",
                "/v1/webhook_endpoints/whe_nobody",
                json!({ "url": "https://a.example/" }),
                404,
            ),
            ("DELETE", "/v1/webhook_endpoints/whe_nobody", json!(null), 404),
            ("POST", "/v1/webhook_endpoints/whe_nobody/test", json!(null), 404),
            ("POST", "/v1/webhook_endpoints/whe_nobody/replay", json!({ "what": "dead" }), 404),
            ("POST", "/v1/webhook_endpoints/whe_nobody/replay", json!({ "what": "range" }), 400),
            (
                "POST",
                "/v1/webhook_endpoints/whe_nobody/replay",
                json!({ "what": "dead", "from": "2031-01-01T00:00:00Z" }),
                400,
            ),
            (
                "POST",
                "/v1/webhook_endpoints/whe_nobody/rotate",
                json!({ "overlap_hours": 169 }),
                400,
            ),
            ("GET", "/v1/webhook_deliveries/dlv_nobody", json!(null), 404),
            ("POST", "/v1/webhook_deliveries/dlv_nobody/replay", json!(null), 404),
            ("GET", "/v1/webhook_deliveries?status=lost", json!(null), 400),
            ("GET", "/v1/events/evt_nobody", json!(null), 404),
            ("GET", "/v1/events?type=payment", json!(null), 400),
            ("GET", "/v1/events?from=yesterday", json!(null), 400),
            ("GET", "/v1/events?limit=0", json!(null), 400),
            ("GET", "/v1/events?order=random", json!(null), 400),
            ("POST", "/v1/checkouts/chk_nobody/stream_tokens", json!(null), 404),
            ("GET", "/v1/payments/pay_nobody/stream", json!(null), 404),
        ] {
            let reply = town.call(method, path, &body).await;
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_shop_that_asks_reads_every_event() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        let all = town.call("GET", "/v1/events?limit=100", &Value::Null).await;
        let events = all.body["data"].as_array().unwrap().clone();
        assert!(events.len() >= 4 && all.body.get("next_cursor").is_none(), "{}", all.text);
        let mut paged = Vec::new();
        let mut path = "/v1/events?limit=1".to_owned();
        loop {
            let page = town.call("GET", &path, &Value::Null).await;
            paged.extend(page.body["data"].as_array().unwrap().clone());
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/v1/events?limit=1&cursor={cursor}");
        }
        // Something more may have happened meanwhile.
        assert!(paged.ends_with(&events), "{paged:#?}");
        let id = text(&payment["id"]);
        let of_payment =
            town.call("GET", &format!("/v1/events?subject_id={id}"), &Value::Null).await;
        assert!(!of_payment.body["data"].as_array().unwrap().is_empty());
        let of_type = town.call("GET", "/v1/events?type=payment.authorized", &Value::Null).await;
        assert_eq!(of_type.body["data"].as_array().unwrap().len(), 1);
        let of_noun = town.call("GET", "/v1/events?type=checkout.*", &Value::Null).await;
        for event in of_noun.body["data"].as_array().unwrap() {
            assert!(text(&event["type"]).starts_with("checkout."));
        }
        let event = format!("/v1/events/{}", text(&events[0]["id"]));
        assert_eq!(town.call("GET", &event, &Value::Null).await.body, events[0]);
        let until = format!("/v1/events?until={}", text(&events[0]["created_at"]));
        let before = town.call("GET", &until, &Value::Null).await;
        assert!(before.body["data"].as_array().unwrap().len() < events.len());
        // Whoever goes forward is shown what is settled, and keeps their place when nothing is new.
        let forward = town.call("GET", "/v1/events?order=oldest&cursor=MS94", &Value::Null).await;
        assert_eq!(forward.body["next_cursor"], "MS94", "{}", forward.text);
        town.end().await;
    }
}

/// An open stream.
struct Stream {
    socket: TcpStream,
    heard: String,
}

impl Stream {
    async fn open(town: &Town, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut socket = TcpStream::connect(town.gateway.addr).await.unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: gateway\r\n");
        for (name, value) in headers {
            request = format!("{request}{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        Self { socket, heard: String::new() }
    }

    /// Reads until all of these were said.
    async fn until(&mut self, wanted: &[&str]) -> &str {
        let reading = async {
            let mut buffer = [0_u8; 4096];
            while !wanted.iter().all(|text| self.heard.contains(text)) {
                let count = self.socket.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the stream ended: {}", self.heard);
                self.heard.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), reading).await;
        assert!(ended.is_ok(), "{wanted:?} does not come");
        &self.heard
    }

    /// Reads to the end.
    async fn end(&mut self) {
        let mut rest = Vec::new();
        let reading = self.socket.read_to_end(&mut rest);
        tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_browser_watches_a_checkout_by_a_token() {
    for town in Town::on_each_engine().await {
        let checkout = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let other = town.call("POST", "/v1/checkouts", &cart()).await.body;
        let path = format!("/v1/checkouts/{}", text(&checkout["id"]));
        let token = town.call("POST", &format!("{path}/stream_tokens"), &Value::Null).await;
        assert_eq!(token.status, 201, "{}", token.text);
        // The same request under the same key is the same token; another one is another.
        let make = async |key| {
            let key = [("idempotency-key", key)];
            let path = format!("{path}/stream_tokens");
            let made = town.call_with("POST", &path, &Value::Null, &key).await;
            assert_eq!(made.status, 201, "{}", made.text);
            (made.body["token"].clone(), made.body["expires_at"].clone())
        };
        let first = make("watch-1").await;
        assert_eq!(make("watch-1").await, first);
        assert_ne!(make("watch-2").await.0, first.0);
        let elsewhere = format!("/v1/checkouts/{}/stream_tokens", text(&other["id"]));
        let key = [("idempotency-key", "watch-1")];
        let reused = town.call_with("POST", &elsewhere, &Value::Null, &key).await;
        assert_eq!(reused.body["code"], "idempotency_mismatch", "{}", reused.text);
        let url = text(&token.body["url"]);
        assert!(url.starts_with(&town.gateway.url) && !url.contains(API_KEY));
        let with_token = url.strip_prefix(&town.gateway.url).unwrap();

        let mut stream = Stream::open(&town, with_token, &[]).await;
        let head = stream.until(&["event: status", "\"open\""]).await;
        assert!(
            head.contains("text/event-stream") && head.contains("access-control-allow-origin: *"),
            "{head}"
        );
        let authorization = town.authorize(&checkout).await;
        let body = json!({ "authorization_token": authorization });
        let done = town.call("POST", &format!("{path}/confirm"), &body).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let heard = stream.until(&["checkout.completed"]).await;
        // By a token nothing is shown but that it happened.
        assert!(!heard.contains("\"data\":{"), "{heard}");
        let id = heard.split("id: ").nth(2).unwrap().split('\n').next().unwrap().trim().to_owned();

        // Who comes back goes on behind what they saw.
        let events = town
            .call("GET", &format!("/v1/events?subject_id={}", text(&checkout["id"])), &Value::Null)
            .await;
        let events = events.body["data"].as_array().unwrap();
        let last = text(&events[0]["id"]).to_owned();
        let mut back = Stream::open(&town, with_token, &[("last-event-id", &id)]).await;
        let heard = back.until(&["event: status"]).await.to_owned();
        assert!(last == id || heard.contains(&last) || back.until(&[&last]).await.contains(&last));
        assert!(!back.heard.split("event: status").nth(1).unwrap().contains("checkout.opened"));

        // The token is for this checkout and nothing else.
        let token = text(&token.body["token"]);
        for (path, status) in [
            (format!("/v1/checkouts/{}/stream?token={token}", text(&other["id"])), 404),
            (format!("/v1/events/stream?token={token}"), 403),
            (format!("{path}?token={token}"), 401),
            (format!("{path}/stream?token=kassa_st_guessed"), 401),
            (format!("{path}/stream"), 401),
        ] {
            let url = format!("{}{path}", town.gateway.url);
            assert_eq!(town.send("GET", url, &[], String::new()).await.status, status, "{path}");
        }
        // A server that stops sends its watchers away.
        town.gateway.shutdown().request();
        stream.end().await;
        town.end().await;
    }
}

#[tokio::test]
async fn a_server_watches_a_payment_and_a_store_by_its_key() {
    for town in Town::on_each_engine().await {
        let key = format!("Bearer {API_KEY}");
        let authorized = [("authorization", key.as_str())];
        let mut store = Stream::open(&town, "/v1/events/stream", &authorized).await;
        store.until(&["watching"]).await;
        let payment = town.paid().await;
        let heard = store.until(&["checkout.opened", "payment.authorized"]).await;
        assert!(heard.contains("\"data\":{"), "{heard}");
        let path = format!("/v1/payments/{}", text(&payment["id"]));
        let mut stream = Stream::open(&town, &format!("{path}/stream"), &authorized).await;
        stream.until(&["event: status", "\"authorized\""]).await;
        let capture =
            town.call("POST", &format!("{path}/captures"), &json!({ "amount": 100 })).await;
        assert_eq!(capture.status, 201, "{}", capture.text);
        stream.until(&["payment.captured"]).await;
        store.until(&["payment.captured"]).await;
        // Who was away gets what they missed.
        let events = town.call("GET", "/v1/events?limit=100", &Value::Null).await;
        let events = events.body["data"].as_array().unwrap().clone();
        let first = text(&events.last().unwrap()["id"]).to_owned();
        let headers = [("authorization", key.as_str()), ("last-event-id", first.as_str())];
        let mut back = Stream::open(&town, "/v1/events/stream", &headers).await;
        let missed: Vec<&str> =
            events.iter().map(|event| text(&event["id"])).filter(|id| *id != first).collect();
        back.until(&missed).await;
        town.end().await;
    }
}

#[tokio::test]
async fn a_person_looks_after_webhooks_in_the_dashboard() {
    for town in Town::on_each_engine().await {
        let receiver = Receiver::start().await;
        let cookie = town.sign_in().await;
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("cookie", cookie.as_str())];
        let url = |path: &str| format!("{}{path}", town.gateway.url);
        let hidden = |page: &str, name: &str| {
            let marker = format!("name=\"{name}\" value=\"");
            page.split(&marker).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let page = town.send("GET", url("/dashboard/webhooks"), &headers, String::new()).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let (csrf, key) = (hidden(&page.text, "csrf"), hidden(&page.text, "key"));
        let add = |address: &str, csrf: &str| {
            let address = address.replace(':', "%3A").replace('/', "%2F");
            let body = format!(
                "csrf={csrf}&key={key}&url={address}&events=payment.*%2C+checkout.completed&description=Shop"
            );
            town.send("POST", url("/dashboard/webhooks"), &headers, body)
        };
        assert_eq!(add(&receiver.url, "x").await.status, 403);
        let bad = add("ftp://nowhere.example/", &csrf).await;
        assert_eq!(bad.status, 422);
        assert!(bad.text.contains("must begin with"), "{}", bad.text);
        let made = add(&receiver.url, &csrf).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert!(made.text.contains("whsec_"));
        // Pressed twice: one endpoint, and the secret is not shown again.
        let twice = add(&receiver.url, &csrf).await;
        assert_eq!(twice.status, 303);
        let here = twice.headers["location"].to_str().unwrap().to_owned();
        let endpoint = town.send("GET", url(&here), &headers, String::new()).await;
        assert!(
            !endpoint.text.contains("whsec_")
                && endpoint.text.contains("checkout.completed, payment.*")
        );
        let press = |action: &str, key: &str| {
            let body = format!("csrf={csrf}&key={key}&days=1");
            town.send("POST", url(&format!("{here}/{action}")), &headers, body)
        };
        assert_eq!(press("test", "t1").await.status, 303);
        let got = receiver.wait_for(1).await;
        assert_eq!(got[0].body["type"], "webhook.test");
        let list = town.call("GET", "/v1/webhook_deliveries", &Value::Null).await;
        let delivery = format!("/dashboard/deliveries/{}", text(&list.body["data"][0]["id"]));
        settled(&town, &format!("/v1/webhook_deliveries/{}", text(&list.body["data"][0]["id"])), 1)
            .await;
        let page = town.send("GET", url(&delivery), &headers, String::new()).await;
        assert!(page.text.contains("Attempt 1: delivered"), "{}", page.text);
        let again = format!("csrf={csrf}&key=again");
        let again = town.send("POST", url(&format!("{delivery}/replay")), &headers, again).await;
        assert_eq!(again.status, 303, "{}", again.text);
        receiver.wait_for(2).await;
        let rotated = press("rotate", "r1").await;
        assert!(rotated.text.contains("whsec_"), "{}", rotated.text);
        assert_eq!(press("rotate", "r1").await.status, 303, "pressed twice is one new secret");
        assert_eq!(press("disable", "d1").await.status, 303);
        let off = town.send("GET", url("/dashboard/webhooks"), &headers, String::new()).await;
        assert!(off.text.contains("Disabled"));
        assert_eq!(press("test", "t2").await.status, 422);
        assert_eq!(press("enable", "e1").await.status, 303);
        assert_eq!(press("replay-range", "x1").await.status, 303);
        assert_eq!(press("unheard-of", "u1").await.status, 404);
        receiver.answers(|_| 410);
        assert_eq!(press("test", "t3").await.status, 303);
        receiver.wait_for(3).await;
        // It waits for a person now.
        loop {
            let page = town.send("GET", url("/dashboard/attention"), &headers, String::new()).await;
            // The badge is counted before the page is made.
            if page.text.contains("Webhook endpoint disabled")
                && page.text.contains("class=\"badge\">1<")
            {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(press("delete", "x").await.status, 303);
        let gone = town.send("GET", url(&here), &headers, String::new()).await;
        assert_eq!(gone.status, 404);
        // A payment's page follows what happens.
        let payment = town.paid().await;
        let path = format!("/dashboard/payments/{}", text(&payment["id"]));
        let page = town.send("GET", url(&path), &headers, String::new()).await;
        assert!(page.text.contains(&format!("data-stream=\"{path}/stream\"")), "{}", page.text);
        let csp = page.headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("connect-src 'self'"), "{csp}");
        let mut stream =
            Stream::open(&town, &format!("{path}/stream"), &[("cookie", &cookie)]).await;
        stream.until(&["event: status"]).await;
        let capture = format!("/v1/payments/{}/captures", text(&payment["id"]));
        town.call("POST", &capture, &json!({ "amount": 100 })).await;
        stream.until(&["payment.captured"]).await;
        receiver.stop().await;
        town.end().await;
    }
}
