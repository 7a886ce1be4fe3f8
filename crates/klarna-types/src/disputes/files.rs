//! Which files a dispute takes: types, told by extension and by the first bytes, and names.

use std::fmt;

use super::limits;

/// The types of files that a dispute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileType {
    /// `.pdf`
    Pdf,
    /// `.jpg`, `.jpeg`
    Jpeg,
    /// `.png`
    Png,
    /// `.docx`
    Docx,
}

impl FileType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Jpeg, Self::Png, Self::Docx];

    /// The type that a file extension stands for, whatever its case.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "pdf" => Some(Self::Pdf),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "docx" => Some(Self::Docx),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn mime_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    /// Whether a file that begins so can be of this type. A Word document is a ZIP archive; more cannot be told from
    /// its beginning.
    pub fn begins(self, content: &[u8]) -> bool {
        match self {
            // Readers accept some bytes before the mark.
            Self::Pdf => content
                .get(..content.len().min(1_024))
                .is_some_and(|head| head.windows(5).any(|window| window == b"%PDF-")),
            Self::Jpeg => content.starts_with(&[0xff, 0xd8, 0xff]),
            Self::Png => content.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Docx => content.starts_with(b"PK\x03\x04"),
        }
    }
}

/// The rule that a file or its name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileRule {
    /// There is no name, or nothing before the extension.
    #[error("the file has no name")]
    NoName,
    /// The name is too long.
    #[error("a file name has at most {} characters before its extension", limits::FILE_NAME)]
    NameTooLong,
    /// The name leads elsewhere or cannot be shown.
    #[error("a file name has no path and no control characters")]
    NameNotPlain,
    /// The type is not among those that are taken.
    #[error("the file must be a PDF, JPEG, PNG or DOCX")]
    Type,
    /// The name given and the name of the file disagree.
    #[error("the extension of filename must be that of the file")]
    ExtensionsDiffer,
    /// The content is not what the extension says.
    #[error("the content of the file is not what its extension says")]
    Content,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Too much in it.
    #[error("the file has more than {} bytes", limits::FILE_BYTES)]
    TooLarge,
}

/// The name of a file that a dispute takes: not a path, of a known type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    name: String,
    kind: FileType,
}

impl FileName {
    /// Checks a name.
    ///
    /// ```
    /// use klarna_types::disputes::{FileName, FileRule, FileType};
    /// assert_eq!(FileName::parse("Delivery note.PDF").unwrap().kind(), FileType::Pdf);
    /// assert_eq!(FileName::parse("../secret.pdf"), Err(FileRule::NameNotPlain));
    /// assert_eq!(FileName::parse("run.exe"), Err(FileRule::Type));
    /// ```
    pub fn parse(name: &str) -> Result<Self, FileRule> {
        if name.is_empty() {
            return Err(FileRule::NoName);
        }
        if name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}'))
        {
            return Err(FileRule::NameNotPlain);
        }
        let (stem, extension) = name.rsplit_once('.').ok_or(FileRule::Type)?;
        let kind = FileType::of_extension(extension).ok_or(FileRule::Type)?;
        if stem.trim().is_empty() {
            return Err(FileRule::NoName);
        }
        if stem.chars().count() > limits::FILE_NAME {
            return Err(FileRule::NameTooLong);
        }
        Ok(Self { name: name.to_owned(), kind })
    }

    /// The name under which a file is kept: `given` if there is one, else that of the file itself. With both, their
    /// extensions must be the same.
    pub fn choose(given: Option<&str>, of_file: Option<&str>) -> Result<Self, FileRule> {
        match (given, of_file) {
            (Some(given), Some(of_file)) => {
                let given = Self::parse(given)?;
                let same = match of_file.rsplit_once('.') {
                    Some((_, extension)) => given.extension().eq_ignore_ascii_case(extension),
                    // A client that streams has no name to send.
                    None => true,
                };
                if same { Ok(given) } else { Err(FileRule::ExtensionsDiffer) }
            }
            (Some(name), None) | (None, Some(name)) => Self::parse(name),
            (None, None) => Err(FileRule::NoName),
        }
    }

    /// Checks the content against the name.
    pub fn check(&self, content: &[u8]) -> Result<(), FileRule> {
        if content.is_empty() {
            Err(FileRule::Empty)
        } else if content.len() > limits::FILE_BYTES {
            Err(FileRule::TooLarge)
        } else if self.kind.begins(content) {
            Ok(())
        } else {
            Err(FileRule::Content)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What the extension stands for.
    pub fn kind(&self) -> FileType {
        self.kind
    }

    fn extension(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}
