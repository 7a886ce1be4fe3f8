//! Making a call: the request as it will be sent, a question before something is changed live, the call
//! through the SDK, and what is shown of its answer.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use klarna::retry::Repeat;
use klarna::{Client, IdempotencyKey, RawCall, Transport, Upload};
use serde_json::{Map, Value, json};
use tower::util::MapResponse;

use crate::file::File;
use crate::report::{Output, out};
use crate::tool::api::body;
use crate::tool::api::command::{ApiCommand, ApiFlags, Content, What};
use crate::tool::api::operations::{Answer, Body, Key, Operation};
use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::text;
use crate::tool::target::{Merchant, Target};
use crate::tool::{answer, show};

/// Where version 2 of the Disputes API looks for the merchant.
const BASIC_MID: &str = "x-klarna-basic-mid";

/// Members that no request shows when it is only printed.
const SECRET_MEMBERS: [&str; 6] = [
    "authorization_token",
    "client_token",
    "customer_token",
    "national_identification_number",
    "otp",
    "password",
];

/// A request, ready to be sent.
struct Prepared {
    operation: Option<&'static Operation>,
    method: Method,
    /// With its query.
    path: String,
    /// The same as it may be shown.
    shown_path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Value>,
    file: Option<PathBuf>,
    key: Option<IdempotencyKey>,
}

/// Makes the call.
pub(super) async fn run(command: ApiCommand, file: &File, output: Output) -> Result<(), Failure> {
    let ApiCommand { what, content, flags } = command;
    let target = Target::of(&flags.playground, &flags.klarna, file)?;
    let request = prepare(&what, &content)?;
    if flags.dry_run {
        // Whoever only looks needs no credentials.
        let merchant = Merchant::of(&flags.merchant, &target, file).ok();
        dry_run(&request, &target, merchant.as_ref(), output);
        return Ok(());
    }
    let merchant = Merchant::of(&flags.merchant, &target, file)?;
    let seen = Seen::default();
    let client = seen
        .watch(target.client(&merchant)?)
        .build()
        .map_err(|error| Failure::usage(error.to_string()))?;
    let request = addressed(request, &merchant)?;
    confirm(&request, &target, &flags)?;
    let call = raw_call(&client, &request)?;
    let is_download = request.operation.is_some_and(|operation| operation.answer == Answer::File);
    let outcome = if is_download || content.output.is_some() {
        download(call, content.output.as_deref(), output).await
    } else {
        json_call(call, &seen, output).await
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(failure) => Err(explained(failure, &target, &flags, file).await),
    }
}

fn prepare(what: &What, content: &Content) -> Result<Prepared, Failure> {
    let mut body = body::compose(content.data.as_deref(), &content.set)?;
    match what {
        What::Known { operation, path, query } => {
            match operation.body {
                Body::Required(example) if body.is_none() => {
                    return Err(Failure::usage(format!(
                        "{} {} needs a body",
                        operation.area, operation.command
                    ))
                    .remedy(format!("--data '{example}'")));
                }
                Body::Fixed(document) => body = serde_json::from_str(document).ok(),
                _ => {}
            }
            let key = match (operation.key, &content.key) {
                (Key::Ignored, _) => None,
                (Key::Taken, Some(key)) => Some(key.clone()),
                // Made up here, so that a failure can name it.
                (Key::Taken, None) => {
                    IdempotencyKey::parse(service::random::key().to_string()).ok()
                }
            };
            let shown: Vec<String> = operation
                .path_parameters()
                .zip(path)
                .map(
                    |(name, value)| {
                        if name.ends_with("_token") { "***".to_owned() } else { value.clone() }
                    },
                )
                .collect();
            Ok(Prepared {
                operation: Some(operation),
                method: method(operation.method)?,
                path: fill(operation.path, path, query)?,
                shown_path: fill(operation.path, &shown, query)?,
                headers: Vec::new(),
                body,
                file: content.file.clone(),
                key,
            })
        }
        What::Raw { method: name, path } => {
            if !path.starts_with('/') {
                return Err(Failure::usage("a path begins with a slash")
                    .remedy("kassa api raw GET /ordermanagement/v1/orders/ORDER_ID"));
            }
            Ok(Prepared {
                operation: None,
                method: method(name)?,
                path: path.clone(),
                shown_path: path.clone(),
                headers: Vec::new(),
                body,
                file: None,
                key: content.key.clone(),
            })
        }
    }
}

