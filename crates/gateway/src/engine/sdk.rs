//! The port to Klarna, over the SDK.
//!
//! Calls that change something are made once: repeating them is the journal's business. Opening and
//! reading repeat within the call, for a moment.

use std::future::Future;
use std::time::{Duration, Instant};

use klarna::retry::RetryPolicy;
use klarna::{Client, ErrorKind, PayoutFilter, Period, Response, TransactionFilter};
use klarna_types::customer_token::{CreateTokenOrder, CustomerToken};
use klarna_types::disputes::{DisputeList, DisputeSort, ListDisputes};
use klarna_types::hosted_payment_page::{
    CreateSession as CreatePage, CreatedSession as CreatedPage, DistributeSession, Session as Page,
};
use klarna_types::order_management::{
    CreateCapture, CreateRefund, ExtendDueDate, ExtendDueDateOptions, Order, UpdateAuthorization,
    UpdateConsumer, UpdateMerchantReferences, UpdateShippingInfo,
};
use klarna_types::payments::{
    CreateCustomerToken, CreateOrder, CreateSession, CreatedCustomerToken, CreatedOrder,
    CreatedSession, Session, UpdateSession,
};
use klarna_types::settlements::{PaymentReference, PayoutCollection, TransactionCollection};
use klarna_types::{
    AuthorizationToken, CaptureId, CustomerTokenId, HostedSessionId, IdempotencyKey, OrderId,
    SessionId,
};
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use super::klarna::{Answer, Boxed, ChangeCall, Klarna, Outcome, PayoutsWanted};
use crate::domain::change::Change;
use crate::domain::operation::{Effect, Failure, StepUpId};
use crate::observe::Metrics;

/// A Klarna account, reached by the SDK.
#[derive(Debug, Clone)]
pub struct Sdk(Client, String, Metrics);

impl Sdk {
    /// Over this client.
    pub fn new(client: Client) -> Self {
        // Merchant ids belong to one region each.
        let id = client.merchant_id().map_or_else(|| "klarna".to_owned(), ToString::to_string);
        Self(client, id, Metrics::default())
    }

    /// The same, known by this name where its credential does not say whose it is.
    pub fn named(client: Client, name: &str) -> Self {
        let id = client.merchant_id().map_or_else(|| name.to_owned(), ToString::to_string);
        Self(client, id, Metrics::default())
    }

    /// The same, with calls that are counted there.
    pub fn measured(mut self, metrics: Metrics) -> Self {
        self.2 = metrics;
        self
    }

    /// Makes a call: in a span of its own, and counted.
    async fn made<T>(
        &self,
        operation: &'static str,
        sending: impl Future<Output = Result<Response<T>, klarna::Error>>,
    ) -> Outcome<T> {
        let span = tracing::info_span!(
            "klarna",
            klarna.operation = operation,
            klarna.account = %self.1,
            otel.name = %format_args!("Klarna {operation}"),
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
            klarna.correlation_id = tracing::field::Empty,
            klarna.error_code = tracing::field::Empty,
            klarna.tries = tracing::field::Empty,
        );
        let began = Instant::now();
        let result = sending.instrument(span.clone()).await;
        let (tries, outcome) = match &result {
            Ok(response) => (response.meta().tries, "answered"),
            Err(error) => (error.tries(), counted(error)),
        };
        self.2.klarna_call(operation, outcome, began.elapsed(), tries);
        let answer = result.map(answered).map_err(|error| failed(&error));
        span.record("klarna.tries", tries);
        let (status, correlation_id) = match &answer {
            Ok(answer) => (Some(answer.status), answer.correlation_id.as_deref()),
            Err(failure) => {
                span.record("otel.status_code", "ERROR");
                span.record("klarna.error_code", failure.error_code.as_deref());
                (failure.status, failure.correlation_id.as_deref())
            }
        };
        span.record("http.response.status_code", status);
        span.record("klarna.correlation_id", correlation_id);
        answer
    }
}

/// What came of a call, as it is counted.
fn counted(error: &klarna::Error) -> &'static str {
    match (error.kind(), error.status().map(|status| status.as_u16())) {
        (ErrorKind::Throttled, _) => "held_back",
        (_, Some(429)) => "limited",
        (ErrorKind::Connect, _) => "unreachable",
        (ErrorKind::TimedOut, _) => "timed_out",
        (ErrorKind::Decode, _) => "unreadable",
        (ErrorKind::Refused, Some(500..)) => "failed",
        (ErrorKind::Refused | ErrorKind::InvalidRequest, _) => "refused",
        // Interrupted, or a kind that is newer than this line.
        _ => "interrupted",
    }
}

/// Someone may be waiting: two more tries, within seconds.
fn patient() -> RetryPolicy {
    RetryPolicy {
        max_tries: 3,
        window: Duration::from_secs(5),
        base_delay: Duration::from_millis(200),
        ..RetryPolicy::default()
    }
}

