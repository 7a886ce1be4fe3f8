//! The browser helpers, against pages of our own: a form, a frame, a popup, a phone.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use testing::browser::{Browser, Screen};

const HOME: &str = r##"<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Home</title>
<h1>Home</h1>
<label>Name <input id="name" value="before"></label>
<select id="country" aria-label="Country"><option value="SE">Sweden<option value="DE">Germany</select>
<button id="greet" disabled>Greet</button><p id="greeting" hidden></p>
<button id="open">Open</button><p id="answer"></p>
<button id="complain">Complain</button>
<iframe id="inside" src="/frame" title="Inside"></iframe>
<div style="height: 2000px">tall</div>
<script>
  requestAnimationFrame(() => { greet.disabled = false; });
  greet.onclick = () => { greeting.textContent = `Hello ${document.querySelector("#name").value} of ${country.value}`; greeting.hidden = false; };
  document.querySelector("#open").onclick = () => window.open("/popup", "popup", "popup,width=420,height=640");
  complain.onclick = () => { throw new Error("as you wish"); };
  addEventListener("message", (event) => { answer.textContent = event.data; });
</script></html>"##;

const FRAME: &str = r#"<!doctype html><meta charset="utf-8"><button id="count">0</button>
<script>count.onclick = () => { count.textContent = Number(count.textContent) + 1; };</script>"#;

const POPUP: &str = r#"<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<input id="code"><button id="send">Send</button>
<script>send.onclick = () => { opener.postMessage(code.value, location.origin); close(); };</script>"#;

async fn site() -> String {
    let router = Router::new()
        .route("/", get(async || Html(HOME)))
        .route("/frame", get(async || Html(FRAME)))
        .route("/popup", get(async || Html(POPUP)))
        .route("/bad", get(async || Html(BAD)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://localhost:{}/", address.port())
}

#[tokio::test]
async fn a_page_is_read_and_used() {
    let site = site().await;
    let browser = Browser::start("harness/page", Screen::Wide).await;
    browser.goto(&site).await;
    assert_eq!(browser.text("h1").await, "Home");
    assert_eq!(browser.value("#name").await, "before");
    browser.fill("#name", "Alice").await;
    browser.choose("#country", "DE").await;
    assert!(!browser.sees("#greeting").await);
    browser.click("#greet").await;
    browser.shows("#greeting", "Hello Alice of DE").await;
    assert!(browser.console_errors().await.is_empty());
    browser.click("#complain").await;
    let errors = browser.console_errors().await;
    assert!(errors.iter().any(|error| error.contains("as you wish")), "{errors:?}");
}

#[tokio::test]
async fn frames_and_popups_are_entered_and_left() {
    let site = site().await;
    let browser = Browser::start("harness/popup", Screen::Wide).await;
    browser.goto(&site).await;
    browser.enter_frame("#inside").await;
    browser.click("#count").await;
    browser.shows("#count", "1").await;
    browser.leave_frames().await;
    browser.click("#open").await;
    browser.enter_popup().await;
    browser.fill("#code", "123456").await;
    browser.click("#send").await;
    browser.popup_closes().await;
    browser.shows("#answer", "123456").await;
    browser.click("#open").await;
    browser.enter_popup().await;
    browser.close_popup().await;
    browser.popup_closes().await;
    assert_eq!(browser.text("h1").await, "Home");
}

#[tokio::test]
async fn a_phone_is_narrow_and_pictures_are_whole() {
    let site = site().await;
    let browser = Browser::start("harness/phone", Screen::Phone).await;
    browser.goto(&site).await;
    let script = "return [innerWidth, navigator.maxTouchPoints > 0]";
    assert_eq!(browser.script(script, vec![]).await, json!([360, true]));
    let picture = std::fs::read(browser.picture("home").await).unwrap();
    // A PNG's header has its size: all of the page, at two dots for each of its points.
    assert_eq!(&picture[1..4], b"PNG");
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!(number(16), 720);
    assert!(number(20) > 4000, "{}", number(20));
}

#[tokio::test]
async fn a_killed_browser_leaves_nothing() {
    let site = site().await;
    let browser = Browser::start("harness/killed", Screen::Wide).await;
    browser.goto(&site).await;
    let group = browser.group();
    browser.kill();
    // The signal is sent when `kill` returns; processes take a moment to go.
    testing::eventually("every process of the browser to be gone", async || {
        let listing = std::process::Command::new("ps").args(["-eo", "pgid=,stat=,args="]).output();
        let listing = String::from_utf8_lossy(&listing.unwrap().stdout).into_owned();
        let alive: Vec<String> = listing
            .lines()
            .filter(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(&group.to_string())
                    && !words.next().unwrap_or("Z").starts_with('Z')
            })
            .map(ToOwned::to_owned)
            .collect();
        if alive.is_empty() { Ok(()) } else { Err(alive.join("\n")) }
    })
    .await;
}

const BAD: &str = r#"<!doctype html><meta charset="utf-8"><title></title>
<img src="data:,"><input name="nameless"><button></button><p id="twice">a<p id="twice">b
<p style="color: #999; background: #fff" aria-describedby="nowhere">faint</p>"#;

#[tokio::test]
async fn stumbling_blocks_are_found() {
    let site = site().await;
    let browser = Browser::start("harness/audit", Screen::Wide).await;
    browser.goto(&site).await;
    assert_eq!(browser.stumbling_blocks().await, Vec::<String>::new());
    browser.goto(&format!("{site}bad")).await;
    let found = browser.stumbling_blocks().await.join("\n");
    for expected in [
        "no language",
        "no title",
        "twice is there twice",
        "image without alt",
        "field without label: nameless",
        "control without a name",
        "names nowhere",
        "contrast of 2.8",
    ] {
        assert!(found.contains(expected), "{expected} in:\n{found}");
    }
}
