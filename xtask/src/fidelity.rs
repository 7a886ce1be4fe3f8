//! `cargo xtask fidelity`: the part of docs/fidelity.md that says, for each operation, which of the
//! documented answers the playground gives. It is written from what its tests have seen, and held against
//! it by every full run of the tests. The same goes for what the browser libraries tell pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use catalogue::coverage;
use catalogue::seen::{self, Seen};
use catalogue::told::{self, Told};

use crate::process::Outcome;
use crate::{say, test};

/// What the tests of a run have seen.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Answers of the APIs.
    answers: BTreeSet<Seen>,
    /// What browser libraries told pages.
    told: BTreeSet<Told>,
}

/// From the workspace's root.
const DOCUMENT: &str = "docs/fidelity.md";

/// Runs the playground's tests and writes what they show. An error when something documented is not
/// shown.
pub(crate) fn run() -> Outcome<()> {
    let seen = test::run_and_note(&test::Options::playground())?;
    let (path, text) = document()?;
    let renewed = renewed(&text, &seen)?;
    if renewed == text {
        say(&format!("{DOCUMENT} is as it should be\n"));
    } else {
        fs::write(&path, renewed).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        say(&format!("{DOCUMENT} is written\n"));
    }
    nothing_missing(&seen)
}

/// Holds what was seen against what is documented, and against the document.
pub(crate) fn check(seen: &Observed) -> Outcome<()> {
    nothing_missing(seen)?;
    let (_, text) = document()?;
    let renewed = renewed(&text, seen)?;
    if renewed == text {
        return Ok(());
    }
    let new = renewed.lines().filter(|line| !text.contains(line));
    let new: Vec<String> = new.map(|line| format!("  {line}\n")).collect();
    Err(format!(
        "{DOCUMENT} does not say what the tests have seen; `cargo xtask fidelity` writes it anew:\n{}",
        new.concat()
    ))
}

fn renewed(text: &str, seen: &Observed) -> Outcome<String> {
    let renewed = coverage::renew(text, &seen.answers).ok_or_else(no_marks)?;
    told::renew(&renewed).ok_or_else(no_marks)
}

fn nothing_missing(seen: &Observed) -> Outcome<()> {
    let mut problems = coverage::problems(&seen.answers);
    problems.extend(told::problems(&seen.told));
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Klarna documents it, and it is not shown (crates/catalogue):\n  {}",
        problems.join("\n  ")
    ))
}

fn no_marks() -> String {
    format!(
        "{DOCUMENT} has lost the lines `{}` and `{}`, or `{}` and `{}`",
        coverage::BEGIN,
        coverage::END,
        told::BEGIN,
        told::END
    )
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn document() -> Outcome<(PathBuf, String)> {
    let path = root().join(DOCUMENT);
    let text = fs::read_to_string(&path).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    Ok((path, text))
}

/// Where the tests of a run write what they see. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Notes {
    directory: PathBuf,
}

impl Notes {
    /// A directory of its own, empty.
    pub(crate) fn begin() -> Outcome<Self> {
        let name = format!("kassa-seen-answers-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self { directory })
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was written.
    pub(crate) fn read(&self) -> Outcome<Observed> {
        let failed = |error| format!("{}: {error}", self.directory.display());
        let answers = seen::read(&self.directory).map_err(failed)?;
        Ok(Observed { answers, told: told::read(&self.directory).map_err(failed)? })
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // Left behind at worst, in the directory for such things.
        drop(fs::remove_dir_all(&self.directory));
    }
}
