//! What checkouts that wait for their shoppers take of the gateway's memory.

use std::path::Path;

use super::{Klarna, on_sqlite, opening};
use crate::Outcome;
use crate::http1::each;
use crate::program::kibibytes;
use crate::report::say;
use crate::sqlite::CALLERS;

/// Opened before the first look: caches are warm, and threads have what they need.
const BEFORE: usize = 2_000;
const OPEN: usize = 20_000;

/// Measures and reports.
pub(crate) async fn measure(kassa: &Path) -> Outcome<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let klarna = Klarna::start().await?;
    let gateway = on_sqlite(kassa, &folder.path().join("data"), klarna.address).await?;
    let resident = || kibibytes(&format!("/proc/{}/status", gateway.id()), "VmRSS:");
    each(gateway.address, opening(&gateway, "before", BEFORE), CALLERS, 201).await?;
    let before = resident()?;
    each(gateway.address, opening(&gateway, "open", OPEN), CALLERS, 201).await?;
    let after = resident()?;
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let thousands = OPEN as f64 / 1000.0;
    say("gateway.memory.resident", after / 1024.0, "MiB");
    say("gateway.memory.per_thousand_open_checkouts", (after - before) / thousands, "KiB");
    Ok(())
}
