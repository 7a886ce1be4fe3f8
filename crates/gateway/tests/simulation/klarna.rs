//! Klarna as the simulation has it: books, and the rules by which calls change them.
//!
//! What is not published is decided against the gateway wherever that is possible: a refused call is
//! not remembered under its key in some histories, reviews and risk decisions come at any time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use klarna_types::order_management::{
    Capture, CreateCapture, CreateRefund, Order, OrderStatus, Refund, UpdateAuthorization,
    UpdateShippingInfo,
};
use klarna_types::payments::{
    CreateOrder, CreatedOrder, CreatedSession, FraudStatus, Session, SessionStatus,
};
use klarna_types::{AuthorizationToken, MinorUnits, OrderLine};
use serde_json::json;

use super::chance::Chance;
use crate::domain::change::Change;
use crate::domain::operation::{Effect, Failure};

/// How long Klarna knows a key.
const KEY_LIFE_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a token lives.
const TOKEN_LIFE_MS: i64 = 60 * 60 * 1000;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    CreateSession { amount: MinorUnits, lines: Vec<OrderLine>, reference: Option<String> },
    ReadSession { id: String },
    PlaceOrder { token: String, body: String },
    ReadOrder { id: String },
    Capture { order: String, key: String, body: String },
    Refund { order: String, key: String, body: String },
    Cancel { order: String, key: String },
    Release { order: String, key: String },
    Change { change: Change, order: String, key: String, body: String },
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    SessionCreated(CreatedSession),
    Session(Box<Session>),
    OrderPlaced(CreatedOrder),
    Order(Box<Order>),
    Id(String),
    Nothing,
}

pub(super) type Said = Result<Reply, Failure>;

pub(super) fn failure(effect: Effect, status: Option<u16>, code: Option<&str>) -> Failure {
    Failure {
        effect,
        status,
        error_code: code.map(Into::into),
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: None,
        summary: "as the simulation has it".to_owned(),
        step_up_id: None,
    }
}

fn refused(status: u16, code: &str) -> Failure {
    failure(Effect::Refused, Some(status), Some(code))
}

#[derive(Debug, Clone)]
struct Opened {
    amount: MinorUnits,
    lines: Vec<OrderLine>,
    reference: Option<String>,
    /// The newest authorisation, and when it was given.
    token: Option<(String, i64)>,
    order: Option<String>,
}

#[derive(Debug)]
struct Placed {
    body: String,
    order: String,
}

/// The books.
#[derive(Debug)]
pub(super) struct Books {
    sessions: BTreeMap<String, Opened>,
    tokens: BTreeMap<String, String>,
    placed: BTreeMap<String, Placed>,
    pub(super) orders: BTreeMap<String, Order>,
    keys: BTreeMap<String, (i64, Result<String, Failure>)>,
    number: u64,
    remembers_refusals: bool,
}

static TEMPLATE: LazyLock<Order> = LazyLock::new(|| {
    serde_json::from_value(json!({
        "order_id": "o", "status": "AUTHORIZED", "fraud_status": "ACCEPTED",
        "order_amount": 0, "original_order_amount": 0, "captured_amount": 0,
        "refunded_amount": 0, "remaining_authorized_amount": 0,
        "expires_at": "2041-01-01T00:00:00Z",
    }))
    .unwrap()
});

impl Books {
    pub(super) fn new(chance: &mut Chance) -> Self {
        Self {
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            placed: BTreeMap::new(),
            orders: BTreeMap::new(),
            keys: BTreeMap::new(),
            number: 0,
            remembers_refusals: chance.per_mille(500),
        }
    }

    fn id(&mut self, of: &str) -> String {
        self.number += 1;
        format!("{of}-{}", self.number)
    }

    /// The shopper approves; answers the token. None when the session has led to an order.
    pub(super) fn authorize(&mut self, session_id: &str, now_ms: i64) -> Option<String> {
        let token = self.id("token");
        let session = self.sessions.get_mut(session_id)?;
        if session.order.is_some() {
            return None;
        }
        // An older token is worth nothing any more.
        if let Some((older, _)) = session.token.replace((token.clone(), now_ms)) {
            self.tokens.remove(&older);
        }
        self.tokens.insert(token.clone(), session_id.to_owned());
        Some(token)
    }

    /// Orders that were made of a session.
    pub(super) fn orders_of(&self, session_id: &str) -> Vec<String> {
        let of = |order: &&Order| order.merchant_reference2.as_deref() == Some(session_id);
        self.orders.values().filter(of).map(|order| order.order_id.as_str().to_owned()).collect()
    }

    /// Klarna decides about an order under review; `false` if there is none.
    pub(super) fn decide_a_review(&mut self, accepted: bool) -> Option<String> {
        let pending = Some(FraudStatus::Pending);
        let order = self.orders.values_mut().find(|order| order.fraud_status == pending)?;
        let verdict = if accepted { FraudStatus::Accepted } else { FraudStatus::Rejected };
        order.fraud_status = Some(verdict);
        Some(order.order_id.as_str().to_owned())
    }

