//! The built program as a child process: started as a user starts it, killed as the power goes,
//! started again on what it left.
//!
//! It is reached through its command line, its `--json` output and HTTP. The one exception is
//! [`Kassa::order_ids`]: Klarna's API has no list of orders, so how many there are is read from
//! the playground's own database.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener};
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

/// A running program that speaks JSON. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    events: Receiver<String>,
    stderr: Said,
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

impl Process {
    /// Starts the program in a folder, with nothing of this environment's `KASSA_…` settings.
    pub fn start<A: AsRef<std::ffi::OsStr>>(program: &Path, folder: &Path, flags: &[A]) -> Self {
        let mut child =
            command(program, folder).args(flags).spawn().expect("the program was built");
        let stderr = Said::by(child.stderr.take().expect("piped"));
        let events = lines(child.stdout.take().expect("piped"));
        Self { child, events, stderr }
    }

    /// The next line of standard output, as JSON.
    ///
    /// # Panics
    ///
    /// When none comes in time, with all that the program said.
    pub fn event(&mut self) -> Value {
        match self.events.recv_timeout(DEADLINE) {
            Ok(line) => serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("not a line of JSON ({error}): {line}")),
            Err(RecvTimeoutError::Timeout) => {
                panic!("said nothing for {DEADLINE:?}; on standard error:\n{}", self.stderr())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.wait();
                panic!("ended with {status} instead; on standard error:\n{}", self.stderr())
            }
        }
    }

    /// What it said on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// The most memory that it held at once so far, in bytes; none where the system does not tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// Ends it as the power goes: it has no say.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Sends it a signal by its number: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} was not sent to {id}");
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Asks it to stop, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said = self.stderr();
        if std::thread::panicking() && !said.is_empty() {
            // The test's own capture shows it with the failure, and only then.
            #[expect(clippy::print_stderr, reason = "a failing test explains itself")]
            {
                eprintln!("on standard error, kassa said:\n{said}");
            }
        }
    }
}

/// A running `kassa up`.
#[derive(Debug)]
pub struct Kassa {
    process: Process,
    ready: Ready,
    setup: Setup,
}

/// How it was started, to start it again.
#[derive(Debug)]
struct Setup {
    program: PathBuf,
    folder: TempDir,
    flags: Vec<String>,
}

