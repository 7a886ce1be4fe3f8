//! A client's request that a shopper sign in: what of it is acceptable, and how it is answered.
//!
//! An answer goes to the redirect URI only when both the client and that URI are sure. Until then whatever is wrong
//! is told on a page of our own, so that nobody can use the provider to send people elsewhere.

use klarna_types::Locale;
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::domain::identity::Client;
use crate::domain::identity::scope::{OPENID, Scopes};

/// The longest value that a client may have carried back and forth.
const LONGEST_VALUE: usize = 2_048;

/// How the answer gets to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// By a message to the page that opened the window: the button's popup.
    WebMessage,
}

/// Whether the shopper is to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Prompt {
    /// Never ask; fail instead.
    pub(crate) none: bool,
    /// Who they are.
    pub(crate) login: bool,
    /// What they share.
    pub(crate) consent: bool,
}

/// An acceptable request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    /// Who asks.
    pub(crate) client_id: String,
    /// Where the answer goes, as it was registered.
    pub(crate) redirect_uri: String,
    /// How it goes there.
    pub(crate) mode: ResponseMode,
    /// The origin of the page that opened the window, where the answer is a message.
    pub(crate) page_origin: Option<String>,
    /// What is asked for.
    pub(crate) scopes: Scopes,
    /// Given back as it came.
    pub(crate) state: Option<String>,
    /// Put into the ID token as it came.
    pub(crate) nonce: Option<String>,
    /// S256 of the verifier that redeems the code.
    pub(crate) code_challenge: Option<String>,
    /// Whether to ask again.
    pub(crate) prompt: Prompt,
    /// How many seconds ago the shopper may have signed in.
    pub(crate) max_age_s: Option<i64>,
    /// The shopper's language.
    pub(crate) locale: Option<Locale>,
    /// Who it probably is.
    pub(crate) login_hint: Option<String>,
}

/// An error of OAuth 2.0 or OpenID Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthorizationError {
    /// Something is missing, repeated or malformed.
    InvalidRequest,
    /// The shopper declined.
    AccessDenied,
    /// Not `code`.
    UnsupportedResponseType,
    /// A scope that is not known, or `openid` is missing.
    InvalidScope,
    /// `prompt=none`, and nobody is signed in.
    LoginRequired,
    /// `prompt=none`, and something has not been agreed to.
    ConsentRequired,
    /// A request object.
    RequestNotSupported,
    /// A reference to a request object.
    RequestUriNotSupported,
}

impl AuthorizationError {
    /// Its name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
        }
    }
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// A redirect URI that is registered.
    pub(crate) redirect_uri: String,
    /// How it goes there.
    pub(crate) mode: ResponseMode,
    /// To which page a message goes.
    pub(crate) page_origin: Option<String>,
    /// Given back as it came.
    pub(crate) state: Option<String>,
}

/// Why a request is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Told on a page: it is not sure to whom else.
    Page(&'static str),
    /// Told to the client.
    Client(Way, AuthorizationError, String),
}

