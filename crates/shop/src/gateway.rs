//! The shop's calls to its payment gateway, server to server.
//!
//! The gateway's public JSON API and nothing else: this is what a shop in any language would
//! write. The reader is tolerant (unknown members are ignored, missing ones have a meaning), so
//! that a newer gateway does not break an older shop. The API key never leaves this module.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use service::http::{HttpClient, Limits};
use url::Url;

use crate::Secret;
use crate::checkout::{Channel, Intent};

/// Talks to one gateway with one API key.
#[derive(Clone)]
pub struct Gateway {
    http: HttpClient,
    base: Url,
    authorization: HeaderValue,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// What a checkout is opened with, or changed to.
#[derive(Debug, Clone, Serialize)]
pub struct CheckoutRequest {
    /// The shop's order number. Fixed once the checkout is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// For example `sv-SE`.
    pub locale: &'static str,
    /// `including_tax` or `excluding_tax`.
    pub prices: &'static str,
    /// What is bought.
    pub lines: Vec<Line>,
    /// Where Klarna sends the shopper in the end; `{checkout_id}` is filled in by the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation_url: Option<String>,
    /// Goods are paid when they are sent, so a person captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<&'static str>,
    /// How the purchase reaches the shopper. Fixed once the checkout is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What the approval is for. Fixed once the checkout is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The token to be, where the intent makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_token: Option<TokenToBe>,
    /// Where Klarna's page leads, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageWish>,
    /// Who buys: only where the shopper has chosen to pay on Klarna's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Who is signed in with Klarna, so that they are when they pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
}

/// A sign-in to be, on Klarna's page.
#[derive(Debug, Clone, Serialize)]
pub struct SignInRequest {
    /// The page of the shop's to which Klarna sends the browser back.
    pub redirect_uri: String,
    /// What is asked for, separated by spaces.
    pub scope: &'static str,
    /// For example `sv-SE`.
    pub locale: &'static str,
}

/// A sign-in that has begun.
#[derive(Clone, Deserialize)]
pub struct SignIn {
    /// The gateway's id.
    pub id: String,
    /// Where the browser goes.
    pub authorization_url: String,
    /// What Klarna gives back to the browser that was sent.
    pub state: String,
}

/// What Klarna gave back: the parameters of the address that the browser came back to.
#[derive(Default, Clone, Serialize, Deserialize)]
pub struct SignInAnswer {
    /// What was sent along.
    #[serde(default)]
    pub state: String,
    /// Redeemed by the gateway, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Why there is no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Somebody who has just signed in with Klarna.
#[derive(Clone, Deserialize)]
pub struct SignedIn {
    /// Who, to the gateway.
    pub identity: Identity,
    /// What they share with the shop.
    #[serde(default)]
    pub profile: Profile,
}

/// Who signed in, to the gateway.
#[derive(Debug, Clone, Deserialize)]
pub struct Identity {
    /// The gateway's id.
    pub id: String,
}

/// What a person shares; whatever they do not is absent.
#[derive(Clone, Default, Deserialize)]
pub struct Profile {
    /// First name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub family_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Where they live.
    #[serde(default)]
    pub billing_address: Option<BTreeMap<String, serde_json::Value>>,
}

/// An address in Klarna's words: only the fields that were filled in.
pub type Address = BTreeMap<&'static str, String>;

/// A token that a checkout is to make.
#[derive(Debug, Clone, Serialize)]
pub struct TokenToBe {
    /// What the shopper is told it is for.
    pub description: String,
    /// The plan of the subscription that it is for.
    pub plan_id: String,
}

/// Where Klarna's page leads.
#[derive(Debug, Clone, Serialize)]
pub struct PageWish {
    /// What stands above it.
    pub page_title: String,
    /// The shop's logo.
    pub logo_url: String,
    /// When the shopper goes back, and may return.
    pub back_url: String,
    /// When the shopper cancels.
    pub cancel_url: String,
    /// When Klarna declines.
    pub failure_url: String,
}

/// What a subscription charges, and how often.
#[derive(Debug, Clone, Serialize)]
pub struct PlanRequest {
    /// What the shopper reads.
    pub name: String,
    /// ISO 4217.
    pub currency: &'static str,
    /// `month`.
    pub interval: &'static str,
    /// `including_tax` or `excluding_tax`.
    pub prices: &'static str,
    /// What is charged each time.
    pub lines: Vec<Line>,
    /// Goods are paid when they are sent.
    pub capture: &'static str,
}

/// A plan, as far as the shop needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    /// The gateway's id.
    pub id: String,
    /// What the shopper reads.
    #[serde(default)]
    pub name: String,
    /// ISO 4217.
    #[serde(default)]
    pub currency: String,
    /// `active` or `archived`.
    #[serde(default)]
    pub status: String,
    /// What is charged each time.
    #[serde(default)]
    pub lines: Vec<PlanLine>,
}

/// A line of a [`Plan`].
#[derive(Debug, Clone, Deserialize)]
pub struct PlanLine {
    /// The shop's name for it.
    #[serde(default)]
    pub reference: Option<String>,
    /// How many.
    #[serde(default)]
    pub quantity: i64,
    /// In minor units.
    #[serde(default)]
    pub unit_price: i64,
    /// In hundredths of a percent.
    #[serde(default)]
    pub tax_rate: i64,
}

impl Plan {
    /// Whether it is what this request would make.
    pub fn is(&self, request: &PlanRequest) -> bool {
        let own = self.lines.iter().map(|line| {
            (
                line.reference.as_deref().unwrap_or_default(),
                line.quantity,
                line.unit_price,
                line.tax_rate,
            )
        });
        let wanted = request
            .lines
            .iter()
            .map(|line| (line.reference.as_str(), line.quantity, line.unit_price, line.tax_rate));
        self.status == "active"
            && self.name == request.name
            && self.currency == request.currency
            && own.eq(wanted)
    }
}

/// A subscription that begins with a checkout.
#[derive(Debug, Clone, Serialize)]
pub struct SubscriptionRequest {
    /// The checkout that makes the token and pays the first month.
    pub checkout_id: String,
    /// What is charged after that.
    pub plan_id: String,
    /// The shop's number of it.
    pub merchant_reference: String,
    /// On whose clocks days are counted.
    pub time_zone: &'static str,
}

/// A subscription as the gateway knows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Subscription {
    /// The gateway's id.
    pub id: String,
    /// `incomplete`, `trialing`, `active`, `past_due`, `paused`, `suspended` or `cancelled`.
    #[serde(default)]
    pub status: String,
    /// When the next period is charged.
    #[serde(default)]
    pub next_charge_at: Option<Moment>,
}

