//! Where the `redirect_url` of an order or a customer token leads: it sets the playground's cookie and sends the browser on to
//! the merchant's confirmation page.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use klarna_types::{OrderId, SessionId};

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::callback::fill_placeholders;
use crate::store::StoreError;
use crate::store::{customer_tokens, sessions};

const COOKIE: HeaderValue =
    HeaderValue::from_static("kassa_playground=seen; Path=/; Max-Age=172800; SameSite=Lax");

/// `GET /redirect/{id}`: of the session, or of the order if a token was charged. Possession of the id is
/// the right to be sent on.
pub(super) async fn redirect(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let target = app
        .db()
        .read(move |tx| -> Result<_, StoreError> {
            let session_id = SessionId::new(id.as_str());
            let order_id = sessions::order_of(tx, &session_id)?;
            if order_id.is_none() && !customer_tokens::any_in(tx, &session_id)? {
                return Ok(customer_tokens::confirmation_of(tx, &id)?);
            }
            let session = sessions::find(tx, &session_id)?;
            Ok(session.and_then(|session| {
                let url = session.body.merchant_urls?.confirmation?;
                let order_id = order_id.as_ref().map(OrderId::as_str).unwrap_or_default();
                Some(fill_placeholders(&url, session_id.as_str(), order_id))
            }))
        })
        .await?;
    let target = target.ok_or_else(|| {
        ApiError::not_found("Invalid session id")
            .because("neither an order nor a customer token with a confirmation URL was made in this session")
    })?;
    let location = HeaderValue::from_str(&target)
        .map_err(|_| ApiError::not_found("Invalid confirmation URL"))?;
    let headers = [(header::LOCATION, location), (header::SET_COOKIE, COOKIE)];
    Ok((StatusCode::FOUND, headers).into_response())
}
