//! Version 2.

use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use klarna_types::MerchantId;
use klarna_types::disputes::limits;
use klarna_types::disputes::v2::{
    Attachment, COMMENT, DisputeList, InvestigationStatus, MAX_LIMIT, MERCHANT_HEADER, NewResponse,
    Pagination, Reason as WireReason, RequestedFields, Sort,
};
use serde::de::DeserializeOwned;

use super::query::Query;
use super::upload::{self, Wrong};
use super::{Call, Raw, Wording, customer_file, download, is_printable, v4, visible};
use crate::api::error::ApiError;
use crate::api::respond::{self, Answer};
use crate::app::App;
use crate::domain::dispute::settings::AccountKind;
use crate::domain::dispute::{Dispute, File, Refusal, ResponseCommand};
use crate::store::disputes::{self, Descending, Filter, SortKey};

/// How many disputes a page has unless the call says so.
const PAGE: i64 = 20;

const WORDING: Wording = Wording { missing, refused, names };

fn missing() -> ApiError {
    ApiError::not_found("The dispute was not found")
}

fn no_attachment() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ATTACHMENT_NOT_FOUND")
        .message("The attachment was not found")
}

fn refused(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::State { .. } | Refusal::RequestClosed => {
            ApiError::new(StatusCode::BAD_REQUEST, "REQUEST_ALREADY_CLOSED")
                .message(format!("{refusal}"))
        }
        Refusal::NoSuchRequest(_) => ApiError::not_found(format!("{refusal}")),
        Refusal::Value { .. } => invalid_field(format!("{refusal}")),
    }
}

fn invalid_field(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "INVALID_FIELD").message(message)
}

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::bad_request().message(message)
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN").message(message)
}

fn names(dispute: &Dispute, krn: &str) -> bool {
    // Both spellings of a reason have been seen in names.
    let own = dispute.krn();
    own == krn || own.replace('_', "-") == krn
}

/// A call of a merchant that names itself, or of a partner that may name one of its merchants.
#[derive(Debug, Clone)]
pub(super) struct V2(Call);

impl FromRequestParts<App> for V2 {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let mut call = Call::from_request_parts(parts, app).await?;
        let named = match parts.headers.get(MERCHANT_HEADER) {
            Some(value) => Some(
                value
                    .to_str()
                    .map(MerchantId::new)
                    .map_err(|_| bad_request(format!("{MERCHANT_HEADER} cannot be read")))?,
            ),
            None => None,
        };
        let merchant_id = call.merchant_id.clone();
        let wanted = named.clone();
        let (kind, seen) = app
            .db()
            .read(move |tx| -> Result<_, ApiError> {
                let kind = disputes::account(tx, &merchant_id)?.settings.account;
                Ok((kind, visible(tx, &merchant_id, wanted.as_ref())?))
            })
            .await?;
        if kind == AccountKind::Merchant && named.is_none() {
            return Err(bad_request(format!("the header {MERCHANT_HEADER} is required")));
        }
        if named.is_some() && seen.is_empty() {
            return Err(forbidden("The credentials are not those of this merchant"));
        }
        call.on_behalf_of = named;
        Ok(Self(call))
    }
}

fn json<T: DeserializeOwned>(headers: &HeaderMap, raw: &[u8]) -> Result<T, ApiError> {
    respond::require_json(headers)
        .map_err(|_| bad_request("The content type must be application/json"))?;
    respond::parse(raw).map_err(|error| {
        let reason = error.explanation.unwrap_or_else(|| "the body is not JSON".to_owned());
        bad_request(reason)
    })
}

/// `POST /disputes/v2/enroll`
pub(super) async fn enroll(V2(call): V2) -> Result<Answer, ApiError> {
    let now_ms = call.now().as_millisecond();
    let caller = call.merchant_id;
    call.app
        .db()
        .write(move |tx| -> Result<(), ApiError> {
            let account = disputes::account(tx, &caller)?.settings;
            if account.partner_id.is_some() {
                return Err(forbidden("A partner acts for this merchant and has to enroll"));
            }
            Ok(disputes::enroll(tx, &caller, None, now_ms)?)
        })
        .await?;
    Ok(Answer::no_content())
}

