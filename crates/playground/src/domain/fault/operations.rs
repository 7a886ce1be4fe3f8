//! Klarna's operations by name, and paths in the form Klarna's documentation writes them.

use std::fmt;
use std::str::FromStr;

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// `api.operation`.
    pub(crate) name: &'static str,
    /// HTTP method.
    pub(crate) method: &'static str,
    /// Its path, parameters in braces.
    pub(crate) path: &'static str,
    /// The published time that 99 of 100 calls stay within, in milliseconds; where none is published,
    /// that of the operation most like it.
    pub(crate) p99_ms: u64,
}

const fn operation(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    p99_ms: u64,
) -> Operation {
    Operation { name, method, path, p99_ms }
}

/// What an operation that is not in the list is taken to need.
pub(crate) const OTHER_P99_MS: u64 = 1_000;

/// The operations, by API.
pub(crate) const OPERATIONS: &[Operation] = &[
    operation("payments.create_session", "POST", "/payments/v1/sessions", 150),
    operation("payments.update_session", "POST", "/payments/v1/sessions/{session_id}", 150),
    operation("payments.read_session", "GET", "/payments/v1/sessions/{session_id}", 150),
    operation("payments.cancel_session", "DELETE", "/payments/v1/sessions/{session_id}", 150),
    operation("payments.create_order", "POST", "/payments/v1/authorizations/{token}/order", 500),
    operation(
        "payments.create_customer_token",
        "POST",
        "/payments/v1/authorizations/{token}/customer-token",
        500,
    ),
    operation(
        "payments.cancel_authorization",
        "DELETE",
        "/payments/v1/authorizations/{token}",
        500,
    ),
    operation("customer_tokens.read", "GET", "/customer-token/v1/tokens/{token}", 800),
    operation(
        "customer_tokens.create_order",
        "POST",
        "/customer-token/v1/tokens/{token}/order",
        5_000,
    ),
    operation(
        "customer_tokens.set_status",
        "PATCH",
        "/customer-token/v1/tokens/{token}/status",
        1_000,
    ),
    operation("hosted_payment_page.create_session", "POST", "/hpp/v1/sessions", 200),
    operation("hosted_payment_page.read_session", "GET", "/hpp/v1/sessions/{session_id}", 200),
    operation(
        "hosted_payment_page.disable_session",
        "DELETE",
        "/hpp/v1/sessions/{session_id}",
        200,
    ),
    operation(
        "hosted_payment_page.distribute",
        "POST",
        "/hpp/v1/sessions/{session_id}/distribution",
        200,
    ),
    operation("payment_requests.create", "POST", "/v2/payment/requests", 150),
    operation("payment_requests.read", "GET", "/v2/payment/requests/{payment_request_id}", 150),
    operation(
        "payment_requests.cancel",
        "DELETE",
        "/v2/payment/requests/{payment_request_id}",
        150,
    ),
    operation("in_store.read_distribution", "GET", "/iss/v1/distributions/{session_id}", 200),
    operation("orders.read", "GET", "/ordermanagement/v1/orders/{order_id}", 800),
    operation(
        "orders.acknowledge",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/acknowledge",
        1_000,
    ),
    operation(
        "orders.update_authorization",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/authorization",
        1_000,
    ),
    operation("orders.cancel", "POST", "/ordermanagement/v1/orders/{order_id}/cancel", 1_000),
    operation(
        "orders.update_customer_details",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/customer-details",
        1_000,
    ),
    operation(
        "orders.extend_authorization_time",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/extend-authorization-time",
        1_000,
    ),
    operation(
        "orders.update_merchant_references",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/merchant-references",
        1_000,
    ),
    operation(
        "orders.release_remaining_authorization",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/release-remaining-authorization",
        1_000,
    ),
    operation(
        "orders.append_shipping_info",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/shipping-info",
        1_000,
    ),
    operation("orders.capture", "POST", "/ordermanagement/v1/orders/{order_id}/captures", 1_000),
    operation("orders.list_captures", "GET", "/ordermanagement/v1/orders/{order_id}/captures", 800),
    operation(
        "orders.read_capture",
        "GET",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}",
        800,
    ),
    operation(
        "orders.append_capture_shipping_info",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/shipping-info",
        1_000,
    ),
    operation(
        "orders.trigger_send_out",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/trigger-send-out",
        1_000,
    ),
    operation(
        "orders.read_due_date_options",
        "GET",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date-options",
        800,
    ),
    operation(
        "orders.extend_due_date",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date",
        1_000,
    ),
    operation("orders.refund", "POST", "/ordermanagement/v1/orders/{order_id}/refunds", 1_000),
    operation(
        "orders.read_refund",
        "GET",
        "/ordermanagement/v1/orders/{order_id}/refunds/{refund_id}",
        800,
    ),
    operation("settlements.list_payouts", "GET", "/settlements/v1/payouts", 6_000),
    operation("settlements.summarise_payouts", "GET", "/settlements/v1/payouts/summary", 6_000),
    operation(
        "settlements.read_payout",
        "GET",
        "/settlements/v1/payouts/{payment_reference}",
        6_000,
    ),
    operation("settlements.list_transactions", "GET", "/settlements/v1/transactions", 6_000),
    operation("settlements.payout_report", "GET", "/settlements/v1/reports/payout", 6_000),
    operation(
        "settlements.payout_report_with_transactions",
        "GET",
        "/settlements/v1/reports/payout-with-transactions",
        6_000,
    ),
    operation(
        "settlements.summary_report",
        "GET",
        "/settlements/v1/reports/payouts-summary",
        6_000,
    ),
    operation(
        "settlements.summary_report_with_transactions",
        "GET",
        "/settlements/v1/reports/payouts-summary-with-transactions",
        6_000,
    ),
    operation("disputes.list", "GET", "/v4/payment/disputes", 4_000),
    operation("disputes.read", "GET", "/v4/payment/disputes/{payment_dispute_id}", 4_000),
    operation(
        "disputes.accept_loss",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/accept-loss",
        4_000,
    ),
    operation(
        "disputes.upload_attachment",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/attachments",
        4_000,
    ),
    operation(
        "disputes.download_attachment",
        "GET",
        "/v4/payment/disputes/{payment_dispute_id}/attachments/{attachment_id}/download",
        4_000,
    ),
    operation(
        "disputes.represent",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/represent",
        4_000,
    ),
    operation("disputes.appeal", "POST", "/v4/payment/disputes/{payment_dispute_id}/appeal", 4_000),
    operation(
        "disputes.enroll_merchant",
        "POST",
        "/v4/payment/disputes/merchants/{merchant_id}/enroll",
        4_000,
    ),
    operation(
        "disputes.enroll_partner",
        "POST",
        "/v4/payment/disputes/partners/{partner_id}/enroll",
        4_000,
    ),
    operation("disputes_v2.enroll", "POST", "/disputes/v2/enroll", 4_000),
    operation("disputes_v2.list", "GET", "/disputes/v2/disputes", 4_000),
    operation("disputes_v2.read", "GET", "/disputes/v2/disputes/{dispute_krn}", 4_000),
    operation(
        "disputes_v2.accept_loss",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/accept-loss",
        4_000,
    ),
    operation(
        "disputes_v2.upload_attachment",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/attachments",
        4_000,
    ),
    operation(
        "disputes_v2.respond",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses",
        4_000,
    ),
    operation(
        "disputes_v2.download_request_attachment",
        "GET",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/attachments/{attachment_id}",
        4_000,
    ),
    operation(
        "disputes_v2.download_response_attachment",
        "GET",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses/{response_id}\
         /attachments/{attachment_id}",
        4_000,
    ),
    operation("disputes_v3.list", "GET", "/disputes/v3/disputes", 4_000),
    operation("disputes_v3.read", "GET", "/disputes/v3/disputes/{payment_dispute_id}", 4_000),
];

