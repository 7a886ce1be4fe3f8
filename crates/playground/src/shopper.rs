//! The shopper's side of a purchase, once for all ways in: the control API and the browser's pages.
//!
//! Loads the session, lets the domain decide, and writes the outcome with everything it causes (the
//! callback to the merchant included) in one unit of work.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use klarna_types::payments::{
    AuthorizationCallback, AuthorizedPaymentMethod, PaymentMethodType, SessionBody,
};
use klarna_types::problem::Problem;
use klarna_types::{AuthorizationToken, Country, SessionId, validate};
use serde::{Deserialize, Serialize};
use service::Clock as _;
use storage::Tx;
use utoipa::ToSchema;

use crate::api::auth::Directory;
use crate::app::App;
use crate::domain::authorization::{Approval, Authorization};
use crate::domain::callback::{Callback, CallbackKind};
use crate::domain::content;
use crate::domain::decision::{self, Approved, Decision, Reviews, Shopper, StepUp, StepUpOutcome};
use crate::domain::merchant::{Merchant, Permission};
use crate::domain::persons;
use crate::domain::session::{Session, SessionRefusal, effective_country};
use crate::in_store::{self, Making};
use crate::placing::{Names, PlacingError};
use crate::store::sessions::{self, Event};
use crate::store::{StoreError, callbacks, to_document};

/// Which of the browser library's calls this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `authorize`.
    Authorize,
    /// `reauthorize`.
    Reauthorize,
    /// `finalize`.
    Finalize,
}

/// Whether the approval is final, or waits for `finalize` where the method needs that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finalization {
    /// The token is issued at once (`auto_finalize: true`, the default).
    Automatic,
    /// `auto_finalize: false`.
    OnRequest,
    /// It waits whatever the method, as Express checkout in several steps does.
    Always,
}

/// What the shopper does.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Which call.
    pub(crate) call: Call,
    /// In which session.
    pub(crate) session_id: SessionId,
    /// Data that the page sends along, as a session update.
    pub(crate) data: SessionBody,
    /// The e-mail address typed in the purchase flow.
    pub(crate) email: Option<String>,
    /// The phone number typed in the purchase flow.
    pub(crate) phone: Option<String>,
    /// The one-time code.
    pub(crate) otp: Option<String>,
    /// How an extra step ended, if the flow had one.
    pub(crate) step_up: Option<StepUpOutcome>,
    /// The chosen method; pay later by invoice when absent.
    pub(crate) payment_method: Option<PaymentMethodType>,
    /// The chosen method with its days or instalments, where the purchase flow showed a plan. It goes
    /// before `payment_method`.
    pub(crate) plan: Option<AuthorizedPaymentMethod>,
    /// Whether the approval is final.
    pub(crate) finalization: Finalization,
    /// Whether it is Express checkout, whose callback names the merchant's references.
    pub(crate) express: bool,
}

impl Attempt {
    /// An attempt with nothing but a session.
    pub(crate) fn new(call: Call, session_id: SessionId) -> Self {
        Self {
            call,
            session_id,
            data: SessionBody::default(),
            email: None,
            phone: None,
            otp: None,
            step_up: None,
            payment_method: None,
            plan: None,
            finalization: Finalization::Automatic,
            express: false,
        }
    }
}

/// What the browser's callback gets. Absent members are not sent, never `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Outcome {
    /// Whether the purchase was approved.
    pub(crate) approved: bool,
    /// Whether Klarna may go on being offered.
    pub(crate) show_form: bool,
    /// The token to place the order with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) authorization_token: Option<AuthorizationToken>,
    /// Whether `finalize` must follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finalize_required: Option<bool>,
    /// What the shopper can mend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<OutcomeError>,
}

/// What the shopper can mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OutcomeError {
    /// Dotted paths into the data.
    pub(crate) invalid_fields: Vec<String>,
}

impl Outcome {
    /// Refused for this session.
    pub(crate) fn denied() -> Self {
        Self::of(false, false)
    }

    /// Broken off by the shopper, or not identified.
    pub(crate) fn aborted() -> Self {
        Self::of(false, true)
    }

    /// Fixable.
    pub(crate) fn invalid(fields: Vec<String>) -> Self {
        Self { error: Some(OutcomeError { invalid_fields: fields }), ..Self::of(false, true) }
    }

    fn of(approved: bool, show_form: bool) -> Self {
        Self {
            approved,
            show_form,
            authorization_token: None,
            finalize_required: None,
            error: None,
        }
    }
}

