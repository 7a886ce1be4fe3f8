//! Plans: the list, a form for another one, and archiving.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::market::MARKETS;
use klarna_types::{Currency, TaxRate};
use maud::{Markup, html};

use super::forms::field;
use super::payment::{Notice, said};
use super::subscriptions::{Tab, price, rhythm, tabs};
use super::{Person, format, layout, sign_in};
use crate::api::plans::{self as plans_api, CreatePlan, Dunning};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::calendar::Interval;
use crate::domain::cart::Problem as Wrong;
use crate::domain::checkout::CaptureMode;
use crate::domain::dunning::{GiveUp, StepUp};
use crate::domain::idempotency;
use crate::domain::plan::{Plan, Status, Terms};
use crate::domain::role::PLAN_ARCHIVE;
use crate::fault::Fault;
use crate::store::customers::{self, Filter};

/// More than fit on one page are managed over the API.
const MOST: i64 = 100;

/// All plans.
pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    show(&app, &person, StatusCode::OK, None, &[]).await
}

async fn show(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
    typed: &[u8],
) -> Response {
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| customers::list_plans(tx, &store_id, &Filter::default(), MOST))
        .await;
    match found {
        Ok(plans) => {
            let key = app.engine().fresh_id("form");
            let content = view(&plans, person, &key, notice.as_ref(), typed);
            (status, layout::page("Plans", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(
    plans: &[Plan],
    person: &Person,
    key: &str,
    notice: Option<&Notice>,
    typed: &[u8],
) -> Markup {
    let (active, archived): (Vec<_>, Vec<_>) =
        plans.iter().partition(|plan| plan.status == Status::Active);
    let may = person.may_press(PLAN_ARCHIVE, "");
    html! {
        (tabs(Tab::Plans))
        div.head { h1 { "Plans" } }
        (said(notice))
        @if plans.is_empty() {
            section.card.empty {
                h2 { "No plans yet" }
                p.muted { "A plan says what is charged, how often, and what happens when a charge is refused." }
            }
        }
        @for plan in active { (card(plan, person, may)) }
        @if may {
            section.card {
                details.action open[!typed.is_empty()] {
                    summary { "Add a plan" }
                    (add_form(person, key, typed))
                }
            }
        }
        @if !archived.is_empty() {
            details {
                summary { "Archived plans" }
                @for plan in archived { (card(plan, person, false)) }
            }
        }
    }
}

fn card(plan: &Plan, person: &Person, may: bool) -> Markup {
    let terms = &plan.terms;
    let heading = format!("plan-{}", plan.id);
    html! {
        section.card aria-labelledby=(heading) {
            div.head {
                div {
                    h2 #(heading) { (terms.name) }
                    p.muted.small { code { (plan.id) } }
                }
                p.total { (price(terms)) " " span.muted.small { (rhythm(terms)) } }
            }
            dl.facts.wide-facts {
                @if terms.trial_days > 0 { div { dt { "Free at the beginning" } dd { (days(terms.trial_days)) } } }
                @if let Some(day) = terms.rhythm.anchor_day { div { dt { "Charged on" } dd { (anchor(terms, day)) } } }
                div { dt { "Captured" } dd { @match terms.capture { CaptureMode::Automatic => "At once", CaptureMode::Manual => "By the shop" } } }
                div { dt { "When a charge is refused" } dd { (dunning(terms)) } }
                @if plan.status == Status::Archived { div { dt { "Archived" } dd { (format::moment(plan.updated_at_ms)) } } }
            }
            @if may {
                details.action {
                    summary { "Archive" span.hidden { " " (terms.name) } }
                    form method="post" action={ "/dashboard/plans/" (plan.id) "/archive" } data-confirm="Archive this plan?" {
                        input type="hidden" name="csrf" value=(person.csrf_token);
                        p.muted { "No new subscription may have it; those that have it keep it. For another price, add another plan and move subscriptions to it." }
                        button.danger type="submit" { "Archive it" }
                    }
                }
            }
        }
    }
}

fn days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn anchor(terms: &Terms, day: i8) -> String {
    const WEEK: [&str; 7] =
        ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];
    let weekday = usize::try_from(day - 1).ok().and_then(|index| WEEK.get(index));
    match (terms.rhythm.interval, weekday) {
        (Interval::Week, Some(name)) => (*name).to_owned(),
        _ => format!("day {day} of the month, or its last"),
    }
}

fn dunning(terms: &Terms) -> String {
    let policy = &terms.dunning;
    let tries = match policy.retry_days.as_slice() {
        [] => "Not tried again".to_owned(),
        list => {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("Tried again after {} days", list.join(", "))
        }
    };
    let end = match policy.give_up {
        GiveUp::Suspend => "suspended",
        GiveUp::Cancel => "cancelled",
    };
    let help = match policy.step_up {
        StepUp::Offered => "; the shopper may help",
        StepUp::Never => "",
    };
    format!("{tries}, then {end}{help}")
}

fn add_form(person: &Person, key: &str, typed: &[u8]) -> Markup {
    let value = |name: &str, usual: &str| field(typed, name).unwrap_or_else(|| usual.to_owned());
    let mut currencies: Vec<&str> = MARKETS.iter().map(|market| market.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let currency = value("currency", "SEK");
    let interval = value("interval", "month");
    let give_up = value("give_up", "suspend");
    html! {
        form method="post" action="/dashboard/plans" data-busy {
            input type="hidden" name="csrf" value=(person.csrf_token);
            input type="hidden" name="key" value=(key);
            p.muted { "A plan is charged as it is agreed and never changes." }
            label for="name" { "Name, as the shopper reads it" }
            input #name name="name" required maxlength="255" autocomplete="off" value=(value("name", ""));
            div.pair {
                div {
                    label for="amount" { "Price" }
                    input #amount name="amount" required inputmode="decimal" autocomplete="off" value=(value("amount", ""));
                }
                div {
                    label for="currency" { "Currency" }
                    select #currency name="currency" {
                        @for each in currencies { option value=(each) selected[each == currency] { (each) } }
                    }
                }
                div {
                    label for="tax" { "Tax, %" }
                    input #tax name="tax" inputmode="decimal" autocomplete="off" value=(value("tax", "0"));
                }
            }
            div.pair {
                div {
                    label for="count" { "Every" }
                    input #count name="count" type="number" min="1" max="3650" value=(value("count", "1"));
                }
                div {
                    label for="interval" { "Unit" }
                    select #interval name="interval" {
                        @for each in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
                            option value=(each.name()) selected[each.name() == interval] { (each.name()) "s" }
                        }
                    }
                }
                div {
                    label for="anchor" { "On day " span.muted { "of the first charge, if empty" } }
                    input #anchor name="anchor" type="number" min="1" max="31" value=(value("anchor", ""));
                }
                div {
                    label for="trial" { "Free days" }
                    input #trial name="trial" type="number" min="0" max="3650" value=(value("trial", "0"));
                }
            }
            div.pair {
                div {
                    label for="retry" { "Try again after days " span.muted { "empty for never" } }
                    input #retry name="retry" autocomplete="off" maxlength="80" value=(if typed.is_empty() { "1, 3, 5, 7".to_owned() } else { value("retry", "") });
                }
                div {
                    label for="give_up" { "And then" }
                    select #give_up name="give_up" {
                        option value="suspend" selected[give_up == "suspend"] { "Suspend it" }
                        option value="cancel" selected[give_up == "cancel"] { "Cancel it" }
                    }
                }
            }
            label.way {
                input type="checkbox" name="capture" value="yes" checked[field(typed, "capture").is_some()];
                span { "Capture at once (Klarna must have allowed it)" }
            }
            label.way {
                input type="checkbox" name="step_up" value="yes" checked[field(typed, "step_up").is_some()];
                span { "Offer the shopper to help with a refused charge" }
            }
            button type="submit" { "Add the plan" }
        }
    }
}

