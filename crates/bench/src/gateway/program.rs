//! The program as the gateway alone.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Outcome;
use crate::http1::Request;

const KEY: &str = "kassa_sk_bench0123456789abcdef0123456789abc";

/// Where the gateway keeps its state.
pub(crate) enum Store<'a> {
    /// In a folder.
    Sqlite(&'a Path),
    /// In a database.
    Postgres(&'a str),
}

/// A gateway that runs. Killed when dropped, so that no failure leaves a server behind.
pub(crate) struct Gateway {
    process: Child,
    pub(crate) address: SocketAddr,
    authorization: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Gateway {
    pub(crate) async fn start(
        kassa: &Path,
        store: &Store<'_>,
        klarna: SocketAddr,
    ) -> Outcome<Self> {
        let mut command = Command::new(kassa);
        command.args(["gateway", "--json", "--log", "error", "--listen", "127.0.0.1:0"]);
        command.args(["--api-key", KEY, "--klarna-url", &format!("http://{klarna}")]);
        command.args(["--klarna-username", "K123456_bench", "--klarna-password", "bench"]);
        match store {
            Store::Sqlite(folder) => command.arg("--data-dir").arg(folder),
            Store::Postgres(url) => {
                command.args(["--ephemeral", "--database", url]);
                command.env("KASSA_MASTER_KEY", "be".repeat(32))
            }
        };
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or("the program's output cannot be read")?;
        let mut gateway = Self {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            authorization: format!("Bearer {KEY}"),
        };
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        })
        .await??;
        let ready: Value = serde_json::from_str(&line)
            .map_err(|error| format!("the first line is {line:?}: {error}"))?;
        let port = ready["urls"]["gateway"]
            .as_str()
            .and_then(|url| url.trim_end_matches('/').rsplit_once(':')?.1.parse().ok())
            .ok_or_else(|| format!("the first line does not say where: {line}"))?;
        gateway.address.set_port(port);
        Ok(gateway)
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// A request of the shop that changes something.
    pub(crate) fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Request {
        let mut headers = vec![("authorization", &*self.authorization)];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        Request::new("POST", path, &headers, &body.to_string())
    }

    /// A request of the shop that reads.
    pub(crate) fn get(&self, path: &str) -> Request {
        Request::new("GET", path, &[("authorization", &self.authorization)], "")
    }
}
