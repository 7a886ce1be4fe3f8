//! P5: make an order from an authorization.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use klarna_types::payments::{CreatedOrder, FraudStatus, Intent, MerchantUrls, SessionBody};
use klarna_types::problem::Problem;
use klarna_types::{KlarnaReference, Locale, OrderId, OrderLine, validate};
use service::Clock as _;
use storage::Tx;

use super::refusals::{bad_values, not_configured};
use super::sessions::account_problems;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::authorization::{
    Approval, Authorization, Body, Placed, Placing, Review, SessionIs, TokenRefusal, TokenState,
};
use crate::domain::callback::fill_placeholders;
use crate::domain::decision;
use crate::domain::fraud::FraudPlan;
use crate::domain::matching;
use crate::domain::merchant::{Merchant, Permission};
use crate::domain::order::{NewOrder, Order, klarna_reference};
use crate::domain::payment_method::initial_payment_method;
use crate::domain::session::{Session, SessionRefusal, Status};
use crate::store::sessions::{self, Event};
use crate::store::{orders, to_document};

/// `POST /payments/v1/authorizations/{authorization_token}/order`.
pub(super) async fn place(
    State(app): State<App>,
    caller: Caller,
    Path(token): Path<String>,
    JsonBody { value: body, raw }: JsonBody<SessionBody>,
) -> Result<Answer, ApiError> {
    let mut problems = validate::create_order(&body, caller.merchant.url_rule());
    problems.extend(account_problems(&body, &caller.merchant));
    let call = Call {
        base_url: app.base_url().to_owned(),
        now: app.clock().now(),
        // Drawn outside: the unit of work may be run again, and must then make the same order.
        order_id: OrderId::new(service::random::key().to_string()),
        klarna_reference: klarna_reference(u64::from_le_bytes(service::random::bytes())),
        token,
        body,
        raw,
        problems,
        caller,
    };
    let answer = app.db().write(move |tx| call.run(tx)).await?;
    app.wake();
    Ok(Answer::ok_text(answer))
}

/// Everything one call brings along.
struct Call {
    caller: Caller,
    token: String,
    body: SessionBody,
    raw: Bytes,
    problems: Vec<Problem>,
    base_url: String,
    now: Timestamp,
    order_id: OrderId,
    klarna_reference: KlarnaReference,
}

impl Call {
    fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The unit of work: Klarna's checks in Klarna's order, then the order and the end of the
    /// session, all or nothing. Returns the answer's body.
    fn run(&self, tx: &mut Tx<'_>) -> Result<String, ApiError> {
        let merchant = &self.caller.merchant;
        let authorization = sessions::find_authorization(tx, &merchant.merchant_id, &self.token)?
            .ok_or(TokenRefusal::Invalid)?;
        let mut session =
            sessions::find(tx, &authorization.session_id)?.ok_or(SessionRefusal::Gone)?;
        let session_is = match session.status {
            Status::Complete => SessionIs::Complete,
            Status::Incomplete => SessionIs::Incomplete,
        };
        let body = match &authorization.placed {
            Some(placed) => Body::compare(&placed.request, &self.raw),
            None => Body::Other,
        };
        match authorization.check_placing(session_is, body, self.now_ms())? {
            Placing::Replay(answer) => return Ok(answer.to_owned()),
            Placing::New => {}
        }
        if session.body.intent == Some(Intent::Tokenize) {
            return Err(not_configured("a session that only makes a token leads to no order"));
        }
        bad_values(&self.problems)?;
        if self.body.auto_capture == Some(true) && !merchant.may(Permission::AutoCapture) {
            return Err(not_configured("the account may not capture automatically"));
        }
        self.check_match(&session, merchant)?;
        let order = self.order(&session, &authorization.approval)?;
        orders::insert(tx, &order)?;
        let answer = self.answer(&mut session, &authorization);
        let placed = Placed {
            order_id: self.order_id.clone(),
            // JSON that was read is UTF-8.
            request: String::from_utf8_lossy(&self.raw).into_owned(),
            answer: to_document("answer", &answer)?,
        };
        sessions::end_authorization(
            tx,
            &authorization.token,
            TokenState::Ordered,
            Some(&placed),
            self.now_ms(),
        )?;
        session.status = Status::Complete;
        session.version += 1;
        sessions::update(tx, &session, Event::Completed, self.now_ms())?;
        Ok(placed.answer)
    }

