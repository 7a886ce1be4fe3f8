//! The Hosted Payment Page API: a page of Klarna's on which the shopper pays in a Payments session.

use http::Method;
use klarna_types::hosted_payment_page::{
    CreateSession, CreatedSession, DistributeSession, Session, SessionStatus,
};
use klarna_types::validate::{self, UrlRule};
use klarna_types::{HostedSessionId, Problem};

use super::{operation, with_body};
use crate::call::{self, Call};
use crate::client::Client;
use crate::retry::Repeat;
use crate::watch::{Watch, Watched};

const SESSIONS: &str = "/hpp/v1/sessions";
const SESSION: &str = "/hpp/v1/sessions/{session_id}";
const DISTRIBUTION: &str = "/hpp/v1/sessions/{session_id}/distribution";

/// Hosted payment pages. From [`Client::hosted_payment_page`].
#[derive(Debug, Clone, Copy)]
pub struct HostedPaymentPage<'c> {
    pub(crate) client: &'c Client,
}

impl HostedPaymentPage<'_> {
    /// Opens a page for a Payments session, whose URL [`crate::Payments::session_url`] gives.
    ///
    /// Repeated by itself when the outcome is unknown: a page that nobody was sent to is harmless.
    pub fn create(&self, request: &CreateSession) -> Call<CreatedSession> {
        let operation = with_body(Method::POST, SESSIONS, &[], request).map(|mut operation| {
            operation.repeat = Repeat::Safe;
            operation.explain = Some(|body| {
                serde_json::from_slice(body)
                    .map(|body| validate::hosted_session(&body, UrlRule::HttpsOrLoopback))
                    .unwrap_or_default()
            });
            operation
        });
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads how far the shopper has come.
    pub fn get(&self, session_id: &HostedSessionId) -> Call<Session> {
        let operation = operation(Method::GET, SESSION, &[session_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads it again and again until it is final. For those who cannot be called back, and to find what a lost callback
    /// would have told.
    pub fn watch(&self, session_id: &HostedSessionId) -> Watch<Session> {
        let operation = operation(Method::GET, SESSION, &[session_id.as_str()]);
        Watch::new(self.client.shared(), operation)
    }

    /// Switches a page off.
    ///
    /// Repeated by itself when the outcome is unknown: off twice is off.
    pub fn disable(&self, session_id: &HostedSessionId) -> Call<()> {
        let operation =
            operation(Method::DELETE, SESSION, &[session_id.as_str()]).map(|mut operation| {
                operation.repeat = Repeat::Safe;
                operation
            });
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Has Klarna send the shopper a link to the page.
    ///
    /// Not repeated once it may have been executed, lest the shopper get two messages; [`Call::repeat`] changes that.
    pub fn distribute(
        &self,
        session_id: &HostedSessionId,
        request: &DistributeSession,
    ) -> Call<()> {
        let operation = with_body(Method::POST, DISTRIBUTION, &[session_id.as_str()], request).map(
            |mut operation| {
                operation.explain = Some(explain_distribution);
                operation
            },
        );
        Call::new(self.client.shared(), operation, call::nothing)
    }
}

fn explain_distribution(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body)
        .map(|body| validate::hosted_distribution(&body))
        .unwrap_or_default()
}

impl Watched for Session {
    type Status = SessionStatus;

    fn status(&self) -> SessionStatus {
        self.status.clone()
    }

    fn is_final(&self) -> bool {
        self.status.is_final()
    }

    fn is_outcome(&self) -> bool {
        self.status.is_final()
    }
}
