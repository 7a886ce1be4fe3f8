//! Shoppers who sign in with Klarna, and everybody who would like to be taken for one: a gateway over a playground,
//! with a shopper who clicks through the provider's pages.

use std::collections::BTreeMap;

use crate::town::{Reply, Town, cart};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::Config;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use service::ManualClock;
use storage::Location;
use url::Url;
use url::form_urlencoded::Serializer;

const CLIENT: &str = "klarna_test_client_of_the_town";
const HOME: &str = "https://shop.example/signed-in";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn encode(form: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(form).finish()
}

/// A town whose shop may have its shoppers sign in with Klarna.
async fn town() -> Town {
    town_at(service::SystemClock::shared(), |config| config).await
}

async fn town_at(
    clock: std::sync::Arc<dyn service::Clock>,
    change: impl FnOnce(Config) -> Config,
) -> Town {
    let known = |config| Config { client_id: Some(CLIENT.to_owned()), ..config };
    let town = Town::build_with(Location::Memory, clock, |config| change(known(config))).await;
    client(&town, CLIENT).await;
    town
}

async fn client(town: &Town, client_id: &str) {
    let body = json!({
        "client_id": client_id, "redirect_uris": [HOME], "allowed_origins": ["https://shop.example"],
    });
    let url =
        format!("{}playground/v1/merchants/K123456/client-identifiers", town.playground.url());
    let made = town.send("POST", url, &[("content-type", "application/json")], body.to_string());
    assert_eq!(made.await.status, 201);
}

async fn begin(town: &Town) -> Value {
    let reply = town.call("POST", "/v1/sign_ins", &json!({ "redirect_uri": HOME })).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.body
}

/// The shopper goes to this address, signs in and shares everything. What the browser brings back.
async fn approve(town: &Town, address: &str, contact: &str) -> BTreeMap<String, String> {
    let origin = town.playground.url().origin().ascii_serialization();
    let begun = town.send("GET", address.to_owned(), &[], String::new()).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    let cookie =
        begun.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = format!("{origin}{}", begun.headers["location"].to_str().unwrap());
    let mut last = None;
    for form in [
        vec![("action", "identify"), ("contact", contact)],
        vec![("action", "code"), ("code", "123456")],
        vec![("action", "agree"), ("share", "billing_address"), ("share", "locale")],
    ] {
        let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str()), FORM];
        let reply = town.send("POST", page.clone(), &headers, encode(&form)).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        let location = reply.headers["location"].to_str().unwrap().to_owned();
        let is_back = location.starts_with(HOME);
        last = Some(location);
        // Who has agreed before is not asked again.
        if is_back {
            break;
        }
    }
    let back = Url::parse(&last.unwrap()).unwrap();
    back.query_pairs().into_owned().collect()
}

async fn finish(town: &Town, begun: &Value, back: &BTreeMap<String, String>) -> Reply {
    let path = format!("/v1/sign_ins/{}/finish", begun["id"].as_str().unwrap());
    town.call("POST", &path, &json!(back)).await
}

