//! The dashboard: what a person at the merchant sees and does.
//!
//! Server-rendered pages; no inline script or style, so that the content security policy can forbid
//! both. What a button does goes the same way as the API's command, under a key that its form
//! carries: pressing twice, or two people pressing, is one operation.

mod actions;
mod attention;
mod chart;
mod counter;
mod customers;
mod disputes;
mod due_date;
mod expiry;
mod format;
mod forms;
mod guard;
mod layout;
mod list;
mod overview;
mod payment;
mod payouts;
mod people;
mod personal_data;
mod plans;
pub(crate) mod sign_in;
mod stores;
mod subscriptions;
mod tokens;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::app::App;

pub(crate) use guard::Person;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/dashboard.js");
const OVERVIEW_SCRIPT: &str = include_str!("assets/overview.js");
const COUNTER_SCRIPT: &str = include_str!("assets/counter.js");

/// The largest form that is read.
const FORM_LIMIT_BYTES: usize = 64 * 1024;

/// The routes for people.
pub(crate) fn router(app: &App) -> Router<App> {
    Router::new()
        // Whoever types the gateway's address into a browser is a person.
        .route("/", get(async || Redirect::to("/dashboard/overview")))
        .route("/dashboard", get(list::page))
        .route("/dashboard/overview", get(overview::page))
        .route("/dashboard/disputes", get(disputes::page))
        .route("/dashboard/payouts", get(payouts::page))
        .route("/dashboard/payouts/{id}", get(payouts::payout))
        .route("/dashboard/stream", get(list::stream))
        .route("/dashboard/payments.csv", get(list::download))
        .route("/dashboard/account/views", get(list::views::page).post(list::views::add_own))
        .route("/dashboard/account/views/{id}/{action}", post(list::views::act_own))
        .route("/dashboard/views", post(list::views::add_everybodys))
        .route("/dashboard/views/{id}/{action}", post(list::views::act_everybodys))
        .route("/dashboard/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/dashboard/sign-in/code", get(sign_in::code_page).post(sign_in::submit_code))
        .route("/dashboard/sign-out", post(sign_in::sign_out))
        .route("/dashboard/payments/{id}", get(payment::page))
        .route("/dashboard/payments/{id}/{action}", post(actions::submit))
        .route("/dashboard/payments/{id}/due-date/{capture_id}", get(due_date::page))
        .route("/dashboard/expiry", get(expiry::page).post(expiry::submit))
        .route("/dashboard/payments/{id}/stream", get(payment::stream))
        .route("/dashboard/webhooks", get(webhooks::page).post(webhooks::create))
        .route("/dashboard/webhooks/{id}", get(webhooks::endpoint))
        .route("/dashboard/webhooks/{id}/{action}", post(webhooks::submit))
        .route("/dashboard/deliveries/{id}", get(webhooks::delivery))
        .route("/dashboard/deliveries/{id}/replay", post(webhooks::resend))
        .route("/dashboard/subscriptions", get(subscriptions::list))
        .route("/dashboard/subscriptions/{id}", get(subscriptions::page))
        .route("/dashboard/subscriptions/{id}/{action}", post(subscriptions::submit))
        .route("/dashboard/plans", get(plans::page).post(plans::add))
        .route("/dashboard/plans/{id}/archive", post(plans::archive))
        .route("/dashboard/customers", get(customers::list))
        .route("/dashboard/customers/{id}", get(customers::page))
        .route("/dashboard/customer-tokens/{id}", get(tokens::page))
        .route("/dashboard/customer-tokens/{id}/{action}", post(tokens::submit))
        .route("/dashboard/personal-data", get(personal_data::page))
        .route("/dashboard/personal-data/{action}", post(personal_data::submit))
        .route("/dashboard/attention", get(attention::page))
        .route("/dashboard/operations/{id}/{action}", post(attention::submit))
        .route("/dashboard/counter", get(counter::page).post(counter::submit))
        .route("/dashboard/counter/{id}", get(counter::live))
        .route("/dashboard/counter/{id}/live", get(counter::live_part))
        .route("/dashboard/counter/{id}/{action}", post(counter::act))
        .route("/dashboard/stores", get(stores::page).post(stores::add))
        .route("/dashboard/stores/{id}", post(stores::change))
        .route("/dashboard/stores/{id}/enter", post(stores::enter))
        .route("/dashboard/stores/{id}/accounts", post(stores::add_account))
        .route("/dashboard/stores/{id}/accounts/{account_id}/{action}", post(stores::act))
        .route("/dashboard/assets/style.css", get(style))
        .route("/dashboard/assets/counter.js", get(counter_script))
        .route("/dashboard/assets/dashboard.js", get(script))
        .route("/dashboard/assets/overview.js", get(overview_script))
        .merge(people::router())
        .layer(DefaultBodyLimit::max(FORM_LIMIT_BYTES))
        // Who may see and press what: one table, `domain::role::PAGES`.
        .route_layer(from_fn_with_state(app.clone(), guard::guard))
        .layer(map_response(guarded))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

async fn overview_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], OVERVIEW_SCRIPT)
}

async fn counter_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], COUNTER_SCRIPT)
}

/// What a page may load; pictures from one more origin, if it is named.
fn policy(pictures: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src 'self' data: {pictures}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The headers that keep pages to themselves.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // A page that shows a picture of Klarna's has said so itself.
    let name = HeaderName::from_static("content-security-policy");
    if !headers.contains_key(&name)
        && let Ok(policy) = HeaderValue::from_str(&policy(""))
    {
        headers.insert(name, policy);
    }
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::role::PAGES;

    /// What stands between quotes after `.route(` in the sources of the dashboard.
    fn registered() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/dashboard").into()];
        while let Some(folder) = folders.pop() {
            let folder: std::path::PathBuf = folder;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap();
                for piece in text.split(".route(").skip(1) {
                    if let Some(route) = piece.trim_start().strip_prefix('"') {
                        found.insert(route.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
        found
    }

    #[test]
    fn every_page_says_who_may_see_it() {
        let ruled: BTreeSet<_> = PAGES.iter().map(|(_, route, _, _)| (*route).to_owned()).collect();
        let registered = registered();
        assert!(registered.len() > 10, "{registered:?}");
        let forgotten: Vec<_> = registered.difference(&ruled).collect();
        assert!(forgotten.is_empty(), "no row in domain::role::PAGES for {forgotten:?}");
        let gone: Vec<_> = ruled.difference(&registered).collect();
        assert!(gone.is_empty(), "rows in domain::role::PAGES for no page: {gone:?}");
    }
}
