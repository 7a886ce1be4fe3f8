//! What the pages are told to show. Amounts are integers in minor units with the currency's number of
//! decimals beside them; the pages only write them out.

use jiff::civil::Date;
use klarna_types::payments::{Options, SessionBody};
use klarna_types::{Address, Country, Locale};
use serde::Serialize;

use crate::domain::customer_token::Reuse;
use crate::domain::decision::StepUp;
use crate::domain::flow::delivery::{Delivery, ShippingOption};
use crate::domain::flow::offer::Offer;
use crate::domain::flow::{Flow, Problem, Profile, Purchase, Rejection, Step};
use crate::domain::persons;
use crate::domain::session::{Session, effective_country};

/// The amount and how it is written.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Price {
    locale: String,
    country: String,
    currency: String,
    exponent: u8,
    amount: i64,
}

/// What is bought in a session.
pub(super) fn purchase(body: &SessionBody) -> Purchase {
    Purchase {
        country: effective_country(body).cloned().unwrap_or(Country::US),
        amount: body.order_amount.map_or(0, klarna_types::MinorUnits::get),
        reuse: Reuse::by(body.intent.as_ref()),
    }
}

/// What a session comes to, and how amounts in it are written.
pub(super) fn price_of(body: &SessionBody) -> Price {
    price(body, &purchase(body))
}

fn price(body: &SessionBody, purchase: &Purchase) -> Price {
    let market = purchase.country.market();
    let locale = body
        .locale
        .clone()
        .filter(Locale::is_well_formed)
        .or_else(|| market.map(klarna_types::market::Market::default_locale));
    let currency =
        body.purchase_currency.clone().or_else(|| market.map(|market| market.currency.clone()));
    Price {
        locale: locale.map_or_else(|| "en-US".to_owned(), |locale| locale.as_str().to_owned()),
        country: purchase.country.as_str().to_owned(),
        exponent: currency.as_ref().map_or(2, klarna_types::Currency::exponent),
        currency: currency
            .map_or_else(|| "USD".to_owned(), |currency| currency.as_str().to_owned()),
        amount: purchase.amount,
    }
}

/// What is bought, on a page of Klarna's own.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PurchaseView {
    #[serde(flatten)]
    price: Price,
    lines: Vec<LineView>,
}

/// What is bought in a session, line by line.
pub(super) fn bought(body: &SessionBody) -> PurchaseView {
    PurchaseView { price: price_of(body), lines: lines(body) }
}

/// What the widget shows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WidgetView {
    #[serde(flatten)]
    price: Price,
    offers: Vec<Offer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    colours: Option<Options>,
}

/// What the widget shows of a session.
pub(super) fn widget(session: &Session, offers: Vec<Offer>) -> WidgetView {
    let purchase = purchase(&session.body);
    WidgetView {
        price: price(&session.body, &purchase),
        offers,
        colours: session.body.options.clone().map(safe_colours),
    }
}

/// Only what the API would have accepted may reach a style sheet's values.
fn safe_colours(mut options: Options) -> Options {
    let is_colour = |text: &String| {
        text.len() == 7
            && text.starts_with('#')
            && text.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit())
    };
    let is_radius = |text: &String| {
        let number = text.strip_suffix("px").unwrap_or(text);
        !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    for colour in [
        &mut options.color_border,
        &mut options.color_border_selected,
        &mut options.color_details,
        &mut options.color_text,
    ] {
        *colour = colour.take().filter(is_colour);
    }
    options.radius_border = options
        .radius_border
        .take()
        .filter(is_radius)
        .map(|radius| if radius.ends_with("px") { radius } else { format!("{radius}px") });
    options
}

/// What the purchase flow shows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FlowView {
    step: &'static str,
    #[serde(flatten)]
    price: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemView>,
    /// Whether the shopper did nothing that deserves a word at the end.
    silent: bool,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Clone, Serialize)]
struct ProblemView {
    field: &'static str,
    code: Problem,
}

