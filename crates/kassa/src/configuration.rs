//! All settings, as one table: by which flag, variable and key of the file each is set, what it is unless said, what it
//! does. And what they come to in one run: each value with where it was said, secrets hidden.
//!
//! The table is not written down: it is what the command line's definition and the file's sections say. It must not know
//! what any setting means.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory as _};
use serde::Serialize;

use crate::cli::{Cli, ConfigCommand};
use crate::file::{File, FileError};
use crate::report::Output;

/// The commands that run something.
const PARTS: [&str; 4] = ["up", "gateway", "playground", "shop"];
/// Keys that stand at the top of the file, whatever runs.
const SHARED: [&str; 13] = [
    "api_key",
    "callback_targets",
    "client_id",
    "dashboard_password",
    "data_dir",
    "database",
    "ephemeral",
    "log",
    "log_format",
    "master_key",
    "master_key_file",
    "merchants",
    "rate_limits",
];
/// What `kassa up` says of the playground.
const OF_PLAYGROUND: [&str; 5] =
    ["ca_dir", "intercept", "intercept_listen", "sftp_listen", "tls_listen"];
/// What no file can say: it decides how the file is read, or how its mistakes are told.
const NOT_IN_THE_FILE: [&str; 3] = ["config", "json", "print_config"];
/// How many mistakes of a file are told at once.
const MOST_MISTAKES: usize = 20;

/// The key of the file that says the same as a flag of a command.
fn file_key(command: &str, id: &str) -> Option<String> {
    if NOT_IN_THE_FILE.contains(&id) {
        return None;
    }
    let kebab = |id: &str| id.replace('_', "-");
    if SHARED.contains(&id) {
        // The file names each merchant, the flag is given once for each.
        return Some(kebab(id.strip_suffix('s').filter(|_| id == "merchants").unwrap_or(id)));
    }
    let section = match command {
        "up" => match id.split_once('_') {
            Some((part @ ("playground" | "gateway" | "shop"), "listen")) => {
                return Some(format!("{part}.listen"));
            }
            Some(("shop", what)) => return Some(format!("shop.{}", kebab(what))),
            _ if OF_PLAYGROUND.contains(&id) => "playground",
            _ => "gateway",
        },
        part => part,
    };
    Some(format!("{section}.{}", kebab(id)))
}

/// A flag of one command.
struct Flag {
    command: &'static str,
    id: String,
    key: Option<String>,
    name: String,
    variable: Option<String>,
    what: String,
    usual: Option<String>,
    is_secret: bool,
}

impl Flag {
    fn of(command: &'static str, arg: &Arg) -> Option<Self> {
        let name = format!("--{}", arg.get_long()?);
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (what, usual) = match help.split_once(" [default: ") {
            Some((what, usual)) => (what, Some(usual.trim_end_matches(']').to_owned())),
            None => (help.as_str(), None),
        };
        Some(Self {
            command,
            id: arg.get_id().to_string(),
            key: file_key(command, arg.get_id().as_str()),
            name,
            variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
            what: what.to_owned(),
            usual,
            is_secret: arg.is_hide_env_values_set(),
        })
    }
}

/// Every flag of the commands that run something, by command.
fn flags() -> Vec<Flag> {
    let definition = Cli::command();
    let mut flags = Vec::new();
    for command in PARTS {
        let of_command = definition.find_subcommand(command);
        let args = of_command.into_iter().flat_map(clap::Command::get_arguments);
        flags.extend(
            args.chain(definition.get_arguments()).filter_map(|arg| Flag::of(command, arg)),
        );
    }
    flags.retain(|flag| !matches!(flag.id.as_str(), "help" | "version" | "print_config"));
    flags
}

