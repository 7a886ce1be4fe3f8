//! Announces authorisations that are about to lapse, and has done what the store wants then. When
//! and what is in [`crate::domain::expiry`].

use serde_json::json;
use storage::Tx;

use super::Engine;
use super::changes::ChangeWish;
use super::commands::{self, CaptureWish, Command, Intent, NotPossible};
use crate::domain::expiry::{Due, OnExpiry, Policy};
use crate::domain::payment::{AUTHORIZATION_EXPIRING, EXPIRY_POLICY_FAILED, Payment};
use crate::fault::Fault;
use crate::store::{events, payments, policies};

/// How much is looked at in one go.
const BATCH: i64 = 100;

/// Looks at what is due.
pub(super) async fn run(engine: &Engine) -> Result<(), Fault> {
    let now_ms = engine.now_ms();
    let next = engine.database().read(payments::next_expiry_look).await?;
    if next.is_none_or(|at_ms| at_ms > now_ms) {
        return Ok(());
    }
    let ids = engine.clone();
    let acted = engine
        .database()
        .write_row_locked(move |tx| {
            let mut acted = false;
            for payment in payments::expiry_looks_due(tx, now_ms, BATCH)? {
                acted |= look(tx, payment, &ids, now_ms)?;
            }
            Ok::<_, Fault>(acted)
        })
        .await?;
    if acted {
        engine.wake();
    }
    Ok(())
}

fn look(
    tx: &mut Tx<'_>,
    mut payment: Payment,
    engine: &Engine,
    now_ms: i64,
) -> Result<bool, Fault> {
    let policy = policies::expiry(tx, &payment.store_id)?;
    let due = payment.take_due(&policy, now_ms);
    if due.is_empty() {
        // Only the calendar moved: that is no change of the payment.
        payments::keep_calendar(tx, &payment)?;
        return Ok(false);
    }
    let check_at_ms = payment.next_check_at_ms(now_ms);
    payments::update(tx, &mut payment, check_at_ms, now_ms)?;
    payments::keep_calendar(tx, &payment)?;
    let mut acted = false;
    for due in due {
        match due {
            Due::Notice { days } => announce(tx, &payment, &policy, days, now_ms)?,
            Due::Act(on_expiry) => acted |= act(tx, &payment, on_expiry, engine, now_ms)?,
        }
    }
    Ok(acted)
}

fn announce(
    tx: &mut Tx<'_>,
    payment: &Payment,
    policy: &Policy,
    days: i64,
    now_ms: i64,
) -> Result<(), Fault> {
    let data = json!({
        "days": days,
        "expires_at_ms": payment.expires_at_ms,
        "remaining": payment.amounts.remaining,
        "on_expiry": policy.on_expiry,
        "acts_at_ms": payment.acts_at_ms(policy),
    });
    let subject = (payment.id.as_str(), payment.version);
    events::append(tx, &payment.store_id, subject, AUTHORIZATION_EXPIRING, &data, now_ms)
}

/// Asks for what the store wants. The same expiry is the same intent.
fn act(
    tx: &mut Tx<'_>,
    payment: &Payment,
    on_expiry: OnExpiry,
    engine: &Engine,
    now_ms: i64,
) -> Result<bool, Fault> {
    let command = match on_expiry {
        OnExpiry::None => return Ok(false),
        OnExpiry::Extend => Command::Change(ChangeWish::ExtendAuthorization),
        OnExpiry::CaptureRemaining => Command::Capture(CaptureWish::default()),
        OnExpiry::Release if payment.amounts.captured.is_zero() => Command::Cancel,
        OnExpiry::Release => Command::Release,
    };
    let expires_at_ms = payment.expires_at_ms.unwrap_or_default();
    let intent = Intent {
        store_id: &payment.store_id,
        payment_id: &payment.id,
        dedupe: &format!("expiry/{}/{expires_at_ms}", payment.id),
        new_id: &engine.fresh_id("op"),
    };
    let not_possible = match commands::take_command(tx, intent, &command, now_ms)? {
        Ok(_) => return Ok(true),
        Err(NotPossible::Rejected(rejection)) => rejection.to_string(),
        Err(NotPossible::Limits(detail)) => detail,
        // Its calendar is drawn up anew once Klarna was asked.
        Err(NotPossible::Unknown | NotPossible::Unverified) => return Ok(false),
    };
    let data = json!({
        "on_expiry": on_expiry,
        "expires_at_ms": payment.expires_at_ms,
        "remaining": payment.amounts.remaining,
        "detail": format!("What the store wants could not be done: {not_possible}."),
        "remedy": "Capture what remains before the authorisation lapses, or give it back.",
    });
    let subject = (payment.id.as_str(), payment.version);
    events::append(tx, &payment.store_id, subject, EXPIRY_POLICY_FAILED, &data, now_ms)?;
    Ok(false)
}