/// What only some steps have.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Content {
    Nothing {},
    Identify {
        #[serde(skip_serializing_if = "Option::is_none")]
        contact: Option<String>,
        persons: Vec<PersonView>,
    },
    Code {
        sent_to: String,
    },
    SignUp {
        profile: Profile,
    },
    Bank {
        banks: Vec<&'static str>,
        paying: bool,
    },
    Address {
        address: Box<Address>,
        countries: Vec<String>,
        region: bool,
        editable: bool,
        asks_page: bool,
    },
    Shipping {
        shipping_options: Vec<ShippingOption>,
        #[serde(skip_serializing_if = "Option::is_none")]
        shipping: Option<String>,
        asks_page: bool,
    },
    Choose {
        offers: Vec<Offer>,
        #[serde(skip_serializing_if = "Option::is_none")]
        chosen: Option<String>,
    },
    Review {
        #[serde(skip_serializing_if = "Option::is_none")]
        offer: Option<Offer>,
        lines: Vec<LineView>,
        address: Vec<String>,
        changeable: bool,
    },
}

#[derive(Debug, Clone, Serialize)]
struct PersonView {
    outcome: &'static str,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct LineView {
    name: String,
    quantity: i64,
    amount: i64,
}

/// What the shopper sees of a flow, and what was wrong with what they just did.
pub(super) fn flow(flow: &Flow, session: &Session, rejection: Option<Rejection>) -> FlowView {
    let body = &session.body;
    let problem = match rejection {
        Some(Rejection::Invalid { field, problem }) => Some(ProblemView { field, code: problem }),
        // The step that the flow is in is shown; there is nothing to say about it.
        Some(Rejection::WrongStep(_)) | None => None,
    };
    let (step, content) = match flow.step {
        Step::Identify => ("identify", identify(flow)),
        Step::Code => ("code", Content::Code { sent_to: masked(flow) }),
        Step::SignUp => ("sign_up", Content::SignUp { profile: known_profile(flow, body) }),
        Step::Proof => step_up(flow),
        Step::Address => ("address", where_to(flow, body)),
        Step::Shipping => {
            let delivery = flow.delivery.clone().unwrap_or_default();
            let Delivery { options, chosen, asks_page, .. } = delivery;
            let content =
                Content::Shipping { shipping_options: options, shipping: chosen, asks_page };
            ("shipping", content)
        }
        Step::Choose => {
            ("choose", Content::Choose { offers: flow.offers.clone(), chosen: flow.chosen.clone() })
        }
        Step::Review => ("review", review(flow, body)),
        Step::PayAtBank => ("bank_login", Content::Bank { banks: vec!["Demo Bank"], paying: true }),
        Step::Approved => ("approved", Content::Nothing {}),
        Step::Declined => ("declined", Content::Nothing {}),
        Step::Left => ("left", Content::Nothing {}),
    };
    FlowView { step, price: price(body, &flow.purchase), problem, silent: !flow.was_shown, content }
}

fn identify(flow: &Flow) -> Content {
    let persons = persons_of(&flow.purchase.country);
    let typed = flow.contact.as_ref().map(|contact| contact.as_str().to_owned());
    Content::Identify { contact: typed.or_else(|| flow.known_contact.clone()), persons }
}

/// The published persons of a market, and the address that signs up there.
fn persons_of(country: &Country) -> Vec<PersonView> {
    let person = |kind, outcome| {
        persons::find(country, kind).map(|person| PersonView {
            outcome,
            email: person.email.to_owned(),
            phone: Some(person.phone),
        })
    };
    let new_user = persons::find(country, persons::Kind::Approved).map(|_| PersonView {
        outcome: "new_user",
        // Published so for every market, the United Kingdom included.
        email: format!("customer+new_user@email.{}", country.as_str().to_ascii_lowercase()),
        phone: None,
    });
    let approved = person(persons::Kind::Approved, "approved");
    let denied = person(persons::Kind::Denied, "denied");
    [approved, denied, new_user].into_iter().flatten().collect()
}

fn step_up(flow: &Flow) -> (&'static str, Content) {
    match flow.assessment.step_up {
        None | Some(StepUp::IdScan) => ("id_scan", Content::Nothing {}),
        Some(StepUp::BankIdFi) => {
            ("bank_login", Content::Bank { banks: vec!["Nordea", "Demo Bank"], paying: false })
        }
        Some(StepUp::BankLogin | StepUp::Monthio) => {
            ("bank_login", Content::Bank { banks: vec!["Demo Bank"], paying: false })
        }
        Some(StepUp::CvvEntry) => ("card_code", Content::Nothing {}),
        Some(StepUp::OtpEmail | StepUp::OtpPhone) => {
            ("extra_code", Content::Code { sent_to: masked(flow) })
        }
    }
}

