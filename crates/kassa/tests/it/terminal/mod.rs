//! A playground that runs, and commands that are run against it as a person would.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use testing::kassa::{Ended, Process, run_in};

pub const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

/// A cart.
pub const CART: &str = r#"{"purchase_country":"SE","purchase_currency":"SEK","locale":"sv-SE",
    "order_amount":10000,"order_tax_amount":2000,"order_lines":[{"name":"Mugg","quantity":1,
    "unit_price":10000,"tax_rate":2500,"total_amount":10000,"total_tax_amount":2000}]}"#;

/// A playground with its data in a folder, where commands find its credentials.
pub struct Playground {
    pub process: Process,
    pub url: String,
    pub folder: TempDir,
}

impl Playground {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("kassa-test-").tempdir().unwrap();
        let (process, ready) = spawn(folder.path(), "127.0.0.1:0", flags);
        Self { process, url: text(&ready["urls"], "playground").to_owned(), folder }
    }

    /// Starts it again where it was, after it was ended.
    pub fn restart(&mut self) {
        let address = self.url.replace("http://localhost", "127.0.0.1");
        (self.process, _) = spawn(self.folder.path(), &address, &[]);
    }

    pub fn run(&self, flags: &[&str]) -> Ended {
        self.run_with(flags, &[], "")
    }

    pub fn run_with(&self, flags: &[&str], settings: &[(&str, &str)], input: &str) -> Ended {
        let mut settings = settings.to_vec();
        settings.push(("KASSA_PLAYGROUND_URL", &self.url));
        run_in(KASSA, self.folder.path(), flags, &settings, input)
    }

    /// What it says as JSON, one line, when it does what is asked.
    pub fn json(&self, flags: &[&str]) -> Value {
        let flags: Vec<&str> = flags.iter().copied().chain(["--json"]).collect();
        let ended = self.run(&flags);
        assert_eq!(ended.code, Some(0), "{flags:?}: {ended:?}");
        only_line(&ended)
    }

    /// The same where it fails with a status.
    pub fn refused(&self, flags: &[&str], status: i32) -> Value {
        let flags: Vec<&str> = flags.iter().copied().chain(["--json"]).collect();
        let ended = self.run(&flags);
        assert_eq!(ended.code, Some(status), "{flags:?}: {ended:?}");
        let event = only_line(&ended);
        assert_eq!(event["event"], "error", "{event}");
        event
    }

    /// A command that goes on.
    pub fn follow(&self, flags: &[&str]) -> Process {
        let mut flags: Vec<&str> = flags.to_vec();
        flags.extend(["--json", "--playground-url", &self.url]);
        Process::start(Path::new(KASSA), self.folder.path(), &flags)
    }
}

fn spawn(folder: &Path, address: &str, flags: &[&str]) -> (Process, Value) {
    let mut all = vec!["playground", "--json", "--sftp-listen", "off", "--listen", address];
    all.extend(flags);
    let mut process = Process::start(Path::new(KASSA), folder, &all);
    let ready = process.event();
    assert_eq!(ready["event"], "ready", "{ready}");
    (process, ready)
}

fn only_line(ended: &Ended) -> Value {
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// A member that has to be there.
#[track_caller]
pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}"))
}

/// A page with what differs from run to run replaced.
pub fn steady(page: &str, known: &[(&str, &str)]) -> String {
    let mut page = page.to_owned();
    for (found, name) in known {
        page = page.replace(found, name);
    }
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    lines.join("\n")
}
