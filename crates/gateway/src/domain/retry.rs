//! When a call to Klarna is repeated.
//!
//! One quick repeat, for the hiccup of a moment, and then what Klarna publishes for order management:
//! "5 seconds, 5 minutes, 5 hours, then a person". All of it is in the journal and survives a
//! restart, and all of it stays inside the 24 hours for which an idempotency key is honoured. The SDK
//! repeats no call that changes something: two schedules over each other could not say honestly what
//! is known of an effect.

use super::operation::Kind;

/// After this long under one key a repeat is no longer known to be recognised as one.
pub const KEY_WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

const QUICK_MS: i64 = 300;
const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

/// Klarna's own schedule for order management, after one quick repeat.
const ORDER_MANAGEMENT_MS: [i64; 4] = [QUICK_MS, 5 * SECOND_MS, 5 * MINUTE_MS, 300 * MINUTE_MS];

/// A shopper may be looking at the page, and the token dies after 60 minutes: closer together at
/// first. The last repeat comes after that: an order that was made is still answered then.
const PLACE_ORDER_MS: [i64; 7] = [
    QUICK_MS,
    2 * SECOND_MS,
    10 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    120 * MINUTE_MS,
];

/// Charging customer tokens: an outage of hours must not leave a whole night's charges to a person.
const CHARGE_MS: [i64; 8] = [
    QUICK_MS,
    5 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    120 * MINUTE_MS,
    300 * MINUTE_MS,
    600 * MINUTE_MS,
];

/// The longest wait that an answer's `Retry-After` may ask for before we use our own schedule.
const LONGEST_ASKED_MS: i64 = 60 * MINUTE_MS;

/// When attempt number `attempts` (the first is 1) has failed: the wait before the next one, or
/// `None` when the schedule is used up.
///
/// `asked_ms` is what the answer asked for (`Retry-After`, rate-limit headers); it lengthens a
/// wait and never shortens it.
pub fn wait_ms(kind: Kind, attempts: i64, asked_ms: Option<i64>) -> Option<i64> {
    let schedule: &[i64] = match kind {
        Kind::PlaceOrder | Kind::CreateToken => &PLACE_ORDER_MS,
        Kind::Capture
        | Kind::Refund
        | Kind::Cancel
        | Kind::Release
        | Kind::Change(_)
        | Kind::CancelToken => &ORDER_MANAGEMENT_MS,
        Kind::Charge => &CHARGE_MS,
    };
    let index = usize::try_from(attempts.max(1) - 1).ok()?;
    let own = *schedule.get(index)?;
    Some(own.max(asked_ms.unwrap_or(0).clamp(0, LONGEST_ASKED_MS)))
}

/// How often Klarna is asked before the schedule is used up.
pub fn tries(kind: Kind) -> i64 {
    let mut tries = 1;
    while wait_ms(kind, tries, None).is_some() {
        tries += 1;
    }
    tries
}

/// The wait before a read (of a session, of an order) is repeated, growing with each failure, or
/// `None` when it is left to the next periodic check. Reads change nothing: giving up is harmless.
pub fn read_wait_ms(attempts: i64) -> Option<i64> {
    match attempts {
        ..=1 => Some(SECOND_MS),
        2 => Some(5 * SECOND_MS),
        3 => Some(30 * SECOND_MS),
        4 => Some(5 * MINUTE_MS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_ends_within_the_window_of_a_key() {
        for kind in Kind::ALL {
            let mut total = 0;
            let mut attempts = 1;
            while let Some(wait) = wait_ms(kind, attempts, Some(i64::MAX)) {
                assert!(wait > 0);
                total += wait;
                attempts += 1;
                assert!(attempts < 20, "the schedule of {kind:?} does not end");
            }
            assert!(total < KEY_WINDOW_MS, "{kind:?}: {total} ms");
        }
    }

    #[test]
    fn order_management_follows_the_published_schedule() {
        let waits: Vec<_> = (1..=5).map(|n| wait_ms(Kind::Capture, n, None)).collect();
        assert_eq!(waits, [Some(300), Some(5_000), Some(300_000), Some(18_000_000), None]);
    }

    #[test]
    fn a_schedule_has_one_try_more_than_waits() {
        assert_eq!(tries(Kind::Capture), 5);
        assert_eq!(tries(Kind::PlaceOrder), 8);
    }

    #[test]
    fn an_answer_may_ask_for_more_patience_but_not_for_less() {
        assert_eq!(wait_ms(Kind::Refund, 1, Some(9_000)), Some(9_000));
        assert_eq!(wait_ms(Kind::Refund, 2, Some(1_000)), Some(5_000));
        assert_eq!(wait_ms(Kind::Refund, 2, Some(-5)), Some(5_000));
    }
}
