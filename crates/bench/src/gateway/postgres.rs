//! PostgreSQL alone: rows that so many connections insert, each committed by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::Outcome;
use crate::report::rate;

/// A connection, and the table that is written to.
pub(super) async fn connect(url: &str) -> Outcome<Arc<Client>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client.
    tokio::spawn(async move { connection.await.is_ok() });
    client
        .batch_execute(
            "SELECT pg_advisory_lock(1);
             CREATE TABLE IF NOT EXISTS bare_rows (id TEXT PRIMARY KEY, body TEXT NOT NULL);
             SELECT pg_advisory_unlock(1);",
        )
        .await?;
    Ok(Arc::new(client))
}

/// Rows per second.
pub(super) async fn measure(
    clients: &[Arc<Client>],
    body: &str,
    how_long: Duration,
) -> Outcome<f64> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let stop = Arc::new(AtomicBool::new(false));
    let body = Arc::new(body.to_owned());
    let (started, before) = (Instant::now(), WRITTEN.load(Ordering::Relaxed));
    let tasks: Vec<_> = clients
        .iter()
        .map(|client| {
            let (client, stop, body) = (Arc::clone(client), Arc::clone(&stop), Arc::clone(&body));
            tokio::spawn(async move {
                let insert = client.prepare("INSERT INTO bare_rows VALUES ($1, $2)").await?;
                while !stop.load(Ordering::Relaxed) {
                    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
                    let id = format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    client.execute(&insert, &[&id, &*body]).await?;
                }
                Ok::<_, tokio_postgres::Error>(())
            })
        })
        .collect();
    tokio::time::sleep(how_long).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(rate(WRITTEN.load(Ordering::Relaxed) - before, started.elapsed()))
}