fn method(name: &str) -> Result<Method, Failure> {
    match name {
        "GET" | "POST" | "PATCH" | "PUT" | "DELETE" => {
            Method::from_bytes(name.as_bytes()).map_err(|error| Failure::usage(error.to_string()))
        }
        other => Err(Failure::usage(format!("`{}` is not a method", show::plain(other)))
            .remedy("GET, POST, PATCH, PUT or DELETE")),
    }
}

/// Puts values into a path, so that none can leave its segment.
fn fill(
    template: &str,
    values: &[String],
    query: &[(&'static str, String)],
) -> Result<String, Failure> {
    // Klarna's resource names are full of colons.
    let unreserved = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'*')
    };
    let mut path = String::new();
    let mut values = values.iter();
    for segment in template.split('/').skip(1) {
        path.push('/');
        if !segment.starts_with('{') {
            path.push_str(segment);
            continue;
        }
        match values.next().map(String::as_str) {
            None | Some("" | "." | "..") => {
                return Err(Failure::usage(format!("{segment} cannot be empty")));
            }
            Some(value) => {
                for byte in value.bytes() {
                    if unreserved(byte) {
                        path.push(char::from(byte));
                    } else {
                        let _ = write!(path, "%{byte:02X}");
                    }
                }
            }
        }
    }
    if !query.is_empty() {
        let mut serializer = url::form_urlencoded::Serializer::new(String::new());
        serializer.extend_pairs(query);
        path.push('?');
        path.push_str(&serializer.finish());
    }
    Ok(path)
}

/// Adds what says whose call it is.
fn addressed(mut request: Prepared, merchant: &Merchant) -> Result<Prepared, Failure> {
    if request.path.starts_with("/disputes/v2/") {
        let id = merchant.merchant_id().ok_or_else(|| {
            Failure::usage("version 2 of the Disputes API wants to know the merchant id")
                .remedy("put it in KASSA_KLARNA_MERCHANT_ID")
        })?;
        let value = HeaderValue::from_str(&id)
            .map_err(|_| Failure::usage("the merchant id has characters that none has"))?;
        request.headers.push((HeaderName::from_static(BASIC_MID), value));
    }
    Ok(request)
}