/// A setting: what goes by one key of the file, or by one flag where there is no key.
#[derive(Default)]
struct Row {
    flags: Vec<(&'static str, String)>,
    variables: Vec<String>,
    key: Option<String>,
    usual: Option<String>,
    what: String,
}

fn rows() -> Vec<Row> {
    let mut rows: BTreeMap<(usize, String), Row> = BTreeMap::new();
    for flag in flags() {
        let key = flag.key.clone().unwrap_or_else(|| flag.name.clone());
        let section = match (&flag.key, key.split_once('.')) {
            (None, _) => 4,
            (_, None) => 0,
            (_, Some(("gateway", _))) => 1,
            (_, Some(("playground", _))) => 2,
            (_, Some(_)) => 3,
        };
        let row = rows.entry((section, key)).or_default();
        row.flags.push((flag.command, flag.name));
        row.variables.extend(flag.variable.filter(|name| !row.variables.contains(name)));
        row.key = flag.key;
        // `kassa up` comes first, and says of each thing whose it is.
        if row.what.is_empty() {
            row.usual = flag.usual;
            row.what = flag.what;
        }
    }
    rows.into_values().collect()
}

/// The flags of a row: alone where all commands that take it call it the same.
fn told_flags(row: &Row) -> String {
    let mut by_flag: Vec<(&str, Vec<&str>)> = Vec::new();
    for (command, flag) in &row.flags {
        match by_flag.iter_mut().find(|(known, _)| known == flag) {
            Some((_, commands)) => commands.push(command),
            None => by_flag.push((flag, vec![command])),
        }
    }
    let told = by_flag.into_iter().map(|(flag, commands)| {
        if commands.len() == PARTS.len() {
            format!("`{flag}`")
        } else {
            format!("`{flag}` ({})", commands.join(", "))
        }
    });
    told.collect::<Vec<_>>().join("<br>")
}

const INTRODUCTION: &str = "\
# Configuration

Every setting of what runs, in one table. A flag wins over the environment, the environment over the file: \
`kassa.toml` in the working directory, or what `--config` names. In the file, what is written `gateway.listen` here stands \
as `listen` in the section `[gateway]`; a name that is not known there is an error.

- `kassa gateway --print-config` (likewise `up`, `playground`, `shop`) prints what a run would be started with and where \
each value was said; secrets are hidden. With `--json` it is one object.
- `kassa config check kassa.toml` names what is wrong with a file, line by line.
- Secrets are better given in the environment or the file: command lines can be read by others on the same machine.
- The flags of traces have the variables that OpenTelemetry gives them everywhere. `OTEL_SERVICE_NAME`, \
`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` and the `OTEL_BSP_…` of its batches are \
understood too.

This page is written by `kassa config table`; a test says when it is out of date.

";

/// The page of all settings.
pub(crate) fn table() -> String {
    let mut page = INTRODUCTION.to_owned();
    let _ = writeln!(page, "| file | flag | environment | default | what it does |");
    let _ = writeln!(page, "| --- | --- | --- | --- | --- |");
    for row in rows() {
        let key = row.key.as_deref().map_or_else(|| "-".to_owned(), |key| format!("`{key}`"));
        let variables: Vec<String> = row.variables.iter().map(|name| format!("`{name}`")).collect();
        let usual = row.usual.as_deref().unwrap_or("-");
        let what = row.what.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(
            page,
            "| {key} | {} | {} | {} | {what} |",
            told_flags(&row),
            variables.join("<br>"),
            usual.replace('|', "\\|")
        );
    }
    page
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

/// Does what `kassa config` was asked to do, and answers what to print.
pub(crate) fn run(command: &ConfigCommand) -> Result<String, ConfigError> {
    match command {
        ConfigCommand::Table => Ok(table()),
        ConfigCommand::Check { file } => {
            let text = read(file)?;
            let mistakes = mistakes(&text, file);
            if mistakes.is_empty() {
                return Ok(format!("{} is in order.\n", file.display()));
            }
            Err(ConfigError::Mistakes(mistakes))
        }
    }
}

fn read(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path)
        .map_err(|source| FileError::Read { path: path.to_path_buf(), source })
}

/// Everything that is wrong with a file, from its top. A line that is wrong is left out to find the next mistake; where
/// that does not help, what follows cannot be told.
fn mistakes(text: &str, path: &Path) -> Vec<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut mistakes = Vec::new();
    while mistakes.len() < MOST_MISTAKES {
        let error = match File::parse(&lines.join("\n"), path) {
            Ok(file) => {
                mistakes.extend(contradictions(&file, path));
                break;
            }
            Err(error) => error,
        };
        mistakes.push(error.to_string());
        let FileError::Parse { line, .. } = error else { break };
        match lines.get_mut(line.saturating_sub(1)) {
            Some(wrong) if wrong.contains('=') => *wrong = "",
            _ => break,
        }
    }
    mistakes
}

