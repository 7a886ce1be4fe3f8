//! What the buttons of users and invitations do.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;
use storage::Tx;

use super::super::{Person, layout};
use super::access;
use super::form::{Fields, once};
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::role::Role;
use crate::domain::user::{self, Change, INVITATION_LIFE_MS};
use crate::fault::Fault;
use crate::store::audit::{self, Actor, Deed};
use crate::store::sessions;
use crate::store::users::{self, Invitation, User};

/// The link to hand over. Its secret stands behind the `#`, so that no server's log and no other
/// page ever sees it.
fn link(app: &App, secret: &str) -> String {
    format!("{}/dashboard/invitation#{secret}", app.engine().public_url())
}

fn shown(app: &App, name: &str, secret: &str) -> Markup {
    let title = format!("Hand this link to {name}");
    let detail = "It is shown now and never again, good once, for three days.";
    once(&title, detail, &link(app, secret))
}

/// An invitation to be kept, its secret and the digest of that.
fn draw(app: &App, person: &Person, name: &str, role: Role) -> (Invitation, String, String) {
    let secret = app.engine().fresh_secret();
    let digest = idempotency::digest(&secret);
    let invitation = Invitation {
        id: app.engine().fresh_id("inv"),
        store_id: person.store_id.clone(),
        name: name.to_owned(),
        role,
        invited_by: person.name.clone(),
        expires_at_ms: app.engine().now_ms().saturating_add(INVITATION_LIFE_MS),
    };
    (invitation, secret, digest)
}

pub(super) async fn invite(State(app): State<App>, person: Person, fields: Fields) -> Response {
    let refused =
        async |detail: &str| access::refused(&app, &person, StatusCode::BAD_REQUEST, detail).await;
    let name = match user::read_name(fields.get("name")) {
        Ok(name) => name,
        Err(unfit) => return refused(&unfit.to_string()).await,
    };
    let Some(role) = Role::from_name(fields.get("role")) else {
        return refused("Choose one of the roles.").await;
    };
    let now_ms = app.engine().now_ms();
    let (invitation, secret, digest) = draw(&app, &person, &name, role);
    let (audit_id, actor) = (app.engine().fresh_id("aud"), person.actor());
    let invited = app
        .database()
        .write(move |tx| {
            if users::by_name(tx, &invitation.name)?.is_some() {
                return Ok(false);
            }
            users::invite(tx, &invitation, &digest, now_ms)?;
            let deed = Deed {
                id: &audit_id,
                store_id: &invitation.store_id,
                actor: &actor,
                action: "user.invited",
                subject: &invitation.name,
            };
            audit::append(tx, deed, &json!({ "role": invitation.role.name() }), now_ms)?;
            Ok::<_, Fault>(true)
        })
        .await;
    match invited {
        Ok(true) => access::show(&app, &person, StatusCode::OK, &shown(&app, &name, &secret)).await,
        Ok(false) => refused("There is a user of that name already.").await,
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn revoke_invitation(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    let now_ms = app.engine().now_ms();
    let (audit_id, actor, store_id) =
        (app.engine().fresh_id("aud"), person.actor(), person.store_id.clone());
    let ended = app
        .database()
        .write(move |tx| {
            if !users::end_invitation(tx, &store_id, &id)? {
                return Ok(false);
            }
            let action = "user.invitation_called_back";
            let deed =
                Deed { id: &audit_id, store_id: &store_id, actor: &actor, action, subject: &id };
            audit::append(tx, deed, &json!({}), now_ms)?;
            Ok::<_, Fault>(true)
        })
        .await;
    match ended {
        Ok(true) => {
            let above =
                html! { p.notice.good role="status" { "The link is good for nothing now." } };
            access::show(&app, &person, StatusCode::OK, &above).await
        }
        Ok(false) => unknown(&person),
        Err(fault) => layout::failed(&fault),
    }
}

fn unknown(person: &Person) -> Response {
    let (title, detail) = ("No such user", "Nothing was done.");
    layout::message(StatusCode::NOT_FOUND, Some(person), title, detail)
}

/// What came of a change.
enum Came {
    Unknown,
    NotAllowed(String),
    Done(User),
}

pub(super) async fn act(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    fields: Fields,
) -> Response {
    let Some(change) = Change::from_name(&action) else { return unknown(&person) };
    let role = Role::from_name(fields.get("role"));
    if change == Change::Role && role.is_none() {
        let detail = "Choose one of the roles.";
        return access::refused(&app, &person, StatusCode::BAD_REQUEST, detail).await;
    }
    let now_ms = app.engine().now_ms();
    let (audit_id, actor) = (app.engine().fresh_id("aud"), person.actor());
    let (invitation, secret, digest) = draw(&app, &person, "", role.unwrap_or(Role::Viewer));
    let store_id = person.store_id.clone();
    let came = app
        .database()
        .write(move |tx| {
            let Some(user) = users::lock_in(tx, &store_id, &id)? else { return Ok(Came::Unknown) };
            if let Err(why) = change.check(user.id == actor.id, &user.name) {
                return Ok(Came::NotAllowed(why.to_string()));
            }
            let invitation =
                Invitation { name: user.name.clone(), role: user.role, ..invitation.clone() };
            match change {
                Change::Role => users::set_role(tx, &user.id, role.unwrap_or(user.role))?,
                Change::Disable => users::set_disabled(tx, &user.id, Some(now_ms))?,
                Change::Enable => users::set_disabled(tx, &user.id, None)?,
                Change::NewPassword => users::invite(tx, &invitation, &digest, now_ms)?,
                Change::RemoveFactor => users::set_seed(tx, &user.id, None, 0)?,
            }
            // What somebody may no longer do, they do not go on doing in an open session.
            if change == Change::Disable {
                sessions::close_others(tx, &user.id, None)?;
            }
            keep(tx, &audit_id, &store_id, &actor, change, &user, role, now_ms)?;
            Ok::<_, Fault>(Came::Done(user))
        })
        .await;
    let above = match came {
        Ok(Came::Done(user)) => match change {
            Change::NewPassword => shown(&app, &user.name, &secret),
            Change::Role | Change::Disable | Change::Enable | Change::RemoveFactor => html! {
                p.notice.good role="status" { "Done for " (user.name) "." }
            },
        },
        Ok(Came::NotAllowed(detail)) => {
            return access::refused(&app, &person, StatusCode::CONFLICT, &detail).await;
        }
        Ok(Came::Unknown) => return unknown(&person),
        Err(fault) => return layout::failed(&fault),
    };
    access::show(&app, &person, StatusCode::OK, &above).await
}

#[expect(clippy::too_many_arguments, reason = "one line of the log, told in one place")]
fn keep(
    tx: &mut Tx<'_>,
    audit_id: &str,
    store_id: &str,
    actor: &Actor,
    change: Change,
    user: &User,
    role: Option<Role>,
    now_ms: i64,
) -> Result<(), Fault> {
    let deed = Deed { id: audit_id, store_id, actor, action: change.told(), subject: &user.id };
    let data = json!({
        "name": user.name,
        "from": user.role.name(),
        "to": role.filter(|_| change == Change::Role).map(Role::name),
    });
    audit::append(tx, deed, &data, now_ms)
}
