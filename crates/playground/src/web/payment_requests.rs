//! Payment requests and presentations: what the Web SDK's `Payment` asks from merchants' pages.
//!
//! A request is seen only with the client identifier that made it, or with any of the merchant whose server made it.
//! The purchase itself goes through the purchase flow, whose end the request follows ([`crate::hosting`]); it is
//! opened by the merchant's page, or by a page of the playground's own to which the browser was sent.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use klarna_types::payments::PaymentMethodCategoryIdentifier::{
    Klarna, PayLater, PayNow, PayOverTime,
};
use klarna_types::{ClientToken, Locale};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;
use url::Url;

use crate::api::payments::session_problems;
use crate::app::App;
use crate::domain::flow::offer::offers;
use crate::domain::payment_request::{self, Event, PaymentRequest, State as RequestState, Wanted};
use crate::domain::session::ends_at_ms;
use crate::domain::{category_names, client_token};
use crate::shopper::bad_paths;
use crate::store::{payment_requests, sessions, to_document};
use crate::web::caller::{WebError, json as web_json};
use crate::web::hosted::OwnPage;
use crate::web::load::today;
use crate::web::web_sdk::caller::{SdkCaller, SdkError, read};
use crate::web::web_sdk::json;

/// What a page gets of a request.
#[derive(Debug, Serialize)]
struct Answer {
    request: Value,
    /// For the purchase flow; absent where there is none to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<ClientToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
    /// Where it can be paid without the page around it; absent where there is nothing to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_request_url: Option<String>,
}

impl Answer {
    fn of(app: &App, request: &PaymentRequest) -> Self {
        let token = || {
            client_token::sign(
                request.session_id.as_str(),
                app.base_url(),
                request.expires_at_ms(),
                app.signing_key(),
            )
        };
        Self {
            request: request.view(app.base_url()),
            client_token: (!request.state.is_final()).then(token),
            return_url: request.destination(),
            payment_request_url: (!request.state.is_final()).then(|| request.url(app.base_url())),
        }
    }
}

#[derive(Debug, Deserialize)]
struct CreateRequest {
    data: Value,
    #[serde(default)]
    locale: Option<String>,
}

/// `POST /web-sdk/internal/payment-requests`.
pub(super) async fn create(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    let CreateRequest { data, locale } = read(&body)?;
    let wanted = Wanted::read(&data, locale.as_deref())
        .map_err(|invalid| SdkError::input(invalid.message, vec![invalid.field.to_owned()]))?;
    // The browser comes back to a page that may use the identifier, and to nowhere else.
    let returns = wanted.return_url.as_deref().map(|url| origin_of(url).unwrap_or_default());
    if returns.is_some_and(|origin| !caller.client.allows_origin(&origin)) {
        let path = vec!["customerInteractionConfig.returnUrl".to_owned()];
        return Err(SdkError::input("The origin of the return URL is not allowed.", path));
    }
    let problems = session_problems(&wanted.body, &caller.merchant);
    if !problems.is_empty() {
        return Err(SdkError::input("The payment request cannot be paid.", bad_paths(&problems)));
    }
    let now = app.clock().now();
    let session_id = service::random::key().to_string();
    let request = PaymentRequest {
        payment_request_id: payment_request::id_of(&service::random::uuid().to_string()),
        client_id: caller.client.client_id,
        merchant_id: caller.merchant.merchant_id.clone(),
        session_id: session_id.as_str().into(),
        created_at: now,
        state: RequestState::Submitted,
        previous_state: None,
        state_reason: None,
        version: 1,
        profile: wanted.profile,
        shipping: wanted.shipping,
        return_url: wanted.return_url,
        reference: wanted.reference,
        outcome: None,
    };
    let answer = Answer::of(&app, &request);
    let document = to_document("session", &wanted.body)?;
    let now_ms = now.as_millisecond();
    app.db()
        .write(move |tx| -> Result<_, SdkError> {
            let merchant_id = request.merchant_id.as_str();
            sessions::insert(tx, &session_id, merchant_id, now_ms, ends_at_ms(now_ms), &document)?;
            crate::payment_requests::made(tx, &request)?;
            Ok(())
        })
        .await?;
    json(&answer)
}

/// The origin of a web address, without what stands in braces in it.
fn origin_of(address: &str) -> Option<String> {
    Some(Url::parse(address).ok()?.origin().ascii_serialization())
}

/// What the page on which a request is paid by itself needs to know.
#[derive(Debug, Serialize)]
struct Standing {
    state: RequestState,
    payment_request_id: String,
    locale: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<ClientToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<String>,
}

