//! Views of the list that people keep: chosen above it, kept below it, put in order on a page of
//! their own.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use super::super::payment::{Notice, said};
use super::super::people::form::{Fields, csrf};
use super::super::{Person, layout};
use super::{ADDRESS, Asked, address, filters};
use crate::app::App;
use crate::domain::role::Permission;
use crate::domain::search::{self, Amounts, NAMES, Written};
use crate::fault::Fault;
use crate::store::audit::{self, Deed};
use crate::store::views::{self, Kept, MOST, Owner, View};

/// Where one's own views are put in order.
const OWN: &str = "/dashboard/account/views";
/// Where everybody's are.
const EVERYBODYS: &str = "/dashboard/views";

fn link(view: &View) -> String {
    address(ADDRESS, &view.written, Some(&view.id), None)
}

fn forms_of(owner: &Owner) -> &'static str {
    match owner {
        Owner::User(_) => OWN,
        Owner::Everybody => EVERYBODYS,
    }
}

/// The views, to choose one.
pub(super) fn choice(views: &[View], asked: &Asked) -> Markup {
    html! {
        @if !views.is_empty() {
            nav.filters.views aria-label="Saved views" {
                @for view in views {
                    @let chosen = asked.view.as_deref() == Some(&view.id);
                    a href=(link(view)) aria-current=[chosen.then_some("true")] {
                        (view.name)
                        @if chosen && view.written != asked.written { span.count { " changed" } }
                    }
                }
                a.quiet href=(OWN) { "Manage views" }
            }
        }
    }
}

fn carried(written: &Written) -> Markup {
    html! {
        @for (name, value) in written.pairs() { input type="hidden" name=(name) value=(value); }
    }
}

