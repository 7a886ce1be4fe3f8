//! Klarna's own pages of in-store purchases: the link on the shopper's phone (`/in-store/{short id}`), and
//! what the printed code of a counter leads to (`/counter/{merchant id}`), each with its QR image.
//!
//! Loading a page changes nothing, so that whoever previews a link does not open it; the page's own calls
//! do. The purchase itself is the purchase flow of every other way in.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use klarna_types::payments::SessionBody;
use serde::Serialize;
use serde_json::Value;
use service::Clock as _;

use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::client_token;
use crate::domain::in_store::{Distribution, Event, Failure, Refusal, Status};
use crate::domain::session::Session;
use crate::in_store::{self as purchases, InStoreError, Scanned};
use crate::store::{in_store, sessions};
use crate::web::caller::is_own_page;
use crate::web::qr;
use crate::web::view::{self, PurchaseView};

/// What the page of a link shows.
#[derive(Debug, Serialize)]
struct PageView {
    state: Stand,
    #[serde(flatten)]
    purchase: PurchaseView,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The shop's number of the purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Lets the page run the purchase flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
    /// For the receipt, once it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    klarna_reference: Option<String>,
}

/// What the shopper can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stand {
    /// Pay, or call it off.
    Open,
    /// Nothing: it is paid.
    Completed,
    /// Nothing: it was called off.
    Canceled,
    /// Nothing: the store may not sell this way.
    Closed,
}

/// What the page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Open,
    Look,
    Cancel,
}

