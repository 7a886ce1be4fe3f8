//! A shopper's approval and the token that stands for it: sixty minutes, one order.

use klarna_types::payments::AuthorizedPaymentMethod;
use klarna_types::{Address, AuthorizationToken, Customer, MerchantId, OrderId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::idempotency::RETENTION_MS;

/// How long a token can be used.
pub(crate) const TOKEN_LIFE_MS: i64 = 60 * 60 * 1_000;

/// What the shopper approved, and what the decision attached to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Approval {
    /// How the shopper pays.
    pub(crate) payment_method: AuthorizedPaymentMethod,
    /// The e-mail address that steered the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// What Klarna collected because the merchant had not sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) billing_address: Option<Address>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Customer>,
    /// What happens to the order's fraud status.
    pub(crate) review: Review,
    /// The dispute that is raised later (`return`, `goods_not_received`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dispute: Option<String>,
}

/// Whether Klarna reviews the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Review {
    /// No: accepted at once.
    None,
    /// Pending, then accepted after so many minutes.
    AcceptAfterMinutes(u8),
    /// Pending, then refused after so many minutes.
    RejectAfterMinutes(u8),
}

/// What has become of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// It can be used until its time is over.
    Active,
    /// A newer authorization of the same session took its place, or an update voided it.
    Superseded,
    /// The merchant cancelled it.
    Cancelled,
    /// An order was made from it.
    Ordered,
    /// It was used up in another way, such as for a customer token alone.
    Consumed,
}

impl TokenState {
    const ALL: [Self; 5] =
        [Self::Active, Self::Superseded, Self::Cancelled, Self::Ordered, Self::Consumed];

    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
            Self::Ordered => "ordered",
            Self::Consumed => "consumed",
        }
    }

    /// The state of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// An authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// The token that stands for it.
    pub(crate) token: AuthorizationToken,
    /// The session it is of.
    pub(crate) session_id: SessionId,
    /// Whose session.
    pub(crate) merchant_id: MerchantId,
    /// What has become of it.
    pub(crate) state: TokenState,
    /// When the shopper approved.
    pub(crate) created_at_ms: i64,
    /// When it stopped being active.
    pub(crate) ended_at_ms: Option<i64>,
    /// What the shopper approved.
    pub(crate) approval: Approval,
    /// The order made from it, with the request and the answer, for a repeat.
    pub(crate) placed: Option<Placed>,
}

/// An order that was made, as a repeated call needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The order.
    pub(crate) order_id: OrderId,
    /// The body of the call that made it.
    pub(crate) request: String,
    /// The answer to it.
    pub(crate) answer: String,
}

/// A customer token that was made, as a repeated call needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokenized {
    /// When.
    pub(crate) at_ms: i64,
    /// The body of the call that made it.
    pub(crate) request: String,
    /// The answer to it.
    pub(crate) answer: String,
}

/// What a call to make a customer token leads to, before its data are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tokenizing<'a> {
    /// A token may be made.
    New,
    /// It was made before by the same call; this was the answer.
    Replay(&'a str),
}

/// Why nothing can be made from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenRefusal {
    /// Unknown, another merchant's, expired, cancelled or superseded.
    #[error("the authorization token is unknown, expired, cancelled or superseded")]
    Invalid,
    /// It was used for something else.
    #[error("the authorization token was used up in another way")]
    Consumed,
    /// Another token of the session led to an order.
    #[error("the session led to an order by another token")]
    SessionCompleted,
    /// An order was made by a call with another body.
    #[error("the order was made by a call with another body")]
    OtherBody,
    /// The token cannot be cancelled any more.
    #[error("an order or a customer token was made from the authorization")]
    NotCancellable,
}

/// What a call to make an order leads to, before its data are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placing<'a> {
    /// An order may be made.
    New,
    /// It was made before by the same call; this was the answer.
    Replay(&'a str),
}

/// Whether the session of a token has led to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionIs {
    /// It has.
    Complete,
    /// It has not.
    Incomplete,
}

/// How a request compares with the one that made the order or the customer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// The same JSON.
    Same,
    /// Other JSON.
    Other,
}

impl Body {
    /// Compares two bodies. Spaces and the order of members do not count.
    pub(crate) fn compare(before: &str, now: &[u8]) -> Self {
        let same = before.as_bytes() == now
            || match (serde_json::from_str::<Value>(before), serde_json::from_slice::<Value>(now)) {
                (Ok(before), Ok(now)) => before == now,
                _ => false,
            };
        if same { Self::Same } else { Self::Other }
    }
}

impl Authorization {
    /// A fresh one.
    pub(crate) fn new(
        token: AuthorizationToken,
        session_id: SessionId,
        merchant_id: MerchantId,
        approval: Approval,
        now_ms: i64,
    ) -> Self {
        Self {
            token,
            session_id,
            merchant_id,
            state: TokenState::Active,
            created_at_ms: now_ms,
            ended_at_ms: None,
            approval,
            placed: None,
        }
    }

