//! What the buttons of a payment do: the same commands as the API's, under the key of the form.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::order_management::{ShippingInfo, ShippingMethod};
use klarna_types::{Address, Currency, MinorUnits, TaxRate};

use super::payment::{self, Notice};
use super::{Person, format, layout, sign_in};
use crate::api::payments::command::{self, Asked, Taken};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::change::Change;
use crate::domain::idempotency;
use crate::domain::journal::Outcome;
use crate::domain::lines::Wanted;
use crate::domain::operation::{Kind, State as Stands};
use crate::domain::payment::{NewAuthorization, RefundShare, Rejection, ReturnFee, Risk, Share};
use crate::engine::changes::ChangeWish;
use crate::engine::commands::{CaptureWish, Command, NotPossible, RefundWish};
use crate::store::payments;

/// How long a person looks at a page that loads.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a form carries. It may hold an address: it is not kept, and not shown by `Debug`.
#[derive(Default)]
struct Fields {
    csrf: String,
    key: String,
    references: Vec<String>,
    quantities: Vec<String>,
    others: Vec<(String, String)>,
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.into_owned();
            match name.as_ref() {
                "csrf" => fields.csrf = value,
                "key" => fields.key = value,
                "reference" => fields.references.push(value),
                "quantity" => fields.quantities.push(value),
                _ => fields.others.push((name.into_owned(), value)),
            }
        }
        fields
    }

    /// A field, without the space around it; an empty one is none.
    fn text(&self, wanted: &str) -> Option<String> {
        self.others
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// An amount of money.
    fn money(&self, name: &str, currency: &Currency) -> Result<MinorUnits, String> {
        let text = self.text(name).unwrap_or_default();
        format::read_money(&text, currency)
            .ok_or_else(|| format!("\"{text}\" is not an amount in {}.", currency.as_str()))
    }

    /// How much is captured or refunded.
    fn share(&self, currency: &Currency) -> Result<Share, String> {
        let lines = self.lines()?;
        if !lines.is_empty() {
            return Ok(Share { amount: None, lines: Some(lines) });
        }
        Ok(Share { amount: Some(self.money("amount", currency)?), lines: None })
    }

    /// The capture that it is about.
    fn capture_id(&self) -> Result<String, String> {
        self.text("capture_id").ok_or_else(|| "Choose a capture.".to_owned())
    }

    /// A parcel, if one was described.
    fn parcel(&self) -> Option<ShippingInfo> {
        let parcel = ShippingInfo {
            shipping_company: self.text("shipping_company"),
            shipping_method: self
                .text("shipping_method")
                .map(|name| ShippingMethod::from(name.as_str())),
            tracking_number: self.text("tracking_number"),
            tracking_uri: self.text("tracking_uri"),
            return_shipping_company: self.text("return_shipping_company"),
            return_tracking_number: self.text("return_tracking_number"),
            return_tracking_uri: self.text("return_tracking_uri"),
        };
        (parcel != ShippingInfo::default()).then_some(parcel)
    }

    /// The members of an address that were filled in.
    fn address(&self) -> Address {
        Address {
            given_name: self.text("given_name"),
            family_name: self.text("family_name"),
            street_address: self.text("street_address"),
            street_address2: self.text("street_address2"),
            postal_code: self.text("postal_code"),
            city: self.text("city"),
            region: self.text("region"),
            email: self.text("email"),
            phone: self.text("phone"),
            ..Address::default()
        }
    }

    /// The lines with a quantity; an error names what is not a number.
    fn lines(&self) -> Result<Vec<Wanted>, String> {
        let mut lines = Vec::new();
        for (reference, quantity) in self.references.iter().zip(&self.quantities) {
            let quantity = quantity.trim();
            let quantity: i64 = if quantity.is_empty() {
                0
            } else {
                quantity.parse().map_err(|_| format!("\"{quantity}\" is not a quantity."))?
            };
            if quantity != 0 {
                lines.push(Wanted { reference: reference.clone(), quantity });
            }
        }
        Ok(lines)
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) || !idempotency::is_acceptable_key(&fields.key) {
        return sign_in::refused(&person);
    }
    let (store_id, wanted) = (person.store_id.clone(), id.clone());
    let found = app.database().read(move |tx| payments::get_in(tx, &store_id, &wanted)).await;
    let currency = match found {
        Ok(Some(payment)) => payment.currency,
        Ok(None) => {
            let title = "No such payment";
            let detail = "There is no payment at this address.";
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
        Err(fault) => return layout::failed(&fault),
    };
    let command = match command(&action, &fields, &currency) {
        Ok(Some(command)) => command,
        Ok(None) => {
            let title = "No such action";
            let detail = "Nothing was done.";
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
        Err(detail) => {
            let notice = Notice::Bad {
                title: "Nothing was done".to_owned(),
                detail,
                remedy: "Correct it and try again.".to_owned(),
                correlation_id: None,
            };
            return payment::show(&app, &person, &id, StatusCode::BAD_REQUEST, Some(notice)).await;
        }
    };
    let asked = Asked {
        command,
        key: Some(format!("dashboard/{}", fields.key)),
        // The form's key is fresh for each page: whatever comes under it is the same press.
        fingerprint: idempotency::fingerprint("FORM", &id, action.as_bytes()),
    };
    match command::take(&app, &person.store_id, &id, asked).await {
        Ok(taken) => answer(&app, &person, (&id, &action, &currency), taken).await,
        Err(fault) => layout::failed(&fault),
    }
}

fn command(action: &str, fields: &Fields, currency: &Currency) -> Result<Option<Command>, String> {
    let Some(kind) = Kind::from_name(action) else { return Ok(None) };
    let description = fields.text("description");
    Ok(Some(match kind {
        Kind::PlaceOrder | Kind::CreateToken | Kind::Charge | Kind::CancelToken => return Ok(None),
        Kind::Capture => Command::Capture(CaptureWish {
            share: fields.share(currency)?,
            description,
            shipping_info: fields.parcel().into_iter().collect(),
            risk: match fields.text("risk").as_deref() {
                Some("merchant") => Risk::Merchant,
                _ => Risk::Klarna,
            },
            ..CaptureWish::default()
        }),
        Kind::Refund => {
            let return_fee = match fields.text("return_fee") {
                Some(_) => Some(ReturnFee {
                    amount: fields.money("return_fee", currency)?,
                    name: "Return fee".to_owned(),
                    tax_rate: TaxRate::ZERO,
                }),
                None => None,
            };
            let capture_id = fields.text("capture_id");
            let what = RefundShare { share: fields.share(currency)?, capture_id, return_fee };
            Command::Refund(RefundWish { what, description, reference: None })
        }
        Kind::Cancel => Command::Cancel,
        Kind::Release => Command::Release,
        Kind::Change(change) => Command::Change(wish(change, fields, currency)?),
    }))
}

fn wish(change: Change, fields: &Fields, currency: &Currency) -> Result<ChangeWish, String> {
    Ok(match change {
        Change::UpdateAuthorization => {
            let amount = Some(fields.money("amount", currency)?);
            ChangeWish::UpdateAuthorization {
                wanted: NewAuthorization { amount, lines: None },
                description: fields.text("description"),
            }
        }
        Change::ExtendAuthorization => ChangeWish::ExtendAuthorization,
        Change::UpdateCustomer => ChangeWish::UpdateCustomer(Box::new(fields.address())),
        Change::UpdateReferences => ChangeWish::UpdateReferences {
            reference1: fields.text("merchant_reference1"),
            // The form shows what there is; an emptied field takes it away.
            reference2: Some(fields.text("merchant_reference2").unwrap_or_default()),
        },
        Change::AddShippingInfo => ChangeWish::AddShippingInfo {
            capture_id: fields.text("capture_id"),
            parcels: vec![fields.parcel().ok_or("Say at least one thing about the parcel.")?],
        },
        Change::ResendCommunication => {
            ChangeWish::ResendCommunication { capture_id: fields.capture_id()? }
        }
        Change::ExtendDueDate => ChangeWish::ExtendDueDate {
            capture_id: fields.capture_id()?,
            number_of_days: fields
                .text("number_of_days")
                .and_then(|days| days.parse().ok())
                .ok_or("Choose a number of days.")?,
        },
        Change::Acknowledge => ChangeWish::Acknowledge,
    })
}

/// Why it is not possible, with amounts as people read them.
fn impossible(not_possible: NotPossible, currency: &Currency) -> Problem {
    let money = |amount| format::money(amount, currency);
    let detail = match &not_possible {
        NotPossible::Rejected(Rejection::TooMuch { wanted, limit, what }) => Some(format!(
            "{} is more than the {} that can be {what}.",
            money(*wanted),
            money(*limit)
        )),
        NotPossible::Rejected(Rejection::TooLittle { wanted, limit }) => Some(format!(
            "{} is less than {}, which is captured or on its way to be.",
            money(*wanted),
            money(*limit)
        )),
        NotPossible::Unknown
        | NotPossible::Unverified
        | NotPossible::Rejected(_)
        | NotPossible::Limits(_) => None,
    };
    let mut problem = Problem::from(not_possible);
    if let Some(detail) = detail {
        problem.detail = detail;
    }
    problem
}

async fn answer(
    app: &App,
    person: &Person,
    (id, action, currency): (&str, &str, &Currency),
    taken: Taken,
) -> Response {
    let problem = match taken {
        Taken::Operation(operation, _) if operation.held => return done(id, "accepted"),
        Taken::Operation(operation, seat) => {
            match app.engine().outcome_of(&operation, seat, PATIENCE).await {
                Ok(settled) => {
                    let settled = settled.unwrap_or(*operation);
                    match (settled.state, &settled.outcome) {
                        (Stands::Done, _) => return done(id, action),
                        (Stands::Refused, Some(Outcome::Refused(refusal))) => {
                            Problem::refused(refusal, &settled.id)
                        }
                        _ => return done(id, "accepted"),
                    }
                }
                Err(fault) => return layout::failed(&fault),
            }
        }
        Taken::NotPossible(not_possible) => impossible(not_possible, currency),
        Taken::Different => {
            Problem::conflict("This form was used for something else.", "Reload the page.")
        }
    };
    let notice = Notice::Bad {
        title: format!("{} was refused", format::words(action)),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        correlation_id: problem.correlation_id.clone(),
    };
    payment::show(app, person, id, problem.status(), Some(notice)).await
}

/// Shows the payment afresh, so that a reload of the page does not send the form again.
fn done(id: &str, what: &str) -> Response {
    Redirect::to(&format!("/dashboard/payments/{id}?done={what}")).into_response()
}
