//! Files to be sent: `multipart/form-data` with one file in it.

use std::fmt::Write as _;

use bytes::Bytes;

/// A file to be sent to Klarna: evidence in a dispute.
///
/// ```
/// let upload = klarna::Upload::new("proof.pdf", b"%PDF-1.7 ...".as_slice());
/// assert_eq!(upload.content_type(), "application/pdf");
/// ```
#[derive(Clone)]
pub struct Upload {
    file_name: String,
    content_type: String,
    content: Bytes,
}

impl Upload {
    /// A file by name and content. Its type follows from the end of its name.
    pub fn new(file_name: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let file_name = file_name.into();
        let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
        let content_type = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("pdf") => "application/pdf",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("png") => "image/png",
            Some("docx") => {
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            }
            _ => "application/octet-stream",
        };
        Self { content_type: content_type.to_owned(), file_name, content: content.into() }
    }

    /// Another type than the name says.
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// What the file is called.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// What kind of file it is.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// How large it is, in bytes.
    pub fn len(&self) -> usize {
        self.content.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The body of a request, and its content type.
    pub(crate) fn form(&self) -> (Bytes, String) {
        let boundary = format!("klarna-rust-{}", uuid::Uuid::new_v4().simple());
        self.form_with(&boundary)
    }

    fn form_with(&self, boundary: &str) -> (Bytes, String) {
        let name = quoted(&self.file_name);
        let content_type = one_line(&self.content_type);
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"filename\"\r\n\r\n{}\r\n\
             --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: {content_type}\r\n\r\n",
            one_line(&self.file_name)
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let mut body = Vec::with_capacity(head.len() + self.content.len() + tail.len());
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&self.content);
        body.extend_from_slice(tail.as_bytes());
        (Bytes::from(body), format!("multipart/form-data; boundary={boundary}"))
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Evidence is full of personal data, and so may its name be.
        formatter
            .debug_struct("Upload")
            .field("content_type", &self.content_type)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// What a browser makes of quotes and line ends in a file's name, and of the other characters that no
/// header may have.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for character in name.chars() {
        if character == '"' || character.is_ascii_control() {
            // A string takes whatever is written.
            let _ = write!(quoted, "%{:02X}", u32::from(character));
        } else {
            quoted.push(character);
        }
    }
    quoted
}

fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_ascii_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_in_a_form() {
        let (body, content_type) = Upload::new("a\"b.png", b"\x89PNG".as_slice()).form_with("B");
        assert_eq!(content_type, "multipart/form-data; boundary=B");
        let expected =
            b"--B\r\ncontent-disposition: form-data; name=\"filename\"\r\n\r\na\"b.png\r\n\
            --B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a%22b.png\"\r\n\
            content-type: image/png\r\n\r\n\x89PNG\r\n--B--\r\n";
        assert_eq!(body, Bytes::from_static(expected));
    }

    #[test]
    fn names_cannot_add_headers() {
        let upload =
            Upload::new("x\r\nevil: 1", b"".as_slice()).with_content_type("a/b\r\nevil: 2");
        let (body, _) = upload.form_with("B");
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(!text.contains("\r\nevil"), "{text}");
        assert!(upload.is_empty());
    }

    #[test]
    fn names_of_control_characters_leave_the_form_readable() {
        let upload = Upload::new("\0a\u{1b}\u{7f}\tb.png", b"".as_slice())
            .with_content_type("image/\u{1}png");
        let (body, _) = upload.form_with("B");
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("filename=\"%00a%1B%7F%09b.png\"\r\n"), "{text}");
        assert!(text.contains("content-type: image/ png\r\n"), "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\r' && c != '\n'), "{text}");
    }

    #[test]
    fn types_follow_from_names() {
        for (name, content_type) in [
            ("a.PDF", "application/pdf"),
            ("a.jpeg", "image/jpeg"),
            ("a.b.jpg", "image/jpeg"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(Upload::new(name, b"".as_slice()).content_type(), content_type);
        }
    }
}
