//! What waits for a person: each such operation with what was asked, what Klarna answered, why it
//! stands still, and the four things that can be done about it.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::{Currency, MinorUnits};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::payment::{Notice, pretty, said};
use super::{Person, format, layout, sign_in, webhooks};
use crate::api::operations::act::LONGEST_NOTE;
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::checkout::Cart;
use crate::domain::circuit::Phase;
use crate::domain::journal::Operation;
use crate::domain::operation::{Kind, State as Stands};
use crate::domain::reading::{Kind as Read, Trouble};
use crate::domain::webhook::Endpoint;
use crate::engine::attention::{self, Act, NotDone, Word};
use crate::engine::nodes::Status;
use crate::engine::worker::redacted;
use crate::fault::Fault;
use crate::store::operations::Attempt;
use crate::store::readings::Place;
use crate::store::{checkouts, events, operations, readings, webhooks as webhook_rows};

/// How many are shown at once; the rest comes up as these are settled.
const MOST: i64 = 50;
/// How long a person looks at a page that loads.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// One operation that waits, with what a person needs to decide.
struct Waiting {
    operation: Operation,
    attempts: Vec<Attempt>,
    cart: Option<Cart>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

fn load(tx: &mut Tx<'_>, store_id: &str) -> Result<Vec<Waiting>, Fault> {
    let mut waiting = Vec::new();
    for operation in operations::list(tx, store_id, Some(Stands::NeedsAttention), None, MOST)? {
        waiting.push(Waiting {
            attempts: operations::attempts(tx, &operation.id)?,
            cart: checkouts::get(tx, &operation.checkout_id)?.map(|checkout| checkout.cart),
            operation,
        });
    }
    Ok(waiting)
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<PageQuery>,
) -> Response {
    let notice = query.done.as_deref().map(|done| match done {
        "done" => Notice::Good("Settled: it took effect.".to_owned()),
        "refused" => Notice::Good("Settled: it did not take effect.".to_owned()),
        _ => Notice::Waiting(
            "It is being tried again. If it cannot be told, it comes back here.".to_owned(),
        ),
    });
    show(&app, &person, StatusCode::OK, notice).await
}

/// Everything that the page shows.
struct Found {
    waiting: Vec<Waiting>,
    silent: Vec<Endpoint>,
    /// What cannot be read of Klarna's books.
    unread: Vec<(Place, Trouble)>,
}

async fn show(app: &App, person: &Person, status: StatusCode, notice: Option<Notice>) -> Response {
    let store_id = person.store_id.clone();
    let now_ms = app.engine().now_ms();
    let engine = match app.engine().status().await {
        Ok(engine) => engine,
        Err(fault) => return layout::failed(&fault),
    };
    let found = app
        .database()
        .read_long(move |tx| {
            let mut silent = webhook_rows::endpoints(tx, &store_id)?;
            silent.retain(Endpoint::needs_attention);
            let found = Found {
                waiting: load(tx, &store_id)?,
                silent,
                unread: readings::of_store(tx, &store_id)?
                    .into_iter()
                    .filter_map(|(place, progress)| Some((place, progress.trouble?)))
                    .filter(|(_, trouble)| trouble.is_worth_telling(now_ms))
                    .collect(),
            };
            Ok::<_, Fault>(found)
        })
        .await;
    match found {
        Ok(found) => {
            let content = html! {
                (unanswered(&engine))
                (view(&found, person, notice.as_ref()))
            };
            (status, layout::page("Needs attention", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(found: &Found, person: &Person, notice: Option<&Notice>) -> Markup {
    let Found { waiting, silent, unread } = found;
    html! {
        div.head { h1 { "Needs attention" } }
        (said(notice))
        @if waiting.is_empty() && silent.is_empty() && unread.is_empty() {
            section.card.empty {
                h2 { "Nothing needs you" }
                p.muted { "An operation stands here when Klarna's answer was lost and its books do not tell what happened." }
                p { a.button href="/dashboard" { "Back to payments" } }
            }
        }
        (webhooks::needing_attention(silent))
        @for (place, trouble) in unread { (unreadable(place, trouble)) }
        @for each in waiting { (card(each, person)) }
    }
}

/// Books of Klarna's that this store's account may not read: payments go on, but figures are missing.
fn unreadable(place: &Place, trouble: &Trouble) -> Markup {
    let what = place.kind.name();
    html! {
        section.card.attention role="status" {
            @if trouble.refused {
                h2 { "Klarna does not let this account read " (what) }
                p {
                    "Since " (format::moment(trouble.since_ms)) ". Payments are not touched by it, but the "
                    "dashboard and reports know nothing new of " (what) "."
                }
                p {
                    strong { "What to do: " }
                    @match place.kind {
                        Read::Payouts => "Ask Klarna to let this API credential use the Settlements API, or give the account a credential that may.",
                        Read::Disputes => "Ask Klarna to let this API credential use the Disputes API, or give the account a credential that may.",
                    }
                    " It is tried again every six hours, and at once when the account is changed."
                }
            } @else {
                h2 { "Klarna's " (what) " cannot be read" }
                p { "Since " (format::moment(trouble.since_ms)) " there was no answer that could be used. It is tried again by itself." }
            }
            p.muted { "Account " code { (place.account_id) } " · Klarna: " (trouble.summary) }
        }
    }
}

/// The accounts that Klarna does not answer for: nothing to settle, but something to know.
fn unanswered(status: &Status) -> Markup {
    html! {
        @for account in status.troubled() {
            section.card.attention role="status" {
                h2 { "Klarna does not answer" }
                p {
                    "Since " (format::moment(account.gate.circuit_since_ms))
                    @match account.gate.circuit {
                        Phase::Closed | Phase::Recovering => " Klarna answers again: what has waited is being carried out, a little at a time.",
                        Phase::Open | Phase::HalfOpen => " nothing is asked of it but a try now and then. What was wanted waits and is carried out as soon as Klarna is back.",
                    }
                }
                p.muted { "Account " (account.account) ". See Klarna's status page; there is nothing to do here." }
            }
        }
    }
}

fn currency(waiting: &Waiting) -> Currency {
    waiting.cart.as_ref().map_or(Currency::EUR, |cart| cart.currency.clone())
}

fn amount(waiting: &Waiting) -> Option<MinorUnits> {
    match waiting.operation.kind {
        Kind::PlaceOrder => waiting.cart.as_ref().map(|cart| cart.order_amount),
        Kind::Capture
        | Kind::Refund
        | Kind::Cancel
        | Kind::Release
        | Kind::Change(_)
        | Kind::CreateToken
        | Kind::Charge
        | Kind::CancelToken => waiting.operation.amount_concerned(),
    }
}

fn card(waiting: &Waiting, person: &Person) -> Markup {
    let operation = &waiting.operation;
    let reference = waiting.cart.as_ref().map_or("", |cart| cart.merchant_reference.as_str());
    let heading = format!("heading-{}", operation.id);
    html! {
        article.card.attention aria-labelledby=(heading) {
            div.head {
                h2 #(heading) { (format::words(operation.kind.name())) " · " (reference) }
                @if let Some(amount) = amount(waiting) { p.much { (format::money(amount, &currency(waiting))) } }
            }
            @if let Some(refusal) = operation.refusal() {
                div.notice.bad {
                    p { (refusal.detail) }
                    p { strong { "What to do: " } (refusal.remedy) }
                }
            }
            dl.facts.wide-facts {
                div { dt { "Since" } dd { (format::moment(operation.updated_at_ms)) } }
                div { dt { "Klarna was asked" } dd { (operation.attempts) @if operation.attempts == 1 { " time" } @else { " times" } } }
                @if let Some(id) = &operation.correlation_id { div { dt { "Klarna correlation id" } dd { code { (id) } } } }
                @if let Some(id) = operation.order_id() { div { dt { "Klarna order" } dd { code { (id) } } } }
                @if let Some(id) = &operation.payment_id {
                    div { dt { "Payment" } dd { a href={ "/dashboard/payments/" (id) } { (reference) } } }
                }
                div { dt { "Operation" } dd { code { (operation.id) } } }
            }
            (exchange(waiting))
            (choices(operation, person))
        }
    }
}

/// What was sent, and each answer.
fn exchange(waiting: &Waiting) -> Markup {
    let sent = waiting.operation.body().and_then(redacted);
    html! {
        details {
            summary { "What was sent and answered" }
            @if let Some(sent) = &sent { pre tabindex="0" aria-label="Request" { (pretty(sent)) } }
            ol.timeline {
                @for attempt in waiting.attempts.iter().rev() {
                    li.call {
                        p { "Attempt " (attempt.number) ": " (attempt.outcome) @if let Some(status) = attempt.status { span.muted { " · HTTP " (status) } } }
                        p.small.muted {
                            (format::moment(attempt.at_ms))
                            @if let Some(id) = &attempt.correlation_id { " · correlation id " code { (id) } }
                        }
                        @if let Some(answer) = &attempt.answer { pre tabindex="0" aria-label={ "Answer to attempt " (attempt.number) } { (pretty(answer)) } }
                    }
                }
            }
        }
    }
}

fn choices(operation: &Operation, person: &Person) -> Markup {
    let at = |action: &str| format!("/dashboard/operations/{}/{action}", operation.id);
    let id = |name: &str| format!("{name}-{}", operation.id);
    let places = matches!(operation.kind, Kind::PlaceOrder | Kind::Charge);
    html! {
        div.choices {
            form method="post" action=(at("look")) data-busy {
                (hidden(operation, person))
                button.primary type="submit" { "Look again at Klarna" }
            }
            form method="post" action=(at("resume")) data-confirm="Ask Klarna again? It is asked under the same key and cannot happen twice." {
                (hidden(operation, person))
                button type="submit" { "Try again" }
            }
        }
        details.action {
            summary { "I know what happened" }
            form.settle method="post" action=(at("settle")) data-confirm="Settle this operation?" {
                (hidden(operation, person))
                @if places {
                    label for=(id("order")) { "Klarna order id " span.muted { "if an order was made" } }
                    input id=(id("order")) name="klarna_id" autocomplete="off" maxlength="64" spellcheck="false";
                } @else if operation.amount().is_some() {
                    label for=(id("entry")) { "Klarna's id of the " (operation.kind.name()) " " span.muted { "only if its books show several of this amount" } }
                    input id=(id("entry")) name="klarna_id" autocomplete="off" maxlength="64" spellcheck="false";
                }
                label for=(id("by")) { "Your name" }
                input id=(id("by")) name="by" value=(person.name) autocomplete="name" maxlength="80" required;
                label for=(id("note")) { "How you know" }
                input id=(id("note")) name="note" autocomplete="off" maxlength=(LONGEST_NOTE) required;
                p.small.muted { "Both stay in the history. What you say is compared with Klarna's books first." }
                div.choices {
                    button type="submit" name="outcome" value="done"
                        data-confirm="Settle it as done? Klarna's books are compared first. This cannot be undone." { "It took effect" }
                    button.danger type="submit" name="outcome" value="refused"
                        data-confirm="Settle it as not done? It may then be asked for again. This cannot be undone." { "It did not" }
                }
            }
        }
    }
}

fn hidden(operation: &Operation, person: &Person) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(person.csrf_token);
        input type="hidden" name="version" value=(operation.version);
    }
}

/// What a form carries.
#[derive(Debug, Default)]
struct Fields {
    csrf: String,
    version: Option<i64>,
    outcome: String,
    klarna_id: Option<String>,
    by: String,
    note: String,
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.trim();
            match name.as_ref() {
                "csrf" => value.clone_into(&mut fields.csrf),
                "version" => fields.version = value.parse().ok(),
                "outcome" => value.clone_into(&mut fields.outcome),
                "klarna_id" => {
                    fields.klarna_id = Some(value.to_owned()).filter(|id| !id.is_empty());
                }
                "by" => fields.by = value.chars().take(80).collect(),
                "note" => fields.note = value.chars().take(LONGEST_NOTE).collect(),
                _ => {}
            }
        }
        fields
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let (true, Some(version)) = (sign_in::is_right(&fields.csrf, &person), fields.version) else {
        return sign_in::refused(&person);
    };
    let by = if fields.by.is_empty() {
        "Dashboard".to_owned()
    } else {
        format!("{} (dashboard)", fields.by)
    };
    let act = Act {
        store_id: person.store_id.clone(),
        operation_id: id.clone(),
        version: Some(version),
        by,
        note: fields.note,
    };
    let engine = app.engine();
    let acted = match (action.as_str(), fields.outcome.as_str()) {
        ("look", _) => attention::look(engine, act).await,
        ("resume", _) => attention::resume(engine, act).await,
        ("settle", "done") => {
            attention::settle(engine, act, Word::Done { klarna_id: fields.klarna_id }).await
        }
        ("settle", "refused") => attention::settle(engine, act, Word::Refused).await,
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    let acted = match acted {
        // Whoever tries again wants to see what comes of it, if it comes soon.
        Ok(Ok(operation)) if !operation.state.is_settled() => {
            engine.outcome(&id, PATIENCE).await.map(|found| Ok(found.unwrap_or(operation)))
        }
        other => other,
    };
    match acted {
        Ok(Ok(operation)) => {
            let done = match operation.state {
                Stands::Done => "done",
                Stands::Refused => "refused",
                Stands::Queued | Stands::Running | Stands::InDoubt | Stands::NeedsAttention => {
                    "resumed"
                }
            };
            Redirect::to(&format!("/dashboard/attention?done={done}")).into_response()
        }
        Ok(Err(not_done)) => not_done_page(&app, &person, not_done).await,
        Err(fault) => layout::failed(&fault),
    }
}

async fn not_done_page(app: &App, person: &Person, not_done: NotDone) -> Response {
    // Who was faster is what the second person wants to know.
    let faster = match &not_done {
        NotDone::NotWaiting(operation) => {
            let operation = operation.clone();
            match app.database().read(move |tx| events::settlement(tx, &operation)).await {
                Ok(event) => event.and_then(|event| {
                    let text =
                        |name: &str| event.data.get(name).and_then(serde_json::Value::as_str);
                    Some(format!(
                        "{} has settled it as {} at {}.",
                        text("by")?,
                        text("outcome")?,
                        format::moment(event.created_at_ms)
                    ))
                }),
                Err(fault) => return layout::failed(&fault),
            }
        }
        _ => None,
    };
    let problem = Problem::from(not_done);
    let notice = Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: faster.unwrap_or_else(|| problem.detail.clone()),
        remedy: problem.remedy.clone(),
        correlation_id: problem.correlation_id.clone(),
    };
    show(app, person, problem.status(), Some(notice)).await
}
