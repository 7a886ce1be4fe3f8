//! In-store purchases: a Payments session with a distribution, paid on the shopper's phone. The session is opened by
//! [`crate::Payments::create_session`].

use http::Method;
use klarna_types::SessionId;
use klarna_types::in_store::{DistributionResult, DistributionStatus};

use super::operation;
use crate::call::{self, Call};
use crate::client::Client;
use crate::engine::Operation;
use crate::error::Error;
use crate::query;
use crate::watch::{Watch, Watched};

const RESULT: &str = "/iss/v1/distributions/{session_id}";

/// Purchases in a store. From [`Client::in_store`].
#[derive(Debug, Clone, Copy)]
pub struct InStore<'c> {
    pub(crate) client: &'c Client,
}

impl InStore<'_> {
    /// Reads how far a purchase has come.
    pub fn result(&self, session_id: &SessionId) -> Call<DistributionResult> {
        let operation = operation(Method::GET, RESULT, &[session_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// The same by the `result_url` of the opened session. Its host does not matter: the client's own is called.
    pub fn result_at(&self, result_url: &str) -> Call<DistributionResult> {
        Call::new(self.client.shared(), self.at(result_url), call::json)
    }

    /// Reads it again and again, for a till that shows how far the shopper is.
    ///
    /// ```
    /// # async fn example(client: klarna::Client, id: klarna::SessionId) -> Result<(), klarna::Error> {
    /// let result = client.in_store().watch(&id).outcome().await?;
    /// match &result.order_id {
    ///     Some(order_id) => println!("paid: {order_id}"),
    ///     None => println!("not paid: {:?}", result.status),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, session_id: &SessionId) -> Watch<DistributionResult> {
        let operation = operation(Method::GET, RESULT, &[session_id.as_str()]);
        Watch::new(self.client.shared(), operation)
    }

    /// Calls a purchase off; the same as [`crate::Payments::cancel_session`].
    pub fn cancel(&self, session_id: &SessionId) -> Call<()> {
        self.client.payments().cancel_session(session_id)
    }

    fn at(self, result_url: &str) -> Result<Operation, Error> {
        let call = || format!("GET {RESULT}");
        let session_id = result_url
            .split(['?', '#'])
            .next()
            .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
            .unwrap_or_default();
        let path = format!("/iss/v1/distributions/{session_id}");
        match query::below(self.client.base_url(), result_url, &path) {
            Some(path) => Ok(Operation::new(Method::GET, RESULT, path)),
            None => Err(Error::invalid(call(), "this is not the URL of an in-store result")),
        }
    }
}

impl Watched for DistributionResult {
    type Status = Option<DistributionStatus>;

    fn status(&self) -> Option<DistributionStatus> {
        self.status.clone()
    }

    fn is_final(&self) -> bool {
        self.status.as_ref().is_some_and(DistributionStatus::is_final)
    }

    fn is_outcome(&self) -> bool {
        self.is_final() || self.status == Some(DistributionStatus::Failed)
    }
}
