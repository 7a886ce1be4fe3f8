//! Makes an order of a shopper's approval, once for all ways in: the merchant's call, and the pages
//! and links of Klarna's own that place the order themselves.
//!
//! Klarna's checks in Klarna's order, then the order and the end of the session, in the caller's unit
//! of work. How a refusal is told is the caller's business.

use jiff::Timestamp;
use klarna_types::payments::{CreatedOrder, FraudStatus, Intent, MerchantUrls, SessionBody};
use klarna_types::problem::Problem;
use klarna_types::{AuthorizationToken, KlarnaReference, Locale, OrderId, OrderLine};
use storage::Tx;

use crate::domain::authorization::{
    Approval, Authorization, Body, Placed, Placing as Decided, Review, SessionIs, TokenRefusal,
    TokenState,
};
use crate::domain::callback::fill_placeholders;
use crate::domain::decision;
use crate::domain::fraud::FraudPlan;
use crate::domain::matching::{self, Mismatch};
use crate::domain::merchant::{Merchant, Permission};
use crate::domain::order::{NewOrder, Order, klarna_reference};
use crate::domain::payment_method::initial_payment_method;
use crate::domain::session::{Session, SessionRefusal, Status};
use crate::store::sessions::{self, Event};
use crate::store::{StoreError, orders, to_document};
use crate::token_recovery;

/// Who wants the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The merchant, who needs permissions for some of it.
    Merchant,
    /// A page or link of Klarna's own, which does what the merchant asked for when it opened it.
    Klarna,
}

/// What a new order is called. Drawn outside the unit of work, which may be run again and must then
/// make the same order.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    order_id: OrderId,
    klarna_reference: KlarnaReference,
}

impl Names {
    /// Fresh ones.
    pub(crate) fn draw() -> Self {
        Self {
            order_id: OrderId::new(service::random::key().to_string()),
            klarna_reference: klarna_reference(u64::from_le_bytes(service::random::bytes())),
        }
    }

    /// The order's id.
    pub(crate) fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// The short reference that the shopper sees.
    pub(crate) fn klarna_reference(&self) -> &KlarnaReference {
        &self.klarna_reference
    }
}

/// One attempt to make an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placing<'a> {
    /// Whose session it is.
    pub(crate) merchant: &'a Merchant,
    /// Who wants it.
    pub(crate) by: By,
    /// The shopper's approval.
    pub(crate) token: &'a str,
    /// What is ordered.
    pub(crate) body: &'a SessionBody,
    /// The same as it was sent: a repeat with the same bytes is told the same.
    pub(crate) raw: &'a [u8],
    /// What was found to be wrong with it.
    pub(crate) problems: &'a [Problem],
    /// Where the playground is reached, for the order's `redirect_url`.
    pub(crate) base_url: &'a str,
    /// What the order is called.
    pub(crate) names: &'a Names,
    /// The playground's time.
    pub(crate) now: Timestamp,
}

/// An order that Klarna's own pages and links place: exactly what the shopper approved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authorized<'a> {
    /// Whose session it is.
    pub(crate) merchant: &'a Merchant,
    /// The session, as it is after the approval.
    pub(crate) session: &'a Session,
    /// The shopper's approval.
    pub(crate) token: &'a AuthorizationToken,
    /// When it is captured.
    pub(crate) capture: Capture,
    /// Where the playground is reached, for the order's `redirect_url`.
    pub(crate) base_url: &'a str,
    /// What the order is called.
    pub(crate) names: &'a Names,
    /// The playground's time.
    pub(crate) now: Timestamp,
}

/// When an order that Klarna places is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capture {
    /// When the merchant asks for it.
    OnRequest,
    /// In full, as soon as no review stands against it.
    AtOnce,
}

