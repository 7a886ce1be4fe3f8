//! `kassa api`: any operation of Klarna's merchant APIs from the terminal.

mod body;
mod call;
mod command;
mod operations;

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::Value;

use crate::file::File;
use crate::report::Output;
use crate::tool::failure::Failure;

pub(crate) use command::ApiCommand;

pub(crate) const EXAMPLES: &str = "\
By default the playground on this machine is called, with its own test merchant. Credentials for others come from \
KASSA_KLARNA_USERNAME and KASSA_KLARNA_PASSWORD, from KASSA_KLARNA_API_KEY, or from a file that only you can read \
(--credentials).

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

/// Reads the name of an operation; each also goes by its command, as `orders.get`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationName;

impl OperationName {
    fn names() -> PossibleValuesParser {
        PossibleValuesParser::new(operations::OPERATIONS.iter().map(|operation| operation.name))
    }
}

impl TypedValueParser for OperationName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let called = value.to_str().and_then(|text| text.split_once('.'));
        match called.and_then(|(area, command)| operations::Operation::find(area, command)) {
            Some(operation) => Ok(operation.name.to_owned()),
            None => Self::names().parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = operations::OPERATIONS.iter().map(|operation| operation.name);
        Some(Box::new(names.map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_goes_by_its_command_as_well() {
        let command =
            clap::Command::new("x").arg(clap::Arg::new("operation").value_parser(OperationName));
        for (given, expected) in [
            ("orders.get", "orders.read"),
            ("orders.read", "orders.read"),
            ("orders.capture", "orders.capture"),
        ] {
            let matches = command.clone().try_get_matches_from(["x", given]).unwrap();
            assert_eq!(matches.get_one::<String>("operation").unwrap(), expected);
        }
        assert!(command.try_get_matches_from(["x", "orders.gett"]).is_err());
    }
}