    /// When the token ends.
    pub(crate) fn expires_at_ms(&self) -> i64 {
        self.created_at_ms.saturating_add(TOKEN_LIFE_MS)
    }

    /// Whether an order may be made, in Klarna's order of checks: used up first, then its time.
    pub(crate) fn check_placing(
        &self,
        session: SessionIs,
        body: Body,
        now_ms: i64,
    ) -> Result<Placing<'_>, TokenRefusal> {
        match self.state {
            TokenState::Ordered => match (&self.placed, body) {
                (Some(_), _) if self.is_forgotten(now_ms) => Err(TokenRefusal::Invalid),
                (Some(placed), Body::Same) => Ok(Placing::Replay(&placed.answer)),
                _ => Err(TokenRefusal::OtherBody),
            },
            TokenState::Consumed => Err(TokenRefusal::Consumed),
            TokenState::Active | TokenState::Superseded | TokenState::Cancelled
                if session == SessionIs::Complete =>
            {
                Err(TokenRefusal::SessionCompleted)
            }
            TokenState::Superseded | TokenState::Cancelled => Err(TokenRefusal::Invalid),
            TokenState::Active if now_ms >= self.expires_at_ms() => Err(TokenRefusal::Invalid),
            TokenState::Active => Ok(Placing::New),
        }
    }

    /// Whether a customer token may be made. `made` is the one that was made from it before, with how
    /// this call compares.
    pub(crate) fn check_tokenizing<'a>(
        &self,
        made: Option<(&'a Tokenized, Body)>,
        now_ms: i64,
    ) -> Result<Tokenizing<'a>, TokenRefusal> {
        match (made, self.state) {
            (Some((made, _)), _) if is_over(made.at_ms, now_ms) => Err(TokenRefusal::Invalid),
            (Some((made, Body::Same)), _) => Ok(Tokenizing::Replay(&made.answer)),
            (None, TokenState::Ordered) if self.is_forgotten(now_ms) => Err(TokenRefusal::Invalid),
            (Some((_, Body::Other)), _) | (None, TokenState::Ordered | TokenState::Consumed) => {
                Err(TokenRefusal::Consumed)
            }
            (None, TokenState::Active) if self.stands(now_ms) => Ok(Tokenizing::New),
            (None, TokenState::Active | TokenState::Superseded | TokenState::Cancelled) => {
                Err(TokenRefusal::Invalid)
            }
        }
    }

    /// Whether the token may be cancelled. `made` is the customer token that was made from it.
    pub(crate) fn check_cancelling(
        &self,
        made: Option<&Tokenized>,
        now_ms: i64,
    ) -> Result<(), TokenRefusal> {
        match self.state {
            TokenState::Active if !self.stands(now_ms) => Err(TokenRefusal::Invalid),
            TokenState::Active if made.is_none() => Ok(()),
            TokenState::Superseded | TokenState::Cancelled => Err(TokenRefusal::Invalid),
            TokenState::Active | TokenState::Ordered | TokenState::Consumed => {
                Err(TokenRefusal::NotCancellable)
            }
        }
    }

    /// Whether an order may still be made from it.
    pub(crate) fn stands(&self, now_ms: i64) -> bool {
        self.state == TokenState::Active && now_ms < self.expires_at_ms()
    }

    /// Whether a repeat comes too late to be told what the first call was told.
    fn is_forgotten(&self, now_ms: i64) -> bool {
        self.ended_at_ms.is_some_and(|ended_at_ms| is_over(ended_at_ms, now_ms))
    }
}

/// Whether what was answered at an instant is not answered again.
fn is_over(answered_at_ms: i64, now_ms: i64) -> bool {
    now_ms >= answered_at_ms.saturating_add(RETENTION_MS)
}

#[cfg(test)]
mod tests {
    use klarna_types::payments::PaymentMethodType;

    use super::*;

    pub(super) fn approval() -> Approval {
        Approval {
            payment_method: AuthorizedPaymentMethod::new(PaymentMethodType::Invoice),
            email: None,
            billing_address: None,
            customer: None,
            review: Review::None,
            dispute: None,
        }
    }

    fn authorization(state: TokenState) -> Authorization {
        let placed = (state == TokenState::Ordered).then(|| Placed {
            order_id: OrderId::new("o"),
            request: "{}".into(),
            answer: "answer".into(),
        });
        Authorization {
            state,
            ended_at_ms: (state != TokenState::Active).then_some(10),
            placed,
            ..Authorization::new("t".into(), "s".into(), "K1".into(), approval(), 0)
        }
    }