/// What is right line by line and cannot be together.
fn contradictions(file: &File, path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let gateway = &file.gateway;
    if gateway.klarna_username.is_none() && gateway.klarna_password.is_some() {
        found.push("gateway.klarna-password is given, and gateway.klarna-username is not");
    }
    if gateway.metrics_token.is_none()
        && gateway.metrics_listen.is_some_and(|address| !address.ip().is_loopback())
    {
        found.push(
            "gateway.metrics-listen is not a loopback address: give gateway.metrics-token too",
        );
    }
    if file.master_key.is_some() && file.master_key_file.is_some() {
        found.push("master-key and master-key-file are both given");
    }
    if file.ephemeral == Some(true) && file.data_dir.is_some() {
        found.push("ephemeral is true, and data-dir is given");
    }
    found.into_iter().map(|what| format!("{}: {what}", path.display())).collect()
}

/// A setting as it is in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Effective {
    setting: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    origin: String,
}

/// What a run of the command that was said would be started with.
pub(crate) fn effective(
    said: &ArgMatches,
    named: Option<&Path>,
) -> Result<Vec<Effective>, FileError> {
    let Some((command, said)) = said.subcommand() else { return Ok(Vec::new()) };
    let path = named.map_or_else(|| PathBuf::from("kassa.toml"), Path::to_path_buf);
    let text = if named.is_some() || path.exists() { read(&path)? } else { String::new() };
    let written: toml::Table = text.parse().unwrap_or_default();
    let mut settings = Vec::new();
    for flag in flags().into_iter().filter(|flag| flag.command == command) {
        let hidden = |value: String| if flag.is_secret { "(hidden)".to_owned() } else { value };
        let given = said.get_raw(&flag.id).map(|values| {
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            values.join(",")
        });
        let in_file = flag.key.as_deref().and_then(|key| value_of(&written, key));
        let (value, origin) = match (said.value_source(&flag.id), given, in_file) {
            (Some(ValueSource::CommandLine), Some(value), _) => {
                (Some(hidden(value)), flag.name.clone())
            }
            (Some(ValueSource::EnvVariable), Some(value), _) => {
                (Some(hidden(value)), flag.variable.clone().unwrap_or_default())
            }
            (_, _, Some(value)) => {
                let key = flag.key.as_deref().unwrap_or_default();
                let origin = match line_of(&text, key) {
                    Some(line) => format!("{}, line {line}", path.display()),
                    None => path.display().to_string(),
                };
                (Some(hidden(value)), origin)
            }
            _ => (flag.usual.clone(), "default".to_owned()),
        };
        settings.push(Effective { setting: flag.key.unwrap_or(flag.name), value, origin });
    }
    settings.sort_by(|one, other| {
        let nested = |setting: &Effective| setting.setting.contains('.');
        nested(one).cmp(&nested(other)).then_with(|| one.setting.cmp(&other.setting))
    });
    Ok(settings)
}

/// The value of a key such as `gateway.listen`, however its words are joined.
fn value_of(written: &toml::Table, key: &str) -> Option<String> {
    let (table, name) = match key.split_once('.') {
        Some((section, name)) => (written.get(section)?.as_table()?, name),
        None => (written, key),
    };
    let plural = format!("{name}s");
    let value = [name, name.replace('-', "_").as_str(), plural.as_str()]
        .into_iter()
        .find_map(|name| table.get(name))?;
    Some(match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// The line that a key stands in.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let (wanted, name) = key.split_once('.').unwrap_or(("", key));
    let mut section = String::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            header.split(']').next().unwrap_or_default().trim().clone_into(&mut section);
            continue;
        }
        let Some((before, _)) = line.split_once('=') else { continue };
        let before = before.trim().trim_matches(['"', '\'']).replace('_', "-");
        let whole = format!("{wanted}.{name}");
        let is_it = (section == wanted && (before == name || before == format!("{name}s")))
            || (section.is_empty() && before == whole);
        if is_it {
            return Some(at + 1);
        }
    }
    None
}

