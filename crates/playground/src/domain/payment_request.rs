//! Payment requests of the Web SDK: what a page asks to be paid, and the states that the request goes through.
//!
//! A request is open for three hours. It is in progress while the shopper is in the purchase flow, and open again
//! when they leave it; completed, expired and cancelled are final.

pub(crate) mod merchant_side;

use jiff::Timestamp;
use klarna_types::market::{MARKETS, Market};
use klarna_types::payments::SessionBody;
use klarna_types::{Address, Country, Currency, Locale, MerchantId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::client_id::ClientIdentifier;
use crate::domain::flow::delivery::{Delivery, ShippingOption};
use crate::domain::line_items::{self, LineItem};
use crate::domain::sdk_token;

/// How the id of a request begins.
const ID: &str = "krn:payment:request:";

/// The id of the request whose address ends with this.
pub(crate) fn id_of(key: &str) -> String {
    format!("{ID}{key}")
}

/// How long a request is open.
pub(crate) const OPEN_MS: i64 = 3 * 60 * 60 * 1_000;

/// Where a request stands, in the SDK's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// It waits for the shopper.
    Submitted,
    /// The shopper is in the purchase flow.
    InProgress,
    /// Approved.
    Completed,
    /// Nobody approved it in time.
    Expired,
    /// The page called it off.
    Canceled,
}

impl State {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 5] =
        [Self::Submitted, Self::InProgress, Self::Completed, Self::Expired, Self::Canceled];

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Expired => "EXPIRED",
            Self::Canceled => "CANCELED",
        }
    }

    /// Whether nothing follows.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Expired | Self::Canceled)
    }
}

/// Why it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Reason {
    /// The page called it off.
    PartnerCanceled,
    /// The shopper left the flow, or was declined in it.
    PurchaseFlowAborted,
    /// What the page asked for could not be paid.
    TechnicalError,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A purchase flow begins.
    Begun,
    /// It led to an approval.
    Approved,
    /// It did not.
    Aborted,
    /// It could not.
    Broke,
    /// The page calls the request off.
    Canceled,
    /// Time is over.
    Expired,
}

/// A request that takes nothing any more, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment request that is {0:?} does not take this")]
pub(crate) struct Refusal(pub(crate) State);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are Klarna's")]
pub(crate) struct PaymentRequest {
    /// Its id.
    pub(crate) payment_request_id: String,
    /// The client identifier that it was made with; no other may see it. Nothing where the merchant's server has
    /// made it: any of its pages may go on with it.
    #[serde(default)]
    pub(crate) client_id: String,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// The payment session behind it.
    pub(crate) session_id: SessionId,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Where it stands.
    pub(crate) state: State,
    /// Where it stood before.
    pub(crate) previous_state: Option<State>,
    /// Why it stands there.
    pub(crate) state_reason: Option<Reason>,
    /// Grows by one with each change.
    pub(crate) version: i64,
    /// What the page wants to know of the shopper.
    pub(crate) profile: Vec<String>,
    /// Whether, and where, goods are sent.
    pub(crate) shipping: Option<ShippingConfig>,
    /// Where the browser goes at the end.
    pub(crate) return_url: Option<String>,
    /// The merchant's own name for it.
    #[serde(default)]
    pub(crate) reference: Option<String>,
    /// What came of it.
    pub(crate) outcome: Option<Outcome>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The shopper's approval.
    pub(crate) payment_token: String,
    /// The shopper.
    pub(crate) billing: Option<Address>,
    /// Their day of birth.
    pub(crate) date_of_birth: Option<String>,
    /// Their language.
    pub(crate) locale: Option<String>,
    /// Where the goods go.
    pub(crate) shipping_address: Option<Address>,
    /// How they are sent.
    pub(crate) shipping_option: Option<ShippingOption>,
}

impl PaymentRequest {
    /// When it ends unless it is completed.
    pub(crate) fn expires_at_ms(&self) -> i64 {
        self.created_at.as_millisecond().saturating_add(OPEN_MS)
    }

    /// Whether pages with this client identifier may see it and go on with it.
    pub(crate) fn is_for(&self, client: &ClientIdentifier) -> bool {
        if self.client_id.is_empty() {
            self.merchant_id == client.merchant_id
        } else {
            self.client_id == client.client_id
        }
    }

