//! What can be said on the command line. Each flag can also be given in the environment and in
//! `kassa.toml`; the command line wins, then the environment, then the file.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use klarna::types::secret::Secret;
use serde::Deserialize;
use url::Url;

use crate::keep::{self, BackupArgs, RestoreArgs};
use crate::operator::{self, KeysCommand, UsersCommand};
use crate::tool::Tool;

const ABOUT: &str = "Take, manage and rehearse Klarna payments, all on this machine.";

const AFTER: &str = "\
Without a command, `kassa` means `kassa up`: everything together on 127.0.0.1, no account and no network needed.

Examples:
  kassa                                 start everything, keep data in ./kassa-data
  kassa --ephemeral --json              start everything in memory, speak JSON (for scripts and CI)
  kassa playground --listen 127.0.0.1:9000 --merchant K1=user:password
  kassa playground --intercept          be api.klarna.com for a program that has it built in
  kassa gateway --klarna-url https://api.klarna.com --database postgres://localhost/kassa
  kassa trigger payment.captured        make a payment happen, at the playground that runs
  kassa api orders get ORDER_ID         and look at it
  kassa completions bash > ~/.local/share/bash-completion/completions/kassa

`kassa help up` lists the flags of `kassa` without a command, `kassa help COMMAND` those of another.
The flags of what runs can also be given in the environment, under the names that the help of each shows \
(KASSA_DATA_DIR, KASSA_LISTEN …), and all but --json and --config in kassa.toml; the command line wins, \
then the environment, then the file. --print-config shows what comes of it, and from where.

Exit status: 0 done, 1 failed, 2 wrong usage.";

/// The commands, in groups: what runs, what talks to it, what helps.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Run:
  up           Playground, gateway and shop together on 127.0.0.1, with one data directory (the default)
  playground   Klarna's side alone: APIs, browser library, purchase flow, a clock that moves
  gateway      The merchant's side alone, against any Klarna base URL
  shop         The demo shop alone

Call Klarna:
  api          Any operation of Klarna's APIs: at the playground, or live

Keep what the gateway knows:
  backup       Copy the gateway's database while it runs
  restore      Put a copy back, and have Klarna asked what happened since

Drive the playground:
  trigger      Make something happen: a payment captured, a token refused, a dispute lost
  listen       Print callbacks as they arrive, and forward them
  logs         Print the log of calls and callbacks
  clock        Read or move the clock
  faults       Make the APIs fail on purpose

Call the gateway:
  webhooks     List, test and replay what it tells a shop
  erasures     Have it forget shoppers
  health       Whether it is ready for traffic

Other:
  config       Check a configuration file, or print the table of all settings
  completions  Print a completion script for a shell
  help         Print this message, or the help of a command

Options:
{options}{after-help}";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "kassa", version, about = ABOUT, after_help = AFTER, help_template = TEMPLATE, propagate_version = true)]
pub(crate) struct Cli {
    /// Speak JSON: one object per line. What starts something says {"event":"ready",…} first, with every
    /// URL and credential; what fails says {"event":"error",…}
    #[arg(long, global = true, env = "KASSA_JSON", value_parser = yes_or_no())]
    pub(crate) json: bool,

    /// The configuration file [default: kassa.toml, if there is one]
    #[arg(long, global = true, env = "KASSA_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// What is logged to standard error: a level, or targets with levels as in `info,gateway=debug`
    /// [default: warn]
    #[arg(long, global = true, env = "KASSA_LOG", value_name = "FILTER", value_parser = log_filter)]
    pub(crate) log: Option<String>,

    /// How it is logged [default: json with --json, else text]
    #[arg(long, global = true, env = "KASSA_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether the settings are to be shown, and nothing to be run.
    pub(crate) fn prints_config(&self) -> bool {
        match &self.command {
            Command::Up(args) => args.print.print_config,
            Command::Playground(args) => args.print.print_config,
            Command::Gateway(args) => args.print.print_config,
            Command::Shop(args) => args.print.print_config,
            Command::Backup(_)
            | Command::Restore(_)
            | Command::Tool(_)
            | Command::Config(_)
            | Command::Completions { .. } => false,
        }
    }
}

