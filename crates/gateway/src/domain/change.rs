//! Changes of an order that move no money: its amount and lines before they are captured, its time,
//! references, address and parcels, the shopper's mail, a capture's due date.
//!
//! Rules kept here: what each of them is called; what is kept of it in the journal; what Klarna's
//! refusal of it means; and what the order, read back, says of a change whose answer was lost. A
//! change that sets something took effect when the order is as it was wanted, and did not when the
//! order is as it was before; anything else is for a person. A change that adds something took
//! effect when what was added is there.

use klarna_types::order_management::{Order, ShippingInfo, UpdateConsumer};
use klarna_types::{Address, MinorUnits, OrderLine};
use serde::{Deserialize, Serialize};

use super::lines;
use super::operation::{Finding, Reason};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The authorised amount and the order lines.
    UpdateAuthorization,
    /// The time in which it can be captured.
    ExtendAuthorization,
    /// Where it is sent.
    UpdateCustomer,
    /// The shop's references.
    UpdateReferences,
    /// Parcels, of the order or of a capture.
    AddShippingInfo,
    /// The shopper gets the latest mail about a capture again.
    ResendCommunication,
    /// The shopper pays a capture later.
    ExtendDueDate,
    /// Klarna is told that the shop has the order.
    Acknowledge,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 8] = [
        Self::UpdateAuthorization,
        Self::ExtendAuthorization,
        Self::UpdateCustomer,
        Self::UpdateReferences,
        Self::AddShippingInfo,
        Self::ResendCommunication,
        Self::ExtendDueDate,
        Self::Acknowledge,
    ];

    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::UpdateAuthorization => "update_authorization",
            Self::ExtendAuthorization => "extend_authorization",
            Self::UpdateCustomer => "update_customer_details",
            Self::UpdateReferences => "update_merchant_references",
            Self::AddShippingInfo => "add_shipping_info",
            Self::ResendCommunication => "resend_communication",
            Self::ExtendDueDate => "extend_due_date",
            Self::Acknowledge => "acknowledge",
        }
    }

    /// What Klarna was asked for, after "Klarna refused".
    pub fn wanted(self) -> &'static str {
        match self {
            Self::UpdateAuthorization => "to change the authorised amount",
            Self::ExtendAuthorization => "to extend the authorisation",
            Self::UpdateCustomer => "to change the customer's details",
            Self::UpdateReferences => "to change the merchant references",
            Self::AddShippingInfo => "the shipping information",
            Self::ResendCommunication => "to write to the shopper again",
            Self::ExtendDueDate => "to extend the due date",
            Self::Acknowledge => "to acknowledge the order",
        }
    }

    /// The type of the event that says that it took effect.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::UpdateAuthorization => "payment.authorization_updated",
            Self::ExtendAuthorization => "payment.authorization_extended",
            Self::UpdateCustomer => "payment.customer_details_updated",
            Self::UpdateReferences => "payment.merchant_references_updated",
            Self::AddShippingInfo => "payment.shipping_info_added",
            Self::ResendCommunication => "payment.communication_resent",
            Self::ExtendDueDate => "payment.due_date_extended",
            Self::Acknowledge => "payment.acknowledged",
        }
    }

    /// Whether nothing in Klarna's books would show it, and asking twice does no harm. When the
    /// answer is lost for good, nobody is bothered: whoever wanted it is told to ask again.
    pub fn is_harmless_twice(self) -> bool {
        match self {
            Self::ResendCommunication | Self::Acknowledge => true,
            Self::UpdateAuthorization
            | Self::ExtendAuthorization
            | Self::UpdateCustomer
            | Self::UpdateReferences
            | Self::AddShippingInfo
            | Self::ExtendDueDate => false,
        }
    }

    /// What a refusal of Klarna means for it, and what would help; `None` where it means the same
    /// as for every other operation.
    pub fn refused(self, status: u16, code: &str) -> Option<(Reason, &'static str)> {
        match (status, code) {
            (404, "NO_SUCH_CAPTURE") => Some((
                Reason::UnknownOrder,
                "Read the payment: its captures have the ids that Klarna knows.",
            )),
            (422, "INVALID_ADDRESS") => Some((
                Reason::InvalidRequest,
                "Correct the address: street, postal code, city and names are needed, and the \
                 postal code must fit the country.",
            )),
            (403, _) => Some((Reason::StateForbids, self.remedy())),
            _ => None,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::UpdateAuthorization => {
                "The order stays as it was. To charge more, let the shopper place a new order for \
                 the difference; to charge less, capture less and release the rest."
            }
            Self::ExtendAuthorization => {
                "Capture before the authorisation lapses, or let the shopper place a new order."
            }
            Self::UpdateCustomer => {
                "Klarna checks the shopper anew with each change, or does not let this order be \
                 changed. Send to the address of the order, or cancel it and let the shopper order \
                 again."
            }
            Self::ExtendDueDate => {
                "Read the capture's due-date options and ask for one of them; an empty list means \
                 that its due date cannot be moved now."
            }
            Self::UpdateReferences
            | Self::AddShippingInfo
            | Self::ResendCommunication
            | Self::Acknowledge => {
                "The payment was read anew from Klarna. See its available_actions for what is \
                 possible now."
            }
        }
    }
}