/// `GET /disputes/v2/disputes`
pub(super) async fn list(V2(call): V2, RawQuery(raw): RawQuery) -> Result<Answer, ApiError> {
    let filter = filter(Query::parse(raw.as_deref()))?;
    let limit = filter.limit;
    let (page, now) = v4::page(&call, filter).await.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => bad_request("next_page: names no page of this list"),
        _ => error,
    })?;
    let next = page.disputes.last().filter(|_| page.more).map(|last| last.number().to_owned());
    let disputes: Vec<_> =
        page.disputes.into_iter().map(|dispute| dispute.advance(now).dispute.view_v2()).collect();
    let pagination = Pagination {
        limit: u32::try_from(limit).unwrap_or(MAX_LIMIT),
        count: u64::try_from(disputes.len()).unwrap_or(u64::MAX),
        total: Some(page.total),
        next_page: next.into_iter().collect(),
    };
    Answer::ok(&DisputeList { disputes, pagination })
}

/// Whether these are parameters of the list.
pub(super) fn reads(raw: &str) -> bool {
    filter(Query::parse(Some(raw))).is_ok()
}

fn filter(mut query: Query) -> Result<Filter, ApiError> {
    const MAX: usize = 100;
    let merchants = query.list("merchant_id", MAX);
    let statuses = query.each("investigation_status", MAX, |status| {
        let status = InvestigationStatus::from(status);
        status.is_known().then(|| status.to_string())
    });
    let reasons = query.each("reason", MAX, |reason| {
        let reason = WireReason::from(reason);
        reason.is_known().then(|| reason.to_string())
    });
    let mut sort = query.each("sort_by", 10, |key| match Sort::from(key) {
        Sort::OpenedAt => Some((SortKey::Created, Descending::No)),
        Sort::OpenedAtDescending => Some((SortKey::Created, Descending::Yes)),
        Sort::DeadlineExpiresAt => Some((SortKey::Deadline, Descending::No)),
        Sort::DeadlineExpiresAtDescending => Some((SortKey::Deadline, Descending::Yes)),
        _ => None,
    });
    if sort.is_empty() {
        sort.push((SortKey::Created, Descending::No));
    }
    let filter = Filter {
        merchants: merchants.into_iter().map(MerchantId::new).collect(),
        order_ids: query.list("order_id", MAX),
        references1: query.list("merchant_references1", MAX),
        references2: query.list("merchant_references2", MAX),
        statuses,
        reasons,
        created: (
            query.time_with_milliseconds("opened_after"),
            query.time_with_milliseconds("opened_before"),
        ),
        deadline: (
            query.time_with_milliseconds("deadline_expires_after"),
            query.time_with_milliseconds("deadline_expires_before"),
        ),
        sort,
        limit: query.number("limit", 1, i64::from(MAX_LIMIT)).unwrap_or(PAGE),
        after: query.list("next_page", 1).pop(),
        ..Filter::default()
    };
    let problems = query.problems();
    if problems.is_empty() {
        return Ok(filter);
    }
    let all: Vec<String> =
        problems.into_iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
    Err(bad_request(all.join("; ")))
}

/// `GET /disputes/v2/disputes/{dispute_krn}`
pub(super) async fn read(V2(call): V2, Path(krn): Path<String>) -> Result<Answer, ApiError> {
    call.read(WORDING, krn, |_, dispute| Answer::ok(&dispute.view_v2())).await
}

/// `POST /disputes/v2/disputes/{dispute_krn}/accept-loss`
pub(super) async fn accept_loss(V2(call): V2, Path(krn): Path<String>) -> Result<Answer, ApiError> {
    call.change(WORDING, krn, |dispute, _, now| {
        let changed = dispute.accept_loss(now).map_err(|refusal| refused(&refusal))?;
        Ok((changed, ()))
    })
    .await?;
    Ok(Answer::no_content())
}

/// `POST /disputes/v2/disputes/{dispute_krn}/attachments`
pub(super) async fn upload(
    V2(call): V2,
    Path(krn): Path<String>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let file = upload::read(&headers, raw).await.map_err(|wrong| match wrong {
        Wrong::ContentType => bad_request("The content type must be multipart/form-data"),
        Wrong::Form(reason) => bad_request(reason),
        Wrong::Part(parameter, reason) => invalid_field(format!("{parameter}: {reason}")),
    })?;
    let name = file.name.clone();
    let (_, number) = call.keep(WORDING, krn, file, Dispute::takes_files_v2).await?;
    let attachment = Attachment { attachment_id: number, filename: Some(name) };
    Answer::json(StatusCode::CREATED, &attachment)
}

