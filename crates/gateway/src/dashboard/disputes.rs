//! The disputes of a store: what must be answered first, then all of them.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Person, format, layout};
use crate::api::payments::list::{cursor_of, read_cursor};
use crate::app::App;
use crate::domain::dispute::{Dispute, Outcome};
use crate::fault::Fault;
use crate::store::disputes::{self, Filter};

const PAGE: i64 = 25;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A deadline that is so near is shown as pressing.
const NEAR_MS: i64 = 3 * DAY_MS;

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    show: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

/// Which disputes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Open,
    Closed,
    All,
}

impl Show {
    const EVERY: [Self; 3] = [Self::Open, Self::Closed, Self::All];

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }

    fn is_open(self) -> Option<bool> {
        match self {
            Self::Open => Some(true),
            Self::Closed => Some(false),
            Self::All => None,
        }
    }
}

pub(super) async fn page(
    State(app): State<App>,
    person: Person,
    Query(query): Query<ListQuery>,
) -> Response {
    let wanted = query.show.as_deref();
    let show =
        Show::EVERY.into_iter().find(|show| Some(show.name()) == wanted).unwrap_or(Show::Open);
    let filter = Filter {
        open: show.is_open(),
        before: query.cursor.as_deref().and_then(read_cursor),
        ..Filter::default()
    };
    let store_id = person.store_id.clone();
    let found = app.database().read_long(move |tx| {
        let mut found = disputes::list(tx, &store_id, &filter, PAGE + 1)?;
        let more = found.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
        if more {
            found.pop();
        }
        // The next deadline first, on the page that people begin with.
        let pressing = if show == Show::Open && filter.before.is_none() {
            disputes::waiting(tx, &store_id, PAGE)?
        } else {
            Vec::new()
        };
        Ok::<_, Fault>((found, more, pressing))
    });
    match found.await {
        Ok((found, more, pressing)) => {
            let content = view(show, &found, more, &pressing, app.engine().now_ms());
            layout::page("Disputes", Some(&person), &content).into_response()
        }
        Err(fault) => layout::failed(&fault),
    }
}

fn view(show: Show, found: &[Dispute], more: bool, pressing: &[Dispute], now_ms: i64) -> Markup {
    let next = found.last().filter(|_| more);
    let rest = found.iter().filter(|each| pressing.iter().all(|other| other.id != each.id));
    let rest: Vec<_> = rest.collect();
    html! {
        div.head { h1 { "Disputes" } }
        nav.filters aria-label="Which disputes" {
            @for each in Show::EVERY {
                a href={ "/dashboard/disputes?show=" (each.name()) }
                    aria-current=[(each == show).then_some("true")] { (format::words(each.name())) }
            }
        }
        @if found.is_empty() && pressing.is_empty() {
            section.card.empty {
                @match show {
                    Show::Open | Show::All => {
                        h2 { "No dispute is open" }
                        p.muted { "A shopper who got the wrong thing, or nothing, may dispute the payment at Klarna. It then stands here within ten minutes, with the time until which to answer." }
                        p.muted { "Most disputes never come about where parcels have tracking numbers and refunds are made within days." }
                    }
                    Show::Closed => { h2 { "No dispute was closed" } }
                }
            }
        }
        @if !pressing.is_empty() {
            h2 { "To be answered" }
            ul.payments.disputes { @for each in pressing { (row(each, now_ms)) } }
            p.small.muted { "Answer in Klarna's merchant portal. What is not answered in time is lost." }
        }
        @if !rest.is_empty() {
            @if !pressing.is_empty() { h2 { "Klarna is looking at" } }
            ul.payments.disputes { @for each in rest { (row(each, now_ms)) } }
        }
        @if let Some(last) = next {
            p.more {
                a.button href={ "/dashboard/disputes?show=" (show.name()) "&cursor=" (cursor_of(last.facts.opened_at_ms, &last.id)) } { "Older disputes" }
            }
        }
    }
}

