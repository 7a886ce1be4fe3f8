//! Webhooks: where the shop is told of events, how that goes, and what can be done about it.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use storage::Tx;

use super::payment::{Notice, said};
use super::{Person, format, layout, sign_in};
use crate::api::once::{Once, Request, once};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::api::problem::Problem;
use crate::app::App;
use crate::domain::role::Permission;
use crate::domain::webhook::{
    Delivery, Endpoint, LONGEST_DESCRIPTION, OVERLAP_MS, Stage, Standing, Why,
};
use crate::engine::webhooks::command::{self, Change, NotDone, Replay, Wish};
use crate::engine::webhooks::message;
use crate::fault::Fault;
use crate::store::webhooks::{Attempt, Filter, Health};
use crate::store::{events, webhooks};

const PAGE: i64 = 25;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An endpoint with what is known of it.
struct Shown {
    endpoint: Endpoint,
    health: Health,
    counts: Vec<(String, i64)>,
}

impl Shown {
    fn load(tx: &mut Tx<'_>, endpoint: Endpoint) -> Result<Self, Fault> {
        Ok(Self {
            health: webhooks::health(tx, &endpoint.id)?,
            counts: webhooks::count_by_stage(tx, &endpoint.id)?,
            endpoint,
        })
    }

    fn count(&self, stage: Stage) -> i64 {
        let found = self.counts.iter().find(|(name, _)| name == stage.name());
        found.map_or(0, |(_, count)| *count)
    }
}

/// What a form carries.
#[derive(Debug, Default)]
struct Fields {
    csrf: String,
    key: String,
    url: String,
    description: String,
    events: String,
    days: i64,
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.trim();
            match name.as_ref() {
                "csrf" => value.clone_into(&mut fields.csrf),
                "key" => value.clone_into(&mut fields.key),
                "url" => value.clone_into(&mut fields.url),
                "description" => value.clone_into(&mut fields.description),
                "events" => value.clone_into(&mut fields.events),
                "days" => fields.days = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        fields
    }

    fn wish(&self) -> Wish {
        let events = self.events.split([',', ' ', '\n', '\r']).filter(|part| !part.is_empty());
        Wish {
            url: Some(self.url.clone()),
            description: Some(self.description.clone()),
            events: Some(events.map(ToOwned::to_owned).collect()),
        }
    }
}

fn problem(not_done: NotDone) -> Notice {
    let problem = Problem::from(not_done);
    Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: problem.detail,
        remedy: problem.remedy,
        correlation_id: None,
    }
}

pub(super) async fn page(State(app): State<App>, person: Person) -> Response {
    list(&app, &person, StatusCode::OK, None, &Fields::default()).await
}

