//! `kassa logs`: the playground's log of calls and callbacks.

use clap::Args;
use serde_json::{Value, json};

use crate::file::File;
use crate::report::{Output, out, try_out};
use crate::run::StopSignals;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::{Follower, text};
use crate::tool::show::plain;
use crate::tool::target::PlaygroundArgs;

pub(crate) const EXAMPLES: &str = "\
Klarna's refusals are terse (`Bad value: order_amount`); the log says what was wrong.

Examples:
  kassa logs --status 400                what was refused, and why
  kassa logs --follow --merchant K1      one merchant's calls as they come
  kassa logs --order ORDER_ID --bodies   all that is known of an order
  kassa logs --follow --json | jq .path  each entry once, one to a line";

/// Which entries, and how.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Go on with what comes, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// How many of the latest entries to begin with
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 50)]
    lines: usize,
    /// Only this merchant's
    #[arg(long, value_name = "MID")]
    merchant: Option<String>,
    /// Only paths and URLs that contain this
    #[arg(long, value_name = "TEXT")]
    path: Option<String>,
    /// Only answers with this status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    status: Option<u16>,
    /// Only what has this order's id in it
    #[arg(long, value_name = "ORDER_ID")]
    order: Option<String>,
    /// Only the call with this correlation id
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// Only what this fault hit, or `any`
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
    /// Show what was sent and answered, too (--json always has it)
    #[arg(long)]
    bodies: bool,
    #[command(flatten)]
    playground: PlaygroundArgs,
}

pub(crate) async fn run(args: LogsArgs, file: &File, output: Output) -> Result<(), Failure> {
    let control = Control::of(&args.playground, file)?;
    let mut filter = Vec::new();
    for (name, value) in [
        ("merchant_id", &args.merchant),
        ("path", &args.path),
        ("status", &args.status.map(|status| status.to_string())),
        ("order_id", &args.order),
        ("correlation_id", &args.correlation_id),
        ("fault", &args.fault),
    ] {
        if let Some(value) = value {
            filter.push((name, value.clone()));
        }
    }
    let (mut follower, entries) = Follower::from_the_end(control, filter, args.lines).await?;
    let tell = |entry: &Value| match output {
        Output::Json => try_out(&format!("{entry}\n")),
        Output::Human => try_out(&line(entry, args.bodies)),
    };
    if entries.is_empty() && !args.follow && output == Output::Human {
        out("Nothing yet.\n");
    }
    // Once nobody reads any more there is nothing left to do.
    if entries.iter().try_for_each(&tell).is_err() || !args.follow {
        return Ok(());
    }
    let mut stop = StopSignals::listen().map_err(|error| Failure::failed(error.to_string()))?;
    tokio::select! {
        followed = follow(&mut follower, output, tell) => followed,
        () = stop.next() => Ok(()),
    }
}

async fn follow(
    follower: &mut Follower,
    output: Output,
    tell: impl Fn(&Value) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut is_away = false;
    loop {
        let Some(stretch) = follower.next().await? else {
            if !is_away {
                notice(output, "away", "the playground is away; waiting for it", &json!({}));
            }
            is_away = true;
            Follower::pause().await;
            continue;
        };
        is_away = false;
        if stretch.missed > 0 {
            let words = format!("{} entries came too fast and are lost", stretch.missed);
            notice(output, "missed", &words, &json!({ "count": stretch.missed }));
        }
        if stretch.entries.iter().try_for_each(&tell).is_err() {
            return Ok(());
        }
        if stretch.entries.is_empty() {
            Follower::pause().await;
        }
    }
}

/// Something about the log itself.
pub(crate) fn notice(output: Output, event: &str, words: &str, members: &Value) {
    match output {
        Output::Human => out(&format!("({words})\n")),
        Output::Json => {
            let mut object = json!({ "event": event });
            if let (Some(object), Some(members)) = (object.as_object_mut(), members.as_object()) {
                object.extend(members.clone());
            }
            out(&format!("{object}\n"));
        }
    }
}

/// An entry as people read it.
fn line(entry: &Value, bodies: bool) -> String {
    // With the day: the playground's clock moves by weeks.
    let at = text(entry, "at");
    let at = at.get(..23).unwrap_or(at).replacen('T', " ", 1);
    let arrow = if text(entry, "direction") == "callback" { "<-" } else { "->" };
    let status = entry
        .get("status")
        .and_then(Value::as_u64)
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let took = entry.get("duration_us").and_then(Value::as_u64).unwrap_or_default() / 1_000;
    let mut words = format!(
        "{at}  {arrow} {status}  {:<6} {}  {took} ms",
        plain(text(entry, "method")),
        plain(text(entry, "path")),
    );
    let merchant = text(entry, "merchant_id");
    if !merchant.is_empty() {
        words = format!("{words}  {}", plain(merchant));
    }
    if let Some(attempt) = entry.get("attempt").and_then(Value::as_u64).filter(|n| *n > 1) {
        words = format!("{words}  (attempt {attempt})");
    }
    words.push('\n');
    if let Some(explanation) = entry.get("explanation").and_then(Value::as_str) {
        words = format!("{words}              {}\n", plain(explanation));
    }
    for fault in entry.get("faults").and_then(Value::as_array).into_iter().flatten() {
        words = format!("{words}              fault: {}\n", plain(&fault.to_string()));
    }
    if bodies {
        for (name, mark) in [("request_body", ">"), ("response_body", "<")] {
            if let Some(body) = entry.get(name) {
                words = format!("{words}              {mark} {}\n", plain(&body.to_string()));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line_and_says_why_it_was_refused() {
        let entry = json!({
            "direction": "api", "at": "2026-11-23T10:00:00.250Z", "merchant_id": "K1",
            "method": "POST", "path": "/payments/v1/sessions", "status": 400, "duration_us": 3400,
            "explanation": "order_amount: is required", "request_body": { "a": 1 },
        });
        assert_eq!(
            line(&entry, true),
            "2026-11-23 10:00:00.250  -> 400  POST   /payments/v1/sessions  3 ms  K1\n              \
             order_amount: is required\n              > {\"a\":1}\n"
        );
        let callback = json!({
            "direction": "callback", "at": "2026-11-23T10:00:00.250Z", "method": "POST",
            "path": "http://shop/x", "duration_us": 10, "attempt": 2,
        });
        assert_eq!(
            line(&callback, false),
            "2026-11-23 10:00:00.250  <- ---  POST   http://shop/x  0 ms  (attempt 2)\n"
        );
    }
}
