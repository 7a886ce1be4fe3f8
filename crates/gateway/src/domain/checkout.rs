//! A checkout: one shopper's wish to pay one cart, from the first look at the widget to the order.
//!
//! Rules kept here: the states a checkout goes through; when its Klarna session must be renewed;
//! when Klarna is asked about it although nothing happened. A checkout outlives its Klarna session:
//! a shopper who comes back after two days finds a fresh session under the same checkout.

use klarna_types::payments::PaymentMethodCategory;
use klarna_types::{Country, Currency, Locale, MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

use super::cart::{LineInput, PricesMode};
use super::extras::Extras;
use super::hosted::{Channel, Hosted, Page};
use super::operation::{Reason, Refusal};

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The shopper may authorise.
    Open,
    /// An order is being placed.
    Confirming,
    /// The order exists.
    Completed,
    /// Klarna declined; the shopper may authorise again.
    Declined,
    /// Nobody came back in time.
    Expired,
    /// The shop called it off.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Confirming,
        Self::Completed,
        Self::Declined,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirming => "confirming",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing will happen to the checkout any more.
    pub fn is_over(self) -> bool {
        match self {
            Self::Completed | Self::Expired | Self::Cancelled => true,
            Self::Open | Self::Confirming | Self::Declined => false,
        }
    }

    /// Whether the shopper can still authorise.
    pub fn takes_authorizations(self) -> bool {
        match self {
            Self::Open | Self::Declined => true,
            Self::Confirming | Self::Completed | Self::Expired | Self::Cancelled => false,
        }
    }
}

/// What happens to a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The shop changes the cart.
    Update,
    /// An authorisation arrives, by the browser or by Klarna's callback.
    Confirm,
    /// The order was made.
    Complete,
    /// Klarna declined to make it.
    Decline,
    /// It was not made for a reason that another authorisation can heal.
    Reopen,
    /// The checkout's time is over.
    Expire,
    /// The shop calls it off.
    Cancel,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 7] = [
        Self::Update,
        Self::Confirm,
        Self::Complete,
        Self::Decline,
        Self::Reopen,
        Self::Expire,
        Self::Cancel,
    ];
}

/// The table of transitions. `None`: the step is illegal in that state.
#[allow(clippy::match_same_arms, reason = "a table: one row for each rule")]
pub fn next(status: Status, step: Step) -> Option<Status> {
    match (status, step) {
        (Status::Open | Status::Declined, Step::Update) => Some(Status::Open),
        // A newer authorisation may arrive while an older one is being tried.
        (Status::Open | Status::Declined | Status::Confirming, Step::Confirm) => {
            Some(Status::Confirming)
        }
        (Status::Confirming, Step::Complete) => Some(Status::Completed),
        (Status::Confirming, Step::Decline) => Some(Status::Declined),
        (Status::Confirming, Step::Reopen) => Some(Status::Open),
        (Status::Open | Status::Declined, Step::Expire) => Some(Status::Expired),
        (Status::Open | Status::Declined, Step::Cancel) => Some(Status::Cancelled),
        (Status::Open | Status::Declined, Step::Complete | Step::Decline | Step::Reopen)
        | (Status::Confirming, Step::Update | Step::Expire | Step::Cancel)
        | (Status::Completed | Status::Expired | Status::Cancelled, _) => None,
    }
}

/// What a refusal to place the order makes of the checkout.
pub fn after_refusal(reason: Reason) -> Step {
    match reason {
        Reason::Declined => Step::Decline,
        Reason::AuthorizationInvalid
        | Reason::CartMismatch
        | Reason::InvalidRequest
        | Reason::CredentialsRefused
        | Reason::NotAllowed
        | Reason::StateForbids
        | Reason::UnknownOrder
        | Reason::Superseded
        | Reason::FraudRejected
        | Reason::Unreachable
        | Reason::OutcomeUnknown
        | Reason::SettledByPerson
        | Reason::TokenSuspended
        | Reason::TokenCancelled
        | Reason::Other => Step::Reopen,
    }
}

/// Whether the money is captured when the order is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// The shop captures when it ships.
    #[default]
    Manual,
    /// Klarna captures at once; needs Klarna's permission.
    Automatic,
}

/// What a checkout is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A purchase.
    #[default]
    Buy,
    /// A customer token, and no purchase.
    Tokenize,
    /// A purchase, and a customer token.
    BuyAndTokenize,
}

impl Intent {
    /// Whether it makes a customer token.
    pub fn makes_token(self) -> bool {
        match self {
            Self::Tokenize | Self::BuyAndTokenize => true,
            Self::Buy => false,
        }
    }

