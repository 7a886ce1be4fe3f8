//! The gateway as a relying party of Klarna's identity provider: begins sign-ins, believes answers or not, keeps
//! tokens and renews them.
//!
//! What is believed is decided by [`id_token`]. One issuer is known, the one that belongs to
//! the configured Klarna host; its description must name it and lead nowhere else. Nothing that a token says reaches
//! a log.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use klarna_types::Secret;
use klarna_types::market::Environment;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use service::http::{Answer, HttpClient};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::domain::account::klarna_host;
use crate::domain::id_token::{self, Claims, Expected, Key, Refused};
use crate::domain::idempotency::digest;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::store::identities::{self, Held, Identity, SignIn, Tokens};

/// How long a shopper may take to sign in.
const SIGN_IN_MS: i64 = 30 * 60 * 1_000;
/// How long the provider's description is believed.
const DESCRIPTION_MS: i64 = 60 * 60 * 1_000;
/// How soon the key set is asked for again because of a key that is not in it.
const KEYS_MS: i64 = 10 * 1_000;
/// How long before its end an access token is not handed on any more.
const ACCESS_MARGIN_MS: i64 = 60 * 1_000;
/// How long whoever asks for new tokens keeps others from it.
const REFRESHING_MS: i64 = 45 * 1_000;

/// Why a sign-in came to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// The gateway itself failed.
    Fault(Fault),
    /// No client identifier is configured.
    NotConfigured,
    /// There is no such sign-in, or it is over.
    Unknown,
    /// The answer is another sign-in's.
    State,
    /// Somebody else answered.
    Issuer,
    /// The shopper or the provider said no, in OAuth's word for it.
    Declined(String),
    /// The provider does not take the code or the refresh token.
    Refused,
    /// The ID token is not believed.
    Token(Refused),
    /// The ID token and the refresh token are two people's.
    TwoPeople,
    /// The provider cannot be reached, or says nothing that can be used.
    Provider(&'static str),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<storage::Error> for Trouble {
    fn from(error: storage::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// What the provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Default)]
struct Known {
    description: Option<(Arc<Description>, i64)>,
    keys: Option<(Arc<Vec<Key>>, i64)>,
}

/// The provider, as far as it is known. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    http: HttpClient,
    /// As browsers reach it, and as tokens name it.
    issuer: String,
    /// As this gateway reaches it; a playground may have another name on its own network.
    reach: String,
    client_id: Option<String>,
    known: Mutex<Known>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}

/// What a shop wants of a shopper.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where Klarna answers; registered for the client, letter by letter.
    pub redirect_uri: String,
    /// What is asked for.
    pub scope: String,
    /// The shopper's language.
    pub locale: Option<String>,
    /// Whether they are to be asked again.
    pub prompt: Option<String>,
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The sign-in.
    pub sign_in: SignIn,
    /// What Klarna gives back, for the shop to keep in the shopper's own session.
    pub state: String,
    /// Where the browser goes.
    pub authorization_url: String,
}

/// What Klarna answered to the shop's page.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// The code.
    pub code: Option<String>,
    /// What was sent along.
    pub state: String,
    /// Who answered.
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// A shopper who has signed in, and what Klarna tells of them.
#[derive(Debug)]
pub struct SignedIn {
    /// The shopper.
    pub identity: Identity,
    /// Personal data; handed to the shop and not kept.
    pub claims: Claims,
}

/// Tokens as the provider gives them.
#[derive(Deserialize)]
struct Given {
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    id_token: Option<Secret>,
    #[serde(default)]
    expires_in: i64,
    #[serde(default)]
    scope: String,
}

impl Given {
    fn tokens(&self, before: Option<&Secret>, now_ms: i64) -> Tokens {
        let life_ms = self.expires_in.clamp(0, 24 * 60 * 60).saturating_mul(1_000);
        Tokens {
            refresh: self.refresh_token.clone().or_else(|| before.cloned()),
            access: self.access_token.clone(),
            access_until_ms: now_ms.saturating_add(life_ms).saturating_sub(ACCESS_MARGIN_MS),
        }
    }
}

