//! What every call passes through, in and out: correlation id, size limits, credentials, rate
//! limits, panics, error bodies and the request log.
//!
//! Handlers see only calls that are allowed to be there; this module knows nothing of what they do.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use klarna_types::MerchantId;
use service::Clock as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use crate::UnauthorizedForm;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, ErrorMediaType};
use crate::api::form::Form;
use crate::api::limits::{self, Category, Quota};
use crate::api::respond::AnswerBody;
use crate::app::App;
use crate::domain::merchant::MerchantStatus;
use crate::faults::{Sent, Struck};
use crate::requests::{Direction, Entry};

/// How much of a body that is too large is read before the answer, so that a client that is still
/// sending gets to see it.
const DRAINED_BYTES: usize = 16 * limits::MAX_BODY_BYTES;

const CORRELATION_ID: HeaderName = HeaderName::from_static("klarna-correlation-id");
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-sim-environment");

/// Paths of Klarna's APIs: authenticated, limited, logged.
const KLARNA_PATHS: [&str; 10] = [
    "/payments/",
    "/ordermanagement/",
    "/customer-token/",
    "/hpp/",
    "/iss/",
    "/settlements/",
    "/disputes/",
    "/v4/payment/disputes",
    "/v2/payment/",
    "/merchantcard/",
];

/// The page that Klarna's edge answers wrong credentials with.
const UNAUTHORIZED_PAGE: &str = "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n\
<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>openresty</center>\r\n\
</body>\r\n</html>\r\n";

/// What the log needs to know of a call once it is answered.
#[derive(Default)]
struct Seen {
    merchant_id: Option<MerchantId>,
    quota: Option<Quota>,
    request_body: Bytes,
    /// Held until the call is over.
    upload: Option<OwnedSemaphorePermit>,
}

/// The middleware.
pub(crate) async fn edge(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if KLARNA_PATHS.iter().any(|prefix| path.starts_with(prefix)) {
        klarna(app, request, next).await
    } else {
        own(request, next).await
    }
}

/// A call of one of Klarna's APIs.
async fn klarna(app: App, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let correlation_id = correlation_id();
    let method = request.method().clone();
    let path = request
        .uri()
        .path_and_query()
        .map_or_else(|| request.uri().path().to_owned(), |path| path.as_str().to_owned());
    let mut seen = Seen::default();
    let mut response = match admit(&app, request, &mut seen).await {
        Ok(request) => guarded(next, request).await,
        Err(refusal) => refusal.into_response(),
    };
    let error = finish(&mut response, correlation_id, Form::of(&path));
    let quota = seen.quota.unwrap_or_else(|| Quota::untouched(&method, &path, app.rate_limits()));
    quota.write(response.headers_mut());
    let status = response.status();
    // What was recorded is a page.
    if status == StatusCode::UNAUTHORIZED && app.unauthorized() == UnauthorizedForm::Html {
        response = unauthorized_page(response);
    }
    let response_body = response
        .extensions_mut()
        .remove::<AnswerBody>()
        .map(|AnswerBody(body)| body)
        .unwrap_or_default();
    let struck = response.extensions().get::<Struck>();
    let is_dropped = struck.is_some_and(Struck::is_dropped);
    let faults = struck.map(|struck| struck.injected.clone()).unwrap_or_default();
    app.requests().push(Entry {
        direction: Direction::Api,
        at_ms: app.clock().now_ms(),
        merchant_id: seen.merchant_id,
        method,
        path,
        status: (!is_dropped).then_some(status.as_u16()),
        correlation_id,
        duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        request_body: seen.request_body,
        response_body,
        explanation: error.and_then(|error| error.explanation),
        subject_id: None,
        faults,
    });
    response
}

