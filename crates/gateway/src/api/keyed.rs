//! Changes that are one unit of work, under the caller's `Idempotency-Key`: the same request again is
//! the same change, whatever became of the first answer.

use axum::http::HeaderMap;
use storage::Tx;

use super::extract::{Caller, idempotency_key};
use super::problem::Problem;
use super::repeat::different;
use crate::app::App;
use crate::domain::idempotency;
use crate::fault::Fault;
use crate::store::answers::{self, Found};

/// Whether the change was made by this request or by an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// By this one.
    Now,
    /// By an earlier one under the same key.
    Before,
}

/// Makes a change once. `change` answers the id of what it made or changed, or why it did not.
pub async fn once<F>(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    request: (&str, &[u8]),
    change: F,
) -> Result<(String, Made), Problem>
where
    F: Fn(&mut Tx<'_>) -> Result<Result<String, Problem>, Fault> + Send + 'static,
{
    let key = idempotency_key(headers)?;
    let (path, body) = request;
    let fingerprint = idempotency::fingerprint("POST", path, body);
    let owner = app.engine().fresh_id("own");
    let store_id = caller.store_id.clone();
    let now_ms = app.engine().now_ms();
    let made = app
        .database()
        .write(move |tx| {
            let Some(key) = &key else { return Ok(change(tx)?.map(|id| (id, Made::Now))) };
            // Owned until the end of this unit of work and no longer.
            match answers::begin(tx, &store_id, key, &fingerprint, &owner, now_ms, now_ms)? {
                Found::Mine => {}
                Found::Made(id) => return Ok(Ok((id, Made::Before))),
                Found::Different | Found::InProgress => return Ok(Err(different())),
            }
            match change(tx)? {
                Ok(id) => {
                    answers::attach(tx, &store_id, key, &owner, &id)?;
                    Ok(Ok((id, Made::Now)))
                }
                Err(problem) => {
                    answers::release(tx, &store_id, key, &owner)?;
                    Ok::<_, Fault>(Err(problem))
                }
            }
        })
        .await??;
    app.engine().wake();
    Ok(made)
}
