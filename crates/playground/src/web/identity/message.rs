//! The answer as a message: the page at the end of the button's popup.

use axum::response::Response;
use serde_json::{Map, Value};

use super::pages;
use crate::domain::identity::authorization::Way;
use crate::domain::outbox::Language;

/// A page that gives the opener its answer, or goes to the redirect URI with it when there is no opener any more.
pub(super) fn page(way: &Way, members: &[(&'static str, String)]) -> Response {
    let result: Map<String, Value> = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    let origin = way.page_origin.as_deref().unwrap_or_default();
    let result = Value::Object(result).to_string();
    pages::hand_over(Language::English, &result, origin, &way.location(members))
}
