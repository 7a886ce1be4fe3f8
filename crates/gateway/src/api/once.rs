//! A request that is one unit of work, under the caller's `Idempotency-Key`: the same request again
//! leads to what it led to first, and does nothing.

use storage::Tx;

use super::problem::Problem;
use super::repeat::different;
use crate::app::App;
use crate::domain::idempotency;
use crate::fault::Fault;
use crate::store::answers::{self, Found};

/// What came of a request.
#[derive(Debug)]
pub enum Once<T> {
    /// It was carried out now.
    Now(T),
    /// It was before, and led to this id.
    Before(String),
}

/// What the request is, for the comparison with the first one under its key.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Whose it is.
    pub store_id: &'a str,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// Its path, with the ids filled in.
    pub path: &'a str,
    /// Its body as it was sent.
    pub body: &'a [u8],
}

/// Carries a request out, unless it was before. `work` answers what it made, and the id under which a
/// repeat finds it; what it refuses leaves the key free.
pub async fn once<T, E, F>(app: &App, request: Request<'_>, work: F) -> Result<Once<T>, Problem>
where
    F: Fn(&mut Tx<'_>) -> Result<Result<(T, String), E>, Fault> + Send + 'static,
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let fingerprint = idempotency::fingerprint("POST", request.path, request.body);
    let store_id = request.store_id.to_owned();
    let key = request.key;
    let owner = app.engine().fresh_id("own");
    let now_ms = app.engine().now_ms();
    let ended = app
        .database()
        .write(move |tx| {
            let Some(key) = key.as_deref() else {
                return Ok(match work(tx)? {
                    Ok((made, _)) => Ended::Once(Once::Now(made)),
                    Err(refused) => Ended::Refused(refused),
                });
            };
            match answers::begin(tx, &store_id, key, &fingerprint, &owner, now_ms, now_ms)? {
                Found::Mine => {}
                Found::Made(id) => return Ok(Ended::Once(Once::Before(id))),
                Found::Different | Found::InProgress => return Ok(Ended::Different),
            }
            match work(tx)? {
                Ok((made, id)) => {
                    answers::attach(tx, &store_id, key, &owner, &id)?;
                    Ok(Ended::Once(Once::Now(made)))
                }
                Err(refused) => {
                    answers::release(tx, &store_id, key, &owner)?;
                    Ok(Ended::Refused(refused))
                }
            }
        })
        .await
        .map_err(|fault: Fault| Problem::from(fault))?;
    match ended {
        Ended::Once(once) => Ok(once),
        Ended::Refused(refused) => Err(refused.into()),
        Ended::Different => Err(different()),
    }
}

enum Ended<T, E> {
    Once(Once<T>),
    Refused(E),
    Different,
}
