//! The page "Users and keys".

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use storage::Tx;

use super::super::payment::{Notice, said};
use super::super::{Person, format, layout};
use super::form::csrf;
use crate::app::App;
use crate::domain::access_key::{Key, Kind, Standing};
use crate::domain::role::Role;
use crate::domain::scope::Scope;
use crate::domain::user::BOOTSTRAP_USER;
use crate::fault::Fault;
use crate::store::users::{Invitation, User};
use crate::store::{keys, users};

/// So many keys are shown: those that ended longest ago fall off the end.
const MOST_KEYS: i64 = 100;

/// Everything the page shows.
struct Shown {
    keys: Vec<Key>,
    users: Vec<User>,
    invitations: Vec<Invitation>,
    now_ms: i64,
}

fn load(tx: &mut Tx<'_>, store_id: &str, now_ms: i64) -> Result<Shown, Fault> {
    Ok(Shown {
        keys: keys::list(tx, store_id, None, MOST_KEYS)?,
        users: users::list(tx, store_id)?,
        invitations: users::invitations(tx, store_id, now_ms)?,
        now_ms,
    })
}

pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    show(&app, &person, StatusCode::OK, &html! {}).await
}

/// The page again, with what went wrong.
pub(super) async fn refused(
    app: &App,
    person: &Person,
    status: StatusCode,
    detail: &str,
) -> Response {
    let notice = Notice::Bad {
        title: "Nothing was done".to_owned(),
        detail: detail.to_owned(),
        remedy: "Correct it and try again.".to_owned(),
        correlation_id: None,
    };
    show(app, person, status, &said(Some(&notice))).await
}

