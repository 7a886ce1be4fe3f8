//! Reading an upload: a form with a file, whole in memory and bounded.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use klarna_types::disputes::{FileName, FileRule, limits};
use multer::{Constraints, Multipart, SizeLimit};

use crate::store::disputes::StoredFile;

/// What is wrong with an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not a form with files.
    ContentType,
    /// The form cannot be read.
    Form(String),
    /// A part of it breaks a rule.
    Part(&'static str, String),
}

/// The file of an upload.
pub(super) async fn read(headers: &HeaderMap, body: Bytes) -> Result<StoredFile, Wrong> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
    let Some(boundary) = boundary else { return Err(Wrong::ContentType) };
    let stream = futures_util::stream::once(async move { Ok::<_, Infallible>(body) });
    let size = u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX);
    let limit = SizeLimit::new()
        .for_field("file", size)
        // Up to four bytes for each character, and the extension.
        .for_field("filename", 8 * 1_024)
        .per_field(64 * 1_024);
    let constraints = Constraints::new().size_limit(limit);
    let mut form = Multipart::with_constraints(stream, boundary, constraints);
    let (mut file, mut given) = (None, None);
    while let Some(field) = form.next_field().await.map_err(|error| wrong(&error))? {
        match field.name() {
            Some("file") if file.is_some() => {
                return Err(Wrong::Part("file", "was sent more than once".to_owned()));
            }
            Some("file") => {
                let name = field.file_name().map(str::to_owned);
                let content = field.bytes().await.map_err(|error| wrong(&error))?;
                file = Some((name, content));
            }
            Some("filename") => {
                let text = field.text().await.map_err(|error| wrong(&error))?;
                given = Some(text);
            }
            _ => {}
        }
    }
    let Some((of_file, content)) = file else {
        return Err(Wrong::Part("file", "is required and was not sent".to_owned()));
    };
    let name = FileName::choose(given.as_deref(), of_file.as_deref()).map_err(|rule| {
        let parameter = if given.is_some() && rule != FileRule::Type { "filename" } else { "file" };
        Wrong::Part(parameter, rule.to_string())
    })?;
    name.check(&content).map_err(|rule| Wrong::Part("file", rule.to_string()))?;
    Ok(StoredFile {
        name: name.as_str().to_owned(),
        mime_type: name.kind().mime_type().to_owned(),
        content: content.to_vec(),
    })
}

fn wrong(error: &multer::Error) -> Wrong {
    match error {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "file" => {
            Wrong::Part("file", FileRule::TooLarge.to_string())
        }
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "filename" => {
            Wrong::Part("filename", FileRule::NameTooLong.to_string())
        }
        other => Wrong::Form(other.to_string()),
    }
}
