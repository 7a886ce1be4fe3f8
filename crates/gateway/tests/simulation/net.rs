//! The network between the nodes and Klarna: calls leave, arrive late, twice, in another order or not
//! at all, and so do their answers. Nothing happens by itself: the world delivers.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use klarna_types::AuthorizationToken;
use klarna_types::order_management::{ExtendDueDateOptions, Order};
use klarna_types::payments::{CreateSession, CreatedOrder, CreatedSession, Session, UpdateSession};
use parking_lot::Mutex;
use storage::Mishap;

use super::chance::Chance;
use super::klarna::{Ask, Books, Reply, Said, failure};
use crate::domain::operation::{Effect, Failure};
use crate::engine::klarna::{Accounts, Answer, Boxed, ChangeCall, Klarna, Outcome};

/// A caller waits so long for an answer.
const PATIENCE_MS: i64 = 20 * 1000;
/// No message is on its way for longer than this.
pub(super) const LONGEST_WAY_MS: i64 = 90 * 1000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Messages arrive at once, and the database answers.
    Calm,
    /// Anything goes wrong.
    Storm,
}

#[derive(Debug)]
enum Message {
    Request { call: u64, ask: Ask },
    Answer { call: u64, said: Said },
}

/// What is on its way, and what Klarna has in its books.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) now_ms: i64,
    pub(super) books: Books,
    pub(super) weather: Weather,
    pub(super) chance: Chance,
    /// Until when Klarna is down.
    pub(super) down_until_ms: i64,
    /// The call that the future polled last waits for.
    pub(super) waits_for: Option<u64>,
    /// The key of the call that left last.
    pub(super) sent_key: Option<String>,
    /// What happened, if somebody wants to read it.
    pub(super) told: Option<Vec<String>>,
    calls: BTreeMap<u64, i64>,
    answers: BTreeMap<u64, Said>,
    /// Calls that were refused: a second copy of the very same message is not looked at anew.
    refused: BTreeSet<u64>,
    messages: Vec<(i64, Message)>,
    number: u64,
    pub(super) sent: u64,
    pub(super) lost: u64,
}

impl Net {
    pub(super) fn new(seed: u64, now_ms: i64) -> Self {
        let mut chance = Chance::of(seed);
        Self {
            now_ms,
            books: Books::new(&mut chance),
            weather: Weather::Calm,
            chance,
            down_until_ms: 0,
            waits_for: None,
            sent_key: None,
            told: None,
            calls: BTreeMap::new(),
            answers: BTreeMap::new(),
            refused: BTreeSet::new(),
            messages: Vec::new(),
            number: 0,
            sent: 0,
            lost: 0,
        }
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now_ms = self.now_ms;
        if let Some(told) = &mut self.told {
            told.push(format!("{now_ms:>14} {}", what()));
        }
    }

    /// What goes wrong with the next unit of work that writes.
    pub(super) fn mishap(&mut self) -> Mishap {
        if self.weather == Weather::Calm {
            return Mishap::None;
        }
        match self.chance.below(1000) {
            0..8 => Mishap::Unavailable,
            8..16 => Mishap::AnswerLost,
            _ => Mishap::None,
        }
    }

    /// A call leaves.
    fn send(&mut self, ask: Ask) -> u64 {
        self.number += 1;
        self.sent += 1;
        let call = self.number;
        self.tell(|| format!("call {call} leaves: {}", brief(&ask)));
        if let Ask::Capture { key, .. }
        | Ask::Refund { key, .. }
        | Ask::Cancel { key, .. }
        | Ask::Release { key, .. }
        | Ask::Change { key, .. } = &ask
        {
            self.sent_key = Some(key.clone());
        }
        let storm = self.weather == Weather::Storm;
        let down = self.now_ms < self.down_until_ms;
        if storm && (down && self.chance.per_mille(500) || self.chance.per_mille(50)) {
            self.answers.insert(call, Err(failure(Effect::NoneYet, None, None)));
            return call;
        }
        self.calls.insert(call, self.now_ms + PATIENCE_MS);
        if storm && (down || self.chance.per_mille(60)) {
            self.lost += 1;
            self.tell(|| format!("call {call} is lost"));
            return call;
        }
        let arrives_ms = self.now_ms + self.way_ms();
        if storm && self.chance.per_mille(60) {
            let again_ms = arrives_ms + self.way_ms();
            let again_ms = again_ms.min(self.now_ms + LONGEST_WAY_MS);
            self.messages.push((again_ms, Message::Request { call, ask: ask.clone() }));
        }
        self.messages.push((arrives_ms, Message::Request { call, ask }));
        call
    }

