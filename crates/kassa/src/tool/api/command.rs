//! The table of operations as commands, and commands back as calls.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand};
use klarna::IdempotencyKey;

use crate::tool::api::operations::{AREAS, Answer, Body, Given, Key, OPERATIONS, Operation};
use crate::tool::target::{KlarnaArgs, MerchantArgs, PlaygroundArgs};

/// The command that calls by method and path.
const RAW: &str = "raw";

/// The group whose purchases begin in another one.
const IN_STORE: &str = "in-store";

const FROM_THE_TILL: &str = r#"A purchase in a store begins as a session whose link is handed to the shopper:

  kassa api payments create-session --data @till.json
  kassa api in-store status SESSION_ID

with, in till.json, beside what every session has:

  "acquiring_channel": "IN_STORE",
  "distribution": { "method": "one_qr" },
  "attachment": {
    "content_type": "application/vnd.klarna.internal.emd-v2+json",
    "body": "{\"in_store_payment\":[{\"store_info\":{…}}]}"
  }

store_info has merchant_store_id, store_terminal_id and store_address (street_address, street_number,
postal_code, city, country). `kassa trigger in_store.completed` makes one; `kassa logs --bodies` shows it."#;

/// What a call's path, query and file are called among the arguments.
const FILE: &str = "FILE";

/// A call to be made.
#[derive(Debug, Clone)]
pub(crate) struct ApiCommand {
    /// Which.
    pub(crate) what: What,
    /// What is sent.
    pub(crate) content: Content,
    /// How.
    pub(crate) flags: ApiFlags,
}

/// Which operation is called.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// One of the table.
    Known {
        /// Which.
        operation: &'static Operation,
        /// What stands in its path, in order.
        path: Vec<String>,
        /// What stands behind it.
        query: Vec<(&'static str, String)>,
    },
    /// By method and path.
    Raw {
        /// HTTP method.
        method: String,
        /// With its query.
        path: String,
    },
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// `--data`.
    pub(crate) data: Option<String>,
    /// `--set`.
    pub(crate) set: Vec<String>,
    /// A file to be uploaded.
    pub(crate) file: Option<PathBuf>,
    /// The key of a write.
    pub(crate) key: Option<IdempotencyKey>,
    /// Where the answer is put.
    pub(crate) output: Option<PathBuf>,
}

/// What goes with every call.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ApiFlags {
    #[command(flatten)]
    pub(crate) playground: PlaygroundArgs,
    #[command(flatten)]
    pub(crate) merchant: MerchantArgs,
    #[command(flatten)]
    pub(crate) klarna: KlarnaArgs,
    /// Print the request instead of sending it, secrets masked
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Subcommand for ApiCommand {
    fn augment_subcommands(mut command: Command) -> Command {
        for area in AREAS {
            let mut group = Command::new(area.name)
                .about(area.about)
                .subcommand_required(true)
                .arg_required_else_help(true);
            if area.name == IN_STORE {
                group = group.after_help(FROM_THE_TILL);
            }
            for operation in OPERATIONS.iter().filter(|operation| operation.area == area.name) {
                group = group.subcommand(operation_command(operation));
            }
            command = command.subcommand(group);
        }
        command.subcommand(raw_command())
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name == RAW || AREAS.iter().any(|area| area.name == name)
    }
}

fn operation_command(operation: &'static Operation) -> Command {
    let mut command = Command::new(operation.command).about(operation.about);
    for name in operation.path_parameters() {
        command = command.arg(Arg::new(name).required(true).help("As Klarna gave it"));
    }
    for parameter in operation.query {
        let argument = Arg::new(parameter.name).help(parameter.help);
        let value = parameter.name;
        command = command.arg(match parameter.given {
            Given::Argument => argument.required(true),
            Given::Always => argument.long(parameter.flag).value_name(value).required(true),
            Given::Once => argument.long(parameter.flag).value_name(value),
            Given::Often => {
                argument.long(parameter.flag).value_name(value).action(ArgAction::Append)
            }
        });
    }
    let mut after = format!("{} {}", operation.method, operation.path);
    match operation.body {
        Body::None | Body::Fixed(_) => {}
        Body::File => {
            let file = Arg::new(FILE).required(true).value_parser(clap::value_parser!(PathBuf));
            command = command.arg(file.help("The file; its type follows from the end of its name"));
        }
        Body::Required(example) => {
            command = with_body(command);
            after = format!("{after}\n\nA body such as:\n{}", indented(example));
        }
    }
    if operation.key == Key::Taken {
        command = command.arg(key());
    }
    if operation.answer == Answer::File {
        command = command.arg(output());
    }
    with_flags(command, operation.about).after_help(after)
}

/// With the flags of every call, whose own description would otherwise stand for the command's.
fn with_flags(command: Command, about: &'static str) -> Command {
    ApiFlags::augment_args(command).about(about).long_about(None)
}

