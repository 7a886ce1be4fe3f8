//! `POST /web-sdk/internal/placement`: what a placement in a page shows.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::domain::messaging::{
    Ask, Placement, PlacementKey, Preference, Prefix, placement, read_locale,
};
use crate::web::load::today;
use crate::web::messaging;
use crate::web::web_sdk::caller::{SdkCaller, SdkError, read};
use crate::web::web_sdk::json;

/// The most names of promoted methods that are looked at.
const MOST_METHODS: usize = 32;

/// What an element's attributes say. Pages give odd things, so nothing here can fail to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    key: Value,
    locale: Value,
    amount: Value,
    prefix: Value,
    preference: Value,
    methods: Value,
}

/// What is shown, and what is fetched once it is.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    placement: Placement,
    impression_url: String,
    learn_more_url: String,
}

/// The handler. Where there is nothing to show it answers 204, whatever the reason.
pub(super) async fn show(
    State(app): State<App>,
    caller: SdkCaller,
    body: Bytes,
) -> Result<Response, SdkError> {
    let wish: Wish = read(&body)?;
    let nothing = || Ok(StatusCode::NO_CONTENT.into_response());
    let Some(ask) = understand(&wish) else { return nothing() };
    let Some(placement) = placement(&caller.merchant, &ask, today(&app)) else { return nothing() };
    let client_id = &caller.client.client_id;
    json(&Shown {
        impression_url: messaging::impression_url(&app, client_id, &placement, ask.amount),
        learn_more_url: messaging::learn_more_url(&app, &placement, ask.amount),
        placement,
    })
}

fn understand(wish: &Wish) -> Option<Ask> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let methods = match &wish.methods {
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).take(MOST_METHODS).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    Some(Ask {
        key: PlacementKey::named(wish.key.as_str()?)?,
        locale: read_locale(wish.locale.as_str()?)?,
        amount: read_amount(&wish.amount),
        prefix: Prefix::named(&text(&wish.prefix)),
        preference: Preference::named(&text(&wish.preference)),
        methods,
    })
}

/// An amount in minor units, as a number or as digits.
fn read_amount(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is understood: nothing, no amount, or an amount.
    fn check(wish: Value, expected: &str) {
        let wish: Wish = serde_json::from_value(wish).unwrap();
        let understood = understand(&wish).map(|ask| format!("{:?}", ask.amount));
        assert_eq!(understood.unwrap_or_default(), expected);
    }

    #[test]
    fn odd_attributes_are_read_or_taken_for_nothing() {
        let key = "credit-promotion-badge";
        check(json!({ "key": key, "locale": "sv-SE", "amount": 1000 }), "Some(1000)");
        check(json!({ "key": key, "locale": "sv_SE", "amount": " 1000 " }), "Some(1000)");
        check(json!({ "key": key, "locale": "sv-SE", "amount": "10.00" }), "None");
        check(json!({ "key": key, "locale": "sv-SE", "amount": 10.5 }), "None");
        check(json!({ "key": key, "locale": "sv-SE", "amount": {}, "methods": 7 }), "None");
        check(json!({ "key": key, "locale": "sv" }), "");
        check(json!({ "key": "nonsense", "locale": "sv-SE" }), "");
        check(json!({ "key": 7, "locale": null }), "");
        check(json!({}), "");
    }
}
