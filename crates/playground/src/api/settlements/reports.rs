//! Reports as files. Their refusals have the media type of the report, as Klarna's description has it;
//! the text in it is the same JSON as anywhere else.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use klarna_types::settlements::PaymentReference;

use super::query::{Parameters, no_payout};
use crate::api::auth::Caller;
use crate::api::error::{ApiError, ErrorMediaType};
use crate::app::App;
use crate::reports::{self, Columns, FileKind};

const CSV: HeaderValue = HeaderValue::from_static("text/csv");
const PDF: HeaderValue = HeaderValue::from_static("application/pdf");

/// `GET /reports/payout-with-transactions`
pub(super) async fn payout_csv(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Response {
    answer(CSV, one_csv(&app, &caller, &parameters).await)
}

/// `GET /reports/payout`
pub(super) async fn payout_pdf(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Response {
    answer(PDF, one_pdf(&app, &caller, &parameters).await)
}

/// `GET /reports/payouts-summary-with-transactions`
pub(super) async fn payouts_csv(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Response {
    let merchant_id = &caller.merchant.merchant_id;
    let report = parameters.range().map(|(_, _, filter)| {
        let chunks = reports::payouts_csv(&app, merchant_id, filter, Columns::Api);
        file(Body::from_stream(chunks), CSV, None)
    });
    answer(CSV, report)
}

/// `GET /reports/payouts-summary`
pub(super) async fn payouts_pdf(
    State(app): State<App>,
    caller: Caller,
    parameters: Parameters,
) -> Response {
    let report = match parameters.range() {
        Ok((_, _, filter)) => reports::payouts_pdf(&app, &caller.merchant.merchant_id, filter)
            .await
            .map(|document| file(Body::from(document), PDF, None))
            .map_err(ApiError::from),
        Err(error) => Err(error),
    };
    answer(PDF, report)
}

async fn one_csv(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<Response, ApiError> {
    let reference = parameters.required_payment_reference()?;
    let merchant_id = &caller.merchant.merchant_id;
    let chunks = reports::payout_csv(app, merchant_id, &reference, Columns::Api)
        .await?
        .ok_or_else(|| no_payout(&reference))?;
    Ok(file(Body::from_stream(chunks), CSV, Some((&reference, FileKind::Csv))))
}

async fn one_pdf(
    app: &App,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<Response, ApiError> {
    let reference = parameters.required_payment_reference()?;
    let document = reports::payout_pdf(app, &caller.merchant.merchant_id, &reference)
        .await?
        .ok_or_else(|| no_payout(&reference))?;
    Ok(file(Body::from(document), PDF, Some((&reference, FileKind::Pdf))))
}

fn file(
    body: Body,
    media_type: HeaderValue,
    of: Option<(&PaymentReference, FileKind)>,
) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    if let Some((reference, kind)) = of {
        let name = reports::api_file_name(reference, kind);
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            response.headers_mut().insert(CONTENT_DISPOSITION, value);
        }
    }
    response
}

/// The file, or the refusal under its media type.
fn answer(media_type: HeaderValue, report: Result<Response, ApiError>) -> Response {
    report.unwrap_or_else(|error| {
        let mut response = error.into_response();
        response.extensions_mut().insert(ErrorMediaType(media_type));
        response
    })
}
