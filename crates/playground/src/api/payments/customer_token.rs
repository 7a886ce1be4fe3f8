//! P6: make a customer token from an authorization.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use klarna_types::payments::{CreatedCustomerToken, CustomerTokenBody};
use klarna_types::problem::{Problem, Rule};
use klarna_types::{Address, Customer, CustomerTokenId, validate};
use service::Clock as _;
use storage::Tx;

use super::refusals::{bad_values, not_configured};
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::{Answer, JsonBody};
use crate::app::App;
use crate::domain::authorization::{
    Authorization, Body, TokenRefusal, TokenState, Tokenized, Tokenizing,
};
use crate::domain::customer_token::{
    Afterwards, CustomerToken, TokenStatus, TokenizingRefusal, allowed_by, instrument,
    method_behind, subscriptions,
};
use crate::domain::decision::Identification;
use crate::domain::matching;
use crate::domain::session::{Session, SessionRefusal, Status};
use crate::store::sessions::{self, Event};
use crate::store::{customer_tokens, to_document};
use crate::token_recovery;

/// `POST /payments/v1/authorizations/{authorization_token}/customer-token`.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(token): Path<String>,
    JsonBody { value: body, raw }: JsonBody<CustomerTokenBody>,
) -> Result<Answer, ApiError> {
    let call = Call {
        base_url: app.base_url().to_owned(),
        now: app.clock().now(),
        // Drawn outside: the unit of work may be run again, and must then make the same token.
        token_id: CustomerTokenId::new(service::random::uuid().to_string()),
        payment_method_reference: service::random::uuid().to_string(),
        random: u64::from_le_bytes(service::random::bytes()),
        problems: validate::customer_token(&body),
        token,
        body,
        raw,
        caller,
    };
    let answer = app.db().write(move |tx| call.run(tx)).await?;
    Ok(Answer::ok_text(answer))
}

/// Everything one call brings along.
struct Call {
    caller: Caller,
    token: String,
    body: CustomerTokenBody,
    raw: Bytes,
    problems: Vec<Problem>,
    base_url: String,
    now: Timestamp,
    token_id: CustomerTokenId,
    payment_method_reference: String,
    random: u64,
}

impl Call {
    /// The unit of work: the checks in the order of those for orders, then the token and what becomes
    /// of authorization and session, all or nothing. Returns the answer's body.
    fn run(&self, tx: &mut Tx<'_>) -> Result<String, ApiError> {
        let now_ms = self.now.as_millisecond();
        let merchant_id = &self.caller.merchant.merchant_id;
        let authorization = sessions::find_authorization(tx, merchant_id, &self.token)?
            .ok_or(TokenRefusal::Invalid)?;
        let made = customer_tokens::made_from(tx, &authorization.token)?;
        let compared = made.as_ref().map(|made| (made, Body::compare(&made.request, &self.raw)));
        match authorization.check_tokenizing(compared, now_ms)? {
            Tokenizing::Replay(answer) => return Ok(answer.to_owned()),
            Tokenizing::New => {}
        }
        let mut session =
            sessions::find(tx, &authorization.session_id)?.ok_or(SessionRefusal::Gone)?;
        if token_recovery::is_asked_for(&session.body) {
            return Err(not_configured("a session that recovers a charge makes no second token"));
        }
        let afterwards = allowed_by(session.body.intent.as_ref())?;
        bad_values(&self.all_problems(&session, &authorization))?;
        let token = self.customer_token(&session, &authorization)?;
        matching::compare_customer_token(&session.body, &self.body).map_err(|mismatch| {
            ApiError::new(StatusCode::CONFLICT, "BAD_VALUE").message(mismatch.message())
        })?;
        let made = Tokenized {
            at_ms: now_ms,
            // JSON that was read is UTF-8.
            request: String::from_utf8_lossy(&self.raw).into_owned(),
            answer: to_document("answer", &self.answer(&session, &token))?,
        };
        customer_tokens::insert(tx, &token, &authorization.token, &made)?;
        if afterwards == Afterwards::SessionCompletes {
            let consumed = TokenState::Consumed;
            sessions::end_authorization(tx, &authorization.token, consumed, None, now_ms)?;
            session.status = Status::Complete;
        }
        session.version += 1;
        sessions::update(tx, &session, Event::Tokenized, now_ms)?;
        Ok(made.answer)
    }