impl Operation {
    /// The operation with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// The operation that a call is of. Fixed paths go before those with parameters.
    pub(crate) fn of(method: &str, path: &str) -> Option<&'static Self> {
        let fits = |operation: &&Self| {
            operation.method == method
                && PathPattern::parse(operation.path).is_ok_and(|pattern| pattern.matches(path))
        };
        OPERATIONS.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
    }
}

/// A path in Klarna's documented form: `{name}` stands for one segment, and a `*` at the end for all
/// the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPattern {
    segments: Vec<Segment>,
    open_end: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Any,
}

/// A pattern that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// It begins with something else.
    NoSlash,
    /// A brace or a star stands where it cannot.
    Misplaced,
    /// There is a query, or a fragment.
    Query,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlash => "a path begins with /",
            Self::Misplaced => {
                "{name} stands for a whole segment, and * for all that follows the last /"
            }
            Self::Query => "a path has no query",
        })
    }
}

impl PathPattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let rest = text.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        if rest.contains(['?', '#']) {
            return Err(PatternError::Query);
        }
        let (rest, open_end) = match rest.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), open_end: true }),
            Some(rest) => (rest.strip_suffix('/').ok_or(PatternError::Misplaced)?, true),
            None => (rest, false),
        };
        let segments = rest.split('/').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { segments, open_end })
    }

    /// Whether a path (without its query) is meant.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else { return false };
        let mut parts = rest.split('/');
        for segment in &self.segments {
            let fits = match (segment, parts.next()) {
                (_, None) => false,
                (Segment::Any, Some(part)) => !part.is_empty(),
                (Segment::Literal(literal), Some(part)) => part == literal,
            };
            if !fits {
                return false;
            }
        }
        self.open_end || parts.next().is_none()
    }
}