    /// Whether it makes an order.
    pub fn makes_order(self) -> bool {
        match self {
            Self::Buy | Self::BuyAndTokenize => true,
            Self::Tokenize => false,
        }
    }
}

/// What makes a checkout more than a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokenizing {
    /// What it is for.
    pub intent: Intent,
    /// What the shopper is told the token is for.
    #[serde(default)]
    pub description: String,
    /// Whose token it will be, if the store said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The rhythm that Klarna is told of, where the token is for a subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring: Option<klarna_types::order_line::Subscription>,
    /// The token it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token_id: Option<String>,
    /// The refused charge that it recovers: then it makes an order and no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovers: Option<Recovers>,
}

/// A refused charge of a customer token that the shopper may recover. `Debug` does not show Klarna's
/// id of the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovers {
    /// Klarna's id of the refusal.
    pub step_up_id: String,
    /// Our id of the token.
    pub customer_token_id: String,
    /// Klarna's id of the token.
    pub klarna_token_id: String,
    /// The subscription that is charged, and the number of its charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<(String, i64)>,
    /// The operation that was refused, where it was no subscription's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
}

impl std::fmt::Debug for Recovers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Recovers")
            .field("customer_token_id", &self.customer_token_id)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl Tokenizing {
    /// Whether a token is to be made of an authorisation: of a checkout one is enough.
    pub fn wants_token(&self) -> bool {
        self.intent.makes_token() && self.recovers.is_none() && self.customer_token_id.is_none()
    }

    /// Whether an order is to be placed.
    pub fn wants_order(&self) -> bool {
        self.intent.makes_order() || self.recovers.is_some()
    }
}

/// What is to be paid, as the shop said it and as Klarna is told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The shop's order number.
    pub merchant_reference: String,
    /// Where the shopper buys.
    pub country: Country,
    /// The country's currency.
    pub currency: Currency,
    /// The shopper's language.
    pub locale: Locale,
    /// Whether the shop's prices contain tax.
    pub prices: PricesMode,
    /// The lines as the shop gave them: kept so that a partial update can be computed anew.
    pub lines: Vec<LineInput>,
    /// The total.
    pub order_amount: MinorUnits,
    /// The tax in it.
    pub order_tax_amount: MinorUnits,
    /// The lines as Klarna is told them.
    pub order_lines: Vec<OrderLine>,
    /// What it says besides.
    #[serde(default)]
    pub extras: Box<Extras>,
}

/// The Klarna session of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Klarna's id.
    pub id: String,
    /// For the browser library.
    pub client_token: String,
    /// What the widget can show.
    pub payment_method_categories: Vec<PaymentMethodCategory>,
    /// When it ends.
    pub expires_at_ms: i64,
}

/// When an approval becomes an authorisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finalize {
    /// At once: one step.
    #[default]
    Automatic,
    /// In a later step of the shop's (`auto_finalize: false` in the browser).
    Later,
    /// The shopper has approved, and that later step is still to come.
    Awaited,
}

impl Finalize {
    /// After a change, or once it was used, an approval that awaited its last step counts no more.
    pub fn begun_again(self) -> Self {
        match self {
            Self::Automatic => Self::Automatic,
            Self::Later | Self::Awaited => Self::Later,
        }
    }
}

/// A checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// Our id.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// What is to be paid, as Klarna knows it.
    pub cart: Cart,
    /// What the shop wants it to be, while Klarna has not confirmed that it knows.
    pub wanted: Option<Cart>,
    /// Whether the money is captured at once.
    pub capture: CaptureMode,
    /// What makes it more than a purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizing: Option<Tokenizing>,
    /// Where the shopper's browser ends up.
    pub confirmation_url: Option<String>,
    /// The secret in the callback URLs, while Klarna may still have to be told of it.
    pub callback_secret: String,
    /// Its digest: what a callback is compared with.
    #[serde(default)]
    pub callback_digest: String,
    /// The Klarna session.
    pub session: Session,
    /// The Klarna account it was opened with; the configured one, if it does not say.
    #[serde(default)]
    pub account_id: Option<String>,
    /// The call that opened it, in a trace: what Klarna tells of it later belongs to the same trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// How the purchase reaches the shopper.
    #[serde(default)]
    pub channel: Channel,
    /// The page of Klarna's, where the channel has one.
    #[serde(default)]
    pub hosted: Option<Box<Hosted>>,
    /// When an approval becomes an authorisation.
    #[serde(default)]
    pub finalize: Finalize,
    /// The payment it led to.
    pub payment_id: Option<String>,
    /// Why the last authorisation led to no order.
    pub refusal: Option<Refusal>,
    /// When it was opened.
    pub created_at_ms: i64,
    /// The last change.
    pub updated_at_ms: i64,
    /// When it ends if nobody comes back.
    pub expires_at_ms: i64,
}

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Klarna keeps a session this long after it was opened.
pub const SESSION_LIFE_MS: i64 = 48 * HOUR_MS;
/// A session this close to its end is renewed before a shopper starts to use it: an authorisation
/// must have its 60 minutes.
pub const RENEW_BEFORE_MS: i64 = 2 * HOUR_MS;
/// A checkout nobody touches is kept this long.
pub const LIFE_MS: i64 = 30 * 24 * HOUR_MS;
/// A checkout is recently active this long; such checkouts are looked at when a process starts.
pub const RECENT_MS: i64 = 2 * HOUR_MS;
/// The first look at Klarna after the last activity; each later one waits twice as long.
const FIRST_POLL_MS: i64 = 2 * MINUTE_MS;