/// What the first line of `--json` says.
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
    fn read(event: Value) -> Self {
        assert_eq!(event["event"], "ready", "the first line is not the ready event: {event}");
        let text = |pointer: &str| {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_else(|| panic!("no text at {pointer} in {event}")).to_owned()
        };
        let url = |part: &str| text(&format!("/urls/{part}")).trim_end_matches('/').to_owned();
        Self {
            playground_url: url("playground"),
            gateway_url: url("gateway"),
            dashboard_url: url("dashboard"),
            shop_url: url("shop"),
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
    /// Starts it on ports of its own, with a data directory of its own.
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
        let mut flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        if !flags.iter().any(|flag| flag == "--ephemeral") {
            let data = folder.path().join("data");
            flags.extend(["--data-dir".to_owned(), data.display().to_string()]);
        }
        let setup = Setup { program: program.into(), folder, flags };
        let (process, ready) = Self::spawn(&setup, [0; 3]);
        Self { process, ready, setup }
    }

    fn spawn(setup: &Setup, ports: [u16; 3]) -> (Process, Ready) {
        let mut flags = vec!["up".to_owned(), "--json".to_owned()];
        for (part, port) in ["playground", "gateway", "shop"].into_iter().zip(ports) {
            flags.extend([format!("--{part}-listen"), format!("127.0.0.1:{port}")]);
        }
        // Its usual port is one for all that run at the same time.
        if !setup.flags.iter().any(|flag| flag == "--sftp-listen") {
            flags.extend(["--sftp-listen".to_owned(), "off".to_owned()]);
        }
        flags.extend(setup.flags.iter().cloned());
        let mut process = Process::start(&setup.program, setup.folder.path(), &flags);
        let ready = Ready::read(process.event());
        (process, ready)
    }

    /// What the ready line said.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The child itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it as the power goes: it has no say.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to stop, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    /// Starts it again on the same data and the same ports, after it was ended.
    pub fn restart(&mut self) {
        assert!(self.process.child.try_wait().unwrap().is_some(), "end it first");
        let port = |url: &str| url::Url::parse(url).unwrap().port().unwrap();
        let Ready { playground_url, gateway_url, shop_url, .. } = &self.ready;
        let ports = [port(playground_url), port(gateway_url), port(shop_url)];
        (self.process, self.ready) = Self::spawn(&self.setup, ports);
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.setup.folder.path()
    }

    /// The test merchant's credential for Klarna's APIs.
    pub fn merchant(&self) -> As<'_> {
        As::Basic(&self.ready.klarna_username, &self.ready.klarna_password)
    }

    /// The key for the gateway's API.
    pub fn key(&self) -> As<'_> {
        As::Bearer(&self.ready.api_key)
    }

    /// The ids of all orders at Klarna's side, whoever made them and whoever knows of them.
    pub fn order_ids(&self) -> Vec<String> {
        order_ids_in(&self.folder().join("data"))
    }

    /// An order as Klarna's Order Management API tells it.
    pub async fn order(&self, http: &Http, order_id: &str) -> Value {
        let base = &self.ready.playground_url;
        http.get(&format!("{base}/ordermanagement/v1/orders/{order_id}"), self.merchant()).await
    }

    /// The gateway's payments.
    pub async fn payments(&self, http: &Http) -> Vec<Value> {
        let list = http.get(&format!("{}/v1/payments", self.ready.gateway_url), self.key()).await;
        list["data"].as_array().cloned().unwrap_or_else(|| panic!("not a list: {list}"))
    }

    /// A payment as the gateway tells it.
    pub async fn payment(&self, http: &Http, payment_id: &str) -> Value {
        let base = &self.ready.gateway_url;
        http.get(&format!("{base}/v1/payments/{payment_id}"), self.key()).await
    }
}

/// The ids of all orders in a playground's data directory, oldest first.
///
/// # Panics
///
/// When they cannot be read.
pub fn order_ids_in(data: &Path) -> Vec<String> {
    let database =
        rusqlite::Connection::open(data.join("playground.db")).expect("the playground's database");
    database.busy_timeout(DEADLINE).unwrap();
    let mut statement =
        database.prepare("SELECT order_id FROM orders ORDER BY created_at_ms").unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

/// Runs the program to its end.
///
/// # Panics
///
/// When it does not end in time.
pub fn run(program: &str, flags: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    run_in(program, folder.path(), flags, &[], "")
}

/// Likewise in a folder, with `KASSA_…` settings in the environment and something to read.
///
/// # Panics
///
/// When it does not end in time.
pub fn run_in(
    program: &str,
    folder: &Path,
    flags: &[&str],
    settings: &[(&str, &str)],
    input: &str,
) -> Ended {
    let mut command = command(Path::new(program), folder);
    command.args(flags).envs(settings.iter().copied()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().expect("piped");
    // Whoever does not read ends before all of it is written.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let stdout = Said::by(child.stdout.take().expect("piped"));
    let stderr = Said::by(child.stderr.take().expect("piped"));
    let status = wait(&mut child);
    Ended { code: status.code(), stdout: stdout.all(), stderr: stderr.all() }
}

/// An address on this machine that is taken for as long as the listener lives.
pub fn taken_address() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

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

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("kassa did not end within {DEADLINE:?}");
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
        self.text.lock().unwrap().clone()
    }
}

/// The lines that a child says, as they come.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Read on even when nobody listens any more.
            let _ = sender.send(line);
        }
    });
    receiver
}