fn answered<T>(response: Response<T>) -> Answer<T> {
    let (value, meta) = response.into_parts();
    Answer {
        value,
        status: meta.status.as_u16(),
        correlation_id: meta.correlation_id.map(klarna_types::CorrelationId::into_string),
    }
}

#[allow(clippy::match_same_arms, reason = "a table: one row for each rule")]
fn failed(error: &klarna::Error) -> Failure {
    let status = error.status().map(|status| status.as_u16());
    let effect = match (error.kind(), status) {
        _ if error.outcome_unknown() => Effect::Unknown,
        (ErrorKind::Connect | ErrorKind::Throttled, _) | (_, Some(429)) => Effect::NoneYet,
        (ErrorKind::InvalidRequest, _) => Effect::Refused,
        (ErrorKind::Refused, Some(500..)) => Effect::Unknown,
        (ErrorKind::Refused, _) => Effect::Refused,
        // Timed out, interrupted, unreadable, or a kind that is newer than this line.
        _ => Effect::Unknown,
    };
    let mut error_messages = error.messages().to_vec();
    error_messages.extend(error.problems().iter().map(ToString::to_string));
    Failure {
        effect,
        status: status.or((error.kind() == ErrorKind::InvalidRequest).then_some(400)),
        error_code: error.code().map(|code| code.as_str().into()),
        error_messages,
        correlation_id: error.correlation_id().map(|id| id.as_str().to_owned()),
        retry_after_ms: error
            .rate_limit()
            .and_then(|limit| {
                limit.retry_after.or_else(|| limit.reset.filter(|_| status == Some(429)))
            })
            .and_then(|wait| i64::try_from(wait.as_millis()).ok())
            // No place in time: the windows of Klarna's limits are seconds.
            .or((error.kind() == ErrorKind::Throttled).then_some(1000)),
        summary: summary(error, status),
        step_up_id: error.body().step_up_id.clone().map(|id| Box::new(StepUpId(id))),
    }
}

fn summary(error: &klarna::Error, status: Option<u16>) -> String {
    match (error.kind(), status) {
        (ErrorKind::Connect, _) => "no connection".to_owned(),
        (ErrorKind::Throttled, _) => "no place under the rate limit in time".to_owned(),
        (ErrorKind::TimedOut, _) => "no answer in time".to_owned(),
        (ErrorKind::Interrupted, _) => "the connection broke before the answer".to_owned(),
        (ErrorKind::Decode, _) => "an answer that cannot be read".to_owned(),
        (ErrorKind::InvalidRequest, _) => "a request that cannot be sent".to_owned(),
        (_, Some(status)) => match error.code() {
            Some(code) => format!("answered {status} {}", code.as_str()),
            None => format!("answered {status}"),
        },
        (_, None) => "no usable answer".to_owned(),
    }
}

/// A journalled body, as the SDK takes it. What the gateway wrote it can read.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    serde_json::from_str(body)
        .map_err(|error| unusable(format!("a journalled body is unreadable: {error}")))
}

fn key(key: &str) -> Result<IdempotencyKey, Failure> {
    IdempotencyKey::parse(key).map_err(|error| unusable(error.to_string()))
}

fn unusable(summary: String) -> Failure {
    Failure {
        effect: Effect::Refused,
        status: None,
        error_code: None,
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: None,
        summary,
        step_up_id: None,
    }
}

impl Klarna for Sdk {
    fn account_id(&self) -> &str {
        &self.1
    }

    fn create_session<'a>(&'a self, body: &'a CreateSession) -> Boxed<'a, Outcome<CreatedSession>> {
        let call = self.0.payments().create_session(body).retry(patient());
        Box::pin(async move { self.made("create_session", call.send()).await })
    }