/// Why no order was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlacingError {
    /// The token does not allow it.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The session is not there.
    #[error(transparent)]
    Session(#[from] SessionRefusal),
    /// The session's intent is a customer token alone.
    #[error("a session that only makes a token leads to no order")]
    TokenOnly,
    /// The account lacks the permission to capture with the order.
    #[error("the account may not capture automatically")]
    AutoCapture,
    /// What is wrong with the request.
    #[error("the order is not acceptable")]
    BadValues(Vec<Problem>),
    /// It is not what the shopper approved.
    #[error("the order is not what the shopper approved")]
    Mismatch(Mismatch),
    /// It differs from what the shopper approved, which the merchant may do, and was refused at second
    /// sight.
    #[error("the cart was changed, and the new assessment is negative")]
    Rejected,
    /// What passed validation turned out to be incomplete.
    #[error("an order that passed validation cannot be read: {0}")]
    Unreadable(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<storage::Error> for PlacingError {
    fn from(error: storage::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Makes the order, or finds the one that the same request made before. Answers with the body of the
/// API's answer. Wake the worker once the unit of work is committed.
pub(crate) fn place(tx: &mut Tx<'_>, placing: &Placing<'_>) -> Result<String, PlacingError> {
    placing.run(tx)
}

/// Makes the order of an approval on behalf of Klarna's own pages and links. Wake the worker once the
/// unit of work is committed.
pub(crate) fn place_authorized(
    tx: &mut Tx<'_>,
    authorized: &Authorized<'_>,
) -> Result<(), PlacingError> {
    let auto_capture = match authorized.capture {
        Capture::AtOnce => Some(true),
        Capture::OnRequest => None,
    };
    let body = SessionBody { auto_capture, ..authorized.session.body.clone() };
    let raw = to_document("order", &body)?;
    let placing = Placing {
        merchant: authorized.merchant,
        by: By::Klarna,
        token: authorized.token.expose(),
        body: &body,
        raw: raw.as_bytes(),
        problems: &[],
        base_url: authorized.base_url,
        names: authorized.names,
        now: authorized.now,
    };
    placing.run(tx)?;
    Ok(())
}

impl Placing<'_> {
    fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The unit of work: Klarna's checks in Klarna's order, then the order and the end of the
    /// session, all or nothing.
    fn run(&self, tx: &mut Tx<'_>) -> Result<String, PlacingError> {
        let merchant = self.merchant;
        let authorization = sessions::find_authorization(tx, &merchant.merchant_id, self.token)?
            .ok_or(TokenRefusal::Invalid)?;
        let mut session =
            sessions::find(tx, &authorization.session_id)?.ok_or(SessionRefusal::Gone)?;
        let session_is = match session.status {
            Status::Complete => SessionIs::Complete,
            Status::Incomplete => SessionIs::Incomplete,
        };
        let body = match &authorization.placed {
            Some(placed) => Body::compare(&placed.request, self.raw),
            None => Body::Other,
        };
        match authorization.check_placing(session_is, body, self.now_ms())? {
            Decided::Replay(answer) => return Ok(answer.to_owned()),
            Decided::New => {}
        }
        if session.body.intent == Some(Intent::Tokenize)
            && !token_recovery::is_asked_for(&session.body)
        {
            return Err(PlacingError::TokenOnly);
        }
        if !self.problems.is_empty() {
            return Err(PlacingError::BadValues(self.problems.to_vec()));
        }
        if self.body.auto_capture == Some(true)
            && self.by == By::Merchant
            && !merchant.may(Permission::AutoCapture)
        {
            return Err(PlacingError::AutoCapture);
        }
        self.check_match(&session)?;
        let order = self.order(&session, &authorization.approval)?;
        orders::insert(tx, &order)?;
        let answer = self.answer(&mut session, &authorization);
        let (order_id, approval) = (&self.names.order_id, &authorization.approval);
        token_recovery::complete(tx, &session, approval, order_id, self.now)?;
        let placed = Placed {
            order_id: self.names.order_id.clone(),
            // JSON that was read is UTF-8.
            request: String::from_utf8_lossy(self.raw).into_owned(),
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
    fn check_match(&self, session: &Session) -> Result<(), PlacingError> {
        let Err(mismatch) = matching::compare(&session.body, self.body) else { return Ok(()) };
        if !(self.merchant.may(Permission::CartUpdate) && mismatch.is_cart_only()) {
            return Err(PlacingError::Mismatch(mismatch));
        }
        let email = self.body.billing_address.as_ref().and_then(|address| address.email.as_deref());
        if decision::refuses(email) {
            return Err(PlacingError::Rejected);
        }
        Ok(())
    }

    fn order(&self, session: &Session, approval: &Approval) -> Result<Order, PlacingError> {
        let authorized = &session.body;
        let body = self.body;
        let merchant = self.merchant;
        let lines = body
            .order_lines
            .iter()
            .flatten()
            .map(|line| OrderLine::try_from(line.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PlacingError::Unreadable(error.to_string()))?;
        let (Some(amount), Some(currency), Some(country)) =
            (body.order_amount, body.purchase_currency.clone(), body.purchase_country.clone())
        else {
            return Err(PlacingError::Unreadable("a required member is missing".to_owned()));
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
            klarna_reference: self.names.klarna_reference.clone(),
        };
        Ok(Order::place(self.names.order_id.clone(), new, self.now))
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
                fill_placeholders(&url, session.session_id.as_str(), self.names.order_id.as_str())
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
            order_id: self.names.order_id.clone(),
            redirect_url,
            fraud_status: Some(fraud_status),
            authorized_payment_method: Some(authorization.approval.payment_method.clone()),
        }
    }
}
