//! Flags, environment, file and defaults, resolved into what the parts are started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use storage::Location;
use url::Url;

use crate::cli::{CallbackTargets, DataArgs, MerchantSpec, RateLimits, WatchArgs, WebhookTargets};
use crate::credentials::{Credentials, CredentialsError};
use crate::file::File;

/// The ports that Kassa stands on unless told otherwise.
pub(crate) const SHOP_PORT: u16 = 7070;
/// See [`SHOP_PORT`].
pub(crate) const GATEWAY_PORT: u16 = 7071;
/// See [`SHOP_PORT`].
pub(crate) const PLAYGROUND_PORT: u16 = 7072;

/// See [`SHOP_PORT`]; as Klarna's own SFTP servers.
pub(crate) const SFTP_PORT: u16 = 4001;
/// See [`SHOP_PORT`].
pub(crate) const INTERCEPT_PORT: u16 = 7443;

/// The directory that is used when none is named.
const DATA_DIR: &str = "kassa-data";

/// Loopback at a port.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// `http://localhost:PORT`, the public URL of a part that was given none.
pub(crate) fn localhost(port: u16) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://localhost:{port}"))
}

/// Where state is kept.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// In memory.
    Ephemeral,
    /// In this directory.
    Directory(PathBuf),
}

impl Home {
    /// From flags and file; `./kassa-data` when neither says.
    pub(crate) fn resolve(args: &DataArgs, file: &File) -> Self {
        // A directory named on the command line or in the environment beats the file's
        // `ephemeral = true`.
        let ephemeral =
            args.ephemeral || (args.data_dir.is_none() && file.ephemeral.unwrap_or_default());
        if ephemeral {
            return Self::Ephemeral;
        }
        Self::Directory(data_dir(args.data_dir.as_deref(), file))
    }

    /// The database of a part.
    pub(crate) fn database(&self, part: &str) -> Location {
        match self {
            Self::Ephemeral => Location::Memory,
            Self::Directory(directory) => Location::File(directory.join(format!("{part}.db"))),
        }
    }

    /// The credentials made up on first use.
    pub(crate) fn credentials(&self) -> Result<Credentials, CredentialsError> {
        match self {
            Self::Ephemeral => Ok(Credentials::generate()),
            Self::Directory(directory) => Credentials::load_or_create(directory),
        }
    }

    /// Keeps whom the playground was started with, for the commands that call it.
    pub(crate) fn remember(&self, merchants: &[MerchantSpec]) -> Result<(), CredentialsError> {
        match (self, merchants.first()) {
            (Self::Directory(directory), Some(merchant)) => {
                Credentials::remember(directory, merchant)
            }
            _ => Ok(()),
        }
    }

    /// The directory, for reports.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Ephemeral => None,
            Self::Directory(directory) => Some(directory),
        }
    }
}

/// The data directory alone, for what has no state of its own.
pub(crate) fn data_dir(named: Option<&Path>, file: &File) -> PathBuf {
    named
        .map(Path::to_path_buf)
        .or_else(|| file.data_dir.clone())
        .unwrap_or_else(|| PathBuf::from(DATA_DIR))
}

impl From<CallbackTargets> for playground::CallbackTargets {
    fn from(targets: CallbackTargets) -> Self {
        match targets {
            CallbackTargets::Internet => Self::Internet,
            CallbackTargets::Networks => Self::Networks,
            CallbackTargets::Anywhere => Self::Anywhere,
        }
    }
}

impl From<WebhookTargets> for gateway::WebhookTargets {
    fn from(targets: WebhookTargets) -> Self {
        match targets {
            WebhookTargets::Internet => Self::Internet,
            WebhookTargets::Networks => Self::Networks,
        }
    }
}

/// How the gateway is watched and stops.
pub(crate) fn observe(args: &WatchArgs, file: &File) -> gateway::observe::Settings {
    let usual = gateway::observe::Settings::default();
    let seconds = |given: Option<u32>| given.map(|seconds| Duration::from_secs(seconds.into()));
    let file = &file.gateway;
    gateway::observe::Settings {
        metrics_listen: args.metrics_listen.or(file.metrics_listen),
        metrics_token: args.metrics_token.clone().or_else(|| file.metrics_token.clone()),
        drain: seconds(args.drain_seconds.or(file.drain_seconds)).unwrap_or(usual.drain),
        stop_within: seconds(args.stop_seconds.or(file.stop_seconds)).unwrap_or(usual.stop_within),
    }
}

impl From<RateLimits> for playground::RateLimits {
    fn from(limits: RateLimits) -> Self {
        match limits {
            RateLimits::Off => Self::Off,
            RateLimits::Playground => Self::Playground,
            RateLimits::Live => Self::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_beats_the_file() {
        let file = File { ephemeral: Some(true), ..File::default() };
        assert!(matches!(Home::resolve(&DataArgs::default(), &file), Home::Ephemeral));
        let args = DataArgs { data_dir: Some("here".into()), ephemeral: false };
        assert!(
            matches!(Home::resolve(&args, &file), Home::Directory(d) if d == Path::new("here"))
        );
    }

    #[test]
    fn everything_has_a_default() {
        let home = Home::resolve(&DataArgs::default(), &File::default());
        assert_eq!(home.directory(), Some(Path::new("kassa-data")));
    }
}
