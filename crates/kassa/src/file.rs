//! `kassa.toml`: the same settings as the flags, under the same names.
//!
//! Shared settings stand at the top; `[playground]`, `[gateway]` and `[shop]` hold what belongs to
//! one part. A name that is not known is an error, so that a typing mistake is found.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use klarna::types::secret::Secret;
use serde::Deserialize;
use url::Url;

use crate::cli::{
    CallbackTargets, LogFormat, MerchantSpec, OtlpProtocol, RateLimits, SftpListen, WebhookTargets,
};

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[allow(clippy::struct_field_names, reason = "a flag's name")]
pub(crate) struct File {
    #[serde(alias = "data_dir")]
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) ephemeral: Option<bool>,
    pub(crate) database: Option<String>,
    #[serde(alias = "merchants")]
    pub(crate) merchant: Vec<MerchantSpec>,
    #[serde(alias = "client_id")]
    pub(crate) client_id: Option<String>,
    #[serde(alias = "rate_limits")]
    pub(crate) rate_limits: Option<RateLimits>,
    #[serde(alias = "callback_targets")]
    pub(crate) callback_targets: Option<CallbackTargets>,
    #[serde(alias = "api_key")]
    pub(crate) api_key: Option<Secret>,
    #[serde(alias = "dashboard_password")]
    pub(crate) dashboard_password: Option<Secret>,
    #[serde(alias = "master_key")]
    pub(crate) master_key: Option<Secret>,
    #[serde(alias = "master_key_file")]
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) log: Option<String>,
    #[serde(alias = "log_format")]
    pub(crate) log_format: Option<LogFormat>,
    pub(crate) playground: PlaygroundSection,
    pub(crate) gateway: GatewaySection,
    pub(crate) shop: ShopSection,
}

/// `[playground]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PlaygroundSection {
    pub(crate) listen: Option<SocketAddr>,
    #[serde(alias = "public_url")]
    #[serde(deserialize_with = "url")]
    pub(crate) public_url: Option<Url>,
    #[serde(alias = "control_token")]
    pub(crate) control_token: Option<Secret>,
    #[serde(alias = "sftp_listen")]
    pub(crate) sftp_listen: Option<SftpListen>,
    #[serde(alias = "tls_listen")]
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) intercept: Option<bool>,
    #[serde(alias = "intercept_listen")]
    pub(crate) intercept_listen: Option<SocketAddr>,
    #[serde(alias = "ca_dir")]
    pub(crate) ca_dir: Option<PathBuf>,
}

/// `[gateway]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct GatewaySection {
    pub(crate) listen: Option<SocketAddr>,
    #[serde(alias = "public_url")]
    #[serde(deserialize_with = "url")]
    pub(crate) public_url: Option<Url>,
    #[serde(alias = "klarna_url")]
    #[serde(deserialize_with = "url")]
    pub(crate) klarna_url: Option<Url>,
    #[serde(alias = "webhook_targets")]
    pub(crate) webhook_targets: Option<WebhookTargets>,
    #[serde(alias = "klarna_username")]
    pub(crate) klarna_username: Option<String>,
    #[serde(alias = "klarna_password")]
    pub(crate) klarna_password: Option<Secret>,
    #[serde(alias = "klarna_client_id")]
    pub(crate) klarna_client_id: Option<String>,
    #[serde(alias = "metrics_listen")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    #[serde(alias = "metrics_token")]
    pub(crate) metrics_token: Option<Secret>,
    #[serde(alias = "otlp_endpoint")]
    #[serde(deserialize_with = "url")]
    pub(crate) otlp_endpoint: Option<Url>,
    #[serde(alias = "otlp_protocol")]
    pub(crate) otlp_protocol: Option<OtlpProtocol>,
    #[serde(alias = "otlp_headers")]
    pub(crate) otlp_headers: Option<Secret>,
    #[serde(alias = "drain_seconds")]
    pub(crate) drain_seconds: Option<u32>,
    #[serde(alias = "stop_seconds")]
    pub(crate) stop_seconds: Option<u32>,
    #[serde(alias = "trusted_proxies", deserialize_with = "networks")]
    pub(crate) trusted_proxies: Vec<gateway::Network>,
}

