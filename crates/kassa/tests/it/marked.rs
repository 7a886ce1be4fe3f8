//! Nothing that must stay secret, and nothing about a shopper, is written anywhere by the running
//! program: not to its log at the most talkative level, not to an error or a page, not to the
//! columns of its database, not to an address that Klarna is asked at.
//!
//! The gateway and the shop run as processes of their own beside a playground, so that what Klarna
//! may know is not taken for what they wrote. Every value that goes in bears a mark.

use std::path::Path;

use crate::steps::KASSA;
use http::Method;
use serde_json::{Value, json};
use service::http::HttpClient;
use storage::{Database, Location};
use tempfile::TempDir;
use testing::eventually;
use testing::http::{As, Http};
use testing::kassa::Process;

const API_KEY: &str = "kassa_sk_markedapikey0123456789abcdef0123456789";
const PASSWORD: &str = "marked-dashboard-password";
const KLARNA_PASSWORD: &str = "marked-klarna-password";
const PERSON: [&str; 6] = [
    "Markedgiven",
    "Markedfamily",
    "marked.person@example.com",
    "+46701740615",
    "Markedgatan 17",
    "198705262395",
];

/// Everything with a mark that has gone in so far.
struct Marks(Vec<String>);

impl Marks {
    #[track_caller]
    fn are_not_in(&self, what: &str, text: &str) {
        for mark in &self.0 {
            let at = text.find(mark.as_str());
            let around = at.map(|at| {
                let start = text[..at].char_indices().rev().nth(300).map_or(0, |(place, _)| place);
                text[start..].chars().take(500).collect::<String>()
            });
            assert!(around.is_none(), "{what} holds {mark}: {}", around.unwrap_or_default());
        }
    }

    fn add(&mut self, mark: &Value) -> String {
        let mark = mark.as_str().unwrap().to_owned();
        self.0.push(mark.clone());
        mark
    }
}

fn start(folder: &Path, flags: &[&str]) -> (Process, Value) {
    let data = folder.join("data").display().to_string();
    let common = ["--json", "--listen", "127.0.0.1:0", "--data-dir", &data];
    let mut process = Process::start(Path::new(KASSA), folder, &[flags, &common].concat());
    let ready = process.event();
    assert_eq!(ready["event"], "ready", "{ready}");
    (process, ready)
}

fn url(ready: &Value, part: &str) -> String {
    ready["urls"][part].as_str().unwrap().trim_end_matches('/').to_owned()
}