async fn list(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
    fields: &Fields,
) -> Response {
    let store_id = person.store_id.clone();
    let found = app
        .database()
        .read_long(move |tx| {
            let mut shown = Vec::new();
            for endpoint in webhooks::endpoints(tx, &store_id)? {
                shown.push(Shown::load(tx, endpoint)?);
            }
            Ok::<_, Fault>(shown)
        })
        .await;
    match found {
        Ok(found) => {
            let key = app.engine().fresh_id("form");
            let content = html! {
                div.head { h1 { "Webhooks" } }
                (said(notice.as_ref()))
                p.muted { "Your shop is told of every event: signed, in order for each payment, and again for three days if it does not answer." }
                @for each in &found { (card(each)) }
                @if person.may(Permission::Administer) { (add(person, fields, &key, found.is_empty())) }
            };
            (status, layout::page("Webhooks", Some(person), &content)).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn chip(shown: &Shown) -> Markup {
    let endpoint = &shown.endpoint;
    html! {
        @match (endpoint.standing, endpoint.why) {
            (Standing::Disabled, Some(why)) if why.needs_attention() => span.chip.rejected { "Disabled" },
            (Standing::Disabled, _) => span.chip { "Disabled" },
            (Standing::Enabled, _) if shown.health.failing_since_ms.is_some() => span.chip.pending { "Failing" },
            (Standing::Enabled, _) => span.chip.captured { "Enabled" },
        }
    }
}

fn card(shown: &Shown) -> Markup {
    let endpoint = &shown.endpoint;
    html! {
        section.card {
            div.head {
                h2 { a href={ "/dashboard/webhooks/" (endpoint.id) } { (endpoint.url) } }
                (chip(shown))
            }
            @if !endpoint.description.is_empty() { p { (endpoint.description) } }
            p.small.muted {
                @if endpoint.events.is_empty() { "All events" } @else { (endpoint.events.join(", ")) }
                " · " (shown.count(Stage::Delivered)) " delivered"
                " · " (shown.count(Stage::Pending)) " on the way"
                " · " (shown.count(Stage::Dead)) " given up"
            }
        }
    }
}

fn events_hint() -> Markup {
    html! { span.muted { "all if empty; such as payment.*, checkout.completed" } }
}

fn add(person: &Person, fields: &Fields, key: &str, first: bool) -> Markup {
    html! {
        section.card {
            details.action open[first || !fields.url.is_empty()] {
                summary { "Add an endpoint" }
                form method="post" action="/dashboard/webhooks" {
                    (hidden(person, key))
                    label for="url" { "URL" }
                    input #url name="url" type="url" required maxlength="2048" autocomplete="off"
                        placeholder="https://shop.example/webhooks" value=(fields.url);
                    label for="events" { "Events " (events_hint()) }
                    input #events name="events" autocomplete="off" spellcheck="false" value=(fields.events);
                    label for="description" { "Description " span.muted { "optional" } }
                    input #description name="description" autocomplete="off" maxlength=(LONGEST_DESCRIPTION) value=(fields.description);
                    button.primary type="submit" { "Add endpoint" }
                }
            }
        }
    }
}

fn hidden(person: &Person, key: &str) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(person.csrf_token);
        input type="hidden" name="key" value=(key);
    }
}

pub(super) async fn create(State(app): State<App>, person: Person, body: Bytes) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) {
        return sign_in::refused(&person);
    }
    let wish = match fields.wish().checked(app.courier().targets()) {
        Ok(wish) => wish,
        Err(not_done) => {
            let notice = problem(not_done);
            return list(&app, &person, StatusCode::UNPROCESSABLE_ENTITY, Some(notice), &fields)
                .await;
        }
    };
    let secret = match command::fresh_secret(app.engine()) {
        Ok(secret) => secret,
        Err(fault) => return layout::failed(&fault),
    };
    let endpoint = command::made(app.engine(), &person.store_id, wish, &secret);
    let request = asked(&person, &fields, "webhooks");
    let made = once(&app, request, move |tx| {
        Ok(command::create(tx, &endpoint)?.map(|()| (endpoint.id.clone(), endpoint.id.clone())))
    })
    .await;
    match made {
        // Pressed twice: the page that shows the secret is the first one's.
        Ok(Once::Before(id)) => Redirect::to(&format!("/dashboard/webhooks/{id}")).into_response(),
        Ok(Once::Now(id)) => {
            let notice = Notice::Good("The endpoint is made.".to_owned());
            let extra =
                Extra { notice: Some(notice), secret: Some(secret.secret.expose().to_owned()) };
            show(&app, &person, &id, &ListQuery::default(), StatusCode::OK, extra).await
        }
        Err(problem) => {
            let notice = refused(problem);
            list(&app, &person, StatusCode::CONFLICT, Some(notice), &fields).await
        }
    }
}

fn refused(problem: Problem) -> Notice {
    Notice::Bad {
        title: "Nothing was changed".to_owned(),
        detail: problem.detail,
        remedy: problem.remedy,
        correlation_id: None,
    }
}

fn asked<'a>(person: &'a Person, fields: &Fields, path: &'a str) -> Request<'a> {
    let key = Some(fields.key.clone()).filter(|key| !key.is_empty());
    // The key is of this form alone: it stands for itself.
    Request { store_id: &person.store_id, key, path, body: b"" }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
    /// What was just done.
    #[serde(default)]
    done: Option<String>,
}

/// What stands on top of an endpoint's page.
#[derive(Default)]
struct Extra {
    notice: Option<Notice>,
    secret: Option<String>,
}