    /// Carries a call out.
    pub(super) fn carry_out(&mut self, ask: &Ask, chance: &mut Chance, now_ms: i64) -> Said {
        match ask {
            Ask::CreateSession { amount, lines, reference } => {
                let id = self.id("session");
                self.sessions.insert(
                    id.clone(),
                    Opened {
                        amount: *amount,
                        lines: lines.clone(),
                        reference: reference.clone(),
                        token: None,
                        order: None,
                    },
                );
                Ok(Reply::SessionCreated(CreatedSession {
                    session_id: id.as_str().into(),
                    client_token: "client".into(),
                    payment_method_categories: Vec::new(),
                    distribution: None,
                }))
            }
            Ask::ReadSession { id } => {
                let session = self.sessions.get(id).ok_or_else(|| refused(404, "NOT_FOUND"))?;
                let status = match session.order {
                    Some(_) => SessionStatus::Complete,
                    None => SessionStatus::Incomplete,
                };
                let token = session.token.as_ref();
                Ok(Reply::Session(Box::new(Session {
                    order_amount: Some(session.amount),
                    order_lines: Some(session.lines.clone()),
                    merchant_reference1: session.reference.clone(),
                    status: Some(status),
                    authorization_token: token
                        .map(|(token, _)| AuthorizationToken::new(token.as_str())),
                    ..Session::default()
                })))
            }
            Ask::PlaceOrder { token, body } => self.place(token, body, chance, now_ms),
            Ask::ReadOrder { id } => {
                let order = self.orders.get(id).ok_or_else(|| refused(404, "NO_SUCH_ORDER"))?;
                Ok(Reply::Order(Box::new(order.clone())))
            }
            Ask::Capture { order, key, body } => self.keyed(key, now_ms, |books| {
                let body: CreateCapture = serde_json::from_str(body).unwrap();
                books.capture(order, &body)
            }),
            Ask::Refund { order, key, body } => self.keyed(key, now_ms, |books| {
                let body: CreateRefund = serde_json::from_str(body).unwrap();
                books.refund(order, &body)
            }),
            Ask::Cancel { order, key } => self.keyed(key, now_ms, |books| books.cancel(order)),
            Ask::Release { order, key } => self.keyed(key, now_ms, |books| books.release(order)),
            Ask::Change { change, order, key, body } => {
                self.keyed(key, now_ms, |books| books.change(*change, order, body))
            }
        }
    }

    fn keyed(
        &mut self,
        key: &str,
        now_ms: i64,
        act: impl FnOnce(&mut Self) -> Result<String, Failure>,
    ) -> Said {
        let known = self.keys.get(key).filter(|(at_ms, _)| now_ms - at_ms < KEY_LIFE_MS);
        let outcome = if let Some((_, outcome)) = known {
            outcome.clone()
        } else {
            let outcome = act(self);
            if outcome.is_ok() || self.remembers_refusals {
                self.keys.insert(key.to_owned(), (now_ms, outcome.clone()));
            }
            outcome
        };
        outcome.map(|id| if id.is_empty() { Reply::Nothing } else { Reply::Id(id) })
    }

