//! Field limits: what Klarna refuses before it looks at any state. Pure functions from a request to its problems, in
//! the order in which the fields are checked.
//!
//! A server answers with them ([`crate::problem::bad_value`], [`Problem::order_management_message`]); a client can ask
//! before it sends. Content rules of personal data are not here: they belong to the shopper's authorisation.
//!
//! | API | whole request | limits |
//! |---|---|---|
//! | Payments | [`create_session`], [`update_session`], [`create_order`], [`customer_token`] | [`LineLimits::PAYMENTS`], [`AddressLimits::PAYMENTS`] |
//! | Order Management | [`capture`], [`refund`], [`update_authorization`], [`update_consumer`], [`merchant_references`], [`shipping_info`], [`extend_due_date`] | [`LineLimits::ORDER_MANAGEMENT`], [`AddressLimits::ORDER_MANAGEMENT`] |
//! | Customer Token | [`token_order`], [`token_status`] | [`LineLimits::CUSTOMER_TOKEN`], [`AddressLimits::CUSTOMER_TOKEN`] |

mod hosted;
mod in_store;
mod orders;
mod parts;
mod payments;
mod tokens;

pub use hosted::{hosted_distribution, hosted_session};
pub use orders::{
    capture, extend_due_date, merchant_references, refund, shipping_info, update_authorization,
    update_consumer,
};
pub use parts::{AddressLimits, LineLimits};
pub use payments::{create_order, create_session, customer_token, update_session};
pub use tokens::{token_order, token_status};

use crate::problem::{Problem, Rule};

/// Most lines that an order may have.
pub const MAX_ORDER_LINES: usize = 1000;
/// Most parcels in one call.
pub const MAX_SHIPPING_INFO: usize = 500;
/// Greatest value on a line, and greatest amount in Order Management.
pub const MAX_AMOUNT: i64 = 200_000_000;

/// Which URLs Klarna takes as `merchant_urls`. Klarna itself takes `https` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UrlRule {
    /// `https` only.
    #[default]
    Https,
    /// `https`, and `http` to this machine (`localhost`, `127.0.0.1`, `[::1]`).
    HttpsOrLoopback,
    /// Any `http` or `https` URL, as the older edition of Klarna's reference has it.
    Any,
}

/// Collects problems while walking through a request.
#[derive(Default)]
struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    fn problem(&mut self, path: impl Into<String>, rule: Rule) {
        self.problems.push(Problem::new(path, rule));
    }

    /// A text with a number of characters in bounds and without control characters.
    fn text(&mut self, path: impl Into<String>, value: Option<&str>, min: usize, max: usize) {
        let Some(value) = value else { return };
        let found = value.chars().count();
        if found < min || found > max {
            self.problem(path, Rule::Length { found, min, max });
        } else if value.chars().any(is_control) {
            self.problem(path, Rule::ControlCharacter);
        }
    }

    /// A text of a form; what has the form needs no further check.
    fn form(
        &mut self,
        path: impl Into<String>,
        value: Option<&str>,
        expected: &'static str,
        has_form: impl Fn(&str) -> bool,
    ) {
        if value.is_some_and(|value| !has_form(value)) {
            self.problem(path, Rule::Form { expected });
        }
    }

    fn range(
        &mut self,
        path: impl Into<String>,
        value: Option<i64>,
        min: Option<i64>,
        max: Option<i64>,
    ) {
        let Some(found) = value else { return };
        if min.is_some_and(|min| found < min) || max.is_some_and(|max| found > max) {
            self.problem(path, Rule::Range { found, min, max });
        }
    }

    fn required<T>(&mut self, path: impl Into<String>, value: Option<&T>) {
        if value.is_none() {
            self.problem(path, Rule::Missing);
        }
    }

    /// A value that is none of the documented ones.
    fn unknown(&mut self, path: impl Into<String>, documented: impl Iterator<Item = &'static str>) {
        self.problem(path, Rule::UnknownValue { expected: documented.collect() });
    }
}

/// Control characters, line ends and tabs, also the two that Unicode adds.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// An `https` URL, or what the rule lets through besides.
fn is_allowed_url(url: &str, rule: UrlRule) -> bool {
    fn after<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
        let (start, rest) = url.split_at_checked(scheme.len())?;
        (start.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
    }
    if after(url, "https://").is_some() {
        return true;
    }
    let Some(rest) = after(url, "http://") else { return false };
    match rule {
        UrlRule::Https => false,
        UrlRule::Any => true,
        UrlRule::HttpsOrLoopback => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            // Whatever stands before an `@` is a user name; a host must not hide behind one.
            if authority.contains('@') {
                return false;
            }
            let host = if authority.starts_with('[') {
                authority.split_inclusive(']').next().unwrap_or_default()
            } else {
                authority.split(':').next().unwrap_or_default()
            };
            host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "[::1]"
        }
    }
}
