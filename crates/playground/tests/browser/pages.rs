//! Pages of a shop, as a case writes them: a playground, a server for the pages on another port, a browser.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testing::browser::{Browser, Screen};

use crate::common::World;

type Shelf = Arc<Mutex<HashMap<String, String>>>;

pub(crate) struct Pages {
    pub(crate) world: World,
    pub(crate) browser: Browser,
    shop: String,
    shelf: Shelf,
}

async fn page(State(shelf): State<Shelf>, Path(name): Path<String>) -> Response {
    match shelf.lock().get(&name) {
        Some(text) => Html(text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Pages {
    pub(crate) async fn start(test: &str, screen: Screen) -> Self {
        let world = World::start().await;
        let shelf = Shelf::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shop = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/{name}", get(page)).with_state(Arc::clone(&shelf));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let browser = Browser::start(test, screen).await;
        Self { world, browser, shop, shelf }
    }

    pub(crate) async fn stop(self) {
        drop(self.browser);
        self.world.stop().await;
    }

    /// Opens a page of this markup. In it, `PLAYGROUND` and `CLIENT` stand for what they are.
    pub(crate) async fn open(&self, name: &str, head: &str, body: &str) {
        let text = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Shop</title>\
             <link rel=\"icon\" href=\"data:,\">{head}</head><body>{body}</body></html>"
        )
        .replace("PLAYGROUND", &self.world.public_url())
        .replace("CLIENT", &self.world.client_id());
        self.shelf.lock().insert(name.to_owned(), text);
        self.browser.leave_popup().await;
        self.browser.goto(&format!("{}/{name}", self.shop)).await;
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.browser.script(body, arguments).await
    }

    /// Waits until a script (the body of a function) answers with something but null, and false.
    pub(crate) async fn until(&self, what: &str, body: &str) -> Value {
        self.browser
            .wait(what, async |client| {
                let answer = client.execute(body, vec![]).await?;
                Ok((!answer.is_null() && answer != Value::Bool(false)).then_some(answer))
            })
            .await
    }

    /// Waits until a frame whose address contains `part` has been loaded, wherever in the page it stands, and
    /// answers with that address.
    pub(crate) async fn until_target(&self, part: &str) -> String {
        self.browser
            .wait(&format!("a frame of {part}"), async |_| {
                let targets = self.browser.devtools("Target.getTargets", json!({})).await?;
                let all = targets["targetInfos"].as_array().cloned().unwrap_or_default();
                let mut urls = all.iter().filter_map(|target| target["url"].as_str());
                Ok(urls.find(|url| url.contains(part)).map(str::to_owned))
            })
            .await
    }

    /// Presses Enter or Escape wherever the focus is, in shadow roots and frames as well.
    pub(crate) async fn press(&self, key: &str) {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (27, "") };
        for kind in ["keyDown", "keyUp"] {
            let mut event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.browser.devtools("Input.dispatchKeyEvent", event).await.unwrap();
        }
    }
}
