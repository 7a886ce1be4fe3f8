//! A payment session: what a merchant told Klarna about a purchase, for how long it stands, and how
//! later data join earlier data.
//!
//! Field limits and arithmetic are `klarna_types`' business; this module assumes data that passed.

use klarna_types::payments::SessionBody;
use klarna_types::{AuthorizationToken, Country, MerchantId, SessionId};

use crate::domain::authorization::Approval;
use crate::domain::merchant::{Merchant, Strictness};

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// How long a session, and its client token, stand.
const SESSION_LIFE_MS: i64 = 48 * HOUR_MS;

/// How long it is kept after its end. An authorization can outlive its session by an hour, and the order
/// made from it is answered again for a day.
pub(crate) const KEPT_AFTER_END_MS: i64 = 48 * HOUR_MS;

/// When a session ends that is counted from `from_ms`.
pub(crate) fn ends_at_ms(from_ms: i64) -> i64 {
    from_ms.saturating_add(SESSION_LIFE_MS)
}

/// Whether a session has led to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not yet.
    Incomplete,
    /// It has; it takes no more updates.
    Complete,
}

impl Status {
    /// As stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Complete => "complete",
        }
    }

    /// The status of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Incomplete, Self::Complete].into_iter().find(|status| status.as_str() == name)
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names are Klarna's")]
pub(crate) struct Session {
    /// Its id.
    pub(crate) session_id: SessionId,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// Whether it has led to an order.
    pub(crate) status: Status,
    /// When it was created.
    pub(crate) created_at_ms: i64,
    /// When it ends.
    pub(crate) expires_at_ms: i64,
    /// Grows by one with each change.
    pub(crate) version: i64,
    /// The newest data, from all of the merchant's calls and the browser's.
    pub(crate) body: SessionBody,
    /// The newest authorization, if it still stands.
    pub(crate) authorization_token: Option<AuthorizationToken>,
    /// An approval that waits for `finalize`.
    pub(crate) to_finalize: Option<Approval>,
}

/// Why a session cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionRefusal {
    /// Unknown, another merchant's, or past its end.
    #[error("the session does not exist or has expired")]
    Gone,
    /// It has led to an order.
    #[error("the session has already led to an order")]
    Completed,
}

impl Session {
    /// Whether it still stands.
    pub(crate) fn is_alive(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at_ms
    }

    /// Whether its data may be changed, or the shopper may authorize it.
    pub(crate) fn check_open(&self, now_ms: i64) -> Result<(), SessionRefusal> {
        if !self.is_alive(now_ms) {
            return Err(SessionRefusal::Gone);
        }
        match self.status {
            Status::Incomplete => Ok(()),
            Status::Complete => Err(SessionRefusal::Completed),
        }
    }

    /// Takes in an update by the merchant. The merged data must have passed validation.
    pub(crate) fn update(&mut self, merged: SessionBody, merchant: &Merchant, now_ms: i64) {
        self.body = merged;
        self.version += 1;
        if merchant.wants(Strictness::SlideExpiryOnUpdate) {
            self.expires_at_ms = ends_at_ms(now_ms);
        }
        if merchant.wants(Strictness::VoidTokenOnUpdate) {
            self.authorization_token = None;
            self.to_finalize = None;
        }
    }

    /// Ends it now: it is as if its time were over. What the shopper approved goes with it.
    pub(crate) fn cancel(&mut self, now_ms: i64) {
        self.expires_at_ms = self.expires_at_ms.min(now_ms);
        self.authorization_token = None;
        self.to_finalize = None;
        self.version += 1;
    }

    /// The data as they would be after an update: whole top-level members replace each other. The
    /// intent stays what it was once the shopper has authorized; what a session recovers is said when it
    /// is created, and never by the browser.
    pub(crate) fn merged_with(&self, mut update: SessionBody) -> SessionBody {
        let intent = self.body.intent.clone();
        update.step_up_id = None;
        let mut merged = merge(self.body.clone(), update).for_session();
        if self.authorization_token.is_some() {
            merged.intent = intent;
        }
        merged
    }
}

/// The country whose rules apply to these data.
pub(crate) fn effective_country(body: &SessionBody) -> Option<&Country> {
    body.billing_address
        .as_ref()
        .and_then(|address| address.country.as_ref())
        .or(body.purchase_country.as_ref())
}

