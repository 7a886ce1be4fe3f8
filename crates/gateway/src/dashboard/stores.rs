//! Stores and their Klarna accounts: listed, added, rotated, tried out. What is secret goes in and is
//! never shown again.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use klarna_types::{Country, Secret};
use maud::{Markup, html};

use super::payment::{Notice, said};
use super::{Person, layout, sign_in};
use crate::api::problem::Problem;
use crate::api::stores::accounts::{self as accounts_api, CreateAccount, TestView, UpdateAccount};
use crate::api::stores::{self as stores_api, StoreView};
use crate::app::{App, DEFAULT_STORE};
use crate::domain::account::{Account, CONFIGURED, place_of};
use crate::fault::Fault;
use crate::store::stores::{Premises, Store};
use crate::store::{accounts, sessions, stores};

/// More than fit on one page are managed over the API.
const MOST: i64 = 100;

struct Shown {
    stores: Vec<(Store, Vec<Account>)>,
}

async fn load(app: &App, person: &Person) -> Result<Shown, Fault> {
    let own = person.home_store_id.clone();
    app.database()
        .read_long(move |tx| {
            let all = if own == DEFAULT_STORE {
                stores::list(tx, None, MOST)?
            } else {
                stores::get(tx, &own)?.into_iter().collect()
            };
            let mut stores = Vec::with_capacity(all.len());
            for store in all {
                let accounts = accounts::of_store(tx, &store.id, None, MOST)?;
                stores.push((store, accounts));
            }
            Ok::<_, Fault>(Shown { stores })
        })
        .await
}

/// Every store that the person may see.
pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    show(&app, &person, StatusCode::OK, None).await
}

