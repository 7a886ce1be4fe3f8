//! Secrets: strings that print as stars and are wiped from memory when dropped.
//!
//! Nothing here compares in constant time: that is the business of whoever checks a secret against another.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// What stands in the place of a secret or a personal datum.
pub(crate) struct Stars;

impl fmt::Debug for Stars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// A password, an API key or any other secret that is not itself part of Klarna's wire format.
///
/// It can be read from configuration, but it cannot be serialized, printed or compared by accident.
///
/// ```
/// let secret = klarna_types::Secret::new("hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Every call of this method is a place where it may leak.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

macro_rules! wire_secret {
    ( $( $(#[$meta:meta])* $name:ident ),* $(,)? ) => { $(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a token.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The token itself. Every call of this method is a place where it may leak.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )* };
}

wire_secret! {
    /// What the browser library needs to work on one session. Lives as long as its session.
    ClientToken,
    /// The shopper's approval, good for one order within 60 minutes. It stands in the URL of the calls that use it,
    /// so URLs of those calls must not be logged either.
    AuthorizationToken,
    /// An access token of a shopper who has signed in with Klarna.
    AccessToken,
}
