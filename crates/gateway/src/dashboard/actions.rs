//! What the buttons of a payment do: the same commands as the API's, under the key of the form.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::payment::{self, Notice};
use super::{Person, format, layout, sign_in};
use crate::api::payments::command::{self, Asked, Taken};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::journal::Outcome;
use crate::domain::lines::Wanted;
use crate::domain::operation::State as Stands;
use crate::domain::payment::Share;
use crate::engine::commands::Command;
use crate::store::payments;

/// How long a person looks at a page that loads.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a form carries.
#[derive(Debug, Default)]
struct Fields {
    csrf: String,
    key: String,
    amount: String,
    description: String,
    references: Vec<String>,
    quantities: Vec<String>,
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.into_owned();
            match name.as_ref() {
                "csrf" => fields.csrf = value,
                "key" => fields.key = value,
                "amount" => fields.amount = value,
                "description" => value.trim().clone_into(&mut fields.description),
                "reference" => fields.references.push(value),
                "quantity" => fields.quantities.push(value),
                _ => {}
            }
        }
        fields
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
        Ok(taken) => answer(&app, &person, &id, &action, taken).await,
        Err(fault) => layout::failed(&fault),
    }
}

fn command(
    action: &str,
    fields: &Fields,
    currency: &klarna_types::Currency,
) -> Result<Option<Command>, String> {
    let share = || -> Result<Share, String> {
        let lines = fields.lines()?;
        if !lines.is_empty() {
            return Ok(Share { amount: None, lines: Some(lines) });
        }
        let amount = format::read_money(&fields.amount, currency).ok_or_else(|| {
            format!("\"{}\" is not an amount in {}.", fields.amount, currency.as_str())
        })?;
        Ok(Share { amount: Some(amount), lines: None })
    };
    let description = (!fields.description.is_empty()).then(|| fields.description.clone());
    Ok(Some(match action {
        "capture" => Command::Capture {
            share: share()?,
            description,
            reference: None,
            shipping_info: Vec::new(),
        },
        "refund" => Command::Refund { share: share()?, description, reference: None },
        "cancel" => Command::Cancel,
        "release" => Command::Release,
        _ => return Ok(None),
    }))
}

async fn answer(app: &App, person: &Person, id: &str, action: &str, taken: Taken) -> Response {
    let problem = match taken {
        Taken::Operation(operation) if operation.held => return done(id, "accepted"),
        Taken::Operation(operation) => match app.engine().outcome(&operation.id, PATIENCE).await {
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
        },
        Taken::NotPossible(not_possible) => not_possible.into(),
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
