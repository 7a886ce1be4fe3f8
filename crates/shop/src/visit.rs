//! One request of one visitor: which market, which cart, which checkout; and the answer's cookies.
//!
//! Everything a visitor brings is either checked against the shop's own tables or signed. What
//! cannot be trusted is treated as absent, never as an error: the worst a broken cookie does is an
//! empty cart.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::Markup;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::{App, OnPages};
use crate::cart::Cart;
use crate::checkout::Draft;
use crate::cookies::{self, Reach, Writing};
use crate::language::{Language, Texts};
use crate::market::{Market, View};
use crate::policy;

/// The names start with the shop's, because cookies of one host are shared by all its ports.
const VISITOR: &str = "tallvik_visitor";
const MARKET: &str = "tallvik_market";
const CART: &str = "tallvik_cart";
const CHECKOUT: &str = "tallvik_checkout";
const ORDERS: &str = "tallvik_orders";
/// Who is signed in with Klarna: the gateway's id, and nothing about the person.
const IDENTITY: &str = "tallvik_identity";
/// A sign-in on Klarna's page that this browser has begun.
const SIGN_IN: &str = "tallvik_sign_in";
/// Readable by the page's scripts: the fingerprint of the present cart. It lets the checkout see
/// in the click itself, without a request, that another tab has changed the cart.
const SEEN: &str = "tallvik_seen";

const MONTH_S: i64 = 30 * 24 * 60 * 60;
/// As long as a Klarna session can live, and a little more.
const CHECKOUT_S: i64 = 3 * 24 * 60 * 60;
/// As long as the gateway waits for somebody to sign in.
const SIGN_IN_S: i64 = 30 * 60;
/// The list of a visitor's orders is as long as a cookie can bear.
const MAX_ORDERS: usize = 10;

/// A line in the visitor's list of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderNote {
    /// The shop's order number.
    #[serde(rename = "r")]
    pub(crate) reference: String,
    /// The gateway's checkout, for orders paid with Klarna.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) checkout_id: Option<String>,
    /// When it was placed.
    #[serde(rename = "t")]
    pub(crate) placed_at_ms: i64,
    /// In minor units.
    #[serde(rename = "a")]
    pub(crate) amount: i64,
    /// ISO 4217.
    #[serde(rename = "k")]
    pub(crate) currency: String,
    /// The subscription that began with it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) subscription_id: Option<String>,
}

/// A visitor's request.
pub(crate) struct Visit {
    app: App,
    /// Market and language.
    pub(crate) view: View,
    /// What is in the cart.
    pub(crate) cart: Cart,
    /// The checkout under way.
    pub(crate) draft: Option<Draft>,
    /// Orders placed from this browser, newest first.
    pub(crate) orders: Vec<OrderNote>,
    /// Who is signed in with Klarna, to the gateway.
    pub(crate) identity_id: Option<String>,
    /// The sign-in under way: the gateway's id of it, and what Klarna gives back.
    sign_in_under_way: Option<(String, String)>,
    /// The address of this request, to come back to.
    pub(crate) path: String,
    /// What pages load of Klarna's.
    pub(crate) klarna: Option<Arc<OnPages>>,
    visitor: String,
    set: Vec<String>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let mut visit = Self::read(app, &parts.headers, parts.uri.path());
        visit.klarna = app.on_pages().await;
        Ok(visit)
    }
}

impl Visit {
    fn read(app: &App, headers: &HeaderMap, path: &str) -> Self {
        let signed =
            |name| cookies::read(headers, name).and_then(|sealed| app.signer.open(name, sealed));
        let view = cookies::read(headers, MARKET).and_then(View::from_tag).unwrap_or_else(|| {
            let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            View::from_accept_language(wanted.unwrap_or_default())
        });
        let known = signed(VISITOR).and_then(|bytes| String::from_utf8(bytes).ok());
        let fresh = known.is_none();
        let mut visit = Self {
            app: app.clone(),
            view,
            cart: signed(CART).and_then(|json| from_json::<Cart>(&json)).unwrap_or_default().tidy(),
            draft: signed(CHECKOUT).and_then(|json| from_json(&json)),
            orders: signed(ORDERS).and_then(|json| from_json(&json)).unwrap_or_default(),
            identity_id: signed(IDENTITY).and_then(|json| from_json(&json)),
            sign_in_under_way: signed(SIGN_IN).and_then(|json| from_json(&json)),
            path: path.to_owned(),
            klarna: None,
            visitor: known.unwrap_or_else(|| service::random::uuid().simple().to_string()),
            set: Vec::new(),
        };
        if fresh {
            let sealed = app.signer.seal(VISITOR, visit.visitor.as_bytes());
            visit.set_cookie(VISITOR, &sealed, MONTH_S, Reach::Server);
        }
        visit
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn market(&self) -> &'static Market {
        self.view.market
    }

