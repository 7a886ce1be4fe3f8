//! The account: signing in with Klarna, orders, subscriptions.
//!
//! The shop has no database, so it keeps no account of its own: the gateway knows who is signed in, the
//! browser's signed cookie knows under which id. What Klarna tells of the person goes to the page that asked,
//! which keeps it in its own tab to fill in the checkout; nothing of it is kept here or in a cookie.
//!
//! There are two ways: Klarna's button, whose window gives tokens to the page, and Klarna's own page, to which the
//! gateway sends the browser and from which it comes back with a code. The second works without scripts and windows.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::gateway::{Profile, SignInAnswer, SignInRequest};
use crate::handlers::report;
use crate::pages;
use crate::policy;
use crate::visit::{Message, Posted, Visit};

/// Where Klarna sends the browser back to; registered with Klarna, letter by letter.
const BACK: &str = "/account/signed-in";

/// `GET /account`, `GET /orders`
pub(crate) async fn show(visit: Visit) -> Response {
    let page = pages::account::page(&visit, false);
    visit.page(StatusCode::OK, page)
}

/// `POST /account/begin`: to Klarna's page.
pub(crate) async fn begin(posted: Posted) -> Response {
    let mut visit = posted.visit;
    if visit.klarna.is_none() {
        return visit.go("/account");
    }
    let request = SignInRequest {
        redirect_uri: visit.app().absolute(BACK),
        scope: pages::account::SCOPE,
        locale: visit.view.locale.tag,
    };
    let begun = visit.app().gateway.begin_sign_in(&request).await;
    match begun {
        Ok(begun) if policy::is_web_address(&begun.authorization_url) => {
            visit.leave_to_sign_in(begun.id, begun.state);
            // Not a redirect: the policy of the page that sent the form lets forms go to the shop alone.
            let page = pages::checkout::leaving(&visit, &begun.authorization_url);
            let refresh = format!("0; url={}", begun.authorization_url);
            let mut response = visit.page(StatusCode::OK, page);
            if let Ok(refresh) = HeaderValue::from_str(&refresh) {
                response.headers_mut().insert("refresh", refresh);
            }
            response
        }
        Ok(_) => failed(visit),
        Err(error) => {
            report(&error, "a sign-in with Klarna could not begin");
            failed(visit)
        }
    }
}

/// `GET /account/signed-in`: back from Klarna's page. What came back has to belong to the sign-in that this browser
/// began; everything else is checked by the gateway.
pub(crate) async fn signed_in(mut visit: Visit, Query(answer): Query<SignInAnswer>) -> Response {
    let Some(id) = visit.back_from_sign_in(&answer.state) else {
        // The same answer once more, by a reload or the back button: who is signed in already stays so.
        return if visit.identity_id.is_some() { visit.go("/account") } else { failed(visit) };
    };
    if answer.error.as_deref() == Some("access_denied") {
        // Called off by the shopper is no failure worth words.
        return visit.go("/account");
    }
    match visit.app().gateway.finish_sign_in(&id, &answer).await {
        Ok(signed_in) => {
            visit.sign_in(signed_in.identity.id);
            // Nobody else's script runs on the page that has the person in it.
            visit.klarna = None;
            let person = person(signed_in.profile);
            let name = person.name();
            let Ok(json) = serde_json::to_string(&person) else { return failed(visit) };
            let page = pages::account::arrived(&visit, &name, &json);
            visit.page(StatusCode::OK, page)
        }
        Err(error) => {
            report(&error, "a sign-in with Klarna was not finished");
            failed(visit)
        }
    }
}

fn failed(visit: Visit) -> Response {
    let page = pages::account::page(&visit, true);
    visit.page(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// What Klarna's button gave to the page.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    id_token: String,
    refresh_token: String,
}

/// The person, in the names of the checkout's form.
#[derive(Serialize)]
struct Person {
    country: Option<String>,
    fields: BTreeMap<&'static str, String>,
}

/// `POST /account/klarna`
pub(crate) async fn sign_in(message: Message<Tokens>) -> Response {
    let Message { mut visit, body } = message;
    let (id_token, refresh_token) = (Secret::new(body.id_token), Secret::new(body.refresh_token));
    match visit.app().gateway.adopt(&id_token, &refresh_token).await {
        Ok(signed_in) => {
            visit.sign_in(signed_in.identity.id);
            visit.answer(Json(person(signed_in.profile)).into_response())
        }
        Err(error) => {
            report(&error, "a sign-in with Klarna was not taken");
            StatusCode::UNPROCESSABLE_ENTITY.into_response()
        }
    }
}

impl Person {
    fn name(&self) -> String {
        let part = |name: &str| self.fields.get(name).map(String::as_str);
        let name =
            [part("given_name"), part("family_name")].map(Option::unwrap_or_default).join(" ");
        match name.trim() {
            "" => part("email").unwrap_or("Klarna").to_owned(),
            name => name.to_owned(),
        }
    }
}

fn person(profile: Profile) -> Person {
    let address = profile.billing_address.unwrap_or_default();
    let line = |name: &str| address.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let fields = [
        ("given_name", profile.given_name.or_else(|| line("given_name"))),
        ("family_name", profile.family_name.or_else(|| line("family_name"))),
        ("email", profile.email),
        ("phone", profile.phone),
        ("street_address", line("street_address")),
        ("street_address2", line("street_address2")),
        ("postal_code", line("postal_code")),
        ("city", line("city")),
        ("region", line("region")),
    ];
    Person {
        country: line("country"),
        fields: fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    }
}

/// `POST /account/sign-out`
pub(crate) async fn sign_out(posted: Posted) -> Response {
    let mut visit = posted.visit;
    visit.sign_out();
    visit.go("/account")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_told_in_the_names_of_the_form() {
        let profile: Profile = serde_json::from_str(
            r#"{"given_name":"Alice","email":"customer@email.se","novel":1,"billing_address":
                {"street_address":"Gatan 2","city":"Stockholm","country":"SE","floor":3}}"#,
        )
        .unwrap();
        let person = person(profile);
        assert_eq!(person.country.as_deref(), Some("SE"));
        assert_eq!(person.fields["given_name"], "Alice");
        assert_eq!(person.fields["street_address"], "Gatan 2");
        assert!(!person.fields.contains_key("phone"));
    }
}