/// What an attempt leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The call is over; this is for the page.
    Done(Outcome),
    /// The shopper must pass an extra step; try again with its outcome.
    StepUp(StepUp),
}

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopperError {
    /// The session cannot be used.
    #[error(transparent)]
    Session(#[from] SessionRefusal),
    /// The data are refused as a session update would be: the paths that are wrong.
    #[error("the data are not acceptable: {}", bad_paths(.0).join(", "))]
    BadValue(Vec<Problem>),
    /// `finalize` without an approval that waits for it.
    #[error(
        "there is no approval that waits for finalize; authorize with auto_finalize false first"
    )]
    NothingToFinalize,
    /// The order that comes of an in-store purchase could not be made.
    #[error(transparent)]
    Placing(#[from] PlacingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<storage::Error> for ShopperError {
    fn from(error: storage::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The paths of problems, each once.
pub(crate) fn bad_paths(problems: &[Problem]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for problem in problems {
        if !paths.contains(&problem.path) {
            paths.push(problem.path.clone());
        }
    }
    paths
}

/// What the widget is told when it loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// The session with the page's data in it.
    pub(crate) session: Session,
    /// Whether Klarna may be offered.
    pub(crate) show_form: bool,
    /// Data that the shopper can mend.
    pub(crate) invalid_fields: Vec<String>,
}

/// Takes in the data of a `load` call and assesses the shopper as far as is known.
pub(crate) async fn load(
    app: &App,
    session_id: SessionId,
    data: SessionBody,
) -> Result<Loaded, ShopperError> {
    let now_ms = app.clock().now_ms();
    let directory = app.directory();
    if data == SessionBody::default() {
        return app
            .db()
            .read(move |tx| {
                let session = open_session(tx, &session_id, now_ms)?;
                Ok(assess(directory.merchant(session.merchant_id.as_str()).as_deref(), session))
            })
            .await;
    }
    app.db()
        .write(move |tx| {
            let mut session = open_session(tx, &session_id, now_ms)?;
            let merchant = directory.merchant(session.merchant_id.as_str());
            session.body = merged(&session, &data, merchant.as_deref())?;
            session.version += 1;
            sessions::update(tx, &session, Event::Loaded, now_ms)?;
            Ok(assess(merchant.as_deref(), session))
        })
        .await
}

/// The session as it is, if it can be used. For pages that show it.
pub(crate) async fn session(app: &App, session_id: SessionId) -> Result<Session, ShopperError> {
    let now_ms = app.clock().now_ms();
    app.db().read(move |tx| open_session(tx, &session_id, now_ms)).await
}

/// The shopper goes through the purchase flow.
pub(crate) async fn authorize(app: &App, attempt: Attempt) -> Result<Reply, ShopperError> {
    let now = app.clock().now();
    let directory = app.directory();
    // Drawn outside: the unit of work may be run again, and must then do the same.
    let token = AuthorizationToken::new(service::random::uuid().to_string());
    let names = Names::draw();
    let base_url = app.base_url().to_owned();
    let reply = app
        .db()
        .write(move |tx| {
            let making = Making { base_url: &base_url, names: &names, now };
            authorize_in(tx, &directory, &attempt, &token, &making)
        })
        .await?;
    app.wake();
    Ok(reply)
}

/// The same within a unit of work of the purchase flow, whose own state changes with it. The caller
/// wakes the worker afterwards.
pub(crate) fn authorize_in(
    tx: &mut Tx<'_>,
    directory: &Directory,
    attempt: &Attempt,
    token: &AuthorizationToken,
    making: &Making<'_>,
) -> Result<Reply, ShopperError> {
    let now = making.now;
    let session = open_session(tx, &attempt.session_id, now.as_millisecond())?;
    let merchant = directory.merchant(session.merchant_id.as_str());
    let reply = attempt_in(tx, session, merchant.as_deref(), attempt, token, now)?;
    if let Reply::Done(Outcome { authorization_token: Some(token), .. }) = &reply {
        in_store::approved(tx, directory, &attempt.session_id, token, making)?;
    }
    Ok(reply)
}

fn open_session(
    tx: &mut Tx<'_>,
    session_id: &SessionId,
    now_ms: i64,
) -> Result<Session, ShopperError> {
    let session = sessions::find(tx, session_id)?.ok_or(SessionRefusal::Gone)?;
    session.check_open(now_ms)?;
    Ok(session)
}

fn merged(
    session: &Session,
    data: &SessionBody,
    merchant: Option<&Merchant>,
) -> Result<SessionBody, ShopperError> {
    let merged = session.merged_with(data.clone());
    let urls = merchant.map_or_else(validate::UrlRule::default, Merchant::url_rule);
    let problems = validate::create_session(&merged, urls);
    if problems.is_empty() { Ok(merged) } else { Err(ShopperError::BadValue(problems)) }
}

fn assess(merchant: Option<&Merchant>, session: Session) -> Loaded {
    let email = session.body.billing_address.as_ref().and_then(|address| address.email.as_deref());
    let screened = merchant.is_some_and(|merchant| merchant.may(Permission::PreScreening));
    let offered = !session.categories(merchant).is_empty();
    let show_form = offered && (!screened || decision::shows_form(email));
    let invalid_fields = if show_form {
        content::invalid_fields(&session.body, content::Stage::Load)
    } else {
        Vec::new()
    };
    Loaded { session, show_form, invalid_fields }
}

fn attempt_in(
    tx: &mut Tx<'_>,
    mut session: Session,
    merchant: Option<&Merchant>,
    attempt: &Attempt,
    token: &AuthorizationToken,
    now: Timestamp,
) -> Result<Reply, ShopperError> {
    let now_ms = now.as_millisecond();
    if attempt.data != SessionBody::default() {
        match merged(&session, &attempt.data, merchant) {
            Ok(body) => session.body = body,
            Err(ShopperError::BadValue(problems)) => {
                // Personal data that break a limit are the shopper's to mend; the rest is a fault
                // of the shop.
                let fields = bad_paths(&problems);
                return if fields.iter().all(|field| content::is_personal(field)) {
                    Ok(Reply::Done(Outcome::invalid(fields)))
                } else {
                    Err(ShopperError::BadValue(problems))
                };
            }
            Err(other) => return Err(other),
        }
    }
    if attempt.call == Call::Finalize {
        let approval = session.to_finalize.take().ok_or(ShopperError::NothingToFinalize)?;
        let issuing = Issuing { finalize_required: None, express: attempt.express };
        return issue(tx, session, merchant, approval, token, now_ms, issuing);
    }
    let fields = content::invalid_fields(&session.body, content::Stage::Authorize);
    if !fields.is_empty() {
        return Ok(Reply::Done(Outcome::invalid(fields)));
    }
    let approval = match decided(&session, merchant, attempt, now) {
        Ok(approval) => approval,
        Err(reply) => return Ok(reply),
    };
    let (finalize_required, approval) = match attempt.finalization {
        Finalization::Automatic => (None, approval),
        Finalization::Always | Finalization::OnRequest
            if attempt.finalization == Finalization::Always
                || needs_finalize(&approval.payment_method.kind) =>
        {
            session.to_finalize = Some(approval);
            session.authorization_token = None;
            session.version += 1;
            sessions::supersede(tx, &session.session_id, now_ms)?;
            sessions::update(tx, &session, Event::AwaitsFinalize, now_ms)?;
            let outcome = Outcome { finalize_required: Some(true), ..Outcome::of(true, true) };
            return Ok(Reply::Done(outcome));
        }
        Finalization::Always | Finalization::OnRequest => (Some(false), approval),
    };
    let issuing = Issuing { finalize_required, express: attempt.express };
    issue(tx, session, merchant, approval, token, now_ms, issuing)
}

/// Lets the domain decide; `Err` is the reply when there is no approval.
fn decided(
    session: &Session,
    merchant: Option<&Merchant>,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Approval, Reply> {
    let country = effective_country(&session.body).cloned().unwrap_or(Country::US);
    let address = session.body.billing_address.as_ref();
    let email = attempt
        .email
        .as_deref()
        .or_else(|| address.and_then(|address| address.email.as_deref()))
        .map(str::to_owned);
    let born = session
        .body
        .customer
        .as_ref()
        .and_then(|customer| customer.date_of_birth.as_deref())
        .and_then(|text| text.parse::<Date>().ok());
    let reviews = match merchant {
        Some(merchant) if merchant.may(Permission::PendingOrders) => Reviews::On,
        _ => Reviews::Off,
    };
    let decision = decision::decide(&Shopper {
        email: email.as_deref(),
        country: &country,
        date_of_birth: born,
        today: now.to_zoned(TimeZone::UTC).date(),
        otp: attempt.otp.as_deref(),
        step_up: attempt.step_up,
        reviews,
    });
    match decision {
        Decision::Approved(Approved { review, dispute }) => {
            let collected = persons::collected(
                &country,
                &session.body,
                email.as_deref(),
                attempt.phone.as_deref(),
            );
            Ok(Approval {
                payment_method: payment_method(
                    attempt.payment_method.clone(),
                    attempt.plan.clone(),
                    &session.body,
                ),
                email,
                billing_address: collected.billing_address,
                customer: collected.customer,
                review,
                dispute,
            })
        }
        Decision::Denied { reason } => {
            tracing::info!(session.id = %session.session_id, reason, "a purchase was refused");
            Err(Reply::Done(Outcome::denied()))
        }
        Decision::NotIdentified => Err(Reply::Done(Outcome::aborted())),
        Decision::StepUp(step) => Err(Reply::StepUp(step)),
    }
}

/// How a token is issued.
#[derive(Debug, Clone, Copy)]
struct Issuing {
    /// What the page is told of a second step.
    finalize_required: Option<bool>,
    /// Whether the callback names the merchant's references.
    express: bool,
}

/// Issues the token, supersedes earlier ones, and tells the merchant's server.
fn issue(
    tx: &mut Tx<'_>,
    mut session: Session,
    merchant: Option<&Merchant>,
    approval: Approval,
    token: &AuthorizationToken,
    now_ms: i64,
    issuing: Issuing,
) -> Result<Reply, ShopperError> {
    let authorization = Authorization::new(
        token.clone(),
        session.session_id.clone(),
        session.merchant_id.clone(),
        approval,
        now_ms,
    );
    sessions::insert_authorization(tx, &authorization)?;
    session.authorization_token = Some(token.clone());
    session.to_finalize = None;
    session.version += 1;
    sessions::update(tx, &session, Event::Authorized, now_ms)?;
    // In a store Klarna places the order itself, so the token is of no use to the merchant.
    let urls = session.body.merchant_urls.as_ref().filter(|_| session.body.distribution.is_none());
    let url = urls.and_then(|urls| urls.authorization.clone());
    if let (Some(url), Some(merchant)) = (url, merchant) {
        let references = if issuing.express {
            let SessionBody { merchant_reference1, merchant_reference2, .. } = &session.body;
            (merchant_reference1.clone(), merchant_reference2.clone())
        } else {
            (None, None)
        };
        let body = AuthorizationCallback {
            authorization_token: token.clone(),
            session_id: session.session_id.clone(),
            merchant_reference1: references.0,
            merchant_reference2: references.1,
        };
        let callback = Callback {
            id: format!("authorization:{}", token.expose()),
            merchant_id: merchant.merchant_id.clone(),
            kind: CallbackKind::Authorization,
            subject_id: session.session_id.to_string(),
            url,
            body: to_document("callback", &body)?,
            headers: Vec::new(),
        };
        callbacks::enqueue(tx, &callback, now_ms)?;
    }
    Ok(Reply::Done(Outcome {
        authorization_token: Some(token.clone()),
        finalize_required: issuing.finalize_required,
        ..Outcome::of(true, true)
    }))
}

/// Methods whose last step belongs to the Buy click.
fn needs_finalize(method: &PaymentMethodType) -> bool {
    matches!(method, PaymentMethodType::DirectBankTransfer | PaymentMethodType::DirectDebit)
}

/// The chosen method with what goes with it. A company pays by invoice to the company.
fn payment_method(
    chosen: Option<PaymentMethodType>,
    plan: Option<AuthorizedPaymentMethod>,
    body: &SessionBody,
) -> AuthorizedPaymentMethod {
    let is_company = body
        .customer
        .as_ref()
        .and_then(|customer| customer.kind.as_ref())
        .is_some_and(|kind| *kind == klarna_types::customer::CustomerType::Organization);
    if let Some(plan) = plan
        && !is_company
    {
        return plan;
    }
    let kind = match chosen {
        _ if is_company => PaymentMethodType::B2bInvoice,
        Some(kind) => kind,
        None => PaymentMethodType::Invoice,
    };
    let mut method = AuthorizedPaymentMethod::new(kind);
    match method.kind {
        PaymentMethodType::Invoice
        | PaymentMethodType::B2bInvoice
        | PaymentMethodType::PayLaterByCard => method.number_of_days = Some(30),
        PaymentMethodType::FixedAmount | PaymentMethodType::SliceItByCard => {
            method.number_of_installments = Some(3);
        }
        PaymentMethodType::FixedSumCredit => method.number_of_installments = Some(12),
        _ => {}
    }
    method
}