    /// Where it can be paid, without a page of the merchant's around it.
    pub(crate) fn url(&self, base_url: &str) -> String {
        let id = self.payment_request_id.as_str();
        format!("{base_url}/eu/requests/{}/start", id.strip_prefix(ID).unwrap_or(id))
    }

    /// As it is now: time may be over.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        if now.as_millisecond() >= self.expires_at_ms() {
            // What is final already stays as it is.
            let _ = self.happen(Event::Expired);
        }
        self
    }

    /// Lets something happen. What changes nothing is fine.
    pub(crate) fn happen(&mut self, event: Event) -> Result<(), Refusal> {
        match (self.state, event) {
            (State::Submitted, Event::Begun) => self.go(State::InProgress, None),
            // Another window goes on, or one that is gone says that it is.
            (State::InProgress, Event::Begun)
            | (State::Submitted, Event::Aborted | Event::Broke) => {}
            (State::InProgress, Event::Approved) => self.go(State::Completed, None),
            (State::InProgress, Event::Aborted) => {
                self.go(State::Submitted, Some(Reason::PurchaseFlowAborted));
            }
            (State::InProgress, Event::Broke) => {
                self.go(State::Submitted, Some(Reason::TechnicalError));
            }
            (State::Submitted | State::InProgress, Event::Canceled) => {
                self.go(State::Canceled, Some(Reason::PartnerCanceled));
            }
            (State::Submitted | State::InProgress, Event::Expired) => self.go(State::Expired, None),
            (state, Event::Aborted | Event::Broke) if state.is_final() => {}
            (state, _) => return Err(Refusal(state)),
        }
        Ok(())
    }

    fn go(&mut self, state: State, reason: Option<Reason>) {
        self.previous_state = Some(self.state);
        self.state = state;
        self.state_reason = reason;
        self.version += 1;
    }

    /// What the flow asks of where the goods go.
    pub(crate) fn delivery(&self) -> Option<Delivery> {
        self.shipping.as_ref().map(|shipping| Delivery {
            countries: shipping.supported_countries.clone(),
            fixed: shipping.mode.as_deref() == Some("READ_ONLY"),
            asks_page: true,
            ..Delivery::default()
        })
    }

    /// As the page reads it. Members that do not apply are absent.
    pub(crate) fn view(&self, base_url: &str) -> Value {
        let mut view = json!({
            "paymentRequestId": self.payment_request_id,
            "state": self.state,
        });
        if let Some(previous) = self.previous_state {
            view["previousState"] = json!(previous);
        }
        if let Some(reason) = self.state_reason {
            view["stateReason"] = json!(reason);
        }
        if let Some(outcome) = &self.outcome {
            view["stateContext"] = self.context(outcome);
        } else if !self.state.is_final() {
            view["stateContext"] = json!({ "customerInteraction": {
                "method": "HANDOVER",
                "paymentRequestId": self.payment_request_id,
                "paymentRequestUrl": self.url(base_url),
            } });
        }
        view
    }

    fn context(&self, outcome: &Outcome) -> Value {
        // The older names are still read.
        let session_token = sdk_token::network_session(&outcome.payment_token);
        let mut context = json!({
            "paymentToken": outcome.payment_token,
            "interoperabilityToken": session_token,
            "klarnaNetworkSessionToken": session_token,
        });
        let profile = self.customer_profile(outcome);
        if profile.as_object().is_some_and(|profile| !profile.is_empty()) {
            context["klarnaCustomer"] = json!({ "customerProfile": profile });
        }
        if let (Some(_), Some(address)) = (&self.shipping, &outcome.shipping_address) {
            let mut shipping = json!({
                "recipient": recipient(address),
                "address": place(address),
            });
            if let Some(option) = &outcome.shipping_option {
                shipping["shippingOptionReference"] = json!(option.shipping_option_reference);
            }
            context["shipping"] = shipping;
        }
        context
    }

    fn customer_profile(&self, outcome: &Outcome) -> Value {
        let wants = |scope: &str| {
            self.profile.iter().any(|wanted| wanted.strip_prefix("profile:") == Some(scope))
        };
        let mut profile = serde_json::Map::new();
        let mut add = |name: &str, value: Option<&String>| {
            if let Some(value) = value {
                profile.insert(name.to_owned(), json!(value));
            }
        };
        if let Some(billing) = &outcome.billing {
            if wants("name") {
                add("givenName", billing.given_name.as_ref());
                add("familyName", billing.family_name.as_ref());
            }
            if wants("email") {
                add("email", billing.email.as_ref());
            }
            if wants("phone") {
                add("phone", billing.phone.as_ref());
            }
            if wants("country") {
                let country = billing.country.as_ref().map(|country| country.as_str().to_owned());
                add("country", country.as_ref());
            }
        }
        if wants("locale") {
            add("locale", outcome.locale.as_ref());
        }
        if wants("date_of_birth") {
            add("dateOfBirth", outcome.date_of_birth.as_ref());
        }
        if let (Some(billing), true) = (&outcome.billing, wants("billing_address")) {
            profile.insert("address".to_owned(), place(billing));
        }
        Value::Object(profile)
    }
}

