//! SFTP version 3, read-only: listing, asking, reading at any place. Whatever would change something is
//! denied.
//!
//! One session has few handles and each answer is small, so a client cannot make the server hold much.
//! A report is written as it is read; reading on from where the last answer ended costs nothing, going
//! back begins the report anew.

use std::collections::HashMap;

use axum::body::Bytes;
use futures_util::StreamExt as _;
use russh_sftp::protocol::{
    Attrs, Data, File as Entry, FileAttributes, FileMode, Handle, Name, OpenFlags, Packet, Status,
    StatusCode, Version,
};
use russh_sftp::server::{Handler, StatusReply};

use super::report;
use super::shelf::{File, Report, Shelf};
use crate::domain::sftp::{PathError, Stage, resolve};
use crate::reports::{Chunks, ReportError};
use crate::store::StoreError;
use crate::store::sftp::Folder;

/// How many handles a session may have open.
const MAX_HANDLES: usize = 64;

/// The longest answer to a read.
const MAX_READ_BYTES: u64 = 64 * 1024;

/// How many names an answer lists.
const NAMES_PER_ANSWER: usize = 64;

const READ_ONLY: &str = "this server is read-only";

/// One session of an account.
pub(super) struct Protocol {
    tree: Tree,
    handles: HashMap<String, Opened>,
    next_handle: u64,
}

/// What the account sees.
struct Tree {
    shelf: Shelf,
    folders: Vec<Folder>,
}

/// What a handle stands for.
enum Opened {
    /// The names of a directory that are not listed yet, the last one first.
    Directory(Vec<Entry>),
    /// A report.
    Report(Box<Reading>),
}

/// A report that is being read.
struct Reading {
    report: Report,
    length: u64,
    /// Where `rest` begins, and then `chunks` go on.
    position: u64,
    rest: Bytes,
    chunks: Option<Chunks>,
}

/// What a path leads to.
enum Found {
    Directory(String),
    File(File),
}

impl Tree {
    async fn find(&self, path: &str) -> Result<Found, StatusReply> {
        let names = resolve(path).map_err(refused)?;
        let path = names.join("/");
        if self.is_directory(&path) {
            return Ok(Found::Directory(path));
        }
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let files = self.shelf.files(&self.folders).await.map_err(|error| failed(&error))?;
        files
            .into_iter()
            .find(|file| file.directory == directory && file.name == name)
            .map(Found::File)
            .ok_or_else(|| StatusCode::NoSuchFile.into())
    }

    /// Whether there is a directory of this name: one that reports go to, or one above it.
    fn is_directory(&self, path: &str) -> bool {
        path.is_empty()
            || self.folders.iter().any(|folder| below(&folder.directory, path).is_some())
    }

    async fn attributes(&self, found: &Found) -> Result<FileAttributes, StatusReply> {
        match found {
            Found::Directory(_) => Ok(directory_attributes()),
            Found::File(file) => self.file_attributes(&file.report).await,
        }
    }

    async fn file_attributes(&self, report: &Report) -> Result<FileAttributes, StatusReply> {
        let length = self.shelf.length(report).await.map_err(unwritable)?;
        let mut attributes = FileAttributes {
            size: Some(written(self.shelf.stage(report), length)),
            uid: Some(0),
            gid: Some(0),
            permissions: Some(0o440),
            atime: Some(seconds(report.sent_at_ms)),
            mtime: Some(seconds(report.sent_at_ms)),
            ..FileAttributes::default()
        };
        attributes.set_type(FileMode::REG);
        Ok(attributes)
    }

