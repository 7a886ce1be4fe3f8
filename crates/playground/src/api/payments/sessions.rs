//! P1 to P3: create, read, update and cancel a session.

use axum::extract::{Path, State};
use klarna_types::in_store::CreatedDistribution;
use klarna_types::payments::{
    Attachment, CreatedSession, PaymentMethodCategory, Session as SessionView, SessionBody,
    SessionStatus,
};
use klarna_types::problem::Problem;
use klarna_types::{Locale, MinorUnits, OrderLine, OrderLineType, SessionId, validate};
use service::Clock as _;

use super::refusals::{bad_values, unwanted_value};
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::in_store;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::customer_token::step_up::Asked;
use crate::domain::in_store::short_id;
use crate::domain::merchant::{Merchant, Strictness};
use crate::domain::session::{Session, SessionRefusal, Status, ends_at_ms};
use crate::domain::{categories, client_token};
use crate::in_store::Opening;
use crate::store::sessions::{self, Event};
use crate::store::{StoreError, to_document};
use crate::token_recovery;

/// `POST /payments/v1/sessions`.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    JsonBody { value: body, raw }: JsonBody<SessionBody>,
) -> Result<Answer, ApiError> {
    bad_values(&check(&body, &caller.merchant))?;
    let now_ms = app.clock().now_ms();
    let expires_at_ms = if body.distribution.is_some() {
        crate::domain::in_store::ends_at_ms(now_ms)
    } else {
        ends_at_ms(now_ms)
    };
    let session_id = service::random::key().to_string();
    let answer = CreatedSession {
        client_token: client_token::sign(
            &session_id,
            app.base_url(),
            expires_at_ms,
            app.signing_key(),
        ),
        payment_method_categories: with_badge(
            &app,
            categories::of(&body, caller.merchant.settings.categories),
        ),
        session_id: SessionId::new(session_id.as_str()),
        distribution: body.distribution.as_ref().map(|_| {
            CreatedDistribution::new().result_url(in_store::result_url(app.base_url(), &session_id))
        }),
    };
    let distribution = body.distribution.clone();
    let base_url = app.base_url().to_owned();
    let short_id = short_id(u64::from_le_bytes(service::random::bytes()));
    let recovery = Asked::by(&body);
    let document = document(body, &raw)?;
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let merchant_id = &caller.merchant.merchant_id;
            if let Some(recovery) = &recovery {
                bad_values(&token_recovery::problems(tx, merchant_id, recovery, now_ms)?)?;
            }
            let merchant_id = merchant_id.as_str();
            sessions::insert(tx, &session_id, merchant_id, now_ms, expires_at_ms, &document)?;
            if let Some(wanted) = &distribution {
                let opening = Opening {
                    session_id: &SessionId::new(session_id.as_str()),
                    merchant: &caller.merchant,
                    wanted,
                    short_id: &short_id,
                };
                crate::in_store::open(tx, &opening, &base_url, now_ms)?;
            }
            Ok(())
        })
        .await?;
    if answer.distribution.is_some() {
        app.wake();
    }
    Answer::ok(&answer)
}

/// `GET /payments/v1/sessions/{session_id}`.
pub(super) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let merchant = caller.merchant.clone();
    let session = app
        .db()
        .read(move |tx| -> Result<_, StoreError> {
            sessions::find_of(tx, &merchant.merchant_id, &SessionId::new(session_id.as_str()))
        })
        .await?
        .filter(|session| session.is_alive(now_ms))
        .ok_or(SessionRefusal::Gone)?;
    Answer::ok(&view(&app, &caller.merchant, session))
}

/// `POST /payments/v1/sessions/{session_id}`.
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
    JsonBody { value: body, .. }: JsonBody<SessionBody>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let session_id = SessionId::new(session_id.as_str());
            let mut session = sessions::find_of(tx, &caller.merchant.merchant_id, &session_id)?
                .ok_or(SessionRefusal::Gone)?;
            session.check_open(now_ms)?;
            let merged = session.merged_with(body.clone());
            bad_values(&check(&merged, &caller.merchant))?;
            session.update(merged, &caller.merchant, now_ms);
            if session.authorization_token.is_none() {
                sessions::supersede(tx, &session_id, now_ms)?;
            }
            sessions::update(tx, &session, Event::Updated, now_ms)?;
            Ok(())
        })
        .await?;
    Ok(Answer::no_content())
}