/// The parameters of a request, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or a form.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A parameter that is there once. Nothing when it is missing, empty or repeated.
    pub(crate) fn once(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(other, _)| other == name);
        let (_, value) = found.next()?;
        (found.next().is_none() && !value.is_empty()).then_some(value)
    }

    /// The first name that is there more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let is_repeated = |(at, (name, _)): (usize, &(String, String))| {
            self.0.iter().take(at).any(|(it, _)| it == name)
        };
        self.0.iter().enumerate().find(|it| is_repeated(*it)).map(|(_, (name, _))| name.as_str())
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a request of a client, which is the one that `client_id` names. `is_allowed` says whether an origin is one
/// of the client's pages.
pub(crate) fn read(
    parameters: &Parameters,
    client: Option<&Client>,
    is_allowed: impl FnOnce(&str) -> bool,
) -> Result<AuthorizationRequest, Refusal> {
    let client = client.ok_or(Refusal::Page("client_id"))?;
    let redirect_uri = parameters
        .once("redirect_uri")
        .filter(|sent| client.redirect_uris.iter().any(|registered| registered == sent))
        .ok_or(Refusal::Page("redirect_uri"))?;
    let state = parameters.once("state").filter(|state| state.len() <= LONGEST_VALUE);
    let asked_mode = parameters.once("response_mode").unwrap_or("query");
    let page_origin = parameters.once("page_origin");
    let mode = match asked_mode {
        "fragment" => ResponseMode::Fragment,
        // A message may go to the client's own pages only, and nothing else can tell the opener that.
        "web_message" if page_origin.is_some_and(is_allowed) => ResponseMode::WebMessage,
        "web_message" => return Err(Refusal::Page("page_origin")),
        _ => ResponseMode::Query,
    };
    let way = Way {
        redirect_uri: redirect_uri.to_owned(),
        mode,
        page_origin: page_origin.filter(|_| mode == ResponseMode::WebMessage).map(str::to_owned),
        state: state.map(str::to_owned),
    };
    let refuse = |error: AuthorizationError, why: String| Refusal::Client(way.clone(), error, why);
    let wrong = |why: &str| refuse(AuthorizationError::InvalidRequest, why.to_owned());
    if let Some(name) = parameters.repeated() {
        return Err(wrong(&format!("the parameter {name} is there more than once")));
    }
    if !matches!(asked_mode, "query" | "fragment" | "web_message") {
        return Err(wrong("response_mode is query or fragment"));
    }
    if parameters.once("request").is_some() {
        let error = AuthorizationError::RequestNotSupported;
        return Err(refuse(error, "request objects are not read".to_owned()));
    }
    if parameters.once("request_uri").is_some() {
        let error = AuthorizationError::RequestUriNotSupported;
        return Err(refuse(error, "request objects are not read".to_owned()));
    }
    if parameters.once("response_type") != Some("code") {
        let error = AuthorizationError::UnsupportedResponseType;
        return Err(refuse(error, "response_type has to be code".to_owned()));
    }
    for name in ["state", "nonce", "login_hint"] {
        if parameters.all(name).any(|value| value.len() > LONGEST_VALUE) {
            return Err(wrong(&format!("{name} is too long")));
        }
    }
    let scopes =
        Scopes::parse(parameters.once("scope").unwrap_or_default()).map_err(|unknown| {
            refuse(AuthorizationError::InvalidScope, format!("the scope {unknown} is not known"))
        })?;
    if !scopes.has(OPENID) {
        let error = AuthorizationError::InvalidScope;
        return Err(refuse(error, "the scope openid is missing".to_owned()));
    }
    let code_challenge = parameters.once("code_challenge");
    match (code_challenge, parameters.once("code_challenge_method")) {
        (Some(challenge), Some("S256")) if is_digest(challenge) => {}
        (Some(_), Some("S256")) => {
            return Err(wrong("code_challenge is the base64url of a SHA-256, 43 characters"));
        }
        // Without a method it would be `plain`, which whoever reads the request can redeem.
        (Some(_), _) => return Err(wrong("code_challenge_method has to be S256")),
        (None, Some(_)) => return Err(wrong("code_challenge is missing")),
        (None, None) if client.confidential => {}
        (None, None) => {
            return Err(wrong(
                "a client without a secret has to send a code_challenge (PKCE, S256)",
            ));
        }
    }
    let mut prompt = Prompt::default();
    for word in parameters.once("prompt").unwrap_or_default().split_ascii_whitespace() {
        match word {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(wrong("prompt is none, login, consent or select_account")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(wrong("prompt=none stands alone"));
    }
    let max_age_s = match parameters.once("max_age").map(str::parse::<i64>) {
        None => None,
        Some(Ok(seconds)) if seconds >= 0 => Some(seconds),
        Some(_) => return Err(wrong("max_age is a number of seconds")),
    };
    let locale = parameters
        .once("ui_locales")
        .and_then(|locales| locales.split_ascii_whitespace().next())
        .map(Locale::new);
    let some = |name| parameters.once(name).map(str::to_owned);
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri: way.redirect_uri,
        mode,
        page_origin: way.page_origin,
        scopes,
        state: way.state,
        nonce: some("nonce"),
        code_challenge: code_challenge.map(str::to_owned),
        prompt,
        max_age_s,
        locale,
        login_hint: some("login_hint"),
    })
}

