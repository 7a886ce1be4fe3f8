//! `kassa api`: any operation of Klarna's merchant APIs from the terminal.

mod body;
mod call;
mod command;
mod operations;

use clap::builder::PossibleValuesParser;
use serde_json::Value;

use crate::file::File;
use crate::report::Output;
use crate::tool::failure::Failure;

pub(crate) use command::ApiCommand;

pub(crate) const EXAMPLES: &str = "\
By default the playground on this machine is called, with its own test merchant. Credentials for others
come from KASSA_KLARNA_USERNAME and KASSA_KLARNA_PASSWORD, from KASSA_KLARNA_API_KEY, or from a file that
only you can read (--credentials).

Examples:
  kassa api payments create-session --data @cart.json
  kassa api orders get ORDER_ID
  kassa api orders capture ORDER_ID --set captured_amount=10000 --idempotency-key A-1001-1
  kassa api settlements csv REFERENCE --output payout.csv
  kassa api disputes attach DISPUTE_ID proof.pdf
  kassa api raw GET /ordermanagement/v1/orders/ORDER_ID --json | jq .status
  kassa api --help, kassa api orders --help, kassa api orders capture --help
  kassa api orders refund ORDER_ID --set refunded_amount=5000 --live --region eu --dry-run

Amounts are in minor units (öre, cents).";

/// Calls what the command says.
pub(crate) async fn run(command: ApiCommand, file: &File, output: Output) -> Result<(), Failure> {
    call::run(command, file, output).await
}

/// Reads JSON as `--data` takes it.
pub(crate) fn read_data(data: &str) -> Result<Value, Failure> {
    body::read(data)
}

/// The names of all operations, for whoever wants one of them.
pub(crate) fn operation_names() -> PossibleValuesParser {
    PossibleValuesParser::new(operations::OPERATIONS.iter().map(|operation| operation.name))
}
