//! `POST /hpp/v1/sessions`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use klarna_types::hosted_payment_page::{
    CreateSessionBody, CreatedSession, Options, PaymentMethodCategory, PlaceOrderMode,
};
use klarna_types::payments::{AcquiringChannel, Intent};
use klarna_types::problem::{Problem, Rule};
use klarna_types::{HostedSessionId, SessionId, validate};
use service::Clock as _;
use url::Url;

use super::refusals::bad_values;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::hosted_page::{HostedPage, Status, ends_at_ms};
use crate::domain::in_store::short_id;
use crate::domain::merchant::Merchant;
use crate::domain::session::{Session, SessionRefusal};
use crate::store::{hosted_pages, sessions};

/// So many short ids are tried before it is given up. They are many: it has never taken a second one.
const SHORT_IDS: usize = 4;

/// The handler.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody { value: body, .. }: JsonBody<CreateSessionBody>,
) -> Result<Answer, ApiError> {
    let merchant = caller.merchant;
    bad_values(&validate::hosted_session(&body, merchant.url_rule()), "BAD_VALUE")?;
    let url = body.payment_session_url.as_deref().unwrap_or_default();
    let payment_session_id = payment_session(&app, &headers, url)?;
    let now_ms = app.clock().now_ms();
    let page = HostedPage {
        session_id: HostedSessionId::new(service::random::key().to_string()),
        short_id: String::new(),
        merchant_id: merchant.merchant_id.clone(),
        payment_session_id,
        channel: AcquiringChannel::Ecommerce,
        status: Status::Waiting,
        updated_at_ms: now_ms,
        idle_due_at_ms: None,
        version: 1,
        urls: body.merchant_urls.unwrap_or_default(),
        options: body.options.unwrap_or_default(),
        contact: None,
        authorization_token: None,
        order_id: None,
        klarna_reference: None,
    };
    let short_ids: [String; SHORT_IDS] =
        std::array::from_fn(|_| short_id(u64::from_le_bytes(service::random::bytes())));
    let (page, session) = app
        .db()
        .write(move |tx| -> Result<_, ApiError> {
            let id = page.payment_session_id.clone();
            let session = sessions::find_of(tx, &merchant.merchant_id, &id)?
                .filter(|session| now_ms < ends_at_ms(session.expires_at_ms))
                .ok_or(SessionRefusal::Gone)?;
            check(&session, &page.options, &merchant)?;
            let mut page = page.clone();
            page.channel =
                session.body.acquiring_channel.clone().unwrap_or(AcquiringChannel::Ecommerce);
            for short_id in &short_ids {
                page.short_id.clone_from(short_id);
                if hosted_pages::insert(tx, &page, now_ms)? {
                    return Ok((page, session));
                }
            }
            Err(ApiError::internal("no short id was free"))
        })
        .await?;
    Answer::json(StatusCode::CREATED, &created(&app, &page, &session))
}

/// The payment session that a URL names: one of this playground, as the merchant or as the playground itself
/// calls it.
fn payment_session(app: &App, headers: &HeaderMap, text: &str) -> Result<SessionId, ApiError> {
    let unusable = |expected: &str| {
        ApiError::bad_value(&["payment_session_url"])
            .because(format!("payment_session_url: has to be {expected}"))
    };
    let form = format!("{}/payments/v1/sessions/{{session_id}}", app.base_url());
    let url = Url::parse(text).map_err(|_| unusable(&form))?;
    let called = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_here = url.origin() == app.public_url().origin()
        || called.is_some_and(|called| url.authority().eq_ignore_ascii_case(called));
    if !is_here || !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(&form));
    }
    let base = app.public_url().path().trim_end_matches('/');
    let path = url.path();
    let path = path.strip_prefix(base).unwrap_or(path);
    if path.starts_with("/checkout/v3/orders/") {
        return Err(ApiError::not_found("Payment session not found")
            .because("the playground has no Klarna Checkout, so there is no such order"));
    }
    match path.strip_prefix("/payments/v1/sessions/") {
        Some(id) if !id.is_empty() && !id.contains('/') => Ok(SessionId::new(id)),
        _ => Err(unusable(&form)),
    }
}

/// Whether the session can be paid on a page with these options.
fn check(session: &Session, options: &Options, merchant: &Merchant) -> Result<(), ApiError> {
    if session.status == crate::domain::session::Status::Complete {
        return Err(ApiError::bad_value(&["payment_session_url"])
            .because("the payment session has already led to an order"));
    }
    let mut problems = Vec::new();
    let places = !matches!(options.place_order_mode, None | Some(PlaceOrderMode::None));
    if places && session.body.intent == Some(Intent::Tokenize) {
        let expected = "NONE, as no order follows from a session that only makes a token";
        problems.push(Problem::new("options.place_order_mode", Rule::Form { expected }));
    }
    let offered: Vec<String> = session
        .categories(Some(merchant))
        .iter()
        .map(|category| category.identifier.as_str().to_owned())
        .collect();
    let unknown = |category: &PaymentMethodCategory| {
        // The one category of today stands for all of them.
        let name = category.as_str().to_ascii_lowercase();
        !offered.is_empty() && !offered.iter().any(|known| *known == name || known == "klarna")
    };
    let expected = "one of the categories of the payment session";
    if options.payment_method_category.as_ref().is_some_and(unknown) {
        problems.push(Problem::new("options.payment_method_category", Rule::Form { expected }));
    }
    let several = options.payment_method_categories.as_deref().unwrap_or_default();
    for (index, _) in several.iter().enumerate().filter(|(_, category)| unknown(category)) {
        let path = format!("options.payment_method_categories[{index}]");
        problems.push(Problem::new(path, Rule::Form { expected }));
    }
    bad_values(&problems, "BAD_VALUE")
}

fn created(app: &App, page: &HostedPage, session: &Session) -> CreatedSession {
    let base = app.base_url();
    let session_url = format!("{base}/hpp/v1/sessions/{}", page.session_id);
    let address = format!("{base}/hpp-page/{}", page.short_id);
    CreatedSession {
        distribution_url: Some(format!("{session_url}/distribution")),
        session_url: Some(session_url),
        qr_code_url: Some(format!("{address}/qr")),
        // Documented for web shops only: others distribute it.
        redirect_url: page.is_on_the_web().then_some(address),
        expires_at: jiff::Timestamp::from_millisecond(ends_at_ms(session.expires_at_ms)).ok(),
        ..CreatedSession::new(page.session_id.clone())
    }
}
