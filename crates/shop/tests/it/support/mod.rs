//! A gateway to test against, and a visitor who keeps cookies.
//!
//! The gateway answers as the real one is specified to, keeps its checkouts in memory, and can be
//! told what to do next. It is small on purpose: the real one is tested elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use service::http::{Answer, HttpClient};
use service::{Listener, Server, Shutdown, SystemClock};
use shop::{CheckoutWay, Config, Running, Secret, Shop};

pub(crate) const KEY: &str = "kassa_sk_test";

/// What the gateway is told to do with confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Complete,
    InDoubt,
    Decline,
    Refuse,
    Fail,
    Unauthorized,
}

#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) checkouts: BTreeMap<String, Value>,
    pub(crate) plans: Vec<Value>,
    pub(crate) subscriptions: BTreeMap<String, Value>,
    pub(crate) requests: Vec<(Method, String, Value)>,
    pub(crate) keys: HashMap<String, String>,
    pub(crate) verdict: Verdict,
    pub(crate) payment: Value,
    pub(crate) script_url: String,
    /// What `GET /v1/browser` answers; nothing: there is no such thing.
    pub(crate) browser: Option<Value>,
    /// What `POST /v1/identities` answers; nothing: it is refused.
    pub(crate) signed_in: Option<Value>,
    pub(crate) down: bool,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            checkouts: BTreeMap::new(),
            plans: Vec::new(),
            subscriptions: BTreeMap::new(),
            requests: Vec::new(),
            keys: HashMap::new(),
            verdict: Verdict::Complete,
            payment: json!({"status": "authorized", "fraud_status": "ACCEPTED", "amounts": {}}),
            script_url: "http://localhost:7072/kp/lib/v1/api.js".into(),
            browser: None,
            signed_in: None,
            down: false,
        }
    }
}

pub(crate) type Shared = Arc<Mutex<Books>>;

pub(crate) fn routes(books: Shared) -> Router {
    Router::new()
        .route("/v1/checkouts", post(open))
        .route("/v1/checkouts/{id}", get(read).post(update))
        .route("/v1/checkouts/{id}/confirm", post(confirm))
        .route("/v1/checkouts/{id}/cancel", post(cancel))
        .route("/v1/checkouts/{id}/page", post(fresh_page))
        .route("/v1/browser", get(browser))
        .route("/v1/identities", post(identity))
        .route("/v1/sign_ins", post(begin_sign_in))
        .route("/v1/sign_ins/{id}/finish", post(finish_sign_in))
        .route("/v1/plans", get(plans).post(plan))
        .route("/v1/subscriptions", post(subscribe))
        .route("/v1/subscriptions/{id}", get(subscription))
        .route("/v1/subscriptions/{id}/cancel", post(end_subscription))
        .route("/v1/payments/{id}", get(payment))
        .with_state(books)
}

fn problem(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({"status": status.as_u16(), "code": code, "detail": code}))).into_response()
}

fn allowed(headers: &HeaderMap, books: &Books) -> Option<Response> {
    if books.down {
        return Some(problem(503, "unavailable"));
    }
    let wanted = format!("Bearer {KEY}");
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    (given != Some(wanted.as_str())).then(|| problem(401, "unauthorized"))
}

/// Klarna's lines and sums for a request of the shop, as the real gateway makes them.
fn priced(checkout: &mut Value, request: &Value) {
    let excluding = request["prices"] == "excluding_tax";
    let mut lines = Vec::new();
    let (mut amount, mut tax) = (0, 0);
    for line in request["lines"].as_array().unwrap() {
        let number = |name: &str| line[name].as_i64().unwrap_or(0);
        let total = number("quantity") * number("unit_price") - number("discount");
        let rate = number("tax_rate");
        let part =
            if excluding { total * rate * 2 + 10_000 } else { total * rate * 2 + 10_000 + rate };
        let line_tax = part / (2 * if excluding { 10_000 } else { 10_000 + rate });
        lines.push(json!({
            "type": line["type"], "reference": line["reference"], "name": line["name"],
            "quantity": number("quantity"), "total_amount": total,
        }));
        amount += total;
        tax += line_tax;
    }
    if excluding {
        lines.push(
            json!({"type": "sales_tax", "name": "Sales Tax", "quantity": 1, "total_amount": tax}),
        );
        amount += tax;
    }
    checkout["order_lines"] = lines.into();
    checkout["order_amount"] = amount.into();
    checkout["order_tax_amount"] = tax.into();
    for name in ["country", "locale"] {
        checkout[name] = request[name].clone();
    }
    checkout["currency"] = match request["country"].as_str() {
        Some("SE") => "SEK",
        Some("GB") => "GBP",
        Some("US") => "USD",
        Some("CA") => "CAD",
        _ => "EUR",
    }
    .into();
}