/// `DELETE /payments/v1/sessions/{session_id}`: the store calls a purchase off.
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let base_url = app.base_url().to_owned();
    app.db()
        .write(move |tx| {
            let session_id = SessionId::new(session_id.as_str());
            let merchant_id = &caller.merchant.merchant_id;
            crate::in_store::cancel_session(tx, merchant_id, &session_id, &base_url, now_ms)
        })
        .await?;
    app.wake();
    Ok(Answer::no_content())
}

/// A new session's data as they are kept: the merchant's own bytes, which were found good, rather
/// than the same again written anew.
fn document(mut body: SessionBody, raw: &[u8]) -> Result<String, ApiError> {
    // Members that nobody reads were not looked at, so they may be anything.
    if body.auto_capture.is_none()
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Ok(text.to_owned());
    }
    // Only orders have it.
    body.auto_capture = None;
    Ok(to_document("session", &body)?)
}

/// What is wrong with a session's data: the API's rules, then the account's.
fn check(body: &SessionBody, merchant: &Merchant) -> Vec<Problem> {
    let mut problems = validate::create_session(body, merchant.url_rule());
    problems.extend(account_problems(body, merchant));
    problems
}

/// What this account does not take although the API does.
pub(super) fn account_problems(body: &SessionBody, merchant: &Merchant) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(country) = &body.purchase_country
        && country.market().is_some()
        && !merchant.sells_in(country)
    {
        problems.push(unwanted_value("purchase_country", "a country of this account"));
    }
    if merchant.wants(Strictness::NegativeLineSigns) {
        for (index, line) in body.order_lines.iter().flatten().enumerate() {
            let is_reduction = matches!(
                line.kind,
                Some(
                    OrderLineType::Discount | OrderLineType::GiftCard | OrderLineType::StoreCredit
                )
            );
            if is_reduction && line.total_amount.is_some_and(MinorUnits::is_positive) {
                let path = format!("order_lines[{index}].total_amount");
                problems.push(unwanted_value(path, "negative on a line that reduces the order"));
            }
        }
    }
    problems
}

/// What is wrong with the data of a session that a browser opens.
pub(crate) fn session_problems(body: &SessionBody, merchant: &Merchant) -> Vec<Problem> {
    check(body, merchant)
}

/// The categories with the address of their picture.
pub(crate) fn with_badge(
    app: &App,
    categories: Vec<PaymentMethodCategory>,
) -> Vec<PaymentMethodCategory> {
    categories::with_badge(categories, &format!("{}/kp/assets/badge.svg", app.base_url()))
}

/// A session as the merchant reads it. Personal data appear only once the shopper has authorized,
/// identification numbers never.
fn view(app: &App, merchant: &Merchant, session: Session) -> SessionView {
    let authorized = session.authorization_token.is_some() || session.status == Status::Complete;
    let categories = with_badge(app, session.categories(Some(merchant)));
    let Session { session_id, status, expires_at_ms, body, authorization_token, .. } = session;
    let shipping = body.shipping_address.clone().or_else(|| body.billing_address.clone());
    let client_token =
        client_token::sign(session_id.as_str(), app.base_url(), expires_at_ms, app.signing_key());
    SessionView {
        purchase_country: body.purchase_country,
        purchase_currency: body.purchase_currency,
        locale: Some(body.locale.unwrap_or_else(|| Locale::new("en-US"))),
        order_amount: body.order_amount,
        order_tax_amount: body.order_tax_amount,
        order_lines: body.order_lines.map(|lines| {
            // Stored lines passed validation, so none lacks a required member.
            lines.into_iter().filter_map(|line| OrderLine::try_from(line).ok()).collect()
        }),
        intent: body.intent,
        status: Some(match status {
            Status::Complete => SessionStatus::Complete,
            Status::Incomplete => SessionStatus::Incomplete,
        }),
        expires_at: jiff::Timestamp::from_millisecond(expires_at_ms).ok(),
        client_token: Some(client_token),
        authorization_token,
        billing_address: body.billing_address.filter(|_| authorized),
        shipping_address: shipping.filter(|_| authorized),
        customer: body
            .customer
            .filter(|_| authorized)
            .map(klarna_types::Customer::without_identification),
        merchant_urls: body.merchant_urls,
        merchant_reference1: body.merchant_reference1,
        merchant_reference2: body.merchant_reference2,
        merchant_data: body.merchant_data,
        attachment: body.attachment.and_then(|attachment| {
            let body = attachment.body?.as_str()?.to_owned();
            let content_type = attachment.content_type?;
            Some(Attachment { body, content_type })
        }),
        custom_payment_method_ids: body.custom_payment_method_ids,
        acquiring_channel: body.acquiring_channel,
        design: body.design,
        options: body.options,
        payment_method_categories: Some(categories),
    }
}
