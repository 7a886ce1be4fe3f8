//! T2: charge a customer token.
//!
//! Klarna's checks, in this order: the body's JSON, the token, the idempotency key, the token's status,
//! limits and arithmetic, what the account may do, the currency, and then the new assessment of the
//! shopper. The order, what becomes of the token and the answer that a repetition gets are one unit of
//! work.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use klarna_types::customer_token::{CreatedTokenOrder, StepUp as StepUpSupport, TokenOrderBody};
use klarna_types::payments::{FraudStatus, MerchantUrls};
use klarna_types::problem::Problem;
use klarna_types::{
    Address, CustomerTokenId, KlarnaReference, Locale, OrderId, OrderLine, validate,
};
use service::Clock as _;
use storage::Tx;

use crate::api::auth::Caller;
use crate::api::error::{ApiError, RefusedCharge};
use crate::api::payments::refusals::{bad_values, not_configured};
use crate::api::replay::{Outcome, from_stored, to_stored};
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::authorization::Review;
use crate::domain::callback::fill_placeholders;
use crate::domain::customer_token::CustomerToken;
use crate::domain::customer_token::charge::{ChargeRefusal, METHOD_FAILED};
use crate::domain::customer_token::step_up::{StepUp, Use};
use crate::domain::decision::Approved;
use crate::domain::fraud::FraudPlan;
use crate::domain::idempotency::{self, Scope};
use crate::domain::matching::Mismatch;
use crate::domain::order::{NewOrder, Order, klarna_reference};
use crate::domain::payment_method::initial_payment_method;
use crate::store::customer_tokens::{self, Event, Loaded};
use crate::store::{self, orders};

/// `POST /customer-token/v1/tokens/{token_id}/order`.
pub(super) async fn charge(
    State(app): State<App>,
    caller: Caller,
    Path(token_id): Path<String>,
    headers: HeaderMap,
    JsonBody { value: body, raw }: JsonBody<TokenOrderBody>,
) -> Result<Answer, ApiError> {
    let scope = headers
        .get("klarna-idempotency-key")
        .map(|key| scope(&caller, &token_id, key))
        .transpose()?;
    let call = Call {
        fingerprint: scope.as_ref().map(|_| idempotency::fingerprint(&raw)),
        scope,
        problems: validate::token_order(&body, caller.merchant.url_rule()),
        token_id: CustomerTokenId::new(token_id),
        base_url: app.base_url().to_owned(),
        now: app.clock().now(),
        // Drawn outside: the unit of work may be run again, and must then make the same order.
        order_id: OrderId::new(service::random::key().to_string()),
        klarna_reference: klarna_reference(u64::from_le_bytes(service::random::bytes())),
        step_up_id: service::random::uuid().to_string(),
        body,
        caller,
    };
    let outcome = app.db().write(move |tx| call.run(tx)).await?;
    if outcome.is_ok() {
        app.wake();
    }
    outcome
}

fn scope(caller: &Caller, token_id: &str, key: &HeaderValue) -> Result<Scope, ApiError> {
    match key.to_str() {
        Ok(text) if idempotency::is_key(text.as_bytes()) => Ok(Scope {
            merchant_id: caller.merchant.merchant_id.clone(),
            operation: format!("POST /customer-token/v1/tokens/{token_id}/order"),
            key: text.to_owned(),
        }),
        _ => Err(ApiError::bad_value(&["Klarna-Idempotency-Key"])
            .because("an idempotency key is 1 to 255 printable ASCII characters")),
    }
}

/// Everything one call brings along.
struct Call {
    caller: Caller,
    token_id: CustomerTokenId,
    scope: Option<Scope>,
    fingerprint: Option<String>,
    body: TokenOrderBody,
    problems: Vec<Problem>,
    base_url: String,
    now: Timestamp,
    order_id: OrderId,
    klarna_reference: KlarnaReference,
    step_up_id: String,
}

