//! What Klarna calls.
//!
//! A callback is a hint. The URL's secret says which checkout it is about; that it came is kept; the
//! answer goes out at once; what is true is then read from Klarna. Nothing in the body moves money or
//! state. An unknown secret is answered like a known one: whoever guesses learns nothing.

use std::net::SocketAddr;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use subtle::ConstantTimeEq as _;

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

async fn receive(
    app: &App,
    peer: Peer,
    key: &str,
    body: &Bytes,
    kind: Kind,
) -> Result<(), Problem> {
    // Whoever guesses is slowed down; Klarna does not guess.
    let guesses = &app.doors().unknown_callbacks;
    let caller = Name::address(peer.map(|Extension(ConnectInfo(peer))| peer));
    if !guesses.allows(&caller, app.engine().now_ms()) {
        return Err(Problem::too_many(guesses.window_seconds()));
    }
    let Some(checkout) = known(app, key).await? else {
        guesses.count(&caller, app.engine().now_ms());
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
                (Kind::Authorization, None) => {
                    tasks::enqueue_resolve(tx, &checkout.id, &receipt_id, now_ms)?;
                }
                (Kind::Notification, Some(payment_id)) => {
                    tasks::enqueue_sync(tx, payment_id, &receipt_id, now_ms)?;
                }
                // The order exists already; or Klarna speaks of one that is being recorded just
                // now, and is read right after.
                (Kind::Authorization, Some(_)) | (Kind::Notification, None) => {}
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
