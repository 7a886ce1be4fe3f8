//! What Klarna calls.
//!
//! A callback is a hint. The URL's secret says which checkout it is about; that it came is kept; the
//! answer goes out at once; what is true is then read from Klarna. Nothing in the body moves money or
//! state. An unknown secret is answered like a known one: whoever guesses learns nothing.

use std::net::SocketAddr;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::checkouts::channel::Back;
use super::problem::Problem;
use crate::access::limits::Name;
use crate::app::App;
use crate::domain::checkout::Checkout;
use crate::domain::idempotency;
use crate::engine::tasks;
use crate::fault::Fault;
use crate::store::{checkouts, receipts};

/// Klarna sends a handful for a checkout; more than this many different ones are not Klarna's.
const MOST_RECEIPTS: i64 = 100;

/// Who calls.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Authorization,
    Notification,
    Page,
}

/// A shopper has authorised.
pub async fn authorization(
    State(app): State<App>,
    peer: Peer,
    Path(secret): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    receive(&app, peer, &secret, &body, Kind::Authorization).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A fraud review has ended. Klarna repeats this one until it is answered with exactly 200.
pub async fn notification(
    State(app): State<App>,
    peer: Peer,
    Path(secret): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    receive(&app, peer, &secret, &body, Kind::Notification).await?;
    Ok(StatusCode::OK)
}

/// Something has happened on a page of Klarna's.
pub async fn page(
    State(app): State<App>,
    peer: Peer,
    Path(secret): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    receive(&app, peer, &secret, &body, Kind::Page).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The browser of a shopper comes back from a page of Klarna's to an app: on to the app's own
/// address, which Klarna would not take. Whoever asks learns nothing but that address.
pub async fn back_to_app(
    State(app): State<App>,
    peer: Peer,
    Path((id, at)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let caller = slowed_down(&app, peer)?;
    let now_ms = app.engine().now_ms();
    let wanted = id.clone();
    let checkout = app.database().read(move |tx| checkouts::get(tx, &wanted)).await?;
    let url = checkout.and_then(|checkout| checkout.cart.extras.app_return_url);
    let Some(url) = url.filter(|_| Back::from_name(&at).is_some()) else {
        app.doors().unknown_callbacks.count(&caller, now_ms);
        return Err(Problem::not_found("checkout"));
    };
    let cause = format!("back-{at}");
    app.database().write(move |tx| tasks::enqueue_resolve(tx, &id, &cause, now_ms)).await?;
    app.engine().wake();
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
}

/// Whoever guesses is slowed down; Klarna does not guess.
fn slowed_down(app: &App, peer: Peer) -> Result<Name, Problem> {
    let guesses = &app.doors().unknown_callbacks;
    let caller = Name::address(peer.map(|Extension(ConnectInfo(peer))| peer));
    if guesses.allows(&caller, app.engine().now_ms()) {
        Ok(caller)
    } else {
        Err(Problem::too_many(guesses.window_seconds()))
    }
}

async fn receive(
    app: &App,
    peer: Peer,
    key: &str,
    body: &Bytes,
    kind: Kind,
) -> Result<(), Problem> {
    let caller = slowed_down(app, peer)?;
    let Some(checkout) = known(app, key).await? else {
        app.doors().unknown_callbacks.count(&caller, app.engine().now_ms());
        tracing::warn!("a callback came with a secret that is not known");
        return Ok(());
    };
    let body_digest = idempotency::fingerprint("POST", "", body);
    let receipt_id = app.engine().fresh_id("rcp");
    let now_ms = app.engine().now_ms();
    app.database()
        .write(move |tx| {
            let name = match kind {
                Kind::Authorization => "authorization",
                Kind::Notification => "notification",
                Kind::Page => "page",
            };
            if receipts::count(tx, &checkout.id)? >= MOST_RECEIPTS {
                return Ok(());
            }
            receipts::record(
                tx,
                &receipt_id,
                &checkout.store_id,
                &checkout.id,
                name,
                &body_digest,
                now_ms,
            )?;
            match (kind, &checkout.payment_id) {
                (Kind::Authorization | Kind::Page, None) => {
                    tasks::enqueue_resolve(tx, &checkout.id, &receipt_id, now_ms)?;
                }
                (Kind::Notification, Some(payment_id)) => {
                    tasks::enqueue_sync(tx, payment_id, &receipt_id, now_ms)?;
                }
                // The order exists already; or Klarna speaks of one that is being recorded just
                // now, and is read right after.
                (Kind::Authorization | Kind::Page, Some(_)) | (Kind::Notification, None) => {}
            }
            Ok::<_, Fault>(())
        })
        .await?;
    app.engine().wake();
    Ok(())
}

/// The checkout of a callback URL, if its secret is right.
async fn known(app: &App, key: &str) -> Result<Option<Checkout>, Fault> {
    let Some((id, secret)) = key.split_once('.') else { return Ok(None) };
    // No id is like that; and a NUL would be an error of PostgreSQL's.
    if id.chars().any(char::is_control) {
        return Ok(None);
    }
    let digest = idempotency::digest(secret);
    let wanted = id.to_owned();
    let checkout = app.database().read(move |tx| checkouts::get(tx, &wanted)).await?;
    Ok(checkout.filter(|checkout| {
        bool::from(checkout.callback_digest.as_bytes().ct_eq(digest.as_bytes()))
    }))
}
