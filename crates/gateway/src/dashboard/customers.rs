//! Customers: the list, and one of them with their customer tokens and subscriptions.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::subscriptions::{Tab, row, tabs};
use super::{Person, format, layout, tokens};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::domain::customer::{Customer, CustomerToken};
use crate::domain::role::Permission;
use crate::domain::subscription::Subscription;
use crate::fault::Fault;
use crate::store::customers::{self, Filter};
use crate::store::subscriptions;

const PAGE: i64 = 25;
/// How many tokens and subscriptions a customer's page shows.
const MOST: i64 = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

struct Found {
    customers: Vec<Customer>,
    /// Tokens of nobody that the shop has named.
    strays: Vec<CustomerToken>,
    next: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(query): Query<ListQuery>,
) -> Response {
    let search = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let wanted = search.map(ToOwned::to_owned);
    let before = query.cursor.as_deref().and_then(read_cursor);
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let only: Vec<_> = wanted.iter().map(|text| ("reference", text.as_str())).collect();
            let is_first = wanted.is_none() && before.is_none();
            let filter = Filter { only, before: before.clone() };
            let mut found = customers::list(tx, &store_id, &filter, PAGE + 1)?;
            let more = found.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
            if more {
                found.pop();
            }
            let last = found.last().filter(|_| more);
            let next = last.map(|last| cursor_of(last.created_at_ms, &last.id));
            let mut strays = Vec::new();
            if is_first {
                strays = customers::list_tokens(tx, &store_id, &Filter::default(), MOST)?;
                strays.retain(|token| token.customer_id.is_none());
            }
            Ok::<_, Fault>(Found { customers: found, strays, next })
        })
        .await;
    match found {
        Ok(found) => {
            let content = list_view(&found, search, person.may(Permission::Administer));
            layout::page("Customers", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn list_view(found: &Found, search: Option<&str>, may_forget: bool) -> Markup {
    let older = found.next.as_ref().map(|cursor| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(search) = search {
            query.append_pair("q", search);
        }
        query.append_pair("cursor", cursor);
        format!("/dashboard/customers?{}", query.finish())
    });
    html! {
        (tabs(Tab::Customers))
        div.head {
            h1 { "Customers" }
            @if may_forget { p { a href="/dashboard/personal-data" { "Personal data" } } }
            form.search role="search" method="get" action="/dashboard/customers" {
                label.hidden for="q" { "Search" }
                input #q type="search" name="q" value=(search.unwrap_or_default()) placeholder="Reference";
                button type="submit" { "Search" }
            }
        }
        @if found.customers.is_empty() {
            section.card.empty {
                @if search.is_some() {
                    h2 { "Nothing found" }
                    p.muted { "No customer fits. Search takes whole references." }
                    p { a.button href="/dashboard/customers" { "Show all customers" } }
                } @else {
                    h2 { "No customers yet" }
                    p.muted { "Your shop names a customer with a number of its own; their customer tokens and subscriptions then stand here." }
                }
            }
        } @else {
            ul.payments {
                @for customer in &found.customers {
                    li {
                        a.row href={ "/dashboard/customers/" (customer.id) } {
                            span.who { strong { (customer.reference) } }
                            span.when.muted { "since " (format::moment(customer.created_at_ms)) }
                        }
                    }
                }
            }
            @if let Some(older) = older { p.more { a.button href=(older) { "Older customers" } } }
        }
        @if !found.strays.is_empty() {
            section.card.after {
                h2 { "Customer tokens of nobody named" }
                p.muted { "The shop did not say whose they are." }
                (token_list(&found.strays))
            }
        }
    }
}

fn token_list(tokens: &[CustomerToken]) -> Markup {
    html! {
        ul.moves {
            @for token in tokens {
                li {
                    span.move {
                        a href={ "/dashboard/customer-tokens/" (token.id) } { (token.description) }
                        span.muted {
                            (token.country.as_str()) ", " (token.currency.as_str()) " · made " (format::moment(token.created_at_ms))
                        }
                    }
                    (tokens::chip(token))
                }
            }
        }
    }
}

struct Shown {
    customer: Customer,
    tokens: Vec<CustomerToken>,
    subscriptions: Vec<Subscription>,
}

fn load(tx: &mut Tx<'_>, store_id: &str, id: &str) -> Result<Option<Shown>, Fault> {
    let Some(customer) = customers::get_in(tx, store_id, id)? else { return Ok(None) };
    let filter = Filter { only: vec![("customer_id", id)], before: None };
    Ok(Some(Shown {
        tokens: customers::list_tokens(tx, store_id, &filter, MOST)?,
        subscriptions: subscriptions::list(tx, store_id, &filter, MOST)?,
        customer,
    }))
}

/// A customer.
pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    let store_id = person.store_id.clone();
    match app.database().read_long(move |tx| load(tx, &store_id, &id)).await {
        Ok(Some(shown)) => {
            let reference = &shown.customer.reference;
            layout::page(reference, Some(&person), &view(&shown, &person)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(&person),
            "No such customer",
            "There is no customer at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn view(shown: &Shown, person: &Person) -> Markup {
    let customer = &shown.customer;
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            a href="/dashboard/customers" { "Customers" }
            span { (customer.reference) }
        }
        div.head {
            h1 { (customer.reference) }
            p.muted { "Known since " (format::moment(customer.created_at_ms)) " · " code { (customer.id) } }
            @if person.may(Permission::Administer) {
                p { a href={ "/dashboard/personal-data?of=" (customer.id) } { "Forget this customer" } }
            }
        }
        section.card {
            h2 { "Subscriptions" }
            @if shown.subscriptions.is_empty() {
                p.muted { "None." }
            } @else {
                ul.payments { @for subscription in &shown.subscriptions { (row(subscription)) } }
            }
        }
        section.card {
            h2 { "Customer tokens" }
            @if shown.tokens.is_empty() {
                p.muted { "None: a checkout of the intent " code { "tokenize" } " or " code { "buy_and_tokenize" } " makes one." }
            } @else {
                (token_list(&shown.tokens))
            }
        }
    }
}
