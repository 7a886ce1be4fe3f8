//! The program as a newcomer meets it: how long from its start until everything answers, and what it then takes of memory.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::report::{median, say};

const STARTS: usize = 7;
/// What was allocated for starting has been given back by then, if it ever is.
const SETTLING: Duration = Duration::from_secs(2);

/// The program beside this one: both come from one build.
pub(crate) fn built_beside_this() -> Outcome<PathBuf> {
    let path =
        std::env::current_exe()?.with_file_name(format!("kassa{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} is not built; build it with the same profile, or say --kassa PATH",
        path.display()
    )
    .into())
}

/// Killed when dropped, so that no failure leaves a server behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(kassa: &Path, data: &Path) -> Outcome<(Running, Duration)> {
    let started = Instant::now();
    let child = Command::new(kassa)
        .args([
            "up",
            "--json",
            "--playground-listen",
            "127.0.0.1:0",
            "--gateway-listen",
            "127.0.0.1:0",
        ])
        .args(["--shop-listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut running = Running(child);
    let stdout = running.0.stdout.take().ok_or("the program's output cannot be read")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line)
        .map_err(|error| format!("the first line is {line:?}: {error}"))?;
    if ready["event"] != "ready" {
        return Err(format!("the first line does not say ready: {line}").into());
    }
    // What it says must be so: each part accepts connections.
    for url in ready["urls"].as_object().ok_or("the ready line has no urls")?.values() {
        let authority =
            url.as_str().and_then(|url| url.split('/').nth(2)).ok_or("a URL without a host")?;
        let port = authority
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .ok_or("a URL without a port")?;
        TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
    }
    Ok((running, started.elapsed()))
}

/// A line of a file under /proc, in kibibytes.
pub(crate) fn kibibytes(path: &str, field: &str) -> Outcome<f64> {
    let text = std::fs::read_to_string(path)?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    Ok(value.ok_or_else(|| format!("{path} has no {field}"))?.trim().parse()?)
}

/// Measures and reports.
pub(crate) fn measure(kassa: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let milliseconds = |elapsed: Duration| elapsed.as_secs_f64() * 1000.0;
    let mut first = Vec::new();
    for n in 0..STARTS {
        let (_, elapsed) = start(kassa, &folder.path().join(n.to_string()))?;
        first.push(milliseconds(elapsed));
    }
    let mut again = Vec::new();
    for _ in 0..STARTS {
        let (_, elapsed) = start(kassa, &folder.path().join("0"))?;
        again.push(milliseconds(elapsed));
    }
    say("kassa.start.empty_data_directory", median(first), "ms");
    say("kassa.start.after_a_kill", median(again), "ms");
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let (running, _) = start(kassa, &folder.path().join("0"))?;
    std::thread::sleep(SETTLING);
    let process = running.0.id();
    say(
        "kassa.idle_memory.resident",
        kibibytes(&format!("/proc/{process}/status"), "VmRSS:")? / 1024.0,
        "MiB",
    );
    say(
        "kassa.idle_memory.proportional",
        kibibytes(&format!("/proc/{process}/smaps_rollup"), "Pss:")? / 1024.0,
        "MiB",
    );
    Ok(())
}