/// What a switch may be set to in the environment: 1 and 0, yes and no, true and false, on and off.
fn yes_or_no() -> clap::builder::BoolishValueParser {
    clap::builder::BoolishValueParser::new()
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Playground, gateway and shop together on 127.0.0.1, with one data directory (the default)
    Up(UpArgs),
    /// Klarna's side alone: APIs, browser library, purchase flow, a clock that moves
    Playground(PlaygroundArgs),
    /// The merchant's side alone, against any Klarna base URL
    Gateway(GatewayArgs),
    /// The demo shop alone
    Shop(ShopArgs),
    /// Copy the gateway's database while it runs
    #[command(after_help = keep::BACKUP_EXAMPLES)]
    Backup(BackupArgs),
    /// Put a copy back, and have Klarna asked what happened since
    #[command(after_help = keep::RESTORE_EXAMPLES)]
    Restore(RestoreArgs),
    #[command(flatten)]
    Tool(Tool),
    /// Check a configuration file, or print the table of all settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for programs
    Json,
}

/// What `kassa config` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration file and name what is wrong with it, line by line
    Check {
        /// The file
        #[arg(value_name = "FILE", default_value = "kassa.toml")]
        file: PathBuf,
    },
    /// Print the table of all settings, as docs/configuration.md has it
    Table,
}

/// Flags of `kassa up`.
#[derive(Debug, Default, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) klarna_side: KlarnaSideArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,

    /// Where the playground listens [default: 127.0.0.1:7072]
    #[arg(long, env = "KASSA_PLAYGROUND_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) playground_listen: Option<SocketAddr>,
    /// Where the gateway listens [default: 127.0.0.1:7071]
    #[arg(long, env = "KASSA_GATEWAY_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) gateway_listen: Option<SocketAddr>,
    /// Where the shop listens [default: 127.0.0.1:7070]
    #[arg(long, env = "KASSA_SHOP_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) shop_listen: Option<SocketAddr>,
    /// The gateway's database: postgres://… [default: SQLite in the data directory]
    #[arg(long, env = "KASSA_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// Flags of `kassa playground`.
#[derive(Debug, Default, Args)]
pub(crate) struct PlaygroundArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) klarna_side: KlarnaSideArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    /// Ask for this token (Authorization: Bearer …) on /playground/v1; without it those routes
    /// answer on loopback only
    #[arg(long, env = "KASSA_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) control_token: Option<Secret>,
}

/// Flags of `kassa gateway`.
#[derive(Debug, Default, Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    /// The database: postgres://… [default: SQLite in the data directory]
    #[arg(long, env = "KASSA_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Klarna's base URL for your region and environment [default: the local playground]
    #[arg(long, env = "KASSA_KLARNA_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) klarna_url: Option<Url>,
    /// The user name of the Klarna API credential
    #[arg(long, env = "KASSA_KLARNA_USERNAME", value_name = "NAME")]
    pub(crate) klarna_username: Option<String>,
    /// The password of the Klarna API credential (better given in the environment: command lines
    /// can be read by others on the same machine)
    #[arg(long, env = "KASSA_KLARNA_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub(crate) klarna_password: Option<Secret>,
    /// Klarna's client identifier, for what shops show before a checkout: messages about paying, the
    /// express button, signing in (in the merchant portal: Settings, Client identifiers) [default: none]
    #[arg(long, env = "KASSA_KLARNA_CLIENT_ID", value_name = "ID")]
    pub(crate) klarna_client_id: Option<String>,
    /// Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, such as
    /// 10.0.0.0/8; several, separated by commas [default: none]
    #[arg(
        long,
        env = "KASSA_TRUSTED_PROXIES",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(crate) trusted_proxies: Vec<gateway::Network>,
    #[command(subcommand)]
    pub(crate) action: Option<GatewayAction>,
}

/// Flags of `kassa shop`.
#[derive(Debug, Default, Args)]
pub(crate) struct ShopArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    /// Where the shop's own secrets are read from, as `kassa up` left them
    #[arg(long, env = "KASSA_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The gateway's URL [default: http://localhost:7071]
    #[arg(long, env = "KASSA_GATEWAY_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) gateway_url: Option<Url>,
    /// The key for the gateway's API [default: the one in the data directory]
    #[arg(long, env = "KASSA_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<Secret>,
}

/// Where a part is reached.
#[derive(Debug, Default, Args)]
pub(crate) struct ListenArgs {
    /// Where to listen [default: port 7072 (playground), 7071 (gateway), 7070 (shop) of 127.0.0.1]
    #[arg(long, env = "KASSA_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) listen: Option<SocketAddr>,
    /// The URL under which others reach it [default: http://localhost:PORT]
    #[arg(long, env = "KASSA_PUBLIC_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) public_url: Option<Url>,
}

