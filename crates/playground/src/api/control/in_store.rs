//! Be the shopper on the link of an in-store purchase: `shopper/hosted` with such a `url`.

use axum::http::StatusCode;
use klarna_types::{AuthorizationToken, Country};
use serde::Deserialize;
use service::Clock as _;

use crate::api::control::shopper::{one_time_code, payment_method, step_up_outcome};
use crate::api::error::ApiError;
use crate::api::respond::{self, Answer};
use crate::app::App;
use crate::domain::in_store::{Event, Failure, Refusal};
use crate::domain::session::effective_country;
use crate::in_store::{self as purchases, Making};
use crate::placing::Names;
use crate::shopper::{self, Attempt, Call};
use crate::store::{in_store, sessions};
use crate::web::in_store::short_id_of;

/// What the shopper does; the same members as on a hosted page.
#[derive(Debug, Clone, Deserialize)]
struct LinkCall {
    url: Option<String>,
    action: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    otp: Option<String>,
    payment_method: Option<String>,
    step_up: Option<String>,
}

/// What can be done on the page of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Open,
    Approve,
    Deny,
    Cancel,
    Fail,
}

impl Action {
    fn read(name: Option<&str>) -> Result<Self, ApiError> {
        match name {
            Some("open") => Ok(Self::Open),
            Some("approve") => Ok(Self::Approve),
            Some("deny") => Ok(Self::Deny),
            Some("cancel") => Ok(Self::Cancel),
            Some("fail") => Ok(Self::Fail),
            Some("back" | "timeout") => Err(ApiError::new(StatusCode::CONFLICT, "NO_SUCH_BUTTON")
                .message("The page of an in-store purchase cannot be left that way")),
            _ => Err(ApiError::bad_value(&["action"])
                .because("action: open, approve, deny, cancel or fail")),
        }
    }
}

/// Does it, if the call names a link of an in-store purchase, and answers with what the till reads
/// afterwards. `None` for every other call.
pub(super) async fn act(app: &App, body: &[u8]) -> Option<Result<Answer, ApiError>> {
    let call: LinkCall = respond::parse(body).ok()?;
    let short_id = short_id_of(app.base_url(), call.url.as_deref()?)?.to_owned();
    Some(run(app, short_id, call).await)
}

async fn run(app: &App, short_id: String, call: LinkCall) -> Result<Answer, ApiError> {
    let action = Action::read(call.action.as_deref())?;
    let payment_method = payment_method(call.payment_method.as_deref())?;
    let step_up = step_up_outcome(call.step_up.as_deref())?;
    let otp = one_time_code(call.otp)?;
    let now = app.clock().now();
    let now_ms = now.as_millisecond();
    let directory = app.directory();
    let base_url = app.base_url().to_owned();
    // Drawn outside: the unit of work may be run again, and must then do the same.
    let names = Names::draw();
    let token = AuthorizationToken::new(service::random::uuid().to_string());
    let result = app
        .db()
        .write(move |tx| -> Result<_, ApiError> {
            let mut purchase = in_store::find_by_short_id(tx, &short_id)?.ok_or(Refusal::Gone)?;
            let session = sessions::find(tx, &purchase.session_id)?.ok_or(Refusal::Gone)?;
            match action {
                Action::Cancel => purchases::cancel(tx, purchase, session, &base_url, now_ms)?,
                Action::Open => {
                    purchases::happens(tx, &mut purchase, Event::Open, &base_url, now_ms)?;
                }
                Action::Fail => {
                    purchases::happens(tx, &mut purchase, Event::Open, &base_url, now_ms)?;
                    let failure = Event::Fail(Failure::System);
                    purchases::happens(tx, &mut purchase, failure, &base_url, now_ms)?;
                }
                Action::Approve | Action::Deny => {
                    purchases::happens(tx, &mut purchase, Event::Open, &base_url, now_ms)?;
                    let denied = || {
                        let country = effective_country(&session.body).cloned();
                        let country = country.unwrap_or(Country::US);
                        let top = country.as_str().to_ascii_lowercase();
                        format!("customer+denied@email.{top}")
                    };
                    let email = call.email.clone();
                    let email = if action == Action::Deny {
                        email.or_else(|| Some(denied()))
                    } else {
                        email
                    };
                    let attempt = Attempt {
                        email,
                        phone: call.phone.clone(),
                        otp: otp.clone(),
                        payment_method: payment_method.clone(),
                        step_up: Some(step_up),
                        ..Attempt::new(Call::Authorize, session.session_id)
                    };
                    let making = Making { base_url: &base_url, names: &names, now };
                    shopper::authorize_in(tx, &directory, &attempt, &token, &making)?;
                }
            }
            let purchase = in_store::find_by_short_id(tx, &short_id)?.ok_or(Refusal::Gone)?;
            Ok(purchase.result(&base_url))
        })
        .await?;
    app.wake();
    Answer::ok(&result)
}
