//! Settlements.

use crate::Takes::Nothing;
use crate::{Answer, Api, Operation, answer};

/// Of every operation. Settlements publish no codes.
const ANY: &[Answer] = &[
    answer(200, ""),
    answer(400, ""),
    answer(401, ""),
    answer(429, "TOO_MANY_REQUESTS"),
    answer(500, ""),
];

const NOT_FOUND: &[Answer] = &[answer(404, "")];

const fn operation(
    name: &'static str,
    path: &'static str,
    documented: &'static [&'static [Answer]],
) -> Operation {
    Operation { name, api: Api::Settlements, method: "GET", path, takes: Nothing, documented }
}

pub(crate) const LIST: &[Operation] = &[
    operation("settlements.list_payouts", "/settlements/v1/payouts", &[ANY]),
    operation(
        "settlements.read_payout",
        "/settlements/v1/payouts/{payment_reference}",
        &[ANY, NOT_FOUND],
    ),
    operation("settlements.summarise_payouts", "/settlements/v1/payouts/summary", &[ANY]),
    operation("settlements.list_transactions", "/settlements/v1/transactions", &[ANY]),
    operation(
        "settlements.payout_report_with_transactions",
        "/settlements/v1/reports/payout-with-transactions",
        &[ANY, NOT_FOUND],
    ),
    operation("settlements.payout_report", "/settlements/v1/reports/payout", &[ANY, NOT_FOUND]),
    operation(
        "settlements.summary_report_with_transactions",
        "/settlements/v1/reports/payouts-summary-with-transactions",
        &[ANY],
    ),
    operation("settlements.summary_report", "/settlements/v1/reports/payouts-summary", &[ANY]),
];