impl Subscription {
    /// Whether nothing will be charged any more.
    pub fn is_over(&self) -> bool {
        self.status == "cancelled"
    }
}

/// One line of a [`CheckoutRequest`].
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// `physical`, `shipping_fee`, `gift_card`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The shop's name for it.
    pub reference: String,
    /// What the shopper reads.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// In minor units.
    pub unit_price: i64,
    /// In hundredths of a percent.
    pub tax_rate: i64,
    /// Off the line, in minor units.
    #[serde(skip_serializing_if = "is_zero")]
    pub discount: i64,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// The product's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_url: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// A checkout as the gateway knows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Checkout {
    /// The gateway's id; unguessable.
    pub id: String,
    /// Where it stands.
    pub status: CheckoutStatus,
    /// The shop's order number.
    #[serde(default)]
    pub merchant_reference: String,
    /// ISO 4217.
    #[serde(default)]
    pub currency: String,
    /// What is to pay, in minor units.
    #[serde(default)]
    pub order_amount: i64,
    /// The tax in it, in minor units.
    #[serde(default)]
    pub order_tax_amount: i64,
    /// Klarna's order lines.
    #[serde(default)]
    pub order_lines: Vec<OrderLine>,
    /// What the browser needs; gone once the checkout is over.
    #[serde(default)]
    pub klarna: Option<KlarnaSession>,
    /// When Klarna's session ends: RFC 3339, or milliseconds since the epoch.
    #[serde(default)]
    pub expires_at: Option<Moment>,
    /// When it was opened.
    #[serde(default)]
    pub created_at: Option<Moment>,
    /// The payment that came of it.
    #[serde(default)]
    pub payment_id: Option<String>,
    /// The payment itself, where the answer carries it.
    #[serde(default)]
    pub payment: Option<Payment>,
    /// Where the shopper is to be sent: to Klarna's page while it is to be paid there; after the
    /// purchase, so that Klarna can recognise the device next time.
    #[serde(default)]
    pub redirect_url: Option<String>,
    /// Klarna's page, where there is one.
    #[serde(default)]
    pub page: Option<KlarnaPage>,
}

/// The page of Klarna's on which the shopper pays.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct KlarnaPage {
    /// `waiting`, `in_progress`, `completed`, `declined`, `failed`, `back`, `cancelled`, …
    #[serde(default)]
    pub status: String,
    /// A picture of a code that leads to it.
    #[serde(default)]
    pub qr_code_url: Option<String>,
    /// What the shopper can choose there.
    #[serde(default)]
    pub payment_method_categories: Vec<Category>,
}

