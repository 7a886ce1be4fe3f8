//! T3: cancel a customer token.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_types::customer_token::TokenStatusBody;
use klarna_types::{CustomerTokenId, validate};
use service::Clock as _;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::payments::refusals::bad_values;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::customer_token::state::{Command, Moved};
use crate::store::customer_tokens::{self, Event};

/// `PATCH /customer-token/v1/tokens/{token_id}/status`. Klarna answers that it has taken the request on;
/// here it is done by then.
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(token_id): Path<String>,
    JsonBody { value: body, .. }: JsonBody<TokenStatusBody>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    let token_id = CustomerTokenId::new(token_id);
    let problems = validate::token_status(&body);
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let mut loaded = customer_tokens::load(tx, &token_id)?
                .filter(|loaded| loaded.token.merchant_id == caller.merchant.merchant_id)
                .ok_or_else(|| ApiError::not_found("Invalid token ID"))?;
            bad_values(&problems)?;
            // Cancelling is never refused.
            if let Ok(Moved::To(_)) = loaded.token.obey(Command::Cancel, now_ms) {
                customer_tokens::save(tx, &loaded, &Event::CancelledByMerchant, now_ms)?;
            }
            Ok(())
        })
        .await?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}
