//! What Klarna documents: every operation of every API with every answer that is published for it, and
//! which of those answers the tests have seen the playground give.
//!
//! - [`operations`] is the list. Tests that must hold for every operation walk it.
//! - [`seen`] is how a test notes an answer, and how the notes are read again.
//! - [`coverage`] joins both, for docs/fidelity.md and for whoever asks what is missing.
//! - [`told`] is the same for what the browser libraries tell pages.
//!
//! It is for tests and chores: nothing that is shipped depends on it, and it knows nothing of how an
//! operation is carried out.

pub mod coverage;
mod disputes;

mod orders;
mod payments;
pub mod seen;
mod settlements;
pub mod told;

/// One of Klarna's APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Klarna Payments.
    Payments,
    /// Customer Token.
    CustomerToken,
    /// Hosted Payment Page.
    HostedPaymentPage,
    /// In-store.
    InStore,
    /// Payment requests that servers make.
    PaymentRequests,
    /// Order Management.
    OrderManagement,
    /// Settlements.
    Settlements,
    /// Disputes, version 4.
    DisputesV4,
    /// Disputes, version 2.
    DisputesV2,
    /// Disputes, version 3: what of it is published.
    DisputesV3,
}

impl Api {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 10] = [
        Self::Payments,
        Self::CustomerToken,
        Self::HostedPaymentPage,
        Self::InStore,
        Self::PaymentRequests,
        Self::OrderManagement,
        Self::Settlements,
        Self::DisputesV4,
        Self::DisputesV2,
        Self::DisputesV3,
    ];

    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Payments => "Payments",
            Self::CustomerToken => "Customer Token",
            Self::HostedPaymentPage => "Hosted Payment Page",
            Self::InStore => "In-store",
            Self::PaymentRequests => "Payment requests",
            Self::OrderManagement => "Order Management",
            Self::Settlements => "Settlements",
            Self::DisputesV4 => "Disputes, version 4",
            Self::DisputesV2 => "Disputes, version 2",
            Self::DisputesV3 => "Disputes, version 3",
        }
    }
}

/// What an operation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No body.
    Nothing,
    /// A JSON object.
    Json,
    /// A multipart form with a file.
    File,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// `api.operation`, as in the control API.
    pub name: &'static str,
    /// The API it belongs to.
    pub api: Api,
    /// HTTP method.
    pub method: &'static str,
    /// Path, parameters in braces.
    pub path: &'static str,
    /// Its body.
    pub takes: Takes,
    documented: &'static [&'static [Answer]],
}

/// An answer that is documented for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The error code; empty where only the status is published, and of a success.
    pub code: &'static str,
    /// Why the playground does not give it; `None` of what it gives.
    pub not_given: Option<&'static str>,
}

impl Answer {
    /// Whether an answer is this one.
    #[must_use]
    pub fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && (self.code.is_empty() || self.code == code)
    }
}

const fn answer(status: u16, code: &'static str) -> Answer {
    Answer { status, code, not_given: None }
}

const fn not_given(status: u16, code: &'static str, reason: &'static str) -> Answer {
    Answer { status, code, not_given: Some(reason) }
}

/// The lists, one for each group of APIs.
const LISTS: [&[Operation]; 4] = [payments::LIST, orders::LIST, settlements::LIST, disputes::LIST];

/// Every operation of every API.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    LISTS.into_iter().flatten()
}

impl Operation {
    /// The operation with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        operations().find(|operation| operation.name == name)
    }

    /// The operation that a call is of; `path` without its query. Fixed paths go before those with
    /// parameters.
    #[must_use]
    pub fn of(method: &str, path: &str) -> Option<&'static Self> {
        operations()
            .filter(|operation| operation.method == method && operation.matches(path))
            .min_by_key(|operation| operation.path.matches('{').count())
    }

    fn matches(&self, path: &str) -> bool {
        let mut wanted = self.path.split('/');
        let mut parts = path.split('/');
        loop {
            match (wanted.next(), parts.next()) {
                (None, None) => return true,
                (Some(wanted), Some(part))
                    if wanted == part || (wanted.starts_with('{') && !part.is_empty()) => {}
                _ => return false,
            }
        }
    }

    /// What is documented for it.
    pub fn documented(&self) -> impl Iterator<Item = Answer> {
        self.documented.iter().flat_map(|answers| answers.iter()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name_and_its_path() {
        let mut names = HashSet::new();
        for operation in operations() {
            assert!(names.insert(operation.name), "{} twice", operation.name);
            let found = Operation::of(operation.method, &operation.path.replace(['{', '}'], ""));
            assert_eq!(found.map(|found| found.name), Some(operation.name));
            assert!(Operation::named(operation.name).is_some());
            let answers: Vec<Answer> = operation.documented().collect();
            assert!(answers.iter().any(|answer| answer.status < 300), "{}", operation.name);
            for (index, answer) in answers.iter().enumerate() {
                let again = answers
                    .iter()
                    .skip(index + 1)
                    .find(|other| (other.status, other.code) == (answer.status, answer.code));
                assert_eq!(again, None, "{}", operation.name);
            }
        }
    }

    #[test]
    fn a_path_is_matched_by_whole_segments() {
        let name = |path| Operation::of("GET", path).map(|operation| operation.name);
        assert_eq!(name("/settlements/v1/payouts/summary"), Some("settlements.summarise_payouts"));
        assert_eq!(name("/settlements/v1/payouts/X1"), Some("settlements.read_payout"));
        assert_eq!(name("/settlements/v1/payouts/"), None);
        assert_eq!(name("/settlements/v1/payouts/X1/"), None);
    }
}
