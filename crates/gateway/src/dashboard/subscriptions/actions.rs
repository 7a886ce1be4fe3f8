//! What can be pressed on the page of a subscription.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::super::forms::field;
use super::super::payment::Notice;
use super::super::{Person, layout, sign_in};
use super::page::{Shown, show};
use super::{price, rhythm};
use crate::api::checkouts::page as pages_api;
use crate::api::customer_tokens::{not_done, not_opened};
use crate::api::problem::Problem;
use crate::api::subscriptions::act;
use crate::app::App;
use crate::domain::hosted::Channel;
use crate::domain::role::SUBSCRIPTION_ACTION;
use crate::domain::subscription::{Status, Subscription, When};
use crate::engine::pages::SendTo;
use crate::engine::recurring::commands::{self, Command};
use crate::engine::recurring::recovery::{self, Refused, Way};
use crate::store::subscriptions;

/// A button that does one thing.
pub(in crate::dashboard) struct Button {
    pub(in crate::dashboard) action: &'static str,
    pub(in crate::dashboard) label: &'static str,
    pub(in crate::dashboard) what: &'static str,
    pub(in crate::dashboard) is_grave: Grave,
}

/// Whether a thing can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum Grave {
    No,
    Yes,
}

fn buttons(subscription: &Subscription) -> Vec<Button> {
    let mut buttons = Vec::new();
    let mut add = |action, label, what, is_grave| {
        buttons.push(Button { action, label, what, is_grave });
    };
    let waits = subscription.open.as_ref().is_some_and(|open| open.waits.is_some());
    if waits {
        add(
            "retry",
            "Charge again now",
            "The failed charge is tried again at once, instead of on its planned day.",
            Grave::No,
        );
    }
    match subscription.status {
        Status::Trialing | Status::Active if subscription.open.is_none() => {
            let what = "Nothing is charged until it is resumed, and what would have been is not charged later.";
            add("pause", "Pause", what, Grave::No);
        }
        Status::Paused | Status::Suspended => {
            add("resume", "Resume", "It goes on with its next due day.", Grave::No);
        }
        Status::Incomplete
        | Status::Trialing
        | Status::Active
        | Status::PastDue
        | Status::Cancelled => {}
    }
    match subscription.status {
        Status::Trialing | Status::Active | Status::PastDue => {
            if subscription.cancel_at_period_end {
                add("resume", "Keep it after all", "It does not end with its period.", Grave::No);
            } else {
                let what = "Its current period goes on; then nothing more is charged.";
                add("end", "End with its period", what, Grave::No);
            }
        }
        Status::Incomplete | Status::Paused | Status::Suspended | Status::Cancelled => {}
    }
    if subscription.status != Status::Cancelled {
        let what = "It ends at once. What was charged stays charged. This cannot be undone.";
        add("cancel", "Cancel now", what, Grave::Yes);
    }
    buttons
}

pub(in crate::dashboard) fn form(path: &str, button: &Button, person: &Person) -> Markup {
    html! {
        details.action {
            summary { (button.label) }
            form method="post" action={ (path) "/" (button.action) } data-confirm={ (button.label) "?" } {
                input type="hidden" name="csrf" value=(person.csrf_token);
                p.muted { (button.what) }
                button.danger[button.is_grave == Grave::Yes] type="submit" { (button.label) }
            }
        }
    }
}

/// Everything that this person can do with this subscription now.
pub(super) fn all(shown: &Shown, person: &Person) -> Markup {
    let subscription = &shown.subscription;
    let path = format!("/dashboard/subscriptions/{}", subscription.id);
    let mut buttons = buttons(subscription);
    buttons.retain(|button| person.may_press(SUBSCRIPTION_ACTION, button.action));
    let moves = subscription.status != Status::Cancelled
        && !shown.plans.is_empty()
        && person.may_press(SUBSCRIPTION_ACTION, "plan");
    html! {
        section.card.actions {
            h2 { "Actions" }
            @if buttons.is_empty() && !moves {
                p.muted {
                    @if subscription.status == Status::Cancelled { "It is over: nothing can be done with it." }
                    @else { "What can be done with it now is not for your role (" (person.role.name()) ")." }
                }
            }
            @for button in &buttons { (form(&path, button, person)) }
            @if moves { (plan_form(&path, shown, person)) }
        }
    }
}

