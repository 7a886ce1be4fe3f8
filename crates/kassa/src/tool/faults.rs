//! `kassa faults`: make the playground's APIs fail on purpose.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::file::File;
use crate::report::Output;
use crate::tool::api;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::text;
use crate::tool::show;
use crate::tool::target::PlaygroundArgs;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kassa faults add --error 503 --operation orders.capture --times 2
  kassa faults add --drop --after --per-mille 100        lose a tenth of all answers
  kassa faults add --latency 800 --merchant K1
  kassa faults add --lose --callback authorization --times 1
  kassa faults                                           what is in force, and how often it hit
  kassa faults clear";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct FaultsArgs {
    #[command(flatten)]
    playground: PlaygroundArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List those in force, and how often they hit (the default)
    List,
    /// Arm one
    Add(Box<Fault>),
    /// Take one away
    Remove {
        /// Its id
        fault_id: String,
    },
    /// Take all away
    Clear,
}

/// A fault to be armed.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("effect").required(true).args([
    "error", "latency", "drop", "truncate", "slow_body", "duplicate", "reorder", "lose", "delay", "data",
]))]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Fault {
    /// Answer with this status (300 to 599) and Klarna's form of an error
    #[arg(long, value_name = "STATUS")]
    error: Option<u16>,
    /// Take so many milliseconds longer
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// End the connection without an answer
    #[arg(long)]
    drop: bool,
    /// Break the answer's body off
    #[arg(long)]
    truncate: bool,
    /// Let the answer's body trickle, so many bytes a second
    #[arg(long, value_name = "BYTES")]
    slow_body: Option<u64>,
    /// Send callbacks twice
    #[arg(long)]
    duplicate: bool,
    /// Send callbacks after the merchant's next one
    #[arg(long)]
    reorder: bool,
    /// Lose an attempt of callbacks
    #[arg(long)]
    lose: bool,
    /// Send callbacks so many milliseconds late, on the playground's clock
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// The whole fault as JSON, or @FILE, or - for standard input
    #[arg(long, value_name = "JSON", conflicts_with_all = [
        "after", "operation", "method", "path", "merchant", "callback", "per_mille", "times", "skip", "seed",
    ])]
    data: Option<String>,

    /// After the call has had its effect (with --error, --drop and --latency) [default: before]
    #[arg(long)]
    after: bool,
    /// Only this operation
    #[arg(long, value_name = "NAME", value_parser = api::OperationName, hide_possible_values = true)]
    operation: Option<String>,
    /// Only this method
    #[arg(long, value_name = "METHOD", conflicts_with = "operation")]
    method: Option<String>,
    /// Only this path: /ordermanagement/v1/orders/{order_id}/captures, or /payments/*
    #[arg(long, value_name = "PATH", conflicts_with = "operation")]
    path: Option<String>,
    /// Only this merchant's calls or callbacks
    #[arg(long, value_name = "MID")]
    merchant: Option<String>,
    /// Only callbacks of this kind: authorization, notification, push, hosted_status, in_store_status,
    /// dispute_webhook, payment_request_webhook
    #[arg(long, value_name = "KIND")]
    callback: Option<String>,
    /// So many of each thousand calls [default: all]
    #[arg(long, value_name = "N")]
    per_mille: Option<u64>,
    /// So often altogether [default: without end]
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    /// Leave so many of the first calls alone
    #[arg(long, value_name = "N")]
    skip: Option<u64>,
    /// The same seed hits the same calls
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Fault {
    fn body(&self) -> Result<Value, Failure> {
        if let Some(data) = &self.data {
            return api::read_data(data);
        }
        let mut effect = Map::new();
        let when = if self.after { "after" } else { "before" };
        let name = match self {
            Self { error: Some(status), .. } => {
                effect.insert("status".to_owned(), json!(status));
                effect.insert("when".to_owned(), json!(when));
                "error"
            }
            Self { latency: Some(ms), .. } => {
                effect.insert("distribution".to_owned(), json!({ "kind": "fixed", "ms": ms }));
                effect.insert("when".to_owned(), json!(when));
                "latency"
            }
            Self { drop: true, .. } => {
                effect.insert("when".to_owned(), json!(when));
                "drop"
            }
            Self { slow_body: Some(bytes), .. } => {
                effect.insert("bytes_per_second".to_owned(), json!(bytes));
                "slow_body"
            }
            Self { delay: Some(ms), .. } => {
                effect.insert("ms".to_owned(), json!(ms));
                "delay"
            }
            Self { truncate: true, .. } => "truncate",
            Self { duplicate: true, .. } => "duplicate",
            Self { reorder: true, .. } => "reorder",
            // The group says that one of them is given.
            _ => "lose",
        };
        if self.after && !effect.contains_key("when") {
            return Err(Failure::usage("--after goes with --error, --drop and --latency"));
        }
        effect.insert("type".to_owned(), json!(name));
        let mut matching = Map::new();
        for (name, value) in [
            ("operation", &self.operation),
            ("method", &self.method),
            ("path", &self.path),
            ("merchant_id", &self.merchant),
            ("callback", &self.callback),
        ] {
            if let Some(value) = value {
                matching.insert(name.to_owned(), json!(value));
            }
        }
        let mut fault = json!({ "match": matching, "effect": effect });
        for (name, value) in [
            ("per_mille", self.per_mille),
            ("times", self.times),
            ("skip", self.skip),
            ("seed", self.seed),
        ] {
            if let (Some(fault), Some(value)) = (fault.as_object_mut(), value) {
                fault.insert(name.to_owned(), json!(value));
            }
        }
        Ok(fault)
    }
}

