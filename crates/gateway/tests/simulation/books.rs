//! After a history: Klarna's books and the gateway's say the same, and every intent took effect exactly
//! once or was reported as not done. What waits for a person gets one, who looks into Klarna's books.

use klarna_types::MinorUnits;
use klarna_types::order_management::Order;

use super::world::{Answer, History, Seen, Wanting, at_once};
use crate::app::DEFAULT_STORE;
use crate::domain::figures::{Figure, Sums};
use crate::domain::journal::Operation;
use crate::domain::operation::{Kind, State};
use crate::domain::payment::Payment;
use crate::engine::attention::{self, Act, Word};
use crate::engine::changes::ChangeWish;
use crate::engine::commands::Command;
use crate::store::figures;
use crate::store::operations::{self, BACKGROUND, INTERACTIVE};

/// What is wrong, for people.
type Checked = Result<(), String>;

impl History<'_> {
    /// Lives on until nothing is in flight, and compares the books.
    pub(super) fn conclude(mut self) -> Result<Seen, (String, Vec<String>)> {
        self.calm_down();
        let checked = self.settle().and_then(|()| self.compare());
        let told = self.net.lock().told.take().unwrap_or_default();
        match checked {
            Ok(()) => Ok(self.end()),
            Err(wrong) => Err((wrong, told)),
        }
    }

    fn operations(&self) -> Vec<Operation> {
        let all =
            self.stage.database.read(|tx| operations::list(tx, DEFAULT_STORE, None, None, 1000));
        at_once(all).unwrap()
    }

    fn settle(&mut self) -> Checked {
        for _ in 0..300 {
            self.rest()?;
            let waiting: Vec<_> = self
                .operations()
                .into_iter()
                .filter(|operation| operation.state == State::NeedsAttention)
                .collect();
            for operation in &waiting {
                self.seen.helped += 1;
                self.help(operation)?;
            }
            if !waiting.is_empty() {
                continue;
            }
            let next = at_once(self.stage.database.read(|tx| {
                let next = [INTERACTIVE.next_due_at(tx)?, BACKGROUND.next_due_at(tx)?];
                Ok::<_, crate::Fault>(next.into_iter().flatten().min())
            }))
            .unwrap();
            match next {
                // Nodes' clocks differ: a little later it is due for all of them.
                Some(at_ms) => self.move_on_to(at_ms + 5_000),
                None if self.operations().iter().all(|each| !each.state.holds_amount()) => {
                    return Ok(());
                }
                // Somebody waits for Klarna's decision.
                None => {
                    self.net.lock().books.decide_a_review(true);
                    let later_ms = self.now_ms() + 11 * 60 * 1000;
                    self.move_on_to(later_ms);
                }
            }
        }
        Err(format!("operations do not end: {:#?}", self.operations()))
    }

    /// A person looks at what waits for one.
    fn help(&self, operation: &Operation) -> Checked {
        let engine = self.any_engine();
        let act = Act {
            store_id: DEFAULT_STORE.to_owned(),
            operation_id: operation.id.clone(),
            version: Some(operation.version),
            by: "a person".to_owned(),
            note: "looked".to_owned(),
        };
        let looked = self.drive(attention::look(&engine, act.clone()));
        if looked.map_err(|fault| fault.to_string())?.is_ok() {
            return Ok(());
        }
        if operation.kind != Kind::PlaceOrder {
            return Err(format!("the books do not tell of {operation:#?}"));
        }
        let session_id = self
            .checkouts
            .iter()
            .find(|checkout| checkout.id == operation.checkout_id)
            .map(|checkout| checkout.session.id.clone())
            .unwrap_or_default();
        let made = self.net.lock().books.orders_of(&session_id);
        let word = match made.first() {
            Some(id) => Word::Done { klarna_id: Some(id.clone()) },
            None => Word::Refused,
        };
        let settled = self.drive(attention::settle(&engine, act, word));
        match settled {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(not_done)) => Err(format!("a person cannot settle it: {not_done:?}")),
            Err(fault) => Err(fault.to_string()),
        }
    }

    fn compare(&mut self) -> Checked {
        let operations = self.operations();
        for checkout in 0..self.checkouts.len() {
            let made = self.net.lock().books.orders_of(&self.checkouts[checkout].session.id);
            let payment = self.payment_of(checkout);
            let kept: Vec<_> =
                payment.iter().map(|payment| payment.klarna_order_id.clone()).collect();
            if made != kept {
                return Err(format!("Klarna has made {made:?}, the gateway keeps {kept:?}"));
            }
            if let Some(payment) = payment {
                let order = self.net.lock().books.orders[&payment.klarna_order_id].clone();
                same_sums(&payment, &order)?;
                self.seen.payments += 1;
            }
        }
        self.every_intent_once(&operations)?;
        self.same_figures()?;
        if let Some(id) = &self.asked_after_the_end {
            return Err(format!("Klarna was asked for {id}, which had ended"));
        }
        let changed = at_once(self.stage.database.read(|tx| {
            tx.query_one("SELECT COUNT(*) FROM changed_after_the_end", &[])?.get::<i64>(0)
        }))
        .unwrap();
        if changed > 0 {
            return Err("what had ended was changed".to_owned());
        }
        let alarms = at_once(self.stage.database.read(|tx| {
            let sql = "SELECT type || ' ' || document FROM events WHERE type LIKE '%alarm'";
            let rows = tx.query(sql, &[])?;
            rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, storage::Error>>()
        }))
        .unwrap();
        if !alarms.is_empty() {
            return Err(format!("the gateway was alarmed for nothing: {alarms:?}"));
        }
        for operation in &operations {
            match operation.state {
                State::Done if operation.kind != Kind::PlaceOrder => self.seen.effects += 1,
                State::Refused => self.seen.refused += 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The figures come to what the payments come to, folded or not.
    fn same_figures(&self) -> Checked {
        let (found, payments) = at_once(self.stage.database.read(|tx| {
            let found = figures::find(tx, DEFAULT_STORE, 0, i64::MAX / 2)?;
            let row = tx.query_one(
                "SELECT COUNT(*), COALESCE(SUM(authorized_minor), 0),
                        COALESCE(SUM(captured_minor), 0), COALESCE(SUM(refunded_minor), 0)
                 FROM payments",
                &[],
            )?;
            let sums: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok::<_, crate::Fault>((found, sums))
        }))
        .unwrap();
        let mut ever = Sums::default();
        for each in &found.ever {
            ever.add(each.figure, each.by);
        }
        let of = |figure| ever.of(figure).minor;
        let counted = [
            ever.of(Figure::Authorized).times,
            of(Figure::Authorized),
            of(Figure::Captured),
            of(Figure::Refunded),
        ];
        if counted == payments {
            Ok(())
        } else {
            Err(format!("the figures say {counted:?}, the payments {payments:?}"))
        }
    }

    fn every_intent_once(&self, operations: &[Operation]) -> Checked {
        for (number, intent) in self.intents.iter().enumerate() {
            let Some(answer) = &intent.answer else {
                return Err(format!("intent {number} was never answered"));
            };
            let Wanting::Command { payment_id, command } = &intent.wish else { continue };
            let operation = match answer {
                Answer::Operation(id) => {
                    let found = operations.iter().find(|operation| operation.id == *id);
                    Some(found.ok_or(format!("intent {number}: operation {id} is gone"))?)
                }
                Answer::No => None,
            };
            let wanted = usize::from(operation.is_some_and(|found| found.state == State::Done));
            let Some(reference) = reference_of(command) else { continue };
            let net = self.net.lock();
            let times = (0..self.checkouts.len())
                .filter_map(|checkout| self.payment_of(checkout))
                .filter(|payment| payment.id == *payment_id)
                .map(|payment| times(&net.books.orders[&payment.klarna_order_id], reference))
                .sum::<usize>();
            if times != wanted {
                return Err(format!(
                    "intent {number} ({reference}) took effect {times} times and not {wanted}: \
                     {operation:#?}"
                ));
            }
        }
        Ok(())
    }
}

fn reference_of(command: &Command) -> Option<&str> {
    match command {
        Command::Capture(wish) => wish.reference.as_deref(),
        Command::Refund(wish) => wish.reference.as_deref(),
        Command::Change(ChangeWish::AddShippingInfo { parcels, .. }) => {
            parcels.first()?.tracking_number.as_deref()
        }
        _ => None,
    }
}

/// How often something with this reference stands in an order.
fn times(order: &Order, reference: &str) -> usize {
    let captures = order.captures.iter().map(|capture| &capture.reference);
    let refunds = order.refunds.iter().map(|refund| &refund.reference);
    let parcels = order.shipping_info.iter().map(|parcel| &parcel.tracking_number);
    captures.chain(refunds).chain(parcels).filter(|of| of.as_deref() == Some(reference)).count()
}

fn same_sums(payment: &Payment, order: &Order) -> Checked {
    let amounts = &payment.amounts;
    if !amounts.are_sound() {
        return Err(format!("these sums cannot be: {amounts:?}"));
    }
    let sums: [(&str, MinorUnits, MinorUnits); 4] = [
        ("authorized", amounts.authorized, order.order_amount),
        ("captured", amounts.captured, order.captured_amount),
        ("refunded", amounts.refunded, order.refunded_amount),
        ("remaining", amounts.remaining, order.remaining_authorized_amount),
    ];
    for (what, ours, theirs) in sums {
        if ours != theirs {
            return Err(format!("{what}: {ours} here, {theirs} at Klarna"));
        }
    }
    let status = order.status.as_str().to_lowercase();
    if payment.status.name() != status {
        return Err(format!("{} here, {status} at Klarna", payment.status.name()));
    }
    let ours = (payment.captures.len(), payment.refunds.len());
    if ours != (order.captures.len(), order.refunds.len()) {
        return Err(format!("captures and refunds: {ours:?} here"));
    }
    let (ours, theirs) = (payment.shipping_info.len(), order.shipping_info.len());
    if ours != theirs {
        return Err(format!("parcels: {ours} here, {theirs} at Klarna"));
    }
    Ok(())
}