fn plan_form(path: &str, shown: &Shown, person: &Person) -> Markup {
    let status = shown.subscription.status;
    // A new period that begins now is charged now; while a charge is open none can begin.
    let may_be_now =
        shown.subscription.open.is_none() && matches!(status, Status::Trialing | Status::Active);
    html! {
        details.action {
            summary { "Move to another plan" }
            form method="post" action={ (path) "/plan" } data-confirm="Move it to this plan?" {
                input type="hidden" name="csrf" value=(person.csrf_token);
                p.muted { "Nothing is prorated." }
                label for="plan" { "Plan" }
                select #plan name="plan" required {
                    @for plan in &shown.plans {
                        option value=(plan.id) { (plan.terms.name) " · " (price(&plan.terms)) " " (rhythm(&plan.terms)) }
                    }
                }
                fieldset {
                    legend { "When" }
                    label.way {
                        input type="radio" name="when" value="period_end" checked;
                        span { "With the next period" }
                    }
                    @if may_be_now {
                        label.way {
                            input type="radio" name="when" value="now";
                            span { @if status == Status::Trialing { "Now; what is free stays free" } @else { "Now: a new period begins, and is charged" } }
                        }
                    }
                }
                button type="submit" { "Move it" }
            }
        }
    }
}

fn done(id: &str, what: &str) -> Response {
    Redirect::to(&format!("/dashboard/subscriptions/{id}?done={what}")).into_response()
}

/// A button was pressed.
pub(in crate::dashboard) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if !sign_in::is_right(&field(&body, "csrf").unwrap_or_default(), &person) {
        return sign_in::refused(&person);
    }
    let acted = match action.as_str() {
        "pause" => act_on(&app, &person, &id, Command::Pause).await,
        "resume" => act_on(&app, &person, &id, Command::Resume).await,
        "retry" => act_on(&app, &person, &id, Command::Retry).await,
        "cancel" => act_on(&app, &person, &id, Command::Cancel(When::Now)).await,
        "end" => act_on(&app, &person, &id, Command::Cancel(When::PeriodEnd)).await,
        "plan" => move_it(&app, &person, &id, &body).await,
        "help" => offer_help(&app, &person, &id).await,
        "link" => send_link(&app, &person, &id, &body).await,
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    match acted {
        Ok(()) => done(&id, &action),
        Err(problem) => {
            let notice = Notice::Bad {
                title: "Nothing was changed".to_owned(),
                detail: problem.detail.clone(),
                remedy: problem.remedy.clone(),
                correlation_id: problem.correlation_id.clone(),
            };
            show(&app, &person, &id, problem.status(), Some(notice)).await
        }
    }
}

async fn act_on(app: &App, person: &Person, id: &str, command: Command) -> Result<(), Problem> {
    let now_ms = app.engine().now_ms();
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    let acted = app
        .database()
        .write(move |tx| commands::act(tx, &store_id, &wanted, &command, now_ms))
        .await?;
    app.engine().wake();
    acted.map(|_| ()).map_err(|reason| not_done("subscription", reason))
}

async fn find(app: &App, person: &Person, id: &str) -> Result<Subscription, Problem> {
    let (store_id, id) = (person.store_id.clone(), id.to_owned());
    app.database()
        .read(move |tx| subscriptions::get_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("subscription"))
}

async fn move_it(app: &App, person: &Person, id: &str, body: &[u8]) -> Result<(), Problem> {
    let subscription = find(app, person, id).await?;
    let plan_id = field(body, "plan").unwrap_or_default();
    let next = act::next_plan(app, &subscription, &plan_id).await?;
    let when = match field(body, "when").as_deref() {
        Some("now") => When::Now,
        _ => When::PeriodEnd,
    };
    act_on(app, person, id, Command::ChangePlan(Box::new(next), when)).await
}

/// Opens the page of Klarna's on which the shopper can pay a refused charge.
async fn offer_help(app: &App, person: &Person, id: &str) -> Result<(), Problem> {
    let way = Way { channel: Channel::Hosted, confirmation_url: None };
    recovery::open(app.engine(), &person.store_id, Refused::Subscription(id.to_owned()), way)
        .await
        .map(|_| ())
        .map_err(|reason| not_opened("subscription", reason))
}

/// Has Klarna send the shopper the link to that page.
async fn send_link(app: &App, person: &Person, id: &str, body: &[u8]) -> Result<(), Problem> {
    let to = match (field(body, "phone"), field(body, "email")) {
        (Some(phone), None) => {
            SendTo::Sms { phone, phone_country: field(body, "country").unwrap_or_default() }
        }
        (None, Some(email)) => SendTo::Email { email },
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::invalid(
                "email",
                "Give a phone number or an e-mail address, and not both.",
            ));
        }
    };
    let way = Way { channel: Channel::Hosted, confirmation_url: None };
    let refused = Refused::Subscription(id.to_owned());
    let checkout = recovery::open(app.engine(), &person.store_id, refused, way)
        .await
        .map_err(|reason| not_opened("subscription", reason))?;
    pages_api::send_to(app, checkout, &to).await.map(|_| ())
}