/// `in 5 days`, `in 7 hours`, `is over`.
fn left(deadline_ms: i64, now_ms: i64) -> String {
    let left_ms = deadline_ms - now_ms;
    let say =
        |count: i64, one: &str| format!("in {count} {one}{}", if count == 1 { "" } else { "s" });
    match left_ms {
        ..=0 => "is over".to_owned(),
        1..DAY_MS => say(left_ms / (60 * 60 * 1000) + 1, "hour"),
        _ => say(left_ms / DAY_MS, "day"),
    }
}

fn reason(dispute: &Dispute) -> String {
    format::words(&dispute.facts.reason)
}

fn much(dispute: &Dispute) -> Option<String> {
    let facts = &dispute.facts;
    facts
        .amount
        .zip(facts.currency.as_ref())
        .map(|(amount, currency)| format::money(amount, currency))
}

/// What is to be done about a dispute and until when, as a link to where it is shown.
pub(super) fn pressing(dispute: &Dispute, now_ms: i64) -> Markup {
    html! {
        a href="/dashboard/disputes" {
            "Dispute" @if let Some(much) = much(dispute) { " over " (much) }
            ": " (dispute.facts.standing.asks_for().unwrap_or("See what Klarna asks for"))
        }
        " " (deadline(dispute, now_ms))
    }
}

/// The deadline, if there is one, with the time that is left.
pub(super) fn deadline(dispute: &Dispute, now_ms: i64) -> Markup {
    html! {
        @if let Some(at_ms) = dispute.facts.deadline_ms {
            span class=(if at_ms - now_ms < NEAR_MS { "chip rejected" } else { "chip pending" }) {
                "Deadline " (left(at_ms, now_ms))
            }
        }
    }
}

/// Where it stands, as a word of its own.
pub(super) fn chip(dispute: &Dispute) -> Markup {
    let facts = &dispute.facts;
    html! {
        @match facts.outcome {
            Some(Outcome::Won) => span.chip.captured { "Won" },
            Some(Outcome::Lost) => span.chip.rejected { "Lost" },
            None => span.chip { (format::words(facts.standing.name())) },
        }
    }
}

fn row(dispute: &Dispute, now_ms: i64) -> Markup {
    let facts = &dispute.facts;
    let content = html! {
        span.who {
            strong { (reason(dispute)) }
            span.muted {
                "Raised " (format::moment(facts.opened_at_ms))
                @if let Some(detail) = &facts.outcome_detail { " · " (format::words(detail)) }
            }
        }
        span.when.muted {
            @if let Some(at_ms) = facts.deadline_ms { "until " (format::moment(at_ms)) }
            @else if let Some(at_ms) = facts.closed_at_ms { "closed " (format::moment(at_ms)) }
        }
        span.what { (chip(dispute)) " " (deadline(dispute, now_ms)) }
        span.much { (much(dispute).unwrap_or_default()) }
    };
    html! {
        li id=(dispute.id) {
            @if let Some(id) = &dispute.payment_id {
                a.row href={ "/dashboard/payments/" (id) } { (content) }
            } @else {
                div.row { (content) }
            }
        }
    }
}

/// The disputes about a payment, for its page; nothing where there are none.
pub(super) fn card(disputes: &[Dispute], now_ms: i64) -> Markup {
    html! {
        @if !disputes.is_empty() {
            section.card {
                h2 { "Disputes" }
                ul.moves {
                    @for dispute in disputes {
                        li {
                            span.move {
                                strong { (reason(dispute)) }
                                span.muted { "Raised " (format::moment(dispute.facts.opened_at_ms)) }
                            }
                            span.much { (much(dispute).unwrap_or_default()) }
                            span.wide { (chip(dispute)) " " (deadline(dispute, now_ms)) }
                            @if let Some(wish) = dispute.facts.standing.asks_for() {
                                span.wide.muted { (wish) " in Klarna's merchant portal: " code { (dispute.klarna_id) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_reads_well() {
        assert_eq!(left(5 * DAY_MS, 0), "in 5 days");
        assert_eq!(left(DAY_MS, 0), "in 1 day");
        assert_eq!(left(DAY_MS - 1, 0), "in 24 hours");
        assert_eq!(left(1, 0), "in 1 hour");
        assert_eq!(left(0, 0), "is over");
    }
}
