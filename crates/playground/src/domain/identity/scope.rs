//! What a shop can ask for, what of it the shopper may keep, and the words in which a token says it.
//!
//! Klarna's guide, its discovery document and its mobile libraries spell some scopes differently; all spellings are
//! known here and answered as they were asked.

use serde::{Deserialize, Serialize};

/// The scope without which a request is not one of OpenID Connect.
pub(crate) const OPENID: &str = "openid";

/// A piece of what Klarna knows about a shopper, as the consent page lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Share {
    /// Given and family name.
    Name,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Date of birth.
    DateOfBirth,
    /// Where they live.
    BillingAddress,
    /// Where parcels go.
    ShippingAddress,
    /// National number.
    NationalId,
    /// Country.
    Country,
    /// Language.
    Locale,
}

impl Share {
    /// All of them, in the order in which they are asked for.
    pub(crate) const ALL: [Self; 9] = [
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::DateOfBirth,
        Self::BillingAddress,
        Self::ShippingAddress,
        Self::NationalId,
        Self::Country,
        Self::Locale,
    ];

    /// Whether the shopper may keep it and sign in all the same.
    pub(crate) fn is_optional(self) -> bool {
        !matches!(self, Self::Name | Self::Email | Self::Phone)
    }

    /// Its name in forms.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::DateOfBirth => "date_of_birth",
            Self::BillingAddress => "billing_address",
            Self::ShippingAddress => "shipping_address",
            Self::NationalId => "national_id",
            Self::Country => "country",
            Self::Locale => "locale",
        }
    }
}

/// A scope that is known, with what it shares.
struct Known {
    name: &'static str,
    shares: &'static [Share],
}

const fn known(name: &'static str, shares: &'static [Share]) -> Known {
    Known { name, shares }
}

/// Every scope that the provider knows.
const KNOWN: &[Known] = &[
    known(OPENID, &[]),
    known("offline", &[]),
    known("offline_access", &[]),
    known("profile", &[Share::Name, Share::DateOfBirth, Share::Country, Share::Locale]),
    known("email", &[Share::Email]),
    known("phone", &[Share::Phone]),
    known("billing_address", &[Share::BillingAddress]),
    known("national_identification_number", &[Share::NationalId]),
    known("create_payment_session", &[]),
    known("profile:name", &[Share::Name]),
    known("profile:email", &[Share::Email]),
    known("profile:phone", &[Share::Phone]),
    known("profile:date_of_birth", &[Share::DateOfBirth]),
    known("profile:billing_address", &[Share::BillingAddress]),
    known("profile:shipping_address", &[Share::ShippingAddress]),
    known("profile:national_id", &[Share::NationalId]),
    known("profile:national_identification", &[Share::NationalId]),
    known("profile:country", &[Share::Country]),
    known("profile:locale", &[Share::Locale]),
    known("profile:gender", &[]),
    known("personalization:interests", &[]),
    known("customer:login", &[]),
    known("payment:request:create", &[]),
    known("payment:recurring", &[]),
    known("payment:authorization:list", &[]),
    known("payment:customer_present", &[]),
    known("payment:customer_not_present", &[]),
    known("payment:consumer_present", &[]),
    known("payment:consumer_not_present", &[]),
];

/// The names of all scopes, for the discovery document.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

/// A set of scopes as they were asked for: known ones, each once, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Reads a list that spaces separate. Fails with the first name that is not known.
    pub(crate) fn parse(text: &str) -> Result<Self, &str> {
        let mut scopes = Vec::new();
        for name in text.split_ascii_whitespace() {
            if !KNOWN.iter().any(|known| known.name == name) {
                return Err(name);
            }
            if !scopes.iter().any(|scope| scope == name) {
                scopes.push(name.to_owned());
            }
        }
        Ok(Self(scopes))
    }

    /// As it is sent.
    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }

    /// Whether a scope is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|scope| scope == name)
    }

    /// Whether it asks for a refresh token.
    pub(crate) fn is_offline(&self) -> bool {
        self.has("offline_access") || self.has("offline")
    }

    /// Whether it lets the shop start a payment in which the shopper is signed in.
    pub(crate) fn may_pay(&self) -> bool {
        ["payment:request:create", "customer:login", "create_payment_session"]
            .iter()
            .any(|name| self.has(name))
    }

    /// Whether it asks for payments without the shopper.
    pub(crate) fn is_recurring(&self) -> bool {
        ["payment:recurring", "payment:customer_not_present", "payment:consumer_not_present"]
            .iter()
            .any(|name| self.has(name))
    }

    /// Whether every scope is among `others`.
    pub(crate) fn is_within(&self, others: &Self) -> bool {
        self.0.iter().all(|scope| others.has(scope))
    }

    /// What of the shopper it shares.
    pub(crate) fn shares(&self) -> Vec<Share> {
        let asked = |share: &Share| {
            let mut known = KNOWN.iter().filter(|known| self.has(known.name));
            known.any(|known| known.shares.contains(share))
        };
        Share::ALL.into_iter().filter(asked).collect()
    }

    /// What is left of it when the shopper keeps some optional pieces. A scope of which nothing is left goes.
    pub(crate) fn without(&self, kept: &[Share]) -> Self {
        let kept = |share: &Share| share.is_optional() && kept.contains(share);
        let stays = |name: &String| {
            let shares =
                KNOWN.iter().find(|known| known.name == name).map_or(&[][..], |it| it.shares);
            shares.is_empty() || !shares.iter().all(kept)
        };
        Self(self.0.iter().filter(|name| stays(name)).cloned().collect())
    }

    /// Both together.
    pub(crate) fn with(&self, others: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(others.0.iter().filter(|name| !self.has(name)).cloned());
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn what_is_unknown_is_named() {
        assert_eq!(Scopes::parse("openid profile:shoe_size email"), Err("profile:shoe_size"));
        assert_eq!(scopes(" openid  openid email ").text(), "openid email");
    }

    #[test]
    fn each_spelling_shares_the_same() {
        for (one, other) in [
            ("profile:national_id", "profile:national_identification"),
            ("profile:national_id", "national_identification_number"),
            ("profile:email", "email"),
            ("profile:phone", "phone"),
            ("profile:billing_address", "billing_address"),
        ] {
            assert_eq!(scopes(one).shares(), scopes(other).shares(), "{one} {other}");
        }
    }

    #[test]
    fn a_shopper_keeps_what_is_optional_and_nothing_else() {
        let asked = scopes("openid profile:name profile:billing_address profile:national_id");
        let kept = [Share::Name, Share::BillingAddress];
        assert_eq!(asked.without(&kept).text(), "openid profile:name profile:national_id");
        // Only part of it is kept, so the scope stays; the claims are left out one by one.
        assert_eq!(scopes("profile").without(&[Share::DateOfBirth]).text(), "profile");
    }

    proptest! {
        #[test]
        fn what_is_granted_is_within_what_was_asked(
            asked in proptest::sample::subsequence(names().collect::<Vec<_>>(), 0..12),
            kept in proptest::sample::subsequence(Share::ALL.to_vec(), 0..9),
        ) {
            let asked = scopes(&asked.join(" "));
            let granted = asked.without(&kept);
            prop_assert!(granted.is_within(&asked));
            for share in asked.shares().into_iter().filter(|share| !share.is_optional()) {
                prop_assert!(granted.shares().contains(&share));
            }
            prop_assert_eq!(granted.with(&asked).shares(), asked.shares());
        }
    }
}