impl Action {
    fn read(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "look" => Some(Self::Look),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// `POST /kp/v1/in-store/{short_id}/{action}`: answers with what the page shows. 404 when the link is
/// unknown or past its end, 409 when it cannot be called off any more.
pub(super) async fn act(
    State(app): State<App>,
    Path((short_id, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Answer, ApiError> {
    own_page(&headers, &app)?;
    let action = Action::read(&action).ok_or_else(unknown)?;
    let now_ms = app.clock().now_ms();
    let base_url = app.base_url().to_owned();
    let (purchase, session) = if action == Action::Look {
        app.db().read(move |tx| -> Result<_, InStoreError> { find(tx, &short_id, now_ms) }).await?
    } else {
        let found = app
            .db()
            .write(move |tx| -> Result<_, InStoreError> {
                let (mut purchase, session) = find(tx, &short_id, now_ms)?;
                if action == Action::Cancel {
                    purchases::cancel(tx, purchase, session, &base_url, now_ms)?;
                    return find(tx, &short_id, now_ms);
                }
                match purchases::happens(tx, &mut purchase, Event::Open, &base_url, now_ms) {
                    Ok(()) | Err(InStoreError::Refused(Refusal::NotPermitted)) => {}
                    Err(error) => return Err(error),
                }
                Ok((purchase, session))
            })
            .await?;
        app.wake();
        found
    };
    Answer::ok(&page_view(&app, purchase, &session))
}

fn find(
    tx: &mut storage::Tx<'_>,
    short_id: &str,
    now_ms: i64,
) -> Result<(Distribution, Session), InStoreError> {
    let purchase = in_store::find_by_short_id(tx, short_id)?.ok_or(Refusal::Gone)?;
    if !purchase.is_readable(now_ms) {
        return Err(Refusal::Gone.into());
    }
    let session = sessions::find(tx, &purchase.session_id)?.ok_or(Refusal::Gone)?;
    Ok((purchase, session))
}

fn page_view(app: &App, purchase: Distribution, session: &Session) -> PageView {
    let state = match purchase.status {
        Status::Waiting
        | Status::Distributed
        | Status::Accessed
        | Status::Failed(Failure::ShortCode | Failure::System) => Stand::Open,
        Status::Completed => Stand::Completed,
        Status::Canceled => Stand::Canceled,
        Status::Failed(Failure::NotPermitted) => Stand::Closed,
    };
    let token = || {
        let id = session.session_id.as_str();
        let token =
            client_token::sign(id, app.base_url(), session.expires_at_ms, app.signing_key());
        token.expose().to_owned()
    };
    PageView {
        state,
        purchase: view::bought(&session.body),
        store: store(&session.body),
        reference: session.body.merchant_reference1.clone(),
        client_token: (state == Stand::Open).then(token),
        klarna_reference: purchase.order.map(|(_, reference)| reference.into_string()),
    }
}

/// Where the store is, on one line; from the extra merchant data.
fn store(body: &SessionBody) -> Option<String> {
    let document = body.attachment.as_ref()?.body.as_ref()?.as_str()?;
    let document: Value = serde_json::from_str(document).ok()?;
    let address = document.pointer("/in_store_payment/0/store_info/store_address")?;
    let text = |member: &str| address.get(member).and_then(Value::as_str).map_or("", str::trim);
    let street = format!("{} {}", text("street_address"), text("street_number"));
    let line = [street.trim(), text("city")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    (!line.is_empty()).then_some(line)
}

/// `GET /in-store/{short_id}/qr`: the link as an image. Anyone may load it.
pub(super) async fn image(
    State(app): State<App>,
    Path(short_id): Path<String>,
    Query(wanted): Query<qr::Wanted>,
) -> Result<Response, ApiError> {
    let now_ms = app.clock().now_ms();
    let purchase = app
        .db()
        .read(move |tx| in_store::find_by_short_id(tx, &short_id))
        .await?
        .filter(|purchase| purchase.is_readable(now_ms))
        .filter(|purchase| purchase.status != Status::Failed(Failure::NotPermitted))
        .ok_or_else(unknown)?;
    qr::answer(&purchase.payment_link(app.base_url()), &wanted)
}

/// `GET /counter/{merchant_id}/qr`: the code to be printed and laid on a counter.
pub(super) async fn counter_image(
    State(app): State<App>,
    Path(merchant_id): Path<String>,
    Query(wanted): Query<qr::Wanted>,
) -> Result<Response, ApiError> {
    app.directory().merchant(&merchant_id).ok_or_else(unknown)?;
    let mut link = app.public_url().clone();
    if let Ok(mut path) = link.path_segments_mut() {
        path.pop_if_empty().extend(["counter", &merchant_id]);
    }
    qr::answer(link.as_str(), &wanted)
}

/// What a phone shows that scanned a counter's code.
#[derive(Debug, Serialize)]
struct ScanView {
    scan_id: String,
    short_code: String,
    /// Seconds until there must be another code.
    expires_in_s: i64,
    /// Where to go on, once the till has sent the code along.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_link: Option<String>,
}

impl ScanView {
    fn new(scanned: Scanned, now_ms: i64) -> Self {
        Self {
            expires_in_s: scanned.scan.expires_at_ms.saturating_sub(now_ms) / 1_000,
            scan_id: scanned.scan.scan_id,
            short_code: scanned.scan.code,
            payment_link: scanned.payment_link,
        }
    }
}

/// `POST /kp/v1/counter/{merchant_id}`: a phone scanned the printed code of a counter.
pub(super) async fn scan(
    State(app): State<App>,
    Path(merchant_id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, ApiError> {
    own_page(&headers, &app)?;
    let now_ms = app.clock().now_ms();
    Answer::ok(&ScanView::new(purchases::scan(&app, &merchant_id).await?, now_ms))
}

/// `POST /kp/v1/scans/{scan_id}`: whether the till has sent the code along.
pub(super) async fn poll(
    State(app): State<App>,
    Path(scan_id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, ApiError> {
    own_page(&headers, &app)?;
    let now_ms = app.clock().now_ms();
    Answer::ok(&ScanView::new(purchases::fetch(&app, scan_id).await?, now_ms))
}

fn own_page(headers: &HeaderMap, app: &App) -> Result<(), ApiError> {
    if is_own_page(headers, app) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "NOT_OWN_PAGE")
        .message("Only the playground's own pages may call this."))
}

fn unknown() -> ApiError {
    ApiError::not_found("There is no such purchase, or it is over")
}

/// The id in a purchase's link or image address, if it is of this playground.
pub(crate) fn short_id_of<'a>(base_url: &str, link: &'a str) -> Option<&'a str> {
    let id = link.strip_prefix(base_url)?.strip_prefix("/in-store/")?;
    let id = id.split(['/', '?', '#']).next().unwrap_or_default();
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(id)
}

#[cfg(test)]
mod tests {
    use klarna_types::in_store::{StoreAddress, StoreInfo};
    use klarna_types::payments::AttachmentBody;

    use super::*;

    #[test]
    fn a_store_is_named_by_its_address() {
        let body = |address: StoreAddress| {
            let attachment = StoreInfo::new("STO-7", "POS1", address).attachment();
            SessionBody::new().attachment(AttachmentBody::from(attachment))
        };
        let full =
            StoreAddress::new().street_address("Sveavägen").street_number("46").city("Kista");
        assert_eq!(store(&body(full)).as_deref(), Some("Sveavägen 46, Kista"));
        let city = StoreAddress::new().city("Kista");
        assert_eq!(store(&body(city)).as_deref(), Some("Kista"));
        assert_eq!(store(&body(StoreAddress::new())), None);
        assert_eq!(store(&SessionBody::new()), None);
    }

    #[test]
    fn only_links_of_this_playground_lead_to_a_purchase() {
        let base = "http://localhost:7072";
        for (link, expected) in [
            ("http://localhost:7072/in-store/aB3dE9x", Some("aB3dE9x")),
            ("http://localhost:7072/in-store/aB3dE9x?x=1", Some("aB3dE9x")),
            ("http://localhost:7072/in-store/aB3dE9x/qr", Some("aB3dE9x")),
            ("http://localhost:7072/in-store/", None),
            ("http://elsewhere/in-store/aB3dE9x", None),
            ("http://localhost:7072.evil/in-store/aB3dE9x", None),
        ] {
            assert_eq!(short_id_of(base, link), expected, "{link}");
        }
    }
}
