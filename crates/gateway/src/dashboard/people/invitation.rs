//! Where an invitation leads: a name is given, a password is chosen. Nobody is signed in here; the
//! invitation's secret is what lets them.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use storage::Tx;

use super::super::layout;
use super::super::sign_in::told;
use super::form::Fields;
use crate::access::limits::Name;
use crate::app::App;
use crate::domain::idempotency;
use crate::domain::user;
use crate::fault::Fault;
use crate::store::audit::Actor;
use crate::store::sessions;
use crate::store::users::{self, Invitation, User};

fn form(code: &str, complaint: Option<&str>) -> Markup {
    layout::page(
        "Choose a password",
        None,
        &html! {
            section.card.narrow {
                h1 { "Choose a password" }
                p.muted { "You were handed a link to the dashboard of a shop. Choose a password of at least twelve characters; then sign in." }
                @if let Some(complaint) = complaint {
                    p.notice.bad role="alert" { (complaint) }
                }
                form method="post" action="/dashboard/invitation" {
                    label for="invitation" { "Invitation " span.muted { "what stands behind the # of the link" } }
                    input #invitation name="invitation" required value=(code) data-from-fragment autocomplete="off"
                        autocapitalize="none" spellcheck="false" maxlength="100";
                    label for="password" { "Password" }
                    input #password type="password" name="password" required minlength="12" autocomplete="new-password";
                    label for="repeated" { "The same again" }
                    input #repeated type="password" name="repeated" required minlength="12" autocomplete="new-password";
                    button.primary type="submit" { "Set the password" }
                }
            }
        },
    )
}

pub(super) async fn page() -> Markup {
    form("", None)
}

pub(super) async fn submit(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    fields: Fields,
) -> Response {
    match take(&app, Name::address(peer.map(|Extension(ConnectInfo(peer))| peer)), &fields).await {
        Ok(response) => response,
        Err(fault) => layout::failed(&fault),
    }
}

async fn take(app: &App, from: Name, fields: &Fields) -> Result<Response, Fault> {
    let now_ms = app.engine().now_ms();
    let doors = app.doors();
    let code = fields.get("invitation").trim();
    let refused =
        |status: StatusCode, complaint: &str| (status, form(code, Some(complaint))).into_response();
    if !doors.failed_by_address.allows(&from, now_ms) {
        let complaint = "Too many wrong invitations. Wait a minute, then try again.";
        return Ok(refused(StatusCode::TOO_MANY_REQUESTS, complaint));
    }
    let digest = idempotency::digest(code);
    let wanted = digest.clone();
    let found = app.database().read(move |tx| users::invitation_of(tx, &wanted, now_ms)).await?;
    let over = "This invitation is used, called back or over. Ask for another one.";
    let Some(invitation) = found else {
        doors.failed_by_address.count(&from, now_ms);
        return Ok(refused(StatusCode::GONE, over));
    };
    let (password, repeated) = (fields.get("password"), fields.get("repeated"));
    if let Err(unfit) = user::check_password(&invitation.name, password, repeated) {
        return Ok(refused(StatusCode::BAD_REQUEST, &unfit.to_string()));
    }
    let hash =
        doors.passwords.hash(&fields.secret("password")).await.map_err(Fault::inconsistent)?;
    let (user_id, audit_id) = (app.engine().fresh_id("usr"), app.engine().fresh_id("aud"));
    let joined = app
        .database()
        .write(move |tx| {
            let Some(invitation) = users::invitation_of(tx, &digest, now_ms)? else {
                return Ok(false);
            };
            join(tx, &invitation, &hash, (&user_id, &audit_id), now_ms)
        })
        .await?;
    if joined {
        return Ok(Redirect::to("/dashboard/sign-in?done=joined").into_response());
    }
    Ok(refused(StatusCode::GONE, over))
}

/// Takes an invitation up: makes the user, or gives one that exists the new password. Says whether
/// nobody else was faster.
fn join(
    tx: &mut Tx<'_>,
    invitation: &Invitation,
    hash: &str,
    (user_id, audit_id): (&str, &str),
    now_ms: i64,
) -> Result<bool, Fault> {
    if !users::end_invitation(tx, &invitation.store_id, &invitation.id)? {
        return Ok(false);
    }
    let known = users::by_name(tx, &invitation.name)?;
    let (id, action) = match known {
        Some(user) if user.store_id == invitation.store_id && user.password_hash.is_some() => {
            users::set_password(tx, &user.id, hash)?;
            sessions::close_others(tx, &user.id, None)?;
            (user.id, "user.password_changed")
        }
        // Of another store, or the configuration's: the name was free when the invitation was made.
        Some(_) => return Ok(false),
        None => {
            let user = User {
                id: user_id.to_owned(),
                store_id: invitation.store_id.clone(),
                name: invitation.name.clone(),
                role: invitation.role,
                password_hash: Some(hash.to_owned()),
                totp_seed: None,
                totp_pending: None,
                totp_step: 0,
                created_at_ms: now_ms,
                signed_in_at_ms: None,
                disabled_at_ms: None,
            };
            if !users::insert(tx, &user)? {
                return Ok(false);
            }
            (user.id, "user.joined")
        }
    };
    let actor = Actor::user(id, &invitation.name);
    told(tx, audit_id, &invitation.store_id, &actor, action, now_ms)?;
    Ok(true)
}