/// Every text in every table of a database.
async fn texts(file: &Path) -> Vec<(String, String)> {
    let database = Database::open(&Location::File(file.to_path_buf()), &[]).await.unwrap();
    let found = database
        .read_long(|tx| {
            let sql =
                "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
                       WHERE m.type = 'table' AND c.type = 'TEXT'";
            let mut texts = Vec::new();
            for row in tx.query(sql, &[])? {
                let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
                let sql =
                    format!("SELECT \"{column}\" FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
                for row in tx.query_dynamic(&sql, &[])? {
                    texts.push((format!("{table}.{column}"), row.get(0)?));
                }
            }
            Ok::<_, storage::Error>(texts)
        })
        .await
        .unwrap();
    database.close().await;
    found
}

#[tokio::test]
async fn no_mark_is_found_in_what_the_running_program_wrote() {
    let folders: [TempDir; 2] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let merchant = format!("K1=K1_marked:{KLARNA_PASSWORD}");
    let (_playground, ready) =
        start(folders[0].path(), &["playground", "--merchant", &merchant, "--sftp-listen", "off"]);
    let klarna = url(&ready, "playground");
    let (mut gateway, ready) = start(
        folders[1].path(),
        &[
            "--log",
            "trace",
            "gateway",
            "--klarna-url",
            &klarna,
            "--klarna-username",
            "K1_marked",
            "--klarna-password",
            KLARNA_PASSWORD,
            "--api-key",
            API_KEY,
            "--dashboard-password",
            PASSWORD,
        ],
    );
    let base = url(&ready, "gateway");
    let mut marks = Marks(vec![API_KEY.into(), PASSWORD.into(), KLARNA_PASSWORD.into()]);
    marks.0.extend(PERSON.map(ToOwned::to_owned));
    let http = Http::new();
    let key = As::Bearer(API_KEY);

    // Bought: opened, authorised, confirmed, captured, refunded.
    let checkout = http.post(&format!("{base}/v1/checkouts"), key, &steps_cart()).await;
    let client_token = marks.add(&checkout["klarna"]["client_token"]);
    marks.add(&checkout["checkout_secret"]);
    let [given_name, family_name, email, phone, street_address, identification] = PERSON;
    let address = json!({
        "given_name": given_name, "family_name": family_name, "email": email, "phone": phone,
        "street_address": street_address, "postal_code": "11152", "city": "Stockholm", "country": "SE",
    });
    let body = json!({ "client_token": client_token, "data": { "billing_address": address } });
    let approve = format!("{klarna}/playground/v1/shopper/authorize");
    let approved = http.post(&approve, As::Anyone, &body).await;
    let token = marks.add(&approved["authorization_token"]);
    let path = format!("{base}/v1/checkouts/{}", checkout["id"].as_str().unwrap());
    let body = json!({ "authorization_token": token });
    let done = http.post(&format!("{path}/confirm"), key, &body).await;
    assert_eq!(done["status"], "completed", "{done}");
    let payment = format!("{base}/v1/payments/{}", done["payment_id"].as_str().unwrap());
    http.post(&format!("{payment}/captures"), key, &json!({})).await;
    http.post(&format!("{payment}/refunds"), key, &json!({ "amount": 100 })).await;

    // Refused, with marks where they do not belong.
    for (path, body) in [
        ("/v1/checkouts", json!({ "billing_address": address })),
        ("/v1/checkouts", json!({ "lines": email })),
        (
            "/v1/checkouts",
            json!({ "country": given_name, "prices": "including_tax", "merchant_reference": "1", "lines": [] }),
        ),
        ("/v1/checkouts", json!({ "prices": identification })),
        ("/v1/api_keys", json!({ "name": "x", "scopes": [token] })),
        ("/v1/api_keys", json!({ "name": "x", "scopes": ["payments:read"], "expires_at": email })),
        ("/v1/api_keys", json!({ "name": "x", "kind": street_address })),
    ] {
        let reply =
            http.send(Method::POST, &format!("{base}{path}"), key, Some(&body)).await.unwrap();
        assert_eq!(reply.status, 400, "{path} {body}: {}", reply.text());
        marks.are_not_in(path, &reply.text());
    }
    for wrong in ["kassa_sk_markedwrong", "marked-bearer"] {
        marks.0.push(wrong.to_owned());
        let reply = http.send(Method::GET, &payment, As::Bearer(wrong), None).await.unwrap();
        assert_eq!(reply.status, 401);
        marks.are_not_in("a wrong key", &reply.text());
    }

    // Keys and people.
    let body = json!({ "name": "Books", "scopes": ["payments:read"] });
    let made = http.post(&format!("{base}/v1/api_keys"), key, &body).await;
    let books = marks.add(&made["key"]);
    http.get(&payment, As::Bearer(&books)).await;
    let rotate = format!("{base}/v1/api_keys/{}/rotate", made["id"].as_str().unwrap());
    marks.add(&http.post(&rotate, key, &json!({})).await["key"]);
    at_the_dashboard(&base, &mut marks).await;

    // Everything that it may be asked, once more, and nothing of it says a mark.
    for path in
        ["/v1/payments", "/v1/operations", "/v1/api_keys", "/v1/audit_log", "/v1/openapi.json"]
    {
        let answer = http.get(&format!("{base}{path}"), key).await.to_string();
        marks.are_not_in(path, &answer);
    }
    marks.are_not_in("the payment", &http.get(&payment, key).await.to_string());
    eventually("the journal to rest", async || {
        let answer = http.get(&format!("{base}/v1/operations?state=queued"), key).await;
        if answer["data"].as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(answer) }
    })
    .await;

    // Addresses at Klarna: the token stands in the one that Klarna wants it in, and nowhere else.
    let requests =
        http.get(&format!("{klarna}/playground/v1/requests?limit=100"), As::Anyone).await;
    let asked = requests.to_string();
    assert!(asked.contains("/payments/v1/sessions"), "{asked}");
    for entry in requests["requests"].as_array().or(requests.as_array()).into_iter().flatten() {
        for member in ["path", "query", "url"] {
            let address = entry[member].as_str().unwrap_or_default();
            let address = address.replace(&format!("/authorizations/{token}"), "/authorizations/…");
            marks.are_not_in("an address at Klarna", &address);
        }
    }

    assert!(gateway.terminate().success());
    let log = gateway.stderr();
    assert!(
        log.contains("TRACE") && log.contains("operation done"),
        "the log is heard: {log:.2000}"
    );
    marks.are_not_in("the log", &log);
    // The database: of a checkout that is over nothing secret is left but what a repeated request
    // is answered with, and of a shopper nothing at all.
    let file = std::fs::read_dir(folders[1].path().join("data")).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.starts_with("gateway")
            && !name.ends_with("-wal")
            && !name.ends_with("-shm")
            && !name.ends_with("lock"))
        .then_some(path)
    });
    let texts = texts(&file.unwrap()).await;
    assert!(texts.iter().any(|(place, _)| place == "payments.document"), "the database is read");
    let may_be_kept = [client_token];
    marks.0.retain(|mark| !may_be_kept.contains(mark));
    for (place, text) in &texts {
        marks.are_not_in(place, text);
    }
}

