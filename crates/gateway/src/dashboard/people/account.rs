//! One's own account: password, second factor, recovery codes, sessions.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use storage::Tx;

use super::super::payment::{Notice, said};
use super::super::sign_in::{is_password_of, told};
use super::super::{Person, format, layout};
use super::form::{Fields, csrf};
use super::qr;
use crate::access::limits::Name;
use crate::access::seeds;
use crate::app::App;
use crate::domain::{idempotency, totp, user};
use crate::fault::Fault;
use crate::store::sessions::{self, Session};
use crate::store::users::{self, User};

/// Everything the page shows.
struct Shown {
    user: User,
    sessions: Vec<Session>,
    recovery_codes: i64,
}

fn load(tx: &mut Tx<'_>, user_id: &str, now_ms: i64) -> Result<Shown, Fault> {
    Ok(Shown {
        user: users::get(tx, user_id)?
            .ok_or_else(|| Fault::inconsistent(format!("user {user_id} is gone")))?,
        sessions: sessions::of_user(tx, user_id, now_ms)?,
        recovery_codes: users::recovery_codes_left(tx, user_id)?,
    })
}

pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    show(&app, &person, StatusCode::OK, &html! {}).await
}

async fn show(app: &App, person: &Person, status: StatusCode, above: &Markup) -> Response {
    let (user_id, now_ms) = (person.user_id.clone(), app.engine().now_ms());
    match app.database().read(move |tx| load(tx, &user_id, now_ms)).await {
        Ok(shown) => {
            let content = view(&shown, person, above);
            (status, layout::page("Your account", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

async fn refused(app: &App, person: &Person, status: StatusCode, detail: &str) -> Response {
    let notice = Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: detail.to_owned(),
        remedy: "Correct it and try again.".to_owned(),
        correlation_id: None,
    };
    show(app, person, status, &said(Some(&notice))).await
}

async fn done(app: &App, person: &Person, what: &str) -> Response {
    let notice = Notice::Good(what.to_owned());
    show(app, person, StatusCode::OK, &said(Some(&notice))).await
}

fn view(shown: &Shown, person: &Person, above: &Markup) -> Markup {
    let user = &shown.user;
    html! {
        div.head { h1 { "Your account" } p.muted { (user.name) " · " (user.role.name()) } }
        (above)
        div.columns {
            div {
                section.card {
                    h2 { "Second factor" }
                    @if user.totp_seed.is_some() {
                        p { span.chip.captured { "on" } " Whoever signs in as you needs your phone, too." }
                        p.muted { (shown.recovery_codes) " recovery codes are left." }
                        (again(person, "recovery-codes", "Make new recovery codes", "codes-password"))
                        (again(person, "second-factor/remove", "Turn the second factor off", "remove-password"))
                    } @else {
                        p { span.chip { "off" } " With an authenticator app, a stolen password alone lets nobody in." }
                        (again(person, "second-factor", "Turn the second factor on", "factor-password"))
                    }
                }
                section.card {
                    h2 { "Password" }
                    @if user.password_hash.is_some() {
                        details.action {
                            summary { "Change the password" }
                            form method="post" action="/dashboard/account/password" {
                                (csrf(person))
                                label for="current" { "Your password now" }
                                input #current type="password" name="current" required autocomplete="current-password";
                                label for="password" { "The new one " span.muted { "at least 12 characters" } }
                                input #password type="password" name="password" required minlength="12" autocomplete="new-password";
                                label for="repeated" { "The same again" }
                                input #repeated type="password" name="repeated" required minlength="12" autocomplete="new-password";
                                button type="submit" { "Change it" }
                            }
                        }
                    } @else {
                        p.muted { "This user's password stands in the gateway's configuration and is changed there." }
                    }
                }
            }
            section.card {
                h2 { "Where you are signed in" }
                ul.moves.people {
                    @for session in &shown.sessions { (one_session(session, person)) }
                }
                @if shown.sessions.len() > 1 {
                    form method="post" action="/dashboard/account/sessions/end-others" {
                        (csrf(person))
                        button type="submit" { "Sign out everywhere else" }
                    }
                }
            }
        }
    }
}

/// A button that asks for the password again.
fn again(person: &Person, action: &str, words: &str, id: &str) -> Markup {
    html! {
        details.action {
            summary { (words) }
            form method="post" action={ "/dashboard/account/" (action) } {
                (csrf(person))
                label for=(id) { "Your password" }
                input id=(id) type="password" name="current" required autocomplete="current-password";
                button type="submit" { (words) }
            }
        }
    }
}

fn one_session(session: &Session, person: &Person) -> Markup {
    html! {
        li {
            div.move {
                span { strong { (session.browser) } @if session.id == person.session_id { " " span.chip { "this one" } } }
                span.muted { "Since " (format::moment(session.created_at_ms)) ", last used " (format::moment(session.seen_at_ms)) }
            }
            @if session.id != person.session_id {
                form method="post" action={ "/dashboard/account/sessions/" (session.id) "/end" } {
                    (csrf(person))
                    button.quiet type="submit" { "End" span.hidden { " the session of " (session.browser) } }
                }
            }
        }
    }
}

/// The user as stored, if the password typed again is theirs; else the answer.
async fn asked_again(app: &App, person: &Person, fields: &Fields) -> Result<User, Box<Response>> {
    let id = person.user_id.clone();
    let found = app.database().read(move |tx| users::get(tx, &id)).await;
    let user = match found {
        Ok(Some(user)) => user,
        Ok(None) => return Err(Box::new(super::super::sign_in::refused(person))),
        Err(fault) => return Err(Box::new(layout::failed(&fault))),
    };
    // Whoever found an open session may not guess on.
    let (account, now_ms) = (Name::Account(idempotency::digest(&user.name)), app.engine().now_ms());
    let guesses = &app.doors().failed_by_account;
    if !guesses.allows(&account, now_ms) {
        let detail = "Too many wrong passwords. Wait a quarter of an hour.";
        return Err(Box::new(refused(app, person, StatusCode::TOO_MANY_REQUESTS, detail).await));
    }
    match is_password_of(app, Some(&user), &fields.secret("current")).await {
        Ok(true) => Ok(user),
        Ok(false) => {
            guesses.count(&account, now_ms);
            let detail = "That is not your password.";
            Err(Box::new(refused(app, person, StatusCode::FORBIDDEN, detail).await))
        }
        Err(fault) => Err(Box::new(layout::failed(&fault))),
    }
}

pub(super) async fn password(State(app): State<App>, person: Person, fields: Fields) -> Response {
    let user = match asked_again(&app, &person, &fields).await {
        Ok(user) => user,
        Err(response) => return *response,
    };
    if user.password_hash.is_none() {
        let detail = "This user's password stands in the gateway's configuration.";
        return refused(&app, &person, StatusCode::CONFLICT, detail).await;
    }
    let (new, repeated) = (fields.get("password"), fields.get("repeated"));
    if let Err(unfit) = user::check_password(&user.name, new, repeated) {
        return refused(&app, &person, StatusCode::BAD_REQUEST, &unfit.to_string()).await;
    }
    let hash = match app.doors().passwords.hash(&fields.secret("password")).await {
        Ok(hash) => hash,
        Err(error) => return layout::failed(&Fault::inconsistent(error)),
    };
    let kept = write(&app, &person, "user.password_changed", move |tx, person| {
        users::set_password(tx, &person.user_id, &hash)?;
        // Whoever knew the old one is signed out.
        sessions::close_others(tx, &person.user_id, Some(&person.session_digest))?;
        Ok(true)
    })
    .await;
    match kept {
        Ok(_) => {
            done(&app, &person, "The password is changed; you are signed out everywhere else.")
                .await
        }
        Err(fault) => layout::failed(&fault),
    }
}

/// Changes something of the person's and keeps it in the audit log, if it was there to be changed.
async fn write(
    app: &App,
    person: &Person,
    action: &'static str,
    change: impl Fn(&mut Tx<'_>, &Person) -> Result<bool, Fault> + Send + 'static,
) -> Result<bool, Fault> {
    let (person, now_ms) = (person.clone(), app.engine().now_ms());
    let audit_id = app.engine().fresh_id("aud");
    app.database()
        .write(move |tx| {
            let changed = change(tx, &person)?;
            if changed {
                told(tx, &audit_id, &person.store_id, &person.actor(), action, now_ms)?;
            }
            Ok::<_, Fault>(changed)
        })
        .await
}

pub(super) async fn begin_factor(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    let user = match asked_again(&app, &person, &fields).await {
        Ok(user) => user,
        Err(response) => return *response,
    };
    if user.totp_seed.is_some() {
        let detail = "You have a second factor. Turn it off before you set up another one.";
        return refused(&app, &person, StatusCode::CONFLICT, detail).await;
    }
    let seed = service::random::bytes::<{ totp::SEED_BYTES }>();
    let sealed = match seeds::seal(&app, seeds::PENDING, &user.id, &seed) {
        Ok(sealed) => sealed,
        Err(fault) => return layout::failed(&fault),
    };
    let kept = write(&app, &person, "user.second_factor_begun", move |tx, person| {
        users::set_pending_seed(tx, &person.user_id, &sealed).map(|()| true)
    })
    .await;
    match kept {
        Ok(_) => {
            let content = set_up(&person, &seed, None);
            layout::page("Second factor", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn set_up(person: &Person, seed: &[u8], complaint: Option<&str>) -> Markup {
    html! {
        section.card.narrow {
            h1 { "Second factor" }
            @if let Some(complaint) = complaint { p.notice.bad role="alert" { (complaint) } }
            p { "Read this picture with an authenticator app, or type the key into it." }
            (qr::picture(&totp::url(&person.name, seed), "The key of your second factor, for an authenticator app"))
            p { code.shown { (totp::base32(seed)) } }
            form method="post" action="/dashboard/account/second-factor/confirm" {
                (csrf(person))
                label for="code" { "The six digits that the app shows now" }
                input #code name="code" required autofocus inputmode="numeric" autocomplete="one-time-code" maxlength="10";
                button.primary type="submit" { "Turn it on" }
            }
            p.small { a href="/dashboard/account" { "Leave it off" } }
        }
    }
}

/// Fresh recovery codes: as shown, and as kept.
fn fresh_codes(user_id: &str) -> (Vec<String>, Vec<String>) {
    let codes: Vec<String> = (0..totp::RECOVERY_CODES)
        .map(|_| totp::recovery_code(service::random::bytes::<{ totp::RECOVERY_BYTES }>()))
        .collect();
    let digests = codes.iter().map(|code| totp::recovery_digest(user_id, code)).collect();
    (codes, digests)
}

fn codes_shown(title: &str, codes: &[String]) -> Markup {
    html! {
        section.notice.good role="status" {
            strong { (title) }
            p { "Keep these recovery codes where you will find them without your phone. Each is good once; they are shown now and never again." }
            ol.codes { @for code in codes { li { code { (code) } } } }
        }
    }
}

pub(super) async fn confirm_factor(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    let id = person.user_id.clone();
    let found = app.database().read(move |tx| users::get(tx, &id)).await;
    let user = match found {
        Ok(Some(user)) => user,
        Ok(None) => return super::super::sign_in::refused(&person),
        Err(fault) => return layout::failed(&fault),
    };
    let Some(pending) = user.totp_pending.clone() else {
        let detail = "There is no second factor to be turned on. Begin again.";
        return refused(&app, &person, StatusCode::CONFLICT, detail).await;
    };
    let seed = match seeds::open(&app, seeds::PENDING, &user.id, &pending) {
        Ok(seed) => seed,
        Err(fault) => return layout::failed(&fault),
    };
    let Some(step) = totp::check(&seed, fields.get("code"), 0, seeds::phones_now_ms()) else {
        let complaint = "That is not what the app should show now. Is the phone's clock right?";
        let content = set_up(&person, &seed, Some(complaint));
        let page = layout::page("Second factor", Some(&person), &content);
        return (StatusCode::BAD_REQUEST, page).into_response();
    };
    let sealed = match seeds::seal(&app, seeds::SEED, &user.id, &seed) {
        Ok(sealed) => sealed,
        Err(fault) => return layout::failed(&fault),
    };
    let (codes, digests) = fresh_codes(&user.id);
    let kept = write(&app, &person, "user.second_factor_added", move |tx, person| {
        // Only the seed that the code was right for.
        let now = users::get(tx, &person.user_id)?;
        if now.is_none_or(|user| user.totp_pending.as_ref() != Some(&pending)) {
            return Ok(false);
        }
        users::set_seed(tx, &person.user_id, Some(&sealed), step)?;
        users::set_recovery_codes(tx, &person.user_id, &digests)?;
        sessions::close_others(tx, &person.user_id, Some(&person.session_digest))?;
        Ok(true)
    })
    .await;
    match kept {
        Ok(true) => {
            let above = codes_shown("The second factor is on", &codes);
            show(&app, &person, StatusCode::OK, &above).await
        }
        Ok(false) => {
            let detail = "The second factor was changed meanwhile. Begin again.";
            refused(&app, &person, StatusCode::CONFLICT, detail).await
        }
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn remove_factor(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    if let Err(response) = asked_again(&app, &person, &fields).await {
        return *response;
    }
    let kept = write(&app, &person, "user.second_factor_removed", |tx, person| {
        users::set_seed(tx, &person.user_id, None, 0).map(|()| true)
    })
    .await;
    match kept {
        Ok(_) => done(&app, &person, "The second factor is off.").await,
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn recovery_codes(
    State(app): State<App>,
    person: Person,
    fields: Fields,
) -> Response {
    let user = match asked_again(&app, &person, &fields).await {
        Ok(user) => user,
        Err(response) => return *response,
    };
    if user.totp_seed.is_none() {
        let detail = "Turn the second factor on first.";
        return refused(&app, &person, StatusCode::CONFLICT, detail).await;
    }
    let (codes, digests) = fresh_codes(&user.id);
    let kept = write(&app, &person, "user.recovery_codes_made", move |tx, person| {
        users::set_recovery_codes(tx, &person.user_id, &digests).map(|()| true)
    })
    .await;
    match kept {
        Ok(_) => {
            let above = codes_shown("The codes from before are good for nothing now", &codes);
            show(&app, &person, StatusCode::OK, &above).await
        }
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn end_session(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Response {
    let ended = write(&app, &person, "user.session_ended", move |tx, person| {
        sessions::close_of(tx, &person.user_id, &id)
    })
    .await;
    match ended {
        Ok(true) => done(&app, &person, "That session is over.").await,
        Ok(false) => {
            let detail = "There is no such session of yours.";
            refused(&app, &person, StatusCode::NOT_FOUND, detail).await
        }
        Err(fault) => layout::failed(&fault),
    }
}

pub(super) async fn end_others(State(app): State<App>, person: Person) -> Response {
    let ended = write(&app, &person, "user.sessions_ended", |tx, person| {
        let but = Some(person.session_digest.as_str());
        Ok(sessions::close_others(tx, &person.user_id, but)? > 0)
    })
    .await;
    match ended {
        Ok(_) => done(&app, &person, "You are signed in here and nowhere else.").await,
        Err(fault) => layout::failed(&fault),
    }
}