    /// The names in a directory.
    async fn list(&self, directory: &str) -> Result<Vec<Entry>, StatusReply> {
        let mut entries: Vec<Entry> =
            [".", ".."].map(|name| Entry::new(name, directory_attributes())).into();
        let mut below: Vec<&str> = self
            .folders
            .iter()
            .filter_map(|folder| below(&folder.directory, directory)?.split('/').next())
            .filter(|name| !name.is_empty())
            .collect();
        below.sort_unstable();
        below.dedup();
        entries.extend(below.into_iter().map(|name| Entry::new(name, directory_attributes())));
        let mut files = self.shelf.files(&self.folders).await.map_err(|error| failed(&error))?;
        files.retain(|file| file.directory == directory);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        // A report that is sent twice on one day has the same name by the older rule: the last one wins.
        files.dedup_by(|later, earlier| {
            let same = later.name == earlier.name;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        for file in files {
            entries.push(Entry::new(file.name, self.file_attributes(&file.report).await?));
        }
        Ok(entries)
    }
}

impl Protocol {
    /// A session that sees these folders.
    pub(super) fn new(shelf: Shelf, folders: Vec<Folder>) -> Self {
        Self { tree: Tree { shelf, folders }, handles: HashMap::new(), next_handle: 0 }
    }

    fn keep(&mut self, id: u32, opened: Opened) -> Result<Handle, StatusReply> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(StatusCode::Failure.with_message("too many files are open"));
        }
        self.next_handle = self.next_handle.wrapping_add(1);
        let handle = self.next_handle.to_string();
        self.handles.insert(handle.clone(), opened);
        Ok(Handle { id, handle })
    }
}

impl Reading {
    /// The bytes at a place, up to so many; none at the end.
    async fn read(
        &mut self,
        shelf: &Shelf,
        offset: u64,
        count: u64,
    ) -> Result<Vec<u8>, ReportError> {
        if self.chunks.is_none() || offset < self.position {
            self.chunks = Some(shelf.open(&self.report).await?);
            (self.position, self.rest) = (0, Bytes::new());
        }
        let mut data = Vec::new();
        let wanted = usize::try_from(count).unwrap_or(0);
        while data.len() < wanted {
            if self.rest.is_empty() {
                let Some(chunks) = &mut self.chunks else { break };
                match chunks.next().await {
                    Some(chunk) => self.rest = chunk?,
                    None => break,
                }
            }
            let ahead = usize::try_from(offset.saturating_sub(self.position));
            let ahead = ahead.unwrap_or(usize::MAX).min(self.rest.len());
            let taken = if ahead > 0 {
                self.rest.split_to(ahead)
            } else {
                let piece = self.rest.split_to(self.rest.len().min(wanted - data.len()));
                data.extend_from_slice(&piece);
                piece
            };
            let taken = u64::try_from(taken.len()).unwrap_or(0);
            self.position = self.position.saturating_add(taken);
        }
        Ok(data)
    }
}

impl Handler for Protocol {
    type Error = StatusReply;