/// The person that goods are sent to.
fn recipient(address: &Address) -> Value {
    members([
        ("givenName", &address.given_name),
        ("familyName", &address.family_name),
        ("email", &address.email),
        ("phone", &address.phone),
    ])
}

/// The place, in the SDK's names.
fn place(address: &Address) -> Value {
    let mut place = members([
        ("streetAddress", &address.street_address),
        ("streetAddress2", &address.street_address2),
        ("postalCode", &address.postal_code),
        ("city", &address.city),
        ("region", &address.region),
    ]);
    if let Some(country) = &address.country {
        place["country"] = json!(country.as_str());
    }
    place
}

fn members<const N: usize>(all: [(&str, &Option<String>); N]) -> Value {
    let given =
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
    Value::Object(given.collect())
}

/// Whether and where goods are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ShippingConfig {
    /// `EDITABLE` or `READ_ONLY`.
    mode: Option<String>,
    /// None: everywhere.
    supported_countries: Vec<Country>,
}

/// What a page asks for. Only the currency has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The session that it is paid in.
    pub(crate) body: SessionBody,
    /// What it wants to know of the shopper.
    pub(crate) profile: Vec<String>,
    /// Whether, and where, goods are sent.
    pub(crate) shipping: Option<ShippingConfig>,
    /// Where the browser goes at the end.
    pub(crate) return_url: Option<String>,
    /// The merchant's own name for it.
    pub(crate) reference: Option<String>,
}

/// A member that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// Its path.
    pub(crate) field: &'static str,
    /// Why.
    pub(crate) message: &'static str,
}

impl Wanted {
    /// Reads what a page asks for in a locale.
    pub(crate) fn read(value: &Value, locale: Option<&str>) -> Result<Self, Invalid> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let currency = text("currency")
            .ok_or(Invalid { field: "currency", message: "a currency is required" })?;
        let shipping = value.get("shippingConfig").or_else(|| value.get("collectShippingData"));
        let shipping = shipping
            .filter(|config| config.is_object())
            .map(|config| ShippingConfig::deserialize(config).unwrap_or_default());
        let countries = shipping.as_ref().map_or(&[][..], |shipping| &shipping.supported_countries);
        let market = market_of(&currency, locale, countries).ok_or(Invalid {
            field: "currency",
            message: "no market of Klarna's has this currency",
        })?;
        let purchase = value.get("supplementaryPurchaseData").unwrap_or(&Value::Null);
        let items: Vec<LineItem> = line_items::read(&purchase["lineItems"]);
        let amount = match value.get("amount") {
            None | Some(Value::Null) => line_items::sum(&items),
            Some(amount) => amount.as_i64().filter(|amount| *amount >= 0),
        };
        let amount = amount.ok_or(Invalid {
            field: "amount",
            message: "an integer in minor units, zero or more",
        })?;
        let mut body = SessionBody::new()
            .purchase_country(market.country.clone())
            .purchase_currency(market.currency.clone());
        body.locale = locale
            .map(Locale::new)
            .filter(|locale| market.accepts_locale(locale))
            .or_else(|| Some(market.default_locale()));
        body.merchant_reference1 = text("paymentRequestReference")
            .or_else(|| purchase["purchaseReference"].as_str().map(str::to_owned));
        line_items::put(&mut body, &items, amount);
        let profile = value.get("collectCustomerProfile").and_then(Value::as_array);
        let profile = profile.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let returns =
            value.get("customerInteractionConfig").and_then(|config| config.get("returnUrl"));
        let return_url = returns.and_then(Value::as_str).map(str::to_owned);
        // The browser is sent there from a page of the playground, too, which must run nothing of anybody's.
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if return_url.as_ref().is_some_and(|url| !is_web(url)) {
            let field = "customerInteractionConfig.returnUrl";
            return Err(Invalid { field, message: "an http or https URL" });
        }
        Ok(Self {
            body,
            profile: profile.collect(),
            shipping,
            return_url,
            reference: text("paymentRequestReference"),
        })
    }
}