/// `POST /disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses`
pub(super) async fn respond(
    V2(call): V2,
    Path((krn, request_id)): Path<(String, String)>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let request: i64 =
        request_id.parse().map_err(|_| ApiError::not_found("There is no such request"))?;
    let body: NewResponse = json(&headers, &raw)?;
    check(&body)?;
    let answer = call
        .change(WORDING, krn, move |dispute, files, now| {
            let fields = body.requested_fields.clone().unwrap_or_default();
            let mut ids = body.attachments.clone().unwrap_or_default();
            for id in fields.proof_of_delivery.iter().flatten() {
                if !ids.contains(id) {
                    ids.push(*id);
                }
            }
            let files = named(files, &ids)?;
            let comment = body.comment.clone();
            let command = ResponseCommand { request, comment, fields, files };
            let answer = dispute.respond(command, now).map_err(|refusal| refused(&refusal))?;
            let shown = answer
                .changed
                .dispute
                .response_v2(request, answer.response)
                .ok_or_else(|| ApiError::internal("the answer was not kept"))?;
            Ok((answer.changed, shown))
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer)
}

/// The member with a text that has control characters or line breaks in it, which no text may have.
fn unprintable(body: &NewResponse) -> Option<String> {
    fn find(value: &serde_json::Value, path: &str) -> Option<String> {
        match value {
            serde_json::Value::String(text) if !is_printable(text) => Some(path.to_owned()),
            serde_json::Value::Array(values) => values
                .iter()
                .enumerate()
                .find_map(|(index, value)| find(value, &format!("{path}[{index}]"))),
            serde_json::Value::Object(members) => members.iter().find_map(|(name, value)| {
                let separator = if path.is_empty() { "" } else { "." };
                find(value, &format!("{path}{separator}{name}"))
            }),
            _ => None,
        }
    }
    find(&serde_json::to_value(body).ok()?, "")
}

fn check(body: &NewResponse) -> Result<(), ApiError> {
    if let Some(path) = unprintable(body) {
        return Err(invalid_field(format!("{path}: has control characters or line breaks")));
    }
    if body.comment.as_ref().is_some_and(|comment| comment.chars().count() > COMMENT) {
        return Err(invalid_field(format!("comment: has more than {COMMENT} characters")));
    }
    if body.attachments.as_ref().is_some_and(|ids| ids.len() > limits::ATTACHMENTS) {
        let max = limits::ATTACHMENTS;
        return Err(invalid_field(format!("attachments: has more than {max} items")));
    }
    let problems = body.requested_fields.as_ref().map(RequestedFields::problems);
    match problems.unwrap_or_default().first() {
        Some((path, reason)) => Err(invalid_field(format!("requested_fields.{path}: {reason}"))),
        None => Ok(()),
    }
}

fn named(files: &[File], ids: &[i64]) -> Result<Vec<File>, ApiError> {
    ids.iter()
        .map(|id| {
            files.iter().find(|file| file.number == *id).cloned().ok_or_else(|| {
                ApiError::new(StatusCode::NOT_FOUND, "ATTACHMENT_NOT_FOUND")
                    .message(format!("attachments: there is no attachment {id}"))
            })
        })
        .collect()
}

/// `GET …/requests/{request_id}/attachments/{attachment_id}`
pub(super) async fn of_request(
    V2(call): V2,
    Path((krn, request_id, attachment_id)): Path<(String, String, String)>,
) -> Result<Answer, ApiError> {
    call.read(WORDING, krn, move |_, dispute| {
        let request: i64 = request_id.parse().map_err(|_| no_attachment())?;
        let number: i64 = attachment_id.parse().map_err(|_| no_attachment())?;
        let is_there = dispute.has_request(request) && dispute.customer_file().is_some();
        if is_there && number == Dispute::CUSTOMER_FILE {
            customer_file()
        } else {
            Err(no_attachment())
        }
    })
    .await
}

/// `GET …/requests/{request_id}/responses/{response_id}/attachments/{attachment_id}`
pub(super) async fn of_response(
    V2(call): V2,
    Path((krn, request_id, response_id, attachment_id)): Path<(String, String, String, String)>,
) -> Result<Answer, ApiError> {
    call.read(WORDING, krn, move |tx, dispute| {
        let parse = |text: &str| text.parse::<i64>().map_err(|_| no_attachment());
        let (request, response) = (parse(&request_id)?, parse(&response_id)?);
        let number = parse(&attachment_id)?;
        if !dispute.has_file(request, response, number) {
            return Err(no_attachment());
        }
        let file = disputes::find_file(tx, dispute.number(), number)?.ok_or_else(no_attachment)?;
        download(&file.name, &file.mime_type, file.content)
    })
    .await
}
