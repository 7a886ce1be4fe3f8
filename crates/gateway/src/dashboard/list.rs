//! The list of payments: looked through by text, filters and order, kept as views, taken as a file.

mod filters;
pub(super) mod views;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::payment::{Notice, said};
use super::{Person, format, layout};
use crate::api::payments::file;
use crate::api::streams::{self, Seen};
use crate::app::App;
use crate::domain::expiry::Policy;
use crate::domain::payment::{Fraud, Payment, Status};
use crate::domain::role::Permission;
use crate::domain::search::{self, Amounts, Place, Search, Sort, Written, Wrong};
use crate::fault::Fault;
use crate::store::views::View;
use crate::store::{policies, search as rows, views as kept};

/// Where the list is.
pub(super) const ADDRESS: &str = "/dashboard";
const FILE: &str = "/dashboard/payments.csv";

const PAGE: i64 = 25;

/// What an address of the list asks for.
#[derive(Debug, Clone, Default)]
struct Asked {
    written: Written,
    cursor: Option<String>,
    /// The view that was chosen.
    view: Option<String>,
}

impl Asked {
    /// Reads a query; what the list does not know means nothing to it.
    fn read(query: Option<&str>) -> Self {
        let mut asked = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            // No filter has one; and a NUL would be an error of PostgreSQL's.
            if value.contains('\0') {
                continue;
            }
            match name.as_ref() {
                "cursor" => asked.cursor = Some(value.into_owned()),
                "view" => asked.view = Some(value.into_owned()),
                name => {
                    asked.written.put(name, &value);
                }
            }
        }
        asked
    }

    fn search(&self) -> Result<(Search, Option<Place>), Wrong> {
        let search = search::read(&self.written, Amounts::Decimals)?;
        let cursor = self.cursor.as_deref().filter(|cursor| !cursor.is_empty());
        let after = cursor.map(|cursor| Place::read(search.sort, cursor)).transpose()?;
        Ok((search, after))
    }

    /// The same list with other filters, from its beginning.
    fn link(&self, written: &Written) -> String {
        address(ADDRESS, written, self.view.as_deref(), None)
    }
}