impl Checkout {
    /// How Klarna's page is named among the ways to pay, where it offers one thing.
    pub fn page_category(&self) -> Option<&Category> {
        match self.page.as_ref()?.payment_method_categories.as_slice() {
            [only] if !only.name.is_empty() => Some(only),
            _ => None,
        }
    }

    /// Where Klarna's page stands, if there is one.
    pub fn page_status(&self) -> Option<&str> {
        self.page.as_ref().map(|page| page.status.as_str())
    }
}

/// Where a checkout stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// Waiting for the shopper.
    Open,
    /// Approved; the order is being made.
    Confirming,
    /// The order exists.
    Completed,
    /// Klarna refused the order.
    Declined,
    /// Nobody came in time.
    Expired,
    /// Given up by the shop.
    Cancelled,
    /// A status that this shop does not know.
    #[serde(untagged)]
    Unknown(String),
}

/// An instant, in either of the forms that JSON APIs use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Milliseconds since the Unix epoch.
    Millis(i64),
    /// RFC 3339.
    Text(String),
}

impl Moment {
    /// The instant, if it can be read.
    pub fn timestamp(&self) -> Option<jiff::Timestamp> {
        match self {
            Self::Millis(ms) => jiff::Timestamp::from_millisecond(*ms).ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// One of Klarna's order lines.
#[derive(Debug, Clone, Deserialize)]
pub struct OrderLine {
    /// `physical`, `sales_tax`, …
    #[serde(default, rename = "type")]
    pub kind: String,
    /// The shop's reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// What the shopper reads.
    #[serde(default)]
    pub name: String,
    /// How many.
    #[serde(default)]
    pub quantity: i64,
    /// What the line comes to.
    #[serde(default)]
    pub total_amount: i64,
}

/// What Klarna's browser library is started with.
#[derive(Clone, Deserialize)]
pub struct KlarnaSession {
    /// Identifies the session to the browser library.
    #[serde(default)]
    pub client_token: String,
    /// Klarna's browser library.
    #[serde(default)]
    pub script_url: String,
    /// What the shopper can choose.
    #[serde(default)]
    pub payment_method_categories: Vec<Category>,
}

impl std::fmt::Debug for KlarnaSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KlarnaSession")
            .field("client_token", &"***")
            .field("script_url", &self.script_url)
            .field("payment_method_categories", &self.payment_method_categories)
            .finish()
    }
}

/// One way to pay with Klarna.
#[derive(Debug, Clone, Deserialize)]
pub struct Category {
    /// Klarna's name for it: `klarna`, `pay_later`, …
    pub identifier: String,
    /// What the shopper reads, in the session's language.
    #[serde(default)]
    pub name: String,
    /// Logos.
    #[serde(default)]
    pub asset_urls: Option<AssetUrls>,
}

/// Logos of a [`Category`]; Klarna may send none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AssetUrls {
    /// A badge with words.
    #[serde(default)]
    pub descriptive: Option<String>,
    /// A plain badge.
    #[serde(default)]
    pub standard: Option<String>,
}

impl Category {
    /// The badge to show beside the name.
    pub fn badge(&self) -> Option<&str> {
        let urls = self.asset_urls.as_ref()?;
        urls.standard.as_deref().or(urls.descriptive.as_deref()).filter(|url| !url.is_empty())
    }
}

/// What the gateway tells of Klarna for the shop's pages: nothing where the store has no client id.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BrowserSide {
    /// Names the shop to Klarna's libraries; public.
    #[serde(default)]
    pub client_id: Option<String>,
    /// `playground` or `production`.
    #[serde(default)]
    pub environment: Option<String>,
    /// Klarna's Web SDK: messages about paying, signing in.
    #[serde(default)]
    pub web_sdk_url: Option<String>,
    /// Klarna's payment library, which draws the express button.
    #[serde(default)]
    pub payments_sdk_url: Option<String>,
}

/// A payment, as far as an order page needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct Payment {
    /// `authorized`, `part_captured`, `captured`, `cancelled`, `expired`, `closed`, …
    #[serde(default)]
    pub status: String,
    /// `ACCEPTED`, `PENDING`, `REJECTED`.
    #[serde(default)]
    pub fraud_status: Option<String>,
    /// The money's movements.
    #[serde(default)]
    pub amounts: Amounts,
}

/// The money's movements, in minor units.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Amounts {
    /// Taken so far.
    #[serde(default)]
    pub captured: i64,
    /// Given back so far.
    #[serde(default)]
    pub refunded: i64,
}

