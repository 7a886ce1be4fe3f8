//! Be the shopper in one call.

use axum::extract::State;
use axum::http::StatusCode;
use klarna_types::SessionId;
use klarna_types::payments::{PaymentMethodType, SessionBody};
use serde::Deserialize;
use service::Clock as _;
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::client_token;
use crate::domain::decision::{self, StepUpOutcome};
use crate::shopper::{self, Attempt, Call, Finalization, Outcome, Reply, ShopperError, bad_paths};

/// What the shopper does.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopperCall {
    /// The session; or give `client_token`.
    session_id: Option<String>,
    /// The client token of the session.
    client_token: Option<String>,
    /// The e-mail address typed in the purchase flow. It steers the decision; without it the billing
    /// address's does.
    email: Option<String>,
    /// The phone number typed in the purchase flow.
    phone: Option<String>,
    /// The one-time code: six digits, any but `999999` is right; a right one when absent.
    otp: Option<String>,
    /// One of the session's categories; checked, but it changes nothing.
    payment_method_category: Option<String>,
    /// The method the shopper chooses, such as `invoice`, `direct_debit`, `card`; or `pay_later`,
    /// `pay_now`, `pay_over_time` for the usual one of these.
    payment_method: Option<String>,
    /// `false`: methods with a second step wait for `finalize`.
    auto_finalize: Option<bool>,
    /// How an extra step of identification ends, if the e-mail address asks for one: `passed` or
    /// `failed` (the default).
    step_up: Option<String>,
    /// Data that the page sends along, in the form of a session update.
    #[schema(value_type = Option<Object>)]
    data: Option<SessionBody>,
}

/// `POST /playground/v1/shopper/authorize`.
#[utoipa::path(
    post,
    path = "/playground/v1/shopper/authorize",
    request_body = ShopperCall,
    responses(
        (status = 200, description = "What the browser's `authorize` callback gets", body = Outcome),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "The session is gone or completed"),
    )
)]
pub(super) async fn authorize(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<ShopperCall>,
) -> Result<Answer, ApiError> {
    run(&app, value, Call::Authorize).await
}

/// `POST /playground/v1/shopper/finalize`.
#[utoipa::path(
    post,
    path = "/playground/v1/shopper/finalize",
    request_body = ShopperCall,
    responses(
        (status = 200, description = "What the browser's `finalize` callback gets", body = Outcome),
        (status = 404, description = "The session is gone or completed"),
        (status = 409, description = "No approval waits for `finalize`"),
    )
)]
pub(super) async fn finalize(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<ShopperCall>,
) -> Result<Answer, ApiError> {
    run(&app, value, Call::Finalize).await
}

async fn run(app: &App, wanted: ShopperCall, call: Call) -> Result<Answer, ApiError> {
    let session_id = session_id(app, &wanted)?;
    if let Some(category) = &wanted.payment_method_category {
        check_category(app, &session_id, category).await?;
    }
    let payment_method = payment_method(wanted.payment_method.as_deref())?;
    let step_up = step_up_outcome(wanted.step_up.as_deref())?;
    let attempt = Attempt {
        data: wanted.data.unwrap_or_default(),
        email: wanted.email,
        phone: wanted.phone,
        otp: one_time_code(wanted.otp)?,
        step_up: Some(step_up),
        payment_method,
        finalization: if wanted.auto_finalize == Some(false) {
            Finalization::OnRequest
        } else {
            Finalization::Automatic
        },
        ..Attempt::new(call, session_id)
    };
    match shopper::authorize(app, attempt).await? {
        Reply::Done(outcome) => Answer::ok(&outcome),
        // Not reached: an outcome for the extra step is always given above.
        Reply::StepUp(_) => Answer::ok(&Outcome::aborted()),
    }
}

/// A one-time code, right or wrong. The shopper could not have sent anything else.
pub(super) fn one_time_code(code: Option<String>) -> Result<Option<String>, ApiError> {
    match code {
        Some(code) if !decision::is_code(&code) => Err(ApiError::bad_value(&["otp"])
            .message("a one-time code is six digits; any but 999999 is right")),
        code => Ok(code),
    }
}

/// A method by its own name, or by the category it stands for.
pub(super) fn payment_method(name: Option<&str>) -> Result<Option<PaymentMethodType>, ApiError> {
    let method = match name {
        None => return Ok(None),
        Some("pay_later") => PaymentMethodType::Invoice,
        Some("pay_now") => PaymentMethodType::PayByCard,
        Some("pay_over_time") => PaymentMethodType::FixedAmount,
        Some(name) => PaymentMethodType::from(name),
    };
    match method {
        PaymentMethodType::Unknown(_) => Err(ApiError::bad_value(&["payment_method"])),
        known => Ok(Some(known)),
    }
}

/// How an extra step of identification ends.
pub(super) fn step_up_outcome(name: Option<&str>) -> Result<StepUpOutcome, ApiError> {
    match name {
        None | Some("failed") => Ok(StepUpOutcome::Failed),
        Some("passed") => Ok(StepUpOutcome::Passed),
        Some(_) => Err(ApiError::bad_value(&["step_up"])),
    }
}

fn session_id(app: &App, wanted: &ShopperCall) -> Result<SessionId, ApiError> {
    match (&wanted.session_id, &wanted.client_token) {
        (Some(session_id), _) => Ok(SessionId::new(session_id.as_str())),
        (None, Some(token)) => client_token::verify(token, app.signing_key(), app.clock().now_ms())
            .ok_or_else(|| {
                ApiError::not_found("Invalid session id")
                    .because("the client token is not of this playground, or it has expired")
            }),
        (None, None) => {
            Err(ApiError::bad_value(&["session_id"]).because("give session_id or client_token"))
        }
    }
}

async fn check_category(app: &App, session_id: &SessionId, category: &str) -> Result<(), ApiError> {
    let session = shopper::session(app, session_id.clone()).await?;
    let merchant = app.directory().merchant(session.merchant_id.as_str());
    let offered = session.categories(merchant.as_deref());
    if offered.iter().any(|offered| offered.identifier.as_str() == category) {
        Ok(())
    } else {
        Err(ApiError::bad_value(&["payment_method_category"])
            .because("the session does not offer this category"))
    }
}

impl From<ShopperError> for ApiError {
    fn from(error: ShopperError) -> Self {
        match error {
            ShopperError::Session(refusal) => refusal.into(),
            ShopperError::BadValue(problems) => {
                let explanation: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Self::bad_value(&bad_paths(&problems)).because(explanation.join("; "))
            }
            ShopperError::NothingToFinalize => {
                Self::new(StatusCode::CONFLICT, "NOTHING_TO_FINALIZE")
                    .message(ShopperError::NothingToFinalize.to_string())
            }
            ShopperError::Placing(error) => error.into(),
            ShopperError::Store(error) => error.into(),
        }
    }
}
