//! Raise disputes, decide them, and say what was agreed with a merchant about them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use klarna_types::disputes::{DisputeOutcomeDetailed, ProcessExceptionReason};
use klarna_types::{CaptureId, MerchantId, MinorUnits, OrderId};
use serde::{Deserialize, Serialize};
use service::Clock as _;
use url::{Host, Url};
use utoipa::ToSchema;

use crate::api::control::operator::Operator;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::dispute::{
    Decision, Dispute, DisputeSettings, Framework, Reason, Refusal, Script, Start, status_of,
};
use crate::domain::merchant::{CallbackUrls, Merchant};
use crate::store::disputes::{self, Saved, Wanted};
use crate::store::orders;

/// A dispute to be raised.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDispute {
    /// Over which order.
    order_id: String,
    /// Over which capture of it; the latest one when absent. High-risk orders are disputed as such.
    capture_id: Option<String>,
    /// Why: `return`, `goods_not_received`, `faulty_goods`, `incorrect_invoice`, `already_paid`,
    /// `unauthorized_purchase`, `high_risk_order`, `non_compliance`, `non_guaranteed_payment_program`,
    /// `return_not_possible`, or the newer names of these. `goods_not_received` when absent.
    reason: Option<String>,
    /// How it will go; see `Script`.
    script: Option<Script>,
    /// How much is disputed, in minor units; all that was not refunded when absent.
    amount: Option<i64>,
    /// In which process; that of version 4 when absent.
    framework: Option<Framework>,
    /// Where it begins: `opened` (with the older process's time to settle; the default) or
    /// `requested`.
    start: Option<Start>,
    /// Decided at once against the merchant: `fraudulent_partner` or `dispute_mis_handled`.
    resolved_at_once: Option<String>,
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum What {
    /// For the merchant, after its answer or appeal.
    Won,
    /// Against the merchant; preliminarily, where it can still appeal.
    Lost,
    /// Klarna asks once more (older process).
    FollowUp,
    /// Klarna takes it up before the time to settle is over (older process).
    Escalate,
    /// More time to answer.
    Extend,
    /// The shopper withdraws.
    Withdraw,
    /// Against the merchant, at once.
    Resolve,
    /// The deadline has passed.
    Expire,
}

/// What Klarna or the shopper decides.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionCall {
    /// What.
    decision: What,
    /// Why it is won or lost, one of Klarna's detailed outcomes.
    detailed: Option<String>,
    /// What a follow-up request says.
    comment: Option<String>,
    /// By how much the deadline moves, an ISO 8601 duration; seven days when absent.
    by: Option<String>,
    /// Why the usual process is left: `dispute_mis_handled`, `regulatory_requirement`,
    /// `fraudulent_partner`.
    reason: Option<String>,
}

/// A dispute, as far as a test needs it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DisputeView {
    /// Its id in versions 3 and 4.
    payment_dispute_id: String,
    /// Its id in version 2, which settlements show.
    dispute_krn: String,
    /// Whose it is.
    merchant_id: String,
    /// The order.
    order_id: String,
    /// The capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_id: Option<String>,
    /// How much, in minor units.
    amount: i64,
    /// Why, by its older name.
    reason: String,
    /// Where it is, in version 4.
    state: String,
    /// Where it is, in version 2.
    investigation_status: String,
    /// Until when the merchant can answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_at: Option<String>,
    /// When time will next change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due_at: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_detailed: Option<String>,
}

impl DisputeView {
    fn of(dispute: &Dispute) -> Self {
        let time = |at: Timestamp| format!("{at:.3}");
        let subject = dispute.subject();
        Self {
            payment_dispute_id: dispute.id().into_string(),
            dispute_krn: dispute.krn(),
            merchant_id: subject.merchant_id.to_string(),
            order_id: subject.order_id.to_string(),
            capture_id: subject.capture_id.as_ref().map(ToString::to_string),
            amount: dispute.amount().get(),
            reason: dispute.reason().as_str().to_owned(),
            state: dispute.stage().state().to_string(),
            investigation_status: status_of(dispute).to_string(),
            deadline_at: dispute.deadline().map(time),
            next_due_at: dispute.next_due_at().map(time),
            outcome: dispute.closing().map(|closing| closing.outcome.to_string()),
            outcome_detailed: dispute.closing().map(|closing| closing.detailed.to_string()),
        }
    }
}

