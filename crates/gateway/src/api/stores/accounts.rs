//! A store's Klarna accounts: one for each merchant id and region. Passwords go in and never come
//! out again.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use klarna_types::Secret;
use serde::{Deserialize, Serialize};

use super::super::checkouts::view::time;
use super::super::extract::{Body, Caller};
use super::super::payments::list::cursor_of;
use super::super::problem::{KlarnaCause, Problem};
use super::super::repeat;
use super::{PageQuery, find};
use crate::app::App;
use crate::domain::account::{self, Account, CONFIGURED, check_text};
use crate::domain::cart;
use crate::domain::operation::{Effect, Failure};
use crate::fault::Fault;
use crate::store::accounts;

/// A Klarna account, without its password.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// The store that it is of.
    pub store_id: String,
    /// What people call it.
    pub label: String,
    /// `europe`, `north_america` or `oceania`; absent for a host that is not Klarna's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<&'static str>,
    /// `live` or `playground`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<&'static str>,
    /// The host that is called.
    pub base_url: String,
    /// The countries it serves; all of its region if there are none.
    pub countries: Vec<String>,
    /// The user name of the credential.
    pub username: String,
    /// Klarna's name of the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// Whether it takes new purchases.
    pub active: bool,
    /// When it was made.
    pub created_at: String,
    /// The last change.
    pub updated_at: String,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        let place = account::place_of(&account.base_url);
        Self {
            id: account.id.clone(),
            store_id: account.store_id.clone(),
            label: account.label.clone(),
            region: place.map(|(region, _)| region),
            environment: place.map(|(_, environment)| environment),
            base_url: account.base_url.clone(),
            countries: account.countries.iter().map(|at| at.as_str().to_owned()).collect(),
            username: account.username.clone(),
            merchant_id: account.merchant_id.clone(),
            active: account.active,
            created_at: time(account.created_at_ms),
            updated_at: time(account.updated_at_ms),
        }
    }
}

/// A page of accounts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AccountList {
    /// Oldest first.
    pub data: Vec<AccountView>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A new account.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// What people call it.
    pub label: String,
    /// `europe`, `north_america` or `oceania`. Left out: the host that the gateway was started with.
    #[serde(default)]
    pub region: Option<String>,
    /// `live` or `playground`; needed with a region.
    #[serde(default)]
    pub environment: Option<String>,
    /// The countries it serves, two letters each; all of its region if there are none.
    #[serde(default)]
    pub countries: Vec<String>,
    /// The user name of the credential.
    pub username: String,
    /// Its password. It is sealed, and never shown.
    #[schema(value_type = String, format = Password)]
    pub password: Secret,
    /// Klarna's name of the merchant.
    #[serde(default)]
    pub merchant_id: Option<String>,
}

/// What is to be changed of an account; what is left out stays. The host cannot be changed: a
/// credential is good for one only.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccount {
    /// What people call it.
    #[serde(default)]
    pub label: Option<String>,
    /// The countries it serves; replaced as a whole.
    #[serde(default)]
    pub countries: Option<Vec<String>>,
    /// The user name of a new credential of the same merchant; only with its password.
    #[serde(default)]
    pub username: Option<String>,
    /// The password of a new credential.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<Secret>,
    /// Klarna's name of the merchant.
    #[serde(default)]
    pub merchant_id: Option<String>,
    /// `false`: no new purchases. What was opened with it goes on.
    #[serde(default)]
    pub active: Option<bool>,
}

/// What Klarna says of an account's credential.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TestView {
    /// Whether Klarna takes it.
    pub works: bool,
    /// `works`, `credentials_refused`, `merchant_inactive`, `klarna_unreachable` or `klarna_refused`.
    pub code: &'static str,
    /// For people.
    pub detail: &'static str,
    /// What to do about it, if there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// What Klarna answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna: Option<KlarnaCause>,
}

fn wrong(problem: &cart::Problem) -> Problem {
    Problem::invalid(problem.member.clone(), format!("{problem}."))
}

const PASSWORD_LENGTH: usize = 500;

fn check(
    label: Option<&str>,
    username: Option<&str>,
    password: Option<&Secret>,
    merchant_id: Option<&str>,
) -> Result<(), Problem> {
    for (member, value, longest) in [
        ("label", label, 80),
        ("username", username, 255),
        ("password", password.map(Secret::expose), PASSWORD_LENGTH),
        ("merchant_id", merchant_id, 80),
    ] {
        if let Some(value) = value {
            check_text(member, value, longest).map_err(|problem| wrong(&problem))?;
        }
    }
    Ok(())
}

