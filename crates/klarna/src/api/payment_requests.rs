//! Payment requests: a server asks for a payment, and the shopper pays it on a page of Klarna's or by the button of a
//! page of the merchant's.

use http::Method;
use klarna_types::PaymentRequestId;
use klarna_types::payment_requests::{CreatePaymentRequest, PaymentRequest, PaymentRequestState};

use super::{operation, with_body};
use crate::call::{self, Call};
use crate::client::Client;
use crate::retry::Repeat;
use crate::watch::{Watch, Watched};

const REQUESTS: &str = "/v2/payment/requests";
const REQUEST: &str = "/v2/payment/requests/{payment_request_id}";

/// Payment requests. From [`Client::payment_requests`].
#[derive(Debug, Clone, Copy)]
pub struct PaymentRequests<'c> {
    pub(crate) client: &'c Client,
}

impl PaymentRequests<'_> {
    /// Asks for a payment. Send the shopper to [`PaymentRequest::url`], or give the id to a button of the Web SDK.
    ///
    /// ```
    /// # async fn example(client: klarna::Client) -> Result<(), klarna::Error> {
    /// use klarna::types::payment_requests::CreatePaymentRequest;
    /// use klarna::{Currency, MinorUnits};
    /// let request = CreatePaymentRequest::new(Currency::SEK)
    ///     .amount(MinorUnits::new(19_900))
    ///     .locale("sv-SE")
    ///     .payment_request_reference("WEB-1001");
    /// let made = client.payment_requests().create(&request).await?;
    /// println!("pay at {:?}", made.url());
    /// let paid = client.payment_requests().watch(&made.payment_request_id).outcome().await?;
    /// if let Some(token) = paid.order_token() {
    ///     // `client.payments().create_order(token, ...)` places the order.
    /// #   let _ = token;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Repeated by itself when the outcome is unknown: a request that nobody was sent to is harmless, and ends after
    /// three hours.
    pub fn create(&self, request: &CreatePaymentRequest) -> Call<PaymentRequest> {
        let operation = with_body(Method::POST, REQUESTS, &[], request).map(|mut operation| {
            operation.repeat = Repeat::Safe;
            operation
        });
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads where it stands and, once it is completed, what came of it.
    pub fn get(&self, payment_request_id: &PaymentRequestId) -> Call<PaymentRequest> {
        let operation = operation(Method::GET, REQUEST, &[payment_request_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads it again and again until it is completed, expired or called off.
    pub fn watch(&self, payment_request_id: &PaymentRequestId) -> Watch<PaymentRequest> {
        let operation = operation(Method::GET, REQUEST, &[payment_request_id.as_str()]);
        Watch::new(self.client.shared(), operation)
    }

    /// Calls it off, and answers it as it then is. What is completed cannot be called off (`RESOURCE_CONFLICT`).
    ///
    /// Repeated by itself when the outcome is unknown; if the first try took effect, the second is refused as a
    /// conflict, and the error says that the outcome is unknown: read the request.
    pub fn cancel(&self, payment_request_id: &PaymentRequestId) -> Call<PaymentRequest> {
        let operation = operation(Method::DELETE, REQUEST, &[payment_request_id.as_str()]).map(
            |mut operation| {
                operation.repeat = Repeat::Safe;
                operation
            },
        );
        Call::new(self.client.shared(), operation, call::json)
    }
}

impl Watched for PaymentRequest {
    type Status = PaymentRequestState;

    fn status(&self) -> PaymentRequestState {
        self.state.clone()
    }

    fn is_final(&self) -> bool {
        self.state.is_final()
    }

    fn is_outcome(&self) -> bool {
        self.state.is_final()
    }
}
