//! `POST /v1/customer_tokens/{id}/charges`: an order without the shopper's browser; and what became of
//! it.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use storage::Tx;

use super::super::checkouts::create::{check_confirmation_url, shown as shown_checkout};
use super::super::checkouts::view::CheckoutView;
use super::super::extract::{Body, Caller, Patience, idempotency_key, wrong_query};
use super::super::keyed;
use super::super::paging::Wanted;
use super::super::payments::view::{OperationView, PaymentView};
use super::super::problem::Problem;
use super::view::ChargeView;
use super::{find, not_done, not_opened};
use crate::app::App;
use crate::domain::cart::{self, LineInput, PricesMode, Wish};
use crate::domain::checkout::CaptureMode;
use crate::domain::dunning::{self, StepUp};
use crate::domain::hosted::Channel;
use crate::domain::idempotency;
use crate::domain::journal::{Operation, Outcome, Request};
use crate::domain::operation::State as Stands;
use crate::engine::recurring::commands::{self, OnDemand};
use crate::engine::recurring::recovery::{self, Refused, Way};
use crate::fault::Fault;
use crate::store::{operations, payments};

/// What is charged.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCharge {
    /// The shop's order number.
    pub merchant_reference: String,
    /// Whether prices contain tax.
    pub prices: PricesMode,
    /// What is bought.
    pub lines: Vec<LineInput>,
    /// `manual` (capture when you ship) or `automatic` (Klarna must have allowed it).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub capture: CaptureMode,
    /// `offered` while the shopper is there and could help with a refusal; `never` if it is left out.
    #[serde(default)]
    pub step_up: StepUp,
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ChargeQuery {
    /// 1 to 100; 20 if it is left out.
    #[serde(default)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of charges.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChargeList {
    /// Newest first.
    pub data: Vec<ChargeView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Charges a customer token on demand: makes one order, which becomes a payment like any other.
///
/// Send an `Idempotency-Key`: the same charge again under the same key is carried out once.
#[utoipa::path(post, path = "/v1/customer_tokens/{id}/charges", tag = "customer tokens",
    params(("id" = String, Path)), request_body = CreateCharge,
    responses(
        (status = 201, body = ChargeView),
        (status = 202, body = ChargeView, description = "Not known yet: read the charge."),
        (status = 402, body = Problem, description = "Klarna declined."),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn charge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateCharge>,
) -> Result<Response, Problem> {
    let patience = Patience::of(&headers).0;
    let token = find(&app, &caller.store_id, &id).await?;
    let cart = cart::build(Wish {
        merchant_reference: value.merchant_reference,
        country: token.country.as_str().to_owned(),
        locale: Some(token.locale.as_str().to_owned()),
        currency: Some(token.currency.as_str().to_owned()),
        prices: value.prices,
        lines: value.lines,
    })
    .map_err(|problem| Problem::invalid(problem.member.clone(), problem.to_string()))?;
    if !cart.order_amount.is_positive() {
        let detail = "lines: add up to nothing; a charge is at least 1 minor unit.";
        return Err(Problem::invalid("lines", detail));
    }
    let new_id = app.engine().fresh_id("op");
    let key = idempotency_key(&headers)?;
    let intent = key.as_deref().map_or_else(|| new_id.clone(), idempotency::digest);
    let dedupe = format!("charge/{id}/{intent}");
    let now_ms = app.engine().now_ms();
    let wanted = OnDemand { cart, capture: value.capture, step_up: value.step_up };
    let (store_id, token_id) = (caller.store_id.clone(), id.clone());
    let path = format!("/v1/customer_tokens/{id}/charges");
    let (made, _) = keyed::once(&app, &caller, &headers, (&path, &bytes), move |tx| {
        let intent = (dedupe.as_str(), new_id.as_str());
        let taken = commands::charge(tx, &store_id, &token_id, intent, &wanted, now_ms)?;
        Ok(match taken {
            Ok(operation) => Ok(operation.id),
            Err(reason) => Err(not_done("customer token", reason)),
        })
    })
    .await?;
    let settled = app.engine().outcome(&made, patience).await?;
    let operation = settled.ok_or_else(|| Problem::not_found("charge"))?;
    if let (Stands::Refused, Some(Outcome::Refused(refusal))) =
        (operation.state, &operation.outcome)
    {
        return Err(Problem::refused(refusal, &operation.id));
    }
    let status =
        if operation.state == Stands::Done { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    let now_ms = app.engine().now_ms();
    let view =
        app.database().read_long(move |tx| shown(tx, &operation, Show::Payment, now_ms)).await?;
    Ok((status, Json(view)).into_response())
}

/// Whether a payment is shown with its charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Payment,
    Id,
}

fn shown(
    tx: &mut Tx<'_>,
    operation: &Operation,
    show: Show,
    now_ms: i64,
) -> Result<ChargeView, Fault> {
    let merchant_reference = match &operation.request {
        Request::Charge(charge) => charge.merchant_reference.clone(),
        _ => String::new(),
    };
    let payment = match (&operation.payment_id, show) {
        (Some(id), Show::Payment) => match payments::get(tx, id)? {
            Some(payment) => {
                let operations = operations::of_payment(tx, id)?;
                Some(PaymentView::new(&payment, &operations, now_ms))
            }
            None => None,
        },
        (Some(_), Show::Id) | (None, _) => None,
    };
    Ok(ChargeView {
        id: operation.id.clone(),
        merchant_reference,
        operation: OperationView::from(operation),
        can_step_up: operation.state == Stands::Refused
            && operation.refusal().is_some_and(|refusal| refusal.step_up_id().is_some())
            && now_ms < dunning::help_ends_at_ms(operation.updated_at_ms),
        payment_id: operation.payment_id.clone(),
        payment,
    })
}

fn is_charge(operation: &Operation) -> bool {
    matches!(operation.request, Request::Charge(_))
}

/// Lists the charges that were asked for by hand, newest first. Those of subscriptions are listed with
/// their subscription.
#[utoipa::path(get, path = "/v1/customer_tokens/{id}/charges", tag = "customer tokens",
    params(("id" = String, Path), ChargeQuery),
    responses((status = 200, body = ChargeList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn charges(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<ChargeQuery>, QueryRejection>,
) -> Result<Json<ChargeList>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let wanted = Wanted::of(query.limit, query.cursor.as_deref())?;
    find(&app, &caller.store_id, &id).await?;
    let now_ms = app.engine().now_ms();
    let list = app
        .database()
        .read_long(move |tx| {
            let found = operations::of_subject(tx, &id, wanted.before.as_ref(), wanted.to_read())?;
            let (found, next_cursor) =
                wanted.cut(found, |operation| (operation.created_at_ms, operation.id.as_str()));
            let mut data = Vec::with_capacity(found.len());
            for operation in found.iter().filter(|operation| is_charge(operation)) {
                data.push(shown(tx, operation, Show::Id, now_ms)?);
            }
            Ok::<_, Fault>(ChargeList { data, next_cursor })
        })
        .await?;
    Ok(Json(list))
}

/// Reads a charge.
#[utoipa::path(get, path = "/v1/customer_tokens/{id}/charges/{charge_id}", tag = "customer tokens",
    params(("id" = String, Path), ("charge_id" = String, Path)),
    responses((status = 200, body = ChargeView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((id, charge_id)): Path<(String, String)>,
) -> Result<Json<ChargeView>, Problem> {
    find(&app, &caller.store_id, &id).await?;
    let now_ms = app.engine().now_ms();
    let view = app
        .database()
        .read_long(move |tx| {
            let found = operations::get(tx, &charge_id)?
                .filter(|found| found.subject.as_deref() == Some(id.as_str()) && is_charge(found));
            found.map(|operation| shown(tx, &operation, Show::Payment, now_ms)).transpose()
        })
        .await?;
    view.map(Json).ok_or_else(|| Problem::not_found("charge"))
}

/// What the page that is opened needs.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenStepUp {
    /// Where the shopper's browser ends up; `{checkout_id}` is filled in.
    #[serde(default)]
    pub confirmation_url: Option<String>,
    /// `inline`: Klarna's widget in a page of yours; `hosted`: a page of Klarna's besides, to whose
    /// `redirect_url` a link may lead, and which `POST /v1/checkouts/{id}/send` has Klarna send.
    #[serde(default)]
    pub channel: StepUpChannel,
}

/// Where the shopper can help with a refused charge.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepUpChannel {
    /// In a page of the shop's.
    #[default]
    Inline,
    /// On a page of Klarna's.
    Hosted,
}

impl OpenStepUp {
    /// How the shopper is reached, checked.
    pub(in crate::api) fn way(self) -> Result<Way, Problem> {
        if let Some(url) = &self.confirmation_url {
            check_confirmation_url(url)?;
        }
        let channel = match self.channel {
            StepUpChannel::Inline => Channel::Inline,
            StepUpChannel::Hosted => Channel::Hosted,
        };
        Ok(Way { channel, confirmation_url: self.confirmation_url })
    }
}

/// Opens a checkout in which the shopper can help with a refused charge; the same one as long as it is
/// open. Once it is confirmed, its order stands for the charge, and the method that was chosen stands
/// behind the token.
#[utoipa::path(post, path = "/v1/customer_tokens/{id}/charges/{charge_id}/step_up", tag = "customer tokens",
    params(("id" = String, Path), ("charge_id" = String, Path)), request_body = OpenStepUp,
    responses((status = 201, body = CheckoutView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn step_up(
    State(app): State<App>,
    caller: Caller,
    Path((token_id, operation_id)): Path<(String, String)>,
    Body { value, .. }: Body<OpenStepUp>,
) -> Result<Response, Problem> {
    let way = value.way()?;
    let refused = Refused::Operation { token_id, operation_id };
    let checkout = recovery::open(app.engine(), &caller.store_id, refused, way)
        .await
        .map_err(|reason| not_opened("charge", reason))?;
    Ok((StatusCode::CREATED, shown_checkout(&checkout, &app)).into_response())
}