impl Call {
    fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The unit of work. A refusal is an outcome: what it leaves behind is committed.
    fn run(&self, tx: &mut Tx<'_>) -> Result<Outcome, ApiError> {
        let Some(loaded) = customer_tokens::load(tx, &self.token_id)? else {
            return Ok(Err(ApiError::new(StatusCode::NOT_FOUND, "TOKEN_NOT_FOUND")
                .message("Customer token not found")));
        };
        if loaded.token.merchant_id != self.caller.merchant.merchant_id {
            return Ok(Err(not_chargeable("the token belongs to another merchant")));
        }
        if let Some(scope) = &self.scope
            && let Some(kept) = store::idempotency::find(tx, scope, self.now_ms())?
        {
            return if kept.request == self.fingerprint {
                from_stored(&kept)
            } else {
                Ok(Err(ApiError::new(StatusCode::CONFLICT, "BAD_VALUE")
                    .message("The order has been already completed with different request body")
                    .because("this idempotency key was used with another body")))
            };
        }
        let outcome = self.charge(tx, loaded)?;
        if let Some(scope) = &self.scope
            && let Some(mut kept) = to_stored(&outcome)?
        {
            kept.request.clone_from(&self.fingerprint);
            store::idempotency::keep(tx, scope, &kept, self.now_ms())?;
        }
        Ok(outcome)
    }

    fn charge(&self, tx: &mut Tx<'_>, mut loaded: Loaded) -> Result<Outcome, ApiError> {
        let merchant = &self.caller.merchant;
        let judged = loaded.token.check_chargeable().and_then(|()| {
            if self.problems.is_empty() {
                loaded.token.judge(&self.body, merchant).map(Some)
            } else {
                Ok(None)
            }
        });
        match judged {
            Ok(Some(approved)) => {
                let order = self.order(&loaded.token, &approved)?;
                orders::insert(tx, &order)?;
                let confirmation = self.urls(&loaded.token).confirmation;
                let event = Event::Charged { order_id: self.order_id.clone(), confirmation };
                customer_tokens::save(tx, &loaded, &event, self.now_ms())?;
                Ok(Answer::ok(&self.answer(&loaded.token, approved.review)))
            }
            Ok(None) => Ok(bad_values(&self.problems).map(|()| Answer::no_content())),
            Err(refusal) => {
                let error = self.refuse(tx, &loaded.token, &refusal)?;
                let event = Event::Refused { code: error.code };
                customer_tokens::save(tx, &loaded, &event, self.now_ms())?;
                Ok(Err(error))
            }
        }
    }