async fn open(
    State(books): State<Shared>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let mut books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    books.requests.push((Method::POST, "/v1/checkouts".into(), request.clone()));
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    if let Some(id) = books.keys.get(&key).cloned() {
        return (StatusCode::CREATED, Json(books.checkouts[&id].clone())).into_response();
    }
    let id = format!("chk_{:08}", books.checkouts.len() + 1);
    let mut checkout = json!({
        "id": id, "status": "open", "merchant_reference": request["merchant_reference"],
        "created_at": "2026-11-23T10:00:00Z", "expires_at": "2099-01-01T00:00:00Z",
        "klarna": {
            "client_token": format!("header.{id}.signature"), "script_url": books.script_url,
            "payment_method_categories": [{
                "identifier": "klarna",
                "name": match request["locale"].as_str() {
                    Some("sv-SE") => "Betala med Klarna",
                    Some("de-DE") => "Flexibel bezahlen",
                    _ => "Pay with Klarna",
                },
                "asset_urls": {"standard": "https://x.klarnacdn.net/payment-method/assets/badges/generic/klarna.svg"}
            }]
        }
    });
    if let Some("hosted" | "in_store") = request["channel"].as_str() {
        checkout.as_object_mut().unwrap().remove("klarna");
        checkout["channel"] = request["channel"].clone();
        give_page(&mut checkout, 1);
    }
    priced(&mut checkout, &request);
    books.checkouts.insert(id.clone(), checkout.clone());
    books.keys.insert(key, id);
    (StatusCode::CREATED, Json(checkout)).into_response()
}

/// A page of Klarna's; in a store, only the code that leads to it.
fn give_page(checkout: &mut Value, number: usize) {
    let address =
        format!("http://localhost:7072/page/{}/{number}", checkout["id"].as_str().unwrap());
    if checkout["channel"] == "hosted" {
        checkout["redirect_url"] = address.clone().into();
    }
    checkout["page"] = json!({
        "status": "waiting", "qr_code_url": format!("{address}/qr"),
        "payment_method_categories": [{
            "identifier": "klarna", "name": "Flexibla betalningar",
            "asset_urls": { "standard": "https://x.klarnacdn.net/badge.svg" },
        }],
    });
}

async fn fresh_page(
    State(books): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    let Some(checkout) = books.checkouts.get_mut(&id) else { return problem(404, "not_found") };
    give_page(checkout, 2);
    Json(checkout.clone()).into_response()
}

async fn browser(State(books): State<Shared>) -> Response {
    books
        .lock()
        .browser
        .clone()
        .map_or_else(|| problem(404, "not_found"), |it| Json(it).into_response())
}

async fn identity(State(books): State<Shared>, Json(request): Json<Value>) -> Response {
    let mut books = books.lock();
    books.requests.push((Method::POST, "/v1/identities".into(), request));
    books
        .signed_in
        .clone()
        .map_or_else(|| problem(422, "sign_in_refused"), |it| Json(it).into_response())
}

async fn begin_sign_in(State(books): State<Shared>, Json(request): Json<Value>) -> Response {
    let mut books = books.lock();
    books.requests.push((Method::POST, "/v1/sign_ins".into(), request));
    let number = books.requests.len();
    let begun = json!({
        "id": format!("sgn_{number}"), "state": format!("state-{number}"),
        "authorization_url": format!("http://localhost:7072/eu/lp/idp/oauth2/auth?state=state-{number}"),
    });
    (StatusCode::CREATED, Json(begun)).into_response()
}