/// The host that is called.
fn host(app: &App, region: Option<&str>, environment: Option<&str>) -> Result<String, Problem> {
    match (region, environment) {
        (Some(region), Some(environment)) => {
            Ok(account::host(region, environment).map_err(|problem| wrong(&problem))?.to_owned())
        }
        // Whoever may add accounts must not make the gateway call whatever host they like.
        (None, None) => app.engine().accounts().base_url(CONFIGURED).ok_or_else(|| {
            Problem::invalid("region", "region: is missing; give europe, north_america or oceania.")
        }),
        (None, Some(_)) => Err(Problem::invalid("region", "region: is missing.")),
        (Some(_), None) => Err(Problem::invalid(
            "environment",
            "environment: is missing; give live or playground.",
        )),
    }
}

/// Lists a store's accounts, oldest first. The one that the gateway was started with is not among
/// them: it serves the default store where no other account does.
#[utoipa::path(get, path = "/v1/stores/{id}/accounts", operation_id = "stores_account_list", tag = "stores",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = AccountList), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<AccountList>, Problem> {
    let (limit, after) = PageQuery::read(query)?;
    let store = find(&app, &caller.store_id, &id).await?;
    let mut found = app
        .database()
        .read_long(move |tx| accounts::of_store(tx, &store.id, after.as_ref(), limit + 1))
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor =
        found.last().filter(|_| more).map(|last| cursor_of(last.created_at_ms, &last.id));
    Ok(Json(AccountList { data: found.iter().map(AccountView::from).collect(), next_cursor }))
}

/// Adds an account to a store.
#[utoipa::path(post, path = "/v1/stores/{id}/accounts", operation_id = "stores_account_create", tag = "stores",
    params(("id" = String, Path)), request_body = CreateAccount,
    responses((status = 201, body = AccountView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { value, bytes }: Body<CreateAccount>,
) -> Result<Response, Problem> {
    let store = find(&app, &caller.store_id, &id).await?;
    let path = format!("/v1/stores/{id}/accounts");
    let ticket = match repeat::begin(&app, &caller.store_id, &headers, &path, &bytes).await? {
        repeat::Begun::Go(ticket) => ticket,
        repeat::Begun::Done(account_id) => {
            let account = one(&app, &store.id, &account_id).await?;
            return Ok((StatusCode::CREATED, Json(AccountView::from(&account))).into_response());
        }
    };
    let done = add(&app, &store.id, value).await;
    let account = repeat::end(&app, ticket, done, |account| account.id.clone()).await?;
    Ok((StatusCode::CREATED, Json(AccountView::from(&account))).into_response())
}

/// Adds an account to a store that is known to be there.
pub(crate) async fn add(
    app: &App,
    store_id: &str,
    value: CreateAccount,
) -> Result<Account, Problem> {
    let CreateAccount { label, region, environment, countries, username, password, merchant_id } =
        value;
    check(Some(&label), Some(&username), Some(&password), merchant_id.as_deref())?;
    let base_url = host(app, region.as_deref(), environment.as_deref())?;
    let countries = account::countries(&countries, &base_url).map_err(|problem| wrong(&problem))?;
    let engine = app.engine();
    let now_ms = engine.now_ms();
    let account = Account {
        id: engine.fresh_id("acc"),
        store_id: store_id.to_owned(),
        label,
        base_url,
        countries,
        username,
        merchant_id,
        active: true,
        version: 1,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    let (vault, kept) = (engine.vault().clone(), account.clone());
    app.database().write(move |tx| accounts::insert(tx, &vault, &kept, &password)).await?;
    engine.accounts().refresh_now().await?;
    Ok(account)
}

pub(crate) async fn one(app: &App, store_id: &str, id: &str) -> Result<Account, Problem> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| accounts::get_in(tx, &store_id, &id))
        .await?
        .ok_or_else(|| Problem::not_found("account"))
}

