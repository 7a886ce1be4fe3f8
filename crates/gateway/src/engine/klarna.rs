//! What the engine needs of Klarna, as a port.
//!
//! The engine knows this trait and not the SDK, so that tests and simulations can stand in for
//! Klarna and lose answers at will. A call is one logical attempt: an implementation may repeat it
//! for seconds under the same key, and then must say honestly what is known of its effect.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use klarna_types::AuthorizationToken;
use klarna_types::customer_token::CustomerToken;
use klarna_types::disputes::DisputeList;
use klarna_types::hosted_payment_page::{
    CreateSession as CreatePage, CreatedSession as CreatedPage, DistributeSession, Session as Page,
};
use klarna_types::order_management::{ExtendDueDateOptions, Order};
use klarna_types::payments::{
    CreateSession, CreatedCustomerToken, CreatedOrder, CreatedSession, Session, UpdateSession,
};
use klarna_types::settlements::{PayoutCollection, TransactionCollection};

use crate::domain::change::Change;
use crate::domain::operation::{Effect, Failure};
use crate::fault::Fault;

/// A future that a trait object can return.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was answered.
    pub value: T,
    /// The HTTP status.
    pub status: u16,
    /// Klarna's id of the exchange.
    pub correlation_id: Option<String>,
}

impl<T> Answer<T> {
    /// The same answer with another value.
    pub fn with<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: change(self.value),
            status: self.status,
            correlation_id: self.correlation_id,
        }
    }
}

/// What a call comes to.
pub type Outcome<T> = Result<Answer<T>, Failure>;

/// A change of an order by which no money moves.
#[derive(Clone, Copy)]
pub struct ChangeCall<'a> {
    /// What is changed.
    pub change: Change,
    /// Of which order.
    pub order_id: &'a str,
    /// Of which capture, where it is of one.
    pub capture_id: Option<&'a str>,
    /// The idempotency key.
    pub key: &'a str,
    /// The body; empty where there is none. It may be personal.
    pub body: &'a str,
}

/// A Klarna account: one merchant id in one region, with its credentials.
///
/// Bodies of calls that move money are JSON text from the journal and are sent as they are.
pub trait Klarna: Send + Sync {
    /// Which account this is: Klarna counts calls by merchant id, and so are they paced.
    #[allow(clippy::unnecessary_literal_bound, reason = "who has many accounts names its own")]
    fn account_id(&self) -> &str {
        "klarna"
    }

