//! What proves to Klarna who is calling.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use klarna_types::Secret;

/// Credentials of one merchant, for one region and one environment.
///
/// ```
/// use klarna::Credentials;
/// let classic = Credentials::new("K123456_abcd12345", "password");
/// let api_key = Credentials::api_key("klarna_test_api_0123456789");
/// assert_eq!(format!("{api_key:?}"), r#"Credentials { username: "", password: Secret(***) }"#);
/// # drop(classic);
/// ```
#[derive(Clone)]
pub struct Credentials {
    username: String,
    password: Secret,
}

impl Credentials {
    /// A username with its password: `K123456_…` with a password, or the UUID of an API key with the key.
    pub fn new(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// An API key alone: `klarna_test_api_…` or `klarna_live_api_…`.
    pub fn api_key(key: impl Into<Secret>) -> Self {
        Self { username: String::new(), password: key.into() }
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let pair = Secret::new(format!("{}:{}", self.username, self.password.expose()));
        let encoded = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
        // Base64 text is always a valid header value.
        let mut value = HeaderValue::from_str(encoded.expose())
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &self.password)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_are_base64_of_a_pair() {
        let decoded = |credentials: Credentials| {
            let value = credentials.authorization();
            let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
            String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
        };
        assert_eq!(decoded(Credentials::new("K1_a", "p:w")), "K1_a:p:w");
        assert_eq!(decoded(Credentials::api_key("klarna_test_api_x")), ":klarna_test_api_x");
        assert!(Credentials::new("a", "b").authorization().is_sensitive());
    }
}