    pub(crate) fn language(&self) -> Language {
        self.view.locale.language
    }

    pub(crate) fn texts(&self) -> &'static Texts {
        self.language().texts()
    }

    /// The present cart's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        self.cart.fingerprint(self.view)
    }

    /// What a form of this visitor must carry.
    pub(crate) fn form_token(&self) -> String {
        self.app.signer.token("form", &self.visitor)
    }

    /// Remembers the market.
    pub(crate) fn choose_view(&mut self, view: View) {
        self.view = view;
        self.set_cookie(MARKET, view.locale.tag, 12 * MONTH_S, Reach::Server);
        self.announce_cart();
    }

    /// Remembers the cart.
    pub(crate) fn keep_cart(&mut self) {
        self.set_signed(CART, &self.cart.clone(), MONTH_S);
        self.announce_cart();
    }

    /// Empties the cart; codes and delivery go with it.
    pub(crate) fn empty_cart(&mut self) {
        self.cart = Cart::default();
        self.keep_cart();
    }

    /// Tells the page's scripts which cart is the present one.
    pub(crate) fn announce_cart(&mut self) {
        let fingerprint = self.fingerprint();
        self.set_cookie(SEEN, &fingerprint, MONTH_S, Reach::Scripts);
    }

    /// Remembers the checkout under way.
    pub(crate) fn keep_draft(&mut self, draft: Draft) {
        self.set_signed(CHECKOUT, &draft, CHECKOUT_S);
        self.draft = Some(draft);
    }

    /// The checkout is over.
    pub(crate) fn forget_draft(&mut self) {
        self.set_cookie(CHECKOUT, "", 0, Reach::Server);
        self.draft = None;
    }

    /// The browser leaves to sign in on Klarna's page. Who comes back has to bring the same state.
    pub(crate) fn leave_to_sign_in(&mut self, id: String, state: String) {
        self.set_signed(SIGN_IN, &(id, state), SIGN_IN_S);
    }

    /// It is back: the gateway's id of the sign-in, if this browser began one with this state. Answered once; what
    /// does not belong to it leaves it as it is.
    pub(crate) fn back_from_sign_in(&mut self, brought: &str) -> Option<String> {
        let (id, _) = self.sign_in_under_way.take_if(|(_, state)| state == brought)?;
        self.set_cookie(SIGN_IN, "", 0, Reach::Server);
        Some(id)
    }

    /// Somebody has signed in with Klarna.
    pub(crate) fn sign_in(&mut self, identity_id: String) {
        self.set_signed(IDENTITY, &identity_id, MONTH_S);
        self.identity_id = Some(identity_id);
    }

    /// Nobody is signed in any more.
    pub(crate) fn sign_out(&mut self) {
        self.set_cookie(IDENTITY, "", 0, Reach::Server);
        self.identity_id = None;
    }

    /// Puts an order at the top of the visitor's list, once.
    pub(crate) fn note_order(&mut self, note: OrderNote) {
        if self.orders.iter().any(|known| known.reference == note.reference) {
            return;
        }
        self.orders.insert(0, note);
        self.orders.truncate(MAX_ORDERS);
        self.set_signed(ORDERS, &self.orders.clone(), 12 * MONTH_S);
    }

    /// A page.
    pub(crate) fn page(self, status: StatusCode, body: Markup) -> Response {
        let mut response = (status, body).into_response();
        if let Some(klarna) = &self.klarna {
            let libraries = [Some(&klarna.web_sdk), klarna.payments_sdk.as_ref()];
            let policy = policy::with_klarna(libraries.into_iter().flatten());
            if let Ok(policy) = HeaderValue::from_str(&policy) {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
        }
        self.answer(response)
    }

    /// Goes to another page of the shop with GET.
    pub(crate) fn go(self, path: &str) -> Response {
        self.answer(Redirect::to(path).into_response())
    }

    /// Any answer, with the visit's cookies.
    pub(crate) fn answer(self, mut response: Response) -> Response {
        for cookie in self.set {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }

    fn set_signed<T: Serialize>(&mut self, name: &str, value: &T, max_age_s: i64) {
        match serde_json::to_vec(value) {
            Ok(json) => {
                let sealed = self.app.signer.seal(name, &json);
                self.set_cookie(name, &sealed, max_age_s, Reach::Server);
            }
            Err(error) => tracing::error!(%error, cookie = name, "a cookie could not be written"),
        }
    }

    fn set_cookie(&mut self, name: &str, value: &str, max_age_s: i64, reach: Reach) {
        let secure = self.app.public_url.scheme() == "https";
        let line = cookies::write(name, value, Writing { secure, max_age_s, reach });
        let same = format!("{name}=");
        self.set.retain(|earlier| !earlier.starts_with(&same));
        self.set.push(line);
    }

    /// Whether this request was sent by a page of the shop, on this visitor's wish.
    fn is_ours(&self, headers: &HeaderMap, token: Option<&str>) -> bool {
        same_origin(headers, &self.app)
            && token.is_some_and(|token| self.app.signer.is_token("form", &self.visitor, token))
    }
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_slice(json).ok()
}

/// Whether the browser says that the request comes from the shop's own pages. Browsers send
/// `Origin` with every POST; whoever leaves it out still needs the form token.
fn same_origin(headers: &HeaderMap, app: &App) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if origin == app.public_url.origin().ascii_serialization() {
        return true;
    }
    // Reached under another name of this machine (127.0.0.1 for localhost): then the browser
    // names the same host in both headers.
    text("host").is_some_and(|host| {
        origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
    })
}

