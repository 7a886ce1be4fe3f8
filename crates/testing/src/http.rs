//! Plain HTTP calls of a test: JSON in, status and JSON out. No retries, no rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use service::http::{Answer, Error, HttpClient};

/// Who calls: what goes into `Authorization`.
#[derive(Debug, Clone, Copy)]
pub enum As<'a> {
    /// Nobody in particular.
    Anyone,
    /// `Basic`, as Klarna wants it.
    Basic(&'a str, &'a str),
    /// `Bearer`, as the gateway wants it.
    Bearer(&'a str),
}

impl As<'_> {
    fn headers(self) -> HeaderMap {
        let value = match self {
            As::Anyone => return HeaderMap::new(),
            As::Basic(user, password) => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
            }
            As::Bearer(key) => format!("Bearer {key}"),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        headers
    }
}

/// A client for the calls of one test.
#[derive(Debug, Clone, Default)]
pub struct Http {
    client: HttpClient,
}

impl Http {
    /// A client with its own connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// One call; what went wrong on the way is an error, any answer is fine.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        caller: As<'_>,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let mut headers = caller.headers();
        let body = body.map_or_else(Bytes::new, |body| {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            serde_json::to_vec(body).unwrap().into()
        });
        self.client.send(method, url, headers, body).await
    }

    /// A GET that must be answered with 200 and JSON.
    pub async fn get(&self, url: &str, caller: As<'_>) -> Value {
        let answer = self.send(Method::GET, url, caller, None).await;
        let answer = answer.unwrap_or_else(|error| panic!("GET {url}: {error}"));
        json("GET", url, &answer)
    }

    /// A POST that must be answered with 2xx; its JSON, or null when the answer is empty.
    pub async fn post(&self, url: &str, caller: As<'_>, body: &Value) -> Value {
        let answer = self.send(Method::POST, url, caller, Some(body)).await;
        let answer = answer.unwrap_or_else(|error| panic!("POST {url}: {error}"));
        json("POST", url, &answer)
    }

    /// The status that a GET is answered with.
    pub async fn status(&self, url: &str) -> Result<u16, Error> {
        Ok(self.send(Method::GET, url, As::Anyone, None).await?.status.as_u16())
    }
}

fn json(method: &str, url: &str, answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(answer.status.is_success(), "{method} {url}: {} {text}", answer.status);
    if answer.body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("{method} {url}: {error} in {text}"))
}
