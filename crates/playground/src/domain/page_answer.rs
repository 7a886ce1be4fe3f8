//! What the merchant's page answers when it is asked what delivering comes to.
//!
//! Pages are written by many hands, so whatever cannot be read counts as not said.

use klarna_types::payments::SessionBody;
use serde::Deserialize as _;
use serde_json::Value;

use crate::domain::flow::delivery::{PageSays, ShippingOption};
use crate::domain::line_items::{self, LineItem};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PageAnswer {
    rejects: Option<String>,
    amount: Option<i64>,
    items: Vec<LineItem>,
    options: Option<Vec<ShippingOption>>,
    selected: Option<String>,
}

impl PageAnswer {
    /// Reads one. Both spellings of the reason are in use.
    pub(crate) fn read(value: &Value) -> Self {
        let reason = value.get("rejectionReason").or_else(|| value.get("rejection_reason"));
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let options = value.get("shippingOptions").and_then(Value::as_array).map(|options| {
            options.iter().filter_map(|option| ShippingOption::deserialize(option).ok()).collect()
        });
        Self {
            rejects: text(reason),
            amount: value.get("amount").and_then(Value::as_i64).filter(|amount| *amount >= 0),
            items: value.get("lineItems").map(line_items::read).unwrap_or_default(),
            options,
            selected: text(value.get("selectedShippingOptionReference")),
        }
    }

    /// What it means for the flow.
    pub(crate) fn says(&self) -> PageSays {
        match (&self.rejects, &self.options) {
            (Some(reason), _) => PageSays::Rejects(reason.clone()),
            (None, Some(options)) => {
                PageSays::Offers { options: options.clone(), selected: self.selected.clone() }
            }
            (None, None) => PageSays::Nothing,
        }
    }

    /// The session's data with the amount and the lines that it names.
    pub(crate) fn change(&self, mut body: SessionBody) -> SessionBody {
        let amount = self.amount.or_else(|| match self.items.as_slice() {
            [] => None,
            items => line_items::sum(items),
        });
        if let Some(amount) = amount {
            line_items::put(&mut body, &self.items, amount);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use klarna_types::MinorUnits;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_of_a_rejection_are_read() {
        for name in ["rejectionReason", "rejection_reason"] {
            let answer = PageAnswer::read(&json!({ name: "CITY_NOT_SUPPORTED", "amount": 5 }));
            assert_eq!(answer.says(), PageSays::Rejects("CITY_NOT_SUPPORTED".to_owned()));
        }
    }

    #[test]
    fn ways_of_sending_and_amounts_are_read() {
        let answer = PageAnswer::read(&json!({
            "amount": 14_900,
            "lineItems": [
                { "name": "Mug", "quantity": 1, "totalAmount": 10_000, "totalTaxAmount": 2_000 },
                { "name": "Parcel", "quantity": 1, "totalAmount": 4_900, "shippingReference": "p" },
            ],
            "selectedShippingOptionReference": "p",
            "shippingOptions": [
                { "shippingOptionReference": "p", "amount": 4_900, "displayName": "Parcel", "shippingType": "TO_DOOR" },
                { "displayName": "without a reference" },
            ],
        }));
        let PageSays::Offers { options, selected } = answer.says() else { panic!("{answer:?}") };
        assert_eq!((options.len(), selected.as_deref()), (1, Some("p")));
        let body = answer.change(SessionBody::new());
        assert_eq!(body.order_amount, Some(MinorUnits::new(14_900)));
        assert_eq!(body.order_lines.map(|lines| lines.len()), Some(2));
    }

    #[test]
    fn nothing_said_changes_nothing() {
        for value in [json!(null), json!(false), json!("x"), json!({}), json!({ "amount": -1 })] {
            let answer = PageAnswer::read(&value);
            assert_eq!(answer.says(), PageSays::Nothing, "{value}");
            let body = SessionBody::new().order_amount(MinorUnits::new(5));
            assert_eq!(answer.change(body.clone()), body, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}", number in any::<i64>()) {
            let value = json!({
                "amount": number, "lineItems": text, "shippingOptions": [text, number],
                "rejectionReason": number,
            });
            let answer = PageAnswer::read(&value);
            prop_assert!(!matches!(answer.says(), PageSays::Rejects(_)));
        }
    }
}
