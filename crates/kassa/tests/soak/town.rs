//! The playground, the nodes, and what befalls them. Everything listens on loopback, and only what was
//! started here is killed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use service::http::{HttpClient, Limits};
use tempfile::TempDir;
use testing::kassa::Process;

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");
const NODES: usize = 3;
pub(crate) const API_KEY: &str = "kassa_sk_soak0123456789abcdef0123456789abcd";
const USERNAME: &str = "K123456_soak";
const PASSWORD: &str = "soak-password";
/// The file of the town's folder that the nodes' common master key stands in.
const MASTER_KEY: &str = "master-key";
/// A crashed PostgreSQL is back within this.
const RESTART: Duration = Duration::from_secs(60);

/// Where everything is.
pub(crate) struct Town {
    pub(crate) postgres: String,
    /// A file that, once it is there, makes the chore crash PostgreSQL, start it again and remove the file.
    crash: Option<PathBuf>,
    pub(crate) folder: TempDir,
    pub(crate) playground: String,
    nodes: Vec<Node>,
    _playground: Mutex<Process>,
    chance: AtomicU64,
    http: HttpClient,
}

struct Node {
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Town {
    /// Everything started; `None` when there is no PostgreSQL to use up.
    pub(crate) fn build() -> Option<Self> {
        let postgres = std::env::var("KASSA_SOAK_POSTGRES").ok()?;
        let crash = std::env::var_os("KASSA_SOAK_CRASH").map(PathBuf::from);
        let folder = tempfile::Builder::new().prefix("kassa-soak-").tempdir().unwrap();
        let data = folder.path().join("playground").display().to_string();
        let mut playground = Process::start(
            Path::new(KASSA),
            folder.path(),
            &[
                "playground",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--sftp-listen",
                "off",
                "--data-dir",
                &data,
                "--merchant",
                &format!("K123456={USERNAME}:{PASSWORD}"),
            ],
        );
        let ready = playground.event();
        let url = ready["urls"]["playground"].as_str().unwrap().trim_end_matches('/').to_owned();
        // Every node seals what it stores under the same key.
        std::fs::write(folder.path().join(MASTER_KEY), "5e".repeat(32)).unwrap();
        let limits = Limits { answer: Duration::from_secs(20), ..Limits::default() };
        let town = Self {
            postgres,
            crash,
            folder,
            playground: url,
            nodes: (0..NODES)
                .map(|_| Node { port: free_port(), process: Mutex::default() })
                .collect(),
            _playground: Mutex::new(playground),
            chance: AtomicU64::new(std::process::id().into()),
            http: HttpClient::new(limits),
        };
        // All at once: they find out among themselves who makes the tables.
        let starting: Vec<_> =
            town.nodes.iter().map(|node| (node, town.spawn(node.port))).collect();
        for (node, mut process) in starting {
            assert_eq!(process.event()["event"], "ready");
            *node.process.lock().unwrap() = Some(process);
        }
        Some(town)
    }

    fn spawn(&self, port: u16) -> Process {
        let listen = format!("127.0.0.1:{port}");
        let public = format!("http://{listen}");
        let master_key = self.folder.path().join(MASTER_KEY);
        let master_key = master_key.to_str().unwrap();
        let flags = [
            "gateway",
            "--json",
            "--log",
            "error",
            "--ephemeral",
            "--listen",
            &listen,
            "--public-url",
            &public,
            "--database",
            &self.postgres,
            "--klarna-url",
            &self.playground,
            "--klarna-username",
            USERNAME,
            "--klarna-password",
            PASSWORD,
            "--api-key",
            API_KEY,
            "--master-key-file",
            master_key,
        ];
        Process::start(Path::new(KASSA), self.folder.path(), &flags)
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        let mut z = self.chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    /// Kills nodes until then, one at a time, and starts each again after a while; PostgreSQL crashes
    /// once, in the middle. Answers how many nodes were killed.
    pub(crate) fn rage(&self, until: Instant) -> usize {
        let began = Instant::now();
        let middle = began + (until - began) / 2;
        let mut crash = self.crash.clone();
        let mut kills = 0;
        while Instant::now() < until {
            pause(Duration::from_millis(500 + self.below(2_500)), until);
            if Instant::now() >= middle
                && let Some(file) = crash.take()
            {
                eprintln!("PostgreSQL crashes");
                Self::crash_postgres(&file);
            }
            let node = &self.nodes[usize::try_from(self.below(NODES as u64)).unwrap()];
            if let Some(mut process) = node.process.lock().unwrap().take() {
                process.kill();
                kills += 1;
            }
            pause(Duration::from_millis(self.below(2_000)), until);
            self.revive(node);
        }
        kills
    }

    fn revive(&self, node: &Node) {
        let mut process = self.spawn(node.port);
        assert_eq!(process.event()["event"], "ready");
        *node.process.lock().unwrap() = Some(process);
    }

    fn crash_postgres(file: &Path) {
        std::fs::write(file, "").unwrap();
        let deadline = Instant::now() + RESTART;
        while file.exists() {
            assert!(Instant::now() < deadline, "PostgreSQL did not come back");
            pause(Duration::from_millis(50), deadline);
        }
    }

    /// One call of any node, or of this one; `None` when nothing came back.
    pub(crate) async fn gateway(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let node = &self.nodes[usize::try_from(self.below(NODES as u64)).unwrap()];
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {API_KEY}")).unwrap();
        headers.insert(header::AUTHORIZATION, bearer);
        headers.insert("prefer", HeaderValue::from_static("wait=5"));
        if let Some(key) = key {
            headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
        }
        self.send(method, &format!("http://127.0.0.1:{}{path}", node.port), headers, body).await
    }

    /// One call of the playground as the merchant.
    pub(crate) async fn klarna(&self, path: &str) -> Value {
        let mut headers = HeaderMap::new();
        let basic = base64(&format!("{USERNAME}:{PASSWORD}"));
        let basic = HeaderValue::from_str(&format!("Basic {basic}")).unwrap();
        headers.insert(header::AUTHORIZATION, basic);
        let url = format!("{}{path}", self.playground);
        let answer = self.send(Method::GET, &url, headers, None).await;
        let Some((200, body)) = answer else { panic!("{path}: {answer:?}") };
        body
    }

    /// One call of what Klarna does not have.
    pub(crate) async fn playground(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Value {
        let url = format!("{}/playground/v1{path}", self.playground);
        let answer = self.send(method, &url, HeaderMap::new(), body).await;
        let Some((200..300, body)) = answer else { panic!("{path}: {answer:?}") };
        body
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        let body = body.map_or_else(String::new, Value::to_string);
        let answer = self.http.send(method, url, headers, body.into()).await.ok()?;
        let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Some((answer.status.as_u16(), value))
    }

    /// From now on a tenth of all calls and callbacks is hit, by each kind of fault.
    pub(crate) async fn break_klarna(&self) {
        let faults = [
            json!({ "type": "drop", "when": "before", "how": "reset" }),
            json!({ "type": "drop", "when": "after", "how": "close" }),
            json!({ "type": "error", "status": 503, "when": "before" }),
            json!({ "type": "error", "status": 500, "when": "after" }),
            json!({ "type": "error", "status": 429, "when": "before" }),
            json!({ "type": "truncate" }),
            json!({ "type": "latency", "distribution": { "kind": "uniform", "min_ms": 1, "max_ms": 400 } }),
        ];
        let callbacks = [
            json!({ "type": "lose", "retries": "lost" }),
            json!({ "type": "duplicate", "copies": 2 }),
            json!({ "type": "reorder", "within_ms": 500 }),
            json!({ "type": "delay", "ms": 2000 }),
        ];
        for effect in faults {
            let fault = json!({ "per_mille": 100, "effect": effect });
            self.playground(Method::POST, "/faults", Some(&fault)).await;
        }
        for effect in callbacks {
            let matches = json!({ "callback": "authorization" });
            let fault = json!({ "match": matches, "per_mille": 100, "effect": effect });
            self.playground(Method::POST, "/faults", Some(&fault)).await;
        }
    }

    /// No faults any more.
    pub(crate) async fn mend_klarna(&self) {
        let url = format!("{}/playground/v1/faults", self.playground);
        let answer = self.send(Method::DELETE, &url, HeaderMap::new(), None).await;
        assert!(answer.is_some_and(|(status, _)| status < 300));
    }
}

/// Waits, though not for longer than until then.
fn pause(wait: Duration, until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    std::thread::park_timeout(wait.min(left));
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bytes = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            out.push(if place > chunk.len() { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    out
}
