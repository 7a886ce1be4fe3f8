//! One call about one order: what is the same for all of them.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{HeaderName, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use klarna_types::arithmetic;
use klarna_types::ids::OrderId;
use klarna_types::order_line::OrderLineBody;
use serde::Serialize;
use service::Clock as _;
use storage::Tx;
use uuid::Uuid;

use super::refusal::{check, conflict, no_such_order, refuse};
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::replay::{Outcome, from_stored, to_stored};
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::idempotency::{self, Scope};
use crate::domain::merchant::{Merchant, Strictness};
use crate::domain::order::{Changed, Happened, Order, Rejection};
use crate::store;
use crate::store::orders::Saved;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("klarna-idempotency-key");

/// A call of a merchant about one of its orders.
#[derive(Debug, Clone)]
pub(super) struct Call {
    app: App,
    /// Who calls.
    pub(super) merchant: Arc<Merchant>,
    /// About which order.
    pub(super) order_id: OrderId,
    /// About which capture or refund of it; empty where the route names none.
    pub(super) part_id: String,
    /// Method and path, the scope of an idempotency key.
    operation: String,
    key: Option<HeaderValue>,
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::bad_request().because(error))?;
        let param = |wanted: &str| {
            params.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
        };
        let order_id = order_id(param("order_id"))?;
        let part_id = param("id").to_owned();
        let operation = format!("{} {}", parts.method, parts.uri.path());
        let key = parts.headers.get(IDEMPOTENCY_KEY).cloned();
        Ok(Self { app: app.clone(), merchant: caller.merchant, order_id, part_id, operation, key })
    }
}

/// Order ids are UUIDs, with hyphens.
fn order_id(text: &str) -> Result<OrderId, ApiError> {
    match Uuid::try_parse(text) {
        Ok(id) if text.len() == 36 => Ok(OrderId::new(id.to_string())),
        _ => Err(ApiError::new(StatusCode::BAD_REQUEST, "INVALID_ORDER_ID")
            .message("Order ID must be a valid UUID.")
            .because(format_args!("{text:?} is not a UUID"))),
    }
}

impl Call {
    /// The order as the merchant reads it.
    pub(super) async fn read_order(self) -> Outcome {
        let (app, merchant, order_id) = (&self.app, self.merchant.clone(), self.order_id.clone());
        let now = app.clock().now();
        let answer: Option<String> = app
            .db()
            .read(move |tx| -> Result<_, ApiError> {
                Ok(store::orders::read_answer(tx, &merchant.merchant_id, &order_id, now)?)
            })
            .await?;
        answer.map(Answer::ok_text).ok_or_else(|| self.missing_order())
    }

    /// Something of the order.
    pub(super) async fn read<T, F>(self, missing: ApiError, look: F) -> Outcome
    where
        T: Serialize,
        F: Fn(&Order) -> Result<T, Rejection> + Send + 'static,
    {
        let Self { app, merchant, order_id, .. } = self;
        let now = app.clock().now();
        app.db()
            .read(move |tx| -> Outcome {
                let order = store::orders::read(tx, &merchant.merchant_id, &order_id, now)?
                    .ok_or_else(|| missing.clone())?;
                Answer::ok(&look(&order).map_err(|rejection| refuse(&rejection))?)
            })
            .await
    }

    /// Changes the order, once for each idempotency key.
    ///
    /// The change, its effects and the answer that a repetition gets are one unit of work. Units
    /// are serial (SQLite) or serialisable (PostgreSQL), so that of two calls with one key at the
    /// same time the later finds the answer of the earlier and repeats it.
    pub(super) async fn change<F>(self, missing: ApiError, success: Answer, command: F) -> Outcome
    where
        F: Fn(Order, Timestamp) -> Result<Changed, ApiError> + Send + 'static,
    {
        self.change_with(missing, success, move |_, order, now| command(order, now)).await
    }