fn raw_call(client: &Client, request: &Prepared) -> Result<RawCall, Failure> {
    let mut call = client.raw(request.method.clone(), request.path.clone());
    if let Some(operation) = request.operation {
        call = call.route(operation.path);
    }
    for (name, value) in &request.headers {
        call = call.header(name.clone(), value.clone());
    }
    if let Some(body) = &request.body {
        call = call.json(body);
    }
    if let Some(path) = &request.file {
        let content = std::fs::read(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        // A file that is not named afterwards counts for nothing.
        call = call.upload(&Upload::new(name.unwrap_or_default(), content)).repeat(Repeat::Safe);
    }
    if let Some(key) = &request.key {
        call = call.idempotency_key(key.clone());
    }
    Ok(call)
}

async fn json_call(call: RawCall, seen: &Seen, output: Output) -> Result<(), Failure> {
    let (body, meta) = call.send_raw().await?.into_parts();
    if meta.tries > 1 && output == Output::Human {
        // A fault that was armed, or a real one: whoever looks on wants to know.
        let _ = writeln!(std::io::stderr(), "(answered at try {})", meta.tries);
    }
    if !body.is_empty() {
        let Ok(value) = serde_json::from_slice::<Value>(&body) else {
            // Not JSON: a page, or a file that was asked for by path.
            return unshown(&body, output);
        };
        answer(output, &value, show::document);
        return Ok(());
    }
    let mut members = Map::new();
    members.insert("status".to_owned(), meta.status.as_u16().into());
    members.extend(seen.ids());
    if let Some(id) = &meta.correlation_id {
        members.insert("correlation_id".to_owned(), id.as_str().into());
    }
    if let Some(key) = &meta.idempotency_key {
        members.insert("idempotency_key".to_owned(), key.as_str().into());
    }
    answer(output, &Value::Object(members), |value| format!("Done.\n{}", show::document(value)));
    Ok(())
}

fn unshown(body: &[u8], output: Output) -> Result<(), Failure> {
    if output == Output::Json {
        return Err(Failure::failed("the answer is not JSON").remedy("--output FILE keeps it"));
    }
    match std::str::from_utf8(body) {
        Ok(text) if !std::io::stdout().is_terminal() || !text.chars().any(is_unprintable) => {
            out(text);
            Ok(())
        }
        _ => Err(Failure::failed("the answer is a file").remedy("--output FILE keeps it")),
    }
}

fn is_unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// Writes a file as it arrives; under its name only when it is whole.
async fn download(call: RawCall, to: Option<&Path>, output: Output) -> Result<(), Failure> {
    let Some(path) = to else {
        if output == Output::Json {
            return Err(Failure::usage("--json speaks JSON, and the answer is a file")
                .remedy("--output FILE says where it goes"));
        }
        let mut download = call.download().await?;
        let is_text = download.content_type().is_some_and(|kind| kind.starts_with("text/"));
        if !is_text && std::io::stdout().is_terminal() {
            return Err(Failure::usage("the answer is not a text")
                .remedy("--output FILE says where it goes"));
        }
        while let Some(piece) = download.next().await {
            let piece = piece?;
            let mut stdout = std::io::stdout().lock();
            // Whoever reads no more wants no more.
            if stdout.write_all(&piece).and_then(|()| stdout.flush()).is_err() {
                break;
            }
        }
        return Ok(());
    };
    let download = call.download().await?;
    let path = match download.file_name() {
        Some(name) if path.is_dir() => path.join(name),
        _ => path.to_path_buf(),
    };
    let cannot = |error: &std::io::Error| {
        Failure::failed(format!("cannot write {}: {error}", path.display()))
    };
    let content_type = download.content_type().map(str::to_owned);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let draft = tempfile::NamedTempFile::new_in(folder).map_err(|error| cannot(&error))?;
    let (file, draft) = draft.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let bytes = download.write_to(&mut file).await.map_err(|error| lost(&error))?;
    file.sync_all().await.map_err(|error| cannot(&error))?;
    draft.persist(&path).map_err(|error| cannot(&error.error))?;
    let value = json!({
        "file": path.display().to_string(), "bytes": bytes, "content_type": content_type,
    });
    answer(output, &value, |_| format!("Wrote {bytes} bytes to {}.\n", path.display()));
    Ok(())
}

fn lost(error: &std::io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<klarna::Error>()) {
        Some(error) => Failure::of_call(error),
        None => Failure::failed(format!("the answer could not be written: {error}")),
    }
}

/// Asks before something is changed for real.
fn confirm(request: &Prepared, target: &Target, flags: &ApiFlags) -> Result<(), Failure> {
    if !target.is_live() || request.method == Method::GET || flags.klarna.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("this changes something at Klarna, and nobody is there to ask")
            .remedy("--yes, if it is meant"));
    }
    let word = target.base_url().trim_start_matches("https://").to_owned();
    let mut stderr = std::io::stderr().lock();
    let _ = write!(
        stderr,
        "{} {}{}\nThis is Klarna's live system: what is done here is done for real.\nType {word} to go on: ",
        request.method,
        target.base_url(),
        show::plain(&request.shown_path)
    );
    let _ = stderr.flush();
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    if read.is_ok() && line.trim() == word {
        Ok(())
    } else {
        Err(Failure::failed("nothing was sent"))
    }
}

