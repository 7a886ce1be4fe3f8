//! Answers kept for a day under an idempotency key.

use storage::{Migration, Tx};

use crate::domain::idempotency::{RETENTION_MS, Scope, StoredAnswer};

/// Its table.
pub(crate) const MIGRATION: Migration = Migration {
    version: 13,
    name: "idempotency",
    sql: "CREATE TABLE idempotent_answers (
            merchant_id TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            operation TEXT NOT NULL,
            status BIGINT NOT NULL,
            headers TEXT NOT NULL,
            body TEXT NOT NULL,
            created_at_ms BIGINT NOT NULL,
            PRIMARY KEY (merchant_id, idempotency_key, operation)
          )",
};

/// The answer that was given under this key within the last day.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    now_ms: i64,
) -> Result<Option<StoredAnswer>, storage::Error> {
    let row = tx.query_opt(
        "SELECT status, headers, body, request FROM idempotent_answers
         WHERE merchant_id = $1 AND idempotency_key = $2 AND operation = $3 AND created_at_ms > $4",
        &[
            &scope.merchant_id.as_str(),
            &scope.key,
            &scope.operation,
            &now_ms.saturating_sub(RETENTION_MS),
        ],
    )?;
    row.map(|row| {
        Ok(StoredAnswer {
            status: row.get(0)?,
            headers: row.get(1)?,
            body: row.get(2)?,
            request: row.get(3)?,
        })
    })
    .transpose()
}

/// Keeps an answer. An older one under the same key, which [`find`] no longer gives, is replaced.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    scope: &Scope,
    answer: &StoredAnswer,
    now_ms: i64,
) -> Result<(), storage::Error> {
    tx.execute(
        "INSERT INTO idempotent_answers
           (merchant_id, idempotency_key, operation, status, headers, body, created_at_ms, request)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (merchant_id, idempotency_key, operation) DO UPDATE SET
           status = excluded.status, headers = excluded.headers, body = excluded.body,
           created_at_ms = excluded.created_at_ms, request = excluded.request",
        &[
            &scope.merchant_id.as_str(),
            &scope.key,
            &scope.operation,
            &i64::from(answer.status),
            &answer.headers,
            &answer.body,
            &now_ms,
            &answer.request,
        ],
    )?;
    Ok(())
}
