//! On-site messaging without the library: the messaging API (`/messaging/v3`), the address that is fetched
//! when a message was shown, and the page that explains a promotion.
//!
//! Calls and impressions stand in the request log, so that a merchant sees whether its pages do what they
//! should. The page of explanations is open to everybody, in a frame of any page: nothing can be done on it.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use klarna_types::{Locale, MerchantId};
use serde::{Deserialize, Serialize};
use service::Clock as _;
use url::form_urlencoded;

use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::flow::offer::{Offer, offers};
use crate::domain::merchant::Messaging;
use crate::domain::messaging::{
    Ask, Placement, PlacementKey, Preference, country_of, placement, read_locale,
};
use crate::domain::sdk_token::{self, Purpose};
use crate::requests::{Direction, Entry};
use crate::web::caller::{WebError, is_own_page, json};
use crate::web::load::today;
use crate::web::web_sdk::caller::known;

/// For how long an answer of the API may be kept.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=300");

/// For how long after an answer an impression of it is counted.
const IMPRESSION_MS: i64 = 24 * 60 * 60 * 1_000;

/// A picture of one transparent pixel, for whoever fetches an impression as one.
const PIXEL: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What is fetched when a placement was shown. It names no person.
pub(super) fn impression_url(
    app: &App,
    client_id: &str,
    placement: &Placement,
    amount: Option<i64>,
) -> String {
    let amount = amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
    let subject =
        format!("{} {} {amount} {}", placement.key, placement.locale, service::random::uuid());
    let expires_at_ms = app.clock().now_ms().saturating_add(IMPRESSION_MS);
    let key = app.signing_key();
    let token = sdk_token::sign(Purpose::Impression, client_id, &subject, expires_at_ms, key);
    format!("{}/messaging/v3/impressions/{token}", app.base_url())
}

/// The page that explains a placement.
pub(super) fn learn_more_url(app: &App, placement: &Placement, amount: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("locale", &placement.locale);
    if let Some(amount) = amount {
        query.append_pair("purchase_amount", &amount.to_string());
    }
    format!("{}/osm/learn-more?{}", app.base_url(), query.finish())
}

/// A node of the API's answer.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Node {
    Text { name: &'static str, value: String },
    Action { name: &'static str, label: &'static str, url: String },
    Image { name: &'static str, alt: &'static str, url: String },
}

#[derive(Debug, Serialize)]
struct Content {
    nodes: Vec<Node>,
}

#[derive(Debug, Serialize)]
struct Message {
    content: Content,
    impression_url: String,
}

/// What the query of a call says.
#[derive(Debug, Default)]
struct Query {
    client_id: String,
    placement_key: String,
    locale: String,
    purchase_amount: Option<String>,
}

impl Query {
    fn read(text: Option<&str>) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "client_id" => query.client_id = value.into_owned(),
                "placement_key" => query.placement_key = value.into_owned(),
                "locale" => query.locale = value.into_owned(),
                "purchase_amount" => query.purchase_amount = Some(value.into_owned()),
                _ => {}
            }
        }
        query
    }
}

/// `GET /messaging/v3`.
pub(super) async fn message(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
) -> Result<Answer, ApiError> {
    let mut merchant_id = None;
    let answer = answer(&app, &Query::read(query.as_deref()), &mut merchant_id).await;
    let (status, body, explanation) = match &answer {
        Ok(answer) => (answer.status, answer.body.clone(), None),
        Err(error) => (error.status, Bytes::new(), error.explanation.clone()),
    };
    note(&app, &uri, merchant_id, status, body, explanation);
    answer
}

