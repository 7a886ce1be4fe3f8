//! One process per database file. SQLite itself would let two processes in; but group commit and the single writer are
//! this process's, and two programs on one file is always a mistake that is better said at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// Held as long as the database is open. The kernel lets go of it when the process dies, however it dies.
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Makes the directory and the database file if need be, closed to other users of the machine, and takes the lock.
    pub(super) fn take(database: &Path) -> Result<Self, Error> {
        let lock = Self::alone(database)?;
        let failed = |source: std::io::Error| {
            Error::with_source(
                ErrorKind::Unavailable,
                format!("cannot open {}: {source}", database.display()),
                source,
            )
        };
        let existed = database.exists();
        drop(open_private(database).map_err(failed)?);
        if !existed {
            // A new file is durable when its directory is. Not every platform can open a directory.
            sync_directory(database);
        }
        Ok(lock)
    }

    /// Takes the lock of a database file that need not exist, and leaves the file as it is.
    pub(super) fn alone(database: &Path) -> Result<Self, Error> {
        let failed = |what: &str, source: std::io::Error| {
            Error::with_source(
                ErrorKind::Unavailable,
                format!("{what} {}: {source}", database.display()),
                source,
            )
        };
        let directory = directory_of(database);
        make_directory(directory)
            .map_err(|source| failed("cannot make the directory of", source))?;
        let lock_path = lock_path(database);
        let mut file = open_private(&lock_path)
            .map_err(|source| failed("cannot make the lock file of", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only a help to the reader of the message: without it the message is still true.
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => String::new(),
                    holder => format!(" (process {holder})"),
                };
                return Err(Error::new(
                    ErrorKind::InUse,
                    format!(
                        "{} is in use by another process{holder}: stop that one, or choose another place for this one's data",
                        database.display()
                    ),
                ));
            }
            Err(TryLockError::Error(source)) => return Err(failed("cannot lock", source)),
        }
        let note_holder = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note_holder(&mut file).map_err(|source| failed("cannot write the lock file of", source))?;
        Ok(Self { _file: file })
    }
}

/// The directory that a file is in.
pub(super) fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the presence of a file durable, where the platform can.
pub(super) fn sync_directory(file: &Path) {
    if let Ok(directory) = File::open(directory_of(file)) {
        let _ = directory.sync_all();
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

#[cfg(unix)]
fn make_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens or makes a file that only its owner may read. SQLite gives its log the same permissions.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