fn wrong(member: &str, detail: &str) -> Wrong {
    Wrong { member: member.to_owned(), detail: detail.to_owned() }
}

/// The plan that a form describes.
fn wanted(body: &[u8]) -> Result<CreatePlan, Wrong> {
    let whole = |name: &str, what: &str| {
        field(body, name).map(|text| text.parse::<i64>().map_err(|_| wrong(name, what))).transpose()
    };
    let currency = field(body, "currency").unwrap_or_default();
    let amount = field(body, "amount")
        .and_then(|text| format::read_money(&text, &Currency::from(currency.as_str())))
        .ok_or_else(|| wrong("amount", "is not an amount, such as 149.00"))?;
    let tax_rate = field(body, "tax")
        .map_or(Some(TaxRate::ZERO), |text| format::read_percent(&text))
        .ok_or_else(|| wrong("tax_rate", "is not a percentage, such as 25"))?;
    let interval = match field(body, "interval").as_deref() {
        Some("day") => Interval::Day,
        Some("week") => Interval::Week,
        Some("year") => Interval::Year,
        _ => Interval::Month,
    };
    let anchor_day = whole("anchor", "is not a number")?
        .map(|day| i8::try_from(day).map_err(|_| wrong("anchor_day", "there is no such day")))
        .transpose()?;
    let retry_days = field(body, "retry")
        .unwrap_or_default()
        .split([',', ' ', ';'])
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| wrong("retry_days", "write days as 1, 3, 5, 7")))
        .collect::<Result<Vec<i64>, Wrong>>()?;
    Ok(CreatePlan {
        name: field(body, "name").unwrap_or_default(),
        currency,
        prices: None,
        lines: None,
        amount: Some(amount),
        tax_rate: Some(tax_rate),
        interval,
        interval_count: whole("count", "is not a number")?,
        anchor_day,
        trial_days: whole("trial", "is not a number")?,
        capture: match field(body, "capture") {
            Some(_) => CaptureMode::Automatic,
            None => CaptureMode::Manual,
        },
        dunning: Dunning {
            retry_days,
            give_up: match field(body, "give_up").as_deref() {
                Some("cancel") => GiveUp::Cancel,
                _ => GiveUp::Suspend,
            },
            step_up: match field(body, "step_up") {
                Some(_) => StepUp::Offered,
                None => StepUp::Never,
            },
        },
    })
}