/// The settings of a run, for people or for programs.
pub(crate) fn shown(settings: &[Effective], output: Output) -> String {
    if output == Output::Json {
        let mut text = serde_json::json!({ "event": "config", "settings": settings }).to_string();
        text.push('\n');
        return text;
    }
    let width = settings.iter().map(|setting| setting.setting.len()).max().unwrap_or(0);
    let mut page = String::new();
    for Effective { setting, value, origin } in settings {
        let value = value.as_deref().unwrap_or("-");
        let _ = writeln!(page, "{setting:width$}  {value}  ({origin})");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the file says it knows, in its own words.
    fn keys_of(section: &str) -> Vec<String> {
        let text = if section.is_empty() {
            "no-such = 1".to_owned()
        } else {
            format!("[{section}]\nno-such = 1")
        };
        let error = File::parse(&text, Path::new("kassa.toml")).unwrap_err().to_string();
        let (_, names) = error.split_once("expected one of ").unwrap();
        names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
    }

    #[test]
    fn each_setting_has_a_flag_a_variable_and_a_key_of_the_file() {
        let mut known: Vec<String> = keys_of("");
        known.retain(|key| !matches!(key.as_str(), "playground" | "gateway" | "shop"));
        for section in ["playground", "gateway", "shop"] {
            known.extend(keys_of(section).into_iter().map(|key| format!("{section}.{key}")));
        }
        let rows = rows();
        for row in &rows {
            let name = row.key.clone().unwrap_or_else(|| row.flags[0].1.clone());
            assert!(!row.variables.is_empty(), "{name} has no variable");
            match &row.key {
                Some(key) => assert!(known.contains(key), "the file does not know {key}"),
                None => assert!(
                    NOT_IN_THE_FILE.contains(&row.flags[0].1.trim_start_matches("--")),
                    "{name} has no key"
                ),
            }
        }
        for key in known {
            assert!(rows.iter().any(|row| row.key.as_ref() == Some(&key)), "no flag says {key}");
        }
    }

    #[test]
    fn the_page_of_settings_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == table(), "write it anew: kassa config table > docs/configuration.md");
    }

    #[test]
    fn every_mistake_of_a_file_is_named_by_its_line() {
        let text = "ephemeral = 'perhaps'\nlog = 'info'\n[gateway]\nlissten = 'x'\nlisten = '7071'\n\
                    klarna-password = 'hunter2'\nmetrics-listen = '0.0.0.0:9464'\n";
        let found = mistakes(text, Path::new("k.toml"));
        let begin: Vec<String> =
            found.iter().map(|mistake| mistake.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(
            begin,
            ["k.toml, line 1", "k.toml, line 4", "k.toml, line 5", "k.toml", "k.toml"],
            "{found:#?}"
        );
        assert!(!found.concat().contains("hunter2"), "{found:#?}");
        assert_eq!(mistakes("[gateway\n", Path::new("k.toml")).len(), 1);
        assert!(mistakes("log = 'info'\n", Path::new("k.toml")).is_empty());
    }

    #[test]
    fn a_key_is_found_in_its_section() {
        let text = "listen = 1\ngateway.otlp_endpoint = 'x'\n[playground]\nlisten = 2\n[gateway]\npublic_url=3\nlisten = 4\n";
        assert_eq!(line_of(text, "gateway.listen"), Some(7));
        assert_eq!(line_of(text, "playground.listen"), Some(4));
        assert_eq!(line_of(text, "gateway.public-url"), Some(6));
        assert_eq!(line_of(text, "gateway.otlp-endpoint"), Some(2));
        assert_eq!(line_of(text, "shop.listen"), None);
    }
}
