//! `kassa erasures`: having the gateway forget shoppers, and seeing what became of it.

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
  kassa erasures create --reference WEB-1001           every payment of that order number
  kassa erasures create --payment pay_1f0c… --checkout chk_77ab…
  kassa erasures                                       what was asked, and what became of it
  kassa erasures show era_1f0c…

Books stay, people go: amounts, ids, states and what was bought are kept. What is still needed, such as an
authorisation that can be captured, is erased as soon as it is not.

The gateway's API key is read from KASSA_API_KEY, or from the gateway's data directory.";

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct ErasuresArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what was asked to be forgotten, newest first (the default)
    List,
    /// Forget shoppers
    Create {
        /// The shopper of this payment; repeatable
        #[arg(long = "payment", value_name = "ID", required_unless_present_any = ["checkouts", "references", "customers"])]
        payments: Vec<String>,
        /// The shopper of this checkout; repeatable
        #[arg(long = "checkout", value_name = "ID")]
        checkouts: Vec<String>,
        /// The shopper of this order number of the shop's; repeatable
        #[arg(long = "reference", value_name = "TEXT")]
        references: Vec<String>,
        /// This customer, with everything they were charged; repeatable
        #[arg(long = "customer", value_name = "ID")]
        customers: Vec<String>,
    },
    /// Show what became of one
    Show {
        /// Its id
        erasure: String,
    },
}

pub(crate) async fn run(args: ErasuresArgs, file: &File, output: Output) -> Result<(), Failure> {
    let gateway = Gateway::of(&args.gateway, file)?;
    match args.action {
        None | Some(Action::List) => {
            let found = gateway.get("/erasures", &[("limit", Some("100".to_owned()))]).await?;
            super::answer(output, &found, list);
        }
        Some(Action::Create { payments, checkouts, references, customers }) => {
            let wish = json!({
                "payment_ids": payments, "checkout_ids": checkouts,
                "merchant_references": references, "customer_ids": customers,
            });
            let erasure = gateway.post("/erasures", Some(&wish)).await?;
            super::answer(output, &erasure, one);
        }
        Some(Action::Show { erasure }) => {
            let path = format!("/erasures/{}", id("an erasure", &erasure)?);
            let erasure = gateway.get(&path, &[]).await?;
            super::answer(output, &erasure, one);
        }
    }
    Ok(())
}

fn rows<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn list(value: &Value) -> String {
    let found: Vec<_> = rows(value, "data")
        .map(|erasure| {
            [
                text(erasure, "id").to_owned(),
                text(erasure, "created_at").to_owned(),
                text(erasure, "status").to_owned(),
                rows(erasure, "subjects").count().to_string(),
            ]
        })
        .collect();
    if found.is_empty() {
        return "Nobody was asked to be forgotten.\n".to_owned();
    }
    show::table(["erasure", "asked", "status", "payments and checkouts"], found)
}

fn one(erasure: &Value) -> String {
    let found: Vec<_> = rows(erasure, "subjects")
        .map(|subject| {
            ["type", "id", "status", "erased_at", "because", "needed_until"]
                .map(|name| text(subject, name).to_owned())
        })
        .collect();
    let heads = ["", "id", "status", "erased", "needed because", "until at the latest"];
    format!("{}, {}\n{}", text(erasure, "id"), text(erasure, "status"), show::table(heads, found))
}
