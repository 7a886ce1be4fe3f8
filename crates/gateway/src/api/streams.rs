//! `GET …/stream`: what happens, as it happens (server-sent events).
//!
//! A browser must not have an API key, and a URL is no place for a secret of lasting value: so a shop
//! asks for a token that lets its holder watch one checkout or payment for an hour, and see no more of
//! an event than that it happened. With an API key whole events are shown.
//!
//! The `id` of each message is the event's: a browser that comes back sends it along, and goes on where
//! it was. A connection ends after an hour at the latest, and is opened anew by the browser itself.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use klarna_types::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use super::checkouts::view::time;
use super::extract::{Body, Caller, idempotency_key};
use super::once::{Once, Request, once};
use super::payments::cancel::Nothing;
use super::payments::events::EventView;
use super::problem::Problem;
use crate::app::App;
use crate::domain::idempotency;
use crate::engine::feed::{Seat, Watched};
use crate::fault::Fault;
use crate::store::events::{self, Event, Filter, Order};
use crate::store::streams::{self, Grant};
use crate::store::{answers, checkouts, payments};
use crate::vault::Place;

/// How long a token is good for, and a connection may last.
const LIFE_MS: i64 = 60 * 60 * 1000;
/// So many tokens of one subject are valid at once.
const MOST_TOKENS: i64 = 100;
/// How often a stream looks although nothing woke it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often something is said although nothing happened, so that nobody on the way hangs up.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);
/// Units of work end later than they begin: a store's stream looks back this far, and knows what it has
/// sent.
const BACK_MS: i64 = 10_000;
/// So many events are read at a time.
const PAGE: i64 = 200;
/// So many ids are remembered.
const REMEMBERED: usize = 10_000;

/// A token for one stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StreamToken {
    /// What stands in `url`.
    pub token: String,
    /// For the browser: `new EventSource(url)`.
    pub url: String,
    /// When it ends.
    pub expires_at: String,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Checkout,
    Payment,
}

impl Subject {
    fn path(self) -> &'static str {
        match self {
            Self::Checkout => "checkouts",
            Self::Payment => "payments",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Payment => "payment",
        }
    }
}

/// Who watches: known by an API key, or by a token in the URL.
#[derive(Debug, Clone)]
pub struct Watcher {
    store_id: String,
    /// The only subject that may be watched, and until when; all of the store if there is none.
    only: Option<(String, i64)>,
}

impl Watcher {
    fn may_watch(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|(subject_id, _)| subject_id == id)
    }
}

fn member(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl FromRequestParts<App> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(token) = member(parts, "token") {
            let digest = idempotency::digest(&token);
            let now_ms = app.engine().now_ms();
            let grant = app.database().read(move |tx| streams::find(tx, &digest, now_ms)).await?;
            let Grant { store_id, subject_id, expires_at_ms } = grant.ok_or_else(|| {
                Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "This stream token is not known, or it is over.",
                    "Have the shop ask for another one.",
                )
            })?;
            return Ok(Self { store_id, only: Some((subject_id, expires_at_ms)) });
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self { store_id: caller.store_id, only: None })
    }
}

/// The event that the watcher has seen last, if it says so.
#[derive(Debug)]
pub struct Seen(Option<String>);

impl FromRequestParts<App> for Seen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let header = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        Ok(Self(header.map(ToOwned::to_owned).or_else(|| member(parts, "last_event_id"))))
    }
}

/// Makes a token with which a browser watches this checkout for an hour, and sees nothing else.
#[utoipa::path(post, path = "/v1/checkouts/{id}/stream_tokens", tag = "events",
    operation_id = "stream_token",
    params(("id" = String, Path)),
    responses((status = 201, body = StreamToken), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn checkout_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    token(&app, caller, id, Subject::Checkout, (key, &bytes)).await
}

/// Makes a token with which a browser watches this payment for an hour, and sees nothing else.
#[utoipa::path(post, path = "/v1/payments/{id}/stream_tokens", tag = "events",
    operation_id = "stream_token",
    params(("id" = String, Path)),
    responses((status = 201, body = StreamToken), (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn payment_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body { bytes, .. }: Body<Nothing>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    token(&app, caller, id, Subject::Payment, (key, &bytes)).await
}

/// Where the token that a request under an `Idempotency-Key` made is sealed, so that a repeat of the request
/// is answered with it. Good for as long as the token.
fn sealed_at(key: &str) -> Place<'_> {
    Place { table: "answers", column: "body", row: key }
}

