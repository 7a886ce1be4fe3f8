//! The account: signing in with Klarna, orders, subscriptions.
//!
//! The shop has no database, so it keeps no account of its own: the gateway knows who is signed in, the
//! browser's signed cookie knows under which id. What Klarna tells of the person goes to the page that asked,
//! which keeps it in its own tab to fill in the checkout; nothing of it is kept here or in a cookie.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::gateway::Profile;
use crate::handlers::report;
use crate::pages;
use crate::visit::{Message, Posted, Visit};

/// `GET /account`, `GET /orders`
pub(crate) async fn show(visit: Visit) -> Response {
    let page = pages::account::page(&visit);
    visit.page(StatusCode::OK, page)
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