/// Puts `later` over `earlier`, top-level member by top-level member.
fn merge(earlier: SessionBody, later: SessionBody) -> SessionBody {
    SessionBody {
        purchase_country: later.purchase_country.or(earlier.purchase_country),
        purchase_currency: later.purchase_currency.or(earlier.purchase_currency),
        locale: later.locale.or(earlier.locale),
        order_amount: later.order_amount.or(earlier.order_amount),
        order_tax_amount: later.order_tax_amount.or(earlier.order_tax_amount),
        order_lines: later.order_lines.or(earlier.order_lines),
        intent: later.intent.or(earlier.intent),
        billing_address: later.billing_address.or(earlier.billing_address),
        shipping_address: later.shipping_address.or(earlier.shipping_address),
        customer: later.customer.or(earlier.customer),
        merchant_urls: later.merchant_urls.or(earlier.merchant_urls),
        merchant_reference1: later.merchant_reference1.or(earlier.merchant_reference1),
        merchant_reference2: later.merchant_reference2.or(earlier.merchant_reference2),
        merchant_data: later.merchant_data.or(earlier.merchant_data),
        attachment: later.attachment.or(earlier.attachment),
        custom_payment_method_ids: later
            .custom_payment_method_ids
            .or(earlier.custom_payment_method_ids),
        acquiring_channel: later.acquiring_channel.or(earlier.acquiring_channel),
        design: later.design.or(earlier.design),
        options: later.options.or(earlier.options),
        step_up_id: later.step_up_id.or(earlier.step_up_id),
        // It has gone out to the shopper already.
        distribution: earlier.distribution,
        auto_capture: later.auto_capture.or(earlier.auto_capture),
    }
}

/// What a session keeps of a body that also serves orders.
trait ForSession {
    fn for_session(self) -> Self;
}

impl ForSession for SessionBody {
    fn for_session(mut self) -> Self {
        self.auto_capture = None;
        self
    }
}

#[cfg(test)]
mod tests {
    use klarna_types::payments::Intent;
    use klarna_types::{Address, MinorUnits};

    use super::*;

    fn session() -> Session {
        let body = SessionBody::new()
            .purchase_country(Country::SE)
            .order_amount(MinorUnits::new(100))
            .billing_address(Address::new().given_name("Alice").city("Stockholm"))
            .intent(Intent::Buy);
        Session {
            session_id: SessionId::new("s"),
            merchant_id: MerchantId::new("K1"),
            status: Status::Incomplete,
            created_at_ms: 1_000,
            expires_at_ms: ends_at_ms(1_000),
            version: 1,
            body,
            authorization_token: None,
            to_finalize: None,
        }
    }

    #[test]
    fn it_lives_48_hours() {
        let session = session();
        assert!(session.is_alive(1_000 + SESSION_LIFE_MS - 1));
        assert!(!session.is_alive(1_000 + SESSION_LIFE_MS));
        assert_eq!(session.check_open(1_000 + SESSION_LIFE_MS), Err(SessionRefusal::Gone));
        assert_eq!(session.check_open(1_000), Ok(()));
    }

    #[test]
    fn a_cancelled_session_is_over() {
        let mut session = Session { authorization_token: Some("t".into()), ..session() };
        session.cancel(5_000);
        assert_eq!(session.check_open(5_000), Err(SessionRefusal::Gone));
        assert_eq!(session.authorization_token, None);
        session.cancel(6_000);
        assert_eq!(session.expires_at_ms, 5_000);
    }

    #[test]
    fn a_completed_session_takes_no_updates() {
        let session = Session { status: Status::Complete, ..session() };
        assert_eq!(session.check_open(1_000), Err(SessionRefusal::Completed));
    }

    #[test]
    fn an_update_replaces_whole_members() {
        let update = SessionBody::new().billing_address(Address::new().given_name("Test"));
        let merged = session().merged_with(update);
        assert_eq!(merged.billing_address, Some(Address::new().given_name("Test")));
        assert_eq!(merged.order_amount, Some(MinorUnits::new(100)));
    }

    #[test]
    fn what_is_recovered_is_fixed_from_the_start() {
        let update = SessionBody::new().step_up_id("other");
        assert_eq!(session().merged_with(update.clone()).step_up_id, None);
        let mut recovering = session();
        recovering.body.step_up_id = Some("first".to_owned());
        assert_eq!(recovering.merged_with(update).step_up_id.as_deref(), Some("first"));
    }

    #[test]
    fn the_intent_is_fixed_by_an_authorization() {
        let update = SessionBody::new().intent(Intent::Tokenize);
        assert_eq!(session().merged_with(update.clone()).intent, Some(Intent::Tokenize));
        let authorized = Session { authorization_token: Some("t".into()), ..session() };
        assert_eq!(authorized.merged_with(update).intent, Some(Intent::Buy));
    }

    #[test]
    fn strictness_decides_what_an_update_does_to_the_token_and_the_end() {
        let mut merchant = Merchant::new("K1");
        let mut updated = Session { authorization_token: Some("t".into()), ..session() };
        updated.update(updated.body.clone(), &merchant, 5_000);
        assert!(updated.authorization_token.is_some());
        assert_eq!(updated.expires_at_ms, 1_000 + SESSION_LIFE_MS);
        merchant.settings.strictness =
            vec![Strictness::VoidTokenOnUpdate, Strictness::SlideExpiryOnUpdate];
        updated.update(updated.body.clone(), &merchant, 5_000);
        assert!(updated.authorization_token.is_none());
        assert_eq!(updated.expires_at_ms, 5_000 + SESSION_LIFE_MS);
    }
}
