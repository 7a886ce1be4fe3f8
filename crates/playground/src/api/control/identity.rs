//! Sign in with Klarna, as Klarna and the shopper see it: other keys, and data that is shared no longer.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::flow::Contact;
use crate::domain::identity::account::Account;
use crate::identity::subject_of;
use crate::store::identity as store;

/// The key that signs ID tokens now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SigningKeyView {
    /// As it stands in the key set and in the header of each ID token.
    kid: String,
}

/// `POST /playground/v1/identity/keys/rotate`.
#[utoipa::path(
    post,
    path = "/playground/v1/identity/keys/rotate",
    operation_id = "rotate_identity_keys",
    responses((
        status = 200,
        description = "The key that was announced signs from now on, and another one is announced; the key \
                       before stays in the set for a day",
        body = SigningKeyView
    ))
)]
pub(super) async fn rotate(State(app): State<App>, _: Operator) -> Result<Answer, ApiError> {
    let kid = app.keyring().rotate(&app).await?;
    Answer::ok(&SigningKeyView { kid })
}

/// What a shopper shares with whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// The shopper's e-mail address or phone number, as they sign in with it.
    contact: String,
    /// The shop's client identifier.
    client_id: String,
}

/// `POST /playground/v1/identity/withdraw`: what the shopper can do in Klarna's app, under data sharing.
#[utoipa::path(
    post,
    path = "/playground/v1/identity/withdraw",
    operation_id = "withdraw_consent",
    request_body = Withdrawal,
    responses(
        (status = 204, description = "The shop's tokens of this shopper have ended, and it has to ask again"),
        (status = 400, description = "Neither an address nor a number"),
        (status = 404, description = "The shopper shares nothing with this client"),
    )
)]
pub(super) async fn withdraw(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<Withdrawal>,
) -> Result<Answer, ApiError> {
    let account = Contact::parse(&value.contact)
        .and_then(|contact| Account::of(&contact, None, |it| subject_of(&app, it)))
        .ok_or_else(|| ApiError::bad_value(&["contact"]))?;
    let withdrawn =
        app.db().write(move |tx| store::withdraw(tx, &account.subject, &value.client_id)).await?;
    if withdrawn {
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    } else {
        Err(ApiError::not_found("the shopper shares nothing with this client"))
    }
}
