//! Be the shopper on a hosted payment page.

use axum::extract::State;
use klarna_types::payments::PaymentMethodType;
use klarna_types::{AuthorizationToken, Country, HostedSessionId};
use serde::{Deserialize, Serialize};
use storage::Tx;
use utoipa::ToSchema;

use crate::api::control::in_store;
use crate::api::control::operator::Operator;
use crate::api::control::shopper::{one_time_code, payment_method, step_up_outcome};
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::decision::StepUpOutcome;
use crate::domain::hosted_page::{Event, LeaveButton};
use crate::domain::session::{Session, effective_country};
use crate::hosting::{self, End, Hosted, HostingError, Scene};
use crate::shopper::{self, Attempt, Call, Reply};
use crate::store::hosted_pages;

/// What the shopper does.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HostedCall {
    /// The hosted session; or give `url`.
    hpp_session_id: Option<String>,
    /// The address of the page: its `redirect_url`, its `qr_code_url`, or the link of a message. Or the
    /// `payment_link` or `qr` of an in-store purchase, with the actions `open`, `approve`, `deny`, `cancel`
    /// and `fail`; the answer is then what the till reads.
    url: Option<String>,
    /// `open`, `approve`, `deny`, `cancel`, `back`, `fail` (a technical error) or `timeout` (the shopper
    /// leaves without a word). The page is opened first where that has not happened.
    action: Action,
    /// With `approve` and `deny`: the e-mail address typed in the purchase flow. It steers the decision.
    email: Option<String>,
    /// The phone number typed in the purchase flow.
    phone: Option<String>,
    /// The one-time code: six digits, any but `999999` is right; a right one when absent.
    otp: Option<String>,
    /// The method the shopper chooses, as in `shopper/authorize`.
    payment_method: Option<String>,
    /// How an extra step of identification ends: `passed` or `failed` (the default).
    step_up: Option<String>,
}

/// What the shopper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Opens the page.
    Open,
    /// Pays.
    Approve,
    /// Tries to pay and is declined.
    Deny,
    /// Presses the cancel button and confirms.
    Cancel,
    /// Presses the back button.
    Back,
    /// Meets a technical error.
    Fail,
    /// Leaves without a word.
    Timeout,
}

/// Where the page stands afterwards.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HostedAnswer {
    /// The hosted session.
    hpp_session_id: String,
    /// Its status now.
    status: String,
    /// Where the browser is sent; absent when Klarna shows a page of its own, or the shopper stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The order, when the page placed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

/// `POST /playground/v1/shopper/hosted`.
#[utoipa::path(
    post,
    path = "/playground/v1/shopper/hosted",
    request_body = HostedCall,
    responses(
        (status = 200, description = "Where the page stands now, and where the browser goes", body = HostedAnswer),
        (status = 400, description = "A value is not acceptable, or the page is over"),
        (status = 404, description = "There is no such page, or its time is over"),
        (status = 409, description = "The page does not show that button"),
    )
)]
pub(super) async fn act(
    State(app): State<App>,
    _: Operator,
    JsonBody { value: wanted, raw }: JsonBody<HostedCall>,
) -> Result<Answer, ApiError> {
    if let Some(answer) = in_store::act(&app, &raw).await {
        return answer;
    }
    let payer = Payer::read(&wanted)?;
    let scene = Scene::new(&app);
    // Drawn outside: the unit of work may be run again, and must then do the same.
    let token = AuthorizationToken::new(service::random::uuid().to_string());
    let page = app
        .db()
        .write(move |tx| -> Result<_, ApiError> {
            let id = target(tx, &wanted)?;
            let mut hosted = hosting::find(tx, &id, scene.now())?;
            apply(tx, &mut hosted, wanted.action, &payer, &token, &scene)?;
            Ok(hosted.page)
        })
        .await?;
    app.wake();
    Answer::ok(&HostedAnswer {
        hpp_session_id: page.session_id.to_string(),
        status: page.status.shown().to_string(),
        url: page.destination(),
        order_id: page.order_id.map(klarna_types::OrderId::into_string),
    })
}

/// Which page is meant.
fn target(tx: &mut Tx<'_>, wanted: &HostedCall) -> Result<HostedSessionId, ApiError> {
    match (&wanted.hpp_session_id, &wanted.url) {
        (Some(id), _) => Ok(HostedSessionId::new(id.as_str())),
        (None, Some(url)) => {
            let short_id = url
                .split_once("/hpp-page/")
                .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default())
                .ok_or_else(|| {
                    ApiError::bad_value(&["url"]).because("url: the address of a hosted page")
                })?;
            Ok(hosted_pages::id_of(tx, short_id)?.ok_or(HostingError::Gone)?)
        }
        (None, None) => {
            Err(ApiError::bad_value(&["hpp_session_id"]).because("give hpp_session_id or url"))
        }
    }
}

/// What the shopper types and chooses.
struct Payer {
    email: Option<String>,
    phone: Option<String>,
    otp: Option<String>,
    payment_method: Option<PaymentMethodType>,
    step_up: StepUpOutcome,
}

impl Payer {
    fn read(wanted: &HostedCall) -> Result<Self, ApiError> {
        Ok(Self {
            email: wanted.email.clone(),
            phone: wanted.phone.clone(),
            otp: one_time_code(wanted.otp.clone())?,
            payment_method: payment_method(wanted.payment_method.as_deref())?,
            step_up: step_up_outcome(wanted.step_up.as_deref())?,
        })
    }

    fn attempt(&self, session: &Session, action: Action) -> Attempt {
        let email = match action {
            Action::Deny if self.email.is_none() => {
                let country = effective_country(&session.body).cloned().unwrap_or(Country::US);
                let top = country.as_str().to_ascii_lowercase();
                Some(format!("customer+denied@email.{top}"))
            }
            _ => self.email.clone(),
        };
        Attempt {
            email,
            phone: self.phone.clone(),
            otp: self.otp.clone(),
            payment_method: self.payment_method.clone(),
            step_up: Some(self.step_up),
            ..Attempt::new(Call::Authorize, session.session_id.clone())
        }
    }
}

fn apply(
    tx: &mut Tx<'_>,
    hosted: &mut Hosted,
    action: Action,
    payer: &Payer,
    token: &AuthorizationToken,
    scene: &Scene,
) -> Result<(), ApiError> {
    match action {
        Action::Open => hosting::happen(tx, hosted, Event::Opened, scene)?,
        Action::Cancel => hosting::leave(tx, hosted, LeaveButton::Cancel, scene)?,
        Action::Back => hosting::leave(tx, hosted, LeaveButton::Back, scene)?,
        Action::Fail => hosting::settle(tx, hosted, End::Broke, scene)?,
        Action::Timeout => {
            hosting::happen(tx, hosted, Event::Opened, scene)?;
            hosting::happen(tx, hosted, Event::TimedOut, scene)?;
        }
        Action::Approve | Action::Deny => {
            hosting::happen(tx, hosted, Event::Opened, scene)?;
            let attempt = payer.attempt(&hosted.session, action);
            let reply =
                shopper::authorize_in(tx, scene.directory(), &attempt, token, &scene.making())?;
            let end = match reply {
                Reply::Done(outcome) => End::of(&outcome),
                // Not reached: an outcome for the extra step is always given.
                Reply::StepUp(_) => End::Open,
            };
            hosting::settle(tx, hosted, end, scene)?;
        }
    }
    Ok(())
}
