//! Which migrations are applied, which are due, and whether program and database fit together. The engines run them.
//!
//! A database that is newer than the program is served: during a rolling upgrade the previous version goes on running
//! on tables that the next one has already changed, and migrations are written so that it can.

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};

/// One step of the schema. Once released, a step is never changed: a new one is added.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place in the order; ascending through the list, gaps allowed.
    pub version: i64,
    /// What it is about, for people.
    pub name: &'static str,
    /// Statements separated by `;`, in the SQL that both engines accept (TEXT, BIGINT, BYTEA). No trigger bodies.
    pub sql: &'static str,
}

/// A migration that the database remembers.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

pub(crate) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (\
     version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
pub(crate) const SELECT: &str =
    "SELECT version, name, checksum FROM schema_migrations ORDER BY version";
pub(crate) const INSERT: &str =
    "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";

impl Migration {
    /// The same on every platform: line ends do not count.
    pub(crate) fn checksum(&self) -> String {
        use std::fmt::Write as _;
        let digest = Sha256::digest(self.sql.replace("\r\n", "\n").as_bytes());
        digest.iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// The list itself must ascend.
pub(crate) fn check_list(migrations: &[Migration]) -> Result<(), Error> {
    match migrations.windows(2).find(|pair| pair[0].version >= pair[1].version) {
        None => Ok(()),
        Some(pair) => Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the migrations are out of order: {} \"{}\" stands before {} \"{}\"",
                pair[0].version, pair[0].name, pair[1].version, pair[1].name
            ),
        )),
    }
}

/// Compares what the program has with what the database remembers; answers what is still to be applied.
pub(crate) fn pending<'m>(
    migrations: &'m [Migration],
    applied: &[Applied],
) -> Result<&'m [Migration], Error> {
    let newest_known = migrations.last().map_or(i64::MIN, |migration| migration.version);
    let (known, newer): (Vec<&Applied>, Vec<&Applied>) =
        applied.iter().partition(|applied| applied.version <= newest_known);
    for (index, applied) in known.iter().enumerate() {
        let Some(migration) =
            migrations.get(index).filter(|migration| migration.version <= applied.version)
        else {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "the database has migration {} \"{}\", which this program does not know: \
                     it belongs to another program or to another line of versions",
                    applied.version, applied.name
                ),
            ));
        };
        if migration.version != applied.version {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "migration {} \"{}\" was never applied, although the later {} \"{}\" was: \
                     give it a version above those already released",
                    migration.version, migration.name, applied.version, applied.name
                ),
            ));
        }
        if migration.checksum() != applied.checksum {
            return Err(Error::new(
                ErrorKind::Migration,
                format!(
                    "migration {} \"{}\" was changed after it was applied: \
                     restore its text and put the change in a new migration",
                    migration.version, migration.name
                ),
            ));
        }
    }
    if let Some(newest) = newer.last() {
        tracing::warn!(
            schema.database = newest.version,
            schema.program = newest_known,
            "the database was already migrated by a newer version of this program; going on with it"
        );
    }
    Ok(&migrations[known.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { version: 1, name: "one", sql: "CREATE TABLE a (x BIGINT)" };
    const TWO: Migration = Migration { version: 2, name: "two", sql: "CREATE TABLE b (x BIGINT)" };
    const FIVE: Migration =
        Migration { version: 5, name: "five", sql: "CREATE TABLE c (x BIGINT)" };

    fn applied(migration: Migration) -> Applied {
        Applied {
            version: migration.version,
            name: migration.name.to_owned(),
            checksum: migration.checksum(),
        }
    }

    fn check(program: &[Migration], database: &[Migration], expected: Result<&[i64], &str>) {
        let applied: Vec<_> = database.iter().copied().map(applied).collect();
        match (pending(program, &applied), expected) {
            (Ok(due), Ok(expected)) => {
                assert_eq!(
                    due.iter().map(|migration| migration.version).collect::<Vec<_>>(),
                    expected
                );
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(error.kind(), ErrorKind::Migration);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn what_is_due() {
        check(&[ONE, TWO, FIVE], &[], Ok(&[1, 2, 5]));
        check(&[ONE, TWO, FIVE], &[ONE, TWO], Ok(&[5]));
        check(&[ONE, TWO], &[ONE, TWO], Ok(&[]));
        check(&[], &[], Ok(&[]));
    }

    #[test]
    fn a_newer_database_is_served() {
        check(&[ONE, TWO], &[ONE, TWO, FIVE], Ok(&[]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check(&[ONE, FIVE], &[ONE, TWO, FIVE], Err("which this program does not know"));
        check(&[ONE, TWO, FIVE], &[ONE, FIVE], Err("migration 2 \"two\" was never applied"));
        let changed = Migration { sql: "CREATE TABLE a (x TEXT)", ..ONE };
        check(&[changed, TWO], &[ONE], Err("migration 1 \"one\" was changed after it was applied"));
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        let unix = Migration { sql: "A;\nB", ..ONE };
        let dos = Migration { sql: "A;\r\nB", ..ONE };
        assert_eq!(unix.checksum(), dos.checksum());
    }

    #[test]
    fn a_list_ascends() {
        assert!(check_list(&[ONE, TWO, FIVE]).is_ok());
        assert!(check_list(&[TWO, ONE]).is_err());
        assert!(check_list(&[ONE, ONE]).is_err());
    }
}
