//! P4: cancel an authorization.

use axum::extract::{Path, State};
use service::Clock as _;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::authorization::{TokenRefusal, TokenState};
use crate::store::customer_tokens;
use crate::store::sessions::{self, Event};

/// `DELETE /payments/v1/authorizations/{authorization_token}`.
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(token): Path<String>,
) -> Result<Answer, ApiError> {
    let now_ms = app.clock().now_ms();
    app.db()
        .write(move |tx| -> Result<_, ApiError> {
            let authorization =
                sessions::find_authorization(tx, &caller.merchant.merchant_id, &token)?
                    .ok_or(TokenRefusal::Invalid)?;
            let made = customer_tokens::made_from(tx, &authorization.token)?;
            authorization.check_cancelling(made.as_ref(), now_ms)?;
            sessions::end_authorization(
                tx,
                &authorization.token,
                TokenState::Cancelled,
                None,
                now_ms,
            )?;
            if let Some(mut session) = sessions::find(tx, &authorization.session_id)? {
                session.authorization_token = None;
                session.version += 1;
                sessions::update(tx, &session, Event::AuthorizationCancelled, now_ms)?;
            }
            Ok(())
        })
        .await?;
    Ok(Answer::no_content())
}