async fn show(app: &App, person: &Person, status: StatusCode, notice: Option<Markup>) -> Response {
    match load(app, person).await {
        Ok(shown) => {
            let content = view(app, &shown, person, notice.as_ref());
            (status, layout::page("Stores", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(app: &App, shown: &Shown, person: &Person, notice: Option<&Markup>) -> Markup {
    html! {
        div.head { h1 { "Stores" } }
        @if let Some(notice) = notice { (notice) }
        @for (store, accounts) in &shown.stores { (card(app, store, accounts, person)) }
        @if person.home_store_id == DEFAULT_STORE {
            section.card {
                details.action {
                    summary { "Add a store" }
                    form method="post" action="/dashboard/stores" data-busy {
                        (csrf(person))
                        label for="new-store" { "Name" }
                        input #new-store name="name" required maxlength="80" autocomplete="off";
                        button type="submit" { "Add the store" }
                    }
                }
            }
        }
    }
}

fn csrf(person: &Person) -> Markup {
    html! { input type="hidden" name="csrf" value=(person.csrf_token); }
}

fn card(app: &App, store: &Store, accounts: &[Account], person: &Person) -> Markup {
    let heading = format!("store-{}", store.id);
    let configured = app.engine().accounts().base_url(CONFIGURED);
    html! {
        section.card aria-labelledby=(heading) {
            div.head {
                h2 #(heading) { (store.name) }
                p.muted { code { (store.id) } }
                @if store.id == person.store_id {
                    span.chip { "You look at this one" }
                } @else {
                    form method="post" action={ "/dashboard/stores/" (store.id) "/enter" } data-busy {
                        (csrf(person))
                        button type="submit" { "Look at its payments" span.hidden { ": " (store.name) } }
                    }
                }
            }
            ul.accounts {
                @for account in accounts { (row(store, account, person)) }
                @if let Some(base_url) = configured.filter(|_| store.id == DEFAULT_STORE) {
                    li {
                        div.head {
                            h3 { "The account that the gateway was started with" }
                            span.chip.captured { "Active" }
                        }
                        p.small.muted { "Serves every country that no other account of this store serves · " (place(&base_url)) }
                        div.choices { (test_form(store, CONFIGURED, "the configured account", person)) }
                    }
                }
                @if accounts.is_empty() && store.id != DEFAULT_STORE {
                    li { p.muted { "No Klarna account yet: this store cannot take payments." } }
                }
            }
            (add_form(store, person))
            (premises_form(store, person))
        }
    }
}

fn place(base_url: &str) -> String {
    place_of(base_url).map_or_else(
        || base_url.to_owned(),
        |(region, environment)| format!("{}, {environment}", region.replace('_', " ")),
    )
}

fn row(store: &Store, account: &Account, person: &Person) -> Markup {
    let at =
        |action: &str| format!("/dashboard/stores/{}/accounts/{}/{action}", store.id, account.id);
    let id = |name: &str| format!("{name}-{}", account.id);
    let countries: Vec<&str> = account.countries.iter().map(Country::as_str).collect();
    html! {
        li {
            div.head {
                h3 { (account.label) }
                @if account.active { span.chip.captured { "Active" } } @else { span.chip { "No new purchases" } }
            }
            dl.facts.wide-facts {
                div { dt { "Klarna" } dd { (place(&account.base_url)) } }
                div { dt { "Countries" } dd { @if countries.is_empty() { "All of the region" } @else { (countries.join(", ")) } } }
                div { dt { "User name" } dd { code { (account.username) } } }
                @if let Some(merchant_id) = &account.merchant_id { div { dt { "Merchant id" } dd { code { (merchant_id) } } } }
            }
            div.choices {
                (test_form(store, &account.id, &account.label, person))
                form method="post" action=(at("active")) data-busy {
                    (csrf(person))
                    input type="hidden" name="active" value=(if account.active { "no" } else { "yes" });
                    button type="submit" {
                        @if account.active { "Take no new purchases" } @else { "Take new purchases" }
                        span.hidden { " with " (account.label) }
                    }
                }
            }
            details.action {
                summary { "Change the credential" span.hidden { " of " (account.label) } }
                form method="post" action=(at("rotate")) data-confirm="Use this credential from now on?" {
                    (csrf(person))
                    p.small.muted { "Make a new one in Klarna's merchant portal, give it here and test it, then disable the old one there." }
                    label for=(id("username")) { "User name" }
                    input id=(id("username")) name="username" required maxlength="255" autocomplete="off" spellcheck="false" value=(account.username);
                    label for=(id("password")) { "New password" }
                    input id=(id("password")) name="password" type="password" required maxlength="500" autocomplete="new-password";
                    button type="submit" { "Change the credential" }
                }
            }
        }
    }
}

fn test_form(store: &Store, account_id: &str, label: &str, person: &Person) -> Markup {
    html! {
        form method="post" action={ "/dashboard/stores/" (store.id) "/accounts/" (account_id) "/test" } data-busy {
            (csrf(person))
            button type="submit" { "Test the credential" span.hidden { " of " (label) } }
        }
    }
}

fn add_form(store: &Store, person: &Person) -> Markup {
    let id = |name: &str| format!("{name}-{}", store.id);
    html! {
        details.action {
            summary { "Add a Klarna account" span.hidden { " to " (store.name) } }
            form method="post" action={ "/dashboard/stores/" (store.id) "/accounts" } data-busy {
                (csrf(person))
                label for=(id("label")) { "What you call it" }
                input id=(id("label")) name="label" required maxlength="80" autocomplete="off" placeholder="Sweden";
                div.pair {
                    div {
                        label for=(id("place")) { "Klarna's host" }
                        select id=(id("place")) name="place" {
                            option value="" { "The gateway's own" }
                            @for (region, words) in [("europe", "Europe"), ("north_america", "North America"), ("oceania", "Oceania")] {
                                @for environment in ["live", "playground"] {
                                    option value={ (region) "/" (environment) } { (words) ", " (environment) }
                                }
                            }
                        }
                    }
                    div {
                        label for=(id("countries")) { "Countries " span.muted { "such as SE, DE; all if empty" } }
                        input id=(id("countries")) name="countries" autocomplete="off" maxlength="200";
                    }
                }
                div.pair {
                    div {
                        label for=(id("username")) { "User name" }
                        input id=(id("username")) name="username" required maxlength="255" autocomplete="off" spellcheck="false";
                    }
                    div {
                        label for=(id("password")) { "Password" }
                        input id=(id("password")) name="password" type="password" required maxlength="500" autocomplete="new-password";
                    }
                }
                label for=(id("merchant")) { "Merchant id " span.muted { "if you like" } }
                input id=(id("merchant")) name="merchant_id" maxlength="80" autocomplete="off" spellcheck="false";
                button type="submit" { "Add and test it" }
            }
        }
    }
}

fn premises_form(store: &Store, person: &Person) -> Markup {
    let premises = &store.details.premises;
    html! {
        details.action {
            summary { "Name and address" span.hidden { " of " (store.name) } }
            form method="post" action={ "/dashboard/stores/" (store.id) } data-busy {
                (csrf(person))
                p.small.muted { "Klarna is told the address with purchases at the counter." }
                div.pair {
                    @for (name, words, value, longest) in [
                        ("name", "Name", Some(&store.name), 80),
                        ("merchant_store_id", "Store number", premises.merchant_store_id.as_ref(), 99),
                        ("street_address", "Street", premises.street_address.as_ref(), 99),
                        ("street_number", "House number", premises.street_number.as_ref(), 99),
                        ("postal_code", "Postal code", premises.postal_code.as_ref(), 99),
                        ("city", "City", premises.city.as_ref(), 99),
                        ("country", "Country, two letters", premises.country.as_ref(), 2),
                    ] {
                        div {
                            label for={ (name) "-of-" (store.id) } { (words) }
                            input id={ (name) "-of-" (store.id) } name=(name) maxlength=(longest) autocomplete="off" value=(value.map_or("", String::as_str));
                        }
                    }
                }
                button type="submit" { "Save" }
            }
        }
    }
}

/// What a form carries.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name).to_owned()).filter(|value| !value.is_empty())
    }

    /// As it was typed: blanks belong to a password.
    fn secret(&self, name: &str) -> Secret {
        let typed = self.0.iter().find(|(known, _)| known == name);
        Secret::from(typed.map_or("", |(_, value)| value.as_str()))
    }

    fn account(&self) -> CreateAccount {
        let place = self.get("place").split_once('/');
        CreateAccount {
            label: self.get("label").to_owned(),
            region: place.map(|(region, _)| region.to_owned()),
            environment: place.map(|(_, environment)| environment.to_owned()),
            countries: self
                .get("countries")
                .split([',', ' ', ';'])
                .filter(|name| !name.is_empty())
                .map(str::to_uppercase)
                .collect(),
            username: self.get("username").to_owned(),
            password: self.secret("password"),
            merchant_id: self.some("merchant_id"),
        }
    }

    fn premises(&self) -> Premises {
        Premises {
            merchant_store_id: self.some("merchant_store_id"),
            street_address: self.some("street_address"),
            street_number: self.some("street_number"),
            postal_code: self.some("postal_code"),
            city: self.some("city"),
            country: self.some("country").map(|country| country.to_uppercase()),
        }
    }
}

fn bad(problem: &Problem) -> Markup {
    said(Some(&Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        correlation_id: problem.correlation_id.clone(),
    }))
}

fn tested(label: &str, test: &TestView) -> Markup {
    if test.works {
        return said(Some(&Notice::Good(format!("{label}: {}", test.detail))));
    }
    said(Some(&Notice::Bad {
        title: format!("{label}: {}", test.detail),
        detail: test.klarna.as_ref().map_or_else(String::new, |klarna| {
            klarna.status.map_or_else(String::new, |status| format!("Klarna answered {status}."))
        }),
        remedy: test.remedy.unwrap_or_default().to_owned(),
        correlation_id: test.klarna.as_ref().and_then(|klarna| klarna.correlation_id.clone()),
    }))
}

fn made(store: &StoreView) -> Markup {
    html! {
        div.notice.good role="status" {
            strong { (store.name) " is there." }
            @if let Some(key) = &store.api_key {
                p { "This key is for its API. It is shown this once: keep it where only its shop can read it." }
                p { code { (key) } }
            }
        }
    }
}

/// A store is added.
pub(super) async fn add(State(app): State<App>, person: Person, body: Bytes) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(fields.get("csrf"), &person) {
        return sign_in::refused(&person);
    }
    if person.home_store_id != DEFAULT_STORE {
        return unknown(&person);
    }
    let name = fields.get("name").to_owned();
    let done = match stores_api::check_store(Some(&name), None) {
        Ok(()) => stores_api::make(&app, person.actor(), name, Premises::default())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(store) => show(&app, &person, StatusCode::CREATED, Some(made(&store))).await,
        Err(problem) => show(&app, &person, problem.status(), Some(bad(&problem))).await,
    }
}

fn unknown(person: &Person) -> Response {
    let detail = "There is no such store, or none that you may see.";
    layout::message(StatusCode::NOT_FOUND, Some(person), "No such store", detail)
}

/// The person's session looks at another store from now on.
pub(super) async fn enter(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    if stores_api::find(&app, &person.home_store_id, &id).await.is_err() {
        return unknown(&person);
    }
    let digest = person.session_digest;
    match app.database().write(move |tx| sessions::look_at(tx, &digest, &id)).await {
        Ok(()) => Redirect::to("/dashboard/overview").into_response(),
        Err(fault) => layout::failed(&fault),
    }
}

/// A store is changed.
pub(super) async fn change(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(fields.get("csrf"), &person) {
        return sign_in::refused(&person);
    }
    if !stores_api::may_see(&person.home_store_id, &id) {
        return unknown(&person);
    }
    match stores_api::change(&app, &id, fields.some("name"), Some(fields.premises())).await {
        Ok(_) => Redirect::to("/dashboard/stores").into_response(),
        Err(problem) => show(&app, &person, problem.status(), Some(bad(&problem))).await,
    }
}

/// An account is added, and tried out at once.
pub(super) async fn add_account(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(fields.get("csrf"), &person) {
        return sign_in::refused(&person);
    }
    let Ok(store) = stores_api::find(&app, &person.home_store_id, &id).await else {
        return unknown(&person);
    };
    match accounts_api::add(&app, &store.id, fields.account()).await {
        Ok(account) => try_out(&app, &person, &store.id, &account.id, &account.label).await,
        Err(problem) => show(&app, &person, problem.status(), Some(bad(&problem))).await,
    }
}

async fn try_out(
    app: &App,
    person: &Person,
    store_id: &str,
    account_id: &str,
    label: &str,
) -> Response {
    match accounts_api::try_out(app, store_id, account_id).await {
        Ok(test) => show(app, person, StatusCode::OK, Some(tested(label, &test))).await,
        Err(problem) => show(app, person, problem.status(), Some(bad(&problem))).await,
    }
}

/// A button of an account.
pub(super) async fn act(
    State(app): State<App>,
    person: Person,
    Path((store_id, account_id, action)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(fields.get("csrf"), &person) {
        return sign_in::refused(&person);
    }
    if stores_api::find(&app, &person.home_store_id, &store_id).await.is_err() {
        return unknown(&person);
    }
    let wanted = match action.as_str() {
        "test" if account_id == CONFIGURED => {
            return try_out(&app, &person, &store_id, CONFIGURED, "The configured account").await;
        }
        "test" => UpdateAccount::default(),
        "active" => UpdateAccount {
            active: Some(fields.get("active") == "yes"),
            ..UpdateAccount::default()
        },
        "rotate" => UpdateAccount {
            username: fields.some("username"),
            password: Some(fields.secret("password")),
            ..UpdateAccount::default()
        },
        _ => return unknown(&person),
    };
    let changed = if action == "test" {
        accounts_api::one(&app, &store_id, &account_id).await
    } else {
        accounts_api::change(&app, &store_id, &account_id, wanted).await
    };
    match changed {
        Ok(_) if action == "active" => Redirect::to("/dashboard/stores").into_response(),
        Ok(account) => try_out(&app, &person, &store_id, &account_id, &account.label).await,
        Err(problem) => show(&app, &person, problem.status(), Some(bad(&problem))).await,
    }
}