/// `POST /playground/v1/disputes`.
#[utoipa::path(
    post,
    path = "/playground/v1/disputes",
    request_body = NewDispute,
    responses(
        (status = 201, description = "Raised; the merchant's webhook is told", body = DisputeView),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "No such order"),
        (status = 409, description = "Nothing of it can be disputed"),
    )
)]
pub(super) async fn raise(
    State(app): State<App>,
    _: Operator,
    JsonBody { value, .. }: JsonBody<NewDispute>,
) -> Result<Answer, ApiError> {
    let reason = match value.reason.as_deref() {
        Some(name) => Reason::parse(name).ok_or_else(|| ApiError::bad_value(&["reason"]))?,
        None => Reason::GoodsNotReceived,
    };
    let at_once = exception(value.resolved_at_once.as_deref(), "resolved_at_once")?;
    let at_work = app.clone();
    let dispute = app
        .db()
        .write(move |tx| -> Result<Dispute, ApiError> {
            let now = at_work.clock().now();
            let order_id = OrderId::new(value.order_id.as_str());
            let missing = || ApiError::not_found(format!("there is no order {order_id}"));
            let merchant_id = disputes::owner_of(tx, &order_id)?.ok_or_else(missing)?;
            let order = orders::read(tx, &merchant_id, &order_id, now)?.ok_or_else(missing)?;
            let capture_id = match (&value.capture_id, reason) {
                (Some(id), _) => Some(CaptureId::new(id.as_str())),
                (None, Reason::HighRiskOrder) => None,
                (None, _) => order.latest_capture().cloned(),
            };
            let nothing =
                |message: &str| ApiError::new(StatusCode::CONFLICT, "CONFLICT").message(message);
            if capture_id.is_none() && reason != Reason::HighRiskOrder {
                return Err(nothing("nothing of the order is captured yet"));
            }
            let settings = disputes::account(tx, &merchant_id)?.settings;
            let wanted = Wanted {
                capture_id,
                amount: value.amount.map(MinorUnits::new),
                reason,
                framework: value.framework.unwrap_or(Framework::F2026),
                script: value.script,
                start: value.start.unwrap_or_default(),
                at_once: at_once.clone(),
            };
            disputes::raise(tx, &order, wanted, &settings, now)?
                .ok_or_else(|| nothing("there is no such capture, or not so much of it is left"))
        })
        .await?;
    app.wake();
    Answer::json(StatusCode::CREATED, &DisputeView::of(&dispute))
}

/// `POST /playground/v1/disputes/{id}/decide`.
#[utoipa::path(
    post,
    path = "/playground/v1/disputes/{id}/decide",
    params(("id" = String, Path, description = "Either id of the dispute, or its number")),
    request_body = DecisionCall,
    responses(
        (status = 200, description = "Decided; the merchant's webhook is told", body = DisputeView),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "No such dispute"),
        (status = 409, description = "Its state does not allow this"),
    )
)]
pub(super) async fn decide(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
    JsonBody { value, .. }: JsonBody<DecisionCall>,
) -> Result<Answer, ApiError> {
    let decision = decision(value, app.clock().now())?;
    let at_work = app.clone();
    let dispute = app
        .db()
        .write(move |tx| -> Result<Dispute, ApiError> {
            let number = id.rsplit(':').next().unwrap_or_default();
            let loaded = disputes::load_any(tx, number)?
                .ok_or_else(|| ApiError::not_found(format!("there is no dispute {id}")))?;
            let now = at_work.clock().now();
            let changed =
                loaded.dispute.decide(decision.clone(), now).map_err(|refusal| refuse(&refusal))?;
            match disputes::save(tx, loaded.version, &changed, at_work.base_url())? {
                Saved::Yes => Ok(changed.dispute),
                Saved::Stale => Err(ApiError::internal("the dispute changed meanwhile")),
            }
        })
        .await?;
    app.wake();
    Answer::ok(&DisputeView::of(&dispute))
}

fn refuse(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::Value { .. } => ApiError::new(StatusCode::BAD_REQUEST, "BAD_VALUE"),
        Refusal::State { .. } | Refusal::NoSuchRequest(_) | Refusal::RequestClosed => {
            ApiError::new(StatusCode::CONFLICT, "CONFLICT")
        }
    }
    .message(refusal.to_string())
}

fn decision(call: DecisionCall, now: Timestamp) -> Result<Decision, ApiError> {
    let detailed = match call.detailed {
        Some(text) => {
            let detailed = DisputeOutcomeDetailed::from(text);
            if !detailed.is_known() {
                return Err(ApiError::bad_value(&["detailed"]));
            }
            Some(detailed)
        }
        None => None,
    };
    let reason = exception(call.reason.as_deref(), "reason")?;
    Ok(match call.decision {
        What::Won => Decision::Won(detailed),
        What::Lost => Decision::Lost(detailed),
        What::FollowUp => Decision::FollowUp(call.comment),
        What::Escalate => Decision::Escalate,
        What::Extend => Decision::Extend { by: length(call.by.as_deref(), now)?, reason },
        What::Withdraw => Decision::Withdraw,
        What::Resolve => {
            Decision::Resolve(reason.unwrap_or(ProcessExceptionReason::DisputeMisHandled))
        }
        What::Expire => Decision::Expire,
    })
}

fn exception(
    text: Option<&str>,
    parameter: &str,
) -> Result<Option<ProcessExceptionReason>, ApiError> {
    match text.map(ProcessExceptionReason::from) {
        Some(reason) if !reason.is_known() => Err(ApiError::bad_value(&[parameter])),
        reason => Ok(reason),
    }
}