    /// The order must be what the shopper approved; a merchant with the permission may change the
    /// cart, and Klarna then looks at the shopper again.
    fn check_match(&self, session: &Session, merchant: &Merchant) -> Result<(), ApiError> {
        let Err(mismatch) = matching::compare(&session.body, &self.body) else { return Ok(()) };
        if !(merchant.may(Permission::CartUpdate) && mismatch.is_cart_only()) {
            return Err(
                ApiError::new(StatusCode::CONFLICT, "BAD_VALUE").message(mismatch.message())
            );
        }
        let email = self.body.billing_address.as_ref().and_then(|address| address.email.as_deref());
        if decision::refuses(email) {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "REJECTED")
                .message("Rejected")
                .because("the cart was changed, and the new assessment is negative"));
        }
        Ok(())
    }

    fn order(&self, session: &Session, approval: &Approval) -> Result<Order, ApiError> {
        let authorized = &session.body;
        let body = &self.body;
        let merchant = &self.caller.merchant;
        let lines = body
            .order_lines
            .iter()
            .flatten()
            .map(|line| OrderLine::try_from(line.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(ApiError::internal)?;
        let (Some(amount), Some(currency), Some(country)) =
            (body.order_amount, body.purchase_currency.clone(), body.purchase_country.clone())
        else {
            return Err(ApiError::internal("an order without a required member passed validation"));
        };
        let billing_address = body
            .billing_address
            .clone()
            .filter(|address| !address.is_empty())
            .or_else(|| approval.billing_address.clone())
            .or_else(|| authorized.billing_address.clone());
        let new = NewOrder {
            merchant_id: merchant.merchant_id.clone(),
            lines,
            amount,
            currency,
            locale: body
                .locale
                .clone()
                .or_else(|| authorized.locale.clone())
                .or_else(|| country.market().map(klarna_types::market::Market::default_locale))
                .unwrap_or_else(|| Locale::new("en-US")),
            country,
            shipping_address: body
                .shipping_address
                .clone()
                .filter(|address| !address.is_empty())
                .or_else(|| authorized.shipping_address.clone())
                .or_else(|| billing_address.clone()),
            billing_address,
            customer: body
                .customer
                .clone()
                .or_else(|| authorized.customer.clone())
                .or_else(|| approval.customer.clone()),
            merchant_reference1: body
                .merchant_reference1
                .clone()
                .or_else(|| authorized.merchant_reference1.clone()),
            merchant_reference2: body
                .merchant_reference2
                .clone()
                .or_else(|| authorized.merchant_reference2.clone()),
            merchant_data: body.merchant_data.clone().or_else(|| authorized.merchant_data.clone()),
            initial_payment_method: initial_payment_method(&approval.payment_method),
            fraud: FraudPlan::of(approval.review, self.now),
            dispute: approval.dispute.clone(),
            auto_capture: body.auto_capture == Some(true),
            authorization_days: merchant.settings.authorization_days,
            merchant_urls: self.filled_urls(session),
            klarna_reference: self.klarna_reference.clone(),
        };
        Ok(Order::place(self.order_id.clone(), new, self.now))
    }

    /// The order's own URLs win over the session's, one by one.
    fn urls(&self, session: &Session) -> MerchantUrls {
        let order = self.body.merchant_urls.clone().unwrap_or_default();
        let earlier = session.body.merchant_urls.clone().unwrap_or_default();
        MerchantUrls {
            confirmation: order.confirmation.or(earlier.confirmation),
            notification: order.notification.or(earlier.notification),
            push: order.push.or(earlier.push),
            authorization: order.authorization.or(earlier.authorization),
            app_return_url: order.app_return_url.or(earlier.app_return_url),
        }
    }

    fn filled_urls(&self, session: &Session) -> MerchantUrls {
        let fill = |url: Option<String>| {
            url.map(|url| {
                fill_placeholders(&url, session.session_id.as_str(), self.order_id.as_str())
            })
        };
        let urls = self.urls(session);
        MerchantUrls {
            confirmation: fill(urls.confirmation),
            notification: fill(urls.notification),
            push: fill(urls.push),
            ..urls
        }
    }

    /// The answer; the session keeps the URLs that the redirect will need.
    fn answer(&self, session: &mut Session, authorization: &Authorization) -> CreatedOrder {
        let urls = self.urls(session);
        let redirect_url = urls
            .confirmation
            .as_deref()
            .filter(|url| !url.is_empty())
            .map(|_| format!("{}/redirect/{}", self.base_url, session.session_id));
        session.body.merchant_urls = Some(urls);
        let fraud_status = match authorization.approval.review {
            Review::None => FraudStatus::Accepted,
            Review::AcceptAfterMinutes(_) | Review::RejectAfterMinutes(_) => FraudStatus::Pending,
        };
        CreatedOrder {
            order_id: self.order_id.clone(),
            redirect_url,
            fraud_status: Some(fraud_status),
            authorized_payment_method: Some(authorization.approval.payment_method.clone()),
        }
    }
}