/// Where state is kept.
#[derive(Debug, Default, Args)]
pub(crate) struct DataArgs {
    /// The directory that everything is kept in [default: ./kassa-data]
    #[arg(long, env = "KASSA_DATA_DIR", value_name = "DIR", conflicts_with = "ephemeral")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep everything in memory and forget it at the end
    #[arg(long, env = "KASSA_EPHEMERAL", value_parser = yes_or_no())]
    pub(crate) ephemeral: bool,
}

/// Klarna's side.
#[derive(Debug, Default, Args)]
pub(crate) struct KlarnaSideArgs {
    /// A test merchant; repeatable [default: one, made up on first use and printed at start]
    #[arg(
        long = "merchant",
        env = "KASSA_MERCHANT",
        value_name = "MID=USERNAME:PASSWORD",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) merchants: Vec<MerchantSpec>,
    /// The client identifier by which the first merchant's pages are known, klarna_test_client_…
    /// [default: one made up from the data directory's own secret, and printed at start]
    #[arg(long, env = "KASSA_CLIENT_ID", value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// How many calls a merchant may make per second; the headers are always sent [default: off]
    #[arg(long, env = "KASSA_RATE_LIMITS", value_name = "LIMITS")]
    pub(crate) rate_limits: Option<RateLimits>,
    /// Where callbacks may go [default: networks while only this machine can reach the playground,
    /// internet otherwise]
    #[arg(long, env = "KASSA_CALLBACK_TARGETS", value_name = "TARGETS")]
    pub(crate) callback_targets: Option<CallbackTargets>,
}

/// Further ways into the playground.
#[derive(Debug, Default, Args)]
pub(crate) struct DoorArgs {
    /// Where settlement reports are served over SFTP, or `off`
    /// [default: 127.0.0.1:4001, or any free port when that one is taken]
    #[arg(long, env = "KASSA_SFTP_LISTEN", value_name = "ADDR:PORT|off")]
    pub(crate) sftp_listen: Option<SftpListen>,
    /// Answer over HTTPS too, as https://localhost:PORT, with a certificate of a local authority
    #[arg(long, env = "KASSA_TLS_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// Answer over HTTPS under Klarna's own host names, for programs that cannot be told another URL.
    /// How they come to trust and reach it is printed; nothing of this machine is changed
    #[arg(long, env = "KASSA_INTERCEPT", value_parser = yes_or_no())]
    pub(crate) intercept: bool,
    /// Where to answer under Klarna's names; 127.0.0.1:443 needs the right to ports below 1024
    /// [default: 127.0.0.1:7443]
    #[arg(long, env = "KASSA_INTERCEPT_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) intercept_listen: Option<SocketAddr>,
    /// Where the local certificate authority is kept [default: `intercept` in the data directory]
    #[arg(long, env = "KASSA_CA_DIR", value_name = "DIR")]
    pub(crate) ca_dir: Option<PathBuf>,
}

/// Where SFTP is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SftpListen {
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl FromStr for SftpListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| {
                "not an IP address and a port, such as 127.0.0.1:4001, nor `off`".to_owned()
            }),
        }
    }
}

impl<'de> Deserialize<'de> for SftpListen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What the gateway tells a shop.
#[derive(Debug, Default, Args)]
pub(crate) struct HookArgs {
    /// Where webhooks may go: `networks` allows this machine and private networks, and http without TLS
    /// [default: networks while only this machine can reach the gateway, internet otherwise]
    #[arg(long, env = "KASSA_WEBHOOK_TARGETS", value_name = "TARGETS")]
    pub(crate) webhook_targets: Option<WebhookTargets>,
}

/// How the gateway is watched, and how it stops.
#[derive(Debug, Default, Args)]
pub(crate) struct WatchArgs {
    /// Where the gateway answers GET /metrics, for Prometheus: 127.0.0.1:9464, say [default: nowhere]
    #[arg(long, env = "KASSA_METRICS_LISTEN", value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The token (Authorization: Bearer …) that whoever asks for metrics has to show; needed where they
    /// can be asked for from beyond this machine [default: none]
    #[arg(long, env = "KASSA_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) metrics_token: Option<Secret>,
    /// Where traces are sent, as OTLP over HTTP: the collector's base URL, such as http://localhost:4318
    /// [default: nowhere]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = web_url)]
    pub(crate) otlp_endpoint: Option<Url>,
    /// How traces are written [default: http/protobuf]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", value_name = "PROTOCOL")]
    pub(crate) otlp_protocol: Option<OtlpProtocol>,
    /// Headers that are sent along with traces, as NAME=VALUE,NAME=VALUE: a collector's key, say
    /// [default: none]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        value_name = "HEADERS",
        hide_env_values = true
    )]
    pub(crate) otlp_headers: Option<Secret>,
    /// For how many seconds the gateway goes on taking requests after it was asked to stop, while
    /// /health/ready says no [default: 0]
    #[arg(long, env = "KASSA_DRAIN_SECONDS", value_name = "SECONDS")]
    pub(crate) drain_seconds: Option<u32>,
    /// Within how many seconds after that the gateway has stopped; what is under way then is cut off, and
    /// taken up from the journal [default: 30]
    #[arg(long, env = "KASSA_STOP_SECONDS", value_name = "SECONDS")]
    pub(crate) stop_seconds: Option<u32>,
}

