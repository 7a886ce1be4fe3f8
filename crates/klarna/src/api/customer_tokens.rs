//! The Customer Token API: read, charge and cancel. Tokens are made by [`crate::Payments::create_customer_token`].

use http::Method;
use klarna_types::customer_token::{
    CreateTokenOrder, CreatedTokenOrder, CustomerToken, UpdateTokenStatus,
};
use klarna_types::validate::{self, UrlRule};
use klarna_types::{CustomerTokenId, Problem};

use super::{keyed, operation, with_body};
use crate::call::{self, Call, Keyed};
use crate::client::Client;
use crate::retry::Repeat;

const TOKEN: &str = "/customer-token/v1/tokens/{customer_token}";
const STATUS: &str = "/customer-token/v1/tokens/{customer_token}/status";
const ORDER: &str = "/customer-token/v1/tokens/{customer_token}/order";

/// Customer tokens. From [`Client::customer_tokens`].
#[derive(Debug, Clone, Copy)]
pub struct CustomerTokens<'c> {
    pub(crate) client: &'c Client,
}

impl CustomerTokens<'_> {
    /// Reads a token: whether it can be charged, and what is charged.
    pub fn get(&self, token: &CustomerTokenId) -> Call<CustomerToken> {
        let operation = operation(Method::GET, TOKEN, &[token.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Charges a token: an order without the shopper.
    ///
    /// Carries an idempotency key, and is repeated under it when its outcome is unknown. Give your own, made of what is
    /// charged for (such as the subscription and the month), and no subscriber pays twice however often your program
    /// starts anew.
    ///
    /// A refusal says more than others: [`crate::Error::body`] has `fraud_status`, `reason` and, where the shopper can
    /// recover the charge, `step_up_id`.
    pub fn charge(
        &self,
        token: &CustomerTokenId,
        request: &CreateTokenOrder,
    ) -> Call<CreatedTokenOrder, Keyed> {
        let operation =
            with_body(Method::POST, ORDER, &[token.as_str()], request).map(|operation| {
                let mut operation = keyed(operation);
                operation.explain = Some(explain_charge);
                operation
            });
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Cancels a token for ever. Klarna may take a moment.
    ///
    /// Repeated by itself when the outcome is unknown: cancelled twice is cancelled.
    pub fn cancel(&self, token: &CustomerTokenId) -> Call<()> {
        let request = UpdateTokenStatus::cancel();
        let operation =
            with_body(Method::PATCH, STATUS, &[token.as_str()], &request).map(|mut operation| {
                operation.repeat = Repeat::Safe;
                operation
            });
        Call::new(self.client.shared(), operation, call::nothing)
    }
}

fn explain_charge(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body)
        .map(|body| validate::token_order(&body, UrlRule::HttpsOrLoopback))
        .unwrap_or_default()
}