async fn signed_in(town: &Town, contact: &str) -> Value {
    let begun = begin(town).await;
    let back = approve(town, begun["authorization_url"].as_str().unwrap(), contact).await;
    let reply = finish(town, &begun, &back).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// What the button gives to the shop's page: tokens of a client, by a sign-in of the test's own.
async fn tokens(town: &Town, client_id: &str, contact: &str) -> Value {
    let base = town.playground.url().as_str();
    let verifier = "a-verifier-of-at-least-forty-three-characters-0";
    let challenge = gateway::domain::id_token::challenge(verifier);
    let request = [
        ("client_id", client_id),
        ("redirect_uri", HOME),
        ("response_type", "code"),
        ("scope", "openid offline_access profile:email payment:request:create"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let address = format!("{base}eu/lp/idp/oauth2/auth?{}", encode(&request));
    let back = approve(town, &address, contact).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("redirect_uri", HOME),
        ("code", &back["code"]),
        ("code_verifier", verifier),
    ];
    let reply =
        town.send("POST", format!("{base}eu/lp/idp/oauth2/token"), &[FORM], encode(&form)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

async fn adopt(town: &Town, id_token: &str, refresh_token: &str) -> Reply {
    let body = json!({ "id_token": id_token, "refresh_token": refresh_token });
    town.call("POST", "/v1/identities", &body).await
}

fn assert_refused(reply: &Reply, why: &str) {
    assert_eq!(
        (reply.status, &reply.body["code"]),
        (422, &json!("sign_in_refused")),
        "{}",
        reply.text
    );
    assert!(reply.body["detail"].as_str().unwrap().contains(why), "{why}: {}", reply.text);
}

#[tokio::test]
async fn a_shopper_signs_in_is_known_again_and_is_linked() {
    let town = town().await;
    let first = signed_in(&town, "customer@email.se").await;
    assert_eq!(first["profile"]["email"], "customer@email.se");
    assert_eq!(first["profile"]["billing_address"]["country"], "SE");
    assert!(first["profile"].get("nonce").is_none() && first["profile"].get("iss").is_none());
    let again = signed_in(&town, "customer@email.se").await;
    assert_eq!(again["identity"]["id"], first["identity"]["id"]);
    let other = signed_in(&town, "customer@email.de").await;
    assert_ne!(other["identity"]["id"], first["identity"]["id"]);

    let customer = async |reference: &str| {
        let reply = town.call("POST", "/v1/customers", &json!({ "reference": reference })).await;
        reply.body["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (customer("C-1").await, customer("C-2").await);
    let path = format!("/v1/identities/{}", first["identity"]["id"].as_str().unwrap());
    let link = async |customer: &str| {
        town.call("POST", &format!("{path}/link"), &json!({ "customer_id": customer })).await
    };
    assert_eq!(link(&one).await.body["customer_id"], json!(one));
    assert_eq!(link(&one).await.status, 200, "the same again");
    // Whoever's account it is, it does not become somebody else's.
    assert_eq!(link(&two).await.status, 409);
    assert_eq!(link("cus_nobody").await.status, 400);
    assert_eq!(town.call("GET", &path, &Value::Null).await.body["customer_id"], json!(one));

    assert_eq!(town.call("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(town.call("GET", &path, &Value::Null).await.status, 404);
    town.end().await;
}

#[tokio::test]
async fn a_sign_in_is_finished_once_by_its_own_answer() {
    let town = town().await;
    let begun = begin(&town).await;
    let address = begun["authorization_url"].as_str().unwrap();
    let back = approve(&town, address, "customer@email.se").await;
    // Somebody else's answer, brought to this shopper's sign-in: the state, then the verifier.
    let theirs = begin(&town).await;
    let injected =
        approve(&town, theirs["authorization_url"].as_str().unwrap(), "customer@email.de").await;
    assert_refused(&finish(&town, &begun, &injected).await, "state");
    let mut code = injected.clone();
    code.insert("state".to_owned(), back["state"].clone());
    assert_refused(&finish(&town, &begun, &code).await, "does not take the code");
    // That was an answer with the right state, so this sign-in is over; theirs is not.
    assert_eq!(finish(&town, &begun, &back).await.status, 404);
    assert_eq!(finish(&town, &theirs, &injected).await.status, 200);
    let begun = begin(&town).await;
    let back =
        approve(&town, begun["authorization_url"].as_str().unwrap(), "customer@email.se").await;
    assert_eq!(finish(&town, &begun, &back).await.status, 200);
    assert_eq!(finish(&town, &begun, &back).await.status, 404, "once");
    town.end().await;
}

#[tokio::test]
async fn another_issuers_answer_is_refused_and_so_is_none() {
    let town = town().await;
    for (issuer, why) in [(Some("https://login.evil.example"), "provider"), (None, "provider")] {
        let begun = begin(&town).await;
        let mut back =
            approve(&town, begun["authorization_url"].as_str().unwrap(), "customer@email.se").await;
        match issuer {
            Some(issuer) => back.insert("iss".to_owned(), issuer.to_owned()),
            None => back.remove("iss"),
        };
        assert_refused(&finish(&town, &begun, &back).await, why);
    }
    let begun = begin(&town).await;
    let declined: BTreeMap<_, _> = [
        ("error", "access_denied"),
        ("state", begun["state"].as_str().unwrap()),
        ("iss", town.playground.url().as_str().trim_end_matches('/')),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let reply = finish(&town, &begun, &declined).await;
    assert_eq!((reply.status, &reply.body["code"]), (422, &json!("sign_in_declined")));
    town.end().await;
}

#[tokio::test]
async fn the_buttons_tokens_are_taken_over_and_nothing_else_is() {
    let town = town().await;
    let given = tokens(&town, CLIENT, "customer@email.se").await;
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let (id_token, refresh_token) = (text("id_token"), text("refresh_token"));
    let parts: Vec<&str> = id_token.split('.').collect();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let mut other = claims.clone();
    other["sub"] = json!("krn:kuid:somebody-else");
    let forged = |header: Value, claims: &Value, signature: &str| {
        format!("{}.{}.{signature}", part(&header), part(claims))
    };
    for (token, why) in [
        (forged(header.clone(), &other, parts[2]), "signature"),
        (forged(json!({ "alg": "none" }), &other, ""), "RS256"),
        (forged(json!({ "alg": "HS256", "kid": header["kid"] }), &other, parts[2]), "RS256"),
        (forged(json!({ "alg": "RS256", "kid": "public:mine" }), &other, parts[2]), "no key"),
        ("not a token".to_owned(), "three parts"),
    ] {
        assert_refused(&adopt(&town, &token, &refresh_token).await, why);
    }
    // A token that was made for another shop, and one that is shown with another person's.
    client(&town, "klarna_test_client_of_another").await;
    let foreign = tokens(&town, "klarna_test_client_of_another", "customer@email.se").await;
    let foreign = foreign["id_token"].as_str().unwrap();
    assert_refused(&adopt(&town, foreign, &refresh_token).await, "another client");
    let stolen = tokens(&town, CLIENT, "customer@email.de").await;
    let stolen = stolen["id_token"].as_str().unwrap();
    assert_refused(&adopt(&town, stolen, "ory_rt_guessed").await, "does not take");
    // None of that used the tokens up, until they are used.
    let adopted = adopt(&town, &id_token, &refresh_token).await;
    assert_eq!(adopted.status, 200, "{}", adopted.text);
    assert_eq!(adopted.body["profile"]["email"], "customer@email.se");
    assert_refused(&adopt(&town, &id_token, &refresh_token).await, "does not take");
    let mine = tokens(&town, CLIENT, "customer@email.se").await;
    let mixed = adopt(&town, stolen, mine["refresh_token"].as_str().unwrap()).await;
    assert_refused(&mixed, "not the same person");
    town.end().await;
}

#[tokio::test]
async fn a_token_of_yesterday_is_not_believed() {
    let clock = ManualClock::starting_at("2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap());
    let town = town_at(clock.clone(), |config| config).await;
    let given = tokens(&town, CLIENT, "customer@email.se").await;
    clock.advance(SignedDuration::from_mins(10));
    let reply =
        adopt(&town, given["id_token"].as_str().unwrap(), given["refresh_token"].as_str().unwrap());
    assert_refused(&reply.await, "too old");
    let begun = begin(&town).await;
    let back =
        approve(&town, begun["authorization_url"].as_str().unwrap(), "customer@email.se").await;
    clock.advance(SignedDuration::from_mins(31));
    assert_eq!(finish(&town, &begun, &back).await.status, 404);
    town.end().await;
}

#[tokio::test]
async fn keys_that_have_changed_are_asked_for_again() {
    let clock = ManualClock::starting_at("2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap());
    let town = town_at(clock.clone(), |config| config).await;
    signed_in(&town, "customer@email.se").await;
    let rotate = format!("{}playground/v1/identity/keys/rotate", town.playground.url());
    for _ in 0..2 {
        let json = [("content-type", "application/json")];
        assert_eq!(town.send("POST", rotate.clone(), &json, "{}".to_owned()).await.status, 200);
    }
    clock.advance(SignedDuration::from_secs(11));
    signed_in(&town, "customer@email.se").await;
    town.end().await;
}

#[tokio::test]
async fn a_checkout_of_who_signed_in_has_them_signed_in() {
    let clock = ManualClock::starting_at("2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap());
    let town = town_at(clock.clone(), |config| config).await;
    let identity = signed_in(&town, "customer@email.se").await["identity"]["id"].clone();
    let open = async || {
        let mut cart = cart();
        cart["identity_id"] = identity.clone();
        let opened = town.call("POST", "/v1/checkouts", &cart).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        let log = format!(
            "{}playground/v1/requests?limit=1&path=/payments/v1/sessions",
            town.playground.url()
        );
        let log = town.send("GET", log, &[], String::new()).await;
        assert!(!opened.text.contains("ory_at_"), "{}", opened.text);
        let at = log.text.find("ory_at_").map(|at| at..at + 50);
        at.map(|range| log.text[range].to_owned())
    };
    let first = open().await.expect("the token went along");
    assert_eq!(open().await.as_deref(), Some(first.as_str()), "it is still good");
    clock.advance(SignedDuration::from_mins(5));
    let renewed = open().await.expect("another one");
    assert_ne!(renewed, first);
    // The shopper takes it back in Klarna's app: they sign in once more, and buy all the same.
    let withdraw = format!("{}playground/v1/identity/withdraw", town.playground.url());
    let body = json!({ "contact": "customer@email.se", "client_id": CLIENT }).to_string();
    let json = [("content-type", "application/json")];
    assert_eq!(town.send("POST", withdraw, &json, body).await.status, 204);
    clock.advance(SignedDuration::from_mins(5));
    assert_eq!(open().await, None);
    let mut cart = cart();
    cart["identity_id"] = json!("idn_nobody");
    assert_eq!(town.call("POST", "/v1/checkouts", &cart).await.status, 400);
    town.end().await;
}

/// A provider that describes itself like this.
async fn provider(description: Value) -> (Url, service::Server) {
    let listener = service::Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.address())).unwrap();
    let mut description = description;
    let own = url.as_str().trim_end_matches('/').to_owned();
    for (_, value) in description.as_object_mut().unwrap() {
        *value = json!(value.as_str().unwrap().replace("OWN", &own));
    }
    let answer = move || async move { axum::Json(description) };
    let router = Router::new().route("/.well-known/openid-configuration", get(answer));
    (url, listener.serve(router, service::Shutdown::new()))
}

#[tokio::test]
async fn a_description_of_somebody_else_or_that_leads_elsewhere_is_not_followed() {
    let good = json!({
        "issuer": "OWN", "authorization_endpoint": "OWN/auth", "token_endpoint": "OWN/token",
        "jwks_uri": "OWN/keys",
    });
    for (name, value, status) in [
        ("issuer", "OWN", 201),
        ("issuer", "https://login.klarna.com", 503),
        ("issuer", "OWN/", 503),
        ("authorization_endpoint", "https://evil.example/auth", 503),
        ("token_endpoint", "https://evil.example/token", 503),
        ("jwks_uri", "https://evil.example/keys", 503),
        ("revocation_endpoint", "https://evil.example/revoke", 503),
    ] {
        let mut description = good.clone();
        description[name] = json!(value);
        let (url, server) = provider(description).await;
        let town = town_at(service::SystemClock::shared(), |mut config| {
            config.klarna.base_url = url;
            config
        })
        .await;
        let reply = town.call("POST", "/v1/sign_ins", &json!({ "redirect_uri": HOME })).await;
        assert_eq!(reply.status, status, "{name} {value}: {}", reply.text);
        town.end().await;
        server.stop().await;
    }
}

#[tokio::test]
async fn what_is_asked_for_badly_is_told_before_anybody_is_sent_anywhere() {
    let town = town().await;
    for (body, member) in [
        (json!({ "redirect_uri": "/signed-in" }), "redirect_uri"),
        (json!({ "redirect_uri": "https://shop.example/#x" }), "redirect_uri"),
        (json!({ "redirect_uri": "javascript:alert(1)" }), "redirect_uri"),
        (json!({ "redirect_uri": HOME, "scope": "profile:email" }), "scope"),
        (json!({ "redirect_uri": HOME, "scope": "openid\nemail" }), "scope"),
        (json!({ "redirect_uri": HOME, "prompt": "always" }), "prompt"),
    ] {
        let reply = town.call("POST", "/v1/sign_ins", &body).await;
        assert_eq!((reply.status, &reply.body["member"]), (400, &json!(member)), "{}", reply.text);
    }
    town.end().await;
    let town =
        town_at(service::SystemClock::shared(), |config| Config { client_id: None, ..config })
            .await;
    let reply = town.call("POST", "/v1/sign_ins", &json!({ "redirect_uri": HOME })).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    town.end().await;
}