/// A change as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRequest {
    /// Klarna's id of the order.
    pub order_id: String,
    /// Klarna's id of the capture, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_id: Option<String>,
    /// The request body, as it is sent; empty where there is none, and where it is personal: then it
    /// is kept beside the entry, and wiped as soon as the operation is settled.
    pub body: String,
    /// What it sets or adds, and what was there before.
    pub what: What,
}

/// What a change sets or adds, and what was there before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// Amount and lines.
    UpdateAuthorization {
        /// The new total.
        amount: MinorUnits,
        /// The new lines.
        order_lines: Vec<OrderLine>,
        /// The total when it was accepted.
        amount_before: MinorUnits,
        /// The lines when it was accepted.
        lines_before: Vec<OrderLine>,
    },
    /// The time.
    ExtendAuthorization {
        /// When it would have lapsed.
        expires_before_ms: Option<i64>,
    },
    /// The shipping address.
    UpdateCustomer {
        /// The names of the members that change; not what they say.
        members: Vec<String>,
    },
    /// The references; what is absent stays.
    UpdateReferences {
        /// The shop's order number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference1: Option<String>,
        /// Another number of the shop.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference2: Option<String>,
        /// The order number when it was accepted.
        before1: String,
        /// The other number when it was accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before2: Option<String>,
    },
    /// Parcels.
    AddShippingInfo {
        /// The new ones.
        parcels: Vec<ShippingInfo>,
        /// How many there were when it was accepted.
        count_before: usize,
    },
    /// A mail.
    ResendCommunication,
    /// A later due date.
    ExtendDueDate {
        /// By how many days.
        number_of_days: i32,
    },
    /// Nothing.
    Acknowledge,
}

impl What {
    /// Which change it is.
    pub fn change(&self) -> Change {
        match self {
            Self::UpdateAuthorization { .. } => Change::UpdateAuthorization,
            Self::ExtendAuthorization { .. } => Change::ExtendAuthorization,
            Self::UpdateCustomer { .. } => Change::UpdateCustomer,
            Self::UpdateReferences { .. } => Change::UpdateReferences,
            Self::AddShippingInfo { .. } => Change::AddShippingInfo,
            Self::ResendCommunication => Change::ResendCommunication,
            Self::ExtendDueDate { .. } => Change::ExtendDueDate,
            Self::Acknowledge => Change::Acknowledge,
        }
    }
}

impl ChangeRequest {
    /// Which change it is.
    pub fn change(&self) -> Change {
        self.what.change()
    }