async fn token(
    app: &App,
    caller: Caller,
    id: String,
    of: Subject,
    (key, body): (Option<String>, &[u8]),
) -> Result<Response, Problem> {
    status(app, &caller.store_id, &id, of).await?.ok_or_else(|| Problem::not_found(of.name()))?;
    let token = format!("kassa_st_{}", app.engine().fresh_secret());
    let digest = idempotency::digest(&token);
    let now_ms = app.engine().now_ms();
    let grant = Grant {
        store_id: caller.store_id.clone(),
        subject_id: id.clone(),
        expires_at_ms: now_ms + LIFE_MS,
    };
    let sealed = match &key {
        Some(key) => {
            let secret = Secret::new(token.as_str());
            let sealed = app.engine().vault().seal(sealed_at(key), &secret);
            Some((key.clone(), sealed.map_err(Fault::from)?))
        }
        None => None,
    };
    let path = format!("/v1/{}/{id}/stream_tokens", of.path());
    let request = Request { store_id: &caller.store_id, key: key.clone(), path: &path, body };
    let expires_at_ms = grant.expires_at_ms;
    let ended = once(app, request, move |tx| {
        if streams::count(tx, &grant.subject_id, now_ms)? >= MOST_TOKENS {
            return Ok(Err(too_many_tokens()));
        }
        streams::insert(tx, &digest, &grant, now_ms)?;
        if let Some((key, sealed)) = &sealed {
            answers::keep_sealed(tx, &grant.store_id, key, sealed)?;
        }
        Ok(Ok(((), digest.clone())))
    })
    .await?;
    let (token, expires_at_ms) = match ended {
        Once::Now(()) => (token, expires_at_ms),
        Once::Before(digest) => {
            made_before(app, caller.store_id, key.unwrap_or_default(), digest).await?
        }
    };
    let url = format!("{}/v1/{}/{id}/stream?token={token}", app.engine().public_url(), of.path());
    let answer = StreamToken { token, url, expires_at: time(expires_at_ms) };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn too_many_tokens() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_tokens",
        "A hundred tokens for this stream are valid already.",
        "Use one of them, or wait until they end.",
    )
}

/// The token that the first request under a key made, and when it ends.
async fn made_before(
    app: &App,
    store_id: String,
    key: String,
    digest: String,
) -> Result<(String, i64), Problem> {
    let now_ms = app.engine().now_ms();
    let wanted = key.clone();
    let found = app
        .database()
        .read(move |tx| {
            let grant = streams::find(tx, &digest, now_ms)?;
            Ok::<_, Fault>(grant.zip(answers::sealed(tx, &store_id, &wanted)?))
        })
        .await?;
    let opened = found.and_then(|(grant, sealed)| {
        // Sealed under a master key that is gone meanwhile: as good as over.
        let token = app.engine().vault().open(sealed_at(&key), &sealed).ok()?;
        Some((token.expose().to_owned(), grant.expires_at_ms))
    });
    opened.ok_or_else(|| {
        Problem::conflict(
            "The token that was made under this Idempotency-Key is over.",
            "Ask for another one, under another key.",
        )
    })
}

/// What stands now, as a stream begins.
async fn status(
    app: &App,
    store_id: &str,
    id: &str,
    of: Subject,
) -> Result<Option<(Value, Option<Event>)>, Fault> {
    let (store_id, id) = (store_id.to_owned(), id.to_owned());
    app.database()
        .read(move |tx| {
            let stands = match of {
                Subject::Checkout => checkouts::get_in(tx, &store_id, &id)?.map(|checkout| {
                    json!({ "id": checkout.id, "status": checkout.status, "payment_id": checkout.payment_id })
                }),
                Subject::Payment => payments::get_in(tx, &store_id, &id)?.map(|payment| {
                    json!({ "id": payment.id, "status": payment.status,
                        "fraud_status": payment.fraud.name(), "amounts": payment.amounts })
                }),
            };
            let last = events::of_subject(tx, &id)?.pop();
            Ok::<_, Fault>(stands.map(|stands| (stands, last)))
        })
        .await
}

/// Watches a checkout: first a `status` message with where it stands, then each event as it happens.
#[utoipa::path(get, path = "/v1/checkouts/{id}/stream", tag = "events",
    operation_id = "stream",
    params(("id" = String, Path),
        ("token" = Option<String>, Query, description = "A stream token, in place of an API key."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = "default", body = Problem)),
    security(("api_key" = []), ("stream_token" = [])))]
pub async fn checkout(
    State(app): State<App>,
    watcher: Watcher,
    Seen(seen): Seen,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    watch(&app, watcher, seen, id, Subject::Checkout).await
}