    fn place(&mut self, token: &str, body: &str, chance: &mut Chance, now_ms: i64) -> Said {
        if let Some(placed) = self.placed.get(token) {
            if placed.body != body {
                return Err(refused(409, "BAD_VALUE"));
            }
            let order = &self.orders[&placed.order];
            return Ok(Reply::OrderPlaced(created(order)));
        }
        let session_id =
            self.tokens.get(token).cloned().ok_or_else(|| refused(404, "NOT_FOUND"))?;
        let session = &self.sessions[&session_id];
        if session.order.is_some() {
            return Err(refused(404, "SESSION_COMPLETED"));
        }
        if session.token.as_ref().is_none_or(|(_, at_ms)| now_ms - at_ms > TOKEN_LIFE_MS) {
            return Err(refused(404, "NOT_FOUND"));
        }
        let sent: CreateOrder = serde_json::from_str(body).unwrap();
        if sent.order_amount != session.amount {
            return Err(refused(409, "BAD_VALUE"));
        }
        // Klarna looks at the risk anew each time.
        if chance.per_mille(120) {
            return Err(refused(403, "REJECTED"));
        }
        let id = self.id("order");
        let fraud =
            if chance.per_mille(250) { FraudStatus::Pending } else { FraudStatus::Accepted };
        let order = Order {
            order_id: id.as_str().into(),
            fraud_status: Some(fraud),
            order_amount: sent.order_amount,
            original_order_amount: Some(sent.order_amount),
            remaining_authorized_amount: sent.order_amount,
            order_lines: sent.order_lines,
            purchase_currency: Some(sent.purchase_currency),
            merchant_reference1: sent.merchant_reference1,
            // Only the simulation looks at it: which session it came of.
            merchant_reference2: Some(session_id.clone()),
            ..TEMPLATE.clone()
        };
        let answer = created(&order);
        self.orders.insert(id.clone(), order);
        self.placed.insert(token.to_owned(), Placed { body: body.to_owned(), order: id.clone() });
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.order = Some(id);
        }
        Ok(Reply::OrderPlaced(answer))
    }

    fn order(&mut self, id: &str) -> Result<&mut Order, Failure> {
        self.orders.get_mut(id).ok_or_else(|| refused(404, "NO_SUCH_ORDER"))
    }

    fn capture(&mut self, order: &str, body: &CreateCapture) -> Result<String, Failure> {
        let id = self.id("capture");
        let order = self.order(order)?;
        let amount = body.captured_amount;
        let open = matches!(order.status, OrderStatus::Authorized | OrderStatus::PartCaptured);
        let accepted = order.fraud_status == Some(FraudStatus::Accepted);
        if !open || !accepted || amount > order.remaining_authorized_amount {
            return Err(refused(403, "CAPTURE_NOT_ALLOWED"));
        }
        order.captured_amount = plus(order.captured_amount, amount);
        order.remaining_authorized_amount =
            order.remaining_authorized_amount.checked_sub(amount).unwrap();
        order.status = if order.remaining_authorized_amount.is_zero() {
            OrderStatus::Captured
        } else {
            OrderStatus::PartCaptured
        };
        order.captures.push(Capture {
            capture_id: id.as_str().into(),
            klarna_reference: None,
            captured_amount: amount,
            captured_at: None,
            description: String::new(),
            order_lines: body.order_lines.clone().unwrap_or_default(),
            reference: body.reference.clone(),
            refunded_amount: MinorUnits::ZERO,
            billing_address: None,
            shipping_address: None,
            shipping_info: Vec::new(),
        });
        Ok(id)
    }

    fn refund(&mut self, order: &str, body: &CreateRefund) -> Result<String, Failure> {
        let id = self.id("refund");
        let order = self.order(order)?;
        let refunded = plus(order.refunded_amount, body.refunded_amount);
        if refunded > order.captured_amount {
            return Err(refused(403, "REFUND_NOT_ALLOWED"));
        }
        order.refunded_amount = refunded;
        order.refunds.push(Refund {
            refund_id: id.as_str().into(),
            refunded_amount: body.refunded_amount,
            refunded_at: None,
            description: None,
            reference: body.reference.clone(),
            order_lines: body.order_lines.clone().unwrap_or_default(),
            credit_invoice: None,
        });
        Ok(id)
    }

    fn cancel(&mut self, order: &str) -> Result<String, Failure> {
        let order = self.order(order)?;
        if order.status != OrderStatus::Authorized {
            return Err(refused(403, "CANCEL_NOT_ALLOWED"));
        }
        order.status = OrderStatus::Cancelled;
        order.remaining_authorized_amount = MinorUnits::ZERO;
        Ok(String::new())
    }

    fn release(&mut self, order: &str) -> Result<String, Failure> {
        let order = self.order(order)?;
        if order.status != OrderStatus::PartCaptured {
            return Err(refused(403, "NOT_ALLOWED"));
        }
        order.status = OrderStatus::Captured;
        order.remaining_authorized_amount = MinorUnits::ZERO;
        Ok(String::new())
    }
}

impl Books {
    /// What moves no money: more parcels, another amount.
    fn change(&mut self, change: Change, order: &str, body: &str) -> Result<String, Failure> {
        let order = self.order(order)?;
        let open = matches!(order.status, OrderStatus::Authorized | OrderStatus::PartCaptured);
        match change {
            Change::AddShippingInfo => {
                let sent: UpdateShippingInfo = serde_json::from_str(body).unwrap();
                if order.status == OrderStatus::Cancelled {
                    return Err(refused(403, "NOT_ALLOWED"));
                }
                order.shipping_info.extend(sent.shipping_info);
            }
            Change::UpdateAuthorization => {
                let sent: UpdateAuthorization = serde_json::from_str(body).unwrap();
                let left = sent.order_amount.checked_sub(order.captured_amount);
                let Some(left) = left.filter(|left| open && !left.is_negative()) else {
                    return Err(refused(403, "UPDATE_NOT_ALLOWED"));
                };
                order.order_amount = sent.order_amount;
                order.order_lines = sent.order_lines.unwrap_or_default();
                order.remaining_authorized_amount = left;
                if left.is_zero() {
                    order.status = OrderStatus::Captured;
                }
            }
            _ => return Err(refused(403, "NOT_ALLOWED")),
        }
        Ok(String::new())
    }
}

fn plus(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    one.checked_add(other).unwrap()
}

fn created(order: &Order) -> CreatedOrder {
    CreatedOrder {
        order_id: order.order_id.clone(),
        redirect_url: None,
        fraud_status: order.fraud_status.clone(),
        authorized_payment_method: None,
    }
}