async fn finish_sign_in(
    State(books): State<Shared>,
    Path(id): Path<String>,
    Json(request): Json<Value>,
) -> Response {
    let mut books = books.lock();
    books.requests.push((Method::POST, format!("/v1/sign_ins/{id}/finish"), request));
    books
        .signed_in
        .clone()
        .map_or_else(|| problem(422, "sign_in_refused"), |it| Json(it).into_response())
}

async fn plans(State(books): State<Shared>) -> Response {
    Json(json!({ "data": books.lock().plans })).into_response()
}

async fn plan(State(books): State<Shared>, Json(mut request): Json<Value>) -> Response {
    let mut books = books.lock();
    request["id"] = format!("plan_{}", books.plans.len() + 1).into();
    request["status"] = "active".into();
    books.plans.push(request.clone());
    (StatusCode::CREATED, Json(request)).into_response()
}

async fn subscribe(State(books): State<Shared>, Json(mut request): Json<Value>) -> Response {
    let mut books = books.lock();
    let id = format!("sub_{:08}", books.subscriptions.len() + 1);
    request["id"] = id.clone().into();
    request["status"] = "active".into();
    request["next_charge_at"] = "2027-01-31T10:00:00Z".into();
    books.subscriptions.insert(id, request.clone());
    (StatusCode::CREATED, Json(request)).into_response()
}

async fn subscription(State(books): State<Shared>, Path(id): Path<String>) -> Response {
    match books.lock().subscriptions.get(&id) {
        Some(subscription) => Json(subscription.clone()).into_response(),
        None => problem(404, "not_found"),
    }
}

async fn end_subscription(State(books): State<Shared>, Path(id): Path<String>) -> Response {
    match books.lock().subscriptions.get_mut(&id) {
        None => problem(404, "not_found"),
        Some(subscription) if subscription["status"] == "cancelled" => {
            problem(409, "state_conflict")
        }
        Some(subscription) => {
            subscription["status"] = "cancelled".into();
            Json(subscription.clone()).into_response()
        }
    }
}

async fn read(State(books): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    match books.checkouts.get(&id) {
        Some(checkout) => Json(checkout.clone()).into_response(),
        None => problem(404, "not_found"),
    }
}

async fn update(
    State(books): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let mut books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    books.requests.push((Method::POST, format!("/v1/checkouts/{id}"), request.clone()));
    let Some(checkout) = books.checkouts.get_mut(&id) else { return problem(404, "not_found") };
    if checkout["status"] != "open" {
        return problem(409, "checkout_not_open");
    }
    priced(checkout, &request);
    Json(checkout.clone()).into_response()
}

async fn confirm(
    State(books): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let mut books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    books.requests.push((Method::POST, format!("/v1/checkouts/{id}/confirm"), request));
    let verdict = books.verdict;
    let Some(checkout) = books.checkouts.get_mut(&id) else { return problem(404, "not_found") };
    match verdict {
        Verdict::Complete => {
            checkout["status"] = "completed".into();
            checkout["payment_id"] = "pay_00000001".into();
            let mut answer = checkout.clone();
            answer["redirect_url"] = "https://payments.klarna.com/eu/redirects/1".into();
            Json(answer).into_response()
        }
        Verdict::InDoubt => {
            checkout["status"] = "confirming".into();
            (StatusCode::ACCEPTED, Json(checkout.clone())).into_response()
        }
        Verdict::Decline => problem(402, "declined"),
        Verdict::Refuse => problem(409, "not_matching"),
        Verdict::Fail => problem(502, "klarna_unreachable"),
        Verdict::Unauthorized => problem(401, "unauthorized"),
    }
}