    fn update_session<'a>(
        &'a self,
        session_id: &'a str,
        body: &'a UpdateSession,
    ) -> Boxed<'a, Outcome<()>> {
        let id = SessionId::new(session_id);
        let call = self.0.payments().update_session(&id, body).retry(patient());
        Box::pin(async move { self.made("update_session", call.send()).await })
    }

    fn read_session<'a>(&'a self, session_id: &'a str) -> Boxed<'a, Outcome<Session>> {
        let call = self.0.payments().session(&SessionId::new(session_id)).retry(patient());
        Box::pin(async move { self.made("read_session", call.send()).await })
    }

    fn place_order<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        Box::pin(async move {
            let body: CreateOrder = read(body)?;
            let call = self.0.payments().create_order(token, &body).retry(RetryPolicy::never());
            self.made("place_order", call.send()).await
        })
    }

    fn read_order<'a>(&'a self, order_id: &'a str) -> Boxed<'a, Outcome<Order>> {
        let call = self.0.orders().get(&OrderId::new(order_id)).retry(patient());
        Box::pin(async move { self.made("read_order", call.send()).await })
    }

    fn capture<'a>(
        &'a self,
        order_id: &'a str,
        idempotency_key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(async move {
            let (key, body): (_, CreateCapture) = (key(idempotency_key)?, read(body)?);
            let call = self.0.orders().capture(&OrderId::new(order_id), &body);
            let answer = self
                .made("capture", call.idempotency_key(key).retry(RetryPolicy::never()).send())
                .await?;
            Ok(answer.with(|capture| capture.capture_id.into_string()))
        })
    }

    fn refund<'a>(
        &'a self,
        order_id: &'a str,
        idempotency_key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(async move {
            let (key, body): (_, CreateRefund) = (key(idempotency_key)?, read(body)?);
            let call = self.0.orders().refund(&OrderId::new(order_id), &body);
            let answer = self
                .made("refund", call.idempotency_key(key).retry(RetryPolicy::never()).send())
                .await?;
            Ok(answer.with(|refund| refund.refund_id.into_string()))
        })
    }

    fn cancel<'a>(&'a self, order_id: &'a str, idempotency_key: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            let key = key(idempotency_key)?;
            let call = self.0.orders().cancel(&OrderId::new(order_id));
            self.made("cancel", call.idempotency_key(key).retry(RetryPolicy::never()).send()).await
        })
    }

    fn release<'a>(
        &'a self,
        order_id: &'a str,
        idempotency_key: &'a str,
    ) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            let key = key(idempotency_key)?;
            let call = self.0.orders().release_remaining_authorization(&OrderId::new(order_id));
            self.made("release", call.idempotency_key(key).retry(RetryPolicy::never()).send()).await
        })
    }

    fn change<'a>(&'a self, call: ChangeCall<'a>) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            let ChangeCall { change, order_id, capture_id, key: idempotency_key, body } = call;
            let key = key(idempotency_key)?;
            let orders = self.0.orders();
            let order_id = OrderId::new(order_id);
            let capture_id = capture_id.map(CaptureId::new);
            let of_capture =
                || capture_id.clone().ok_or_else(|| unusable("it names no capture".to_owned()));
            let call = match change {
                Change::UpdateAuthorization => {
                    orders.update_authorization(&order_id, &read::<UpdateAuthorization>(body)?)
                }
                Change::ExtendAuthorization => orders.extend_authorization_time(&order_id),
                Change::UpdateCustomer => {
                    orders.update_customer_details(&order_id, &read::<UpdateConsumer>(body)?)
                }
                Change::UpdateReferences => {
                    let body: UpdateMerchantReferences = read(body)?;
                    orders.update_merchant_references(&order_id, &body)
                }
                Change::AddShippingInfo => {
                    let body: UpdateShippingInfo = read(body)?;
                    match &capture_id {
                        Some(id) => orders.add_capture_shipping_info(&order_id, id, &body),
                        None => orders.add_shipping_info(&order_id, &body),
                    }
                }
                Change::ResendCommunication => orders.trigger_send_out(&order_id, &of_capture()?),
                Change::ExtendDueDate => {
                    let body: ExtendDueDate = read(body)?;
                    orders.extend_due_date(&order_id, &of_capture()?, &body)
                }
                Change::Acknowledge => orders.acknowledge(&order_id),
            };
            self.made(change.name(), call.idempotency_key(key).retry(RetryPolicy::never()).send())
                .await
        })
    }

    fn due_date_options<'a>(
        &'a self,
        order_id: &'a str,
        capture_id: &'a str,
    ) -> Boxed<'a, Outcome<ExtendDueDateOptions>> {
        let (order_id, capture_id) = (OrderId::new(order_id), CaptureId::new(capture_id));
        let call = self.0.orders().extend_due_date_options(&order_id, &capture_id);
        Box::pin(async move { self.made("due_date_options", call.retry(patient()).send()).await })
    }

    fn open_page<'a>(
        &'a self,
        session_id: &'a str,
        request: &'a CreatePage,
    ) -> Boxed<'a, Outcome<CreatedPage>> {
        Box::pin(async move {
            let payment_session_url = self.0.payments().session_url(&SessionId::new(session_id));
            let request = CreatePage { payment_session_url, ..request.clone() };
            self.made(
                "open_page",
                self.0.hosted_payment_page().create(&request).retry(patient()).send(),
            )
            .await
        })
    }

    fn read_page<'a>(&'a self, page_id: &'a str) -> Boxed<'a, Outcome<Page>> {
        let call = self.0.hosted_payment_page().get(&HostedSessionId::new(page_id));
        Box::pin(async move { self.made("read_page", call.retry(patient()).send()).await })
    }

    fn disable_page<'a>(&'a self, page_id: &'a str) -> Boxed<'a, Outcome<()>> {
        let call = self.0.hosted_payment_page().disable(&HostedSessionId::new(page_id));
        Box::pin(async move { self.made("disable_page", call.retry(patient()).send()).await })
    }

    fn send_page<'a>(
        &'a self,
        page_id: &'a str,
        to: &'a DistributeSession,
    ) -> Boxed<'a, Outcome<()>> {
        // Once: the shopper should not get two messages.
        let call = self.0.hosted_payment_page().distribute(&HostedSessionId::new(page_id), to);
        Box::pin(
            async move { self.made("send_page", call.retry(RetryPolicy::never()).send()).await },
        )
    }

    fn create_customer_token<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedCustomerToken>> {
        Box::pin(async move {
            let body: CreateCustomerToken = read(body)?;
            let call = self.0.payments().create_customer_token(token, &body);
            self.made("create_customer_token", call.retry(RetryPolicy::never()).send()).await
        })
    }

    fn read_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
    ) -> Boxed<'a, Outcome<CustomerToken>> {
        let token_id = CustomerTokenId::new(klarna_token_id);
        let call = self.0.customer_tokens().get(&token_id).retry(patient());
        Box::pin(async move { self.made("read_customer_token", call.send()).await })
    }

    fn charge_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
        idempotency_key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        Box::pin(async move {
            let (key, body): (_, CreateTokenOrder) = (key(idempotency_key)?, read(body)?);
            let token_id = CustomerTokenId::new(klarna_token_id);
            let call = self.0.customer_tokens().charge(&token_id, &body);
            let answer = self
                .made(
                    "charge_customer_token",
                    call.idempotency_key(key).retry(RetryPolicy::never()).send(),
                )
                .await?;
            Ok(answer.with(|made| CreatedOrder {
                order_id: made.order_id,
                redirect_url: made.redirect_url,
                fraud_status: made.fraud_status,
                authorized_payment_method: made.authorized_payment_method,
            }))
        })
    }

    fn cancel_customer_token<'a>(&'a self, klarna_token_id: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(async move {
            let token_id = CustomerTokenId::new(klarna_token_id);
            let call = self.0.customer_tokens().cancel(&token_id).retry(RetryPolicy::never());
            self.made("cancel_customer_token", call.send()).await
        })
    }

    fn payouts(&self, wanted: PayoutsWanted) -> Boxed<'_, Outcome<PayoutCollection>> {
        Box::pin(async move {
            let at = |ms| jiff::Timestamp::from_millisecond(ms).map_err(|_| no_such_time());
            let period = Period::new(at(wanted.from_ms)?, at(wanted.until_ms)?);
            let mut filter = PayoutFilter::new().period(period).size(PAGE);
            filter.offset = Some(wanted.offset);
            self.made("list_payouts", self.0.settlements().payouts(&filter).retry(patient()).send())
                .await
        })
    }

    fn payout_entries<'a>(
        &'a self,
        reference: &'a str,
        offset: u64,
    ) -> Boxed<'a, Outcome<TransactionCollection>> {
        let reference = PaymentReference::new(reference);
        let mut filter = TransactionFilter::of_payout(&reference).size(PAGE);
        filter.offset = Some(offset);
        let call = self.0.settlements().transactions(&filter).retry(patient());
        Box::pin(async move { self.made("read_payout", call.send()).await })
    }

    fn enroll_in_disputes(&self) -> Boxed<'_, Outcome<()>> {
        Box::pin(async move {
            // Who has no merchant id in its credential was enrolled otherwise, or is not.
            let Some(merchant_id) = self.0.merchant_id() else {
                return Err(unusable("the credential names no merchant".to_owned()));
            };
            self.made(
                "enroll_disputes",
                self.0.disputes().enroll(merchant_id).retry(patient()).send(),
            )
            .await
        })
    }

    fn disputes<'a>(
        &'a self,
        changed_since_ms: Option<i64>,
        after: Option<&'a str>,
    ) -> Boxed<'a, Outcome<DisputeList>> {
        Box::pin(async move {
            let mut wanted = ListDisputes::new();
            wanted.updated_at_start = changed_since_ms
                .map(jiff::Timestamp::from_millisecond)
                .transpose()
                .map_err(|_| no_such_time())?;
            wanted.sort_by = vec![DisputeSort::CreatedAt];
            wanted.size = Some(PAGE);
            wanted.starting_after = after.map(ToOwned::to_owned);
            self.made("list_disputes", self.0.disputes().list(&wanted).retry(patient()).send())
                .await
        })
    }
}

/// So many payouts, disputes, or entries of a payout are read at once.
const PAGE: u32 = 100;

fn no_such_time() -> Failure {
    unusable("a time that cannot be written".to_owned())
}