pub(super) async fn endpoint(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let notice = query.done.as_deref().map(|done| {
        Notice::Good(match done {
            "test" => "A test message is on its way.".to_owned(),
            "replay" => "They are on their way again.".to_owned(),
            _ => "Saved.".to_owned(),
        })
    });
    let extra = Extra { notice, secret: None };
    show(&app, &person, &id, &query, StatusCode::OK, extra).await
}

async fn show(
    app: &App,
    person: &Person,
    id: &str,
    query: &ListQuery,
    status: StatusCode,
    extra: Extra,
) -> Response {
    let stage = query.status.as_deref().and_then(Stage::from_name);
    let filter = Filter {
        endpoint_id: Some(id.to_owned()),
        stage,
        before: query.cursor.as_deref().and_then(read_cursor),
        ..Filter::default()
    };
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    let found = app
        .database()
        .read_long(move |tx| {
            let Some(endpoint) = webhooks::endpoint_in(tx, &store_id, &wanted)? else {
                return Ok(None);
            };
            let deliveries = webhooks::list(tx, &store_id, &filter, PAGE + 1)?;
            Ok::<_, Fault>(Some((Shown::load(tx, endpoint)?, deliveries)))
        })
        .await;
    match found {
        Ok(Some((shown, deliveries))) => {
            let keys = std::array::from_fn(|_| app.engine().fresh_id("form"));
            let content = view(&shown, &deliveries, stage, person, &extra, &keys);
            (status, layout::page("Webhook endpoint", Some(person), &content)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(person),
            "No such endpoint",
            "There is no webhook endpoint at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn view(
    shown: &Shown,
    deliveries: &[Delivery],
    stage: Option<Stage>,
    person: &Person,
    extra: &Extra,
    keys: &[String; 6],
) -> Markup {
    let endpoint = &shown.endpoint;
    html! {
        nav.crumbs aria-label="Breadcrumb" { a href="/dashboard/webhooks" { "Webhooks" } span { (endpoint.url) } }
        div.head {
            div {
                h1 { (endpoint.url) }
                p.chips { (chip(shown)) }
            }
        }
        (said(extra.notice.as_ref()))
        @if let Some(secret) = &extra.secret {
            div.notice.waiting {
                p { strong { "The secret, shown this once" } }
                p { code { (secret) } }
                p.small { "Your shop checks each message's " code { "webhook-signature" } " with it, as Standard Webhooks says. Keep it safe; if it is lost, exchange it." }
            }
        }
        (trouble(endpoint))
        div.columns {
            div { (log(shown, deliveries, stage)) }
            aside {
                @if person.may(Permission::Administer) { (actions(shown, person, keys)) }
                (facts(shown))
            }
        }
    }
}

fn trouble(endpoint: &Endpoint) -> Markup {
    html! {
        @match endpoint.why {
            Some(Why::Failing) => div.notice.bad {
                p { strong { "Disabled: nothing arrived for three days." } }
                p { "Mend the receiver, enable the endpoint, then send what was given up again." }
            },
            Some(Why::Gone) => div.notice.bad {
                p { strong { "Disabled: it answered 410 Gone." } }
                p { "Enable it if that was a mistake, or delete it." }
            },
            Some(Why::Asked) | None => {},
        }
    }
}

fn log(shown: &Shown, deliveries: &[Delivery], stage: Option<Stage>) -> Markup {
    let id = &shown.endpoint.id;
    let at = |stage: Option<Stage>, cursor: Option<&str>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(stage) = stage {
            query.append_pair("status", stage.name());
        }
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
        format!("/dashboard/webhooks/{id}?{}", query.finish())
    };
    let page = deliveries.get(..usize::try_from(PAGE).unwrap_or_default()).unwrap_or(deliveries);
    let next = page
        .last()
        .filter(|_| deliveries.len() > page.len())
        .map(|last| cursor_of(last.created_at_ms, &last.id));
    html! {
        nav.filters aria-label="Filter by status" {
            a href=(at(None, None)) aria-current=[stage.is_none().then_some("true")] { "All" }
            @for each in Stage::ALL {
                a href=(at(Some(each), None)) aria-current=[(stage == Some(each)).then_some("true")] {
                    (words(each)) " " span.count { (shown.count(each)) }
                }
            }
        }
        @if page.is_empty() {
            section.card.empty { h2 { "No messages" } p.muted { "As soon as something happens, it stands here." } }
        } @else {
            ul.payments {
                @for delivery in page {
                    li {
                        a.row href={ "/dashboard/deliveries/" (delivery.id) } {
                            span.who { strong { (delivery.kind) } span.muted { (delivery.subject_id) } }
                            span.when.muted { (format::moment(delivery.created_at_ms)) }
                            span.what { (stage_chip(delivery.stage)) }
                            span.much { @if let Some(status) = delivery.status { (status) } }
                        }
                    }
                }
            }
            @if let Some(cursor) = next { p.more { a.button href=(at(stage, Some(&cursor))) { "Older messages" } } }
        }
    }
}

fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::Pending => "On the way",
        Stage::Delivered => "Delivered",
        Stage::Dead => "Given up",
    }
}