/// Shows what would be sent.
fn dry_run(request: &Prepared, target: &Target, merchant: Option<&Merchant>, output: Output) {
    let mut headers = Map::new();
    headers.insert("authorization".to_owned(), "Basic ***".into());
    if request.body.is_some() {
        headers.insert("content-type".to_owned(), "application/json".into());
    } else if request.file.is_some() {
        headers.insert("content-type".to_owned(), "multipart/form-data".into());
    }
    if let Some(key) = &request.key {
        headers.insert("klarna-idempotency-key".to_owned(), key.as_str().into());
    }
    if request.path.starts_with("/disputes/v2/") {
        let id = merchant.and_then(Merchant::merchant_id).unwrap_or_else(|| "?".to_owned());
        headers.insert(BASIC_MID.to_owned(), id.into());
    }
    let url = format!("{}{}", target.base_url(), request.shown_path);
    let mut shown = json!({ "method": request.method.as_str(), "url": url, "headers": headers });
    let body = request.body.clone().map(masked);
    if let Some(members) = shown.as_object_mut() {
        if let Some(body) = &body {
            members.insert("body".to_owned(), body.clone());
        }
        if let Some(file) = &request.file {
            members.insert("file".to_owned(), file.display().to_string().into());
        }
    }
    answer(output, &shown, |_| {
        let mut page = format!("{} {}\n", request.method, show::plain(&url));
        for (name, value) in &headers {
            let value = value.as_str().unwrap_or_default();
            page = format!("{page}{name}: {}\n", show::plain(value));
        }
        if let Some(body) = &body {
            let body = serde_json::to_string_pretty(body).unwrap_or_default();
            page = format!("{page}\n{body}\n");
        }
        if let Some(file) = &request.file {
            page = format!("{page}\n(the file {})\n", file.display());
        }
        page
    });
}

fn masked(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                *member = if SECRET_MEMBERS.contains(&name.as_str()) && member.is_string() {
                    "***".into()
                } else {
                    masked(member.take())
                };
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = masked(item.take());
            }
        }
        _ => {}
    }
    value
}

/// A refusal with the reason that the playground keeps beside it, where there is one.
async fn explained(failure: Failure, target: &Target, flags: &ApiFlags, file: &File) -> Failure {
    let event = failure.event();
    let id = text(&event, "correlation_id").to_owned();
    let (false, Target::Playground(_)) = (id.is_empty(), target) else { return failure };
    let Ok(control) = Control::of(&flags.playground, file) else { return failure };
    let Ok(log) = control.get("/requests", &[("correlation_id", id)]).await else { return failure };
    match log.pointer("/requests/0/explanation").and_then(Value::as_str) {
        Some(explanation) => {
            let failure = failure.detail("explanation", explanation);
            if explanation.contains("no such route") {
                return failure.remedy("`kassa api --help` lists what there is");
            }
            failure
        }
        None => failure,
    }
}

/// The headers of the latest answer: two operations answer in nothing else.
#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<HeaderMap>>);

impl Seen {
    fn watch(&self, builder: klarna::ClientBuilder) -> klarna::ClientBuilder {
        let seen = self.clone();
        builder.layer(tower::layer::layer_fn(move |transport: Transport| {
            let seen = seen.clone();
            MapResponse::new(transport, move |answer: http::Response<klarna::ResponseBody>| {
                let mut headers = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                headers.clone_from(answer.headers());
                drop(headers);
                answer
            })
        }))
    }

    fn ids(&self) -> Map<String, Value> {
        let headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ["capture-id", "refund-id", "location"]
            .into_iter()
            .filter_map(|name| {
                let value = headers.get(name)?.to_str().ok()?;
                Some((name.replace('-', "_"), value.into()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_segment() {
        let path = |value: &str| fill("/a/{b}/c", &[value.to_owned()], &[]).ok();
        assert_eq!(path("../x?y").as_deref(), Some("/a/..%2Fx%3Fy/c"));
        assert_eq!(path("krn:k:1").as_deref(), Some("/a/krn:k:1/c"));
        assert_eq!(path(".."), None);
        assert_eq!(path(""), None);
        let query = [("state", "A B".to_owned())];
        assert_eq!(fill("/a", &[], &query).unwrap(), "/a?state=A+B");
    }

    #[test]
    fn secrets_are_masked_wherever_they_are() {
        let body = json!({ "customer": { "customer_token": "t", "x": [{ "otp": "1" }] }, "a": 1 });
        assert_eq!(
            masked(body),
            json!({ "customer": { "customer_token": "***", "x": [{ "otp": "***" }] }, "a": 1 })
        );
    }
}