async fn answer(
    app: &App,
    query: &Query,
    merchant_id: &mut Option<MerchantId>,
) -> Result<Answer, ApiError> {
    let denied = |why: &str| ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN").because(why);
    let (client, merchant) = known(app, query.client_id.clone())
        .await?
        .ok_or_else(|| denied("the client identifier is not known here"))?;
    *merchant_id = Some(merchant.merchant_id.clone());
    if merchant.settings.messaging != Messaging::Enabled {
        return Err(denied("the messaging API is not switched on for this account"));
    }
    let key = PlacementKey::named(&query.placement_key)
        .filter(|key| key.is_in_api() && key.as_str() == query.placement_key)
        .ok_or_else(|| ApiError::bad_value(&["placement_key"]))?;
    let locale = read_locale(&query.locale).ok_or_else(|| ApiError::bad_value(&["locale"]))?;
    let amount = match query.purchase_amount.as_deref() {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| ApiError::bad_value(&["purchase_amount"]))?),
    };
    if amount.is_none() && key.needs_amount() {
        return Err(ApiError::bad_value(&["purchase_amount"]));
    }
    let preference = Preference::Klarna;
    let ask = Ask { key, locale, amount, prefix: None, preference, methods: Vec::new() };
    let Some(placement) = placement(&merchant, &ask, today(app)) else {
        return Ok(Answer::no_content().header(header::CACHE_CONTROL, CACHE));
    };
    let message = Message {
        content: Content {
            nodes: vec![
                Node::Text { name: "TEXT_MAIN", value: placement.text() },
                Node::Action {
                    name: "ACTION_LEARN_MORE",
                    label: placement.action,
                    url: learn_more_url(app, &placement, amount),
                },
                Node::Image {
                    name: "KLARNA_BADGE",
                    alt: "Klarna",
                    url: format!(
                        "{}/payment-method/assets/badges/generic/klarna.svg",
                        app.base_url()
                    ),
                },
            ],
        },
        impression_url: impression_url(app, &client.client_id, &placement, amount),
    };
    Ok(Answer::ok(&message)?.header(header::CACHE_CONTROL, CACHE))
}

/// `GET /messaging/v3/impressions/{token}`.
pub(super) async fn impression(
    State(app): State<App>,
    Path(token): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let named =
        sdk_token::verify(Purpose::Impression, &token, app.signing_key(), app.clock().now_ms())
            .ok_or_else(|| {
                ApiError::not_found("there is no such impression, or it is too long ago")
            })?;
    let found = known(&app, named.client_id).await?;
    let merchant_id = found.map(|(_, merchant)| merchant.merchant_id.clone());
    let shown = format!("shown: {}", named.subject);
    note(&app, &uri, merchant_id, StatusCode::OK, Bytes::new(), Some(shown));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ),
    ];
    Ok((headers, PIXEL).into_response())
}

/// Leaves a line in the request log.
fn note(
    app: &App,
    uri: &Uri,
    merchant_id: Option<MerchantId>,
    status: StatusCode,
    response_body: Bytes,
    explanation: Option<String>,
) {
    app.requests().push(Entry {
        direction: Direction::Api,
        at_ms: app.clock().now_ms(),
        merchant_id,
        method: Method::GET,
        path: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        status: Some(status.as_u16()),
        correlation_id: service::random::uuid(),
        duration_us: 0,
        request_body: Bytes::new(),
        response_body,
        explanation,
        subject_id: None,
        faults: Vec::new(),
    });
}

/// For which price an explanation is asked.
#[derive(Debug, Deserialize)]
struct Question {
    locale: String,
    #[serde(default)]
    purchase_amount: Option<i64>,
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct Explanation {
    locale: String,
    country: String,
    currency: String,
    exponent: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    offers: Vec<Offer>,
}

/// `POST /osm/v1/learn-more`, called by the page of explanations.
pub(super) async fn explain(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    if !is_own_page(&headers, &app) {
        return Err(WebError::NotOwnPage);
    }
    let question: Question =
        serde_json::from_slice(&body).map_err(|error| WebError::BadBody(error.to_string()))?;
    let locale = read_locale(&question.locale).unwrap_or_else(|| Locale::new("en-US"));
    let country = country_of(&locale);
    let market = country.as_ref().and_then(klarna_types::Country::market);
    let Some(market) = market else { return Err(WebError::BadBody("locale".to_owned())) };
    let amount = question.purchase_amount.filter(|amount| *amount > 0);
    let offers =
        amount.map(|amount| offers(&market.country, amount, &[], today(&app))).unwrap_or_default();
    json(&Explanation {
        locale: locale.as_str().to_owned(),
        country: market.country.as_str().to_owned(),
        currency: market.currency.as_str().to_owned(),
        exponent: market.currency.exponent(),
        amount,
        offers,
    })
}