/// The issuer that belongs to a Klarna host. A playground is its own, under the name by which browsers load its
/// library.
fn issuer_of(base_url: &str, script_url: &str) -> String {
    match klarna_host(base_url) {
        Some((_, Environment::Live)) => "https://login.klarna.com".to_owned(),
        Some(_) => "https://login.playground.klarna.com".to_owned(),
        None => Url::parse(script_url).map_or_else(
            |_| base_url.trim_end_matches('/').to_owned(),
            |url| url.origin().ascii_serialization(),
        ),
    }
}

impl Provider {
    /// The provider that belongs to a Klarna host whose browser library comes from `script_url`, and the client that
    /// this gateway is to it.
    pub fn new(base_url: &str, script_url: &str, client_id: Option<String>) -> Self {
        let issuer = issuer_of(base_url, script_url);
        let reach = match klarna_host(base_url) {
            Some(_) => issuer.clone(),
            None => base_url.trim_end_matches('/').to_owned(),
        };
        Self(Arc::new(Inner {
            http: HttpClient::default(),
            issuer,
            reach,
            client_id,
            known: Mutex::default(),
        }))
    }

    fn client_id(&self) -> Result<&str, Trouble> {
        self.0.client_id.as_deref().ok_or(Trouble::NotConfigured)
    }

    /// An address of the provider's, as this gateway reaches it.
    fn reached(&self, address: &str) -> String {
        match address.strip_prefix(&self.0.issuer) {
            Some(rest) => format!("{}{rest}", self.0.reach),
            None => address.to_owned(),
        }
    }

    /// The provider's description. It must be of the issuer that was asked, and lead nowhere else: otherwise one
    /// provider could have codes for another sent to itself.
    async fn description(&self, now_ms: i64) -> Result<Arc<Description>, Trouble> {
        if let Some((description, at_ms)) = &self.0.known.lock().description
            && now_ms.saturating_sub(*at_ms) < DESCRIPTION_MS
        {
            return Ok(Arc::clone(description));
        }
        let address = format!("{}/.well-known/openid-configuration", self.0.issuer);
        let answer = self.get(&address).await?;
        let description: Description = read(&answer, "its description cannot be read")?;
        if description.issuer != self.0.issuer {
            return Err(Trouble::Provider("its description is of another issuer"));
        }
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let own = origin(&self.0.issuer);
        let places = [
            &description.authorization_endpoint,
            &description.token_endpoint,
            &description.jwks_uri,
        ];
        let further = description.revocation_endpoint.iter();
        if own.is_none() || places.into_iter().chain(further).any(|at| origin(at) != own) {
            return Err(Trouble::Provider("its description leads elsewhere"));
        }
        let description = Arc::new(description);
        self.0.known.lock().description = Some((Arc::clone(&description), now_ms));
        Ok(description)
    }

    /// The provider's keys; asked for again, if that was not just done, when `anew`.
    async fn keys(&self, anew: bool, now_ms: i64) -> Result<Arc<Vec<Key>>, Trouble> {
        if let Some((keys, at_ms)) = &self.0.known.lock().keys {
            let age_ms = now_ms.saturating_sub(*at_ms);
            if age_ms < if anew { KEYS_MS } else { DESCRIPTION_MS } {
                return Ok(Arc::clone(keys));
            }
        }
        let description = self.description(now_ms).await?;
        let answer = self.get(&description.jwks_uri).await?;
        let set: Value = read(&answer, "its keys cannot be read")?;
        let keys = Arc::new(id_token::read_keys(&set));
        self.0.known.lock().keys = Some((Arc::clone(&keys), now_ms));
        Ok(keys)
    }