pub(crate) async fn run(args: FaultsArgs, file: &File, output: Output) -> Result<(), Failure> {
    let control = Control::of(&args.playground, file)?;
    match args.action {
        None | Some(Action::List) => {
            let faults = control.get("/faults", &[]).await?;
            super::answer(output, &faults, list);
        }
        Some(Action::Add(fault)) => {
            let armed = control.post("/faults", &fault.body()?).await?;
            super::answer(output, &armed, |fault| list(&json!({ "faults": [fault] })));
        }
        Some(Action::Remove { fault_id }) => {
            // What would leave the path cannot be an id.
            if !fault_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(Failure::usage(format!(
                    "`{}` is no id of a fault",
                    show::plain(&fault_id)
                ))
                .remedy("`kassa faults` lists them"));
            }
            control.delete(&format!("/faults/{fault_id}")).await?;
            super::answer(output, &json!({ "removed": fault_id }), |_| "Removed.\n".to_owned());
        }
        Some(Action::Clear) => {
            control.delete("/faults").await?;
            super::answer(output, &json!({ "removed": "all" }), |_| {
                "No fault is in force.\n".to_owned()
            });
        }
    }
    Ok(())
}

fn list(value: &Value) -> String {
    let faults = value.get("faults").and_then(Value::as_array).cloned().unwrap_or_default();
    if faults.is_empty() {
        return "No fault is in force.\n".to_owned();
    }
    let rows = faults.iter().map(|fault| {
        let count = |name: &str| fault.get(name).map(ToString::to_string).unwrap_or_default();
        let times = fault.get("times").and_then(Value::as_u64);
        let hits = match times {
            Some(times) => format!("{} of {times}", count("injected")),
            None => count("injected"),
        };
        [text(fault, "id").to_owned(), effect(fault), calls(fault), count("matched"), hits]
    });
    show::table(["fault", "effect", "calls", "matched", "hit"], rows.collect())
}

/// What a fault does, in a few words.
fn effect(fault: &Value) -> String {
    let members = fault.get("effect").and_then(Value::as_object).cloned().unwrap_or_default();
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let others = members.iter().filter(|(name, _)| *name != "type").map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name} {value}")
    });
    std::iter::once(kind).chain(others).collect::<Vec<_>>().join(", ")
}

/// Which calls it is about.
fn calls(fault: &Value) -> String {
    let members = fault.get("match").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut words: Vec<String> =
        members.values().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(share) = fault.get("per_mille").and_then(Value::as_u64).filter(|n| *n < 1_000) {
        words.push(format!("{share} of 1000"));
    }
    if words.is_empty() { "all".to_owned() } else { words.join(", ") }
}