    /// The same for a command that has to know more than the order.
    pub(super) async fn change_with<F>(
        self,
        missing: ApiError,
        success: Answer,
        command: F,
    ) -> Outcome
    where
        F: Fn(&mut Tx<'_>, Order, Timestamp) -> Result<Changed, ApiError> + Send + 'static,
    {
        let Self { app, merchant, order_id, operation, key, .. } = self;
        let scope = key.map(|key| scope(&merchant, operation, &key));
        let at_work = app.clone();
        let (outcome, wake) = app
            .db()
            .write(move |tx| -> Result<(Outcome, Wake), ApiError> {
                let now = at_work.clock().now();
                let now_ms = now.as_millisecond();
                let loaded = store::orders::load(tx, &merchant.merchant_id, &order_id, now)?;
                let Some(loaded) = loaded else { return Ok((Err(missing.clone()), Wake::No)) };
                let scope = scope.clone().transpose()?;
                if let Some(scope) = &scope
                    && let Some(stored) = store::idempotency::find(tx, scope, now_ms)?
                {
                    return Ok((from_stored(&stored)?, Wake::No));
                }
                let (outcome, wake) = match command(tx, loaded.order, now) {
                    Ok(changed) => {
                        if !changed.events.is_empty()
                            && store::orders::save(tx, loaded.version, &changed)? == Saved::Stale
                        {
                            return Err(conflict());
                        }
                        (Ok(success.clone()), Wake::after(&changed))
                    }
                    Err(refusal) => (Err(refusal), Wake::No),
                };
                if let Some(scope) = &scope
                    && let Some(stored) = to_stored(&outcome)?
                {
                    store::idempotency::keep(tx, scope, &stored, now_ms)?;
                }
                Ok((outcome, wake))
            })
            .await?;
        if wake == Wake::Yes {
            app.wake();
        }
        outcome
    }

    /// 201 with the id of what was made, and where it can be read.
    pub(super) fn created(
        &self,
        header: HeaderName,
        collection: &str,
        id: &str,
    ) -> Result<Answer, ApiError> {
        let base_url = self.app.base_url();
        let order_id = &self.order_id;
        let location = format!("{base_url}/ordermanagement/v1/orders/{order_id}/{collection}/{id}");
        let id = HeaderValue::from_str(id).map_err(ApiError::internal)?;
        let location = HeaderValue::from_str(&location).map_err(ApiError::internal)?;
        Ok(Answer::empty(StatusCode::CREATED).header(header, id).header(LOCATION, location))
    }

    /// 422 for lines that do not add up, if the merchant's account is that strict.
    pub(super) fn check_lines(&self, lines: Option<&[OrderLineBody]>) -> Result<(), ApiError> {
        if self.merchant.wants(Strictness::OrderLineTotals) {
            check(&arithmetic::check_lines(lines.unwrap_or_default()))?;
        }
        Ok(())
    }

    /// What is answered when the order is not there.
    pub(super) fn missing_order(&self) -> ApiError {
        no_such_order(format!("Order {} cannot be found", self.order_id))
    }

    /// The same, where Klarna says what is therefore not possible.
    pub(super) fn missing_order_for(&self, consequence: &str) -> ApiError {
        no_such_order(format!("Order {} cannot be found. {consequence}", self.order_id))
    }
}

fn scope(merchant: &Merchant, operation: String, key: &HeaderValue) -> Result<Scope, ApiError> {
    match key.to_str() {
        Ok(text) if idempotency::is_key(text.as_bytes()) => {
            Ok(Scope { merchant_id: merchant.merchant_id.clone(), operation, key: text.to_owned() })
        }
        _ => Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY")
            .message("The size of the Klarna-Idempotency-Key value must be between 1 and 255")
            .because("an idempotency key is 1 to 255 printable ASCII characters")),
    }
}

/// Whether something is due because of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    Yes,
    No,
}

impl Wake {
    fn after(changed: &Changed) -> Self {
        let notified = |happened: &Happened| {
            // A capture may be disputed, a refund or a cancellation ends a dispute.
            matches!(
                happened,
                Happened::FraudDecided { .. }
                    | Happened::Captured { .. }
                    | Happened::Refunded { .. }
                    | Happened::Cancelled { .. }
            )
        };
        if changed.events.iter().any(|event| notified(&event.what)) { Self::Yes } else { Self::No }
    }
}
