//! What a cart may say besides what is bought: further references, the buyer, addresses, extra
//! merchant data, how Klarna's widget looks. The gateway hands it on to Klarna and has no rule of
//! its own about it but one: people are forgotten as soon as the checkout is over.

use std::fmt;

use klarna_types::customer::CustomerType;
use klarna_types::payments::{Attachment, CreateSession, Options, UpdateSession};
use klarna_types::{Address, Customer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a cart may say besides what is bought.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extras {
    /// Another number of the shop's; stands in settlement files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference2: Option<String>,
    /// The shop's own data, passed through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_data: Option<String>,
    /// The buyer: a person, or an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Where an app of the shop's takes over again, for the channel `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_return_url: Option<String>,
    /// Where the bill goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Extra merchant data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// Promotion codes agreed with Klarna.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_payment_method_ids: Option<Vec<String>>,
    /// An agreed design package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub design: Option<String>,
    /// Colours of the widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
}

/// Says what is set, and shows nothing of it: people and the shop's own data are in it.
impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> = [
            ("merchant_reference2", self.merchant_reference2.is_some()),
            ("merchant_data", self.merchant_data.is_some()),
            ("customer", self.customer.is_some()),
            ("app_return_url", self.app_return_url.is_some()),
            ("billing_address", self.billing_address.is_some()),
            ("shipping_address", self.shipping_address.is_some()),
            ("attachment", self.attachment.is_some()),
            ("custom_payment_method_ids", self.custom_payment_method_ids.is_some()),
            ("design", self.design.is_some()),
            ("options", self.options.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .collect();
        f.debug_tuple("Extras").field(&set).finish()
    }
}

impl Extras {
    /// Whether an organisation buys.
    pub fn is_business(&self) -> bool {
        self.customer
            .as_ref()
            .is_some_and(|customer| customer.kind == Some(CustomerType::Organization))
    }

    /// Forgets who buys.
    pub fn forget_people(&mut self) {
        self.customer = None;
        self.billing_address = None;
        self.shipping_address = None;
        self.attachment = None;
    }

    /// A session that says all this, too.
    pub fn on_session(&self, mut session: CreateSession) -> CreateSession {
        session.merchant_reference2.clone_from(&self.merchant_reference2);
        session.merchant_data.clone_from(&self.merchant_data);
        session.customer.clone_from(&self.customer);
        session.billing_address.clone_from(&self.billing_address);
        session.shipping_address.clone_from(&self.shipping_address);
        session.attachment.clone_from(&self.attachment);
        session.custom_payment_method_ids.clone_from(&self.custom_payment_method_ids);
        session.design.clone_from(&self.design);
        session.options.clone_from(&self.options);
        session
    }

    /// A change of a session that says all this, too.
    pub fn on_update(&self, mut update: UpdateSession) -> UpdateSession {
        update.merchant_reference2.clone_from(&self.merchant_reference2);
        update.merchant_data.clone_from(&self.merchant_data);
        update.customer.clone_from(&self.customer);
        update.billing_address.clone_from(&self.billing_address);
        update.shipping_address.clone_from(&self.shipping_address);
        update.attachment.clone_from(&self.attachment);
        update.custom_payment_method_ids.clone_from(&self.custom_payment_method_ids);
        update.design.clone_from(&self.design);
        update.options.clone_from(&self.options);
        update
    }
}

/// Extra merchant data that are not of Klarna's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "extra_merchant_data{place}: is not of Klarna's form; send an object whose members are lists of \
     objects, such as {{\"payment_history_simple\": [{{…}}]}}"
)]
pub struct NotExtraData {
    place: String,
}

/// Extra merchant data as Klarna takes them: packages by name, each a list of objects. `more` is
/// added where the shop says nothing of that package itself.
pub fn attachment(
    said: Option<Value>,
    more: Option<(&str, Value)>,
) -> Result<Option<Attachment>, NotExtraData> {
    let mut packages = match said {
        None => Map::new(),
        Some(Value::Object(packages)) => packages,
        Some(_) => return Err(NotExtraData { place: String::new() }),
    };
    for (name, package) in &packages {
        let is_list_of_objects = package
            .as_array()
            .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object));
        if !is_list_of_objects {
            return Err(NotExtraData { place: format!(".{name:.80}") });
        }
    }
    if let Some((name, package)) = more
        && !packages.contains_key(name)
    {
        packages.insert(name.to_owned(), Value::Array(vec![package]));
    }
    Ok((!packages.is_empty()).then(|| Attachment::new(&Value::Object(packages))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_forgotten_and_never_shown() {
        let mut extras = Extras {
            merchant_data: Some("marked-data".to_owned()),
            customer: Some(
                Customer::new()
                    .kind(CustomerType::Organization)
                    .organization_registration_id("marked-id"),
            ),
            billing_address: Some(Address::new().organization_name("marked-name")),
            attachment: attachment(Some(json!({ "a": [{ "b": "marked-history" }] })), None)
                .unwrap(),
            ..Extras::default()
        };
        assert!(extras.is_business());
        assert!(!format!("{extras:?}").contains("marked"), "{extras:?}");
        extras.forget_people();
        assert!(!extras.is_business());
        let kept = serde_json::to_string(&extras).unwrap();
        assert_eq!(kept, r#"{"merchant_data":"marked-data"}"#);
        assert_eq!(serde_json::from_str::<Extras>(&kept).unwrap(), extras);
    }

    #[test]
    fn extra_merchant_data_have_klarnas_form() {
        let read = |said| attachment(said, Some(("in_store_payment", json!({ "store_info": 1 }))));
        let body = |said| read(said).unwrap().unwrap().body;
        assert_eq!(body(None), r#"{"in_store_payment":[{"store_info":1}]}"#);
        let own = json!({ "in_store_payment": [{ "store_info": 2 }] });
        assert_eq!(body(Some(own)), r#"{"in_store_payment":[{"store_info":2}]}"#);
        assert_eq!(attachment(Some(json!({})), None).unwrap(), None);
        for (bad, place) in [
            (json!([]), "extra_merchant_data:"),
            (json!("text"), "extra_merchant_data:"),
            (json!({ "event": {} }), "extra_merchant_data.event:"),
            (json!({ "event": [] }), "extra_merchant_data.event:"),
            (json!({ "event": [1] }), "extra_merchant_data.event:"),
        ] {
            let said = read(Some(bad)).unwrap_err().to_string();
            assert!(said.starts_with(place), "{said}");
        }
    }

    #[test]
    fn what_is_said_reaches_session_and_update_alike() {
        let extras = Extras {
            merchant_reference2: Some("2".to_owned()),
            design: Some("d".to_owned()),
            customer: Some(Customer::new().kind(CustomerType::Organization)),
            custom_payment_method_ids: Some(vec!["p".to_owned()]),
            options: Some(Options::new().radius_border("5px")),
            ..Extras::default()
        };
        let session = CreateSession::new(
            klarna_types::Country::SE,
            klarna_types::Currency::SEK,
            klarna_types::MinorUnits::ZERO,
            Vec::new(),
        );
        let opened = serde_json::to_value(extras.on_session(session)).unwrap();
        let changed = serde_json::to_value(extras.on_update(UpdateSession::new())).unwrap();
        for (member, value) in changed.as_object().unwrap() {
            assert_eq!(opened[member], *value, "{member}");
        }
        assert_eq!(changed.as_object().unwrap().len(), 5);
    }
}
