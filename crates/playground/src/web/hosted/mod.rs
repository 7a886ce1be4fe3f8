//! The hosted payment page as the shopper sees it (`/hpp-page/{short_id}`).
//!
//! Possession of the address is the right to pay. Opening it changes nothing by itself, so that programs which
//! look into mails and prefetch links do no harm: the page's script says that it was opened, and every other
//! thing the shopper does is a call of its own. The purchase itself is the same flow that merchants' pages show.

pub(crate) mod page;
mod texts;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use klarna_types::hosted_payment_page::Options;
use klarna_types::payments::{PaymentMethodCategoryIdentifier, SessionBody};
use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::client_token;
use crate::domain::content::{self, Stage};
use crate::domain::flow::offer::offers;
use crate::domain::flow::{Beginning, Finalizing, Flow, Host, Kind};
use crate::domain::hosted_page::{Event, HostedPage, LeaveButton, Status};
use crate::hosting::{self, Hosted, HostingError, Scene};
use crate::shopper::{self, Loaded, Outcome, ShopperError};
use crate::store::flows::{self, StoredFlow};
use crate::store::hosted_pages;
use crate::web::caller::{WebError, is_own_page, json};
use crate::web::flow::{known_contact, outcome};
use crate::web::load::today;
use crate::web::{qr, view};
use page::{Checkout, Ending, Onward, language, preferred};

/// Its routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/hpp-page/{short_id}", get(show))
        .route("/hpp-page/{short_id}/result", get(result))
        .route("/hpp-page/{short_id}/qr", get(code))
        .route("/hpp-page/{short_id}/open", post(open))
        .route("/hpp-page/{short_id}/pay", post(pay))
        .route("/hpp-page/{short_id}/leave", post(leave))
        .route("/hpp-page/{short_id}/end", post(end))
}

/// A call by the page itself, and the origin under which the browser knows it.
pub(super) struct OwnPage {
    origin: String,
}

impl FromRequestParts<App> for OwnPage {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, WebError> {
        if !is_own_page(&parts.headers, app) {
            return Err(WebError::NotOwnPage);
        }
        let origin = parts.headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
        let own = || app.public_url().origin().ascii_serialization();
        Ok(Self { origin: origin.map_or_else(own, str::to_owned) })
    }
}

/// The page behind an address, to be looked at.
async fn look(app: &App, short_id: String) -> Result<Hosted, HostingError> {
    let scene = Scene::new(app);
    app.db()
        .read(move |tx| {
            let id = hosted_pages::id_of(tx, &short_id)?.ok_or(HostingError::Gone)?;
            let page = hosted_pages::peek(tx, &id)?.ok_or(HostingError::Gone)?;
            hosting::complete(tx, page, scene.now())
        })
        .await
}

fn path_of(page: &HostedPage) -> String {
    format!("/hpp-page/{}", page.short_id)
}

