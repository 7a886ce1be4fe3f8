//! The older Express button: who the shopper is, and what the store may know of them.
//!
//! Called by our own page, which knows from the browser whose page opened it. The button names a merchant and no
//! client identifier, so the page's origin has to be one that an identifier of the merchant allows.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use klarna_types::MerchantId;
use serde::Deserialize;
use serde_json::json as value;

use super::caller::{WebError, is_own_page, json};
use super::flow::{checked_origin, read};
use crate::app::App;
use crate::domain::flow::Contact;
use crate::domain::merchant::MerchantStatus;
use crate::domain::prefill;
use crate::store::client_ids;

#[derive(Debug, Deserialize)]
struct Request {
    page_origin: String,
    merchant_id: String,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    code: String,
}

/// `POST /kp/v1/express-button/{action}`: `check`, `identify` or `share`.
pub(super) async fn act(
    State(app): State<App>,
    Path(action): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    if !is_own_page(&headers, &app) {
        return Err(WebError::NotOwnPage);
    }
    let request: Request = read(&body)?;
    let page_origin = checked_origin(request.page_origin)?;
    let merchant = app.directory().merchant(&request.merchant_id);
    let trades =
        merchant.is_some_and(|merchant| merchant.settings.status == MerchantStatus::Active);
    if !trades {
        return Err(WebError::UnknownClient);
    }
    let merchant_id = MerchantId::new(request.merchant_id);
    let clients = app.db().read(move |tx| client_ids::of_merchant(tx, &merchant_id)).await?;
    if !clients.iter().any(|client| client.allows_origin(&page_origin)) {
        return Err(WebError::OriginNotAllowed);
    }
    if action == "check" {
        return json(&value!({}));
    }
    let Some(contact) = Contact::parse(&request.contact) else {
        return json(&value!({ "problem": "contact" }));
    };
    match (action.as_str(), prefill::problem_with_code(&request.code)) {
        ("identify", _) => json(&value!({ "sent_to": contact.masked() })),
        ("share", Some(problem)) => json(&value!({ "problem": problem })),
        ("share", None) => {
            let person = prefill::shopper(&contact, &request.locale);
            json(&value!({ "person": person.ok_or(WebError::UnknownClient)? }))
        }
        _ => Err(WebError::UnknownAction),
    }
}
