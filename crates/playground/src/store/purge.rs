//! Forgetting what nobody can ask for any more: answers that are not repeated after a day, sessions
//! after their end, with their authorizations and purchase flows, messages and callbacks after a month,
//! and disputes long after they were closed, with their files.
//!
//! What is due is looked up apart from its removal, so that the search holds up no writer; the removal
//! looks again, as a key may have been used anew meanwhile. Both work on a bounded number of rows, and
//! the caller repeats them until nothing is left. Rows stand in the order of their age, so that a
//! search without an index ends early while there is much to do.

use storage::{Migration, Tx};

use crate::domain::idempotency::{RETENTION_MS, Scope};
use crate::domain::session::KEPT_AFTER_END_MS;
use crate::store::{customer_tokens, disputes, hosted_pages, payment_requests};

/// What the search needs.
pub(crate) const MIGRATION: Migration = Migration {
    version: 41,
    name: "purge",
    sql: "CREATE INDEX customer_tokens_to_forget ON customer_tokens (created_at_ms)
            WHERE request <> ''",
};

/// How many rows of each kind are handled at once.
const BATCH: i64 = 200;

/// How long callbacks are kept after they were caused, once their delivery has ended.
const CALLBACKS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How long messages to shoppers are kept after they were sent. Their links live two days at most.
const MESSAGES_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What is to be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Due {
    answers: Vec<Scope>,
    sessions: Vec<String>,
    /// Authorizations whose order is not answered again.
    orders: Vec<String>,
    /// Customer tokens whose making is not answered again.
    tokens: Vec<String>,
    /// Customer tokens that were cancelled long ago.
    cancelled: Vec<String>,
    /// Callbacks whose deliveries ended long ago.
    callbacks: Vec<String>,
    /// Refused charges that can no longer be recovered.
    step_ups: Vec<String>,
    /// Messages that were sent long ago.
    messages: Vec<String>,
    /// Disputes that were closed long ago.
    disputes: Vec<String>,
}

impl Due {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Looks up some of what may be forgotten at `now_ms`.
pub(crate) fn find(tx: &mut Tx<'_>, now_ms: i64) -> Result<Due, storage::Error> {
    let (answered_ms, ended_ms) = cutoffs(now_ms);
    let answers = tx.query(
        "SELECT merchant_id, operation, idempotency_key FROM idempotent_answers
         WHERE created_at_ms <= $1 LIMIT $2",
        &[&answered_ms, &BATCH],
    )?;
    let answers = answers
        .iter()
        .map(|row| {
            let merchant_id: String = row.get(0)?;
            let merchant_id = merchant_id.into();
            Ok(Scope { merchant_id, operation: row.get(1)?, key: row.get(2)? })
        })
        .collect::<Result<_, storage::Error>>()?;
    Ok(Due {
        answers,
        callbacks: ids(
            tx,
            "SELECT delivery_id FROM callback_deliveries
             WHERE created_at_ms <= $1 AND state <> 'pending' LIMIT $2",
            now_ms.saturating_sub(CALLBACKS_KEPT_MS),
        )?,
        sessions: ids(
            tx,
            "SELECT session_id FROM sessions WHERE expires_at_ms <= $1 LIMIT $2",
            ended_ms,
        )?,
        orders: ids(
            tx,
            "SELECT authorization_token FROM authorizations
             WHERE state = 'ordered' AND ended_at_ms <= $1 AND request <> '' LIMIT $2",
            answered_ms,
        )?,
        tokens: ids(
            tx,
            "SELECT token_id FROM customer_tokens
             WHERE created_at_ms <= $1 AND request <> '' LIMIT $2",
            answered_ms,
        )?,
        cancelled: customer_tokens::cancelled_long_ago(tx, now_ms, BATCH)?,
        step_ups: customer_tokens::old_step_ups(tx, now_ms, BATCH)?,
        messages: ids(
            tx,
            "SELECT message_id FROM outbox_messages WHERE sent_at_ms <= $1 LIMIT $2",
            now_ms.saturating_sub(MESSAGES_KEPT_MS),
        )?,
        disputes: disputes::closed_long_ago(tx, now_ms, BATCH)?,
    })
}

/// Forgets it, as far as it is still due.
pub(crate) fn forget(tx: &mut Tx<'_>, due: &Due, now_ms: i64) -> Result<(), storage::Error> {
    let (answered_ms, ended_ms) = cutoffs(now_ms);
    for scope in &due.answers {
        tx.execute(
            "DELETE FROM idempotent_answers
             WHERE merchant_id = $1 AND idempotency_key = $2 AND operation = $3
               AND created_at_ms <= $4",
            &[&scope.merchant_id.as_str(), &scope.key, &scope.operation, &answered_ms],
        )?;
    }
    for session_id in &due.sessions {
        let deleted = tx.execute(
            "DELETE FROM sessions WHERE session_id = $1 AND expires_at_ms <= $2",
            &[session_id, &ended_ms],
        )?;
        if deleted == 0 {
            continue;
        }
        hosted_pages::forget(tx, session_id)?;
        payment_requests::forget(tx, session_id)?;
        for statement in [
            "DELETE FROM flow_events WHERE flow_id IN
               (SELECT flow_id FROM flows WHERE session_id = $1)",
            "DELETE FROM flows WHERE session_id = $1",
            "DELETE FROM session_events WHERE session_id = $1",
            "DELETE FROM authorizations WHERE session_id = $1",
            "DELETE FROM distribution_events WHERE session_id = $1",
            "DELETE FROM distributions WHERE session_id = $1",
        ] {
            tx.execute(statement, &[session_id])?;
        }
    }
    for delivery_id in &due.callbacks {
        let deleted = tx.execute(
            "DELETE FROM callback_deliveries WHERE delivery_id = $1 AND state <> 'pending'",
            &[delivery_id],
        )?;
        if deleted > 0 {
            tx.execute("DELETE FROM callback_attempts WHERE delivery_id = $1", &[delivery_id])?;
        }
    }
    for authorization_token in &due.orders {
        tx.execute(
            "UPDATE authorizations SET request = '', answer = '' WHERE authorization_token = $1",
            &[authorization_token],
        )?;
    }
    for token_id in &due.tokens {
        tx.execute(
            "UPDATE customer_tokens SET request = '', answer = '' WHERE token_id = $1",
            &[token_id],
        )?;
    }
    for token_id in &due.cancelled {
        customer_tokens::forget(tx, token_id)?;
    }
    for step_up_id in &due.step_ups {
        customer_tokens::forget_step_up(tx, step_up_id)?;
    }
    for message_id in &due.messages {
        tx.execute("DELETE FROM outbox_messages WHERE message_id = $1", &[message_id])?;
    }
    for dispute_id in &due.disputes {
        disputes::forget(tx, dispute_id)?;
    }
    Ok(())
}

/// What was answered, and what ended, by these instants is forgotten.
fn cutoffs(now_ms: i64) -> (i64, i64) {
    (now_ms.saturating_sub(RETENTION_MS), now_ms.saturating_sub(KEPT_AFTER_END_MS))
}

fn ids(tx: &mut Tx<'_>, sql: &'static str, until_ms: i64) -> Result<Vec<String>, storage::Error> {
    tx.query(sql, &[&until_ms, &BATCH])?.iter().map(|row| row.get(0)).collect()
}

#[cfg(test)]
mod tests {
    use storage::{Database, Location};

