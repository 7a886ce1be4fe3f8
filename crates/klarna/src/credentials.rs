//! What proves to Klarna who is calling.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use klarna_types::{MerchantId, Secret};

/// Credentials of one merchant, for one region and one environment.
///
/// ```
/// use klarna::Credentials;
/// let classic = Credentials::new("K123456_abcd12345", "password");
/// let api_key = Credentials::api_key("klarna_test_api_0123456789");
/// assert_eq!(format!("{api_key:?}"), r#"Credentials { username: "", password: Secret(***), .. }"#);
/// # drop(classic);
/// ```
#[derive(Clone)]
pub struct Credentials {
    username: String,
    password: Secret,
    merchant_id: Option<MerchantId>,
}

impl Credentials {
    /// A username with its password: `K123456_…` with a password, or the UUID of an API key with the key.
    pub fn new(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        let username = username.into();
        // Older usernames are the merchant id, an underscore and something random.
        let merchant_id = username
            .split_once('_')
            .filter(|(merchant_id, _)| !merchant_id.is_empty())
            .map(|(merchant_id, _)| MerchantId::new(merchant_id));
        Self { username, password: password.into(), merchant_id }
    }

    /// An API key alone: `klarna_test_api_…` or `klarna_live_api_…`.
    pub fn api_key(key: impl Into<Secret>) -> Self {
        Self { username: String::new(), password: key.into(), merchant_id: None }
    }

    /// Whose credentials these are. Needed where a call names the merchant (version 2 of the Disputes API), and so that
    /// several credentials of one merchant share one count under the rate limit. Usernames such as `K123456_…` say it
    /// already.
    pub fn of_merchant(mut self, merchant_id: impl Into<MerchantId>) -> Self {
        self.merchant_id = Some(merchant_id.into());
        self
    }

    /// Whose credentials these are, as far as it is known.
    pub fn merchant_id(&self) -> Option<&MerchantId> {
        self.merchant_id.as_ref()
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
            .finish_non_exhaustive()
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

    #[test]
    fn usernames_name_their_merchant() {
        let of = |username: &str| {
            Credentials::new(username, "").merchant_id().map(|id| id.as_str().to_owned())
        };
        assert_eq!(of("K123456_abcd12345").as_deref(), Some("K123456"));
        for username in ["", "_x", "7a3b2c1d-0000-4000-8000-000000000000"] {
            assert_eq!(of(username), None);
        }
        let named = Credentials::api_key("k").of_merchant("K1");
        assert_eq!(named.merchant_id().map(MerchantId::as_str), Some("K1"));
    }
}