/// A call of what is ours: the browser side, the control API, pages.
async fn own(request: Request, next: Next) -> Response {
    let correlation_id = correlation_id();
    let mut response = match admit_own(request).await {
        Ok(request) => guarded(next, request).await,
        Err(refusal) => refusal.into_response(),
    };
    // Klarna keeps its reasons to itself; what is ours explains itself to its caller.
    if let Some(error) = response.extensions_mut().get_mut::<ApiError>()
        && error.messages.is_empty()
        && !error.status.is_server_error()
    {
        error.messages.extend(error.explanation.clone());
    }
    finish(&mut response, correlation_id, Form::Standard);
    response
}

/// Lets a call of one of Klarna's APIs in, or says why not.
async fn admit(app: &App, request: Request, seen: &mut Seen) -> Result<Request, ApiError> {
    check_headers(request.headers())?;
    let account = app.directory().authenticate(request.headers());
    let (mut parts, body) = request.into_parts();
    // The body is taken in before anything is refused: a client that is still sending would
    // otherwise see a broken connection instead of the answer.
    let max_bytes = match &account {
        Some(account) if limits::is_upload(parts.uri.path()) => {
            seen.upload = account.uploads.enter().await;
            limits::max_body_bytes(parts.uri.path())
        }
        // Files of a stranger are not kept while they are refused.
        _ => limits::MAX_BODY_BYTES,
    };
    // So is one that means nothing: left where it is, it would end the connection.
    let body = read_body(&parts, body, max_bytes).await.map(|body| match parts.method {
        Method::GET | Method::HEAD => None,
        _ => Some(body),
    });
    let account = account.ok_or_else(|| {
        ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED")
            .because("the credentials are missing, wrong or not of this environment")
    })?;
    let merchant = account.merchant.clone();
    seen.merchant_id = Some(merchant.merchant_id.clone());
    let category = Category::of(&parts.method, parts.uri.path());
    let quota = account.counters.take(category, app.rate_limits(), app.clock().base_ms());
    seen.quota = Some(quota);
    if !quota.granted {
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
            .message("Too many requests"));
    }
    if merchant.settings.status == MerchantStatus::Inactive {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "MERCHANT_INACTIVE"));
    }
    check_path(parts.uri.path())?;
    let body = match body? {
        Some(bytes) => {
            seen.request_body = bytes.clone();
            parts.extensions.insert(Sent(bytes.clone()));
            Body::from(bytes)
        }
        None => Body::empty(),
    };
    parts.extensions.insert(Caller { merchant });
    Ok(Request::from_parts(parts, body))
}

/// Limits sizes; who may call is decided by the routes themselves.
async fn admit_own(request: Request) -> Result<Request, ApiError> {
    check_headers(request.headers())?;
    check_path(request.uri().path())?;
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let body = read_body(&parts, body, limits::MAX_BODY_BYTES).await?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Refuses a path that is no text, before a route gets to see it.
fn check_path(path: &str) -> Result<(), ApiError> {
    if is_text(path) {
        return Ok(());
    }
    Err(ApiError::bad_request().because("the path has percent signs that stand for no UTF-8"))
}

/// Whether a path is UTF-8 once its percent signs are read.
fn is_text(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let read = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(read.unwrap_or(byte));
        rest = if read.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn check_headers(headers: &HeaderMap) -> Result<(), ApiError> {
    limits::check_headers(headers).map_err(|reason| {
        ApiError::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "REQUEST_HEADER_FIELDS_TOO_LARGE",
        )
        .because(reason)
    })
}

/// Reads a body that is as large as the operation allows, at most.
async fn read_body(call: &Parts, body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    let announced = call
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if announced == Some(0) {
        return Ok(Bytes::new());
    }
    if announced.is_some_and(|bytes| bytes > max_bytes) {
        // Whoever asked first waits for the answer, and will not send.
        if !call.headers.contains_key(header::EXPECT) {
            drain(body).await;
        }
        return Err(too_large(max_bytes));
    }
    let mut body = body;
    let mut first = Bytes::new();
    let mut rest: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            ApiError::bad_request().because(format_args!("the body broke off: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max_bytes {
            drain(body).await;
            return Err(too_large(max_bytes));
        }
        // Most bodies come in one piece and are then not copied.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.into() })
}

/// Reads on without keeping anything.
async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > DRAINED_BYTES {
            break;
        }
    }
}