/// The form of the address, filled in with what is known: what was typed before, what the merchant knows, where the
/// new customer lives, or where the market's published person does.
fn where_to(flow: &Flow, body: &SessionBody) -> Content {
    let delivery = flow.delivery.clone().unwrap_or_default();
    let profile = flow.profile.as_ref().map(|profile| {
        Address::new()
            .given_name(profile.given_name.as_str())
            .family_name(profile.family_name.as_str())
            .street_address(profile.street_address.as_str())
            .postal_code(profile.postal_code.as_str())
            .city(profile.city.as_str())
    });
    let person = || persons::find(&flow.purchase.country, persons::Kind::Approved);
    let mut address = delivery
        .address
        .or_else(|| body.shipping_address.clone())
        .or(profile)
        .or_else(|| body.billing_address.clone().filter(|known| known.street_address.is_some()))
        .or_else(|| person().map(persons::Person::address))
        .unwrap_or_default();
    let country = address.country.get_or_insert_with(|| flow.purchase.country.clone()).clone();
    let countries = if delivery.countries.is_empty() { vec![country] } else { delivery.countries };
    // Not asked for here: it is known from the first step.
    address.email = None;
    let has_regions =
        |country: &Country| matches!(country, Country::US | Country::AU | Country::CA);
    Content::Address {
        region: address.region.is_some() || countries.iter().any(has_regions),
        address: Box::new(address),
        countries: countries.iter().map(|country| country.as_str().to_owned()).collect(),
        editable: !delivery.fixed,
        asks_page: delivery.asks_page,
    }
}

fn lines(body: &SessionBody) -> Vec<LineView> {
    let lines = body.order_lines.iter().flatten().map(|line| LineView {
        name: line.name.clone().unwrap_or_default(),
        quantity: line.quantity.unwrap_or(1),
        amount: line.total_amount.map_or(0, klarna_types::MinorUnits::get),
    });
    lines.collect()
}

fn review(flow: &Flow, body: &SessionBody) -> Content {
    let address = body.shipping_address.as_ref().or(body.billing_address.as_ref());
    Content::Review {
        offer: flow.chosen_offer().cloned(),
        lines: lines(body),
        address: address.map(address_lines).unwrap_or_default(),
        changeable: flow.offers.len() > 1,
    }
}

fn masked(flow: &Flow) -> String {
    flow.contact.as_ref().map(crate::domain::flow::Contact::masked).unwrap_or_default()
}

fn joined(parts: [&Option<String>; 2]) -> String {
    parts.into_iter().flatten().map(|part| part.trim()).collect::<Vec<_>>().join(" ")
}

fn address_lines(address: &Address) -> Vec<String> {
    [
        joined([&address.given_name, &address.family_name]),
        joined([&address.organization_name, &None]),
        joined([&address.street_address, &None]),
        joined([&address.street_address2, &None]),
        joined([&address.postal_code, &address.city]),
    ]
    .into_iter()
    .filter(|line| !line.is_empty())
    .collect()
}

fn known_profile(flow: &Flow, body: &SessionBody) -> Profile {
    if let Some(profile) = &flow.profile {
        return profile.clone();
    }
    let address = body.billing_address.clone().unwrap_or_default();
    let born = body.customer.as_ref().and_then(|customer| customer.date_of_birth.clone());
    Profile {
        given_name: address.given_name.unwrap_or_default(),
        family_name: address.family_name.unwrap_or_default(),
        date_of_birth: born.filter(|day| day.parse::<Date>().is_ok()).unwrap_or_default(),
        street_address: address.street_address.unwrap_or_default(),
        postal_code: address.postal_code.unwrap_or_default(),
        city: address.city.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_and_lengths_reach_the_style() {
        let options = Options::new()
            .color_border("#FF9900")
            .color_text("red;position:fixed")
            .color_details("#12345g")
            .radius_border("5");
        let safe = safe_colours(options);
        assert_eq!(safe, Options::new().color_border("#FF9900").radius_border("5px"));
        let safe = safe_colours(Options::new().radius_border("calc(1px)"));
        assert_eq!(safe, Options::default());
    }

    #[test]
    fn an_address_is_written_without_empty_lines() {
        let address = Address::new().given_name("Alice").city("Stockholm");
        assert_eq!(address_lines(&address), ["Alice", "Stockholm"]);
    }
}