/// Watches a payment: first a `status` message with where it stands, then each event as it happens.
#[utoipa::path(get, path = "/v1/payments/{id}/stream", tag = "events",
    operation_id = "stream",
    params(("id" = String, Path),
        ("token" = Option<String>, Query, description = "A stream token, in place of an API key."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = "default", body = Problem)),
    security(("api_key" = []), ("stream_token" = [])))]
pub async fn payment(
    State(app): State<App>,
    watcher: Watcher,
    Seen(seen): Seen,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    watch(&app, watcher, seen, id, Subject::Payment).await
}

/// The same for a person who looks at a payment in the dashboard.
pub(crate) async fn of_person(
    app: &App,
    store_id: String,
    Seen(seen): Seen,
    payment_id: String,
) -> Result<Response, Problem> {
    let watcher = Watcher { store_id, only: None };
    watch(app, watcher, seen, payment_id, Subject::Payment).await
}

async fn watch(
    app: &App,
    watcher: Watcher,
    seen: Option<String>,
    id: String,
    of: Subject,
) -> Result<Response, Problem> {
    if !watcher.may_watch(&id) {
        return Err(Problem::not_found(of.name()));
    }
    let watched = Watched { store_id: watcher.store_id.clone(), subject_id: Some(id.clone()) };
    let seat = app.feed().watch(watched).ok_or_else(full)?;
    let (stands, last) = status(app, &watcher.store_id, &id, of)
        .await?
        .ok_or_else(|| Problem::not_found(of.name()))?;
    let mut line = Line::new(app, watcher, seat);
    // Whoever was here before gets what came since; anyone else begins with now.
    let begin_after = match seen {
        Some(seen) => seen,
        None => last.as_ref().map(|event| event.id.clone()).unwrap_or_default(),
    };
    let mut first = Sent::default().event("status").retry(COME_BACK).data(stands.to_string());
    if !begin_after.is_empty() {
        first = first.id(printable(&begin_after));
    }
    line.ready.push_back(first);
    line.at = At::Subject { id, position: 0, after: Some(begin_after) };
    Ok(line.into_response())
}

/// An id that came from outside, as it may stand in a stream.
fn printable(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// Watches a store: each event as it happens. The same event may come twice; compare the ids.
#[utoipa::path(get, path = "/v1/events/stream", tag = "events",
    operation_id = "stream",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen.")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = "default", body = Problem)),
    security(("api_key" = [])))]
pub async fn store(
    State(app): State<App>,
    watcher: Watcher,
    Seen(seen): Seen,
) -> Result<Response, Problem> {
    if watcher.only.is_some() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "A stream token is for one checkout or payment.",
            "Use an API key to watch a store.",
        ));
    }
    watch_store(&app, watcher, seen).await
}

/// The same for a person who looks at the list of payments in the dashboard.
pub(crate) async fn of_persons_store(
    app: &App,
    store_id: String,
    Seen(seen): Seen,
) -> Result<Response, Problem> {
    watch_store(app, Watcher { store_id, only: None }, seen).await
}

async fn watch_store(
    app: &App,
    watcher: Watcher,
    seen: Option<String>,
) -> Result<Response, Problem> {
    let watched = Watched { store_id: watcher.store_id.clone(), subject_id: None };
    let seat = app.feed().watch(watched).ok_or_else(full)?;
    let now_ms = app.engine().now_ms();
    let store_id = watcher.store_id.clone();
    let (from_ms, sent) = app
        .database()
        .read(move |tx| {
            if let Some(id) = &seen
                && let Some(event) = events::get_in(tx, &store_id, id)?
            {
                return Ok((event.created_at_ms - BACK_MS, vec![event.id]));
            }
            // What happened before now is not news.
            let filter = Filter { from_ms: Some(now_ms - BACK_MS), ..Filter::default() };
            let before = events::list(tx, &store_id, &filter, PAGE)?;
            let known = before.into_iter().map(|event| event.id).collect();
            Ok::<_, Fault>((now_ms - BACK_MS, known))
        })
        .await?;
    let mut line = Line::new(app, watcher, seat);
    line.ready.push_back(Sent::default().comment("watching").retry(COME_BACK));
    line.at = At::Store { from_ms, sent: sent.into() };
    Ok(line.into_response())
}

fn full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_streams",
        "As many streams are open as may be.",
        "Close some, or come back in a moment.",
    )
}

/// Where a stream stands.
enum At {
    Subject { id: String, position: i64, after: Option<String> },
    Store { from_ms: i64, sent: VecDeque<String> },
}

