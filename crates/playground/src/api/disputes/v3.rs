//! Version 3: reading only. How a dispute is answered in it is not published.

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use klarna_types::disputes::v3::{DisputeList, DisputeState};
use klarna_types::disputes::{NetworkErrorCode, Pagination};

use super::query::Query;
use super::v4::page;
use super::{Call, Wording, invalid, network};
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::domain::dispute::{Dispute, Reason, Stage};
use crate::store::disputes::{Descending, Filter, SortKey};

const WORDING: Wording = Wording { missing, refused: |_| missing(), names };

fn missing() -> ApiError {
    network(StatusCode::NOT_FOUND, &NetworkErrorCode::ResourceNotFound)
        .message("The dispute was not found")
}

fn names(dispute: &Dispute, id: &str) -> bool {
    dispute.id().as_str() == id || dispute.number() == id
}

/// `GET /disputes/v3/disputes`
pub(super) async fn list(call: Call, RawQuery(raw): RawQuery) -> Result<Answer, ApiError> {
    let filter = filter(Query::parse(raw.as_deref()))?;
    let (page, now) = page(&call, filter).await?;
    let disputes: Vec<_> =
        page.disputes.into_iter().map(|dispute| dispute.advance(now).dispute.view_v3()).collect();
    let id = |dispute: &klarna_types::disputes::v3::Dispute| {
        super::number(dispute.payment_dispute_id.as_str()).to_owned()
    };
    let pagination = Pagination {
        count: u64::try_from(disputes.len()).unwrap_or(u64::MAX),
        total: Some(page.total),
        first_item: disputes.first().map(id),
        last_item: disputes.last().filter(|_| page.more).map(id),
        links: None,
    };
    Answer::ok(&DisputeList { disputes, pagination })
}

/// Whether these are parameters of the list.
pub(super) fn reads(raw: &str) -> bool {
    filter(Query::parse(Some(raw))).is_ok()
}

fn filter(mut query: Query) -> Result<Filter, ApiError> {
    let order_ids = query.list("payment_transaction_id", 100);
    let stages = query.each("state", 100, |state| {
        let state = DisputeState::from(state);
        let stages = [
            Stage::Opened,
            Stage::Initiated,
            Stage::Representment,
            Stage::PreArbitration,
            Stage::Arbitration,
            Stage::Closed,
        ];
        let known: Vec<String> = stages
            .into_iter()
            .filter(|stage| stage.state_v3() == state)
            .map(|stage| stage.as_str().to_owned())
            .collect();
        (!known.is_empty()).then_some(known)
    });
    let reasons = query.each("reason", 10, |reason| {
        Reason::ALL
            .into_iter()
            .find(|known| known.v3().as_str().eq_ignore_ascii_case(reason))
            .map(|known| known.as_str().to_owned())
    });
    let mut sort = query.each("sort_by", 10, |key| match key {
        "opened_at" => Some((SortKey::Created, Descending::No)),
        "-opened_at" => Some((SortKey::Created, Descending::Yes)),
        "deadline_expires_at" => Some((SortKey::Deadline, Descending::No)),
        "-deadline_expires_at" => Some((SortKey::Deadline, Descending::Yes)),
        _ => None,
    });
    if sort.is_empty() {
        sort.push((SortKey::Created, Descending::No));
    }
    let filter = Filter {
        order_ids,
        stages: stages.into_iter().flatten().collect(),
        reasons,
        references1: query.list("purchase_references", 10),
        created: (
            query.time_with_milliseconds("opened_at_start"),
            query.time_with_milliseconds("opened_at_end"),
        ),
        closed: (
            query.time_with_milliseconds("closed_at_start"),
            query.time_with_milliseconds("closed_at_end"),
        ),
        sort,
        limit: query.number("size", 1, 100).unwrap_or(20),
        after: query.one("starting_after").map(|after| super::number(&after).to_owned()),
        ..Filter::default()
    };
    let problems = query.problems();
    if problems.is_empty() { Ok(filter) } else { Err(invalid(problems)) }
}

/// `GET /disputes/v3/disputes/{payment_dispute_id}`
pub(super) async fn read(call: Call, Path(id): Path<String>) -> Result<Answer, ApiError> {
    call.read(WORDING, id, |_, dispute| Answer::ok(&dispute.view_v3())).await
}
