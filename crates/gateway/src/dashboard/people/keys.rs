//! What the buttons of API keys do: the same as the API's endpoints.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::super::{Person, layout};
use super::access;
use super::form::{Fields, once};
use crate::api::keys::act::{self, By, NotDone};
use crate::api::keys::create::{self as api, Made};
use crate::api::keys::draw;
use crate::app::App;
use crate::domain::access_key::{Key, Kind, Wish};
use crate::domain::idempotency;
use crate::domain::scope::Scopes;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const MADE: &str = "This is the key";
const SHOWN_ONCE: &str = "It is shown now and never again: copy it to where it is used.";

fn by(app: &App, person: &Person) -> By {
    By {
        actor: person.actor(),
        store_id: person.store_id.clone(),
        // An admin may give any scope, and none that only later versions will know.
        scopes: Scopes::everything(),
        audit_id: app.engine().fresh_id("aud"),
    }
}

/// Shows a key that was just made, or says that it was shown before.
async fn show(app: &App, person: &Person, made: Made, secret: &str) -> Response {
    let above = match made {
        Made::New(key) => once(&format!("{MADE} {}", key.name), SHOWN_ONCE, secret),
        Made::Before(_) => html! {
            p.notice.waiting role="status" { "This key was made and shown before. Rotate it if it was lost." }
        },
        Made::Different => {
            let detail = "This form was used for something else; the page is fresh now.";
            return access::refused(app, person, StatusCode::CONFLICT, detail).await;
        }
    };
    access::show(app, person, StatusCode::OK, &above).await
}

pub(super) async fn create(State(app): State<App>, person: Person, fields: Fields) -> Response {
    let now_ms = app.engine().now_ms();
    let kind = Kind::from_name(fields.get("kind")).unwrap_or(Kind::Secret);
    let origins = fields.get("origins").split([',', ' ', '\n']).map(str::trim);
    let days = fields.get("days").parse::<i64>().ok().filter(|days| (1..=3650).contains(days));
    let wish = Wish {
        name: fields.get("name").to_owned(),
        kind,
        scopes: fields.all("scope").map(ToOwned::to_owned).collect(),
        origins: origins.filter(|origin| !origin.is_empty()).map(ToOwned::to_owned).collect(),
        expires_at_ms: days.map(|days| now_ms.saturating_add(days * DAY_MS)),
    };
    let grant = match wish.grant(Scopes::everything(), now_ms) {
        Ok(grant) => grant,
        Err(rejection) => {
            let detail = format!("{rejection}.");
            return access::refused(&app, &person, StatusCode::BAD_REQUEST, &detail).await;
        }
    };
    let Some((key, fingerprint)) = form_key(&fields, "create") else {
        return super::super::sign_in::refused(&person);
    };
    let drawn = draw(&app, kind);
    let secret = drawn.secret.clone();
    let by = by(&app, &person);
    let made = app
        .database()
        .write(move |tx| {
            let asked = Some((key.as_str(), fingerprint.as_str()));
            api::under_key::<crate::Fault>(tx, &by.store_id, asked, &drawn.id, now_ms, |tx| {
                let actor = (&by.actor, by.audit_id.as_str());
                api::make(tx, &by.store_id, actor, &drawn, &grant, now_ms)
            })
        })
        .await;
    match made {
        Ok(made) => show(&app, &person, made, &secret).await,
        Err(fault) => layout::failed(&fault),
    }
}

/// The form's own key, fresh for each page: whatever comes under it is the same press.
fn form_key(fields: &Fields, what: &str) -> Option<(String, String)> {
    let key = fields.get("key");
    idempotency::is_acceptable_key(key).then(|| {
        (format!("dashboard/{key}"), idempotency::fingerprint("FORM", what, key.as_bytes()))
    })
}

pub(super) async fn act(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    fields: Fields,
) -> Response {
    let now_ms = app.engine().now_ms();
    let by = by(&app, &person);
    let done = match action.as_str() {
        "rotate" => {
            let Some((key, fingerprint)) = form_key(&fields, &id) else {
                return super::super::sign_in::refused(&person);
            };
            let overlap_ms =
                fields.get("overlap").parse::<i64>().unwrap_or(-1).saturating_mul(1000);
            let draws = app.clone();
            app.database()
                .write(move |tx| {
                    let asked = Some((key.as_str(), fingerprint.as_str()));
                    let claim = draws.engine().fresh_id("own");
                    let mut shown = String::new();
                    let made =
                        api::under_key::<NotDone>(tx, &by.store_id, asked, &claim, now_ms, |tx| {
                            let drawn = |old: &Key| draw(&draws, old.kind);
                            let (key, secret) =
                                act::replace(tx, &by, &id, overlap_ms, drawn, now_ms)?;
                            shown = secret;
                            Ok(key)
                        })?;
                    Ok::<_, NotDone>(Some((made, shown)))
                })
                .await
        }
        "revoke" => {
            app.database().write(move |tx| act::end(tx, &by, &id, now_ms).map(|_| None)).await
        }
        _ => Err(NotDone::Unknown),
    };
    match done {
        Ok(Some((made, secret))) => show(&app, &person, made, &secret).await,
        Ok(None) => {
            let above = html! { p.notice.good role="status" { "The key is revoked." } };
            access::show(&app, &person, StatusCode::OK, &above).await
        }
        Err(NotDone::Unknown) => {
            let (title, detail) = ("No such key", "Nothing was done.");
            layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail)
        }
        Err(NotDone::Rejected(rejection)) => {
            let detail = format!("{rejection}.");
            access::refused(&app, &person, StatusCode::CONFLICT, &detail).await
        }
        Err(NotDone::Fault(fault)) => layout::failed(&fault),
    }
}
