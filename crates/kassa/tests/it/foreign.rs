//! Clients that others wrote for Klarna, driven unchanged: what they are, and why they are here, says
//! `foreign/README.md`.
//!
//! `cargo xtask test` installs them and names the folder by `KASSA_TEST_FOREIGN`; without it nothing of
//! this runs, and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use testing::http::{As, Http};
use testing::kassa::Process;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");
const VARIABLE: &str = "KASSA_TEST_FOREIGN";
const CREDENTIALS: As<'static> = As::Basic("K1_user", "password");

/// A playground that is Klarna for the programs of a test, and where those are.
struct Klarna {
    installed: PathBuf,
    folder: TempDir,
    url: String,
    intercept: String,
    ca: String,
    http: Http,
    process: Process,
}

impl Klarna {
    /// None when nothing is installed that could be driven.
    fn start() -> Option<Self> {
        let Some(installed) = std::env::var_os(VARIABLE) else {
            #[expect(clippy::print_stderr, reason = "what is not run says so")]
            {
                eprintln!("SKIPPED: {VARIABLE} is not set (`cargo xtask test` sets it)");
            }
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let flags = [
            "playground",
            "--json",
            "--ephemeral",
            "--listen",
            "127.0.0.1:0",
            "--intercept-listen",
            "127.0.0.1:0",
            "--sftp-listen",
            "off",
            "--merchant",
            "K1=K1_user:password",
        ];
        let mut process = Process::start(Path::new(KASSA), folder.path(), &flags);
        let ready = process.event();
        let text = |pointer: &str| ready.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        Some(Self {
            installed: installed.into(),
            folder,
            url: text("/urls/playground").trim_end_matches('/').to_owned(),
            intercept: text("/intercept/address"),
            ca: text("/intercept/ca"),
            http: Http::new(),
            process,
        })
    }

    /// Where the programs of this test are.
    fn here() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("PLAYGROUND", &self.url);
        command.env("KLARNA_AT", &self.intercept).env("USERNAME", "K1_user");
        command.env("PASSWORD", "password").env("PYTHONPATH", Self::here());
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("NODE_EXTRA_CA_CERTS", &self.ca);
        command.env("REQUESTS_CA_BUNDLE", &self.ca).env("SSL_CERT_FILE", &self.ca);
        command.env("NODE_PATH", self.installed.join("node/node_modules"));
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
    }

    /// Runs a program to its end; the lines that it says.
    fn run(command: &mut Command) -> Vec<Value> {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{command:?}: {}\n{said}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        said.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Runs a program for Node.js.
    fn node(&self, name: &str, more: &[(&str, &str)]) -> Value {
        let mut node = self.command("node");
        node.arg("--require").arg(Self::here().join("redirect.cjs"));
        node.arg(Self::here().join(name)).envs(more.iter().copied());
        Self::run(&mut node).pop().expect("a result")
    }

    async fn order(&self, order_id: &Value) -> Value {
        let id = order_id.as_str().unwrap();
        self.http.get(&format!("{}/ordermanagement/v1/orders/{id}", self.url), CREDENTIALS).await
    }

    /// How often each status was answered since the beginning, by the playground's own log.
    async fn statuses(&self) -> Vec<u64> {
        let path = format!("{}/playground/v1/requests?limit=500", self.url);
        let log = self.http.get(&path, As::Anyone).await;
        let entries = log["requests"].as_array().unwrap_or_else(|| panic!("{log}"));
        entries.iter().filter_map(|entry| entry["status"].as_u64()).collect()
    }

    fn stop(mut self) {
        assert_eq!(self.process.terminate().code(), Some(0));
    }
}

/// `@agoransson/klarna-payments` signs up for a token; `@crystallize/node-klarna` handles orders and
/// charges the token; `klarna-node` captures.
#[tokio::test]
async fn clients_for_node() {
    let Some(klarna) = Klarna::start() else { return };
    let made = klarna.node("agoransson.cjs", &[]);
    let token_id = made["token_id"].as_str().unwrap();
    let handled = klarna.node("crystallize.cjs", &[("TOKEN_ID", token_id)]);
    let orders = handled["orders"].as_array().unwrap();
    let mut found = Vec::new();
    for id in orders {
        let order = klarna.order(id).await;
        found.push((order["status"].clone(), order["captured_amount"].clone()));
    }
    let expected = [("CAPTURED", 6_000), ("CANCELLED", 0), ("CAPTURED", 10_000)];
    assert_eq!(found, expected.map(|(status, amount)| (json!(status), json!(amount))));
    let captured = klarna.node("klarna-node.cjs", &[]);
    assert_eq!(klarna.order(&captured["order_id"]).await["captured_amount"], 10_000);
    assert!(klarna.statuses().await.iter().all(|status| *status < 500));
    klarna.stop();
}

/// `klarna-orders` reads what Klarna's own description of the API says.
#[tokio::test]
async fn a_client_for_python_generated_from_the_description() {
    let Some(klarna) = Klarna::start() else { return };
    let mut python = klarna.command(klarna.installed.join("klarna-orders/bin/python"));
    python.arg(Klarna::here().join("klarna_orders.py"));
    let made = Klarna::run(&mut python).pop().expect("a result");
    for id in made["orders"].as_array().unwrap() {
        assert_eq!(klarna.order(id).await["status"], "CAPTURED");
    }
    let token = format!("/customer-token/v1/tokens/{}", made["token_id"].as_str().unwrap());
    let token = klarna.http.get(&format!("{}{token}", klarna.url), CREDENTIALS).await;
    assert_eq!(token["status"], "ACTIVE");
    klarna.stop();
}
