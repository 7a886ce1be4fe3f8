//! Version 4.

use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use klarna_types::MerchantId;
use klarna_types::disputes::{
    AcceptedLoss, AppealBody, Appealed, AttachmentReference, AttachmentReferenceBody, DisputeList,
    DisputeSort, DisputeState, EnrollPartnerBody, Link, Links, ListDisputes, NetworkErrorCode,
    Pagination, RepresentBody, Represented, UploadedAttachment, limits,
};
use serde::de::DeserializeOwned;

use super::query::Query;
use super::upload::{self, Wrong};
use super::{
    Call, Raw, Wording, customer_file, download as file_answer, invalid, is_printable, network,
    visible,
};
use crate::api::error::ApiError;
use crate::api::respond::{self, Answer};
use crate::app::App;
use crate::domain::dispute::settings::AccountKind;
use crate::domain::dispute::{AppealCommand, Dispute, File, Reason, Refusal, RepresentCommand};
use crate::store::disputes::{self, Descending, Filter, SortKey};

/// How many disputes a page has unless the call says so, and how many at most.
const PAGE: (i64, i64) = (20, 100);

const WORDING: Wording = Wording { missing, refused, names };

fn missing() -> ApiError {
    network(StatusCode::NOT_FOUND, &NetworkErrorCode::ResourceNotFound)
        .message("The dispute was not found")
}

fn refused(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::State { .. } | Refusal::RequestClosed | Refusal::NoSuchRequest(_) => {
            network(StatusCode::CONFLICT, &NetworkErrorCode::ResourceConflict)
                .message(format!("Conflict: {refusal}"))
        }
        Refusal::Value { parameter, reason } => {
            invalid(vec![((*parameter).to_owned(), reason.clone())])
        }
    }
}

/// A dispute is called by its whole name, or by its number alone.
fn names(dispute: &Dispute, id: &str) -> bool {
    dispute.id().as_str() == id || dispute.number() == id
}

fn forbidden(message: &str) -> ApiError {
    network(StatusCode::FORBIDDEN, &NetworkErrorCode::OperationForbidden).message(message)
}

/// A call with this version's optional headers checked.
#[derive(Debug, Clone)]
pub(super) struct V4(Call);

impl FromRequestParts<App> for V4 {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let call = Call::from_request_parts(parts, app).await?;
        let mut problems = Vec::new();
        if let Some(id) = parts.headers.get("partner-correlation-id") {
            let length = id.to_str().map_or(0, |id| id.chars().count());
            if !(1..=limits::PARTNER_CORRELATION_ID).contains(&length) {
                let reason = "has to have 1 to 255 characters";
                problems.push(("Partner-Correlation-Id".to_owned(), reason.to_owned()));
            }
        }
        if let Some(metadata) = parts.headers.get("klarna-integration-metadata") {
            let is_object = serde_json::from_slice::<serde_json::Value>(metadata.as_bytes())
                .is_ok_and(|value| value.is_object());
            if !is_object {
                let reason = "has to be a JSON object";
                problems.push(("Klarna-Integration-Metadata".to_owned(), reason.to_owned()));
            }
        }
        if problems.is_empty() { Ok(Self(call)) } else { Err(invalid(problems)) }
    }
}

fn check_id(id: &str) -> Result<(), ApiError> {
    if id.chars().count() > limits::DISPUTE_ID {
        let reason = format!("has more than {} characters", limits::DISPUTE_ID);
        return Err(invalid(vec![("payment_dispute_id".to_owned(), reason)]));
    }
    Ok(())
}

/// A JSON body of this version.
fn json<T: DeserializeOwned>(headers: &HeaderMap, raw: &[u8]) -> Result<T, ApiError> {
    respond::require_json(headers).map_err(|_| {
        network(StatusCode::BAD_REQUEST, &NetworkErrorCode::InvalidContentType)
            .message("The content type must be application/json")
    })?;
    respond::parse(raw).map_err(|error| {
        let reason = error.explanation.unwrap_or_else(|| "is not JSON".to_owned());
        invalid(vec![("body".to_owned(), reason)])
    })
}

