//! What Klarna offers to let a shopper pay a capture later, asked of it when the page is opened.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use klarna_types::Currency;
use klarna_types::order_management::ExtendDueDateOptions;
use maud::{Markup, html};

use super::{Person, format, layout};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::change::Change;
use crate::engine::changes;

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Path((id, capture_id)): Path<(String, String)>,
) -> Response {
    let engine = app.engine();
    match changes::due_date_options(engine, &person.store_id, &id, &capture_id).await {
        Ok(Ok(options)) => {
            let key = engine.fresh_id("form");
            let content = view(&person, &id, &capture_id, &options, &key);
            layout::page("Pay later", Some(&person), &content).into_response()
        }
        Ok(Err(none)) => {
            let problem = Problem::from(none);
            let title = "This cannot be offered";
            let detail = format!("{} {}", problem.detail, problem.remedy);
            layout::message(
                StatusCode::from_u16(problem.status).unwrap_or(StatusCode::CONFLICT),
                Some(&person),
                title,
                &detail,
            )
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(
    person: &Person,
    id: &str,
    capture_id: &str,
    options: &ExtendDueDateOptions,
    key: &str,
) -> Markup {
    let currency = options.currency.clone().unwrap_or(Currency::EUR);
    let name = Change::ExtendDueDate.name();
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/dashboard" { "Payments" }
            a href={ "/dashboard/payments/" (id) } { "Payment" }
            span { "Pay later" }
        }
        section.card.narrow {
            h1 { "Let the shopper pay later" }
            @if options.options.is_empty() {
                p { "Klarna offers nothing for this capture now." }
            } @else {
                form method="post" action={ "/dashboard/payments/" (id) "/" (name) } data-confirm="Move the due date?" {
                    input type="hidden" name="csrf" value=(person.csrf_token);
                    input type="hidden" name="key" value=(key);
                    input type="hidden" name="capture_id" value=(capture_id);
                    fieldset {
                        legend { "By how many days" }
                        @for (index, option) in options.options.iter().enumerate() {
                            label.choice {
                                input type="radio" name="number_of_days" value=(option.number_of_days) required checked[index == 0];
                                span {
                                    (option.number_of_days) " days · "
                                    @if option.amount.is_zero() { "free" }
                                    @else { "Klarna charges you " (format::money(option.amount, &currency)) }
                                }
                            }
                        }
                    }
                    button.primary type="submit" { "Move the due date" }
                }
            }
            p { a href={ "/dashboard/payments/" (id) } { "Back to the payment" } }
        }
    }
}
