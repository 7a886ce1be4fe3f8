//! Users and keys, one's own account, invitations, and the audit log.

mod access;
mod account;
mod audit;
pub(super) mod form;
mod invitation;
mod keys;
mod qr;
mod users;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The routes for them.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/dashboard/access", get(access::page))
        .route("/dashboard/access/keys", post(keys::create))
        .route("/dashboard/access/keys/{id}/{action}", post(keys::act))
        .route("/dashboard/access/invitations", post(users::invite))
        .route("/dashboard/access/invitations/{id}/revoke", post(users::revoke_invitation))
        .route("/dashboard/access/users/{id}/{action}", post(users::act))
        .route("/dashboard/invitation", get(invitation::page).post(invitation::submit))
        .route("/dashboard/account", get(account::page))
        .route("/dashboard/account/password", post(account::password))
        .route("/dashboard/account/second-factor", post(account::begin_factor))
        .route("/dashboard/account/second-factor/confirm", post(account::confirm_factor))
        .route("/dashboard/account/second-factor/remove", post(account::remove_factor))
        .route("/dashboard/account/recovery-codes", post(account::recovery_codes))
        .route("/dashboard/account/sessions/{id}/end", post(account::end_session))
        .route("/dashboard/account/sessions/end-others", post(account::end_others))
        .route("/dashboard/audit", get(audit::page))
}
