//! Calls of a gateway's API (`/v1`), as a shop makes them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use service::http::{ErrorKind, HttpClient, Limits};
use url::Url;

use crate::cli::web_url;
use crate::credentials::Credentials;
use crate::file::File;
use crate::settings::{self, GATEWAY_PORT};
use crate::tool::failure::Failure;

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(60),
    body_bytes: 16 * 1024 * 1024,
};

/// Where the gateway is. Its key is no argument: command lines can be read by others on the same machine.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct GatewayArgs {
    /// Where the gateway is [default: http://localhost:7071, or as kassa.toml says]
    #[arg(long, env = "KASSA_GATEWAY_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) gateway_url: Option<Url>,
    /// Where the gateway keeps its API key, unless KASSA_API_KEY has one [default: ./kassa-data]
    #[arg(long, env = "KASSA_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The API of one gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    http: HttpClient,
    base: String,
    headers: HeaderMap,
}

impl Gateway {
    /// As the flags, the environment and the files say.
    pub(crate) fn of(args: &GatewayArgs, file: &File) -> Result<Self, Failure> {
        let given = args.gateway_url.clone().or_else(|| file.gateway.public_url.clone());
        let url = if let Some(url) = given {
            url
        } else {
            let port = file.gateway.listen.map(|address| address.port());
            settings::localhost(port.filter(|port| *port != 0).unwrap_or(GATEWAY_PORT))
                .map_err(|error| Failure::usage(error.to_string()))?
        };
        let given = std::env::var("KASSA_API_KEY").ok().filter(|key| !key.trim().is_empty());
        let key = if let Some(key) = given.map(Into::into).or_else(|| file.api_key.clone()) {
            key
        } else {
            let directory = settings::data_dir(args.data_dir.as_deref(), file);
            Credentials::load(&directory)
                .map_err(|error| Failure::failed(error.to_string()))?
                .map(|made_up| made_up.api_key)
                .ok_or_else(|| {
                    Failure::usage("there is no API key for the gateway")
                        .remedy("put one in KASSA_API_KEY, or name its directory with --data-dir")
                })?
        };
        let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()))
            .map_err(|_| Failure::usage("the API key has characters that none has"))?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http: HttpClient::new(LIMITS), base, headers })
    }

    /// Asks: `path` begins behind `/v1`.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, Option<String>)],
    ) -> Result<Value, Failure> {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in query {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        let query = pairs.finish();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.call(Method::GET, &path, None).await
    }

    /// Does something.
    pub(crate) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.call(Method::POST, path, body).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let name = format!("{method} /v1{}", path.split('?').next().unwrap_or(path));
        let mut headers = self.headers.clone();
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(http::header::CONTENT_TYPE, json);
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        let url = format!("{}/v1{path}", self.base);
        let answer = self.http.send(method, &url, headers, body.into()).await.map_err(|error| {
            let message = if error.kind() == ErrorKind::Connect {
                format!("there is no gateway at {}", self.base)
            } else {
                format!("{name}: {error}")
            };
            Failure::failed(message)
                .remedy("start it with `kassa gateway` (or `kassa`), or name it with --gateway-url")
        })?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = answer.status.as_u16();
        let failure = Failure::failed(format!("{name}: {status}: {}", text("detail")))
            .detail("status", status)
            .detail("code", text("code"));
        Err(if status == 401 {
            failure.remedy("put the API key of the gateway in KASSA_API_KEY")
        } else {
            failure.remedy(text("remedy"))
        })
    }
}

/// An id as it may stand in a path.
pub(crate) fn id<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_id {
        Ok(text)
    } else {
        Err(Failure::usage(format!("`{}` is no id of {what}", super::show::plain(text))))
    }
}