/// The page again, with what was done above it.
pub(super) async fn show(
    app: &App,
    person: &Person,
    status: StatusCode,
    above: &Markup,
) -> Response {
    let (store_id, now_ms) = (person.store_id.clone(), app.engine().now_ms());
    match app.database().read_long(move |tx| load(tx, &store_id, now_ms)).await {
        Ok(shown) => {
            let form_key = app.engine().fresh_secret();
            let content = view(&shown, person, above, &form_key);
            (status, layout::page("Users and keys", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(shown: &Shown, person: &Person, above: &Markup, form_key: &str) -> Markup {
    html! {
        div.head {
            h1 { "Users and keys" }
            a.button href="/dashboard/audit" { "Audit log" }
        }
        (above)
        section.card {
            h2 { "Users" }
            ul.moves.people {
                @for user in &shown.users { (one_user(user, person)) }
            }
            (invited(shown, person))
        }
        section.card {
            h2 { "API keys" }
            @if shown.keys.is_empty() { p.muted { "There is no key yet." } }
            ul.moves.people {
                @for key in &shown.keys { (one_key(key, shown.now_ms, person, form_key)) }
            }
            (new_secret_key(person, form_key))
            (new_publishable_key(person, form_key))
        }
    }
}

fn one_user(user: &User, person: &Person) -> Markup {
    let at = |action: &str| format!("/dashboard/access/users/{}/{action}", user.id);
    let is_oneself = user.id == person.user_id;
    let is_bootstrap = user.name == BOOTSTRAP_USER;
    html! {
        li {
            div.move {
                span {
                    strong { (user.name) } " "
                    span.chip { (user.role.name()) }
                    @if is_oneself { " " span.chip { "you" } }
                    @if user.totp_seed.is_some() { " " span.chip.captured { "second factor" } }
                    @if user.disabled_at_ms.is_some() { " " span.chip.rejected { "may not sign in" } }
                }
                span.muted {
                    @match user.signed_in_at_ms {
                        Some(at_ms) => { "Last signed in " (format::moment(at_ms)) },
                        None => "Has not signed in yet",
                    }
                    @if is_bootstrap { " · password from the configuration" }
                }
            }
            @if !is_oneself || user.totp_seed.is_some() {
                details.wide {
                    summary { "Change " span.hidden { (user.name) } }
                    div.choices {
                        @if !is_bootstrap && !is_oneself {
                            form.in-line method="post" action=(at("role")) {
                                (csrf(person))
                                label.hidden for={ "role-" (user.id) } { "Role of " (user.name) }
                                select id={ "role-" (user.id) } name="role" {
                                    @for role in Role::ALL {
                                        option value=(role.name()) selected[role == user.role] { (role.name()) }
                                    }
                                }
                                button type="submit" { "Give this role" }
                            }
                            form method="post" action=(at("new-password")) {
                                (csrf(person))
                                button type="submit" { "New password link" }
                            }
                            @if user.disabled_at_ms.is_some() {
                                form method="post" action=(at("enable")) { (csrf(person)) button type="submit" { "Let sign in again" } }
                            } @else {
                                form method="post" action=(at("disable")) data-confirm={ "Sign " (user.name) " out everywhere, and let them in no more?" } {
                                    (csrf(person))
                                    button.danger type="submit" { "Let in no more" }
                                }
                            }
                        }
                        @if user.totp_seed.is_some() {
                            form method="post" action=(at("remove-factor")) data-confirm={ "Take the second factor of " (user.name) " away?" } {
                                (csrf(person))
                                button.danger type="submit" { "Remove second factor" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn invited(shown: &Shown, person: &Person) -> Markup {
    html! {
        @if !shown.invitations.is_empty() {
            h3 { "Invited" }
            ul.moves.people {
                @for each in &shown.invitations {
                    li {
                        div.move {
                            span { strong { (each.name) } " " span.chip { (each.role.name()) } }
                            span.muted { "By " (each.invited_by) ", until " (format::moment(each.expires_at_ms)) }
                        }
                        form method="post" action={ "/dashboard/access/invitations/" (each.id) "/revoke" } {
                            (csrf(person))
                            button.quiet type="submit" { "Call back" span.hidden { " the invitation of " (each.name) } }
                        }
                    }
                }
            }
        }
        details.action {
            summary { "Invite somebody" }
            form method="post" action="/dashboard/access/invitations" {
                (csrf(person))
                label for="invite-name" { "User name " span.muted { "a short name or an e-mail address" } }
                input #invite-name name="name" required maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false";
                fieldset {
                    legend { "Role" }
                    @for role in Role::ALL {
                        label.choice {
                            input type="radio" name="role" value=(role.name()) checked[role == Role::Viewer];
                            span { strong { (role.name()) } span.muted.block { (role.says()) } }
                        }
                    }
                }
                button type="submit" { "Make an invitation" }
                p.small.muted { "You get a link that is good once, for three days. Hand it over yourself: nothing is mailed." }
            }
        }
    }
}

fn one_key(key: &Key, now_ms: i64, person: &Person, form_key: &str) -> Markup {
    let standing = key.standing(now_ms);
    let at = |action: &str| format!("/dashboard/access/keys/{}/{action}", key.id);
    html! {
        li {
            div.move {
                span {
                    strong { (key.name) } " "
                    code { (key.kind.prefix()) "…" (key.hint) } " "
                    @match standing {
                        Standing::Active => span.chip.captured { "active" },
                        Standing::Expired => span.chip.expired { "expired" },
                        Standing::Revoked => span.chip.rejected { "revoked" },
                    }
                }
                span.muted {
                    @match key.kind {
                        Kind::Secret if key.scopes.is_everything() => "May do everything",
                        Kind::Secret => (key.scopes.iter().map(Scope::name).collect::<Vec<_>>().join(", ")),
                        Kind::Publishable => { "For browsers on " (key.origins.join(", ")) },
                    }
                }
                span.muted {
                    "Made by " (key.created_by) ", " (format::moment(key.created_at_ms))
                    @match key.last_used_at_ms {
                        Some(at_ms) => { " · last used " (format::moment(at_ms)) },
                        None => " · not used yet",
                    }
                    @if let Some(at_ms) = key.expires_at_ms { " · ends " (format::moment(at_ms)) }
                    @if key.replaced_by.is_some() { " · replaced" }
                }
            }
            @if standing == Standing::Active {
                details.wide {
                    summary { "Change " span.hidden { (key.name) " …" (key.hint) } }
                    div.choices {
                        @if key.replaced_by.is_none() {
                            form.in-line method="post" action=(at("rotate")) {
                                (csrf(person))
                                input type="hidden" name="key" value={ (form_key) "/" (key.id) };
                                label.hidden for={ "overlap-" (key.id) } { "How long the old key still works" }
                                select id={ "overlap-" (key.id) } name="overlap" {
                                    option value="86400" { "old key works a day more" }
                                    option value="604800" { "old key works a week more" }
                                    option value="0" { "old key ends at once" }
                                }
                                button type="submit" { "Rotate" }
                            }
                        }
                        form method="post" action=(at("revoke")) data-confirm={ "Revoke " (key.name) "? What uses it stops working at once." } {
                            (csrf(person))
                            button.danger type="submit" { "Revoke" }
                        }
                    }
                }
            }
        }
    }
}

fn new_secret_key(person: &Person, form_key: &str) -> Markup {
    html! {
        details.action {
            summary { "New secret key" span.muted { "for your servers" } }
            form method="post" action="/dashboard/access/keys" {
                (csrf(person))
                input type="hidden" name="key" value={ (form_key) "/secret" };
                input type="hidden" name="kind" value="secret";
                label for="secret-name" { "Name " span.muted { "where it is used" } }
                input #secret-name name="name" required maxlength="80" autocomplete="off";
                fieldset {
                    legend { "May" }
                    @for scope in Scope::ALL {
                        label.choice {
                            input type="checkbox" name="scope" value=(scope.name());
                            span { (scope.says()) " " code { (scope.name()) } }
                        }
                    }
                }
                label for="secret-days" { "Ends" }
                select #secret-days name="days" {
                    option value="" { "never" }
                    option value="30" { "after 30 days" }
                    option value="90" { "after 90 days" }
                    option value="365" { "after a year" }
                }
                button type="submit" { "Make a secret key" }
            }
        }
    }
}

fn new_publishable_key(person: &Person, form_key: &str) -> Markup {
    html! {
        details.action {
            summary { "New publishable key" span.muted { "for browsers: confirms one checkout" } }
            form method="post" action="/dashboard/access/keys" {
                (csrf(person))
                input type="hidden" name="key" value={ (form_key) "/publishable" };
                input type="hidden" name="kind" value="publishable";
                label for="publishable-name" { "Name " span.muted { "where it is used" } }
                input #publishable-name name="name" required maxlength="80" autocomplete="off";
                label for="publishable-origins" { "Origins " span.muted { "the shop's pages, such as https://shop.example" } }
                input #publishable-origins name="origins" required maxlength="500" autocomplete="off" spellcheck="false" inputmode="url";
                button type="submit" { "Make a publishable key" }
            }
        }
    }
}
