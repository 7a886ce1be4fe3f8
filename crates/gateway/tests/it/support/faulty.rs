//! Klarna's port over a real playground, with faults in between: calls that never arrive, answers
//! that are lost, and a process that dies while it waits.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use gateway::domain::operation::{Effect, Failure};
use gateway::engine::klarna::{Boxed, ChangeCall, Klarna, Outcome, PayoutsWanted};
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
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Nothing bad.
    Pass,
    /// It never arrives, and the caller knows.
    NotSent,
    /// It never arrives, and the caller cannot know.
    LostBefore,
    /// It takes effect, and its answer is lost.
    LostAfter,
    /// It is refused without being carried out.
    Refuse(u16, &'static str),
    /// It takes effect, and is answered with a refusal.
    EffectThenRefuse(u16, &'static str),
    /// The caller dies before it arrives.
    CrashBefore,
    /// The caller dies after it took effect.
    CrashAfter,
    /// The caller falls asleep before it arrives, and goes on much later.
    PauseBefore,
    /// The caller falls asleep after it took effect, and goes on much later.
    PauseAfter,
    /// The caller falls asleep after it took effect, and when it goes on the answer is lost.
    PauseAfterAndLose,
}

/// Numbers that look random and come again with their seed.
#[derive(Debug, Clone)]
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

#[derive(Debug, Default)]
struct Plan {
    script: VecDeque<(&'static str, Hit)>,
    chance: Option<Numbers>,
    /// (token, order) of every order that was made.
    orders: Vec<(String, String)>,
    /// Every session body.
    sessions: Vec<String>,
    /// Klarna's ids of the customer tokens that were used.
    customer_tokens: Vec<String>,
}

/// The port.
pub struct Faulty {
    inner: Arc<dyn Klarna>,
    plan: Mutex<Plan>,
    /// Fires when the process is to die.
    pub died: Notify,
    /// Fires when the process falls asleep.
    pub slept: Notify,
    /// Wakes those who sleep.
    wake: Notify,
}

fn failure(effect: Effect, status: Option<u16>, code: Option<&str>) -> Failure {
    Failure {
        effect,
        status,
        error_code: code.map(Into::into),
        error_messages: Vec::new(),
        correlation_id: None,
        retry_after_ms: None,
        summary: "as the test wished".to_owned(),
        step_up_id: None,
    }
}

impl Faulty {
    pub fn over(inner: Arc<dyn Klarna>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::default(),
            died: Notify::new(),
            slept: Notify::new(),
            wake: Notify::new(),
        })
    }

    /// The next call of this name is hit so. Several wait in line.
    pub fn hit_next(&self, call: &'static str, hit: Hit) {
        self.plan.lock().script.push_back((call, hit));
    }

    /// What still waits in line does not come.
    pub fn forget_script(&self) {
        self.plan.lock().script.clear();
    }

    /// From now on calls are hit by chance.
    pub fn rage(&self, seed: u64) {
        self.plan.lock().chance = Some(Numbers(seed));
    }

    /// No call is hit any more.
    pub fn calm(&self) {
        self.plan.lock().chance = None;
    }

    /// Those who sleep go on.
    pub fn wake_all(&self) {
        self.wake.notify_waiters();
    }

    async fn sleep(&self) {
        let woken = self.wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        self.slept.notify_one();
        woken.await;
    }

    /// The orders that were made of a token, each once.
    pub fn orders_of(&self, token: &str) -> Vec<String> {
        let plan = self.plan.lock();
        let mut orders: Vec<_> =
            plan.orders.iter().filter(|(of, _)| of == token).map(|(_, id)| id.clone()).collect();
        orders.sort();
        orders.dedup();
        orders
    }

    /// The bodies that opened sessions.
    pub fn sessions(&self) -> Vec<String> {
        self.plan.lock().sessions.clone()
    }

    /// Klarna's id of the customer token that was used last.
    pub fn newest_customer_token(&self) -> String {
        self.plan.lock().customer_tokens.last().unwrap().clone()
    }

    fn next(&self, call: &str) -> Hit {
        let mut plan = self.plan.lock();
        if plan.script.front().is_some_and(|(name, _)| *name == call) {
            return plan.script.pop_front().map_or(Hit::Pass, |(_, hit)| hit);
        }
        let Some(numbers) = &mut plan.chance else { return Hit::Pass };
        match numbers.below(100) {
            0..8 => Hit::NotSent,
            8..18 => Hit::LostBefore,
            18..30 => Hit::LostAfter,
            30..34 => Hit::CrashBefore,
            34..38 => Hit::CrashAfter,
            38..41 => Hit::PauseBefore,
            41..44 => Hit::PauseAfter,
            44..47 => Hit::PauseAfterAndLose,
            _ => Hit::Pass,
        }
    }

    async fn through<T>(&self, call: &'static str, inner: Boxed<'_, Outcome<T>>) -> Outcome<T> {
        match self.next(call) {
            Hit::Pass => inner.await,
            Hit::NotSent => Err(failure(Effect::NoneYet, None, None)),
            Hit::LostBefore => Err(failure(Effect::Unknown, None, None)),
            Hit::LostAfter => {
                let _ = inner.await;
                Err(failure(Effect::Unknown, None, None))
            }
            Hit::Refuse(status, code) => Err(failure(Effect::Refused, Some(status), Some(code))),
            Hit::EffectThenRefuse(status, code) => {
                let _ = inner.await;
                Err(failure(Effect::Refused, Some(status), Some(code)))
            }
            Hit::CrashBefore => {
                self.died.notify_one();
                pending().await
            }
            Hit::CrashAfter => {
                let _ = inner.await;
                self.died.notify_one();
                pending().await
            }
            Hit::PauseBefore => {
                self.sleep().await;
                inner.await
            }
            Hit::PauseAfter => {
                let outcome = inner.await;
                self.sleep().await;
                outcome
            }
            Hit::PauseAfterAndLose => {
                let _ = inner.await;
                self.sleep().await;
                Err(failure(Effect::Unknown, None, None))
            }
        }
    }
}

