//! Where log lines and traces go.
//!
//! Lines go to standard error, as text for people or as one JSON object each. Traces go to a collector, as OTLP over
//! HTTP, if one is named; without one nothing is recorded, and spans are no more than the context of log lines. What may
//! stand in either is decided where it is written: no secret and nothing personal.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::Arc;

use axum::body::Bytes;
use klarna::types::secret::Secret;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use url::Url;

use crate::cli::{Cli, Command, LogFormat, OtlpProtocol, WatchArgs};
use crate::file::File;

/// The name under which traces are found.
const SERVICE_NAME: &str = "kassa-gateway";

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    #[error("the headers for the collector of traces are not written NAME=VALUE,NAME=VALUE")]
    Headers,
    #[error("traces cannot be sent to {endpoint}: {source}")]
    Exporter {
        endpoint: Url,
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
}

/// Sends what was recorded when it is asked to, and at the end.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// From now on what happens is logged, and recorded where a collector is named.
    pub(crate) fn start(cli: &Cli, file: &File, runtime: &Handle) -> Result<Self, TelemetryError> {
        let traces = match collector(cli, file) {
            Some(collector) => Some(collector.provider(runtime)?),
            None => None,
        };
        let spans = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("kassa"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_filter(recorded())
        });
        let said = cli.log.as_deref().or(file.log.as_deref()).unwrap_or("warn");
        let filter = EnvFilter::try_new(said).unwrap_or_else(|_| EnvFilter::new("warn"));
        let usual = if cli.json { LogFormat::Json } else { LogFormat::Text };
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match cli.log_format.or(file.log_format).unwrap_or(usual) {
            LogFormat::Json => lines
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_filter(filter)
                .boxed(),
            LogFormat::Text => {
                lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed()
            }
        };
        // Whoever embeds this library may have set a subscriber already; theirs then stands.
        let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
        Ok(Self { traces })
    }

    /// Sends what was not sent yet. Blocks for seconds at most.
    pub(crate) fn end(self) {
        if let Some(provider) = self.traces
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// What is recorded: what the gateway does. Not the HTTP libraries below it, and not the playground or the shop, which
/// run in this process only to be tried out.
fn recorded() -> Targets {
    Targets::new().with_target("gateway", LevelFilter::INFO)
}

/// Who collects traces.
struct Collector {
    endpoint: Url,
    protocol: Protocol,
    headers: Option<Secret>,
}

fn collector(cli: &Cli, file: &File) -> Option<Collector> {
    let args: &WatchArgs = match &cli.command {
        Command::Gateway(args) if args.action.is_none() => &args.watch,
        Command::Up(args) => &args.watch,
        _ => return None,
    };
    let file = &file.gateway;
    let endpoint = args.otlp_endpoint.clone().or_else(|| file.otlp_endpoint.clone())?;
    let protocol = match args.otlp_protocol.or(file.otlp_protocol) {
        Some(OtlpProtocol::Json) => Protocol::HttpJson,
        Some(OtlpProtocol::Protobuf) | None => Protocol::HttpBinary,
    };
    let headers = args.otlp_headers.clone().or_else(|| file.otlp_headers.clone());
    Some(Collector { endpoint, protocol, headers })
}

impl Collector {
    fn provider(&self, runtime: &Handle) -> Result<SdkTracerProvider, TelemetryError> {
        let endpoint = format!("{}/v1/traces", self.endpoint.as_str().trim_end_matches('/'));
        let client =
            Sender { client: service::http::HttpClient::default(), runtime: runtime.clone() };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint)
            .with_protocol(self.protocol)
            .with_shared_http_client(Arc::new(client))
            .with_headers(self.headers()?)
            .build()
            .map_err(|source| TelemetryError::Exporter {
                endpoint: self.endpoint.clone(),
                source,
            })?;
        // Whatever `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say is taken over by the builder.
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let resource = if named { resource } else { resource.with_service_name(SERVICE_NAME) };
        Ok(SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build())
    }

    fn headers(&self) -> Result<std::collections::HashMap<String, String>, TelemetryError> {
        let Some(headers) = &self.headers else { return Ok(std::collections::HashMap::new()) };
        headers
            .expose()
            .split(',')
            .map(|header| {
                let (name, value) = header.split_once('=').ok_or(TelemetryError::Headers)?;
                let (name, value) = (name.trim(), value.trim());
                let is_name = http::HeaderName::try_from(name).is_ok();
                let is_value = http::HeaderValue::try_from(value).is_ok();
                (is_name && is_value)
                    .then(|| (name.to_owned(), value.to_owned()))
                    .ok_or(TelemetryError::Headers)
            })
            .collect()
    }
}

/// Sends over the connections of this program; the exporter asks from a thread of its own.
struct Sender {
    client: service::http::HttpClient,
    runtime: Handle,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let (head, body) = request.into_parts();
        let sending = self.runtime.spawn(async move {
            client.send(head.method, &head.uri.to_string(), head.headers, body).await
        });
        let answer = sending.await??;
        let mut response = http::Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_not_repeated() {
        let collector = |headers: &str| Collector {
            endpoint: "http://localhost:4318".parse().unwrap(),
            protocol: Protocol::HttpBinary,
            headers: Some(Secret::from(headers.to_owned())),
        };
        let read = collector("api-key=hunter2, x-team = pay").headers().unwrap();
        assert_eq!(read["api-key"], "hunter2");
        assert_eq!(read["x-team"], "pay");
        for bad in ["hunter2", "a b=hunter2", "=hunter2", "a=hunter2\n"] {
            let error = collector(bad).headers().map(drop).map_err(|error| error.to_string());
            // A line break at the end of a value is trimmed.
            if let Err(error) = error {
                assert!(!error.contains("hunter2"), "{error}");
            } else {
                assert_eq!(bad, "a=hunter2\n");
            }
        }
    }
}
