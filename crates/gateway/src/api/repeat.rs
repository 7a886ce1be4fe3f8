//! `Idempotency-Key` on changes that are not operations of the journal: the first request under a
//! key is carried out, a repeat of it learns what it led to, another request under it is refused.

use axum::http::{HeaderMap, StatusCode};

use super::extract::idempotency_key;
use super::problem::Problem;
use crate::app::App;
use crate::domain::idempotency;
use crate::fault::Fault;
use crate::store::answers::{self, Found};

/// How long a request may take before its `Idempotency-Key` is free for a repeat.
pub const OWNED_FOR_MS: i64 = 60 * 1000;

/// The right to carry a request out under its key; nothing if it came without one.
#[derive(Debug)]
pub struct Ticket(Option<Held>);

#[derive(Debug)]
struct Held {
    store_id: String,
    key: String,
    owner: String,
}

/// Whether a request is to be carried out.
#[derive(Debug)]
pub enum Begun {
    /// It is: hand the ticket to [`end`].
    Go(Ticket),
    /// It was: this is what it led to.
    Done(String),
}

/// Takes the key of a request, if it has one.
pub async fn begin(
    app: &App,
    store_id: &str,
    headers: &HeaderMap,
    path: &str,
    body: &[u8],
) -> Result<Begun, Problem> {
    let Some(key) = idempotency_key(headers)? else { return Ok(Begun::Go(Ticket(None))) };
    let fingerprint = idempotency::fingerprint("POST", path, body);
    let (owner, now_ms) = (app.engine().fresh_id("own"), app.engine().now_ms());
    let held = Held { store_id: store_id.to_owned(), key, owner };
    let [store_id, key, owner] = [&held.store_id, &held.key, &held.owner].map(ToOwned::to_owned);
    let found = app
        .database()
        .write(move |tx| {
            let until_ms = now_ms + OWNED_FOR_MS;
            answers::begin(tx, &store_id, &key, &fingerprint, &owner, until_ms, now_ms)
        })
        .await?;
    match found {
        Found::Mine => Ok(Begun::Go(Ticket(Some(held)))),
        Found::Made(id) => Ok(Begun::Done(id)),
        Found::Different => Err(different()),
        Found::InProgress => Err(in_progress()),
    }
}

/// Keeps what a request led to under its key, or gives the key back when it led to nothing.
pub async fn end<T>(
    app: &App,
    ticket: Ticket,
    done: Result<T, Problem>,
    made: impl FnOnce(&T) -> String,
) -> Result<T, Problem> {
    let Ticket(Some(Held { store_id, key, owner })) = ticket else { return done };
    let made = done.as_ref().ok().map(made);
    let kept = app
        .database()
        .write(move |tx| match &made {
            Some(made) => answers::attach(tx, &store_id, &key, &owner, made).map(|_| ()),
            None => answers::release(tx, &store_id, &key, &owner),
        })
        .await;
    if let Err(error) = kept {
        let error: Fault = error;
        tracing::warn!(%error, "an Idempotency-Key could not be settled; it frees itself");
    }
    done
}

/// The key was used for another request.
pub fn different() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_mismatch",
        "This Idempotency-Key was used for a different request.",
        "Use a new key for a new request; repeat a request byte for byte under its key.",
    )
}

/// The first request under the key is not done yet.
pub fn in_progress() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_in_progress",
        "The first request under this Idempotency-Key is still being carried out.",
        "Send the request again in a moment, under the same key.",
    )
}
