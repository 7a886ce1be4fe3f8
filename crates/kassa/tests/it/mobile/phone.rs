//! A phone: an app in Klarna's wrapper for React Native (`foreign/app.cjs`, in Node.js), and what stands for Klarna's native
//! SDK (the playground's view, in the browser). Between the two, what a native bridge carries: commands one way, events the
//! other.
//!
//! It knows nothing of payments: it passes on, and says what the app heard.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use testing::browser::{Browser, Screen};
use testing::kassa::Kassa;

const VARIABLE: &str = "KASSA_TEST_FOREIGN";

/// How long the app and the view may take; what is passed on meanwhile makes no difference to it.
const LOOKS: usize = 2_400;

/// The app, as a process.
pub(super) struct App {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
}

impl App {
    /// One alone, without a view of the SDK. None when the wrapper is not installed.
    pub(super) fn alone(kassa: &Kassa, platform: &str, settings: &[(&str, &str)]) -> Option<Self> {
        Some(Self::start(&installed()?, &kassa.ready().playground_url, platform, settings))
    }

    /// Has it do something.
    pub(super) fn has(&mut self, deed: &Value) {
        writeln!(self.input, "{deed}").expect("the app is there");
    }

    /// The next thing that it says.
    pub(super) fn says(&self) -> Value {
        self.lines.recv_timeout(testing::DEADLINE).expect("the app says something")
    }

    fn start(
        installed: &Path,
        playground: &str,
        platform: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
        let found = [installed.join("node/node_modules"), here.join("device")];
        let mut child = Command::new("node")
            .arg(here.join("app.cjs"))
            .env("NODE_PATH", std::env::join_paths(found).unwrap())
            .env("NODE_ENV", "test")
            .env("PLATFORM", platform)
            .env("PLAYGROUND", playground)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js is installed");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect(&line);
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The phone.
pub(super) struct Phone {
    app: App,
    pub(super) browser: Browser,
    view: String,
    heard: VecDeque<Value>,
    commands: Vec<Value>,
    /// Whether the purchase flow has the screen.
    covered: bool,
    /// How tall the app has made the view.
    pub(super) height: i64,
}

impl Phone {
    /// One of a kind: `ios` or `android`. None when the wrapper is not installed.
    pub(super) async fn start(test: &str, platform: &str, kassa: &Kassa) -> Option<Self> {
        let playground = &kassa.ready().playground_url;
        Some(Self {
            app: App::alone(kassa, platform, &[])?,
            browser: Browser::start(&format!("mobile/{test}-{platform}"), Screen::Phone).await,
            view: format!("{playground}/mobile/view"),
            heard: VecDeque::new(),
            commands: Vec::new(),
            covered: false,
            height: 0,
        })
    }

    /// Has the app do something.
    pub(super) fn has(&mut self, deed: &Value) {
        self.app.has(deed);
    }

    /// The SDK's view, before an app has one.
    pub(super) async fn open_view(&mut self) {
        assert_eq!(self.heard, VecDeque::new(), "the app heard more than was expected");
        self.browser.leave_frames().await;
        self.browser.goto(&self.view).await;
        self.browser
            .wait("the view", async |client| {
                let there = client.execute("return !!window.KassaMobile", vec![]).await?;
                Ok((there == true).then_some(()))
            })
            .await;
        self.commands.clear();
        self.covered = false;
    }

    /// The app shows a component, in a view of its own.
    pub(super) async fn mount(&mut self, kind: &str, properties: Value) {
        self.open_view().await;
        self.has(&json!({ "deed": "mount", "kind": kind, "properties": properties }));
        self.asks("create").await;
    }

    /// The app calls a method of the component.
    pub(super) fn calls(&mut self, method: &str, given: Value) {
        let mut deed = json!({ "deed": "call", "method": method });
        deed["given"] = given;
        self.has(&deed);
    }

    /// Passes on what waits on either side.
    async fn pass_on(&mut self) {
        for line in self.app.lines.try_iter().collect::<Vec<_>>() {
            if line.get("command").is_some() {
                let text = json!(line.to_string());
                self.browser.script("KassaMobile.command(arguments[0])", vec![text]).await;
                self.commands.push(line);
            } else if line["heard"] == "height" {
                self.height = line["arguments"][0].as_i64().unwrap();
            } else {
                self.heard.push_back(line);
            }
        }
        // A page that lies over the view is none that has events.
        let taken = "return window.KassaMobile ? KassaMobile.take() : []";
        let events = self.browser.script(taken, vec![]).await;
        for text in events.as_array().unwrap() {
            let event: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            match event["event"].as_str().unwrap() {
                "ready" => {}
                "overlay" => self.covered = event["body"]["shown"] == true,
                name => self.has(&json!({ "deed": "event", "name": name, "body": event["body"] })),
            }
        }
    }

    /// Passes on until something is so.
    async fn until<T>(&mut self, what: &str, mut is: impl FnMut(&mut Self) -> Option<T>) -> T {
        for _ in 0..LOOKS {
            self.pass_on().await;
            if let Some(found) = is(self) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        self.browser.fail(&format!("waited for {what}; heard {:?}", self.heard)).await
    }

    /// What the app hears next must be this; what it is told with it.
    pub(super) async fn hears(&mut self, name: &str) -> Value {
        let heard = self.until(name, |phone| phone.heard.pop_front()).await;
        assert_eq!(heard["heard"], name, "{heard}");
        heard["arguments"].clone()
    }

    /// The app hears of an error next.
    pub(super) async fn fails(&mut self) -> Value {
        self.hears("onError").await[0].clone()
    }

    /// The native side is asked for this; with what arguments.
    pub(super) async fn asks(&mut self, command: &str) -> Value {
        self.until(command, |phone| {
            let at = phone.commands.iter().position(|asked| asked["command"] == command)?;
            Some(phone.commands.remove(at)["arguments"].clone())
        })
        .await
    }

    /// The app shows this text at last.
    pub(super) async fn until_it_shows(&mut self, text: &str) {
        for _ in 0..LOOKS {
            self.has(&json!({ "deed": "shows" }));
            if self.hears("shows").await[0].as_str().unwrap().contains(text) {
                return;
            }
        }
        panic!("the app does not show {text:?}");
    }

    /// The view has become this tall in the app.
    pub(super) async fn is_tall(&mut self) {
        self.until("a height", |phone| (phone.height > 0).then_some(())).await;
    }

    /// The shopper looks at the purchase flow; an app has no windows.
    pub(super) async fn enter_flow(&mut self, instance: &str) {
        self.until("the purchase flow", |phone| phone.covered.then_some(())).await;
        assert_eq!(self.browser.client().windows().await.unwrap().len(), 1, "no window was opened");
        let frame = format!("#klarna-{instance}-fullscreen");
        self.browser.see(&frame).await;
        self.browser.enter_frame(&frame).await;
    }

    /// The shopper is back in the app.
    pub(super) async fn leave_flow(&mut self) {
        self.browser.leave_frames().await;
        self.until("the end of the flow", |phone| (!phone.covered).then_some(())).await;
    }
}

/// Where the wrapper is installed.
fn installed() -> Option<PathBuf> {
    let installed = std::env::var_os(VARIABLE).map(PathBuf::from);
    if installed.is_none() {
        #[expect(clippy::print_stderr, reason = "what is not run says so")]
        {
            eprintln!("SKIPPED: {VARIABLE} is not set (`cargo xtask test` sets it)");
        }
    }
    installed
}