fn steps_cart() -> Value {
    json!({
        "merchant_reference": "WEB-1", "country": "SE", "locale": "sv-SE", "prices": "including_tax",
        "lines": [{ "reference": "MUG", "name": "Mugg", "quantity": 2, "unit_price": 9900, "tax_rate": 2500 }],
    })
}

/// A form, as a browser sends it.
async fn form(client: &HttpClient, url: &str, cookie: &str, body: String) -> service::http::Answer {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert("cookie", cookie.parse().unwrap());
    let method = if body.is_empty() { Method::GET } else { Method::POST };
    client.send(method, url, headers, body.into()).await.unwrap()
}

/// Signs in wrongly and rightly, turns a second factor on, invites somebody.
async fn at_the_dashboard(base: &str, marks: &mut Marks) {
    let client = HttpClient::default();
    let sign_in = format!("{base}/dashboard/sign-in");
    marks.0.push("marked-guess".to_owned());
    let guess =
        form(&client, &sign_in, "", "user=marked-guess&password=marked-guess".to_owned()).await;
    assert_eq!(guess.status, 401);
    let right = form(&client, &sign_in, "", format!("user=admin&password={PASSWORD}")).await;
    let cookie = right.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    marks.0.push(cookie.split_once('=').unwrap().1.to_owned());
    let account =
        form(&client, &format!("{base}/dashboard/account"), &cookie, String::new()).await.text();
    let csrf = account.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    marks.are_not_in("the account", &account);
    let begin = format!("{base}/dashboard/account/second-factor");
    let begun =
        form(&client, &begin, &cookie, format!("csrf={csrf}&current={PASSWORD}")).await.text();
    let shown = |page: &str| {
        page.split("class=\"shown\"").nth(1).unwrap().split(['>', '<']).nth(1).unwrap().to_owned()
    };
    let seed = shown(&begun);
    let bytes = gateway::domain::totp::from_base32(&seed).unwrap();
    let now = service::Clock::now_ms(&service::SystemClock);
    let code = gateway::domain::totp::code(&bytes, gateway::domain::totp::step(now));
    let on =
        form(&client, &format!("{begin}/confirm"), &cookie, format!("csrf={csrf}&code={code}"))
            .await;
    assert_eq!(on.status, 200, "{}", on.text());
    let invite = format!("{base}/dashboard/access/invitations");
    let invited =
        form(&client, &invite, &cookie, format!("csrf={csrf}&name=eva&role=viewer")).await.text();
    let secret = shown(&invited).split('#').nth(1).unwrap().to_owned();
    let mut new = vec![seed, secret.clone(), "marked-evas-password".to_owned()];
    let codes = on.text();
    new.extend(
        codes.split("<li><code>").skip(1).map(|each| each.split('<').next().unwrap().to_owned()),
    );
    assert_eq!(new.len(), 13);
    marks.0.append(&mut new);
    let choose =
        format!("invitation={secret}&password=marked-evas-password&repeated=marked-evas-password");
    let joined = form(&client, &format!("{base}/dashboard/invitation"), "", choose).await;
    assert_eq!(joined.status, 303, "{}", joined.text());
    let eva =
        form(&client, &sign_in, "", "user=eva&password=marked-evas-password".to_owned()).await;
    assert_eq!(eva.status, 303, "{}", eva.text());
    let cookie_of_eva =
        eva.headers["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    marks.0.push(cookie_of_eva);
    for page in ["", "/attention", "/access", "/account", "/audit"] {
        let page = form(&client, &format!("{base}/dashboard{page}"), &cookie, String::new()).await;
        assert_eq!(page.status, 200);
        marks.are_not_in("a page", &page.text());
    }
}