/// Forms to keep what the list shows.
pub(super) fn keep(views: &[View], asked: &Asked, person: &Person) -> Markup {
    let written = &asked.written;
    let administers = person.may(Permission::Administer);
    let chosen = views.iter().find(|view| asked.view.as_deref() == Some(&view.id));
    let changed = chosen.filter(|view| view.written != *written).filter(|view| match view.owner {
        Owner::User(_) => true,
        Owner::Everybody => administers,
    });
    html! {
        @if !written.is_empty() && chosen.is_none_or(|view| view.written != *written) {
            section.card.keep {
                details.action {
                    summary { "Keep this view" }
                    @if let Some(view) = changed {
                        form method="post" action={ (forms_of(&view.owner)) "/" (view.id) "/change" } data-busy {
                            (csrf(person)) (carried(written))
                            button type="submit" { "Change “" (view.name) "” to this" }
                        }
                    }
                    form method="post" action=(OWN) data-busy {
                        (csrf(person)) (carried(written))
                        label for="view-name" { "Name" }
                        input #view-name name="name" required maxlength="60" autocomplete="off";
                        div.in-line {
                            button type="submit" { "Keep it for me" }
                            @if administers {
                                button type="submit" formaction=(EVERYBODYS) { "Keep it for everybody" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The page on which views are put in order.
pub(in super::super) async fn page(State(app): State<App>, person: Person) -> Response {
    show(&app, &person, StatusCode::OK, None).await
}

async fn show(app: &App, person: &Person, status: StatusCode, notice: Option<Notice>) -> Response {
    let (store_id, user_id) = (person.store_id.clone(), person.user_id.clone());
    match app.database().read(move |tx| views::seen_by(tx, &store_id, &user_id)).await {
        Ok(found) => {
            let content = html! {
                nav.crumbs aria-label="Breadcrumb" { a href=(ADDRESS) { "Payments" } span { "Saved views" } }
                div.head { h1 { "Saved views" } }
                (said(notice.as_ref()))
                @if found.is_empty() {
                    section.card.empty {
                        h2 { "No views yet" }
                        p.muted { "Narrow the list of payments, then keep what it shows under a name." }
                        p { a.button href=(ADDRESS) { "To the payments" } }
                    }
                }
                @for view in &found { (card(view, person)) }
            };
            (status, layout::page("Saved views", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn card(view: &View, person: &Person) -> Markup {
    let mine = match view.owner {
        Owner::User(_) => true,
        Owner::Everybody => person.may(Permission::Administer),
    };
    let forms = forms_of(&view.owner);
    html! {
        section.card {
            div.head {
                h2 { a href=(link(view)) { (view.name) } }
                @if view.owner == Owner::Everybody { span.chip { "for everybody" } }
            }
            dl.facts.wide-facts {
                @for (name, value) in view.written.pairs() {
                    div { dt { (filters::label(name)) } dd { (filters::shown(name, &value)) } }
                }
            }
            @if mine {
                details.action {
                    summary { "Rename or delete" }
                    form method="post" action={ (forms) "/" (view.id) "/rename" } data-busy {
                        (csrf(person))
                        label for={ "name-" (view.id) } { "Name" }
                        input id={ "name-" (view.id) } name="name" value=(view.name) required maxlength="60" autocomplete="off";
                        button type="submit" { "Rename it" }
                    }
                    form method="post" action={ (forms) "/" (view.id) "/delete" } data-confirm={ "Delete the view " (view.name) "?" } {
                        (csrf(person))
                        button.danger type="submit" { "Delete it" }
                    }
                }
            }
        }
    }
}

/// Keeps a view for oneself.
pub(in super::super) async fn add_own(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    add(&app, &person, Owner::User(person.user_id.clone()), &fields).await
}

/// Keeps a view for everybody.
pub(in super::super) async fn add_everybodys(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    add(&app, &person, Owner::Everybody, &fields).await
}

/// Renames, changes or deletes a view of one's own.
pub(in super::super) async fn act_own(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    fields: Fields,
) -> Response {
    act(&app, &person, Owner::User(person.user_id.clone()), id, &action, &fields).await
}

/// Likewise one of everybody's.
pub(in super::super) async fn act_everybodys(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    fields: Fields,
) -> Response {
    act(&app, &person, Owner::Everybody, id, &action, &fields).await
}

/// What a form wants of a view.
#[derive(Clone)]
enum Wish {
    Add(View),
    Rename(String),
    Change(Written),
    Delete,
}

fn written(fields: &Fields) -> Written {
    let mut written = Written::default();
    for name in NAMES {
        written.put(name, fields.get(name));
    }
    written
}

/// What cannot be looked for is not kept.
fn checked(fields: &Fields) -> Result<Written, search::Wrong> {
    let written = written(fields);
    search::read(&written, Amounts::Decimals).map(|_| written)
}

async fn add(app: &App, person: &Person, owner: Owner, fields: &Fields) -> Response {
    let read = search::view_name(fields.get("name")).and_then(|name| Ok((name, checked(fields)?)));
    match read {
        Ok((name, written)) => {
            let id = app.engine().fresh_id("view");
            let view = View { id: id.clone(), owner: owner.clone(), name, written };
            carry_out(app, person, owner, id, Wish::Add(view)).await
        }
        Err(wrong) => refused(app, person, &wrong).await,
    }
}

async fn act(
    app: &App,
    person: &Person,
    owner: Owner,
    id: String,
    action: &str,
    fields: &Fields,
) -> Response {
    let wish = match action {
        "rename" => search::view_name(fields.get("name")).map(Wish::Rename),
        "change" => checked(fields).map(Wish::Change),
        "delete" => Ok(Wish::Delete),
        _ => return unknown(person),
    };
    match wish {
        Ok(wish) => carry_out(app, person, owner, id, wish).await,
        Err(wrong) => refused(app, person, &wrong).await,
    }
}

async fn refused(app: &App, person: &Person, wrong: &search::Wrong) -> Response {
    let detail = format!("{}: {}.", filters::label(wrong.member), wrong.detail);
    not_done(app, person, StatusCode::BAD_REQUEST, detail).await
}

async fn not_done(app: &App, person: &Person, status: StatusCode, detail: String) -> Response {
    let notice = Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail,
        remedy: "Correct it and try again.".to_owned(),
        correlation_id: None,
    };
    show(app, person, status, Some(notice)).await
}

fn unknown(person: &Person) -> Response {
    let (title, detail) = ("No such view", "There is no view of that id that is yours to change.");
    layout::message(StatusCode::NOT_FOUND, Some(person), title, detail)
}

/// Does it, and keeps in the audit log that it was done, in one unit of work.
async fn carry_out(app: &App, person: &Person, owner: Owner, id: String, wish: Wish) -> Response {
    let (audit_id, now_ms) = (app.engine().fresh_id("aud"), app.engine().now_ms());
    let (store_id, actor) = (person.store_id.clone(), person.actor());
    let (of, wanted, view_id) = (owner.clone(), wish.clone(), id.clone());
    let kept = app
        .database()
        .write(move |tx| {
            let (action, kept) = match &wanted {
                Wish::Add(view) => ("view.kept", views::insert(tx, &store_id, view, now_ms)?),
                Wish::Rename(name) => {
                    ("view.renamed", views::rename(tx, &store_id, &of, &view_id, name, now_ms)?)
                }
                Wish::Change(written) => {
                    ("view.changed", views::change(tx, &store_id, &of, &view_id, written, now_ms)?)
                }
                Wish::Delete => ("view.deleted", views::delete(tx, &store_id, &of, &view_id)?),
            };
            if kept == Kept::Yes {
                let deed = Deed {
                    id: &audit_id,
                    store_id: &store_id,
                    actor: &actor,
                    action,
                    subject: &view_id,
                };
                audit::append(tx, deed, &json!({ "everybodys": of == Owner::Everybody }), now_ms)?;
            }
            Ok::<_, Fault>(kept)
        })
        .await;
    match kept {
        Ok(Kept::Yes) => match wish {
            Wish::Add(view) => Redirect::to(&link(&view)).into_response(),
            Wish::Change(written) => {
                Redirect::to(&address(ADDRESS, &written, Some(&id), None)).into_response()
            }
            Wish::Rename(_) | Wish::Delete => Redirect::to(OWN).into_response(),
        },
        Ok(Kept::NameTaken) => {
            let detail = "There is a view of that name already; choose another one.".to_owned();
            not_done(app, person, StatusCode::CONFLICT, detail).await
        }
        Ok(Kept::TooMany) => {
            let detail = format!("{MOST} views are kept already; delete one of them first.");
            not_done(app, person, StatusCode::CONFLICT, detail).await
        }
        Ok(Kept::Unknown) => unknown(person),
        Err(fault) => layout::failed(&fault),
    }
}
