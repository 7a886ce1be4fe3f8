//! What is due by now, written down: each charge once, in the unit of work that moves its subscription
//! on. Nothing here talks to Klarna.
//!
//! A second node, or the same one after a crash, finds either the subscription as it was, and wants the
//! same operation under the same key; or the subscription moved on, and nothing due.

use serde_json::json;
use storage::Tx;

use super::{charges, recovery};
use crate::domain::subscription::{Due, Subscription};
use crate::fault::Fault;
use crate::store::events;
use crate::store::subscriptions::{self, ChargeStatus};

/// How long a shopper who is just paying is waited for before it is looked at again.
const LOOK_AGAIN_MS: i64 = 60 * 1000;

/// Does what is due, of so many subscriptions at the most.
pub(crate) fn run_due(tx: &mut Tx<'_>, now_ms: i64, limit: i64) -> Result<(), Fault> {
    for mut subscription in subscriptions::due(tx, now_ms, limit)? {
        run(tx, &mut subscription, now_ms)?;
    }
    Ok(())
}

/// Does what is due of one subscription, which this unit of work has locked.
pub(crate) fn run(
    tx: &mut Tx<'_>,
    subscription: &mut Subscription,
    now_ms: i64,
) -> Result<(), Fault> {
    // A shopper's help and the next try must not both pay.
    if recovery::close(tx, subscription, now_ms)? == recovery::Closed::ShopperIsPaying {
        return subscriptions::set_due_at(tx, &subscription.id, Some(now_ms + LOOK_AGAIN_MS));
    }
    let plan_before = subscription.plan_id.clone();
    let due = subscription.run(now_ms);
    subscriptions::update(tx, subscription, now_ms)?;
    let subject = (subscription.id.as_str(), subscription.version);
    if subscription.plan_id != plan_before {
        let data = json!({
            "subscription_id": subscription.id,
            "plan_id": subscription.plan_id,
            "next_charge_at_ms": subscription.next_charge_at_ms(),
        });
        let store_id = &subscription.store_id;
        events::append(tx, store_id, subject, "subscription.plan_changed", &data, now_ms)?;
    }
    match due {
        Due::Nothing => Ok(()),
        Due::Charge(attempt) => charges::ask(tx, subscription, attempt, now_ms),
        Due::Ended => charges::tell_ended(tx, subscription, now_ms),
        Due::GaveUp { number, how: _ } => {
            let id = &subscription.id;
            charges::put_status(tx, id, number, ChargeStatus::GivenUp, None, now_ms)?;
            charges::tell_stopped(tx, subscription, now_ms)
        }
    }
}
