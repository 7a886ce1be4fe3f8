//! The Klarna Payments API.

use http::Method;
use klarna_types::payments::{
    CreateCustomerToken, CreateOrder, CreateSession, CreatedCustomerToken, CreatedOrder,
    CreatedSession, Session, UpdateSession,
};
use klarna_types::validate::{self, UrlRule};
use klarna_types::{AuthorizationToken, Problem, SessionId};

use super::{operation, with_body};
use crate::call::{self, Call};
use crate::client::Client;
use crate::engine::NotFound;
use crate::retry::Repeat;

const SESSIONS: &str = "/payments/v1/sessions";
const SESSION: &str = "/payments/v1/sessions/{session_id}";
const AUTHORIZATION: &str = "/payments/v1/authorizations/{authorization_token}";
const ORDER: &str = "/payments/v1/authorizations/{authorization_token}/order";
const CUSTOMER_TOKEN: &str = "/payments/v1/authorizations/{authorization_token}/customer-token";

/// Sessions, authorizations, and orders and customer tokens made from them. From [`Client::payments`].
#[derive(Debug, Clone, Copy)]
pub struct Payments<'c> {
    pub(crate) client: &'c Client,
}

impl Payments<'_> {
    /// Opens a session.
    ///
    /// Repeated by itself when the outcome is unknown: a session too many is harmless.
    pub fn create_session(&self, request: &CreateSession) -> Call<CreatedSession> {
        let operation = with_body(Method::POST, SESSIONS, &[], request).map(|mut operation| {
            operation.repeat = Repeat::Safe;
            operation.explain = Some(explain_create_session);
            operation
        });
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Reads a session.
    pub fn session(&self, session_id: &SessionId) -> Call<Session> {
        let operation = operation(Method::GET, SESSION, &[session_id.as_str()]);
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Changes a session: what is set replaces what was there.
    ///
    /// Repeated by itself when the outcome is unknown: the same change twice is one change.
    pub fn update_session(&self, session_id: &SessionId, request: &UpdateSession) -> Call<()> {
        let operation = with_body(Method::POST, SESSION, &[session_id.as_str()], request).map(
            |mut operation| {
                operation.repeat = Repeat::Safe;
                operation.explain = Some(explain_update_session);
                operation
            },
        );
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// The URL of a session, as the Hosted Payment Page API wants it.
    pub fn session_url(&self, session_id: &SessionId) -> String {
        format!("{}{SESSIONS}/{session_id}", self.client.base_url())
    }

    /// Calls off an in-store purchase: its session is cancelled, and the shopper's phone says so.
    ///
    /// Repeated by itself when the outcome is unknown; that it is not found afterwards then counts as done.
    pub fn cancel_session(&self, session_id: &SessionId) -> Call<()> {
        let operation =
            operation(Method::DELETE, SESSION, &[session_id.as_str()]).map(|mut operation| {
                operation.repeat = Repeat::Safe;
                operation.not_found = NotFound::DoneAfterRetry;
                operation
            });
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Gives back an authorization that will not be used.
    ///
    /// Repeated by itself when the outcome is unknown; that it is not found afterwards then counts as done.
    pub fn delete_authorization(&self, token: &AuthorizationToken) -> Call<()> {
        let operation =
            operation(Method::DELETE, AUTHORIZATION, &[token.expose()]).map(|mut operation| {
                operation.repeat = Repeat::Safe;
                operation.not_found = NotFound::DoneAfterRetry;
                operation
            });
        Call::new(self.client.shared(), operation, call::nothing)
    }

    /// Places the order that the shopper authorised.
    ///
    /// Repeated by itself when the outcome is unknown: one token makes one order, and the same request is answered with
    /// the same order.
    pub fn create_order(
        &self,
        token: &AuthorizationToken,
        request: &CreateOrder,
    ) -> Call<CreatedOrder> {
        let operation =
            with_body(Method::POST, ORDER, &[token.expose()], request).map(|mut operation| {
                operation.repeat = Repeat::Safe;
                operation.explain = Some(explain_create_order);
                operation
            });
        Call::new(self.client.shared(), operation, call::json)
    }

    /// Makes a customer token from what the shopper authorised.
    ///
    /// Not repeated once it may have been executed: Klarna does not say that this is harmless.
    pub fn create_customer_token(
        &self,
        token: &AuthorizationToken,
        request: &CreateCustomerToken,
    ) -> Call<CreatedCustomerToken> {
        let operation = with_body(Method::POST, CUSTOMER_TOKEN, &[token.expose()], request).map(
            |mut operation| {
                operation.explain = Some(explain_customer_token);
                operation
            },
        );
        Call::new(self.client.shared(), operation, call::json)
    }
}

// The checks read what was sent, so that a call costs nothing for them unless they are needed. Loopback URLs pass, as
// they do on a playground; Klarna itself refuses them.

fn explain_create_session(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body)
        .map(|body| validate::create_session(&body, UrlRule::HttpsOrLoopback))
        .unwrap_or_default()
}

fn explain_update_session(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body)
        .map(|body| validate::update_session(&body, UrlRule::HttpsOrLoopback))
        .unwrap_or_default()
}

fn explain_create_order(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body)
        .map(|body| validate::create_order(&body, UrlRule::HttpsOrLoopback))
        .unwrap_or_default()
}

fn explain_customer_token(body: &[u8]) -> Vec<Problem> {
    serde_json::from_slice(body).map(|body| validate::customer_token(&body)).unwrap_or_default()
}