fn stage_chip(stage: Stage) -> Markup {
    let class = match stage {
        Stage::Pending => "pending",
        Stage::Delivered => "captured",
        Stage::Dead => "rejected",
    };
    html! { span class={ "chip " (class) } { (words(stage)) } }
}

fn actions(shown: &Shown, person: &Person, keys: &[String; 6]) -> Markup {
    let endpoint = &shown.endpoint;
    let [test, replay, edit, rotate, standing, delete] = keys;
    let at = |action: &str| format!("/dashboard/webhooks/{}/{action}", endpoint.id);
    let enabled = endpoint.standing == Standing::Enabled;
    html! {
        section.card.actions {
            h2 { "Actions" }
            @if enabled {
                details.action open {
                    summary { "Send a test message" }
                    form method="post" action=(at("test")) data-busy {
                        (hidden(person, test))
                        button type="submit" { "Send test" }
                    }
                }
                details.action open[shown.count(Stage::Dead) > 0] {
                    summary { "Send messages again" }
                    @if shown.count(Stage::Dead) > 0 {
                        form method="post" action=(at("replay")) data-busy {
                            (hidden(person, replay))
                            button.primary type="submit" { "Send what was given up (" (shown.count(Stage::Dead)) ")" }
                        }
                    }
                    form method="post" action=(at("replay-range")) data-busy {
                        (hidden(person, replay))
                        label for="days" { "Everything of the last days" }
                        input #days name="days" type="number" min="1" max="90" value="1" inputmode="numeric" required;
                        button type="submit" { "Send again" }
                    }
                }
            }
            details.action {
                summary { "Change" }
                form method="post" action=(at("edit")) {
                    (hidden(person, edit))
                    label for="url" { "URL" }
                    input #url name="url" type="url" required maxlength="2048" value=(endpoint.url) autocomplete="off";
                    label for="events" { "Events " (events_hint()) }
                    input #events name="events" value=(endpoint.events.join(", ")) autocomplete="off" spellcheck="false";
                    label for="description" { "Description" }
                    input #description name="description" value=(endpoint.description) maxlength=(LONGEST_DESCRIPTION) autocomplete="off";
                    button type="submit" { "Save" }
                }
            }
            details.action {
                summary { "Exchange the secret" }
                form method="post" action=(at("rotate")) data-confirm="Make a new secret?" {
                    (hidden(person, rotate))
                    p.muted { "The new secret is shown once. For 24 hours messages are signed with both." }
                    button type="submit" { "Make a new secret" }
                }
            }
            details.action open[!enabled] {
                summary { @if enabled { "Disable" } @else { "Enable" } }
                @if enabled {
                    form method="post" action=(at("disable")) data-confirm="Disable this endpoint?" {
                        (hidden(person, standing))
                        p.muted { "What is on its way is given up, and what happens meanwhile is not kept for it. Both can be sent later." }
                        button.danger type="submit" { "Disable" }
                    }
                } @else {
                    form method="post" action=(at("enable")) data-busy {
                        (hidden(person, standing))
                        button.primary type="submit" { "Enable" }
                    }
                }
            }
            details.action {
                summary { "Delete" }
                form method="post" action=(at("delete")) data-confirm="Delete this endpoint and its log?" {
                    (hidden(person, delete))
                    p.muted { "The log goes with it. This cannot be undone." }
                    button.danger type="submit" { "Delete" }
                }
            }
        }
    }
}

