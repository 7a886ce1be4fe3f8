//! What an API key may do: scopes, and sets of them.
//!
//! No scope contains another: a key that writes payments and reads them has both. Which endpoint
//! needs which one stands in `api::access`, not here.

use std::fmt;

/// One thing that an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Open, change, confirm and call off checkouts.
    CheckoutsWrite,
    /// Read checkouts.
    CheckoutsRead,
    /// Read payments and operations.
    PaymentsRead,
    /// Capture, refund, cancel, release; settle operations.
    PaymentsWrite,
    /// Read customers, plans and subscriptions.
    SubscriptionsRead,
    /// Change and charge them.
    SubscriptionsWrite,
    /// Manage webhook endpoints and what was delivered.
    WebhooksManage,
    /// Manage stores and their accounts at Klarna.
    StoresManage,
    /// Manage API keys, and read the audit log.
    KeysManage,
    /// Read and follow events.
    EventsRead,
    /// Read reports.
    ReportsRead,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 11] = [
        Self::CheckoutsWrite,
        Self::CheckoutsRead,
        Self::PaymentsRead,
        Self::PaymentsWrite,
        Self::SubscriptionsRead,
        Self::SubscriptionsWrite,
        Self::WebhooksManage,
        Self::StoresManage,
        Self::KeysManage,
        Self::EventsRead,
        Self::ReportsRead,
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::CheckoutsWrite => "checkouts:write",
            Self::CheckoutsRead => "checkouts:read",
            Self::PaymentsRead => "payments:read",
            Self::PaymentsWrite => "payments:write",
            Self::SubscriptionsRead => "subscriptions:read",
            Self::SubscriptionsWrite => "subscriptions:write",
            Self::WebhooksManage => "webhooks:manage",
            Self::StoresManage => "stores:manage",
            Self::KeysManage => "keys:manage",
            Self::EventsRead => "events:read",
            Self::ReportsRead => "reports:read",
        }
    }

    /// The scope of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// What it allows, for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::CheckoutsWrite => "Open, change and confirm checkouts",
            Self::CheckoutsRead => "Read checkouts",
            Self::PaymentsRead => "Read payments",
            Self::PaymentsWrite => "Capture, refund and cancel payments",
            Self::SubscriptionsRead => "Read subscriptions",
            Self::SubscriptionsWrite => "Change and charge subscriptions",
            Self::WebhooksManage => "Manage webhooks",
            Self::StoresManage => "Manage stores and Klarna accounts",
            Self::KeysManage => "Manage API keys",
            Self::EventsRead => "Read events",
            Self::ReportsRead => "Read reports",
        }
    }

    fn bit(self) -> u16 {
        Self::ALL.iter().position(|each| *each == self).map_or(0, |place| 1 << place)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes {
    bits: u16,
    /// Also those that later versions will know.
    everything: bool,
}

/// What stands for every scope, those of later versions included.
const EVERYTHING: &str = "*";

impl Scopes {
    /// Every scope there is and will be: what a key of the configuration has.
    pub fn everything() -> Self {
        Self { bits: Scope::ALL.into_iter().map(Scope::bit).sum(), everything: true }
    }

    /// Whether the scope is in it.
    pub fn has(self, scope: Scope) -> bool {
        self.everything || self.bits & scope.bit() != 0
    }

    /// Whether whoever has this may hand out all of `other`.
    pub fn covers(self, other: Self) -> bool {
        self.everything || (!other.everything && other.bits & !self.bits == 0)
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.bits == 0 && !self.everything
    }

    /// Whether scopes of later versions are in it.
    pub fn is_everything(self) -> bool {
        self.everything
    }

    /// What is in it, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    /// As it is stored: names with spaces between, or `*`.
    pub fn to_text(self) -> String {
        if self.everything {
            return EVERYTHING.to_owned();
        }
        self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
    }

    /// From what was stored. Names that only a later version knows are left out, so that a key
    /// never gets more than this version can mean.
    pub fn from_text(text: &str) -> Self {
        if text == EVERYTHING {
            return Self::everything();
        }
        text.split(' ').filter_map(Scope::from_name).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let bits = scopes.into_iter().fold(0, |bits, scope| bits | scope.bit());
        Self { bits, everything: false }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_scopes() -> impl Strategy<Value = Scopes> {
        proptest::collection::vec(proptest::sample::select(Scope::ALL.to_vec()), 0..6)
            .prop_map(|scopes| scopes.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_back(scopes in any_scopes()) {
            prop_assert_eq!(Scopes::from_text(&scopes.to_text()), scopes);
        }

        #[test]
        fn nobody_hands_out_more_than_they_have(one in any_scopes(), two in any_scopes()) {
            let all_of_two = two.iter().all(|scope| one.has(scope));
            prop_assert_eq!(one.covers(two), all_of_two);
            prop_assert!(Scopes::everything().covers(one));
            prop_assert!(!one.covers(Scopes::everything()));
        }
    }

    #[test]
    fn names_are_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(Scope::from_name("payments"), None);
        assert_eq!(Scopes::from_text("payments:read later:write").to_text(), "payments:read");
        assert!(Scopes::from_text("").is_empty());
        assert_eq!(Scopes::from_text("*"), Scopes::everything());
    }
}