/// `POST /v4/payment/disputes/merchants/{merchant_id}/enroll`
pub(super) async fn enroll_merchant(
    V4(call): V4,
    Path(merchant_id): Path<String>,
) -> Result<Answer, ApiError> {
    let now_ms = call.now().as_millisecond();
    let caller = call.merchant_id;
    call.app
        .db()
        .write(move |tx| -> Result<(), ApiError> {
            let account = disputes::account(tx, &caller)?.settings;
            if caller.as_str() != merchant_id || account.account == AccountKind::Partner {
                return Err(forbidden("A merchant can enroll itself and nobody else"));
            }
            Ok(disputes::enroll(tx, &caller, None, now_ms)?)
        })
        .await?;
    Ok(Answer::no_content())
}

/// `POST /v4/payment/disputes/partners/{partner_id}/enroll`
pub(super) async fn enroll_partner(
    V4(call): V4,
    Path(partner_id): Path<String>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let body: EnrollPartnerBody = json(&headers, &raw)?;
    let client_id = body.client_id.unwrap_or_default();
    if !(1..=limits::CLIENT_ID).contains(&client_id.len())
        || !client_id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        let reason = "has to have 1 to 64 letters and digits".to_owned();
        return Err(invalid(vec![("client_id".to_owned(), reason)]));
    }
    let now_ms = call.now().as_millisecond();
    let caller = call.merchant_id;
    call.app
        .db()
        .write(move |tx| -> Result<(), ApiError> {
            let account = disputes::account(tx, &caller)?.settings;
            let is_itself = super::number(&partner_id) == caller.as_str();
            if account.account != AccountKind::Partner || !is_itself {
                return Err(forbidden("A partner can enroll itself and nobody else"));
            }
            Ok(disputes::enroll(tx, &caller, Some(&client_id), now_ms)?)
        })
        .await?;
    Ok(Answer::no_content())
}

/// `GET /v4/payment/disputes`
pub(super) async fn list(V4(call): V4, RawQuery(raw): RawQuery) -> Result<Answer, ApiError> {
    let (filter, size) = filter(Query::parse(raw.as_deref()))?;
    let base = call.app.base_url().to_owned();
    let query = raw.unwrap_or_default();
    let (page, now) = page(&call, filter).await?;
    let disputes: Vec<_> =
        page.disputes.into_iter().map(|dispute| dispute.advance(now).dispute.view(&base)).collect();
    let id = |dispute: &klarna_types::disputes::Dispute| {
        super::number(dispute.payment_dispute_id.as_str()).to_owned()
    };
    let last_item = disputes.last().filter(|_| page.more).map(id);
    let links = last_item.as_ref().map(|last| {
        let kept = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !matches!(name.as_ref(), "starting_after" | "size"));
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(kept);
        next.append_pair("size", &size.to_string()).append_pair("starting_after", last);
        let href = format!("{base}/v4/payment/disputes?{}", next.finish());
        Links::new().next(Link::new().href(href).method("GET").rel("next"))
    });
    let pagination = Pagination {
        count: u64::try_from(disputes.len()).unwrap_or(u64::MAX),
        total: Some(page.total),
        first_item: disputes.first().map(id),
        last_item,
        links,
    };
    Answer::ok(&DisputeList { disputes, pagination })
}

/// A page of what the caller may see; nothing for an account that is not enrolled.
pub(super) async fn page(
    call: &Call,
    filter: Filter,
) -> Result<(disputes::Page, jiff::Timestamp), ApiError> {
    let (merchant_id, on_behalf_of) = (call.merchant_id.clone(), call.on_behalf_of.clone());
    let now = call.now();
    let page = call
        .app
        .db()
        .read(move |tx| -> Result<_, ApiError> {
            let merchants = match disputes::account(tx, &merchant_id)?.enrolled_at_ms {
                Some(_) => visible(tx, &merchant_id, on_behalf_of.as_ref())?,
                None => Vec::new(),
            };
            let merchants = narrowed(merchants, &filter.merchants);
            Ok(disputes::list(tx, &Filter { merchants, ..filter.clone() })?)
        })
        .await?;
    let page = page.ok_or_else(|| {
        invalid(vec![("starting_after".to_owned(), "names no dispute of the list".to_owned())])
    })?;
    Ok((page, now))
}

