//! Choices that Klarna has not published, each in one place, so that changing our mind about one
//! is changing one line. What stands here is proposed, not known.

/// The most captures an order may have; `None` for no limit.
pub(crate) const MAX_CAPTURES: Option<usize> = Some(200);

/// The most refunds an order may have; `None` for no limit.
pub(crate) const MAX_REFUNDS: Option<usize> = Some(200);

/// The most shipping entries an order, or one of its captures, may collect over its life.
pub(crate) const MAX_SHIPPING_INFO: usize = 5_000;

/// What an order with captures becomes when the rest of its authorisation runs out.
pub(crate) const PART_CAPTURED_ON_EXPIRY: PartCapturedOnExpiry = PartCapturedOnExpiry::Closed;

/// The values of [`PART_CAPTURED_ON_EXPIRY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartCapturedOnExpiry {
    /// `CLOSED`.
    Closed,
    /// `EXPIRED`.
    #[allow(dead_code, reason = "one value of a switch is in use at a time")]
    Expired,
    /// `CAPTURED`.
    #[allow(dead_code, reason = "one value of a switch is in use at a time")]
    Captured,
}

/// How long after its creation an authorisation can be extended, and can last.
pub(crate) const MAX_AUTHORIZATION_DAYS: i64 = 180;

/// How long after its creation an order can be read.
pub(crate) const READABLE_YEARS: i64 = 3;

/// Countries in which a refund may keep back a return fee.
pub(crate) const RETURN_FEE_COUNTRIES: [&str; 15] =
    ["AT", "DE", "DK", "FI", "FR", "NL", "NO", "SE", "IT", "ES", "IE", "PT", "CZ", "AU", "GR"];

/// Whether the authorised amount of an order with this payment method may be raised.
pub(crate) fn may_raise(payment_method: &str, country: &str) -> bool {
    match payment_method {
        "INVOICE" | "INVOICE_BUSINESS" | "ACCOUNT" | "DIRECT_DEBIT" => country != "CH",
        "FIXED_AMOUNT" => {
            matches!(country, "AT" | "DE" | "DK" | "FI" | "FR" | "NL" | "NO" | "SE")
        }
        _ => false,
    }
}

/// Whether an authorisation of this payment method can be made to last longer.
pub(crate) fn may_extend(payment_method: &str, country: &str) -> bool {
    match payment_method {
        "PAY_BY_CARD" | "CARD" => false,
        "FIXED_SUM_CREDIT" => country != "US",
        _ => true,
    }
}

/// Whether the customer's details of an order with this payment method can change.
pub(crate) fn may_change_customer(payment_method: &str) -> bool {
    payment_method != "INVOICE_BUSINESS"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_follows_the_published_markets() {
        for (method, country, expected) in [
            ("INVOICE", "SE", true),
            ("INVOICE", "US", true),
            ("INVOICE", "CH", false),
            ("INVOICE_BUSINESS", "DE", true),
            ("INVOICE_BUSINESS", "CH", false),
            ("ACCOUNT", "GB", true),
            ("ACCOUNT", "CH", false),
            ("DIRECT_DEBIT", "AT", true),
            ("DIRECT_DEBIT", "CH", false),
            ("FIXED_AMOUNT", "SE", true),
            ("FIXED_AMOUNT", "GB", false),
            ("CARD", "SE", false),
            ("PAY_IN_X", "SE", false),
            ("SWISH", "SE", false),
        ] {
            assert_eq!(may_raise(method, country), expected, "{method} in {country}");
        }
    }

    #[test]
    fn card_payments_and_american_financing_cannot_be_extended() {
        for (method, country, expected) in [
            ("PAY_BY_CARD", "SE", false),
            ("CARD", "GB", false),
            ("FIXED_SUM_CREDIT", "US", false),
            ("FIXED_SUM_CREDIT", "GB", true),
            ("INVOICE", "SE", true),
        ] {
            assert_eq!(may_extend(method, country), expected, "{method} in {country}");
        }
    }
}
