//! One SQLite connection: statements in, rows out, errors told apart.

use std::cell::RefCell;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef as SqliteValueRef};
use rusqlite::{CachedStatement, ErrorCode};

use crate::Engine;
use crate::error::{self, Error, ErrorKind};
use crate::sql::{self, Translations};
use crate::tx::{Access, Sql};
use crate::value::{Row, ToValue, Value, ValueRef};

pub(crate) struct Connection {
    raw: rusqlite::Connection,
    translations: RefCell<Translations>,
}

impl Connection {
    /// A prepared statement keeps its plan: otherwise this build of SQLite plans it anew whenever another value is bound
    /// to a parameter that is compared with an indexed column, which is nearly every time, and costs more than to run it.
    pub(super) fn new(raw: rusqlite::Connection, statements_cached: usize) -> Result<Self, Error> {
        raw.set_prepared_statement_cache_capacity(statements_cached);
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|source| engine_error(source, "the database connection cannot be set up"))?;
        Ok(Self { raw, translations: RefCell::default() })
    }

    /// Transaction control: no parameters, no rows that matter.
    pub(super) fn control(&self, sql: &'static str) -> Result<(), Error> {
        let mut statement =
            self.raw.prepare_cached(sql).map_err(|source| engine_error(source, sql))?;
        statement.raw_execute().map(drop).map_err(|source| engine_error(source, sql))
    }

    /// Whether a transaction is open. SQLite ends it by itself when a disk is full or broken.
    pub(super) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }

    /// Puts the log away and closes. Whatever fails here is repaired by the next opening.
    ///
    /// No statistics are kept (`PRAGMA optimize`): those of a database that was small when it was closed make the planner
    /// scan a table of a million rows for as long as it is open again. Without any, it trusts the indexes, each of which
    /// is there for a query.
    pub(super) fn close(self) {
        let put_away = self.raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
        if let Err(source) = put_away.and_then(|()| self.raw.close().map_err(|(_, source)| source))
        {
            tracing::warn!(error = %source, "the database log could not be put away; the next start will do it");
        }
    }
}

/// The statements of one unit on one connection.
pub(crate) struct SqliteTx<'c> {
    connection: &'c Connection,
    access: Access,
    savepoint: Savepoint,
    failed: bool,
}

/// A unit's writes are undone by rolling back to its savepoint, which is opened before the first statement that writes:
/// a unit that only reads has nothing to undo.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    NotNeeded,
    Due,
    Open,
}

impl<'c> SqliteTx<'c> {
    /// A unit within a group on the writer's connection.
    pub(super) fn in_group(connection: &'c Connection, access: Access) -> Self {
        Self { connection, access, savepoint: Savepoint::Due, failed: false }
    }

    /// A reader's transaction.
    pub(super) fn reading(connection: &'c Connection) -> Self {
        Self { connection, access: Access::Read, savepoint: Savepoint::NotNeeded, failed: false }
    }

    /// Statements of this crate itself, in a transaction that the caller ends as a whole.
    pub(super) fn outside_of_units(connection: &'c Connection) -> Self {
        Self { connection, access: Access::Write, savepoint: Savepoint::NotNeeded, failed: false }
    }

    /// Whether a statement of this unit failed, so that the unit cannot succeed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Keeps what the unit wrote, as part of its group.
    pub(super) fn keep(self) -> Result<(), Error> {
        match self.savepoint {
            Savepoint::Open => self.connection.control("RELEASE unit"),
            Savepoint::Due | Savepoint::NotNeeded => Ok(()),
        }
    }

    /// Undoes what the unit wrote, and nothing else.
    pub(super) fn undo(self) -> Result<(), Error> {
        match self.savepoint {
            Savepoint::Open => {
                self.connection.control("ROLLBACK TO unit")?;
                self.connection.control("RELEASE unit")
            }
            Savepoint::Due | Savepoint::NotNeeded => Ok(()),
        }
    }

    pub(crate) fn execute(&mut self, sql: Sql<'_>, params: &[&dyn ToValue]) -> Result<u64, Error> {
        self.translated(sql, |tx, text| tx.run_text(text, params))
    }

    pub(crate) fn query(
        &mut self,
        sql: Sql<'_>,
        params: &[&dyn ToValue],
    ) -> Result<Vec<Row>, Error> {
        self.translated(sql, |tx, text| tx.rows_of_text(text, params))
    }

