//! The built program as a child process: started as a user starts it, killed as the power goes,
//! started again on what it left.
//!
//! It is reached only through its command line, its `--json` output and HTTP.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::DEADLINE;
use crate::http::{As, Http};

/// A running `kassa` that serves everything. Killed when dropped.
#[derive(Debug)]
pub struct Kassa {
    child: Child,
    stderr: Said,
    ready: Ready,
    setup: Setup,
}

/// How it was started, to start it again.
#[derive(Debug)]
struct Setup {
    program: PathBuf,
    folder: TempDir,
    arguments: Vec<String>,
}

/// What the first line of `--json` said.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The line as it came.
    pub event: Value,
    /// Where Klarna's side is, without a slash at the end.
    pub playground_url: String,
    /// Where the merchant's payment service is.
    pub gateway_url: String,
    /// Where the merchant's people look.
    pub dashboard_url: String,
    /// Where the shop is.
    pub shop_url: String,
    /// The test merchant's id at Klarna.
    pub merchant_id: String,
    /// Its user name for Klarna's APIs.
    pub klarna_username: String,
    /// Its password for Klarna's APIs.
    pub klarna_password: String,
    /// The key for the gateway's API.
    pub api_key: String,
    /// The password of the gateway's dashboard.
    pub dashboard_password: String,
}

impl Ready {
    fn read(line: &str) -> Self {
        let event: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("the first line is not JSON ({error}): {line}"));
        assert_eq!(event["event"], "ready", "the first line is not the ready event: {line}");
        let text = |pointer: &str| {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_else(|| panic!("no text at {pointer} in {line}")).to_owned()
        };
        let url = |pointer: &str| text(pointer).trim_end_matches('/').to_owned();
        Self {
            playground_url: url("/urls/playground"),
            gateway_url: url("/urls/gateway"),
            dashboard_url: url("/urls/dashboard"),
            shop_url: url("/urls/shop"),
            merchant_id: text("/credentials/merchants/0/merchant_id"),
            klarna_username: text("/credentials/merchants/0/username"),
            klarna_password: text("/credentials/merchants/0/password"),
            api_key: text("/credentials/gateway_api_key"),
            dashboard_password: text("/credentials/dashboard_password"),
            event,
        }
    }
}

impl Kassa {
    /// Starts `kassa up` on ports of its own, with a data directory of its own.
    ///
    /// # Panics
    ///
    /// When it is not ready in time; the message has all that it said.
    pub fn start(program: &str) -> Self {
        Self::start_with(program, &[])
    }

    /// Likewise, with more flags.
    pub fn start_with(program: &str, flags: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("kassa-test-").tempdir().unwrap();
        let data = folder.path().join("data");
        let mut arguments: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        if !flags.contains(&"--ephemeral") {
            arguments.extend(["--data-dir".to_owned(), data.display().to_string()]);
        }
        let setup = Setup { program: program.into(), folder, arguments };
        Self::spawn(setup, [0; 3])
    }

    fn spawn(setup: Setup, ports: [u16; 3]) -> Self {
        let mut command = command(&setup.program, setup.folder.path());
        command.args(["up", "--json"]).args(&setup.arguments);
        for (part, port) in ["playground", "gateway", "shop"].into_iter().zip(ports) {
            command.args([format!("--{part}-listen"), format!("127.0.0.1:{port}")]);
        }
        let mut child = command.spawn().expect("the program was built, so it starts");
        let stderr = Said::by(child.stderr.take().expect("piped"));
        let first = first_line(child.stdout.take().expect("piped"));
        match first.recv_timeout(DEADLINE) {
            Ok(line) => {
                let ready = Ready::read(&line);
                Self { child, stderr, ready, setup }
            }
            Err(problem) => {
                let status = match problem {
                    RecvTimeoutError::Timeout => None,
                    RecvTimeoutError::Disconnected => child.wait().ok(),
                };
                let _ = child.kill();
                let _ = child.wait();
                panic!("kassa is not ready ({status:?}); it said:\n{}", stderr.all());
            }
        }
    }

