//! A real browser: headless Chromium, driven through chromedriver.
//!
//! Each [`Browser`] has a chromedriver, a profile and a window of its own. All of it ends when the
//! value is dropped. At most two run at once in a test program, the others wait for their turn.
//! Elements are named by CSS selectors. Every helper waits until the page allows what it asks, up
//! to [`DEADLINE`], and a failure tells the address, the text of the page and the
//! console, and leaves a picture.

mod driver;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{DEADLINE, INTERVAL};
use driver::Driver;

/// The longest that the browser takes to answer a command of its own protocol.
const ANSWER_WITHIN: Duration = Duration::from_secs(180);

/// Browsers are heavy; two keep two cores busy.
static BROWSERS: Semaphore = Semaphore::const_new(2);

const PHONE_WIDTH: u64 = 360;
const PHONE_HEIGHT: u64 = 780;
const PHONE_SCALE: u64 = 2;

/// What the shopper holds in the hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// A desktop window, 1280 by 900.
    Wide,
    /// A phone, 360 by 780, with touch.
    Phone,
}

/// A browser with one window, and the popups that pages open.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    main: WindowHandle,
    test: String,
    screen: Screen,
    // In this order: the driver ends the browser, then the profile's folder goes, then the next
    // browser may start.
    driver: Driver,
    _profile: Profile,
    _turn: SemaphorePermit<'static>,
}

/// A profile's folder. Its removal is repeated, as a killed browser writes on for a moment.
#[derive(Debug)]
struct Profile(Option<TempDir>);

impl Drop for Profile {
    fn drop(&mut self) {
        let Some(folder) = self.0.take() else { return };
        let path = folder.keep();
        for _ in 0..100 {
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => return,
            }
        }
    }
}

impl Browser {
    /// Starts one. `test` names the folder of its pictures.
    ///
    /// # Panics
    ///
    /// When Chromium or chromedriver is missing (the message says what to install) or fails.
    pub async fn start(test: &str, screen: Screen) -> Self {
        let turn = BROWSERS.acquire().await.expect("never closed");
        let chromium = driver::chromium();
        let driver = Driver::start();
        let folder = tempfile::Builder::new().prefix("kassa-browser-").tempdir().unwrap();
        let capabilities = capabilities(&chromium, folder.path(), screen);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(driver.url())
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let main = client.window().await.expect("a browser starts with a window");
        let test = test.replace("::", "/");
        // The pictures of an earlier run are not those of this one.
        let _ = std::fs::remove_dir_all(folder_of(&test));
        Self { client, main, test, screen, driver, _profile: Profile(Some(folder)), _turn: turn }
    }

    /// What the helpers below are made of, for what they do not cover.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens an address in the window that is driven.
    pub async fn goto(&self, url: &str) {
        if let Err(error) = self.client.goto(url).await {
            self.fail(&format!("cannot open {url}: {error}")).await;
        }
    }

    /// The address of the page.
    pub async fn url(&self) -> String {
        self.client.current_url().await.map(String::from).unwrap_or_default()
    }