/// How OTLP is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
pub(crate) enum OtlpProtocol {
    /// Binary
    #[value(name = "http/protobuf")]
    #[serde(rename = "http/protobuf")]
    Protobuf,
    /// Text
    #[value(name = "http/json")]
    #[serde(rename = "http/json")]
    Json,
}

/// Looking instead of running.
#[derive(Debug, Default, Args)]
pub(crate) struct PrintArgs {
    /// Print the settings that it would run with and where each comes from, secrets hidden, and end
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// The keys to the gateway.
#[derive(Debug, Default, Args)]
pub(crate) struct KeyArgs {
    /// A key for the gateway's API [default: one made up on first use and kept with the data]
    #[arg(long, env = "KASSA_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<Secret>,
    /// The password of the gateway's dashboard [default: made up on first use, kept with the data]
    #[arg(long, env = "KASSA_DASHBOARD_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub(crate) dashboard_password: Option<Secret>,
    /// The key that seals Klarna's credentials and other secrets in the gateway's database: 64
    /// hexadecimal digits; several, separated by commas, while keys are rotated: the first one seals
    /// (better given in the environment) [default: one made up on first use and kept with the data;
    /// with PostgreSQL there is none]
    #[arg(long, env = "KASSA_MASTER_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) master_key: Option<Secret>,
    /// The file that the master key stands in, one key a line
    #[arg(long, env = "KASSA_MASTER_KEY_FILE", value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
}

/// What `kassa gateway` does instead of running.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayAction {
    /// Seal every stored secret under the newest master key. Where the key was made up, a fresh one
    /// is made first. Where it is given: give the new one behind the old one to every node, then in
    /// front of it, run this, then leave the old one out
    RotateKey,
    /// Have Klarna asked about everything that may have happened since a backup was taken. For a
    /// PostgreSQL database that pg_restore has put back; `kassa restore` does it by itself. No
    /// gateway may run meanwhile; the one that is started next carries it out
    Reconcile,
    /// API keys, for whoever has none that works: list, create, rotate, revoke
    #[command(after_help = operator::KEYS_EXAMPLES)]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// People of the dashboard, for whoever cannot sign in: list, create, reset
    #[command(after_help = operator::USERS_EXAMPLES)]
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
}

/// The limits that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RateLimits {
    /// None
    Off,
    /// Those of Klarna's playground
    Playground,
    /// Those of Klarna's live systems
    Live,
}

/// Where the playground's callbacks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CallbackTargets {
    /// The internet alone
    Internet,
    /// This machine and private networks as well
    Networks,
    /// Anywhere, a cloud's metadata included
    Anywhere,
}

/// Where the gateway's webhooks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WebhookTargets {
    /// The internet alone, with TLS
    Internet,
    /// This machine and private networks as well
    Networks,
}

/// A test merchant, written `MID=USERNAME:PASSWORD`.
#[derive(Debug, Clone)]
pub(crate) struct MerchantSpec {
    pub(crate) merchant_id: String,
    pub(crate) username: String,
    pub(crate) password: Secret,
}

impl FromStr for MerchantSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text
            .split_once('=')
            .and_then(|(mid, rest)| rest.split_once(':').map(|(user, pass)| (mid, user, pass)));
        match parts {
            Some((mid, user, pass)) if ![mid, user, pass].contains(&"") => Ok(Self {
                merchant_id: mid.to_owned(),
                username: user.to_owned(),
                password: Secret::from(pass.to_owned()),
            }),
            // The text is not repeated: it may hold a password.
            _ => Err("a merchant is written MID=USERNAME:PASSWORD, none of them empty".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for MerchantSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an IP address and a port, such as 127.0.0.1:7070".to_owned())
}

fn network(text: &str) -> Result<gateway::Network, String> {
    text.parse().map_err(|error: gateway::NotANetwork| error.to_string())
}

pub(crate) fn web_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        // `localhost:7072` reads as a URL of the scheme `localhost`.
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            "not a URL such as https://pay.example.com or http://localhost:7072".to_owned()
        })
}