/// The market of a request: that of its locale, else one that goods are sent to, else the largest with that
/// currency. Requests do not name one.
pub(crate) fn market_of(
    currency: &str,
    locale: Option<&str>,
    countries: &[Country],
) -> Option<&'static Market> {
    let currency = Currency::from(currency.to_ascii_uppercase().as_str());
    let fitting = || MARKETS.iter().filter(|market| market.currency == currency);
    let region = locale.and_then(|locale| locale.rsplit(['-', '_']).next());
    fitting()
        .find(|market| {
            region.is_some_and(|region| region.eq_ignore_ascii_case(market.country.as_str()))
        })
        .or_else(|| fitting().find(|market| countries.contains(&market.country)))
        .or_else(|| fitting().find(|market| market.country == Country::DE))
        .or_else(|| fitting().next())
}

#[cfg(test)]
mod tests {
    use klarna_types::MinorUnits;
    use klarna_types::validate::{UrlRule, create_session};
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [Event; 6] = [
        Event::Begun,
        Event::Approved,
        Event::Aborted,
        Event::Broke,
        Event::Canceled,
        Event::Expired,
    ];

    pub(super) fn request(state: State) -> PaymentRequest {
        PaymentRequest {
            payment_request_id: "r".to_owned(),
            client_id: "c".to_owned(),
            merchant_id: MerchantId::new("K1"),
            session_id: SessionId::new("s"),
            created_at: Timestamp::UNIX_EPOCH,
            state,
            previous_state: None,
            state_reason: None,
            version: 1,
            profile: vec!["profile:email".to_owned()],
            shipping: None,
            return_url: None,
            reference: None,
            outcome: None,
        }
    }

    /// The published table of moves.
    fn may(from: State, to: State) -> bool {
        use State::{Canceled, Completed, Expired, InProgress, Submitted};
        match from {
            Submitted => matches!(to, InProgress | Expired | Canceled),
            InProgress => matches!(to, Submitted | Completed | Expired | Canceled),
            Completed | Expired | Canceled => false,
        }
    }

    #[test]
    fn every_event_in_every_state() {
        for state in State::ALL {
            for event in EVENTS {
                let mut after = request(state);
                match after.happen(event) {
                    Ok(()) if after.state == state => assert_eq!(after, request(state)),
                    Ok(()) => {
                        assert!(may(state, after.state), "{state:?} {event:?} {:?}", after.state);
                        assert_eq!(after.previous_state, Some(state));
                        assert_eq!(after.version, 2);
                    }
                    Err(Refusal(refused)) => {
                        assert_eq!(refused, state);
                        assert_eq!(after, request(state), "a refusal changes nothing");
                    }
                }
            }
        }
    }