/// Those that are wanted, of those that may be seen.
fn narrowed(visible: Vec<MerchantId>, wanted: &[MerchantId]) -> Vec<MerchantId> {
    visible.into_iter().filter(|merchant| wanted.is_empty() || wanted.contains(merchant)).collect()
}

/// Whether these are parameters of the list.
pub(super) fn reads(raw: &str) -> bool {
    filter(Query::parse(Some(raw))).is_ok()
}

fn filter(mut query: Query) -> Result<(Filter, i64), ApiError> {
    let (ids, values) = (ListDisputes::MAX_IDS, ListDisputes::MAX_VALUES);
    let mut order_ids = query.list("order_ids", ids);
    let transactions = query.list("payment_transaction_ids", ids);
    if !transactions.is_empty() {
        let of_transactions: Vec<String> =
            transactions.iter().map(|id| super::number(id).to_owned()).collect();
        if order_ids.is_empty() {
            order_ids = of_transactions;
        } else {
            order_ids.retain(|id| of_transactions.contains(id));
            // Nothing is both: no order has an empty id.
            if order_ids.is_empty() {
                order_ids.push(String::new());
            }
        }
    }
    let states = query.each("state", ids, |state| {
        let state = DisputeState::from(state);
        state.is_known().then(|| state.to_string())
    });
    let reasons = query.each("reason", values, |reason| {
        let known: Vec<String> = Reason::ALL
            .into_iter()
            .filter(|known| known.v4().as_str().eq_ignore_ascii_case(reason))
            .map(|known| known.as_str().to_owned())
            .collect();
        (!known.is_empty()).then_some(known)
    });
    let mut sort = query.each("sort_by", values, |key| match DisputeSort::from(key) {
        DisputeSort::CreatedAt => Some((SortKey::Created, Descending::No)),
        DisputeSort::CreatedAtDescending => Some((SortKey::Created, Descending::Yes)),
        DisputeSort::ClosedAt => Some((SortKey::Closed, Descending::No)),
        DisputeSort::ClosedAtDescending => Some((SortKey::Closed, Descending::Yes)),
        _ => None,
    });
    if sort.is_empty() {
        sort.push((SortKey::Created, Descending::No));
    }
    let size = query.number("size", 1, PAGE.1).unwrap_or(PAGE.0);
    let after = query.one("starting_after");
    if after.as_deref() == Some("") {
        query.refuse("starting_after", "is empty");
    }
    let filter = Filter {
        order_ids,
        states,
        reasons: reasons.into_iter().flatten().collect(),
        references1: query.list("purchase_references", values),
        created: (query.time("created_at_start"), query.time("created_at_end")),
        closed: (query.time("closed_at_start"), query.time("closed_at_end")),
        updated: (query.time("updated_at_start"), query.time("updated_at_end")),
        sort,
        limit: size,
        after: after.map(|after| super::number(&after).to_owned()),
        ..Filter::default()
    };
    let problems = query.problems();
    if problems.is_empty() { Ok((filter, size)) } else { Err(invalid(problems)) }
}

/// `GET /v4/payment/disputes/{payment_dispute_id}`
pub(super) async fn read(V4(call): V4, Path(id): Path<String>) -> Result<Answer, ApiError> {
    check_id(&id)?;
    let base = call.app.base_url().to_owned();
    call.read(WORDING, id, move |_, dispute| Answer::ok(&dispute.view(&base))).await
}

