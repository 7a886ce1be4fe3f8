//! What Klarna's browser libraries tell the page that called them: every result of a callback and every
//! error that is documented, and which of them the tests in a browser have been told.
//!
//! A result is written as its members in alphabetical order, with the values of those that are true or
//! false: `{approved: true, authorization_token, show_form: true}`. An error that is thrown names what
//! the callback had been told by then.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::seen;

/// What begins the part of docs/fidelity.md that is written by [`markdown`].
pub const BEGIN: &str =
    "<!-- What libraries tell pages: written by `cargo xtask fidelity`; do not edit it. -->";

/// What ends it.
pub const END: &str = "<!-- End of what libraries tell pages. -->";

/// How files with such notes end.
const ENDING: &str = "told";

/// What a call may tell.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The call, with the object that it is of.
    pub call: &'static str,
    /// What the page is told.
    pub told: &'static str,
    /// What that means.
    pub meaning: &'static str,
    /// Why no page is ever told so; `None` of what is given.
    pub not_given: Option<&'static str>,
}

const fn row(call: &'static str, told: &'static str, meaning: &'static str) -> Row {
    Row { call, told, meaning, not_given: None }
}

const fn never(
    call: &'static str,
    told: &'static str,
    meaning: &'static str,
    reason: &'static str,
) -> Row {
    Row { call, told, meaning, not_given: Some(reason) }
}

const LOAD: &str = "Payments.load";
const REVIEW: &str = "Payments.loadPaymentReview";
const AUTHORIZE: &str = "Payments.authorize";
const REAUTHORIZE: &str = "Payments.reauthorize";
const FINALIZE: &str = "Payments.finalize";
const BUTTON_LOAD: &str = "Buttons.load";
const EXPRESS: &str = "Buttons.authorize";
const PAYMENT_ERROR: &str = "Payment.on error";
const PAYMENT_ABORT: &str = "Payment.on abort";

const WIDGET_ERROR: &str = "Customer.Transaction.on widgeterror";