/// One open stream.
struct Line {
    app: App,
    watcher: Watcher,
    seat: Seat,
    ends_at_ms: i64,
    at: At,
    ready: VecDeque<Sent>,
}

impl Line {
    fn new(app: &App, watcher: Watcher, seat: Seat) -> Self {
        let latest = app.engine().now_ms() + LIFE_MS;
        let ends_at_ms = watcher.only.as_ref().map_or(latest, |(_, at_ms)| latest.min(*at_ms));
        let at = At::Store { from_ms: 0, sent: VecDeque::new() };
        Self { app: app.clone(), watcher, seat, ends_at_ms, at, ready: VecDeque::new() }
    }

    fn into_response(self) -> Response {
        let by_token = self.watcher.only.is_some();
        let messages = stream::unfold(self, |mut line| async move {
            let sent = line.next().await?;
            Some((Ok::<_, Infallible>(sent), line))
        });
        let alive = KeepAlive::new().interval(HEARTBEAT);
        let mut headers = HeaderMap::new();
        // Proxies would keep the messages until there are enough of them.
        let unbuffered = HeaderName::from_static("x-accel-buffering");
        headers.insert(unbuffered, HeaderValue::from_static("no"));
        if by_token {
            // The token is all the right there is: any page that was given it may use it.
            let any = HeaderValue::from_static("*");
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        }
        (headers, Sse::new(messages).keep_alive(alive)).into_response()
    }

    /// The next message; `None` when the stream ends.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.ready.pop_front() {
                return Some(sent);
            }
            let wake = std::sync::Arc::clone(&self.seat.wake);
            let woken = wake.notified();
            tokio::pin!(woken);
            // Taken before the events are read, so that no wake is missed in between.
            woken.as_mut().enable();
            if self.app.engine().now_ms() >= self.ends_at_ms {
                return None;
            }
            match self.read().await {
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, "a stream could not be read on");
                    return None;
                }
            }
            if !self.ready.is_empty() {
                continue;
            }
            let app = self.app.clone();
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = app.feed().shutdown().requested() => return None,
            }
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let database = self.app.database().clone();
        let store_id = self.watcher.store_id.clone();
        let found = match &mut self.at {
            At::Subject { id, position, after } => {
                let (wanted, from) = (id.clone(), *position);
                let found =
                    database.read(move |tx| events::of_subject_from(tx, &wanted, from)).await?;
                let known = after
                    .as_ref()
                    .and_then(|seen| found.iter().position(|event| event.id == *seen));
                // An event that is not known any more, or never was: all that there is.
                let fresh: Vec<Event> =
                    found.into_iter().skip(known.map_or(0, |index| index + 1)).collect();
                if let Some(last) = fresh.last() {
                    *position = last.position;
                    *after = Some(last.id.clone());
                }
                fresh
            }
            At::Store { from_ms, sent } => {
                let mut filter = Filter {
                    from_ms: Some(*from_ms),
                    order: Order::OldestFirst,
                    ..Filter::default()
                };
                let mut fresh = Vec::new();
                loop {
                    let (store_id, wanted) = (store_id.clone(), filter.clone());
                    let found =
                        database.read(move |tx| events::list(tx, &store_id, &wanted, PAGE)).await?;
                    filter.after = found.last().map(|last| (last.created_at_ms, last.id.clone()));
                    let whole = i64::try_from(found.len()).unwrap_or(PAGE) == PAGE;
                    fresh.extend(found.into_iter().filter(|event| !sent.contains(&event.id)));
                    if !whole {
                        break;
                    }
                }
                if let Some(newest_ms) = fresh.iter().map(|event| event.created_at_ms).max() {
                    *from_ms = (*from_ms).max(newest_ms - BACK_MS);
                }
                sent.extend(fresh.iter().map(|event| event.id.clone()));
                while sent.len() > REMEMBERED {
                    sent.pop_front();
                }
                fresh
            }
        };
        let shown = found.into_iter().map(|event| self.shown(event)).collect::<Vec<_>>();
        self.ready.extend(shown);
        Ok(())
    }

    fn shown(&self, event: Event) -> Sent {
        // Without a name of its own, so that a page hears of all of them in one place.
        let sent = Sent::default().id(&event.id);
        let view = EventView::from(event);
        let data = if self.watcher.only.is_some() {
            json!({ "id": view.id, "type": view.kind, "subject_id": view.subject_id,
                "created_at": view.created_at })
        } else {
            json!(view)
        };
        sent.data(data.to_string())
    }
}