/// The gateway's error form, `application/problem+json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Problem {
    /// A stable code.
    #[serde(default)]
    pub code: String,
    /// A sentence for developers.
    #[serde(default)]
    pub detail: Option<String>,
    /// To be quoted when asking for help.
    #[serde(default)]
    pub correlation_id: Option<String>,
}

/// What became of a confirmation.
#[derive(Debug, Clone)]
pub enum Confirmed {
    /// The order exists.
    Done(Box<Checkout>),
    /// Not known yet: the gateway goes on, the shop asks later.
    InDoubt,
}

/// A call that did not bring what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The gateway answered, and refused.
    #[error("the gateway refused with status {status} and code `{code}`: {detail}", code = problem.code, detail = problem.detail.as_deref().unwrap_or("no detail"))]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it said.
        problem: Problem,
    },
    /// The gateway could not be reached, or broke off; it may or may not have acted.
    #[error("the gateway gave no answer: {0}")]
    NoAnswer(#[source] service::http::Error),
    /// The gateway's answer cannot be read; it has acted.
    #[error("the gateway's answer cannot be read: {0}")]
    Unreadable(#[source] service::http::Error),
}

impl GatewayError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NoAnswer(_) | Self::Unreadable(_) => None,
        }
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(&problem.code),
            Self::NoAnswer(_) | Self::Unreadable(_) => None,
        }
    }

    /// Whether asking again later can help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::NoAnswer(_) | Self::Unreadable(_) => true,
        }
    }
}