    /// Opens a session.
    fn create_session<'a>(&'a self, body: &'a CreateSession) -> Boxed<'a, Outcome<CreatedSession>>;
    /// Changes a session.
    fn update_session<'a>(
        &'a self,
        session_id: &'a str,
        body: &'a UpdateSession,
    ) -> Boxed<'a, Outcome<()>>;
    /// Reads a session.
    fn read_session<'a>(&'a self, session_id: &'a str) -> Boxed<'a, Outcome<Session>>;
    /// Makes the order of an authorisation.
    fn place_order<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>>;
    /// Reads an order.
    fn read_order<'a>(&'a self, order_id: &'a str) -> Boxed<'a, Outcome<Order>>;
    /// Captures; answers Klarna's id of the capture.
    fn capture<'a>(
        &'a self,
        order_id: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>>;
    /// Refunds; answers Klarna's id of the refund.
    fn refund<'a>(
        &'a self,
        order_id: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>>;
    /// Cancels.
    fn cancel<'a>(&'a self, order_id: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>>;
    /// Releases what remains.
    fn release<'a>(&'a self, order_id: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>>;
    /// Changes something by which no money moves.
    fn change<'a>(&'a self, call: ChangeCall<'a>) -> Boxed<'a, Outcome<()>>;
    /// Reads by how many days the due date of a capture can be moved.
    fn due_date_options<'a>(
        &'a self,
        order_id: &'a str,
        capture_id: &'a str,
    ) -> Boxed<'a, Outcome<ExtendDueDateOptions>>;

    /// Opens a page of Klarna's for a session. `request.payment_session_url` is filled in here.
    fn open_page<'a>(
        &'a self,
        _session_id: &'a str,
        _request: &'a CreatePage,
    ) -> Boxed<'a, Outcome<CreatedPage>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Reads a page.
    fn read_page<'a>(&'a self, _page_id: &'a str) -> Boxed<'a, Outcome<Page>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Switches a page off.
    fn disable_page<'a>(&'a self, _page_id: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Has Klarna send the shopper a link to a page.
    fn send_page<'a>(
        &'a self,
        _page_id: &'a str,
        _to: &'a DistributeSession,
    ) -> Boxed<'a, Outcome<()>> {
        Box::pin(async { Err(not_offered()) })
    }

    /// Makes the customer token of an authorisation. The same body again is the same token.
    fn create_customer_token<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedCustomerToken>> {
        let _ = (token, body);
        Box::pin(async { Err(not_offered()) })
    }
    /// Reads a customer token.
    fn read_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
    ) -> Boxed<'a, Outcome<CustomerToken>> {
        let _ = klarna_token_id;
        Box::pin(async { Err(not_offered()) })
    }
    /// Charges a customer token: makes an order without the shopper.
    fn charge_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        let _ = (klarna_token_id, key, body);
        Box::pin(async { Err(not_offered()) })
    }
    /// Cancels a customer token. Cancelled twice is cancelled.
    fn cancel_customer_token<'a>(&'a self, klarna_token_id: &'a str) -> Boxed<'a, Outcome<()>> {
        let _ = klarna_token_id;
        Box::pin(async { Err(not_offered()) })
    }

    /// Reads a page of the payouts of a span, both ends included.
    fn payouts(&self, _wanted: PayoutsWanted) -> Boxed<'_, Outcome<PayoutCollection>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Reads a page of what a payout is made of.
    fn payout_entries<'a>(
        &'a self,
        _reference: &'a str,
        _offset: u64,
    ) -> Boxed<'a, Outcome<TransactionCollection>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Has Klarna tell this account of disputes. Twice is once.
    fn enroll_in_disputes(&self) -> Boxed<'_, Outcome<()>> {
        Box::pin(async { Err(not_offered()) })
    }
    /// Reads a page of the disputes that changed since then; all, if it is not said.
    fn disputes<'a>(
        &'a self,
        _changed_since_ms: Option<i64>,
        _after: Option<&'a str>,
    ) -> Boxed<'a, Outcome<DisputeList>> {
        Box::pin(async { Err(not_offered()) })
    }
}

/// Which page of payouts is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutsWanted {
    /// Paid from then on.
    pub from_ms: i64,
    /// Until then.
    pub until_ms: i64,
    /// So many are left out.
    pub offset: u64,
}

/// The answer of an implementation that knows less than all.
fn not_offered() -> Failure {
    Failure {
        effect: Effect::Refused,
        status: None,
        error_code: None,
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: None,
        summary: "that is not offered here".to_owned(),
        step_up_id: None,
    }
}

/// An account as [`Accounts::all`] names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The store.
    pub store_id: String,
    /// The account.
    pub account_id: String,
    /// Grows with every change.
    pub version: i64,
}

/// Which account serves which store and country. One account for all, or many.
pub trait Accounts: Send + Sync {
    /// The account that serves new purchases, if the store has one for the country.
    fn account(&self, store_id: &str, country: &str) -> Option<Arc<dyn Klarna>>;

    /// The name of that account, where accounts have names. It is kept with the checkout, and
    /// everything that follows from it uses the same one.
    fn choose(&self, _store_id: &str, _country: &str) -> Option<String> {
        None
    }

    /// The account of that name, whether or not it still takes new purchases.
    fn named(&self, store_id: &str, _account_id: &str, country: &str) -> Option<Arc<dyn Klarna>> {
        self.account(store_id, country)
    }

    /// Every account, with the store that it is of and its version: whose payouts and disputes are
    /// read.
    fn all(&self) -> Vec<Listed> {
        Vec::new()
    }

    /// The host that an account calls, where that is known.
    fn base_url(&self, _account_id: &str) -> Option<String> {
        None
    }

    /// Looks now and then whether accounts were changed elsewhere.
    fn refresh(&self, _now_ms: i64) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }

    /// Looks now.
    fn refresh_now(&self) -> Boxed<'_, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }
}

/// One account for every store and country.
pub struct OneAccount(pub Arc<dyn Klarna>);

impl Accounts for OneAccount {
    fn account(&self, _store_id: &str, _country: &str) -> Option<Arc<dyn Klarna>> {
        Some(Arc::clone(&self.0))
    }
}