    #[test]
    fn it_is_open_for_three_hours() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let open = request(State::Submitted);
        assert_eq!(open.clone().at(at(OPEN_MS - 1)), open);
        assert_eq!(open.at(at(OPEN_MS)).state, State::Expired);
        let done = request(State::Completed);
        assert_eq!(done.clone().at(at(OPEN_MS * 9)), done);
    }

    #[test]
    fn a_page_reads_what_it_asked_for_and_nothing_that_does_not_apply() {
        let mut request = request(State::Completed);
        assert_eq!(request.view(""), json!({ "paymentRequestId": "r", "state": "COMPLETED" }));
        let address = Address::new().given_name("Alva").email("a@b.se").city("Stockholm");
        request.outcome = Some(Outcome {
            payment_token: "t".to_owned(),
            billing: Some(address.clone()),
            date_of_birth: Some("1970-01-01".to_owned()),
            locale: None,
            shipping_address: Some(address),
            shipping_option: None,
        });
        assert_eq!(
            request.view("")["stateContext"],
            json!({
                "paymentToken": "t",
                "interoperabilityToken": "krn:network:eu1:test:session-token:t",
                "klarnaNetworkSessionToken": "krn:network:eu1:test:session-token:t",
                "klarnaCustomer": { "customerProfile": { "email": "a@b.se" } },
            })
        );
    }

    #[test]
    fn what_is_wanted_becomes_a_session() {
        let value = json!({
            "currency": "SEK", "amount": 12_500, "paymentRequestReference": "W-1",
            "collectCustomerProfile": ["profile:email"], "shippingConfig": { "mode": "EDITABLE", "supportedCountries": ["SE"] },
            "customerInteractionConfig": { "returnUrl": "https://shop.example/back" },
            "supplementaryPurchaseData": { "lineItems": [{ "name": "Mug", "quantity": 2, "totalAmount": 12_500, "totalTaxAmount": 2_500 }] },
        });
        let wanted = Wanted::read(&value, Some("sv-SE")).unwrap();
        assert_eq!(wanted.body.purchase_country, Some(Country::SE));
        assert_eq!(wanted.body.order_tax_amount, Some(MinorUnits::new(2_500)));
        assert_eq!(wanted.return_url.as_deref(), Some("https://shop.example/back"));
        assert!(wanted.shipping.is_some());
        for (value, field) in [
            (json!({}), "currency"),
            (json!({ "currency": "XXX" }), "currency"),
            (json!({ "currency": "SEK", "amount": -1 }), "amount"),
            (json!({ "currency": "SEK", "amount": "12" }), "amount"),
            (
                json!({ "currency": "SEK", "amount": 1, "customerInteractionConfig": { "returnUrl": "javascript:1" } }),
                "customerInteractionConfig.returnUrl",
            ),
        ] {
            assert_eq!(Wanted::read(&value, None).unwrap_err().field, field, "{value}");
        }
    }

    #[test]
    fn the_market_is_found_without_being_named() {
        let market = |currency, locale, countries: &[Country]| {
            market_of(currency, locale, countries).map(|market| market.country.clone())
        };
        assert_eq!(market("EUR", Some("fi-FI"), &[]), Some(Country::FI));
        assert_eq!(market("EUR", Some("en-US"), &[Country::IE]), Some(Country::IE));
        assert_eq!(market("eur", None, &[]), Some(Country::DE));
        assert_eq!(market("USD", Some("sv-SE"), &[]), Some(Country::US));
        assert_eq!(market("XXX", None, &[]), None);
    }

    proptest! {
        #[test]
        fn whatever_happens_the_table_holds(events in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..20)) {
            let mut request = request(State::Submitted);
            for event in events {
                let before = request.clone();
                if request.happen(event).is_err() {
                    prop_assert_eq!(&request, &before);
                } else if request.state != before.state {
                    prop_assert!(may(before.state, request.state));
                }
                prop_assert!(!before.state.is_final() || request.state == before.state);
            }
        }

        #[test]
        fn a_session_of_a_request_is_one_that_the_api_takes(
            amount in prop::option::of(0_i64..9_000_000),
            totals in prop::collection::vec(0_i64..1_000_000, 0..4),
            market in prop::sample::select(MARKETS.iter().collect::<Vec<_>>()),
        ) {
            let items: Vec<_> = totals.iter().map(|total| json!({ "name": "Mug", "quantity": 1, "totalAmount": total })).collect();
            let mut value = json!({ "currency": market.currency.as_str(), "supplementaryPurchaseData": { "lineItems": items } });
            if let Some(amount) = amount {
                value["amount"] = json!(amount);
            }
            let locale = market.default_locale();
            let wanted = Wanted::read(&value, Some(locale.as_str())).unwrap();
            prop_assert_eq!(wanted.body.purchase_country.as_ref(), Some(&market.country));
            let problems = create_session(&wanted.body, UrlRule::Https);
            prop_assert!(problems.is_empty(), "{:?}", problems);
        }
    }
}