    /// Every state, both kinds of session, both bodies, in time and late.
    #[test]
    fn the_whole_table_of_placing() {
        use TokenRefusal::{Consumed, Invalid, OtherBody, SessionCompleted};
        use TokenState as S;
        let open = SessionIs::Incomplete;
        let complete = SessionIs::Complete;
        let in_time = TOKEN_LIFE_MS - 1;
        let late = TOKEN_LIFE_MS;
        let cases = [
            (S::Active, open, Body::Other, in_time, Ok(Placing::New)),
            (S::Active, open, Body::Other, late, Err(Invalid)),
            (S::Active, complete, Body::Other, in_time, Err(SessionCompleted)),
            (S::Superseded, open, Body::Other, in_time, Err(Invalid)),
            (S::Superseded, complete, Body::Other, in_time, Err(SessionCompleted)),
            (S::Cancelled, open, Body::Other, in_time, Err(Invalid)),
            (S::Cancelled, complete, Body::Other, late, Err(SessionCompleted)),
            (S::Consumed, open, Body::Other, in_time, Err(Consumed)),
            (S::Consumed, complete, Body::Other, late, Err(Consumed)),
            (S::Ordered, complete, Body::Same, in_time, Ok(Placing::Replay("answer"))),
            (S::Ordered, complete, Body::Same, late, Ok(Placing::Replay("answer"))),
            (S::Ordered, complete, Body::Other, late, Err(OtherBody)),
            (S::Ordered, complete, Body::Same, RETENTION_MS + 10, Err(Invalid)),
            (S::Ordered, complete, Body::Other, RETENTION_MS + 10, Err(Invalid)),
        ];
        for (state, session, body, now_ms, expected) in cases {
            let authorization = authorization(state);
            assert_eq!(
                authorization.check_placing(session, body, now_ms),
                expected,
                "{state:?} {session:?} {body:?} {now_ms}"
            );
        }
    }

    #[test]
    fn only_an_unused_token_can_be_cancelled() {
        use TokenRefusal::{Invalid, NotCancellable};
        let outcomes = |made: Option<&Tokenized>| {
            TokenState::ALL.map(|state| authorization(state).check_cancelling(made, 1))
        };
        assert_eq!(
            outcomes(None),
            [Ok(()), Err(Invalid), Err(Invalid), Err(NotCancellable), Err(NotCancellable)]
        );
        assert_eq!(outcomes(Some(&tokenized()))[0], Err(NotCancellable));
        let late = authorization(TokenState::Active).check_cancelling(None, TOKEN_LIFE_MS);
        assert_eq!(late, Err(Invalid));
    }

    fn tokenized() -> Tokenized {
        Tokenized { at_ms: 5, request: "{}".into(), answer: "made".into() }
    }

    /// Every state, with and without a customer token made before, in time and late.
    #[test]
    fn the_whole_table_of_tokenizing() {
        use TokenRefusal::{Consumed, Invalid};
        use TokenState as S;
        let made = tokenized();
        let same = Some((&made, Body::Same));
        let other = Some((&made, Body::Other));
        let in_time = TOKEN_LIFE_MS - 1;
        let late = TOKEN_LIFE_MS;
        let cases = [
            (S::Active, None, in_time, Ok(Tokenizing::New)),
            (S::Active, None, late, Err(Invalid)),
            (S::Active, same, in_time, Ok(Tokenizing::Replay("made"))),
            (S::Active, same, late, Ok(Tokenizing::Replay("made"))),
            (S::Active, other, in_time, Err(Consumed)),
            (S::Superseded, None, in_time, Err(Invalid)),
            (S::Superseded, same, in_time, Ok(Tokenizing::Replay("made"))),
            (S::Cancelled, None, in_time, Err(Invalid)),
            (S::Ordered, None, in_time, Err(Consumed)),
            (S::Ordered, None, RETENTION_MS + 10, Err(Invalid)),
            (S::Ordered, same, in_time, Ok(Tokenizing::Replay("made"))),
            (S::Consumed, None, in_time, Err(Consumed)),
            (S::Consumed, same, late, Ok(Tokenizing::Replay("made"))),
            (S::Consumed, other, in_time, Err(Consumed)),
            (S::Consumed, same, RETENTION_MS + 5, Err(Invalid)),
        ];
        for (state, made, now_ms, expected) in cases {
            assert_eq!(
                authorization(state).check_tokenizing(made, now_ms),
                expected,
                "{state:?} {made:?} {now_ms}"
            );
        }
    }

    #[test]
    fn bodies_are_compared_as_json() {
        let cases = [
            (r#"{"a":1,"b":2}"#, r#"{"b":2, "a":1}"#, Body::Same),
            (r#"{"a":1}"#, r#"{"a":2}"#, Body::Other),
            ("", "", Body::Same),
            ("", "{}", Body::Other),
        ];
        for (before, now, expected) in cases {
            assert_eq!(Body::compare(before, now.as_bytes()), expected, "{before} {now}");
        }
    }
}
