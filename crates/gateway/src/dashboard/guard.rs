//! Whoever comes to a page passes here: signed in, allowed by their role, and with a form of their
//! own page in hand. No page asks for any of it again, so none can forget to.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{FORM_LIMIT_BYTES, layout, sign_in};
use crate::api::stores::may_see;
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::role::{self, Needs, Permission, Role};
use crate::domain::user::USE_NOTED_EVERY_MS;
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::sessions::{self, Stage};
use crate::store::users::User;
use crate::store::{operations, stores, webhooks};

/// A person who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Who.
    pub(crate) user_id: String,
    /// What they are called.
    pub(crate) name: String,
    /// What they are.
    pub(crate) role: Role,
    /// The store that they look at.
    pub(crate) store_id: String,
    /// The store that they belong to, which says what they may see: people of the first store see all.
    pub(crate) home_store_id: String,
    /// What the store that they look at is called, where it is not their own.
    pub(crate) visits: Option<String>,
    /// What each of their forms must carry.
    pub(crate) csrf_token: String,
    /// The digest of their session.
    pub(crate) session_digest: String,
    /// The id of their session, for pages.
    pub(crate) session_id: String,
    /// How many operations and webhook endpoints of the store wait for a person.
    pub(crate) waiting: i64,
}

impl Person {
    /// Whether they may do something.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// Whether they may press that button of a payment.
    pub(crate) fn may_do(&self, action: &str) -> bool {
        self.may_press(role::PAYMENT_ACTION, action)
    }

    /// Whether they may press that button of a page that sends its buttons there.
    pub(crate) fn may_press(&self, route: &str, action: &str) -> bool {
        match role::needs("POST", route, Some(action)) {
            Needs::Nobody => true,
            Needs::May(permission) => self.may(permission),
        }
    }

    /// They, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor::user(&self.user_id, &self.name)
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Response> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| Redirect::to("/dashboard/sign-in").into_response())
    }
}

/// Lets in whoever may see this page or send this form.
pub(super) async fn guard(
    State(app): State<App>,
    route: Option<MatchedPath>,
    parameters: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let route = route.as_ref().map_or("", MatchedPath::as_str).to_owned();
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !is_own_origin(&app, request.headers()) {
        return foreign();
    }
    // No id is like that; and a NUL would be an error of PostgreSQL's.
    if parameters.iter().any(|(_, value)| value.len() > 200 || value.chars().any(char::is_control))
    {
        let (title, detail) = ("No such page", "There is nothing at this address.");
        return layout::message(StatusCode::NOT_FOUND, None, title, detail);
    }
    let action = parameters.iter().find(|(name, _)| *name == "action").map(|(_, value)| value);
    let permission = match role::needs(request.method().as_str(), &route, action) {
        Needs::Nobody => return next.run(request).await,
        Needs::May(permission) => permission,
    };
    let name = action.map(ToOwned::to_owned);
    let (mut parts, body) = request.into_parts();
    let person = match known(&app, &parts.headers).await {
        Ok(Some(person)) => person,
        Ok(None) => return Redirect::to("/dashboard/sign-in").into_response(),
        Err(fault) => return layout::failed(&fault),
    };
    if !person.may(permission) {
        return forbidden(&person);
    }
    if !changes {
        parts.extensions.insert(person);
        return next.run(Request::from_parts(parts, body)).await;
    }
    let body = match own_form(&person, &parts.headers, body).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let deed = (!keeps_its_own(&route)).then(|| Pressed::new(&person, &route, name, &parts));
    if let Some(deed) = &deed
        && let Err(fault) = deed.keep(&app, "", json!({})).await
    {
        return layout::failed(&fault);
    }
    parts.extensions.insert(person);
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(deed) = &deed
        && response.status().as_u16() >= 400
    {
        let data = json!({ "status": response.status().as_u16() });
        if let Err(fault) = deed.keep(&app, ".refused", data).await {
            tracing::error!(error = %fault, "that a form was refused could not be kept");
        }
    }
    response
}

/// Whether a form comes from a page of ours, as far as the browser says. What it does not say is
/// left to the form's own token and to the cookie, which no other site's request carries.
fn is_own_origin(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_asked_for = host.is_some() && host == text("host");
    let is_public = Url::parse(app.engine().public_url())
        .is_ok_and(|url| url.origin().ascii_serialization() == origin);
    is_asked_for || is_public
}

fn foreign() -> Response {
    layout::message(
        StatusCode::FORBIDDEN,
        None,
        "This form came from elsewhere",
        "Nothing was done. Forms of this dashboard are taken from its own pages only.",
    )
}

fn forbidden(person: &Person) -> Response {
    layout::message(
        StatusCode::FORBIDDEN,
        Some(person),
        "This is not yours to do",
        &format!(
            "Nothing was done. Your role is {}; an admin can give you another one under Users and keys.",
            person.role.name()
        ),
    )
}

