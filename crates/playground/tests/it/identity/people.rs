//! Who takes part: a client of the provider, and a shopper with a browser.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::common::{Reply, World};

pub(crate) const HOME: &str = "https://shop.example/signed-in";
pub(crate) const SHOP: &str = "https://shop.example";
pub(crate) const AUTH: &str = "/eu/lp/idp/oauth2/auth";
pub(crate) const TOKEN: &str = "/eu/lp/idp/oauth2/token";
pub(crate) const USERINFO: &str = "/eu/lp/idp/userinfo";
pub(crate) const JWKS: &str = "/eu/lp/idp/.well-known/jwks.json";
pub(crate) const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) type Form<'a> = [(&'a str, &'a str)];

/// A form as it is sent.
pub(crate) fn encode(form: &Form<'_>) -> String {
    Serializer::new(String::new()).extend_pairs(form).finish()
}

/// What redeems a code goes through this before it is sent ahead.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// A client of the provider.
#[allow(clippy::struct_field_names, reason = "OAuth's name for it")]
pub(crate) struct Client<'a> {
    pub(crate) world: &'a World,
    pub(crate) client_id: String,
    pub(crate) secret: Option<String>,
}

impl<'a> Client<'a> {
    /// A shop without a secret.
    pub(crate) async fn public(world: &'a World) -> Self {
        Self::new(world, false).await
    }

    /// A shop with one.
    pub(crate) async fn confidential(world: &'a World) -> Self {
        Self::new(world, true).await
    }

    async fn new(world: &'a World, confidential: bool) -> Self {
        let body = json!({
            "allowed_origins": [SHOP], "redirect_uris": [HOME, format!("{HOME}?from=klarna")],
            "confidential": confidential,
        });
        let made = world.control("/merchants/K123456/client-identifiers", &body).await;
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        Self { world, client_id: text("client_id").unwrap(), secret: text("client_secret") }
    }

    /// The address of a good request, changed: an empty value takes a parameter away.
    pub(crate) fn request(&self, changes: &Form<'_>) -> String {
        let challenge = challenge(VERIFIER);
        let mut all = vec![
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", HOME),
            ("response_type", "code"),
            (
                "scope",
                "openid offline_access profile:name profile:email profile:billing_address payment:request:create",
            ),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            all.retain(|(other, _)| other != name);
            if !value.is_empty() {
                all.push((name, value));
            }
        }
        format!("{AUTH}?{}", encode(&all))
    }

    /// A call of the token endpoint with exactly this form.
    pub(crate) async fn post(&self, path: &str, form: &Form<'_>) -> Reply {
        self.world.send("POST", path, &[FORM], encode(form)).await
    }

    /// Redeems a code the right way, changed.
    pub(crate) async fn redeem(&self, code: &str, changes: &Form<'_>) -> Reply {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", HOME),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        for (name, value) in changes {
            form.retain(|(other, _)| other != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        self.post(TOKEN, &form).await
    }

    /// Asks for new tokens.
    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.refresh_with(token, &[]).await
    }

    /// The same with further members.
    pub(crate) async fn refresh_with(&self, token: &str, further: &Form<'_>) -> Reply {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("refresh_token", token),
        ];
        form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        form.extend(further.iter().copied());
        self.post(TOKEN, &form).await
    }

    /// Tokens of a shopper who signs in for the first time.
    pub(crate) async fn tokens(&self) -> Value {
        let shopper = Shopper::new(self.world);
        let back = shopper.sign_in(&self.request(&[]), "customer@email.se").await;
        let reply = self.redeem(&back["code"], &[]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    /// What an access token opens.
    pub(crate) async fn userinfo(&self, access_token: &str) -> Reply {
        let bearer = format!("Bearer {access_token}");
        self.world.send("GET", USERINFO, &[("authorization", &bearer)], "").await
    }
}

/// The claims of an ID token whose signature one of the published keys made.
pub(crate) async fn claims(world: &World, id_token: &str) -> Value {
    let published = world.send("GET", JWKS, &[], "").await;
    read_with(&published.json, id_token).expect("the signature is right")
}

/// The claims of a token, if a key of this set signed it.
pub(crate) fn read_with(keys: &Value, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = read(header);
    assert_eq!(header["alg"], "RS256");
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    RsaPublicKeyComponents { n: number("n"), e: number("e") }
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .ok()?;
    Some(read(claims))
}

/// A shopper in one browser.
pub(crate) struct Shopper<'a> {
    world: &'a World,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Shopper<'a> {
    /// With a browser that knows nothing yet.
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, cookies: Mutex::default() }
    }

    /// What the browser has kept.
    pub(crate) fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, reply: &Reply) {
        let mut cookies = self.cookies.lock().unwrap();
        for value in reply.headers.get_all("set-cookie") {
            let value = value.to_str().unwrap();
            assert!(value.contains("HttpOnly") && value.contains("SameSite=Lax"), "{value}");
            let (name, secret) = value.split(';').next().unwrap().split_once('=').unwrap();
            if secret.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), secret.to_owned());
            }
        }
    }

    /// Opens a page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let cookies = self.cookies();
        let reply = self.world.send("GET", path, &[("cookie", &cookies)], "").await;
        self.keep(&reply);
        reply
    }

    /// Sends a form from one of the provider's pages.
    pub(crate) async fn post(&self, path: &str, form: &Form<'_>) -> Reply {
        let cookies = self.cookies();
        let origin = self.world.url.clone();
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            FORM,
        ];
        let reply = self.world.send("POST", path, &headers, encode(form)).await;
        self.keep(&reply);
        reply
    }

    /// Begins, and says where the browser is sent.
    pub(crate) async fn begin(&self, request: &str) -> String {
        let reply = self.get(request).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        reply.header("location").to_owned()
    }

    /// Says who they are and types the code. Where the browser is sent then.
    pub(crate) async fn identify(&self, page: &str, contact: &str) -> String {
        let reply = self.post(page, &[("action", "identify"), ("contact", contact)]).await;
        assert_eq!((reply.status, reply.header("location")), (303, page), "{reply:?}");
        let reply = self.post(page, &[("action", "code"), ("code", "123456")]).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        reply.header("location").to_owned()
    }

    /// Signs in and shares everything, unless that was agreed to before. What the client is told.
    pub(crate) async fn sign_in(&self, request: &str, contact: &str) -> BTreeMap<String, String> {
        let page = self.begin(request).await;
        let location = self.identify(&page, contact).await;
        if location != page {
            return told(&location);
        }
        let form = [("action", "agree"), ("share", "billing_address")];
        let reply = self.post(&page, &form).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        told(reply.header("location"))
    }
}

/// What a redirect tells the client.
pub(crate) fn told(location: &str) -> BTreeMap<String, String> {
    assert!(location.starts_with(HOME), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}