/// `[shop]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ShopSection {
    pub(crate) listen: Option<SocketAddr>,
    #[serde(alias = "public_url")]
    #[serde(deserialize_with = "url")]
    pub(crate) public_url: Option<Url>,
    #[serde(alias = "gateway_url")]
    #[serde(deserialize_with = "url")]
    pub(crate) gateway_url: Option<Url>,
}

fn networks<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<gateway::Network>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().map_err(serde::de::Error::custom))
        .collect()
}

fn url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|error| serde::de::Error::custom(format!("not a URL: {error}")))
}

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path}, line {line}: {message}")]
    Parse { path: PathBuf, line: usize, message: String },
}

impl File {
    /// Reads the file that was named, or `kassa.toml` here if there is one.
    pub(crate) fn load(named: Option<&Path>) -> Result<Self, FileError> {
        let path = named.unwrap_or(Path::new("kassa.toml"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(FileError::Read { path: path.to_path_buf(), source }),
        };
        Self::parse(&text, path)
    }

    /// Reads what was read from a file.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            // The line's text is not repeated: it may hold a password.
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
            });
            FileError::Parse {
                path: path.to_path_buf(),
                line,
                message: with_each_name_once(error.message()),
            }
        })
    }
}

/// Names are also read with underscores, and `merchants` for `merchant`; whoever mistyped one need not be
/// told twice of each.
fn with_each_name_once(message: &str) -> String {
    let Some((before, names)) = message.split_once(", expected one of ") else {
        return message.to_owned();
    };
    let names: Vec<&str> =
        names.split(", ").filter(|name| !name.contains('_') && *name != "`merchants`").collect();
    format!("{before}, expected one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_flags() {
        let file = File::parse(
            "data-dir = 'd'\nmerchant = ['K1=u:p']\nrate-limits = 'live'\n\
             callback-targets = 'anywhere'\n\
             [gateway]\nlisten = '127.0.0.1:1'\nklarna-url = 'https://api.klarna.com'\n",
            Path::new("kassa.toml"),
        )
        .unwrap();
        assert_eq!(file.data_dir, Some(PathBuf::from("d")));
        assert_eq!(file.merchant.len(), 1);
        assert_eq!(file.rate_limits, Some(RateLimits::Live));
        assert_eq!(file.callback_targets, Some(CallbackTargets::Anywhere));
        assert_eq!(file.gateway.klarna_url.unwrap().as_str(), "https://api.klarna.com/");
    }

    #[test]
    fn a_mistake_is_placed_and_no_secret_repeated() {
        let text = "ephemeral = true\n[gateway]\nklarna-pasword = 'hunter2'\n";
        let error = File::parse(text, Path::new("kassa.toml")).unwrap_err().to_string();
        assert!(error.starts_with("kassa.toml, line 3: unknown field `klarna-pasword`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn each_name_is_listed_once() {
        for (text, listed) in [
            ("data-dri = 'd'", "`data-dir`, `ephemeral`, `database`, `merchant`, `rate-limits`"),
            ("[gateway]\nlissten = 'd'", "`listen`, `public-url`, `klarna-url`"),
        ] {
            let error = File::parse(text, Path::new("kassa.toml")).unwrap_err().to_string();
            assert!(error.contains(&format!("expected one of {listed}")), "{error}");
            assert!(!error.contains('_') && !error.contains("merchants"), "{error}");
        }
    }

    #[test]
    fn no_file_is_no_error_unless_it_was_named() {
        let missing = Path::new("/nonexistent/kassa.toml");
        assert!(File::load(Some(missing)).is_err());
    }
}
