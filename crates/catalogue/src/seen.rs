//! Notes of the answers that tests have seen: written while they run, read when they are done.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The variable that names the directory for the notes. Without it none are taken.
pub const VARIABLE: &str = "KASSA_SEEN_ANSWERS";

/// How files with such notes end.
const ENDING: &str = "tsv";

/// An answer that a test has seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// HTTP method of the call.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The error code; empty when there is none.
    pub code: String,
    /// Whether a fault on demand may have made it up: only what is documented counts then.
    pub made_up: bool,
}

impl Seen {
    fn line(&self) -> String {
        let Self { method, path, status, code, made_up } = self;
        format!("{method}\t{path}\t{status}\t{code}\t{made_up}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split('\t').map(str::to_owned);
        Some(Self {
            method: parts.next()?,
            path: parts.next()?,
            status: parts.next()?.parse().ok()?,
            code: parts.next()?,
            made_up: parts.next()?.parse().ok()?,
        })
    }
}

/// Where this process writes its notes, and which it has written.
struct Book {
    directory: PathBuf,
    program: String,
    written: Mutex<BTreeSet<String>>,
}

static BOOK: LazyLock<Option<Book>> = LazyLock::new(|| {
    let directory = PathBuf::from(std::env::var_os(VARIABLE)?);
    let own = std::env::current_exe().ok()?;
    let own = own.file_stem()?.to_str()?;
    // Cargo adds a hash to the name.
    let program = own.rsplit_once('-').map_or(own, |(name, _)| name).to_owned();
    Some(Book { directory, program, written: Mutex::default() })
});

/// Notes an answer, if notes are wanted. `path` may have a query; `made_up` says whether a fault on demand may have given it.
///
/// # Panics
///
/// When the note cannot be written: then what is documented would look as if it were not given.
pub fn note(method: &str, path: &str, status: u16, code: &str, made_up: bool) {
    if BOOK.is_none() {
        return;
    }
    let path = path.split('?').next().unwrap_or_default();
    let Some(operation) = crate::Operation::of(method, path) else { return };
    let seen = Seen {
        method: method.to_owned(),
        path: operation.path.to_owned(),
        status,
        code: code.replace(char::is_whitespace, " "),
        made_up,
    };
    write(ENDING, &seen.line());
}

/// Writes a line once into this process's file of such an ending, if notes are wanted.
pub(crate) fn write(ending: &str, line: &str) {
    let Some(book) = BOOK.as_ref() else { return };
    let mut written = book.written.lock().unwrap_or_else(PoisonError::into_inner);
    if !written.contains(line) {
        let name = format!("{}-{}.{ending}", book.program, std::process::id());
        let file = book.directory.join(name);
        let opened = OpenOptions::new().create(true).append(true).open(&file);
        let outcome = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(outcome.is_ok(), "{}: {outcome:?}", file.display());
        written.insert(line.to_owned());
    }
}

/// All notes in a directory.
///
/// # Errors
///
/// When the directory or a file in it cannot be read.
pub fn read(directory: &Path) -> io::Result<BTreeSet<Seen>> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            all.extend(fs::read_to_string(path)?.lines().filter_map(Seen::parse));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        for code in ["", "BAD_VALUE"] {
            let seen = Seen {
                method: "GET".to_owned(),
                path: "/payments/v1/sessions/{session_id}".to_owned(),
                status: 404,
                code: code.to_owned(),
                made_up: code.is_empty(),
            };
            assert_eq!(Seen::parse(seen.line().trim_end_matches('\n')), Some(seen));
        }
        assert_eq!(Seen::parse("GET\t/\tmany"), None);
    }
}