/// `POST …/{payment_dispute_id}/accept-loss`
pub(super) async fn accept_loss(V4(call): V4, Path(id): Path<String>) -> Result<Answer, ApiError> {
    call.change(WORDING, id, |dispute, _, now| {
        let changed = dispute.accept_loss(now).map_err(|refusal| refused(&refusal))?;
        Ok((changed, ()))
    })
    .await?;
    Answer::json(StatusCode::ACCEPTED, &AcceptedLoss::new(DisputeState::Closed))
}

/// `POST …/{payment_dispute_id}/attachments`
pub(super) async fn upload(
    V4(call): V4,
    Path(id): Path<String>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let file = upload::read(&headers, raw).await.map_err(|wrong| match wrong {
        Wrong::ContentType => {
            network(StatusCode::BAD_REQUEST, &NetworkErrorCode::InvalidContentType)
                .message("The content type must be multipart/form-data with a boundary")
        }
        Wrong::Form(reason) => invalid(vec![("body".to_owned(), reason)]),
        Wrong::Part(parameter, reason) => invalid(vec![(parameter.to_owned(), reason)]),
    })?;
    let (dispute, number) = call.keep(WORDING, id, file, Dispute::takes_files).await?;
    let id = dispute.attachment_id(number);
    Answer::json(StatusCode::CREATED, &UploadedAttachment::new(id))
}

/// `POST …/{payment_dispute_id}/represent`
pub(super) async fn represent(
    V4(call): V4,
    Path(id): Path<String>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let body: RepresentBody = json(&headers, &raw)?;
    let mut problems = Vec::new();
    check_references(body.attachments.as_deref(), &mut problems);
    if body.attachments.as_ref().is_none_or(Vec::is_empty) {
        problems.push(("attachments".to_owned(), "needs at least one attachment".to_owned()));
    }
    check_text(body.additional_information.as_deref(), limits::REPRESENT_TEXT, &mut problems);
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let now = call.now();
    let shown = body.clone();
    call.change(WORDING, id, move |dispute, files, now| {
        let references = body.attachments.as_deref().unwrap_or_default();
        let command = RepresentCommand {
            text: body.additional_information.clone(),
            files: named(&dispute, files, references)?,
            proposed_refund: body.partner_proposed_refund_amount,
        };
        let changed = dispute.represent(command, now).map_err(|refusal| refused(&refusal))?;
        Ok((changed, ()))
    })
    .await?;
    let attachments = shown.attachments.unwrap_or_default().into_iter().filter_map(|reference| {
        Some(AttachmentReference {
            payment_dispute_attachment_id: reference.payment_dispute_attachment_id?,
            description: reference.description,
        })
    });
    let answer = Represented {
        state: DisputeState::Representment,
        created_at: Some(now),
        additional_information: shown.additional_information,
        attachments: Some(attachments.collect()),
        partner_proposed_refund_amount: shown.partner_proposed_refund_amount,
    };
    Answer::json(StatusCode::CREATED, &answer)
}

/// `POST …/{payment_dispute_id}/appeal`
pub(super) async fn appeal(
    V4(call): V4,
    Path(id): Path<String>,
    headers: HeaderMap,
    Raw(raw): Raw,
) -> Result<Answer, ApiError> {
    let body: AppealBody = json(&headers, &raw)?;
    let mut problems = Vec::new();
    let text = body.additional_information.unwrap_or_default();
    if text.is_empty() {
        problems.push(("additional_information".to_owned(), "is required".to_owned()));
    }
    check_text(Some(&text), limits::APPEAL_TEXT, &mut problems);
    check_references(body.attachments.as_deref(), &mut problems);
    if body.attachments.as_ref().is_some_and(Vec::is_empty) {
        let reason = "needs at least one attachment, or is left out";
        problems.push(("attachments".to_owned(), reason.to_owned()));
    }
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let now = call.now();
    let shown = text.clone();
    call.change(WORDING, id, move |dispute, files, now| {
        let references = body.attachments.as_deref().unwrap_or_default();
        let command =
            AppealCommand { text: text.clone(), files: named(&dispute, files, references)? };
        let changed = dispute.appeal(command, now).map_err(|refusal| refused(&refusal))?;
        Ok((changed, ()))
    })
    .await?;
    let answer = Appealed {
        state: DisputeState::Arbitration,
        created_at: Some(now),
        additional_information: Some(shown),
    };
    Answer::json(StatusCode::CREATED, &answer)
}

