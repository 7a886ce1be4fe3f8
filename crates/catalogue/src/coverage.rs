//! What is documented, held against what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::seen::Seen;
use crate::{Answer, Api, Operation, operations};

/// What begins the part of docs/fidelity.md that is written by [`markdown`].
pub const BEGIN: &str =
    "<!-- What follows is written by `cargo xtask fidelity`; do not edit it. -->";

/// What ends it.
pub const END: &str = "<!-- End of what is written by `cargo xtask fidelity`. -->";

/// Codes by status.
type Codes<'a> = BTreeMap<u16, BTreeSet<&'a str>>;

fn of<'a>(operation: &Operation, seen: &'a BTreeSet<Seen>) -> Vec<&'a Seen> {
    seen.iter()
        .filter(|seen| seen.method == operation.method && seen.path == operation.path)
        .collect()
}

fn is_seen(answer: &Answer, seen: &[&Seen]) -> bool {
    seen.iter().any(|seen| answer.is(seen.status, &seen.code))
}

/// What is wrong: an answer that is documented and was not seen, without a reason; or seen in spite of
/// the reason why it is not given.
#[must_use]
pub fn problems(seen: &BTreeSet<Seen>) -> Vec<String> {
    let mut problems = Vec::new();
    for operation in operations() {
        let seen = of(operation, seen);
        for answer in operation.documented() {
            let what = match (answer.not_given, is_seen(&answer, &seen)) {
                (None, true) | (Some(_), false) => continue,
                (None, false) => "no test has seen",
                (Some(_), true) => "the catalogue says that it is not given, but a test has seen",
            };
            let Operation { name, method, path, .. } = operation;
            let Answer { status, code, .. } = answer;
            problems.push(format!("{name} ({method} {path}): {what} {status} {code}"));
        }
    }
    problems
}

/// The tables of docs/fidelity.md, [`BEGIN`] and [`END`] included.
#[must_use]
pub fn markdown(seen: &BTreeSet<Seen>) -> String {
    let mut text = format!("{BEGIN}\n");
    for api in Api::ALL {
        let _ = write!(
            text,
            "\n### {}\n\n| operation | documented and given | given besides | documented, not given |\n\
             | --- | --- | --- | --- |\n",
            api.title()
        );
        for operation in operations().filter(|operation| operation.api == api) {
            let seen = of(operation, seen);
            let _ = writeln!(
                text,
                "| {} `{}` | {} | {} | {} |",
                operation.method,
                operation.path,
                list(&given(operation, &seen)),
                list(&besides(operation, &seen)),
                missing(operation, &seen)
            );
        }
    }
    let _ = write!(text, "\n{END}");
    text
}

/// What is documented and was seen. Where only the status is documented, the codes are ours.
fn given<'a>(operation: &Operation, seen: &[&'a Seen]) -> Codes<'a> {
    let mut codes = Codes::new();
    for answer in operation.documented().filter(|answer| is_seen(answer, seen)) {
        let codes = codes.entry(answer.status).or_default();
        codes.extend(
            seen.iter()
                .filter(|seen| answer.is(seen.status, &seen.code))
                .filter(|seen| !answer.code.is_empty() || !seen.made_up)
                .map(|seen| seen.code.as_str())
                .filter(|code| !code.is_empty()),
        );
    }
    codes
}

/// What is given without being documented for this operation.
fn besides<'a>(operation: &Operation, seen: &[&'a Seen]) -> Codes<'a> {
    let mut codes = Codes::new();
    for seen in seen {
        let documented = operation.documented().any(|answer| answer.is(seen.status, &seen.code));
        if !documented && !seen.made_up && !seen.code.is_empty() {
            codes.entry(seen.status).or_default().insert(seen.code.as_str());
        }
    }
    codes
}

fn list(codes: &Codes<'_>) -> String {
    let mut text = String::new();
    for (status, codes) in codes {
        let separator = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{separator}{status}");
        for (index, code) in codes.iter().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            let _ = write!(text, "{separator}`{code}`");
        }
    }
    text
}

fn missing(operation: &Operation, seen: &[&Seen]) -> String {
    let mut text = String::new();
    for answer in operation.documented().filter(|answer| !is_seen(answer, seen)) {
        let separator = if text.is_empty() { "" } else { "; " };
        let reason = answer.not_given.unwrap_or("no test shows it");
        let code = match answer.code {
            "" => String::new(),
            code => format!(" `{code}`"),
        };
        let _ = write!(text, "{separator}{}{code}: {reason}", answer.status);
    }
    text
}

/// A document with the tables of today in place of those it has; `None` when it has none.
#[must_use]
pub fn renew(document: &str, seen: &BTreeSet<Seen>) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}{after}", markdown(seen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: u16, code: &str, made_up: bool) -> Seen {
        Seen {
            method: "GET".to_owned(),
            path: "/hpp/v1/sessions/{session_id}".to_owned(),
            status,
            code: code.to_owned(),
            made_up,
        }
    }

    fn row(seen: impl IntoIterator<Item = Seen>) -> String {
        let text = markdown(&seen.into_iter().collect());
        text.lines().find(|line| line.contains("GET `/hpp/")).unwrap_or_default().to_owned()
    }

    #[test]
    fn a_row_says_what_is_given_what_besides_and_what_is_missing() {
        let all = [
            seen(200, "", false),
            seen(401, "", false),
            seen(403, "MERCHANT_INACTIVE", false),
            seen(404, "NOT_FOUND", false),
            seen(404, "ODD", true),
            seen(405, "METHOD_NOT_ALLOWED", false),
            seen(418, "TEAPOT", true),
            seen(500, "X", true),
        ];
        assert_eq!(
            row(all),
            "| GET `/hpp/v1/sessions/{session_id}` | 200; 401; 403 `MERCHANT_INACTIVE`; \
             404 `NOT_FOUND`; 500 | 405 `METHOD_NOT_ALLOWED` | \
             429 `TOO_MANY_REQUESTS`: no test shows it |"
        );
    }

    #[test]
    fn what_no_test_has_seen_is_a_problem() {
        let none = problems(&BTreeSet::new());
        let expected = "hosted_payment_page.read_session (GET /hpp/v1/sessions/{session_id}): \
                        no test has seen 404 ";
        assert!(none.iter().any(|problem| problem == expected), "{none:#?}");
        let some = problems(&BTreeSet::from([seen(404, "NOT_FOUND", false)]));
        assert_eq!(some.len() + 1, none.len());
        assert!(!some.iter().any(|problem| problem == expected));
    }

    #[test]
    fn only_the_tables_of_a_document_are_renewed() {
        let document = format!("a\n{BEGIN}\nold\n{END}\nz\n");
        let renewed = renew(&document, &BTreeSet::new()).unwrap_or_default();
        assert!(renewed.starts_with("a\n") && renewed.ends_with("\nz\n"));
        assert!(!renewed.contains("old"));
        assert_eq!(renew(&renewed, &BTreeSet::new()), Some(renewed.clone()));
        assert_eq!(renew("nothing", &BTreeSet::new()), None);
    }
}