    /// The total that it sets, if it sets one.
    pub fn new_amount(&self) -> Option<MinorUnits> {
        match &self.what {
            What::UpdateAuthorization { amount, .. } => Some(*amount),
            What::ExtendAuthorization { .. }
            | What::UpdateCustomer { .. }
            | What::UpdateReferences { .. }
            | What::AddShippingInfo { .. }
            | What::ResendCommunication
            | What::ExtendDueDate { .. }
            | What::Acknowledge => None,
        }
    }
}

/// Looks for the effect of a change in the order as Klarna shows it. `personal` is the body of a
/// change of the customer's details.
pub fn find_effect(request: &ChangeRequest, personal: Option<&str>, order: &Order) -> Finding {
    match &request.what {
        What::UpdateAuthorization { amount, order_lines, amount_before, lines_before } => {
            let shows = |amount: MinorUnits, of: &[OrderLine]| {
                order.order_amount == amount && same_lines(&order.order_lines, of)
            };
            told(shows(*amount, order_lines), shows(*amount_before, lines_before))
        }
        What::ExtendAuthorization { expires_before_ms } => {
            let now = order.expires_at.map(jiff::Timestamp::as_millisecond);
            told(now > *expires_before_ms, now == *expires_before_ms)
        }
        What::UpdateCustomer { .. } => {
            let patch = personal
                .and_then(|body| serde_json::from_str::<UpdateConsumer>(body).ok())
                .and_then(|body| body.shipping_address);
            match (patch, &order.shipping_address) {
                (None, _) => Finding::Unclear,
                // What stood there before is not known: it is personal, and not kept.
                (Some(patch), Some(address)) if shows(address, &patch) => took_effect(),
                (Some(_), _) => Finding::NoEffect,
            }
        }
        What::UpdateReferences { reference1, reference2, before1, before2 } => {
            let now1 = plain(order.merchant_reference1.as_deref());
            let now2 = plain(order.merchant_reference2.as_deref());
            let wanted1 = reference1.as_deref().map(|text| plain(Some(text)));
            let wanted2 = reference2.as_deref().map(|text| plain(Some(text)));
            told(
                wanted1.is_none_or(|wanted| wanted == now1)
                    && wanted2.is_none_or(|wanted| wanted == now2),
                (wanted1.is_none() || now1 == plain(Some(before1)))
                    && (wanted2.is_none() || now2 == plain(before2.as_deref())),
            )
        }
        What::AddShippingInfo { parcels, count_before } => {
            let there = match &request.capture_id {
                None => Some(&order.shipping_info),
                Some(id) => order
                    .captures
                    .iter()
                    .find(|capture| capture.capture_id.as_str() == id)
                    .map(|capture| &capture.shipping_info),
            };
            let added = there.and_then(|there| there.get(*count_before..)).unwrap_or_default();
            if contains_all(added, parcels) { took_effect() } else { Finding::NoEffect }
        }
        // Nothing that Klarna shows tells.
        What::ResendCommunication | What::ExtendDueDate { .. } | What::Acknowledge => {
            Finding::Unclear
        }
    }
}

fn took_effect() -> Finding {
    Finding::TookEffect { id: None }
}

fn told(is_as_wanted: bool, is_as_before: bool) -> Finding {
    if is_as_wanted {
        took_effect()
    } else if is_as_before {
        Finding::NoEffect
    } else {
        Finding::Unclear
    }
}

/// Klarna shows what was never set as absent or as an empty text.
fn plain(text: Option<&str>) -> &str {
    text.unwrap_or_default().trim()
}

fn same_lines(these: &[OrderLine], those: &[OrderLine]) -> bool {
    these.len() == those.len()
        && these.iter().zip(those).all(|(this, that)| {
            lines::key(this) == lines::key(that)
                && this.quantity == that.quantity
                && this.unit_price == that.unit_price
                && this.total_amount == that.total_amount
        })
}