/// The length of an ISO 8601 duration that begins now.
fn length(text: Option<&str>, now: Timestamp) -> Result<SignedDuration, ApiError> {
    let wrong = || ApiError::bad_value(&["by"]);
    let span: Span = text.unwrap_or("P7D").parse().map_err(|_| wrong())?;
    let end = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| wrong())?;
    let by = end.timestamp().duration_since(now);
    if by.is_positive() { Ok(by) } else { Err(wrong()) }
}

/// `GET /playground/v1/merchants/{merchant_id}/disputes`.
#[utoipa::path(
    get,
    path = "/playground/v1/merchants/{merchant_id}/disputes",
    params(("merchant_id" = String, Path, description = "The merchant")),
    responses(
        (status = 200, description = "What was agreed; the signing key is not shown", body = DisputeSettings),
        (status = 404, description = "No such merchant"),
    )
)]
pub(super) async fn settings(
    State(app): State<App>,
    _: Operator,
    Path(merchant_id): Path<String>,
) -> Result<Answer, ApiError> {
    let merchant_id = merchant(&app, &merchant_id)?.merchant_id.clone();
    let mut settings = app
        .db()
        .read(move |tx| -> Result<_, ApiError> {
            Ok(disputes::account(tx, &merchant_id)?.settings)
        })
        .await?;
    if let Some(webhook) = &mut settings.webhook {
        webhook.signing_key.clear();
    }
    Answer::ok(&settings)
}

/// `POST /playground/v1/merchants/{merchant_id}/disputes`: replaces what was agreed.
#[utoipa::path(
    post,
    path = "/playground/v1/merchants/{merchant_id}/disputes",
    params(("merchant_id" = String, Path, description = "The merchant")),
    request_body = DisputeSettings,
    responses(
        (status = 200, description = "Agreed; the signing key is shown this once", body = DisputeSettings),
        (status = 400, description = "A value is not acceptable"),
        (status = 404, description = "No such merchant"),
    )
)]
pub(super) async fn agree(
    State(app): State<App>,
    _: Operator,
    Path(merchant_id): Path<String>,
    JsonBody { value, .. }: JsonBody<DisputeSettings>,
) -> Result<Answer, ApiError> {
    let merchant = merchant(&app, &merchant_id)?;
    let mut settings = value;
    if let Some(webhook) = &mut settings.webhook {
        if !may_be_called(&merchant, &webhook.url) {
            return Err(ApiError::bad_value(&["webhook.url"]));
        }
        let made_up = |text: &mut String, form: &dyn Fn() -> String| {
            if text.is_empty() {
                *text = form();
            }
        };
        made_up(&mut webhook.signing_key, &service::random::secret);
        made_up(&mut webhook.signing_key_id, &|| {
            format!("krn:partner:global:notification:signing-key:{}", service::random::uuid())
        });
        made_up(&mut webhook.webhook_id, &|| {
            format!("krn:notification:webhook:{}", service::random::uuid())
        });
    }
    check(&settings)?;
    let kept = settings.clone();
    let merchant_id = merchant.merchant_id.clone();
    app.db()
        .write(move |tx| -> Result<(), ApiError> {
            Ok(disputes::put_settings(tx, &merchant_id, &kept)?)
        })
        .await?;
    Answer::ok(&settings)
}

fn check(settings: &DisputeSettings) -> Result<(), ApiError> {
    let mut wrong = Vec::new();
    if settings.rate_per_mille > 1_000 {
        wrong.push("rate_per_mille");
    }
    // Larger ones no reader elsewhere can hold, and the description says so.
    if i64::try_from(settings.seed).is_err() {
        wrong.push("seed");
    }
    for (name, minutes) in [
        ("review_minutes", settings.review_minutes),
        ("arbitration_minutes", settings.arbitration_minutes),
    ] {
        if i32::try_from(minutes).is_err() {
            wrong.push(name);
        }
    }
    if settings.auto_reject_below < 0 {
        wrong.push("auto_reject_below");
    }
    if settings.fees.values().any(|fee| *fee < 0) {
        wrong.push("fees");
    }
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::bad_value(&wrong)) }
}

fn merchant(app: &App, merchant_id: &str) -> Result<std::sync::Arc<Merchant>, ApiError> {
    app.directory()
        .merchant(MerchantId::new(merchant_id).as_str())
        .ok_or_else(|| ApiError::not_found(format!("there is no merchant {merchant_id}")))
}

/// Whether a merchant may give this URL to be called at.
fn may_be_called(merchant: &Merchant, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match (url.scheme(), merchant.settings.callback_urls) {
        ("https", _) | ("http", CallbackUrls::AnyHttp) => true,
        ("http", CallbackUrls::HttpsOrLoopback) => is_loopback,
        _ => false,
    }
}
