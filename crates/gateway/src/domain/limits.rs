//! What Klarna's documentation says about which payments can be changed how: by payment method,
//! country and age.
//!
//! These are predictions, so that nothing is offered that will be refused. Where the documentation
//! says nothing, or a payment's method is not known yet, the change is let through, and Klarna's
//! answer decides. See "View and change orders", "Extended authorization expiration", "Refund with
//! return fees" and "Extend payment date pricing" in Klarna's documentation.

/// How long after its creation an authorisation can be extended.
pub const EXTENDABLE_FOR_MS: i64 = 180 * 24 * 60 * 60 * 1000;

/// How long after Klarna's refusal of the risk a capture overrules it.
pub const OVERRULABLE_FOR_MS: i64 = 4 * 60 * 60 * 1000;

/// The largest amount of an order.
pub const LARGEST_ORDER_MINOR: i64 = 200_000_000;

/// Where a refund may keep back a return fee.
const RETURN_FEE_COUNTRIES: [&str; 15] =
    ["AT", "DE", "DK", "FI", "FR", "NL", "NO", "SE", "IT", "ES", "IE", "PT", "CZ", "AU", "GR"];

/// Where a due date can be moved.
const DUE_DATE_COUNTRIES: [&str; 9] = ["AT", "BE", "DK", "DE", "FI", "NL", "NO", "SE", "GB"];

/// Whether the authorised amount can be raised.
pub fn may_raise(method: Option<&str>, country: &str) -> bool {
    let Some(method) = method else { return true };
    match method.to_ascii_uppercase().as_str() {
        "INVOICE" | "INVOICE_BUSINESS" | "B2B_INVOICE" | "ACCOUNT" | "BASE_ACCOUNT"
        | "DIRECT_DEBIT" => country != "CH",
        "FIXED_AMOUNT" => {
            matches!(country, "AT" | "DE" | "DK" | "FI" | "FR" | "NL" | "NO" | "SE")
        }
        _ => false,
    }
}

/// Whether the authorisation can be made to last longer.
pub fn may_extend(method: Option<&str>, country: &str) -> bool {
    let Some(method) = method else { return true };
    match method.to_ascii_uppercase().as_str() {
        "PAY_BY_CARD" | "CARD" => false,
        // Financing in the United States.
        "FIXED_SUM_CREDIT" => country != "US",
        _ => true,
    }
}

/// Whether the shopper pays later, so that there is a due date to move.
pub fn may_move_due_date(method: Option<&str>, country: &str) -> bool {
    let Some(method) = method else { return true };
    let pays_later = matches!(
        method.to_ascii_uppercase().as_str(),
        "INVOICE"
            | "INVOICE_BUSINESS"
            | "B2B_INVOICE"
            | "PAY_IN_X"
            | "PAY_LATER_IN_PARTS"
            | "PAY_LATER_BY_CARD"
    );
    pays_later && DUE_DATE_COUNTRIES.contains(&country)
}

/// Whether a refund may keep back a return fee.
pub fn may_keep_return_fee(country: &str) -> bool {
    RETURN_FEE_COUNTRIES.contains(&country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_markets_are_as_published() {
        for (method, country, raise, extend, due_date) in [
            (Some("INVOICE"), "SE", true, true, true),
            (Some("invoice"), "US", true, true, false),
            (Some("INVOICE"), "CH", false, true, false),
            (Some("INVOICE_BUSINESS"), "DE", true, true, true),
            (Some("BASE_ACCOUNT"), "GB", true, true, false),
            (Some("DIRECT_DEBIT"), "AT", true, true, false),
            (Some("FIXED_AMOUNT"), "SE", true, true, false),
            (Some("FIXED_AMOUNT"), "GB", false, true, false),
            (Some("PAY_IN_X"), "GB", false, true, true),
            (Some("PAY_BY_CARD"), "SE", false, false, false),
            (Some("CARD"), "DE", false, false, false),
            (Some("FIXED_SUM_CREDIT"), "US", false, false, false),
            (Some("FIXED_SUM_CREDIT"), "GB", false, true, false),
            (Some("SOMETHING_NEW"), "SE", false, true, false),
            (None, "SE", true, true, true),
        ] {
            let found = (
                may_raise(method, country),
                may_extend(method, country),
                may_move_due_date(method, country),
            );
            assert_eq!(found, (raise, extend, due_date), "{method:?} in {country}");
        }
        assert!(may_keep_return_fee("SE") && !may_keep_return_fee("GB"));
    }
}