    /// What the ready line said.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The test merchant's credentials for Klarna's APIs.
    pub fn merchant(&self) -> As<'_> {
        As::Basic(&self.ready.klarna_username, &self.ready.klarna_password)
    }

    /// The key for the gateway's API.
    pub fn key(&self) -> As<'_> {
        As::Bearer(&self.ready.api_key)
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.setup.folder.path()
    }

    /// What it said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Ends it as the power goes: it has no say.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to stop, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        signal("TERM", self.child.id());
        wait(&mut self.child, "kassa to stop")
    }

    /// Starts it again on the same data and the same ports. Call after [`kill`](Self::kill) or
    /// [`terminate`](Self::terminate).
    pub fn restart(mut self) -> Self {
        assert!(self.child.try_wait().unwrap().is_some(), "kill or terminate it first");
        let url = |url: &str| url::Url::parse(url).unwrap().port().unwrap();
        let ready = &self.ready;
        let ports = [url(&ready.playground_url), url(&ready.gateway_url), url(&ready.shop_url)];
        let setup = Setup {
            program: self.setup.program.clone(),
            folder: std::mem::replace(&mut self.setup.folder, TempDir::new().unwrap()),
            arguments: self.setup.arguments.clone(),
        };
        Self::spawn(setup, ports)
    }

    /// The orders of the merchant at Klarna's side, whoever made them: read from the playground's
    /// log of calls, each then fetched through the API.
    pub async fn orders(&self, http: &Http) -> Vec<Value> {
        let url = format!("{}/playground/v1/orders", self.ready.playground_url);
        let list = http.get(&url, As::Anyone).await;
        list["orders"].as_array().cloned().unwrap_or_default()
    }

    /// One order as Klarna's Order Management API tells it.
    pub async fn order(&self, http: &Http, order_id: &str) -> Value {
        let base = &self.ready.playground_url;
        http.get(&format!("{base}/ordermanagement/v1/orders/{order_id}"), self.merchant()).await
    }

    /// The gateway's payments.
    pub async fn payments(&self, http: &Http) -> Vec<Value> {
        let url = format!("{}/v1/payments", self.ready.gateway_url);
        let list = http.get(&url, self.key()).await;
        let list = list.get("payments").or_else(|| list.get("data")).or_else(|| list.get("items"));
        list.and_then(Value::as_array).cloned().expect("a list of payments")
    }
}

impl Drop for Kassa {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let mut text = String::new();
            let _ = writeln!(text, "kassa said on standard error:\n{}", self.stderr());
            // Through the test's own capture, so that it is shown with the failure only.
            #[allow(clippy::print_stderr, reason = "a failing test explains itself")]
            {
                eprint!("{text}");
            }
        }
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

/// Runs the program to its end.
///
/// # Panics
///
/// When it does not end in time.
pub fn run(program: &str, arguments: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    let mut child = command(Path::new(program), folder.path()).args(arguments).spawn().unwrap();
    let stdout = Said::by(child.stdout.take().expect("piped"));
    let stderr = Said::by(child.stderr.take().expect("piped"));
    let status = wait(&mut child, &format!("kassa {arguments:?} to end"));
    Ended { code: status.code(), stdout: stdout.all(), stderr: stderr.all() }
}

/// Sends a signal to a process by its id.
pub fn signal(name: &str, id: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "SIG{name} was not sent to {id}");
}

/// An address on this machine that nothing listens on, and the listener that keeps it so.
pub fn taken_address() -> (SocketAddr, std::net::TcpListener) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// The program in a folder of its own, with nothing of this environment's settings.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KASSA_") {
            command.env_remove(name);
        }
    }
    command
}

fn wait(child: &mut Child, what: &str) -> ExitStatus {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("waited {DEADLINE:?} for {what}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a child says, read away as it comes so that it never blocks on a full pipe.
#[derive(Debug)]
struct Said {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Said {
    fn by(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut text = sink.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Everything, once the child has ended.
    fn all(self) -> String {
        let _ = self.reader.join();
        let text = self.text.lock().unwrap();
        text.clone()
    }
}

/// The first line that a child says; the others are read away.
fn first_line(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Only the first is waited for; whoever waited may be gone by then.
            let _ = sender.send(line);
        }
    });
    receiver
}
