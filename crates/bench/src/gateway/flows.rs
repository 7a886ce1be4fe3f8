//! Payments in a second: checkout opened, order placed, captured.
//!
//! What the storage engine could do at best is measured beside it: rows as large as what such a payment leaves behind,
//! as many as it takes separate commits, written by the bare engine in groups of as many as there are callers. How many
//! commits that is, and how much is left, is read from the gateway's own files while one caller makes payments alone.

use std::path::Path;
use std::time::Duration;

use super::{Gateway, Klarna, POSTGRES, Store, flow, on_sqlite};
use crate::Outcome;
use crate::report::{median, median_ratio, say};
use crate::sqlite::{CALLERS, RawSqlite};

const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 7;
/// Payments in a round.
const PAYMENTS: usize = 256;
/// Payments by which the commits of one are counted.
const COUNTED: usize = 16;
/// Payments by which what one leaves behind is weighed.
const WEIGHED: usize = 1_024;

/// Measures and reports.
pub(crate) async fn measure(kassa: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let klarna = Klarna::start().await?;
    let gateway = on_sqlite(kassa, &data, klarna.address).await?;
    let file = database_in(&data)?;
    flow(&gateway, "first", 1, 1).await?;
    let (before, _) = commits(&file)?;
    flow(&gateway, "counted", COUNTED, 1).await?;
    let (after, _) = commits(&file)?;
    let commits = ratio(after.saturating_sub(before), COUNTED);
    say("gateway.flow.commits", commits, "commits");
    let before = size(&file)?;
    flow(&gateway, "weighed", WEIGHED, CALLERS).await?;
    let bytes = ratio(usize::try_from(size(&file)?.saturating_sub(before))?, WEIGHED);
    say("gateway.flow.stored", bytes / 1024.0, "KiB");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some kilobytes, and never below nothing"
    )]
    let row = "x".repeat((bytes / commits.max(1.0)) as usize);
    let mut raw = RawSqlite::open(&folder.path().join("raw.db"), &row)?;
    let (mut flows, mut groups, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        groups.push(raw.measure(u64::try_from(CALLERS)?, ROUND)? / commits);
        alone.push(raw.measure(1, ROUND)? / commits);
        flows.push(flow(&gateway, &format!("r{number}"), PAYMENTS, CALLERS).await?.0);
    }
    drop(gateway);
    say("gateway.flows.sqlite", median(flows.clone()), "payments/s");
    say("gateway.flows.raw_sqlite.in_groups", median(groups.clone()), "payments/s");
    say("gateway.flows.raw_sqlite.one_by_one", median(alone.clone()), "payments/s");
    say("gateway.flows.sqlite.to.raw_in_groups", median_ratio(&flows, &groups), "ratio");
    say("gateway.flows.sqlite.to.raw_one_by_one", median_ratio(&flows, &alone), "ratio");
    match std::env::var(POSTGRES) {
        Ok(url) => on_postgres(kassa, &url, &klarna, commits, &row).await,
        Err(_) => Ok(()),
    }
}

async fn on_postgres(
    kassa: &Path,
    url: &str,
    klarna: &Klarna,
    commits: f64,
    row: &str,
) -> Outcome<()> {
    let gateway = Gateway::start(kassa, &Store::Postgres(url), klarna.address).await?;
    let mut raw = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..CALLERS / 2 {
        clients.push(super::postgres::connect(url).await?);
    }
    flow(&gateway, "first", CALLERS, CALLERS).await?;
    let mut flows = Vec::new();
    for number in 0..ROUNDS {
        raw.push(super::postgres::measure(&clients, row, ROUND).await? / commits);
        flows.push(flow(&gateway, &format!("r{number}"), PAYMENTS, CALLERS).await?.0);
    }
    say("gateway.flows.postgres", median(flows.clone()), "payments/s");
    say("gateway.flows.raw_postgres", median(raw.clone()), "payments/s");
    say("gateway.flows.postgres.to.raw", median_ratio(&flows, &raw), "ratio");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(of: usize, to: usize) -> f64 {
    of as f64 / to as f64
}

/// The gateway's database in its folder.
pub(super) fn database_in(folder: &Path) -> Outcome<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let file = entries.iter().map(std::fs::DirEntry::path).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|extension| extension == "db") && name.contains("gateway")
    });
    Ok(file.ok_or_else(|| format!("no database of the gateway in {}", folder.display()))?)
}

/// How many commits, and how many pages, the write-ahead log holds that is being written now.
fn commits(file: &Path) -> Outcome<(usize, usize)> {
    /// The log's own head, and that of each page in it.
    const HEAD: usize = 32;
    const FRAME: usize = 24;
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    let log = std::fs::read(&name)?;
    let head = log.get(..HEAD).ok_or("the write-ahead log has no head")?;
    let page = usize::try_from(u32::from_be_bytes(head[8..12].try_into()?))?;
    let frames = log[HEAD..].chunks_exact(FRAME + page);
    // Frames of an earlier turn of the log have other salts.
    let current: Vec<_> = frames.take_while(|frame| frame[8..16] == head[16..24]).collect();
    let commits = current.iter().filter(|frame| frame[4..8] != [0; 4]).count();
    Ok((commits, current.len()))
}

/// How large the database is: what is checkpointed and what is not.
fn size(file: &Path) -> Outcome<u64> {
    let connection = rusqlite::Connection::open(file)?;
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    Ok(u64::try_from(pages * page)?)
}