/// The fields of a form that one of our own pages sent.
pub(crate) struct Posted {
    /// Whose form it is.
    pub(crate) visit: Visit,
    fields: Vec<(String, String)>,
}

impl Posted {
    /// A field's value; the empty text if it was not sent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every field.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (visit, headers, body) = take(request, app).await?;
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(&body).into_owned().collect();
        let token = fields.iter().find(|(key, _)| key == "csrf").map(|(_, value)| value.as_str());
        if !visit.is_ours(&headers, token) {
            return Err(foreign(visit));
        }
        Ok(Self { visit, fields })
    }
}

/// A JSON message that a script of one of our own pages sent.
pub(crate) struct Message<T> {
    /// Whose page it is.
    pub(crate) visit: Visit,
    /// What it says.
    pub(crate) body: T,
}

impl<T: DeserializeOwned> FromRequest<App> for Message<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (visit, headers, body) = take(request, app).await?;
        let token = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
        if !visit.is_ours(&headers, token) {
            return Err(foreign(visit));
        }
        match serde_json::from_slice(&body) {
            Ok(body) => Ok(Self { visit, body }),
            Err(_) => Err(StatusCode::UNPROCESSABLE_ENTITY.into_response()),
        }
    }
}

async fn take(request: Request, app: &App) -> Result<(Visit, HeaderMap, Bytes), Response> {
    let mut visit = Visit::read(app, request.headers(), request.uri().path());
    visit.klarna = app.on_pages().await;
    let headers = request.headers().clone();
    let body = Bytes::from_request(request, app)
        .await
        .map_err(axum::response::IntoResponse::into_response)?;
    Ok((visit, headers, body))
}

fn foreign(visit: Visit) -> Response {
    let texts = visit.texts();
    let page = crate::pages::notice::page(
        &visit,
        &crate::pages::notice::Notice {
            title: texts.foreign_title,
            text: texts.foreign_text,
            link: ("/", texts.back_to_shop),
        },
    );
    visit.page(StatusCode::FORBIDDEN, page)
}