fn facts(shown: &Shown) -> Markup {
    let Shown { endpoint, health, .. } = shown;
    html! {
        section.card {
            h2 { "Details" }
            dl.facts {
                dt { "Events" } dd { @if endpoint.events.is_empty() { "All" } @else { (endpoint.events.join(", ")) } }
                @if !endpoint.description.is_empty() { dt { "Description" } dd { (endpoint.description) } }
                @if let Some(at_ms) = health.last_success_at_ms { dt { "Last arrival" } dd { (format::moment(at_ms)) } }
                @if let Some(at_ms) = health.failing_since_ms { dt { "Failing since" } dd { (format::moment(at_ms)) } }
                @if !health.last_outcome.is_empty() { dt { "Last attempt" } dd { (health.last_outcome) } }
                @for secret in &endpoint.secrets {
                    dt { "Secret" }
                    dd {
                        "since " (format::moment(secret.created_at_ms))
                        @if let Some(at_ms) = secret.expires_at_ms { ", until " (format::moment(at_ms)) }
                    }
                }
                dt { "Made" } dd { (format::moment(endpoint.created_at_ms)) }
                dt { "Endpoint" } dd { code { (endpoint.id) } }
            }
        }
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) {
        return sign_in::refused(&person);
    }
    let now_ms = app.engine().now_ms();
    let here = format!("/dashboard/webhooks/{id}");
    let change = match action.as_str() {
        "edit" => match fields.wish().checked(app.courier().targets()) {
            Ok(wish) => Change::Edit(wish),
            Err(not_done) => return unchanged(&app, &person, &id, problem(not_done)).await,
        },
        "enable" => Change::Enable,
        "disable" => Change::Disable,
        "rotate" => return rotate(&app, &person, &id, &fields).await,
        "test" => {
            let subject_id = app.engine().fresh_id("tst");
            let (store_id, wanted) = (person.store_id.clone(), id.clone());
            let sent = once(&app, asked(&person, &fields, &here), move |tx| {
                let sent = command::test(tx, &store_id, &wanted, &subject_id, now_ms)?;
                Ok(sent.map(|delivery| ((), delivery.id)))
            });
            return match sent.await {
                Ok(_) => {
                    app.courier().wake();
                    Redirect::to(&format!("{here}?done=test")).into_response()
                }
                Err(problem) => unchanged(&app, &person, &id, refused(problem)).await,
            };
        }
        "replay" => return replay(&app, &person, &id, Replay::Dead, now_ms).await,
        "replay-range" => {
            let range = Replay::Range {
                from_ms: now_ms - fields.days.clamp(1, 90) * DAY_MS,
                until_ms: now_ms + 1,
                after: None,
            };
            return replay(&app, &person, &id, range, now_ms).await;
        }
        "delete" => {
            let (store_id, wanted) = (person.store_id.clone(), id.clone());
            let gone =
                app.database().write(move |tx| command::delete(tx, &store_id, &wanted)).await;
            return match gone {
                Ok(_) => Redirect::to("/dashboard/webhooks").into_response(),
                Err(fault) => layout::failed(&fault),
            };
        }
        _ => {
            let (title, detail) = ("No such action", "Nothing was done.");
            return layout::message(StatusCode::NOT_FOUND, Some(&person), title, detail);
        }
    };
    let (store_id, wanted) = (person.store_id.clone(), id.clone());
    let changed = once(&app, asked(&person, &fields, &here), move |tx| {
        let changed = command::change(tx, &store_id, &wanted, &change, now_ms)?;
        Ok(changed.map(|endpoint| ((), endpoint.id)))
    });
    match changed.await {
        Ok(_) => Redirect::to(&format!("{here}?done=saved")).into_response(),
        Err(problem) => unchanged(&app, &person, &id, refused(problem)).await,
    }
}

