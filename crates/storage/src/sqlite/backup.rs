//! Copies of a database file. See [`crate::backup`] for what they promise.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::configure;
use super::connection::engine_error;
use super::lock::{FileLock, open_private, sync_directory};
use crate::backup::Copied;
use crate::error::{Error, ErrorKind};

pub(crate) fn copy(from: &Path, to: &Path) -> Result<Copied, Error> {
    if !from.is_file() {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!("there is no database at {}", from.display()),
        ));
    }
    refuse_existing(to)?;
    let draft = Draft::beside(to)?;
    // Not made when it is missing. A log that a dead process left is read, which needs the right to write.
    vacuum_into(from, OpenFlags::SQLITE_OPEN_READ_WRITE, &draft.path)?;
    check(&draft.path)?;
    draft.publish(to)
}

pub(crate) fn check(copy: &Path) -> Result<(), Error> {
    if !copy.is_file() {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!("there is no file {}", copy.display()),
        ));
    }
    let damaged = |source| {
        let what = format!("{} cannot be read as a database", copy.display());
        engine_error(source, &what)
    };
    let raw = Connection::open_with_flags(
        copy,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(damaged)?;
    let found: String =
        raw.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if found != "ok" {
        return Err(Error::new(
            ErrorKind::Engine,
            format!("{} is damaged: {found}", copy.display()),
        ));
    }
    let migrations: i64 = raw
        .query_row(
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
            [],
            |row| row.get(0),
        )
        .map_err(damaged)?;
    if migrations == 1 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Misuse,
        format!("{} is a database, but none that this program made", copy.display()),
    ))
}

pub(crate) fn restore(from: &Path, to: &Path) -> Result<Copied, Error> {
    check(from)?;
    // Held until the copy is in its place: nobody opens a database there meanwhile.
    let _lock = FileLock::alone(to)?;
    for path in
        [Some(to.to_path_buf()), beside(to, "-wal"), beside(to, "-shm"), beside(to, "-journal")]
            .into_iter()
            .flatten()
    {
        refuse_existing(&path)?;
    }
    let draft = Draft::beside(to)?;
    vacuum_into(from, OpenFlags::SQLITE_OPEN_READ_ONLY, &draft.path)?;
    check(&draft.path)?;
    draft.publish(to)
}

/// One instant of a database, as a fresh file without free pages.
fn vacuum_into(from: &Path, access: OpenFlags, to: &Path) -> Result<(), Error> {
    let failed = |source| engine_error(source, "the database cannot be copied");
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let raw = Connection::open_with_flags(from, flags).map_err(failed)?;
    configure(&raw, "")?;
    let to = to.to_str().ok_or_else(|| {
        Error::new(ErrorKind::Misuse, "the name of a copy has to be readable as UTF-8")
    })?;
    raw.execute("VACUUM INTO ?1", [to]).map_err(failed)?;
    Ok(())
}

fn refuse_existing(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(exists(path))
}

fn exists(path: &Path) -> Error {
    Error::new(
        ErrorKind::Misuse,
        format!(
            "{} exists, and nothing is overwritten: choose another name, or move it away first",
            path.display()
        ),
    )
}

fn beside(path: &Path, suffix: &str) -> Option<PathBuf> {
    let mut name = OsString::from(path.file_name()?);
    name.push(suffix);
    Some(path.with_file_name(name))
}

/// A copy that has no name yet. It is taken away again unless it gets one.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// An empty file that only its owner may read, in the directory where the copy will be.
    fn beside(place: &Path) -> Result<Self, Error> {
        let path = beside(place, &format!(".{}.part", std::process::id())).ok_or_else(|| {
            Error::new(ErrorKind::Misuse, format!("{} names no file", place.display()))
        })?;
        // What an earlier process of the same number left.
        let _ = fs::remove_file(&path);
        let draft = Self { path };
        open_private(&draft.path).map_err(|source| failed("cannot write", &draft.path, source))?;
        Ok(draft)
    }

    /// Makes the copy durable and gives it its name, unless something has that name by now.
    fn publish(self, place: &Path) -> Result<Copied, Error> {
        let file = OpenOptions::new()
            .write(true)
            .open(&self.path)
            .map_err(|source| failed("cannot open", &self.path, source))?;
        file.sync_all().map_err(|source| failed("cannot write", &self.path, source))?;
        let bytes =
            file.metadata().map_err(|source| failed("cannot read", &self.path, source))?.len();
        match fs::hard_link(&self.path, place) {
            Ok(()) => {}
            Err(source) if source.kind() == IoErrorKind::AlreadyExists => {
                return Err(exists(place));
            }
            // Not every file system has links: the name is taken first, then filled.
            Err(_) => {
                File::create_new(place).map_err(|source| match source.kind() {
                    IoErrorKind::AlreadyExists => exists(place),
                    _ => failed("cannot write", place, source),
                })?;
                fs::rename(&self.path, place)
                    .map_err(|source| failed("cannot write", place, source))?;
            }
        }
        sync_directory(place);
        Ok(Copied { bytes })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already, or a file that says by its name what it is.
        let _ = fs::remove_file(&self.path);
    }
}

fn failed(what: &str, path: &Path, source: std::io::Error) -> Error {
    let message = format!("{what} {}: {source}", path.display());
    Error::with_source(ErrorKind::Unavailable, message, source)
}