/// The rows, library by library.
const ROWS: &[Row] = &[
    row(LOAD, "{show_form: true}", "available"),
    row(LOAD, "{error: {invalid_fields}, show_form: true}", "data that the shopper can correct"),
    row(LOAD, "{show_form: false}", "refused by the pre-assessment, or the session is over"),
    row(REVIEW, "{show_form: true}", "available"),
    row(AUTHORIZE, "{approved: true, authorization_token, show_form: true}", "approved"),
    row(
        AUTHORIZE,
        "{approved: true, finalize_required: true, show_form: true}",
        "approved, `auto_finalize: false`, the method has a second step",
    ),
    row(
        AUTHORIZE,
        "{approved: true, authorization_token, finalize_required: false, show_form: true}",
        "approved, `auto_finalize: false`, the method has none (inferred)",
    ),
    row(
        AUTHORIZE,
        "{approved: false, error: {invalid_fields}, show_form: true}",
        "data that the shopper can correct",
    ),
    row(AUTHORIZE, "{approved: false, show_form: true}", "closed or broken off by the shopper"),
    row(AUTHORIZE, "{approved: false, show_form: false}", "declined for this session"),
    row(
        REAUTHORIZE,
        "{approved: true, authorization_token}",
        "approved; only the new token is good",
    ),
    row(REAUTHORIZE, "{approved: false}", "declined or broken off"),
    row(
        REAUTHORIZE,
        "{approved: false, error: {invalid_fields}}",
        "data that the shopper can correct",
    ),
    row(FINALIZE, "{approved: true, authorization_token, show_form: true}", "approved"),
    row(FINALIZE, "{approved: false, show_form: false}", "rejected or broken off"),
    row(
        FINALIZE,
        "{approved: false, error: {invalid_fields}, show_form: true}",
        "data that the shopper can correct",
    ),
    row("Payments.init", "throws InvalidClientTokenError", "not a JSON Web Token"),
    row(LOAD, "throws ApplicationNotInitializedError after {show_form: false}", "before `init`"),
    row(REVIEW, "throws ApplicationNotInitializedError after {show_form: false}", "before `init`"),
    row(
        REAUTHORIZE,
        "throws ApplicationNotInitializedError after {approved: false, show_form: false}",
        "before `init`",
    ),
    row(
        FINALIZE,
        "throws ApplicationNotInitializedError after {approved: false, show_form: false}",
        "before `init`",
    ),
    row(
        AUTHORIZE,
        "throws ApplicationNotLoadedError after {approved: false, show_form: false}",
        "before `load`, or of a category that was not loaded",
    ),
    row(
        FINALIZE,
        "throws ApplicationNotLoadedError after {approved: false, show_form: false}",
        "before `load`, or of a category that was not loaded",
    ),
    row(LOAD, "throws InvalidContainerSelectorError after {show_form: false}", "no such element"),
    row(REVIEW, "throws InvalidContainerSelectorError after {show_form: false}", "no such element"),
    never(
        LOAD,
        "throws PaymentMethodCategoryNotProvidedError after {show_form: false}",
        "no category where one is required",
        "the sources disagree; the category is optional here",
    ),
    row(
        REAUTHORIZE,
        "throws PaymentMethodCategoryNotProvidedError after {approved: false, show_form: false}",
        "several widgets are loaded and none is named",
    ),
    row(
        FINALIZE,
        "throws PaymentMethodCategoryNotProvidedError after {approved: false, show_form: false}",
        "several widgets are loaded and none is named",
    ),
    row(
        LOAD,
        "throws PaymentMethodCategoryNotSupportedError after {show_form: false}",
        "an unknown category",
    ),
    row(
        AUTHORIZE,
        "throws PaymentMethodCategoryNotSupportedError after {approved: false, show_form: false}",
        "an unknown category",
    ),
    row(
        REAUTHORIZE,
        "throws PaymentMethodCategoryNotSupportedError after {approved: false, show_form: false}",
        "an unknown category",
    ),
    row(
        FINALIZE,
        "throws PaymentMethodCategoryNotSupportedError after {approved: false, show_form: false}",
        "an unknown category",
    ),
    row(
        LOAD,
        "throws PreferredPaymentMethodNotSupportedError after {show_form: false}",
        "an unknown `preferred_payment_method`",
    ),
    row(
        REVIEW,
        "throws OperationNotSupportedError after {show_form: false}",
        "outside the United States",
    ),
    row("Payments.on", "throws EventNotSupportedError", "an unknown event"),
    row("Buttons.init", "throws InvalidClientTokenError", "not a JSON Web Token (proposed)"),
    row(BUTTON_LOAD, "{show_form: true}", "the button is there (proposed)"),
    row(
        BUTTON_LOAD,
        "{error: {message}, show_form: false}",
        "no such element or identifier, another origin, no `on_click` (proposed)",
    ),
    row(
        EXPRESS,
        "{approved: true, authorization_token, collected_shipping_address, \
         finalize_required: false, merchant_reference1, session_id, show_form: true}",
        "approved in one step, with the address that was asked for and the reference that was sent",
    ),
    row(
        EXPRESS,
        "{approved: true, authorization_token, finalize_required: false, session_id, \
         show_form: true}",
        "the same, with nothing asked for or sent",
    ),
    row(
        EXPRESS,
        "{approved: true, client_token, collected_shipping_address, finalize_required: true, \
         merchant_reference1, payment_method_categories, session_id, show_form: true}",
        "approved, to be finalized in the checkout with this `client_token`",
    ),
    row(
        EXPRESS,
        "{approved: false, error: {invalid_fields}, show_form: true}",
        "the order cannot be paid (proposed)",
    ),
    row(EXPRESS, "{approved: false, show_form: true}", "closed or broken off by the shopper"),
    row(EXPRESS, "{approved: false, show_form: false}", "declined"),
    row(
        FINALIZE,
        "{approved: true, authorization_token, collected_shipping_address, \
         finalize_required: false, merchant_reference1, session_id, show_form: true}",
        "approved, after an Express checkout",
    ),
    row("Payment.on complete", "COMPLETED", "approved"),
    row("Payment.on complete", "PENDING_CONFIRMATION", "the same in version 1, after `update`"),
    row(PAYMENT_ABORT, "SUBMITTED PURCHASE_FLOW_ABORTED", "closed, broken off or declined"),
    row(PAYMENT_ABORT, "CANCELED PARTNER_CANCELED", "begun after the page called it off"),
    row(PAYMENT_ABORT, "EXPIRED", "begun after its three hours"),
    row(PAYMENT_ERROR, "INPUT_ERROR VALIDATION_ERROR", "the request cannot be made"),
    row(PAYMENT_ERROR, "TECHNICAL_ERROR INTERNAL_ERROR", "`initiate` failed"),
    row(
        PAYMENT_ERROR,
        "TECHNICAL_ERROR POPUP_BLOCKED",
        "`POPUP`, and the browser opens none (proposed)",
    ),
    row(
        "Payment.on shippingaddresschange",
        "IN_PROGRESS {city, country, postalCode}",
        "what does it cost to deliver there?",
    ),
    row(
        "Payment.on shippingoptionselect",
        "IN_PROGRESS {amount, description, displayName, shippingOptionReference, shippingType}",
        "what does it come to if it is sent so?",
    ),
    row(
        WIDGET_ERROR,
        "RESOURCE_ERROR WIDGET_TOKEN_NOT_FOUND {status}",
        "every token: the API that gives them out is not published",
    ),
    row(WIDGET_ERROR, "INPUT_ERROR VALIDATION_ERROR {status}", "no token at all (proposed)"),
    row(
        "ExpressButton.on user-authenticated",
        "{address, date_of_birth, email, first_name, last_name, phone}",
        "the shopper lets the page have this",
    ),
];