    /// The problems of the request, and that of a shopper who is billed in another country than the
    /// session's.
    fn all_problems(&self, session: &Session, authorization: &Authorization) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        let billing = self
            .body
            .billing_address
            .as_ref()
            .or(session.body.billing_address.as_ref())
            .or(authorization.approval.billing_address.as_ref())
            .and_then(|address| address.country.as_ref())
            .filter(|country| country.is_well_formed());
        if let Some(billing) = billing
            && session.body.purchase_country.as_ref() != Some(billing)
        {
            let rule = Rule::BillingCountry { billing: billing.to_string() };
            problems.push(Problem::new("purchase_country", rule));
        }
        problems
    }

    fn customer_token(
        &self,
        session: &Session,
        authorization: &Authorization,
    ) -> Result<CustomerToken, ApiError> {
        let (body, authorized) = (&self.body, &session.body);
        let approval = &authorization.approval;
        let (
            Some(country),
            Some(currency),
            Some(locale),
            Some(description),
            Some(intended_use),
            Some(session_country),
        ) = (
            body.purchase_country.clone(),
            body.purchase_currency.clone(),
            body.locale.clone(),
            body.description.clone(),
            body.intended_use.clone(),
            authorized.purchase_country.as_ref(),
        )
        else {
            return Err(ApiError::internal("a token without a required member passed validation"));
        };
        let payment_method =
            method_behind(&approval.payment_method, authorized.intent.as_ref(), session_country)?;
        let billing_address = authorized
            .billing_address
            .clone()
            .filter(|address| !address.is_empty())
            .or_else(|| approval.billing_address.clone())
            .or_else(|| body.billing_address.clone());
        Ok(CustomerToken {
            token_id: self.token_id.clone(),
            merchant_id: session.merchant_id.clone(),
            session_id: session.session_id.clone(),
            status: TokenStatus::Active,
            created_at_ms: self.now.as_millisecond(),
            instrument: instrument(
                &payment_method.kind,
                self.random,
                self.now.to_zoned(TimeZone::UTC).year(),
            ),
            payment_method,
            payment_method_reference: self.payment_method_reference.clone(),
            country,
            currency,
            locale,
            description,
            intended_use,
            shipping_address: authorized
                .shipping_address
                .clone()
                .or_else(|| billing_address.clone()),
            billing_address,
            customer: authorized
                .customer
                .clone()
                .or_else(|| approval.customer.clone())
                .or_else(|| body.customer.clone())
                .map(Customer::without_identification),
            email: approval.email.clone(),
            subscriptions: subscriptions(authorized),
            planned: None,
            identification: Identification::Outstanding,
            cancelled_at_ms: None,
        })
    }

    fn answer(&self, session: &Session, token: &CustomerToken) -> CreatedCustomerToken {
        let confirmation =
            session.body.merchant_urls.as_ref().and_then(|urls| urls.confirmation.as_deref());
        CreatedCustomerToken {
            token_id: token.token_id.clone(),
            redirect_url: confirmation
                .filter(|url| !url.is_empty())
                .map(|_| format!("{}/redirect/{}", self.base_url, session.session_id)),
            payment_method_reference: Some(token.payment_method_reference.clone()),
            billing_address: token
                .billing_address
                .clone()
                .filter(|address: &Address| !address.is_empty()),
            customer: token.customer.as_ref().map(|customer| Customer {
                date_of_birth: customer.date_of_birth.clone(),
                gender: customer.gender.clone(),
                ..Customer::default()
            }),
        }
    }
}

impl From<TokenizingRefusal> for ApiError {
    fn from(refusal: TokenizingRefusal) -> Self {
        let (status, code) = match refusal {
            TokenizingRefusal::Intent(_) => (StatusCode::FORBIDDEN, "INVALID_OPERATION"),
            TokenizingRefusal::Method { .. } => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        };
        Self::new(status, code).message(refusal.to_string())
    }
}