/// Refuses what would otherwise be replaced silently by the default.
fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("{error}; give a level such as `info`, or `info,gateway=debug`"))
}

/// `kassa` and `kassa --some-flag` mean `kassa up` with that flag.
pub(crate) fn with_default_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = arguments.get(1).map(|argument| argument.to_string_lossy().into_owned());
    let is_up = match first.as_deref() {
        Some("-h" | "--help" | "-V" | "--version") => false,
        // A global flag may stand before the command: `kassa --json playground`.
        _ => !names_a_command(arguments.get(1..).unwrap_or_default()),
    };
    if is_up {
        let at = arguments.len().min(1);
        arguments.insert(at, "up".into());
    }
    arguments
}

/// Whether one of them is neither a flag nor the value of one.
fn names_a_command(arguments: &[OsString]) -> bool {
    let definition = Cli::command();
    let up = definition.find_subcommand("up");
    let known =
        || definition.get_arguments().chain(up.into_iter().flat_map(clap::Command::get_arguments));
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--") else {
            if argument.starts_with('-') {
                continue;
            }
            return true;
        };
        let takes_a_value = known()
            .any(|known| known.get_long() == Some(flag) && known.get_action().takes_values());
        if takes_a_value {
            arguments.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check(given: &[&str], expected: &[&str]) {
        let given = ["kassa"].iter().chain(given).map(OsString::from);
        let read = with_default_command(given);
        let expected: Vec<OsString> =
            ["kassa"].iter().chain(expected).map(OsString::from).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn no_command_means_up() {
        check(&[], &["up"]);
        check(&["--ephemeral"], &["up", "--ephemeral"]);
        check(&["--json", "playground"], &["--json", "playground"]);
        check(&["--help"], &["--help"]);
        check(&["shop"], &["shop"]);
        check(&["shpo"], &["shpo"]);
        check(&[], &["up"]);
    }

    #[test]
    fn the_value_of_a_flag_is_no_command() {
        check(&["--data-dir", "shop"], &["up", "--data-dir", "shop"]);
        check(&["--data-dir=shop"], &["up", "--data-dir=shop"]);
        check(&["--config", "api", "--json"], &["up", "--config", "api", "--json"]);
        check(&["--config", "api", "shop"], &["--config", "api", "shop"]);
        check(&["--json", "api", "orders"], &["--json", "api", "orders"]);
        check(
            &["--ephemeral", "--merchant", "gateway"],
            &["up", "--ephemeral", "--merchant", "gateway"],
        );
    }

    #[track_caller]
    fn check_refused(arguments: &[&str], hint: &str) {
        let given = ["kassa"].iter().chain(arguments);
        let error = Cli::try_parse_from(given).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }

    #[test]
    fn a_refused_value_is_answered_with_one_that_works() {
        for bad in ["7070", "localhost:7070", "127.0.0.1"] {
            check_refused(&["up", "--shop-listen", bad], "such as 127.0.0.1:7070");
        }
        for bad in ["nonsense", "localhost:7072", "ftp://localhost"] {
            check_refused(&["gateway", "--klarna-url", bad], "http://localhost:7072");
        }
        check_refused(&["up", "--log", "gateway=loud"], "give a level");
    }

    #[test]
    fn sftp_is_somewhere_or_off() {
        assert_eq!("off".parse(), Ok(SftpListen::Off));
        let somewhere = SocketAddr::from(([127, 0, 0, 1], 4001));
        assert_eq!("127.0.0.1:4001".parse(), Ok(SftpListen::At(somewhere)));
        check_refused(&["playground", "--sftp-listen", "4001"], "such as 127.0.0.1:4001");
    }

    #[test]
    fn a_merchant_is_read_and_its_password_not_repeated() {
        let merchant: MerchantSpec = "K1=user:pass:word".parse().unwrap();
        assert_eq!(merchant.merchant_id, "K1");
        assert_eq!(merchant.username, "user");
        assert_eq!(merchant.password.expose(), "pass:word");
        for bad in ["", "K1", "K1=user", "K1=user:", "=user:hunter2", "K1=:hunter2"] {
            let error = bad.parse::<MerchantSpec>().unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
