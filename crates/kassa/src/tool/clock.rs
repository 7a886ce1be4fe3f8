//! `kassa clock`: read or move the playground's clock.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::file::File;
use crate::report::Output;
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::text;
use crate::tool::target::PlaygroundArgs;

pub(crate) const EXAMPLES: &str = "\
Moving the clock lets everything happen that is due by then: sessions lapse, authorizations expire,
payouts are made, callbacks are sent. It never goes back.

Examples:
  kassa clock                            read it
  kassa clock advance P1DT2H             a day and two hours further
  kassa clock set 2027-01-01T00:00:00Z   to an instant";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct ClockArgs {
    #[command(flatten)]
    playground: PlaygroundArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read it (the default)
    Show,
    /// Move it by a duration
    Advance {
        /// ISO 8601, such as P1DT2H, P28D or PT15M
        duration: String,
    },
    /// Move it to an instant
    Set {
        /// Such as 2027-01-01T00:00:00Z; not before the playground's present
        instant: String,
    },
}

pub(crate) async fn run(args: ClockArgs, file: &File, output: Output) -> Result<(), Failure> {
    let control = Control::of(&args.playground, file)?;
    let clock = match args.action {
        None | Some(Action::Show) => control.get("/clock", &[]).await?,
        Some(Action::Advance { duration }) => {
            control.post("/clock", &json!({ "advance": duration })).await?
        }
        Some(Action::Set { instant }) => control.post("/clock", &json!({ "set": instant })).await?,
    };
    super::answer(output, &clock, |clock| {
        let ahead = clock.get("offset_ms").and_then(serde_json::Value::as_i64).unwrap_or_default();
        let ahead = match ahead {
            0 => "real time".to_owned(),
            ahead => format!("{} ahead of real time", long(ahead)),
        };
        format!("{}  ({ahead})\n", text(clock, "now"))
    });
    Ok(())
}

/// A length of time in words.
fn long(ms: i64) -> String {
    let seconds = (ms + 500) / 1_000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { format!("{ms} ms") } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_readable() {
        for (ms, expected) in
            [(5, "5 ms"), (61_000, "1 min 1 s"), (93_599_997, "1 d 2 h"), (2_419_200_000, "28 d")]
        {
            assert_eq!(long(ms), expected);
        }
    }
}
