//! Express checkout: whether a button works on a page, and the session that it makes of the order that the page
//! gives.
//!
//! Called by our own page of the purchase flow, which knows from the browser whose page opened it. A client
//! identifier is no secret: what it opens is bound to the origins that it is allowed for.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::payments::{PaymentMethodCategory, SessionBody};
use klarna_types::{Address, ClientToken, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::Clock as _;

use super::caller::{Caller, WebError, is_own_page, json};
use super::flow::{checked_origin, outcome, read};
use super::load::read_data;
use crate::api::payments::{session_problems, with_badge};
use crate::app::App;
use crate::domain::client_token;
use crate::domain::flow::{Answer, Finalizing, Flow};
use crate::domain::merchant::Merchant;
use crate::domain::session::{Session, ends_at_ms};
use crate::shopper::{self, Outcome, bad_paths};
use crate::store::{sessions, to_document};
use crate::web::web_sdk::caller::{is_app, known};

#[derive(Debug, Deserialize)]
struct CheckRequest {
    page_origin: String,
    #[serde(default)]
    client_id: Option<String>,
}

/// `POST /kp/v1/express/check`: whether a button with this identifier, or with the client token that is shown,
/// works on that page.
pub(super) async fn check(
    State(app): State<App>,
    headers: HeaderMap,
    token: Option<Caller>,
    body: Bytes,
) -> Result<Response, WebError> {
    let request: CheckRequest = read(&body)?;
    match (token, request.client_id) {
        (Some(caller), _) => {
            shopper::session(&app, caller.session_id).await?;
        }
        (None, Some(client_id)) => {
            partner(&app, &headers, &client_id, request.page_origin).await?;
        }
        (None, None) => return Err(WebError::NoToken),
    }
    json(&serde_json::json!({}))
}

#[derive(Debug, Deserialize)]
struct OpenRequest {
    page_origin: String,
    client_id: String,
    #[serde(default)]
    data: Value,
}

/// The session, or what the page is told instead.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Opened {
    ClientToken(ClientToken),
    Result(Answer),
}

/// `POST /kp/v1/express`: a session of what the page gave.
pub(super) async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let request: OpenRequest = read(&body)?;
    let merchant = partner(&app, &headers, &request.client_id, request.page_origin).await?;
    let refused = |paths| json(&Opened::Result(outcome(Outcome::invalid(paths))));
    let mut data = match read_data(&request.data) {
        Ok(data) => data,
        Err(path) => return refused(vec![path]),
    };
    // A till and the recovery of a charge are the merchant's server's to begin.
    data.distribution = None;
    data.step_up_id = None;
    let problems = session_problems(&data, &merchant);
    if !problems.is_empty() {
        return refused(bad_paths(&problems));
    }
    let (_, token) = open_session(&app, &merchant, &data).await?;
    json(&Opened::ClientToken(token))
}

/// Opens a session with data that were found good.
pub(super) async fn open_session(
    app: &App,
    merchant: &Merchant,
    data: &SessionBody,
) -> Result<(SessionId, ClientToken), WebError> {
    let now_ms = app.clock().now_ms();
    let expires_at_ms = ends_at_ms(now_ms);
    let session_id = service::random::key().to_string();
    let token = client_token::sign(&session_id, app.base_url(), expires_at_ms, app.signing_key());
    let document = to_document("session", data)?;
    let (id, merchant_id) = (session_id.clone(), merchant.merchant_id.clone());
    app.db()
        .write(move |tx| -> Result<_, WebError> {
            sessions::insert(tx, &id, merchant_id.as_str(), now_ms, expires_at_ms, &document)?;
            Ok(())
        })
        .await?;
    Ok((SessionId::new(session_id), token))
}

/// The merchant of a client identifier, if the page may use it.
async fn partner(
    app: &App,
    headers: &HeaderMap,
    client_id: &str,
    page_origin: String,
) -> Result<Arc<Merchant>, WebError> {
    if !is_own_page(headers, app) {
        return Err(WebError::NotOwnPage);
    }
    let page_origin = checked_origin(page_origin)?;
    let known = known(app, client_id.to_owned()).await?;
    let (client, merchant) = known.ok_or(WebError::UnknownClient)?;
    let may = is_app(&page_origin, app) || client.allows_origin(&page_origin);
    if may { Ok(merchant) } else { Err(WebError::OriginNotAllowed) }
}

/// What the page is told besides what every page is told. Absent members are not sent.
#[derive(Debug, Serialize)]
pub(super) struct Extra {
    session_id: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<ClientToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_shipping_address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_categories: Option<Vec<PaymentMethodCategory>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_reference1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_reference2: Option<String>,
}

/// What the page of an Express purchase is told at its end, if it was approved.
pub(super) fn extra(
    app: &App,
    flow: &Flow,
    session: &Session,
    answer: &mut Answer,
) -> Option<Extra> {
    let express = flow.express.filter(|_| answer.approved)?;
    let continues = *answer.finalize_required.get_or_insert(false);
    let merchant = app.directory().merchant(session.merchant_id.as_str());
    let Session { session_id, expires_at_ms, body, .. } = session;
    let token = || {
        client_token::sign(session_id.as_str(), app.base_url(), *expires_at_ms, app.signing_key())
    };
    let delivery = flow.delivery.as_ref().filter(|_| express.collects_address);
    let steps = flow.finalizing == Finalizing::Always && continues;
    Some(Extra {
        session_id: session_id.clone(),
        client_token: steps.then(token),
        collected_shipping_address: delivery.and_then(|delivery| delivery.address.clone()),
        payment_method_categories: steps
            .then(|| with_badge(app, session.categories(merchant.as_deref()))),
        merchant_reference1: body.merchant_reference1.clone(),
        merchant_reference2: body.merchant_reference2.clone(),
    })
}
