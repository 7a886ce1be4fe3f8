//! How many rows of a session's size reach the disk in a second: one flush each, in groups, and through `storage`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use storage::{Database, Error, Location, Migration};

use crate::Outcome;
use crate::report::{median, median_ratio, rate, say};

/// How long each system is measured in one round.
const ROUND: Duration = Duration::from_millis(250);
const ROUNDS: usize = 13;
/// Callers at once, and so the rows of a group when all of them wait.
pub(crate) const CALLERS: usize = 64;

const TABLE: &str = "CREATE TABLE rows (id TEXT PRIMARY KEY, merchant_id TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL, body TEXT NOT NULL)";
const MIGRATIONS: &[Migration] = &[Migration { version: 1, name: "rows", sql: TABLE }];

/// Bare SQLite with the settings that `storage` uses, driven by a loop that does nothing else.
pub(crate) struct RawSqlite {
    connection: rusqlite::Connection,
    written: u64,
    body: String,
}

impl RawSqlite {
    pub(crate) fn open(path: &Path, body: &str) -> Outcome<Self> {
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000; {TABLE};"
        ))?;
        Ok(Self { connection, written: 0, body: body.to_owned() })
    }

    /// Rows per second when `group` rows share a commit.
    pub(crate) fn measure(&mut self, group: u64, how_long: Duration) -> Outcome<f64> {
        let started = Instant::now();
        let before = self.written;
        while started.elapsed() < how_long {
            let transaction = self.connection.transaction()?;
            {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO rows VALUES (?1, ?2, ?3, ?4)")?;
                for _ in 0..group {
                    self.written += 1;
                    insert.execute((
                        random_like_id(self.written),
                        "K123456",
                        1_750_000_000_000_i64,
                        &self.body,
                    ))?;
                }
            }
            transaction.commit()?;
        }
        Ok(rate(self.written - before, started.elapsed()))
    }
}

/// Ids spread over the key space, as random ones do, without the cost of making random ones.
fn random_like_id(n: u64) -> String {
    let (high, low) =
        (n.wrapping_mul(0x9E37_79B9_7F4A_7C15), n.wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    format!("{:08x}-{:04x}-{:04x}-{low:016x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff)
}

/// Rows per second through `Database::write`, `CALLERS` tasks, each waiting until its row is durable.
async fn through_storage(
    database: &Database,
    written: &Arc<AtomicU64>,
    body: &Arc<str>,
    how_long: Duration,
) -> Outcome<f64> {
    let stop = Arc::new(AtomicBool::new(false));
    let (started, before) = (Instant::now(), written.load(Ordering::Relaxed));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (database, written) = (database.clone(), Arc::clone(written));
            let (body, stop) = (Arc::clone(body), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = random_like_id(written.fetch_add(1, Ordering::Relaxed) + 1);
                    let body = Arc::clone(&body);
                    let row: Result<u64, Error> = database
                        .write(move |tx| {
                            tx.execute(
                                "INSERT INTO rows VALUES ($1, $2, $3, $4)",
                                &[&id, &"K123456", &1_750_000_000_000_i64, &body],
                            )
                        })
                        .await;
                    row?;
                }
                Ok::<(), Error>(())
            })
        })
        .collect();
    tokio::time::sleep(how_long).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await??;
    }
    Ok(rate(written.load(Ordering::Relaxed) - before, started.elapsed()))
}

/// Units per second that do nothing: what the way to the writer, the group and the answer cost by themselves.
async fn empty_units(database: &Database, how_long: Duration) -> Outcome<f64> {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (database, stop) = (database.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut done = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    database.write(|_| Ok::<(), Error>(())).await?;
                    done += 1;
                }
                Ok::<u64, Error>(done)
            })
        })
        .collect();
    tokio::time::sleep(how_long).await;
    stop.store(true, Ordering::Relaxed);
    let mut done = 0;
    for caller in callers {
        done += caller.await??;
    }
    Ok(rate(done, started.elapsed()))
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let body: Arc<str> = Arc::from("x".repeat(1_500));
    let mut raw_single = RawSqlite::open(&folder.path().join("single.db"), &body)?;
    let mut raw_group = RawSqlite::open(&folder.path().join("group.db"), &body)?;
    let database =
        Database::open(&Location::File(folder.path().join("storage.db")), MIGRATIONS).await?;
    let memory = Database::open(&Location::Memory, MIGRATIONS).await?;
    let (in_file, in_memory) = (Arc::default(), Arc::default());

    let mut empty = vec![];
    let (mut single, mut group, mut storage, mut without_disk) = (vec![], vec![], vec![], vec![]);
    let group_rows = u64::try_from(CALLERS)?;
    for _ in 0..ROUNDS {
        single.push(raw_single.measure(1, ROUND)?);
        group.push(raw_group.measure(group_rows, ROUND)?);
        storage.push(through_storage(&database, &in_file, &body, ROUND).await?);
        empty.push(empty_units(&memory, ROUND / 2).await?);
        without_disk.push(through_storage(&memory, &in_memory, &body, ROUND / 2).await?);
    }
    database.close().await;
    let gained = median_ratio(&group, &single);
    let storage_to_single = median_ratio(&storage, &single);
    let storage_to_group = median_ratio(&storage, &group);
    say("sqlite.raw.one_row_per_commit", median(single), "rows/s");
    say("sqlite.raw.group_of_64", median(group), "rows/s");
    say("sqlite.raw.group_of_64.to.one_row_per_commit", gained, "ratio");
    say("storage.write.64_callers", median(storage), "rows/s");
    say("storage.write.64_callers.to.one_row_per_commit", storage_to_single, "ratio");
    say("storage.write.64_callers.to.raw_group", storage_to_group, "ratio");
    say("storage.write.64_callers.in_memory", median(without_disk), "rows/s");
    say("storage.write.64_callers.empty_units", median(empty), "units/s");
    Ok(())
}
