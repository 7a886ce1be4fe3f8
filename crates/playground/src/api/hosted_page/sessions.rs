//! `GET` and `DELETE /hpp/v1/sessions/{session_id}`.

use axum::extract::{Path, State};
use klarna_types::HostedSessionId;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::hosted_page::Event;
use crate::hosting::{self, HostingError, Scene};
use crate::store::hosted_pages;

/// Reads a page.
pub(super) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Answer, ApiError> {
    let scene = Scene::new(&app);
    let hosted = app
        .db()
        .read(move |tx| -> Result<_, HostingError> {
            let id = HostedSessionId::new(session_id.as_str());
            let page = hosted_pages::read(tx, &caller.merchant.merchant_id, &id)?
                .ok_or(HostingError::Gone)?;
            hosting::complete(tx, page, scene.now())
        })
        .await?;
    Answer::ok(&hosted.page.view(hosted.expires_at_ms()))
}

/// Disables a page. Nobody can pay on it any more; the payment session stays as it is.
pub(super) async fn disable(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<String>,
) -> Result<Answer, ApiError> {
    let scene = Scene::new(&app);
    app.db()
        .write(move |tx| -> Result<_, HostingError> {
            let id = HostedSessionId::new(session_id.as_str());
            let mut hosted = hosting::find(tx, &id, scene.now())?;
            if hosted.page.merchant_id != caller.merchant.merchant_id {
                return Err(HostingError::Gone);
            }
            hosting::happen(tx, &mut hosted, Event::Disabled, &scene)
        })
        .await?;
    Ok(Answer::no_content())
}