/// An example in lines so short that no terminal breaks one inside a text.
fn indented(example: &str) -> String {
    let pretty = serde_json::from_str::<serde_json::Value>(example)
        .and_then(|value| serde_json::to_string_pretty(&value));
    let pretty = pretty.unwrap_or_else(|_| example.to_owned());
    let lines: Vec<String> = pretty.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

fn raw_command() -> Command {
    let command = Command::new(RAW)
        .arg(Arg::new("method").required(true).help("GET, POST, PATCH, PUT or DELETE"))
        .arg(
            Arg::new("path").required(true).help("With its query: /settlements/v1/payouts?size=5"),
        );
    let command = with_body(command).arg(key()).arg(output());
    with_flags(command, "Call by method and path, for what has no command of its own")
}

fn with_body(command: Command) -> Command {
    command
        .arg(
            Arg::new("data")
                .long("data")
                .short('d')
                .value_name("JSON")
                .help("The body: JSON, or @FILE, or - for standard input"),
        )
        .arg(
            Arg::new("set").long("set").value_name("PATH=VALUE").action(ArgAction::Append).help(
                "Set a member of the body: order_lines[0].quantity=2. What reads as JSON is JSON, \
                 else it is text; `null` takes a member out; merchant_reference1='\"12\"' is a text",
            ),
        )
}

fn key() -> Arg {
    Arg::new("key")
        .long("idempotency-key")
        .value_name("KEY")
        .value_parser(|text: &str| IdempotencyKey::parse(text).map_err(|error| error.to_string()))
        .help("Under which the write is done once, however often it is sent [default: made up]")
}

fn output() -> Arg {
    Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Where the answer is written, instead of standard output")
}

impl FromArgMatches for ApiCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (area, matches) = matches.subcommand().ok_or_else(missing)?;
        if area == RAW {
            let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
            let what = What::Raw { method: text("method").to_uppercase(), path: text("path") };
            return Self::with(what, matches);
        }
        let (command, matches) = matches.subcommand().ok_or_else(missing)?;
        let operation = Operation::find(area, command).ok_or_else(missing)?;
        let path = operation
            .path_parameters()
            .filter_map(|name| matches.get_one::<String>(name).cloned())
            .collect();
        let mut query = Vec::new();
        for parameter in operation.query {
            let values = matches.get_many::<String>(parameter.name).into_iter().flatten();
            query.extend(values.map(|value| (parameter.name, value.clone())));
        }
        Self::with(What::Known { operation, path, query }, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl ApiCommand {
    fn with(what: What, matches: &ArgMatches) -> Result<Self, clap::Error> {
        // Not every operation has each of them.
        let content = Content {
            data: one(matches, "data"),
            set: matches
                .try_get_many::<String>("set")
                .ok()
                .flatten()
                .map(|values| values.cloned().collect())
                .unwrap_or_default(),
            file: one(matches, FILE),
            key: one(matches, "key"),
            output: one(matches, "output"),
        };
        let flags = ApiFlags::from_arg_matches(matches)?;
        Ok(Self { what, content, flags })
    }
}

fn one<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one::<T>(name).ok().flatten().cloned()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::tool::Tool;

    fn read(line: &[&str]) -> ApiCommand {
        let line = ["kassa", "api"].iter().chain(line);
        let Command::Tool(Tool::Api(command)) = Cli::try_parse_from(line).unwrap().command else {
            panic!("not a call of the API");
        };
        command
    }

    #[test]
    fn every_operation_is_a_command_that_is_read_back() {
        for operation in OPERATIONS {
            let mut line = vec![operation.area, operation.command];
            line.extend(operation.path_parameters().map(|_| "id-1"));
            for parameter in operation.query {
                if parameter.given == Given::Argument {
                    line.push("id-1");
                }
            }
            if operation.body == Body::File {
                line.push("proof.pdf");
            }
            let flags: Vec<String> = operation
                .query
                .iter()
                .filter(|parameter| parameter.given != Given::Argument)
                .map(|parameter| format!("--{}=x", parameter.flag))
                .collect();
            line.extend(flags.iter().map(String::as_str));
            let What::Known { operation: found, path, query } = read(&line).what else {
                panic!("{line:?}");
            };
            assert_eq!(found, operation);
            assert_eq!(path.len(), operation.path_parameters().count());
            assert_eq!(query.len(), operation.query.len(), "{line:?}");
        }
    }

    #[test]
    fn every_operation_says_what_it_does() {
        let api = ApiCommand::augment_subcommands(clap::Command::new("api"));
        for operation in OPERATIONS {
            let command = api
                .find_subcommand(operation.area)
                .and_then(|area| area.find_subcommand(operation.command))
                .unwrap();
            assert_eq!(command.get_about().unwrap().to_string(), operation.about);
        }
        let raw = api.find_subcommand(RAW).unwrap().get_about().unwrap().to_string();
        assert!(raw.starts_with("Call by method and path"), "{raw}");
    }

    #[test]
    fn what_is_repeated_is_kept_in_order() {
        let command = read(&["disputes", "list", "--state", "INITIATED", "--state", "CLOSED"]);
        let What::Known { query, .. } = command.what else { panic!("{command:?}") };
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(query, [("state", "INITIATED"), ("state", "CLOSED")]);
        let command = read(&["raw", "post", "/x", "--set", "a=1", "--set", "b=2"]);
        assert_eq!(command.content.set, ["a=1", "b=2"]);
        let What::Raw { method, path } = command.what else { panic!("not raw") };
        assert_eq!((method.as_str(), path.as_str()), ("POST", "/x"));
    }
}
