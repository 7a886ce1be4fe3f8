//! What a merchant finds on Klarna's SFTP server: when a file is there and how much of it, and what a
//! path means.
//!
//! There is no file system behind it: a path is resolved against a list of folders and reports, so there
//! is nothing to escape to. Serving is the `sftp` module's business, reports are the settlements'.

/// How long a file is kept, in milliseconds: 90 days.
pub(crate) const KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// How long a file is written, in milliseconds. It has another name until then.
pub(crate) const WRITTEN_FOR_MS: i64 = 10_000;

/// At most so many accounts for one merchant.
pub(crate) const MAX_ACCOUNTS: usize = 5;

const UNFINISHED: &str = ".tmp";
const MAX_PATH_BYTES: usize = 1_024;
const MAX_NAME_BYTES: usize = 255;
const MAX_DEPTH: usize = 4;

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is not there yet, or not any more.
    Absent,
    /// It is being written.
    Unfinished {
        /// For how long already, in milliseconds.
        since_ms: i64,
    },
    /// It is complete.
    Complete,
}

/// How far a file is at `now_ms` that was begun at `sent_at_ms`.
pub(crate) fn stage(sent_at_ms: i64, now_ms: i64) -> Stage {
    match now_ms.saturating_sub(sent_at_ms) {
        age_ms if !(0..KEPT_MS).contains(&age_ms) => Stage::Absent,
        since_ms if since_ms < WRITTEN_FOR_MS => Stage::Unfinished { since_ms },
        _ => Stage::Complete,
    }
}

impl Stage {
    /// The name that the file has at this stage.
    pub(crate) fn name(self, complete: String) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Unfinished { .. } => Some(complete + UNFINISHED),
            Self::Complete => Some(complete),
        }
    }

    /// How much of a file is written, of `size` bytes; rounded down.
    pub(crate) fn written(self, size: u64) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Unfinished { since_ms } => {
                let share = u128::try_from(since_ms).unwrap_or(0);
                let whole = u128::try_from(WRITTEN_FOR_MS).unwrap_or(1).max(1);
                u64::try_from(u128::from(size) * share / whole).unwrap_or(size).min(size)
            }
            Self::Complete => size,
        }
    }
}

/// A path that means nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathError {
    /// It leads out of the account's own folder.
    Outside,
    /// No name here looks like that.
    Impossible,
}

/// The names that a path consists of, from the account's root. Absolute and relative paths mean the
/// same, as every session begins at the root.
pub(crate) fn resolve(path: &str) -> Result<Vec<&str>, PathError> {
    if path.len() > MAX_PATH_BYTES || path.contains(char::is_control) || path.contains('\\') {
        return Err(PathError::Impossible);
    }
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop().ok_or(PathError::Outside)?;
            }
            name if name.len() > MAX_NAME_BYTES => return Err(PathError::Impossible),
            name => names.push(name),
        }
    }
    Ok(names)
}

/// Whether reports may be sent to a directory of this name; the empty name is the account's root.
pub(crate) fn is_directory(path: &str) -> bool {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len())
            && !name.starts_with('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    path.is_empty() || (path.split('/').count() <= MAX_DEPTH && path.split('/').all(is_name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_written_then_kept_then_gone() {
        for (age_ms, expected, half) in [
            (-1, Stage::Absent, 0),
            (0, Stage::Unfinished { since_ms: 0 }, 0),
            (WRITTEN_FOR_MS / 2, Stage::Unfinished { since_ms: WRITTEN_FOR_MS / 2 }, 500),
            (WRITTEN_FOR_MS - 1, Stage::Unfinished { since_ms: WRITTEN_FOR_MS - 1 }, 999),
            (WRITTEN_FOR_MS, Stage::Complete, 1_000),
            (KEPT_MS - 1, Stage::Complete, 1_000),
            (KEPT_MS, Stage::Absent, 0),
        ] {
            let stage = stage(7, 7 + age_ms);
            assert_eq!((stage, stage.written(1_000)), (expected, half), "{age_ms}");
        }
        assert_eq!(stage(0, 0).name("a.csv".into()).as_deref(), Some("a.csv.tmp"));
        assert_eq!(Stage::Complete.name("a.csv".into()).as_deref(), Some("a.csv"));
        assert_eq!(Stage::Absent.name("a.csv".into()), None);
    }

    fn check(path: &str, expected: Result<&[&str], PathError>) {
        assert_eq!(resolve(path).as_deref(), expected.as_ref().copied(), "{path:?}");
    }

    #[test]
    fn a_path_stays_inside() {
        check("", Ok(&[]));
        check("/", Ok(&[]));
        check(".", Ok(&[]));
        check("/a//b/./c/", Ok(&["a", "b", "c"]));
        check("a/../b", Ok(&["b"]));
        check("..", Err(PathError::Outside));
        check("/../etc/passwd", Err(PathError::Outside));
        check("a/../../b", Err(PathError::Outside));
        check("a\\..\\b", Err(PathError::Impossible));
        check("a\0b", Err(PathError::Impossible));
        check("a\nb", Err(PathError::Impossible));
        check(&"a".repeat(256), Err(PathError::Impossible));
        check(&"a/".repeat(600), Err(PathError::Impossible));
        // Nothing is decoded: these are names like any other.
        check("%2e%2e/x", Ok(&["%2e%2e", "x"]));
        check("\u{2025}/x", Ok(&["\u{2025}", "x"]));
    }

    #[test]
    fn directories_have_plain_names() {
        for good in ["", "se", "reports/K1", "a/b/c/d", "a.b_c-d"] {
            assert!(is_directory(good), "{good:?}");
        }
        let long = "a".repeat(65);
        for bad in
            ["/", "/a", "a/", "a//b", ".", "..", "a/..", ".a", "a b", "å", "a/b/c/d/e", &long]
        {
            assert!(!is_directory(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_resolved_holds_no_way_out(path in "[a./%\\\\]{0,40}") {
            if let Ok(names) = resolve(&path) {
                for name in &names {
                    prop_assert!(!matches!(*name, "" | "." | ".."));
                    prop_assert!(!name.contains('/'));
                }
                let joined = names.join("/");
                prop_assert_eq!(resolve(&joined).unwrap(), names);
            }
        }

        #[test]
        fn what_is_written_never_shrinks(size in any::<u64>(), a in 0..20_000_i64, b in 0..20_000_i64) {
            let (early, late) = (a.min(b), a.max(b));
            prop_assert!(stage(0, early).written(size) <= stage(0, late).written(size));
            prop_assert!(stage(0, late).written(size) <= size);
        }
    }
}