    use super::*;
    use crate::domain::idempotency::StoredAnswer;
    use crate::store::migrations::MIGRATIONS;
    use crate::store::{idempotency, sessions};

    fn scope(key: &str) -> Scope {
        Scope { merchant_id: "K1".into(), operation: "POST /x".to_owned(), key: key.to_owned() }
    }

    fn count(tx: &mut Tx<'_>, sql: &'static str) -> Result<i64, storage::Error> {
        tx.query_one(sql, &[])?.get(0)
    }

    #[tokio::test]
    async fn batches_are_bounded_and_come_to_an_end() {
        const NOW_MS: i64 = KEPT_AFTER_END_MS + 1_000;
        let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
        db.write(|tx| {
            for number in 0..450 {
                let expires_at_ms = if number < 430 { 1_000 } else { 1_001 };
                sessions::insert(tx, &format!("s{number}"), "K1", 0, expires_at_ms, "{}")?;
            }
            let mut rounds = 0;
            loop {
                let due = find(tx, NOW_MS)?;
                if due.is_empty() {
                    break;
                }
                assert!(due.sessions.len() <= usize::try_from(BATCH).unwrap());
                forget(tx, &due, NOW_MS)?;
                rounds += 1;
            }
            assert_eq!(rounds, 3);
            assert_eq!(count(tx, "SELECT COUNT(*) FROM sessions")?, 20);
            Ok::<_, storage::Error>(())
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_key_that_was_used_anew_meanwhile_is_kept() {
        let answer = StoredAnswer {
            status: 204,
            headers: "{}".to_owned(),
            body: String::new(),
            request: None,
        };
        let db = Database::open(&Location::Memory, MIGRATIONS).await.unwrap();
        db.write(move |tx| {
            idempotency::keep(tx, &scope("a"), &answer, 0)?;
            idempotency::keep(tx, &scope("b"), &answer, 0)?;
            let due = find(tx, RETENTION_MS)?;
            assert_eq!(due.answers.len(), 2);
            idempotency::keep(tx, &scope("a"), &answer, RETENTION_MS)?;
            forget(tx, &due, RETENTION_MS)?;
            assert!(idempotency::find(tx, &scope("a"), RETENTION_MS)?.is_some());
            assert_eq!(count(tx, "SELECT COUNT(*) FROM idempotent_answers")?, 1);
            Ok::<_, storage::Error>(())
        })
        .await
        .unwrap();
    }
}
