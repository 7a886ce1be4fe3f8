//! The Disputes API: versions 4 and 2 whole, of version 3 what can be read.
//!
//! One store of disputes stands behind all of them ([`crate::domain::dispute`]). Each version has its own
//! paths, dates and error bodies; the bodies are written by the edge ([`crate::api::form`]).

mod query;
mod upload;
mod v2;
mod v3;
mod v4;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use klarna_types::MerchantId;
use klarna_types::disputes::NetworkErrorCode;
use service::Clock as _;
use storage::Tx;

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::dispute::settings::AccountKind;
use crate::domain::dispute::{Changed, Dispute, File, Refusal};
use crate::store::disputes::{self, Saved, StoredFile};

/// Its routes.
pub(crate) fn router() -> Router<App> {
    let v4 = |rest: &str| format!("/v4/payment/disputes{rest}");
    let v2 = |rest: &str| format!("/disputes/v2{rest}");
    let request = "/disputes/{dispute_krn}/requests/{request_id}";
    Router::new()
        .route(&v4(""), get(v4::list))
        .route(&v4("/merchants/{id}/enroll"), post(v4::enroll_merchant))
        .route(&v4("/partners/{id}/enroll"), post(v4::enroll_partner))
        .route(&v4("/{id}"), get(v4::read))
        .route(&v4("/{id}/accept-loss"), post(v4::accept_loss))
        .route(&v4("/{id}/attachments"), post(v4::upload))
        .route(&v4("/{id}/attachments/{attachment_id}/download"), get(v4::download))
        .route(&v4("/{id}/represent"), post(v4::represent))
        .route(&v4("/{id}/appeal"), post(v4::appeal))
        .route(&v2("/enroll"), post(v2::enroll))
        .route(&v2("/disputes"), get(v2::list))
        .route(&v2("/disputes/{dispute_krn}"), get(v2::read))
        .route(&v2("/disputes/{dispute_krn}/accept-loss"), post(v2::accept_loss))
        .route(&v2("/disputes/{dispute_krn}/attachments"), post(v2::upload))
        .route(&v2(&format!("{request}/responses")), post(v2::respond))
        .route(&v2(&format!("{request}/attachments/{{attachment_id}}")), get(v2::of_request))
        .route(
            &v2(&format!("{request}/responses/{{response_id}}/attachments/{{attachment_id}}")),
            get(v2::of_response),
        )
        .route("/disputes/v3/disputes", get(v3::list))
        .route("/disputes/v3/disputes/{id}", get(v3::read))
}

/// The file in a form; an error says what is wrong with it.
pub(crate) async fn read_form(
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(String, Vec<u8>), String> {
    match upload::read(headers, body).await {
        Ok(file) => Ok((file.name, file.content)),
        Err(wrong) => Err(format!("{wrong:?}")),
    }
}

/// Whether every version can read these parameters of its list.
pub(crate) fn read_query(raw: &str) -> bool {
    v4::reads(raw) && v3::reads(raw) && v2::reads(raw)
}

/// The most files of one dispute, so that what a merchant can make the playground keep is bounded.
const MAX_FILES: i64 = 30;

/// What the shopper shows: an empty page.
const CUSTOMER_FILE: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000056 00000 n \n0000000107 00000 n \n\
trailer<</Size 4/Root 1 0 R>>\nstartxref\n170\n%%EOF\n";

/// A body as it came.
#[derive(Debug, Clone)]
struct Raw(Bytes);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = request.into_body().collect().await;
        Ok(Self(body.map_err(|error| ApiError::bad_request().because(error))?.to_bytes()))
    }
}

/// A call of a merchant or partner, and the version's own refusals.
#[derive(Debug, Clone)]
struct Call {
    app: App,
    /// Who calls.
    merchant_id: MerchantId,
    /// On whose behalf, where the call says so.
    on_behalf_of: Option<MerchantId>,
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self {
            app: app.clone(),
            merchant_id: caller.merchant.merchant_id.clone(),
            on_behalf_of: None,
        })
    }
}

/// Whose disputes a call may see: a merchant its own, a partner those of its merchants.
fn visible(
    tx: &mut Tx<'_>,
    merchant_id: &MerchantId,
    on_behalf_of: Option<&MerchantId>,
) -> Result<Vec<MerchantId>, ApiError> {
    let all = match disputes::account(tx, merchant_id)?.settings.account {
        AccountKind::Merchant => vec![merchant_id.clone()],
        AccountKind::Partner => disputes::merchants_of(tx, merchant_id)?,
    };
    Ok(match on_behalf_of {
        Some(wanted) => all.into_iter().filter(|merchant| merchant == wanted).collect(),
        None => all,
    })
}

/// How a version words its refusals.
#[derive(Clone, Copy)]
struct Wording {
    /// No such dispute.
    missing: fn() -> ApiError,
    /// The domain refuses.
    refused: fn(&Refusal) -> ApiError,
    /// The name in the path is that of this dispute.
    names: fn(&Dispute, &str) -> bool,
}

impl Call {
    fn now(&self) -> Timestamp {
        self.app.clock().now()
    }

