//! A settlement report of a million transactions: written by the playground, sent, and read row by row by the SDK, in
//! one process; and that the memory for it does not grow with the report.

use std::path::Path;
use std::time::Instant;

use klarna::types::settlements::report::Record;
use klarna::{Client, Credentials, PaymentReference};
use serde_json::json;

use crate::Outcome;
use crate::program::kibibytes;
use crate::report::{median, median_ratio, rate, say};
use crate::world::{MERCHANT, PASSWORD, World, purchase};

const FEW: i64 = 100_000;
const MANY: i64 = 1_000_000;
const ROUNDS: usize = 3;

/// Makes so many transactions out of the open ones of one capture, with ids of their own, and pays them out.
async fn pay_out(file: &Path, name: &str, transactions: i64) -> Outcome<PaymentReference> {
    let world = World::start(file).await?;
    let order_id = world.buy(&purchase("buy")).await?;
    let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
    world.call("POST", &path, Some(&json!({ "captured_amount": 10_000 }))).await?;
    world.stop().await;
    let connection = rusqlite::Connection::open(file)?;
    let open: i64 = connection.query_row(
        "SELECT COUNT(*) FROM settlement_postings WHERE payment_reference = ''",
        [],
        |row| row.get(0),
    )?;
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN;")?;
    connection.execute(
        "WITH RECURSIVE copies (number) AS
           (SELECT 1 UNION ALL SELECT number + 1 FROM copies WHERE number < ?1)
         INSERT INTO settlement_postings
         SELECT merchant_id, posting_id || ':' || ?2 || number, currency, lane, kind, amount, vat_amount,
                order_id, waits, posted_at_ms - number, payment_reference, position, document
         FROM settlement_postings, copies WHERE payment_reference = ''
         LIMIT ?3",
        (transactions / open + 1, name, transactions - open),
    )?;
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
    drop(connection);
    let world = World::start(file).await?;
    let (_, closed) =
        world.call("POST", "/playground/v1/settlements/close", Some(&json!({}))).await?;
    world.stop().await;
    let reference = closed.pointer("/payouts/0").and_then(serde_json::Value::as_str);
    Ok(PaymentReference::new(reference.ok_or("nothing was paid out")?))
}

/// Fills a file, and says the references of a small and a large payout. For a process of its own: what preparing needs of
/// memory must not hide what reading needs.
pub(crate) async fn prepare(file: &Path) -> Outcome<()> {
    let few = pay_out(file, "few", FEW).await?;
    let many = pay_out(file, "many", MANY).await?;
    std::fs::write(file.with_extension("references"), format!("{few} {many}"))?;
    Ok(())
}

/// What reading a report took.
struct Taken {
    rows: f64,
    bytes: f64,
    peak_mib: f64,
}

/// The most memory that this process has needed since this was last called, from now on.
fn forget_the_peak() -> Outcome<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

async fn read(client: &Client, reference: &PaymentReference, expected: i64) -> Outcome<Taken> {
    forget_the_peak()?;
    let started = Instant::now();
    let mut rows = client.settlements().payout_rows(reference);
    let (mut count, mut sum) = (0_u64, 0_i64);
    while let Some(row) = rows.next().await {
        if let Record::Transaction(row) = row? {
            count += 1;
            sum = sum.wrapping_add(row.amount.get());
        }
    }
    std::hint::black_box(sum);
    let rows = rate(count, started.elapsed());
    let peak_mib = kibibytes("/proc/self/status", "VmHWM:")? / 1024.0;
    if i64::try_from(count)? != expected {
        return Err(format!("the report has {count} rows instead of {expected}").into());
    }
    // The same file as it is, to learn its size and what sending it takes by itself.
    let mut download = client.settlements().payout_csv(reference).await?;
    let started = Instant::now();
    let mut bytes = 0;
    while let Some(piece) = download.next().await {
        bytes += u64::try_from(piece?.len())?;
    }
    Ok(Taken { rows, bytes: rate(bytes, started.elapsed()) / 1e6, peak_mib })
}

/// Measures and reports.
pub(crate) async fn measure() -> Outcome<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("playground.db");
    let started = Instant::now();
    let prepared = std::process::Command::new(std::env::current_exe()?)
        .args(["--prepare-settlement".as_ref(), file.as_os_str()])
        .status()?;
    if !prepared.success() {
        return Err("the report could not be prepared".into());
    }
    let references = std::fs::read_to_string(file.with_extension("references"))?;
    let (few, many) = references.split_once(' ').ok_or("two payouts were expected")?;
    let (few, many) = (PaymentReference::from(few), PaymentReference::from(many));
    say("settlement.prepared_in", started.elapsed().as_secs_f64(), "s");
    let world = World::start(&file).await?;
    let client = Client::builder(Credentials::new(MERCHANT, PASSWORD))
        .base_url(&format!("http://{}", world.address()))?
        .build()?;
    // Everything has been used once, so that what is measured is not the first use.
    read(&client, &few, FEW).await?;
    let (mut rows, mut bytes) = (vec![], vec![]);
    let (mut peaks_of_few, mut peaks_of_many) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        peaks_of_few.push(read(&client, &few, FEW).await?.peak_mib);
        let taken = read(&client, &many, MANY).await?;
        rows.push(taken.rows);
        bytes.push(taken.bytes);
        peaks_of_many.push(taken.peak_mib);
    }
    drop(client);
    world.stop().await;
    let ratio = median_ratio(&peaks_of_many, &peaks_of_few);
    say("settlement.csv.1000000_rows.written_and_parsed", median(rows), "rows/s");
    say("settlement.csv.1000000_rows.written", median(bytes), "MB/s");
    say("settlement.csv.100000_rows.peak_memory", median(peaks_of_few), "MiB");
    say("settlement.csv.1000000_rows.peak_memory", median(peaks_of_many), "MiB");
    say("settlement.csv.peak_memory.1000000.to.100000_rows", ratio, "ratio");
    Ok(())
}
