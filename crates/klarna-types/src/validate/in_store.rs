//! The in-store part of a session.
//!
//! A short code is not looked at: Klarna takes the session, and the purchase then fails with `BAD_REQUEST`.

use serde_json::Value;

use super::{Checker, UrlRule, is_allowed_url};
use crate::in_store::{DistributionBody, DistributionMethod};
use crate::payments::{AcquiringChannel, Intent, SessionBody};
use crate::problem::Rule;

/// What [`StoreInfo`](crate::in_store::StoreInfo) must have, and whether it is an object.
const STORE_INFO: [(&str, Shape); 3] = [
    ("merchant_store_id", Shape::Text),
    ("store_terminal_id", Shape::Text),
    ("store_address", Shape::Object),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Object,
}

impl Checker {
    /// The members that an in-store purchase needs, besides those of every session.
    pub(super) fn in_store(
        &mut self,
        body: &SessionBody,
        distribution: &DistributionBody,
        urls: UrlRule,
    ) {
        match &body.acquiring_channel {
            None => self.problem("acquiring_channel", Rule::Missing),
            // One that is unknown is reported as such.
            Some(AcquiringChannel::InStore | AcquiringChannel::Unknown(_)) => {}
            Some(AcquiringChannel::Ecommerce | AcquiringChannel::Telesales) => {
                self.unknown("acquiring_channel", ["IN_STORE"].into_iter());
            }
        }
        if matches!(body.intent, Some(Intent::Tokenize)) {
            let expected = "an intent that leads to an order";
            self.problem("intent", Rule::Form { expected });
        }
        self.required("distribution.method", distribution.method.as_ref());
        if distribution.method.as_ref().is_some_and(|method| !method.is_known()) {
            let expected = DistributionMethod::KNOWN.iter().map(DistributionMethod::as_str);
            self.unknown("distribution.method", expected);
        }
        let url =
            distribution.callback_urls.as_ref().and_then(|urls| urls.status_update.as_deref());
        let path = "distribution.callback_urls.status_update";
        let before = self.problems.len();
        self.text(path, url, 0, 2000);
        if self.problems.len() == before && url.is_some_and(|url| !is_allowed_url(url, urls)) {
            self.problem(path, Rule::NotHttps);
        }
        self.store(body);
    }

    /// The store and the till, in the extra merchant data.
    fn store(&mut self, body: &SessionBody) {
        let Some(attachment) = &body.attachment else {
            self.problem("attachment", Rule::Missing);
            return;
        };
        // What is not extra merchant data at all is reported with the attachment.
        let Some(document) = attachment
            .body
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .filter(Value::is_object)
        else {
            return;
        };
        let path = "attachment.in_store_payment[0].store_info";
        let Some(store) = document.pointer("/in_store_payment/0/store_info") else {
            self.problem(path, Rule::Missing);
            return;
        };
        for (member, shape) in STORE_INFO {
            let expected = match (store.get(member), shape) {
                (Some(Value::String(text)), Shape::Text) if !text.trim().is_empty() => continue,
                (Some(Value::Object(_)), Shape::Object) => continue,
                (None | Some(Value::Null), _) => {
                    self.problem(format!("{path}.{member}"), Rule::Missing);
                    continue;
                }
                (Some(_), Shape::Text) => "a text that is not empty",
                (Some(_), Shape::Object) => "an object",
            };
            self.problem(format!("{path}.{member}"), Rule::Form { expected });
        }
    }
}
