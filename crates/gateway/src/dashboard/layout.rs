//! What every page of the dashboard has around it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::Person;
use crate::domain::role::Permission;
use crate::fault::Fault;

/// A page, for a person who has signed in or not.
pub(super) fn page(title: &str, person: Option<&Person>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Kassa" }
                link rel="stylesheet" href="/dashboard/assets/style.css";
                link rel="icon" href="data:,";
                script type="module" src="/dashboard/assets/dashboard.js" {}
                script type="module" src="/dashboard/assets/counter.js" {}
                script type="module" src="/dashboard/assets/overview.js" {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/dashboard/overview" {
                        span.mark aria-hidden="true" { "K" }
                        "Kassa"
                    }
                    @if let Some(person) = person {
                        nav aria-label="Main" {
                            a href="/dashboard/overview" { "Overview" }
                            a href="/dashboard" { "Payments" }
                            a href="/dashboard/subscriptions" { "Subscriptions" }
                            a href="/dashboard/disputes" { "Disputes" }
                            a href="/dashboard/payouts" { "Payouts" }
                            a href="/dashboard/webhooks" { "Webhooks" }
                            @if person.may(Permission::Serve) {
                                a href="/dashboard/counter" { "Counter" }
                            }
                            @if person.may(Permission::Administer) {
                                a href="/dashboard/stores" { "Stores" }
                            }
                            a href="/dashboard/attention" {
                                "Needs attention"
                                @if person.waiting > 0 { " " span.badge { (person.waiting) } }
                            }
                            @if person.may(Permission::Administer) {
                                a href="/dashboard/access" { "Users and keys" }
                            }
                        }
                        a.me href="/dashboard/account" { span.hidden { "Your account: " } (person.name) }
                        form method="post" action="/dashboard/sign-out" {
                            input type="hidden" name="csrf" value=(person.csrf_token);
                            button.quiet type="submit" { "Sign out" }
                        }
                    }
                }
                @if let Some((person, store)) = person.and_then(|person| Some((person, person.visits.as_ref()?))) {
                    p.visit role="note" {
                        "You look at the store " strong { (store) } ". "
                        @if person.may(Permission::Administer) {
                            a href="/dashboard/stores" { "Another store" }
                        }
                    }
                }
                main #main { (content) }
            }
        }
    }
}

/// A page that says what went wrong.
pub(super) fn message(
    status: StatusCode,
    person: Option<&Person>,
    title: &str,
    detail: &str,
) -> Response {
    let content = html! {
        section.card.narrow {
            h1 { (title) }
            p { (detail) }
            p { a.button href="/dashboard" { "Back to payments" } }
        }
    };
    (status, page(title, person, &content)).into_response()
}

/// The gateway itself failed.
pub(super) fn failed(fault: &Fault) -> Response {
    tracing::error!(error = %fault, "a page could not be made");
    message(
        StatusCode::INTERNAL_SERVER_ERROR,
        None,
        "Something went wrong",
        "The gateway could not make this page. The cause is in its log. Please try again.",
    )
}