/// `POST /kp/v1/requests/{key}`: where a request stands, for the page of its own. Possession of the address is the
/// right to pay.
pub(super) async fn stand(
    State(app): State<App>,
    Path(key): Path<String>,
    _: OwnPage,
) -> Result<Response, WebError> {
    let now = app.clock().now();
    let id = payment_request::id_of(&key);
    let (request, session) = app
        .db()
        .read(move |tx| -> Result<_, WebError> {
            let request = payment_requests::peek(tx, &id)?.ok_or(WebError::NoPage)?.at(now);
            let session = sessions::find(tx, &request.session_id)?.ok_or(WebError::NoPage)?;
            Ok((request, session))
        })
        .await?;
    let locale = session.body.locale.map_or_else(String::new, |it| it.as_str().to_owned());
    let answer = Answer::of(&app, &request);
    web_json(&Standing {
        state: request.state,
        payment_request_id: request.payment_request_id,
        locale,
        client_token: answer.client_token,
        return_url: answer.return_url,
    })
}

#[derive(Debug, Deserialize)]
struct Named {
    payment_request_id: String,
}

fn unknown() -> SdkError {
    let message = "There is no such payment request of this client identifier.";
    SdkError::resource(StatusCode::NOT_FOUND, "PAYMENT_REQUEST_NOT_FOUND", message)
}

/// `POST /web-sdk/internal/payment-requests/fetch`.
pub(super) async fn fetch(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    change(&app, caller, &body, None).await
}

/// `POST /web-sdk/internal/payment-requests/cancel`.
pub(super) async fn cancel(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    change(&app, caller, &body, Some(Event::Canceled)).await
}

/// Looks at a request, lets something happen to it, and writes down that its time is over.
async fn change(
    app: &App,
    caller: SdkCaller,
    body: &Bytes,
    event: Option<Event>,
) -> Result<Response, SdkError> {
    let Named { payment_request_id } = read(body)?;
    let now = app.clock().now();
    let (request, refusal) = app
        .db()
        .write(move |tx| -> Result<_, SdkError> {
            let kept = payment_requests::find(tx, &payment_request_id)?
                .filter(|request| request.is_for(&caller.client))
                .ok_or_else(unknown)?;
            let mut request = kept.clone().at(now);
            let refusal = event.and_then(|event| request.happen(event).err());
            if request.version != kept.version {
                crate::payment_requests::changed(tx, &request, now)?;
            }
            Ok((request, refusal))
        })
        .await?;
    match refusal {
        None => json(&Answer::of(app, &request)),
        Some(refusal) => {
            Err(SdkError::resource(StatusCode::CONFLICT, "INVALID_STATE", refusal.to_string()))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PresentRequest {
    amount: Value,
    currency: String,
    locale: Option<String>,
}

/// How Klarna is to be shown.
#[derive(Debug, Serialize)]
struct Presentation {
    instruction: &'static str,
    badge: String,
    header: String,
    short: String,
    link: Link,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    href: String,
    link_text: &'static str,
}

/// `POST /web-sdk/internal/presentation`.
pub(super) async fn presentation(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    let PresentRequest { amount, currency, locale } = read(&body)?;
    let market =
        payment_request::market_of(&currency, locale.as_deref(), &[]).ok_or_else(|| {
            let path = vec!["currency".to_owned()];
            SdkError::input("No market of Klarna's has this currency.", path)
        })?;
    // Pages give odd types; an amount that is none leaves the decision to the market alone.
    let amount = amount.as_i64().filter(|amount| *amount > 0);
    let locale = locale
        .map(Locale::new)
        .filter(|locale| market.accepts_locale(locale))
        .unwrap_or_else(|| market.default_locale());
    let country = &market.country;
    let offered = offers(country, amount.unwrap_or(10_000), &[], today(&app));
    let shown = caller.merchant.sells_in(country) && !offered.is_empty();
    let name = |category: &_| category_names::name(category, Some(country), locale.language());
    let mut ways: Vec<&str> = Vec::new();
    for category in [PayLater, PayOverTime, PayNow] {
        let is_offered = offered.iter().any(|offer| offer.kind.category() == category.as_str());
        if is_offered && !ways.contains(&name(&category)) {
            ways.push(name(&category));
        }
    }
    json(&Presentation {
        instruction: if shown { "SHOW_KLARNA" } else { "HIDE_KLARNA" },
        badge: format!("{}/kp/assets/badge.svg", app.base_url()),
        header: name(&Klarna).to_owned(),
        short: ways.join(" · "),
        link: Link {
            href: format!("{}/osm/learn-more?locale={}", app.base_url(), locale.as_str()),
            link_text: learn_more(locale.language()),
        },
    })
}

fn learn_more(language: &str) -> &'static str {
    match language {
        "sv" => "Läs mer",
        "de" => "Mehr erfahren",
        "fr" => "En savoir plus",
        "es" => "Más información",
        "nl" => "Meer informatie",
        "nb" | "no" => "Les mer",
        "da" => "Læs mere",
        "fi" => "Lue lisää",
        "it" => "Scopri di più",
        "pl" => "Dowiedz się więcej",
        "pt" => "Saber mais",
        _ => "Learn more",
    }
}