async fn cancel(
    State(books): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut books = books.lock();
    if let Some(refused) = allowed(&headers, &books) {
        return refused;
    }
    match books.checkouts.get_mut(&id) {
        None => problem(404, "not_found"),
        Some(checkout) if checkout["status"] == "open" => {
            checkout["status"] = "cancelled".into();
            Json(checkout.clone()).into_response()
        }
        Some(_) => problem(409, "state_conflict"),
    }
}

async fn payment(State(books): State<Shared>, headers: HeaderMap) -> Response {
    let books = books.lock();
    allowed(&headers, &books).unwrap_or_else(|| Json(books.payment.clone()).into_response())
}

/// A shop with its gateway.
pub(crate) struct World {
    pub(crate) books: Shared,
    pub(crate) shop: Running,
    gateway: Server,
    gateway_url: String,
    checkout: CheckoutWay,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(CheckoutWay::Inline).await
    }

    pub(crate) async fn start_with(checkout: CheckoutWay) -> Self {
        let books = Shared::default();
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let gateway_url = format!("http://{}", listener.address());
        let gateway = listener.serve(routes(books.clone()), Shutdown::new());
        let shop = open_shop(&gateway_url, checkout).await;
        Self { books, shop, gateway, gateway_url, checkout }
    }

    /// The shop is stopped and started again, on whatever port is free.
    pub(crate) async fn restart_shop(&mut self) {
        let fresh = open_shop(&self.gateway_url, self.checkout).await;
        std::mem::replace(&mut self.shop, fresh).stop().await;
    }

    pub(crate) fn visitor(&self, language: &str) -> Visitor {
        Visitor {
            base: format!("http://{}", self.shop.addr),
            origin: self.shop.url.origin().ascii_serialization(),
            cookies: BTreeMap::new(),
            language: language.to_owned(),
            http: HttpClient::default(),
        }
    }

    pub(crate) async fn stop(self) {
        self.shop.stop().await;
        self.gateway.stop().await;
    }
}

async fn open_shop(gateway_url: &str, checkout: CheckoutWay) -> Running {
    Shop::start(Config {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        gateway_url: gateway_url.parse().unwrap(),
        gateway_api_key: Secret::new(KEY),
        session_secret: Secret::new("a secret of the tests"),
        clock: SystemClock::shared(),
        checkout,
        klarna_on_pages: shop::KlarnaOnPages::Shown,
    })
    .await
    .unwrap()
}

/// A browser without a screen: keeps cookies, sends forms with their tokens.
#[derive(Clone)]
pub(crate) struct Visitor {
    base: String,
    pub(crate) origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
    language: String,
    http: HttpClient,
}

impl Visitor {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, "", &[]).await
    }

    /// Reads a page for its form token, then sends a form.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(path, &all).await
    }

    pub(crate) async fn post_raw(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(
            Method::POST,
            path,
            &body,
            &[("content-type", "application/x-www-form-urlencoded")],
        )
        .await
    }

    pub(crate) async fn confirm(&mut self, checkout_id: &str, authorization_token: &str) -> Answer {
        let token = self.form_token().await;
        let body = json!({"checkout_id": checkout_id, "authorization_token": authorization_token});
        self.send(
            Method::POST,
            "/checkout/confirm",
            &body.to_string(),
            &[("content-type", "application/json"), ("x-csrf-token", &token)],
        )
        .await
    }

    pub(crate) async fn form_token(&mut self) -> String {
        let page = self.get("/help").await.text();
        between(&page, "name=\"csrf\" value=\"", "\"").to_owned()
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("accept-language", self.language.parse().unwrap());
        if method == Method::POST {
            headers.insert("origin", self.origin.parse().unwrap());
        }
        let jar: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        headers.insert("cookie", jar.join("; ").parse().unwrap());
        for (name, value) in more {
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let address = format!("{}{path}", self.base);
        let answer =
            self.http.send(method, &address, headers, body.to_owned().into()).await.unwrap();
        for cookie in answer.headers.get_all("set-cookie") {
            let (name, value) =
                cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).unwrap_or_else(|| panic!("no {start:?} in {text}")).1;
    after.split_once(end).unwrap().0
}
