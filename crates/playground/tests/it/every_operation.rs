//! What holds for every operation of every API, tried by walking the catalogue of them: each succeeds for
//! its owner, nobody else gets at what it is about, rubbish is refused, and the answers that are documented
//! for all operations are given by each.
//!
//! An operation that is added to the catalogue and not to [`belongings`] fails these tests.

mod bad_input;
mod belongings;
mod documented;
mod parallel;
mod strangers;

use crate::common::Reply;
use catalogue::Api;

/// Holds a refusal against the form that errors of the API have: the status is one of the caller's
/// mistakes, and whoever was refused can name the call to Klarna's support. What is wrong, if anything.
fn wrong_form(api: Api, reply: &Reply) -> Option<String> {
    if !(400..500).contains(&reply.status) {
        return Some(format!("status {}", reply.status));
    }
    let Some(id) = reply.headers.get("klarna-correlation-id").and_then(|id| id.to_str().ok())
    else {
        return Some("no correlation id".to_owned());
    };
    if reply.status == 401 {
        // The edge answers a page.
        return None;
    }
    let members: Vec<&str> =
        reply.json.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let is_right = match api {
        Api::DisputesV4 | Api::DisputesV3 | Api::PaymentRequests => {
            members.starts_with(&["error_id", "error_code", "error_type", "error_message"])
                && reply.json["error_id"] == id
        }
        Api::DisputesV2 => members == ["error_code", "error_message"],
        _ => {
            members.starts_with(&["error_code", "error_messages", "correlation_id"])
                && reply.json["correlation_id"] == id
        }
    };
    (!is_right).then(|| format!("another form: {}", reply.text))
}
