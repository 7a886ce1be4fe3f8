//! The SDK against whatever answers: headers, bodies, links, files.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use klarna::types::disputes::{FileName, ListDisputes};
use klarna::types::order_management::{CreateCapture, CreateRefund};
use klarna::{
    Client, Credentials, MinorUnits, OrderId, PaymentDisputeId, PayoutFilter, SessionId,
    TransactionFilter, Upload,
};
use tower::service_fn;

use crate::Input;

/// After so many requests nothing answers any more.
const REQUESTS: usize = 24;

const HOST: &str = "klarna.example";

/// An answer written like HTTP: a status, headers a line each, an empty line, a body.
fn read(data: &[u8]) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = &after[1..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    };
    if let Some(status) = line().and_then(|line| StatusCode::from_bytes(line).ok()) {
        *answer.status_mut() = status;
    }
    while let Some(line) = line().filter(|line| !line.is_empty()) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            answer.headers_mut().append(name, value);
        }
    }
    *answer.body_mut() = Full::new(Bytes::copy_from_slice(rest));
    answer
}

fn runtime() -> tokio::runtime::Runtime {
    // Its clock jumps to the next thing to wait for: retries and pacing cost no time.
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Every kind of call gets this answer: none panics, none runs forever, and none tells another host the
/// credentials, whatever the links say.
pub(crate) fn answer(data: &[u8]) {
    let data = Bytes::copy_from_slice(data);
    let sent = Arc::new(Mutex::new(0_usize));
    let counter = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let data = data.clone();
        let sent = Arc::clone(&counter);
        async move {
            assert_eq!(request.uri().host(), Some(HOST), "credentials would have gone elsewhere");
            let mut sent = sent.lock().unwrap();
            *sent += 1;
            if *sent > REQUESTS { Err("nobody is there") } else { Ok(read(&data)) }
        }
    });
    let client = Client::builder(Credentials::new("K123_abc", "secret"))
        .base_url(&format!("https://{HOST}"))
        .unwrap()
        .transport(service)
        .build()
        .unwrap();
    runtime().block_on(async {
        let order = OrderId::new("o-1");
        let start = || *sent.lock().unwrap() = 0;
        drop(client.payments().session(&SessionId::new("s-1")).await);
        start();
        drop(client.orders().get(&order).await);
        start();
        drop(client.orders().capture(&order, &CreateCapture::new(MinorUnits::new(1))).await);
        drop(client.orders().refund(&order, &CreateRefund::new(MinorUnits::new(1))).await);
        start();
        let mut payouts = client.settlements().payouts(&PayoutFilter::new()).items();
        for _ in 0..8 {
            let Some(Ok(_)) = payouts.next().await else { break };
        }
        start();
        let mut rows = client.settlements().transactions(&TransactionFilter::new()).items();
        for _ in 0..8 {
            let Some(Ok(_)) = rows.next().await else { break };
        }
        start();
        let mut disputes = client.disputes().list(&ListDisputes::new()).items();
        for _ in 0..8 {
            let Some(Ok(_)) = disputes.next().await else { break };
        }
        start();
        if let Err(error) = client.disputes().get(&PaymentDisputeId::new("d-1")).await {
            assert!(!error.to_string().is_empty());
            assert!(!format!("{error:?}").contains("secret"));
            drop(error.network_body());
        }
    });
}

/// A file of any name and content is one part of a form and arrives as it is.
pub(crate) fn upload(data: &[u8]) {
    let mut input = Input::new(data);
    let (name, content_type) = (input.text(), input.text());
    let content = Bytes::from(input.rest().into_bytes());
    let mut file = Upload::new(name.clone(), content.clone());
    if !content_type.is_empty() {
        file = file.with_content_type(content_type.clone());
    }
    let taken = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&taken);
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let keep = Arc::clone(&keep);
        async move {
            let form = request.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            *keep.lock().unwrap() = Some((form, body));
            let mut answer = Response::new(Full::<Bytes>::default());
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            Ok::<_, Infallible>(answer)
        }
    });
    let client = Client::builder(Credentials::new("K123_abc", "secret"))
        .base_url(&format!("https://{HOST}"))
        .unwrap()
        .transport(service)
        .build()
        .unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        drop(client.disputes().upload(&PaymentDisputeId::new("d-1"), &file).await);
    });
    let Some((form, body)) = taken.lock().unwrap().take() else { return };
    if content_type.is_empty() {
        runtime.block_on(parts(&form, &body, &content));
        // The playground takes it if the rules for files do, under the same name; what no header can
        // have became a space.
        let plain = name.replace(|character: char| character.is_ascii_control(), " ");
        let expected = FileName::parse(&plain).and_then(|name| name.check(&content).map(|()| name));
        let found = runtime.block_on(playground::fuzz::form(&form, body));
        match (expected, found) {
            (Ok(expected), Ok((name, found))) => {
                assert_eq!((expected.as_str(), &content[..]), (&*name, &found[..]));
            }
            (Ok(expected), Err(reason)) => panic!("{:?}: {reason}", expected.as_str()),
            (Err(rule), Ok((name, _))) => panic!("{name:?} breaks a rule: {rule}"),
            (Err(_), Err(_)) => {}
        }
    }
}

async fn parts(form: &str, body: &Bytes, content: &Bytes) {
    let boundary = multer::parse_boundary(form).unwrap();
    let body = body.clone();
    let stream = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut names = Vec::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap_or_default().to_owned();
        let found = field.bytes().await.unwrap();
        if name == "file" {
            assert_eq!(&found, content);
        }
        names.push(name);
    }
    assert_eq!(names, ["filename", "file"]);
}