/// What a page was told by a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// The call, as in [`Row::call`].
    pub call: String,
    /// What the page was told, as in [`Row::told`].
    pub told: String,
}

impl Told {
    fn parse(line: &str) -> Option<Self> {
        let (call, told) = line.split_once('\t')?;
        Some(Self { call: call.to_owned(), told: told.to_owned() })
    }
}

/// Notes what a page was told, if notes are wanted ([`seen::VARIABLE`]).
///
/// # Panics
///
/// When the note cannot be written: then what is documented would look as if it were not given.
pub fn note(call: &str, told: &str) {
    seen::write(ENDING, &format!("{call}\t{told}\n"));
}

/// All notes in a directory.
///
/// # Errors
///
/// When the directory or a file in it cannot be read.
pub fn read(directory: &Path) -> io::Result<BTreeSet<Told>> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            all.extend(fs::read_to_string(path)?.lines().filter_map(Told::parse));
        }
    }
    Ok(all)
}

/// What is wrong: a row that no test has seen although it is given, one that was seen although it is
/// not, and what pages were told that stands in no row.
#[must_use]
pub fn problems(all: &BTreeSet<Told>) -> Vec<String> {
    let is = |row: &Row, told: &Told| row.call == told.call && row.told == told.told;
    let mut problems = Vec::new();
    for row in ROWS {
        let Row { call, told, not_given, .. } = row;
        match (not_given, all.iter().any(|seen| is(row, seen))) {
            (None, true) | (Some(_), false) => {}
            (None, false) => problems.push(format!("{call}: no page was told {told}")),
            (Some(_), true) => {
                problems.push(format!("{call}: a page was told {told}, which is not given"));
            }
        }
    }
    for told in all {
        if !ROWS.iter().any(|row| is(row, told)) {
            problems.push(format!("{}: a page was told {}, which is no row", told.call, told.told));
        }
    }
    problems
}

/// The tables of docs/fidelity.md, [`BEGIN`] and [`END`] included.
#[must_use]
pub fn markdown() -> String {
    let mut text = format!("{BEGIN}\n\n| call | told | means |\n| --- | --- | --- |\n");
    for Row { call, told, meaning, not_given } in ROWS {
        let told = match told.strip_prefix("throws ") {
            None => format!("`{told}`"),
            Some(error) => match error.split_once(" after ") {
                None => format!("throws `{error}`"),
                Some((error, before)) => format!("`{before}`, then throws `{error}`"),
            },
        };
        let never = not_given.map_or_else(String::new, |reason| format!(". Never: {reason}"));
        // Writing into a string cannot fail.
        let _ = writeln!(text, "| `{call}` | {told} | {meaning}{never} |");
    }
    let _ = write!(text, "\n{END}");
    text
}

/// A document with the tables of today in place of those it has; `None` when it has none.
#[must_use]
pub fn renew(document: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}{after}", markdown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> BTreeSet<Told> {
        let given = ROWS.iter().filter(|row| row.not_given.is_none());
        given.map(|row| Told { call: row.call.to_owned(), told: row.told.to_owned() }).collect()
    }

    #[test]
    fn every_row_stands_once() {
        let mut rows: Vec<_> = ROWS.iter().map(|row| (row.call, row.told)).collect();
        rows.sort_unstable();
        let count = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), count);
    }

    #[test]
    fn what_is_missing_and_what_is_odd_are_problems() {
        let mut all = everything();
        assert_eq!(problems(&all), [""; 0]);
        let first = all.pop_first().unwrap();
        all.insert(Told { call: LOAD.to_owned(), told: "{validation_messages}".to_owned() });
        let problems = problems(&all);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with(&format!("{}: no page was told", first.call)));
        assert!(problems[1].ends_with("which is no row"));
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let told = Told { call: LOAD.to_owned(), told: "{show_form: true}".to_owned() };
        assert_eq!(Told::parse("Payments.load\t{show_form: true}"), Some(told));
        assert_eq!(Told::parse("nothing"), None);
    }

    /// The tables say the same whatever the tests have seen: what they did not see is a problem.
    #[test]
    fn the_document_has_the_tables_of_today() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fidelity.md");
        let document = fs::read_to_string(path).unwrap();
        let renewed = renew(&document).expect("docs/fidelity.md has lost its marks");
        assert!(renewed == document, "docs/fidelity.md should have:\n{}", markdown());
    }
}
