//! Calls of the playground's control API (`/playground/v1`).

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use service::http::{ErrorKind, HttpClient, Limits};
use url::Url;

use crate::file::File;
use crate::tool::failure::Failure;
use crate::tool::target::{self, PlaygroundArgs};

/// A log with large bodies in it is long.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    // Moving the clock by a year may take its time.
    answer: Duration::from_secs(600),
    body_bytes: 256 * 1024 * 1024,
};

/// The control API of one playground.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    http: HttpClient,
    base: String,
    headers: HeaderMap,
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Nobody is there (any more).
    Gone(Failure),
    /// It was answered with an error.
    Refused(Failure),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Gone(failure) | Unanswered::Refused(failure) => failure,
        }
    }
}

impl Control {
    /// As the flags say.
    pub(crate) fn of(args: &PlaygroundArgs, file: &File) -> Result<Self, Failure> {
        let url = target::playground_url(args, file)?;
        let mut headers = HeaderMap::new();
        if let Some(token) = target::control_token(args, file)? {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| Failure::usage("the control token has characters that none has"))?;
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self::at(&url, headers))
    }

    fn at(url: &Url, headers: HeaderMap) -> Self {
        let base = url.as_str().trim_end_matches('/').to_owned();
        Self { http: HttpClient::new(LIMITS), base, headers }
    }

    /// Where the playground is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks: `path` begins behind `/playground/v1`.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Value, Unanswered> {
        let mut rest = path.to_owned();
        if !query.is_empty() {
            let mut serializer = url::form_urlencoded::Serializer::new(String::new());
            serializer.extend_pairs(query);
            rest.push('?');
            rest.push_str(&serializer.finish());
        }
        self.call(Method::GET, &rest, None).await
    }

    /// Does something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        Ok(self.call(Method::POST, path, Some(body)).await?)
    }

    /// Takes something away.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.call(Method::DELETE, path, None).await?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Unanswered> {
        let url = format!("{}/playground/v1{path}", self.base);
        let name = format!("{method} /playground/v1{}", path.split('?').next().unwrap_or(path));
        let mut headers = self.headers.clone();
        let body = body.map(ToString::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers
                .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let answer = match self.http.send(method, &url, headers, body.into()).await {
            Ok(answer) => answer,
            Err(error) => {
                let mut message = format!("{name}: {error}");
                if error.kind() == ErrorKind::Connect {
                    message = format!("there is no playground at {}", self.base);
                }
                return Err(Unanswered::Gone(Failure::failed(message).remedy(
                    "start it with `kassa playground` (or `kassa`), or name it with --playground-url",
                )));
            }
        };
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status.is_success() {
            return Ok(value);
        }
        Err(Unanswered::Refused(refused(&name, answer.status.as_u16(), &value)))
    }
}

fn refused(name: &str, status: u16, body: &Value) -> Failure {
    let code = body.get("error_code").and_then(Value::as_str).unwrap_or_default();
    let messages: Vec<&str> = body
        .get("error_messages")
        .and_then(Value::as_array)
        .map(|messages| messages.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut message = format!("{name}: {status} {code}").trim_end().to_owned();
    if !messages.is_empty() {
        message = format!("{message}: {}", messages.join("; "));
    }
    let failure = if status == 400 { Failure::usage(message) } else { Failure::failed(message) }
        .detail("status", status)
        .detail("code", code)
        .detail("messages", messages);
    match status {
        401 | 403 => failure.remedy(
            "put the control token of the playground in KASSA_CONTROL_TOKEN, or name a file with \
             --control-token-file",
        ),
        404 if code == "NOT_FOUND" && body.get("error_messages").is_none() => {
            failure.remedy("is it a playground of Kassa, and not an older one?")
        }
        _ => failure,
    }
}