fn too_large(max_bytes: usize) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "REQUEST_TOO_LARGE")
        .message("Request is too large")
        .because(format_args!("a body may have {max_bytes} bytes"))
}

/// Runs the handler; a panic in it becomes an internal error.
async fn guarded(next: Next, request: Request) -> Response {
    let mut running = pin!(next.run(request));
    let outcome = poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(Poll::Ready(response)) => Poll::Ready(Ok(response)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(panic)),
        }
    });
    match outcome.await {
        Ok(response) => response,
        Err(panic) => {
            let reason = panic_text(panic.as_ref());
            ApiError::internal(format_args!("a handler panicked: {reason}")).into_response()
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// Writes the correlation id, and the body if the answer is an error, which is then returned.
fn finish(response: &mut Response, correlation_id: Uuid, form: Form) -> Option<ApiError> {
    let mut text = Uuid::encode_buffer();
    let text = correlation_id.hyphenated().encode_lower(&mut text);
    // Hexadecimal digits and hyphens are always a header value.
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(CORRELATION_ID, value);
    }
    response.headers_mut().insert(ENVIRONMENT, HeaderValue::from_static("playground"));
    let error = response.extensions_mut().remove::<ApiError>()?;
    if error.status.is_server_error() && response.extensions().get::<Struck>().is_none() {
        tracing::error!(
            klarna.correlation_id = text,
            cause = error.explanation.as_deref().unwrap_or_default(),
            "a call failed on the playground's side"
        );
    }
    let body = Bytes::from(form.body(&error, correlation_id));
    *response.body_mut() = Body::from(body.clone());
    let media_type = match response.extensions_mut().remove::<ErrorMediaType>() {
        Some(ErrorMediaType(media_type)) => media_type,
        None => HeaderValue::from_static("application/json"),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response.extensions_mut().insert(AnswerBody(body));
    Some(error)
}

/// The answer to wrong credentials, in the form that was recorded at Klarna's edge.
fn unauthorized_page(mut response: Response) -> Response {
    let mut page = Response::new(Body::from(UNAUTHORIZED_PAGE));
    *page.status_mut() = StatusCode::UNAUTHORIZED;
    *page.headers_mut() = std::mem::take(response.headers_mut());
    page.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    page.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"very closed site\""),
    );
    page.extensions_mut().insert(AnswerBody(Bytes::from_static(UNAUTHORIZED_PAGE.as_bytes())));
    page
}

/// A fresh id. It names a call and guards nothing, so the thread's own generator is good enough.
fn correlation_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn broken() -> &'static str {
        panic!("boom")
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_with_a_correlation_id() {
        let layer = from_fn(|request: Request, next: Next| async move {
            let mut response = guarded(next, request).await;
            let error = finish(&mut response, Uuid::nil(), Form::Standard);
            assert_eq!(
                error.and_then(|error| error.explanation).as_deref(),
                Some("a handler panicked: boom")
            );
            response
        });
        let router = Router::new().route("/", get(broken)).layer(layer);
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error_code"], "INTERNAL_SERVER_ERROR");
        assert_eq!(body["error_messages"][0], "Internal error");
        assert_eq!(body["correlation_id"], Uuid::nil().to_string());
    }

    #[test]
    fn a_path_is_text_or_not() {
        for path in ["/", "/a%20b", "/%C3%A5", "/%c3%a5/%F0%9F%98%80", "/%", "/%z1", "/%4"] {
            assert!(is_text(path), "{path}");
        }
        for path in ["/%FF", "/%C3", "/%C3/%A5", "/%ed%a0%80", "/a%80"] {
            assert!(!is_text(path), "{path}");
        }
    }
}