/// `GET …/{payment_dispute_id}/attachments/{attachment_id}/download`
pub(super) async fn download(
    V4(call): V4,
    Path((id, attachment_id)): Path<(String, String)>,
) -> Result<Answer, ApiError> {
    check_id(&id)?;
    call.read(WORDING, id, move |tx, dispute| {
        let missing = || {
            network(StatusCode::NOT_FOUND, &NetworkErrorCode::ResourceNotFound)
                .message("The attachment was not found")
        };
        if attachment_id == dispute.customer_file_id().as_str() {
            return match dispute.customer_file() {
                Some(_) => customer_file(),
                None => Err(missing()),
            };
        }
        let number = file_number(&dispute, &attachment_id).ok_or_else(missing)?;
        let file = disputes::find_file(tx, dispute.number(), number)?.ok_or_else(missing)?;
        file_answer(&file.name, &file.mime_type, file.content)
    })
    .await
}

const UNPRINTABLE: &str = "has control characters or line breaks";

fn check_text(text: Option<&str>, max: usize, problems: &mut Vec<(String, String)>) {
    if text.is_some_and(|text| text.chars().count() > max) {
        let reason = format!("has more than {max} characters");
        problems.push(("additional_information".to_owned(), reason));
    }
    if !text.is_none_or(is_printable) {
        problems.push(("additional_information".to_owned(), UNPRINTABLE.to_owned()));
    }
}

fn check_references(
    references: Option<&[AttachmentReferenceBody]>,
    problems: &mut Vec<(String, String)>,
) {
    let references = references.unwrap_or_default();
    if references.len() > limits::ATTACHMENTS {
        let reason = format!("has more than {} items", limits::ATTACHMENTS);
        problems.push(("attachments".to_owned(), reason));
    }
    for (index, reference) in references.iter().enumerate() {
        let id = reference.payment_dispute_attachment_id.as_ref();
        if id.is_none_or(|id| id.as_str().is_empty() || id.as_str().len() > limits::FILTER_TEXT) {
            let parameter = format!("attachments[{index}].payment_dispute_attachment_id");
            problems.push((parameter, "has to have 1 to 255 characters".to_owned()));
        }
        let description = reference.description.as_deref().unwrap_or_default();
        let parameter = format!("attachments[{index}].description");
        if !is_printable(description) {
            problems.push((parameter, UNPRINTABLE.to_owned()));
        } else if description.chars().count() > limits::DESCRIPTION {
            problems.push((parameter, "has more than 1000 characters".to_owned()));
        }
    }
}

/// The number of a file by its whole name or by its number.
fn file_number(dispute: &Dispute, id: &str) -> Option<i64> {
    let number: i64 = super::number(id).parse().ok()?;
    (id == dispute.attachment_id(number).as_str() || id == number.to_string()).then_some(number)
}

/// The files that a body names, with its descriptions.
fn named(
    dispute: &Dispute,
    files: &[File],
    references: &[AttachmentReferenceBody],
) -> Result<Vec<File>, ApiError> {
    let mut named = Vec::with_capacity(references.len());
    let mut problems = Vec::new();
    for (index, reference) in references.iter().enumerate() {
        let id = reference.payment_dispute_attachment_id.as_ref();
        let number = id.and_then(|id| file_number(dispute, id.as_str()));
        match files.iter().find(|file| Some(file.number) == number) {
            Some(file) => {
                named.push(File { description: reference.description.clone(), ..file.clone() });
            }
            None => problems.push((
                format!("attachments[{index}].payment_dispute_attachment_id"),
                "is no attachment of this dispute".to_owned(),
            )),
        }
    }
    if problems.is_empty() { Ok(named) } else { Err(invalid(problems)) }
}