async fn unchanged(app: &App, person: &Person, id: &str, notice: Notice) -> Response {
    let extra = Extra { notice: Some(notice), secret: None };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    show(app, person, id, &ListQuery::default(), status, extra).await
}

async fn rotate(app: &App, person: &Person, id: &str, fields: &Fields) -> Response {
    let secret = match command::fresh_secret(app.engine()) {
        Ok(secret) => secret,
        Err(fault) => return layout::failed(&fault),
    };
    let change = Change::Rotate { sealed: secret.sealed.clone(), overlap_ms: OVERLAP_MS };
    let now_ms = app.engine().now_ms();
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    let here = format!("/dashboard/webhooks/{id}/rotate");
    let rotated = once(app, asked(person, fields, &here), move |tx| {
        let changed = command::change(tx, &store_id, &wanted, &change, now_ms)?;
        Ok(changed.map(|endpoint| ((), endpoint.id)))
    });
    match rotated.await {
        Ok(Once::Before(_)) => Redirect::to(&format!("/dashboard/webhooks/{id}")).into_response(),
        Ok(Once::Now(())) => {
            let notice = Notice::Good("There is a new secret.".to_owned());
            let secret = Some(secret.secret.expose().to_owned());
            let extra = Extra { notice: Some(notice), secret };
            show(app, person, id, &ListQuery::default(), StatusCode::OK, extra).await
        }
        Err(problem) => unchanged(app, person, id, refused(problem)).await,
    }
}

/// Has everything sent again that is meant, one unit of work after the other.
async fn replay(app: &App, person: &Person, id: &str, mut what: Replay, now_ms: i64) -> Response {
    loop {
        let (store_id, wanted, now) = (person.store_id.clone(), id.to_owned(), what.clone());
        let replayed = app
            .database()
            .write(move |tx| command::replay(tx, &store_id, &wanted, &now, now_ms))
            .await;
        let next = match replayed {
            Ok(Ok(replayed)) => replayed.next,
            Ok(Err(not_done)) => return unchanged(app, person, id, problem(not_done)).await,
            Err(fault) => return layout::failed(&fault),
        };
        match (next, &mut what) {
            (Some(_), Replay::Dead) => {}
            (Some(next), Replay::Range { after, .. }) => *after = Some(next),
            (None, _) => break,
        }
    }
    app.courier().wake();
    Redirect::to(&format!("/dashboard/webhooks/{id}?done=replay")).into_response()
}

pub(super) async fn delivery(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let notice = query.done.is_some().then(|| {
        Notice::Waiting("It is on its way again; this page shows what came of it.".to_owned())
    });
    delivery_page(&app, &person, &id, StatusCode::OK, notice).await
}

