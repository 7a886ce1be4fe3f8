//! Requests of the Customer Token API. Status, method and country of the token are not known here.

use super::payments::attachment_problem;
use super::{AddressLimits, Checker, LineLimits, UrlRule};
use crate::arithmetic;
use crate::customer_token::{CustomerTokenStatus, StepUp, TokenOrderBody, TokenStatusBody};
use crate::money::MinorUnits;
use crate::problem::{Problem, Rule};

/// `POST tokens/{id}/order`.
///
/// ```
/// use klarna_types::{customer_token::TokenOrderBody, problem::bad_value, validate::{self, UrlRule}};
/// let body: TokenOrderBody = serde_json::from_str(r#"{"purchase_currency":"SEK","order_amount":0}"#)?;
/// assert_eq!(
///     bad_value(&validate::token_order(&body, UrlRule::Https)).as_deref(),
///     Some("Bad value: order_tax_amount, order_lines, order_amount")
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn token_order(body: &TokenOrderBody, urls: UrlRule) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.required("purchase_currency", body.purchase_currency.as_ref());
    checker.required("order_amount", body.order_amount.as_ref());
    checker.required("order_tax_amount", body.order_tax_amount.as_ref());
    checker.required("order_lines", body.order_lines.as_ref());
    checker.place(None, body.purchase_currency.as_ref(), body.locale.as_ref(), None);
    let minor = |amount: Option<MinorUnits>| amount.map(MinorUnits::get);
    checker.range("order_amount", minor(body.order_amount), Some(1), None);
    checker.range("order_tax_amount", minor(body.order_tax_amount), Some(0), None);
    if let Some(lines) = &body.order_lines {
        checker.lines(lines, 1, &LineLimits::CUSTOMER_TOKEN);
    }
    if let Some(address) = &body.shipping_address {
        checker.address("shipping_address", address, &AddressLimits::CUSTOMER_TOKEN);
    }
    if let Some(merchant_urls) = &body.merchant_urls {
        checker.merchant_urls(merchant_urls, urls);
    }
    checker.text("merchant_reference1", body.merchant_reference1.as_deref(), 0, 255);
    checker.text("merchant_reference2", body.merchant_reference2.as_deref(), 0, 255);
    checker.text("merchant_data", body.merchant_data.as_deref(), 0, 6000);
    if let Some(attachment) = &body.attachment
        && let Some(expected) = attachment_problem(attachment)
    {
        checker.problem("attachment.attachment", Rule::Form { expected });
    }
    if body.step_up.as_ref().is_some_and(|step_up| !step_up.is_known()) {
        checker.unknown("step_up", StepUp::KNOWN.iter().map(StepUp::as_str));
    }
    // A line that lacks a number would otherwise be reported a second time as a wrong sum.
    let lines_are_readable = !checker.problems.iter().any(|p| p.path.starts_with("order_lines"));
    if let Some(lines) = &body.order_lines
        && lines_are_readable
    {
        let sums = arithmetic::check(lines, body.order_amount, body.order_tax_amount);
        checker.problems.extend(sums);
    }
    checker.problems
}

/// `PATCH tokens/{id}/status`: `CANCELLED` and nothing else.
pub fn token_status(body: &TokenStatusBody) -> Vec<Problem> {
    let mut checker = Checker::default();
    checker.required("status", body.status.as_ref());
    let cancelled = CustomerTokenStatus::Cancelled;
    if body.status.as_deref().is_some_and(|status| status != cancelled.as_str()) {
        checker.unknown("status", ["CANCELLED"].into_iter());
    }
    checker.problems
}