impl Checkout {
    /// Moves it by a step of the table. Once it is over it forgets the secrets that nobody needs
    /// any more.
    pub fn step(&mut self, step: Step) -> Result<(), Rejection> {
        self.status = next(self.status, step)
            .ok_or(Rejection { status: self.status.name(), step: name_of(step) })?;
        if self.status.is_over() {
            self.session.client_token.clear();
            self.callback_secret.clear();
            self.cart.extras.forget_people();
            if let Some(wanted) = &mut self.wanted {
                wanted.extras.forget_people();
            }
            if let Some(recovers) =
                self.tokenizing.as_mut().and_then(|tokenizing| tokenizing.recovers.as_mut())
            {
                recovers.klarna_token_id.clear();
            }
        }
        Ok(())
    }

    /// Whether its Klarna session is over, or so near its end that a shopper should not start
    /// with it.
    pub fn needs_new_session(&self, now_ms: i64) -> bool {
        self.status.takes_authorizations()
            && now_ms < self.expires_at_ms
            && now_ms >= self.session.expires_at_ms - RENEW_BEFORE_MS
    }

    /// The page of Klarna's, if there is one.
    pub fn page(&self) -> Option<&Page> {
        self.hosted.as_ref().and_then(|hosted| hosted.page.as_ref())
    }

    /// Whether its page has lapsed, or was never opened.
    pub fn needs_new_page(&self, now_ms: i64) -> bool {
        self.channel.has_page()
            && self.status.takes_authorizations()
            && now_ms < self.expires_at_ms
            && self.page().is_none_or(|page| page.has_lapsed(now_ms))
    }

    /// Whether nobody came back in time.
    pub fn is_overdue(&self, now_ms: i64) -> bool {
        self.status.takes_authorizations() && now_ms >= self.expires_at_ms
    }

    /// When Klarna is to be asked next whether the shopper has authorised: the callback is best
    /// effort only. `None`: nothing more will come by itself.
    pub fn next_poll_at_ms(&self, now_ms: i64) -> Option<i64> {
        if !self.status.takes_authorizations() {
            return None;
        }
        if let Some(wait_ms) =
            self.page().and_then(|page| page.next_look_in_ms(self.channel, now_ms))
        {
            return Some((now_ms + wait_ms).min(self.expires_at_ms.max(now_ms + 1)));
        }
        // As long again as nothing has happened: the waits double.
        let wait_ms = (now_ms - self.updated_at_ms).max(FIRST_POLL_MS);
        let poll_at_ms = now_ms + wait_ms;
        if poll_at_ms < self.session.expires_at_ms {
            Some(poll_at_ms)
        } else {
            // Once the session is gone nobody can authorise; the end of the checkout is next.
            Some(self.expires_at_ms.max(now_ms + 1))
        }
    }

    /// Whether an authorisation of it makes a customer token.
    pub fn wants_token(&self) -> bool {
        self.tokenizing.as_ref().is_some_and(Tokenizing::wants_token)
    }

    /// Whether an authorisation of it makes an order.
    pub fn wants_order(&self) -> bool {
        self.tokenizing.as_ref().is_none_or(Tokenizing::wants_order)
    }

    /// The last segment of its callback URLs: who it is for, and the proof that Klarna was told.
    pub fn callback_key(&self) -> String {
        format!("{}.{}", self.id, self.callback_secret)
    }

