//! Sign in with Klarna: what an OpenID Connect provider decides.
//!
//! Which requests of a client are acceptable, what a shopper is asked and shares, what a code or a refresh token is
//! still good for. It knows no cookies, pages or signatures.

pub(crate) mod account;
pub(crate) mod authorization;
pub(crate) mod grant;
pub(crate) mod interaction;
pub(crate) mod rsa;
pub(crate) mod scope;

/// Who asks shoppers to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "an id says of what it is")]
pub(crate) struct Client {
    /// Its client identifier.
    pub(crate) client_id: String,
    /// Where answers may be sent, compared letter by letter.
    pub(crate) redirect_uris: Vec<String>,
    /// Whether it has a secret, which it then has to show.
    pub(crate) confidential: bool,
}