async fn delivery_page(
    app: &App,
    person: &Person,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Response {
    let (store_id, wanted) = (person.store_id.clone(), id.to_owned());
    let found = app
        .database()
        .read_long(move |tx| {
            let Some(delivery) = webhooks::delivery_in(tx, &store_id, &wanted)? else {
                return Ok(None);
            };
            let endpoint = webhooks::endpoint_in(tx, &store_id, &delivery.endpoint_id)?;
            let event = events::get_in(tx, &store_id, &delivery.event_id)?;
            let body = event.as_ref().map(|event| message(event).body());
            let attempts = webhooks::attempts(tx, &wanted)?;
            Ok::<_, Fault>(Some((delivery, endpoint, body, attempts)))
        })
        .await;
    match found {
        Ok(Some((delivery, endpoint, body, attempts))) => {
            let key = app.engine().fresh_id("form");
            let content = html! {
                nav.crumbs aria-label="Breadcrumb" {
                    a href="/dashboard/webhooks" { "Webhooks" }
                    @if let Some(endpoint) = &endpoint { a href={ "/dashboard/webhooks/" (endpoint.id) } { (endpoint.url) } }
                    span { (delivery.kind) }
                }
                div.head { div { h1 { (delivery.kind) } p.chips { (stage_chip(delivery.stage)) } } }
                (said(notice.as_ref()))
                (one(&delivery, body.as_deref(), &attempts, person, &key))
            };
            (status, layout::page(&delivery.kind, Some(person), &content)).into_response()
        }
        Ok(None) => layout::message(
            StatusCode::NOT_FOUND,
            Some(person),
            "No such message",
            "There is no webhook message at this address.",
        ),
        Err(fault) => layout::failed(&fault),
    }
}

fn one(
    delivery: &Delivery,
    body: Option<&str>,
    attempts: &[Attempt],
    person: &Person,
    key: &str,
) -> Markup {
    let pretty = body.map(|body| {
        serde_json::from_str::<serde_json::Value>(body)
            .map_or_else(|_| body.to_owned(), |value| super::payment::pretty(&value))
    });
    html! {
        div.columns {
            div {
                section.card {
                    h2 { "Attempts" }
                    @if attempts.is_empty() { p.muted { "None yet." } }
                    ol.timeline {
                        @for attempt in attempts.iter().rev() {
                            li.call {
                                p { "Attempt " (attempt.number) ": " (attempt.outcome) }
                                p.small.muted { (format::moment(attempt.at_ms)) " · " (attempt.duration_ms) " ms" }
                                @if !attempt.answer.is_empty() {
                                    details { summary { "Beginning of the answer" } pre tabindex="0" { (attempt.answer) } }
                                }
                            }
                        }
                    }
                }
                section.card {
                    h2 { "Message" }
                    @match pretty {
                        Some(text) => pre tabindex="0" aria-label="Body" { (text) },
                        None => p.muted { "The event was erased." },
                    }
                }
            }
            aside {
                @if person.may(Permission::Administer) {
                    section.card.actions {
                        h2 { "Actions" }
                        form method="post" action={ "/dashboard/deliveries/" (delivery.id) "/replay" } data-busy {
                            (hidden(person, key))
                            button type="submit" { "Send again" }
                        }
                    }
                }
                section.card {
                    h2 { "Details" }
                    dl.facts {
                        @if delivery.stage == Stage::Pending { dt { "Next attempt" } dd { (format::moment(delivery.next_at_ms)) } }
                        @if !delivery.outcome.is_empty() { dt { "Last attempt" } dd { (delivery.outcome) } }
                        dt { "Happened" } dd { (format::moment(delivery.created_at_ms)) }
                        dt { "Subject" } dd { code { (delivery.subject_id) } }
                        dt { "webhook-id" } dd { code { (delivery.event_id) } }
                        dt { "Delivery" } dd { code { (delivery.id) } }
                    }
                }
            }
        }
    }
}

pub(super) async fn resend(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    if !sign_in::is_right(&fields.csrf, &person) {
        return sign_in::refused(&person);
    }
    let now_ms = app.engine().now_ms();
    let (store_id, wanted) = (person.store_id.clone(), id.clone());
    let here = format!("/dashboard/deliveries/{id}/replay");
    let sent = once(&app, asked(&person, &fields, &here), move |tx| {
        let sent = command::replay_one(tx, &store_id, &wanted, now_ms)?;
        Ok(sent.map(|delivery| ((), delivery.id)))
    });
    match sent.await {
        Ok(_) => {
            app.courier().wake();
            Redirect::to(&format!("/dashboard/deliveries/{id}?done=replay")).into_response()
        }
        Err(problem) => {
            let status = problem.status();
            delivery_page(&app, &person, &id, status, Some(refused(problem))).await
        }
    }
}

/// What a person has to look after, for the page of all that.
pub(super) fn needing_attention(endpoints: &[Endpoint]) -> Markup {
    html! {
        @for endpoint in endpoints {
            article.card.attention {
                div.head { h2 { "Webhook endpoint disabled" } }
                div.notice.bad {
                    p {
                        @match endpoint.why {
                            Some(Why::Gone) => { (endpoint.url) " answered that nobody lives there any more (410)." },
                            Some(Why::Failing | Why::Asked) | None => { "Nothing arrived at " (endpoint.url) " for three days: your shop does not hear of its payments." },
                        }
                    }
                    p { strong { "What to do: " } "mend the receiver, enable the endpoint, then send what was given up again." }
                }
                p { a.button href={ "/dashboard/webhooks/" (endpoint.id) } { "Open the endpoint" } }
            }
        }
    }
}
