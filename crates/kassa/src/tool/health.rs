//! `kassa health`: whether a part is ready for traffic. For whatever watches it and has no HTTP client of
//! its own, such as a container's health check.

use std::time::Duration;

use clap::Args;
use http::{HeaderMap, Method};
use serde_json::json;
use service::http::{HttpClient, Limits};
use url::Url;

use crate::cli::web_url;
use crate::file::File;
use crate::report::Output;
use crate::settings::{self, GATEWAY_PORT};
use crate::tool::failure::Failure;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kassa health                                 the gateway on this machine
  kassa health --url http://127.0.0.1:7072     another part

Exit status: 0 when it is ready, 1 when it is not or cannot be reached.";

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    answer: Duration::from_secs(2),
    body_bytes: 4 * 1024,
};

/// What is looked at.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Where it is [default: the gateway, http://localhost:7071, or as kassa.toml says]
    #[arg(long, env = "KASSA_GATEWAY_URL", value_name = "URL", value_parser = web_url)]
    url: Option<Url>,
}

pub(crate) async fn run(args: HealthArgs, file: &File, output: Output) -> Result<(), Failure> {
    let url = if let Some(url) = args.url {
        url
    } else {
        // The listener itself: a public URL may lead through a proxy to another node.
        let port = file.gateway.listen.map(|address| address.port()).filter(|port| *port != 0);
        settings::localhost(port.unwrap_or(GATEWAY_PORT))
            .map_err(|error| Failure::usage(error.to_string()))?
    };
    let base = url.as_str().trim_end_matches('/');
    let ready = format!("{base}/readyz");
    let answer = HttpClient::new(LIMITS)
        .send(Method::GET, &ready, HeaderMap::new(), Vec::new().into())
        .await
        .map_err(|error| Failure::failed(format!("{base} cannot be reached: {error}")))?;
    let status = answer.status.as_u16();
    if !answer.status.is_success() {
        return Err(
            Failure::failed(format!("{base} is not ready for traffic")).detail("status", status)
        );
    }
    super::answer(output, &json!({ "ready": true, "url": base }), |_| {
        format!("{base} is ready for traffic.\n")
    });
    Ok(())
}
