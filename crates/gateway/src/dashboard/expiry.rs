//! What the store wants done about authorisations that are about to lapse.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::payment::{Notice, said};
use super::{Person, layout, sign_in};
use crate::api::expiry_policy::keep;
use crate::app::App;
use crate::domain::expiry::{OnExpiry, Policy};
use crate::domain::role::Permission;
use crate::store::policies;

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<PageQuery>,
) -> Response {
    let notice = query.done.map(|_| Notice::Good("Kept.".to_owned()));
    show(&app, &person, StatusCode::OK, notice).await
}

async fn show(app: &App, person: &Person, status: StatusCode, notice: Option<Notice>) -> Response {
    let store_id = person.store_id.clone();
    match app.database().read(move |tx| policies::expiry(tx, &store_id)).await {
        Ok(policy) => {
            let content = view(&policy, person, notice.as_ref());
            (status, layout::page("Expiry", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(policy: &Policy, person: &Person, notice: Option<&Notice>) -> Markup {
    let days: Vec<String> = policy.notice_days.iter().map(ToString::to_string).collect();
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard" { "Payments" } span { "Expiry" } }
        (said(notice))
        section.card.narrow {
            h1 { "Authorisations about to lapse" }
            p.muted { "What is not captured in time is lost. Each lapse to come is announced by an event and marked in the list." }
            form method="post" action="/dashboard/expiry" data-busy {
                input type="hidden" name="csrf" value=(person.csrf_token);
                fieldset {
                    legend { "What is done about them" }
                    @for each in OnExpiry::ALL {
                        label.choice {
                            input type="radio" name="on_expiry" value=(each.name()) checked[each == policy.on_expiry];
                            span { (words(each)) }
                        }
                    }
                }
                label for="act_days" { "How many days before" }
                input #act_days name="act_days" type="number" min="1" max="180" value=(policy.act_days) required;
                label for="notice_days" { "Announce it so many days before " span.muted { "up to five numbers" } }
                input #notice_days name="notice_days" value=(days.join(", ")) autocomplete="off" pattern="[0-9 ,]*";
                @if person.may(Permission::Administer) {
                    button.primary type="submit" { "Keep" }
                } @else {
                    p.muted { "Only an admin can change this." }
                }
            }
        }
    }
}

fn words(on_expiry: OnExpiry) -> &'static str {
    match on_expiry {
        OnExpiry::None => "Nothing: people decide",
        OnExpiry::Extend => "Extend the authorisation, where Klarna allows it",
        OnExpiry::CaptureRemaining => "Capture what remains",
        OnExpiry::Release => "Give back what remains",
    }
}

pub(super) async fn submit(State(app): State<App>, person: Person, body: Bytes) -> Response {
    let field = |wanted: &str| {
        url::form_urlencoded::parse(&body)
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    if !sign_in::is_right(&field("csrf"), &person) {
        return sign_in::refused(&person);
    }
    match read(&field("on_expiry"), &field("act_days"), &field("notice_days")) {
        Ok(policy) => match keep(&app, &person.store_id, policy).await {
            Ok(()) => Redirect::to("/dashboard/expiry?done=kept").into_response(),
            Err(fault) => layout::failed(&fault),
        },
        Err(detail) => {
            let notice = Notice::Bad {
                title: "Nothing was kept".to_owned(),
                detail,
                remedy: "Correct it and try again.".to_owned(),
                correlation_id: None,
            };
            show(&app, &person, StatusCode::BAD_REQUEST, Some(notice)).await
        }
    }
}

fn read(on_expiry: &str, act_days: &str, notice_days: &str) -> Result<Policy, String> {
    let number =
        |text: &str| text.trim().parse::<i64>().map_err(|_| format!("\"{text}\" is not a number."));
    let on_expiry =
        OnExpiry::from_name(on_expiry).ok_or_else(|| "Choose what is done.".to_owned())?;
    let notice_days = notice_days
        .split(',')
        .filter(|text| !text.trim().is_empty())
        .map(number)
        .collect::<Result<Vec<_>, _>>()?;
    let policy = Policy { on_expiry, act_days: number(act_days)?, notice_days };
    policy.checked().map_err(|wrong| format!("{wrong}."))
}
