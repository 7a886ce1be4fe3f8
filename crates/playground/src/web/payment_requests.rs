//! Payment requests and presentations: what the Web SDK's `Payment` asks from merchants' pages.
//!
//! A request is seen only with the client identifier that made it. The purchase itself goes through the purchase
//! flow, whose end the request follows ([`crate::hosting`]).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use klarna_types::payments::PaymentMethodCategoryIdentifier::{
    Klarna, PayLater, PayNow, PayOverTime,
};
use klarna_types::{ClientToken, Locale};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;

use crate::api::payments::session_problems;
use crate::app::App;
use crate::domain::flow::offer::offers;
use crate::domain::payment_request::{self, Event, PaymentRequest, State as RequestState, Wanted};
use crate::domain::session::ends_at_ms;
use crate::domain::{category_names, client_token};
use crate::shopper::bad_paths;
use crate::store::{payment_requests, sessions, to_document};
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
            request: request.view(),
            client_token: (!request.state.is_final()).then(token),
            return_url: request.return_url.clone(),
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
    let problems = session_problems(&wanted.body, &caller.merchant);
    if !problems.is_empty() {
        return Err(SdkError::input("The payment request cannot be paid.", bad_paths(&problems)));
    }
    let now = app.clock().now();
    let session_id = service::random::key().to_string();
    let request = PaymentRequest {
        payment_request_id: format!("krn:payment:request:{}", service::random::uuid()),
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
        outcome: None,
    };
    let answer = Answer::of(&app, &request);
    let document = to_document("session", &wanted.body)?;
    let now_ms = now.as_millisecond();
    app.db()
        .write(move |tx| -> Result<_, SdkError> {
            let merchant_id = request.merchant_id.as_str();
            sessions::insert(tx, &session_id, merchant_id, now_ms, ends_at_ms(now_ms), &document)?;
            payment_requests::insert(tx, &request)?;
            Ok(())
        })
        .await?;
    json(&answer)
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
                .filter(|request| request.client_id == caller.client.client_id)
                .ok_or_else(unknown)?;
            let mut request = kept.clone().at(now);
            let refusal = event.and_then(|event| request.happen(event).err());
            if request.version != kept.version {
                payment_requests::update(tx, &request, now)?;
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