    /// How long a message takes.
    fn way_ms(&mut self) -> i64 {
        if self.weather == Weather::Calm {
            return 1;
        }
        match self.chance.below(100) {
            0..80 => self.chance.between(1, 300),
            80..90 => self.chance.between(300, 10_000),
            90..95 => self.chance.between(10_000, 30_000),
            _ => self.chance.between(30_000, LONGEST_WAY_MS),
        }
    }

    /// Whether there is an answer for a call.
    pub(super) fn has_answer(&self, call: u64) -> bool {
        self.answers.contains_key(&call)
    }

    /// How many messages have arrived and calls run out of patience by now.
    pub(super) fn due(&self) -> usize {
        let arrived = self.messages.iter().filter(|(at_ms, _)| *at_ms <= self.now_ms).count();
        arrived + self.calls.values().filter(|until_ms| **until_ms <= self.now_ms).count()
    }

    /// When the next message arrives or a caller loses patience.
    pub(super) fn next_ms(&self) -> Option<i64> {
        let messages = self.messages.iter().map(|(at_ms, _)| *at_ms).min();
        let patience = self.calls.values().copied().min();
        [messages, patience].into_iter().flatten().min()
    }

    /// Whether nothing is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.messages.is_empty() && self.calls.is_empty()
    }

    /// Lets one of the things happen that are due.
    pub(super) fn deliver_one(&mut self) {
        let due: Vec<usize> = self
            .messages
            .iter()
            .enumerate()
            .filter(|(_, (at_ms, _))| *at_ms <= self.now_ms)
            .map(|(index, _)| index)
            .collect();
        let impatient: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, until_ms)| **until_ms <= self.now_ms)
            .map(|(call, _)| *call)
            .collect();
        if due.is_empty() && impatient.is_empty() {
            return;
        }
        let chosen = self.chance.index(due.len() + impatient.len());
        if let Some(index) = due.get(chosen) {
            let (_, message) = self.messages.swap_remove(*index);
            self.arrive(message);
        } else if let Some(call) = impatient.get(chosen - due.len()) {
            self.calls.remove(call);
            self.tell(|| format!("call {call} was not answered in time"));
            self.answers.insert(*call, Err(failure(Effect::Unknown, None, None)));
        }
    }

    fn arrive(&mut self, message: Message) {
        match message {
            Message::Request { call, ask } => {
                let storm = self.weather == Weather::Storm;
                if self.refused.contains(&call) {
                    return;
                }
                let said = if storm && self.chance.per_mille(20) {
                    self.say(call, "429");
                    self.refused.insert(call);
                    Err(Failure {
                        retry_after_ms: Some(1000),
                        ..failure(Effect::NoneYet, Some(429), Some("TOO_MANY_REQUESTS"))
                    })
                } else if storm && self.chance.per_mille(30) {
                    self.say(call, "503, nothing done");
                    Err(failure(Effect::Unknown, Some(503), None))
                } else {
                    let said = self.books.carry_out(&ask, &mut self.chance, self.now_ms);
                    self.tell(|| format!("call {call} is carried out: {}", outcome(&said)));
                    if said.is_err() {
                        self.refused.insert(call);
                    }
                    if storm && self.chance.per_mille(30) {
                        self.say(call, "503, but done");
                        Err(failure(Effect::Unknown, Some(503), None))
                    } else {
                        said
                    }
                };
                if storm && self.chance.per_mille(80) {
                    self.lost += 1;
                    self.say(call, "the answer is lost");
                    return;
                }
                let arrives_ms = self.now_ms + self.way_ms();
                self.messages.push((arrives_ms, Message::Answer { call, said }));
            }
            Message::Answer { call, said } => {
                if self.calls.remove(&call).is_some() {
                    self.answers.insert(call, said);
                }
            }
        }
    }

    fn say(&mut self, call: u64, what: &str) {
        self.tell(|| format!("call {call}: {what}"));
    }

    /// A caller is gone.
    fn forget(&mut self, call: u64) {
        self.calls.remove(&call);
        self.answers.remove(&call);
    }
}

fn brief(ask: &Ask) -> String {
    match ask {
        Ask::CreateSession { .. } => "create session".to_owned(),
        Ask::PlaceOrder { token, .. } => format!("place the order of {token}"),
        Ask::ReadSession { id } | Ask::ReadOrder { id } => format!("read {id}"),
        Ask::Capture { order, key, .. } => format!("capture {order} under {key}"),
        Ask::Refund { order, key, .. } => format!("refund {order} under {key}"),
        Ask::Cancel { order, key } => format!("cancel {order} under {key}"),
        Ask::Release { order, key } => format!("release {order} under {key}"),
        Ask::Change { change, order, key, .. } => {
            format!("{} of {order} under {key}", change.name())
        }
    }
}

fn outcome(said: &Said) -> String {
    match said {
        Ok(Reply::Id(id)) => id.clone(),
        Ok(Reply::OrderPlaced(order)) => order.order_id.as_str().to_owned(),
        Ok(_) => "done".to_owned(),
        Err(failure) => format!("{:?} {:?}", failure.status, failure.error_code),
    }
}