/// `GET /hpp-page/{short_id}`: where the shopper pays.
async fn show(
    State(app): State<App>,
    Path(short_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let hosted = match look(&app, short_id).await {
        Ok(hosted) => hosted,
        Err(error) => return no_page(error, &headers),
    };
    let Hosted { page, session } = &hosted;
    let path = path_of(page);
    if page.status.is_final() {
        return Redirect::to(&format!("{path}/result")).into_response();
    }
    let merchant = app.directory().merchant(page.merchant_id.as_str());
    let mut categories: Vec<PaymentMethodCategoryIdentifier> = categories(page)
        .iter()
        .map(|name| PaymentMethodCategoryIdentifier::from(name.as_str()))
        .collect();
    if categories.is_empty() {
        let offered = session.categories(merchant.as_deref());
        categories.extend(offered.into_iter().map(|category| category.identifier));
    }
    let button = page.leave_button();
    let checkout = Checkout {
        session,
        options: &page.options,
        categories: &categories,
        leave: Some(button),
        leave_is_final: page.pressed(button) == Some(Event::Cancelled),
        path: &path,
    };
    checkout.response()
}

/// `GET /hpp-page/{short_id}/result`: how it ended, for purchases whose merchant has no page for that.
async fn result(
    State(app): State<App>,
    Path(short_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let hosted = match look(&app, short_id).await {
        Ok(hosted) => hosted,
        Err(error) => return no_page(error, &headers),
    };
    let page = &hosted.page;
    let path = path_of(page);
    let destination = page.destination();
    let onward = match page.status {
        Status::Completed | Status::Cancelled => destination.as_deref().map(Onward::Store),
        Status::Disabled => None,
        Status::Waiting | Status::InProgress | Status::Failed | Status::Back | Status::Error => {
            Some(Onward::Again(&path))
        }
    };
    let ending = Ending {
        language: language(&hosted.session),
        status: Some(page.status),
        options: &page.options,
        reference: page
            .klarna_reference
            .as_ref()
            .filter(|_| page.status == Status::Completed)
            .map(klarna_types::KlarnaReference::as_str),
        onward,
    };
    ending.response()
}

fn no_page(error: HostingError, headers: &HeaderMap) -> Response {
    if let HostingError::Store(error) = error {
        return ApiError::from(error).into_response();
    }
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let ending = Ending {
        language: preferred(accepted),
        status: None,
        options: &Options::default(),
        reference: None,
        onward: None,
    };
    ending.response()
}

/// `GET /hpp-page/{short_id}/qr`: a picture of a code that leads here.
async fn code(
    State(app): State<App>,
    Path(short_id): Path<String>,
    Query(wanted): Query<qr::Wanted>,
) -> Result<Response, ApiError> {
    let hosted = look(&app, short_id).await?;
    qr::answer(&format!("{}{}", app.base_url(), path_of(&hosted.page)), &wanted)
}

/// What the page's script is told: where the purchase stands, and where the browser goes if it is over.
#[derive(Debug, Serialize)]
struct Standing {
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Standing {
    fn of(page: &HostedPage) -> Self {
        Self { status: page.status.shown().as_str().to_owned(), url: page.destination() }
    }
}

/// Does something to a page in a unit of work.
async fn act(
    app: &App,
    short_id: String,
    command: impl Fn(&mut storage::Tx<'_>, &mut Hosted, &Scene) -> Result<(), HostingError>
    + Send
    + 'static,
) -> Result<Response, WebError> {
    let scene = Scene::new(app);
    let page = app
        .db()
        .write(move |tx| -> Result<_, HostingError> {
            let id = hosted_pages::id_of(tx, &short_id)?.ok_or(HostingError::Gone)?;
            let mut hosted = hosting::find(tx, &id, scene.now())?;
            command(tx, &mut hosted, &scene)?;
            Ok(hosted.page)
        })
        .await?;
    app.wake();
    json(&Standing::of(&page))
}

/// `POST /hpp-page/{short_id}/open`: the page is in front of a shopper.
async fn open(
    State(app): State<App>,
    Path(short_id): Path<String>,
    _: OwnPage,
) -> Result<Response, WebError> {
    act(&app, short_id, |tx, hosted, scene| hosting::happen(tx, hosted, Event::Opened, scene)).await
}

/// `POST /hpp-page/{short_id}/end`: a purchase flow was closed; where does the browser go?
async fn end(
    State(app): State<App>,
    Path(short_id): Path<String>,
    _: OwnPage,
) -> Result<Response, WebError> {
    json(&Standing::of(&look(&app, short_id).await?.page))
}

#[derive(Debug, Deserialize)]
struct LeaveRequest {
    button: String,
}

/// `POST /hpp-page/{short_id}/leave`: one of the buttons that lead away.
async fn leave(
    State(app): State<App>,
    Path(short_id): Path<String>,
    _: OwnPage,
    body: Bytes,
) -> Result<Response, WebError> {
    let request: LeaveRequest =
        serde_json::from_slice(&body).map_err(|error| WebError::BadBody(error.to_string()))?;
    let button = match request.button.as_str() {
        "back" => LeaveButton::Back,
        "cancel" => LeaveButton::Cancel,
        _ => return Err(WebError::BadBody("button: back or cancel".to_owned())),
    };
    act(&app, short_id, move |tx, hosted, scene| hosting::leave(tx, hosted, button, scene)).await
}

/// The purchase flow that a page begins.
#[derive(Debug, Serialize)]
struct Begun {
    flow_id: String,
    client_token: String,
}

/// `POST /hpp-page/{short_id}/pay`: begins the purchase flow.
async fn pay(
    State(app): State<App>,
    Path(short_id): Path<String>,
    own: OwnPage,
) -> Result<Response, WebError> {
    let payment_session_id = look(&app, short_id.clone()).await?.session.session_id;
    let Loaded { session, show_form, .. } =
        shopper::load(&app, payment_session_id, SessionBody::default()).await.map_err(|error| {
            match error {
                ShopperError::Session(_) => WebError::NoPage,
                other => other.into(),
            }
        })?;
    let invalid_fields = content::invalid_fields(&session.body, Stage::Authorize);
    let scene = Scene::new(&app);
    let today = today(&app);
    let flow_id = service::random::uuid().to_string();
    let token = client_token::sign(
        session.session_id.as_str(),
        app.base_url(),
        session.expires_at_ms,
        app.signing_key(),
    );
    let begun_id = flow_id.clone();
    app.db()
        .write(move |tx| -> Result<_, WebError> {
            let id = hosted_pages::id_of(tx, &short_id)?.ok_or(WebError::NoPage)?;
            let mut hosted = hosting::find(tx, &id, scene.now())?;
            hosting::happen(tx, &mut hosted, Event::Opened, &scene)?;
            let categories = categories(&hosted.page);
            let purchase = view::purchase(&session.body);
            let any = !offers(&purchase.country, purchase.amount, &categories, today).is_empty();
            let beginning = Beginning {
                kind: Kind::Authorize,
                categories,
                finalizing: Finalizing::Automatic,
                preferred: None,
                express: None,
                delivery: None,
                purchase,
                known_contact: hosted.page.contact.clone().or_else(|| known_contact(&session.body)),
                earlier: None,
            };
            let (mut flow, _) = Flow::begin(beginning, today);
            flow.host = Some(Host::HostedPage(id));
            if !invalid_fields.is_empty() {
                // Nobody can mend them here.
                flow.was_shown = false;
                flow.settle(outcome(Outcome::invalid(invalid_fields.clone())));
            } else if !show_form || !any {
                flow.settle(outcome(Outcome::denied()));
            }
            let stored = StoredFlow {
                flow_id: begun_id.clone(),
                session_id: session.session_id.clone(),
                page_origin: own.origin.clone(),
                version: 1,
                flow,
            };
            flows::insert(tx, &stored, scene.now_ms())?;
            if stored.flow.step.is_end() {
                hosting::follow(tx, &stored.flow, &scene)?;
            }
            Ok(())
        })
        .await?;
    app.wake();
    let begun = Begun { flow_id, client_token: token.expose().to_owned() };
    Ok((StatusCode::CREATED, json(&begun)?).into_response())
}

/// The categories that a page is limited to, in the Payments API's words; none means all.
fn categories(page: &HostedPage) -> Vec<String> {
    let several = page.options.payment_method_categories.as_deref().unwrap_or_default();
    page.options
        .payment_method_category
        .iter()
        .chain(several)
        .map(|category| category.as_str().to_ascii_lowercase())
        .collect()
}