impl Klarna for Faulty {
    fn create_session<'a>(&'a self, body: &'a CreateSession) -> Boxed<'a, Outcome<CreatedSession>> {
        self.plan.lock().sessions.push(serde_json::to_string(body).unwrap());
        Box::pin(self.through("create_session", self.inner.create_session(body)))
    }

    fn update_session<'a>(
        &'a self,
        session_id: &'a str,
        body: &'a UpdateSession,
    ) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("update_session", self.inner.update_session(session_id, body)))
    }

    fn read_session<'a>(&'a self, session_id: &'a str) -> Boxed<'a, Outcome<Session>> {
        Box::pin(self.through("read_session", self.inner.read_session(session_id)))
    }

    fn place_order<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        let placed = async move {
            let outcome = self.inner.place_order(token, body).await;
            if let Ok(answer) = &outcome {
                let order_id = answer.value.order_id.as_str().to_owned();
                self.plan.lock().orders.push((token.expose().to_owned(), order_id));
            }
            outcome
        };
        Box::pin(self.through("place_order", Box::pin(placed)))
    }

    fn read_order<'a>(&'a self, order_id: &'a str) -> Boxed<'a, Outcome<Order>> {
        Box::pin(self.through("read_order", self.inner.read_order(order_id)))
    }

    fn capture<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(self.through("capture", self.inner.capture(order, key, body)))
    }

    fn refund<'a>(
        &'a self,
        order: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<String>> {
        Box::pin(self.through("refund", self.inner.refund(order, key, body)))
    }

    fn cancel<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("cancel", self.inner.cancel(order, key)))
    }

    fn release<'a>(&'a self, order: &'a str, key: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("release", self.inner.release(order, key)))
    }

    fn change<'a>(&'a self, call: ChangeCall<'a>) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through(call.change.name(), self.inner.change(call)))
    }

    fn due_date_options<'a>(
        &'a self,
        order: &'a str,
        capture: &'a str,
    ) -> Boxed<'a, Outcome<ExtendDueDateOptions>> {
        Box::pin(self.through("due_date_options", self.inner.due_date_options(order, capture)))
    }

    fn open_page<'a>(
        &'a self,
        session_id: &'a str,
        request: &'a CreatePage,
    ) -> Boxed<'a, Outcome<CreatedPage>> {
        Box::pin(self.through("open_page", self.inner.open_page(session_id, request)))
    }

    fn read_page<'a>(&'a self, page_id: &'a str) -> Boxed<'a, Outcome<Page>> {
        Box::pin(self.through("read_page", self.inner.read_page(page_id)))
    }

    fn disable_page<'a>(&'a self, page_id: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("disable_page", self.inner.disable_page(page_id)))
    }

    fn send_page<'a>(
        &'a self,
        page_id: &'a str,
        to: &'a DistributeSession,
    ) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("send_page", self.inner.send_page(page_id, to)))
    }

    fn create_customer_token<'a>(
        &'a self,
        token: &'a AuthorizationToken,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedCustomerToken>> {
        Box::pin(self.through("create_token", self.inner.create_customer_token(token, body)))
    }

    fn read_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
    ) -> Boxed<'a, Outcome<CustomerToken>> {
        self.plan.lock().customer_tokens.push(klarna_token_id.to_owned());
        Box::pin(self.through("read_token", self.inner.read_customer_token(klarna_token_id)))
    }

    fn charge_customer_token<'a>(
        &'a self,
        klarna_token_id: &'a str,
        key: &'a str,
        body: &'a str,
    ) -> Boxed<'a, Outcome<CreatedOrder>> {
        self.plan.lock().customer_tokens.push(klarna_token_id.to_owned());
        let charged = self.inner.charge_customer_token(klarna_token_id, key, body);
        Box::pin(self.through("charge", charged))
    }

    fn cancel_customer_token<'a>(&'a self, klarna_token_id: &'a str) -> Boxed<'a, Outcome<()>> {
        Box::pin(self.through("cancel_token", self.inner.cancel_customer_token(klarna_token_id)))
    }

    fn payouts(&self, wanted: PayoutsWanted) -> Boxed<'_, Outcome<PayoutCollection>> {
        Box::pin(self.through("payouts", self.inner.payouts(wanted)))
    }

    fn payout_entries<'a>(
        &'a self,
        reference: &'a str,
        offset: u64,
    ) -> Boxed<'a, Outcome<TransactionCollection>> {
        Box::pin(self.through("payout_entries", self.inner.payout_entries(reference, offset)))
    }

    fn enroll_in_disputes(&self) -> Boxed<'_, Outcome<()>> {
        Box::pin(self.through("enroll_in_disputes", self.inner.enroll_in_disputes()))
    }

    fn disputes<'a>(
        &'a self,
        changed_since_ms: Option<i64>,
        after: Option<&'a str>,
    ) -> Boxed<'a, Outcome<DisputeList>> {
        Box::pin(self.through("disputes", self.inner.disputes(changed_since_ms, after)))
    }
}
