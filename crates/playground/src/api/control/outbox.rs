//! The messages that would have been sent to shoppers, for programs and, as a page, for people.

#![allow(unused_qualifications, reason = "written by the macro that describes the parameters")]

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use klarna_types::MerchantId;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::control::operator::Operator;
use crate::api::control::query;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::outbox::{Channel, Language};
use crate::store::outbox::{self, Kept};
use crate::web::qr;

const DEFAULT_LIMIT: i64 = 100;
const GREATEST_LIMIT: i64 = 1_000;

/// Which messages are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// At most so many; 100 unless given, 1000 at most.
    limit: Option<u16>,
    /// Only messages to this e-mail address, phone number or access id.
    to: Option<String>,
    /// Only messages for this merchant.
    merchant_id: Option<String>,
    /// Only messages about this hosted or payment session.
    subject: Option<String>,
}

/// The outbox.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutboxView {
    /// Newest first.
    messages: Vec<MessageView>,
}

/// One message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageView {
    /// Its id.
    message_id: String,
    /// When, on the playground's clock.
    sent_at: String,
    /// For which merchant.
    merchant_id: String,
    /// `email`, `sms` or `token`.
    channel: &'static str,
    /// E-mail address, phone number or access id.
    to: String,
    /// The locale it is written for.
    locale: String,
    /// Its subject.
    subject: String,
    /// Its text, without the link.
    text: String,
    /// Where it leads.
    link: String,
    /// The hosted or payment session it is about.
    subject_id: String,
}

impl MessageView {
    fn new(kept: Kept) -> Self {
        let Kept { message_id, sent_at_ms, message } = kept;
        Self {
            message_id,
            sent_at: instant(sent_at_ms),
            merchant_id: message.merchant_id.into_string(),
            channel: message.channel.as_str(),
            to: message.to,
            locale: message.locale.as_str().to_owned(),
            subject: message.subject,
            text: message.text,
            link: message.link,
            subject_id: message.subject_id,
        }
    }
}

fn instant(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map(|at| format!("{at:.3}")).unwrap_or_default()
}

/// `GET /playground/v1/outbox`.
#[utoipa::path(
    get,
    path = "/playground/v1/outbox",
    params(Wanted),
    responses(
        (status = 200, description = "Messages to shoppers", body = OutboxView),
        (status = 400, description = "A parameter is not acceptable"),
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Answer, ApiError> {
    let messages = find(&app, wanted).await?.into_iter().map(MessageView::new).collect();
    Answer::ok(&OutboxView { messages })
}

async fn find(
    app: &App,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Vec<Kept>, ApiError> {
    let wanted = query::wanted(wanted)?;
    let limit = wanted.limit.map_or(DEFAULT_LIMIT, i64::from).min(GREATEST_LIMIT);
    let wanted = outbox::Wanted {
        to: wanted.to,
        merchant_id: wanted.merchant_id.map(MerchantId::new),
        subject_id: wanted.subject,
    };
    Ok(app.db().read(move |tx| outbox::list(tx, &wanted, limit)).await?)
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
* { box-sizing: border-box }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.6rem } h2 { font-size: 1.1rem; margin: 0 0 .25rem }
.badge { background: #ffd166; color: #222; border-radius: .3rem; padding: .1rem .5rem; font-size: .8rem }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 1rem 0 1.5rem }
label { flex: 1 12rem; display: grid; gap: .2rem; font-size: .875rem }
input, button { font: inherit; min-height: 2.75rem; padding: .3rem .7rem; border: 1px solid #8888; border-radius: .4rem; min-width: 0 }
article { display: grid; grid-template-columns: 1fr 9rem; gap: 1rem; border: 1px solid #8886; border-radius: .6rem; padding: 1rem; margin: 0 0 1rem }
.about { color: #5f5f5f; font-size: .875rem; margin: 0 } article p { margin: .5rem 0 }
article svg { width: 100%; border-radius: .3rem; display: block }
article a { display: inline-block; padding: .5rem 0 }
@media (max-width: 30rem) { article { grid-template-columns: 1fr } article svg { max-width: 9rem } }
@media (prefers-color-scheme: dark) { .about { color: #b4b4b4 } }
";

/// `GET /playground/outbox`: the same for people, each link with its QR image.
pub(super) async fn page(
    State(app): State<App>,
    _: Operator,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Markup, ApiError> {
    let to = wanted.as_ref().ok().and_then(|wanted| wanted.to.clone()).unwrap_or_default();
    // An empty field of the form asks for nothing.
    let wanted = wanted
        .map(|Query(wanted)| Query(Wanted { to: wanted.to.filter(|to| !to.is_empty()), ..wanted }));
    let messages = find(&app, wanted).await?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="referrer" content="no-referrer";
                title { "Outbox · Kassa playground" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Outbox " span.badge { "test, nothing is sent" } }
                p { "What shoppers would have received, newest first." }
                form method="get" {
                    label { "To" input name="to" value=(to) autocomplete="off"; }
                    button type="submit" { "Show" }
                }
                @if messages.is_empty() {
                    p id="empty" { "There are no messages." }
                }
                @for kept in &messages {
                    (article(kept))
                }
            }
        }
    })
}

fn article(kept: &Kept) -> Markup {
    let message = &kept.message;
    let channel = match message.channel {
        Channel::Email => "E-mail",
        Channel::Sms => "SMS",
        Channel::Token => "App",
    };
    html! {
        article id=(kept.message_id) {
            div {
                p.about {
                    (channel) " to " strong.to { (message.to) } " · " (instant(kept.sent_at_ms))
                    " · merchant " (message.merchant_id)
                }
                div lang=(Language::of(&message.locale).tag()) {
                    h2 { (message.subject) }
                    p.text { (message.text) }
                }
                a.link href=(message.link) { (message.link) }
            }
            @if let Ok(image) = qr::svg(&message.link) {
                div role="img" aria-label="QR code of the link" { (PreEscaped(image)) }
            }
        }
    }
}