    fn translated<T>(
        &mut self,
        sql: Sql<'_>,
        run: impl FnOnce(&mut Self, &str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.failed {
            return Err(error::doomed());
        }
        let outcome = match sql {
            Sql::Static(text) => {
                let text = self.connection.translations.borrow_mut().get(text, Engine::Sqlite);
                run(self, &text)
            }
            Sql::Dynamic(text) => run(self, &sql::for_engine(text, Engine::Sqlite)),
        };
        self.failed |= outcome.is_err();
        outcome
    }

    pub(super) fn run_text(&mut self, text: &str, params: &[&dyn ToValue]) -> Result<u64, Error> {
        let mut statement = self.prepared(text, params)?;
        let changed =
            statement.raw_execute().map_err(|source| engine_error(source, "a statement failed"))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    pub(super) fn rows_of_text(
        &mut self,
        text: &str,
        params: &[&dyn ToValue],
    ) -> Result<Vec<Row>, Error> {
        let mut statement = self.prepared(text, params)?;
        let columns = statement.column_count();
        let failed = |source| engine_error(source, "a query failed");
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            let mut values = Vec::with_capacity(columns);
            for index in 0..columns {
                values.push(owned(row.get_ref(index).map_err(failed)?)?);
            }
            found.push(Row(values));
        }
        Ok(found)
    }

    fn prepared(
        &mut self,
        text: &str,
        params: &[&dyn ToValue],
    ) -> Result<CachedStatement<'c>, Error> {
        let connection = self.connection;
        let mut statement = connection
            .raw
            .prepare_cached(text.trim())
            .map_err(|source| engine_error(source, "a statement could not be prepared"))?;
        if statement.parameter_count() != params.len() {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!(
                    "a statement has {} parameters but got {}",
                    statement.parameter_count(),
                    params.len()
                ),
            ));
        }
        if !statement.readonly() {
            if self.access == Access::Read {
                return Err(error::write_in_read());
            }
            if self.savepoint == Savepoint::Due {
                connection.control("SAVEPOINT unit")?;
                self.savepoint = Savepoint::Open;
            }
        }
        for (index, param) in params.iter().enumerate() {
            statement
                .raw_bind_parameter(index + 1, Param(param.to_value()))
                .map_err(|source| engine_error(source, "a parameter could not be bound"))?;
        }
        Ok(statement)
    }
}

struct Param<'v>(ValueRef<'v>);

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            ValueRef::Null => SqliteValueRef::Null,
            ValueRef::Integer(integer) => SqliteValueRef::Integer(integer),
            ValueRef::Text(text) => SqliteValueRef::Text(text.as_bytes()),
            ValueRef::Blob(bytes) => SqliteValueRef::Blob(bytes),
        }))
    }
}

fn owned(value: SqliteValueRef<'_>) -> Result<Value, Error> {
    match value {
        SqliteValueRef::Null => Ok(Value::Null),
        SqliteValueRef::Integer(integer) => Ok(Value::Integer(integer)),
        SqliteValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(source) => {
                Err(Error::with_source(ErrorKind::Value, "a text column is not UTF-8", source))
            }
        },
        SqliteValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
        SqliteValueRef::Real(_) => {
            Err(Error::new(ErrorKind::Value, "a column holds a floating-point number"))
        }
    }
}

pub(super) fn engine_error(source: rusqlite::Error, what: &str) -> Error {
    let kind = match source.sqlite_error() {
        Some(failure) => match (failure.code, failure.extended_code) {
            (
                _,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID,
            ) => ErrorKind::UniqueViolation,
            (ErrorCode::ConstraintViolation, _) => ErrorKind::ConstraintViolation,
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => ErrorKind::Busy,
            (ErrorCode::CannotOpen, _) => ErrorKind::Unavailable,
            (ErrorCode::ReadOnly, _) => ErrorKind::Misuse,
            _ => ErrorKind::Engine,
        },
        None => ErrorKind::Engine,
    };
    // SQLite's messages name tables and columns, never values.
    Error::with_source(kind, format!("{what}: {source}"), source)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_for_all_values() {
        let raw = rusqlite::Connection::open_in_memory().unwrap();
        raw.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, shop TEXT); CREATE INDEX shops ON orders (shop)")
            .unwrap();
        let connection = Connection::new(raw, 8).unwrap();
        let mut statement =
            connection.raw.prepare("SELECT id FROM orders WHERE shop = ?1").unwrap();
        for shop in ["one", "another", "a third"] {
            let mut rows = statement.query([shop]).unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
