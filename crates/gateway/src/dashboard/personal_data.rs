//! What the gateway knows of people: forgetting somebody who asks for it, and how long everybody is kept.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::field;
use super::payment::{Notice, said};
use super::{Person, format, layout, sign_in};
use crate::app::App;
use crate::domain::erasure::{Because, MOST_DAYS, MOST_NAMED, Retention};
use crate::engine::erasure::{self, By, Wish};
use crate::fault::Fault;
use crate::store::erasures::{self, Erasure, Kind, State as Became, Subject};
use crate::store::policies;

/// How many of the latest wishes are shown.
const SHOWN: i64 = 25;

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
    /// Whom to put into the form.
    #[serde(default)]
    of: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<PageQuery>,
) -> Response {
    let notice = match query.done.as_deref() {
        Some("forget") => Some(Notice::Good(
            "Taken. What could be forgotten is; the list says what waits.".to_owned(),
        )),
        Some(_) => Some(Notice::Good("Kept.".to_owned())),
        None => None,
    };
    let named = query.of.unwrap_or_default();
    show(&app, &person, StatusCode::OK, notice, &named).await
}

async fn show(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
    named: &str,
) -> Response {
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let policy = policies::retention(tx, &store_id)?;
            Ok::<_, Fault>((policy, erasures::list(tx, &store_id, None, SHOWN)?))
        })
        .await;
    match found {
        Ok((policy, asked)) => {
            let content = html! {
                div.head { h1 { "Personal data" } }
                (said(notice.as_ref()))
                (wish_form(person, named))
                (asked_before(&asked))
                (policy_form(person, policy))
            };
            (status, layout::page("Personal data", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn wish_form(person: &Person, named: &str) -> Markup {
    html! {
        section.card {
            h2 { "Forget a shopper" }
            p.muted { "Names, addresses and whatever else is about them goes; amounts, dates and numbers stay, since they are your books. What is still needed is forgotten as soon as it is not. This cannot be undone." }
            form method="post" action="/dashboard/personal-data/forget" data-confirm="Forget these shoppers for good?" {
                input type="hidden" name="csrf" value=(person.csrf_token);
                label for="named" { "Order numbers, or ids of payments, checkouts and customers, one on each line" }
                textarea #named name="named" rows="4" required autocomplete="off" spellcheck="false" { (named) }
                button.danger type="submit" { "Forget them" }
            }
        }
    }
}

fn asked_before(asked: &[Erasure]) -> Markup {
    html! {
        section.card {
            h2 { "Asked for" }
            @if asked.is_empty() { p.muted { "Nobody has asked to be forgotten." } }
            @for erasure in asked {
                h3 { (format::moment(erasure.created_at_ms)) " " code.muted { (erasure.id) } }
                @if erasure.subjects.is_empty() {
                    p.muted { "No payment has such an order number." }
                } @else {
                    ul.moves { @for subject in &erasure.subjects { (subject_row(subject)) } }
                }
            }
        }
    }
}

fn subject_row(subject: &Subject) -> Markup {
    let kind = match subject.kind {
        Kind::Payment => "Payment",
        Kind::Checkout => "Checkout",
        Kind::Customer => "Customer",
    };
    html! {
        li {
            span.move {
                span { (kind) " " code { (subject.id) } }
                @if let Some(because) = subject.because {
                    span.muted {
                        (words(because))
                        @if let Some(until_ms) = subject.until_ms { ", until " (format::moment(until_ms)) " at the latest" }
                    }
                }
            }
            @match subject.state {
                Became::Erased => span.chip.captured { "Forgotten" },
                Became::Waiting => span.chip.pending { "Waits" },
                Became::Unknown => span.chip { "Not known here" },
            }
        }
    }
}

fn words(because: Because) -> &'static str {
    match because {
        Because::CheckoutOpen => "The shopper may still pay",
        Because::AuthorizationOpen => {
            "Something can still be captured: capture, cancel or release it"
        }
        Because::OperationPending => "Something is on its way to Klarna",
        Because::TokenActive => "A customer token is active: cancel it",
    }
}

fn policy_form(person: &Person, policy: Retention) -> Markup {
    let days = policy.personal_data_days.map(|days| days.to_string()).unwrap_or_default();
    html! {
        section.card.narrow {
            h2 { "How long everybody is kept" }
            form method="post" action="/dashboard/personal-data/keep" data-busy {
                input type="hidden" name="csrf" value=(person.csrf_token);
                label for="days" { "Days after a payment or checkout came to its end " span.muted { "empty: for ever" } }
                input #days name="days" type="number" min="1" max=(MOST_DAYS) value=(days) autocomplete="off";
                button.primary type="submit" { "Keep" }
            }
        }
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path(action): Path<String>,
    body: Bytes,
) -> Response {
    if !sign_in::is_right(&field(&body, "csrf").unwrap_or_default(), &person) {
        return sign_in::refused(&person);
    }
    let named = field(&body, "named").unwrap_or_default();
    let done = match action.as_str() {
        "forget" => forget(&app, &person, &named).await,
        "keep" => keep(&app, &person, field(&body, "days").as_deref()).await,
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    match done {
        Ok(Ok(())) => {
            Redirect::to(&format!("/dashboard/personal-data?done={action}")).into_response()
        }
        Ok(Err(detail)) => {
            let notice = Notice::Bad {
                title: "Nothing was done".to_owned(),
                detail,
                remedy: "Correct it and try again.".to_owned(),
                correlation_id: None,
            };
            show(&app, &person, StatusCode::BAD_REQUEST, Some(notice), &named).await
        }
        Err(fault) => layout::failed(&fault),
    }
}

async fn forget(app: &App, person: &Person, named: &str) -> Result<Result<(), String>, Fault> {
    let wish = match read(named) {
        Ok(wish) => wish,
        Err(detail) => return Ok(Err(detail)),
    };
    let engine = app.engine();
    let now_ms = engine.now_ms();
    let by = By {
        store_id: person.store_id.clone(),
        actor: person.actor(),
        erasure_id: engine.fresh_id("era"),
        audit_id: engine.fresh_id("aud"),
    };
    app.database().write(move |tx| erasure::begin(tx, &wish, &by, now_ms)).await?;
    engine.wake();
    erasure::scrub(engine).await;
    Ok(Ok(()))
}

/// Who is named, by what a line looks like: our own ids say what they are of, and all else is an order number.
fn read(named: &str) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let lines = named.lines().map(str::trim).filter(|line| !line.is_empty());
    for (number, line) in lines.enumerate() {
        if number >= MOST_NAMED {
            return Err(format!("At most {MOST_NAMED} at once."));
        }
        if line.len() > 255 {
            return Err("A line is longer than any number: 255 characters at most.".to_owned());
        }
        let list = match line.split_once('_') {
            Some(("pay", _)) => &mut wish.payment_ids,
            Some(("chk", _)) => &mut wish.checkout_ids,
            Some(("cus", _)) => &mut wish.customer_ids,
            _ => &mut wish.merchant_references,
        };
        list.push(line.to_owned());
    }
    if wish == Wish::default() {
        return Err("Say who is to be forgotten: one number or id on each line.".to_owned());
    }
    Ok(wish)
}

async fn keep(app: &App, person: &Person, days: Option<&str>) -> Result<Result<(), String>, Fault> {
    let days = match days.map(str::parse::<i64>) {
        None => None,
        Some(Ok(days)) => Some(days),
        Some(Err(_)) => return Ok(Err("The days are not a number.".to_owned())),
    };
    let policy = Retention { personal_data_days: days };
    if !policy.is_sound() {
        return Ok(Err(format!("The days are not between 1 and {MOST_DAYS}.")));
    }
    let (store_id, now_ms) = (person.store_id.clone(), app.engine().now_ms());
    app.database().write(move |tx| policies::set_retention(tx, &store_id, &policy, now_ms)).await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let wish = read(" pay_1 \n\nchk_2\ncus_3\nS-1001\npayment_4\n").unwrap();
        assert_eq!(wish.payment_ids, ["pay_1"]);
        assert_eq!(wish.checkout_ids, ["chk_2"]);
        assert_eq!(wish.customer_ids, ["cus_3"]);
        assert_eq!(wish.merchant_references, ["S-1001", "payment_4"]);
    }

    #[test]
    fn nobody_too_many_and_too_long_are_refused() {
        for named in [String::new(), " \n ".to_owned(), "x".repeat(256), "S-1\n".repeat(101)] {
            assert!(read(&named).is_err(), "{named}");
        }
    }
}