impl FromStr for Segment {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        match inner {
            Some(name) if !name.is_empty() && !name.contains(['{', '}', '*']) => Ok(Self::Any),
            Some(_) => Err(PatternError::Misplaced),
            None if text.contains(['{', '}', '*']) => Err(PatternError::Misplaced),
            None => Ok(Self::Literal(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        let mut names = HashSet::new();
        for operation in OPERATIONS {
            assert!(names.insert(operation.name), "{}", operation.name);
            let path = operation.path.replace(['{', '}'], "");
            let found = Operation::of(operation.method, &path).unwrap();
            // A parameter's own name could be another operation's fixed segment, but is not.
            assert_eq!(found.name, operation.name, "{path}");
            assert_eq!(Operation::named(operation.name), Some(operation));
        }
        assert_eq!(Operation::of("GET", "/payments/v1/sessions"), None);
        assert_eq!(
            Operation::of("GET", "/settlements/v1/payouts/summary").unwrap().name,
            "settlements.summarise_payouts"
        );
    }

    #[test]
    fn the_list_is_that_of_what_klarna_documents() {
        let own: HashSet<_> =
            OPERATIONS.iter().map(|own| (own.name, own.method, own.path)).collect();
        let documented = catalogue::operations();
        let documented: HashSet<_> = documented
            .map(|operation| (operation.name, operation.method, operation.path))
            .collect();
        let differ: Vec<_> = own.symmetric_difference(&documented).collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn patterns_match_whole_segments() {
        for (pattern, path, expected) in [
            ("/a/{id}/c", "/a/b/c", true),
            ("/a/{id}/c", "/a//c", false),
            ("/a/{id}/c", "/a/b/c/", false),
            ("/a/{id}/c", "/a/b/c/d", false),
            ("/a/{id}/c", "/a/b", false),
            ("/a/*", "/a", true),
            ("/a/*", "/a/", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/ab", false),
            ("/*", "/anything/at/all", true),
            ("/a", "/A", false),
            ("/a", "a", false),
            ("/", "/", true),
        ] {
            assert_eq!(
                PathPattern::parse(pattern).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (pattern, error) in [
            ("", PatternError::NoSlash),
            ("a/b", PatternError::NoSlash),
            ("*", PatternError::NoSlash),
            ("/a*", PatternError::Misplaced),
            ("/a/*/b", PatternError::Misplaced),
            ("/a/{}", PatternError::Misplaced),
            ("/a/x{id}", PatternError::Misplaced),
            ("/a/{i{d}", PatternError::Misplaced),
            ("/a?b=c", PatternError::Query),
        ] {
            assert_eq!(PathPattern::parse(pattern), Err(error), "{pattern}");
        }
    }
}