    /// The confirmation URL with its placeholder filled in.
    pub fn confirmation_url(&self) -> Option<String> {
        self.confirmation_url.as_ref().map(|url| url.replace("{checkout_id}", &self.id))
    }
}

/// A step that the checkout's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checkout that is {status} cannot be {step}")]
pub struct Rejection {
    /// What it is.
    pub status: &'static str,
    /// What was wanted.
    pub step: &'static str,
}

fn name_of(step: Step) -> &'static str {
    match step {
        Step::Update => "updated",
        Step::Confirm => "confirmed",
        Step::Complete => "completed",
        Step::Decline => "declined",
        Step::Reopen => "reopened",
        Step::Expire => "expired",
        Step::Cancel => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkout_transitions_are_exactly_these() {
        use Status::{Cancelled, Completed, Confirming, Declined, Expired, Open};
        let legal = [
            (Open, Step::Update, Open),
            (Open, Step::Confirm, Confirming),
            (Open, Step::Expire, Expired),
            (Open, Step::Cancel, Cancelled),
            (Declined, Step::Update, Open),
            (Declined, Step::Confirm, Confirming),
            (Declined, Step::Expire, Expired),
            (Declined, Step::Cancel, Cancelled),
            (Confirming, Step::Confirm, Confirming),
            (Confirming, Step::Complete, Completed),
            (Confirming, Step::Decline, Declined),
            (Confirming, Step::Reopen, Open),
        ];
        for status in Status::ALL {
            for step in Step::ALL {
                let expected = legal
                    .iter()
                    .find(|(from, by, _)| (*from, *by) == (status, step))
                    .map(|(_, _, to)| *to);
                assert_eq!(next(status, step), expected, "{status:?} {step:?}");
            }
        }
    }

    #[test]
    fn only_a_decline_is_shown_as_declined() {
        assert_eq!(after_refusal(Reason::Declined), Step::Decline);
        assert_eq!(after_refusal(Reason::AuthorizationInvalid), Step::Reopen);
        assert_eq!(after_refusal(Reason::Unreachable), Step::Reopen);
    }

    #[test]
    fn a_checkout_outlives_its_session_and_then_ends() {
        let mut checkout = sample();
        assert!(!checkout.needs_new_session(0));
        assert!(checkout.needs_new_session(SESSION_LIFE_MS - RENEW_BEFORE_MS));
        assert!(checkout.needs_new_session(SESSION_LIFE_MS * 2));
        assert!(!checkout.needs_new_session(LIFE_MS));
        assert!(checkout.is_overdue(LIFE_MS));
        checkout.status = Status::Completed;
        assert!(!checkout.needs_new_session(SESSION_LIFE_MS));
        assert!(!checkout.is_overdue(LIFE_MS));
    }

    #[test]
    fn klarna_is_asked_ever_more_rarely_and_not_for_ever() {
        let mut checkout = sample();
        let mut now_ms = 0;
        let mut polls = 0;
        while let Some(at_ms) = checkout.next_poll_at_ms(now_ms) {
            assert!(at_ms > now_ms);
            now_ms = at_ms;
            polls += 1;
            if checkout.is_overdue(now_ms) {
                checkout.step(Step::Expire).unwrap();
            }
            assert!(polls < 20);
        }
        assert_eq!(checkout.status, Status::Expired);
    }

    fn sample() -> Checkout {
        Checkout {
            id: "chk_1".to_owned(),
            store_id: "default".to_owned(),
            version: 1,
            status: Status::Open,
            cart: Cart {
                merchant_reference: "WEB-1".to_owned(),
                country: Country::SE,
                currency: Currency::SEK,
                locale: Locale::new("sv-SE"),
                prices: PricesMode::IncludingTax,
                lines: Vec::new(),
                order_amount: MinorUnits::ZERO,
                order_tax_amount: MinorUnits::ZERO,
                order_lines: Vec::new(),
                extras: Box::default(),
            },
            wanted: None,
            capture: CaptureMode::Manual,
            tokenizing: None,
            confirmation_url: None,
            callback_secret: "s".to_owned(),
            callback_digest: String::new(),
            session: Session {
                id: "session-1".to_owned(),
                client_token: "t".to_owned(),
                payment_method_categories: Vec::new(),
                expires_at_ms: SESSION_LIFE_MS,
            },
            account_id: None,
            trace_parent: None,
            channel: Channel::Inline,
            hosted: None,
            finalize: Finalize::Automatic,
            payment_id: None,
            refusal: None,
            created_at_ms: 0,
            updated_at_ms: 0,
            expires_at_ms: LIFE_MS,
        }
    }
}