/// An address with filters; the parts are escaped for URLs.
fn address(path: &str, written: &Written, view: Option<&str>, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in written.pairs() {
        query.append_pair(name, &value);
    }
    for (name, value) in [("view", view), ("cursor", cursor)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Everything the page shows.
struct Shown {
    asked: Asked,
    sort: Sort,
    page: rows::Page,
    counts: Vec<(Status, i64)>,
    policy: Policy,
    views: Vec<View>,
    wrong: Option<Wrong>,
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Asked::read(query.as_deref());
    let (store_id, user_id) = (person.store_id.clone(), person.user_id.clone());
    let now_ms = app.engine().now_ms();
    let found = app
        .database()
        .read_long(move |tx| {
            let policy = policies::expiry(tx, &store_id)?;
            let (sort, page, wrong) = match asked.search() {
                Ok((search, after)) => {
                    let soon_ms = policy.soon_ms(now_ms);
                    let after = after.as_ref();
                    let page = rows::page(tx, &store_id, &search, soon_ms, after, PAGE)?;
                    (search.sort, page, None)
                }
                Err(wrong) => (Sort::default(), rows::Page::default(), Some(wrong)),
            };
            Ok::<_, Fault>(Shown {
                asked: asked.clone(),
                sort,
                page,
                counts: rows::counts(tx, &store_id)?,
                policy,
                views: kept::seen_by(tx, &store_id, &user_id)?,
                wrong,
            })
        })
        .await;
    match found {
        Ok(shown) => {
            let status =
                if shown.wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            let content = view(&shown, &person, now_ms);
            (status, layout::page("Payments", Some(&person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

/// What happens in the store, as it happens: the list then looks again.
pub(super) async fn stream(State(app): State<App>, person: Person, seen: Seen) -> Response {
    streams::of_persons_store(&app, person.store_id, seen)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// The same payments as a file.
pub(super) async fn download(
    State(app): State<App>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Asked::read(query.as_deref());
    match search::read(&asked.written, Amounts::Decimals) {
        Ok(search) => file::write(&app, person.store_id.clone(), &person.actor(), search)
            .await
            .unwrap_or_else(|fault| layout::failed(&fault)),
        Err(wrong) => layout::message(
            StatusCode::BAD_REQUEST,
            Some(&person),
            "This cannot be looked for",
            &format!("{}: {}.", filters::label(wrong.member), wrong.detail),
        ),
    }
}

fn view(shown: &Shown, person: &Person, now_ms: i64) -> Markup {
    let asked = &shown.asked;
    let again = address(ADDRESS, &asked.written, asked.view.as_deref(), asked.cursor.as_deref());
    html! {
        // The script watches the stream, and takes the list from this page as it then is.
        p.hidden role="status" data-stream="/dashboard/stream" data-page=(again) {}
        div.head {
            h1 { "Payments" }
            @if person.may(Permission::MoveMoney) && shown.wrong.is_none() {
                a.button href=(address(FILE, &asked.written, None, None)) download { "Export CSV" }
            }
        }
        (views::choice(&shown.views, asked))
        (filters::form(asked))
        @if let Some(wrong) = &shown.wrong {
            (said(Some(&Notice::Bad {
                title: "This cannot be looked for".to_owned(),
                detail: format!("{}: {}.", filters::label(wrong.member), wrong.detail),
                remedy: "Correct it, or leave it out.".to_owned(),
                correlation_id: None,
            })))
        }
        div data-live="list" {
            (filters::quick(asked, &shown.counts))
            (filters::chosen(asked))
            (results(shown, now_ms))
        }
        (views::keep(&shown.views, asked, person))
    }
}

fn results(shown: &Shown, now_ms: i64) -> Markup {
    let asked = &shown.asked;
    let page = &shown.page;
    let further = page.next.as_ref().map(|place| {
        let cursor = place.cursor(shown.sort);
        address(ADDRESS, &asked.written, asked.view.as_deref(), Some(&cursor))
    });
    html! {
        @if page.payments.is_empty() && shown.wrong.is_none() {
            section.card.empty {
                @if further.is_some() {
                    h2 { "Nothing found so far" }
                } @else if !asked.written.is_empty() {
                    h2 { "Nothing found" }
                    p.muted { "No payment fits. Search takes whole references, ids and amounts." }
                    p { a.button href=(ADDRESS) { "Show all payments" } }
                } @else if asked.cursor.is_some() {
                    h2 { "No more payments" }
                } @else {
                    h2 { "No payments yet" }
                    p.muted { "As soon as a shopper pays, the payment stands here." }
                }
            }
        } @else if !page.payments.is_empty() {
            ul.payments {
                @for payment in &page.payments { (row(payment, &shown.policy, now_ms)) }
            }
        }
        @if let Some(further) = &further {
            @if page.cut_short {
                @if let Some(at) = reached(page, shown.sort) { p.more.muted { "Searched " (at) "." } }
            }
            p.more {
                a.button href=(further) {
                    @match (page.cut_short, shown.sort) {
                        (true, _) => "Search further",
                        (false, Sort::Newest) => "Older payments",
                        (false, _) => "More payments",
                    }
                }
            }
        }
    }
}

/// How far a search came that was cut short.
fn reached(page: &rows::Page, sort: Sort) -> Option<String> {
    let at_ms = *page.next.as_ref()?.numbers.first()?;
    match sort {
        Sort::Newest => Some(format!("back to {}", format::moment(at_ms))),
        Sort::Oldest => Some(format!("up to {}", format::moment(at_ms))),
        Sort::AmountHigh | Sort::AmountLow | Sort::Expiring => None,
    }
}

/// A payment as a line of a list.
pub(super) fn row(payment: &Payment, policy: &Policy, now_ms: i64) -> Markup {
    html! {
        li {
            a.row href={ "/dashboard/payments/" (payment.id) } {
                span.who {
                    strong { (payment.merchant_reference) }
                    span.muted {
                        (payment.klarna_reference.as_deref().unwrap_or("Klarna"))
                        " · " (payment.country)
                    }
                }
                span.when.muted { (format::moment(payment.created_at_ms)) }
                span.what { (chips(payment, policy, now_ms)) }
                span.much { (format::money(payment.amounts.authorized, &payment.currency)) }
            }
        }
    }
}

/// The status, and what stands beside it.
pub(super) fn chips(payment: &Payment, policy: &Policy, now_ms: i64) -> Markup {
    let refunded = payment.amounts.refunded;
    html! {
        span class={ "chip " (payment.status.name()) } { (format::status(payment.status)) }
        @if refunded.is_positive() {
            " " span.chip.refunded {
                @if refunded == payment.amounts.captured { "Refunded" } @else { "Part refunded" }
            }
        }
        @match &payment.fraud {
            Fraud::Accepted => {}
            Fraud::Pending => { " " span.chip.pending { "Under review" } }
            Fraud::Rejected | Fraud::Other(_) => { " " span.chip.rejected { "Do not ship" } }
        }
        @match payment.days_left(policy, now_ms) {
            None => {}
            Some(0) => { " " span.chip.expires { "Lapses today" } }
            Some(1) => { " " span.chip.expires { "Lapses tomorrow" } }
            Some(days) => { " " span.chip.expires { "Lapses in " (days) " days" } }
        }
    }
}