/// Whether it can be the base64url of 256 bits.
fn is_digest(text: &str) -> bool {
    text.len() == 43
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl AuthorizationRequest {
    /// Where its answer goes.
    pub(crate) fn way(&self) -> Way {
        Way {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.mode,
            page_origin: self.page_origin.clone(),
            state: self.state.clone(),
        }
    }

    /// Whether whoever signed in at `signed_in_ms` has to do so again.
    pub(crate) fn wants_login(&self, signed_in_ms: i64, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(signed_in_ms);
        self.prompt.login
            || self.max_age_s.is_some_and(|seconds| age_ms > seconds.saturating_mul(1_000))
    }

    /// Whether something has to be agreed to that was not before.
    pub(crate) fn wants_consent(&self, agreed: Option<&Scopes>) -> bool {
        self.prompt.consent || !agreed.is_some_and(|agreed| self.scopes.is_within(agreed))
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The shopper signed in.
    Code(String),
    /// They did not, or the request was wrong.
    Error(AuthorizationError, String),
}

impl Way {
    /// The members of an answer. The issuer is among them, so that a client of several providers notices when one
    /// answers for another.
    pub(crate) fn members(&self, outcome: &Outcome, issuer: &str) -> Vec<(&'static str, String)> {
        let mut members = match outcome {
            Outcome::Code(code) => vec![("code", code.clone())],
            Outcome::Error(error, why) => {
                vec![("error", error.as_str().to_owned()), ("error_description", why.clone())]
            }
        };
        members.extend(self.state.clone().map(|state| ("state", state)));
        members.push(("iss", issuer.to_owned()));
        members
    }

    /// Where the browser is sent with an answer.
    pub(crate) fn location(&self, members: &[(&'static str, String)]) -> String {
        let encoded = Serializer::new(String::new()).extend_pairs(members).finish();
        let uri = self.redirect_uri.as_str();
        match self.mode {
            ResponseMode::Fragment => format!("{uri}#{encoded}"),
            ResponseMode::Query | ResponseMode::WebMessage => {
                let joint = if uri.contains('?') { '&' } else { '?' };
                format!("{uri}{joint}{encoded}")
            }
        }
    }

    /// The origin that the browser is sent to, for the page's policy; the scheme for that of an app.
    pub(crate) fn target(&self) -> Option<String> {
        let url = Url::parse(&self.redirect_uri).ok()?;
        let origin = url.origin();
        Some(if origin.is_tuple() {
            origin.ascii_serialization()
        } else {
            format!("{}:", url.scheme())
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const HOME: &str = "https://shop.example/signed-in?from=klarna";

    fn client(confidential: bool) -> Client {
        Client {
            client_id: "klarna_test_client_one".to_owned(),
            redirect_uris: vec![HOME.to_owned(), "com.shop.app:/signed-in".to_owned()],
            confidential,
        }
    }

    /// A good request, changed: a value of `None` takes the parameter away.
    fn request(changes: &[(&str, Option<&str>)]) -> Parameters {
        let mut all: Vec<(String, String)> = [
            ("client_id", "klarna_test_client_one"),
            ("redirect_uri", HOME),
            ("response_type", "code"),
            ("scope", "openid offline_access profile:email"),
            ("state", "s1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in changes {
            all.retain(|(other, _)| other != name);
            all.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        Parameters(all)
    }

    fn refused(changes: &[(&str, Option<&str>)]) -> &'static str {
        match read(&request(changes), Some(&client(false)), |it| it == "https://shop.example") {
            Ok(_) => "accepted",
            Err(Refusal::Page(what)) => what,
            Err(Refusal::Client(_, error, _)) => error.as_str(),
        }
    }

    #[test]
    fn a_good_request_is_read() {
        let read = read(&request(&[]), Some(&client(false)), |_| false).unwrap();
        assert_eq!(read.code_challenge.as_deref(), Some(CHALLENGE));
        assert_eq!(read.way().target().as_deref(), Some("https://shop.example"));
    }

    #[test]
    fn what_is_wrong_is_told_to_the_client() {
        for (changes, expected) in [
            (vec![("response_type", None)], "unsupported_response_type"),
            (vec![("response_type", Some("token"))], "unsupported_response_type"),
            (vec![("response_type", Some("code id_token"))], "unsupported_response_type"),
            (vec![("scope", None)], "invalid_scope"),
            (vec![("scope", Some("profile:email"))], "invalid_scope"),
            (vec![("scope", Some("openid everything"))], "invalid_scope"),
            (vec![("code_challenge", None)], "invalid_request"),
            (vec![("code_challenge", None), ("code_challenge_method", None)], "invalid_request"),
            (vec![("code_challenge_method", None)], "invalid_request"),
            (vec![("code_challenge_method", Some("plain"))], "invalid_request"),
            (vec![("code_challenge", Some("short"))], "invalid_request"),
            (vec![("prompt", Some("none login"))], "invalid_request"),
            (vec![("prompt", Some("create"))], "invalid_request"),
            (vec![("max_age", Some("-1"))], "invalid_request"),
            (vec![("response_mode", Some("form_post"))], "invalid_request"),
            (vec![("request", Some("ey"))], "request_not_supported"),
            (vec![("request_uri", Some("https://x"))], "request_uri_not_supported"),
            (vec![("prompt", Some("login consent")), ("max_age", Some("0"))], "accepted"),
        ] {
            assert_eq!(refused(&changes), expected, "{changes:?}");
        }
    }

    #[test]
    fn a_redirect_uri_is_compared_letter_by_letter() {
        for uri in [
            "https://shop.example/signed-in",
            "https://shop.example/signed-in?from=klarna&x=1",
            "https://shop.example/signed-in?from=klarna#",
            "https://shop.example/signed-in/?from=klarna",
            "https://shop.example/signed-in/../signed-in?from=klarna",
            "https://SHOP.example/signed-in?from=klarna",
            "https://shop.example:443/signed-in?from=klarna",
            "https://shop.example@evil.example/signed-in?from=klarna",
            "https://shop.example.evil.example/signed-in?from=klarna",
            "https://evil.example/?https://shop.example/signed-in?from=klarna",
            "http://shop.example/signed-in?from=klarna",
            "https://shop.example/signed-in%3Ffrom=klarna",
            "//shop.example/signed-in?from=klarna",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(refused(&[("redirect_uri", Some(uri))]), "redirect_uri", "{uri}");
        }
        assert_eq!(refused(&[("redirect_uri", None)]), "redirect_uri");
        assert_eq!(refused(&[("redirect_uri", Some("com.shop.app:/signed-in"))]), "accepted");
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        let mut twice = request(&[]);
        twice.0.push(("scope".to_owned(), "openid".to_owned()));
        let refusal = read(&twice, Some(&client(false)), |_| false).unwrap_err();
        assert!(matches!(refusal, Refusal::Client(_, AuthorizationError::InvalidRequest, _)));
        let mut elsewhere = request(&[]);
        elsewhere.0.push(("redirect_uri".to_owned(), "https://evil.example".to_owned()));
        let refusal = read(&elsewhere, Some(&client(false)), |_| false).unwrap_err();
        assert_eq!(refusal, Refusal::Page("redirect_uri"));
    }

    #[test]
    fn a_message_goes_to_the_clients_own_pages_only() {
        let mode = ("response_mode", Some("web_message"));
        assert_eq!(refused(&[mode]), "page_origin");
        assert_eq!(refused(&[mode, ("page_origin", Some("https://evil.example"))]), "page_origin");
        assert_eq!(refused(&[mode, ("page_origin", Some("https://shop.example"))]), "accepted");
    }

    #[test]
    fn only_a_client_with_a_secret_may_do_without_a_challenge() {
        let bare = request(&[("code_challenge", None), ("code_challenge_method", None)]);
        assert!(read(&bare, Some(&client(true)), |_| false).is_ok());
        assert!(read(&bare, Some(&client(false)), |_| false).is_err());
        assert_eq!(read(&bare, None, |_| true), Err(Refusal::Page("client_id")));
    }

    #[test]
    fn whoever_signed_in_too_long_ago_does_so_again() {
        let request =
            |changes: &[_]| read(&request(changes), Some(&client(false)), |_| false).unwrap();
        assert!(!request(&[]).wants_login(0, i64::MAX));
        let aged = request(&[("max_age", Some("60"))]);
        assert!(!aged.wants_login(1_000, 61_000));
        assert!(aged.wants_login(1_000, 61_001));
        assert!(request(&[("prompt", Some("login"))]).wants_login(1_000, 1_000));
        let agreed = Scopes::parse("openid offline_access profile:email profile:phone").unwrap();
        assert!(!aged.wants_consent(Some(&agreed)));
        assert!(aged.wants_consent(None));
        assert!(aged.wants_consent(Some(&Scopes::parse("openid").unwrap())));
        assert!(request(&[("prompt", Some("consent"))]).wants_consent(Some(&agreed)));
    }

    proptest! {
        #[test]
        fn whatever_is_sent_the_browser_goes_to_a_registered_place_or_nowhere(
            sent in proptest::collection::vec(("[a-z_]{1,20}", "\\PC{0,40}"), 0..6),
            known in proptest::sample::subsequence(vec!["redirect_uri", "scope", "state", "prompt", "response_mode"], 0..5),
            value in "\\PC{0,40}",
        ) {
            let mut parameters = request(&known.iter().map(|name| (*name, Some(value.as_str()))).collect::<Vec<_>>());
            parameters.0.extend(sent);
            match read(&parameters, Some(&client(false)), |_| true) {
                Ok(request) => prop_assert!(client(false).redirect_uris.contains(&request.redirect_uri)),
                Err(Refusal::Client(way, ..)) => prop_assert!(client(false).redirect_uris.contains(&way.redirect_uri)),
                Err(Refusal::Page(_)) => {}
            }
        }

        #[test]
        fn an_answer_survives_the_way_back(state in "\\PC{1,40}", fragment: bool) {
            let mode = if fragment { ResponseMode::Fragment } else { ResponseMode::Query };
            let way = Way { redirect_uri: HOME.to_owned(), mode, page_origin: None, state: Some(state.clone()) };
            let members = way.members(&Outcome::Code("ory_ac_1".to_owned()), "https://login.example");
            let url = Url::parse(&way.location(&members)).unwrap();
            let sent = if fragment { url.fragment() } else { url.query() }.unwrap();
            let read = Parameters::parse(sent.as_bytes());
            prop_assert_eq!(read.once("state"), Some(state.as_str()));
            prop_assert_eq!(read.once("code"), Some("ory_ac_1"));
            prop_assert_eq!(read.once("iss"), Some("https://login.example"));
        }
    }
}