impl Gateway {
    /// A client for the gateway at `base`.
    ///
    /// # Errors
    ///
    /// When the API key has characters that a header cannot carry.
    pub fn new(base: Url, api_key: &Secret) -> Result<Self, header::InvalidHeaderValue> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", api_key.expose()))?;
        authorization.set_sensitive(true);
        let limits = Limits {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(20),
            body_bytes: 1024 * 1024,
        };
        Ok(Self { http: HttpClient::new(limits), base, authorization })
    }

    /// Opens a checkout. Sending the same key and request again brings the same checkout.
    pub async fn open(
        &self,
        request: &CheckoutRequest,
        idempotency_key: &str,
    ) -> Result<Checkout, GatewayError> {
        let answer = self
            .call(Method::POST, &["v1", "checkouts"], Some(request), Some(idempotency_key))
            .await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Reads a checkout.
    pub async fn checkout(&self, id: &str) -> Result<Checkout, GatewayError> {
        let answer = self.call::<()>(Method::GET, &["v1", "checkouts", id], None, None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Changes an open checkout to a new content.
    pub async fn update(
        &self,
        id: &str,
        request: &CheckoutRequest,
    ) -> Result<Checkout, GatewayError> {
        let answer = self.call(Method::POST, &["v1", "checkouts", id], Some(request), None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Hands over what the shopper's approval brought. Repeating it is safe.
    pub async fn confirm(
        &self,
        id: &str,
        authorization_token: &str,
    ) -> Result<Confirmed, GatewayError> {
        #[derive(Serialize)]
        struct Confirmation<'a> {
            authorization_token: &'a str,
        }
        let answer = self
            .call(
                Method::POST,
                &["v1", "checkouts", id, "confirm"],
                Some(&Confirmation { authorization_token }),
                None,
            )
            .await?;
        if answer.status == StatusCode::ACCEPTED {
            return Ok(Confirmed::InDoubt);
        }
        answer
            .json()
            .map(|checkout| Confirmed::Done(Box::new(checkout)))
            .map_err(GatewayError::Unreadable)
    }

    /// Calls an open checkout off, so that no order can come of it any more.
    pub async fn cancel(&self, id: &str) -> Result<Checkout, GatewayError> {
        let answer =
            self.call::<()>(Method::POST, &["v1", "checkouts", id, "cancel"], None, None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Gives a checkout a fresh page: the one before was called off, or its time is over.
    pub async fn fresh_page(&self, id: &str) -> Result<Checkout, GatewayError> {
        let nothing = serde_json::json!({});
        let answer =
            self.call(Method::POST, &["v1", "checkouts", id, "page"], Some(&nothing), None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// The newest plans.
    pub async fn plans(&self) -> Result<Vec<Plan>, GatewayError> {
        #[derive(Deserialize)]
        struct Page {
            data: Vec<Plan>,
        }
        let answer = self.call::<()>(Method::GET, &["v1", "plans"], None, None).await?;
        answer.json().map(|page: Page| page.data).map_err(GatewayError::Unreadable)
    }

    /// Adds a plan. Sending the same key and request again brings the same plan.
    pub async fn plan(
        &self,
        request: &PlanRequest,
        idempotency_key: &str,
    ) -> Result<Plan, GatewayError> {
        let answer =
            self.call(Method::POST, &["v1", "plans"], Some(request), Some(idempotency_key)).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Begins a subscription. Sending the same key and request again brings the same one.
    pub async fn subscribe(
        &self,
        request: &SubscriptionRequest,
        idempotency_key: &str,
    ) -> Result<Subscription, GatewayError> {
        let answer = self
            .call(Method::POST, &["v1", "subscriptions"], Some(request), Some(idempotency_key))
            .await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Reads a subscription.
    pub async fn subscription(&self, id: &str) -> Result<Subscription, GatewayError> {
        let answer = self.call::<()>(Method::GET, &["v1", "subscriptions", id], None, None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Ends a subscription; nothing is charged any more.
    pub async fn end_subscription(&self, id: &str) -> Result<Subscription, GatewayError> {
        let now = serde_json::json!({ "when": "now" });
        let answer = self
            .call(Method::POST, &["v1", "subscriptions", id, "cancel"], Some(&now), None)
            .await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Begins a sign-in on Klarna's page.
    pub async fn begin_sign_in(&self, request: &SignInRequest) -> Result<SignIn, GatewayError> {
        let answer = self.call(Method::POST, &["v1", "sign_ins"], Some(request), None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Finishes it with what Klarna gave back; the gateway checks every word of it.
    pub async fn finish_sign_in(
        &self,
        id: &str,
        answered: &SignInAnswer,
    ) -> Result<SignedIn, GatewayError> {
        let path = ["v1", "sign_ins", id, "finish"];
        let answer = self.call(Method::POST, &path, Some(answered), None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Hands over whom Klarna's button signed in on a page; the gateway checks every word of it.
    pub async fn adopt(
        &self,
        id_token: &Secret,
        refresh_token: &Secret,
    ) -> Result<SignedIn, GatewayError> {
        #[derive(Serialize)]
        struct Tokens<'a> {
            id_token: &'a str,
            refresh_token: &'a str,
        }
        let tokens = Tokens { id_token: id_token.expose(), refresh_token: refresh_token.expose() };
        let answer = self.call(Method::POST, &["v1", "identities"], Some(&tokens), None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// What the shop's pages may load of Klarna's.
    pub async fn browser_side(&self) -> Result<BrowserSide, GatewayError> {
        let answer = self.call::<()>(Method::GET, &["v1", "browser"], None, None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    /// Reads a payment.
    pub async fn payment(&self, id: &str) -> Result<Payment, GatewayError> {
        let answer = self.call::<()>(Method::GET, &["v1", "payments", id], None, None).await?;
        answer.json().map_err(GatewayError::Unreadable)
    }

    async fn call<B: Serialize>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&B>,
        idempotency_key: Option<&str>,
    ) -> Result<service::http::Answer, GatewayError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Segments are percent-encoded, so an id can never reach another route.
            segments.pop_if_empty().extend(path);
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = idempotency_key.and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.insert("idempotency-key", key);
        }
        let sent = match body {
            Some(body) => self.http.post_json(url.as_str(), headers, body).await,
            None => self.http.send(method, url.as_str(), headers, bytes::Bytes::new()).await,
        };
        let answer = sent.map_err(GatewayError::NoAnswer)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        // An error page of something in between is not JSON; its status still says enough.
        let problem: Problem = answer.json().unwrap_or_default();
        Err(GatewayError::Refused { status: answer.status, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_is_tolerant() {
        let checkout: Checkout = serde_json::from_str(
            r#"{"id":"chk_1","status":"something_new","novel":{"a":1},
                "klarna":{"client_token":"x","payment_method_categories":[{"identifier":"klarna","asset_urls":{}}]},
                "expires_at":"2026-11-25T10:00:00Z","created_at":1795600000000}"#,
        )
        .unwrap();
        assert_eq!(checkout.status, CheckoutStatus::Unknown("something_new".into()));
        let klarna = checkout.klarna.unwrap();
        assert_eq!(klarna.payment_method_categories[0].badge(), None);
        assert!(checkout.expires_at.unwrap().timestamp().is_some());
        assert!(checkout.created_at.unwrap().timestamp().is_some());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let session: KlarnaSession =
            serde_json::from_str(r#"{"client_token":"hush","script_url":"https://x/y.js"}"#)
                .unwrap();
        assert!(!format!("{session:?}").contains("hush"));
        let gateway =
            Gateway::new("http://localhost:1".parse().unwrap(), &Secret::new("kassa_sk_hush"))
                .unwrap();
        assert!(!format!("{gateway:?}").contains("hush"));
    }
}