fn bad(problem: &Problem) -> Notice {
    Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        correlation_id: None,
    }
}

/// A plan is to be added.
pub(super) async fn add(State(app): State<App>, person: Person, body: Bytes) -> Response {
    let key = field(&body, "key").unwrap_or_default();
    if !sign_in::is_right(&field(&body, "csrf").unwrap_or_default(), &person)
        || !idempotency::is_acceptable_key(&key)
    {
        return sign_in::refused(&person);
    }
    let read = wanted(&body)
        .map_err(|wrong| Problem::invalid(wrong.member.clone(), format!("{wrong}.")))
        .and_then(plans_api::terms);
    let terms = match read {
        Ok(terms) => terms,
        Err(problem) => {
            let notice = Some(bad(&problem));
            return show(&app, &person, problem.status(), notice, &body).await;
        }
    };
    let now_ms = app.engine().now_ms();
    // The form's key is fresh for each page: pressing twice is pressing once.
    let digest = idempotency::digest(&format!("{}/{key}", person.store_id));
    let plan = Plan {
        id: format!("plan_{}", digest.get(..32).unwrap_or(&digest)),
        store_id: person.store_id.clone(),
        version: 1,
        status: Status::Active,
        terms,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    let added = app
        .database()
        .write(move |tx| {
            if customers::plan_in(tx, &plan.store_id, &plan.id)?.is_none() {
                customers::insert_plan(tx, &plan)?;
            }
            Ok::<_, Fault>(())
        })
        .await;
    match added {
        Ok(()) => Redirect::to("/dashboard/plans").into_response(),
        Err(fault) => layout::failed(&fault),
    }
}

/// A plan is to be archived.
pub(super) async fn archive(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    if !sign_in::is_right(&field(&body, "csrf").unwrap_or_default(), &person) {
        return sign_in::refused(&person);
    }
    let now_ms = app.engine().now_ms();
    let store_id = person.store_id.clone();
    let archived =
        app.database().write(move |tx| plans_api::put_away(tx, &store_id, &id, now_ms)).await;
    match archived {
        Ok(true) => Redirect::to("/dashboard/plans").into_response(),
        Ok(false) => {
            let notice = Some(bad(&Problem::not_found("plan")));
            show(&app, &person, StatusCode::NOT_FOUND, notice, &[]).await
        }
        Err(fault) => layout::failed(&fault),
    }
}