/// A call as its caller waits for it. It leaves when it is first looked at.
struct Exchange {
    net: Arc<Mutex<Net>>,
    ask: Option<Ask>,
    call: u64,
}

impl Future for Exchange {
    type Output = Said;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Said> {
        let ask = self.ask.take();
        let net = Arc::clone(&self.net);
        let mut net = net.lock();
        if let Some(ask) = ask {
            self.call = net.send(ask);
        }
        if let Some(said) = net.answers.remove(&self.call) {
            self.call = 0;
            return Poll::Ready(said);
        }
        net.waits_for = Some(self.call);
        Poll::Pending
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.call != 0 {
            self.net.lock().forget(self.call);
        }
    }
}

/// The port that the nodes are given.
pub(super) struct Port(pub(super) Arc<Mutex<Net>>);

impl Port {
    async fn ask<T>(&self, ask: Ask, take: impl FnOnce(Reply) -> Option<T>) -> Outcome<T> {
        let exchange = Exchange { net: Arc::clone(&self.0), ask: Some(ask), call: 0 };
        let value = take(exchange.await?).expect("Klarna answers what it was asked");
        Ok(Answer { value, status: 200, correlation_id: None })
    }

    async fn ask_for_id(&self, ask: Ask) -> Outcome<String> {
        self.ask(ask, |reply| match reply {
            Reply::Id(id) => Some(id),
            _ => None,
        })
        .await
    }

    async fn ask_for_nothing(&self, ask: Ask) -> Outcome<()> {
        self.ask(ask, |reply| matches!(reply, Reply::Nothing).then_some(())).await
    }
}

impl Klarna for Port {
    fn create_session<'a>(&'a self, body: &'a CreateSession) -> Boxed<'a, Outcome<CreatedSession>> {
        let ask = Ask::CreateSession {
            amount: body.order_amount,
            lines: body.order_lines.clone(),
            reference: body.merchant_reference1.clone(),
        };
        Box::pin(self.ask(ask, |reply| match reply {
            Reply::SessionCreated(created) => Some(created),
            _ => None,
        }))
    }

    fn update_session<'a>(&'a self, _: &'a str, _: &'a UpdateSession) -> Boxed<'a, Outcome<()>> {
        Box::pin(async { Err(failure(Effect::Refused, Some(404), Some("NOT_FOUND"))) })
    }

    fn read_session<'a>(&'a self, session_id: &'a str) -> Boxed<'a, Outcome<Session>> {
        Box::pin(self.ask(Ask::ReadSession { id: session_id.to_owned() }, |reply| match reply {
            Reply::Session(session) => Some(*session),
            _ => None,
        }))
    }

    fn place_order<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        let ask = Ask::PlaceOrder { token: token.expose().to_owned(), body: body.to_owned() };
        Box::pin(self.ask(ask, |reply| match reply {
            Reply::OrderPlaced(order) => Some(order),
            _ => None,
        }))
    }

    fn read_order<'a>(&'a self, order_id: &'a str) -> Boxed<'a, Outcome<Order>> {
        Box::pin(self.ask(Ask::ReadOrder { id: order_id.to_owned() }, |reply| match reply {
            Reply::Order(order) => Some(*order),
            _ => None,
        }))
    }

    fn capture<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        let [order, key, body] = [order, key, body].map(ToOwned::to_owned);
        Box::pin(self.ask_for_id(Ask::Capture { order, key, body }))
    }

    fn refund<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        let [order, key, body] = [order, key, body].map(ToOwned::to_owned);
        Box::pin(self.ask_for_id(Ask::Refund { order, key, body }))
    }

    fn cancel<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        let [order, key] = [order, key].map(ToOwned::to_owned);
        Box::pin(self.ask_for_nothing(Ask::Cancel { order, key }))
    }

    fn release<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        let [order, key] = [order, key].map(ToOwned::to_owned);
        Box::pin(self.ask_for_nothing(Ask::Release { order, key }))
    }

    fn change<'a>(&'a self, call: ChangeCall<'a>) -> Boxed<'a, Outcome<()>> {
        let [order, key, body] = [call.order_id, call.key, call.body].map(ToOwned::to_owned);
        Box::pin(self.ask_for_nothing(Ask::Change { change: call.change, order, key, body }))
    }

    fn due_date_options<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> Boxed<'a, Outcome<ExtendDueDateOptions>> {
        Box::pin(async { Err(failure(Effect::Refused, Some(404), Some("NOT_FOUND"))) })
    }
}

impl Accounts for Port {
    fn account(&self, _: &str, _: &str) -> Option<Arc<dyn Klarna>> {
        Some(Arc::new(Self(Arc::clone(&self.0))))
    }
}
