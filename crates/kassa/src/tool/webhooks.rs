//! `kassa webhooks`: where the gateway tells a shop of events, what came of it, and what is told again.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::file::File;
use crate::report::Output;
use crate::tool::failure::Failure;
use crate::tool::gateway::{Gateway, GatewayArgs, id};
use crate::tool::requests::text;
use crate::tool::show;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kassa webhooks                                        the endpoints, and how they have been lately
  kassa webhooks deliveries --status dead               what was given up
  kassa webhooks show dlv_1f0c…                         one message, with each attempt
  kassa webhooks replay dlv_1f0c…                       send one again
  kassa webhooks replay --dead whe_77ab…                send all that was given up again
  kassa webhooks replay --endpoint whe_77ab… --from 2031-05-04T00:00:00Z
  kassa webhooks test whe_77ab…

The gateway's API key is read from KASSA_API_KEY, or from the gateway's data directory.";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct WebhooksArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the endpoints (the default)
    List,
    /// List messages, the newest event first
    Deliveries {
        /// Only to this endpoint
        #[arg(long, value_name = "ID")]
        endpoint: Option<String>,
        /// Only those that are pending, delivered or dead
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// How many, 100 at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Show one message, with each attempt
    Show {
        /// Its id
        delivery: String,
    },
    /// Send messages again: one, what was given up, or all of a stretch of time
    Replay {
        /// This one
        #[arg(value_name = "DELIVERY", required_unless_present_any = ["dead", "endpoint"])]
        delivery: Option<String>,
        /// All of this endpoint that were given up
        #[arg(long, value_name = "ENDPOINT", conflicts_with_all = ["delivery", "endpoint"])]
        dead: Option<String>,
        /// All to this endpoint, of the time from --from to --until
        #[arg(long, value_name = "ENDPOINT", conflicts_with = "delivery", requires = "from")]
        endpoint: Option<String>,
        /// From then on, such as 2031-05-04T00:00:00Z
        #[arg(long, value_name = "TIME", requires = "endpoint")]
        from: Option<String>,
        /// And before then [default: now]
        #[arg(long, value_name = "TIME", requires = "endpoint")]
        until: Option<String>,
    },
    /// Send a test message to an endpoint
    Test {
        /// Its id
        endpoint: String,
    },
}

pub(crate) async fn run(args: WebhooksArgs, file: &File, output: Output) -> Result<(), Failure> {
    let gateway = Gateway::of(&args.gateway, file)?;
    match args.action {
        None | Some(Action::List) => {
            let found = gateway.get("/webhook_endpoints", &[]).await?;
            super::answer(output, &found, endpoints);
        }
        Some(Action::Deliveries { endpoint, status, limit }) => {
            let query =
                [("endpoint_id", endpoint), ("status", status), ("limit", Some(limit.to_string()))];
            let found = gateway.get("/webhook_deliveries", &query).await?;
            super::answer(output, &found, deliveries);
        }
        Some(Action::Show { delivery }) => {
            let path = format!("/webhook_deliveries/{}", id("a delivery", &delivery)?);
            let found = gateway.get(&path, &[]).await?;
            super::answer(output, &found, show::document);
        }
        Some(Action::Test { endpoint }) => {
            let path = format!("/webhook_endpoints/{}/test", id("an endpoint", &endpoint)?);
            let sent = gateway.post(&path, None).await?;
            super::answer(output, &sent, on_its_way);
        }
        Some(Action::Replay { delivery: Some(delivery), .. }) => {
            let path = format!("/webhook_deliveries/{}/replay", id("a delivery", &delivery)?);
            let sent = gateway.post(&path, None).await?;
            super::answer(output, &sent, on_its_way);
        }
        Some(Action::Replay { dead: Some(endpoint), .. }) => {
            replay(&gateway, &endpoint, json!({ "what": "dead" }), output).await?;
        }
        Some(Action::Replay { endpoint, from, until, .. }) => {
            let mut range = json!({ "what": "range", "from": from });
            if let (Some(until), Some(range)) = (until, range.as_object_mut()) {
                range.insert("until".to_owned(), json!(until));
            }
            replay(&gateway, &endpoint.unwrap_or_default(), range, output).await?;
        }
    }
    Ok(())
}

/// Asks until everything that is meant is on its way.
async fn replay(
    gateway: &Gateway,
    endpoint: &str,
    mut body: Value,
    output: Output,
) -> Result<(), Failure> {
    let path = format!("/webhook_endpoints/{}/replay", id("an endpoint", endpoint)?);
    let mut count = 0;
    loop {
        let replayed = gateway.post(&path, Some(&body)).await?;
        count += replayed.get("count").and_then(Value::as_i64).unwrap_or_default();
        match (replayed.get("next_cursor"), body.as_object_mut()) {
            (Some(next), Some(body)) => body.insert("cursor".to_owned(), next.clone()),
            _ => break,
        };
    }
    super::answer(output, &json!({ "count": count }), |_| match count {
        1 => "1 message is on its way again.\n".to_owned(),
        _ => format!("{count} messages are on their way again.\n"),
    });
    Ok(())
}

fn on_its_way(sent: &Value) -> String {
    format!(
        "On its way; `kassa webhooks show {}` says what came of it.\n",
        show::plain(text(sent, "id"))
    )
}

fn rows(value: &Value) -> Vec<Value> {
    value.get("data").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn endpoints(value: &Value) -> String {
    let found = rows(value);
    if found.is_empty() {
        return "There is no webhook endpoint.\n".to_owned();
    }
    let rows = found.iter().map(|endpoint| {
        let events: Vec<&str> = endpoint
            .get("events")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        [
            text(endpoint, "id").to_owned(),
            text(endpoint, "status").to_owned(),
            text(endpoint, "url").to_owned(),
            if events.is_empty() { "all".to_owned() } else { events.join(", ") },
            text(endpoint, "last_outcome").to_owned(),
        ]
    });
    show::table(["endpoint", "status", "url", "events", "last attempt"], rows.collect())
}

fn deliveries(value: &Value) -> String {
    let found = rows(value);
    if found.is_empty() {
        return "There is no such message.\n".to_owned();
    }
    let rows = found.iter().map(|delivery| {
        [
            text(delivery, "id").to_owned(),
            text(delivery, "created_at").to_owned(),
            text(delivery, "type").to_owned(),
            text(delivery, "subject_id").to_owned(),
            text(delivery, "status").to_owned(),
            delivery.get("attempts").map(ToString::to_string).unwrap_or_default(),
            text(delivery, "last_outcome").to_owned(),
        ]
    });
    show::table(
        ["delivery", "happened", "type", "subject", "status", "attempts", "last attempt"],
        rows.collect(),
    )
}