    /// Looks until `probe` finds something.
    pub async fn wait<T>(
        &self,
        what: &str,
        mut probe: impl AsyncFnMut(&Client) -> Result<Option<T>, CmdError>,
    ) -> T {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let state = match probe(&self.client).await {
                Ok(Some(found)) => return found,
                Ok(None) => String::new(),
                // The page moves under our hands; only a browser that is gone is final.
                Err(error) if error.is_invalid_session_id() => {
                    panic!("{}: the browser is gone while waiting for {what}", self.test)
                }
                Err(error) => format!(" (last: {error})"),
            };
            if tokio::time::Instant::now() >= deadline {
                self.fail(&format!("waited {DEADLINE:?} for {what}{state}")).await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Waits until the address contains `part`.
    pub async fn at(&self, part: &str) {
        self.wait(&format!("an address with {part:?}"), async |client| {
            Ok(client.current_url().await?.as_str().contains(part).then_some(()))
        })
        .await;
    }

    /// Waits until the element is there and can be seen.
    pub async fn see(&self, css: &str) -> Element {
        self.wait(&format!("{css} to be seen"), async |client| {
            let element = client.find(Locator::Css(css)).await?;
            Ok(element.is_displayed().await?.then_some(element))
        })
        .await
    }

    /// Waits until the element is there, seen or not.
    pub async fn find(&self, css: &str) -> Element {
        self.wait(css, async |client| client.find(Locator::Css(css)).await.map(Some)).await
    }

    /// Waits until no such element can be seen.
    pub async fn gone(&self, css: &str) {
        self.wait(&format!("{css} to go away"), async |client| {
            for element in client.find_all(Locator::Css(css)).await? {
                if element.is_displayed().await.unwrap_or(false) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .await;
    }

    /// Whether such an element can be seen at this moment.
    pub async fn sees(&self, css: &str) -> bool {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Waits until the element can be seen and its text contains `text`.
    pub async fn shows(&self, css: &str, text: &str) -> String {
        self.wait(&format!("{css} to show {text:?}"), async |client| {
            let shown = client.find(Locator::Css(css)).await?.text().await?;
            Ok(shown.contains(text).then_some(shown))
        })
        .await
    }

    /// The text of an element, once it can be seen.
    pub async fn text(&self, css: &str) -> String {
        self.wait(&format!("the text of {css}"), async |client| {
            client.find(Locator::Css(css)).await?.text().await.map(Some)
        })
        .await
    }

    /// An attribute of an element that is there.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.wait(css, async |client| {
            client.find(Locator::Css(css)).await?.attr(name).await.map(Some)
        })
        .await
    }

    /// Presses an element, once it can be seen and is not switched off. What moves, as a page does whose frames
    /// grow, may be missed, as by a person: then it is pressed again.
    pub async fn click(&self, css: &str) {
        let tried = AtomicBool::new(false);
        self.wait(&format!("{css} to be pressed"), async |client| {
            match press(client, css, &tried).await {
                // The press closed the window, whether or not anybody could be told of it.
                Err(error) if tried.load(Relaxed) && error.is_no_such_window() => Ok(Some(())),
                pressed => pressed,
            }
        })
        .await;
    }

    /// Replaces what stands in a field.
    pub async fn fill(&self, css: &str, text: &str) {
        self.wait(&format!("{css} to be filled"), async |client| {
            let element = client.find(Locator::Css(css)).await?;
            if !element.is_enabled().await? {
                return Ok(None);
            }
            element.clear().await?;
            element.send_keys(text).await.map(Some)
        })
        .await;
    }

    /// Types where the cursor is.
    pub async fn keys(&self, text: &str) {
        let element = self.client.active_element().await;
        if let Err(error) = async { element?.send_keys(text).await }.await {
            self.fail(&format!("cannot type: {error}")).await;
        }
    }

    /// Chooses the option with this value of a `select`.
    pub async fn choose(&self, css: &str, value: &str) {
        self.wait(&format!("{css} to offer {value:?}"), async |client| {
            let element = client.find(Locator::Css(css)).await?;
            element.select_by_value(value).await.map(Some)
        })
        .await;
    }

    /// The value of a field.
    pub async fn value(&self, css: &str) -> String {
        self.wait(&format!("the value of {css}"), async |client| {
            client.find(Locator::Css(css)).await?.prop("value").await.map(Some)
        })
        .await
        .unwrap_or_default()
    }

    /// Runs a script (the body of a function) and answers what it returns.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        match self.client.execute(body, arguments).await {
            Ok(value) => value,
            Err(error) => self.fail(&format!("{body}: {error}")).await,
        }
    }

    /// Goes into a frame of the page.
    pub async fn enter_frame(&self, css: &str) {
        self.wait(&format!("the frame {css}"), async |client| {
            client.find(Locator::Css(css)).await?.enter_frame().await.map(Some)
        })
        .await;
    }

    /// Goes back from all frames to the page itself.
    pub async fn leave_frames(&self) {
        let top = Own { path: "frame", body: json!({ "id": null }) };
        if let Err(error) = self.client.issue_cmd(top).await {
            self.fail(&format!("cannot leave the frames: {error}")).await;
        }
    }

    /// Waits for a popup and drives it from now on.
    pub async fn enter_popup(&self) {
        let main = self.main.clone();
        self.wait("a popup", async |client| {
            let windows = client.windows().await?;
            let Some(popup) = windows.into_iter().find(|window| *window != main) else {
                return Ok(None);
            };
            client.switch_to_window(popup).await.map(Some)
        })
        .await;
    }

    /// Drives the main window again; a popup stays as it is.
    pub async fn leave_popup(&self) {
        if let Err(error) = self.client.switch_to_window(self.main.clone()).await {
            panic!("{}: the main window is gone: {error}", self.test);
        }
    }

    /// Closes the popup that is driven, as a shopper does, and drives the main window again.
    pub async fn close_popup(&self) {
        self.client.close_window().await.expect("a popup can be closed");
        self.leave_popup().await;
    }

    /// Waits until no popup is open, and drives the main window again.
    pub async fn popup_closes(&self) {
        self.wait("the popup to close", async |client| {
            Ok((client.windows().await?.len() == 1).then_some(()))
        })
        .await;
        self.leave_popup().await;
    }

    /// A picture of the whole page, `<name>.png` in the test's folder.
    pub async fn picture(&self, name: &str) -> PathBuf {
        match self.take_picture(name).await {
            Ok(path) => path,
            Err(error) => panic!("{}: no picture {name}: {error}", self.test),
        }
    }

    async fn take_picture(&self, name: &str) -> Result<PathBuf, CmdError> {
        // The window is made as tall as the page: frames that lie outside of it are not painted,
        // and what sticks to its edge would stand in the middle of the picture.
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await?;
        let width = metrics["cssLayoutViewport"]["clientWidth"].as_u64().unwrap_or(1280);
        let height = metrics["cssContentSize"]["height"].as_u64().unwrap_or(900).min(8_000);
        self.resize(width, height).await?;
        let painted = "Promise.race([ \
            new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))), \
            new Promise((done) => setTimeout(done, 500)), \
        ]).then(() => null)";
        let painted = json!({ "expression": painted, "awaitPromise": true });
        self.devtools("Runtime.evaluate", painted).await?;
        let shot = self.devtools("Page.captureScreenshot", json!({ "format": "png" })).await?;
        match self.screen {
            Screen::Wide => {
                self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await?;
            }
            Screen::Phone => self.resize(PHONE_WIDTH, PHONE_HEIGHT).await?,
        }
        let picture = shot["data"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let folder = folder_of(&self.test);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, picture.unwrap_or_default()).unwrap();
        Ok(path)
    }

    async fn resize(&self, width: u64, height: u64) -> Result<(), CmdError> {
        let phone = self.screen == Screen::Phone;
        let scale = if phone { PHONE_SCALE } else { 1 };
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// A command of the browser's own protocol for the window that is driven. One that a page which went away meanwhile
    /// never answers fails the test: the driver would wait for it for ever.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, CmdError> {
        let body = json!({ "cmd": command, "params": parameters });
        let asked = self.client.issue_cmd(Own { path: "goog/cdp/execute", body });
        match tokio::time::timeout(ANSWER_WITHIN, asked).await {
            Ok(answer) => answer,
            Err(late) => panic!("{}: the browser does not answer {command}: {late}", self.test),
        }
    }

    /// What the console of the driven window has complained of since the last call: errors of
    /// scripts, resources that could not be loaded, broken policies.
    pub async fn console_errors(&self) -> Vec<String> {
        let log = Own { path: "se/log", body: json!({ "type": "browser" }) };
        let entries = self.client.issue_cmd(log).await.unwrap_or_default();
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Whether the page is wider than the screen: on a phone, it would scroll sideways.
    pub async fn overflows(&self) -> bool {
        let script = "const page = document.documentElement; \
                      return page.scrollWidth > page.clientWidth;";
        self.script(script, vec![]).await == Value::Bool(true)
    }

    /// What a person who cannot see the page, or not well, would stumble over: missing names,
    /// labels, languages, contrast. A sentence for each.
    pub async fn stumbling_blocks(&self) -> Vec<String> {
        let found = self.script(include_str!("audit.js"), vec![]).await;
        let found = found.as_array().cloned().unwrap_or_default();
        found.iter().filter_map(|sentence| sentence.as_str().map(str::to_owned)).collect()
    }

    /// The number of the process group that chromedriver and the browser run in.
    pub fn group(&self) -> u32 {
        self.driver.group()
    }

    /// Ends the browser as a crash does: no page hears of it.
    pub fn kill(mut self) {
        self.driver.kill();
        drop(self);
    }

    /// Ends the test, telling all that can be told.
    pub async fn fail(&self, why: &str) -> ! {
        let url = self.url().await;
        let text = self
            .client
            .execute("return document.body ? document.body.innerText : ''", vec![])
            .await
            .ok()
            .and_then(|text| text.as_str().map(|text| text.chars().take(1500).collect::<String>()))
            .unwrap_or_default();
        let console = self.console_errors().await.join("\n");
        let picture = self.take_picture("failure").await;
        let picture = picture.map(|path| path.display().to_string()).unwrap_or_default();
        panic!(
            "{}: {why}\n  at {url}\n  picture: {picture}\n  console: {console}\n  page:\n{text}",
            self.test
        );
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// Presses an element, and says whether the press arrived there. `tried` tells that there was one.
async fn press(client: &Client, css: &str, tried: &AtomicBool) -> Result<Option<()>, CmdError> {
    let element = client.find(Locator::Css(css)).await?;
    if !element.is_enabled().await? {
        return Ok(None);
    }
    let listen = "window.pressed = false; \
        arguments[0].addEventListener('click', () => { window.pressed = true; }, \
            { capture: true, once: true });";
    client.execute(listen, vec![json!(element)]).await?;
    tried.store(true, Relaxed);
    element.click().await?;
    // Nothing is known of a press that led away from the page, closed it, or asks whether it is meant.
    let pressed = client.execute("return window.pressed !== false", vec![]).await;
    Ok(pressed.map_or(true, |pressed| pressed == json!(true)).then_some(()))
}

fn capabilities(chromium: &Path, profile: &Path, screen: Screen) -> Capabilities {
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-breakpad",
        "--force-prefers-reduced-motion",
        "--hide-scrollbars",
        "--window-size=1280,900",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let mut chrome = json!({
        "binary": chromium,
        "args": arguments,
        "prefs": { "credentials_enable_service": false, "autofill.profile_enabled": false },
    });
    if screen == Screen::Phone {
        chrome["mobileEmulation"] = json!({
            "deviceMetrics": {
                "width": PHONE_WIDTH, "height": PHONE_HEIGHT, "pixelRatio": PHONE_SCALE,
                "touch": true,
            },
        });
    }
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": chrome,
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "pageLoad": 180_000, "script": 180_000, "implicit": 0 },
        // What asks whether something is meant is answered by the test alone, whatever is looked at meanwhile.
        "unhandledPromptBehavior": "ignore",
    });
    match capabilities {
        Value::Object(capabilities) => capabilities,
        _ => unreachable!("an object was written"),
    }
}

/// Where pictures of a test go: `$KASSA_SCREENSHOTS/<test>`, else `target/screenshots/<test>`.
fn folder_of(test: &str) -> PathBuf {
    let root = std::env::var_os("KASSA_SCREENSHOTS").map_or_else(
        || {
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
            workspace.join("target").join("screenshots")
        },
        PathBuf::from,
    );
    root.join(test)
}