/// Changes an account, or rotates its credential: make a new one in Klarna's merchant portal, give
/// it here, test it, then disable the old one there.
#[utoipa::path(post, path = "/v1/stores/{id}/accounts/{account_id}", operation_id = "stores_account_update", tag = "stores",
    params(("id" = String, Path), ("account_id" = String, Path)), request_body = UpdateAccount,
    responses((status = 200, body = AccountView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path((id, account_id)): Path<(String, String)>,
    Body { value, .. }: Body<UpdateAccount>,
) -> Result<Json<AccountView>, Problem> {
    let store = find(&app, &caller.store_id, &id).await?;
    Ok(Json(AccountView::from(&change(&app, &store.id, &account_id, value).await?)))
}

/// Changes an account of a store that is known to be there.
pub(crate) async fn change(
    app: &App,
    store_id: &str,
    id: &str,
    value: UpdateAccount,
) -> Result<Account, Problem> {
    let UpdateAccount { label, countries, username, password, merchant_id, active } = value;
    check(label.as_deref(), username.as_deref(), password.as_ref(), merchant_id.as_deref())?;
    if username.is_some() && password.is_none() {
        let detail = "password: is missing; a new user name comes with a new password.";
        return Err(Problem::invalid("password", detail));
    }
    let known = one(app, store_id, id).await?;
    let countries = countries
        .map(|countries| account::countries(&countries, &known.base_url))
        .transpose()
        .map_err(|problem| wrong(&problem))?;
    let engine = app.engine();
    let (vault, now_ms) = (engine.vault().clone(), engine.now_ms());
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    let changed = app
        .database()
        .write(move |tx| {
            let Some(mut account) = accounts::lock_in(tx, &store_id, &id)? else {
                return Ok(None);
            };
            if let Some(label) = &label {
                account.label.clone_from(label);
            }
            if let Some(countries) = &countries {
                account.countries.clone_from(countries);
            }
            if let Some(username) = &username {
                account.username.clone_from(username);
            }
            if merchant_id.is_some() {
                account.merchant_id.clone_from(&merchant_id);
            }
            account.active = active.unwrap_or(account.active);
            accounts::update(tx, &vault, &mut account, password.as_ref(), now_ms)?;
            Ok::<_, Fault>(Some(account))
        })
        .await?;
    engine.accounts().refresh_now().await?;
    changed.ok_or_else(|| Problem::not_found("account"))
}

/// Asks Klarna whether it takes the account's credential. Nothing is changed there or here.
#[utoipa::path(post, path = "/v1/stores/{id}/accounts/{account_id}/test", operation_id = "stores_account_test", tag = "stores",
    params(("id" = String, Path), ("account_id" = String, Path)),
    responses((status = 200, body = TestView), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn test(
    State(app): State<App>,
    caller: Caller,
    Path((id, account_id)): Path<(String, String)>,
) -> Result<Json<TestView>, Problem> {
    let store = find(&app, &caller.store_id, &id).await?;
    Ok(Json(try_out(&app, &store.id, &account_id).await?))
}

/// A session that nobody has: reading it tells whether Klarna takes the credential, and no more.
const NO_SESSION: &str = "00000000-0000-0000-0000-000000000000";

/// Asks Klarna whether it takes an account's credential.
pub(crate) async fn try_out(app: &App, store_id: &str, id: &str) -> Result<TestView, Problem> {
    let engine = app.engine();
    engine.accounts().refresh_now().await?;
    let account =
        engine.account(store_id, Some(id), "").ok_or_else(|| Problem::not_found("account"))?;
    Ok(match account.read_session(NO_SESSION).await {
        Ok(_) => works(),
        Err(failure) => said(&failure),
    })
}

fn works() -> TestView {
    TestView {
        works: true,
        code: "works",
        detail: "Klarna takes this credential.",
        remedy: None,
        klarna: None,
    }
}

fn said(failure: &Failure) -> TestView {
    let (code, detail, remedy) = match (failure.effect, failure.status) {
        (Effect::Refused, Some(404)) => return works(),
        (Effect::Refused, Some(401)) => (
            "credentials_refused",
            "Klarna refuses this user name or password.",
            "Check both, and that they belong to this region and environment of Klarna: a credential \
             is good for one only.",
        ),
        (Effect::Refused, Some(403))
            if failure.error_code.as_deref() == Some("MERCHANT_INACTIVE") =>
        {
            (
                "merchant_inactive",
                "Klarna knows this credential, and has not activated its merchant.",
                "Ask Klarna.",
            )
        }
        (Effect::Refused, _) => (
            "klarna_refused",
            "Klarna answered in a way that says nothing of the credential.",
            "Try again; if it stays so, ask Klarna's merchant support with the correlation id.",
        ),
        (Effect::NoneYet | Effect::Unknown, _) => (
            "klarna_unreachable",
            "Klarna could not be asked.",
            "Check the connection to Klarna, then try again.",
        ),
    };
    TestView {
        works: false,
        code,
        detail,
        remedy: Some(remedy),
        klarna: failure.status.map(|_| failure.into()),
    }
}