/// Whether an address says what a change of it wanted, member by member.
fn shows(address: &Address, patch: &Address) -> bool {
    let members = |address: &Address| match serde_json::to_value(address) {
        Ok(serde_json::Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let shown = members(address);
    members(patch).iter().all(|(name, wanted)| {
        plain(shown.get(name).and_then(serde_json::Value::as_str)) == plain(wanted.as_str())
    })
}

/// Whether each of the parcels is among those there, as often as it was added.
pub(super) fn contains_all(there: &[ShippingInfo], parcels: &[ShippingInfo]) -> bool {
    let times = |parcel: &ShippingInfo, of: &[ShippingInfo]| {
        of.iter().filter(|each| same_parcel(each, parcel)).count()
    };
    !parcels.is_empty()
        && parcels.iter().all(|parcel| times(parcel, there) >= times(parcel, parcels))
}

fn same_parcel(this: &ShippingInfo, that: &ShippingInfo) -> bool {
    let texts = |of: &ShippingInfo| {
        [
            plain(of.shipping_company.as_deref()).to_owned(),
            of.shipping_method.as_ref().map_or("", |method| method.as_str()).to_owned(),
            plain(of.tracking_number.as_deref()).to_owned(),
            plain(of.tracking_uri.as_deref()).to_owned(),
            plain(of.return_shipping_company.as_deref()).to_owned(),
            plain(of.return_tracking_number.as_deref()).to_owned(),
            plain(of.return_tracking_uri.as_deref()).to_owned(),
        ]
    };
    texts(this) == texts(that)
}

#[cfg(test)]
mod tests {
    use klarna_types::OrderLineType;
    use serde_json::{Value, json};

    use super::*;

    fn line(reference: &str, total: i64) -> OrderLine {
        let amount = MinorUnits::new(total);
        OrderLine::new(reference, 1, amount, amount)
            .reference(reference)
            .kind(OrderLineType::Physical)
    }

    fn order(more: &Value) -> Order {
        let mut order = json!({
            "order_id": "o", "status": "AUTHORIZED", "order_amount": 1000, "captured_amount": 0,
            "refunded_amount": 0, "remaining_authorized_amount": 1000,
            "order_lines": [{
                "reference": "cup", "name": "cup", "quantity": 1, "unit_price": 1000,
                "total_amount": 1000,
            }],
        });
        for (name, value) in more.as_object().unwrap() {
            order[name] = value.clone();
        }
        serde_json::from_value(order).unwrap()
    }

    fn request(what: What) -> ChangeRequest {
        ChangeRequest { order_id: "o".to_owned(), capture_id: None, body: String::new(), what }
    }

    fn find(what: What, order: &Order) -> Finding {
        find_effect(&request(what), None, order)
    }

    const YES: Finding = Finding::TookEffect { id: None };

    #[test]
    fn names_are_told_apart() {
        for change in Change::ALL {
            assert_eq!(Change::ALL.iter().filter(|each| each.name() == change.name()).count(), 1);
            assert!(change.event_type().starts_with("payment."));
        }
    }

    #[test]
    fn a_lost_update_shows_in_amount_and_lines() {
        let what = |amount: i64| What::UpdateAuthorization {
            amount: MinorUnits::new(amount),
            order_lines: vec![line("cup", amount)],
            amount_before: MinorUnits::new(1000),
            lines_before: vec![line("cup", 1000)],
        };
        assert_eq!(find(what(900), &order(&json!({}))), Finding::NoEffect);
        let after = json!({ "order_amount": 900, "order_lines": [line("cup", 900)] });
        assert_eq!(find(what(900), &order(&after)), YES);
        // Somebody else was there.
        assert_eq!(find(what(900), &order(&json!({ "order_amount": 800 }))), Finding::Unclear);
        // Nothing to change, and nothing changed.
        assert_eq!(find(what(1000), &order(&json!({}))), YES);
    }

    #[test]
    fn a_lost_extension_shows_in_the_expiry() {
        let order = order(&json!({ "expires_at": "2031-01-29T00:00:00.000Z" }));
        let at_ms = order.expires_at.unwrap().as_millisecond();
        let find = |before| find(What::ExtendAuthorization { expires_before_ms: before }, &order);
        assert_eq!(find(Some(at_ms - 1)), YES);
        assert_eq!(find(Some(at_ms)), Finding::NoEffect);
        assert_eq!(find(Some(at_ms + 1)), Finding::Unclear);
    }

    #[test]
    fn a_lost_change_of_address_shows_member_by_member() {
        let order = order(&json!({
            "shipping_address": { "city": "Lund", "postal_code": "22222", "title": "" }
        }));
        let find = |patch: Value| {
            let what = What::UpdateCustomer { members: Vec::new() };
            let body = json!({ "shipping_address": patch }).to_string();
            find_effect(&request(what), Some(&body), &order)
        };
        assert_eq!(find(json!({ "city": "Lund" })), YES);
        assert_eq!(find(json!({ "city": "Lund", "title": "" })), YES);
        assert_eq!(find(json!({ "city": "Lund", "street_address": "Gata 1" })), Finding::NoEffect);
        let what = What::UpdateCustomer { members: Vec::new() };
        assert_eq!(find_effect(&request(what), None, &order), Finding::Unclear);
    }

    #[test]
    fn lost_references_show_in_the_order() {
        let order = order(&json!({ "merchant_reference1": "WEB-1", "merchant_reference2": "B-2" }));
        let find = |one: Option<&str>, two: Option<&str>, before2: Option<&str>| {
            let what = What::UpdateReferences {
                reference1: one.map(ToOwned::to_owned),
                reference2: two.map(ToOwned::to_owned),
                before1: "WEB-1".to_owned(),
                before2: before2.map(ToOwned::to_owned),
            };
            find(what, &order)
        };
        assert_eq!(find(None, Some("B-2"), None), YES);
        assert_eq!(find(None, Some("B-3"), Some("B-2")), Finding::NoEffect);
        assert_eq!(find(None, Some("B-3"), Some("B-1")), Finding::Unclear);
        assert_eq!(find(Some("WEB-2"), None, None), Finding::NoEffect);
        assert_eq!(find(None, Some(""), Some("B-2")), Finding::NoEffect);
    }

    #[test]
    fn lost_parcels_are_looked_for_among_the_new_ones() {
        let parcel = |number: &str| json!({ "tracking_number": number, "tracking_uri": "" });
        let order = order(&json!({
            "shipping_info": [parcel("1"), parcel("2")],
            "captures": [{ "capture_id": "c", "captured_amount": 1, "shipping_info": [parcel("3")] }],
        }));
        let find = |capture: Option<&str>, numbers: &[&str], count_before| {
            let parcels = numbers
                .iter()
                .map(|number| ShippingInfo {
                    tracking_number: Some((*number).to_owned()),
                    ..ShippingInfo::default()
                })
                .collect();
            let mut request = request(What::AddShippingInfo { parcels, count_before });
            request.capture_id = capture.map(ToOwned::to_owned);
            find_effect(&request, None, &order)
        };
        assert_eq!(find(None, &["2"], 1), YES);
        assert_eq!(find(None, &["1"], 1), Finding::NoEffect);
        assert_eq!(find(None, &["1", "2"], 0), YES);
        assert_eq!(find(None, &["1", "1"], 0), Finding::NoEffect);
        assert_eq!(find(Some("c"), &["3"], 0), YES);
        assert_eq!(find(Some("other"), &["3"], 0), Finding::NoEffect);
        assert_eq!(find(None, &["9"], 7), Finding::NoEffect);
    }

    #[test]
    fn what_leaves_no_trace_is_not_guessed_at() {
        for what in [
            What::ResendCommunication,
            What::Acknowledge,
            What::ExtendDueDate { number_of_days: 10 },
        ] {
            assert_eq!(find(what, &order(&json!({}))), Finding::Unclear);
        }
    }
}