/// Whether somebody may look at a store: their own, or as an admin of the first store any.
fn may_look_at(user: &User, store_id: &str) -> bool {
    user.store_id == store_id
        || (user.role.may(Permission::Administer) && may_see(&user.store_id, store_id))
}

/// The person whose session the cookie names.
async fn known(app: &App, headers: &HeaderMap) -> Result<Option<Person>, Fault> {
    let Some(secret) = sign_in::cookie(app, headers) else { return Ok(None) };
    let digest = idempotency::digest(&secret);
    let (wanted, now_ms) = (digest.clone(), app.engine().now_ms());
    let found = app
        .database()
        .read(move |tx| {
            let found = sessions::find(tx, &wanted, Stage::Full, now_ms)?;
            let Some((mut session, user)) = found else { return Ok(None) };
            // Who may not go elsewhere any more is at home.
            if !may_look_at(&user, &session.store_id) {
                session.store_id.clone_from(&user.store_id);
            }
            let waiting = operations::count_waiting(tx, &session.store_id)?
                + webhooks::count_needing_attention(tx, &session.store_id)?;
            let visits = if session.store_id == user.store_id {
                None
            } else {
                stores::get(tx, &session.store_id)?.map(|store| store.name)
            };
            Ok::<_, Fault>(Some((session, user, waiting, visits)))
        })
        .await?;
    let Some((session, user, waiting, visits)) = found else { return Ok(None) };
    if now_ms - session.seen_at_ms >= USE_NOTED_EVERY_MS {
        let (app, digest) = (app.clone(), digest.clone());
        tokio::spawn(async move {
            let noted =
                app.database().write(move |tx| sessions::note_use(tx, &digest, now_ms)).await;
            if let Err(error) = noted {
                tracing::debug!(%error, "that a session was used could not be kept");
            }
        });
    }
    Ok(Some(Person {
        user_id: user.id,
        name: user.name,
        role: user.role,
        store_id: session.store_id,
        home_store_id: user.store_id,
        visits,
        csrf_token: session.csrf_token,
        session_digest: digest,
        session_id: session.id,
        waiting,
    }))
}

/// Reads a form and sees that it is one of the person's own pages'. A script sends the token in the
/// header `X-CSRF-Token` instead.
async fn own_form(person: &Person, headers: &HeaderMap, body: Body) -> Result<Body, Box<Response>> {
    let Ok(bytes) = to_bytes(body, FORM_LIMIT_BYTES).await else {
        return Err(Box::new(layout::message(
            StatusCode::PAYLOAD_TOO_LARGE,
            Some(person),
            "This form is too large",
            "Nothing was done. Send less.",
        )));
    };
    let header = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    let token = header.map(ToOwned::to_owned).or_else(|| {
        url::form_urlencoded::parse(&bytes)
            .find(|(name, _)| name == "csrf")
            .map(|(_, value)| value.into_owned())
    });
    let right =
        token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(person.csrf_token.as_bytes())));
    if right { Ok(Body::from(bytes)) } else { Err(Box::new(sign_in::refused(person))) }
}

/// Forms whose handlers keep in the audit log themselves what was done, in the same unit of work.
fn keeps_its_own(route: &str) -> bool {
    ["/dashboard/access/", "/dashboard/account/", "/dashboard/sign-out", "/dashboard/views"]
        .iter()
        .any(|start| route.starts_with(start))
}

/// A button that was pressed. Kept before anything happens, so that nothing happens unknown.
struct Pressed {
    store_id: String,
    actor: Actor,
    action: String,
    subject: String,
}

impl Pressed {
    fn new(person: &Person, route: &str, action: Option<String>, parts: &Parts) -> Self {
        let last = route.rsplit('/').find(|segment| !segment.starts_with('{')).unwrap_or_default();
        let what: String = action
            .unwrap_or_else(|| last.to_owned())
            .chars()
            .filter(|each| each.is_ascii_alphanumeric() || "-_".contains(*each))
            .take(40)
            .collect();
        Self {
            store_id: person.store_id.clone(),
            actor: person.actor(),
            action: format!("dashboard.{what}"),
            subject: parts.uri.path().to_owned(),
        }
    }

    async fn keep(&self, app: &App, how: &str, data: Value) -> Result<(), Fault> {
        let id = app.engine().fresh_id("aud");
        let now_ms = app.engine().now_ms();
        let (store_id, actor, subject) =
            (self.store_id.clone(), self.actor.clone(), self.subject.clone());
        let action = format!("{}{how}", self.action);
        app.database()
            .write(move |tx| {
                let deed = Deed {
                    id: &id,
                    store_id: &store_id,
                    actor: &actor,
                    action: &action,
                    subject: &subject,
                };
                audit::append(tx, deed, &data, now_ms)
            })
            .await
    }
}