    /// Reads a dispute.
    async fn read<T, F>(self, wording: Wording, id: String, look: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>, Dispute) -> Result<T, ApiError> + Send + 'static,
    {
        let now = self.now();
        let Self { app, merchant_id, on_behalf_of } = self;
        app.db()
            .read(move |tx| -> Result<T, ApiError> {
                let merchants = visible(tx, &merchant_id, on_behalf_of.as_ref())?;
                let dispute = disputes::read(tx, &merchants, number(&id), now)?
                    .filter(|dispute| (wording.names)(dispute, &id))
                    .ok_or_else(wording.missing)?;
                look(tx, dispute)
            })
            .await
    }

    /// Changes a dispute. The command gets the files that were uploaded for it.
    async fn change<T, F>(self, wording: Wording, id: String, command: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: Fn(Dispute, &[File], Timestamp) -> Result<(Changed, T), ApiError> + Send + 'static,
    {
        let Self { app, merchant_id, on_behalf_of } = self;
        let at_work = app.clone();
        let outcome = app
            .db()
            .write(move |tx| -> Result<T, ApiError> {
                let now = at_work.clock().now();
                let merchants = visible(tx, &merchant_id, on_behalf_of.as_ref())?;
                let loaded = disputes::load(tx, &merchants, number(&id))?
                    .filter(|loaded| (wording.names)(&loaded.dispute, &id))
                    .ok_or_else(wording.missing)?;
                let files = disputes::find_files(tx, loaded.dispute.number())?;
                let (changed, outcome) = command(loaded.dispute, &files, now)?;
                let base = at_work.base_url();
                match disputes::save(tx, loaded.version, &changed, base)? {
                    Saved::Yes => Ok(outcome),
                    Saved::Stale => Err(ApiError::internal("the dispute changed meanwhile")),
                }
            })
            .await?;
        app.wake();
        Ok(outcome)
    }

    /// Keeps a file for a dispute; answers with the dispute and the file's number.
    async fn keep<F>(
        self,
        wording: Wording,
        id: String,
        file: StoredFile,
        takes: F,
    ) -> Result<(Dispute, i64), ApiError>
    where
        F: Fn(&Dispute) -> Result<(), Refusal> + Send + 'static,
    {
        let Self { app, merchant_id, on_behalf_of } = self;
        let at_work = app.clone();
        app.db()
            .write(move |tx| -> Result<_, ApiError> {
                let now = at_work.clock().now();
                let merchants = visible(tx, &merchant_id, on_behalf_of.as_ref())?;
                let loaded = disputes::load(tx, &merchants, number(&id))?
                    .filter(|loaded| (wording.names)(&loaded.dispute, &id))
                    .ok_or_else(wording.missing)?;
                let dispute = loaded.dispute.advance(now).dispute;
                takes(&dispute).map_err(|refusal| (wording.refused)(&refusal))?;
                if disputes::count_files(tx, dispute.number())? >= MAX_FILES {
                    let refusal = Refusal::Value {
                        parameter: "file",
                        reason: format!("a dispute takes at most {MAX_FILES} files"),
                    };
                    return Err((wording.refused)(&refusal));
                }
                let now_ms = now.as_millisecond();
                let number = disputes::add_file(tx, dispute.number(), &file, now_ms)?;
                Ok((dispute, number))
            })
            .await
    }
}

/// The last part of a dispute's name.
fn number(id: &str) -> &str {
    id.rsplit(':').next().unwrap_or(id)
}

/// A file as it is downloaded.
fn download(name: &str, mime_type: &str, content: Vec<u8>) -> Result<Answer, ApiError> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ';') { c } else { '_' })
        .collect();
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let encoded = encoded.replace('+', "%20");
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: content.into() };
    Ok(answer
        .header(CONTENT_TYPE, HeaderValue::from_str(mime_type).map_err(ApiError::internal)?)
        .header(
            CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).map_err(ApiError::internal)?,
        ))
}

/// The shopper's file.
fn customer_file() -> Result<Answer, ApiError> {
    download("customer-evidence.pdf", "application/pdf", CUSTOMER_FILE.to_vec())
}

/// Whether a text has neither control characters nor line breaks in it, as the rules of the platform ask of
/// every text.
fn is_printable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A refusal of a version that has Klarna's network's error bodies.
fn network(status: StatusCode, code: &NetworkErrorCode) -> ApiError {
    let code = match code {
        NetworkErrorCode::ValidationError => "VALIDATION_ERROR",
        NetworkErrorCode::InvalidContentType => "INVALID_CONTENT_TYPE",
        NetworkErrorCode::OperationForbidden => "OPERATION_FORBIDDEN",
        NetworkErrorCode::ResourceNotFound => "RESOURCE_NOT_FOUND",
        NetworkErrorCode::ResourceConflict => "RESOURCE_CONFLICT",
        _ => "INTERNAL_ERROR",
    };
    ApiError::new(status, code)
}

/// 400 `VALIDATION_ERROR` about parameters, each with what is wrong.
fn invalid(parameters: Vec<(String, String)>) -> ApiError {
    let mut error = network(StatusCode::BAD_REQUEST, &NetworkErrorCode::ValidationError);
    error = error.message("The request is not valid");
    error.invalid = parameters;
    error
}