    fn unimplemented(&self) -> Self::Error {
        StatusCode::OpUnsupported.into()
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, Self::Error> {
        Ok(Version::new())
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, Self::Error> {
        let names = resolve(&path).map_err(refused)?;
        Ok(Name { id, files: vec![Entry::dummy(format!("/{}", names.join("/")))] })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        let found = self.tree.find(&path).await?;
        Ok(Attrs { id, attrs: self.tree.attributes(&found).await? })
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        self.stat(id, path).await
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Self::Error> {
        let report = match self.handles.get(&handle) {
            Some(Opened::Directory(_)) => None,
            Some(Opened::Report(reading)) => Some(reading.report.clone()),
            None => return Err(no_handle()),
        };
        let attrs = match report {
            None => directory_attributes(),
            Some(report) => self.tree.file_attributes(&report).await?,
        };
        Ok(Attrs { id, attrs })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        let Found::Directory(directory) = self.tree.find(&path).await? else {
            return Err(StatusCode::Failure.with_message("not a directory"));
        };
        let mut entries = self.tree.list(&directory).await?;
        entries.reverse();
        self.keep(id, Opened::Directory(entries))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        let Some(Opened::Directory(entries)) = self.handles.get_mut(&handle) else {
            return Err(no_handle());
        };
        let from = entries.len().saturating_sub(NAMES_PER_ANSWER);
        let mut files = entries.split_off(from);
        files.reverse();
        if files.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Name { id, files })
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        if flags.bits() != OpenFlags::READ.bits() {
            return Err(read_only());
        }
        let Found::File(file) = self.tree.find(&filename).await? else {
            return Err(StatusCode::Failure.with_message("a directory"));
        };
        let length = self.tree.shelf.length(&file.report).await.map_err(unwritable)?;
        let reading =
            Reading { report: file.report, length, position: 0, rest: Bytes::new(), chunks: None };
        self.keep(id, Opened::Report(Box::new(reading)))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, Self::Error> {
        let Some(Opened::Report(reading)) = self.handles.get_mut(&handle) else {
            return Err(no_handle());
        };
        let end = written(self.tree.shelf.stage(&reading.report), reading.length);
        let count = end.saturating_sub(offset).min(u64::from(len)).min(MAX_READ_BYTES);
        if count == 0 {
            return Err(StatusCode::Eof.into());
        }
        let data = reading.read(&self.tree.shelf, offset, count).await.map_err(unwritable)?;
        if data.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Data { id, data })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        match self.handles.remove(&handle) {
            Some(_) => Ok(Status {
                id,
                status_code: StatusCode::Ok,
                error_message: "closed".to_owned(),
                language_tag: "en".to_owned(),
            }),
            None => Err(no_handle()),
        }
    }

    async fn write(
        &mut self,
        _: u32,
        _: String,
        _: u64,
        _: Vec<u8>,
    ) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn setstat(
        &mut self,
        _: u32,
        _: String,
        _: FileAttributes,
    ) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn fsetstat(
        &mut self,
        _: u32,
        _: String,
        _: FileAttributes,
    ) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn remove(&mut self, _: u32, _: String) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn mkdir(&mut self, _: u32, _: String, _: FileAttributes) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn rmdir(&mut self, _: u32, _: String) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn rename(&mut self, _: u32, _: String, _: String) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn symlink(&mut self, _: u32, _: String, _: String) -> Result<Status, Self::Error> {
        Err(read_only())
    }

    async fn readlink(&mut self, _: u32, path: String) -> Result<Name, Self::Error> {
        self.tree.find(&path).await?;
        Err(StatusCode::Failure.with_message("not a link"))
    }

    async fn extended(&mut self, _: u32, _: String, _: Vec<u8>) -> Result<Packet, Self::Error> {
        Err(StatusCode::OpUnsupported.into())
    }
}

/// What stands in `path` below `directory`, if it is there or below.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// How much of a file is there. One that was opened in time can be read to its end.
fn written(stage: Stage, length: u64) -> u64 {
    match stage {
        Stage::Absent => length,
        Stage::Unfinished { .. } | Stage::Complete => stage.written(length),
    }
}

fn directory_attributes() -> FileAttributes {
    let mut attributes = FileAttributes {
        size: Some(0),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(0o550),
        atime: Some(0),
        mtime: Some(0),
        ..FileAttributes::default()
    };
    attributes.set_type(FileMode::DIR);
    attributes
}

/// Seconds since 1970, as far as SFTP can say them.
fn seconds(at_ms: i64) -> u32 {
    u32::try_from(at_ms.max(0) / 1_000).unwrap_or(u32::MAX)
}

fn read_only() -> StatusReply {
    StatusCode::PermissionDenied.with_message(READ_ONLY)
}

fn no_handle() -> StatusReply {
    StatusCode::Failure.with_message("no such handle")
}

fn refused(error: PathError) -> StatusReply {
    match error {
        PathError::Outside => StatusCode::PermissionDenied.into(),
        PathError::Impossible => StatusCode::NoSuchFile.into(),
    }
}

fn failed(error: &StoreError) -> StatusReply {
    report(error);
    StatusCode::Failure.into()
}

fn unwritable(error: ReportError) -> StatusReply {
    match error {
        ReportError::Store(error) => failed(&error),
        ReportError::Csv(error) => {
            tracing::error!(%error, "a report could not be written");
            StatusCode::Failure.into()
        }
    }
}