    /// The refusal in Klarna's form; with the shopper there, it may be the beginning of a recovery.
    fn refuse(
        &self,
        tx: &mut Tx<'_>,
        token: &CustomerToken,
        refusal: &ChargeRefusal,
    ) -> Result<ApiError, ApiError> {
        let method_failed = |code| {
            ApiError::new(StatusCode::FORBIDDEN, code).message(METHOD_FAILED).because(refusal)
        };
        let mut error = match refusal {
            ChargeRefusal::Suspended => ApiError::new(StatusCode::FORBIDDEN, "TOKEN_SUSPENDED")
                .message("Customer token is suspended")
                .because(refusal),
            ChargeRefusal::Cancelled => not_chargeable(refusal),
            ChargeRefusal::AutoCapture => not_configured(&refusal.to_string()),
            ChargeRefusal::Terms(paths) => ApiError::new(StatusCode::CONFLICT, "BAD_VALUE")
                .message(Mismatch::Fields(paths.clone()).message())
                .because(refusal),
            ChargeRefusal::MethodUnavailable { .. } => method_failed("UNAVAILABLE_PAYMENT_METHOD"),
            ChargeRefusal::MethodFailed { .. } => method_failed("PAYMENT_METHOD_FAILED"),
            ChargeRefusal::ServiceUnavailable => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
                    .because(refusal)
            }
        };
        if refusal.can_be_recovered() {
            let step_up_id = match &self.body.step_up {
                Some(StepUpSupport::Supported) => {
                    customer_tokens::insert_step_up(
                        tx,
                        &StepUp {
                            id: self.step_up_id.clone(),
                            token_id: token.token_id.clone(),
                            merchant_id: token.merchant_id.clone(),
                            created_at_ms: self.now_ms(),
                            use_: Use::Unused,
                        },
                    )?;
                    Some(self.step_up_id.clone())
                }
                Some(StepUpSupport::NotSupported | StepUpSupport::Unknown(_)) | None => None,
            };
            error.charge = Some(Box::new(RefusedCharge {
                fraud_status: FraudStatus::Rejected,
                reason: METHOD_FAILED.to_owned(),
                authorized_payment_method: token.payment_method.clone(),
                step_up_id,
            }));
        }
        Ok(error)
    }

    fn order(&self, token: &CustomerToken, approved: &Approved) -> Result<Order, ApiError> {
        let body = &self.body;
        let merchant = &self.caller.merchant;
        let lines = body
            .order_lines
            .iter()
            .flatten()
            .map(|line| OrderLine::try_from(line.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(ApiError::internal)?;
        let Some(amount) = body.order_amount else {
            return Err(ApiError::internal("a charge without an amount passed validation"));
        };
        let new = NewOrder {
            merchant_id: merchant.merchant_id.clone(),
            lines,
            amount,
            currency: token.currency.clone(),
            country: token.country.clone(),
            locale: self.locale(token),
            billing_address: token.billing_address.clone(),
            shipping_address: body
                .shipping_address
                .clone()
                .filter(|address: &Address| !address.is_empty())
                .or_else(|| token.shipping_address.clone()),
            customer: token.customer.clone(),
            merchant_reference1: body.merchant_reference1.clone(),
            merchant_reference2: body.merchant_reference2.clone(),
            merchant_data: body.merchant_data.clone(),
            initial_payment_method: initial_payment_method(&token.payment_method),
            fraud: FraudPlan::of(approved.review, self.now),
            dispute: approved.dispute.clone(),
            auto_capture: body.auto_capture == Some(true),
            authorization_days: merchant.settings.authorization_days,
            merchant_urls: self.urls(token),
            klarna_reference: self.klarna_reference.clone(),
        };
        Ok(Order::place(self.order_id.clone(), new, self.now))
    }

    /// The language of the call, if it is one of the token's market; samples of Klarna's send one although
    /// the schema has none.
    fn locale(&self, token: &CustomerToken) -> Locale {
        let market = token.country.market();
        self.body
            .locale
            .clone()
            .filter(|locale| market.is_some_and(|market| market.accepts_locale(locale)))
            .unwrap_or_else(|| token.locale.clone())
    }

    /// The call's own URLs, filled in. The session that made the token is long over: its URLs are not used.
    fn urls(&self, token: &CustomerToken) -> MerchantUrls {
        let fill = |url: Option<String>| {
            url.filter(|url| !url.is_empty()).map(|url| {
                fill_placeholders(&url, token.session_id.as_str(), self.order_id.as_str())
            })
        };
        let urls = self.body.merchant_urls.clone().unwrap_or_default();
        MerchantUrls {
            confirmation: fill(urls.confirmation),
            notification: fill(urls.notification),
            push: fill(urls.push),
            ..urls
        }
    }

    fn answer(&self, token: &CustomerToken, review: Review) -> CreatedTokenOrder {
        CreatedTokenOrder {
            order_id: self.order_id.clone(),
            fraud_status: Some(match review {
                Review::None => FraudStatus::Accepted,
                Review::AcceptAfterMinutes(_) | Review::RejectAfterMinutes(_) => {
                    FraudStatus::Pending
                }
            }),
            authorized_payment_method: Some(token.payment_method.clone()),
            redirect_url: self
                .urls(token)
                .confirmation
                .map(|_| format!("{}/redirect/{}", self.base_url, self.order_id)),
        }
    }
}

/// 403 `TOKEN_CANCELED`: cancelled, or of another merchant. Nothing of the token is told.
fn not_chargeable(reason: impl std::fmt::Display) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "TOKEN_CANCELED")
        .message("Customer token is cancelled")
        .because(reason)
}