    /// Believes an ID token, or says why not.
    async fn believe(
        &self,
        token: &Secret,
        nonce: Option<&str>,
        access_token: Option<&Secret>,
        now_ms: i64,
    ) -> Result<Claims, Trouble> {
        let expected = Expected {
            issuer: &self.0.issuer,
            client_id: self.client_id()?,
            nonce,
            access_token: access_token.map(Secret::expose),
            now_ms,
        };
        let keys = self.keys(false, now_ms).await?;
        let checked = match id_token::check(token.expose(), &keys, expected) {
            // The provider may have other keys by now.
            Err(Refused::UnknownKey) => {
                let keys = self.keys(true, now_ms).await?;
                id_token::check(token.expose(), &keys, expected)
            }
            checked => checked,
        };
        checked.map_err(Trouble::Token)
    }

    async fn get(&self, address: &str) -> Result<Answer, Trouble> {
        let answer = self.0.http.get(&self.reached(address)).await.map_err(|error| {
            tracing::warn!(%error, "the identity provider cannot be reached");
            Trouble::Provider("it cannot be reached")
        })?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(Trouble::Provider("it has nothing where its description should be"))
        }
    }

    async fn post(&self, address: &str, form: &[(&str, &str)]) -> Result<Answer, Trouble> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        let address = self.reached(address);
        self.0.http.send(Method::POST, &address, headers, body.into()).await.map_err(|error| {
            tracing::warn!(%error, "the identity provider cannot be reached");
            Trouble::Provider("it cannot be reached")
        })
    }

    /// Tokens for a code or a refresh token.
    async fn tokens(&self, form: &[(&str, &str)], now_ms: i64) -> Result<Given, Trouble> {
        let description = self.description(now_ms).await?;
        let answer = self.post(&description.token_endpoint, form).await?;
        match answer.status.as_u16() {
            200 => read(&answer, "its tokens cannot be read"),
            400 | 401 | 403 => Err(Trouble::Refused),
            _ => Err(Trouble::Provider("it does not give tokens")),
        }
    }

    /// Begins a sign-in.
    pub async fn begin(
        &self,
        engine: &Engine,
        store_id: &str,
        wish: Wish,
    ) -> Result<Begun, Trouble> {
        let client_id = self.client_id()?.to_owned();
        let now_ms = engine.now_ms();
        let description = self.description(now_ms).await?;
        let (state, nonce, verifier) =
            (engine.fresh_secret(), engine.fresh_secret(), engine.fresh_secret());
        let sign_in = SignIn {
            id: engine.fresh_id("sgn"),
            store_id: store_id.to_owned(),
            client_id,
            redirect_uri: wish.redirect_uri,
            state_digest: digest(&state),
            nonce,
            verifier: Secret::new(verifier),
            created_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(SIGN_IN_MS),
        };
        let challenge = id_token::challenge(sign_in.verifier.expose());
        let mut url = Url::parse(&description.authorization_endpoint)
            .map_err(|_| Trouble::Provider("its description cannot be read"))?;
        url.query_pairs_mut()
            .append_pair("client_id", &sign_in.client_id)
            .append_pair("redirect_uri", &sign_in.redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", &wish.scope)
            .append_pair("state", &state)
            .append_pair("nonce", &sign_in.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        for (name, value) in [("ui_locales", &wish.locale), ("prompt", &wish.prompt)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let (vault, kept) = (engine.vault().clone(), sign_in.clone());
        engine.database().write(move |tx| identities::insert_sign_in(tx, &vault, &kept)).await?;
        Ok(Begun { sign_in, state, authorization_url: url.into() })
    }

    /// Ends a sign-in with what Klarna answered. It is answered once: a second answer finds nothing.
    pub async fn finish(
        &self,
        engine: &Engine,
        store_id: &str,
        id: &str,
        answered: Answered,
    ) -> Result<SignedIn, Trouble> {
        let now_ms = engine.now_ms();
        let (vault, store, sign_in_id) =
            (engine.vault().clone(), store_id.to_owned(), id.to_owned());
        let state_digest = digest(&answered.state);
        let sign_in = engine
            .database()
            .write(move |tx| {
                let found = identities::open_sign_in(tx, &vault, &store, &sign_in_id, now_ms)?;
                let Some(sign_in) = found else { return Ok(Err(Trouble::Unknown)) };
                // Digests of random values: how long the comparison takes tells nothing of them.
                if sign_in.state_digest != state_digest {
                    return Ok(Err(Trouble::State));
                }
                identities::end_sign_in(tx, &sign_in_id)?;
                Ok::<_, Fault>(Ok(sign_in))
            })
            .await??;
        let description = self.description(now_ms).await?;
        match &answered.issuer {
            Some(issuer) if *issuer != self.0.issuer => return Err(Trouble::Issuer),
            None if description.authorization_response_iss_parameter_supported => {
                return Err(Trouble::Issuer);
            }
            Some(_) | None => {}
        }
        let code = match (answered.code, answered.error) {
            (Some(code), None) => code,
            (_, error) => return Err(Trouble::Declined(error.unwrap_or_default())),
        };
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", sign_in.client_id.as_str()),
            ("redirect_uri", sign_in.redirect_uri.as_str()),
            ("code", code.as_str()),
            ("code_verifier", sign_in.verifier.expose()),
        ];
        let given = self.tokens(&form, now_ms).await?;
        let token = given.id_token.as_ref().ok_or(Trouble::Provider("it gave no ID token"))?;
        let nonce = Some(sign_in.nonce.as_str());
        let claims = self.believe(token, nonce, Some(&given.access_token), now_ms).await?;
        self.keep(engine, store_id, claims, &given, None).await
    }

    /// Takes over the tokens that Klarna's button gave to the shop's page. The ID token alone is not enough: whoever
    /// has seen one could show it. The refresh token is used at once, which ends the page's copy, and has to be the
    /// same person's.
    pub async fn adopt(
        &self,
        engine: &Engine,
        store_id: &str,
        token: &Secret,
        refresh_token: &Secret,
    ) -> Result<SignedIn, Trouble> {
        let now_ms = engine.now_ms();
        let shown = self.believe(token, None, None, now_ms).await?;
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id()?),
            ("refresh_token", refresh_token.expose()),
        ];
        let given = self.tokens(&form, now_ms).await?;
        let token = given.id_token.as_ref().ok_or(Trouble::Provider("it gave no ID token"))?;
        let claims = self.believe(token, None, Some(&given.access_token), now_ms).await?;
        if claims.subject != shown.subject {
            self.revoke(given.refresh_token.as_ref(), now_ms).await;
            return Err(Trouble::TwoPeople);
        }
        self.keep(engine, store_id, claims, &given, Some(refresh_token)).await
    }

    async fn keep(
        &self,
        engine: &Engine,
        store_id: &str,
        claims: Claims,
        given: &Given,
        before: Option<&Secret>,
    ) -> Result<SignedIn, Trouble> {
        let now_ms = engine.now_ms();
        let fresh = Identity {
            id: engine.fresh_id("idn"),
            store_id: store_id.to_owned(),
            version: 0,
            client_id: self.client_id()?.to_owned(),
            subject: claims.subject.clone(),
            scope: given.scope.clone(),
            customer_id: None,
            signed_in_at_ms: now_ms,
            created_at_ms: now_ms,
        };
        let (vault, tokens) = (engine.vault().clone(), given.tokens(before, now_ms));
        let identity = engine
            .database()
            .write(move |tx| identities::signed_in(tx, &vault, &fresh, &tokens))
            .await?;
        Ok(SignedIn { identity, claims })
    }

    /// An access token of a shopper, with which a payment session is theirs. None where there is none to be had: the
    /// shopper then signs in at Klarna once more, and the purchase goes on.
    pub async fn access_token(&self, engine: &Engine, id: &str) -> Result<Option<Secret>, Fault> {
        let now_ms = engine.now_ms();
        let until_ms = now_ms.saturating_add(REFRESHING_MS);
        let (vault, identity_id) = (engine.vault().clone(), id.to_owned());
        let held = engine
            .database()
            .write(move |tx| identities::hold(tx, &vault, &identity_id, now_ms, until_ms))
            .await?;
        let refresh_token = match held {
            Held::Access(token) => return Ok(Some(token)),
            Held::Nothing => return Ok(None),
            Held::Refresh(token) => token,
        };
        let renewed = match self.client_id() {
            Ok(client_id) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("refresh_token", refresh_token.expose()),
                ];
                self.tokens(&form, now_ms).await
            }
            Err(trouble) => Err(trouble),
        };
        let (vault, identity_id) = (engine.vault().clone(), id.to_owned());
        match renewed {
            Ok(given) => {
                let tokens = given.tokens(Some(&refresh_token), now_ms);
                let access = tokens.access.clone();
                engine
                    .database()
                    .write(move |tx| identities::keep_tokens(tx, &vault, &identity_id, &tokens))
                    .await?;
                Ok(Some(access))
            }
            Err(trouble) => {
                let over = matches!(trouble, Trouble::Refused);
                tracing::info!(identity = id, over, "a shopper's tokens could not be renewed");
                engine
                    .database()
                    .write(move |tx| identities::release(tx, &identity_id, over))
                    .await?;
                Ok(None)
            }
        }
    }

    /// Tells Klarna that a shopper's tokens are not needed any more, and forgets them.
    pub async fn forget(&self, engine: &Engine, store_id: &str, id: &str) -> Result<bool, Trouble> {
        let now_ms = engine.now_ms();
        let (vault, store, identity_id) =
            (engine.vault().clone(), store_id.to_owned(), id.to_owned());
        let found = engine
            .database()
            .write(move |tx| {
                if identities::get_in(tx, &store, &identity_id)?.is_none() {
                    return Ok(None);
                }
                let token = identities::refresh_token(tx, &vault, &identity_id)?;
                identities::delete(tx, &store, &identity_id)?;
                Ok::<_, Fault>(Some(token))
            })
            .await?;
        let Some(token) = found else { return Ok(false) };
        self.revoke(token.as_ref(), now_ms).await;
        Ok(true)
    }

    /// Best effort: what is not revoked ends by itself.
    async fn revoke(&self, token: Option<&Secret>, now_ms: i64) {
        let (Some(token), Ok(client_id)) = (token, self.client_id()) else { return };
        let Ok(description) = self.description(now_ms).await else { return };
        let Some(address) = &description.revocation_endpoint else { return };
        let form = [("client_id", client_id), ("token", token.expose())];
        if let Err(Trouble::Provider(why)) = self.post(address, &form).await {
            tracing::warn!(why, "a token could not be revoked");
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer, why: &'static str) -> Result<T, Trouble> {
    // The error would quote what was read.
    answer.json().map_err(|_| Trouble::Provider(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_public_name_and_asked_by_the_name_on_its_network() {
        let script = "http://localhost:7072/kp/lib/v1/api.js";
        let provider = Provider::new("http://playground:7072/", script, None);
        assert_eq!(provider.0.issuer, "http://localhost:7072");
        let keys = "/eu/lp/idp/.well-known/jwks.json";
        assert_eq!(
            provider.reached(&format!("http://localhost:7072{keys}")),
            format!("http://playground:7072{keys}")
        );
        let klarna = Provider::new("https://api.klarna.com/", "https://x.klarnacdn.net/a.js", None);
        assert_eq!(klarna.0.issuer, "https://login.klarna.com");
        assert_eq!(klarna.reached("https://login.klarna.com/x"), "https://login.klarna.com/x");
        let playground = Provider::new(
            "https://api.playground.klarna.com",
            "https://x.klarnacdn.net/a.js",
            None,
        );
        assert_eq!(playground.0.issuer, "https://login.playground.klarna.com");
    }
}
